//! From what an artifact says of its modules, and of the component that has them, to the facts that its code is proved
//! by: the types, and where the host has what. All of it is asked of `wasmtime_environ`, and none of it of whoever made
//! the code.

mod component;
mod fields;
mod imports;
mod module;
mod threads;
mod trampolines;

use self::component::ComponentInfo;
use crate::artifact::{Artifact, Key, Malformed, Of, Piece};
use crate::facts::{Border, Builtin, Facts, Failed, InstanceField, Known, KnownMemory, Processor, Range, Tables};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wasmtime_environ::component::{Trampoline, TrampolineIndex};
use wasmtime_environ::wasmparser::WasmFeatures;
use wasmtime_environ::{
    BuiltinFunctionIndex, CompiledModuleInfo, FlagValue, Module, ModuleInternedTypeIndex, ModuleTypes, PrimaryMap,
    TrapSentinel, Tunables,
};

/// What of a machine the layout depends on: bytes of a pointer.
const POINTER: u8 = 8;

/// Logarithm of the host's page size.
const HOST_PAGE_LOG2: u8 = 12;

/// What an artifact says of its modules, of the component that has them if it is one of a component, and of the engine
/// that it is for.
///
/// Whoever wants to believe nothing of an artifact makes the description anew from the module or the component, and
/// demands that the artifact has the same.
pub struct Description {
    /// In the order of their indices.
    modules: Vec<Module>,
    component: Option<ComponentInfo>,
    types: ModuleTypes,
    /// The engine's settings that the code was made for.
    pub tunables: Tunables,
    /// What the modules may have used to be valid.
    pub features: WasmFeatures,
    /// What the code says that it needs a processor with.
    pub processor: Processor,
    pieces: Vec<Piece>,
    table: usize,
}

/// Where private code of a module has the base of its memory 0 from.
fn base_of_memory_0(facts: &Facts) -> KnownMemory {
    if facts.memories.is_empty() {
        return KnownMemory::None;
    }
    let own = facts.instance.iter().find(|field| field.kind == InstanceField::MemoryBase(0));
    own.map_or(KnownMemory::Elsewhere, |field| KnownMemory::At(field.offset))
}

/// What a component's own functions are to do: artifacts only say of which types they are. Wasmtime's translation of
/// the component says it.
pub type Trampolines = PrimaryMap<TrampolineIndex, Trampoline>;

