//! What both ways through sweep 1 note of operators on objects. Those that answer say whether the operator calls.

use crate::facts::{Facts, Storage};
use crate::gc::MANY_FIELDS;
use crate::survey::Survey;
use crate::ty::Ty;
use wasmparser::{AbstractHeapType, HeapType, UnpackedIndex};

impl Survey {
    /// An operator looks into an object.
    pub(super) fn heap_access(&mut self, facts: &Facts) {
        if facts.gc.is_some_and(|gc| !gc.heap_may_move) {
            self.touch_heap();
        }
    }

    /// Reads or writes something that is kept like this.
    pub(super) fn access(&mut self, facts: &Facts, storage: Option<Storage>) -> bool {
        let calls = match storage {
            Some(Storage::Func(_)) => true,
            Some(Storage::Gc { traced }) => traced && facts.counts(),
            Some(Storage::Number(ty)) => {
                self.vectors |= ty == Ty::V128;
                false
            }
            _ => false,
        };
        if calls {
            self.call();
        }
        calls
    }

    /// An object of a type is made by the host.
    pub(super) fn make(&mut self, facts: &Facts, ty: u32) -> bool {
        self.vectors |= facts.objects[ty as usize].as_ref().is_some_and(|object| object.vectors);
        self.call();
        true
    }

    /// An object of a type is made whose fields are on the stack, in line if the collector lets it.
    pub(super) fn make_in_line(&mut self, facts: &Facts, ty: u32) -> bool {
        self.heap_access(facts);
        match &facts.objects[ty as usize] {
            Some(object) if facts.makes_in_line(object) => {
                self.vectors |= object.vectors;
                self.detour();
                false
            }
            _ => self.make(facts, ty),
        }
    }

    /// A structure of a type is made with default values.
    pub(super) fn make_default(&mut self, facts: &Facts, ty: u32) -> bool {
        if facts.objects[ty as usize].as_ref().is_some_and(|object| object.fields.len() <= MANY_FIELDS) {
            return self.make_in_line(facts, ty);
        }
        self.heap_access(facts);
        self.make(facts, ty)
    }

    /// A test of references against a type, as it stands in the body, which may ask the host.
    pub(super) fn test(&mut self, facts: &Facts, ty: HeapType) {
        use AbstractHeapType::{Array, Eq, Struct};
        match ty {
            HeapType::Concrete(UnpackedIndex::Module(index)) => {
                if facts.objects[index as usize].is_some() {
                    self.heap_access(facts);
                }
                if !facts.final_types[index as usize] {
                    self.detour();
                }
            }
            HeapType::Abstract { ty: Array | Eq | Struct, .. } => self.heap_access(facts),
            _ => {}
        }
    }
}
