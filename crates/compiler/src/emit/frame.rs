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

use crate::emit::FuncGen;
use crate::emit::values::zero_bits;
use crate::emit::values::{LocalState, Values};
use crate::isa::{Alu, Isa, Load, Src, Store};
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

/// How many of the heaviest locals of a class are considered for homes.
const CANDIDATES: usize = 16;

/// The heaviest locals of a class.
#[derive(Clone, Copy)]
struct Top {
    /// Weights and positions, heaviest first.
    locals: [(u32, u32); CANDIDATES],
    len: usize,
}

impl Top {
    #[inline]
    pub(crate) fn add(&mut self, weight: u32, at: u32) {
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
}

impl<I: Isa> FuncGen<'_, I> {
    /// Gives each touched local its home or slot. Linear in the touched locals.
    fn plan(&mut self) {
        let survey = self.survey;
        self.w.counters.steps += (survey.locals.len() + self.sig.params.len() + self.sig.results.len()) as u64;
        self.w.counters.locals += survey.locals.len() as u64;
        self.locals.clear();
        self.locals.extend(survey.locals.iter().map(|l| LocalState {
            ty: l.ty,
            home: None,
            copy: None,
            slot: 0,
            depth: l.depth(),
        }));
        // By class the heaviest locals, heaviest first; among equals the one touched first.
        let mut tops = [Top { locals: [(0, 0); CANDIDATES], len: 0 }; 2];
        let may_call = self.survey_may_call();
        for (at, local) in survey.locals.iter().enumerate() {
            // Where a collector may run, references are in memory.
            if local.ty == Ty::GcRef && may_call || survey.is_idle_heap(at) {
                continue;
            }
            tops[local.ty.class() as usize].add(local.weight, at as u32);
        }
        for class in [RegClass::Int, RegClass::Float] {
            let Top { locals, len } = &tops[class as usize];
            if *len > 0 {
                self.assign_homes(class, &locals[..*len]);
            }
        }
        self.assign_slots();
    }

    #[inline(never)]
    fn assign_homes(&mut self, class: RegClass, heaviest: &[(u32, u32)]) {
        let (preserved, volatile): (&[Reg], &[Reg]) = match class {
            RegClass::Int => (I::PRESERVED, I::VOLATILE_HOMES),
            RegClass::Float => (&[], I::FLOAT_HOMES),
        };
        let mut volatile = RegSet::of(volatile);
        let volatile_order = match class {
            RegClass::Int => I::VOLATILE_HOMES,
            RegClass::Float => I::FLOAT_HOMES,
        };
        let mut preserved = preserved.iter().copied();
        let call_cost = 2 * self.survey.call_weight;
        for &(weight, at) in heaviest {
            let arrival = self.arrival(self.survey.locals[at as usize].local);
            let mut take_volatile = || {
                let reg = match arrival {
                    Some(AbiLoc::Reg(reg)) if volatile.has(reg) => reg,
                    _ => *volatile_order.iter().find(|r| volatile.has(**r))?,
                };
                volatile.remove(reg);
                Some(reg)
            };
            let worth_saving = weight >= WORTH_SAVING;
            let worth_volatile = weight > call_cost;
            let home = if self.survey.call_weight > 0 {
                (if worth_saving { preserved.next() } else { None })
                    .or_else(|| if worth_volatile { take_volatile() } else { None })
            } else {
                take_volatile().or_else(|| if worth_saving { preserved.next() } else { None })
            };
            self.locals[at as usize].home = home;
            self.w.counters.homes += u64::from(home.is_some());
        }
    }

    /// Where a local comes in, if it is a parameter.
    fn arrival(&self, local: u32) -> Option<AbiLoc> {
        self.sig.private.params.get(local as usize).copied()
    }

