//! Compiles a module that somebody else has translated, and whose code somebody else puts into an artifact: for the
//! crate that stands where Wasmtime has its own compiler, and is asked for function after function.

use crate::border::component::Functions;
use crate::error::Error;
use crate::facts::{self, known_imports};
use crate::output::assembly::Assembly;
use crate::output::detached::{Detached, Relocatable};
use crate::output::image::Image;
use crate::output::link::{self, Unit};
use crate::output::place::Placer;
use crate::settings::Settings;
use crate::stream::whole_component::entries;
use crate::work::job::{Job, Terms};
use crate::work::queue::{self, Compiled};
use crate::work::worker::Totals;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime_environ::component::{ComponentTranslation, ComponentTypesBuilder};
use wasmtime_environ::wasmparser::ValidatorResources;
use wasmtime_environ::{
    CompiledFunctionsTable, CompiledFunctionsTableBuilder, FuncKey, FunctionLoc, ModuleInternedTypeIndex,
    ModuleTranslation, ModuleTypesBuilder,
};

/// A module that is compiled as a whole, to be put into a text.
pub struct Module {
    /// Its functions with all that they call, until they are in a text.
    image: Mutex<Option<Image>>,
    /// Where in the image each is.
    functions: CompiledFunctionsTable,
    /// The host's entries and startup: in which code each is, and where.
    others: HashMap<FuncKey, (usize, Range<u32>)>,
    code: Vec<Relocatable>,
    objects: bool,
}

/// Compiles all functions of a module, each of which is validated against `resources`; none are needed where it defines
/// no function. Functions of other modules are called as imports, also where they come into the same text. So many
/// threads may compile, whatever the settings say.
///
/// # Errors
///
/// If a function is invalid, or something is not supported.
pub fn compile(
    settings: &Settings,
    translation: &ModuleTranslation<'_>,
    resources: Option<&ValidatorResources>,
    types: &ModuleTypesBuilder,
    threads: usize,
) -> Result<Module, Error> {
    let wasm = translation.wasm;
    let mut facts = facts::of_module(settings, wasm, translation, types)?;
    if known_imports::is_adapter(translation) {
        known_imports::add(settings, translation, &mut facts);
    }
    let terms = Terms::with_threads(settings, threads);
    let job = Arc::new(Job::of_translation(terms.clone(), facts, translation, resources));
    let placer = Placer::new(settings, job.functions() as usize, false);
    let compiled = if job.functions() == 0 {
        Compiled { functions: placer, totals: Totals::default() }
    } else {
        let (offset, entries) = entries(translation)?;
        queue::compile(&terms, job.batches(offset, entries)?, placer, || ())?
    };
    let unit = Unit { facts: &job.facts, translation, first: 0 };
    let Detached { mut image, others: codes } = link::detached(settings, unit, wasm.len(), compiled.functions)?;
    let functions = std::mem::replace(&mut image.functions, CompiledFunctionsTableBuilder::new()).finish();
    let objects = image.objects;
    let (mut others, mut code) = (HashMap::new(), Vec::new());
    for (number, (relocatable, ranges)) in codes.into_iter().enumerate() {
        others.extend(ranges.into_iter().map(|(key, range)| (key, (number, range))));
        code.push(relocatable);
    }
    Ok(Module { image: Mutex::new(Some(image)), functions, others, code, objects })
}

impl Module {
    /// Does its code make or look into objects of the collector's heap?
    #[must_use]
    pub fn has_objects(&self) -> bool {
        self.objects
    }
}

/// Code that belongs to no module.
pub struct Apart {
    code: Relocatable,
    range: Range<u32>,
}

/// The exit of a type to functions of the host, if Lightbeam has code for such a type.
#[must_use]
pub fn exit(settings: &Settings, ty: ModuleInternedTypeIndex, types: &ModuleTypesBuilder) -> Option<Apart> {
    let code = link::exit(settings, ty, types)?;
    Some(Apart { range: 0..code.code.len() as u32, code })
}

/// One of a component's own functions: a trampoline or an unsafe intrinsic, as the component's translation lists them.
/// None if it is neither.
#[must_use]
pub fn component_function(
    settings: &Settings,
    component: &ComponentTranslation,
    types: &ComponentTypesBuilder,
    key: FuncKey,
) -> Option<Apart> {
    let functions = Functions { component, types, concurrency: settings.tunables.concurrency_support };
    let (code, range) = link::component_function(settings, &functions, key)?;
    Some(Apart { code, range })
}

impl Assembly {
    /// Appends the functions of a module with all that they call, and says where.
    ///
    /// # Panics
    ///
    /// If they are in a text already.
    pub fn module(&mut self, module: &Module) -> u32 {
        let image = module.image.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.image(image.expect("a module is in one text"))
    }

    /// Where a function of a module, whose functions are at `base` of the text, is; or appends the code that belongs to
    /// one, or to the module as a whole, and says where that is.
    ///
    /// # Panics
    ///
    /// If the module has nothing of this key.
    pub fn of_module(&mut self, module: &Module, key: FuncKey, base: u32) -> FunctionLoc {
        if let Some(within) = module.functions.func_loc(key) {
            return FunctionLoc { start: base + within.start, length: within.length };
        }
        let (number, range) = &module.others[&key];
        location(&self.relocatable(&module.code[*number], range, base))
    }

    /// Appends what belongs to no module, and says where it is.
    pub fn apart(&mut self, apart: &Apart) -> FunctionLoc {
        let Apart { code, range } = apart;
        let all = self.relocatable(code, &(0..code.code.len() as u32), 0);
        FunctionLoc { start: all.start + range.start, length: range.end - range.start }
    }
}

fn location(range: &Range<u32>) -> FunctionLoc {
    FunctionLoc { start: range.start, length: range.end - range.start }
}
