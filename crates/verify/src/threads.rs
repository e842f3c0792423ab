//! Calls between components that are begun and ended in place.
//!
//! Such a call has a thread that the host makes only if anybody asks for it. Until then the thread is a record in the
//! frame of the function that makes the call, and the store's current thread is a pointer to it: whoever asks, reads
//! it. So before the store points there, all of the record is written: the thread before, which call it is, and what
//! the slots of the task were, which are 0 from then on. While it points there nothing writes the record; no call may
//! leave the function with an exception that no handler of it takes, and no return or tail call leaves it at all. A
//! trap does, and the host's entry sees to that.
//!
//! The store still points there at the end, or the host has made the thread. In the one case the thread before and the
//! slots are put back, in the other the import is called that ends the call.

use crate::facts::{Record, StoreField, Threads};
use crate::state::{Flags, done};
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};

/// In `b` of `Thread`: the current thread where this frame's is not, to be kept in a record; and where it may be, to be
/// compared.
const BEFORE: u32 = 0;
/// See `BEFORE`.
const CURRENT: u32 = 1;

/// What is known of both slots.
const SAVED: [u32; 2] = [done::SAVED_0, done::SAVED_1];
const CLEARED: [u32; 2] = [done::CLEARED_0, done::CLEARED_1];
const PUT_BACK: [u32; 2] = [done::PUT_BACK_0, done::PUT_BACK_1];

const ALL_SAVED: u32 = done::SAVED_0 | done::SAVED_1;
const ALL_CLEARED: u32 = done::CLEARED_0 | done::CLEARED_1;

/// What is to be so where a function is left.
const LEFT_AS_FOUND: u32 = done::APART | done::PUT_BACK_0 | done::PUT_BACK_1;

