//! Trampolines that make one call of the host, and what all that leave a component have in common.
//!
//! `Tail` passes the component's context as the callee's instance; the caller is a core instance, through which exits
//! are recorded and failures raised. Arguments go to the frame first and from there to where C wants them: there are
//! more of the trampoline's own ahead of them, and what is called runs far longer.

use super::descriptions::{Argument, Callee, Outcome, Row, libcall};
use crate::border::trampolines::{Border, LINKAGE, VAL_RAW, parts, slot};
use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_asm::{Addr, Label, Reg};
use lightbeam_compiler::isa::{Cond, Isa, Load, Src, Store};
use lightbeam_compiler::sig::{AbiLoc, Sig};
use lightbeam_compiler::ty::{Ty, Width};
use wasmtime_environ::component::{Component, ComponentBuiltinFunctionIndex};
use wasmtime_environ::{BuiltinFunctionIndex, PtrSize, Trap};

/// Words of the frame that every trampoline has: the caller's instance, the component's context, a second result.
pub(super) const CALLER: usize = 0;
pub(super) const CONTEXT: usize = 1;
const SECOND: usize = 2;
/// The first word for the trampoline's own arguments.
const ARGUMENTS: usize = 3;

/// Bytes of the frame of a trampoline of this signature, without what it allocates.
pub(super) fn frame_bytes(sig: &Sig) -> u32 {
    let words = (ARGUMENTS + sig.params.len()) as u32;
    (words * u32::from(POINTER.size())).next_multiple_of(16)
}

/// Where a trampoline's failures go.
pub(super) struct Failures {
    /// The host has recorded a trap.
    pub(super) raise: Label,
    /// The calling instance may not leave.
    pub(super) may_not_leave: Label,
}

