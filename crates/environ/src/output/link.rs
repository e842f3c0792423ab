//! Puts the compiled functions and everything they need into one text, in the order that Wasmtime's function table
//! demands, and resolves the distances between them.
//!
//! Order: functions by index; routines; thunks and data stubs, which no entry of the function table covers, so that
//! backtraces pass over their frames; then by ascending `FuncKey` the entries for the host, the exits to host functions
//! and to builtins, and startup.

use crate::border::component::Functions;
use crate::border::trampolines::Border;
use crate::border::{host, startup};
use crate::error::Error;
use crate::facts::layout::offset;
use crate::facts::types::{function_type, signature};
use crate::kept::Tools;
use crate::output::budget;
use crate::output::detached::{Detached, Relocatable};
use crate::output::image::Image;
use crate::output::place::{Placed, Placer, aligned};
use crate::output::symbols::Name;
use crate::output::text::{Piece, Text};
use crate::settings::Settings;
use crate::target::{Machine, PAGE, POINTER};
use lightbeam_asm::Assembler;
use lightbeam_compiler::code::{Reloc, Routine, Target};
use lightbeam_compiler::facts::{Callee, Facts, FuncFact, Where};
use lightbeam_compiler::isa::{Entering, Isa};
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::sig::Sig;
use lightbeam_compiler::{Writer, compile_routine};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use wasmtime_environ::{
    Abi, CompiledFunctionsTableBuilder, DataIndex, DefinedFuncIndex, EntityRef, FilePos, FuncIndex, FuncKey, KnownFunc,
    ModuleInternedTypeIndex, ModuleTranslation, ModuleTypesBuilder, SecondaryMap, StaticModuleIndex, VMOffsets,
};

/// A core module whose functions are placed.
#[derive(Clone, Copy)]
pub(crate) struct Unit<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) translation: &'a ModuleTranslation<'a>,
    /// How many functions the modules ahead of it define: where its own begin among those of all.
    pub(crate) first: u32,
}

impl Unit<'_> {
    fn module(&self) -> StaticModuleIndex {
        self.translation.module_index()
    }
}

struct Linker<'a> {
    units: &'a [Unit<'a>],
    /// Bytes of what the modules came in, and how long the text may be for it.
    wasm_bytes: usize,
    most: usize,
    functions: Box<Placer>,
    /// What comes behind them.
    rest: Vec<u8>,
    /// Fields to resolve in `rest`, by offset in the text, with the module that they are of.
    relocs: Vec<(StaticModuleIndex, Reloc)>,
    /// Thunks of the defined functions that have one, by number among those of all modules.
    thunks: Vec<u32>,
    /// The few other things that relocations name.
    places: BTreeMap<Key, u32>,
    /// Which entries are alike but for the function that they call.
    templates: Templates,
    tools: Box<Tools>,
}

/// What a relocation names, but for functions and thunks, as a key: of a module, or the same for all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Libcall(Libcall),
    Shared(Routine),
    Routine(StaticModuleIndex, Routine),
    DataSegment(StaticModuleIndex, u32),
    DataDrop(StaticModuleIndex, u32),
}

impl Key {
    fn of(module: StaticModuleIndex, target: Target) -> Option<Key> {
        Some(match target {
            Target::Func(_) | Target::Thunk(_) | Target::Import(_) | Target::Across(_) => return None,
            Target::Libcall(libcall) => Key::Libcall(libcall),
            Target::Routine(routine) if routine.is_of_no_module() => Key::Shared(routine),
            Target::Routine(routine) => Key::Routine(module, routine),
            Target::DataSegment(index) => Key::DataSegment(module, index),
            Target::DataDrop(index) => Key::DataDrop(module, index),
        })
    }
}

/// Numbers for the signatures of all modules: entries of equal numbers differ in the function that they call alone.
/// What an entry does beside it depends on where memory 0 is.
struct Templates {
    /// The first module, from which on they are numbered.
    first: StaticModuleIndex,
    /// By module and index of the signature.
    numbers: Vec<Vec<u32>>,
    count: usize,
}

