//! `bench fib`: one recursive function, for each compiler and as native code; and its machine code, side by side.

use crate::code;
use crate::engines::{Backend, Kind};
use crate::node::{self, Node};
use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::{Instance, Store, TypedFunc};

/// The module that is measured.
const MODULE: &str = include_str!("../../examples/fib-bare.wat");

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to calculate.
    #[arg(short, default_value_t = 38)]
    n: u32,
    #[command(flatten)]
    effort: Effort,
    /// Prints the machine code of Wasmtime's three compilers side by side, and measures nothing.
    #[arg(long)]
    code: bool,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What the module computes, in Rust, as rustc compiles it.
#[inline(never)]
fn fib(n: u32) -> u32 {
    if n < 2 { 1 } else { fib(n - 1) + fib(n - 2) }
}

/// Who takes turns.
enum Contender {
    Native,
    Wasmtime(Store<()>, TypedFunc<u32, u32>),
    Node(Node),
}

impl Contender {
    fn turn(&mut self, n: u32, expected: u32) -> anyhow::Result<Duration> {
        let start = ThreadTime::now();
        let result = match self {
            Contender::Native => fib(black_box(n)),
            Contender::Wasmtime(store, func) => func.call(store, n)?,
            Contender::Node(node) => return node.turn(),
        };
        let time = start.elapsed();
        ensure!(result == expected, "it gives {result}, not {expected}");
        Ok(time)
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let wasm = wat::parse_str(MODULE)?;
    let backends = Kind::ALL.map(|kind| Backend::new(kind, false));
    let backends: Vec<Backend> = backends.into_iter().collect::<Result<_, _>>()?;
    print_circumstances();
    if options.code {
        return code::side_by_side(&wasm, &backends, None);
    }
    let expected = (0..options.n.saturating_sub(1)).fold((1u32, 1u32), |(a, b), _| (b, a.wrapping_add(b))).1;
    let mut contenders = vec![("native", Contender::Native)];
    for backend in &backends {
        let module = backend.proved(&wasm)?;
        let mut store = Store::new(backend.engine(), ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let func = instance.get_typed_func(&mut store, "fib")?;
        contenders.push((backend.kind.name(), Contender::Wasmtime(store, func)));
    }
    if let Some(version) = Node::version() {
        println!("Liftoff and TurboFan are those of {version}.\n");
        let task = json!({ "export": "fib", "args": [options.n], "result": expected });
        for (name, flags) in [("Liftoff", node::LIFTOFF), ("TurboFan", node::TURBOFAN)] {
            contenders.push((name, Contender::Node(Node::new(flags, node::CALL, &wasm, &task)?)));
        }
    }
    let samples = interleave(contenders.len(), options.effort, |index| {
        let (name, contender) = &mut contenders[index];
        contender.turn(options.n, expected).with_context(|| (*name).to_owned())
    })?;
    let samples: Vec<Samples> = samples.into_iter().collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;

    println!("fib({}), ms of processor time; ratios of medians:\n", options.n);
    let of = |name| contenders.iter().position(|(other, _)| *other == name).map(|at| samples[at].median());
    let (native, cranelift) = (of("native"), of("Cranelift"));
    let lines: Vec<Vec<String>> = contenders
        .iter()
        .zip(&samples)
        .map(|((name, _), samples)| {
            let (median, min) = (samples.median(), samples.min());
            let ratios = [native, cranelift].map(|base| base.map(|base| median / base));
            let cells = [Some(median), Some(min), ratios[0], ratios[1]];
            std::iter::once((*name).to_owned()).chain(cells.map(number)).collect()
        })
        .collect();
    print(&["compiler", "median", "minimum", "/ native", "/ Cranelift"], &lines);
    let rows = contenders.iter().zip(&samples).map(|((name, _), s)| json!({ "compiler": name, "ms": s.json() }));
    write_json(options.json.as_deref(), &rows.collect::<Value>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn fib_counts_from_one() {
        assert_eq!([0, 1, 2, 3, 10].map(super::fib), [1, 1, 2, 3, 89]);
    }
}
