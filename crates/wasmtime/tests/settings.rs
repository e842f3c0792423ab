//! Engines of all kinds are served or refused by name; modules that use what is not compiled are refused with its
//! place.

use lightbeam::{AddressMap, Compiler, CpuFeatures, Error, ErrorKind};
use wasmtime::{Config, Engine, Instance, Module, Store};

const WAT: &str = r#"(module
    (memory (export "memory") 1 2)
    (table 2 funcref)
    (global $g (mut i64) (i64.const 3))
    (data (i32.const 0) "\01\00\00\00")
    (elem (i32.const 0) func $f)
    (func $f (export "f") (result i32) i32.const 0 i32.load i32.const 6 i32.add))"#;

fn serves(config: &Config, what: &str) {
    let compiler = Compiler::new(config).unwrap_or_else(|error| panic!("{what}: {error:#}"));
    let module = compiler.module(WAT).unwrap_or_else(|error| panic!("{what}: {error:#}"));
    let mut store = Store::new(compiler.engine(), ());
    if compiler.engine().get_consume_fuel() {
        store.set_fuel(1_000_000).unwrap();
    }
    if compiler.engine().get_epoch_interruption() {
        store.set_epoch_deadline(1);
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 7, "{what}");
}

#[test]
fn settings_of_engines_are_read_back() {
    type Change = fn(&mut Config) -> &mut Config;
    let changes: [(&str, Change); 23] = [
        ("default", |c| c),
        ("small reservation", |c| c.memory_reservation(1 << 20)),
        ("no reservation", |c| c.memory_reservation(0)),
        ("small guard", |c| c.memory_guard_size(1 << 16)),
        ("no guard", |c| c.memory_guard_size(0).memory_reservation(0)),
        ("no guard before", |c| c.guard_before_linear_memory(false)),
        ("memories stay", |c| c.memory_may_move(false)),
        ("room to grow", |c| c.memory_reservation_for_growth(1 << 16).memory_reservation(0)),
        ("no images", |c| c.memory_init_cow(false)),
        ("dense images", |c| c.memory_guaranteed_dense_image_size(0)),
        ("eager tables", |c| c.table_lazy_init(false)),
        ("explicit traps", |c| c.signals_based_traps(false)),
        ("fuel", |c| c.consume_fuel(true)),
        ("costs", |c| c.consume_fuel(true).operator_cost(wasmtime::OperatorCost { I32Add: 9, ..Default::default() })),
        ("epochs", |c| c.epoch_interruption(true)),
        ("no address map", |c| c.generate_address_map(false)),
        ("no symbols", |c| c.debug_symbols(false)),
        ("DWARF", |c| c.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable)),
        ("no concurrency", |c| c.concurrency_support(false)),
        ("deterministic", |c| c.relaxed_simd_deterministic(true)),
        ("debug information", |c| c.debug_info(true)),
        ("any version", |c| c.module_version(wasmtime::ModuleVersionStrategy::None).unwrap()),
        ("pooling", |c| c.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(Default::default()))),
    ];
    for (what, change) in changes {
        let mut config = Config::new();
        serves(change(&mut config), what);
    }
}

#[test]
fn engines_that_cannot_be_served_are_refused() {
    let mut config = Config::new();
    config.module_version(wasmtime::ModuleVersionStrategy::Custom("other".into())).unwrap();
    let error = Compiler::new(&config).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.message().contains("Config::module_version"), "{error}");
}

#[test]
fn artifacts_do_not_load_into_other_engines() {
    let artifact = Compiler::new(&Config::new()).unwrap().precompile(WAT).unwrap();
    let mut config = Config::new();
    config.memory_reservation(1 << 20);
    let other = Engine::new(&config).unwrap();
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    let error = unsafe { Module::deserialize(&other, &artifact) }.unwrap_err();
    assert!(format!("{error:#}").contains("memory reservation"), "{error:#}");
}

#[test]
fn processor_features_are_in_the_artifact() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let plain = compiler.clone().cpu_features(CpuFeatures::default());
    let module = plain.module(WAT).unwrap();
    let mut store = Store::new(plain.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 7);
    let names = |artifact: &[u8]| {
        ["has_avx", "has_bmi2", "has_popcnt"].map(|name| artifact.windows(name.len()).any(|w| w == name.as_bytes()))
    };
    assert_eq!(names(&plain.precompile(WAT).unwrap()), [false, false, true]);
    let all = CpuFeatures { avx: true, avx2: true, bmi1: true, bmi2: true, lzcnt: true, fma: true };
    assert_eq!(names(&compiler.cpu_features(all).precompile(WAT).unwrap()), [true, true, true]);
}

