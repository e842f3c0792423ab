//! Artifacts on their way out and in: found in a cache, given beside what was loaded from them, loaded if they are of
//! this release.

use crate::Compiler;
use crate::load::{self, Loaded};
use lightbeam_environ::artifact::Artifact;
use lightbeam_environ::stream::into_bytes;
use lightbeam_environ::{ArtifactOrigin, Error, ErrorKind, Report};
use std::path::Path;
use wasmtime::component::Component;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Module};

/// Wasmtime's error of something that it did not load.
pub(crate) fn not_loaded(error: wasmtime::Error, what: &str) -> wasmtime::Error {
    match error.downcast_ref::<Error>() {
        Some(_) => error,
        None => error.context(Error::load(format!("Wasmtime did not load {what}"))),
    }
}

impl Compiler {
    /// Compiles and loads a module, or has a fallback do it if Lightbeam does not compile it: if it is valid but
    /// [unsupported](ErrorKind::Unsupported) or [too large](ErrorKind::TooLarge). Where an engine has a compiler of
    /// Wasmtime's beside, that is `Module::new`:
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// # use wasmtime::{Engine, Module, Result};
    /// # struct Cranelift;
    /// # impl Cranelift { fn new(_: &Engine, _: &[u8]) -> Result<Module> { unreachable!() } }
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let module = compiler.module_or(b"\0asm\x01\0\0\0", Cranelift::new)?; // or `Module::new`
    /// # assert_eq!(module.exports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is invalid, and whatever the fallback gives. Other errors of the machine or of loading are not for a
    /// fallback, and are errors as those of [`module`](Self::module).
    pub fn module_or<'b>(
        &self,
        bytes: &'b [u8],
        fallback: impl FnOnce(&Engine, &'b [u8]) -> wasmtime::Result<Module>,
    ) -> wasmtime::Result<Module> {
        self.or(self.module(bytes), bytes, fallback)
    }

    /// Compiles and loads a component, or has a fallback do it, as [`module_or`](Self::module_or).
    ///
    /// # Errors
    ///
    /// As `module_or`.
    pub fn component_or<'b>(
        &self,
        bytes: &'b [u8],
        fallback: impl FnOnce(&Engine, &'b [u8]) -> wasmtime::Result<Component>,
    ) -> wasmtime::Result<Component> {
        self.or(self.component(bytes), bytes, fallback)
    }

