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
        let source = self.pop_own();
        let target = self.pop_own();
        let end = self.take(RegClass::Int);
        self.check_memory_range(from, source, n_reg, end);
        self.check_memory_range(to, target, n_reg, end);
        self.release(end);
        self.to_pointer(from, source);
        self.to_pointer(to, target);
        let args = [target, source, n_reg].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_fill(&mut self) {
        let memory = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(&n);
        let n_reg = self.operand_owned(&mut n);
        let byte = self.pop_own();
        let target = self.pop_own();
        let end = self.take(RegClass::Int);
        self.check_memory_range(memory, target, n_reg, end);
        self.release(end);
        self.to_pointer(memory, target);
        let args = [target, byte, n_reg].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryFill, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_init(&mut self) {
        let segment = self.reader.u32();
        let memory = self.reader.u32();
        if self.meters() {
            let n = self.pop();
            self.charge_units(&n);
            self.push_operand(&n);
        }
        // The operands wait in their slots: the segment's extent comes in two registers of its own.
        self.flush_below(self.stack.len());
        let n = self.pop();
        let source = self.pop();
        let target = self.pop();
        let (pointer, bytes) = (I::PRIVATE.int_results[0], I::PRIVATE.int_results[1]);
        self.take_this(pointer);
        self.take_this(bytes);
        let at = I::call_sym(&mut self.out.asm);
        self.reloc(at, Target::DataSegment(segment));
        let trap = self.trap_label(TrapCode::MemoryOutOfBounds);
        let position = self.take(RegClass::Int);
        let count = self.take(RegClass::Int);
        self.load_operand(position, &source);
        self.load_operand(count, &n);
        I::lea(&mut self.out.asm, Width::W64, position, Addr::indexed(position, count, 0, 0));
        I::cmp(&mut self.out.asm, Width::W64, position, Src::Reg(bytes));
        I::jcc(&mut self.out.asm, Cond::GtU, trap);
        self.load_operand(position, &target);
        self.check_memory_range(memory, position, count, bytes);
        self.load_operand(bytes, &source);
        I::alu(&mut self.out.asm, Alu::Add, Width::W64, pointer, pointer, Src::Reg(bytes));
        self.release(bytes);
        self.to_pointer(memory, position);
        let args = [position, pointer, count].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    /// Pops into a register of its own. What operands before it read is in registers of their own, too, so that no copy
    /// need be kept for them.
    fn pop_own(&mut self) -> Reg {
        self.regs.pinned = RegSet::EMPTY;
        let reg = self.pop_owned();
        self.regs.pinned = RegSet::EMPTY;
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
            self.done(&operand);
        }
        self.drop_copies();
        self.restore_homes();
    }

    /// Calls a routine: its operands go where the first integer arguments go.
    pub(crate) fn call_routine(&mut self, routine: Routine, operands: &[Operand]) {
        self.lists.moves.clear();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if let OperandPlace::Reg(from) = operand.place() {
                self.lists.moves.add(*to, from);
            }
        }
        self.emit_moves();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if !matches!(operand.place(), OperandPlace::Reg(_)) {
                self.load_operand(*to, operand);
            }
        }
        let start = crate::isa::AsmBuffer::offset(&self.out.asm);
        let at = I::call_sym(&mut self.out.asm);
        self.reloc(at, Target::Routine(routine));
        self.map_address(start, self.wasm);
    }
}
