//! Generated modules for the classes of faults that the emitter's own state can have: what is read after its frame has
//! ended, what changes behind a branch, what goes back before it is read, what waits while it is written. Half of each
//! run with frames full of garbage, where a slot that nothing has written shows at once.

use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::generate::{Generated, block_locals, null_tests, pending_writes, windows};
use lightbeam_tests::observe::Rule;
use wasmtime::Collector;

/// How many of something to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

/// Compares both compilers on so many modules, each under one of the settings.
fn compare(count: u64, setups: &[Setup], rule: Rule, module: impl Fn(u64) -> Generated) {
    let pairs: Vec<_> = setups.iter().map(|setup| setup.engine().unwrap()).collect();
    for seed in 0..count {
        let module = module(seed);
        let result = module.check(&pairs[seed as usize % pairs.len()], rule);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn locals_of_one_frame_are_read_after_it_has_ended() {
    let plain = Setup::default();
    let garbage = Setup { poison: true, ..plain };
    let setups = [garbage, plain, Setup { without: Without::ALL, ..garbage }, Setup { epochs: true, ..garbage }];
    compare(scaled(120), &setups, Rule::Exact, |seed| block_locals::module(seed, 1 + seed as usize % 6));
}

#[test]
fn tests_of_references_that_are_null_or_numbers() {
    let plain = Setup::default();
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..plain };
    let setups = [
        plain,
        Setup { poison: true, ..plain },
        Setup { poison: true, ..counting },
        Setup { collector: Collector::Null, ..plain },
        Setup { signals: false, ..counting },
    ];
    compare(scaled(100), &setups, Rule::Exact, |seed| null_tests::module(seed, 6 + seed as usize % 4 * 8));
}

#[test]
fn references_are_read_into_full_windows() {
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..Setup::default() };
    let setups = [counting, Setup { poison: true, ..counting }];
    compare(scaled(30), &setups, Rule::Exact, windows::module);
}

#[test]
fn locals_are_written_while_reads_of_them_wait() {
    let plain = Setup::default();
    let setups = [
        plain,
        Setup { poison: true, ..plain },
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { without: Without::ALL, ..plain },
        Setup { signals: false, reservation: Some(0), guard: Some(0), ..plain },
    ];
    compare(scaled(80), &setups, Rule::AnyNan, |seed| pending_writes::module(seed, 4 + seed as usize % 4 * 6));
}
