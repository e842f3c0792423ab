//! Stack switching: the scripts with both compilers under all settings, and what only a host can show. What the
//! operators do inside a module, the scripts show.

mod cranelift;

use cranelift::Cranelift;
use lightbeam_cli::wast::{Modules, run_file};
use lightbeam_tests::backend::{Pair, Setup};
use lightbeam_tests::shared;
use std::path::Path;
use wasmtime::{
    AsContextMut, Caller, Collector, Engine, ExternRef, Func, Instance, Linker, Module, Result, Rooted, Store, Trap,
    WasmBacktrace,
};

/// All ways to give two modules to two compilers: `true` is Lightbeam.
const SIDES: [(bool, bool); 4] = [(true, false), (false, true), (true, true), (false, false)];

const COLLECTORS: [Collector; 3] = [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null];

fn setups() -> [Setup; 4] {
    let base = Setup::default();
    [
        base,
        Setup { signals: false, ..base },
        Setup { fuel: true, epochs: true, lazy_tables: false, ..base },
        Setup { without: lightbeam_tests::backend::Without::ALL, copy_on_write: false, ..base },
    ]
}

fn pair(setup: &Setup, collector: Collector, backtraces: bool) -> Pair {
    let mut config = setup.config();
    config.collector(collector);
    if backtraces {
        config.wasm_backtrace_max_frames(std::num::NonZero::new(100));
    }
    let engine = Engine::new(&config).unwrap();
    // What runs here is proved, too.
    let lightbeam = setup.lightbeam(&engine).unwrap().verify(true);
    Pair { engine, lightbeam, setup: *setup }
}

fn compile(pair: &Pair, lightbeam: bool, wat: &str) -> Module {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}\n{wat}"));
    if lightbeam { pair.lightbeam(&wasm) } else { pair.cranelift(&wasm) }.unwrap()
}

fn store(pair: &Pair) -> Store<()> {
    let mut store = Store::new(&pair.engine, ());
    if pair.setup.fuel {
        store.set_fuel(1 << 40).unwrap();
    }
    store.set_epoch_deadline(1 << 40);
    store
}

/// Scripts with references to objects in frames where stacks change. Cranelift has no stack map there: a collector
/// would not find them, and debug builds say so by an assertion. So no other compiler can be asked.
const WITH_ROOTS: &[&str] = &["references.wast"];

/// Scripts can give no fuel, so these are settings without.
#[test]
fn scripts_give_the_same_with_both_compilers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wast/stack-switching");
    let scripts = shared::files(&folder, "wast");
    assert!(scripts.len() >= 6, "{scripts:?}");
    for setup in setups().map(|setup| Setup { fuel: false, epochs: false, ..setup }) {
        for collector in COLLECTORS {
            let pair = pair(&setup, collector, false);
            for script in &scripts {
                let cranelift = Cranelift(pair.engine.clone());
                let alone = WITH_ROOTS.iter().any(|name| script.ends_with(name));
                let both = [&pair.lightbeam as &dyn Modules, &cranelift];
                for modules in both.into_iter().take(if alone { 1 } else { 2 }) {
                    let report = run_file(script, modules);
                    assert!(report.passed > 0 && report.failures.is_empty(), "{setup:?} {collector:?}\n{report}");
                }
            }
        }
    }
}

/// Runs `run` of a module that imports `h.gc`, with all collectors. Cranelift cannot be asked, see `WITH_ROOTS`.
fn agree(wat: &str, expected: i64) {
    for setup in setups() {
        for collector in COLLECTORS {
            let pair = pair(&setup, collector, false);
            let module = compile(&pair, true, wat);
            let mut store = store(&pair);
            let instance = instantiate(&pair, &mut store, &module);
            let run = instance.get_typed_func::<(), i64>(&mut store, "run").unwrap();
            let result = run.call(&mut store, ()).unwrap_or_else(|error| panic!("{collector:?} {error:?}\n{wat}"));
            assert_eq!(result, expected, "{collector:?}, {setup:?}\n{wat}");
        }
    }
}

