//! libFuzzer around one of the targets, which the environment variable `LIGHTBEAM_FUZZ` names. One program for all of
//! them, since linking Wasmtime and two compilers takes longer than compiling the targets.

#![no_main]

use lightbeam_tests::fuzz::{TARGETS, Target, target};
use std::sync::LazyLock;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("LIGHTBEAM_FUZZ").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("LIGHTBEAM_FUZZ must name a target: {}", names.join(", "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(
    init: LazyLock::force(&TARGET),
    |data: &[u8]| {
        (TARGET.run)(data);
    }
);
