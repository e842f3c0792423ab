//! Calls, tail calls and returns: what is passed, what is promised, and what is left of what was known.

use crate::abi::{Abi, Part, Passed, Place, Shape, bytes};
use crate::decode::Instruction;
use crate::facts::{Builtin, Signature, ValueType};
use crate::lanes::Vectors;
use crate::prover::Entry;
use crate::relate::{self, Key, Region};
use crate::state::{
    Flags, R8, R9, R10, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, UNCHECKED, done,
};
use crate::transfer::Operand;
use crate::value::{DIRTY, FRESH, IDENTITY, NULLABLE, OWNER_MEMORY, OWNER_TABLE, OWNER_TAG, Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// Registers that calls destroy.
const VOLATILE: [usize; 9] = [RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11];

/// Registers that calls keep, and in which there may be something of which they end what is known. In r14 there may
/// where a module has no memory.
pub(crate) const KEPT: [usize; 4] = [RBX, R12, R13, R14];

/// Registers in which routines take arguments.
pub(crate) const ROUTINE_ARGS: [usize; 6] = [RDX, RCX, R8, R9, RDI, RSI];

/// How many numbers of traps the exit to the builtin that raises them has a byte for.
pub(crate) const TRAP_CODES: u32 = 16;

/// What a call may do beside what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that moves memories, tables or the heap.
    Quiet,
    /// A collector may run, which moves the heap.
    Collects,
    /// A table grows, which moves tables. The host's limits are asked, and whoever says them has no access to the
    /// store.
    GrowsTable,
    /// The memory with this index grows, under whatever name.
    GrowsMemory(u32),
    /// Anything: other code runs.
    Any,
}

impl<'p> Walk<'p> {
    #[inline(never)]
    pub(crate) fn call(&mut self, instruction: &Instruction) -> Proved<()> {
        self.check_frames()?;
        if instruction.target().is_some() {
            let target = self.target(instruction)?;
            let p = self.p;
            let entry = p.entry(target);
            self.check_limit(entry)?;
            return match entry {
                Some(Entry::Private(index)) => {
                    let shape = p.shape_of_defined(index);
                    self.check_instance()?;
                    self.pass(&shape.private, true)?;
                    self.come_back(&shape.private, None)
                }
                Some(Entry::Builtin(builtin)) => self.call_builtin(builtin),
                Some(Entry::Trampoline(index)) => self.call_of_component(Role::TrampolineEntry(index)),
                Some(Entry::Intrinsic(number)) => self.call_of_component(Role::IntrinsicEntry(number)),
                None if self.st.regs[R15].is(Tag::ImportInstance) => self.call_across(target),
                None => match self.import_at(target)? {
                    Some(code) => self.call_code(code),
                    None => self.call_routine(target),
                },
            };
        }
        self.check_limit(None)?;
        let code = match self.operand(instruction, 0)? {
            Operand::Int(reg, 8) => self.st.regs[reg],
            Operand::Memory => self.load(instruction, 8)?,
            _ => return Err("call of something else"),
        };
        self.call_code(code)
    }

    fn call_code(&mut self, code: Value) -> Proved<()> {
        let (ty, either) = self.callee(code)?;
        match code.tag() {
            Tag::HostCode => return self.call_host(),
            Tag::BuiltinCode => return self.call_host_builtin(code.b()),
            Tag::LibcallCode | Tag::ContextPointer => return self.call_host_of_component(code),
            Tag::ContextCode => return self.call_destructor(code.b()),
            _ => {}
        }
        let shape = self.p.shape(ty)?;
        self.pass_instances(&shape.tail, code)?;
        self.pass(&shape.tail, false)?;
        if either {
            if !shape.same {
                return Err("private entry of a function that takes its arguments elsewhere");
            }
            self.check_instance()?;
            self.pass(&shape.private, true)?;
        }
        let import = code.is(Tag::ImportCode).then_some(code.b());
        self.come_back(&shape.tail, import)
    }

    /// The stack is as whoever walks the frames, and whoever uses aligned operands, expects it.
    pub(crate) fn check_frames(&mut self) -> Proved<()> {
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        if (top - 8) % 16 != 0 {
            return Err("call with a stack that is not aligned");
        }
        if top > -8 {
            return Err("call without its own frame");
        }
        if self.st.torn || self.st.regs[RBP] != Value::stack(-8) {
            return Err("call without a frame");
        }
        let saved = self.frames.get(self.st.slots, self.word(-8));
        let back = self.frames.get(self.st.slots, self.word(0));
        if saved != Value::of(Tag::Saved, RBP as u32) || !back.is(Tag::Return) {
            return Err("call with a frame that does not lead to the caller's");
        }
        Ok(())
    }

