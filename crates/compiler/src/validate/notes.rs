//! What both ways through sweep 1 note of operators on objects.

use crate::operators::effects;
use crate::operators::{Access, Effects, MayCall, Op};
use crate::treaty::facts::{Facts, Storage};
use crate::treaty::ty::Ty;
use crate::validate::survey::Survey;
use wasmparser::HeapType;

impl Survey {
    /// An operator looks into an object.
    fn heap_access(&mut self, facts: &Facts) {
        if facts.gc.is_some_and(|gc| !gc.heap_may_move) {
            self.touch_heap();
        }
    }

    /// An operator on objects of a type, or on a field of one.
    pub(super) fn object(&mut self, facts: &Facts, op: Op, ty: u32, field: u32) {
        let Effects { heap, object, calls, .. } = op.effects();
        if heap || calls != MayCall::No {
            self.demand();
        }
        if heap {
            self.heap_access(facts);
        }
        self.vectors |= match object {
            // What is made has to be written.
            Access::Made => facts.objects[ty as usize].as_ref().is_some_and(|object| object.vectors),
            Access::Field | Access::Element => {
                effects::storage(facts, op, ty, field) == Some(Storage::Number(Ty::V128))
            }
            Access::None => false,
        };
        self.note(effects::of(facts, op, [ty, field], [None; 2]));
    }

    /// A test of references against a type, as it stands in the body, which may ask the host.
    pub(super) fn test(&mut self, facts: &Facts, ty: HeapType) {
        if effects::test_looks_in_heap(facts, ty) {
            self.heap_access(facts);
        }
        self.demand();
        self.note(effects::test(facts, ty));
    }
}
