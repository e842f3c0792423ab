//! What operators do to registers and memories beside computing: the one place that both sweeps ask.
//!
//! Sweep 1 notes `Calls` of each operator in the survey, both ways through it. Sweep 2 plans homes and windows by
//! that; wherever it emits a call, `FuncGen::emit_call` proves in checked builds that the operator at hand is one of
//! which this page says that it calls, and that the survey has noted as much of the block around it.

use crate::operators::policy::{MANY_FIELDS, is_small_copy, is_small_fill};
use crate::operators::reader::Reader;
use crate::operators::{Access, Immediates, MayCall, Op};
use crate::treaty::facts::{Callee, Facts, Intrinsic, Owner, Storage};
use crate::treaty::ty::Ty;
use wasmparser::{AbstractHeapType, HeapType, UnpackedIndex};

/// What an operator does to registers, and where control is afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Calls {
    /// Nothing is called.
    #[default]
    No,
    /// A stub calls, and puts all registers back.
    Detour,
    /// The operator calls, perhaps more than once, and goes on after that.
    Returns,
    /// The operator makes one call, behind which it does nothing but take the results: where `unreachable` comes next,
    /// control does not come back from it.
    Last,
    /// Control does not come back. What the operator calls on the way finds everything in slots.
    Leaves,
    /// The operator calls nothing, but ends the function with a jump that may leave the module. The frame is gone by
    /// then, and yet the stack may grow: whoever enters this module again makes a frame for it, so a chain of such
    /// jumps is as deep as one of calls, and each function in it has to look at the limit.
    Onward,
}

/// Operators of which the table says it all.
pub(crate) fn fixed(op: Op) -> Calls {
    match op.effects().calls {
        MayCall::Returns => Calls::Returns,
        MayCall::Last => Calls::Last,
        MayCall::Leaves => Calls::Leaves,
        MayCall::Onward => Calls::Onward,
        MayCall::No => Calls::No,
        _ => unreachable!("of {op:?}, more than the table has to be asked"),
    }
}

/// `global.get`, `global.set`, `table.set` of values of a type.
pub(crate) fn of_stored(facts: &Facts, ty: Ty) -> Calls {
    if ty == Ty::GcRef && facts.counts() { Calls::Returns } else { Calls::No }
}

/// Operators with their first two immediates, if they have as many, and the constants that the two operators before
/// have pushed. Tests and casts are not among them: see `test`.
pub(crate) fn of(facts: &Facts, op: Op, immediates: [u32; 2], constants: [Option<u64>; 2]) -> Calls {
    let [first, second] = immediates;
    let may = |calls| if calls { Calls::Returns } else { Calls::No };
    match op.effects().calls {
        MayCall::No | MayCall::Returns | MayCall::Last | MayCall::Leaves | MayCall::Onward => fixed(op),
        MayCall::LastUnlessInline => match inline(facts, first) {
            // The host is called if it has made the thread meanwhile.
            Some(Intrinsic::ExitSyncCall) => Calls::Detour,
            Some(Intrinsic::EnterSyncCall | Intrinsic::ContextGet(_) | Intrinsic::ContextSet(_)) => Calls::No,
            None => Calls::Last,
        },
        MayCall::OnwardIfImported => match facts.funcs[first as usize].callee {
            Callee::Imported { .. } => Calls::Onward,
            Callee::Defined { .. } => Calls::No,
        },
        MayCall::Global => of_stored(facts, facts.globals[first as usize].ty),
        MayCall::Table => of_stored(facts, facts.tables[first as usize].elem),
        MayCall::Copy => match (immediates, constants) {
            ([0, 0], [_, Some(bytes)]) => may(!is_small_copy(bytes)),
            _ => Calls::Returns,
        },
        MayCall::Fill => match (first, constants) {
            (0, [Some(byte), Some(bytes)]) => may(!is_small_fill(byte, bytes)),
            _ => Calls::Returns,
        },
        MayCall::Fma => may(facts.settings.calls_for_fma()),
        MayCall::InLine | MayCall::InLineIfFew => match &facts.objects[first as usize] {
            Some(object) if op.effects().calls == MayCall::InLineIfFew && object.fields.len() > MANY_FIELDS => {
                Calls::Returns
            }
            Some(object) if facts.makes_in_line(object) => Calls::Detour,
            _ => Calls::Returns,
        },
        MayCall::Storage => match storage(facts, op, first, second) {
            Some(Storage::Func(_)) => Calls::Returns,
            Some(Storage::Gc { traced }) => may(traced && facts.counts()),
            _ => Calls::No,
        },
        MayCall::Tests => unreachable!("{op:?} names a type"),
    }
}

