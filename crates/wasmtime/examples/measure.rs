//! Measures the host's part of compiling: phases beside bare validation, threads, streaming, latency, loading.
//!
//! `cargo run --release -p lightbeam --example measure -- COMMAND …`; without arguments it lists the commands.

use lightbeam::Compiler;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use wasmtime::{Config, Instance, Linker, Module, Store, Val};
use wasmtime_environ::wasmparser::{Parser, ValidPayload, Validator};

const USAGE: &str = "\
usage: measure [--threads N] COMMAND
  once INPUT [TIMES]         compiles, for instruction counts
  validate INPUT [TIMES]     wasmparser's validation alone, likewise
  phases INPUT [TIMES]       phases of compiling beside bare validation, medians
  latency [TIMES]            a one-function module, bytes to first call returned, distribution by phase
  load INPUT [TIMES]         loading, instantiating and a first call of `_start` or `f`
  stream INPUT MB/S [TIMES]  a source that delivers so fast: what is left to do after the last byte
  threads INPUT [TIMES]      the phase of compiling with 1 thread and with 2, 3 and 4, side by side
INPUT is a file, `empty:N` for N empty functions, or `one` for a module of one function.";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    let mut compiler = Compiler::new(&Config::new())?;
    let mut args = args;
    if let ["--threads", n, rest @ ..] = args {
        (compiler, args) = (compiler.threads(n.parse()?), rest);
    }
    match *args {
        ["once", name, ref rest @ ..] => once(&compiler, name, times(rest, 1)),
        ["validate", name, ref rest @ ..] => validate_times(name, times(rest, 1)),
        ["phases", name, ref rest @ ..] => phases(&compiler, name, times(rest, 15)),
        ["latency", ref rest @ ..] => latency(&compiler, times(rest, 2000)),
        ["load", name, ref rest @ ..] => load(&compiler, name, times(rest, 50)),
        ["stream", name, speed, ref rest @ ..] => stream(&compiler, name, speed.parse()?, times(rest, 5)),
        ["threads", name, ref rest @ ..] => threads(&compiler, name, times(rest, 7)),
        _ => Err(USAGE.into()),
    }
}

fn times(rest: &[&str], default: usize) -> usize {
    rest.first().map_or(default, |n| n.parse().expect("a number of times"))
}

fn input(name: &str) -> Result<Vec<u8>> {
    if name == "one" {
        return Ok(wat::parse_str(
            r#"(module (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#,
        )?);
    }
    if let Some(n) = name.strip_prefix("empty:") {
        return Ok(empty(n.parse()?));
    }
    Ok(std::fs::read(name)?)
}