#[test]
fn the_address_map_can_be_chosen() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let wat = "(module (func (export \"f\") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))";
    let size = |map| compiler.clone().address_map(map).module(wat).unwrap().address_map().map(Iterator::count);
    assert_eq!(size(AddressMap::None), None);
    let (traps, operators) = (size(AddressMap::Traps).unwrap(), size(AddressMap::Operators).unwrap());
    assert!(traps <= operators, "{traps} and {operators}");
}

#[test]
fn what_is_not_compiled_is_refused_by_name_and_place() {
    // Each module, what the message names, and the bytes at the offset that it gives.
    let cases: [(&str, &str, &[u8]); 6] = [
        ("(module (type (func)) (type (shared (func))))", "shared-everything threads", &[0x65, 0x60]),
        ("(module (type (shared (struct (field i32)))))", "shared-everything threads", &[0x65, 0x5f]),
        (
            "(module (type $s (shared (array i8))) (func (result (ref $s)) unreachable))",
            "shared-everything threads",
            &[0x65, 0x5e],
        ),
        ("(module (table shared 1 (ref null (shared func))))", "shared-everything threads", &[0x65, 0x70]),
        ("(module (type (func)) (type (array contref)))", "continuations in objects", &[0x5e, 0x68]),
        (
            "(module (type (func)) (rec (type $c (cont 0)) (type (struct (field (ref null $c))))))",
            "continuations in objects",
            &[0x4e, 0x02],
        ),
    ];
    let mut config = Config::new();
    config.wasm_stack_switching(true).wasm_shared_everything_threads(true).shared_memory(true);
    let compiler = Compiler::new(&config).unwrap();
    for (wat, name, bytes) in cases {
        let wasm = wat::parse_str(wat).unwrap();
        let error = compiler.module(&wasm).unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{wat}: {error}");
        assert!(error.message().contains(name), "{wat}: {error}");
        let offset = error.offset().unwrap_or_else(|| panic!("{wat}: {error}"));
        assert_eq!(&wasm[offset..offset + bytes.len()], bytes, "{wat}: {error}");
        let mut stream = compiler.module_stream();
        let streamed = stream.push(&wasm).map(drop).and_then(|()| stream.finish_artifact().map(drop));
        assert_eq!(streamed.unwrap_err().downcast::<Error>().unwrap(), error, "{wat}");
    }
}

#[test]
fn threads_are_for_the_engine_to_allow() {
    const ATOMICS: &str = "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))";
    let mut config = Config::new();
    config.wasm_threads(false);
    let compiler = Compiler::new(&config).unwrap();
    for wat in [ATOMICS, "(module (memory 1 1 shared))"] {
        let error = compiler.module(wat).unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    config.wasm_threads(true);
    assert!(Compiler::new(&config).unwrap().module(ATOMICS).is_ok());
}

#[test]
fn features_that_the_engine_has_off_are_invalid() {
    let mut config = Config::new();
    config.wasm_multi_memory(false);
    let compiler = Compiler::new(&config).unwrap();
    let error = compiler.module("(module (memory 1) (memory 1))").unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

/// What startup does for a segment of references to objects is what one collector wants, though no type mentions
/// objects.
#[test]
fn a_segment_of_references_is_of_one_collector() {
    let compiler = |collector| {
        let mut config = Config::new();
        config.wasm_gc(true).wasm_function_references(true).collector(collector);
        Compiler::new(&config).unwrap()
    };
    let counting = compiler(wasmtime::Collector::DeferredReferenceCounting);
    let copying = compiler(wasmtime::Collector::Copying);
    let artifact = counting.precompile("(module (elem externref (item ref.null extern)))").unwrap();
    // SAFETY: the artifacts come from the compiler and nobody has changed them.
    unsafe { Module::deserialize(counting.engine(), &artifact).unwrap() };
    // SAFETY: as above.
    let refused = unsafe { Module::deserialize(copying.engine(), &artifact) };
    assert!(format!("{:#}", refused.unwrap_err()).contains("collector"));
}
