//! Primitives of vectors. Nearly every operation is a row of `rows/vector.rs`, which the tables here name; what no row
//! does is a sequence, in the files below.
//!
//! With AVX all have three operands and memory at any address; otherwise the destination is the left operand, behind a
//! move where it is another, and memory is aligned. `FLOAT_SCRATCH` is the sequences' first temporary.

mod float;
mod int;
mod lanes;
mod relaxed;
mod shuffle;

pub(super) use int::{shift, shift_temp};
pub(super) use lanes::{bitmask, constant, extract_lane, load, replace_lane, splat, store_lane, test};
pub(super) use relaxed::{fused, ternary, ternary_form};
pub(super) use shuffle::{shuffle, shuffle_form};

use crate::isa::{At, Dest, VectorBinary, VectorForm, VectorSrc, VectorUnary};
use crate::treaty::facts::CpuFeatures;
use crate::treaty::ty::Width;
use lightbeam_asm::x64::rows::*;
use lightbeam_asm::x64::{Asm, Predicate, Rm, Round, XMM15};
use lightbeam_asm::{Assembler, Reg};

const X: Reg = XMM15;

const fn bytes(value: u8) -> u128 {
    u128::from_le_bytes([value; 16])
}

const fn words(value: u16) -> u128 {
    value as u128 * (u128::MAX / 0xffff)
}

const fn doubles(value: u32) -> u128 {
    value as u128 * (u128::MAX / 0xffff_ffff)
}

const fn quads(value: u64) -> u128 {
    value as u128 | (value as u128) << 64
}

fn zero(a: &mut Asm, cpu: &CpuFeatures, d: Reg) {
    a.op3(cpu.avx, PXOR, d, d, d);
}

fn ones(a: &mut Asm, cpu: &CpuFeatures, d: Reg) {
    a.op3(cpu.avx, PCMPEQD, d, d, d);
}

fn copy(a: &mut Asm, d: Reg, s: Reg) {
    if d != s {
        a.movaps_rr(d, s);
    }
}

fn not(a: &mut Asm, cpu: &CpuFeatures, d: Reg, s: Reg) {
    let ones = a.constant(u128::MAX);
    a.op3(cpu.avx, PXOR, d, s, ones);
}

/// The operand as the assembler has it.
fn rm(a: &mut Asm, s: VectorSrc) -> Rm {
    match s {
        VectorSrc::Reg(reg) => Rm::Reg(reg),
        VectorSrc::Mem(addr) => Rm::Mem(addr),
        VectorSrc::Const(bits) => Rm::Const(a.constant(bits)),
    }
}

/// The register that an operand is in whose form has no memory.
fn reg(s: VectorSrc) -> Reg {
    match s {
        VectorSrc::Reg(reg) => reg,
        VectorSrc::Mem(_) | VectorSrc::Const(_) => unreachable!("an operand that has to be in a register"),
    }
}

// ---- one operand

type UnarySeq = fn(&mut Asm, &CpuFeatures, Reg, Reg, Reg);

/// How an operation on one vector is done.
#[derive(Clone, Copy)]
enum Unary {
    Row(Row),
    Imm(Row, i32),
    /// A row whose last operand is this constant.
    With(Row, u128),
    /// The upper half first brought down.
    High(Row),
    /// 0 minus the operand.
    Neg(Row),
    /// `(d, s, t)`; `d` may be `s`.
    Seq(UnarySeq),
    /// `(d, s, t)` with a temporary for `t`; `d` may be `s`.
    Temp(UnarySeq),
}

