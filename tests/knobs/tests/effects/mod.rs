//! What each setting does, one by one.

use lightbeam::{Compiler, CpuFeatures, Error, ErrorKind};
use lightbeam_verify::artifact::Artifact;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use wasmparser::WasmFeatures;
use wasmtime::{
    Collector, Config, CustomCodeMemory, Enabled, Engine, Inlining, Instance, InstanceAllocationStrategy, LinearMemory,
    MemoryCreator, MemoryType, Module, ModuleVersionStrategy, OperatorCost, OptLevel, PoolingAllocationConfig,
    ProfilingStrategy, RRConfig, RegallocAlgorithm, StackCreator, StackMemory, Store, Strategy, Trap, WasmBacktrace,
    WasmBacktraceDetails, WasmCoreDump,
};

pub(crate) type Change = fn(&mut Config);

/// How it is seen what a setting does.
pub(crate) enum Check {
    /// It has its effect.
    Works(fn()),
    /// An engine that has it so is refused by its name.
    Refused(Change),
    /// With it code is as without it.
    Nothing(Change),
    /// Wasmtime does not make such an engine.
    HostRefuses(Change),
}

use Check::{HostRefuses, Nothing, Refused, Works};

/// Something of everything that settings are about.
const MODULE: &str = r#"(module
    (memory (export "memory") 1 2)
    (table 2 funcref)
    (global $g (mut i64) (i64.const 3))
    (data (i32.const 0) "\01\00\00\00")
    (elem (i32.const 0) func $f)
    (func $deep (export "deep") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func $nan (export "nan") (param f32) (result i32) (i32.reinterpret_f32 (f32.add (local.get 0) (f32.const 1))))
    (func $load (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func $loop (export "loop") (loop $l (br $l)))
    (func $vector (export "vector") (param f32) (result f32) (f32.mul (f32.add (local.get 0) (f32.const 2)) (local.get 0)))
    (func $f (export "f") (result i32) i32.const 0 i32.load i32.const 6 i32.add))"#;

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new();
    change(&mut config);
    config
}

fn compiler(change: impl FnOnce(&mut Config)) -> Compiler {
    Compiler::new(&config(change)).unwrap_or_else(|error| panic!("{error:#}"))
}

/// An instance of a module, and its store, with fuel and time enough.
fn instance_of(compiler: &Compiler, wat: &str) -> (Store<()>, Instance) {
    let module = compiler.module(wat).unwrap_or_else(|error| panic!("{error:#}"));
    let mut store = Store::new(compiler.engine(), ());
    if compiler.engine().get_consume_fuel() {
        store.set_fuel(1_000_000).unwrap();
    }
    if compiler.engine().get_epoch_interruption() {
        store.set_epoch_deadline(1);
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

/// Serves an engine that is set so.
fn serves(change: impl FnOnce(&mut Config)) -> Compiler {
    let compiler = compiler(change);
    let (mut store, instance) = instance_of(&compiler, MODULE);
    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 7);
    compiler
}

/// What a call of a function of one parameter gives.
fn call(compiler: &Compiler, name: &str, argument: i32) -> wasmtime::Result<i32> {
    let (mut store, instance) = instance_of(compiler, MODULE);
    instance.get_typed_func::<i32, i32>(&mut store, name).unwrap().call(&mut store, argument)
}

fn refusal(change: impl FnOnce(&mut Config)) -> Error {
    let error = Compiler::new(&config(change)).expect_err("the engine is served");
    error.downcast::<Error>().unwrap_or_else(|error| panic!("of Wasmtime's: {error:#}"))
}

pub(crate) fn is_refused(name: &str, change: Change) {
    let error = refusal(change);
    assert_eq!(error.kind(), ErrorKind::Settings, "{name}: {error}");
    assert!(error.message().contains(&format!("`Config::{name}`")), "{name}: {error}");
}

/// The code alone.
fn text(compiler: &Compiler) -> Vec<u8> {
    section(&compiler.precompile(MODULE).unwrap(), ".text").unwrap()
}

fn section(artifact: &[u8], name: &str) -> Option<Vec<u8>> {
    Some(artifact[Artifact::section(artifact, name)?].to_vec())
}

pub(crate) fn means_nothing(name: &str, change: Change) {
    assert!(text(&serves(change)) == text(&serves(|_| {})), "{name} changes the code");
}

pub(crate) fn host_refuses(change: Change) -> bool {
    std::panic::catch_unwind(|| Engine::new(&config(change)).is_err()).unwrap_or(true)
}

/// A proposal is what it is for modules: valid where it is on, and not where it is off.
fn proposal(wat: &str, change: fn(&mut Config, bool)) {
    let on = compiler(|config| change(config, true));
    on.module(wat).unwrap_or_else(|error| panic!("on: {error:#}"));
    let off = compiler(|config| change(config, false));
    let error = off.module(wat).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid, "off: {error}");
}

