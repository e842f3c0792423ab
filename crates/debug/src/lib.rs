//! Debug information for machine code: DWARF that native debuggers read, made of the DWARF of a WebAssembly module and
//! of what its compiler says of the code.
//!
//! What a module says of places in its code section becomes places in the machine code (`places.rs`), line tables
//! included (`lines.rs`). What it says of where values are, in terms of locals and of linear memory, becomes
//! expressions over the frame and over the register that holds the base of the memory (`expressions.rs`). All else,
//! types and names and scopes, is passed on as it is (`convert.rs`), but for pointers: a debugger would take one for an
//! address of the process, so it is shown as the number that it is in WebAssembly. A function that the module says
//! nothing of gets an entry of its own, with its locals as they are, and its lines are offsets in the module
//! (`bare.rs`).
//!
//! The crate knows neither a compiler nor a host.

mod bare;
mod convert;
mod expressions;
mod lines;
mod places;
mod sections;

pub use places::{Code, Function, Local, Row};
pub use sections::{Relocation, Section};

use gimli::{EndianSlice, LittleEndian};
use std::fmt;

/// What reads the DWARF of a module.
pub type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Why there is no debug information.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<gimli::write::ConvertError> for Error {
    fn from(error: gimli::write::ConvertError) -> Error {
        Error(error.to_string())
    }
}

impl From<gimli::write::Error> for Error {
    fn from(error: gimli::write::Error) -> Error {
        Error(error.to_string())
    }
}

/// One core module: its code, and what it has of DWARF.
pub struct Module<'a> {
    /// What it is called where nothing better is known.
    pub name: String,
    /// The code.
    pub code: Code,
    /// The DWARF sections that are in the module; places in it are offsets from the start of its code section.
    pub dwarf: gimli::Dwarf<Slice<'a>>,
}

/// A piece of the text that is of no function of a module.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What it is called.
    pub name: String,
    /// Where in the text it is.
    pub text: std::ops::Range<u32>,
}

/// Makes the debug sections for the modules of one text, to whose start all relocations are relative, and for what else
/// is in it.
///
/// # Errors
///
/// If the DWARF of a module cannot be read.
pub fn sections(modules: &[Module<'_>], others: &[Piece]) -> Result<Vec<Section>, Error> {
    let mut made = gimli::write::Dwarf::new();
    for module in modules {
        let told = convert::convert(module, &mut made)?;
        bare::add(module, &told, &mut made);
    }
    bare::add_others(others, &mut made);
    sections::write(&mut made)
}
