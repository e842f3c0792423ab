//! What each setting does, one by one.

mod host;
mod rows;

use lightbeam::{Compiler, CpuFeatures, Error, ErrorKind};
use lightbeam_verify::artifact::Artifact;
pub(crate) use rows::CHECKS;
use std::task::{Context, Poll, Waker};
use wasmtime::{Config, Engine, Instance, Module, Store};

pub(crate) type Change = fn(&mut Config);

/// How it is seen what a setting does.
pub(crate) enum Check {
    /// It has its effect.
    Works(fn()),
    /// Engines that have it so are refused by its name.
    Refused(&'static [Change]),
    /// With it code is as without it.
    Nothing(&'static [Change]),
    /// Wasmtime does not make such an engine.
    HostRefuses(Change),
}

/// Something of everything that settings are about.
const MODULE: &str = r#"(module
    (type $pair (struct (field $a (mut i32)) (field (mut f64))))
    (type $list (array (mut i8)))
    (memory (export "memory") 1 2)
    (table 2 funcref)
    (tag $t (param i32))
    (global $g (mut i64) (i64.const 3))
    (data (i32.const 0) "\01\00\00\00")
    (elem (i32.const 0) func $f)
    (func $deep (export "deep") (param i32) (result i32)
        local.get 0
        (@metadata.code.branch_hint "\00")
        if (result i32)
            (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))
        else
            i32.const 0
        end)
    (func $nan (export "nan") (param f32) (result i32) (i32.reinterpret_f32 (f32.add (local.get 0) (f32.const 1))))
    (func $load (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func $loop (export "loop") (loop $l (br $l)))
    (func $vector (export "vector") (param f32) (result f32) (f32.mul (f32.add (local.get 0) (f32.const 2)) (local.get 0)))
    (func $f (export "f") (result i32) i32.const 0 i32.load i32.const 6 i32.add)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "indirect") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
    (func (export "object") (param i32) (result i32) (local $p (ref null $pair))
        (local.set $p (struct.new $pair (local.get 0) (f64.const 1)))
        (struct.set $pair $a (local.get $p) (i32.add (struct.get $pair $a (local.get $p)) (i32.const 1)))
        (struct.get $pair $a (local.get $p)))
    (func (export "list") (param i32) (result i32) (array.len (array.new_default $list (local.get 0))))
    (func (export "caught") (param i32) (result i32)
        (block $h (result i32) (try_table (catch $t $h) (throw $t (local.get 0))) unreachable))
    (func (export "swizzle") (param i32) (result i32)
        (i8x16.extract_lane_u 0 (i8x16.relaxed_swizzle
            (v128.const i8x16 9 8 7 6 5 4 3 2 1 0 1 2 3 4 5 6) (i8x16.splat (local.get 0))))))"#;

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new();
    change(&mut config);
    config
}

fn compiler(change: impl FnOnce(&mut Config)) -> Compiler {
    Compiler::new(&config(change)).unwrap_or_else(|error| panic!("{error:#}"))
}

/// An instance of a module, and its store, with fuel and time enough.
fn instance_of(compiler: &Compiler, wat: &str) -> (Store<()>, Instance) {
    let module = compiler.module(wat).unwrap_or_else(|error| panic!("{error:#}"));
    let mut store = Store::new(compiler.engine(), ());
    if compiler.engine().get_consume_fuel() {
        store.set_fuel(1_000_000).unwrap();
    }
    if compiler.engine().get_epoch_interruption() {
        store.set_epoch_deadline(1);
    }
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

/// Serves an engine that is set so.
fn serves(change: impl FnOnce(&mut Config)) -> Compiler {
    let compiler = compiler(change);
    let (mut store, instance) = instance_of(&compiler, MODULE);
    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 7);
    compiler
}

/// The error of `lightbeam` that this is.
fn ours(error: wasmtime::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| panic!("of Wasmtime's: {error:#}"))
}

/// What a call of a function of one parameter gives.
fn call(compiler: &Compiler, name: &str, argument: i32) -> wasmtime::Result<i32> {
    let (mut store, instance) = instance_of(compiler, MODULE);
    instance.get_typed_func::<i32, i32>(&mut store, name).unwrap().call(&mut store, argument)
}

fn refusal(change: impl FnOnce(&mut Config)) -> Error {
    ours(Compiler::new(&config(change)).expect_err("the engine is served"))
}

pub(crate) fn are_refused(name: &str, changes: &[Change]) {
    for change in changes {
        let error = refusal(change);
        assert_eq!(error.kind(), ErrorKind::Settings, "{name}: {error}");
        assert!(error.message().contains(&format!("`Config::{name}`")), "{name}: {error}");
    }
}