fn instantiate(pair: &Pair, store: &mut Store<()>, module: &Module) -> Instance {
    let mut linker = Linker::new(&pair.engine);
    let gc = |mut caller: Caller<'_, ()>| caller.as_context_mut().gc(None);
    linker.func_wrap("h", "gc", gc).unwrap();
    let make = |mut caller: Caller<'_, ()>, number: i32| ExternRef::new(&mut caller, number).map(Some);
    linker.func_wrap("h", "box", make).unwrap();
    let unbox = |caller: Caller<'_, ()>, reference: Option<Rooted<ExternRef>>| match reference {
        None => Ok(-1),
        Some(reference) => {
            Ok(reference.data(&caller)?.and_then(|data| data.downcast_ref::<i32>()).copied().unwrap_or(-2))
        }
    };
    linker.func_wrap("h", "unbox", unbox).unwrap();
    linker.instantiate(store, module).unwrap()
}

/// References that were on a stack while it was suspended, or on their way between stacks, and that a collector moves
/// later. (None may run meanwhile, see `no_collector_looks_through_suspended_stacks`.)
#[test]
fn stacks_that_go_on_know_what_they_refer_to() {
    agree(
        r#"(module
            (import "h" "gc" (func $gc))
            (import "h" "box" (func $box (param i32) (result externref)))
            (import "h" "unbox" (func $unbox (param externref) (result i32)))
            (type $s (struct (field $n (mut i32)) (field i64)))
            (type $ft (func (param (ref null $s) externref) (result (ref null $s))))
            (type $ct (cont $ft))
            (tag $t (param (ref null $s) externref) (result (ref null $s) externref))
            (func $new (param i32) (result (ref $s)) (call $gc) (struct.new $s (local.get 0) (i64.const -1)))
            (func $garbage (local $i i32)
              (loop $l
                (drop (call $new (i32.const 12345)))
                (drop (call $box (i32.const 54321)))
                (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5)))))
            (func $inner (param $a (ref null $s)) (param $x externref) (param $depth i32) (result (ref null $s))
              (local $b (ref null $s)) (local $c (ref null $s))
              (if (local.get $depth)
                (then
                  (local.set $b (call $new (i32.add (i32.const 100) (local.get $depth))))
                  (local.set $c
                    (call $inner (local.get $a) (local.get $x) (i32.sub (local.get $depth) (i32.const 1))))
                  (struct.set $s $n (local.get $c)
                    (i32.add (struct.get $s $n (local.get $b)) (struct.get $s $n (local.get $c))))
                  (return (local.get $c))))
              ;; On the stack while it is suspended, and in locals.
              (call $new (i32.const 1000))
              (suspend $t (call $new (struct.get $s $n (local.get $a))) (local.get $x))
              (local.set $x)
              (local.set $b)
              (call $garbage)
              (local.set $c)
              (call $new (i32.add (struct.get $s $n (local.get $c))
                (i32.add (struct.get $s $n (local.get $b)) (call $unbox (local.get $x))))))
            (func $task (type $ft) (call $inner (local.get 0) (local.get 1) (i32.const 3)))
            (elem declare func $task)
            (type $fback (func (param (ref null $s) externref) (result (ref null $s))))
            (type $cback (cont $fback))
            (func (export "run") (result i64)
              (local $k (ref null $cback)) (local $s (ref null $s)) (local $x externref) (local $sum i32) (local $i i32)
              (local $mine (ref null $s))
              (loop $again
                (local.set $mine (call $new (i32.const 3000000)))
                (block $h (result (ref null $s) externref (ref $cback))
                  (resume $ct (on $t $h) (call $new (i32.const 7)) (call $box (i32.const 20))
                    (cont.new $ct (ref.func $task)))
                  (unreachable))
                (local.set $k) (local.set $x) (local.set $s)
                (local.set $sum (i32.add (local.get $sum)
                  (i32.add (struct.get $s $n (local.get $s)) (call $unbox (local.get $x)))))
                (struct.new $s (i32.const 50000) (i64.const 1))
                (call $box (i32.const 400000))
                (local.set $s (resume $cback (local.get $k)))
                (call $garbage)
                (local.set $sum (i32.add (local.get $sum) (struct.get $s $n (local.get $s))))
                (local.set $sum (i32.add (local.get $sum) (struct.get $s $n (local.get $mine))))
                (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
              (i64.extend_i32_u (local.get $sum))))"#,
        // 7 and 20 come out; 1000, 50000, 400000, and 101, 102 and 103 on the way back.
        3 * (27 + 451_000 + 306 + 3_000_000),
    );
}

