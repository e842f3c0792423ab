//! What a script needs of an engine: the proposals that its first lines name, or those that its directory is for.

use crate::machine;
use std::path::Path;
use wasmtime::error::Context as _;
use wasmtime::{Config, PoolingAllocationConfig, Result, bail};
use wasmtime_cli_flags::CommonOptions;

/// What begins a line of settings at the top of a script.
const SETTING: &str = ";;!";

type Switch = for<'a> fn(&'a mut Config, bool) -> &'a mut Config;

/// The proposals that a script can name.
#[rustfmt::skip]
const PROPOSALS: [(&str, Switch); 28] = [
    ("bulk_memory",                         Config::wasm_bulk_memory),
    ("reference_types",                     Config::wasm_reference_types),
    ("function_references",                 Config::wasm_function_references),
    ("gc",                                  Config::wasm_gc),
    ("simd",                                Config::wasm_simd),
    ("relaxed_simd",                        Config::wasm_relaxed_simd),
    ("tail_call",                           Config::wasm_tail_call),
    ("extended_const",                      Config::wasm_extended_const),
    ("exceptions",                          Config::wasm_exceptions),
    ("stack_switching",                     Config::wasm_stack_switching),
    ("multi_memory",                        Config::wasm_multi_memory),
    ("memory64",                            Config::wasm_memory64),
    ("custom_page_sizes",                   Config::wasm_custom_page_sizes),
    ("threads",                             Config::wasm_threads),
    ("shared_everything_threads",           Config::wasm_shared_everything_threads),
    ("wide_arithmetic",                     Config::wasm_wide_arithmetic),
    ("branch_hinting",                      Config::wasm_branch_hinting),
    ("component_model",                     Config::wasm_component_model),
    ("component_model_async",               Config::wasm_component_model_async),
    ("component_model_more_async_builtins", Config::wasm_component_model_more_async_builtins),
    ("component_model_async_stackful",      Config::wasm_component_model_async_stackful),
    ("component_model_threading",           Config::wasm_component_model_threading),
    ("component_model_error_context",       Config::wasm_component_model_error_context),
    ("component_model_gc",                  Config::wasm_component_model_gc),
    ("component_model_map",                 Config::wasm_component_model_map),
    ("component_model_memory64",            Config::wasm_component_model_memory64),
    ("component_model_fixed_length_lists",  Config::wasm_component_model_fixed_length_lists),
    ("component_model_implements",          Config::wasm_component_model_implements),
];

/// Those that others build upon, which need not be named beside them; in an order in which one pass suffices.
const IMPLIED: [(&str, &str); 6] = [
    ("gc", "function_references"),
    ("function_references", "reference_types"),
    ("reference_types", "bulk_memory"),
    ("relaxed_simd", "simd"),
    ("stack_switching", "exceptions"),
    ("component_model_threading", "component_model_async"),
];

/// Proposals that are part of WebAssembly, or of Wasmtime, whatever a script names.
const ALWAYS: [&str; 1] = ["component_model"];

/// What a script needs of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The proposals that are switched, each on or off; others are as an engine has them.
    proposals: Vec<(&'static str, bool)>,
    /// Is the script one of Wasmtime's own? They quote what errors say.
    pub of_wasmtime: bool,
    /// Must arithmetic give canonical NaNs?
    pub canonical_nans: bool,
    /// Does it ask for memories of gigabytes, which no pool has?
    pub hogs_memory: bool,
}