    /// Where an instruction faults the host goes through the frames, from the one on that the frame pointer is of: this
    /// code's own, or its caller's if it has none yet or no more.
    pub(crate) fn check_walkable(&self) -> Proved<()> {
        if self.role.is_entry() {
            // A fault would unwind to this entry, whose caller is the host.
            return Err("this may fault in an entry from the host");
        }
        let frame = self.st.regs[RBP];
        if frame == Value::of(Tag::Saved, RBP as u32) {
            return Ok(());
        }
        // The return address is written by nothing that does not tear the frame.
        let saved = self.frames.get(self.st.slots, self.word(-8));
        if frame == Value::stack(-8) && saved == Value::of(Tag::Saved, RBP as u32) && !self.st.torn {
            return Ok(());
        }
        Err("this may fault where the frame pointer does not lead to the caller's")
    }

    /// Is there room for what is called? For an exit that never comes back the host has room below the limit, as for
    /// one small frame more.
    pub(crate) fn check_limit(&self, target: Option<Entry>) -> Proved<()> {
        let small = self.st.regs[RSP].as_stack().is_some_and(|top| self.has_room(top));
        if small && (!self.limited || self.st.checked != UNCHECKED) {
            return Ok(());
        }
        if small && matches!(target, Some(Entry::Builtin(Builtin::Trap))) {
            return Ok(());
        }
        Err("call before the stack is compared with its limit")
    }

    /// What private code takes for granted.
    pub(crate) fn check_instance(&self) -> Proved<()> {
        if !self.has_instance() {
            return Err("private call without the instance");
        }
        if !self.p.facts.memories.is_empty() && self.st.regs[R14] != Value::of(Tag::Memory, 0) {
            return Err("private call without the base of memory 0");
        }
        Ok(())
    }

    /// Checks the arguments of a call.
    pub(crate) fn pass(&mut self, abi: &Abi, private: bool) -> Proved<()> {
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        self.pass_at(abi, private, top)?;
        if let Some(area) = abi.area {
            if self.st.regs[area] == Value::of(Tag::ResultArea, 0) && abi.stack_results <= self.abi.stack_results {
                // The caller's area is handed on.
                return Ok(());
            }
            let Some(at) = self.st.regs[area].as_stack() else { return Err("result area outside of the frame") };
            if at < top + abi.stack_args.cast_signed() || at + abi.stack_results.cast_signed() > -8 {
                return Err("result area outside of the frame");
            }
            self.check_record(at.into(), i64::from(at) + i64::from(abi.stack_results))?;
            for from in (at..at + abi.stack_results.cast_signed()).step_by(8) {
                let word = self.frames.get(self.st.slots, self.word(from));
                if at % 8 != 0 || matches!(word.tag(), Tag::Saved | Tag::Return | Tag::Ctx | Tag::ResultArea) {
                    return Err("result area over what the frame keeps");
                }
            }
        }
        Ok(())
    }

    /// The arguments on the stack begin at `top`.
    fn pass_at(&mut self, abi: &Abi, private: bool, top: i32) -> Proved<()> {
        for (n, Passed { ty, part, place }) in abi.params.iter().enumerate() {
            match *place {
                _ if *part == Part::Pointer => self.check_halves(&abi.params[n..], *ty, top)?,
                _ if *part == Part::Revision => {}
                Place::Float(reg) if matches!(ty, ValueType::Cont { .. }) => self.check_reference(reg.into(), *ty)?,
                Place::Stack(at) if matches!(ty, ValueType::Cont { .. }) => {
                    let kind = self.reference_at(top + at.cast_signed());
                    self.check_cont(kind, *ty)?;
                }
                Place::Int(reg) => self.check_value(self.st.regs[usize::from(reg)], *ty, private)?,
                Place::Float(reg) if self.st.vectors.known(reg.into()) < bytes(*ty) => {
                    return Err("undefined argument");
                }
                Place::Float(_) => {}
                Place::Stack(at) => {
                    self.has_value(top + at.cast_signed(), *ty, "undefined argument on the stack")?;
                }
            }
        }
        Ok(())
    }

    fn check_value(&self, value: Value, ty: ValueType, private: bool) -> Proved<()> {
        match ty {
            ValueType::Func(func) => self.check_function(value, func),
            ValueType::I32 | ValueType::Gc if private && !value.is_u32() => {
                Err("argument whose upper half may be anything")
            }
            _ if value.is_number() => Ok(()),
            _ => Err("argument that is no number"),
        }
    }

