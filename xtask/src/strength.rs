//! `cargo xtask mutants` and `cargo xtask faults`: how strong the verifier is.

use anyhow::{Result, anyhow, ensure};
use lightbeam_tests::mutants::{self, Mutant, Subject, Tally, canary, modules};
use lightbeam_tests::random::Random;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How many mutants to make, and of what.
#[derive(clap::Args)]
pub(crate) struct Mutants {
    /// How many modules of each generator.
    #[arg(long, default_value_t = 4)]
    seeds: u64,
    /// Take every so many-th of the mutants of which some may be accepted.
    #[arg(long, default_value_t = 3)]
    every: usize,
    /// Execute so many accepted mutants of each module at most.
    #[arg(long, default_value_t = 200)]
    execute: usize,
    /// Guard accesses behind checks, as compiled by default: then checks may be dropped that the guards make up for.
    #[arg(long)]
    spectre: bool,
    /// Nothing but other registers in addresses, each other one of each, and print those that are accepted, each with
    /// so many instructions ahead of it.
    #[arg(long, value_name = "N")]
    registers: Option<usize>,
    /// More modules: files, whose mutants are not executed.
    #[arg(value_name = "FILE")]
    more: Vec<PathBuf>,
}

impl Mutants {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if canary::child() {
            return Ok(ExitCode::SUCCESS);
        }
        let this = std::env::current_exe()?;
        let command = || {
            let mut command = Command::new(&this);
            command.arg("mutants");
            command
        };
        let (mut all, mut executed) = (Tally::default(), canary::Outcome::default());
        let (mut functions, mut proved) = (0, 0);
        let mut random = Random::new(1);
        for (number, (name, setup)) in mutants::setups().into_iter().enumerate() {
            let (_, compiler) = mutants::engine(&setup).map_err(|error| anyhow!("{error:?}"))?;
            let mut modules = modules::all(self.seeds);
            for path in &self.more {
                modules.push((path.display().to_string(), std::fs::read(path)?, false));
            }
            for (module, wasm, runs) in modules {
                let subject = match Subject::new(format!("{name}, {module}"), &compiler, self.spectre, &wasm) {
                    Ok(subject) => subject,
                    Err(error) => {
                        println!("{error}");
                        continue;
                    }
                };
                if let Some(failure) = subject.failure() {
                    println!("{failure}");
                }
                functions += subject.functions();
                let mut tally = Tally::default();
                let mut accepted: Vec<Mutant> = Vec::new();
                if let Some(ahead) = self.registers {
                    let functions = subject.proved();
                    let made = functions.flat_map(|function| subject.register_mutants(function, &mut random));
                    accepted.extend(tally.judge(&subject, made.collect()));
                    let made = subject.register_mutants_of_routines(&mut random);
                    accepted.extend(tally.judge(&subject, made));
                    for mutant in &accepted {
                        let before = subject.ahead(mutant, ahead).join("; ");
                        println!("{}: {}: behind {before}", subject.name, subject.describe(mutant));
                    }
                }
                for function in subject.proved() {
                    proved += 1;
                    if self.registers.is_some() {
                        continue;
                    }
                    let mut made = subject.mutants(function, &mut random);
                    made.retain(|mutant| mutant.kind.demanded() || random.one_in(self.every));
                    accepted.extend(tally.judge(&subject, made));
                }
                if self.registers.is_none() {
                    let mut made = subject.mutants_of_routines(&mut random);
                    made.retain(|mutant| mutant.kind.demanded() || random.one_in(self.every));
                    accepted.extend(tally.judge(&subject, made));
                    let mut made = subject.mutants_of_borders(&mut random);
                    made.retain(|_| random.one_in(self.every));
                    accepted.extend(tally.judge(&subject, made));
                }
                all.add(tally);
                if runs && subject.failure().is_none() {
                    while accepted.len() > self.execute {
                        let at = random.below(accepted.len());
                        accepted.swap_remove(at);
                    }
                    executed.add(canary::execute(&subject, number, &accepted, &command)?);
                }
            }
        }
        println!("{all}\n{proved} of {functions} functions are proved");
        println!(
            "{} accepted mutants executed, {} without end, {} not loaded, {} ways out",
            executed.executed,
            executed.endless,
            executed.refused,
            executed.escapes.len()
        );
        let mut weak = all.weaknesses();
        weak.extend(executed.escapes);
        for what in &weak {
            println!("{what}");
        }
        Ok(if weak.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Which side conditions are missed, and by whom.
#[derive(clap::Args)]
pub(crate) struct Faults {
    /// How many modules of each generator.
    #[arg(long, default_value_t = 8)]
    seeds: u64,
}

impl Faults {
    /// The test that does the work: with the proofs of debug builds; without them, with the verifier; and with runs
    /// beside Cranelift.
    pub(crate) fn run(self, root: &Path) -> Result<ExitCode> {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--locked", "--workspace", "--test", "left_out"]);
        command.args(["--", "--exact", "side_conditions_are_missed", "--nocapture"]);
        command.current_dir(root).env("LIGHTBEAM_FAULTS", self.seeds.to_string());
        let output = command.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "the campaign failed: {text}");
        let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split('\t').collect();
            if let [fault, who, after, ..] = words[..] {
                found.insert((fault.to_string(), who.to_string()), after.to_string());
            }
        }
        println!("| left out: that | proof | verifier | run |\n|---|---|---|---|");
        for (name, what) in lightbeam_tests::fault_list() {
            let by = |who: &str| found.get(&(name.clone(), who.to_string())).map_or("", String::as_str);
            println!("| {what} | {} | {} | {} |", by("Proofs"), by("Verifier"), by("Run"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
