//! Where code leaves for the host and where the host comes in: what is handed over, what comes back, and that nobody on
//! the way changes it.
//!
//! Whoever calls an exit to a builtin has proved its arguments, and believes what it gives; so both go through the exit
//! as they are. A host function is passed an array of values, and an entry is passed one: of each the host believes
//! that a reference to a function is one, of the type.

use crate::calls::Effect;
use crate::facts::{Builtin, Failed, ValueType};
use crate::state::{R8, R9, RAX, RCX, RDI, RDX, RSI, RSP, done};
use crate::value::{Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// Registers of a builtin's arguments behind the instance.
const ARGUMENTS: [usize; 5] = [RSI, RDX, RCX, R8, R9];

/// The number of a word that the host writes a second result to.
pub(crate) const SECOND: u32 = u32::MAX;

/// Bytes of each value that an entry from the host is passed.
pub(crate) const VALUE_BYTES: i32 = 16;

impl Walk<'_> {
    // ---- exits

    /// What is in the registers of arguments at the entry of the exit to a builtin: what the callers have proved.
    pub(crate) fn take_builtin_arguments(&mut self, builtin: Builtin) {
        for reg in ARGUMENTS {
            self.st.regs[reg] = Value::of(Tag::Saved, reg as u32);
        }
        if builtin == Builtin::Trap {
            self.st.regs[RSI] = Value::less_than(crate::calls::TRAP_CODES.into());
        }
    }

    /// An exit calls its builtin, or raises what the host has recorded.
    pub(crate) fn call_host_builtin(&mut self, at: u32) -> Proved<()> {
        let (builtin, _) = self.p.facts.builtins[at as usize];
        let raise = builtin == Builtin::Raise;
        if self.role.is_of_component() {
            return self.trap_or_raise(builtin);
        }
        let own = self.role == Role::BuiltinExit(builtin);
        if !self.role.is_exit() || !(raise || own) {
            return Err("call of a builtin that this exit is not for");
        }
        let instance = self.st.regs[RDI];
        if !matches!(instance.tag(), Tag::Ctx | Tag::Caller) {
            return Err("call of a builtin without an instance");
        }
        if self.st.done & done::LEFT != done::LEFT {
            return Err("call of the host before the exit is recorded");
        }
        let changed = |reg: usize| match (builtin, reg) {
            (Builtin::Trap, RSI) => !self.st.regs[reg].is(Tag::TrapCode),
            _ => self.st.regs[reg] != Value::of(Tag::Saved, reg as u32),
        };
        // The host panics if there is nothing to raise. Whoever calls the exit for that has proved that there is.
        if raise && !own && self.st.done & done::FAILED == 0 {
            return Err("raised though the host may not have failed");
        }
        if !raise && ARGUMENTS.into_iter().any(changed) {
            return Err("argument of a builtin that is changed on its way");
        }
        if !raise {
            self.call_once()?;
        }
        self.destroy(Effect::Any);
        self.called(0)?;
        if raise {
            // Nothing comes back.
            self.ends = true;
            return Ok(());
        }
        self.st.regs[RAX] = Value::of(Tag::Given, 0);
        self.st.vectors.set(0, 16);
        if builtin == Builtin::Trap {
            // To fail is what this builtin is called for.
            self.st.done |= done::FAILED;
        } else if self.failure(self.st.regs[RAX]).is_none() {
            self.st.done |= done::SUCCEEDED;
        }
        Ok(())
    }

    /// An exit calls what it is for, which it does once on every way.
    pub(crate) fn call_once(&mut self) -> Proved<()> {
        if self.st.done & done::UNCALLED == 0 {
            return Err("exit that calls the host twice");
        }
        self.st.done &= !done::UNCALLED;
        Ok(())
    }

    /// What the host gives this exit where it has failed, if that is what it gave.
    fn failure(&self, given: Value) -> Option<Failed> {
        match self.role {
            Role::Trampoline(index) => self.failure_of_component(index, given.a()),
            Role::Intrinsic(_) => None,
            Role::BuiltinExit(builtin) => {
                self.p.facts.failures.iter().find(|(known, _)| *known == builtin).map(|(_, failed)| *failed)
            }
            _ => Some(Failed::Zero8),
        }
    }

    /// What the host gave, or so many bytes of it, is not this constant.
    pub(crate) fn given_is_not(&mut self, given: Value, constant: i64, bytes: u8) {
        if self.drops() {
            self.learn_of_drop(given, constant, bytes, false);
        } else if self.says_that_it_failed(given, constant, bytes) {
            self.succeed();
        }
    }

    /// What the host gave, or so many bytes of it, is this constant.
    pub(crate) fn given_is(&mut self, given: Value, constant: i64, bytes: u8) {
        if self.says_that_it_failed(given, constant, bytes) {
            self.st.done |= done::FAILED;
        } else if self.drops() {
            self.learn_of_drop(given, constant, bytes, true);
        }
    }

    pub(crate) fn says_that_it_failed(&self, given: Value, constant: i64, bytes: u8) -> bool {
        match self.failure(given) {
            Some(Failed::Zero8) => constant == 0 && bytes == 1,
            Some(Failed::Zero32) => constant == 0 && bytes == 4,
            Some(Failed::Constant(failed)) => constant == failed && bytes == 8,
            Some(Failed::Constant32(failed)) => constant == i64::from(failed) && bytes == 4,
            Some(Failed::Negative) | None => false,
        }
    }

    /// What the host gave is negative.
    pub(crate) fn given_is_negative(&mut self, given: Value) {
        if self.failure(given) == Some(Failed::Negative) {
            self.st.done |= done::FAILED;
        }
    }

    /// What the host gave is not negative.
    pub(crate) fn given_is_positive(&mut self, given: Value) {
        if self.failure(given) == Some(Failed::Negative) {
            self.succeed();
        }
    }

    fn succeed(&mut self) {
        self.st.done |= done::SUCCEEDED;
        if let Some(at) = self.second_at
            && self.frames.get(self.st.slots, self.word(at)) == Value::of(Tag::Unanswered, SECOND)
        {
            self.put_word(at, Value::ANY);
        }
        // The host has written results over the values, as far as nobody has written there since.
        if let Some(at) = self.passed_at {
            for (n, ty) in self.results().into_iter().enumerate() {
                let at = at + VALUE_BYTES * n as i32;
                let is = |half: u32| {
                    let word = self.frames.get(self.st.slots, self.word(at + 8 * half.cast_signed()));
                    word == Value::of(Tag::Unanswered, 2 * n as u32 + half)
                };
                if is(0) && is(1) {
                    self.put_host_value(at, ty);
                }
            }
        }
    }

    /// Calls a host function with values in the frame.
    pub(crate) fn call_host(&mut self) -> Proved<()> {
        let regs = self.st.regs;
        let bytes = VALUE_BYTES * self.values.cast_signed();
        let inside = regs[RDX].as_stack().is_some_and(|at| Some(at) == regs[RSP].as_stack() && at + bytes <= -8);
        let count = regs[RCX].as_constant() == Some(self.values.into());
        if !regs[RDI].is(Tag::Callee) || !regs[RSI].is(Tag::Caller) || !inside || !count {
            return Err("call of a host function with other arguments than it takes");
        }
        if self.st.done & done::LEFT != done::LEFT {
            return Err("call of the host before the exit is recorded");
        }
        let Some(at) = regs[RDX].as_stack() else { return Err("values outside of the frame") };
        self.check_values_at(at, bytes)?;
        for (n, ty) in self.parameters().into_iter().enumerate() {
            self.check_host_value(at + VALUE_BYTES * n as i32, ty)?;
        }
        self.call_once()?;
        self.destroy(Effect::Any);
        self.called(0)?;
        self.st.regs[RAX] = Value::of(Tag::Given, 0);
        self.await_values(at, bytes);
        Ok(())
    }

    /// May the host write over so many bytes of the frame?
    pub(crate) fn check_values_at(&self, at: i32, bytes: i32) -> Proved<()> {
        if at % 8 != 0 {
            return Err("values at an odd place");
        }
        for from in (at..at + bytes).step_by(8) {
            let word = self.frames.get(self.st.slots, self.word(from));
            if matches!(word.tag(), Tag::Saved | Tag::Return | Tag::Caller | Tag::ResultArea) {
                return Err("values over what the frame keeps");
            }
        }
        Ok(())
    }

    /// Whether or not the host has written results over the values that it was passed, there may be its bytes now.
    pub(crate) fn await_values(&mut self, at: i32, bytes: i32) {
        self.passed_at = Some(at);
        self.overwritten(at, bytes.cast_unsigned());
        for (n, from) in (at..at + bytes).step_by(8).enumerate() {
            self.put_word(from, Value::of(Tag::Unanswered, n as u32));
        }
    }

    /// May an exit return as it is?
    pub(crate) fn check_exit(&self) -> Proved<()> {
        if !self.role.is_exit() {
            return Ok(());
        }
        if self.st.done & done::SUCCEEDED == 0 {
            return Err("return from an exit though the host may have failed");
        }
        let Role::BuiltinExit(builtin) = self.role else { return Ok(()) };
        let given = self.st.regs[RAX];
        let narrow = matches!(builtin, Builtin::GcAlloc | Builtin::InstanceId | Builtin::IsSubtype);
        let vector = matches!(builtin, Builtin::FmaF32x4 | Builtin::FmaF64x2);
        if vector && self.st.vectors.known(0) < 16 {
            return Err("undefined result");
        }
        if !vector && (!given.is(Tag::Given) || given.b() != 0 && !narrow) {
            return Err("what the host gave is changed on its way");
        }
        Ok(())
    }

    // ---- the values of an entry

    /// What the host has put among the values: arguments.
    pub(crate) fn take_values(&mut self, params: &[ValueType]) {
        for (n, ty) in params.iter().enumerate() {
            self.put_host_value(self.values_at() + VALUE_BYTES * n as i32, *ty);
        }
    }

    /// A value of the host's of this type, 16 bytes of it.
    fn put_host_value(&mut self, at: i32, ty: ValueType) {
        if let ValueType::Cont { ty } = ty {
            let of = self.p.types.functions.of_cont(ty);
            return self.put_reference(at, of);
        }
        let low = match ty {
            ValueType::Func(func) => Value::of_type(func),
            _ => Value::ANY,
        };
        self.put_word(at, low);
        self.put_word(at + 8, Value::ANY);
    }

    /// Is a value that the host is given of this type?
    pub(crate) fn check_host_value(&self, at: i32, ty: ValueType) -> Proved<()> {
        match ty {
            ValueType::Func(func) => self.check_function(self.frames.get(self.st.slots, self.word(at)), func),
            ValueType::Cont { .. } if self.p.types.functions.any() => self.check_cont(self.reference_at(at), ty),
            _ if self.frame_has_numbers(at, crate::abi::bytes(ty)) => Ok(()),
            _ => Err("value for the host that is none of its type"),
        }
    }

    /// May an entry return as it is? It says whether the function has come back, and then all results are there.
    pub(crate) fn check_entry(&self) -> Proved<()> {
        let result = self.st.regs[RAX].as_constant();
        if self.unwinding {
            if self.p.facts.settings.forced_thread.is_some() && self.st.done & done::NO_THREAD == 0 {
                return Err("unwound entry that leaves the current thread of a frame that is gone");
            }
            return if result == Some(0) { Ok(()) } else { Err("unwound entry that says that it was not") };
        }
        if result != Some(1) {
            return Err("entry that says that it was unwound");
        }
        let p = self.p;
        let shape = match self.role {
            Role::ArrayEntry(index) => p.shape_of_defined(index),
            Role::TrampolineEntry(index) => p.shape(p.trampoline(index)?.ty)?,
            Role::IntrinsicEntry(number) => p.intrinsic(number)?.1,
            _ => return Ok(()),
        };
        for (n, ty) in shape.signature.results.iter().enumerate() {
            self.check_host_value(self.values_at() + VALUE_BYTES * n as i32, *ty)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ValueType::I64;
    use crate::facts::{Border, Facts, FuncType};
    use crate::tests::borders::{
        self, BUILTINS, ENTRY_FRAME, ENTRY_HANDLER, ENTRY_STACK, EXIT_ADDRESS, EXIT_FRAME, record, with_borders,
    };
    use crate::tests::{Code, STORE, enter};
    use iced_x86::code_asm::*;

    const FUNC: ValueType = ValueType::Func(FuncType { ty: None, nullable: true });

    fn prove(facts: &Facts, border: Border, body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code) -> bool {
        borders::border(facts, border, body).is_ok()
    }

    /// The exit to a builtin, in parts.
    struct Exit {
        record: fn(&mut CodeAssembler) -> Code,
        before: fn(&mut CodeAssembler) -> Code,
        place: i32,
        after: fn(&mut CodeAssembler) -> Code,
    }

    const REF_FUNC: Exit = Exit { record, before: |_| Ok(()), place: 0, after: |_| Ok(()) };

    fn exit(builtin: Builtin, exit: &Exit) -> bool {
        prove(&with_borders(&[], &[]), Border::WasmToBuiltin(builtin), |a, _| {
            enter(a)?;
            a.mov(r11, qword_ptr(rdi + STORE))?;
            (exit.record)(a)?;
            (exit.before)(a)?;
            a.mov(rax, qword_ptr(rdi + BUILTINS))?;
            a.call(qword_ptr(rax + exit.place))?;
            (exit.after)(a)?;
            a.leave()?;
            a.ret()
        })
    }

    #[test]
    fn arguments_and_results_of_builtins_go_through_exits_as_they_are() {
        let proved = |changed: Exit| exit(Builtin::RefFunc, &changed);
        assert!(proved(REF_FUNC));
        assert!(!proved(Exit { before: |a| a.mov(rsi, rdx), ..REF_FUNC }));
        assert!(!proved(Exit { before: |a| a.mov(esi, 0), ..REF_FUNC }));
        assert!(!proved(Exit { before: |a| a.xor(r8d, r8d), ..REF_FUNC }));
        assert!(!proved(Exit { before: |a| a.add(rsi, 8), ..REF_FUNC }));
        assert!(!proved(Exit { place: 8, ..REF_FUNC }));
        assert!(!proved(Exit { after: |a| a.add(rax, 8), ..REF_FUNC }));
        assert!(!proved(Exit { after: |a| a.mov(eax, eax), ..REF_FUNC }));
        assert!(!proved(Exit { after: |a| a.mov(eax, 8), ..REF_FUNC }));
        // Garbage in the upper half is for results of 32 bits.
        let dirty = |a: &mut CodeAssembler| a.mov(r11, 0x5bad_f00d_0000_0000u64).and_then(|()| a.or(rax, r11));
        assert!(!proved(Exit { after: dirty, ..REF_FUNC }));
    }

    #[test]
    fn exits_are_recorded_on_every_way() {
        let proved = |record| exit(Builtin::RefFunc, &Exit { record, ..REF_FUNC });
        assert!(!proved(|_| Ok(())));
        assert!(!proved(|a| a.mov(qword_ptr(r11 + EXIT_FRAME), rbp)));
        assert!(!proved(|a| a.mov(rax, qword_ptr(rbp + 8)).and_then(|()| a.mov(qword_ptr(r11 + EXIT_ADDRESS), rax))));
        assert!(!proved(|a| {
            let mut skip = a.create_label();
            a.test(r11, r11)?;
            a.je(skip)?;
            record(a)?;
            a.set_label(&mut skip)?;
            a.nop()
        }));
    }

    #[test]
    fn what_builtins_give_that_have_failed_is_looked_for() {
        type Part<'a> = &'a dyn Fn(&mut CodeAssembler) -> Code;
        let grow_or = |failed: Failed, compare: Part<'_>, jump: fn(&mut CodeAssembler, CodeLabel) -> Code| {
            let facts = Facts { failures: vec![(Builtin::MemoryGrow, failed)], ..with_borders(&[], &[]) };
            prove(&facts, Border::WasmToBuiltin(Builtin::MemoryGrow), |a, _| {
                let mut fail = a.create_label();
                enter(a)?;
                a.mov(qword_ptr(rbp - 8), rdi)?;
                a.mov(r11, qword_ptr(rdi + STORE))?;
                record(a)?;
                a.mov(rax, qword_ptr(rdi + BUILTINS))?;
                a.call(qword_ptr(rax + 8))?;
                compare(a)?;
                jump(a, fail)?;
                a.leave()?;
                a.ret()?;
                a.set_label(&mut fail)?;
                a.mov(rdi, qword_ptr(rbp - 8))?;
                a.mov(rax, qword_ptr(rdi + BUILTINS))?;
                a.call(qword_ptr(rax + 16))
            })
        };
        let negative = |compare: fn(&mut CodeAssembler) -> Code, jump| grow_or(Failed::Negative, &compare, jump);
        assert!(negative(|a| a.test(rax, rax), |a, fail| a.js(fail)));
        assert!(negative(|a| a.test(rax, rax), |a, fail| a.jl(fail)));
        assert!(!negative(|a| a.test(rax, rax), |a, fail| a.jge(fail)));
        assert!(!negative(|a| a.test(rax, rax), |a, fail| a.jle(fail)));
        assert!(!negative(|a| a.test(rax, rax), |a, fail| a.jb(fail)));
        assert!(!negative(|a| a.test(eax, eax), |a, fail| a.jl(fail)));
        assert!(!negative(|a| a.cmp(rax, -1), |a, fail| a.jl(fail)));
        assert!(!negative(|a| a.cmp(rax, 1), |a, fail| a.jl(fail)));
        let grow = |compare: fn(&mut CodeAssembler) -> Code, jump| grow_or(Failed::Constant(-2), &compare, jump);
        assert!(grow(|a| a.cmp(rax, -2), |a, fail| a.je(fail)));
        assert!(!grow(|a| a.test(rax, rax), |a, fail| a.jl(fail)));
        assert!(!grow(|a| a.cmp(rax, -2), |a, fail| a.jne(fail)));
        assert!(!grow(|a| a.cmp(rax, -2), |a, fail| a.ja(fail)));
        assert!(!grow(|a| a.cmp(rax, -1), |a, fail| a.je(fail)));
        assert!(!grow(|a| a.cmp(eax, -2), |a, fail| a.je(fail)));
        assert!(!grow(|a| a.test(rax, rax), |a, fail| a.js(fail)));
        assert!(!grow(|_| Ok(()), |_, _| Ok(())));
    }

    #[test]
    fn an_exit_raises_only_what_the_host_has_recorded() {
        let trap = |call: bool| {
            let mut facts = with_borders(&[], &[]);
            facts.builtins.push((Builtin::Trap, 24));
            facts.trap_codes = vec![3; crate::calls::TRAP_CODES as usize];
            prove(&facts, Border::WasmToBuiltin(Builtin::Trap), |a, _| {
                let mut codes = a.create_label();
                enter(a)?;
                a.mov(qword_ptr(rbp - 8), rdi)?;
                a.mov(r11, qword_ptr(rdi + STORE))?;
                record(a)?;
                a.lea(rax, qword_ptr(codes))?;
                a.movzx(esi, byte_ptr(rax + rsi))?;
                a.mov(rax, qword_ptr(rdi + BUILTINS))?;
                if call {
                    a.call(qword_ptr(rax + 24))?;
                }
                a.mov(rdi, qword_ptr(rbp - 8))?;
                a.mov(rax, qword_ptr(rdi + BUILTINS))?;
                a.call(qword_ptr(rax + 16))?;
                a.set_label(&mut codes)?;
                a.db(&[3; crate::calls::TRAP_CODES as usize])
            })
        };
        assert!(trap(true));
        assert!(!trap(false));
    }

    /// The exit to host functions that take an integer and a function and give a function.
    fn host(fill: fn(&mut CodeAssembler) -> Code, jump: fn(&mut CodeAssembler, CodeLabel) -> Code, from: i32) -> bool {
        prove(&with_borders(&[I64, FUNC], &[FUNC]), Border::WasmToArray(0), |a, _| {
            let mut fail = a.create_label();
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 48)?;
            a.mov(r11, qword_ptr(rsi + STORE))?;
            record(a)?;
            a.mov(qword_ptr(rbp - 8), rsi)?;
            fill(a)?;
            a.mov(rdx, rsp)?;
            a.mov(ecx, 2)?;
            a.call(qword_ptr(rdi + 8))?;
            a.test(eax, 0xff)?;
            jump(a, fail)?;
            a.mov(rax, qword_ptr(rsp + from))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut fail)?;
            a.mov(rdi, qword_ptr(rbp - 8))?;
            a.mov(rax, qword_ptr(rdi + BUILTINS))?;
            a.call(qword_ptr(rax + 16))
        })
    }

    #[test]
    fn host_functions_are_passed_values_of_their_types_and_give_such() {
        fn right(a: &mut CodeAssembler) -> Code {
            a.mov(qword_ptr(rsp), rdx)?;
            a.mov(qword_ptr(rsp + 16), rcx)
        }
        let exchanged = |a: &mut CodeAssembler| {
            a.mov(qword_ptr(rsp), rcx)?;
            a.mov(qword_ptr(rsp + 16), rdx)
        };
        assert!(host(right, |a, fail| a.je(fail), 0));
        assert!(!host(exchanged, |a, fail| a.je(fail), 0));
        assert!(!host(|a| a.mov(qword_ptr(rsp + 16), rcx), |a, fail| a.je(fail), 0));
        assert!(!host(|a| a.mov(qword_ptr(rsp), rdx), |a, fail| a.je(fail), 0));
        assert!(!host(right, |a, fail| a.jne(fail), 0));
        assert!(!host(right, |_, _| Ok(()), 0));
        assert!(!host(right, |a, fail| a.je(fail), 8));
        assert!(!host(right, |a, fail| a.je(fail), 16));
    }

    /// The host's entry of a function that takes an integer and a function and gives a function, in parts.
    struct Entry {
        record: fn(&mut CodeAssembler) -> Code,
        take: fn(&mut CodeAssembler) -> Code,
        give: fn(&mut CodeAssembler) -> Code,
        unwound: u32,
    }

    const ENTRY: Entry = Entry {
        record: |a| {
            a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
            a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
            a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)
        },
        take: |a| a.mov(rdx, qword_ptr(rax)).and_then(|()| a.mov(rcx, qword_ptr(rax + 16))),
        give: |a| a.mov(qword_ptr(r11), rax).and_then(|()| a.mov(eax, 1)),
        unwound: 0,
    };

    fn entry(entry: &Entry) -> bool {
        let saved = [rbx, r12, r13, r14, r15];
        prove(&with_borders(&[I64, FUNC], &[FUNC]), Border::ArrayToWasm(0), |a, function| {
            let (mut handler, mut out) = (a.create_label(), a.create_label());
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            for reg in saved {
                a.push(reg)?;
            }
            a.sub(rsp, 24)?;
            a.mov(qword_ptr(rbp - 48), rdx)?;
            a.mov(r15, rdi)?;
            a.mov(rax, qword_ptr(r15 + STORE))?;
            a.lea(rcx, qword_ptr(handler))?;
            (entry.record)(a)?;
            a.mov(rax, rdx)?;
            (entry.take)(a)?;
            a.mov(r14, qword_ptr(r15 + 48))?;
            a.call(function)?;
            a.mov(r11, qword_ptr(rbp - 48))?;
            (entry.give)(a)?;
            a.set_label(&mut out)?;
            a.lea(rsp, qword_ptr(rbp - 40))?;
            for reg in saved.into_iter().rev() {
                a.pop(reg)?;
            }
            a.pop(rbp)?;
            a.ret()?;
            a.set_label(&mut handler)?;
            a.mov(eax, entry.unwound)?;
            a.jmp(out)
        })
    }

    #[test]
    fn the_host_is_given_results_of_their_types() {
        assert!(entry(&ENTRY));
        // Not at all: then an argument would be taken for it.
        assert!(!entry(&Entry { give: |a| a.mov(eax, 1), ..ENTRY }));
        assert!(!entry(&Entry { give: |a| a.mov(qword_ptr(r11 + 8), rax).and_then(|()| a.mov(eax, 1)), ..ENTRY }));
        assert!(!entry(&Entry { give: |a| a.mov(dword_ptr(r11), eax).and_then(|()| a.mov(eax, 1)), ..ENTRY }));
        assert!(!entry(&Entry { give: |a| a.mov(qword_ptr(r11), rax), ..ENTRY }));
        let number = |a: &mut CodeAssembler| {
            a.mov(rax, qword_ptr(r11))?;
            a.mov(qword_ptr(r11), rax)?;
            a.mov(eax, 1)
        };
        assert!(!entry(&Entry { give: number, ..ENTRY }));
        assert!(!entry(&Entry { unwound: 1, ..ENTRY }));
    }

    #[test]
    fn what_is_among_the_values_of_an_entry_is_taken_as_what_it_is() {
        assert!(!entry(&Entry { take: |a| a.mov(rdx, qword_ptr(rax + 16)).and_then(|()| a.mov(rcx, rdx)), ..ENTRY }));
        assert!(!entry(&Entry { take: |a| a.mov(rdx, qword_ptr(rax)).and_then(|()| a.mov(rcx, rdx)), ..ENTRY }));
        // A number that is put where a function was is one.
        let forged = |a: &mut CodeAssembler| {
            a.mov(rdx, qword_ptr(rax))?;
            a.mov(qword_ptr(rax + 16), rdx)?;
            a.mov(rcx, qword_ptr(rax + 16))
        };
        assert!(!entry(&Entry { take: forged, ..ENTRY }));
        // An address for a number.
        let shown = |a: &mut CodeAssembler| {
            a.movups(xmm0, xmmword_ptr(rax + 16))?;
            a.mov(rcx, qword_ptr(rax + 16))?;
            a.movups(xmmword_ptr(rax), xmm0)?;
            a.mov(rdx, qword_ptr(rax))
        };
        assert!(!entry(&Entry { take: shown, ..ENTRY }));
    }

    #[test]
    fn entries_are_recorded_before_they_call() {
        let proved = |record| entry(&Entry { record, ..ENTRY });
        assert!(!proved(|a| a.nop()));
        assert!(!proved(|a| {
            a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
            a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)
        }));
        assert!(!proved(|a| {
            a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
            a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)
        }));
        assert!(!proved(|a| {
            a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
            a.mov(qword_ptr(rax + ENTRY_STACK), rsp)
        }));
        assert!(!proved(|a| {
            a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
            a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
            a.mov(qword_ptr(rax + ENTRY_HANDLER), rbp)
        }));
    }
}
