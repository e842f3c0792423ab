//! What is known of the eight bytes in a register or a word of the frame, in one word: a tag, 24 bits and 32 bits.
//!
//! Three classes: numbers, which a guest may know and compute with; pointers and what is made of them, each good for
//! what its tag says and nothing else; and [`Value::UNDEF`], which nobody may use. Where paths meet, equal values stay,
//! numbers go up their chain (`Const`, `Below`, `U32`, `ANY`), and all else is lost.

use std::fmt;

/// A value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) u64);

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// What a value is of. `a` and `b` are its two fields.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub(crate) enum Tag { $($(#[$doc])* $name,)* }

        /// By byte. No value has a byte beyond the last.
        const TAGS: [Tag; 256] = {
            let mut tags = [Tag::Undef; 256];
            $(tags[Tag::$name as usize] = Tag::$name;)*
            tags
        };
    };
}

tags! {
    // ---- numbers
    /// Any number. `a` is 1 if it is not 0; likewise in `U32`.
    Any
    /// The upper half is zero.
    U32
    /// Less than `b`.
    Below
    /// The number that is in `a` and `b`, of 56 bits with sign.
    Const
    /// What the frame has at `b`: 32 bits, the upper half zero.
    Slot32
    /// What the frame has at `b`: 64 bits.
    Slot64
    /// What register `b` holds; bit 0 of `a` says that it is not 0, bit 1 that it is of 32 bits.
    CopyOf
    /// A constant that takes more than 56 bits, so it is neither small nor -1. `a` is 1 if its lower half is zero, `b`
    /// if it is the smallest with sign.
    Huge
    /// At least `a` and `b`, of 56 bits, without sign.
    AtLeast
    /// At least `b`, and of no more than `a` bits, which are at most 62.
    Bits
    /// At least `a`, at most the length of memory `b`.
    End
    /// At least `a`, at most `b`.
    EndConst
    /// Less than the number of elements of table `b`; `a` is 1 if it fits in 32 bits.
    BelowLen
    /// Less than `b`, and so even if checks were predicted wrongly.
    SafeBelow
    /// What `End`, `EndConst` and `BelowLen` are, and so even if checks were predicted wrongly, but for the upper
    /// bound.
    SafeEnd
    SafeEndConst
    SafeBelowLen
    /// A reference or an offset in the collector's heap: so many bytes from it on (`b`) are in the heap. Fits in 32
    /// bits. `a` says whether that is so even if checks were predicted wrongly, and whether it is not 0.
    InHeap
    /// The length of memory `b`.
    MemoryLen
    /// The number of elements of table `b`; `a` is 1 if it fits in 32 bits.
    TableLen
    /// The length of data segment `b`.
    DataLen
    /// The number of elements of element segment `b`.
    ElemLen
    /// The length of the heap less `b`.
    HeapLen
    /// The index of a function out of a list; `b` is the type of all of them as in `Func`. `a`: may it be that of none?
    Listed
    /// The index of imported memory or table `b` among those that its owner defines; `a` says of what (`OWNER_*`).
    OwnerIndex
    /// The number of a trap that the host knows.
    TrapCode
    /// What the host gives for a new object of `b` bytes: its lower half is `InHeap`.
    Allocated
    /// Where the collector's free space begins, and where it ends. All that is said of its start is of the same one,
    /// which was read last.
    FreeStart
    FreeEnd
    /// How much there is of it.
    FreeRoom
    /// `FreeStart` where there is room for `b` bytes: `InHeap`.
    FreeHeap
    /// At least `b` bytes, for which there is room.
    FreeSize
    /// Beyond `FreeStart`, and not beyond `FreeEnd`: where free space may begin from now on.
    FreeNext
    /// The id of type `b`.
    TypeId
    /// The id of the type of the function reference with identity `a`.
    TypeOf
    /// Not zero only if the function reference with identity `a` is of type `b`.
    IsSubtype
    /// Whether a handler was asked for, by the answer `b`: 0 if not, else 1 plus its number. In `a`: `ASKED` for that,
    /// `ASKED_ONE` if it is not 0, `ASKED_NUMBER` for the number alone, `ASKED_SAFE` for that even if checks were
    /// predicted wrongly.
    Asked
    /// Parameter `b` of what a component has for a function of its own: all of it; or its lower half, the upper half
    /// being zero, if `a` is 1.
    Param
    /// Whether the instance may leave for which a component's context says so at `b`: if it is not 0.
    MayLeave
    /// Whether a task might block when a component's own function was entered.
    MayBlock
    /// What slot `b` of the task is.
    TaskSlot
    /// The representation of the resource that was dropped; of 32 bits if `a` is 1.
    Dropped
    /// Parameter `b`, known to be no less than `a`; that less `a`; and parameter `b`, known to be no more than that.
    LongParam
    ShortenedParam
    /// See `LongParam`.
    WithinParam
    /// An offset out of the jump table at `b`, of the handler that the answer `a` is about.
    AskedEntry
    /// An offset out of the jump table at `b` with `a` entries, sign-extended.
    Entry

    // ---- pointers
    /// The instance whose code this is.
    Ctx
    /// The store's structure.
    Store
    /// The array of builtins.
    Builtins
    /// The epoch counter.
    Epoch
    /// The collector's data.
    GcData
    /// The array of type ids.
    TypeIds
    /// The first byte of memory `b`.
    Memory
    /// The definition of memory `b`.
    MemoryDef
    /// The first element of table `b`.
    Table
    /// The definition of table `b`.
    TableDef
    /// The value of global `b`.
    Global
    /// The collector's heap.
    Heap
    /// In the collector's heap: `b` bytes from there on are in it or fault.
    HeapAt
    /// Half way from the first element of table `b`, of 16 bytes each, to one that is less than its length by `a`
    /// register.
    TableHalf
    /// The first byte of data segment `b`.
    Data
    /// The first element of element segment `b`.
    Elem
    /// Into a region, see `relate`; `b` is the region. Good for what is known of it there.
    Into
    /// A place of a reference of 32 bits, to be read and written.
    Cell
    /// Sixteen bytes of some frame, to be read.
    Vector
    /// The stack pointer at the entry, plus `b` with sign.
    Stack
    /// The result area of this function, plus `b`.
    ResultArea
    /// The array of values of an entry from the host, plus `b`.
    Values
    /// The instance that owns: `a` says what (`OWNER_*`), `b` its index.
    Owner
    /// The identity of tag `b`.
    TagIdentity
    /// A function reference: of type `b - 1` or a subtype if `b` is not 0. `a`: identity, and whether it may be null.
    Func
    /// What a lazy table has for an element: 0, or a function reference with bit 0 set; `b` as in `Func`. `a` is 1 if
    /// it is not 0.
    LazyFunc
    /// The instance of the function reference with identity `a`.
    FuncInstance
    /// The code of it, whose type is `b - 1`.
    FuncCode
    /// Five bytes behind that.
    FuncCodeBehind
    /// One of the two, the second only if the function is of this instance.
    FuncCodeEither
    /// The instance of imported function `b`.
    ImportInstance
    /// The code of imported function `b`.
    ImportCode
    /// The base of memory 0 of the instance of imported function `b`.
    ImportMemory
    /// The host's function of the callee that an exit was given.
    HostCode
    /// The builtin with index `b`.
    BuiltinCode
    /// What the host gave an exit at its call number `a`; `b` is 1 if the upper half may be something else by now.
    Given
    /// The callee's instance, for code that was entered by the host's convention; in an exit that is no instance of
    /// wasm.
    Callee
    /// The caller's instance, likewise.
    Caller
    /// An offset in the text.
    Text
    /// A target out of the jump table at `b` with `a` entries.
    Target
    /// A target out of the jump table at `b`, of the handler that the answer `a` is about.
    AskedTarget
    /// The context of a component.
    Component
    /// The pointer that a component's context has at `b`.
    ContextPointer
    /// The first byte of the memory to whose definition that points.
    ContextMemory
    /// That and as many bytes as parameter `a` says.
    InContextMemory
    /// The array of the host's functions for components.
    Libcalls
    /// The one that is there at `b`.
    LibcallCode
    /// The instance of the function to whose reference a component's context points at `b`.
    ContextInstance
    /// The code of it.
    ContextCode
    /// Parameter `b`, a reference to a function.
    FuncParam
    /// Of a word of the frame: the lower half is that of parameter `b`.
    LowParam
    /// Values from another stack, of the answer `b`; `a` is one of `ANSWER_*`. In two words of the frame: a reference
    /// to what has asked for a handler, if one has.
    Answer
    /// Pointer of a reference to a continuation of functions of type `b - 1`, if `b` is not 0; may be null. `a` as in
    /// `Func`, and `PAIRED`.
    Cont
    /// The revision of a reference whose pointer has the same identity in `a`, or is in the word before if both are
    /// `PAIRED`.
    Revision
    /// What register `b` held at the entry.
    Saved
    /// The return address.
    Return
    /// The store's current thread: where this frame's is not if `b` is 0, and where it may be if it is 1.
    Thread
    /// The kind or the pointer of a stack, and other words of the host's that code only moves: `b` says which.
    Host
    /// Of a word of the frame: the host has written it with a word of a result, of which `b` is the number, unless it
    /// says that it has failed. Nobody reads it before that is known.
    Unanswered
    /// Of a word of the frame: bits 0 and 1 of `b` say whether the lower and the upper half are numbers; in a register
    /// nothing.
    Undef
}