/// A module of `n` empty functions.
fn empty(n: usize) -> Vec<u8> {
    fn leb(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 0x7f {
            bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        bytes.push(n as u8);
        bytes
    }
    let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
    for (id, entry) in [(3, &[0][..]), (10, &[2, 0, 0xb][..])] {
        let count = leb(n);
        wasm.push(id);
        wasm.extend(leb(count.len() + n * entry.len()));
        wasm.extend(count);
        wasm.extend(entry.repeat(n));
    }
    wasm
}

fn validate(wasm: &[u8]) -> Result<()> {
    let mut validator = Validator::new();
    let mut allocations = Default::default();
    for payload in Parser::new(0).parse_all(wasm) {
        if let ValidPayload::Func(func, body) = validator.payload(&payload?)? {
            let mut func = func.into_validator(allocations);
            func.validate(&body)?;
            allocations = func.into_allocations();
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn once(compiler: &Compiler, name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    for _ in 0..n {
        black_box(compiler.module(&wasm)?);
    }
    Ok(())
}

fn validate_times(name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    for _ in 0..n {
        validate(&wasm)?;
    }
    Ok(())
}

fn phases(compiler: &Compiler, name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let compiler = compiler.clone().time_sweeps(true);
    let mut columns: Vec<(&str, Vec<Duration>)> = Vec::new();
    for round in 0..=n {
        let start = Instant::now();
        validate(&wasm)?;
        let validated = start.elapsed();
        let start = Instant::now();
        let (module, report) = compiler.module_timed(&wasm)?;
        let total = start.elapsed();
        drop(module);
        if round == 0 {
            println!("{name}: {} functions, {} bytes, {} of code", report.functions, wasm.len(), report.text_bytes);
            continue;
        }
        let all = [("validate", validated), ("total", total)].into_iter().chain(report.phases.list());
        for (i, (phase, took)) in all.enumerate() {
            if columns.len() <= i {
                columns.push((phase, Vec::new()));
            }
            columns[i].1.push(took);
        }
    }
    let validated = median(columns[0].1.clone());
    for (phase, took) in columns {
        let took = median(took);
        println!("  {phase:<10}{took:>10.3} ms  {:>6.3} of validation", took / validated);
    }
    Ok(())
}

fn latency(compiler: &Compiler, n: usize) -> Result<()> {
    let wasm = input("one")?;
    let mut columns: [Vec<Duration>; 5] = Default::default();
    for _ in 0..n {
        let begin = Instant::now();
        let (module, report) = compiler.module_timed(&wasm)?;
        let loaded = Instant::now();
        let mut store = Store::new(compiler.engine(), ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let instantiated = Instant::now();
        let f = instance.get_typed_func::<(i32, i32), i32>(&mut store, "f")?;
        black_box(f.call(&mut store, (1, 2))?);
        let called = Instant::now();
        let compile = loaded - begin - report.phases.load;
        let row = [compile, report.phases.load, instantiated - loaded, called - instantiated, called - begin];
        for (column, took) in columns.iter_mut().zip(row) {
            column.push(took);
        }
    }
    println!("µs            min     10%  median     90%     99%");
    for (name, mut column) in ["compile", "load", "instantiate", "call", "total"].into_iter().zip(columns) {
        column.sort();
        let at = |part: f64| column[((n - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
        let [a, b, c, d, e] = [at(0.), at(0.1), at(0.5), at(0.9), at(0.99)];
        println!("{name:<11}{a:>7.1} {b:>7.1} {c:>7.1} {d:>7.1} {e:>7.1}");
    }
    Ok(())
}

/// Loads in both ways, then instantiates with imports that trap and touches the code by a first call.
fn load(compiler: &Compiler, name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let artifact = compiler.precompile(&wasm)?;
    let mut rows: [Vec<Duration>; 6] = Default::default();
    for _ in 0..n {
        let start = Instant::now();
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        let module = unsafe { Module::deserialize(compiler.engine(), &artifact)? };
        let loaded = start.elapsed();
        let (instantiated, called) = first_call(compiler, &module)?;
        let (module, report) = compiler.module_timed(&wasm)?;
        let (own_instantiated, own_called) = first_call(compiler, &module)?;
        let row = [loaded, instantiated, called, report.phases.load, own_instantiated, own_called];
        rows.iter_mut().zip(row).for_each(|(row, took)| row.push(took));
    }
    let [a, b, c, d, e, f] = rows.map(median);
    println!("{name}: artifact of {} bytes     load     instantiate  first call", artifact.len());
    println!("  deserialize, which copies {a:>12.3} {b:>12.3} {c:>12.3} ms");
    println!("  as `Compiler::module`     {d:>12.3} {e:>12.3} {f:>12.3} ms");
    Ok(())
}

/// How long instantiating and a first call take. What the call gives, a trap perhaps, does not matter.
fn first_call(compiler: &Compiler, module: &Module) -> Result<(Duration, Duration)> {
    let mut linker = Linker::new(compiler.engine());
    linker.define_unknown_imports_as_traps(module)?;
    let mut store = Store::new(compiler.engine(), ());
    let start = Instant::now();
    let instance = linker.instantiate(&mut store, module)?;
    let instantiated = start.elapsed();
    let start = Instant::now();
    if let Some(f) = instance.get_func(&mut store, "_start").or_else(|| instance.get_func(&mut store, "f")) {
        let ty = f.ty(&store);
        let arguments = vec![Val::I32(0); ty.params().len()];
        let mut results = vec![Val::I32(0); ty.results().len()];
        black_box(f.call(&mut store, &arguments, &mut results).is_ok());
    }
    Ok((instantiated, start.elapsed()))
}

/// A source that delivers 16 KiB at a time, each when its last byte would be there.
fn stream(compiler: &Compiler, name: &str, speed: f64, n: usize) -> Result<()> {
    const CHUNK: usize = 16 << 10;
    let wasm = input(name)?;
    let mut rows: [Vec<Duration>; 5] = Default::default();
    for _ in 0..n {
        let start = Instant::now();
        black_box(compiler.module(&wasm)?);
        let whole = start.elapsed();

        let start = Instant::now();
        let mut stream = compiler.module_stream();
        let (mut arrived, mut late, mut longest) = (0, Duration::ZERO, Duration::ZERO);
        for chunk in wasm.chunks(CHUNK) {
            arrived += chunk.len();
            let due = start + Duration::from_secs_f64(arrived as f64 / 1e6 / speed);
            match due.checked_duration_since(Instant::now()) {
                Some(early) => std::thread::sleep(early),
                None => late = due.elapsed(),
            }
            let push = Instant::now();
            stream.push(chunk)?;
            longest = longest.max(push.elapsed());
        }
        let last = Instant::now();
        let module = stream.finish()?;
        let row = [whole, last - start, late, longest, last.elapsed()];
        drop(module);
        rows.iter_mut().zip(row).for_each(|(row, took)| row.push(took));
    }
    let [whole, arrival, late, longest, finish] = rows.map(median);
    println!("{name} at {speed} MB/s, {} bytes, medians", wasm.len());
    println!("  compiling the whole     {whole:>9.2} ms");
    println!("  until the last push     {arrival:>9.2} ms, late by {late:.2} ms");
    println!("  longest push            {longest:>9.2} ms");
    println!("  finish                  {finish:>9.2} ms, {:.1} % of compiling the whole", finish / whole * 100.);
    Ok(())
}

/// Rounds over all numbers of threads, so that what else the machine does falls on all.
fn threads(compiler: &Compiler, name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let mut rows: [(Vec<Duration>, Vec<Duration>); 4] = Default::default();
    for _ in 0..n {
        for (threads, row) in (1..).zip(&mut rows) {
            let start = Instant::now();
            let (_, report) = compiler.clone().threads(threads).precompile_timed(&wasm)?;
            row.1.push(start.elapsed());
            row.0.push(report.phases.compile);
        }
    }
    let rows = rows.map(|(compile, total)| (median(compile), median(total)));
    println!("{name}: {} bytes, medians", wasm.len());
    for (threads, (compile, total)) in (1..).zip(rows) {
        let (faster, all) = (rows[0].0 / compile, rows[0].1 / total);
        println!("  {threads} threads: compile {compile:>9.2} ms, {faster:.2}x   in all {total:>9.2} ms, {all:.2}x");
    }
    Ok(())
}
