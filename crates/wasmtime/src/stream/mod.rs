//! Modules and components that are compiled while their bytes arrive, and loaded.

pub(crate) mod any;
pub(crate) mod component_stream;

use crate::Compiler;
use lightbeam_environ::artifact::Artifact;
use lightbeam_environ::stream::{self, into_bytes};
use lightbeam_environ::{Progress, Report};
use wasmtime::Module;

/// A module under compilation while its bytes arrive.
///
/// Chunks may be of any size and end anywhere. The result is the same for all of them, and so is the error if there is
/// one: the first in the order of the bytes.
///
/// ```
/// # fn main() -> wasmtime::Result<()> {
/// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
/// let mut stream = compiler.module_stream();
/// for chunk in b"\0asm\x01\0\0\0".chunks(3) {
///     stream.push(chunk)?;
/// }
/// let module = stream.finish()?;
/// # assert_eq!(module.exports().len(), 0);
/// # Ok(())
/// # }
/// ```
pub struct ModuleStream {
    compiler: Compiler,
    stream: stream::ModuleStream,
}

impl ModuleStream {
    pub(crate) fn new(compiler: Compiler) -> ModuleStream {
        ModuleStream { stream: stream::ModuleStream::new(compiler.settings.clone()), compiler }
    }

    /// Takes the next bytes of the module and has every function compiled that they complete: here, or for a module
    /// worth it by threads, for which this does not wait.
    ///
    /// # Errors
    ///
    /// If the module is invalid or unsupported as far as it has come. The stream is then at its end: further calls
    /// give the same error. An error in a function that threads compile may only show in a later call.
    pub fn push(&mut self, bytes: &[u8]) -> wasmtime::Result<Progress> {
        self.stream.push(bytes)
    }

    /// Ends the stream, links what it has compiled and loads it.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module, or if Wasmtime refuses to load it.
    pub fn finish(self) -> wasmtime::Result<Module> {
        self.finish_timed().map(|(module, _)| module)
    }

    /// As [`finish`](Self::finish), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish`.
    pub fn finish_timed(self) -> wasmtime::Result<(Module, Report)> {
        let compiler = self.compiler.clone();
        self.conclude(|artifact, report| compiler.load(artifact, report))
    }

    /// Ends the stream and links what it has compiled into an artifact for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module.
    pub fn finish_artifact(self) -> wasmtime::Result<Vec<u8>> {
        self.finish_artifact_timed().map(|(artifact, _)| artifact)
    }

    /// As [`finish_artifact`](Self::finish_artifact), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish_artifact`.
    pub fn finish_artifact_timed(self) -> wasmtime::Result<(Vec<u8>, Report)> {
        self.conclude(into_bytes)
    }

    pub(crate) fn conclude<T>(
        self,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        self.stream.conclude(done)
    }
}
