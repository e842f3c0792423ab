//! Compile bombs: doubling the input about doubles the output, whatever the input; and modules at the limits compile.

use lightbeam::{Compiler, ErrorKind, Report};
use lightbeam_tests::bombs::{Bomb, EXTREMES, OUT_OF_PROPORTION, bombs};
use wasmtime::Config;

/// Bytes of the artifact: code, traps, address map, metadata, everything.
fn compile(bomb: &Bomb, n: usize) -> (usize, usize, Report) {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let wasm = (bomb.make)(n);
    let (artifact, report) = compiler.precompile_timed(&wasm).unwrap_or_else(|error| panic!("{}: {error}", bomb.name));
    (wasm.len(), artifact.len(), report)
}

#[test]
fn doubling_a_bomb_about_doubles_the_output() {
    for bomb in bombs() {
        // Shapes of n by n have fourfold input for double n.
        let (bytes, small, _) = compile(bomb, bomb.n / 2);
        let (double_bytes, large, _) = compile(bomb, bomb.n);
        let growth = double_bytes as f64 / bytes as f64;
        // Artifacts have a fixed part of whole pages.
        let fixed = 64 << 10;
        let ratio = large.saturating_sub(fixed) as f64 / small as f64;
        println!("{}: {bytes} → {double_bytes} bytes give {small} → {large}", bomb.name);
        let allowed = if growth > 2.5 { 4.2 } else { 2.1 };
        assert!(ratio < allowed, "{}: {bytes} bytes give {small}, {double_bytes} give {large}", bomb.name);
    }
}

#[test]
fn bombs_are_valid_modules() {
    let engine = wasmtime::Engine::default();
    for bomb in bombs().chain(EXTREMES).chain(OUT_OF_PROPORTION) {
        wasmtime::Module::validate(&engine, &(bomb.make)(bomb.n))
            .unwrap_or_else(|error| panic!("{}: {error}", bomb.name));
    }
}

/// On a small stack: nothing recurs over the nesting of the input.
#[test]
fn modules_at_the_limits_compile_on_a_small_stack() {
    for bomb in EXTREMES {
        let worker = std::thread::Builder::new().stack_size(512 << 10);
        let (bytes, artifact, report) = worker.spawn(|| compile(bomb, bomb.n)).unwrap().join().unwrap();
        println!("{}: {bytes} bytes give {artifact} in {:?}", bomb.name, report.phases);
    }
}

#[test]
fn what_exceeds_a_limit_is_refused_by_name() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    // One more local than the limit of all engines, and a table of branches beyond it.
    let locals = (bombs().next().unwrap().make)(50_000);
    let table = bombs().find(|bomb| bomb.name == "br_table-entries").unwrap();
    for (wasm, word) in [(locals, "local"), ((table.make)(70_000), "br_table")] {
        let error = compiler.module(&wasm).unwrap_err();
        let error = error.downcast_ref::<lightbeam::Error>().unwrap_or_else(|| panic!("one of Lightbeam's: {error:?}"));
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::TooLarge), "{error}");
        assert!(error.message().contains(word) && error.offset().is_some(), "{error}");
    }
}

#[test]
fn code_out_of_all_proportion_is_refused() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    for bomb in OUT_OF_PROPORTION {
        let error = compiler.precompile((bomb.make)(bomb.n)).unwrap_err();
        let error = error.downcast_ref::<lightbeam::Error>().unwrap_or_else(|| panic!("{}: {error:?}", bomb.name));
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{}: {error}", bomb.name);
    }
}
