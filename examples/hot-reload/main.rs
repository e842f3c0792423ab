//! Serves calls by a module and takes its file anew whenever it has changed, between two calls. Compiling is fast enough
//! to do it where the call comes in. A new version that does not compile changes nothing.
//!
//! ```text
//! cargo run --bin hot-reload -- plugin.wat answer
//! ```
//!
//! Each line of standard input is a call; its argument is what stands on it.

use lightbeam::Compiler;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use wasmtime::{Config, Instance, Module, Result, Store};

/// A file, and what it was compiled to when it last was good.
struct Reloading {
    compiler: Compiler,
    path: PathBuf,
    /// What was read last, good or not.
    seen: Vec<u8>,
    module: Option<Module>,
}

impl Reloading {
    fn new(compiler: Compiler, path: PathBuf) -> Reloading {
        Reloading { compiler, path, seen: Vec::new(), module: None }
    }

    /// The module as its file is now, or as it was when it last could be compiled.
    fn current(&mut self) -> Option<&Module> {
        let now = match std::fs::read(&self.path) {
            Ok(now) => now,
            Err(error) => {
                println!("{}: {error}", self.path.display());
                return self.module.as_ref();
            }
        };
        if now != self.seen {
            match self.compiler.module(&now) {
                Ok(module) => self.module = Some(module),
                Err(error) => println!("{}: {}", self.path.display(), error.root_cause()),
            }
            self.seen = now;
        }
        self.module.as_ref()
    }
}

/// One call in an instance of its own: nothing of an old version is left in a new one's memory.
fn call(engine: &wasmtime::Engine, module: &Module, function: &str, argument: i32) -> Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[])?;
    instance.get_typed_func::<i32, i32>(&mut store, function)?.call(&mut store, argument)
}

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let usage = "usage: hot-reload FILE FUNCTION";
    let (path, function) = (args.next().expect(usage), args.next().expect(usage));
    let function = function.to_str().expect(usage);
    let compiler = Compiler::new(&Config::new())?;
    let engine = compiler.engine().clone();
    let mut reloading = Reloading::new(compiler, path.into());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match (line.trim().parse(), reloading.current()) {
            (Err(_), _) => println!("`{line}` is no number"),
            (Ok(_), None) => println!("nothing to call"),
            (Ok(argument), Some(module)) => match call(&engine, module, function, argument) {
                Ok(result) => println!("{function}({argument}) = {result}"),
                Err(error) => println!("{function}({argument}): {}", error.root_cause()),
            },
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
