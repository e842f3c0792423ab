//! What the compiler and its host have agreed on: what is told of a module (`facts`, `sig`, `ty`), what the code may
//! ask for (`libcall`), what compiling gives (`code`, `error`); and what the compiler's own routines take (`routine`).
//! Nothing here knows how code is made.

pub mod code;
pub(crate) mod error;
pub mod facts;
#[doc(hidden)]
pub mod fault;
pub mod libcall;
pub(crate) mod routine;
pub mod sig;
pub mod ty;
