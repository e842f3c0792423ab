//! What the compiler is told of a module and its host, once per module and as plain data: where things live, never how
//! they are made. The host's words stay in the host's crate.

use crate::treaty::libcall::Libcall;
use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;

/// Everything that is the same for all functions of a module.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Distinct signatures, in no particular order.
    pub sigs: Vec<Sig>,
    /// By type index of the module: the index into `sigs`, or `None` where the type is no function type.
    pub types: Vec<Option<u32>>,
    /// By type index of the module: byte offset of the type's engine-wide id, a `u32`, in the array that
    /// `ctx.type_ids` points to.
    pub type_id_offsets: Vec<i32>,
    /// By type index of the module: has the type no subtypes but itself?
    pub final_types: Vec<bool>,
    /// Types that have subtypes in this module, each with up to three of these. A type is named by the offset of its id
    /// among the type ids; the list is in ascending order of that.
    pub subtypes: Vec<(i32, [Option<i32>; 3])>,
    /// By type index of the module: what objects of the type look like, or `None` where it is a function type.
    pub objects: Vec<Option<ObjectFact>>,
    /// Can there be references to objects in a frame?
    pub references: bool,
    /// By type index of the module: what continuations of the type take and give, or `None` where it is no type of
    /// them. Empty if there is none.
    pub conts: Vec<Option<ContFact>>,
    /// What the host keeps of stacks; `None` if the module has nothing to do with continuations.
    pub stacks: Option<StackFacts>,
    /// What the collector asks of the code; `None` if the module has nothing to do with one.
    pub gc: Option<GcFacts>,
    /// Constant expressions that make objects, as operators with the last `end`; see `Routine::Constant`.
    pub constants: Vec<Vec<u8>>,
    /// By function index, imports first.
    pub funcs: Vec<FuncFact>,
    /// By global index, imports first.
    pub globals: Vec<GlobalFact>,
    /// By memory index, imports first.
    pub memories: Vec<MemoryFact>,
    /// By table index, imports first.
    pub tables: Vec<TableFact>,
    /// By tag index, imports first.
    pub tags: Vec<TagFact>,
    /// What all exceptions have in common; `None` if the module has no tags.
    pub exceptions: Option<ExceptionFacts>,
    /// By element segment index: the host's index of it if the segment is passive, else `None` (it is empty once the
    /// module has started).
    pub elems: Vec<Option<u32>>,
    /// Offsets in the host's structures.
    pub ctx: CtxFacts,
    /// What the host asks of the code.
    pub settings: Settings,
}

impl Facts {
    /// The signature of the function type with this index; a function type is what validation has made sure of.
    #[must_use]
    pub fn sig_of_type(&self, ty: u32) -> &Sig {
        &self.sigs[self.types[ty as usize].expect("validated as a function type") as usize]
    }

    /// Must the collector hear of each reference that is read from memory or written to it?
    #[must_use]
    pub fn counts(&self) -> bool {
        self.gc.is_some_and(|gc| gc.counts())
    }

    /// How a field of an object type is kept.
    pub(crate) fn field(&self, ty: u32, field: u32) -> Option<Storage> {
        let object = self.objects[ty as usize].as_ref()?;
        Some(object.fields.get(field as usize)?.storage)
    }

    /// Are objects of a type made in line, with the host asked by a stub?
    #[must_use]
    pub fn makes_in_line(&self, object: &ObjectFact) -> bool {
        !object.functions && !self.counts()
    }

    /// A few direct subtypes of a type, those that this module defines first. Types are named by the offsets of their
    /// ids among the type ids.
    pub fn subtypes_of(&self, type_id: i32) -> impl Iterator<Item = i32> + use<> {
        let known = self.subtypes.binary_search_by_key(&type_id, |entry| entry.0).ok();
        let [a, b, c] = known.map_or([None; 3], |at| self.subtypes[at].1);
        [a, b, c].into_iter().flatten()
    }

