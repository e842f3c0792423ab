//! What a cache finds, what it does not, what others do to its directory meanwhile, and what a crash leaves in it.

use lightbeam::{Cache, Compiler, Error, ErrorKind};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use wasmtime::{Config, Instance, Store};

/// A compiler for an engine of which nothing is asked.
fn compiler() -> lightbeam::Compiler {
    lightbeam::Compiler::new(&wasmtime::Config::new()).unwrap()
}

const MODULE: &[u8] = br#"(module (func (export "f") (result i32) (i32.const 7)))"#;

struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Directory {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cache-{test}"));
        let _ = fs::remove_dir_all(&path);
        Directory(path)
    }

    fn cache(&self) -> Cache {
        Cache::new(&self.0).unwrap()
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(&self.0).unwrap().map(|file| file.unwrap().path());
        all.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
    }
}

fn counts(cache: &Cache) -> (u64, u64, u64, u64) {
    let counts = cache.statistics();
    assert_eq!(counts.failures, 0, "{counts:?}");
    (counts.hits, counts.misses, counts.stored, counts.removed)
}

/// A module of its own for each number.
fn numbered(number: usize) -> String {
    format!(r#"(module (func (export "f") (result i32) (i32.const {number})) (data "{}"))"#, "x".repeat(4000))
}

#[test]
fn what_was_compiled_once_is_found() {
    let directory = Directory::new("found");
    let cache = directory.cache();
    let compiler = crate::compiler().cache(&cache);
    let (first, report) = compiler.precompile_timed(MODULE).unwrap();
    assert!(!report.cached && report.functions == 1);
    // As if by another process.
    let again = Compiler::new(&Config::new()).unwrap().cache(&directory.cache());
    let (second, report) = again.precompile_timed(MODULE).unwrap();
    assert!(report.cached && report.artifact_bytes == first.len(), "{report:?}");
    assert_eq!(first, second);
    assert_eq!(first, crate::compiler().precompile(MODULE).unwrap(), "a cache changes nothing");

    let module = compiler.module(MODULE).unwrap();
    assert_eq!(counts(&cache), (1, 1, 1, 0));
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 7);
    let (_, both) = compiler.module_and_artifact(MODULE).unwrap();
    assert_eq!(both, first);
    compiler.component("(component)").unwrap();
    compiler.component("(component)").unwrap();
    assert_eq!(counts(&cache), (3, 2, 2, 0));
    assert!(compiler.module("(module").is_err() && compiler.module("(component)").is_err());
    assert_eq!(counts(&cache).2, 2, "errors are not kept");
    cache.clear().unwrap();
    assert!(directory.files("").is_empty());
}

#[test]
fn whatever_code_depends_on_makes_another_entry() {
    let directory = Directory::new("settings");
    let cache = directory.cache();
    let mut fuel = Config::new();
    fuel.consume_fuel(true);
    let mut small = Config::new();
    small.memory_reservation(1 << 16);
    let plain = crate::compiler;
    let compilers = [
        plain(),
        Compiler::new(&fuel).unwrap(),
        Compiler::new(&small).unwrap(),
        plain().spectre(false),
        plain().nan_canonicalization(true),
        plain().cpu_features(lightbeam::CpuFeatures::default()),
        plain().address_map(lightbeam::AddressMap::Operators),
        plain().poison(true),
    ];
    for (number, compiler) in compilers.iter().enumerate() {
        compiler.clone().cache(&cache).precompile(MODULE).unwrap();
        assert_eq!(counts(&cache), (0, number as u64 + 1, number as u64 + 1, 0));
    }
    // What it does not depend on does not.
    for compiler in
        [plain().threads(1), plain().memory_files(false), plain().batch(3), plain().time_limit(Duration::MAX)]
    {
        compiler.cache(&cache).precompile(MODULE).unwrap();
    }
    assert_eq!(counts(&cache).0, 4);
}

#[test]
fn what_is_damaged_is_compiled_again() {
    let directory = Directory::new("damaged");
    let cache = directory.cache();
    let compiler = crate::compiler().cache(&cache);
    let artifact = compiler.precompile(MODULE).unwrap();
    let entry = directory.files(".cwasm").remove(0);
    let whole = fs::read(&entry).unwrap();
    // Cut off, changed, empty, and zeros as after a failure of power.
    let mut changed = whole.clone();
    changed[artifact.len() / 2] ^= 1;
    let damaged = [whole[..whole.len() / 2].to_vec(), changed, Vec::new(), vec![0; whole.len()]];
    for (number, bytes) in (1..).zip(damaged) {
        fs::write(&entry, bytes).unwrap();
        assert_eq!(compiler.precompile(MODULE).unwrap(), artifact);
        assert_eq!(counts(&cache), (0, number + 1, number + 1, number));
        assert_eq!(fs::read(&entry).unwrap(), whole, "it is whole again");
    }
}

#[test]
fn with_proofs_what_is_found_is_proved() {
    let directory = Directory::new("proved");
    let cache = directory.cache();
    let compiler = crate::compiler().verify(true).cache(&cache);
    compiler.precompile(MODULE).unwrap();
    let (_, report) = compiler.precompile_timed(MODULE).unwrap();
    assert!(report.cached && report.verified.unwrap().functions == 1);
    // The artifact of another module, whole and with the right checksum.
    let [entry] = &directory.files(".cwasm")[..] else { panic!("one entry") };
    let mut forged = compiler.precompile(numbered(1)).unwrap();
    let name = entry.file_stem().unwrap().to_str().unwrap();
    let checksum = Sha256::new().chain_update(name).chain_update(&forged).finalize();
    forged.extend(checksum);
    forged.extend(b"lightb02");
    fs::write(entry, &forged).unwrap();
    let unproved = crate::compiler().verify(false).cache(&cache).precompile(MODULE).unwrap();
    assert!(unproved == forged[..forged.len() - 40], "it is found");
    let (artifact, report) = compiler.precompile_timed(MODULE).unwrap();
    assert!(!report.cached);
    assert_eq!(artifact, crate::compiler().precompile(MODULE).unwrap());
}

