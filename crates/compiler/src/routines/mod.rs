//! Routines over tables, made once per module that uses them: loops that are too long to stand at every use.
//!
//! A routine is called as a private function with up to three integer arguments, has a frame, keeps preserved
//! registers, and destroys the others. Its three working values live in the preserved registers, so that the host may
//! be called in the middle of the loop to fill an element of a lazy table.

mod arrays;
mod stacks;

use crate::emit::memory::tables::{FILLED, element_at};
use crate::emit::writer::Writer;
use crate::isa::{Alu, Cond, Isa, Load, Src, Store};
use crate::treaty::code::{Routine, Target, TrapCode};
use crate::treaty::facts::{Facts, TableFact};
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label, Reg};

/// Emits a routine at the end of `w` and says where it begins. It is no constant expression, which is compiled as a
/// body is.
pub(crate) fn emit<I: Isa>(facts: &Facts, routine: Routine, w: &mut Writer<I>) -> u32 {
    w.reset_labels();
    w.reserve(96 * I::MAX_PRIMITIVE);
    w.pad_to_entry(0);
    let start = w.offset();
    w.begin_unwind(&facts.settings);
    w.begin_routine(&facts.settings);
    let trap = w.trap_label(TrapCode::TableOutOfBounds);
    RoutineGen::<I> { facts, w, trap }.routine(routine);
    start
}

/// A routine under construction.
pub(crate) struct RoutineGen<'a, I: Isa> {
    pub(crate) facts: &'a Facts,
    pub(crate) w: &'a mut Writer<I>,
    /// Out of bounds of a table.
    trap: Label,
}

/// Bytes of a routine's frame: three saved registers and one word, aligned.
const FRAME_BYTES: u32 = 32;

/// Bytes of an element in an element segment of the host's.
pub(crate) const SEGMENT_ELEMENT_LOG2: u8 = 4;

