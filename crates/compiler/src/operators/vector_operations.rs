//! The machine's operations on vectors by name, like those of `operations.rs`.

use crate::treaty::ty::Width;

/// An enumeration of operations named as the operators, and the list of all.
macro_rules! all {
    ($(#[$doc:meta])* $name:ident: $($op:ident,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "named as the operators")]
        pub enum $name { $($op,)* }

        #[cfg(test)]
        impl $name {
            pub(crate) const ALL: &'static [$name] = &[$($name::$op,)*];
        }
    };
}

/// The operations on two vectors in groups: those that make each lane all ones or all zeros, or compute; of which the
/// operands may be exchanged, as wasm leaves the bits of NaNs open, or not. So none can be named without saying either.
macro_rules! binary {
    ($($kind:ident $order:ident { $($op:ident,)* })*) => {
        all! {
            /// Operations on two vectors. `I16x8DotI8x16S` is what the relaxed one always is where it must be the same
            /// everywhere.
            VectorBinary: $($($op,)*)*
        }

        impl VectorBinary {
            /// Is each lane of the result all ones or all zeros?
            #[must_use]
            pub const fn compares(self) -> bool {
                match self { $($(VectorBinary::$op)|* => is!($kind),)* }
            }

            /// May the operands be exchanged?
            #[must_use]
            pub const fn commutes(self) -> bool {
                match self { $($(VectorBinary::$op)|* => is!($order),)* }
            }
        }
    };
}

macro_rules! is {
    (compares) => {
        true
    };
    (computes) => {
        false
    };
    (commutes) => {
        true
    };
    (ordered) => {
        false
    };
}

/// The lanes of a vector of integers, by their width: 8, 16, 32 and 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "byte, word, double word, quad word")]
pub enum Lanes {
    B,
    W,
    D,
    Q,
}

impl Lanes {
    /// Bits of a lane.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Lanes::B => 8,
            Lanes::W => 16,
            Lanes::D => 32,
            Lanes::Q => 64,
        }
    }
}

/// One lane as a value of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as wasm's types")]
pub enum Lane {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Lane {
    /// Bytes of the lane.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Lane::I8 => 1,
            Lane::I16 => 2,
            Lane::I32 | Lane::F32 => 4,
            Lane::I64 | Lane::F64 => 8,
        }
    }

    /// Is the value a float?
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Lane::F32 | Lane::F64)
    }
}

/// A load that fills a vector from less than 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the operators: signedness, bits and number of what is extended")]
pub enum VectorLoad {
    S8x8,
    U8x8,
    S16x4,
    U16x4,
    S32x2,
    U32x2,
    Splat8,
    Splat16,
    Splat32,
    Splat64,
    Zero32,
    Zero64,
}

impl VectorLoad {
    /// Bytes read.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        use VectorLoad::*;
        match self {
            Splat8 => 1,
            Splat16 => 2,
            Splat32 | Zero32 => 4,
            _ => 8,
        }
    }
}

/// A question to all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorTest {
    /// Is any bit set?
    AnyTrue,
    /// Is no lane zero?
    AllTrue(Lanes),
}

/// How a shuffle takes its lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShuffleFrom {
    /// Byte `i` of the result is the byte of this number of the one operand; from 16 on, zero.
    One,
    /// Numbers below 16 are of the first operand, the others of the second.
    Two,
}

all! {
    /// Operations on one vector.
    VectorUnary:
    Not, F32x4DemoteF64x2Zero, F64x2PromoteLowF32x4, I8x16Abs, I8x16Neg, I8x16Popcnt, F32x4Ceil, F32x4Floor,
    F32x4Trunc, F32x4Nearest, F64x2Ceil, F64x2Floor, F64x2Trunc, I16x8ExtaddPairwiseI8x16S,
    I16x8ExtaddPairwiseI8x16U, I32x4ExtaddPairwiseI16x8S, I32x4ExtaddPairwiseI16x8U, I16x8Abs, I16x8Neg,
    I16x8ExtendLowI8x16S, I16x8ExtendHighI8x16S, I16x8ExtendLowI8x16U, I16x8ExtendHighI8x16U, F64x2Nearest,
    I32x4Abs, I32x4Neg, I32x4ExtendLowI16x8S, I32x4ExtendHighI16x8S, I32x4ExtendLowI16x8U, I32x4ExtendHighI16x8U,
    I64x2Abs, I64x2Neg, I64x2ExtendLowI32x4S, I64x2ExtendHighI32x4S, I64x2ExtendLowI32x4U, I64x2ExtendHighI32x4U,
    F32x4Abs, F32x4Neg, F32x4Sqrt, F64x2Abs, F64x2Neg, F64x2Sqrt, I32x4TruncSatF32x4S, I32x4TruncSatF32x4U,
    F32x4ConvertI32x4S, F32x4ConvertI32x4U, I32x4TruncSatF64x2SZero, I32x4TruncSatF64x2UZero,
    F64x2ConvertLowI32x4S, F64x2ConvertLowI32x4U, I32x4RelaxedTruncF32x4S, I32x4RelaxedTruncF64x2SZero,
}

