//! The ways out of the sandbox that there once were. With the mend of each taken out, and the emitter's proofs of its own
//! state turned off, so that it compiles as a release does, the verifier refuses the code.
#![cfg(any(debug_assertions, feature = "faults"))]

use lightbeam_compiler::fault::{leave_out, prove};
use lightbeam_tests::aimed::{self, Escape};
use lightbeam_tests::mutants::{self, Subject};

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
    prove(true);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
