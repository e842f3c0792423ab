//! Programs that compile by Wasmtime's own interface, with the stand-in in the place of its compiler.

use gimli::{BaseAddresses, CieOrFde, EhFrame, LittleEndian, UnwindContext, UnwindSection};
use lightbeam_environ::ArtifactOrigin;
use object::{Object, ObjectSection, ObjectSymbol};
use std::backtrace::Backtrace;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime::component::{self, Component};
use wasmtime::{Config, Engine, Func, Instance, Linker, Module, Result, Store, Trap, WasmBacktrace};
use wasmtime_internal_cranelift::{Modules, is_installed, mark, modules};

/// The counts are of all tests of a process.
static COUNTED: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    COUNTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many modules Lightbeam compiles and refuses while something is done.
fn counted<T>(act: impl FnOnce() -> T) -> (T, u64, u64) {
    let Modules { compiled, refused, .. } = modules();
    let result = act();
    (result, modules().compiled - compiled, modules().refused - refused)
}

/// A module that Lightbeam refuses and the original compiles: few bytes that put many values on the stack at once.
fn refused() -> String {
    let (results, constants) = ("i32 ".repeat(900), "i32.const 1 ".repeat(900));
    let calls = "call $many ".repeat(80);
    format!(
        r#"(module
            (func $many (result {results}) {constants})
            (func (export "f") (result i32) {calls} i32.const 7 return))"#
    )
}

const ADD: &str = r#"(module
    (import "" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 8) "\2a")
    (table 2 funcref) (elem (i32.const 0) $double)
    (global $g (mut i32) (i32.const 3))
    (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $start (global.set $g (i32.const 5)))
    (start $start)
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (call $host (local.get 0)) (call_indirect (param i32) (result i32) (local.get 1) (i32.const 0))))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "global") (result i32) (global.get $g)))"#;

#[test]
fn a_module_runs_and_traps_where_it_should() -> Result<()> {
    let _alone = alone();
    assert!(is_installed());
    for parallel in [true, false] {
        let engine = Engine::new(Config::new().parallel_compilation(parallel))?;
        let (module, compiled, refused) = counted(|| Module::new(&engine, ADD));
        assert_eq!((compiled, refused), (1, 0));
        let module = module?;
        let mut store = Store::new(&engine, ());
        let host =
            Func::wrap(&mut store, |x: i32| if x < 0 { Err(wasmtime::Error::msg("negative")) } else { Ok(x + 1) });
        let instance = Instance::new(&mut store, &module, &[host.into()])?;
        let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
        assert_eq!(add.call(&mut store, (4, 10))?, 25);
        assert!(format!("{:?}", add.call(&mut store, (-1, 10)).unwrap_err()).contains("negative"));
        let load = instance.get_typed_func::<i32, i32>(&mut store, "load")?;
        assert_eq!(load.call(&mut store, 8)?, 42);
        let trap = load.call(&mut store, 65536).unwrap_err();
        assert_eq!(trap.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
        let backtrace = trap.downcast_ref::<WasmBacktrace>().unwrap();
        assert_eq!(backtrace.frames()[0].func_index(), 4);
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "grow")?.call(&mut store, ())?, 1);
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "global")?.call(&mut store, ())?, 5);
    }
    Ok(())
}

#[test]
fn an_artifact_is_marked_and_loads_again() -> Result<()> {
    let _alone = alone();
    let engine = Engine::default();
    let artifact = engine.precompile_module(&wat::parse_str("(module (func (export \"f\")))")?)?;
    let mark = mark();
    assert!(mark.starts_with("lightbeam-") && mark.ends_with("-48.0.8"), "{mark}");
    assert!(artifact.windows(mark.len()).any(|bytes| bytes == mark.as_bytes()));
    // So do artifacts of the API's, and it loads them or not by that.
    assert_eq!(ArtifactOrigin::of(&artifact), Some(ArtifactOrigin::current()));
    ArtifactOrigin::check(&artifact).unwrap();
    // SAFETY: it was just made.
    unsafe { Module::deserialize(&engine, &artifact) }?;
    Ok(())
}

