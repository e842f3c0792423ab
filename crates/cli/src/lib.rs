//! The subcommands of `lightbeam`, as a library so that tests can drive the specification script runner in their own
//! process.

mod caret;
mod compile;
mod config;
mod flags;
mod guest;
mod input;
mod machine;
mod objdump;
mod output;
mod progress;
mod report;
mod run;
mod serve;
mod settings;
mod show;
mod verify;
pub mod wast;

pub use compile::CompileCommand;
pub use config::ConfigCommand;
pub use objdump::ObjdumpCommand;
pub use run::RunCommand;
pub use serve::ServeCommand;
pub use settings::SettingsCommand;
pub use verify::VerifyCommand;
pub use wast::WastCommand;

/// Prints to standard output.
///
/// # Errors
///
/// If that cannot be written.
pub fn print(bytes: &[u8]) -> wasmtime::Result<()> {
    output::write(std::path::Path::new("-"), bytes)
}

/// Says which of the options of a group, by its letter, are refused: ahead of Wasmtime's list of all of them.
pub fn print_refused(group: char) {
    if let Some(refused) = flags::refused_of(group) {
        // Whoever does not read this does not read the list either.
        let _ = print(refused.as_bytes());
    }
}

/// Shows the error with which a command ended.
pub fn show_error(error: &wasmtime::Error) {
    show::say(show::error(error));
}
