//! Float primitives. Scalars take no constants from behind the code: masks are shifted out of all ones, others come by
//! way of the integer scratch.

use crate::isa::{At, Cond, FloatAlu, FloatCmp, FloatSrc, FloatUnary};
use crate::treaty::facts::CpuFeatures;
use crate::treaty::ty::Width;
use lightbeam_asm::x64::{Asm, Cc, R11, Round, Size, XMM15, rows};
use lightbeam_asm::{Assembler, Reg};

const SCRATCH: Reg = R11;
const FLOAT_SCRATCH: Reg = XMM15;

/// Operations on float registers ignore the size unless an integer register is the other operand.
const NO_SIZE: Size = Size::S32;

/// The row for a width, of the two given.
pub(super) const fn of(width: Width, w32: rows::Row, w64: rows::Row) -> rows::Row {
    match width {
        Width::W32 => w32,
        Width::W64 => w64,
    }
}

const fn sign_bit(width: Width) -> u64 {
    match width {
        Width::W32 => 1 << 31,
        Width::W64 => 1 << 63,
    }
}

pub(super) fn zero(a: &mut Asm, d: Reg) {
    a.rr(rows::XORPS, NO_SIZE, d, d);
}

fn copy(a: &mut Asm, d: Reg, s: Reg) {
    if d != s {
        a.movaps_rr(d, s);
    }
}

/// `d = the sign bit alone`
fn sign_mask(a: &mut Asm, width: Width, d: Reg) {
    a.rr(rows::PCMPEQD, NO_SIZE, d, d);
    a.ri(of(width, rows::PSLLD, rows::PSLLQ), NO_SIZE, d, width.bits() as i32 - 1);
}

/// `d = all bits but the sign`
fn magnitude_mask(a: &mut Asm, width: Width, d: Reg) {
    a.rr(rows::PCMPEQD, NO_SIZE, d, d);
    a.ri(of(width, rows::PSRLD, rows::PSRLQ), NO_SIZE, d, 1);
}

pub(super) fn constant(a: &mut Asm, width: Width, d: Reg, bits: u64) {
    if bits == 0 {
        zero(a, d);
    } else if bits == sign_bit(width) {
        sign_mask(a, width, d);
    } else {
        a.mov_ri(super::size(width), SCRATCH, bits as i64);
        a.movd_to_float(super::size(width), d, SCRATCH);
    }
}

pub(super) fn alu(a: &mut Asm, cpu: &CpuFeatures, op: FloatAlu, width: Width, d: Reg, l: Reg, r: FloatSrc) -> At {
    let commutes = matches!(op, FloatAlu::Add | FloatAlu::Mul);
    let row = match op {
        FloatAlu::Add => of(width, rows::ADDSS, rows::ADDSD),
        FloatAlu::Sub => of(width, rows::SUBSS, rows::SUBSD),
        FloatAlu::Mul => of(width, rows::MULSS, rows::MULSD),
        FloatAlu::Div => of(width, rows::DIVSS, rows::DIVSD),
    };
    match r {
        FloatSrc::Reg(r) if cpu.avx => {
            // A high register costs a byte as the last operand and none as the one before.
            let (l, r) = if commutes && r.code() >= 8 { (r, l) } else { (l, r) };
            a.vrvr(row, NO_SIZE, d, l, r);
        }
        FloatSrc::Reg(r) if d == r && d != l => {
            debug_assert!(commutes, "d is the right operand");
            a.rr(row, NO_SIZE, d, l);
        }
        FloatSrc::Reg(r) => {
            copy(a, d, l);
            a.rr(row, NO_SIZE, d, r);
        }
        FloatSrc::Mem(addr) => {
            if cpu.avx {
                let at = a.offset();
                a.vrvm(row, NO_SIZE, d, l, addr);
                return at;
            }
            copy(a, d, l);
            let at = a.offset();
            a.rm(row, NO_SIZE, d, addr);
            return at;
        }
    }
    a.offset()
}

pub(super) fn unary(a: &mut Asm, cpu: &CpuFeatures, op: FloatUnary, width: Width, d: Reg, s: Reg) {
    let round = match op {
        FloatUnary::Abs => return masked(a, width, magnitude_mask, rows::ANDPS, d, s),
        FloatUnary::Neg => return masked(a, width, sign_mask, rows::XORPS, d, s),
        FloatUnary::Sqrt => return partial(a, cpu, of(width, rows::SQRTSS, rows::SQRTSD), d, s),
        FloatUnary::Ceil => Round::Up,
        FloatUnary::Floor => Round::Down,
        FloatUnary::Trunc => Round::Zero,
        FloatUnary::Nearest => Round::Nearest,
    };
    let row = of(width, rows::ROUNDSS, rows::ROUNDSD);
    if cpu.avx {
        return a.vrvri(row, NO_SIZE, d, s, s, round as i32);
    }
    if d != s {
        zero(a, d);
    }
    a.rri(row, NO_SIZE, d, s, round as i32);
}

