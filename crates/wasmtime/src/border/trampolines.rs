//! The code on the border of a module, one routine per shape of crossing: from the host's array calls in, out to host
//! functions and to the runtime's builtins, and from Wasmtime's `Tail` convention to the private one.
//!
//! Every routine keeps the chain of frame pointers: Wasmtime walks it from the frame that an exit records to the frame
//! that an entry records.

use crate::border::host::{TRAP_CODES, builtin, trap};
use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_asm::x64::{Alu, Asm, Cc, R11, R12, R13, R14, R15, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Size, XMM15};
use lightbeam_asm::{Addr, Label, Reg};
use lightbeam_compiler::code::{Reloc, Target, TrapSite};
use lightbeam_compiler::facts::{Facts, Where};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::poison::UPPER_GARBAGE;
use lightbeam_compiler::sig::{Abi, Place, Sig};
use lightbeam_compiler::ty::{Ty, Width};
use std::ops::Range;
use wasmtime_environ::{BuiltinFunctionIndex, PtrSize, TrapSentinel, VM_LAZY_THREAD_FORCED};

/// Bytes of a `ValRaw`, in which array calls pass one value.
const VAL_RAW: i32 = 16;

/// Bytes between the frame pointer and the first stack argument: the caller's frame pointer and the return address.
const LINKAGE: i32 = 16;

const CTX: Reg = X64::CTX;

/// Routines under construction.
#[derive(Default)]
pub(crate) struct Stubs {
    /// Their code.
    pub(crate) asm: Asm,
    /// Fields in it that need the address of something outside.
    pub(crate) relocs: Vec<Reloc>,
    /// Instructions in it that can trap.
    pub(crate) traps: Vec<TrapSite>,
    /// See `facts::Settings::poison`.
    pub(crate) poison: bool,
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
    /// A routine of private convention in the same `Stubs`.
    Local(Label),
}

impl Stubs {
    pub(crate) fn new(facts: &Facts) -> Stubs {
        Stubs { poison: facts.settings.poison, ..Stubs::default() }
    }

    /// Calls something that the linker places.
    pub(crate) fn call(&mut self, target: Target) {
        let at = self.asm.call_sym();
        self.relocs.push(Reloc { at, target });
    }

