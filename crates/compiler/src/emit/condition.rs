//! A condition in the flags while the emitter goes on: what an operator may do between a compare and what reads it.
//!
//! A [`Condition`] of the emitter has borrowed all of it. The state may be looked at; all else that can be done is
//! lent here, and keeps the flags: moves, loads and stores alone. Between two operators the condition is an entry of
//! the virtual stack (`Loc::Flags`).

use crate::emit::FuncGen;
use crate::emit::edges::Block;
use crate::emit::flags::{Condition, Emits, Set};
use crate::emit::frozen::Frozen;
use crate::emit::stub::StubKind;
use crate::emit::values::held::Held;
use crate::emit::values::regs::{Kept, Pins};
use crate::emit::values::value::{Loc, Operand, OperandLoc, Value};
use crate::emit::writer::Writer;
use crate::isa::{Cond, Isa, Src};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Label, Reg, RegSet};
use std::ops::Deref;

/// What a `select` chooses from.
pub(crate) struct Choice {
    pub(crate) ty: Ty,
    /// Where the result is to be. It holds one of the two.
    pub(crate) d: Reg,
    /// Where the other one is, which is the operand `second`.
    pub(crate) other: Reg,
    pub(crate) second: Operand,
    /// Is the operand in `d` the one that is chosen if the condition does not hold?
    pub(crate) exchanged: bool,
}

impl<'a, I: Isa> Emits for &mut FuncGen<'a, I> {
    type Isa = I;

    #[inline(always)]
    fn writer(&mut self) -> &mut Writer<I> {
        self.values.w
    }
}

impl<I: Isa> Emits for Frozen<'_, '_, I> {
    type Isa = I;

    #[inline(always)]
    fn writer(&mut self) -> &mut Writer<I> {
        self.w()
    }
}

impl<'a, I: Isa> FuncGen<'a, I> {
    /// Has the flags set, and holds on to what they say.
    #[inline(always)]
    pub(crate) fn condition(
        &mut self,
        set: impl for<'w> FnOnce(&'w mut Writer<I>) -> Condition<&'w mut Writer<I>>,
    ) -> Condition<&mut FuncGen<'a, I>> {
        let (_, set, cond) = set(self.values.w).end();
        Condition::of(self, set, cond)
    }

    /// What a register is, beside zero: a compare, unless the flags tell already.
    pub(crate) fn condition_of(&mut self, width: Width, reg: Reg, cond: Cond) -> Condition<&mut FuncGen<'a, I>> {
        if matches!(cond, Cond::Eq | Cond::Ne)
            && let Some(stamp) = self.flags_tell(reg, width)
        {
            let set = Set::before(self.w.offset(), stamp);
            return Condition::of(self, set, cond);
        }
        self.condition(|w| w.test(width, reg, Src::Reg(reg)).when(cond))
    }

    /// Takes a condition off the stack that waits in the flags.
    pub(crate) fn pop_flags(&mut self, cond: Cond) -> Condition<&mut FuncGen<'a, I>> {
        self.pop_value();
        let set = Set::before(self.w.offset(), self.pending);
        Condition::of(self, set, cond)
    }

    /// Takes an i32 off the stack, of which it is asked whether it is zero.
    #[inline(always)]
    pub(crate) fn pop_condition(&mut self) -> Condition<&mut FuncGen<'a, I>> {
        if let Some(Value { loc: Loc::Flags(cond), .. }) = self.stack.last().copied() {
            self.w.counters.fused_compares += 1;
            return self.pop_flags(cond);
        }
        let mut operand = self.pop();
        let mut condition = match operand.loc() {
            OperandLoc::Mem(addr) => {
                let condition = self.condition(|w| w.cmp_mem(Width::W32, addr, Src::Imm(0)).when(Cond::Ne));
                condition.folded(&operand)
            }
            OperandLoc::Reg(reg) => self.condition_of(Width::W32, reg, Cond::Ne),
            OperandLoc::Const(_) => {
                let reg = self.operand_reg(&mut operand);
                self.condition_of(Width::W32, reg, Cond::Ne)
            }
        };
        condition.done(&operand);
        condition
    }

    /// Pops what a `select` chooses from, and has it where it chooses: the one in the register of the result.
    pub(crate) fn choice(&mut self, cond: Cond) -> Choice {
        let mut b = self.pop();
        let mut a = self.pop();
        let ty = a.ty();
        if !I::selects(cond, ty) {
            let d = self.operand_owned(&mut a);
            let other = self.operand_reg(&mut b);
            return Choice { ty, d, other, second: b, exchanged: false };
        }
        // `d` starts as one of the two and takes the other if the condition says so.
        let exchanged = a.owned().is_empty() && !b.owned().is_empty();
        if exchanged {
            std::mem::swap(&mut a, &mut b);
        }
        let other = self.operand_reg(&mut b);
        let d = self.operand_owned(&mut a);
        Choice { ty, d, other, second: b, exchanged }
    }
}

