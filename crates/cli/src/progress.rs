//! Says on a terminal how far compiling has come, when it takes long enough for somebody to wonder.

use crate::show;
use lightbeam::{Compiler, Progress};
use std::io::{self, IsTerminal, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nobody is told of what is over by then.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line is written anew.
const OFTEN: Duration = Duration::from_millis(100);

/// What was said is wiped away when this goes.
pub(crate) struct Shown(Option<Arc<Mutex<Line>>>);

struct Line {
    name: String,
    begun: Instant,
    written: Option<Instant>,
    /// Functions that are compiled, as far as anyone has told.
    most: u32,
}

/// A compiler that says how far it has come with this file, if standard error is a terminal.
pub(crate) fn shown(compiler: &Compiler, path: &Path) -> (Compiler, Shown) {
    if !io::stderr().is_terminal() {
        return (compiler.clone(), Shown(None));
    }
    let name = show::name(&path.display().to_string()).into_owned();
    let line = Line { name, begun: Instant::now(), written: None, most: 0 };
    let line = Arc::new(Mutex::new(line));
    let told = line.clone();
    let tell = move |progress| {
        let mut line = told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = line.told(progress, Instant::now()) {
            let _ = write!(io::stderr(), "\r{text}\u{1b}[K");
        }
    };
    (compiler.clone().progress(tell), Shown(Some(line)))
}

impl Line {
    /// What to write, if it is time to.
    fn told(&mut self, progress: Progress, now: Instant) -> Option<String> {
        self.most = self.most.max(progress.functions_compiled);
        let last = self.written.map_or(self.begun + PATIENCE, |written| written + OFTEN);
        if now < last {
            return None;
        }
        self.written = Some(now);
        let (name, compiled) = (&self.name, self.most);
        Some(match progress.functions_total {
            Some(total) => {
                let percent = 100 * u64::from(compiled) / u64::from(total.max(1));
                format!("compiling `{name}`: {compiled} of {total} functions ({percent} %)")
            }
            None => format!("compiling `{name}`: {compiled} functions"),
        })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let written = |line: &Arc<Mutex<Line>>| line.lock().is_ok_and(|line| line.written.is_some());
        if self.0.as_ref().is_some_and(written) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_long_is_told() {
        let begun = Instant::now();
        let mut line = Line { name: "a.wasm".into(), begun, written: None, most: 0 };
        let mut told = |compiled, total, after: u64| {
            let mut progress = Progress::default();
            (progress.functions_compiled, progress.functions_total) = (compiled, total);
            line.told(progress, begun + Duration::from_millis(after))
        };
        assert_eq!(told(5, Some(40), 499), None);
        assert_eq!(told(10, Some(40), 500).as_deref(), Some("compiling `a.wasm`: 10 of 40 functions (25 %)"));
        assert_eq!(told(30, Some(40), 599), None);
        assert_eq!(told(20, None, 600).as_deref(), Some("compiling `a.wasm`: 30 functions"), "never fewer");
    }
}
