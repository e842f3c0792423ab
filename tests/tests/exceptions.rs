//! Exceptions between compilers, instances, host functions and threads. What they do inside a module, the scripts show.

use lightbeam::Compiler;
use lightbeam_tests::backend::{Pair, Setup};

use wasmtime::{
    AsContextMut, Caller, Collector, Engine, ExnRef, ExnRefPre, ExnType, Func, FuncType, Instance, Linker, Module,
    Result, Store, Tag, TagType, ThrownException, Val, ValType,
};

/// All ways to give two modules to two compilers: `true` is Lightbeam.
const SIDES: [(bool, bool); 4] = [(true, false), (false, true), (true, true), (false, false)];

fn compile(pair: &Pair, lightbeam: bool, wat: &str) -> Module {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    if lightbeam { pair.lightbeam(&wasm).unwrap() } else { pair.cranelift(&wasm).unwrap() }
}

/// Every way to throw, through every way to call.
const THROWER: &str = r#"(module
  (tag $t (export "t") (param i32 f64))
  (tag $other (export "other"))
  (func $throw (export "throw") (param i32)
    (if (local.get 0) (then (throw $t (local.get 0) (f64.convert_i32_s (local.get 0))))))
  (func (export "tail") (param i32) (return_call $throw (local.get 0)))
  (func $nest (export "nest") (param i32)
    (block $h
      (try_table (catch $other $h)
        (if (i32.and (local.get 0) (i32.const 7))
          (then (call $nest (i32.sub (local.get 0) (i32.const 1))))
          (else (call $throw (local.get 0)))))))
  (func (export "again") (param i32)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (call $nest (local.get 0)))
      (return))
    (throw_ref)))"#;

const CATCHER: &str = r#"(module
  (import "a" "t" (tag $t (param i32 f64)))
  (import "a" "throw" (func $throw (param i32)))
  (import "a" "tail" (func $tail (param i32)))
  (import "a" "nest" (func $nest (param i32)))
  (import "a" "again" (func $again (param i32)))
  (import "h" "through" (func $through (param funcref i32)))
  (memory 1)
  (table 4 funcref)
  (elem (i32.const 0) $throw $tail $nest $again)
  (func (export "run") (param $n i32) (result f64)
    (local $a i32) (local $b i64) (local $c f64) (local $caught f64) (local $way i32)
    (loop $l
      (block $next
        (block $h (result i32 f64)
          (try_table (catch $t $h)
            (local.set $a (i32.add (local.get $a) (local.get $n)))
            (local.set $b (i64.add (local.get $b) (i64.extend_i32_s (local.get $a))))
            (i32.store (i32.const 8) (local.get $a))
            (if (i32.lt_u (local.tee $way (i32.rem_u (local.get $n) (i32.const 8))) (i32.const 4))
              (then (call_indirect (param i32) (local.get $n) (local.get $way)))
              (else
                (call $through (table.get (i32.and (local.get $way) (i32.const 3))) (local.get $n))))
            (local.set $c (f64.add (local.get $c) (f64.const 0.5))))
          (br $next))
        (f64.add (local.get $caught))
        (local.set $caught)
        (f64.add (f64.convert_i32_s) (local.get $caught))
        (local.set $caught)
        (if (i32.ne (i32.load (i32.const 8)) (local.get $a)) (then unreachable)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f64.add (local.get $caught)
      (f64.add (local.get $c) (f64.add (f64.convert_i32_s (local.get $a)) (f64.convert_i64_s (local.get $b)))))))"#;

#[test]
fn exceptions_pass_instances_of_both_compilers_and_host_functions() {
    for setup in [Setup::default(), Setup { fuel: true, epochs: true, signals: false, ..Setup::default() }] {
        let pair = setup.engine().unwrap();
        let mut results = Vec::new();
        for (thrower, catcher) in SIDES {
            let (thrower, catcher) = (compile(&pair, thrower, THROWER), compile(&pair, catcher, CATCHER));
            let mut store = Store::new(&pair.engine, ());
            if setup.fuel {
                store.set_fuel(1 << 40).unwrap();
            }
            store.set_epoch_deadline(1 << 40);
            let mut linker = Linker::new(&pair.engine);
            let through = |mut caller: Caller<'_, ()>, func: Option<Func>, n: i32| -> Result<()> {
                func.expect("not null").typed::<i32, ()>(&caller)?.call(&mut caller, n)
            };
            linker.func_wrap("h", "through", through).unwrap();
            linker.module(&mut store, "a", &thrower).unwrap();
            let instance = linker.instantiate(&mut store, &catcher).unwrap();
            let run = instance.get_typed_func::<i32, f64>(&mut store, "run").unwrap();
            results.push(run.call(&mut store, 100).unwrap());
        }
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        // Each number is thrown but where a nest ends at 0.
        assert!(results[0] > 5000.0);
    }
}

