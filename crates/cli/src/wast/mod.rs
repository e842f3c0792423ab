//! Runs scripts of the specification tests and says which of their directives fail. Every directive counts: one that
//! the runner does not know is a failure, never a silence.

mod component_host;
mod component_values;
mod components;
mod custom;
mod needs;
mod runner;
mod spectest;
mod traps;
mod values;

pub use needs::{Needs, pools};

use crate::{flags, machine, show};
use lightbeam::Compiler;
use runner::{Runner, SharedItems};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::Scope;
use wasmtime::component::Component;
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Module, Result, bail};
use wasmtime_cli_flags::CommonOptions;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{Wast, WastDirective};

/// Runs test scripts, of modules and of components, and prints a line for each directive that fails.
///
/// Each script gets the features that its first lines name, as those of Wasmtime's scripts do, or else those that its
/// directory is for, unless the options say otherwise. Those that say that they take memories of gigabytes have them on
/// demand, as no pool has such.
#[derive(clap::Parser)]
pub struct WastCommand {
    #[command(flatten)]
    common: CommonOptions,

    #[command(flatten)]
    compiling: flags::Compiling,

    /// Scripts, or directories to search for files ending in `.wast`.
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,
}

impl WastCommand {
    /// Executes the command.
    pub fn execute(mut self) -> Result<ExitCode> {
        self.common.init_logging()?;
        flags::refuse_meaningless(&mut self.common)?;
        let chosen = self.compiling.choose(&mut self.common);
        refuse_limits(&self.common)?;
        let mut files = Vec::new();
        for path in self.paths {
            if !path.is_dir() {
                files.push(path);
                continue;
            }
            let before = files.len();
            find_scripts(&path, &mut files)?;
            if files.len() == before {
                bail!("there are no scripts, which end in `.wast`, in the directory `{}`", path.display());
            }
        }
        let mut out = std::io::stdout().lock();
        let (mut passed, mut failed) = (0, 0);
        if self.common.opts.pooling_allocator == Some(true) {
            needs::fill_pools(&mut self.common);
        }
        for file in files {
            let report = run_in(&file, |needs| {
                let mut config = self.common.config(None)?;
                needs.apply(&mut config);
                self.common.enable_wasm_features(&mut config)?;
                if needs.hogs_memory {
                    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
                }
                if machine::limits_files() && self.common.opts.memory_init_cow.is_none() {
                    config.memory_init_cow(false);
                }
                let compiler = chosen.compiler(&Engine::new(&config)?)?;
                Ok(if needs.canonical_nans { compiler.nan_canonicalization(true) } else { compiler })
            });
            write!(out, "{report}").context("failed to write the report")?;
            passed += report.passed;
            failed += report.failures.len();
        }
        writeln!(out, "{passed} passed, {failed} failed").context("failed to write the report")?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Fails on options that are of a run: what a script may use is not theirs to say.
fn refuse_limits(common: &CommonOptions) -> Result<()> {
    let wasm = &common.wasm;
    let limits = [
        ("fuel", wasm.fuel.is_some()),
        ("timeout", wasm.timeout.is_some()),
        ("max-memory-size", wasm.max_memory_size.is_some()),
        ("max-table-elements", wasm.max_table_elements.is_some()),
        ("max-instances", wasm.max_instances.is_some()),
        ("max-tables", wasm.max_tables.is_some()),
        ("max-memories", wasm.max_memories.is_some()),
    ];
    match limits.iter().find(|(_, given)| *given) {
        Some((name, _)) => bail!("`-W {name}` makes no sense here: scripts run without limits"),
        None => Ok(()),
    }
}

/// What makes the modules of a script: Lightbeam, or a compiler that it is held against.
pub trait Modules: Sync {
    /// Where they are to live.
    fn engine(&self) -> &Engine;

    /// Compiles the binary of a module.
    ///
    /// # Errors
    ///
    /// If it is invalid, or not supported.
    fn module(&self, wasm: &[u8]) -> Result<Module>;

    /// Compiles the binary of a component.
    ///
    /// # Errors
    ///
    /// If it is invalid, or not supported.
    fn component(&self, wasm: &[u8]) -> Result<Component>;
}

impl Modules for Compiler {
    fn engine(&self) -> &Engine {
        Compiler::engine(self)
    }

    fn module(&self, wasm: &[u8]) -> Result<Module> {
        Compiler::module(self, wasm)
    }

    fn component(&self, wasm: &[u8]) -> Result<Component> {
        Compiler::component(self, wasm)
    }
}

/// What became of one script. Displays as one line for each directive that failed.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// Where the script is from.
    pub path: PathBuf,
    /// How many directives did what they should.
    pub passed: usize,
    /// Those that did not, in the order of the script.
    pub failures: Vec<Failure>,
}

/// A directive that did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its line, from 1 on; 0 if the file could not be read.
    pub line: usize,
    /// What happened, in one line.
    pub message: String,
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Failure { line, message } in &self.failures {
            writeln!(f, "{}:{line}: {}", self.path.display(), show::line(message))?;
        }
        Ok(())
    }
}

