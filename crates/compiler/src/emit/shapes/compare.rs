//! Comparisons, and the choice by a condition. What comes next decides whether a condition becomes a number.

use crate::emit::FuncGen;
use crate::emit::condition::Choice;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Loc, Operand, OperandLoc, Value};
use crate::isa::{Cond, FloatCmp, ImmFor, Isa, Src};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Reg, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    /// `l & r` for its flags alone; `l` is on top.
    pub(crate) fn mask(&mut self, width: Width, mut r: Operand) {
        let mut l = self.pop();
        if l.as_const().is_some() {
            std::mem::swap(&mut l, &mut r);
        }
        let left = self.operand_reg(&mut l);
        let src = match self.src(ImmFor::Test, &mut r) {
            Src::Mem(_) => Src::Reg(self.operand_reg(&mut r)),
            other => other,
        };
        let mut condition = self.condition(|w| w.test(width, left, src).when(Cond::Ne));
        condition.done(&l);
        condition.done(&r);
        condition.push_flags(width.int());
    }

    pub(crate) fn compare(&mut self, width: Width, cond: Cond) {
        match self.ready_pair(ImmFor::Compare, width) {
            Some((left, src)) => self.compare_ready(width, cond, 2, left, src),
            None => self.any_compare(width, cond),
        }
    }

    /// Compares what is in a register with what is in one or a constant; so many entries are taken off.
    #[inline(always)]
    fn compare_ready(&mut self, width: Width, cond: Cond, entries: usize, left: Reg, src: Src) {
        let owned = self.take_ready(entries, RegSet::one(left).or(src.regs()));
        let mut condition = if src == Src::Imm(0) && matches!(cond, Cond::Eq | Cond::Ne | Cond::LtS | Cond::GeS) {
            self.condition_of(width, left, cond)
        } else {
            self.condition(|w| w.cmp(width, left, src).when(cond))
        };
        condition.give(Held::of(owned));
        condition.push();
    }

    #[cold]
    #[inline(never)]
    fn any_compare(&mut self, width: Width, cond: Cond) {
        let (rc, lc) = (self.stack[self.stack.len() - 1].as_const(), self.stack[self.stack.len() - 2].as_const());
        if let (Some(l), Some(r)) = (lc, rc) {
            self.pop_value();
            self.pop_value();
            return self.push_const(Ty::I32, u64::from(cond.of(width, l, r)));
        }
        let mut r = self.pop();
        let mut l = self.pop();
        let mut cond = cond;
        if l.as_const().is_some() || (l.in_memory() && matches!(r.loc(), OperandLoc::Reg(_))) {
            std::mem::swap(&mut l, &mut r);
            cond = cond.swap();
        }
        let mut condition = if r.as_const() == Some(0)
            && let OperandLoc::Reg(reg) = l.loc()
            && matches!(cond, Cond::Eq | Cond::Ne | Cond::LtS | Cond::GeS)
        {
            self.condition_of(width, reg, cond)
        } else {
            let src = self.src(ImmFor::Compare, &mut r);
            match (l.loc(), src) {
                (OperandLoc::Mem(addr), Src::Imm(_)) if I::MEM_OPERANDS => {
                    self.condition(|w| w.cmp_mem(width, addr, src).when(cond)).folded(&l)
                }
                _ => {
                    let left = self.operand_reg(&mut l);
                    self.condition(|w| w.cmp(width, left, src).when(cond)).folded(&r)
                }
            }
        };
        condition.done(&l);
        condition.done(&r);
        condition.push();
    }

    pub(crate) fn eqz(&mut self, width: Width) {
        if let Some(Value { loc: Loc::Flags(cond), .. }) = self.stack.last().copied() {
            return self.pop_flags(cond).invert().push();
        }
        if let Some(reg) = self.ready_top() {
            return self.compare_ready(width, Cond::Eq, 1, reg, Src::Imm(0));
        }
        self.push_const(width.int(), 0);
        self.any_compare(width, Cond::Eq);
    }

    pub(crate) fn float_compare(&mut self, width: Width, op: FloatCmp) {
        let mut r = self.pop();
        let mut l = self.pop();
        let right = self.operand_reg(&mut r);
        let left = self.operand_reg(&mut l);
        let mut condition = self.condition(|w| w.fcmp(op, width, left, right));
        condition.done(&l);
        condition.done(&r);
        condition.push();
    }

    pub(crate) fn select(&mut self) {
        let top = self.stack[self.stack.len() - 1];
        if let Some(k) = top.as_const() {
            self.pop_value();
            let b = self.pop_value();
            if k != 0 {
                self.drop_value(b);
            } else {
                // The lower entry goes, the upper one takes its position.
                let position = self.stack.len();
                let a = self.pop_value();
                self.drop_value(a);
                match b.loc {
                    Loc::Slot => {
                        let reg = self.take(b.ty.class());
                        let slot = self.slot(position, b.ty);
                        self.w.load(crate::isa::Load::of(b.ty), reg, slot);
                        self.push_reg(b.ty, reg);
                    }
                    _ => self.push(b),
                }
            }
            return;
        }
        let (mut condition, choice) = match top.loc {
            Loc::Flags(cond) => {
                self.w.counters.fused_compares += 1;
                let mut condition = self.pop_flags(cond);
                let choice = condition.choice();
                (condition, choice)
            }
            // There are no registers for three operands and the outcome at once: the number goes first.
            _ if self.is_crowded() => {
                let mut condition = self.pop_condition();
                condition.unpin();
                let choice = condition.choice();
                (condition, choice)
            }
            _ => {
                let mut operand = self.pop();
                let choice = self.choice(Cond::Ne);
                let reg = self.operand_reg(&mut operand);
                let mut condition = self.condition(|w| w.test(Width::W32, reg, Src::Reg(reg)).when(Cond::Ne));
                condition.done(&operand);
                (condition, choice)
            }
        };
        let Choice { ty, d, other, second, exchanged } = choice;
        // What is in `d` stays there if the condition holds.
        if exchanged {
            condition = condition.invert();
        }
        if I::selects(condition.cond(), ty) {
            condition = condition.invert();
            condition.select(ty, d, other);
        } else {
            let mut paths = condition.freeze();
            let keep = paths.label();
            paths.branch(keep);
            let mut frozen = paths.begin();
            frozen.copy_reg(ty, d, other);
            frozen.meet(keep);
        }
        self.done(&second);
        self.push_reg(ty, d);
    }
}
