//! The machine's flags, from the instruction that sets them to those that read them.
//!
//! Nearly every instruction changes the flags, so there is little that may be emitted between a compare and what reads
//! it. [`Flags`] is the witness of such a stretch: what sets flags gives one, and nothing else reads them. As long as
//! it lasts it has borrowed whoever emits, and lends what keeps the flags; any other instruction does not compile. With
//! the condition that is looked for it is a [`Condition`].
//!
//! What is lent is proved to keep the flags: the assembler of debug builds counts what may change them, instructions,
//! calls and labels, and a witness that is read compares the count with that of its beginning ([`Stamp`]). The stamp
//! also goes where no borrow can: with a condition that waits on the virtual stack for the next operator, and with what
//! the flags tell of a register.

use crate::emit::writer::Writer;
use crate::isa::{Alu, At, Cond, FloatCmp, Isa, Load, Src, VectorTest};
use crate::treaty::code::TrapCode;
use crate::treaty::facts::Where;
#[cfg(debug_assertions)]
use crate::treaty::fault::proof;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label, Reg};

/// Whoever emits while the flags are live: the writer, or one who has it.
pub trait Emits {
    /// The instruction set.
    type Isa: Isa;

    /// The writer.
    fn writer(&mut self) -> &mut Writer<Self::Isa>;
}

impl<I: Isa> Emits for &mut Writer<I> {
    type Isa = I;

    #[inline(always)]
    fn writer(&mut self) -> &mut Writer<I> {
        self
    }
}

/// How often the flags had changed when they were set. Of no size in builds without proofs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    #[cfg(debug_assertions)]
    changes: u32,
}

impl Stamp {
    /// That of the flags as they are.
    #[inline(always)]
    pub(crate) fn of<I: Isa>(w: &Writer<I>) -> Stamp {
        let _ = w;
        Stamp {
            #[cfg(debug_assertions)]
            changes: w.flags(),
        }
    }

    /// Panics in debug builds if the flags may have changed since.
    #[inline(always)]
    pub(crate) fn prove<I: Isa>(self, w: &Writer<I>) {
        #[cfg(debug_assertions)]
        proof!(self.changes == w.flags(), "the flags that are read at {:#x} may have changed", w.wasm);
        let _ = w;
    }
}

/// A setting of the flags: the instruction that did it, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    at: At,
    stamp: Stamp,
}

impl Set {
    /// The flags as they were when the stamp was made.
    #[inline(always)]
    pub(crate) fn before(at: At, stamp: Stamp) -> Set {
        Set { at, stamp }
    }

    pub(crate) fn stamp(self) -> Stamp {
        self.stamp
    }
}

/// The flags are live, and `L`, who emits, keeps them.
#[must_use = "flags that nobody reads need not be set"]
pub struct Flags<L> {
    by: L,
    set: Set,
}

/// The flags are live and hold this condition, or not.
#[must_use = "a condition that nobody reads need not be asked for"]
pub struct Condition<L> {
    flags: Flags<L>,
    cond: Cond,
}

impl<I: Isa> Writer<I> {
    /// Behind the instruction at `at`, which has set the flags.
    #[inline(always)]
    fn flags_of(&mut self, at: At) -> Flags<&mut Writer<I>> {
        let stamp = Stamp::of(self);
        Flags { by: self, set: Set { at, stamp } }
    }

    /// Compares integers.
    #[inline]
    pub fn cmp(&mut self, width: Width, l: Reg, r: Src) -> Flags<&mut Writer<I>> {
        let at = I::cmp(self, width, l, r);
        self.flags_of(at)
    }

    /// Compares memory with a register or constant.
    #[inline]
    pub fn cmp_mem(&mut self, width: Width, l: Addr, r: Src) -> Flags<&mut Writer<I>> {
        let at = I::cmp_mem(self, width, l, r);
        self.flags_of(at)
    }

    /// Are so many bytes of memory, at most 8, other than 0? Where `MEM_OPERANDS`.
    pub(crate) fn cmp_mem_zero(&mut self, bytes: u32, l: Addr) -> Condition<&mut Writer<I>> {
        let at = I::cmp_mem_zero(self, bytes, l);
        self.flags_of(at).when(Cond::Ne)
    }

