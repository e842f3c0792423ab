//! Points at the place in a text that an error is about.

use crate::show;
use lightbeam::Error;
use std::path::Path;

/// Characters of a line that are shown on either side of the place.
const AROUND: usize = 60;

/// An error with the file, and, if the file is text and the error at a place in it, with line and column and the line
/// itself, a caret under the place.
pub(crate) fn pointed(error: wasmtime::Error, path: &Path, text: &[u8]) -> wasmtime::Error {
    let position = error.downcast_ref::<Error>().and_then(|error| Some((error.clone(), error.position()?)));
    let (Some((error, (line, column))), Ok(text)) = (position, std::str::from_utf8(text)) else { return error };
    let mut shown = String::new();
    if let Some(function) = error.function() {
        shown.push_str(&format!("{function}: "));
    }
    shown.push_str(error.message());
    if let Some(offset) = error.offset() {
        shown.push_str(&format!(" (at offset 0x{offset:x} of the binary form)"));
    }
    let source = text.lines().nth(line - 1).unwrap_or_default();
    wasmtime::Error::msg(format!("{shown}\n{}", snippet(&path.display().to_string(), source, line, column)))
}

fn snippet(path: &str, source: &str, line: usize, column: usize) -> String {
    let first = column.saturating_sub(1 + AROUND);
    let cut = |from: usize, most: usize| source.chars().skip(from).take(most).collect::<String>();
    let (before, at) = (cut(first, column - 1 - first), cut(column - 1, AROUND));
    let dots = if first == 0 { "" } else { "…" };
    // What stands under a tab is one.
    let under: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let under = format!("{}{under}", if first == 0 { "" } else { " " });
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let source = format!("{dots}{before}{at}");
    format!("{margin}--> {path}:{line}:{column}\n{margin} |\n{number} | {}\n{margin} | {under}^", show::line(&source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_what_is_wrong() {
        let shown = snippet("a.wat", "\t(i32.add)", 12, 3);
        assert_eq!(shown, "  --> a.wat:12:3\n   |\n12 | \t(i32.add)\n   | \t ^");
        assert_eq!(snippet("a", "hello", 1, 1), " --> a:1:1\n  |\n1 | hello\n  | ^");
        let long = "x".repeat(5000);
        let shown = snippet("a", &long, 1, 3000);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[2].chars().count(), "1 | …".chars().count() + 2 * AROUND);
        assert_eq!(lines[3].find('^'), Some("1 | …".chars().count() + AROUND));
    }
}
