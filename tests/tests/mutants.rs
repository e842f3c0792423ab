//! Mutants of emitted code are rejected: all of the kinds that take a check away or lead outside, and whatever is
//! accepted stays in the sandbox when it is executed. `cargo xtask mutants` does the same at length.

use lightbeam_tests::mutants::{self, Mutant, Subject, Tally, canary, modules};
use lightbeam_tests::random::Random;
use std::process::Command;

fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process_for_mutants", "--nocapture"]);
    command
}

/// What `canary::execute` starts; on its own it does nothing.
#[test]
fn a_process_for_mutants() {
    let asked = canary::child();
    assert_eq!(asked, std::env::var_os(canary::FOLDER).is_some());
}

/// So many accepted mutants of a module are executed under each of the settings.
const EXECUTED: usize = 40;

fn try_all(setup: usize) {
    let (name, settings) = mutants::setups()[setup];
    let (_, compiler) = mutants::engine(&settings).unwrap();
    let mut tally = Tally::default();
    let mut outcome = canary::Outcome::default();
    let mut random = Random::new(setup as u64);
    let (mut functions, mut proved, mut whole) = (0, 0, 0);
    for (module, wasm, executed) in modules::all(0) {
        let subject = Subject::new(format!("{name}, {module}"), &compiler, false, &wasm).unwrap();
        if let Some(failure) = subject.failure() {
            println!("{failure}");
        }
        whole += u32::from(executed && subject.failure().is_none());
        functions += subject.functions();
        let mut accepted: Vec<Mutant> = Vec::new();
        for function in subject.proved() {
            proved += 1;
            let mut made = subject.mutants(function, &mut random);
            // All of the kinds of which none may pass, some of the others.
            made.retain(|mutant| mutant.kind.demanded() || random.one_in(6));
            accepted.extend(tally.judge(&subject, made));
        }
        let mut made = subject.mutants_of_routines(&mut random);
        made.retain(|mutant| mutant.kind.demanded() || random.one_in(12));
        accepted.extend(tally.judge(&subject, made));
        let mut made = subject.mutants_of_borders(&mut random);
        made.retain(|_| random.one_in(8));
        accepted.extend(tally.judge(&subject, made));
        if executed && subject.failure().is_none() {
            while accepted.len() > EXECUTED {
                let at = random.below(accepted.len());
                accepted.swap_remove(at);
            }
            outcome.add(canary::execute(&subject, setup, &accepted, &command).unwrap());
        }
    }
    println!("{name}: {outcome:?}\n{tally}");
    println!("{proved} of {functions} functions are proved");
    assert!(proved * 2 > functions, "hardly anything is proved");
    assert!(tally.0.values().map(|count| count.made).sum::<u64>() > 2000, "hardly any mutants");
    assert!(tally.weaknesses().is_empty(), "accepted:\n{}", tally.weaknesses().join("\n"));
    assert!(outcome.executed >= 10 * u64::from(whole), "hardly any mutant was executed");
    assert!(outcome.escapes.is_empty(), "ways out:\n{}", outcome.escapes.join("\n"));
}

#[test]
fn by_default() {
    try_all(0);
}

#[test]
fn memories_that_move() {
    try_all(1);
}

#[test]
fn small_reservations() {
    try_all(2);
}

#[test]
fn no_signals() {
    try_all(3);
}

#[test]
fn fuel_and_epochs() {
    try_all(4);
}

#[test]
fn counted_references() {
    try_all(5);
}

#[test]
fn nothing_is_collected() {
    try_all(6);
}

#[test]
fn nothing_is_collected_in_a_heap_that_moves() {
    try_all(7);
}