/// What the host throws is caught by wasm, what wasm throws reaches the host, with what it carries.
#[test]
fn the_host_throws_and_catches() {
    const MODULE: &str = r#"(module
      (import "h" "t" (tag $t (param i32 i64)))
      (import "h" "throw" (func $throw (param i32)))
      (func (export "catch") (param i32) (result i32 i64)
        (block $h (result i32 i64)
          (try_table (catch $t $h) (call $throw (local.get 0)))
          (unreachable)))
      (func (export "throw") (throw $t (i32.const 3) (i64.const 4))))"#;
    for collector in [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null] {
        let mut config = Setup::default().config();
        config.collector(collector);
        let engine = Engine::new(&config).unwrap();
        let compiler = Compiler::for_engine(&engine).unwrap();
        let module = compiler.module(MODULE).unwrap();
        let mut store = Store::new(&engine, ());
        let func = FuncType::new(&engine, [ValType::I32, ValType::I64], []);
        let tag = Tag::new(&mut store, &TagType::new(func.clone())).unwrap();
        let ty = ExnType::from_tag_type(&TagType::new(func)).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define(&store, "h", "t", tag).unwrap();
        let throw = move |mut caller: Caller<'_, ()>, n: i32| -> Result<()> {
            let allocator = ExnRefPre::new(&mut caller, ty.clone());
            let exception = ExnRef::new(&mut caller, &allocator, &tag, &[Val::I32(n), Val::I64(n.into())])?;
            caller.as_context_mut().throw(exception)?;
            Ok(())
        };
        linker.func_wrap("h", "throw", throw).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let catch = instance.get_typed_func::<i32, (i32, i64)>(&mut store, "catch").unwrap();
        for n in 0..1000 {
            assert_eq!(catch.call(&mut store, n).unwrap(), (n, n.into()), "{collector:?}");
        }
        let throw = instance.get_typed_func::<(), ()>(&mut store, "throw").unwrap();
        let error = throw.call(&mut store, ()).unwrap_err();
        assert!(error.is::<ThrownException>(), "{error:?}");
        let exception = store.take_pending_exception().expect("it is pending");
        let values: Vec<i64> = (0..2)
            .map(|i| match exception.field(&mut store, i).unwrap() {
                Val::I32(value) => value.into(),
                Val::I64(value) => value,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(values, [3, 4]);
    }
}

/// The scripts again, under the other collectors.
#[test]
fn the_scripts_pass_with_every_collector() {
    use lightbeam_cli::wast::{config_for, run_file};
    for collector in [Collector::DeferredReferenceCounting, Collector::Null] {
        for name in ["exceptions", "exnref"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("wast/{name}.wast"));
            let mut config = config_for(&path);
            config.collector(collector);
            let report = run_file(&path, &Compiler::new(&config).unwrap());
            assert!(report.failures.is_empty(), "{collector:?}: {report}");
        }
    }
}

/// A stack of frames with handlers of other tags, most of which the host must look at.
#[test]
fn exceptions_come_up_from_deep_stacks() {
    const MODULE: &str = r#"(module
      (tag $t) (tag $other)
      (func $down (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (throw $t)))
        (block $h
          (try_table (catch $other $h)
            (return (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))))
        (i32.const -1))
      (func (export "run") (param i32) (result i32)
        (block $h
          (try_table (catch $t $h) (return (call $down (local.get 0)))))
        (i32.const 7)))"#;
    let pair = Setup::default().engine().unwrap();
    let module = compile(&pair, true, MODULE);
    let mut store = Store::new(&pair.engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    for depth in [0, 1, 100, 3000] {
        assert_eq!(run.call(&mut store, depth).unwrap(), 7);
    }
}

/// The table does not show who compiled what.
#[test]
fn the_same_table_whatever_the_number_of_threads() {
    let one = "(func (param i32) (result i32)
      (block $h (result i32) (try_table (result i32) (catch $t $h) (call $f (local.get 0)))))";
    let wat = format!(
        "(module (tag $t (param i32)) (func $f (param i32) (result i32) (throw $t (local.get 0))) {})",
        one.repeat(4000)
    );
    let wasm = wat::parse_str(wat).unwrap();
    let config = Setup::default().config();
    let artifact = |threads| Compiler::new(&config).unwrap().threads(threads).precompile(&wasm).unwrap();
    assert!(artifact(1) == artifact(4));
}

/// How long it takes, `bench gc throw` measures.
#[test]
fn exceptions_by_the_thousand_in_one_loop() {
    const MODULE: &str = r#"(module
      (tag $t (param i32))
      (func $throw (param i32) (throw $t (local.get 0)))
      (func (export "run") (param $n i32) (result i32)
        (local $sum i32)
        (loop $l
          (block $h (result i32)
            (try_table (catch $t $h) (call $throw (local.get $n)))
            (unreachable))
          (local.set $sum (i32.add (local.get $sum)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))"#;
    let pair = Setup::default().engine().unwrap();
    for lightbeam in [false, true] {
        let module = compile(&pair, lightbeam, MODULE);
        let mut store = Store::new(&pair.engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 20_000).unwrap(), 200_010_000);
    }
}