    fn call_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Func(index) => self.call(Target::Func(index)),
            Entry::Local(label) => self.asm.call(label),
        }
    }

    /// Appends an entry of function `index`: makes it with `make`, unless `template` holds one of the same signature.
    /// Returns where it is.
    pub(crate) fn entry(
        &mut self,
        template: &mut Option<Template>,
        index: u32,
        make: impl FnOnce(&mut Stubs, Entry),
    ) -> Range<u32> {
        let start = self.start();
        let target = Target::Func(index);
        if let Some(Template { code, call }) = template {
            for at in code.clone().step_by(8) {
                let bytes = &self.asm.code()[at as usize..code.end.min(at + 8) as usize];
                let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                self.asm.put(word, bytes.len() as u32);
            }
            self.relocs.push(Reloc { at: start + *call, target });
        } else {
            let relocs = self.relocs.len();
            make(self, Entry::Func(index));
            debug_assert_eq!(self.relocs.len(), relocs + 1, "an entry makes one call");
            *template = Some(Template { code: start..self.asm.offset(), call: self.relocs[relocs].at - start });
        }
        start..self.asm.offset()
    }

    /// The start of a routine: aligned, all labels of the one before forgotten.
    pub(crate) fn start(&mut self) -> u32 {
        self.asm.reset_labels();
        self.asm.align(16);
        self.asm.offset()
    }

    /// Makes a frame.
    pub(crate) fn enter(&mut self) {
        self.asm.push(RBP);
        self.asm.mov_rr(Size::S64, RBP, RSP);
    }

    /// Lowers the stack pointer, touching each page on the way so that a guard page is not stepped over.
    fn allocate(&mut self, bytes: i32) {
        const PAGE: i32 = 1 << crate::target::HOST_PAGE_LOG2;
        for _ in 0..bytes / PAGE {
            self.asm.alu_ri(Alu::Sub, Size::S64, RSP, PAGE);
            self.asm.mov_mi(Size::S32, Addr::base(RSP, 0), 0);
        }
        if bytes % PAGE != 0 {
            self.asm.alu_ri(Alu::Sub, Size::S64, RSP, bytes % PAGE);
        }
    }

    /// `d = ` the value of type `ty` that is at `place` of the instance; destroys the scratch register.
    pub(crate) fn load_place(&mut self, ty: Ty, d: Reg, place: Where) {
        let addr = match place {
            Where::Ctx(disp) => Addr::base(CTX, disp),
            Where::Through { pointer, disp } => {
                self.asm.mov_rm(Size::S64, R11, Addr::base(CTX, pointer));
                Addr::base(R11, disp)
            }
        };
        self.load(ty, d, addr);
    }

    /// Makes the registers that private code takes for granted, beside the instance pointer.
    pub(crate) fn load_pinned(&mut self, facts: &Facts) {
        if let Some(memory) = facts.memories.first() {
            self.load_place(Ty::I64, X64::MEMORY_BASE, memory.base);
        }
    }

    fn load(&mut self, ty: Ty, d: Reg, addr: Addr) {
        match ty {
            Ty::F32 => self.asm.movss_rm(d, addr),
            Ty::F64 => self.asm.movsd_rm(d, addr),
            Ty::V128 | Ty::ContRef => self.asm.movups_rm(d, addr),
            Ty::I32 | Ty::I64 | Ty::FuncRef | Ty::GcRef => self.asm.mov_rm(size(ty), d, addr),
        }
    }

    fn store(&mut self, ty: Ty, addr: Addr, s: Reg) {
        match ty {
            Ty::F32 => self.asm.movss_mr(addr, s),
            Ty::F64 => self.asm.movsd_mr(addr, s),
            Ty::V128 | Ty::ContRef => self.asm.movups_mr(addr, s),
            Ty::I32 | Ty::I64 | Ty::FuncRef | Ty::GcRef => self.asm.mov_mr(size(ty), addr, s),
        }
    }

    /// Copies a value in memory by way of a register of its class.
    fn copy(&mut self, ty: Ty, to: Addr, from: Addr, int: Reg) {
        let temp = if ty.is_float() { XMM15 } else { int };
        self.load(ty, temp, from);
        self.store(ty, to, temp);
    }

    /// Enters a function by its private entry for a caller of `Tail` convention.
    ///
    /// In both conventions parameters come in the same order of registers, only that the private one has more of them;
    /// so each one's new place holds no later one's old place, and they can be moved in order.
    pub(crate) fn thunk(&mut self, facts: &Facts, sig: &Sig, entry: Entry) {
        let (callee, _) = sig.tail.contexts.expect("`Tail` passes the instances");
        self.enter();
        self.asm.push(CTX);
        self.asm.push(X64::MEMORY_BASE);
        self.asm.mov_rr(Size::S64, CTX, callee);
        if let (Some(to), Some(from)) = (sig.private.result_area, sig.tail.result_area) {
            self.asm.mov_rr(Size::S64, to, from);
        }
        self.allocate(sig.private.stack_args as i32);
        if sig.splits() {
            self.join_arguments(sig);
            self.load_pinned(facts);
            return self.leave_thunk(sig, entry);
        }
        for (i, ty) in sig.params.iter().enumerate() {
            match (sig.private.params[i], sig.tail.params[i]) {
                (Place::Reg(to), Place::Reg(from)) if ty.is_float() => {
                    debug_assert_eq!(to, from);
                }
                // Also where both are the same register: the upper half of a 32-bit argument is undefined outside.
                (Place::Reg(to), Place::Reg(from)) if to != from || ty.width() == Width::W32 => {
                    self.asm.mov_rr(size(*ty), to, from);
                }
                (Place::Reg(_), Place::Reg(_)) => {}
                (Place::Reg(to), Place::Stack(from)) => self.load(*ty, to, Addr::base(RBP, LINKAGE + from as i32)),
                (Place::Stack(to), Place::Reg(from)) => self.store(*ty, Addr::base(RSP, to as i32), from),
                (Place::Stack(to), Place::Stack(from)) => {
                    self.copy(*ty, Addr::base(RSP, to as i32), Addr::base(RBP, LINKAGE + from as i32), R11);
                }
            }
        }
        self.load_pinned(facts);
        self.leave_thunk(sig, entry);
    }

    fn leave_thunk(&mut self, sig: &Sig, entry: Entry) {
        self.call_entry(entry);
        self.poison_results(sig);
        self.asm.pop(X64::MEMORY_BASE);
        self.asm.pop(CTX);
        self.asm.pop(RBP);
        self.ret(&sig.tail);
    }

    /// Brings arguments to their private places where continuations come as two integers and go as one value in a float
    /// register. Integers move to places that no later one comes from, floats to places that no earlier one does.
    fn join_arguments(&mut self, sig: &Sig) {
        let in_tail = |from: u32| Addr::base(RBP, LINKAGE + from as i32);
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
            match (sig.private.params[i], sig.tail.params[parts[i]]) {
                (Place::Reg(to), Place::Reg(from)) if to != from => self.asm.movaps_rr(to, from),
                (Place::Reg(_), Place::Reg(_)) => {}
                (Place::Reg(to), Place::Stack(from)) => self.load(*ty, to, in_tail(from)),
                (Place::Stack(to), Place::Reg(from)) => self.store(*ty, Addr::base(RSP, to as i32), from),
                (Place::Stack(to), Place::Stack(from)) => {
                    self.copy(*ty, Addr::base(RSP, to as i32), in_tail(from), R11);
                }
            }
        }
        for (i, ty) in sig.params.iter().enumerate().filter(|(_, ty)| !ty.is_float() || **ty == Ty::ContRef) {
            let from = sig.tail.params[parts[i]];
            if *ty == Ty::ContRef {
                // The words lie side by side in memory first.
                let to = match sig.private.params[i] {
                    Place::Reg(_) => Addr::base(RSP, -VAL_RAW),
                    Place::Stack(to) => Addr::base(RSP, to as i32),
                };
                for (half, from) in [from, sig.tail.params[parts[i] + 1]].into_iter().enumerate() {
                    let to = to.plus(8 * half as i32);
                    match from {
                        Place::Reg(from) => self.store(Ty::I64, to, from),
                        Place::Stack(from) => self.copy(Ty::I64, to, in_tail(from), R11),
                    }
                }
                if let Place::Reg(reg) = sig.private.params[i] {
                    self.load(*ty, reg, to);
                }
                continue;
            }
            match (sig.private.params[i], from) {
                (Place::Reg(to), Place::Reg(from)) => self.asm.mov_rr(size(*ty), to, from),
                (Place::Reg(to), Place::Stack(from)) => self.load(*ty, to, in_tail(from)),
                (Place::Stack(to), Place::Reg(from)) => self.store(*ty, Addr::base(RSP, to as i32), from),
                (Place::Stack(to), Place::Stack(from)) => {
                    self.copy(*ty, Addr::base(RSP, to as i32), in_tail(from), R11);
                }
            }
        }
    }

    /// Enters a function for the host: `extern "C" fn(callee, caller, values: *mut ValRaw, len) -> bool`.
    pub(crate) fn array_to_wasm(&mut self, facts: &Facts, sig: &Sig, entry: Entry, concurrency: bool) {
        const VALUES: Addr = Addr::base(RBP, -48);
        const STORE: Addr = Addr::base(RBP, -56);
        const SAVED: [Reg; 5] = [RBX, R12, R13, R14, R15];
        // The saved registers, the two slots above, and 8 bytes to align.
        const FRAME: i32 = 64;
        let store = POINTER.vm_store_context();
        let (handler, out) = (self.asm.label(), self.asm.label());
        let area = sig.private.stack_results as i32;

        self.enter();
        for reg in SAVED {
            self.asm.push(reg);
        }
        self.allocate(FRAME - 8 * SAVED.len() as i32 + area);
        self.asm.mov_mr(Size::S64, VALUES, RDX);
        self.asm.mov_rr(Size::S64, CTX, RDI);
        self.asm.mov_rm(Size::S64, RAX, Addr::base(CTX, offset(POINTER.vmctx_store_context())));
        self.asm.mov_mr(Size::S64, STORE, RAX);
        self.asm.mov_mr(Size::S64, Addr::base(RAX, offset(store.last_wasm_entry_fp())), RBP);
        self.asm.mov_mr(Size::S64, Addr::base(RAX, offset(store.last_wasm_entry_sp())), RSP);
        self.asm.lea_label(RCX, handler);
        self.asm.mov_mr(Size::S64, Addr::base(RAX, offset(store.last_wasm_entry_trap_handler())), RCX);

        self.asm.mov_rr(Size::S64, RAX, RDX);
        if let Some(pointer) = sig.private.result_area {
            self.asm.mov_rr(Size::S64, pointer, RSP);
        }
        self.allocate(sig.private.stack_args as i32);
        for (i, (ty, place)) in sig.params.iter().zip(&sig.private.params).enumerate() {
            let from = Addr::base(RAX, VAL_RAW * i as i32);
            match *place {
                Place::Reg(to) => self.load(*ty, to, from),
                Place::Stack(to) => self.copy(*ty, Addr::base(RSP, to as i32), from, R11),
            }
        }
        self.load_pinned(facts);
        self.call_entry(entry);

        self.asm.mov_rm(Size::S64, R11, VALUES);
        for ((ty, at), place) in parts(&sig.results).zip(&sig.private.results) {
            if let Place::Reg(from) = *place {
                self.store(ty, Addr::base(R11, at), from);
            }
        }
        // The callee has popped its arguments, so the area is at the stack pointer again.
        for ((ty, at), place) in parts(&sig.results).zip(&sig.private.results) {
            if let Place::Stack(from) = *place {
                self.copy(ty, Addr::base(R11, at), Addr::base(RSP, from as i32), RAX);
            }
        }
        self.asm.mov_ri(Size::S32, RAX, 1);
        self.asm.bind(out);
        self.asm.lea_rm(Size::S64, RSP, Addr::base(RBP, -8 * SAVED.len() as i32));
        for reg in SAVED.into_iter().rev() {
            self.asm.pop(reg);
        }
        self.asm.pop(RBP);
        self.asm.ret();

        // Wasmtime comes here to unwind, with the stack and frame pointers recorded above and nothing else.
        self.asm.bind(handler);
        if concurrency {
            self.asm.mov_rm(Size::S64, RAX, STORE);
            let forced = i32::try_from(VM_LAZY_THREAD_FORCED).expect("a small constant");
            self.asm.mov_mi(Size::S64, Addr::base(RAX, offset(store.current_thread())), forced);
        }
        self.asm.zero(RAX);
        self.asm.jmp(out);
    }

    /// Calls a host function for a caller of `Tail` convention.
    pub(crate) fn wasm_to_array(&mut self, sig: &Sig) {
        const CALLER: Addr = Addr::base(RBP, -8);
        const AREA: Addr = Addr::base(RBP, -16);
        let (callee, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
        let values = sig.params.len().max(sig.results.len()) as i32;
        let fail = self.asm.label();

        self.enter();
        self.allocate(16 + VAL_RAW * values);
        self.exit_wasm(caller);
        self.asm.mov_mr(Size::S64, CALLER, caller);
        if let Some(area) = sig.tail.result_area {
            self.asm.mov_mr(Size::S64, AREA, area);
        }
        for ((ty, at), place) in parts(&sig.params).zip(&sig.tail.params) {
            let to = Addr::base(RSP, at);
            match *place {
                Place::Reg(from) => self.store(ty, to, from),
                Place::Stack(from) => self.copy(ty, to, Addr::base(RBP, LINKAGE + from as i32), R11),
            }
        }
        // In this order: with a result area the instances are one register further on.
        for (to, from) in [(RDI, callee), (RSI, caller)] {
            if to != from {
                self.asm.mov_rr(Size::S64, to, from);
            }
        }
        self.asm.mov_rr(Size::S64, RDX, RSP);
        self.asm.mov_ri(Size::S32, RCX, values.into());
        let array_call = POINTER.vmarray_call_host_func_context_func_ref() + POINTER.vm_func_ref().array_call();
        self.asm.call_m(Addr::base(RDI, offset(array_call)));
        self.asm.test_ri(Size::S32, RAX, 0xff);
        self.asm.jcc(Cc::E, fail);

        if sig.tail.result_area.is_some() {
            self.asm.mov_rm(Size::S64, R11, AREA);
        }
        for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
            if let Place::Stack(to) = *place {
                self.copy(ty, Addr::base(R11, to as i32), Addr::base(RSP, at), RAX);
            }
        }
        for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
            if let Place::Reg(to) = *place {
                self.load(ty, to, Addr::base(RSP, at));
            }
        }
        self.poison_results(sig);
        self.asm.leave();
        self.ret(&sig.tail);
        self.raise(fail, CALLER);
    }

    /// Calls a builtin of the runtime, with the arguments and the instance in the registers of the C convention.
    pub(crate) fn wasm_to_builtin(&mut self, libcall: Libcall) {
        const CONTEXT: Addr = Addr::base(RBP, -8);
        let builtin = builtin(libcall);
        let fail = self.asm.label();
        let table = self.asm.label();

        self.enter();
        self.allocate(16);
        self.asm.mov_mr(Size::S64, CONTEXT, RDI);
        self.exit_wasm(RDI);
        if libcall == Libcall::Trap {
            self.asm.lea_label(RAX, table);
            self.asm.mov_rr(Size::S32, RSI, RSI);
            self.asm.movzx8_rm(RSI, Addr::indexed(RAX, RSI, 0, 0));
        }
        self.call_builtin(builtin);
        match builtin.trap_sentinel() {
            None => {}
            // A reference, of which 32 bits count.
            Some(TrapSentinel::Falsy) if libcall == Libcall::GcAlloc => {
                self.asm.test_rr(Size::S32, RAX, RAX);
                self.asm.jcc(Cc::E, fail);
            }
            // Else only `bool` is returned so: a byte.
            Some(TrapSentinel::Falsy) => {
                self.asm.test_ri(Size::S32, RAX, 0xff);
                self.asm.jcc(Cc::E, fail);
            }
            Some(TrapSentinel::NegativeTwo) => {
                self.asm.alu_ri(Alu::Cmp, Size::S64, RAX, -2);
                self.asm.jcc(Cc::E, fail);
            }
            Some(TrapSentinel::NegativeOne) => {
                self.asm.alu_ri(Alu::Cmp, Size::S64, RAX, -1);
                self.asm.jcc(Cc::E, fail);
            }
            Some(TrapSentinel::Negative) => {
                self.asm.test_rr(Size::S64, RAX, RAX);
                self.asm.jcc(Cc::S, fail);
            }
        }
        if libcall != Libcall::Trap {
            if self.poison && is_narrow(libcall) {
                self.poison_upper_half(RAX);
            }
            self.asm.leave();
            self.asm.ret();
        }
        self.raise(fail, CONTEXT);
        self.asm.bind(table);
        if libcall == Libcall::Trap {
            for code in TRAP_CODES {
                self.asm.put(trap(code) as u64, 1);
            }
        }
    }

    /// Gives the extent of a data segment; see `Target::DataSegment`. `runtime` are the offsets of the pointer to its
    /// bytes and of their number, or `None` for an active segment, which is empty once the module has started.
    pub(crate) fn data_segment(&mut self, runtime: Option<(i32, i32)>) {
        let [pointer, bytes] = [X64::PRIVATE.int_results[0], X64::PRIVATE.int_results[1]];
        match runtime {
            Some((base, length)) => {
                self.asm.mov_rm(Size::S64, pointer, Addr::base(CTX, base));
                self.asm.mov_rm(Size::S32, bytes, Addr::base(CTX, length));
            }
            None => {
                self.asm.zero(pointer);
                self.asm.zero(bytes);
            }
        }
        self.asm.ret();
    }

    /// Drops a data segment, as `data_segment` has it.
    pub(crate) fn data_drop(&mut self, runtime: Option<(i32, i32)>) {
        if let Some((_, length)) = runtime {
            self.asm.mov_mi(Size::S32, Addr::base(CTX, length), 0);
        }
        self.asm.ret();
    }

    /// Records in the store of the instance `context` that the caller of this routine leaves wasm here.
    fn exit_wasm(&mut self, context: Reg) {
        let store = POINTER.vm_store_context();
        self.asm.mov_rm(Size::S64, R11, Addr::base(context, offset(POINTER.vmctx_store_context())));
        self.asm.mov_mr(Size::S64, Addr::base(R11, offset(store.last_wasm_exit_trampoline_fp())), RBP);
        self.asm.mov_rm(Size::S64, RAX, Addr::base(RBP, 8));
        self.asm.mov_mr(Size::S64, Addr::base(R11, offset(store.last_wasm_exit_pc())), RAX);
    }

    fn call_builtin(&mut self, builtin: BuiltinFunctionIndex) {
        self.asm.mov_rm(Size::S64, RAX, Addr::base(RDI, offset(POINTER.vmctx_builtin_functions())));
        let entry = builtin.index() * u32::from(POINTER.size());
        self.asm.call_m(Addr::base(RAX, offset(entry)));
    }

    /// Where an exit goes when the host has recorded a trap: unwinding starts here, nothing comes back.
    fn raise(&mut self, label: Label, context: Addr) {
        self.asm.bind(label);
        self.asm.mov_rm(Size::S64, RDI, context);
        self.call_builtin(BuiltinFunctionIndex::raise());
        self.asm.ud2();
    }

    /// On the way to a caller of `Tail` convention: the upper halves of narrow results are undefined.
    fn poison_results(&mut self, sig: &Sig) {
        if !self.poison {
            return;
        }
        for (ty, place) in sig.passed_results().iter().zip(&sig.tail.results) {
            if let Place::Reg(reg) = *place
                && matches!(ty, Ty::I32 | Ty::GcRef)
            {
                self.poison_upper_half(reg);
            }
        }
    }

    fn poison_upper_half(&mut self, reg: Reg) {
        self.asm.mov_ri(Size::S64, R11, UPPER_GARBAGE);
        self.asm.alu_rr(Alu::Or, Size::S64, reg, R11);
    }

    fn ret(&mut self, abi: &Abi) {
        match u16::try_from(abi.stack_args).expect("validation limits the number of parameters") {
            0 => self.asm.ret(),
            bytes => self.asm.ret_pop(bytes),
        }
    }
}

/// Does a builtin give 32 bits, and leave the rest of the register undefined?
fn is_narrow(libcall: Libcall) -> bool {
    matches!(libcall, Libcall::GcAlloc | Libcall::InstanceId | Libcall::IsSubtype)
}

/// What is passed for values of these types, with where it is among the values of an array call: two integers for each
/// continuation.
fn parts(types: &[Ty]) -> impl Iterator<Item = (Ty, i32)> {
    types.iter().enumerate().flat_map(|(i, ty)| {
        let at = VAL_RAW * i as i32;
        let parts = match ty {
            Ty::ContRef => [Some((Ty::I64, at)), Some((Ty::I64, at + 8))],
            ty => [Some((*ty, at)), None],
        };
        parts.into_iter().flatten()
    })
}

fn size(ty: Ty) -> Size {
    match ty.width() {
        Width::W32 => Size::S32,
        Width::W64 => Size::S64,
    }
}
