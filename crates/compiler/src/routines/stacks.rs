//! Routines that change stacks, made once per module like those over tables. What the host keeps of stacks and
//! continuations, and what the words of it mean, is its own: `facts::StackFacts` says where each is.
//!
//! The stack that is left keeps its stack and frame pointers and where it goes on in a few words at the upper end of a
//! continuation's memory; those of the stack that is entered are taken from there, or, by `switch`, from a copy. A
//! continuation that is suspended may be a chain: it has resumed others, and the last of these asks for a handler of
//! somebody further out. The words then are in the memory of the one at the outer end of the chain, `last_ancestor`.
//!
//! Whoever comes back finds nothing in registers but what a stack tells the other, so a routine keeps in its frame what
//! its caller wants preserved. Its caller's operands are above its frame, see `emit/control/continuations.rs`.

use crate::isa::{Alu, Amount, Cond, Isa, Lane, Load, Shift, Src, Store};
use crate::routines::RoutineGen;
use crate::treaty::code::{Record, StackRoutine, TrapCode};
use crate::treaty::facts::StackFacts;
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::StackCall;
use crate::treaty::ty::Width;
use lightbeam_asm::{Addr, Label, Reg};

/// Bytes of a value that crosses, and their logarithm.
const VALUE: i32 = 16;
const VALUE_LOG2: u8 = 4;

/// What a continuation goes on with.
#[derive(Clone, Copy)]
enum Given {
    /// So many values, half as wide as they may be unless one is `wide`.
    Values { count: Reg, wide: bool },
    /// This exception.
    Exception(Reg),
}