/// And of components.
fn of_components(wat: &str, change: fn(&mut Config, bool)) {
    let on = compiler(|config| change(config, true));
    on.component(wat).unwrap_or_else(|error| panic!("on: {error:#}"));
    let off = compiler(|config| change(config, false));
    assert!(off.component(wat).is_err(), "off");
}

/// The artifact is for an engine that has the proposal, and for no other.
fn in_artifacts(feature: WasmFeatures, change: fn(&mut Config, bool)) {
    let on = compiler(|config| change(config, true));
    assert!(on.engine().get_wasm_features().contains(feature));
    let artifact = on.precompile(MODULE).unwrap();
    let off = compiler(|config| change(config, false));
    assert!(!off.engine().get_wasm_features().contains(feature));
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    assert!(unsafe { Module::deserialize(off.engine(), &artifact) }.is_err());
}

/// Artifacts say it: of an engine that is set so none loads into one that is not.
fn told_apart(change: impl FnOnce(&mut Config)) {
    let artifact = serves(change).precompile(MODULE).unwrap();
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    assert!(unsafe { Module::deserialize(&Engine::default(), &artifact) }.is_err());
}

/// Polls what is never pending for long.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// A call on a stack of its own.
fn asynchronous(compiler: &Compiler) {
    let (mut store, instance) = instance_of(compiler, MODULE);
    let deep = instance.get_typed_func::<i32, i32>(&mut store, "deep").unwrap();
    assert_eq!(wait(deep.call_async(&mut store, 100)).unwrap(), 100);
}

/// How deep a recursion goes that ends at the stack's limit.
fn depth(bytes: usize) -> i32 {
    let compiler = serves(|config| {
        config.max_wasm_stack(bytes);
    });
    let goes = |depth: i32| call(&compiler, "deep", depth).is_ok();
    let (mut low, mut high) = (0, 1 << 20);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if goes(middle) { low = middle } else { high = middle }
    }
    low
}

fn symbols(change: impl FnOnce(&mut Config)) -> usize {
    let artifact = serves(change).precompile(MODULE).unwrap();
    Artifact::parse(&artifact).unwrap().symbols.entries.len()
}

/// What was asked of the host's own memories, stacks and code.
static ASKED: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

struct Memory(Vec<u64>, usize);

// SAFETY: the bytes are the vector's for as long as it lives, and it never grows.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.1
    }
    fn byte_capacity(&self) -> usize {
        self.1
    }
    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size == self.1 { Ok(()) } else { Err(wasmtime::Error::msg("no more")) }
    }
    fn as_ptr(&self) -> *mut u8 {
        self.0.as_ptr().cast_mut().cast()
    }
}

struct Memories;

// SAFETY: memories are as long as was asked for, and engines that have them are told that nothing is around them.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        _: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        assert_eq!(guard, 0);
        ASKED[0].fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Memory(vec![0; minimum.div_ceil(8)], minimum)))
    }
}

struct Stacks;

struct Stack(Vec<u128>);

// SAFETY: the stack is the vector's bytes, none of which is a guard.
unsafe impl StackMemory for Stack {
    fn top(&self) -> *mut u8 {
        self.0.as_ptr_range().end.cast_mut().cast()
    }
    fn range(&self) -> Range<usize> {
        let range = self.0.as_ptr_range();
        range.start as usize..range.end as usize
    }
    fn guard_range(&self) -> Range<*mut u8> {
        std::ptr::null_mut()..std::ptr::null_mut()
    }
}

// SAFETY: stacks are of the size that was asked for, aligned as the machine wants them.
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, _: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        ASKED[1].fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Stack(vec![0; size.div_ceil(16)])))
    }
}

struct Code;

unsafe extern "C" {
    fn mprotect(at: *mut u8, bytes: usize, how: i32) -> i32;
}