/// The last of the tags of numbers.
const LAST_NUMBER: u8 = Tag::Entry as u8;

const _: () = {
    let mut i = 0;
    while i <= Tag::Undef as usize {
        assert!(TAGS[i] as usize == i);
        i += 1;
    }
};

/// Most that 24 bits hold.
pub(crate) const MOST_A: u32 = (1 << 24) - 1;

use crate::facts::NO_FUNCTION;

/// In `a` of `Func`: may it be null?
pub(crate) const NULLABLE: u32 = 1 << 16;

/// In `b` of `LazyFunc`, and of `Func` that came from one: it is null for certain. No type has a number so large.
pub(crate) const ONLY_NULL: u32 = u32::MAX;

/// In `a` of `Func`: its identity, 0 for none.
pub(crate) const IDENTITY: u32 = NULLABLE - 1;

/// In `a` of `Cont` and `Revision` in the frame: with the other in the word beside it, it is a reference.
pub(crate) const PAIRED: u32 = 1 << 17;

/// In `a` of `Cont`: of a continuation that was just made, to which there is no reference yet.
pub(crate) const FRESH: u32 = 1 << 18;

/// In `a` of `Asked`.
pub(crate) const ASKED: u32 = 0;
/// See `ASKED`.
pub(crate) const ASKED_ONE: u32 = 1;
/// See `ASKED`.
pub(crate) const ASKED_NUMBER: u32 = 2;
/// See `ASKED`.
pub(crate) const ASKED_SAFE: u32 = 3;

