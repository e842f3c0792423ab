//! The rows: what each setting does, one by one, in the order of the documentation of `Config`.

use super::Check::{HostRefuses, Nothing, Refused, Works};
use super::host::{Asked, Host, Kept};
use super::{
    MODULE, asynchronous, call, changes_code, compiler, config, depth, host_features, instance_of, mapping_of,
    of_components, proposal, refusal, runs, section, serves, symbols, text, told_apart,
};
use crate::effects::Check;
use lightbeam::{Compiler, CpuFeatures, Error, ErrorKind};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use wasmparser::WasmFeatures;
use wasmtime::{
    Cache, CacheConfig, Collector, Config, Enabled, Engine, Inlining, Instance, InstanceAllocationStrategy, Module,
    ModuleVersionStrategy, OperatorCost, OptLevel, PoolingAllocationConfig, ProfilingStrategy, RRConfig,
    RegallocAlgorithm, Store, Strategy, Trap, WasmBacktrace, WasmBacktraceDetails, WasmCoreDump,
};

/// A file of this repository.
fn repository(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", file].iter().collect()
}

/// What is asked of a host that has memories, stacks and code of its own for a run of a module.
fn asked(change: impl FnOnce(&mut Config, &Arc<Host>)) -> Vec<Asked> {
    let host = Arc::new(Host::default());
    let compiler = serves(|c| change(c, &host));
    runs(&compiler);
    host.asked()
}

/// Where the memory of an instance is, which has been filled from the beginning.
fn memory_at(compiler: &Compiler, bytes: &[u8]) -> (Store<()>, usize) {
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    let module = unsafe { Module::deserialize(compiler.engine(), bytes) }.unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    assert_eq!(memory.data(&store)[0], 1);
    let at = memory.data_ptr(&store) as usize;
    (store, at)
}

