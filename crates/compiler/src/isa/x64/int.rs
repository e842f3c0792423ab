//! Integer primitives: the choice among forms of two-operand instructions.

use crate::isa::{Alu, Amount, At, Cond, Div, Extend, IntUnary, Shift, Src};
use crate::treaty::facts::CpuFeatures;
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::Width;
use lightbeam_asm::x64::{self, Asm, Cc, R11, Size, rows};
use lightbeam_asm::{Addr, Assembler, Label, Reg};

const SCRATCH: Reg = R11;

pub(super) const fn family(op: Alu) -> x64::Alu {
    match op {
        Alu::Add => x64::Alu::Add,
        Alu::Sub => x64::Alu::Sub,
        Alu::And => x64::Alu::And,
        Alu::Or => x64::Alu::Or,
        Alu::Xor => x64::Alu::Xor,
    }
}

/// A constant as instructions have it: 32 bits, which they sign-extend.
pub(super) fn imm32(value: i64) -> i32 {
    debug_assert_eq!(value, i64::from(value as i32), "no constant of the machine's");
    value as i32
}

/// The condition for one that takes one flag test.
pub(super) fn cc(cond: Cond) -> Cc {
    match cond {
        Cond::Eq => Cc::E,
        Cond::Ne => Cc::Ne,
        Cond::LtS => Cc::L,
        Cond::GeS => Cc::Ge,
        Cond::GtS => Cc::G,
        Cond::LeS => Cc::Le,
        Cond::LtU => Cc::B,
        Cond::GeU => Cc::Ae,
        Cond::GtU => Cc::A,
        Cond::LeU => Cc::Be,
        Cond::FloatEq | Cond::FloatNe => unreachable!("takes two flag tests"),
    }
}

/// `d = l + r` without writing the flags. A base of rbp or r13 would cost a displacement byte.
fn lea_sum(a: &mut Asm, size: Size, d: Reg, l: Reg, r: Reg) {
    let (base, index) = if l.code() & 7 == 5 { (r, l) } else { (l, r) };
    a.lea_rm(size, d, Addr::indexed(base, index, 0, 0));
}

fn copy(a: &mut Asm, size: Size, d: Reg, s: Reg) {
    if d != s {
        a.mov_rr(size, d, s);
    }
}

/// `d = s` as a result: of 32 bits, it is written even in place, since nothing need have cleared the upper half before.
fn keep(a: &mut Asm, size: Size, d: Reg, s: Reg) {
    if d != s || size == Size::S32 {
        a.mov_rr(size, d, s);
    }
}

/// 128 does not fit in a signed byte but -128 does, so that adding the one is subtracting the other.
const fn short_imm(op: x64::Alu, imm: i32) -> (x64::Alu, i32) {
    match (op, imm) {
        (x64::Alu::Add, 128) => (x64::Alu::Sub, -128),
        (x64::Alu::Sub, 128) => (x64::Alu::Add, -128),
        other => other,
    }
}

pub(super) fn alu(a: &mut Asm, op: Alu, size: Size, d: Reg, l: Reg, r: Src) -> At {
    match r {
        Src::Reg(r) if d == l => a.alu_rr(family(op), size, d, r),
        Src::Reg(r) if d == r => {
            debug_assert!(op.commutes(), "d is the right operand");
            a.alu_rr(family(op), size, d, l);
        }
        Src::Reg(r) if op == Alu::Add => lea_sum(a, size, d, l, r),
        Src::Reg(r) => {
            a.mov_rr(size, d, l);
            a.alu_rr(family(op), size, d, r);
        }
        Src::Imm(imm) => alu_imm(a, op, size, d, l, imm32(imm)),
        Src::Mem(addr) => {
            debug_assert!(d == l || !addr.regs().has(d), "d is part of the address");
            copy(a, size, d, l);
            let at = a.offset();
            a.alu_rm(family(op), size, d, addr);
            return at;
        }
    }
    a.offset()
}