    /// Compares `l & r` with 0: good for `Eq`, `Ne` and the signed conditions against 0.
    #[inline]
    pub fn test(&mut self, width: Width, l: Reg, r: Src) -> Flags<&mut Writer<I>> {
        let at = I::test(self, width, l, r);
        self.flags_of(at)
    }

    /// Compares floats.
    pub(crate) fn fcmp(&mut self, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Condition<&mut Writer<I>> {
        let at = self.offset();
        let cond = I::fcmp(self, op, width, l, r);
        self.flags_of(at).when(cond)
    }

    /// Asks all lanes at once.
    pub(crate) fn vector_test(&mut self, op: VectorTest, s: Reg) -> Condition<&mut Writer<I>> {
        let at = self.offset();
        let cond = I::vector_test(self, op, s);
        self.flags_of(at).when(cond)
    }

    /// `[addr] = [addr] op r`, and by `Cond::LtS` and `GeS` which sign the result has.
    pub(crate) fn alu_mem_sign(&mut self, op: Alu, width: Width, addr: Addr, r: Src) -> Flags<&mut Writer<I>> {
        let at = I::alu_mem(self, op, width, addr, r);
        self.flags_of(at)
    }

    /// `d = d op r`, and by `Cond::Eq` and `Ne` whether that is zero.
    pub fn alu_zero(&mut self, op: Alu, width: Width, d: Reg, r: Src) -> Flags<&mut Writer<I>> {
        let at = I::alu(self, op, width, d, d, r);
        if !I::alu_sets_flags(op, r) {
            I::test(self, width, d, Src::Reg(d));
        }
        self.flags_of(at)
    }

    /// Traps with a code if a register is zero.
    pub fn trap_if_zero(&mut self, width: Width, r: Reg, code: TrapCode) {
        let label = self.trap_label(code);
        self.branch_zero(width, r, label);
    }
}

impl<L: Emits> Flags<L> {
    /// With the condition that is looked for.
    #[inline(always)]
    pub(crate) fn when(self, cond: Cond) -> Condition<L> {
        Condition { flags: self, cond }
    }

    /// The instruction that has set the flags.
    pub(crate) fn at(&self) -> At {
        self.set.at
    }

    /// To read the flags by.
    #[inline(always)]
    fn read(&mut self) -> &mut Writer<L::Isa> {
        let w = self.by.writer();
        self.set.stamp.prove(w);
        w
    }

    /// Goes to the label if the condition holds.
    #[inline]
    pub fn branch(&mut self, cond: Cond, to: Label) {
        L::Isa::jcc(self.read(), cond, to);
    }

    /// Traps with a code if the condition holds.
    pub fn trap(&mut self, cond: Cond, code: TrapCode) {
        let label = self.by.writer().trap_label(code);
        self.branch(cond, label);
    }

    /// See `Isa::select`.
    pub(crate) fn select(&mut self, cond: Cond, ty: Ty, d: Reg, s: Reg) {
        L::Isa::select(self.read(), cond, ty, d, s);
    }

    /// See `Isa::guard`.
    pub fn guard(&mut self, cond: Cond, d: Reg, s: Reg, value: u32) {
        L::Isa::guard(self.read(), cond, d, s, value);
    }

    // ---- what keeps the flags

    /// See `Writer::reach`.
    pub(crate) fn reach(&mut self, place: Where) -> Addr {
        self.by.writer().reach(place)
    }

    /// Loads from memory that cannot fault.
    pub(crate) fn load(&mut self, op: Load, d: Reg, addr: Addr) {
        self.by.writer().load(op, d, addr);
    }

    /// The compare at `at` can trap.
    pub(crate) fn may_trap(&mut self, code: TrapCode) {
        let at = self.at();
        self.by.writer().trap_at(at, code);
    }
}

impl<L: Emits> Condition<L> {
    /// The flags are as they were set, and `by` has emitted nothing since that may change them.
    #[inline(always)]
    pub(crate) fn of(by: L, set: Set, cond: Cond) -> Condition<L> {
        Condition { flags: Flags { by, set }, cond }
    }