impl<I: Isa> RoutineGen<'_, I> {
    /// Volatile registers for whatever lasts a few instructions.
    const T: [Reg; 4] = [I::TEMPS[0], I::TEMPS[1], I::TEMPS[2], I::TEMPS[3]];
    /// The store's structure.
    const STORE: Reg = I::TEMPS[4];
    /// The continuation that runs, where it is not the one that is used.
    const OTHER: Reg = I::TEMPS[5];
    /// The continuation that is used.
    const CONT: Reg = I::TEMPS[6];

    /// The caller's operands: the continuation, and behind it what is passed.
    const PASSED: Addr = Addr::base(I::FRAME, 16);

    /// Word number `n` of the frame. The preserved registers come first.
    const fn kept(n: usize) -> Addr {
        Addr::base(I::FRAME, -8 * (n as i32 + 1))
    }

    const KEPT_CTX: Addr = Self::kept(I::PRESERVED.len());
    const KEPT_MEMORY: Addr = Self::kept(I::PRESERVED.len() + 1);
    /// Words that wait for the stack to go on.
    const WAITING: [Addr; 3] =
        [Self::kept(I::PRESERVED.len() + 2), Self::kept(I::PRESERVED.len() + 3), Self::kept(I::PRESERVED.len() + 4)];
    /// Words of the frame, an even number. The last three are a copy of a stack's words.
    const FRAME_WORDS: usize = (I::PRESERVED.len() + 8).next_multiple_of(2);
    const WORDS: Addr = Self::kept(Self::FRAME_WORDS - 1);

    fn facts_of_stacks(&self) -> StackFacts {
        self.facts.stacks.expect("a module with continuations knows what stacks are")
    }

    pub(crate) fn stack_routine(&mut self, routine: StackRoutine) {
        let enter = self.w.enter();
        self.w.patch_frame(enter, 8 * Self::FRAME_WORDS as u32);
        for (i, reg) in I::PRESERVED.iter().chain(&[I::CTX, I::MEMORY_BASE]).enumerate() {
            self.w.store(Store::B64, Self::kept(i), *reg);
            self.w.saved(*reg, Self::kept(i).disp());
        }
        for (reg, from) in Self::KEPT.iter().zip(I::PRIVATE.int_args) {
            self.w.mov(Width::W64, *reg, *from);
        }
        match StackCall::of(routine, Self::arguments()) {
            StackCall::Bind { wide, values } => self.bind_values(values, wide),
            StackCall::Resume { wide, values, handlers, suspending } => {
                self.resume(Given::Values { count: values, wide }, handlers, suspending);
            }
            StackCall::ResumeThrow { exception, handlers, suspending } => {
                self.resume(Given::Exception(exception), handlers, suspending);
            }
            StackCall::Suspend { tag, values, capacity } => self.suspend(tag, values, capacity),
            StackCall::Switch { wide, tag, values, capacity } => self.switch(tag, values, capacity, wide),
        }
    }

    /// Returns, with what is in the result registers.
    fn go_back(&mut self) {
        for (i, reg) in I::PRESERVED.iter().enumerate() {
            self.w.load(Load::I64, *reg, Self::kept(i));
        }
        self.w.load(Load::I64, I::CTX, Self::KEPT_CTX);
        self.w.load(Load::I64, I::MEMORY_BASE, Self::KEPT_MEMORY);
        self.w.leave();
        self.w.jump_back();
    }

    // ---- memory

    fn get(&mut self, d: Reg, base: Reg, offset: i32) {
        self.w.load(Load::I64, d, Addr::base(base, offset));
    }

    fn get32(&mut self, d: Reg, base: Reg, offset: i32) {
        self.w.load(Load::I32, d, Addr::base(base, offset));
    }

    fn put(&mut self, base: Reg, offset: i32, s: Reg) {
        self.w.store(Store::B64, Addr::base(base, offset), s);
    }

    fn put32(&mut self, base: Reg, offset: i32, s: Reg) {
        self.w.store(Store::B32, Addr::base(base, offset), s);
    }

    fn put_imm(&mut self, base: Reg, offset: i32, value: i32) {
        self.w.store_imm(Store::B64, Addr::base(base, offset), i64::from(value));
    }

    fn set_state(&mut self, stack: Reg, state: i32) {
        let offset = self.facts_of_stacks().state;
        self.w.store_imm(Store::B32, Addr::base(stack, offset), i64::from(state));
    }

    /// Empties a list and takes its memory from it.
    fn clear_list(&mut self, base: Reg, list: i32) {
        let facts = self.facts_of_stacks();
        for at in [facts.length, facts.capacity] {
            self.w.store_imm(Store::B32, Addr::base(base, list + at), 0);
        }
        self.put_imm(base, list + facts.data, 0);
    }

    /// Loads the store's structure, for which the instance's pointer is where it belongs.
    fn load_store(&mut self) {
        let offset = self.facts.ctx.store;
        self.get(Self::STORE, I::CTX, offset);
    }

    /// Puts the limits of `stack`, which it keeps while it does not run, where the host looks for those that hold.
    /// Destroys a register.
    fn enter_limits(&mut self, stack: Reg, temp: Reg) {
        let facts = self.facts_of_stacks();
        for (live, saved) in facts.live.into_iter().zip(facts.saved) {
            self.get(temp, stack, saved);
            self.put(Self::STORE, live, temp);
        }
    }

    /// What changes with the stack: lets `stack` keep it. The limit of a continuation's stack never changes.
    fn keep_limits(&mut self, stack: Reg, with_limit: bool, temp: Reg) {
        let facts = self.facts_of_stacks();
        for (live, saved) in facts.live.into_iter().zip(facts.saved).skip(usize::from(!with_limit)) {
            self.get(temp, Self::STORE, live);
            self.put(stack, saved, temp);
        }
    }

    /// Makes a continuation the one that runs.
    fn run(&mut self, cont: Reg) {
        let facts = self.facts_of_stacks();
        self.put_imm(Self::STORE, facts.chain, facts.kinds.continuation);
        self.put(Self::STORE, facts.chain + 8, cont);
        self.set_state(cont, facts.states.running);
    }

    /// `d = ` where the words of the stack of a continuation are, from where it is resumed.
    fn words_of(&mut self, d: Reg, cont: Reg) {
        let facts = self.facts_of_stacks();
        self.get(d, cont, facts.top);
        self.w.lea(Width::W64, d, Addr::base(d, facts.exchange));
    }

    /// Tells the other stack this effect.
    fn tell(&mut self, effect: u32) {
        self.w.iconst(Width::W64, I::STACK_MESSAGE, i64::from(effect) << 32, false);
    }

    /// Loads the upper half of what the other stack has told.
    fn told(&mut self, d: Reg) {
        self.w.mov(Width::W64, d, I::STACK_MESSAGE);
        self.w.shift(Shift::ShrU, Width::W64, d, d, Amount::Imm(32));
    }

    // ---- using a continuation

    /// Takes the continuation that is passed, unless it is null or was used before. Its revision is in the first
    /// register.
    fn take_continuation(&mut self) {
        let facts = self.facts_of_stacks();
        let null = self.w.trap_label(TrapCode::NullReference);
        let consumed = self.w.trap_label(TrapCode::ContinuationConsumed);
        self.w.load(Load::I64, Self::CONT, Self::PASSED);
        self.w.branch_zero(Width::W64, Self::CONT, null);
        self.get(Self::T[0], Self::CONT, facts.revision);
        self.w.cmp(Width::W64, Self::T[0], Src::Mem(Self::PASSED.plus(8))).branch(Cond::Ne, consumed);
    }

    /// The reference that was passed is used up: the revision in the first register is over.
    fn consume(&mut self) {
        let facts = self.facts_of_stacks();
        self.add(Self::T[0], 1);
        self.put(Self::CONT, facts.revision, Self::T[0]);
    }

    /// Passes so many values, those behind the continuation among the caller's operands, to the continuation, and
    /// behind them the continuation in `last`, if there is one. What is copied is as long as what was stored, half a
    /// value unless one is `wide`: a processor cannot pass on from a store to a load what was not stored at once.
    /// Destroys all of `T` and the message.
    fn pass_on(&mut self, count: Reg, wide: bool, last: Option<Reg>) {
        let facts = self.facts_of_stacks();
        let [length, to, from, left] = Self::T;
        let list = I::STACK_MESSAGE;
        let [known, again, copied, done] = self.w.labels();
        if last.is_none() {
            self.w.branch_zero(Width::W32, count, done);
        }
        self.w.lea(Width::W64, list, Addr::base(Self::CONT, facts.args));
        let state = Addr::base(Self::CONT, facts.state);
        self.w.cmp_mem(Width::W32, state, Src::imm(facts.states.fresh)).branch(Cond::Eq, known);
        self.w.lea(Width::W64, list, Addr::base(Self::CONT, facts.values));
        self.w.bind(known);
        self.get32(length, list, facts.length);
        self.get(to, list, facts.data);
        self.w.mov(Width::W32, from, length);
        self.w.shift(Shift::Shl, Width::W64, from, from, Amount::Imm(VALUE_LOG2));
        self.w.alu(Alu::Add, Width::W64, to, to, Src::Reg(from));
        self.w.alu(Alu::Add, Width::W32, length, length, Src::Reg(count));
        if last.is_some() {
            self.w.alu(Alu::Add, Width::W32, length, length, Src::Imm(1));
        }
        self.put32(list, facts.length, length);
        self.w.lea(Width::W64, from, Self::PASSED.plus(VALUE));
        self.w.mov(Width::W32, left, count);
        if last.is_some() {
            self.w.branch_zero(Width::W32, left, copied);
        }
        self.w.bind(again);
        let (load, store) = if wide { (Load::V128, Store::V128) } else { (Load::F64, Store::F64) };
        self.w.load(load, I::FLOAT_SCRATCH, Addr::base(from, 0));
        self.w.store(store, Addr::base(to, 0), I::FLOAT_SCRATCH);
        self.add(from, VALUE);
        self.add(to, VALUE);
        self.add(left, -1);
        self.w.branch_nonzero(Width::W32, left, again);
        self.w.bind(copied);
        if let Some(last) = last {
            self.reference_to(last);
            self.w.store(Store::V128, Addr::base(to, 0), I::FLOAT_SCRATCH);
        }
        self.w.bind(done);
    }

    /// Makes a reference to a continuation in the scratch register of floats, to be stored at once.
    fn reference_to(&mut self, cont: Reg) {
        let revision = Src::Mem(Addr::base(cont, self.facts_of_stacks().revision));
        let d = I::FLOAT_SCRATCH;
        self.w.bits(Width::W64, d, cont);
        self.w.replace_lane(Lane::I64, d, d, revision, 1);
    }

    fn bind_values(&mut self, count: Reg, wide: bool) {
        let facts = self.facts_of_stacks();
        self.take_continuation();
        self.pass_on(count, wide, None);
        self.get(Self::T[0], Self::CONT, facts.revision);
        self.consume();
        self.reference_to(Self::CONT);
        self.w.store(Store::V128, Self::PASSED, I::FLOAT_SCRATCH);
        self.go_back();
    }

    // ---- resuming

    fn resume(&mut self, given: Given, handlers: Reg, suspending: Reg) {
        let facts = self.facts_of_stacks();
        let [temp, parent, last, _] = Self::T;
        self.take_continuation();
        let (count, effect) = match given {
            Given::Values { count, wide } => {
                self.consume();
                self.pass_on(count, wide, None);
                (Some(count), facts.effects.resume)
            }
            Given::Exception(exception) => {
                self.bring_exception(exception);
                (None, facts.effects.resume_throw)
            }
        };
        // The chain that is resumed ends where this stack begins.
        self.load_store();
        self.get(last, Self::CONT, facts.last_ancestor);
        self.get(temp, Self::STORE, facts.chain);
        self.get(parent, Self::STORE, facts.chain + 8);
        self.w.store(Store::B64, Self::WAITING[0], temp);
        self.w.store(Store::B64, Self::WAITING[1], parent);
        self.put(last, facts.parent, temp);
        self.put(last, facts.parent + 8, parent);
        self.put_imm(Self::CONT, facts.last_ancestor, 0);
        self.set_state(parent, facts.states.parent);
        self.run(Self::CONT);
        self.keep_limits(parent, true, temp);
        self.enter_limits(Self::CONT, temp);
        self.list_handlers(count, parent, handlers, suspending);
        self.words_of(temp, last);
        self.tell(effect);
        self.w.switch_stack(temp, temp, parent);
        self.after_resume();
    }

    /// The handlers that are listed behind the values are those of the stack that resumes.
    fn list_handlers(&mut self, count: Option<Reg>, parent: Reg, handlers: Reg, suspending: Reg) {
        let facts = self.facts_of_stacks();
        let temp = Self::T[0];
        self.put32(parent, facts.handlers + facts.length, handlers);
        self.put32(parent, facts.handlers + facts.capacity, handlers);
        self.put32(parent, facts.suspending, suspending);
        match count {
            Some(count) => {
                self.w.mov(Width::W32, temp, count);
                self.w.shift(Shift::Shl, Width::W64, temp, temp, Amount::Imm(VALUE_LOG2));
                let first = Self::PASSED.plus(VALUE);
                self.w.lea(Width::W64, temp, Addr::indexed(first.base_reg(), temp, 0, first.disp()));
            }
            None => self.w.lea(Width::W64, temp, Self::PASSED.plus(VALUE)),
        }
        self.put(parent, facts.handlers + facts.data, temp);
    }

    /// Gives the continuation an exception instead of values. One that has not begun ends here.
    fn bring_exception(&mut self, exception: Reg) {
        let facts = self.facts_of_stacks();
        let temp = Self::T[1];
        let null = self.w.trap_label(TrapCode::NullReference);
        self.w.branch_zero(Width::W32, exception, null);
        self.consume();
        let begun = self.w.label();
        let state = Addr::base(Self::CONT, facts.state);
        self.w.cmp_mem(Width::W32, state, Src::imm(facts.states.fresh)).branch(Cond::Ne, begun);
        self.set_state(Self::CONT, facts.states.trapped);
        self.clear_list(Self::CONT, facts.args);
        self.clear_list(Self::CONT, facts.values);
        self.throw(exception);
        self.w.bind(begun);
        self.get(temp, Self::CONT, facts.values + facts.data);
        self.put32(temp, 0, exception);
        let length = Addr::base(Self::CONT, facts.values + facts.length);
        self.w.store_imm(Store::B32, length, 1);
    }

    fn throw(&mut self, exception: Reg) {
        self.w.mov(Width::W32, I::LIBCALL.int_args[1], exception);
        self.w.libcall(Libcall::ThrowRef);
        self.never();
    }

    /// A place that is not reached.
    fn never(&mut self) {
        self.w.trap_here(TrapCode::Unreachable, Record::NO_OPERATOR);
    }

    /// The stack that has resumed another runs again. Which stack it comes from is to be found out, as others may have
    /// taken the place of the one that was resumed.
    fn after_resume(&mut self) {
        let facts = self.facts_of_stacks();
        let ([asked, values], [_, _, temp, parent]) = (I::ROUTINE_RESULTS, Self::T);
        let message = I::STACK_MESSAGE;
        let [more, trapped] = self.w.labels();
        self.w.load(Load::I64, I::CTX, Self::KEPT_CTX);
        self.load_store();
        self.get(Self::CONT, Self::STORE, facts.chain + 8);
        self.w.load(Load::I64, temp, Self::WAITING[0]);
        self.w.load(Load::I64, parent, Self::WAITING[1]);
        self.put(Self::STORE, facts.chain, temp);
        self.put(Self::STORE, facts.chain + 8, parent);
        self.set_state(parent, facts.states.running);
        self.clear_list(parent, facts.handlers);
        self.w.store_imm(Store::B32, Addr::base(parent, facts.suspending), 0);
        self.w.branch_nonzero(Width::W64, message, more);

        // The other stack's function has returned.
        self.enter_limits(parent, temp);
        self.set_state(Self::CONT, facts.states.returned);
        self.get(values, Self::CONT, facts.args + facts.data);
        self.clear_list(Self::CONT, facts.args);
        self.w.iconst(Width::W32, asked, 0, false);
        self.go_back();

        // The other stack is suspended.
        self.w.bind(more);
        self.told(temp);
        self.w.cmp(Width::W64, temp, Src::imm(facts.effects.trap.cast_signed())).branch(Cond::Eq, trapped);
        self.keep_limits(Self::CONT, false, temp);
        self.enter_limits(parent, temp);
        self.reference_to(Self::CONT);
        self.w.store(Store::V128, Self::PASSED, I::FLOAT_SCRATCH);
        self.get(values, Self::CONT, facts.values + facts.data);
        let length = Addr::base(Self::CONT, facts.values + facts.length);
        self.w.store_imm(Store::B32, length, 0);
        self.w.mov(Width::W32, asked, message);
        self.w.alu(Alu::Add, Width::W32, asked, asked, Src::Imm(1));
        self.go_back();

        // The other stack's function will not return.
        self.w.bind(trapped);
        self.set_state(Self::CONT, facts.states.trapped);
        self.enter_limits(parent, temp);
        self.clear_list(Self::CONT, facts.args);
        self.clear_list(Self::CONT, facts.values);
        self.w.libcall(Libcall::Raise);
        self.never();
    }

    // ---- suspending

    /// Looks for the handler of a tag on the stacks below the one that runs; traps if there is none. `OTHER` is the
    /// continuation that runs; the registers of `T` are then the number of the handler, the continuation at the outer
    /// end of the chain that is left, the stack with the handler, and where the handlers are.
    fn find_handler(&mut self, tag: Reg, switches: bool) {
        let facts = self.facts_of_stacks();
        let [number, cont, stack, list] = Self::T;
        // The kind of stack, and where the list ends.
        let end = I::STACK_MESSAGE;
        let unhandled = self.w.trap_label(TrapCode::UnhandledTag);
        let [next, again, further, found] = self.w.labels();
        self.get(end, Self::STORE, facts.chain);
        self.get(Self::OTHER, Self::STORE, facts.chain + 8);
        self.w.mov(Width::W64, cont, Self::OTHER);
        self.w.bind(next);
        self.w.cmp(Width::W64, end, Src::imm(facts.kinds.initial)).branch(Cond::Eq, unhandled);
        self.get(stack, cont, facts.parent + 8);
        if switches {
            self.get32(number, stack, facts.suspending);
            self.get32(end, stack, facts.handlers + facts.length);
        } else {
            self.w.iconst(Width::W32, number, 0, false);
            self.get32(end, stack, facts.suspending);
        }
        self.get(list, stack, facts.handlers + facts.data);
        self.w.bind(again);
        self.w.cmp(Width::W32, number, Src::Reg(end)).branch(Cond::GeU, further);
        self.w.cmp(Width::W64, tag, Src::Mem(Addr::indexed(list, number, 3, 0))).branch(Cond::Eq, found);
        self.add(number, 1);
        self.w.jmp(again);
        self.w.bind(further);
        self.get(end, cont, facts.parent);
        self.w.mov(Width::W64, cont, stack);
        self.w.jmp(next);
        self.w.bind(found);
    }

    /// The continuation that runs, in `OTHER`, does not any more: it ends with the one in `last`, and takes up to
    /// `capacity` values where the caller's operands are.
    fn stop(&mut self, last: Reg, length: Option<Reg>, capacity: Reg, temp: Reg) {
        let facts = self.facts_of_stacks();
        self.put(Self::OTHER, facts.last_ancestor, last);
        self.w.lea(Width::W64, temp, Self::PASSED);
        self.put(Self::OTHER, facts.values + facts.data, temp);
        match length {
            Some(length) => self.put32(Self::OTHER, facts.values + facts.length, length),
            None => {
                let length = Addr::base(Self::OTHER, facts.values + facts.length);
                self.w.store_imm(Store::B32, length, 0);
            }
        }
        self.put32(Self::OTHER, facts.values + facts.capacity, capacity);
        self.set_state(Self::OTHER, facts.states.suspended);
        self.put_imm(last, facts.parent, facts.kinds.absent);
        self.put_imm(last, facts.parent + 8, 0);
        self.w.store(Store::B64, Self::WAITING[0], Self::OTHER);
    }

    fn suspend(&mut self, tag: Reg, count: Reg, capacity: Reg) {
        let facts = self.facts_of_stacks();
        let [number, last, temp, other] = Self::T;
        self.load_store();
        self.find_handler(tag, false);
        self.stop(last, Some(count), capacity, temp);
        self.words_of(temp, last);
        self.tell(facts.effects.suspend);
        self.w.alu(Alu::Or, Width::W64, I::STACK_MESSAGE, I::STACK_MESSAGE, Src::Reg(number));
        self.w.switch_stack(temp, temp, other);
        self.after_suspend();
    }

    fn switch(&mut self, tag: Reg, count: Reg, capacity: Reg, wide: bool) {
        let facts = self.facts_of_stacks();
        let [temp, last, handler, _] = Self::T;
        self.take_continuation();
        self.consume();
        self.load_store();
        self.find_handler(tag, true);
        // The stack that handles the tag becomes the parent of what is switched to.
        self.get(temp, last, facts.parent);
        self.w.store(Store::B64, Self::WAITING[1], temp);
        self.w.store(Store::B64, Self::WAITING[2], handler);
        self.stop(last, None, capacity, temp);
        self.keep_limits(Self::OTHER, false, temp);
        // The tag is found, so its register is free for what outlasts the passing.
        let left = tag;
        self.w.mov(Width::W64, left, last);
        self.pass_on(count, wide, Some(Self::OTHER));
        self.run(Self::CONT);
        let entered = Self::OTHER;
        self.get(entered, Self::CONT, facts.last_ancestor);
        for (at, from) in [facts.parent, facts.parent + 8].into_iter().zip(&Self::WAITING[1..]) {
            self.w.load(Load::I64, temp, *from);
            self.put(entered, at, temp);
        }
        self.enter_limits(Self::CONT, temp);
        let [from, to, word, _] = Self::T;
        self.words_of(from, left);
        self.words_of(to, entered);
        for at in (0..-facts.exchange).step_by(8) {
            self.get(word, to, at);
            self.w.store(Store::B64, Self::WORDS.plus(at), word);
            self.get(word, from, at);
            self.put(to, at, word);
        }
        self.w.lea(Width::W64, to, Self::WORDS);
        self.tell(facts.effects.switch);
        self.w.switch_stack(from, to, word);
        self.after_suspend();
    }

    /// The continuation that was suspended runs again: with values where the caller's operands are, or with an
    /// exception.
    fn after_suspend(&mut self) {
        let facts = self.facts_of_stacks();
        let [temp, exception, ..] = Self::T;
        let throws: Label = self.w.label();
        self.w.load(Load::I64, Self::OTHER, Self::WAITING[0]);
        self.told(temp);
        self.w.cmp(Width::W64, temp, Src::imm(facts.effects.resume_throw.cast_signed())).branch(Cond::Eq, throws);
        self.clear_list(Self::OTHER, facts.values);
        self.go_back();

        self.w.bind(throws);
        self.w.load(Load::I32, exception, Self::PASSED);
        self.clear_list(Self::OTHER, facts.values);
        self.w.load(Load::I64, I::CTX, Self::KEPT_CTX);
        self.throw(exception);
    }
}
