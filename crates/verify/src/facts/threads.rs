//! Threads of components that code begins and ends in place, and what each keeps for itself.

/// What code of a module may do to threads: what its imports are known to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// May it begin a call between components?
    pub enters: bool,
    /// The import that ends one, by its index among the functions.
    pub exit: Option<u32>,
    /// The import that only traps, likewise: no exception comes from it.
    pub trap: Option<u32>,
    /// By slot of the task: may code read it?
    pub reads: [bool; 2],
    /// By slot of the task: may code write it?
    pub writes: [bool; 2],
    /// May exceptions come from calls?
    pub exceptions: bool,
    /// What the record of a thread looks like (`VMDeferredThread`).
    pub record: Record,
}

/// Where the record of a thread that is not made yet has its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// How many bytes it has.
    pub bytes: u32,
    /// The thread before, a pointer.
    pub parent: u32,
    /// What says which call it is, a `u32` each.
    pub arguments: [u32; 3],
    /// What the slots of the task before were, a `u32` each.
    pub saved: [u32; 2],
}