impl<I: Isa> RoutineGen<'_, I> {
    /// The preserved registers of a routine. The first arguments are in them, as `treaty::routine` says; the others are
    /// for whatever outlasts a call.
    pub(crate) const KEPT: [Reg; 3] = [I::PRESERVED[0], I::PRESERVED[1], I::PRESERVED[2]];
    /// The step of a copy, 1 or -1.
    pub(crate) const STEP: Addr = Addr::base(I::FRAME, -32);
    /// An operand as wide as a vector: on top of the caller's stack.
    const WIDE: Addr = Addr::base(I::FRAME, 16);

    fn routine(mut self, routine: Routine) {
        if let Routine::Stacks(routine) = routine {
            self.stack_routine(routine);
            return self.w.place_traps();
        }
        let enter = self.w.enter();
        self.w.patch_frame(enter, FRAME_BYTES);
        for (i, reg) in Self::KEPT.into_iter().enumerate() {
            let kept = -8 * (i as i32 + 1);
            self.w.store(Store::B64, Addr::base(I::FRAME, kept), reg);
            self.w.saved(reg, kept);
            self.w.mov(Width::W64, reg, I::PRIVATE.int_args[i]);
        }
        let done = self.w.label();
        match RoutineCall::of(routine, Self::arguments()) {
            RoutineCall::TableFill { table, at, value, n } => self.fill(table, at, value, n, done),
            RoutineCall::TableCopy { to, from, at, source, n } => self.copy(to, from, at, source, n, done),
            RoutineCall::TableInit { table, segment, at, source, n } => {
                self.init(table, segment, at, source, n, done);
            }
            RoutineCall::SetReference { address, reference } => self.set_reference(address, reference),
            RoutineCall::Expose { reference } => self.expose(reference, true),
            RoutineCall::List { reference } => self.expose(reference, false),
            RoutineCall::MakeRoom { bytes, alignment } => self.make_room(bytes, alignment),
            RoutineCall::ArrayNew { ty, length } => self.array_new(ty, length),
            RoutineCall::ArrayInit { ty, array, bits } => self.array_init(ty, array, bits, done),
            RoutineCall::ArrayFill { ty, array, index, bits, length } => {
                self.array_fill(ty, array, index, bits, length, done);
            }
            RoutineCall::ArrayCopy { ty, array, index, source, source_index, length } => {
                self.array_copy(ty, [array, index], [source, source_index], length, done);
            }
            RoutineCall::ArrayCheckData { ty, segment, position, length } => {
                self.data_range(ty, segment, position, length);
            }
            RoutineCall::ArrayCheckElem { segment, position, length } => self.elem_range(segment, position, length),
            RoutineCall::ArrayInitData { ty, segment, array, index, position, length } => {
                self.array_init_data(ty, segment, [array, index], position, length);
            }
            RoutineCall::ArrayInitElem { ty, segment, array, index, position, length } => {
                self.array_init_elem(ty, segment, [array, index], position, length, done);
            }
        }
        self.w.bind(done);
        for (i, reg) in Self::KEPT.into_iter().enumerate() {
            self.w.load(Load::I64, reg, Addr::base(I::FRAME, -8 * (i as i32 + 1)));
        }
        if !routine.gives() {
            // Nothing of the host's is left where a result is.
            self.w.iconst(Width::W32, I::ROUTINE_RESULTS[0], 0, false);
        }
        self.w.leave();
        self.w.ret(0);
        self.w.place_traps();
    }

    /// Where a routine has its arguments, from the first on: whether it `is_kept` is asked of each.
    pub(crate) fn arguments() -> impl FnMut(bool) -> Reg {
        let mut arguments = 0..;
        move |is_kept| {
            let n: usize = arguments.next().expect("no end");
            if is_kept { Self::KEPT[n] } else { I::PRIVATE.int_args[n] }
        }
    }

    /// Calls another routine, its arguments in place.
    pub(crate) fn call(&mut self, routine: Routine) {
        self.w.call(Target::Routine(routine));
    }

    /// The extent of a data segment, in the first two result registers.
    pub(crate) fn data_segment(&mut self, segment: u32) {
        self.w.call(Target::DataSegment(segment));
    }

    /// Traps unless `start + n` is at most the length of a table. Uses the first argument register.
    fn check_table(&mut self, table: &TableFact, start: Reg, n: Reg) {
        let end = I::PRIVATE.int_args[0];
        self.sum(end, start, n);
        let place = self.w.reach(table.length);
        self.w.cmp(Width::W64, end, Src::Mem(place)).branch(Cond::GtU, self.trap);
    }

    /// `end = start + n`, trapping if it wraps. (It cannot for two zero-extended i32.)
    fn sum(&mut self, end: Reg, start: Reg, n: Reg) {
        self.w.lea(Width::W64, end, Addr::indexed(start, n, 0, 0));
        self.w.cmp(Width::W64, end, Src::Reg(start)).branch(Cond::LtU, self.trap);
    }

    pub(crate) fn done_if_zero(&mut self, n: Reg, done: Label) {
        self.w.branch_zero(Width::W64, n, done);
    }

    /// The address of an element, for the very next primitive; `base` is destroyed. Of a range that was checked before
    /// all indices are less than the length; but where it is gone over in either direction each `is_checked` by itself,
    /// so that this can be seen in the code, and where branches may be predicted wrongly each is guarded.
    fn table_element(&mut self, table: &TableFact, base: Reg, index: Reg, is_checked: bool) -> Addr {
        let is_guarded = self.facts.settings.spectre && !without(Fault::TableGuard);
        if is_checked || is_guarded {
            let place = self.w.reach(table.length);
            let mut flags = self.w.cmp(Width::W64, index, Src::Mem(place));
            flags.branch(Cond::GeU, self.trap);
            if is_guarded {
                let place = flags.reach(table.base);
                flags.load(Load::I64, base, place);
                flags.guard(Cond::LtU, I::SCRATCH, index, 0);
                return element_at(self.w, table, base, I::SCRATCH);
            }
        }
        let place = self.w.reach(table.base);
        self.w.load(Load::I64, base, place);
        element_at(self.w, table, base, index)
    }

    /// Stores a reference to element `index` of a table; `value` is destroyed, as is `base`.
    fn set(&mut self, table: &TableFact, base: Reg, index: Reg, value: Reg, is_checked: bool) {
        if table.lazy {
            self.w.alu(Alu::Or, Width::W64, value, value, Src::imm(FILLED));
        }
        let element = self.table_element(table, base, index, is_checked);
        if table.elem == Ty::GcRef && self.facts.counts() {
            return self.overwrite(element, value);
        }
        self.w.store(Store::of(table.elem), element, value);
    }

    pub(crate) fn add(&mut self, reg: Reg, by: i32) {
        self.w.alu(Alu::Add, Width::W64, reg, reg, Src::imm(by));
    }

    fn fill(&mut self, table: u32, at: Reg, value: Reg, n: Reg, done: Label) {
        let table = self.facts.tables[table as usize];
        let [_, temp, base] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];
        self.check_table(&table, at, n);
        self.done_if_zero(n, done);
        let again = self.w.label();
        self.w.bind(again);
        let temp = if table.elem.is_wide() {
            self.w.load(Load::of(table.elem), I::FLOAT_SCRATCH, Self::WIDE);
            I::FLOAT_SCRATCH
        } else {
            self.w.mov(Width::W64, temp, value);
            temp
        };
        self.set(&table, base, at, temp, false);
        self.add(at, 1);
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
    }

    fn copy(&mut self, to: u32, from: u32, at: Reg, source: Reg, n: Reg, done: Label) {
        let to = self.facts.tables[to as usize];
        let from_index = from;
        let from = self.facts.tables[from as usize];
        let [temp, value, base] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];
        let value = if from.elem.is_wide() { I::FLOAT_SCRATCH } else { value };
        self.check_table(&from, source, n);
        self.check_table(&to, at, n);
        self.done_if_zero(n, done);
        // Upwards if the destination is lower, else downwards: right for ranges that overlap, the same for others.
        let forward = self.w.label();
        let again = self.w.label();
        self.w.store_imm(Store::B64, Self::STEP, 1);
        self.w.cmp(Width::W64, at, Src::Reg(source)).branch(Cond::LeU, forward);
        self.w.store_imm(Store::B64, Self::STEP, -1);
        self.w.lea(Width::W64, at, Addr::indexed(at, n, 0, -1));
        self.w.lea(Width::W64, source, Addr::indexed(source, n, 0, -1));
        self.w.bind(forward);
        self.w.bind(again);
        let element = self.table_element(&from, base, source, true);
        self.w.load(Load::of(from.elem), value, element);
        if from.lazy {
            let filled = self.w.label();
            let ready = self.w.label();
            self.w.branch_nonzero(Width::W64, value, filled);
            self.w.mov(Width::W64, I::LIBCALL.int_args[2], source);
            self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(from_index), false);
            self.w.libcall(Libcall::TableGetLazy);
            self.w.mov(Width::W64, value, I::LIBCALL.int_results[0]);
            self.w.jmp(ready);
            self.w.bind(filled);
            self.w.alu(Alu::And, Width::W64, value, value, Src::imm(!FILLED));
            self.w.bind(ready);
        }
        self.set(&to, base, at, value, true);
        self.w.load(Load::I64, temp, Self::STEP);
        self.w.alu(Alu::Add, Width::W64, at, at, Src::Reg(temp));
        self.w.alu(Alu::Add, Width::W64, source, source, Src::Reg(temp));
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
    }

    fn init(&mut self, table: u32, segment: u32, at: Reg, source: Reg, n: Reg, done: Label) {
        let table = self.facts.tables[table as usize];
        debug_assert!(matches!(table.index, Ty::I32 | Ty::I64));
        let [end, value, base] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];
        let Some(segment) = self.facts.elems[segment as usize] else {
            // An active or declared segment is empty by now: only empty ranges at its start are in bounds.
            self.sum(end, source, n);
            self.w.branch_nonzero(Width::W64, end, self.trap);
            return self.check_table(&table, at, n);
        };
        self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(segment), false);
        self.w.libcall(Libcall::ElemLength);
        // The length is in a result register that the sum does not touch.
        self.sum(end, source, n);
        let mut flags = self.w.cmp(Width::W64, end, Src::Reg(I::LIBCALL.int_results[0]));
        flags.branch(Cond::GtU, self.trap);
        if self.facts.settings.spectre {
            // What begins out of bounds begins at the start, as long as the trap has not been taken.
            flags.guard(Cond::LeU, source, source, 0);
        }
        self.check_table(&table, at, n);
        self.done_if_zero(n, done);
        self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(segment), false);
        self.w.libcall(Libcall::ElemBase);
        // `source` becomes the address of the next element of the segment.
        let scale = crate::isa::Amount::Imm(SEGMENT_ELEMENT_LOG2);
        self.w.shift(crate::isa::Shift::Shl, Width::W64, source, source, scale);
        self.w.alu(Alu::Add, Width::W64, source, source, Src::Reg(I::LIBCALL.int_results[0]));
        let again = self.w.label();
        self.w.bind(again);
        self.w.load(Load::of(table.elem), value, Addr::base(source, 0));
        self.set(&table, base, at, value, false);
        self.add(at, 1);
        self.add(source, 1 << SEGMENT_ELEMENT_LOG2);
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
    }
}
