//! Real programs, compiled by Lightbeam: each must print exactly what it prints everywhere.

use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::{program, shared};
use std::path::Path;
use wasmtime::Config;

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
    Ok(program::prints_what_it_must(&compiler, &module, folder)?)
}
