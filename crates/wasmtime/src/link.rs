//! Puts the compiled functions and everything they need into one text, in the order that Wasmtime's function table
//! demands, and resolves the distances between them.
//!
//! Order: functions by index; routines; thunks and data stubs, which no entry of the function table covers, so that
//! backtraces pass over their frames; then by ascending `FuncKey` the entries for the host, the exits to host functions
//! and to builtins, and startup.

use crate::artifact::{Image, PAGE, Piece, Translated};
use crate::bodies::Chunk;
use crate::budget;
use crate::facts::{function_type, offset, signature};
use crate::settings::Settings;
use crate::startup;
use crate::trampolines::{self, Stubs};
use crate::{Error, facts};
use lightbeam_compiler::code::{AddressSite, FUNC_ALIGN, FuncCode, Output, Reloc, Routine, Target, TrapCode, TrapSite};
use lightbeam_compiler::facts::{Callee, Facts};
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::routines;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmtime_environ::{
    Abi, CompiledFunctionsTableBuilder, CompiledTrap, DataIndex, DefinedFuncIndex, FilePos, FuncKey,
    ModuleInternedTypeIndex, SecondaryMap, StaticModuleIndex, VMOffsets,
};

/// What fills the gaps between functions: a trap.
const FILLER: u8 = 0xcc;

struct Linker<'a> {
    facts: &'a Facts,
    /// Bytes of the module, and how long the text may be for it.
    wasm_bytes: usize,
    most: usize,
    image: Image,
    chunks: Vec<Placed>,
    /// Where the chunks end in the text, and `rest` begins.
    functions_end: u32,
    /// What comes behind them.
    rest: Vec<u8>,
    /// Fields to resolve in `rest`, by offset in the text.
    relocs: Vec<Reloc>,
    /// Private entries, by index among the defined functions.
    bodies: Vec<u32>,
    /// Thunks of those that have one, likewise.
    thunks: Vec<u32>,
    /// The few other things that relocations name.
    places: BTreeMap<Key, u32>,
}

