//! Tasks around the project: `cargo xtask --help` lists them.

mod campaign;
mod order;
mod pgo;
mod strength;
mod tidy;
mod verify;

use anyhow::{Result, bail, ensure};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// Tasks around the project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Writes what the compiler gives today into the file tests, as what they expect; read the difference.
    Bless,
    /// Leaves out side conditions of the compiler, one at a time, and says who notices.
    Faults(strength::Faults),
    /// Compares Lightbeam with Cranelift and an interpreter on generated modules, until told to stop.
    Fuzz(Fuzz),
    /// Changes emitted code in one place at a time, and says what the verifier rejects; executes what it accepts.
    Mutants(strength::Mutants),
    /// Fuzzes one target, led by coverage, or runs it on given inputs; without a name it lists the targets.
    FuzzTarget(campaign::FuzzTarget),
    /// Fuzzes all targets in turn, led by coverage, and prints what all such runs came to.
    FuzzCampaign(campaign::FuzzCampaign),
    /// Builds the command guided by a profile of what compiles, and says what that gives.
    Pgo(pgo::Pgo),
    /// Checks what no compiler checks: directions between crates, headers and lengths of files, words that must not
    /// stay.
    Tidy,
    /// Compiles and proves everything that there is to compile, under many settings.
    VerifyAll(verify::VerifyAll),
}

#[derive(clap::Args)]
struct Fuzz {
    /// The first module's seed; those after it count up [default: from the clock].
    #[arg(long)]
    seed: Option<u64>,
    /// Stop after so many modules.
    #[arg(long)]
    count: Option<u64>,
    /// Stop after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

fn main() -> Result<ExitCode> {
    if let Some(compiled) = pgo::as_compiler() {
        return compiled;
    }
    match Task::parse() {
        Task::Bless => bless(),
        Task::Faults(faults) => faults.run(&root()),
        Task::Fuzz(fuzz) => fuzz.run(),
        Task::Mutants(mutants) => mutants.run(),
        Task::VerifyAll(all) => all.run(),
        Task::FuzzTarget(fuzz) => fuzz.run(&root()),
        Task::FuzzCampaign(campaign) => campaign.run(&root()),
        Task::Pgo(pgo) => pgo.run(&root()),
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
        .args(["test", "--package", "lightbeam-compiler", "--test", "filetests"])
        .current_dir(root())
        .env("LIGHTBEAM_BLESS", "1")
        .status()?;
    ensure!(status.success(), "the file tests failed to be blessed");
    Ok(ExitCode::SUCCESS)
}

impl Fuzz {
    /// So many modules between two looks at the clock.
    const BATCH: u64 = 50;

    fn run(self) -> Result<ExitCode> {
        let clock = || std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs() << 24);
        let first = self.seed.unwrap_or_else(clock);
        let end = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut done = 0;
        let mut mismatches = 0;
        while self.count.is_none_or(|count| done < count) && end.is_none_or(|end| Instant::now() < end) {
            let batch = self.count.map_or(Self::BATCH, |count| Self::BATCH.min(count - done));
            let Some(seed) = first.checked_add(done) else { bail!("no seeds are left") };
            let summary = lightbeam_tests::differential::run(seed, batch);
            done += batch;
            for mismatch in &summary.mismatches {
                println!("seed {}: {} [{}]", mismatch.seed, mismatch.what, mismatch.path.display());
            }
            mismatches += summary.mismatches.len();
            eprintln!("{done} modules from seed {first} on, {mismatches} mismatches");
        }
        println!("{done} modules, {mismatches} mismatches");
        Ok(if mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
