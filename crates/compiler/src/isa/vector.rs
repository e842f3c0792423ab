//! How operations on vectors want their operands.

use lightbeam_asm::{Addr, Reg};

/// The last operand of an operation on vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorSrc {
    /// A register.
    Reg(Reg),
    /// 16 bytes of memory: aligned, unless `Isa::unaligned_vectors`.
    Mem(Addr),
    /// A constant.
    Const(u128),
}

/// Where the result of an operation on vectors may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dest {
    /// To any register.
    Any,
    /// To the first operand's register, but to none of the others'.
    First,
    /// To none that an operand is in.
    Fresh,
}

/// How an operation on vectors wants its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VectorForm {
    /// The two operands are given in exchanged order.
    pub swap: bool,
    /// The two operands may be exchanged.
    pub commutes: bool,
    /// The last operand may be a constant or memory.
    pub memory: bool,
    /// Where the result may go.
    pub dest: Dest,
    /// A temporary is used, neither an operand nor the result.
    pub temp: bool,
}