/// The settings that a script in that place is meant for, if its first lines say nothing of it.
#[must_use]
pub fn config_for(script: &Path) -> Config {
    Needs::of(script, "").expect("nothing is named").config()
}

/// Runs the script in a file.
#[must_use]
pub fn run_file(path: &Path, compiler: &dyn Modules) -> FileReport {
    match read(path) {
        Ok(text) => run_text(path, &text, compiler),
        Err(failure) => failed(path, failure),
    }
}

/// Runs the script in a file on an engine that has what it needs.
pub fn run_in<C: Modules>(path: &Path, compiler: impl FnOnce(&Needs) -> Result<C>) -> FileReport {
    let text = match read(path) {
        Ok(text) => text,
        Err(failure) => return failed(path, failure),
    };
    let compiler = Needs::of(path, &text).and_then(|needs| compiler(&needs).context("no engine for the script"));
    match compiler {
        Ok(compiler) => run_text(path, &text, &compiler),
        Err(error) => failed(path, runner::one_line(&error)),
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("failed to read the script: {error}"))
}

/// The report of a script that could not be begun.
fn failed(path: &Path, message: String) -> FileReport {
    FileReport { path: path.into(), passed: 0, failures: vec![Failure { line: 0, message }] }
}

/// Runs a script; `path` is what to call it.
#[must_use]
pub fn run_text(path: &Path, text: &str, compiler: &dyn Modules) -> FileReport {
    let mut report = FileReport { path: path.into(), passed: 0, failures: Vec::new() };
    if let Err(error) = run_directives(text, compiler, &mut report) {
        report.failures.push(Failure { line: lines_to(text, error.span().offset()), message: error.message() });
    }
    report
}

fn run_directives(text: &str, compiler: &dyn Modules, report: &mut FileReport) -> Result<(), wast::Error> {
    let mut lexer = Lexer::new(text);
    // `names.wast` and the like use what could mislead a reader on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let script: Wast<'_> = parser::parse(&buffer)?;

    // What cannot be understood of the settings has been said where the engine was made.
    let quotes = Needs::of(&report.path, text).is_ok_and(|needs| needs.of_wasmtime);
    let directives = Directives { path: &report.path.clone(), text, compiler, quotes };
    std::thread::scope(|scope| directives.run(script.directives, Vec::new(), scope, report));
    Ok(())
}

/// What all threads of a script need to run their directives.
#[derive(Clone, Copy)]
struct Directives<'env> {
    path: &'env Path,
    text: &'env str,
    compiler: &'env dyn Modules,
    /// Does the script expect errors that say what it quotes? Others paraphrase.
    quotes: bool,
}

impl<'env> Directives<'env> {
    /// Runs directives in order, those of one thread, and all threads that they start.
    fn run<'scope>(
        self,
        directives: Vec<WastDirective<'env>>,
        shared: Vec<SharedItems>,
        scope: &'scope Scope<'scope, 'env>,
        report: &mut FileReport,
    ) {
        let mut runner = match Runner::new(self, shared, scope) {
            Ok(runner) => runner,
            Err(error) => {
                let message = format!("no test host: {}", runner::one_line(&error));
                report.failures.push(Failure { line: 0, message });
                return;
            }
        };
        // Counting lines from the start for each of thousands of directives would be quadratic.
        let (mut line, mut offset) = (1, 0);
        for directive in directives {
            let start = directive.span().offset();
            if start >= offset {
                line += newlines(&self.text[offset..start]);
            } else {
                line = lines_to(self.text, start);
            }
            offset = start;
            match runner.run(directive) {
                Ok(()) => report.passed += 1,
                Err(error) => report.failures.push(Failure { line, message: runner::one_line(&error) }),
            }
        }
        for thread in runner.threads() {
            report.passed += thread.passed;
            report.failures.extend(thread.failures);
        }
        report.failures.sort_by_key(|failure| failure.line);
    }
}

fn lines_to(text: &str, offset: usize) -> usize {
    1 + newlines(&text[..offset.min(text.len())])
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&b| b == b'\n').count()
}

fn find_scripts(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let within = || format!("failed to read the directory `{}`", directory.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(within)? {
        entries.push(entry.with_context(within)?.path());
    }
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find_scripts(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "wast") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod component_tests;
#[cfg(test)]
mod tests;
