//! The verifier takes no offence at code that is right, and proves artifacts against their modules; `cargo xtask
//! verify-all` does the first at length.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::shared;
use lightbeam_tests::verification::{self, Subject};
use std::path::Path;
use wasmtime::Config;

/// Proves modules under these settings. Under others there are rules to come: what objects need where each access to their
/// heap is checked, or where nothing is collected, and metered code of large functions.
fn prove(settings: &[&str], subjects: &[Subject]) {
    let mut complaints = Vec::new();
    for (name, setup) in verification::setups().into_iter().filter(|(name, _)| settings.contains(name)) {
        let summary = verification::run(&setup, subjects, 2).unwrap();
        println!("{name}: {summary}");
        assert!(summary.compiled * 4 >= summary.modules, "{name}: hardly anything compiles");
        if !summary.failures.is_empty() {
            complaints.push(format!("{name}: {summary}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Proves what there is in a folder of the shared material, under the settings whose code is proved whatever it is.
fn prove_shared(folder: &str, subjects: impl Fn(&Path) -> Vec<Subject>) {
    let Some(folder) = shared::folder(folder) else { return };
    let subjects = subjects(&folder);
    assert!(!subjects.is_empty(), "nothing in {}", folder.display());
    prove(&["default", "floor"], &subjects);
}

#[test]
fn the_specification_is_proved() {
    prove_shared("spec", verification::of_scripts);
}

#[test]
fn scripts_of_the_host_are_proved() {
    prove_shared("wasmtime-scripts", verification::of_scripts);
}

#[test]
fn programs_are_proved() {
    prove_shared("corpus", verification::of_files);
}

#[test]
fn bombs_are_proved() {
    prove(&["default", "floor"], &verification::of_bombs(40));
}

#[test]
fn generated_modules_are_proved() {
    prove(&["default", "counting", "floor"], &verification::generated(0..300));
}

const MODULE: &str = r#"(module
  (memory (export "memory") 1) (table $t 2 funcref) (elem (table $t) (i32.const 0) func $f $g)
  (global $g (mut i32) (i32.const 7)) (data (i32.const 16) "some data")
  (func $f (export "f") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $g (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (global.get $g))))"#;

#[test]
fn an_artifact_is_proved_against_its_module() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let artifact = compiler.precompile(MODULE).unwrap();
    let verified = compiler.verify_artifact(&artifact, MODULE).unwrap();
    assert_eq!(verified.functions, 2);
    assert!(verified.instructions > 20);

    let error = |compiler: &Compiler, artifact: &[u8], module: &str| {
        let error = compiler.verify_artifact(artifact, module).unwrap_err();
        let error = error.downcast::<lightbeam::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        error.to_string()
    };
    for (from, to) in [
        ("some data", "same data"),
        ("(i32.const 7)", "(i32.const 8)"),
        ("\"f\"", "\"g\""),
        ("1) (table", "2) (table"),
        ("func $f $g", "func $g $f"),
        ("$t 2 funcref", "$t 3 funcref"),
    ] {
        let other = MODULE.replacen(from, to, 1);
        assert_ne!(other, MODULE);
        let message = error(&compiler, &artifact, &other);
        assert!(message.contains("module") || message.contains("byte"), "{message}");
    }
    let mut config = Config::new();
    config.memory_reservation(1 << 20);
    let small = Compiler::new(&config).unwrap();
    let message = error(&small, &artifact, MODULE);
    assert!(message.contains("`memory_reservation: 4294967296`, they have `memory_reservation: 1048576`"), "{message}");
    assert!(error(&compiler, b"\x7fELF", MODULE).contains("no artifact"));
}
