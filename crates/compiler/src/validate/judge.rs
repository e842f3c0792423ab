//! The judge: wasmparser's validator, and the same survey in its visit. Its verdicts, messages and offsets are the
//! ones that count; it judges every body that the fast sweep leaves.

use super::MOST_VALUES;
use crate::operators::effects::{self, Calls};
use crate::operators::{Class, Immediates, MayCall, Op, Proposal};
use crate::treaty::error::{Error, ErrorKind};
use crate::treaty::facts::Facts;
use crate::treaty::fault::{Fault, without};
use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;
use crate::validate::survey::{Survey, heap_feature, heap_type, type_feature, value_type};
use wasmparser::{
    BinaryReader, BlockType, BrTable, Catch, CompositeInnerType, FrameKind, FrameStack, FuncValidator, FunctionBody,
    Handle, HeapType, Ieee32, Ieee64, MemArg, RefType, ResumeTable, TryTable, UnpackedIndex, ValType,
    ValidatorResources, VisitOperator, WasmModuleResources,
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
        let mut visitor = Sweep { validator, survey, facts, start, offset, last: false, constants, constant: None };
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
    /// Offset of the body in the module.
    start: usize,
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
        if self.survey.touch_again(local, write).is_none()
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

    /// A type that an operator names must be one that the compiler has.
    fn heap(&self, ty: HeapType) -> Result<Ty, Error> {
        match heap_type(ty, |index| concrete(self.validator, index)) {
            Some(ty) => Ok(ty),
            None => self.unsupported(heap_feature(ty)).map(|()| Ty::GcRef),
        }
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

    /// `cont.bind`: nobody would look for references to objects where the values are kept.
    fn bind(&self, from: u32, to: u32) -> Result<(), Error> {
        let (from, to) = (self.facts.cont(from), self.facts.cont(to));
        let params = |sig: u32| self.facts.sigs[sig as usize].params.len();
        if params(from.sig) - params(to.sig) > from.bindable as usize {
            return self.unsupported("binding a reference to an object to a continuation");
        }
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

    /// The targets of a `br_table`.
    fn br_table(&mut self, targets: &BrTable<'_>) -> Result<(), Error> {
        if targets.len() > 65_520 {
            let what = format!("a br_table has {} targets, at most 65520 are allowed", targets.len());
            return Err(Error { offset: self.offset, kind: ErrorKind::Limit(what) });
        }
        for target in targets.targets() {
            self.survey.branch(target?);
        }
        self.survey.branch(targets.default());
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

/// An immediate as wasmparser gives it, as far as the survey looks at it.
enum Immediate<'a> {
    Index(u32),
    I32(i32),
    Block(BlockType),
    Try(TryTable),
    Labels(BrTable<'a>),
    Value(ValType),
    Heap(HeapType),
    Reference(RefType),
    Handlers(ResumeTable),
    Other,
}

/// How each kind of immediate is seen.
macro_rules! immediates {
    (others: $($other:ty),*; $($of:ty => $variant:ident;)*) => {
        $(impl<'a> From<$of> for Immediate<'a> {
            fn from(immediate: $of) -> Immediate<'a> {
                Immediate::$variant(immediate)
            }
        })*
        $(impl From<$other> for Immediate<'_> {
            fn from(_: $other) -> Self {
                Immediate::Other
            }
        })*
    };
}

immediates! {
    others: i64, Ieee32, Ieee64, MemArg, Vec<ValType>;
    u32 => Index;
    i32 => I32;
    BlockType => Block;
    TryTable => Try;
    BrTable<'a> => Labels;
    ValType => Value;
    HeapType => Heap;
    RefType => Reference;
    ResumeTable => Handlers;
}

impl Sweep<'_> {
    /// What the survey notes of an operator, after validation has accepted it: what its immediates are about, and what
    /// the table says of it.
    fn observe(&mut self, op: Op, immediates: [Immediate<'_>; 3]) -> Result<(), Error> {
        let indices = [&immediates[0], &immediates[1]].map(|immediate| match immediate {
            Immediate::Index(index) => *index,
            _ => 0,
        });
        let [first, second] = indices;
        let uses_stacks = op.operator().proposal == Some(Proposal::StackSwitching);
        self.survey.vectors |= uses_stacks;
        let mut goes_on_behind = false;
        for immediate in &immediates {
            match immediate {
                Immediate::Index(_) | Immediate::Other => {}
                Immediate::I32(value) => self.constant = Some(u64::from(*value as u32)),
                Immediate::Block(ty) => self.block_type(*ty)?,
                Immediate::Try(try_table) => {
                    self.block_type(try_table.ty)?;
                    for catch in &try_table.catches {
                        self.catch(catch)?;
                    }
                }
                Immediate::Labels(targets) => self.br_table(targets)?,
                Immediate::Value(ty) => {
                    if self.value_type(*ty).is_none() {
                        return self.unsupported(type_feature(*ty));
                    }
                }
                Immediate::Heap(ty) => {
                    let ty = self.heap(*ty)?;
                    self.survey.vectors |= op == Op::RefNull && ty.is_wide();
                }
                Immediate::Reference(ty) => {
                    self.heap(ty.heap_type())?;
                }
                Immediate::Handlers(table) => {
                    for handler in &table.handlers {
                        if let Handle::OnLabel { label, .. } = handler {
                            self.survey.branch(*label);
                        }
                    }
                    // To leave out that a handler may be where `resume` goes is to take it for a call.
                    goes_on_behind = !table.handlers.is_empty() && without(Fault::ResumeBeforeUnreachable);
                }
            }
        }
        match op.operator().immediates {
            Immediates::Local => self.touch(first, op != Op::LocalGet),
            Immediates::Label | Immediates::Cast => self.survey.branch(first),
            _ => {}
        }
        match op {
            Op::Block | Op::If | Op::TryTable => self.survey.open(false),
            Op::Loop => self.survey.open(true),
            Op::Else => self.survey.turn(),
            Op::End => self.survey.close(self.offset + 1 - self.start),
            Op::Unreachable => self.survey.unreachable(),
            Op::Call => {
                self.survey.vectors |= self.facts.sig_of_func(first).vectors;
                self.survey.sync_call |= effects::is_sync_call(self.facts, first);
            }
            Op::CallIndirect | Op::CallRef => self.survey.vectors |= self.facts.sig_of_type(first).vectors,
            Op::GlobalGet => self.survey.vectors |= self.facts.globals[first as usize].ty.is_wide(),
            Op::TableGet => self.survey.vectors |= self.facts.tables[first as usize].elem.is_wide(),
            Op::TableInit if self.facts.tables[second as usize].elem == Ty::ContRef => {
                return self.unsupported("`table.init` of continuations");
            }
            Op::Throw => self.exception(first)?,
            Op::ResumeThrow => self.exception(second)?,
            Op::ContBind => self.bind(first, second)?,
            _ => {}
        }
        if op.effects().demands {
            self.survey.demand();
        }
        if op.effects().calls == MayCall::Tests {
            if let [Immediate::Heap(ty), ..] = immediates {
                self.survey.test(self.facts, ty);
            } else if let [_, _, Immediate::Reference(to)] = immediates {
                self.survey.test(self.facts, to.heap_type());
            }
        } else if op.operator().is_by(Class::Object) {
            self.survey.object(self.facts, op, first, second);
        } else {
            let calls = effects::of(self.facts, op, indices, self.constants);
            self.note(if goes_on_behind { Calls::Last } else { calls });
        }
        Ok(())
    }
}

macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
                visit!(@validate $visit self $($($arg)*)?);
                visit!(@observe $proposal self $op $($($arg)*)?)
            }
        )*
    };
    (@observe custom_descriptors $s:ident $op:ident $($arg:ident)*) => { $s.unsupported("custom descriptors") };
    (@observe memory_control $s:ident $op:ident $($arg:ident)*) => { $s.unsupported("memory control") };
    (@observe legacy_exceptions $s:ident $op:ident $($arg:ident)*) => { $s.unsupported("legacy exception handling") };
    (@observe shared_everything_threads $s:ident $op:ident $($arg:ident)*) => {
        $s.unsupported("shared-everything threads")
    };
    (@observe $proposal:ident $s:ident $op:ident) => {
        $s.observe(Op::$op, [Immediate::Other, Immediate::Other, Immediate::Other])
    };
    (@observe $proposal:ident $s:ident $op:ident $a:ident) => {
        $s.observe(Op::$op, [$a.into(), Immediate::Other, Immediate::Other])
    };
    (@observe $proposal:ident $s:ident $op:ident $a:ident $b:ident) => {
        $s.observe(Op::$op, [$a.into(), $b.into(), Immediate::Other])
    };
    (@observe $proposal:ident $s:ident $op:ident $a:ident $b:ident $c:ident) => {
        $s.observe(Op::$op, [$a.into(), $b.into(), $c.into()])
    };
    (@validate visit_typed_select_multi $s:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_typed_select_multi($t.clone())?
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
                self.note(effects::of(self.facts, Op::$op, [0; 2], [None; 2]));
                Ok(())
            }
        )*
    };
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