#[test]
fn what_lightbeam_refuses_the_original_compiles() -> Result<()> {
    let _alone = alone();
    for parallel in [true, false] {
        let engine = Engine::new(Config::new().parallel_compilation(parallel))?;
        let (module, compiled, refused) = counted(|| Module::new(&engine, refused()));
        assert_eq!((compiled, refused), (0, 1));
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module?, &[])?;
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())?, 7);
    }
    Ok(())
}

#[test]
fn what_is_invalid_is_so_in_the_words_of_the_original() {
    let _alone = alone();
    let engine = Engine::default();
    let error = Module::new(&engine, "(module (func) (func $wrong (result i32)))").unwrap_err();
    let message = format!("{error:?}");
    assert!(message.contains("failed to compile: wasm[0]::function[1]::wrong"), "{message}");
    assert!(message.contains("type mismatch"), "{message}");
}

#[test]
fn modules_of_a_component_come_from_either() -> Result<()> {
    let _alone = alone();
    let refused_module = refused().replacen("(module", "(core module $refused", 1);
    let text = format!(
        r#"(component
            (import "host" (func $host (param "x" u32) (result u32)))
            (core func $host (canon lower (func $host)))
            {refused_module}
            (core instance $refused (instantiate $refused))
            (core module $own
                (import "" "f" (func $f (result i32)))
                (import "" "host" (func $host (param i32) (result i32)))
                (global $g (mut i32) (i32.const 0))
                (func $start (global.set $g (i32.const 100)))
                (start $start)
                (func (export "g") (param i32) (result i32)
                    (if (i32.eqz (local.get 0)) (then unreachable))
                    (i32.add (global.get $g) (i32.add (call $f) (call $host (local.get 0))))))
            (core instance $own (instantiate $own
                (with "" (instance (export "f" (func $refused "f")) (export "host" (func $host))))))
            (core module $third (func (export "h") (result i32) i32.const 3))
            (core instance $third (instantiate $third))
            (func (export "g") (param "x" u32) (result u32) (canon lift (core func $own "g")))
            (func (export "h") (result u32) (canon lift (core func $third "h"))))"#
    );
    for parallel in [true, false] {
        let engine = Engine::new(Config::new().parallel_compilation(parallel))?;
        let (component, compiled, refused) = counted(|| Component::new(&engine, &text));
        assert_eq!((compiled, refused), (2, 1));
        let mut linker = component::Linker::new(&engine);
        linker.root().func_wrap("host", |_, (x,): (u32,)| Ok((x + 1,)))?;
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component?)?;
        let g = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "g")?;
        assert_eq!(g.call(&mut store, (4,))?, (112,));
        let h = instance.get_typed_func::<(), (u32,)>(&mut store, "h")?;
        assert_eq!(h.call(&mut store, ())?, (3,));
        let trap = g.call(&mut store, (0,)).unwrap_err();
        assert_eq!(trap.downcast_ref(), Some(&Trap::UnreachableCodeReached));
    }
    Ok(())
}

#[test]
fn many_modules_at_once_are_told_apart() -> Result<()> {
    let _alone = alone();
    let engine = Engine::default();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for round in 0..20 {
                    let number = thread * 100 + round;
                    let functions: String = (0..50).map(|i| format!("(func (result i32) i32.const {i})")).collect();
                    let text = format!(r#"(module (func (export "f") (result i32) i32.const {number}) {functions})"#);
                    let module = Module::new(engine, text).unwrap();
                    let mut store = Store::new(engine, ());
                    let instance = Linker::new(engine).instantiate(&mut store, &module).unwrap();
                    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
                    assert_eq!(f.call(&mut store, ()).unwrap(), number);
                }
            });
        }
    });
    Ok(())
}

