//! A host for contracts, which must come to the same result, at the same cost, wherever they run: fuel instead of time,
//! canonical NaNs, relaxed SIMD that is not relaxed, and an input of which it is known beforehand what it can cost.
//!
//! ```text
//! cargo run --bin contract-host -- examples/plugins/contract.wat 6
//! ```

use lightbeam::Compiler;
use wasmtime::{Config, Module, Result, Store, StoreLimitsBuilder, Trap, bail};

/// Bytes of the largest contract. Compiling takes time and memory in proportion to it, whatever it is.
const BYTES: usize = 1 << 20;
/// What a call may cost.
const FUEL: u64 = 1_000_000;
/// Bytes of its memory.
const MEMORY: usize = 1 << 20;

fn compiler() -> Result<Compiler> {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .relaxed_simd_deterministic(true)
        // What differs from machine to machine, or from one run to the next.
        .wasm_threads(false)
        .max_wasm_stack(256 << 10);
    Ok(Compiler::new(&config)?.nan_canonicalization(true).threads(1))
}

/// A contract, refused before anything is done if it is too large.
fn accept(compiler: &Compiler, bytes: &[u8]) -> Result<Module> {
    if bytes.len() > BYTES {
        bail!("a contract of {} bytes, more than {BYTES}", bytes.len());
    }
    let module = compiler.module(bytes)?;
    if let Some(import) = module.imports().next() {
        bail!("a contract imports nothing, and this one `{}` from `{}`", import.name(), import.module());
    }
    Ok(module)
}

/// Calls `run` of a contract and gives its result with the fuel that it took.
fn call(compiler: &Compiler, contract: &Module, input: u64) -> Result<(f64, u64)> {
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).table_elements(10_000).build();
    let mut store = Store::new(compiler.engine(), limits);
    store.limiter(|limits| limits);
    store.set_fuel(FUEL)?;
    let instance = wasmtime::Instance::new(&mut store, contract, &[])?;
    let run = instance.get_typed_func::<u64, f64>(&mut store, "run")?;
    let result = run.call(&mut store, input)?;
    Ok((result, FUEL - store.get_fuel()?))
}

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let usage = "usage: contract-host FILE NUMBER";
    let (file, input) = (args.next().expect(usage), args.next().expect(usage));
    let input = input.to_str().and_then(|input| input.parse().ok()).expect(usage);
    let compiler = compiler()?;
    let contract = accept(&compiler, &std::fs::read(file)?)?;
    match call(&compiler, &contract, input) {
        Ok((result, fuel)) => println!("{:#018x} for {fuel} units of fuel", result.to_bits()),
        Err(error) if error.downcast_ref() == Some(&Trap::OutOfFuel) => println!("more than {FUEL} units of fuel"),
        Err(error) => println!("failed: {}", error.root_cause()),
    }
    Ok(())
}