/// Stacks that wait for the ones that they have resumed are looked through.
#[test]
fn parents_keep_what_they_refer_to() {
    agree(
        r#"(module
            (import "h" "gc" (func $gc))
            (type $s (struct (field $n (mut i32))))
            (type $ft (func (param (ref null $s)) (result (ref null $s))))
            (type $ct (cont $ft))
            (tag $e (param (ref null $s)))
            (func $new (param i32) (result (ref $s)) (call $gc) (struct.new $s (local.get 0)))
            (func $plus (param (ref null $s) (ref null $s)) (result (ref $s))
              (call $gc)
              (struct.new $s (i32.add (struct.get $s $n (local.get 0)) (struct.get $s $n (local.get 1)))))
            (func $inner (type $ft) (local $mine (ref null $s))
              (local.set $mine (call $new (i32.const 20)))
              (call $gc)
              (throw $e (call $plus (local.get $mine) (local.get 0))))
            (func $middle (type $ft) (local $mine (ref null $s))
              (local.set $mine (call $new (i32.const 300)))
              (local.get $mine)
              (call $new (i32.const 4000))
              (call $plus (resume $ct (call $new (i32.const 50000)) (cont.new $ct (ref.func $catches))))
              (call $plus))
            (func $catches (type $ft) (local $mine (ref null $s))
              (local.set $mine (call $new (i32.const 600000)))
              (block $h (result (ref null $s))
                (try_table (catch $e $h)
                  (drop (resume $ct (call $plus (local.get 0) (local.get $mine)) (cont.new $ct (ref.func $inner)))))
                (unreachable))
              (call $plus (local.get $mine)))
            (elem declare func $inner $middle $catches)
            (func (export "run") (result i64) (local $mine (ref null $s))
              (local.set $mine (call $new (i32.const 7000000)))
              (i64.extend_i32_u (struct.get $s $n
                (call $plus (local.get $mine) (resume $ct (local.get $mine) (cont.new $ct (ref.func $middle))))))))"#,
        7_000_000 + 300 + 4000 + 600_000 + 20 + 50_000 + 600_000,
    );
}

/// Wasmtime 48 panics where a collector runs while any continuation is suspended, whoever compiled it: its walk expects
/// a stack around the suspended one. When this test fails, the two above can collect while stacks are suspended, too.
#[test]
fn no_collector_looks_through_suspended_stacks() {
    const MODULE: &str = r#"(module
      (type $ft (func)) (type $ct (cont $ft))
      (import "h" "gc" (func $gc))
      (import "h" "box" (func $box (param i32) (result externref)))
      (tag $t)
      (func $task (suspend $t))
      (elem declare func $task)
      (func (export "run")
        (drop (call $box (i32.const 1)))
        (block $h (result (ref $ct)) (resume $ct (on $t $h) (cont.new $ct (ref.func $task))) (return))
        (call $gc)
        (drop)))"#;
    let pair = pair(&Setup::default(), Collector::Copying, false);
    for lightbeam in [false, true] {
        let module = compile(&pair, lightbeam, MODULE);
        let mut store = store(&pair);
        let instance = instantiate(&pair, &mut store, &module);
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let call = std::panic::AssertUnwindSafe(|| run.call(&mut store, ()));
        let panic = std::panic::catch_unwind(call).unwrap_err();
        let message = panic.downcast_ref::<&str>().map(ToString::to_string).or(panic.downcast_ref::<String>().cloned());
        assert!(message.is_some_and(|message| message.contains("VMStackLimits")), "Lightbeam {lightbeam}");
    }
}

