//! `bench program`: a command from start to exit, compiling included, as its user waits for it. Each run is a process
//! of its own, this program again, so that no compiler finds anything warm that another would not.

use crate::engines::{Backend, Kind, write_perf_map};
use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ProcessTime;
use serde_json::{Value, json};
use std::fs::File;
use std::path::PathBuf;
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
    /// A folder it may write to.
    #[arg(long, value_name = "HOST::GUEST")]
    writable: Vec<String>,
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
    /// Runs the program in this process, compiled by this compiler, and names its functions for `perf` in
    /// /tmp/perf-PID.map.
    #[arg(long, value_name = "COMPILER")]
    perf: Option<Kind>,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    if let Some(kind) = options.child.or(options.perf) {
        return child(options, kind);
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !options.skip.contains(kind)).collect();
    let mut reports = vec![Vec::new(); kinds.len()];
    let mut printed: Option<Vec<u8>> = None;
    print_circumstances();
    let samples = interleave(kinds.len(), options.effort, |index| {
        let (time, report, stdout) = parent(options, kinds[index])?;
        reports[index].push(report);
        let before = printed.get_or_insert_with(|| stdout.clone());
        ensure!(*before == stdout, "compiled by {} it prints something else", kinds[index].name());
        Ok(time)
    })?;

    println!("From start to exit, ms; in it compiling; and the time of all processors. Medians:\n");
    let mut lines = Vec::new();
    let mut json = Vec::new();
    let mut first = None;
    for ((kind, samples), reports) in kinds.iter().zip(samples).zip(&reports) {
        let samples: Samples = samples.map_err(anyhow::Error::msg)?;
        let (mut compile, mut processors) = (Samples::default(), Samples::default());
        // The first turn is not counted, unless it was the only one.
        for report in &reports[usize::from(reports.len() > 1)..] {
            compile.push(report.compile);
            processors.push(report.processors);
        }
        let first = *first.get_or_insert(processors.median());
        let cells = [samples.median(), compile.median(), processors.median(), processors.median() / first];
        lines.push(std::iter::once(kind.name().to_owned()).chain(cells.map(|c| number(Some(c)))).collect());
        let [compile, processors] = [compile, processors].map(|samples| samples.json());
        let name = kind.name();
        json.push(json!({ "compiler": name, "ms": samples.json(), "compile_ms": compile, "cpu_ms": processors }));
    }
    let ratio = format!("/ {}", kinds.first().map_or("", |kind| kind.name()));
    print(&["compiler", "start to exit", "compiling", "processors", &ratio], &lines);
    write_json(options.json.as_deref(), &json.into_iter().collect::<Value>())
}

/// What a process says of itself.
#[derive(Clone, Copy)]
struct Report {
    /// Time of compiling by the clock.
    compile: Duration,
    /// Time of all processors, of the whole process.
    processors: Duration,
}

/// One process: how long it took, what it says of itself, and what it printed.
fn parent(options: &Options, kind: Kind) -> anyhow::Result<(Duration, Report, Vec<u8>)> {
    let report = tempfile::NamedTempFile::new()?;
    let stdout = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("program").arg(&options.file).args(["--child", &kind.word()]).arg("--report").arg(report.path());
    command.args(options.dir.iter().flat_map(|dir| ["--dir", dir]));
    command.args(options.writable.iter().flat_map(|dir| ["--writable", dir]));
    command.args(options.one_thread.then_some("--one-thread"));
    command.arg("--").args(&options.args).stdout(stdout.reopen()?);
    command.stdin(match &options.stdin {
        Some(path) => Stdio::from(File::open(path)?),
        None => Stdio::null(),
    });
    let start = Instant::now();
    let status = command.status()?;
    let time = start.elapsed();
    ensure!(status.success(), "compiled by {}: {status}", kind.name());
    let report: Value = serde_json::from_slice(&std::fs::read(report.path())?)?;
    let seconds = |key| report[key].as_f64().map(Duration::from_secs_f64).context("a report has two numbers");
    let report = Report { compile: seconds("compile")?, processors: seconds("processors")? };
    Ok((time, report, std::fs::read(stdout.path())?))
}

fn child(options: &Options, kind: Kind) -> anyhow::Result<()> {
    let bytes = std::fs::read(&options.file)?;
    let start = Instant::now();
    let backend = Backend::new(kind, !options.one_thread)?;
    let module = backend.module(&bytes)?;
    let compile = start.elapsed().as_secs_f64();
    if options.perf.is_some() {
        write_perf_map(&module)?;
    }

    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio().allow_blocking_current_thread(true);
    wasi.arg(options.file.file_name().context("it is a file")?.to_string_lossy()).args(&options.args);
    for (dirs, permissions) in [(&options.dir, FsPerms::ReadOnly), (&options.writable, FsPerms::ReadWrite)] {
        for dir in dirs {
            let (host, guest) = dir.split_once("::").unwrap_or((dir, dir));
            wasi.preopened_dir(host, guest, permissions)?;
        }
    }
    let mut linker: Linker<WasiP1Ctx> = Linker::new(backend.engine());
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    // Programs of the corpus say when their work begins and ends, which here is nobody's concern.
    for name in ["start", "end"] {
        linker.func_wrap("bench", name, || {})?;
    }
    let mut store = Store::new(backend.engine(), wasi.build_p1());
    let instance = linker.instantiate(&mut store, &module)?;
    let result = instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ());
    let processors = ProcessTime::try_now()?.as_duration().as_secs_f64();
    write_json(options.report.as_deref(), &json!({ "compile": compile, "processors": processors }))?;
    match result {
        Ok(()) => Ok(()),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => std::process::exit(*code),
            None => Err(error.into()),
        },
    }
}
