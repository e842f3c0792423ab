//! What operators do to registers and memories beside computing: the one place that both sweeps ask.
//!
//! Sweep 1 notes `Calls` of each operator in the survey, both ways through it. Sweep 2 plans homes and windows by
//! that; wherever it emits a call, `FuncGen::emit_call` proves in checked builds that the operator at hand is one of
//! which this page says that it calls, and that the survey has noted as much of the block around it.

use crate::bulk::{is_small_copy, is_small_fill};
use crate::compile::FuncGen;
use crate::facts::{Callee, Facts, Owner, Storage};
use crate::gc::MANY_FIELDS;
use crate::isa::Isa;
use crate::operators::Op;
use crate::reader::Reader;
use crate::ty::Ty;
use wasmparser::{AbstractHeapType, HeapType, UnpackedIndex};

/// What an operator does to registers, and where control is afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Calls {
    /// Nothing is called.
    #[default]
    No,
    /// A stub calls, and puts all registers back.
    Detour,
    /// It calls, perhaps more than once, and goes on after that.
    Returns,
    /// It makes one call, behind which it does nothing but take the results: where `unreachable` comes next, control
    /// does not come back from it.
    Last,
    /// Control does not come back. What it calls on the way finds everything in slots.
    Leaves,
    /// It calls nothing, but ends the function with a jump that may leave the module. The frame is gone by then, and
    /// yet the stack may grow: whoever enters this module again makes a frame for it, so a chain of such jumps is as
    /// deep as one of calls, and each function in it has to look at the limit.
    Onward,
}

/// Operators of one byte of which the opcode says it all.
pub(crate) const fn basic(opcode: u8) -> Calls {
    match opcode {
        0x10 | 0x11 | 0x14 => Calls::Last,
        // `return_call_indirect` may have to fill in the table's element first, and the arguments live across that.
        0x13 => Calls::Returns,
        // `throw`, `throw_ref`
        0x08 | 0x0a => Calls::Leaves,
        // `return_call_ref`
        0x15 => Calls::Onward,
        // `memory.grow`, `table.get`, `ref.func`
        0x40 | 0x25 | 0xd2 => Calls::Returns,
        // Continuations. `resume` goes on at the pad of a handler, too.
        0xe0..=0xe6 => Calls::Returns,
        _ => Calls::No,
    }
}

/// `return_call` of a function.
pub(crate) fn tail_call(facts: &Facts, func: u32) -> Calls {
    match facts.funcs[func as usize].callee {
        Callee::Imported { .. } => Calls::Onward,
        Callee::Defined { .. } => Calls::No,
    }
}

/// `global.get`, `global.set`, `table.set` of values of a type.
pub(crate) fn of_place(facts: &Facts, ty: Ty) -> Calls {
    if ty == Ty::GcRef && facts.counts() { Calls::Returns } else { Calls::No }
}

/// Operators behind 0xfc, with their first two immediates and the constants that the two operators before have pushed.
pub(crate) fn prefixed(opcode: u32, first: u32, second: u32, constants: [Option<u64>; 2]) -> Calls {
    let small = match (opcode, first, second, constants) {
        (10, 0, 0, [_, Some(bytes)]) => is_small_copy(bytes),
        (11, 0, _, [Some(byte), Some(bytes)]) => is_small_fill(byte, bytes),
        _ => false,
    };
    // All from `memory.init` to `table.fill`, but for `table.size`.
    if matches!(opcode, 8..=17) && opcode != 16 && !small { Calls::Returns } else { Calls::No }
}

/// Operators behind 0xfe: `notify` and both `wait`.
pub(crate) const fn atomic(opcode: u32) -> Calls {
    if opcode < 3 { Calls::Returns } else { Calls::No }
}

/// Operators behind 0xfd: the host may have to multiply and add.
pub(crate) fn vector(facts: &Facts, opcode: u32) -> Calls {
    if matches!(opcode, 0x105..=0x108) && facts.settings.calls_for_fma() { Calls::Returns } else { Calls::No }
}

/// Reading or writing something in an object that is kept like this.
fn access(facts: &Facts, storage: Option<Storage>) -> Calls {
    match storage {
        Some(Storage::Func(_)) => Calls::Returns,
        Some(Storage::Gc { traced }) if traced && facts.counts() => Calls::Returns,
        _ => Calls::No,
    }
}