/// A module that suspends, resumes, and calls another's functions, which do the same with its continuations.
const OTHER: &str = r#"(module
  (rec (type $ft (func (param i32) (result i32))) (type $ct (cont $ft)))
  (rec (type $fs (func (param i64 (ref null $cs)) (result i32))) (type $cs (cont $fs)))
  (tag $t (export "t") (param i32) (result i32))
  (tag $switch (export "switch") (result i32))
  (tag $e (export "e") (param i32))
  (memory 1)
  (global (export "null") (ref null $ct) (ref.null $ct))
  (table (export "table") 5 (ref null $ct))
  (func (export "task") (type $ft)
    (i32.store (i32.const 0) (local.get 0))
    (i32.add (suspend $t (i32.load (i32.const 0))) (i32.load (i32.const 0))))
  (func (export "throws") (type $ft) (throw $e (suspend $t (local.get 0))))
  (func (export "turn") (type $fs)
    (i32.store (i32.const 4) (i32.wrap_i64 (local.get 0)))
    (drop (switch $cs $switch (i64.add (local.get 0) (i64.const 1)) (local.get 1)))
    (drop)
    (i32.load (i32.const 4)))
  (func (export "resume") (param (ref null $ct) i32) (result i32 (ref null $ct))
    (block $h (result i32 (ref $ct))
      (resume $ct (on $t $h) (local.get 1) (local.get 0))
      (return (ref.null $ct))))
  (func $many (export "many") (param i32 (ref null $ct) f64 (ref null $ct) i64 (ref null $ct) (ref null $ct) f32 i32)
    (result i32 (ref null $ct) f32 (ref null $ct) (ref null $ct) i64 (ref null $ct) f64 i32)
    (local.get 8) (local.get 6) (local.get 7) (local.get 5) (local.get 3) (local.get 4) (local.get 1) (local.get 2)
    (local.get 0))
  (func (export "make") (param funcref) (result (ref null $ct))
    (cont.new $ct (ref.cast (ref $ft) (local.get 0)))))"#;

