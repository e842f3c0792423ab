//! What an engine asks of code: its settings read back, and those that Lightbeam's code cannot satisfy refused by name.
//! Some cannot be read back; `probe.rs` finds out about those.

use lightbeam_environ::Error;
use lightbeam_environ::settings::Settings;
use lightbeam_environ::target::TRIPLE;
use target_lexicon::Triple;
use wasmtime::Engine;
use wasmtime_environ::{Collector, Tunables};

/// The settings of an engine as far as they can be read back, if Lightbeam can serve it.
pub(crate) fn of_engine(engine: &Engine) -> Result<Settings, Error> {
    refuse(engine)?;
    let dense_image_size = engine.get_memory_guaranteed_dense_image_size();
    let mut settings = Settings::new(tunables(engine), collector(engine), engine.get_wasm_features(), dense_image_size);
    settings.nan_canonicalization = engine.get_cranelift_nan_canonicalization() == Some(true);
    if !engine.get_parallel_compilation() {
        settings.threads = 1;
    }
    Ok(settings)
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
