//! The compiler at work on function bodies, on one thread or several.

pub(crate) mod arriving;
mod hosts;
pub(crate) mod job;
pub(crate) mod queue;
pub(crate) mod worker;
