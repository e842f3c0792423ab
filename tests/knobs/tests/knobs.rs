//! Every method of Wasmtime's `Config`, as `docs/settings.md` has it: the list is compared with the published source,
//! and each row with what happens.

mod effects;

use effects::{CHECKS, Check};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file of Wasmtime's source that has `Config`, of the very version that is built here.
fn source() -> String {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let wasmtime = packages.iter().find(|package| package["name"] == "wasmtime").unwrap();
    let manifest = Path::new(wasmtime["manifest_path"].as_str().unwrap());
    std::fs::read_to_string(manifest.parent().unwrap().join("src/config.rs")).unwrap()
}

/// The names of the public methods of `Config`, in its inherent implementations.
fn methods(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for block in source.split("\nimpl Config {\n").skip(1) {
        let end = block.find("\n}\n").expect("an implementation ends");
        for line in block[..end].lines() {
            let rest = line.strip_prefix("    pub unsafe fn ").or_else(|| line.strip_prefix("    pub fn "));
            let name = rest.and_then(|rest| rest.split(|char: char| !char.is_alphanumeric() && char != '_').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

/// The rows of the table in the documentation: what it says of each setting.
fn rows() -> BTreeMap<String, String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "settings.md"].iter().collect();
    let mut rows = BTreeMap::new();
    let text = std::fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("\n## The table\n").expect("a chapter of that name");
    for line in table.lines().take_while(|line| !line.starts_with("## ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", name, kind, _, ""] = cells[..]
            && let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'))
        {
            assert!(rows.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} has two rows");
        }
    }
    rows
}

#[test]
fn the_table_has_every_setting_and_no_other() {
    let methods = methods(&source());
    assert!(methods.len() > 90, "{methods:?}");
    let rows: BTreeSet<String> = rows().into_keys().collect();
    let missing: Vec<_> = methods.difference(&rows).collect();
    let unknown: Vec<_> = rows.difference(&methods).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}; unknown: {unknown:?}");
}

#[test]
fn each_row_is_so() {
    let rows = rows();
    let checked: BTreeSet<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(checked.len(), CHECKS.len(), "a setting is checked twice");
    let unchecked: Vec<_> = rows.keys().filter(|name| !checked.contains(name.as_str())).collect();
    assert!(unchecked.is_empty(), "nobody checks {unchecked:?}");
    let mut wrong = Vec::new();
    for (name, check) in CHECKS {
        let said = rows.get(*name).unwrap_or_else(|| panic!("{name} has no row")).as_str();
        println!("{name}: {said}");
        // All rows are looked at, whatever one says.
        if let Err(panic) = std::panic::catch_unwind(|| is_so(name, said, check)) {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            wrong.push(format!("{name}, which {said:?} is said of: {}", text.unwrap_or("a panic")));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows are not so:\n{}", wrong.len(), CHECKS.len(), wrong.join("\n"));
}

fn is_so(name: &str, said: &str, check: &Check) {
    match check {
        Check::Works(check) => {
            assert_eq!(said, "works");
            check();
        }
        Check::Refused(changes) => {
            assert_eq!(said, "refused");
            effects::are_refused(name, changes);
        }
        Check::Nothing(changes) => {
            assert_eq!(said, "no meaning");
            effects::mean_nothing(name, changes);
        }
        Check::HostRefuses(change) => {
            assert_eq!(said, "refused by Wasmtime");
            assert!(effects::host_refuses(*change), "Wasmtime accepts it");
        }
    }
}