    /// Whoever emits goes on without witness; what there was may be made again.
    #[inline(always)]
    pub(crate) fn end(self) -> (L, Set, Cond) {
        (self.flags.by, self.flags.set, self.cond)
    }

    /// For what is lent.
    #[inline(always)]
    pub(crate) fn lender(&self) -> &L {
        &self.flags.by
    }

    /// For what is lent, all of which keeps the flags.
    #[inline(always)]
    pub(crate) fn lender_mut(&mut self) -> &mut L {
        &mut self.flags.by
    }

    /// The instruction that has set the flags.
    pub(crate) fn at(&self) -> At {
        self.flags.at()
    }

    /// Which condition is looked for.
    pub(crate) fn cond(&self) -> Cond {
        self.cond
    }

    /// The opposite.
    #[inline]
    pub(crate) fn invert(self) -> Condition<L> {
        Condition { cond: self.cond.invert(), ..self }
    }

    /// Goes to the label if the condition holds.
    #[inline]
    pub(crate) fn branch(&mut self, to: Label) {
        self.flags.branch(self.cond, to);
    }

    /// Goes to the label unless the condition holds.
    #[inline]
    pub fn branch_unless(&mut self, to: Label) {
        self.flags.branch(self.cond.invert(), to);
    }

    /// Traps with a code if the condition holds.
    pub(crate) fn trap(&mut self, code: TrapCode) {
        self.flags.trap(self.cond, code);
    }

    /// `if condition { d = s }`: see `Isa::select`.
    pub(crate) fn select(&mut self, ty: Ty, d: Reg, s: Reg) {
        self.flags.select(self.cond, ty, d, s);
    }

    /// `d = condition ? 1 : 0`. The flags may change.
    pub(crate) fn set(mut self, d: Reg) {
        L::Isa::set(self.flags.read(), self.cond, d);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Store;
    use crate::isa::x64::X64;
    use crate::treaty::code::{Routine, Target};
    use crate::treaty::facts::CpuFeatures;
    use lightbeam_asm::Assembler;
    use lightbeam_asm::x64::{RAX, RBP, RCX};

    /// What is emitted behind a compare, as by one who has it lent, and is it proved to keep the flags?
    fn keeps(emit: impl FnOnce(&mut Writer<X64>)) -> bool {
        let mut w = Writer::<X64>::new(CpuFeatures::default());
        let (_, set, _) = w.cmp(Width::W64, RAX, Src::Reg(RCX)).when(Cond::Eq).end();
        emit(&mut w);
        let condition = Condition::of(&mut w, set, Cond::Eq);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| condition.set(RAX))).is_ok()
    }

    #[test]
    fn what_may_change_the_flags_is_noticed() {
        let slot = Addr::base(RBP, -8);
        assert!(keeps(|_| {}));
        assert!(keeps(|w| w.mov(Width::W64, RAX, RCX)));
        assert!(keeps(|w| _ = w.load(Load::I32S8, RAX, slot)));
        assert!(keeps(|w| _ = w.store_imm(Store::B16, slot, 0)));
        assert!(keeps(|w| w.lea(Width::W32, RAX, Addr::indexed(RAX, RCX, 2, 1))));
        assert!(keeps(|w| w.iconst(Width::W32, RAX, 0, true)));
        if !cfg!(debug_assertions) {
            return;
        }
        assert!(!keeps(|w| w.iconst(Width::W32, RAX, 0, false)));
        assert!(!keeps(|w| _ = w.alu(Alu::And, Width::W32, RAX, RAX, Src::Reg(RCX))));
        assert!(!keeps(|w| _ = w.alu_mem(Alu::Add, Width::W32, slot, Src::Imm(1))));
        assert!(!keeps(|w| w.call(Target::Routine(Routine::Expose))));
        // Who comes to a label by another way has other flags.
        assert!(!keeps(|w| {
            let label = Assembler::label(w);
            Assembler::bind(w, label);
        }));
    }
}
