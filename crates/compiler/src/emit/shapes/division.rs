//! Division: by a constant with a multiplication or shifts, otherwise with the machine's own.

use crate::emit::FuncGen;
use crate::emit::shapes::fixed::Placed;
use crate::emit::shapes::reciprocal::Reciprocal;
use crate::emit::values::held::Held;
use crate::emit::values::value::Operand;
use crate::isa::{Alu, Amount, Div, Extend, ImmFor, Isa, Shift, Src};
use crate::operators::operations::{cut, signed};
use crate::treaty::code::TrapCode;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Reg, RegClass, RegSet};

/// A dividend, and the register in which its quotient comes about.
struct Dividing {
    /// The dividend, in a register that stays as it is as long as it is held.
    x: Reg,
    /// The quotient's, which is `x` only if `x` is not needed any more.
    q: Reg,
    /// What is held beside `q`.
    held: Held,
}

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn div(&mut self, width: Width, op: Div) {
        let ty = width.int();
        let (rc, lc) = (self.stack[self.stack.len() - 1].as_const(), self.stack[self.stack.len() - 2].as_const());
        if let (Some(l), Some(r)) = (lc, rc)
            && let Some(value) = op.of(width, l, r)
        {
            self.pop_value();
            self.pop_value();
            return self.push_const(ty, value);
        }
        if let Some(divisor) = rc
            && self.div_by(width, op, divisor)
        {
            return;
        }
        let r = self.pop();
        let l = self.pop();
        let fixed = I::fixed_div(op, width);
        let Placed { left, right, held } = self.place_fixed(&fixed, l, r);
        let by_zero = rc.is_none_or(|divisor| divisor == 0);
        let by_minus_one = matches!(op, Div::DivS | Div::RemS) && rc.is_none_or(|k| signed(width, k) == -1);
        if by_zero && !(I::DIVISION_FAULTS && self.facts.settings.hardware_traps) {
            self.w.trap_if_zero(width, right, TrapCode::IntegerDivisionByZero);
        }
        if by_minus_one && op == Div::DivS {
            let overflow = self.w.trap_label(TrapCode::IntegerOverflow);
            self.w.jump_if_overflow(width, left, right, overflow);
        }
        let (d, held) = match fixed.out {
            Some(out) => (out, held.but(out)),
            None => self.dest_over(ty, held),
        };
        let at = self.w.div(op, width, d, left, right, by_minus_one);
        // Where zero or -1 was looked at the division does not fault, but to see that takes more than the division.
        if I::DIVISION_FAULTS && (by_zero || by_minus_one) {
            self.w.trap_at(at, TrapCode::IntegerDivisionByZero);
        }
        self.give(held);
        self.push_reg(ty, d);
    }

    /// Divides by a constant, which is on top, without a division; if that is not so, nothing has happened.
    fn div_by(&mut self, width: Width, op: Div, divisor: u64) -> bool {
        let ty = width.int();
        let by = signed(width, divisor);
        let power = by.unsigned_abs().is_power_of_two();
        match op {
            Div::DivU if divisor.is_power_of_two() => {
                self.pop_value();
                self.push_const(Ty::I32, u64::from(divisor.trailing_zeros()));
                self.shift(width, Shift::ShrU);
            }
            Div::RemU if divisor.is_power_of_two() => {
                self.pop_value();
                self.push_const(ty, divisor - 1);
                self.alu(width, Alu::And);
            }
            // A quotient that is 0 or 1 is left to the machine, as is one that traps.
            Div::DivU | Div::RemU if divisor == 0 || by < 0 => return false,
            Div::DivU | Div::RemU => {
                self.pop_value();
                let dividing = self.quotient_unsigned(width, op, divisor);
                self.finish_div(width, op, divisor, dividing);
            }
            Div::DivS if by == -1 || by == 0 => return false,
            Div::RemS if by == 0 => return false,
            Div::DivS if by == 1 => {
                self.pop_value();
            }
            Div::RemS if by == 1 || by == -1 => {
                self.pop_value();
                let (_, owned) = self.pop_reg();
                self.release_all(owned);
                self.push_const(ty, 0);
            }
            Div::DivS | Div::RemS if power => {
                self.pop_value();
                self.div_by_power(width, op, by);
            }
            Div::DivS | Div::RemS => {
                self.pop_value();
                let dividing = self.quotient_signed(width, op, by);
                self.finish_div(width, op, divisor, dividing);
            }
        }
        true
    }

    /// Gives the quotient, or the remainder from it.
    fn finish_div(&mut self, width: Width, op: Div, divisor: u64, Dividing { x, q, held }: Dividing) {
        let ty = width.int();
        if matches!(op, Div::DivS | Div::DivU) {
            self.give(held);
            return self.push_reg(ty, q);
        }
        let mut by = Operand::constant(ty, divisor);
        let src = self.src(ImmFor::Mul, &mut by);
        self.w.mul(width, q, q, src);
        self.done(&by);
        let (d, held) = self.dest_over(ty, held);
        self.w.alu(Alu::Sub, width, d, x, Src::Reg(q));
        self.give(held.and(Held::of(RegSet::one(q))));
        self.push_reg(ty, d);
    }

    /// The dividend in a register, and one for the quotient: for a remainder one of its own, otherwise wherever the
    /// result goes.
    fn dividing(&mut self, ty: Ty, op: Div) -> Dividing {
        let (x, owned) = self.pop_reg();
        let held = Held::of(owned);
        let (q, held) = match op {
            Div::DivS | Div::DivU => self.dest_over(ty, held),
            Div::RemS | Div::RemU => (self.take(RegClass::Int), held),
        };
        Dividing { x, q, held }
    }

    /// `hi` = the upper half of a constant times the dividend, in a register that is owned; the dividend stays.
    fn high_product(&mut self, signed: bool, x: Reg, owned: RegSet, multiplier: u64) -> Dividing {
        let fixed = I::fixed_mul_wide();
        let r = if owned.has(x) { Operand::own(Ty::I64, x) } else { Operand::borrowed(Ty::I64, x) };
        let Placed { left, right, held } = self.place_fixed(&fixed, Operand::constant(Ty::I64, multiplier), r);
        let [lo, hi] = [fixed.out, fixed.out2].map(|out| out.unwrap_or_else(|| self.take(RegClass::Int)));
        self.w.mul_wide(signed, lo, hi, left, right);
        // What the multiplication needed beside the dividend goes back; the dividend is wherever it was placed.
        let kept = held.regs().and(RegSet::one(right));
        self.give_back(held.regs().or(RegSet::one(lo)).minus(kept.or(RegSet::one(hi))));
        Dividing { x: right, q: hi, held: Held::of(kept) }
    }

    fn quotient_unsigned(&mut self, width: Width, op: Div, divisor: u64) -> Dividing {
        let bits = width.bits();
        let Reciprocal { multiplier, shift } = Reciprocal::of(width, divisor, bits);
        let fits = multiplier >> bits == 0;
        match width {
            // An i32 has a clear upper half, so the product fits one register.
            Width::W32 if fits => {
                let dividing = self.dividing(Ty::I32, op);
                let Dividing { x, q, .. } = dividing;
                let mut by = Operand::constant(Ty::I64, multiplier as u64);
                let src = self.src(ImmFor::Mul, &mut by);
                self.w.mul(Width::W64, q, x, src);
                self.done(&by);
                self.w.shift(Shift::ShrU, Width::W64, q, q, Amount::Imm((32 + shift) as u8));
                dividing
            }
            // 2^64 / divisor, rounded up, is exact enough for 32 bits, and the upper half is the quotient.
            Width::W32 => {
                let (x, owned) = self.pop_reg();
                self.high_product(false, x, owned, u64::MAX / divisor + 1)
            }
            Width::W64 if fits => {
                let (x, owned) = self.pop_reg();
                let dividing = self.high_product(false, x, owned, multiplier as u64);
                if shift > 0 {
                    self.w.shift(Shift::ShrU, Width::W64, dividing.q, dividing.q, Amount::Imm(shift as u8));
                }
                dividing
            }
            Width::W64 if op == Div::DivU && divisor.is_multiple_of(2) => {
                let zeros = divisor.trailing_zeros();
                let (x, owned) = self.pop_reg();
                let (half, held) = self.take_over(RegClass::Int, Held::of(owned));
                self.w.shift(Shift::ShrU, Width::W64, half, x, Amount::Imm(zeros as u8));
                self.give(held);
                let Reciprocal { multiplier, shift } = Reciprocal::of(width, divisor >> zeros, bits - zeros);
                let dividing = self.high_product(false, half, RegSet::one(half), multiplier as u64);
                if shift > 0 {
                    self.w.shift(Shift::ShrU, Width::W64, dividing.q, dividing.q, Amount::Imm(shift as u8));
                }
                dividing
            }
            // Half of what the dividend is above the product, and the product: the 65th bit of the multiplier.
            Width::W64 => {
                let (x, owned) = self.pop_reg();
                let dividing = self.high_product(false, x, owned, multiplier as u64);
                let (half, held) = self.hold(RegClass::Int);
                let Dividing { x, q, .. } = dividing;
                self.w.alu(Alu::Sub, Width::W64, half, x, Src::Reg(q));
                self.w.shift(Shift::ShrU, Width::W64, half, half, Amount::Imm(1));
                self.w.alu(Alu::Add, Width::W64, q, q, Src::Reg(half));
                self.give(held);
                if shift > 1 {
                    self.w.shift(Shift::ShrU, Width::W64, q, q, Amount::Imm((shift - 1) as u8));
                }
                dividing
            }
        }
    }

    /// The quotient by a constant's amount comes out one too small below zero, which is when its sign is set.
    fn quotient_signed(&mut self, width: Width, op: Div, by: i64) -> Dividing {
        let bits = width.bits();
        let Reciprocal { multiplier, shift } = Reciprocal::of(width, by.unsigned_abs(), bits - 1);
        let (dividing, shift) = match width {
            Width::W32 => {
                let dividing = self.dividing(Ty::I32, op);
                let Dividing { x, q, .. } = dividing;
                let mut by = Operand::constant(Ty::I64, multiplier as u64);
                let src = self.src(ImmFor::Mul, &mut by);
                self.w.extend(Extend::S32To64, q, Src::Reg(x));
                self.w.mul(Width::W64, q, q, src);
                self.done(&by);
                (dividing, 32 + shift)
            }
            Width::W64 => {
                let (x, owned) = self.pop_reg();
                let dividing = self.high_product(true, x, owned, multiplier as u64);
                if multiplier >> 63 != 0 {
                    // The multiplication took the multiplier for 2^64 less than it is.
                    self.w.alu(Alu::Add, Width::W64, dividing.q, dividing.q, Src::Reg(dividing.x));
                }
                (dividing, shift)
            }
        };
        let q = dividing.q;
        let (sign, held) = self.hold(RegClass::Int);
        self.w.shift(Shift::ShrS, Width::W64, sign, q, Amount::Imm(63));
        if shift > 0 {
            self.w.shift(Shift::ShrS, Width::W64, q, q, Amount::Imm(shift as u8));
        }
        if by > 0 {
            self.w.alu(Alu::Sub, width, q, q, Src::Reg(sign));
            self.give(held);
            return dividing;
        }
        self.w.alu(Alu::Sub, width, sign, sign, Src::Reg(q));
        self.release(q);
        Dividing { q: sign, held: dividing.held.and(held).but(sign), ..dividing }
    }

    /// Below zero, what a shift would round down is added first.
    fn div_by_power(&mut self, width: Width, op: Div, by: i64) {
        let ty = width.int();
        let count = by.unsigned_abs().trailing_zeros();
        let (x, owned) = self.pop_reg();
        let (biased, held) = self.hold(RegClass::Int);
        let mut from = x;
        if count > 1 {
            self.w.shift(Shift::ShrS, width, biased, x, Amount::Imm((count - 1) as u8));
            from = biased;
        }
        self.w.shift(Shift::ShrU, width, biased, from, Amount::Imm((width.bits() - count) as u8));
        self.w.alu(Alu::Add, width, biased, biased, Src::Reg(x));
        let held = held.and(Held::of(owned));
        if op == Div::RemS {
            let least = 1_u64 << count;
            let mut mask = Operand::constant(ty, cut(width, least.wrapping_neg()));
            let src = self.src(ImmFor::Alu(Alu::And), &mut mask);
            self.w.alu(Alu::And, width, biased, biased, src);
            self.done(&mask);
            let (d, held) = self.dest_over(ty, held.but(biased));
            self.w.alu(Alu::Sub, width, d, x, Src::Reg(biased));
            self.give(held.and(Held::of(RegSet::one(biased))));
            return self.push_reg(ty, d);
        }
        if by < 0 {
            self.w.shift(Shift::ShrS, width, biased, biased, Amount::Imm(count as u8));
            let d = self.take(RegClass::Int);
            self.load_const(ty, d, 0);
            self.w.alu(Alu::Sub, width, d, d, Src::Reg(biased));
            self.give(held);
            return self.push_reg(ty, d);
        }
        let (d, held) = self.dest_over(ty, held);
        self.w.shift(Shift::ShrS, width, d, biased, Amount::Imm(count as u8));
        self.give(held);
        self.push_reg(ty, d);
    }
}
