//! Settings of an engine that cannot be read back, found out by loading an empty artifact.

use crate::error::Error;
use crate::input::translate;
use crate::output::artifact::{self, Source};
use crate::output::image::Image;
use crate::settings::Settings;
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
    let translated = translate::translate(settings, b"\0asm\x01\0\0\0")?;
    let bytes = artifact::write(settings, Source::Module(translated), Image::new(settings, false))?.into_bytes()?;
    // SAFETY: the bytes were just made, an artifact without any code.
    unsafe { Module::deserialize(engine, bytes) }.map(drop)
}
