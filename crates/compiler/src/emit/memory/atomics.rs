//! Atomic accesses, `wait` and `notify`.
//!
//! Each is sequentially consistent, and nothing that waits can cross one: a pending load is only ever taken by the
//! operator right after it, and none here takes one. The address is checked for its alignment first and for its bounds
//! second, as the host's other compilers do. Accesses of one byte are always aligned.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::values::held::Held;
use crate::emit::values::regs::Pins;
use crate::emit::values::value::{Operand, OperandLoc, Value};
use crate::emit::writer::Writer;
use crate::isa::{Alu, At, Cond, ImmFor, Isa, Load, Rmw, Src, Store};
use crate::operators::Op;
use crate::treaty::code::TrapCode;
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass};

impl<I: Isa> FuncGen<'_, I> {
    /// As `address`, and checked for its alignment.
    fn aligned_address(&mut self, memory: u32, offset: u64, bytes: u32) -> (Addr, Held) {
        if bytes > 1 {
            self.check_alignment(offset, bytes - 1);
        }
        self.address(memory, offset, bytes)
    }

    /// Traps if the index on top of the stack plus `offset` has any bit of `mask`. What overflows has no part in these
    /// bits.
    fn check_alignment(&mut self, offset: u64, mask: u32) {
        let index = *self.stack.last().expect("validated");
        let low = offset as u32 & mask;
        if let Some(constant) = index.as_const() {
            if (constant as u32).wrapping_add(low) & mask != 0 {
                let trap = self.w.trap_label(TrapCode::HeapMisaligned);
                self.w.jmp(trap);
            }
            return;
        }
        let pinned = self.regs.pinned;
        let (reg, owned) = self.pop_reg();
        let tested = if low == 0 {
            reg
        } else {
            self.w.lea(Width::W32, I::SCRATCH, Addr::base(reg, low as i32));
            I::SCRATCH
        };
        self.w.test(Width::W32, tested, Src::Imm(mask.into())).trap(Cond::Ne, TrapCode::HeapMisaligned);
        // What is not the operator's own is a read of a local, whose register is found again.
        self.regs.pinned = pinned;
        self.push(if owned.is_empty() { index } else { Value::reg(index.ty, reg) });
    }

    /// Is what this operator gives dropped by the next?
    fn next_drops(&self) -> bool {
        self.reader.peek_op() == Op::Drop
    }

    pub(crate) fn atomic_load(&mut self, op: Load) {
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.aligned_address(memory, offset, op.bytes());
        let d = self.dest_reusing(op.ty(), held.regs());
        let at = self.w.atomic_load(op, d, addr);
        self.w.memory_trap_at(at);
        self.give(held.but(d));
        self.push_reg(op.ty(), d);
    }

    pub(crate) fn atomic_store(&mut self, op: Store) {
        let (memory, offset) = self.reader.memarg();
        self.write(memory, offset, op.bytes(), |w, reg, addr| w.atomic_store(op.bytes(), addr, reg));
    }

    /// Pops a value and writes it to memory by a primitive that destroys the register that it is in.
    fn write(&mut self, memory: u32, offset: u64, bytes: u32, emit: impl FnOnce(&mut Writer<I>, Reg, Addr) -> At) {
        let value = self.pop();
        let (addr, held) = self.aligned_address(memory, offset, bytes);
        let reg = match value.loc() {
            OperandLoc::Reg(reg) if value.is_own_reg() => reg,
            _ => {
                self.load_operand(I::SCRATCH, &value);
                I::SCRATCH
            }
        };
        let at = emit(self.w, reg, addr);
        self.w.memory_trap_at(at);
        self.give(held);
        self.done(&value);
    }

    /// Reads, changes and writes memory in one step; `access` says how much, and of which type the old value is.
    pub(crate) fn atomic_rmw(&mut self, op: Rmw, access: Load) {
        let (memory, offset) = self.reader.memarg();
        match (op.alu(), self.next_drops()) {
            (Some(alu), true) => self.rmw_dropped(alu, access, memory, offset),
            (None, true) => {
                // It orders what comes before and after, as no store does.
                let bytes = access.bytes();
                self.write(memory, offset, bytes, |w, reg, addr| w.atomic_exchange(op, bytes, reg, addr));
                // For the next operator to drop.
                self.push_const(access.ty(), 0);
            }
            _ if self.w.exchanges(op) => self.rmw_exchange(op, access, memory, offset),
            _ => self.rmw_loop(op, access, memory, offset),
        }
    }

    /// The old value is of no interest.
    fn rmw_dropped(&mut self, op: Alu, access: Load, memory: u32, offset: u64) {
        let mut value = self.pop();
        let src = match self.rmw_imm(&value, access) {
            Some(imm) => Src::Imm(imm),
            None => Src::Reg(self.operand_reg(&mut value)),
        };
        let (addr, held) = self.aligned_address(memory, offset, access.bytes());
        let at = self.w.atomic_alu(op, access.bytes(), addr, src);
        self.w.memory_trap_at(at);
        self.give(held);
        self.done(&value);
        self.push_const(access.ty(), 0);
    }

    /// A constant as an immediate, if it is one and can be.
    fn rmw_imm(&self, value: &Operand, access: Load) -> Option<i64> {
        let bits = value.as_const()?;
        self.imm_of(ImmFor::Atomic, if access.bytes() == 8 { Ty::I64 } else { Ty::I32 }, bits)
    }

    /// The operations for which the machine exchanges memory with a register.
    fn rmw_exchange(&mut self, mut op: Rmw, access: Load, memory: u32, offset: u64) {
        let ty = access.ty();
        let mut value = self.pop();
        if let (Rmw::Sub, Some(bits)) = (op, value.as_const()) {
            let negative = bits.wrapping_neg();
            value = Operand::constant(ty, if ty == Ty::I32 { u64::from(negative as u32) } else { negative });
            op = Rmw::Add;
        }
        let (addr, held) = self.aligned_address(memory, offset, access.bytes());
        let d = match self.hint(ty, addr.regs()) {
            Some(home) => home,
            None => match value.as_reg() {
                Some(reg) if value.is_own_reg() => reg,
                _ => self.take(RegClass::Int),
            },
        };
        self.load_operand(d, &value);
        let at = self.w.atomic_exchange(op, access.bytes(), d, addr);
        self.w.memory_trap_at(at);
        self.give(held);
        let mut of_value = value.owned();
        of_value.remove(d);
        self.give_back(of_value);
        self.zero_extend(access, d);
        self.push_reg(ty, d);
    }

    /// The operations that have to be tried until nobody came in between.
    fn rmw_loop(&mut self, op: Rmw, access: Load, memory: u32, offset: u64) {
        let old = I::EXPECTED;
        self.take_this(old);
        let mut value = self.pop();
        let src = match self.rmw_imm(&value, access) {
            Some(imm) => Src::Imm(imm),
            None => self.src(ImmFor::Atomic, &mut value),
        };
        let (addr, held) = self.aligned_address(memory, offset, access.bytes());
        for at in self.w.atomic_loop(op, access, addr, src) {
            self.w.memory_trap_at(at);
        }
        self.give(held);
        self.done(&value);
        self.push_reg(access.ty(), old);
    }

    pub(crate) fn atomic_cmpxchg(&mut self, access: Load) {
        let (memory, offset) = self.reader.memarg();
        let old = I::EXPECTED;
        let expected = self.stack[self.stack.len() - 2];
        let in_place = expected == Value::reg(expected.ty, old);
        if !in_place {
            self.take_this(old);
        }
        let mut replacement = self.pop();
        let expected = self.pop();
        if !in_place {
            self.load_operand(old, &expected);
            self.done(&expected);
            // A copy that was read is not needed again, and there are four registers for certain.
            self.regs.pinned = Pins::of(replacement.regs());
        }
        let new = self.operand_reg(&mut replacement);
        let (addr, held) = self.aligned_address(memory, offset, access.bytes());
        let at = self.w.atomic_cmpxchg(access.bytes(), addr, new);
        self.w.memory_trap_at(at);
        self.give(held);
        self.done(&replacement);
        if !self.next_drops() {
            self.zero_extend(access, old);
            if access == Load::I64U32 {
                // Where the exchange succeeds, the upper half is still the expected value's.
                self.w.mov(Width::W32, old, old);
            }
        }
        self.push_reg(access.ty(), old);
    }

    /// Clears what a narrow access left as it was in the register of its operand.
    fn zero_extend(&mut self, access: Load, d: Reg) {
        let mask = match access.bytes() {
            1 => 0xff,
            2 => 0xffff,
            _ => return,
        };
        self.w.alu(Alu::And, Width::W32, d, d, Src::Imm(mask));
    }

    pub(crate) fn atomic_fence(&mut self) {
        self.reader.u8();
        self.w.fence();
    }

    // ---- wait and notify

    pub(crate) fn atomic_notify(&mut self) {
        let (memory, offset) = self.reader.memarg();
        let count = self.pop_for_call();
        let position = self.position(memory, offset);
        self.call_on_memory(Libcall::AtomicNotify, memory, &[position, count]);
    }

    pub(crate) fn atomic_wait(&mut self, libcall: Libcall) {
        let (memory, offset) = self.reader.memarg();
        let timeout = self.pop_for_call();
        let expected = self.pop_for_call();
        let position = self.position(memory, offset);
        self.call_on_memory(libcall, memory, &[position, expected, timeout]);
    }

    fn call_on_memory(&mut self, libcall: Libcall, memory: u32, operands: &[Operand]) {
        let owner = self.facts.memories[memory as usize].owner;
        let mut args = [Arg::Owner(owner), Arg::OwnerIndex(owner), Arg::Imm(0), Arg::Imm(0), Arg::Imm(0)];
        for (arg, operand) in args[2..].iter_mut().zip(operands) {
            *arg = Arg::Operand(*operand);
        }
        self.libcall(libcall, &args[..2 + operands.len()]);
        self.push_libcall_result(Ty::I32);
    }

    /// Pops an operand that holds no copy of a local: the call drops them all.
    fn pop_for_call(&mut self) -> Operand {
        let mut operand = self.pop();
        self.let_copy_go(&mut operand);
        operand
    }

    /// Pops an index and adds an offset. The sum must be an index again; alignment and bounds are the host's to check.
    pub(crate) fn position(&mut self, memory: u32, offset: u64) -> Operand {
        let ty = self.facts.memories[memory as usize].index;
        let mut index = self.pop_for_call();
        if offset == 0 {
            return index;
        }
        let most = if ty == Ty::I32 { u64::from(u32::MAX) } else { u64::MAX };
        if let Some(constant) = index.as_const() {
            return match constant.checked_add(offset).filter(|sum| *sum <= most) {
                Some(sum) => Operand::constant(ty, sum),
                None => {
                    let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
                    self.w.jmp(trap);
                    index
                }
            };
        }
        let reg = self.operand_owned(&mut index);
        let (width, addend, held) = match self.imm_of(ImmFor::Alu(Alu::Add), ty, offset) {
            Some(imm) => (ty.width(), Src::Imm(imm), Held::NONE),
            None => {
                let (addend, held) = self.hold(RegClass::Int);
                self.w.iconst(Width::W64, addend, offset as i64, false);
                (Width::W64, Src::Reg(addend), held)
            }
        };
        self.w.alu(Alu::Add, width, reg, reg, addend);
        // The sum is less than its part exactly if it wrapped.
        self.w.cmp(width, reg, addend).trap(Cond::LtU, TrapCode::MemoryOutOfBounds);
        self.give(held);
        index
    }
}
