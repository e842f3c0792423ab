//! Puts the compiled functions and everything they need into one text, in the order that Wasmtime's function table
//! demands, and resolves the distances between them.
//!
//! Order: functions by index; routines; thunks and data stubs, which no entry of the function table covers, so that
//! backtraces pass over their frames; then by ascending `FuncKey` the entries for the host, the exits to host functions
//! and to builtins, and startup.

use crate::artifact::{Image, PAGE, Translated};
use crate::facts::{function_type, offset, signature};
use crate::settings::Settings;
use crate::startup;
use crate::trampolines::{self, Stubs};
use crate::{Error, facts};
use lightbeam_compiler::code::{FUNC_ALIGN, FuncCode, Output, Reloc, Routine, Target, TrapSite};
use lightbeam_compiler::facts::{Callee, Facts};
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::routines;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmtime_environ::{
    Abi, CompiledTrap, DataIndex, DefinedFuncIndex, FilePos, FuncKey, InstructionAddressMap, StaticModuleIndex,
    TrapInformation, VMOffsets,
};

/// What fills the gaps between functions: a trap.
const FILLER: u8 = 0xcc;

/// The text must be shorter, so that every distance in it fits in 32 bits.
const MAX_TEXT: usize = 1 << 31;

struct Linker<'a> {
    facts: &'a Facts,
    image: Image,
    /// All fields to resolve, by offset in the text.
    relocs: Vec<Reloc>,
    /// Private entries, by index among the defined functions.
    bodies: Vec<u32>,
    /// Thunks of those that have one, likewise.
    thunks: Vec<u32>,
    /// The few other things that relocations name.
    places: BTreeMap<Key, u32>,
    /// Buffers of the tables' builders.
    traps: Vec<TrapInformation>,
    addresses: Vec<InstructionAddressMap>,
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

/// Links the functions that `outputs` hold, in whatever order and distribution, into the image of a module.
pub(crate) fn link(
    settings: &Settings,
    facts: &Facts,
    (translation, types): &Translated<'_>,
    outputs: &[Output<X64>],
) -> Result<Image, Error> {
    let module = StaticModuleIndex::from_u32(0);
    let concurrency = settings.tunables.concurrency_support;
    let mut linker = Linker {
        facts,
        image: Image::new(settings),
        relocs: Vec::new(),
        bodies: vec![0; translation.module.num_defined_funcs()],
        thunks: vec![0; translation.module.num_defined_funcs()],
        places: BTreeMap::new(),
        traps: Vec::new(),
        addresses: Vec::new(),
    };
    linker.functions(module, outputs);
    linker.routines();
    linker.thunks();

    let startup = (!translation.module.startup.is_none()).then(|| {
        let mut stubs = Stubs::default();
        let ranges = startup::emit(&mut stubs, translation, facts, concurrency);
        (stubs, ranges)
    });
    let needed = linker.needed(startup.as_ref().map_or(&[], |(stubs, _)| &stubs.relocs));

    let offsets = VMOffsets::new(facts::POINTER, &translation.module);
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
            done(Piece { key: None, target: Some(*key), range: start..stubs.asm.offset() });
        }
        let mut templates = vec![None; facts.sigs.len()];
        for func in &facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = stubs.entry(&mut templates[func.sig as usize], index, |stubs, entry| {
                    stubs.array_to_wasm(facts, &facts.sigs[func.sig as usize], entry, concurrency);
                });
                let key = FuncKey::ArrayToWasmTrampoline(module, DefinedFuncIndex::from_u32(index));
                done(Piece { key: Some(key), target: None, range });
            }
        }
        let trampoline_types: BTreeSet<_> = types.trampoline_types().map(|(_, trampoline)| trampoline).collect();
        for ty in trampoline_types {
            let sig = function_type(&types[ty]).and_then(signature).expect("types that do not compile are refused");
            let start = stubs.start();
            stubs.wasm_to_array(&sig);
            let key = FuncKey::WasmToArrayTrampoline(ty);
            done(Piece { key: Some(key), target: None, range: start..stubs.asm.offset() });
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
            done(Piece { key: Some(key), target: Some(Key::Libcall(libcall)), range: start..stubs.asm.offset() });
        }
    });
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
struct Piece {
    /// Its entry in the function table, if it has one.
    key: Option<FuncKey>,
    /// What relocations call it, if any does.
    target: Option<Key>,
    /// Where it is in the stubs' code.
    range: Range<u32>,
}

