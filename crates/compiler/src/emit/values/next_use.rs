//! When locals are touched next, in straight lines that have more of them than registers.
//!
//! A function whose copies never give way pays nothing for this. Once some have, the touches from there to the end of
//! the straight line are looked at, each once, and noted with the next of the same local. What gives way is then what
//! is read last, or what is written before it is read again, which need not be stored.

use crate::emit::values::Values;
use crate::emit::values::value::{Loc, Value};
use crate::isa::Isa;
use crate::operators::reader::Reader;
use crate::operators::{Immediates, Op};
use crate::treaty::fault::proof;
use crate::treaty::ty::Ty;
use lightbeam_asm::{Reg, RegSet};

/// So many copies have to give way before anybody looks ahead.
const PRESSED: u32 = 4;

/// So many touches are looked at together.
const MOST: usize = 4096;

/// Nothing reads what the local holds: it is written before, or the function left.
const DEAD: u32 = u32::MAX;
/// It is not touched before the straight line ends.
const FAR: u32 = u32::MAX - 1;
/// In the notes: it is not touched again before their end.
const LAST: u32 = u32::MAX - 2;

/// What is no local is taken to be read after so many touches.
const REMEMBERED: u32 = 24;

/// As distances, those of what is dead and of what is far.
const NEVER: u32 = 1 << 24;
/// See `NEVER`.
const BEYOND: u32 = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// Nothing is known, and nothing need be.
    #[default]
    Idle,
    /// Copies give way: the next touch of a local is where to look ahead.
    Wanted,
    /// The notes hold up to their end.
    Known,
}

/// When locals are touched next. Times count touches, over the whole function.
#[derive(Default)]
pub(crate) struct NextUses {
    mode: Mode,
    /// How many copies have given way.
    pressed: u32,
    /// Offset of the operator at which the notes end.
    end: u32,
    /// What is true at their end of locals that are not touched before.
    behind: u32,
    /// By touch, the local, and when it is read next.
    notes: Vec<(u32, u32)>,
    /// The note of the next touch.
    cursor: usize,
    /// The time of the first note.
    start: u32,
    /// By local, when it is read next.
    next: Vec<u32>,
    /// By local, the time of its last touch that was looked at, plus 1.
    seen: Vec<u32>,
}

impl NextUses {
    /// For a function of so many locals.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.mode = Mode::Idle;
        self.pressed = 0;
        self.start = 0;
        self.cursor = 0;
        self.notes.clear();
    }

    /// Is there nothing to be done at a touch?
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        self.mode == Mode::Idle
    }

    /// Do the notes hold for the operator at this offset?
    #[inline(always)]
    fn hold(&self, wasm: u32) -> bool {
        self.mode == Mode::Known && wasm < self.end
    }

    /// A copy gives way without anybody knowing when it is read.
    #[inline]
    fn press(&mut self) {
        self.pressed += 1;
        if self.pressed >= PRESSED {
            self.mode = Mode::Wanted;
        }
    }

    fn time(&self) -> u32 {
        self.start + self.cursor as u32
    }

    /// Looks at what comes, from an operator on, up to the end of the straight line. `base` is the offset of the body,
    /// `position` finds locals of which there are so many.
    fn look(&mut self, mut ahead: Reader<'_>, base: u32, locals: usize, position: impl Fn(u32) -> usize) {
        // Not all of them need have come: a line may end in code that nothing reaches.
        let start = self.start + self.notes.len() as u32;
        if start == 0 {
            // Times begin again with each function.
            self.seen.clear();
            self.next.clear();
        }
        self.seen.resize(locals, 0);
        self.next.resize(locals, FAR);
        self.notes.clear();
        (self.start, self.cursor) = (start, 0);
        self.behind = FAR;
        self.mode = Mode::Known;
        loop {
            self.end = base + ahead.pos() as u32;
            let op = ahead.peek_op();
            if let Op::LocalGet | Op::LocalSet | Op::LocalTee = op {
                if self.notes.len() == MOST {
                    return;
                }
                ahead.u8();
                let at = position(ahead.u32());
                let time = start + self.notes.len() as u32;
                let read = if op == Op::LocalGet { time } else { DEAD };
                match self.seen[at].checked_sub(start + 1) {
                    Some(before) => self.notes[before as usize].1 = read,
                    None => self.next[at] = read,
                }
                self.seen[at] = time + 1;
                self.notes.push((at as u32, LAST));
                continue;
            }
            if !is_straight(op) {
                ahead.u8();
                if op == Op::Return || (op == Op::End && ahead.at_end()) {
                    self.behind = DEAD;
                }
                return;
            }
            let op = ahead.operator();
            if !is_straight(op) {
                return;
            }
            ahead.skip_immediates(op);
        }
    }
}

