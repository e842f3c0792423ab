//! Tables: elements, references to functions, and the check before a call through one.
//!
//! In a lazy table 0 means that an element has not been filled in, and any other value has bit 0 set as a tag.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::stub::StubKind;
use crate::emit::values::held::Held;
use crate::emit::values::value::Operand;
use crate::emit::writer::Writer;
use crate::isa::{Alu, Cond, ImmFor, Isa, Load, Src, Store};
use crate::treaty::code::TrapCode;
use crate::treaty::facts::{TableFact, Work};
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// The tag of filled elements in lazy tables.
pub(crate) const FILLED: i32 = 1;

/// Where an element of a table is, whose first is at `base`. Elements of 16 bytes take an instruction, which changes
/// `base`.
pub(crate) fn element_at<I: Isa>(w: &mut Writer<I>, table: &TableFact, base: Reg, index: Reg) -> Addr {
    if !table.elem.is_wide() {
        return Addr::indexed(base, index, table.elem_log2(), 0);
    }
    // No address counts in more than 8 bytes.
    let half = Addr::indexed(base, index, table.elem_log2() - 1, 0);
    w.lea(Width::W64, base, half);
    half
}

impl<I: Isa> FuncGen<'_, I> {
    /// Checks an index, an operand, which stays in a register, and gives the address of its element: for the very next
    /// primitive, as the scratch register may be part of it. What is to be released with it is in the operand; the
    /// base is in `base`, which the caller owns.
    fn element(&mut self, table: &TableFact, index: &mut Operand, base: Reg) -> Addr {
        let trap = self.w.trap_label(TrapCode::TableOutOfBounds);
        let reg = self.operand_reg(index);
        let is_guarded = self.facts.settings.spectre && !without(Fault::TableGuard);
        let length = match table.fixed_length {
            Some(length) if I::imm_ok(ImmFor::Compare, Width::W64, length as i64) => Src::Imm(length as i64),
            _ => Src::Mem(self.w.reach(table.length)),
        };
        let mut flags = self.w.cmp(Width::W64, reg, length);
        if !without(Fault::TableBound) {
            let beyond = if without(Fault::TableBoundOffByOne) { Cond::GtU } else { Cond::GeU };
            flags.branch(beyond, trap);
        }
        let place = flags.reach(table.base);
        flags.load(Load::I64, base, place);
        if !is_guarded {
            return element_at(self.w, table, base, reg);
        }
        // What is beyond the table is its first element, as long as the trap has not been taken.
        flags.guard(Cond::LtU, I::SCRATCH, reg, 0);
        element_at(self.w, table, base, I::SCRATCH)
    }

    /// Pops an index and loads the reference of that element into a register of its own, filling it in if need be.
    fn load_element(&mut self, table_index: u32) -> Reg {
        let table = self.facts.tables[table_index as usize];
        let mut index = self.pop();
        let base = self.take(RegClass::Int);
        let addr = self.element(&table, &mut index, base);
        self.w.load(Load::of(table.elem), base, addr);
        if table.lazy {
            let index = self.operand_reg(&mut index);
            let mut frozen = self.freeze();
            let [fill, filled] = frozen.labels();
            if !without(Fault::ElementFilled) {
                frozen.w().branch_zero(Width::W64, base, fill);
            }
            if !without(Fault::TagTakenOff) {
                frozen.w().alu(Alu::And, Width::W64, base, base, Src::imm(!FILLED));
            }
            frozen.stub(fill, filled, StubKind::FillElement { table: table_index, index, out: base }, RegSet::EMPTY);
            frozen.meet(filled);
        }
        self.done(&index);
        base
    }

    #[inline(never)]
    pub(crate) fn table_get(&mut self) {
        let table = self.reader.u32();
        let elem = self.facts.tables[table as usize].elem;
        if elem.is_wide() {
            return self.table_get_wide(table);
        }
        let reg = self.load_element(table);
        match elem {
            Ty::GcRef => self.push_exposed(reg),
            _ => self.push_reg(elem, reg),
        }
    }

    #[inline(never)]
    fn table_get_wide(&mut self, table: u32) {
        let table = self.facts.tables[table as usize];
        let mut index = self.pop();
        let [base, d] = [RegClass::Int, RegClass::Float].map(|class| self.take(class));
        let addr = self.element(&table, &mut index, base);
        self.w.load(Load::of(table.elem), d, addr);
        self.release(base);
        self.done(&index);
        self.push_reg(table.elem, d);
    }

    #[inline(never)]
    pub(crate) fn table_set(&mut self) {
        let table = self.facts.tables[self.reader.u32() as usize];
        let mut value = self.pop();
        let mut index = self.pop();
        if table.elem == Ty::GcRef && self.facts.counts() {
            let reg = self.operand_reg(&mut value);
            let base = self.take(RegClass::Int);
            let addr = self.element(&table, &mut index, base);
            self.w.lea(Width::W64, base, addr);
            let (held, value) = (Held::of(index.owned().or(value.owned())), Operand::borrowed(Ty::GcRef, reg));
            self.set_reference(base, &value, held);
            return;
        }
        let reg = self.operand_owned(&mut value);
        if table.lazy {
            self.w.alu(Alu::Or, Width::W64, reg, reg, Src::imm(FILLED));
        }
        let base = self.take(RegClass::Int);
        let addr = self.element(&table, &mut index, base);
        self.w.store(Store::of(table.elem), addr, reg);
        self.release(base);
        self.done(&index);
        self.done(&value);
    }

    pub(crate) fn table_size(&mut self) {
        let table = self.facts.tables[self.reader.u32() as usize];
        let d = self.take(RegClass::Int);
        let at = self.w.reach(table.length);
        // A 32-bit table has fewer than 2^32 elements, so its upper half is zero.
        self.w.load(Load::I64, d, at);
        self.push_reg(table.index, d);
    }

    #[inline(never)]
    pub(crate) fn ref_func(&mut self) {
        let func = self.reader.u32();
        self.libcall(Libcall::RefFunc, &[Arg::Ctx, Arg::Imm(u64::from(func))]);
        self.push_libcall_result(Ty::FuncRef);
    }

    /// Pops the index of a `call_indirect` and gives the function reference, its type checked, in a register of its
    /// own.
    pub(crate) fn checked_reference(&mut self, ty: u32, table: u32) -> Reg {
        let reference = self.load_element(table);
        let ctx = self.facts.ctx;
        let expected = self.facts.type_id_offsets[ty as usize];
        if !self.facts.settings.hardware_traps && !without(Fault::NullReference) {
            let null = self.w.trap_label(TrapCode::IndirectCallToNull);
            self.w.branch_zero(Width::W64, reference, null);
        }
        let type_of_callee = Addr::base(reference, ctx.funcref_type);
        if self.facts.tables[table as usize].type_id == Some(expected) {
            // Whatever is in this table is of the type, if it is not null.
            if self.facts.settings.hardware_traps {
                let at = self.w.load(Load::I32, I::SCRATCH, type_of_callee);
                self.w.trap_at(at, TrapCode::IndirectCallToNull);
            }
            return reference;
        }
        let bad = self.w.trap_label(TrapCode::BadSignature);
        let id = self.take(RegClass::Int);
        if self.facts.final_types[ty as usize] {
            self.w.load(Load::I64, id, Addr::base(I::CTX, ctx.type_ids));
            self.w.load(Load::I32, id, Addr::base(id, expected));
            // A null reference faults here.
            let mut flags = self.w.cmp(Width::W32, id, Src::Mem(type_of_callee));
            flags.may_trap(TrapCode::IndirectCallToNull);
            if !without(Fault::Signature) {
                flags.branch(Cond::Ne, bad);
            }
        } else {
            let at = self.w.load(Load::I32, id, type_of_callee);
            self.w.trap_at(at, TrapCode::IndirectCallToNull);
            let mut frozen = self.freeze();
            let known = frozen.label();
            frozen.check_type_id(id, expected, false, known, bad);
            frozen.meet(known);
        }
        self.release(id);
        reference
    }

    /// `table.grow`: grows by null references, then fills the new elements. Between the two nobody else may run, who
    /// could see null where the type has none: fuel is charged and the epoch looked at before, whether it then grows
    /// or not.
    pub(crate) fn table_grow(&mut self) {
        let index = self.reader.u32();
        let table = self.facts.tables[index as usize];
        if self.meters() {
            let delta = self.pop();
            self.charge_units(Work::TableGrow, &delta);
            self.push_operand(&delta);
        }
        // [value, delta] -> [elements before, or -1]: both are wanted after the call, so both go to their slots.
        self.flush_all();
        let delta_at = self.stack.len() - 1;
        let delta = self.pop();
        let args = [Arg::Owner(table.owner), Arg::OwnerIndex(table.owner), Arg::Operand(delta)];
        self.libcall(Libcall::TableGrow, &args);
        self.push_libcall_result(table.index);
        // Stack: [value, before]; the delta is still in its slot, which `before` must not be spilled to.
        let before = self.pop_owned();
        let value = self.stack.len() - 1;
        // fill(before, value, delta); `before` waits in the slot above the delta's.
        let value_slot = self.slot(value, table.elem);
        let delta_slot = self.slot(delta_at, table.index);
        let before_slot = self.slot(delta_at + 1, table.index);
        let width = table.index;
        let mut frozen = self.freeze();
        let done = frozen.label();
        frozen.w().cmp(width.width(), before, Src::Imm(-1)).branch(Cond::Eq, done);
        let fill = RoutineCall::TableFill {
            table: index,
            at: Operand::borrowed(width, before),
            value: frozen.routine_value(&Operand::memory(table.elem, value_slot)),
            n: Operand::memory(width, delta_slot),
        };
        frozen.w().store(Store::of(width), before_slot, before);
        frozen.call_routine(fill);
        frozen.w().load(Load::of(width), before, before_slot);
        frozen.restore_homes();
        frozen.meet(done);
        self.truncate_stack(value);
        self.push_reg(width, before);
    }
}
