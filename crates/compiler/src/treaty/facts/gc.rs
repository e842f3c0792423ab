//! What the compiler is told of a collector, and of the objects of its heap.

use crate::treaty::ty::Ty;

/// What a collector asks of the code. Offsets are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct GcFacts {
    /// Instance: pointer to the collector's own data.
    pub data: i32,
    /// Store: pointer to the first byte of the heap.
    pub heap: i32,
    /// Store: how many bytes the heap has, a `u64`.
    pub heap_length: i32,
    /// A reference plus this is in the heap or its guard pages, whatever the reference is. Where accesses reach
    /// further, each is compared with the length of the heap: nothing but a mistake of the host or of the compiler
    /// could make one fail, and then it must not leave the heap. 0 if every access must be checked.
    pub unchecked_span: u64,
    /// May the heap be elsewhere after a call?
    pub heap_may_move: bool,
    /// Object: its kind, a `u32`.
    pub kind: i32,
    /// Object: the engine-wide id of its type, a `u32`.
    pub type_id: i32,
    /// Array: its length, a `u32`.
    pub array_length: i32,
    /// Bits of the kind that arrays, structures, and everything that can be compared with `ref.eq` have set.
    pub kinds: Kinds,
    /// Of which sort it is.
    pub collector: Collector,
}

/// Bits of the kind of an object. Those of each kind include those of its supertypes.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// Of all that `ref.eq` compares and is no number.
    pub eq: u32,
    /// Of structures.
    pub structure: u32,
    /// Of arrays.
    pub array: u32,
}

/// The sorts of collectors.
#[derive(Clone, Copy, Debug)]
pub enum Collector {
    /// Objects move. New ones are cut off the front of free space.
    Copying {
        /// Its data: where free space begins, a `u32`.
        free: i32,
        /// Its data: where free space ends, a `u32`.
        end: i32,
        /// Object: its size in bytes, a `u32`.
        size: i32,
        /// Sizes are multiples of this power of two.
        align: u32,
    },
    /// References in the heap are counted, those in frames are found by stack maps among all that were read lately.
    Counting(Counting),
    /// Nothing is collected. New objects are cut off the end of what is used; the kind of an object has its size in it.
    None {
        /// Its data: where the next object may begin, a `u32`.
        free: i32,
        /// Bits that the size of an object cannot have set.
        kind_bits: u32,
    },
}

/// What a collector asks that counts references.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// Object: the number of references, a `u64`.
    pub count: i32,
    /// Object: the next in the list of those read lately, a `u32`.
    pub next: i32,
    /// Bit of an object's kind: is it in that list?
    pub listed: u32,
    /// Its data: the first of the list, a `u32`.
    pub list: i32,
    /// Its data: how many there are in the list, a `u32`.
    pub length: i32,
    /// Its data: how many were left after the last collection, a `u32`.
    pub length_after: i32,
}

impl GcFacts {
    /// Must the collector hear of each reference that is read from memory or written to it?
    #[must_use]
    pub const fn counts(&self) -> bool {
        matches!(self.collector, Collector::Counting(_))
    }
}

/// What objects of a structure, array or exception type look like.
#[derive(Clone, Debug)]
pub struct ObjectFact {
    /// Bytes of a structure or exception, or of an array before its elements.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// The kind, with what the collector keeps beside it.
    pub kind: u32,
    /// Is it an array?
    pub array: bool,
    /// The fields of a structure, what an exception carries; the one field of an array is its element, at the offset of
    /// the first.
    pub fields: Box<[FieldFact]>,
    /// Is one of them a function reference, about whose number the host is asked?
    pub functions: bool,
    /// Is one of them a vector?
    pub vectors: bool,
    /// Does each have a default value?
    pub has_default: bool,
}

/// A field of a structure, or the element of an array.
#[derive(Clone, Copy, Debug)]
pub struct FieldFact {
    /// How a value is kept.
    pub storage: Storage,
    /// Where it is in the object.
    pub offset: i32,
}

/// How a value is kept in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The lowest 8 bits of an `i32`.
    I8,
    /// The lowest 16 bits of an `i32`.
    I16,
    /// A number.
    Number(Ty),
    /// A reference to an object, which the collector must hear of if `traced`.
    Gc {
        /// May it be to something of the heap?
        traced: bool,
    },
    /// A function reference, as the number that `Libcall::GcIntern` gives; the host's number of its static type.
    Func(u32),
}

impl Storage {
    /// Logarithm of the bytes that it takes.
    #[must_use]
    pub const fn log2(self) -> u8 {
        match self {
            Storage::I8 => 0,
            Storage::I16 => 1,
            Storage::Gc { .. } | Storage::Func(_) => 2,
            Storage::Number(ty) => match ty.bytes() {
                4 => 2,
                8 => 3,
                _ => 4,
            },
        }
    }

    /// The type of its value on the stack.
    #[must_use]
    pub const fn ty(self) -> Ty {
        match self {
            Storage::I8 | Storage::I16 => Ty::I32,
            Storage::Number(ty) => ty,
            Storage::Gc { .. } => Ty::GcRef,
            Storage::Func(_) => Ty::FuncRef,
        }
    }
}
