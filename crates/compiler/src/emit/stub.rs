//! What a stub is: a detour that is taken rarely, out of line, after the function's last operator. Who branches to one
//! records it by a `Frozen`; `control/stubs.rs` emits them.

use lightbeam_asm::{Label, Reg, RegSet};

/// A detour that is taken rarely: calls the host with every register in use saved, then comes back.
#[derive(Clone, Copy)]
pub(crate) struct Stub {
    /// Where it starts.
    pub(crate) label: Label,
    /// Where it goes when done.
    pub(crate) resume: Label,
    pub(crate) kind: StubKind,
    /// Registers to save; filled in when it is remembered, as the next two.
    pub(crate) live: RegSet,
    /// Registers with references that the host may change: where these begin and end in `Lists::stub_refs`.
    pub(crate) refs: (u32, u32),
    /// The stack map while the host runs.
    pub(crate) map: Option<u32>,
    /// Wasm offset of the operator.
    pub(crate) wasm: u32,
}

/// A reference in a register while a stub calls the host: it is in the frame then and loaded from there afterwards.
#[derive(Clone, Copy)]
pub(crate) struct KeptRef {
    pub(crate) reg: Reg,
    /// Offset of its slot from the frame pointer.
    pub(crate) slot: i32,
    /// Must it be stored? A local's slot is up to date.
    pub(crate) store: bool,
}

/// What a stub calls.
#[derive(Clone, Copy)]
pub(crate) enum StubKind {
    /// Fills an element of a lazy table and gives its reference.
    FillElement { table: u32, index: Reg, out: Reg },
    /// Fuel has run out.
    OutOfGas,
    /// The epoch deadline has come.
    NewEpoch,
    /// Makes an object of a type and gives the reference and, in `base` if it names one, where the heap begins.
    NewObject { ty: u32, size: u32, out: Reg, base: Option<Reg> },
    /// Tells a collector that counts references of the one in this register, which an entry of the stack owns.
    Expose { reference: Reg },
    /// Asks whether the type with the id in `actual` is a subtype of another, and gives the answer in the same
    /// register.
    IsSubtype { actual: Reg, expected: i32 },
    /// Calls this import, which ends a call between components whose thread the host has made.
    ExitSyncCall { func: u32 },
}

impl StubKind {
    /// The register in which it gives something, which need not be saved.
    pub(crate) fn out(self) -> Option<Reg> {
        match self {
            StubKind::FillElement { out, .. } | StubKind::NewObject { out, .. } => Some(out),
            StubKind::IsSubtype { actual, .. } => Some(actual),
            StubKind::OutOfGas | StubKind::NewEpoch | StubKind::Expose { .. } | StubKind::ExitSyncCall { .. } => None,
        }
    }

    /// May a collector run?
    pub(crate) fn collects(self) -> bool {
        !matches!(self, StubKind::FillElement { .. } | StubKind::IsSubtype { .. })
    }
}
