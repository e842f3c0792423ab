//! `bench bombs`: modules and components made to be slow to compile, at a size and at twice that. What must hold is
//! that twice the input never costs much more than twice the time, code, artifact, memory and steps.

use crate::allocator::peak;
use crate::engines::{Backend, Kind, text_bytes};
use crate::instructions;
use crate::stats::Samples;
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{anyhow, ensure};
use cpu_time::ProcessTime;
use serde_json::json;
use std::path::PathBuf;

// The tests have the generators; this is their other user.
#[path = "../../tests/src/bombs/mod.rs"]
pub(crate) mod families;

use families::{COMPONENTS, COMPONENTS_OUT_OF_PROPORTION, EXTREMES, allowed, bombs, invalid, out_of_proportion};

/// What doubling may cost.
const MAX_TIME: f64 = 2.3;
const MAX_BYTES: f64 = 2.1;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of families; without any, all.
    families: Vec<String>,
    /// Compiles at each size; ratios are of medians.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Counts Lightbeam's instructions, in millions, instead of time: the same on a busy machine. Needs `valgrind`.
    #[arg(long)]
    instructions: bool,
    /// The compiler to attack.
    #[arg(long, default_value = "lightbeam")]
    compiler: Kind,
    /// Multiplies every size.
    #[arg(long, default_value_t = 1)]
    scale: usize,
    /// Writes the modules to this folder, at a size and at twice that, and measures nothing.
    #[arg(long, value_name = "FOLDER")]
    emit: Option<PathBuf>,
    /// Writes what was measured to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What one module costs.
#[derive(Clone, Copy)]
struct Cost {
    wasm: usize,
    /// Milliseconds, median; or millions of instructions.
    time: f64,
    /// Bytes; 0 if the module is refused, as are the next two.
    code: f64,
    artifact: f64,
    /// Bytes in use at once.
    peak: f64,
    /// As Lightbeam counts them; 0 for others.
    steps: f64,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    if options.emit.is_none() && std::env::var_os(KEEP).is_none() {
        return again_keeping_memory();
    }
    ensure!(!options.instructions || options.compiler == Kind::Lightbeam, "only Lightbeam's instructions are counted");
    let backend = Backend::new(options.compiler, false)?;
    let asked = |name: &str| options.families.is_empty() || options.families.iter().any(|asked| asked == name);
    if let Some(folder) = &options.emit {
        for bomb in bombs().chain(COMPONENTS).filter(|bomb| asked(bomb.name)) {
            for n in [1, 2].map(|times| times * bomb.n * options.scale) {
                std::fs::write(folder.join(format!("{}-{n}.wasm", bomb.name)), (bomb.make)(n))?;
            }
        }
        return Ok(());
    }
    print_circumstances();
    println!(
        "{}, doubled; {}; what is over {MAX_TIME}× time or {MAX_BYTES}× bytes is marked:\n",
        backend.kind.name(),
        if options.instructions {
            "costs in millions of instructions"
        } else {
            "costs in ms of processor time, medians"
        },
    );
    let mut over: Vec<String> = Vec::new();
    let mut rows = Vec::new();

    let mut doubled = |title: &str, make: &dyn Fn(usize) -> Vec<u8>, n: usize, valid: bool| {
        eprintln!("{title} …");
        let [once, twice] = match costs(&backend, [n, 2 * n].map(make), options, valid) {
            Ok(costs) => costs,
            Err(error) => {
                over.push(title.to_owned());
                return vec![title.to_owned(), n.to_string(), format!("{error:#}")];
            }
        };
        // Where there is next to none, what every module has of it outweighs the rest.
        let ratio = |of: fn(&Cost) -> f64, fixed: f64| of(&twice) / of(&once).max(fixed);
        let ratios = [
            (twice.time / once.time, MAX_TIME),
            (ratio(|cost| cost.code, 4096.0), MAX_BYTES),
            (ratio(|cost| cost.artifact, 65_536.0), MAX_BYTES),
            (ratio(|cost| cost.peak, 65_536.0), MAX_BYTES),
            (ratio(|cost| cost.steps, 1000.0), MAX_TIME),
        ];
        rows.push(json!({
            "family": title, "n": n, "wasm_bytes": [once.wasm, twice.wasm], "cost": [once.time, twice.time],
            "code_bytes": [once.code, twice.code], "artifact_bytes": [once.artifact, twice.artifact],
            "peak_bytes": [once.peak, twice.peak], "steps": [once.steps, twice.steps],
        }));
        let mut line = vec![title.to_owned(), n.to_string(), number(Some(once.wasm as f64 / 1e3))];
        line.extend([once.time, twice.time].map(|time| number(Some(time))));
        for (ratio, limit) in ratios {
            let is_over = ratio > allowed(limit, once.wasm, twice.wasm);
            line.push(format!("{}{}", number(Some(ratio)), if is_over { " !" } else { "" }));
            if is_over {
                over.push(title.to_owned());
            }
        }
        line
    };
    let head =
        ["family", "n", "wasm KB", "cost at n", "cost at 2n", "cost", "code", "artifact", "peak memory", "steps"];
    let families: Vec<_> = bombs().filter(|bomb| asked(bomb.name)).collect();
    let scaled = |n: usize| n * options.scale;
    let mut lines = Vec::new();
    for bomb in &families {
        lines.push(doubled(bomb.name, &bomb.make, scaled(bomb.n), true));
    }
    for bomb in COMPONENTS.iter().filter(|bomb| asked(bomb.name)) {
        lines.push(doubled(&format!("{}, a component", bomb.name), &bomb.make, scaled(bomb.n) / 2, true));
    }
    print(&head, &lines);
    println!("The same modules, with an error at the very end:\n");
    let mut lines = Vec::new();
    for bomb in &families {
        lines.push(doubled(&format!("{}, invalid", bomb.name), &|n| invalid((bomb.make)(n)), scaled(bomb.n), false));
    }
    print(&head, &lines);

