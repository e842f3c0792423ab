//! What Wasmtime's translation of components panics at, or makes invalid code of, is refused by name: whole and in
//! chunks by the same error. What adapters need is theirs, whatever the engine has switched off.

use lightbeam::{Compiler, Error, ErrorKind};
use wasmtime::{Config, Result};

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    change(&mut config);
    config
}

/// The error of a component, which is the same in any chunks.
#[track_caller]
fn error(config: &Config, text: &str) -> Error {
    let compiler = Compiler::new(config).unwrap();
    let wasm = wat::parse_str(text).unwrap();
    let error = |result: Result<Vec<u8>>| result.unwrap_err().downcast::<Error>().unwrap();
    let whole = error(compiler.precompile_component(&wasm));
    for chunk in [1, 50, wasm.len()] {
        let mut stream = compiler.component_stream();
        let pushed = wasm.chunks(chunk).try_for_each(|chunk| stream.push(chunk).map(drop));
        assert_eq!(error(pushed.and_then(|()| stream.finish_artifact())), whole, "in chunks of {chunk}");
    }
    whole
}

#[track_caller]
fn refused(config: &Config, text: &str, word: &str) {
    let error = error(config, text);
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.message().contains(word), "{error}");
}

#[test]
fn modules_with_tables_and_globals_of_their_own_types_stay_inside() {
    let config = config(|config| {
        config.wasm_gc(true).wasm_function_references(true);
    });
    let word = "with tables or globals of types that they define";
    let ty = r#"(type (func)) (import "" "t" (table 1 (ref null 0)))"#;
    refused(&config, &format!(r#"(component (import "m" (core module {ty})))"#), word);
    refused(&config, &format!(r#"(component (type (instance (export "m" (core module {ty})))))"#), word);
    refused(&config, &format!(r#"(component (type (component (import "m" (core module {ty})))))"#), word);
    let global = r#"(type $f (func)) (global (export "g") (ref null $f) (ref.null $f))"#;
    refused(&config, &format!(r#"(component (core module $m {global}) (export "m" (core module $m)))"#), word);
    refused(
        &config,
        &format!(r#"(component (core module $m {global}) (instance (export "m" (core module $m))))"#),
        word,
    );
    let compiler = Compiler::new(&config).unwrap();
    for inside in [
        format!(r#"(component (core module $m {global}) (core instance (instantiate $m)))"#),
        r#"(component (core module $m (type $f (func)) (table 1 (ref null $f))) (export "m" (core module $m)))"#.into(),
    ] {
        compiler.component(inside).unwrap();
    }
}

#[test]
fn shared_types_are_refused_wherever_they_are() {
    let config = config(|config| {
        config.wasm_shared_everything_threads(true).wasm_gc(true).wasm_function_references(true).wasm_threads(true);
    });
    let word = "shared-everything threads";
    refused(&config, "(component (core type (shared (func))))", word);
    refused(&config, "(component (core type (module (type (shared (func))))))", word);
    refused(&config, "(component (core module (type (shared (func)))))", word);
    refused(&config, "(component (component (core module (type (shared (struct))) (func))))", word);
}

#[test]
fn values_longer_than_a_memory_are_too_large() {
    let config = config(|config| {
        config.wasm_component_model_fixed_length_lists(true);
    });
    let list = "(type $l (list u64 1000000000))";
    for text in [
        format!("(component {list})"),
        format!("(component (type $l (list u64 100000000)) (type (record (field \"a\" $l) (field \"b\" $l))))"),
        "(component (type $l (list u8 100000000)) (type (list $l 100)))".into(),
        "(component (type $l (list u8 100000000)) (type (option (tuple $l $l $l $l $l $l $l $l $l $l $l))))".into(),
    ] {
        let error = error(&config, &text);
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        let words = "bytes, more than 1073741824";
        assert!(include_str!("../../docs/guarantees.md").contains(words));
        assert!(error.message().ends_with(words) && error.offset().is_some(), "{error}");
    }
    Compiler::new(&config).unwrap().component("(component (type (list u64 100000)))").unwrap();
}

#[test]
fn what_the_translation_does_not_know_is_unsupported() {
    let config = config(|config| {
        config.wasm_component_model_gc(true).wasm_gc(true).wasm_function_references(true);
    });
    refused(&config, "(component (import \"c\" (component)))", "root-level component imports");
    refused(&config, "(component (component $c) (export \"c\" (component $c)))", "exporting a component");
    refused(
        &config,
        "(component (import \"f\" (func $f)) (export \"g\" (func $f)))",
        "reexport of an imported function",
    );
    let text = r#"(component
        (core module $m (func (export "f") (param i32)))
        (core instance $i (instantiate $m))
        (func (param "a" u32) (canon lift (core func $i "f") gc)))"#;
    refused(&config, text, "objects of the collector");
}

/// Two components with a function of a string between them, with memories of 64 bits or 32.
fn asynchronous(from: &str, to: &str) -> String {
    let pointer = |memory: &str| if memory == "i64" { "i64" } else { "i32" };
    let libc = |memory: &str| {
        let p = pointer(memory);
        format!(
            r#"(core module $libc (memory (export "m") {memory} 1)
                (func (export "r") (param {p} {p} {p} {p}) (result {p}) {p}.const 64))
            (core instance $libc (instantiate $libc))"#
        )
    };
    let (p, q) = (pointer(to), pointer(from));
    format!(
        r#"(component
            (component $a {}
                (core func $ret (canon task.return (result string) (memory (core memory $libc "m"))))
                (core module $m (import "" "ret" (func $ret (param {p} {p})))
                    (func (export "f") (param {p} {p}) (result i32) (call $ret (local.get 0) (local.get 1)) i32.const 0)
                    (func (export "c") (param i32 i32 i32) (result i32) i32.const 0))
                (core instance $i (instantiate $m (with "" (instance (export "ret" (func $ret))))))
                (func (export "f") async (param "a" string) (result string) (canon lift (core func $i "f") async
                    (callback (core func $i "c")) (memory (core memory $libc "m")) (realloc (core func $libc "r")))))
            (component $b {}
                (import "f" (func $f async (param "a" string) (result string)))
                (core func $f (canon lower (func $f) async (memory (core memory $libc "m"))
                    (realloc (core func $libc "r"))))
                (core module $m (import "" "f" (func (param {q} {q} i32) (result i32))))
                (core instance (instantiate $m (with "" (instance (export "f" (func $f)))))))
            (instance $a (instantiate $a))
            (instance (instantiate $b (with "f" (func $a "f")))))"#,
        libc(to),
        libc(from)
    )
}

/// Wasmtime 48 panics where it writes them for memories of 64 bits.
#[test]
fn asynchronous_adapters_of_long_memories_are_refused() {
    let config = config(|config| {
        config.wasm_memory64(true).wasm_component_model_memory64(true);
    });
    let compiler = Compiler::new(&config).unwrap();
    compiler.component(asynchronous("", "")).unwrap();
    for (from, to) in [("i64", ""), ("", "i64"), ("i64", "i64")] {
        refused(&config, &asynchronous(from, to), "asynchronous adapters to or from memories of 64 bits");
    }
}

/// An adapter has two memories, and results of several values.
#[test]
fn adapters_have_the_features_that_they_need() {
    type Switch = fn(&mut Config, bool) -> &mut Config;
    let off: [&[Switch]; 3] = [
        &[Config::wasm_multi_memory],
        &[Config::wasm_multi_value],
        &[Config::wasm_gc, Config::wasm_function_references, Config::wasm_reference_types, Config::wasm_bulk_memory],
    ];
    let text = r#"(component
        (component $a
            (core module $m (memory (export "m") 1)
                (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 64)
                (func (export "f") (param i32 i32) (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func (export "f") (param "a" string) (result string) (canon lift (core func $i "f")
                (memory (core memory $i "m")) (realloc (core func $i "r")))))
        (component $b
            (import "f" (func $f (param "a" string) (result string)))
            (core module $libc (memory (export "m") 1)
                (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 64))
            (core instance $libc (instantiate $libc))
            (core func $f (canon lower (func $f) (memory (core memory $libc "m")) (realloc (core func $libc "r"))))
            (core module $m (import "" "f" (func $f (param i32 i32 i32)))
                (func (export "go") (call $f (i32.const 0) (i32.const 0) (i32.const 16))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "go") (canon lift (core func $i "go"))))
        (instance $a (instantiate $a))
        (instance $b (instantiate $b (with "f" (func $a "f"))))
        (export "go" (func $b "go")))"#;
    for switches in off {
        let mut config = Config::new();
        config.wasm_simd(false).wasm_relaxed_simd(false);
        for switch in switches {
            switch(&mut config, false);
        }
        let compiler = Compiler::new(&config).unwrap();
        let component = compiler.component(text).unwrap();
        let mut store = wasmtime::Store::new(compiler.engine(), ());
        let linker = wasmtime::component::Linker::new(compiler.engine());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let go = instance.get_typed_func::<(), ()>(&mut store, "go").unwrap();
        go.call(&mut store, ()).unwrap();
    }
}

/// Between memories of both kinds, by values and by pointers to them.
#[test]
fn other_adapters_are_between_memories_of_any_length() {
    let config = config(|config| {
        config.wasm_memory64(true).wasm_component_model_memory64(true);
    });
    let compiler = Compiler::new(&config).unwrap();
    for (from, to) in [("", ""), ("i64", ""), ("", "i64"), ("i64", "i64")] {
        for count in [1, 9] {
            let pointer = |memory: &str| if memory == "i64" { "i64" } else { "i32" };
            let libc = |memory: &str| {
                let p = pointer(memory);
                format!(
                    r#"(core module $libc (memory (export "m") {memory} 1)
                        (func (export "r") (param {p} {p} {p} {p}) (result {p}) {p}.const 64))
                    (core instance $libc (instantiate $libc))"#
                )
            };
            let params: String = (0..count).map(|i| format!("(param \"a{i}\" (list string))")).collect();
            let flat = |p: &str| if count == 1 { format!("{p} {p}") } else { p.to_string() };
            let (p, q) = (pointer(to), pointer(from));
            let options = r#"(memory (core memory $libc "m")) (realloc (core func $libc "r"))"#;
            let text = format!(
                r#"(component
                    (component $a {} (core module $m
                            (func (export "f") (param {}) (result {p}) {p}.const 0))
                        (core instance $i (instantiate $m))
                        (func (export "f") {params} (result string) (canon lift (core func $i "f") {options})))
                    (component $b {} (import "f" (func $f {params} (result string)))
                        (core func $f (canon lower (func $f) {options}))
                        (core module $m (import "" "f" (func (param {} {q}))))
                        (core instance (instantiate $m (with "" (instance (export "f" (func $f)))))))
                    (instance $a (instantiate $a))
                    (instance (instantiate $b (with "f" (func $a "f")))))"#,
                libc(to),
                flat(p),
                libc(from),
                flat(q)
            );
            compiler.component(&text).unwrap_or_else(|error| panic!("{from} to {to}, {count}: {error}"));
        }
    }
}