binary! {
    compares commutes {
        I8x16Eq, I8x16Ne, I16x8Eq, I16x8Ne, I32x4Eq, I32x4Ne, F32x4Eq, F32x4Ne, F64x2Eq, F64x2Ne, I64x2Eq, I64x2Ne,
    }
    compares ordered {
        I8x16LtS, I8x16LtU, I8x16GtS, I8x16GtU, I8x16LeS, I8x16LeU, I8x16GeS, I8x16GeU, I16x8LtS, I16x8LtU,
        I16x8GtS, I16x8GtU, I16x8LeS, I16x8LeU, I16x8GeS, I16x8GeU, I32x4LtS, I32x4LtU, I32x4GtS, I32x4GtU,
        I32x4LeS, I32x4LeU, I32x4GeS, I32x4GeU, F32x4Lt, F32x4Gt, F32x4Le, F32x4Ge, F64x2Lt, F64x2Gt, F64x2Le,
        F64x2Ge, I64x2LtS, I64x2GtS, I64x2LeS, I64x2GeS,
    }
    computes commutes {
        And, Or, Xor, I8x16Add, I8x16AddSatS, I8x16AddSatU, I8x16MinS, I8x16MinU, I8x16MaxS, I8x16MaxU, I8x16AvgrU,
        I16x8Q15mulrSatS, I16x8Add, I16x8AddSatS, I16x8AddSatU, I16x8Mul, I16x8MinS, I16x8MinU, I16x8MaxS,
        I16x8MaxU, I16x8AvgrU, I16x8ExtmulLowI8x16S, I16x8ExtmulHighI8x16S, I16x8ExtmulLowI8x16U,
        I16x8ExtmulHighI8x16U, I32x4Add, I32x4Mul, I32x4MinS, I32x4MinU, I32x4MaxS, I32x4MaxU, I32x4DotI16x8S,
        I32x4ExtmulLowI16x8S, I32x4ExtmulHighI16x8S, I32x4ExtmulLowI16x8U, I32x4ExtmulHighI16x8U, I64x2Add,
        I64x2Mul, I64x2ExtmulLowI32x4S, I64x2ExtmulHighI32x4S, I64x2ExtmulLowI32x4U, I64x2ExtmulHighI32x4U,
        F32x4Add, F32x4Mul, F64x2Add, F64x2Mul, I16x8RelaxedQ15mulrS, I16x8DotI8x16S, F32x4Min, F32x4Max, F64x2Min,
        F64x2Max,
    }
    computes ordered {
        I8x16Swizzle, Andnot, I8x16NarrowI16x8S, I8x16NarrowI16x8U, I8x16Sub, I8x16SubSatS, I8x16SubSatU,
        I16x8NarrowI32x4S, I16x8NarrowI32x4U, I16x8Sub, I16x8SubSatS, I16x8SubSatU, I32x4Sub, I64x2Sub, F32x4Sub,
        F32x4Div, F32x4Pmin, F32x4Pmax, F64x2Sub, F64x2Div, F64x2Pmin, F64x2Pmax, I8x16RelaxedSwizzle,
        I16x8RelaxedDotI8x16I7x16S,
    }
}

/// Operations on three vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorTernary {
    /// Bits of the first where the third is one, else of the second.
    Bitselect,
    /// By the highest bit of each lane of the third, 8 bits wide.
    LaneselectB,
    /// 32 bits wide.
    LaneselectD,
    /// 64 bits wide.
    LaneselectQ,
    /// Product of the first two, and sum with the third; rounded once if the processor can.
    F32x4Madd,
    /// The product negated.
    F32x4Nmadd,
    /// Product of the first two, and sum with the third, of `f64`.
    F64x2Madd,
    /// The product negated, of `f64`.
    F64x2Nmadd,
    /// Products of bytes, four summed up and added to the third; the second has seven bits in each.
    RelaxedDotAdd,
    /// Products of bytes of any value, four summed up exactly and added to the third.
    DotAdd,
}

/// Which of an enumeration's operations compute floats, and so NaNs where there were others or none; those that only
/// move their bits do not.
macro_rules! makes_nans {
    ($name:ident: $($f32x4:ident)|* ; $($f64x2:ident)|*) => {
        impl $name {
            /// May a lane of the result be a NaN that was computed? Then its width.
            #[must_use]
            pub const fn makes_nans(self) -> Option<Width> {
                match self {
                    $($name::$f32x4)|* => Some(Width::W32),
                    $($name::$f64x2)|* => Some(Width::W64),
                    _ => None,
                }
            }
        }
    };
}

makes_nans! {
    VectorUnary: F32x4Ceil | F32x4Floor | F32x4Trunc | F32x4Nearest | F32x4Sqrt | F32x4DemoteF64x2Zero ;
    F64x2Ceil | F64x2Floor | F64x2Trunc | F64x2Nearest | F64x2Sqrt | F64x2PromoteLowF32x4
}

makes_nans! {
    VectorBinary: F32x4Add | F32x4Sub | F32x4Mul | F32x4Div | F32x4Min | F32x4Max ;
    F64x2Add | F64x2Sub | F64x2Mul | F64x2Div | F64x2Min | F64x2Max
}

makes_nans! {
    VectorTernary: F32x4Madd | F32x4Nmadd ; F64x2Madd | F64x2Nmadd
}
