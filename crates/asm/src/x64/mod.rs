//! x86-64: registers, the table of encodings, and the assembler.
//!
//! An instruction reaches the buffer by one of three ways. *By row*: a line of [`rows`] and its operands
//! (`a.rr(rows::POPCNT, Size::S64, d, s)`); the compiler's primitives, which choose among forms, work so. *By row, in
//! the encoding that the processor has*: the methods of `lanes.rs` (`a.op3(cpu.avx, rows::PADDD, d, l, r)`). *By name*:
//! the methods of `asm.rs` (`a.mov_rr(Size::S64, RBP, RSP)`), for code written by hand. The names say what the operands
//! are, destination first: `r` a register, `m` memory, `c` a constant in memory, `i` one in the instruction.

mod asm;
mod emit;
mod reg;
pub mod rows;
#[cfg(test)]
mod tests;
mod vex;

pub use asm::{Alu, Asm, Cc, NOPS, Round, Shift, Short};
pub use reg::*;
pub use vex::{Predicate, Rm, lanes4};

/// The width of an integer operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Size {
    /// 32 bits; a register written so has its upper half zeroed.
    S32,
    /// 64 bits.
    S64,
}
