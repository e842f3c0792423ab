//! Programs of the corpus: each has a folder with its input and what it must print.

use crate::shared;
use std::path::Path;
use wasmtime::{Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// Runs a program, as a command of WASI's first preview whose working directory is its folder.
///
/// # Errors
///
/// If it fails, or prints anything else than the folder says.
pub fn prints_what_it_must(compiler: &lightbeam::Compiler, module: &Module, folder: &Path) -> Result<(), String> {
    let (stdout, stderr) = (MemoryOutputPipe::new(64 << 20), MemoryOutputPipe::new(64 << 20));
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg("benchmark.wasm").stdout(stdout.clone()).stderr(stderr.clone());
    wasi.preopened_dir(folder, ".", FsPerms::ReadOnly).map_err(|error| format!("{error:?}"))?;
    let mut store = Store::new(compiler.engine(), wasi.build_p1());
    let mut linker: Linker<WasiP1Ctx> = Linker::new(compiler.engine());
    let run = (|| {
        p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
        linker.define_unknown_imports_as_default_values(&mut store, module)?;
        let instance = linker.instantiate(&mut store, module)?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
    })();
    match run {
        Ok(()) => {}
        Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => {}
        Err(error) => return Err(format!("{error:?}\n{}", String::from_utf8_lossy(&stderr.contents()))),
    }
    printed(folder, "stdout", &stdout.contents())?;
    printed(folder, "stderr", &stderr.contents())
}

/// Is this what the program must print, where something is said about it?
fn printed(folder: &Path, stream: &str, actual: &[u8]) -> Result<(), String> {
    let expected = shared::files(folder, "expected");
    let expected = expected.iter().find(|path| path.to_string_lossy().ends_with(&format!(".{stream}.expected")));
    let Some(expected) = expected else { return Ok(()) };
    if std::fs::read(expected).map_err(|error| format!("{}: {error}", expected.display()))? == actual {
        return Ok(());
    }
    Err(format!("{stream} is not what is in {}:\n{}", expected.display(), String::from_utf8_lossy(actual)))
}
