//! Wasmtime's unsafe intrinsics: what a component may import that reads and writes the host's memory, or the slots that
//! each task has for itself.

use super::host_calls::{CALLER, frame_bytes};
use crate::border::trampolines::{Border, slot};
use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_asm::{Addr, Reg};
use lightbeam_compiler::isa::{Cond, Isa, Load, Src, Store};
use lightbeam_compiler::sig::{AbiLoc, Sig};
use lightbeam_compiler::ty::Width;
use wasmtime_environ::component::UnsafeIntrinsic;
use wasmtime_environ::{PtrSize, Trap};

/// What an intrinsic does.
enum Operation {
    /// Reads one of the task's slots, or writes it.
    Slot {
        store: bool,
        index: u8,
    },
    /// Gives the address of the store's data.
    StoreData,
    /// Reads memory, or writes it; `checked` first compares an offset from the address with a length.
    Load {
        op: Load,
        bytes: u8,
        checked: bool,
    },
    Store {
        op: Store,
        bytes: u8,
        checked: bool,
    },
}

impl Operation {
    fn of(intrinsic: UnsafeIntrinsic) -> Operation {
        use UnsafeIntrinsic as U;
        let load = |op, bytes, checked| Operation::Load { op, bytes, checked };
        let store = |op, bytes, checked| Operation::Store { op, bytes, checked };
        match intrinsic {
            U::U8NativeLoad => load(Load::I32U8, 1, false),
            U::U16NativeLoad => load(Load::I32U16, 2, false),
            U::U32NativeLoad => load(Load::I32, 4, false),
            U::U64NativeLoad => load(Load::I64, 8, false),
            U::U8NativeStore => store(Store::B8, 1, false),
            U::U16NativeStore => store(Store::B16, 2, false),
            U::U32NativeStore => store(Store::B32, 4, false),
            U::U64NativeStore => store(Store::B64, 8, false),
            U::U8CheckedNativeLoad => load(Load::I32U8, 1, true),
            U::U16CheckedNativeLoad => load(Load::I32U16, 2, true),
            U::U32CheckedNativeLoad => load(Load::I32, 4, true),
            U::U64CheckedNativeLoad => load(Load::I64, 8, true),
            U::U8CheckedNativeStore => store(Store::B8, 1, true),
            U::U16CheckedNativeStore => store(Store::B16, 2, true),
            U::U32CheckedNativeStore => store(Store::B32, 4, true),
            U::U64CheckedNativeStore => store(Store::B64, 8, true),
            U::StoreDataAddress => Operation::StoreData,
            U::ContextGetI32_0 => Operation::Slot { store: false, index: 0 },
            U::ContextGetI32_1 => Operation::Slot { store: false, index: 1 },
            U::ContextSetI32_0 => Operation::Slot { store: true, index: 0 },
            U::ContextSetI32_1 => Operation::Slot { store: true, index: 1 },
        }
    }
}

impl<I: Isa> Border<'_, I> {
    /// An intrinsic as a function of `Tail` convention. All but those that can trap have no frame.
    pub(super) fn intrinsic(&mut self, sig: &Sig, intrinsic: UnsafeIntrinsic) {
        let (_, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
        let fields = POINTER.vm_store_context();
        let reg = |place: &AbiLoc| match *place {
            AbiLoc::Reg(reg) => reg,
            AbiLoc::Stack(_) => unreachable!("an intrinsic has few arguments"),
        };
        let given = sig.tail.results.first().map(reg);
        let argument = |i: usize| reg(&sig.tail.params[i]);
        match Operation::of(intrinsic) {
            Operation::Slot { store, index } => {
                let at = offset(fields.component_context_slot(index));
                self.w.load(Load::I64, I::SCRATCH, Addr::base(caller, offset(POINTER.vmctx_store_context())));
                match given {
                    Some(given) if !store => self.w.load(Load::I32, given, Addr::base(I::SCRATCH, at)),
                    _ => self.w.store(Store::B32, Addr::base(I::SCRATCH, at), argument(0)),
                };
            }
            Operation::StoreData => {
                let given = given.expect("it gives an address");
                self.w.load(Load::I64, I::SCRATCH, Addr::base(caller, offset(POINTER.vmctx_store_context())));
                self.w.load(Load::I64, given, Addr::base(I::SCRATCH, offset(fields.store_data())));
            }
            Operation::Load { op, checked: false, .. } => {
                self.w.load(op, given.expect("a load gives something"), Addr::base(argument(0), 0));
            }
            Operation::Store { op, checked: false, .. } => {
                self.w.store(op, Addr::base(argument(0), 0), argument(1));
            }
            Operation::Load { op, bytes, checked: true } => {
                let given = given.expect("a load gives something");
                return self.checked(sig, caller, bytes, |border, addr| border.w.load(op, given, addr));
            }
            Operation::Store { op, bytes, checked: true } => {
                let value = argument(3);
                return self.checked(sig, caller, bytes, |border, addr| border.w.store(op, addr, value));
            }
        }
        self.poison_results(sig);
        self.w.ret(sig.tail.stack_args);
    }

    /// An access to so many bytes at an offset from an address, within a length: the first three arguments.
    fn checked(&mut self, sig: &Sig, caller: Reg, bytes: u8, access: impl FnOnce(&mut Self, Addr) -> u32) {
        let [AbiLoc::Reg(base), AbiLoc::Reg(at), AbiLoc::Reg(length), ..] = sig.tail.params[..] else {
            unreachable!("the first arguments are in registers")
        };
        let outside = self.w.label();
        self.enter(frame_bytes(sig).cast_signed());
        self.exit_wasm(caller);
        self.w.store(Store::B64, slot::<I>(CALLER), caller);
        self.w.cmp(Width::W64, length, Src::Imm(bytes.into())).branch(Cond::LtU, outside);
        self.w.lea(Width::W64, length, Addr::base(length, -i32::from(bytes)));
        let mut flags = self.w.cmp(Width::W64, at, Src::Reg(length));
        flags.branch(Cond::GtU, outside);
        if self.settings.spectre {
            flags.guard(Cond::LeU, at, at, 0);
        }
        access(self, Addr::indexed(base, at, 0, 0));
        self.poison_results(sig);
        self.w.leave();
        self.w.ret(sig.tail.stack_args);
        self.trap(outside, Trap::MemoryOutOfBounds);
    }
}