/// Operators behind 0xfb on objects of a type, or on a field of one.
pub(crate) fn object(facts: &Facts, opcode: u32, ty: u32, field: u32) -> Calls {
    let in_line = || match &facts.objects[ty as usize] {
        Some(object) if facts.makes_in_line(object) => Calls::Detour,
        _ => Calls::Returns,
    };
    match opcode {
        // `struct.new`, `array.new_fixed`
        0 | 8 => in_line(),
        // `struct.new_default`
        1 => match &facts.objects[ty as usize] {
            Some(object) if object.fields.len() <= MANY_FIELDS => in_line(),
            _ => Calls::Returns,
        },
        // `struct.get`, `struct.set`
        2 | 5 => access(facts, facts.field(ty, field)),
        // `array.get`, `array.set`
        11 | 14 => access(facts, facts.field(ty, 0)),
        // Arrays that are made, filled, copied.
        6 | 7 | 9 | 10 | 16..=19 => Calls::Returns,
        _ => Calls::No,
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
fn of_next(facts: &Facts, mut reader: Reader<'_>, constants: [Option<u64>; 2]) -> Calls {
    let opcode = reader.u8();
    match opcode {
        0x12 => tail_call(facts, reader.u32()),
        0x23 | 0x24 => of_place(facts, facts.globals[reader.u32() as usize].ty),
        0x26 => of_place(facts, facts.tables[reader.u32() as usize].elem),
        0xfb => {
            let opcode = reader.u32();
            match opcode {
                20..=23 => test(facts, heap_type(reader.i64())),
                24 | 25 => {
                    reader.u8();
                    reader.u32();
                    reader.i64();
                    test(facts, heap_type(reader.i64()))
                }
                0..=19 if opcode != 15 => {
                    let ty = reader.u32();
                    let field = if matches!(opcode, 2..=5) { reader.u32() } else { 0 };
                    object(facts, opcode, ty, field)
                }
                _ => Calls::No,
            }
        }
        0xfc => {
            let opcode = reader.u32();
            let first = if matches!(opcode, 8..=17) { reader.u32() } else { 0 };
            let second = if matches!(opcode, 8 | 10 | 12 | 14) { reader.u32() } else { 0 };
            prefixed(opcode, first, second, constants)
        }
        0xfd => vector(facts, reader.u32()),
        0xfe => atomic(reader.u32()),
        _ => basic(opcode),
    }
}

/// A heap type as it stands in a body, as far as `test` asks.
fn heap_type(code: i64) -> HeapType {
    match u32::try_from(code) {
        Ok(index) => HeapType::Concrete(UnpackedIndex::Module(index)),
        Err(_) => HeapType::Abstract { shared: false, ty: AbstractHeapType::Any },
    }
}

/// What a call that sweep 2 emits is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comes {
    /// Control comes back, to this operator or behind it.
    Back,
    /// Control comes back to a stub, which has saved all registers, or to code behind the function's last operator.
    ToMargin,
    /// Control does not come back.
    Never,
}

impl<I: Isa> FuncGen<'_, I> {
    /// Notes what the next operator does, to prove that it does no more.
    pub(crate) fn expect_effects(&mut self) {
        let constant = |below: usize| {
            let at = self.stack.len().checked_sub(1 + below)?;
            self.stack[at].as_const()
        };
        self.expected = of_next(self.facts, self.reader, [constant(1), constant(0)]);
    }

    /// Does control come back from the operator, whose last call has been made? Only to be asked there, of operators
    /// that make no more than that one (`Calls::Last`).
    pub(crate) fn comes_back(&self) -> bool {
        self.reader.at_end() || self.reader.peek_op() != Op::Unreachable
    }

    /// Registers that calls destroy are about to be destroyed: proves that the survey has said so.
    pub(crate) fn prove_call(&self, comes: Comes) {
        if comes != Comes::Back {
            return;
        }
        let at = self.wasm;
        assert!(self.survey_may_call(), "a call at {at:#x} in a function that has none");
        let back = match self.expected {
            Calls::Returns => true,
            // Control comes back, or goes to a handler of this function, with what calls preserve.
            Calls::Last => self.comes_back() || self.is_handled(),
            Calls::Leaves => self.is_handled(),
            Calls::No | Calls::Detour | Calls::Onward => panic!("a call at {at:#x} of an operator that makes none"),
        };
        if back {
            assert!(self.regs.locked.is_empty(), "a call at {at:#x} in a loop that keeps locals in registers");
            assert!(self.survey_knows_of_call(), "a call at {at:#x} in a block that has none");
        }
    }
}
