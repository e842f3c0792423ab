//! x86-64, from the level that the psABI calls v2 upwards.
//!
//! What shapes the primitives here:
//! - Two-operand instructions. `d = l op r` with `d != l` costs a move, except where `lea` (integers) or VEX (floats)
//!   has three operands. The register contract in `isa/mod.rs` (`d` is not in `r`) makes that move always possible.
//! - Flags. Nearly every integer instruction writes them. `mov`, `lea`, `setcc`, `cmov` and all float instructions but
//!   `ucomis` do not; a constant 0 by `xor` does.
//! - Fixed registers. Shift counts are in cl unless BMI2 is there; division and widening multiplication work on
//!   rax and rdx.
//! - Partial writes. Scalar float instructions with another register as source keep the upper part of the
//!   destination, so they wait for its last writer. Where that can be any earlier code, the destination is zeroed
//!   first (a zeroing `xorps` costs no execution), or VEX takes the source for the upper part too.
//! - Legacy and VEX forms are mixed freely: the upper halves of vector registers stay clean, as 256-bit
//!   instructions are never emitted and hosts leave none dirty.

mod atomics;
mod convert;
mod float;
mod folds;
mod int;
mod simd;
#[cfg(test)]
mod tests;

use super::*;
// By name, as both globs have them.
use super::{Alu, Shift};
use lightbeam_asm::x64::{self as asm, *};

/// The instruction set x86-64.
#[derive(Clone, Copy, Debug, Default)]
pub struct X64;

const fn size(width: Width) -> Size {
    match width {
        Width::W32 => Size::S32,
        Width::W64 => Size::S64,
    }
}

/// By `Load`.
#[rustfmt::skip]
static LOADS: [(rows::Row, Size); 15] = [
    /* I32    */ (rows::MOV_RM,   Size::S32),
    /* I64    */ (rows::MOV_RM,   Size::S64),
    /* F32    */ (rows::MOVSS_RM, Size::S32),
    /* F64    */ (rows::MOVSD_RM, Size::S32),
    /* I32S8  */ (rows::MOVSX_8,  Size::S32),
    /* I32U8  */ (rows::MOVZX_8,  Size::S32),
    /* I32S16 */ (rows::MOVSX_16, Size::S32),
    /* I32U16 */ (rows::MOVZX_16, Size::S32),
    /* I64S8  */ (rows::MOVSX_8,  Size::S64),
    /* I64U8  */ (rows::MOVZX_8,  Size::S32),
    /* I64S16 */ (rows::MOVSX_16, Size::S64),
    /* I64U16 */ (rows::MOVZX_16, Size::S32),
    /* I64S32 */ (rows::MOVSXD,   Size::S64),
    /* I64U32 */ (rows::MOV_RM,   Size::S32),
    /* V128   */ (rows::MOVUPS_RM, Size::S32),
];

/// By `Store`.
#[rustfmt::skip]
static STORES: [(rows::Row, Size); 7] = [
    /* B8     */ (rows::MOV_MR8,  Size::S32),
    /* B16    */ (rows::MOV_MR16, Size::S32),
    /* B32    */ (rows::MOV_MR,   Size::S32),
    /* B64    */ (rows::MOV_MR,   Size::S64),
    /* F32    */ (rows::MOVSS_MR, Size::S32),
    /* F64    */ (rows::MOVSD_MR, Size::S32),
    /* V128   */ (rows::MOVUPS_MR, Size::S32),
];

/// Tail's integer arguments and results, those of the C convention, and the floats of both.
const C_INT_ARGS: &[Reg] = &[RDI, RSI, RDX, RCX, R8, R9];
const INT_RESULTS: &[Reg] = &[RAX, RCX, RDX, RSI, RDI, R8, R9, R10];
const FLOATS: &[Reg] = &[XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7];

impl Isa for X64 {
    type Asm = Asm;

