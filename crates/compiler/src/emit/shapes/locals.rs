//! Locals: reading is latent, writing goes to the local's register, its slot, or both.

use crate::emit::FuncGen;
use crate::emit::values::value::FlagsOf;
use crate::emit::values::value::{Loc, Value};
use crate::isa::Isa;

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn local_get(&mut self) {
        let local = self.reader.u32();
        let at = self.survey.position(local);
        if !self.next_uses.is_idle() {
            self.note_next_use(at);
            if let Some(value) = self.last_read(at) {
                return self.push(value);
            }
        }
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

    /// The local that the operator at hand touches: when is that read next?
    #[inline(never)]
    fn note_next_use(&mut self, at: usize) {
        let (base, survey) = (self.base, self.survey);
        let here = self.reader.at((self.w.wasm - base) as usize);
        self.values.note_touch(at, here, base, survey.locals.len(), |local| survey.position(local));
    }

    fn local_write(&mut self, local: u32, tee: bool) {
        let at = self.survey.position(local);
        if !self.next_uses.is_idle() {
            self.note_next_use(at);
        }
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
        // Moves and stores write a local, so what the flags tell stays true as long as it is of the value written: any
        // other register may be overwritten on the way.
        let flags = self
            .flags
            .filter(|flags| value.loc == Loc::Reg(flags.reg) && self.flags_tell(flags.reg, flags.width).is_some());
        match value.loc {
            Loc::Reg(reg) if self.can_keep(at, reg, value.ty) => {
                self.pop_value();
                self.flush_local(at);
                self.keep_written(at, reg);
                if tee {
                    self.push(Value { ty: value.ty, loc: Loc::Local(at as u32) });
                }
            }
            _ => self.write_local(at, value, tee),
        }
        self.flags = flags.map(|flags| FlagsOf { at: self.w.offset(), ..flags });
    }
}
