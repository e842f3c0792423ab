//! Rules of the project that neither compiler nor linter knows. `cargo test` runs them too.

use crate::order;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// No source file may be longer.
const MAX_LINES: usize = 900;

/// No comment may be wider, in columns. The formatter sees to code, and leaves comments alone.
const MAX_COLUMNS: usize = 120;

/// Crates from the bottom up; each may depend only on those before it.
const LAYERS: [&str; 10] = [
    "lightbeam-asm",
    "lightbeam-compiler",
    "lightbeam-verify",
    "lightbeam-debug",
    "lightbeam-environ",
    "lightbeam",
    "lightbeam-examples",
    "lightbeam-cli",
    "lightbeam-tests",
    "xtask",
];

/// What the lowest layers may depend on at all, tests aside. The verifier shares nothing with what it verifies.
const SPARE: [(&str, &[&str]); 5] = [
    ("lightbeam-asm", &[]),
    ("lightbeam-compiler", &["lightbeam-asm", "wasmparser"]),
    ("lightbeam-debug", &["gimli"]),
    ("lightbeam-verify", &["iced-x86", "postcard", "serde", "wasmtime-environ"]),
    // Whoever makes an engine may stand on it, so it must not need one.
    (
        "lightbeam-environ",
        &[
            "lightbeam-asm",
            "lightbeam-compiler",
            "lightbeam-verify",
            "lightbeam-debug",
            "wast",
            "wasmtime-environ",
            "gimli",
            "postcard",
            "rustix",
            "wat",
        ],
    ),
];

/// Where `unsafe` may stand: at the border to the host's memory, and in tests that load artifacts.
const UNSAFE_ALLOWED: [&str; 7] = [
    "crates/environ/",
    "crates/wasmtime/",
    "tests/",
    "bench/",
    "standins/cranelift/tests/",
    "standins/measure/",
    "libwasmtime/",
];

/// The files of the emitter that make and bind labels of their own: edges between operators, an exit ahead of the
/// frame, stubs, landing pads, whole routines. In all others a branch is either to a trap or `Frozen`, with a state
/// that is the same on all its paths.
const LABELS_ALLOWED: [&str; 12] = [
    "compile.rs",
    "emit/control/blocks.rs",
    "emit/control/continuations.rs",
    "emit/control/exceptions.rs",
    "emit/control/stubs.rs",
    "emit/early.rs",
    "emit/frame.rs",
    "emit/frozen.rs",
    "emit/values/safepoints.rs",
    "routines/arrays.rs",
    "routines/mod.rs",
    "routines/stacks.rs",
];

/// How no comment may open: it names its subject, for a reader who has not read the one before.
const NAMELESS: [&str; 4] = ["The same", "Likewise", "As for", "One more:"];

/// Words that must not stay, put together so that they do not stand here.
const UNFINISHED: [&str; 5] = [
    concat!("db", "g!("),
    concat!("to", "do!("),
    concat!("un", "implemented!("),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore"),
];

/// Everything that is untidy under `root`, a line each.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let mut files = Vec::new();
    for directory in ["crates", "tests", "xtask", "bench", "fuzz", "standins", "libwasmtime"] {
        sources(&root.join(directory), &mut files)?;
    }
    ensure!(files.len() > 10, "no sources found under {}", root.display());
    let mut texts = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        complaints.extend(about_file(&name, &text));
        complaints.extend(order::about_imports(&name, &text));
        texts.push((name, text));
    }
    complaints.extend(order::about_calls(&texts));
    let names: Vec<String> = texts.into_iter().map(|(name, _)| name).collect();
    complaints.extend(order::about_names(&names));
    complaints.extend(about_crates(&metadata(root)?));
    Ok(complaints)
}

