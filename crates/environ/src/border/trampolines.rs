//! The code on the border of a module, one routine per shape of crossing: from the host's array calls in, out to host
//! functions and to the runtime's builtins, and from Wasmtime's `Tail` convention to the private one.
//!
//! Every routine keeps the chain of frame pointers: Wasmtime walks it from the frame that an exit records to the frame
//! that an entry records.

use crate::border::host::{TRAPS, builtin};
use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_asm::{Addr, Label, Reg};
use lightbeam_compiler::Writer;
use lightbeam_compiler::code::{FUNC_ALIGN, Target};
use lightbeam_compiler::facts::{Facts, Settings, Where};
use lightbeam_compiler::isa::{Alu, Cond, Isa, Load, Src, Store};
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::poison::UPPER_GARBAGE;
use lightbeam_compiler::sig::{AbiLoc, Sig};
use lightbeam_compiler::ty::{Ty, Width};
use std::ops::Range;
use wasmtime_environ::{BuiltinFunctionIndex, PtrSize, TrapSentinel, VM_LAZY_THREAD_FORCED};

/// Bytes of a `ValRaw`, in which array calls pass one value.
pub(super) const VAL_RAW: i32 = 16;

/// Where the return address is, from the frame pointer on.
const RETURN_ADDRESS: i32 = POINTER as i32;

/// Bytes between the frame pointer and the first stack argument: the caller's frame pointer and the return address.
pub(super) const LINKAGE: i32 = 2 * POINTER as i32;

/// Code on the border under construction.
pub(crate) struct Border<'a, I: Isa> {
    pub(crate) w: Writer<I>,
    pub(super) settings: Settings,
    /// Of the module that the code is for; exits are for all modules.
    facts: Option<&'a Facts>,
}

/// A routine that was made for one function and fits every other of its signature, but for the one call in it.
#[derive(Clone)]
pub(crate) struct Template {
    code: Range<u32>,
    /// Offset of the call's field from the start of the code.
    call: u32,
}

/// What an entry calls.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// The private entry of a defined function.
    Func(u32),
    /// A routine of private convention in the same `Border`.
    Local(Label),
}

/// An entry for the host under construction.
pub(super) struct Entering {
    /// Has the address of the array of values; a register that all calls preserve.
    pub(super) values: Reg,
    /// Where the end restores what the host wants preserved.
    pub(super) out: Label,
    /// Where Wasmtime unwinds to.
    pub(super) handler: Label,
    /// Where the frame has the store.
    pub(super) store_slot: Addr,
}

/// A word of the frame, by number from the frame pointer down.
pub(super) const fn slot<I: Isa>(number: usize) -> Addr {
    Addr::base(I::FRAME, -(POINTER as i32) * (number as i32 + 1))
}

impl<'a, I: Isa> Border<'a, I> {
    /// For code of a module.
    pub(crate) fn new(facts: &'a Facts) -> Border<'a, I> {
        Border { w: Writer::new(facts.settings.cpu), settings: facts.settings, facts: Some(facts) }
    }

    /// For code of no module, until one is named, at the end of what a writer has.
    pub(crate) fn without_module(settings: Settings, w: Writer<I>) -> Border<'a, I> {
        Border { w, settings, facts: None }
    }

    /// From here on the code is for this module.
    pub(crate) fn of_module(&mut self, facts: &'a Facts) {
        self.facts = Some(facts);
    }

    /// Calls what is at an earlier offset of the code.
    pub(super) fn call_back(&mut self, to: u32) {
        let field = self.w.call_sym();
        I::resolve(self.w.code_mut(), field, field, to);
    }

