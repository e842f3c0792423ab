//! Programs that compile by Wasmtime's own interface, with the stand-in in the place of its compiler.

use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime::component::{self, Component};
use wasmtime::{Config, Engine, Func, Instance, Linker, Module, Result, Store, Trap, WasmBacktrace};
use wasmtime_internal_cranelift::{Modules, is_installed, modules};

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
    let mark = concat!("lightbeam-", "48.0.8").as_bytes();
    assert!(artifact.windows(mark.len()).any(|bytes| bytes == mark));
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