#[rustfmt::skip]
const fn unary_plan(op: VectorUnary) -> Unary {
    use Unary::*;
    use VectorUnary as V;
    match op {
        V::Not => Seq(|a, cpu, d, s, _| not(a, cpu, d, s)),
        V::F32x4DemoteF64x2Zero => Row(CVTPD2PS),
        V::F64x2PromoteLowF32x4 => Row(CVTPS2PD),
        V::I8x16Abs => Row(PABSB),
        V::I16x8Abs => Row(PABSW),
        V::I32x4Abs => Row(PABSD),
        V::I64x2Abs => Seq(int::abs64),
        V::I8x16Neg => Neg(PSUBB),
        V::I16x8Neg => Neg(PSUBW),
        V::I32x4Neg => Neg(PSUBD),
        V::I64x2Neg => Neg(PSUBQ),
        V::I8x16Popcnt => Temp(int::popcnt),
        V::I16x8ExtaddPairwiseI8x16S => Seq(int::extadd8_s),
        V::I16x8ExtaddPairwiseI8x16U => With(PMADDUBSW, bytes(1)),
        V::I32x4ExtaddPairwiseI16x8S => With(PMADDWD, words(1)),
        V::I32x4ExtaddPairwiseI16x8U => Seq(int::extadd16_u),
        V::I16x8ExtendLowI8x16S => Row(PMOVSXBW),
        V::I16x8ExtendLowI8x16U => Row(PMOVZXBW),
        V::I32x4ExtendLowI16x8S => Row(PMOVSXWD),
        V::I32x4ExtendLowI16x8U => Row(PMOVZXWD),
        V::I64x2ExtendLowI32x4S => Row(PMOVSXDQ),
        V::I64x2ExtendLowI32x4U => Row(PMOVZXDQ),
        V::I16x8ExtendHighI8x16S => High(PMOVSXBW),
        V::I16x8ExtendHighI8x16U => With(PUNPCKHBW, 0),
        V::I32x4ExtendHighI16x8S => High(PMOVSXWD),
        V::I32x4ExtendHighI16x8U => With(PUNPCKHWD, 0),
        V::I64x2ExtendHighI32x4S => High(PMOVSXDQ),
        V::I64x2ExtendHighI32x4U => With(PUNPCKHDQ, 0),
        V::F32x4Ceil => Imm(ROUNDPS, Round::Up as i32),
        V::F32x4Floor => Imm(ROUNDPS, Round::Down as i32),
        V::F32x4Trunc => Imm(ROUNDPS, Round::Zero as i32),
        V::F32x4Nearest => Imm(ROUNDPS, Round::Nearest as i32),
        V::F64x2Ceil => Imm(ROUNDPD, Round::Up as i32),
        V::F64x2Floor => Imm(ROUNDPD, Round::Down as i32),
        V::F64x2Trunc => Imm(ROUNDPD, Round::Zero as i32),
        V::F64x2Nearest => Imm(ROUNDPD, Round::Nearest as i32),
        V::F32x4Abs => With(ANDPS, doubles(0x7fff_ffff)),
        V::F32x4Neg => With(XORPS, doubles(1 << 31)),
        V::F32x4Sqrt => Row(SQRTPS),
        V::F64x2Abs => With(ANDPS, quads(u64::MAX >> 1)),
        V::F64x2Neg => With(XORPS, quads(1 << 63)),
        V::F64x2Sqrt => Row(SQRTPD),
        V::I32x4TruncSatF32x4S => Seq(float::trunc32_s),
        V::I32x4TruncSatF32x4U => Temp(float::trunc32_u),
        V::I32x4TruncSatF64x2SZero => Seq(float::trunc64_s),
        V::I32x4TruncSatF64x2UZero => Seq(float::trunc64_u),
        V::F32x4ConvertI32x4S => Row(CVTDQ2PS),
        V::F32x4ConvertI32x4U => Seq(float::convert32_u),
        V::F64x2ConvertLowI32x4S => Row(CVTDQ2PD),
        V::F64x2ConvertLowI32x4U => Seq(float::convert64_u),
        V::I32x4RelaxedTruncF32x4S => Row(CVTTPS2DQ),
        V::I32x4RelaxedTruncF64x2SZero => Row(CVTTPD2DQ),
    }
}

/// Is the operation an instruction that reads all 16 bytes of its operand?
pub(super) const fn unary_folds(op: VectorUnary) -> bool {
    match unary_plan(op) {
        Unary::Row(row) | Unary::Imm(row, _) => matches!(row.rm, Operand::F128),
        _ => false,
    }
}