#[test]
fn settings_are_obeyed_or_left_to_the_original() -> Result<()> {
    let _alone = alone();
    let compiles = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::new();
        change(&mut config);
        let (module, compiled, refused) = counted(|| Module::new(&Engine::new(&config)?, ADD));
        module?;
        assert_eq!(refused, 0);
        wasmtime::error::Ok(compiled == 1)
    };
    type Change = &'static dyn Fn(&mut Config);
    // SAFETY: none of these changes what the host and the code agree on.
    let flag = |config: &mut Config, name: &str, value: &str| unsafe {
        config.cranelift_flag_set(name, value);
    };
    let by_lightbeam: [Change; 9] = [
        &|config| _ = config.cranelift_nan_canonicalization(true),
        &|config| _ = config.cranelift_opt_level(wasmtime::OptLevel::None),
        &|config| _ = config.cranelift_regalloc_algorithm(wasmtime::RegallocAlgorithm::SinglePass),
        &|config| _ = config.cranelift_debug_verifier(true),
        &|config| _ = config.native_unwind_info(false),
        &|config| _ = config.signals_based_traps(false),
        &|config| _ = config.consume_fuel(true),
        &|config| {
            config
                .consume_fuel(true)
                .operator_cost(wasmtime::OperatorCost { I32Add: 3, ..wasmtime::OperatorCost::new() });
        },
        &|config| _ = config.epoch_interruption(true),
    ];
    for (number, change) in by_lightbeam.iter().enumerate() {
        assert!(compiles(*change)?, "{number}");
    }
    for (name, value) in [("has_avx512f", "false"), ("enable_heap_access_spectre_mitigation", "false")] {
        assert!(compiles(&|config| flag(config, name, value))?, "{name}");
    }
    for (name, value) in [
        ("wasmtime_linkopt_padding_between_functions", "8"),
        ("wasmtime_linkopt_force_jump_veneer", "true"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
    ] {
        assert!(!compiles(&|config| flag(config, name, value))?, "{name}");
    }
    assert!(!compiles(&|config| _ = config.debug_info(true))?);
    Ok(())
}

/// Of each function of an artifact, by its symbol, how many entries say how to unwind from its beginning and from its
/// end; and how many entries there are.
fn unwinds(artifact: &[u8]) -> (Vec<(String, [usize; 2])>, usize) {
    let file = object::File::parse(artifact).unwrap();
    let text = file.section_by_name(".text").unwrap();
    let section = file.section_by_name(".eh_frame").unwrap();
    // It lies right behind the text, in the artifact and in memory.
    assert_eq!(text.file_range().unwrap().0 + text.size(), section.file_range().unwrap().0);
    let bases = BaseAddresses::default().set_eh_frame(text.size());
    let frames = EhFrame::new(section.data().unwrap(), LittleEndian);
    let mut ranges = Vec::new();
    let mut entries = frames.entries(&bases);
    while let Some(entry) = entries.next().unwrap() {
        if let CieOrFde::Fde(entry) = entry {
            let entry = entry.parse(EhFrame::cie_from_offset).unwrap();
            let mut context = UnwindContext::new();
            let mut rows = entry.rows(&frames, &bases, &mut context).unwrap();
            while rows.next_row().unwrap().is_some() {}
            let start = entry.initial_address() & 0xffff_ffff;
            ranges.push(start..start + entry.len());
        }
    }
    let functions = file.symbols().filter(|symbol| symbol.size() > 0).map(|symbol| {
        let of = [symbol.address(), symbol.address() + symbol.size() - 1];
        let has = of.map(|at| ranges.iter().filter(|range| range.contains(&at)).count());
        (symbol.name().unwrap().to_owned(), has)
    });
    (functions.collect(), ranges.len())
}