    /// The type of references to a heap type that is written as this number.
    #[must_use]
    pub fn reference_to(&self, heap: i64) -> Ty {
        match usize::try_from(heap) {
            Ok(index) if self.types[index].is_some() => Ty::FuncRef,
            Ok(index) if self.conts.get(index).is_some_and(Option::is_some) => Ty::ContRef,
            Ok(_) => Ty::GcRef,
            Err(_) => match heap & 0x7f {
                0x70 | 0x73 => Ty::FuncRef,
                0x68 | 0x75 => Ty::ContRef,
                _ => Ty::GcRef,
            },
        }
    }

    /// The continuation type with this index; validation has made sure that it is one.
    #[must_use]
    pub fn cont(&self, ty: u32) -> ContFact {
        self.conts[ty as usize].expect("validated as a continuation type")
    }

    /// The signature of a function.
    #[must_use]
    pub fn sig_of_func(&self, func: u32) -> &Sig {
        &self.sigs[self.funcs[func as usize].sig as usize]
    }
}

/// One function.
#[derive(Clone, Copy, Debug)]
pub struct FuncFact {
    /// Index into `Facts::sigs`.
    pub sig: u32,
    /// How to call it.
    pub callee: Callee,
}

/// How a direct call reaches its callee.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// A function of this module.
    Defined {
        /// Its index among the defined functions.
        index: u32,
        /// Can code outside this module reach it? Then it has a `Tail` entry beside its private one.
        escapes: bool,
    },
    /// An import: both are byte offsets from the instance pointer, of the code address and of the callee's own
    /// instance pointer.
    Imported {
        /// Where the address of its `Tail` entry is.
        code: i32,
        /// Where its instance pointer is.
        context: i32,
    },
}

/// Where a piece of the instance is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// At this byte offset from the instance pointer.
    Ctx(i32),
    /// At `disp` bytes from the pointer that is at offset `pointer` from the instance pointer.
    Through {
        /// Offset of the pointer in the instance.
        pointer: i32,
        /// Offset from what it points to.
        disp: i32,
    },
}

/// One global.
#[derive(Clone, Copy, Debug)]
pub struct GlobalFact {
    /// Type of its value.
    pub ty: Ty,
    /// May it be set?
    pub mutable: bool,
    /// Does `ty` tell all that validation needs to know of the value? See `Sig::plain`.
    pub plain: bool,
    /// Where the value is.
    pub at: Where,
    /// The value, if it never changes and is known, as bits.
    pub constant: Option<u64>,
}

/// Whose memory or table it is: what the host's routines for it want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This instance's, with its index among those the module defines.
    Here(u32),
    /// Another instance's: offsets, from the instance pointer, of the owner's instance pointer and of the index (a
    /// `u32`) among those the owner's module defines.
    Import {
        /// Offset of the owner's instance pointer.
        context: i32,
        /// Offset of the index.
        index: i32,
    },
}

/// One linear memory.
#[derive(Clone, Copy, Debug)]
pub struct MemoryFact {
    /// The type of its addresses: `I32` or `I64`.
    pub index: Ty,
    /// Logarithm of its page size in bytes: 16 or 0.
    pub page_size_log2: u8,
    /// Where the pointer to its first byte is.
    pub base: Where,
    /// Where its current length in bytes, a `u64`, is.
    pub length: Where,
    /// Whose it is.
    pub owner: Owner,
    /// The length in bytes, if it can never change.
    pub fixed_length: Option<u64>,
    /// May the base change when the memory grows?
    pub base_may_move: bool,
    /// An access whose static offset plus size is at most this needs no check: whatever the 32-bit index, it hits
    /// the memory or its guard pages. 0 if every access must be checked.
    pub unchecked_span: u64,
    /// May an access that passed no check fault, and the host turn that into a trap?
    pub faults_are_traps: bool,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct TableFact {
    /// The type of its elements: `FuncRef`, which take 8 bytes each, `GcRef`, which take 4, or `ContRef`, which take
    /// 16.
    pub elem: Ty,
    /// Does `elem` tell all that validation needs to know of an element? As `Sig::plain`.
    pub plain: bool,
    /// If all its elements are functions of one type or null: where among the type ids that type is.
    pub type_id: Option<i32>,
    /// The type of its indices: `I32` or `I64`.
    pub index: Ty,
    /// Where the pointer to its first element is.
    pub base: Where,
    /// Where its current number of elements, a `u64`, is.
    pub length: Where,
    /// Whose it is.
    pub owner: Owner,
    /// The number of elements, if it can never change.
    pub fixed_length: Option<u64>,
    /// Are elements filled in on first use? Then 0 means not yet filled, and bit 0 of any other is a tag to clear.
    pub lazy: bool,
}

/// What exceptions have in common. Offsets are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct ExceptionFacts {
    /// Exception: the number of the instance that defines its tag, a `u32`.
    pub instance: i32,
    /// Exception: the index of its tag among those that this instance's module defines, a `u32`.
    pub tag: i32,
}

