//! Why a function could not be compiled.

use std::fmt;

/// An error with the byte offset in the module at which it was found.
#[derive(Clone, Debug)]
pub struct Error {
    /// Byte offset in the module.
    pub offset: usize,
    /// What went wrong.
    pub kind: ErrorKind,
}

/// The kinds of errors.
#[derive(Clone, Debug)]
pub enum ErrorKind {
    /// The body is not valid WebAssembly.
    Invalid(String),
    /// The body uses something that this compiler does not have, by name.
    Unsupported(String),
    /// The body is valid but exceeds a stated limit.
    Limit(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Invalid(what) => write!(f, "{what} (at offset {:#x})", self.offset),
            ErrorKind::Unsupported(what) => write!(f, "{what} is not supported yet (at offset {:#x})", self.offset),
            ErrorKind::Limit(what) => write!(f, "limit exceeded: {what} (at offset {:#x})", self.offset),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Error {
        Error { offset: error.offset(), kind: ErrorKind::Invalid(error.message().to_owned()) }
    }
}
