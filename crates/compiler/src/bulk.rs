//! Bulk operators: ranges are checked here, the work is the host's (memories) or a routine's (tables).

use crate::calls::Arg;
use crate::code::{Routine, Target, TrapCode};
use crate::compile::FuncGen;
use crate::isa::{Alu, Cond, Isa, Src};
use crate::libcall::Libcall;
use crate::ty::{Ty, Width};
use crate::value::{Operand, OperandPlace};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    fn owned_operand(ty: Ty, reg: Reg) -> Operand {
        Operand { ty, place: OperandPlace::Reg(reg), owned: RegSet::one(reg), wasm: None }
    }

    /// Makes a position in a memory, in a register that may be written, a pointer.
    fn to_pointer(&mut self, memory: u32, reg: Reg) {
        let (base, owned) = self.memory_base(memory);
        I::alu(&mut self.out.asm, Alu::Add, Width::W64, reg, reg, Src::Reg(base));
        self.release_all(owned);
    }

    pub(crate) fn memory_copy(&mut self) {
        let to = self.reader.u32();
        let from = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(&n);
        let n_reg = self.operand_owned(&mut n);
        let source = self.pop_owned();
        let target = self.pop_owned();
        let end = self.take(RegClass::Int);
        self.check_memory_range(from, source, n_reg, end);
        self.check_memory_range(to, target, n_reg, end);
        self.release(end);
        self.to_pointer(from, source);
        self.to_pointer(to, target);
        let args = [target, source, n_reg].map(|reg| Arg::Operand(Self::owned_operand(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_fill(&mut self) {
        let memory = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(&n);
        let n_reg = self.operand_owned(&mut n);
        let byte = self.pop_owned();
        let target = self.pop_owned();
        let end = self.take(RegClass::Int);
        self.check_memory_range(memory, target, n_reg, end);
        self.release(end);
        self.to_pointer(memory, target);
        let args = [target, byte, n_reg].map(|reg| Arg::Operand(Self::owned_operand(Ty::I64, reg)));
        self.libcall(Libcall::MemoryFill, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_init(&mut self) {
        let segment = self.reader.u32();
        let memory = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(&n);
        // The segment's extent comes in two registers of its own; everything else keeps out of them.
        let (pointer, bytes) = (I::PRIVATE.int_results[0], I::PRIVATE.int_results[1]);
        let elsewhere = RegSet::INTS.minus(RegSet::of(&[pointer, bytes]));
        let n_reg = self.operand_in(&mut n, elsewhere);
        let mut operand = self.pop();
        let source = self.operand_in(&mut operand, elsewhere);
        let mut operand = self.pop();
        let target = self.operand_in(&mut operand, elsewhere);
        self.take_this(pointer);
        self.take_this(bytes);
        let at = I::call_sym(&mut self.out.asm);
        self.reloc(at, Target::DataSegment(segment));
        let trap = self.trap_label(TrapCode::MemoryOutOfBounds);
        let end = self.take(RegClass::Int);
        I::lea(&mut self.out.asm, Width::W64, end, Addr::indexed(source, n_reg, 0, 0));
        I::cmp(&mut self.out.asm, Width::W64, end, Src::Reg(bytes));
        I::jcc(&mut self.out.asm, Cond::GtU, trap);
        self.check_memory_range(memory, target, n_reg, end);
        self.release(end);
        self.release(bytes);
        I::alu(&mut self.out.asm, Alu::Add, Width::W64, pointer, pointer, Src::Reg(source));
        self.release(source);
        self.to_pointer(memory, target);
        let args = [target, pointer, n_reg].map(|reg| Arg::Operand(Self::owned_operand(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    /// Brings an operand to a register of its own, one of a set.
    fn operand_in(&mut self, operand: &mut Operand, allowed: RegSet) -> Reg {
        if let OperandPlace::Reg(reg) = operand.place
            && operand.owned.has(reg)
            && allowed.has(reg)
        {
            return reg;
        }
        let reg = self.take_from(allowed.class(RegClass::Int));
        self.load_operand(reg, operand);
        self.release_all(operand.owned);
        *operand = Self::owned_operand(operand.ty, reg);
        reg
    }

    pub(crate) fn data_drop(&mut self) {
        let segment = self.reader.u32();
        let scratch = I::PRIVATE.int_results[0];
        self.take_this(scratch);
        let at = I::call_sym(&mut self.out.asm);
        self.reloc(at, Target::DataDrop(segment));
        self.release(scratch);
    }

    pub(crate) fn elem_drop(&mut self) {
        let segment = self.reader.u32();
        if let Some(index) = self.facts.elems[segment as usize] {
            self.libcall(Libcall::ElemDrop, &[Arg::Ctx, Arg::Imm(u64::from(index))]);
        }
    }

    // ---- tables

    pub(crate) fn table_fill(&mut self) {
        let table = self.reader.u32();
        self.table_routine(Routine::TableFill { table });
    }

    pub(crate) fn table_copy(&mut self) {
        let to = self.reader.u32();
        let from = self.reader.u32();
        self.table_routine(Routine::TableCopy { to, from });
    }

    pub(crate) fn table_init(&mut self) {
        let segment = self.reader.u32();
        let table = self.reader.u32();
        self.table_routine(Routine::TableInit { table, segment });
    }

    /// Pops three operands and gives them to a routine.
    fn table_routine(&mut self, routine: Routine) {
        let n = self.pop();
        self.charge_units(&n);
        let b = self.pop();
        let a = self.pop();
        self.flush_below(self.stack.len());
        self.save_homes();
        self.call_routine(routine, &[a, b, n]);
        for operand in [a, b, n] {
            self.release_all(operand.owned);
        }
        self.drop_copies();
        self.restore_homes();
    }

    /// Calls a routine: its operands go where the first integer arguments go.
    pub(crate) fn call_routine(&mut self, routine: Routine, operands: &[Operand]) {
        self.moves.clear();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if let OperandPlace::Reg(from) = operand.place {
                self.moves.add(*to, from);
            }
        }
        self.emit_moves();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if !matches!(operand.place, OperandPlace::Reg(_)) {
                self.load_operand(*to, operand);
            }
        }
        let start = crate::isa::AsmBuffer::offset(&self.out.asm);
        let at = I::call_sym(&mut self.out.asm);
        self.reloc(at, Target::Routine(routine));
        self.map_address(start, self.wasm);
    }
}
