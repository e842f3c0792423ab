//! The machine's operations by name: what lines of the table lower to, and instruction sets have as primitives. Those
//! on integers say what they mean on constants, which come and go zero-extended if they are of 32 bits.

use crate::treaty::ty::{Ty, Width};

/// An enumeration of operations, and the list of all.
macro_rules! operations {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $op:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "where there is no comment, the name says it")]
        pub enum $name { $($(#[$about])* $op,)* }

        #[cfg(test)]
        impl $name {
            pub(crate) const ALL: &'static [$name] = &[$($name::$op,)*];
        }
    };
}

pub(crate) const fn cut(width: Width, value: u64) -> u64 {
    match width {
        Width::W32 => value & 0xffff_ffff,
        Width::W64 => value,
    }
}

/// The value as a signed number.
pub(crate) const fn signed(width: Width, value: u64) -> i64 {
    match width {
        Width::W32 => value as i32 as i64,
        Width::W64 => value as i64,
    }
}

operations! {
    /// Two-operand arithmetic.
    Alu { Add, Sub, And, Or, Xor, }
}

impl Alu {
    pub(crate) const fn of(self, width: Width, l: u64, r: u64) -> u64 {
        let value = match self {
            Alu::Add => l.wrapping_add(r),
            Alu::Sub => l.wrapping_sub(r),
            Alu::And => l & r,
            Alu::Or => l | r,
            Alu::Xor => l ^ r,
        };
        cut(width, value)
    }

    /// May the operands be exchanged?
    #[must_use]
    pub const fn commutes(self) -> bool {
        match self {
            Alu::Add | Alu::And | Alu::Or | Alu::Xor => true,
            Alu::Sub => false,
        }
    }

    /// Does `x op r` give `x`, whatever `x` is?
    pub(crate) const fn is_identity(self, width: Width, r: u64) -> bool {
        match self {
            Alu::Add | Alu::Sub | Alu::Or | Alu::Xor => r == 0,
            Alu::And => r == cut(width, u64::MAX),
        }
    }
}

/// The lower half of a product.
pub(crate) const fn product(width: Width, l: u64, r: u64) -> u64 {
    cut(width, l.wrapping_mul(r))
}

/// What an atomic operator makes of memory and its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Rmw {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Xchg,
}

impl Rmw {
    /// The operation as arithmetic that is not atomic; `None` for the exchange.
    #[must_use]
    pub const fn alu(self) -> Option<Alu> {
        match self {
            Rmw::Add => Some(Alu::Add),
            Rmw::Sub => Some(Alu::Sub),
            Rmw::And => Some(Alu::And),
            Rmw::Or => Some(Alu::Or),
            Rmw::Xor => Some(Alu::Xor),
            Rmw::Xchg => None,
        }
    }
}

operations! {
    /// Shifts and rotates; counts are taken modulo the width.
    Shift { Shl, ShrS, ShrU, Rotl, Rotr, }
}

impl Shift {
    pub(crate) const fn of(self, width: Width, l: u64, r: u64) -> u64 {
        let n = r as u32 & (width.bits() - 1);
        match (self, width) {
            (Shift::Shl, _) => cut(width, l << n),
            (Shift::ShrU, _) => l >> n,
            (Shift::ShrS, _) => cut(width, (signed(width, l) >> n) as u64),
            (Shift::Rotl, Width::W32) => (l as u32).rotate_left(n) as u64,
            (Shift::Rotl, Width::W64) => l.rotate_left(n),
            (Shift::Rotr, Width::W32) => (l as u32).rotate_right(n) as u64,
            (Shift::Rotr, Width::W64) => l.rotate_right(n),
        }
    }
}

operations! {
    /// Division.
    Div { DivS, DivU, RemS, RemU, }
}

impl Div {
    /// `None` if it traps.
    pub(crate) fn of(self, width: Width, l: u64, r: u64) -> Option<u64> {
        let (ls, rs) = (signed(width, l), signed(width, r));
        let smallest = match width {
            Width::W32 => i64::from(i32::MIN),
            Width::W64 => i64::MIN,
        };
        if r == 0 || (self == Div::DivS && ls == smallest && rs == -1) {
            return None;
        }
        let value = match self {
            Div::DivS => ls.wrapping_div(rs) as u64,
            Div::DivU => l / r,
            Div::RemS => ls.wrapping_rem(rs) as u64,
            Div::RemU => l % r,
        };
        Some(cut(width, value))
    }
}

operations! {
    /// One-operand operations.
    IntUnary {
        /// Leading zeros; the width for 0.
        Clz,
        /// Trailing zeros; the width for 0.
        Ctz,
        /// One bits.
        Popcnt,
    }
}

impl IntUnary {
    pub(crate) const fn of(self, width: Width, value: u64) -> u64 {
        let count = match (self, width) {
            (IntUnary::Clz, Width::W32) => (value as u32).leading_zeros(),
            (IntUnary::Clz, Width::W64) => value.leading_zeros(),
            (IntUnary::Ctz, Width::W32) => (value as u32).trailing_zeros(),
            (IntUnary::Ctz, Width::W64) => value.trailing_zeros(),
            (IntUnary::Popcnt, _) => value.count_ones(),
        };
        count as u64
    }
}

operations! {
    /// Sign and zero extension within or between widths.
    Extend {
        /// `i32.extend8_s`
        S8To32,
        /// `i32.extend16_s`
        S16To32,
        /// `i64.extend8_s`
        S8To64,
        /// `i64.extend16_s`
        S16To64,
        /// `i64.extend32_s` and `i64.extend_i32_s`
        S32To64,
        /// `i64.extend_i32_u` and `i32.wrap_i64`: keeps the lower half, clears the upper.
        U32To64,
    }
}

