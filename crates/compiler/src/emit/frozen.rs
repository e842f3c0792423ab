//! Branches inside of one operator: what may happen between a branch and the label where its paths meet again.
//!
//! What the emitter knows, of registers, copies, slots and the stack, is what holds where it emits. Where an operator
//! branches and its paths meet again, it has to hold on all of them. So nothing of it may change in between: a register
//! that is taken behind the branch has given something way on one path only, and an entry that goes to its slot there
//! is not in it on the other.
//!
//! A [`Frozen`] is the witness of such a stretch. It has borrowed the whole state, and lends the assembler, labels and
//! what else changes nothing; the state comes back when the paths meet. So code that takes, pushes, spills, stores a
//! copy or flushes cannot be called in between: it does not compile. Debug builds compare the state besides.
//!
//! What an operator needs is therefore in registers, and its result has its place on the stack, before it freezes the
//! state.

use crate::emit::FuncGen;
use crate::emit::stub::{KeptRef, Stub, StubKind};
use crate::emit::values::value::{Loc, Operand, Value};
use crate::emit::writer::Writer;
use crate::isa::Isa;
use crate::treaty::facts::{Facts, GcFacts};
use crate::treaty::fault::proof;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::Ty;
use lightbeam_asm::{Label, Reg, RegSet};

/// The emitter between a branch of an operator and the label where its paths meet.
#[must_use = "the paths have to meet again"]
pub(crate) struct Frozen<'c, 'a, I: Isa> {
    cg: &'c mut FuncGen<'a, I>,
    #[cfg(debug_assertions)]
    before: Snapshot,
    #[cfg(debug_assertions)]
    met: bool,
}

/// All that must be the same on all paths.
#[cfg(debug_assertions)]
#[derive(Debug, PartialEq)]
struct Snapshot {
    free: RegSet,
    cached: RegSet,
    dirty: RegSet,
    locked: RegSet,
    copies: Vec<(Reg, u16)>,
    watermark: usize,
    height: usize,
    window: Vec<Value>,
    blocks: usize,
    fuel: u32,
    slots_used: u32,
    stubs: usize,
}

#[cfg(debug_assertions)]
impl Snapshot {
    pub(crate) fn of<I: Isa>(cg: &FuncGen<'_, I>) -> Snapshot {
        let regs = &cg.regs;
        Snapshot {
            free: regs.free,
            cached: regs.cached,
            dirty: regs.dirty,
            locked: regs.locked,
            copies: regs.cached.map(|reg| (reg, regs.copy_of[reg.index()])).collect(),
            watermark: cg.watermark,
            height: cg.stack.len(),
            window: cg.stack[cg.watermark..].to_vec(),
            blocks: cg.blocks.len(),
            fuel: cg.fuel,
            slots_used: cg.slots_used,
            stubs: cg.lists.stubs.len(),
        }
    }
}

#[cfg(debug_assertions)]
impl<I: Isa> Drop for Frozen<'_, '_, I> {
    fn drop(&mut self) {
        assert!(self.met || std::thread::panicking(), "paths at {:#x} never meet", self.cg.w.wasm);
    }
}

impl<'a, I: Isa> FuncGen<'a, I> {
    /// Before the first branch of an operator whose paths meet again.
    #[inline(always)]
    pub(crate) fn freeze(&mut self) -> Frozen<'_, 'a, I> {
        Frozen {
            #[cfg(debug_assertions)]
            before: Snapshot::of(self),
            #[cfg(debug_assertions)]
            met: false,
            cg: self,
        }
    }

    /// Remembers a stub, with the registers in use at this moment: values, copies and homes that a call destroys.
    /// `done` are some that an operator holds and the stub's path does not read again.
    fn add_stub(&mut self, mut stub: Stub, done: RegSet) {
        let mut live = self.regs.pool.minus(self.regs.free.or(done)).or(self.passing);
        for i in 0..self.lists.volatile_homes.len() {
            live.add(self.locals[self.lists.volatile_homes[i] as usize].home.expect("it has one"));
        }
        if let Some(out) = stub.kind.out() {
            live.remove(out);
        }
        if let StubKind::NewObject { base: Some(base), .. } = stub.kind {
            live.remove(base);
        }
        let first = self.lists.stub_refs.len() as u32;
        if stub.kind.collects() && self.roots.any {
            stub.map = self.map_here(true);
            for reg in self.regs.cached {
                let local = &self.locals[self.regs.copy_of[reg.index()] as usize];
                if local.ty == Ty::GcRef {
                    live.remove(reg);
                    self.lists.stub_refs.push(KeptRef { reg, slot: local.slot, store: false });
                }
            }
            for at in self.watermark..self.stack.len() {
                if let Value { ty: Ty::GcRef, loc: Loc::Reg(reg) } = self.stack[at] {
                    live.remove(reg);
                    self.slot(at, Ty::GcRef);
                    let slot = self.slot_offset(at, Ty::GcRef);
                    self.lists.stub_refs.push(KeptRef { reg, slot, store: true });
                }
            }
        }
        stub.refs = (first, self.lists.stub_refs.len() as u32);
        stub.live = live;
        self.stub_saves = self.stub_saves.max(live.len() << self.slot_log2);
        self.lists.stubs.push(stub);
    }
}

