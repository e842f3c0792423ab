//! A host to be debugged: runs a function of a module that Lightbeam has compiled with debug information, so that gdb
//! or lldb show what it does. `lightbeam-knobs FILE FUNCTION ARGUMENT`; function and argument are `run` and 3 without
//! these.

use lightbeam::Compiler;
use std::process::ExitCode;
use wasmtime::{Caller, Config, Linker, Store};

/// What modules may import: a place to stop at, with a backtrace of the host's own.
#[unsafe(no_mangle)]
extern "C" fn stop_here(value: i32) -> i32 {
    println!("{}", std::backtrace::Backtrace::force_capture());
    value
}

fn run(file: &str, function: &str, argument: i32) -> wasmtime::Result<i32> {
    let mut config = Config::new();
    config.debug_info(true).enable_compiler(false);
    let compiler = Compiler::new(&config)?;
    let module = compiler.module(std::fs::read(file)?)?;
    let mut linker = Linker::new(compiler.engine());
    linker.func_wrap("host", "stop", |_: Caller<'_, ()>, value: i32| stop_here(value))?;
    let mut store = Store::new(compiler.engine(), ());
    let instance = linker.instantiate(&mut store, &module)?;
    instance.get_typed_func::<i32, i32>(&mut store, function)?.call(&mut store, argument)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, rest @ ..] = &arguments[..] else {
        eprintln!("usage: lightbeam-knobs FILE [FUNCTION [ARGUMENT]]");
        return ExitCode::FAILURE;
    };
    let function = rest.first().map_or("run", String::as_str);
    let argument = rest.get(1).map_or(Ok(3), |argument| argument.parse());
    match argument.map_err(wasmtime::Error::from).and_then(|argument| run(file, function, argument)) {
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
