//! The border of a module: what is known at the entry of each sort of code, and which fields of the store it may write.

use crate::abi::{self, Abi, Part, Passed, Place, argument};
use crate::calls::PRESERVED;
use crate::facts::{StoreField, ValueType, Works};
use crate::lanes::Vectors;
use crate::proof;
use crate::state::{R14, R15, RBP, RCX, RDI, RDX, RSI, RSP, State, done};
use crate::value::{ONLY_NULL, Tag, Value};
use crate::walk::{Proved, Role, Walk};

impl Walk<'_> {
    /// Sets up the proof of code of some sort and gives what is known at its entry.
    pub(crate) fn enter(&mut self, role: Role) -> Proved<State> {
        let p = self.p;
        self.role = role;
        self.preserved = PRESERVED;
        self.limited = false;
        self.copies = matches!(role, Role::Routine | Role::StartupRoutine);
        self.watches = self.copies || self.has_wide_tables;
        (self.handler, self.handler_stack) = (None, None);
        self.unwinding = false;
        self.unwound = None;
        (self.passed_at, self.second_at, self.record_at) = (None, None, None);
        self.room = 0;
        let shape = match role {
            Role::Body(index) | Role::Thunk(index) | Role::ArrayEntry(index) => Some(p.shape_of_defined(index)),
            Role::HostExit(ty) => Some(p.shape(ty)?),
            Role::Trampoline(index) | Role::TrampolineEntry(index) => Some(p.shape(p.trampoline(index)?.ty)?),
            Role::Intrinsic(number) | Role::IntrinsicEntry(number) => Some(p.intrinsic(number)?.1),
            _ => None,
        };
        self.abi = match (role, shape) {
            (Role::Body(_), Some(shape)) => &shape.private,
            (Role::Thunk(_) | Role::HostExit(_) | Role::Trampoline(_) | Role::Intrinsic(_), Some(shape)) => &shape.tail,
            (Role::StartupWasm, _) => &abi::STARTUP,
            _ => &abi::NONE,
        };
        self.pops = self.abi.stack_args;
        self.values = match role {
            Role::Trampoline(index) => match (&p.trampoline(index)?.works, shape) {
                (Works::Calls(call), Some(shape)) => call.values(&shape.signature),
                _ => 0,
            },
            role if role.is_entry() || matches!(role, Role::HostExit(_)) => shape.map_or(0, |shape| shape.values),
            _ => 0,
        };
        if let (Role::Thunk(_) | Role::ArrayEntry(_) | Role::HostExit(_), Some(shape)) = (role, shape) {
            let Abi { stack_args, stack_results, .. } = shape.private;
            self.room = i64::from(stack_args) + i64::from(stack_results) + 16 * i64::from(shape.values);
        }
        if let (true, Some(shape)) = (role.is_of_component() || role.is_entry_of_component(), shape) {
            // What is kept of what is passed, what the host is passed on the stack, and values.
            let words = 8 + 2 * shape.signature.params.len() as i64;
            self.room = i64::from(shape.tail.stack_args) + 8 * words + 16 * i64::from(self.values);
        }
        let slots = self.frames.begin();
        let mut state = State::new(slots);
        for reg in 0..16 {
            if let Some((_, value)) = PRESERVED.iter().find(|(preserved, _)| *preserved == reg) {
                state.regs[reg] = *value;
            }
        }
        self.st = state;
        self.put_word(0, Value::of(Tag::Return, 0));
        let foreign = !matches!(role, Role::Body(_) | Role::Routine | Role::StartupRoutine);
        if foreign {
            for reg in [R14, R15] {
                self.st.regs[reg] = Value::of(Tag::Saved, reg as u32);
                for (preserved, value) in &mut self.preserved {
                    if *preserved == reg {
                        *value = Value::of(Tag::Saved, reg as u32);
                    }
                }
            }
        }
        match role {
            Role::Body(_) => {
                self.limited = true;
                self.take_arguments(true);
                self.begin_threads();
            }
            Role::Thunk(_) | Role::StartupWasm => {
                self.take_arguments(false);
                if let Some((callee, caller)) = self.abi.instances {
                    self.st.regs[callee] = Value::CTX;
                    self.st.regs[caller] = Value::of(Tag::Caller, 0);
                }
            }
            Role::HostExit(_) => {
                self.st.done = done::UNCALLED;
                self.take_arguments(false);
                if let Some((callee, caller)) = self.abi.instances {
                    self.st.regs[callee] = Value::of(Tag::Callee, 0);
                    self.st.regs[caller] = Value::of(Tag::Caller, 0);
                }
            }
            Role::Trampoline(_) | Role::Intrinsic(_) => self.enter_component(),
            role if role.is_entry() => {
                self.st.regs[RDI] =
                    if role.is_entry_of_component() { Value::of(Tag::Component, 0) } else { Value::CTX };
                self.st.regs[RSI] = Value::of(Tag::Caller, 0);
                self.st.regs[RDX] = Value::of(Tag::Values, 0);
                self.st.regs[RCX] = Value::ANY;
                self.take_values(shape.map_or(&[], |shape| &shape.signature.params));
            }
            Role::BuiltinExit(builtin) => {
                self.st.done = done::UNCALLED;
                self.take_builtin_arguments(builtin);
                self.st.regs[RDI] = Value::of(Tag::Caller, 0);
                self.st.vectors = Vectors::ALL;
            }
            _ => {}
        }
        if matches!(role, Role::StartupWasm | Role::StartupArray | Role::StartupRoutine) {
            self.st.done |= done::INTACT;
        }
        Ok(self.st)
    }

    pub(crate) fn take_arguments(&mut self, private: bool) {
        let abi = self.abi;
        let is_stack = |n: usize| matches!(abi.params[n].place, Place::Stack(_));
        for (n, Passed { ty, part, place }) in abi.params.iter().enumerate() {
            match *place {
                Place::Stack(at) if *part == Part::Pointer && is_stack(n + 1) => {
                    // Both words side by side need nothing more to be known as one reference.
                    if let ValueType::Cont { ty } = *ty {
                        let of = self.p.types.functions.of_cont(ty);
                        self.put_reference(8 + at.cast_signed(), of);
                    }
                }
                Place::Stack(_) if *part == Part::Revision && is_stack(n - 1) => {}
                _ if *part != Part::Whole => self.take_half(n, *ty, *part, *place, 8),
                Place::Int(reg) => self.st.regs[usize::from(reg)] = argument(*ty, private),
                Place::Float(reg) => self.take_vector(reg.into(), *ty),
                Place::Stack(at) => {
                    let at = 8 + at.cast_signed();
                    match *ty {
                        ValueType::I32 | ValueType::F32 | ValueType::Gc => self.put_word(at, Value::of(Tag::Undef, 1)),
                        ValueType::Cont { ty } => {
                            let of = self.p.types.functions.of_cont(ty);
                            self.put_reference(at, of);
                        }
                        ValueType::V128 => {
                            self.put_word(at, Value::ANY);
                            self.put_word(at + 8, Value::ANY);
                        }
                        other => self.put_word(at, argument(other, private)),
                    }
                }
            }
        }
        if let Some(area) = abi.area {
            self.st.regs[area] = Value::of(Tag::ResultArea, 0);
        }
    }

    /// Code that is entered with these arguments; `wide` says whether there are sixteen bytes on the stack.
    pub(crate) fn enter_routine(&mut self, role: Role, args: &[Value; 6], wide: Value) -> Proved<State> {
        self.enter(role)?;
        for (reg, arg) in crate::calls::ROUTINE_ARGS.into_iter().zip(args) {
            self.st.regs[reg] = *arg;
        }
        if !wide.is(Tag::Undef) {
            self.abi = &abi::WIDE;
            // The first words are counted from the top of the arguments.
            self.st.slots = self.frames.begin();
            self.put_word(0, Value::of(Tag::Return, 0));
            if wide.is(Tag::Cont) {
                self.put_reference(8, wide.b());
            } else {
                let word = if wide == Value::NULL { wide } else { Value::ANY };
                self.put_word(8, word);
                self.put_word(16, word);
            }
            self.pops = 0;
        }
        Ok(self.st)
    }

    /// The types of the parameters of an exit.
    pub(crate) fn parameters(&self) -> Vec<ValueType> {
        match self.role {
            Role::HostExit(ty) => self.p.shape(ty).map_or(Vec::new(), |shape| shape.signature.params.clone()),
            _ => Vec::new(),
        }
    }

    /// The types of the results of an exit.
    pub(crate) fn results(&self) -> Vec<ValueType> {
        match self.role {
            Role::HostExit(ty) => self.p.shape(ty).map_or(Vec::new(), |shape| shape.signature.results.clone()),
            Role::Trampoline(_) => self.results_in_array(),
            _ => Vec::new(),
        }
    }

    /// A store to a field of the store that is not for guests.
    pub(crate) fn write_border_field(&mut self, field: StoreField, value: Value) -> Proved<()> {
        let entry = self.role.is_entry();
        let exit = self.role.is_exit();
        match field {
            StoreField::EntryFramePointer if entry && value == Value::stack(-8) => {
                self.st.done |= done::ENTRY_FRAME;
                Ok(())
            }
            StoreField::EntryStackPointer if entry && value.is(Tag::Stack) && value == self.st.regs[RSP] => {
                let top = value.as_stack().unwrap_or(0);
                if self.handler_stack.is_some_and(|known| known != top) {
                    return Err("entry that is recorded twice");
                }
                self.handler_stack = Some(top);
                self.st.done |= done::ENTRY_STACK;
                Ok(())
            }
            StoreField::EntryTrapHandler if entry && value.is(Tag::Text) && self.contains(value.b()) => {
                if self.handler.is_some_and(|known| known != value.b()) {
                    return Err("entry that is recorded twice");
                }
                self.handler = Some(value.b());
                self.st.done |= done::ENTRY_HANDLER;
                Ok(())
            }
            StoreField::CurrentThread if self.role.is_body() => self.set_current_thread(value),
            StoreField::CurrentThread if entry => {
                let forced = self.p.facts.settings.forced_thread;
                if value.as_constant().map(i64::cast_unsigned) == forced && forced.is_some() {
                    self.st.done |= done::NO_THREAD;
                    return Ok(());
                }
                Err("store of another thread")
            }
            StoreField::ExitFramePointer if exit && value == Value::stack(-8) && self.st.regs[RBP] == value => {
                self.st.done |= done::EXIT_FRAME;
                Ok(())
            }
            StoreField::ExitReturnAddress if exit && value.is(Tag::Return) => {
                self.st.done |= done::EXIT_ADDRESS;
                Ok(())
            }
            _ => Err("store to a field of the store's structure that is not for this code"),
        }
    }

    /// What is known where the host goes on when it unwinds to an entry: the frame as it is now, and nothing else.
    fn unwound_to(&mut self, top: i32) -> State {
        let mut slots = self.st.slots;
        let below = self.words_below(top);
        self.frames.share();
        self.frames.forget(&mut slots, below);
        let mut state = State::new(slots);
        state.regs[RSP] = Value::stack(top);
        state.regs[RBP] = Value::stack(-8);
        state.checked = self.st.checked;
        // Of what was done at the entry, that.
        state.done = self.st.done & !done::NO_THREAD;
        state.kept = self.st.kept;
        state
    }

    /// The call at hand may be unwound to this entry, which finds its frame and nothing in registers.
    pub(crate) fn note_unwinding(&mut self) -> Proved<()> {
        if self.st.done & done::ENTERED != done::ENTERED {
            return Err("call before the entry is recorded");
        }
        if self.unwinding {
            return Err("call of an entry that is being unwound");
        }
        let mut state = self.unwound_to(self.handler_stack.unwrap_or(0));
        if let Some(known) = self.unwound {
            let mut joined = known;
            joined.join(&state, &mut self.frames, &self.p.types, true);
            state = joined;
        }
        self.frames.share();
        self.unwound = Some(state);
        Ok(())
    }

    /// What is known at the landing pads of a call, whose stack pointer is at `top`, goes there.
    pub(crate) fn flow_to_pads(&mut self, top: i32) -> Proved<()> {
        let p = self.p;
        let Ok(found) = p.tables.calls.binary_search_by_key(&self.next, |call| call.returns_to) else { return Ok(()) };
        let site = p.tables.calls[found];
        let Some(handlers) = p.tables.handlers.get(site.handlers.0 as usize..site.handlers.1 as usize) else {
            return Err("handlers that are not there");
        };
        let frame = -8 - top;
        if i64::from(site.frame) != i64::from(frame) {
            return Err("call with handlers whose frame is of another size");
        }
        let mut state = self.unwound_to(top);
        state.regs[crate::state::RAX] = Value::U32;
        for handler in handlers {
            // The host asks the instance for the tag, and panics if it has none.
            if let Some(tag) = handler.tag
                && (handler.context.is_none() || tag as usize >= p.facts.tags.len())
            {
                return Err("handler of a tag that is none");
            }
            if let Some(context) = handler.context {
                let at = i64::from(top) + i64::from(context);
                if at % 8 != 0 || at >= -8 || self.frames.get(self.st.slots, self.word(at as i32)) != Value::CTX {
                    return Err("handler that does not find the instance in the frame");
                }
            }
            self.flow_with(handler.pad, state)?;
        }
        Ok(())
    }

    /// Is a value a function reference of this type or null?
    pub(crate) fn check_function(&self, value: Value, func: crate::facts::FuncType) -> Proved<()> {
        if value == Value::NULL || value.is(Tag::Func) && self.has_type(value.b(), func.ty) {
            return Ok(());
        }
        Err("not a function reference of the type")
    }

    /// Is a type, as values have it, another or a subtype of it?
    pub(crate) fn has_type(&self, have: u32, want: Option<u32>) -> bool {
        match want {
            None => true,
            Some(want) => have == ONLY_NULL || have != 0 && self.p.types.is_subtype(have - 1, want),
        }
    }

    /// Functions are called, or given to where others find them: in startup nothing is as it was when that began, and
    /// routines that startup calls do no such thing.
    pub(crate) fn let_others_in(&mut self) {
        self.part.lets_in = true;
        if matches!(self.role, Role::StartupWasm | Role::StartupArray | Role::StartupRoutine) {
            self.st.done &= !done::INTACT;
        }
    }

    /// Notes a call for the proof, and whether what its map names is looked at.
    pub(crate) fn note_call(&mut self, top: i32, mapped: bool) {
        let frame = (self.st.regs[RBP] == Value::stack(-8)).then(|| (-8 - top).cast_unsigned());
        self.part.calls.push(proof::Call { returns_to: self.next, frame, mapped });
    }
}