    /// What is known when a call has come back, perhaps of an imported function, and what handlers of exceptions find.
    pub(crate) fn come_back(&mut self, abi: &Abi, import: Option<u32>) -> Proved<()> {
        self.may_throw(import)?;
        self.let_others_in();
        let area = abi.area.map(|area| self.st.regs[area].as_stack().unwrap_or_else(|| self.area()));
        self.destroy(Effect::Any);
        if let Some(area) = area {
            // Of what is there between results, and of results that an exception has come before, nothing is known.
            self.forget_frame(area, abi.stack_results);
        }
        self.called(abi.stack_args)?;
        if let Some(area) = area {
            self.put_results(area, abi);
        }
        self.give(abi);
        if self.p.facts.memories.is_empty() {
            // Nobody gives it back where it is of no use.
            self.st.regs[R14] = Value::UNDEF;
        }
        self.called_import(import);
        Ok(())
    }

    /// The callee has written its results: to an area of this frame, or to the one that this function was given.
    fn put_results(&mut self, area: i32, abi: &Abi) {
        for (n, Passed { ty, part, place }) in abi.results.iter().enumerate() {
            let Place::Stack(at) = *place else { continue };
            let from = area + at.cast_signed();
            match *ty {
                ValueType::Cont { .. } => self.take_half(n, *ty, *part, *place, area),
                ValueType::I32 | ValueType::F32 | ValueType::Gc => self.put_word(from, Value::of(Tag::Undef, 1)),
                ValueType::Func(func) => self.put_word(from, Value::of_type(func)),
                ValueType::I64 | ValueType::F64 => self.put_word(from, Value::ANY),
                ValueType::V128 => {
                    self.put_word(from, Value::ANY);
                    self.put_word(from + 8, Value::ANY);
                }
            }
        }
    }

    /// Results in registers. Their upper halves may be anything.
    fn give(&mut self, abi: &Abi) {
        for (n, Passed { ty, part, place }) in abi.results.iter().enumerate() {
            match (*place, *ty) {
                (Place::Int(_), _) if *part != Part::Whole => self.take_half(n, *ty, *part, *place, 0),
                (Place::Int(reg), ValueType::Func(func)) => {
                    self.st.regs[usize::from(reg)] = Value::of_type(func);
                }
                (Place::Int(reg), _) => self.st.regs[usize::from(reg)] = Value::ANY,
                (Place::Float(reg), ty) => self.st.vectors.set(reg.into(), bytes(ty)),
                (Place::Stack(_), _) => {}
            }
        }
    }

    /// A call has been made: registers are destroyed, and what may have moved is no longer where it was.
    pub(crate) fn destroy(&mut self, effect: Effect) {
        for reg in VOLATILE {
            self.st.regs[reg] = Value::UNDEF;
        }
        for reg in KEPT {
            let value = self.st.regs[reg];
            self.st.regs[reg] = match value.tag() {
                Tag::CopyOf if VOLATILE.contains(&(value.b() as usize)) => value.widened(),
                // Whoever was called may have another thread, and slots.
                Tag::Thread => Value::UNDEF,
                Tag::TaskSlot => Value::U32,
                // A collector may have other free space now.
                Tag::FreeEnd => Value::U32,
                // Whoever was called may have said otherwise.
                Tag::MayLeave => Value::U32,
                // Whoever drops a segment makes it shorter.
                Tag::ElemLen if effect == Effect::Any => value.widened(),
                _ => value.without_free_start(),
            };
        }
        self.st.vectors = Vectors::NONE;
        self.st.conts = 0;
        self.st.xmm15 = Value::UNDEF;
        self.st.flags = Flags::UNKNOWN;
        self.st.sign = 0;
        self.st.divisor = crate::division::Divisor::UNKNOWN;
        if self.st.sums != 0 {
            let p = self.p;
            self.relate(|sums| {
                sums.forget(|key| matches!(key, Key::Reg(reg) if VOLATILE.contains(&usize::from(reg))));
                let heap_stays = !p.moves(Value::of(Tag::Heap, 0));
                match effect {
                    Effect::Quiet => {}
                    Effect::Collects => sums.forget_pointers(|region| region != Region::Heap || heap_stays),
                    Effect::GrowsTable => sums.forget_pointers(|region| !matches!(region, Region::Table(_))),
                    Effect::GrowsMemory(_) => sums.forget_pointers(|region| !matches!(region, Region::Memory(_))),
                    Effect::Any => {
                        // Whoever drops a segment makes it shorter.
                        sums.forget_regions(|region| matches!(region, Region::Elem(_)));
                        sums.forget_pointers(|region| region == Region::Heap && heap_stays);
                    }
                }
            });
        }
        for reg in KEPT {
            let value = self.st.regs[reg];
            let stays = match effect {
                Effect::Quiet => true,
                Effect::Collects => !matches!(value.tag(), Tag::Heap | Tag::HeapAt | Tag::Cell),
                Effect::GrowsTable => !matches!(value.tag(), Tag::Table | Tag::TableHalf | Tag::Into | Tag::Cell),
                Effect::GrowsMemory(grown) => match value.tag() {
                    Tag::Memory => !self.p.may_be_memory(value.b(), grown),
                    Tag::Into | Tag::ImportMemory => false,
                    _ => true,
                },
                Effect::Any => false,
            };
            if self.p.moves(value) && !stays {
                self.st.regs[reg] = Value::UNDEF;
            }
        }
    }

