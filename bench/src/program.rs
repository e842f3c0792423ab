//! `bench program`: a command from start to exit, compiling included, as its user waits for it. Each run is a process of
//! its own, this program again, so that no compiler finds anything warm that another would not.

use crate::engines::{Backend, Kind};
use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wasmtime::{Linker, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The program, a WASI preview 1 command.
    file: PathBuf,
    /// Its arguments.
    #[arg(last = true)]
    args: Vec<String>,
    #[command(flatten)]
    effort: Effort,
    /// A file to be its standard input.
    #[arg(long, value_name = "FILE")]
    stdin: Option<PathBuf>,
    /// A folder it may read.
    #[arg(long, value_name = "HOST::GUEST")]
    dir: Vec<String>,
    /// Keeps Winch and Cranelift from compiling on several threads, as Wasmtime has them do otherwise.
    #[arg(long)]
    one_thread: bool,
    /// Leaves a compiler out.
    #[arg(long, value_name = "COMPILER")]
    skip: Vec<Kind>,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs the program in this process, compiled by this compiler, and writes what compiling took to a file.
    #[arg(long, hide = true, requires = "report")]
    child: Option<Kind>,
    #[arg(long, hide = true)]
    report: Option<PathBuf>,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    if let (Some(kind), Some(report)) = (options.child, &options.report) {
        return child(options, kind, report);
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !options.skip.contains(kind)).collect();
    let mut compiling = vec![Vec::new(); kinds.len()];
    let mut printed: Option<Vec<u8>> = None;
    print_circumstances();
    let samples = interleave(kinds.len(), options.effort, |index| {
        let (time, compile, stdout) = parent(options, kinds[index])?;
        compiling[index].push(compile);
        let before = printed.get_or_insert_with(|| stdout.clone());
        ensure!(*before == stdout, "compiled by {} it prints something else", kinds[index].name());
        Ok(time)
    })?;

    println!("From start to exit, ms; in it, the median of compiling:\n");
    let mut lines = Vec::new();
    let mut json = Vec::new();
    let mut first = None;
    for ((kind, samples), compiling) in kinds.iter().zip(samples).zip(&compiling) {
        let samples: Samples = samples.map_err(anyhow::Error::msg)?;
        let mut compile = Samples::default();
        // The first turn is not counted, unless it was the only one.
        compiling[usize::from(compiling.len() > 1)..].iter().for_each(|time| compile.push(*time));
        let first = *first.get_or_insert(samples.median());
        let cells = [samples.median(), samples.min(), compile.median(), samples.median() / first];
        lines.push(std::iter::once(kind.name().to_owned()).chain(cells.map(|c| number(Some(c)))).collect());
        json.push(json!({ "compiler": kind.name(), "ms": samples.json(), "compile_ms": compile.json() }));
    }
    let ratio = format!("/ {}", kinds.first().map_or("", |kind| kind.name()));
    print(&["compiler", "median", "minimum", "compiling", &ratio], &lines);
    write_json(options.json.as_deref(), &json.into_iter().collect::<Value>())
}

/// One process: how long it took, how much of that was compiling, and what it printed.
fn parent(options: &Options, kind: Kind) -> anyhow::Result<(Duration, Duration, Vec<u8>)> {
    let report = tempfile::NamedTempFile::new()?;
    let stdout = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("program").arg(&options.file).args(["--child", &kind.word()]).arg("--report").arg(report.path());
    command.args(options.dir.iter().flat_map(|dir| ["--dir", dir])).args(options.one_thread.then_some("--one-thread"));
    command.arg("--").args(&options.args).stdout(stdout.reopen()?);
    command.stdin(match &options.stdin {
        Some(path) => Stdio::from(File::open(path)?),
        None => Stdio::null(),
    });
    let start = Instant::now();
    let status = command.status()?;
    let time = start.elapsed();
    ensure!(status.success(), "compiled by {}: {status}", kind.name());
    let seconds: f64 = std::fs::read_to_string(report.path())?.parse()?;
    Ok((time, Duration::from_secs_f64(seconds), std::fs::read(stdout.path())?))
}

fn child(options: &Options, kind: Kind, report: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(&options.file)?;
    let start = Instant::now();
    let backend = Backend::new(kind, !options.one_thread)?;
    let module = backend.module(&bytes)?;
    std::fs::write(report, start.elapsed().as_secs_f64().to_string())?;

    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio().allow_blocking_current_thread(true);
    wasi.arg(options.file.file_name().context("it is a file")?.to_string_lossy()).args(&options.args);
    for dir in &options.dir {
        let (host, guest) = dir.split_once("::").unwrap_or((dir, dir));
        wasi.preopened_dir(host, guest, FsPerms::ReadOnly)?;
    }
    let mut linker: Linker<WasiP1Ctx> = Linker::new(backend.engine());
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let mut store = Store::new(backend.engine(), wasi.build_p1());
    let instance = linker.instantiate(&mut store, &module)?;
    let result = instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ());
    match result {
        Ok(()) => Ok(()),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => std::process::exit(*code),
            None => Err(error.into()),
        },
    }
}
