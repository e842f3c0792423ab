//! `bench components`: what compiling components costs, up to the first answer that one gives; what any component
//! costs; what is left to do when the last byte of one arrives; and what calls between components cost.

mod adapters;
mod answer;

use crate::corpus::Wasm;
use crate::engines::{Backend, Kind, text_bytes};
use crate::programs;
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ProcessTime;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Components; without any, those of JavaScript and Python that `bench/componentize` makes. Commands and servers
    /// also answer.
    files: Vec<PathBuf>,
    /// Compiles no large components.
    #[arg(long)]
    small: bool,
    #[command(flatten)]
    effort: Effort,
    /// Leaves a compiler out.
    #[arg(long, value_name = "COMPILER")]
    skip: Vec<Kind>,
    /// How fast components arrive, in MB/s.
    #[arg(long, default_value_t = 50.0)]
    speed: f64,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let components = match &options.files[..] {
        _ if options.small => Vec::new(),
        [] => programs::components()?,
        files => files.iter().map(|path| Wasm::read(path)).collect::<Result<_, _>>()?,
    };
    for component in &components {
        ensure!(component.is_component(), "{} is not a component", component.path.display());
    }
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !options.skip.contains(kind)).collect();
    let backends: Vec<Backend> =
        kinds.iter().map(|&kind| Backend::new(kind, false)).collect::<Result<_, anyhow::Error>>()?;
    print_circumstances();
    let mut rows = Vec::new();
    for component in &components {
        eprintln!("{} …", component.name);
        rows.push(large(component, &backends, options.effort)?);
    }
    if !rows.is_empty() {
        print_large(&rows, &kinds);
    }
    let smalls = smalls(&backends, options.effort)?;
    let streams = if components.is_empty() || options.skip.contains(&Kind::Lightbeam) {
        Value::Null
    } else {
        streams(&components, options)?
    };
    let adapters = adapters::measure(options.effort)?;
    let rows: Vec<Value> = rows.iter().map(|row| row.json(&kinds)).collect();
    let json = json!({ "components": rows, "small": smalls, "streams": streams, "adapters": adapters });
    write_json(options.json.as_deref(), &json)
}

/// What was measured of one component: for each compiler, if it could compile it.
struct Row {
    name: String,
    code_bytes: usize,
    compilers: Vec<Option<Of>>,
}

/// A compiler with one component.
#[derive(Default)]
struct Of {
    /// From bytes to a `Component`.
    compiled: Samples,
    /// From bytes to the end of its first answer.
    answered: Samples,
    text: u64,
}

impl Row {
    fn json(&self, kinds: &[Kind]) -> Value {
        let of = |(kind, of): (&Kind, &Option<Of>)| {
            let of = of.as_ref()?;
            let value = json!({ "ms": of.compiled.json(), "answer_ms": of.answered.json(), "text_bytes": of.text });
            Some((kind.name().to_owned(), value))
        };
        let compilers: serde_json::Map<_, _> = kinds.iter().zip(&self.compilers).filter_map(of).collect();
        json!({ "component": self.name, "code_section_bytes": self.code_bytes, "compilers": compilers })
    }
}

/// Compiles one component and has it answer; all compilers' must answer the same.
fn large(wasm: &Wasm, backends: &[Backend], effort: Effort) -> anyhow::Result<Row> {
    let mut ofs: Vec<Of> = backends.iter().map(|_| Of::default()).collect();
    let mut first: Vec<(Duration, Duration)> = vec![Default::default(); backends.len()];
    let mut answer: Option<Vec<u8>> = None;
    let samples = interleave(backends.len(), effort, |index| {
        let (backend, of) = (&backends[index], &mut ofs[index]);
        if of.text == 0 && backend.kind == Kind::Lightbeam {
            drop(backend.proved_component(&wasm.bytes)?);
        }
        let start = ProcessTime::now();
        let component = backend.component(&wasm.bytes)?;
        let compiled = start.elapsed();
        let said = answer::of(backend.engine(), &component)?;
        let answered = start.elapsed();
        if of.text == 0 {
            of.text = text_bytes(&component.serialize()?)?;
            first[index] = (compiled, answered);
        } else {
            of.compiled.push(compiled);
            of.answered.push(answered);
        }
        let before = answer.get_or_insert_with(|| said.clone());
        ensure!(*before == said, "compiled by {} it answers something else", backend.kind.name());
        Ok(compiled)
    })?;
    let mut compilers = Vec::new();
    for (index, (mut of, samples)) in ofs.into_iter().zip(samples).enumerate() {
        if let Err(error) = samples {
            println!("{} without {}: {error}\n", wasm.name, backends[index].kind.name());
            compilers.push(None);
            continue;
        }
        // The first turn is not counted, unless it was the only one.
        if of.compiled.min().is_infinite() {
            of.compiled.push(first[index].0);
            of.answered.push(first[index].1);
        }
        compilers.push(Some(of));
    }
    Ok(Row { name: wasm.name.clone(), code_bytes: wasm.code_bytes()?, compilers })
}

