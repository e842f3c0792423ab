//! Is every operator that the compiler supports in some file?

use crate::file::File;
use std::collections::BTreeSet;
use std::path::PathBuf;
use wasmparser::{Parser, Payload};

/// Proposals of which nothing is compiled; all others are supported as a whole.
const UNSUPPORTED: [&str; 4] =
    ["custom_descriptors", "legacy_exceptions", "memory_control", "shared_everything_threads"];

macro_rules! proposals {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        [$((stringify!($proposal), stringify!($op))),*]
    };
}

/// What is wrong: operators that no file has.
pub(crate) fn check(files: &[PathBuf]) -> Result<(), String> {
    let scalar = wasmparser::for_each_visit_operator!(proposals);
    let vector = wasmparser::for_each_visit_simd_operator!(proposals);
    // What a validator makes of an invalid `select` is none.
    let supported = |(proposal, op): &&(&str, &str)| !UNSUPPORTED.contains(proposal) && *op != "TypedSelectMulti";
    let mut missing: BTreeSet<&str> = scalar.iter().chain(&vector).filter(supported).map(|(_, op)| *op).collect();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        // Whatever is wrong with a file, its own test says.
        let Ok(wasm) = File::parse(&text).map_err(drop).and_then(|file| wat::parse_str(file.wat).map_err(drop)) else {
            continue;
        };
        for payload in Parser::new(0).parse_all(&wasm) {
            let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
            for operator in body.get_operators_reader().into_iter().flatten().map_while(Result::ok) {
                let name = format!("{operator:?}");
                missing.remove(name.split(' ').next().unwrap_or_default());
            }
        }
    }
    let missing: Vec<&str> = missing.into_iter().collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("in no file test: {}", missing.join(", "))) }
}
