//! Sweep 2 below the road: the writer, the state between operators (`values`), and the shapes that lower them, by kind.

pub(crate) mod control;
mod dispatch;
pub(crate) mod frame;
pub(crate) mod memory;
pub(crate) mod objects;
pub mod poison;
pub(crate) mod shapes;
pub(crate) mod values;
pub(crate) mod writer;
