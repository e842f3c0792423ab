//! What compiling gives beside machine code: the entries of the tables of a [`Writer`], and what they name.
//!
//! [`Writer`]: crate::Writer

use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Ty;
use lightbeam_asm::Reg;
use std::ops::Range;

/// Alignment of private entries in the text, and of the text itself: what a processor fetches at a time, so that where
/// branches are in their pieces (`Isa::set_hot`) is known when they are written.
pub const FUNC_ALIGN: u32 = 32;

/// One function in a [`Writer`](crate::Writer).
#[derive(Clone, Debug)]
pub struct FuncCode {
    /// Its index among the functions that the module defines; `u32::MAX` for a routine, which belongs to none.
    pub index: u32,
    /// Offset of its first byte: the `Tail` entry if it escapes, a jump whose target is a `Reloc`, else the private
    /// entry.
    pub start: u32,
    /// Offset of the private entry, aligned to [`FUNC_ALIGN`].
    pub body: u32,
    /// Offset after its last byte.
    pub end: u32,
    /// Byte offset of the body in the wasm module.
    pub wasm: u32,
    /// Bytes of the body.
    pub wasm_bytes: u32,
    /// Bytes that it takes in the exception table.
    pub exception_bytes: u32,
    /// What of its code is the frame's, and what is no code.
    pub parts: Parts,
}

/// Where the parts of a function's code are, for whoever shows it.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Offset behind what makes the frame, looks at the stack limit and saves what the caller wants preserved.
    pub framed: u32,
    /// What gives the caller its registers back, takes the frame down and returns. Empty where the end of the body is
    /// never reached.
    pub epilogue: Range<u32>,
    /// Offset of the constants, behind the last instruction; the function's end if it has none.
    pub constants: u32,
}

/// A call or jump that goes to something outside the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloc {
    /// Offset of what `Isa::resolve` fills in, or `Isa::make_direct` may change.
    pub at: u32,
    /// What it must reach.
    pub target: Target,
}

/// What a [`Reloc`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The private entry of a function of this module, by its index among the defined ones.
    Func(u32),
    /// The thunk that enters a function of this module by its private entry for a `Tail` caller.
    Thunk(u32),
    /// An imported function, by its index. The code is complete as it is, and goes where the instance says: a linker
    /// that knows whose code that is may make it direct.
    Import(u32),
    /// An imported function, where the code leaves it open how that is entered (`Isa::make_across`), as its own `CTX`
    /// and `MEMORY_BASE` are loaded anew behind the call.
    Across(u32),
    /// A routine of the host.
    Libcall(Libcall),
    /// A routine that the compiler makes once per module, see `routines::emit`.
    Routine(Routine),
    /// The routine `() -> (pointer, bytes)` that gives the current extent of data segment `n` in
    /// `Isa::ROUTINE_RESULTS`; it uses no other register.
    DataSegment(u32),
    /// The routine `()` that drops data segment `n`; it uses no register but the first result's.
    DataDrop(u32),
}

impl Target {
    /// May a collector run before it comes back?
    pub(crate) const fn collects(self) -> bool {
        match self {
            Target::Func(_) | Target::Thunk(_) | Target::Import(_) | Target::Across(_) => true,
            Target::Libcall(libcall) => libcall.collects(),
            Target::Routine(routine) => routine.collects(),
            Target::DataSegment(_) | Target::DataDrop(_) => false,
        }
    }
}