/// In `a` of `Answer`: not known yet, the results, or the values for the first handler, from which on they are
/// numbered.
pub(crate) const ANSWER_OPEN: u32 = 0;
/// See `ANSWER_OPEN`.
pub(crate) const ANSWER_RESULTS: u32 = 1;
/// See `ANSWER_OPEN`.
pub(crate) const ANSWER_HANDLERS: u32 = 2;

/// In `a` of `InHeap`.
const CERTAIN: u32 = 1;
/// See `CERTAIN`.
const NOT_ZERO: u32 = 2;

/// In `a` of `IsSubtype`: the upper half may be anything.
pub(crate) const DIRTY: u32 = 1 << 16;

/// In `b` of `Undef`, in a register: only the lowest byte is a number.
pub(crate) const LOW_BYTE: u32 = 8;

/// In `b` of `Undef`, in a register: perhaps it is as it was, undefined, and a conditional move of 32 bits will replace
/// it then.
pub(crate) const MAYBE: u32 = 16;

const PARTS: u32 = LOW_BYTE | MAYBE;

/// In `a` of `Owner`.
pub(crate) const OWNER_MEMORY: u32 = 0;
/// See `OWNER_MEMORY`.
pub(crate) const OWNER_TABLE: u32 = 1;
/// See `OWNER_MEMORY`.
pub(crate) const OWNER_TAG: u32 = 2;

impl Value {
    pub(crate) const ANY: Value = Value::new(Tag::Any, 0, 0);
    pub(crate) const U32: Value = Value::new(Tag::U32, 0, 0);
    pub(crate) const UNDEF: Value = Value::new(Tag::Undef, 0, 0);
    pub(crate) const CTX: Value = Value::new(Tag::Ctx, 0, 0);
    pub(crate) const NULL: Value = Value::new(Tag::Const, 0, 0);
    /// The smallest number of 64 bits.
    pub(crate) const SMALLEST: Value = Value::constant(i64::MIN);