fn print_large(rows: &[Row], kinds: &[Kind]) {
    println!("From bytes to a component, ms of processor time on one thread, medians; machine code, KB:\n");
    let ours = kinds.iter().position(|&kind| kind == Kind::Lightbeam);
    let mut head = vec!["component".to_owned(), "code KB".to_owned()];
    let mut columns: Vec<Box<dyn Fn(&Row) -> Option<f64>>> = vec![Box::new(|row| Some(row.code_bytes as f64 / 1e3))];
    for (of, unit) in [(ms as fn(&Of) -> f64, ""), (answer_ms, " to answer"), (kilobytes, " KB")] {
        for (at, kind) in kinds.iter().enumerate() {
            head.push(format!("{}{unit}", kind.name()));
            columns.push(Box::new(move |row| row.compilers[at].as_ref().map(of)));
        }
        for (at, kind) in kinds.iter().enumerate().filter(|(at, _)| Some(*at) != ours) {
            let Some(ours) = ours else { continue };
            head.push(format!("/ {}", kind.name()));
            columns
                .push(Box::new(move |row| Some(of(row.compilers[ours].as_ref()?) / of(row.compilers[at].as_ref()?))));
        }
    }
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| std::iter::once(row.name.clone()).chain(columns.iter().map(|of| number(of(row)))).collect())
        .collect();
    let means = columns.iter().zip(&head[1..]).map(|(of, name)| match name.starts_with('/') {
        true => number(geomean(rows.iter().filter_map(of))),
        false => String::new(),
    });
    lines.push(std::iter::once("geometric mean".to_owned()).chain(means).collect());
    print(&head.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
}

fn ms(of: &Of) -> f64 {
    of.compiled.median()
}

fn answer_ms(of: &Of) -> f64 {
    of.answered.median()
}

fn kilobytes(of: &Of) -> f64 {
    of.text as f64 / 1e3
}

