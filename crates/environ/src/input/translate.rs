//! Wasmtime's translation of a module: all that it says but the code of its functions.

use crate::error::Error;
use crate::input::data::DataImage;
use crate::input::standins::Condensed;
use crate::input::unsupported;
use crate::settings::Settings;
use crate::target::PAGE;
use std::borrow::Cow;
use wasmtime_environ::wasmparser::{Parser, Validator, WasmFeatures};
use wasmtime_environ::{ModuleEnvironment, ModuleTranslation, ModuleTypesBuilder, StaticModuleIndex};

/// What begins every binary module; anything else is taken for the text format.
pub const MAGIC: &[u8] = b"\0asm";

/// What begins every artifact.
const ARTIFACT: &[u8] = b"\x7fELF";

/// A module's translation and the types that it interned.
pub(crate) type Translated<'a> = (ModuleTranslation<'a>, ModuleTypesBuilder);

/// The binary form of a module in either, or in the binary format alone if the settings say so.
pub fn binary<'a>(settings: &Settings, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    if bytes.starts_with(MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    if bytes.starts_with(ARTIFACT) {
        let message = "expected WebAssembly but was given an artifact, which `deserialize` of `Compiler` and of Wasmtime's \
                       `Module` and `Component` takes";
        return Err(Error::invalid(message, Some(0)));
    }
    if !settings.text {
        return Err(not_binary());
    }
    text_to_binary(bytes).map(Cow::Owned)
}

/// The error of what is not in the binary format where nothing else is taken.
fn not_binary() -> Error {
    Error::invalid("expected the binary format, which begins with `\\0asm`; text is not taken here", Some(0))
}

/// Fails if what has come so far begins nothing that will be taken.
pub fn check_start(settings: &Settings, begun: &[u8]) -> Result<(), Error> {
    let begins = |what: &[u8]| begun.iter().zip(what).all(|(byte, expected)| byte == expected);
    if settings.text || begins(MAGIC) || begins(ARTIFACT) { Ok(()) } else { Err(not_binary()) }
}

/// The binary form of text.
#[cfg(feature = "wat")]
pub fn text_to_binary(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    crate::input::wat::to_binary(bytes)
}

#[cfg(not(feature = "wat"))]
fn text_to_binary(_: &[u8]) -> Result<Vec<u8>, Error> {
    let message = "expected the binary format, which begins with `\\0asm`; Lightbeam was built without `wat`, the \
                   feature that reads text";
    Err(Error::invalid(message, Some(0)))
}

/// What was said of the binary form of `bytes`, which may be text, with the name of the function and the place in the
/// text where that is.
pub fn placed<T>(
    result: wasmtime_environ::error::Result<T>,
    bytes: &[u8],
    binary: &[u8],
) -> wasmtime_environ::error::Result<T> {
    result.map_err(|error| {
        // What was not loaded is not at a place, and has a cause that must stay.
        let at_place = |error: &Error| error.function().is_some() || error.offset().is_some();
        if !error.downcast_ref::<Error>().is_some_and(at_place) {
            return error;
        }
        match error.downcast::<Error>() {
            Ok(error) => in_text(error.named(binary), bytes, binary).into(),
            Err(error) => error,
        }
    })
}

#[cfg(feature = "wat")]
fn in_text(error: Error, bytes: &[u8], binary: &[u8]) -> Error {
    if bytes.starts_with(MAGIC) { error } else { crate::input::wat::locate(error, bytes, binary) }
}

#[cfg(not(feature = "wat"))]
fn in_text(error: Error, _: &[u8], _: &[u8]) -> Error {
    error
}

/// Refuses what does not begin as the binary format does.
pub fn check_binary(bytes: &[u8], takes_text: &str) -> Result<(), Error> {
    if bytes.starts_with(MAGIC) {
        return Ok(());
    }
    let message = format!("expected the binary format, which begins with `\\0asm`; `{takes_text}` takes text, too");
    Err(Error::invalid(message, Some(0)))
}

/// Parses a whole module and validates all of it but the function bodies.
pub(crate) fn translate<'a>(settings: &Settings, wasm: &'a [u8]) -> wasmtime_environ::error::Result<Translated<'a>> {
    translate_with(settings, wasm, None)
}

/// Parses and validates a module; with an image of its data there is a stand-in for the data section.
pub(crate) fn translate_with<'a>(
    settings: &Settings,
    wasm: &'a [u8],
    image: Option<DataImage>,
) -> wasmtime_environ::error::Result<Translated<'a>> {
    let mut translated = read(settings, wasm)?;
    let (translation, types) = &mut translated;
    initialise(settings, translation, types, image);
    Ok(translated)
}

/// Decides how memories and tables come to their contents, which completes a translation.
pub(crate) fn initialise(
    settings: &Settings,
    translation: &mut ModuleTranslation<'_>,
    types: &mut ModuleTypesBuilder,
    image: Option<DataImage>,
) {
    match image {
        Some(image) => image.install(translation, types),
        None => translation.finalize_memory_init(&settings.tunables, PAGE, settings.dense_image_size, types),
    }
    translation.finalize_table_init(&settings.tunables, types);
}

/// A translation of what has stand-ins for code and data, to be completed with an image of the data, and the image to
/// be made. None if that is not possible, for example because the module is invalid.
pub(crate) fn translate_condensed<'a>(
    settings: &Settings,
    condensed: &'a Condensed,
) -> Option<(Translated<'a>, DataImage)> {
    let mut translated = read(settings, &condensed.bytes).ok()?;
    translated.0.debuginfo.wasm_file.code_section_offset = condensed.code as u64;
    let image = DataImage::new(settings, &translated.0.module)?;
    Some((translated, image))
}

#[inline(never)] // Profiles tell the phases apart by their functions.
fn read<'a>(settings: &Settings, wasm: &'a [u8]) -> wasmtime_environ::error::Result<Translated<'a>> {
    // The host's translation takes it for granted that no type is shared.
    if settings.features.contains(WasmFeatures::SHARED_EVERYTHING_THREADS)
        && let Some(refusal) = unsupported::first(wasm)
    {
        return Err(refusal.into());
    }
    let mut validator = Validator::new_with_features(settings.features);
    let mut parser = Parser::new(0);
    parser.set_features(settings.features);
    let mut types = ModuleTypesBuilder::new(&validator);
    let index = StaticModuleIndex::from_u32(0);
    let tunables = settings.of_translation();
    let translation = ModuleEnvironment::new(&tunables, &mut validator, &mut types, index)
        .translate(parser, wasm)
        .map_err(crate::error::from_translation)?;
    Ok((translation, types))
}