impl Extend {
    pub(crate) const fn of(self, value: u64) -> u64 {
        match self {
            Extend::S8To32 => value as i8 as i32 as u32 as u64,
            Extend::S16To32 => value as i16 as i32 as u32 as u64,
            Extend::S8To64 => value as i8 as i64 as u64,
            Extend::S16To64 => value as i16 as i64 as u64,
            Extend::S32To64 => value as i32 as i64 as u64,
            Extend::U32To64 => value & 0xffff_ffff,
        }
    }
}

operations! {
    /// A condition, after a compare of integers or as `Isa::fcmp` answered it.
    Cond {
        Eq,
        Ne,
        LtS,
        GeS,
        GtS,
        LeS,
        LtU,
        GeU,
        GtU,
        LeU,
        /// Floats equal, neither a NaN, where that takes more than one flag.
        FloatEq,
        /// Floats unequal or unordered, where that takes more than one flag.
        FloatNe,
    }
}

impl Cond {
    /// Does it hold after a compare of integers?
    pub(crate) fn of(self, width: Width, l: u64, r: u64) -> bool {
        let (ls, rs) = (signed(width, l), signed(width, r));
        match self {
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

    /// The condition that holds exactly when this one does not, for the same flags.
    #[must_use]
    pub const fn invert(self) -> Cond {
        use Cond::*;
        match self {
            Eq => Ne,
            Ne => Eq,
            LtS => GeS,
            GeS => LtS,
            GtS => LeS,
            LeS => GtS,
            LtU => GeU,
            GeU => LtU,
            GtU => LeU,
            LeU => GtU,
            FloatEq => FloatNe,
            FloatNe => FloatEq,
        }
    }

    /// The condition for the same compare with its operands exchanged. Integer compares only.
    #[must_use]
    pub const fn swap(self) -> Cond {
        use Cond::*;
        match self {
            LtS => GtS,
            GtS => LtS,
            LeS => GeS,
            GeS => LeS,
            LtU => GtU,
            GtU => LtU,
            LeU => GeU,
            GeU => LeU,
            Eq | Ne | FloatEq | FloatNe => self,
        }
    }
}

/// Two-operand float arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FloatAlu {
    Add,
    Sub,
    Mul,
    Div,
}

/// One-operand float operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FloatUnary {
    Abs,
    Neg,
    Sqrt,
    Ceil,
    Floor,
    Trunc,
    Nearest,
}

/// Conversions with a float on one side at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "named as the operators: to, from, signedness")]
pub enum Convert {
    F32FromI32S,
    F32FromI32U,
    F32FromI64S,
    F32FromI64U,
    F64FromI32S,
    F64FromI32U,
    F64FromI64S,
    F64FromI64U,
    F32FromF64,
    F64FromF32,
}

/// Float to integer, trapping or saturating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trunc {
    /// Width of the float.
    pub from: Width,
    /// Width of the integer.
    pub to: Width,
    /// Is the integer signed?
    pub signed: bool,
}

/// Float compares as wasm has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FloatCmp {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

/// What a load reads and how it fills the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "named as the operators")]
pub enum Load {
    I32,
    I64,
    F32,
    F64,
    I32S8,
    I32U8,
    I32S16,
    I32U16,
    I64S8,
    I64U8,
    I64S16,
    I64U16,
    I64S32,
    I64U32,
    V128,
}

impl Load {
    /// Bytes read.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        use Load::*;
        match self {
            I32S8 | I32U8 | I64S8 | I64U8 => 1,
            I32S16 | I32U16 | I64S16 | I64U16 => 2,
            I32 | F32 | I64S32 | I64U32 => 4,
            I64 | F64 => 8,
            V128 => 16,
        }
    }

    /// Type of the result.
    #[must_use]
    pub const fn ty(self) -> Ty {
        use Load::*;
        match self {
            I32 | I32S8 | I32U8 | I32S16 | I32U16 => Ty::I32,
            I64 | I64S8 | I64U8 | I64S16 | I64U16 | I64S32 | I64U32 => Ty::I64,
            F32 => Ty::F32,
            F64 => Ty::F64,
            V128 => Ty::V128,
        }
    }

    /// The load of a whole value of a type.
    #[must_use]
    pub const fn of(ty: Ty) -> Load {
        match ty {
            Ty::I32 | Ty::GcRef => Load::I32,
            Ty::I64 | Ty::FuncRef => Load::I64,
            Ty::F32 => Load::F32,
            Ty::F64 => Load::F64,
            Ty::V128 | Ty::ContRef => Load::V128,
        }
    }
}

/// What a store writes: the lowest bytes of an integer, a float, or a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "bits of an integer, or the type")]
pub enum Store {
    B8,
    B16,
    B32,
    B64,
    F32,
    F64,
    V128,
}

impl Store {
    /// Bytes written.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Store::B8 => 1,
            Store::B16 => 2,
            Store::B32 | Store::F32 => 4,
            Store::B64 | Store::F64 => 8,
            Store::V128 => 16,
        }
    }

    /// The store that writes as much from an integer register, if there is one.
    #[must_use]
    pub const fn of_bits(self) -> Store {
        match self {
            Store::F32 => Store::B32,
            Store::F64 => Store::B64,
            other => other,
        }
    }

    /// The store of a whole value of a type.
    #[must_use]
    pub const fn of(ty: Ty) -> Store {
        match ty {
            Ty::I32 | Ty::GcRef => Store::B32,
            Ty::I64 | Ty::FuncRef => Store::B64,
            Ty::F32 => Store::F32,
            Ty::F64 => Store::F64,
            Ty::V128 | Ty::ContRef => Store::V128,
        }
    }
}
