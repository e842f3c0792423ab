//! How running code stops: traps with backtraces through host and wasm, stack overflow however the stack is used,
//! fuel that runs out, epochs that end.

use lightbeam_tests::backend::{Pair, Setup};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::{Caller, Config, Engine, Func, Instance, Module, Result, Store, Trap, UpdateDeadline, WasmBacktrace};

fn with(change: impl FnOnce(&mut Config)) -> (Engine, lightbeam::Compiler) {
    let mut config = Config::new();
    change(&mut config);
    let engine = Engine::new(&config).unwrap();
    let compiler = lightbeam::Compiler::for_engine(&engine).unwrap();
    (engine, compiler)
}

fn both(engine: &Engine, compiler: &lightbeam::Compiler, wat: &str) -> [(&'static str, Module); 2] {
    [("cranelift", Module::new(engine, wat).unwrap()), ("lightbeam", compiler.module(wat).unwrap())]
}

/// Function names and offsets into the module, innermost first.
fn frames(error: &wasmtime::Error) -> Vec<(String, Option<usize>)> {
    let backtrace = error.downcast_ref::<WasmBacktrace>().expect("a trap has a backtrace");
    backtrace.frames().iter().map(|f| (f.func_name().unwrap_or("?").to_string(), f.module_offset())).collect()
}

#[test]
fn backtraces_go_through_wasm_and_host_and_are_the_same_as_cranelifts() {
    let (engine, compiler) = with(|_| {});
    let wat = r#"(module
        (import "host" "again" (func $again (param i32)))
        (memory 1) (table 2 funcref) (elem (i32.const 0) $leaf)
        (func $leaf (param i32)
          (block (block (block (block (block (block local.get 0 br_table 0 1 2 3 4 5)
            unreachable)
            (drop (i32.load (i32.const -1)))  return)
            (drop (i32.div_s (i32.const 1) (i32.const 0))) return)
            (drop (i32.trunc_f32_s (f32.const nan))) return)
            (call_indirect (param i32) (i32.const 0) (i32.const 1)) return)
          (drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (i32.sub (local.get 0) (i32.const 5))))))
        (func $middle (param i32) local.get 0 i32.const 0 call_indirect (param i32) (call $nothing))
        (func $nothing)
        (func $outer (export "outer") (param i32) (call $middle (local.get 0)) (call $nothing))
        (func $tail (export "tail") (param i32) (return_call $outer (local.get 0)))
        (func $behind (export "behind") (param i32) (call $tail (local.get 0)) (call $nothing))
        (func $host (export "host") (param i32) (call $again (local.get 0)) (call $nothing)))"#;
    for export in ["outer", "tail", "behind", "host"] {
        for kind in 0..6 {
            let mut seen = Vec::new();
            for (_, module) in both(&engine, &compiler, wat) {
                let mut store = Store::new(&engine, ());
                let again = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, kind: i32| -> Result<()> {
                    let behind = caller.get_export("behind").unwrap().into_func().unwrap();
                    behind.typed::<i32, ()>(&caller)?.call(&mut caller, kind)
                });
                let instance = Instance::new(&mut store, &module, &[again.into()]).unwrap();
                let func = instance.get_typed_func::<i32, ()>(&mut store, export).unwrap();
                let error = func.call(&mut store, kind).unwrap_err();
                seen.push((*error.downcast_ref::<Trap>().unwrap(), frames(&error)));
            }
            assert_eq!(seen[0], seen[1], "{export} {kind}");
            let names: Vec<&str> = seen[1].1.iter().map(|(name, _)| name.as_str()).collect();
            let host = ["leaf", "middle", "outer", "behind", "host"];
            assert_eq!(
                names,
                match export {
                    "outer" | "tail" => &host[..3],
                    "behind" => &host[..4],
                    _ => &host[..],
                }
            );
            assert!(seen[1].1.iter().all(|(_, offset)| offset.is_some()));
        }
    }
}

#[test]
fn a_host_function_sees_the_frames_that_called_it() {
    let (engine, compiler) = with(|_| {});
    let wat = r#"(module
        (import "host" "look" (func $look (result i32)))
        (func $direct (export "direct") (result i32) call $look i32.const 1 i32.add)
        (func $tail (export "tail") (result i32) return_call $look)
        (func $over_tail (export "over_tail") (result i32) call $tail i32.const 1 i32.add)
        (table 1 funcref) (elem (i32.const 0) $look)
        (func $indirect (export "indirect") (result i32) (call_indirect (result i32) (i32.const 0)) i32.const 1 i32.add))"#;
    for export in ["direct", "tail", "over_tail", "indirect"] {
        let mut seen = Vec::new();
        for (_, module) in both(&engine, &compiler, wat) {
            let mut store = Store::new(&engine, Vec::new());
            let look = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<String>>| {
                let backtrace = WasmBacktrace::force_capture(&caller);
                let names = backtrace.frames().iter().map(|f| f.func_name().unwrap_or("?").to_string()).collect();
                *caller.data_mut() = names;
                41
            });
            let instance = Instance::new(&mut store, &module, &[look.into()]).unwrap();
            let func = instance.get_typed_func::<(), i32>(&mut store, export).unwrap();
            let value = func.call(&mut store, ()).unwrap();
            seen.push((value, store.data().clone()));
        }
        assert_eq!(seen[0], seen[1], "{export}");
    }
}

