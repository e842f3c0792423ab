//! `bench stacks`: changes of stacks, by suspending to a handler and by switching, as Lightbeam and Cranelift compile
//! them. Winch has no continuations.

use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

const MODULE: &str = include_str!("../../examples/stacks.wat");

/// The exports that are measured.
const KINDS: [&str; 2] = ["suspend", "switch"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Round trips.
    #[arg(short, default_value_t = 1_000_000)]
    n: u32,
    #[command(flatten)]
    effort: Effort,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Who takes turns.
struct Contender {
    compiler: &'static str,
    export: &'static str,
    store: Store<()>,
    func: TypedFunc<u32, u32>,
}

impl Contender {
    fn turn(&mut self, n: u32) -> anyhow::Result<Duration> {
        let start = ThreadTime::now();
        let result = self.func.call(&mut self.store, n)?;
        let time = start.elapsed();
        let expected = (u64::from(n) * (u64::from(n) + 1) / 2) as u32;
        ensure!(result == expected, "it gives {result}, not {expected}");
        Ok(time)
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let wasm = wat::parse_str(MODULE)?;
    let mut config = Config::new();
    config.wasm_stack_switching(true);
    let engine = Engine::new(&config)?;
    let modules = [
        ("Lightbeam", lightbeam::Compiler::for_engine(&engine)?.verify(true).module(&wasm)?),
        ("Cranelift", Module::new(&engine, &wasm)?),
    ];
    print_circumstances();
    let mut contenders = Vec::new();
    for export in KINDS {
        for (compiler, module) in &modules {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, module, &[])?;
            let func = instance.get_typed_func(&mut store, export)?;
            contenders.push(Contender { compiler, export, store, func });
        }
    }
    let samples = interleave(contenders.len(), options.effort, |index| {
        let contender = &mut contenders[index];
        let name = format!("{} by {}", contender.export, contender.compiler);
        contender.turn(options.n).context(name)
    })?;
    let samples: Vec<Samples> = samples.into_iter().collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;

    println!("{} round trips, ms of processor time; ratios of medians:\n", options.n);
    let cranelift = |export: &str| {
        let same = |other: &Contender| other.export == export && other.compiler == "Cranelift";
        contenders.iter().position(same).map(|at| samples[at].median())
    };
    let lines: Vec<Vec<String>> = contenders
        .iter()
        .zip(&samples)
        .map(|(Contender { compiler, export, .. }, samples)| {
            let (median, min) = (samples.median(), samples.min());
            let cells = [Some(median), Some(min), cranelift(export).map(|base| median / base)];
            [*export, *compiler].map(str::to_owned).into_iter().chain(cells.map(number)).collect()
        })
        .collect();
    print(&["how", "compiler", "median", "minimum", "/ Cranelift"], &lines);
    let rows = contenders
        .iter()
        .zip(&samples)
        .map(|(contender, s)| json!({ "how": contender.export, "compiler": contender.compiler, "ms": s.json() }));
    write_json(options.json.as_deref(), &rows.collect::<Value>())
}
