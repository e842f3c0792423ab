//! The frame: which of its bytes may be accessed, what each of its words holds, and what becomes of that when it is
//! written.

use crate::abi::bytes;
use crate::exits::VALUE_BYTES;
use crate::facts::ValueType;
use crate::relate::Key;
use crate::state::RSP;
use crate::value::{Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// The lowest offset that a frame may reach.
const DEEPEST: i32 = -(1 << 29);

/// A frame may be so large before the stack pointer is compared with its limit, or if nothing is called.
pub(crate) const UNCHECKED_FRAME: i64 = 2048;

impl Walk<'_> {
    /// May these bytes of the frame be accessed?
    pub(crate) fn check_frame(&mut self, at: i64, width: u32, writes: bool) -> Proved<()> {
        let end = at + i64::from(width);
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("frame without a stack pointer") };
        // Arguments of this function are above its return address.
        let highest = 8 + i64::from(self.abi.stack_args);
        let lowest = i64::from(top).max(DEEPEST.into());
        if at < lowest || end > highest.max(8) {
            return Err("outside of the frame");
        }
        if writes {
            self.check_record(at, end)?;
            if end > -8 && at < 8 {
                // Only a tail call that rebuilds the frame does so; from then on nothing may happen that shows frames.
                self.st.torn = true;
            }
            if !self.has_room(top) {
                return Err("store before the stack is compared with its limit");
            }
            if end > 8 && matches!(self.role, Role::Routine | Role::StartupRoutine) {
                // Whoever calls a routine takes for granted what it has passed.
                return Err("store to what is the caller's");
            }
        } else if !self.has_room(at as i32) {
            return Err("read before the stack is compared with its limit");
        }
        Ok(())
    }

    /// May the stack pointer be there? Beyond where it was compared with the limit there is room for one small frame
    /// more, and for what code that need not compare it passes on.
    pub(crate) fn has_room(&self, top: i32) -> bool {
        let compared = if self.st.checked == crate::state::UNCHECKED { 0 } else { self.st.checked.min(0) };
        i64::from(top) >= i64::from(compared) - UNCHECKED_FRAME - self.room
    }

    /// Nothing is known of what is below the stack pointer: others write there.
    pub(crate) fn forget_below(&mut self, top: i64) {
        if let Ok(top) = i32::try_from(top) {
            let below = self.words_below(top);
            self.frames.forget(&mut self.st.slots, below);
        }
    }

    /// The words of which at least a part is below an offset, as far as frames may reach.
    pub(crate) fn words_below(&self, top: i32) -> std::ops::Range<u32> {
        // The first word that is not as a whole at or above it, if not all of the frame's are below.
        let first = self.word((top.min(self.area()) + 7 & !7) - 8);
        first..self.word(DEEPEST)
    }

    /// Nothing is known of a part of the frame, of whole words: others have written it.
    pub(crate) fn forget_frame(&mut self, at: i32, bytes: u32) {
        self.overwritten(at, bytes);
        for at in (at..at + bytes.cast_signed()).step_by(8) {
            self.put_word(at, Value::UNDEF);
        }
    }

    /// The word of the frame at an offset: an entry's values first, see `values_at`, the result area, see `area`,
    /// arguments on the stack, then downwards.
    #[inline]
    pub(crate) fn word(&self, at: i32) -> u32 {
        (self.top().cast_signed() - at.div_euclid(8) * 8).cast_unsigned() / 8
    }

    /// From the return address up to the end of the offsets of the values, or the result area where there are none.
    #[inline]
    pub(crate) fn top(&self) -> u32 {
        match self.values {
            0 => self.abi.stack_args + self.abi.stack_results,
            values => (self.values_at() + VALUE_BYTES * values.cast_signed() - 8).cast_unsigned(),
        }
    }

    /// Where among the offsets of the frame the values are that the host passes to an entry: above all others, where
    /// code has no access, and not where what is aligned would be.
    pub(crate) fn values_at(&self) -> i32 {
        (self.area() + self.abi.stack_results.cast_signed()) + VALUE_BYTES - 1 & -VALUE_BYTES
    }

    /// Where among the offsets of the frame the result area's bytes are: above the arguments, where code has no access.
    pub(crate) fn area(&self) -> i32 {
        8 + self.abi.stack_args.cast_signed()
    }

    /// Does the frame have a value of a type at an offset?
    pub(crate) fn has_value(&self, at: i32, ty: ValueType, unwritten: &'static str) -> Proved<()> {
        match ty {
            ValueType::Func(func) => self.check_function(self.frames.get(self.st.slots, self.word(at)), func),
            _ if self.frame_has_numbers(at, bytes(ty)) => Ok(()),
            _ => Err(unwritten),
        }
    }

    pub(crate) fn load_frame(&mut self, at: i32, width: u32) -> Proved<Value> {
        let value = self.frames.get(self.st.slots, self.word(at));
        let low = at.rem_euclid(8) as u32;
        if width == 8 && low == 0 {
            if value.is(Tag::Undef) {
                return Ok(value);
            }
            if matches!(value.tag(), Tag::Unanswered | Tag::LowParam) {
                return Ok(Value::UNDEF);
            }
            if matches!(value.tag(), Tag::Cont | Tag::Revision) {
                return Ok(self.half_of_reference(at, value));
            }
            return Ok(if value == Value::ANY { Value::of(Tag::Slot64, at.cast_unsigned()) } else { value });
        }
        if low + width > 8 {
            return Err("read across words of the frame");
        }
        let halves = u32::from(low < 4) | u32::from(low + width > 4) << 1;
        if value.halves() & halves != halves {
            // Whoever moves it has it undefined again; nobody else may use it.
            return Ok(Value::UNDEF);
        }
        if width == 4 {
            if low == 0 && matches!(value.tag(), Tag::LowParam | Tag::Param) {
                return Ok(Value::new(Tag::Param, 1, value.b()));
            }
            if value.is_number() && low == 0 && value.is_u32() && !value.is(Tag::U32) {
                return Ok(value);
            }
            return Ok(Value::of(Tag::Slot32, at.cast_unsigned()));
        }
        Ok(Value::less_than(1 << (8 * width.min(4))))
    }

    pub(crate) fn store_frame(&mut self, at: i32, width: u32, value: Value) -> Proved<()> {
        let same = if width == 4 { Tag::Slot32 } else { Tag::Slot64 };
        if value == Value::of(same, at.cast_unsigned()) {
            // The value is there already.
            return Ok(());
        }
        self.overwritten(at, width);
        self.note_record(at, width, value);
        let low = at.rem_euclid(8) as u32;
        let word = self.word(at);
        if width == 16 {
            if low != 0 {
                return Err("vector across words of the frame");
            }
            self.put_word(at, Value::ANY);
            self.put_word(at + 8, Value::ANY);
            return Ok(());
        }
        if value.is(Tag::Thread) {
            return if width == 8 && low == 0 { self.keep_thread(at, value) } else { Err("part of a pointer") };
        }
        if width == 8 && low == 0 {
            let p = self.p;
            // What the host is passed on the stack is told apart by what it is.
            let constant = self.role.is_of_component() && value.as_constant().is_some();
            let value = if constant { value } else { value.stored(|value| p.moves(value)) };
            // Only of halves is anything known in a word.
            let value = if value.is(Tag::Undef) { Value::of(Tag::Undef, value.b() & 3) } else { value };
            let value = self.st.keep(value, &mut self.frames);
            self.put_word(at, value);
            self.pair_up(at, value);
            return Ok(());
        }
        if low + width > 8 {
            return Err("store across words of the frame");
        }
        if value.is(Tag::Param) && width == 4 && low == 0 {
            self.put_word(at, Value::of(Tag::LowParam, value.b()));
            return Ok(());
        }
        let old = self.frames.get(self.st.slots, word);
        let mut halves = old.halves();
        if value.is(Tag::Undef) {
            halves &= !(1 << (low / 4));
        } else if width == 4 {
            halves |= 1 << (low / 4);
        } else if halves & 1 << (low / 4) == 0 {
            return Err("store to a part of an undefined word");
        }
        let new = if halves == 3 { Value::ANY } else { Value::of(Tag::Undef, halves) };
        if new != old {
            self.put_word(at, new);
        }
        Ok(())
    }

    pub(crate) fn put_word(&mut self, at: i32, value: Value) {
        if self.p.types.functions.any() {
            self.unpair(at);
        }
        let word = self.word(at);
        self.frames.set(&mut self.st.slots, word, value);
    }

    /// A part of the frame is written: values that were read from there are what they are, but no longer what is there.
    pub(crate) fn overwritten(&mut self, at: i32, width: u32) {
        let from_frame = |reg: usize| self.st.regs[reg].is_from_frame();
        debug_assert!((0..16).all(|reg| self.st.from_frame >> reg & 1 != 0 || !from_frame(reg)));
        let end = at + width.cast_signed();
        let mut regs = self.st.from_frame;
        while regs != 0 {
            let reg = regs.trailing_zeros() as usize;
            regs &= regs - 1;
            let value = self.st.regs[reg];
            if value.is_from_frame() {
                let from = value.b().cast_signed();
                let size = if value.is(Tag::Slot32) { 4 } else { 8 };
                if from < end && at < from + size {
                    let key = if size == 4 { Key::Half(from) } else { Key::Slot(from) };
                    self.relate_if(|sums| sums.taken_from_frame(reg as u8, key));
                    self.st.regs[reg] = value.widened();
                }
            }
        }
        if self.st.sums != 0 && self.sums().names_slots() {
            self.relate(|sums| {
                sums.forget(|key| match key {
                    Key::Slot(from) => from < end && at < from + 8,
                    Key::Half(from) => from < end && at < from + 4,
                    _ => false,
                });
            });
        }
    }
}
