//! What the verifier is told of modules, of the component that has them, and of their host, as plain data. `layout`
//! makes it from what `wasmtime_environ` says of them; nothing of it comes from the compiler.
//!
//! Offsets and sizes are in bytes. Lists that are said to be in ascending order are.

mod component;
mod threads;

pub use component::{
    Argument, Callee, Component, Context, Crossing, Drop, HostCall, Intrinsic, Operation, Outcome, Trampoline, Works,
};
pub use threads::{Record, Threads};

use std::sync::Arc;

/// Everything that is the same for all functions of a module; or for what belongs to none: exits, and what is a
/// component's own.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What the engine asks of the code.
    pub settings: Settings,
    /// By the module's own number of a type (`ModuleInternedTypeIndex`), which is also where its id is among the type
    /// ids: the id of type `n` is the `u32` at `4 * n`. The modules of a component have them in common.
    pub types: Arc<Vec<Type>>,
    /// By function index, imports first.
    pub functions: Vec<Function>,
    /// By function index of imports: whose code whatever the host fills the import with has, as far as that is known.
    /// There may be fewer entries than imports.
    pub known_imports: Vec<Option<Known>>,
    /// By memory index, imports first.
    pub memories: Vec<Memory>,
    /// By table index, imports first.
    pub tables: Vec<Table>,
    /// By global index, imports first.
    pub globals: Vec<Global>,
    /// By tag index, imports first.
    pub tags: Vec<Tag>,
    /// By the host's index of a passive element segment (`PassiveElemIndex`): the type of its elements.
    pub elements: Vec<ValueType>,
    /// By the host's index of a passive element segment: how many elements it has, until it is dropped.
    pub element_counts: Vec<u64>,
    /// The fields of an instance that code may have to do with, in ascending order of their offsets and not
    /// overlapping.
    pub instance: Vec<Field<InstanceField>>,
    /// The fields of the store's structure (`VMStoreContext`) that code may have to do with, in ascending order of
    /// their offsets and not overlapping.
    pub store: Vec<Field<StoreField>>,
    /// Where the host's small structures have their fields.
    pub layouts: Layouts,
    /// What the engine's collector says; `None` if there is none.
    pub gc: Option<Gc>,
    /// What the host keeps of stacks; `None` if the module may have nothing to do with continuations.
    pub stacks: Option<Stacks>,
    /// Where the addresses of builtins are in the array of them that an instance points to, in no particular order.
    /// Builtins that are not here must not be called.
    pub builtins: Vec<(Builtin, u32)>,
    /// What those of them give that can fail where they have failed.
    pub failures: Vec<(Builtin, Failed)>,
    /// The host's numbers of traps.
    pub trap_codes: Vec<u8>,
    /// What code may do to threads of components in place of its imports; `None` for nothing.
    pub threads: Option<Threads>,
    /// The component that these facts are of, if they are of one and no module.
    pub component: Option<Box<Component>>,
}

/// What a function of the host's gives where it has failed, and the trap is to be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The lowest byte is 0.
    Zero8,
    /// The lower half is 0.
    Zero32,
    /// The whole is this.
    Constant(i64),
    /// The lower half is this.
    Constant32(u32),
    /// The whole is negative.
    Negative,
}

/// What the engine asks of the code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// May code count fuel?
    pub fuel: bool,
    /// May code look at the epoch?
    pub epochs: bool,
    /// May traps be hardware faults (`signals_based_traps`)?
    pub hardware_traps: bool,
    /// Must accesses behind a predicted check be harmless if the prediction is wrong?
    pub spectre: bool,
    /// Does the entry for the host restore the current thread when it is unwound (`concurrency_support`)? Then this is
    /// what is stored, `VM_LAZY_THREAD_FORCED`.
    pub forced_thread: Option<u64>,
    /// What the processor that the code is for has.
    pub processor: Processor,
}

/// Processor features that not every processor of the architecture has, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Processor(pub u16);

impl Processor {
    /// All that code may use if they are there.
    pub const ALL: Processor = Processor((1 << Processor::NAMES.len()) - 1);
    /// What no processor is said to have.
    pub const UNKNOWN: Processor = Processor(1 << 15);
    /// By bit, the names under which the host looks for them.
    pub const NAMES: [&str; 11] = [
        "has_sse3",
        "has_ssse3",
        "has_sse41",
        "has_sse42",
        "has_popcnt",
        "has_avx",
        "has_avx2",
        "has_bmi1",
        "has_bmi2",
        "has_lzcnt",
        "has_fma",
    ];

