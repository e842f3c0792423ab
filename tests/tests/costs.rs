//! Tables of what operators cost: fuel is counted as Wasmtime's own compiler counts it with the same table, to the
//! unit.

use lightbeam_tests::backend::{Pair, Setup, Without, costs};
use lightbeam_tests::differential::{Summary, compare, decided};
use lightbeam_tests::fuzz::families::FAMILIES;
use lightbeam_tests::generate::{Generated, atomics, bulk, constants, simd, single};
use lightbeam_tests::observe::{Event, Outcome, Rule, observe};
use lightbeam_tests::random::Random;
use std::sync::OnceLock;
use wasmtime::{Collector, Config, Engine, Instance, Module, OperatorCost, Store, Trap, VariableOperatorCost};

/// How many of something to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

/// Settings with a table each: costs are charged in other places where there are no signals, and where debuggers look.
fn setups(seed: u64) -> Setup {
    let plain = Setup { fuel: true, costs: Some(seed), ..Setup::default() };
    match seed % 6 {
        0 => Setup { epochs: true, ..plain },
        1 => Setup { signals: false, reservation: Some(0), guard: Some(0), copy_on_write: false, ..plain },
        2 => Setup { debug: true, lazy_tables: false, ..plain },
        3 => Setup { without: Without::ALL, poison: true, ..plain },
        4 => Setup { collector: Collector::DeferredReferenceCounting, copy_on_write: false, ..plain },
        _ => plain,
    }
}

/// Runs the module with a table of costs, and says how many calls returned.
fn agree(name: &str, module: &Generated, seed: u64, rule: Rule) -> usize {
    static PAIRS: [OnceLock<Pair>; 12] = [const { OnceLock::new() }; 12];
    let table = seed % PAIRS.len() as u64;
    let pair = PAIRS[table as usize].get_or_init(|| setups(table).engine().unwrap());
    let setup = pair.setup;
    let wasm = module.wasm();
    let expected = observe(&pair.cranelift(&wasm).unwrap(), &setup, &module.calls);
    let result = module.check_against(&expected, pair, &wasm, rule);
    result.unwrap_or_else(|error| panic!("{name}, seed {seed}, {setup:?}: {error}\n{}", module.wat()));
    let returned = |event: &&Event| matches!(event, Event::Call { outcome: Outcome::Values(_), fuel: Some(_), .. });
    expected.iter().filter(returned).count()
}

#[test]
fn generated_programs_use_as_much_as_with_cranelift() {
    let mut returned = 0;
    for seed in 0..scaled(12) {
        for family in FAMILIES {
            // Cranelift loses what a stack used when another one goes on.
            if ["continuations", "before_unreachable"].contains(&family.name) {
                continue;
            }
            returned += agree(family.name, &(family.make)(Random::new(seed)), seed, family.rule);
        }
    }
    println!("{returned} calls returned");
    assert!(returned as u64 > scaled(300), "{returned} calls returned");
}

#[test]
fn each_operator_costs_what_its_table_says() {
    let mut returned = 0;
    for (seed, (name, module)) in (100..).zip(single::modules()) {
        returned += agree(&name, &module, seed, Rule::AnyNan);
    }
    for (seed, module) in (200..).zip(simd::modules()) {
        // No processor feature is missing, so that relaxed operators agree.
        returned += agree("vectors", &module, seed * 6 + 5, Rule::AnyNan);
    }
    for (seed, module) in (300..).zip(constants::bodies()) {
        returned += agree("constants", &module, seed, Rule::Exact);
    }
    for (seed, memory) in (400..).zip(atomics::MEMORIES) {
        returned += agree("atomics", &atomics::module(memory), seed * 6 + 5, Rule::Exact);
    }
    for seed in 500..504 {
        returned += agree("bulk", &bulk::module(), seed, Rule::Exact);
    }
    println!("{returned} calls returned");
    assert!(returned > 10_000, "{returned} calls returned");
}

