//! Single lanes, constants, and questions to all lanes.

use super::{X, copy, zero};
use crate::isa::{At, Cond, Lane, Lanes, Src, VectorLoad, VectorTest};
use crate::treaty::facts::CpuFeatures;
use lightbeam_asm::x64::rows::*;
use lightbeam_asm::x64::{Asm, Rm, Size};
use lightbeam_asm::{Addr, Assembler, Reg};

pub(in super::super) fn constant(a: &mut Asm, d: Reg, bits: u128) {
    match bits {
        0 => a.rr(XORPS, Size::S32, d, d),
        u128::MAX => a.rr(PCMPEQD, Size::S32, d, d),
        _ => {
            let constant = a.constant(bits);
            a.op2(false, MOVAPS_RM, d, constant);
        }
    }
}

pub(in super::super) fn load(a: &mut Asm, cpu: &CpuFeatures, op: VectorLoad, d: Reg, addr: Addr) -> At {
    let avx = cpu.avx;
    match op {
        VectorLoad::S8x8 => a.op2(avx, PMOVSXBW, d, addr),
        VectorLoad::U8x8 => a.op2(avx, PMOVZXBW, d, addr),
        VectorLoad::S16x4 => a.op2(avx, PMOVSXWD, d, addr),
        VectorLoad::U16x4 => a.op2(avx, PMOVZXWD, d, addr),
        VectorLoad::S32x2 => a.op2(avx, PMOVSXDQ, d, addr),
        VectorLoad::U32x2 => a.op2(avx, PMOVZXDQ, d, addr),
        VectorLoad::Splat8 if cpu.avx2 && avx => a.op2(true, VPBROADCASTB, d, addr),
        VectorLoad::Splat8 => {
            // From zeros, so that nothing waits for what was in `d`.
            zero(a, cpu, X);
            let at = a.op3i(avx, PINSRB, d, X, addr, 0);
            a.op3(avx, PSHUFB, d, d, X);
            at
        }
        VectorLoad::Splat16 if cpu.avx2 && avx => a.op2(true, VPBROADCASTW, d, addr),
        VectorLoad::Splat16 => {
            zero(a, cpu, X);
            let at = a.op3i(avx, PINSRW, d, X, addr, 0);
            a.op2i(avx, PSHUFLW, d, d, 0);
            a.op2i(avx, PSHUFD, d, d, 0);
            at
        }
        VectorLoad::Splat32 if avx => a.op2(true, VBROADCASTSS, d, addr),
        VectorLoad::Splat32 => {
            let at = a.offset();
            a.movss_rm(d, addr);
            a.op3i(false, SHUFPS, d, d, d, 0);
            at
        }
        VectorLoad::Splat64 => a.op2(avx, MOVDDUP, d, addr),
        VectorLoad::Zero32 => {
            let at = a.offset();
            a.movss_rm(d, addr);
            at
        }
        VectorLoad::Zero64 => {
            let at = a.offset();
            a.movsd_rm(d, addr);
            at
        }
    }
}

/// `d =` an integer in the lowest lane
fn to_lane(a: &mut Asm, cpu: &CpuFeatures, size: Size, d: Reg, s: Reg) {
    if cpu.avx {
        a.vrr(MOVD_RM, size, d, s);
    } else {
        a.rr(MOVD_RM, size, d, s);
    }
}

pub(in super::super) fn splat(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, d: Reg, s: Reg) {
    let avx = cpu.avx;
    match lane {
        Lane::I8 => {
            to_lane(a, cpu, Size::S32, d, s);
            if avx && cpu.avx2 {
                a.op2(true, VPBROADCASTB, d, d);
            } else {
                zero(a, cpu, X);
                a.op3(avx, PSHUFB, d, d, X);
            }
        }
        Lane::I16 => {
            to_lane(a, cpu, Size::S32, d, s);
            if avx && cpu.avx2 {
                a.op2(true, VPBROADCASTW, d, d);
            } else {
                a.op2i(avx, PSHUFLW, d, d, 0);
                a.op2i(avx, PSHUFD, d, d, 0);
            }
        }
        Lane::I32 => {
            to_lane(a, cpu, Size::S32, d, s);
            a.op2i(avx, PSHUFD, d, d, 0);
        }
        Lane::I64 => {
            to_lane(a, cpu, Size::S64, d, s);
            a.op3(avx, PUNPCKLQDQ, d, d, d);
        }
        Lane::F32 if avx => {
            a.op3i(true, SHUFPS, d, s, s, 0);
        }
        Lane::F32 => {
            copy(a, d, s);
            a.op3i(false, SHUFPS, d, d, d, 0);
        }
        Lane::F64 => {
            a.op2(avx, MOVDDUP, d, s);
        }
    }
}