impl<I: Isa> Border<'_, I> {
    /// A trampoline of `Tail` convention that makes the call of a row.
    pub(super) fn host_call(&mut self, sig: &Sig, row: &Row, component: &Component) {
        let failures = self.leave_component(sig, row.may_leave);
        let args = I::LIBCALL.int_args;
        let given = I::LIBCALL.int_results[0];

        // What is passed one by one is kept word by word, the rest as an array of values.
        let first_of_array = row.arguments.iter().find_map(|argument| match argument {
            Argument::Values(first) => Some(*first),
            _ => None,
        });
        let values = first_of_array.map_or(0, |first| (sig.params.len() - first).max(sig.results.len()));
        let on_stack = row.arguments.len().saturating_sub(args.len() - 1) as u32 * u32::from(POINTER.size());
        let on_stack = on_stack.next_multiple_of(16);
        self.allocate(VAL_RAW.cast_unsigned() * values as u32 + on_stack);
        let array = Addr::base(I::STACK, on_stack.cast_signed());
        for (i, (ty, place)) in sig.params.iter().zip(&sig.tail.params).enumerate() {
            let to = match first_of_array {
                Some(first) if i >= first => array.plus(VAL_RAW * (i - first) as i32),
                _ => slot::<I>(ARGUMENTS + i),
            };
            match *place {
                AbiLoc::Reg(from) => self.store(*ty, to, from),
                AbiLoc::Stack(from) => {
                    self.copy(*ty, to, Addr::base(I::FRAME, LINKAGE + from.cast_signed()), I::SCRATCH);
                }
            }
        }
        self.w.load(Load::I64, args[0], slot::<I>(CONTEXT));
        // Those on the stack by way of a register that gets its own value behind them.
        for (i, argument) in row.arguments.iter().enumerate().rev() {
            let to = args.get(i + 1).copied();
            let reg = to.unwrap_or(args[1]);
            self.argument(reg, *argument, sig, array, values);
            if to.is_none() {
                let at = (i + 1 - args.len()) as i32 * i32::from(POINTER.size());
                self.w.store(Store::B64, Addr::base(I::STACK, at), reg);
            }
        }
        match row.callee {
            Callee::Libcall(index) => self.load_libcall(component, index),
            Callee::Host(at) => self.load(Ty::I64, I::SCRATCH, Addr::base(args[0], at)),
        }
        self.w.call_reg(I::SCRATCH);
        let mut failed = match row.outcome {
            Outcome::Flag | Outcome::Values => self.w.test(Width::W32, given, Src::Imm(0xff)),
            Outcome::Word | Outcome::Two => self.w.cmp(Width::W64, given, Src::Imm(-1)),
            Outcome::Narrow => self.w.cmp(Width::W32, given, Src::Imm(-1)),
        };
        failed.branch(Cond::Eq, failures.raise);
        match row.outcome {
            Outcome::Flag => {}
            Outcome::Values => {
                for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
                    let AbiLoc::Reg(to) = *place else { unreachable!("a component's functions have few results") };
                    self.load(ty, to, array.plus(at));
                }
            }
            Outcome::Word | Outcome::Narrow => debug_assert_eq!(*sig.tail.results, [AbiLoc::Reg(given)]),
            Outcome::Two => {
                let [AbiLoc::Reg(first), AbiLoc::Reg(second)] = sig.tail.results[..] else {
                    unreachable!("two results are in registers")
                };
                debug_assert_eq!(first, given);
                self.w.load(Load::I64, second, slot::<I>(SECOND));
            }
        }
        self.poison_results(sig);
        self.w.leave();
        self.w.ret(sig.tail.stack_args);
        self.failures(failures);
    }

    /// The beginning of a trampoline: makes the frame, records that wasm is left here, and asks whether it may be.
    pub(super) fn leave_component(&mut self, sig: &Sig, may_leave: Option<i32>) -> Failures {
        let (context, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
        let [raise, may_not_leave] = self.w.labels();
        debug_assert!(sig.tail.result_area.is_none(), "a component's functions have few results");
        self.enter(frame_bytes(sig).cast_signed());
        self.exit_wasm(caller);
        self.w.store(Store::B64, slot::<I>(CALLER), caller);
        self.w.store(Store::B64, slot::<I>(CONTEXT), context);
        if let Some(may_leave) = may_leave {
            self.w.cmp_mem(Width::W32, Addr::base(context, may_leave), Src::Imm(0)).branch(Cond::Eq, may_not_leave);
        }
        Failures { raise, may_not_leave }
    }

    /// Where failures go.
    pub(super) fn failures(&mut self, failures: Failures) {
        self.trap(failures.may_not_leave, Trap::CannotLeaveComponent);
        self.raise(failures.raise, slot::<I>(CALLER));
    }

    /// At the label, a trap of the caller, where the frame keeps it. The exit is recorded already.
    pub(super) fn trap(&mut self, label: Label, trap: Trap) {
        self.w.bind(label);
        self.w.load(Load::I64, I::LIBCALL.int_args[0], slot::<I>(CALLER));
        self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(trap as u8), false);
        self.call_builtin(BuiltinFunctionIndex::trap());
        self.w.load(Load::I64, I::LIBCALL.int_args[0], slot::<I>(CALLER));
        self.call_builtin(BuiltinFunctionIndex::raise());
        self.w.trap();
    }

    /// Calls one of the runtime's functions for components, whose arguments are in place.
    pub(super) fn call_libcall(&mut self, component: &Component, index: ComponentBuiltinFunctionIndex) {
        self.load_libcall(component, index);
        self.w.call_reg(I::SCRATCH);
    }

    fn load_libcall(&mut self, component: &Component, index: ComponentBuiltinFunctionIndex) {
        let (table, entry) = libcall(component, index);
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::LIBCALL.int_args[0], table));
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::SCRATCH, entry));
    }

    /// `d = ` an argument, out of the frame, or out of the component's context, which is the first argument of all.
    fn argument(&mut self, d: Reg, argument: Argument, sig: &Sig, array: Addr, values: usize) {
        let context = I::LIBCALL.int_args[0];
        let spilled = |index: usize| (sig.params[index], slot::<I>(ARGUMENTS + index));
        match argument {
            Argument::Number(number) => self.w.iconst(Width::W32, d, number.into(), false),
            Argument::Byte(value) => self.w.iconst(Width::W32, d, value.into(), false),
            Argument::Null => self.w.iconst(Width::W64, d, 0, false),
            Argument::Count => self.w.iconst(Width::W64, d, values as i64, false),
            Argument::Field(at) => self.load(Ty::I64, d, Addr::base(context, at)),
            Argument::Values(_) => self.w.lea(Width::W64, d, array),
            Argument::Second => self.w.lea(Width::W64, d, slot::<I>(SECOND)),
            // A load of 32 bits extends them with zeros.
            Argument::Wasm(index) | Argument::Length(index) => {
                let (ty, from) = spilled(index);
                self.load(ty, d, from);
            }
            Argument::Pointer(index, memory) => {
                let (ty, from) = spilled(index);
                self.load(ty, d, from);
                self.w.load(Load::I64, I::SCRATCH, Addr::base(context, memory));
                let base = offset(POINTER.vm_memory_definition().base());
                self.w.load(Load::I64, I::SCRATCH, Addr::base(I::SCRATCH, base));
                self.w.lea(Width::W64, d, Addr::indexed(d, I::SCRATCH, 0, 0));
            }
        }
    }
}