#[test]
fn random_modules_use_as_much_as_with_cranelift() {
    let mut summary = Summary::default();
    for seed in 0..scaled(150) {
        let Some(mut case) = decided(&mut Random::new(seed), true, |_| {}) else { continue };
        case.setup = Setup { fuel: true, costs: Some(seed), ..case.setup };
        compare(&case, &mut summary).unwrap_or_else(|error| panic!("seed {seed}, {:?}: {error}", case.setup));
    }
    println!("{summary}");
    assert!(summary.executed > scaled(75) && summary.poisoned * 2 < summary.executed, "{summary}");
}

fn engine(table: OperatorCost) -> Pair {
    let mut config = Config::new();
    config.consume_fuel(true).operator_cost(table).memory_init_cow(false);
    let engine = Engine::new(&config).unwrap();
    let lightbeam = lightbeam::Compiler::for_engine(&engine).unwrap();
    Pair { engine, lightbeam, setup: Setup { fuel: true, ..Setup::default() } }
}

/// Fuel that a call uses after the instance was made, and before.
fn used(module: &Module, export: &str) -> (u64, u64) {
    const ALL: u64 = 1 << 40;
    let mut store = Store::new(module.engine(), ());
    store.set_fuel(ALL).unwrap();
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let started = store.get_fuel().unwrap();
    instance.get_typed_func::<(), ()>(&mut store, export).unwrap().call(&mut store, ()).unwrap();
    (started - store.get_fuel().unwrap(), ALL - started)
}

/// All operators cost nothing but the one that is asked for.
#[test]
fn each_operator_that_shapes_control_is_charged_where_it_is_passed() {
    let wat = r#"(module (func (export "f") (local $i i32)
        (block $out
          (loop $again
            (br_if $out (i32.ge_u (local.get $i) (i32.const 3)))
            (if (i32.and (local.get $i) (i32.const 1)) (then nop nop) (else (drop (i32.const 5))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $again))
          unreachable)
        (block (br 0) nop)
        nop return nop))"#;
    type Price = fn(&mut OperatorCost) -> &mut u8;
    let prices: [(&str, Price, u64); 11] = [
        ("nop", |c| &mut c.Nop, 1 * 2 + 1),
        ("drop", |c| &mut c.Drop, 2),
        ("block", |c| &mut c.Block, 2),
        ("loop", |c| &mut c.Loop, 1),
        ("if", |c| &mut c.If, 3),
        // Passed by who comes from the first arm; the end of the `if` by who comes from the second.
        ("else", |c| &mut c.Else, 1),
        ("end", |c| &mut c.End, 2),
        ("return", |c| &mut c.Return, 1),
        ("unreachable", |c| &mut c.Unreachable, 0),
        ("br", |c| &mut c.Br, 3 + 1),
        ("br_if", |c| &mut c.BrIf, 4),
    ];
    for (name, price, times) in prices {
        for cost in [1, 128, 255] {
            let mut none = free();
            *price(&mut none) = cost;
            let pair = engine(none);
            let (cranelift, lightbeam) = pair.both(&wat::parse_str(wat).unwrap()).unwrap();
            let [theirs, ours] = [&cranelift, &lightbeam].map(|module| used(module, "f").0);
            // A function costs 1 beside.
            assert_eq!((ours, theirs), (times * u64::from(cost) + 1, times * u64::from(cost) + 1), "{name} at {cost}");
        }
    }
}

/// A table in which nothing costs anything.
fn free() -> OperatorCost {
    let none: OperatorCost = postcard::from_bytes(&[0; 4096]).unwrap();
    none
}

