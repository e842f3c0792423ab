//! Hands a finished artifact to Wasmtime.

use crate::error::Error;
use crate::output::artifact::Artifact;
use crate::output::memory_file;
use crate::output::text::LARGE;
use rustix::fs::{SealFlags, fcntl_add_seals};
use std::fs::File;
use wasmtime::{Engine, Module};

/// Loads an artifact. If files in memory may be used, a large one is in one that Wasmtime maps, or is written to one
/// piece by piece, and so is never in memory twice; Wasmtime closes the file with the module. A small one is copied,
/// and so is one for which the machine gives no file.
pub(crate) fn load(engine: &Engine, mut artifact: Artifact<'_>, files: bool) -> wasmtime::Result<Module> {
    if files && artifact.len() >= LARGE {
        artifact = match artifact.into_file()? {
            Ok(file) => return load_file(engine, file),
            Err(artifact) => artifact,
        };
    }
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { Module::deserialize(engine, artifact.into_bytes()?) }
}

/// Loads the artifact that is all of a file.
fn load_file(engine: &Engine, file: File) -> wasmtime::Result<Module> {
    // Nobody can change it any more, neither by this nor by any other way to the file.
    let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
    if fcntl_add_seals(&file, seals).is_ok() {
        // SAFETY: the file holds an artifact that was just made here, and its seals keep it as it is.
        return unsafe { Module::deserialize_open_file(engine, file) };
    }
    let read = || {
        let mut bytes = Vec::new();
        memory_file::read(&file, 0, file.metadata()?.len() as usize, &mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| Error::memory_file("read", &error))?;
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { Module::deserialize(engine, bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compiler, stream};
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    #[test]
    fn a_file_that_somebody_can_still_change_is_not_mapped() {
        let compiler = Compiler::new(&wasmtime::Config::new()).unwrap();
        let wasm = format!(r#"(module (memory 32) (data (i32.const 0) "{}"))"#, "x".repeat(1 << 20));
        stream::whole(&compiler, wasm.as_bytes(), true, |artifact, _| {
            let len = artifact.len();
            let Ok(file) = artifact.into_file()? else { panic!("no file") };
            let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
            // SAFETY: a new mapping, at a place that nobody has.
            let mapped = unsafe { mmap(std::ptr::null_mut(), len, access, flags, &file, 0)? };
            let module = load_file(compiler.engine(), file)?;
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