/// One tag.
#[derive(Clone, Debug)]
pub struct TagFact {
    /// Whose it is.
    pub owner: Owner,
    /// Where among the type ids that of its exceptions is.
    pub type_id: i32,
    /// What its exceptions look like; `None` if they would carry what an object cannot. Such a tag is for suspending.
    pub object: Option<ObjectFact>,
    /// Index into `Facts::sigs`: what it carries to a handler, and what it gives when its suspension ends.
    pub sig: u32,
    /// Where the host's definition of it is, whose address tells it from all others: a place of the instance, or, for
    /// `Where::Through`, what the pointer there points to.
    pub identity: Where,
}

impl TableFact {
    /// Logarithm of the bytes that an element takes.
    #[must_use]
    pub const fn elem_log2(&self) -> u8 {
        self.elem.bytes().trailing_zeros() as u8
    }
}

/// A type of continuations.
#[derive(Clone, Copy, Debug)]
pub struct ContFact {
    /// Index into `Facts::sigs`: what such a continuation takes and gives.
    pub sig: u32,
    /// If the last of its parameters is a continuation: index into `Facts::sigs` of what that takes and gives.
    pub last: Option<u32>,
    /// How many of its first parameters are such as may be bound, which is: no references that a collector must know
    /// of.
    pub bindable: u32,
}

/// What the host keeps of stacks and continuations, so that code can change from one to another. Offsets and sizes are
/// in bytes.
#[derive(Clone, Copy, Debug)]
pub struct StackFacts {
    /// Store: a word for the kind of stack that is running, then the pointer to what is known of it.
    pub chain: i32,
    /// The words for kinds of stacks: none, the one that the host entered wasm on, that of a continuation.
    pub kinds: StackKinds,
    /// Store: what changes with the stack, a word each, the stack limit first.
    pub live: [i32; 4],
    /// Stack: where each of these waits.
    pub saved: [i32; 4],
    /// Stack: its state, a `u32`.
    pub state: i32,
    /// Stack: the list of tags that are handled where it has resumed another.
    pub handlers: i32,
    /// Stack: how many of these do not switch, a `u32`; they come first.
    pub suspending: i32,
    /// States of stacks.
    pub states: StackStates,
    /// Continuation, which begins with its stack: kind and pointer of the stack that has resumed it.
    pub parent: i32,
    /// Continuation: the one at the far end of its chain of parents, while it is suspended.
    pub last_ancestor: i32,
    /// Continuation: how often it has been used, a `u64`.
    pub revision: i32,
    /// Continuation: pointer to the upper end of the memory of its stack.
    pub top: i32,
    /// Upper end of a stack: what is exchanged with the stack that it switches to, below that.
    pub exchange: i32,
    /// Continuation: the list of what its function takes and gives.
    pub args: i32,
    /// Continuation: the list of what comes and goes while it is suspended.
    pub values: i32,
    /// List: its length, a `u32`.
    pub length: i32,
    /// List: how many would fit, a `u32`.
    pub capacity: i32,
    /// List: pointer to the first. Values are 16 bytes apart, tags are pointers.
    pub data: i32,
    /// What a stack tells the one that it switches to.
    pub effects: Effects,
}

/// Kinds of stacks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StackKinds {
    pub absent: i32,
    pub initial: i32,
    pub continuation: i32,
}