#[test]
fn what_startup_does_has_its_price() {
    let wat = r#"(module
        (type $r (array (mut i32)))
        (memory 1)
        (table $t 300 i31ref (ref.i31 (i32.const 5)))
        (table $u 10 i31ref)
        (global (ref $r) (array.new $r (i32.const 1) (i32.const 200)))
        (global (ref $r) (array.new_default $r (i32.const 20)))
        (data (i32.const 1) "1234567")
        (elem (table $u) (i32.const 0) i31ref (item (ref.i31 (i32.const 1))) (item (ref.i31 (i32.const 2))))
        (func $f (export "f")))"#;
    let variable = VariableOperatorCost {
        memory_init_per_byte: 11,
        table_fill_per_element: 101,
        table_init_per_element: 13,
        array_new_per_element: 251,
        array_new_default_per_element: 7,
        ..VariableOperatorCost::new()
    };
    let pair = engine(OperatorCost { variable, ..free() });
    let (cranelift, lightbeam) = pair.both(&wat::parse_str(wat).unwrap()).unwrap();
    let [theirs, ours] = [&cranelift, &lightbeam].map(|module| used(module, "f").1);
    assert_eq!(ours, theirs);
    // Beside it, each operator of a constant expression costs 1 whatever the table says, and so does the routine.
    let work = 300 * 101 + 200 * 251 + 20 * 7 + 7 * 11 + 2 * 13;
    assert!((work..work + 20).contains(&ours), "{ours}, of which {work} for work");
}

#[test]
fn amounts_that_no_counter_holds_run_out_of_fuel() {
    let wat = r#"(module (memory i64 1)
        (func (export "fill") (param i64) (memory.fill (i64.const 0) (i32.const 1) (local.get 0)))
        (func (export "grow") (param i64) (drop (memory.grow (local.get 0)))))"#;
    for cost in [1, 2, 3, 7, 128, 255] {
        let variable = VariableOperatorCost {
            memory_fill_per_byte: cost,
            memory_grow_per_page: cost,
            ..VariableOperatorCost::new()
        };
        let pair = engine(OperatorCost { variable, ..OperatorCost::new() });
        let module = pair.lightbeam(&wat::parse_str(wat).unwrap()).unwrap();
        for export in ["fill", "grow"] {
            // Products of the latter wrap around to little, and to less than nothing.
            for amount in
                [-1, i64::MIN, i64::MAX, (i64::MAX / i64::from(cost)).wrapping_add(1), 1 << 56, 1 << 57, (1 << 62) + 1]
            {
                let mut store = Store::new(&pair.engine, ());
                store.set_fuel(1_000_000).unwrap();
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let call = instance.get_typed_func::<i64, ()>(&mut store, export).unwrap();
                let error = call.call(&mut store, amount).unwrap_err();
                assert_eq!(error.downcast_ref(), Some(&Trap::OutOfFuel), "{export} {amount} at {cost}: {error:?}");
            }
        }
    }
}

#[test]
fn fuel_runs_out_at_the_same_operator() {
    let wat = r#"(module (memory 1) (global $n (export "n") (mut i64) (i64.const 0))
        (func (export "f") (local $i i32)
          (loop $again
            (global.set $n (i64.add (global.get $n) (i64.const 1)))
            (memory.fill (i32.const 0) (i32.const 1) (i32.and (local.get $i) (i32.const 15)))
            (call $g)
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $again)))
        (func $g (global.set $n (i64.add (global.get $n) (i64.const 0x10000)))))"#;
    for seed in 0..40 {
        let mut table = costs(seed);
        // A loop that costs nothing never ends.
        table.Br = table.Br.max(1);
        let pair = engine(table);
        let (cranelift, lightbeam) = pair.both(&wat::parse_str(wat).unwrap()).unwrap();
        for units in [100, 1000, 1001, 1500, 20_000] {
            let seen = [&cranelift, &lightbeam].map(|module| {
                let mut store = Store::new(&pair.engine, ());
                store.set_fuel(units).unwrap();
                let instance = Instance::new(&mut store, module, &[]).unwrap();
                let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
                let error = f.call(&mut store, ()).unwrap_err();
                assert_eq!(error.downcast_ref(), Some(&Trap::OutOfFuel), "{error:?}");
                instance.get_global(&mut store, "n").unwrap().get(&mut store).unwrap_i64()
            });
            assert_eq!(seen[0], seen[1], "seed {seed}, {units} units");
        }
    }
}
