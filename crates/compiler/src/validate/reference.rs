//! The reference: wasmparser's validator, and the same survey in its visit. Its verdicts, messages and offsets are the
//! ones that count; it judges every body that the fast sweep leaves.

use super::MOST_VALUES;
use crate::effects::{self, Calls};
use crate::error::{Error, ErrorKind};
use crate::facts::Facts;
use crate::fault::{Fault, without};
use crate::sig::Sig;
use crate::survey::{Survey, heap_feature, heap_type, type_feature, value_type};
use crate::ty::Ty;
use wasmparser::{
    BinaryReader, BlockType, Catch, CompositeInnerType, FrameKind, FrameStack, FuncValidator, FunctionBody, Handle,
    HeapType, RefType, UnpackedIndex, ValType, ValidatorResources, VisitOperator, WasmModuleResources,
};

/// Validates a body and takes its survey.
pub(super) fn survey(
    survey: &mut Survey,
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    facts: &Facts,
    sig: &Sig,
) -> Result<(), Error> {
    survey.begin(sig.params.len() as u32);
    survey.vectors = sig.vectors;
    let mut reader = body.get_binary_reader();
    let start = reader.original_position();
    let count = reader.read_var_u32()?;
    for _ in 0..count {
        let offset = reader.original_position();
        let n = reader.read_var_u32()?;
        let ty: ValType = reader.read()?;
        validator.define_locals(offset, n, ty)?;
        if n > 0 && value_type(ty, |index| concrete(validator, index)).is_none() {
            // Validation must still be the judge of an invalid body, so the type is checked first.
            return Err(Error { offset, kind: ErrorKind::Unsupported(type_feature(ty).into()) });
        }
    }
    survey.code_start = reader.original_position() - start;
    reader.set_features(*validator.features());
    // What the last two operators pushed, as far as they are `i32.const`.
    let mut constants = [None; 2];
    let most = MOST_VALUES + body.as_bytes().len();
    while !reader.eof() {
        let offset = reader.original_position();
        let mut visitor = Sweep { validator, survey, facts, offset, last: false, constants, constant: None };
        reader.visit_operator(&mut visitor)??;
        constants = [if visitor.constant.is_some() { constants[1] } else { None }, visitor.constant];
        if !visitor.last {
            survey.forget_call();
        }
        if validator.operand_stack_height() as usize > most {
            let bytes = body.as_bytes().len();
            let what = format!("a function body of {bytes} bytes has more than {most} values on its stack");
            return Err(Error { offset, kind: ErrorKind::Limit(what) });
        }
    }
    finish(&reader, validator)?;
    Ok(())
}

fn finish(reader: &BinaryReader<'_>, validator: &mut FuncValidator<ValidatorResources>) -> Result<(), Error> {
    Ok(reader.finish_expression(&validator.visitor(reader.original_position()))?)
}

struct Sweep<'a> {
    validator: &'a mut FuncValidator<ValidatorResources>,
    survey: &'a mut Survey,
    facts: &'a Facts,
    offset: usize,
    /// Need control not come back from the operator?
    last: bool,
    /// The constants that the two operators before have pushed, if they have.
    constants: [Option<u64>; 2],
    /// The constant that the operator pushes, if it does.
    constant: Option<u64>,
}

/// What references to a type are.
fn concrete(validator: &FuncValidator<ValidatorResources>, index: UnpackedIndex) -> Ty {
    let ty = match index {
        UnpackedIndex::Module(index) => validator.resources().sub_type_at(index),
        UnpackedIndex::Id(id) => Some(validator.resources().sub_type_at_id(id)),
        UnpackedIndex::RecGroup(_) => None,
    };
    match ty.map(|ty| &ty.composite_type.inner) {
        Some(CompositeInnerType::Func(_)) => Ty::FuncRef,
        Some(CompositeInnerType::Cont(_)) => Ty::ContRef,
        _ => Ty::GcRef,
    }
}

impl FrameStack for Sweep<'_> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.validator.get_control_frame(0).map(|frame| frame.kind)
    }
}

