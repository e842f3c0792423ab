//! The shapes of floats, and of conversions from, to and between them.

use crate::emit::FuncGen;
use crate::emit::values::value::{Loc, OperandLoc, Value};
use crate::emit::writer::Writer;
use crate::isa::{Convert, FloatAlu, FloatUnary, Isa, Trunc};
use crate::treaty::code::TrapCode;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Reg, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn float_alu(&mut self, width: Width, op: FloatAlu) {
        let ty = width.float();
        let mut r = self.pop();
        let mut l = self.pop();
        if matches!(op, FloatAlu::Add | FloatAlu::Mul) && l.in_memory() && matches!(r.loc(), OperandLoc::Reg(_)) {
            std::mem::swap(&mut l, &mut r);
        }
        let src = self.float_src(&mut r);
        let (d, left) = self.binary_dest(ty, &l, &r);
        let at = self.w.falu(op, width, d, left, src);
        self.folded(&r, at);
        self.canonical_nan(width, d);
        self.finish_binary(d, &l, &r);
        self.push_reg(ty, d);
    }

    #[inline(never)]
    pub(crate) fn float_unary(&mut self, width: Width, op: FloatUnary) {
        let ty = width.float();
        let (s, owned) = self.pop_reg();
        let d = self.dest_reusing(ty, owned);
        self.w.funary(op, width, d, s);
        if !matches!(op, FloatUnary::Abs | FloatUnary::Neg) {
            self.canonical_nan(width, d);
        }
        let mut owned = owned;
        owned.remove(d);
        self.release_all(owned);
        self.push_reg(ty, d);
    }

    /// Behind an operator that may have computed a NaN.
    #[inline]
    fn canonical_nan(&mut self, width: Width, d: Reg) {
        if self.facts.settings.nan_canonicalization {
            self.w.canonical_nan(width, d);
        }
    }

    pub(crate) fn float_minmax(&mut self, width: Width, max: bool) {
        let canonical = self.facts.settings.nan_canonicalization;
        self.float_pair(width.float(), |w, d, left, right| {
            w.fminmax(max, width, d, left, right);
            if canonical {
                w.canonical_nan(width, d);
            }
        });
    }

    pub(crate) fn copysign(&mut self, width: Width) {
        self.float_pair(width.float(), |w, d, left, right| w.copysign(width, d, left, right));
    }

    /// Two operands in registers, and a result in a third: what writes its result before it has read both operands.
    fn float_pair(&mut self, ty: Ty, emit: impl FnOnce(&mut Writer<I>, Reg, Reg, Reg)) {
        let mut r = self.pop();
        let mut l = self.pop();
        let right = self.operand_reg(&mut r);
        let left = self.operand_reg(&mut l);
        let d = self.dest(ty, RegSet::of(&[left, right]));
        emit(self.w, d, left, right);
        self.done(&l);
        self.done(&r);
        self.push_reg(ty, d);
    }

    // ---- conversions

    pub(crate) fn convert(&mut self, op: Convert, to: Ty) {
        let (s, owned) = self.pop_reg();
        let temp = self.take(s.class());
        let d = self.dest(to, RegSet::of(&[s, temp]));
        self.w.convert(op, d, s, temp);
        if matches!(op, Convert::F32FromF64 | Convert::F64FromF32) {
            self.canonical_nan(to.width(), d);
        }
        self.release(temp);
        self.release_all(owned);
        self.push_reg(to, d);
    }

    pub(crate) fn trunc(&mut self, from: Width, to: Width, signed: bool) {
        let (s, owned) = self.pop_reg();
        let temp = self.take(s.class());
        let d = self.dest(to.int(), RegSet::EMPTY);
        let invalid = self.w.trap_label(TrapCode::BadConversionToInteger);
        let overflow = self.w.trap_label(TrapCode::IntegerOverflow);
        self.w.trunc(Trunc { from, to, signed }, d, s, temp, invalid, overflow);
        self.release(temp);
        self.release_all(owned);
        self.push_reg(to.int(), d);
    }

    pub(crate) fn trunc_sat(&mut self, from: Width, to: Width, signed: bool) {
        let (s, owned) = self.pop_reg();
        let temp = self.take(s.class());
        let d = self.dest(to.int(), RegSet::EMPTY);
        self.w.trunc_sat(Trunc { from, to, signed }, d, s, temp);
        self.release(temp);
        self.release_all(owned);
        self.push_reg(to.int(), d);
    }

    pub(crate) fn reinterpret(&mut self, to: Ty) {
        if let Some(bits) = self.stack.last().and_then(|v| v.as_const()) {
            self.pop_value();
            return self.push_const(to, bits);
        }
        // A value in memory has no class.
        if let Some(Value { loc: Loc::Slot, .. }) = self.stack.last() {
            self.stack.last_mut().expect("there").ty = to;
            return;
        }
        let (s, owned) = self.pop_reg();
        let d = self.dest(to, RegSet::EMPTY);
        self.w.bits(to.width(), d, s);
        self.release_all(owned);
        self.push_reg(to, d);
    }
}
