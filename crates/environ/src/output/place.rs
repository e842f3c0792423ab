//! Gives compiled functions their places in the text, fragment by fragment and in order, while others are still being
//! compiled: what is known of a fragment alone is done when it comes, and not when all is there.

use crate::error::Error;
use crate::output::addresses::AddressTable;
use crate::output::budget::{Account, MAX_TEXT};
use crate::output::fragment::Fragment;
use crate::output::image::Image;
use crate::output::text::Piece;
use crate::report::FunctionReport;
use crate::settings::Settings;
use crate::target::Machine;
use lightbeam_compiler::code::{FUNC_ALIGN, Reloc};
use lightbeam_compiler::isa::Isa;
use wasmtime_environ::{DefinedFuncIndex, FilePos, FuncKey, StaticModuleIndex};

/// The functions placed so far: the text's beginning, with tables. It goes from thread to thread, and is large.
pub(crate) struct Placer {
    pub(crate) image: Image,
    pub(crate) fragments: Vec<Placed>,
    /// Where they end.
    pub(crate) end: u32,
    /// Private entries, by number among the defined functions of all modules.
    pub(crate) bodies: Vec<u32>,
    /// One for each function, if that is asked for, without their names.
    pub(crate) reports: Vec<FunctionReport>,
    account: Account,
    /// Is the code of some function lost, as the module exceeds its budget? Then no more are placed.
    stopped: bool,
}

/// A fragment of functions with its place.
pub(crate) struct Placed {
    pub(crate) module: StaticModuleIndex,
    /// Offset in the text of the start of its code, as far as that is in the text.
    pub(crate) base: u32,
    /// What remains to be done: calls of functions, those of imports, then other relocations, as in a fragment.
    pub(crate) calls: Vec<(u32, u32)>,
    pub(crate) imports: Vec<(u32, u32)>,
    pub(crate) across: Vec<(u32, u32)>,
    pub(crate) relocs: Vec<Reloc>,
}

impl Placer {
    /// Has room for so many functions, of modules that will be loaded, or not.
    pub(crate) fn new(settings: &Settings, functions: usize, loads: bool) -> Box<Placer> {
        Box::new(Placer {
            image: Image::new(settings, loads),
            fragments: Vec::new(),
            end: 0,
            bodies: Vec::with_capacity(functions),
            reports: Vec::new(),
            account: Account::default(),
            stopped: false,
        })
    }

    /// The number of the first function that has no place yet.
    pub(crate) fn next(&self) -> u32 {
        self.bodies.len() as u32
    }

    /// Are the functions that have come within the budget? The error is of the first that is not.
    pub(crate) fn within_budget(&self) -> Result<(), Error> {
        self.account.within_budget()
    }

    /// All functions have come. Code is dropped only of a module that is refused.
    pub(crate) fn complete(self: Box<Placer>) -> Box<Placer> {
        assert!(!self.stopped, "code was dropped of a module that is within its budget");
        self
    }

    /// Prepares for so many bytes of data behind the text. Tables come, too.
    pub(crate) fn prepare(&mut self, data: usize) {
        let tables = self.image.traps.len() + self.image.addresses.as_ref().map_or(0, AddressTable::len);
        self.image.text.prepare(data + tables);
    }

    /// Places the functions that come next.
    pub(crate) fn place(&mut self, mut fragment: Fragment) {
        debug_assert_eq!(fragment.first, self.next());
        self.account.add(&fragment);
        self.reports.append(&mut fragment.reports);
        let funcs = std::mem::take(&mut fragment.funcs);
        self.stopped |= fragment.dropped || self.account.within_budget().is_err();
        if self.stopped {
            return self.bodies.resize(self.bodies.len() + funcs.len(), 0);
        }
        // A fragment is padded inside as the text is, and before its first function as if the text began with it.
        let (first, last) = (funcs[0], funcs[funcs.len() - 1]);
        let start = aligned(self.end, first.body - first.start);
        let base = start - first.start;
        if (base + last.end) as usize >= MAX_TEXT {
            // By the padding between functions alone.
            self.account.exceed_text();
            self.stopped = true;
            return self.bodies.resize(self.bodies.len() + funcs.len(), 0);
        }
        let from = if self.fragments.is_empty() {
            0
        } else {
            self.image.text.pad((start - self.end) as usize);
            first.start as usize
        };
        let mut end = 0;
        let Fragment { module, module_first, .. } = fragment;
        for func in funcs {
            fragment.code[end as usize..func.start as usize].fill(Machine::FILLER);
            end = func.end;
            let key = FuncKey::DefinedWasmFunction(module, DefinedFuncIndex::from_u32(self.next() - module_first));
            self.image.add_function(key, base + func.start, base + func.end, FilePos::new(func.wasm));
            if let Some(parts) = &mut self.image.debug {
                let defined = DefinedFuncIndex::from_u32(self.bodies.len() as u32 - module_first);
                parts.function(module, defined, base, &func);
            }
            self.bodies.push(base + func.body);
        }
        let Fragment {
            mut code,
            mut calls,
            imports,
            across,
            relocs,
            records,
            sites,
            handlers,
            safepoints,
            maps,
            unwind,
            locals,
            ..
        } = fragment;
        self.image.record(base, &records);
        self.image.unwind(base, &unwind);
        if let Some(parts) = &mut self.image.debug {
            parts.locals(base, &locals);
        }
        self.image.exceptions.push(base, &sites, &handlers);
        self.image.stack_maps.extend(base, &safepoints, &maps);
        // While the code is at hand. What is called further on has no place yet.
        let bodies = &self.bodies;
        calls.retain(|&(at, index)| match bodies.get(index as usize) {
            Some(&body) => {
                Machine::resolve(&mut code, at, base + at, body);
                false
            }
            None => true,
        });
        self.end = base + end;
        calls.shrink_to_fit();
        self.image.text.push(Piece { code, from });
        self.fragments.push(Placed { module, base, calls, imports, across, relocs });
    }
}

/// The first offset from `at` on where what follows after `skip` more bytes is aligned.
pub(crate) fn aligned(at: u32, skip: u32) -> u32 {
    (at + skip).next_multiple_of(FUNC_ALIGN) - skip
}
