//! From compiled functions to what Wasmtime loads: places in one text, tables beside it, a file around both.

pub(crate) mod addresses;
pub mod artifact;
pub mod assembly;
pub(crate) mod budget;
pub(crate) mod debug;
pub(crate) mod detached;
mod elf;
mod encoding;
pub(crate) mod fragment;
pub(crate) mod handlers;
pub(crate) mod image;
pub(crate) mod link;
pub mod memory_file;
pub(crate) mod place;
pub(crate) mod stack_maps;
pub(crate) mod symbols;
pub(crate) mod text;
pub(crate) mod traps;
pub(crate) mod unwind;
