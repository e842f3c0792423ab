//! Targets whose inputs are decisions of a generator: what the module does must be what Cranelift's does.

use super::families::{FAMILIES, Family, family};
use super::{Verdict, pair, shown};
use crate::backend::{Setup, Without};
use crate::differential::{Summary, compare, decided};
use crate::observe::{Event, Outcome, difference, observe_with};
use crate::random::Random;
use wasmtime::Collector;

pub(super) fn differential(data: &[u8]) -> Verdict {
    let of = |canonical| decided(&mut Random::from_bytes(data), canonical, |_| {});
    let Some(case) = of(false) else { return Verdict::Void };
    let mut summary = Summary::default();
    if let Err(what) = compare(&case, &mut summary) {
        // Bits of NaNs can reach integers, and rightly differ.
        let nans = !case.canonical && of(true).is_some_and(|case| compare(&case, &mut Summary::default()).is_ok());
        assert!(nans, "{what}\n{:?}\n{}", case.setup, shown(&case.wasm));
    }
    if summary.executed > 0 { Verdict::Tested } else { Verdict::Void }
}

/// Runs a module of a generator with both compilers, with so much fuel where it is counted.
fn agree(setup: Setup, family: Family, random: Random, fuel: u64) -> Verdict {
    // Cranelift loses what a stack used when another one goes on: it does not store the count there.
    let stacks = ["continuations", "before_unreachable"].contains(&family.name);
    let setup = Setup { fuel: setup.fuel && !stacks, ..setup };
    let module = (family.make)(random);
    let wasm = module.wasm();
    let Ok(pair) = pair(setup) else { return Verdict::Void };
    // Some settings refuse large memories.
    let Ok(cranelift) = pair.cranelift(&wasm) else { return Verdict::Void };
    let lightbeam = pair.lightbeam(&wasm);
    let lightbeam =
        lightbeam.unwrap_or_else(|error| panic!("does not compile: {error:?}\n{setup:?}\n{}", module.wat()));
    let expected = observe_with(&cranelift, &setup, &module.calls, fuel);
    let actual = observe_with(&lightbeam, &setup, &module.calls, fuel);
    if let Some(difference) = difference(&expected, &actual, family.rule) {
        panic!(
            "{}, {setup:?}, fuel {fuel}: {}\n{}",
            family.name,
            module.explain(&difference.what, expected.get(difference.at)),
            module.wat()
        );
    }
    // It may have been that nothing ran: a memory that the settings do not allow.
    if matches!(expected.first(), Some(Event::Start(Outcome::Values(_), _))) { Verdict::Tested } else { Verdict::Void }
}

pub(super) fn config(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let family = *random.pick(FAMILIES);
    let setup = Setup::random(&mut random);
    agree(setup, family, random, crate::observe::FUEL)
}

pub(super) fn fuel(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let family = *random.pick(FAMILIES);
    let setup = Setup { fuel: true, ..Setup::random(&mut random) };
    // Little enough to run out now and then.
    let fuel = 1 << random.below(21);
    agree(setup, family, random, fuel + fuel / 7)
}

pub(super) fn gc_ops(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let plain = Setup::default();
    let collector = *random.pick(&[Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null]);
    let setup = match random.below(4) {
        0 => Setup { signals: false, ..plain },
        1 => Setup { reservation: Some(0), guard: Some(0), ..plain },
        2 => Setup { without: Without::ALL, ..plain },
        _ => plain,
    };
    agree(Setup { collector, ..setup }, family("objects"), random, crate::observe::FUEL)
}

/// A few settings that make a difference to code that may be left in the middle.
fn setup(random: &mut Random) -> Setup {
    let plain = Setup::default();
    match random.below(5) {
        0 => Setup { epochs: true, signals: false, ..plain },
        1 => Setup { reservation: Some(0), guard: Some(0), ..plain },
        2 => Setup { without: Without::ALL, ..plain },
        3 => Setup { fuel: true, collector: Collector::DeferredReferenceCounting, ..plain },
        _ => plain,
    }
}

pub(super) fn exceptions(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let setup = setup(&mut random);
    agree(setup, family("exceptions"), random, crate::observe::FUEL)
}

pub(super) fn stacks(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let setup = setup(&mut random);
    agree(setup, family("continuations"), random, crate::observe::FUEL)
}