const USER: &str = r#"(module
  (rec (type $ft (func (param i32) (result i32))) (type $ct (cont $ft)))
  (rec (type $fs (func (param i64 (ref null $cs)) (result i32))) (type $cs (cont $fs)))
  (type $f0 (func (result i32)))
  (type $c0 (cont $f0))
  (import "o" "t" (tag $t (param i32) (result i32)))
  (import "o" "switch" (tag $switch (result i32)))
  (import "o" "e" (tag $e (param i32)))
  (import "o" "null" (global $null (ref null $ct)))
  (import "o" "table" (table $table 5 (ref null $ct)))
  (import "o" "task" (func $task (type $ft)))
  (import "o" "throws" (func $throws (type $ft)))
  (import "o" "turn" (func $turn (type $fs)))
  (import "o" "resume" (func $resume (param (ref null $ct) i32) (result i32 (ref null $ct))))
  (import "o" "many"
    (func $many (param i32 (ref null $ct) f64 (ref null $ct) i64 (ref null $ct) (ref null $ct) f32 i32)
      (result i32 (ref null $ct) f32 (ref null $ct) (ref null $ct) i64 (ref null $ct) f64 i32)))
  (type $tm (func (param i32 (ref null $ct) f64 (ref null $ct) i64 (ref null $ct) (ref null $ct) f32 i32)
      (result i32 (ref null $ct) f32 (ref null $ct) (ref null $ct) i64 (ref null $ct) f64 i32)))
  (import "o" "make" (func $make (param funcref) (result (ref null $ct))))
  (import "h" "through" (func $through (param i32) (result i32)))
  (memory 1)
  (table $own 3 (ref null $ct) (global.get $null))
  (func $mine (type $ft) (i32.store (i32.const 0) (i32.const 77)) (i32.add (suspend $t (i32.const 5)) (local.get 0)))
  (func $first (type $f0) (local $n i64)
    (i32.store (i32.const 8) (i32.const 3))
    (drop (switch $cs $switch (i64.const 40) (cont.new $cs (ref.func $turn))))
    (local.set $n)
    (i32.add (i32.wrap_i64 (local.get $n)) (i32.load (i32.const 8))))
  (elem declare func $task $throws $mine $first $turn $many)

  (func (export "theirs") (result i32) (local $k (ref null $ct)) (local $v i32)
    (i32.store (i32.const 0) (i32.const 1000))
    (block $h (result i32 (ref $ct))
      (resume $ct (on $t $h) (i32.const 20) (cont.new $ct (ref.func $task)))
      (return (i32.const -1)))
    (local.set $k) (local.set $v)
    (i32.add (resume $ct (i32.const 300) (local.get $k)) (i32.add (local.get $v) (i32.load (i32.const 0)))))
  (func (export "ours") (result i32) (local $k (ref null $ct)) (local $v i32)
    (call $resume (cont.new $ct (ref.func $mine)) (i32.const 20))
    (local.set $k) (local.set $v)
    (call $resume (local.get $k) (i32.const 300))
    (drop)
    (i32.add (i32.add (local.get $v) (i32.load (i32.const 0)))))
  (func (export "made") (result i32) (local $k (ref null $ct))
    (call $resume (call $make (ref.func $mine)) (i32.const 1))
    (local.set $k)
    (i32.add (resume $ct (i32.const 2) (local.get $k))))
  (func (export "turns") (result i32)
    (resume $c0 (on $switch switch) (cont.new $c0 (ref.func $first))))
  (func (export "thrown") (result i32) (local $k (ref null $ct)) (local $v i32)
    (call $resume (cont.new $ct (ref.func $throws)) (i32.const 4))
    (local.set $k) (local.set $v)
    (block $c (result i32)
      (try_table (catch $e $c) (drop (call $resume (local.get $k) (i32.const 50))) (drop))
      (unreachable))
    (i32.add (local.get $v)))
  (func (export "tables") (result i32)
    (table.set $table (i32.const 2) (cont.new $ct (ref.func $mine)))
    (table.copy $own $table (i32.const 0) (i32.const 1) (i32.const 2))
    (i32.add (ref.is_null (table.get $own (i32.const 0)))
      (i32.mul (i32.const 10) (ref.is_null (table.get $own (i32.const 1))))))
  (func $tail (type $tm)
    (return_call $many (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6)
      (local.get 7) (local.get 8)))
  (func $check (param i32 (ref null $ct) f32 (ref null $ct) (ref null $ct) i64 (ref null $ct) f64 i32) (result i32)
    (if (i32.ne (i32.const 9) (local.get 0)) (then unreachable))
    (if (f32.ne (f32.const 8) (local.get 2)) (then unreachable))
    (if (i64.ne (i64.const 5) (local.get 5)) (then unreachable))
    (if (f64.ne (f64.const 3) (local.get 7)) (then unreachable))
    (if (i32.ne (i32.const 1) (local.get 8)) (then unreachable))
    (drop (call $resume (local.get 1) (i32.const 0)))
    (drop (call $resume (local.get 4) (i32.const 0)))
    (i32.add)
    (i32.add (ref.is_null (local.get 3)))
    (i32.add (ref.is_null (local.get 6))))
  (func (export "many") (result i32)
    (call $check
      (call $many (i32.const 1) (ref.null $ct) (f64.const 3) (cont.new $ct (ref.func $mine)) (i64.const 5) (ref.null $ct)
        (cont.new $ct (ref.func $mine)) (f32.const 8) (i32.const 9)))
    (call $check
      (call $tail (i32.const 1) (ref.null $ct) (f64.const 3) (cont.new $ct (ref.func $mine)) (i64.const 5) (ref.null $ct)
        (cont.new $ct (ref.func $mine)) (f32.const 8) (i32.const 9)))
    (call $check
      (call_ref $tm (i32.const 1) (ref.null $ct) (f64.const 3) (cont.new $ct (ref.func $mine)) (i64.const 5)
        (ref.null $ct) (cont.new $ct (ref.func $mine)) (f32.const 8) (i32.const 9) (ref.func $tail)))
    (elem.drop $none) (i32.add) (i32.add))
  (elem $none func)
  (elem declare func $tail)
  ;; A host function on a continuation's stack enters wasm again, which has stacks of its own.
  (func $calls_host (type $ft) (i32.add (call $through (local.get 0)) (suspend $t (i32.const 1))))
  (elem declare func $calls_host)
  (func (export "host") (param i32) (result i32) (local $k (ref null $ct)) (local $v i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 100))))
    (block $h (result i32 (ref $ct))
      (resume $ct (on $t $h) (i32.sub (local.get 0) (i32.const 1)) (cont.new $ct (ref.func $calls_host)))
      (return))
    (local.set $k) (local.set $v)
    (resume $ct (local.get $v) (local.get $k)))
  ;; Behind the host nobody's handlers are seen.
  (func $suspends (type $ft) (suspend $t (local.get 0)))
  (func (export "suspend") (param i32) (result i32) (call $suspends (local.get 0)))
)"#;