/// A chunk of functions with its place.
struct Placed {
    chunk: Chunk,
    /// Offset in the text of the start of its code, as far as that is in the text.
    base: u32,
    /// From where on its code is in the text.
    from: u32,
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

/// Links compiled functions into the image of a module. The chunks hold all of them, in order; how they are divided
/// among the chunks does not show.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn link(
    settings: &Settings,
    facts: &Facts,
    (translation, types): &Translated<'_>,
    wasm_bytes: usize,
    chunks: Vec<Chunk>,
) -> Result<Image, Error> {
    let module = StaticModuleIndex::from_u32(0);
    let concurrency = settings.tunables.concurrency_support;
    let mut linker = Linker {
        facts,
        wasm_bytes,
        most: budget::most(wasm_bytes),
        image: Image::new(settings),
        chunks: Vec::with_capacity(chunks.len()),
        functions_end: 0,
        rest: Vec::new(),
        relocs: Vec::new(),
        bodies: vec![0; translation.module.num_defined_funcs()],
        thunks: vec![0; translation.module.num_defined_funcs()],
        places: BTreeMap::new(),
    };
    linker.image.objects = facts.references;
    linker.functions(module, chunks)?;
    let startup = (!translation.module.startup.is_none()).then(|| {
        let mut stubs = Stubs::default();
        let ranges = startup::emit(&mut stubs, translation, facts, concurrency);
        (stubs, ranges)
    });
    linker.routines(startup.as_ref().map_or(&[], |(stubs, _)| &stubs.relocs))?;
    linker.thunks()?;

    let needed = linker.needed(startup.as_ref().map_or(&[], |(stubs, _)| &stubs.relocs));

    let offsets = VMOffsets::new(facts::POINTER, &translation.module);
    let room = linker.room();
    linker.stubs(|stubs, done| {
        for key in &needed {
            let (index, drop) = match *key {
                Key::DataSegment(index) => (index, false),
                Key::DataDrop(index) => (index, true),
                _ => continue,
            };
            let runtime = translation.runtime_data_map[DataIndex::from_u32(index)].map(|data| {
                (offset(offsets.vmctx_runtime_data_base(data)), offset(offsets.vmctx_runtime_data_length(data)))
            });
            let start = stubs.start();
            if drop {
                stubs.data_drop(runtime)
            } else {
                stubs.data_segment(runtime)
            }
            done(Stub { key: None, target: Some(*key), range: start..stubs.asm.offset() });
        }
        let mut templates = vec![None; facts.sigs.len()];
        for func in &facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = stubs.entry(&mut templates[func.sig as usize], index, |stubs, entry| {
                    stubs.array_to_wasm(facts, &facts.sigs[func.sig as usize], entry, concurrency);
                });
                if range.end as usize > room {
                    return Err(Some(index));
                }
                let key = FuncKey::ArrayToWasmTrampoline(module, DefinedFuncIndex::from_u32(index));
                done(Stub { key: Some(key), target: None, range });
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
            let start = stubs.start();
            match sigs[ty] {
                Some(sig) => stubs.wasm_to_array(&facts.sigs[sig as usize]),
                // A supertype that other types share an exit with.
                None => {
                    let func = function_type(&types[ty]).expect("types that do not compile are refused");
                    let sig = signature(func.expect("a function type"));
                    stubs.wasm_to_array(&sig.expect("types that do not compile are refused"));
                }
            }
            if stubs.asm.offset() as usize > room {
                return Err(None);
            }
            let key = FuncKey::WasmToArrayTrampoline(ty);
            done(Stub { key: Some(key), target: None, range: start..stubs.asm.offset() });
        }
        let mut libcalls: Vec<Libcall> = needed
            .iter()
            .filter_map(|key| if let Key::Libcall(libcall) = key { Some(*libcall) } else { None })
            .collect();
        libcalls.sort_by_key(|libcall| trampolines::builtin(*libcall).index());
        for libcall in libcalls {
            let start = stubs.start();
            stubs.wasm_to_builtin(libcall);
            let key = FuncKey::WasmToBuiltinTrampoline(trampolines::builtin(libcall));
            done(Stub { key: Some(key), target: Some(Key::Libcall(libcall)), range: start..stubs.asm.offset() });
        }
        Ok(())
    })?;
    if let Some((stubs, ranges)) = startup {
        let base = linker.append(&stubs);
        for (abi, range) in [(Abi::Wasm, ranges.wasm), (Abi::Array, ranges.array)] {
            linker.image.place(
                FuncKey::ModuleStartup(abi, module),
                base + range.start,
                base + range.end,
                FilePos::none(),
            );
        }
    }
    linker.finish()
}

/// One routine among `Stubs`.
struct Stub {
    /// Its entry in the function table, if it has one.
    key: Option<FuncKey>,
    /// What relocations call it, if any does.
    target: Option<Key>,
    /// Where it is in the stubs' code.
    range: Range<u32>,
}

