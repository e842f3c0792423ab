//! The collector's heap: where it begins, which may be kept like a local, and how far it reaches.

use crate::emit::FuncGen;
use crate::emit::values::held::Held;
use crate::emit::writer::Writer;
use crate::isa::{Alu, Cond, Isa, Load, Src};
use crate::treaty::code::TrapCode;
use crate::treaty::facts::{Facts, GcFacts};
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::Width;
use lightbeam_asm::{Addr, Label, Reg, RegClass};

/// Goes to `trap` unless the heap reaches so far beyond a reference. Uses the scratch register alone.
pub fn compare_with_heap<I: Isa>(w: &mut Writer<I>, facts: &Facts, reference: Reg, span: u32, trap: Label) {
    let gc = facts.gc.expect("a module with references has a collector");
    w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, facts.ctx.store));
    w.load(Load::I64, I::SCRATCH, Addr::base(I::SCRATCH, gc.heap_length));
    w.alu(Alu::Sub, Width::W64, I::SCRATCH, I::SCRATCH, Src::imm(span.cast_signed()));
    let mut flags = w.cmp(Width::W64, I::SCRATCH, Src::Reg(reference));
    flags.branch(Cond::LtS, trap);
    if facts.settings.spectre {
        // Whoever has the register keeps its value: behind the branch the condition holds.
        flags.guard(Cond::GeS, reference, reference, 0);
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// The heap of the collector, of which there is one if there are objects whose types can be asked for.
    pub(crate) fn gc(&self) -> GcFacts {
        self.facts.gc.expect("a module that has to do with objects has a collector")
    }

    /// `d = ` where the heap begins; `d` may be the scratch register.
    pub(crate) fn heap_base(&mut self, d: Reg) {
        let (heap, store) = (self.gc().heap, self.facts.ctx.store);
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, store));
        self.w.load(Load::I64, d, Addr::base(I::SCRATCH, heap));
    }

    /// The register that has where the heap begins until the operator ends or calls, if that is kept like a local and
    /// there are registers enough to have it in one.
    pub(crate) fn heap_in_register(&mut self) -> Option<Reg> {
        /// What operators may still take after this.
        const ENOUGH: u32 = 3;
        self.prove_in_heap();
        let at = self.heap?;
        if let Some(home) = self.locals[at].home {
            return Some(home);
        }
        let regs = &self.regs;
        let left = regs.free.or(regs.cached.minus(regs.locked.or(regs.pinned.set()))).class(RegClass::Int);
        if self.locals[at].copy.is_none() && left.len() < ENOUGH {
            return None;
        }
        Some(self.local_in_register(at))
    }

    /// A register that has where the heap begins until the operator ends, calls, or writes this one, into which it is
    /// loaded if it must be.
    pub(crate) fn heap_or(&mut self, d: Reg) -> Reg {
        if let Some(reg) = self.heap_in_register() {
            return reg;
        }
        self.heap_base(d);
        d
    }

    /// The address of the heap in a register that the caller does not write, and that register if the caller owns it.
    pub(crate) fn heap_kept(&mut self) -> (Reg, Held) {
        if let Some(reg) = self.heap_in_register() {
            return (reg, Held::NONE);
        }
        let (base, held) = self.hold(RegClass::Int);
        self.heap_base(base);
        (base, held)
    }

    /// Traps unless the heap reaches so far beyond a reference, where guard pages do not see to that. Has this used the
    /// scratch register?
    pub(crate) fn check_in_heap(&mut self, reference: Reg, span: u32) -> bool {
        if u64::from(span) <= self.gc().unchecked_span || without(Fault::HeapBound) {
            return false;
        }
        let span = if without(Fault::HeapSpan) { 1 } else { span };
        let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
        let facts = self.facts;
        compare_with_heap::<I>(self.w, facts, reference, span, trap);
        true
    }
}