#[test]
fn how_to_unwind_is_said_of_all_code_of_either() -> Result<()> {
    let _alone = alone();
    // Entries of the host, one behind another, of so many lengths that some fill up where they are aligned to.
    let entries: String = (0..24).map(|n| format!("(func (export \"e{n}\") (param {}))", "i64 ".repeat(n))).collect();
    let module = |number: u32| {
        format!(
            r#"(core module $m{number} (import "" "next" (func $next (result i32))) {entries}
                (global $g (mut i32) (i32.const 0)) (func $start (global.set $g (i32.const 1))) (start $start)
                (func (export "f") (result i32) (if (result i32) (global.get $g) (then (call $next)) (else unreachable)))
                (func (export "h") (param f64 i64) (result f64) (f64.floor (local.get 0))))"#
        )
    };
    let [first, second, third] = [0, 1, 2].map(module);
    let refused = refused().replacen("(module", "(core module $refused", 1);
    let text = format!(
        r#"(component
            (import "host" (func $host (result u32)))
            (core func $host (canon lower (func $host)))
            {first} {refused} {second} {third}
            (core instance $i0 (instantiate $m0 (with "" (instance (export "next" (func $host))))))
            (alias core export $i0 "f" (core func $f0))
            (core instance $i1 (instantiate $m1 (with "" (instance (export "next" (func $f0))))))
            (func (export "g") (result u32) (canon lift (core func $i1 "f"))))"#
    );
    for unwind in [true, false] {
        let engine = Engine::new(Config::new().native_unwind_info(unwind))?;
        let (artifact, compiled, refused) = counted(|| engine.precompile_component(&wat::parse_str(&text)?));
        assert_eq!((compiled, refused), (3, 1));
        let artifact = artifact?;
        if !unwind {
            assert!(object::File::parse(&*artifact).unwrap().section_by_name(".eh_frame").is_none());
            continue;
        }
        let (functions, entries) = unwinds(&artifact);
        assert!(functions.len() > 3 * 24 * 2 && entries >= functions.len(), "{functions:?} {entries}");
        for (name, entries) in functions {
            assert_eq!(entries, [1, 1], "{name}");
        }
    }
    Ok(())
}

/// Far from the test's own code, so that its name is in backtraces of what it calls.
#[inline(never)]
fn a_host_that_calls_wasm(store: &mut Store<String>, g: component::TypedFunc<(), (u32,)>) -> Result<()> {
    assert_eq!(g.call(&mut *store, ())?, (42,));
    std::hint::black_box(());
    Ok(())
}

#[test]
fn a_hosts_backtrace_goes_through_wasm_of_either() -> Result<()> {
    let _alone = alone();
    // The host, a refused module, and one that Lightbeam compiles, in either order.
    let calls = |name: &str| {
        format!(
            r#"(import "" "next" (func $next (result i32)))
            (func (export "{name}") (result i32) (call $next))"#
        )
    };
    let of_lightbeam = format!("(core module $own {})", calls("f"));
    let of_original = refused().replacen("(module", &format!("(core module $refused {}", calls("g")), 1);
    for order in [["own", "refused"], ["refused", "own"]] {
        let export = |module: &str| if module == "own" { "f" } else { "g" };
        let [inner, outer] = order;
        let text = format!(
            r#"(component
                (import "host" (func $host (result u32)))
                (core func $host (canon lower (func $host)))
                {of_lightbeam} {of_original}
                (core instance $inner (instantiate ${inner} (with "" (instance (export "next" (func $host))))))
                (alias core export $inner "{0}" (core func $next))
                (core instance $outer (instantiate ${outer} (with "" (instance (export "next" (func $next))))))
                (func (export "g") (result u32) (canon lift (core func $outer "{1}"))))"#,
            export(inner),
            export(outer)
        );
        for unwind in [true, false] {
            let engine = Engine::new(Config::new().native_unwind_info(unwind))?;
            let (component, compiled, refused) = counted(|| Component::new(&engine, &text));
            assert_eq!((compiled, refused), (1, 1));
            let mut linker = component::Linker::new(&engine);
            linker.root().func_wrap("host", |mut store: wasmtime::StoreContextMut<'_, String>, (): ()| {
                *store.data_mut() = Backtrace::force_capture().to_string();
                Ok((42_u32,))
            })?;
            let mut store = Store::new(&engine, String::new());
            let instance = linker.instantiate(&mut store, &component?)?;
            let g = instance.get_typed_func(&mut store, "g")?;
            a_host_that_calls_wasm(&mut store, g)?;
            let backtrace = store.data();
            assert_eq!(backtrace.contains("a_host_that_calls_wasm"), unwind, "{backtrace}");
        }
    }
    Ok(())
}