pub(in super::super) fn extract_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, signed: bool, d: Reg, s: Reg, i: u8) {
    let (avx, i) = (cpu.avx, i32::from(i));
    match (lane, i) {
        (Lane::I8, _) => {
            a.op2i(avx, PEXTRB_MR, s, d, i);
            if signed {
                a.rr(MOVSX_8, Size::S32, d, d);
            }
        }
        (Lane::I16, _) => {
            a.op2i(avx, PEXTRW, d, s, i);
            if signed {
                a.rr(MOVSX_16, Size::S32, d, d);
            }
        }
        (Lane::I32, 0) => a.movd_to_int(Size::S32, d, s),
        (Lane::I32, _) => {
            a.op2i(avx, PEXTRD_MR, s, d, i);
        }
        (Lane::I64, 0) => a.movd_to_int(Size::S64, d, s),
        (Lane::I64, _) => {
            a.op2i(avx, PEXTRQ_MR, s, d, i);
        }
        (Lane::F32 | Lane::F64, 0) => copy(a, d, s),
        (Lane::F32, 1) => {
            a.op2(avx, MOVSHDUP, d, s);
        }
        (Lane::F32, 3) => {
            a.op2i(avx, PSHUFD, d, s, 0xff);
        }
        (Lane::F32 | Lane::F64, _) => {
            a.op2i(avx, PSHUFD, d, s, 0xee);
        }
    }
}

pub(in super::super) fn replace_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, d: Reg, l: Reg, r: Src, i: u8) -> At {
    let (avx, i) = (cpu.avx, i32::from(i));
    let r = match r {
        Src::Reg(reg) => Rm::Reg(reg),
        Src::Mem(addr) => Rm::Mem(addr),
        Src::Imm(_) => unreachable!("a lane comes from a register or memory"),
    };
    match (lane, i, r) {
        (Lane::I8, _, _) => a.op3i(avx, PINSRB, d, l, r, i),
        (Lane::I16, _, _) => a.op3i(avx, PINSRW, d, l, r, i),
        (Lane::I32, _, _) => a.op3i(avx, PINSRD, d, l, r, i),
        (Lane::I64, 0, Rm::Mem(_)) => a.op3(avx, MOVLPS_RM, d, l, r),
        (Lane::I64, _, Rm::Mem(_)) => a.op3(avx, MOVHPS_RM, d, l, r),
        (Lane::I64, _, _) => a.op3i(avx, PINSRQ, d, l, r, i),
        (Lane::F32, 0, Rm::Reg(_)) => a.op3(avx, MOVSS_RR, d, l, r),
        (Lane::F32, _, _) => a.op3i(avx, INSERTPS, d, l, r, i << 4),
        (Lane::F64, 0, Rm::Reg(_)) => a.op3(avx, MOVSD_RR, d, l, r),
        (Lane::F64, _, Rm::Reg(_)) => a.op3(avx, MOVLHPS, d, l, r),
        (Lane::F64, 0, _) => a.op3(avx, MOVLPS_RM, d, l, r),
        (Lane::F64, _, _) => a.op3(avx, MOVHPS_RM, d, l, r),
    }
}

pub(in super::super) fn store_lane(a: &mut Asm, cpu: &CpuFeatures, lane: Lane, addr: Addr, s: Reg, i: u8) -> At {
    let (avx, i) = (cpu.avx, i32::from(i));
    match (lane, i) {
        (Lane::I8, _) => a.op2i(avx, PEXTRB_MR, s, addr, i),
        (Lane::I16, _) => a.op2i(avx, PEXTRW_MR, s, addr, i),
        (Lane::I32 | Lane::F32, 0) => {
            let at = a.offset();
            a.movss_mr(addr, s);
            at
        }
        (Lane::I32 | Lane::F32, _) => a.op2i(avx, PEXTRD_MR, s, addr, i),
        (Lane::I64 | Lane::F64, 0) => a.op2(avx, MOVLPS_MR, s, addr),
        (Lane::I64 | Lane::F64, _) => a.op2(avx, MOVHPS_MR, s, addr),
    }
}

pub(in super::super) fn test(a: &mut Asm, cpu: &CpuFeatures, op: VectorTest, s: Reg) -> Cond {
    match op {
        VectorTest::AnyTrue => {
            a.op2(cpu.avx, PTEST, s, s);
            Cond::Ne
        }
        VectorTest::AllTrue(lanes) => {
            let eq = match lanes {
                Lanes::B => PCMPEQB,
                Lanes::W => PCMPEQW,
                Lanes::D => PCMPEQD,
                Lanes::Q => PCMPEQQ,
            };
            zero(a, cpu, X);
            a.op3(cpu.avx, eq, X, X, s);
            a.op2(cpu.avx, PTEST, X, X);
            Cond::Eq
        }
    }
}

pub(in super::super) fn bitmask(a: &mut Asm, cpu: &CpuFeatures, lanes: Lanes, d: Reg, s: Reg) {
    match lanes {
        Lanes::B => {
            a.op2(cpu.avx, PMOVMSKB, d, s);
        }
        Lanes::W => {
            // Saturation keeps the sign.
            if cpu.avx {
                zero(a, cpu, X);
                a.op3(true, PACKSSWB, X, s, X);
                a.op2(true, PMOVMSKB, d, X);
            } else {
                copy(a, X, s);
                a.op3(false, PACKSSWB, X, X, X);
                a.op2(false, PMOVMSKB, d, X);
                a.movzx8_rr(d, d);
            }
        }
        Lanes::D => {
            a.op2(cpu.avx, MOVMSKPS, d, s);
        }
        Lanes::Q => {
            a.op2(cpu.avx, MOVMSKPD, d, s);
        }
    }
}
