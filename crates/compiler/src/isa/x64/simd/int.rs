//! Sequences of integer lanes. Unless said otherwise the destination may be any operand's register.

use super::{X, bytes, copy, ones, rm, words, zero};
use crate::isa::{Amount, At, Lanes, Shift, VectorSrc};
use crate::treaty::facts::CpuFeatures;
use lightbeam_asm::x64::rows::*;
use lightbeam_asm::x64::{Alu, Asm, R11, Rm, Size, lanes4};
use lightbeam_asm::{Assembler, Reg};

const SCRATCH: Reg = R11;

/// Each 32-bit lane that is the upper half of a 64-bit one, for both halves.
const UPPER: i32 = lanes4([1, 1, 3, 3]);

// ---- compares

/// Is the left operand the one that `pick`, a minimum or maximum, picks?
pub(super) fn picked(a: &mut Asm, cpu: &CpuFeatures, eq: Row, pick: Row, d: Reg, l: Reg, r: VectorSrc) -> At {
    let r = rm(a, r);
    let at = a.op3(cpu.avx, pick, X, l, r);
    a.op3(cpu.avx, eq, d, l, X);
    at
}

/// Is the left operand greater as a signed number with all highest bits, which are `sign`, flipped?
pub(super) fn flipped(a: &mut Asm, cpu: &CpuFeatures, gt: Row, sign: u128, d: Reg, l: Reg, r: VectorSrc) -> At {
    let mut at = a.offset();
    let right = match r {
        VectorSrc::Const(bits) => Rm::Const(a.constant(bits ^ sign)),
        VectorSrc::Reg(reg) => {
            let sign = a.constant(sign);
            a.op3(cpu.avx, PXOR, X, reg, sign);
            Rm::Reg(X)
        }
        VectorSrc::Mem(_) => {
            let (r, sign) = (rm(a, r), a.constant(sign));
            a.op2(cpu.avx, MOVAPS_RM, X, sign);
            at = a.op3(cpu.avx, PXOR, X, X, r);
            Rm::Reg(X)
        }
    };
    let sign = a.constant(sign);
    a.op3(cpu.avx, PXOR, d, l, sign);
    a.op3(cpu.avx, gt, d, d, right);
    at
}

// ---- arithmetic

/// `d` is neither operand.
pub(super) fn mul64(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, r: Reg, _: Reg) {
    a.shift3(cpu.avx, PSRLQ, X, l, 32);
    a.op3(cpu.avx, PMULUDQ, X, X, r);
    a.shift3(cpu.avx, PSRLQ, d, r, 32);
    a.op3(cpu.avx, PMULUDQ, d, d, l);
    a.op3(cpu.avx, PADDQ, X, X, d);
    a.shift3(cpu.avx, PSLLQ, X, X, 32);
    a.op3(cpu.avx, PMULUDQ, d, l, r);
    a.op3(cpu.avx, PADDQ, d, d, X);
}

pub(super) fn neg(a: &mut Asm, cpu: &CpuFeatures, sub: Row, d: Reg, s: Reg) {
    zero(a, cpu, X);
    if cpu.avx {
        a.op3(true, sub, d, X, s);
    } else {
        a.op3(false, sub, X, X, s);
        copy(a, d, X);
    }
}

pub(super) fn abs64(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    if cpu.avx {
        zero(a, cpu, X);
        a.op3(true, PSUBQ, X, X, s);
        a.vrvrr(VBLENDVPD, Size::S32, d, s, X, s);
    } else {
        a.op2i(false, PSHUFD, X, s, UPPER);
        a.shift3(false, PSRAD, X, X, 31);
        a.op3(false, PXOR, d, s, X);
        a.op3(false, PSUBQ, d, d, X);
    }
}

/// Each half of each byte is looked up in a table of 16 counts.
pub(super) fn popcnt(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, t: Reg) {
    let low = a.constant(bytes(15));
    let table = a.constant(u128::from_le_bytes([0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]));
    a.shift3(cpu.avx, PSRLW, X, s, 4);
    a.op3(cpu.avx, PAND, X, X, low);
    a.op3(cpu.avx, PAND, d, s, low);
    a.op2(cpu.avx, MOVAPS_RM, t, table);
    if cpu.avx {
        a.op3(true, PSHUFB, d, t, d);
        a.op3(true, PSHUFB, X, t, X);
        a.op3(true, PADDB, d, d, X);
    } else {
        // The table is destroyed by being looked at.
        a.op3(false, PSHUFB, t, t, X);
        a.op2(false, MOVAPS_RM, X, table);
        a.op3(false, PSHUFB, X, X, d);
        copy(a, d, X);
        a.op3(false, PADDB, d, d, t);
    }
}

/// Only -1 times -1 gives -1, which then becomes the greatest value. `d` is not `r`.
pub(super) fn q15mulr_sat(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, r: Reg, _: Reg) {
    let minus_one = a.constant(words(0x8000));
    a.op3(cpu.avx, PMULHRSW, d, l, r);
    a.op3(cpu.avx, PCMPEQW, X, d, minus_one);
    a.op3(cpu.avx, PXOR, d, d, X);
}