#[test]
fn instances_of_both_compilers_share_continuations() {
    for setup in setups() {
        let pair = pair(&setup, Collector::Copying, false);
        for (other, user) in SIDES {
            let (theirs, ours) = (compile(&pair, other, OTHER), compile(&pair, user, USER));
            let mut store = store(&pair);
            let mut linker = Linker::new(&pair.engine);
            let through = |mut caller: Caller<'_, ()>, n: i32| -> Result<i32> {
                let again = caller.get_export("host").and_then(|export| export.into_func()).expect("it is exported");
                again.typed::<i32, i32>(&caller)?.call(&mut caller, n)
            };
            linker.func_wrap("h", "through", through).unwrap();
            linker.module(&mut store, "o", &theirs).unwrap();
            let instance = linker.instantiate(&mut store, &ours).unwrap();
            let mut run = |name: &str| {
                let run = instance.get_typed_func::<(), i32>(&mut store, name).unwrap();
                run.call(&mut store, ()).unwrap_or_else(|error| panic!("{name} {other} {user} {setup:?} {error:?}"))
            };
            assert_eq!(run("theirs"), 300 + 20 + 20 + 1000);
            assert_eq!(run("ours"), 5 + 77 + 320);
            assert_eq!(run("made"), 5 + 1 + 2);
            assert_eq!(run("turns"), 41 + 3);
            assert_eq!(run("thrown"), 50 + 4);
            assert_eq!(run("tables"), 1);
            assert_eq!(run("many"), 3 * (5 + 5 + 2));
            let host = instance.get_typed_func::<i32, i32>(&mut store, "host").unwrap();
            assert_eq!(host.call(&mut store, 5).unwrap(), 105, "{other} {user} {setup:?}");
            assert_eq!(host.call(&mut store, 20).unwrap(), 120);
            let suspend = instance.get_typed_func::<i32, i32>(&mut store, "suspend").unwrap();
            let error = suspend.call(&mut store, 1).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::UnhandledTag));
            assert_eq!(host.call(&mut store, 3).unwrap(), 103);
        }
    }
}

/// The frames of all stacks are there, innermost first, whichever compiler made them.
#[test]
fn backtraces_go_through_stacks() {
    const MODULE: &str = r#"(module
      (type $ft (func)) (type $ct (cont $ft))
      (import "h" "look" (func $look))
      (tag $t)
      (func $leaf (param i32) (if (local.get 0) (then (call $look)) (else (unreachable))))
      (global $trap (mut i32) (i32.const 1))
      (func $inner (suspend $t) (call $leaf (global.get $trap)))
      (func $middle (call $resumes (ref.func $inner)))
      (func $resumes (param (ref $ft)) (local $k (ref null $ct))
        (block $h (result (ref $ct))
          (resume $ct (on $t $h) (cont.new $ct (local.get 0)))
          (return))
        (local.set $k)
        (resume $ct (local.get $k)))
      (elem declare func $inner $middle)
      (func $run (export "run") (call $resumes (ref.func $middle)))
      (func $trap (export "trap") (global.set $trap (i32.const 0)) (call $resumes (ref.func $middle))))"#;
    fn names(trace: &WasmBacktrace) -> Vec<String> {
        trace.frames().iter().map(|frame| frame.func_name().unwrap_or("?").to_string()).collect()
    }
    let pair = pair(&Setup::default(), Collector::Copying, true);
    for lightbeam in [false, true] {
        let module = compile(&pair, lightbeam, MODULE);
        let mut store = Store::new(&pair.engine, Vec::new());
        let look = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<Vec<String>>>| {
            let trace = names(&WasmBacktrace::force_capture(&caller));
            caller.data_mut().push(trace);
        });
        let instance = Instance::new(&mut store, &module, &[look.into()]).unwrap();
        let expected = ["leaf", "inner", "resumes", "middle", "resumes", "run"];
        instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap();
        assert_eq!(store.data()[0], expected, "Lightbeam {lightbeam}");
        let trap = instance.get_typed_func::<(), ()>(&mut store, "trap").unwrap();
        let error = trap.call(&mut store, ()).unwrap_err();
        let trace = names(error.downcast_ref::<WasmBacktrace>().unwrap());
        assert_eq!(trace, ["leaf", "inner", "resumes", "middle", "resumes", "trap"], "Lightbeam {lightbeam}");
    }
}