impl Sweep<'_> {
    fn touch(&mut self, local: u32, write: bool) {
        if self.survey.touch_again(local).is_none()
            && let Some(ty) = self.validator.get_local_type(local).and_then(|ty| self.value_type(ty))
        {
            self.survey.touch_first(local, write, ty);
        }
    }

    fn value_type(&self, ty: ValType) -> Option<Ty> {
        value_type(ty, |index| concrete(self.validator, index))
    }

    /// What an operator does to registers.
    fn note(&mut self, calls: Calls) {
        self.survey.note(calls);
        self.last = calls == Calls::Last;
    }

    /// An operator behind 0xfb on objects of a type, or on a field of one.
    fn object(&mut self, opcode: u32, ty: u32, field: u32) {
        self.survey.object(self.facts, opcode, ty, field);
    }

    /// An operator behind 0xfc.
    fn prefixed(&mut self, opcode: u32, first: u32, second: u32) {
        self.note(effects::prefixed(opcode, first, second, self.constants));
    }

    /// A test of references against a type that may ask the host.
    fn test(&mut self, ty: HeapType) -> Result<(), Error> {
        self.heap(ty)?;
        self.survey.test(self.facts, ty);
        Ok(())
    }

    /// A type that an operator names must be one that the compiler has.
    fn heap(&self, ty: HeapType) -> Result<Ty, Error> {
        match heap_type(ty, |index| concrete(self.validator, index)) {
            Some(ty) => Ok(ty),
            None => self.unsupported(heap_feature(ty)).map(|()| Ty::GcRef),
        }
    }

    fn cast(&mut self, from: RefType, to: RefType) -> Result<(), Error> {
        self.heap(from.heap_type())?;
        self.test(to.heap_type())
    }

    /// An operator behind 0xfd that may be done by the host.
    fn madd(&mut self, opcode: u32) {
        self.note(effects::vector(self.facts, opcode));
    }

    fn unsupported(&self, what: &str) -> Result<(), Error> {
        Err(Error { offset: self.offset, kind: ErrorKind::Unsupported(what.into()) })
    }

    /// Exceptions of a tag must be such as can be objects.
    fn exception(&self, tag: u32) -> Result<(), Error> {
        match self.facts.tags[tag as usize].object {
            Some(_) => Ok(()),
            None => self.unsupported("an exception that carries a continuation"),
        }
    }

    /// An operator that uses continuations, and its handlers.
    fn stacks(&mut self, opcode: u8, handlers: &[Handle]) {
        self.survey.vectors = true;
        for handler in handlers {
            if let Handle::OnLabel { label, .. } = handler {
                self.survey.branch(*label);
            }
        }
        // To leave out that a handler may be where `resume` goes is to take it for a call.
        let goes_on_behind = !handlers.is_empty() && without(Fault::ResumeBeforeUnreachable);
        self.note(if goes_on_behind { Calls::Last } else { effects::basic(opcode) });
    }

    /// `cont.bind`: nobody would look for references to objects where the values are kept.
    fn bind(&mut self, from: u32, to: u32) -> Result<(), Error> {
        let (from, to) = (self.facts.cont(from), self.facts.cont(to));
        let params = |sig: u32| self.facts.sigs[sig as usize].params.len();
        if params(from.sig) - params(to.sig) > from.bindable as usize {
            return self.unsupported("binding a reference to an object to a continuation");
        }
        self.stacks(0xe1, &[]);
        Ok(())
    }

    /// A handler: its label counts from the blocks around the `try_table`, which is not open yet.
    fn catch(&mut self, catch: &Catch) -> Result<(), Error> {
        if let Catch::One { tag, .. } | Catch::OneRef { tag, .. } = catch {
            self.exception(*tag)?;
        }
        self.survey.handlers = true;
        self.survey.catches_references |= matches!(catch, Catch::OneRef { .. } | Catch::AllRef { .. });
        let (Catch::One { label, .. } | Catch::OneRef { label, .. } | Catch::All { label } | Catch::AllRef { label }) =
            *catch;
        self.survey.branch(label);
        Ok(())
    }

    /// A block type must have nothing but types that the compiler has. (Function types were looked at as such.)
    fn block_type(&mut self, ty: BlockType) -> Result<(), Error> {
        match ty {
            BlockType::Type(ty) => match self.value_type(ty) {
                Some(ty) => self.survey.vectors |= ty.is_wide(),
                None => return self.unsupported(type_feature(ty)),
            },
            BlockType::FuncType(index) => self.survey.vectors |= self.facts.sig_of_type(index).vectors,
            BlockType::Empty => {}
        }
        Ok(())
    }
}

