//! What an engine asks of code: its settings read back, and those that Lightbeam's code cannot satisfy refused by name.
//! Some cannot be read back; `output/probe.rs` finds out about those.

use crate::error::Error;
use crate::kept::Kept;
use crate::target::{Machine, TRIPLE};
use lightbeam_compiler::facts::{self, AddressMap, CpuFeatures};
use lightbeam_compiler::isa::Isa;
use std::num::NonZero;
use target_lexicon::Triple;
use wasmtime::Engine;
use wasmtime_environ::wasmparser::WasmFeatures;
use wasmtime_environ::{Collector, FlagValue, Tunables};

/// How Wasmtime's names of processor features begin; the rest is a name of [`CpuFeatures`].
pub(crate) const FEATURE: &str = "has_";

/// Everything besides the module that code and artifact depend on.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The engine's own settings, which the artifact repeats.
    pub(crate) tunables: Tunables,
    /// The engine's collector. Artifacts name it if they depend on it.
    pub(crate) collector: Option<Collector>,
    /// What a module may use to be valid.
    pub(crate) features: WasmFeatures,
    /// The greatest size of a sparse memory image.
    pub(crate) dense_image_size: u64,
    /// Processor features that the code may use.
    pub(crate) cpu: CpuFeatures,
    /// Which code offsets the address map records.
    pub(crate) address_map: AddressMap,
    /// Must every NaN that an operator computes be the canonical one?
    pub(crate) nan_canonicalization: bool,
    /// Must accesses that are checked be harmless also where the processor has guessed that a check passes?
    pub(crate) spectre: bool,
    /// Time both sweeps over function bodies apart?
    pub(crate) time_sweeps: bool,
    /// Count for each function?
    pub(crate) count_functions: bool,
    /// Most threads that compile one module.
    pub(crate) threads: usize,
    /// May large modules be loaded from files in memory?
    pub(crate) memory_files: bool,
    /// Bytes of function bodies that a thread takes at once, if it is not the usual number.
    pub(crate) batch: Option<usize>,
    /// For tests: code leaves garbage wherever nothing may be read.
    pub(crate) poison: bool,
    /// Prove what was compiled?
    pub(crate) verify: bool,
    /// The import of a component that is Wasmtime's unsafe intrinsics, if any is.
    pub(crate) unsafe_intrinsics: Option<String>,
    /// What was made of them for modules before.
    pub(crate) kept: Kept,
}

impl Settings {
    /// The settings of an engine as far as they can be read back, if Lightbeam can serve it.
    pub(crate) fn of_engine(engine: &Engine) -> Result<Settings, Error> {
        refuse(engine)?;
        Ok(Settings {
            tunables: tunables(engine),
            collector: collector(engine),
            features: engine.get_wasm_features(),
            dense_image_size: engine.get_memory_guaranteed_dense_image_size(),
            cpu: Machine::host_features(),
            address_map: if engine.get_generate_address_map() { AddressMap::Traps } else { AddressMap::None },
            nan_canonicalization: engine.get_cranelift_nan_canonicalization() == Some(true),
            spectre: true,
            time_sweeps: false,
            count_functions: false,
            threads: if engine.get_parallel_compilation() {
                std::thread::available_parallelism().map_or(1, NonZero::get)
            } else {
                1
            },
            memory_files: true,
            batch: None,
            poison: false,
            // In builds with debug assertions all that is compiled is proved, unless somebody says otherwise.
            verify: cfg!(debug_assertions),
            unsafe_intrinsics: None,
            kept: Kept::default(),
        })
    }

    /// The settings, to be changed.
    pub(crate) fn change(&mut self) -> &mut Settings {
        self.kept = Kept::default();
        self
    }

    /// What of the settings the code itself depends on.
    pub(crate) fn of_code(&self) -> facts::Settings {
        facts::Settings {
            fuel: self.tunables.consume_fuel,
            epochs: self.tunables.epoch_interruption,
            hardware_traps: self.tunables.signals_based_traps,
            address_map: self.address_map,
            deterministic: self.tunables.relaxed_simd_deterministic,
            nan_canonicalization: self.nan_canonicalization,
            spectre: self.spectre,
            cpu: self.cpu,
            fuses: Machine::fuses(&self.cpu),
            check: cfg!(debug_assertions),
            poison: self.poison,
        }
    }