impl Description {
    /// Reads the description of an artifact.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(artifact: &Artifact<'_>) -> Result<Description, Malformed> {
        let Engine { tunables, features, flags } = Engine::parse(artifact.engine)?;
        let processor = Processor::named(&flags);
        if artifact.of == Of::Component {
            let component::Parsed { modules, info, types, pieces, table } = component::parse(artifact)?;
            let component = Some(info);
            return Ok(Description { modules, component, types, tunables, features, processor, pieces, table });
        }
        let none = |_| Malformed::new("the module's description is none");
        let (info, rest) = postcard::take_from_bytes::<CompiledModuleInfo>(artifact.info).map_err(none)?;
        let table = artifact.info.len() - rest.len();
        let (pieces, end) = artifact.pieces(table)?;
        let (types, rest) = postcard::take_from_bytes::<ModuleTypes>(&artifact.info[end..]).map_err(none)?;
        if !rest.is_empty() {
            return Err(Malformed::new("the module's description is longer than it says"));
        }
        let modules = vec![info.module];
        Ok(Description { modules, component: None, types, tunables, features, processor, pieces, table })
    }

    /// The settings that an artifact says its code was made for, if it says any.
    #[must_use]
    pub fn settings(artifact: &Artifact<'_>) -> Option<Tunables> {
        Engine::parse(artifact.engine).ok().map(|engine| engine.tunables)
    }

    /// The processor features that an artifact says its code needs, by the host's names of them, if it says any.
    #[must_use]
    pub fn processor_features<'a>(artifact: &Artifact<'a>) -> Option<Vec<&'a str>> {
        Engine::parse(artifact.engine).ok().map(|engine| engine.flags)
    }

    /// At which byte of an artifact's `info` the function table begins.
    #[must_use]
    pub fn function_table(&self) -> usize {
        self.table
    }

    /// The module of a function, and the function's index there, by its number among those that modules define.
    #[must_use]
    pub fn function(&self, defined: u32) -> (u32, u32) {
        let mut left = defined;
        for (module, info) in self.modules.iter().enumerate() {
            let own = info.num_defined_funcs() as u32;
            if left < own {
                return (module as u32, info.num_imported_funcs as u32 + left);
            }
            left -= own;
        }
        (self.modules.len() as u32, left)
    }

    /// The facts that the code of an artifact of a module is proved by. Must accesses behind a predicted check be
    /// harmless if the prediction is wrong?
    ///
    /// # Errors
    ///
    /// If the module is not one that could be compiled, or if there is not one module alone.
    pub fn facts(&self, spectre: bool) -> Result<Facts, Malformed> {
        let mut all = self.all_facts(spectre, None)?;
        match (all.pop(), all.is_empty()) {
            (Some(facts), true) => Ok(facts),
            _ => Err(Malformed::new("it is not of one module alone")),
        }
    }

    /// The facts that code is proved by: of each module; and of a component, whose own functions do these things, those
    /// of all that belongs to no module, at the end.
    ///
    /// # Errors
    ///
    /// If they are not what could be compiled.
    pub fn all_facts(&self, spectre: bool, trampolines: Option<&Trampolines>) -> Result<Vec<Facts>, Malformed> {
        let types = Arc::new(module::types(self)?);
        let known = self.component.as_ref().zip(trampolines);
        let known = known.map(|(info, trampolines)| threads::known(info, &self.modules, trampolines));
        let of_module = |(number, module): (usize, &Module)| {
            let threads = known.as_ref().and_then(|known| threads::of_module(self, &known[number]));
            Ok(Facts { threads, ..module::facts(self, module, &types, spectre)? })
        };
        let mut all: Vec<Facts> = self.modules.iter().enumerate().map(of_module).collect::<Result<_, Malformed>>()?;
        if let Some(info) = &self.component {
            let memories: Vec<KnownMemory> = all.iter().map(base_of_memory_0).collect();
            for (facts, known) in all.iter_mut().zip(info.known_imports(&self.modules)?) {
                let known = known.into_iter().map(|known| {
                    let Some(imports::Known { number, module, signature }) = known else { return Ok(None) };
                    Ok(Some(Known { number, ty: module::number(self, signature)?, memory: memories[module] }))
                });
                facts.known_imports = known.collect::<Result<_, Malformed>>()?;
            }
            let none = Trampolines::new();
            let component = info.facts(self, trampolines.unwrap_or(&none))?;
            all.push(Facts { component: Some(Box::new(component)), ..module::common(self, &types, spectre) });
        }
        Ok(all)
    }

    /// The tables that are proved together with the code.
    ///
    /// # Errors
    ///
    /// If the function table lacks what the host looks for, or has what nobody looks for.
    pub fn tables(&self, artifact: &Artifact<'_>) -> Result<Tables, Malformed> {
        // How many functions the modules before each define.
        let mut before = Vec::with_capacity(self.modules.len() + 1);
        let mut all = 0;
        for module in &self.modules {
            before.push(all);
            all += module.num_defined_funcs();
        }
        before.push(all);
        let number = |module: u32, index: u32| {
            let none = || Malformed::new("a function of no module");
            let (first, next) = before.get(module as usize).zip(before.get(module as usize + 1)).ok_or_else(none)?;
            let number = first.checked_add(index as usize).filter(|number| number < next).ok_or_else(none)?;
            Ok(number as u32)
        };
        let mut functions = Vec::with_capacity(all);
        let mut borders = Vec::new();
        let builtins: BTreeMap<u32, Builtin> = builtins().map(|(builtin, index)| (index, builtin)).collect();
        for piece in &self.pieces {
            let range = Range { start: piece.start, end: piece.end };
            let border = match piece.key {
                Key::Function(module, index) => {
                    if number(module, index)? as usize != functions.len() {
                        return Err(Malformed::new("a function has no code"));
                    }
                    functions.push(range);
                    continue;
                }
                Key::Entry(module, index) => Border::ArrayToWasm(number(module, index)?),
                Key::HostExit(ty) => Border::WasmToArray(ty),
                Key::BuiltinExit(index) => match builtins.get(&index) {
                    Some(builtin) => Border::WasmToBuiltin(*builtin),
                    None => return Err(Malformed::new("an exit to a builtin that code has no need of")),
                },
                Key::Trampoline(index) => Border::Trampoline(index),
                Key::TrampolineEntry(index) => Border::TrampolineEntry(index),
                Key::DropExit => Border::DropExit(self.drop_type().unwrap_or(u32::MAX)),
                Key::Intrinsic(index) => Border::Intrinsic(self.intrinsic(index)?),
                Key::IntrinsicEntry(index) => Border::IntrinsicEntry(self.intrinsic(index)?),
                Key::Startup(module) => Border::StartupWasm(module),
                Key::StartupEntry(module) => Border::StartupArray(module),
            };
            borders.push((border, range));
        }
        self.complete(functions.len() == all)?;
        let (exceptions, maps) = (artifact.exceptions.clone(), artifact.stack_maps.clone());
        Ok(Tables {
            functions,
            borders,
            traps: artifact.traps.clone(),
            calls: exceptions.calls,
            handlers: exceptions.handlers,
            maps: maps.calls,
            map_bits: maps.words,
        })
    }

    /// The number of the type that functions have which drop a resource: it takes an `i32`.
    fn drop_type(&self) -> Option<u32> {
        let drops = |ty: &wasmtime_environ::WasmSubType| {
            let of = ty.as_func().map(|ty| (ty.params(), ty.results()));
            matches!(of, Some(([wasmtime_environ::WasmValType::I32], [])))
        };
        self.types.wasm_types().find(|(_, ty)| drops(ty)).map(|(index, _)| index.as_u32())
    }

    /// The number of an intrinsic among those that the component has.
    fn intrinsic(&self, index: u32) -> Result<u32, Malformed> {
        let known = self.component.as_ref().and_then(|component| {
            component.intrinsics().position(|intrinsic| intrinsic == index).and_then(|nth| u32::try_from(nth).ok())
        });
        known.ok_or_else(|| Malformed::new("an intrinsic that the component has not"))
    }

    /// Is in the function table what the host looks for there without asking whether it is, and nothing else?
    fn complete(&self, functions: bool) -> Result<(), Malformed> {
        let mut wanted: BTreeSet<Key> = BTreeSet::new();
        for (number, module) in (0..).zip(&self.modules) {
            for (index, function) in module.functions.iter() {
                if let Some(defined) = module.defined_func_index(index)
                    && function.is_escaping()
                {
                    wanted.insert(Key::Entry(number, defined.as_u32()));
                }
            }
            if !module.startup.is_none() {
                wanted.extend([Key::Startup(number), Key::StartupEntry(number)]);
            }
        }
        wanted.extend(self.types.trampoline_types().map(|(_, exit)| Key::HostExit(exit.as_u32())));
        if let Some(component) = &self.component {
            let trampolines = 0..component.trampolines();
            wanted.extend(trampolines.flat_map(|index| [Key::Trampoline(index), Key::TrampolineEntry(index)]));
            if component.has_resources() && self.drop_type().is_some() {
                wanted.insert(Key::DropExit);
            }
            let both = |index| [Key::Intrinsic(index), Key::IntrinsicEntry(index)];
            wanted.extend(component.intrinsics().flat_map(both));
        }
        let asked = |key: &Key| !matches!(key, Key::Function(..) | Key::BuiltinExit(_));
        let there: BTreeSet<Key> = self.pieces.iter().map(|piece| piece.key).filter(asked).collect();
        if !functions || wanted != there {
            return Err(Malformed::new("the function table has not what the host looks for there"));
        }
        Ok(())
    }

    /// The type with this number.
    fn ty(&self, index: ModuleInternedTypeIndex) -> Result<&wasmtime_environ::WasmSubType, Malformed> {
        self.types.get(index).ok_or_else(|| Malformed::new("a type is not among those of the modules"))
    }
}