impl Needs {
    /// What the script at a path needs that has this text.
    ///
    /// # Errors
    ///
    /// If its first lines name what nobody knows.
    pub fn of(script: &Path, text: &str) -> Result<Needs> {
        let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix(SETTING)).collect();
        let within = |directory: &str| script.components().any(|part| part.as_os_str() == directory);
        if lines.is_empty() && !within("wasmtime-scripts") && !within("misc_testsuite") {
            return Ok(Needs { proposals: of_directory(within), ..Needs::default() });
        }
        Needs::of_settings(&lines.join("\n")).context("in the settings at the top of the script")
    }

    /// What settings name is on, and all else is off, so that a script must name it.
    fn of_settings(settings: &str) -> Result<Needs> {
        let settings: toml::Table = settings.parse()?;
        let mut needs = Needs { of_wasmtime: true, ..Needs::default() };
        let mut named = Vec::new();
        for (name, value) in &settings {
            let Some(on) = value.as_bool() else { bail!("`{name}` must be `true` or `false`") };
            match name.as_str() {
                "hogs_memory" => needs.hogs_memory = on,
                "nan_canonicalization" => needs.canonical_nans = on,
                // Which engines lack them is a matter of how they are built; and `gc` says what a script uses.
                "gc_types" => {}
                _ => match PROPOSALS.iter().find(|(proposal, _)| proposal == name) {
                    Some((proposal, _)) => named.push((*proposal, on)),
                    None => bail!("nothing is known of `{name}`"),
                },
            }
        }
        let mut on: Vec<&str> = ALWAYS.to_vec();
        on.extend(named.iter().filter(|(_, on)| *on).map(|(name, _)| *name));
        for (one, other) in IMPLIED {
            if on.contains(&one) {
                on.push(other);
            }
        }
        let switched = |name: &'static str| match named.iter().find(|(proposal, _)| *proposal == name) {
            Some(setting) => *setting,
            None => (name, on.contains(&name)),
        };
        needs.proposals = PROPOSALS.iter().map(|(name, _)| switched(name)).collect();
        Ok(needs)
    }

    /// Does it have to do with references to objects, so that it matters which collector there is?
    #[must_use]
    pub fn collects(&self) -> bool {
        self.proposals.contains(&("gc", true)) || self.proposals.contains(&("function_references", true))
    }

    /// Does it have to do with components that do several things at a time?
    #[must_use]
    pub fn concurrent(&self) -> bool {
        const CONCURRENT: [&str; 5] = [
            "component_model_async",
            "component_model_more_async_builtins",
            "component_model_async_stackful",
            "component_model_threading",
            "component_model_error_context",
        ];
        CONCURRENT.iter().any(|name| self.proposals.contains(&(name, true)))
    }

    /// An engine's configuration that has it, and is otherwise the usual one.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        if machine::limits_files() {
            config.memory_init_cow(false);
        }
        self.apply(&mut config);
        config
    }

    /// Makes the configuration one that has it.
    pub fn apply(&self, config: &mut Config) {
        config.shared_memory(true);
        for (name, on) in &self.proposals {
            let proposal = PROPOSALS.iter().find(|(proposal, _)| proposal == name);
            proposal.expect("only those that there are").1(config, *on);
        }
    }
}

/// WebAssembly 3.0 with the proposals that are always on here, or what the directory of a proposal says. A feature that
/// Lightbeam lacks is on as well, so that the refusal is Lightbeam's.
fn of_directory(within: impl Fn(&str) -> bool) -> Vec<(&'static str, bool)> {
    const ON: [&str; 13] = [
        "gc",
        "function_references",
        "exceptions",
        "tail_call",
        "simd",
        "relaxed_simd",
        "extended_const",
        "multi_memory",
        "memory64",
        "threads",
        "wide_arithmetic",
        "custom_page_sizes",
        "component_model",
    ];
    if within("proposals") && within("threads") {
        // That proposal's scripts extend the specification of before reference types.
        const OFF: [&str; 6] =
            ["gc", "function_references", "exceptions", "multi_memory", "memory64", "reference_types"];
        return OFF.iter().map(|name| (*name, false)).chain([("threads", true)]).collect();
    }
    // Wasmtime has it for one machine only.
    let stacks = ("stack_switching", within("stack-switching"));
    ON.iter().map(|name| (*name, true)).chain([stacks]).collect()
}

/// Most memories and tables of one module, and memories of all modules, in scripts.
const MEMORIES_PER_MODULE: u32 = 10;
const TABLES_PER_MODULE: u32 = 10;
const MEMORIES: u32 = 1000;

