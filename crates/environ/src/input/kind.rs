//! What a binary is, a core module or a component, as its first bytes say; and the errors of one where the other was
//! expected.

use crate::error::Error;
use crate::input::translate::MAGIC;

/// How many bytes tell which it is.
pub const HEADER: usize = 8;

/// What a binary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

impl Kind {
    /// What begins with these bytes. None if they are too few or begin no binary.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        let version = bytes.get(MAGIC.len()..HEADER).filter(|_| bytes.starts_with(MAGIC))?;
        // Of versions that nobody knows the parser of components complains as well as that of modules.
        Some(if version == [1, 0, 0, 0] { Kind::Module } else { Kind::Component })
    }
}

/// The error of a core module where a component was expected.
pub(crate) fn not_a_component() -> Error {
    let message = "expected a component but was given a core module, which `Compiler::module` and `module_stream` take";
    Error::invalid(message, Some(0))
}

/// The error of a component where a core module was expected.
pub(crate) fn not_a_module() -> Error {
    let message =
        "expected a core module but was given a component, which `Compiler::component` and `component_stream` take";
    Error::invalid(message, Some(0))
}