/// States of stacks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StackStates {
    pub fresh: i32,
    pub running: i32,
    pub parent: i32,
    pub suspended: i32,
    pub returned: i32,
    pub trapped: i32,
}

/// What a stack tells the one that it switches to, in the upper half of a word; 0 is that its function has returned.
#[derive(Clone, Copy, Debug)]
pub struct Effects {
    /// The other is resumed.
    pub resume: u32,
    /// A handler is asked for, whose number is in the lower half.
    pub suspend: u32,
    /// The other is switched to.
    pub switch: u32,
    /// The function has not returned; the host knows why.
    pub trap: u32,
    /// The other is resumed with an exception.
    pub resume_throw: u32,
}

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

/// More units than this are charged as this many, so that no sum wraps: when it was last looked at, the counter was
/// below 0. What is added between two looks is bounded, by the cost of the operators of one function for each frame
/// of the stack, at most 2^28 each. It is still more than any host can have granted and mean.
pub const MOST_UNITS: i64 = i64::MAX - (1 << 48);

/// Byte offsets in the host's structures.
#[derive(Clone, Copy, Debug, Default)]
pub struct CtxFacts {
    /// Instance: pointer to the store's structure.
    pub store: i32,
    /// Instance: pointer to the epoch counter, a `u64`.
    pub epoch: i32,
    /// Instance: pointer to the array of type ids.
    pub type_ids: i32,
    /// Store: the lowest address that the stack pointer may have.
    pub stack_limit: i32,
    /// Store: fuel used, an `i64` that counts up to 0.
    pub fuel: i32,
    /// Store: the epoch at which to call the host, a `u64`.
    pub epoch_deadline: i32,
    /// Function reference: address of the `Tail` entry.
    pub funcref_code: i32,
    /// Function reference: the callee's instance pointer.
    pub funcref_context: i32,
    /// Function reference: the engine-wide id of its type, a `u32`.
    pub funcref_type: i32,
}

/// What the host asks of the code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Count fuel and call [`Libcall::OutOfGas`] when it runs out.
    pub fuel: bool,
    /// Look at the epoch at entries and loop headers and call [`Libcall::NewEpoch`].
    pub epochs: bool,
    /// Traps may be hardware faults; otherwise every one is checked for and raised by [`Libcall::Trap`].
    pub hardware_traps: bool,
    /// Which code offsets the address map records.
    pub address_map: AddressMap,
    /// Must operators of relaxed SIMD give the same everywhere?
    pub deterministic: bool,
    /// Must accesses that are checked be harmless also where the processor has guessed that a check passes?
    pub spectre: bool,
    /// Processor features that the code may use beyond the floor of the instruction set.
    pub cpu: CpuFeatures,
    /// Prove the compiler's state after every operator, as debug builds always do.
    pub check: bool,
    /// For tests: fill every fresh frame with garbage, and all else that a convention leaves undefined.
    pub poison: bool,
}

impl Settings {
    /// Does the host multiply and add, because the result must be rounded once and the processor cannot?
    pub(crate) fn calls_for_fma(&self) -> bool {
        self.deterministic && !(self.cpu.avx && self.cpu.fma)
    }
}

/// Which code offsets the address map records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressMap {
    /// None.
    None,
    /// Those a backtrace can show: calls and instructions that can trap.
    #[default]
    Traps,
    /// The first instruction of every operator.
    Operators,
}

/// Processor features beyond the floor; each can be switched off by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuFeatures {
    /// Three-operand float and vector forms.
    pub avx: bool,
    /// 256-bit integer vector forms.
    pub avx2: bool,
    /// `andn`, `blsr`, `tzcnt`.
    pub bmi1: bool,
    /// `shlx`, `shrx`, `sarx`, `rorx`, `mulx`.
    pub bmi2: bool,
    /// `lzcnt`.
    pub lzcnt: bool,
    /// Fused multiply and add.
    pub fma: bool,
}

/// All libcalls, for hosts that lay out one entry each.
pub const LIBCALLS: &[Libcall] = Libcall::ALL;
