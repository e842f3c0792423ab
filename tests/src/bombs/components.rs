//! Bombs of components: what is linear to describe and is more than linear to validate, translate, link or load, if
//! nobody looks.

use super::Bomb;
use std::fmt::Write;

/// Families of components that are compiled.
pub const COMPONENTS: &[Bomb] = &[
    Bomb { name: "core instances", make: core_instances, n: 400 },
    Bomb { name: "equal modules", make: equal_modules, n: 32 },
    Bomb { name: "modules that are not instantiated", make: idle_modules, n: 32 },
    Bomb { name: "lifted functions", make: lifted, n: 1_000 },
    Bomb { name: "lowered functions of the host", make: lowered, n: 400 },
    Bomb { name: "lifted functions of other types each", make: signatures, n: 300 },
    Bomb { name: "aliases of one function", make: aliases, n: 1_000 },
    Bomb { name: "types", make: types, n: 1_000 },
    Bomb { name: "mentions of a type of 1,000 parts", make: |n| mentions(10, n), n: 80 },
    Bomb { name: "functions of strings between components", make: |n| adapters(n, "string"), n: 40 },
    Bomb { name: "functions of numbers between components", make: |n| adapters(n, "u32"), n: 200 },
    Bomb { name: "functions of lists between components", make: |n| adapters(n, "(list (tuple u8 u64))"), n: 60 },
    Bomb { name: "fields of a record between components", make: fields, n: 600 },
    Bomb { name: "cases of a variant between components", make: cases, n: 300 },
    Bomb { name: "cases of an enumeration between components", make: enumeration, n: 800 },
    Bomb { name: "components that pass on a function", make: |n| chain(n, "string"), n: 40 },
    Bomb { name: "resources", make: resources, n: 200 },
    Bomb { name: "nested components", make: nested, n: 60 },
    Bomb { name: "instances of one component", make: |n| instances(n, 4), n: 200 },
    Bomb { name: "nested instances", make: nested_instances, n: 40 },
    Bomb { name: "long names", make: long_names, n: 400 },
    Bomb { name: "exports", make: exports, n: 1_000 },
    Bomb { name: "imported instances", make: imported_instances, n: 200 },
    Bomb { name: "streams", make: streams, n: 200 },
    Bomb { name: "asynchronous functions", make: asynchronous, n: 200 },
    Bomb { name: "custom sections of a component", make: custom_sections, n: 2_000 },
];

/// Families of components that ask for more than is in proportion to their bytes, and are refused.
pub const COMPONENTS_OUT_OF_PROPORTION: &[Bomb] = &[
    Bomb { name: "instances: each component has the one before twice", make: doubling_instances, n: 40 },
    Bomb { name: "instances: 900 of a component of 900", make: |n| instances(n, n), n: 900 },
    Bomb { name: "closures: each component closes over the one before twice", make: doubling_closures, n: 60 },
    Bomb { name: "parts: each instance has the one before twice", make: doubling_bundles, n: 40 },
    Bomb { name: "parts: a type of 250,000 parts and 100 mentions", make: |n| mentions(18, n), n: 100 },
    Bomb { name: "definitions: 900 modules in each of 20 components", make: many_modules, n: 20 },
    Bomb { name: "declarations: nested 100,000 deep", make: |n| nested_declarations(n, false), n: 100_000 },
    Bomb { name: "declarations: of components", make: |n| nested_declarations(n, true), n: 100_000 },
    Bomb { name: "levels: an instance in an instance in an instance", make: nested_instances, n: 4_000 },
    Bomb { name: "closing: a chain of 500", make: chain_of_closures, n: 500 },
    Bomb { name: "memories: a chain of 110", make: |n| chain(n, "string"), n: 110 },
    Bomb { name: "chained: adapters of adapters", make: adapters_of_adapters, n: 300 },
    Bomb { name: "parts: a record of 4,000 fields is passed on 90 times", make: chain_of_records, n: 90 },
    Bomb { name: "adapters: 30 functions of 400 strings each", make: adapters_of_strings, n: 30 },
];

fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is ours")
}

/// The text of a component.
fn component(fill: impl FnOnce(&mut String)) -> Vec<u8> {
    let mut text = String::from("(component ");
    fill(&mut text);
    text.push(')');
    binary(&text)
}

macro_rules! put {
    ($text:expr, $($arg:tt)*) => {
        write!($text, $($arg)*).expect("a string takes anything")
    };
}

fn core_instances(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(core module $m (func (export \"f\")))");
        (0..n).for_each(|_| put!(text, "(core instance (instantiate $m))"));
    })
}

fn equal_modules(n: usize) -> Vec<u8> {
    component(|text| {
        // When a module ends, the validator copies what it has of those before: modules of a few bytes would show it.
        let functions = "(func (param i32) (result i32) local.get 0)".repeat(60);
        for i in 0..n {
            put!(text, "(core module $m{i} (memory 1) (func (export \"f\")) {functions})");
            put!(text, "(core instance (instantiate $m{i}))");
        }
    })
}

