//! Wasmtime's translation of a component: its core modules, those that it is given for its adapters, and all that
//! connects them.

use crate::error::{self, Error};
use crate::input::bounds::{self, Weigher};
use crate::input::data::DataImage;
use crate::input::{gc_options, translate, unsupported};
use crate::settings::Settings;
use wasmtime_environ::component::{ComponentTranslation, ComponentTypesBuilder, Translator};
use wasmtime_environ::wasmparser::{BinaryReaderError, Parser, Payload, Validator, WasmFeatures};
use wasmtime_environ::{ModuleTranslation, PrimaryMap, ScopeVec, StaticModuleIndex};

/// A component's translation and the types that it interned.
pub(crate) struct Translated<'a> {
    pub(crate) component: ComponentTranslation,
    /// In the order of the bytes; those made for adapters behind all others.
    pub(crate) modules: PrimaryMap<StaticModuleIndex, ModuleTranslation<'a>>,
    pub(crate) types: ComponentTypesBuilder,
}

impl<'a> Translated<'a> {
    /// The modules that were made for adapters of a component of these bytes.
    fn adapters(&self, wasm: &[u8]) -> impl Iterator<Item = &ModuleTranslation<'a>> {
        let component = wasm.as_ptr_range();
        self.modules.values().filter(move |translation| !component.contains(&translation.wasm.as_ptr()))
    }
}

/// Gives the image of a module's data if there is one, in whose section's place there are stand-ins.
pub(crate) type Images<'a> = &'a mut dyn FnMut(StaticModuleIndex) -> Option<DataImage>;

/// Parses a whole component and validates all of it but the function bodies, unless it asks for too much. Modules made
/// for its adapters are kept in `scope`.
pub(crate) fn translate_whole<'a>(
    settings: &'a Settings,
    wasm: &'a [u8],
    scope: &'a ScopeVec<u8>,
) -> wasmtime_environ::error::Result<Translated<'a>> {
    check_features(settings)?;
    let weigher = Weigher::of_whole(wasm, settings.features)?;
    translate(settings, wasm, &weigher, wasm.len(), scope, &mut |_| None)
}

/// As [`translate_whole`], of a component that was weighed, and had so many bytes before there were stand-ins in it.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn translate<'a>(
    settings: &'a Settings,
    wasm: &'a [u8],
    weigher: &Weigher,
    wasm_bytes: usize,
    scope: &'a ScopeVec<u8>,
    images: Images<'_>,
) -> wasmtime_environ::error::Result<Translated<'a>> {
    check_features(settings)?;
    weigher.check_instances(wasm_bytes)?;
    // What was not weighed is not valid, and is parsed by nobody but the validator.
    let readable = weigher.check_valid().is_ok();
    if readable && settings.features.contains(WasmFeatures::CM_GC) {
        gc_options::refuse(wasm, settings.features)?;
    }
    if readable && settings.features.contains(WasmFeatures::SHARED_EVERYTHING_THREADS) {
        refuse_shared_types(wasm, settings.features)?;
    }
    // The translation validates adapters as it does the component, and takes it for granted that they are valid.
    let features = of_adapters(settings.features);
    if features != settings.features {
        validate(wasm, settings.features).map_err(|error| Error::from(&error))?;
    }
    let mut validator = Validator::new_with_features(features);
    let mut types = ComponentTypesBuilder::new(&validator);
    let tunables = settings.of_translation();
    let mut translator = Translator::new(&tunables, &mut validator, &mut types, scope);
    if let Some(import) = &settings.unsafe_intrinsics {
        translator.expose_unsafe_intrinsics(import);
    }
    let (component, modules) = translator.translate(wasm).map_err(error::from_translation)?;
    weigher.check_valid()?;
    let mut translated = Translated { component, modules, types };
    bounds::check_adapters(wasm_bytes, translated.adapters(wasm).map(|adapter| adapter.wasm.len()).sum())?;
    for (index, translation) in translated.modules.iter_mut() {
        let types = translated.types.module_types_builder_mut();
        translate::initialise(settings, translation, types, images(index));
    }
    Ok(translated)
}

/// Refuses engines without components.
pub(crate) fn check_features(settings: &Settings) -> Result<(), Error> {
    if settings.features.contains(WasmFeatures::COMPONENT_MODEL) {
        return Ok(());
    }
    Err(Error::settings("the engine has components switched off (`Config::wasm_component_model`)"))
}

/// Refuses a component with a module that has something shared, which the translation takes for granted that none has.
fn refuse_shared_types(wasm: &[u8], features: WasmFeatures) -> Result<(), Error> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(wasm).map_while(Result::ok) {
        if let Payload::ModuleSection { unchecked_range, .. } = payload
            && let Some(module) = wasm.get(unchecked_range.clone())
            && let Some(refusal) = unsupported::first(module)
        {
            return Err(refusal.moved(0, unchecked_range.start));
        }
    }
    Ok(())
}

/// The features that the modules made for adapters may need, whatever the component itself may use.
pub(crate) fn of_adapters(features: WasmFeatures) -> WasmFeatures {
    features
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::BULK_MEMORY
}

/// Validates all but the function bodies.
pub(crate) fn validate(wasm: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(wasm) {
        validator.payload(&payload?)?;
    }
    Ok(())
}
