//! The shapes: how operators of one kind are lowered, each written once for all instruction sets.
//!
//! Register contract of every shape: operands are popped, brought where the primitive wants them, and released after
//! it; the result is in a register of its own, or in the home of the local that the next operator writes.

mod floats;
mod globals;
mod locals;
mod simd;

use crate::emit::FuncGen;
use crate::emit::flags::Stamp;
use crate::emit::values::held::Held;
use crate::emit::values::value::{FlagsOf, Loc, Operand, OperandLoc, Value};
use crate::isa::{Alu, Amount, Cond, Div, Extend, Fixed, FloatCmp, ImmFor, IntUnary, Isa, Shift, Src, product};
use crate::operators::{Flags, Op};
use crate::treaty::code::TrapCode;
use crate::treaty::facts::Callee;
use crate::treaty::fault::proof;
use crate::treaty::sig::AbiLoc;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// Two operands in registers, where the operation wants them, and all that the operator holds until it is done.
struct Placed {
    left: Reg,
    right: Reg,
    held: Held,
}

/// What a `select` chooses from.
pub(crate) struct Choice {
    ty: Ty,
    /// Where the result is to be. It holds one of the two.
    d: Reg,
    /// Where the other one is, which is the operand `second`.
    other: Reg,
    second: Operand,
    /// Is the operand in `d` the one that is chosen if the condition does not hold?
    exchanged: bool,
}

