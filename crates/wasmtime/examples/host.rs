//! Measures the host's part of compiling: phases beside bare validation, threads, streaming, latency, loading.
//!
//! `cargo run --release -p lightbeam --example host -- COMMAND …`; without arguments it lists the commands.

use lightbeam::Compiler;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use wasmtime::{Config, Instance, Module, Store};
use wasmtime_environ::wasmparser::{Parser, ValidPayload, Validator};

const USAGE: &str = "\
usage: host COMMAND
  once INPUT [TIMES]         compiles, for instruction counts
  validate INPUT [TIMES]     wasmparser's validation alone, likewise
  phases INPUT [TIMES]       phases of compiling beside bare validation, medians
  latency [TIMES]            a one-function module, bytes to first call returned, distribution by phase
  load INPUT [TIMES]         loading, instantiating and a first call
INPUT is a file, `empty:N` for N empty functions, or `one` for a module of one function.";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["once", input, ref rest @ ..] => once(input, times(rest, 1)),
        ["validate", input, ref rest @ ..] => validate_times(input, times(rest, 1)),
        ["phases", input, ref rest @ ..] => phases(input, times(rest, 15)),
        ["latency", ref rest @ ..] => latency(times(rest, 2000)),
        ["load", input, ref rest @ ..] => load(input, times(rest, 50)),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
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

fn once(name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let compiler = Compiler::new(&Config::new())?;
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

fn phases(name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let compiler = Compiler::new(&Config::new())?.time_sweeps(true);
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

fn latency(n: usize) -> Result<()> {
    let wasm = input("one")?;
    let compiler = Compiler::new(&Config::new())?;
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

fn load(name: &str, n: usize) -> Result<()> {
    let wasm = input(name)?;
    let compiler = Compiler::new(&Config::new())?;
    let artifact = compiler.precompile(&wasm)?;
    let (mut copied, mut compiled) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let start = Instant::now();
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        let module = unsafe { Module::deserialize(compiler.engine(), &artifact)? };
        copied.push(start.elapsed());
        drop(module);
        let (module, report) = compiler.module_timed(&wasm)?;
        compiled.push(report.phases.load);
        drop(module);
    }
    println!("{name}: artifact of {} bytes", artifact.len());
    println!("  deserialize {:>9.3} ms", median(copied));
    println!("  own load    {:>9.3} ms", median(compiled));
    Ok(())
}
