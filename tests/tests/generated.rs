//! Generated modules: random ones, and those of generators that each aim at one class of miscompilation.

use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::generate::{
    atomics, bulk, constants, continuations, control, crowded, division, exceptions, floats, memory, moves, narrow,
    pressure, programs, simd, single, tails, traps,
};
use lightbeam_tests::observe::{Calls, Event, Outcome, Rule, difference, observe};
use lightbeam_tests::{differential, wasmi};
use wasmtime::Collector;

/// How many of something to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

#[test]
fn random_modules_agree_with_cranelift_and_the_interpreter() {
    let count = scaled(1000);
    let summary = differential::run(0, count);
    println!("{summary}");
    assert!(summary.mismatches.is_empty(), "{summary}");
    assert!(summary.disputed * 200 <= count, "the interpreter agrees but for its own few bugs: {summary}");
    assert!(summary.executed * 2 > count, "most modules run: {summary}");
    assert!(summary.interpreted > 0 && summary.traps > 0, "modules run to traps and on the interpreter too: {summary}");
    assert!(summary.operators.len() > 150, "the generator reaches most operators: {summary}");
}

#[test]
fn single_operators_with_every_set_of_processor_features() {
    let default = Setup::default().engine().unwrap();
    for (name, module) in single::modules() {
        let wasm = module.wasm();
        let expected = observe(&default.cranelift(&wasm).unwrap(), &default.setup, &module.calls);
        for without in Without::swarm() {
            let pair = Setup { without, ..Setup::default() }.engine().unwrap();
            let result = module.check_against(&expected, &pair, &wasm, Rule::AnyNan);
            result.unwrap_or_else(|error| panic!("{name} without {without:?}: {error}"));
        }
    }
}

#[test]
fn vectors_with_sets_of_processor_features() {
    let (avx, avx2, fma) = (Without(0b10_0011), Without(0b00_0010), Without(0b10_0000));
    for deterministic in [false, true] {
        let default = Setup { deterministic, ..Setup::default() }.engine().unwrap();
        for module in simd::modules() {
            let wasm = module.wasm();
            let expected = observe(&default.cranelift(&wasm).unwrap(), &default.setup, &module.calls);
            for without in [Without(0), avx, avx2, fma, Without::ALL] {
                let setup = Setup { deterministic, without, ..Setup::default() };
                if setup.agreeing() != setup && module.funcs.contains("madd") {
                    continue;
                }
                let result = module.check_against(&expected, &setup.engine().unwrap(), &wasm, Rule::AnyNan);
                result.unwrap_or_else(|error| panic!("{setup:?}: {error}"));
            }
        }
    }
}

