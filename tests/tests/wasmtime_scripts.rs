//! Wasmtime's own scripts, of modules and of components, one trial a script and setting: memories taken as they are
//! needed or from pools, each collector for what has to do with references, and what changes a component's own code.

mod cranelift;

use cranelift::Cranelift;
use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam_cli::wast::{FileReport, Needs, pools, run_text};
use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::shared;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use wasmtime::{Collector, Config, Engine, InstanceAllocationStrategy, Result};

/// The scripts that do not pass: `SETTING/NAME  WHOSE: REASON` a line. A script that passes must leave the list.
const WAITING: &str = include_str!("../waiting-wasmtime.txt");

/// Under what a script runs.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    pools: bool,
    concurrency: bool,
    setup: fn() -> Setup,
}

/// All scripts.
const ON_DEMAND: Setting = Setting { name: "on-demand", pools: false, concurrency: true, setup: Setup::default };
/// Those that can be content with a pool's memories.
const POOLS: Setting = Setting { name: "pools", pools: true, concurrency: true, setup: Setup::default };
/// Those that have to do with references.
const COLLECTORS: [Setting; 2] = [
    Setting {
        name: "counting",
        pools: false,
        concurrency: true,
        setup: || Setup { collector: Collector::DeferredReferenceCounting, ..Setup::default() },
    },
    Setting {
        name: "no-collection",
        pools: false,
        concurrency: true,
        setup: || Setup { collector: Collector::Null, ..Setup::default() },
    },
];
/// Those of components.
const OF_COMPONENTS: [Setting; 3] = [
    Setting { name: "garbage", pools: false, concurrency: true, setup: || Setup { poison: true, ..Setup::default() } },
    Setting {
        name: "no-signals-garbage",
        pools: false,
        concurrency: true,
        setup: || Setup { signals: false, poison: true, lazy_tables: false, ..Setup::default() },
    },
    Setting {
        name: "floor-moving",
        pools: false,
        concurrency: true,
        setup: || Setup {
            reservation: Some(0),
            guard: Some(1 << 16),
            copy_on_write: false,
            without: Without::ALL,
            ..Setup::default()
        },
    },
];

/// Those of components that do one thing at a time.
const NO_CONCURRENCY: Setting = Setting {
    name: "no-concurrency-garbage",
    pools: false,
    concurrency: false,
    setup: || Setup { poison: true, ..Setup::default() },
};

fn main() {
    let arguments = Arguments::from_args();
    let Some(folder) = shared::folder("wasmtime-scripts") else { return };
    let lines = WAITING.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = |line: &'static str| line.split_once(char::is_whitespace).expect("a name and a reason");
    let waiting: BTreeMap<&str, &str> = lines.map(split).map(|(name, reason)| (name, reason.trim())).collect();
    let mut trials = Vec::new();
    let mut names = BTreeSet::new();
    for path in shared::files(&folder, "wast") {
        let script = path.strip_prefix(&folder).expect("found below it").display().to_string();
        let needs = read(&path).expect("its settings are known").1;
        let mut settings = vec![ON_DEMAND];
        // No pool has memories of gigabytes.
        if !needs.hogs_memory {
            settings.push(POOLS);
        }
        if needs.collects() {
            settings.extend(COLLECTORS);
        }
        if script.starts_with("component-model") {
            settings.extend(OF_COMPONENTS);
            if !needs.concurrent() {
                settings.push(NO_CONCURRENCY);
            }
        }
        for setting in settings {
            let name = format!("{}/{script}", setting.name);
            let waits = waiting.get(name.as_str()).copied();
            let trial = match waits.and_then(|reason| reason.split_once(':')) {
                None if waits.is_some() => panic!("`{name}` is on the list without saying whose fault it is"),
                None => passes,
                Some(("both", _)) => no_more_with_cranelift,
                Some(("ours", _)) => fails,
                Some((whose, _)) => panic!("`{name}` fails for `{whose}`, which is neither `both` nor `ours`"),
            };
            let path = path.clone();
            names.insert(name.clone());
            trials.push(Trial::test(name, move || trial(&path, setting)));
        }
    }
    let unknown: Vec<&str> = waiting.keys().copied().filter(|name| !names.contains(*name)).collect();
    trials.push(Trial::test("the list of those that do not pass names scripts that exist", move || {
        if unknown.is_empty() { Ok(()) } else { Err(format!("{unknown:?}").into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(path: &Path) -> Result<(String, Needs)> {
    let text = std::fs::read_to_string(path)?;
    let needs = Needs::of(path, &text)?;
    Ok((text, needs))
}

fn config(needs: &Needs, setting: Setting) -> Config {
    let mut config = (setting.setup)().config();
    needs.apply(&mut config);
    config.cranelift_nan_canonicalization(needs.canonical_nans);
    // Whoever traps looks at all frames.
    config.wasm_backtrace_max_frames(NonZero::new(20));
    if !setting.concurrency {
        config.concurrency_support(false);
    }
    if setting.pools {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pools()));
    }
    config
}

/// Pools reserve terabytes of addresses, of which there are not enough for many at a time.
static POOL: Mutex<()> = Mutex::new(());

fn passes(path: &Path, setting: Setting) -> Result<(), Failed> {
    let report = lightbeam(path, setting)?;
    match report.failures.is_empty() {
        true if report.passed == 0 => Err("the script has no directive".into()),
        true => Ok(()),
        false => Err(format!("{report}{} passed, {} failed", report.passed, report.failures.len()).into()),
    }
}

fn lightbeam(path: &Path, setting: Setting) -> Result<FileReport, Failed> {
    let _alone = setting.pools.then(|| POOL.lock());
    let (text, needs) = read(path).map_err(said)?;
    let engine = Engine::new(&config(&needs, setting)).map_err(said)?;
    Ok(run_text(path, &text, &(setting.setup)().lightbeam(&engine).map_err(said)?))
}

/// A script that fails with Lightbeam alone does pass with Cranelift.
fn fails(path: &Path, setting: Setting) -> Result<(), Failed> {
    if lightbeam(path, setting).is_ok_and(|report| report.failures.is_empty()) {
        return Err("passes: take it off the list".into());
    }
    let theirs = cranelift(path, setting)?;
    if theirs.failures.is_empty() { Ok(()) } else { Err(format!("fails with both\n{theirs}").into()) }
}

/// A script that fails with both does not pass with Cranelift, nor any directive of it that fails with Lightbeam.
fn no_more_with_cranelift(path: &Path, setting: Setting) -> Result<(), Failed> {
    let ours = lines(&lightbeam(path, setting)?);
    if ours.is_empty() {
        return Err("passes: take it off the list".into());
    }
    match ours.difference(&lines(&cranelift(path, setting)?)).next() {
        Some(line) => Err(format!("{}:{line} passes with Cranelift alone", path.display()).into()),
        None => Ok(()),
    }
}

fn cranelift(path: &Path, setting: Setting) -> Result<FileReport, Failed> {
    let _alone = setting.pools.then(|| POOL.lock());
    let (text, needs) = read(path).map_err(said)?;
    let cranelift = Cranelift(Engine::new(&config(&needs, setting)).map_err(said)?);
    Ok(run_text(path, &text, &cranelift))
}

fn lines(report: &FileReport) -> BTreeSet<usize> {
    report.failures.iter().map(|failure| failure.line).collect()
}

fn said(error: wasmtime::Error) -> Failed {
    format!("{error:?}").into()
}