fn alu_imm(a: &mut Asm, op: Alu, size: Size, d: Reg, l: Reg, imm: i32) {
    match (op, imm) {
        (Alu::Add, _) if d != l => return a.lea_rm(size, d, Addr::base(l, imm)),
        // The negated constant fits unless the operation is wider than it.
        (Alu::Sub, _) if d != l && (imm != i32::MIN || size == Size::S32) => {
            return a.lea_rm(size, d, Addr::base(l, imm.wrapping_neg()));
        }
        (Alu::And, 0xff) => return a.rr(rows::MOVZX_8, Size::S32, d, l),
        (Alu::And, 0xffff) => return a.rr(rows::MOVZX_16, Size::S32, d, l),
        (Alu::Xor, -1) => {
            copy(a, size, d, l);
            return a.r(rows::NOT, size, d);
        }
        _ => {}
    }
    // A mask without sign bit clears the upper half, as a 32-bit operation does anyway.
    let size = if op == Alu::And && imm >= 0 { Size::S32 } else { size };
    copy(a, size, d, l);
    let (op, imm) = short_imm(family(op), imm);
    a.alu_ri(op, size, d, imm);
}

pub(super) fn alu_mem(a: &mut Asm, op: Alu, size: Size, addr: Addr, r: Src) -> At {
    let at = a.offset();
    match r {
        Src::Reg(r) => a.alu_mr(family(op), size, addr, r),
        Src::Imm(imm) => {
            let (op, imm) = short_imm(family(op), imm32(imm));
            a.alu_mi(op, size, addr, imm);
        }
        Src::Mem(_) => unreachable!("one operand at most is memory"),
    }
    at
}

pub(super) fn mul(a: &mut Asm, size: Size, d: Reg, l: Reg, r: Src) -> At {
    match r {
        Src::Reg(r) if d == r => a.rr(rows::IMUL_RM, size, d, l),
        Src::Reg(r) => {
            copy(a, size, d, l);
            a.rr(rows::IMUL_RM, size, d, r);
        }
        Src::Imm(imm) => mul_imm(a, size, d, l, imm32(imm)),
        Src::Mem(addr) => {
            debug_assert!(d == l || !addr.regs().has(d), "d is part of the address");
            copy(a, size, d, l);
            let at = a.offset();
            a.rm(rows::IMUL_RM, size, d, addr);
            return at;
        }
    }
    a.offset()
}

fn mul_imm(a: &mut Asm, size: Size, d: Reg, l: Reg, imm: i32) {
    match imm {
        1 if without(Fault::TimesOne) => copy(a, size, d, l),
        1 => keep(a, size, d, l),
        2 => lea_sum(a, size, d, l, l),
        3 => a.lea_rm(size, d, Addr::indexed(l, l, 1, 0)),
        5 => a.lea_rm(size, d, Addr::indexed(l, l, 2, 0)),
        9 => a.lea_rm(size, d, Addr::indexed(l, l, 3, 0)),
        _ if imm > 0 && imm.count_ones() == 1 => {
            copy(a, size, d, l);
            a.shift_ri(x64::Shift::Shl, size, d, imm.trailing_zeros() as u8);
        }
        _ if imm == i32::from(imm as i8) => a.rri(rows::IMUL_RMI8, size, d, l, imm),
        _ => a.rri(rows::IMUL_RMI, size, d, l, imm),
    }
}

pub(super) fn jump_if_overflow(a: &mut Asm, width: Width, l: Reg, r: Reg, to: Label) {
    let (size, least) = match width {
        Width::W32 => (Size::S32, i64::from(i32::MIN)),
        Width::W64 => (Size::S64, i64::MIN),
    };
    let other = a.label();
    a.alu_ri(x64::Alu::Cmp, size, r, -1);
    a.jcc(Cc::Ne, other);
    a.mov_ri(size, SCRATCH, least);
    a.alu_rr(x64::Alu::Cmp, size, l, SCRATCH);
    a.jcc(Cc::E, to);
    a.bind(other);
}