fn sources(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != "original") {
                sources(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn about_file(name: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    if !text.starts_with("//! ") {
        complaints.push(format!("{name}:1: does not open with a `//!` line that says why the file exists"));
    }
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > MAX_LINES {
        complaints.push(format!("{name}: {} lines, at most {MAX_LINES} make one idea", lines.len()));
    }
    let emitter = name.strip_prefix("crates/compiler/src/").filter(|file| !file.starts_with("isa/"));
    let labels_allowed = emitter.is_none_or(|file| LABELS_ALLOWED.contains(&file));
    let unsafe_allowed = UNSAFE_ALLOWED.iter().any(|place| name.starts_with(place));
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        for word in UNFINISHED {
            if line.contains(word) {
                complaints.push(format!("{name}:{number}: `{word}` must not stay"));
            }
        }
        if line.trim_start().starts_with("//") && line.chars().count() > MAX_COLUMNS {
            complaints.push(format!("{name}:{number}: a comment of more than {MAX_COLUMNS} columns"));
        }
        let opens = index == 0 || comment(lines[index - 1]).is_none();
        let nameless = |text: &str| NAMELESS.iter().any(|words| text.starts_with(words));
        if opens && comment(line).is_some_and(nameless) {
            complaints.push(format!("{name}:{number}: a comment names its subject"));
        }
        if !labels_allowed && (["w.label()", "w.labels()", "w.bind("].iter().any(|call| line.contains(call))) {
            complaints.push(format!("{name}:{number}: a branch whose paths meet again is `Frozen`"));
        }
        if !says_unsafe(line) {
            continue;
        }
        if !unsafe_allowed {
            complaints.push(format!("{name}:{number}: `unsafe` outside the host's crate"));
        } else if name.starts_with("crates/") && !is_justified(&lines, index) {
            complaints.push(format!("{name}:{number}: `unsafe` without a `SAFETY:` line"));
        }
    }
    complaints
}

/// What a line says that is a comment and nothing else.
fn comment(line: &str) -> Option<&str> {
    Some(line.trim_start().strip_prefix("//")?.trim_start_matches(['/', '!']).trim_start())
}

/// Does the line hold `unsafe` as code, not in a comment, a string or another word?
fn says_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"].iter().any(|form| {
        code.split(form).next().is_some_and(|before| {
            before.len() < code.len()
                && before.matches('"').count() % 2 == 0
                && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

/// Does a comment with `SAFETY:`, or a documentation section on safety, stand right above or on the line?
fn is_justified(lines: &[&str], index: usize) -> bool {
    lines[index.saturating_sub(8)..=index].iter().any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
}

fn metadata(root: &Path) -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn about_crates(metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = LAYERS.iter().position(|layer| *layer == name) else {
            complaints.push(format!("{name}: which layer is it? (tidy.rs, LAYERS)"));
            continue;
        };
        let spare = SPARE.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| allowed);
        for dependency in package["dependencies"].as_array().map_or(&[][..], Vec::as_slice) {
            let on = dependency["name"].as_str().unwrap_or_default();
            if LAYERS[layer..].contains(&on) {
                complaints.push(format!("{name} depends on {on}: arrows point down only"));
            }
            // Dependencies of tests have a kind, others none.
            if spare.is_some_and(|allowed| !allowed.contains(&on)) && dependency["kind"].is_null() {
                complaints.push(format!("{name} depends on {on}: it is to stay free of that"));
            }
        }
    }
    if packages.len() < LAYERS.len() {
        complaints.push(format!("{} of {} crates found", packages.len(), LAYERS.len()));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_project_is_tidy() {
        let complaints = complaints(&crate::root()).unwrap();
        assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    }

    #[test]
    fn untidy_files_are_found() {
        let count = |name: &str, text: &str| about_file(name, text).len();
        assert_eq!(count("crates/asm/src/a.rs", "//! Why.\nfn f() {}\n"), 0);
        assert_eq!(count("crates/asm/src/a.rs", "fn f() {}\n"), 1);
        assert_eq!(count("crates/asm/src/a.rs", &format!("//! Why.\n{}", "\n".repeat(MAX_LINES))), 1);
        assert_eq!(count("crates/asm/src/a.rs", &format!("//! Why.\n    // {}\n", "x".repeat(MAX_COLUMNS - 7))), 0);
        assert_eq!(count("crates/asm/src/a.rs", &format!("//! Why.\n    // {}\n", "x".repeat(MAX_COLUMNS - 6))), 1);
        assert_eq!(count("crates/asm/src/a.rs", "//! Why.\nfn f() { unsafe { g() } }\n"), 1);
        assert_eq!(count("crates/asm/src/a.rs", "//! Why.\n// unsafe { g() }\n"), 0);
        assert_eq!(count("crates/wasmtime/src/a.rs", "//! Why.\nfn f() { unsafe { g() } }\n"), 1);
        assert_eq!(count("crates/wasmtime/src/a.rs", "//! Why.\n// SAFETY: so.\nunsafe { g() }\n"), 0);
        assert_eq!(
            count("crates/asm/src/a.rs", "//! Why.\nstruct S {\n    /// The same of a byte.\n    s: u8,\n}\n"),
            1
        );
        assert_eq!(count("crates/asm/src/a.rs", "//! Why.\n\n// A register of two is\n// The same register.\n"), 0);
        assert_eq!(count("tests/a.rs", &format!("//! Why.\n{})\n", UNFINISHED[1])), 1);
        assert_eq!(count("crates/compiler/src/emit/objects/gc.rs", "//! Why.\nlet done = self.w.label();\n"), 1);
        assert_eq!(count("crates/compiler/src/emit/frozen.rs", "//! Why.\nself.cg.w.bind(label);\n"), 0);
    }

    #[test]
    fn arrows_that_point_up_are_found() {
        let package = |name: &str, on: &[(&str, Value)]| {
            let dependencies: Vec<Value> = on.iter().map(|(on, kind)| json!({"name": on, "kind": kind})).collect();
            json!({"name": name, "dependencies": dependencies})
        };
        let about = |compiler_on: &[(&str, Value)]| {
            let mut packages: Vec<Value> = LAYERS.iter().map(|layer| package(layer, &[])).collect();
            packages[1] = package("lightbeam-compiler", compiler_on);
            about_crates(&json!({"packages": packages}))
        };
        assert_eq!(about(&[("lightbeam-asm", Value::Null), ("wasmparser", Value::Null)]), [""; 0]);
        assert_eq!(about(&[("wat", json!("dev"))]), [""; 0]);
        assert_eq!(about(&[("wasmtime", Value::Null)]).len(), 1);
        assert_eq!(about(&[("lightbeam", json!("dev"))]).len(), 1);
    }
}
