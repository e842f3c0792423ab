//! The verifier takes no offence at code that is right, rejects what is not, and takes linear time; `cargo xtask
//! verify-all` does the first at length.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::shared;
use lightbeam_tests::verification::{self, Subject};
use wasmtime::Config;

/// Proves modules under all settings, of which it takes every so many-th under each, beginning with another.
fn prove(subjects: &[Subject], every: usize) {
    let mut complaints = Vec::new();
    for (nth, (name, setup)) in verification::setups().into_iter().enumerate() {
        let share: Vec<Subject> = subjects
            .iter()
            .skip(nth % every)
            .step_by(every)
            .map(|subject| Subject { name: subject.name.clone(), wasm: subject.wasm.clone() })
            .collect();
        let summary = verification::run(&setup, &share, 2).unwrap();
        println!("{name}: {summary}");
        assert!(summary.compiled * 4 >= summary.modules, "{name}: hardly anything compiles");
        if !summary.failures.is_empty() {
            complaints.push(format!("{name}: {summary}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn generated_modules_are_proved() {
    prove(&verification::generated(0..300), 1);
}

#[test]
fn bombs_are_proved() {
    prove(&verification::of_bombs(40), 1);
}

#[test]
fn modules_of_the_specification_are_proved() {
    let Some(folder) = shared::folder("spec") else { return };
    let subjects = verification::of_scripts(&folder);
    assert!(subjects.len() > 1000, "only {} modules in the scripts", subjects.len());
    prove(&subjects, verification::setups().len());
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

/// Whatever byte of a file is changed, it is no longer proved, unless it is a change of code to other code that is right.
#[test]
fn no_byte_of_a_file_is_believed() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let artifact = compiler.precompile(MODULE).unwrap();
    let text = text_of(&artifact);
    let mut accepted = 0;
    for at in 0..artifact.len() {
        let mut changed = artifact.clone();
        changed[at] ^= 1 << (at % 8);
        let proved = compiler.verify_artifact(&changed, MODULE).is_ok();
        assert!(!proved || text.contains(&at), "byte {at} is not looked at");
        accepted += usize::from(proved);
    }
    assert!(accepted < text.len(), "code is not looked at");
}

/// Where in a file the text is.
fn text_of(artifact: &[u8]) -> std::ops::Range<usize> {
    let text = lightbeam_verify::artifact::Artifact::parse(artifact).unwrap().text;
    let at = text.as_ptr().addr() - artifact.as_ptr().addr();
    at..at + text.len()
}
