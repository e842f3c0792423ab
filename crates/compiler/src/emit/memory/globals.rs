//! Globals: a value at a place of the instance or behind a pointer.

use crate::emit::FuncGen;
use crate::emit::values::value::{Hot, Loc, Value};
use crate::isa::{ImmFor, Isa, Load, Store};
use crate::treaty::facts::{GlobalFact, Where};
use crate::treaty::ty::Ty;
use lightbeam_asm::RegSet;

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn global_get(&mut self) {
        let index = self.reader.u32();
        let global = self.facts.globals[index as usize];
        if let Some(bits) = global.constant {
            return self.push_const(global.ty, bits);
        }
        if let Some(copy) = self.copy_of_global(index) {
            let d = match self.hint(global.ty, RegSet::EMPTY) {
                Some(home) => home,
                None => self.take(global.ty.class()),
            };
            self.copy_reg(global.ty, d, copy);
            return self.push_reg(global.ty, d);
        }
        let addr = self.w.reach(global.at);
        if I::MEM_OPERANDS && addr.base_reg() == I::CTX && self.folds_global(global.ty) {
            self.hot = Some(Hot { addr, owned: RegSet::EMPTY, wasm: None });
            return self.push(Value { ty: global.ty, loc: Loc::Hot });
        }
        let d = match self.hint(global.ty, RegSet::EMPTY) {
            Some(home) => home,
            None => self.take(global.ty.class()),
        };
        self.w.load(Load::of(global.ty), d, addr);
        match global.ty {
            crate::treaty::ty::Ty::GcRef => self.push_exposed(d),
            ty => self.push_reg(ty, d),
        }
    }

    fn folds_global(&self, ty: Ty) -> bool {
        match ty {
            Ty::V128 => self.folds_vector(),
            Ty::GcRef | Ty::ContRef => false,
            _ => self.folds_load(Load::of(ty)),
        }
    }

    #[inline(never)]
    pub(crate) fn global_set(&mut self) {
        let index = self.reader.u32();
        let global = self.facts.globals[index as usize];
        if global.ty == crate::treaty::ty::Ty::GcRef && self.facts.counts() {
            return self.global_set_counted(global.at);
        }
        let mut value = self.pop();
        if let Some(bits) = value.as_const()
            && !global.ty.is_wide()
            && self.imm_of(ImmFor::Store, global.ty.width().int(), bits).is_some()
        {
            let addr = self.w.reach(global.at);
            self.store_const_to(addr, global.ty, bits);
            return self.global_is(index, &value);
        }
        let reg = self.operand_reg(&mut value);
        let addr = self.w.reach(global.at);
        self.w.store(Store::of(global.ty), addr, reg);
        if self.remembers(&global) {
            self.global_is(index, &value);
        } else {
            self.done(&value);
        }
    }

    /// May a register hold what a global does? Nobody else sets a global of the instance's own between two calls, but a
    /// collector may change references, and a host that is called when fuel or an epoch ends anything.
    fn remembers(&self, global: &GlobalFact) -> bool {
        let settings = &self.facts.settings;
        matches!(global.at, Where::Ctx(_))
            && matches!(global.ty, Ty::I32 | Ty::I64 | Ty::F32 | Ty::F64 | Ty::V128)
            && !settings.fuel
            && !settings.epochs
    }

    fn global_set_counted(&mut self, at: crate::treaty::facts::Where) {
        let value = self.pop();
        let address = self.take(lightbeam_asm::RegClass::Int);
        let at = self.w.reach(at);
        self.w.lea(crate::treaty::ty::Width::W64, address, at);
        self.set_reference(address, &value, crate::emit::values::held::Held::of(value.owned()));
    }
}
