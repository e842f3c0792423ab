//! The compiler that an engine has: Lightbeam for all of a module's functions and for what the host enters and leaves
//! them by, and the original for the functions of modules that Lightbeam refuses.

use crate::live::{Live, Slot};
use crate::{COMPILED, REFUSED, link};
use gimli::write::CommonInformationEntry;
use lightbeam_environ::settings::Settings;
use lightbeam_environ::stream::translated::{self, Apart, Module};
use object::write::{Object, SymbolId};
use std::any::Any;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use target_lexicon::Triple;
use wasmtime_environ::component::ComponentCompiler;
use wasmtime_environ::error::{Result, bail};
use wasmtime_environ::wasmparser::{FunctionBody, ValidatorResources, WasmFeatures};
use wasmtime_environ::{
    CompileError, CompiledFunctionBody, DefinedFuncIndex, FlagValue, FuncKey, FunctionBodyData, FunctionLoc,
    InliningCompiler, ModuleInternedTypeIndex, ModuleTranslation, ModuleTypesBuilder, PrimaryMap, StaticModuleIndex,
    Tunables,
};

/// What an engine asks of code.
pub(crate) struct Terms {
    pub(crate) tunables: Tunables,
    pub(crate) cpu: lightbeam_environ::settings::CpuFeatures,
    pub(crate) nan_canonicalization: bool,
    pub(crate) spectre: bool,
    pub(crate) unwind: bool,
}

/// The compiler of an engine.
pub(crate) struct Compiler {
    pub(crate) original: Box<dyn wasmtime_environ::Compiler>,
    pub(crate) terms: Terms,
    /// For each set of features that modules were validated with: those of the engine, and those of adapters.
    settings: Mutex<Vec<Arc<Settings>>>,
    live: Live,
}

/// What a function has become, or whatever else Wasmtime gives a name.
pub(crate) enum Code {
    /// It is in a module that Lightbeam has compiled.
    Lightbeam(Arc<Slot>),
    /// What Lightbeam has made and is of no module.
    Apart(Apart),
    /// The original's, and the module that it is of, if it is of one. That is refused, or nothing was known of it when
    /// this was asked for; then Lightbeam may have it by the time of linking.
    Original { function: Box<dyn Any + Send + Sync>, of: Option<Arc<Slot>> },
}

impl Code {
    pub(crate) fn body(self, needs_gc_heap: bool) -> CompiledFunctionBody {
        CompiledFunctionBody { code: Box::new(self), needs_gc_heap }
    }
}

impl Compiler {
    pub(crate) fn new(original: Box<dyn wasmtime_environ::Compiler>, terms: Terms) -> Compiler {
        Compiler { original, terms, settings: Mutex::default(), live: Live::default() }
    }

    /// The settings for modules that are validated with these features.
    fn settings(&self, features: WasmFeatures) -> Arc<Settings> {
        let mut all = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|settings| settings.features == features) {
            return known.clone();
        }
        let Terms { tunables, cpu, nan_canonicalization, spectre, unwind } = &self.terms;
        let collector = tunables.collector.filter(|_| features.gc_types());
        // Images of memories are Wasmtime's here.
        let mut settings = Settings::new(tunables.clone(), collector, features, 0);
        settings.cpu = *cpu;
        settings.nan_canonicalization = *nan_canonicalization;
        settings.spectre = *spectre;
        settings.unwind = *unwind;
        let settings = Arc::new(settings);
        all.push(settings.clone());
        settings
    }

    /// The settings where nobody says with which features: an exit depends on none.
    pub(crate) fn any_settings(&self) -> Arc<Settings> {
        let first = self.settings.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        first.unwrap_or_else(|| self.settings(WasmFeatures::default()))
    }

    /// Compiles a module, or says why not.
    fn compile(
        &self,
        translation: &ModuleTranslation<'_>,
        of_functions: Option<(&ValidatorResources, WasmFeatures)>,
        types: &ModuleTypesBuilder,
    ) -> Option<Module> {
        let settings = match of_functions {
            Some((_, features)) => self.settings(features),
            None => self.any_settings(),
        };
        let resources = of_functions.map(|(resources, _)| resources);
        let module = translation.module_index().as_u32();
        match translated::compile(&settings, translation, resources, types, threads()) {
            Ok(compiled) => {
                COMPILED.fetch_add(1, Relaxed);
                log::debug!("module {module} is compiled by Lightbeam");
                Some(compiled)
            }
            // Invalid ones, too: the original says what is wrong in its own words.
            Err(error) => {
                REFUSED.fetch_add(1, Relaxed);
                log::info!("module {module} is left to the original: {error}");
                None
            }
        }
    }

    /// What the original makes of something, ready to be linked.
    pub(crate) fn finish(
        &self,
        mut body: CompiledFunctionBody,
        input: Option<FunctionBody<'_>>,
        symbol: &str,
        of: Option<Arc<Slot>>,
    ) -> Result<CompiledFunctionBody, CompileError> {
        if let Some(inlining) = self.original.inlining_compiler() {
            inlining
                .finish_compiling(&mut body, input, symbol)
                .map_err(|error| CompileError::Codegen(error.to_string()))?;
        }
        let CompiledFunctionBody { code, needs_gc_heap } = body;
        Ok(Code::Original { function: code, of }.body(needs_gc_heap))
    }
}