    #[inline]
    pub(crate) const fn new(tag: Tag, a: u32, b: u32) -> Value {
        Value((tag as u64) << 56 | ((a & MOST_A) as u64) << 32 | b as u64)
    }

    #[inline]
    pub(crate) const fn of(tag: Tag, b: u32) -> Value {
        Value::new(tag, 0, b)
    }

    #[inline]
    pub(crate) const fn tag_byte(self) -> u8 {
        (self.0 >> 56) as u8
    }

    #[inline]
    pub(crate) fn tag(self) -> Tag {
        TAGS[usize::from(self.tag_byte())]
    }

    #[inline]
    pub(crate) const fn is(self, tag: Tag) -> bool {
        self.tag_byte() == tag as u8
    }

    #[inline]
    pub(crate) const fn a(self) -> u32 {
        (self.0 >> 32) as u32 & MOST_A
    }

    #[inline]
    pub(crate) const fn b(self) -> u32 {
        self.0 as u32
    }

    /// A constant, or any number if it takes more than 56 bits.
    #[inline]
    pub(crate) const fn constant(value: i64) -> Value {
        if value << 8 >> 8 != value {
            return Value::new(Tag::Huge, (value as u32 == 0) as u32, (value == i64::MIN) as u32);
        }
        Value((Tag::Const as u64) << 56 | value as u64 & (1 << 56) - 1)
    }

    /// The number, if it is a constant.
    #[inline]
    pub(crate) const fn as_constant(self) -> Option<i64> {
        if self.is(Tag::Const) { Some((self.0 << 8) as i64 >> 8) } else { None }
    }

    /// At least so much.
    pub(crate) const fn at_least(least: u64) -> Value {
        let most = (1 << 56) - 1;
        Value((Tag::AtLeast as u64) << 56 | if least < most { least } else { most })
    }

    pub(crate) const fn stack(offset: i32) -> Value {
        Value::of(Tag::Stack, offset.cast_unsigned())
    }

    /// The offset, if it is a place of the stack.
    #[inline]
    pub(crate) const fn as_stack(self) -> Option<i32> {
        if self.is(Tag::Stack) { Some(self.b().cast_signed()) } else { None }
    }

    /// What the type of a function reference says of it. That it is not null is not among that: of what is passed,
    /// given back and kept nobody proves it, so whoever reads through it has looked, or has a trap for that.
    pub(crate) const fn of_type(func: crate::facts::FuncType) -> Value {
        Value::func(func.ty, true)
    }

    /// A function reference of a type.
    pub(crate) const fn func(ty: Option<u32>, nullable: bool) -> Value {
        let ty = match ty {
            Some(NO_FUNCTION) => return Value::NULL,
            Some(ty) => ty + 1,
            None => 0,
        };
        Value::new(Tag::Func, if nullable { NULLABLE } else { 0 }, ty)
    }

    #[inline]
    pub(crate) const fn is_number(self) -> bool {
        self.tag_byte() <= LAST_NUMBER
    }

    /// Is it what the frame has somewhere?
    #[inline]
    pub(crate) const fn is_from_frame(self) -> bool {
        self.is(Tag::Slot32) || self.is(Tag::Slot64)
    }

    /// Is the upper half zero for certain?
    #[inline]
    pub(crate) fn is_u32(self) -> bool {
        match self.tag() {
            Tag::U32
            | Tag::Below
            | Tag::SafeBelow
            | Tag::Slot32
            | Tag::InHeap
            | Tag::TypeId
            | Tag::TypeOf
            | Tag::DataLen => true,
            Tag::Asked | Tag::Listed | Tag::OwnerIndex | Tag::TrapCode => true,
            Tag::MayLeave | Tag::MayBlock | Tag::TaskSlot => true,
            Tag::Param | Tag::Dropped => self.a() != 0,
            Tag::FreeStart | Tag::FreeEnd | Tag::FreeRoom => true,
            Tag::FreeHeap | Tag::FreeSize | Tag::FreeNext => true,
            Tag::EndConst | Tag::SafeEndConst => true,
            Tag::Const => self.0 >> 32 & 0xff_ffff == 0,
            Tag::IsSubtype => self.a() & DIRTY == 0,
            Tag::CopyOf => self.a() & 2 != 0,
            Tag::TableLen | Tag::BelowLen | Tag::SafeBelowLen => self.a() != 0,
            _ => false,
        }
    }

