//! What the command shows of things that others chose: names in modules, errors that quote them, scripts. No such thing
//! reaches a terminal as anything but text, or floods it. And that standard error cannot be written is no reason to
//! lose what was to be done.

use std::borrow::Cow;
use std::io::{self, Write as _};

/// Characters shown of a name.
const NAME: usize = 200;
/// Characters shown of a line, and lines of a text.
const LINE: usize = 2000;
const LINES: usize = 1000;

/// Prints a line to standard error, if there is one to print to.
pub(crate) fn say(line: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", line.as_ref());
}

/// A name as part of a line.
pub(crate) fn name(name: &str) -> Cow<'_, str> {
    shown(name, NAME, |c| c == '\t' || unprintable(c))
}

/// A line.
pub(crate) fn line(line: &str) -> Cow<'_, str> {
    shown(line, LINE, unprintable)
}

/// A text of many lines, whose ends stay.
pub(crate) fn text(text: &str) -> String {
    let mut shown: Vec<_> = text.lines().take(LINES).map(line).collect();
    let more = text.lines().skip(LINES).count();
    if more != 0 {
        shown.push(format!("… ({more} more lines)").into());
    }
    shown.join("\n")
}

/// An error and what caused it. Only the first line of each stands where a line of the command's own would.
pub(crate) fn error(error: &wasmtime::Error) -> String {
    let indented = |text: &str| self::text(text).replace('\n', "\n       ");
    let causes: Vec<_> = error.chain().map(|cause| indented(&cause.to_string())).collect();
    let mut shown = format!("Error: {}", causes[0]);
    match &causes[1..] {
        [] => {}
        [cause] => shown.push_str(&format!("\n\nCaused by:\n    {cause}")),
        causes => {
            shown.push_str("\n\nCaused by:");
            causes.iter().enumerate().for_each(|(index, cause)| shown.push_str(&format!("\n{index:>5}: {cause}")));
        }
    }
    shown
}

/// At most so many characters, and then how many bytes there are in all; with escapes for what is hidden.
fn shown(text: &str, most: usize, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    let start = &text[..end.unwrap_or(text.len())];
    if end.is_none() && !start.chars().any(&hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(start.len() + 32);
    for c in start.chars() {
        match c {
            '\n' | '\r' | '\t' if hidden(c) => shown.extend(c.escape_default()),
            _ if hidden(c) => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    if end.is_some() {
        shown.push_str(&format!("… ({} bytes)", text.len()));
    }
    shown.into()
}

/// Does the character do something else than show itself: control a terminal, end a line, turn the direction of what
/// follows, or hide?
fn unprintable(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_escaped() {
        assert_eq!(name("fib"), "fib");
        assert_eq!(name("größe $x"), "größe $x");
        assert_eq!(name("a\u{1b}[31mb\u{9b}2J\u{7f}"), r"a\u{1b}[31mb\u{9b}2J\u{7f}");
        assert_eq!(name("a\n\r\tb\0"), r"a\n\r\tb\u{0}");
        assert_eq!(name("\u{202e}nimda\u{2066}"), r"\u{202e}nimda\u{2066}");
        assert_eq!(line("a\tb\n"), "a\tb\\n");
        assert_eq!(text("a\u{1b}\nb\r\nc\u{2028}"), "a\\u{1b}\nb\nc\\u{2028}");
        for c in (0..=0x10ffff).filter_map(char::from_u32).filter(|c| c.is_control()) {
            assert!(!name(&c.to_string()).chars().any(char::is_control), "{c:?}");
        }
    }

    #[test]
    fn an_error_stands_at_the_beginning_of_one_line() {
        let inner = wasmtime::format_err!("inner\nError: all is well");
        assert_eq!(error(&inner), "Error: inner\n       Error: all is well");
        let outer = inner.context("middle").context("outer\nsecond");
        let lines = ["Error: outer", "       second", "", "Caused by:", "    0: middle", "    1: inner"];
        assert_eq!(error(&outer), [&lines[..], &["       Error: all is well"]].concat().join("\n"));
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = "ü".repeat(5 << 20);
        assert_eq!(name(&long), format!("{}… (10485760 bytes)", "ü".repeat(NAME)));
        assert_eq!(line(&long), format!("{}… (10485760 bytes)", "ü".repeat(LINE)));
        assert_eq!(name(&long[..2 * NAME]), long[..2 * NAME]);
        let lines = text(&"x\n".repeat(5000));
        assert_eq!(lines.lines().count(), LINES + 1);
        assert!(lines.ends_with("… (4000 more lines)"));
    }
}
