//! The fast sweep: reads a body once, checks it, and takes its survey.
//!
//! `None` means everywhere that the body is given up, for whatever reason; the judge will tell the reason.

mod atomics;
mod blocks;
mod exceptions;
mod leb;
mod named;
mod objects;
mod operands;
mod rules;
mod vector;

use self::blocks::{Kind, OpenBlock, Shape};
use self::objects::{Inits, function_type};
use self::operands::{
    BASE, BOTTOM, EXNREF, EXTERNREF, FUNCREF, I32, I64, Spilled, V128, Word, code, is_reference, ty_of,
};
use self::rules::{Rules, enabled};
use crate::operators::effects::{self, Calls};
use crate::operators::reader::{Reader, short_len};
use crate::operators::{Class, Op, Prefix, Types};
use crate::treaty::facts::Facts;
use crate::treaty::fault::{Fault, without};
use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;
use crate::validate::survey::Survey;
use wasmparser::{BinaryReader, FuncToValidate, FuncType, RefType, ValType, ValidatorResources, WasmModuleResources};

/// The most locals that a function may have, parameters included.
const MAX_LOCALS: u32 = 50_000;

/// The most targets of a `br_table` that is compiled.
const MAX_TARGETS: u32 = 65_520;

/// What the fast sweep keeps from function to function.
#[derive(Default)]
pub(super) struct Buffers {
    rules: Rules,
    blocks: Vec<OpenBlock>,
    spilled: Spilled,
    /// Groups of declared locals: the index behind the last, parameters counted, and the code of their type.
    groups: Vec<(u32, u8)>,
    inits: Inits,
}

/// Validates a body and takes its survey, if it is valid and all of it is known.
pub(super) fn survey(
    survey: &mut Survey,
    buffers: &mut Buffers,
    facts: &Facts,
    sig: &Sig,
    func: &FuncToValidate<ValidatorResources>,
    body: &[u8],
) -> Option<()> {
    if buffers.rules.features != func.features {
        buffers.rules = Rules::new(func.features);
    }
    let shared = || func.resources.sub_type_at(func.ty).is_none_or(|ty| ty.composite_type.shared);
    if func.features.shared_everything_threads() && shared() {
        return None;
    }
    let Buffers { rules, blocks, spilled, groups, inits } = buffers;
    survey.begin(sig.params.len() as u32);
    survey.vectors = sig.vectors;
    blocks.clear();
    spilled.clear();
    groups.clear();
    inits.clear();
    let resources = &func.resources;
    let mut sweep = Sweep { rules, facts, sig, resources, survey, blocks, spilled, groups, inits, tables: 0 };
    let ty = function_type(resources, func.ty)?;
    if !sig.plain {
        for (at, ty) in ty.params().iter().enumerate() {
            let code = sweep.code_of(*ty)?;
            sweep.groups.push((at as u32 + 1, code));
        }
    }
    let start = sweep.locals(body)?;
    sweep.survey.code_start = start;
    let function = facts.funcs.get(func.index as usize)?.sig;
    sweep.operators(body, start, function, ty)
}

pub(super) struct Sweep<'a> {
    rules: &'a Rules,
    facts: &'a Facts,
    sig: &'a Sig,
    resources: &'a ValidatorResources,
    survey: &'a mut Survey,
    blocks: &'a mut Vec<OpenBlock>,
    spilled: &'a mut Spilled,
    groups: &'a mut Vec<(u32, u8)>,
    inits: &'a mut Inits,
    /// How many `br_table`s there were.
    tables: u32,
}

/// No position in a body.
const NOWHERE: usize = usize::MAX;

/// The constant of the `i32.const` at this position, if there is one.
fn i32_const(bytes: &[u8], at: usize) -> Option<u64> {
    let mut reader = Reader::new(bytes, at);
    (at != NOWHERE && reader.op() == Op::I32Const).then(|| u64::from(reader.i32() as u32))
}