    /// Those that have these names.
    pub fn named(names: &[&str]) -> Processor {
        let bit = |name: &&str| Processor::NAMES.iter().position(|known| known == name).map_or(0, |bit| 1 << bit);
        Processor(names.iter().map(bit).fold(0, |all, bit| all | bit))
    }

    /// Are all of these among them?
    #[inline]
    #[must_use]
    pub fn has(self, needed: Processor) -> bool {
        needed.0 & !self.0 == 0
    }
}

/// A type that the module defines.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is of.
    pub kind: TypeKind,
    /// The number of its supertype.
    pub supertype: Option<u32>,
}

/// What a type is of.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// Functions.
    Function(Signature),
    /// Continuations of functions of the type with this number.
    Continuation(u32),
    /// Objects: structures, arrays, exceptions.
    Object,
}

/// What a function takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Types of the parameters.
    pub params: Vec<ValueType>,
    /// Types of the results.
    pub results: Vec<ValueType>,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// Vector.
    V128,
    /// Reference to a function: a pointer to its `VMFuncRef`, or null.
    Func(FuncType),
    /// Reference of 32 bits to something that the collector knows: any of the hierarchies `any`, `extern` and `exn`.
    Gc,
    /// Reference to a continuation: a pointer to its `VMContRef` and a revision, 16 bytes.
    Cont {
        /// The type with this number; `None` for the abstract types.
        ty: Option<u32>,
    },
}

/// What is known of a reference to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    /// The function is of this type (its number), or of a subtype; `None` for any function, [`NO_FUNCTION`] if it is
    /// always null.
    pub ty: Option<u32>,
    /// May it be null?
    pub nullable: bool,
}

/// The type of no function.
pub const NO_FUNCTION: u32 = u32::MAX;

/// A function. All of its type's subtleties that matter are in the type.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The number of its type, one of functions.
    pub ty: u32,
    /// Is it imported? Then two fields of the instance say where it is; else it is the next of the defined functions.
    pub imported: bool,
    /// Can it be called from outside (`FunctionType::is_escaping`)? Then its first five bytes are a jump, the entry of
    /// the host's `Tail` convention, and what calls inside of the module enter is behind. Of no meaning for imports.
    pub escapes: bool,
}

/// A function whose code an import is known to be, of whatever instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number among those that the modules of the text define.
    pub number: u32,
    /// The number of its type.
    pub ty: u32,
    /// What its module has for memory 0.
    pub memory: KnownMemory,
}

/// Where the base of another module's memory 0 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownMemory {
    /// It has no memory.
    None,
    /// In its instance, at this offset.
    At(u32),
    /// Behind a pointer.
    Elsewhere,
}

/// A linear memory.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Are its addresses 64 bits wide?
    pub index64: bool,
    /// Logarithm of its page size.
    pub page_size_log2: u8,
    /// May its base change when it grows?
    pub base_may_move: bool,
    /// The length that it never has less of.
    pub minimum: u64,
    /// The length, if it can never change.
    pub fixed_length: Option<u64>,
    /// So many bytes from its base plus any 32-bit number are the memory's or fault: reservation + guard − (2³² − 1) if
    /// the host says that checks may be left out (`can_elide_bounds_check`), else 0.
    pub unchecked_span: u64,
    /// So many bytes from its base on are the memory's or fault; 0 if accesses must not fault. Reservation + guard, or
    /// the fixed length where nothing is known to fault.
    pub mapped: u64,
    /// May an access that is in `mapped` fault, and the host turn that into a trap (`can_use_virtual_memory`)?
    pub faults_are_traps: bool,
    /// May others change it at any time?
    pub shared: bool,
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The type of its elements: `Func`, of 8 bytes; `Gc`, of 4; `Cont`, of 16.
    pub element: ValueType,
    /// Are its indices 64 bits wide?
    pub index64: bool,
    /// The number of elements that it never has less of.
    pub minimum: u64,
    /// The number of elements, if it can never change.
    pub fixed_length: Option<u64>,
    /// Are elements filled in on first use? Then 0 means not yet filled, and bit 0 of any other is set.
    pub lazy: bool,
}

