//! What can go wrong, told apart by kind and with the place in the module, so that an embedder need not parse messages.

use crate::names;
use std::fmt;
use wasmtime_environ::wasmparser::BinaryReaderError;

/// Why a module was not compiled, or an engine not accepted.
///
/// Every [`wasmtime_environ::error::Error`] that this crate makes itself carries one; get at it with
/// [`downcast_ref`](wasmtime_environ::error::Error::downcast_ref).
///
/// It displays as what is wrong, ahead of that the function if it is in one, as Wasmtime writes it
/// (`wasm[0]::function[1]::name`), and behind it where in the module that is.
///
/// Two errors are equal also if only one of them knows the function's name: while a module arrives, names are yet to
/// come.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    offset: Option<usize>,
    message: String,
    /// Line and column.
    position: Option<(usize, usize)>,
    function: Option<FunctionPlace>,
    /// Where in the text what could not be proved is.
    text_offset: Option<u32>,
}

/// A function that an [`Error`] is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionPlace {
    /// Which core module it is of: 0, but in a component.
    pub module: u32,
    /// Its index in the module, which counts imported functions too.
    pub index: u32,
    /// Its name, if the module gives it one and was there as a whole: names are behind the code, so streams, which
    /// fail as soon as they can, have none.
    pub name: Option<String>,
}

impl fmt::Display for FunctionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm[{}]::function[{}]", self.module, self.index)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, "::{name}"))
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        let number = |error: &Error| error.function.as_ref().map(|function| (function.module, function.index));
        let Error { kind, offset, message, position, function: _, text_offset } = self;
        (kind, offset, message, position, text_offset)
            == (&other.kind, &other.offset, &other.message, &other.position, &other.text_offset)
            && number(self) == number(other)
    }
}

impl Eq for Error {}

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
    /// Wasmtime did not load an artifact; or it is one of another release of Lightbeam or Wasmtime, damaged, or none.
    Load,
    /// Compiling was cancelled.
    Cancelled,
    /// Compiling took longer than it may.
    DeadlineExceeded,
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

    /// Line and column in the text format, both from 1 on and the column in characters, if the module was given in it
    /// and the error is at a place in it: of what is invalid the operator, in a function's body, or else the field.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }

    /// The function that it is in: whose body is invalid or unsupported, or whose code could not be proved.
    #[must_use]
    pub fn function(&self) -> Option<&FunctionPlace> {
        self.function.as_ref()
    }

    /// Where in the artifact's text it could not be proved, if that is the error.
    #[must_use]
    pub fn text_offset(&self) -> Option<u32> {
        self.text_offset
    }

    /// What is wrong, without the offset.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    fn new(kind: ErrorKind, message: impl Into<String>, offset: Option<usize>) -> Error {
        Error { kind, offset, message: message.into(), position: None, function: None, text_offset: None }
    }

    /// What was given is no valid module.
    #[doc(hidden)]
    #[must_use]
    pub fn invalid(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error::new(ErrorKind::Invalid, message, offset)
    }

    pub(crate) fn unsupported(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error::new(ErrorKind::Unsupported, message, offset)
    }

    pub(crate) fn too_large(message: impl Into<String>, offset: Option<usize>) -> Error {
        Error::new(ErrorKind::TooLarge, message, offset)
    }

    /// The engine asks for something that Lightbeam does not do.
    #[doc(hidden)]
    #[must_use]
    pub fn settings(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Settings, message, None)
    }

    /// An artifact was not loaded.
    #[doc(hidden)]
    #[must_use]
    pub fn load(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Load, message, None)
    }

    pub(crate) fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "compiling was cancelled", None)
    }

    pub(crate) fn deadline_exceeded() -> Error {
        Error::new(ErrorKind::DeadlineExceeded, "compiling was to be done by now and is not", None)
    }

    /// This error at a line and a column of a text, both from 1 on.
    #[cfg(feature = "wat")]
    pub(crate) fn at_position(mut self, line: usize, column: usize) -> Error {
        self.position = Some((line, column));
        self
    }

    /// This error in a function, unless it is in one already.
    pub(crate) fn in_function(mut self, module: u32, index: u32) -> Error {
        self.function.get_or_insert(FunctionPlace { module, index, name: None });
        self
    }

    /// This error with the name of the function that it is in, as the whole module or component says it.
    #[doc(hidden)]
    #[must_use]
    pub fn named(mut self, wasm: &[u8]) -> Error {
        if let Some(function) = &mut self.function {
            function.name = names::of_function(wasm, function.module, function.index);
        }
        self
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

    /// Reading something, a module or an artifact, failed.
    #[doc(hidden)]
    #[must_use]
    pub fn io(what: &str, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::Io, format!("failed to read the {what}: {error}"), None)
    }

    /// `function` is the module's and its own number.
    pub(crate) fn unverified(
        message: impl Into<String>,
        function: Option<(u32, u32)>,
        text_offset: Option<u32>,
    ) -> Error {
        let error = Error { text_offset, ..Error::new(ErrorKind::Verification, message, None) };
        match function {
            Some((module, index)) => error.in_function(module, index),
            None => error,
        }
    }

    /// Reading or writing the file in memory that has a module's machine code failed.
    #[doc(hidden)]
    #[must_use]
    pub fn memory_file(what: &str, error: &std::io::Error) -> Error {
        let message = format!("failed to {what} the file in memory that holds the module's machine code: {error}");
        Error::new(ErrorKind::Resources, message, None)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(function) = &self.function {
            write!(f, "{function}: ")?;
        }
        f.write_str(&self.message)?;
        match (self.offset, self.position) {
            (Some(offset), None) => write!(f, " (at offset 0x{offset:x})"),
            (None, Some((line, column))) => write!(f, " (at line {line}, column {column})"),
            (Some(offset), Some((line, column))) => {
                write!(f, " (at line {line}, column {column}; at offset 0x{offset:x} of the binary form)")
            }
            (None, None) => Ok(()),
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
