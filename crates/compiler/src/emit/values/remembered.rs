//! What registers hold copies of beside locals: globals, and constants too wide to be part of an instruction. To the
//! register file each is one more local, behind those of the survey, with neither home nor slot. Its copy may be
//! dropped at any time, goes with every call as all copies do, and is kept at a label only if all edges agree on it.

use crate::emit::values::value::Operand;
use crate::emit::values::{LocalState, Values};
use crate::isa::Isa;
use crate::treaty::ty::Ty;
use lightbeam_asm::{Reg, RegSet};

/// How many of them a function has at most, the first that it meets.
const MOST: usize = 8;

/// What a copy is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    /// A global that this instance has in itself, by its index: memory and copy are always the same.
    Global(u32),
    /// A constant of 64 bits.
    Constant(u64),
}

/// Those that the function has met, in order.
pub(crate) struct Remembered {
    things: [Thing; MOST],
    len: usize,
}

impl Remembered {
    pub(crate) const NONE: Remembered = Remembered { things: [Thing::Global(0); MOST], len: 0 };
}

impl<I: Isa> Values<'_, I> {
    /// Where among the locals a thing is, if it has been met.
    fn remembered(&self, thing: Thing) -> Option<usize> {
        let Remembered { things, len } = &self.remembered;
        let at = things[..*len].iter().position(|known| *known == thing)?;
        Some(self.locals.len() - len + at)
    }

    /// Meets a thing for the first time. Gives where it is then, unless there are too many.
    fn remember(&mut self, thing: Thing, ty: Ty) -> Option<usize> {
        let Remembered { things, len } = &mut self.remembered;
        *things.get_mut(*len)? = thing;
        *len += 1;
        self.locals.push(LocalState { ty, home: None, copy: None, slot: 0, depth: u32::MAX });
        Some(self.locals.len() - 1)
    }

    /// A register that holds what a global does, to be read until the operator ends.
    pub(crate) fn copy_of_global(&mut self, index: u32) -> Option<Reg> {
        let copy = self.locals[self.remembered(Thing::Global(index))?].copy?;
        self.pin(RegSet::one(copy));
        self.regs.recent.add(copy);
        Some(copy)
    }

    /// A global has been given a value, in memory as well: the register of the value is a copy from now on, if it is
    /// free for that.
    pub(crate) fn global_is(&mut self, index: u32, value: &Operand) {
        let thing = Thing::Global(index);
        let known = self.remembered(thing);
        if let Some(at) = known {
            self.forget_copy_of(at);
        }
        match value.as_reg() {
            Some(reg) if value.is_own_reg() => match known.or_else(|| self.remember(thing, value.ty())) {
                Some(at) => self.make_copy_of(reg, at),
                None => self.done(value),
            },
            _ => self.done(value),
        }
    }

    /// A constant in a register. One of 64 bits that the function has met before stays there as long as nobody needs
    /// the register for something else.
    #[inline(never)]
    pub(crate) fn constant_reg(&mut self, operand: &mut Operand, bits: u64) -> Reg {
        let thing = Thing::Constant(bits);
        let known = match operand.ty() {
            Ty::I64 => self.remembered(thing),
            _ => return self.operand_reg(operand),
        };
        let Some(at) = known else {
            self.remember(thing, Ty::I64);
            return self.operand_reg(operand);
        };
        let reg = match self.locals[at].copy {
            Some(copy) => {
                self.regs.recent.add(copy);
                copy
            }
            None => {
                let reg = self.operand_reg(operand);
                self.make_copy_of(reg, at);
                // It is the first to give way: to make it again takes one instruction.
                self.regs.recent.remove(reg);
                reg
            }
        };
        self.pin(RegSet::one(reg));
        *operand = Operand::borrowed(Ty::I64, reg);
        reg
    }
}
