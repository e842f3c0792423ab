//! What compiling costs by each door, in one run: `lightbeam::Compiler`, `Module::new` with the stand-in in the place
//! of Wasmtime's compiler, and `wasmtime_module_new` of a `libwasmtime.so`.
//!
//! `measure [--rounds N] LIBRARY FILE…` prints a table: for one thread and for two, the API's milliseconds by their
//! least and their median, and what the others take of them. Each round compiles a module by all doors in turn,
//! beginning with another one each time.

mod library;

use std::ffi::OsString;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::{Config, Engine, Module, Result, bail};

/// By which ways a module is compiled.
const DOORS: usize = 3;

fn main() -> Result<()> {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut rounds = 21;
    if args.first().is_some_and(|arg| arg == "--rounds") && args.len() > 1 {
        rounds = args[1].to_str().unwrap_or_default().parse()?;
        args.drain(..2);
    }
    let [library, files @ ..] = args.as_slice() else { bail!("usage: measure [--rounds N] LIBRARY FILE…") };
    if files.is_empty() || rounds == 0 {
        bail!("usage: measure [--rounds N] LIBRARY FILE…");
    }
    if !wasmtime_internal_cranelift::is_installed() {
        bail!("the environment says LIGHTBEAM=off, so there is nothing to measure");
    }
    println!("{}, load {}", processor(), load());
    for parallel in [false, true] {
        let threads = if parallel { rayon_threads() } else { 1 };
        println!(
            "\n| {threads} thread(s) | API, ms: least | median | K / API: least | median | L / API: least | median |"
        );
        println!("|---|---|---|---|---|---|---|");
        let doors = Doors::new(library, parallel)?;
        let mut logs = [0.0; 4];
        for file in files {
            let wasm = std::fs::read(file)?;
            let times = doors.measure(&wasm, rounds)?;
            let [api, k, l] =
                times.map(|times| [times[0], times[times.len() / 2]].map(|time| time.as_secs_f64() * 1e3));
            let ratios = [k[0] / api[0], k[1] / api[1], l[0] / api[0], l[1] / api[1]];
            logs.iter_mut().zip(ratios).for_each(|(log, ratio)| *log += ratio.ln());
            let name = Path::new(file).parent().and_then(Path::file_name).unwrap_or(file).to_string_lossy();
            let [a, b, c, d] = ratios;
            println!("| {name} | {:.3} | {:.3} | {a:.2} | {b:.2} | {c:.2} | {d:.2} |", api[0], api[1]);
        }
        let [a, b, c, d] = logs.map(|log| (log / files.len() as f64).exp());
        println!("| geometric mean | | | {a:.2} | {b:.2} | {c:.2} | {d:.2} |");
    }
    Ok(())
}

struct Doors {
    engine: Engine,
    compiler: lightbeam::Compiler,
    library: library::Engine,
}

impl Doors {
    fn new(library: &OsString, parallel: bool) -> Result<Doors> {
        let engine = Engine::new(Config::new().parallel_compilation(parallel))?;
        let compiler = lightbeam::Compiler::for_engine(&engine)?;
        Ok(Doors { engine, compiler, library: library::Engine::new(library, parallel)? })
    }

    /// What each door took in each round, in ascending order; one round more is not counted.
    fn measure(&self, wasm: &[u8], rounds: usize) -> Result<[Vec<Duration>; DOORS]> {
        let mut times: [Vec<Duration>; DOORS] = Default::default();
        for round in 0..=rounds {
            for turn in 0..DOORS {
                let door = (round + turn) % DOORS;
                let time = self.turn(door, wasm)?;
                if round > 0 {
                    times[door].push(time);
                }
            }
        }
        times.iter_mut().for_each(|times| times.sort_unstable());
        Ok(times)
    }

    fn turn(&self, door: usize, wasm: &[u8]) -> Result<Duration> {
        let start = Instant::now();
        Ok(match door {
            0 => timed(start, self.compiler.module(wasm)?),
            1 => {
                let before = wasmtime_internal_cranelift::modules().compiled;
                let time = timed(start, Module::new(&self.engine, wasm)?);
                if wasmtime_internal_cranelift::modules().compiled == before {
                    bail!("the stand-in has left the module to the original");
                }
                time
            }
            _ => timed(start, self.library.module(wasm)?),
        })
    }
}

/// The time until now, without that of dropping what was made.
fn timed<T>(start: Instant, made: T) -> Duration {
    let time = start.elapsed();
    drop(black_box(made));
    time
}

fn rayon_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The processor's name.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "a processor without a name".to_owned(), |(_, name)| name.trim().to_owned())
}

/// How much else the machine does.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