/// Pools from which all that scripts make can be taken, but for memories of gigabytes.
#[must_use]
pub fn pools() -> PoolingAllocationConfig {
    let mut pools = PoolingAllocationConfig::default();
    pools
        .total_memories(MEMORIES)
        .max_memories_per_module(MEMORIES_PER_MODULE)
        .max_tables_per_module(TABLES_PER_MODULE);
    pools
}

/// If the options ask for pools, gives them what scripts need and the options do not say.
pub(super) fn fill_pools(common: &mut CommonOptions) {
    common.opts.pooling_total_memories.get_or_insert(MEMORIES);
    common.opts.pooling_max_memories_per_module.get_or_insert(MEMORIES_PER_MODULE);
    common.opts.pooling_max_tables_per_module.get_or_insert(TABLES_PER_MODULE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{Engine, WasmFeatures};

    fn features(path: &str, text: &str) -> WasmFeatures {
        let config = Needs::of(Path::new(path), text).unwrap().config();
        Engine::new(&config).unwrap().get_wasm_features()
    }

    #[test]
    fn what_the_first_lines_name_is_on_and_all_else_is_off() {
        let text =
            ";;! gc = true\n;;! component_model_async = true\n;;! hogs_memory = true\n\n;;! simd = true\n(module)";
        let needs = Needs::of(Path::new("x.wast"), text).unwrap();
        assert!(
            needs.of_wasmtime && needs.hogs_memory && needs.collects() && needs.concurrent() && !needs.canonical_nans
        );
        let features = features("x.wast", text);
        for on in ["GC", "FUNCTION_REFERENCES", "REFERENCE_TYPES", "BULK_MEMORY", "COMPONENT_MODEL", "CM_ASYNC"] {
            assert!(features.contains(WasmFeatures::from_name(on).unwrap()), "{on}");
        }
        for off in ["SIMD", "THREADS", "MULTI_MEMORY", "EXCEPTIONS", "CM_THREADING", "CM_MAP", "CM_GC"] {
            assert!(!features.contains(WasmFeatures::from_name(off).unwrap()), "{off}");
        }
    }

    #[test]
    fn off_can_be_named() {
        let features = features("x.wast", ";;! reference_types = true\n;;! bulk_memory = false\n");
        assert!(!features.contains(WasmFeatures::BULK_MEMORY));
    }

    #[test]
    fn without_such_lines_it_is_the_directory_that_says() {
        assert!(features("spec/x.wast", "").contains(WasmFeatures::GC | WasmFeatures::SIMD | WasmFeatures::THREADS));
        assert!(!features("spec/x.wast", "").contains(WasmFeatures::STACK_SWITCHING));
        assert!(features("spec/stack-switching/x.wast", "").contains(WasmFeatures::STACK_SWITCHING));
        assert!(!features("proposals/threads/x.wast", "").contains(WasmFeatures::GC));
        let of_wasmtime = features("wasmtime-scripts/x.wast", "");
        assert!(!of_wasmtime.intersects(WasmFeatures::GC | WasmFeatures::SIMD | WasmFeatures::THREADS));
        assert!(of_wasmtime.contains(WasmFeatures::COMPONENT_MODEL));
    }

    #[test]
    fn what_nobody_knows_is_an_error() {
        let error = |text| format!("{:#}", Needs::of(Path::new("x.wast"), text).unwrap_err());
        assert!(error(";;! gd = true\n").contains("nothing is known of `gd`"));
        assert!(error(";;! gc = 1\n").contains("must be `true` or `false`"));
        assert!(error(";;! gc\n").contains("settings at the top"));
    }

    #[test]
    fn every_proposal_can_be_switched() {
        for (name, switch) in PROPOSALS {
            switch(&mut Config::new(), true);
            assert!(PROPOSALS.iter().filter(|(other, _)| *other == name).count() == 1, "{name}");
        }
        for (one, other) in IMPLIED {
            assert!(PROPOSALS.iter().any(|(name, _)| *name == one) && PROPOSALS.iter().any(|(name, _)| *name == other));
        }
    }
}
