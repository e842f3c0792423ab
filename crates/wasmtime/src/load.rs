//! Hands a finished artifact to Wasmtime.

use crate::artifact::Artifact;
use crate::text::LARGE;
use rustix::fs::{SealFlags, fcntl_add_seals};
use wasmtime::{Engine, Module};

/// Loads an artifact. A large one is in an anonymous file that Wasmtime maps, or is written to one piece by piece, and so
/// is never in memory twice; Wasmtime closes the file with the module. A small one is copied.
pub(crate) fn load(engine: &Engine, mut artifact: Artifact<'_>) -> wasmtime::Result<Module> {
    if artifact.len() >= LARGE
        && let Some(file) = artifact.file()
    {
        artifact.write_to(&file)?;
        // Nobody can change it any more, neither by this nor by any other way to the file.
        fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK)?;
        // SAFETY: the file holds an artifact that was just made here, and its seals keep it as it is.
        return unsafe { Module::deserialize_open_file(engine, file) };
    }
    // SAFETY: the artifact was just made and has not left this crate.
    unsafe { Module::deserialize(engine, artifact.into_bytes()?) }
}