    /// Notes a call that comes back, once its callee has popped its arguments.
    pub(crate) fn called(&mut self, popped: u32) -> Proved<()> {
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        self.call_with_thread(top + popped.cast_signed())?;
        // What was passed is the callee's, and so is all that is below.
        if popped != 0 {
            self.forget_frame(top, popped);
        }
        self.forget_below(top.into());
        self.note_call(top, true);
        self.collect()?;
        if self.p.has_handlers {
            self.flow_to_pads(top)?;
        }
        if self.role.is_entry() {
            self.note_unwinding()?;
        }
        self.assign(RSP, Value::stack(top + popped.cast_signed()))
    }

    // ---- builtins

    fn owner(&self, value: Value, kind: u32) -> bool {
        value == Value::CTX || value.is(Tag::Owner) && value.a() == kind
    }

    /// Is an index that of something among those that its owner defines? The host asserts that it is one. Which of
    /// another instance's memories or tables it is stands beside the owner.
    fn is_owned(&self, owner: usize, index: usize, kind: u32) -> bool {
        let (owner, index) = (self.st.regs[owner], self.st.regs[index]);
        if owner != Value::CTX {
            return owner.is(Tag::Owner) && owner.a() == kind && index == Value::new(Tag::OwnerIndex, kind, owner.b());
        }
        let most = self.p.defined_of(kind);
        index.as_constant().is_some_and(|index| (0..most.into()).contains(&index))
    }

    /// The index of the memory that `memory.grow` is asked to grow.
    fn grown(&self, owner: Value, index: Value) -> Option<u32> {
        if owner.is(Tag::Owner) {
            return Some(owner.b());
        }
        let imported = self.p.facts.memories.len() as u32 - self.p.defined_of(OWNER_MEMORY);
        index.as_constant().and_then(|index| u32::try_from(index).ok()?.checked_add(imported))
    }

    /// Is a number less than the number of elements of a table? The host asserts that it is.
    fn is_index_of(&self, table: u32, index: Value) -> bool {
        let facts = &self.p.facts.tables[table as usize];
        match index.tag() {
            Tag::BelowLen | Tag::SafeBelowLen => index.b() == table,
            _ => {
                let count = facts.fixed_length.unwrap_or(0).max(facts.minimum);
                index.below().is_some_and(|below| below <= count)
            }
        }
    }

