//! Where arguments and results are at calls: by the convention of calls inside of a module, and by the host's `Tail`.

use crate::facts::{Signature, ValueType};
use crate::state::{R8, R9, R10, RAX, RCX, RDI, RDX, RSI};
use crate::value::Value;

/// Registers of integer arguments inside of a module.
const PRIVATE_INTS: &[usize] = &[RDX, RCX, R8, R9, RDI, RSI];
/// Registers of integer arguments by `Tail`, before its two instances and the result area take theirs.
const TAIL_INTS: &[usize] = &[RDI, RSI, RDX, RCX, R8, R9];
/// Registers of integer results by both.
const RESULT_INTS: &[usize] = &[RAX, RCX, RDX, RSI, RDI, R8, R9, R10];
/// Vector registers of arguments and of results by both.
const FLOATS: usize = 8;

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In an integer register.
    Int(u8),
    /// In a vector register.
    Float(u8),
    /// At this offset among the arguments on the stack, or in the result area.
    Stack(u32),
}

/// What is passed and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) ty: ValueType,
    pub(crate) part: Part,
    pub(crate) place: Place,
}

/// What is passed of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Of a reference to a continuation, the pointer; the next that is passed is the rest.
    Pointer,
    /// Of a reference to a continuation, the revision.
    Revision,
}

/// One convention's form of a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abi {
    pub(crate) params: Vec<Passed>,
    pub(crate) results: Vec<Passed>,
    /// The register of the result area's address, if there is one.
    pub(crate) area: Option<usize>,
    /// The registers of the callee's and the caller's instance, if they are passed.
    pub(crate) instances: Option<(usize, usize)>,
    /// Bytes of arguments on the stack; the callee pops them.
    pub(crate) stack_args: u32,
    /// Bytes of the result area.
    pub(crate) stack_results: u32,
}

impl Abi {
    /// Nothing is passed.
    pub(crate) const NONE: Abi = Abi::bare(None, 0);

    const fn bare(instances: Option<(usize, usize)>, stack_args: u32) -> Abi {
        Abi { params: Vec::new(), results: Vec::new(), area: None, instances, stack_args, stack_results: 0 }
    }
}

/// Of code that is passed nothing, or of which it is known elsewhere what.
pub(crate) static NONE: Abi = Abi::NONE;
/// Of the entry of startup for wasm, which is passed the two instances.
pub(crate) static STARTUP: Abi = Abi::bare(Some((RDI, RSI)), 0);
/// Of routines that are passed sixteen bytes on the stack.
pub(crate) static WIDE: Abi = Abi::bare(None, 16);

/// A signature in both conventions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    pub(crate) private: Abi,
    pub(crate) tail: Abi,
    /// Does a call by `Tail` pass everything where the private convention has it, so that it may enter either way?
    pub(crate) same: bool,
    /// How many values an array call passes at most.
    pub(crate) values: u32,
    /// Types of parameters and results, each continuation as itself.
    pub(crate) signature: Signature,
}

/// What is passed for values of these types: a pointer and a revision for each continuation.
fn split(types: &[ValueType]) -> Vec<(ValueType, Part)> {
    let mut parts = Vec::with_capacity(types.len());
    for ty in types {
        match ty {
            ValueType::Cont { .. } => parts.extend([(*ty, Part::Pointer), (*ty, Part::Revision)]),
            other => parts.push((*other, Part::Whole)),
        }
    }
    parts
}

/// Each as a whole.
fn whole(types: &[ValueType]) -> Vec<(ValueType, Part)> {
    types.iter().map(|ty| (*ty, Part::Whole)).collect()
}

/// How many bytes a value takes in memory.
pub(crate) fn bytes(ty: ValueType) -> u32 {
    match ty {
        ValueType::I32 | ValueType::F32 | ValueType::Gc => 4,
        ValueType::I64 | ValueType::F64 | ValueType::Func(_) => 8,
        ValueType::V128 | ValueType::Cont { .. } => 16,
    }
}

/// Is it in vector registers?
pub(crate) fn is_float(ty: ValueType) -> bool {
    matches!(ty, ValueType::F32 | ValueType::F64 | ValueType::V128 | ValueType::Cont { .. })
}

fn places(types: &[(ValueType, Part)], ints: &mut dyn Iterator<Item = &usize>) -> (Vec<Passed>, u32) {
    let (mut floats, mut stack) = (0..FLOATS, 0u32);
    let passed = types
        .iter()
        .map(|&(ty, part)| {
            let register = if part == Part::Whole && is_float(ty) {
                floats.next().map(|n| Place::Float(n as u8))
            } else {
                ints.next().map(|n| Place::Int(*n as u8))
            };
            let place = register.unwrap_or_else(|| {
                let size = if part == Part::Whole { bytes(ty).max(8) } else { 8 };
                let at = stack.next_multiple_of(size);
                stack = at + size;
                Place::Stack(at)
            });
            Passed { ty, part, place }
        })
        .collect();
    (passed, stack.next_multiple_of(16))
}

impl Shape {
    pub(crate) fn new(signature: &Signature) -> Shape {
        let (results, stack_results) = places(&split(&signature.results), &mut RESULT_INTS.iter());
        let (params, stack_args) = places(&whole(&signature.params), &mut PRIVATE_INTS.iter());
        let area = (stack_results > 0).then_some(R10);
        let private = Abi { params, results: results.clone(), area, instances: None, stack_args, stack_results };
        let mut ints = TAIL_INTS.iter();
        let area = (stack_results > 0).then(|| ints.next().copied().unwrap_or_default());
        let mut instance = || ints.next().copied().unwrap_or_default();
        let instances = Some((instance(), instance()));
        let (params, stack_args) = places(&split(&signature.params), &mut ints);
        let tail = Abi { params, results, area, instances, stack_args, stack_results };
        let same =
            private.params == tail.params && stack_results == 0 && private.stack_args == 0 && tail.stack_args == 0;
        let values = signature.params.len().max(signature.results.len()) as u32;
        Shape { private, tail, same, values, signature: signature.clone() }
    }
}

/// What is known of an argument: of 32 bits the upper half is zero inside of a module, and anything outside.
pub(crate) fn argument(ty: ValueType, private: bool) -> Value {
    match ty {
        ValueType::I32 | ValueType::Gc if private => Value::U32,
        ValueType::Func(func) => Value::of_type(func),
        _ => Value::ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValueType::{F64, I32, I64};

    #[test]
    fn conventions_agree_where_registers_do() {
        let shape = |params: &[ValueType], results: &[ValueType]| {
            Shape::new(&Signature { params: params.to_vec(), results: results.to_vec() })
        };
        let four = shape(&[I32, I64, F64, I32, I64], &[I32]);
        assert!(four.same);
        assert_eq!(four.private.params[0].place, Place::Int(RDX as u8));
        assert_eq!(four.tail.instances, Some((RDI, RSI)));
        let five = shape(&[I32; 5], &[]);
        assert!(!five.same);
        assert_eq!(five.private.params[4].place, Place::Int(RDI as u8));
        assert_eq!(five.tail.params[4].place, Place::Stack(0));
        assert_eq!(five.tail.stack_args, 16);
        let area = shape(&[I32], &[I64; 9]);
        assert_eq!((area.private.area, area.tail.area), (Some(R10), Some(RDI)));
        assert_eq!(area.tail.instances, Some((RSI, RDX)));
        assert_eq!(area.private.stack_results, 16);
        assert!(!area.same);
    }
}
