//! Walls inside crates: which folder may import which, and names of files that stand for one subject each.
//!
//! A folder, or a file beside folders, is a *place*. The places of a crate are listed from the bottom up, and each
//! imports only from itself and from those before it, as seen from paths that begin with `crate` or `super`. The
//! methods of one type may stand in several places, as those of the emitter do; they call each other in that order,
//! too.

use std::collections::HashMap;

/// The places of a crate, from the bottom up. Those in one line may import each other.
type Places = &'static [&'static [&'static str]];

/// The crates that have walls inside.
const CRATES: [(&str, Places); 3] = [
    (
        "crates/compiler/src/",
        &[
            &["treaty"],
            &["operators"],
            &["isa"],
            &["validate"],
            &["emit/writer"],
            &["emit/flags"],
            &["emit/values"],
            &["emit"],
            &["emit/shapes"],
            &["emit/objects"],
            &["emit/memory"],
            &["emit/control"],
            &["emit/dispatch"],
            &["routines"],
            &["compile"],
            &["lib"],
        ],
    ),
    (
        "crates/environ/src/",
        &[
            &["control", "error", "kept", "names", "origin", "report", "settings", "target"],
            &["input"],
            &["facts"],
            &["border"],
            &["output"],
            &["work"],
            &["verify"],
            &["stream", "lib"],
        ],
    ),
    (
        "crates/wasmtime/src/",
        // What users call and what arrives name each other: a compiler begins streams, and they load by it.
        &[
            &["told"],
            &["cache", "settings"],
            &["load", "probe"],
            &["artifacts", "asynchronous", "controlled", "stream", "weak", "lib"],
        ],
    ),
];

/// Names of files that stand in several folders of the crates that code comes from, and the one subject of each.
const SUBJECTS: [(&str, &str); 15] = [
    ("arrays", "arrays: their operators, and the routines for what is long"),
    ("atomics", "atomic operators: their types, their code, the machine's instructions"),
    ("blocks", "blocks and branches, as validation and emission see them"),
    ("component_stream", "components that arrive: as they are compiled, and as users see them"),
    ("continuations", "continuations: what the host keeps of them, and their operators"),
    ("error", "what can go wrong in a crate"),
    ("exceptions", "operators of exceptions, as validation and emission see them"),
    ("float", "numbers with a point, one or a vector of them"),
    ("gc", "objects of the collector's heap: how they lie there, and their operators"),
    ("handlers", "handlers of exceptions, as emission keeps them and as the artifact lists them"),
    ("int", "integers, one or a vector of them"),
    ("lanes", "operations on single lanes: their code, the machine's instructions"),
    ("reg", "registers, of any machine and of x86-64"),
    ("settings", "what an engine asks of the code"),
    ("vector", "vectors: their types, their code, the machine's instructions"),
];

/// The crates whose files `SUBJECTS` is about.
const NAMED: [&str; 4] = ["crates/asm/src/", "crates/compiler/src/", "crates/environ/src/", "crates/wasmtime/src/"];

/// The place of a module among those of its crate: the one with the longest name that the path begins with.
fn place(places: Places, path: &[&str]) -> Option<(usize, &'static str)> {
    let begins = |name: &str| {
        let mut parts = path.iter();
        name.split('/').all(|part| parts.next().is_some_and(|own| *own == part))
    };
    let named = |(at, names): (usize, &'static &'static [&'static str])| {
        names.iter().filter(|name| begins(name)).map(move |name| (at, *name))
    };
    places.iter().enumerate().flat_map(named).max_by_key(|(_, name)| name.len())
}

/// What a file imports against the order of its crate.
pub(crate) fn about_imports(name: &str, text: &str) -> Vec<String> {
    let Some((root, places)) = CRATES.iter().find(|(root, _)| name.starts_with(root)) else { return Vec::new() };
    let file = name[root.len()..].trim_end_matches(".rs");
    let mut module: Vec<&str> = file.split('/').collect();
    if module.last() == Some(&"mod") {
        module.pop();
    }
    // Tests may reach for anything.
    if module.contains(&"tests") {
        return Vec::new();
    }
    let Some((own, _)) = place(places, &module) else {
        return vec![format!("{name}: where is its place? (order.rs)")];
    };
    let mut complaints = Vec::new();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for (index, line) in code.lines().enumerate() {
        let number = index + 1;
        let line = line.split("//").next().unwrap_or_default();
        for path in imports(line, &module) {
            match path {
                None => complaints.push(format!("{name}:{number}: a path from the root to each thing, not to several")),
                Some(path) => {
                    let (at, to) = place(places, &path).unwrap_or((places.len() - 1, "lib"));
                    if at > own {
                        complaints.push(format!("{name}:{number}: {to} comes after it (order.rs)"));
                    }
                }
            }
        }
    }
    complaints
}

/// The folder in which the methods of one type stand, in its own place and those after that; and what they are called
/// by.
const SPREAD: &str = "crates/compiler/src/emit/";
const RECEIVERS: [&str; 4] = ["self.", "cg.", "Self::", "FuncGen::"];

/// Calls of methods that stand in a place which comes after that of the caller, among files with their text.
pub(crate) fn about_calls(files: &[(String, String)]) -> Vec<String> {
    let (root, places) = CRATES.iter().find(|(root, _)| SPREAD.starts_with(root)).expect("it is in a crate");
    let of_crate = || {
        files.iter().filter(|(name, _)| name.starts_with(root) && !name.contains("/tests")).filter_map(
            |(name, text)| {
                let path: Vec<&str> =
                    name[root.len()..].trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').collect();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                Some((name, place(places, &path)?, code))
            },
        )
    };
    // The lowest place where there is a function of a name.
    let mut lowest: HashMap<&str, (usize, &str)> = HashMap::new();
    for (_, at, code) in of_crate() {
        for line in code.lines() {
            if let Some((_, rest)) = line.split_once("fn ").filter(|(before, _)| !before.contains("//")) {
                let known = lowest.entry(word(rest)).or_insert(at);
                *known = (*known).min(at);
            }
        }
    }
    let mut complaints = Vec::new();
    let first = place(places, &["emit"]).map_or(0, |(at, _)| at);
    let spread = of_crate().filter(|(name, (own, _), _)| name.starts_with(SPREAD) && *own >= first);
    for (name, (own, _), code) in spread {
        for (index, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            for receiver in RECEIVERS {
                for (at, _) in line.match_indices(receiver) {
                    let (before, called) = (&line[..at], word(&line[at + receiver.len()..]));
                    let is_call = line[at + receiver.len() + called.len()..].starts_with(['(', ':']);
                    if let Some((_, to)) = lowest.get(called).filter(|(at, _)| *at > own)
                        && is_call
                        && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
                    {
                        complaints.push(format!(
                            "{name}:{}: {called} is of {to}, which comes after it (order.rs)",
                            index + 1
                        ));
                    }
                }
            }
        }
    }
    complaints
}

/// The name at the beginning of some code.
fn word(code: &str) -> &str {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The modules that a line names by paths from the root of the crate or upwards; `None` where a path forks at the root.
fn imports<'a>(line: &'a str, module: &[&'a str]) -> Vec<Option<Vec<&'a str>>> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, start) in line.match_indices("crate::").chain(line.match_indices("super::")) {
        // Not inside of a word, and not the second `super` of one path.
        if line[..at].ends_with(|c| word(c) || c == ':') {
            continue;
        }
        let mut path = if start == "crate::" { Vec::new() } else { module[..module.len() - 1].to_vec() };
        let mut rest = &line[at + start.len()..];
        while let Some(further) = rest.strip_prefix("super::") {
            path.pop();
            rest = further;
        }
        if rest.starts_with('{') {
            // Below the root it is clear from the path so far.
            found.push((!path.is_empty()).then_some(path));
            continue;
        }
        path.extend(rest.split("::").map(|part| part.split(|c| !word(c)).next().unwrap_or_default()));
        found.push(Some(path));
    }
    found
}

/// Names of files that stand in several folders, but not in `SUBJECTS`; and entries there that nothing needs.
pub(crate) fn about_names(files: &[String]) -> Vec<String> {
    let mut stems: Vec<(&str, &str)> = files
        .iter()
        .filter(|name| NAMED.iter().any(|root| name.starts_with(root)) && !name.contains("/tests"))
        .filter_map(|name| Some((name.rsplit('/').next()?.trim_end_matches(".rs"), name.as_str())))
        .filter(|(stem, _)| !["lib", "mod"].contains(stem))
        .collect();
    stems.sort_unstable();
    let mut complaints = Vec::new();
    for same in stems.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        if !SUBJECTS.iter().any(|(stem, _)| *stem == same[0].0) {
            let names: Vec<&str> = same.iter().map(|(_, name)| *name).collect();
            complaints.push(format!("{}: one name, of which subject? (order.rs)", names.join(", ")));
        }
    }
    for (stem, subject) in SUBJECTS {
        if stems.iter().filter(|(other, _)| *other == stem).count() < 2 {
            complaints.push(format!("{stem}, {subject}: not in two folders (order.rs)"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_what_comes_after_are_found() {
        let count = |name: &str, code: &str| about_imports(name, &format!("//! Why.\n{code}\n")).len();
        let treaty = "crates/compiler/src/treaty/sig.rs";
        assert_eq!(count(treaty, "use crate::treaty::ty::Ty;"), 0);
        assert_eq!(count(treaty, "use crate::isa::Isa;"), 1);
        assert_eq!(count(treaty, "let x = crate::isa::x64::X64::new();"), 1);
        assert_eq!(count(treaty, "use super::ty::Ty;"), 0);
        assert_eq!(count(treaty, "use super::super::validate::survey;"), 1);
        assert_eq!(count(treaty, "// See crate::isa."), 0);
        assert_eq!(count(treaty, "use wasmparser::crate_of;"), 0);
        assert_eq!(count(treaty, "use crate::{isa::Isa, treaty};"), 1);
        // What the root exports under another name.
        assert_eq!(count(treaty, "use crate::Writer;"), 1);
        assert_eq!(count(treaty, "#[cfg(test)]\nmod tests {\n    use crate::isa::Isa;\n}"), 0);
        let isa = "crates/compiler/src/isa/x64/simd/int.rs";
        assert_eq!(count(isa, "use crate::operators::Op;"), 0);
        assert_eq!(count(isa, "use super::super::super::treaty::ty::Ty;"), 0);
        assert_eq!(count(isa, "use super::super::super::super::treaty::ty::Ty;"), 0);
        assert_eq!(count(isa, "use super::super::super::super::emit::values::value::Value;"), 1);
        assert_eq!(count(isa, "use crate::emit::writer::Writer;"), 1);
        assert_eq!(count("crates/compiler/src/isa/x64/tests/mod.rs", "use crate::emit::writer::Writer;"), 0);
        let writer = "crates/compiler/src/emit/writer.rs";
        assert_eq!(count(writer, "use crate::isa::Isa;"), 0);
        assert_eq!(count(writer, "use crate::emit::values::value::Value;"), 1);
        let value = "crates/compiler/src/emit/values/value.rs";
        assert_eq!(count(value, "use crate::emit::writer::Writer;"), 0);
        assert_eq!(count(value, "use crate::emit::FuncGen;"), 1);
        assert_eq!(count(value, "use super::super::control::calls::Arg;"), 1);
        assert_eq!(count("crates/compiler/src/new.rs", ""), 1);
        assert_eq!(count("crates/environ/src/facts/gc.rs", "use crate::input::translate;"), 0);
        assert_eq!(count("crates/environ/src/facts/gc.rs", "use crate::output::text::Text;"), 1);
        assert_eq!(count("crates/asm/src/label.rs", "use crate::anything;"), 0);
    }

    #[test]
    fn calls_of_what_comes_after_are_found() {
        let file = |name: &str, code: &str| (format!("{SPREAD}{name}.rs"), format!("//! Why.\n{code}\n"));
        let count = |caller: &str, code: &str| {
            let above = file("control/blocks", "    pub(crate) fn end(&mut self) {}");
            let below = file("values/stack", "    pub(crate) fn pop(&mut self) {}\n    fn end(&mut self) {}");
            about_calls(&[above.clone(), below, file(caller, code)]).len()
                + 10 * about_calls(&[above, file(caller, code)]).len()
        };
        assert_eq!(count("shapes/int", "self.pop();"), 0);
        // Where a name is of two places, it may be of the lower one.
        assert_eq!(count("shapes/int", "self.end();"), 10);
        assert_eq!(count("shapes/int", "cg.end();"), 10);
        assert_eq!(count("shapes/int", "go(Self::end);"), 0);
        assert_eq!(count("shapes/int", "self.w.end(); self.end; // self.end()"), 0);
        assert_eq!(count("control/calls", "self.end();"), 0);
        assert_eq!(count("dispatch", "self.end();"), 0);
    }

    #[test]
    fn names_of_two_subjects_are_found() {
        let mut files: Vec<String> = Vec::new();
        for (stem, _) in SUBJECTS {
            files.extend(["one", "two"].map(|folder| format!("crates/compiler/src/{folder}/{stem}.rs")));
        }
        assert_eq!(about_names(&files), [""; 0]);
        files.push("crates/compiler/src/emit/window.rs".into());
        assert_eq!(about_names(&files), [""; 0]);
        files.push("crates/environ/src/output/window.rs".into());
        assert_eq!(about_names(&files).len(), 1);
        files.truncate(files.len() - 3);
        assert_eq!(about_names(&files).len(), 1);
    }
}