/// A global.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    /// The type of its value.
    pub ty: ValueType,
    /// May it be set?
    pub mutable: bool,
}

/// A tag.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// The number of the type of functions that says what it carries, and what its suspension gives.
    pub ty: u32,
    /// The number of the type of its exceptions, if it has one.
    pub exception: Option<u32>,
}

/// A field of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<Kind> {
    /// Where it begins.
    pub offset: u32,
    /// How many bytes it has.
    pub width: u8,
    /// What it is.
    pub kind: Kind,
}

/// What a field of an instance is. Indices are those of the module, imports first, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceField {
    /// Pointer to the store's structure.
    Store,
    /// Pointer to the array of builtins' addresses.
    Builtins,
    /// Pointer to the epoch counter, a `u64`.
    Epoch,
    /// Pointer to the collector's own data.
    GcData,
    /// Pointer to the array of type ids.
    TypeIds,
    /// Base of a memory of this instance that is not shared.
    MemoryBase(u32),
    /// Length in bytes of such a memory.
    MemoryLength(u32),
    /// Pointer to the definition of a memory that is shared or imported.
    MemoryDefinition(u32),
    /// The instance that an imported memory belongs to.
    MemoryOwner(u32),
    /// The index of an imported memory among the defined ones of its owner, a `u32`.
    MemoryIndex(u32),
    /// Base of a table of this instance.
    TableBase(u32),
    /// Number of elements of such a table.
    TableLength(u32),
    /// Pointer to the definition of an imported table.
    TableDefinition(u32),
    /// The instance that an imported table belongs to.
    TableOwner(u32),
    /// The index of an imported table among the defined ones of its owner, a `u32`.
    TableIndex(u32),
    /// Address of the `Tail` entry of an imported function.
    FunctionCode(u32),
    /// The instance of an imported function.
    FunctionInstance(u32),
    /// The value of a global of this instance; 16 bytes, of which its type says how many count.
    GlobalValue(u32),
    /// Pointer to the value of an imported global.
    GlobalDefinition(u32),
    /// The definition of a tag of this instance: only its address counts.
    TagValue(u32),
    /// Pointer to the definition of an imported tag: only the pointer counts.
    TagDefinition(u32),
    /// The instance that an imported tag belongs to.
    TagOwner(u32),
    /// The index of an imported tag among the defined ones of its owner, a `u32`.
    TagIndex(u32),
    /// Pointer to the bytes of a data segment, by the number that the host has for it at run time (`RuntimeDataIndex`).
    DataBase(u32),
    /// Number of these bytes, a `u32`; 0 once it is dropped.
    DataLength(u32),
}

/// What a field of the store's structure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreField {
    /// The lowest address that the stack pointer may have.
    StackLimit,
    /// Fuel used, an `i64` that counts up to 0.
    Fuel,
    /// The epoch at which to call the host, a `u64`.
    EpochDeadline,
    /// Base of the collector's heap.
    HeapBase,
    /// Its length in bytes.
    HeapLength,
    /// Frame pointer of the last entry into wasm.
    EntryFramePointer,
    /// Stack pointer of it.
    EntryStackPointer,
    /// Where the host goes on if it unwinds to there.
    EntryTrapHandler,
    /// Frame pointer of the last exit from wasm.
    ExitFramePointer,
    /// Where that was called from.
    ExitReturnAddress,
    /// The word for the kind of stack that is running.
    StackChainKind,
    /// Pointer to what is known of it.
    StackChainPointer,
    /// The current thread of components.
    CurrentThread,
    /// Slot `n` of what the task of a component keeps for itself, a `u32`.
    TaskSlot(u8),
    /// Pointer to what the embedder keeps.
    StoreData,
}