    /// Processor features that the machine must have to run the code, under the names that Wasmtime checks.
    pub(crate) fn isa_flags(&self) -> Vec<(String, FlagValue<'static>)> {
        let mut cpu = self.cpu;
        let used = cpu.by_name().filter(|(_, used)| **used).map(|(name, _)| name);
        let names = Machine::FLOOR.iter().copied().chain(used);
        names.map(|name| (format!("{FEATURE}{name}"), FlagValue::Bool(true))).collect()
    }
}

/// Refuses engines that ask for code which Lightbeam does not make.
fn refuse(engine: &Engine) -> Result<(), Error> {
    let machine: Triple = TRIPLE.parse().expect("a machine that has a name");
    let other_target = engine.get_target().is_some_and(|target| {
        target
            .parse::<Triple>()
            .map_or(true, |t| t.architecture != machine.architecture || t.operating_system != machine.operating_system)
    });
    let refused = [
        (engine.is_pulley(), "runs Pulley bytecode (`Config::target`)"),
        (other_target, "compiles for another machine (`Config::target`)"),
        (engine.get_guest_debug(), "debugs guests (`Config::guest_debug`)"),
        (engine.get_debug_info(), "wants native debug information (`Config::debug_info`)"),
        (
            engine.get_strategy() == Some(wasmtime::Strategy::Winch),
            "uses Winch's calling convention (`Config::strategy`)",
        ),
    ];
    match refused.iter().find(|(asked, _)| *asked) {
        None => Ok(()),
        Some((_, what)) => Err(Error::settings(format!("Lightbeam cannot compile for an engine that {what}"))),
    }
}

/// The engine's collector, under the name that artifacts have for it.
fn collector(engine: &Engine) -> Option<Collector> {
    if !engine.get_wasm_features().gc_types() {
        return None;
    }
    Some(match engine.get_collector()? {
        wasmtime::Collector::DeferredReferenceCounting => Collector::DeferredReferenceCounting,
        wasmtime::Collector::Null => Collector::Null,
        // What is chosen where nothing else is asked for.
        _ => Collector::Copying,
    })
}

/// The engine's settings as far as they can be read back; the others are as an engine has them by default.
fn tunables(engine: &Engine) -> Tunables {
    Tunables {
        // What does not touch the heap of a collector goes with any.
        collector: None,
        memory_reservation: engine.get_memory_reservation(),
        memory_guard_size: engine.get_memory_guard_size(),
        memory_reservation_for_growth: engine.get_memory_reservation_for_growth(),
        memory_may_move: engine.get_memory_may_move(),
        guard_before_linear_memory: engine.get_guard_before_linear_memory(),
        memory_init_cow: engine.get_memory_init_cow(),
        gc_heap_reservation: engine.get_gc_heap_reservation(),
        gc_heap_guard_size: engine.get_gc_heap_guard_size(),
        gc_heap_reservation_for_growth: engine.get_gc_heap_reservation_for_growth(),
        gc_heap_initial_size: engine.get_gc_heap_initial_size(),
        gc_heap_may_move: engine.get_gc_heap_may_move(),
        table_lazy_init: engine.get_table_lazy_init(),
        signals_based_traps: engine.get_signals_based_traps(),
        consume_fuel: engine.get_consume_fuel(),
        epoch_interruption: engine.get_epoch_interruption(),
        concurrency_support: engine.get_concurrency_support(),
        relaxed_simd_deterministic: engine.get_relaxed_simd_deterministic(),
        generate_address_map: engine.get_generate_address_map(),
        debug_symbols: engine.get_debug_symbols(),
        inlining: engine.get_compiler_inlining(),
        branch_hinting: engine.get_wasm_branch_hinting(),
        parse_wasm_debuginfo: false,
        ..Tunables::default_host()
    }
}
