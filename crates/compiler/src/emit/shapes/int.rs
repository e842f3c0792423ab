//! Integers: operations of two operands and of one, and sums of 128 bits.

use crate::emit::FuncGen;
use crate::emit::flags::Stamp;
use crate::emit::values::value::{FlagsOf, Loc, Operand, OperandLoc, Value};
use crate::isa::{Alu, Amount, Extend, ImmFor, IntUnary, Isa, Load, Shift, Src, product};
use crate::operators::next::Next;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegSet};

/// What `i64.extend_i32_u` leaves.
const LOWER_HALF: u64 = 0xffff_ffff;

/// The constant whose negative is none.
const IMM_MIN: i64 = i32::MIN as i64;

impl<I: Isa> FuncGen<'_, I> {
    // ---- two operands

    /// One decision for nearly all: a register, and a register or constant.
    pub(crate) fn alu(&mut self, width: Width, mut op: Alu) {
        let next = self.next();
        let (mut left, mut src) = match self.ready_pair(ImmFor::Alu(op), width) {
            Some((_, Src::Imm(0 | -1 | IMM_MIN))) => return self.any_alu(width, op),
            Some(ready) if op != Alu::And || !next.is(Next::TESTS_ZERO) => ready,
            _ => return self.any_alu(width, op),
        };
        let ty = width.int();
        if !self.is_owned(left) && self.shift_ahead(ty).is_some() {
            return self.any_alu(width, op);
        }
        let owned = self.take_ready(2, RegSet::one(left).or(src.regs()));
        if op == Alu::Sub
            && let Src::Imm(imm) = src
        {
            // Adding the negative has three-operand forms.
            (op, src) = (Alu::Add, Src::Imm(-imm));
        }
        let d = if next.is(Next::WRITES) {
            // `x = a op x` in place needs the operands exchanged.
            if op.commutes()
                && let Src::Reg(right) = src
                && right != left
                && self.hint_is(right)
            {
                (left, src) = (right, Src::Reg(left));
            }
            // The left operand is read in the instruction that writes; any other destination is written before the
            // right one is read.
            match self.hint_of_write(ty, src.regs().minus(RegSet::one(left))) {
                Some(home) => home,
                None if owned.has(left) => left,
                None => self.take(ty.class()),
            }
        } else if owned.has(left) {
            left
        } else {
            self.take_result_for(next, ty)
        };
        self.w.alu(op, width, d, left, src);
        self.note_flags(width, op, d, left, src);
        self.give_back(owned.minus(RegSet::one(d)));
        self.push_reg(ty, d);
    }

    /// What an operation on integers has left in the flags.
    #[inline(always)]
    fn note_flags(&mut self, width: Width, op: Alu, d: Reg, left: Reg, src: Src) {
        if d == left && I::alu_sets_flags(op, src) {
            let stamp = Stamp::of(self.w);
            self.flags = Some(FlagsOf { reg: d, width, at: self.w.offset(), stamp });
        }
    }

    /// Fold, else immediate, else memory, else register.
    #[cold]
    #[inline(never)]
    fn any_alu(&mut self, width: Width, mut op: Alu) {
        let ty = width.int();
        let mut r = self.pop();
        if let Some(k) = r.as_const() {
            if let Some(l) = self.stack.last().and_then(|l| l.as_const()) {
                self.pop_value();
                return self.push_const(ty, op.of(width, l, k));
            }
            if op.is_identity(width, k) {
                return;
            }
        }
        if op == Alu::And {
            if self.next_tests_zero() {
                return self.mask(width, r);
            }
            // A move of the lower half does it, while the mask would need a register.
            if width == Width::W64 && r.as_const() == Some(LOWER_HALF) {
                return self.extend(Extend::U32To64);
            }
        }
        let mut l = self.pop();
        if op.commutes() && (l.as_const().is_some() || (l.in_memory() && r.as_reg().is_some())) {
            std::mem::swap(&mut l, &mut r);
        }
        if op == Alu::Sub
            && let Some(k) = r.as_const()
        {
            // Adding the negative has three-operand forms.
            let negative = (k as i64).wrapping_neg() as u64;
            if self.imm_of(ImmFor::Alu(Alu::Add), ty, negative).is_some() {
                op = Alu::Add;
                r = Operand::constant(ty, if width == Width::W32 { u64::from(negative as u32) } else { negative });
            }
        }
        let src = self.src(ImmFor::Alu(op), &mut r);
        match l.as_reg() {
            Some(d) if l.is_own_reg() && !r.owned().has(d) && !self.reader.at_local_write() => {
                self.alu_emit(ty, op, d, d, src, &r);
                self.done(&r);
                self.push_reg(ty, d);
            }
            _ => self.alu_to(ty, op, l, r, src),
        }
    }

    /// The left operand must be in a register, the result goes to a destination that may be another.
    #[inline(never)]
    fn alu_to(&mut self, ty: Ty, op: Alu, mut l: Operand, mut r: Operand, mut src: Src) {
        let mut busy = r.regs();
        let ahead = self.shift_ahead(ty);
        if let Some(reg) = l.as_reg() {
            // The left operand is read in the instruction that writes; any other destination is written before the
            // right one is read.
            busy.remove(reg);
            // `x = a op x` in place needs the operands exchanged.
            if op.commutes()
                && let Src::Reg(right) = src
                && right != reg
                && (self.hint_is(right) || ahead.as_ref().is_some_and(|ahead| ahead.home == right))
            {
                std::mem::swap(&mut l, &mut r);
                src = Src::Reg(reg);
                busy = RegSet::one(reg);
            }
        }
        let ahead = ahead.filter(|ahead| !busy.has(ahead.home));
        let d = match self.hint(ty, busy) {
            Some(home) => home,
            None => match l.as_reg() {
                Some(reg) if l.is_own_reg() && !r.owned().has(reg) => reg,
                _ => match &ahead {
                    Some(ahead) => self.read_shift(ahead),
                    None => self.take_result(ty),
                },
            },
        };
        let left = match l.as_reg() {
            Some(reg) => reg,
            None => {
                self.load_operand(d, &l);
                d
            }
        };
        self.alu_emit(ty, op, d, left, src, &r);
        self.finish_binary(d, &l, &r);
        if let Some(ahead) = ahead
            && ahead.home == d
        {
            self.w.shift(ahead.shift, ty.width(), d, d, Amount::Imm(ahead.count));
        }
        self.push_reg(ty, d);
    }

    #[inline(always)]
    fn alu_emit(&mut self, ty: Ty, op: Alu, d: Reg, mut left: Reg, mut src: Src, r: &Operand) {
        if let Src::Mem(slot) = src
            && !r.faults()
            && self.is_fresh(slot)
        {
            (left, src) = self.load_slot(ty, d, left, slot, op.commutes());
            self.w.alu(op, ty.width(), d, left, src);
            return self.note_flags(ty.width(), op, d, left, src);
        }
        let at = self.w.alu(op, ty.width(), d, left, src);
        self.note_flags(ty.width(), op, d, left, src);
        self.folded(r, at);
    }

    /// The right operand of an instruction is in a slot that was stored to lately: loads it ahead of that, to `d` if
    /// there it can be the left one.
    /// Many processors know by its name what was stored in a slot lately, and have it at once for what moves it to a
    /// register (AMD's since Zen 4, Intel's since Golden Cove); an operand in memory waits from the store to the load.
    fn load_slot(&mut self, ty: Ty, d: Reg, left: Reg, slot: Addr, commutes: bool) -> (Reg, Src) {
        let exchanged = commutes && d != left;
        let to = if exchanged { d } else { I::SCRATCH };
        self.w.load(Load::of(ty), to, slot);
        self.w.counters.reloads += 1;
        if exchanged { (d, Src::Reg(left)) } else { (left, Src::Reg(to)) }
    }

    /// Where the result of a two-operand instruction goes, and the left operand in a register, which may be the same.
    /// The result is none of the registers that the right operand is read from, unless it is the left one as well.
    pub(crate) fn binary_dest(&mut self, ty: Ty, l: &Operand, r: &Operand) -> (Reg, Reg) {
        let mut busy = r.regs();
        if let OperandLoc::Reg(reg) = l.loc() {
            busy.remove(reg);
        }
        let d = match self.hint(ty, busy) {
            Some(home) => home,
            None => match l.loc() {
                OperandLoc::Reg(reg) if l.is_own_reg() && !r.owned().has(reg) => reg,
                _ => self.take(ty.class()),
            },
        };
        match l.loc() {
            OperandLoc::Reg(reg) => (d, reg),
            _ => {
                self.load_operand(d, l);
                (d, d)
            }
        }
    }

    /// Releases what two operands own but the destination.
    pub(crate) fn finish_binary(&mut self, d: Reg, l: &Operand, r: &Operand) {
        let mut owned = l.owned().or(r.owned());
        owned.remove(d);
        self.give_back(owned);
    }

    pub(crate) fn mul(&mut self, width: Width) {
        let ty = width.int();
        let (r, l) = (self.stack[self.stack.len() - 1].as_const(), self.stack[self.stack.len() - 2].as_const());
        if let (Some(l), Some(r)) = (l, r) {
            self.pop_value();
            self.pop_value();
            return self.push_const(ty, product(width, l, r));
        }
        if let Some(k) = r
            && k.is_power_of_two()
        {
            self.pop_value();
            self.push_const(Ty::I32, u64::from(k.trailing_zeros()));
            return self.shift(width, Shift::Shl);
        }
        let mut r = self.pop();
        let mut l = self.pop();
        if l.as_const().is_some() || (l.in_memory() && matches!(r.loc(), OperandLoc::Reg(_))) {
            std::mem::swap(&mut l, &mut r);
        }
        let mut src = self.src(ImmFor::Mul, &mut r);
        let (d, mut left) = self.binary_dest(ty, &l, &r);
        if let Src::Mem(slot) = src
            && !r.faults()
            && self.is_fresh(slot)
        {
            (left, src) = self.load_slot(ty, d, left, slot, true);
            self.w.mul(ty.width(), d, left, src);
            self.finish_binary(d, &l, &r);
            return self.push_reg(ty, d);
        }
        let at = self.w.mul(ty.width(), d, left, src);
        self.folded(&r, at);
        self.finish_binary(d, &l, &r);
        self.push_reg(ty, d);
    }

    // ---- one operand

    pub(crate) fn int_unary(&mut self, width: Width, op: IntUnary) {
        let ty = width.int();
        if let Some(value) = self.stack.last().and_then(|v| v.as_const()) {
            self.pop_value();
            return self.push_const(ty, op.of(width, value));
        }
        let (s, owned) = self.pop_reg();
        // The fall-backs for old processors write the result before they are done with the source.
        let d = self.dest(ty, RegSet::one(s));
        self.w.unary(op, width, d, s);
        self.release_all(owned);
        self.push_reg(ty, d);
    }

    pub(crate) fn extend(&mut self, op: Extend) {
        let to = match op {
            Extend::S8To32 | Extend::S16To32 => Ty::I32,
            Extend::U32To64 | Extend::S32To64 | Extend::S8To64 | Extend::S16To64 => Ty::I64,
        };
        if let Some(value) = self.stack.last().and_then(|v| v.as_const()) {
            self.pop_value();
            return self.push_const(to, op.of(value));
        }
        let operand = self.pop();
        let d = match self.hint(to, RegSet::EMPTY) {
            Some(home) => home,
            None => match operand.owned().class(to.class()).first() {
                Some(reg) => reg,
                None => self.take(to.class()),
            },
        };
        // A slot holds the lower bytes first, so the narrow part can be read from it.
        let src = match operand.loc() {
            OperandLoc::Reg(reg) => Src::Reg(reg),
            OperandLoc::Mem(addr) if I::MEM_OPERANDS => Src::Mem(addr),
            _ => {
                self.load_operand(d, &operand);
                Src::Reg(d)
            }
        };
        let at = self.w.extend(op, d, src);
        if let Src::Mem(_) = src {
            self.folded(&operand, at);
        }
        let mut owned = operand.owned();
        owned.remove(d);
        self.release_all(owned);
        self.push_reg(to, d);
    }

    /// `i64.extend_i32_u`.
    pub(crate) fn extend_u32(&mut self) {
        // The upper half of a register that holds an i32 is zero already.
        if let Some(top) = self.stack.last_mut()
            && let Loc::Reg(_) = top.loc
        {
            top.ty = Ty::I64;
            return;
        }
        self.extend(Extend::U32To64);
    }

    /// `i32.wrap_i64`.
    pub(crate) fn wrap(&mut self) {
        if let Some(value) = self.stack.last().and_then(|v| v.as_const()) {
            self.pop_value();
            return self.push_const(Ty::I32, u64::from(value as u32));
        }
        // An entry in a slot or an own load of the lower half is all it takes; a register is cut to keep the rule that
        // the upper half of an i32 is zero.
        if let Some(Value { loc: Loc::Slot, .. }) = self.stack.last() {
            self.stack.last_mut().expect("there").ty = Ty::I32;
            return;
        }
        self.extend(Extend::U32To64);
        self.stack.last_mut().expect("pushed").ty = Ty::I32;
    }

    // ---- wide sums

    pub(crate) fn add_wide(&mut self, subtract: bool) {
        let mut rh = self.pop();
        let mut rl = self.pop();
        let mut lh = self.pop();
        let mut ll = self.pop();
        // Four registers are all there may be.
        for operand in [&mut rh, &mut rl, &mut lh, &mut ll] {
            self.let_copy_go(operand);
        }
        let (rh_reg, rl_reg) = (self.operand_reg(&mut rh), self.operand_reg(&mut rl));
        let (hi, lo) = (self.operand_owned(&mut lh), self.operand_owned(&mut ll));
        self.w.add_wide(subtract, lo, hi, rl_reg, rh_reg);
        self.done(&rh);
        self.done(&rl);
        self.push_reg(Ty::I64, lo);
        self.push_reg(Ty::I64, hi);
    }
}
