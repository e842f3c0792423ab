//! Stands where Wasmtime has its own compiler, by `[patch.crates-io]` in the manifest of a program: whatever compiles
//! in that program, `Module::new`, `Component::new`, `Engine::precompile_module`, a library that does it, is compiled
//! by Lightbeam, and what Lightbeam refuses by the original, which is inside. Nothing else changes, and nobody need be
//! told.
//!
//! It has everything that the original has, under the same names, and is asked for the same release of Wasmtime. How to
//! install it is in `docs/hosts.md` of Lightbeam.

mod builder;
mod compiler;
mod component;
mod link;
mod live;

pub use builder::builder;
#[doc(inline)]
pub use original::*;

use lightbeam_environ::ArtifactOrigin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Compilers made from here on are the original's, if the environment variable of this name is `off`: to compare.
pub const SWITCH: &str = "LIGHTBEAM";

/// Is Lightbeam in the place of Wasmtime's compiler? Always, unless the environment says `LIGHTBEAM=off`.
///
/// Cargo only warns of a patch that it does not use, as it does if the release is another one. A program that depends
/// on `wasmtime-internal-cranelift` itself and asks this at its beginning does not even compile without the patch.
#[must_use]
pub fn is_installed() -> bool {
    std::env::var_os(SWITCH).is_none_or(|value| value != "off")
}

/// What artifacts of Lightbeam's, and keys of caches, have among the flags of the compiler: Lightbeam's version, which
/// sources it and this were built of, and the release of Wasmtime. So a cache gives nothing that others have made.
#[must_use]
pub fn mark() -> &'static str {
    static MARK: LazyLock<String> = LazyLock::new(|| {
        let ArtifactOrigin { compiler, version, wasmtime, .. } = ArtifactOrigin::current();
        format!("{compiler}-{version}-{}-{wasmtime}", env!("LIGHTBEAM_STAND_IN"))
    });
    &MARK
}

/// How many core modules were compiled since the program began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Modules {
    /// By Lightbeam.
    pub compiled: u64,
    /// By the original, as Lightbeam refused them. The log says why.
    pub refused: u64,
}

/// How many core modules were compiled since the program began, and how many of them by whom. Engines that Lightbeam
/// does not compile for at all are not counted.
#[must_use]
pub fn modules() -> Modules {
    Modules { compiled: COMPILED.load(Relaxed), refused: REFUSED.load(Relaxed) }
}

static COMPILED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);
