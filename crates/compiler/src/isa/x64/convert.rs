//! Conversions between integers and floats, exact at every boundary.
//!
//! `cvttss2si` and its like give the most negative integer for a NaN and for what is out of range. The 64-bit form
//! covers the range of both 32-bit integers, so whether a result is in range shows in the integer register alone, and
//! the float is looked at only when it is not.

use super::float::{of, partial, ucomis, zero};
use crate::isa::{Convert, Trunc};
use crate::treaty::facts::CpuFeatures;
use crate::treaty::ty::Width;
use lightbeam_asm::x64::{Alu, Asm, Cc, R11, Shift, Short, Size, XMM15, rows};
use lightbeam_asm::{Label, Reg};

const SCRATCH: Reg = R11;
const FLOAT_SCRATCH: Reg = XMM15;

pub(super) fn convert(a: &mut Asm, cpu: &CpuFeatures, op: Convert, d: Reg, s: Reg, t: Reg) {
    use Convert::*;
    let to = match op {
        F32FromF64 => return partial(a, cpu, rows::CVTSD2SS, d, s),
        F64FromF32 => return partial(a, cpu, rows::CVTSS2SD, d, s),
        F32FromI32S | F32FromI32U | F32FromI64S | F32FromI64U => Width::W32,
        F64FromI32S | F64FromI32U | F64FromI64S | F64FromI64U => Width::W64,
    };
    let row = of(to, rows::CVTSI2SS, rows::CVTSI2SD);
    zero(a, d);
    match op {
        F32FromI32S | F64FromI32S => a.rr(row, Size::S32, d, s),
        F32FromI64U | F64FromI64U => from_u64(a, to, d, s, t),
        // An i32 has a zero upper half: unsigned, it is an i64.
        _ => a.rr(row, Size::S64, d, s),
    }
}

/// A value with the top bit set is converted as half of it and doubled. The bit that is shifted out is kept in the
/// lowest, where it stands for all that is below what rounding looks at.
fn from_u64(a: &mut Asm, to: Width, d: Reg, s: Reg, t: Reg) {
    debug_assert!(t != s);
    let row = of(to, rows::CVTSI2SS, rows::CVTSI2SD);
    a.test_rr(Size::S64, s, s);
    let large = a.jcc_short(Cc::S);
    a.rr(row, Size::S64, d, s);
    let done = a.jmp_short();
    a.bind_short(large);
    a.mov_rr(Size::S64, t, s);
    a.mov_rr(Size::S32, SCRATCH, s);
    a.shift_ri(Shift::Shr, Size::S64, t, 1);
    a.alu_ri(Alu::And, Size::S32, SCRATCH, 1);
    a.alu_rr(Alu::Or, Size::S64, t, SCRATCH);
    a.rr(row, Size::S64, d, t);
    a.rr(of(to, rows::ADDSS, rows::ADDSD), Size::S32, d, d);
    a.bind_short(done);
}

fn cvtt(a: &mut Asm, from: Width, d: Reg, s: Reg) {
    a.rr(of(from, rows::CVTTSS2SI, rows::CVTTSD2SI), Size::S64, d, s);
}

/// Truncates to 64 bits and jumps if that is surely right. What falls through is, but for `u64`, out of range or a
/// NaN, or for `i64` its least value; `d` is that then. For `u64` it may be in the upper half of the range too.
fn in_range(a: &mut Asm, op: Trunc, d: Reg, s: Reg) -> Short {
    cvtt(a, op.from, d, s);
    match (op.to, op.signed) {
        (Width::W32, true) => {
            a.rr(rows::MOVSXD, Size::S64, SCRATCH, d);
            a.alu_rr(Alu::Cmp, Size::S64, SCRATCH, d);
            a.mov_rr(Size::S32, d, d);
            a.jcc_short(Cc::E)
        }
        (Width::W32, false) => {
            a.mov_rr(Size::S32, SCRATCH, d);
            a.alu_rr(Alu::Cmp, Size::S64, SCRATCH, d);
            a.jcc_short(Cc::E)
        }
        // Only the least value overflows when 1 is subtracted.
        (Width::W64, true) => {
            a.alu_ri(Alu::Cmp, Size::S64, d, 1);
            a.jcc_short(Cc::No)
        }
        (Width::W64, false) => {
            a.test_rr(Size::S64, d, d);
            a.jcc_short(Cc::Ns)
        }
    }
}

