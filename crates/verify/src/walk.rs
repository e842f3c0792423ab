//! The walk over one piece of code: from its entry along all ways, in the order of addresses, until nothing that is
//! known at any leader changes.
//!
//! Leaders are targets of jumps, and every so many instructions one more, so that it costs little to go over what is
//! before a target that is found late. Each has a state; whatever comes there is joined with it.

use crate::abi::Abi;
use crate::ahead::Ahead;
use crate::calls::PRESERVED;
use crate::conts::{Conts, NO_CONTS};
use crate::decode::{Instruction, Operand};
use crate::facts::{Builtin, Range};
use crate::forms::Class;
use crate::maps::Collected;
use crate::proof::{Cause, Failure, Fault, Place, Reason};
use crate::prover::{Called, Part, Prover};
use crate::relate;
use crate::slots::Frames;
use crate::stacks::Answer;
use crate::state::State;
use crate::value::{Tag, Value};
use std::collections::BTreeMap;

/// What is proved, or why it is not.
pub(crate) type Proved<T> = Result<T, &'static str>;

/// Instructions from one leader to the next at most.
const STRIDE: u32 = 64;

/// For `State::sums`: what is known of sums has changed since it was kept.
const NOT_KEPT: u32 = u32::MAX;

/// What is out of line is so many times 64 bytes long at most, as far as anybody looks.
const NEAR: usize = 4;

/// Instructions are gone over so often on average at most.
const MOST_VISITS: u64 = 24;

/// What sort of code is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A defined function, from its private entry.
    Body(u32),
    /// The code that brings calls by `Tail` to it.
    Thunk(u32),
    /// The host's entry of it.
    ArrayEntry(u32),
    /// The exit to host functions of a type.
    HostExit(u32),
    /// The exit to a builtin.
    BuiltinExit(Builtin),
    /// A component's own function, from its entry for `Tail`.
    Trampoline(u32),
    /// The host's entry of it.
    TrampolineEntry(u32),
    /// An unsafe intrinsic, likewise.
    Intrinsic(u32),
    /// The host's entry of it.
    IntrinsicEntry(u32),
    /// What code calls that no entry of the function table covers.
    Routine,
    /// What startup calls besides, which may write what is written once.
    StartupRoutine,
    /// The entries of startup.
    StartupWasm,
    StartupArray,
}

impl Role {
    pub(crate) fn is_exit(self) -> bool {
        matches!(self, Role::HostExit(_) | Role::BuiltinExit(_)) || self.is_of_component()
    }

    /// Does it have a component's context for its instance, and is entered by `Tail`?
    pub(crate) fn is_of_component(self) -> bool {
        matches!(self, Role::Trampoline(_) | Role::Intrinsic(_))
    }

    /// Is it entered by the host?
    pub(crate) fn is_entry(self) -> bool {
        matches!(self, Role::ArrayEntry(_) | Role::StartupArray) || self.is_entry_of_component()
    }

    /// Is it, with a component's context for its instance?
    pub(crate) fn is_entry_of_component(self) -> bool {
        matches!(self, Role::TrampolineEntry(_) | Role::IntrinsicEntry(_))
    }

    pub(crate) fn is_body(self) -> bool {
        matches!(self, Role::Body(_))
    }
}

/// What a byte of the text is, as far as the walk has come.
mod mark {
    pub(super) const FIRST: u8 = 1;
    pub(super) const INNER: u8 = 2;
    pub(super) const DATA: u8 = 4;
    /// Of the first byte: the instruction may fault, and that for certain does no harm.
    pub(super) const HARMLESS: u8 = 8;
    /// Of the first byte: the instruction may fault, and that may do harm.
    pub(super) const HARMFUL: u8 = 16;
    /// There is a leader.
    pub(super) const LEADER: u8 = 32;
}

