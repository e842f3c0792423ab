//! Puts the compiled functions and everything they need into one text, in the order that Wasmtime's function table
//! demands, and resolves the distances between them.
//!
//! Order: functions by index; routines; thunks, which no entry of the function table covers, so that
//! backtraces pass over their frames; then by ascending `FuncKey` the entries for the host, the exits to host functions
//! and to builtins, and startup.

use crate::border::trampolines::Border;
use crate::border::{host, startup};
use crate::error::Error;
use crate::facts::layout::offset;
use crate::facts::types::{function_type, signature};
use crate::input::translate::Translated;
use crate::output::budget;
use crate::output::image::Image;
use crate::output::place::{Placed, Placer, aligned};
use crate::output::text::{Piece, Text};
use crate::settings::Settings;
use crate::target::{Machine, PAGE, POINTER};
use lightbeam_asm::Assembler;
use lightbeam_compiler::code::{Reloc, Routine, Target};
use lightbeam_compiler::facts::{Callee, Facts};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::{Workspace, Writer, compile_routine};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmtime_environ::{
    Abi, CompiledFunctionsTableBuilder, DataIndex, DefinedFuncIndex, FilePos, FuncKey, ModuleInternedTypeIndex,
    SecondaryMap, StaticModuleIndex, VMOffsets,
};

struct Linker<'a> {
    facts: &'a Facts,
    /// Bytes of the module, and how long the text may be for it.
    wasm_bytes: usize,
    most: usize,
    functions: Box<Placer>,
    /// What comes behind them.
    rest: Vec<u8>,
    /// Fields to resolve in `rest`, by offset in the text.
    relocs: Vec<Reloc>,
    /// Thunks of the defined functions that have one, by index.
    thunks: Vec<u32>,
    /// The few other things that relocations name.
    places: BTreeMap<Key, u32>,
}

/// `Target`, but for functions and thunks, as a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    Libcall(Libcall),
    Routine(Routine),
    DataSegment(u32),
    DataDrop(u32),
}

impl Key {
    fn of(target: Target) -> Option<Key> {
        Some(match target {
            Target::Func(_) | Target::Thunk(_) => return None,
            Target::Libcall(libcall) => Key::Libcall(libcall),
            Target::Routine(routine) => Key::Routine(routine),
            Target::DataSegment(index) => Key::DataSegment(index),
            Target::DataDrop(index) => Key::DataDrop(index),
        })
    }
}

/// Links compiled functions, which are all placed, into the image of a module.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn link(
    settings: &Settings,
    facts: &Facts,
    (translation, types): &Translated<'_>,
    wasm_bytes: usize,
    functions: Box<Placer>,
) -> wasmtime::Result<Image> {
    let module = StaticModuleIndex::from_u32(0);
    let concurrency = settings.tunables.concurrency_support;
    let mut linker = Linker {
        facts,
        wasm_bytes,
        most: budget::most(wasm_bytes),
        functions,
        rest: Vec::new(),
        relocs: Vec::new(),
        thunks: vec![0; translation.module.num_defined_funcs()],
        places: BTreeMap::new(),
    };
    linker.functions.image.objects = facts.references;
    let startup = (!translation.module.startup.is_none()).then(|| {
        let mut border = Border::new(facts);
        let ranges = startup::emit(&mut border, translation, facts, concurrency);
        (border.w, ranges)
    });
    let of_startup: &[Reloc] = startup.as_ref().map_or(&[], |(w, _)| &w.relocs);
    linker.routines(of_startup)?;
    linker.thunks()?;

    let needed = linker.needed(of_startup);

    let offsets = VMOffsets::new(POINTER, &translation.module);
    let room = linker.room();
    linker.border(|border, done| {
        for key in &needed {
            let (index, drop) = match *key {
                Key::DataSegment(index) => (index, false),
                Key::DataDrop(index) => (index, true),
                _ => continue,
            };
            let runtime = translation.runtime_data_map[DataIndex::from_u32(index)].map(|data| {
                (offset(offsets.vmctx_runtime_data_base(data)), offset(offsets.vmctx_runtime_data_length(data)))
            });
            let start = border.start();
            if drop {
                border.data_drop(runtime)
            } else {
                border.data_segment(runtime)
            }
            done(Crossing { key: None, target: Some(*key), range: start..border.w.offset() });
        }
        let mut templates = vec![None; facts.sigs.len()];
        for func in &facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = border.entry(&mut templates[func.sig as usize], index, |border, entry| {
                    border.array_to_wasm(&facts.sigs[func.sig as usize], entry, concurrency);
                });
                if range.end as usize > room {
                    return Err(Some(index));
                }
                let key = FuncKey::ArrayToWasmTrampoline(module, DefinedFuncIndex::from_u32(index));
                done(Crossing { key: Some(key), target: None, range });
            }
        }
        let mut trampoline_types: Vec<_> = types.trampoline_types().map(|(_, trampoline)| trampoline).collect();
        trampoline_types.sort_unstable();
        trampoline_types.dedup();
        let mut sigs: SecondaryMap<ModuleInternedTypeIndex, Option<u32>> = SecondaryMap::new();
        for (ty, sig) in translation.module.types.values().zip(&facts.types) {
            sigs[ty.unwrap_module_type_index()] = *sig;
        }
        for ty in trampoline_types {
            let start = border.start();
            match sigs[ty] {
                Some(sig) => border.wasm_to_array(&facts.sigs[sig as usize]),
                // A supertype that other types share an exit with.
                None => {
                    let func = function_type(&types[ty]).expect("types that do not compile are refused");
                    let sig = signature(func.expect("a function type"));
                    border.wasm_to_array(&sig.expect("types that do not compile are refused"));
                }
            }
            if border.w.offset() as usize > room {
                return Err(None);
            }
            let key = FuncKey::WasmToArrayTrampoline(ty);
            done(Crossing { key: Some(key), target: None, range: start..border.w.offset() });
        }
        let mut libcalls: Vec<Libcall> = needed
            .iter()
            .filter_map(|key| if let Key::Libcall(libcall) = key { Some(*libcall) } else { None })
            .collect();
        libcalls.sort_by_key(|libcall| host::builtin(*libcall).index());
        for libcall in libcalls {
            let start = border.start();
            border.wasm_to_builtin(libcall);
            let key = FuncKey::WasmToBuiltinTrampoline(host::builtin(libcall));
            done(Crossing { key: Some(key), target: Some(Key::Libcall(libcall)), range: start..border.w.offset() });
        }
        Ok(())
    })?;
    if let Some((w, ranges)) = startup {
        let base = linker.append(&w);
        for (abi, range) in [(Abi::Wasm, ranges.wasm), (Abi::Array, ranges.array)] {
            linker.functions.image.add_function(
                FuncKey::ModuleStartup(abi, module),
                base + range.start,
                base + range.end,
                FilePos::none(),
            );
        }
    }
    linker.finish()
}