impl Templates {
    fn new(units: &[Unit<'_>]) -> Templates {
        // Of one module no two signatures are the same.
        if let [unit] = units {
            let count = unit.facts.sigs.len();
            return Templates { first: unit.module(), numbers: vec![(0..count as u32).collect()], count };
        }
        let mut known = HashMap::new();
        let mut number = |facts: &Facts, sig: &Sig| {
            let next = known.len() as u32;
            let base = facts.memories.first().map(|memory| memory.base);
            *known.entry((sig.params.clone(), sig.results.clone(), base)).or_insert(next)
        };
        let of_unit = |unit: &Unit<'_>| unit.facts.sigs.iter().map(|sig| number(unit.facts, sig)).collect();
        let numbers = units.iter().map(of_unit).collect();
        let first = units.first().map_or(StaticModuleIndex::from_u32(0), Unit::module);
        Templates { first, numbers, count: known.len() }
    }

    fn of(&self, module: StaticModuleIndex, sig: u32) -> usize {
        self.numbers[module.index() - self.first.index()][sig as usize] as usize
    }
}

/// Links compiled functions, which are all placed, into the image of the modules, which are in the order of their
/// indices, and of the component that has them if there is one.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn link(
    settings: &Settings,
    units: &[Unit<'_>],
    types: &ModuleTypesBuilder,
    component: Option<&Functions<'_>>,
    wasm_bytes: usize,
    functions: Box<Placer>,
) -> wasmtime_environ::error::Result<Image> {
    let mut linker = Linker::new(settings, units, wasm_bytes, functions);
    let startups = linker.startups(settings.tunables.concurrency_support);
    let of_startup = || startups.iter().flat_map(|(module, w, _)| w.relocs.iter().map(|reloc| (*module, *reloc)));
    linker.routines(of_startup())?;
    linker.thunks(settings)?;
    let needed = linker.needed(of_startup());
    linker.border(settings, |linker, border, room, done| {
        linker.data_stubs(border, &needed, done);
        linker.entries(border, settings.tunables.concurrency_support, room, done)?;
        linker.exits(border, types, &needed, room, done)?;
        component.map_or(Ok(()), |component| component_functions(component, border, room, done))
    })?;
    for (module, w, ranges) in &startups {
        let base = linker.append(*module, w);
        for (abi, range) in [(Abi::Wasm, &ranges.wasm), (Abi::Array, &ranges.array)] {
            let key = FuncKey::ModuleStartup(abi, *module);
            linker.functions.image.add_function(key, base + range.start, base + range.end, FilePos::none());
        }
    }
    Ok(linker.finish(settings, true)?)
}

/// Links the functions of one module, which are all placed, into code that others put into a text. Exits by type are
/// not among it, see [`exit`].
pub(crate) fn detached(
    settings: &Settings,
    unit: Unit<'_>,
    wasm_bytes: usize,
    functions: Box<Placer>,
) -> Result<Detached, Error> {
    let units = [unit];
    let mut linker = Linker::new(settings, &units, wasm_bytes, functions);
    let concurrency = settings.tunables.concurrency_support;
    let startups = linker.startups(concurrency);
    let of_startup = || startups.iter().flat_map(|(module, w, _)| w.relocs.iter().map(|reloc| (*module, *reloc)));
    linker.routines(of_startup())?;
    linker.thunks(settings)?;
    let needed = linker.needed(of_startup());
    linker.border(settings, |linker, border, room, done| {
        linker.data_stubs(border, &needed, done);
        linker.exits_to_builtins(border, &needed, done);
        if border.w.offset() as usize <= room { Ok(()) } else { Err(None) }
    })?;

    let mut border = Border::without_module(settings.of_code(), linker.take_output());
    let mut ranges = Vec::new();
    let room = linker.room();
    let made = linker.entries(&mut border, concurrency, room, &mut |Crossing { key, range, .. }| {
        ranges.extend(key.map(|key| (key, range)));
    });
    made.map_err(|func| linker.too_large(func))?;
    let module = unit.module();
    let relocatable = |w: &Writer<Machine>| Relocatable::of_writer(w, |target| linker.place(module, target));
    let mut others = vec![(relocatable(&border.w), ranges)];
    for (module, w, startup::Ranges { wasm, array }) in &startups {
        let key = |abi| FuncKey::ModuleStartup(abi, *module);
        others.push((relocatable(w), vec![(key(Abi::Wasm), wasm.clone()), (key(Abi::Array), array.clone())]));
    }
    linker.put_back(border.w);
    let image = linker.finish(settings, false)?;
    Ok(Detached { image, others })
}

/// The exit to host functions of a type, which belongs to no module.
pub(crate) fn exit(
    settings: &Settings,
    ty: ModuleInternedTypeIndex,
    types: &ModuleTypesBuilder,
) -> Option<Relocatable> {
    let sig = signature(function_type(&types[ty]).ok()??).ok()?;
    let mut border = Border::without_module(settings.of_code(), Writer::new(settings.cpu));
    border.start();
    border.wasm_to_array(&sig);
    Some(Relocatable::of_writer(&border.w, |_| unreachable!("an exit calls what the instance has")))
}

/// One of a component's own functions, and where in the code it is; none if it has none of this key.
pub(crate) fn component_function(
    settings: &Settings,
    component: &Functions<'_>,
    key: FuncKey,
) -> Option<(Relocatable, Range<u32>)> {
    let mut border = Border::without_module(settings.of_code(), Writer::new(settings.cpu));
    let range = component.emit_one(&mut border, key)?;
    Some((Relocatable::of_writer(&border.w, |_| unreachable!("it calls what the component's context has")), range))
}

/// The functions of a component's own.
fn component_functions(
    component: &Functions<'_>,
    border: &mut Border<'_, Machine>,
    room: usize,
    done: &mut dyn FnMut(Crossing),
) -> Result<(), Blame> {
    let module = StaticModuleIndex::from_u32(0);
    let within = component.emit(border, |border, key, range| {
        done(Crossing { key: Some(key), name: None, target: None, module, range });
        border.w.offset() as usize <= room
    });
    if within { Ok(()) } else { Err(None) }
}

/// The function, by module and index among the defined ones, for which code was made that exceeds the budget, if
/// there is one.
type Blame = Option<(StaticModuleIndex, u32)>;

/// One routine on the border.
struct Crossing {
    /// Its entry in the function table, if it has one.
    key: Option<FuncKey>,
    /// What else it is called, if it has none.
    name: Option<Name>,
    /// What relocations call it, if any does.
    target: Option<Key>,
    /// Whose relocations it has, if it has any.
    module: StaticModuleIndex,
    /// Where it is in the code of the border.
    range: Range<u32>,
}

impl<'a> Linker<'a> {
    fn new(settings: &Settings, units: &'a [Unit<'a>], wasm_bytes: usize, mut functions: Box<Placer>) -> Linker<'a> {
        functions.image.objects = units.iter().any(|unit| unit.facts.references);
        let defined = units.iter().map(|unit| unit.translation.module.num_defined_funcs()).sum();
        Linker {
            units,
            wasm_bytes,
            most: budget::most(wasm_bytes),
            functions,
            rest: Vec::new(),
            relocs: Vec::new(),
            thunks: vec![0; defined],
            places: BTreeMap::new(),
            templates: Templates::new(units),
            tools: settings.kept.shelf.take(settings.cpu),
        }
    }

    /// The unit of a module. They are all that an artifact has, or one of them.
    fn unit(&self, module: StaticModuleIndex) -> &Unit<'a> {
        &self.units[module.index() - self.units[0].module().index()]
    }

    fn len(&self) -> u32 {
        self.functions.end + self.rest.len() as u32
    }

    /// Pads the text so that what follows after `skip` more bytes is aligned.
    fn align(&mut self, skip: u32) {
        let padding = aligned(self.len(), skip) - self.len();
        self.rest.resize(self.rest.len() + padding as usize, Machine::FILLER);
    }

    /// The writer of the tools, empty.
    fn take_output(&mut self) -> Writer<Machine> {
        let cpu = self.tools.output.cpu();
        std::mem::replace(&mut self.tools.output, Writer::new(cpu))
    }

    fn put_back(&mut self, mut output: Writer<Machine>) {
        output.clear();
        self.tools.output = output;
    }

    /// Appends code of a module with its tables and returns where it starts.
    fn append(&mut self, module: StaticModuleIndex, w: &Writer<Machine>) -> u32 {
        self.append_with(w, |_| module)
    }

    /// Appends code with its tables and returns where it starts. `module` says whose a relocation is, by where it is in
    /// the code.
    fn append_with(&mut self, w: &Writer<Machine>, mut module: impl FnMut(u32) -> StaticModuleIndex) -> u32 {
        self.align(0);
        let start = self.len();
        self.rest.extend_from_slice(w.code());
        self.relocs.extend(w.relocs.iter().map(|reloc| (module(reloc.at), Reloc { at: reloc.at + start, ..*reloc })));
        self.functions.image.record(start, &w.records);
        self.functions.image.unwind(start, &w.unwind);
        self.functions.image.exceptions.push(start, &w.sites, &w.handlers);
        self.functions.image.stack_maps.extend(start, &w.safepoints, &w.maps);
        start
    }

    /// What is done before the first call of each module that has something to do.
    fn startups(&self, concurrency: bool) -> Vec<(StaticModuleIndex, Writer<Machine>, startup::Ranges)> {
        let has = |unit: &&Unit<'_>| !unit.translation.module.startup.is_none();
        let made = self.units.iter().filter(has).map(|unit| {
            let mut border = Border::new(unit.facts);
            let ranges = startup::emit(&mut border, unit.translation, unit.facts, concurrency);
            (unit.module(), border.w, ranges)
        });
        made.collect()
    }

    /// The relocations of the functions and, so far, of what comes behind them.
    fn all_relocs(&self) -> impl Iterator<Item = (StaticModuleIndex, Reloc)> {
        let fragments = self.functions.fragments.iter();
        let of_chunks = fragments.flat_map(|placed| placed.relocs.iter().map(|reloc| (placed.module, *reloc)));
        of_chunks.chain(self.relocs.iter().copied())
    }

    /// The routines that relocations name, `more` among them, and those that these name in turn.
    fn routines(&mut self, more: impl Iterator<Item = (StaticModuleIndex, Reloc)>) -> Result<(), Error> {
        let of = |(module, reloc): (StaticModuleIndex, Reloc)| match reloc.target {
            Target::Routine(routine) => Key::of(module, reloc.target).map(|key| (key, module, routine)),
            _ => None,
        };
        let mut new: Vec<(Key, StaticModuleIndex, Routine)> = self.all_relocs().chain(more).filter_map(of).collect();
        while !new.is_empty() {
            new.sort_unstable_by_key(|(_, module, routine)| (*module, *routine));
            let mut once = BTreeSet::new();
            new.retain(|(key, ..)| once.insert(*key));
            let seen = self.relocs.len();
            for of_module in new.chunk_by(|(_, one, _), (_, other, _)| one == other) {
                let unit = *self.unit(of_module[0].1);
                // Fuel is charged for constant expressions where they are used.
                let metered = unit.facts.settings.fuel || unit.facts.settings.epochs;
                let constants = of_module.iter().any(|(_, _, routine)| matches!(routine, Routine::Constant { .. }));
                let unmetered = (metered && constants).then(|| {
                    let mut facts = unit.facts.clone();
                    (facts.settings.fuel, facts.settings.epochs) = (false, false);
                    facts
                });
                let room = self.room();
                let mut output = self.take_output();
                let mut starts = Vec::with_capacity(of_module.len());
                for (key, _, routine) in of_module {
                    let facts = match routine {
                        Routine::Constant { .. } => unmetered.as_ref().unwrap_or(unit.facts),
                        _ => unit.facts,
                    };
                    let start = compile_routine::<Machine>(facts, *routine, &mut self.tools.workspace, &mut output)?;
                    starts.push((*key, *routine, start..output.offset()));
                    if output.offset() as usize >= room {
                        return Err(self.too_large(None));
                    }
                }
                let base = self.append(unit.module(), &output);
                self.put_back(output);
                for (key, routine, range) in starts {
                    self.functions.image.name(Name::Routine(routine), base + range.start, base + range.end);
                    self.places.insert(key, base + range.start);
                }
            }
            let named = self.relocs[seen..].iter().copied().filter_map(of);
            new = named.filter(|(key, ..)| !self.places.contains_key(key)).collect();
        }
        Ok(())
    }

    fn thunks(&mut self, settings: &Settings) -> Result<(), Error> {
        let mut thunks = Vec::new();
        let mut templates = vec![None; self.templates.count];
        self.border(settings, |linker, border, room, done| {
            for (unit, func, index) in linker.escaping() {
                border.of_module(unit.facts);
                let template = &mut templates[linker.templates.of(unit.module(), func.sig)];
                let range = border.entry(template, index, |border, entry| {
                    border.thunk(&unit.facts.sigs[func.sig as usize], entry);
                });
                thunks.push((unit.first + index, range.start));
                if range.end as usize > room {
                    return Err(Some((unit.module(), index)));
                }
                let name = Some(Name::Thunk(unit.module(), DefinedFuncIndex::from_u32(index)));
                done(Crossing { key: None, name, target: None, module: unit.module(), range });
            }
            Ok(())
        })
        .map(|base| {
            for (number, start) in thunks {
                self.thunks[number as usize] = base + start;
            }
        })
    }

    /// The functions that can be called from outside of their module, with their indices among the defined ones.
    fn escaping(&self) -> impl Iterator<Item = (Unit<'a>, &'a FuncFact, u32)> + use<'a> {
        let units: &'a [Unit<'a>] = self.units;
        units.iter().flat_map(|unit| {
            unit.facts.funcs.iter().filter_map(|func| match func.callee {
                Callee::Defined { index, escapes: true } => Some((*unit, func, index)),
                _ => None,
            })
        })
    }

    /// What gives and drops the data segments that code asks for.
    fn data_stubs(&self, border: &mut Border<'a, Machine>, needed: &BTreeSet<Key>, done: &mut dyn FnMut(Crossing)) {
        for key in needed {
            let (module, index, drop) = match *key {
                Key::DataSegment(module, index) => (module, index, false),
                Key::DataDrop(module, index) => (module, index, true),
                _ => continue,
            };
            let Unit { translation, .. } = *self.unit(module);
            let offsets = VMOffsets::new(POINTER, &translation.module);
            let runtime = translation.runtime_data_map[DataIndex::from_u32(index)].map(|data| {
                (offset(offsets.vmctx_runtime_data_base(data)), offset(offsets.vmctx_runtime_data_length(data)))
            });
            let start = border.start();
            if drop {
                border.data_drop(runtime)
            } else {
                border.data_segment(runtime)
            }
            let name = Some(Name::Data(module, index, drop));
            done(Crossing { key: None, name, target: Some(*key), module, range: start..border.w.offset() });
        }
    }

    /// The host's entries of functions.
    fn entries(
        &self,
        border: &mut Border<'a, Machine>,
        concurrency: bool,
        room: usize,
        done: &mut dyn FnMut(Crossing),
    ) -> Result<(), Blame> {
        let mut templates = vec![None; self.templates.count];
        for (unit, func, index) in self.escaping() {
            let (module, sig) = (unit.module(), &unit.facts.sigs[func.sig as usize]);
            border.of_module(unit.facts);
            let template = &mut templates[self.templates.of(module, func.sig)];
            let range = border.entry(template, index, |border, entry| border.array_to_wasm(sig, entry, concurrency));
            if range.end as usize > room {
                return Err(Some((module, index)));
            }
            let key = FuncKey::ArrayToWasmTrampoline(module, DefinedFuncIndex::from_u32(index));
            done(Crossing { key: Some(key), name: None, target: None, module, range });
        }
        Ok(())
    }

    /// The exits to host functions, one for each type, and to builtins, for all modules.
    fn exits(
        &self,
        border: &mut Border<'a, Machine>,
        types: &ModuleTypesBuilder,
        needed: &BTreeSet<Key>,
        room: usize,
        done: &mut dyn FnMut(Crossing),
    ) -> Result<(), Blame> {
        let nobody = StaticModuleIndex::from_u32(0);
        let mut trampoline_types: Vec<_> = types.trampoline_types().map(|(_, trampoline)| trampoline).collect();
        trampoline_types.sort_unstable();
        trampoline_types.dedup();
        let mut sigs: SecondaryMap<ModuleInternedTypeIndex, Option<&Sig>> = SecondaryMap::new();
        for Unit { facts, translation, .. } in self.units {
            for (ty, sig) in translation.module.types.values().zip(&facts.types) {
                sigs[ty.unwrap_module_type_index()] = sig.map(|sig| &facts.sigs[sig as usize]);
            }
        }
        for ty in trampoline_types {
            let start = border.start();
            match sigs[ty] {
                Some(sig) => border.wasm_to_array(sig),
                // A supertype that other types share an exit with, or a type that only a component's own code has.
                None => {
                    let func = function_type(&types[ty]).expect("types that do not compile are refused");
                    let sig = signature(func.expect("a function type"));
                    border.wasm_to_array(&sig.expect("types that do not compile are refused"));
                }
            }
            if border.w.offset() as usize > room {
                return Err(None);
            }
            let key = Some(FuncKey::WasmToArrayTrampoline(ty));
            done(Crossing { key, name: None, target: None, module: nobody, range: start..border.w.offset() });
        }
        self.exits_to_builtins(border, needed, done);
        Ok(())
    }

    fn exits_to_builtins(
        &self,
        border: &mut Border<'a, Machine>,
        needed: &BTreeSet<Key>,
        done: &mut dyn FnMut(Crossing),
    ) {
        let nobody = StaticModuleIndex::from_u32(0);
        let of_builtin = |key: &Key| if let Key::Libcall(libcall) = key { Some(*libcall) } else { None };
        let mut libcalls: Vec<Libcall> = needed.iter().filter_map(of_builtin).collect();
        libcalls.sort_by_key(|libcall| host::builtin(*libcall).index());
        for libcall in libcalls {
            let start = border.start();
            border.wasm_to_builtin(libcall);
            let key = Some(FuncKey::WasmToBuiltinTrampoline(host::builtin(libcall)));
            let target = Some(Key::Libcall(libcall));
            done(Crossing { key, name: None, target, module: nobody, range: start..border.w.offset() });
        }
    }

    /// How much longer the text may become. What is made in a loop over something that the input chooses looks at it
    /// again and again, so that nothing much longer is ever held.
    fn room(&self) -> usize {
        self.most.saturating_sub(self.len() as usize)
    }

    /// The text exceeds the budget, with what was made for a function if there is one.
    fn too_large(&mut self, func: Blame) -> Error {
        let functions =
            std::mem::replace(&mut self.functions.image.functions, CompiledFunctionsTableBuilder::new()).finish();
        let offset = func.and_then(|(module, index)| {
            let key = FuncKey::DefinedWasmFunction(module, DefinedFuncIndex::from_u32(index));
            functions.src_loc(key)?.file_offset()
        });
        budget::text_too_large(self.wasm_bytes, offset.map(|offset| offset as usize))
    }

    /// What the relocations so far and `more` name beside functions, in order.
    fn needed(&self, more: impl Iterator<Item = (StaticModuleIndex, Reloc)>) -> BTreeSet<Key> {
        self.all_relocs().chain(more).filter_map(|(module, reloc)| Key::of(module, reloc.target)).collect()
    }

    /// Makes routines and appends them, and says where they start. `make` is told how long they may be. Those made for
    /// functions may exceed the budget, which is an error that names the function.
    fn border(
        &mut self,
        settings: &Settings,
        make: impl FnOnce(&Self, &mut Border<'a, Machine>, usize, &mut dyn FnMut(Crossing)) -> Result<(), Blame>,
    ) -> Result<u32, Error> {
        let mut border = Border::without_module(settings.of_code(), self.take_output());
        let mut pieces = Vec::new();
        make(self, &mut border, self.room(), &mut |piece| pieces.push(piece)).map_err(|func| self.too_large(func))?;
        let mut owners = pieces.iter().peekable();
        // Relocations and pieces are both in the order of the code.
        let base = self.append_with(&border.w, |at| {
            while owners.next_if(|piece| piece.range.end <= at).is_some() {}
            owners.peek().expect("relocations are in pieces").module
        });
        self.put_back(border.w);
        for Crossing { key, name, target, range, .. } in pieces {
            let (start, end) = (base + range.start, base + range.end);
            if let Some(key) = key {
                self.functions.image.add_function(key, start, end, FilePos::none());
            }
            if let Some(name) = name {
                self.functions.image.name(name, start, end);
            }
            if let Some(target) = target {
                self.places.insert(target, start);
            }
        }
        Ok(base)
    }

    /// The text is made a whole number of pages long, or not.
    fn finish(mut self, settings: &Settings, pages: bool) -> Result<Image, Error> {
        // Whole pages, so that nothing but code becomes executable.
        let padding = if pages { self.len().next_multiple_of(PAGE as u32) - self.len() } else { 0 };
        self.rest.resize(self.rest.len() + padding as usize, Machine::FILLER);
        if self.len() as usize > self.most {
            return Err(self.too_large(None));
        }

        let mut rest = std::mem::take(&mut self.rest);
        for (module, reloc) in &self.relocs {
            Machine::resolve(&mut rest, reloc.at - self.functions.end, reloc.at, self.place(*module, reloc.target));
        }
        let mut text = std::mem::replace(&mut self.functions.image.text, Text::new(false));
        text.edit(|merged, code, pieces| {
            let (merged, single) = self.functions.fragments.split_at(merged);
            merged.iter().for_each(|placed| self.resolve(placed, 0, code));
            for (placed, piece) in single.iter().zip(pieces) {
                self.resolve(placed, placed.base, &mut piece.code);
            }
        });
        settings.kept.shelf.give(self.tools, rest.len());
        text.push(Piece { code: rest, from: 0 });
        Ok(Image { text, ..self.functions.image })
    }

    /// Resolves what could not be when the functions were placed, in code that begins at `origin` of the text.
    fn resolve(&self, placed: &Placed, origin: u32, code: &mut [u8]) {
        let Placed { module, base, calls, imports, across, relocs } = placed;
        let mut field = |at: u32, place: u32| Machine::resolve(code, base + at - origin, base + at, place);
        calls.iter().for_each(|&(at, number)| field(at, self.functions.bodies[number as usize]));
        relocs.iter().for_each(|reloc| field(reloc.at, self.place(*module, reloc.target)));
        for &(at, func) in imports {
            if let Some((callee, index)) = self.known(*module, func) {
                let thunk = self.place(callee, Target::Thunk(index));
                Machine::make_direct(code, base + at - origin, base + at, thunk);
            }
        }
        for &(at, func) in across {
            if let Some((callee, index)) = self.known(*module, func) {
                let (to, into) = match self.unit(callee).facts.memories.first().map(|memory| memory.base) {
                    None => (Target::Func(index), Entering::Private(None)),
                    Some(Where::Ctx(offset)) => (Target::Func(index), Entering::Private(Some(offset))),
                    // That takes more than there is room for.
                    Some(Where::Through { .. }) => (Target::Thunk(index), Entering::Thunk),
                };
                Machine::make_across(code, base + at - origin, base + at, self.place(callee, to), into);
            }
        }
    }

    /// The function that an import is, by its module and its index there, if whatever the importing module is
    /// instantiated with, that function's code is the same and in this text. Of which instance it is, the code is told
    /// where it is called.
    fn known(&self, module: StaticModuleIndex, func: u32) -> Option<(StaticModuleIndex, u32)> {
        let known = &self.unit(module).translation.known_imported_functions;
        match known[FuncIndex::from_u32(func)] {
            Some(KnownFunc::FuncKey(FuncKey::DefinedWasmFunction(module, index))) => Some((module, index.as_u32())),
            _ => None,
        }
    }

    fn place(&self, module: StaticModuleIndex, target: Target) -> u32 {
        let number = |index: u32| (self.unit(module).first + index) as usize;
        match target {
            Target::Func(index) => self.functions.bodies[number(index)],
            Target::Thunk(index) => {
                let thunk = self.thunks[number(index)];
                debug_assert_ne!(thunk, 0, "a function that does not escape has no thunk");
                thunk
            }
            other => self.places[&Key::of(module, other).expect("all but functions and thunks have keys")],
        }
    }
}
