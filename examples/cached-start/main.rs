//! Starts a program out of a cache: the first time it is compiled and kept, from then on it is only loaded, by whatever
//! process. After an update of Lightbeam or Wasmtime nothing that was kept before is found.
//!
//! ```text
//! cargo run --bin cached-start -- examples/fib-bare.wat fib 20 /tmp/cache
//! ```

use lightbeam::{Cache, Compiler};
use std::time::Instant;
use wasmtime::{Config, Instance, Result, Store};

/// Bytes that all that is kept may have together. What was used least recently goes.
const BYTES: u64 = 64 << 20;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, file, function, argument, directory] = &args[..] else {
        panic!("usage: cached-start FILE FUNCTION NUMBER DIRECTORY")
    };
    let cache = Cache::new(directory)?.size_limit(BYTES);
    let compiler = Compiler::new(&Config::new())?.cache(&cache);
    let start = Instant::now();
    let (module, report) = compiler.module_timed(std::fs::read(file)?)?;
    let how = if report.cached { "found" } else { "compiled" };
    println!("{how} {} bytes", report.artifact_bytes);
    eprintln!("in {:?}", start.elapsed());
    // Compiling does not fail because the cache does. Whoever wants to know is told.
    if let Some(failure) = cache.statistics().last_failure {
        eprintln!("{failure}");
    }

    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let function = instance.get_typed_func::<i32, i32>(&mut store, function)?;
    println!("{}", function.call(&mut store, argument.parse().expect("a number"))?);
    Ok(())
}
