//! Every byte of an artifact is changed in turn, and the artifact proved against its module: the change is refused, or
//! it is one of the few of which `docs/verification.md` says that nothing depends on them.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_verify::artifact::Artifact;
use std::collections::BTreeMap;
use wasmtime::Config;

/// Checked accesses, calls by a table, a handler, references in a frame, data and elements.
const MODULE: &str = r#"(module
  (type $box (struct (field (mut i32))))
  (memory (export "memory") 1) (table $t 2 funcref) (elem (table $t) (i32.const 0) func $load $divides)
  (global $g (mut i32) (i32.const 7)) (data (i32.const 16) "some data") (tag $e (param i32))
  (func $load (export "load") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $divides (param i32) (result i32)
    (i32.div_s (call_indirect $t (param i32) (result i32) (local.get 0) (global.get $g)) (local.get 0)))
  (func (export "handles") (param i32) (result i32) (local $kept (ref null $box))
    (local.set $kept (struct.new $box (local.get 0)))
    (block $h (result i32)
      (try_table (result i32) (catch $e $h) (call $divides (local.get 0))))
    (i32.add (struct.get $box 0 (local.get $kept)))))"#;

/// In these sections changes may be accepted, so many of a hundred at most.
const FREE: &[(&str, usize)] = &[
    // Which byte of the module a backtrace names.
    (".wasmtime.addrmap", 100),
    // Which of the traps that its kind of fault can be an instruction raises.
    (".wasmtime.traps", 40),
    // Numbers, and what no control comes to.
    (".text", 60),
    // What is said of no call is never found; that a slot holds a reference is not proved.
    (".wasmtime.stackmap", 60),
    (".wasmtime.exceptions", 40),
    // How many of the bytes behind its last instruction are counted as a function's own.
    // What only debuggers, profilers and whoever goes through a host's frames read: it is of a form that does no harm.
    (".symtab", 100),
    (".strtab", 100),
    (".eh_frame", 60),
    (".wasmtime.info", 1),
];

#[test]
fn every_byte_counts() {
    let mut config = Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
    let compiler = Compiler::new(&config).unwrap().threads(1);
    let artifact = compiler.precompile(MODULE).unwrap();
    change_every_byte(&compiler, &artifact, MODULE, FREE);
}

/// Two modules, calls of the host with and without values, a resource with a destructor.
const COMPONENT: &str = r#"(component
  (import "log" (func $log (param "a" u32) (param "b" u64) (result u64)))
  (core module $defines (func (export "destroy") (param i32)))
  (core instance $defines (instantiate $defines))
  (type $thing (resource (rep i32) (dtor (core func $defines "destroy"))))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core func $lowered (canon lower (func $log)))
  (core module $uses
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "log" (func $log (param i32 i64) (result i64)))
    (func (export "run") (drop (call $log (i32.const 1) (i64.const 2))) (call $drop (call $new (i32.const 3)))))
  (core instance $uses (instantiate $uses (with "" (instance
    (export "new" (func $new)) (export "drop" (func $drop)) (export "log" (func $lowered))))))
  (func (export "run") (canon lift (core func $uses "run"))))"#;

/// As [`FREE`].
const FREE_OF_COMPONENTS: &[(&str, usize)] = &[
    (".wasmtime.addrmap", 100),
    (".wasmtime.traps", 40),
    (".text", 40),
    (".wasmtime.exceptions", 40),
    (".symtab", 100),
    (".strtab", 100),
    (".eh_frame", 60),
    (".wasmtime.info", 1),
];

#[test]
fn every_byte_of_a_component_counts() {
    let compiler = Compiler::new(&Config::new()).unwrap().threads(1);
    let artifact = compiler.precompile_component(COMPONENT).unwrap();
    change_every_byte(&compiler, &artifact, COMPONENT, FREE_OF_COMPONENTS);
}

/// Changes each byte of the artifact of this source, of which these parts may be accepted changed.
fn change_every_byte(compiler: &Compiler, artifact: &[u8], source: &str, free: &[(&str, usize)]) {
    compiler.verify_artifact(artifact, source).unwrap();
    let sections: Vec<_> =
        free.iter().filter_map(|(name, _)| Some((*name, Artifact::section(artifact, name)?))).collect();
    assert!(sections.len() >= 4, "{sections:?}");
    println!("{} bytes, {sections:?}", artifact.len());
    let mut accepted: BTreeMap<&str, Vec<(usize, u8)>> = BTreeMap::new();
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    let mut changed = artifact.to_vec();
    for at in 0..artifact.len() {
        let section = sections.iter().find(|(_, range)| range.contains(&at)).map_or("", |(name, _)| name);
        if section == ".text" && artifact[at] == 0xcc {
            // What fills up to the next piece of code.
            continue;
        }
        for mask in [1 << (at % 8), 0xff] {
            changed[at] ^= mask;
            *tried.entry(section).or_default() += 1;
            match compiler.verify_artifact(&changed, source) {
                Ok(_) => accepted.entry(section).or_default().push((at, mask)),
                Err(error) => {
                    let error = error.downcast::<lightbeam::Error>().unwrap();
                    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
                }
            }
            changed[at] = artifact[at];
        }
    }
    for (section, tried) in &tried {
        let accepted = accepted.get(section).map_or(&[][..], |accepted| accepted);
        println!("{section}: {} of {tried} accepted: {accepted:x?}", accepted.len());
        let most = free.iter().find(|(name, _)| name == section).map_or(0, |(_, most)| *most);
        assert!(accepted.len() * 100 <= most * tried, "{section}: {accepted:x?}");
    }
}
