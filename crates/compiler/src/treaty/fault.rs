//! Side conditions of the compiler, each of which a test can have left out, to see who notices: the verifier, the
//! proofs of debug builds, or runs beside another compiler. Nothing of it is in release builds.

/// Can faults be made at all?
pub const PRESENT: bool = cfg!(any(debug_assertions, feature = "faults"));

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident)*) => {
        /// A side condition that is left out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];

            /// What is left out.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Fault::$name => concat!($($doc),*),)* }
            }
        }
    };
}

faults! {
    // ---- the ways out of the sandbox that there once were
    /// the base of memory 0 is read again where it grows under another index
    AliasedGrowth
    /// a product by 1 is written
    TimesOne
    /// what a test of a reference needs is had before its first branch
    HeapBaseBehindBranch
    /// an object's register is held until its field has been read
    ReleasedBeforeRead
    /// homes are loaded after a call that is not the operator's last, though `unreachable` comes next
    RestoreBeforeUnreachable
    /// an entry is pushed before a stub is made that comes back to it
    PushBehindStub
    /// a loop with `resume` before `unreachable` keeps no local in a register
    ResumeBeforeUnreachable
    /// a read of a local that waits is made before the local's frame closes
    ReadAfterFrame
    // ---- results
    /// an i32 result of a call is zero-extended
    NarrowResult
    /// a 32-bit result of the host is zero-extended
    NarrowHostResult
    /// a local written with the result of a call is no reason to leave the extension out
    NarrowIntoSlot
    // ---- memories
    /// the base of memory 0 is read again after a call
    ReloadAfterCall
    /// the base of memory 0 is read again after a stub that ran the host
    ReloadAfterStub
    /// the base of memory 0 is read again at a landing pad
    ReloadAtPad
    /// the size of an access counts
    SizeOfAccess
    /// a sum of 64 bits that wraps is out of bounds
    WrappedSum
    /// the end of an access is compared with the length
    MemoryBound
    /// the end of an access may be the length, and no more
    MemoryBoundOffByOne
    /// a range in memory is compared with the length
    RangeBound
    /// an access at a constant address reaches no further than the memory
    ConstantAddress
    // ---- tables and calls
    /// an index is less than a table's length
    TableBoundOffByOne
    /// an index is compared with a table's length
    TableBound
    /// an index is guarded against wrong predictions
    TableGuard
    /// the tag of an element of a lazy table is taken off
    TagTakenOff
    /// an element that was not filled in is filled in
    ElementFilled
    /// a callee's type is compared
    Signature
    /// a null reference is looked for where faults may not be used
    NullReference
    /// calls of functions of this instance alone go behind the entry
    PrivateEntry
    /// an index of a jump table is clamped
    JumpTable
    /// the stack pointer is put back after a callee has popped its arguments
    PoppedArguments
    // ---- registers and slots
    /// copies ahead of their slots are stored before a call
    CleanBeforeCall
    /// copies ahead of their slots are stored before a branch
    CleanBeforeBranch
    /// entries that leave the window are stored
    StoreAtWatermark
    /// a copy that is being read is not taken
    Pinned
    /// what flags tell is forgotten at labels
    FlagsAtLabels
    /// homes are stored before a call that destroys them
    SaveHomes
    /// homes are loaded after a call that destroyed them
    RestoreHomes
    /// homes are stored where a handler finds them
    SaveForHandlers
    /// stubs save all registers in use
    StubSaves
    /// preserved registers are stored at the entry
    SavePreserved
    /// preserved registers are loaded at the end
    RestorePreserved
    /// the instance is loaded at a landing pad
    InstanceAtPad
    /// locals begin as zero
    ZeroLocals
    /// the stack pointer is compared with the limit
    StackCheck
    // ---- objects
    /// stack maps name the locals
    LocalsInMaps
    /// stack maps name the entries of the stack
    EntriesInMaps
    /// calls during which a collector may run have a map
    Safepoints
    /// references that are written to an object are counted
    CountedReferences
    /// the heap reaches as far as an object does
    HeapBound
    /// what is compared with the heap's length counts all of the object
    HeapSpan
    // ---- what else
    /// fuel is charged
    Fuel
    /// amounts too large are charged as the largest
    FuelOfLargeAmounts
    /// accesses have records of their traps
    TrapRecords
}

#[cfg(any(debug_assertions, feature = "faults"))]
static LEFT_OUT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// From now on this side condition is left out, in all that the process compiles.
#[cfg(any(debug_assertions, feature = "faults"))]
pub fn leave_out(fault: Option<Fault>) {
    LEFT_OUT.store(fault.map_or(0, |fault| fault as u8 + 1), std::sync::atomic::Ordering::Relaxed);
}

#[cfg(any(debug_assertions, feature = "faults"))]
static UNPROVED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether the emitter proves its own state from now on, in builds that do: without that it compiles as in a release,
/// and others are left to notice what is wrong.
#[cfg(any(debug_assertions, feature = "faults"))]
pub fn prove(on: bool) {
    UNPROVED.store(!on, std::sync::atomic::Ordering::Relaxed);
}

/// Does the emitter prove its own state, if the build has that?
#[inline(always)]
pub(crate) fn proving() -> bool {
    #[cfg(any(debug_assertions, feature = "faults"))]
    return !UNPROVED.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(any(debug_assertions, feature = "faults")))]
    true
}

/// As `debug_assert!`, of what the emitter knows of its own state: a test may turn it off, see [`prove`].
macro_rules! proof {
    ($($what:tt)*) => {
        if cfg!(debug_assertions) && $crate::treaty::fault::proving() {
            assert!($($what)*);
        }
    };
}
pub(crate) use proof;

/// Is a side condition left out?
#[inline(always)]
pub(crate) fn without(fault: Fault) -> bool {
    #[cfg(any(debug_assertions, feature = "faults"))]
    return LEFT_OUT.load(std::sync::atomic::Ordering::Relaxed) == fault as u8 + 1;
    #[cfg(not(any(debug_assertions, feature = "faults")))]
    {
        let _ = fault;
        false
    }
}
