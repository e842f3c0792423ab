//! Interruption: fuel and epochs, charged and looked at where control may go more than one way. What is asked of the
//! host's counters, startup asks as function bodies do.

use crate::emit::FuncGen;
use crate::emit::flags::Condition;
use crate::emit::stub::StubKind;
use crate::emit::values::value::Operand;
use crate::emit::writer::Writer;
use crate::isa::{Alu, Cond, Isa, Load, Src};
use crate::treaty::facts::{CtxFacts, MOST_UNITS, SMALL_AMOUNT, Work};
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass};

impl<I: Isa> Writer<I> {
    /// Counts so many units of fuel as used, and asks whether none is left: the counter is below 0 as long as there is
    /// some.
    pub fn fuel_is_out(&mut self, counter: Addr, units: u32) -> Condition<&mut Writer<I>> {
        let units = Src::imm(units.cast_signed());
        let flags = if units == Src::Imm(0) {
            self.cmp_mem(Width::W64, counter, units)
        } else {
            self.alu_mem_sign(Alu::Add, Width::W64, counter, units)
        };
        flags.when(Cond::GeS)
    }

    /// Has the epoch come at which the host is to be called? Destroys `now` and the scratch register.
    pub fn epoch_has_come(&mut self, ctx: &CtxFacts, now: Reg) -> Condition<&mut Writer<I>> {
        self.load(Load::I64, now, Addr::base(I::CTX, ctx.epoch));
        self.load(Load::I64, now, Addr::base(now, 0));
        self.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
        let deadline = Addr::base(I::SCRATCH, ctx.epoch_deadline);
        self.cmp(Width::W64, now, Src::Mem(deadline)).when(Cond::GeU)
    }
}

impl<I: Isa> FuncGen<'_, I> {
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
        let fuel = std::mem::take(&mut self.fuel);
        self.condition(|w| w.fuel_is_out(addr, fuel)).stub(StubKind::OutOfGas);
    }

    // ---- epochs

    fn check_epoch(&mut self) {
        let ctx = self.facts.ctx;
        let now = self.take(RegClass::Int);
        let mut has_come = self.condition(|w| w.epoch_has_come(&ctx, now));
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

    /// Before an operator whose work is as large as an operand: charges for each byte, page or element, and looks.
    pub(crate) fn charge_units(&mut self, work: Work, units: &Operand) {
        if !self.meters() {
            return;
        }
        let cost = self.facts.cost_of(work);
        if let Some(constant) = units.as_const()
            && let Some(cost) = constant.checked_mul(cost)
            && cost <= SMALL_AMOUNT
        {
            self.fuel += cost as u32;
            return;
        }
        if self.facts.settings.fuel && cost > 0 {
            self.charge_fuel();
            let reg = self.take(RegClass::Int);
            self.load_operand(reg, units);
            if units.ty() == Ty::I64 && !without(Fault::FuelOfLargeAmounts) {
                self.w.iconst(Width::W64, I::SCRATCH, MOST_UNITS / cost.cast_signed(), false);
                self.w.cmp(Width::W64, reg, Src::Reg(I::SCRATCH)).select(Cond::GtU, Ty::I64, reg, I::SCRATCH);
            }
            if cost > 1 {
                self.w.mul(Width::W64, reg, reg, Src::imm(cost.cast_signed()));
            }
            let addr = self.fuel_address();
            self.w.alu_mem(Alu::Add, Width::W64, addr, Src::Reg(reg));
            self.release(reg);
        }
        self.interruption_checks();
    }
}