/// Where the host's small structures have their fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layouts {
    /// `VMMemoryDefinition`: base.
    pub memory_base: u32,
    /// `VMMemoryDefinition`: length in bytes, a `u64`.
    pub memory_length: u32,
    /// `VMTableDefinition`: base.
    pub table_base: u32,
    /// `VMTableDefinition`: number of elements, a `u64`.
    pub table_length: u32,
    /// `VMFuncRef`: address of the `Tail` entry.
    pub func_ref_code: u32,
    /// `VMFuncRef`: the callee's instance.
    pub func_ref_instance: u32,
    /// `VMFuncRef`: id of its type, a `u32`.
    pub func_ref_type: u32,
    /// `VMArrayCallHostFuncContext`, which the `Tail` callee of a host function is given: address of the host's
    /// function.
    pub host_function: u32,
}

impl Layouts {
    /// Is this where a function reference has a field, or before the last of them?
    pub(crate) fn is_in_func_ref(&self, disp: i64) -> bool {
        let last = self.func_ref_code.max(self.func_ref_instance).max(self.func_ref_type);
        (0..=i64::from(last)).contains(&disp)
    }
}

/// What the collector says. The contents of its heap are not trusted, so nothing is said of them.
#[derive(Clone, Copy, Debug)]
pub struct Gc {
    /// So many bytes from the heap's base plus any 32-bit number are the heap's or fault, and the host turns that into
    /// a trap; 0 if every access must be checked.
    pub unchecked_span: u64,
    /// May the heap be elsewhere after a call?
    pub heap_may_move: bool,
    /// Fields of the collector's own data that code may read and write, each a `u32`, as `(offset, is it written)`.
    pub data: [Option<(u32, bool)>; 4],
    /// Which collector it is.
    pub collector: Collector,
    /// The words for kinds of objects, and their bits that tell them apart.
    pub kinds: [u32; 3],
    /// See `kinds`.
    pub kind_bits: u32,
}

/// The sorts of collectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// Objects move.
    Copying,
    /// References are counted, lists of those in frames are kept.
    Counting,
    /// Nothing is collected.
    None,
}

/// What the host keeps of stacks and continuations.
#[derive(Clone, Copy, Debug)]
pub struct Stacks {
    /// `VMContRef`, which begins with what is known of its stack: the saved stack limit, entry frame pointer, entry
    /// stack pointer and entry trap handler, 8 bytes each.
    pub limits: [u32; 4],
    /// `VMCommonStackInformation`: its state, a `u32`.
    pub state: u32,
    /// `VMCommonStackInformation`: the list of handlers.
    pub handlers: u32,
    /// `VMCommonStackInformation`: the index of the first handler that switches, a `u32`.
    pub first_switch: u32,
    /// `VMContRef`: the kind and the pointer of its parent, 16 bytes.
    pub parent: u32,
    /// `VMContRef`: pointer to its last ancestor.
    pub last_ancestor: u32,
    /// `VMContRef`: revision, a `u64`.
    pub revision: u32,
    /// `VMContRef`: pointer to the upper end of its stack's memory.
    pub top: u32,
    /// `VMContRef`: the list of arguments and results.
    pub args: u32,
    /// `VMContRef`: the list of what is passed while it is suspended.
    pub values: u32,
    /// `VMHostArray`: length, a `u32`.
    pub list_length: u32,
    /// `VMHostArray`: capacity, a `u32`.
    pub list_capacity: u32,
    /// `VMHostArray`: pointer to the first element.
    pub list_data: u32,
    /// The words for kinds of stacks: none, that on which the host entered wasm, that of a continuation.
    pub kinds: [u64; 3],
    /// The words for states of stacks: fresh, running, parent, suspended, returned, trapped.
    pub states: [u32; 6],
    /// What one stack tells another.
    pub effects: Effects,
}

/// The upper half of what one stack tells another that it enters.
#[derive(Clone, Copy, Debug)]
pub struct Effects {
    /// The stack is resumed with values.
    pub resume: u32,
    /// The stack is resumed with an exception.
    pub resume_throw: u32,
    /// A handler of it is asked for, whose number is the lower half.
    pub suspend: u32,
    /// The stack is switched to.
    pub switch: u32,
    /// What it waited for has ended in a trap or an exception.
    pub trap: u32,
}

macro_rules! builtins {
    ($($name:ident $wasmtime:ident)*) => {
        /// A builtin of the host that code may call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "`name` says which it is")]
        pub enum Builtin { $($name,)* }

        impl Builtin {
            /// All of them.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$name,)*];

            /// The host's name of it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Builtin::$name => stringify!($wasmtime),)* }
            }
        }
    };
}

