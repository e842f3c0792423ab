//! `docs/refusals.md` says what the command says where something is wrong. Each of its situations is tried, in a
//! directory with the files that the page shows.

mod common;

use common::Directory;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/refusals.md");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// A command of the page, and what it is to say.
struct Situation {
    line: usize,
    command: String,
    said: String,
}

/// What the page has of blocks with code: the files, by name, and the situations.
fn read(page: &str) -> (Vec<(String, String)>, Vec<Situation>) {
    let (mut files, mut situations) = (Vec::new(), Vec::<Situation>::new());
    let mut language: Option<&str> = None;
    for (number, line) in page.lines().enumerate() {
        match (language, line.strip_prefix("```")) {
            (None, Some(opens)) => {
                language = Some(opens);
                if let Some(name) = opens.strip_prefix("wat ") {
                    files.push((name.to_owned(), String::new()));
                }
            }
            (Some(_), Some(_)) => language = None,
            (Some("console"), None) => match line.strip_prefix("$ ") {
                Some(command) => {
                    situations.push(Situation { line: number + 1, command: command.into(), said: String::new() })
                }
                None => {
                    let situation = situations.last_mut().expect("a block begins with a command");
                    situation.said.push_str(line);
                    situation.said.push('\n');
                }
            },
            (Some(language), None) if language.starts_with("wat ") => {
                let (_, text) = files.last_mut().expect("its block was opened");
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    (files, situations)
}

/// What a shell makes of a command of the page: all that is said, and the exit status if it is not 0.
fn tried(here: &Directory, command: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_lightbeam")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-c", &format!("exec 2>&1\n{command}")])
        .current_dir(&here.0)
        .env("PATH", path)
        .env("HOME", &here.0)
        .env_remove("RUST_BACKTRACE")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(said, "(exit status {code})").unwrap(),
        None => writeln!(said, "({})", output.status).unwrap(),
    }
    said
}

/// Is this what was expected, where `[..]` stands for anything in a line?
fn fits(expected: &str, said: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let (expected, said) = (lines(expected), lines(said));
    expected.len() == said.len() && expected.iter().zip(&said).all(|(expected, said)| line_fits(expected, said))
}

fn line_fits(expected: &str, said: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut left) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, parts)) = parts.split_last() else { return left.is_empty() };
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// The page with what is said now of each situation where that does not fit.
fn blessed(page: &str, said: &[Option<String>]) -> String {
    let mut said = said.iter();
    let (mut new, mut within, mut replaced) = (String::new(), false, false);
    for line in page.lines() {
        if line.starts_with("```") {
            (within, replaced) = (line == "```console", false);
        } else if within && line.starts_with("$ ") {
            let now = said.next().expect("each situation was tried");
            writeln!(new, "{line}").unwrap();
            new.push_str(now.as_deref().unwrap_or_default());
            replaced = now.is_some();
            continue;
        }
        if !replaced {
            writeln!(new, "{line}").unwrap();
        }
    }
    new
}

/// With `LIGHTBEAM_BLESS=1` what is said now is put on the page, for whoever reads the difference.
#[test]
fn what_the_page_shows_is_what_is_said() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (files, situations) = read(&page);
    assert!(files.len() > 5 && situations.len() > 40, "{} files, {} situations", files.len(), situations.len());
    let here = Directory::new("refusals");
    std::fs::create_dir(here.0.join("empty")).unwrap();
    here.file("fib.wat", std::fs::read(Path::new(EXAMPLES).join("fib.wat")).unwrap());
    for (name, text) in files {
        here.file(&name, text);
    }
    let (mut wrong, mut corrections) = (String::new(), Vec::new());
    for Situation { line, command, said } in &situations {
        let now = tried(&here, command);
        if fits(said, &now) {
            corrections.push(None);
        } else {
            writeln!(wrong, "refusals.md:{line}:\n$ {command}\n--- the page\n{said}--- now\n{now}").unwrap();
            corrections.push(Some(now));
        }
    }
    if std::env::var_os("LIGHTBEAM_BLESS").is_some() {
        std::fs::write(PAGE, blessed(&page, &corrections)).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// All that is refused by name is on the page.
#[test]
fn every_refused_option_is_on_the_page() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let here = Directory::new("refused");
    let mut refused = 0;
    for group in ["-O", "-C", "-D", "-W", "-S", "-R"] {
        let lists = tried(&here, &format!("lightbeam {group} help"));
        let (ours, _) = lists.split_once("Available").unwrap();
        for line in ours.lines().filter_map(|line| line.strip_prefix("  -")) {
            let option: Vec<_> = line.split(' ').take(2).collect();
            let option = format!("`-{}` ", option.join(" ")).replace("<KEY>", "");
            let option = option.trim_end().trim_end_matches('`');
            assert!(page.contains(&format!("Error: {option}")), "no `{option}` on the page");
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused}");
}

#[test]
fn lines_are_compared_as_the_page_says() {
    assert!(fits("a\n", "a\n") && !fits("a\n", "b\n") && !fits("a\n", "a\nb\n"));
    assert!(fits("a[..]c\n", "abc\n") && fits("[..]", "abc") && fits("a[..]", "a"));
    assert!(!fits("a[..]c", "abd") && !fits("a[..]b[..]c", "acc"));
}
