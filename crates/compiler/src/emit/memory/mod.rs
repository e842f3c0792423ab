//! Linear memories, tables and globals.

mod access;
mod atomics;
mod bulk;
mod globals;
pub(crate) mod tables;
mod vectors;
