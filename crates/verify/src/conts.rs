//! References to continuations: a pointer to a record of the host's and the revision that it had. Which revision
//! belongs to which pointer decides what may be done with it, so the two are never taken apart without its being known
//! where the other is: in a vector register they are one value; in the frame two words, of which each knows that it
//! goes with the other; and where they are passed as two, both have the same identity. Two zeros are a null reference,
//! whatever they are otherwise. The type of a reference is that of the functions that continuations of its type have.

#[cfg(test)]
mod tests;

use crate::abi::{Part, Passed, Place};
use crate::decode::{Instruction, Reader};
use crate::facts::{Facts, Signature, TypeKind, ValueType};
use crate::operand::Spot;
use crate::state::{NONE, Types};
use crate::transfer::Operand;
use crate::value::{FRESH, IDENTITY, PAIRED, Tag, Value};
use crate::walk::{Proved, Role, Walk};
use iced_x86::Mnemonic;
use std::collections::HashMap;

/// What is known of each vector register: [`NULL_REFERENCE`], `REFERENCE +` a type as values have it, or 0 for nothing.
pub(crate) type Conts = [u32; 16];

pub(crate) const NO_CONTS: Conts = [0; 16];

/// All of it is zero.
pub(crate) const NULL_REFERENCE: u32 = 1;

/// A reference to a continuation, of a type.
const REFERENCE: u32 = 2;

/// The types of functions of which there may be continuations. In values a type of functions is its number plus 1, that
/// of the first that takes and gives the same; 0 stands for any.
#[derive(Default)]
pub(crate) struct Functions {
    /// By type number.
    signatures: Vec<Option<Signature>>,
    canonical: Vec<u32>,
    by_signature: HashMap<Signature, u32>,
    /// By the number of a type of continuations: that of their functions.
    of_conts: Vec<u32>,
}

/// Are there references to continuations? There may be where no type is of continuations: of those there are none.
fn has_continuations(facts: &Facts) -> bool {
    let is = |ty: &ValueType| matches!(ty, ValueType::Cont { .. });
    let in_type = |kind: &TypeKind| match kind {
        TypeKind::Continuation(_) => true,
        TypeKind::Function(signature) => signature.params.iter().chain(&signature.results).any(is),
        TypeKind::Object => false,
    };
    facts.types.iter().any(|ty| in_type(&ty.kind))
        || facts.globals.iter().any(|global| is(&global.ty))
        || facts.tables.iter().any(|table| is(&table.element))
        || facts.elements.iter().any(is)
}

impl Functions {
    pub(crate) fn of(facts: &Facts) -> Functions {
        if facts.stacks.is_none() || !has_continuations(facts) {
            return Functions::default();
        }
        let mut functions = Functions::default();
        for (number, ty) in facts.types.iter().enumerate() {
            let signature = if let TypeKind::Function(signature) = &ty.kind { Some(signature.clone()) } else { None };
            let canonical = match &signature {
                Some(signature) => {
                    *functions.by_signature.entry(signature.clone()).or_insert_with(|| number as u32 + 1)
                }
                None => 0,
            };
            functions.canonical.push(canonical);
            functions.signatures.push(signature);
        }
        for ty in facts.types.iter() {
            let function = if let TypeKind::Continuation(function) = ty.kind { function + 1 } else { 0 };
            let canonical = functions.canonical(function);
            functions.of_conts.push(canonical);
        }
        functions
    }

    /// Are there any?
    pub(crate) fn any(&self) -> bool {
        !self.canonical.is_empty()
    }

    /// A type as values have it, of any that takes and gives the same.
    pub(crate) fn canonical(&self, of: u32) -> u32 {
        of.checked_sub(1).and_then(|ty| self.canonical.get(ty as usize)).copied().unwrap_or(0)
    }

    /// The type, as values have it, of the functions of a type of continuations.
    pub(crate) fn of_cont(&self, ty: Option<u32>) -> u32 {
        ty.and_then(|ty| self.of_conts.get(ty as usize)).copied().unwrap_or(0)
    }

    /// What functions of a type take and give.
    pub(crate) fn signature(&self, of: u32) -> Proved<&Signature> {
        let signature = of.checked_sub(1).and_then(|ty| self.signatures.get(ty as usize)).and_then(Option::as_ref);
        signature.ok_or("continuation of which the type is not known")
    }

