//! Artifacts: given beside what was loaded, refused if they are of another release, and what is said of those that
//! cannot be loaded; and who compiles what Lightbeam does not.

use lightbeam::{ArtifactOrigin, Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{Config, Engine, Module};

/// A compiler for an engine of which nothing is asked.
fn compiler() -> lightbeam::Compiler {
    lightbeam::Compiler::new(&wasmtime::Config::new()).unwrap()
}

const MODULE: &[u8] =
    br#"(module (memory (export "m") 1) (data (i32.const 5) "data") (func (export "f") (result i32) (i32.const 7)))"#;

/// An artifact that names another release.
fn of_another_release(artifact: &[u8]) -> Vec<u8> {
    let name = format!("wasmtime {}\0", ArtifactOrigin::current().wasmtime);
    let at = artifact.windows(name.len()).position(|bytes| bytes == name.as_bytes()).unwrap();
    let mut artifact = artifact.to_vec();
    let last = &mut artifact[at + name.len() - 2];
    *last = if *last == b'0' { b'1' } else { b'0' };
    artifact
}

fn load_error<T>(result: wasmtime::Result<T>) -> Error {
    let Err(error) = result else { panic!("it is loaded") };
    let error = error.downcast_ref::<Error>().unwrap_or_else(|| panic!("{error:?}")).clone();
    assert_eq!(error.kind(), ErrorKind::Load, "{error}");
    error
}

#[test]
fn a_module_and_its_artifact_come_of_one_compilation() {
    let compiler = crate::compiler();
    let (module, artifact) = compiler.module_and_artifact(MODULE).unwrap();
    assert_eq!(artifact, compiler.precompile(MODULE).unwrap());
    // SAFETY: it was just made.
    let again = unsafe { compiler.deserialize(&artifact) }.unwrap();
    assert_eq!(module.text(), again.text());
    let large = format!(r#"(module (memory 32) (data (i32.const 0) "{}"))"#, "x".repeat(1 << 20));
    let (module, artifact) = compiler.module_and_artifact(large).unwrap();
    assert!(artifact.len() > 1 << 20);
    // SAFETY: it was just made.
    let again = unsafe { compiler.deserialize(&artifact) }.unwrap();
    let size = |module: &Module| module.image_range().end.addr() - module.image_range().start.addr();
    assert_eq!(size(&module), size(&again));
    let (_, artifact) = compiler.component_and_artifact("(component)").unwrap();
    assert_eq!(artifact, compiler.precompile_component("(component)").unwrap());
    // SAFETY: it was just made.
    unsafe { compiler.deserialize_component(&artifact) }.unwrap();
}

#[test]
fn artifacts_of_other_releases_are_not_loaded() {
    let compiler = crate::compiler();
    let artifact = compiler.precompile(MODULE).unwrap();
    assert_eq!(ArtifactOrigin::of(&artifact).unwrap(), ArtifactOrigin::current());
    let other = of_another_release(&artifact);
    // SAFETY: those that are loaded were just made, and of what was changed no code is.
    unsafe {
        Module::deserialize(compiler.engine(), &other).expect("the host compares the major version alone");
        let error = load_error(compiler.deserialize(&other));
        let current = ArtifactOrigin::current().to_string();
        assert!(error.message().contains(&current) && error.message().matches("48.").count() == 2, "{error}");

        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("of-another-release.cwasm");
        std::fs::write(&path, &other).unwrap();
        let error = compiler.deserialize_file(&path).unwrap_err();
        assert!(format!("{error:#}").contains("of-another-release.cwasm"), "{error:#}");
        load_error::<Module>(Err(error));
        std::fs::write(&path, &artifact).unwrap();
        compiler.deserialize_file(&path).unwrap();
        load_error(compiler.deserialize_component_file(&path));
    }
    let error = compiler.verify_artifact(&other, MODULE).unwrap_err();
    assert!(error.to_string().contains("of another release"), "{error:#}");
}

#[test]
fn what_cannot_be_loaded_says_why() {
    let compiler = crate::compiler();
    let artifact = compiler.precompile(MODULE).unwrap();
    // SAFETY: no code of what is wrong is loaded.
    unsafe {
        let cut = load_error(compiler.deserialize(&artifact[..artifact.len() / 2]));
        assert!(cut.message().contains("cut off"), "{cut}");
        let wasm = load_error(compiler.deserialize(b"\0asm\x01\0\0\0"));
        assert!(wasm.message().contains("yet to be compiled"), "{wasm}");
        let component = load_error(compiler.deserialize_component(&artifact));
        assert!(component.message().contains("component"), "{component}");
        let mut config = Config::new();
        config.consume_fuel(true);
        let error = lightbeam::Compiler::new(&config).unwrap().deserialize(&artifact).unwrap_err();
        assert!(format!("{error:#}").contains("fuel"), "{error:#}");
        load_error::<Module>(Err(error));
    }
    // Of what was compiled just now, for a processor that is none of the host's.
    let mut config = Config::new();
    config.allocation_strategy(wasmtime::PoolingAllocationConfig::default());
    let pooled = lightbeam::Compiler::new(&config).unwrap();
    let error = load_error(pooled.module("(module (table 100000 funcref))"));
    assert!(error.message().contains("what was compiled"), "{error}");
}

#[test]
fn what_is_not_compiled_here_goes_to_the_fallback() {
    let mut config = Config::new();
    config.wasm_shared_everything_threads(true).wasm_gc(true).wasm_function_references(true);
    let compiler = lightbeam::Compiler::new(&config).unwrap();
    let unsupported = wat::parse_str("(module (type (shared (struct))))").unwrap();
    let empty = || compiler.module("(module)");
    let mut asked = 0;
    let module = compiler.module_or(&unsupported, |engine: &Engine, bytes| {
        asked += 1;
        assert!(Engine::same(engine, compiler.engine()) && bytes == unsupported);
        empty()
    });
    assert_eq!((module.unwrap().exports().len(), asked), (0, 1));
    let never = |_: &Engine, _: &[u8]| panic!("not for a fallback");
    assert_eq!(compiler.module_or(MODULE, never).unwrap().exports().len(), 2);
    assert!(compiler.module_or(b"\0asm\x01\0\0\0\x01", never).is_err(), "it is invalid");
    let component = wat::parse_str("(component (core module (type (shared (struct)))))").unwrap();
    compiler.component_or(&component, |_, _| compiler.component("(component)")).unwrap();
}

/// Whoever keeps code for an engine, and counts what it was told of it.
#[derive(Default)]
struct Keeper {
    published: AtomicUsize,
    unpublished: AtomicUsize,
}

impl wasmtime::CustomCodeMemory for Keeper {
    fn required_alignment(&self) -> usize {
        4096
    }

    fn publish_executable(&self, ptr: *const u8, len: usize) -> wasmtime::Result<()> {
        self.published.fetch_add(1, Ordering::Relaxed);
        let access = rustix::mm::MprotectFlags::READ | rustix::mm::MprotectFlags::EXEC;
        // SAFETY: pages of code that the host has just mapped.
        Ok(unsafe { rustix::mm::mprotect(ptr.cast_mut().cast(), len, access) }?)
    }

    fn unpublish_executable(&self, ptr: *const u8, len: usize) -> wasmtime::Result<()> {
        self.unpublished.fetch_add(1, Ordering::Relaxed);
        let access = rustix::mm::MprotectFlags::READ | rustix::mm::MprotectFlags::WRITE;
        // SAFETY: pages of code that nobody runs any more.
        Ok(unsafe { rustix::mm::mprotect(ptr.cast_mut().cast(), len, access) }?)
    }
}

#[test]
fn whoever_keeps_code_hears_of_no_end_without_a_beginning() {
    let keeper = Arc::new(Keeper::default());
    let counts = || (keeper.published.load(Ordering::Relaxed), keeper.unpublished.load(Ordering::Relaxed));
    let mut config = Config::new();
    config.with_custom_code_memory(Some(keeper.clone()));
    // Here an artifact without code is loaded, to see what the engine asks.
    let compiler = lightbeam::Compiler::new(&config).unwrap();
    drop(compiler.module("(module)").unwrap());
    assert_eq!(counts(), (0, 0));
    let module = compiler.module(MODULE).unwrap();
    assert_eq!(counts(), (1, 0));
    drop(module);
    assert_eq!(counts(), (1, 1));
}
