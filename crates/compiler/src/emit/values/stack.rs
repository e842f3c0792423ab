//! The virtual stack: pushing, popping, and bringing an entry to where an operator wants it.
//!
//! ```text
//!   stack[0] .. stack[watermark - 1]     in their slots, all of them
//!   stack[watermark] .. stack[len - 1]   anywhere; at most `WINDOW` of them
//! ```
//! Each entry crosses the watermark once, which is what makes everything that looks at the window linear in the end.

use crate::emit::flags::Stamp;
use crate::emit::values::Values;
use crate::emit::values::regs::Kept;
use crate::emit::values::value::{Hot, Loc, Operand, OperandLoc, Value};
use crate::isa::{FloatSrc, ImmFor, Isa, Load, Src, Store};
use crate::treaty::fault::{Fault, proof, without};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// Most entries that may be elsewhere than in their slots.
pub(crate) const WINDOW: usize = 24;

impl<I: Isa> Values<'_, I> {
    #[inline]
    pub(crate) fn push(&mut self, value: Value) {
        proof!(
            value.ty.bytes() <= 1 << self.slot_log2,
            "the operator at {:#x} gives a vector, and the survey has none",
            self.w.wasm
        );
        if self.stack.len() - self.watermark >= WINDOW {
            self.store_oldest();
        }
        self.stack.push(value);
    }

    /// The window is full: its oldest entry goes to its slot.
    #[cold]
    #[inline(never)]
    fn store_oldest(&mut self) {
        match self.stack[self.watermark].loc {
            Loc::Const(_) | Loc::Local(_) if without(Fault::StoreAtWatermark) => {
                self.stack[self.watermark].loc = Loc::Slot;
            }
            _ => self.flush_one(self.watermark),
        }
        self.raise_watermark(self.watermark + 1);
    }

    #[inline]
    pub(crate) fn push_reg(&mut self, ty: Ty, reg: Reg) {
        self.push(Value::reg(ty, reg));
    }

    #[inline]
    pub(crate) fn push_const(&mut self, ty: Ty, bits: u64) {
        self.push(Value::constant(ty, bits));
    }

    /// Takes the top entry off. What it owns is the caller's.
    #[inline]
    pub(crate) fn pop_value(&mut self) -> Value {
        let value = self.stack.pop().expect("validated");
        self.watermark = self.watermark.min(self.stack.len());
        value
    }

    /// Takes the top entry off as an operand that is not in the flags.
    #[inline(never)]
    pub(crate) fn pop(&mut self) -> Operand {
        let Value { ty, loc } = *self.stack.last().expect("validated");
        let operand = match loc {
            Loc::Local(at) => match self.read_local(at as usize) {
                Some(reg) => Operand::borrowed(ty, reg),
                None => Operand::memory(ty, self.slot_of_local(at as usize)),
            },
            Loc::Reg(reg) if self.regs.can_own(reg) => Operand::own(ty, reg),
            Loc::Reg(reg) => Operand::borrowed(ty, reg),
            Loc::Const(bits) => Operand::constant(ty, bits.get()),
            _ => return self.pop_memory(),
        };
        self.pop_value();
        operand
    }

    /// `pop` of what is in its slot, or a load that was not made yet.
    #[inline(never)]
    fn pop_memory(&mut self) -> Operand {
        let position = self.stack.len() - 1;
        let Value { ty, loc } = self.pop_value();
        match loc {
            Loc::Slot => Operand::memory(ty, self.slot(position, ty)),
            Loc::Hot => {
                let hot: Hot = self.hot.take().expect("a hot entry has its load");
                self.hot_wasm = hot.wasm.unwrap_or(0);
                // Copies of locals in the address were pinned for the operator before only.
                self.pin(hot.addr.regs());
                Operand::hot(ty, &hot)
            }
            _ => unreachable!("flags are taken by the operator after the compare"),
        }
    }

    /// What an entry in this register owns.
    #[inline]
    pub(crate) fn owned(&self, reg: Reg) -> RegSet {
        RegSet::one(reg).and(self.regs.pool.minus(self.regs.locked))
    }

    /// Pops into a register that may be read but not written. A local read from its slot leaves a copy behind.
    #[inline]
    pub(crate) fn pop_reg(&mut self) -> (Reg, RegSet) {
        match self.stack.last().map(|value| value.loc) {
            Some(Loc::Reg(reg)) => {
                self.pop_value();
                (reg, self.owned(reg))
            }
            Some(Loc::Local(at)) => {
                let Some(reg) = self.read_local(at as usize) else { return self.pop_loaded() };
                self.pop_value();
                (reg, RegSet::EMPTY)
            }
            _ => self.pop_loaded(),
        }
    }

    /// `pop_reg` of what is in no register.
    #[inline(never)]
    fn pop_loaded(&mut self) -> (Reg, RegSet) {
        if let Some(Loc::Local(at)) = self.stack.last().map(|value| value.loc) {
            let Value { ty, .. } = self.pop_value();
            let at = at as usize;
            if self.is_dead(at) && !self.is_waited_for(at) {
                let reg = self.take(ty.class());
                self.load_local(ty, reg, at);
                return (reg, RegSet::one(reg));
            }
            return (self.local_in_register(at), RegSet::EMPTY);
        }
        let operand = self.pop();
        let reg = self.take(operand.ty().class());
        self.load_operand(reg, &operand);
        self.done(&operand);
        (reg, RegSet::one(reg))
    }

    /// Brings an operand to a register that may be read but not written.
    pub(crate) fn operand_reg(&mut self, operand: &mut Operand) -> Reg {
        if let OperandLoc::Reg(reg) = operand.loc() {
            return reg;
        }
        let reg = self.take(operand.ty().class());
        self.load_operand(reg, operand);
        self.done(operand);
        *operand = Operand::own(operand.ty(), reg);
        reg
    }

    /// Pops into a register that the caller owns and may write.
    pub(crate) fn pop_owned(&mut self) -> Reg {
        let mut operand = self.pop();
        self.operand_owned(&mut operand)
    }

    /// Brings an operand to a register of its own.
    pub(crate) fn operand_owned(&mut self, operand: &mut Operand) -> Reg {
        if let OperandLoc::Reg(reg) = operand.loc()
            && operand.is_own_reg()
        {
            return reg;
        }
        let reg = self.take(operand.ty().class());
        self.load_operand(reg, operand);
        self.done(operand);
        *operand = Operand::own(operand.ty(), reg);
        reg
    }

    /// Puts an operand back on the stack, which it has left at this very place.
    pub(crate) fn push_operand(&mut self, operand: &Operand) {
        match operand.loc() {
            OperandLoc::Const(bits) => self.push_const(operand.ty(), bits),
            _ => {
                let mut operand = *operand;
                let reg = self.operand_owned(&mut operand);
                self.push_reg(operand.ty(), reg);
            }
        }
    }

    /// Reads a copy of a local from the local's slot instead, so that the copy need not be kept.
    pub(crate) fn let_copy_go(&mut self, operand: &mut Operand) {
        if let OperandLoc::Reg(reg) = operand.loc()
            && self.regs.cached.has(reg)
        {
            if self.regs.dirty.or(self.regs.locked).has(reg) {
                self.clean(reg);
            }
            let local = &self.locals[self.regs.copy_of[reg.index()] as usize];
            *operand = Operand::memory(operand.ty(), Addr::base(I::FRAME, local.slot));
            self.regs.pinned.remove(reg);
        }
    }

    /// Copies an operand to a register.
    pub(crate) fn load_operand(&mut self, to: Reg, operand: &Operand) {
        match operand.loc() {
            OperandLoc::Reg(from) => self.copy_reg(operand.ty(), to, from),
            OperandLoc::Const(bits) => self.load_const(operand.ty(), to, bits),
            OperandLoc::Mem(addr) => {
                let at = self.w.load(Load::of(operand.ty()), to, addr);
                if operand.faults() {
                    self.w.memory_trap_of(at, self.hot_wasm);
                } else {
                    self.w.counters.reloads += 1;
                }
            }
        }
    }

    /// Copies between registers of a class, if they differ.
    pub(crate) fn copy_reg(&mut self, ty: Ty, to: Reg, from: Reg) {
        if to != from {
            match ty.class() {
                RegClass::Int => self.w.mov(ty.width(), to, from),
                RegClass::Float => self.w.fmov(to, from),
            }
        }
    }

    /// An integer operand as the right operand of an instruction, for which a constant is `what` says. Brings to a
    /// register what is best in one.
    #[inline]
    pub(crate) fn src(&mut self, what: ImmFor, operand: &mut Operand) -> Src {
        match operand.loc() {
            OperandLoc::Reg(reg) => Src::Reg(reg),
            OperandLoc::Const(bits) => match self.imm_of(what, operand.ty(), bits) {
                Some(imm) => Src::Imm(imm),
                None => Src::Reg(self.constant_reg(operand, bits)),
            },
            OperandLoc::Mem(addr) if I::MEM_OPERANDS => Src::Mem(addr),
            OperandLoc::Mem(_) => Src::Reg(self.operand_reg(operand)),
        }
    }

    /// Like `src`, for floats.
    pub(crate) fn float_src(&mut self, operand: &mut Operand) -> FloatSrc {
        match operand.loc() {
            OperandLoc::Reg(reg) => FloatSrc::Reg(reg),
            OperandLoc::Mem(addr) if I::MEM_OPERANDS => FloatSrc::Mem(addr),
            _ => FloatSrc::Reg(self.operand_reg(operand)),
        }
    }

    /// Notes the trap of a folded load, or counts a folded slot.
    #[inline]
    pub(crate) fn folded(&mut self, operand: &Operand, at: u32) {
        if operand.in_memory() {
            if operand.faults() {
                self.w.memory_trap_of(at, self.hot_wasm);
                self.w.counters.folded_loads += 1;
            } else {
                self.w.counters.folded_slots += 1;
            }
        }
    }

    /// The operator is done with an operand.
    #[inline]
    pub(crate) fn done(&mut self, operand: &Operand) {
        self.give_back(operand.owned());
    }

    /// Takes the top of the stack off, in a register that may be read, to be put back as it is by `put_back`.
    pub(crate) fn pop_kept(&mut self) -> Kept {
        let value = *self.stack.last().expect("validated");
        if let Loc::Local(_) | Loc::Reg(_) = value.loc {
            let (reg, owned) = self.pop_reg();
            // A local that is read for the last time has become a value of its own.
            let value = if owned.has(reg) { Value::reg(value.ty, reg) } else { value };
            return Kept { value, reg };
        }
        let reg = self.pop_owned();
        Kept { value: Value::reg(value.ty, reg), reg }
    }

    /// Puts it back.
    pub(crate) fn put_back(&mut self, kept: Kept) {
        self.push(kept.value);
    }

    // ---- slots

    /// The frame slot of a position on the stack, for a value of a type.
    #[inline]
    pub(crate) fn slot(&mut self, position: usize, ty: Ty) -> Addr {
        self.slots_used = self.slots_used.max(position as u32 + 1);
        Addr::base(I::FRAME, self.slot_offset(position, ty))
    }

    /// Where the slot of a position is from the frame pointer.
    #[inline]
    pub(crate) fn slot_offset(&self, position: usize, ty: Ty) -> i32 {
        let part = if ty == Ty::GcRef { self.reference_part } else { 0 };
        self.slots_base - ((position as i32 + 1) << self.slot_log2) + part
    }

    /// Stores a register to a slot of the frame.
    #[inline]
    pub(crate) fn store_to_slot(&mut self, ty: Ty, slot: Addr, reg: Reg) {
        self.w.store(Store::of(ty), slot, reg);
        self.stored.note(slot, self.w.offset());
    }

    /// Was a slot stored to so lately that the processor may still be at it?
    pub(crate) fn is_fresh(&self, slot: Addr) -> bool {
        self.stored.has(slot, self.w.offset())
    }

    /// Stores an entry that is in a register to its slot and frees the register.
    pub(crate) fn spill(&mut self, at: usize) {
        let Value { ty, loc: Loc::Reg(reg) } = self.stack[at] else { unreachable!("only registers are spilled") };
        let slot = self.slot(at, ty);
        self.store_to_slot(ty, slot, reg);
        self.w.counters.spills += 1;
        self.stack[at].loc = Loc::Slot;
        self.release(reg);
    }

    /// Brings one entry to its slot.
    pub(crate) fn flush_one(&mut self, at: usize) {
        let Value { ty, loc } = self.stack[at];
        match loc {
            Loc::Slot => return,
            Loc::Reg(_) => return self.spill(at),
            Loc::Const(bits) => self.store_const(at, ty, bits),
            Loc::Local(local) => {
                let slot = self.slot(at, ty);
                let from = self.local_or_scratch(ty, local as usize);
                self.store_to_slot(ty, slot, from);
                self.w.counters.spills += 1;
            }
            Loc::Flags(_) | Loc::Hot => unreachable!("taken by the next operator"),
        }
        self.stack[at].loc = Loc::Slot;
    }

    /// Brings every entry below `to` to its slot.
    pub(crate) fn flush_below(&mut self, to: usize) {
        self.w.counters.steps += to.saturating_sub(self.watermark) as u64;
        for at in self.watermark..to {
            self.flush_one(at);
            if at & 7 == 7 {
                self.w.reserve_room();
            }
        }
        self.raise_watermark(to);
    }

    /// Brings every entry to its slot.
    pub(crate) fn flush_all(&mut self) {
        self.flush_below(self.stack.len());
    }

    /// Brings every entry that is in a register to its slot, as before a call, and stores what copies are ahead; reads
    /// of locals and constants stay as they are. `held` are registers that the operator owns.
    pub(crate) fn vacate_registers(&mut self, held: RegSet) {
        self.clean_copies();
        if !self.passing.is_empty() {
            self.flush_passing();
        }
        let regs = &self.regs;
        if regs.pool.minus(regs.free.or(regs.cached).or(held)).is_empty() {
            return;
        }
        self.w.counters.steps += (self.stack.len() - self.watermark) as u64;
        for at in self.watermark..self.stack.len() {
            if let Loc::Reg(_) = self.stack[at].loc {
                self.spill(at);
            }
        }
        self.w.reserve_room();
    }

    /// Reads that wait for homes which a call destroys are made before it.
    #[inline(never)]
    fn flush_passing(&mut self) {
        self.w.counters.steps += (self.stack.len() - self.watermark) as u64;
        for at in self.watermark..self.stack.len() {
            if let Loc::Local(local) = self.stack[at].loc
                && self.locals[local as usize].home.is_some_and(|home| self.passing.has(home))
            {
                self.flush_one(at);
            }
        }
        self.w.reserve_room();
    }

    /// Drops entries above a height, freeing what they own. Latent ones were never made.
    #[inline]
    pub(crate) fn truncate_stack(&mut self, height: usize) {
        if self.stack.len() > height {
            self.drop_above(height);
        }
    }

    /// Drops so many entries.
    pub(crate) fn drop_top(&mut self, count: usize) {
        self.truncate_stack(self.stack.len() - count);
    }

    fn drop_above(&mut self, height: usize) {
        self.w.counters.steps += (self.stack.len() - height) as u64;
        while self.stack.len() > height {
            let value = self.pop_value();
            self.drop_value(value);
        }
    }

    pub(crate) fn drop_value(&mut self, value: Value) {
        match value.loc {
            Loc::Reg(reg) => self.release(reg),
            Loc::Hot => {
                let hot = self.hot.take().expect("a hot entry has its load");
                self.release_all(hot.owned);
            }
            _ => {}
        }
    }

    /// When the flags were set, if they tell whether this register is zero, as a compare with zero would.
    pub(crate) fn flags_tell(&self, reg: Reg, width: Width) -> Option<Stamp> {
        let flags = self.flags?;
        if flags.reg != reg || flags.width != width || flags.at != self.w.offset() {
            return None;
        }
        flags.stamp.prove(self.w);
        Some(flags.stamp)
    }
}
