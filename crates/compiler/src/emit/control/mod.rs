//! Where control goes: blocks and branches, calls, exceptions, continuations, and interruptions.

pub(crate) mod blocks;
pub(crate) mod calls;
mod comes;
pub(crate) mod continuations;
pub(crate) mod exceptions;
pub(crate) mod meter;
