//! A component's own functions: what they are given, and that they call the host with what it is to have, once they
//! have asked what is to be asked, and recorded that wasm is left.
//!
//! They are called by `Tail` with the component's context for the callee's instance; the caller's is one of a core
//! module, and has the store in which exits are recorded, and through which traps are raised. Parameters have names
//! (`Param`), as the host believes what it is given in each place: which is a pointer, which a length, and which number
//! says whose handles are meant.

use crate::abi::{Part, Passed, Place};
use crate::calls::Effect;
use crate::exits::{SECOND, VALUE_BYTES};
use crate::facts::{Argument, Builtin, Callee, Context, Drop, Failed, HostCall, Outcome, ValueType, Works};
use crate::operand::Spot;
use crate::state::{R8, R9, RAX, RCX, RDI, RDX, RSI, RSP, done};
use crate::value::{Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// Registers of the host's arguments; the others are on the stack.
const ARGUMENTS: [usize; 6] = [RDI, RSI, RDX, RCX, R8, R9];

/// The numbers of the calls that drop a resource, as `Given` has them: that which takes the handle out of its table,
/// and those around the destructor. All other functions make one call, but for traps.
const TAKES: u32 = 0;
const BEGINS: u32 = 1;
const ENDS: u32 = 2;
const TRAPS: u32 = 3;

impl Walk<'_> {
    // ---- what is known at the entry

    /// What is known where a function of a component's own is entered by `Tail`.
    pub(crate) fn enter_component(&mut self) {
        let begun = done::UNCALLED | done::AS_IT_WAS | done::NOT_BEGUN | done::NOT_DESTROYED | done::NOT_ENDED;
        self.st.done = begun;
        if matches!(self.role, Role::Intrinsic(_)) {
            // Nothing can fail but by a trap of its own.
            self.st.done |= done::SUCCEEDED;
        }
        self.take_arguments(false);
        for (n, Passed { ty, part, place }) in (0..).zip(&self.abi.params) {
            debug_assert!(*part == Part::Whole, "a component passes no continuations");
            let value = match ty {
                ValueType::I32 | ValueType::I64 => Value::of(Tag::Param, n),
                ValueType::Func(_) => Value::of(Tag::FuncParam, n),
                _ => continue,
            };
            match *place {
                Place::Int(reg) => self.st.regs[usize::from(reg)] = value,
                Place::Stack(at) if *ty == ValueType::I32 => {
                    self.put_word(8 + at.cast_signed(), Value::of(Tag::LowParam, n));
                }
                Place::Stack(at) => self.put_word(8 + at.cast_signed(), value),
                Place::Float(_) => {}
            }
        }
        if let Some((callee, caller)) = self.abi.instances {
            self.st.regs[callee] = Value::of(Tag::Component, 0);
            self.st.regs[caller] = Value::of(Tag::Caller, 0);
        }
    }

    // ---- the context

    fn context(&self) -> Proved<&Context> {
        let component = self.p.facts.component.as_ref();
        component.map(|component| &component.context).ok_or("context of no component")
    }

    /// A field of a component's context.
    pub(crate) fn context_field(&self, disp: i64, width: u32) -> Proved<Spot> {
        let context = self.context()?;
        let Ok(at) = u32::try_from(disp) else { return Err("context below its start") };
        let field = |tag, b| Ok(Spot::Field(Value::of(tag, b), width as u8));
        match width {
            8 if at == context.libcalls => field(Tag::Libcalls, 0),
            8 if at == context.store => field(Tag::Store, 0),
            8 if context.is_pointer(at) => field(Tag::ContextPointer, at),
            4 if Context::is_one_of(at, context.may_leave, 16) => field(Tag::MayLeave, at),
            4 if at == context.may_block => Ok(Spot::MayBlock),
            _ => Err("not a field of a component's context"),
        }
    }

    /// What is behind the pointer that a context has at `field`.
    pub(crate) fn behind_context(&self, field: u32, disp: i64, width: u32) -> Proved<Spot> {
        let (context, layouts) = (self.context()?, &self.p.facts.layouts);
        let value = |tag| Ok(Spot::Field(Value::of(tag, field), 8));
        if Context::is_one_of(field, context.memories, 8) && disp == layouts.memory_base.into() && width == 8 {
            return value(Tag::ContextMemory);
        }
        if Context::is_one_of(field, context.destructors, 8) && width == 8 {
            if disp == layouts.func_ref_instance.into() {
                return value(Tag::ContextInstance);
            }
            if disp == layouts.func_ref_code.into() {
                return value(Tag::ContextCode);
            }
        }
        Err("not a field of what a component's context points to")
    }

    /// One of the host's functions for components.
    pub(crate) fn libcall(&self, disp: i64, width: u32) -> Proved<Spot> {
        let most = self.p.facts.component.as_ref().map_or(0, |component| component.libcalls);
        match u32::try_from(disp) {
            Ok(at) if at % 8 == 0 && at < most && width == 8 => Ok(Spot::Field(Value::of(Tag::LibcallCode, at), 8)),
            _ => Err("not a function for components"),
        }
    }

    /// The first byte of a memory and as many as a parameter says.
    pub(crate) fn in_context_memory(&self, memory: Value, number: Value) -> Proved<Value> {
        if !number.is(Tag::Param) || !self.is_size(number) {
            return Err("address in a memory that is not a parameter");
        }
        Ok(Value::new(Tag::InContextMemory, number.b(), memory.b()))
    }

    /// Is it all of a parameter, as a number of 64 bits?
    fn is_size(&self, param: Value) -> bool {
        match self.abi.params.get(param.b() as usize).map(|passed| passed.ty) {
            Some(ValueType::I32) => param.a() == 1,
            Some(ValueType::I64) => param.a() == 0,
            _ => false,
        }
    }

    // ---- calls of the host

    /// Raises a trap, or what the host has recorded.
    pub(crate) fn trap_or_raise(&mut self, builtin: Builtin) -> Proved<()> {
        if !self.st.regs[RDI].is(Tag::Caller) {
            return Err("call of a builtin without an instance");
        }
        if self.st.done & done::LEFT != done::LEFT {
            return Err("call of the host before the exit is recorded");
        }
        match builtin {
            // The host panics if there is nothing to raise.
            Builtin::Raise if self.st.done & done::FAILED == 0 => {
                return Err("raised though the host may not have failed");
            }
            Builtin::Raise => {}
            Builtin::Trap => {
                let code = self.st.regs[RSI].as_constant().and_then(|code| u8::try_from(code).ok());
                if code.is_none_or(|code| !self.p.facts.trap_codes.contains(&code)) {
                    return Err("trap that the host does not know");
                }
            }
            _ => return Err("call of a builtin that this exit is not for"),
        }
        self.destroy(Effect::Any);
        self.called(0)?;
        if builtin == Builtin::Raise {
            // Nothing comes back.
            self.ends = true;
            return Ok(());
        }
        self.st.regs[RAX] = Value::new(Tag::Given, TRAPS, 0);
        // All that is left to do is to raise it, whatever was done before.
        self.st.done = self.st.done & done::LEFT | done::FAILED;
        Ok(())
    }

    /// The host's argument with this number, the context being 0.
    fn host_argument(&self, number: usize, top: i32) -> Value {
        match ARGUMENTS.get(number) {
            Some(reg) => self.st.regs[*reg],
            None => {
                let at = top + 8 * (number - ARGUMENTS.len()) as i32;
                self.frames.get(self.st.slots, self.word(at))
            }
        }
    }

    /// Calls one of the host's functions for components, or one that was imported.
    pub(crate) fn call_host_of_component(&mut self, code: Value) -> Proved<()> {
        let Role::Trampoline(index) = self.role else { return Err("call of the host by what is no component's") };
        if !self.st.regs[RDI].is(Tag::Component) {
            return Err("call of the host without the component's context");
        }
        if self.st.done & done::LEFT != done::LEFT {
            return Err("call of the host before the exit is recorded");
        }
        match &self.p.trampoline(index)?.works {
            Works::Calls(call) => self.call_by_row(call, code),
            Works::Drops(drop) => self.call_of_drop(drop, code),
        }
    }

    /// The call that a trampoline is for, which it makes once on every way.
    fn call_by_row(&mut self, call: &HostCall, code: Value) -> Proved<()> {
        let callee = match call.callee {
            Callee::Libcall(at) => Value::of(Tag::LibcallCode, at),
            Callee::Lowering(at) => Value::of(Tag::ContextPointer, at),
        };
        if code != callee {
            return Err("call of another function of the host's");
        }
        if call.may_leave.is_some() && self.st.done & done::MAY_LEAVE == 0 {
            return Err("call of the host though the instance may not leave");
        }
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        let on_stack = 8 * (call.arguments.len() + 1).saturating_sub(ARGUMENTS.len()) as i32;
        let (bytes, mut array, mut second) = (VALUE_BYTES * self.values.cast_signed(), None, None);
        // The host may write over what it is passed on the stack.
        let is_own = |at: i32, bytes: i32| at >= top + on_stack && at + bytes <= -8;
        for (number, argument) in call.arguments.iter().enumerate() {
            let value = self.host_argument(number + 1, top);
            let fits = match *argument {
                Argument::Number(wanted) => value.as_constant().is_some_and(|is| is as u32 == wanted),
                Argument::Null => value == Value::NULL,
                Argument::Pointer(at) => value == Value::of(Tag::ContextPointer, at),
                Argument::Parameter(n) => self.is_parameter(value, n),
                Argument::Size(n) => value.is(Tag::Param) && value.b() == n && self.is_size(value),
                Argument::InMemory(n, memory) => value == Value::new(Tag::InContextMemory, n, memory),
                Argument::Values(_) => {
                    array = value.as_stack().filter(|at| is_own(*at, bytes));
                    array.is_some()
                }
                Argument::Count => value.as_constant() == Some(self.values.into()),
                Argument::Second => {
                    second = value.as_stack().filter(|at| is_own(*at, 8));
                    second.is_some()
                }
            };
            if !fits {
                return Err("call of the host with other arguments than it takes");
            }
        }
        if let (Some(at), Some(first)) = (array, call.array()) {
            self.check_values_at(at, bytes)?;
            for (n, Passed { ty, .. }) in self.abi.params.iter().skip(first).enumerate() {
                self.check_host_value(at + VALUE_BYTES * n as i32, *ty)?;
            }
        }
        if let Some(at) = second {
            self.check_values_at(at, 8)?;
        }
        self.call_once()?;
        self.destroy(Effect::Any);
        self.called(0)?;
        self.forget_frame(top, on_stack.cast_unsigned());
        self.st.regs[RAX] = Value::new(Tag::Given, TAKES, 0);
        if let Some(at) = array {
            self.await_values(at, bytes);
        }
        if let Some(at) = second {
            self.second_at = Some(at);
            self.overwritten(at, 8);
            self.put_word(at, Value::of(Tag::Unanswered, SECOND));
        }
        Ok(())
    }

    /// Is it a parameter, as far as its type says what counts?
    fn is_parameter(&self, value: Value, n: u32) -> bool {
        match self.abi.params.get(n as usize).map(|passed| passed.ty) {
            Some(ValueType::I32) => matches!(value.tag(), Tag::Param | Tag::LowParam) && value.b() == n,
            Some(ValueType::I64) => value == Value::of(Tag::Param, n),
            Some(ValueType::Func(_)) => value == Value::of(Tag::FuncParam, n),
            _ => false,
        }
    }

    /// The types of results that the host puts into the array of values.
    pub(crate) fn results_in_array(&self) -> Vec<ValueType> {
        match self.role {
            Role::Trampoline(index) => match self.p.trampoline(index).map(|trampoline| &trampoline.works) {
                Ok(Works::Calls(HostCall { outcome: Outcome::Values, .. })) => {
                    self.abi.results.iter().map(|passed| passed.ty).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What the host gives a trampoline at its call with this number where it has failed.
    pub(crate) fn failure_of_component(&self, index: u32, call: u32) -> Option<Failed> {
        match (&self.p.trampoline(index).ok()?.works, call) {
            (_, TRAPS) => None,
            (Works::Calls(call), _) => Some(match call.outcome {
                Outcome::Flag | Outcome::Values => Failed::Zero8,
                Outcome::Word | Outcome::Two => Failed::Constant(-1),
                Outcome::Narrow => Failed::Constant32(u32::MAX),
            }),
            (Works::Drops(_), TAKES) => Some(Failed::Constant(-1)),
            (Works::Drops(_), _) => Some(Failed::Zero8),
        }
    }

    /// Is it what the host gave, as a result of this type?
    pub(crate) fn is_result_of_host(&self, value: Value, ty: ValueType) -> bool {
        let Role::Trampoline(index) = self.role else { return false };
        let Ok(Works::Calls(call)) = self.p.trampoline(index).map(|trampoline| &trampoline.works) else { return false };
        let number = matches!(call.outcome, Outcome::Word | Outcome::Two | Outcome::Narrow);
        let clean = value.b() == 0 && call.outcome != Outcome::Narrow;
        let fits = ty == ValueType::I32 || ty == ValueType::I64 && clean;
        value.is(Tag::Given) && value.a() == TAKES && number && fits
    }

    /// The instance may leave for which the context says so at `field`.
    pub(crate) fn instance_may_leave(&mut self, field: u32) {
        let Role::Trampoline(index) = self.role else { return };
        match self.p.trampoline(index).map(|trampoline| &trampoline.works) {
            Ok(Works::Calls(call)) if call.may_leave == Some(field) => self.st.done |= done::MAY_LEAVE,
            Ok(Works::Drops(drop)) => {
                // What is another's business is asked when it has become so.
                if drop.may_leave == field && self.st.done & done::UNCALLED != 0 {
                    self.st.done |= done::MAY_LEAVE;
                }
                let holder = drop.crossing.is_some_and(|crossing| crossing.may_leave == field);
                if holder && self.st.done & done::UNCALLED == 0 {
                    self.st.done |= done::HOLDER_MAY_LEAVE;
                }
                self.progress();
            }
            _ => {}
        }
    }

    // ---- entries

    /// The host's entry of a component's own function calls this.
    pub(crate) fn call_of_component(&mut self, entry: Role) -> Proved<()> {
        if self.role != entry {
            return Err("call of a component's own function from elsewhere");
        }
        let p = self.p;
        let shape = match entry {
            Role::TrampolineEntry(index) => p.shape(p.trampoline(index)?.ty)?,
            Role::IntrinsicEntry(number) => p.intrinsic(number)?.1,
            _ => return Err("call of a component's own function from elsewhere"),
        };
        if let Some((callee, caller)) = shape.tail.instances
            && !(self.st.regs[callee].is(Tag::Component) && self.st.regs[caller].is(Tag::Caller))
        {
            return Err("call with an instance that is not the callee's or the caller's");
        }
        self.pass(&shape.tail, false)?;
        self.come_back(&shape.tail, None)
    }

    // ---- drops of resources

    fn dropping(&self) -> Option<Drop> {
        let Role::Trampoline(index) = self.role else { return None };
        match self.p.trampoline(index).map(|trampoline| &trampoline.works) {
            Ok(Works::Drops(drop)) => Some(*drop),
            _ => None,
        }
    }

    /// Is this code that drops a resource?
    pub(crate) fn drops(&self) -> bool {
        self.dropping().is_some()
    }

    fn has(&self, all: u32) -> bool {
        self.st.done & all == all
    }

    /// May the destructor be called, or what goes before it, and has the host begun a task if it is to?
    fn may_destroy(&self, drop: &Drop) -> bool {
        let crosses = drop.crossing.is_none() || self.has(done::HOLDER_MAY_LEAVE);
        let begun = drop.crossing.is_none_or(|crossing| crossing.task.is_none());
        self.has(done::TAKEN | done::OWNED) && crosses && (begun || self.has(done::BEGUN | done::NO_BLOCKING))
    }

    /// Something was done: perhaps that was all that is to be.
    fn progress(&mut self) {
        let Some(drop) = self.dropping() else { return };
        let task = drop.crossing.is_some_and(|crossing| crossing.task.is_some());
        let crosses = drop.crossing.is_none() || self.has(done::HOLDER_MAY_LEAVE);
        let destroyed = drop.destructor.is_none() || self.has(done::DESTROYED);
        let ended = !task || self.has(done::ENDED | done::AS_IT_WAS);
        if self.has(done::TAKEN | done::OWNED) && crosses && destroyed && ended {
            self.st.done |= done::SUCCEEDED;
        }
    }

    /// Learns of what the host gave where a resource is dropped, that it is a constant or is not.
    pub(crate) fn learn_of_drop(&mut self, given: Value, constant: i64, bytes: u8, is: bool) {
        if given.a() == TAKES {
            match (constant, bytes, is) {
                (-1, 8, false) => self.st.done |= done::TAKEN,
                (0, 8, false) => self.st.done |= done::OWNED,
                // Nothing else is to be done, and the host has not failed.
                (0, 8, true) => self.st.done |= done::SUCCEEDED,
                _ => {}
            }
        } else if !is && self.says_that_it_failed(given, constant, bytes) {
            match given.a() {
                BEGINS => self.st.done |= done::BEGUN,
                ENDS => self.st.done |= done::ENDED,
                _ => {}
            }
        }
        self.progress();
    }

    /// What the host gave, without the bit that says that it is one.
    pub(crate) fn dropped(&self, given: Value) -> Value {
        if given == Value::new(Tag::Given, TAKES, 0) { Value::of(Tag::Dropped, 0) } else { Value::ANY }
    }

    fn call_of_drop(&mut self, drop: &Drop, code: Value) -> Proved<()> {
        const BAD: &str = "call of the host with other arguments than it takes";
        if !code.is(Tag::LibcallCode) {
            return Err("call of another function of the host's");
        }
        let number = |walk: &Self, reg: usize, wanted: u32| {
            walk.st.regs[reg].as_constant().is_some_and(|is| is as u32 == wanted)
        };
        let numbers = |walk: &Self, wanted: [u32; 3]| {
            number(walk, RSI, wanted[0]) && number(walk, RDX, wanted[1]) && number(walk, RCX, wanted[2])
        };
        let task = drop.crossing.and_then(|crossing| crossing.task);
        let [instance, table] = drop.numbers;
        let call = if code.b() == drop.libcall {
            if !self.has(done::MAY_LEAVE) {
                return Err("call of the host though the instance may not leave");
            }
            if !number(self, RSI, instance) || !number(self, RDX, table) || !self.is_parameter(self.st.regs[RCX], 0) {
                return Err(BAD);
            }
            self.call_once()?;
            TAKES
        } else if let Some((begins, _, definer)) = task
            && code.b() == begins
        {
            let ready = done::TAKEN | done::OWNED | done::HOLDER_MAY_LEAVE | done::NO_BLOCKING | done::NOT_BEGUN;
            if !self.has(ready) {
                return Err("task that is begun where none is to be");
            }
            if !numbers(self, [instance, 0, definer]) {
                return Err(BAD);
            }
            self.st.done &= !done::NOT_BEGUN;
            BEGINS
        } else if let Some((_, ends, _)) = task
            && code.b() == ends
        {
            let destroyed = drop.destructor.is_none() || self.has(done::DESTROYED);
            if !destroyed || !self.has(done::BEGUN | done::NOT_ENDED) {
                return Err("task that is ended where none is to be");
            }
            self.st.done &= !done::NOT_ENDED;
            ENDS
        } else {
            return Err("call of another function of the host's");
        };
        self.destroy(Effect::Any);
        self.called(0)?;
        self.st.regs[RAX] = Value::new(Tag::Given, call, 0);
        Ok(())
    }

    /// Calls the destructor to which the context has a reference at `field`. What it throws must not get any further.
    pub(crate) fn call_destructor(&mut self, field: u32) -> Proved<()> {
        let Some(drop) = self.dropping().filter(|drop| drop.destructor == Some(field)) else {
            return Err("call of a destructor that is not this resource's");
        };
        if !self.may_destroy(&drop) || !self.has(done::NOT_DESTROYED) {
            return Err("call of a destructor where none is to be called");
        }
        let abi = self.abi;
        let (Some((callee, caller)), Some(Place::Int(first))) =
            (abi.instances, abi.params.first().map(|passed| passed.place))
        else {
            return Err("destructor that is passed nothing");
        };
        if self.st.regs[callee] != Value::of(Tag::ContextInstance, field) || !self.st.regs[caller].is(Tag::Caller) {
            return Err("call with an instance that is not the callee's or the caller's");
        }
        if !self.st.regs[usize::from(first)].is(Tag::Dropped) {
            return Err("destructor of what was not dropped");
        }
        if !self.catches_all() {
            return Err("destructor whose exceptions get further");
        }
        // What it calls leaves other records, of frames that are gone when it has come back.
        self.st.done &= !(done::NOT_DESTROYED | done::LEFT);
        self.let_others_in();
        self.destroy(Effect::Any);
        self.called(0)?;
        self.st.done |= done::DESTROYED;
        self.progress();
        Ok(())
    }

    /// Does the call at hand have a handler of every exception?
    pub(crate) fn catches_all(&self) -> bool {
        let tables = self.p.tables;
        let Ok(found) = tables.calls.binary_search_by_key(&self.next, |call| call.returns_to) else { return false };
        let (from, to) = tables.calls[found].handlers;
        let handlers = tables.handlers.get(from as usize..to as usize).unwrap_or_default();
        handlers.iter().any(|handler| handler.tag.is_none())
    }

    /// Whether a task may block, as the context has it.
    pub(crate) fn may_block(&self) -> Value {
        if self.has(done::AS_IT_WAS) { Value::of(Tag::MayBlock, 0) } else { Value::U32 }
    }

    /// The context is to say whether a task may block: not while a destructor runs, and then as before.
    pub(crate) fn set_may_block(&mut self, value: Value) -> Proved<()> {
        let task = self.dropping().and_then(|drop| drop.crossing?.task);
        if task.is_none() {
            return Err("store to a component's context");
        }
        self.st.done &= !(done::AS_IT_WAS | done::NO_BLOCKING);
        self.st.done |= match value {
            Value::NULL => done::NO_BLOCKING,
            value if value.is(Tag::MayBlock) => done::AS_IT_WAS,
            _ => return Err("store to a component's context"),
        };
        self.progress();
        Ok(())
    }
}
