//! The modules that are measured.

use anyhow::Context;
use std::path::{Path, PathBuf};
use wasmparser::{Parser, Payload};

/// A module in a file.
pub(crate) struct Wasm {
    /// What it is called in tables.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Wasm {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Wasm> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let bytes = wat::parse_bytes(&bytes)?.into_owned();
        // In the corpus it is the folder that has the name.
        let named = match path.parent() {
            Some(folder) if path.ends_with("benchmark.wasm") => folder,
            _ => path,
        };
        let name = named.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Wasm { name, path: path.to_path_buf(), bytes })
    }

    /// Bytes of the code section, or of those of all modules in a component.
    pub(crate) fn code_bytes(&self) -> anyhow::Result<usize> {
        let mut bytes = 0;
        for payload in Parser::new(0).parse_all(&self.bytes) {
            if let Payload::CodeSectionStart { range, .. } = payload? {
                bytes += range.len();
            }
        }
        Ok(bytes)
    }

    pub(crate) fn is_component(&self) -> bool {
        Parser::is_component(&self.bytes)
    }

    /// What the program must print on its standard output, where that is known.
    pub(crate) fn expected_stdout(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let folder = self.path.parent().context("a file is in a folder")?;
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".stdout.expected") {
                return Ok(Some(std::fs::read(path)?));
            }
        }
        Ok(None)
    }
}

/// The folder of the corpus, beside the repository; `LIGHTBEAM_SHARED` names another place for what is shared.
fn folder() -> PathBuf {
    let shared = std::env::var_os("LIGHTBEAM_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    shared.join("corpus/run")
}

/// All programs of the corpus, or those with these names.
pub(crate) fn programs(names: &[String]) -> anyhow::Result<Vec<Wasm>> {
    let folder = folder();
    let mut names = names.to_vec();
    if names.is_empty() {
        let entries = std::fs::read_dir(&folder).with_context(|| {
            format!("{} is absent; LIGHTBEAM_SHARED names the folder that holds `corpus/run`", folder.display())
        })?;
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
    }
    names.iter().map(|name| Wasm::read(&folder.join(name).join("benchmark.wasm"))).collect()
}
