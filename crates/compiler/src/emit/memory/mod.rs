//! Linear memories and tables.

mod access;
mod atomics;
mod bulk;
pub(crate) mod tables;
