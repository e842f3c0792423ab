//! Where control goes: blocks and branches, calls, exceptions, continuations, and stubs.

pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod continuations;
pub(crate) mod exceptions;
mod inline;
mod stubs;