builtins! {
    MemoryGrow memory_grow
    MemoryCopy memory_copy
    MemoryFill memory_fill
    ElemLength passive_elem_segment_len
    ElemBase passive_elem_segment_base
    ElemDrop passive_elem_segment_drop
    RefFunc ref_func
    TableGet table_get_lazy_init_func_ref
    TableGrow table_grow
    AtomicNotify memory_atomic_notify
    AtomicWait32 memory_atomic_wait32
    AtomicWait64 memory_atomic_wait64
    OutOfGas out_of_gas
    NewEpoch new_epoch
    FmaF32x4 fma_f32x4
    FmaF64x2 fma_f64x2
    GcAlloc gc_alloc_raw
    GcGrow grow_gc_heap
    GcCollect force_gc
    GcDrop drop_gc_ref
    GcIntern intern_func_ref_for_gc_heap
    GcInterned get_interned_func_ref
    InstanceId get_instance_id
    ThrowRef throw_ref
    IsSubtype is_subtype
    ContNew cont_new
    Raise raise
    Trap trap
}

/// What an artifact says of its text.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By number among the functions that modules define, those of each one behind those of the one before: where its
    /// code is.
    pub functions: Vec<Range>,
    /// All other entries of the function table, in ascending order. What neither these nor functions cover is found by
    /// following calls and jumps.
    pub borders: Vec<(Border, Range)>,
    /// Instructions that may fault and the host's number of the trap (`Trap as u8`), in ascending order.
    pub traps: Vec<(u32, u8)>,
    /// Calls from which exceptions come to handlers, in ascending order.
    pub calls: Vec<CallSite>,
    /// What these name.
    pub handlers: Vec<Handler>,
    /// Calls with a stack map, in ascending order.
    pub maps: Vec<StackMap>,
    /// What the maps are made of.
    pub map_bits: Vec<u32>,
}

impl Tables {
    /// Where a map says that references are: a bit for each four bytes from the stack pointer during the call on.
    #[must_use]
    pub fn bits_of(&self, map: &StackMap) -> &[u32] {
        &self.map_bits[map.bits.0 as usize..map.bits.1 as usize]
    }
}

/// A part of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Offset of its first byte.
    pub start: u32,
    /// Offset after its last byte.
    pub end: u32,
}

/// What the code is that is no function of a module but in the function table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// The host's entry of a function, by its number among the defined ones.
    ArrayToWasm(u32),
    /// The exit to host functions of the type with this number.
    WasmToArray(u32),
    /// The exit to a builtin.
    WasmToBuiltin(Builtin),
    /// The component's own function with this index, entered by `Tail`.
    Trampoline(u32),
    /// The host's entry of it.
    TrampolineEntry(u32),
    /// The exit to host functions that drop a resource, which are of the type with this number.
    DropExit(u32),
    /// An unsafe intrinsic, by its number among those that the component has, entered by `Tail`.
    Intrinsic(u32),
    /// The host's entry of it.
    IntrinsicEntry(u32),
    /// What is done before the first call of the module with this index, entered by `Tail`.
    StartupWasm(u32),
    /// What is done before the first call of the module with this index, entered by the host.
    StartupArray(u32),
}

/// A call from which exceptions come to handlers in the same function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Offset of the instruction that it returns to.
    pub returns_to: u32,
    /// From the stack pointer during the call up to the frame pointer.
    pub frame: u32,
    /// Its handlers in the order in which they are tried: where they begin and end in `Tables::handlers`.
    pub handlers: (u32, u32),
}

/// A handler of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Index of the tag; `None` if it takes every exception.
    pub tag: Option<u32>,
    /// From the stack pointer during the call up to where the frame keeps the instance.
    pub context: Option<u32>,
    /// Offset of the code that it continues with, the pad.
    pub pad: u32,
}

/// Where references are in a frame during a call. Thousands of calls may share the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackMap {
    /// Offset of the instruction that the call returns to.
    pub returns_to: u32,
    /// From the stack pointer during the call up to the frame pointer.
    pub frame: u32,
    /// Where in `Tables::map_bits` its bits begin and end.
    pub bits: (u32, u32),
}
