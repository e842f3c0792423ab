//! Names of functions, looked for when an error is in one.

use wasmtime_environ::wasmparser::{KnownCustom, Name, Parser, Payload};

/// What the name section of a core module calls a function; of a component, that of its `module`th.
pub(crate) fn of_function(wasm: &[u8], module: u32, index: u32) -> Option<String> {
    // How many modules have begun, and which are open, innermost last.
    let (mut begun, mut open) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::Version { encoding: wasmtime_environ::wasmparser::Encoding::Module, .. } => {
                open.push(Some(begun));
                begun += 1;
            }
            Payload::Version { .. } => open.push(None),
            Payload::End(_) => drop(open.pop()),
            Payload::CustomSection(section) if open.last() == Some(&Some(module)) => {
                let KnownCustom::Name(names) = section.as_known() else { continue };
                for names in names {
                    let Name::Function(names) = names.ok()? else { continue };
                    let found = names.into_iter().filter_map(Result::ok).find(|naming| naming.index == index);
                    return found.map(|naming| naming.name.to_owned());
                }
            }
            _ => {}
        }
    }
    None
}
