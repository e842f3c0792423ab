//! `bench instructions`: what compiling a module costs in instructions, phase by phase. Counts are the same on a busy
//! machine and an idle one, so this is what small changes are decided by.
//!
//! The compile runs in a process of its own under `valgrind --tool=callgrind`. A phase is the functions that enter it;
//! its cost is theirs and that of all they call.

use crate::corpus::{self, Wasm};
use crate::engines::{Backend, Kind};
use crate::programs;
use crate::table::{number, print, print_circumstances};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wasmparser::{Parser, Validator};

/// The functions that enter each phase, by the ends of their paths. Each module that compiles goes through all phases:
/// one without any of its functions has lost them to a new name or to inlining.
const PHASES: [(&str, &[&str]); 7] = [
    (
        "decode",
        &[
            "lightbeam_environ::input::translate::read",
            "lightbeam_environ::input::component::translate",
            "lightbeam_environ::facts::facts",
        ],
    ),
    ("survey", &["lightbeam_compiler::validate::survey"]),
    ("emit", &["lightbeam_compiler::compile::emit"]),
    ("link", &["lightbeam_environ::output::link::link"]),
    ("artifact", &["lightbeam_environ::output::artifact::write"]),
    ("load", &["lightbeam::Compiler::load"]),
    ("rest", &[]),
];

/// Everything between the bytes and a module.
const TOTAL: &str = "instructions::compile_and_load";
/// The proof of what was compiled, where it is asked for.
const PROOF: &str = "lightbeam_environ::verify::prove";
/// Validation alone, by wasmparser.
const VALIDATION: &str = "instructions::validate";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs of the corpus, or of files; without any, those that are compiled in about a second.
    modules: Vec<String>,
    /// The large modules that `bench/fetch` gets as well.
    #[arg(long)]
    large: bool,
    /// Also lists the functions that took most instructions by themselves, so many.
    #[arg(long, value_name = "N", default_value_t = 0)]
    functions: usize,
    /// Writes the counts to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compiles this module and validates it, in this process.
    #[arg(long, hide = true)]
    child: Option<PathBuf>,
    /// Proves what the child compiles.
    #[arg(long, hide = true)]
    prove: bool,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    if let Some(path) = &options.child {
        return child(path, options.prove);
    }
    let version = Command::new("valgrind").arg("--version").output();
    let version = version.context("valgrind is needed and cannot be run; install it")?;
    print_circumstances();
    println!("Instructions, counted by {}\n", String::from_utf8_lossy(&version.stdout).trim());
    let mut modules = Vec::new();
    for name in &options.modules {
        modules.push(if Path::new(name).exists() {
            Wasm::read(Path::new(name))?
        } else {
            corpus::programs(std::slice::from_ref(name))?.remove(0)
        });
    }
    if modules.is_empty() && !options.large {
        let names = ["bz2", "blake3-scalar", "pulldown-cmark", "regex", "sqlite3"].map(str::to_owned);
        modules = corpus::programs(&names)?;
    }
    if options.large {
        modules.extend(programs::modules()?);
    }
    let backend = Backend::new(Kind::Lightbeam, false)?;
    let mut counts = Vec::new();
    for module in &modules {
        eprintln!("{} …", module.name);
        let report = backend.report(&module.bytes)?.context("Lightbeam reports")?;
        let operators = report.counters.operators as f64;
        let profile = profile(&module.bytes, false)?;
        for (phase, entries) in PHASES.iter().filter(|(_, entries)| !entries.is_empty()) {
            ensure!(profile.inclusive(entries).is_some(), "{phase}: none of {entries:?} is in the profile");
        }
        counts.push(Counts { bytes: module.code_bytes()? as f64, operators, profile });
    }
    let names = modules.iter().map(|module| module.name.as_str());
    for (unit, per) in [("a byte of the code section", false), ("an operator", true)] {
        println!("Instructions {unit}:\n");
        let mut head = vec!["module", if per { "operators" } else { "code bytes" }];
        head.extend(PHASES.iter().map(|(name, _)| *name));
        head.extend(["total", "validation", "survey / v.", "total / v."]);
        let lines: Vec<Vec<String>> = names.clone().zip(&counts).map(|(name, counts)| counts.line(name, per)).collect();
        print(&head, &lines);
    }
    for (name, counts) in names.clone().zip(&counts).filter(|_| options.functions > 0) {
        println!("{name}: most instructions by themselves, the whole process:\n");
        counts.profile.print_heaviest(options.functions, counts.operators);
    }
    let json = names.zip(&counts).map(|(name, counts)| counts.json(name)).collect::<Value>();
    crate::table::write_json(options.json.as_deref(), &json)
}

