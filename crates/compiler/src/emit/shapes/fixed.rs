//! Operations that demand certain registers: shifts, products of 128 bits, and how they get them.

use crate::emit::FuncGen;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Operand, OperandLoc};
use crate::isa::{Amount, Fixed, Isa, Shift};
use crate::operators::Op;
use crate::treaty::fault::proof;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// Two operands in registers, where the operation wants them, and all that the operator holds until it is done.
pub(super) struct Placed {
    pub(super) left: Reg,
    pub(super) right: Reg,
    pub(super) held: Held,
}

impl<I: Isa> FuncGen<'_, I> {
    /// Brings two operands where `fixed` wants them, both at once, and takes what else it demands.
    pub(super) fn place_fixed(&mut self, fixed: &Fixed, mut l: Operand, mut r: Operand) -> Placed {
        let demanded = fixed.demanded();
        if !demanded.is_empty() {
            return self.place_demanded(fixed, demanded, l, r);
        }
        let right = self.operand_reg(&mut r);
        let left = self.operand_reg(&mut l);
        Placed { left, right, held: Held::of(l.owned().or(r.owned())) }
    }

    fn place_demanded(&mut self, fixed: &Fixed, demanded: RegSet, mut l: Operand, mut r: Operand) -> Placed {
        proof!(!l.faults() && !r.faults(), "no load waits for an operation that demands registers");
        // What else lives in a demanded register goes elsewhere first. A local's copy that an operand reads is dropped,
        // but still there for the moves.
        for reg in demanded.minus(l.owned().or(r.owned())) {
            self.take_this(reg);
        }
        let mut held = demanded.or(l.owned()).or(r.owned());
        let mut left_behind = RegSet::EMPTY;
        for (operand, place) in [(&mut r, fixed.rhs), (&mut l, fixed.lhs)] {
            let Some(from) = operand.as_reg() else { continue };
            let to = match place {
                Some(to) => to,
                None if demanded.has(from) => self.take_from(RegSet::INTS.minus(demanded)),
                None => continue,
            };
            self.moves.add(to, from);
            held.add(to);
            left_behind = left_behind.or(operand.owned().minus(demanded));
            *operand = Operand::borrowed(operand.ty(), to);
        }
        self.emit_moves_of(l.ty().width());
        self.give_back(left_behind);
        // What is in no register follows, now that none is read any more.
        for (operand, place) in [(&mut r, fixed.rhs), (&mut l, fixed.lhs)] {
            if let (None, Some(to)) = (operand.as_reg(), place) {
                self.load_operand(to, operand);
                *operand = Operand::borrowed(operand.ty(), to);
            }
        }
        let right = self.operand_reg(&mut r);
        let left = self.operand_reg(&mut l);
        held = held.minus(left_behind).or(l.owned()).or(r.owned());
        Placed { left, right, held: Held::of(held) }
    }

    pub(crate) fn shift(&mut self, width: Width, op: Shift) {
        let ty = width.int();
        let (rc, lc) = (self.stack[self.stack.len() - 1].as_const(), self.stack[self.stack.len() - 2].as_const());
        if let (Some(l), Some(r)) = (lc, rc) {
            self.pop_value();
            self.pop_value();
            return self.push_const(ty, op.of(width, l, r));
        }
        if let Some(count) = rc {
            self.pop_value();
            let count = count as u32 & (width.bits() - 1);
            if count == 0 {
                return;
            }
            if op == Shift::Shl && width == Width::W32 && count <= 3 && self.scaled_add(count as u8) {
                return;
            }
            let l = self.pop();
            let d = match self.hint(ty, RegSet::EMPTY) {
                Some(home) => home,
                None => match l.loc() {
                    OperandLoc::Reg(reg) if l.is_own_reg() => reg,
                    _ => self.take(ty.class()),
                },
            };
            let left = match l.loc() {
                OperandLoc::Reg(reg) => reg,
                _ => {
                    self.load_operand(d, &l);
                    d
                }
            };
            self.w.shift(op, width, d, left, Amount::Imm(count as u8));
            let mut owned = l.owned();
            owned.remove(d);
            self.release_all(owned);
            return self.push_reg(ty, d);
        }
        let r = self.pop();
        let l = self.pop();
        let fixed = self.w.fixed_shift(op);
        let Placed { left, right, held } = self.place_fixed(&fixed, l, r);
        let d = match self.hint(ty, RegSet::one(right)) {
            Some(home) => home,
            None if left != right && held.regs().has(left) => left,
            None => self.take(ty.class()),
        };
        self.w.shift(op, width, d, left, Amount::Reg(right));
        self.give(held.but(d));
        self.push_reg(ty, d);
    }

    /// If `i32.add` comes next: `base + (x << count)` in one instruction, where `x` is on top and the base below it.
    fn scaled_add(&mut self, count: u8) -> bool {
        if self.reader.peek_op() != Op::I32Add || self.stack.len() < 2 || self.facts.settings.fuel {
            return false;
        }
        // The base below must be an operand of the addition: it is, since the shift's result is the top.
        if self.stack[self.stack.len() - 2].as_const().is_some() {
            return false;
        }
        self.reader.u8();
        self.operators += 1;
        self.w.counters.folded_addresses += 1;
        let (x, x_owned) = self.pop_reg();
        let (base, base_owned) = self.pop_reg();
        let d = self.dest_reusing(Ty::I32, x_owned.or(base_owned));
        self.w.lea(Width::W32, d, Addr::indexed(base, x, count, 0));
        let mut owned = x_owned.or(base_owned);
        owned.remove(d);
        self.release_all(owned);
        self.push_reg(Ty::I32, d);
        true
    }

    pub(crate) fn mul_wide(&mut self, signed: bool) {
        let r = self.pop();
        let l = self.pop();
        let fixed = I::fixed_mul_wide();
        let Placed { left, right, held } = self.place_fixed(&fixed, l, r);
        let [lo, hi] = [fixed.out, fixed.out2].map(|out| out.unwrap_or_else(|| self.take(RegClass::Int)));
        self.w.mul_wide(signed, lo, hi, left, right);
        self.give(held.but(lo).but(hi));
        self.push_reg(Ty::I64, lo);
        self.push_reg(Ty::I64, hi);
    }
}
