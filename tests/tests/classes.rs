//! Classes of faults that once led out of the sandbox, each with a generator that finds the old fault: names of one
//! thing, upper halves that nobody wrote, what an operator still has to do before `unreachable`, and fuel.

use lightbeam_tests::backend::{Pair, Setup, Without};
use lightbeam_tests::generate::{aliases, before_unreachable, fuel, upper_halves};
use lightbeam_tests::observe::{Event, FUEL, Outcome, Rule, observe};
use wasmtime::{
    Collector, Config, Engine, Extern, Func, Instance, Memory, MemoryType, Module, Ref, Store, Table, Trap,
    UpdateDeadline, Val,
};

/// How many of something to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

/// Where to begin, to look at other modules than the ordinary test run.
fn first_seed() -> u64 {
    std::env::var("LIGHTBEAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0)
}

fn engines(setups: &[Setup]) -> Vec<Pair> {
    setups.iter().map(|setup| setup.engine().unwrap()).collect()
}

#[test]
fn one_thing_under_several_names() {
    let plain = Setup::default();
    // Memories that move whenever they grow, with and without guards; and such as stay.
    let moving = Setup { reservation: Some(0), ..plain };
    let pairs = engines(&[
        moving,
        plain,
        Setup { guard: Some(0), signals: false, ..moving },
        Setup { epochs: true, poison: true, ..moving },
        Setup { fuel: true, without: Without::ALL, ..moving },
    ]);
    for seed in first_seed()..first_seed() + scaled(60) {
        let module = aliases::module(seed, 20 + seed as usize % 4 * 15);
        let result = module.check(&pairs[seed as usize % pairs.len()], Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}\n{}", module.owner, module.user.wat()));
    }
}

#[test]
fn upper_halves_that_nobody_wrote() {
    let plain = Setup::default();
    let pairs = engines(&[
        plain,
        Setup { poison: true, ..plain },
        Setup { poison: true, without: Without::ALL, ..plain },
        Setup { poison: true, signals: false, reservation: Some(0), guard: Some(0), ..plain },
        Setup { poison: true, collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { poison: true, collector: Collector::Null, epochs: true, ..plain },
    ]);
    let module = upper_halves::systematic();
    for pair in &pairs[..2] {
        module.check(pair, Rule::Exact).unwrap_or_else(|error| panic!("{:?}: {error}", pair.setup));
    }
    for seed in first_seed()..first_seed() + scaled(60) {
        let module = upper_halves::module(seed, 24);
        let result = module.check(&pairs[seed as usize % pairs.len()], Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn operators_that_are_not_over_before_unreachable() {
    let plain = Setup::default();
    // Nothing is collected: the host cannot look through suspended stacks.
    let null = Setup { collector: Collector::Null, ..plain };
    let pairs = engines(&[
        null,
        plain,
        Setup { poison: true, ..null },
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { epochs: true, signals: false, ..null },
        Setup { reservation: Some(0), guard: Some(0), poison: true, without: Without::ALL, ..null },
    ]);
    let (mut returned, mut trapped) = (0, 0);
    for seed in first_seed()..first_seed() + scaled(60) {
        let module = before_unreachable::module(seed, 16);
        let pair = &pairs[seed as usize % pairs.len()];
        let wasm = module.wasm();
        let expected = observe(&pair.cranelift(&wasm).unwrap(), &pair.setup, &module.calls);
        for event in &expected {
            match event {
                Event::Call { outcome: Outcome::Values(_), .. } => returned += 1,
                Event::Call { outcome: Outcome::Trap(_), .. } => trapped += 1,
                _ => {}
            }
        }
        let result = module.check_against(&expected, pair, &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
    assert!(returned * 5 > trapped && trapped * 5 > returned, "some return and some trap: {returned} and {trapped}");
}

#[test]
fn fuel_comes_to_the_same() {
    let plain = Setup { fuel: true, ..Setup::default() };
    let pairs = engines(&[
        plain,
        Setup { epochs: true, ..plain },
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { signals: false, reservation: Some(0), poison: true, ..plain },
    ]);
    let mut counted = 0;
    for seed in first_seed()..first_seed() + scaled(80) {
        let module = fuel::module(seed, 10 + seed as usize % 4 * 10);
        let pair = &pairs[seed as usize % pairs.len()];
        let wasm = module.wasm();
        let (cranelift, lightbeam) = pair.both(&wasm).unwrap();
        let expected = observe(&cranelift, &pair.setup, &module.calls);
        counted += expected.iter().filter(|event| matches!(event, Event::Call { fuel: Some(_), .. })).count();
        let result = module.check_against(&expected, pair, &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
        // With too little of it, both stop at the same point: nothing is done that is not paid for.
        for part in [3, 7, 50, 400, 3000] {
            let [a, b] = [&cranelift, &lightbeam].map(|module| run_short(&pair.engine, module, seed, part));
            assert_eq!(a, b, "seed {seed}, {part} units\n{}", module.wat());
        }
    }
    assert!(counted > 100, "most calls return: {counted}");
}

/// What is left of everything when the functions of a generated module run with so much fuel each.
fn run_short(engine: &Engine, module: &Module, seed: u64, fuel: u64) -> Vec<String> {
    let mut store = Store::new(engine, ());
    if engine.get_epoch_interruption() {
        store.set_epoch_deadline(1 << 40);
    }
    store.set_fuel(FUEL).unwrap();
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let mut seen = Vec::new();
    for func in ["f0", "f1", "f2"] {
        store.set_fuel(fuel).unwrap();
        let mut results = [Val::I32(0)];
        let func = instance.get_func(&mut store, func).unwrap();
        let result = func.call(&mut store, &[Val::I32((seed % 200) as i32)], &mut results);
        seen.push(match result {
            Ok(()) => format!("{:?} with {} left", results[0], store.get_fuel().unwrap()),
            Err(error) => format!("{:?}", error.downcast_ref::<Trap>()),
        });
        store.set_fuel(FUEL).unwrap();
        let mut state = vec![Val::I32(0); 5];
        instance.get_func(&mut store, "state").unwrap().call(&mut store, &[], &mut state).unwrap();
        let mut sum = [Val::I32(0)];
        instance.get_func(&mut store, "sum").unwrap().call(&mut store, &[], &mut sum).unwrap();
        seen.push(format!("{state:?} {sum:?}"));
        let table = instance.get_table(&mut store, "n").unwrap();
        let nulls = (0..table.size(&store)).filter(|i| table.get(&mut store, *i).unwrap().is_null()).count();
        seen.push(format!("{nulls} nulls in a table that has none"));
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        seen.push(format!("{}", memory.data(&store).iter().map(|byte| u64::from(*byte)).sum::<u64>()));
    }
    seen
}

/// A length of 64 bits is charged as what it is, or as more than there can be, whatever was charged before it.
#[test]
fn lengths_of_64_bits_do_not_wrap_the_counter() {
    let pair = Setup { fuel: true, ..Setup::default() }.engine().unwrap();
    let module = pair
        .lightbeam(
            &wat::parse_str(
                r#"(module (memory i64 1) (table $t i64 1 10 funcref) (memory 1)
    (func (export "fill") (param i64) (memory.fill (i64.const 0) (i32.const 0) (local.get 0)))
    (func (export "copy") (param i64) (memory.copy (i64.const 0) (i64.const 0) (local.get 0)))
    (func (export "grow") (param i64) (drop (table.grow $t (ref.null func) (local.get 0))))
    (func (export "table") (param i64) (table.fill $t (i64.const 0) (ref.null func) (local.get 0))))"#,
            )
            .unwrap(),
        )
        .unwrap();
    for func in ["fill", "copy", "grow", "table"] {
        for length in [i64::MAX, i64::MIN, -1, i64::MAX - 5, 1 << 62, 1 << 40] {
            for fuel in 1..12 {
                let mut store = Store::new(&pair.engine, ());
                store.set_fuel(1000).unwrap();
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                store.set_fuel(fuel).unwrap();
                let func = instance.get_typed_func::<i64, ()>(&mut store, func).unwrap();
                let error = func.call(&mut store, length).unwrap_err();
                assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel), "{length:#x} with {fuel}: {error:?}");
                assert_eq!(store.get_fuel().unwrap(), 0);
            }
        }
    }
}

/// Whoever is let in while a table grows sees it as it was before: no null where its type has none.
#[test]
fn a_table_is_never_seen_half_grown() {
    let setup = Setup { epochs: true, ..Setup::default() };
    let pair = setup.engine().unwrap();
    let module = pair
        .lightbeam(
            &wat::parse_str(
                r#"(module (type $f (func (result i32)))
    (table $t (export "t") 1 100000 (ref $f) (ref.func $one)) (func $one (type $f) (i32.const 1))
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $one) (local.get 0)))
    (func (export "fails") (result i32) (table.grow $t (ref.func $one) (i32.const 1000000))))"#,
            )
            .unwrap(),
        )
        .unwrap();
    let mut store = Store::new(&pair.engine, None::<(Table, u32)>);
    store.set_epoch_deadline(0);
    store.epoch_deadline_callback(|mut context| {
        if let Some((table, _)) = *context.data() {
            for i in 0..table.size(&context) {
                assert!(!table.get(&mut context, i).unwrap().is_null(), "element {i} is null");
            }
            if let Some((_, looks)) = context.data_mut() {
                *looks += 1;
            }
        }
        Ok(UpdateDeadline::Continue(0))
    });
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let table = instance.get_table(&mut store, "t").unwrap();
    *store.data_mut() = Some((table, 0));
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
    assert_eq!(grow.call(&mut store, 50_000).unwrap(), 1);
    assert_eq!(grow.call(&mut store, 200_000).unwrap(), -1);
    let fails = instance.get_typed_func::<(), i32>(&mut store, "fails").unwrap();
    assert_eq!(fails.call(&mut store, ()).unwrap(), -1);
    let looks = store.data().map_or(0, |(_, looks)| looks);
    assert!(looks >= 6, "at entries and before the table grows: {looks}");
}

/// One memory of the host's under two indices, in one module and in another that runs in between.
#[test]
fn a_memory_of_the_host_moves_under_every_name() {
    for (index, ty) in [("", "i32"), ("i64", "i64")] {
        let pair = Setup { reservation: Some(0), ..Setup::default() }.engine().unwrap();
        let wat = format!(
            r#"(module (import "" "a" (memory $a {index} 1)) (import "" "b" (memory $b {index} 1)) (import "" "f" (func $f))
    (func (export "f") (result i32) (local i32)
      (i32.store $a ({ty}.const 16) (i32.const 1))
      (drop (memory.grow $b ({ty}.const 3)))
      (i32.store $b ({ty}.const 16) (i32.const 0x5678))
      (local.set 0 (i32.load $a ({ty}.const 16)))
      (call $f)
      (i32.store $b ({ty}.const 200000) (i32.const 5))
      (i32.add (local.get 0) (i32.load $a ({ty}.const 200000)))))"#
        );
        let module = pair.lightbeam(&wat::parse_str(wat).unwrap()).unwrap();
        let mut store = Store::new(&pair.engine, ());
        let ty = if index.is_empty() { MemoryType::new(1, None) } else { MemoryType::new64(1, None) };
        let memory = Memory::new(&mut store, ty).unwrap();
        let grow = Func::wrap(&mut store, move |mut caller: wasmtime::Caller<'_, ()>| {
            memory.grow(&mut caller, 2).unwrap();
        });
        let imports: [Extern; 3] = [memory.into(), memory.into(), grow.into()];
        let instance = Instance::new(&mut store, &module, &imports).unwrap();
        let func = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        for _ in 0..3 {
            assert_eq!(func.call(&mut store, ()).unwrap(), 0x567d);
        }
    }
}

