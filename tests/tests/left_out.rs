//! Side conditions of the compiler, left out one at a time: somebody notices before the code runs. `cargo xtask faults`
//! makes the whole matrix, with runs beside another compiler, too.
#![cfg(any(debug_assertions, feature = "faults"))]

use lightbeam_compiler::fault::Fault;
use lightbeam_tests::faults::{self, Noticed};
use std::process::Command;

/// What is noticed by running the code, if at all: wrong results and wrong traps inside of the sandbox, and what few modules
/// have.
const BY_RUNNING: &[Fault] = &[
    Fault::RestoreBeforeUnreachable,
    Fault::ElementFilled,
    Fault::NullReference,
    Fault::Pinned,
    Fault::FlagsAtLabels,
    Fault::LocalsInMaps,
    Fault::EntriesInMaps,
    Fault::Safepoints,
    Fault::CountedReferences,
    Fault::Fuel,
    Fault::FuelOfLargeAmounts,
];

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
    let asked = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = 0..asked("LIGHTBEAM_FAULTS").unwrap_or(4);
    let verify = asked("LIGHTBEAM_FAULTS_PROOFS_ALONE").is_none();
    std::panic::set_hook(Box::new(|info| {
        if std::thread::current().name() == Some("side_conditions_are_missed") {
            let what = info.to_string();
            if !what.contains("crates/") {
                eprintln!("{what}");
            }
        }
    }));
    let pairs = faults::pairs().unwrap();
    let cases = faults::compiled(&faults::cases(seeds.clone()), &pairs);
    let whole = cases.iter().filter(|case| case.is_whole()).count();
    println!("{whole} of {} modules are proved without faults, of the others some functions", cases.len());
    let mut missed = Vec::new();
    let all = asked("LIGHTBEAM_FAULTS").is_some();
    for &fault in Fault::ALL.iter().filter(|fault| all || !BY_RUNNING.contains(fault)) {
        match faults::compile(fault, &cases, &pairs, verify) {
            Some(Noticed::Proof(n, what)) => println!("{fault:?}\tproof\t{n}\t{what:.150}"),
            Some(Noticed::Verifier(n, what)) => println!("{fault:?}\tverifier\t{n}\t{what:.150}"),
            None => missed.push(fault),
        }
    }
    if asked("LIGHTBEAM_FAULTS_RUN").is_some() {
        for (fault, (n, what)) in faults::run(seeds, &command).unwrap() {
            println!("{fault:?}\trun\t{n}\t{what:.150}");
        }
    }
    println!("missed: {missed:?}");
    assert!(all || missed.is_empty(), "missed: {missed:?}");
}
