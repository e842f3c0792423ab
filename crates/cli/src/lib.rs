//! The subcommands of `lightbeam`, as a library so that tests can drive the specification script runner in their own
//! process.

mod compile;
mod flags;
mod guest;
mod input;
mod machine;
mod objdump;
mod output;
mod report;
mod run;
mod serve;
mod show;
mod verify;
pub mod wast;

pub use compile::CompileCommand;
pub use objdump::ObjdumpCommand;
pub use run::RunCommand;
pub use serve::ServeCommand;
pub use verify::VerifyCommand;
pub use wast::WastCommand;

/// Shows the error with which a command ended.
pub fn show_error(error: &wasmtime::Error) {
    show::say(show::error(error));
}
