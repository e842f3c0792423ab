//! Machine code for Lightbeam: registers, encodings, labels, a buffer. Knows no WebAssembly and no host.
//!
//! Read in this order: [`Reg`] and [`Addr`] name the operands, [`Buffer`] holds the bytes, [`Label`] the places in
//! them, [`Const`] what lies behind them, and one module per instruction set puts these together ([`x64::Asm`]).

mod assembler;
mod buffer;
mod label;
mod pool;
mod reg;
pub mod x64;

pub use assembler::Assembler;
pub use buffer::Buffer;
pub use label::{Label, Labels};
pub use pool::Const;
pub use reg::{Addr, Reg, RegClass, RegSet};