/// Code that is too long to stand in every function that uses it, or that belongs to none: loops over tables and
/// arrays, constants that are objects, barriers of a collector, changes of stacks. The linker has each that some
/// relocation names made once, by `routines::emit`, after the functions. They have frames of their own, so that a trap
/// in one shows the wasm function that called it. What each takes is in `treaty/routine.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Routine {
    /// `table.fill` of a table.
    TableFill {
        /// Table index.
        table: u32,
    },
    /// `table.copy` between two tables.
    TableCopy {
        /// Table index of the destination.
        to: u32,
        /// Table index of the source.
        from: u32,
    },
    /// `table.init` of a table from an element segment.
    TableInit {
        /// Table index.
        table: u32,
        /// Element segment index.
        segment: u32,
    },
    /// Gives the value of a constant expression of `Facts::constants`. May collect.
    Constant {
        /// Its index there.
        index: u32,
    },
    /// Overwrites a reference in memory with another, where the collector counts references.
    SetReference,
    /// Tells a collector that counts references of one that came out of memory. May collect.
    Expose,
    /// Puts a reference that came out of memory on the list of such a collector, and does not collect.
    List,
    /// Sees to it that an object has room in a heap that is never collected. Traps if it cannot.
    MakeRoom,
    /// Makes an array of a type, its elements not yet written. May collect.
    ArrayNew {
        /// Type index.
        ty: u32,
    },
    /// Writes every element of a new array.
    ArrayInit {
        /// Type index.
        ty: u32,
    },
    /// `array.fill`.
    ArrayFill {
        /// Type index.
        ty: u32,
    },
    /// `array.copy` between arrays whose elements are stored alike.
    ArrayCopy {
        /// Type index of the destination.
        ty: u32,
    },
    /// Traps if so many elements of a type, from this byte on, are not all in a data segment.
    ArrayCheckData {
        /// Type index.
        ty: u32,
        /// Data segment index.
        segment: u32,
    },
    /// Traps if so many elements are not all in an element segment.
    ArrayCheckElem {
        /// Element segment index.
        segment: u32,
    },
    /// `array.init_data`.
    ArrayInitData {
        /// Type index.
        ty: u32,
        /// Data segment index.
        segment: u32,
    },
    /// `array.init_elem`.
    ArrayInitElem {
        /// Type index.
        ty: u32,
        /// Element segment index.
        segment: u32,
    },
    /// Changes of stacks; what is on the stack of the machine is in `emit/control/continuations.rs`.
    Stacks(StackRoutine),
}

impl Routine {
    /// Is it the same for every module under the same settings?
    #[must_use]
    pub const fn is_of_no_module(self) -> bool {
        use Routine::{Expose, List, MakeRoom, SetReference, Stacks};
        matches!(self, SetReference | Expose | List | MakeRoom | Stacks(_))
    }

    /// Does it have a result?
    pub(crate) const fn gives(self) -> bool {
        matches!(self, Routine::Constant { .. } | Routine::ArrayNew { .. } | Routine::Stacks(_))
    }

    /// May a collector run before it comes back?
    pub(crate) const fn collects(self) -> bool {
        use Routine::{ArrayNew, Constant, Expose, Stacks};
        matches!(self, Constant { .. } | Expose | ArrayNew { .. } | Stacks(_))
    }
}

/// A change of stacks, or what prepares one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StackRoutine {
    /// `cont.bind`.
    Bind {
        /// Does any argument take more than 8 bytes?
        wide: bool,
    },
    /// `resume`: gives 0 or the number of a handler, and where the values are.
    Resume {
        /// Does any value take more than 8 bytes?
        wide: bool,
    },
    /// `resume_throw_ref`: gives the same as `Resume`.
    ResumeThrow,
    /// `suspend`.
    Suspend,
    /// `switch`, whose values are all but the stack's own continuation.
    Switch {
        /// Does any value take more than 8 bytes?
        wide: bool,
    },
}

/// What is recorded of an instruction: which operator it is of, and why it may trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Offset of the instruction's first byte.
    pub at: u32,
    /// Byte offset of the operator in the wasm module, or [`Record::NO_OPERATOR`].
    pub wasm: u32,
    /// Why it traps, if it can.
    pub trap: Option<TrapCode>,
}

impl Record {
    /// In the place of an operator where an instruction is of none: the address map leaves it out.
    pub const NO_OPERATOR: u32 = u32::MAX;
}

const _: () = assert!(size_of::<Record>() == 12);

/// Where a local is between operators, in code for debuggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalPlace {
    /// Offset of the private entry of its function.
    pub body: u32,
    /// Its index.
    pub local: u32,
    /// What it holds.
    pub ty: Ty,
    /// Its slot, in bytes from the frame pointer.
    pub slot: i32,
}

/// From an offset of the code on, how whoever goes through the frames finds the one that called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwind {
    /// The first byte for which it holds.
    pub at: u32,
    /// What has changed.
    pub step: UnwindStep,
}

/// What changes for whoever goes through the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwindStep {
    /// A function or a routine begins, and nothing of it is on the stack yet but the address that it returns to.
    Begin,
    /// On the stack the caller's frame pointer lies below the return address.
    Pushed,
    /// The frame pointer is that of this frame, and whatever was `Saved` is in it.
    Framed,
    /// A register of the caller's is in the frame, so many bytes from the frame pointer, whenever there is a frame.
    Saved(Reg, i32),
    /// As `Framed`, but nothing is saved yet.
    Unsaved,
    /// The frame is gone, and the caller has all its registers: as at `Begin`.
    Unframed,
    /// As `Unframed`, but the return address is in the scratch register and no longer on the stack.
    Popped,
    /// A tail call writes its arguments over the frame: nobody finds the caller.
    Lost,
}

