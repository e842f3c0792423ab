//! `bench code`: the machine code that Wasmtime's three compilers make of one function, side by side.

use crate::engines::{Backend, Kind};
use anyhow::Context;
use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter};
use std::path::PathBuf;
use wasmtime::Module;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A module, binary or text.
    module: PathBuf,
    /// Index of the function, imports counted; without it, the first that the module defines.
    function: Option<u32>,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let wasm = wat::parse_file(&options.module)?;
    let backends = Kind::ALL.into_iter().map(|kind| Backend::new(kind, false)).collect::<Result<Vec<_>, _>>()?;
    side_by_side(&wasm, &backends, options.function)
}

/// Prints what each compiler made of a function, in columns. Without an index, of the first that the module defines.
pub(crate) fn side_by_side(wasm: &[u8], backends: &[Backend], function: Option<u32>) -> anyhow::Result<()> {
    let mut columns = Vec::new();
    for backend in backends {
        let mut lines = disassemble(&backend.proved(wasm)?, function)?;
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

/// The instructions of a function, each with its length. Addresses count from the function's start.
fn disassemble(module: &Module, function: Option<u32>) -> anyhow::Result<Vec<(String, usize)>> {
    let mut functions = module.functions();
    let function = match function {
        None => functions.next().context("the module defines no function")?,
        Some(index) => functions
            .find(|function| function.index.as_u32() == index)
            .with_context(|| format!("the module defines no function {index}"))?,
    };
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
