//! What errors say as data: the function, by number and name, and the place in a text.

mod common;

use lightbeam::{Error, ErrorKind};

fn error<T>(result: wasmtime::Result<T>) -> Error {
    result.map(drop).unwrap_err().downcast().unwrap()
}

const WRONG: &str = r#"(module
  (import "" "f" (func))
  (func $first)
  (func $second (param i32) (result i32)
    (i32.add
      (local.get 0)
      (i64.const 1))))"#;

#[test]
fn errors_name_the_function() {
    let compiler = common::compiler();
    let wasm = wat::parse_str(WRONG).unwrap();
    let found = error(compiler.module(&wasm));
    let function = found.function().unwrap();
    assert_eq!((function.module, function.index, function.name.as_deref()), (0, 2, Some("second")));
    let shown = found.to_string();
    assert!(shown.starts_with("wasm[0]::function[2]::second: type mismatch"), "{shown}");
    assert!(shown.contains("(at offset 0x"), "{shown}");
    // While it arrives the names are yet to come.
    let streamed = error(common::streamed(&compiler, &wasm, 7));
    assert_eq!(streamed, found);
    assert_eq!(streamed.function().unwrap().name, None);
    assert!(streamed.to_string().starts_with("wasm[0]::function[2]: type mismatch"), "{streamed}");

    let component = format!("(component (core module (func)) (core {})", &WRONG[1..]);
    let of_component = error(compiler.component(wat::parse_str(component).unwrap()));
    assert_eq!(of_component.function().unwrap().to_string(), "wasm[1]::function[2]::second");
    // What is in no function names none.
    assert_eq!(error(compiler.module("(module (import \"\" \"m\" (memory 9999999)))")).function(), None);
}

#[test]
fn what_is_too_large_names_it_too() {
    // More than a body of so few bytes may take, by blocks of a thousand results.
    let results = "i32 ".repeat(1000);
    let large = "(block (type $many) unreachable) ".repeat(500);
    let wat = format!("(module (type $many (func (result {results}))) (func) (func $large {large} unreachable))");
    let error = error(common::compiler().module(wat));
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert_eq!(error.function().map(ToString::to_string).as_deref(), Some("wasm[0]::function[1]::large"));
}

#[test]
fn errors_in_text_have_line_and_column() {
    let compiler = common::compiler();
    let syntax = error(compiler.module("(module\n  (func (i32.ad)))"));
    assert_eq!((syntax.position(), syntax.offset(), syntax.kind()), (Some((2, 10)), None, ErrorKind::Invalid));
    assert!(syntax.to_string().ends_with("(at line 2, column 10)"), "{syntax}");
    let invalid = error(compiler.module(WRONG));
    assert_eq!(invalid.position(), Some((5, 6)));
    assert!(invalid.to_string().contains("(at line 5, column 6; at offset 0x"), "{invalid}");
    let binary = error(compiler.module(wat::parse_str(WRONG).unwrap()));
    assert_eq!((binary.position(), binary.offset()), (None, invalid.offset()));
    let mut stream = compiler.stream();
    WRONG.as_bytes().chunks(9).for_each(|chunk| assert!(stream.push(chunk).is_ok()));
    assert_eq!(error(stream.finish()), invalid);
    assert_eq!(error(compiler.component(format!("(component (core {})", &WRONG[1..]))).position(), Some((5, 6)));
}

#[test]
fn text_is_taken_only_where_it_may_be() {
    let compiler = common::compiler().text(false);
    let refused = |error: Error| {
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Invalid, Some(0)));
        assert!(error.message().contains("binary format"), "{error}");
    };
    refused(error(compiler.module("(module)")));
    refused(error(compiler.precompile("(module)")));
    refused(error(compiler.component("(component)")));
    refused(error(compiler.read(&b"(module)"[..])));
    refused(error(compiler.read_component(&b"(component)"[..])));
    refused(error(compiler.stream().push(b"(")));
    refused(error(compiler.module_stream().push(b"\0as(")));
    refused(error(compiler.component_stream().push(b"hello")));
    let mut stream = compiler.module_stream();
    refused(error(stream.push(b"(")));
    refused(error(stream.push(b"\0asm")));
    let artifact = compiler.precompile(b"\0asm\x01\0\0\0").unwrap();
    refused(error(compiler.verify_artifact(&artifact, "(module)")));
    assert!(error(compiler.module(&artifact)).message().contains("given an artifact"));
}