/// What the survey notes of each operator that interests it, after validation has accepted it.
macro_rules! note {
    ($s:ident visit_local_get $i:ident) => {
        $s.touch($i, false)
    };
    ($s:ident visit_local_set $i:ident) => {
        $s.touch($i, true)
    };
    ($s:ident visit_local_tee $i:ident) => {
        $s.touch($i, true)
    };
    ($s:ident visit_block $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(false)
    }};
    ($s:ident visit_loop $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(true)
    }};
    ($s:ident visit_if $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(false)
    }};
    ($s:ident visit_try_table $t:ident) => {{
        $s.block_type($t.ty)?;
        for catch in &$t.catches {
            $s.catch(catch)?;
        }
        $s.survey.open(false)
    }};
    ($s:ident visit_throw $tag:ident) => {{
        $s.exception($tag)?;
        $s.note(effects::basic(0x08))
    }};
    ($s:ident visit_throw_ref) => {
        $s.note(effects::basic(0x0a))
    };
    ($s:ident visit_else) => {
        $s.survey.turn()
    };
    ($s:ident visit_end) => {
        $s.survey.close()
    };
    ($s:ident visit_br $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_br_if $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_br_table $t:ident) => {{
        if $t.len() > 65_520 {
            let what = format!("a br_table has {} targets, at most 65520 are allowed", $t.len());
            return Err(Error { offset: $s.offset, kind: ErrorKind::Limit(what) });
        }
        for target in $t.targets() {
            $s.survey.branch(target?);
        }
        $s.survey.branch($t.default());
    }};
    ($s:ident visit_unreachable) => {
        $s.survey.unreachable()
    };
    ($s:ident visit_call $f:ident) => {{
        $s.survey.vectors |= $s.facts.sig_of_func($f).vectors;
        $s.note(effects::basic(0x10))
    }};
    ($s:ident visit_call_indirect $ty:ident $t:ident) => {{
        $s.survey.vectors |= $s.facts.sig_of_type($ty).vectors;
        $s.note(effects::basic(0x11))
    }};
    // It may have to fill in the table's element first, and the arguments live across that.
    ($s:ident visit_return_call_indirect $ty:ident $t:ident) => {
        $s.note(effects::basic(0x13))
    };
    ($s:ident visit_return_call $f:ident) => {
        $s.note(effects::tail_call($s.facts, $f))
    };
    ($s:ident visit_return_call_ref $ty:ident) => {
        $s.note(effects::basic(0x15))
    };
    ($s:ident visit_memory_grow $m:ident) => {
        $s.note(effects::basic(0x40))
    };
    ($s:ident visit_i32_const $value:ident) => {
        $s.constant = Some(u64::from($value as u32))
    };
    ($s:ident visit_memory_copy $a:ident $b:ident) => {
        $s.prefixed(10, $a, $b)
    };
    ($s:ident visit_memory_fill $m:ident) => {
        $s.prefixed(11, $m, 0)
    };
    ($s:ident visit_memory_atomic_notify $m:ident) => {
        $s.note(effects::atomic(0))
    };
    ($s:ident visit_memory_atomic_wait32 $m:ident) => {
        $s.note(effects::atomic(1))
    };
    ($s:ident visit_memory_atomic_wait64 $m:ident) => {
        $s.note(effects::atomic(2))
    };
    ($s:ident visit_memory_init $d:ident $m:ident) => {
        $s.prefixed(8, $d, $m)
    };
    ($s:ident visit_data_drop $d:ident) => {
        $s.prefixed(9, $d, 0)
    };
    ($s:ident visit_table_get $t:ident) => {{
        $s.survey.vectors |= $s.facts.tables[$t as usize].elem.is_wide();
        $s.note(effects::basic(0x25))
    }};
    ($s:ident visit_table_grow $t:ident) => {
        $s.prefixed(15, $t, 0)
    };
    ($s:ident visit_table_fill $t:ident) => {
        $s.prefixed(17, $t, 0)
    };
    ($s:ident visit_table_copy $a:ident $b:ident) => {
        $s.prefixed(14, $a, $b)
    };
    ($s:ident visit_table_init $segment:ident $t:ident) => {{
        if $s.facts.tables[$t as usize].elem == Ty::ContRef {
            return $s.unsupported("`table.init` of continuations");
        }
        $s.prefixed(12, $segment, $t)
    }};
    ($s:ident visit_elem_drop $a:ident) => {
        $s.prefixed(13, $a, 0)
    };
    ($s:ident visit_ref_func $f:ident) => {
        $s.note(effects::basic(0xd2))
    };
    ($s:ident visit_ref_null $t:ident) => {
        $s.survey.vectors |= $s.heap($t)?.is_wide()
    };
    ($s:ident visit_typed_select $t:ident) => {
        if $s.value_type($t).is_none() {
            return $s.unsupported(type_feature($t));
        }
    };
    ($s:ident visit_global_get $i:ident) => {{
        let ty = $s.facts.globals[$i as usize].ty;
        $s.survey.vectors |= ty.is_wide();
        $s.note(effects::of_place($s.facts, ty))
    }};
    ($s:ident visit_global_set $i:ident) => {
        $s.note(effects::of_place($s.facts, $s.facts.globals[$i as usize].ty))
    };
    ($s:ident visit_table_set $t:ident) => {
        $s.note(effects::of_place($s.facts, $s.facts.tables[$t as usize].elem))
    };
    ($s:ident visit_call_ref $ty:ident) => {{
        $s.survey.vectors |= $s.facts.sig_of_type($ty).vectors;
        $s.note(effects::basic(0x14))
    }};
    ($s:ident visit_br_on_null $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_br_on_non_null $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_struct_new $ty:ident) => {
        $s.object(0, $ty, 0)
    };
    ($s:ident visit_struct_new_default $ty:ident) => {
        $s.object(1, $ty, 0)
    };
    ($s:ident visit_struct_get $ty:ident $f:ident) => {
        $s.object(2, $ty, $f)
    };
    ($s:ident visit_struct_get_s $ty:ident $f:ident) => {
        $s.object(3, $ty, $f)
    };
    ($s:ident visit_struct_get_u $ty:ident $f:ident) => {
        $s.object(4, $ty, $f)
    };
    ($s:ident visit_struct_set $ty:ident $f:ident) => {
        $s.object(5, $ty, $f)
    };
    ($s:ident visit_array_new $ty:ident) => {
        $s.object(6, $ty, 0)
    };
    ($s:ident visit_array_new_default $ty:ident) => {
        $s.object(7, $ty, 0)
    };
    ($s:ident visit_array_new_fixed $ty:ident $n:ident) => {
        $s.object(8, $ty, 0)
    };
    ($s:ident visit_array_new_data $ty:ident $d:ident) => {
        $s.object(9, $ty, 0)
    };
    ($s:ident visit_array_new_elem $ty:ident $d:ident) => {
        $s.object(10, $ty, 0)
    };
    ($s:ident visit_array_get $ty:ident) => {
        $s.object(11, $ty, 0)
    };
    ($s:ident visit_array_get_s $ty:ident) => {
        $s.object(12, $ty, 0)
    };
    ($s:ident visit_array_get_u $ty:ident) => {
        $s.object(13, $ty, 0)
    };
    ($s:ident visit_array_set $ty:ident) => {
        $s.object(14, $ty, 0)
    };
    ($s:ident visit_array_len) => {
        $s.object(15, 0, 0)
    };
    ($s:ident visit_array_fill $ty:ident) => {
        $s.object(16, $ty, 0)
    };
    ($s:ident visit_array_copy $to:ident $from:ident) => {
        $s.object(17, $to, 0)
    };
    ($s:ident visit_array_init_data $ty:ident $d:ident) => {
        $s.object(18, $ty, 0)
    };
    ($s:ident visit_array_init_elem $ty:ident $d:ident) => {
        $s.object(19, $ty, 0)
    };
    ($s:ident visit_ref_test_non_null $t:ident) => {
        $s.test($t)?
    };
    ($s:ident visit_ref_test_nullable $t:ident) => {
        $s.test($t)?
    };
    ($s:ident visit_ref_cast_non_null $t:ident) => {
        $s.test($t)?
    };
    ($s:ident visit_ref_cast_nullable $t:ident) => {
        $s.test($t)?
    };
    ($s:ident visit_br_on_cast $d:ident $from:ident $to:ident) => {{
        $s.cast($from, $to)?;
        $s.survey.branch($d)
    }};
    ($s:ident visit_br_on_cast_fail $d:ident $from:ident $to:ident) => {{
        $s.cast($from, $to)?;
        $s.survey.branch($d)
    }};
    ($s:ident visit_cont_new $ty:ident) => {
        $s.stacks(0xe0, &[])
    };
    ($s:ident visit_cont_bind $from:ident $to:ident) => {
        $s.bind($from, $to)?
    };
    ($s:ident visit_suspend $tag:ident) => {
        $s.stacks(0xe2, &[])
    };
    ($s:ident visit_resume $ty:ident $t:ident) => {
        $s.stacks(0xe3, &$t.handlers)
    };
    ($s:ident visit_resume_throw $ty:ident $tag:ident $t:ident) => {{
        $s.exception($tag)?;
        $s.stacks(0xe4, &$t.handlers)
    }};
    ($s:ident visit_resume_throw_ref $ty:ident $t:ident) => {
        $s.stacks(0xe5, &$t.handlers)
    };
    ($s:ident visit_switch $ty:ident $tag:ident) => {
        $s.stacks(0xe6, &[])
    };
    ($s:ident $visit:ident $($arg:ident)*) => {{
        $(let _ = $arg;)*
    }};
}