    /// The type of functions that take and give this, if the module has one.
    pub(crate) fn with(&self, params: &[ValueType], results: &[ValueType]) -> u32 {
        let signature = Signature { params: params.to_vec(), results: results.to_vec() };
        self.by_signature.get(&signature).copied().unwrap_or(0)
    }
}

impl Types {
    /// Is every value of a type one of another, too?
    pub(crate) fn fits(&self, have: ValueType, want: ValueType) -> bool {
        match (have, want) {
            _ if have == want => true,
            (ValueType::Func(have), ValueType::Func(want)) => {
                let typed = match (have.ty, want.ty) {
                    (_, None) => true,
                    (Some(crate::facts::NO_FUNCTION), _) => want.nullable,
                    (Some(have), Some(want)) => self.is_subtype(have, want),
                    (None, _) => false,
                };
                typed && (want.nullable || !have.nullable)
            }
            (ValueType::Cont { .. }, ValueType::Cont { ty: None }) => true,
            (ValueType::Cont { ty: Some(have) }, ValueType::Cont { ty: Some(want) }) => {
                let of = self.functions.of_cont(Some(have));
                self.is_subtype(have, want) || of != 0 && of == self.functions.of_cont(Some(want))
            }
            _ => false,
        }
    }

    pub(crate) fn all_fit(&self, have: &[ValueType], want: &[ValueType]) -> bool {
        have.len() == want.len() && have.iter().zip(want).all(|(have, want)| self.fits(*have, *want))
    }

    /// May a continuation of functions of one type be used as one of another?
    pub(crate) fn fits_cont(&self, have: u32, want: u32) -> bool {
        if have == want || want == 0 {
            return true;
        }
        let (Ok(have), Ok(want)) = (self.functions.signature(have), self.functions.signature(want)) else {
            return false;
        };
        self.all_fit(&want.params, &have.params) && self.all_fit(&have.results, &want.results)
    }

    /// One of two types that the other fits, or any.
    pub(crate) fn common_cont(&self, a: u32, b: u32) -> u32 {
        if self.fits_cont(a, b) {
            b
        } else if self.fits_cont(b, a) {
            a
        } else {
            0
        }
    }
}

const WRONG: &str = "not a continuation of the type";