    const NAME: &'static str = "x86-64";
    #[rustfmt::skip]
    const ALLOCATABLE: RegSet = RegSet::of(&[
        RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R12, R13,
        XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14,
    ]);
    const PRESERVED: &'static [Reg] = &[RBX, R12, R13];
    const VOLATILE_HOMES: &'static [Reg] = &[RSI, RDI, R8, R9];
    const FLOAT_HOMES: &'static [Reg] = &[XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM7, XMM6, XMM5];
    const CTX: Reg = R15;
    const MEMORY_BASE: Reg = R14;
    const FRAME: Reg = RBP;
    const STACK: Reg = RSP;
    const SCRATCH: Reg = R11;
    const FLOAT_SCRATCH: Reg = XMM15;
    /// The first four integer arguments are where `TAIL` has them after its two instance pointers.
    const PRIVATE: Convention = Convention {
        int_args: &[RDX, RCX, R8, R9, RDI, RSI],
        float_args: FLOATS,
        int_results: INT_RESULTS,
        float_results: FLOATS,
        passes_contexts: false,
        result_area: Some(R10),
    };
    const TAIL: Convention = Convention {
        int_args: C_INT_ARGS,
        float_args: FLOATS,
        int_results: INT_RESULTS,
        float_results: FLOATS,
        passes_contexts: true,
        result_area: None,
    };
    const LIBCALL: Convention = Convention {
        int_args: C_INT_ARGS,
        float_args: FLOATS,
        int_results: &[RAX, RDX],
        float_results: &[XMM0, XMM1],
        passes_contexts: false,
        result_area: None,
    };
    const STACK_MESSAGE: Reg = RDI;
    const EXPECTED: Reg = RAX;
    const MEM_OPERANDS: bool = true;
    const MAX_PRIMITIVE: usize = 128;

