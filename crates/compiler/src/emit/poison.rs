//! A mode for tests (`Settings::poison`): whatever a convention leaves undefined holds garbage, so that nothing can
//! come to depend on what happens to be there.

use crate::emit::FuncGen;
use crate::isa::{Alu, Amount, Isa, Shift, Src};
use crate::treaty::code::TrapCode;
use crate::treaty::sig::{Abi, AbiLoc, Sig};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Reg, RegSet};

/// What garbage looks like: no address, and no number that programs are fond of.
pub const GARBAGE: i64 = 0x5bad_f00d_dead_beef;

/// Garbage in the upper half.
pub const UPPER_GARBAGE: i64 = GARBAGE & !0xffff_ffff;

impl<I: Isa> FuncGen<'_, I> {
    /// Fills all registers but these that values may be in.
    pub(crate) fn poison_all_but(&mut self, kept: RegSet) {
        self.w.reserve_room();
        self.w.iconst(Width::W64, I::SCRATCH, GARBAGE, false);
        for reg in I::ALLOCATABLE.minus(kept) {
            if reg.is_float() {
                self.w.bits(Width::W64, reg, I::SCRATCH);
            } else {
                self.w.mov(Width::W64, reg, I::SCRATCH);
            }
        }
        self.w.reserve_room();
    }

    /// Fills the upper halves of narrow values that are in registers.
    fn poison_upper_halves(&mut self, types: &[Ty], locs: &[AbiLoc]) {
        self.w.reserve_room();
        for (ty, loc) in types.iter().zip(locs) {
            if let AbiLoc::Reg(reg) = *loc
                && matches!(ty, Ty::I32 | Ty::GcRef)
            {
                self.poison_upper_half(reg);
            }
        }
        self.w.reserve_room();
    }

    fn poison_upper_half(&mut self, reg: Reg) {
        self.w.iconst(Width::W64, I::SCRATCH, UPPER_GARBAGE, false);
        self.w.alu(Alu::Or, Width::W64, reg, reg, Src::Reg(I::SCRATCH));
    }

    /// Where arguments leave the module: their upper halves are undefined.
    pub(crate) fn poison_arguments(&mut self, sig: &Sig, abi: &Abi) {
        if self.facts.settings.poison {
            self.poison_upper_halves(sig.tail_params(), &abi.params);
        }
    }

    /// Behind a call: the upper halves of results are undefined, as it may have led to any module.
    pub(crate) fn poison_results(&mut self, sig: &Sig, abi: &Abi) {
        if self.facts.settings.poison {
            self.poison_upper_halves(sig.passed_results(), &abi.results);
        }
    }

    /// Traps if the upper half of a register that becomes part of an address is not zero.
    #[inline]
    pub(crate) fn prove_narrow(&mut self, reg: Reg) {
        if self.facts.settings.poison {
            self.trap_unless_narrow(reg);
        }
    }

    #[cold]
    fn trap_unless_narrow(&mut self, reg: Reg) {
        let dirty = self.w.trap_label(TrapCode::Unreachable);
        self.w.shift(Shift::ShrU, Width::W64, I::SCRATCH, reg, Amount::Imm(32));
        self.w.branch_nonzero(Width::W64, I::SCRATCH, dirty);
    }
}
