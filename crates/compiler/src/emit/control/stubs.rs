//! The stubs, behind a function's last instruction: each calls the host, or a routine, with every register in use
//! saved, and goes back.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::stub::{KeptRef, StubKind};
use crate::emit::values::value::Operand;
use crate::isa::{Isa, Load, Store};
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg};

impl<I: Isa> FuncGen<'_, I> {
    /// Emits all stubs, after the function's last instruction, when the frame's layout is known.
    #[inline(never)]
    pub(crate) fn stubs(&mut self) {
        for i in 0..self.lists.stubs.len() {
            let mut stub = self.lists.stubs[i];
            if without(Fault::StubSaves)
                && let Some(first) = stub.live.first()
            {
                stub.live.remove(first);
            }
            if self.w.check_budget() {
                return;
            }
            self.w.wasm = stub.wasm;
            self.w.bind(stub.label);
            let area = self.stub_area();
            let log2 = self.slot_log2;
            let save = |n: usize| Addr::base(I::FRAME, area - ((n as i32 + 1) << log2));
            let float = if log2 >= 4 { Ty::V128 } else { Ty::F64 };
            let store = |reg: Reg| if reg.is_float() { Store::of(float) } else { Store::B64 };
            for (n, reg) in stub.live.enumerate() {
                self.w.store(store(reg), save(n), reg);
            }
            let refs = stub.refs.0 as usize..stub.refs.1 as usize;
            for at in refs.clone() {
                let KeptRef { reg, slot, store } = self.lists.stub_refs[at];
                if store {
                    self.w.store(Store::B32, Addr::base(I::FRAME, slot), reg);
                }
            }
            self.w.reserve_room();
            self.stub_call(stub.kind);
            self.safepoint_with(stub.map);
            let result = I::LIBCALL.int_results[0];
            if stub.kind.out().is_some() {
                self.w.mov(Width::W64, I::SCRATCH, result);
            }
            self.w.reserve_room();
            for (n, reg) in stub.live.enumerate() {
                let load = if reg.is_float() { Load::of(float) } else { Load::I64 };
                self.w.load(load, reg, save(n));
            }
            for at in refs {
                let KeptRef { reg, slot, .. } = self.lists.stub_refs[at];
                self.w.load(Load::I32, reg, Addr::base(I::FRAME, slot));
            }
            match stub.kind {
                StubKind::FillElement { out, .. } => self.w.mov(Width::W64, out, I::SCRATCH),
                StubKind::NewObject { out, base, .. } => {
                    self.w.mov(Width::W32, out, I::SCRATCH);
                    if let Some(base) = base {
                        self.heap_base(base);
                    }
                    self.reload_moved_base();
                }
                StubKind::IsSubtype { actual, .. } => self.w.mov(Width::W32, actual, I::SCRATCH),
                // While the host had control it may have let others grow the memory.
                StubKind::OutOfGas | StubKind::NewEpoch | StubKind::Expose { .. } | StubKind::ExitSyncCall { .. } => {
                    if !without(Fault::ReloadAfterStub) {
                        self.reload_moved_base();
                    }
                }
            }
            self.w.jmp(stub.resume);
        }
    }

    /// The call that a stub makes.
    fn stub_call(&mut self, kind: StubKind) {
        match kind {
            StubKind::FillElement { table, index, .. } => {
                let index = Operand::borrowed(Ty::I64, index);
                let args = [Arg::Ctx, Arg::Imm(u64::from(table)), Arg::Operand(index)];
                self.libcall_raw(Libcall::TableGetLazy, &args);
            }
            StubKind::OutOfGas => self.libcall_raw(Libcall::OutOfGas, &[Arg::Ctx]),
            StubKind::NewEpoch => self.libcall_raw(Libcall::NewEpoch, &[Arg::Ctx]),
            StubKind::NewObject { ty, size, .. } => {
                self.make_room(size, self.object(ty).align);
                let args = self.alloc_args(ty, Arg::Imm(u64::from(size)));
                self.libcall_raw(Libcall::GcAlloc, &args);
            }
            StubKind::Expose { reference } => {
                self.call_routine(RoutineCall::Expose { reference: Operand::borrowed(Ty::GcRef, reference) });
            }
            StubKind::ExitSyncCall { func } => self.call_of_exit(func),
            StubKind::IsSubtype { actual, expected } => {
                let args = [Arg::Ctx, Arg::Operand(Operand::borrowed(Ty::I32, actual)), Arg::TypeId(expected)];
                self.libcall_raw(Libcall::IsSubtype, &args);
            }
        }
    }
}