    fn host_features() -> CpuFeatures {
        #[cfg(target_arch = "x86_64")]
        {
            CpuFeatures {
                avx: std::arch::is_x86_feature_detected!("avx"),
                avx2: std::arch::is_x86_feature_detected!("avx2"),
                bmi1: std::arch::is_x86_feature_detected!("bmi1"),
                bmi2: std::arch::is_x86_feature_detected!("bmi2"),
                lzcnt: std::arch::is_x86_feature_detected!("lzcnt"),
                fma: std::arch::is_x86_feature_detected!("fma"),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        CpuFeatures::default()
    }

    fn imm_ok(width: Width, value: i64) -> bool {
        width == Width::W32 || value == i64::from(value as i32)
    }

    fn fixed_div(op: Div, _: Width) -> Fixed {
        let out = match op {
            Div::DivS | Div::DivU => RAX,
            Div::RemS | Div::RemU => RDX,
        };
        Fixed { lhs: Some(RAX), rhs: None, out: Some(out), out2: None, clobbers: RegSet::of(&[RAX, RDX]) }
    }

    fn fixed_shift(cpu: &CpuFeatures, op: Shift) -> Fixed {
        match op {
            Shift::Shl | Shift::ShrS | Shift::ShrU if cpu.bmi2 => Fixed::NONE,
            _ => Fixed { rhs: Some(RCX), ..Fixed::NONE },
        }
    }

    fn fixed_mul_wide() -> Fixed {
        Fixed { lhs: Some(RAX), rhs: None, out: Some(RAX), out2: Some(RDX), clobbers: RegSet::of(&[RAX, RDX]) }
    }

    // ---- moves

    #[inline]
    fn mov(a: &mut Asm, width: Width, d: Reg, s: Reg) {
        // At 32 bits a move to itself has an effect: it zeroes the upper half.
        if d != s || width == Width::W32 {
            a.mov_rr(size(width), d, s);
        }
    }

    #[inline]
    fn fmov(a: &mut Asm, d: Reg, s: Reg) {
        if d != s {
            a.movaps_rr(d, s);
        }
    }

    fn bits(a: &mut Asm, width: Width, d: Reg, s: Reg) {
        if d.is_float() { a.movd_to_float(size(width), d, s) } else { a.movd_to_int(size(width), d, s) }
    }

    fn iconst(a: &mut Asm, width: Width, d: Reg, value: i64, keep_flags: bool) {
        if value == 0 && !keep_flags { a.zero(d) } else { a.mov_ri(size(width), d, value) }
    }

    fn fconst(a: &mut Asm, width: Width, d: Reg, bits: u64) {
        float::constant(a, width, d, bits);
    }

    fn load(a: &mut Asm, op: Load, d: Reg, addr: Addr) -> At {
        let at = a.offset();
        let (row, size) = LOADS[op as usize];
        a.rm(row, size, d, addr);
        at
    }

    fn store(a: &mut Asm, op: Store, addr: Addr, s: Reg) -> At {
        let at = a.offset();
        let (row, size) = STORES[op as usize];
        a.rm(row, size, s, addr);
        at
    }

    fn store_imm(a: &mut Asm, op: Store, addr: Addr, value: i32) -> At {
        let at = a.offset();
        let (row, size) = match op {
            Store::B8 => (rows::MOV_MI8, Size::S32),
            Store::B16 => (rows::MOV_MI16, Size::S32),
            Store::B32 | Store::F32 => (rows::MOV_MI, Size::S32),
            Store::B64 | Store::F64 => (rows::MOV_MI, Size::S64),
            Store::V128 => unreachable!("no vector is an immediate"),
        };
        a.mi(row, size, addr, value);
        at
    }

    fn lea(a: &mut Asm, width: Width, d: Reg, addr: Addr) {
        if addr.index().is_none() && addr.disp() == 0 {
            Self::mov(a, width, d, addr.base_reg());
        } else {
            a.lea_rm(size(width), d, addr);
        }
    }

    // ---- integers

    fn alu(a: &mut Asm, op: Alu, width: Width, d: Reg, l: Reg, r: Src) -> At {
        int::alu(a, op, size(width), d, l, r)
    }

    fn alu_sets_flags(op: Alu, r: Src) -> bool {
        // Shorter forms than the operation's own: `movzx` and `not`.
        !matches!((op, r), (Alu::And, Src::Imm(0xff | 0xffff)) | (Alu::Xor, Src::Imm(-1)))
    }

    fn alu_mem(a: &mut Asm, op: Alu, width: Width, addr: Addr, r: Src) -> At {
        int::alu_mem(a, op, size(width), addr, r)
    }

    fn mul(a: &mut Asm, width: Width, d: Reg, l: Reg, r: Src) -> At {
        int::mul(a, size(width), d, l, r)
    }

    fn div(a: &mut Asm, op: Div, width: Width, rhs: Reg) -> At {
        int::div(a, op, size(width), rhs)
    }

    fn shift(a: &mut Asm, cpu: &CpuFeatures, op: Shift, width: Width, d: Reg, l: Reg, count: Amount) {
        int::shift(a, cpu, op, width, d, l, count);
    }

    fn unary(a: &mut Asm, cpu: &CpuFeatures, op: IntUnary, width: Width, d: Reg, s: Reg) {
        int::unary(a, cpu, op, width, d, s);
    }

    fn extend(a: &mut Asm, op: Extend, d: Reg, s: Src) -> At {
        int::extend(a, op, d, s)
    }

    fn mul_wide(a: &mut Asm, signed: bool, r: Reg) {
        a.r(if signed { rows::IMUL_M } else { rows::MUL }, Size::S64, r);
    }

    fn add_wide(a: &mut Asm, subtract: bool, lo: Reg, hi: Reg, r_lo: Reg, r_hi: Reg) {
        let (low, high) = if subtract { (asm::Alu::Sub, asm::Alu::Sbb) } else { (asm::Alu::Add, asm::Alu::Adc) };
        a.alu_rr(low, Size::S64, lo, r_lo);
        a.alu_rr(high, Size::S64, hi, r_hi);
    }

    // ---- conditions

    fn cmp(a: &mut Asm, width: Width, l: Reg, r: Src) -> At {
        int::cmp(a, size(width), l, r)
    }

    fn cmp_mem(a: &mut Asm, width: Width, l: Addr, r: Src) -> At {
        int::cmp_mem(a, size(width), l, r)
    }

    fn cmp_mem_zero(a: &mut Asm, bytes: u32, l: Addr) -> At {
        let at = a.offset();
        match bytes {
            1 => a.mi(rows::CMP_M8I8, Size::S32, l, 0),
            2 => a.mi(rows::CMP_M16I8, Size::S32, l, 0),
            4 => a.alu_mi(asm::Alu::Cmp, Size::S32, l, 0),
            _ => a.alu_mi(asm::Alu::Cmp, Size::S64, l, 0),
        }
        at
    }

    fn test(a: &mut Asm, width: Width, l: Reg, r: Src) -> At {
        int::test(a, size(width), l, r)
    }

    fn fcmp(a: &mut Asm, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Cond {
        float::compare(a, op, width, l, r)
    }

    fn set(a: &mut Asm, cond: Cond, d: Reg) {
        int::set(a, cond, d);
    }

    fn cmov(a: &mut Asm, cond: Cond, width: Width, d: Reg, s: Reg) {
        int::cmov(a, cond, size(width), d, s);
    }

    fn guard(a: &mut Asm, cond: Cond, d: Reg, s: Reg, value: u32) {
        debug_assert!(d == R11 || d == s);
        a.mov_ri(Size::S32, R11, i64::from(value));
        if d == s {
            a.cmov_rr(int::cc(cond.invert()), Size::S64, d, R11);
        } else {
            a.cmov_rr(int::cc(cond), Size::S64, R11, s);
        }
    }

    // ---- floats

    fn falu(a: &mut Asm, cpu: &CpuFeatures, op: FloatAlu, width: Width, d: Reg, l: Reg, r: FloatSrc) -> At {
        float::alu(a, cpu, op, width, d, l, r)
    }

    fn funary(a: &mut Asm, cpu: &CpuFeatures, op: FloatUnary, width: Width, d: Reg, s: Reg) {
        float::unary(a, cpu, op, width, d, s);
    }

    fn fminmax(a: &mut Asm, max: bool, width: Width, d: Reg, l: Reg, r: Reg) {
        float::min_max(a, max, width, d, l, r);
    }

    fn copysign(a: &mut Asm, width: Width, d: Reg, l: Reg, r: Reg) {
        float::copysign(a, width, d, l, r);
    }

    fn convert(a: &mut Asm, cpu: &CpuFeatures, op: Convert, d: Reg, s: Reg, t: Reg) {
        convert::convert(a, cpu, op, d, s, t);
    }

    fn trunc(a: &mut Asm, op: Trunc, d: Reg, s: Reg, t: Reg, invalid: Label, overflow: Label) {
        convert::trunc(a, op, d, s, t, invalid, overflow);
    }

    fn trunc_sat(a: &mut Asm, op: Trunc, d: Reg, s: Reg, t: Reg) {
        convert::trunc_sat(a, op, d, s, t);
    }

    // ---- atomics

    fn atomic_load(a: &mut Asm, op: Load, d: Reg, addr: Addr) -> At {
        Self::load(a, op, d, addr)
    }

    fn atomic_alu(a: &mut Asm, op: Alu, bytes: u32, addr: Addr, r: Src) -> At {
        atomics::alu(a, op, bytes, addr, r)
    }

    fn atomic_exchange(a: &mut Asm, op: Rmw, bytes: u32, d: Reg, addr: Addr) -> At {
        atomics::exchange(a, op, bytes, d, addr)
    }

    fn atomic_cmpxchg(a: &mut Asm, bytes: u32, addr: Addr, new: Reg) -> At {
        atomics::cmpxchg(a, bytes, addr, new)
    }

    fn atomic_loop(a: &mut Asm, op: Alu, access: Load, addr: Addr, r: Src) -> [At; 2] {
        atomics::until_alone(a, op, access, addr, r)
    }

    fn fence(a: &mut Asm) {
        atomics::fence(a);
    }

    fn folds(op: Op) -> Option<Load> {
        folds::FOLDS[op.index()]
    }

    // ---- vectors

    fn unaligned_vectors(cpu: &CpuFeatures) -> bool {
        cpu.avx
    }

    fn vconst(a: &mut Asm, d: Reg, bits: u128) {
        simd::constant(a, d, bits);
    }

    fn vector_unary_form(_: &CpuFeatures, op: VectorUnary) -> VectorForm {
        simd::unary_form(op)
    }

    fn vector_unary(a: &mut Asm, cpu: &CpuFeatures, op: VectorUnary, d: Reg, s: VectorSrc, t: Reg) -> At {
        simd::unary(a, cpu, op, d, s, t)
    }

    fn vector_binary_form(cpu: &CpuFeatures, op: VectorBinary) -> VectorForm {
        simd::binary_form(cpu, op)
    }

    fn vector_binary(a: &mut Asm, cpu: &CpuFeatures, op: VectorBinary, d: Reg, l: Reg, r: VectorSrc, t: Reg) -> At {
        simd::binary(a, cpu, op, d, l, r, t)
    }

    fn vector_ternary_form(cpu: &CpuFeatures, op: VectorTernary) -> VectorForm {
        simd::ternary_form(cpu, op)
    }

    fn vector_ternary(a: &mut Asm, cpu: &CpuFeatures, op: VectorTernary, d: Reg, s: [Reg; 3], t: Reg) {
        simd::ternary(a, cpu, op, d, s, t);
    }

    fn vector_shift_temp(op: Shift, lanes: Lanes) -> bool {
        simd::shift_temp(op, lanes)
    }

    fn vector_shift(a: &mut Asm, cpu: &CpuFeatures, op: Shift, lanes: Lanes, d: Reg, l: Reg, n: Amount, t: Reg) {
        simd::shift(a, cpu, op, lanes, d, l, n, t);
    }

    fn shuffle_form(cpu: &CpuFeatures, from: ShuffleFrom, lanes: &[u8; 16]) -> VectorForm {
        simd::shuffle_form(cpu, from, lanes)
    }

    fn shuffle(a: &mut Asm, cpu: &CpuFeatures, from: ShuffleFrom, lanes: &[u8; 16], d: Reg, l: Reg, r: Reg) {
        simd::shuffle(a, cpu, from, lanes, d, l, r);
    }

    fn splat(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, d: Reg, s: Reg) {
        simd::splat(a, cpu, lane, d, s);
    }

    fn extract_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, signed: bool, d: Reg, s: Reg, i: u8) {
        simd::extract_lane(a, cpu, lane, signed, d, s, i);
    }

    fn replace_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, d: Reg, l: Reg, r: Src, i: u8) -> At {
        simd::replace_lane(a, cpu, lane, d, l, r, i)
    }

    fn store_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, addr: Addr, s: Reg, i: u8) -> At {
        simd::store_lane(a, cpu, lane, addr, s, i)
    }

