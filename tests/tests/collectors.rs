//! References across collections: a collector runs at every call of a host function, and whenever its heap is full, and
//! moves what it can. Each module runs with every collector, as either compiler makes it.

use lightbeam_tests::backend::Setup;
use wasmtime::{AsContextMut, Caller, Collector, Engine, ExternRef, Instance, Linker, Module, Rooted, Store};

/// Runs `run` of a module that imports `h.gc`, with both compilers and all collectors, and compares the result.
fn agree(wat: &str, expected: i64) {
    agree_as(wat, expected, &[false, true]);
}

/// Runs `run` of a module that imports `h.gc` with Cranelift, Lightbeam, or both, as `lightbeam` says.
fn agree_as(wat: &str, expected: i64, lightbeam: &[bool]) {
    let wasm = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    let no_signals = Setup { signals: false, ..Setup::default() };
    // A heap that moves when it grows, with guard pages that are too few to go without checks.
    let small_heap = (Setup::default(), true);
    for (setup, small) in [(Setup::default(), false), small_heap, (no_signals, false), (metered(), false)] {
        for collector in [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null] {
            let mut config = setup.config();
            config.wasm_gc(true).wasm_function_references(true).collector(collector);
            if small {
                config.gc_heap_reservation(1 << 20).gc_heap_guard_size(1 << 16).gc_heap_reservation_for_growth(0);
            }
            let engine = Engine::new(&config).unwrap();
            let compiler = setup.lightbeam(&engine).unwrap();
            for &lightbeam in lightbeam {
                let module = if lightbeam { compiler.module(&wasm) } else { Module::new(&engine, &wasm) }.unwrap();
                let (mut store, instance) = instantiate(&engine, &module);
                let run = instance.get_typed_func::<(), i64>(&mut store, "run").unwrap();
                let result = run.call(&mut store, ()).unwrap_or_else(|error| panic!("{collector:?} {error:?}\n{wat}"));
                assert_eq!(result, expected, "{collector:?}, Lightbeam {lightbeam}, {setup:?}\n{wat}");
            }
        }
    }
}

fn metered() -> Setup {
    Setup { fuel: true, epochs: true, lazy_tables: false, ..Setup::default() }
}

fn instantiate(engine: &Engine, module: &Module) -> (Store<()>, Instance) {
    let mut store = Store::new(engine, ());
    if engine.get_consume_fuel() {
        store.set_fuel(u64::MAX / 4).unwrap();
    }
    store.set_epoch_deadline(1 << 40);
    let mut linker = Linker::new(engine);
    let gc = |mut caller: Caller<'_, ()>| caller.as_context_mut().gc(None);
    linker.func_wrap("h", "gc", gc).unwrap();
    let echo = |mut caller: Caller<'_, ()>, reference: Option<Rooted<ExternRef>>| {
        caller.as_context_mut().gc(None).map(|()| reference)
    };
    linker.func_wrap("h", "echo", echo).unwrap();
    linker
        .func_wrap("h", "box", |mut caller: Caller<'_, ()>, number: i32| ExternRef::new(&mut caller, number).map(Some))
        .unwrap();
    let unbox = |caller: Caller<'_, ()>, reference: Option<Rooted<ExternRef>>| match reference {
        None => Ok(-1),
        Some(reference) => {
            Ok(reference.data(&caller)?.and_then(|data| data.downcast_ref::<i32>()).copied().unwrap_or(-2))
        }
    };
    linker.func_wrap("h", "unbox", unbox).unwrap();
    let instance = linker.instantiate(&mut store, module).unwrap();
    (store, instance)
}

/// What the modules have in common: structures with a number, and a chain of them.
const HEAD: &str = r#"
    (import "h" "gc" (func $gc))
    (type $s (sub (struct (field $n (mut i32)))))
    (type $t (sub final $s (struct (field (mut i32)) (field $r (mut (ref null $s))) (field i64) (field f64))))
    (type $refs (array (mut (ref null $s))))
    (type $bytes (array (mut i8)))
    (func $new (param i32) (result (ref $s)) (call $gc) (struct.new $s (local.get 0)))
    (func $get (param (ref null $s)) (result i64)
      (call $gc) (i64.extend_i32_u (struct.get $s $n (local.get 0))))
"#;

fn agree_with_head(body: &str, expected: i64) {
    agree(&format!("(module {HEAD} {body})"), expected);
}