/// The unsigned operand is the row's first.
pub(super) fn extadd8_s(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    let one = a.constant(bytes(1));
    a.op2(cpu.avx, MOVAPS_RM, X, one);
    if cpu.avx {
        a.op3(true, PMADDUBSW, d, X, s);
    } else {
        a.op3(false, PMADDUBSW, X, X, s);
        copy(a, d, X);
    }
}

pub(super) fn extadd16_u(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg, _: Reg) {
    zero(a, cpu, X);
    a.op3i(cpu.avx, PBLENDW, X, X, s, 0x55);
    a.shift3(cpu.avx, PSRLD, d, s, 16);
    a.op3(cpu.avx, PADDD, d, d, X);
}

pub(super) fn extend_high(a: &mut Asm, cpu: &CpuFeatures, row: Row, d: Reg, s: Reg) {
    a.op2i(cpu.avx, PSHUFD, d, s, lanes4([2, 3, 2, 3]));
    a.op2(cpu.avx, row, d, d);
}

pub(super) fn extmul8(a: &mut Asm, cpu: &CpuFeatures, extend: Row, high: bool, d: Reg, l: Reg, r: Reg) {
    for (to, from) in [(X, r), (d, l)] {
        if high {
            extend_high(a, cpu, extend, to, from);
        } else {
            a.op2(cpu.avx, extend, to, from);
        }
    }
    a.op3(cpu.avx, PMULLW, d, d, X);
}

/// Upper and lower halves of the products, woven together. `d` is not `r`.
pub(super) fn extmul16(a: &mut Asm, cpu: &CpuFeatures, upper: Row, weave: Row, d: Reg, l: Reg, r: Reg) {
    a.op3(cpu.avx, upper, X, l, r);
    a.op3(cpu.avx, PMULLW, d, l, r);
    a.op3(cpu.avx, weave, d, d, X);
}

pub(super) fn extmul32(a: &mut Asm, cpu: &CpuFeatures, row: Row, high: bool, d: Reg, l: Reg, r: Reg) {
    let lanes = if high { lanes4([2, 2, 3, 3]) } else { lanes4([0, 0, 1, 1]) };
    a.op2i(cpu.avx, PSHUFD, X, r, lanes);
    a.op2i(cpu.avx, PSHUFD, d, l, lanes);
    a.op3(cpu.avx, row, d, d, X);
}

/// `pshufb` looks at four bits and gives 0 for bytes with the highest set: saturating addition sets that for all
/// numbers from 16 on and keeps the four bits of the others.
pub(super) fn swizzle(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, r: Reg, _: Reg) {
    let lift = a.constant(bytes(0x70));
    a.op3(cpu.avx, PADDUSB, X, r, lift);
    a.op3(cpu.avx, PSHUFB, d, l, X);
}

// ---- shifts

pub(in super::super) fn shift_temp(op: Shift, lanes: Lanes) -> bool {
    lanes == Lanes::B || (lanes == Lanes::Q && op == Shift::ShrS)
}

/// The rows that shift by a constant and by a register; there are none for bytes, nor for signed 64-bit lanes.
fn rows(op: Shift, lanes: Lanes) -> (Row, Row) {
    match (op, lanes) {
        (Shift::Shl, Lanes::W) => (PSLLW, PSLLW_RM),
        (Shift::Shl, Lanes::D) => (PSLLD, PSLLD_RM),
        (Shift::Shl, Lanes::Q) => (PSLLQ, PSLLQ_RM),
        (Shift::ShrU, Lanes::W) => (PSRLW, PSRLW_RM),
        (Shift::ShrU, Lanes::D) => (PSRLD, PSRLD_RM),
        (Shift::ShrU, Lanes::Q) => (PSRLQ, PSRLQ_RM),
        (Shift::ShrS, Lanes::W) => (PSRAW, PSRAW_RM),
        (Shift::ShrS, Lanes::D) => (PSRAD, PSRAD_RM),
        _ => unreachable!("no row shifts so"),
    }
}