impl CustomCodeMemory for Code {
    fn required_alignment(&self) -> usize {
        4096
    }
    fn publish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        ASKED[2].fetch_add(1, Ordering::Relaxed);
        // SAFETY: Wasmtime hands over whole pages of its own.
        assert_eq!(unsafe { mprotect(at.cast_mut(), bytes, 1 | 4) }, 0);
        Ok(())
    }
    fn unpublish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        // SAFETY: as above.
        assert_eq!(unsafe { mprotect(at.cast_mut(), bytes, 1 | 2) }, 0);
        Ok(())
    }
}

#[derive(Debug)]
struct Kept;

impl wasmtime::CacheStore for Kept {
    fn get(&self, _: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
        None
    }
    fn insert(&self, _: &[u8], _: Vec<u8>) -> bool {
        true
    }
}

/// A file that the profiler of this process writes.
fn perf_map() -> String {
    std::fs::read_to_string(format!("/tmp/perf-{}.map", std::process::id())).unwrap_or_default()
}

const ASYNC_COMPONENT: &str = "(component (type (func async)))";

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
    ("enable_incremental_compilation", Refused(|c| _ = c.enable_incremental_compilation(Arc::new(Kept)).unwrap())),
    ("async_support", Nothing(|c| { #[expect(deprecated)] c.async_support(true); })),
    ("debug_info", Works(|| {
        let artifact = serves(|c| _ = c.debug_info(true)).precompile(MODULE).unwrap();
        let has = |artifact: &[u8]| artifact.windows(11).any(|bytes| bytes == b".debug_line");
        assert!(has(&artifact) && !has(&serves(|_| {}).precompile(MODULE).unwrap()));
    })),
    ("debug_symbols", Works(|| {
        assert!(symbols(|_| {}) > 12 && symbols(|c| _ = c.debug_symbols(false)) == 0);
    })),
    ("guest_debug", Refused(|c| _ = c.guest_debug(true))),
    ("wasm_backtrace", Works(|| {
        let frames = |on| {
            #[expect(deprecated)]
            let compiler = serves(|c| _ = c.wasm_backtrace(on));
            call(&compiler, "load", -1).unwrap_err().downcast_ref::<WasmBacktrace>().is_some()
        };
        assert!(frames(true) && !frames(false));
    })),
    ("wasm_backtrace_details", Works(|| told_apart(|c| _ = c.wasm_backtrace_details(WasmBacktraceDetails::Enable)))),
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
    ("operator_cost", Refused(|c| {
        let mut costs = OperatorCost::new();
        costs.I32Add = 9;
        c.consume_fuel(true).operator_cost(costs);
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
    ("async_stack_size", Works(|| asynchronous(&serves(|c| _ = c.async_stack_size(1 << 20))))),
    ("async_stack_zeroing", Works(|| asynchronous(&serves(|c| _ = c.async_stack_zeroing(true))))),
    ("wasm_features", Works(|| proposal("(module (memory 1) (memory 1))",
        |c, on| _ = c.wasm_features(WasmFeatures::MULTI_MEMORY, on)))),
    ("wasm_tail_call", Works(|| proposal("(module (func return_call 0))", |c, on| _ = c.wasm_tail_call(on)))),
    ("wasm_branch_hinting", Nothing(|c| _ = c.wasm_branch_hinting(true))),
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
    ("relaxed_simd_deterministic", Works(|| told_apart(|c| _ = c.relaxed_simd_deterministic(true)))),
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
    ("wasm_component_model", Works(|| of_components("(component)", |c, on| {
        if !on {
            c.wasm_component_model_async(false).concurrency_support(false);
        }
        c.wasm_component_model(on);
    }))),
    ("wasm_component_model_async", Works(|| of_components(ASYNC_COMPONENT, |c, on| _ = c.wasm_component_model_async(on)))),
    ("wasm_component_model_more_async_builtins", Works(|| in_artifacts(WasmFeatures::CM_MORE_ASYNC_BUILTINS,
        |c, on| _ = c.wasm_component_model_more_async_builtins(on)))),
    ("wasm_component_model_async_stackful", Works(|| in_artifacts(WasmFeatures::CM_ASYNC_STACKFUL,
        |c, on| _ = c.wasm_component_model_async_stackful(on)))),
    ("wasm_component_model_threading", Works(|| in_artifacts(WasmFeatures::CM_THREADING,
        |c, on| _ = c.wasm_component_model_threading(on)))),
    ("wasm_component_model_error_context", Works(|| of_components("(component (type (func (param \"e\" error-context))))",
        |c, on| _ = c.wasm_component_model_error_context(on)))),
    ("wasm_component_model_gc", Works(|| in_artifacts(WasmFeatures::CM_GC, |c, on| _ = c.wasm_component_model_gc(on)))),
    ("wasm_component_model_map", Works(|| of_components("(component (type (map string u32)))",
        |c, on| _ = c.wasm_component_model_map(on)))),
    ("wasm_component_model_memory64", Works(|| in_artifacts(WasmFeatures::CM64,
        |c, on| _ = c.wasm_component_model_memory64(on)))),
    ("wasm_component_model_fixed_length_lists", Works(|| of_components("(component (type (list u8 4)))",
        |c, on| _ = c.wasm_component_model_fixed_length_lists(on)))),
    ("wasm_component_model_implements", Works(|| in_artifacts(WasmFeatures::CM_IMPLEMENTS,
        |c, on| _ = c.wasm_component_model_implements(on)))),
    ("wasm_exceptions", Works(|| proposal("(module (tag))", |c, on| _ = c.wasm_exceptions(on)))),
    ("wasm_legacy_exceptions", HostRefuses(|c| { #[expect(deprecated)] c.wasm_legacy_exceptions(true); })),
    ("strategy", Works(|| {
        serves(|c| _ = c.strategy(Strategy::Cranelift));
        // Winch is not in this build, which Wasmtime says itself.
        let winch = Compiler::new(&config(|c| _ = c.strategy(Strategy::Winch).wasm_gc(false).wasm_function_references(false)));
        assert!(winch.is_err());
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
    ("gc_heap_initial_size", Works(|| told_apart(|c| _ = c.gc_heap_initial_size(1 << 20)))),
    ("profiler", Works(|| {
        serves(|c| _ = c.profiler(ProfilingStrategy::PerfMap));
        let map = perf_map();
        assert!(map.contains("wasm[0]::function[0]::deep") && map.contains("array_to_wasm_trampoline[0]"), "{map}");
    })),
    ("cranelift_debug_verifier", Nothing(|c| _ = c.cranelift_debug_verifier(true))),
    ("cranelift_wasmtime_debug_checks", Nothing(|c| _ = c.cranelift_wasmtime_debug_checks(true))),
    ("cranelift_opt_level", Nothing(|c| _ = c.cranelift_opt_level(OptLevel::None))),
    ("cranelift_regalloc_algorithm", Nothing(|c| _ = c.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass))),
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
        // SAFETY: nothing is compiled with it.
        let error = refusal(|c| unsafe { _ = c.cranelift_flag_set("enable_pinned_reg", "true") });
        assert!(error.message().contains("`enable_pinned_reg`") && error.message().contains("cranelift_flag_set"), "{error}");
    })),
    ("cache", Nothing(|c| _ = c.cache(None))),
    ("with_host_memory", Works(|| {
        serves(|c| _ = c.with_host_memory(Arc::new(Memories)).memory_guard_size(0).memory_reservation(0)
            .guard_before_linear_memory(false).memory_init_cow(false));
        assert!(ASKED[0].load(Ordering::Relaxed) > 0);
    })),
    ("with_host_stack", Works(|| {
        asynchronous(&serves(|c| _ = c.with_host_stack(Arc::new(Stacks))));
        assert!(ASKED[1].load(Ordering::Relaxed) > 0);
    })),
    ("with_custom_code_memory", Works(|| {
        serves(|c| _ = c.with_custom_code_memory(Some(Arc::new(Code))));
        assert!(ASKED[2].load(Ordering::Relaxed) > 0);
    })),
    ("allocation_strategy", Works(|| {
        let pooling = |keys| {
            let mut pool = PoolingAllocationConfig::new();
            pool.total_memories(32).memory_protection_keys(keys);
            InstanceAllocationStrategy::Pooling(pool)
        };
        serves(|c| _ = c.allocation_strategy(pooling(Enabled::No)));
        let keys = PoolingAllocationConfig::are_memory_protection_keys_available();
        println!("memory protection keys: {keys}");
        serves(|c| _ = c.allocation_strategy(pooling(if keys { Enabled::Yes } else { Enabled::Auto })));
    })),
    ("memory_reservation", Works(|| told_apart(|c| _ = c.memory_reservation(1 << 20)))),
    ("memory_may_move", Works(|| told_apart(|c| _ = c.memory_may_move(false)))),
    ("memory_guard_size", Works(|| told_apart(|c| _ = c.memory_guard_size(1 << 16)))),
    ("memory_reservation_for_growth", Works(|| {
        let compiler = serves(|c| _ = c.memory_reservation(0).memory_reservation_for_growth(1 << 16));
        assert_eq!(compiler.engine().get_memory_reservation_for_growth(), 1 << 16);
    })),
    ("gc_heap_reservation", Works(|| told_apart(|c| _ = c.gc_heap_reservation(1 << 20)))),
    ("gc_heap_guard_size", Works(|| told_apart(|c| _ = c.gc_heap_guard_size(1 << 16)))),
    ("gc_heap_reservation_for_growth", Works(|| {
        let compiler = serves(|c| _ = c.gc_heap_reservation_for_growth(1 << 16));
        assert_eq!(compiler.engine().get_gc_heap_reservation_for_growth(), 1 << 16);
    })),
    ("gc_heap_may_move", Works(|| told_apart(|c| _ = c.gc_heap_may_move(false)))),
    ("guard_before_linear_memory", Works(|| told_apart(|c| _ = c.guard_before_linear_memory(false)))),
    ("table_lazy_init", Works(|| told_apart(|c| _ = c.table_lazy_init(false)))),
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
    ("memory_init_cow", Works(|| told_apart(|c| _ = c.memory_init_cow(false)))),
    ("force_memory_init_memfd", Works(|| drop(serves(|c| _ = c.force_memory_init_memfd(true))))),
    ("coredump_on_trap", Works(|| {
        let compiler = serves(|c| _ = c.coredump_on_trap(true));
        let error = call(&compiler, "load", -1).unwrap_err();
        let dump = error.downcast_ref::<WasmCoreDump>().unwrap();
        assert!(!dump.frames().is_empty() && dump.modules().len() == 1);
    })),
    ("wmemcheck", HostRefuses(|c| _ = c.wmemcheck(true))),
    ("memory_guaranteed_dense_image_size", Works(|| {
        let sparse = "(module (memory 1000) (data (i32.const 0) \"a\") (data (i32.const 40000000) \"b\"))";
        let size = |bytes| compiler(|c| _ = c.memory_guaranteed_dense_image_size(bytes)).precompile(sparse).unwrap().len();
        assert!(size(1 << 30) > 30_000_000 && size(0) < 1_000_000);
    })),
    ("compiler_inlining", Refused(|c| _ = c.compiler_inlining(Inlining::Yes))),
    ("debug_adapter_modules", Works(|| drop(serves(|c| _ = c.debug_adapter_modules(true))))),
    ("emit_clif", Refused(|c| _ = c.emit_clif(&std::env::temp_dir()))),
    ("macos_use_mach_ports", Nothing(|c| _ = c.macos_use_mach_ports(false))),
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
        told_apart(|c| _ = c.signals_based_traps(false));
        let compiler = serves(|c| _ = c.signals_based_traps(false));
        assert!(call(&compiler, "load", -1).is_err());
    })),
    ("gc_support", Works(|| proposal("(module (table 1 externref))", |c, on| {
        if !on { c.wasm_exceptions(false); }
        c.gc_support(on);
    }))),
    // SAFETY: it says something of another machine.
    ("x86_float_abi_ok", Nothing(|c| unsafe { _ = c.x86_float_abi_ok(true) })),
    ("shared_memory", Works(|| {
        let made = |on| {
            let compiler = compiler(|c| _ = c.shared_memory(on));
            let module = compiler.module("(module (memory 1 1 shared))").unwrap();
            Instance::new(&mut Store::new(compiler.engine(), ()), &module, &[]).is_ok()
        };
        assert!(made(true) && !made(false));
    })),
    ("concurrency_support", Works(|| told_apart(|c| _ = c.concurrency_support(false)))),
    ("rr", Refused(|c| _ = c.rr(RRConfig::Recording).cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true))),
    ("metadata_for_internal_asserts", Nothing(|c| _ = c.metadata_for_internal_asserts(true))),
    ("metadata_for_gc_heap_corruption", Nothing(|c| _ = c.metadata_for_gc_heap_corruption(false))),
];

/// What code may use here.
fn host_features() -> CpuFeatures {
    let artifact = serves(|_| {}).precompile(MODULE).unwrap();
    let engine = String::from_utf8_lossy(&section(&artifact, ".wasmtime.engine").unwrap()).into_owned();
    let mut features = CpuFeatures::default();
    for (name, used) in features.by_name() {
        let after =
            engine.split(&format!("has_{name}")).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        *used = after;
    }
    features
}