#[rustfmt::skip]
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("new", Works(|| drop(serves(|_| {})))),
    ("enable_compiler", Works(|| {
        assert!(text(&serves(|c| _ = c.enable_compiler(false))) == text(&serves(|c| _ = c.enable_compiler(true))));
    })),
    ("target", Works(|| {
        serves(|c| _ = c.target("x86_64-unknown-linux-gnu").unwrap());
        for target in ["aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "pulley64"] {
            let error = refusal(|c| _ = c.enable_compiler(false).target(target).unwrap());
            assert!(error.message().contains("`Config::target`"), "{target}: {error}");
        }
    })),
    ("enable_incremental_compilation", Refused(&[|c| _ = c.enable_incremental_compilation(Arc::new(Kept)).unwrap()])),
    ("async_support", Nothing(&[|c| { #[expect(deprecated)] c.async_support(true); }])),
    ("debug_info", Works(|| {
        let artifact = serves(|c| _ = c.debug_info(true)).precompile(MODULE).unwrap();
        let has = |artifact: &[u8]| artifact.windows(11).any(|bytes| bytes == b".debug_line");
        assert!(has(&artifact) && !has(&serves(|_| {}).precompile(MODULE).unwrap()));
    })),
    ("debug_symbols", Works(|| {
        assert!(symbols(|_| {}) > 12 && symbols(|c| _ = c.debug_symbols(false)) == 0);
    })),
    ("guest_debug", Refused(&[|c| _ = c.guest_debug(true)])),
    ("wasm_backtrace", Works(|| {
        let frames = |on| {
            #[expect(deprecated)]
            let compiler = serves(|c| _ = c.wasm_backtrace(on));
            call(&compiler, "load", -1).unwrap_err().downcast_ref::<WasmBacktrace>().is_some()
        };
        assert!(frames(true) && !frames(false));
    })),
    ("wasm_backtrace_details", Works(|| {
        // Of a module that has DWARF of its own, lines are known.
        let guest = std::fs::read(repository("tests/debug/guest.wasm")).unwrap();
        let has = |details| {
            let compiler = compiler(|c| _ = c.wasm_backtrace_details(details));
            section(&compiler.precompile(&guest).unwrap(), ".wasmtime.dwarf").is_some()
        };
        assert!(has(WasmBacktraceDetails::Enable) && !has(WasmBacktraceDetails::Disable));
        told_apart(|c| _ = c.wasm_backtrace_details(WasmBacktraceDetails::Enable));
    })),
    ("wasm_backtrace_max_frames", Works(|| {
        for most in [1, 5] {
            let compiler = serves(|c| _ = c.wasm_backtrace_max_frames(NonZero::new(most)).max_wasm_stack(1 << 14));
            let error = call(&compiler, "deep", 1 << 20).unwrap_err();
            assert_eq!(error.downcast_ref::<WasmBacktrace>().unwrap().frames().len(), most);
        }
    })),
    ("native_unwind_info", Works(|| {
        let says = |on| section(&serves(|c| _ = c.native_unwind_info(on)).precompile(MODULE).unwrap(), ".eh_frame");
        assert!(says(true).is_some() && says(false).is_none());
    })),
    ("consume_fuel", Works(|| {
        let compiler = serves(|c| _ = c.consume_fuel(true));
        let (mut store, instance) = instance_of(&compiler, MODULE);
        let forever = instance.get_typed_func::<(), ()>(&mut store, "loop").unwrap();
        assert_eq!(forever.call(&mut store, ()).unwrap_err().downcast::<Trap>().unwrap(), Trap::OutOfFuel);
    })),
    ("operator_cost", Works(|| {
        for cost in [0, 1, 255] {
            let compiler = serves(|c| {
                let mut costs = OperatorCost::new();
                costs.I32Add = cost;
                c.consume_fuel(true).operator_cost(costs);
            });
            let (mut store, instance) = instance_of(&compiler, MODULE);
            let before = store.get_fuel().unwrap();
            instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap();
            // The function, two constants and the load cost 1 each.
            assert_eq!(before - store.get_fuel().unwrap(), 4 + u64::from(cost));
        }
        // Without fuel a table says nothing of code.
        assert!(text(&serves(|c| _ = c.operator_cost(OperatorCost::new()))) == text(&serves(|_| {})));
    })),
    ("epoch_interruption", Works(|| {
        let compiler = serves(|c| _ = c.epoch_interruption(true));
        let (mut store, instance) = instance_of(&compiler, MODULE);
        compiler.engine().increment_epoch();
        let forever = instance.get_typed_func::<(), ()>(&mut store, "loop").unwrap();
        assert_eq!(forever.call(&mut store, ()).unwrap_err().downcast::<Trap>().unwrap(), Trap::Interrupt);
    })),
    ("gc_zeal_alloc_counter", HostRefuses(|c| _ = c.gc_zeal_alloc_counter(NonZero::new(1)).unwrap())),
    ("max_wasm_stack", Works(|| {
        let (small, large) = (depth(1 << 15), depth(1 << 17));
        assert!(small > 100 && large > 3 * small, "{small} and {large}");
    })),
    ("async_stack_size", Works(|| {
        let host = Arc::new(Host::default());
        asynchronous(&serves(|c| _ = c.with_host_stack(host.clone()).async_stack_size(3 << 20)));
        assert_eq!(host.asked(), [Asked::Stack { bytes: 3 << 20, zeroed: false }]);
        asynchronous(&serves(|c| _ = c.async_stack_size(3 << 20)));
    })),
    ("async_stack_zeroing", Works(|| {
        let host = Arc::new(Host::default());
        asynchronous(&serves(|c| _ = c.with_host_stack(host.clone()).async_stack_zeroing(true)));
        assert!(matches!(host.asked()[..], [Asked::Stack { zeroed: true, .. }]));
        asynchronous(&serves(|c| _ = c.async_stack_zeroing(true)));
    })),
    ("wasm_features", Works(|| proposal("(module (memory 1) (memory 1))",
        |c, on| _ = c.wasm_features(WasmFeatures::MULTI_MEMORY, on)))),
    ("wasm_tail_call", Works(|| proposal("(module (func return_call 0))", |c, on| _ = c.wasm_tail_call(on)))),
    ("wasm_branch_hinting", Nothing(&[|c| _ = c.wasm_branch_hinting(true)])),
    ("wasm_custom_page_sizes", Works(|| proposal("(module (memory 1 (pagesize 1)))",
        |c, on| _ = c.wasm_custom_page_sizes(on)))),
    ("wasm_threads", Works(|| proposal("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
        |c, on| _ = c.wasm_threads(on)))),
    ("wasm_shared_everything_threads", Works(|| {
        let wat = "(module (type (shared (struct (field i32)))))";
        let kind = |on| {
            let compiler = compiler(|c| _ = c.wasm_shared_everything_threads(on));
            compiler.module(wat).unwrap_err().downcast::<Error>().unwrap().kind()
        };
        assert_eq!((kind(true), kind(false)), (ErrorKind::Unsupported, ErrorKind::Invalid));
    })),
    ("wasm_reference_types", Works(|| proposal("(module (table 1 externref))", |c, on| {
        if !on {
            c.wasm_function_references(false).wasm_gc(false).wasm_exceptions(false);
        }
        c.wasm_reference_types(on);
    }))),
    ("wasm_function_references", Works(|| proposal("(module (type $t (func)) (func (param (ref $t))))", |c, on| {
        if !on {
            c.wasm_gc(false).wasm_exceptions(false);
        }
        c.wasm_function_references(on);
    }))),
    ("wasm_wide_arithmetic", Works(|| proposal(
        "(module (func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0))))",
        |c, on| _ = c.wasm_wide_arithmetic(on)))),
    ("wasm_gc", Works(|| proposal("(module (type (struct)))", |c, on| _ = c.wasm_gc(on)))),
    ("wasm_simd", Works(|| proposal("(module (func (result v128) (v128.const i32x4 0 0 0 0)))",
        |c, on| _ = c.wasm_simd(on).wasm_relaxed_simd(on)))),
    ("wasm_relaxed_simd", Works(|| proposal(
        "(module (func (param v128) (result v128) (f32x4.relaxed_max (local.get 0) (local.get 0))))",
        |c, on| _ = c.wasm_relaxed_simd(on)))),
    ("relaxed_simd_deterministic", Works(|| {
        // Where an index is no lane, the machine takes its lower bits, and the specification says 0.
        let lane = |on| call(&serves(|c| _ = c.relaxed_simd_deterministic(on)), "swizzle", 17).unwrap();
        assert_eq!((lane(true), lane(false)), (0, 8));
    })),
    ("wasm_bulk_memory", Works(|| proposal(
        "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
        |c, on| { if !on { c.wasm_features(WasmFeatures::REFERENCE_TYPES, false).wasm_features(WasmFeatures::GC, false)
            .wasm_features(WasmFeatures::FUNCTION_REFERENCES, false).wasm_exceptions(false); }
            c.wasm_bulk_memory(on); }))),
    ("wasm_multi_value", Works(|| proposal("(module (func (result i32 i32) i32.const 0 i32.const 0))",
        |c, on| _ = c.wasm_multi_value(on)))),
    ("wasm_multi_memory", Works(|| proposal("(module (memory 1) (memory 1))", |c, on| _ = c.wasm_multi_memory(on)))),
    ("wasm_memory64", Works(|| proposal("(module (memory i64 1))", |c, on| _ = c.wasm_memory64(on)))),
    ("wasm_extended_const", Works(|| proposal("(module (global i32 (i32.add (i32.const 0) (i32.const 0))))",
        |c, on| _ = c.wasm_extended_const(on)))),
    ("wasm_stack_switching", Works(|| proposal("(module (type $f (func)) (type (cont $f)))",
        |c, on| _ = c.wasm_stack_switching(on)))),
    ("wasm_component_model", Works(|| of_components("(component)", "component", |c, on| {
        if !on {
            c.wasm_component_model_async(false).concurrency_support(false);
        }
        c.wasm_component_model(on);
    }))),
    ("wasm_component_model_async", Works(|| of_components("(component (type (func async)))", "component model async",
        |c, on| _ = c.wasm_component_model_async(on)))),
    ("wasm_component_model_more_async_builtins", Works(|| of_components(
        "(component (core func (canon subtask.cancel async)))", "more async builtins",
        |c, on| _ = c.wasm_component_model_more_async_builtins(on)))),
    ("wasm_component_model_async_stackful", Works(|| of_components(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
            (func async (canon lift (core func $i \"f\") async)))", "async stackful",
        |c, on| _ = c.wasm_component_model_async_stackful(on)))),
    ("wasm_component_model_threading", Works(|| of_components("(component (core func (canon thread.index)))", "threading",
        |c, on| _ = c.wasm_component_model_threading(on)))),
    ("wasm_component_model_error_context", Works(|| of_components(
        "(component (type (func (param \"e\" error-context))))", "error-context",
        |c, on| _ = c.wasm_component_model_error_context(on)))),
    ("wasm_component_model_gc", Works(|| {
        let wat = |parameter| format!("(component (core type $t (func {parameter})) (import \"f\" (func $f {}))
            (core func (canon lower (func $f) gc (core-type $t))))", if parameter == "" { "" } else { "(param \"s\" string)" });
        let gc: fn(&mut Config, bool) = |c, on| _ = c.wasm_component_model_gc(on);
        of_components(&wat(""), "gc", gc);
        // Where values would be objects, Wasmtime's translation says that it has no way to make them.
        let error = compiler(|c| gc(c, true)).component(wat("(param (ref (array i8)))")).unwrap_err();
        println!("{error:?}");
    })),
    ("wasm_component_model_map", Works(|| of_components("(component (type (map string u32)))", "map",
        |c, on| _ = c.wasm_component_model_map(on)))),
    ("wasm_component_model_memory64", Works(|| of_components(
        "(component (import \"f\" (func $f (param \"s\" string))) (core module $m (memory (export \"m\") i64 1))
            (core instance $i (instantiate $m)) (core func (canon lower (func $f) (memory $i \"m\"))))", "64",
        |c, on| _ = c.wasm_component_model_memory64(on)))),
    ("wasm_component_model_fixed_length_lists", Works(|| of_components("(component (type (list u8 4)))", "fixed",
        |c, on| _ = c.wasm_component_model_fixed_length_lists(on)))),
    ("wasm_component_model_implements", Works(|| of_components(
        "(component (import \"x\" (implements \"a:b/c\") (instance)))", "implements",
        |c, on| _ = c.wasm_component_model_implements(on)))),
    ("wasm_exceptions", Works(|| proposal("(module (tag))", |c, on| _ = c.wasm_exceptions(on)))),
    ("wasm_legacy_exceptions", HostRefuses(|c| { #[expect(deprecated)] c.wasm_legacy_exceptions(true); })),
    ("strategy", Works(|| {
        runs(&serves(|c| _ = c.strategy(Strategy::Cranelift)));
        runs(&serves(|c| _ = c.strategy(Strategy::Auto)));
        // Winch is not in this build, which Wasmtime says itself. `tests/settings.rs` of `lightbeam` has it refused.
        let error = Engine::new(&config(|c| _ = c.strategy(Strategy::Winch))).map(drop).unwrap_err();
        assert!(error.to_string().contains("winch"), "{error:#}");
    })),
    ("collector", Works(|| {
        let wat = "(module (type $s (struct (field i32))) (func (export \"f\") (result i32)
            (struct.get $s 0 (struct.new $s (i32.const 7)))))";
        for collector in [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null] {
            let compiler = compiler(|c| _ = c.collector(collector));
            let (mut store, instance) = instance_of(&compiler, wat);
            let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
            assert_eq!(f.call(&mut store, ()).unwrap(), 7);
        }
    })),
    ("gc_heap_initial_size", Works(|| {
        told_apart(|c| _ = c.gc_heap_initial_size(1 << 20));
        // An array of more bytes than may ever be added goes into what there is from the beginning, and into no less.
        let fits = |bytes| {
            let compiler = serves(|c| _ = c.gc_heap_initial_size(bytes).gc_heap_may_move(false).gc_heap_reservation(bytes));
            call(&compiler, "list", 3 << 20).is_ok()
        };
        assert!(fits(16 << 20) && !fits(1 << 20));
    })),
    ("profiler", Works(|| {
        let named = |text: &[u8]| {
            let has = |name: &str| text.windows(name.len()).any(|at| at == name.as_bytes());
            has("deep") && has("wasm[0]::function[6]") && has("array_to_wasm_trampoline[0]")
        };
        let id = std::process::id();
        let _alive = serves(|c| _ = c.profiler(ProfilingStrategy::PerfMap));
        assert!(named(&std::fs::read(format!("/tmp/perf-{id}.map")).unwrap()));
        drop(serves(|c| _ = c.profiler(ProfilingStrategy::JitDump)));
        let dump = format!("jit-{id}.dump");
        assert!(named(&std::fs::read(&dump).unwrap()));
        std::fs::remove_file(dump).unwrap();
        runs(&serves(|c| _ = c.profiler(ProfilingStrategy::VTune)));
    })),
    ("cranelift_debug_verifier", Nothing(&[|c| _ = c.cranelift_debug_verifier(true)])),
    ("cranelift_wasmtime_debug_checks", Nothing(&[|c| _ = c.cranelift_wasmtime_debug_checks(true)])),
    ("cranelift_opt_level", Nothing(&[
        |c| _ = c.cranelift_opt_level(OptLevel::None),
        |c| _ = c.cranelift_opt_level(OptLevel::Speed),
        |c| _ = c.cranelift_opt_level(OptLevel::SpeedAndSize),
    ])),
    ("cranelift_regalloc_algorithm", Nothing(&[
        |c| _ = c.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass),
        |c| _ = c.cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking),
    ])),
    ("cranelift_nan_canonicalization", Works(|| {
        let given = |on| {
            let compiler = serves(|c| _ = c.cranelift_nan_canonicalization(on));
            let (mut store, instance) = instance_of(&compiler, MODULE);
            let nan = instance.get_typed_func::<f32, i32>(&mut store, "nan").unwrap();
            nan.call(&mut store, f32::from_bits(0xffc1_2345)).unwrap().cast_unsigned()
        };
        assert_eq!((given(true), given(false)), (0x7fc0_0000, 0xffc1_2345));
    })),
    ("cranelift_flag_enable", Works(|| {
        // SAFETY: every processor here has it, and Cranelift takes NaNs either way.
        let compiler = serves(|c| unsafe { _ = c.cranelift_flag_enable("enable_nan_canonicalization") });
        assert!(text(&compiler) == text(&serves(|c| _ = c.cranelift_nan_canonicalization(true))));
    })),
    ("cranelift_flag_set", Works(|| {
        // SAFETY: it takes a feature away.
        let without = serves(|c| unsafe {
            for feature in ["has_avx", "has_avx2", "has_fma"] {
                c.cranelift_flag_set(feature, "false");
            }
        });
        let artifact = without.precompile(MODULE).unwrap();
        assert!(!artifact.windows(7).any(|bytes| bytes == b"has_avx"));
        // How Cranelift goes about its work is no matter here.
        let plain = text(&serves(|_| {}));
        for (flag, value) in [("opt_level", "none"), ("enable_alias_analysis", "false"), ("regalloc_checker", "true")] {
            // SAFETY: nothing is compiled with it but Wasmtime's own startup of an engine.
            let compiler = serves(|c| unsafe { _ = c.cranelift_flag_set(flag, value) });
            assert!(text(&compiler) == plain, "{flag}");
        }
        // SAFETY: nothing is compiled with it.
        let error = refusal(|c| unsafe { _ = c.cranelift_flag_set("enable_pinned_reg", "true") });
        assert!(error.message().contains("`enable_pinned_reg`") && error.message().contains("cranelift_flag_set"), "{error}");
    })),
    ("cache", Nothing(&[|c| {
        let mut cache = CacheConfig::new();
        cache.with_directory(std::env::temp_dir().join(format!("lightbeam-knobs-{}", std::process::id())));
        c.cache(Some(Cache::new(cache).unwrap()));
    }])),
    ("with_host_memory", Works(|| {
        // With guards behind memories, and with nothing around them.
        let guarded = asked(|c, host| _ = c.with_host_memory(host.clone()).guard_before_linear_memory(false).memory_init_cow(false));
        assert!(guarded.iter().all(|asked| matches!(asked, Asked::Memory { reserved: 1.., guard: 1.. })), "{guarded:?}");
        let bare = asked(|c, host| _ = c.with_host_memory(host.clone()).memory_guard_size(0).memory_reservation(0)
            .guard_before_linear_memory(false).memory_init_cow(false));
        assert!(bare.iter().all(|asked| *asked == Asked::Memory { reserved: 0, guard: 0 }), "{bare:?}");
        assert!(!guarded.is_empty() && !bare.is_empty());
        // Bases that move.
        let host = Arc::new(Host::default());
        let compiler = serves(|c| _ = c.with_host_memory(host.clone()).memory_guard_size(0).memory_reservation(0)
            .guard_before_linear_memory(false).memory_init_cow(false));
        let (mut store, instance) = instance_of(&compiler, MODULE);
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let at = memory.data_ptr(&store);
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
        assert_eq!(grow.call(&mut store, 1).unwrap(), 1);
        assert_ne!(memory.data_ptr(&store), at);
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 7);
    })),
    ("with_host_stack", Works(|| {
        let host = Arc::new(Host::default());
        asynchronous(&serves(|c| _ = c.with_host_stack(host.clone())));
        assert!(matches!(host.asked()[..], [Asked::Stack { .. }]));
    })),
    ("with_custom_code_memory", Works(|| {
        let asked = asked(|c, host| _ = c.with_custom_code_memory(Some(host.clone())));
        assert!(!asked.is_empty() && asked.iter().all(|asked| *asked == Asked::Published), "{asked:?}");
    })),
    ("allocation_strategy", Works(|| {
        let pooling = |keys| {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_memories(32).total_core_instances(2).memory_protection_keys(keys);
            InstanceAllocationStrategy::Pooling(pool)
        };
        let with = |keys| {
            let compiler = serves(|c| _ = c.allocation_strategy(pooling(keys)));
            runs(&compiler);
            let module = compiler.module(MODULE).unwrap();
            let mut store = Store::new(compiler.engine(), ());
            let made = (0..3).map(|_| Instance::new(&mut store, &module, &[]).is_ok()).collect::<Vec<_>>();
            assert_eq!(made, [true, true, false]);
        };
        with(Enabled::No);
        with(Enabled::Auto);
        if PoolingAllocationConfig::are_memory_protection_keys_available() {
            with(Enabled::Yes);
        } else {
            println!("SKIPPED: pools with memory protection keys, as this processor or kernel has none (`pku` of /proc/cpuinfo)");
            // Who insists on them gets no engine.
            assert!(Engine::new(&config(|c| _ = c.allocation_strategy(pooling(Enabled::Yes)))).is_err());
        }
    })),
    ("memory_reservation", Works(|| {
        for reservation in [1 << 20, 8 << 30] {
            let asked = asked(|c, host| _ = c.with_host_memory(host.clone()).memory_reservation(reservation)
                .guard_before_linear_memory(false).memory_init_cow(false));
            let all = |asked: &Asked| matches!(asked, Asked::Memory { reserved: bytes, .. } if *bytes as u64 == reservation);
            assert!(!asked.is_empty() && asked.iter().all(all), "{asked:?}");
        }
        changes_code(|c| _ = c.memory_reservation(1 << 20));
    })),
    ("memory_may_move", Works(|| {
        // The second page is not reserved.
        let grown = |on| {
            let compiler = serves(|c| _ = c.memory_may_move(on).memory_reservation(1 << 16));
            call(&compiler, "grow", 1).unwrap()
        };
        assert_eq!((grown(true), grown(false)), (1, -1));
    })),
    ("memory_guard_size", Works(|| {
        for guard in [0, 1 << 16, 1 << 30] {
            let asked = asked(|c, host| _ = c.with_host_memory(host.clone()).memory_guard_size(guard)
                .guard_before_linear_memory(false).memory_init_cow(false));
            let all = |asked: &Asked| matches!(asked, Asked::Memory { guard: bytes, .. } if *bytes as u64 == guard);
            assert!(!asked.is_empty() && asked.iter().all(all), "{asked:?}");
        }
        changes_code(|c| _ = c.memory_guard_size(0));
    })),
    ("memory_reservation_for_growth", Works(|| {
        // A memory that has grown once is where it can grow again, or not.
        let moves = |bytes| {
            let wat = "(module (memory (export \"memory\") 1 100)
                (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))";
            let compiler = compiler(|c| _ = c.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(bytes));
            let (mut store, instance) = instance_of(&compiler, wat);
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
            assert_eq!(grow.call(&mut store, 1).unwrap(), 1);
            let at = memory.data_ptr(&store);
            assert_eq!(grow.call(&mut store, 1).unwrap(), 2);
            memory.data_ptr(&store) != at
        };
        assert!(!moves(1 << 20) && moves(0));
    })),
    ("gc_heap_reservation", Works(|| {
        told_apart(|c| _ = c.gc_heap_reservation(1 << 20));
        changes_code(|c| _ = c.gc_heap_reservation(1 << 20));
    })),
    ("gc_heap_guard_size", Works(|| {
        told_apart(|c| _ = c.gc_heap_guard_size(1 << 16));
        changes_code(|c| _ = c.gc_heap_guard_size(0).gc_heap_reservation(0));
        // Of an array the end is further away than any guard.
        runs(&serves(|c| _ = c.gc_heap_guard_size(1 << 16)));
    })),
    ("gc_heap_reservation_for_growth", Works(|| {
        for bytes in [0, 1 << 16] {
            let compiler = serves(|c| _ = c.gc_heap_reservation(0).gc_heap_reservation_for_growth(bytes));
            assert_eq!(compiler.engine().get_gc_heap_reservation_for_growth(), bytes);
            // The heap grows, and moves.
            assert_eq!(call(&compiler, "list", 3 << 20).unwrap(), 3 << 20);
            runs(&compiler);
        }
    })),
    ("gc_heap_may_move", Works(|| {
        let fits = |on| {
            let compiler = serves(|c| _ = c.gc_heap_may_move(on).gc_heap_reservation(1 << 20));
            call(&compiler, "list", 3 << 20).is_ok()
        };
        assert!(fits(true) && !fits(false));
    })),
    ("guard_before_linear_memory", Works(|| {
        let compiler = serves(|_| {});
        let (_store, at) = memory_at(&compiler, &compiler.precompile(MODULE).unwrap());
        assert_eq!(mapping_of(at - 1).0, "---p");
        // What is there without is not known, so that is seen by the artifact.
        told_apart(|c| _ = c.guard_before_linear_memory(false));
        runs(&serves(|c| _ = c.guard_before_linear_memory(false)));
    })),
    ("table_lazy_init", Works(|| {
        told_apart(|c| _ = c.table_lazy_init(false));
        changes_code(|c| _ = c.table_lazy_init(false));
    })),
    ("module_version", Works(|| {
        let mine = |c: &mut Config| _ = c.module_version(ModuleVersionStrategy::Custom("mine".into())).unwrap();
        let error = refusal(mine);
        assert!(error.message().contains("`Config::module_version`"), "{error}");
        let engine = Engine::new(&config(mine)).unwrap();
        assert!(Compiler::for_engine_of_version(&engine, "another").is_err());
        let compiler = Compiler::for_engine_of_version(&engine, "mine").unwrap();
        let module = compiler.module(MODULE).unwrap();
        assert!(module.exports().len() > 0);
        let any = serves(|c| _ = c.module_version(ModuleVersionStrategy::None).unwrap());
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        assert!(unsafe { Module::deserialize(any.engine(), compiler.precompile(MODULE).unwrap()) }.is_ok());
    })),
    ("parallel_compilation", Works(|| {
        // On how many threads, `Debug` shows.
        let compiler = serves(|c| _ = c.parallel_compilation(false));
        assert!(format!("{compiler:?}").contains("threads: 1,"));
    })),
    ("generate_address_map", Works(|| {
        let has = |on| section(&serves(|c| _ = c.generate_address_map(on)).precompile(MODULE).unwrap(), ".wasmtime.addrmap");
        assert!(has(true).is_some() && has(false).is_none());
    })),
    ("memory_init_cow", Works(|| {
        let image = |on| {
            let compiler = serves(|c| _ = c.memory_init_cow(on));
            let (_store, at) = memory_at(&compiler, &compiler.precompile(MODULE).unwrap());
            mapping_of(at).1
        };
        assert!(image(true).contains("memfd") && !image(false).contains("memfd"), "{} {}", image(true), image(false));
    })),
    ("force_memory_init_memfd", Works(|| {
        // What is loaded from a file has its images from there, if nobody says otherwise.
        let image = |on| {
            let compiler = serves(|c| _ = c.force_memory_init_memfd(on));
            let file = std::env::temp_dir().join(format!("lightbeam-knobs-{}-{on}.cwasm", std::process::id()));
            std::fs::write(&file, compiler.precompile(MODULE).unwrap()).unwrap();
            // SAFETY: the artifact comes from the compiler and nobody changes it.
            let module = unsafe { Module::deserialize_file(compiler.engine(), &file) }.unwrap();
            let mut store = Store::new(compiler.engine(), ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            let name = mapping_of(memory.data_ptr(&store) as usize).1;
            std::fs::remove_file(&file).unwrap();
            name
        };
        assert!(image(true).contains("memfd") && image(false).contains(".cwasm"), "{} {}", image(true), image(false));
    })),
    ("coredump_on_trap", Works(|| {
        let compiler = serves(|c| _ = c.coredump_on_trap(true));
        let error = call(&compiler, "load", -1).unwrap_err();
        let dump = error.downcast_ref::<WasmCoreDump>().unwrap();
        assert!(!dump.frames().is_empty() && dump.modules().len() == 1);
    })),
    ("wmemcheck", Refused(&[|c| _ = c.wmemcheck(true)])),
    ("memory_guaranteed_dense_image_size", Works(|| {
        let sparse = "(module (memory 1000) (data (i32.const 0) \"a\") (data (i32.const 40000000) \"b\"))";
        let size = |bytes| compiler(|c| _ = c.memory_guaranteed_dense_image_size(bytes)).precompile(sparse).unwrap().len();
        assert!(size(1 << 30) > 30_000_000 && size(0) < 1_000_000);
    })),
    ("compiler_inlining", Refused(&[
        |c| _ = c.compiler_inlining(Inlining::Yes),
        |c| _ = c.compiler_inlining(Inlining::InterModuleAndIntraGc),
        |c| _ = c.compiler_inlining(Inlining::InterModule),
        |c| _ = c.compiler_inlining(Inlining::Intrinsics),
    ])),
    ("debug_adapter_modules", Works(|| {
        // An adapter between strings of two encodings, with assertions or without.
        let wat = r#"(component
            (component $a
                (core module $m (memory (export "m") 1) (func (export "f") (param i32 i32))
                    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 8))
                (core instance $i (instantiate $m))
                (func (export "f") (param "s" string)
                    (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "r")) string-encoding=utf8)))
            (component $b
                (import "f" (func $f (param "s" string)))
                (core module $l (memory (export "m") 1))
                (core instance $l (instantiate $l))
                (core func $g (canon lower (func $f) (memory $l "m") string-encoding=utf16))
                (core module $m (import "" "g" (func $g (param i32 i32))) (func (export "h") (call $g (i32.const 2) (i32.const 4))))
                (core instance $i (instantiate $m (with "" (instance (export "g" (func $g))))))
                (func (export "h") (canon lift (core func $i "h"))))
            (instance $a (instantiate $a))
            (instance $b (instantiate $b (with "f" (func $a "f"))))
            (export "h" (func $b "h")))"#;
        let code = |on| {
            let compiler = compiler(|c| _ = c.debug_adapter_modules(on));
            let component = compiler.component(wat).unwrap();
            let mut store = Store::new(compiler.engine(), ());
            let linker = wasmtime::component::Linker::new(compiler.engine());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            instance.get_typed_func::<(), ()>(&mut store, "h").unwrap().call(&mut store, ()).unwrap();
            section(&compiler.precompile_component(wat).unwrap(), ".text").unwrap()
        };
        assert!(code(true) != code(false));
    })),
    ("emit_clif", Refused(&[|c| _ = c.emit_clif(&std::env::temp_dir())])),
    ("macos_use_mach_ports", Nothing(&[|c| _ = c.macos_use_mach_ports(false)])),
    ("detect_host_feature", Works(|| {
        let deny = |c: &mut Config, deny: fn(&str) -> Option<bool>| {
            // SAFETY: what is denied only makes code slower.
            unsafe { c.detect_host_feature(deny) };
            // Cranelift would look at the processor itself.
            c.enable_compiler(false);
        };
        let compiler = serves(|c| deny(c, |name| Some(!name.starts_with("avx") && name != "fma")));
        let artifact = compiler.precompile(MODULE).unwrap();
        assert!(!artifact.windows(7).any(|bytes| bytes == b"has_avx"));
        assert!(text(&compiler) == text(&serves(|_| {}).cpu_features(CpuFeatures {
            avx: false, avx2: false, fma: false, ..host_features() })));
        let error = refusal(|c| deny(c, |name| Some(name != "sse4.1")));
        assert!(error.message().contains("`Config::detect_host_feature`") && error.message().contains("sse41"), "{error}");
    })),
    ("signals_based_traps", Works(|| {
        changes_code(|c| _ = c.signals_based_traps(false));
        told_apart(|c| _ = c.signals_based_traps(false));
    })),
    ("gc_support", Works(|| proposal("(module (table 1 externref))", |c, on| {
        if !on { c.wasm_exceptions(false); }
        c.gc_support(on);
    }))),
    // SAFETY: it says something of another machine.
    ("x86_float_abi_ok", Nothing(&[|c| unsafe { _ = c.x86_float_abi_ok(true) }])),
    ("shared_memory", Works(|| {
        let made = |on| {
            let compiler = compiler(|c| _ = c.shared_memory(on));
            let module = compiler.module("(module (memory 1 1 shared))").unwrap();
            Instance::new(&mut Store::new(compiler.engine(), ()), &module, &[]).is_ok()
        };
        assert!(made(true) && !made(false));
    })),
    ("concurrency_support", Works(|| {
        told_apart(|c| _ = c.concurrency_support(false));
        // A call into a component tells the host less.
        let wat = r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))"#;
        let code = |on: bool| {
            let compiler = serves(|c| {
                if !on {
                    c.wasm_component_model_async(false);
                }
                c.concurrency_support(on);
            });
            section(&compiler.precompile_component(wat).unwrap(), ".text").unwrap()
        };
        assert!(code(true) != code(false));
    })),
    ("rr", Refused(&[
        |c| _ = c.rr(RRConfig::Recording).cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true),
        |c| _ = c.rr(RRConfig::Replaying).cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true),
    ])),
    ("metadata_for_internal_asserts", Nothing(&[
        |c| _ = c.metadata_for_internal_asserts(true),
        |c| _ = c.metadata_for_internal_asserts(false),
    ])),
    ("metadata_for_gc_heap_corruption", Nothing(&[
        |c| _ = c.metadata_for_gc_heap_corruption(true),
        |c| _ = c.metadata_for_gc_heap_corruption(false),
    ])),
];
