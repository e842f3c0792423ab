//! The writer: an assembler, and beside its code all that describes it. Whatever writes machine code writes by one.

use crate::isa::{At, Isa, Load};
use crate::treaty::code::{
    CallSite, Counters, FUNC_ALIGN, FuncCode, Handler, LocalPlace, Record, Reloc, Safepoint, Target, TrapCode, Unwind,
    UnwindStep,
};
use crate::treaty::facts::{AddressMap, CpuFeatures, CtxFacts, Settings, Where};
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Width;
use lightbeam_asm::{Addr, Label, Reg};
use std::ops::{Deref, DerefMut, Range};

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
    /// Instructions that can trap and those that the address map has, in ascending order.
    pub records: Vec<Record>,
    /// Calls from which exceptions come to handlers in the same function, in ascending order.
    pub sites: Vec<CallSite>,
    /// What such calls name; several may name the same.
    pub handlers: Vec<Handler>,
    /// Calls during which a collector may run and that have references in the frame, in ascending order.
    pub safepoints: Vec<Safepoint>,
    /// Stack maps, each some words: how many bytes below the frame pointer it covers; how many words follow; and in
    /// these a bit for each four bytes from the lowest on, which is set where a reference is.
    pub maps: Vec<u32>,
    /// How to unwind, in ascending order, if that is asked for.
    pub unwind: Vec<Unwind>,
    /// Where locals are, function by function, if that is asked for.
    pub locals: Vec<LocalPlace>,
    /// Totals over all functions.
    pub counters: Counters,

    /// Offset in the module of the operator that is compiled, which traps and the address map name.
    pub(crate) wasm: u32,
    /// Where the last call of the function returns to, by which the host knows it.
    pub(crate) returns_to: u32,
    /// May traps be faults of the machine?
    hardware_traps: bool,
    address_map: AddressMap,
    /// Is it recorded how to unwind?
    unwinds: bool,
    /// Has what is written a frame, wherever it has not just taken it down?
    framed: bool,
    /// Traps out of line whose places are still to come, and how many have theirs.
    pending: Vec<PendingTrap>,
    placed: usize,
    /// How many of them, the last ones, `trap_label` gives out once more: in a function one, as an operator seldom has
    /// more than one reason to trap.
    shared_traps: usize,
    /// Offset of the code beyond which the function is refused.
    budget_end: u32,
    /// Offset of the code up to which neither the budget nor the room in the buffer need be looked at; 0 for nowhere.
    looked_to: u32,
    stop: Option<Stop>,
}

/// The guarantee on output: at most `PER_BYTE` bytes of code for each byte of wasm, plus `CONSTANT`. It holds for each
/// function, seen to here; a host can hold a module of many functions to it as a whole.
pub struct Budget;

impl Budget {
    /// Code bytes for a byte of wasm.
    pub const PER_BYTE: usize = 160;
    /// Code bytes on top, once.
    pub const CONSTANT: usize = 256 * 1024;

    /// Most code bytes for so many bytes of wasm.
    #[must_use]
    pub const fn most(bytes: usize) -> usize {
        bytes.saturating_mul(Budget::PER_BYTE).saturating_add(Budget::CONSTANT)
    }
}

/// Why a function is refused, or not compiled on like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its code and tables are larger than they may be.
    TooMuchCode,
    /// It was thought to need no frame, see `leaf`.
    NeedsFrame,
    /// Its stack maps become too large, see `safepoints`.
    TooManyReferences,
    /// An operator finds no register in a loop that keeps locals in as many as it may.
    NoRegister,
}

