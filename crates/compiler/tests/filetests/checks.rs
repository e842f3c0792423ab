//! What file tests say of files that something is wrong with, and of code that is not as expected.

use crate::Outcome;
use crate::file::Problem;
use crate::outcome;
use libtest_mimic::{Failed, Trial};

/// Files, and what is to be said of each: the line, and part of the message.
const WRONG: &[(&str, &str, usize, &str)] = &[
    ("setting", ";; settings: fuel fule\n(module)\n;;! x64\n", 1, "no such setting: `fule`; there are fuel, costs"),
    ("second-settings", ";; settings: fuel\n;; settings: epochs\n(module)\n", 2, "in one line"),
    ("late-settings", "(module)\n;;! x64\n;; settings: fuel\n", 3, "ahead of all code"),
    ("collectors", ";; settings: counting no-collector\n(module)\n", 1, "no `no-collector`"),
    ("instruction-set", "(module)\n\n;;! x86\n", 3, "no such instruction set: `x86`; there are x64"),
    ("no-instruction-set", "(module)\n;;!\n", 2, "followed by an instruction set"),
    ("feature", "(module)\n;;! x64 avx sse9\n", 2, "x64 has no feature `sse9`; it may have avx, avx2"),
    ("twice", "(module)\n;;! x64\n;;! x64 avx\n;;! x64\n", 4, "for the second time"),
    ("module-behind-code", "(module)\n;;! x64\n(module)\n", 3, "nothing but code"),
    ("offset", "(module\n(memory 1)\n(func (drop (i32.load offset=0x3008 (i32.const 0)))))\n", 3, "are the host's"),
    ("text", ";; A parenthesis.\n(module\n(func (i32.nonsense)))\n;;! x64\n", 3, "unknown operator"),
    ("invalid", "(module (func (result i32)))\n;;! x64\n", 2, "type mismatch"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let wrong = WRONG
        .iter()
        .map(|(name, text, line, part)| Trial::test(format!("checks/{name}"), move || wrong(text, *line, part)));
    wrong.chain([Trial::test("checks/differences", differences), Trial::test("checks/new-file", new_file)]).collect()
}

fn wrong(text: &str, line: usize, part: &str) -> Result<(), Failed> {
    match outcome(text) {
        Err(problem) if problem.line == line && problem.what.contains(part) => Ok(()),
        Err(problem) => Err(format!("{problem:?}").into()),
        Ok(_) => Err("nothing was said".into()),
    }
}

/// A file whose code is accepted as it is given.
fn accepted(text: &str) -> Result<String, Problem> {
    match outcome(text)? {
        Outcome::Other { text, .. } => Ok(text),
        Outcome::AsExpected => Ok(text.into()),
    }
}

/// A file that expects nothing yet gets the code of every instruction set, and then is as expected.
fn new_file() -> Result<(), Failed> {
    let text = accepted("(module (func $f (param i32) (result i32) (local.get 0)))").map_err(|p| p.what)?;
    if !text.contains(";;! x64\n;; $f\n") || !matches!(outcome(&text), Ok(Outcome::AsExpected)) {
        return Err(text.into());
    }
    Ok(())
}

/// Only the function that differs is shown, with both its codes.
fn differences() -> Result<(), Failed> {
    let text = "(module (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2)))";
    let text = accepted(text).map_err(|problem| problem.what)?.replace("eax, 2", "eax, 3");
    let Ok(Outcome::Other { differences, .. }) = outcome(&text) else { return Err("no difference is seen".into()) };
    let wanted = ["$two", "- ;;   mov eax, 3", "+ ;;   mov eax, 2"];
    if wanted.iter().any(|part| !differences.contains(part)) || differences.contains("$one") {
        return Err(differences.into());
    }
    Ok(())
}
