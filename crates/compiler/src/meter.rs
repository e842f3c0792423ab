//! Interruption: fuel, epochs, and the out-of-line stubs that call the host in the middle of an operator.

use crate::calls::Arg;
use crate::compile::FuncGen;
use crate::isa::{Alu, AsmBuffer, Cond, Isa, Load, Src, Store};
use crate::libcall::Libcall;
use crate::ty::{Ty, Width};
use crate::value::Operand;
use lightbeam_asm::{Addr, Label, Reg, RegClass, RegSet};

/// A detour that is taken rarely: calls the host with every register in use saved, then comes back.
#[derive(Clone, Copy)]
pub(crate) struct Stub {
    /// Where it starts.
    pub(crate) label: Label,
    /// Where it goes when done.
    pub(crate) resume: Label,
    pub(crate) kind: StubKind,
    /// Registers to save; filled in by `add_stub`.
    pub(crate) live: RegSet,
    /// Wasm offset of the operator.
    pub(crate) wasm: u32,
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
}

/// What an operator costs, as the host counts: 1, but nothing for those that only shape control.
pub(crate) const fn fuel_cost(opcode: u8) -> u32 {
    !matches!(opcode, 0x00..=0x03 | 0x05 | 0x0b | 0x0f | 0x1a) as u32
}

impl<I: Isa> FuncGen<'_, I> {
    /// Remembers a stub, with the registers in use at this moment: values, copies and homes that a call destroys.
    pub(crate) fn add_stub(&mut self, mut stub: Stub) {
        let mut live = self.regs.pool.minus(self.regs.free);
        for i in 0..self.lists.volatile_homes.len() {
            live.add(self.locals[self.lists.volatile_homes[i] as usize].home.expect("it has one"));
        }
        if let StubKind::FillElement { out, .. } = stub.kind {
            live.remove(out);
        }
        stub.live = live;
        self.stub_saves = self.stub_saves.max(live.len() << self.slot_log2);
        self.lists.stubs.push(stub);
    }

    /// Emits all stubs, after the function's last instruction, when the frame's layout is known.
    pub(crate) fn stubs(&mut self) {
        for i in 0..self.lists.stubs.len() {
            let stub = self.lists.stubs[i];
            if self.check_budget() {
                return;
            }
            self.wasm = stub.wasm;
            self.out.asm.bind(stub.label);
            let area = self.stub_area();
            let log2 = self.slot_log2;
            let save = |n: usize| Addr::base(I::FRAME, area - ((n as i32 + 1) << log2));
            let float = if log2 == 4 { Ty::V128 } else { Ty::F64 };
            let store = |reg: Reg| if reg.is_float() { Store::of(float) } else { Store::B64 };
            for (n, reg) in stub.live.enumerate() {
                I::store(&mut self.out.asm, store(reg), save(n), reg);
            }
            self.out_reserve();
            match stub.kind {
                StubKind::FillElement { table, index, .. } => {
                    let index = Operand::borrowed(Ty::I64, index);
                    let args = [Arg::Ctx, Arg::Imm(u64::from(table)), Arg::Operand(index)];
                    self.libcall_raw(Libcall::TableGetLazy, &args);
                }
                StubKind::OutOfGas => self.libcall_raw(Libcall::OutOfGas, &[Arg::Ctx]),
                StubKind::NewEpoch => self.libcall_raw(Libcall::NewEpoch, &[Arg::Ctx]),
            }
            if let StubKind::FillElement { .. } = stub.kind {
                I::mov(&mut self.out.asm, Width::W64, I::SCRATCH, I::LIBCALL.int_results[0]);
            }
            self.out_reserve();
            for (n, reg) in stub.live.enumerate() {
                let load = if reg.is_float() { Load::of(float) } else { Load::I64 };
                I::load(&mut self.out.asm, load, reg, save(n));
            }
            if let StubKind::FillElement { out, .. } = stub.kind {
                I::mov(&mut self.out.asm, Width::W64, out, I::SCRATCH);
            } else {
                // While the host had control it may have let others grow the memory.
                self.reload_moved_base();
            }
            I::jmp(&mut self.out.asm, stub.resume);
        }
    }

    // ---- fuel

    fn fuel_address(&mut self) -> Addr {
        let ctx = self.facts.ctx;
        I::load(&mut self.out.asm, Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        Addr::base(I::SCRATCH, ctx.fuel)
    }

    /// Adds what the operators since the last time cost. At every place where control may go more than one way.
    #[inline]
    pub(crate) fn charge_fuel(&mut self) {
        if self.facts.settings.fuel && self.fuel > 0 && !self.is_dead() {
            let addr = self.fuel_address();
            I::alu_mem(&mut self.out.asm, Alu::Add, Width::W64, addr, Src::Imm(self.fuel as i32));
        }
        self.fuel = 0;
    }

    fn check_fuel(&mut self) {
        let addr = self.fuel_address();
        if self.fuel > 0 {
            I::alu_mem(&mut self.out.asm, Alu::Add, Width::W64, addr, Src::Imm(self.fuel as i32));
            self.fuel = 0;
        } else {
            I::cmp_mem(&mut self.out.asm, Width::W64, addr, Src::Imm(0));
        }
        self.stub_if(Cond::GeS, StubKind::OutOfGas);
    }

    fn stub_if(&mut self, cond: Cond, kind: StubKind) {
        let label = self.out.asm.label();
        let resume = self.out.asm.label();
        I::jcc(&mut self.out.asm, cond, label);
        self.out.asm.bind(resume);
        self.add_stub(Stub { label, resume, kind, live: RegSet::EMPTY, wasm: self.wasm });
    }

    // ---- epochs

    fn check_epoch(&mut self) {
        let ctx = self.facts.ctx;
        let now = self.take(RegClass::Int);
        I::load(&mut self.out.asm, Load::I64, now, Addr::base(I::CTX, ctx.epoch));
        I::load(&mut self.out.asm, Load::I64, now, Addr::base(now, 0));
        I::load(&mut self.out.asm, Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        let deadline = Addr::base(I::SCRATCH, ctx.epoch_deadline);
        I::cmp(&mut self.out.asm, Width::W64, now, Src::Mem(deadline));
        self.release(now);
        self.stub_if(Cond::GeU, StubKind::NewEpoch);
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
            if units.ty() == Ty::I64 {
                // More than the counter can count is as good as the most it can.
                let keep = self.out.asm.label();
                I::test(&mut self.out.asm, Width::W64, reg, Src::Reg(reg));
                I::jcc(&mut self.out.asm, Cond::GeS, keep);
                I::iconst(&mut self.out.asm, Width::W64, reg, i64::MAX, false);
                self.out.asm.bind(keep);
            }
            let addr = self.fuel_address();
            I::alu_mem(&mut self.out.asm, Alu::Add, Width::W64, addr, Src::Reg(reg));
            self.release(reg);
        }
        self.interruption_checks();
    }
}
