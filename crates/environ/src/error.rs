//! What can go wrong, told apart by kind and with the place in the module, so that an embedder need not parse messages.

use std::fmt;
use wasmtime_environ::wasmparser::BinaryReaderError;

/// Why a module was not compiled, or an engine not accepted.
///
/// Every [`wasmtime_environ::error::Error`] that this crate makes itself carries one; get at it with
/// [`downcast_ref`](wasmtime_environ::error::Error::downcast_ref).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    offset: Option<usize>,
    message: String,
    /// What could not be proved: the function's index in the module, and the offset in the text.
    unproved: (Option<u32>, Option<u32>),
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are no valid WebAssembly module.
    Invalid,
    /// The module is valid but uses something that Lightbeam does not compile.
    Unsupported,
    /// The module, or the code for it, is larger than Lightbeam's limits.
    TooLarge,
    /// The engine's settings ask for something that Lightbeam's code does not do.
    Settings,
    /// The source could not be read.
    Io,
    /// Finished code could not be proved to stay in the sandbox, see `Compiler::verify`; or
    /// an artifact is not one of the module that it is said to be of. Of code that was just made it is a bug, in the
    /// compiler or in the verifier.
    Verification,
    /// The machine did not give what compiling or loading needs, and there was no other way.
    Resources,
}

impl Error {
    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The byte offset in the module at which it was found, where there is one.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// The index in the module of the function whose code could not be proved, if that is the error and it is in one.
    #[must_use]
    pub fn function(&self) -> Option<u32> {
        self.unproved.0
    }

    /// Where in the artifact's text it could not be proved, if that is the error.
    #[must_use]
    pub fn text_offset(&self) -> Option<u32> {
        self.unproved.1
    }

    /// What is wrong, without the offset.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The bytes are no valid module or component.
    #[doc(hidden)]
    pub fn invalid(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error { kind: ErrorKind::Invalid, offset, message: message.into(), unproved: (None, None) }
    }

    pub(crate) fn unsupported(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error { kind: ErrorKind::Unsupported, offset, message: message.into(), unproved: (None, None) }
    }

    pub(crate) fn too_large(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error { kind: ErrorKind::TooLarge, offset, message: message.into(), unproved: (None, None) }
    }

    /// The engine asks for something that Lightbeam does not do.
    #[doc(hidden)]
    #[must_use]
    pub fn settings(message: impl Into<String>) -> Error {
        Error { kind: ErrorKind::Settings, offset: None, message: message.into(), unproved: (None, None) }
    }

    /// An error in bytes of which those from `here` on were at `there` in the module.
    pub(crate) fn moved(mut self, here: usize, there: usize) -> Error {
        self.offset = self.offset.map(|offset| if offset >= here { offset - here + there } else { offset });
        self
    }

    /// This error with its offset, if it has one, turned into another.
    pub(crate) fn mapped(mut self, map: impl FnOnce(usize) -> usize) -> Error {
        self.offset = self.offset.map(map);
        self
    }

    /// Reading the module failed.
    #[doc(hidden)]
    #[must_use]
    pub fn io(error: &std::io::Error) -> Error {
        Error {
            kind: ErrorKind::Io,
            offset: None,
            message: format!("failed to read the module: {error}"),
            unproved: (None, None),
        }
    }

    pub(crate) fn unverified(message: impl Into<String>, function: Option<u32>, text_offset: Option<u32>) -> Error {
        let unproved = (function, text_offset);
        Error { kind: ErrorKind::Verification, offset: None, message: message.into(), unproved }
    }

    /// Reading or writing the file in memory that has a module's machine code failed.
    #[doc(hidden)]
    #[must_use]
    pub fn memory_file(what: &str, error: &std::io::Error) -> Error {
        let message = format!("failed to {what} the file in memory that holds the module's machine code: {error}");
        Error { kind: ErrorKind::Resources, offset: None, message, unproved: (None, None) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.offset {
            Some(offset) => write!(f, " (at offset 0x{offset:x})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<&BinaryReaderError> for Error {
    fn from(error: &BinaryReaderError) -> Error {
        Error::invalid(error.message(), Some(error.offset()))
    }
}

impl From<BinaryReaderError> for Error {
    fn from(error: BinaryReaderError) -> Error {
        Error::from(&error)
    }
}

impl From<lightbeam_compiler::Error> for Error {
    fn from(error: lightbeam_compiler::Error) -> Error {
        use lightbeam_compiler::ErrorKind as Kind;
        let offset = Some(error.offset);
        match error.kind {
            Kind::Invalid(message) => Error::invalid(message, offset),
            Kind::Unsupported(what) => Error::unsupported(format!("{what} is not supported by Lightbeam"), offset),
            Kind::Limit(what) => Error::too_large(format!("limit exceeded: {what}"), offset),
        }
    }
}

/// What a valid module may have around its function bodies that Lightbeam does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsupported {
    /// Types that threads share.
    SharedTypes,
    /// References of exact types, or imports of functions with one.
    CustomDescriptors,
    /// A structure or an array with a continuation in it.
    ContinuationsInObjects,
    /// Whatever the collector would have to keep with a continuation in it, exceptions included.
    ContinuationsKept,
    /// Objects, where the engine has nothing that makes any.
    NoCollector,
    /// A definition of a type of exceptions.
    ExceptionTypes,
}

impl Unsupported {
    /// The error of a module that has it, at this byte.
    pub(crate) fn at(self, offset: Option<usize>) -> Error {
        let message = match self {
            Unsupported::SharedTypes => "shared-everything threads are not supported by Lightbeam",
            Unsupported::CustomDescriptors => "custom descriptors are not supported by Lightbeam",
            Unsupported::ContinuationsInObjects => "continuations in objects are not supported by Lightbeam",
            Unsupported::ContinuationsKept => "continuations in objects and exceptions are not supported by Lightbeam",
            Unsupported::NoCollector => "garbage collection without a collector is not supported by Lightbeam",
            Unsupported::ExceptionTypes => "types of exceptions are not supported by Lightbeam",
        };
        Error::unsupported(message, offset)
    }
}

/// Gives errors of Wasmtime's translation this crate's type. It reads nothing but the module, so what is not invalid is
/// something that its translation does not know, though validation does.
pub(crate) fn from_translation(error: wasmtime_environ::error::Error) -> wasmtime_environ::error::Error {
    if let Some(inner) = error.downcast_ref::<BinaryReaderError>() {
        return Error::from(inner).into();
    }
    if error.is::<wasmtime_environ::error::OutOfMemory>() {
        return error;
    }
    let message = format!("not supported by Wasmtime's translation: {error:#}");
    Error::unsupported(message, None).into()
}