/// The walk over one piece of code, with room for the next.
pub(crate) struct Walk<'p> {
    pub(crate) p: &'p Prover<'p>,
    pub(crate) part: Part,
    pub(crate) st: State,
    pub(crate) frames: Frames,
    /// What is known of sums, which `st.sums` is a number of, or says that it is not kept yet.
    sums: relate::Facts,
    kept: relate::Kept,

    pub(crate) role: Role,
    pub(crate) abi: &'p Abi,
    /// Bytes that a return pops.
    pub(crate) pops: u32,
    /// Registers with what they have to hold at the end.
    pub(crate) preserved: [(usize, Value); 6],
    /// Must the stack pointer be compared with the limit?
    pub(crate) limited: bool,
    /// Are copies of registers followed?
    pub(crate) copies: bool,
    /// Do values in registers depend on others?
    pub(crate) watches: bool,
    /// How many values an entry is passed or an exit passes.
    pub(crate) values: u32,
    /// Where the host goes on when it unwinds to this entry, and the stack pointer there.
    pub(crate) handler: Option<u32>,
    pub(crate) handler_stack: Option<i32>,
    /// How many functions each list has that was named.
    pub(crate) list_counts: BTreeMap<u32, u32>,
    /// What calls of routines that resume have led to.
    pub(crate) answers: Vec<Answer>,
    /// The numbers of those by the offsets of the calls.
    pub(crate) answer_at: BTreeMap<u32, u32>,
    /// By states: what is known of vector registers that hold references to continuations.
    pub(crate) conts: Vec<Conts>,
    /// A reference that is being put together: where, from which register, in which.
    pub(crate) half: Option<(u32, usize, usize)>,
    /// Which instruction may go on from half way to an element of a table: the one behind that which went there.
    pub(crate) half_way: u32,
    /// Where in the frame the values are that a host function was passed.
    pub(crate) passed_at: Option<i32>,
    /// Where in the frame it is to put a second result.
    pub(crate) second_at: Option<i32>,
    /// What is known where the host goes on when it unwinds to this entry; and is it that way which is gone now?
    pub(crate) unwound: Option<State>,
    pub(crate) unwinding: bool,
    /// Where in the frame the record of a thread is.
    pub(crate) record_at: Option<i32>,
    /// How much more of the stack than a small frame code may use that does not compare the stack pointer with the
    /// limit.
    pub(crate) room: i64,
    /// Has any table elements of 16 bytes?
    pub(crate) has_wide_tables: bool,
    /// The frame behind the last call with a map.
    pub(crate) collected: Option<Collected>,

    /// The piece of code, the instruction at hand and the next.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) at: u32,
    pub(crate) next: u32,
    /// Does control not go on behind the instruction?
    pub(crate) ends: bool,
    /// Is forgotten at heads of loops what mostly changes in loops, and is that to be tried first in functions?
    widens: bool,
    pub(crate) widens_loops: bool,

    ahead: Ahead<'p>,
    /// By byte: what it is, and 1 + the number of the state if it is a leader.
    marks: Vec<u8>,
    leaders: Vec<u32>,
    /// By byte, a bit: a leader whose state has changed since it was visited.
    dirty: Vec<u64>,
    /// No bit before this word is set, and none from that behind it on.
    cursor: usize,
    words: usize,
    states: Vec<State>,
    /// By state: the offset of its leader.
    leader_at: Vec<u32>,
    /// By state: does control come to its leader from the instruction before alone? What is known there is what was
    /// known when it last came, for what it came with before, it will not come with again.
    falls: Vec<bool>,
    /// The bytes of whose marks any is not as at the start.
    touched: (u32, u32),
    faults: usize,
    calls: usize,
    decoded: u64,
    walked: u64,
    /// `MOST_VISITS` for each that was decoded, and a few more.
    most_walked: u64,
}