/// As two processes made it that took each other's unfinished file for their own: in containers, both are process 1.
#[test]
fn an_entry_under_the_name_of_another_is_compiled_again() {
    let directory = Directory::new("exchanged");
    let cache = directory.cache();
    let compiler = crate::compiler().cache(&cache);
    let artifacts = [0, 1].map(|number| compiler.precompile(numbered(number)).unwrap());
    let [one, other] = &directory.files(".cwasm")[..] else { panic!("two entries") };
    let aside = directory.0.join("aside");
    for (from, to) in [(one, &aside), (other, one), (&aside, other)] {
        fs::rename(from, to).unwrap();
    }
    for (number, artifact) in artifacts.iter().enumerate() {
        assert_eq!(compiler.precompile(numbered(number)).unwrap(), *artifact);
    }
    assert_eq!(counts(&cache), (0, 4, 4, 2));
}

#[test]
fn what_was_used_least_recently_goes() {
    let directory = Directory::new("limits");
    let one = crate::compiler().precompile(numbered(0)).unwrap().len() as u64;
    let cache = directory.cache().size_limit(5 * (one + 100));
    let compiler = crate::compiler().cache(&cache);
    let mut names = Vec::new();
    for number in 0..5 {
        compiler.precompile(numbered(number)).unwrap();
        let new = directory.files(".cwasm").into_iter().find(|path| !names.contains(path)).unwrap();
        let used = SystemTime::now() - Duration::from_secs(1000 - number as u64);
        File::open(&new).unwrap().set_modified(used).unwrap();
        names.push(new);
    }
    // The first is used once more; then there is one too many, and seven tenths of five are three.
    compiler.precompile(numbered(0)).unwrap();
    compiler.precompile(numbered(5)).unwrap();
    assert_eq!(counts(&cache), (1, 6, 6, 3));
    let left: Vec<bool> = names.iter().map(|name| name.exists()).collect();
    assert_eq!(left, [true, false, false, false, true]);
    let few = cache.clone().file_limit(1);
    crate::compiler().cache(&few).precompile(numbered(6)).unwrap();
    assert_eq!(directory.files(".cwasm").len(), 1);
    // What is larger than all may be together is not kept.
    let none = directory.cache().size_limit(100);
    crate::compiler().cache(&none).precompile(numbered(7)).unwrap();
    assert_eq!((counts(&none), directory.files(".cwasm").len()), ((0, 1, 0, 0), 1));
}

#[test]
fn what_a_crash_leaves_goes_an_hour_later() {
    let directory = Directory::new("crash");
    let compiler = crate::compiler().cache(&directory.cache());
    let [old, new, other] = [".1-0.tmp", ".2-0.tmp", "notes.txt"].map(|name| directory.0.join(name));
    for file in [&old, &new, &other] {
        fs::write(file, "half of an entry").unwrap();
    }
    for file in [&old, &other] {
        File::open(file).unwrap().set_modified(SystemTime::now() - Duration::from_secs(4000)).unwrap();
    }
    compiler.precompile(MODULE).unwrap();
    assert_eq!([&old, &new, &other].map(|file| file.exists()), [false, true, true]);
}

#[test]
fn several_at_a_time_get_along() {
    let directory = Directory::new("several");
    let expected: Vec<_> = (0..8).map(|number| crate::compiler().precompile(numbered(number)).unwrap()).collect();
    let limit = 4 * expected[0].len() as u64;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (directory, expected) = (&directory, &expected);
            scope.spawn(move || {
                // Each has a cache of its own, as processes have, and they throw out each other's entries.
                let cache = directory.cache().size_limit(limit);
                let compiler = crate::compiler().cache(&cache);
                for round in 0..60 {
                    let number = (round * 5 + thread * 3) % 8;
                    assert_eq!(compiler.precompile(numbered(number)).unwrap(), expected[number]);
                }
                counts(&cache);
            });
        }
    });
    assert!(directory.files(".tmp").is_empty());
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let directory = Directory::new("permissions");
    directory.cache();
    assert_eq!(fs::metadata(&directory.0).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o777)).unwrap();
    let error = Cache::new(&directory.0).unwrap_err();
    let error = error.downcast_ref::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.message().contains("others than its owner may write"), "{error}");
    fs::set_permissions(&directory.0, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(directory.0.join("file"), "").unwrap();
    let error = Cache::new(directory.0.join("file")).unwrap_err().to_string();
    assert!(error.contains("cannot be a cache"), "{error}");
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error_of_compiling() {
    let directory = Directory::new("unwritable");
    let cache = directory.cache();
    fs::remove_dir(&directory.0).unwrap();
    crate::compiler().cache(&cache).module(MODULE).unwrap();
    let counts = cache.statistics();
    assert_eq!((counts.misses, counts.stored, counts.failures), (1, 0, 1));
    assert!(counts.last_failure.unwrap().contains("failed to write"));
}