    /// Is it known however branches were predicted?
    pub(crate) fn is_certain(self) -> bool {
        matches!(self.tag(), Tag::Const | Tag::SafeEnd | Tag::SafeEndConst)
    }

    /// A number that it is less than, if it is of 32 bits.
    pub(crate) fn below(self) -> Option<u64> {
        match self.tag() {
            Tag::Below | Tag::SafeBelow => Some(self.b().into()),
            Tag::EndConst | Tag::SafeEndConst => Some(u64::from(self.b()) + 1),
            Tag::Const if self.is_u32() => Some(u64::from(self.b()) + 1),
            _ if self.is_u32() => Some(1 << 32),
            _ => None,
        }
    }

    /// A number that it is less than, at most 2⁶².
    pub(crate) fn limit(self) -> Option<u64> {
        match self.tag() {
            Tag::Bits => Some(1 << self.a()),
            Tag::Const => self.as_constant().filter(|value| *value >= 0).map(|value| value.cast_unsigned() + 1),
            _ => self.below(),
        }
    }

    /// At least `least`, at most `most`, which is less than 2⁶².
    pub(crate) fn range(least: u64, most: u64) -> Value {
        if let Ok(most) = u32::try_from(most) {
            let least = least.min(MOST_A.into()) as u32;
            return match most.checked_add(1) {
                _ if least > 0 => Value::new(Tag::EndConst, least, most),
                Some(limit) => Value::less_than(limit.into()),
                None => Value::U32,
            };
        }
        match u32::try_from(least) {
            Ok(least) => Value::new(Tag::Bits, u64::BITS - most.leading_zeros(), least),
            Err(_) => Value::at_least(least),
        }
    }

    /// How many bytes from there on are in the collector's heap, if that is known of an offset.
    #[inline]
    pub(crate) fn in_heap(self) -> Option<u32> {
        if self.is(Tag::InHeap) || self.is(Tag::FreeHeap) { Some(self.b()) } else { None }
    }

    /// So many bytes from an offset on are in the heap, even if checks were predicted wrongly.
    pub(crate) const fn in_heap_for_certain(bytes: u32) -> Value {
        Value::new(Tag::InHeap, CERTAIN, bytes)
    }

    /// An offset, so many bytes from which on are known to be in the heap.
    pub(crate) fn known_in_heap(self, certain: bool, bytes: u32) -> Value {
        let not_zero = if self.least() > 0 { NOT_ZERO } else { 0 };
        Value::new(Tag::InHeap, u32::from(certain) | not_zero, bytes)
    }

    /// Is it such an offset? No module chooses where free space begins.
    pub(crate) fn is_in_heap_for_certain(self) -> bool {
        self.is(Tag::FreeHeap) || self.is(Tag::InHeap) && self.a() & CERTAIN != 0
    }

    /// What is left of it where another place may be where free space begins.
    pub(crate) fn without_free_start(self) -> Value {
        match self.tag() {
            Tag::FreeHeap => Value::in_heap_for_certain(self.b()),
            Tag::FreeStart | Tag::FreeRoom | Tag::FreeSize | Tag::FreeNext => self.widened(),
            _ => self,
        }
    }

    /// Less than `most`, which is at most 2³².
    pub(crate) const fn less_than(most: u64) -> Value {
        match most {
            0 => Value::NULL,
            1..=0xffff_ffff => Value::of(Tag::Below, most as u32),
            _ => Value::U32,
        }
    }

    /// A number that it is at least.
    pub(crate) fn least(self) -> u64 {
        match self.tag() {
            Tag::AtLeast => self.0 & (1 << 56) - 1,
            Tag::Huge => 1 << 55,
            Tag::End | Tag::EndConst | Tag::SafeEnd | Tag::SafeEndConst => self.a().into(),
            Tag::Const => self.as_constant().map_or(0, i64::cast_unsigned),
            Tag::Bits | Tag::FreeSize => self.b().into(),
            Tag::Any | Tag::U32 => self.a().into(),
            Tag::CopyOf => (self.a() & 1).into(),
            Tag::InHeap => (self.a() / NOT_ZERO).into(),
            _ => 0,
        }
    }

