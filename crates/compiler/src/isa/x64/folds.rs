//! Which operators have an instruction that reads their last operand from memory.

use super::simd;
use crate::isa::{Extend, Load};
use crate::operators::{Op, Shape};
use crate::treaty::ty::Width::{W32, W64};

/// By operator.
pub(super) static FOLDS: [Option<Load>; Op::COUNT] = {
    let mut folds = [None; Op::COUNT];
    let mut i = 0;
    while i < Op::COUNT {
        folds[i] = load_of(Op::SHAPES[i]);
        i += 1;
    }
    folds
};

/// The load that is a part of the instruction with which a shape does its work.
const fn load_of(shape: Shape) -> Option<Load> {
    match shape {
        Shape::Alu(W32) | Shape::Mul(W32) | Shape::Compare(W32) => Some(Load::I32),
        Shape::Alu(W64) | Shape::Mul(W64) | Shape::Compare(W64) => Some(Load::I64),
        Shape::FloatAlu(W32) => Some(Load::F32),
        Shape::FloatAlu(W64) => Some(Load::F64),
        // Loads that extend: `movsxd`, and `mov`.
        Shape::Extend(Extend::S32To64 | Extend::U32To64) => Some(Load::I32),
        Shape::Extend(_) => None,
        Shape::VectorUnary(op) if simd::unary_folds(op) => Some(Load::V128),
        Shape::VectorBinary(op) if simd::binary_folds(op) => Some(Load::V128),
        Shape::VectorUnary(_) | Shape::VectorBinary(_) | Shape::Own => None,
    }
}