/// What was counted of one module.
struct Counts {
    bytes: f64,
    operators: f64,
    profile: Profile,
}

impl Counts {
    /// The cost of each phase, `rest` being what belongs to no other.
    fn phases(&self) -> [Option<f64>; PHASES.len()] {
        let mut phases = PHASES.map(|(_, entries)| self.profile.inclusive(entries));
        let known: f64 = phases.iter().flatten().sum();
        phases[PHASES.len() - 1] = self.total().map(|total| total - known);
        phases
    }

    fn total(&self) -> Option<f64> {
        self.profile.inclusive(&[TOTAL])
    }

    fn line(&self, name: &str, by_operator: bool) -> Vec<String> {
        let per = if by_operator { self.operators } else { self.bytes };
        let validation = self.profile.inclusive(&[VALIDATION]);
        let phases = self.phases();
        let over = |cost: Option<f64>| Some(cost? / validation?);
        let mut line = vec![name.to_owned(), format!("{per:.0}")];
        line.extend(phases.map(|cost| number(cost.map(|cost| cost / per))));
        line.extend([self.total(), validation].map(|cost| number(cost.map(|cost| cost / per))));
        line.extend([over(phases[1]), over(self.total())].map(number));
        line
    }

    fn json(&self, name: &str) -> Value {
        let phases = PHASES.iter().zip(self.phases()).map(|((name, _), cost)| ((*name).to_owned(), json!(cost)));
        json!({
            "module": name,
            "code_section_bytes": self.bytes,
            "operators": self.operators,
            "instructions": phases.collect::<serde_json::Map<_, _>>(),
            "total": self.total(),
            "validation": self.profile.inclusive(&[VALIDATION]),
        })
    }
}

/// Instructions from the bytes of a module to a module, or to the error.
pub(crate) fn count(wasm: &[u8]) -> anyhow::Result<f64> {
    profile(wasm, false)?.inclusive(&[TOTAL]).context("the compile is not in the profile")
}

/// Instructions of proving what is compiled.
pub(crate) fn count_of_proof(wasm: &[u8]) -> anyhow::Result<f64> {
    profile(wasm, true)?.inclusive(&[PROOF]).context("the proof is not in the profile")
}

