//! One WebAssembly function body in, machine code and side tables out.
//!
//! A body's journey: what the host says (`facts`, `sig`), the sweep that validates and takes the survey (`validate`,
//! `survey`), then emission (`compile`): the state between operators, the shapes that lower them, and the instruction
//! sets below. ARCHITECTURE.md says which file is of which part.
//! This crate knows no operating system and no runtime; the host is data ([`facts::Facts`]) and names
//! ([`libcall::Libcall`]).
#![forbid(unsafe_code)]

pub mod code;
pub mod facts;
#[doc(hidden)]
pub mod fault;
pub mod isa;
pub mod libcall;
pub mod poison;
pub mod sig;
pub mod ty;
mod writer;

mod compile;
mod effects;
mod error;
mod fold;
mod operators;
mod reader;
mod survey;
mod validate;

mod frame;
mod frozen;
mod held;
mod moves;
mod regs;
mod stack;
mod stack_routines;
mod stack_switching;
mod value;

mod array_routines;
mod atomics;
mod bulk;
mod calls;
mod check;
mod control;
mod exceptions;
mod floats;
mod gc;
mod globals;
mod locals;
mod memory;
mod meter;
mod refs;
pub mod routines;
mod safepoints;
mod shapes;
mod simd;
mod tables;

pub use compile::{Budget, Scratch, compile};
pub use error::{Error, ErrorKind};
pub use gc::compare_with_heap;
pub use lightbeam_asm as asm;
#[doc(hidden)]
pub use validate::Judge;
pub use writer::Writer;