pub(super) fn unary_form(op: VectorUnary) -> VectorForm {
    let plan = unary_plan(op);
    VectorForm {
        swap: false,
        commutes: false,
        memory: matches!(plan, Unary::Row(_) | Unary::Imm(..)),
        dest: Dest::Any,
        temp: matches!(plan, Unary::Temp(_)),
    }
}

pub(super) fn unary(a: &mut Asm, cpu: &CpuFeatures, op: VectorUnary, d: Reg, s: VectorSrc, t: Reg) -> At {
    match unary_plan(op) {
        Unary::Row(row) => {
            let s = rm(a, s);
            return a.op2(cpu.avx, row, d, s);
        }
        Unary::Imm(row, imm) => {
            let s = rm(a, s);
            return a.op2i(cpu.avx, row, d, s, imm);
        }
        Unary::With(row, bits) => {
            let constant = a.constant(bits);
            a.op3(cpu.avx, row, d, reg(s), constant);
        }
        Unary::High(row) => int::extend_high(a, cpu, row, d, reg(s)),
        Unary::Neg(row) => int::neg(a, cpu, row, d, reg(s)),
        Unary::Seq(emit) | Unary::Temp(emit) => emit(a, cpu, d, reg(s), t),
    }
    a.offset()
}

// ---- two operands

type BinarySeq = fn(&mut Asm, &CpuFeatures, Reg, Reg, Reg, Reg);

/// How an operation on two vectors is done.
#[derive(Clone, Copy)]
enum How {
    Row(Row),
    Imm(Row, Predicate),
    /// The complement of what a row gives.
    Not(Row),
    /// Is the left operand what the second row picks of both?
    Picked {
        eq: Row,
        pick: Row,
    },
    /// An unsigned compare by a signed one: both operands with this added, which is the highest bit of each lane.
    Flipped {
        gt: Row,
        sign: u128,
    },
    /// `(d, l, r, t)`, to where it says, with or without a temporary.
    Seq(BinarySeq, Dest, bool),
}

#[derive(Clone, Copy)]
struct Binary {
    how: How,
    swap: bool,
}

const fn plan(how: How) -> Binary {
    Binary { how, swap: false }
}

const fn row(row: Row) -> Binary {
    plan(How::Row(row))
}

/// The row has the operands in the other order.
const fn swapped(row: Row) -> Binary {
    Binary { swap: true, ..plan(How::Row(row)) }
}

const fn ask(row: Row, predicate: Predicate) -> Binary {
    plan(How::Imm(row, predicate))
}

const fn ask_swapped(row: Row, predicate: Predicate) -> Binary {
    Binary { swap: true, ..plan(How::Imm(row, predicate)) }
}

const fn not_of(row: Row) -> Binary {
    plan(How::Not(row))
}

const fn not_of_swapped(row: Row) -> Binary {
    Binary { swap: true, ..plan(How::Not(row)) }
}

const fn picked(eq: Row, pick: Row) -> Binary {
    plan(How::Picked { eq, pick })
}

const fn flipped(gt: Row, sign: u128) -> Binary {
    plan(How::Flipped { gt, sign })
}

const fn flipped_swapped(gt: Row, sign: u128) -> Binary {
    Binary { swap: true, ..flipped(gt, sign) }
}

/// To any register.
const fn any(emit: BinarySeq) -> Binary {
    plan(How::Seq(emit, Dest::Any, false))
}

/// To the first operand's register, or another.
const fn first(emit: BinarySeq) -> Binary {
    plan(How::Seq(emit, Dest::First, false))
}

/// To a register that is no operand's.
const fn fresh(emit: BinarySeq) -> Binary {
    plan(How::Seq(emit, Dest::Fresh, false))
}