    fn vector_load(a: &mut Asm, cpu: &CpuFeatures, op: VectorLoad, d: Reg, addr: Addr) -> At {
        simd::load(a, cpu, op, d, addr)
    }

    fn vector_test(a: &mut Asm, cpu: &CpuFeatures, op: VectorTest, s: Reg) -> Cond {
        simd::test(a, cpu, op, s)
    }

    fn bitmask(a: &mut Asm, cpu: &CpuFeatures, lanes: Lanes, d: Reg, s: Reg) {
        simd::bitmask(a, cpu, lanes, d, s);
    }

    // ---- control

    #[inline]
    fn jmp(a: &mut Asm, to: Label) {
        a.jmp(to);
    }

    fn jcc(a: &mut Asm, cond: Cond, to: Label) {
        match cond {
            Cond::FloatEq => {
                let unordered = a.jcc_short(Cc::P);
                a.jcc(Cc::E, to);
                a.bind_short(unordered);
            }
            Cond::FloatNe => {
                a.jcc(Cc::Ne, to);
                a.jcc(Cc::P, to);
            }
            _ => a.jcc(int::cc(cond), to),
        }
    }

    fn jump_table(a: &mut Asm, index: Reg, t: Reg, table: &[Label]) {
        let last = table.len() - 1;
        a.mov_ri(Size::S32, t, last as i64);
        a.alu_rr(asm::Alu::Cmp, Size::S32, index, t);
        if !crate::fault::without(crate::fault::Fault::JumpTable) {
            a.cmov_rr(Cc::A, Size::S32, index, t);
        }
        let start = a.label();
        a.lea_label(t, start);
        a.rm(rows::MOVSXD, Size::S64, index, Addr::indexed(t, index, 2, 0));
        a.alu_rr(asm::Alu::Add, Size::S64, index, t);
        a.jmp_r(index);
        a.bind(start);
        a.table(table);
    }

