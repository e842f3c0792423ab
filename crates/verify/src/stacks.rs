//! Calls of routines that switch stacks (`switching`), as functions make them: what they take from the frame, and what
//! is there when they come back. They are called with a return address that is pushed, and jump back to it, so that the
//! processor's own stack of these stays what it is.
//!
//! What is passed from one stack to another is of the types that the type of the continuation, or of the tag, says, on
//! either side; so what comes is believed as it is at calls. Behind the call as much is known as behind any: the frame,
//! less what is passed in it.

use crate::calls::Effect;
use crate::conts::NULL_REFERENCE;
use crate::facts::{Signature, StoreField, ValueType};
use crate::operand::Spot;
use crate::state::{R8, RAX, RCX, RDX, RSP};
use crate::switching::Operation;
use crate::value::{ANSWER_HANDLERS, ANSWER_OPEN, ANSWER_RESULTS, ASKED, ASKED_ONE, Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// The lowest address that the stack pointer may have.
pub(crate) const STACK_LIMIT: u32 = 0;
/// Another word of the store, which code only moves.
const OTHER: u32 = 2;

/// Which word of the host's a field of the store is.
pub(crate) fn word_of(field: StoreField) -> u32 {
    if field == StoreField::StackLimit { STACK_LIMIT } else { OTHER }
}

/// Bytes of a value that crosses between stacks, and of a tag in a list of handlers.
const VALUE: i32 = 16;
const TAG: i32 = 8;

/// What a call of a routine that resumes may lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The type of what was resumed, as values have it.
    pub(crate) of: u32,
    /// Tags of the handlers that may be asked for, each with the type of the continuation then.
    pub(crate) handlers: Vec<(u32, u32)>,
    /// The operands, as an offset to the stack pointer at the entry.
    pub(crate) top: i32,
}

const BAD: &str = "switch of stacks with other arguments than it takes";

