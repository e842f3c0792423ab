//! The targets of the fuzzer, each on a few fixed inputs, so that they stay whole, and on all inputs that once failed.

use lightbeam_tests::fuzz::{TARGETS, Target, Verdict, seeds, target};
use lightbeam_tests::shared;

/// How many inputs of a target to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

fn run(name: &str, count: u64) {
    let target: &Target = target(name).expect("a target");
    let inputs = seeds::fixed(target, scaled(count));
    let mut tested = 0;
    for (number, input) in inputs.iter().enumerate() {
        // Shown only if the test fails.
        println!("input {number}");
        tested += usize::from((target.run)(input) == Verdict::Tested);
    }
    assert!(tested * 2 > inputs.len(), "{tested} of {} inputs test what they should", inputs.len());
    for path in shared::files(&shared::repository().join("fuzz/regressions").join(name), "bin") {
        println!("{}", path.display());
        (target.run)(&std::fs::read(path).unwrap());
    }
}

macro_rules! targets {
    ($($name:ident: $count:literal,)*) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name), $count);
            }
        )*

        #[test]
        fn every_target_is_here() {
            let here = [$(stringify!($name)),*];
            for target in TARGETS {
                assert!(here.contains(&target.name), "{} is not run", target.name);
            }
        }
    };
}

targets! {
    compile: 60,
    stream: 40,
    component: 60,
    component_sections: 150,
    validate: 2000,
    differential: 60,
    config: 60,
    fuel: 60,
    gc_ops: 60,
    exceptions: 40,
    stacks: 40,
    mixed: 100,
    alias: 40,
    verify: 40,
    verify_mutant: 12,
    artifact: 200,
    wast: 20,
}

/// Seeds are what the targets take, or at least most are.
#[test]
fn seeds_are_of_use() {
    // Most components are of Wasmtime's scripts.
    let least = if shared::folder("wasmtime-scripts").is_some() { 50 } else { 10 };
    for name in ["compile", "component", "validate", "wast"] {
        let target = target(name).unwrap();
        let seeds = seeds::seeds(target);
        assert!(seeds.len() > least, "{name}: {} seeds", seeds.len());
        let few: Vec<&Vec<u8>> = seeds.iter().step_by((seeds.len() / 40).max(1)).collect();
        let tested = few.iter().filter(|seed| (target.run)(seed) == Verdict::Tested).count();
        assert!(tested * 2 > few.len(), "{name}: {tested} of {} seeds test what they should", few.len());
    }
}