/// The state may be looked at.
impl<'a, I: Isa> Deref for Condition<&mut FuncGen<'a, I>> {
    type Target = FuncGen<'a, I>;

    #[inline(always)]
    fn deref(&self) -> &FuncGen<'a, I> {
        self.lender()
    }
}

impl<'c, 'a, I: Isa> Condition<&'c mut FuncGen<'a, I>> {
    // ---- operands and registers

    /// See `Values::done`.
    #[inline]
    pub(crate) fn done(&mut self, operand: &Operand) {
        self.lender_mut().done(operand);
    }

    /// See `Values::folded`: the compare has read the operand from memory.
    #[inline(always)]
    pub(crate) fn folded(mut self, operand: &Operand) -> Self {
        let at = self.at();
        self.lender_mut().folded(operand, at);
        self
    }

    /// The compare has read a linear memory.
    pub(crate) fn memory_trap(&mut self) {
        let at = self.at();
        self.lender_mut().w.memory_trap_at(at);
        self.lender_mut().w.counters.folded_loads += 1;
    }

    /// What the compare has read may be taken.
    pub(crate) fn unpin(&mut self) {
        self.lender_mut().regs.pinned = Pins::NONE;
    }

    /// See `Values::release`.
    pub(crate) fn release(&mut self, reg: Reg) {
        self.lender_mut().release(reg);
    }

    /// See `Values::release_all`.
    pub(crate) fn release_all(&mut self, set: RegSet) {
        self.lender_mut().release_all(set);
    }

    /// See `Values::give`.
    pub(crate) fn give(&mut self, held: Held) {
        self.lender_mut().give(held);
    }

    /// See `FuncGen::put_back`.
    pub(crate) fn put_back(&mut self, kept: Kept) {
        self.lender_mut().put_back(kept);
    }

    // ---- the stack

    /// See `Values::flush_all`.
    pub(crate) fn flush_all(&mut self) {
        self.lender_mut().flush_all();
    }

    /// See `Values::clean_copies`.
    pub(crate) fn clean_copies(&mut self) {
        self.lender_mut().clean_copies();
    }

    /// See `FuncGen::merge_values`.
    pub(crate) fn merge_values(&mut self, block: &Block) {
        self.lender_mut().merge_values(block);
    }

    /// See `Values::edge_out`.
    pub(crate) fn edge_out(&mut self, depth: u32) {
        self.lender_mut().edge_out(depth);
    }

    /// See `FuncGen::target`.
    pub(crate) fn target(&mut self, depth: u32) -> Block {
        self.lender_mut().target(depth)
    }

    /// The slots of so many positions may be written.
    pub(crate) fn use_slots(&mut self, positions: usize) {
        let used = &mut self.lender_mut().slots_used;
        *used = (*used).max(positions as u32);
    }

    /// See `FuncGen::choice`.
    pub(crate) fn choice(&mut self) -> Choice {
        let cond = self.cond();
        self.lender_mut().choice(cond)
    }

    // ---- where it goes

    /// Leaves the condition to the next operator if that takes it from the flags, and else makes it 0 or 1.
    pub(crate) fn push(mut self) {
        if self.fuses() {
            return self.push_flags(Ty::I32);
        }
        let d = self.lender_mut().dest(Ty::I32, RegSet::EMPTY);
        let (cg, set, cond) = self.end();
        Condition::of(&mut *cg, set, cond).set(d);
        cg.push_reg(Ty::I32, d);
    }

    /// Leaves the condition to the next operator, which asks whether a value of this type is zero.
    pub(crate) fn push_flags(self, ty: Ty) {
        let (cg, set, cond) = self.end();
        cg.push(Value { ty, loc: Loc::Flags(cond) });
        cg.pending = set.stamp();
    }

    /// Takes a detour if the condition holds.
    pub(crate) fn stub(self, kind: StubKind) {
        let mut frozen = self.freeze();
        let [label, resume] = frozen.labels();
        frozen.branch(label);
        let mut frozen = frozen.begin();
        frozen.stub(label, resume, kind, RegSet::EMPTY);
        frozen.meet(resume);
    }

    /// Before the branches by the condition, whose paths meet again.
    pub(crate) fn freeze(self) -> Condition<Frozen<'c, 'a, I>> {
        let (cg, set, cond) = self.end();
        Condition::of(cg.freeze(), set, cond)
    }
}

impl<'c, 'a, I: Isa> Condition<Frozen<'c, 'a, I>> {
    /// See `Frozen::label`.
    pub(crate) fn label(&mut self) -> Label {
        self.lender_mut().label()
    }

    /// See `Frozen::labels`.
    pub(crate) fn labels<const N: usize>(&mut self) -> [Label; N] {
        self.lender_mut().labels()
    }

    /// The paths have parted.
    pub(crate) fn begin(self) -> Frozen<'c, 'a, I> {
        self.end().0
    }
}