fn idle_modules(n: usize) -> Vec<u8> {
    let functions = "(func (param i32) (result i32) local.get 0)".repeat(60);
    component(|text| (0..n).for_each(|_| put!(text, "(core module {functions} (data \"x\"))")))
}

/// A core module with a function, and so many functions of the component.
fn lifted(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m))");
        (0..n).for_each(|i| put!(text, "(func (export \"f{i}\") (canon lift (core func $i \"f\")))"));
    })
}

fn lowered(n: usize) -> Vec<u8> {
    component(|text| {
        (0..n).for_each(|i| put!(text, "(import \"f{i}\" (func $f{i} (param \"a\" u32)))"));
        (0..n).for_each(|i| put!(text, "(core func $c{i} (canon lower (func $f{i})))"));
        put!(text, "(core module $m ");
        (0..n).for_each(|i| put!(text, "(import \"\" \"f{i}\" (func (param i32)))"));
        put!(text, ") (core instance (instantiate $m (with \"\" (instance ");
        (0..n).for_each(|i| put!(text, "(export \"f{i}\" (func $c{i}))"));
        put!(text, "))))");
    })
}

/// Another list of parameters for each number.
fn parameters(mut number: usize) -> (String, String) {
    let (mut component, mut core) = (String::new(), String::new());
    for at in 0.. {
        if number == 0 {
            break;
        }
        let (ty, flat) = [("u32", "i32"), ("u64", "i64"), ("float32", "f32"), ("float64", "f64")][number % 4];
        put!(component, "(param \"p{at}\" {ty})");
        put!(core, "{flat} ");
        number /= 4;
    }
    (component, core)
}

fn signatures(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(core module $m ");
        (0..n).for_each(|i| put!(text, "(func (export \"f{i}\") (param {}))", parameters(i).1));
        put!(text, ") (core instance $i (instantiate $m))");
        for i in 0..n {
            put!(text, "(func (export \"f{i}\") {} (canon lift (core func $i \"f{i}\")))", parameters(i).0);
        }
    })
}

fn aliases(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(import \"i\" (instance $i (export \"f\" (func (param \"a\" string)))))");
        (0..n).for_each(|_| put!(text, "(alias export $i \"f\" (func))"));
    })
}

fn types(n: usize) -> Vec<u8> {
    component(|text| (0..n).for_each(|i| put!(text, "(type (record (field \"a{i}\" u8) (field \"b\" string)))")))
}

/// A type of 2 to the power of `levels` parts, and functions that mention it.
fn mentions(levels: usize, n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(type $t0 (tuple u8 u8))");
        (1..levels).for_each(|i| put!(text, "(type $t{i} (tuple $t{0} $t{0}))", i - 1));
        let last = levels - 1;
        (0..n).for_each(|i| put!(text, "(import \"f{i}\" (func (param \"a\" $t{last})))"));
    })
}

const LIBC: &str = r#"(core module $libc (memory (export "m") 1)
    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)) (core instance $libc (instantiate $libc))"#;

/// A component with functions of one type, and one that lowers them.
fn between(n: usize, types: &str, params: &str, flat: &str, encoding: &str) -> Vec<u8> {
    let options = r#"(memory (core memory $libc "m")) (realloc (core func $libc "r"))"#;
    component(|text| {
        put!(text, "(component $a {LIBC} {types} (core module $m ");
        (0..n).for_each(|i| put!(text, "(func (export \"f{i}\") (param {flat}))"));
        put!(text, ") (core instance $i (instantiate $m))");
        (0..n).for_each(|i| {
            put!(text, "(func (export \"f{i}\") {params} (canon lift (core func $i \"f{i}\") {options} {encoding}))")
        });
        put!(text, ") (instance $a (instantiate $a)) (component $b {LIBC} (import \"a\" (instance $a {types} ");
        (0..n).for_each(|i| put!(text, "(export \"f{i}\" (func {params}))"));
        put!(text, "))");
        (0..n).for_each(|i| put!(text, "(core func $f{i} (canon lower (func $a \"f{i}\") {options}))"));
        put!(text, "(core module $m ");
        (0..n).for_each(|i| put!(text, "(import \"\" \"f{i}\" (func (param {flat})))"));
        put!(text, ") (core instance (instantiate $m (with \"\" (instance ");
        (0..n).for_each(|i| put!(text, "(export \"f{i}\" (func $f{i}))"));
        put!(text, "))))) (instance (instantiate $b (with \"a\" (instance $a))))");
    })
}

fn adapters(n: usize, ty: &str) -> Vec<u8> {
    let flat = if ty == "u32" { "i32" } else { "i32 i32" };
    between(n, "", &format!("(param \"a\" {ty})"), flat, "")
}