impl Walk<'_> {
    /// At the entry of a function.
    pub(crate) fn begin_threads(&mut self) {
        self.record_at = None;
        self.st.done |= LEFT_AS_FOUND;
    }

    /// May code begin and end calls between components?
    fn enters(&self) -> Option<&Threads> {
        self.p.facts.threads.as_ref().filter(|threads| threads.enters && self.role.is_body())
    }

    fn record(&self) -> Proved<Record> {
        self.enters().map(|threads| threads.record).ok_or("store of another thread")
    }

    /// May the store's current thread be this frame's?
    fn may_be_current(&self) -> bool {
        self.record_at.is_some() && self.st.done & done::APART == 0
    }

    /// May code of a module read a slot of the task, or write it?
    pub(crate) fn may_have_slot(&self, slot: u8, writes: bool) -> bool {
        let Some(threads) = self.p.facts.threads.as_ref().filter(|_| self.role.is_body()) else { return false };
        let own = if writes { threads.writes } else { threads.reads };
        threads.enters || own.get(usize::from(slot)) == Some(&true)
    }

    /// What is read of the store's current thread.
    pub(crate) fn current_thread(&self) -> Option<Value> {
        self.enters()?;
        Some(Value::of(Tag::Thread, if self.may_be_current() { CURRENT } else { BEFORE }))
    }

    /// What is read of a slot.
    pub(crate) fn slot_of_task(&self, slot: u8) -> Value {
        if self.enters().is_some() { Value::of(Tag::TaskSlot, slot.into()) } else { Value::U32 }
    }

    /// A word is stored in the frame that is the thread before: its place is that of the record.
    pub(crate) fn keep_thread(&mut self, at: i32, value: Value) -> Proved<()> {
        let record = self.record()?;
        if value.b() != BEFORE || self.may_be_current() {
            return Err("store of a thread that may be this frame's");
        }
        let place = at - record.parent.cast_signed();
        if self.record_at.is_some_and(|known| known != place) {
            return Err("a frame with the records of two threads");
        }
        self.record_at = Some(place);
        self.put_word(at, value);
        Ok(())
    }

    /// Bytes of the frame are written, perhaps with a slot of the task.
    pub(crate) fn note_record(&mut self, at: i32, width: u32, value: Value) {
        let (Some(place), Ok(record)) = (self.record_at, self.record()) else { return };
        for ((field, saved), cleared) in record.saved.into_iter().zip(SAVED).zip(CLEARED) {
            let from = place + field.cast_signed();
            if at < from + 4 && from < at + width.cast_signed() {
                self.st.done &= !(saved | cleared);
            }
        }
        if value.is(Tag::TaskSlot) && width == 4 {
            let slot = value.b() as usize;
            if at == place + record.saved[slot].cast_signed() {
                self.st.done |= SAVED[slot];
            }
        }
    }

    /// May bytes of the frame be written? Not those of a record that others may read.
    pub(crate) fn check_record(&self, from: i64, to: i64) -> Proved<()> {
        let (Some(place), true) = (self.record_at, self.may_be_current()) else { return Ok(()) };
        let record = self.record()?;
        if from < i64::from(place) + i64::from(record.bytes) && i64::from(place) < to {
            return Err("store to the record of a thread that may be the current one");
        }
        Ok(())
    }

    /// A slot of the task is written.
    pub(crate) fn set_slot(&mut self, slot: u8, value: Value) -> Proved<()> {
        if !value.is_number() {
            return Err("store of what is no number");
        }
        for reg in 0..16 {
            if self.st.regs[reg] == Value::of(Tag::TaskSlot, slot.into()) {
                self.st.regs[reg] = Value::U32;
            }
        }
        let slot = usize::from(slot);
        let (Some(place), Ok(record)) = (self.record_at, self.record()) else { return Ok(()) };
        let is_saved = self.st.done & SAVED[slot] != 0;
        if is_saved && value == Value::of(Tag::Slot32, (place + record.saved[slot].cast_signed()).cast_unsigned()) {
            self.st.done |= PUT_BACK[slot];
            self.st.done &= !(SAVED[slot] | CLEARED[slot]);
        } else if self.may_be_current() {
            self.st.done &= !PUT_BACK[slot];
        } else if is_saved && value == Value::NULL {
            self.st.done |= CLEARED[slot];
            self.st.done &= !PUT_BACK[slot];
        } else {
            self.st.done &= !(SAVED[slot] | CLEARED[slot]);
        }
        Ok(())
    }

    /// The store is to have another current thread: this frame's, or again the one before.
    pub(crate) fn set_current_thread(&mut self, value: Value) -> Proved<()> {
        let record = self.record()?;
        let Some(place) = self.record_at else { return Err("store of a thread without a record") };
        // What was compared was compared with the thread that was current then.
        self.st.flags = Flags::UNKNOWN;
        if value == Value::of(Tag::Thread, BEFORE) {
            if self.st.done & done::SAME == 0 || !self.may_be_current() {
                return Err("store of the thread before where the current one may not be this frame's");
            }
            self.st.done |= done::APART;
            self.st.done &= !done::SAME;
            return Ok(());
        }
        if value.as_stack() != Some(place) {
            return Err("store of another thread");
        }
        if place % 8 != 0 || self.may_be_current() {
            return Err("store of a thread that may be the current one");
        }
        let field = |field: u32| place + field.cast_signed();
        let word = |at: i32| self.frames.get(self.st.slots, self.word(at));
        if word(field(record.parent)) != Value::of(Tag::Thread, BEFORE) {
            return Err("a record without the thread before");
        }
        let is_number = |at: i32| word(at).halves() & 1 << (at.rem_euclid(8) / 4) != 0;
        if record.arguments.into_iter().chain(record.saved).any(|at| !is_number(field(at))) {
            return Err("a record that is not written as a whole");
        }
        if self.st.done & (ALL_SAVED | ALL_CLEARED) != ALL_SAVED | ALL_CLEARED {
            return Err("a thread whose slots are not those of a new one");
        }
        self.st.done &= !(done::APART | done::SAME | ALL_CLEARED);
        Ok(())
    }

    /// The current thread was compared with a place of the frame.
    pub(crate) fn learn_of_thread(&mut self, equal: bool, values: [Value; 2]) {
        let [left, right] = values;
        let (thread, place) = if left.is(Tag::Thread) { (left, right) } else { (right, left) };
        if !thread.is(Tag::Thread) || place.as_stack().is_none() || place.as_stack() != self.record_at {
            return;
        }
        if thread.b() != CURRENT || !self.may_be_current() {
            return;
        }
        if equal {
            self.st.done |= done::SAME;
            return;
        }
        // The host has made the thread, and nobody makes this frame's the current one again. Nor is the one before
        // what it was, and the slots are the host's to put back.
        self.st.done |= done::APART;
        self.frames.share();
        self.forget_record();
    }

    /// May these be compared as threads?
    pub(crate) fn may_compare_threads(left: Value, right: Value) -> bool {
        left.is(Tag::Thread) && right.is(Tag::Stack) || left.is(Tag::Stack) && right.is(Tag::Thread)
    }

    /// A call is made, during which anybody may ask for the current thread. Below `top` the frame is the callee's.
    pub(crate) fn call_with_thread(&mut self, top: i32) -> Proved<()> {
        let Some(place) = self.record_at else { return Ok(()) };
        if self.may_be_current() {
            if place < top {
                return Err("call with the record of a thread in what is the callee's");
            }
            let maps = &self.p.tables.maps;
            if maps.binary_search_by_key(&self.next, |map| map.returns_to).is_ok() {
                return Err("call with references in a frame whose thread may be the current one");
            }
            self.st.done &= !done::SAME;
            return Ok(());
        }
        self.forget_record();
        Ok(())
    }

    /// What the record has of the thread before may be another's by now.
    fn forget_record(&mut self) {
        let (Some(place), Ok(record)) = (self.record_at, self.record()) else { return };
        let at = place + record.parent.cast_signed();
        if self.frames.get(self.st.slots, self.word(at)).is(Tag::Thread) {
            self.put_word(at, Value::UNDEF);
        }
        for reg in 0..16 {
            if self.st.regs[reg].is(Tag::Thread) {
                self.st.regs[reg] = Value::UNDEF;
            }
        }
        self.st.done &= !(done::SAME | ALL_SAVED | ALL_CLEARED);
    }

    /// A call, perhaps of an imported function, from which an exception may come.
    pub(crate) fn may_throw(&self, import: Option<u32>) -> Proved<()> {
        let Some(threads) = self.p.facts.threads.as_ref().filter(|_| self.may_be_current()) else { return Ok(()) };
        let traps = import.is_some() && import == threads.trap;
        if threads.exceptions && !traps && !self.catches_all() {
            return Err("call from which an exception may leave the frame of the current thread");
        }
        Ok(())
    }

    /// A routine is called. None that adapters have need of, and some let others throw, or change stacks.
    pub(crate) fn call_routine_with_thread(&self) -> Proved<()> {
        if self.may_be_current() { Err("call of a routine from the frame of the current thread") } else { Ok(()) }
    }

    /// A function was called, perhaps an imported one: if that is what ends calls, the slots are those of the thread
    /// before.
    pub(crate) fn called_import(&mut self, import: Option<u32>) {
        let ends = import.is_some() && self.enters().is_some_and(|threads| threads.exit == import);
        if ends && !self.may_be_current() {
            self.st.done |= done::PUT_BACK_0 | done::PUT_BACK_1;
        }
    }

    /// The function is left.
    pub(crate) fn leave_threads(&self) -> Proved<()> {
        if self.role.is_body() && self.st.done & LEFT_AS_FOUND != LEFT_AS_FOUND {
            return Err("function that is left while its thread may be the current one");
        }
        Ok(())
    }

    /// The field of the store that is for intrinsics, and for code that does what these do in place.
    pub(crate) fn check_task_field(&self, field: StoreField, writes: bool) -> Proved<()> {
        match field {
            StoreField::TaskSlot(slot) if self.may_have_slot(slot, writes) => Ok(()),
            _ => self.check_intrinsic_field(field, writes),
        }
    }
}
