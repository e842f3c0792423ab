//! `bench fib`: one recursive function, for each compiler and as native code; and its machine code, side by side.

use crate::engines::{Backend, Kind};
use crate::node::{self, Node};
use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::{Instance, Module, Store, TypedFunc};

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

/// The same in Rust, as rustc compiles it.
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
        return code(&wasm, &backends);
    }
    let expected = (0..options.n.saturating_sub(1)).fold((1u32, 1u32), |(a, b), _| (b, a.wrapping_add(b))).1;
    let mut contenders = vec![("native", Contender::Native)];
    for backend in &backends {
        let module = backend.module(&wasm)?;
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

/// Prints what each compiler made of the function, in columns.
fn code(wasm: &[u8], backends: &[Backend]) -> anyhow::Result<()> {
    let mut columns = Vec::new();
    for backend in backends {
        let mut lines = disassemble(&backend.module(wasm)?)?;
        let (instructions, bytes) = (lines.len(), lines.iter().map(|(_, bytes)| bytes).sum::<usize>());
        let title = format!("{}: {instructions} instructions, {bytes} bytes", backend.kind.name());
        lines.insert(0, (title, 0));
        columns.push(lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>());
    }
    let widths: Vec<usize> = columns.iter().map(|lines| lines.iter().map(String::len).max().unwrap_or(0)).collect();
    for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
        let cells = columns.iter().zip(&widths).map(|(lines, &width)| {
            let line = lines.get(row).map_or("", String::as_str);
            format!("{line:<width$}")
        });
        println!("{}", cells.collect::<Vec<_>>().join("   ").trim_end());
    }
    Ok(())
}

/// The instructions of a module's only function, each with its length. Addresses count from the function's start.
fn disassemble(module: &Module) -> anyhow::Result<Vec<(String, usize)>> {
    let function = module.functions().next().context("the module has one function")?;
    let code = &module.text()[function.offset..][..function.len];
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut formatter = IntelFormatter::new();
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_branch_leading_zeros(false);
    options.set_show_branch_size(false);
    options.set_rip_relative_addresses(true);
    let mut lines = Vec::new();
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        lines.push((format!("{:>4x}  {text}", instruction.ip()), instruction.len()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #[test]
    fn fib_counts_from_one() {
        assert_eq!([0, 1, 2, 3, 10].map(super::fib), [1, 1, 2, 3, 89]);
    }
}