#[test]
fn recursion_without_end_is_a_trap() {
    let many: String = (0..200).map(|i| format!("(local.set {i} (i64.add (local.get {i}) (i64.const {i})))")).collect();
    let all: String = (0..200).map(|i| format!("(local.get {i})")).collect();
    let wat = format!(
        r#"(module
        (import "host" "again" (func $again (param i32)))
        (table 2 funcref) (elem (i32.const 0) $indirect)
        (type $wide (func (param {wide})))
        (func $direct (export "direct") (param i32) (call $direct (local.get 0)) (drop (i32.const 1)))
        (func $indirect (export "indirect") (param i32)
          (call_indirect (param i32) (local.get 0) (i32.const 0)) (drop (i32.const 1)))
        (func $even (export "mutual") (param i32) (call $odd (local.get 0) (i64.const 1)))
        (func $odd (param i32 i64) (call $even (local.get 0)))
        (func $host (export "host") (param i32) (call $again (local.get 0)))
        (func $big (export "big") (param i32) (call $frame {zeros}))
        (func $frame (type $wide) {many} (call $frame {all}))
        (func $mixed (export "mixed") (param i32)
          (return_call $mixed2 (local.get 0)))
        (func $mixed2 (param i32) (call $mixed (local.get 0)) (drop (i32.const 1))))"#,
        wide = "i64 ".repeat(200),
        zeros = "(i64.const 0)".repeat(200),
    );
    for signals in [true, false] {
        let (engine, compiler) = with(|config| {
            config.signals_based_traps(signals);
        });
        for (name, module) in both(&engine, &compiler, &wat) {
            for export in ["direct", "indirect", "mutual", "host", "big", "mixed"] {
                let mut store = Store::new(&engine, ());
                let again = Func::wrap(&mut store, |mut caller: Caller<'_, ()>, x: i32| -> Result<()> {
                    let host = caller.get_export("host").unwrap().into_func().unwrap();
                    host.typed::<i32, ()>(&caller)?.call(&mut caller, x)
                });
                let instance = Instance::new(&mut store, &module, &[again.into()]).unwrap();
                let func = instance.get_typed_func::<i32, ()>(&mut store, export).unwrap();
                // Twice: the first overflow leaves nothing broken behind.
                for _ in 0..2 {
                    let error = func.call(&mut store, 1).unwrap_err();
                    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow), "{name} {export}: {error:?}");
                }
            }
        }
    }
}

/// A frame larger than what is left of the stack traps at its entry, before it touches anything.
#[test]
fn frames_larger_than_the_stack_are_a_trap() {
    let gets: String =
        (0..40_000).map(|i| format!("(local.set {i} (i64.extend_i32_u (call $id (i32.const {i}))))")).collect();
    let sums: String = (0..40_000).map(|i| format!("(local.get {i}) i64.add ")).collect();
    let wat = format!(
        "(module (func $id (param i32) (result i32) local.get 0)
           (func (export \"f\") (result i64) (local {}) {gets} i64.const 0 {sums}))",
        "i64 ".repeat(40_000)
    );
    for (stack, fits) in [(128 << 10, false), (1 << 20, true)] {
        let (engine, compiler) = with(|config| {
            config.max_wasm_stack(stack);
        });
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &compiler.module(&wat).unwrap(), &[]).unwrap();
        match instance.get_typed_func::<(), i64>(&mut store, "f").unwrap().call(&mut store, ()) {
            Ok(sum) => assert!(fits && sum == 40_000 * 39_999 / 2, "{stack}: {sum}"),
            Err(error) => assert!(!fits && error.downcast_ref() == Some(&Trap::StackOverflow), "{stack}: {error:?}"),
        }
    }
}

#[test]
fn fuel_runs_out_in_every_kind_of_loop_at_the_same_count() {
    let pair: Pair = Setup { fuel: true, ..Setup::default() }.engine().unwrap();
    let wat = r#"(module (memory 1) (table 2 funcref) (elem (i32.const 0) $indirect)
        (func (export "loop") (loop br 0))
        (func (export "counting") (local i64) (loop (local.set 0 (i64.add (local.get 0) (i64.const 1))) (br 0)))
        (func (export "table") (loop (br_table 0 0 0 (i32.const 1))))
        (func $direct (export "tail") (return_call $direct))
        (func $indirect (export "tail indirect") (return_call_indirect (i32.const 0)))
        (func (export "calls") (loop (call $nothing) (br 0)))
        (func $nothing)
        (func (export "fill") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0)))
        (func (export "copy") (loop (memory.copy (i32.const 0) (i32.const 1) (i32.const 60000)) (br 0)))
        (func (export "finite") (local i32)
          (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))
          (if (i32.gt_u (local.get 0) (i32.const 5)) (then (call $nothing)) (else (call $nothing) (call $nothing)))))"#;
    let (cranelift, lightbeam) = pair.both(&wat::parse_str(wat).unwrap()).unwrap();
    for export in ["loop", "counting", "table", "tail", "tail indirect", "calls", "fill", "copy", "finite"] {
        let left = [&cranelift, &lightbeam].map(|module| {
            let mut store = Store::new(&pair.engine, ());
            store.set_fuel(100_000).unwrap();
            let instance = Instance::new(&mut store, module, &[]).unwrap();
            let result = instance.get_typed_func::<(), ()>(&mut store, export).unwrap().call(&mut store, ());
            let out = result.err().map(|error| *error.downcast_ref::<Trap>().unwrap());
            (out, store.get_fuel().unwrap())
        });
        assert_eq!(left[0].0, if export == "finite" { None } else { Some(Trap::OutOfFuel) }, "{export}");
        assert_eq!(left[0], left[1], "{export}");
    }
}

