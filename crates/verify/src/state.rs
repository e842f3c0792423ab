//! What is known at one place of the code: of registers, the frame, the flags.

use crate::conts::Functions;
use crate::division::{Asked, Divisor};
use crate::lanes::Vectors;
use crate::slots::{Frames, Slots};
use crate::value::{IDENTITY, ONLY_NULL, Tag, Value};

pub(crate) const RAX: usize = 0;
pub(crate) const RCX: usize = 1;
pub(crate) const RDX: usize = 2;
pub(crate) const RBX: usize = 3;
pub(crate) const RSP: usize = 4;
pub(crate) const RBP: usize = 5;
pub(crate) const RSI: usize = 6;
pub(crate) const RDI: usize = 7;
pub(crate) const R8: usize = 8;
pub(crate) const R9: usize = 9;
pub(crate) const R10: usize = 10;
pub(crate) const R11: usize = 11;
pub(crate) const R12: usize = 12;
pub(crate) const R13: usize = 13;
pub(crate) const R14: usize = 14;
pub(crate) const R15: usize = 15;

/// No register, where there may be one.
pub(crate) const NONE: u8 = 0xff;

/// What the flags tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) kind: Kind,
    /// How many bytes were compared.
    pub(crate) bytes: u8,
    /// The registers of the two values, if they are in registers still.
    pub(crate) left: u8,
    pub(crate) right: u8,
    /// The values, as they were compared; of a sum what was added, if both are constants or
    /// the first is a negative one.
    pub(crate) values: [Value; 2],
    /// The number of the condition that is known to hold, because a branch on the other was not taken.
    pub(crate) known: Option<u8>,
    /// What they tell of a division.
    pub(crate) asked: Asked,
}

/// What the flags are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing that is known.
    Unknown,
    /// Two values that were compared.
    Compare,
    /// A result: only whether it is 0 is known, and it is `left`.
    Result,
    /// A sum: whether it is 0, and whether it has wrapped.
    Sum,
    /// A bit that was looked for: if there was none, `left` may hold anything.
    Scan,
}

impl Flags {
    pub(crate) const UNKNOWN: Flags = Flags {
        kind: Kind::Unknown,
        bytes: 0,
        left: NONE,
        right: NONE,
        values: [Value::UNDEF; 2],
        known: None,
        asked: Asked::Nothing,
    };
}

