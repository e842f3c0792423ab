//! The frame, and who lives where: homes of locals, prologue, epilogue.
//!
//! ```text
//!   [frame + 16 ...]   stack arguments, popped by this function when it returns
//!   [frame + 8]        return address
//!   [frame]            caller's frame pointer
//!   ...                saved registers, result area pointer, record of a thread, slots of locals
//!   slots_base         operand slot 0, 1, 2 ... downwards
//!   ...                registers saved by stubs
//!   [stack ...]        arguments and result areas of calls made from here
//! ```

use crate::emit::values::zero_bits;
use crate::emit::values::{LocalState, Remembered, Values};
use crate::emit::writer::Stop;
use crate::emit::{FuncGen, Lists};
use crate::isa::{Alu, Isa, Load, Src, Store};
use crate::treaty::code::LocalPlace;
use crate::treaty::fault::{Fault, without};
use crate::treaty::sig::AbiLoc;
use crate::treaty::ty::{Ty, Width};
use crate::validate::survey::Survey;
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// Functions that call nothing, and jump to nobody who may enter them again (`Calls::Onward`), go without a look at the
/// stack limit if their locals take at most so many bytes and their bodies are at most so long that operands cannot
/// take more than a few hundred: the host keeps far more than that below the limit, and nothing further down can
/// follow.
const UNCHECKED_LEAF_LOCALS: u32 = 256;
/// The longest body of such a function, see `UNCHECKED_LEAF_LOCALS`: two bytes push at most one operand of eight, or of
/// sixteen.
const UNCHECKED_LEAF_BODY: usize = 128;

/// Locals with fewer weighted touches than this are not worth saving and restoring a preserved register.
const WORTH_SAVING: u32 = 3;

/// Where there are so many touches of locals of a class from one block to the next, and more locals than registers,
/// none has a home: what registers hold follows the touches.
const LONG_LINE: u32 = 24;
/// So many where there are loops, at whose labels locals without homes are in their slots.
const LONG_LOOP: u32 = 80;
/// The blocks that a function has beside its own.
const FEW_BLOCKS: u32 = 3;
/// Weight in loops with calls of locals that are worth a register which calls destroy: two touches in such a loop.
const WORTH_PASSING: u32 = 16;

/// How many of the heaviest locals of a class are considered for homes: no instruction set has more of them.
const CANDIDATES: usize = 10;

/// The heaviest locals of a class.
#[derive(Default)]
pub(crate) struct Top {
    /// Weights and positions, heaviest first.
    locals: [(u32, u32); CANDIDATES],
    len: usize,
    /// How many locals there are, and their weight.
    count: u32,
    total: u32,
}

impl Top {
    #[inline]
    fn add(&mut self, weight: u32, at: u32) {
        self.count += 1;
        self.total = self.total.saturating_add(weight);
        let mut i = self.len;
        if i == CANDIDATES {
            i -= 1;
            if self.locals[i].0 >= weight {
                return;
            }
        } else {
            self.len += 1;
        }
        while i > 0 && self.locals[i - 1].0 < weight {
            self.locals[i] = self.locals[i - 1];
            i -= 1;
        }
        self.locals[i] = (weight, at);
    }

