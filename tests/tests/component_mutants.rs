//! Components of Wasmtime's scripts with changed, doubled, lacking and lying sections: whole and in chunks they give
//! the same artifact or the same error, never a panic, and what is accepted is proved. `LIGHTBEAM_SCALE` times the
//! number of an ordinary run; `LIGHTBEAM_SEED` begins elsewhere.

use lightbeam_tests::fuzz::components::{check, damaged};
use lightbeam_tests::fuzz::seeds;
use lightbeam_tests::random::{Random, mix};
use std::time::{Duration, Instant};

/// A number that the environment gives.
fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn changed_components_are_the_same_in_any_chunks() {
    let all: Vec<Vec<u8>> = seeds::components().into_iter().filter(|wasm| wasm.len() < 20_000).collect();
    assert!(all.len() >= 6, "{} components", all.len());
    let (seed, count) = (number("LIGHTBEAM_SEED", 0), 300 * number("LIGHTBEAM_SCALE", 1));
    // Of a long run, a word now and then, and of what takes long.
    let long = count > 1000;
    let begun = Instant::now();
    let mut failed = Vec::new();
    for number in seed..seed + count {
        let mut random = Random::new(mix(number));
        let (wasm, other) = (random.pick(&all).clone(), random.pick(&all).clone());
        let mutant = damaged(&mut random, &wasm, &other);
        let start = Instant::now();
        if std::panic::catch_unwind(|| check(&mutant)).is_err() {
            failed.push(number);
        }
        if long && start.elapsed() > Duration::from_secs(3) {
            eprintln!("mutant {number}, {} bytes, takes {:?}", mutant.len(), start.elapsed());
        }
        if long && number % 10_000 == 0 {
            eprintln!("mutant {number} after {:?}, {} failed", begun.elapsed(), failed.len());
        }
    }
    assert!(failed.is_empty(), "mutants {failed:?}");
}

#[test]
fn components_of_the_scripts_are_the_same_in_any_chunks() {
    for wasm in seeds::components() {
        check(&wasm);
    }
}