#[test]
fn locals_and_entries_of_the_stack_move() {
    agree_with_head(
        r#"(func (export "run") (result i64) (local $a (ref null $s)) (local $b (ref null $s)) (local $i i32)
             (local.set $a (call $new (i32.const 7)))
             (local.get $a)
             (call $new (i32.const 30))
             (local.set $b (struct.new $s (i32.const 100)))
             (call $gc)
             (local.set $a (local.get $b))
             (call $gc)
             (loop $l
               (call $gc)
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 10))))
             (call $get) (i64.mul (i64.const 1000))
             (call $get (local.get $a))
             (i64.add)
             (local.set $i (i32.wrap_i64))
             (call $get)
             (i64.add (i64.extend_i32_u (local.get $i))))"#,
        7 + 30 * 1000 + 100,
    );
}

#[test]
fn parameters_on_the_stack_and_many_results_move() {
    let params = "(ref null $s) ".repeat(12);
    let gets: String = (0..12).map(|i| format!("local.get {i} ")).collect();
    let sum: String = (0..12).map(|i| format!("(i64.add (call $get (local.get {i})))")).collect();
    let make: String = (0..12).map(|i| format!("(call $new (i32.const {})) ", 1 << i)).collect();
    agree_with_head(
        &format!(
            r#"(func $sum (param {params}) (result i64) (call $gc) (i64.const 0) {sum})
               (func $all (param {params}) (result {params}) (call $gc) {gets} (call $gc))
               (func $tail (param {params}) (result i64) (call $gc) (return_call $sum {gets}))
               (func (export "run") (result i64) {make} (call $gc) (call $all) (call $gc) (call $tail))"#
        ),
        (1 << 12) - 1,
    );
}

#[test]
fn fields_elements_tables_and_globals_move() {
    agree_with_head(
        r#"(table $tab 4 (ref null $s)) (global $g (mut (ref null $s)) (struct.new $s (i32.const 1)))
           (global $h (ref $refs) (array.new_fixed $refs 2 (struct.new $s (i32.const 5)) (global.get $k)))
           (global $k (ref $s) (struct.new $s (i32.const 6)))
           (elem $e (ref null $s) (item (struct.new $s (i32.const 2000))) (item (ref.null $s)))
           (func (export "run") (result i64) (local $a (ref null $refs)) (local $t (ref null $t))
             (local.set $t (struct.new $t (i32.const 3) (call $new (i32.const 10)) (i64.const 100) (f64.const 0.5)))
             (call $gc)
             (struct.set $t $r (local.get $t) (call $new (i32.const 20)))
             (table.set $tab (i32.const 1) (local.get $t))
             (global.set $g (call $new (i32.const 300)))
             (local.set $a (array.new $refs (call $new (i32.const 4000)) (i32.const 5)))
             (call $gc)
             (array.set $refs (local.get $a) (i32.const 2) (table.get $tab (i32.const 1)))
             (array.init_elem $refs $e (local.get $a) (i32.const 3) (i32.const 0) (i32.const 2))
             (array.copy $refs $refs (local.get $a) (i32.const 0) (local.get $a) (i32.const 1) (i32.const 4))
             (table.set $tab (i32.const 0) (array.get $refs (array.new_elem $refs $e (i32.const 0) (i32.const 1)) (i32.const 0)))
             (drop (table.grow $tab (call $new (i32.const 9)) (i32.const 3)))
             (table.copy $tab $tab (i32.const 2) (i32.const 0) (i32.const 2))
             (call $gc)
             (call $get (struct.get $t $r (ref.cast (ref $t) (table.get $tab (i32.const 3)))))
             (i64.add (call $get (global.get $g)))
             (i64.add (call $get (array.get $refs (local.get $a) (i32.const 0))))
             (i64.add (call $get (array.get $refs (local.get $a) (i32.const 1))))
             (i64.add (call $get (array.get $refs (local.get $a) (i32.const 2))))
             (i64.add (call $get (table.get $tab (i32.const 2))))
             (i64.add (call $get (table.get $tab (i32.const 6))))
             (i64.add (call $get (array.get $refs (global.get $h) (i32.const 0)))))"#
            .replace("(global $k (ref $s) (struct.new $s (i32.const 6)))", "")
            .replace("(global $h", "(global $k (ref $s) (struct.new $s (i32.const 6))) (global $h")
            .as_str(),
        20 + 300 + 4000 + 3 + 2000 + 2000 + 9 + 5,
    );
}