#[rustfmt::skip]
const fn binary_plan(op: VectorBinary) -> Binary {
    use VectorBinary as V;
    use Predicate as P;
    match op {
        V::I8x16Eq => row(PCMPEQB),
        V::I8x16Ne => not_of(PCMPEQB),
        V::I8x16LtS => swapped(PCMPGTB),
        V::I8x16LtU => flipped_swapped(PCMPGTB, bytes(0x80)),
        V::I8x16GtS => row(PCMPGTB),
        V::I8x16GtU => flipped(PCMPGTB, bytes(0x80)),
        V::I8x16LeS => picked(PCMPEQB, PMINSB),
        V::I8x16LeU => picked(PCMPEQB, PMINUB),
        V::I8x16GeS => picked(PCMPEQB, PMAXSB),
        V::I8x16GeU => picked(PCMPEQB, PMAXUB),
        V::I16x8Eq => row(PCMPEQW),
        V::I16x8Ne => not_of(PCMPEQW),
        V::I16x8LtS => swapped(PCMPGTW),
        V::I16x8LtU => flipped_swapped(PCMPGTW, words(0x8000)),
        V::I16x8GtS => row(PCMPGTW),
        V::I16x8GtU => flipped(PCMPGTW, words(0x8000)),
        V::I16x8LeS => picked(PCMPEQW, PMINSW),
        V::I16x8LeU => picked(PCMPEQW, PMINUW),
        V::I16x8GeS => picked(PCMPEQW, PMAXSW),
        V::I16x8GeU => picked(PCMPEQW, PMAXUW),
        V::I32x4Eq => row(PCMPEQD),
        V::I32x4Ne => not_of(PCMPEQD),
        V::I32x4LtS => swapped(PCMPGTD),
        V::I32x4LtU => flipped_swapped(PCMPGTD, doubles(1 << 31)),
        V::I32x4GtS => row(PCMPGTD),
        V::I32x4GtU => flipped(PCMPGTD, doubles(1 << 31)),
        V::I32x4LeS => picked(PCMPEQD, PMINSD),
        V::I32x4LeU => picked(PCMPEQD, PMINUD),
        V::I32x4GeS => picked(PCMPEQD, PMAXSD),
        V::I32x4GeU => picked(PCMPEQD, PMAXUD),
        V::I64x2Eq => row(PCMPEQQ),
        V::I64x2Ne => not_of(PCMPEQQ),
        V::I64x2LtS => swapped(PCMPGTQ),
        V::I64x2GtS => row(PCMPGTQ),
        V::I64x2LeS => not_of(PCMPGTQ),
        V::I64x2GeS => not_of_swapped(PCMPGTQ),
        V::F32x4Eq => ask(CMPPS, P::Eq),
        V::F32x4Ne => ask(CMPPS, P::Neq),
        V::F32x4Lt => ask(CMPPS, P::Lt),
        V::F32x4Gt => ask_swapped(CMPPS, P::Lt),
        V::F32x4Le => ask(CMPPS, P::Le),
        V::F32x4Ge => ask_swapped(CMPPS, P::Le),
        V::F64x2Eq => ask(CMPPD, P::Eq),
        V::F64x2Ne => ask(CMPPD, P::Neq),
        V::F64x2Lt => ask(CMPPD, P::Lt),
        V::F64x2Gt => ask_swapped(CMPPD, P::Lt),
        V::F64x2Le => ask(CMPPD, P::Le),
        V::F64x2Ge => ask_swapped(CMPPD, P::Le),

        V::And => row(PAND),
        // The complement is of the row's first operand.
        V::Andnot => swapped(PANDN),
        V::Or => row(POR),
        V::Xor => row(PXOR),
        V::I8x16Swizzle => any(int::swizzle),
        V::I8x16RelaxedSwizzle => row(PSHUFB),
        V::I8x16NarrowI16x8S => row(PACKSSWB),
        V::I8x16NarrowI16x8U => row(PACKUSWB),
        V::I16x8NarrowI32x4S => row(PACKSSDW),
        V::I16x8NarrowI32x4U => row(PACKUSDW),

        V::I8x16Add => row(PADDB),
        V::I8x16AddSatS => row(PADDSB),
        V::I8x16AddSatU => row(PADDUSB),
        V::I8x16Sub => row(PSUBB),
        V::I8x16SubSatS => row(PSUBSB),
        V::I8x16SubSatU => row(PSUBUSB),
        V::I8x16MinS => row(PMINSB),
        V::I8x16MinU => row(PMINUB),
        V::I8x16MaxS => row(PMAXSB),
        V::I8x16MaxU => row(PMAXUB),
        V::I8x16AvgrU => row(PAVGB),
        V::I16x8Add => row(PADDW),
        V::I16x8AddSatS => row(PADDSW),
        V::I16x8AddSatU => row(PADDUSW),
        V::I16x8Sub => row(PSUBW),
        V::I16x8SubSatS => row(PSUBSW),
        V::I16x8SubSatU => row(PSUBUSW),
        V::I16x8Mul => row(PMULLW),
        V::I16x8MinS => row(PMINSW),
        V::I16x8MinU => row(PMINUW),
        V::I16x8MaxS => row(PMAXSW),
        V::I16x8MaxU => row(PMAXUW),
        V::I16x8AvgrU => row(PAVGW),
        V::I16x8Q15mulrSatS => first(int::q15mulr_sat),
        V::I16x8RelaxedQ15mulrS => row(PMULHRSW),
        V::I16x8ExtmulLowI8x16S => any(|a, cpu, d, l, r, _| int::extmul8(a, cpu, PMOVSXBW, false, d, l, r)),
        V::I16x8ExtmulHighI8x16S => any(|a, cpu, d, l, r, _| int::extmul8(a, cpu, PMOVSXBW, true, d, l, r)),
        V::I16x8ExtmulLowI8x16U => any(|a, cpu, d, l, r, _| int::extmul8(a, cpu, PMOVZXBW, false, d, l, r)),
        V::I16x8ExtmulHighI8x16U => any(|a, cpu, d, l, r, _| int::extmul8(a, cpu, PMOVZXBW, true, d, l, r)),
        V::I32x4Add => row(PADDD),
        V::I32x4Sub => row(PSUBD),
        V::I32x4Mul => row(PMULLD),
        V::I32x4MinS => row(PMINSD),
        V::I32x4MinU => row(PMINUD),
        V::I32x4MaxS => row(PMAXSD),
        V::I32x4MaxU => row(PMAXUD),
        V::I32x4DotI16x8S => row(PMADDWD),
        V::I32x4ExtmulLowI16x8S => first(|a, cpu, d, l, r, _| int::extmul16(a, cpu, PMULHW, PUNPCKLWD, d, l, r)),
        V::I32x4ExtmulHighI16x8S => first(|a, cpu, d, l, r, _| int::extmul16(a, cpu, PMULHW, PUNPCKHWD, d, l, r)),
        V::I32x4ExtmulLowI16x8U => first(|a, cpu, d, l, r, _| int::extmul16(a, cpu, PMULHUW, PUNPCKLWD, d, l, r)),
        V::I32x4ExtmulHighI16x8U => first(|a, cpu, d, l, r, _| int::extmul16(a, cpu, PMULHUW, PUNPCKHWD, d, l, r)),
        V::I64x2Add => row(PADDQ),
        V::I64x2Sub => row(PSUBQ),
        V::I64x2Mul => fresh(int::mul64),
        V::I64x2ExtmulLowI32x4S => any(|a, cpu, d, l, r, _| int::extmul32(a, cpu, PMULDQ, false, d, l, r)),
        V::I64x2ExtmulHighI32x4S => any(|a, cpu, d, l, r, _| int::extmul32(a, cpu, PMULDQ, true, d, l, r)),
        V::I64x2ExtmulLowI32x4U => any(|a, cpu, d, l, r, _| int::extmul32(a, cpu, PMULUDQ, false, d, l, r)),
        V::I64x2ExtmulHighI32x4U => any(|a, cpu, d, l, r, _| int::extmul32(a, cpu, PMULUDQ, true, d, l, r)),
        // The product of the second operand's bytes, unsigned in the row, with the first's.
        V::I16x8RelaxedDotI8x16I7x16S => swapped(PMADDUBSW),
        V::I16x8DotI8x16S => plan(How::Seq(relaxed::dot, Dest::Any, true)),

        V::F32x4Add => row(ADDPS),
        V::F32x4Sub => row(SUBPS),
        V::F32x4Mul => row(MULPS),
        V::F32x4Div => row(DIVPS),
        V::F32x4Min => fresh(|a, cpu, d, l, r, _| float::min_max(a, cpu, &float::F32X4, false, d, l, r)),
        V::F32x4Max => fresh(|a, cpu, d, l, r, _| float::min_max(a, cpu, &float::F32X4, true, d, l, r)),
        // The rows give their second operand for zeros of either sign and for NaNs, wasm's the first.
        V::F32x4Pmin => swapped(MINPS),
        V::F32x4Pmax => swapped(MAXPS),
        V::F64x2Add => row(ADDPD),
        V::F64x2Sub => row(SUBPD),
        V::F64x2Mul => row(MULPD),
        V::F64x2Div => row(DIVPD),
        V::F64x2Min => fresh(|a, cpu, d, l, r, _| float::min_max(a, cpu, &float::F64X2, false, d, l, r)),
        V::F64x2Max => fresh(|a, cpu, d, l, r, _| float::min_max(a, cpu, &float::F64X2, true, d, l, r)),
        V::F64x2Pmin => swapped(MINPD),
        V::F64x2Pmax => swapped(MAXPD),
    }
}

