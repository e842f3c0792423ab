//! x86-64: registers, the table of encodings, and the assembler.
//!
//! An instruction reaches the buffer by one of two ways. *By row*: a line of [`rows`] and its operands
//! (`a.rr(rows::POPCNT, Size::S64, d, s)`); the compiler's primitives, which choose among forms, work so. *By name*:
//! the methods of `asm.rs` (`a.mov_rr(Size::S64, RBP, RSP)`), for code written by hand. The names say what the operands
//! are, destination first: `r` a register, `m` memory, `i` a constant.

mod asm;
mod emit;
mod reg;
pub mod rows;
#[cfg(test)]
mod tests;

pub use asm::{Alu, Asm, Cc, Round, Shift, Short};
pub use reg::*;

/// The width of an integer operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Size {
    /// 32 bits; a register written so has its upper half zeroed.
    S32,
    /// 64 bits.
    S64,
}