impl Linker<'_> {
    fn len(&self) -> u32 {
        self.image.text.len() as u32
    }

    /// Pads the text so that what follows after `skip` more bytes is aligned.
    fn align(&mut self, skip: u32) {
        let aligned = (self.image.text.len() + skip as usize).next_multiple_of(FUNC_ALIGN as usize) - skip as usize;
        self.image.text.resize(aligned, FILLER);
    }

    fn functions(&mut self, module: StaticModuleIndex, outputs: &[Output<X64>]) {
        let mut order: Vec<Option<(&Output<X64>, &FuncCode)>> = vec![None; self.bodies.len()];
        for output in outputs {
            for func in &output.funcs {
                order[func.index as usize] = Some((output, func));
            }
        }
        let code = outputs.iter().map(|output| output.asm.code().len()).sum::<usize>();
        self.image.text.reserve(code + FUNC_ALIGN as usize * order.len());
        self.relocs.reserve(outputs.iter().map(|output| output.relocs.len()).sum());
        for (index, entry) in order.into_iter().enumerate() {
            let (output, func) = entry.expect("every function is compiled");
            let start = self.function(output, func);
            self.bodies[index] = start + (func.body - func.start);
            let key = FuncKey::DefinedWasmFunction(module, DefinedFuncIndex::from_u32(func.index));
            self.image.place(key, start, self.len(), FilePos::new(func.wasm));
        }
    }

    /// Appends one function's code and tables and returns where it starts.
    fn function(&mut self, output: &Output<X64>, func: &FuncCode) -> u32 {
        self.align(func.body - func.start);
        let start = self.len();
        self.image.text.extend_from_slice(&output.asm.code()[func.start as usize..func.end as usize]);
        let relocs = &output.relocs[func.relocs.start as usize..func.relocs.end as usize];
        self.relocs.extend(relocs.iter().map(|reloc| Reloc { at: reloc.at - func.start + start, ..*reloc }));
        let traps = &output.traps[func.traps.start as usize..func.traps.end as usize];
        self.record_traps(start, func.start, traps);
        if let Some(map) = &mut self.image.addresses {
            let addresses = &output.addresses[func.addresses.start as usize..func.addresses.end as usize];
            self.addresses.clear();
            self.addresses.extend(addresses.iter().map(|site| InstructionAddressMap {
                srcloc: FilePos::new(site.wasm),
                code_offset: site.at - func.start,
            }));
            map.push(start.into()..self.image.text.len() as u64, &self.addresses);
        }
        start
    }

    /// Records the traps of code that has just been appended at `start` and lay at `origin` of its own buffer.
    fn record_traps(&mut self, start: u32, origin: u32, traps: &[TrapSite]) {
        self.traps.clear();
        self.traps.extend(traps.iter().map(|site| TrapInformation {
            code_offset: site.at - origin,
            trap_code: CompiledTrap::Normal(trampolines::trap(site.code)),
        }));
        self.image.traps.push(start.into()..self.image.text.len() as u64, &self.traps);
    }

    /// The routines that relocations name, and those that these name in turn.
    fn routines(&mut self) {
        let mut seen = 0;
        while seen < self.relocs.len() {
            let mut new = BTreeSet::new();
            for reloc in &self.relocs[seen..] {
                if let Target::Routine(routine) = reloc.target
                    && !self.places.contains_key(&Key::Routine(routine))
                {
                    new.insert(routine);
                }
            }
            seen = self.relocs.len();
            for routine in new {
                let mut output = Output::<X64>::default();
                let func = routines::emit::<X64>(self.facts, routine, &mut output);
                let start = self.function(&output, &func);
                self.places.insert(Key::Routine(routine), start + (func.body - func.start));
            }
        }
    }

    fn thunks(&mut self) {
        let mut stubs = Stubs::default();
        let mut templates = vec![None; self.facts.sigs.len()];
        for func in &self.facts.funcs {
            if let Callee::Defined { index, escapes: true } = func.callee {
                let range = stubs.entry(&mut templates[func.sig as usize], index, |stubs, entry| {
                    stubs.thunk(self.facts, &self.facts.sigs[func.sig as usize], entry);
                });
                self.thunks[index as usize] = range.start;
            }
        }
        let base = self.append(&stubs);
        for start in &mut self.thunks {
            *start += base;
        }
    }

    /// What the relocations so far and `more` name beside functions, in order.
    fn needed(&self, more: &[Reloc]) -> BTreeSet<Key> {
        self.relocs.iter().chain(more).filter_map(|reloc| Key::of(reloc.target)).collect()
    }

    /// Makes routines and appends them.
    fn stubs(&mut self, make: impl FnOnce(&mut Stubs, &mut dyn FnMut(Piece))) {
        let mut stubs = Stubs::default();
        let mut pieces = Vec::new();
        make(&mut stubs, &mut |piece| pieces.push(piece));
        let base = self.append(&stubs);
        for Piece { key, target, range } in pieces {
            let (start, end) = (base + range.start, base + range.end);
            if let Some(key) = key {
                self.image.place(key, start, end, FilePos::none());
            }
            if let Some(target) = target {
                self.places.insert(target, start);
            }
        }
    }

    fn append(&mut self, stubs: &Stubs) -> u32 {
        self.align(0);
        let base = self.len();
        self.image.text.extend_from_slice(stubs.asm.code());
        self.relocs.extend(stubs.relocs.iter().map(|reloc| Reloc { at: reloc.at + base, ..*reloc }));
        self.record_traps(base, 0, &stubs.traps);
        base
    }

    fn finish(mut self) -> Result<Image, Error> {
        if self.image.text.len() >= MAX_TEXT {
            return Err(Error::too_large("the module's machine code exceeds 2 GiB", None));
        }
        // Whole pages, so that nothing but code becomes executable.
        let pages = self.image.text.len().next_multiple_of(PAGE as usize);
        self.image.text.resize(pages, FILLER);
        for reloc in &self.relocs {
            let place = match reloc.target {
                Target::Func(index) => self.bodies[index as usize],
                Target::Thunk(index) => self.thunks[index as usize],
                other => self.places[&Key::of(other).expect("all but functions and thunks have keys")],
            };
            let distance = place.wrapping_sub(reloc.at + 4);
            let at = reloc.at as usize;
            self.image.text[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        Ok(self.image)
    }
}