impl Walk<'_> {
    /// Is the jump at hand a call, by a return address that was pushed, to something outside?
    pub(crate) fn is_unpaired_call(&self, target: u32) -> bool {
        let top = self.st.regs[RSP].as_stack();
        self.p.entry(target).is_none()
            && self.p.types.functions.any()
            && top.is_some_and(|top| self.frames.get(self.st.slots, self.word(top)) == Value::of(Tag::Text, self.next))
    }

    /// Calls a routine that switches stacks.
    pub(crate) fn switch(&mut self, target: u32) -> Proved<()> {
        let Role::Body(_) = self.role else { return Err("switch of stacks by what is no function") };
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        let top = top + 8;
        // What is pushed is popped again; nothing of it is left.
        self.put_word(top - 8, Value::UNDEF);
        self.assign(RSP, Value::stack(top))?;
        self.check_frames()?;
        self.check_limit(None)?;
        self.check_instance()?;
        let (operation, wide) = self.p.switching(target)?;
        match operation {
            Operation::Bind => self.bind(top, wide),
            Operation::Resume => self.resume(top, wide, true),
            Operation::ResumeThrow => self.resume(top, wide, false),
            Operation::Suspend => self.suspend(top),
            Operation::Switch => self.switch_to(top, wide),
        }
    }

    /// A small number that an argument is.
    fn small_argument(&self, reg: usize) -> Proved<usize> {
        let count = self.st.regs[reg].as_constant().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count < 1 << 20).ok_or(BAD)
    }

    /// The type of the continuation that is used; `None` if it is null, which is a trap.
    fn used(&self, top: i32) -> Proved<Option<u32>> {
        Self::type_of(self.reference_at(top))
    }

    /// Is there a value of each type from `at` on?
    fn check_passed(&self, at: i32, types: &[ValueType], wide: bool) -> Proved<()> {
        for (n, ty) in types.iter().enumerate() {
            let from = at + VALUE * n as i32;
            match *ty {
                ValueType::V128 | ValueType::Cont { .. } if !wide => return Err(BAD),
                ValueType::Cont { .. } => self.check_cont(self.reference_at(from), *ty)?,
                ValueType::Func(func) => {
                    self.check_function(self.frames.get(self.st.slots, self.word(from)), func)?;
                }
                _ if self.frame_has_numbers(from, crate::abi::bytes(*ty)) => {}
                _ => return Err("undefined value for another stack"),
            }
        }
        Ok(())
    }

    /// Are so many values of 16 bytes the frame's own, and none of what it keeps?
    fn check_room(&self, at: i32, values: usize) -> Proved<()> {
        let end = i64::from(at) + i64::from(VALUE) * values as i64;
        if end > -8 || at % 8 != 0 {
            return Err("values for another stack outside of the frame");
        }
        for from in (at..end as i32).step_by(8) {
            let word = self.frames.get(self.st.slots, self.word(from));
            if matches!(word.tag(), Tag::Saved | Tag::Return | Tag::Ctx | Tag::ResultArea) {
                return Err("values over what the frame keeps");
            }
        }
        Ok(())
    }

    /// Others write to a part of the frame.
    fn clobber(&mut self, at: i32, values: usize) {
        for from in (at..at + VALUE * values as i32).step_by(8) {
            self.overwritten(from, 8);
            self.put_word(from, Value::UNDEF);
        }
    }

    /// Other code runs until control comes back.
    fn elsewhere(&mut self) -> Proved<()> {
        self.destroy(Effect::Any);
        self.called(0)
    }

    /// There are values of these types from `at` on.
    fn take_passed(&mut self, at: i32, types: &[ValueType]) {
        for (n, ty) in types.iter().enumerate() {
            let from = at + VALUE * n as i32;
            match *ty {
                ValueType::I32 | ValueType::F32 | ValueType::Gc => self.put_word(from, Value::of(Tag::Undef, 1)),
                ValueType::I64 | ValueType::F64 => self.put_word(from, Value::ANY),
                ValueType::V128 => {
                    self.put_word(from, Value::ANY);
                    self.put_word(from + 8, Value::ANY);
                }
                ValueType::Func(func) => self.put_word(from, Value::of_type(func)),
                ValueType::Cont { ty } => {
                    let of = self.p.types.functions.of_cont(ty);
                    self.put_reference(from, of);
                }
            }
        }
    }

    fn bind(&mut self, top: i32, wide: bool) -> Proved<()> {
        let p = self.p;
        let count = self.small_argument(RDX)?;
        let used = self.used(top)?;
        let mut bound = 0;
        if let Some(of) = used {
            let Signature { params, results } = p.types.functions.signature(of)?;
            let (first, rest) = params.split_at_checked(count).ok_or(BAD)?;
            self.check_passed(top + VALUE, first, wide)?;
            bound = p.types.functions.with(rest, results);
        }
        self.check_room(top, 1)?;
        self.clobber(top, 1);
        self.elsewhere()?;
        if used.is_none() {
            self.ends = true;
            return Ok(());
        }
        self.put_reference(top, bound);
        Ok(())
    }

    fn resume(&mut self, top: i32, wide: bool, with_values: bool) -> Proved<()> {
        let p = self.p;
        let used = self.used(top)?;
        let (handlers, suspending) = (self.small_argument(RCX)?, self.small_argument(R8)?);
        let mut answer = Answer { of: 0, handlers: Vec::new(), top };
        if suspending > handlers {
            return Err(BAD);
        }
        if with_values {
            self.small_argument(RDX)?;
        } else if !self.st.regs[RDX].is_number() {
            return Err(BAD);
        }
        if let Some(of) = used {
            answer.of = of;
            let Signature { params, results } = p.types.functions.signature(of)?;
            let mut list = top + VALUE;
            if with_values {
                if self.small_argument(RDX)? != params.len() {
                    return Err(BAD);
                }
                self.check_passed(list, params, wide)?;
                list += VALUE * params.len() as i32;
            }
            for n in 0..handlers {
                let word = self.frames.get(self.st.slots, self.word(list + TAG * n as i32));
                if !word.is(Tag::TagIdentity) {
                    return Err(BAD);
                }
                let tag = &p.shape(p.facts.tags[word.b() as usize].ty)?.signature;
                if n < suspending {
                    answer.handlers.push((word.b(), p.types.functions.with(&tag.results, results)));
                    continue;
                }
                // Whoever switches there gives what this stack gives.
                let fits = p.types.all_fit(&tag.results, results) && p.types.all_fit(results, &tag.results);
                if !tag.params.is_empty() || !fits {
                    return Err("handler of another type");
                }
            }
        }
        self.check_room(top, 1)?;
        self.clobber(top, 1);
        self.elsewhere()?;
        if used.is_none() {
            self.ends = true;
            return Ok(());
        }
        let number = self.answer(answer);
        self.forget_answer(number);
        self.st.regs[RAX] = Value::new(Tag::Asked, ASKED, number);
        self.st.regs[RCX] = Value::new(Tag::Answer, ANSWER_OPEN, number);
        for at in [top, top + 8] {
            self.put_word(at, Value::new(Tag::Answer, ANSWER_OPEN, number));
        }
        if suspending == 0 {
            // Nobody can have asked for a handler.
            self.decide(number, ANSWER_RESULTS);
        }
        Ok(())
    }

    /// The number of an answer, the same for the same.
    fn answer(&mut self, answer: Answer) -> u32 {
        if let Some(known) = self.answer_at.get(&self.at).filter(|known| self.answers[**known as usize] == answer) {
            return *known;
        }
        let number = self.answers.len() as u32;
        self.answers.push(answer);
        self.answer_at.insert(self.at, number);
        number
    }

    /// What is left of an answer from before is nobody's.
    fn forget_answer(&mut self, number: u32) {
        for reg in crate::calls::KEPT {
            let value = self.st.regs[reg];
            if matches!(value.tag(), Tag::Asked | Tag::Answer) && value.b() == number {
                self.st.regs[reg] = Value::UNDEF;
            }
        }
    }

    /// It is learned of a register whether a handler was asked for.
    pub(crate) fn learn_asked(&mut self, asked: Value, none: bool, one: bool) {
        if asked.a() != ASKED {
            return;
        }
        let handlers = self.answers[asked.b() as usize].handlers.len();
        if none {
            self.decide(asked.b(), ANSWER_RESULTS);
        } else if one && handlers == 1 {
            self.decide(asked.b(), ANSWER_HANDLERS);
        } else if one {
            for reg in &mut self.st.regs {
                if *reg == asked {
                    *reg = Value::new(Tag::Asked, ASKED_ONE, asked.b());
                }
            }
        }
    }

    /// It is known what an answer is.
    fn decide(&mut self, number: u32, what: u32) {
        // The other arm of a branch has the frame as it was.
        self.frames.share();
        for reg in &mut self.st.regs {
            if *reg == Value::new(Tag::Answer, ANSWER_OPEN, number) {
                *reg = Value::new(Tag::Answer, what, number);
            }
        }
        let answer = &self.answers[number as usize];
        let (top, of) = (answer.top, answer.handlers.get(what.wrapping_sub(ANSWER_HANDLERS) as usize).map(|it| it.1));
        let open =
            |at: i32| self.frames.get(self.st.slots, self.word(at)) == Value::new(Tag::Answer, ANSWER_OPEN, number);
        match of {
            Some(of) if open(top) && open(top + 8) => self.put_reference(top, of),
            _ => {
                for at in [top, top + 8].into_iter().filter(|at| open(*at)).collect::<Vec<_>>() {
                    self.put_word(at, Value::UNDEF);
                }
            }
        }
    }

    /// Goes to the clauses of all handlers that may be asked for, by a table of them.
    pub(crate) fn jump_to_handler(&mut self, target: Value) -> Proved<()> {
        let (number, at) = (target.a(), target.b());
        let count = self.answers[number as usize].handlers.len() as u32;
        self.data(at, 4 * count)?;
        self.keep_sums();
        let before = self.st;
        for n in 0..count {
            self.back_to(&before);
            self.frames.share();
            self.decide(number, ANSWER_HANDLERS + n);
            let target = self.target_of_entry(at, n)?;
            self.jump_to(target)?;
        }
        Ok(())
    }

    /// A value that has come from another stack, of which so many bytes are read.
    pub(crate) fn passed_value(&self, base: Value, disp: i64, width: u32) -> Proved<Spot> {
        const OUT: &str = "read of what has not been passed";
        let p = self.p;
        let answer = &self.answers[base.b() as usize];
        let types = match base.a() {
            ANSWER_OPEN => return Err("read of what may be anything"),
            ANSWER_RESULTS => &p.types.functions.signature(answer.of)?.results,
            handler => {
                let (tag, _) = answer.handlers.get((handler - ANSWER_HANDLERS) as usize).ok_or(OUT)?;
                &p.shape(p.facts.tags[*tag as usize].ty)?.signature.params
            }
        };
        let at = usize::try_from(disp).map_err(|_| OUT)?;
        let (ty, inside) = (types.get(at / VALUE as usize).ok_or(OUT)?, (at % VALUE as usize) as u32);
        match *ty {
            ValueType::Func(func) if inside == 0 && width == 8 => Ok(Spot::Field(Value::of_type(func), 8)),
            ValueType::Cont { ty } if inside == 0 && width == 16 => {
                Ok(Spot::Continuation(p.types.functions.of_cont(ty)))
            }
            ValueType::Func(_) | ValueType::Cont { .. } => Err(OUT),
            ty if inside + width <= crate::abi::bytes(ty) => Ok(Spot::Constants),
            _ => Err(OUT),
        }
    }

    fn suspend(&mut self, top: i32) -> Proved<()> {
        let p = self.p;
        let (count, capacity) = (self.small_argument(RCX)?, self.small_argument(R8)?);
        let tag = self.st.regs[RDX];
        if !tag.is(Tag::TagIdentity) {
            return Err(BAD);
        }
        let Signature { params, results } = &p.shape(p.facts.tags[tag.b() as usize].ty)?.signature;
        if count != params.len() || capacity < params.len().max(results.len()).max(1) {
            return Err(BAD);
        }
        self.check_passed(top, params, true)?;
        self.come_again(top, capacity, results)
    }

    /// The stack is left, and others pass values to where there is room for as many.
    fn come_again(&mut self, top: i32, capacity: usize, types: &[ValueType]) -> Proved<()> {
        self.check_room(top, capacity)?;
        self.clobber(top, capacity);
        self.elsewhere()?;
        self.take_passed(top, types);
        Ok(())
    }

    fn switch_to(&mut self, top: i32, wide: bool) -> Proved<()> {
        let p = self.p;
        let (count, capacity) = (self.small_argument(RCX)?, self.small_argument(R8)?);
        let tag = self.st.regs[RDX];
        if !tag.is(Tag::TagIdentity) {
            return Err(BAD);
        }
        let mut types: &[ValueType] = &[];
        if let Some(of) = self.used(top)? {
            let Signature { params, results } = p.types.functions.signature(of)?;
            let tag = &p.shape(p.facts.tags[tag.b() as usize].ty)?.signature;
            let Some((ValueType::Cont { ty: own }, first)) = params.split_last() else { return Err(BAD) };
            let own = p.types.functions.signature(p.types.functions.of_cont(*own))?;
            if count != first.len() || capacity < own.params.len().max(1) {
                return Err(BAD);
            }
            // What either stack gives is what the handler's gives.
            if !tag.params.is_empty()
                || !p.types.all_fit(results, &tag.results)
                || !p.types.all_fit(&tag.results, &own.results)
            {
                return Err("switch to a continuation of another type");
            }
            self.check_passed(top + VALUE, first, wide)?;
            types = &own.params;
        } else if self.reference_at(top) == Some(NULL_REFERENCE) {
            self.check_room(top, capacity)?;
            self.clobber(top, capacity);
            self.elsewhere()?;
            self.ends = true;
            return Ok(());
        }
        self.come_again(top, capacity, types)
    }
}