    fn call_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Func(index) => self.w.call(Target::Func(index)),
            Entry::Local(label) => self.w.call_label(label),
        }
    }

    /// Appends an entry of function `index`: makes it with `make`, unless `template` holds one of the same signature.
    /// Returns where it is.
    pub(crate) fn entry(
        &mut self,
        template: &mut Option<Template>,
        index: u32,
        make: impl FnOnce(&mut Border<'a, I>, Entry),
    ) -> Range<u32> {
        let start = self.start();
        if let Some(Template { code, call }) = template {
            self.w.repeat(code.clone());
            self.w.repeat_unwind(code.clone(), start);
            self.w.reloc(start + *call, Target::Func(index));
        } else {
            let relocs = self.w.relocs.len();
            make(self, Entry::Func(index));
            debug_assert_eq!(self.w.relocs.len(), relocs + 1, "an entry makes one call");
            *template = Some(Template { code: start..self.w.offset(), call: self.w.relocs[relocs].at - start });
        }
        start..self.w.offset()
    }

    /// The start of a routine: aligned, all labels of the one before forgotten.
    pub(crate) fn start(&mut self) -> u32 {
        self.w.reset_labels();
        self.w.begin_routine(&self.settings);
        self.w.align(FUNC_ALIGN);
        self.w.begin_unwind(&self.settings);
        self.w.offset()
    }

    /// Makes a frame of so many bytes, less than a page.
    pub(super) fn enter(&mut self, bytes: i32) {
        let enter = self.w.enter();
        self.w.patch_frame(enter, bytes.cast_unsigned());
    }

    /// Lowers the stack pointer, touching each page on the way so that a guard page is not stepped over.
    pub(super) fn allocate(&mut self, bytes: u32) {
        let page = 1 << I::PLATFORM.page_log2;
        for _ in 0..bytes / page {
            self.lower_stack(page);
            self.w.store_imm(Store::B32, Addr::base(I::STACK, 0), 0);
        }
        if bytes % page != 0 {
            self.lower_stack(bytes % page);
        }
    }

    fn lower_stack(&mut self, bytes: u32) {
        self.w.lea(Width::W64, I::STACK, Addr::base(I::STACK, -bytes.cast_signed()));
    }

    /// `d = ` the stack pointer.
    fn stack_pointer(&mut self, d: Reg) {
        self.w.lea(Width::W64, d, Addr::base(I::STACK, 0));
    }

    /// `d = ` the value of type `ty` that is at `place` of the instance.
    pub(super) fn load_from(&mut self, ty: Ty, d: Reg, at: Where) {
        let addr = self.w.reach(at);
        self.load(ty, d, addr);
    }

    /// Makes the registers that private code takes for granted, beside the instance pointer.
    pub(super) fn load_pinned(&mut self) {
        let facts = self.facts.expect("entries are of a module");
        if let Some(memory) = facts.memories.first() {
            self.load_from(Ty::I64, I::MEMORY_BASE, memory.base);
        }
    }

    pub(super) fn load(&mut self, ty: Ty, d: Reg, addr: Addr) {
        self.w.load(Load::of(ty), d, addr);
    }

    pub(super) fn store(&mut self, ty: Ty, addr: Addr, s: Reg) {
        self.w.store(Store::of(ty), addr, s);
    }

    /// Copies a value in memory by way of a register of its class: `int`, or the scratch register for floats.
    pub(super) fn copy(&mut self, ty: Ty, to: Addr, from: Addr, int: Reg) {
        let temp = if ty.is_float() { I::FLOAT_SCRATCH } else { int };
        self.load(ty, temp, from);
        self.store(ty, to, temp);
    }

    fn mov(&mut self, ty: Ty, d: Reg, s: Reg) {
        if ty.is_float() { self.w.fmov(d, s) } else { self.w.mov(ty.width(), d, s) }
    }

    /// Enters a function by its private entry for a caller of `Tail` convention.
    pub(crate) fn thunk(&mut self, sig: &Sig, entry: Entry) {
        let (callee, _) = sig.tail.contexts.expect("`Tail` passes the instances");
        let [context, base] = [slot::<I>(0), slot::<I>(1)];
        // Where continuations are passed there is a place to put one together, too.
        let joined = Addr::base(I::FRAME, -2 * VAL_RAW);
        self.enter(if sig.splits() { 2 * VAL_RAW } else { VAL_RAW });
        self.w.store(Store::B64, context, I::CTX);
        self.w.saved(I::CTX, context.disp());
        self.w.store(Store::B64, base, I::MEMORY_BASE);
        self.w.saved(I::MEMORY_BASE, base.disp());
        self.w.mov(Width::W64, I::CTX, callee);
        if let (Some(to), Some(from)) = (sig.private.result_area, sig.tail.result_area) {
            self.w.mov(Width::W64, to, from);
        }
        self.allocate(sig.private.stack_args);
        if sig.splits() {
            self.join_arguments(sig, joined);
        } else {
            self.move_arguments(sig);
        }
        self.load_pinned();
        self.call_entry(entry);
        self.poison_results(sig);
        self.w.load(Load::I64, I::MEMORY_BASE, base);
        self.w.load(Load::I64, I::CTX, context);
        self.w.leave();
        self.w.ret(sig.tail.stack_args);
    }

    /// Brings arguments to their private places. In both conventions they come in the same order of registers, only
    /// that the private one has more of them; so each one's new place holds no later one's old place, and they can be
    /// moved in order.
    fn move_arguments(&mut self, sig: &Sig) {
        for (i, ty) in sig.params.iter().enumerate() {
            let (to, from) = (sig.private.params[i], sig.tail.params[i]);
            if let (AbiLoc::Reg(to), AbiLoc::Reg(from)) = (to, from) {
                debug_assert!(!ty.is_float() || to == from);
            }
            self.move_argument(*ty, to, from);
        }
    }

    fn move_argument(&mut self, ty: Ty, to: AbiLoc, from: AbiLoc) {
        let in_tail = |from: u32| Addr::base(I::FRAME, LINKAGE + from.cast_signed());
        let in_private = |to: u32| Addr::base(I::STACK, to.cast_signed());
        match (to, from) {
            // Also where both are the same register: the upper half of a 32-bit argument is undefined outside.
            (AbiLoc::Reg(to), AbiLoc::Reg(from)) => self.mov(ty, to, from),
            (AbiLoc::Reg(to), AbiLoc::Stack(from)) => self.load(ty, to, in_tail(from)),
            (AbiLoc::Stack(to), AbiLoc::Reg(from)) => self.store(ty, in_private(to), from),
            (AbiLoc::Stack(to), AbiLoc::Stack(from)) => self.copy(ty, in_private(to), in_tail(from), I::SCRATCH),
        }
    }

    /// Brings arguments to their private places where continuations come as two integers and go as one value in a float
    /// register, by way of 16 bytes of memory. Integers move to places that no later one comes from, floats to places
    /// that no earlier one does.
    fn join_arguments(&mut self, sig: &Sig, joined: Addr) {
        let parts: Vec<usize> = sig
            .params
            .iter()
            .scan(0, |next, ty| {
                let part = *next;
                *next += if *ty == Ty::ContRef { 2 } else { 1 };
                Some(part)
            })
            .collect();
        for (i, ty) in sig.params.iter().enumerate().rev().filter(|(_, ty)| ty.is_float() && **ty != Ty::ContRef) {
            self.move_argument(*ty, sig.private.params[i], sig.tail.params[parts[i]]);
        }
        for (i, ty) in sig.params.iter().enumerate().filter(|(_, ty)| !ty.is_float() || **ty == Ty::ContRef) {
            let halves = &sig.tail.params[parts[i]..];
            if *ty != Ty::ContRef {
                self.move_argument(*ty, sig.private.params[i], halves[0]);
                continue;
            }
            // The words lie side by side in memory first.
            let to = match sig.private.params[i] {
                AbiLoc::Reg(_) => joined,
                AbiLoc::Stack(to) => Addr::base(I::STACK, to.cast_signed()),
            };
            for (half, from) in halves[..2].iter().enumerate() {
                let to = to.plus(8 * half as i32);
                match *from {
                    AbiLoc::Reg(from) => self.store(Ty::I64, to, from),
                    AbiLoc::Stack(from) => {
                        let from = Addr::base(I::FRAME, LINKAGE + from.cast_signed());
                        self.copy(Ty::I64, to, from, I::SCRATCH);
                    }
                }
            }
            if let AbiLoc::Reg(reg) = sig.private.params[i] {
                self.load(*ty, reg, joined);
            }
        }
    }

    /// Enters a function for the host: `extern "C" fn(callee, caller, values: *mut ValRaw, len) -> bool`.
    ///
    /// Registers that the host wants preserved are in the frame, so the routine has them for itself: calls of private
    /// code preserve them.
    pub(crate) fn array_to_wasm(&mut self, sig: &Sig, entry: Entry, concurrency: bool) {
        let store = offset(POINTER.vmctx_store_context());
        let Entering { values, out, handler, store_slot } = self.enter_wasm(I::CTX, store, sig.private.stack_results);
        if let Some(pointer) = sig.private.result_area {
            self.stack_pointer(pointer);
        }
        self.allocate(sig.private.stack_args);
        for (i, (ty, place)) in sig.params.iter().zip(&sig.private.params).enumerate() {
            let from = Addr::base(values, VAL_RAW * i as i32);
            match *place {
                AbiLoc::Reg(to) => self.load(*ty, to, from),
                AbiLoc::Stack(to) => self.copy(*ty, Addr::base(I::STACK, to.cast_signed()), from, I::SCRATCH),
            }
        }
        self.load_pinned();
        self.call_entry(entry);

        // The callee has popped its arguments, so the area is at the stack pointer again.
        for ((ty, at), place) in parts(&sig.results).zip(&sig.private.results) {
            let to = Addr::base(values, at);
            match *place {
                AbiLoc::Reg(from) => self.store(ty, to, from),
                AbiLoc::Stack(from) => self.copy(ty, to, Addr::base(I::STACK, from.cast_signed()), I::SCRATCH),
            }
        }
        self.leave_wasm(out, handler, store_slot, concurrency);
    }

    /// The beginning of an entry for the host, whose instance, which it brings to `instance`, has the store at `store`:
    /// keeps what the host wants preserved, makes room for results, and records that wasm is entered here. The host's
    /// arguments are still where they came.
    pub(super) fn enter_wasm(&mut self, instance: Reg, store: i32, results: u32) -> Entering {
        let fields = POINTER.vm_store_context();
        let [values, context, temp] = [I::PRESERVED[0], I::PRESERVED[1], I::PRESERVED[2]];
        let store_slot = slot::<I>(I::ENTRY_SAVED.len());
        let frame = (I::ENTRY_SAVED.len() + 1) * usize::from(POINTER);
        let [handler, out] = self.w.labels();
        self.enter(frame.next_multiple_of(16) as i32);
        for (n, ty, reg) in Self::kept() {
            self.store(ty, slot::<I>(n), reg);
            self.w.saved(reg, slot::<I>(n).disp());
        }
        self.allocate(results);
        self.w.mov(Width::W64, values, I::LIBCALL.int_args[2]);
        if instance != I::LIBCALL.int_args[0] {
            self.w.mov(Width::W64, instance, I::LIBCALL.int_args[0]);
        }
        self.w.load(Load::I64, context, Addr::base(instance, store));
        self.w.store(Store::B64, store_slot, context);
        self.w.store(Store::B64, Addr::base(context, offset(fields.last_wasm_entry_fp())), I::FRAME);
        self.stack_pointer(temp);
        self.w.store(Store::B64, Addr::base(context, offset(fields.last_wasm_entry_sp())), temp);
        self.w.lea_label(temp, handler);
        self.w.store(Store::B64, Addr::base(context, offset(fields.last_wasm_entry_trap_handler())), temp);
        Entering { values, handler, out, store_slot }
    }

    /// The end of such an entry: where the call has come back, and where Wasmtime unwinds to.
    pub(super) fn leave_wasm(&mut self, out: Label, handler: Label, store_slot: Addr, concurrency: bool) {
        let given = I::LIBCALL.int_results[0];
        let store = I::PRESERVED[1];
        self.w.iconst(Width::W32, given, 1, false);
        self.w.bind(out);
        for (n, ty, reg) in Self::kept() {
            self.load(ty, reg, slot::<I>(n));
        }
        self.w.leave();
        self.w.ret(0);

        // Wasmtime comes here to unwind, with the stack and frame pointers recorded above and nothing else.
        self.w.bind(handler);
        if concurrency {
            let fields = POINTER.vm_store_context();
            self.w.load(Load::I64, store, store_slot);
            let forced = i32::try_from(VM_LAZY_THREAD_FORCED).expect("a small constant");
            self.w.store_imm(Store::B64, Addr::base(store, offset(fields.current_thread())), i64::from(forced));
        }
        self.w.iconst(Width::W32, given, 0, false);
        self.w.jmp(out);
    }

    /// What entries keep for the host: by word of the frame, in what type, which register.
    fn kept() -> impl Iterator<Item = (usize, Ty, Reg)> {
        let word = |reg: Reg| if reg.is_float() { Ty::F64 } else { Ty::I64 };
        I::ENTRY_SAVED.iter().enumerate().map(move |(n, reg)| (n, word(*reg), *reg))
    }

    /// Calls a host function for a caller of `Tail` convention.
    pub(crate) fn wasm_to_array(&mut self, sig: &Sig) {
        let [caller_slot, area_slot] = [slot::<I>(0), slot::<I>(1)];
        let (callee, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
        let values = sig.params.len().max(sig.results.len()) as u32;
        let args = I::LIBCALL.int_args;
        let fail = self.w.label();

        self.enter(16);
        self.allocate(VAL_RAW.cast_unsigned() * values);
        self.exit_wasm(caller);
        self.w.store(Store::B64, caller_slot, caller);
        if let Some(area) = sig.tail.result_area {
            self.w.store(Store::B64, area_slot, area);
        }
        for ((ty, at), place) in parts(&sig.params).zip(&sig.tail.params) {
            let to = Addr::base(I::STACK, at);
            match *place {
                AbiLoc::Reg(from) => self.store(ty, to, from),
                AbiLoc::Stack(from) => {
                    self.copy(ty, to, Addr::base(I::FRAME, LINKAGE + from.cast_signed()), I::SCRATCH);
                }
            }
        }
        // In this order: with a result area the instances may be one register further on.
        debug_assert!(args[0] != caller);
        self.w.mov(Width::W64, args[0], callee);
        self.w.mov(Width::W64, args[1], caller);
        self.stack_pointer(args[2]);
        self.w.iconst(Width::W32, args[3], values.into(), false);
        let array_call = POINTER.vmarray_call_host_func_context_func_ref() + POINTER.vm_func_ref().array_call();
        self.w.load(Load::I64, I::SCRATCH, Addr::base(args[0], offset(array_call)));
        self.w.call_reg(I::SCRATCH);
        self.w.test(Width::W32, I::LIBCALL.int_results[0], Src::Imm(0xff)).branch(Cond::Eq, fail);

        if sig.tail.result_area.is_some() {
            self.w.load(Load::I64, I::SCRATCH, area_slot);
        }
        for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
            if let AbiLoc::Stack(to) = *place {
                let to = Addr::base(I::SCRATCH, to.cast_signed());
                self.copy(ty, to, Addr::base(I::STACK, at), I::UNPASSED);
            }
        }
        for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
            if let AbiLoc::Reg(to) = *place {
                self.load(ty, to, Addr::base(I::STACK, at));
            }
        }
        self.poison_results(sig);
        self.w.leave();
        self.w.ret(sig.tail.stack_args);
        self.raise(fail, caller_slot);
    }

    /// Calls a builtin of the runtime, with the arguments and the instance in the registers of the C convention.
    pub(crate) fn wasm_to_builtin(&mut self, libcall: Libcall) {
        let context = slot::<I>(0);
        let args = I::LIBCALL.int_args;
        let given = I::LIBCALL.int_results[0];
        let builtin = builtin(libcall);
        let [fail, table] = self.w.labels();

        self.enter(16);
        self.w.store(Store::B64, context, args[0]);
        self.exit_wasm(args[0]);
        if libcall == Libcall::Trap {
            self.w.lea_label(I::UNPASSED, table);
            self.w.mov(Width::W32, args[1], args[1]);
            self.w.load(Load::I32U8, args[1], Addr::indexed(I::UNPASSED, args[1], 0, 0));
        }
        self.call_builtin(builtin);
        match builtin.trap_sentinel() {
            None => {}
            // A reference, of which 32 bits count.
            Some(TrapSentinel::Falsy) if libcall == Libcall::GcAlloc => self.w.branch_zero(Width::W32, given, fail),
            // Else only `bool` is returned so: a byte.
            Some(TrapSentinel::Falsy) => self.w.test(Width::W32, given, Src::Imm(0xff)).branch(Cond::Eq, fail),
            Some(TrapSentinel::NegativeTwo) => self.w.cmp(Width::W64, given, Src::Imm(-2)).branch(Cond::Eq, fail),
            Some(TrapSentinel::NegativeOne) => self.w.cmp(Width::W64, given, Src::Imm(-1)).branch(Cond::Eq, fail),
            Some(TrapSentinel::Negative) => {
                self.w.test(Width::W64, given, Src::Reg(given)).branch(Cond::LtS, fail);
            }
        }
        if libcall != Libcall::Trap {
            if self.settings.poison && is_narrow(libcall) {
                self.poison_upper_half(given);
            }
            self.w.leave();
            self.w.ret(0);
        }
        self.raise(fail, context);
        self.w.bind(table);
        if libcall == Libcall::Trap {
            self.w.data(&TRAPS);
        }
    }

    /// Gives the extent of a data segment; see `Target::DataSegment`. `runtime` are the offsets of the pointer to its
    /// bytes and of their number, or `None` for an active segment, which is empty once the module has started.
    pub(crate) fn data_segment(&mut self, runtime: Option<(i32, i32)>) {
        let [pointer, bytes] = I::ROUTINE_RESULTS;
        match runtime {
            Some((base, length)) => {
                self.w.load(Load::I64, pointer, Addr::base(I::CTX, base));
                self.w.load(Load::I32, bytes, Addr::base(I::CTX, length));
            }
            None => {
                self.w.iconst(Width::W32, pointer, 0, false);
                self.w.iconst(Width::W32, bytes, 0, false);
            }
        }
        self.w.ret(0);
    }

    /// Drops a data segment, as `data_segment` has it.
    pub(crate) fn data_drop(&mut self, runtime: Option<(i32, i32)>) {
        if let Some((_, length)) = runtime {
            self.w.store_imm(Store::B32, Addr::base(I::CTX, length), 0);
        }
        self.w.ret(0);
    }

    /// Records in the store of the instance `context` that the caller of this routine leaves wasm here.
    pub(super) fn exit_wasm(&mut self, context: Reg) {
        let store = POINTER.vm_store_context();
        self.w.load(Load::I64, I::SCRATCH, Addr::base(context, offset(POINTER.vmctx_store_context())));
        self.w.store(Store::B64, Addr::base(I::SCRATCH, offset(store.last_wasm_exit_trampoline_fp())), I::FRAME);
        self.w.load(Load::I64, I::UNPASSED, Addr::base(I::FRAME, RETURN_ADDRESS));
        self.w.store(Store::B64, Addr::base(I::SCRATCH, offset(store.last_wasm_exit_pc())), I::UNPASSED);
    }

    /// Calls a builtin, the instance and the arguments in place.
    pub(super) fn call_builtin(&mut self, builtin: BuiltinFunctionIndex) {
        let context = I::LIBCALL.int_args[0];
        self.w.load(Load::I64, I::SCRATCH, Addr::base(context, offset(POINTER.vmctx_builtin_functions())));
        let entry = builtin.index() * u32::from(POINTER.size());
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::SCRATCH, offset(entry)));
        self.w.call_reg(I::SCRATCH);
    }

    /// Where an exit goes when the host has recorded a trap: unwinding starts here, nothing comes back.
    pub(super) fn raise(&mut self, label: Label, context: Addr) {
        self.w.bind(label);
        self.w.load(Load::I64, I::LIBCALL.int_args[0], context);
        self.call_builtin(BuiltinFunctionIndex::raise());
        self.w.trap();
    }

    /// On the way to a caller of `Tail` convention: the upper halves of narrow results are undefined.
    pub(super) fn poison_results(&mut self, sig: &Sig) {
        if !self.settings.poison {
            return;
        }
        for (ty, place) in sig.passed_results().iter().zip(&sig.tail.results) {
            if let AbiLoc::Reg(reg) = *place
                && matches!(ty, Ty::I32 | Ty::GcRef)
            {
                self.poison_upper_half(reg);
            }
        }
    }

    fn poison_upper_half(&mut self, reg: Reg) {
        self.w.iconst(Width::W64, I::SCRATCH, UPPER_GARBAGE, false);
        self.w.alu(Alu::Or, Width::W64, reg, reg, Src::Reg(I::SCRATCH));
    }
}

/// Does a builtin give 32 bits, and leave the rest of the register undefined?
fn is_narrow(libcall: Libcall) -> bool {
    matches!(libcall, Libcall::GcAlloc | Libcall::InstanceId | Libcall::IsSubtype)
}

/// What is passed for values of these types, with where it is among the values of an array call: two integers for each
/// continuation.
pub(super) fn parts(types: &[Ty]) -> impl Iterator<Item = (Ty, i32)> {
    types.iter().enumerate().flat_map(|(i, ty)| {
        let at = VAL_RAW * i as i32;
        let parts = match ty {
            Ty::ContRef => [Some((Ty::I64, at)), Some((Ty::I64, at + 8))],
            ty => [Some((*ty, at)), None],
        };
        parts.into_iter().flatten()
    })
}
