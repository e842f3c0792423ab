//! Sequences of float lanes. Unless said otherwise the destination may be any operand's register.

use super::{X, copy, doubles, quads, zero};
use crate::treaty::facts::CpuFeatures;
use lightbeam_asm::Reg;
use lightbeam_asm::x64::rows::*;
use lightbeam_asm::x64::{Asm, Predicate, Round, Size, lanes4};

/// The rows of a width.
pub(super) struct Rows {
    min: Row,
    max: Row,
    compare: Row,
    blend: Row,
    shift: Row,
    /// How many bits above the payload of a NaN there are.
    above: u8,
    nan: u128,
}

pub(super) const F32X4: Rows = Rows {
    min: MINPS,
    max: MAXPS,
    compare: CMPPS,
    blend: VBLENDVPS,
    shift: PSRLD,
    above: 10,
    nan: doubles(0x7fc0_0000),
};

pub(super) const F64X2: Rows = Rows {
    min: MINPD,
    max: MAXPD,
    compare: CMPPD,
    blend: VBLENDVPD,
    shift: PSRLQ,
    above: 13,
    nan: quads(0x7ff8 << 48),
};

/// `minps` gives its second operand for zeros of either sign and for NaNs. Both orders together differ in nothing but
/// these: of zeros the union of bits is the lesser and the intersection the greater; where there was a NaN, one is put
/// in. `d` is neither operand.
pub(super) fn min_max(a: &mut Asm, cpu: &CpuFeatures, rows: &Rows, max: bool, d: Reg, l: Reg, r: Reg) {
    let (pick, merge) = if max { (rows.max, ANDPS) } else { (rows.min, ORPS) };
    a.op3(cpu.avx, pick, X, r, l);
    a.op3(cpu.avx, pick, d, l, r);
    a.op3(cpu.avx, merge, d, d, X);
    a.op3i(cpu.avx, rows.compare, X, l, r, Predicate::Unord as i32);
    if cpu.avx {
        let nan = a.constant(rows.nan);
        a.vrvcr(rows.blend, Size::S32, d, d, nan, X);
    } else {
        // All ones, less the payload, is a NaN.
        a.op3(false, ORPS, d, d, X);
        a.shift3(false, rows.shift, X, X, rows.above);
        a.op3(false, ANDNPS, X, X, d);
        copy(a, d, X);
    }
}

/// All ones where there was a NaN, less what a canonical one has not.
pub(super) fn canonical(a: &mut Asm, cpu: &CpuFeatures, rows: &Rows, d: Reg) {
    a.op3i(cpu.avx, rows.compare, X, d, d, Predicate::Unord as i32);
    if cpu.avx {
        let nan = a.constant(rows.nan);
        return a.vrvcr(rows.blend, Size::S32, d, d, nan, X);
    }
    let rest = a.constant(!rows.nan);
    a.op3(false, ORPS, d, d, X);
    a.op3(false, ANDPS, X, X, rest);
    a.op3(false, XORPS, d, d, X);
}

/// The truncation gives the least value for whatever is out of range: of what is too great that is the complement of
/// what is wanted. NaNs are made 0 before.
pub(super) fn trunc32_s(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let too_great = a.constant(doubles(2_147_483_648f32.to_bits()));
    a.op3i(cpu.avx, CMPPS, X, s, s, Predicate::Eq as i32);
    a.op3(cpu.avx, ANDPS, d, s, X);
    a.op3i(cpu.avx, CMPPS, X, d, too_great, Predicate::Nlt as i32);
    a.op2(cpu.avx, CVTTPS2DQ, d, d);
    a.op3(cpu.avx, PXOR, d, d, X);
}

/// What is at least 2^31 is 2^31, as the truncation gives it, and the truncated rest.
pub(super) fn trunc32_u(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, t: Reg) {
    let half = a.constant(doubles(2_147_483_648f32.to_bits()));
    zero(a, cpu, X);
    // The second operand, 0, where the first is a NaN.
    a.op3(cpu.avx, MAXPS, d, s, X);
    a.op3(cpu.avx, SUBPS, t, d, half);
    a.op3i(cpu.avx, CMPPS, X, t, half, Predicate::Nlt as i32);
    a.op2(cpu.avx, CVTTPS2DQ, d, d);
    a.op2(cpu.avx, CVTTPS2DQ, t, t);
    a.op3(cpu.avx, PXOR, t, t, X);
    zero(a, cpu, X);
    a.op3(cpu.avx, PMAXSD, t, t, X);
    a.op3(cpu.avx, PADDD, d, d, t);
}

/// The lower bound saturates by itself; a NaN is the minimum's first operand, so the second, made 0, comes of it.
pub(super) fn trunc64_s(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let greatest = a.constant(quads(2_147_483_647f64.to_bits()));
    a.op3i(cpu.avx, CMPPD, X, s, s, Predicate::Eq as i32);
    a.op3(cpu.avx, ANDPS, X, X, greatest);
    a.op3(cpu.avx, MINPD, d, s, X);
    a.op2(cpu.avx, CVTTPD2DQ, d, d);
}

/// Cut to the range and to whole numbers, these are the lowest bits of the sum with 2^52.
pub(super) fn trunc64_u(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let greatest = a.constant(quads(4_294_967_295f64.to_bits()));
    let magic = a.constant(quads(4_503_599_627_370_496f64.to_bits()));
    zero(a, cpu, X);
    a.op3(cpu.avx, MAXPD, d, s, X);
    a.op3(cpu.avx, MINPD, d, d, greatest);
    a.op2i(cpu.avx, ROUNDPD, d, d, Round::Zero as i32);
    a.op3(cpu.avx, ADDPD, d, d, magic);
    a.op3i(cpu.avx, SHUFPS, d, d, X, lanes4([0, 2, 0, 2]));
}

/// 2^23 + the lower half and 2^39 + the upper half times 2^16 are exact, and so is the latter less both powers: the sum
/// is rounded once.
pub(super) fn convert32_u(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let (low, high) = (a.constant(doubles(0x4b00_0000)), a.constant(doubles(0x5300_0000)));
    let both = a.constant(doubles(0x5300_0080));
    a.op3i(cpu.avx, PBLENDW, X, s, low, 0xaa);
    a.shift3(cpu.avx, PSRLD, d, s, 16);
    a.op3i(cpu.avx, PBLENDW, d, d, high, 0xaa);
    a.op3(cpu.avx, SUBPS, d, d, both);
    a.op3(cpu.avx, ADDPS, d, d, X);
}

/// The bits of 2^52 + the number, less 2^52.
pub(super) fn convert64_u(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let (high, magic) = (a.constant(doubles(0x4330_0000)), a.constant(quads(0x4330_0000 << 32)));
    a.op3(cpu.avx, UNPCKLPS, d, s, high);
    a.op3(cpu.avx, SUBPD, d, d, magic);
}
