//! Linear memories and tables.

mod access;
mod atomics;
pub(crate) mod bulk;
pub(crate) mod tables;
