//! Value types and widths.

use lightbeam_asm::RegClass;
use wasmparser::{RefType, ValType};

/// The type of a value on the wasm stack, in a local, a global or a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Ty {
    /// 32-bit integer. In a register its upper half is zero; in a slot only four bytes mean anything.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float; the rest of the register is undefined.
    F32,
    /// 64-bit float; the rest of the register is undefined.
    F64,
    /// 128 bits, in lanes as each operator sees them.
    V128,
    /// A function reference: a pointer of the host's, null is 0.
    FuncRef,
    /// A reference to something of a collector's: an index into its heap, or a small number with bit 0 set; null is 0.
    /// In registers and slots as an `I32`. Where the collector may run it is in a slot that a stack map names.
    GcRef,
    /// A reference to a continuation: a pointer of the host's in the lower 64 bits, null is 0, and in the upper ones a
    /// number that tells whether the reference has been used. In registers and slots as a `V128`.
    ContRef,
}

impl Ty {
    /// A number for it that is not 0.
    pub(crate) const fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The type with this number, `ty as u8`.
    #[inline(always)]
    pub(crate) const fn from_number(number: u8) -> Ty {
        // In this order it costs no more than the mask.
        match number & 7 {
            0 => Ty::I32,
            1 => Ty::I64,
            2 => Ty::F32,
            3 => Ty::F64,
            4 => Ty::V128,
            5 => Ty::FuncRef,
            6 => Ty::GcRef,
            _ => Ty::ContRef,
        }
    }

    /// The compiler's type for one of wasm's, if that tells all that validation needs to know of it.
    #[must_use]
    pub const fn of(ty: ValType) -> Option<Ty> {
        match ty {
            ValType::I32 => Some(Ty::I32),
            ValType::I64 => Some(Ty::I64),
            ValType::F32 => Some(Ty::F32),
            ValType::F64 => Some(Ty::F64),
            ValType::V128 => Some(Ty::V128),
            ValType::Ref(RefType::FUNCREF) => Some(Ty::FuncRef),
            ValType::Ref(RefType::EXTERNREF) => Some(Ty::GcRef),
            ValType::Ref(_) => None,
        }
    }

    /// The class of register that holds a value of this type.
    #[must_use]
    #[inline(always)]
    pub const fn class(self) -> RegClass {
        match self {
            Ty::I32 | Ty::I64 | Ty::FuncRef | Ty::GcRef => RegClass::Int,
            Ty::F32 | Ty::F64 | Ty::V128 | Ty::ContRef => RegClass::Float,
        }
    }

    /// Is it kept in a float register? Vectors are.
    #[must_use]
    #[inline(always)]
    pub const fn is_float(self) -> bool {
        matches!(self, Ty::F32 | Ty::F64 | Ty::V128 | Ty::ContRef)
    }

    /// Does it take 16 bytes?
    #[must_use]
    #[inline(always)]
    pub const fn is_wide(self) -> bool {
        matches!(self, Ty::V128 | Ty::ContRef)
    }

    /// How many of its bits count. Not for vectors, which nothing treats as numbers.
    #[must_use]
    #[inline(always)]
    pub const fn width(self) -> Width {
        debug_assert!(!self.is_wide(), "a vector is no number");
        match self {
            Ty::I32 | Ty::F32 | Ty::GcRef => Width::W32,
            Ty::I64 | Ty::F64 | Ty::FuncRef | Ty::V128 | Ty::ContRef => Width::W64,
        }
    }

    /// Bytes that a value takes in memory.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Ty::I32 | Ty::F32 | Ty::GcRef => 4,
            Ty::I64 | Ty::F64 | Ty::FuncRef => 8,
            Ty::V128 | Ty::ContRef => 16,
        }
    }
}

const _: () = {
    let mut number = 0;
    while number < 8 {
        assert!(Ty::from_number(number) as u8 == number);
        number += 1;
    }
};

/// The width of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Width {
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
}

impl Width {
    /// Bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Width::W32 => 32,
            Width::W64 => 64,
        }
    }

    /// The integer type of so many bits.
    #[must_use]
    pub const fn int(self) -> Ty {
        match self {
            Width::W32 => Ty::I32,
            Width::W64 => Ty::I64,
        }
    }

    /// The float type of so many bits.
    #[must_use]
    pub const fn float(self) -> Ty {
        match self {
            Width::W32 => Ty::F32,
            Width::W64 => Ty::F64,
        }
    }
}

/// The types of up to seven values in one word, a byte each, the last lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) types: u64,
    /// The bytes that the types fill.
    pub(crate) mask: u64,
    /// How many bits those are.
    pub(crate) bits: u32,
}

impl Packed {
    pub(crate) const EMPTY: Packed = Packed { types: 0, mask: 0, bits: 0 };

    /// More than fit. No word is like this in the bytes of the mask, of which there are none.
    pub(crate) const LONG: Packed = Packed { types: 1, mask: 0, bits: 0 };

    /// A single code.
    pub(crate) const fn one(code: u8) -> Packed {
        Packed { types: code as u64, mask: 0xff, bits: 8 }
    }

    pub(crate) fn new(types: &[Ty]) -> Packed {
        if types.len() > 7 {
            return Packed::LONG;
        }
        let bits = 8 * types.len() as u32;
        let types = types.iter().fold(0, |word, ty| word << 8 | u64::from(ty.code()));
        Packed { types, mask: (1 << bits) - 1, bits }
    }
}