/// The upper half of `u64`: truncates `s - 2^63`, which is exact there, and adds 2^63 again. Jumps if that is right.
fn in_upper_half(a: &mut Asm, from: Width, d: Reg, s: Reg, t: Reg) -> Short {
    debug_assert!(t != s);
    let minus_two_to_63 = match from {
        Width::W32 => u64::from((-9_223_372_036_854_775_808f32).to_bits()),
        Width::W64 => (-9_223_372_036_854_775_808f64).to_bits(),
    };
    super::float::constant(a, from, t, minus_two_to_63);
    a.rr(of(from, rows::ADDSS, rows::ADDSD), Size::S32, t, s);
    cvtt(a, from, d, t);
    a.ri(rows::BTC, Size::S64, d, 63);
    // Before the bit was flipped, right was not negative.
    a.test_rr(Size::S64, d, d);
    a.jcc_short(Cc::S)
}

pub(super) fn trunc(a: &mut Asm, op: Trunc, d: Reg, s: Reg, t: Reg, invalid: Label, overflow: Label) {
    let done = in_range(a, op, d, s);
    let mut done_too = None;
    if op.to == Width::W64 && !op.signed {
        done_too = Some(in_upper_half(a, op.from, d, s, t));
    }
    ucomis(a, op.from, s, s);
    a.jcc(Cc::P, invalid);
    if op.to == Width::W64 && op.signed {
        // `d` is the least value; is that what it was?
        zero(a, FLOAT_SCRATCH);
        a.rr(of(op.from, rows::CVTSI2SS, rows::CVTSI2SD), Size::S64, FLOAT_SCRATCH, d);
        ucomis(a, op.from, s, FLOAT_SCRATCH);
        a.jcc(Cc::Ne, overflow);
    } else {
        a.jmp(overflow);
    }
    a.bind_short(done);
    if let Some(done) = done_too {
        a.bind_short(done);
    }
}

pub(super) fn trunc_sat(a: &mut Asm, op: Trunc, d: Reg, s: Reg, t: Reg) {
    let done = in_range(a, op, d, s);
    let mut done_too = None;
    if op.to == Width::W64 && !op.signed {
        done_too = Some(in_upper_half(a, op.from, d, s, t));
    }
    let (size, least, greatest) = match (op.to, op.signed) {
        (Width::W32, true) => (Size::S32, i64::from(i32::MIN), i64::from(i32::MAX)),
        (Width::W32, false) => (Size::S32, 0, i64::from(u32::MAX)),
        (Width::W64, true) => (Size::S64, i64::MIN, i64::MAX),
        (Width::W64, false) => (Size::S64, 0, -1),
    };
    // What is not above zero, a NaN included, gives the least value, but a NaN 0 where that is another.
    zero(a, FLOAT_SCRATCH);
    if op.signed {
        ucomis(a, op.from, s, FLOAT_SCRATCH);
        a.mov_ri(size, d, least);
    } else {
        a.zero(d);
        ucomis(a, op.from, s, FLOAT_SCRATCH);
    }
    a.mov_ri(size, SCRATCH, greatest);
    a.cmov_rr(Cc::A, size, d, SCRATCH);
    if op.signed {
        a.mov_ri(Size::S32, SCRATCH, 0);
        a.cmov_rr(Cc::P, size, d, SCRATCH);
    }
    a.bind_short(done);
    if let Some(done) = done_too {
        a.bind_short(done);
    }
}