    /// A number, known not to be 0.
    pub(crate) fn not_zero(self) -> Value {
        match self.tag() {
            Tag::Any | Tag::U32 => Value::new(self.tag(), 1, 0),
            Tag::InHeap => Value::new(Tag::InHeap, self.a() | NOT_ZERO, self.b()),
            Tag::CopyOf => Value::new(Tag::CopyOf, self.a() | 1, self.b()),
            Tag::Below if self.b() > 1 => Value::new(Tag::EndConst, 1, self.b() - 1),
            Tag::Bits => Value::new(Tag::Bits, self.a(), self.b().max(1)),
            Tag::Func => Value::new(Tag::Func, self.a() & !NULLABLE, self.b()),
            Tag::LazyFunc => Value::new(Tag::LazyFunc, 1, self.b()),
            _ => self,
        }
    }

    /// Is it a number of which nothing is known but between which bounds it is?
    pub(crate) fn is_range(self) -> bool {
        use Tag::*;
        matches!(self.tag(), Any | U32 | Below | EndConst | Bits | AtLeast | Huge)
    }

    /// A number of 64 bits in general: what is left when it is forgotten how it came about.
    pub(crate) fn widened(self) -> Value {
        if self.is_u32() {
            Value::new(Tag::U32, u32::from(self.least() > 0), 0)
        } else {
            Value::new(Tag::Any, u32::from(self.least() > 0), 0)
        }
    }

    /// For a copy of it: see `CopyOf`.
    pub(crate) fn copied_bits(self) -> u32 {
        u32::from(self.least() > 0) | u32::from(self.is_u32()) << 1
    }

    /// A number, without what only its register tells.
    pub(crate) fn plain(self) -> Value {
        match self.tag() {
            Tag::Const | Tag::Below | Tag::U32 | Tag::Any => self,
            _ => self.below().map_or(Value::ANY, Value::less_than),
        }
    }

    /// What a word of the frame keeps of a value of 64 bits that is stored there.
    pub(crate) fn stored(self, movable: impl Fn(Value) -> bool) -> Value {
        match self.tag() {
            Tag::Const if self == Value::NULL => self,
            Tag::Cont => Value::new(Tag::Cont, self.a() & !FRESH, self.b()),
            Tag::TypeOf | Tag::TypeId | Tag::IsSubtype | Tag::InHeap | Tag::Allocated => self,
            Tag::Param | Tag::MayBlock | Tag::Dropped => self,
            Tag::FreeHeap => Value::in_heap_for_certain(self.b()),
            _ if self.is_number() => Value::new(if self.is_u32() { Tag::U32 } else { Tag::Any }, 0, 0),
            _ if movable(self) => Value::UNDEF,
            _ => self,
        }
    }

    /// Does it have this identity?
    pub(crate) fn has_identity(self, identity: u32) -> bool {
        match self.tag() {
            Tag::Func | Tag::IsSubtype | Tag::Cont | Tag::Revision => self.a() & IDENTITY == identity,
            Tag::FuncInstance | Tag::FuncCode | Tag::FuncCodeBehind | Tag::FuncCodeEither | Tag::TypeOf => {
                self.a() == identity
            }
            _ => false,
        }
    }

    /// A value without its identity.
    pub(crate) fn anonymous(self) -> Value {
        match self.tag() {
            Tag::Func => Value::new(Tag::Func, self.a() & NULLABLE, self.b()),
            Tag::Cont | Tag::Revision => Value::new(self.tag(), self.a() & (PAIRED | FRESH), self.b()),
            Tag::TypeOf => Value::U32,
            Tag::IsSubtype => self.widened(),
            _ => Value::UNDEF,
        }
    }

    /// What is known where one of the two holds, in a register. If that may be asked for ever, as at the head of a
    /// loop, it `widens` what changes.
    #[inline]
    pub(crate) fn join(self, other: Value, widens: bool) -> Value {
        if self == other { self } else { self.join_unequal(other, widens) }
    }