/// Why an instruction traps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TrapCode {
    /// The stack has come to its limit.
    StackOverflow,
    /// A memory access out of bounds.
    MemoryOutOfBounds,
    /// A table access out of bounds.
    TableOutOfBounds,
    /// `call_indirect` of a null reference.
    IndirectCallToNull,
    /// `call_indirect` of a function of another type.
    BadSignature,
    /// `INT_MIN / -1`, or a float too large for the integer.
    IntegerOverflow,
    /// Division by zero.
    IntegerDivisionByZero,
    /// A NaN to an integer.
    BadConversionToInteger,
    /// `unreachable`.
    Unreachable,
    /// An atomic access that is not aligned.
    HeapMisaligned,
    /// A null reference where there must be none.
    NullReference,
    /// An array access out of bounds.
    ArrayOutOfBounds,
    /// An object larger than any can be.
    AllocationTooLarge,
    /// `ref.cast` of something else.
    CastFailure,
    /// A continuation that was resumed, switched to or bound before.
    ContinuationConsumed,
    /// A tag that no stack below handles.
    UnhandledTag,
}

/// A call during which references in the frame may be read and changed by a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Safepoint {
    /// Offset of the instruction that the call returns to.
    pub at: u32,
    /// Where its map begins among `Writer::maps`; several may have the same.
    pub map: u32,
}

/// A call from which an exception may come to a handler in the same function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Offset of the instruction that the call returns to.
    pub at: u32,
    /// The handlers in the order in which they are tried: where they begin and end in `Writer::handlers`.
    pub handlers: (u32, u32),
    /// From the stack pointer, as it is during the call, up to the frame pointer, in bytes.
    pub frame: u32,
    /// From the stack pointer up to where the frame keeps the instance pointer, in bytes.
    pub context: u32,
}

impl CallSite {
    /// Bytes that it takes in the exception table: three words for itself and three for each handler.
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        12 + 12 * (self.handlers.1 - self.handlers.0)
    }
}

/// Where an exception goes if its tag is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Index of the tag; `None` if every exception is the right one. Then the handler is the last of its call.
    pub tag: Option<u32>,
    /// Offset of the code that it continues with.
    pub at: u32,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// How often the compiler did what; the sum over the functions of a `Writer`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// Names and values.
            #[must_use]
            pub fn list(&self) -> Vec<(&'static str, u64)> { vec![$((stringify!($name), self.$name)),*] }
            /// What has been counted since these were `before`.
            #[must_use]
            pub fn since(&self, before: &Counters) -> Counters { Counters { $($name: self.$name - before.$name),* } }
            /// Adds another's counts to these.
            pub fn add(&mut self, other: &Counters) { $(self.$name += other.$name;)* }
        }
    };
}

counters! {
    /// Operators compiled; those that are never reached are not.
    operators
    /// Locals that an operator names.
    locals
    /// Of these, those with a register for the whole function.
    homes
    /// Registers that loops keep for locals without a home.
    locked_locals
    /// Entries of the stack stored to their slots.
    spills
    /// Values loaded from slots to registers by instructions of their own.
    reloads
    /// Stores and loads of homes around calls.
    home_saves
    /// Moves from register to register or slot that merges and calls need.
    merge_moves
    /// Results computed straight into a local's register.
    direct_sets
    /// Compares fused with the branch or select that uses them.
    fused_compares
    /// Loads folded into the instruction that uses them.
    folded_loads
    /// Slots read by the instruction that uses them.
    folded_slots
    /// Index arithmetic folded into one address.
    folded_addresses
    /// Instructions that can trap.
    traps
    /// Fields that the linker fills in.
    relocations
    /// Records of instructions: those that can trap, and those in the address map.
    records
    /// Entries of the exception table: handlers of calls.
    handlers
    /// Calls that have a stack map.
    safepoints
    /// Iterations of the loops whose length neither the operator nor the machine bounds: over entries flushed or
    /// dropped, values that cross labels and calls, locals of a function, targets of tables, touches of loops. Linear
    /// in the module, as a test holds.
    steps
    /// Bodies that the fast sweep did not decide.
    left_to_judge
}
