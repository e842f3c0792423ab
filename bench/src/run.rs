//! `bench run`: how fast the code is, compiling apart. Each program of the corpus brackets its own work with two calls;
//! of the large programs it is the time from `_start` to exit.

use crate::engines::{Backend, Kind};
use crate::node::{self, Node};
use crate::programs::{self, Work};
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use crate::unseen;
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempPath;
use wasmtime::{Caller, InstancePre, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs; without any, all of the corpus. Large ones are `cpython`, `esbuild`, `yosys` and `clang`.
    programs: Vec<String>,
    /// The programs of `bench/simd` as well.
    #[arg(long)]
    simd: bool,
    /// The large programs that `bench/fetch` gets as well.
    #[arg(long)]
    large: bool,
    /// The programs that nobody has tuned for, which `bench/fetch` gets, and nothing else.
    #[arg(long)]
    unseen: bool,
    #[command(flatten)]
    effort: Effort,
    /// Leaves a compiler out.
    #[arg(long, value_name = "COMPILER")]
    skip: Vec<Contender>,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Contender {
    Lightbeam,
    Winch,
    Cranelift,
    /// V8's baseline compiler, in V8's runtime.
    Liftoff,
    /// V8's optimising compiler, in V8's runtime.
    Turbofan,
}

impl Contender {
    const ALL: [Contender; 5] =
        [Contender::Lightbeam, Contender::Winch, Contender::Cranelift, Contender::Liftoff, Contender::Turbofan];

    fn name(self) -> &'static str {
        match self {
            Contender::Lightbeam => Kind::Lightbeam.name(),
            Contender::Winch => Kind::Winch.name(),
            Contender::Cranelift => Kind::Cranelift.name(),
            Contender::Liftoff => "Liftoff",
            Contender::Turbofan => "TurboFan",
        }
    }
}

/// Where its code runs.
enum Runtime {
    Wasmtime(Backend),
    /// Node.js, with these flags.
    Node(&'static [&'static str]),
}

impl Runtime {
    fn of(contender: Contender) -> anyhow::Result<Runtime> {
        Ok(match contender {
            Contender::Lightbeam => Runtime::Wasmtime(Backend::new(Kind::Lightbeam, false)?),
            Contender::Winch => Runtime::Wasmtime(Backend::new(Kind::Winch, false)?),
            Contender::Cranelift => Runtime::Wasmtime(Backend::new(Kind::Cranelift, false)?),
            Contender::Liftoff => Runtime::Node(node::LIFTOFF),
            Contender::Turbofan => Runtime::Node(node::TURBOFAN),
        })
    }
}

/// A program that is compiled and can be run again and again.
enum Ready {
    Wasmtime(InstancePre<Host>),
    /// A library, which the work's script drives.
    Library(Module),
    Node {
        process: Node,
        /// Where the program prints to.
        stdout: TempPath,
        /// Where it reads from; kept for as long as the process.
        _stdin: TempPath,
    },
}

/// What a program's host keeps: its WASI context, and when, by `now`, its own work began and ended.
pub(crate) struct Host {
    pub(crate) wasi: WasiP1Ctx,
    start: Option<Duration>,
    end: Option<Duration>,
    pub(crate) library: unseen::Library,
}

/// What was measured of one program.
struct Row {
    name: String,
    times: Vec<(Contender, Samples)>,
}

impl Row {
    fn of(&self, contender: Contender, statistic: fn(&Samples) -> f64) -> Option<f64> {
        let (_, samples) = self.times.iter().find(|(c, _)| *c == contender)?;
        Some(statistic(samples))
    }

