//! What the compiler is told of a module and its host, once per module and as plain data: where things live, never how
//! they are made. The host's words stay in the host's crate.

mod continuations;
mod costs;
mod gc;
mod settings;
mod threads;

pub use continuations::{ContFact, Effects, StackFacts, StackKinds, StackStates};
pub use costs::{Costs, Work};
pub use gc::{Collector, Counting, FieldFact, GcFacts, Kinds, ObjectFact, Storage};
pub use settings::{AddressMap, CpuFeatures, MOST_UNITS, SMALL_AMOUNT, Settings};
pub use threads::{Intrinsic, ThreadFacts};

use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;
use std::sync::Arc;

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
    /// Where the host keeps threads of components; `None` if no import is known to have to do with them.
    pub threads: Option<ThreadFacts>,
    /// By element segment index: the host's index of it if the segment is passive, else `None` (it is empty once the
    /// module has started).
    pub elems: Vec<Option<u32>>,
    /// May the linker know whose code an import is? Then it is told where imports are called (`Target::Import`).
    pub links_imports: bool,
    /// Offsets in the host's structures.
    pub ctx: CtxFacts,
    /// What operators cost, if not what they usually do.
    pub costs: Option<Arc<Costs>>,
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
        /// What it is known to be, if a call does that in place. A tail call goes to the import, and so does whoever
        /// has a reference to it.
        inline: Option<Intrinsic>,
    },
}

/// Where a piece of the instance is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl TableFact {
    /// Logarithm of the bytes that an element takes.
    #[must_use]
    pub const fn elem_log2(&self) -> u8 {
        self.elem.bytes().trailing_zeros() as u8
    }
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
