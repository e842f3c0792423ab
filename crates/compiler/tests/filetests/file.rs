//! The format of a file test: a module in text, then, for each instruction set, the code that it is to give.
//!
//! ```text
//! ;; settings: fuel checks
//! ;; What the file is about.
//! (module …)
//! ;;! x64 avx
//! ;; $name
//! ;;   code
//! ```
//!
//! A line `;; settings:` says what the host asks for where that is not the ordinary, see [`Settings`]. A line `;;!`
//! begins the code for an instruction set, which may have more features than it must: their names follow. A module can
//! have several such lines. Whatever is wrong with a file is told with its line.

use crate::isa::{InstructionSet, SETS};
use crate::layout::HOST;
use lightbeam_compiler::facts::CpuFeatures;

/// What begins the code for an instruction set.
const MARK: &str = ";;!";

/// What begins the line of settings.
const SETTINGS: &str = ";; settings:";

/// What the host asks for, and what is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Fuel is counted.
    pub(crate) fuel: bool,
    /// By a table: an operator costs 3, the end of a block 100, and work 5 for each byte, page or element.
    pub(crate) costs: bool,
    /// Epochs are looked at.
    pub(crate) epochs: bool,
    /// Traps are not faults of the machine.
    pub(crate) no_signals: bool,
    /// No guards against wrong guesses.
    pub(crate) no_spectre: bool,
    /// Memories have no guard pages, and move when they grow.
    pub(crate) checks: bool,
    /// The collector's heap has no guard pages, and moves.
    pub(crate) heap_checks: bool,
    /// Tables are filled before anything runs.
    pub(crate) eager_tables: bool,
    /// Relaxed operators give the same everywhere.
    pub(crate) deterministic: bool,
    /// NaNs that are computed are canonical.
    pub(crate) canonical_nans: bool,
    /// Debuggers may look at locals between operators.
    pub(crate) debug: bool,
    /// The collector counts references.
    pub(crate) counting: bool,
    /// Nothing is ever collected.
    pub(crate) no_collector: bool,
    /// The module is one of a component: the linker may know whose code an import is.
    pub(crate) component: bool,
    /// Frames are shown: what makes them, and what takes them down.
    pub(crate) frame: bool,
    /// The routines that the code calls are shown behind the functions.
    pub(crate) routines: bool,
    /// The fast sweep does not decide every function, but leaves some to the judge.
    pub(crate) left: bool,
}

impl Settings {
    /// All settings by name.
    fn words(&mut self) -> [(&'static str, &mut bool); 17] {
        [
            ("fuel", &mut self.fuel),
            ("costs", &mut self.costs),
            ("epochs", &mut self.epochs),
            ("no-signals", &mut self.no_signals),
            ("no-spectre", &mut self.no_spectre),
            ("checks", &mut self.checks),
            ("heap-checks", &mut self.heap_checks),
            ("eager-tables", &mut self.eager_tables),
            ("deterministic", &mut self.deterministic),
            ("canonical-nans", &mut self.canonical_nans),
            ("debug", &mut self.debug),
            ("counting", &mut self.counting),
            ("no-collector", &mut self.no_collector),
            ("component", &mut self.component),
            ("frame", &mut self.frame),
            ("routines", &mut self.routines),
            ("left-to-judge", &mut self.left),
        ]
    }
}

/// Something wrong with a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// Code that is expected.
#[derive(Clone)]
pub(crate) struct Expected<'a> {
    pub(crate) set: &'static InstructionSet,
    pub(crate) cpu: CpuFeatures,
    /// The line that begins it.
    pub(crate) mark: String,
    pub(crate) code: &'a str,
}

/// A file that has been read.
pub(crate) struct File<'a> {
    pub(crate) settings: Settings,
    /// The module with the comments around it.
    pub(crate) wat: &'a str,
    /// What it is to give; nothing if nobody has said yet.
    pub(crate) expected: Vec<Expected<'a>>,
}

