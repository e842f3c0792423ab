//! The writer: an assembler, and beside its code all that describes it. Whatever writes machine code writes by one.

use crate::code::{AddressSite, CallSite, Counters, FUNC_ALIGN, FuncCode, Handler, Reloc, Safepoint, TrapSite};
use crate::facts::CpuFeatures;
use crate::isa::Isa;
use std::ops::{Deref, DerefMut};

/// The code of the functions compiled so far by one worker, in the order in which they were compiled, and the tables
/// beside it: an arena that grows from function to function, so that no function allocates for itself. All offsets are
/// in bytes from the start of the code.
///
/// A writer is its instruction set first of all: `w.load(…)` appends an instruction.
pub struct Writer<I: Isa> {
    isa: I,
    /// One entry a function.
    pub funcs: Vec<FuncCode>,
    /// Places that need an address which is known only when all functions have their place.
    pub relocs: Vec<Reloc>,
    /// Instructions that can trap, in ascending order within a function.
    pub traps: Vec<TrapSite>,
    /// The address map, in ascending order within a function.
    pub addresses: Vec<AddressSite>,
    /// Calls from which exceptions come to handlers in the same function, in ascending order.
    pub sites: Vec<CallSite>,
    /// What such calls name; several may name the same.
    pub handlers: Vec<Handler>,
    /// Calls during which a collector may run and that have references in the frame, in ascending order.
    pub safepoints: Vec<Safepoint>,
    /// Stack maps, each some words: how many bytes below the frame pointer it covers; how many words follow; and in
    /// these a bit for each four bytes from the lowest on, which is set where a reference is.
    pub maps: Vec<u32>,
    /// Totals over all functions.
    pub counters: Counters,
}

impl<I: Isa> Deref for Writer<I> {
    type Target = I;

    #[inline(always)]
    fn deref(&self) -> &I {
        &self.isa
    }
}

impl<I: Isa> DerefMut for Writer<I> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut I {
        &mut self.isa
    }
}

/// How far a [`Writer`] has come.
pub(crate) struct Mark {
    code: u32,
    relocs: usize,
    traps: usize,
    addresses: usize,
    sites: usize,
    handlers: usize,
    safepoints: usize,
    maps: usize,
    counters: Counters,
}

impl<I: Isa> Writer<I> {
    /// No code yet, for a processor.
    #[must_use]
    pub fn new(cpu: CpuFeatures) -> Writer<I> {
        Writer {
            isa: I::new(cpu),
            funcs: Vec::new(),
            relocs: Vec::new(),
            traps: Vec::new(),
            addresses: Vec::new(),
            sites: Vec::new(),
            handlers: Vec::new(),
            safepoints: Vec::new(),
            maps: Vec::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            code: self.offset(),
            relocs: self.relocs.len(),
            traps: self.traps.len(),
            addresses: self.addresses.len(),
            sites: self.sites.len(),
            handlers: self.handlers.len(),
            safepoints: self.safepoints.len(),
            maps: self.maps.len(),
            counters: self.counters,
        }
    }

    /// Forgets what has come since, of which all labels and constants are. What it took is not forgotten.
    pub(crate) fn take_back(&mut self, mark: &Mark) {
        self.abandon(mark.code);
        self.relocs.truncate(mark.relocs);
        self.traps.truncate(mark.traps);
        self.addresses.truncate(mark.addresses);
        self.sites.truncate(mark.sites);
        self.handlers.truncate(mark.handlers);
        self.safepoints.truncate(mark.safepoints);
        self.maps.truncate(mark.maps);
        self.counters = Counters { steps: self.counters.steps, ..mark.counters };
    }

    /// Forgets all code and its tables, but not what functions there were and what was counted. Their room stays.
    pub fn drop_code(&mut self) {
        self.truncate(0);
        self.relocs.clear();
        self.traps.clear();
        self.addresses.clear();
        self.sites.clear();
        self.handlers.clear();
        self.safepoints.clear();
        self.maps.clear();
    }

    /// Pads so that what stands `before` bytes from here has the alignment of private entries.
    pub(crate) fn pad_to_entry(&mut self, before: u32) {
        let padding = (self.offset() + before).wrapping_neg() & (FUNC_ALIGN - 1);
        self.pad(padding);
    }
}
