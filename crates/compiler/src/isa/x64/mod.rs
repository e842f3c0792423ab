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
use std::ops::{Deref, DerefMut};

/// The instruction set x86-64.
#[derive(Clone, Debug, Default)]
pub struct X64 {
    /// Its instructions by name, for what no primitive says.
    pub asm: Asm,
    cpu: CpuFeatures,
}

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

/// Of this machine it could be one of many instructions; of others it cannot, see `Isa::STACK`.
const NO_OPERAND: &str = "the stack pointer is an operand";

/// Tail's integer arguments and results, those of the C convention, and the floats of both.
const C_INT_ARGS: &[Reg] = &[RDI, RSI, RDX, RCX, R8, R9];
const INT_RESULTS: &[Reg] = &[RAX, RCX, RDX, RSI, RDI, R8, R9, R10];
const FLOATS: &[Reg] = &[XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7];

fn load(a: &mut Asm, op: Load, d: Reg, addr: Addr) -> At {
    let at = a.offset();
    let (row, size) = LOADS[op as usize];
    a.rm(row, size, d, addr);
    at
}

/// Bytes of what `call_across` has behind the load of the callee's instance.
const ACROSS: usize = 13;

/// `r11 = [addr]`, as `make_direct` knows it.
fn load_from_instance(a: &mut Asm, addr: Addr) -> At {
    debug_assert!(addr.base_reg() == R15 && addr.index().is_none(), "{addr:?}");
    load(a, Load::I64, R11, addr)
}

impl Deref for X64 {
    type Target = Asm;

    #[inline(always)]
    fn deref(&self) -> &Asm {
        &self.asm
    }
}

impl DerefMut for X64 {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Asm {
        &mut self.asm
    }
}