impl Linker<'_> {
    fn len(&self) -> u32 {
        self.functions_end + self.rest.len() as u32
    }

    /// Pads the text so that what follows after `skip` more bytes is aligned.
    fn align(&mut self, skip: u32) {
        let padding = aligned(self.len(), skip) - self.len();
        self.rest.resize(self.rest.len() + padding as usize, FILLER);
    }

    /// Gives all functions their places and makes their tables.
    fn functions(&mut self, module: StaticModuleIndex, chunks: Vec<Chunk>) -> Result<(), Error> {
        for mut chunk in chunks {
            // A chunk is padded inside as the text is, and before its first function as if the text began with it.
            let first = chunk.funcs[0];
            let start = aligned(self.functions_end, first.body - first.start);
            let base = start - first.start;
            let from = match self.chunks.last_mut() {
                Some(Placed { chunk: before, .. }) => {
                    let padding = (start - self.functions_end) as usize;
                    before.code.resize(before.code.len() + padding, FILLER);
                    first.start
                }
                None => 0,
            };
            let mut end = 0;
            for (func, index) in std::mem::take(&mut chunk.funcs).iter().zip(chunk.first..) {
                chunk.code[end as usize..func.start as usize].fill(FILLER);
                end = func.end;
                // Padding counts, which the budget of the functions leaves out.
                if (base + end) as usize > self.most {
                    return Err(budget::text_too_large(self.wasm_bytes, Some(func.wasm as usize)));
                }
                self.bodies[index as usize] = base + func.body;
                let key = FuncKey::DefinedWasmFunction(module, DefinedFuncIndex::from_u32(index));
                self.image.place(key, base + func.start, base + func.end, FilePos::new(func.wasm));
            }
            self.record(base, &std::mem::take(&mut chunk.traps), &std::mem::take(&mut chunk.addresses));
            self.image.exceptions.push(base, &std::mem::take(&mut chunk.sites), &std::mem::take(&mut chunk.handlers));
            let (safepoints, maps) = (std::mem::take(&mut chunk.safepoints), std::mem::take(&mut chunk.maps));
            self.image.stack_maps.extend(base, &safepoints, &maps);
            self.functions_end = base + end;
            self.chunks.push(Placed { chunk, base, from });
        }
        Ok(())
    }

    /// Appends a routine's code and tables and returns where it starts.
    fn routine(&mut self, output: &Output<X64>, func: &FuncCode) -> u32 {
        self.align(func.body - func.start);
        let start = self.len();
        debug_assert!(func.start == 0 && func.end == output.asm.code().len() as u32, "alone in its output");
        self.rest.extend_from_slice(output.asm.code());
        self.relocs.extend(output.relocs.iter().map(|reloc| Reloc { at: reloc.at + start, ..*reloc }));
        self.record(start, &output.traps, &output.addresses);
        self.image.stack_maps.extend(start, &output.safepoints, &output.maps);
        start
    }

    /// Records the traps and addresses of code whose offsets count from `base` of the text.
    fn record(&mut self, base: u32, traps: &[TrapSite], addresses: &[AddressSite]) {
        for site in traps {
            self.image.traps.push(base + site.at, trap_number(site.code));
        }
        if let Some(table) = &mut self.image.addresses {
            for site in addresses {
                table.push(base + site.at, site.wasm);
            }
        }
    }

    /// The routines that relocations name, `more` among them, and those that these name in turn.
    fn routines(&mut self, more: &[Reloc]) -> Result<(), Error> {
        let of = |relocs: &[Reloc]| -> BTreeSet<Routine> {
            let routine =
                |reloc: &Reloc| if let Target::Routine(routine) = reloc.target { Some(routine) } else { None };
            relocs.iter().filter_map(routine).collect()
        };
        let mut new: BTreeSet<Routine> = self.chunks.iter().flat_map(|placed| of(&placed.chunk.relocs)).collect();
        new.extend(of(more));
        // Fuel is charged for constant expressions where they are used.
        let unmetered = (!self.facts.constants.is_empty()).then(|| {
            let mut facts = self.facts.clone();
            (facts.settings.fuel, facts.settings.epochs) = (false, false);
            facts
        });
        while !new.is_empty() {
            let seen = self.relocs.len();
            for routine in new {
                let mut output = Output::<X64>::default();
                let facts = match routine {
                    Routine::Constant { .. } => unmetered.as_ref().unwrap_or(self.facts),
                    _ => self.facts,
                };
                let func = routines::emit::<X64>(facts, routine, &mut output)?;
                let start = self.routine(&output, &func);
                self.places.insert(Key::Routine(routine), start + (func.body - func.start));
                if self.room() == 0 {
                    return Err(self.too_large(None));
                }
            }
            new = of(&self.relocs[seen..]);
            new.retain(|routine| !self.places.contains_key(&Key::Routine(*routine)));
        }
        Ok(())
    }

    fn thunks(&mut self) -> Result<(), Error> {
        let room = self.room();
        let mut stubs = Stubs::default();
        let mut templates = vec![None; self.facts.sigs.len()];
        for func in &self.facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = stubs.entry(&mut templates[func.sig as usize], index, |stubs, entry| {
                    stubs.thunk(self.facts, &self.facts.sigs[func.sig as usize], entry);
                });
                self.thunks[index as usize] = range.start;
                if range.end as usize > room {
                    return Err(self.too_large(Some(index)));
                }
            }
        }
        let base = self.append(&stubs);
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
        let functions = std::mem::replace(&mut self.image.functions, CompiledFunctionsTableBuilder::new()).finish();
        let offset = func.and_then(|index| {
            let key = FuncKey::DefinedWasmFunction(StaticModuleIndex::from_u32(0), DefinedFuncIndex::from_u32(index));
            functions.src_loc(key)?.file_offset()
        });
        budget::text_too_large(self.wasm_bytes, offset.map(|offset| offset as usize))
    }

    /// What the relocations so far and `more` name beside functions, in order.
    fn needed(&self, more: &[Reloc]) -> BTreeSet<Key> {
        let of_functions = self.chunks.iter().flat_map(|placed| &placed.chunk.relocs);
        of_functions.chain(&self.relocs).chain(more).filter_map(|reloc| Key::of(reloc.target)).collect()
    }

    /// Makes routines and appends them. Those made for functions may exceed the budget, which is an error that names
    /// the function.
    fn stubs(
        &mut self,
        make: impl FnOnce(&mut Stubs, &mut dyn FnMut(Stub)) -> Result<(), Option<u32>>,
    ) -> Result<(), Error> {
        let mut stubs = Stubs::default();
        let mut pieces = Vec::new();
        make(&mut stubs, &mut |piece| pieces.push(piece)).map_err(|func| self.too_large(func))?;
        let base = self.append(&stubs);
        for Stub { key, target, range } in pieces {
            let (start, end) = (base + range.start, base + range.end);
            if let Some(key) = key {
                self.image.place(key, start, end, FilePos::none());
            }
            if let Some(target) = target {
                self.places.insert(target, start);
            }
        }
        Ok(())
    }

    fn append(&mut self, stubs: &Stubs) -> u32 {
        self.align(0);
        let base = self.len();
        self.rest.extend_from_slice(stubs.asm.code());
        self.relocs.extend(stubs.relocs.iter().map(|reloc| Reloc { at: reloc.at + base, ..*reloc }));
        self.record(base, &stubs.traps, &[]);
        base
    }

    fn finish(mut self) -> Result<Image, Error> {
        // Whole pages, so that nothing but code becomes executable.
        let padding = self.len().next_multiple_of(PAGE as u32) - self.len();
        self.rest.resize(self.rest.len() + padding as usize, FILLER);
        if self.len() as usize > self.most {
            return Err(self.too_large(None));
        }

        let mut chunks = std::mem::take(&mut self.chunks);
        for Placed { chunk, base, .. } in &mut chunks {
            for (at, index) in std::mem::take(&mut chunk.calls) {
                resolve(&mut chunk.code, at, *base + at, self.bodies[index as usize]);
            }
            for reloc in std::mem::take(&mut chunk.relocs) {
                resolve(&mut chunk.code, reloc.at, *base + reloc.at, self.place(reloc.target));
            }
        }
        let mut rest = std::mem::take(&mut self.rest);
        for reloc in &self.relocs {
            resolve(&mut rest, reloc.at - self.functions_end, reloc.at, self.place(reloc.target));
        }
        self.image.text.reserve_exact(chunks.len() + 1);
        let piece = |placed: Placed| Piece { code: placed.chunk.code, from: placed.from as usize };
        self.image.text.extend(chunks.into_iter().map(piece));
        self.image.text.push(Piece { code: rest, from: 0 });
        Ok(self.image)
    }

    fn place(&self, target: Target) -> u32 {
        match target {
            Target::Func(index) => self.bodies[index as usize],
            Target::Thunk(index) => self.thunks[index as usize],
            other => self.places[&Key::of(other).expect("all but functions and thunks have keys")],
        }
    }
}

/// Writes the distance to `place` into the field at `at` of `code`, which is at `field` of the text.
#[inline]
fn resolve(code: &mut [u8], at: u32, field: u32, place: u32) {
    let distance = place.wrapping_sub(field + 4);
    code[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
}

/// The first offset from `at` on where what follows after `skip` more bytes is aligned.
fn aligned(at: u32, skip: u32) -> u32 {
    (at + skip).next_multiple_of(FUNC_ALIGN) - skip
}

fn trap_number(code: TrapCode) -> u8 {
    CompiledTrap::Normal(trampolines::trap(code)).as_u8()
}
