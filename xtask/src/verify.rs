//! `cargo xtask verify-all`: whether the verifier takes offence at code that is right.

use anyhow::Result;
use lightbeam_tests::backend::Setup;
use lightbeam_tests::shared;
use lightbeam_tests::verification::{self, Subject, Summary};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What to prove, and how.
#[derive(clap::Args)]
pub(crate) struct VerifyAll {
    /// Names of settings, of which to take only these.
    #[arg(long, value_name = "NAME")]
    setup: Vec<String>,
    /// How many generated modules.
    #[arg(long, default_value_t = 20_000)]
    generated: u64,
    /// How many modules of each of the generators that aim at a class.
    #[arg(long, default_value_t = 0)]
    aimed: u64,
    /// Names of such generators, of which to take only these.
    #[arg(long, value_name = "NAME")]
    generator: Vec<String>,
    /// The seed of the first of generated modules.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// By what to divide the sizes of compile bombs.
    #[arg(long, default_value_t = 4)]
    divisor: usize,
    /// Leave out scripts, bombs, and programs.
    #[arg(long)]
    generated_only: bool,
    /// How many threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where to put the modules that fail, and what they are compiled to.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// More modules: files, or folders of `.wasm` files.
    #[arg(value_name = "FILE|DIR")]
    more: Vec<PathBuf>,
}

impl VerifyAll {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut groups: Vec<(&str, Vec<Subject>)> = Vec::new();
        if !self.generated_only {
            for name in ["spec", "wasmtime-scripts"] {
                if let Some(folder) = shared::folder(name) {
                    groups.push((name, verification::of_scripts(&folder)));
                }
            }
            if let Some(folder) = shared::folder("wasmtime-scripts") {
                groups.push(("components", verification::components_of_scripts(&folder)));
            }
            if let Some(folder) = shared::folder("corpus") {
                groups.push(("corpus", verification::of_files(&folder)));
            }
            groups.push(("bombs", verification::of_bombs(self.divisor)));
        }
        groups.push(("generated", verification::generated(self.seed..self.seed + self.generated)));
        let mut more = Vec::new();
        for path in &self.more {
            if path.is_dir() {
                more.extend(verification::of_files(path));
            } else {
                more.push(Subject { name: path.display().to_string(), wasm: std::fs::read(path)? });
            }
        }
        if !more.is_empty() {
            groups.push(("more", more));
        }
        let mut failures = self.prove(&groups)?;
        if self.aimed > 0 {
            if self.generator.is_empty() {
                failures += self.prove(&[("systematic", verification::systematic())])?;
            }
            let wanted = |name: &&str| self.generator.is_empty() || self.generator.iter().any(|wanted| wanted == name);
            for name in verification::generators().filter(wanted) {
                let seeds = self.seed..self.seed + self.aimed;
                failures += self.prove(&[(name, verification::of_generator(name, seeds))])?;
            }
        }
        println!("{failures} failures");
        Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Proves groups of modules under all settings, and says how many could not be proved.
    fn prove(&self, groups: &[(&str, Vec<Subject>)]) -> Result<usize> {
        let mut failures = 0;
        for (name, setup) in verification::setups() {
            if !self.setup.is_empty() && !self.setup.iter().any(|wanted| wanted == name) {
                continue;
            }
            for (group, subjects) in groups.iter().filter(|(_, subjects)| !subjects.is_empty()) {
                let start = Instant::now();
                let summary = verification::run(&setup, subjects, self.threads)?;
                failures += summary.failures.len();
                if let Some(keep) = &self.keep {
                    self::keep(&keep.join(name), &setup, &summary)?;
                }
                println!("{name}, {group}: {summary} [{:.1} s]", start.elapsed().as_secs_f64());
            }
        }
        Ok(failures)
    }
}

/// Puts modules that fail into a folder, with their artifacts.
fn keep(folder: &Path, setup: &Setup, summary: &Summary) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let compiler = setup.engine()?.lightbeam.verify(false);
    for failure in &summary.failures {
        let name: String = failure.name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        std::fs::write(folder.join(format!("{name}.wasm")), &failure.wasm)?;
        if let Ok(artifact) = compiler.precompile(&failure.wasm) {
            std::fs::write(folder.join(format!("{name}.cwasm")), artifact)?;
        }
    }
    Ok(())
}