impl<I: Isa> FuncGen<'_, I> {
    // ---- destinations

    /// The home of the local that the next operator writes, if it has one of the right class: what the current operator
    /// gives may be computed there. The local's pending reads are made first; `busy` are registers that the operator
    /// reads after it has begun to write.
    #[inline(always)]
    pub(crate) fn hint(&mut self, ty: Ty, busy: RegSet) -> Option<Reg> {
        if self.reader.at_local_write() { self.hint_of_write(ty, busy) } else { None }
    }

    #[inline(never)]
    fn hint_of_write(&mut self, ty: Ty, busy: RegSet) -> Option<Reg> {
        let local = self.reader.peek_local_write()?;
        let at = self.survey.position(local);
        let home = self.fixed_reg(at)?;
        if home.class() != ty.class() || busy.has(home) {
            return None;
        }
        self.flush_local(at);
        self.w.counters.direct_sets += 1;
        Some(home)
    }

    /// A destination that is none of the registers in `busy`.
    pub(crate) fn dest(&mut self, ty: Ty, busy: RegSet) -> Reg {
        match self.hint(ty, busy) {
            Some(home) => home,
            None => self.take(ty.class()),
        }
    }

    /// Where the result of the instruction goes that is the last to read what is held: perhaps to one of those. Gives
    /// what is to be given back behind it.
    pub(crate) fn dest_over(&mut self, ty: Ty, held: Held) -> (Reg, Held) {
        match self.hint(ty, RegSet::EMPTY) {
            Some(home) => (home, held),
            None => self.take_over(ty.class(), held),
        }
    }

    // ---- two-operand integers

    /// Fold, else immediate, else memory, else register.
    pub(crate) fn alu(&mut self, width: Width, mut op: Alu) {
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
        if op == Alu::And && self.next_tests_zero() {
            return self.mask(width, r);
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
        if let Some(reg) = l.as_reg() {
            // The left operand is read in the instruction that writes; any other destination is written before the
            // right one is read.
            busy.remove(reg);
            // `x = a op x` in place needs the operands exchanged.
            if op.commutes()
                && let Src::Reg(right) = src
                && right != reg
                && self.hint_is(right)
            {
                std::mem::swap(&mut l, &mut r);
                src = Src::Reg(reg);
                busy = RegSet::one(reg);
            }
        }
        let d = match self.hint(ty, busy) {
            Some(home) => home,
            None => match l.as_reg() {
                Some(reg) if l.is_own_reg() && !r.owned().has(reg) => reg,
                _ => self.take_result(ty),
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
        self.push_reg(ty, d);
    }

    #[inline]
    fn alu_emit(&mut self, ty: Ty, op: Alu, d: Reg, left: Reg, src: Src, r: &Operand) {
        let at = self.w.alu(op, ty.width(), d, left, src);
        if d == left && I::alu_sets_flags(op, src) {
            let stamp = Stamp::of(self.w);
            self.flags = Some(FlagsOf { reg: d, width: ty.width(), at: self.w.offset(), stamp });
        }
        self.folded(r, at);
    }

    /// A register for a result: if a call comes next and takes it as an argument, the one in which it does.
    pub(crate) fn take_result(&mut self, ty: Ty) -> Reg {
        if let Some(reg) = self.argument_ahead()
            && reg.class() == ty.class()
            && self.regs.free.has(reg)
        {
            self.regs.free.remove(reg);
            self.watch();
            return reg;
        }
        self.take(ty.class())
    }

    /// The register in which a call, at most two latent operands ahead, takes the value that is now being made.
    fn argument_ahead(&self) -> Option<Reg> {
        let mut ahead = self.reader;
        for after in 1..=3 {
            match ahead.op() {
                Op::LocalGet => {
                    ahead.u32();
                }
                Op::I32Const => {
                    ahead.i32();
                }
                Op::Call => {
                    let func = ahead.u32();
                    let sig = self.facts.sig_of_func(func);
                    let abi = match self.facts.funcs[func as usize].callee {
                        Callee::Defined { .. } => &sig.private,
                        Callee::Imported { .. } => &sig.tail,
                    };
                    return match abi.params.len().checked_sub(after).map(|i| abi.params[i]) {
                        Some(AbiLoc::Reg(reg)) => Some(reg),
                        _ => None,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    /// Is this register the home of the local that the next operator writes?
    #[inline]
    pub(crate) fn hint_is(&self, reg: Reg) -> bool {
        self.reader.peek_local_write().is_some_and(|local| self.fixed_reg(self.survey.position(local)) == Some(reg))
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
        let src = self.src(ImmFor::Mul, &mut r);
        let (d, left) = self.binary_dest(ty, &l, &r);
        let at = self.w.mul(ty.width(), d, left, src);
        self.folded(&r, at);
        self.finish_binary(d, &l, &r);
        self.push_reg(ty, d);
    }

    // ---- operations that demand registers

    /// Brings two operands where `fixed` wants them, both at once, and takes what else it demands.
    fn place_fixed(&mut self, fixed: &Fixed, mut l: Operand, mut r: Operand) -> Placed {
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
        if let Some(k) = rc
            && k.is_power_of_two()
        {
            match op {
                Div::DivU => {
                    self.pop_value();
                    self.push_const(Ty::I32, u64::from(k.trailing_zeros()));
                    return self.shift(width, Shift::ShrU);
                }
                Div::RemU => {
                    self.pop_value();
                    self.push_const(ty, k - 1);
                    return self.alu(width, Alu::And);
                }
                _ => {}
            }
        }
        let r = self.pop();
        let l = self.pop();
        let fixed = I::fixed_div(op, width);
        let Placed { left, right, held } = self.place_fixed(&fixed, l, r);
        let all_ones = if width == Width::W32 { u64::from(u32::MAX) } else { u64::MAX };
        let by_zero = rc.is_none_or(|k| k == 0);
        let by_minus_one = matches!(op, Div::DivS | Div::RemS) && rc.is_none_or(|k| k == all_ones);
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

    /// A destination that may be one of the operands' own registers, all of which are read before it is written.
    pub(crate) fn dest_reusing(&mut self, ty: Ty, owned: RegSet) -> Reg {
        match self.hint(ty, RegSet::EMPTY) {
            Some(home) => home,
            None => match owned.class(ty.class()).first() {
                Some(reg) => reg,
                None => self.take(ty.class()),
            },
        }
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

    // ---- compares

    /// Will the next operator take the condition from the flags?
    pub(crate) fn fuses(&self) -> bool {
        !self.facts.settings.fuel && self.takes_flags(0)
    }

    fn takes_flags(&self, ahead: usize) -> bool {
        let op = self.reader.peek_op_at(ahead);
        match op.effects().flags {
            Flags::Branches | Flags::Selects => true,
            Flags::AsksZero => op == Op::I32Eqz && ahead < 8 && self.takes_flags(ahead + 1),
            Flags::None => false,
        }
    }

    /// Is the next operator one that only asks whether an i32 or i64 is zero?
    #[inline]
    pub(crate) fn next_tests_zero(&self) -> bool {
        match self.reader.peek_op().effects().flags {
            Flags::Branches => !self.facts.settings.fuel,
            Flags::AsksZero => !self.facts.settings.fuel && self.takes_flags(1),
            Flags::Selects | Flags::None => false,
        }
    }

    /// `l & r` for its flags alone; `l` is on top.
    fn mask(&mut self, width: Width, mut r: Operand) {
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
        self.push_const(width.int(), 0);
        self.compare(width, Cond::Eq);
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

    pub(crate) fn ref_is_null(&mut self) {
        match self.stack.last().expect("validated").ty {
            Ty::ContRef => self.cont_is_null(),
            ty => self.eqz(ty.width()),
        }
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

    // ---- wide arithmetic

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