    fn call_sym(a: &mut Asm) -> At {
        a.call_sym()
    }

    fn call_unpaired(a: &mut Asm) -> At {
        let back = a.label();
        a.lea_label(R11, back);
        a.push(R11);
        let at = a.jmp_sym();
        a.bind(back);
        at
    }

    fn jump_back(a: &mut Asm) {
        a.pop(R11);
        a.jmp_r(R11);
    }

    fn jmp_sym(a: &mut Asm) -> At {
        a.jmp_sym()
    }

    fn call_reg(a: &mut Asm, r: Reg) {
        a.call_r(r);
    }

    fn jmp_reg(a: &mut Asm, r: Reg) {
        a.jmp_r(r);
    }

    fn switch_stack(a: &mut Asm, save: Reg, enter: Reg, t: Reg) {
        let behind = a.label();
        for (at, reg) in [(0, RSP), (8, RBP)] {
            a.mov_rm(Size::S64, t, Addr::base(enter, at));
            a.mov_mr(Size::S64, Addr::base(save, at), reg);
            a.mov_rr(Size::S64, reg, t);
        }
        a.mov_rm(Size::S64, t, Addr::base(enter, 16));
        a.lea_label(R11, behind);
        a.mov_mr(Size::S64, Addr::base(save, 16), R11);
        a.jmp_r(t);
        a.bind(behind);
    }