/// The host's numbers of builtins that code may call, as far as the host has them.
fn builtins() -> impl Iterator<Item = (Builtin, u32)> {
    let all = (0..BuiltinFunctionIndex::len()).map(BuiltinFunctionIndex::from_u32);
    all.filter_map(|builtin| {
        let known = Builtin::ALL.iter().find(|known| known.name() == builtin.name())?;
        Some((*known, builtin.index()))
    })
}

/// What builtins give that have failed.
fn failures() -> impl Iterator<Item = (Builtin, Failed)> {
    builtins().filter_map(|(builtin, index)| {
        let failed = match BuiltinFunctionIndex::from_u32(index).trap_sentinel()? {
            // The one that gives no `bool`.
            TrapSentinel::Falsy if builtin == Builtin::GcAlloc => Failed::Zero32,
            TrapSentinel::Falsy => Failed::Zero8,
            TrapSentinel::NegativeTwo => Failed::Constant(-2),
            TrapSentinel::NegativeOne => Failed::Constant(-1),
            TrapSentinel::Negative => Failed::Negative,
        };
        Some((builtin, failed))
    })
}

/// What the engine section says.
struct Engine<'a> {
    /// Processor features that are needed.
    flags: Vec<&'a str>,
    tunables: Tunables,
    features: WasmFeatures,
}

impl<'a> Engine<'a> {
    /// The section is a byte for its own format, the version of Wasmtime with its length, and then target, two lists of
    /// flags, settings and features. A host may have any version said, or none, so whose layouts an artifact follows is
    /// for whoever asks to know: those here are Wasmtime 48's.
    fn parse(section: &'a [u8]) -> Result<Engine<'a>, Malformed> {
        type Flags<'a> = Vec<(&'a str, FlagValue<'a>)>;
        let metadata = section
            .strip_prefix(&[0])
            .and_then(<[u8]>::split_first)
            .and_then(|(len, section)| section.get(usize::from(*len)..))
            .ok_or_else(|| Malformed::new("its settings are of another format"))?;
        let (metadata, rest) = postcard::take_from_bytes::<(&str, Flags<'_>, Flags<'_>, Tunables, u64)>(metadata)
            .map_err(|_| Malformed::new("the engine's settings are none"))?;
        let (target, _, flags, tunables, features) = metadata;
        if !rest.is_empty() || !target.starts_with("x86_64-") {
            return Err(Malformed::new("it is for another machine"));
        }
        let flags =
            flags.into_iter().filter(|(_, value)| *value == FlagValue::Bool(true)).map(|(name, _)| name).collect();
        Ok(Engine { flags, tunables, features: WasmFeatures::from_bits_truncate(features) })
    }
}