/// The type of what an exit leads to: a function of the host, or what drops a resource of the host.
fn exits_by(key: FuncKey, types: &ModuleTypesBuilder) -> Option<ModuleInternedTypeIndex> {
    match key {
        FuncKey::WasmToArrayTrampoline(ty) => Some(ty),
        FuncKey::ResourceDropTrampoline => types.find_resource_drop_signature(),
        _ => None,
    }
}

/// How many threads may compile a module. Wasmtime compiles on those of rayon if it may use several, and then the
/// others of them wait for this one.
fn threads() -> usize {
    if rayon_core::current_thread_index().is_none() {
        return 1;
    }
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    rayon_core::current_num_threads().min(available)
}

impl wasmtime_environ::Compiler for Compiler {
    fn inlining_compiler(&self) -> Option<&dyn InliningCompiler> {
        None
    }

    fn compile_function(
        &self,
        translation: &ModuleTranslation<'_>,
        key: FuncKey,
        data: FunctionBodyData<'_>,
        types: &ModuleTypesBuilder,
        symbol: &str,
    ) -> Result<CompiledFunctionBody, CompileError> {
        let slot = self.live.slot(translation);
        let validator = &data.validator;
        let of_functions = Some((&validator.resources, validator.features));
        if let Some(module) = slot.module(|| self.compile(translation, of_functions, types)) {
            let has_objects = module.has_objects();
            return Ok(Code::Lightbeam(slot).body(has_objects));
        }
        let input = data.body.clone();
        let body = self.original.compile_function(translation, key, data, types, symbol)?;
        self.finish(body, Some(input), symbol, Some(slot))
    }

    fn compile_trampoline(
        &self,
        translation: Option<&ModuleTranslation<'_>>,
        key: FuncKey,
        types: &ModuleTypesBuilder,
        symbol: &str,
    ) -> Result<CompiledFunctionBody, CompileError> {
        let mut of = None;
        if let Some(translation) = translation {
            let slot = self.live.slot(translation);
            // What functions are validated by comes with those. If none has come yet, on any thread, there is no
            // waiting for one here, as this may be the thread that has it to do: the original makes what is asked for,
            // and the linker sees what there is.
            let module = if translation.module.num_defined_funcs() == 0 {
                slot.module(|| self.compile(translation, None, types))
            } else {
                slot.compiled()
            };
            if let Some(module) = module {
                let has_objects = module.has_objects();
                return Ok(Code::Lightbeam(slot).body(has_objects));
            }
            of = Some(slot);
        } else if let Some(ty) = exits_by(key, types)
            && let Some(exit) = translated::exit(&self.any_settings(), ty, types)
        {
            return Ok(Code::Apart(exit).body(false));
        }
        let body = self.original.compile_trampoline(translation, key, types, symbol)?;
        self.finish(body, None, symbol, of)
    }

    fn compiled_function_relocation_targets<'a>(&'a self, func: &'a dyn Any) -> Box<dyn Iterator<Item = FuncKey> + 'a> {
        match func.downcast_ref() {
            Some(Code::Original { function, .. }) => self.original.compiled_function_relocation_targets(&**function),
            // It brings along what it calls.
            _ => Box::new(std::iter::empty()),
        }
    }

    fn append_code(
        &self,
        obj: &mut Object<'static>,
        funcs: &[(String, FuncKey, Box<dyn Any + Send + Sync>)],
        resolve_reloc: &dyn Fn(usize, FuncKey) -> usize,
    ) -> Result<Vec<(Option<SymbolId>, FunctionLoc)>> {
        let settings = self.any_settings();
        let cie = || self.original.create_systemv_cie();
        let linked = link::append(&settings, &self.terms.tunables, obj, funcs, resolve_reloc, cie);
        let is_of_these = |slot: &Arc<Slot>| {
            funcs.iter().any(|(_, _, code)| match code.downcast_ref() {
                Some(Code::Lightbeam(of) | Code::Original { of: Some(of), .. }) => Arc::ptr_eq(of, slot),
                _ => false,
            })
        };
        self.live.close(is_of_these);
        linked
    }

    fn triple(&self) -> &Triple {
        self.original.triple()
    }

    /// The original's, with a mark in the place of one that Wasmtime neither uses nor compares, so that caches keep
    /// what was compiled with Lightbeam apart.
    fn flags(&self) -> Vec<(&'static str, FlagValue<'static>)> {
        let mut flags = self.original.flags();
        let of_mark = flags.iter_mut().filter(|(name, _)| *name == "tls_model");
        of_mark.for_each(|(_, value)| *value = FlagValue::Enum(crate::mark()));
        flags
    }

    fn isa_flags(&self) -> Vec<(&'static str, FlagValue<'static>)> {
        self.original.isa_flags()
    }

    fn is_branch_protection_enabled(&self) -> bool {
        self.original.is_branch_protection_enabled()
    }

    fn create_systemv_cie(&self) -> Option<CommonInformationEntry> {
        self.original.create_systemv_cie()
    }

    fn component_compiler(&self) -> &dyn ComponentCompiler {
        self
    }

    fn append_dwarf<'a>(
        &self,
        _: &mut Object<'_>,
        _: &'a PrimaryMap<StaticModuleIndex, ModuleTranslation<'a>>,
        _: &'a dyn Fn(StaticModuleIndex, DefinedFuncIndex) -> (Option<SymbolId>, &'a (dyn Any + Send + Sync)),
        _: Option<&'a [u8]>,
        _: &'a Tunables,
    ) -> Result<()> {
        bail!("internal error: engines that want native debug information have the original compiler")
    }
}