#[test]
fn the_heap_fills_up() {
    // Garbage by the megabyte, a chain that stays, arrays of every kind beside it.
    agree_with_head(
        r#"(func (export "run") (result i64) (local $i i32) (local $chain (ref null $t)) (local $sum i64)
             (loop $l
               (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 64)))
                 (then (local.set $chain
                   (struct.new $t (local.get $i) (local.get $chain) (i64.const 1) (f64.const 2)))))
               (drop (array.new_default $bytes (i32.const 100)))
               (drop (array.new $refs (local.get $chain) (i32.and (local.get $i) (i32.const 31))))
               (drop (array.new_fixed $refs 3 (local.get $chain) (ref.null $s) (struct.new $s (local.get $i))))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 20000))))
             (loop $m
               (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get $t 0 (local.get $chain)))))
               (br_if $m (i32.eqz (ref.is_null
                 (local.tee $chain (ref.cast (ref null $t) (struct.get $t $r (local.get $chain))))))))
             (local.get $sum))"#,
        (0..20_000).step_by(64).sum(),
    );
}

#[test]
fn branches_carry_references_across_collections() {
    agree_with_head(
        r#"(func $pick (param $x anyref) (result i64)
             (block $s (result (ref $s)) (block $i (result (ref i31)) (block $null
               (call $gc)
               (br_on_null $null (local.get $x))
               (br_on_cast $i anyref (ref i31))
               (br_on_cast_fail 1 anyref (ref $s))
               (br $s))
               (call $gc) (return (i64.const -1)))
               (call $gc) (return (i64.extend_i32_s (i31.get_s))))
             (call $gc) (call $get))
           (func (export "run") (result i64) (local $a (ref null $s))
             (call $pick (call $new (i32.const 50)))
             (i64.add (call $pick (ref.i31 (i32.const -7))))
             (i64.add (call $pick (ref.null any)))
             (local.set $a (call $new (i32.const 1000)))
             (i64.add (call $get (select (result (ref null $s)) (local.get $a) (call $new (i32.const 5)) (i32.const 1))))
             (i64.add (call $get (block (result (ref null $s))
               (local.get $a) (call $gc) (local.set $a (ref.null $s)) (call $gc)))))"#
            .replace("(br_on_cast_fail 1 anyref (ref $s))\n               (br $s))", "(br_on_cast 2 anyref (ref $s)) (drop))")
            .as_str(),
        50 - 7 - 1 + 1000 + 1000,
    );
}

#[test]
fn host_references_move() {
    agree(
        r#"(module (import "h" "gc" (func $gc)) (import "h" "echo" (func $echo (param externref) (result externref)))
             (import "h" "box" (func $box (param i32) (result externref)))
             (import "h" "unbox" (func $unbox (param externref) (result i32)))
             (table $t 3 externref) (global $g (mut externref) (ref.null extern))
             (func (export "run") (result i64) (local $a externref) (local $i i32)
               (local.set $a (call $box (i32.const 1)))
               (table.fill $t (i32.const 0) (call $box (i32.const 10)) (i32.const 2))
               (global.set $g (call $box (i32.const 100)))
               (local.get $a)
               (call $gc)
               (loop $l
                 (local.set $a (call $echo (local.get $a)))
                 (global.set $g (call $echo (global.get $g)))
                 (table.set $t (i32.const 2) (table.get $t (i32.const 1)))
                 (drop (table.grow $t (table.get $t (i32.const 0)) (i32.const 1)))
                 (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000))))
               (call $unbox) (i32.mul (i32.const 1000))
               (i32.add (call $unbox (local.get $a)))
               (i32.add (call $unbox (global.get $g)))
               (i32.add (call $unbox (table.get $t (i32.const 2))))
               (i32.add (call $unbox (table.get $t (i32.const 2000))))
               (i64.extend_i32_s)))"#,
        1000 + 1 + 100 + 10 + 10,
    );
}

#[test]
fn function_references_in_objects() {
    agree_with_head(
        r#"(type $f (func (param i64) (result i64))) (type $fs (array (mut (ref null $f))))
           (type $holder (struct (field (mut (ref null $f))) (field (mut funcref)) (field (ref null $s))))
           (func $double (type $f) (call $gc) (i64.add (local.get 0) (local.get 0)))
           (func $inc (type $f) (call $gc) (i64.add (local.get 0) (i64.const 1)))
           (elem $e (ref null $f) (ref.func $double) (ref.func $inc))
           (func (export "run") (result i64) (local $h (ref null $holder)) (local $a (ref null $fs))
             (local.set $h (struct.new $holder (ref.func $double) (ref.func $inc) (call $new (i32.const 40))))
             (local.set $a (array.new $fs (ref.func $inc) (i32.const 3)))
             (array.fill $fs (local.get $a) (i32.const 0) (ref.func $double) (i32.const 1))
             (array.init_elem $fs $e (local.get $a) (i32.const 2) (i32.const 0) (i32.const 1))
             (call $gc)
             (call $get (struct.get $holder 2 (local.get $h)))
             (call_ref $f (struct.get $holder 0 (local.get $h)))
             (call_ref $f (array.get $fs (local.get $a) (i32.const 1)))
             (call_ref $f (array.get $fs (local.get $a) (i32.const 2)))
             (call_ref $f (ref.cast (ref $f) (struct.get $holder 1 (local.get $h))))
             (i64.extend_i32_u (ref.is_null (array.get $fs (array.new_default $fs (i32.const 1)) (i32.const 0))))
             (i64.add))"#,
        ((40 * 2) + 1) * 2 + 1 + 1,
    );
}

