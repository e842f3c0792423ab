//! Routines of the host that compiled code calls, by name. They take and return machine values in the registers of
//! `Isa::LIBCALL`; the instance pointer is always the first argument:
//! the memory's or table's owner's for those that work on one (`facts::Owner`), else this instance's.

/// A routine of the host. The comment gives the arguments after the instance pointer, and the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Libcall {
    /// `(pages: u64, index among the owner's defined memories: u32) -> pages before, or -1` (all 64 bits; where a
    /// limiter makes growing an error, it does not return)
    MemoryGrow,
    /// `(to: pointer, from: pointer, bytes: u64)`, ranges already checked; they may overlap.
    MemoryCopy,
    /// `(to: pointer, byte: u32, bytes: u64)`, range already checked.
    MemoryFill,
    /// `(segment: u32) -> u64`: elements of a passive element segment, 0 once dropped.
    ElemLength,
    /// `(segment: u32) -> pointer` to its first element; they are 16 bytes apart.
    ElemBase,
    /// `(segment: u32)`: drops it.
    ElemDrop,
    /// `(function: u32) -> funcref`
    RefFunc,
    /// `(table index of this module: u32, element: u64) -> funcref or null`, element already checked. Unlike the others
    /// that work on a table it takes this instance and finds the owner itself.
    TableGetLazy,
    /// `(index among the owner's defined tables: u32, elements: u64) -> elements before, or -1; the new elements are
    /// null`
    TableGrow,
    /// `(index among the owner's defined memories: u32, position: u64, count: u32) -> waiters woken`
    AtomicNotify,
    /// `(index among the owner's defined memories: u32, position: u64, expected: u32, timeout in ns: i64) -> 0, 1 or 2`
    AtomicWait32,
    /// `(index among the owner's defined memories: u32, position: u64, expected: u64, timeout in ns: i64) -> 0, 1 or 2`
    AtomicWait64,
    /// `()`: fuel has run out; returns if the host adds some.
    OutOfGas,
    /// `() -> u64`: the epoch deadline has come; returns the next.
    NewEpoch,
    /// `(v128, v128, v128) -> v128`: product of the first two and sum with the third, of four lanes, rounded once.
    FmaF32x4,
    /// `(v128, v128, v128) -> v128`: product of the first two and sum with the third, of two lanes, rounded once.
    FmaF64x2,
    /// `(kind: u32, type id: u32, bytes: u32, alignment: u32) -> reference` to a new object, whose header is written
    /// and nothing else. May collect.
    GcAlloc,
    /// `(bytes: u64)`: makes a heap that is never collected that much larger. Traps if it cannot be.
    GcGrow,
    /// `()`: collects.
    GcCollect,
    /// `(reference: u32)`: the object, which nothing but the heap refers to any more, is no longer needed. Does not
    /// collect.
    GcDrop,
    /// `(funcref) -> u32` by which the heap refers to it. Does not collect.
    GcIntern,
    /// `(number: u32, type: u32) -> funcref` that the heap refers to by the number; `type` is the host's number of the
    /// static type. Does not collect.
    GcInterned,
    /// `() -> u32`: the number of an instance, that of a tag's owner.
    InstanceId,
    /// `(exception: u32)`: throws it, and does not return. Traps if it is null.
    ThrowRef,
    /// `(id: u32, id: u32) -> u32`: is the first type a subtype of the second? Does not collect.
    IsSubtype,
    /// `(function: funcref, parameters: u32, results: u32) -> pointer` to a new continuation. Does not collect.
    ContNew,
    /// `()`: throws again what another stack has thrown, or raises its trap, and does not return.
    Raise,
    /// `(code: u32)`: raises the trap whose `TrapCode` has this number, and does not return.
    Trap,
}

impl Libcall {
    /// All of them, in order.
    pub const ALL: &'static [Libcall] = &[
        Libcall::MemoryGrow,
        Libcall::MemoryCopy,
        Libcall::MemoryFill,
        Libcall::ElemLength,
        Libcall::ElemBase,
        Libcall::ElemDrop,
        Libcall::RefFunc,
        Libcall::TableGetLazy,
        Libcall::TableGrow,
        Libcall::AtomicNotify,
        Libcall::AtomicWait32,
        Libcall::AtomicWait64,
        Libcall::OutOfGas,
        Libcall::NewEpoch,
        Libcall::FmaF32x4,
        Libcall::FmaF64x2,
        Libcall::GcAlloc,
        Libcall::GcGrow,
        Libcall::GcCollect,
        Libcall::GcDrop,
        Libcall::GcIntern,
        Libcall::GcInterned,
        Libcall::InstanceId,
        Libcall::ThrowRef,
        Libcall::IsSubtype,
        Libcall::ContNew,
        Libcall::Raise,
        Libcall::Trap,
    ];

    /// May a collector run before it returns?
    pub(crate) const fn collects(self) -> bool {
        use Libcall::{GcAlloc, GcCollect, MemoryGrow, NewEpoch, OutOfGas, TableGrow};
        matches!(self, MemoryGrow | TableGrow | OutOfGas | NewEpoch | GcAlloc | GcCollect)
    }
}