impl Isa for X64 {
    const NAME: &'static str = "x86-64";
    type Dense = [u16; 32];
    const DENSE: [u16; 32] = [0; 32];
    #[rustfmt::skip]
    const ALLOCATABLE: RegSet = RegSet::of(&[
        RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R12, R13,
        XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14,
    ]);
    const PRESERVED: &'static [Reg] = &[RBX, R12, R13];
    const VOLATILE_HOMES: &'static [Reg] = &[RSI, RDI, R8, R9];
    const LOOP_HOMES: &'static [Reg] = &[R10];
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
    const ENTRY_SAVED: &'static [Reg] = &[RBX, R12, R13, R14, R15];
    const ENTERING: [u32; 2] = [1, 4];
    const JUMPING_BACK: u32 = 2;
    const DEBUG_RETURN: u8 = 16;
    const STACK_MESSAGE: Reg = RDI;
    const EXPECTED: Reg = RAX;
    const UNPASSED: Reg = RAX;
    const ROUTINE_RESULTS: [Reg; 2] = [RAX, RCX];
    const EXCEPTION: Reg = RAX;
    const TEMPS: [Reg; 7] = [RAX, RCX, RDX, RSI, R8, R9, R10];
    const PLATFORM: Platform = Platform { triple: "x86_64-unknown-linux-gnu", pointer: 8, page_log2: 12 };
    const MEM_OPERANDS: bool = true;
    const DIVISION_FAULTS: bool = true;
    const FLOOR: &'static [&'static str] = &["sse3", "ssse3", "sse41", "sse42", "popcnt"];
    const MAX_PRIMITIVE: usize = 128;
    const LINK_BYTES: u32 = 8;
    const JUMP_BYTES: u32 = 5;
    const LOOP_ALIGN: u32 = 16;
    /// `int3`
    const FILLER: u8 = 0xcc;
    /// Distances are of 32 bits, with a sign.
    const REACH: u32 = 1 << 31;

    #[inline(always)]
    fn dense(reg: Reg) -> usize {
        reg.code() as usize & 15 | (reg.is_float() as usize) << 4
    }

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

    fn fuses(cpu: &CpuFeatures) -> bool {
        simd::fused(cpu)
    }

    fn debug_number(reg: Reg) -> u8 {
        const INTEGERS: [u8; 8] = [0, 2, 1, 3, 7, 6, 4, 5];
        match reg.code() {
            code if reg.is_float() => 17 + code,
            code => INTEGERS.get(code as usize).copied().unwrap_or(code),
        }
    }

    // ---- the code under construction

    fn new(cpu: CpuFeatures) -> X64 {
        X64 { asm: Asm::new(), cpu }
    }

    fn cpu(&self) -> CpuFeatures {
        self.cpu
    }

    #[inline]
    fn resolve(code: &mut [u8], at: u32, from: u32, to: u32) {
        // Distances count from the end of their field, which is the instruction's.
        let distance = to.wrapping_sub(from + 4);
        code[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
    }

    fn make_direct(code: &mut [u8], at: u32, from: u32, to: u32) {
        // What `through` has made of it: the load with a displacement of no, one or four bytes, and `call` or `jmp`.
        let start = at as usize;
        let (load, goes) = match code[start..] {
            [_, _, 0x1f, _, _, goes, ..] => (3, goes),
            [_, _, 0x5f, _, _, _, goes, ..] => (4, goes),
            [_, _, 0x9f, _, _, _, _, _, _, goes, ..] => (7, goes),
            _ => unreachable!("no load from the instance"),
        };
        debug_assert_eq!(code[start..start + 2], [0x4d, 0x8b], "a load to r11");
        debug_assert_eq!(code[start + load..start + load + 2], [0x41, 0xff], "a call or jump by r11");
        let field = start + load - 1;
        // Ahead of it, as the place behind it is what a call returns to.
        let idle = load - 2;
        code[start..start + idle].copy_from_slice(&NOPS[idle - 1].to_le_bytes()[..idle]);
        code[field - 1] = if goes == 0xd3 { 0xe8 } else { 0xe9 };
        X64::resolve(code, field as u32, from + (load - 1) as u32, to);
    }

    fn make_across(code: &mut [u8], at: u32, from: u32, to: u32, into: Entering) {
        let start = at as usize;
        debug_assert_eq!(code[start..start + 2], [0x49, 0x8b], "the callee's instance goes to rdi");
        let load = match code[start + 2] {
            0x3f => 3,
            0x7f => 4,
            _ => 7,
        };
        // What `call_across` has behind that, always of this length.
        let rest = start + load;
        let end = rest + ACROSS;
        match into {
            Entering::Thunk => {
                let through = end - 3 - if code[rest + 3] == NOPS[2] as u8 { 4 } else { 7 };
                X64::make_direct(code, through as u32, from + (through - start) as u32, to);
            }
            Entering::Private(base) => {
                // `mov r15, [r15 + context]`
                code[start] = 0x4d;
                match base {
                    // `mov r14, [r15 + base]`
                    Some(base) => {
                        code[rest..rest + 3].copy_from_slice(&[0x4d, 0x8b, 0xb7]);
                        code[rest + 3..rest + 7].copy_from_slice(&base.to_le_bytes());
                        code[rest + 7] = NOPS[0] as u8;
                    }
                    None => code[rest..rest + 8].copy_from_slice(&NOPS[7].to_le_bytes()),
                }
                code[end - 5] = 0xe8;
                X64::resolve(code, end as u32 - 4, from + (end - 4 - start) as u32, to);
            }
        }
    }

    // ---- what operands may be

    #[inline]
    fn imm_ok(_: ImmFor, width: Width, value: i64) -> bool {
        width == Width::W32 || value == i64::from(value as i32)
    }

    fn fixed_div(op: Div, _: Width) -> Fixed {
        let out = match op {
            Div::DivS | Div::DivU => RAX,
            Div::RemS | Div::RemU => RDX,
        };
        Fixed { lhs: Some(RAX), rhs: None, out: Some(out), out2: None, clobbers: RegSet::of(&[RAX, RDX]) }
    }

    fn fixed_shift(&self, op: Shift) -> Fixed {
        match op {
            Shift::Shl | Shift::ShrS | Shift::ShrU if self.cpu.bmi2 => Fixed::NONE,
            _ => Fixed { rhs: Some(RCX), ..Fixed::NONE },
        }
    }

    fn fixed_mul_wide() -> Fixed {
        Fixed { lhs: Some(RAX), rhs: None, out: Some(RAX), out2: Some(RDX), clobbers: RegSet::of(&[RAX, RDX]) }
    }

    // ---- moves

    #[inline]
    fn mov(&mut self, width: Width, d: Reg, s: Reg) {
        debug_assert!(d != RSP && s != RSP, "{}", NO_OPERAND);
        // At 32 bits a move to itself has an effect: it zeroes the upper half.
        if d != s || width == Width::W32 {
            self.asm.mov_rr(size(width), d, s);
        }
    }

    #[inline]
    fn fmov(&mut self, d: Reg, s: Reg) {
        if d != s {
            self.asm.movaps_rr(d, s);
        }
    }

    fn bits(&mut self, width: Width, d: Reg, s: Reg) {
        if d.is_float() { self.asm.movd_to_float(size(width), d, s) } else { self.asm.movd_to_int(size(width), d, s) }
    }

    fn iconst(&mut self, width: Width, d: Reg, value: i64, keep_flags: bool) {
        if value == 0 && !keep_flags { self.asm.zero(d) } else { self.asm.mov_ri(size(width), d, value) }
    }

    fn fconst(&mut self, width: Width, d: Reg, bits: u64) {
        float::constant(&mut self.asm, width, d, bits);
    }

    fn load(&mut self, op: Load, d: Reg, addr: Addr) -> At {
        load(&mut self.asm, op, d, addr)
    }

    fn store(&mut self, op: Store, addr: Addr, s: Reg) -> At {
        let at = self.asm.offset();
        let (row, size) = STORES[op as usize];
        self.asm.rm(row, size, s, addr);
        at
    }

    fn store_imm(&mut self, op: Store, addr: Addr, value: i64) -> At {
        let at = self.asm.offset();
        let (row, size) = match op {
            Store::B8 => (rows::MOV_MI8, Size::S32),
            Store::B16 => (rows::MOV_MI16, Size::S32),
            Store::B32 | Store::F32 => (rows::MOV_MI, Size::S32),
            Store::B64 | Store::F64 => (rows::MOV_MI, Size::S64),
            Store::V128 => unreachable!("no vector is an immediate"),
        };
        self.asm.mi(row, size, addr, int::imm32(value));
        at
    }

    fn lea_label(&mut self, d: Reg, label: Label) {
        self.asm.lea_label(d, label);
    }

    fn lea(&mut self, width: Width, d: Reg, addr: Addr) {
        if addr.index().is_none() && addr.disp() == 0 {
            let base = addr.base_reg();
            if d != base || width == Width::W32 {
                self.asm.mov_rr(size(width), d, base);
            }
        } else {
            self.asm.lea_rm(size(width), d, addr);
        }
    }

    // ---- integers

    fn alu(&mut self, op: Alu, width: Width, d: Reg, l: Reg, r: Src) -> At {
        debug_assert!(d != RSP && l != RSP && r != Src::Reg(RSP), "{}", NO_OPERAND);
        int::alu(&mut self.asm, op, size(width), d, l, r)
    }

    #[inline]
    fn alu_sets_flags(op: Alu, r: Src) -> bool {
        // Shorter forms than the operation's own: `movzx` and `not`.
        !matches!((op, r), (Alu::And, Src::Imm(0xff | 0xffff)) | (Alu::Xor, Src::Imm(-1)))
    }

    fn alu_mem(&mut self, op: Alu, width: Width, addr: Addr, r: Src) -> At {
        int::alu_mem(&mut self.asm, op, size(width), addr, r)
    }

    fn mul(&mut self, width: Width, d: Reg, l: Reg, r: Src) -> At {
        int::mul(&mut self.asm, size(width), d, l, r)
    }

    fn jump_if_overflow(&mut self, width: Width, l: Reg, r: Reg, to: Label) {
        int::jump_if_overflow(&mut self.asm, width, l, r, to);
    }

    fn div(&mut self, op: Div, width: Width, d: Reg, l: Reg, r: Reg, by_minus_one: bool) -> At {
        debug_assert!(X64::fixed_div(op, width).out == Some(d) && l == RAX);
        int::div(&mut self.asm, op, size(width), r, by_minus_one)
    }

    fn shift(&mut self, op: Shift, width: Width, d: Reg, l: Reg, count: Amount) {
        int::shift(&mut self.asm, &self.cpu, op, width, d, l, count);
    }

    fn unary(&mut self, op: IntUnary, width: Width, d: Reg, s: Reg) {
        int::unary(&mut self.asm, &self.cpu, op, width, d, s);
    }

    fn extend(&mut self, op: Extend, d: Reg, s: Src) -> At {
        int::extend(&mut self.asm, op, d, s)
    }

    fn mul_wide(&mut self, signed: bool, lo: Reg, hi: Reg, l: Reg, r: Reg) {
        debug_assert!((lo, hi, l) == (RAX, RDX, RAX));
        self.asm.r(if signed { rows::IMUL_M } else { rows::MUL }, Size::S64, r);
    }

    fn add_wide(&mut self, subtract: bool, lo: Reg, hi: Reg, r_lo: Reg, r_hi: Reg) {
        let (low, high) = if subtract { (asm::Alu::Sub, asm::Alu::Sbb) } else { (asm::Alu::Add, asm::Alu::Adc) };
        self.asm.alu_rr(low, Size::S64, lo, r_lo);
        self.asm.alu_rr(high, Size::S64, hi, r_hi);
    }

    // ---- conditions

    fn cmp(&mut self, width: Width, l: Reg, r: Src) -> At {
        debug_assert!(l != RSP && r != Src::Reg(RSP), "{}", NO_OPERAND);
        let start = self.asm.offset();
        let at = int::cmp(&mut self.asm, size(width), l, r);
        // What reads memory is known by where it stands.
        if !matches!(r, Src::Mem(_)) {
            self.asm.note_compare(start);
        }
        at
    }

    fn cmp_mem(&mut self, width: Width, l: Addr, r: Src) -> At {
        int::cmp_mem(&mut self.asm, size(width), l, r)
    }

    fn cmp_mem_zero(&mut self, bytes: u32, l: Addr) -> At {
        let at = self.asm.offset();
        match bytes {
            1 => self.asm.mi(rows::CMP_M8I8, Size::S32, l, 0),
            2 => self.asm.mi(rows::CMP_M16I8, Size::S32, l, 0),
            4 => self.asm.alu_mi(asm::Alu::Cmp, Size::S32, l, 0),
            _ => self.asm.alu_mi(asm::Alu::Cmp, Size::S64, l, 0),
        }
        at
    }

    fn test(&mut self, width: Width, l: Reg, r: Src) -> At {
        let start = self.asm.offset();
        let at = int::test(&mut self.asm, size(width), l, r);
        // What reads memory is known by where it stands.
        if !matches!(r, Src::Mem(_)) {
            self.asm.note_compare(start);
        }
        at
    }

    fn fcmp(&mut self, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Cond {
        float::compare(&mut self.asm, op, width, l, r)
    }

    fn branch_zero(&mut self, width: Width, r: Reg, to: Label) {
        self.asm.test_rr(size(width), r, r);
        self.asm.jcc(Cc::E, to);
    }

    fn branch_nonzero(&mut self, width: Width, r: Reg, to: Label) {
        self.asm.test_rr(size(width), r, r);
        self.asm.jcc(Cc::Ne, to);
    }

    fn set_hot(&mut self, hot: bool) {
        self.asm.keep_whole(hot);
    }

    // ---- what reads the flags

    fn jcc(isa: &mut X64, cond: Cond, to: Label) {
        let a = &mut isa.asm;
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

    fn set(isa: &mut X64, cond: Cond, d: Reg) {
        int::set(&mut isa.asm, cond, d);
    }

    fn selects(cond: Cond, ty: Ty) -> bool {
        !ty.is_float() && !matches!(cond, Cond::FloatEq | Cond::FloatNe)
    }

    fn select(isa: &mut X64, cond: Cond, ty: Ty, d: Reg, s: Reg) {
        isa.asm.cmov_rr(int::cc(cond), size(ty.width()), d, s);
    }

    fn guard(isa: &mut X64, cond: Cond, d: Reg, s: Reg, value: u32) {
        debug_assert!(d == R11 || d == s);
        let a = &mut isa.asm;
        a.mov_ri(Size::S32, R11, i64::from(value));
        if d == s {
            a.cmov_rr(int::cc(cond.invert()), Size::S64, d, R11);
        } else {
            a.cmov_rr(int::cc(cond), Size::S64, R11, s);
        }
    }

    // ---- floats

    fn falu(&mut self, op: FloatAlu, width: Width, d: Reg, l: Reg, r: FloatSrc) -> At {
        float::alu(&mut self.asm, &self.cpu, op, width, d, l, r)
    }

    fn funary(&mut self, op: FloatUnary, width: Width, d: Reg, s: Reg) {
        float::unary(&mut self.asm, &self.cpu, op, width, d, s);
    }

    fn fminmax(&mut self, max: bool, width: Width, d: Reg, l: Reg, r: Reg) {
        float::min_max(&mut self.asm, max, width, d, l, r);
    }

    fn canonical_nan(&mut self, width: Width, d: Reg) {
        float::canonical_nan(&mut self.asm, width, d);
    }

    fn copysign(&mut self, width: Width, d: Reg, l: Reg, r: Reg) {
        float::copysign(&mut self.asm, width, d, l, r);
    }

    fn convert(&mut self, op: Convert, d: Reg, s: Reg, t: Reg) {
        convert::convert(&mut self.asm, &self.cpu, op, d, s, t);
    }

    fn trunc(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg, invalid: Label, overflow: Label) {
        convert::trunc(&mut self.asm, op, d, s, t, invalid, overflow);
    }

    fn trunc_sat(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg) {
        convert::trunc_sat(&mut self.asm, op, d, s, t);
    }

    // ---- atomics

    fn atomic_load(&mut self, op: Load, d: Reg, addr: Addr) -> At {
        self.load(op, d, addr)
    }

    fn atomic_store(&mut self, bytes: u32, addr: Addr, s: Reg) -> At {
        atomics::exchange(&mut self.asm, Rmw::Xchg, bytes, s, addr)
    }

    fn atomic_alu(&mut self, op: Alu, bytes: u32, addr: Addr, r: Src) -> At {
        atomics::alu(&mut self.asm, op, bytes, addr, r)
    }

    fn exchanges(&self, op: Rmw) -> bool {
        matches!(op, Rmw::Add | Rmw::Sub | Rmw::Xchg)
    }

    fn atomic_exchange(&mut self, op: Rmw, bytes: u32, d: Reg, addr: Addr) -> At {
        atomics::exchange(&mut self.asm, op, bytes, d, addr)
    }

    fn atomic_cmpxchg(&mut self, bytes: u32, addr: Addr, new: Reg) -> At {
        atomics::cmpxchg(&mut self.asm, bytes, addr, new)
    }

    fn atomic_loop(&mut self, op: Rmw, access: Load, addr: Addr, r: Src) -> [At; 2] {
        atomics::until_alone(&mut self.asm, op, access, addr, r)
    }

    fn fence(&mut self) {
        atomics::fence(&mut self.asm);
    }

    fn folds(op: Op) -> Option<Load> {
        folds::FOLDS[op.index()]
    }

    // ---- vectors

    fn unaligned_vectors(&self) -> bool {
        self.cpu.avx
    }

    fn selects_by_top_bit(&self) -> bool {
        self.cpu.avx
    }

    fn vconst(&mut self, d: Reg, bits: u128) {
        simd::constant(&mut self.asm, d, bits);
    }

    fn canonical_nans(&mut self, width: Width, d: Reg) {
        simd::canonical_nans(&mut self.asm, &self.cpu, width, d);
    }

    fn vector_unary_form(&self, op: VectorUnary) -> VectorForm {
        simd::unary_form(op)
    }

    fn vector_unary(&mut self, op: VectorUnary, d: Reg, s: VectorSrc, t: Reg) -> At {
        simd::unary(&mut self.asm, &self.cpu, op, d, s, t)
    }

    fn vector_binary_form(&self, op: VectorBinary) -> VectorForm {
        simd::binary_form(&self.cpu, op)
    }

    fn vector_binary(&mut self, op: VectorBinary, d: Reg, l: Reg, r: VectorSrc, t: Reg) -> At {
        simd::binary(&mut self.asm, &self.cpu, op, d, l, r, t)
    }

    fn vector_ternary_form(&self, op: VectorTernary) -> VectorForm {
        simd::ternary_form(&self.cpu, op)
    }

    fn vector_ternary(&mut self, op: VectorTernary, d: Reg, s: [Reg; 3], t: Reg) {
        simd::ternary(&mut self.asm, &self.cpu, op, d, s, t);
    }

    fn vector_shift_temp(op: Shift, lanes: Lanes) -> bool {
        simd::shift_temp(op, lanes)
    }

    fn vector_shift(&mut self, op: Shift, lanes: Lanes, d: Reg, l: Reg, n: Amount, t: Reg) {
        simd::shift(&mut self.asm, &self.cpu, op, lanes, d, l, n, t);
    }

    fn shuffle_form(&self, from: ShuffleFrom, lanes: &[u8; 16]) -> VectorForm {
        simd::shuffle_form(&self.cpu, from, lanes)
    }

    fn shuffle(&mut self, from: ShuffleFrom, lanes: &[u8; 16], d: Reg, l: Reg, r: Reg) {
        simd::shuffle(&mut self.asm, &self.cpu, from, lanes, d, l, r);
    }

    fn splat(&mut self, lane: Lane, d: Reg, s: Reg) {
        simd::splat(&mut self.asm, &self.cpu, lane, d, s);
    }

    fn extract_lane(&mut self, lane: Lane, signed: bool, d: Reg, s: Reg, i: u8) {
        simd::extract_lane(&mut self.asm, &self.cpu, lane, signed, d, s, i);
    }

    fn replace_lane(&mut self, lane: Lane, d: Reg, l: Reg, r: Src, i: u8) -> At {
        simd::replace_lane(&mut self.asm, &self.cpu, lane, d, l, r, i)
    }

    fn store_lane(&mut self, lane: Lane, addr: Addr, s: Reg, i: u8) -> At {
        simd::store_lane(&mut self.asm, &self.cpu, lane, addr, s, i)
    }

    fn vector_load(&mut self, op: VectorLoad, d: Reg, addr: Addr) -> At {
        simd::load(&mut self.asm, &self.cpu, op, d, addr)
    }

    fn vector_test(&mut self, op: VectorTest, s: Reg) -> Cond {
        simd::test(&mut self.asm, &self.cpu, op, s)
    }

    fn bitmask(&mut self, lanes: Lanes, d: Reg, s: Reg) {
        simd::bitmask(&mut self.asm, &self.cpu, lanes, d, s);
    }

    // ---- control

    #[inline]
    fn jmp(&mut self, to: Label) {
        self.asm.jmp(to);
    }

    fn jump_table(&mut self, index: Reg, t: Reg, table: &[Label]) {
        let last = table.len() - 1;
        self.asm.mov_ri(Size::S32, t, last as i64);
        self.asm.alu_rr(asm::Alu::Cmp, Size::S32, index, t);
        if !crate::treaty::fault::without(crate::treaty::fault::Fault::JumpTable) {
            self.asm.cmov_rr(Cc::A, Size::S32, index, t);
        }
        let start = self.asm.label();
        self.asm.lea_label(t, start);
        self.asm.rm(rows::MOVSXD, Size::S64, index, Addr::indexed(t, index, 2, 0));
        self.asm.alu_rr(asm::Alu::Add, Size::S64, index, t);
        self.asm.jmp_r(index);
        self.asm.bind(start);
        self.asm.table(table);
    }

    fn call_label(&mut self, to: Label) {
        self.asm.call(to);
    }

    fn call_sym(&mut self) -> At {
        self.asm.call_sym()
    }

    fn call_unpaired(&mut self) -> At {
        let back = self.asm.label();
        self.asm.lea_label(R11, back);
        self.asm.push(R11);
        let at = self.asm.jmp_sym();
        self.asm.bind(back);
        at
    }

    fn jump_back(&mut self) {
        let start = self.asm.offset();
        self.asm.pop(R11);
        debug_assert_eq!(self.asm.offset(), start + X64::JUMPING_BACK);
        self.asm.jmp_r(R11);
    }

    fn jmp_sym(&mut self) -> At {
        self.asm.jmp_sym()
    }

    fn call_reg(&mut self, r: Reg) {
        self.asm.call_r(r);
    }

    fn jmp_reg(&mut self, r: Reg) {
        self.asm.jmp_r(r);
    }

    fn call_through(&mut self, code: Addr) -> [At; 2] {
        let at = load_from_instance(&mut self.asm, code);
        let call = self.asm.offset();
        self.asm.call_r(R11);
        [at, call]
    }

    fn call_across(&mut self, context: Addr, code: Addr) -> [At; 2] {
        let at = self.asm.offset();
        let [callee, caller] = [X64::TAIL.int_args[0], X64::TAIL.int_args[1]];
        load(&mut self.asm, Load::I64, callee, context);
        let rest = self.asm.offset() as usize;
        self.asm.mov_rr(Size::S64, caller, R15);
        if code.disp() == i32::from(code.disp() as i8) {
            self.asm.nop(3);
        }
        let [_, call] = self.call_through(code);
        debug_assert_eq!(self.asm.offset() as usize, rest + ACROSS);
        [at, call]
    }

    fn jump_through(&mut self, code: Addr) -> At {
        let at = load_from_instance(&mut self.asm, code);
        self.asm.jmp_r(R11);
        at
    }

    fn switch_stack(&mut self, save: Reg, enter: Reg, t: Reg) {
        let behind = self.asm.label();
        for (at, reg) in [(0, RSP), (8, RBP)] {
            self.asm.mov_rm(Size::S64, t, Addr::base(enter, at));
            self.asm.mov_mr(Size::S64, Addr::base(save, at), reg);
            self.asm.mov_rr(Size::S64, reg, t);
        }
        self.asm.mov_rm(Size::S64, t, Addr::base(enter, 16));
        self.asm.lea_label(R11, behind);
        self.asm.mov_mr(Size::S64, Addr::base(save, 16), R11);
        self.asm.jmp_r(t);
        self.asm.bind(behind);
    }

    fn trap(&mut self) -> At {
        self.asm.ud2()
    }

    fn enter(&mut self) -> At {
        let start = self.asm.offset();
        self.asm.push(RBP);
        debug_assert_eq!(self.asm.offset(), start + X64::ENTERING[0]);
        self.asm.mov_rr(Size::S64, RBP, RSP);
        let at = self.asm.offset();
        debug_assert_eq!(at, start + X64::ENTERING[1]);
        self.asm.ri(ENTER_ROW, Size::S64, RSP, 0);
        at
    }

    fn patch_frame(&mut self, enter: At, bytes: u32) {
        debug_assert!(bytes <= i32::MAX as u32);
        if bytes == 0 {
            let at = enter as usize;
            self.asm.code_mut()[at..at + ENTER_BYTES].copy_from_slice(&[0x0f, 0x1f, 0x80, 0, 0, 0, 0]);
        } else {
            self.asm.set_field(enter + ENTER_BYTES as u32 - 4, bytes);
        }
    }

    fn stack_check(&mut self, limit: Addr, overflow: Label) {
        self.asm.alu_rm(asm::Alu::Cmp, Size::S64, RSP, limit);
        self.asm.jcc(Cc::B, overflow);
    }

    fn cut_frame(&mut self) {
        self.asm.mov_rr(Size::S64, RSP, RBP);
    }

    fn leave(&mut self) {
        self.asm.leave();
    }

    fn lift_frame(&mut self) {
        self.asm.mov_rm(Size::S64, R11, Addr::base(RBP, 8));
        self.asm.mov_mr(Size::S64, Addr::base(RSP, 0), R11);
        load(&mut self.asm, Load::F64, XMM15, Addr::base(RBP, 0));
    }

    fn replace_frame(&mut self, to: i32) {
        self.lea(Width::W64, R11, Addr::base(RBP, to));
        self.asm.mov_rr(Size::S64, RSP, R11);
        self.asm.movd_to_int(Size::S64, RBP, XMM15);
    }

    fn ret(&mut self, pop: u32) {
        self.asm.ret_pop(u16::try_from(pop).expect("wasm bounds the number of parameters"));
    }

    fn data(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            self.asm.put(u64::from_le_bytes(word), piece.len() as u32);
        }
    }
}

/// `sub rsp, imm32` and its length: what `patch_frame` fills in, or replaces by a no-operation as long.
const ENTER_ROW: rows::Row = rows::ADD_MI.digit(asm::Alu::Sub as u8);
const ENTER_BYTES: usize = 7;