    /// Calls the exit to a builtin.
    fn call_builtin(&mut self, builtin: Builtin) -> Proved<()> {
        const BAD: &str = "builtin with other arguments than it takes";
        if !self.has_instance() && !matches!(self.role, Role::Thunk(_)) {
            return Err("call of a builtin without the instance");
        }
        let regs = self.st.regs;
        let ctx = regs[RDI] == Value::CTX;
        let number = |reg: usize| regs[reg].is_number();
        let small = |reg: usize| regs[reg].as_constant().and_then(|value| u32::try_from(value).ok());
        let mut result = Value::ANY;
        let mut effect = Effect::Quiet;
        let mut returns = true;
        let fits = match builtin {
            Builtin::MemoryGrow => {
                effect = self.grown(regs[RDI], regs[RDX]).map_or(Effect::Any, Effect::GrowsMemory);
                number(RSI) && self.is_owned(RDI, RDX, OWNER_MEMORY)
            }
            Builtin::TableGrow => {
                effect = Effect::GrowsTable;
                self.is_owned(RDI, RSI, OWNER_TABLE) && number(RDX)
            }
            Builtin::MemoryCopy => {
                result = Value::UNDEF;
                ctx && self.range(RSI, RCX, true) && self.range(RDX, RCX, false) && number(RCX)
            }
            Builtin::MemoryFill => {
                result = Value::UNDEF;
                ctx && self.range(RSI, RCX, true) && number(RDX) && number(RCX)
            }
            Builtin::ElemLength | Builtin::ElemBase => {
                let segment = small(RSI).filter(|segment| (*segment as usize) < self.p.facts.elements.len());
                let tag = if builtin == Builtin::ElemLength { Tag::ElemLen } else { Tag::Elem };
                result = segment.map_or(Value::UNDEF, |segment| Value::of(tag, segment));
                ctx && segment.is_some()
            }
            Builtin::ElemDrop => {
                ctx && small(RSI).is_some_and(|segment| (segment as usize) < self.p.facts.elements.len())
            }
            Builtin::RefFunc => {
                // The host has a place for the references of those that escape.
                let func = small(RSI).and_then(|func| self.p.facts.functions.get(func as usize));
                let func = func.filter(|func| func.imported || func.escapes).map(|func| func.ty + 1);
                // Startup goes over lists of functions.
                let func = func.or_else(|| (regs[RSI].is(Tag::Listed) && regs[RSI].a() == 0).then_some(regs[RSI].b()));
                result = func.map_or(Value::UNDEF, |ty| Value::new(Tag::Func, 0, ty));
                ctx && func.is_some()
            }
            Builtin::TableGet => {
                let table = small(RSI).filter(|table| (*table as usize) < self.p.facts.tables.len());
                result = match table.map(|table| self.p.facts.tables[table as usize].element) {
                    Some(ValueType::Func(func)) => Value::func(func.ty, true),
                    _ => Value::UNDEF,
                };
                ctx && result != Value::UNDEF && table.is_some_and(|table| self.is_index_of(table, regs[RDX]))
            }
            Builtin::AtomicNotify => self.is_owned(RDI, RSI, OWNER_MEMORY) && [RDX, RCX].into_iter().all(number),
            Builtin::AtomicWait32 | Builtin::AtomicWait64 => {
                // The thread stands still with the store, so what is the store's stays as it is; shared memories never
                // move.
                self.is_owned(RDI, RSI, OWNER_MEMORY) && [RDX, RCX, R8].into_iter().all(number)
            }
            Builtin::OutOfGas | Builtin::NewEpoch => {
                effect = Effect::Any;
                ctx
            }
            Builtin::FmaF32x4 | Builtin::FmaF64x2 => ctx && (0..3).all(|reg| self.st.vectors.known(reg) == 16),
            Builtin::GcAlloc => {
                effect = Effect::Collects;
                // The size of an object is of 32 bits.
                let size = self.resolved(regs[RCX]);
                if let Some(bytes) = size.limit().filter(|limit| *limit <= 1 << 32).map(|_| size.least()) {
                    result = Value::of(Tag::Allocated, bytes as u32);
                }
                // The host asserts that it is a kind of objects, and a power of two.
                let is_kind = |kind: u32| self.p.facts.gc.is_some_and(|gc| gc.kinds.contains(&(kind & gc.kind_bits)));
                let kind = small(RSI).is_some_and(is_kind);
                let align = small(R8).is_some_and(u32::is_power_of_two);
                ctx && kind && regs[RDX].is(Tag::TypeId) && number(RCX) && align
            }
            Builtin::GcGrow => {
                effect = Effect::Collects;
                ctx && number(RSI)
            }
            Builtin::GcCollect => {
                effect = Effect::Collects;
                ctx
            }
            Builtin::GcDrop => ctx && number(RSI) && regs[RSI].least() > 0,
            Builtin::GcIntern => ctx && (regs[RSI] == Value::NULL || regs[RSI].is(Tag::Func)),
            Builtin::GcInterned => {
                let ty = small(RDX);
                result = Value::func(ty.filter(|ty| (*ty as usize) < self.p.facts.types.len()), true);
                ctx && number(RSI) && ty.is_some()
            }
            Builtin::InstanceId => self.owner(regs[RDI], OWNER_TAG),
            Builtin::ThrowRef => {
                self.may_throw(None)?;
                effect = Effect::Any;
                ctx && number(RSI)
            }
            Builtin::IsSubtype => {
                if regs[RSI].is(Tag::TypeOf) && regs[RDX].is(Tag::TypeId) {
                    result = Value::new(Tag::IsSubtype, regs[RSI].a() & IDENTITY | DIRTY, regs[RDX].b());
                }
                ctx && number(RSI) && regs[RDX].is(Tag::TypeId)
            }
            Builtin::ContNew => {
                // Of a function that is not null, with room for what its type says.
                let counts = self.p.shape(regs[RSI].b().wrapping_sub(1)).map(|shape| {
                    let Signature { params, results } = &shape.signature;
                    (small(RDX), small(RCX)) == (Some(params.len() as u32), Some(results.len() as u32))
                });
                result = Value::new(Tag::Cont, FRESH, self.p.types.functions.canonical(regs[RSI].b()));
                ctx && regs[RSI].is(Tag::Func) && regs[RSI].a() & NULLABLE == 0 && counts == Ok(true)
            }
            // Nothing has failed; what switches stacks is proved elsewhere.
            Builtin::Raise => false,
            Builtin::Trap => {
                returns = false;
                ctx && small(RSI).is_some_and(|code| code < TRAP_CODES)
            }
        };
        if !fits {
            return Err(BAD);
        }
        if builtin == Builtin::ElemDrop {
            self.relate_if(|sums| sums.forget_regions(|region| matches!(region, Region::Elem(_))));
            for reg in KEPT {
                let value = self.st.regs[reg];
                let into = value.is(Tag::Into) && matches!(Region::unpack(value), Region::Elem(_));
                if into || matches!(value.tag(), Tag::Elem | Tag::ElemLen) {
                    self.st.regs[reg] = Value::UNDEF;
                }
            }
        }
        if builtin == Builtin::ElemDrop {
            self.let_others_in();
        }
        self.part.lets_in |= !matches!(effect, Effect::Quiet | Effect::Collects);
        let gives_vector = matches!(builtin, Builtin::FmaF32x4 | Builtin::FmaF64x2);
        self.destroy(effect);
        self.called(0)?;
        if !returns {
            self.ends = true;
            return Ok(());
        }
        let intact = self.st.done & done::INTACT != 0;
        if let (Tag::Elem, Role::StartupRoutine, true) = (result.tag(), self.role, intact) {
            // How long it is is known while nothing can have dropped it.
            let count = self.p.facts.element_counts.get(result.b() as usize).copied().unwrap_or(0);
            let region = Region::Elem(result.b());
            self.st.regs[RAX] = region.pack();
            self.whole(RAX, region, count.saturating_mul(16));
            return Ok(());
        }
        if result.is(Tag::IsSubtype) && !self.knows_identity(result.a() & IDENTITY) {
            result = Value::ANY;
        }
        self.st.regs[RAX] = result;
        if gives_vector {
            self.st.vectors.set(0, 16);
            self.st.regs[RAX] = Value::UNDEF;
        }
        Ok(())
    }

