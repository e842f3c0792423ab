//! What verifying gives: what was found in code that is proved, or the first thing that could not be proved.

use std::fmt;

/// What was found in a text that is proved. Lists are in ascending order of offsets.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Instructions that may fault, so that the host must know what that means.
    pub faults: Vec<Fault>,
    /// Calls that return.
    pub calls: Vec<Call>,
    /// How many instructions were proved.
    pub instructions: u64,
    /// What that took: instructions, each time they were gone over, and parts of frames that were copied or joined.
    pub steps: u64,
    /// How many blocks were looked at, each time counted.
    pub visits: u64,
    /// How many blocks there are.
    pub blocks: u64,
}

/// An instruction that may fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset of it.
    pub at: u32,
    /// What makes it fault.
    pub cause: Cause,
}

/// What makes an instruction fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An access to a linear memory.
    Memory,
    /// An access to a linear memory that is known to be in it: a trap record does no harm and is not needed.
    MemoryInBounds,
    /// An access to the collector's heap.
    Heap,
    /// A read through a reference to a function that may be null.
    NullFunction,
    /// A read through one that is known not to be: a trap record does no harm and is not needed.
    NoNullFunction,
    /// A division.
    Division,
    /// A division that is known not to fault, likewise.
    DivisionInBounds,
    /// An instruction that always faults.
    Always,
    /// Nothing: no control comes to where the table has a trap.
    Unreached,
}

impl Cause {
    /// Is it one that is known not to happen?
    pub(crate) fn is_harmless(self) -> bool {
        matches!(self, Cause::MemoryInBounds | Cause::DivisionInBounds | Cause::NoNullFunction)
    }
}

/// A call that returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Offset of the instruction that it returns to.
    pub returns_to: u32,
    /// From the stack pointer during the call up to the frame pointer; `None` where that is not known, as in entries
    /// and exits.
    pub frame: Option<u32>,
    /// Has it been seen to that its stack map, if there is one, names only values? If not, it must name nothing.
    pub mapped: bool,
}

/// What could not be proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it is in.
    pub place: Place,
    /// Offset in the text.
    pub offset: u32,
    /// Why.
    pub reason: Reason,
}

/// What a part of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A function of the module, by its index among the defined ones.
    Function(u32),
    /// An entry, an exit or startup.
    Border(crate::facts::Border),
    /// The code that brings calls of this function from the host's convention to the private one.
    Thunk(u32),
    /// A routine that code calls.
    Routine,
    /// The text as a whole.
    Text,
}

/// Why something could not be proved: what it is, in a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(pub &'static str);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { place, offset, reason } = self;
        match place {
            Place::Function(index) => write!(f, "function {index} of those defined")?,
            Place::Border(border) => write!(f, "{border:?}")?,
            Place::Thunk(index) => write!(f, "thunk of function {index} of those defined")?,
            Place::Routine => write!(f, "routine")?,
            Place::Text => write!(f, "text")?,
        }
        write!(f, ", offset {offset:#x}: {}", reason.0)
    }
}

impl std::error::Error for Failure {}
