//! Interruption: fuel, epochs, and the out-of-line stubs that call the host in the middle of an operator.

use crate::emit::FuncGen;
use crate::emit::control::calls::Arg;
use crate::emit::values::value::Operand;
use crate::isa::{Alu, Cond, Isa, Load, Src, Store};
use crate::treaty::facts::MOST_UNITS;
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label, Reg, RegClass, RegSet};

/// A detour that is taken rarely: calls the host with every register in use saved, then comes back.
#[derive(Clone, Copy)]
pub(crate) struct Stub {
    /// Where it starts.
    pub(crate) label: Label,
    /// Where it goes when done.
    pub(crate) resume: Label,
    pub(crate) kind: StubKind,
    /// Registers to save; filled in when it is remembered, as the next two.
    pub(crate) live: RegSet,
    /// Registers with references that the host may change: where these begin and end in `Lists::stub_refs`.
    pub(crate) refs: (u32, u32),
    /// The stack map while the host runs.
    pub(crate) map: Option<u32>,
    /// Wasm offset of the operator.
    pub(crate) wasm: u32,
}

/// A reference in a register while a stub calls the host: it is in the frame then and loaded from there afterwards.
#[derive(Clone, Copy)]
pub(crate) struct KeptRef {
    pub(crate) reg: Reg,
    /// Offset of its slot from the frame pointer.
    pub(crate) slot: i32,
    /// Must it be stored? A local's slot is up to date.
    pub(crate) store: bool,
}

/// What a stub calls.
#[derive(Clone, Copy)]
pub(crate) enum StubKind {
    /// Fills an element of a lazy table and gives its reference.
    FillElement { table: u32, index: Reg, out: Reg },
    /// Fuel has run out.
    OutOfGas,
    /// The epoch deadline has come.
    NewEpoch,
    /// Makes an object of a type and gives the reference and, in `base` if it names one, where the heap begins.
    NewObject { ty: u32, size: u32, out: Reg, base: Option<Reg> },
    /// Tells a collector that counts references of the one in this register, which an entry of the stack owns.
    Expose { reference: Reg },
    /// Asks whether the type with the id in `actual` is a subtype of another, and gives the answer in the same
    /// register.
    IsSubtype { actual: Reg, expected: i32 },
}

impl StubKind {
    /// The register in which it gives something, which need not be saved.
    pub(crate) fn out(self) -> Option<Reg> {
        match self {
            StubKind::FillElement { out, .. } | StubKind::NewObject { out, .. } => Some(out),
            StubKind::IsSubtype { actual, .. } => Some(actual),
            StubKind::OutOfGas | StubKind::NewEpoch | StubKind::Expose { .. } => None,
        }
    }

    /// May a collector run?
    pub(crate) fn collects(self) -> bool {
        !matches!(self, StubKind::FillElement { .. } | StubKind::IsSubtype { .. })
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// Emits all stubs, after the function's last instruction, when the frame's layout is known.
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
                StubKind::OutOfGas | StubKind::NewEpoch | StubKind::Expose { .. } => {
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
            StubKind::IsSubtype { actual, expected } => {
                let args = [Arg::Ctx, Arg::Operand(Operand::borrowed(Ty::I32, actual)), Arg::TypeId(expected)];
                self.libcall_raw(Libcall::IsSubtype, &args);
            }
        }
    }

    // ---- fuel

    fn fuel_address(&mut self) -> Addr {
        let ctx = self.facts.ctx;
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        Addr::base(I::SCRATCH, ctx.fuel)
    }

    /// Adds what the operators since the last time cost. At every place where control may go more than one way.
    #[inline]
    pub(crate) fn charge_fuel(&mut self) {
        if self.facts.settings.fuel && self.fuel > 0 && !self.is_dead() && !without(Fault::Fuel) {
            let addr = self.fuel_address();
            let fuel = Src::imm(self.fuel as i32);
            self.w.alu_mem(Alu::Add, Width::W64, addr, fuel);
        }
        self.fuel = 0;
    }

    fn check_fuel(&mut self) {
        let addr = self.fuel_address();
        let fuel = Src::imm(std::mem::take(&mut self.fuel) as i32);
        // The counter is negative as long as there is fuel.
        let is_out = self.condition(|w| {
            let flags = if fuel == Src::Imm(0) {
                w.cmp_mem(Width::W64, addr, fuel)
            } else {
                w.alu_mem_sign(Alu::Add, Width::W64, addr, fuel)
            };
            flags.when(Cond::GeS)
        });
        is_out.stub(StubKind::OutOfGas);
    }

    // ---- epochs

    fn check_epoch(&mut self) {
        let ctx = self.facts.ctx;
        let now = self.take(RegClass::Int);
        self.w.load(Load::I64, now, Addr::base(I::CTX, ctx.epoch));
        self.w.load(Load::I64, now, Addr::base(now, 0));
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        let deadline = Addr::base(I::SCRATCH, ctx.epoch_deadline);
        let mut has_come = self.condition(|w| w.cmp(Width::W64, now, Src::Mem(deadline)).when(Cond::GeU));
        has_come.release(now);
        has_come.stub(StubKind::NewEpoch);
    }

    // ---- where they are looked at

    /// At the entry of a function.
    pub(crate) fn function_entry_checks(&mut self) {
        // Even an empty function costs something.
        self.fuel = 1;
        self.interruption_checks();
        self.fuel = 0;
    }

    /// At the header of a loop.
    pub(crate) fn loop_checks(&mut self) {
        self.interruption_checks();
    }

    fn interruption_checks(&mut self) {
        if self.facts.settings.fuel {
            self.check_fuel();
        }
        if self.facts.settings.epochs {
            self.check_epoch();
        }
    }

    /// Is anything of this asked for?
    pub(crate) fn meters(&self) -> bool {
        self.facts.settings.fuel || self.facts.settings.epochs
    }

    /// Before an operator whose work is not charged for but may be long.
    pub(crate) fn bulk_checks(&mut self) {
        self.interruption_checks();
    }

    /// Before an operator whose work is as large as an operand: charges for each unit, and looks.
    pub(crate) fn charge_units(&mut self, units: &Operand) {
        if !self.meters() {
            return;
        }
        /// Constant amounts up to this are not worth a look, as the host sees it.
        const SMALL: u64 = 128;
        if let Some(constant) = units.as_const()
            && constant <= SMALL
        {
            self.fuel += constant as u32;
            return;
        }
        if self.facts.settings.fuel {
            self.charge_fuel();
            let reg = self.take(RegClass::Int);
            self.load_operand(reg, units);
            if units.ty() == Ty::I64 && !without(Fault::FuelOfLargeAmounts) {
                self.w.iconst(Width::W64, I::SCRATCH, MOST_UNITS, false);
                self.w.cmp(Width::W64, reg, Src::Reg(I::SCRATCH)).select(Cond::GtU, Ty::I64, reg, I::SCRATCH);
            }
            let addr = self.fuel_address();
            self.w.alu_mem(Alu::Add, Width::W64, addr, Src::Reg(reg));
            self.release(reg);
        }
        self.interruption_checks();
    }
}
