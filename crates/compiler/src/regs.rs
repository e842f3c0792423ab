//! The register file: who owns which register, how one is had, and what gives way.

use crate::compile::FuncGen;
use crate::isa::Isa;
use crate::value::Loc;
use lightbeam_asm::{Reg, RegClass, RegSet};

/// The state of all registers that the function may use for values, homes excluded. Every register of the pool is in
/// exactly one of: `free`; `cached` (a clean copy of a local, dropped without a word); owned by one stack entry or one
/// operator (in neither set).
pub(crate) struct Regs {
    /// What may be handed out at all.
    pub(crate) pool: RegSet,
    pub(crate) free: RegSet,
    pub(crate) cached: RegSet,
    /// Whose copy a cached register is: position of the local in the survey.
    pub(crate) copy_of: [u32; 64],
    /// Not to be taken before the operator ends, though cached.
    pub(crate) pinned: RegSet,
    /// Cached registers give way in turn.
    clock: u32,
}

impl Regs {
    pub(crate) fn new(pool: RegSet) -> Regs {
        Regs { pool, free: pool, cached: RegSet::EMPTY, copy_of: [0; 64], pinned: RegSet::EMPTY, clock: 0 }
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// A register of a class, owned by the caller until `release`d or pushed.
    #[inline]
    pub(crate) fn take(&mut self, class: RegClass) -> Reg {
        self.take_from(RegSet::INTS.or(RegSet::FLOATS).class(class))
    }

    /// A register of a set.
    pub(crate) fn take_from(&mut self, allowed: RegSet) -> Reg {
        if let Some(reg) = self.regs.free.and(allowed).first() {
            self.regs.free.remove(reg);
            return reg;
        }
        let cached = self.regs.cached.and(allowed).minus(self.regs.pinned);
        if !cached.is_empty() {
            self.regs.clock = self.regs.clock.wrapping_add(1);
            let nth = self.regs.clock % cached.len();
            let reg = cached.clone().nth(nth as usize).expect("counted");
            self.drop_copy(reg);
            self.regs.free.remove(reg);
            return reg;
        }
        // The oldest entry in a register goes to its slot.
        for at in self.watermark..self.stack.len() {
            if let Loc::Reg(reg) = self.stack[at].loc
                && allowed.has(reg)
                && self.regs.pool.has(reg)
            {
                self.spill(at);
                self.regs.free.remove(reg);
                return reg;
            }
        }
        unreachable!("an operator holds every register of a class: {:?} of {:?}", self.regs.free, self.regs.pool)
    }

    /// A certain register, whatever is in it: a stack entry there moves elsewhere. Not one that an operator holds.
    pub(crate) fn take_this(&mut self, reg: Reg) {
        debug_assert!(self.regs.pool.has(reg), "{reg:?} is not in the pool");
        if self.regs.free.has(reg) {
            self.regs.free.remove(reg);
            return;
        }
        if self.regs.cached.has(reg) {
            self.drop_copy(reg);
            self.regs.free.remove(reg);
            return;
        }
        let at = (self.watermark..self.stack.len())
            .rev()
            .find(|at| self.stack[*at].loc == Loc::Reg(reg))
            .unwrap_or_else(|| unreachable!("{reg:?} is held by an operator"));
        let others = RegSet::INTS.or(RegSet::FLOATS).class(reg.class());
        if let Some(to) = self.regs.free.and(others).first() {
            self.regs.free.remove(to);
            self.copy_reg(self.stack[at].ty, to, reg);
            self.stack[at].loc = Loc::Reg(to);
            self.out.counters.merge_moves += 1;
        } else {
            self.spill(at);
            self.regs.free.remove(reg);
        }
    }

    /// Gives a register back. Homes and pinned registers of the machine are left alone.
    #[inline]
    pub(crate) fn release(&mut self, reg: Reg) {
        if self.regs.pool.has(reg) {
            debug_assert!(!self.regs.free.has(reg) && !self.regs.cached.has(reg), "{reg:?} released twice");
            self.regs.free.add(reg);
        }
    }

    /// Gives registers back.
    #[inline]
    pub(crate) fn release_all(&mut self, set: RegSet) {
        for reg in set {
            self.release(reg);
        }
    }

    /// A register that the caller owns now holds a clean copy of a local and may be dropped at any time.
    pub(crate) fn make_copy_of(&mut self, reg: Reg, at: usize) {
        debug_assert!(self.regs.pool.has(reg) && !self.regs.free.has(reg) && !self.regs.cached.has(reg));
        self.forget_copy_of(at);
        self.regs.cached.add(reg);
        self.regs.copy_of[reg.index()] = at as u32;
        self.locals[at].copy = Some(reg);
    }

    /// The register is free again; the local is in its slot only.
    pub(crate) fn drop_copy(&mut self, reg: Reg) {
        debug_assert!(self.regs.cached.has(reg));
        self.regs.cached.remove(reg);
        self.regs.free.add(reg);
        self.locals[self.regs.copy_of[reg.index()] as usize].copy = None;
    }

    /// What the copy of a local holds is no longer its value.
    pub(crate) fn forget_copy_of(&mut self, at: usize) {
        if let Some(reg) = self.locals[at].copy {
            self.drop_copy(reg);
        }
    }

    /// Drops all copies, as at every merge.
    pub(crate) fn drop_copies(&mut self) {
        for reg in self.regs.cached {
            self.locals[self.regs.copy_of[reg.index()] as usize].copy = None;
        }
        self.regs.free = self.regs.free.or(self.regs.cached);
        self.regs.cached = RegSet::EMPTY;
    }

    /// Keeps a cached register from being taken until the operator ends.
    #[inline]
    pub(crate) fn pin(&mut self, set: RegSet) {
        self.regs.pinned = self.regs.pinned.or(set);
    }
}