/// Of 400 strings.
fn adapters_of_strings(n: usize) -> Vec<u8> {
    let params: String = (0..400).map(|i| format!("(param \"a{i}\" string)")).collect();
    between(n, &format!("(type $t (func {params}))"), "(type $t)", "i32", "string-encoding=latin1+utf16")
}

/// Two components with a type, exported as the one that has it must, and one function between them.
fn with_type(ty: &str) -> Vec<u8> {
    let options = r#"(memory (core memory $libc "m")) (realloc (core func $libc "r"))"#;
    component(|text| {
        put!(text, "(component $a (type $t' {ty}) (export $t \"t\" (type $t')) {LIBC}");
        put!(text, "(core module $m (func (export \"f\") (param i32 i32))) (core instance $i (instantiate $m))");
        put!(text, "(func (export \"f\") (param \"a\" (list $t)) (canon lift (core func $i \"f\") {options})))");
        put!(text, "(instance $a (instantiate $a)) (component $b {LIBC} (import \"a\" (instance $a (type $t' {ty})");
        put!(text, "(export \"t\" (type $t (eq $t'))) (export \"f\" (func (param \"a\" (list $t))))))");
        put!(text, "(core func $f (canon lower (func $a \"f\") {options}))");
        put!(text, "(core module $m (import \"\" \"f\" (func (param i32 i32))))");
        put!(text, "(core instance (instantiate $m (with \"\" (instance (export \"f\" (func $f)))))))");
        put!(text, "(instance (instantiate $b (with \"a\" (instance $a))))");
    })
}

fn fields(n: usize) -> Vec<u8> {
    let fields: String = (0..n).map(|i| format!("(field \"f{i}\" u16)")).collect();
    with_type(&format!("(record {fields})"))
}

fn cases(n: usize) -> Vec<u8> {
    let cases: String = (0..n).map(|i| format!("(case \"c{i}\" u32)")).collect();
    with_type(&format!("(variant {cases})"))
}

fn enumeration(n: usize) -> Vec<u8> {
    let names: String = (0..n).map(|i| format!("\"c{i}\" ")).collect();
    with_type(&format!("(enum {names})"))
}

/// Components of which each lowers the function of the one before and lifts one of its own that calls it.
fn passed_on(text: &mut String, n: usize, declared: &str, ty: &str, pointer: bool) {
    let memory = if pointer { "i32" } else { "i32 i32" };
    put!(
        text,
        r#"(component $first {LIBC} {declared}
            (core module $m (func (export "f") (param {memory}))) (core instance $i (instantiate $m))
            (func (export "f") (param "a" {ty}) (canon lift (core func $i "f")
                (memory (core memory $libc "m")) (realloc (core func $libc "r")))))
        (component $c {declared} (import "f" (func $f (param "a" {ty}))) {LIBC}
            (core func $f (canon lower (func $f) (memory (core memory $libc "m"))))
            (core module $m (import "" "f" (func $f (param {memory})))
                (func (export "f") (param {memory}) {gets} (call $f)))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "f") (param "a" {ty}) (canon lift (core func $i "f")
                (memory (core memory $libc "m")) (realloc (core func $libc "r")))))
        (instance $i0 (instantiate $first))"#,
        gets = if pointer { "local.get 0" } else { "local.get 0 local.get 1" },
    );
    for i in 1..=n {
        put!(text, "(instance $i{i} (instantiate $c (with \"f\" (func $i{} \"f\"))))", i - 1);
    }
}

fn chain(n: usize, ty: &str) -> Vec<u8> {
    component(|text| passed_on(text, n, "", ty, false))
}

fn chain_of_records(n: usize) -> Vec<u8> {
    let types = "u8 ".repeat(4_000);
    component(|text| {
        put!(text, "(type $t (tuple {types}))");
        passed_on(text, n, "(alias outer 1 $t (type $t))", "$t", true);
    })
}

/// Each component lifts the very function that it has lowered.
fn adapters_of_adapters(n: usize) -> Vec<u8> {
    component(|text| {
        put!(
            text,
            r#"(component $first (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                (func (export "f") (canon lift (core func $i "f"))))
            (component $c (import "f" (func $f)) (core func $f (canon lower (func $f)))
                (func (export "f") (canon lift (core func $f))))
            (instance $i0 (instantiate $first))"#
        );
        for i in 1..=n {
            put!(text, "(instance $i{i} (instantiate $c (with \"f\" (func $i{} \"f\"))))", i - 1);
        }
        put!(text, "(export \"f\" (func $i{n} \"f\"))");
    })
}

