//! Engines that are hard to serve: those that take the host for a lesser one, name a target, or a version of their
//! own. Each is served with code that it can run, or refused with the name of the setting.

use lightbeam::{Compiler, Error, ErrorKind};
use lightbeam_tests::backend::Setup;
use lightbeam_tests::generate::{Generated, simd, single};
use lightbeam_tests::observe::{Event, Rule, difference, observe};
use std::cell::RefCell;
use wasmtime::{Config, Engine, Module, ModuleVersionStrategy};

/// What Wasmtime asks a host for on this machine, by the names that it has for it there, and in artifacts.
const FEATURES: [(&str, &str); 19] = [
    ("cmpxchg16b", "has_cmpxchg16b"),
    ("sse3", "has_sse3"),
    ("ssse3", "has_ssse3"),
    ("sse4.1", "has_sse41"),
    ("sse4.2", "has_sse42"),
    ("popcnt", "has_popcnt"),
    ("avx", "has_avx"),
    ("avx2", "has_avx2"),
    ("fma", "has_fma"),
    ("avxvnni", "has_avx_vnni"),
    ("bmi1", "has_bmi1"),
    ("bmi2", "has_bmi2"),
    ("avx512bitalg", "has_avx512bitalg"),
    ("avx512dq", "has_avx512dq"),
    ("avx512f", "has_avx512f"),
    ("avx512vl", "has_avx512vl"),
    ("avx512vbmi", "has_avx512vbmi"),
    ("avx512vnni", "has_avx512vnni"),
    ("lzcnt", "has_lzcnt"),
];

/// Without these no code runs.
const FLOOR: [&str; 5] = ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"];

