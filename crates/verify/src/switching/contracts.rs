//! What each operation over stacks is to do, as what it leaves behind wherever control leaves the routine.
//!
//! What is given, by the host and by whoever has left a stack before:
//!
//! - The store's structure says which stack runs, and has its limits and entries. That stack and those that wait for it
//!   are a chain that ends with the one on which the host entered wasm. Each that waits has its limits and entries in
//!   its own record, and a list of the tags that it handles.
//! - A continuation whose revision is the one of a reference to it is not running. It is fresh or suspended; has its
//!   limits and entries in its record; and the words at the upper end of the stack of `last_ancestor`, the last of
//!   those that it waits for, say where it goes on. Its list, of arguments if it is fresh, else of values, has room for
//!   what the type of the reference lacks behind what it has.
//! - Control comes back to a stack that waits, with its own words, when the running continuation has returned, ended in
//!   a trap or asks for one of its handlers; and to a suspended one when it is resumed.
//!
//! What callers see to is in `stacks`: that values are of the types that the continuation takes, and as many.

use super::memory::{OPERANDS, Spot, Transfer, VALUE, WORDS};
use super::terms::{Atom, Term};
use super::{Executor, Operation, Path, Relation};
use crate::state::{R8, RAX, RBP, RCX, RDI, RDX, RSI, RSP};
use crate::walk::Proved;
use std::collections::BTreeMap;

/// What is to be written, and nothing else.
#[derive(Default)]
struct Expected {
    host: BTreeMap<Spot, Term>,
    transfers: Vec<Transfer>,
}

fn entry(reg: usize) -> Term {
    Term::atom(Atom::Entry(reg as u8))
}

impl Expected {
    fn put(&mut self, of: &Term, at: u32, value: Term) {
        self.host.insert(Spot::Field(of.clone(), at), value);
    }

    fn constant(&mut self, of: &Term, at: u32, value: u32) {
        self.put(of, at, Term::constant(value.into()));
    }

    fn store(&mut self, at: u32, value: Term) {
        self.host.insert(Spot::Store(at), value);
    }
}

