//! Modules and components have ways in of their own, and one that takes either; what comes by the wrong one is refused
//! with the name of the right one.

use lightbeam::{Compiled, Compiler, Error, ErrorKind, Progress};
use wasmtime::{Config, Result};

const MODULE: &str = r#"(module (func (export "f") (result i32) i32.const 7))"#;
const COMPONENT: &str = r#"(component
    (core module $m (func (export "f") (result i32) i32.const 7))
    (core instance $i (instantiate $m))
    (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;

fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap()
}

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn error<T>(result: Result<T>) -> Error {
    result.map(drop).unwrap_err().downcast::<Error>().unwrap()
}

/// Pushes all in chunks.
fn push(mut push: impl FnMut(&[u8]) -> Result<Progress>, bytes: &[u8], chunk: usize) -> Result<()> {
    bytes.chunks(chunk).try_for_each(|chunk| push(chunk).map(drop))
}

#[test]
fn what_comes_by_the_wrong_way_is_told_the_right_one() {
    let compiler = compiler();
    for component in [COMPONENT.as_bytes().to_vec(), binary(COMPONENT)] {
        let by_stream = |chunk| {
            let mut stream = compiler.module_stream();
            push(|chunk| stream.push(chunk), &component, chunk)?;
            stream.finish_artifact()
        };
        let mut refused = vec![
            error(compiler.module(&component)),
            error(compiler.module_timed(&component)),
            error(compiler.precompile(&component)),
            error(compiler.precompile_timed(&component)),
            error(compiler.read(&component[..])),
            error(by_stream(1)),
            error(by_stream(1000)),
        ];
        if component.starts_with(b"\0asm") {
            refused.push(error(compiler.module_from_binary(&component)));
        }
        for error in refused {
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Invalid, Some(0)), "{error}");
            for word in ["given a component", "`Compiler::component`", "`component_stream`"] {
                assert!(error.message().contains(word), "{error}");
            }
        }
    }
    for module in [MODULE.as_bytes().to_vec(), binary(MODULE)] {
        let by_stream = |chunk| {
            let mut stream = compiler.component_stream();
            push(|chunk| stream.push(chunk), &module, chunk)?;
            stream.finish_artifact()
        };
        let mut refused = vec![
            error(compiler.component(&module)),
            error(compiler.component_timed(&module)),
            error(compiler.precompile_component(&module)),
            error(compiler.precompile_component_timed(&module)),
            error(compiler.read_component(&module[..])),
            error(by_stream(1)),
            error(by_stream(1000)),
        ];
        if module.starts_with(b"\0asm") {
            refused.push(error(compiler.component_from_binary(&module)));
        }
        for error in refused {
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Invalid, Some(0)), "{error}");
            for word in ["given a core module", "`Compiler::module`", "`module_stream`"] {
                assert!(error.message().contains(word), "{error}");
            }
        }
    }
}

#[test]
fn a_stream_of_either_knows_by_the_first_bytes() {
    let compiler = compiler();
    for (text, component) in [(MODULE, false), (COMPONENT, true)] {
        let whole = if component { compiler.precompile_component(text) } else { compiler.precompile(text) }.unwrap();
        for bytes in [text.as_bytes().to_vec(), binary(text)] {
            for chunk in [1, 7, 9, 1000] {
                let begin = || {
                    let mut stream = compiler.stream();
                    push(|chunk| stream.push(chunk), &bytes, chunk).unwrap();
                    assert_eq!(stream.push(&[]).unwrap().bytes, bytes.len());
                    stream
                };
                assert!(begin().finish_artifact().unwrap() == whole, "in chunks of {chunk}");
                match begin().finish().unwrap() {
                    Compiled::Module(module) => assert!(!component && module.get_export("f").is_some()),
                    Compiled::Component(loaded) => assert!(component && loaded.get_export_index(None, "f").is_some()),
                }
                let (compiled, report) = begin().finish_timed().unwrap();
                assert_eq!(report.functions, 1);
                assert_eq!(
                    (compiled.clone().component().is_some(), compiled.module().is_some()),
                    (component, !component)
                );
            }
        }
        // The binary cut short within what tells which it is, and behind.
        for end in 0..binary(text).len() {
            let cut = &binary(text)[..end];
            let mut stream = compiler.stream();
            let result = push(|chunk| stream.push(chunk), cut, 3).and_then(|()| stream.finish_artifact());
            match end {
                // Cut where a section ends, a module may be whole.
                8.. if result.is_ok() => {}
                _ => assert_eq!(error(result).kind(), ErrorKind::Invalid, "up to {end}"),
            }
        }
    }
}

