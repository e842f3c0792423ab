//! From what an artifact says of its module to the facts that its code is proved by: the types, and where the host has
//! what. All of it is asked of `wasmtime_environ`, and none of it of whoever made the code.

mod fields;
mod module;

use crate::artifact::{Artifact, Key, Malformed, Piece};
use crate::facts::{Border, Builtin, Facts, Failed, Processor, Range, Tables};
use std::collections::{BTreeMap, BTreeSet};
use wasmtime_environ::wasmparser::WasmFeatures;
use wasmtime_environ::{
    BuiltinFunctionIndex, CompiledModuleInfo, FlagValue, Module, ModuleInternedTypeIndex, ModuleTypes, TrapSentinel,
    Tunables,
};

/// What of a machine the layout depends on: bytes of a pointer.
const POINTER: u8 = 8;

/// Logarithm of the host's page size.
const HOST_PAGE_LOG2: u8 = 12;

/// What an artifact says of its module, and of the engine that it is for.
///
/// Whoever wants to believe nothing of an artifact makes the module's description anew from the module, and demands
/// that the artifact has the same.
pub struct Description {
    info: CompiledModuleInfo,
    types: ModuleTypes,
    /// The engine's settings that the code was made for.
    pub tunables: Tunables,
    /// What the module may have used to be valid.
    pub features: WasmFeatures,
    /// What the code says that it needs a processor with.
    pub processor: Processor,
    pieces: Vec<Piece>,
    table: usize,
}

impl Description {
    /// Reads the description of an artifact's module.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn parse(artifact: &Artifact<'_>) -> Result<Description, Malformed> {
        let none = |_| Malformed::new("the module's description is none");
        let (info, rest) = postcard::take_from_bytes::<CompiledModuleInfo>(artifact.info).map_err(none)?;
        let table = artifact.info.len() - rest.len();
        let (pieces, end) = artifact.pieces(table)?;
        let (types, rest) = postcard::take_from_bytes::<ModuleTypes>(&artifact.info[end..]).map_err(none)?;
        if !rest.is_empty() {
            return Err(Malformed::new("the module's description is longer than it says"));
        }
        let Engine { tunables, features, flags } = Engine::parse(artifact.engine)?;
        let processor = Processor::named(&flags);
        Ok(Description { info, types, tunables, features, processor, pieces, table })
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

    /// How many functions the module imports.
    #[must_use]
    pub fn imported_functions(&self) -> u32 {
        self.module().num_imported_funcs as u32
    }

    /// The facts that code is proved by. Must accesses behind a predicted check be harmless if the prediction is wrong?
    ///
    /// # Errors
    ///
    /// If the module is not one that could be compiled.
    pub fn facts(&self, spectre: bool) -> Result<Facts, Malformed> {
        module::facts(self, spectre)
    }

    /// The tables that are proved together with the code.
    ///
    /// # Errors
    ///
    /// If the function table lacks what the host looks for, or has what nobody looks for.
    pub fn tables(&self, artifact: &Artifact<'_>) -> Result<Tables, Malformed> {
        let mut functions = Vec::with_capacity(self.module().num_defined_funcs());
        let mut borders = Vec::new();
        let builtins: BTreeMap<u32, Builtin> = builtins().map(|(builtin, index)| (index, builtin)).collect();
        for piece in &self.pieces {
            let range = Range { start: piece.start, end: piece.end };
            let border = match piece.key {
                Key::Function(index) => {
                    if index as usize != functions.len() {
                        return Err(Malformed::new("a function has no code"));
                    }
                    functions.push(range);
                    continue;
                }
                Key::Entry(index) => Border::ArrayToWasm(index),
                Key::HostExit(ty) => Border::WasmToArray(ty),
                Key::BuiltinExit(index) => match builtins.get(&index) {
                    Some(builtin) => Border::WasmToBuiltin(*builtin),
                    None => return Err(Malformed::new("an exit to a builtin that code has no need of")),
                },
                Key::Startup => Border::StartupWasm,
                Key::StartupEntry => Border::StartupArray,
            };
            borders.push((border, range));
        }
        self.complete(functions.len())?;
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

    fn module(&self) -> &Module {
        &self.info.module
    }

    /// Is in the function table what the host looks for there without asking whether it is, and nothing else?
    fn complete(&self, functions: usize) -> Result<(), Malformed> {
        let module = self.module();
        let mut wanted: BTreeSet<Key> = BTreeSet::new();
        for (index, function) in module.functions.iter() {
            if let Some(defined) = module.defined_func_index(index)
                && function.is_escaping()
            {
                wanted.insert(Key::Entry(defined.as_u32()));
            }
        }
        wanted.extend(self.types.trampoline_types().map(|(_, exit)| Key::HostExit(exit.as_u32())));
        if !module.startup.is_none() {
            wanted.extend([Key::Startup, Key::StartupEntry]);
        }
        let asked = |key: &Key| !matches!(key, Key::Function(_) | Key::BuiltinExit(_));
        let there: BTreeSet<Key> = self.pieces.iter().map(|piece| piece.key).filter(asked).collect();
        if functions != module.num_defined_funcs() || wanted != there {
            return Err(Malformed::new("the function table is not that of the module"));
        }
        Ok(())
    }

    /// The type with this number.
    fn ty(&self, index: ModuleInternedTypeIndex) -> Result<&wasmtime_environ::WasmSubType, Malformed> {
        self.types.get(index).ok_or_else(|| Malformed::new("a type is not among those of the module"))
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

/// The version of Wasmtime whose layouts these are.
const VERSION: &[u8] = b"48";

/// What the engine section says.
struct Engine<'a> {
    /// Processor features that are needed.
    flags: Vec<&'a str>,
    tunables: Tunables,
    features: WasmFeatures,
}

impl<'a> Engine<'a> {
    /// The section is a byte for its own format, the version of Wasmtime with its length, and then target, two lists of
    /// flags, settings and features.
    fn parse(section: &'a [u8]) -> Result<Engine<'a>, Malformed> {
        type Flags<'a> = Vec<(&'a str, FlagValue<'a>)>;
        let metadata = section
            .strip_prefix(&[0, VERSION.len() as u8])
            .and_then(|section| section.strip_prefix(VERSION))
            .ok_or_else(|| Malformed::new("it is for another version of Wasmtime"))?;
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
