//! The subcommands of `lightbeam`, as a library so that tests can drive the specification script runner in their own
//! process.

mod compile;
mod flags;
mod input;
mod objdump;
mod report;
mod run;
mod verify;
pub mod wast;

pub use compile::CompileCommand;
pub use objdump::ObjdumpCommand;
pub use run::RunCommand;
pub use verify::VerifyCommand;
pub use wast::WastCommand;
