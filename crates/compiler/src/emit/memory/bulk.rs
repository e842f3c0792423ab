//! Bulk operators: ranges are checked here, the work is the host's (memories) or a routine's (tables).

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::values::regs::Pins;
use crate::emit::values::value::Operand;
use crate::isa::{Alu, Cond, Isa, Load, Src, Store};
use crate::operators::policy::{is_small_copy, is_small_fill};
use crate::treaty::code::{Target, TrapCode};
use crate::treaty::facts::Work;
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// How a small length is cut: into pieces of one size, the last of which may overlap the one before.
#[derive(Clone, Copy)]
struct Pieces {
    bytes: u32,
    piece: u32,
}

impl Pieces {
    pub(crate) fn of(bytes: u32) -> Pieces {
        let piece = (1 << (31 - bytes.leading_zeros())).min(16);
        Pieces { bytes, piece }
    }

    /// Where they begin, downwards: whatever lies above an address in bounds may be out of bounds, and then nothing may
    /// be written, so the highest is written first.
    fn downwards(self) -> impl Iterator<Item = i32> {
        let count = self.bytes.div_ceil(self.piece);
        (0..count).rev().map(move |i| (i * self.piece).min(self.bytes - self.piece) as i32)
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// The constant on top of the stack, if it is one.
    fn top_const(&self) -> Option<u64> {
        self.stack.last().and_then(|top| top.as_const())
    }

    /// `memory.copy` of a few bytes within memory 0: all of them are loaded, then all are stored. Two addresses are in
    /// integer registers meanwhile, of which there are no more than four for certain; the pieces are in float
    /// registers.
    fn copy_small(&mut self, bytes: u32) {
        let pieces = Pieces::of(bytes);
        let (from, from_held) = self.address(0, 0, bytes);
        let (to, to_held) = self.address(0, 0, bytes);
        let mut held = RegSet::EMPTY;
        let mut stores = [(to, I::SCRATCH); 4];
        let mut count = 0;
        for offset in pieces.downwards() {
            let reg = if pieces.piece < 4 { I::SCRATCH } else { self.take(RegClass::Float) };
            let from = from.plus(offset);
            let at = match pieces.piece {
                16 => self.w.load(Load::V128, reg, from),
                8 => self.w.load(Load::F64, reg, from),
                4 => self.w.load(Load::F32, reg, from),
                2 => self.w.load(Load::I32U16, reg, from),
                _ => self.w.load(Load::I32U8, reg, from),
            };
            self.w.memory_trap_at(at);
            stores[count] = (to.plus(offset), reg);
            count += 1;
            if reg != I::SCRATCH {
                held.add(reg);
            }
        }
        for &(to, reg) in &stores[..count] {
            let at = match pieces.piece {
                16 => self.w.store(Store::V128, to, reg),
                8 => self.w.store(Store::F64, to, reg),
                4 => self.w.store(Store::F32, to, reg),
                2 => self.w.store(Store::B16, to, reg),
                _ => self.w.store(Store::B8, to, reg),
            };
            self.w.memory_trap_at(at);
        }
        self.give_back(held);
        self.give(from_held.and(to_held));
    }

    /// `memory.fill` of a few bytes with zero.
    fn zero_small(&mut self, bytes: u32) {
        let pieces = Pieces::of(bytes);
        let (to, held) = self.address(0, 0, bytes);
        let zero = I::FLOAT_SCRATCH;
        if pieces.piece == 16 {
            self.w.fconst(Width::W64, zero, 0);
        }
        for offset in pieces.downwards() {
            let to = to.plus(offset);
            let at = match pieces.piece {
                16 => self.w.store(Store::V128, to, zero),
                8 => self.w.store_imm(Store::B64, to, 0),
                4 => self.w.store_imm(Store::B32, to, 0),
                2 => self.w.store_imm(Store::B16, to, 0),
                _ => self.w.store_imm(Store::B8, to, 0),
            };
            self.w.memory_trap_at(at);
        }
        self.give(held);
    }

    /// Makes a position in a memory, in a register that may be written, a pointer.
    fn make_pointer(&mut self, memory: u32, reg: Reg) {
        let (base, held) = self.memory_base(memory);
        self.w.alu(Alu::Add, Width::W64, reg, reg, Src::Reg(base));
        self.give(held);
    }

    pub(crate) fn memory_copy(&mut self) {
        let to = self.reader.u32();
        let from = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(Work::MemoryCopy, &n);
        if let Some(bytes) = n.as_const()
            && is_small_copy(bytes)
            && to == 0
            && from == 0
        {
            return self.copy_small(bytes as u32);
        }
        let n_reg = self.operand_owned(&mut n);
        let source = self.pop_own();
        let target = self.pop_own();
        let end = self.take(RegClass::Int);
        self.check_memory_range(from, source, n_reg, end);
        self.check_memory_range(to, target, n_reg, end);
        self.release(end);
        self.make_pointer(from, source);
        self.make_pointer(to, target);
        let args = [target, source, n_reg].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_fill(&mut self) {
        let memory = self.reader.u32();
        let mut n = self.pop();
        self.charge_units(Work::MemoryFill, &n);
        if let (Some(byte), Some(bytes)) = (self.top_const(), n.as_const())
            && is_small_fill(byte, bytes)
            && memory == 0
        {
            self.pop_value();
            return self.zero_small(bytes as u32);
        }
        let n_reg = self.operand_owned(&mut n);
        let byte = self.pop_own();
        let target = self.pop_own();
        let end = self.take(RegClass::Int);
        self.check_memory_range(memory, target, n_reg, end);
        self.release(end);
        self.make_pointer(memory, target);
        let args = [target, byte, n_reg].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryFill, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    pub(crate) fn memory_init(&mut self) {
        let segment = self.reader.u32();
        let memory = self.reader.u32();
        if self.meters() {
            let n = self.pop();
            self.charge_units(Work::MemoryInit, &n);
            self.push_operand(&n);
        }
        // The operands wait in their slots: the segment's extent comes in two registers of its own.
        self.flush_all();
        let n = self.pop();
        let source = self.pop();
        let target = self.pop();
        let [pointer, bytes] = I::ROUTINE_RESULTS;
        self.take_this(pointer);
        self.take_this(bytes);
        self.w.call(Target::DataSegment(segment));
        let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
        let position = self.take(RegClass::Int);
        let count = self.take(RegClass::Int);
        self.load_operand(position, &source);
        self.load_operand(count, &n);
        self.w.lea(Width::W64, position, Addr::indexed(position, count, 0, 0));
        self.w.cmp(Width::W64, position, Src::Reg(bytes)).branch(Cond::GtU, trap);
        self.load_operand(position, &target);
        self.check_memory_range(memory, position, count, bytes);
        self.load_operand(bytes, &source);
        self.w.alu(Alu::Add, Width::W64, pointer, pointer, Src::Reg(bytes));
        self.release(bytes);
        self.make_pointer(memory, position);
        let args = [position, pointer, count].map(|reg| Arg::Operand(Operand::own(Ty::I64, reg)));
        self.libcall(Libcall::MemoryCopy, &[Arg::Ctx, args[0], args[1], args[2]]);
    }

    /// Pops into a register of its own. What operands before it read is in registers of their own, too, so that no copy
    /// need be kept for them.
    fn pop_own(&mut self) -> Reg {
        self.regs.pinned = Pins::NONE;
        let reg = self.pop_owned();
        self.regs.pinned = Pins::NONE;
        reg
    }

    pub(crate) fn data_drop(&mut self) {
        let segment = self.reader.u32();
        let [scratch, _] = I::ROUTINE_RESULTS;
        self.take_this(scratch);
        self.w.call(Target::DataDrop(segment));
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
        self.table_routine(Work::TableFill, |[at, value, n]| RoutineCall::TableFill { table, at, value, n });
    }

    pub(crate) fn table_copy(&mut self) {
        let to = self.reader.u32();
        let from = self.reader.u32();
        self.table_routine(Work::TableCopy, |[at, source, n]| RoutineCall::TableCopy { to, from, at, source, n });
    }

    pub(crate) fn table_init(&mut self) {
        let segment = self.reader.u32();
        let table = self.reader.u32();
        self.table_routine(Work::TableInit, |[at, source, n]| RoutineCall::TableInit { table, segment, at, source, n });
    }

    /// Pops three operands and gives them to a routine.
    fn table_routine(&mut self, work: Work, call: impl FnOnce([Operand; 3]) -> RoutineCall<Operand>) {
        let n = self.pop();
        self.charge_units(work, &n);
        let b = self.pop();
        let a = self.pop();
        self.vacate_registers(RegSet::EMPTY);
        self.save_homes();
        let b_or_none = self.routine_value(&b);
        self.call_routine(call([a, b_or_none, n]));
        for operand in [a, b, n] {
            self.done(&operand);
        }
        self.drop_copies();
        self.restore_homes();
    }
}