/// A trap out of line: `label` is bound to an instruction that traps, at the end of the function.
#[derive(Clone, Copy)]
pub(crate) struct PendingTrap {
    label: Label,
    /// Why it traps.
    pub(crate) code: TrapCode,
    /// Offset in the module of the operator that traps.
    pub(crate) wasm: u32,
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
    records: usize,
    sites: usize,
    handlers: usize,
    safepoints: usize,
    maps: usize,
    unwind: usize,
    locals: usize,
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
            records: Vec::new(),
            sites: Vec::new(),
            handlers: Vec::new(),
            safepoints: Vec::new(),
            maps: Vec::new(),
            unwind: Vec::new(),
            locals: Vec::new(),
            counters: Counters::default(),
            wasm: 0,
            returns_to: 0,
            hardware_traps: true,
            address_map: AddressMap::None,
            unwinds: false,
            framed: false,
            pending: Vec::new(),
            placed: 0,
            shared_traps: 0,
            budget_end: u32::MAX,
            looked_to: 0,
            stop: None,
        }
    }

    /// Begins a function: what is recorded of it, and how many bytes its code may have.
    pub(crate) fn begin_function(&mut self, settings: &Settings, most: usize) {
        self.begin(settings, settings.address_map, most);
        self.shared_traps = 1;
    }

    /// Begins what is no function: an address in it is of no operator, and all of it shares its traps.
    pub fn begin_routine(&mut self, settings: &Settings) {
        self.begin(settings, AddressMap::None, usize::MAX);
        self.wasm = Record::NO_OPERATOR;
        self.shared_traps = usize::MAX;
    }

    pub(crate) fn begin(&mut self, settings: &Settings, address_map: AddressMap, most: usize) {
        self.wasm = 0;
        self.hardware_traps = settings.hardware_traps;
        self.address_map = address_map;
        self.framed = false;
        self.pending.clear();
        self.placed = 0;
        self.budget_end = self.offset().saturating_add(most.min(I::REACH as usize) as u32);
        self.looked_to = 0;
        self.stop = None;
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            code: self.offset(),
            relocs: self.relocs.len(),
            records: self.records.len(),
            sites: self.sites.len(),
            handlers: self.handlers.len(),
            safepoints: self.safepoints.len(),
            maps: self.maps.len(),
            unwind: self.unwind.len(),
            locals: self.locals.len(),
            counters: self.counters,
        }
    }

    /// Forgets what has come since, of which all labels and constants are. What it took is not forgotten.
    pub(crate) fn take_back(&mut self, mark: &Mark) {
        self.abandon(mark.code);
        self.relocs.truncate(mark.relocs);
        self.records.truncate(mark.records);
        self.sites.truncate(mark.sites);
        self.handlers.truncate(mark.handlers);
        self.safepoints.truncate(mark.safepoints);
        self.maps.truncate(mark.maps);
        self.unwind.truncate(mark.unwind);
        self.locals.truncate(mark.locals);
        self.counters = Counters { steps: self.counters.steps, ..mark.counters };
    }

    /// Forgets everything. The room stays.
    pub fn clear(&mut self) {
        self.abandon(0);
        self.drop_code();
        self.funcs.clear();
        self.counters = Counters::default();
    }

    /// Forgets all code and its tables, but not what functions there were and what was counted. Their room stays.
    pub fn drop_code(&mut self) {
        self.truncate(0);
        self.relocs.clear();
        self.records.clear();
        self.sites.clear();
        self.handlers.clear();
        self.safepoints.clear();
        self.maps.clear();
        self.unwind.clear();
        self.locals.clear();
    }

    /// Pads so that what stands `before` bytes from here has the alignment of private entries.
    pub(crate) fn pad_to_entry(&mut self, before: u32) {
        let padding = (self.offset() + before).wrapping_neg() & (FUNC_ALIGN - 1);
        self.pad(padding);
    }

    // ---- room and budget

    /// Bytes of code that no operator exceeds between two looks at the room.
    const ROOM: usize = 32 * I::MAX_PRIMITIVE;

    /// Makes room for what any operator emits between two calls of this.
    #[inline]
    pub fn reserve_room(&mut self) {
        self.reserve(Self::ROOM);
    }

    /// Is the output larger than it may be? To be asked in loops whose length the input chooses.
    pub fn check_budget(&mut self) -> bool {
        self.reserve_room();
        if self.stop.is_none() && self.offset() > self.budget_end {
            self.stop(Stop::TooMuchCode);
        }
        self.stop.is_some()
    }

    /// Is there neither an end of the room nor of the budget near, and nothing else to look after?
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.offset() < self.looked_to
    }

    /// After `check_budget`: there is room from here on, until `has_room` says no.
    pub(crate) fn look_ahead(&mut self) {
        self.looked_to = self.budget_end.min(self.room_end() - Self::ROOM as u32);
    }

    /// From here on `has_room` says no, until `look_ahead`.
    pub(crate) fn look_again(&mut self) {
        self.looked_to = 0;
    }

    /// Bytes of tables that count as code.
    pub(crate) fn charge(&mut self, bytes: u32) {
        self.budget_end = self.budget_end.saturating_sub(bytes);
        self.looked_to = self.looked_to.min(self.budget_end);
    }

    /// Would so many bytes exceed the budget by themselves?
    pub(crate) fn exceeds_budget(&self, bytes: u32) -> bool {
        bytes > self.budget_end
    }

    /// No further operator is compiled.
    pub(crate) fn stop(&mut self, why: Stop) {
        self.stop = Some(why);
        self.look_again();
    }

    /// At the end of a function: is it refused?
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.stop.or((self.offset() > self.budget_end).then_some(Stop::TooMuchCode))
    }

    // ---- labels

    /// New labels, not yet bound.
    #[inline]
    pub fn labels<const N: usize>(&mut self) -> [Label; N] {
        [(); N].map(|()| self.label())
    }

    // ---- what the host has put somewhere

    /// The address of a piece of the instance; goes through `SCRATCH` if it is behind a pointer.
    pub fn reach(&mut self, at: Where) -> Addr {
        match at {
            Where::Ctx(offset) => Addr::base(I::CTX, offset),
            Where::Through { pointer, disp } => {
                self.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, pointer));
                Addr::base(I::SCRATCH, disp)
            }
        }
    }

    /// A field at `at` waits for an address.
    pub fn reloc(&mut self, at: u32, target: Target) {
        self.relocs.push(Reloc { at, target });
    }

    /// Calls what has an address later. Bodies call by `FuncGen::emit_call`, which knows what a call does to them.
    pub fn call(&mut self, target: Target) {
        let at = self.call_sym();
        self.reloc(at, target);
        self.returns_to = self.offset();
    }

    /// Calls a routine of the host, with all arguments but the first in place.
    pub fn libcall(&mut self, libcall: Libcall) {
        self.mov(Width::W64, I::LIBCALL.int_args[0], I::CTX);
        self.call(Target::Libcall(libcall));
    }

    // ---- frames

    fn unwind_at(&mut self, at: u32, step: UnwindStep) {
        if self.unwinds {
            self.unwind.push(Unwind { at, step });
        }
    }

    /// A function or a routine begins here, or the jump ahead of one.
    pub fn begin_unwind(&mut self, settings: &Settings) {
        self.unwinds = settings.unwind;
        self.unwind_at(self.offset(), UnwindStep::Begin);
    }

    /// The code in this range was repeated at `start`.
    pub fn repeat_unwind(&mut self, code: Range<u32>, start: u32) {
        let mut next = self.unwind.partition_point(|row| row.at <= code.start);
        while let Some(Unwind { at, step }) = self.unwind.get(next).copied()
            && step != UnwindStep::Begin
            && at <= code.end
        {
            self.unwind_at(start + (at - code.start), step);
            next += 1;
        }
    }

    /// As [`Isa::enter`].
    pub fn enter(&mut self) -> At {
        let start = self.offset();
        let at = self.isa.enter();
        self.framed = true;
        self.unwind_at(start + I::ENTERING[0], UnwindStep::Pushed);
        self.unwind_at(start + I::ENTERING[1], UnwindStep::Framed);
        at
    }

    /// What was just stored to the frame, `offset` bytes from the frame pointer, is the caller's `reg`.
    pub fn saved(&mut self, reg: Reg, offset: i32) {
        self.unwind_at(self.offset(), UnwindStep::Saved(reg, offset));
    }

    /// As [`Isa::leave`].
    pub fn leave(&mut self) {
        self.isa.leave();
        self.unwind_at(self.offset(), UnwindStep::Unframed);
    }

    /// As [`Isa::ret`].
    pub fn ret(&mut self, pop: u32) {
        self.isa.ret(pop);
        self.gone();
    }

    /// As [`Isa::jump_back`].
    pub(crate) fn jump_back(&mut self) {
        let start = self.offset();
        self.isa.jump_back();
        self.unwind_at(start + I::JUMPING_BACK, UnwindStep::Popped);
        self.gone();
    }

    /// As [`Isa::lift_frame`].
    pub(crate) fn lift_frame(&mut self) {
        self.isa.lift_frame();
        self.unwind_at(self.offset(), UnwindStep::Lost);
    }

    /// As [`Isa::replace_frame`].
    pub(crate) fn replace_frame(&mut self, to: i32) {
        self.isa.replace_frame(to);
        self.unwind_at(self.offset(), UnwindStep::Unframed);
    }

    /// What follows is reached from where there is no frame.
    pub(crate) fn unframed(&mut self) {
        self.unwind_at(self.offset(), UnwindStep::Unframed);
    }

    /// What follows is reached from where there is a frame, and nothing saved in it yet.
    pub(crate) fn unsaved(&mut self) {
        self.unwind_at(self.offset(), UnwindStep::Unsaved);
    }

    /// Control has left: what follows is reached from elsewhere.
    pub(crate) fn gone(&mut self) {
        if self.framed {
            self.unwind_at(self.offset(), UnwindStep::Framed);
        }
    }

    // ---- traps and the address map

    /// An instruction at `at` belongs to the operator at `wasm`.
    #[inline]
    pub(crate) fn map_address(&mut self, at: u32, wasm: u32) {
        if self.address_map != AddressMap::None {
            self.record(Record { at, wasm, trap: None });
        }
    }

    /// Records an instruction. What is said of the same one once more counts.
    #[inline]
    fn record(&mut self, record: Record) {
        if self.address_map == AddressMap::Operators
            && let Some(last) = self.records.last_mut()
            && last.at == record.at
        {
            *last = record;
            return;
        }
        debug_assert!(self.records.last().is_none_or(|last| last.at < record.at));
        if self.records.len() == self.records.capacity() {
            self.grow_records();
        }
        self.records.push(record);
    }

    #[cold]
    #[inline(never)]
    fn grow_records(&mut self) {
        self.records.reserve(64);
    }

    /// An instruction at `at` belongs to the operator that is compiled.
    #[inline]
    pub(crate) fn map_here(&mut self, at: u32) {
        self.map_address(at, self.wasm);
    }

    /// The instruction at `at` can trap, for the operator that is compiled.
    #[inline]
    pub(crate) fn trap_at(&mut self, at: u32, code: TrapCode) {
        self.trap_of(at, code, self.wasm);
    }

    /// The instruction at `at` can trap, for the operator at `wasm`.
    #[inline]
    pub(crate) fn trap_of(&mut self, at: u32, code: TrapCode, wasm: u32) {
        self.counters.traps += 1;
        self.record(Record { at, wasm, trap: Some(code) });
    }

    /// The instruction at `at` accesses a linear memory, for the operator that is compiled.
    #[inline]
    pub(crate) fn memory_trap_at(&mut self, at: u32) {
        self.memory_trap_of(at, self.wasm);
    }

    /// The instruction at `at` accesses a linear memory, for the operator at `wasm`.
    pub(crate) fn memory_trap_of(&mut self, at: u32, wasm: u32) {
        if crate::treaty::fault::without(crate::treaty::fault::Fault::TrapRecords) {
            return;
        }
        self.trap_of(at, TrapCode::MemoryOutOfBounds, wasm);
    }

    /// A label that traps with a code, for the operator that is compiled, or for the whole of a routine.
    pub fn trap_label(&mut self, code: TrapCode) -> Label {
        for trap in self.pending.iter().rev().take(self.shared_traps) {
            if trap.code == code && trap.wasm == self.wasm {
                return trap.label;
            }
        }
        let label = self.label();
        self.pending.push(PendingTrap { label, code, wasm: self.wasm });
        label
    }

    /// Traps if the stack has come to its limit.
    pub fn check_stack(&mut self, ctx: &CtxFacts) {
        let overflow = self.trap_label(TrapCode::StackOverflow);
        self.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        self.stack_check(Addr::base(I::SCRATCH, ctx.stack_limit), overflow);
    }

    /// An instruction that traps, for the operator at `wasm`. Where traps may be faults.
    pub(crate) fn trap_here(&mut self, code: TrapCode, wasm: u32) {
        let at = self.trap();
        self.trap_of(at, code, wasm);
    }

    /// Binds the label of the next trap out of line, if there is one left.
    pub(crate) fn next_trap(&mut self) -> Option<PendingTrap> {
        let trap = *self.pending.get(self.placed)?;
        self.placed += 1;
        self.reserve_room();
        self.bind(trap.label);
        Some(trap)
    }

    /// Behind the last instruction of what is no function: the traps out of line.
    pub fn place_traps(&mut self) {
        while let Some(trap) = self.next_trap() {
            let early = trap.code == TrapCode::StackOverflow;
            if early {
                self.unsaved();
            }
            if trap.code == TrapCode::StackOverflow && !self.hardware_traps {
                // The frame that does not fit must not be there when the host is called: below it may be anything.
                self.cut_frame();
            }
            if self.hardware_traps {
                self.trap_here(trap.code, trap.wasm);
            } else {
                self.iconst(Width::W64, I::LIBCALL.int_args[1], trap.code as i64, false);
                self.libcall(Libcall::Trap);
            }
            if early {
                self.gone();
            }
        }
    }
}
