//! Registers that an operator holds until the instruction that reads them last.
//!
//! A register that goes back is anybody's at once: the very next thing that wants one may have it and write it. So an
//! operator that has made an address, or taken a temporary, gets it as [`Held`], which is neither copied nor lost
//! unseen, and gives it back by value, with or behind the instruction that reads it last. Where that instruction writes
//! a result, the result may be in one of the registers held (`dest_over`), and the others stay held until it is
//! emitted.
//!
//! Debug builds see to the rest: `check` misses a register that was not given back, and the assembler refuses an
//! address that reads one which nobody owns (`Values::watch`).

use crate::emit::values::Values;
use crate::isa::Isa;
use crate::treaty::fault::proof;
use lightbeam_asm::{Reg, RegClass, RegSet};

/// Registers that an operator holds.
#[must_use = "what is held has to be given back"]
#[derive(Debug)]
pub(crate) struct Held(RegSet);

impl Held {
    /// No register, or none that anybody has to give back.
    pub(crate) const NONE: Held = Held(RegSet::EMPTY);

    /// What the operator owns of an operand.
    pub(crate) fn of(owned: RegSet) -> Held {
        Held(owned)
    }

    /// The registers of both.
    pub(crate) fn and(self, other: Held) -> Held {
        proof!(self.0.and(other.0).is_empty(), "{self:?} and {other:?} are held twice");
        Held(self.0.or(other.0))
    }

    /// Which they are.
    pub(crate) fn regs(&self) -> RegSet {
        self.0
    }

    /// All but one, which has become the result or never was among them.
    pub(crate) fn but(self, reg: Reg) -> Held {
        Held(self.0.minus(RegSet::one(reg)))
    }

    /// Those that an entry of the stack owns from here on.
    pub(crate) fn into_entry(self) -> RegSet {
        self.0
    }
}

impl<I: Isa> Values<'_, I> {
    /// Takes a register to hold.
    pub(crate) fn hold(&mut self, class: RegClass) -> (Reg, Held) {
        let reg = self.take(class);
        (reg, Held(RegSet::one(reg)))
    }

    /// Takes a certain register to hold; one that is nobody's to take is there anyway.
    pub(crate) fn hold_this(&mut self, reg: Reg) -> Held {
        if !self.regs.pool.has(reg) {
            return Held::NONE;
        }
        self.take_this(reg);
        Held(RegSet::one(reg))
    }

    /// Gives back what has been read for the last time.
    #[inline(always)]
    pub(crate) fn give(&mut self, held: Held) {
        self.give_back(held.0);
    }

    /// As `FuncGen::dest_over`, for what does not go to a home.
    pub(crate) fn take_over(&mut self, class: RegClass, held: Held) -> (Reg, Held) {
        match self.regs.free.or(held.0).class(class).first() {
            Some(reg) if held.0.has(reg) => (reg, held.but(reg)),
            _ => (self.take(class), held),
        }
    }
}
