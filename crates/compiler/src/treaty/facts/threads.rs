//! Threads of components, and what of their host's functions is done in place: to begin and to end a call from one
//! component to another, and to read and write what a thread keeps for itself.
//!
//! A call between components has a thread of its own, which the host makes only if anybody asks for it. Until then it
//! is *deferred*: a record in the frame of the function that makes the call, to which the store points.

/// What an import is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intrinsic {
    /// A call of another component begins: three integers say of which one, by which one, and how.
    EnterSyncCall,
    /// It has ended.
    ExitSyncCall,
    /// The value of what the thread keeps for itself that is here in the store's structure, an `i32`.
    ContextGet(i32),
    /// Sets it.
    ContextSet(i32),
}

impl Intrinsic {
    /// Does it begin or end a call?
    pub(crate) fn is_sync_call(self) -> bool {
        matches!(self, Intrinsic::EnterSyncCall | Intrinsic::ExitSyncCall)
    }
}

/// Where the host keeps threads. Offsets are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct ThreadFacts {
    /// Store: the current thread, which is a pointer to its record as long as it is deferred.
    pub current: i32,
    /// Store: what the current thread keeps for itself, an `i32` each.
    pub context: [i32; 2],
    /// How many bytes a record has, a multiple of 8.
    pub record_bytes: i32,
    /// Record: the thread that was current before.
    pub parent: i32,
    /// Record: what says which call it is, an `i32` each.
    pub arguments: [i32; 3],
    /// Record: what that thread keeps for itself.
    pub saved_context: [i32; 2],
}
