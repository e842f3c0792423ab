//! Code that belongs to no function body: where control enters a module and leaves it, and what runs before its first
//! call.

pub(crate) mod component;
pub(crate) mod host;
pub(crate) mod startup;
pub(crate) mod trampolines;
