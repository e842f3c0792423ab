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

/// Prints to standard output. Whoever reads that may have seen enough.
///
/// # Errors
///
/// If it cannot be written for another reason.
pub fn print(bytes: &[u8]) -> wasmtime::Result<()> {
    output::write(std::path::Path::new("-"), bytes).or_else(|error| {
        let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if kind == Some(std::io::ErrorKind::BrokenPipe) { Ok(()) } else { Err(error) }
    })
}

/// Says which of the options of a group, by its letter, are refused: ahead of Wasmtime's list of all of them.
pub fn print_refused(group: char) {
    if let Some(refused) = flags::refused_of(group) {
        // Whoever does not read this does not read the list either.
        let _ = print(refused.as_bytes());
    }
}

/// Does what may print by itself, as Wasmtime's lists of options do. None if whoever was to read that has seen enough.
pub fn while_read<T>(work: impl FnOnce() -> T) -> Option<T> {
    machine::without_panic(work).ok()
}

/// Shows the error with which a command ended.
pub fn show_error(error: &wasmtime::Error) {
    show::say(show::error(error));
}
