//! Settings of an engine that cannot be read back, found out by loading an empty artifact.

use lightbeam_environ::Error;
use lightbeam_environ::artifact;
use lightbeam_environ::settings::Settings;
use wasmtime::{Engine, Module};

/// Completes what was read back of an engine's settings, if artifacts of any such settings can be loaded.
///
/// Whether the engine keeps DWARF cannot be read back. Which of the two it is, loading shows; and with it shows that no
/// other setting that cannot be read back stands against loading what is compiled here.
pub(crate) fn complete(engine: &Engine, mut settings: Settings) -> wasmtime::Result<Settings> {
    let Err(without) = load_empty(engine, &settings) else { return Ok(settings) };
    settings.change().tunables.parse_wasm_debuginfo = true;
    let Err(with) = load_empty(engine, &settings) else { return Ok(settings) };
    let (with, without) = (format!("{with:#}"), format!("{without:#}"));
    let reason = if without.contains("WebAssembly backtrace support") { with } else { without };
    Err(Error::settings(format!("Lightbeam cannot compile for this engine: {reason}")).into())
}

/// Loads the artifact of the empty module.
fn load_empty(engine: &Engine, settings: &Settings) -> wasmtime::Result<()> {
    let bytes = artifact::empty(settings)?;
    // SAFETY: the bytes were just made, an artifact without any code.
    unsafe { Module::deserialize(engine, bytes) }.map(drop)
}
