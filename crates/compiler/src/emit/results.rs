//! Where an operator's result goes, and in what form, by what comes next in the body: to the home of a local that is
//! written, to the register of an argument, to the flags.

use crate::emit::FuncGen;
use crate::emit::values::held::Held;
use crate::isa::{Isa, Shift};
use crate::operators::next::Next;
use crate::operators::{Flags, Op};
use crate::treaty::facts::Callee;
use crate::treaty::sig::AbiLoc;
use crate::treaty::ty::Ty;
use lightbeam_asm::{Reg, RegSet};

/// A shift by a constant that comes next, and whose outcome is written to a home.
pub(crate) struct ShiftAhead {
    pub(crate) shift: Shift,
    pub(crate) count: u8,
    pub(crate) home: Reg,
    /// The position of the local.
    local: u32,
    /// Where the shift ends in the body.
    behind: u32,
}

impl<I: Isa> FuncGen<'_, I> {
    /// What comes next.
    #[inline(always)]
    pub(crate) fn next(&self) -> Next {
        Next::of(self.reader.peek()).and(self.looked_at)
    }

    // ---- destinations

    /// The home of the local that the next operator writes, if it has one of the right class: what the current operator
    /// gives may be computed there. The local's pending reads are made first; `busy` are registers that the operator
    /// reads after it has begun to write.
    #[inline(always)]
    pub(crate) fn hint(&mut self, ty: Ty, busy: RegSet) -> Option<Reg> {
        if self.reader.at_local_write() { self.hint_of_write(ty, busy) } else { None }
    }

    #[inline(never)]
    pub(crate) fn hint_of_write(&mut self, ty: Ty, busy: RegSet) -> Option<Reg> {
        let local = self.reader.peek_local_write()?;
        let at = self.survey.position(local);
        let home = self.fixed_reg(at)?;
        if home.class() != ty.class() || busy.has(home) {
            return None;
        }
        self.flush_local(at);
        self.w.counters.direct_sets += 1;
        Some(home)
    }

    /// What comes next, if that is a shift by a constant whose outcome is written to a home. The operand can be
    /// computed in the home and shifted there, which saves a register on the way and a move.
    #[inline(always)]
    pub(crate) fn shift_ahead(&self, ty: Ty) -> Option<ShiftAhead> {
        match self.reader.peek_op() {
            Op::I32Const | Op::I64Const => self.constant_shift_ahead(ty),
            _ => None,
        }
    }

    #[inline(never)]
    fn constant_shift_ahead(&self, ty: Ty) -> Option<ShiftAhead> {
        let mut ahead = self.reader;
        ahead.op();
        // Of a count, only the lower bits matter.
        let count = ahead.i64() as u32 & (ty.width().bits() - 1);
        let shift = match ahead.op() {
            Op::I32Shl | Op::I64Shl => Shift::Shl,
            Op::I32ShrS | Op::I64ShrS => Shift::ShrS,
            Op::I32ShrU | Op::I64ShrU => Shift::ShrU,
            Op::I32Rotl | Op::I64Rotl => Shift::Rotl,
            Op::I32Rotr | Op::I64Rotr => Shift::Rotr,
            _ => return None,
        };
        let local = ahead.peek_local_write()?;
        let local = self.survey.position(local);
        let home = self.fixed_reg(local)?;
        if count == 0 || self.facts.settings.fuel {
            return None;
        }
        Some(ShiftAhead { shift, count: count as u8, home, local: local as u32, behind: ahead.pos() as u32 })
    }

    /// Reads that shift, and gives the home.
    pub(crate) fn read_shift(&mut self, ahead: &ShiftAhead) -> Reg {
        self.reader.go_to(ahead.behind as usize);
        self.operators += 2;
        self.flush_local(ahead.local as usize);
        self.w.counters.direct_sets += 1;
        ahead.home
    }

    /// Is this register the home of the local that the next operator writes?
    #[inline]
    pub(crate) fn hint_is(&self, reg: Reg) -> bool {
        self.reader.peek_local_write().is_some_and(|local| self.fixed_reg(self.survey.position(local)) == Some(reg))
    }

    /// A destination that is none of the registers in `busy`.
    pub(crate) fn dest(&mut self, ty: Ty, busy: RegSet) -> Reg {
        match self.hint(ty, busy) {
            Some(home) => home,
            None => self.take(ty.class()),
        }
    }

    /// Where the result of the instruction goes that is the last to read what is held: perhaps to one of those. Gives
    /// what is to be given back behind it.
    pub(crate) fn dest_over(&mut self, ty: Ty, held: Held) -> (Reg, Held) {
        match self.hint(ty, RegSet::EMPTY) {
            Some(home) => (home, held),
            None => self.take_over(ty.class(), held),
        }
    }

    /// A destination that may be one of the operands' own registers, all of which are read before it is written.
    pub(crate) fn dest_reusing(&mut self, ty: Ty, owned: RegSet) -> Reg {
        match self.hint(ty, RegSet::EMPTY) {
            Some(home) => home,
            None => match owned.class(ty.class()).first() {
                Some(reg) => reg,
                None => self.take(ty.class()),
            },
        }
    }

    /// A register for a result: if a call comes next and takes it as an argument, the one in which it does.
    pub(crate) fn take_result(&mut self, ty: Ty) -> Reg {
        if let Some(reg) = self.argument_ahead()
            && reg.class() == ty.class()
            && self.regs.free.has(reg)
        {
            self.regs.free.remove(reg);
            self.watch();
            return reg;
        }
        self.take(ty.class())
    }

    /// As `take_result`, if that is what comes next.
    #[inline(always)]
    pub(crate) fn take_result_for(&mut self, next: Next, ty: Ty) -> Reg {
        if next.is(Next::CALLS.or(Next::LATENT)) { self.take_result(ty) } else { self.take(ty.class()) }
    }

    /// The register in which a call, at most two latent operands ahead, takes the value that is now being made.
    fn argument_ahead(&self) -> Option<Reg> {
        let mut ahead = self.reader;
        for after in 1..=3 {
            match ahead.op() {
                Op::LocalGet => {
                    ahead.u32();
                }
                Op::I32Const => {
                    ahead.i32();
                }
                Op::Call => {
                    let func = ahead.u32();
                    let sig = self.facts.sig_of_func(func);
                    let abi = match self.facts.funcs[func as usize].callee {
                        Callee::Defined { .. } => &sig.private,
                        Callee::Imported { inline: None, .. } => &sig.tail,
                        Callee::Imported { inline: Some(_), .. } => return None,
                    };
                    return match abi.params.len().checked_sub(after).map(|i| abi.params[i]) {
                        Some(AbiLoc::Reg(reg)) => Some(reg),
                        _ => None,
                    };
                }
                _ => return None,
            }
        }
        None
    }

    // ---- conditions

    /// Will the next operator take the condition from the flags?
    #[inline(always)]
    pub(crate) fn fuses(&self) -> bool {
        let next = self.next();
        next.is(Next::TAKES_FLAGS) || next.is(Next::TESTS_ZERO) && self.takes_flags(0)
    }

    fn takes_flags(&self, ahead: usize) -> bool {
        let op = self.reader.peek_op_at(ahead);
        match op.effects().flags {
            Flags::Branches | Flags::Selects => true,
            Flags::AsksZero => op == Op::I32Eqz && ahead < 8 && self.takes_flags(ahead + 1),
            Flags::None => false,
        }
    }

    /// Is the next operator one that only asks whether an i32 or i64 is zero?
    #[inline]
    pub(crate) fn next_tests_zero(&self) -> bool {
        let next = self.next();
        next.is(Next::TESTS_ZERO) && (next.is(Next::TAKES_FLAGS) || self.takes_flags(1))
    }
}