    fn trap(a: &mut Asm) -> At {
        a.ud2()
    }

    fn enter(a: &mut Asm) -> At {
        a.push(RBP);
        a.mov_rr(Size::S64, RBP, RSP);
        let at = a.offset();
        a.ri(ENTER_ROW, Size::S64, RSP, 0);
        at
    }

    fn patch_frame(a: &mut Asm, enter: At, bytes: u32) {
        debug_assert!(bytes <= i32::MAX as u32);
        if bytes == 0 {
            let at = enter as usize;
            a.code_mut()[at..at + ENTER_BYTES].copy_from_slice(&[0x0f, 0x1f, 0x80, 0, 0, 0, 0]);
        } else {
            a.set_field(enter + ENTER_BYTES as u32 - 4, bytes);
        }
    }

    fn leave(a: &mut Asm) {
        a.leave();
    }

    fn ret(a: &mut Asm, pop: u32) {
        a.ret_pop(u16::try_from(pop).expect("wasm bounds the number of parameters"));
    }

    fn pad(a: &mut Asm, bytes: u32) {
        a.pad(bytes);
    }

    fn align(a: &mut Asm, align: u32) {
        a.align(align);
    }
}

/// `sub rsp, imm32` and its length: what `patch_frame` fills in, or replaces by a no-operation as long.
const ENTER_ROW: rows::Row = rows::ADD_MI.digit(asm::Alu::Sub as u8);
const ENTER_BYTES: usize = 7;

impl AsmBuffer for Asm {
    #[inline]
    fn offset(&self) -> u32 {
        self.offset()
    }

    #[inline]
    fn reserve(&mut self, bytes: usize) {
        self.reserve(bytes);
    }

    fn room_end(&self) -> u32 {
        self.room_end()
    }

    fn reset_labels(&mut self) {
        self.reset_labels();
    }

    #[inline(always)]
    fn watch(&mut self, unowned: RegSet) {
        self.watch(unowned);
    }

    #[inline]
    fn label(&mut self) -> Label {
        self.label()
    }

    #[inline]
    fn bind(&mut self, label: Label) {
        self.bind(label);
    }

    #[inline(always)]
    fn binds_here(&self) -> bool {
        self.binds_here()
    }

    fn place_constants(&mut self) {
        self.place_constants();
    }

    fn truncate(&mut self, offset: u32) {
        self.truncate(offset);
    }

    fn abandon(&mut self, offset: u32) {
        self.abandon(offset);
    }

    fn code(&self) -> &[u8] {
        self.code()
    }

    fn code_mut(&mut self) -> &mut [u8] {
        self.code_mut()
    }
}
