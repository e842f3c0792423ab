//! Values of random types, from the host through two components to the host and back.

use lightbeam_tests::components::program::Program;
use lightbeam_tests::components::{Outcome, settings};
use lightbeam_tests::random::Random;

/// So many programs, or as many times more as `LIGHTBEAM_SCALE` says.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

#[test]
fn values_come_through_two_components_and_back() {
    let settings = settings();
    let engines = settings.each_ref().map(|setting| setting.engine());
    let (mut compiled, mut asynchronous, mut refused) = (0, 0, 0);
    for seed in 0..scaled(150) {
        let mut random = Random::new(seed);
        let program = Program::random(&mut random);
        let which = random.below(settings.len());
        let (setting, engine) = (&settings[which], &engines[which]);
        if program.is_async() && !setting.concurrency {
            continue;
        }
        let text = program.text();
        let all = match setting.compile(engine, &text) {
            Ok(all) => all,
            // As of 48.0.8 some adapters between large memories and small ones are invalid.
            Err(error) => {
                assert!(text.contains("i64 1") && format!("{error:?}").contains("type mismatch"), "{error:?}\n{text}");
                refused += 1;
                continue;
            }
        };
        for (how, component) in &all {
            let outcomes = program.run(engine, component);
            let right = outcomes.iter().all(|outcome| *outcome == Outcome::Returned(Vec::new()));
            assert!(right, "seed {seed}, {}, {how}: {outcomes:#?}\n{text}", setting.name);
        }
        compiled += 1;
        asynchronous += u32::from(program.is_async());
    }
    println!("{compiled} programs, {asynchronous} of them asynchronous; {refused} more that neither compiles");
    assert!(compiled > 100 && asynchronous > 20 && refused * 10 < compiled, "{compiled} {asynchronous} {refused}");
}
