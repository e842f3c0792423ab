//! What an engine asks of code: its settings read back, and those that Lightbeam's code cannot satisfy refused by name.
//! Some cannot be read back; `probe.rs` finds out about those.

use crate::told::Told;
use lightbeam_compiler::isa::Isa;
use lightbeam_environ::Error;
use lightbeam_environ::settings::{FEATURE, Settings};
use lightbeam_environ::target::{Machine, TRIPLE};
use target_lexicon::Triple;
use wasmtime::Engine;
use wasmtime_environ::{Collector, OperatorCostStrategy, Tunables};

/// The settings of an engine as far as they can be read back, if Lightbeam can serve it.
pub(crate) fn of_engine(engine: &Engine) -> Result<Settings, Error> {
    let told = Told::of(engine.config());
    refuse(engine, &told)?;
    let dense_image_size = engine.get_memory_guaranteed_dense_image_size();
    let mut settings =
        Settings::new(tunables(engine, &told), collector(engine), engine.get_wasm_features(), dense_image_size);
    settings.nan_canonicalization = engine.get_cranelift_nan_canonicalization() == Some(true);
    if !engine.get_parallel_compilation() {
        settings.threads = 1;
    }
    // As Wasmtime has it by default, and as an engine tells that has a compiler of Wasmtime's own.
    settings.unwind = engine.get_native_unwind_info().unwrap_or(true);
    obey_flags(engine, &mut settings)?;
    Ok(settings)
}

/// Flags of Cranelift's that say how it goes about its work, and nothing of what code does. There is nothing here that
/// they could be about.
const WAYS_OF_CRANELIFT: [&str; 13] = [
    "bb_padding_log2_minus_one",
    "enable_alias_analysis",
    "enable_incremental_compilation_cache_checks",
    "enable_probestack",
    "enable_verifier",
    "log2_min_function_alignment",
    "machine_code_cfg_info",
    "opt_level",
    "preserve_frame_pointers",
    "probestack_size_log2",
    "regalloc_algorithm",
    "regalloc_checker",
    "wasmtime_debug_checks",
];

/// Flags that are obeyed.
const NAN_CANONICALIZATION: &str = "enable_nan_canonicalization";
const UNWIND_INFO: &str = "unwind_info";
const SPECTRE: [&str; 2] = ["enable_heap_access_spectre_mitigation", "enable_table_access_spectre_mitigation"];

/// What was set of Cranelift's by its own names, one by one: `cranelift_flag_enable` and `cranelift_flag_set`.
fn flags(engine: &Engine) -> impl Iterator<Item = (&str, &str)> {
    engine.get_cranelift_flags_enabled().map(|name| (name, "true")).chain(engine.get_cranelift_flags_set())
}

/// Obeys the flags of Cranelift's that say what code does.
fn obey_flags(engine: &Engine, settings: &mut Settings) -> Result<(), Error> {
    let mut spectre: Option<bool> = None;
    for (name, value) in flags(engine) {
        let on = match value {
            "true" | "on" | "yes" | "1" => Some(true),
            "false" | "off" | "no" | "0" => Some(false),
            _ => None,
        };
        let refuse = |why: &str| {
            let what = format!("sets `{name}` of Cranelift to `{value}` (`Config::cranelift_flag_set`), {why}");
            Err(Error::settings(format!("Lightbeam cannot compile for an engine that {what}")))
        };
        let feature = name.strip_prefix(FEATURE);
        match on {
            Some(on) if name == NAN_CANONICALIZATION => settings.nan_canonicalization = on,
            Some(on) if name == UNWIND_INFO => settings.unwind = on,
            Some(on) if SPECTRE.contains(&name) => {
                if spectre.is_some_and(|other| other != on) {
                    return refuse("and the other mitigation to something else");
                }
                spectre = Some(on);
                settings.spectre = on;
            }
            Some(on) if let Some((_, used)) = settings.cpu.by_name().find(|(name, _)| Some(*name) == feature) => {
                *used = on;
            }
            Some(true) if feature.is_some_and(|feature| Machine::FLOOR.contains(&feature)) => {}
            Some(false) if feature.is_some_and(|feature| Machine::FLOOR.contains(&feature)) => {
                return refuse("a feature that all code needs");
            }
            // Features that code never uses.
            Some(_) if feature.is_some() => {}
            _ if WAYS_OF_CRANELIFT.contains(&name) => {}
            _ => return refuse("which says nothing of code that is not Cranelift's"),
        }
    }
    Ok(())
}

/// Refuses engines that ask for code which Lightbeam does not make.
fn refuse(engine: &Engine, told: &Told) -> Result<(), Error> {
    let machine: Triple = TRIPLE.parse().expect("a machine that has a name");
    let other_target = engine.get_target().is_some_and(|target| {
        target
            .parse::<Triple>()
            .map_or(true, |t| t.architecture != machine.architecture || t.operating_system != machine.operating_system)
    });
    let compiler = told.compiler();
    let made = |name: &str| {
        let shown = compiler.as_ref().and_then(|compiler| compiler.get(name));
        shown.is_some_and(|shown| !matches!(shown, "None" | "false"))
    };
    let refused = [
        (engine.is_pulley(), "runs Pulley bytecode (`Config::target`)"),
        (other_target, "compiles for another machine (`Config::target`)"),
        (
            engine.get_guest_debug(),
            "debugs guests (`Config::guest_debug`): that takes code with each local and operand in memory at every operator, \
             and calls in it that are switched on while it runs",
        ),
        (
            engine.get_strategy() == Some(wasmtime::Strategy::Winch),
            "uses Winch's calling convention (`Config::strategy`)",
        ),
        (
            engine.get_compiler_inlining() != wasmtime::Inlining::No,
            "inlines calls (`Config::compiler_inlining`), which one pass over each body cannot do",
        ),
        (engine.is_recording(), "records what guests do (`Config::rr`)"),
        (engine.is_replaying(), "replays what guests did (`Config::rr`)"),
        (made("clif_dir"), "wants Cranelift's intermediate representation written down (`Config::emit_clif`)"),
        (
            made("cache_store"),
            "keeps Cranelift's code of single functions (`Config::enable_incremental_compilation`); a whole module takes \
             less time here than looking them up",
        ),
        (made("wmemcheck"), "checks what guests do with their memory (`Config::wmemcheck`)"),
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
fn tunables(engine: &Engine, told: &Told) -> Tunables {
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
        debug_native: engine.get_debug_info(),
        inlining: engine.get_compiler_inlining(),
        branch_hinting: engine.get_wasm_branch_hinting(),
        parse_wasm_debuginfo: false,
        // A debugging aid of adapters, which artifacts may have or not.
        debug_adapter_modules: told.get("debug_adapter_modules") == Some("true"),
        operator_cost: told.operator_cost().map_or(OperatorCostStrategy::Default, OperatorCostStrategy::table),
        ..Tunables::default_host()
    }
}