/// What a startup routine holds while others may run must be where a collector finds it.
#[test]
fn tables_of_objects_start_while_others_collect() {
    for collector in [Collector::Copying, Collector::DeferredReferenceCounting] {
        let mut config = Config::new();
        config.wasm_gc(true).wasm_function_references(true).collector(collector).epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let compiler = lightbeam::Compiler::for_engine(&engine).unwrap();
        let wat = r#"(module (type $s (struct (field i32) (field i64)))
    (table (export "t") 300 (ref $s) (struct.new $s (i32.const 7) (i64.const 8)))
    (table $u 300 (ref $s) (struct.new $s (i32.const 9) (i64.const 1)))
    (func (export "get") (param i32) (result i32 i32)
      (struct.get $s 0 (table.get 0 (local.get 0))) (struct.get $s 0 (table.get $u (local.get 0)))))"#;
        let module = compiler.module(wat).unwrap();
        let mut store = Store::new(&engine, 0);
        store.set_epoch_deadline(0);
        store.epoch_deadline_callback(|mut context| {
            *context.data_mut() += 1;
            context.gc(None)?;
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert!(*store.data() >= 3, "others run before each table is filled");
        let get = instance.get_typed_func::<i32, (i32, i32)>(&mut store, "get").unwrap();
        for at in [0, 1, 299] {
            assert_eq!(get.call(&mut store, at).unwrap(), (7, 9), "{collector:?}");
        }
        let table = instance.get_table(&mut store, "t").unwrap();
        assert!(matches!(table.get(&mut store, 5), Some(Ref::Any(Some(_)))));
    }
}

/// Constant expressions are charged for what they make, wherever they stand.
#[test]
fn fuel_of_startup_comes_to_the_same() {
    let plain = Setup { fuel: true, ..Setup::default() };
    let pairs = engines(&[
        plain,
        Setup { epochs: true, ..plain },
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { collector: Collector::Null, signals: false, reservation: Some(0), poison: true, ..plain },
    ]);
    let types = "(type $a (array (mut i8))) (type $s (struct (field (ref null $a)) (field i32)))";
    let computed = "(array.new_default $a (i32.mul (i32.const 5) (i32.const 13)))";
    let filled = "(array.new $a (i32.const 3) (i32.add (i32.const 20) (i32.sub (i32.const 9) (i32.const 2))))";
    let small = "(array.new_default $a (i32.const 100))";
    let large = "(array.new_default $a (i32.const 300))";
    let within = format!("(struct.new $s {filled} (i32.const 7))");
    let items = |exprs: &[&str]| -> String { exprs.iter().map(|expr| format!("(item {expr})")).collect() };
    let all = items(&["(ref.null any)", computed, small, &within, large, "(ref.i31 (i32.const 5))", filled]);
    let modules = [
        format!("(elem anyref {})", items(&[computed])),
        format!("(elem anyref {all})"),
        format!("(table $t 10 anyref) (elem (table $t) (i32.const 2) anyref {all})"),
        format!("(table $t (export \"t\") 10 anyref {within}) (elem (table $t) (i32.const 3) anyref {all})"),
        format!("(global (ref any) {computed}) (global (ref any) {small}) (global (ref any) {within})"),
        format!("(table 3 anyref {computed}) (table 4 anyref {large}) (elem anyref {})", items(&[filled, &within])),
    ];
    for fields in &modules {
        let wasm = wat::parse_str(format!("(module {types} {fields})")).unwrap();
        for pair in &pairs {
            let (cranelift, lightbeam) = pair.both(&wasm).unwrap();
            for fuel in [1, 20, 70, 100, 150, 200, 400, 700, 10_000] {
                let [expected, left] = [&cranelift, &lightbeam].map(|module| {
                    let mut store = Store::new(&pair.engine, ());
                    store.set_epoch_deadline(1 << 40);
                    store.set_fuel(fuel).unwrap();
                    match Instance::new(&mut store, module, &[]) {
                        Ok(_) => Ok(store.get_fuel().unwrap()),
                        Err(error) => Err(format!("{:?}", error.downcast_ref::<Trap>())),
                    }
                });
                assert_eq!(left, expected, "{:?}, {fuel} units\n{fields}", pair.setup);
            }
        }
    }
}

/// Whoever is let in while a segment is written may move the table.
#[test]
fn tables_grow_while_segments_are_written() {
    let mut config = Config::new();
    config.wasm_gc(true).wasm_function_references(true).epoch_interruption(true);
    for collector in [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null] {
        let engine = Engine::new(config.collector(collector)).unwrap();
        let compiler = lightbeam::Compiler::for_engine(&engine).unwrap();
        let owner = compiler.module("(module (table (export \"t\") 8 anyref))").unwrap();
        let user = compiler
            .module(
                r#"(module (type $a (array i8)) (import "" "t" (table $t 8 anyref))
    (elem (table $t) (i32.const 2) anyref (item (ref.i31 (i32.const 7)))
      (item (array.new_default $a (i32.mul (i32.const 40) (i32.const 5)))) (item (ref.i31 (i32.const 9)))
      (item (array.new_default $a (i32.const 200))) (item (ref.i31 (i32.const 11))))
    (func (export "len") (param i32) (result i32) (array.len (ref.cast (ref $a) (table.get $t (local.get 0)))))
    (func (export "num") (param i32) (result i32) (i31.get_u (ref.cast (ref i31) (table.get $t (local.get 0))))))"#,
            )
            .unwrap();
        let mut store = Store::new(&engine, None::<Table>);
        store.set_epoch_deadline(1 << 40);
        let table = Instance::new(&mut store, &owner, &[]).unwrap().get_table(&mut store, "t").unwrap();
        *store.data_mut() = Some(table);
        store.set_epoch_deadline(0);
        store.epoch_deadline_callback(|mut context| {
            let table = context.data().expect("it was put there");
            table.grow(&mut context, 4000, Ref::Any(None))?;
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &user, &[table.into()]).unwrap();
        store.set_epoch_deadline(1 << 40);
        assert!(table.size(&store) > 8000, "others run ahead of each array");
        for (name, at, expected) in [("num", 2, 7), ("len", 3, 200), ("num", 4, 9), ("len", 5, 200), ("num", 6, 11)] {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            assert_eq!(func.call(&mut store, at).unwrap(), expected, "{collector:?}: {name} {at}");
        }
    }
}

/// Of handlers of one tag only the innermost gets anything of a call: the others are not listed. (Listed, they would be
/// more than the budget of the function.)
#[test]
fn handlers_behind_others_of_their_tag_cost_nothing() {
    let nested = |catches: &str, depth: usize, calls: usize| {
        let open: String = (0..depth).map(|_| format!("(block (try_table {catches} ")).collect();
        format!(
            "(module (tag $e) (tag $x) (func $c (param i32) (if (local.get 0) (then (throw $e))))
    (func (export \"f\") (param i32) (result i32) {open} {} {} (i32.const 5)))",
            "(call $c (local.get 0))".repeat(calls),
            "))".repeat(depth)
        )
    };
    let pair = Setup::default().engine().unwrap();
    let modules = [("(catch $e 0)", 60, 600), ("(catch $x 0) (catch $e 0) (catch $x 0) (catch_all 0)", 40, 300)];
    for (catches, depth, calls) in modules {
        let module = pair.lightbeam(&wat::parse_str(nested(catches, depth, calls)).unwrap()).unwrap();
        let mut store = Store::new(&pair.engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let func = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
        for throws in [0, 1] {
            assert_eq!(func.call(&mut store, throws).unwrap(), 5);
        }
    }
    // Which of them gets it, with handlers of other tags and scopes that end in between.
    let wat = r#"(module (tag $e (param i32)) (tag $x (param i32))
    (func $throw (param i32 i32)
      (if (local.get 0) (then (throw $e (local.get 1))) (else (throw $x (local.get 1)))))
    (func (export "f") (param i32) (result i32) (local $s i32)
      (block $outer_x (result i32)
        (block $outer_e (result i32)
          (try_table (catch $e $outer_e) (catch $x $outer_x) (catch $e $outer_x)
            (block $a (result i32)
              (try_table (catch $e $a)
                (block $b (result i32)
                  (try_table (catch $x $b) (call $throw (local.get 0) (i32.const 1)))
                  (i32.const 0))
                (local.set $s (i32.mul (i32.const 10)))
                (call $throw (i32.const 1) (i32.add (local.get $s) (i32.const 2))))
              (i32.const 0))
            (local.set $s (i32.add (i32.const 100)))
            (call $throw (local.get 0) (local.get $s)))
          (unreachable))
        (return (i32.add (i32.const 1000))))
      (i32.add (i32.const 2000))))"#;
    let wasm = wat::parse_str(wat).unwrap();
    let [a, b] = [pair.cranelift(&wasm).unwrap(), pair.lightbeam(&wasm).unwrap()].map(|module| {
        let mut store = Store::new(&pair.engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let func = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
        [0, 1].map(|throws| func.call(&mut store, throws).unwrap())
    });
    assert_eq!(a, b);
}
