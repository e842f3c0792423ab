//! What both ways through sweep 1 note of operators on objects.

use crate::effects;
use crate::facts::{Facts, Storage};
use crate::survey::Survey;
use crate::ty::Ty;
use wasmparser::HeapType;

impl Survey {
    /// An operator looks into an object.
    fn heap_access(&mut self, facts: &Facts) {
        if facts.gc.is_some_and(|gc| !gc.heap_may_move) {
            self.touch_heap();
        }
    }

    /// An operator behind 0xfb on objects of a type, or on a field of one.
    pub(super) fn object(&mut self, facts: &Facts, opcode: u32, ty: u32, field: u32) {
        // Those that make objects in line or look into one.
        if matches!(opcode, 0..=5 | 8 | 11..=15) {
            self.heap_access(facts);
        }
        match opcode {
            // What is made has to be written.
            0 | 1 | 6..=8 => self.vectors |= facts.objects[ty as usize].as_ref().is_some_and(|object| object.vectors),
            2 | 5 => self.vectors |= facts.field(ty, field) == Some(Storage::Number(Ty::V128)),
            11 | 14 => self.vectors |= facts.field(ty, 0) == Some(Storage::Number(Ty::V128)),
            _ => {}
        }
        self.note(effects::object(facts, opcode, ty, field));
    }

    /// A test of references against a type, as it stands in the body, which may ask the host.
    pub(super) fn test(&mut self, facts: &Facts, ty: HeapType) {
        if effects::test_looks_in_heap(facts, ty) {
            self.heap_access(facts);
        }
        self.note(effects::test(facts, ty));
    }
}