impl<'a, I: Isa> Frozen<'_, 'a, I> {
    /// The writer: an instruction changes nothing of what is known, as long as it writes what the operator holds.
    #[inline(always)]
    pub(crate) fn w(&mut self) -> &mut Writer<I> {
        self.cg.w
    }

    /// A label of a path.
    #[inline(always)]
    pub(crate) fn label(&mut self) -> Label {
        self.cg.w.label()
    }

    /// Labels of as many paths.
    #[inline(always)]
    pub(crate) fn labels<const N: usize>(&mut self) -> [Label; N] {
        self.cg.w.labels()
    }

    /// A path, or more than one, continues here.
    #[inline(always)]
    pub(crate) fn bind(&mut self, label: Label) {
        self.cg.w.bind(label);
    }

    #[inline(always)]
    pub(crate) fn jump(&mut self, to: Label) {
        self.cg.w.jmp(to);
    }

    pub(crate) fn facts(&self) -> &'a Facts {
        self.cg.facts
    }

    pub(crate) fn gc(&self) -> GcFacts {
        self.cg.gc()
    }

    /// See `FuncGen::heap_base`.
    pub(crate) fn heap_base(&mut self, d: Reg) {
        self.cg.heap_base(d);
    }

    /// What no operator may do here, see `Fault::HeapBaseBehindBranch`.
    pub(crate) fn heap_in_register_by_fault(&mut self) -> Option<Reg> {
        self.cg.heap_in_register()
    }

    /// What no operator may do here, see `Fault::PushBehindStub`.
    pub(crate) fn push_by_fault(&mut self, ty: Ty, reg: Reg) {
        self.cg.push_reg(ty, reg);
    }

    /// See `FuncGen::check_in_heap`.
    pub(crate) fn check_in_heap(&mut self, reference: Reg, span: u32) {
        self.cg.check_in_heap(reference, span);
    }

    /// See `Values::copy_reg`.
    pub(crate) fn copy_reg(&mut self, ty: Ty, to: Reg, from: Reg) {
        self.cg.copy_reg(ty, to, from);
    }

    /// Writes an entry to the slot of another position that has one: see `FuncGen::value_to_slot`, which takes nothing.
    pub(crate) fn value_to_slot(&mut self, position: usize, to: usize) {
        let value = self.cg.stack[position];
        self.cg.value_to_slot(value, position, to);
    }

    /// See `FuncGen::routine_value`, which writes to the stack of the machine.
    pub(crate) fn routine_value(&mut self, operand: &Operand) -> Operand {
        self.cg.routine_value(operand)
    }

    /// Calls a routine on one path, where nothing but homes and what is to be written anew is in a register: the homes
    /// are stored before, and loaded by `restore_homes`.
    pub(crate) fn call_routine(&mut self, call: RoutineCall<Operand>) {
        proof!(self.cg.regs.cached.is_empty(), "a copy would be lost on one path");
        self.cg.save_homes();
        self.cg.call_routine(call);
    }

    /// See `FuncGen::restore_homes`.
    pub(crate) fn restore_homes(&mut self) {
        self.cg.restore_homes();
    }

    /// A detour from one label to another, both of this stretch, so that the state is one for all of it. `done` are
    /// registers that the operator holds and that are not read at `resume` or later.
    pub(crate) fn stub(&mut self, label: Label, resume: Label, kind: StubKind, done: RegSet) {
        let wasm = self.cg.w.wasm;
        let stub = Stub { label, resume, kind, live: RegSet::EMPTY, refs: (0, 0), map: None, wasm };
        self.cg.add_stub(stub, done);
        #[cfg(debug_assertions)]
        {
            self.before.stubs += 1;
            self.before.slots_used = self.cg.slots_used;
        }
    }

    /// All paths are at this label now.
    #[inline(always)]
    pub(crate) fn meet(mut self, label: Label) {
        self.bind(label);
        #[cfg(debug_assertions)]
        {
            let now = Snapshot::of(self.cg);
            proof!(self.before == now, "the paths at {:#x} do not agree: {:?}, {now:?}", self.cg.w.wasm, self.before);
            self.met = true;
        }
    }
}