fn resources(n: usize) -> Vec<u8> {
    component(|text| {
        for i in 0..n {
            put!(text, "(type $r{i} (resource (rep i32))) (core func (canon resource.new $r{i}))");
            put!(text, "(core func (canon resource.rep $r{i})) (core func (canon resource.drop $r{i}))");
        }
    })
}

fn nested(n: usize) -> Vec<u8> {
    binary(&["(component ".repeat(n + 1), "(core module (func (export \"f\")))".into(), ")".repeat(n + 1)].concat())
}

/// Instances of a component that has so many itself.
fn instances(n: usize, each: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(component $c (core module $m (func (export \"f\")))");
        (0..each).for_each(|_| put!(text, "(core instance (instantiate $m))"));
        put!(text, ")");
        (0..n).for_each(|_| put!(text, "(instance (instantiate $c))"));
    })
}

fn nested_instances(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(import \"f\" (func $f)) (instance $i0 (export \"f\" (func $f)))");
        (1..=n).for_each(|i| put!(text, "(instance $i{i} (export \"i\" (instance $i{})))", i - 1));
    })
}

fn long_names(n: usize) -> Vec<u8> {
    let long = "x".repeat(400);
    component(|text| {
        (0..n).for_each(|i| put!(text, "(import \"{long}{i}\" (func (param \"{long}\" u8)))"));
    })
}

fn exports(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(type $t (list u8))");
        (0..n).for_each(|i| put!(text, "(export \"t{i}\" (type $t))"));
    })
}

fn imported_instances(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(type $t (instance (export \"r\" (type $r (sub resource)))");
        put!(text, "(export \"f\" (func (param \"a\" (own $r)))) (export \"g\" (func (result string)))))");
        (0..n).for_each(|i| put!(text, "(import \"i{i}\" (instance (type $t)))"));
    })
}

fn streams(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "{LIBC}");
        for i in 0..n {
            put!(text, "(type $t{i} (record (field \"f{i}\" u8))) (type $s{i} (stream $t{i}))");
            put!(text, "(core func (canon stream.new $s{i})) (core func (canon stream.drop-readable $s{i}))");
            put!(text, "(core func (canon stream.read $s{i} async (memory (core memory $libc \"m\"))))");
        }
    })
}

fn asynchronous(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(core func $ret (canon task.return (result u32)))");
        put!(text, "(core module $m (import \"\" \"ret\" (func (param i32)))");
        put!(text, "(func (export \"f\") (result i32) i32.const 0)");
        put!(text, "(func (export \"c\") (param i32 i32 i32) (result i32) i32.const 0))");
        put!(text, "(core instance $i (instantiate $m (with \"\" (instance (export \"ret\" (func $ret))))))");
        for i in 0..n {
            put!(text, "(func (export \"f{i}\") async (result u32) (canon lift (core func $i \"f\") async");
            put!(text, "(callback (core func $i \"c\"))))");
        }
    })
}

fn custom_sections(n: usize) -> Vec<u8> {
    let mut wasm = binary("(component)");
    (0..n).for_each(|_| wasm.extend(b"\0\x0d\x07nothing12345"));
    wasm
}

fn doubling_instances(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(component $c0 (core module $m) (core instance (instantiate $m)))");
        for i in 1..=n {
            put!(text, "(component $c{i} (alias outer 1 $c{} (component $c))", i - 1);
            put!(text, "(instance (instantiate $c)) (instance (instantiate $c)))");
        }
        put!(text, "(instance (instantiate $c{n}))");
    })
}

fn doubling_closures(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(component $c0)");
        for i in 1..=n {
            let alias = format!("(alias outer 1 $c{} (component))", i - 1);
            put!(text, "(component $c{i} {alias} {alias})");
        }
    })
}

fn doubling_bundles(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(import \"f\" (func $f)) (instance $i0 (export \"f\" (func $f)))");
        for i in 1..=n {
            put!(text, "(instance $i{i} (export \"a\" (instance $i{0})) (export \"b\" (instance $i{0})))", i - 1);
        }
    })
}

fn many_modules(n: usize) -> Vec<u8> {
    component(|text| (0..n).for_each(|_| put!(text, "(component {})", "(core module)".repeat(900))))
}

/// A section of one type that declares one that declares one …
fn nested_declarations(n: usize, component: bool) -> Vec<u8> {
    let lead = if component { 0x41 } else { 0x42 };
    let mut content = vec![1];
    (0..n).for_each(|_| content.extend([lead, 1, 1]));
    content.extend([lead, 0]);
    let mut wasm = b"\0asm\x0d\0\x01\0\x07".to_vec();
    super::uleb(content.len(), &mut wasm);
    wasm.extend(content);
    wasm
}

fn chain_of_closures(n: usize) -> Vec<u8> {
    component(|text| {
        put!(text, "(component $c0)");
        (1..=n).for_each(|i| put!(text, "(component $c{i} (alias outer 1 $c{} (component)))", i - 1));
    })
}