/// Does control go from an operator to the one behind it, and nowhere else but out of the function?
#[inline]
fn is_straight(op: Op) -> bool {
    match op.operator().immediates {
        Immediates::None => !matches!(op, Op::Unreachable | Op::Else | Op::End | Op::Return | Op::ThrowRef),
        Immediates::I32
        | Immediates::I64
        | Immediates::F32
        | Immediates::F64
        | Immediates::Memory(_)
        | Immediates::MemoryLane(_)
        | Immediates::Lane(_)
        | Immediates::Bytes
        | Immediates::Shuffle
        | Immediates::Zero => true,
        Immediates::Index => matches!(op, Op::GlobalGet | Op::GlobalSet),
        _ => false,
    }
}

impl<I: Isa> Values<'_, I> {
    /// A local is about to be touched by the operator at hand, which `here` is ahead of.
    #[inline(never)]
    pub(crate) fn note_touch(
        &mut self,
        at: usize,
        here: Reader<'_>,
        base: u32,
        locals: usize,
        position: impl Fn(u32) -> usize,
    ) {
        let wasm = self.w.wasm;
        if self.next_uses.mode == Mode::Wanted {
            self.next_uses.look(here, base, locals, position);
            let uses = &mut self.next_uses;
            self.w.counters.steps += uses.notes.len() as u64;
            for reg in self.regs.cached {
                let at = self.regs.copy_of[reg.index()] as usize;
                if uses.seen.get(at).is_some_and(|seen| *seen <= uses.start) {
                    uses.next[at] = uses.behind;
                }
            }
        }
        let uses = &mut self.next_uses;
        let note = uses.notes.get(uses.cursor).filter(|_| uses.hold(wasm));
        match note {
            Some((local, next)) => {
                assert!(*local as usize == at, "a touch of local {local} at {wasm:#x} was passed over");
                uses.next[at] = if *next == LAST { uses.behind } else { *next };
                uses.cursor += 1;
            }
            None => uses.mode = Mode::Idle,
        }
    }

    /// Is what a local holds not read again, but by entries that wait?
    pub(crate) fn is_dead(&self, at: usize) -> bool {
        let uses = &self.next_uses;
        uses.hold(self.w.wasm) && uses.next.get(at) == Some(&DEAD)
    }

    /// Does an entry wait to read a local?
    pub(crate) fn is_waited_for(&self, at: usize) -> bool {
        self.stack[self.watermark..].iter().any(|value| value.loc == Loc::Local(at as u32))
    }

    /// Reads a local for the last time: the register that has a copy, which is the entry's from now on.
    #[inline(never)]
    pub(crate) fn last_read(&mut self, at: usize) -> Option<Value> {
        if !self.is_dead(at) {
            return None;
        }
        let local = self.locals[at];
        let copy = local.copy.filter(|copy| self.regs.can_own(*copy))?;
        if local.ty == Ty::GcRef || self.is_waited_for(at) {
            return None;
        }
        self.hand_over(at, copy);
        Some(Value::reg(local.ty, copy))
    }

    /// A register is no copy of a local any more but owned by who asks. The local is nowhere.
    pub(crate) fn hand_over(&mut self, at: usize, copy: Reg) {
        proof!(self.locals[at].copy == Some(copy) && !self.regs.locked.has(copy));
        self.regs.cached.remove(copy);
        self.regs.dirty.remove(copy);
        self.locals[at].copy = None;
    }

    /// Which of these copies gives way, if it is known when they are read. None of them is pinned or locked.
    pub(crate) fn latest(&mut self, cached: RegSet) -> Option<Reg> {
        if !self.next_uses.hold(self.w.wasm) {
            self.next_uses.press();
            return None;
        }
        let uses = &self.next_uses;
        let now = uses.time();
        let mut waited = RegSet::EMPTY;
        for value in &self.stack[self.watermark..] {
            if let Loc::Local(at) = value.loc
                && let Some(copy) = self.locals[at as usize].copy
            {
                waited.add(copy);
            }
        }
        let mut best = None;
        let mut best_rank = 0;
        for reg in cached {
            let at = self.regs.copy_of[reg.index()] as usize;
            let distance = match uses.next.get(at) {
                _ if waited.has(reg) => 0,
                Some(&DEAD) => NEVER,
                Some(&FAR) => BEYOND,
                Some(next) => next.saturating_sub(now).min(MOST as u32),
                None => REMEMBERED,
            };
            // What has to be stored only for that gives way if it is read much later.
            let stored = self.regs.dirty.has(reg) && distance < BEYOND;
            let rank = if stored { distance + 1 } else { 2 * distance + 1 };
            if rank > best_rank {
                (best, best_rank) = (Some(reg), rank);
            }
        }
        let reg = best.expect("there is one");
        let at = self.regs.copy_of[reg.index()] as usize;
        if !waited.has(reg) && uses.next.get(at) == Some(&DEAD) && self.locals[at].ty != Ty::GcRef {
            self.regs.dirty.remove(reg);
        }
        best
    }
}
