//! Components that arrive in chunks: artifacts and errors are those of a component that is there as a whole.

use lightbeam::{Compiler, Error, ErrorKind};
use wasmtime::Config;

/// Two modules, the second with data that is put in place as it comes, an adapter between two components, resources
/// and custom sections.
fn component() -> Vec<u8> {
    let functions: String =
        (0..300).map(|i| format!("(func (param i32) (result i32) local.get 0 i32.const {i} i32.add)")).collect();
    let text = format!(
        r#"(component
            (core module $first (type (func (param f64))) {functions}
                (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
                (memory 1) (data (i32.const 8) "short"))
            (component $inner
                (type $r (resource (rep i32)))
                (core module $m
                    (type (func (param i64) (result i64)))
                    (memory (export "memory") 3)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                    (func (export "take") (param i32 i32) (result i32) local.get 1)
                    (data (i32.const 0) "{data}"))
                (core instance $i (instantiate $m))
                (func (export "take") (param "x" string) (result u32)
                    (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
            (component $outer
                (import "take" (func $take (param "x" string) (result u32)))
                (core module $libc
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64))
                (core instance $libc (instantiate $libc))
                (core func $take (canon lower (func $take) (memory (core memory $libc "memory"))
                    (realloc (core func $libc "realloc"))))
                (core module $m (import "" "take" (func $take (param i32 i32) (result i32)))
                    (func (export "go") (result i32) (call $take (i32.const 0) (i32.const 7))))
                (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
                (func (export "go") (result u32) (canon lift (core func $i "go"))))
            (instance $inner (instantiate $inner))
            (instance $outer (instantiate $outer (with "take" (func $inner "take"))))
            (core instance $first (instantiate $first))
            (func (export "add") (param "a" u32) (param "b" u32) (result u32)
                (canon lift (core func $first "add")))
            (export "go" (func $outer "go")))"#,
        data = "0123456789abcdef".repeat(5000),
    );
    wat::parse_str(text).unwrap()
}

fn streamed(compiler: &Compiler, wasm: &[u8], chunk: usize) -> wasmtime_environ::error::Result<Vec<u8>> {
    let mut stream = compiler.component_stream();
    for bytes in wasm.chunks(chunk) {
        stream.push(bytes)?;
    }
    stream.finish_artifact()
}

#[test]
fn chunks_do_not_show_in_the_artifact() {
    let wasm = component();
    for threads in [1, 2] {
        let compiler = Compiler::new(&Config::new()).unwrap().threads(threads).batch(500);
        let whole = compiler.precompile_component(&wasm).unwrap();
        for chunk in [1, 100, 70_000, wasm.len()] {
            assert!(streamed(&compiler, &wasm, chunk).unwrap() == whole, "by {chunk} on {threads} threads");
        }
        let component = compiler.component(&wasm).unwrap();
        let mut store = wasmtime::Store::new(compiler.engine(), ());
        let linker = wasmtime::component::Linker::new(compiler.engine());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let go = instance.get_typed_func::<(), (u32,)>(&mut store, "go").unwrap();
        assert_eq!(go.call(&mut store, ()).unwrap(), (7,));
    }
}

#[test]
fn what_is_refused_is_where_it_is_in_the_component() {
    let mut config = Config::new();
    config.wasm_stack_switching(true).wasm_function_references(true).wasm_gc(true).wasm_exceptions(true);
    let compiler = Compiler::new(&config).unwrap().verify(false);
    let refused = "(core module (type $f (func)) (type $c (cont $f)) (type (struct (field (ref null $c)))))";
    let error = |error: wasmtime_environ::error::Error| error.downcast::<Error>().unwrap();
    // Behind a module that is as it should be, and behind one with a body that is not.
    for (before, kind) in [("", ErrorKind::Unsupported), ("drop", ErrorKind::Invalid)] {
        let ahead = format!("(core module (func {before}))");
        let wasm = wat::parse_str(format!("(component {ahead} {refused})")).unwrap();
        let behind = wat::parse_str(format!("(component {ahead})")).unwrap().len();
        let whole = compiler.precompile_component(&wasm).map_err(error).unwrap_err();
        assert_eq!(whole.kind(), kind);
        assert_eq!(whole.offset().unwrap() > behind, before.is_empty(), "{whole}");
        for chunk in [7, wasm.len()] {
            assert_eq!(streamed(&compiler, &wasm, chunk).map_err(error).unwrap_err(), whole);
        }
    }
}

#[test]
fn shared_types_are_refused_in_components_as_they_are_in_modules() {
    let mut config = Config::new();
    config.wasm_shared_everything_threads(true).wasm_gc(true).wasm_function_references(true);
    let compiler = Compiler::new(&config).unwrap().verify(false);
    for fields in [
        r#"(type $s (shared (func))) (import "" "" (func (type $s)))"#,
        "(type $s (shared (struct (field i32)))) (func (param (ref null $s)))",
        r#"(import "" "" (table 1 (ref null (shared func))))"#,
        r#"(import "" "" (global (ref null (shared extern))))"#,
    ] {
        let error = |error: wasmtime_environ::error::Error| error.downcast::<Error>().unwrap();
        let module = compiler.precompile(format!("(module {fields})")).map_err(error).unwrap_err();
        let text = format!("(component (core module {fields}))");
        let of_component = compiler.precompile_component(text).map_err(error).unwrap_err();
        assert_eq!((of_component.kind(), of_component.message()), (module.kind(), module.message()), "{fields}");
        assert!(of_component.offset() > module.offset(), "{fields}");
    }
}

/// A number in as few bytes as it takes.
fn leb128(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// One type in another, again and again, in the binary format: each is one more.
fn nested_types(levels: usize) -> Vec<u8> {
    let types = [&[1], [0x42, 1, 1].repeat(levels).as_slice(), &[0x42, 0]].concat();
    [b"\0asm\x0d\0\x01\0\x07", leb128(types.len() as u32).as_slice(), &types].concat()
}

/// How each of a chain is made of the one before it, `$BEFORE`.
const INSTANCES: &str = r#"(instance $NEXT (export "a" (instance $BEFORE)))"#;
const INSTANCE_TYPES: &str =
    r#"(type $NEXT (instance (alias outer 1 $BEFORE (type)) (export "a" (instance (type 0)))))"#;

fn chain(levels: usize, link: &str) -> Vec<u8> {
    let link = |i: usize| link.replace("BEFORE", &format!("i{i}")).replace("NEXT", &format!("i{}", i + 1));
    let first = if link(0).starts_with("(type") { "(type $i0 (instance))" } else { "(instance $i0)" };
    wat::parse_str(format!("(component {first} {})", (0..levels).map(link).collect::<String>())).unwrap()
}

#[test]
fn what_would_use_up_the_stack_or_memory_is_an_error() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let module = [1, 8, 0, b'a', b's', b'm', 1, 0, 0, 0];
    let modules = |count: usize| {
        // No component has more than a thousand of its own.
        let part = [b"\0asm\x0d\0\x01\0", module.repeat(600).as_slice()].concat();
        let nested = [&[4], leb128(part.len() as u32).as_slice(), &part].concat();
        [b"\0asm\x0d\0\x01\0", nested.as_slice(), &module.repeat(count - 601)].concat()
    };
    for (fits, wasm) in [
        (true, nested_types(60)),
        (false, nested_types(101)),
        (false, nested_types(100_000)),
        (true, chain(20, INSTANCE_TYPES)),
        (false, chain(200, INSTANCE_TYPES)),
        (true, chain(20, INSTANCES)),
        (false, chain(200, INSTANCES)),
        (true, modules(1000)),
        (false, modules(1001)),
    ] {
        let whole = compiler.precompile_component(&wasm).map_err(|error| error.downcast::<Error>().unwrap());
        assert_eq!(whole.as_ref().err().map(Error::kind), (!fits).then_some(ErrorKind::TooLarge));
        let streamed = streamed(&compiler, &wasm, 999).map_err(|error| error.downcast::<Error>().unwrap());
        assert!(streamed == whole);
    }
}

#[test]
fn the_first_error_in_the_order_of_the_bytes_comes() {
    let wasm = component();
    let compiler = Compiler::new(&Config::new()).unwrap().verify(false).batch(500);
    let error = |error: wasmtime_environ::error::Error| error.downcast::<Error>().unwrap();
    let mut errors = 0;
    for at in (0..wasm.len()).filter(|at| at % 1997 == 0 || *at < 60 || wasm.len() - at < 1500 && at % 5 == 0) {
        let mut wrong = wasm.clone();
        wrong[at] ^= 0x41;
        let whole = compiler.precompile_component(&wrong).map(drop).map_err(error);
        for chunk in [13, 5000, wasm.len()] {
            assert_eq!(streamed(&compiler, &wrong, chunk).map(drop).map_err(error), whole, "byte {at} by {chunk}");
        }
        errors += usize::from(whole.is_err());
    }
    assert!(errors > 60, "{errors}");
    for end in (0..wasm.len()).step_by(1301) {
        let cut = compiler.precompile_component(&wasm[..end]).map(drop).map_err(error).unwrap_err();
        assert_eq!(streamed(&compiler, &wasm[..end], 64).map_err(error).unwrap_err(), cut, "up to {end}");
    }
}
