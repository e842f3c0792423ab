//! The verifier takes no offence at code that is right, and proves artifacts against their modules; `cargo xtask
//! verify-all` does the first at length.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::bombs;
use lightbeam_tests::shared;
use lightbeam_tests::stack_bombs::STACK_BOMBS;
use lightbeam_tests::verification::{self, Subject};
use std::path::Path;
use wasmtime::{Collector, Config};

/// Proves modules under all settings.
fn prove_all(subjects: &[Subject]) {
    let all: Vec<&str> = verification::setups().into_iter().map(|(name, _)| name).collect();
    prove(&all, subjects);
}

/// Proves modules under these settings.
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

/// Proves what there is in a folder of the shared material.
fn prove_shared(folder: &str, subjects: impl Fn(&Path) -> Vec<Subject>) {
    let Some(folder) = shared::folder(folder) else { return };
    let subjects = subjects(&folder);
    assert!(!subjects.is_empty(), "nothing in {}", folder.display());
    prove_all(&subjects);
}

#[test]
fn the_specification_is_proved() {
    prove_shared("spec", verification::of_scripts);
}

#[test]
fn scripts_of_our_own_are_proved() {
    prove_all(&verification::of_scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("wast")));
}

#[test]
fn scripts_of_the_host_are_proved() {
    prove_shared("wasmtime-scripts", verification::of_scripts);
}

#[test]
fn components_of_the_host_are_proved() {
    prove_shared("wasmtime-scripts", verification::components_of_scripts);
}

#[test]
fn programs_are_proved() {
    prove_shared("corpus", verification::of_files);
}

#[test]
fn bombs_are_proved() {
    prove_all(&verification::of_bombs(40));
}

/// Functions with so many references across so many calls that one map serves all of these. Where in the last word of
/// the map the last reference is goes by the number of slots; slots in functions with vectors are larger.
#[test]
fn functions_with_one_map_for_thousands_of_references_are_proved() {
    let subjects =
        [("objects-one-more-at-each-allocation", 2500..2508), ("more-references-at-each-resume", 4000..4002)];
    let subjects = subjects.into_iter().flat_map(|(name, sizes)| {
        let bomb = bombs::bombs().chain(STACK_BOMBS).find(|bomb| bomb.name == name).unwrap();
        sizes.map(move |n| Subject { name: format!("{name}, {n}"), wasm: (bomb.make)(n) })
    });
    prove(&["default", "floor-metered-moving"], &subjects.collect::<Vec<_>>());
}

#[test]
fn generated_modules_are_proved() {
    prove_all(&verification::generated(0..300));
    prove_all(&verification::systematic());
    for name in verification::generators() {
        prove_all(&verification::of_generator(name, 0..8));
    }
}

/// A routine that is passed nothing but zeros, of which one is a null.
#[test]
fn a_null_among_zeros_is_proved() {
    let wat = "(module (table 8 funcref) (elem (i32.const 0) func $f)
      (func $f (table.fill (i32.const 0) (ref.null func) (i32.const 1)) (table.fill (i32.const 0) (ref.null func) (i32.const 0))))";
    prove_all(&[Subject { name: "zeros".into(), wasm: wat::parse_str(wat).unwrap() }]);
}

