//! Operations on three vectors, and what relaxed SIMD does where it must be the same everywhere.

use super::{X, doubles, quads, words, zero};
use crate::isa::{Dest, VectorForm, VectorTernary};
use crate::treaty::facts::CpuFeatures;
use lightbeam_asm::Reg;
use lightbeam_asm::x64::rows::*;
use lightbeam_asm::x64::{Asm, Size, lanes4};

/// Is there an instruction that multiplies and adds, with one rounding?
pub(in super::super) fn fused(cpu: &CpuFeatures) -> bool {
    cpu.avx && cpu.fma
}

pub(in super::super) fn ternary_form(cpu: &CpuFeatures, op: VectorTernary) -> VectorForm {
    use VectorTernary::*;
    let dest = match op {
        LaneselectB | LaneselectD | LaneselectQ if cpu.avx => Dest::Any,
        Bitselect | LaneselectB | LaneselectD | LaneselectQ => Dest::First,
        F32x4Madd | F32x4Nmadd | F64x2Madd | F64x2Nmadd | RelaxedDotAdd => Dest::Any,
        DotAdd => Dest::Fresh,
    };
    VectorForm { swap: false, commutes: false, memory: false, dest, temp: op == DotAdd }
}

pub(in super::super) fn ternary(a: &mut Asm, cpu: &CpuFeatures, op: VectorTernary, d: Reg, s: [Reg; 3], t: Reg) {
    use VectorTernary::*;
    match op {
        Bitselect => bitselect(a, cpu, d, s[0], s[1], s[2]),
        LaneselectB | LaneselectD | LaneselectQ => laneselect(a, cpu, op, d, s),
        F32x4Madd => madd(a, cpu, &F32X4, false, d, s),
        F32x4Nmadd => madd(a, cpu, &F32X4, true, d, s),
        F64x2Madd => madd(a, cpu, &F64X2, false, d, s),
        F64x2Nmadd => madd(a, cpu, &F64X2, true, d, s),
        RelaxedDotAdd => {
            let one = a.constant(words(1));
            a.op3(cpu.avx, PMADDUBSW, X, s[1], s[0]);
            a.op3(cpu.avx, PMADDWD, X, X, one);
            sum(a, cpu, PADDD, d, s[2]);
        }
        DotAdd => dot_add(a, cpu, d, s, t),
    }
}

/// `d = X + s`, whatever `d`
fn sum(a: &mut Asm, cpu: &CpuFeatures, add: Row, d: Reg, s: Reg) {
    if d == s {
        a.op3(cpu.avx, add, d, d, X);
    } else {
        a.op3(cpu.avx, add, d, X, s);
    }
}

/// `d` is neither `r` nor the mask.
fn bitselect(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, r: Reg, mask: Reg) {
    a.op3(cpu.avx, PXOR, d, l, r);
    a.op3(cpu.avx, PAND, d, d, mask);
    a.op3(cpu.avx, PXOR, d, d, r);
}

fn laneselect(a: &mut Asm, cpu: &CpuFeatures, op: VectorTernary, d: Reg, [l, r, mask]: [Reg; 3]) {
    if cpu.avx {
        let row = match op {
            VectorTernary::LaneselectB => VPBLENDVB,
            VectorTernary::LaneselectD => VBLENDVPS,
            _ => VBLENDVPD,
        };
        return a.vrvrr(row, Size::S32, d, r, l, mask);
    }
    // The legacy rows have the mask in a certain register; so it is made one of bits.
    match op {
        VectorTernary::LaneselectB => {
            zero(a, cpu, X);
            a.op3(false, PCMPGTB, X, X, mask);
        }
        VectorTernary::LaneselectD => {
            a.shift3(false, PSRAD, X, mask, 31);
        }
        _ => {
            a.op2i(false, PSHUFD, X, mask, lanes4([1, 1, 3, 3]));
            a.shift3(false, PSRAD, X, X, 31);
        }
    }
    bitselect(a, cpu, d, l, r, X);
}

/// The rows of a width.
struct Rows {
    /// `d = d * v + last`, and with the product negated.
    multiplied: [Row; 2],
    /// `d = v * last + d`, likewise.
    added: [Row; 2],
    mul: Row,
    add: Row,
    sign: u128,
}

const F32X4: Rows = Rows {
    multiplied: [VFMADD213PS, VFNMADD213PS],
    added: [VFMADD231PS, VFNMADD231PS],
    mul: MULPS,
    add: ADDPS,
    sign: doubles(1 << 31),
};

const F64X2: Rows = Rows {
    multiplied: [VFMADD213PD, VFNMADD213PD],
    added: [VFMADD231PD, VFNMADD231PD],
    mul: MULPD,
    add: ADDPD,
    sign: quads(1 << 63),
};

fn madd(a: &mut Asm, cpu: &CpuFeatures, rows: &Rows, negated: bool, d: Reg, [l, r, c]: [Reg; 3]) {
    let which = usize::from(negated);
    if !fused(cpu) {
        if negated {
            let sign = a.constant(rows.sign);
            a.op3(cpu.avx, XORPS, X, l, sign);
            a.op3(cpu.avx, rows.mul, X, X, r);
        } else {
            a.op3(cpu.avx, rows.mul, X, l, r);
        }
        return sum(a, cpu, rows.add, d, c);
    }
    if d == c {
        a.op3(true, rows.added[which], d, l, r);
    } else if d == r {
        a.op3(true, rows.multiplied[which], d, l, c);
    } else {
        super::copy(a, d, l);
        a.op3(true, rows.multiplied[which], d, r, c);
    }
}

/// Both operands signed: the products of odd bytes and of even bytes, each exact in 16 bits, and their sum, which wraps
/// for nothing but the least values alone. `d` may be either operand.
pub(super) fn dot(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, r: Reg, t: Reg) {
    low_bytes(a, cpu, X, r);
    low_bytes(a, cpu, t, l);
    a.op3(cpu.avx, PMULLW, t, t, X);
    a.shift3(cpu.avx, PSRAW, X, r, 8);
    a.shift3(cpu.avx, PSRAW, d, l, 8);
    a.op3(cpu.avx, PMULLW, d, d, X);
    a.op3(cpu.avx, PADDW, d, d, t);
}

/// Both operands signed: products of bytes, four summed up in 32 bits and added to `c`. `d` is no operand.
fn dot_add(a: &mut Asm, cpu: &CpuFeatures, d: Reg, [l, r, c]: [Reg; 3], t: Reg) {
    low_bytes(a, cpu, X, r);
    low_bytes(a, cpu, t, l);
    a.op3(cpu.avx, PMADDWD, t, t, X);
    a.op3(cpu.avx, PADDD, t, t, c);
    a.shift3(cpu.avx, PSRAW, X, r, 8);
    a.shift3(cpu.avx, PSRAW, d, l, 8);
    a.op3(cpu.avx, PMADDWD, d, d, X);
    a.op3(cpu.avx, PADDD, d, d, t);
}

/// `d =` the even bytes, signed, as words
fn low_bytes(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg) {
    a.shift3(cpu.avx, PSLLW, d, s, 8);
    a.shift3(cpu.avx, PSRAW, d, d, 8);
}
