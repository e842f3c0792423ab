//! Real programs, compiled by Lightbeam: each must print exactly what it prints everywhere.

use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::shared;
use std::path::Path;
use wasmtime::{Config, Linker, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// The programs that use a feature not yet supported, and what its refusal must name.
const REFUSED: &[(&str, &str)] = &[];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    if let Some(folder) = shared::folder("corpus/run") {
        for path in shared::files(&folder, "wasm") {
            let program = path.parent().expect("each has a folder").to_path_buf();
            let name = program.file_name().expect("it has a name").to_string_lossy().into_owned();
            trials.push(Trial::test(format!("corpus/{name}"), move || program_prints_what_it_must(&name, &program)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn program_prints_what_it_must(name: &str, folder: &Path) -> Result<(), Failed> {
    let bytes = std::fs::read(folder.join("benchmark.wasm"))?;
    let compiler = Compiler::new(&Config::new()).map_err(|error| format!("{error:?}"))?;
    let module = match (compiler.module(&bytes), REFUSED.iter().find(|(refused, _)| *refused == name)) {
        (Ok(module), None) => module,
        (Ok(_), Some((_, feature))) => {
            return Err(format!("{feature} is no longer refused: take it off the list").into());
        }
        (Err(error), None) => return Err(format!("does not compile: {error:?}").into()),
        (Err(error), Some((_, feature))) => {
            let refusal =
                error.downcast_ref::<lightbeam::Error>().ok_or_else(|| format!("not a refusal: {error:?}"))?;
            let named = refusal.message().to_lowercase().contains(&feature.to_lowercase());
            let clear = refusal.kind() == ErrorKind::Unsupported && refusal.offset().is_some() && named;
            return if clear {
                Ok(())
            } else {
                Err(format!("does not name {feature} and its place: {refusal}").into())
            };
        }
    };

    let (stdout, stderr) = (MemoryOutputPipe::new(64 << 20), MemoryOutputPipe::new(64 << 20));
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg("benchmark.wasm").stdout(stdout.clone()).stderr(stderr.clone());
    wasi.preopened_dir(folder, ".", FsPerms::ReadOnly).map_err(|error| format!("{error:?}"))?;
    let mut store = Store::new(compiler.engine(), wasi.build_p1());
    let mut linker: Linker<WasiP1Ctx> = Linker::new(compiler.engine());
    let run = (|| {
        p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
        linker.define_unknown_imports_as_default_values(&mut store, &module)?;
        let instance = linker.instantiate(&mut store, &module)?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())
    })();
    match run {
        Ok(()) => {}
        Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => {}
        Err(error) => return Err(format!("{error:?}\n{}", String::from_utf8_lossy(&stderr.contents())).into()),
    }
    printed(folder, "stdout", &stdout.contents())?;
    printed(folder, "stderr", &stderr.contents())
}

/// Is this what the program must print, where something is said about it?
fn printed(folder: &Path, stream: &str, actual: &[u8]) -> Result<(), Failed> {
    let expected = shared::files(folder, "expected");
    let expected = expected.iter().find(|path| path.to_string_lossy().ends_with(&format!(".{stream}.expected")));
    let Some(expected) = expected else { return Ok(()) };
    if std::fs::read(expected)? == actual {
        return Ok(());
    }
    Err(format!("{stream} is not what is in {}:\n{}", expected.display(), String::from_utf8_lossy(actual)).into())
}
