//! `Config::artifact_source` with Lightbeam behind it, in an engine that has Cranelift: `check` runs these with the patch
//! applied. Code that calls `Module::new` gets Lightbeam's artifact; what Lightbeam declines is Cranelift's.

use lightbeam::{Compiler, Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wasmtime::component::{Component, Linker};
use wasmtime::{CodeBuilder, Config, Engine, Instance, Module, Result, Store};

const MODULE: &str = r#"(module (func (export "run") (result i32) i32.const 42))"#;

/// Few bytes that put more values on the stack at once than Lightbeam takes.
fn refused() -> String {
    let (results, constants) = ("i32 ".repeat(900), "i32.const 1 ".repeat(900));
    let calls = "call $many ".repeat(80);
    format!(
        r#"(module
            (func $many (result {results}) {constants})
            (func (export "run") (result i32) {calls} i32.const 42 return))"#
    )
}

/// How often the source was asked, and for how many of these it had something.
#[derive(Default)]
struct Asked {
    all: AtomicUsize,
    had: AtomicUsize,
}

impl Asked {
    fn counts(&self) -> (usize, usize) {
        (self.all.load(Relaxed), self.had.load(Relaxed))
    }
}

/// As README.md has it, but for the counts.
fn engine() -> Result<(Engine, Compiler, Arc<Asked>)> {
    let mut config = Config::new();
    let compiler = Compiler::for_engine(&Engine::new(&config)?)?;
    let beside = compiler.clone();
    let asked = Arc::new(Asked::default());
    let counted = asked.clone();
    // SAFETY: Lightbeam's artifacts are trusted.
    unsafe {
        config.artifact_source(move |_, wasm| {
            counted.all.fetch_add(1, Relaxed);
            let compiled = match wasm.get(4..8) {
                Some([_, _, 1, 0]) => compiler.precompile_component(wasm),
                _ => compiler.precompile(wasm),
            };
            match compiled {
                Ok(artifact) => {
                    counted.had.fetch_add(1, Relaxed);
                    Ok(Some(artifact))
                }
                Err(error) => match error.downcast_ref::<Error>().map(Error::kind) {
                    Some(ErrorKind::Unsupported | ErrorKind::TooLarge) => Ok(None),
                    _ => Err(error),
                },
            }
        });
    }
    Ok((Engine::new(&config)?, beside, asked))
}

fn run(engine: &Engine, module: &Module) -> Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[])?;
    instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())
}

#[test]
fn modules() -> Result<()> {
    let (engine, compiler, asked) = engine()?;
    let expected = compiler.precompile(MODULE)?;
    let module = Module::new(&engine, MODULE)?;
    assert_eq!(run(&engine, &module)?, 42);
    assert!(module.serialize()? == expected, "it is Lightbeam's");
    assert!(engine.precompile_module(MODULE.as_bytes())? == expected);
    let mut builder = CodeBuilder::new(&engine);
    builder.wasm_binary_or_text(MODULE.as_bytes(), None)?;
    assert_eq!(run(&engine, &builder.compile_module()?)?, 42);
    assert!(builder.compile_module_serialized()? == expected);
    assert_eq!(asked.counts(), (4, 4));
    Ok(())
}

#[test]
fn components() -> Result<()> {
    let (engine, compiler, asked) = engine()?;
    let text = r#"(component
        (core module $m (func (export "run") (result i32) i32.const 42))
        (core instance $i (instantiate $m))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;
    let component = Component::new(&engine, text)?;
    assert!(component.serialize()? == compiler.precompile_component(text)?, "it is Lightbeam's");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    assert_eq!(instance.get_typed_func::<(), (u32,)>(&mut store, "run")?.call(&mut store, ())?, (42,));
    assert_eq!(asked.counts(), (1, 1));
    Ok(())
}

#[test]
fn refused_modules_are_the_engines_own() -> Result<()> {
    let (engine, _, asked) = engine()?;
    let module = Module::new(&engine, refused())?;
    assert_eq!(run(&engine, &module)?, 42);
    assert_eq!(asked.counts(), (1, 0));
    Ok(())
}

#[test]
fn invalid_modules_are_errors() -> Result<()> {
    let (engine, _, asked) = engine()?;
    let error = Module::new(&engine, "(module (func (result i32)))").unwrap_err();
    assert_eq!(error.downcast_ref::<Error>().map(Error::kind), Some(ErrorKind::Invalid), "{error:?}");
    assert_eq!(asked.counts(), (1, 0));
    Ok(())
}
