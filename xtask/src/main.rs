//! Tasks around the project: `cargo xtask --help` lists them.

mod tidy;

use anyhow::{Result, ensure};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Tasks around the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Writes what the compiler gives today into the file tests, as what they expect; read the difference.
    Bless,
    /// Checks what no compiler checks: directions between crates, headers and lengths of files, words that must not
    /// stay.
    Tidy,
}

fn main() -> Result<ExitCode> {
    match Task::parse() {
        Task::Bless => bless(),
        Task::Tidy => {
            let complaints = tidy::complaints(&root())?;
            for complaint in &complaints {
                println!("{complaint}");
            }
            Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace").into()
}

fn bless() -> Result<ExitCode> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--package", "lightbeam-tests", "--test", "filetests"])
        .current_dir(root())
        .env("LIGHTBEAM_BLESS", "1")
        .status()?;
    ensure!(status.success(), "the file tests failed to be blessed");
    Ok(ExitCode::SUCCESS)
}