/// Components that show what any costs.
const SMALL: [(&str, &str); 3] = [
    ("empty", "(component)"),
    (
        "one function",
        r#"(component
            (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
            (core instance $i (instantiate $m))
            (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#,
    ),
    (
        "one import, one export",
        r#"(component
            (import "f" (func $f (param "s" string)))
            (core module $memory (memory (export "memory") 1))
            (core instance $memory (instantiate $memory))
            (core func $f (canon lower (func $f) (memory (core memory $memory "memory"))))
            (core module $m
                (import "" "f" (func $f (param i32 i32)))
                (func (export "f") (call $f (i32.const 0) (i32.const 9))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "g") (canon lift (core func $i "f"))))"#,
    ),
];

/// How many of them are compiled in a turn.
const TURN: usize = 200;

/// What small components cost, by the clock, as that is what whoever waits for one sees.
fn smalls(backends: &[Backend], effort: Effort) -> anyhow::Result<Value> {
    println!("Small components, µs by the clock from bytes to a component, medians, in brackets minima:\n");
    let mut head = vec!["component"];
    head.extend(backends.iter().map(|backend| backend.kind.name()));
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    for (name, text) in SMALL {
        let wasm = wat::parse_str(text)?;
        let mut all = vec![Samples::default(); backends.len()];
        interleave(backends.len(), effort, |index| {
            let begin = Instant::now();
            for _ in 0..TURN {
                let start = Instant::now();
                black_box(backends[index].component(&wasm)?);
                all[index].push(start.elapsed());
            }
            Ok(begin.elapsed())
        })?
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(anyhow::Error::msg)?;
        let cells = all.iter().map(|samples| {
            let [median, min] = [samples.median(), samples.min()].map(|ms| number(Some(ms * 1e3)));
            format!("{median} ({min})")
        });
        lines.push(std::iter::once(name.to_owned()).chain(cells).collect());
        let of = backends.iter().zip(&all).map(|(b, s)| (b.kind.name().to_owned(), json!([s.median(), s.min()])));
        json.push(json!({ "component": name, "ms": of.collect::<serde_json::Map<_, _>>() }));
    }
    print(&head, &lines);
    Ok(json.into())
}

/// What is left to do when the last byte has come, of a source that delivers 16 KiB at a time, each when its last byte
/// would be there. On a busy machine the clock says how long threads waited for a processor; what they then had to do
/// the time of all processors says, and only if they have kept up.
fn streams(components: &[Wasm], options: &Options) -> anyhow::Result<Value> {
    const CHUNK: usize = 16 << 10;
    let speed = options.speed;
    println!(
        "Components that arrive at {speed} MB/s, with all threads, medians; ms by the clock and of processor time:\n"
    );
    let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?.verify(false);
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    for component in components {
        let [mut whole, mut finish]: [[Samples; 2]; 2] = Default::default();
        let [mut late, mut longest]: [Samples; 2] = Default::default();
        let expected = compiler.precompile_component(&component.bytes)?;
        interleave(1, options.effort, |_| {
            let begin = Instant::now();
            let processors = ProcessTime::now();
            black_box(compiler.component(&component.bytes)?);
            push(&mut whole, begin, processors);
            let start = Instant::now();
            let mut stream = compiler.component_stream();
            let (mut arrived, mut behind, mut most) = (0, Duration::ZERO, Duration::ZERO);
            for chunk in component.bytes.chunks(CHUNK) {
                arrived += chunk.len();
                let due = start + Duration::from_secs_f64(arrived as f64 / 1e6 / speed);
                match due.checked_duration_since(Instant::now()) {
                    Some(early) => std::thread::sleep(early),
                    None => behind = due.elapsed(),
                }
                let pushing = Instant::now();
                stream.push(chunk)?;
                most = most.max(pushing.elapsed());
            }
            late.push(behind);
            longest.push(most);
            let (last, processors) = (Instant::now(), ProcessTime::now());
            black_box(stream.finish()?);
            push(&mut finish, last, processors);
            Ok(begin.elapsed())
        })?;
        let mut stream = compiler.component_stream();
        for chunk in component.bytes.chunks(CHUNK) {
            stream.push(chunk)?;
        }
        ensure!(stream.finish_artifact()? == expected, "{}: the artifact of a stream is another", component.name);
        let medians = [&whole, &finish].map(|pair| pair.each_ref().map(Samples::median));
        let [whole_ms, finish_ms] = medians;
        let mut cells = vec![component.bytes.len() as f64 / 1e6];
        for at in 0..2 {
            cells.extend([whole_ms[at], finish_ms[at], finish_ms[at] / whole_ms[at]]);
        }
        cells.extend([late.median(), longest.median()]);
        let cells = cells.into_iter().map(|cell| number(Some(cell)));
        lines.push(std::iter::once(component.name.clone()).chain(cells).collect());
        let [whole, finish] = [whole, finish].map(|pair| pair.each_ref().map(Samples::json));
        json.push(json!({ "component": component.name, "whole_ms": whole, "finish_ms": finish }));
    }
    let head = ["component", "MB", "whole", "`finish`", "/ whole", "whole, processors", "`finish`, processors"];
    print(&[&head[..], &["/ whole", "late", "longest push"]].concat(), &lines);
    Ok(json.into())
}

/// Takes a sample by the clock and one of processor time.
fn push([clock, processors]: &mut [Samples; 2], start: Instant, used: ProcessTime) {
    clock.push(start.elapsed());
    processors.push(used.elapsed());
}

/// Kinds whose code runs, with a component each: those that calls are measured of.
fn proved(text: &str, kinds: &[Kind]) -> anyhow::Result<Vec<(Kind, wasmtime::Engine, wasmtime::component::Component)>> {
    let wasm = wat::parse_str(text).context("a component of the bench")?;
    let of = |&kind: &Kind| {
        let backend = Backend::new(kind, false)?;
        Ok((kind, backend.engine().clone(), backend.proved_component(&wasm)?))
    };
    kinds.iter().map(of).collect()
}
