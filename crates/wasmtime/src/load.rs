//! Hands a finished artifact to Wasmtime.

use lightbeam_environ::artifact::{Artifact, LARGE};
use lightbeam_environ::memory_file;
use lightbeam_environ::settings::Settings;
use lightbeam_environ::stream::{self, whole_component};
use lightbeam_environ::{Error, Report};
use rustix::fs::{SealFlags, fcntl_add_seals};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// What Wasmtime makes of an artifact.
pub(crate) trait Loaded: Sized {
    /// Loads an artifact that is in memory.
    ///
    /// # Safety
    ///
    /// It must be one that this crate made.
    unsafe fn bytes(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Self>;

    /// Loads an artifact that is all of a file.
    ///
    /// # Safety
    ///
    /// It must be one that this crate made, and nobody may change the file.
    unsafe fn file(engine: &Engine, file: File) -> wasmtime::Result<Self>;

    /// Compiles one, binary or text, that is there as a whole, and hands on the artifact.
    fn whole<T>(
        settings: &Arc<Settings>,
        bytes: &[u8],
        loads: bool,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T>;

    /// What it is called.
    const NAME: &str;
}

impl Loaded for Module {
    // SAFETY: what is asked of the caller stands at the trait.
    unsafe fn bytes(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Module> {
        // SAFETY: the caller's.
        unsafe { Module::deserialize(engine, artifact) }
    }

    unsafe fn file(engine: &Engine, file: File) -> wasmtime::Result<Module> {
        // SAFETY: the caller's.
        unsafe { Module::deserialize_open_file(engine, file) }
    }

    fn whole<T>(
        settings: &Arc<Settings>,
        bytes: &[u8],
        loads: bool,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        stream::whole(settings, bytes, loads, done)
    }

    const NAME: &str = "module";
}

impl Loaded for Component {
    // SAFETY: what is asked of the caller stands at the trait.
    unsafe fn bytes(engine: &Engine, artifact: &[u8]) -> wasmtime::Result<Component> {
        // SAFETY: the caller's.
        unsafe { Component::deserialize(engine, artifact) }
    }

    unsafe fn file(engine: &Engine, file: File) -> wasmtime::Result<Component> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: the caller's.
        unsafe { component(engine, &file, &path) }
    }

    fn whole<T>(
        settings: &Arc<Settings>,
        bytes: &[u8],
        loads: bool,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        whole_component::whole(settings, bytes, loads, done)
    }

    const NAME: &str = "component";
}

/// Loads a component out of a file that has this path, too: components are loaded by path alone, and Wasmtime opens the
/// file once more. A process may have no such paths, or not be allowed to open them.
///
/// # Safety
///
/// As of `Loaded::file`.
unsafe fn component(engine: &Engine, file: &File, path: &str) -> wasmtime::Result<Component> {
    if File::open(path).is_ok() {
        // SAFETY: the caller's.
        return unsafe { Component::deserialize_file(engine, path) };
    }
    // SAFETY: the caller's.
    unsafe { Component::deserialize(engine, &read(file)?) }
}

/// All that is in a file in memory.
fn read(file: &File) -> Result<Vec<u8>, Error> {
    let read = || {
        let mut bytes = Vec::new();
        memory_file::read(file, 0, file.metadata()?.len() as usize, &mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| Error::memory_file("read", &error))
}

/// Loads an artifact. If files in memory may be used, a large one is in one that Wasmtime maps, or is written to one
/// piece by piece, and so is never in memory twice; Wasmtime closes the file with the module. A small one is copied,
/// and so is one for which the machine gives no file.
pub(crate) fn load<L: Loaded>(engine: &Engine, mut artifact: Artifact<'_>, files: bool) -> wasmtime::Result<L> {
    if files && artifact.len() >= LARGE {
        artifact = match artifact.into_file()? {
            Ok(file) => return load_file(engine, file),
            Err(artifact) => artifact,
        };
    }
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { L::bytes(engine, &artifact.into_bytes()?) }
}

/// Loads the artifact that is all of a file.
fn load_file<L: Loaded>(engine: &Engine, file: File) -> wasmtime::Result<L> {
    // Nobody can change it any more, neither by this nor by any other way to the file.
    let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
    if fcntl_add_seals(&file, seals).is_ok() {
        // SAFETY: the file holds an artifact that was just made here, and its seals keep it as it is.
        return unsafe { L::file(engine, file) };
    }
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { L::bytes(engine, &read(&file)?) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Compiler;
    use lightbeam_environ::stream;
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    #[test]
    fn a_component_whose_file_cannot_be_opened_again_is_copied() {
        let compiler = Compiler::new(&wasmtime::Config::new()).unwrap();
        stream::whole_component::whole(&compiler.settings, b"(component)", true, |artifact, _| {
            let Ok(file) = artifact.into_file()? else { panic!("no file") };
            // SAFETY: the file holds an artifact that was just made, and nobody else has it.
            unsafe { component(compiler.engine(), &file, "/there is no such file") }
        })
        .unwrap();
    }

    #[test]
    fn a_file_that_somebody_can_still_change_is_not_mapped() {
        let compiler = Compiler::new(&wasmtime::Config::new()).unwrap();
        let wasm = format!(r#"(module (memory 32) (data (i32.const 0) "{}"))"#, "x".repeat(1 << 20));
        stream::whole(&compiler.settings, wasm.as_bytes(), true, |artifact, _| {
            let len = artifact.len();
            let Ok(file) = artifact.into_file()? else { panic!("no file") };
            let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
            // SAFETY: a new mapping, at a place that nobody has.
            let mapped = unsafe { mmap(std::ptr::null_mut(), len, access, flags, &file, 0)? };
            let module: Module = load_file(compiler.engine(), file)?;
            // SAFETY: ours, and the module has a copy.
            unsafe {
                mapped.cast::<u8>().write_bytes(0, len);
                munmap(mapped, len)?;
            }
            let mut store = wasmtime::Store::new(compiler.engine(), ());
            wasmtime::Instance::new(&mut store, &module, &[])?;
            Ok(())
        })
        .unwrap();
    }
}