    fn ratio(&self, over: Contender, under: Contender, statistic: fn(&Samples) -> f64) -> Option<f64> {
        Some(self.of(over, statistic)? / self.of(under, statistic)?)
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let node = Node::version();
    let mut contenders = Vec::new();
    for contender in Contender::ALL.into_iter().filter(|contender| !options.skip.contains(contender)) {
        let runtime = Runtime::of(contender)?;
        if matches!(runtime, Runtime::Wasmtime(_)) || node.is_some() {
            contenders.push((contender, runtime));
        }
    }
    print_circumstances();
    if let Some(version) = node.filter(|_| contenders.iter().any(|(_, runtime)| matches!(runtime, Runtime::Node(_)))) {
        println!("Liftoff and TurboFan are those of {version}, with its own runtime around them.\n");
    }
    let mut rows = Vec::new();
    let works = match options.unseen {
        true => unseen::works(&options.programs)?,
        false => programs::works(&options.programs, options.simd, options.large)?,
    };
    for work in works {
        eprintln!("{} …", work.wasm.name);
        match measure(&work, &contenders, options.effort)? {
            Ok(row) => rows.push(row),
            Err(refusal) => println!("{} is left out: {refusal}\n", work.wasm.name),
        }
    }
    let contenders: Vec<Contender> = contenders.iter().map(|(contender, _)| *contender).collect();
    times(&rows, &contenders);
    let json = rows.iter().map(|row| {
        let times = row.times.iter().map(|(contender, samples)| (contender.name().to_owned(), samples.json()));
        json!({ "program": row.name, "ms": times.collect::<serde_json::Map<_, _>>() })
    });
    write_json(options.json.as_deref(), &json.collect::<Value>())
}

fn measure(work: &Work, contenders: &[(Contender, Runtime)], effort: Effort) -> anyhow::Result<Result<Row, String>> {
    let name = &work.wasm.name;
    let mut ready = Vec::new();
    let mut contending = Vec::new();
    for (contender, runtime) in contenders {
        ready.push(match runtime {
            Runtime::Wasmtime(backend) => match backend.proved(&work.wasm.bytes) {
                Ok(module) if work.script.is_some() => Ready::Library(module),
                Ok(module) => Ready::Wasmtime(link(backend, &module)?),
                Err(error) if *contender == Contender::Lightbeam => return Ok(Err(format!("Lightbeam: {error:#}"))),
                Err(error) => {
                    println!("{name} without {}: {error:#}\n", contender.name());
                    continue;
                }
            },
            Runtime::Node(flags) => {
                let stdout = tempfile::NamedTempFile::new()?.into_temp_path();
                let stdin = tempfile::NamedTempFile::new()?.into_temp_path();
                std::fs::write(&stdin, &work.stdin)?;
                let mut task = json!({
                    "args": work.args,
                    "stdin": &*stdin,
                    "stdout": &*stdout,
                    "folders": folders(work).map(|(host, guest)| json!([host, guest])).collect::<Value>(),
                    "brackets": work.brackets,
                });
                let mut source = node::RUN;
                if let Some(script) = &work.script {
                    source = node::DRIVE;
                    for (key, value) in script.task(&work.wasm.bytes)?.as_object().into_iter().flatten() {
                        task[key] = value.clone();
                    }
                }
                let process = Node::new(flags, source, &work.wasm.bytes, &task)?;
                Ready::Node { process, stdout, _stdin: stdin }
            }
        });
        contending.push(*contender);
    }
    let mut expected = work.expected.clone();
    let samples = interleave(ready.len(), effort, |index| {
        let who = || format!("{name} compiled by {}", contending[index].name());
        let (time, stdout) = match &mut ready[index] {
            Ready::Wasmtime(instance) => run(instance, work).with_context(who)?,
            Ready::Library(module) => library(module, work).with_context(who)?,
            Ready::Node { process, stdout, .. } => (process.turn().with_context(who)?, std::fs::read(stdout)?),
        };
        let printed = work.printed(stdout).with_context(who)?;
        let expected = expected.get_or_insert_with(|| printed.clone());
        ensure!(*expected == printed, "{} does not print what it must", who());
        Ok(time)
    })?;
    let mut times = Vec::new();
    for (contender, samples) in contending.into_iter().zip(samples) {
        times.push((contender, samples.map_err(anyhow::Error::msg)?));
    }
    Ok(Ok(Row { name: name.clone(), times }))
}

/// The folders that a program sees, and as what.
fn folders(work: &Work) -> impl Iterator<Item = (&Path, &'static str)> {
    let scratch = work.scratch.iter().map(|(folder, name)| (folder.path(), *name));
    work.folders.iter().map(|(folder, name)| (folder.as_path(), *name)).chain(scratch)
}

/// The time that this thread has had of the processor.
pub(crate) fn now() -> Duration {
    ThreadTime::now().as_duration()
}

pub(crate) fn link(backend: &Backend, module: &Module) -> anyhow::Result<InstancePre<Host>> {
    let mut linker: Linker<Host> = Linker::new(backend.engine());
    p1::add_to_linker_sync(&mut linker, |host| &mut host.wasi)?;
    linker.func_wrap("bench", "start", |mut caller: Caller<'_, Host>| caller.data_mut().start = Some(now()))?;
    linker.func_wrap("bench", "end", |mut caller: Caller<'_, Host>| caller.data_mut().end = Some(now()))?;
    // Some want functions that they call only if they are asked to.
    linker.define_unknown_imports_as_traps(module)?;
    Ok(linker.instantiate_pre(module)?)
}

/// One run in an instance of its own: the time of the program's own work, and what it printed.
pub(crate) fn run(program: &InstancePre<Host>, work: &Work) -> anyhow::Result<(Duration, Vec<u8>)> {
    let (stdout, stderr) = (MemoryOutputPipe::new(64 << 20), MemoryOutputPipe::new(64 << 20));
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&work.args).stdin(MemoryInputPipe::new(work.stdin.clone())).stdout(stdout.clone()).stderr(stderr.clone());
    // On this thread, whose time is what counts.
    wasi.allow_blocking_current_thread(true);
    for (folder, name) in folders(work) {
        let writable = work.scratch.as_ref().is_some_and(|(_, scratch)| *scratch == name);
        wasi.preopened_dir(folder, name, if writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly })?;
    }
    let host = Host { wasi: wasi.build_p1(), start: None, end: None, library: unseen::Library::default() };
    let mut store = Store::new(program.module().engine(), host);
    let instance = program.instantiate(&mut store)?;
    let main = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let before = now();
    let result = main.call(&mut store, ());
    let after = now();
    match result {
        Ok(()) => {}
        Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => {}
        Err(error) => {
            let stderr = String::from_utf8_lossy(&stderr.contents()).into_owned();
            return Err(anyhow::Error::from(error).context(stderr));
        }
    }
    let (start, end) = match (work.brackets, store.data()) {
        (false, _) => (before, after),
        (true, Host { start, end, .. }) => {
            (start.context("it never called bench.start")?, end.context("it never called bench.end")?)
        }
    };
    Ok((end - start, stdout.contents().to_vec()))
}

/// One run of a library's script.
fn library(module: &Module, work: &Work) -> anyhow::Result<(Duration, Vec<u8>)> {
    let script = work.script.as_ref().context("a library has a script")?;
    let host =
        Host { wasi: WasiCtxBuilder::new().build_p1(), start: None, end: None, library: unseen::Library::default() };
    unseen::run(module, work, script, host)
}

fn times(rows: &[Row], contenders: &[Contender]) {
    println!("Time to run, median, ms of processor time; ratios of medians, and of minima in brackets:\n");
    let against = Contender::Cranelift;
    let mut ratios: Vec<(Contender, Contender)> = Vec::new();
    if contenders.contains(&against) {
        ratios.extend(contenders.iter().filter(|c| **c != against).map(|over| (*over, against)));
    }
    let mut head: Vec<String> = vec!["program".into()];
    head.extend(contenders.iter().map(|contender| contender.name().to_owned()));
    head.extend(ratios.iter().map(|(over, under)| format!("{} / {}", over.name(), under.name())));
    let both = |median, minimum| format!("{} ({})", number(median), number(minimum));
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let times = contenders.iter().map(|contender| number(row.of(*contender, Samples::median)));
            let ratios = ratios.iter().map(|&(over, under)| {
                both(row.ratio(over, under, Samples::median), row.ratio(over, under, Samples::min))
            });
            std::iter::once(row.name.clone()).chain(times).chain(ratios).collect()
        })
        .collect();
    let mean = |over, under, statistic: fn(&Samples) -> f64| {
        geomean(rows.iter().filter_map(|row| row.ratio(over, under, statistic)))
    };
    let means =
        ratios.iter().map(|&(over, under)| both(mean(over, under, Samples::median), mean(over, under, Samples::min)));
    let blank = contenders.iter().map(|_| String::new());
    lines.push(std::iter::once("geometric mean".to_owned()).chain(blank).chain(means).collect());
    print(&head.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
}