/// One compile and one validation of a module, counted.
fn profile(wasm: &[u8], prove: bool) -> anyhow::Result<Profile> {
    let out = tempfile::NamedTempFile::new()?;
    let binary = tempfile::NamedTempFile::new()?;
    std::fs::write(&binary, wasm)?;
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args([TOTAL, VALIDATION].map(|name| format!("--toggle-collect=*{name}*")))
        .arg(format!("--callgrind-out-file={}", out.path().display()))
        .arg(std::env::current_exe()?)
        .args(["instructions", "--child"])
        .arg(binary.path())
        .args(prove.then_some("--prove"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("valgrind is needed and cannot be run; install it")?;
    ensure!(status.success(), "a compile under valgrind: {status}");
    Profile::parse(&std::fs::read_to_string(out.path())?)
}

fn child(path: &Path, prove: bool) -> anyhow::Result<()> {
    let bytes = std::fs::read(path)?;
    let backend = Backend::new(Kind::Lightbeam, false)?;
    let backend = if prove { backend.proving() } else { backend };
    // What invalid modules cost is counted, too; whoever wants a valid one has made sure of it.
    let _ = validate(&backend, &bytes);
    let _ = compile_and_load(&backend, &bytes);
    Ok(())
}

#[inline(never)]
fn validate(backend: &Backend, bytes: &[u8]) -> anyhow::Result<()> {
    Validator::new_with_features(backend.engine().get_wasm_features()).validate_all(bytes)?;
    Ok(())
}

#[inline(never)]
fn compile_and_load(backend: &Backend, bytes: &[u8]) -> anyhow::Result<()> {
    match Parser::is_component(bytes) {
        true => drop(backend.component(bytes)?),
        false => drop(backend.module(bytes)?),
    }
    Ok(())
}

/// What callgrind counted.
struct Profile {
    /// By function: its own instructions, and those of what it called.
    functions: HashMap<String, (u64, u64)>,
}

impl Profile {
    /// Reads callgrind's output format: under each `fn=` its own costs, a line each, and after each `calls=` one line
    /// of what was called. Names stand as `(number) name` once, then as `(number)`.
    fn parse(text: &str) -> anyhow::Result<Profile> {
        let mut names: HashMap<&str, &str> = HashMap::new();
        let mut functions: HashMap<&str, (u64, u64)> = HashMap::new();
        let mut function = None;
        let mut called = false;
        for line in text.lines() {
            if let Some(spec) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
                let (id, name) = spec.split_once(' ').unwrap_or((spec, ""));
                if !name.is_empty() {
                    names.insert(id, name);
                }
                if line.starts_with('f') {
                    function = Some(id);
                }
            } else if line.starts_with("calls=") {
                called = true;
            } else if line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*')) {
                let cost = line.split(' ').nth(1).unwrap_or("0");
                let Ok(cost) = cost.parse::<u64>() else { bail!("callgrind's output has a line `{line}`") };
                let function = function.context("callgrind's output begins with a cost")?;
                let entry = functions.entry(function).or_default();
                if std::mem::take(&mut called) { entry.1 += cost } else { entry.0 += cost }
            }
        }
        ensure!(!functions.is_empty(), "callgrind's output has no functions");
        let mut profile = Profile { functions: HashMap::new() };
        for (id, (own, callees)) in functions {
            let entry = profile.functions.entry(plain(names.get(id).unwrap_or(&id))).or_default();
            entry.0 += own;
            entry.1 += callees;
        }
        Ok(profile)
    }

    /// What some functions and their callees cost, if any of them is known.
    fn inclusive(&self, entries: &[&str]) -> Option<f64> {
        let known = self.functions.iter().filter(|(name, _)| {
            entries
                .iter()
                .any(|entry| name.strip_suffix(entry).is_some_and(|rest| rest.is_empty() || rest.ends_with("::")))
        });
        let costs: Vec<u64> = known.map(|(_, (own, callees))| own + callees).collect();
        (!costs.is_empty()).then(|| costs.iter().sum::<u64>() as f64)
    }

    fn print_heaviest(&self, count: usize, operators: f64) {
        let mut functions: Vec<(&String, u64)> = self.functions.iter().map(|(name, (own, _))| (name, *own)).collect();
        functions.sort_by_key(|(name, own)| (std::cmp::Reverse(*own), *name));
        let lines: Vec<Vec<String>> = functions
            .iter()
            .take(count)
            .map(|(name, own)| vec![(*name).clone(), own.to_string(), number(Some(*own as f64 / operators))])
            .collect();
        print(&["function", "instructions", "an operator"], &lines);
    }
}

/// A symbol's path: without type arguments, hash, and the number that callgrind gives to a recursion.
fn plain(symbol: &str) -> String {
    let symbol = symbol.split('\'').next().unwrap_or(symbol);
    let symbol = match symbol.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => path,
        _ => symbol,
    };
    // `path::<types>` at the end, as the newer mangling shows it.
    match symbol.ends_with('>').then(|| symbol.find("::<")).flatten() {
        Some(at) if !symbol.starts_with('<') => symbol[..at].to_owned(),
        _ => symbol.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Profile, plain};

    #[test]
    fn costs_of_callees_are_apart() {
        let text = "version: 1\nevents: Ir\n\nfl=(1) a.rs\nfn=(1) a::main::h0123456789abcdef\n1 10\nfi=(2) b.rs\n+3 5\n\
                    cfn=(2) a::work::<a::X>\ncalls=2 7\n* 100\n\nfn=(2)\n7 60\ncfn=(3) c\ncalls=1 1\n* 40\n\nfn=(3)\n1 40\n";
        let profile = Profile::parse(text).expect("it is well-formed");
        assert_eq!(profile.inclusive(&["a::main"]), Some(115.0));
        assert_eq!(profile.inclusive(&["work", "c"]), Some(140.0));
        assert_eq!(profile.inclusive(&["ork"]), None);
    }

    #[test]
    fn symbols_lose_what_changes() {
        assert_eq!(plain("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(plain("a::b::<c::D>'2"), "a::b");
        assert_eq!(plain("<a::B as c::D>::e"), "<a::B as c::D>::e");
    }
}
