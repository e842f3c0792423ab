//! Locals: reading is latent, writing goes to the local's register, its slot, or both.

use crate::compile::FuncGen;
use crate::emit::shapes::{FlagsOf, int};
use crate::emit::values::Values;
use crate::emit::values::value::{Loc, Value};
use crate::isa::{Isa, Store};
use crate::treaty::ty::Ty;
use lightbeam_asm::Addr;

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn local_get(&mut self) {
        let local = self.reader.u32();
        let at = self.survey.position(local);
        let ty = self.locals[at].ty;
        self.push(Value { ty, loc: Loc::Local(at as u32) });
    }

    pub(crate) fn local_set(&mut self) {
        let local = self.reader.u32();
        self.local_write(local, false);
    }

    pub(crate) fn local_tee(&mut self) {
        let local = self.reader.u32();
        self.local_write(local, true);
    }

    fn local_write(&mut self, local: u32, tee: bool) {
        let at = self.survey.position(local);
        let value = *self.stack.last().expect("validated");
        if let Loc::Reg(reg) = value.loc
            && self.locals[at].home == Some(reg)
        {
            // Computed in place: nothing is emitted, and what the flags tell stays true.
            self.pop_value();
            if tee {
                self.push(Value { ty: value.ty, loc: Loc::Local(at as u32) });
            }
            return;
        }
        // Writing a local keeps the flags, and what they tell as long as it is of the value written: any other register
        // may be overwritten on the way.
        let flags =
            self.flags.filter(|flags| value.loc == Loc::Reg(flags.reg) && self.flags_tell(flags.reg, flags.width));
        self.write(at, value, tee);
        self.flags = flags.map(|flags| FlagsOf { at: self.w.offset(), ..flags });
    }
}

impl<I: Isa> Values<'_, I> {
    #[inline(never)]
    fn write(&mut self, at: usize, value: Value, tee: bool) {
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
                let to_slot = self.window_stores(&state);
                if to_slot {
                    self.w.store(Store::of(ty), Addr::base(I::FRAME, state.slot), home);
                }
                self.regs.note_write(at, to_slot);
            }
        } else {
            let mut operand = self.pop();
            self.flush_local(at);
            let slot = Addr::base(I::FRAME, state.slot);
            if let Some(bits) = operand.as_const()
                && !ty.is_wide()
                && self.imm_of(int(ty.width()), bits).is_some()
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
                    self.w.store(Store::of(ty), slot, reg);
                }
                self.regs.note_write(at, !late);
            }
        }
        if tee {
            self.push(Value { ty, loc: Loc::Local(at as u32) });
        }
    }
}
