//! Operands that an operator can have as they are, which is most of them: in a register, or a constant that is part of
//! an instruction. That is found out in one step, and all that belongs to it done in one; whatever else there may be,
//! `stack` brings to where it can be had.

use crate::emit::values::Values;
use crate::emit::values::value::{Loc, Value};
use crate::isa::{ImmFor, Isa, Src};
use crate::treaty::ty::Width;
use lightbeam_asm::{Reg, RegSet};

impl<I: Isa> Values<'_, I> {
    /// The register that has an entry, or the local that it reads.
    #[inline(always)]
    fn ready(&self, value: Value) -> Option<Reg> {
        match value.loc {
            Loc::Reg(reg) => Some(reg),
            Loc::Local(at) => self.reg_of_local(at as usize),
            _ => None,
        }
    }

    /// The register that has the top entry. Nothing is taken.
    #[inline(always)]
    pub(crate) fn ready_top(&self) -> Option<Reg> {
        self.ready(*self.stack.last()?)
    }

    /// The two top entries, if the lower one is in a register, and the upper one as well or a constant that is part of
    /// an instruction as `what` says. Nothing is taken.
    #[inline(always)]
    pub(crate) fn ready_pair(&self, what: ImmFor, width: Width) -> Option<(Reg, Src)> {
        let [.., lower, upper] = self.stack[..] else { return None };
        let lower = self.ready(lower)?;
        let upper = match upper.loc {
            Loc::Const(bits) => Src::Imm(self.imm_of(what, width.int(), bits.get())?),
            _ => Src::Reg(self.ready(upper)?),
        };
        Some((lower, upper))
    }

    /// Is a register that is ready the entry's own?
    #[inline(always)]
    pub(crate) fn is_owned(&self, reg: Reg) -> bool {
        self.regs.pool.minus(self.regs.cached).has(reg)
    }

    /// Takes as many entries off that are ready, and reads these registers of theirs. Gives what the operator owns.
    #[inline(always)]
    pub(crate) fn take_ready(&mut self, entries: usize, read: RegSet) -> RegSet {
        // What is in no slot is above the watermark.
        self.stack.truncate(self.stack.len() - entries);
        let copies = read.and(self.regs.cached);
        self.pin(copies);
        self.regs.recent = self.regs.recent.or(copies);
        read.and(self.regs.pool.minus(self.regs.cached))
    }
}
