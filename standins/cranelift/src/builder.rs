//! What an engine sets before it has a compiler: all of it goes to the original, and some of it decides whether
//! Lightbeam compiles for the engine at all.

use crate::compiler::{Compiler, Terms};
use lightbeam_environ::settings::cpu_of_flags;
use std::path::Path;
use std::sync::Arc;
use target_lexicon::{Architecture, OperatingSystem, Triple};
use wasmtime_environ::error::Result;
use wasmtime_environ::{CacheStore, CompilerBuilder, FlagValue, OperatorCostStrategy, Setting, Tunables};

/// The builder of a compiler for a target; for the host if there is none.
///
/// # Errors
///
/// If the original cannot compile for that target.
pub fn builder(triple: Option<Triple>) -> Result<Box<dyn CompilerBuilder>> {
    Ok(Box::new(Builder { original: original::builder(triple)?, original_alone: None }))
}

#[derive(Debug)]
struct Builder {
    original: Box<dyn CompilerBuilder>,
    /// What has been asked for that only the original does, if anything has.
    original_alone: Option<&'static str>,
}

/// Settings of the original by name that are about its own code: whoever changes them wants to see that.
const OWN: [(&str, &str); 3] = [
    ("wasmtime_linkopt_padding_between_functions", "padding between functions"),
    ("wasmtime_linkopt_force_jump_veneer", "calls through veneers"),
    ("wasmtime_debug_checks", "checks of the original's own"),
];

impl Builder {
    /// Why the original must compile everything, if it must.
    fn why_original(&self, compiler: &dyn wasmtime_environ::Compiler) -> Option<&'static str> {
        if !crate::is_installed() {
            return Some("the environment says LIGHTBEAM=off");
        }
        let triple = compiler.triple();
        if triple.architecture != Architecture::X86_64 || triple.operating_system != OperatingSystem::Linux {
            return Some("the target is not x86-64 Linux");
        }
        if cpu_of_flags(&compiler.isa_flags()).is_none() {
            return Some("the target lacks SSE 4.2 or popcnt");
        }
        let tunables = self.original.tunables()?;
        let asked = [
            (tunables.winch_callable, "the code is Winch's to call"),
            (tunables.debug_native, "native debug information is asked for"),
            (tunables.debug_guest, "guests are debugged"),
            (tunables.recording, "executions are recorded"),
            (
                tunables.consume_fuel && !matches!(tunables.operator_cost, OperatorCostStrategy::Default),
                "operators have costs of their own",
            ),
        ];
        self.original_alone.or_else(|| asked.iter().find(|(asked, _)| *asked).map(|(_, why)| *why))
    }
}

impl CompilerBuilder for Builder {
    fn target(&mut self, target: Triple) -> Result<()> {
        self.original.target(target)
    }

    fn clif_dir(&mut self, path: &Path) -> Result<()> {
        self.original_alone = Some("the original's representation is asked for");
        self.original.clif_dir(path)
    }

    fn triple(&self) -> &Triple {
        self.original.triple()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == name) {
            self.original_alone = Some(why);
        }
        self.original.set(name, value)
    }

    fn enable(&mut self, name: &str) -> Result<()> {
        self.original.enable(name)
    }

    fn settings(&self) -> Vec<Setting> {
        self.original.settings()
    }

    fn enable_incremental_compilation(&mut self, cache_store: Arc<dyn CacheStore>) -> Result<()> {
        self.original.enable_incremental_compilation(cache_store)
    }

    fn set_tunables(&mut self, tunables: Tunables) -> Result<()> {
        self.original.set_tunables(tunables)
    }

    fn tunables(&self) -> Option<&Tunables> {
        self.original.tunables()
    }

    fn build(&self) -> Result<Box<dyn wasmtime_environ::Compiler>> {
        let original = self.original.build()?;
        if let Some(why) = self.why_original(&*original) {
            log::info!("Lightbeam does not compile for this engine: {why}");
            return Ok(original);
        }
        let flags = original.flags();
        let on = |name: &str| flags.iter().any(|(flag, value)| *flag == name && *value == FlagValue::Bool(true));
        let terms = Terms {
            tunables: self.original.tunables().expect("tunables are set before a compiler is built").clone(),
            cpu: cpu_of_flags(&original.isa_flags()).expect("otherwise it would have been the original"),
            nan_canonicalization: on("enable_nan_canonicalization"),
            spectre: on("enable_heap_access_spectre_mitigation") || on("enable_table_access_spectre_mitigation"),
        };
        log::info!("Lightbeam {} compiles for this engine", env!("CARGO_PKG_VERSION"));
        Ok(Box::new(Compiler::new(original, terms)))
    }

    fn wmemcheck(&mut self, enable: bool) {
        if enable {
            self.original_alone = Some("wmemcheck is asked for");
        }
        self.original.wmemcheck(enable);
    }
}