/// What is done at a border.
pub(crate) mod done {
    /// An entry has stored its frame pointer, its stack pointer, and where to go on when it is unwound.
    pub(crate) const ENTRY_FRAME: u32 = 1;
    pub(crate) const ENTRY_STACK: u32 = 2;
    pub(crate) const ENTRY_HANDLER: u32 = 4;
    pub(crate) const ENTERED: u32 = ENTRY_FRAME | ENTRY_STACK | ENTRY_HANDLER;
    /// An exit has stored its frame pointer and where it was called from.
    pub(crate) const EXIT_FRAME: u32 = 8;
    pub(crate) const EXIT_ADDRESS: u32 = 16;
    pub(crate) const LEFT: u32 = EXIT_FRAME | EXIT_ADDRESS;
    /// What the host gave an exit says that it did what it was called for.
    pub(crate) const SUCCEEDED: u32 = 32;
    /// What the host gave an exit says that it failed.
    pub(crate) const FAILED: u32 = 64;
    /// Not done, on any way to here: that an exit has called what it is for. What the host says is of one call.
    pub(crate) const UNCALLED: u32 = 128;
    /// In startup instead, on any way to here: that functions were called, or given to where others find them. Until
    /// then nobody can have dropped a segment.
    pub(crate) const INTACT: u32 = 128;
    /// In a component's own function: the calling instance may leave.
    pub(crate) const MAY_LEAVE: u32 = 1 << 8;
    /// In one that drops a resource: the instance that has the handle may leave.
    pub(crate) const HOLDER_MAY_LEAVE: u32 = 1 << 9;
    /// The host has not failed to take the handle out of its table; and it has said that a destructor is to be run.
    pub(crate) const TAKEN: u32 = 1 << 10;
    /// See `TAKEN`.
    pub(crate) const OWNED: u32 = 1 << 11;
    /// What the context says of whether a task may block is as it was; or it is that it may not.
    pub(crate) const AS_IT_WAS: u32 = 1 << 12;
    /// See `AS_IT_WAS`.
    pub(crate) const NO_BLOCKING: u32 = 1 << 13;
    /// Not done, on any way to here: that a task was begun, that the destructor was called, that the task was ended.
    pub(crate) const NOT_BEGUN: u32 = 1 << 14;
    /// See `NOT_BEGUN`.
    pub(crate) const NOT_DESTROYED: u32 = 1 << 15;
    /// See `NOT_BEGUN`.
    pub(crate) const NOT_ENDED: u32 = 1 << 16;
    /// Done: these, and the host has not failed.
    pub(crate) const BEGUN: u32 = 1 << 17;
    /// See `BEGUN`.
    pub(crate) const DESTROYED: u32 = 1 << 18;
    /// See `BEGUN`.
    pub(crate) const ENDED: u32 = 1 << 19;
    /// In a function: the store's current thread is not the one with a record in this frame. And: it is the one.
    pub(crate) const APART: u32 = 1 << 20;
    /// See `APART`.
    pub(crate) const SAME: u32 = 1 << 21;
    /// The record has what slot 0 of the task was, and slot 1.
    pub(crate) const SAVED_0: u32 = 1 << 22;
    /// See `SAVED_0`.
    pub(crate) const SAVED_1: u32 = 1 << 23;
    /// The slots are 0, as those of a new thread.
    pub(crate) const CLEARED_0: u32 = 1 << 24;
    /// See `CLEARED_0`.
    pub(crate) const CLEARED_1: u32 = 1 << 25;
    /// The slots are those of the thread that was current at the entry.
    pub(crate) const PUT_BACK_0: u32 = 1 << 26;
    /// See `PUT_BACK_0`.
    pub(crate) const PUT_BACK_1: u32 = 1 << 27;
    /// An entry that is unwound has seen to it that the store's current thread is none of a frame that is gone.
    pub(crate) const NO_THREAD: u32 = 1 << 28;
}

impl Flags {
    /// What is known where one of the two holds: the same numbers were compared, as far as less is known of them.
    fn join(&self, other: &Flags, types: &Types, widens: bool) -> Flags {
        let numbers = |n: usize| self.values[n].is_number() && other.values[n].is_number();
        let values = [0, 1].map(|n| match numbers(n) {
            true => types.join_or_widen(self.values[n], other.values[n], widens),
            false => self.values[n],
        });
        let joined = Flags { values, ..*self };
        if joined == (Flags { values, ..*other }) && (0..2).all(|n| numbers(n) || self.values[n] == other.values[n]) {
            joined
        } else {
            Flags::UNKNOWN
        }
    }
}

/// The stack pointer was not compared with the limit.
pub(crate) const UNCHECKED: i32 = i32::MAX;

/// How many identities the frame may hold.
const KEPT: usize = 4;

/// The state.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) regs: [Value; 16],
    /// A bit for each register that may hold what the frame has somewhere (`Slot32`, `Slot64`).
    pub(crate) from_frame: u16,
    /// The caller's frame pointer may be here while the frame is rebuilt.
    pub(crate) xmm15: Value,
    pub(crate) slots: Slots,
    pub(crate) flags: Flags,
    /// What is known of sums: a number among what is kept of them, 0 for nothing. See `Walk::relate`.
    pub(crate) sums: u32,
    /// What of vector registers the module may know.
    pub(crate) vectors: Vectors,
    /// Which of them hold references to continuations: a number among those of the function, 0 for none. See `conts`.
    pub(crate) conts: u32,
    /// Where the stack pointer was when it was compared with the limit, [`UNCHECKED`] if it was not.
    pub(crate) checked: i32,
    /// `rdx` is so many bytes of nothing but the sign of `rax`.
    pub(crate) sign: u8,
    /// What is known of a division by some register.
    pub(crate) divisor: Divisor,
    /// Was the caller's frame pointer or the return address overwritten?
    pub(crate) torn: bool,
    /// What has been done at a border on every way to here, as bits (`done`).
    pub(crate) done: u32,
    /// Identities of function references in the frame.
    pub(crate) kept: [u16; KEPT],
}

