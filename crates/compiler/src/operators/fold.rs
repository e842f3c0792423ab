//! The meaning of pure operators on constants. 32-bit values come and go zero-extended.

use crate::isa::{Alu, Cond, Div, Extend, IntUnary, Shift};
use crate::treaty::ty::Width;

const fn cut(width: Width, value: u64) -> u64 {
    match width {
        Width::W32 => value & 0xffff_ffff,
        Width::W64 => value,
    }
}

/// The value as a signed number.
const fn signed(width: Width, value: u64) -> i64 {
    match width {
        Width::W32 => value as i32 as i64,
        Width::W64 => value as i64,
    }
}

pub(crate) fn alu(op: Alu, width: Width, l: u64, r: u64) -> u64 {
    cut(
        width,
        match op {
            Alu::Add => l.wrapping_add(r),
            Alu::Sub => l.wrapping_sub(r),
            Alu::And => l & r,
            Alu::Or => l | r,
            Alu::Xor => l ^ r,
        },
    )
}

/// Does `x op r` give `x`, whatever `x` is?
pub(crate) fn alu_is_identity(op: Alu, width: Width, r: u64) -> bool {
    match op {
        Alu::Add | Alu::Sub | Alu::Or | Alu::Xor => r == 0,
        Alu::And => r == cut(width, u64::MAX),
    }
}

pub(crate) fn mul(width: Width, l: u64, r: u64) -> u64 {
    cut(width, l.wrapping_mul(r))
}

/// `None` if it traps.
pub(crate) fn div(op: Div, width: Width, l: u64, r: u64) -> Option<u64> {
    let (ls, rs) = (signed(width, l), signed(width, r));
    let smallest = match width {
        Width::W32 => i64::from(i32::MIN),
        Width::W64 => i64::MIN,
    };
    if r == 0 || (op == Div::DivS && ls == smallest && rs == -1) {
        return None;
    }
    Some(cut(
        width,
        match op {
            Div::DivS => ls.wrapping_div(rs) as u64,
            Div::DivU => l / r,
            Div::RemS => ls.wrapping_rem(rs) as u64,
            Div::RemU => l % r,
        },
    ))
}

pub(crate) fn shift(op: Shift, width: Width, l: u64, r: u64) -> u64 {
    let n = r as u32 & (width.bits() - 1);
    match (op, width) {
        (Shift::Shl, _) => cut(width, l << n),
        (Shift::ShrU, _) => l >> n,
        (Shift::ShrS, _) => cut(width, (signed(width, l) >> n) as u64),
        (Shift::Rotl, Width::W32) => u64::from((l as u32).rotate_left(n)),
        (Shift::Rotl, Width::W64) => l.rotate_left(n),
        (Shift::Rotr, Width::W32) => u64::from((l as u32).rotate_right(n)),
        (Shift::Rotr, Width::W64) => l.rotate_right(n),
    }
}

pub(crate) fn int_unary(op: IntUnary, width: Width, value: u64) -> u64 {
    u64::from(match (op, width) {
        (IntUnary::Clz, Width::W32) => (value as u32).leading_zeros(),
        (IntUnary::Clz, Width::W64) => value.leading_zeros(),
        (IntUnary::Ctz, Width::W32) => (value as u32).trailing_zeros(),
        (IntUnary::Ctz, Width::W64) => value.trailing_zeros(),
        (IntUnary::Popcnt, _) => value.count_ones(),
    })
}

pub(crate) fn extend(op: Extend, value: u64) -> u64 {
    match op {
        Extend::S8To32 => u64::from(value as i8 as i32 as u32),
        Extend::S16To32 => u64::from(value as i16 as i32 as u32),
        Extend::S8To64 => value as i8 as i64 as u64,
        Extend::S16To64 => value as i16 as i64 as u64,
        Extend::S32To64 => value as i32 as i64 as u64,
        Extend::U32To64 => value & 0xffff_ffff,
    }
}

pub(crate) fn compare(cond: Cond, width: Width, l: u64, r: u64) -> bool {
    let (ls, rs) = (signed(width, l), signed(width, r));
    match cond {
        Cond::Eq => l == r,
        Cond::Ne => l != r,
        Cond::LtS => ls < rs,
        Cond::GeS => ls >= rs,
        Cond::GtS => ls > rs,
        Cond::LeS => ls <= rs,
        Cond::LtU => l < r,
        Cond::GeU => l >= r,
        Cond::GtU => l > r,
        Cond::LeU => l <= r,
        Cond::FloatEq | Cond::FloatNe => unreachable!("a condition of integers"),
    }
}
