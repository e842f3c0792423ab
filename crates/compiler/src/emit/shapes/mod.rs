//! The shapes: how operators of one kind are lowered, each written once for all instruction sets.
//!
//! Register contract of every shape: operands are popped, brought where the primitive wants them, and released after
//! it; the result is in a register of its own, or in the home of the local that the next operator writes.

mod compare;
mod division;
mod fixed;
mod floats;
mod int;
mod locals;
mod reciprocal;
mod simd;