thread_local! {
    /// What the host of this thread denies, and what it knows nothing of.
    static DENIED: RefCell<(Vec<&'static str>, Vec<&'static str>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// What an engine asks in place of the processor.
fn host(feature: &str) -> Option<bool> {
    DENIED.with_borrow(|(denied, unknown)| {
        let real = match feature {
            "cmpxchg16b" => std::arch::is_x86_feature_detected!("cmpxchg16b"),
            "sse3" => std::arch::is_x86_feature_detected!("sse3"),
            "ssse3" => std::arch::is_x86_feature_detected!("ssse3"),
            "sse4.1" => std::arch::is_x86_feature_detected!("sse4.1"),
            "sse4.2" => std::arch::is_x86_feature_detected!("sse4.2"),
            "popcnt" => std::arch::is_x86_feature_detected!("popcnt"),
            "avx" => std::arch::is_x86_feature_detected!("avx"),
            "avx2" => std::arch::is_x86_feature_detected!("avx2"),
            "fma" => std::arch::is_x86_feature_detected!("fma"),
            "bmi1" => std::arch::is_x86_feature_detected!("bmi1"),
            "bmi2" => std::arch::is_x86_feature_detected!("bmi2"),
            "lzcnt" => std::arch::is_x86_feature_detected!("lzcnt"),
            "avxvnni" => std::arch::is_x86_feature_detected!("avxvnni"),
            "avx512bitalg" => std::arch::is_x86_feature_detected!("avx512bitalg"),
            "avx512dq" => std::arch::is_x86_feature_detected!("avx512dq"),
            "avx512f" => std::arch::is_x86_feature_detected!("avx512f"),
            "avx512vl" => std::arch::is_x86_feature_detected!("avx512vl"),
            "avx512vbmi" => std::arch::is_x86_feature_detected!("avx512vbmi"),
            "avx512vnni" => std::arch::is_x86_feature_detected!("avx512vnni"),
            _ => return None,
        };
        if unknown.contains(&feature) { None } else { Some(real && !denied.contains(&feature)) }
    })
}

/// Is the processor without it?
fn denied_by_machine(feature: &str) -> bool {
    DENIED.set((Vec::new(), Vec::new()));
    host(feature) == Some(false)
}

/// An engine on a host that denies these features and knows nothing of those, with a compiler of Wasmtime's or without.
fn engine(denied: &[&'static str], unknown: &[&'static str], compiler: bool) -> Engine {
    DENIED.set((denied.to_vec(), unknown.to_vec()));
    let mut config = Setup::default().config();
    config.enable_compiler(compiler);
    // SAFETY: `host` never says that there is what is not.
    unsafe { config.detect_host_feature(host) };
    Engine::new(&config).unwrap()
}

/// Modules with every operator there is, and what they do on an engine of which nothing is asked.
fn all_operators() -> Vec<(Generated, Vec<Event>)> {
    let plain = Setup::default().engine().unwrap();
    let modules = single::modules().into_iter().map(|(_, module)| module).chain(simd::modules());
    // What is rounded once or twice depends on the processor.
    let modules = modules.filter(|module| !module.funcs.contains("madd"));
    let expected = |module: &Generated| observe(&plain.cranelift(&module.wasm()).unwrap(), &plain.setup, &module.calls);
    modules.map(|module| (expected(&module), module)).map(|(expected, module)| (module, expected)).collect()
}

/// Serves the engine, with code that is proved to use what the artifact names alone, and that without what is denied.
fn serves<'a>(engine: &Engine, missing: &[&str], modules: impl Iterator<Item = &'a (Generated, Vec<Event>)>) {
    let compiler = Compiler::for_engine(engine).unwrap_or_else(|error| panic!("without {missing:?}: {error:#}"));
    for (module, expected) in modules {
        let wasm = module.wasm();
        let artifact = compiler.clone().verify(true).precompile(&wasm).unwrap();
        for (feature, flag) in FEATURES {
            // A name may be the beginning of another.
            let named = artifact.windows(flag.len() + 1).any(|at| {
                at.starts_with(flag.as_bytes()) && !at[flag.len()].is_ascii_alphanumeric() && at[flag.len()] != b'_'
            });
            assert!(!named || !missing.contains(&feature), "without {missing:?} there is {flag}");
        }
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        let loaded = unsafe { Module::deserialize(engine, &artifact) }.unwrap();
        let actual = observe(&loaded, &Setup::default(), &module.calls);
        if let Some(difference) = difference(expected, &actual, Rule::AnyNan) {
            panic!("without {missing:?}: {}", module.explain(&difference.what, expected.get(difference.at)));
        }
    }
}

#[test]
fn hosts_without_a_feature_get_code_without_it_or_its_name() {
    let all = all_operators();
    // Nothing, each by itself, and sets that go together, and such as no processor has.
    let mut sets: Vec<Vec<&'static str>> = vec![Vec::new()];
    sets.extend(FEATURES.iter().map(|(name, _)| vec![*name]));
    sets.push(vec!["avx", "avx2", "fma"]);
    sets.push(vec!["bmi1", "bmi2", "lzcnt"]);
    sets.push(vec!["avx2", "bmi1"]);
    sets.push(vec!["avx", "avx2", "fma", "bmi1", "bmi2", "lzcnt", "cmpxchg16b"]);
    let (mut served, mut refused) = (0, 0);
    for (number, set) in sets.iter().enumerate() {
        for by_name in [true, false] {
            for compiler in [true, false] {
                let (denied, unknown) = if by_name { (&set[..], &[][..]) } else { (&[][..], &set[..]) };
                let engine = engine(denied, unknown, compiler);
                let floor = set.iter().any(|name| FLOOR.contains(name));
                // Where the engine's own compiler uses a feature that is denied, Wasmtime loads nothing at all.
                let of_compiler = compiler && set.iter().any(|name| !denied_by_machine(name));
                DENIED.set((denied.to_vec(), unknown.to_vec()));
                if !floor && (!of_compiler || Compiler::for_engine(&engine).is_ok()) {
                    served += 1;
                    // Each of the modules sees a part of the sets.
                    let part = all.iter().enumerate().filter(|(n, _)| (n + number).is_multiple_of(13));
                    serves(&engine, set, part.map(|(_, module)| module));
                    continue;
                }
                refused += 1;
                let error = Compiler::for_engine(&engine).unwrap_err().downcast::<Error>().unwrap();
                assert_eq!(error.kind(), ErrorKind::Settings, "{set:?}: {error}");
                let message = error.message();
                assert!(message.contains("`Config::detect_host_feature`"), "{set:?}: {error}");
                assert!(set.iter().any(|name| message.contains(&name.replace('.', ""))), "{set:?}: {error}");
            }
        }
    }
    println!("{served} engines served, {refused} refused");
    assert!(served >= 2 * (sets.len() - FLOOR.len()) && refused >= 4 * FLOOR.len(), "{served} and {refused}");
}

#[test]
fn a_host_that_knows_of_nothing_is_refused_by_name() {
    let unknown: Vec<&'static str> = FEATURES.iter().map(|(name, _)| *name).collect();
    let error = Compiler::for_engine(&engine(&[], &unknown, false)).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.message().contains("`Config::detect_host_feature`"), "{error}");
}

