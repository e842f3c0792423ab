//! References and what they refer to: tests and casts, objects of the collector's heap, stack maps.

pub(crate) mod gc;
mod refs;