impl Executor<'_> {
    /// The operation of the routine is this one.
    fn is(&mut self, operation: Operation) -> Proved<()> {
        if *self.operation.get_or_insert(operation) != operation {
            return Err("routine that does several things");
        }
        Ok(())
    }

    /// Is it one by which a stack waits for another?
    pub(super) fn is_parent(&self) -> bool {
        matches!(self.operation, Some(Operation::Resume | Operation::ResumeThrow))
    }

    fn compare(&self, path: &Path, expected: &Expected) -> Proved<()> {
        if path.host != expected.host {
            return Err("records of stacks are not what the operation leaves");
        }
        if path.transfers != expected.transfers {
            return Err("what is passed is not what the operation passes");
        }
        Ok(())
    }

    /// Is the continuation that is used one that may be?
    fn is_used(&self, path: &Path) -> bool {
        let used = Self::used();
        let revision = self.field(&used, self.stacks.revision, 0);
        Self::knows(path, &used, Relation::Unequal, &Term::constant(0), 8)
            && Self::knows(path, &revision, Relation::Equal, &Self::operand_at(8, 8, 0), 8)
    }

    /// The reference that was passed is good no more.
    fn consume(&self, expected: &mut Expected) {
        let used = Self::used();
        let revision = self.field(&used, self.stacks.revision, 0).plus_constant(1);
        expected.put(&used, self.stacks.revision, revision);
    }

    fn clear(&self, expected: &mut Expected, of: &Term, list: u32) {
        let s = self.stacks;
        for part in [s.list_length, s.list_capacity, s.list_data] {
            expected.constant(of, list + part, 0);
        }
    }

    /// A stack runs again: what goes with it is the store's.
    fn enter(&self, expected: &mut Expected, stack: &Term, epoch: u8) {
        for (live, saved) in self.live().into_iter().zip(self.stacks.limits) {
            expected.store(live, self.field(stack, saved, epoch));
        }
    }

    /// A stack keeps what goes with it, from the limit on or what is behind it: that of a continuation never changes.
    fn keep(&self, expected: &mut Expected, stack: &Term, from: usize, epoch: u8) {
        for (live, saved) in self.live().into_iter().zip(self.stacks.limits).skip(from) {
            expected.put(stack, saved, Self::stored(live, epoch));
        }
    }

    /// Passes so many values, those from the second operand on, and behind them the continuation `last`.
    fn pass(&mut self, path: &Path, expected: &mut Expected, count: usize, last: Option<&Term>) -> Proved<()> {
        let s = self.stacks;
        let used = Self::used();
        let count = entry(count);
        let none = Self::knows(path, &count.low(), Relation::Equal, &Term::constant(0), 4);
        if none && last.is_none() {
            return Ok(());
        }
        let (state, fresh) = (self.field(&used, s.state, 0), Term::constant(s.states[0].into()));
        let list = if Self::knows(path, &state, Relation::Equal, &fresh, 4) {
            s.args
        } else if Self::knows(path, &state, Relation::Unequal, &fresh, 4) {
            s.values
        } else {
            return Err("values for a continuation of which nobody asks whether it has begun");
        };
        let length = self.field(&used, list + s.list_length, 0);
        let to = self.field(&used, list + s.list_data, 0).plus(&length.times(VALUE));
        let more = i64::from(last.is_some());
        expected.put(&used, list + s.list_length, length.plus(&count).plus_constant(more).low());
        if !none {
            let wide = matches!(path.transfers.first(), Some(Transfer::Value { bytes: 16, .. }));
            self.wide = Some(self.wide.unwrap_or(true) && wide);
            let (from, bytes) = (Term::constant(OPERANDS + VALUE), if wide { 16 } else { 8 });
            expected.transfers.push(Transfer::Value { to: to.clone(), from, bytes, count: Some(count.low()) });
        }
        if let Some(last) = last {
            let to = if none { to } else { to.plus(&count.low().times(VALUE)) };
            let revision = self.field(last, s.revision, 0);
            expected.transfers.push(Transfer::Reference { to, pointer: last.clone(), revision });
        }
        Ok(())
    }

    // ---- leaving for another stack

    /// Control goes to another stack. Gives where it goes on when it comes back, of which the path is then.
    pub(super) fn switch(&mut self, path: &mut Path, target: &Term) -> Proved<u32> {
        if path.epoch != 0 {
            return Err("jump to what is no entry");
        }
        let effects = self.stacks.effects;
        let told = |effect: u32| Term::constant(i64::from(effect) << 32);
        let message = path.regs[RDI].clone();
        let (operation, entered) = if message == told(effects.resume) {
            (Operation::Resume, self.resume(path, true)?)
        } else if message == told(effects.resume_throw) {
            (Operation::ResumeThrow, self.resume(path, false)?)
        } else if message == told(effects.switch) {
            (Operation::Switch, self.exchange(path)?)
        } else {
            (Operation::Suspend, self.suspend(path, &message.minus(&told(effects.suspend)))?)
        };
        self.is(operation)?;
        // All of the stack that is left is in its words, all of the other comes from there.
        let words = [-WORDS, -WORDS + 8, -WORDS + 16].map(|at| Self::word(&entered, at, 0));
        if path.regs[RSP] != words[0] || path.regs[RBP] != words[1] || *target != words[2] {
            return Err("another stack than the one that is to be entered");
        }
        let behind = path.host.iter().find_map(|(spot, value)| match (spot, value.single()) {
            (Spot::Word(_, _), Some(Atom::Text(at))) => Some(*at),
            _ => None,
        });
        let Some(behind) = behind else { return Err("stack that is left without where it goes on") };
        self.come_back(path);
        Ok(behind)
    }

    /// The words of the stack that is left.
    fn leave(&self, path: &Path, expected: &mut Expected, of: &Term) -> Proved<()> {
        let word = |at: i64| Spot::Word(of.clone(), at);
        let framed = path.frame.get(&-8).and_then(Term::single) == Some(&Atom::Entry(RBP as u8))
            && path.frame.get(&0).and_then(Term::single) == Some(&Atom::Return);
        let saved = path.host.get(&word(-WORDS)).and_then(|saved| saved.minus(&Term::stack(0)).as_constant());
        // Whoever walks the frames finds this one, and what it keeps is not below the stack pointer.
        let lowest = path.frame.keys().next().copied().unwrap_or(0);
        let Some(saved) =
            saved.filter(|saved| framed && (-super::MOST_FRAME..=lowest).contains(saved) && (saved - 8) % 16 == 0)
        else {
            return Err("stack that is left without its stack pointer");
        };
        let Some(behind) = path.host.get(&word(-8)).filter(|behind| matches!(behind.single(), Some(Atom::Text(_))))
        else {
            return Err("stack that is left without where it goes on");
        };
        expected.host.insert(word(-WORDS), Term::stack(saved));
        expected.host.insert(word(-WORDS + 8), Term::stack(-8));
        expected.host.insert(word(-WORDS + 16), behind.clone());
        Ok(())
    }

    /// The stack that was left is entered again: it has its frame, and nothing in registers but what it is told.
    fn come_back(&mut self, path: &mut Path) {
        let saved = path.host.iter().find_map(|(spot, value)| match spot {
            Spot::Word(_, at) if *at == -WORDS => Some(value.clone()).filter(|value| value.count(&Atom::Stack) == 1),
            _ => None,
        });
        for reg in 0..16 {
            path.regs[reg] = self.unknown();
        }
        path.regs[RSP] = saved.unwrap_or(Term::stack(0));
        path.regs[RBP] = Term::stack(-8);
        path.regs[RDI] = Term::atom(Atom::Message);
        path.vector = super::Vector::Nothing;
        path.flags = None;
        path.frame.retain(|at, _| *at < OPERANDS);
        path.host.clear();
        path.transfers.clear();
        path.epoch = 1;
    }

    /// Gives the stack whose words say where the continuation goes on.
    fn resume(&mut self, path: &Path, with_values: bool) -> Proved<Term> {
        let s = self.stacks;
        let chain = self.chain();
        if !self.is_used(path) {
            return Err("use of a continuation that may have been used");
        }
        let used = Self::used();
        let last = self.field(&used, s.last_ancestor, 0);
        let (kind, parent) = (Self::stored(chain, 0), Self::stored(chain + 8, 0));
        let mut expected = Expected::default();
        self.consume(&mut expected);
        let mut handlers = Term::stack(OPERANDS + VALUE);
        if with_values {
            self.pass(path, &mut expected, RDX, None)?;
            handlers = handlers.plus(&entry(RDX).low().times(VALUE));
        } else {
            let (state, fresh) = (self.field(&used, s.state, 0), Term::constant(s.states[0].into()));
            if !Self::knows(path, &state, Relation::Unequal, &fresh, 4)
                || !Self::knows(path, &entry(RDX).low(), Relation::Unequal, &Term::constant(0), 4)
            {
                return Err("exception for a continuation that may not have begun");
            }
            expected.constant(&used, s.values + s.list_length, 1);
            let to = self.field(&used, s.values + s.list_data, 0);
            expected.transfers.push(Transfer::Exception { to, value: entry(RDX).low() });
        }
        // The chain that is resumed ends where this stack begins, which waits for it.
        expected.put(&last, s.parent, kind);
        expected.put(&last, s.parent + 8, parent.clone());
        expected.put(&used, s.last_ancestor, Term::constant(0));
        expected.constant(&parent, s.state, s.states[2]);
        self.keep(&mut expected, &parent, 0, 0);
        for part in [s.list_length, s.list_capacity] {
            expected.put(&parent, s.handlers + part, entry(RCX).low());
        }
        expected.put(&parent, s.handlers + s.list_data, handlers);
        expected.put(&parent, s.first_switch, entry(R8).low());
        self.run(&mut expected, &used);
        self.leave(path, &mut expected, &last)?;
        self.compare(path, &expected)?;
        Ok(last)
    }

    /// A continuation is the one that runs.
    fn run(&self, expected: &mut Expected, used: &Term) {
        let s = self.stacks;
        expected.store(self.chain(), Term::constant(s.kinds[2].cast_signed()));
        expected.store(self.chain() + 8, used.clone());
        expected.constant(used, s.state, s.states[1]);
        self.enter(expected, used, 0);
    }

    /// The continuation at the outer end of the chain that handles the first argument: its parent has the handler with
    /// this number.
    fn handled(&self, path: &Path, number: &Term) -> Proved<(Term, Term)> {
        let tag = entry(RDX);
        for (left, relation, right, bytes) in &path.facts {
            let (found, other) = if *left == tag { (right, left) } else { (left, right) };
            if *relation == Relation::Equal
                && *bytes == 8
                && *other == tag
                && let Some(Atom::Handler { of, index }) = found.single()
                && **index == *number
                && let Some(Atom::Field { of: last, at, .. }) = of.single()
                && *at == self.stacks.parent + 8
            {
                return Ok(((**last).clone(), (**of).clone()));
            }
        }
        Err("handler that is not the tag's")
    }

    /// The running continuation does not any more: what that leaves of it, with so many values.
    fn stop(&self, path: &Path, expected: &mut Expected, last: &Term, length: Term) -> Proved<Term> {
        let s = self.stacks;
        let chain = self.chain();
        let other = Self::stored(chain + 8, 0);
        if !self.runs_continuation(path) {
            return Err("suspension of what may be no continuation");
        }
        expected.put(&other, s.last_ancestor, last.clone());
        expected.put(&other, s.values + s.list_data, Term::stack(OPERANDS));
        expected.put(&other, s.values + s.list_length, length);
        expected.put(&other, s.values + s.list_capacity, entry(R8).low());
        expected.constant(&other, s.state, s.states[3]);
        expected.put(last, s.parent, Term::constant(s.kinds[0].cast_signed()));
        expected.constant(last, s.parent + 8, 0);
        Ok(other)
    }

    fn suspend(&mut self, path: &Path, number: &Term) -> Proved<Term> {
        let (last, stack) = self.handled(path, number)?;
        // Only those before the first that switches suspend.
        let first_switch = self.field(&stack, self.stacks.first_switch, 0);
        if !Self::knows(path, number, Relation::Less, &first_switch, 4) || !Self::is_short(path, number) {
            return Err("handler that is none");
        }
        let mut expected = Expected::default();
        self.stop(path, &mut expected, &last, entry(RCX).low())?;
        self.leave(path, &mut expected, &last)?;
        self.compare(path, &expected)?;
        Ok(last)
    }

    fn exchange(&mut self, path: &Path) -> Proved<Term> {
        let s = self.stacks;
        if !self.is_used(path) {
            return Err("use of a continuation that may have been used");
        }
        // Only those from the first that switches on do.
        let mut found = None;
        for (number, relation, end, bytes) in &path.facts {
            if *relation == Relation::Less
                && *bytes == 4
                && Self::is_short(path, number)
                && let Ok((last, stack)) = self.handled(path, number)
                && *end == self.field(&stack, s.handlers + s.list_length, 0)
            {
                let past = number.minus(&self.field(&stack, s.first_switch, 0));
                let counts = matches!(past.single(), Some(Atom::Iteration(_))) || past.as_constant() == Some(0);
                found = found.or_else(|| counts.then_some((last, stack)));
            }
        }
        let Some((last, stack)) = found else { return Err("handler that is none") };
        let used = Self::used();
        let entered = self.field(&used, s.last_ancestor, 0);
        let mut expected = Expected::default();
        self.consume(&mut expected);
        let other = self.stop(path, &mut expected, &last, Term::constant(0))?;
        self.keep(&mut expected, &other, 1, 0);
        self.pass(path, &mut expected, RCX, Some(&other))?;
        // The stack that handles the tag becomes the parent of what is switched to.
        expected.put(&entered, s.parent, self.field(&last, s.parent, 0));
        expected.put(&entered, s.parent + 8, stack);
        self.run(&mut expected, &used);
        // The words that say where that stack goes on are with its child, which changes.
        for at in [-WORDS, -WORDS + 8, -WORDS + 16] {
            expected.host.insert(Spot::Word(entered.clone(), at), Self::word(&last, at, 0));
        }
        self.leave(path, &mut expected, &last)?;
        self.compare(path, &expected)?;
        Ok(entered)
    }

    // ---- leaving for the caller

    pub(super) fn returned(&mut self, path: &Path) -> Proved<()> {
        let s = self.stacks;
        let mut expected = Expected::default();
        let operands: Vec<(i64, Term)> = path.frame.range(OPERANDS..).map(|(at, value)| (*at, value.clone())).collect();
        let reference = |of: &Term, revision: Term| vec![(OPERANDS, of.clone()), (OPERANDS + 8, revision)];
        match self.operation {
            _ if path.epoch == 0 => {
                self.is(Operation::Bind)?;
                if !self.is_used(path) {
                    return Err("use of a continuation that may have been used");
                }
                let used = Self::used();
                self.consume(&mut expected);
                self.pass(path, &mut expected, RDX, None)?;
                let revision = self.field(&used, s.revision, 0).plus_constant(1);
                if operands != reference(&used, revision) {
                    return Err("reference that is not the continuation's new one");
                }
            }
            Some(Operation::Resume | Operation::ResumeThrow) => {
                let back = self.parent_runs(&mut expected);
                let message = Term::atom(Atom::Message);
                let zero = Term::constant(0);
                let asked = &path.regs[RAX];
                if Self::knows(path, &message, Relation::Equal, &zero, 8) {
                    expected.constant(&back, s.state, s.states[4]);
                    self.clear(&mut expected, &back, s.args);
                    let results = self.field(&back, s.args + s.list_data, 1);
                    if *asked != zero || path.regs[RCX] != results || !operands.is_empty() {
                        return Err("results that are not the continuation's");
                    }
                } else {
                    let effect = Term::atom(Atom::High(Box::new(message.clone())));
                    let trap = Term::constant(s.effects.trap.into());
                    if !Self::knows(path, &message, Relation::Unequal, &zero, 8)
                        || !Self::knows(path, &effect, Relation::Unequal, &trap, 8)
                    {
                        return Err("message that nobody has looked at");
                    }
                    self.keep(&mut expected, &back, 1, 1);
                    expected.constant(&back, s.values + s.list_length, 0);
                    let values = self.field(&back, s.values + s.list_data, 1);
                    let number = message.low().plus_constant(1).low();
                    let revision = self.field(&back, s.revision, 1);
                    if *asked != number || path.regs[RCX] != values || operands != reference(&back, revision) {
                        return Err("values that are not the continuation's");
                    }
                }
            }
            Some(Operation::Suspend | Operation::Switch) => {
                self.resumed(path, &mut expected, Relation::Unequal)?;
                if !operands.is_empty() {
                    return Err("store over what has been passed");
                }
            }
            Some(Operation::Bind) | None => return Err("return from another stack"),
        }
        self.compare(path, &expected)
    }

    /// The stack that waited is the one that runs. Gives the continuation from which control has come.
    fn parent_runs(&self, expected: &mut Expected) -> Term {
        let s = self.stacks;
        let chain = self.chain();
        let parent = Self::stored(chain + 8, 0);
        expected.store(chain, Self::stored(chain, 0));
        expected.store(chain + 8, parent.clone());
        expected.constant(&parent, s.state, s.states[1]);
        self.clear(expected, &parent, s.handlers);
        expected.constant(&parent, s.first_switch, 0);
        self.enter(expected, &parent, 1);
        Self::stored(chain + 8, 1)
    }

    /// The continuation runs again, with an exception or, if that is not so, with values.
    fn resumed(&self, path: &Path, expected: &mut Expected, throws: Relation) -> Proved<()> {
        let s = self.stacks;
        let effect = Term::atom(Atom::High(Box::new(Term::atom(Atom::Message))));
        if !Self::knows(path, &effect, throws, &Term::constant(s.effects.resume_throw.into()), 8) {
            return Err("message that nobody has looked at");
        }
        self.clear(expected, &Self::stored(self.chain() + 8, 0), s.values);
        Ok(())
    }

    // ---- not coming back

    /// Raises a trap: nothing has been done but that the reference may be used up.
    pub(super) fn trap(&mut self, path: &Path) -> Proved<()> {
        let mut expected = Expected::default();
        if !path.host.is_empty() {
            self.consume(&mut expected);
        }
        if path.epoch != 0 {
            return Err("trap of another stack's");
        }
        self.compare(path, &expected)
    }

    /// Throws an exception: that for a continuation that has not begun, or that with which one is resumed.
    pub(super) fn throws(&mut self, path: &Path) -> Proved<()> {
        let s = self.stacks;
        let mut expected = Expected::default();
        let value = if path.epoch == 0 {
            self.is(Operation::ResumeThrow)?;
            let used = Self::used();
            let (state, fresh) = (self.field(&used, s.state, 0), Term::constant(s.states[0].into()));
            if !self.is_used(path) || !Self::knows(path, &state, Relation::Equal, &fresh, 4) {
                return Err("end of a continuation that may have begun");
            }
            self.consume(&mut expected);
            expected.constant(&used, s.state, s.states[5]);
            self.clear(&mut expected, &used, s.args);
            self.clear(&mut expected, &used, s.values);
            entry(RDX).low()
        } else if matches!(self.operation, Some(Operation::Suspend | Operation::Switch)) {
            self.resumed(path, &mut expected, Relation::Equal)?;
            Self::operand_at(0, 4, 1)
        } else {
            return Err("exception of another stack's");
        };
        if path.regs[RSI] != value {
            return Err("another exception");
        }
        self.compare(path, &expected)
    }

    /// Raises again what has ended the stack that this one waited for.
    pub(super) fn raises(&mut self, path: &Path) -> Proved<()> {
        let s = self.stacks;
        if path.epoch == 0 || !self.is_parent() {
            return Err("trap of another stack's");
        }
        let effect = Term::atom(Atom::High(Box::new(Term::atom(Atom::Message))));
        if !Self::knows(path, &effect, Relation::Equal, &Term::constant(s.effects.trap.into()), 8) {
            return Err("message that nobody has looked at");
        }
        let mut expected = Expected::default();
        let back = self.parent_runs(&mut expected);
        expected.constant(&back, s.state, s.states[5]);
        self.clear(&mut expected, &back, s.args);
        self.clear(&mut expected, &back, s.values);
        self.compare(path, &expected)
    }
}