    /// A register points to so many bytes of a region.
    pub(crate) fn whole(&mut self, reg: usize, region: Region, bytes: u64) {
        let term = relate::Term { key: Key::Reg(reg as u8), shift: 0 };
        let sum = i64::try_from(bytes).ok().and_then(|bytes| relate::Sum::ZERO.plus(term)?.plus_constant(bytes));
        if let Some(sum) = sum {
            let fact = relate::Fact { sum, region, unit: 0, pointer: Some(reg as u8) };
            self.relate(|sums| {
                sums.add(fact);
            });
        }
    }

    /// Does anybody still have this identity?
    fn knows_identity(&self, identity: u32) -> bool {
        identity != 0
    }

    /// Are as many bytes as `count` says, from the pointer in a register on, in one region?
    fn range(&mut self, pointer: usize, count: usize, writes: bool) -> bool {
        let value = self.st.regs[pointer];
        let bytes = self.st.regs[count];
        if value.is(Tag::HeapAt) {
            return bytes.as_constant().is_some_and(|bytes| (0..=i64::from(value.b())).contains(&bytes));
        }
        if let Ok(term) = self.term(count, bytes, 0)
            && self.sums().is_zero(term.key)
        {
            // Nothing may be anywhere.
            return true;
        }
        if !value.is(Tag::Into) {
            // All of a segment.
            return !writes && value.is(Tag::Data) && bytes == Value::of(Tag::DataLen, value.b());
        }
        let writable = |region: Region| matches!(region, Region::Memory(_) | Region::Heap);
        let readable = |region: Region| writable(region) || matches!(region, Region::Data(_));
        let is_region = |region: Region| if writes { writable(region) } else { readable(region) };
        let sums = self.sums();
        let constant = bytes.as_constant().filter(|bytes| *bytes >= 0);
        constant.is_some_and(|bytes| sums.reaches(pointer as u8, bytes, is_region))
            || self.term(count, bytes, 0).is_ok_and(|term| sums.has_range(pointer as u8, term.key, is_region))
    }

    // ---- routines

    /// Calls code that no entry of the function table covers.
    fn call_routine(&mut self, target: u32) -> Proved<()> {
        if self.inline(target)? {
            return Ok(());
        }
        self.call_routine_with_thread()?;
        let starts = self.p.is_startup(target);
        if starts && !matches!(self.role, Role::StartupWasm | Role::StartupArray | Role::StartupRoutine) {
            return Err("call of startup from elsewhere");
        }
        if starts && self.st.done & done::INTACT == 0 {
            return Err("call of startup behind what may have changed what it finds");
        }
        self.check_instance()?;
        let mut args = [Value::UNDEF; 6];
        for (arg, reg) in args.iter_mut().zip(ROUTINE_ARGS) {
            *arg = self.routine_argument(reg);
        }
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        let wide = self.wide_argument(top);
        self.needs_routine(target, args, wide)?;
        // While a module starts nobody else can have it, and constant expressions let nobody in.
        let quiet = !self.role.is_body() && self.p.is_quiet(target);
        let effect = match self.role {
            _ if quiet => Effect::Quiet,
            Role::StartupRoutine if !starts => {
                self.part.collecting.insert(target);
                Effect::Collects
            }
            _ => Effect::Any,
        };
        if starts || args.iter().any(|arg| arg.is(Tag::Cell)) {
            self.let_others_in();
        }
        self.destroy(effect);
        self.called(0)?;
        // Routines give the base of memory 0 back, wherever it is by then: `check_preserved`.
        if !starts && !self.p.facts.memories.is_empty() {
            self.st.regs[R14] = Value::of(Tag::Memory, 0);
        }
        if self.p.facts.memories.is_empty() {
            self.st.regs[R14] = Value::UNDEF;
        }
        // What it gives is a number, if anything.
        self.st.regs[RAX] = Value::ANY;
        Ok(())
    }

