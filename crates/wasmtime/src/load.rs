//! Hands a finished artifact to Wasmtime.

use crate::artifact::Artifact;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use wasmtime::{Engine, Module};

/// From this size on, an artifact is loaded from a file in memory. Making one costs as much as copying this much.
const MAP_FROM: usize = 512 << 10;

/// Loads an artifact. A large one is written, piece by piece, to an anonymous file that Wasmtime maps, and so is never
/// in memory twice; Wasmtime closes the file with the module. A small one is copied.
pub(crate) fn load(engine: &Engine, artifact: Artifact<'_>) -> wasmtime::Result<Module> {
    if artifact.len() >= MAP_FROM
        && let Ok(fd) = memfd_create("lightbeam", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
    {
        let file = File::from(fd);
        artifact.write_to(&file)?;
        // Nobody can change it any more, neither by this nor by any other way to the file.
        fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK)?;
        // SAFETY: the file holds an artifact that was just made here, and its seals keep it as it is.
        return unsafe { Module::deserialize_open_file(engine, file) };
    }
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { Module::deserialize(engine, artifact.into_bytes()) }
}
