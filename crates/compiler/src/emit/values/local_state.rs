//! Locals: which register or slot has one at a place, what is read from it, and what is written.

use crate::emit::values::Values;
use crate::emit::values::value::{Loc, Value};
use crate::isa::{ImmFor, Isa, Load};
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::Ty;
use lightbeam_asm::{Addr, Reg, RegSet};

/// A touched local while its function is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalState {
    pub(crate) ty: Ty,
    /// The register that holds it for the whole function, if it has one.
    pub(crate) home: Option<Reg>,
    /// A register that holds the same at this moment; its slot does not if the register is one of `Regs::dirty`, or if
    /// a loop keeps it there and the local is the loop's own.
    pub(crate) copy: Option<Reg>,
    /// Offset of its slot from the frame pointer.
    pub(crate) slot: i32,
    /// The depth of the block that has all touches of it, as `LocalUse::depth` says.
    pub(crate) depth: u32,
}

impl<I: Isa> Values<'_, I> {
    /// A register that has what a local holds, if there is one.
    pub(crate) fn reg_of_local(&self, at: usize) -> Option<Reg> {
        let local = &self.locals[at];
        local.home.or(local.copy)
    }

    /// The register in which an operator reads a local, if there is one: it stays as it is until the operator ends.
    #[inline]
    pub(crate) fn read_local(&mut self, at: usize) -> Option<Reg> {
        let local = &self.locals[at];
        if local.home.is_some() {
            return local.home;
        }
        let copy = local.copy?;
        self.pin(RegSet::one(copy));
        self.regs.recent.add(copy);
        Some(copy)
    }

    /// Copies what a local holds to a register.
    pub(crate) fn load_local(&mut self, ty: Ty, to: Reg, at: usize) {
        match self.reg_of_local(at) {
            Some(from) => self.copy_reg(ty, to, from),
            None => {
                let from = self.slot_of_local(at);
                self.w.load(Load::of(ty), to, from);
                self.w.counters.reloads += 1;
            }
        }
    }

    /// A register that has what a local holds, at least until the next primitive: the scratch register, if no other
    /// has.
    pub(crate) fn local_or_scratch(&mut self, ty: Ty, at: usize) -> Reg {
        self.reg_of_local(at).unwrap_or_else(|| {
            let scratch = I::scratch(ty.class());
            let from = self.slot_of_local(at);
            self.w.load(Load::of(ty), scratch, from);
            scratch
        })
    }

    /// The register that a local is written in at this place: its home, or the one that a loop keeps for it.
    pub(crate) fn fixed_reg(&self, at: usize) -> Option<Reg> {
        let local = &self.locals[at];
        local.home.or(local.copy.filter(|copy| self.regs.locked.has(*copy)))
    }

    /// The slot of a local, to be read: its register, if there is one, is not ahead of it.
    #[inline(always)]
    pub(crate) fn slot_of_local(&self, at: usize) -> Addr {
        #[cfg(debug_assertions)]
        crate::treaty::fault::proof!(
            !self.regs.ahead.contains(&(at as u32)),
            "the slot of {:?} is read at {:#x}",
            self.locals[at],
            self.w.wasm
        );
        Addr::base(I::FRAME, self.locals[at].slot)
    }

    /// A local that has no home in a register until the operator ends or calls: a copy, made if there is none.
    pub(crate) fn local_in_register(&mut self, at: usize) -> Reg {
        let LocalState { ty, copy, .. } = self.locals[at];
        let reg = copy.unwrap_or_else(|| {
            let reg = self.take(ty.class());
            let slot = self.slot_of_local(at);
            self.w.load(Load::of(ty), reg, slot);
            self.w.counters.reloads += 1;
            self.make_copy_of(reg, at);
            reg
        });
        self.pin(RegSet::one(reg));
        self.regs.recent.add(reg);
        reg
    }

    /// Can the register of a value become the copy of a local that is written, and the slot wait? Not if a collector
    /// looks there.
    #[inline(always)]
    pub(crate) fn can_keep(&self, at: usize, reg: Reg, ty: Ty) -> bool {
        self.fixed_reg(at).is_none() && self.regs.can_own(reg) && ty != Ty::GcRef
    }

    /// A register that the operator owns becomes the copy of a local that is written so.
    #[inline]
    pub(crate) fn keep_written(&mut self, at: usize, reg: Reg) {
        self.make_copy_of(reg, at);
        self.regs.dirty.add(reg);
        self.regs.note_write(at, false);
    }

    /// Writes the top entry, which is `value`, to a local, and takes it off unless the operator is a tee.
    #[inline(never)]
    pub(crate) fn write_local(&mut self, at: usize, value: Value, tee: bool) {
        let ty = value.ty;
        let state = self.locals[at];
        if value.loc == Loc::Local(at as u32) {
            // x = x.
            if !tee {
                self.pop_value();
            }
            return;
        }
        if let Some(home) = self.fixed_reg(at) {
            if value.loc == Loc::Reg(home) {
                // Computed in place, in the register that a loop keeps for it.
                self.pop_value();
            } else {
                let operand = self.pop();
                self.flush_local(at);
                self.load_operand(home, &operand);
                self.done(&operand);
            }
            if state.home.is_none() {
                let to_slot = self.stores_writes(&state);
                if to_slot {
                    self.store_to_slot(ty, Addr::base(I::FRAME, state.slot), home);
                }
                self.regs.note_write(at, to_slot);
            }
        } else {
            let mut operand = self.pop();
            self.flush_local(at);
            let slot = Addr::base(I::FRAME, state.slot);
            if let Some(bits) = operand.as_const()
                && !ty.is_wide()
                && self.imm_of(ImmFor::Store, ty.width().int(), bits).is_some()
            {
                self.forget_copy_of(at);
                self.store_const_to(slot, ty, bits);
                self.regs.note_write(at, true);
                if tee {
                    self.push_const(ty, bits);
                }
                return;
            } else {
                let reg = self.operand_reg(&mut operand);
                self.forget_copy_of(at);
                // The register now holds a copy, if it is free for that. The slot may wait, unless a collector looks
                // there.
                let own = operand.is_own_reg();
                if own {
                    self.make_copy_of(reg, at);
                }
                let late = own && ty != Ty::GcRef;
                if late {
                    self.regs.dirty.add(reg);
                } else {
                    self.store_to_slot(ty, slot, reg);
                }
                self.regs.note_write(at, !late);
            }
        }
        if tee {
            self.push(Value { ty, loc: Loc::Local(at as u32) });
        }
    }

    /// Is a local that a loop keeps in a register written to its slot as well? Behind the loop, a local of the loop's
    /// own is read no more; but a collector reads references at any time.
    pub(crate) fn stores_writes(&self, local: &LocalState) -> bool {
        local.depth < self.regs.locked_depth || local.ty == Ty::GcRef
    }

    /// Before a local is written: entries that read it get a register of their own.
    #[inline]
    pub(crate) fn flush_local(&mut self, local: usize) {
        let mut last = None;
        for at in self.watermark..self.stack.len() {
            if self.stack[at].loc == Loc::Local(local as u32)
                && let Some(before) = last.replace(at)
            {
                self.detach(before);
            }
        }
        if let Some(last) = last {
            // The copy has served: what it holds is what the entry waits for.
            match self.locals[local].copy.filter(|copy| self.regs.can_own(*copy) && self.locals[local].home.is_none()) {
                Some(copy) => {
                    self.hand_over(local, copy);
                    self.stack[last].loc = Loc::Reg(copy);
                }
                None => self.detach(last),
            }
        }
    }

    #[inline(never)]
    fn detach(&mut self, at: usize) {
        let Value { ty, loc: Loc::Local(local) } = self.stack[at] else { unreachable!("a latent local") };
        let class = RegSet::INTS.or(RegSet::FLOATS).class(ty.class());
        if self.regs.free.or(self.regs.cached.minus(self.regs.locked)).and(class).minus(self.regs.pinned.set()).len()
            < 3
        {
            return self.flush_one(at);
        }
        let to = self.take(ty.class());
        // Asked after the taking, which may have dropped the copy.
        self.load_local(ty, to, local as usize);
        self.stack[at].loc = Loc::Reg(to);
    }

    /// The innermost block ends and control runs on: entries that read locals of its own, whose slots nobody sees to
    /// any more (`LocalUse::depth`), get what they read. What is in a home or in its slot stays there for good, and
    /// what a loop keeps in a register until the loop ends; a copy that is ahead of its slot becomes the entry's.
    pub(crate) fn close_reads(&mut self, height: usize) {
        if without(Fault::ReadAfterFrame) {
            return;
        }
        let depth = self.depth as u32 - 1;
        for at in self.watermark.max(height)..self.stack.len() {
            if let Loc::Local(local) = self.stack[at].loc
                && self.locals[local as usize].depth >= depth
                && let Some(copy) = self.locals[local as usize].copy
                && self.regs.dirty.has(copy)
            {
                self.close_read(at, local as usize, copy);
            }
        }
    }

    #[inline(never)]
    fn close_read(&mut self, at: usize, local: usize, copy: Reg) {
        if self.stack[at + 1..].iter().any(|value| value.loc == Loc::Local(local as u32)) {
            return self.flush_one(at);
        }
        self.regs.cached.remove(copy);
        self.regs.dirty.remove(copy);
        self.locals[local].copy = None;
        self.stack[at].loc = Loc::Reg(copy);
    }
}