#[test]
fn canonical_nans_are_the_same_to_the_bit() {
    let one_nan = Setup { canonical_nans: true, deterministic: true, ..Setup::default() };
    let pairs =
        [Without(0), Without(0b10_0011), Without::ALL].map(|without| Setup { without, ..one_nan }.engine().unwrap());
    for (name, module) in single::modules() {
        let wasm = module.wasm();
        let expected = observe(&pairs[0].cranelift(&wasm).unwrap(), &one_nan, &module.calls);
        for pair in &pairs {
            let result = module.check_against(&expected, pair, &wasm, Rule::Exact);
            result.unwrap_or_else(|error| panic!("{name} {:?}: {error}", pair.setup));
        }
    }
    for module in simd::modules() {
        let wasm = module.wasm();
        let expected = observe(&pairs[0].cranelift(&wasm).unwrap(), &one_nan, &module.calls);
        for pair in &pairs {
            let result = module.check_against(&expected, pair, &wasm, Rule::Exact);
            result.unwrap_or_else(|error| panic!("{:?}: {error}", pair.setup));
        }
    }
    for seed in 0..scaled(60) {
        let module = programs::module(seed, 1 + seed as usize % 5);
        let result = module.check(&pairs[seed as usize % pairs.len()], Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

/// 200 programs, or `LIGHTBEAM_SCALE` times as many.
#[test]
fn canonical_nans_of_float_programs() {
    let one_nan = Setup { canonical_nans: true, deterministic: true, ..Setup::default() };
    let setups = [
        one_nan,
        Setup { without: Without(0b10_0011), ..one_nan },
        Setup { without: Without::ALL, ..one_nan },
        Setup { signals: false, fuel: true, ..one_nan },
        Setup { debug: true, ..one_nan },
    ];
    let pairs = setups.map(|setup| setup.engine().unwrap());
    let any = Setup { deterministic: true, ..Setup::default() }.engine().unwrap();
    let (mut programs, mut calls, mut depend) = (0, 0, 0);
    for seed in 0..scaled(200) {
        let module = floats::module(seed, 3 + seed as usize % 7 * 4);
        let pair = &pairs[seed as usize % pairs.len()];
        let wasm = module.wasm();
        let expected = observe(&pair.cranelift(&wasm).unwrap(), &pair.setup, &module.calls);
        programs += 1;
        let returned = |event: &&Event| matches!(event, Event::Call { outcome: Outcome::Values(_), .. });
        calls += expected.iter().filter(returned).count();
        let result = module.check_against(&expected, pair, &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}, {:?}: {error}\n{}", pair.setup, module.wat()));
        // Without canonical NaNs a program gives other bits, or else nothing is shown.
        let free = observe(&any.lightbeam(&wasm).unwrap(), &any.setup, &module.calls);
        depend += u64::from(difference(&expected, &free, Rule::Exact).is_some());
    }
    println!("{programs} programs, {calls} calls: the same to the bit; {depend} programs give other bits without");
    assert!(calls as u64 == programs * 4 && depend * 2 > programs, "{calls} calls of {programs} programs, {depend}");
}

#[test]
fn tail_calls_from_and_to_any_numbers_of_arguments() {
    for lazy_tables in [true, false] {
        let pair = Setup { lazy_tables, ..Setup::default() }.engine().unwrap();
        for module in tails::modules() {
            module.check(&pair, Rule::Exact).unwrap();
        }
    }
}

#[test]
fn division_by_constants() {
    let plain = Setup::default();
    let setups = [plain, Setup { without: Without::ALL, ..plain }, Setup { signals: false, fuel: true, ..plain }];
    let pairs = setups.map(|setup| setup.engine().unwrap());
    for (nth, (place, module)) in division::modules().into_iter().enumerate() {
        let pair = &pairs[nth % pairs.len()];
        module.check(pair, Rule::Exact).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

#[test]
fn single_operators_without_signals() {
    let pair = Setup { signals: false, ..Setup::default() }.engine().unwrap();
    for (name, module) in single::modules() {
        module.check(&pair, Rule::AnyNan).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn narrow_values_have_no_upper_half() {
    let module = narrow::module();
    for setup in [Setup::default(), Setup { signals: false, reservation: Some(0), guard: Some(0), ..Setup::default() }]
    {
        module.check(&setup.engine().unwrap(), Rule::Exact).unwrap_or_else(|error| panic!("{setup:?}: {error}"));
    }
    let pair = Setup::default().engine().unwrap();
    let third = wasmi::observe(&module.wasm(), &module.calls).expect("the interpreter knows all that the module uses");
    module.check_against(&third, &pair, &module.wasm(), Rule::Exact).unwrap();
}

#[test]
fn control_flow_keeps_every_value_in_its_place() {
    let plain = Setup::default();
    let setups = [plain, Setup { fuel: true, ..plain }, Setup { epochs: true, signals: false, ..plain }];
    for seed in 0..scaled(120) {
        let module = control::module(seed, 20 + seed as usize % 5 * 30);
        let setup = setups[seed as usize % setups.len()];
        let result = module.check(&setup.engine().unwrap(), Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn operands_outlive_the_registers_that_operators_take() {
    let plain = Setup::default();
    let setups = [
        plain,
        Setup { without: Without(0b10_0011), ..plain },
        Setup { signals: false, guard: Some(0), reservation: Some(0), ..plain },
    ];
    for seed in 0..scaled(200) {
        let module = pressure::module(seed, 10 + seed as usize % 5 * 25);
        let setup = setups[seed as usize % setups.len()];
        let result = module.check(&setup.engine().unwrap(), Rule::AnyNan);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn operators_find_registers_in_crowded_loops() {
    let plain = Setup::default();
    let setups = [
        plain,
        Setup { without: Without::ALL, ..plain },
        Setup { poison: true, ..plain },
        Setup { epochs: true, fuel: true, ..plain },
        Setup { signals: false, guard: Some(0), reservation: Some(0), ..plain },
    ];
    for seed in 0..scaled(300) {
        let module = crowded::module(seed, 1 + seed as usize % 5 * 8);
        // Most as they are by default, where such loops give most registers away.
        let setup = setups[(seed as usize % 10).saturating_sub(5)];
        let result = module.check(&setup.engine().unwrap(), Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn programs_compute_the_same() {
    let plain = Setup::default();
    let setups = [
        plain,
        plain,
        Setup { without: Without::ALL, ..plain },
        Setup { fuel: true, ..plain },
        Setup { epochs: true, signals: false, ..plain },
        Setup { reservation: Some(0), guard: Some(0), ..plain },
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
    ];
    let (mut calls, mut returned) = (0, 0);
    for seed in 0..scaled(300) {
        let module = programs::module(seed, 1 + seed as usize % 5);
        let pair = setups[seed as usize % setups.len()].engine().unwrap();
        let wasm = module.wasm();
        let expected = observe(&pair.cranelift(&wasm).unwrap(), &pair.setup, &module.calls);
        for event in &expected {
            if let Event::Call { outcome, .. } = event {
                calls += 1;
                returned += u64::from(matches!(outcome, Outcome::Values(_)));
            }
        }
        let result = module.check_against(&expected, &pair, &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
    println!("{returned} of {calls} calls returned");
    assert!(returned * 10 > calls * 9, "most programs run to their end: {returned} of {calls}");
}

#[test]
fn exceptions_find_their_handlers_and_locals_keep_their_values() {
    let plain = Setup::default();
    let moving = Setup { reservation: Some(0), guard: Some(0), ..plain };
    let setups = [plain, Setup { epochs: true, signals: false, ..plain }, moving];
    for seed in 0..scaled(150) {
        let module = exceptions::module(seed, 10 + seed as usize % 5 * 30);
        let setup = setups[seed as usize % setups.len()];
        let result = module.check(&setup.engine().unwrap(), Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn stacks_change_and_locals_keep_their_values() {
    let plain = Setup::default();
    let moving = Setup { reservation: Some(0), guard: Some(0), ..plain };
    let floor = Setup { without: Without::ALL, ..plain };
    let setups = [plain, Setup { epochs: true, signals: false, ..plain }, moving, floor];
    let (mut returned, mut calls) = (0, 0);
    for seed in 0..scaled(150) {
        let module = continuations::module(seed, 10 + seed as usize % 5 * 20);
        let setup = setups[seed as usize % setups.len()];
        let pair = setup.engine().unwrap();
        let wasm = module.wasm();
        let expected = observe(&pair.cranelift(&wasm).unwrap(), &setup, &module.calls);
        for event in &expected {
            if let Event::Call { outcome, .. } = event {
                calls += 1;
                returned += u32::from(matches!(outcome, Outcome::Values(_)));
            }
        }
        let result = module.check_against(&expected, &pair, &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
    assert!(returned * 4 > calls && returned < calls, "some calls return and some trap: {returned} of {calls}");
}

#[test]
fn traps_happen_at_their_place_even_if_nothing_uses_the_result() {
    let module = traps::module();
    for setup in Setup::memory_swarm() {
        module.check(&setup.engine().unwrap(), Rule::Exact).unwrap_or_else(|error| panic!("{setup:?}: {error}"));
    }
}

#[test]
fn copies_and_fills_of_constant_lengths() {
    let module = bulk::module();
    for setup in Setup::memory_swarm() {
        module.check(&setup.engine().unwrap(), Rule::Exact).unwrap_or_else(|error| panic!("{setup:?}: {error}"));
    }
    let fuel = Setup { fuel: true, ..Setup::default() };
    module.check(&fuel.engine().unwrap(), Rule::Exact).unwrap_or_else(|error| panic!("with fuel: {error}"));
}

#[test]
fn ranges_of_constants() {
    for module in constants::bodies() {
        for setup in Setup::memory_swarm().into_iter().step_by(4) {
            module.check(&setup.engine().unwrap(), Rule::Exact).unwrap_or_else(|error| panic!("{setup:?}: {error}"));
        }
    }
}

#[test]
fn atomic_operators_with_operands_of_every_kind() {
    let setups = Setup::memory_swarm();
    let mut ran = 0;
    for (number, memory) in atomics::MEMORIES.iter().enumerate() {
        let module = atomics::module(memory);
        let wasm = module.wasm();
        // Each setting is seen by one memory or two.
        let mut setups: Vec<Setup> = setups.iter().skip(number).step_by(5).copied().collect();
        if number == 0 {
            setups.extend([Setup { fuel: true, ..Setup::default() }, Setup { epochs: true, ..Setup::default() }]);
        }
        for setup in setups {
            let pair = setup.engine().unwrap();
            let expected = observe(&pair.cranelift(&wasm).unwrap(), &setup, &module.calls);
            ran += u32::from(expected.len() > 1000);
            let result = module.check_against(&expected, &pair, &wasm, Rule::Exact);
            result.unwrap_or_else(|error| panic!("{memory:?} {setup:?}: {error}"));
        }
    }
    assert_eq!(ran, 13, "no memory is refused under any of these settings");
}

#[test]
fn accesses_at_the_edges_of_memories() {
    let default = Setup::default().engine().unwrap();
    let setups = Setup::memory_swarm();
    for (number, shape) in memory::SHAPES.iter().enumerate() {
        let (module, traps) = memory::edges(shape);
        let wasm = module.wasm();
        let expected = observe(&default.cranelift(&wasm).unwrap(), &default.setup, &module.calls);
        memory::judge(&module, &traps, &expected).unwrap_or_else(|error| panic!("Cranelift, {shape:?}: {error}"));
        // The plainest 32-bit and 64-bit memories see all settings, the others a third each.
        let all = shape.text.ends_with(" 1)");
        for setup in setups.iter().enumerate().filter(|(i, _)| all || (i + number).is_multiple_of(3)).map(|(_, s)| s) {
            let actual = observe(&setup.engine().unwrap().lightbeam(&wasm).unwrap(), setup, &module.calls);
            memory::judge(&module, &traps, &actual).unwrap_or_else(|error| panic!("{shape:?} {setup:?}: {error}"));
            if let Some(difference) = difference(&expected, &actual, Rule::Exact) {
                panic!("{shape:?} {setup:?}: {}", module.explain(&difference.what, expected.get(difference.at)));
            }
        }
    }
}

#[test]
fn addresses_wrap_before_they_are_used() {
    let module = memory::folding();
    let wasm = module.wasm();
    let third = wasmi::observe(&wasm, &module.calls).expect("the interpreter knows all that the module uses");
    for setup in Setup::memory_swarm().into_iter().step_by(2) {
        let result = module.check_against(&third, &setup.engine().unwrap(), &wasm, Rule::Exact);
        result.unwrap_or_else(|error| panic!("{setup:?}: {error}"));
    }
}

#[test]
fn permuted_arguments_and_results() {
    let pair = Setup::default().engine().unwrap();
    for (seed, n) in [0, 1, 2, 3, 5, 7, 8, 9, 12, 17, 40, 130, 1000].into_iter().enumerate() {
        let module = moves::permuted(seed as u64, n.max(1));
        module.check(&pair, Rule::Exact).unwrap_or_else(|error| panic!("{n} values: {error:.2000}"));
    }
    for seed in 0..4 {
        moves::rotations(seed).check(&pair, Rule::Exact).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn the_comparison_notices_what_differs() {
    let pair = Setup::default().engine().unwrap();
    let wat = |n: u32| format!("(module (memory (export \"m\") 1) (func (export \"f\") (result i32) i32.const {n}))");
    let calls = [Calls::new("f", vec![vec![]])];
    let see = |n| observe(&pair.cranelift(&wat::parse_str(wat(n)).unwrap()).unwrap(), &pair.setup, &calls);
    assert_eq!(difference(&see(1), &see(1), Rule::Exact), None);
    assert!(difference(&see(1), &see(2), Rule::Exact).is_some());
    let mut other = see(1);
    let Some(Event::Memory(_, bytes)) = other.last_mut() else { panic!("the memory is last") };
    bytes[7] = 1;
    let difference = difference(&see(1), &other, Rule::Exact).unwrap();
    assert!(difference.what.contains("0x7"), "{}", difference.what);
}