pub(super) fn div(a: &mut Asm, op: Div, size: Size, r: Reg, by_minus_one: bool) -> At {
    debug_assert!(r != x64::RAX && r != x64::RDX);
    // The least number over -1 faults, as a remainder too, which is 0 over -1 for all.
    let known = (op == Div::RemS && by_minus_one).then(|| {
        let (other, known) = (a.label(), a.label());
        a.alu_ri(x64::Alu::Cmp, size, r, -1);
        a.jcc(Cc::Ne, other);
        a.zero(x64::RDX);
        a.jmp(known);
        a.bind(other);
        known
    });
    let row = match op {
        Div::DivS | Div::RemS => {
            a.cdq(size);
            rows::IDIV
        }
        Div::DivU | Div::RemU => {
            a.zero(x64::RDX);
            rows::DIV
        }
    };
    let at = a.offset();
    a.r(row, size, r);
    if let Some(known) = known {
        a.bind(known);
    }
    at
}

pub(super) fn shift(a: &mut Asm, cpu: &CpuFeatures, op: Shift, width: Width, d: Reg, l: Reg, count: Amount) {
    let size = super::size(width);
    let family = match op {
        Shift::Shl => x64::Shift::Shl,
        Shift::ShrS => x64::Shift::Sar,
        Shift::ShrU => x64::Shift::Shr,
        Shift::Rotl => x64::Shift::Rol,
        Shift::Rotr => x64::Shift::Ror,
    };
    match count {
        Amount::Imm(0) => keep(a, size, d, l),
        Amount::Imm(1) if op == Shift::Shl && d != l => lea_sum(a, size, d, l, l),
        Amount::Imm(n) if d != l && cpu.bmi2 && matches!(op, Shift::Rotl | Shift::Rotr) => {
            let right = if op == Shift::Rotr { u32::from(n) } else { width.bits() - u32::from(n) };
            a.vrri(rows::RORX, size, d, l, right as i32);
        }
        Amount::Imm(n) => {
            debug_assert!(u32::from(n) < width.bits());
            copy(a, size, d, l);
            a.shift_ri(family, size, d, n);
        }
        Amount::Reg(count) => match op {
            Shift::Shl if cpu.bmi2 => a.vrvr(rows::SHLX, size, d, count, l),
            Shift::ShrS if cpu.bmi2 => a.vrvr(rows::SARX, size, d, count, l),
            Shift::ShrU if cpu.bmi2 => a.vrvr(rows::SHRX, size, d, count, l),
            _ => {
                debug_assert!(count == x64::RCX && d != count);
                copy(a, size, d, l);
                a.shift_rc(family, size, d);
            }
        },
    }
}

pub(super) fn unary(a: &mut Asm, cpu: &CpuFeatures, op: IntUnary, width: Width, d: Reg, s: Reg) {
    let size = super::size(width);
    let bits = width.bits();
    let row = match op {
        IntUnary::Clz if cpu.lzcnt => rows::LZCNT,
        IntUnary::Ctz if cpu.bmi1 => rows::TZCNT,
        IntUnary::Popcnt => rows::POPCNT,
        IntUnary::Clz => {
            // The index of the highest bit from above is its index from below xor `bits - 1`. For 0 take what gives
            // `bits` after that.
            a.rr(rows::BSR, size, d, s);
            a.mov_ri(Size::S32, SCRATCH, i64::from(2 * bits - 1));
            a.cmov_rr(Cc::E, Size::S32, d, SCRATCH);
            return a.alu_ri(x64::Alu::Xor, Size::S32, d, bits as i32 - 1);
        }
        IntUnary::Ctz => {
            a.rr(rows::BSF, size, d, s);
            a.mov_ri(Size::S32, SCRATCH, bits.into());
            return a.cmov_rr(Cc::E, Size::S32, d, SCRATCH);
        }
    };
    // Many processors make these wait for the old value of `d`.
    if d != s {
        a.zero(d);
    }
    a.rr(row, size, d, s);
}

