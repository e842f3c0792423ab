//! A module's bytes on their way in: what Wasmtime's translation says of them, and what it does not need to see.

pub(crate) mod bounds;
pub(crate) mod component;
pub(crate) mod data;
mod gc_options;
pub mod kind;
pub(crate) mod standins;
pub mod translate;
pub(crate) mod unsupported;
#[cfg(feature = "wat")]
mod wat;