/// Where a row can have its result.
fn dest_of_row(cpu: &CpuFeatures) -> Dest {
    if cpu.avx { Dest::Any } else { Dest::First }
}

/// Is the last operand read by an instruction that reads all 16 bytes of it? Not where the operands are exchanged.
pub(super) const fn binary_folds(op: VectorBinary) -> bool {
    let Binary { how, swap } = binary_plan(op);
    match how {
        How::Row(row) | How::Imm(row, _) | How::Not(row) => {
            assert!(matches!(row.rm, Operand::F128), "a row that reads less");
            !swap
        }
        How::Picked { .. } | How::Flipped { .. } => !swap,
        How::Seq(..) => false,
    }
}

/// Each NaN among the lanes of a width becomes the canonical one.
pub(super) fn canonical_nans(a: &mut Asm, cpu: &CpuFeatures, width: Width, d: Reg) {
    let rows = match width {
        Width::W32 => &float::F32X4,
        Width::W64 => &float::F64X2,
    };
    float::canonical(a, cpu, rows, d);
}

pub(super) fn binary_form(cpu: &CpuFeatures, op: VectorBinary) -> VectorForm {
    let Binary { how, swap } = binary_plan(op);
    // What is done by one row is the same both ways if the operation is.
    let commutes = op.commutes() && matches!(how, How::Row(_) | How::Imm(..) | How::Not(_));
    let (memory, dest, temp) = match how {
        How::Row(_) | How::Imm(..) | How::Not(_) => (true, dest_of_row(cpu), false),
        How::Picked { .. } | How::Flipped { .. } => (true, Dest::Any, false),
        How::Seq(_, dest, temp) => (false, dest, temp),
    };
    VectorForm { swap, commutes, memory, dest, temp }
}

pub(super) fn binary(a: &mut Asm, cpu: &CpuFeatures, op: VectorBinary, d: Reg, l: Reg, r: VectorSrc, t: Reg) -> At {
    match binary_plan(op).how {
        How::Row(row) => {
            let r = rm(a, r);
            a.op3(cpu.avx, row, d, l, r)
        }
        How::Imm(row, predicate) => {
            let r = rm(a, r);
            a.op3i(cpu.avx, row, d, l, r, predicate as i32)
        }
        How::Not(row) => {
            let r = rm(a, r);
            let at = a.op3(cpu.avx, row, d, l, r);
            not(a, cpu, d, d);
            at
        }
        How::Picked { eq, pick } => int::picked(a, cpu, eq, pick, d, l, r),
        How::Flipped { gt, sign } => int::flipped(a, cpu, gt, sign, d, l, r),
        How::Seq(emit, _, _) => {
            emit(a, cpu, d, l, reg(r), t);
            a.offset()
        }
    }
}