#[test]
fn epochs_interrupt_loops_and_can_be_extended() {
    let setup = Setup { epochs: true, ..Setup::default() };
    let pair = setup.engine().unwrap();
    let wat = r#"(module (table 2 funcref) (elem (i32.const 0) $indirect)
        (func (export "loop") (loop br 0))
        (func (export "nested") (loop (loop (br_if 0 (i32.const 0))) (br 0)))
        (func (export "table") (loop (br_table 0 0 0 (i32.const 1))))
        (func $direct (export "tail") (return_call $direct))
        (func $indirect (export "tail indirect") (return_call_indirect (i32.const 0)))
        (func (export "calls") (loop (call $nothing) (br 0)))
        (func $nothing)
        (func (export "values") (local i64 i64 f64 f64)
          (local.set 0 (i64.const 5)) (local.set 2 (f64.const 2.5))
          (loop
            (if (i64.ne (local.get 0) (i64.const 5)) (then (return)))
            (if (f64.ne (local.get 2) (f64.const 2.5)) (then (return)))
            (br 0))))"#;
    let module = pair.lightbeam(&wat::parse_str(wat).unwrap()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(2));
                pair.engine.increment_epoch();
            }
        });
        for export in ["loop", "nested", "table", "tail", "tail indirect", "calls", "values"] {
            let mut store = Store::new(&pair.engine, 0);
            store.set_epoch_deadline(1);
            // Twice the host lets it go on; then it does not.
            store.epoch_deadline_callback(|mut store| {
                *store.data_mut() += 1;
                if *store.data() < 3 { Ok(UpdateDeadline::Continue(1)) } else { Err(Trap::Interrupt.into()) }
            });
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let error =
                instance.get_typed_func::<(), ()>(&mut store, export).unwrap().call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt), "{export}: {error:?}");
            assert_eq!(*store.data(), 3, "{export}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn host_errors_pass_through_unchanged() {
    let (engine, compiler) = with(|_| {});
    let wat = r#"(module (import "" "fail" (func $fail (param i32) (result i64)))
        (global (export "g") (mut i32) (i32.const 0))
        (func (export "f") (param i32) (result i64)
          (global.set 0 (i32.const 1)) (call $fail (local.get 0)) (global.set 0 (i32.const 2))))"#;
    for (name, module) in both(&engine, &compiler, wat) {
        let mut store = Store::new(&engine, ());
        let fail = Func::wrap(&mut store, |x: i32| -> Result<i64> {
            if x == 0 { Err(wasmtime::Error::msg("the answer is no")) } else { Ok(i64::from(x) << 33) }
        });
        let instance = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
        let func = instance.get_typed_func::<i32, i64>(&mut store, "f").unwrap();
        let error = func.call(&mut store, 0).unwrap_err();
        assert!(format!("{error:?}").contains("the answer is no"), "{name}: {error:?}");
        let global = instance.get_global(&mut store, "g").unwrap();
        assert_eq!(global.get(&mut store).unwrap_i32(), 1, "{name}");
        assert_eq!(func.call(&mut store, -1).unwrap(), -1 << 33, "{name}");
        assert_eq!(global.get(&mut store).unwrap_i32(), 2, "{name}");
    }
}
