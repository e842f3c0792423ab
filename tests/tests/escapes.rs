//! The ways out of the sandbox that there once were. With the mend of each taken out, and the emitter's proofs of its
//! own state turned off, so that it compiles as a release does, the verifier refuses the code.
#![cfg(any(debug_assertions, feature = "faults"))]

use lightbeam_compiler::fault::{Fault, leave_out, prove};
use lightbeam_tests::aimed::{self, Escape};
use lightbeam_tests::backend::Setup;
use lightbeam_tests::mutants::{self, Subject};

/// Operators whose routines go over tables, from where a guest says.
const ROUTINES: [&str; 3] = ["table.copy $t $u", "table.fill $t", "table.init $t $e"];

/// One test, as what is left out is left out in the whole process.
#[test]
fn the_verifier_alone_refuses_each_way_out() {
    prove(false);
    let mut complaints = Vec::new();
    for Escape { fault, setup, wat, says } in aimed::escapes() {
        let wasm = wat::parse_str(&wat).unwrap();
        let (_, compiler) = mutants::engine(&setup).unwrap();
        let compile = |left_out| {
            leave_out(left_out);
            let subject = Subject::new(format!("{fault:?}"), &compiler, true, &wasm);
            leave_out(None);
            subject.unwrap()
        };
        let sound = compile(None);
        if let Some(failure) = sound.failure() {
            complaints.push(format!("{fault:?}, nothing left out: {failure}"));
        }
        match compile(Some(fault)).failure() {
            Some(failure) => {
                println!("{failure}");
                if !failure.contains(says) {
                    complaints.push(failure);
                }
            }
            None => complaints.push(format!("{fault:?}: the verifier accepts the code")),
        }
    }
    for operator in ROUTINES {
        let second = if operator.starts_with("table.fill") { "(ref.null func)" } else { "(local.get 1)" };
        let wat = format!(
            "(module (table $t 3 9 funcref) (table $u 3 9 funcref) (elem $e func $f)
              (func $f (param i32 i32 i32) ({operator} (local.get 0) {second} (local.get 2))))"
        );
        let wasm = wat::parse_str(wat).unwrap();
        let (_, compiler) = mutants::engine(&Setup::default()).unwrap();
        for fault in [None, Some(Fault::TableGuard)] {
            leave_out(fault);
            let subject = Subject::new(operator.to_string(), &compiler, true, &wasm).unwrap();
            leave_out(None);
            match (subject.failure(), fault) {
                (None, None) => {}
                (Some(failure), Some(_)) if failure.contains("routine") => println!("{failure}"),
                (failure, _) => complaints.push(format!("{operator}, {fault:?} left out: {failure:?}")),
            }
        }
    }
    prove(true);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