#[expect(clippy::too_many_arguments, reason = "as the seam has it")]
pub(in super::super) fn shift(
    a: &mut Asm,
    cpu: &CpuFeatures,
    op: Shift,
    lanes: Lanes,
    d: Reg,
    l: Reg,
    n: Amount,
    t: Reg,
) {
    match (op, lanes, n) {
        (_, _, Amount::Imm(0)) => copy(a, d, l),
        (Shift::Shl, Lanes::B, Amount::Imm(1)) => {
            a.op3(cpu.avx, PADDB, d, l, l);
        }
        (Shift::Shl, Lanes::B, Amount::Imm(n)) => masked(a, cpu, PSLLW, d, l, n, 0xff << n),
        (Shift::ShrU, Lanes::B, Amount::Imm(n)) => masked(a, cpu, PSRLW, d, l, n, 0xff >> n),
        (_, Lanes::B, Amount::Imm(n)) => shr8_s(a, cpu, d, l, n),
        (Shift::ShrS, Lanes::Q, Amount::Imm(n)) => shr64_s(a, cpu, d, l, n),
        (_, _, Amount::Imm(n)) => {
            a.shift3(cpu.avx, rows(op, lanes).0, d, l, n);
        }
        (Shift::ShrS, Lanes::B, Amount::Reg(n)) => {
            // Each byte in the upper half of a word, whose lower half goes with 8 more.
            count(a, cpu, X, n, 7, 8);
            a.op3(cpu.avx, PUNPCKHBW, t, l, l);
            a.op3(cpu.avx, PUNPCKLBW, d, l, l);
            a.op3(cpu.avx, PSRAW_RM, t, t, X);
            a.op3(cpu.avx, PSRAW_RM, d, d, X);
            a.op3(cpu.avx, PACKSSWB, d, d, t);
        }
        (_, Lanes::B, Amount::Reg(n)) => {
            count(a, cpu, t, n, 7, 0);
            // X = bytes 0xff >> n
            ones(a, cpu, X);
            a.shift3(cpu.avx, PSRLW, X, X, 8);
            a.op3(cpu.avx, PSRLW_RM, X, X, t);
            a.op3(cpu.avx, PACKUSWB, X, X, X);
            if op == Shift::Shl {
                a.op3(cpu.avx, PAND, d, l, X);
                a.op3(cpu.avx, PSLLW_RM, d, d, t);
            } else {
                a.op3(cpu.avx, PSRLW_RM, d, l, t);
                a.op3(cpu.avx, PAND, d, d, X);
            }
        }
        (Shift::ShrS, Lanes::Q, Amount::Reg(n)) => {
            // The sign, at its new place, is copied upwards by flipping and subtracting it.
            count(a, cpu, X, n, 63, 0);
            ones(a, cpu, t);
            a.shift3(cpu.avx, PSLLQ, t, t, 63);
            a.op3(cpu.avx, PSRLQ_RM, t, t, X);
            a.op3(cpu.avx, PSRLQ_RM, d, l, X);
            a.op3(cpu.avx, PXOR, d, d, t);
            a.op3(cpu.avx, PSUBQ, d, d, t);
        }
        (_, _, Amount::Reg(n)) => {
            count(a, cpu, X, n, lanes.bits() as i32 - 1, 0);
            a.op3(cpu.avx, rows(op, lanes).1, d, l, X);
        }
    }
}

/// `x = (n & mask) + plus`, in the lowest 64 bits
fn count(a: &mut Asm, cpu: &CpuFeatures, x: Reg, n: Reg, mask: i32, plus: i32) {
    a.mov_rr(Size::S32, SCRATCH, n);
    a.alu_ri(Alu::And, Size::S32, SCRATCH, mask);
    if plus != 0 {
        a.alu_ri(Alu::Add, Size::S32, SCRATCH, plus);
    }
    if cpu.avx {
        a.vrr(MOVD_RM, Size::S32, x, SCRATCH);
    } else {
        a.rr(MOVD_RM, Size::S32, x, SCRATCH);
    }
}

/// Bytes shifted as words, less what came over from the neighbour.
fn masked(a: &mut Asm, cpu: &CpuFeatures, row: Row, d: Reg, l: Reg, n: u8, mask: u8) {
    a.shift3(cpu.avx, row, d, l, n);
    let mask = a.constant(bytes(mask));
    a.op3(cpu.avx, PAND, d, d, mask);
}

fn shr8_s(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, n: u8) {
    if n == 7 {
        zero(a, cpu, X);
        a.op3(cpu.avx, PCMPGTB, X, X, l);
        return copy(a, d, X);
    }
    masked(a, cpu, PSRLW, d, l, n, 0xff >> n);
    let sign = a.constant(bytes(0x80 >> n));
    a.op3(cpu.avx, PXOR, d, d, sign);
    a.op3(cpu.avx, PSUBB, d, d, sign);
}

/// The upper halves by a signed shift, the lower ones by an unsigned one or from the upper ones.
fn shr64_s(a: &mut Asm, cpu: &CpuFeatures, d: Reg, l: Reg, n: u8) {
    match n {
        1..=31 => {
            a.shift3(cpu.avx, PSRAD, X, l, n);
            a.shift3(cpu.avx, PSRLQ, d, l, n);
            a.op3i(cpu.avx, PBLENDW, d, d, X, 0xcc);
        }
        63 => {
            a.op2i(cpu.avx, PSHUFD, d, l, UPPER);
            a.shift3(cpu.avx, PSRAD, d, d, 31);
        }
        _ => {
            a.shift3(cpu.avx, PSRAD, X, l, 31);
            a.op2i(cpu.avx, PSHUFD, d, l, UPPER);
            if n > 32 {
                a.shift3(cpu.avx, PSRAD, d, d, n - 32);
            }
            a.op3i(cpu.avx, PBLENDW, d, d, X, 0xcc);
        }
    }
}
