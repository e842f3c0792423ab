//! One WebAssembly function body in, machine code and side tables out.
//!
//! A body's journey: what the host says (`treaty`), the op table that both sweeps are driven by (`operators`), the
//! sweep that validates and takes the survey (`validate`), then emission (`compile` is the road, `emit` what it passes
//! through) on an instruction set (`isa`), and routines that a module has once. ARCHITECTURE.md says which file is of
//! which part.
//! This crate knows no operating system and no runtime; the host is data ([`facts::Facts`]) and names
//! ([`libcall::Libcall`]).
#![forbid(unsafe_code)]

mod treaty;

mod operators;

pub mod isa;

mod validate;

mod emit;

mod routines;

mod compile;

pub use compile::{Workspace, compile, compile_routine};
pub use emit::heap::compare_with_heap;
pub use emit::poison;
pub use emit::writer::{Budget, Writer};
pub use lightbeam_asm as asm;
pub use treaty::error::{Error, ErrorKind};
#[doc(hidden)]
pub use treaty::fault;
pub use treaty::{code, facts, libcall, sig, ty};
#[doc(hidden)]
pub use validate::BothWays;
