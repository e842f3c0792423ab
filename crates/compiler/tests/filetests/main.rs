//! Machine code as expected, without any host: each file below `filetests` is a module and, in comments behind it, the
//! code that its functions are to give on each instruction set (`file.rs` has the format). A host's facts are made up
//! (`facts.rs`), with a layout of their own (`layout.rs`).
//!
//! `LIGHTBEAM_BLESS=1`, or `cargo xtask bless`, writes the code that is given now; what changed is then for the reader
//! to judge.

mod checks;
mod compile;
mod coverage;
mod facts;
mod file;
mod isa;
mod layout;
mod show;
mod spare;
mod x64;

use crate::file::{File, Problem};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let files = files(&folder);
    let mut trials: Vec<Trial> = files
        .iter()
        .cloned()
        .map(|path| {
            let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
            Trial::test(format!("filetests/{name}"), move || file(&path))
        })
        .collect();
    assert!(!trials.is_empty(), "there are file tests in {}", folder.display());
    trials.extend(checks::trials());
    let all = files.clone();
    trials.push(Trial::test("every-operator", move || Ok(coverage::check(&all)?)));
    trials.push(Trial::test("spare-instruction-set", move || Ok(spare::check(&files)?)));
    trials.push(Trial::test("checks/spare", || Ok(spare::check_itself()?)));
    libtest_mimic::run(&arguments, trials).exit();
}

/// All files with modules below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "wat") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn file(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let bless = std::env::var_os("LIGHTBEAM_BLESS").is_some();
    match outcome(&text).map_err(|Problem { line, what }| format!("{}:{line}: {what}", path.display()))? {
        Outcome::AsExpected => Ok(()),
        Outcome::Other { text, .. } if bless => Ok(std::fs::write(path, text)?),
        Outcome::Other { differences, .. } => {
            let path = path.display();
            Err(format!("{path}:\n{differences}`cargo xtask bless` accepts the code given now").into())
        }
    }
}

/// What comes of a file.
enum Outcome {
    AsExpected,
    Other {
        /// The file as it would have to be.
        text: String,
        differences: String,
    },
}

fn outcome(text: &str) -> Result<Outcome, Problem> {
    let file = File::parse(text)?.with_all_sets();
    let marked = |mark: &str| text.lines().position(|line| line.starts_with(mark)).map_or(1, |line| line + 1);
    let wasm = wat::parse_str(file.wat)
        .map_err(|error| Problem { line: line_of(&error.to_string()), what: error.to_string() })?;
    let (mut new, mut differences) = (file.wat.to_string(), String::new());
    new.push('\n');
    for expected in &file.expected {
        let problem = |what: String| Problem { line: marked(&expected.mark), what };
        let (module, code) = expected.set.compile(&wasm, &file.settings, expected.cpu).map_err(problem)?;
        let given = show::show(expected.set, &module, &code, &file.settings).map_err(problem)?;
        if given != expected.code {
            differences.push_str(&format!("{}\n{}", expected.mark, changes(expected.code, &given)));
        }
        new.push_str(&format!("{}\n{given}", expected.mark));
    }
    Ok(if differences.is_empty() { Outcome::AsExpected } else { Outcome::Other { text: new, differences } })
}

/// The line that a message about text names, as `--> file:line:column`.
fn line_of(message: &str) -> usize {
    let place = message.lines().find_map(|line| line.trim().strip_prefix("--> "));
    place.and_then(|place| place.split(':').nth(1)).and_then(|line| line.parse().ok()).unwrap_or(1)
}

/// The lines that differ, with a few around them, for each function that differs.
fn changes(expected: &str, given: &str) -> String {
    let (old, new) = (pieces(expected), pieces(given));
    let mut text = String::new();
    for (heading, lines) in &new {
        match old.iter().find(|(known, _)| known == heading) {
            None => text.push_str(&format!("  {heading}\n+ {} lines, of which nothing was expected\n", lines.len())),
            Some((_, known)) if known == lines => {}
            Some((_, known)) => {
                text.push_str(&format!("  {heading}\n"));
                difference(known, lines, &mut text);
            }
        }
    }
    for (heading, lines) in old.iter().filter(|(heading, _)| new.iter().all(|(known, _)| known != heading)) {
        text.push_str(&format!("  {heading}\n- {} lines expected, and nothing is given\n", lines.len()));
    }
    if text.is_empty() {
        text.push_str("  the order of functions, or what stands ahead of the first\n");
    }
    text
}

/// Headings of functions with the lines below them.
fn pieces(code: &str) -> Vec<(&str, Vec<&str>)> {
    let mut pieces: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in code.lines() {
        let is_heading = line.starts_with(";; ") && !line.starts_with(";;  ") && !line.ends_with(':');
        match pieces.last_mut() {
            Some((_, lines)) if !is_heading => lines.push(line),
            _ => pieces.push((line, Vec::new())),
        }
    }
    pieces
}

fn difference(old: &[&str], new: &[&str], text: &mut String) {
    const AROUND: usize = 3;
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let around =
        |text: &mut String, lines: &[&str]| lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    around(text, &old[same.saturating_sub(AROUND)..same]);
    for (sign, lines) in [('-', &old[same..old.len() - tail]), ('+', &new[same..new.len() - tail])] {
        lines.iter().for_each(|line| text.push_str(&format!("{sign} {line}\n")));
    }
    let end = old.len() - tail;
    around(text, &old[end..(end + AROUND).min(old.len())]);
}