impl<'p> Walk<'p> {
    pub(crate) fn new(p: &'p Prover<'p>) -> Walk<'p> {
        let mut frames = Frames::new();
        let slots = frames.begin();
        Walk {
            p,
            part: Part::default(),
            st: State::new(slots),
            frames,
            sums: relate::Facts::NONE,
            kept: relate::Kept::new(),
            role: Role::Routine,
            abi: &crate::abi::NONE,
            pops: 0,
            preserved: PRESERVED,
            limited: true,
            copies: false,
            watches: true,
            values: 0,
            handler: None,
            handler_stack: None,
            list_counts: BTreeMap::new(),
            answers: Vec::new(),
            answer_at: BTreeMap::new(),
            conts: vec![NO_CONTS],
            half: None,
            half_way: u32::MAX,
            passed_at: None,
            second_at: None,
            record_at: None,
            unwound: None,
            unwinding: false,
            room: 0,
            has_wide_tables: p.facts.tables.iter().any(|table| crate::abi::bytes(table.element) == 16),
            collected: None,
            start: 0,
            end: 0,
            at: 0,
            next: 0,
            ends: false,
            widens: false,
            widens_loops: true,
            marks: Vec::new(),
            leaders: Vec::new(),
            dirty: Vec::new(),
            cursor: 0,
            words: 0,
            ahead: Ahead::new(p.text, p.facts.settings.processor),
            states: Vec::new(),
            leader_at: Vec::new(),
            falls: Vec::new(),
            touched: (0, 0),
            faults: 0,
            calls: 0,
            decoded: 0,
            walked: 0,
            most_walked: 0,
        }
    }

    pub(crate) fn finish(self) -> Part {
        self.part
    }

    /// Proves a piece of code that is entered as its role says.
    pub(crate) fn prove(&mut self, range: Range, entry: u32, role: Role, place: Place) -> Result<(), Failure> {
        if role.is_body() && self.widens_loops {
            // What is forgotten at heads of loops makes no difference in most functions, and saves coming back to them.
            let faults = self.part.faults.len();
            let calls = self.part.calls.len();
            self.begin(range);
            let state = self.enter(role);
            self.widens = true;
            let result = self.run(entry, state);
            self.widens = false;
            if result.is_ok() {
                return Ok(());
            }
            self.part.faults.truncate(faults);
            self.part.calls.truncate(calls);
        }
        self.begin(range);
        let state = self.enter(role);
        self.run(entry, state).map_err(|reason| Failure { place, offset: self.at, reason: Reason(reason) })
    }

    /// Proves a routine that is entered with such arguments.
    pub(crate) fn prove_routine(
        &mut self,
        range: Range,
        entry: u32,
        role: Role,
        place: Place,
        called: &Called,
    ) -> Result<(), Failure> {
        self.begin(range);
        self.ahead.read_few();
        let state = self.enter_routine(role, &called.args, called.wide);
        self.run(entry, state).map_err(|reason| Failure { place, offset: self.at, reason: Reason(reason) })
    }

    pub(crate) fn begin(&mut self, range: Range) {
        // What the walk before has left.
        self.forget_leaders();
        let (from, to) =
            (self.touched.0.saturating_sub(self.start) as usize, self.touched.1.saturating_sub(self.start) as usize);
        if from < to {
            self.marks[from..to].fill(0);
        }
        let len = (range.end - range.start) as usize;
        if self.marks.len() < len + 16 {
            self.marks.resize(len + 16, 0);
            self.leaders.resize(len, 0);
            self.dirty.resize(len / 64 + 1, 0);
        }
        self.ahead.begin(range);
        (self.start, self.end, self.at) = (range.start, range.end, range.start);
        self.touched = (range.end, range.start);
        self.sums = relate::Facts::NONE;
        self.kept.clear();
        self.conts.truncate(1);
        self.answers.clear();
        self.answer_at.clear();
        self.words = len / 64 + 1;
        self.cursor = self.words;
        self.faults = self.part.faults.len();
        self.calls = self.part.calls.len();
        (self.decoded, self.walked, self.most_walked) = (0, 0, 1000);
        self.collected = None;
        self.list_counts.clear();
    }

    fn run(&mut self, entry: u32, state: Proved<State>) -> Proved<()> {
        let state = state?;
        let mut result = self.flow(entry, state);
        // What the host unwinds to says so at its end, and all else says that it does not: two ways that must not be
        // taken for one where they meet.
        if let (Ok(()), Some(handler), Some(state)) = (result, self.handler, self.unwound.take()) {
            self.unwinding = true;
            self.forget_leaders();
            result = self.flow(handler, state);
        }
        // A walk that fails leaves bits.
        if result.is_err() {
            self.dirty.fill(0);
        }
        result?;
        self.tidy();
        Ok(())
    }

    /// Goes all ways that begin at an offset.
    fn flow(&mut self, from: u32, state: State) -> Proved<()> {
        self.flow_with(from, state)?;
        while let Some(leader) = self.pop() {
            let result = self.block(leader);
            self.touch(leader, self.next.clamp(leader, self.end));
            result?;
        }
        Ok(())
    }

    /// Forgets what is known anywhere, but not what is an instruction.
    fn forget_leaders(&mut self) {
        for at in self.leader_at.drain(..) {
            let byte = (at - self.start) as usize;
            self.leaders[byte] = 0;
            self.marks[byte] &= !mark::LEADER;
        }
        self.states.clear();
        self.falls.clear();
    }

    /// Traps of what is never reached do no harm.
    fn note_unreached(&mut self) {
        let traps = &self.p.tables.traps;
        let first = traps.partition_point(|(at, _)| *at < self.start);
        for (at, _) in traps[first..].iter().take_while(|(at, _)| *at < self.end) {
            if self.marks[(at - self.start) as usize] & !mark::LEADER == 0 {
                self.part.faults.push(Fault { at: *at, cause: Cause::Unreached });
            }
        }
    }

    /// What was noted again on later visits is there once.
    fn tidy(&mut self) {
        if self.role.is_body() {
            self.note_unreached();
        }
        let faults = &mut self.part.faults[self.faults..];
        // One instruction may be there twice in a row, if it was known not to fault when control first came there.
        if !faults.is_sorted_by(|a, b| a.at < b.at) {
            faults.sort_by_key(|fault| (fault.at, fault.cause.is_harmless()));
            let mut last = None;
            let mut faults = self.part.faults.split_off(self.faults);
            faults.retain(|fault| last.replace(fault.at) != Some(fault.at));
            self.part.faults.append(&mut faults);
        }
        // What the last visit knew of a call counts.
        let calls = &mut self.part.calls[self.calls..];
        if !calls.is_sorted_by_key(|call| call.returns_to) {
            calls.sort_by_key(|call| call.returns_to);
        }
        let mut kept = self.calls;
        for at in self.calls..self.part.calls.len() {
            let call = self.part.calls[at];
            if kept == self.calls || self.part.calls[kept - 1].returns_to != call.returns_to {
                kept += 1;
            }
            self.part.calls[kept - 1] = call;
        }
        self.part.calls.truncate(kept);
        self.part.instructions += self.decoded;
        self.part.steps += self.walked + self.frames.work;
        self.part.blocks += self.states.len() as u64;
    }

    // ---- leaders

    /// The leader with the lowest address among those that are to be visited; but what is out of line and comes back to
    /// that leader is first.
    fn pop(&mut self) -> Option<u32> {
        while self.cursor < self.words {
            let word = self.dirty[self.cursor];
            if word != 0 {
                let byte = 64 * self.cursor + word.trailing_zeros() as usize;
                let first = self.out_of_line(byte).unwrap_or(byte);
                self.dirty[first / 64] &= !(1 << (first % 64));
                return Some(self.start + first as u32);
            }
            self.cursor += 1;
        }
        None
    }

    /// A leader that is to be visited, in code that seems to go straight back to this one, which was not visited yet.
    fn out_of_line(&mut self, byte: usize) -> Option<usize> {
        if self.marks[byte] & !mark::LEADER != 0 {
            return None;
        }
        let (_, read) = self.ahead.find(self.start + byte as u32)?;
        let from = read.from_behind()?.checked_sub(self.start)? as usize;
        let word = from / 64;
        // The last one up to there, not far away.
        for word in (word.saturating_sub(NEAR)..=word).rev() {
            let mut bits = self.dirty[word];
            if word == from / 64 {
                bits &= u64::MAX >> (63 - from % 64);
            }
            if bits != 0 {
                let found = 64 * word + 63 - bits.leading_zeros() as usize;
                return (found > byte).then_some(found);
            }
        }
        None
    }

    fn visit(&mut self, at: u32) {
        let bit = (at - self.start) as usize;
        self.dirty[bit / 64] |= 1 << (bit % 64);
        self.cursor = self.cursor.min(bit / 64);
    }

    /// Is an offset in this piece of code?
    pub(crate) fn contains(&self, at: u32) -> bool {
        self.start <= at && at < self.end
    }

    fn touch(&mut self, from: u32, to: u32) {
        self.touched = (self.touched.0.min(from), self.touched.1.max(to));
    }

    /// Control goes to an offset in this piece of code with the state at hand.
    pub(crate) fn jump_to(&mut self, target: u32) -> Proved<()> {
        // What goes round for ever goes back somewhere.
        self.go_to(target, target <= self.at)
    }

    /// Control goes to an offset in this piece of code: what is known there is joined with the state at hand, and
    /// `widens` what changes.
    fn go_to(&mut self, target: u32, widens: bool) -> Proved<()> {
        if !self.contains(target) {
            return Err("jump out of the function");
        }
        self.keep_sums();
        self.frames.share();
        let byte = (target - self.start) as usize;
        let leader = self.leaders[byte];
        if leader != 0 {
            self.falls[leader as usize - 1] = false;
            let changed = self.join_at(leader as usize - 1, widens);
            if changed {
                self.visit(target);
            }
            return Ok(());
        }
        let was_walked = self.marks[byte] & mark::FIRST != 0;
        self.new_leader(target);
        if was_walked {
            // What comes from before it has passed: it comes again.
            let before = (0..byte).rev().find(|byte| self.leaders[*byte] != 0);
            if let Some(before) = before {
                self.visit(self.start + before as u32);
            }
        }
        Ok(())
    }

    /// Control goes to an offset with a state of which nothing is known of sums.
    pub(crate) fn flow_with(&mut self, target: u32, state: State) -> Proved<()> {
        debug_assert_eq!(state.sums, 0);
        self.keep_sums();
        let at_hand = std::mem::replace(&mut self.st, state);
        let result = self.jump_to(target);
        self.st = at_hand;
        result
    }

    /// What is known at a leader.
    pub(crate) fn state_at(&self, at: u32) -> Option<&State> {
        let leader = *self.leaders.get(at.checked_sub(self.start)? as usize)?;
        self.states.get((leader as usize).checked_sub(1)?)
    }

    /// Joins what is known at a leader with the state at hand. Says whether anything was lost.
    fn join_at(&mut self, leader: usize, widens: bool) -> bool {
        let known = &mut self.states[leader];
        let mut changed = known.join(&self.st, &mut self.frames, &self.p.types, widens);
        let (sums, conts) = (known.sums, known.conts);
        let joined = self.kept.join(sums, self.st.sums, widens);
        changed |= joined != sums;
        self.states[leader].sums = joined;
        if conts != self.st.conts {
            let joined = self.join_conts(conts, self.st.conts);
            changed |= joined != conts;
            self.states[leader].conts = joined;
        }
        changed
    }

    /// Control goes on with the instruction at hand, before which it is a leader, or is to be one.
    fn fall(&mut self) -> Proved<()> {
        let at = self.at;
        let leader = self.leaders[(at - self.start) as usize] as usize;
        if leader != 0 && !self.falls[leader - 1] {
            return self.go_to(at, false);
        }
        self.keep_sums();
        self.frames.share();
        if leader == 0 {
            self.new_leader(at);
            let falls = self.falls.len() - 1;
            self.falls[falls] = true;
            return Ok(());
        }
        let known = self.states[leader - 1];
        if self.join_at(leader - 1, false) {
            self.states[leader - 1] = self.st;
            self.visit(at);
        } else {
            self.states[leader - 1] = known;
        }
        Ok(())
    }

    fn new_leader(&mut self, at: u32) {
        let mut state = self.st;
        if self.widens
            && let Some((_, read)) = self.ahead.find(at)
            && read.from_behind().is_some()
            && !read.instruction.may_fill()
        {
            state.widen();
        }
        self.states.push(state);
        self.leader_at.push(at);
        self.falls.push(false);
        self.leaders[(at - self.start) as usize] = self.states.len() as u32;
        self.marks[(at - self.start) as usize] |= mark::LEADER;
        self.touch(at, at + 1);
        self.visit(at);
    }

    /// The state at hand is about to be copied: what is known of sums gets a number.
    #[inline]
    pub(crate) fn keep_sums(&mut self) {
        if self.st.sums == NOT_KEPT {
            self.st.sums = self.kept.keep(&self.sums);
        }
    }

    /// A state that `keep_sums` was called for is at hand again.
    pub(crate) fn back_to(&mut self, state: &State) {
        if self.st.sums != state.sums {
            self.kept.load(state.sums, &mut self.sums);
        }
        self.st = *state;
    }

    /// What is known of sums.
    #[inline]
    pub(crate) fn sums(&self) -> &relate::Facts {
        &self.sums
    }

    /// Changes what is known of sums.
    pub(crate) fn relate(&mut self, change: impl FnOnce(&mut relate::Facts)) {
        change(&mut self.sums);
        self.sums.note_names();
        self.st.sums = if self.sums.is_empty() { 0 } else { NOT_KEPT };
    }

    /// Changes what is known of sums, if anything is.
    #[inline]
    pub(crate) fn relate_if(&mut self, change: impl FnOnce(&mut relate::Facts)) {
        if self.st.sums != 0 {
            self.relate(change);
        }
    }

    // ---- instructions

    fn block(&mut self, leader: u32) -> Proved<()> {
        let mut walked = 0;
        let result = self.straight(leader, &mut walked);
        self.walked += u64::from(walked);
        result?;
        // Straight code is never too much.
        if self.walked > self.most_walked {
            return Err("code that is too intricate to be proved");
        }
        Ok(())
    }

    /// From a leader up to where control does not go on, or comes to another. Says how many instructions there are.
    fn straight(&mut self, leader: u32, walked: &mut u32) -> Proved<()> {
        self.part.visits += 1;
        self.st = self.states[self.leaders[(leader - self.start) as usize] as usize - 1];
        self.kept.load(self.st.sums, &mut self.sums);
        self.frames.share();
        self.half = None;
        self.half_way = u32::MAX;
        self.at = leader;
        self.ends = false;
        let mut number = usize::MAX;
        loop {
            let read = match self.ahead.get(number, self.at) {
                Some(read) => read,
                None => {
                    if self.at >= self.end {
                        return Err("control runs out of the function");
                    }
                    let (found, read) = self.ahead.find(self.at).ok_or("no instruction")?;
                    number = found;
                    read
                }
            };
            number += 1;
            let (instruction, is_target) = (read.instruction, read.is_target());
            let byte = (self.at - self.start) as usize;
            let mark = self.marks[byte];
            if mark & mark::LEADER != 0 || is_target || *walked >= STRIDE {
                let must = mark & mark::LEADER != 0 || is_target;
                if self.at != leader && (must || self.half.is_none() && self.half_way != self.at) {
                    return self.fall();
                }
            }
            self.next = self.at + u32::from(instruction.len);
            if mark & mark::FIRST == 0 {
                self.mark_code(instruction.len)?;
            }
            *walked += 1;
            self.transfer(&instruction)?;
            if self.ends {
                return Ok(());
            }
            self.at = self.next;
        }
    }

    /// The instruction at hand has so many bytes.
    #[inline]
    pub(crate) fn mark_code(&mut self, len: u8) -> Proved<()> {
        let from = (self.at - self.start) as usize;
        let Some(marks) = self.marks[from..].first_chunk_mut::<16>() else { return Err("no instruction") };
        if marks[0] & mark::FIRST != 0 {
            return Ok(());
        }
        let ([head, rest, ..], _) = marks.as_chunks_mut::<8>() else { return Err("no instruction") };
        let clash = mark_inner(head, len.min(8)) || len > 8 && mark_inner(rest, len - 8);
        head[0] ^= mark::INNER ^ mark::FIRST;
        if clash {
            return Err("instructions that overlap, or data among them");
        }
        self.decoded += 1;
        self.most_walked += MOST_VISITS;
        Ok(())
    }

    /// Bytes of the text are data.
    pub(crate) fn data(&mut self, from: u32, len: u32) -> Proved<()> {
        let end = from.checked_add(len).filter(|end| self.start <= from && *end <= self.end);
        let Some(end) = end else { return Err("data outside of the function") };
        let marks = &mut self.marks[(from - self.start) as usize..(end - self.start) as usize];
        if marks.iter().any(|mark| *mark & (mark::FIRST | mark::INNER) != 0) {
            return Err("data among instructions");
        }
        marks.iter_mut().for_each(|mark| *mark |= mark::DATA);
        self.touch(from, end);
        Ok(())
    }

    /// An operand in the text.
    pub(crate) fn constant_in_text(&mut self, at: u64, width: u32) -> Proved<crate::operand::Spot> {
        let Ok(at) = u32::try_from(at) else { return Err("operand outside of the text") };
        self.data(at, width)?;
        Ok(crate::operand::Spot::Constants)
    }

    /// The instruction at hand may fault. Where the host takes no fault for a trap none may: memories are never known
    /// to fault there, but null references and operands of divisions have to be looked for, and traps are calls.
    pub(crate) fn fault(&mut self, cause: Cause) -> Proved<()> {
        if !self.p.facts.settings.hardware_traps
            && matches!(cause, Cause::NullFunction | Cause::Division | Cause::Always)
        {
            return Err("this may fault where no fault is a trap");
        }
        if !cause.is_harmless() {
            self.check_walkable()?;
        }
        let known = if cause.is_harmless() { mark::HARMLESS | mark::HARMFUL } else { mark::HARMFUL };
        let marks = &mut self.marks[(self.at - self.start) as usize];
        if *marks & known == 0 {
            *marks |= if cause.is_harmless() { mark::HARMLESS } else { mark::HARMFUL };
            self.part.faults.push(Fault { at: self.at, cause });
        }
        Ok(())
    }

    /// A routine is called with such arguments.
    pub(crate) fn needs_routine(&mut self, target: u32, args: [Value; 6], wide: Value) -> Proved<()> {
        self.part.call(target, Called { args, wide }, &self.p.types);
        Ok(())
    }

    /// One instruction.
    pub(crate) fn transfer(&mut self, instruction: &Instruction) -> Proved<()> {
        if let Some(strange) = instruction.strange {
            return Err(strange.reason());
        }
        let class = instruction.class;
        match class {
            Class::Refused => Err("instruction that is not on the list"),
            Class::Nothing => Ok(()),
            Class::Mov => self.mov(instruction),
            Class::Movzx => self.extend(instruction, false),
            Class::Movsx => self.extend(instruction, true),
            Class::Lea => self.lea(instruction),
            Class::Add | Class::Sub | Class::And | Class::Or | Class::Xor => self.arithmetic(instruction, class),
            Class::Carry => self.opaque(instruction, true),
            Class::Cmp => self.compare(instruction),
            Class::Test => self.test(instruction),
            Class::Step | Class::Neg => self.unary(instruction, true),
            Class::Not => self.unary(instruction, false),
            Class::Imul => self.imul(instruction),
            Class::Mul => self.multiply(instruction, false),
            Class::Div => self.divide(instruction),
            Class::Sign => self.sign(instruction),
            Class::Shl | Class::Shr | Class::Shift => self.shift(instruction, class),
            Class::ShiftX => self.fresh(instruction, false),
            Class::Bits | Class::Count => self.fresh(instruction, true),
            Class::Scan => self.scan(instruction),
            Class::Cmov => self.conditional_move(instruction),
            Class::Set => self.set_condition(instruction),
            Class::Xchg => self.exchange(instruction, false),
            Class::Xadd => self.exchange(instruction, true),
            Class::Cmpxchg => self.compare_exchange(instruction),
            Class::Push => self.push(instruction),
            Class::Pop => self.pop_to(instruction),
            Class::Leave => self.leave(),
            Class::Ret => self.ret(instruction),
            Class::Call => self.call(instruction),
            Class::Jmp => self.jump(instruction),
            Class::Jcc => self.branch(instruction),
            Class::Ud2 => {
                self.fault(Cause::Always)?;
                self.ends = true;
                Ok(())
            }
            Class::VectorMove | Class::Vector | Class::VectorTest => self.vector(instruction, class),
        }
    }

    #[inline(never)]
    fn jump(&mut self, instruction: &Instruction) -> Proved<()> {
        if instruction.target().is_some() {
            let target = self.target(instruction)?;
            if !self.contains(target) || self.p.entry(target).is_some() {
                if self.is_unpaired_call(target) {
                    return self.switch(target);
                }
                return self.tail_call(target);
            }
            self.jump_to(target)?;
            self.ends = true;
            return Ok(());
        }
        let Operand::Int(reg, 8) = self.operand(instruction, 0)? else { return Err("jump to something else") };
        let code = self.st.regs[reg];
        if code.is(Tag::Target) {
            self.jump_by_table(code)?;
            self.ends = true;
            return Ok(());
        }
        if code.is(Tag::AskedTarget) {
            self.jump_to_handler(code)?;
            self.ends = true;
            return Ok(());
        }
        self.tail_call_code(code)
    }
}

/// The first of eight bytes, at least one, are of an instruction. Says whether any was something else.
#[inline]
fn mark_inner(marks: &mut [u8; 8], count: u8) -> bool {
    const INNER: u64 = u64::from_le_bytes([mark::INNER; 8]);
    const CODE: u64 = u64::from_le_bytes([!mark::LEADER; 8]);
    let all = u64::from_le_bytes(*marks);
    let own = u64::MAX >> (64 - 8 * u32::from(count));
    *marks = (all | INNER & own).to_le_bytes();
    all & own & CODE != 0
}
