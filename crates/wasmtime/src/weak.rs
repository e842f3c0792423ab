//! Compilers that somebody keeps and that keep no engine alive.

#[cfg(feature = "cache")]
use crate::Cache;
use crate::Compiler;
use lightbeam_environ::settings::Settings;
use std::sync::Arc;
use wasmtime::EngineWeak;

/// What [`Compiler::downgrade`] gives: a compiler that does not keep its engine alive, for those who keep one for each
/// of the engines that others have.
///
/// ```
/// # fn main() -> wasmtime::Result<()> {
/// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
/// let weak = compiler.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(compiler);
/// assert!(weak.upgrade().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WeakCompiler {
    engine: EngineWeak,
    settings: Arc<Settings>,
    #[cfg(feature = "cache")]
    cache: Option<Cache>,
}

impl Compiler {
    /// This compiler, without keeping its engine alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakCompiler {
        WeakCompiler {
            engine: self.engine.weak(),
            settings: self.settings.clone(),
            #[cfg(feature = "cache")]
            cache: self.cache.clone(),
        }
    }
}

impl WeakCompiler {
    /// The compiler, as long as anybody has the engine.
    #[must_use]
    pub fn upgrade(&self) -> Option<Compiler> {
        Some(Compiler {
            engine: self.engine.upgrade()?,
            settings: self.settings.clone(),
            #[cfg(feature = "cache")]
            cache: self.cache.clone(),
        })
    }
}