/// `d = s op mask`. The mask is made in `d` itself unless `s` is there.
fn masked(a: &mut Asm, width: Width, mask: fn(&mut Asm, Width, Reg), row: rows::Row, d: Reg, s: Reg) {
    let (m, other) = if d == s { (FLOAT_SCRATCH, FLOAT_SCRATCH) } else { (d, s) };
    mask(a, width, m);
    a.rr(row, NO_SIZE, d, other);
}

/// An operation of float registers that keeps the upper part of `d`, made not to wait for it.
pub(super) fn partial(a: &mut Asm, cpu: &CpuFeatures, row: rows::Row, d: Reg, s: Reg) {
    if cpu.avx {
        return a.vrvr(row, NO_SIZE, d, s, s);
    }
    if d != s {
        zero(a, d);
    }
    a.rr(row, NO_SIZE, d, s);
}

/// `ucomis` sets ZF, PF and CF for unordered operands, ZF for equal ones, CF for less. So only *above* and *above or
/// equal* are false for NaNs by themselves, and less is asked as greater of the exchanged operands.
pub(super) fn compare(a: &mut Asm, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Cond {
    let (l, r, cond) = match op {
        FloatCmp::Eq => (l, r, Cond::FloatEq),
        FloatCmp::Ne => (l, r, Cond::FloatNe),
        FloatCmp::Gt => (l, r, Cond::GtU),
        FloatCmp::Ge => (l, r, Cond::GeU),
        FloatCmp::Lt => (r, l, Cond::GtU),
        FloatCmp::Le => (r, l, Cond::GeU),
    };
    ucomis(a, width, l, r);
    cond
}

pub(super) fn ucomis(a: &mut Asm, width: Width, l: Reg, r: Reg) {
    a.rr(of(width, rows::UCOMISS, rows::UCOMISD), NO_SIZE, l, r);
}

/// The branch is nearly always taken, so what was computed need not wait.
pub(super) fn canonical_nan(a: &mut Asm, width: Width, d: Reg) {
    ucomis(a, width, d, d);
    let number = a.jcc_short(Cc::Np);
    constant(a, width, d, if width == Width::W32 { 0x7fc0_0000 } else { 0x7ff8 << 48 });
    a.bind_short(number);
}

/// `minss` gives its second operand for zeros of either sign and for NaNs, so equal and unordered operands go aside:
/// of equal ones, which differ at most in the sign, the union of bits is the lesser and the intersection the greater;
/// of unordered ones the sum is a quiet NaN.
pub(super) fn min_max(a: &mut Asm, max: bool, width: Width, d: Reg, l: Reg, r: Reg) {
    debug_assert!(d != l && d != r);
    let (pick, equal) = if max {
        (of(width, rows::MAXSS, rows::MAXSD), rows::ANDPS)
    } else {
        (of(width, rows::MINSS, rows::MINSD), rows::ORPS)
    };
    a.movaps_rr(d, l);
    ucomis(a, width, l, r);
    let different = a.jcc_short(Cc::Ne);
    let unordered = a.jcc_short(Cc::P);
    a.rr(equal, NO_SIZE, d, r);
    let done = a.jmp_short();
    a.bind_short(unordered);
    a.rr(of(width, rows::ADDSS, rows::ADDSD), NO_SIZE, d, r);
    let done_too = a.jmp_short();
    a.bind_short(different);
    a.rr(pick, NO_SIZE, d, r);
    a.bind_short(done);
    a.bind_short(done_too);
}

/// Flips the sign of `l` if it differs from that of `r`.
pub(super) fn copysign(a: &mut Asm, width: Width, d: Reg, l: Reg, r: Reg) {
    let sign = width.bits() as i32 - 1;
    a.movaps_rr(FLOAT_SCRATCH, l);
    a.rr(rows::XORPS, NO_SIZE, FLOAT_SCRATCH, r);
    a.ri(of(width, rows::PSRLD, rows::PSRLQ), NO_SIZE, FLOAT_SCRATCH, sign);
    a.ri(of(width, rows::PSLLD, rows::PSLLQ), NO_SIZE, FLOAT_SCRATCH, sign);
    copy(a, d, l);
    a.rr(rows::XORPS, NO_SIZE, d, FLOAT_SCRATCH);
}