/// Modules with code that once had no rule, or was without a check that it needs, each under all settings and some
/// more.
#[test]
fn what_random_settings_have_found_is_proved() {
    const MODULES: [&str; 15] = [
        // A table without elements, an index as large as there is.
        "(module (table 0 0 funcref) (func (export \"f\") (param i32) (result funcref) (table.get (local.get 0))))",
        // A fence where there is no frame.
        "(module (memory 1 1 shared) (func (export \"f\") (atomic.fence) (call 0)))",
        // Sums of constants, of which one is larger than any memory.
        "(module (memory i64 1) (func (export \"f\") (result i32)
           (i32.load offset=0x5a37e3b7e0074e04 (i64.const 0x3fffffffffff))))",
        "(module (memory i64 1) (data (i64.const 0x7d596a76d0d9526c) \"a\"))",
        "(module (memory i64 1) (func (export \"f\") (param i64)
           (memory.fill (i64.const 29) (i32.const 5) (i64.add (local.get 0) (i64.const 0x100000000000)))))",
        "(module (memory i64 1) (func (export \"f\") (param i32)
           (memory.fill (i64.const 15) (i32.const 5)
             (i64.add (i64.const 0x100000000000) (i64.extend_i32_u (local.get 0))))))",
        // An access at the same place whatever happens, of a memory that never grows.
        "(module (memory 4 4) (func (export \"f\") (result i32) (i32.load offset=9 (i32.const 12))))",
        // References that startup counts.
        "(module (type $s (struct (field i32))) (global (export \"g\") (ref $s) (struct.new $s (i32.const 1)))
           (table 3 (ref null $s) (struct.new $s (i32.const 2))) (elem (ref $s) (struct.new $s (i32.const 3))))",
        // Tables grow, and so do memories of other names, and memory 0 stays where it was.
        "(module (memory 1) (memory 1) (table 1 funcref) (func (export \"f\") (param i32)
           (drop (table.grow (ref.null func) (local.get 0))) (drop (memory.grow 1 (local.get 0))) (call 0 (i32.load (local.get 0)))))",
        // Lists of functions with nothing among them, several of them.
        "(module (table 9 funcref) (func $f) (func $g (param i32)) (elem (i32.const 1) funcref (ref.null func) (ref.func $f))
           (elem (i32.const 5) func $g $f $g) (elem funcref (ref.func $g) (ref.null func) (ref.func $f)))",
        // An element at a place beyond every length, written by startup.
        "(module (table i64 1 10 externref) (elem (i64.const 0xff463e11ff464000) externref (ref.null extern)))",
        // A tail call of what gives nothing but null.
        "(module (func $f (result nullfuncref) (ref.null nofunc)) (func (export \"f\") (result nullfuncref) (return_call $f))
           (func (export \"g\") (result funcref) (return_call $f)))",
        // The length of a memory and an offset that is as large as offsets are.
        "(module (memory i64 1 1000 (pagesize 1)) (func (export \"f\") (result i32)
           (i32.load16_u offset=0xffa90a2c599360f6 (memory.size))))",
        // Whoever waits in one memory finds the other where it was.
        "(module (memory 1) (memory 1 1 shared) (func (export \"f\") (param i32) (result i32)
           (drop (memory.atomic.wait32 1 (local.get 0) (i32.const 0) (i64.const 0))) (i32.load (local.get 0))))",
        "(module (memory 1) (memory 1 1 shared) (func (export \"f\") (param i32) (result i32) (loop $l
           (drop (memory.atomic.wait64 1 (local.get 0) (i64.const 0) (i64.const 0))) (br_if $l (call $g (local.get 0))))
           (i32.const 0)) (func $g (param i32) (result i32) (i32.load (local.get 0))))",
    ];
    let subjects: Vec<Subject> = MODULES
        .iter()
        .enumerate()
        .map(|(n, wat)| Subject { name: format!("module {n}"), wasm: wat::parse_str(wat).unwrap() })
        .collect();
    let base = Setup::default();
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..base };
    let more = [
        Setup { reservation: Some(0), guard: Some(0), ..counting },
        Setup { signals: false, spectre: false, ..counting },
        Setup { reservation: Some(0), guard: Some(0), poison: true, fuel: true, epochs: true, ..base },
        Setup { signals: false, may_move: false, poison: true, without: Without::ALL, deterministic: true, ..counting },
    ];
    let settings = verification::setups().into_iter().map(|(_, setup)| setup).chain(more);
    for setup in settings {
        let summary = verification::run(&setup, &subjects, 2).unwrap();
        assert!(summary.failures.is_empty(), "{setup:?}: {summary}");
        assert_eq!(summary.compiled, MODULES.len(), "{setup:?}");
    }
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

const COMPONENT: &str = r#"(component
  (import "log" (func $log (param "a" u32) (result u64)))
  (core func $lowered (canon lower (func $log)))
  (core module $inner (func (export "one") (result i32) (i32.const 1)))
  (core instance $inner (instantiate $inner))
  (core module $outer
    (import "" "log" (func $log (param i32) (result i64)))
    (import "" "one" (func $one (result i32)))
    (func (export "run") (result i64) (call $log (call $one))))
  (core instance $outer (instantiate $outer
    (with "" (instance (export "log" (func $lowered)) (export "one" (func $inner "one"))))))
  (func (export "run") (result u64) (canon lift (core func $outer "run"))))"#;

#[test]
fn an_artifact_is_proved_against_its_component() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let artifact = compiler.precompile_component(COMPONENT).unwrap();
    let verified = compiler.verify_artifact(&artifact, COMPONENT).unwrap();
    assert_eq!(verified.functions, 2, "of both modules");

    let error = |artifact: &[u8], source: &str| {
        let error = compiler.verify_artifact(artifact, source).unwrap_err();
        let error = error.downcast::<lightbeam::Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
        error.to_string()
    };
    for (from, to) in
        [("\"log\" (func $log (param \"a\"", "\"lag\" (func $log (param \"a\""), ("\"a\" u32", "\"a\" s32")]
    {
        let other = COMPONENT.replacen(from, to, 1);
        assert_ne!(other, COMPONENT);
        let message = error(&artifact, &other);
        assert!(message.contains("component") || message.contains("byte"), "{message}");
    }
    let of_module = compiler.precompile(MODULE).unwrap();
    assert!(error(&of_module, COMPONENT).contains("one of a core module, and this is a component"));
    assert!(error(&artifact, MODULE).contains("one of a component, and this is a core module"));
}