    fn assign_slots(&mut self) {
        let mut offset = 0;
        self.lists.saved.clear();
        for at in 0..self.locals.len() {
            if let Some(home) = self.locals[at].home
                && I::PRESERVED.contains(&home)
            {
                offset -= 8;
                self.lists.saved.push((home, offset));
            }
        }
        if self.survey.handlers {
            // What a handler finds in the preserved registers is not what the caller wants back.
            self.lists.saved.clear();
            for (i, reg) in I::PRESERVED.iter().enumerate() {
                self.lists.saved.push((*reg, -8 * (i as i32 + 1)));
            }
            offset = -8 * (I::PRESERVED.len() as i32 + 1);
            self.lists.exceptions.context = offset;
        }
        if self.sig.private.result_area.is_some() {
            offset -= 8;
            self.result_area_slot = offset;
        }
        if self.survey.sync_call
            && let Some(threads) = self.facts.threads
        {
            debug_assert!(threads.record_bytes % 8 == 0, "slots are of 8 bytes");
            offset -= threads.record_bytes;
            self.thread_record = offset;
        }
        let may_call = self.survey_may_call();
        let mut references = false;
        for at in 0..self.locals.len() {
            let LocalState { home, ty, .. } = self.locals[at];
            let needs_slot = match home {
                None => !self.survey.is_idle_heap(at),
                Some(reg) => may_call && (self.survey.handlers || !I::PRESERVED.contains(&reg)),
            };
            if ty == Ty::GcRef && may_call {
                references = true;
            } else if needs_slot {
                self.locals[at].slot = match self.arrival(self.survey.locals[at].local) {
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
        self.lists.volatile_homes.clear();
        if self.survey_may_call() {
            let locals = self.values.locals.iter().enumerate();
            self.lists.volatile_homes.extend(
                locals.filter(|(_, l)| l.home.is_some_and(|reg| !I::PRESERVED.contains(&reg))).map(|(at, _)| at as u32),
            );
        }
        if self.survey.handlers {
            let homes = &mut self.lists.exceptions.homes;
            homes.clear();
            let locals = &self.values.locals;
            homes.extend((0..locals.len() as u32).filter(|at| locals[*at as usize].home.is_some()));
        }
        let homes: RegSet = self.locals.iter().filter_map(|l| l.home).fold(RegSet::EMPTY, |mut set, reg| {
            set.add(reg);
            set
        });
        // Preserved registers that are no homes stay untouched, so that nobody need save them.
        let pool = I::ALLOCATABLE.minus(RegSet::of(I::PRESERVED)).minus(homes);
        self.regs = crate::emit::values::regs::Regs::new(pool);
    }

    /// May control leave for code that destroys registers, calls of stubs included?
    pub(crate) fn survey_may_call(&self) -> bool {
        self.survey.calls || self.facts.settings.fuel || self.facts.settings.epochs
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
    pub(crate) fn finish_poison(&mut self) {
        /// Neither an address that can be accessed nor, as a reference, a number.
        const GARBAGE: i32 = 0x7e7e_7e7e;
        let Some((fill, filled)) = self.lists.poison.take() else { return };
        self.w.reserve_room();
        self.w.bind(fill);
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
    }

    /// Emits the prologue and returns where the frame size is to be patched.
    pub(crate) fn prologue(&mut self) -> u32 {
        self.plan();
        let small = -self.slots_base as u32 <= UNCHECKED_LEAF_LOCALS && self.reader.len() <= UNCHECKED_LEAF_BODY;
        let deep = self.survey.onward || self.survey_may_call() || !small;
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
        }
        if let Some(reg) = self.sig.private.result_area {
            let slot = Addr::base(I::FRAME, self.result_area_slot);
            self.w.store(Store::B64, slot, reg);
        }
        if self.survey.handlers {
            let context = Addr::base(I::FRAME, self.lists.exceptions.context);
            self.w.store(Store::B64, context, I::CTX);
        }
        self.parts.framed = self.w.offset();
        self.bring_in_parameters();
        self.zero_locals();
        self.bring_in_heap();
        self.begin_deep();
        self.function_entry_checks();
        enter
    }

    fn bring_in_parameters(&mut self) {
        self.moves.clear();
        let sig = self.sig;
        for (param, loc) in sig.private.params.iter().enumerate() {
            let Some(at) = self.survey.find(param as u32) else { continue };
            let local = self.locals[at];
            match (*loc, local.home) {
                (AbiLoc::Reg(reg), Some(home)) => self.moves.add(home, reg),
                (AbiLoc::Reg(reg), None) => {
                    self.w.store(Store::of(local.ty), Addr::base(I::FRAME, local.slot), reg);
                }
                _ => {}
            }
        }
        self.emit_moves();
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
        for at in 0..self.locals.len() {
            let local = &self.survey.locals[at];
            // Homes are stored before calls in a `try_table`, perhaps before their locals are written.
            let stored = self.survey.handlers && self.locals[at].home.is_some() && local.local != Survey::HEAP;
            let zeroed = local.zeroed || (stored || mapped && local.ty == Ty::GcRef) && local.local >= params;
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
        self.w.leave();
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
