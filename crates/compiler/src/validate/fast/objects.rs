//! References and objects in the fast sweep.
//!
//! Operands in unreachable code, of which no type is known, are for the judge to decide where an operator gives what
//! it takes.

use super::Sweep;
use super::leb;
use super::operands::{BOTTOM, F32, F64, I32, I64, V128, Word, code};
use crate::operators::{Op, Prefix};
use crate::treaty::ty::Ty;
use crate::validate::survey::value_type;
use wasmparser::{
    AbstractHeapType, ArrayType, BinaryReader, CompositeInnerType, FieldType, FuncType, HeapType, RefType,
    UnpackedIndex, ValType, ValidatorResources, WasmModuleResources,
};

impl Sweep<'_> {
    // ---- types

    /// The code of a canonical type.
    pub(super) fn code_of(&mut self, ty: ValType) -> Option<u8> {
        if let Some(ty) = Ty::of(ty) {
            return Some(code(ty));
        }
        let ValType::Ref(reference) = ty else { return None };
        if let Some(known) = self.spilled.types.named(reference) {
            return Some(known);
        }
        let resources = self.resources;
        let machine = value_type(ty, |index| match index {
            UnpackedIndex::Id(id) => match resources.sub_type_at_id(id).composite_type.inner {
                CompositeInnerType::Func(_) => Ty::FuncRef,
                CompositeInnerType::Cont(_) => Ty::ContRef,
                _ => Ty::GcRef,
            },
            _ => Ty::GcRef,
        })?;
        // Continuations are for the judge to decide.
        if machine == Ty::ContRef {
            return None;
        }
        self.spilled.types.name(resources, reference, machine)
    }

    /// Reads the type of a value from bytes: its code, and where it ends.
    #[inline(never)]
    pub(super) fn typed(&mut self, bytes: &[u8], pos: usize) -> Option<(u8, usize)> {
        let mut reader = BinaryReader::new(bytes.get(pos..)?, 0);
        let mut ty: ValType = reader.read().ok()?;
        self.resources.check_value_type(&mut ty, &self.rules.features, 0).ok()?;
        Some((self.code_of(ty)?, pos + reader.current_position()))
    }

    /// Reads a heap type: as it stands, its canonical form, and where it ends.
    fn heap_type(&self, bytes: &[u8], pos: usize) -> Option<(HeapType, HeapType, usize)> {
        let mut reader = BinaryReader::new(bytes.get(pos..)?, 0);
        let read: HeapType = reader.read().ok()?;
        let mut ty = ValType::Ref(RefType::new(true, read)?);
        self.resources.check_value_type(&mut ty, &self.rules.features, 0).ok()?;
        let ValType::Ref(ty) = ty else { return None };
        Some((read, ty.heap_type(), pos + reader.current_position()))
    }

    fn reference(&mut self, nullable: bool, ty: HeapType) -> Option<u8> {
        self.code_of(ValType::Ref(RefType::new(nullable, ty)?))
    }

    fn abstract_reference(&mut self, nullable: bool, ty: AbstractHeapType) -> Option<u8> {
        self.reference(nullable, HeapType::Abstract { shared: false, ty })
    }

    /// The code of references to the type with an index.
    fn concrete(&mut self, index: u32, nullable: bool) -> Option<u8> {
        if let Some(known) = self.spilled.types.by_index(index, nullable) {
            return Some(known);
        }
        let mut ty = HeapType::Concrete(UnpackedIndex::Module(index));
        self.resources.check_heap_type(&mut ty, 0).ok()?;
        let code = self.reference(nullable, ty)?;
        self.spilled.types.set_by_index(index, nullable, code);
        Some(code)
    }

    fn array(&self, index: u32) -> Option<FieldType> {
        match &self.resources.sub_type_at(index)?.composite_type.inner {
            CompositeInnerType::Array(ArrayType(field)) => Some(*field),
            _ => None,
        }
    }

    /// Takes off the operand on top if it is a reference of a known type.
    fn pop_reference(&mut self, word: Word) -> Option<(Word, RefType)> {
        let (word, code) = self.pop_any(word)?;
        if code == BOTTOM {
            return None;
        }
        Some((word, self.spilled.types.reference(code)?))
    }

    // ---- locals

    /// A touch of a local whose type only its declaration tells: gives its code. What has no default value must have
    /// been written before it is read.
    #[inline(never)]
    pub(super) fn touch_reference(&mut self, local: u32, write: bool) -> Option<u8> {
        let code = self.local_code(local)?;
        if self.spilled.types.has_default(code) || (local as usize) < self.sig.params.len() {
            return Some(code);
        }
        let at = local as usize;
        if self.inits.written.len() <= at {
            self.inits.written.resize(at + 1, 0);
        }
        if self.inits.written[at] == self.inits.now {
            return Some(code);
        }
        if !write {
            return None;
        }
        self.inits.written[at] = self.inits.now;
        self.inits.order.push(local);
        Some(code)
    }

    /// At the end of a block: what was written in it may not have been.
    #[cold]
    #[inline(never)]
    pub(super) fn forget_writes(&mut self, first: u32) {
        for local in self.inits.order.drain(first as usize..) {
            self.inits.written[local as usize] = 0;
        }
    }

    // ---- calls

    /// Takes off arguments and pushes results.
    #[inline(never)]
    pub(super) fn typed_call(&mut self, ty: &FuncType, mut word: Word) -> Option<Word> {
        word = self.pop_all(ty.params(), word)?;
        for ty in ty.results() {
            let code = self.code_of(*ty)?;
            word = self.spilled.push(word, code);
        }
        (ty.results().len() <= 2 || self.is_low()).then_some(word)
    }

    /// Takes off arguments of a call whose results are the function's own.
    #[inline(never)]
    pub(super) fn typed_tail_call(&mut self, ty: &FuncType, word: Word) -> Option<()> {
        self.pop_all(ty.params(), word)?;
        let block = self.blocks[0];
        if self.label_arity(&block) != ty.results().len() {
            return None;
        }
        for (at, ty) in ty.results().iter().enumerate() {
            let (found, expected) = (self.code_of(*ty)?, self.label_code(&block, at));
            if found != expected && !self.spilled.types.is_subtype(found, expected) {
                return None;
            }
        }
        Some(())
    }

    fn pop_all(&mut self, types: &[ValType], mut word: Word) -> Option<Word> {
        for ty in types.iter().rev() {
            let code = self.code_of(*ty)?;
            word = if word as u8 == code { word >> 8 } else { self.spilled.pop(word, &[code])? };
        }
        self.survey.steps += types.len() as u64;
        Some(word)
    }

    // ---- operators

    /// `ref.null` of any type.
    pub(super) fn ref_null(&mut self, bytes: &[u8], pos: usize) -> Option<(u8, usize)> {
        let (_, ty, next) = self.heap_type(bytes, pos)?;
        Some((self.reference(true, ty)?, next))
    }

    /// The type of `ref.func`.
    pub(super) fn ref_func(&mut self, index: u32) -> Option<u8> {
        if self.rules.features.custom_descriptors() {
            return None;
        }
        let id = self.resources.type_id_of_function(index)?;
        self.reference(false, HeapType::Concrete(UnpackedIndex::Id(id)))
    }

    /// `ref.eq`
    pub(super) fn ref_eq(&mut self, word: Word) -> Option<Word> {
        let eq = self.abstract_reference(true, AbstractHeapType::Eq)?;
        let word = self.spilled.pop(word, &[eq, eq])?;
        Some(self.spilled.push(word, I32))
    }

    /// `ref.as_non_null`
    pub(super) fn ref_as_non_null(&mut self, word: Word) -> Option<Word> {
        let (word, ty) = self.pop_reference(word)?;
        let code = self.reference(false, ty.heap_type())?;
        Some(self.spilled.push(word, code))
    }

    /// `br_on_null`
    pub(super) fn br_on_null(&mut self, depth: u32, word: Word) -> Option<Word> {
        let (word, ty) = self.pop_reference(word)?;
        let target = self.target(depth)?;
        let word = self.exchange(target, word)?;
        let code = self.reference(false, ty.heap_type())?;
        self.survey.branch(depth);
        Some(self.spilled.push(word, code))
    }

    /// `br_on_non_null`: the label takes what it takes without the last, and that.
    pub(super) fn br_on_non_null(&mut self, depth: u32, word: Word) -> Option<Word> {
        let last = self.last_of_one(depth)?;
        let nullable = self.spilled.types.reference(last)?.heap_type();
        let nullable = self.reference(true, nullable)?;
        let word = self.spilled.pop(word, &[nullable])?;
        self.survey.branch(depth);
        Some(word)
    }

    /// The code of what a label takes that takes one value.
    fn last_of_one(&self, depth: u32) -> Option<u8> {
        let block = self.blocks.get(self.target(depth)?)?;
        (self.label_arity(block) == 1).then(|| self.label_code(block, 0))
    }

    /// `call_ref` and `return_call_ref`: takes off the function.
    pub(super) fn callee(&mut self, index: u32, word: Word) -> Option<Word> {
        function_type(self.resources, index)?;
        let code = self.concrete(index, true)?;
        if word as u8 == code { Some(word >> 8) } else { self.spilled.pop(word, &[code]) }
    }

    /// An operator on objects: where it ends, and the word behind it.
    #[inline(never)]
    pub(super) fn object(&mut self, bytes: &[u8], mut pos: usize, mut word: Word) -> Option<(usize, Word)> {
        if self.rules.features.custom_descriptors() {
            return None;
        }
        let op = Prefix::Object.operator(number(bytes, &mut pos)?)?;
        match op {
            Op::StructNew | Op::StructNewDefault => {
                let index = number(bytes, &mut pos)?;
                let fields = structure(self.resources, index)?;
                if op == Op::StructNew {
                    for field in fields.iter().rev() {
                        word = self.pop_value(*field, word)?;
                    }
                    self.survey.steps += fields.len() as u64;
                } else if !self.facts.objects[index as usize].as_ref()?.has_default {
                    return None;
                }
                let gives = self.concrete(index, false)?;
                word = self.spilled.push(word, gives);
                self.survey.object(self.facts, op, index, 0);
            }
            Op::StructGet | Op::StructGetS | Op::StructGetU => {
                let (index, field) = (number(bytes, &mut pos)?, number(bytes, &mut pos)?);
                let ty = *structure(self.resources, index)?.get(field as usize)?;
                word = self.pop_concrete(index, word)?;
                word = self.push_field(ty, op != Op::StructGet, word)?;
                self.survey.object(self.facts, op, index, field);
            }
            Op::StructSet => {
                let (index, field) = (number(bytes, &mut pos)?, number(bytes, &mut pos)?);
                let ty = *structure(self.resources, index)?.get(field as usize).filter(|field| field.mutable)?;
                word = self.pop_value(ty, word)?;
                word = self.pop_concrete(index, word)?;
                self.survey.object(self.facts, op, index, field);
            }
            Op::ArrayNew | Op::ArrayNewDefault => {
                let index = number(bytes, &mut pos)?;
                let field = self.array(index)?;
                word = self.spilled.pop(word, &[I32])?;
                if op == Op::ArrayNew {
                    word = self.pop_value(field, word)?;
                } else if !field.element_type.unpack().is_defaultable() {
                    return None;
                }
                let gives = self.concrete(index, false)?;
                word = self.spilled.push(word, gives);
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArrayNewFixed => {
                let (index, count) = (number(bytes, &mut pos)?, number(bytes, &mut pos)?);
                let field = self.array(index)?;
                if count > MAX_FIXED {
                    return None;
                }
                for _ in 0..count {
                    word = self.pop_value(field, word)?;
                }
                self.survey.steps += u64::from(count);
                let gives = self.concrete(index, false)?;
                word = self.spilled.push(word, gives);
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArrayNewData => {
                let (index, segment) = (number(bytes, &mut pos)?, number(bytes, &mut pos)?);
                let numeric = !matches!(self.array(index)?.element_type.unpack(), ValType::Ref(_));
                if !numeric || self.resources.data_count().is_none_or(|count| segment >= count) {
                    return None;
                }
                word = self.spilled.pop(word, &[I32, I32])?;
                let gives = self.concrete(index, false)?;
                word = self.spilled.push(word, gives);
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArrayGet | Op::ArrayGetS | Op::ArrayGetU => {
                let index = number(bytes, &mut pos)?;
                let field = self.array(index)?;
                word = self.spilled.pop(word, &[I32])?;
                word = self.pop_concrete(index, word)?;
                word = self.push_field(field, op != Op::ArrayGet, word)?;
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArraySet => {
                let index = number(bytes, &mut pos)?;
                let field = Some(self.array(index)?).filter(|field| field.mutable)?;
                word = self.pop_value(field, word)?;
                word = self.spilled.pop(word, &[I32])?;
                word = self.pop_concrete(index, word)?;
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArrayLen => {
                let array = self.abstract_reference(true, AbstractHeapType::Array)?;
                word = self.spilled.pop(word, &[array])?;
                word = self.spilled.push(word, I32);
                self.survey.object(self.facts, op, 0, 0);
            }
            Op::ArrayFill => {
                let index = number(bytes, &mut pos)?;
                let field = Some(self.array(index)?).filter(|field| field.mutable)?;
                word = self.spilled.pop(word, &[I32])?;
                word = self.pop_value(field, word)?;
                word = self.spilled.pop(word, &[I32])?;
                word = self.pop_concrete(index, word)?;
                self.survey.object(self.facts, op, index, 0);
            }
            Op::ArrayCopy => {
                let (to, from) = (number(bytes, &mut pos)?, number(bytes, &mut pos)?);
                let to_field = Some(self.array(to)?).filter(|field| field.mutable)?;
                // What is not of the same type may still match: the judge knows.
                if to_field.element_type != self.array(from)?.element_type {
                    return None;
                }
                word = self.spilled.pop(word, &[I32, I32])?;
                word = self.pop_concrete(from, word)?;
                word = self.spilled.pop(word, &[I32])?;
                word = self.pop_concrete(to, word)?;
                self.survey.object(self.facts, op, to, 0);
            }
            Op::RefTestNonNull | Op::RefTestNullable | Op::RefCastNonNull | Op::RefCastNullable => {
                let (read, ty, next) = self.heap_type(bytes, pos)?;
                pos = next;
                let from = self.resources.top_type(&ty);
                let from = self.reference(true, from)?;
                let to = self.reference(matches!(op, Op::RefTestNullable | Op::RefCastNullable), ty)?;
                word = self.spilled.pop(word, &[from])?;
                word = self
                    .spilled
                    .push(word, if matches!(op, Op::RefTestNonNull | Op::RefTestNullable) { I32 } else { to });
                self.survey.test(self.facts, read);
            }
            Op::BrOnCast | Op::BrOnCastFail => {
                let flags = *bytes.get(pos).filter(|flags| **flags < 4)?;
                pos += 1;
                let depth = number(bytes, &mut pos)?;
                let (_, from, next) = self.heap_type(bytes, pos)?;
                let (read, to, next) = self.heap_type(bytes, next)?;
                pos = next;
                let from_type = RefType::new(flags & 1 != 0, from)?;
                let to_type = RefType::new(flags & 2 != 0, to)?;
                if !self.resources.is_subtype(ValType::Ref(to_type), ValType::Ref(from_type)) {
                    return None;
                }
                let from = self.code_of(ValType::Ref(from_type))?;
                let to = self.code_of(ValType::Ref(to_type))?;
                let rest = self.code_of(ValType::Ref(RefType::difference(from_type, to_type)))?;
                let (taken, stays) = if op == Op::BrOnCast { (to, rest) } else { (rest, to) };
                let label = self.last_of_one(depth)?;
                if taken != label && !self.spilled.types.is_subtype(taken, label) {
                    return None;
                }
                word = self.spilled.pop(word, &[from])?;
                word = self.spilled.push(word, stays);
                self.survey.test(self.facts, read);
                self.survey.branch(depth);
            }
            Op::AnyConvertExtern | Op::ExternConvertAny => {
                use AbstractHeapType::{Any, Extern};
                let (from, to) = if op == Op::AnyConvertExtern { (Extern, Any) } else { (Any, Extern) };
                let (below, found) = self.pop_any(word)?;
                // Of what type an operand is that matches all, the judge knows.
                let ty = self.spilled.types.reference(found)?;
                let from = self.abstract_reference(true, from)?;
                if found != from && !self.spilled.types.is_subtype(found, from) {
                    return None;
                }
                word = below;
                let gives = self.abstract_reference(ty.is_nullable(), to)?;
                word = self.spilled.push(word, gives);
            }
            Op::RefI31 => {
                word = self.spilled.pop(word, &[I32])?;
                let gives = self.abstract_reference(false, AbstractHeapType::I31)?;
                word = self.spilled.push(word, gives);
            }
            Op::I31GetS | Op::I31GetU => {
                let i31 = self.abstract_reference(true, AbstractHeapType::I31)?;
                word = self.spilled.pop(word, &[i31])?;
                word = self.spilled.push(word, I32);
            }
            _ => return None,
        }
        Some((pos, word))
    }

    fn pop_concrete(&mut self, index: u32, word: Word) -> Option<Word> {
        let code = self.concrete(index, true)?;
        if word as u8 == code { Some(word >> 8) } else { self.spilled.pop(word, &[code]) }
    }

    /// Takes off the value of a field.
    fn pop_value(&mut self, field: FieldType, word: Word) -> Option<Word> {
        let code = self.unpacked(field)?;
        if word as u8 == code { Some(word >> 8) } else { self.spilled.pop(word, &[code]) }
    }

    /// Pushes the value of a field, which is of a packed type or not.
    fn push_field(&mut self, field: FieldType, packed: bool, word: Word) -> Option<Word> {
        if field.element_type.is_packed() != packed {
            return None;
        }
        let code = self.unpacked(field)?;
        Some(self.spilled.push(word, code))
    }

    fn unpacked(&mut self, field: FieldType) -> Option<u8> {
        Some(match field.element_type.unpack() {
            ValType::I32 => I32,
            ValType::I64 => I64,
            ValType::F32 => F32,
            ValType::F64 => F64,
            ValType::V128 => V128,
            reference @ ValType::Ref(_) => self.code_of(reference)?,
        })
    }
}

/// The canonical type of the functions of a type index.
pub(super) fn function_type(resources: &ValidatorResources, index: u32) -> Option<&FuncType> {
    match &resources.sub_type_at(index)?.composite_type.inner {
        CompositeInnerType::Func(ty) => Some(ty),
        _ => None,
    }
}

/// The fields of a structure.
fn structure(resources: &ValidatorResources, index: u32) -> Option<&[FieldType]> {
    let ty = &resources.sub_type_at(index)?.composite_type;
    match &ty.inner {
        CompositeInnerType::Struct(ty) => Some(&ty.fields),
        _ => None,
    }
}

/// The most elements of `array.new_fixed`.
const MAX_FIXED: u32 = 10_000;

/// Which locals without a default value have been written, on the way to here.
#[derive(Default)]
pub(super) struct Inits {
    /// By local: the number of the function in which it was, if it was.
    written: Vec<u32>,
    /// The locals that were written, in order.
    order: Vec<u32>,
    /// Counts functions, from 1 on.
    now: u32,
}

impl Inits {
    /// Begins a function.
    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.now = self.now.checked_add(1).unwrap_or_else(|| {
            self.written.clear();
            1
        });
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.order.len() as u32
    }
}

/// Reads an unsigned 32-bit number.
pub(super) fn number(bytes: &[u8], pos: &mut usize) -> Option<u32> {
    let (value, len) = leb::u32(bytes, *pos);
    *pos += len as usize;
    (len > 0).then_some(value)
}