    fn or<'b, T>(
        &self,
        compiled: wasmtime::Result<T>,
        bytes: &'b [u8],
        fallback: impl FnOnce(&Engine, &'b [u8]) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        compiled.or_else(|error| match error.downcast_ref::<Error>().map(Error::kind) {
            Some(ErrorKind::Unsupported | ErrorKind::TooLarge) => fallback(&self.engine, bytes),
            _ => Err(error),
        })
    }

    /// Compiles a module once, and gives it loaded as well as its artifact, which is that of
    /// [`precompile`](Self::precompile).
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let (module, artifact) = compiler.module_and_artifact("(module)")?;
    /// // Elsewhere, or later:
    /// // SAFETY: the artifact comes from the compiler and nobody has changed it.
    /// let again = unsafe { compiler.deserialize(&artifact)? };
    /// # assert_eq!(module.exports().len(), again.exports().len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`module`](Self::module).
    pub fn module_and_artifact(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Module, Vec<u8>)> {
        self.obtain_both(bytes.as_ref())
    }

    /// Compiles a component once, and gives it loaded as well as its artifact, as
    /// [`module_and_artifact`](Self::module_and_artifact).
    ///
    /// # Errors
    ///
    /// As [`component`](Self::component).
    pub fn component_and_artifact(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Component, Vec<u8>)> {
        self.obtain_both(bytes.as_ref())
    }

    /// Loads a module out of an artifact, as [`Module::deserialize`] does, but only one of this release: an artifact
    /// that names another version of Lightbeam or another release of Wasmtime, be it the same major version, is
    /// refused. Those of Wasmtime's own compilers do not name their release, and are left to Wasmtime.
    ///
    /// # Safety
    ///
    /// As of [`Module::deserialize`]: it must be what a compiler made, unchanged, for it is run as it is.
    ///
    /// # Errors
    ///
    /// With the kind [`ErrorKind::Load`], if it is of another release, cut off, damaged, or no artifact of a module, or
    /// if Wasmtime refuses it.
    // SAFETY: what is asked of the caller stands above.
    pub unsafe fn deserialize(&self, artifact: impl AsRef<[u8]>) -> wasmtime::Result<Module> {
        // SAFETY: the caller's.
        unsafe { self.foreign(artifact.as_ref()) }
    }

    /// Loads a component out of an artifact of this release, as [`deserialize`](Self::deserialize).
    ///
    /// # Safety
    ///
    /// As of [`deserialize`](Self::deserialize).
    ///
    /// # Errors
    ///
    /// As `deserialize`.
    // SAFETY: what is asked of the caller stands above.
    pub unsafe fn deserialize_component(&self, artifact: impl AsRef<[u8]>) -> wasmtime::Result<Component> {
        // SAFETY: the caller's.
        unsafe { self.foreign(artifact.as_ref()) }
    }

    /// Loads a module out of a file that is an artifact of this release, as [`deserialize`](Self::deserialize). The
    /// file is read; [`Module::deserialize_file`] maps it, and compares no more than the major version.
    ///
    /// # Safety
    ///
    /// As of [`deserialize`](Self::deserialize).
    ///
    /// # Errors
    ///
    /// If it cannot be read, and as `deserialize`, with the name of the file.
    // SAFETY: what is asked of the caller stands above.
    pub unsafe fn deserialize_file(&self, path: impl AsRef<Path>) -> wasmtime::Result<Module> {
        // SAFETY: the caller's.
        unsafe { self.foreign_file(path.as_ref()) }
    }

    /// Loads a component out of a file that is an artifact of this release, as
    /// [`deserialize_file`](Self::deserialize_file).
    ///
    /// # Safety
    ///
    /// As of [`deserialize`](Self::deserialize).
    ///
    /// # Errors
    ///
    /// As `deserialize_file`.
    // SAFETY: what is asked of the caller stands above.
    pub unsafe fn deserialize_component_file(&self, path: impl AsRef<Path>) -> wasmtime::Result<Component> {
        // SAFETY: the caller's.
        unsafe { self.foreign_file(path.as_ref()) }
    }

    /// # Safety
    ///
    /// As of `deserialize`.
    unsafe fn foreign_file<L: Loaded>(&self, path: &Path) -> wasmtime::Result<L> {
        let of_file = || format!("failed to load `{}`", path.display());
        let artifact = std::fs::read(path).map_err(|error| Error::io("artifact", &error)).with_context(of_file)?;
        // SAFETY: the caller's.
        unsafe { self.foreign(&artifact) }.with_context(of_file)
    }

    /// # Safety
    ///
    /// As of `deserialize`.
    unsafe fn foreign<L: Loaded>(&self, artifact: &[u8]) -> wasmtime::Result<L> {
        ArtifactOrigin::check(artifact)?;
        let loaded = if self.settings.memory_files {
            load::load(&self.engine, Artifact::of_slice(artifact), true)
        } else {
            // SAFETY: the caller's.
            unsafe { L::bytes(&self.engine, artifact) }
        };
        loaded.map_err(|error| not_loaded(error, &format!("the artifact, as one of a {}", L::NAME)))
    }

    /// Compiles and loads, or finds.
    pub(crate) fn obtain<L: Loaded>(&self, bytes: &[u8]) -> wasmtime::Result<(L, Report)> {
        #[cfg(feature = "cache")]
        if self.cache.is_some() {
            let (artifact, report) = self.obtain_artifact::<L>(bytes)?;
            return self.load(Artifact::of_slice(&artifact), report);
        }
        L::whole(&self.settings, bytes, true, |artifact, report| self.load(artifact, report))
    }

    /// Compiles, or finds.
    pub(crate) fn obtain_artifact<L: Loaded>(&self, bytes: &[u8]) -> wasmtime::Result<(Vec<u8>, Report)> {
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.cache {
            let key = cache.key(&self.settings.digested(), L::NAME, bytes);
            if let Some(artifact) = cache.get(&key) {
                match self.found::<L>(&artifact, bytes) {
                    Some(report) => return Ok((artifact, report)),
                    None => cache.remove(&key),
                }
            }
            let (artifact, report) = L::whole(&self.settings, bytes, false, into_bytes)?;
            cache.put(&key, &artifact);
            return Ok((artifact, report));
        }
        L::whole(&self.settings, bytes, false, into_bytes)
    }

    fn obtain_both<L: Loaded>(&self, bytes: &[u8]) -> wasmtime::Result<(L, Vec<u8>)> {
        let (artifact, report) = self.obtain_artifact::<L>(bytes)?;
        let (loaded, _) = self.load(Artifact::of_slice(&artifact), report)?;
        Ok((loaded, artifact))
    }

    /// What is to be said of an artifact that was found in a cache. None if it is not what compiling would give: where
    /// finished code is to be proved, so is what was found, as nothing of it is believed then.
    #[cfg(feature = "cache")]
    fn found<L: Loaded>(&self, artifact: &[u8], bytes: &[u8]) -> Option<Report> {
        let start = std::time::Instant::now();
        let mut report = Report::default();
        (report.cached, report.wasm_bytes, report.artifact_bytes) = (true, bytes.len(), artifact.len());
        if self.settings.verify {
            report.verified = Some(self.verify_artifact(artifact, bytes).ok()?);
            report.phases.verify = start.elapsed();
        }
        Some(report)
    }
}