#[test]
fn streams_own_what_they_need() {
    let mut streams = Vec::new();
    {
        let compiler = compiler();
        let (mut module, mut component, mut either) =
            (compiler.module_stream(), compiler.component_stream(), compiler.stream());
        module.push(&binary(MODULE)).unwrap();
        component.push(&binary(COMPONENT)).unwrap();
        either.push(&binary(COMPONENT)).unwrap();
        streams.push(std::thread::spawn(move || module.finish().map(drop)));
        streams.push(std::thread::spawn(move || component.finish().map(drop)));
        streams.push(std::thread::spawn(move || either.finish().map(drop)));
    }
    for stream in streams {
        stream.join().unwrap().unwrap();
    }
}

#[test]
fn settings_of_a_clone_are_its_own() {
    let compiler = compiler().threads(3);
    let clone = compiler.clone().threads(2);
    assert!(format!("{compiler:?}").contains("threads: 3,") && format!("{clone:?}").contains("threads: 2,"));
}

#[test]
fn text_is_no_binary_and_an_artifact_neither() {
    let compiler = compiler();
    for bytes in [MODULE.as_bytes(), COMPONENT.as_bytes(), b"", b"\0as", b"garbage"] {
        for (error, takes) in [
            (error(compiler.module_from_binary(bytes)), "`Compiler::module` takes text"),
            (error(compiler.component_from_binary(bytes)), "`Compiler::component` takes text"),
        ] {
            assert_eq!((error.kind(), error.offset()), (ErrorKind::Invalid, Some(0)), "{error}");
            assert!(error.message().contains(takes), "{error}");
        }
    }
    let artifact = compiler.precompile(MODULE).unwrap();
    let mut stream = compiler.stream();
    stream.push(&artifact).unwrap();
    for error in [
        error(compiler.module(&artifact)),
        error(compiler.component(&artifact)),
        error(compiler.read(&artifact[..])),
        error(compiler.read_component(&artifact[..])),
        error(stream.finish()),
    ] {
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Invalid, Some(0)), "{error}");
        assert!(error.message().contains("given an artifact"), "{error}");
    }
}

/// An import of Wasmtime's unsafe intrinsics is one of the host's like any other, unless the compiler was told.
#[test]
fn unsafe_intrinsics_are_there_if_they_are_asked_for() {
    let text = r#"(component
        (import "intrinsics" (instance $i (export "u32-native-load" (func (param "pointer" u64) (result u32)))))
        (core func $load (canon lower (func $i "u32-native-load")))
        (core module $m (import "" "load" (func $load (param i64) (result i32)))
            (func (export "f") (param i64) (result i32) (call $load (local.get 0))))
        (core instance $n (instantiate $m (with "" (instance (export "load" (func $load))))))
        (func (export "f") (param "a" u64) (result u32) (canon lift (core func $n "f"))))"#;
    let compiler = compiler();
    let run = |component: &wasmtime::component::Component| -> Result<u32> {
        let mut store = wasmtime::Store::new(compiler.engine(), ());
        let linker = wasmtime::component::Linker::new(compiler.engine());
        let instance = linker.instantiate(&mut store, component)?;
        let f = instance.get_typed_func::<(u64,), (u32,)>(&mut store, "f")?;
        let word = Box::new(0x1234_5678u32);
        Ok(f.call(&mut store, (&raw const *word as u64,))?.0)
    };
    assert!(run(&compiler.component(text).unwrap()).is_err(), "nobody gives it");
    // SAFETY: it reads the word that it is given the address of.
    let trusting = unsafe { compiler.clone().expose_unsafe_intrinsics("intrinsics") };
    assert_eq!(run(&trusting.component(text).unwrap()).unwrap(), 0x1234_5678);
    let mut stream = trusting.component_stream();
    push(|chunk| stream.push(chunk), &binary(text), 11).unwrap();
    assert_eq!(run(&stream.finish().unwrap()).unwrap(), 0x1234_5678);
}
