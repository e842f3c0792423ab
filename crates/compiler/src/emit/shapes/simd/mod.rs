//! The shapes of vectors: one, two or three operands, shifts, and what asks all lanes.
//!
//! How an operation wants its operands, the instruction set says as data ([`VectorForm`]). A constant on the stack is
//! the place of its bytes in the body, or a pattern of 32 bits in all lanes, so that an entry is no larger for it.

mod lanes;

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::values::PATTERN;
use crate::emit::values::value::{Loc, Operand, OperandLoc};
use crate::isa::{
    Amount, Dest, Isa, Lanes, Shift, VectorBinary, VectorForm, VectorSrc, VectorTernary, VectorTest, VectorUnary,
};
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Reg, RegClass, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    // ---- constants and operands

    pub(crate) fn v_const(&mut self) {
        let at = self.reader.skip128();
        self.push_const(Ty::V128, at as u64);
    }

    /// A constant with the same 32 bits in all lanes.
    pub(crate) fn push_pattern(&mut self, bits: u32) {
        self.push_const(Ty::V128, PATTERN | u64::from(bits));
    }

    /// The last operand of an operation. What cannot be read where it is goes to a register: only memory of the frame
    /// is known to be aligned.
    fn vector_src(&mut self, operand: &mut Operand, memory: bool) -> VectorSrc {
        match operand.loc() {
            OperandLoc::Reg(reg) => VectorSrc::Reg(reg),
            OperandLoc::Const(entry) if memory => VectorSrc::Const(self.vector_bits(entry)),
            OperandLoc::Mem(addr)
                if memory && I::MEM_OPERANDS && (self.w.unaligned_vectors() || addr.base_reg() == I::FRAME) =>
            {
                VectorSrc::Mem(addr)
            }
            _ => VectorSrc::Reg(self.operand_reg(operand)),
        }
    }

    /// A temporary, if the form has one; something to pass if not.
    fn temp_of(&mut self, needed: bool) -> Reg {
        if needed { self.take(RegClass::Float) } else { I::FLOAT_SCRATCH }
    }

    fn release_temp(&mut self, temp: Reg) {
        if temp != I::FLOAT_SCRATCH {
            self.release(temp);
        }
    }

    // ---- one operand

    pub(crate) fn v_unary(&mut self, op: VectorUnary) {
        let form = self.w.vector_unary_form(op);
        let mut s = self.pop();
        let src = self.vector_src(&mut s, form.memory);
        let t = self.temp_of(form.temp);
        let d = self.dest_reusing(Ty::V128, s.owned());
        let at = self.w.vector_unary(op, d, src, t);
        self.folded(&s, at);
        self.canonical_nans(op.makes_nans(), d);
        self.release_temp(t);
        self.finish_vector(d, s.owned());
    }

    /// Behind an operation that may have computed NaNs, in lanes of that width.
    #[inline]
    fn canonical_nans(&mut self, lanes: Option<Width>, d: Reg) {
        if self.facts.settings.nan_canonicalization
            && let Some(width) = lanes
        {
            self.w.canonical_nans(width, d);
        }
    }

    /// Releases what the operands own but the destination, and pushes that.
    pub(crate) fn finish_vector(&mut self, d: Reg, mut owned: RegSet) {
        owned.remove(d);
        self.give_back(owned);
        self.push_reg(Ty::V128, d);
    }

    // ---- two operands

    pub(crate) fn v_binary(&mut self, op: VectorBinary) {
        let form = self.w.vector_binary_form(op);
        let mut r = self.pop();
        let mut l = self.pop();
        if form.swap {
            std::mem::swap(&mut l, &mut r);
        }
        if form.commutes && self.better_exchanged(&form, &l, &r) {
            std::mem::swap(&mut l, &mut r);
        }
        let src = self.vector_src(&mut r, form.memory);
        let t = self.temp_of(form.temp);
        let (d, left) = self.vector_dest(form.dest, &mut l, &r);
        let at = self.w.vector_binary(op, d, left, src, t);
        self.folded(&r, at);
        self.canonical_nans(op.makes_nans(), d);
        self.release_temp(t);
        self.finish_vector(d, l.owned().or(r.owned()));
        if op.compares() {
            self.lane_mask = Some((d, self.w.offset()));
        }
    }

    /// Would either operand do as the left one, and the right one better?
    fn better_exchanged(&self, form: &VectorForm, l: &Operand, r: &Operand) -> bool {
        let Some(right) = r.as_reg() else { return false };
        let Some(left) = l.as_reg() else { return true };
        form.dest == Dest::First && left != right && (self.hint_is(right) || (r.is_own_reg() && !l.is_own_reg()))
    }

    /// Where a result goes, and the left operand in a register, which may be the same.
    pub(crate) fn vector_dest(&mut self, dest: Dest, l: &mut Operand, r: &Operand) -> (Reg, Reg) {
        match dest {
            Dest::Fresh => {
                let left = self.operand_reg(l);
                let busy = RegSet::one(left).or(r.regs());
                (self.dest(Ty::V128, busy), left)
            }
            Dest::Any if let Some(left) = l.as_reg() => {
                (self.dest_reusing(Ty::V128, l.owned().or(r.owned().class(RegClass::Float))), left)
            }
            _ => self.binary_dest(Ty::V128, l, r),
        }
    }

    // ---- three operands

    pub(crate) fn v_ternary(&mut self, op: VectorTernary) {
        let form = self.w.vector_ternary_form(op);
        let mut operands = [self.pop(), self.pop(), self.pop()];
        operands.reverse();
        let mut regs = [I::FLOAT_SCRATCH; 3];
        for (reg, operand) in regs.iter_mut().zip(&mut operands) {
            *reg = self.operand_reg(operand);
        }
        let [x, y, z] = operands;
        let owned = x.owned().or(y.owned()).or(z.owned());
        let t = self.temp_of(form.temp);
        let d = match form.dest {
            Dest::Any => {
                // A sum is best made in place.
                let first = [z, x, y].into_iter().find(|operand| operand.is_own_reg()).and_then(Operand::as_reg);
                self.dest_reusing(Ty::V128, first.map_or(RegSet::EMPTY, RegSet::one))
            }
            Dest::First => {
                let others = RegSet::of(&regs[1..]);
                match self.hint(Ty::V128, others) {
                    Some(home) => home,
                    None if x.is_own_reg() && !others.has(regs[0]) => regs[0],
                    None => self.take(RegClass::Float),
                }
            }
            Dest::Fresh => self.dest(Ty::V128, RegSet::of(&regs)),
        };
        self.w.vector_ternary(op, d, regs, t);
        self.canonical_nans(op.makes_nans(), d);
        self.release_temp(t);
        self.finish_vector(d, owned);
    }

    /// Of a mask that comes from a compare, any bit of a byte is as good as all.
    pub(crate) fn bitselect(&mut self) {
        let mask = match self.stack.last().map(|top| top.loc) {
            Some(Loc::Reg(reg)) => Some(reg),
            Some(Loc::Local(at)) => self.reg_of_local(at as usize),
            _ => None,
        };
        let here = self.w.offset();
        let Some(mask) = mask.filter(|reg| self.w.selects_by_top_bit() && self.lane_mask == Some((*reg, here))) else {
            return self.v_ternary(VectorTernary::Bitselect);
        };
        self.v_ternary(VectorTernary::LaneselectB);
        // The mask may be wanted again, unless this was the last of it.
        let kept = self.regs.cached.has(mask) || !self.regs.pool.has(mask);
        let result = self.stack.last().map(|top| top.loc);
        self.lane_mask = (kept && result != Some(Loc::Reg(mask))).then(|| (mask, self.w.offset()));
    }

    // ---- relaxed

    pub(crate) fn v_relaxed_unary(&mut self, relaxed: VectorUnary, same_everywhere: VectorUnary) {
        self.v_unary(if self.facts.settings.deterministic { same_everywhere } else { relaxed });
    }

    pub(crate) fn v_relaxed_binary(&mut self, relaxed: VectorBinary, same_everywhere: VectorBinary) {
        self.v_binary(if self.facts.settings.deterministic { same_everywhere } else { relaxed });
    }

    pub(crate) fn v_relaxed_ternary(&mut self, relaxed: VectorTernary, same_everywhere: VectorTernary) {
        self.v_ternary(if self.facts.settings.deterministic { same_everywhere } else { relaxed });
    }

    /// Product and sum, rounded once if they must be: where the processor cannot, the host does.
    pub(crate) fn madd(&mut self, op: VectorTernary) {
        if !self.facts.settings.calls_for_fma() {
            return self.v_ternary(op);
        }
        let (libcall, negated) = match op {
            VectorTernary::F32x4Madd => (Libcall::FmaF32x4, None),
            VectorTernary::F32x4Nmadd => (Libcall::FmaF32x4, Some(VectorUnary::F32x4Neg)),
            VectorTernary::F64x2Madd => (Libcall::FmaF64x2, None),
            _ => (Libcall::FmaF64x2, Some(VectorUnary::F64x2Neg)),
        };
        let z = self.pop();
        let mut y = self.pop();
        if let Some(negate) = negated {
            let s = self.operand_reg(&mut y);
            let d = if y.is_own_reg() { s } else { self.take(RegClass::Float) };
            self.w.vector_unary(negate, d, VectorSrc::Reg(s), I::FLOAT_SCRATCH);
            y = Operand::own(Ty::V128, d);
        }
        let x = self.pop();
        self.libcall(libcall, &[Arg::Ctx, Arg::Operand(x), Arg::Operand(y), Arg::Operand(z)]);
        let result = I::LIBCALL.float_results[0];
        self.take_this(result);
        self.canonical_nans(op.makes_nans(), result);
        self.push_reg(Ty::V128, result);
    }

    // ---- shifts

    pub(crate) fn v_shift(&mut self, op: Shift, lanes: Lanes) {
        let count = self.pop();
        let (n, count_owned, temp) = match count.as_const() {
            Some(n) => (Amount::Imm((n as u32 & (lanes.bits() - 1)) as u8), RegSet::EMPTY, false),
            None => {
                let mut count = count;
                let reg = self.operand_reg(&mut count);
                (Amount::Reg(reg), count.owned(), I::vector_shift_temp(op, lanes))
            }
        };
        if n == Amount::Imm(0) {
            return;
        }
        let mut l = self.pop();
        let left = self.operand_reg(&mut l);
        let t = self.temp_of(temp);
        let d = self.dest_reusing(Ty::V128, l.owned());
        self.w.vector_shift(op, lanes, d, left, n, t);
        self.release_temp(t);
        self.finish_vector(d, l.owned().or(count_owned));
    }

    // ---- all lanes at once

    pub(crate) fn v_test(&mut self, op: VectorTest) {
        let (s, owned) = self.pop_reg();
        let mut condition = self.condition(|w| w.vector_test(op, s));
        condition.release_all(owned);
        condition.push();
    }

    pub(crate) fn bitmask(&mut self, lanes: Lanes) {
        let (s, owned) = self.pop_reg();
        let d = self.dest(Ty::I32, RegSet::EMPTY);
        self.w.bitmask(lanes, d, s);
        self.release_all(owned);
        self.push_reg(Ty::I32, d);
    }
}