macro_rules! support {
    (mvp $s:ident) => {};
    (sign_extension $s:ident) => {};
    (saturating_float_to_int $s:ident) => {};
    (bulk_memory $s:ident) => {};
    (reference_types $s:ident) => {};
    (tail_call $s:ident) => {};
    (wide_arithmetic $s:ident) => {};
    (threads $s:ident) => {};
    (gc $s:ident) => {};
    (custom_descriptors $s:ident) => {
        return $s.unsupported("custom descriptors")
    };
    (memory_control $s:ident) => {
        return $s.unsupported("memory control")
    };
    (exceptions $s:ident) => {};
    (legacy_exceptions $s:ident) => {
        return $s.unsupported("legacy exception handling")
    };
    (shared_everything_threads $s:ident) => {
        return $s.unsupported("shared-everything threads")
    };
    (function_references $s:ident) => {};
    (stack_switching $s:ident) => {};
}

macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            #[inline]
            #[allow(unreachable_code, reason = "refused proposals return before the note")]
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
                visit!(@validate $visit self $($($arg)*)?);
                support!($proposal self);
                note!(self $visit $($($arg)*)?);
                Ok(())
            }
        )*
    };
    (@validate visit_br_table $s:ident $t:ident) => { $s.validator.visitor($s.offset).visit_br_table($t.clone())? };
    (@validate visit_try_table $s:ident $t:ident) => { $s.validator.visitor($s.offset).visit_try_table($t.clone())? };
    (@validate visit_resume $s:ident $a:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume($a, $t.clone())?
    };
    (@validate visit_resume_throw $s:ident $a:ident $b:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume_throw($a, $b, $t.clone())?
    };
    (@validate visit_resume_throw_ref $s:ident $a:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume_throw_ref($a, $t.clone())?
    };
    (@validate $visit:ident $s:ident $($arg:ident)*) => { $s.validator.visitor($s.offset).$visit($($arg),*)? };
}

macro_rules! visit_simd {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
                self.validator.simd_visitor(self.offset).$visit($($($arg),*)?)?;
                self.survey.vectors = true;
                visit_simd!(@note $visit self);
                Ok(())
            }
        )*
    };
    (@note visit_f32x4_relaxed_madd $s:ident) => { $s.madd(0x105) };
    (@note visit_f32x4_relaxed_nmadd $s:ident) => { $s.madd(0x106) };
    (@note visit_f64x2_relaxed_madd $s:ident) => { $s.madd(0x107) };
    (@note visit_f64x2_relaxed_nmadd $s:ident) => { $s.madd(0x108) };
    (@note $visit:ident $s:ident) => {};
}

impl<'a> VisitOperator<'a> for Sweep<'_> {
    type Output = Result<(), Error>;

    fn simd_visitor(&mut self) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = Self::Output>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

impl<'a> wasmparser::VisitSimdOperator<'a> for Sweep<'_> {
    wasmparser::for_each_visit_simd_operator!(visit_simd);
}