impl State {
    /// Nothing is known but where the stack pointer is.
    pub(crate) fn new(slots: Slots) -> State {
        let mut regs = [Value::UNDEF; 16];
        regs[RSP] = Value::stack(0);
        State {
            regs,
            from_frame: 0,
            xmm15: Value::UNDEF,
            slots,
            flags: Flags::UNKNOWN,
            sums: 0,
            vectors: Vectors::NONE,
            conts: 0,
            checked: UNCHECKED,
            sign: 0,
            divisor: Divisor::UNKNOWN,
            torn: false,
            done: 0,
            kept: [0; KEPT],
        }
    }

    /// A register is written.
    #[inline]
    pub(crate) fn set(&mut self, reg: usize, value: Value) {
        self.regs[reg] = value;
        self.from_frame = self.from_frame & !(1 << reg) | u16::from(value.is_from_frame()) << reg;
        if reg == RAX || reg == RDX {
            self.sign = 0;
        }
        let flags = &mut self.flags;
        if self.divisor.is_known() || flags.asked != Asked::Nothing {
            self.divisor = self.divisor.without(reg as u8);
            flags.asked = flags.asked.without(reg as u8);
        }
        if flags.left == reg as u8 {
            flags.left = NONE;
        }
        if flags.right == reg as u8 {
            flags.right = NONE;
        }
    }

    /// Forgets what a loop is likely to change: which numbers registers hold, sums, flags.
    pub(crate) fn widen(&mut self) {
        for value in &mut self.regs {
            if value.is_number() {
                *value = if value.is_u32() { Value::U32 } else { Value::ANY };
            }
        }
        self.flags = Flags::UNKNOWN;
        self.divisor = Divisor::UNKNOWN;
        self.sums = 0;
    }

    /// An identity is about to be given anew: whoever has it still loses it.
    pub(crate) fn retire(&mut self, identity: u32, frames: &mut Frames) {
        for reg in 0..16 {
            if self.regs[reg].has_identity(identity) {
                self.regs[reg] = self.regs[reg].anonymous();
            }
        }
        for value in &mut self.flags.values {
            if value.has_identity(identity) {
                *value = value.anonymous();
            }
        }
        if let Some(kept) = self.kept.iter_mut().find(|kept| u32::from(**kept) == identity) {
            *kept = 0;
            let change = &mut |value: Value| if value.has_identity(identity) { value.anonymous() } else { value };
            self.slots = frames.map(self.slots, change);
        }
    }

    /// A value with an identity is about to be kept in the frame.
    pub(crate) fn keep(&mut self, value: Value, frames: &mut Frames) -> Value {
        let identity = match value.tag() {
            Tag::Func => value.a() & IDENTITY,
            Tag::TypeOf | Tag::IsSubtype | Tag::Cont | Tag::Revision => value.a() & IDENTITY,
            Tag::FuncInstance | Tag::FuncCode | Tag::FuncCodeBehind | Tag::FuncCodeEither => return Value::UNDEF,
            _ => 0,
        } as u16;
        if identity == 0 || self.kept.contains(&identity) {
            return value;
        }
        match self.kept.iter_mut().find(|kept| **kept == 0) {
            Some(kept) => {
                *kept = identity;
                value
            }
            None => {
                // The oldest goes.
                let oldest = u32::from(self.kept[0]);
                let change = &mut |value: Value| if value.has_identity(oldest) { value.anonymous() } else { value };
                self.slots = frames.map(self.slots, change);
                self.kept.rotate_left(1);
                self.kept[KEPT - 1] = identity;
                value
            }
        }
    }