    /// What a routine is told of an argument.
    fn routine_argument(&self, reg: usize) -> Value {
        let value = self.st.regs[reg];
        match value.tag() {
            _ if value == Value::NULL => value,
            _ if value.is_number() => {
                if value.is_u32() {
                    Value::U32
                } else {
                    Value::ANY
                }
            }
            Tag::Cell | Tag::Global => self.as_cell(value),
            Tag::HeapAt if value.b() >= 4 => Value::of(Tag::Cell, 0),
            Tag::Into if self.sums().reach(reg as u8, None, |reg| self.st.regs[usize::from(reg)].least() > 0) >= 4 => {
                match Region::unpack(value) {
                    Region::Heap => Value::of(Tag::Cell, 0),
                    Region::Table(table) if self.element_bytes(table) == 4 && !self.guards_elements() => {
                        Value::of(Tag::Cell, 0)
                    }
                    _ => Value::UNDEF,
                }
            }
            Tag::Stack => match value.as_stack() {
                Some(at) if self.frame_has_numbers(at, 16) => Value::of(Tag::Vector, 0),
                _ => Value::UNDEF,
            },
            Tag::Func => value.anonymous(),
            _ => Value::UNDEF,
        }
    }

    fn as_cell(&self, value: Value) -> Value {
        let fits = value.is(Tag::Cell) || {
            let global = &self.p.facts.globals[value.b() as usize];
            let startup = matches!(self.role, Role::StartupRoutine);
            global.ty == ValueType::Gc && (global.mutable || startup)
        };
        if fits { Value::of(Tag::Cell, 0) } else { Value::UNDEF }
    }