/// One routine on the border.
struct Crossing {
    /// Its entry in the function table, if it has one.
    key: Option<FuncKey>,
    /// What relocations call it, if any does.
    target: Option<Key>,
    /// Where it is in the code of the border.
    range: Range<u32>,
}

impl Linker<'_> {
    fn len(&self) -> u32 {
        self.functions.end + self.rest.len() as u32
    }

    /// Pads the text so that what follows after `skip` more bytes is aligned.
    fn align(&mut self, skip: u32) {
        let padding = aligned(self.len(), skip) - self.len();
        self.rest.resize(self.rest.len() + padding as usize, Machine::FILLER);
    }

    /// Appends code with its tables and returns where it starts.
    fn append(&mut self, w: &Writer<Machine>) -> u32 {
        self.align(0);
        let start = self.len();
        self.rest.extend_from_slice(w.code());
        self.relocs.extend(w.relocs.iter().map(|reloc| Reloc { at: reloc.at + start, ..*reloc }));
        self.functions.image.record(start, &w.traps, &w.addresses);
        self.functions.image.stack_maps.extend(start, &w.safepoints, &w.maps);
        start
    }

    /// The routines that relocations name, `more` among them, and those that these name in turn.
    fn routines(&mut self, more: &[Reloc]) -> Result<(), Error> {
        let of = |reloc: &Reloc| if let Target::Routine(routine) = reloc.target { Some(routine) } else { None };
        let of_functions = self.functions.fragments.iter().flat_map(|placed| &placed.relocs);
        let mut new: Vec<Routine> = of_functions.chain(more).filter_map(of).collect();
        // Fuel is charged for constant expressions where they are used.
        let metered = self.facts.settings.fuel || self.facts.settings.epochs;
        let unmetered = (metered && !self.facts.constants.is_empty()).then(|| {
            let mut facts = self.facts.clone();
            (facts.settings.fuel, facts.settings.epochs) = (false, false);
            facts
        });
        let mut workspace = Workspace::default();
        while !new.is_empty() {
            new.sort_unstable();
            new.dedup();
            let seen = self.relocs.len();
            let room = self.room();
            let mut output = Writer::<Machine>::new(self.facts.settings.cpu);
            let mut starts = Vec::with_capacity(new.len());
            for routine in &new {
                let facts = match routine {
                    Routine::Constant { .. } => unmetered.as_ref().unwrap_or(self.facts),
                    _ => self.facts,
                };
                starts.push(compile_routine::<Machine>(facts, *routine, &mut workspace, &mut output)?);
                if output.offset() as usize >= room {
                    return Err(self.too_large(None));
                }
            }
            let base = self.append(&output);
            self.places.extend(new.iter().zip(starts).map(|(routine, start)| (Key::Routine(*routine), base + start)));
            let named = self.relocs[seen..].iter().filter_map(of);
            new = named.filter(|routine| !self.places.contains_key(&Key::Routine(*routine))).collect();
        }
        Ok(())
    }

    fn thunks(&mut self) -> Result<(), Error> {
        let room = self.room();
        let mut border = Border::new(self.facts);
        let mut templates = vec![None; self.facts.sigs.len()];
        for func in &self.facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = border.entry(&mut templates[func.sig as usize], index, |border, entry| {
                    border.thunk(&self.facts.sigs[func.sig as usize], entry);
                });
                self.thunks[index as usize] = range.start;
                if range.end as usize > room {
                    return Err(self.too_large(Some(index)));
                }
            }
        }
        let base = self.append(&border.w);
        for start in &mut self.thunks {
            *start += base;
        }
        Ok(())
    }

    /// How much longer the text may become. What is made in a loop over something that the input chooses looks at it
    /// again and again, so that nothing much longer is ever held.
    fn room(&self) -> usize {
        self.most.saturating_sub(self.len() as usize)
    }

    /// The text exceeds the budget, with what was made for a function if there is one.
    fn too_large(&mut self, func: Option<u32>) -> Error {
        let functions =
            std::mem::replace(&mut self.functions.image.functions, CompiledFunctionsTableBuilder::new()).finish();
        let offset = func.and_then(|index| {
            let key = FuncKey::DefinedWasmFunction(StaticModuleIndex::from_u32(0), DefinedFuncIndex::from_u32(index));
            functions.src_loc(key)?.file_offset()
        });
        budget::text_too_large(self.wasm_bytes, offset.map(|offset| offset as usize))
    }

    /// What the relocations so far and `more` name beside functions, in order.
    fn needed(&self, more: &[Reloc]) -> BTreeSet<Key> {
        let of_functions = self.functions.fragments.iter().flat_map(|placed| &placed.relocs);
        of_functions.chain(&self.relocs).chain(more).filter_map(|reloc| Key::of(reloc.target)).collect()
    }

    /// Makes routines and appends them. Those made for functions may exceed the budget, which is an error that names
    /// the function.
    fn border(
        &mut self,
        make: impl FnOnce(&mut Border<'_, Machine>, &mut dyn FnMut(Crossing)) -> Result<(), Option<u32>>,
    ) -> Result<(), Error> {
        let mut border = Border::new(self.facts);
        let mut pieces = Vec::new();
        make(&mut border, &mut |piece| pieces.push(piece)).map_err(|func| self.too_large(func))?;
        let base = self.append(&border.w);
        for Crossing { key, target, range } in pieces {
            let (start, end) = (base + range.start, base + range.end);
            if let Some(key) = key {
                self.functions.image.add_function(key, start, end, FilePos::none());
            }
            if let Some(target) = target {
                self.places.insert(target, start);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> wasmtime::Result<Image> {
        // Whole pages, so that nothing but code becomes executable.
        let padding = self.len().next_multiple_of(PAGE as u32) - self.len();
        self.rest.resize(self.rest.len() + padding as usize, Machine::FILLER);
        if self.len() as usize > self.most {
            return Err(self.too_large(None).into());
        }

        let mut rest = std::mem::take(&mut self.rest);
        for reloc in &self.relocs {
            Machine::resolve(&mut rest, reloc.at - self.functions.end, reloc.at, self.place(reloc.target));
        }
        let mut text = std::mem::replace(&mut self.functions.image.text, Text::new(false));
        text.edit(|merged, code, pieces| {
            let (merged, single) = self.functions.fragments.split_at(merged);
            merged.iter().for_each(|placed| self.resolve(placed, 0, code));
            for (placed, piece) in single.iter().zip(pieces) {
                self.resolve(placed, placed.base, &mut piece.code);
            }
        });
        text.push(Piece { code: rest, from: 0 });
        Ok(Image { text, ..self.functions.image })
    }

    /// Resolves what could not be when the functions were placed, in code that begins at `origin` of the text.
    fn resolve(&self, Placed { base, calls, relocs }: &Placed, origin: u32, code: &mut [u8]) {
        let mut field = |at: u32, place: u32| Machine::resolve(code, base + at - origin, base + at, place);
        calls.iter().for_each(|&(at, index)| field(at, self.functions.bodies[index as usize]));
        relocs.iter().for_each(|reloc| field(reloc.at, self.place(reloc.target)));
    }

    fn place(&self, target: Target) -> u32 {
        match target {
            Target::Func(index) => self.functions.bodies[index as usize],
            Target::Thunk(index) => self.thunks[index as usize],
            other => self.places[&Key::of(other).expect("all but functions and thunks have keys")],
        }
    }
}
