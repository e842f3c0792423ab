//! Runs sweep 1 alone over the bodies of a module, for a profiler to count: `sweep1 MODE FILE`, where the mode is
//! `validate` (wasmparser's validation and nothing else), `judge` (that, and the survey), `fast` (the fast sweep)
//! or `none` (what the program takes without any of them).

use lightbeam_compiler::BothWays;
use lightbeam_tests::bodies::{Bodies, again, body};
use wasmparser::{FuncValidatorAllocations, WasmFeatures};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, file] = arguments.as_slice() else { panic!("usage: sweep1 validate|judge|fast|none FILE") };
    let wasm = wat::parse_file(file).expect("a module");
    let bodies = Bodies::of(&wasm, WasmFeatures::default()).expect("a module of supported features");
    let mut ways = BothWays::default();
    let mut allocations = FuncValidatorAllocations::default();
    let (mut bytes, mut accepted) = (0, 0);
    for (func, code) in &bodies.funcs {
        let body = body(code);
        bytes += code.len();
        accepted += usize::from(match mode.as_str() {
            "none" => true,
            "fast" => ways.fast(&bodies.facts, func, &body),
            "judge" => ways.judge(&bodies.facts, again(func), &body).is_ok(),
            "validate" => {
                let mut validator = again(func).into_validator(std::mem::take(&mut allocations));
                let valid = validator.validate(&body).is_ok();
                allocations = validator.into_allocations();
                valid
            }
            mode => panic!("no mode {mode}"),
        });
    }
    println!("{accepted} of {} bodies, {bytes} bytes", bodies.funcs.len());
}