    /// A routine of a few moves between the instance and registers, with neither frame nor calls, is proved where it is
    /// called.
    fn inline(&mut self, target: u32) -> Proved<bool> {
        let Some(instructions) = self.p.leaf(target) else { return Ok(false) };
        let faults = self.part.faults.len();
        for instruction in &instructions {
            self.transfer(instruction)?;
            if self.ends {
                return Err("routine without a frame that does not come back");
            }
        }
        if self.part.faults.len() > faults {
            return Err("routine without a frame that may fault");
        }
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("call without a stack pointer") };
        self.forget_below(top.into());
        self.note_call(top, false);
        self.part.leaves.push(target);
        Ok(true)
    }

    // ---- jumps out and returns

    /// A jump to outside: a tail call.
    pub(crate) fn tail_call(&mut self, target: u32) -> Proved<()> {
        let p = self.p;
        let Some(Entry::Private(index)) = p.entry(target) else {
            let code = self.import_at(target)?.ok_or("jump to what is no entry")?;
            return self.tail_call_code(code);
        };
        let shape = p.shape_of_defined(index);
        self.check_instance()?;
        self.leave_for(shape, &shape.private, true)
    }

    pub(crate) fn tail_call_code(&mut self, code: Value) -> Proved<()> {
        let (ty, either) = self.callee(code)?;
        if !matches!(code.tag(), Tag::FuncCode | Tag::FuncCodeEither | Tag::ImportCode) {
            return Err("jump to what is no code");
        }
        // Whoever is entered may jump back in, through a thunk that makes a frame.
        if self.st.checked == UNCHECKED {
            return Err("tail call out of the module before the stack is compared with its limit");
        }
        let shape = self.p.shape(ty)?;
        self.pass_instances(&shape.tail, code)?;
        if either {
            if !shape.same {
                return Err("private entry of a function that takes its arguments elsewhere");
            }
            self.check_instance()?;
            self.leave_for(shape, &shape.private, true)?;
        }
        self.leave_for(shape, &shape.tail, false)
    }

    fn leave_for(&mut self, shape: &Shape, abi: &Abi, private: bool) -> Proved<()> {
        if !self.role.is_body() {
            return Err("tail call from what is no function");
        }
        self.leave_threads()?;
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("tail call without a stack pointer") };
        if top != self.abi.stack_args.cast_signed() - abi.stack_args.cast_signed() {
            return Err("tail call with a stack pointer that is off");
        }
        if !self.frames.get(self.st.slots, self.word(top)).is(Tag::Return) {
            return Err("tail call without the return address");
        }
        self.check_preserved()?;
        self.pass_at(abi, private, top + 8)?;
        if let Some(area) = abi.area
            && self.st.regs[area] != Value::of(Tag::ResultArea, 0)
        {
            return Err("tail call without the result area");
        }
        // What it gives is what this function gives.
        let fits = shape.private.results.len() == self.abi.results.len()
            && shape.private.results.iter().zip(&self.abi.results).all(|(theirs, own)| {
                theirs.place == own.place
                    && theirs.part == own.part
                    && match (theirs.ty, own.ty) {
                        (ValueType::Func(theirs), ValueType::Func(own)) => {
                            self.check_function(Value::of_type(theirs), own).is_ok()
                        }
                        (ValueType::Cont { ty: theirs }, ValueType::Cont { ty: own }) => {
                            let functions = &self.p.types.functions;
                            self.p.types.fits_cont(functions.of_cont(theirs), functions.of_cont(own))
                        }
                        (theirs, own) => theirs == own,
                    }
            });
        if !fits {
            return Err("tail call of a function with other results");
        }
        self.ends = true;
        Ok(())
    }

    /// Registers that the caller wants back hold what they held.
    fn check_preserved(&self) -> Proved<()> {
        for (reg, value) in self.preserved {
            if self.st.regs[reg] != value {
                // Whoever calls a function loads the base of a memory that may move anew; whoever calls a routine does
                // not.
                let lax = reg == R14 && value == Value::of(Tag::Memory, 0) && self.p.moves(value);
                let lax = lax && self.role != Role::Routine;
                let unused = value == Value::of(Tag::Memory, 0) && self.p.facts.memories.is_empty();
                if !lax && !unused {
                    return Err("preserved register that is not restored");
                }
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn ret(&mut self, instruction: &Instruction) -> Proved<()> {
        let popped = if instruction.op_count() == 0 { 0 } else { instruction.immediate(0).unwrap_or(-1) };
        if popped != i64::from(self.pops) {
            return Err("return that pops what it should not");
        }
        if self.st.regs[RSP] != Value::stack(0) || !self.frames.get(self.st.slots, self.word(0)).is(Tag::Return) {
            return Err("return with a stack pointer that is off");
        }
        self.check_preserved()?;
        self.leave_threads()?;
        match self.role {
            Role::BuiltinExit(Builtin::Trap | Builtin::Raise) => return Err("return from what never returns"),
            Role::BuiltinExit(_) => self.check_exit()?,
            role if role.is_entry() => self.check_entry()?,
            Role::Routine | Role::StartupRoutine => {
                // Whoever calls it takes that for a number.
                if !self.st.regs[RAX].is_number() {
                    return Err("routine that gives what is no number");
                }
            }
            _ => {
                self.check_exit()?;
                let abi = self.abi;
                for (n, Passed { ty, part, place }) in abi.results.iter().enumerate() {
                    match *place {
                        _ if *part == Part::Pointer => self.check_halves(&abi.results[n..], *ty, self.area())?,
                        _ if *part == Part::Revision => {}
                        Place::Int(reg) => {
                            let value = self.st.regs[usize::from(reg)];
                            if !self.is_result_of_host(value, *ty) {
                                self.check_value(value, *ty, false)?;
                            }
                        }
                        Place::Float(reg) if self.st.vectors.known(reg.into()) < bytes(*ty) => {
                            return Err("undefined result");
                        }
                        Place::Float(_) => {}
                        Place::Stack(at) => {
                            self.has_value(self.area() + at.cast_signed(), *ty, "result that is not written")?;
                        }
                    }
                }
            }
        }
        self.ends = true;
        Ok(())
    }
}

impl Builtin {
    /// Does it leave memories, tables, segments and the heap where they are?
    pub(crate) fn is_quiet(self) -> bool {
        use Builtin::*;
        match self {
            MemoryCopy | MemoryFill | ElemLength | ElemBase | RefFunc | AtomicNotify | FmaF32x4 | FmaF64x2 => true,
            GcDrop | GcIntern | GcInterned | InstanceId | IsSubtype | Raise | Trap => true,
            MemoryGrow | TableGrow | ElemDrop | TableGet | AtomicWait32 | AtomicWait64 | OutOfGas | NewEpoch => false,
            GcAlloc | GcGrow | GcCollect | ThrowRef | ContNew => false,
        }
    }
}

/// The registers that private functions preserve, with the values that they have to have at the end.
pub(crate) const PRESERVED: [(usize, Value); 6] = [
    (RBX, Value::of(Tag::Saved, RBX as u32)),
    (RBP, Value::of(Tag::Saved, RBP as u32)),
    (R12, Value::of(Tag::Saved, R12 as u32)),
    (R13, Value::of(Tag::Saved, R13 as u32)),
    (R14, Value::of(Tag::Memory, 0)),
    (R15, Value::CTX),
];