    /// The join with what another way knows, which `widens` what changes if that may be again and again. Says whether
    /// anything was lost.
    pub(crate) fn join(&mut self, other: &State, frames: &mut Frames, types: &Types, widens: bool) -> bool {
        let mut changed = false;
        for (to, from) in self.regs.iter_mut().zip(&other.regs) {
            if to != from && *to != Value::UNDEF {
                let joined = types.join_or_widen(*to, *from, widens);
                changed |= joined != *to;
                *to = joined;
            }
        }
        if self.xmm15 != other.xmm15 && self.xmm15 != Value::UNDEF {
            self.xmm15 = Value::UNDEF;
            changed = true;
        }
        if self.slots != other.slots {
            let joined = frames.join(self.slots, other.slots, types);
            changed |= joined != self.slots;
            self.slots = joined;
        }
        if self.flags != other.flags && self.flags != Flags::UNKNOWN {
            let joined = self.flags.join(&other.flags, types, widens);
            changed |= joined != self.flags;
            self.flags = joined;
        }
        let vectors = self.vectors.join(other.vectors);
        changed |= vectors != self.vectors;
        self.vectors = vectors;
        if self.checked < other.checked {
            self.checked = other.checked;
            changed = true;
        }
        if self.sign != other.sign && self.sign != 0 {
            self.sign = 0;
            changed = true;
        }
        if self.divisor != other.divisor {
            let joined = self.divisor.join(other.divisor);
            changed |= joined != self.divisor;
            self.divisor = joined;
        }
        let done = self.done & other.done;
        changed |= done != self.done;
        self.done = done;
        if !self.torn && other.torn {
            self.torn = true;
            changed = true;
        }
        // Identities in either frame may be in the joined one.
        for identity in other.kept {
            if identity != 0 && !self.kept.contains(&identity) {
                match self.kept.iter_mut().find(|kept| **kept == 0) {
                    Some(kept) => *kept = identity,
                    None => {
                        let identity = u32::from(identity);
                        let change = &mut |value: Value| {
                            if value.has_identity(identity) { value.anonymous() } else { value }
                        };
                        self.slots = frames.map(self.slots, change);
                    }
                }
                changed = true;
            }
        }
        changed
    }
}

/// What joins have to know of types: by number, the supertype's number plus 1, or 0.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) supertypes: Vec<u32>,
    /// Those of functions, if the module has continuations.
    pub(crate) functions: Functions,
}

impl Types {
    /// Is a type another or a subtype of it?
    pub(crate) fn is_subtype(&self, ty: u32, of: u32) -> bool {
        let mut at = ty;
        // Supertypes come first, so this ends.
        loop {
            if at == of {
                return true;
            }
            match self.supertypes.get(at as usize) {
                Some(&next) if next != 0 && next <= at => at = next - 1,
                _ => return false,
            }
        }
    }

    /// The least type above both, as `Func` has types.
    pub(crate) fn common(&self, a: u32, b: u32) -> u32 {
        match (a, b) {
            (ONLY_NULL, other) | (other, ONLY_NULL) => return other,
            _ => {}
        }
        let mut at = a;
        while at != 0 {
            if b != 0 && self.is_subtype(b - 1, at - 1) {
                return at;
            }
            let next = self.supertypes.get(at as usize - 1).copied().unwrap_or(0);
            at = if next < at { next } else { 0 };
        }
        0
    }

    #[inline]
    pub(crate) fn join(&self, a: Value, b: Value) -> Value {
        self.join_or_widen(a, b, false)
    }

    /// What is known where one of two values is there; it may change for ever if it `widens`.
    #[inline]
    pub(crate) fn join_or_widen(&self, a: Value, b: Value, widens: bool) -> Value {
        if a == b {
            return a;
        }
        self.with_type(a, b, a.join(b, widens))
    }

    #[inline]
    pub(crate) fn join_word(&self, a: Value, b: Value) -> Value {
        if a == b {
            return a;
        }
        self.with_type(a, b, a.join_word(b))
    }

    fn with_type(&self, a: Value, b: Value, joined: Value) -> Value {
        if joined.is(Tag::Func) && joined.b() == 0 && a.is(Tag::Func) && b.is(Tag::Func) {
            return Value::new(Tag::Func, joined.a(), self.common(a.b(), b.b()));
        }
        if joined.is(Tag::Cont) && joined.b() == 0 && a.is(Tag::Cont) && b.is(Tag::Cont) {
            return Value::new(Tag::Cont, joined.a(), self.common_cont(a.b(), b.b()));
        }
        joined
    }
}