impl Walk<'_> {
    // ---- vector registers

    /// What is known of a vector register.
    pub(crate) fn kind(&self, reg: usize) -> u32 {
        self.conts[self.st.conts as usize][reg]
    }

    pub(crate) fn set_kind(&mut self, reg: usize, kind: u32) {
        if self.kind(reg) == kind {
            return;
        }
        let mut conts = self.conts[self.st.conts as usize];
        conts[reg] = kind;
        self.st.conts = self.keep_conts(conts);
    }

    fn keep_conts(&mut self, conts: Conts) -> u32 {
        if conts == NO_CONTS || !self.p.types.functions.any() {
            return 0;
        }
        self.conts.push(conts);
        self.conts.len() as u32 - 1
    }

    /// What is known where paths meet, by numbers: the first if nothing of that is lost.
    pub(crate) fn join_conts(&mut self, known: u32, other: u32) -> u32 {
        if known == other {
            return known;
        }
        let (old, other) = (self.conts[known as usize], self.conts[other as usize]);
        let mut joined = old;
        for (to, from) in joined.iter_mut().zip(other) {
            *to = match (*to, from) {
                (a, b) if a == b => a,
                (NULL_REFERENCE, b) if b >= REFERENCE => b,
                (a, NULL_REFERENCE) if a >= REFERENCE => a,
                (a, b) if a >= REFERENCE && b >= REFERENCE => {
                    REFERENCE + self.p.types.common_cont(a - REFERENCE, b - REFERENCE)
                }
                _ => 0,
            };
        }
        if joined == old { known } else { self.keep_conts(joined) }
    }

    /// A vector register is an argument.
    pub(crate) fn take_vector(&mut self, reg: usize, ty: ValueType) {
        if let ValueType::Cont { ty } = ty {
            let of = self.p.types.functions.of_cont(ty);
            self.st.vectors.set(reg, 0);
            self.set_kind(reg, REFERENCE + of);
        } else {
            self.st.vectors.set(reg, crate::abi::bytes(ty));
            self.set_kind(reg, 0);
        }
    }

    /// Is what a vector register holds a reference of this type?
    pub(crate) fn check_reference(&self, reg: usize, ty: ValueType) -> Proved<()> {
        let kind = self.kind(reg);
        self.check_cont((kind != 0).then_some(kind), ty)
    }

    /// Is it one of this type?
    pub(crate) fn check_cont(&self, kind: Option<u32>, ty: ValueType) -> Proved<()> {
        let ValueType::Cont { ty } = ty else { return Err(WRONG) };
        let want = self.p.types.functions.of_cont(ty);
        match kind {
            Some(NULL_REFERENCE) => Ok(()),
            Some(kind @ REFERENCE..) if self.p.types.fits_cont(kind - REFERENCE, want) => Ok(()),
            _ => Err(WRONG),
        }
    }

    /// Its type, if it is not null for certain.
    pub(crate) fn type_of(kind: Option<u32>) -> Proved<Option<u32>> {
        match kind {
            Some(NULL_REFERENCE) => Ok(None),
            Some(kind @ REFERENCE..) => Ok(Some(kind - REFERENCE)),
            _ => Err(WRONG),
        }
    }

    /// An instruction that moves a reference, as a whole or its pointer, or makes one. Says whether it is that.
    pub(crate) fn moves_reference(&mut self, instruction: &Instruction, first: Operand) -> Proved<bool> {
        use Mnemonic::{Movaps, Movd, Movdqa, Movdqu, Movhps, Movq, Movups};
        use Mnemonic::{Vmovaps, Vmovd, Vmovdqa, Vmovdqu, Vmovhps, Vmovq, Vmovups};
        if !self.p.types.functions.any() {
            return Ok(false);
        }
        let whole =
            matches!(instruction.mnemonic(), Movaps | Movups | Movdqa | Movdqu | Vmovaps | Vmovups | Vmovdqa | Vmovdqu);
        let second = self.operand(instruction, 1)?;
        match (first, second) {
            (Operand::Vector(to), Operand::Vector(from)) if whole && self.kind(from) != 0 => {
                let kind = self.kind(from);
                self.put_vector(to, kind);
                Ok(true)
            }
            (Operand::Vector(to), Operand::Memory) if whole => {
                let spot = self.spot(instruction, 16, false)?;
                let kind = match spot {
                    Spot::Frame(at) => self.reference_at(at),
                    Spot::Continuation(of) => Some(REFERENCE + of),
                    Spot::Global(global) => self.kind_of(self.p.facts.globals[global as usize].ty),
                    Spot::Element(table) => self.kind_of(self.p.facts.tables[table as usize].element),
                    _ => None,
                };
                let Some(kind) = kind else { return Ok(false) };
                self.align(instruction, spot)?;
                self.put_vector(to, kind);
                Ok(true)
            }
            (Operand::Memory, Operand::Vector(from)) if whole && self.kind(from) != 0 => {
                let kind = self.kind(from);
                let spot = self.spot(instruction, 16, true)?;
                self.align(instruction, spot)?;
                self.store_reference(spot, kind)
            }
            (Operand::Int(to, 8), Operand::Vector(from))
                if matches!(instruction.mnemonic(), Movq | Vmovq | Movd | Vmovd) && self.kind(from) >= REFERENCE =>
            {
                let of = self.kind(from) - REFERENCE;
                self.put(to, Value::of(Tag::Cont, of))?;
                Ok(true)
            }
            (Operand::Vector(to), Operand::Int(from, 8))
                if matches!(instruction.mnemonic(), Movq | Vmovq | Movd | Vmovd)
                    && self.st.regs[from].is(Tag::Cont) =>
            {
                // Only the revision of that very record, read at once, makes it a reference, and only the first.
                let mut next = Instruction::NONE;
                let read = Reader::new(&self.p.text[..self.end as usize]).read(self.next, &mut next);
                if read.is_none() || !matches!(next.mnemonic(), Movhps | Vmovhps) {
                    return Err("pointer as a vector");
                }
                self.set_kind(to, 0);
                self.st.vectors.set(to, 0);
                self.st.xmm15 = Value::UNDEF;
                self.half = Some((self.next, from, to));
                Ok(true)
            }
            (Operand::Vector(to), _) if matches!(instruction.mnemonic(), Movhps | Vmovhps) => {
                let Some((at, pointer, half)) = self.half else { return Ok(false) };
                let revision = self.p.facts.stacks.as_ref().map(|stacks| i64::from(stacks.revision));
                let source = if instruction.op_count() == 3 { second } else { Operand::Vector(to) };
                let own = at == self.at
                    && half == to
                    && matches!(source, Operand::Vector(source) if source == to)
                    && usize::from(instruction.base) == pointer
                    && instruction.index == NONE
                    && !instruction.narrow_address
                    && Some(instruction.disp) == revision;
                if !own {
                    return Err("reference that is put together of different parts");
                }
                let of = self.st.regs[pointer];
                if !of.is(Tag::Cont) || of.a() & FRESH == 0 {
                    return Err("second reference to a continuation");
                }
                for value in &mut self.st.regs {
                    if value.is(Tag::Cont) {
                        *value = Value::new(Tag::Cont, value.a() & !FRESH, value.b());
                    }
                }
                self.put_vector(to, REFERENCE + of.b());
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn put_vector(&mut self, to: usize, kind: u32) {
        self.st.vectors.set(to, if kind == NULL_REFERENCE { 16 } else { 0 });
        self.set_kind(to, kind);
        if to == 15 {
            self.st.xmm15 = Value::UNDEF;
        }
    }

    /// What values of a type are in a vector register, if they are references to continuations.
    fn kind_of(&self, ty: ValueType) -> Option<u32> {
        match ty {
            ValueType::Cont { ty } => Some(REFERENCE + self.p.types.functions.of_cont(ty)),
            _ => None,
        }
    }

    /// Stores a reference. Says whether this is where one may be; a null reference may also be a number.
    fn store_reference(&mut self, spot: Spot, kind: u32) -> Proved<bool> {
        let ty = match spot {
            Spot::Frame(at) => {
                self.write(spot, 16, Value::ANY)?;
                self.put_kind(at, kind);
                return Ok(true);
            }
            Spot::Global(global) => {
                let global = self.p.facts.globals[global as usize];
                if !global.mutable && self.role != Role::StartupRoutine {
                    return Err("store to a global that never changes");
                }
                global.ty
            }
            Spot::Element(table) => self.p.facts.tables[table as usize].element,
            Spot::Segment(ty) => ty,
            _ => ValueType::V128,
        };
        match ty {
            ValueType::Cont { .. } => self.check_cont(Some(kind), ty).map(|()| true),
            _ if kind == NULL_REFERENCE => Ok(false),
            _ => Err("store of a reference to where there is none"),
        }
    }

    // ---- the frame

    /// The reference in 16 bytes of the frame, if there is one.
    pub(crate) fn reference_at(&self, at: i32) -> Option<u32> {
        if at % 8 != 0 {
            return None;
        }
        let word = |at: i32| self.frames.get(self.st.slots, self.word(at));
        Self::reference_of(word(at), word(at + 8))
    }

    /// The reference that two words beside each other are.
    pub(crate) fn reference_of(first: Value, second: Value) -> Option<u32> {
        if first == Value::NULL && second == Value::NULL {
            return Some(NULL_REFERENCE);
        }
        let paired = first.a() & second.a() & PAIRED != 0;
        let same = first.a() & IDENTITY != 0 && (first.a() ^ second.a()) & IDENTITY == 0;
        let whole = first.is(Tag::Cont) && second.is(Tag::Revision) && (paired || same);
        whole.then(|| REFERENCE + first.b())
    }

    /// A reference of a type is written to the frame.
    pub(crate) fn put_reference(&mut self, at: i32, of: u32) {
        self.put_kind(at, REFERENCE + of);
    }

    fn put_kind(&mut self, at: i32, kind: u32) {
        self.put_word(at, Value::NULL);
        self.put_word(at + 8, Value::NULL);
        if kind >= REFERENCE {
            self.set_pair(at, Value::of(Tag::Cont, kind - REFERENCE), Value::of(Tag::Revision, 0));
        }
    }

    /// Two words that go with each other.
    fn set_pair(&mut self, at: i32, pointer: Value, revision: Value) {
        for (at, value) in [(at, pointer), (at + 8, revision)] {
            let value = Value::new(value.tag(), value.a() | PAIRED, value.b());
            let value = self.st.keep(value, &mut self.frames);
            let word = self.word(at);
            self.frames.set(&mut self.st.slots, word, value);
        }
    }

    /// A word is about to be overwritten: what goes with it goes with nothing any more.
    pub(crate) fn unpair(&mut self, at: i32) {
        for (at, tag) in [(at - 8, Tag::Cont), (at + 8, Tag::Revision)] {
            let word = self.word(at);
            let value = self.frames.get(self.st.slots, word);
            if value.is(tag) && value.a() & PAIRED != 0 {
                self.frames.set(&mut self.st.slots, word, Value::new(tag, value.a() & !PAIRED, value.b()));
            }
        }
    }

    /// A word was written: perhaps it goes with the one beside it.
    pub(crate) fn pair_up(&mut self, at: i32, value: Value) {
        let first = match value.tag() {
            Tag::Cont => at,
            Tag::Revision => at - 8,
            _ => return,
        };
        let word = |at: i32| self.frames.get(self.st.slots, self.word(at));
        let (pointer, revision) = (word(first), word(first + 8));
        let same = pointer.a() & IDENTITY != 0 && (pointer.a() ^ revision.a()) & IDENTITY == 0;
        if same && pointer.is(Tag::Cont) && revision.is(Tag::Revision) {
            self.set_pair(first, pointer, revision);
        }
    }

    /// One of the two words of a reference is read, which is `value`.
    pub(crate) fn half_of_reference(&mut self, at: i32, value: Value) -> Value {
        if value.a() & PAIRED == 0 {
            return value;
        }
        if value.a() & IDENTITY == 0 {
            let identity = self.new_identity();
            let first = if value.is(Tag::Cont) { at } else { at - 8 };
            let word = |at: i32| self.frames.get(self.st.slots, self.word(at));
            let (pointer, revision) = (word(first), word(first + 8));
            let known = |value: Value| Value::new(value.tag(), identity, value.b());
            if pointer.is(Tag::Cont) && revision.is(Tag::Revision) && pointer.a() & revision.a() & PAIRED != 0 {
                self.set_pair(first, known(pointer), known(revision));
                return known(value);
            }
        }
        Value::new(value.tag(), value.a() & !PAIRED, value.b())
    }

    // ---- what is passed as two

    /// The pointer or the revision of what is passed, the `n`th and what is before or behind it.
    pub(crate) fn take_half(&mut self, n: usize, ty: ValueType, part: Part, place: Place, area: i32) {
        let ValueType::Cont { ty } = ty else { return };
        let nth = n - usize::from(part == Part::Revision);
        // Nobody has it at an entry; at a call, whoever has it from before has lost what goes with it.
        let identity = 1 + (self.at - self.start + nth as u32) % (IDENTITY - 1);
        if part == Part::Pointer {
            self.st.retire(identity, &mut self.frames);
        }
        let value = match part {
            Part::Pointer => Value::new(Tag::Cont, identity, self.p.types.functions.of_cont(ty)),
            _ => Value::new(Tag::Revision, identity, 0),
        };
        match place {
            Place::Int(reg) => self.st.regs[usize::from(reg)] = value,
            Place::Stack(at) => {
                let at = area + at.cast_signed();
                let value = self.st.keep(value, &mut self.frames);
                self.put_word(at, value);
                self.pair_up(at, value);
            }
            Place::Float(_) => {}
        }
    }

    /// Is what is passed as the first two of these a reference of this type? Those on the stack begin at `top`.
    pub(crate) fn check_halves(&self, passed: &[Passed], ty: ValueType, top: i32) -> Proved<()> {
        let [first, second, ..] = passed else { return Err(WRONG) };
        let value = |passed: &Passed| match passed.place {
            Place::Int(reg) => self.st.regs[usize::from(reg)],
            Place::Stack(at) => self.frames.get(self.st.slots, self.word(top + at.cast_signed())),
            Place::Float(_) => Value::UNDEF,
        };
        let (pointer, revision) = (value(first), value(second));
        if pointer == Value::NULL && revision == Value::NULL {
            return Ok(());
        }
        let same = pointer.a() & IDENTITY != 0 && (pointer.a() ^ revision.a()) & IDENTITY == 0;
        let beside = matches!((first.place, second.place), (Place::Stack(a), Place::Stack(b)) if a + 8 == b);
        let paired = beside && pointer.a() & revision.a() & PAIRED != 0;
        if !pointer.is(Tag::Cont) || !revision.is(Tag::Revision) || !(same || paired) {
            return Err(WRONG);
        }
        self.check_cont(Some(REFERENCE + pointer.b()), ty)
    }

    /// What a routine is told of the 16 bytes on top of the stack.
    pub(crate) fn wide_argument(&self, top: i32) -> Value {
        match self.reference_at(top).filter(|_| self.p.types.functions.any()) {
            Some(NULL_REFERENCE) => Value::NULL,
            Some(kind) => Value::of(Tag::Cont, kind - REFERENCE),
            None if self.frame_has_numbers(top, 16) => Value::ANY,
            None => Value::UNDEF,
        }
    }
}
