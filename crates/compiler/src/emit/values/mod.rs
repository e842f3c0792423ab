//! Where the values of a function are between two operators, and what may be done with them in the middle of one.

mod check;
pub(crate) mod frozen;
pub(crate) mod held;
pub(crate) mod moves;
pub(crate) mod regs;
pub(crate) mod stack;
pub(crate) mod value;
