//! Side conditions of the compiler, left out one at a time: somebody notices, and of all that the sandbox rests on the
//! verifier does. `cargo xtask faults` makes the whole matrix.
#![cfg(any(debug_assertions, feature = "faults"))]

use lightbeam_compiler::fault::Fault;
use lightbeam_tests::faults::{self, Witness};
use std::process::Command;

/// What makes wrong results or wrong traps inside of the sandbox, or a collector lose objects in a heap that nobody
/// trusts: the proofs of debug builds notice.
const BY_PROOFS: &[Fault] =
    &[Fault::Pinned, Fault::FlagsAtLabels, Fault::LocalsInMaps, Fault::EntriesInMaps, Fault::Safepoints];

/// What makes wrong results or traps inside of the sandbox that only runs beside another compiler show.
const BY_RUNNING: &[Fault] = &[Fault::CountedReferences, Fault::Fuel, Fault::FuelOfLargeAmounts];

fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process_for_faults", "--nocapture"]);
    command
}

/// What `faults::run` starts; on its own it does nothing.
#[test]
fn a_process_for_faults() {
    let asked = faults::child();
    assert_eq!(asked, std::env::var_os(faults::CHILD).is_some());
}

/// One test, as what is left out is left out in the whole process.
#[test]
fn side_conditions_are_missed() {
    let asked = std::env::var("LIGHTBEAM_FAULTS").ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = 0..asked.unwrap_or(4);
    std::panic::set_hook(Box::new(|info| {
        let what = info.to_string();
        if std::thread::current().name() == Some("side_conditions_are_missed") && !what.contains("crates/") {
            eprintln!("{what}");
        }
    }));
    let pairs = faults::pairs().unwrap();
    let cases = faults::compiled(&faults::cases(seeds.clone()), &pairs);
    let whole = cases.iter().filter(|case| case.is_whole()).count();
    println!("{whole} of {} modules are proved without faults, of the others some functions", cases.len());
    let mut missed = Vec::new();
    for &fault in Fault::ALL {
        for witness in [Witness::Proofs, Witness::Verifier] {
            let demanded = match witness {
                Witness::Proofs => BY_PROOFS.contains(&fault),
                Witness::Verifier => !BY_PROOFS.contains(&fault) && !BY_RUNNING.contains(&fault),
            };
            if asked.is_none() && !demanded {
                continue;
            }
            match faults::compile(fault, witness, &cases, &pairs) {
                Some(noticed) => println!("{fault:?}\t{witness:?}\t{}\t{:.150}", noticed.modules, noticed.what),
                None if demanded => missed.push((fault, witness)),
                None => {}
            }
        }
    }
    let run = if asked.is_some() { Fault::ALL } else { BY_RUNNING };
    let differences = faults::run(seeds, run, &command).unwrap();
    for (fault, (modules, what)) in &differences {
        println!("{fault:?}\tRun\t{modules}\t{what:.150}");
    }
    let unseen: Vec<_> = BY_RUNNING.iter().filter(|fault| !differences.contains_key(fault)).collect();
    assert!(missed.is_empty() && unseen.is_empty(), "missed: {missed:?}, and by running {unseen:?}");
}