/// What a direct call of a function does in place.
pub(crate) fn inline(facts: &Facts, func: u32) -> Option<Intrinsic> {
    match facts.funcs[func as usize].callee {
        Callee::Imported { inline, .. } => inline,
        Callee::Defined { .. } => None,
    }
}

/// Does a direct call of a function begin or end a call between components, for which the frame has a record?
pub(crate) fn is_sync_call(facts: &Facts, func: u32) -> bool {
    inline(facts, func).is_some_and(Intrinsic::is_sync_call)
}

/// How is kept what an operator reads or writes of an object?
pub(crate) fn storage(facts: &Facts, op: Op, ty: u32, field: u32) -> Option<Storage> {
    match op.effects().object {
        Access::Field => facts.field(ty, field),
        Access::Element => facts.field(ty, 0),
        Access::Made | Access::None => None,
    }
}

/// Tests and casts to a heap type: which subtypes one has, the host knows.
pub(crate) fn test(facts: &Facts, ty: HeapType) -> Calls {
    match ty {
        HeapType::Concrete(UnpackedIndex::Module(index)) if !facts.final_types[index as usize] => Calls::Detour,
        _ => Calls::No,
    }
}

/// Does such a test look into objects?
pub(crate) fn test_looks_in_heap(facts: &Facts, ty: HeapType) -> bool {
    use AbstractHeapType::{Array, Eq, Struct};
    match ty {
        HeapType::Concrete(UnpackedIndex::Module(index)) => facts.objects[index as usize].is_some(),
        HeapType::Abstract { ty, .. } => matches!(ty, Array | Eq | Struct),
        _ => false,
    }
}

/// May memory 0 be elsewhere after a memory with this index has grown? Indices do not tell memories apart: one memory
/// can be imported under several. But what a module defines is none of its imports, and what is imported twice is of
/// one type.
pub(crate) fn moves_memory_0(facts: &Facts, grown: u32) -> bool {
    let [first, grown_fact] = [0, grown as usize].map(|index| &facts.memories[index]);
    let imported = |owner| matches!(owner, Owner::Import { .. });
    let same = grown == 0
        || imported(first.owner)
            && imported(grown_fact.owner)
            && first.index == grown_fact.index
            && first.page_size_log2 == grown_fact.page_size_log2;
    same && first.base_may_move
}

/// What the operator that comes next in a validated body does. For proofs: it is decoded once more for that.
pub(crate) fn of_next(facts: &Facts, mut reader: Reader<'_>, constants: [Option<u64>; 2]) -> Calls {
    let op = reader.operator();
    if op.effects().calls == MayCall::Tests {
        if op.operator().immediates == Immediates::Cast {
            reader.u8();
            reader.u32();
            reader.i64();
        }
        return test(facts, heap_type(reader.i64()));
    }
    let mut immediates = [0; 2];
    for immediate in &mut immediates[..op.operator().immediates.indices()] {
        *immediate = reader.u32();
    }
    of(facts, op, immediates, constants)
}

/// A heap type as it stands in a body, as far as `test` asks.
fn heap_type(code: i64) -> HeapType {
    match u32::try_from(code) {
        Ok(index) => HeapType::Concrete(UnpackedIndex::Module(index)),
        Err(_) => HeapType::Abstract { shared: false, ty: AbstractHeapType::Any },
    }
}
