//! References to continuations where they are passed as two integers each: as arguments in `Tail` convention, and as
//! results everywhere.

use crate::emit::FuncGen;
use crate::emit::values::value::Value;
use crate::isa::{Isa, Load, Store};
use crate::treaty::ty::Ty;
use lightbeam_asm::Addr;

impl<I: Isa> FuncGen<'_, I> {
    /// In slots from position `base` on: makes two integers of each continuation among values of these types.
    fn split_slots(&mut self, base: usize, types: &[Ty]) {
        let conts = types.iter().filter(|ty| **ty == Ty::ContRef).count();
        self.w.counters.steps += types.len() as u64;
        let mut to = base + types.len() + conts;
        // Downwards, so that what is not moved yet lies below.
        for (i, ty) in types.iter().enumerate().rev() {
            if i & 7 == 7 && self.w.check_budget() {
                return;
            }
            let from = self.slot(base + i, *ty);
            if *ty == Ty::ContRef {
                to -= 2;
                let (pointer, revision) = (self.slot(to, Ty::I64), self.slot(to + 1, Ty::I64));
                self.copy_memory(Ty::I64, revision, from.plus(8));
                if to != base + i {
                    self.copy_memory(Ty::I64, pointer, from);
                }
            } else {
                to -= 1;
                if to != base + i {
                    let slot = self.slot(to, *ty);
                    self.copy_memory(*ty, slot, from);
                }
            }
        }
    }

    /// The values of these types on top of the stack become such as are passed for them, in their slots.
    pub(crate) fn split_values(&mut self, types: &[Ty], passed: &[Ty]) {
        self.flush_all();
        let base = self.stack.len() - types.len();
        self.split_slots(base, types);
        self.truncate_stack(base);
        self.push_in_slots(passed);
    }

    /// The results of the function, as they are at its end.
    #[inline(never)]
    pub(crate) fn split_results(&mut self) {
        let sig = self.sig;
        if let [ty] = *sig.results {
            let slot = self.slot(0, ty);
            self.w.store(Store::of(ty), slot, Self::merge_reg(ty));
        }
        self.split_slots(0, &sig.results);
    }

    /// The values on top of the stack, in their slots, become results of these types.
    #[inline(never)]
    pub(crate) fn join_results(&mut self, types: &[Ty], passed: usize) {
        let base = self.stack.len() - passed;
        self.w.counters.steps += passed as u64;
        let mut from = base;
        for (i, ty) in types.iter().enumerate() {
            if i & 7 == 7 && self.w.check_budget() {
                break;
            }
            let part = if *ty == Ty::ContRef { Ty::I64 } else { *ty };
            let (to, source) = (self.slot(base + i, *ty), self.slot(from, part));
            if from != base + i {
                self.copy_memory(part, to, source);
            }
            if *ty == Ty::ContRef {
                let revision = self.slot(from + 1, Ty::I64);
                self.copy_memory(Ty::I64, to.plus(8), revision);
                from += 1;
            }
            from += 1;
        }
        self.truncate_stack(base);
        self.push_in_slots(types);
    }

    /// Pushes values that are in the slots of their positions.
    pub(crate) fn push_in_slots(&mut self, types: &[Ty]) {
        for ty in types {
            let at = self.stack.len();
            self.slot(at, *ty);
            self.stack.push(Value::slot(*ty));
        }
        self.all_in_slots();
    }

    /// Copies a value in memory.
    pub(crate) fn copy_memory(&mut self, ty: Ty, to: Addr, from: Addr) {
        let scratch = if ty.is_float() { I::FLOAT_SCRATCH } else { I::SCRATCH };
        self.w.load(Load::of(ty), scratch, from);
        self.w.store(Store::of(ty), to, scratch);
    }
}
