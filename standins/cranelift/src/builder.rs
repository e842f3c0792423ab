//! What an engine sets before it has a compiler: all of it goes to the original, and some of it decides whether
//! Lightbeam compiles for the engine at all.

use crate::compiler::{Compiler, Terms};
use lightbeam_environ::settings::{FEATURE, cpu_of_flags};
use std::path::Path;
use std::sync::Arc;
use target_lexicon::{Architecture, OperatingSystem, Triple};
use wasmtime_environ::error::Result;
use wasmtime_environ::{CacheStore, CompilerBuilder, FlagValue, Setting, SettingKind, Tunables};

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
    original_alone: Option<String>,
}

/// Settings of the original by name that Wasmtime makes for every engine, or that are obeyed.
const OBEYED: [&str; 8] = [
    "enable_heap_access_spectre_mitigation",
    "enable_multi_ret_implicit_sret",
    "enable_nan_canonicalization",
    "enable_table_access_spectre_mitigation",
    "preserve_frame_pointers",
    "probestack_strategy",
    "stack_switch_model",
    "unwind_info",
];

/// Settings that say how the original goes about its work, and nothing of what code does. There is nothing in Lightbeam
/// that they could be about.
const WAYS_OF_ORIGINAL: [&str; 14] = [
    "bb_padding_log2_minus_one",
    "enable_alias_analysis",
    "enable_incremental_compilation_cache_checks",
    "enable_probestack",
    "enable_verifier",
    "log2_min_function_alignment",
    "machine_code_cfg_info",
    "opt_level",
    "probestack_size_log2",
    "regalloc_algorithm",
    "regalloc_checker",
    "regalloc_verbose_logs",
    "wasmtime_inlining_small_callee_size",
    "wasmtime_inlining_sum_size_threshold",
];

impl Builder {
    /// Whoever sets something of this name that Lightbeam has nothing like wants to see the original's code.
    fn look_at(&mut self, name: &str) {
        let of_processor = || {
            let settings = self.original.settings();
            let known = settings.iter().find(|setting| setting.name == name);
            // All of the machine's own, as against those that the original has for all machines.
            name.starts_with(FEATURE) || known.is_some_and(|known| matches!(known.kind, SettingKind::Preset))
        };
        if !OBEYED.contains(&name) && !WAYS_OF_ORIGINAL.contains(&name) && !of_processor() {
            self.original_alone = Some(format!("`{name}` is set, which is the original's own"));
        }
    }

    /// Why the original must compile everything, if it must.
    fn why_original(&self, compiler: &dyn wasmtime_environ::Compiler) -> Option<String> {
        if !crate::is_installed() {
            return Some("the environment says LIGHTBEAM=off".to_owned());
        }
        let triple = compiler.triple();
        if triple.architecture != Architecture::X86_64 || triple.operating_system != OperatingSystem::Linux {
            return Some("the target is not x86-64 Linux".to_owned());
        }
        if cpu_of_flags(&compiler.isa_flags()).is_none() {
            return Some("the target lacks SSE 4.2 or popcnt".to_owned());
        }
        let tunables = self.original.tunables()?;
        let asked = [
            (tunables.winch_callable, "the code is Winch's to call"),
            (tunables.debug_native, "native debug information is asked for"),
            (tunables.debug_guest, "guests are debugged"),
            (tunables.recording, "executions are recorded"),
            (tunables.gc_zeal_alloc_counter.is_some(), "collections are forced by a counter"),
        ];
        let asked = || asked.iter().find(|(asked, _)| *asked).map(|(_, why)| (*why).to_owned());
        self.original_alone.clone().or_else(asked)
    }
}

impl CompilerBuilder for Builder {
    fn target(&mut self, target: Triple) -> Result<()> {
        self.original.target(target)
    }

    fn clif_dir(&mut self, path: &Path) -> Result<()> {
        self.original_alone = Some("the original's representation is asked for".to_owned());
        self.original.clif_dir(path)
    }

    fn triple(&self) -> &Triple {
        self.original.triple()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.look_at(name);
        self.original.set(name, value)
    }

    fn enable(&mut self, name: &str) -> Result<()> {
        self.look_at(name);
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
            unwind: on("unwind_info"),
            spectre: on("enable_heap_access_spectre_mitigation") || on("enable_table_access_spectre_mitigation"),
        };
        log::info!("{} compiles for this engine", crate::mark());
        Ok(Box::new(Compiler::new(original, terms)))
    }

    fn wmemcheck(&mut self, enable: bool) {
        if enable {
            self.original_alone = Some("wmemcheck is asked for".to_owned());
        }
        self.original.wmemcheck(enable);
    }
}