    fn join_unequal(self, other: Value, widens: bool) -> Value {
        if self.is_number() && other.is_number() {
            match (self.tag(), other.tag()) {
                (Tag::FreeHeap, Tag::FreeHeap) | (Tag::Allocated, Tag::Allocated) => {
                    return Value::of(self.tag(), self.b().min(other.b()));
                }
                (Tag::InHeap | Tag::FreeHeap, Tag::InHeap | Tag::FreeHeap) => {
                    let certain = self.is_in_heap_for_certain() && other.is_in_heap_for_certain();
                    let not_zero = if self.least() > 0 && other.least() > 0 { NOT_ZERO } else { 0 };
                    return Value::new(Tag::InHeap, u32::from(certain) | not_zero, self.b().min(other.b()));
                }
                (Tag::InHeap | Tag::FreeHeap | Tag::Allocated, Tag::InHeap | Tag::FreeHeap | Tag::Allocated) => {
                    return Value::of(Tag::Allocated, self.b().min(other.b()));
                }
                _ => {}
            }
            // A range that grows a second time may grow for ever: downwards by halves, upwards at once.
            let ranges = widens && matches!(self.tag(), Tag::Below | Tag::EndConst | Tag::Bits | Tag::AtLeast);
            let least = self.least().min(other.least());
            let falls = ranges && other.least() < self.least() && least > 0;
            let least = if falls { 1 << least.ilog2() } else { least };
            let zero = u32::from(least > 0);
            let limit = match (self.limit(), other.limit()) {
                (Some(a), Some(b)) if a.max(b) <= 1 << 32 => {
                    let widens = ranges && b > a || self.is(Tag::U32);
                    Some(if widens { 1 << 32 } else { a.max(b) })
                }
                (Some(a), Some(b)) if !(ranges && self.is(Tag::Bits) && b > a) => Some(a.max(b)),
                _ => None,
            };
            return match limit {
                Some(limit) if limit == 1 << 32 && least <= 1 => Value::new(Tag::U32, zero, 0),
                Some(limit) => Value::range(least, limit - 1),
                None if least > 1 => Value::at_least(least),
                None => Value::new(Tag::Any, zero, 0),
            };
        }
        match (self.tag(), other.tag()) {
            (Tag::Func, Tag::Func) => {
                let identity = if (self.a() ^ other.a()) & IDENTITY == 0 { self.a() & IDENTITY } else { 0 };
                let ty = if self.b() == other.b() { self.b() } else { 0 };
                Value::new(Tag::Func, identity | (self.a() | other.a()) & NULLABLE, ty)
            }
            (Tag::LazyFunc, Tag::LazyFunc) if self.b() == other.b() => {
                Value::new(Tag::LazyFunc, self.a() & other.a(), self.b())
            }
            (Tag::Func, Tag::Const) if other == Value::NULL => {
                Value::new(Tag::Func, self.a() & !IDENTITY | NULLABLE, self.b())
            }
            // What is known of a part is true of any number.
            (Tag::Undef, _) if self.b() & PARTS != 0 && other.is_number() => self,
            (_, Tag::Undef) if other.b() & PARTS != 0 && self.is_number() => other,
            (Tag::Const, Tag::Func) if self == Value::NULL => {
                Value::new(Tag::Func, other.a() & !IDENTITY | NULLABLE, other.b())
            }
            // Both halves of a reference, or neither, see `conts`.
            (Tag::Cont | Tag::Revision, Tag::Const) if other == Value::NULL => self.anonymous(),
            (Tag::Const, Tag::Cont | Tag::Revision) if self == Value::NULL => other.anonymous(),
            (Tag::Cont, Tag::Cont) | (Tag::Revision, Tag::Revision) => {
                let identity = if (self.a() ^ other.a()) & IDENTITY == 0 { self.a() & IDENTITY } else { 0 };
                let ty = if self.b() == other.b() { self.b() } else { 0 };
                Value::new(self.tag(), identity | self.a() & other.a() & (PAIRED | FRESH), ty)
            }
            _ => Value::UNDEF,
        }
    }

    /// The halves of a word of the frame that are numbers, as bits.
    pub(crate) fn halves(self) -> u32 {
        match self.tag() {
            Tag::Undef => self.b(),
            Tag::LowParam => 1,
            _ if self.is_number() => 3,
            _ => 0,
        }
    }

    /// The join of two words of the frame.
    #[inline]
    pub(crate) fn join_word(self, other: Value) -> Value {
        if self == other {
            return self;
        }
        if self.is(Tag::Undef) || other.is(Tag::Undef) {
            return Value::of(Tag::Undef, self.halves() & other.halves());
        }
        self.join_unequal(other, true)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tag(), self.as_constant()) {
            (_, Some(value)) => write!(f, "{value}"),
            (Tag::Stack, _) => write!(f, "Stack{:+}", self.b().cast_signed()),
            (tag, _) => write!(f, "{tag:?}({},{})", self.a(), self.b()),
        }
    }
}
