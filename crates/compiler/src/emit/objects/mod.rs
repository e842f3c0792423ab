//! References and what they refer to: tests and casts, objects of the collector's heap.

mod arrays;
pub(crate) mod gc;
mod refs;