/// Reads an unsigned 32-bit number.
macro_rules! number {
    ($bytes:ident, $pos:ident) => {{
        let byte = *$bytes.get($pos)?;
        if byte < 0x80 {
            $pos += 1;
            u32::from(byte)
        } else if let Some(&next) = $bytes.get($pos + 1)
            && next < 0x80
        {
            $pos += 2;
            u32::from(byte & 0x7f) | u32::from(next) << 7
        } else {
            let (value, len) = leb::u32($bytes, $pos);
            if len == 0 {
                return None;
            }
            $pos += len as usize;
            value
        }
    }};
}

impl Sweep<'_> {
    /// Reads the declarations of locals; gives where the operators begin.
    fn locals(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut pos = 0;
        let mut total = self.sig.params.len() as u32;
        for _ in 0..number!(bytes, pos) {
            let count = number!(bytes, pos);
            let Some((code, next)) = self.value_type(bytes, pos) else {
                if count > 0 {
                    return None;
                }
                pos += self.type_of_none(bytes.get(pos..)?)?;
                continue;
            };
            pos = next;
            total = total.checked_add(count).filter(|total| *total <= MAX_LOCALS)?;
            if count > 0 {
                self.groups.push((total, code));
            }
        }
        Some(pos)
    }

    /// Reads the type of a group of no locals, which may be any valid type: how long it is.
    #[cold]
    fn type_of_none(&self, bytes: &[u8]) -> Option<usize> {
        let mut reader = BinaryReader::new(bytes, 0);
        let mut ty: ValType = reader.read().ok()?;
        self.resources.check_value_type(&mut ty, &self.rules.features, 0).ok()?;
        Some(reader.current_position())
    }

    /// Reads the type of a value: its code, and where it ends.
    #[inline]
    fn value_type(&mut self, bytes: &[u8], pos: usize) -> Option<(u8, usize)> {
        let references = self.rules.features.reference_types();
        let objects = references && self.rules.features.gc_types();
        match *bytes.get(pos)? {
            byte @ 0x7c..=0x7f => Some((0x80 - byte, pos + 1)),
            0x7b if self.rules.features.simd() => Some((V128, pos + 1)),
            0x70 if references => Some((FUNCREF, pos + 1)),
            0x6f if objects => Some((EXTERNREF, pos + 1)),
            0x69 if objects && self.rules.features.exceptions() => Some((EXNREF, pos + 1)),
            // (ref null func), (ref null extern), (ref null exn)
            0x63 if references && *bytes.get(pos + 1)? == 0x70 => Some((FUNCREF, pos + 2)),
            0x63 if objects && *bytes.get(pos + 1)? == 0x6f => Some((EXTERNREF, pos + 2)),
            0x63 if objects && self.rules.features.exceptions() && *bytes.get(pos + 1)? == 0x69 => {
                Some((EXNREF, pos + 2))
            }
            _ if objects => self.typed(bytes, pos),
            _ => None,
        }
    }

    /// Reads the type of a block.
    #[inline]
    fn block_type(&mut self, bytes: &[u8], pos: usize) -> Option<(Shape, usize)> {
        let byte = *bytes.get(pos)?;
        if byte == 0x40 {
            return Some((Shape::EMPTY, pos + 1));
        }
        if byte & 0xc0 == 0x40 {
            let (code, pos) = self.value_type(bytes, pos)?;
            self.survey.vectors |= code == V128;
            return Some((Shape::one(code), pos));
        }
        let (index, len) = leb::type_index(bytes, pos);
        if len == 0 || !self.rules.features.multi_value() {
            return None;
        }
        let sig = (*self.facts.types.get(index as usize)?)?;
        let Sig { vectors, plain, .. } = self.facts.sigs[sig as usize];
        self.survey.vectors |= vectors;
        plain.then_some((Shape::sig(sig), pos + len as usize))
    }

    /// The first touch of a local.
    #[inline(never)]
    fn touch_first(&mut self, local: u32, write: bool) -> Option<u8> {
        let ty = self.touch_reference(local, write)?;
        self.survey.touch_first(local, write, ty_of(ty).or_else(|| self.spilled.types.ty(ty))?);
        Some(ty)
    }

    /// The code of a local's type.
    #[inline(never)]
    fn local_code(&self, local: u32) -> Option<u8> {
        match self.sig.params.get(local as usize) {
            Some(ty) if self.sig.plain => Some(code(*ty)),
            _ => Some(self.groups.get(self.groups.partition_point(|group| group.0 <= local))?.1),
        }
    }

    /// Takes off one operand of any type: what is left, and its code.
    fn pop_any(&mut self, word: Word) -> Option<(Word, u8)> {
        let mut at = self.spilled.cursor(word);
        let code = self.spilled.next(&mut at)?;
        Some((self.spilled.cut(at), code))
    }

    /// The code of the type of a memory's addresses.
    fn memory(&self, index: u32) -> Option<u8> {
        Some(code(self.facts.memories.get(index as usize)?.index))
    }

    /// The code of the type of a table's indices, and that of its elements.
    fn table(&self, index: u32) -> Option<(u8, u8)> {
        let table = self.facts.tables.get(index as usize).filter(|table| table.plain)?;
        Some((code(table.index), code(table.elem)))
    }

    /// The code of a global's type.
    fn global(&mut self, index: u32) -> Option<u8> {
        let global = self.facts.globals.get(index as usize)?;
        if global.plain {
            return Some(code(global.ty));
        }
        self.code_of(self.resources.global_at(index)?.content_type)
    }

    /// Reads a memory argument of any form: the code of the memory's addresses, and where it ends.
    #[inline(never)]
    fn memory_argument(&self, bytes: &[u8], mut pos: usize, align: u8) -> Option<(u8, usize)> {
        let features = self.rules.features;
        let mut flags = number!(bytes, pos);
        let mut memory = 0;
        if features.multi_memory() && flags & 0x40 != 0 {
            flags ^= 0x40;
            memory = number!(bytes, pos);
        }
        if flags > u32::from(align) {
            return None;
        }
        let offset = if features.memory64() {
            let (offset, len) = leb::u64(bytes, pos);
            if len == 0 {
                return None;
            }
            pos += len as usize;
            offset
        } else {
            u64::from(number!(bytes, pos))
        };
        let address = self.memory(memory)?;
        (address == I64 || offset <= u64::from(u32::MAX)).then_some((address, pos))
    }

    /// Reads the operators, from `pos` to the end of the body.
    #[inline(never)]
    fn operators(&mut self, bytes: &[u8], mut pos: usize, function: u32, ty: &FuncType) -> Option<()> {
        let rules = self.rules;
        let features = rules.features;
        // The code of memory 0's addresses; no operand's if there is none.
        let memory0 = self.memory(0).unwrap_or(BASE);
        // Where the last call ends from which control need not come back.
        let mut call_end = NOWHERE;
        // Where the last constant but one begins if nothing is between it and the last; where that begins, and ends.
        let mut constants = [NOWHERE; 3];
        let mut word = self.open_function(function, ty)?;

        macro_rules! push {
            ($code:expr) => {
                word = self.spilled.push(word, $code)
            };
        }
        // Notes a touch of a local and gives the code of its type.
        macro_rules! touch {
            ($local:expr, $write:expr) => {{
                let (local, write) = ($local, $write);
                match self.survey.touch_again(local, write) {
                    // Which references they are, the survey does not know.
                    Some(Ty::FuncRef | Ty::GcRef) => self.touch_reference(local, write)?,
                    Some(ty) => code(ty),
                    None => self.touch_first(local, write)?,
                }
            }};
        }
        // Takes off operands, the first from the top.
        macro_rules! pop {
            ($code:expr) => {
                if word as u8 == $code { word >>= 8 } else { word = self.spilled.pop(word, &[$code])? }
            };
            ($code:expr, $($codes:expr),+) => {{
                pop!($code);
                pop!($($codes),+);
            }};
        }
        // Gives the code of the addresses.
        macro_rules! memory_argument {
            ($align:expr) => {{
                let align = $align;
                match bytes.get(pos..pos + 5) {
                    // An offset of up to four bytes is in range.
                    Some(&[flags, a, b, c, d]) if flags <= align && short_len([a, b, c, d]) <= 4 && memory0 != BASE => {
                        pos += 1 + short_len([a, b, c, d]);
                        memory0
                    }
                    _ => {
                        let (address, next) = self.memory_argument(bytes, pos, align)?;
                        pos = next;
                        address
                    }
                }
            }};
        }
        // Calls a function of a signature.
        macro_rules! call {
            ($calls:expr, $sig:expr, $type:expr) => {{
                let sig = $sig;
                if !sig.plain {
                    word = self.typed_call(function_type(self.resources, $type)?, word)?;
                } else {
                    if sig.packed_params.is_on(word) {
                        word >>= sig.packed_params.bits;
                    } else {
                        word = self.spilled.pop_types(word, &sig.params)?;
                    }
                    if let [result] = *sig.results {
                        push!(code(result));
                    } else {
                        word = self.push_types(word, &sig.results)?;
                    }
                }
                self.survey.vectors |= sig.vectors;
                let calls = $calls;
                self.survey.note(calls);
                // Of all others the survey knows nothing that `unreachable` would have to do with.
                call_end = if calls == Calls::Last { pos } else { NOWHERE };
            }};
        }
        // Leaves the function with what a call of a signature gives.
        macro_rules! tail_call {
            ($sig:expr, $type:expr) => {{
                let sig = $sig;
                if !sig.plain || !self.sig.plain {
                    self.typed_tail_call(function_type(self.resources, $type)?, word)?;
                } else if sig.results == self.sig.results {
                    self.spilled.below(word, &sig.params)?;
                } else {
                    return None;
                }
                word = self.dead();
            }};
        }
        // The rest of `call_indirect`: pops the index and gives the signature.
        macro_rules! indirect {
            ($type:expr, $table:expr) => {{
                let (index, elem) = self.table($table)?;
                if elem != FUNCREF {
                    return None;
                }
                pop!(index);
                let sig = (*self.facts.types.get($type as usize)?)?;
                &self.facts.sigs[sig as usize]
            }};
        }

        // An operator without immediates, of fixed types.
        macro_rules! plain {
            ($rule:expr) => {{
                let rule = $rule;
                word = if word as u16 & rule.mask == rule.takes {
                    word >> rule.shift
                } else {
                    let takes = rule.takes.to_le_bytes();
                    self.spilled.pop(word, &takes[..usize::from(rule.shift / 8)])?
                };
                // Room there is: it takes no less than it gives.
                word = word << 8 | u64::from(rule.gives);
            }};
        }

        while let Some(&opcode) = bytes.get(pos) {
            let at = pos;
            pos += 1;
            let rule = &rules.by_opcode[opcode as usize];
            match rule.class {
                Class::Leave => return None,
                Class::Plain => plain!(rule),
                Class::Demanding => {
                    self.survey.demand();
                    plain!(rule);
                }
                Class::Load => {
                    let address = memory_argument!(rule.size);
                    if word as u8 == address {
                        word = word & !0xff | u64::from(rule.gives);
                    } else {
                        word = self.spilled.pop(word, &[address])?;
                        push!(rule.gives);
                    }
                }
                Class::Store => {
                    let address = memory_argument!(rule.size);
                    pop!(rule.gives, address);
                }
                Class::Const => {
                    constants = [if at == constants[2] { constants[1] } else { NOWHERE }, at, 0];
                    pos += match bytes.get(pos..pos + 4) {
                        Some(&[a, b, c, d]) if short_len([a, b, c, d]) <= 4 => short_len([a, b, c, d]),
                        _ => match leb::signed_len(bytes, pos, rule.size) {
                            0 => return None,
                            len => len,
                        },
                    };
                    constants[2] = pos;
                    push!(rule.gives);
                }
                Class::FloatConst => {
                    pos += usize::from(rule.size);
                    bytes.get(..pos)?;
                    push!(rule.gives);
                }
                Class::Unreachable => {
                    if at != call_end {
                        self.survey.forget_call();
                    }
                    self.survey.unreachable();
                    word = self.dead();
                }
                Class::Nop => {}
                Class::Block => {
                    let (shape, next) = self.block_type(bytes, pos)?;
                    pos = next;
                    word = self.open(Kind::Block, shape, word)?;
                }
                Class::TryTable => {
                    let (shape, next) = self.block_type(bytes, pos)?;
                    pos = self.catches(bytes, next)?;
                    word = self.open(Kind::Block, shape, word)?;
                }
                Class::Throw => {
                    let (next, after) = self.throw(bytes, pos, word)?;
                    (pos, word) = (next, after);
                }
                Class::ThrowRef => {
                    self.spilled.pop(word, &[EXNREF])?;
                    self.survey.note(effects::fixed(Op::ThrowRef));
                    word = self.dead();
                }
                Class::Loop => {
                    let (shape, next) = self.block_type(bytes, pos)?;
                    pos = next;
                    word = self.open(Kind::Loop, shape, word)?;
                }
                Class::If => {
                    let (shape, next) = self.block_type(bytes, pos)?;
                    pos = next;
                    pop!(I32);
                    word = self.open(Kind::If, shape, word)?;
                }
                Class::Else => word = self.turn(word)?,
                Class::End => {
                    word = self.close(word, pos)?;
                    if self.blocks.is_empty() {
                        return (pos == bytes.len()).then_some(());
                    }
                }
                Class::Br => {
                    let depth = number!(bytes, pos);
                    self.has_label_values(self.target(depth)?, word)?;
                    self.survey.branch(depth);
                    word = self.dead();
                }
                Class::BrIf => {
                    let depth = number!(bytes, pos);
                    pop!(I32);
                    let target = self.target(depth)?;
                    let block = self.blocks.get(target)?;
                    if !block.label.is_on(word) {
                        word = self.exchange(target, word)?;
                    }
                    self.survey.branch(depth);
                }
                Class::BrTable => {
                    pop!(I32);
                    pos = self.br_table(bytes, pos, word)?;
                    word = self.dead();
                }
                Class::Return => {
                    self.has_label_values(0, word)?;
                    word = self.dead();
                }
                Class::Call => {
                    let index = number!(bytes, pos);
                    let sig = self.facts.funcs.get(index as usize)?.sig;
                    let calls = effects::of(self.facts, Op::Call, [index, 0], [None; 2]);
                    self.survey.sync_call |= effects::is_sync_call(self.facts, index);
                    call!(calls, &self.facts.sigs[sig as usize], self.resources.type_index_of_function(index)?);
                }
                Class::CallIndirect => {
                    let ty = number!(bytes, pos);
                    // Once it was a zero byte, which other forms of the number are not.
                    if !features.call_indirect_overlong() && *bytes.get(pos)? != 0 {
                        return None;
                    }
                    let table = number!(bytes, pos);
                    call!(effects::fixed(Op::CallIndirect), indirect!(ty, table), ty);
                }
                Class::ReturnCall => {
                    let index = number!(bytes, pos);
                    let sig = self.facts.funcs.get(index as usize)?.sig;
                    tail_call!(&self.facts.sigs[sig as usize], self.resources.type_index_of_function(index)?);
                    self.survey.note(effects::of(self.facts, Op::ReturnCall, [index, 0], [None; 2]));
                }
                Class::ReturnCallIndirect => {
                    let ty = number!(bytes, pos);
                    let table = number!(bytes, pos);
                    tail_call!(indirect!(ty, table), ty);
                    self.survey.note(effects::fixed(Op::ReturnCallIndirect));
                }
                Class::CallRef => {
                    let ty = number!(bytes, pos);
                    word = self.callee(ty, word)?;
                    let sig = (*self.facts.types.get(ty as usize)?)?;
                    call!(effects::fixed(Op::CallRef), &self.facts.sigs[sig as usize], ty);
                }
                Class::ReturnCallRef => {
                    let ty = number!(bytes, pos);
                    word = self.callee(ty, word)?;
                    let sig = (*self.facts.types.get(ty as usize)?)?;
                    tail_call!(&self.facts.sigs[sig as usize], ty);
                    self.survey.note(effects::fixed(Op::ReturnCallRef));
                }
                Class::Drop => {
                    if word as u8 <= BOTTOM {
                        word >>= 8
                    } else {
                        word = self.pop_any(word)?.0
                    }
                }
                Class::Select => {
                    let [condition, a, b, ..] = word.to_le_bytes();
                    if condition == I32 && a == b && a <= V128 {
                        word >>= 16;
                    } else {
                        word = self.select(word)?;
                    }
                }
                Class::TypedSelect => {
                    if number!(bytes, pos) != 1 {
                        return None;
                    }
                    let (code, next) = self.value_type(bytes, pos)?;
                    pos = next;
                    pop!(I32, code, code);
                    push!(code);
                }
                Class::LocalGet => {
                    let code = touch!(number!(bytes, pos), false);
                    push!(code);
                }
                Class::LocalSet => {
                    let code = touch!(number!(bytes, pos), true);
                    pop!(code);
                }
                Class::LocalTee => {
                    let code = touch!(number!(bytes, pos), true);
                    if word as u8 != code {
                        word = self.spilled.pop(word, &[code])?;
                        push!(code);
                    }
                }
                Class::GlobalGet => {
                    let index = number!(bytes, pos);
                    let ty = self.global(index)?;
                    self.survey.vectors |= ty == V128;
                    push!(ty);
                    self.survey.note(effects::of_stored(self.facts, self.facts.globals[index as usize].ty));
                }
                Class::GlobalSet => {
                    let index = number!(bytes, pos);
                    if !self.facts.globals.get(index as usize)?.mutable {
                        return None;
                    }
                    let ty = self.global(index)?;
                    pop!(ty);
                    self.survey.note(effects::of_stored(self.facts, self.facts.globals[index as usize].ty));
                }
                Class::TableGet => {
                    let table = number!(bytes, pos);
                    let (index, elem) = self.table(table)?;
                    pop!(index);
                    push!(elem);
                    self.survey.note(effects::fixed(Op::TableGet));
                }
                Class::TableSet => {
                    let table = number!(bytes, pos);
                    let (index, elem) = self.table(table)?;
                    pop!(elem, index);
                    self.survey.note(effects::of_stored(self.facts, self.facts.tables[table as usize].elem));
                }
                Class::MemorySize | Class::MemoryGrow => {
                    // Without multiple memories it is a zero byte, which other forms of the number are not.
                    if !features.multi_memory() && *bytes.get(pos)? != 0 {
                        return None;
                    }
                    let address = self.memory(number!(bytes, pos))?;
                    if rule.class == Class::MemoryGrow {
                        pop!(address);
                        self.survey.note(effects::fixed(Op::MemoryGrow));
                    }
                    push!(address);
                }
                Class::RefNull => {
                    let (ty, next) = match *bytes.get(pos)? {
                        0x70 => (FUNCREF, pos + 1),
                        0x6f if features.gc_types() => (EXTERNREF, pos + 1),
                        0x69 if features.gc_types() && features.exceptions() => (EXNREF, pos + 1),
                        _ if features.gc_types() => self.ref_null(bytes, pos)?,
                        _ => return None,
                    };
                    pos = next;
                    push!(ty);
                }
                Class::RefIsNull => {
                    let (below, ty) = self.pop_any(word)?;
                    if !is_reference(ty) && ty != BOTTOM {
                        return None;
                    }
                    word = below;
                    push!(I32);
                }
                Class::RefFunc => {
                    let index = number!(bytes, pos);
                    if index as usize >= self.facts.funcs.len() || !self.resources.is_function_referenced(index) {
                        return None;
                    }
                    // The operand is a `funcref` in any case.
                    let ty = self.ref_func(index).unwrap_or(FUNCREF);
                    push!(ty);
                    self.survey.note(effects::fixed(Op::RefFunc));
                }
                Class::RefEq => word = self.ref_eq(word)?,
                Class::RefAsNonNull => word = self.ref_as_non_null(word)?,
                Class::BrOnNull => {
                    let depth = number!(bytes, pos);
                    word = self.br_on_null(depth, word)?;
                }
                Class::BrOnNonNull => {
                    let depth = number!(bytes, pos);
                    word = self.br_on_non_null(depth, word)?;
                }
                Class::Object => {
                    (pos, word) = self.object(bytes, pos, word)?;
                    if without(Fault::RestoreBeforeUnreachable) {
                        call_end = pos;
                    }
                }
                Class::Vector => {
                    (pos, word) = self.vector(bytes, pos, word)?;
                }
                Class::Misc => {
                    let constants = if at == constants[2] { [constants[0], constants[1]] } else { [NOWHERE; 2] };
                    (pos, word) = self.misc(bytes, pos, word, constants)?;
                }
                Class::Atomic => {
                    (pos, word) = self.atomic(bytes, pos, word)?;
                }
            }
        }
        None
    }

    /// `select` without a type: two numbers of one type.
    #[cold]
    #[inline(never)]
    fn select(&mut self, word: Word) -> Option<Word> {
        let word = self.spilled.pop(word, &[I32])?;
        let (word, a) = self.pop_any(word)?;
        let (word, b) = self.pop_any(word)?;
        let code = if a == BOTTOM { b } else { a };
        if is_reference(code) || is_reference(b) || (b != BOTTOM && b != code) {
            return None;
        }
        Some(self.spilled.push(word, code))
    }

    /// The targets of a `br_table`: each label is looked at once, so the work is linear in the bytes.
    #[inline(never)]
    fn br_table(&mut self, bytes: &[u8], mut pos: usize, word: Word) -> Option<usize> {
        let count = number!(bytes, pos);
        if count > MAX_TARGETS {
            return None;
        }
        self.tables += 1;
        let mut arity = None;
        for _ in 0..=count {
            let depth = number!(bytes, pos);
            let target = self.target(depth)?;
            let block = self.blocks.get_mut(target)?;
            if block.named == self.tables {
                continue;
            }
            block.named = self.tables;
            let taken = self.label_arity(&self.blocks[target]);
            if *arity.get_or_insert(taken) != taken {
                return None;
            }
            self.has_label_values(target, word)?;
            self.survey.branch(depth);
        }
        Some(pos)
    }

    /// An operator behind the prefix of what came later: where it ends, and the word behind it.
    #[inline(never)]
    fn misc(&mut self, bytes: &[u8], mut pos: usize, mut word: Word, constants: [usize; 2]) -> Option<(usize, Word)> {
        let op = Prefix::Misc.operator(number!(bytes, pos))?;
        if !enabled(self.rules.features, op) {
            return None;
        }
        let mut immediates = [0; 2];
        for immediate in &mut immediates[..op.operator().immediates.indices()] {
            *immediate = number!(bytes, pos);
        }
        if op.effects().demands {
            self.survey.demand();
        }
        let [first, second] = immediates;
        if let Types::Fixed { .. } = op.operator().types {
            return Some((pos, self.fixed(op, BASE, word)?));
        }
        // The shorter of two kinds of indices.
        let shorter = |a, b| if a == I32 { I32 } else { b };
        let has_data = |segment| self.resources.data_count().is_some_and(|count| segment < count);
        let (pops, pushes): (&[u8], &[u8]) = match op {
            Op::MemoryInit if has_data(first) => (&[I32, I32, self.memory(second)?], &[]),
            Op::DataDrop if has_data(first) => (&[], &[]),
            Op::MemoryCopy => {
                let (to, from) = (self.memory(first)?, self.memory(second)?);
                (&[shorter(from, to), from, to], &[])
            }
            Op::MemoryFill => {
                let address = self.memory(first)?;
                (&[address, I32, address], &[])
            }
            Op::TableInit => {
                let segment = ValType::Ref(self.resources.element_type_at(first)?);
                let (index, elem) = self.table(second)?;
                let elem = if elem == FUNCREF { RefType::FUNCREF } else { RefType::EXTERNREF };
                if !self.resources.is_subtype(segment, ValType::Ref(elem)) {
                    return None;
                }
                (&[I32, I32, index], &[])
            }
            Op::ElemDrop => {
                self.resources.element_type_at(first)?;
                (&[], &[])
            }
            Op::TableCopy => {
                let ((to, to_elem), (from, from_elem)) = (self.table(first)?, self.table(second)?);
                if to_elem != from_elem {
                    return None;
                }
                (&[shorter(from, to), from, to], &[])
            }
            Op::TableGrow => {
                let (index, elem) = self.table(first)?;
                (&[index, elem], &[index])
            }
            Op::TableSize => (&[], &[self.table(first)?.0]),
            Op::TableFill => {
                let (index, elem) = self.table(first)?;
                (&[index, elem, index], &[])
            }
            _ => return None,
        };
        word = self.spilled.pop(word, pops)?;
        for code in pushes {
            word = self.spilled.push(word, *code);
        }
        let constants = constants.map(|at| i32_const(bytes, at));
        self.survey.note(effects::of(self.facts, op, immediates, constants));
        Some((pos, word))
    }
}
