//! Linear memories: addresses, bounds, loads and stores, size and growth.
//!
//! The effective address is `base + zext(index) + offset` in 64 bits. An i32 index in a register has a zero upper half
//! (`Ty::I32`), so it is used as it is; wasm's own address arithmetic has been done in 32 bits before.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::flags::Flags;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Hot, Loc, OperandLoc, Value};
use crate::emit::writer::Writer;
use crate::isa::{Alu, Amount, Cond, ImmFor, Isa, Load, Shift, Src, Store};
use crate::operators::effects;
use crate::operators::next::Next;
use crate::operators::policy::SMALL_BULK;
use crate::treaty::code::TrapCode;
use crate::treaty::facts::{MemoryFact, Work};
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    /// Loads the base of memory 0 into the register that is pinned for it.
    pub(crate) fn reload_memory_base(&mut self) {
        if let Some(memory) = self.facts.memories.first().copied() {
            let at = self.w.reach(memory.base);
            self.w.load(Load::I64, I::MEMORY_BASE, at);
        }
    }

    /// After a call: the base of memory 0 may have moved.
    pub(crate) fn reload_moved_base(&mut self) {
        if self.facts.memories.first().is_some_and(|m| m.base_may_move) && !without(Fault::ReloadAfterCall) {
            self.reload_memory_base();
        }
    }

    /// The base of a memory in a register, and what to release after use.
    pub(crate) fn memory_base(&mut self, index: u32) -> (Reg, Held) {
        if index == 0 {
            return (I::MEMORY_BASE, Held::NONE);
        }
        let memory = self.facts.memories[index as usize];
        let (reg, held) = self.hold(lightbeam_asm::RegClass::Int);
        let at = self.w.reach(memory.base);
        self.w.load(Load::I64, reg, at);
        (reg, held)
    }

    /// Pops the index of an access and makes its address, checked if it must be. Gives what to release after the
    /// access.
    pub(crate) fn address(&mut self, index: u32, offset: u64, bytes: u32) -> (Addr, Held) {
        let memory = &self.facts.memories[index as usize];
        // What makes the zero upper half of an i32 index part of the sandbox.
        debug_assert_eq!(self.stack.last().map(|v| v.ty), Some(memory.index));
        let counted = if without(Fault::SizeOfAccess) { 0 } else { bytes };
        let span = offset.saturating_add(u64::from(counted));
        let unchecked = memory.index == Ty::I32 && span <= memory.unchecked_span;
        if let Some(constant) = self.stack.last().and_then(|v| v.as_const()) {
            let whole = constant.checked_add(offset).filter(|sum| *sum <= i32::MAX as u64 - 2 * SMALL_BULK);
            let inside = memory.fixed_length.unwrap_or(0);
            if let Some(whole) = whole
                && (unchecked || whole + u64::from(bytes) <= inside || without(Fault::ConstantAddress))
            {
                self.pop_value();
                let (base, held) = self.memory_base(index);
                return (Addr::base(base, whole as i32), held);
            }
        }
        if unchecked && offset <= i32::MAX as u64 {
            let (reg, owned) = self.pop_reg();
            self.prove_narrow(reg);
            let (base, held) = self.memory_base(index);
            return (Addr::indexed(base, reg, 0, offset as i32), held.and(Held::of(owned)));
        }
        self.checked_address(index, memory, span, bytes)
    }

    /// An address that has been compared with the memory's length: the end of the access must not be after it.
    fn checked_address(&mut self, index: u32, memory: &MemoryFact, span: u64, bytes: u32) -> (Addr, Held) {
        let pinned = self.regs.pinned;
        let (reg, reg_owned) = self.pop_reg();
        if memory.index == Ty::I32 {
            self.prove_narrow(reg);
        }
        let (end, held) = self.hold(lightbeam_asm::RegClass::Int);
        let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
        if let Ok(small) = i32::try_from(span)
            && memory.index == Ty::I32
        {
            self.w.lea(Width::W64, end, Addr::base(reg, small));
        } else {
            self.w.iconst(Width::W64, end, span as i64, false);
            self.w.alu(Alu::Add, Width::W64, end, end, Src::Reg(reg));
            let may_wrap = memory.index == Ty::I64 || span > u64::MAX - u64::from(u32::MAX);
            if may_wrap && !without(Fault::WrappedSum) {
                // The sum is less than its part exactly if it wrapped.
                self.w.cmp(Width::W64, end, Src::Reg(reg)).branch(Cond::LtU, trap);
            }
        }
        if span > u64::MAX - 16 {
            // Offset plus size wrapped already: nothing can be in bounds.
            self.w.jmp(trap);
        }
        let spectre = self.facts.settings.spectre;
        let mut flags = self.compare_with_length(memory, end);
        if !without(Fault::MemoryBound) {
            let beyond = if without(Fault::MemoryBoundOffByOne) { Cond::GtS } else { Cond::GtU };
            flags.branch(beyond, trap);
        }
        if spectre {
            // What is beyond the memory is its first bytes, as long as the trap has not been taken.
            flags.guard(Cond::LeU, end, end, bytes);
        }
        self.release_all(reg_owned);
        // The index has been read; there may be no register left but its own.
        self.regs.pinned = pinned;
        let (base, base_held) = self.memory_base(index);
        (Addr::indexed(base, end, 0, -(bytes as i32)), held.and(base_held))
    }

    /// Compares a byte position with a memory's length.
    fn compare_with_length(&mut self, memory: &MemoryFact, end: Reg) -> Flags<&mut Writer<I>> {
        let length = match memory.fixed_length {
            Some(length) if I::imm_ok(ImmFor::Compare, Width::W64, length as i64) => Src::Imm(length as i64),
            _ => Src::Mem(self.w.reach(memory.length)),
        };
        self.w.cmp(Width::W64, end, length)
    }

    /// As `address`, with the shortest way for what nearly all accesses are: of memory 0, unchecked, by a register.
    #[inline(always)]
    pub(crate) fn plain_address(&mut self, memory: u32, offset: u64, bytes: u32) -> (Addr, Held) {
        if memory == 0
            && offset < self.plain_offsets
            && let Some(index) = self.ready_top()
        {
            debug_assert_eq!(self.stack.last().map(|v| v.ty), Some(Ty::I32));
            let owned = self.take_ready(1, RegSet::one(index));
            self.prove_narrow(index);
            return (Addr::indexed(I::MEMORY_BASE, index, 0, offset as i32), Held::of(owned));
        }
        self.address(memory, offset, bytes)
    }

    /// Offsets below this need neither check nor thought in accesses of memory 0: see `plain_address`.
    pub(crate) fn plain_offsets(facts: &crate::treaty::facts::Facts) -> u64 {
        const LARGEST_ACCESS: u64 = 16;
        match facts.memories.first() {
            Some(memory) if memory.index == Ty::I32 => {
                memory.unchecked_span.saturating_sub(LARGEST_ACCESS).min(i32::MAX as u64)
            }
            _ => 0,
        }
    }

    /// Does each access need a register for its index, and perhaps one for the end of what it accesses, and no other?
    pub(crate) fn accesses_plainly(&self) -> bool {
        match self.facts.memories.len() {
            0 => true,
            1 => self.plain_offsets > 0,
            _ => false,
        }
    }

    pub(crate) fn load(&mut self, op: Load) {
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.plain_address(memory, offset, op.bytes());
        let next = self.next();
        let ty = op.ty();
        if I::MEM_OPERANDS && next.is(Next::MAY_FOLD.or(Next::TESTS_ZERO)) {
            if self.folds_load(op) {
                self.hot = Some(Hot { addr, owned: held.into_entry(), wasm: Some(self.w.wasm) });
                return self.push(Value { ty, loc: Loc::Hot });
            }
            if !ty.is_float() && self.next_tests_zero() {
                // Whatever the extension, the value is zero exactly if the bytes are.
                let mut condition = self.condition(|w| w.cmp_mem_zero(op.bytes(), addr));
                condition.memory_trap();
                condition.give(held);
                return condition.push_flags(ty);
            }
        }
        let hint = if next.is(Next::WRITES) { self.hint_of_write(ty, RegSet::EMPTY) } else { None };
        let d = match hint {
            Some(home) => home,
            None => match held.regs().class(ty.class()).first() {
                Some(reg) => reg,
                None if next.is(Next::CALLS) => self.take_result(ty),
                None => self.take(ty.class()),
            },
        };
        let at = self.w.load(op, d, addr);
        self.w.memory_trap_at(at);
        self.give(held.but(d));
        self.push_reg(ty, d);
    }

    /// Will the very next operator take the load as its right operand, reading the same bytes unconditionally?
    pub(crate) fn folds_load(&self, op: Load) -> bool {
        I::folds(self.reader.peek_op()) == Some(op)
    }

    pub(crate) fn store(&mut self, op: Store) {
        let (memory, offset) = self.reader.memarg();
        if memory == 0
            && offset < self.plain_offsets
            && let Some((index, value)) =
                self.ready_pair(ImmFor::Store, if op.bytes() == 8 { Width::W64 } else { Width::W32 })
            && (op != Store::V128 || matches!(value, Src::Reg(_)))
        {
            let owned = self.take_ready(2, RegSet::one(index).or(value.regs()));
            self.prove_narrow(index);
            let addr = Addr::indexed(I::MEMORY_BASE, index, 0, offset as i32);
            let at = match value {
                Src::Imm(imm) => self.w.store_imm(op.of_bits(), addr, imm),
                Src::Reg(reg) => self.w.store(op, addr, reg),
                Src::Mem(_) => unreachable!("it is ready"),
            };
            self.w.memory_trap_at(at);
            return self.give_back(owned);
        }
        self.any_store(op, memory, offset);
    }

    #[cold]
    #[inline(never)]
    fn any_store(&mut self, op: Store, memory: u32, offset: u64) {
        let mut value = self.pop();
        // The value stays where it is while the address is made; a constant becomes part of the store.
        let imm = match (value.loc(), op) {
            (OperandLoc::Const(_), Store::V128) => None,
            (OperandLoc::Const(bits), _) => {
                self.imm_of(ImmFor::Store, if op.bytes() == 8 { Ty::I64 } else { Ty::I32 }, bits)
            }
            _ => None,
        };
        if imm.is_none() {
            self.operand_reg(&mut value);
        }
        let (addr, held) = self.plain_address(memory, offset, op.bytes());
        let at = match imm {
            Some(imm) => self.w.store_imm(op.of_bits(), addr, imm),
            None => {
                let OperandLoc::Reg(reg) = value.loc() else { unreachable!("brought to a register") };
                self.w.store(op, addr, reg)
            }
        };
        self.w.memory_trap_at(at);
        self.give(held);
        self.done(&value);
    }

    #[inline(never)]
    pub(crate) fn memory_size(&mut self) {
        let index = self.reader.u32();
        let memory = self.facts.memories[index as usize];
        let d = self.take(lightbeam_asm::RegClass::Int);
        let at = self.w.reach(memory.length);
        self.w.load(Load::I64, d, at);
        if memory.page_size_log2 > 0 {
            // In 64 bits before the cut: 4 GiB is a length of 32-bit memories, too.
            self.w.shift(Shift::ShrU, Width::W64, d, d, Amount::Imm(memory.page_size_log2));
        } else if memory.index == Ty::I32 {
            self.w.mov(Width::W32, d, d);
        }
        self.push_reg(memory.index, d);
    }

    #[inline(never)]
    pub(crate) fn memory_grow(&mut self) {
        let index = self.reader.u32();
        let memory = self.facts.memories[index as usize];
        let pages = self.pop();
        self.charge_units(Work::MemoryGrow, &pages);
        let args = [Arg::Owner(memory.owner), Arg::Operand(pages), Arg::OwnerIndex(memory.owner)];
        self.libcall(Libcall::MemoryGrow, &args);
        let moves = match index {
            0 => effects::moves_memory_0(self.facts, index),
            _ => effects::moves_memory_0(self.facts, index) && !without(Fault::AliasedGrowth),
        };
        if moves {
            self.reload_memory_base();
        }
        self.push_libcall_result(memory.index);
    }

    /// Adds two byte positions into `end` and traps if the sum is after the end of the memory. Both are zero-extended.
    pub(crate) fn check_memory_range(&mut self, index: u32, start: Reg, bytes: Reg, end: Reg) {
        let memory = self.facts.memories[index as usize];
        let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
        self.w.lea(Width::W64, end, Addr::indexed(start, bytes, 0, 0));
        if memory.index == Ty::I64 {
            self.w.cmp(Width::W64, end, Src::Reg(start)).branch(Cond::LtU, trap);
        }
        let mut flags = self.compare_with_length(&memory, end);
        if !without(Fault::RangeBound) {
            flags.branch(Cond::GtU, trap);
        }
    }
}