    println!("Near the limits, and beyond them:\n");
    let mut lines = Vec::new();
    let beyond = out_of_proportion().chain(COMPONENTS_OUT_OF_PROPORTION);
    for bomb in EXTREMES.iter().chain(beyond).filter(|bomb| asked(bomb.name)) {
        let wasm = (bomb.make)(bomb.n);
        let bytes = wasm.len();
        let cells = match costs(&backend, [wasm], options, true) {
            Ok([cost]) => [cost.time, cost.code / 1e3, cost.peak / 1e6].map(|cell| number(Some(cell))).to_vec(),
            Err(error) => vec![format!("{error:#}"), String::new(), String::new()],
        };
        lines.push([bomb.name.to_owned(), number(Some(bytes as f64 / 1e3))].into_iter().chain(cells).collect());
    }
    print(&["module", "wasm KB", "cost", "code KB", "peak memory MB"], &lines);
    write_json(options.json.as_deref(), &rows.into())?;
    over.dedup();
    ensure!(over.is_empty(), "more than {MAX_TIME}× the time or {MAX_BYTES}× the bytes: {}", over.join("; "));
    Ok(())
}

/// Tells the system's allocator from how many bytes on memory goes back to the system.
const KEEP: &str = "MALLOC_TRIM_THRESHOLD_";

/// Runs this program again, with an allocator that keeps what it has: else it begins at some size to give memory back
/// and to get it anew for each compile, page by page, which looks like a cost that grows faster than the input.
fn again_keeping_memory() -> anyhow::Result<()> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(KEEP, "4294967295").env("MALLOC_MMAP_THRESHOLD_", "4294967295");
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1))
}

/// What it costs to compile modules, or to refuse them. Their compiles take turns.
fn costs<const N: usize>(
    backend: &Backend,
    modules: [Vec<u8>; N],
    options: &Options,
    valid: bool,
) -> anyhow::Result<[Cost; N]> {
    let mut costs = [Cost { wasm: 0, time: 0.0, code: 0.0, artifact: 0.0, peak: 0.0, steps: 0.0 }; N];
    for (cost, wasm) in costs.iter_mut().zip(&modules) {
        let (peak, result) = peak(|| backend.compile(wasm));
        (cost.wasm, cost.peak) = (wasm.len(), peak as f64);
        match (result, valid) {
            (Ok(compiled), true) => {
                cost.code = text_bytes(&compiled.artifact)? as f64;
                cost.artifact = compiled.artifact.len() as f64;
                cost.steps = backend.report(wasm)?.map_or(0.0, |report| report.counters.steps as f64);
            }
            (Err(_), false) => {}
            (Ok(_), false) => return Err(anyhow!("it is accepted")),
            (Err(error), true) => return Err(error),
        }
        if options.instructions {
            cost.time = instructions::count(wasm)? / 1e6;
        }
    }
    if options.instructions {
        return Ok(costs);
    }
    let mut samples = vec![Samples::default(); N];
    for _ in 0..options.runs.max(1) {
        for (samples, wasm) in samples.iter_mut().zip(&modules) {
            let start = ProcessTime::now();
            let result = backend.compile(wasm);
            samples.push(start.elapsed());
            ensure!(result.is_ok() == valid, "it is refused at one time and not at another");
        }
    }
    for (cost, samples) in costs.iter_mut().zip(&samples) {
        cost.time = samples.median();
    }
    Ok(costs)
}