impl<'a> File<'a> {
    /// Reads a file.
    pub(crate) fn parse(text: &'a str) -> Result<File<'a>, Problem> {
        let mut file = File { settings: Settings::default(), wat: text.trim_end(), expected: Vec::new() };
        let (mut at, mut has_settings) = (0, false);
        // Where the code of the last mark begins.
        let mut code = None;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let problem = |what: String| Problem { line: number + 1, what };
            let (start, end) = (at, at + line.len());
            at = end;
            if let Some(words) = line.strip_prefix(SETTINGS) {
                if has_settings || code.is_some() {
                    return Err(problem("settings stand in one line, ahead of all code".into()));
                }
                has_settings = true;
                file.settings = settings(words).map_err(problem)?;
            } else if let Some(words) = line.strip_prefix(MARK) {
                match (code, file.expected.last_mut()) {
                    (Some(from), Some(last)) => last.code = &text[from..start],
                    _ => file.wat = text[..start].trim_end(),
                }
                let next = mark(words).map_err(problem)?;
                if file.expected.iter().any(|known| known.mark == next.mark) {
                    return Err(problem(format!("`{}` stands here for the second time", next.mark)));
                }
                file.expected.push(next);
                code = Some(end);
            } else if code.is_some() && !line.starts_with(";;") && !line.trim().is_empty() {
                return Err(problem("behind the first `;;!` is nothing but code, in comments".into()));
            } else if code.is_none() {
                offsets(line).map_err(problem)?;
            }
        }
        if let (Some(from), Some(last)) = (code, file.expected.last_mut()) {
            last.code = &text[from..];
        }
        Ok(file)
    }

    /// Marks for all instruction sets without further features, for a file that has none.
    pub(crate) fn with_all_sets(mut self) -> File<'a> {
        if self.expected.is_empty() {
            self.expected = SETS.iter().map(|set| mark(set.name).expect("an instruction set has a name")).collect();
        }
        self
    }
}

fn settings(words: &str) -> Result<Settings, String> {
    let mut settings = Settings::default();
    for word in words.split_whitespace() {
        let mut known = settings.words();
        let Some((_, on)) = known.iter_mut().find(|(name, _)| *name == word) else {
            return Err(format!("no such setting: `{word}`; there are {}", list(known.iter().map(|(name, _)| *name))));
        };
        **on = true;
    }
    if settings.counting && settings.no_collector {
        return Err("a collector that counts is no `no-collector`".into());
    }
    Ok(settings)
}

fn mark<'a>(words: &str) -> Result<Expected<'a>, String> {
    let mut words = words.split_whitespace();
    let name = words.next().ok_or_else(|| format!("`{MARK}` is followed by an instruction set"))?;
    let set = SETS.iter().find(|set| set.name == name).ok_or_else(|| {
        format!("no such instruction set: `{name}`; there are {}", list(SETS.iter().map(|set| set.name)))
    })?;
    let (mut cpu, mut mark) = (CpuFeatures::default(), format!("{MARK} {name}"));
    for word in words {
        let Some((_, on)) = cpu.by_name().find(|(name, _)| *name == word) else {
            let known = list(CpuFeatures::NAMES.iter().copied());
            return Err(format!("{name} has no feature `{word}`; it may have {known}"));
        };
        *on = true;
        mark.push(' ');
        mark.push_str(word);
    }
    Ok(Expected { set, cpu, mark, code: "" })
}

/// Refuses offsets of programs that would be taken for the host's.
fn offsets(line: &str) -> Result<(), String> {
    for rest in line.split("offset=").skip(1) {
        let number: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        let value = match number.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16),
            None => number.parse(),
        };
        if value.is_ok_and(|value| (i64::from(HOST.start) - 16..i64::from(HOST.end)).contains(&value)) {
            let (start, end) = (HOST.start, HOST.end);
            return Err(format!("offsets from {start:#x} to {end:#x} are the host's, see layout.rs"));
        }
    }
    Ok(())
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