/// The code alone.
fn text(compiler: &Compiler) -> Vec<u8> {
    section(&compiler.precompile(MODULE).unwrap(), ".text").unwrap()
}

fn section(artifact: &[u8], name: &str) -> Option<Vec<u8>> {
    Some(artifact[Artifact::section(artifact, name)?].to_vec())
}

pub(crate) fn mean_nothing(name: &str, changes: &[Change]) {
    let plain = text(&serves(|_| {}));
    for change in changes {
        let compiler = serves(change);
        assert!(text(&compiler) == plain, "{name} changes the code");
        runs(&compiler);
    }
}

/// With it code is not what it is without, and does what it must.
fn changes_code(change: impl FnOnce(&mut Config)) {
    let compiler = serves(change);
    assert!(text(&compiler) != text(&serves(|_| {})), "code is as ever");
    runs(&compiler);
}

/// Functions that touch all that there is do what they must.
fn runs(compiler: &Compiler) {
    for (name, argument, result) in
        [("deep", 50, 50), ("object", 6, 7), ("list", 40, 40), ("caught", 5, 5), ("indirect", 0, 7), ("swizzle", 2, 7)]
    {
        let given = call(compiler, name, argument).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(given, result, "{name}");
    }
    assert!(call(compiler, "load", -1).is_err() && call(compiler, "indirect", 1).is_err());
}

pub(crate) fn host_refuses(change: Change) -> bool {
    std::panic::catch_unwind(|| Engine::new(&config(change)).is_err()).unwrap_or(true)
}

/// A proposal is what it is for modules: valid where it is on, and not where it is off.
fn proposal(wat: &str, change: fn(&mut Config, bool)) {
    let on = compiler(|config| change(config, true));
    on.module(wat).unwrap_or_else(|error| panic!("on: {error:#}"));
    let off = compiler(|config| change(config, false));
    let error = off.module(wat).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid, "off: {error}");
}

/// And for components: `refusal` is what is said where it is off.
fn of_components(wat: &str, refusal: &str, change: fn(&mut Config, bool)) {
    let on = compiler(|config| change(config, true));
    on.component(wat).unwrap_or_else(|error| panic!("on: {error:#}"));
    is_off(wat, refusal, change);
}

fn is_off(wat: &str, refusal: &str, change: fn(&mut Config, bool)) {
    let error = ours(compiler(|config| change(config, false)).component(wat).unwrap_err());
    assert!(error.kind() == ErrorKind::Invalid && error.message().contains(refusal), "off: {error}");
}

/// Artifacts say it: of an engine that is set so none loads into one that is not.
fn told_apart(change: impl FnOnce(&mut Config)) {
    let artifact = serves(change).precompile(MODULE).unwrap();
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    assert!(unsafe { Module::deserialize(&Engine::default(), &artifact) }.is_err());
}

/// Polls what is never pending for long.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// A call on a stack of its own.
fn asynchronous(compiler: &Compiler) {
    let (mut store, instance) = instance_of(compiler, MODULE);
    let deep = instance.get_typed_func::<i32, i32>(&mut store, "deep").unwrap();
    assert_eq!(wait(deep.call_async(&mut store, 100)).unwrap(), 100);
}

/// How deep a recursion goes that ends at the stack's limit.
fn depth(bytes: usize) -> i32 {
    let compiler = serves(|config| {
        config.max_wasm_stack(bytes);
    });
    let goes = |depth: i32| call(&compiler, "deep", depth).is_ok();
    let (mut low, mut high) = (0, 1 << 20);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if goes(middle) { low = middle } else { high = middle }
    }
    low
}

fn symbols(change: impl FnOnce(&mut Config)) -> usize {
    let artifact = serves(change).precompile(MODULE).unwrap();
    Artifact::parse(&artifact).unwrap().symbols.entries.len()
}

/// The mapping of the process that has an address: its permissions and its name.
fn mapping_of(address: usize) -> (String, String) {
    for line in std::fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut words = line.split_whitespace();
        let (range, permissions) = (words.next().unwrap(), words.next().unwrap());
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|bound| usize::from_str_radix(bound, 16).unwrap());
        if (from..to).contains(&address) {
            return (permissions.to_owned(), words.skip(3).collect::<Vec<_>>().join(" "));
        }
    }
    ("none".into(), String::new())
}

/// What code may use here.
fn host_features() -> CpuFeatures {
    let artifact = serves(|_| {}).precompile(MODULE).unwrap();
    let engine = String::from_utf8_lossy(&section(&artifact, ".wasmtime.engine").unwrap()).into_owned();
    let mut features = CpuFeatures::default();
    for (name, used) in features.by_name() {
        let after =
            engine.split(&format!("has_{name}")).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        *used = after;
    }
    features
}