    /// Are more locals touched than there is room for in so many registers, and in long lines?
    fn is_spread(&self, registers: usize, survey: &Survey) -> bool {
        let line = if survey.block_weight as usize > survey.blocks.len() { LONG_LOOP } else { LONG_LINE };
        self.count > registers as u32 && self.total / line > survey.block_weight.saturating_add(FEW_BLOCKS)
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// Gives each touched local its home or slot. Linear in the touched locals.
    fn plan(&mut self) {
        let survey = self.survey;
        self.w.counters.steps += (survey.locals.len() + self.sig.params.len() + self.sig.results.len()) as u64;
        self.w.counters.locals += survey.locals.len() as u64;
        self.remembered = Remembered::NONE;
        let may_call = self.survey_may_call();
        let idle = survey.idle_heap();
        let debug = self.facts.settings.debug;
        let Lists { tops, .. } = &mut *self.lists;
        // By class the heaviest locals, heaviest first; among equals the one touched first.
        tops.iter_mut().for_each(|top| (top.len, top.count, top.total) = (0, 0, 0));
        let locals = &mut self.values.locals;
        locals.clear();
        locals.reserve(survey.locals.len());
        for (at, local) in survey.locals.iter().enumerate() {
            locals.push(LocalState { ty: local.ty, home: None, copy: None, slot: 0, depth: local.depth() });
            // Where a collector may run, references are in memory; and all is where somebody may look at any time.
            if !debug && !(local.ty == Ty::GcRef && may_call) && idle != Some(at) {
                tops[local.ty.class() as usize].add(local.weight, at as u32);
            }
        }
        // Homes stay where they are across calls, and handlers look for locals there.
        let [ints, floats] = match may_call || survey.handlers {
            true => [false; 2],
            false => [RegClass::Int, RegClass::Float].map(|class| self.is_spread(class)),
        };
        let preserved = if ints { I::PRESERVED.len() } else { self.assign_homes(RegClass::Int) };
        if self.lists.tops[RegClass::Float as usize].len > 0 && !floats {
            self.assign_homes(RegClass::Float);
        }
        self.assign_slots(preserved, ints);
    }

    /// Are the locals of a class touched in lines so long, and so many of them, that none is worth a register for the
    /// whole function?
    fn is_spread(&self, class: RegClass) -> bool {
        let registers = I::ALLOCATABLE.class(class).len() as usize;
        self.lists.tops[class as usize].is_spread(registers, self.survey)
    }

    /// Gives the heaviest locals of a class their homes. Gives how many are in registers that calls preserve.
    #[inline(never)]
    fn assign_homes(&mut self, class: RegClass) -> usize {
        let (preserved, volatile_order): (&[Reg], &[Reg]) = match class {
            RegClass::Int => (I::PRESERVED, I::VOLATILE_HOMES),
            RegClass::Float => (&[], I::FLOAT_HOMES),
        };
        let mut volatile = RegSet::of(volatile_order);
        const {
            assert!(I::PRESERVED.len() + I::VOLATILE_HOMES.len() <= CANDIDATES);
            assert!(I::FLOAT_HOMES.len() <= CANDIDATES);
        }
        let mut most_volatile = volatile.len();
        if self.leaf.undemanding {
            // One value crosses a label in the first result register.
            let merge = match class {
                RegClass::Int => I::PRIVATE.int_results[0],
                RegClass::Float => I::PRIVATE.float_results[0],
            };
            for loc in &self.sig.private.params {
                if let AbiLoc::Reg(reg) = *loc
                    && reg.class() == class
                    && reg != merge
                {
                    volatile.add(reg);
                }
            }
        }
        let mut preserved = preserved.iter().copied();
        let most = preserved.len();
        let call_cost = 2 * self.survey.call_weight;
        for i in 0..self.lists.tops[class as usize].len {
            let (weight, at) = self.lists.tops[class as usize].locals[i];
            let arrival = self.arrival(self.survey.locals[at as usize].local);
            let mut take_volatile = || {
                most_volatile = most_volatile.checked_sub(1)?;
                let reg = match arrival {
                    Some(AbiLoc::Reg(reg)) if volatile.has(reg) => reg,
                    _ => *volatile_order.iter().find(|r| volatile.has(**r))?,
                };
                volatile.remove(reg);
                Some(reg)
            };
            let worth_saving = weight >= WORTH_SAVING;
            let worth_volatile = weight > call_cost;
            let home = if self.survey.call_weight > 0 && class == RegClass::Int && self.is_worth_passing(at) {
                take_volatile().or_else(|| if worth_saving { preserved.next() } else { None })
            } else if self.survey.call_weight > 0 {
                (if worth_saving { preserved.next() } else { None })
                    .or_else(|| if worth_volatile { take_volatile() } else { None })
            } else {
                take_volatile().or_else(|| if worth_saving { preserved.next() } else { None })
            };
            self.locals[at as usize].home = home;
            self.w.counters.homes += u64::from(home.is_some());
        }
        most - preserved.len()
    }

    /// Is what a local holds never read behind a call that it was written before? Then nothing of it need be saved.
    fn is_passing(&self, at: u32) -> bool {
        !self.survey.locals[at as usize].crosses_calls && !self.survey.handlers
    }

    /// Is such a local worth a register that calls destroy? Where it is touched in a loop with calls: loops without
    /// keep what they touch most in such registers by themselves, and elsewhere copies do as well.
    fn is_worth_passing(&self, at: u32) -> bool {
        let local = &self.survey.locals[at as usize];
        local.weight.saturating_sub(local.in_calm_loops) >= WORTH_PASSING && self.is_passing(at)
    }

    /// Where a local comes in, if it is a parameter.
    fn arrival(&self, local: u32) -> Option<AbiLoc> {
        self.sig.private.params.get(local as usize).copied()
    }

    /// Lays out the frame, in which so many registers of the caller are saved; for homes, or for whatever value.
    fn assign_slots(&mut self, preserved: usize, for_all: bool) {
        let survey = self.survey;
        let may_call = self.survey_may_call();
        let preserved_set = RegSet::of(I::PRESERVED);
        self.lists.saved.clear();
        self.lists.volatile_homes.clear();
        if for_all {
            let saved = I::PRESERVED.iter().enumerate().map(|(i, reg)| (*reg, -8 * (i as i32 + 1)));
            self.lists.saved.extend(saved);
        }
        self.passing = RegSet::EMPTY;
        let mut offset = -8 * preserved as i32;
        if survey.handlers {
            offset = self.save_for_landing_pads();
        }
        if self.sig.private.result_area.is_some() {
            offset -= 8;
            self.result_area_slot = offset;
        }
        if survey.sync_call
            && let Some(threads) = self.facts.threads
        {
            debug_assert!(threads.record_bytes % 8 == 0, "slots are of 8 bytes");
            offset -= threads.record_bytes;
            self.thread_record = offset;
        }
        let idle = survey.idle_heap();
        let mut references = false;
        let mut homes = RegSet::EMPTY;
        for at in 0..self.locals.len() {
            let LocalState { home, ty, .. } = self.locals[at];
            let needs_slot = match home {
                None => idle != Some(at),
                Some(reg) => {
                    homes.add(reg);
                    let is_preserved = preserved_set.has(reg);
                    if is_preserved && !survey.handlers {
                        let saved = -8 * (self.lists.saved.len() as i32 + 1);
                        self.lists.saved.push((reg, saved));
                    } else if !is_preserved && may_call && self.is_passing(at as u32) {
                        self.passing.add(reg);
                    } else if !is_preserved && may_call {
                        self.lists.volatile_homes.push(at as u32);
                    }
                    may_call && (survey.handlers || !is_preserved && !self.passing.has(reg))
                }
            };
            if ty == Ty::GcRef && may_call {
                references = true;
            } else if needs_slot {
                self.locals[at].slot = match self.arrival(survey.locals[at].local) {
                    Some(AbiLoc::Stack(arg)) => 16 + arg as i32,
                    _ => {
                        // Vectors are aligned.
                        offset = if ty.is_wide() { (offset - 16) & !15 } else { offset - 8 };
                        offset
                    }
                };
            }
        }
        // Those that stack maps name are all in this frame, side by side.
        if references {
            let Values { locals, roots, .. } = &mut self.values;
            for local in locals.iter_mut().filter(|local| local.ty == Ty::GcRef) {
                offset -= 8;
                local.slot = offset;
                roots.locals.push(offset);
            }
        }
        // So are slots as large as they are.
        self.slots_base = offset & -(1 << self.slot_log2);
        // Preserved registers that are no homes stay untouched, so that nobody need save them.
        let untouched = if for_all { RegSet::EMPTY } else { preserved_set };
        self.regs.restrict(I::ALLOCATABLE.minus(untouched).minus(homes));
    }

    /// What a handler finds in the preserved registers is not what the caller wants back: all are saved, and the
    /// instance pointer with them. Gives the last offset that is taken.
    #[cold]
    fn save_for_landing_pads(&mut self) -> i32 {
        self.lists.saved.extend(I::PRESERVED.iter().enumerate().map(|(i, reg)| (*reg, -8 * (i as i32 + 1))));
        let homes = &mut self.lists.exceptions.homes;
        homes.clear();
        let locals = &self.values.locals;
        homes.extend((0..locals.len() as u32).filter(|at| locals[*at as usize].home.is_some()));
        self.lists.exceptions.context = -8 * (I::PRESERVED.len() as i32 + 1);
        self.lists.exceptions.context
    }

    /// May control leave for code that destroys registers, calls of stubs included?
    pub(crate) fn survey_may_call(&self) -> bool {
        self.survey.calls || self.facts.settings.fuel || self.facts.settings.epochs
    }

    /// Does a call in this function take no more than its operands, the moves, the instruction and its result? That is
    /// so where there are no handlers, no homes that calls destroy, no references in the frame, a memory that stays
    /// where it is, and nobody who asks for garbage. Known when the locals have their homes.
    fn is_plain_caller(&self) -> bool {
        let moves = self.facts.memories.first().is_some_and(|memory| memory.base_may_move);
        let homes = self.lists.volatile_homes.is_empty();
        !self.survey.handlers && homes && !self.roots.any && !moves && !self.facts.settings.poison
    }

    /// For tests: fills the new frame with garbage, by code behind the last instruction, where its size is known.
    fn begin_poison(&mut self) {
        if self.facts.settings.poison {
            let [fill, filled] = self.w.labels();
            self.w.jmp(fill);
            self.w.bind(filled);
            self.lists.poison = Some((fill, filled));
        }
    }

    /// Behind the last instruction, when nothing more is put in the frame.
    #[inline(never)]
    pub(crate) fn finish_poison(&mut self) {
        /// Neither an address that can be accessed nor, as a reference, a number.
        const GARBAGE: i32 = 0x7e7e_7e7e;
        let Some((fill, filled)) = self.lists.poison.take() else { return };
        self.w.reserve_room();
        self.w.bind(fill);
        self.w.unsaved();
        let frame = self.frame_size();
        if frame > 0 {
            let again = self.w.label();
            self.w.iconst(Width::W64, I::SCRATCH, -i64::from(frame), false);
            self.w.bind(again);
            self.w.store_imm(Store::B32, Addr::indexed(I::FRAME, I::SCRATCH, 0, 0), i64::from(GARBAGE));
            self.w.alu(Alu::Add, Width::W64, I::SCRATCH, I::SCRATCH, Src::Imm(4));
            self.w.branch_nonzero(Width::W64, I::SCRATCH, again);
        }
        self.w.jmp(filled);
        self.w.gone();
    }

    /// Emits the prologue and returns where the frame size is to be patched, if there is a frame.
    pub(crate) fn prologue(&mut self) -> Option<u32> {
        self.plan();
        self.calls_plainly = self.is_plain_caller();
        let small = -self.slots_base as u32 <= UNCHECKED_LEAF_LOCALS && self.reader.len() <= UNCHECKED_LEAF_BODY;
        let deep = self.survey.onward || self.survey_may_call() || !small;
        if self.bare {
            debug_assert!(!deep, "who calls, or is not small, has a frame");
            if self.slots_base != 0 {
                self.w.stop(Stop::NeedsFrame);
            }
            self.parts.framed = self.w.offset();
            self.bring_in_parameters();
            self.zero_locals();
            return None;
        }
        // Code for debuggers has nothing ahead of the frame.
        let body = self.w.offset();
        let enter = self.w.enter();
        if deep && !without(Fault::StackCheck) {
            let facts = self.facts;
            self.w.check_stack(&facts.ctx);
        }
        self.begin_poison();
        for i in 0..self.lists.saved.len() {
            let (reg, offset) = self.lists.saved[i];
            if without(Fault::SavePreserved) {
                continue;
            }
            self.w.store(Store::B64, Addr::base(I::FRAME, offset), reg);
            self.w.saved(reg, offset);
        }
        if let Some(reg) = self.sig.private.result_area {
            let slot = Addr::base(I::FRAME, self.result_area_slot);
            self.w.store(Store::B64, slot, reg);
        }
        if self.survey.handlers {
            let context = self.lists.exceptions.context;
            self.w.store(Store::B64, Addr::base(I::FRAME, context), I::CTX);
            self.w.saved(I::CTX, context);
        }
        self.parts.framed = self.w.offset();
        self.bring_in_parameters();
        self.zero_locals();
        self.bring_in_heap();
        self.tell_places(body);
        self.begin_deep();
        self.function_entry_checks();
        Some(enter)
    }

    fn bring_in_parameters(&mut self) {
        self.moves.clear();
        let sig = self.sig;
        // Do all that are touched come in registers and go to homes?
        let mut at_home = true;
        for (param, loc) in sig.private.params.iter().enumerate() {
            let Some(at) = self.survey.find(param as u32) else { continue };
            let local = self.locals[at];
            match (*loc, local.home) {
                (AbiLoc::Reg(reg), Some(home)) => self.moves.add(home, reg),
                (AbiLoc::Reg(reg), None) => {
                    at_home = false;
                    self.w.store(Store::of(local.ty), Addr::base(I::FRAME, local.slot), reg);
                }
                _ => at_home = false,
            }
        }
        self.emit_moves();
        if at_home {
            return;
        }
        for (param, loc) in sig.private.params.iter().enumerate() {
            let Some(at) = self.survey.find(param as u32) else { continue };
            let local = self.locals[at];
            match (*loc, local.home) {
                (AbiLoc::Stack(arg), Some(home)) => {
                    self.w.load(Load::of(local.ty), home, Addr::base(I::FRAME, 16 + arg as i32));
                }
                (AbiLoc::Stack(arg), None) if local.slot < 0 => {
                    self.w.load(Load::I32, I::SCRATCH, Addr::base(I::FRAME, 16 + arg as i32));
                    self.w.store(Store::B32, Addr::base(I::FRAME, local.slot), I::SCRATCH);
                }
                // No home, so the moves have not written it: a copy of what was stored.
                (AbiLoc::Reg(reg), None) if self.regs.free.has(reg) => {
                    self.regs.free.remove(reg);
                    self.watch();
                    self.make_copy_of(reg, at);
                }
                _ => {}
            }
            if param & 15 == 15 {
                self.w.reserve_room();
            }
        }
    }

    /// Says where locals are, if somebody wants to know.
    fn tell_places(&mut self, body: u32) {
        if !self.facts.settings.debug {
            return;
        }
        for (at, local) in self.survey.locals.iter().enumerate().filter(|(_, local)| local.local != Survey::HEAP) {
            let LocalState { ty, slot, .. } = self.values.locals[at];
            let place = LocalPlace { body, local: local.local, ty, slot };
            self.values.w.locals.push(place);
        }
    }

    /// The address of the collector's heap never changes: it is brought to its home and its slot once.
    fn bring_in_heap(&mut self) {
        let Some(at) = self.heap else { return };
        let LocalState { home, slot, .. } = self.locals[at];
        let reg = home.unwrap_or(I::SCRATCH);
        self.heap_base(reg);
        if slot != 0 {
            self.w.store(Store::B64, Addr::base(I::FRAME, slot), reg);
        }
    }

    fn zero_locals(&mut self) {
        let params = self.sig.params.len() as u32;
        let mapped = !self.roots.locals.is_empty();
        let debug = self.facts.settings.debug;
        if !self.survey.zeroed && !self.survey.handlers && !mapped && !debug {
            return;
        }
        for at in 0..self.locals.len() {
            let local = &self.survey.locals[at];
            // Homes are stored before calls in a `try_table`, perhaps before their locals are written.
            let stored = self.survey.handlers && self.locals[at].home.is_some() && local.local != Survey::HEAP;
            let shown = debug && local.local != Survey::HEAP;
            let zeroed = local.zeroed || (stored || shown || mapped && local.ty == Ty::GcRef) && local.local >= params;
            if !zeroed || without(Fault::ZeroLocals) {
                continue;
            }
            if at & 7 == 7 && self.w.check_budget() {
                return;
            }
            let LocalState { ty, home, slot, .. } = self.locals[at];
            match home {
                Some(reg) if ty.is_float() => self.load_const(ty, reg, zero_bits(ty)),
                Some(reg) => self.w.iconst(ty.width(), reg, 0, false),
                None => self.store_const_to(Addr::base(I::FRAME, slot), ty, zero_bits(ty)),
            }
        }
    }

    /// The end of the function: results to where the convention wants them, and back to the caller.
    pub(crate) fn epilogue(&mut self) {
        self.set_conventional(true);
        self.w.reserve_room();
        if self.is_dead() {
            return;
        }
        let abi = &self.sig.private;
        if self.sig.splits() {
            self.split_results();
        }
        let results = self.sig.passed_results();
        if results.len() > 1 {
            // All of them are in their slots, as at every merge of more than one value.
            if self.sig.private.result_area.is_some() {
                let slot = Addr::base(I::FRAME, self.result_area_slot);
                self.w.load(Load::I64, I::SCRATCH, slot);
                for (i, loc) in abi.results.iter().enumerate() {
                    let AbiLoc::Stack(offset) = *loc else { continue };
                    if i & 7 == 7 && self.w.check_budget() {
                        return;
                    }
                    let ty = results[i];
                    let slot = self.slot(i, ty);
                    let (temp, load, store) = match ty.class() {
                        RegClass::Int => (Self::merge_reg(ty), Load::of(ty), Store::of(ty)),
                        RegClass::Float => (I::FLOAT_SCRATCH, Load::of(ty), Store::of(ty)),
                    };
                    self.w.load(load, temp, slot);
                    self.w.store(store, Addr::base(I::SCRATCH, offset as i32), temp);
                }
            }
            for (i, loc) in abi.results.iter().enumerate() {
                let AbiLoc::Reg(reg) = *loc else { continue };
                let ty = results[i];
                let slot = self.slot(i, ty);
                self.w.load(Load::of(ty), reg, slot);
            }
        }
        let start = self.w.offset();
        self.restore_saved();
        if !self.bare {
            self.w.leave();
        }
        self.w.ret(abi.stack_args);
        self.parts.epilogue = start..self.w.offset();
    }

    /// Gives the caller its preserved registers back.
    pub(crate) fn restore_saved(&mut self) {
        for i in 0..self.lists.saved.len() {
            let (reg, offset) = self.lists.saved[i];
            if without(Fault::RestorePreserved) && i == 0 {
                continue;
            }
            self.w.load(Load::I64, reg, Addr::base(I::FRAME, offset));
        }
    }

    /// The types of the function's results.
    pub(crate) fn result_types(&self) -> &[Ty] {
        &self.sig.results
    }
}

impl<I: Isa> Values<'_, I> {
    /// Offset from the frame pointer of the area in which stubs save registers; known when all slots are.
    pub(crate) fn stub_area(&self) -> i32 {
        self.slots_base - ((self.slots_used as i32) << self.slot_log2)
    }

    /// Bytes of the frame below the frame pointer.
    pub(crate) fn frame_size(&self) -> u32 {
        let slots = self.slots_used << self.slot_log2;
        ((-self.slots_base) as u32 + slots + self.stub_saves + self.outgoing).next_multiple_of(16)
    }
}