pub(super) fn extend(a: &mut Asm, op: Extend, d: Reg, s: Src) -> At {
    let at = a.offset();
    let (row, size) = match op {
        Extend::S8To32 => (rows::MOVSX_8, Size::S32),
        Extend::S16To32 => (rows::MOVSX_16, Size::S32),
        Extend::S8To64 => (rows::MOVSX_8, Size::S64),
        Extend::S16To64 => (rows::MOVSX_16, Size::S64),
        Extend::S32To64 => (rows::MOVSXD, Size::S64),
        Extend::U32To64 => (rows::MOV_RM, Size::S32),
    };
    match s {
        Src::Reg(s) => a.rr(row, size, d, s),
        Src::Mem(addr) => a.rm(row, size, d, addr),
        Src::Imm(imm) => {
            let value = match op {
                Extend::S8To32 | Extend::S8To64 => (imm as i8).into(),
                Extend::S16To32 | Extend::S16To64 => (imm as i16).into(),
                Extend::S32To64 => (imm as i32).into(),
                Extend::U32To64 => (imm as u32).into(),
            };
            a.mov_ri(size, d, value);
        }
    }
    at
}

pub(super) fn cmp(a: &mut Asm, size: Size, l: Reg, r: Src) -> At {
    let at = a.offset();
    match r {
        Src::Reg(r) => a.alu_rr(x64::Alu::Cmp, size, l, r),
        // A test sets the flags of a comparison with 0, and is one byte less.
        Src::Imm(0) => a.test_rr(size, l, l),
        Src::Imm(imm) => a.alu_ri(x64::Alu::Cmp, size, l, imm32(imm)),
        Src::Mem(addr) => a.alu_rm(x64::Alu::Cmp, size, l, addr),
    }
    at
}

pub(super) fn cmp_mem(a: &mut Asm, size: Size, l: Addr, r: Src) -> At {
    let at = a.offset();
    match r {
        Src::Reg(r) => a.alu_mr(x64::Alu::Cmp, size, l, r),
        Src::Imm(imm) => a.alu_mi(x64::Alu::Cmp, size, l, imm32(imm)),
        Src::Mem(_) => unreachable!("one operand at most is memory"),
    }
    at
}

pub(super) fn test(a: &mut Asm, size: Size, l: Reg, r: Src) -> At {
    let at = a.offset();
    match r {
        Src::Reg(r) => a.test_rr(size, l, r),
        // A mask that leaves the sign bit of the byte, resp. of the lower half, out leaves the sign flag clear there
        // as in the full width.
        Src::Imm(imm @ 0..=0x7f) => a.ri(rows::TEST_MI8, Size::S32, l, imm32(imm)),
        Src::Imm(imm @ 0..) => a.test_ri(Size::S32, l, imm32(imm)),
        Src::Imm(imm) => a.test_ri(size, l, imm32(imm)),
        Src::Mem(addr) => a.rm(rows::TEST_MR, size, l, addr),
    }
    at
}

pub(super) fn set(a: &mut Asm, cond: Cond, d: Reg) {
    match cond {
        Cond::FloatEq => {
            a.setcc(Cc::Np, SCRATCH);
            a.setcc(Cc::E, d);
            a.alu_rr(x64::Alu::And, Size::S32, d, SCRATCH);
        }
        Cond::FloatNe => {
            a.setcc(Cc::P, SCRATCH);
            a.setcc(Cc::Ne, d);
            a.alu_rr(x64::Alu::Or, Size::S32, d, SCRATCH);
        }
        _ => a.setcc(cc(cond), d),
    }
    a.movzx8_rr(d, d);
}