/// What the host may do on a continuation's stack: fail, panic, run out of fuel, wait.
#[test]
fn errors_of_the_host_leave_all_stacks() {
    const MODULE: &str = r#"(module
      (type $ft (func)) (type $ct (cont $ft))
      (import "h" "fail" (func $fail))
      (func $inner (call $fail))
      (func $outer (resume $ct (cont.new $ct (ref.func $inner))))
      (elem declare func $inner $outer $spin)
      (func (export "run") (resume $ct (cont.new $ct (ref.func $outer))))
      (func $spin (loop (br 0)))
      (func (export "spin") (resume $ct (cont.new $ct (ref.func $spin)))))"#;
    let setup = Setup { fuel: true, epochs: true, ..Setup::default() };
    let pair = pair(&setup, Collector::Copying, false);
    for lightbeam in [false, true] {
        let module = compile(&pair, lightbeam, MODULE);
        let mut store = store(&pair);
        let fail = Func::wrap(&mut store, || -> Result<()> { Err(wasmtime::format_err!("as told")) });
        let instance = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        for _ in 0..2 {
            assert_eq!(run.call(&mut store, ()).unwrap_err().to_string(), "as told");
        }
        let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        store.set_fuel(10_000).unwrap();
        let error = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::OutOfFuel), "Lightbeam {lightbeam}");
        store.set_fuel(1 << 40).unwrap();
        store.set_epoch_deadline(0);
        let error = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt), "Lightbeam {lightbeam}");

        let mut store = self::store(&pair);
        let panics = Func::wrap(&mut store, || -> () { std::panic::panic_any("as told") });
        let instance = Instance::new(&mut store, &module, &[panics.into()]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.call(&mut store, ()))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"as told"));
    }
}

/// What Cranelift refuses is refused by name, and where it is.
#[test]
fn what_is_missing_is_refused() {
    let pair = pair(&Setup::default(), Collector::Copying, false);
    const TYPES: &str = "(type $ft (func)) (type $ct (cont $ft)) (tag $c (param (ref null $ct)))
        (type $fx (func (param i32 externref))) (type $cx (cont $fx)) (table $t 1 (ref null $ct))
        (elem $e (ref null $ct) (ref.null $ct))";
    for (body, what) in [
        (
            "(func (param externref (ref $cx)) (cont.bind $cx $ct (i32.const 1) (local.get 0) (local.get 1)) (drop))",
            "binding a reference to an object to a continuation is not supported",
        ),
        ("(func (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)))", "`table.init` of continuations is not"),
        ("(func (throw $c (ref.null $ct)))", "an exception that carries a continuation is not supported"),
        (
            "(func (resume_throw $ct $c (ref.null $ct) (ref.null $ct)))",
            "an exception that carries a continuation is not",
        ),
        ("(type (struct (field (ref null $ct))))", "continuations in objects are not supported"),
        ("(type (array contref))", "continuations in objects are not supported"),
    ] {
        let wasm = wat::parse_str(format!("(module {TYPES} {body})")).unwrap();
        let error = pair.lightbeam(&wasm).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("at offset 0x"), "{body}: {error}");
    }
    // The first argument is a number, which may be bound.
    let fine = "(type $fy (func (param externref))) (type $cy (cont $fy))
        (func (param (ref $cx)) (result (ref $cy)) (cont.bind $cx $cy (i32.const 1) (local.get 0)))";
    pair.lightbeam(&wat::parse_str(format!("(module {TYPES} {fine})")).unwrap()).unwrap();
}

/// Without the feature a module is invalid, as without any other.
#[test]
fn without_the_feature_there_are_no_continuations() {
    let mut config = Setup::default().config();
    let compiler = lightbeam::Compiler::new(config.wasm_stack_switching(false)).unwrap();
    let wasm = wat::parse_str("(module (type $ft (func)) (type $ct (cont $ft)))").unwrap();
    let error = compiler.module(&wasm).unwrap_err().to_string();
    assert!(error.contains("when stack switching is disabled"), "{error}");
}
