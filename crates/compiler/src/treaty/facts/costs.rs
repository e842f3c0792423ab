//! What work costs, in units of fuel, where the host has a table of its own.

/// Work that is as large as an operand says: it has a price for each byte, page or element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are named as the operators that do it, or begin with it")]
pub enum Work {
    MemoryCopy,
    MemoryFill,
    MemoryInit,
    MemoryGrow,
    TableCopy,
    TableFill,
    TableInit,
    TableGrow,
    ArrayCopy,
    ArrayFill,
    ArrayNewData,
    ArrayInitData,
    ArrayNewElem,
    ArrayInitElem,
    ArrayNewDefault,
    ArrayNew,
}

impl Work {
    /// All there is.
    pub const ALL: [Work; 16] = [
        Work::MemoryCopy,
        Work::MemoryFill,
        Work::MemoryInit,
        Work::MemoryGrow,
        Work::TableCopy,
        Work::TableFill,
        Work::TableInit,
        Work::TableGrow,
        Work::ArrayCopy,
        Work::ArrayFill,
        Work::ArrayNewData,
        Work::ArrayInitData,
        Work::ArrayNewElem,
        Work::ArrayInitElem,
        Work::ArrayNewDefault,
        Work::ArrayNew,
    ];

    /// What a byte, page or element costs where the host says nothing: pages that are asked for cost nothing.
    pub(crate) const fn usual(self) -> u8 {
        !matches!(self, Work::MemoryGrow) as u8
    }
}

/// What each operator costs, and what its work does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// By the number of the operator.
    pub(crate) operators: Box<[u8]>,
    /// By `Work`: for each byte, page or element, beside the operator itself.
    pub(crate) work: [u8; Work::ALL.len()],
}