#[test]
fn loops_that_call_nothing_but_make_objects() {
    // Collections happen at allocations only, with references, numbers and floats in the registers of the loop.
    agree_with_head(
        r#"(func (export "run") (result i64)
             (local $i i32) (local $a (ref null $t)) (local $b (ref null $t)) (local $kept (ref null $t)) (local $new (ref null $t))
             (local $sum i64) (local $float f64) (local $count i32)
             (loop $l
               (local.set $new (struct.new $t (local.get $i) (local.get $a) (i64.extend_i32_u (local.get $i)) (f64.const 1.5)))
               (local.set $b (local.get $a))
               (local.set $a (local.get $new))
               (if (ref.test (ref $t) (local.get $b))
                 (then (local.set $sum (i64.add (local.get $sum) (struct.get $t 2 (local.get $b))))))
               (if (i32.eqz (i32.and (local.get $i) (i32.const 0xfff)))
                 (then
                   (local.set $kept (struct.new $t (local.get $i) (local.get $kept) (i64.const 0) (f64.const 0)))
                   (local.set $count (i32.add (local.get $count) (i32.const 1)))))
               (if (i32.eqz (i32.and (local.get $i) (i32.const 7)))
                 (then (struct.set $t $r (local.get $a) (ref.null $s))))
               (local.set $float (f64.add (local.get $float) (struct.get $t 3 (local.get $a))))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 100000))))
             (loop $m
               (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get $t 0 (local.get $kept)))))
               (local.set $count (i32.sub (local.get $count) (i32.const 1)))
               (br_if $m (i32.eqz (ref.is_null
                 (local.tee $kept (ref.cast (ref null $t) (struct.get $t $r (local.get $kept))))))))
             (i64.add
               (i64.add (local.get $sum) (i64.extend_i32_u (local.get $count)))
               (i64.trunc_f64_s (local.get $float))))"#,
        (0..99_999).sum::<i64>() + (0..100_000).step_by(0x1000).sum::<i64>() + 150_000,
    );
}

#[test]
fn thousands_of_references_live_across_thousands_of_calls() {
    // References and numbers take turns on the stack, in no simple order; it grows, is cut, grows by numbers, and is
    // cut. Maps of their own for so many calls would be refused.
    let n = 8000i64;
    let number = |i: i64| i * i % 7 == 2;
    let gc = |i: i64| if i % 1000 == 99 { "(call $gc)" } else { "" };
    let grow: String = (0..n)
        .map(|i| match number(i) {
            true => format!("(call $number) {}", gc(i)),
            false if i % 16 == 0 => format!("(struct.new $s (i32.const {i})) (drop (call $number)) {}", gc(i)),
            false => format!("(call $object) {}", gc(i)),
        })
        .collect();
    let cut = |from: i64, to: i64| -> String {
        let take = |i: i64| if number(i) { "(call $take_number)" } else { "(call $take_object)" };
        (from..to).rev().map(|i| format!("{} {}", take(i), gc(i))).collect()
    };
    let again = "(call $number)".repeat(1000);
    let taken = "(call $take_number)".repeat(1000);
    let (upper, lower) = (cut(n / 2, n), cut(0, n / 2));
    agree_as(
        &format!(
            r#"(module {HEAD}
                 (global $next (mut i64) (i64.const 0)) (global $sum (mut i64) (i64.const 0))
                 (func $number (result i64)
                   (global.get $next) (global.set $next (i64.add (global.get $next) (i64.const 1))))
                 (func $object (result (ref $s)) (struct.new $s (i32.wrap_i64 (call $number))))
                 (func $take_number (param i64) (global.set $sum (i64.add (global.get $sum) (local.get 0))))
                 (func $take_object (param (ref $s))
                   (call $take_number (i64.extend_i32_u (struct.get $s $n (local.get 0)))))
                 (func (export "run") (result i64)
                   {grow} {upper} {again} (call $gc) {taken} {lower} (global.get $sum)))"#
        ),
        (0..n + 1000).sum(),
        &[true],
    );
}
