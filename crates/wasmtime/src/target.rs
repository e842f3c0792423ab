//! The machine that code is made for, as far as the layout of what the host and the code share follows from it.

/// Bytes of a pointer on the machines that Lightbeam compiles for; `PtrSize` derives all layouts from it.
pub(crate) const POINTER: u8 = 8;

/// Logarithm of the host's page size.
pub(crate) const HOST_PAGE_LOG2: u8 = 12;

/// Bytes of a page: how a text that is mapped executable, and a memory image, are aligned.
pub(crate) const PAGE: u64 = 1 << HOST_PAGE_LOG2;
