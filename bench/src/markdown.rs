//! `bench markdown`: makes the tables of `docs/measurements.md` anew. The file itself says of each where it stands and
//! by which command it is made:
//!
//! ```text
//! <!-- bench gc --runs 3 -->
//! what `bench gc --runs 3` printed, with the processor and the day
//! <!-- end -->
//! ```
//!
//! Behind ` | ` may stand which rows are shown of a table that has them; means are always. What is around the tables is
//! written by hand. Each command runs in a process of its own, as it does for whoever repeats it by hand.

use crate::programs;
use crate::table::quoted;
use anyhow::{Context, bail, ensure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The tables to make anew: those whose command has one of these among its words; all if none is given.
    words: Vec<String>,
    /// The file.
    #[arg(short, long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/measurements.md"))]
    file: PathBuf,
    /// Lists the commands, and runs none of them.
    #[arg(long)]
    list: bool,
}

const BEGIN: &str = "<!-- bench ";
const BEGUN: &str = " -->\n";
const END: &str = "<!-- end -->\n";

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let path = options.file.display();
    let mut text = std::fs::read_to_string(&options.file).with_context(|| format!("cannot read {path}"))?;
    let wanted = |table: &Table| {
        options.words.is_empty() || table.command.iter().any(|argument| options.words.contains(argument))
    };
    let mut at = 0;
    while let Some(table) = Table::next(&text, at)? {
        let shown = format!("bench {}", quoted(&table.command));
        if options.list || !wanted(&table) {
            at = table.end;
            if options.list && wanted(&table) {
                println!("{shown}");
            }
            continue;
        }
        eprintln!("{shown} …");
        let new = table.shorten(&printed(&table.command)?);
        text.replace_range(table.start..table.end, &new);
        at = table.start + new.len();
        // What one command took long for is not lost if a later one fails.
        std::fs::write(&options.file, &text).with_context(|| format!("cannot write {path}"))?;
    }
    ensure!(at > 0, "{path} has no line `{BEGIN}…{}`", BEGUN.trim_end());
    Ok(())
}

/// A table of the file, with what is printed around it.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    /// The arguments that this program makes it by.
    command: Vec<String>,
    /// The rows that are shown; empty if all are.
    rows: Vec<String>,
    /// Where it is in the text.
    start: usize,
    end: usize,
}

impl Table {
    /// The first one from a position of the text on.
    fn next(text: &str, from: usize) -> anyhow::Result<Option<Table>> {
        let Some(begin) = text[from..].find(BEGIN) else { return Ok(None) };
        let begin = from + begin + BEGIN.len();
        let says = text[begin..].split_once(BEGUN).context("a line that begins a table ends with `-->`")?.0;
        let (command, rows) = says.split_once(" | ").unwrap_or((says, ""));
        let start = begin + says.len() + BEGUN.len();
        let length =
            text[start..].find(END).with_context(|| format!("`bench {command}` has no `{}`", END.trim_end()))?;
        ensure!(!text[start..start + length].contains(BEGIN), "a table begins in that of `bench {command}`");
        let rows = rows.split_whitespace().map(str::to_owned).collect();
        Ok(Some(Table { command: arguments(command)?, rows, start, end: start + length }))
    }

    /// Leaves out rows that are not shown. A table that has none of those that are stays whole.
    fn shorten(&self, text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let is_shown = |line: &str| self.rows.iter().any(|row| row == first_cell(line));
        let mut short = String::new();
        for part in lines.chunk_by(|a, b| a.starts_with('|') == b.starts_with('|')) {
            let cut = part[0].starts_with('|') && part.iter().any(|line| is_shown(line));
            for (index, line) in part.iter().enumerate() {
                // The first two lines are the head.
                if !cut || index < 2 || is_shown(line) || first_cell(line).contains("mean") {
                    short.push_str(line);
                    short.push('\n');
                }
            }
        }
        short
    }
}

fn first_cell(line: &str) -> &str {
    line.split('|').nth(1).unwrap_or_default().trim()
}

/// The words of a command; between quotation marks `'` is one word.
fn arguments(command: &str) -> anyhow::Result<Vec<String>> {
    let mut arguments = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        match index % 2 {
            0 => arguments.extend(part.split_whitespace().map(str::to_owned)),
            _ => arguments.push(part.to_owned()),
        }
    }
    if command.matches('\'').count() % 2 != 0 {
        bail!("`bench {command}`: a quotation mark is not closed");
    }
    Ok(arguments)
}

/// What this program prints with these arguments.
fn printed(command: &[String]) -> anyhow::Result<String> {
    let folder = programs::folder();
    let arguments = command.iter().map(|argument| match argument.ends_with(".wasm") {
        true => folder.join(argument).into_os_string(),
        false => OsString::from(argument),
    });
    let output = Command::new(std::env::current_exe()?).args(arguments).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "bench {}: {}", quoted(command), output.status);
    // Where the programs were is of no interest to whoever reads the table.
    let text = String::from_utf8(output.stdout)?.replace(&format!("{}/", folder.display()), "");
    // The command, and behind it the circumstances.
    Ok(format!("{}\n", text.replacen("\n\n", "; ", 1).trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{Table, arguments};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn tables_are_found_one_after_the_other() {
        let text =
            "# A\n\n<!-- bench gc -n 1 | a b -->\nold\n<!-- end -->\nBy hand.\n<!-- bench fib -->\n<!-- end -->\n";
        let first = Table::next(text, 0).unwrap().unwrap();
        assert_eq!((first.command, first.rows), (words("gc -n 1"), words("a b")));
        assert_eq!(&text[first.start..first.end], "old\n");
        let second = Table::next(text, first.end).unwrap().unwrap();
        assert_eq!((second.command, second.rows), (words("fib"), Vec::new()));
        assert_eq!(&text[second.start..second.end], "");
        assert_eq!(Table::next(text, second.end).unwrap(), None);
    }

    #[test]
    fn tables_that_do_not_end_are_errors() {
        for text in ["<!-- bench gc\n", "<!-- bench gc -->\n", "<!-- bench gc -->\n<!-- bench fib -->\n<!-- end -->\n"]
        {
            Table::next(text, 0).unwrap_err();
        }
    }

    #[test]
    fn words_between_quotation_marks_are_one() {
        let found = arguments("program python.wasm -- -c 'print(1, 2)'").unwrap();
        assert_eq!(found, ["program", "python.wasm", "--", "-c", "print(1, 2)"]);
        arguments("program 'x").unwrap_err();
    }

    #[test]
    fn tables_that_have_the_rows_are_cut_and_others_are_not() {
        let table = Table { command: Vec::new(), rows: words("bz2 regex"), start: 0, end: 0 };
        let head = "`bench x`\n\n| module | ms |\n|---|---:|\n";
        let rest = "| geometric mean | 3 |\n\nOne:\n\n| compiler | ms |\n|---|---:|\n| native | 1 |\n";
        let whole = format!("{head}| bz2 | 1 |\n| richards | 2 |\n{rest}");
        assert_eq!(table.shorten(&whole), format!("{head}| bz2 | 1 |\n{rest}"));
        let all = Table { rows: Vec::new(), ..table };
        assert_eq!(all.shorten(&whole), whole);
    }
}