#[test]
fn features_that_somebody_asks_for_and_the_host_lacks_do_not_run() {
    // The engine is made without AVX; then somebody wants it for the code all the same.
    let compiler = Compiler::for_engine(&engine(&["avx", "avx2", "fma"], &[], false)).unwrap();
    let all = lightbeam::CpuFeatures { avx: true, avx2: true, bmi1: true, bmi2: true, lzcnt: true, fma: true };
    let error = compiler.cpu_features(all).module("(module)").unwrap_err();
    assert!(format!("{error:#}").contains("has_avx"), "{error:#}");
}

#[test]
fn targets_are_the_hosts_or_refused_by_name() {
    let mut served = 0;
    // Wasmtime loads nothing into an engine for another vendor or C library, though code would be the same.
    for (target, is_host) in [
        ("x86_64-unknown-linux-gnu", cfg!(target_env = "gnu")),
        ("x86_64-unknown-linux-musl", cfg!(target_env = "musl")),
        ("x86_64-pc-linux-gnu", false),
        ("x86_64-linux-android", false),
        ("x86_64-unknown-none", false),
        ("x86_64-apple-darwin", false),
        ("x86_64-unknown-freebsd", false),
        ("x86_64-pc-windows-msvc", false),
        ("i686-unknown-linux-gnu", false),
        ("aarch64-unknown-linux-gnu", false),
        ("riscv64gc-unknown-linux-gnu", false),
        ("s390x-unknown-linux-gnu", false),
        ("pulley64", false),
        ("pulley32", false),
    ] {
        for compiler in [true, false] {
            let mut config = Config::new();
            config.target(target).unwrap().enable_compiler(compiler);
            // Wasmtime itself has no compiler for some.
            let Ok(engine) = Engine::new(&config) else {
                assert!(compiler && !is_host, "{target}");
                continue;
            };
            match Compiler::for_engine(&engine) {
                Ok(compiler) => {
                    assert!(is_host, "{target} is served");
                    compiler.module("(module (func (export \"f\")))").unwrap();
                    served += 1;
                }
                Err(error) => {
                    assert!(!is_host, "{target}: {error:#}");
                    let error = error.downcast::<Error>().unwrap();
                    assert_eq!(error.kind(), ErrorKind::Settings, "{target}: {error}");
                    assert!(error.message().contains("`Config::target`"), "{target}: {error}");
                }
            }
        }
    }
    assert_eq!(served, 2);
}

#[test]
fn versions_are_told_or_refused_by_name() {
    let engine = |version: &str| {
        let mut config = Config::new();
        config.module_version(ModuleVersionStrategy::Custom(version.into())).unwrap();
        Engine::new(&config).unwrap()
    };
    let long = "v".repeat(255);
    for version in ["", "a", "48", "49", "mine 7", "\u{fffd}ü\"", "48.0.8", &long] {
        let of_host = engine(version);
        let refused = |error: wasmtime::Error| {
            let error = error.downcast::<Error>().unwrap();
            assert!(
                error.kind() == ErrorKind::Settings && error.message().contains("`Config::module_version`"),
                "{error}"
            );
        };
        // What is usual here is a version as others are.
        match Compiler::for_engine(&of_host) {
            Ok(_) => assert_eq!(version, "48"),
            Err(error) => {
                assert_ne!(version, "48");
                refused(error);
            }
        }
        refused(Compiler::for_engine_of_version(&of_host, "another").unwrap_err());
        refused(Compiler::for_engine_of_version(&of_host, &"v".repeat(256)).unwrap_err());
        let compiler =
            Compiler::for_engine_of_version(&of_host, version).unwrap_or_else(|error| panic!("{version:?}: {error:#}"));
        let artifact = compiler.precompile("(module)").unwrap();
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        unsafe { Module::deserialize(&of_host, &artifact) }.unwrap();
        // SAFETY: as above.
        let elsewhere = unsafe { Module::deserialize(&engine("elsewhere"), &artifact) };
        assert!(format!("{:#}", elsewhere.unwrap_err()).contains("version"), "{version:?}");
    }
    let mut config = Config::new();
    assert!(config.module_version(ModuleVersionStrategy::Custom("v".repeat(256))).is_err(), "Wasmtime takes no more");
}
