//! `bench run`: how fast the code is. Each program of the corpus brackets its own work with two calls.

use crate::corpus::{self, Wasm};
use crate::engines::{Backend, Kind};
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wasmtime::{Caller, InstancePre, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs; without any, all of the corpus.
    programs: Vec<String>,
    #[command(flatten)]
    effort: Effort,
    /// Leaves a compiler out.
    #[arg(long, value_name = "COMPILER")]
    skip: Vec<Kind>,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What a program's host keeps: its WASI context, and when its own work began and ended.
struct Host {
    wasi: WasiP1Ctx,
    start: Option<Instant>,
    end: Option<Instant>,
}

/// What was measured of one program.
struct Row {
    name: String,
    times: Vec<(Kind, Samples)>,
}

impl Row {
    fn of(&self, kind: Kind, statistic: fn(&Samples) -> f64) -> Option<f64> {
        let (_, samples) = self.times.iter().find(|(k, _)| *k == kind)?;
        Some(statistic(samples))
    }

    fn ratio(&self, over: Kind, under: Kind, statistic: fn(&Samples) -> f64) -> Option<f64> {
        Some(self.of(over, statistic)? / self.of(under, statistic)?)
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let backends = Kind::ALL.into_iter().filter(|kind| !options.skip.contains(kind));
    let backends: Vec<Backend> = backends.map(|kind| Backend::new(kind, false)).collect::<Result<_, _>>()?;
    print_circumstances();
    let mut rows = Vec::new();
    for program in corpus::programs(&options.programs)? {
        eprintln!("{} …", program.name);
        match measure(&program, &backends, options.effort)? {
            Ok(row) => rows.push(row),
            Err(refusal) => println!("{} is left out: {refusal}\n", program.name),
        }
    }
    times(&rows);
    let json = rows.iter().map(|row| {
        let times = row.times.iter().map(|(kind, samples)| (kind.name().to_owned(), samples.json()));
        json!({ "program": row.name, "ms": times.collect::<serde_json::Map<_, _>>() })
    });
    write_json(options.json.as_deref(), &json.collect::<Value>())
}

fn measure(program: &Wasm, backends: &[Backend], effort: Effort) -> anyhow::Result<Result<Row, String>> {
    let mut ready = Vec::new();
    for backend in backends {
        match backend.module(&program.bytes) {
            Ok(module) => ready.push(link(backend, &module)?),
            Err(error) => return Ok(Err(format!("{}: {error:#}", backend.kind.name()))),
        }
    }
    let expected = program.expected_stdout()?;
    let samples = interleave(ready.len(), effort, |index| {
        let who = || format!("{} compiled by {}", program.name, backends[index].kind.name());
        let (time, stdout) = run(&ready[index], program).with_context(who)?;
        if let Some(expected) = &expected {
            ensure!(*expected == stdout, "{} does not print what it must", who());
        }
        Ok(time)
    })?;
    let mut times = Vec::new();
    for (backend, samples) in backends.iter().zip(samples) {
        times.push((backend.kind, samples.map_err(anyhow::Error::msg)?));
    }
    Ok(Ok(Row { name: program.name.clone(), times }))
}

fn link(backend: &Backend, module: &Module) -> anyhow::Result<InstancePre<Host>> {
    let mut linker: Linker<Host> = Linker::new(backend.engine());
    p1::add_to_linker_sync(&mut linker, |host| &mut host.wasi)?;
    linker
        .func_wrap("bench", "start", |mut caller: Caller<'_, Host>| caller.data_mut().start = Some(Instant::now()))?;
    linker.func_wrap("bench", "end", |mut caller: Caller<'_, Host>| caller.data_mut().end = Some(Instant::now()))?;
    Ok(linker.instantiate_pre(module)?)
}

/// One run in an instance of its own: the time of the program's own work, and what it printed.
fn run(program: &InstancePre<Host>, wasm: &Wasm) -> anyhow::Result<(Duration, Vec<u8>)> {
    let (stdout, stderr) = (MemoryOutputPipe::new(64 << 20), MemoryOutputPipe::new(64 << 20));
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg("benchmark.wasm").stdout(stdout.clone()).stderr(stderr.clone());
    wasi.preopened_dir(wasm.path.parent().context("a file is in a folder")?, ".", FsPerms::ReadOnly)?;
    let host = Host { wasi: wasi.build_p1(), start: None, end: None };
    let mut store = Store::new(program.module().engine(), host);
    let instance = program.instantiate(&mut store)?;
    let main = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match main.call(&mut store, ()) {
        Ok(()) => {}
        Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => {}
        Err(error) => return Err(anyhow::Error::from(error).context(format!("{:?}", stderr.contents()))),
    }
    let Host { start, end, .. } = store.data();
    let (start, end) = (start.context("it never called bench.start")?, end.context("it never called bench.end")?);
    Ok((end - start, stdout.contents().to_vec()))
}

fn times(rows: &[Row]) {
    println!("Time to run, median, ms; ratios of medians, and of minima in brackets:\n");
    let ratios = [(Kind::Lightbeam, Kind::Cranelift), (Kind::Winch, Kind::Cranelift), (Kind::Lightbeam, Kind::Winch)];
    let mut head: Vec<String> = vec!["program".into()];
    head.extend(Kind::ALL.iter().map(|kind| kind.name().to_owned()));
    head.extend(ratios.iter().map(|(over, under)| format!("{} / {}", over.name(), under.name())));
    let both = |median, minimum| format!("{} ({})", number(median), number(minimum));
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let times = Kind::ALL.iter().map(|kind| number(row.of(*kind, Samples::median)));
            let ratios = ratios.iter().map(|&(over, under)| {
                both(row.ratio(over, under, Samples::median), row.ratio(over, under, Samples::min))
            });
            std::iter::once(row.name.clone()).chain(times).chain(ratios).collect()
        })
        .collect();
    let mean = |over, under, statistic: fn(&Samples) -> f64| {
        geomean(rows.iter().filter_map(|row| row.ratio(over, under, statistic)))
    };
    let means = ratios.map(|(over, under)| both(mean(over, under, Samples::median), mean(over, under, Samples::min)));
    let blank = Kind::ALL.iter().map(|_| String::new());
    lines.push(std::iter::once("geometric mean".to_owned()).chain(blank).chain(means).collect());
    print(&head.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
}
