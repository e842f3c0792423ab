//! Every function that a component can have of the component model, called in every way there is and with every kind of
//! arguments: directly, through a table, by the host, by an adapter, where an instance may not leave, and where a task
//! may block. What it gives, which trap it ends in and what frames are seen then are what they are with Cranelift's
//! code.

use lightbeam_tests::components::{Instantiated, Outcome, Setting, settings};
use std::collections::BTreeMap;
use std::fmt::Write;
use wasmtime::component::Val;
use wasmtime::{Engine, Trap};

/// A function of the component model's: how it is defined, its parameters and its result, and whether an instance
/// that may not leave may call it.
struct Builtin {
    definition: &'static str,
    params: usize,
    result: &'static str,
    leaves: bool,
}

const fn builtin(definition: &'static str, params: usize, result: &'static str) -> Builtin {
    Builtin { definition, params, result, leaves: true }
}

const fn staying(definition: &'static str, params: usize, result: &'static str) -> Builtin {
    Builtin { definition, params, result, leaves: false }
}

/// Those that need no tasks.
const SYNCHRONOUS: &[Builtin] = &[
    builtin("canon resource.new $thing", 1, "i32"),
    staying("canon resource.rep $thing", 1, "i32"),
    builtin("canon resource.drop $thing", 1, ""),
    builtin("canon resource.drop $plain", 1, ""),
    builtin("canon resource.drop $host", 1, ""),
    builtin("canon lower (func $log)", 1, ""),
    builtin("canon lower (func $trace)", 0, ""),
    builtin("canon lower (func $fail)", 0, ""),
    builtin("canon lower (func $echo)", 1, "i32"),
];

/// Those that do.
const TASKS: &[Builtin] = &[
    staying("canon backpressure.inc", 0, ""),
    staying("canon backpressure.dec", 0, ""),
    builtin("canon task.return (result u32) (memory (core memory $libc \"memory\"))", 1, ""),
    builtin("canon task.cancel", 0, ""),
    builtin("canon waitable-set.new", 0, "i32"),
    builtin("canon waitable-set.wait (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon waitable-set.poll (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon waitable-set.drop", 1, ""),
    builtin("canon waitable.join", 2, ""),
    builtin("canon subtask.drop", 1, ""),
    builtin("canon subtask.cancel", 1, "i32"),
    builtin("canon subtask.cancel async", 1, "i32"),
    builtin("canon stream.new $bytes", 0, "i64"),
    builtin("canon stream.read $bytes async (memory (core memory $libc \"memory\"))", 3, "i32"),
    builtin("canon stream.write $bytes async (memory (core memory $libc \"memory\"))", 3, "i32"),
    builtin("canon stream.read $bytes (memory (core memory $libc \"memory\"))", 3, "i32"),
    builtin("canon stream.write $bytes (memory (core memory $libc \"memory\"))", 3, "i32"),
    builtin("canon stream.cancel-read $bytes", 1, "i32"),
    builtin("canon stream.cancel-read $bytes async", 1, "i32"),
    builtin("canon stream.cancel-write $bytes", 1, "i32"),
    builtin("canon stream.cancel-write $bytes async", 1, "i32"),
    builtin("canon stream.drop-readable $bytes", 1, ""),
    builtin("canon stream.drop-writable $bytes", 1, ""),
    builtin(
        "canon stream.read $texts async (memory (core memory $libc \"memory\")) (realloc
          (core func $libc \"realloc\"))",
        3,
        "i32",
    ),
    builtin("canon stream.write $texts async (memory (core memory $libc \"memory\"))", 3, "i32"),
    builtin("canon stream.read $nothing async", 3, "i32"),
    builtin("canon stream.write $nothing async", 3, "i32"),
    builtin("canon future.new $number", 0, "i64"),
    builtin("canon future.read $number async (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon future.write $number async (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon future.read $number (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon future.write $number (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon future.cancel-read $number", 1, "i32"),
    builtin("canon future.cancel-read $number async", 1, "i32"),
    builtin("canon future.cancel-write $number", 1, "i32"),
    builtin("canon future.cancel-write $number async", 1, "i32"),
    builtin("canon future.drop-readable $number", 1, ""),
    builtin("canon future.drop-writable $number", 1, ""),
    builtin("canon error-context.new (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin(
        "canon error-context.debug-message (memory (core memory $libc \"memory\")) (realloc
          (core func $libc \"realloc\"))",
        2,
        "",
    ),
    builtin("canon error-context.drop", 1, ""),
    builtin("canon lower (func $later) async (memory (core memory $libc \"memory\"))", 2, "i32"),
    builtin("canon lower (func $later)", 1, "i32"),
    builtin("canon thread.index", 0, "i32"),
    builtin("canon thread.new-indirect $start (core table $libc \"table\")", 2, "i32"),
    builtin("canon thread.resume-later", 1, ""),
    builtin("canon thread.suspend", 0, "i32"),
    builtin("canon thread.yield", 0, "i32"),
    builtin("canon thread.suspend-then-resume", 1, "i32"),
    builtin("canon thread.yield-then-resume", 1, "i32"),
    builtin("canon thread.suspend-then-promote", 1, "i32"),
    builtin("canon thread.yield-then-promote", 1, "i32"),
    staying("canon context.get i32 0", 0, "i32"),
    staying("canon context.set i32 1", 1, ""),
];

/// The ways to call one. `raw` is by the host, `adapted` from another component, `leaving` and `after` are where the
/// instance may not leave: in a `realloc`, and in a `post-return`.
const WAYS: [&str; 6] = ["direct", "table", "raw", "adapted", "leaving", "after"];

/// A component with all of them, `prepare` to have handles of every kind, and for each of them each way to call it.
fn component(builtins: &[&Builtin], tasks: bool) -> String {
    let mut text = String::new();
    let (mut canons, mut imports, mut given, mut elements) =
        (String::new(), String::new(), String::new(), String::new());
    let (mut functions, mut lifts, mut outer, mut exports) =
        (String::new(), String::new(), String::new(), String::new());
    for (n, builtin) in builtins.iter().enumerate() {
        let Builtin { definition, params, result, .. } = builtin;
        let core = format!("(param{}) (result {result})", " i32".repeat(*params));
        let names = ["a", "b", "c"];
        let of = |count: usize| {
            names[..count].iter().fold(String::new(), |all, name| format!("{all} (param \"{name}\" u32)"))
        };
        let give = match *result {
            "" => "",
            "i32" => "(result u32)",
            _ => "(result u64)",
        };
        let gets = (0..*params).fold(String::new(), |all, n| format!("{all} (local.get {n})"));
        // Results are looked at in full width.
        let (wide, ty) = match *result {
            "" => (String::new(), String::new()),
            "i32" => ("i64.extend_i32_u".to_string(), "(result u64)".to_string()),
            _ => (String::new(), "(result u64)".to_string()),
        };
        let wide_result = if result.is_empty() { "" } else { "(result i64)" };
        let dropped = if result.is_empty() { "" } else { "drop" };
        let _ = writeln!(canons, "(core func $b{n} ({definition}))");
        let _ = writeln!(imports, "(import \"\" \"b{n}\" (func $b{n} {core}))");
        let _ = writeln!(given, "(export \"b{n}\" (func $b{n}))");
        let _ = write!(elements, " $b{n}");
        let _ = writeln!(
            functions,
            "(func (export \"direct{n}\") (param i32 i32 i32) {wide_result} {gets} (call $b{n}) {wide})
             (func (export \"table{n}\") (param i32 i32 i32) {wide_result} {gets}
               (call_indirect $all {core} (i32.const {n})) {wide})
             (func (export \"leaving{n}\") (param i32 i32 i32 i32) (result i32) {gets} (call $b{n}) {dropped}
               (i32.const 8))
             (func (export \"after{n}\") (local i32 i32 i32) {gets} (call $b{n}) {dropped})"
        );
        let three = of(3);
        let _ = writeln!(
            lifts,
            "(func (export \"direct{n}\") {three} {ty} (canon lift (core func $main \"direct{n}\")))
             (func (export \"table{n}\") {three} {ty} (canon lift (core func $main \"table{n}\")))
             (func (export \"raw{n}\") {few} {give} (canon lift (core func $b{n})))
             (func (export \"leaving{n}\") (param \"s\" string) (canon lift (core func $main \"takes\")
               (memory (core memory $libc \"memory\")) (realloc (core func $main \"leaving{n}\"))))
             (func (export \"after{n}\") (canon lift (core func $main \"nothing\")
               (post-return (core func $main \"after{n}\"))))",
            few = of(*params)
        );
        if tasks {
            let _ = writeln!(
                lifts,
                "(func (export \"blocking{n}\") async {three} {ty} (canon lift (core func $main \"direct{n}\")))"
            );
            let _ = writeln!(exports, "(export \"blocking{n}\" (func $inner \"blocking{n}\"))");
        }
        let _ = writeln!(
            outer,
            "(core func $a{n} (canon lower (func $inner \"raw{n}\")))
             (core module $m{n} (import \"\" \"f\" (func $f {core}))
               (func (export \"f\") (param i32 i32 i32) {wide_result} {gets} (call $f) {wide}))
             (core instance $i{n} (instantiate $m{n} (with \"\" (instance (export \"f\" (func $a{n}))))))
             (func (export \"adapted{n}\") {three} {ty} (canon lift (core func $i{n} \"f\")))"
        );
        for way in ["direct", "table", "raw", "leaving", "after"] {
            let _ = writeln!(exports, "(export \"{way}{n}\" (func $inner \"{way}{n}\"))");
        }
        let _ = writeln!(exports, "(export \"adapted{n}\" (func $outer \"adapted{n}\"))");
    }
    let inner_types = if tasks {
        "(type $bytes (stream u8)) (type $texts (stream string)) (type $nothing (stream)) (type $number (future u32))
         (core type $start (func (param i32)))"
    } else {
        ""
    };
    // What there is to be used: a handle of each kind.
    let find = |definition: &str| builtins.iter().position(|builtin| builtin.definition.contains(definition));
    let mut prepare = String::new();
    for (definition, call) in [
        ("resource.new", "(i32.const 77) (call $bN) drop"),
        ("waitable-set.new", "(call $bN) drop"),
        ("stream.new", "(call $bN) drop"),
        ("future.new", "(call $bN) drop"),
        ("error-context.new", "(i32.const 0) (i32.const 3) (call $bN) drop"),
        ("thread.new-indirect", "(i32.const 0) (i32.const 5) (call $bN) drop"),
    ] {
        if let Some(n) = find(definition) {
            prepare += &call.replace("$bN", &format!("$b{n}"));
        }
    }
    let later = if tasks {
        ["(import \"later\" (func $later async (param \"n\" u32) (result u32)))", "(with \"later\" (func $later))"]
    } else {
        ["", ""]
    };
    let inner_imports = "(import \"log\" (func $log (param \"n\" u32))) (import \"trace\" (func $trace))
         (import \"fail\" (func $fail)) (import \"echo\" (func $echo (param \"n\" u32) (result u32)))
         (import \"host\" (type $host (sub resource)))";
    let passed = "(with \"log\" (func $log)) (with \"trace\" (func $trace)) (with \"fail\" (func $fail))
         (with \"echo\" (func $echo)) (with \"host\" (type $host))";
    let outer_imports = builtins.iter().enumerate().fold(String::new(), |mut all, (n, builtin)| {
        let params =
            ["a", "b", "c"][..builtin.params].iter().fold(String::new(), |all, n| format!("{all} (param \"{n}\" u32)"));
        let result = match builtin.result {
            "" => "",
            "i32" => "(result u32)",
            _ => "(result u64)",
        };
        let _ = writeln!(all, "(export \"raw{n}\" (func {params} {result}))");
        all
    });
    let _ = write!(
        text,
        "(component
  {inner_imports} {later_import}
  (component $Inner
    {inner_imports} {later_import}
    (core module $libc (memory (export \"memory\") 1) (table (export \"table\") 2 funcref)
      (data (i32.const 0) \"abc\")
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func $thread (param i32)) (elem (i32.const 0) $thread)
      (func (export \"destroy\") (param i32)))
    (core instance $libc (instantiate $libc))
    (type $thing (resource (rep i32) (dtor (core func $libc \"destroy\"))))
    (type $plain (resource (rep i32)))
    {inner_types}
    {canons}
    (core module $main {imports}
      (table $all funcref (elem {elements}))
      (func (export \"prepare\") {prepare})
      (func (export \"nothing\"))
      (func (export \"takes\") (param i32 i32))
      {functions})
    (core instance $main (instantiate $main (with \"\" (instance {given}))))
    (func (export \"prepare\") (canon lift (core func $main \"prepare\")))
    {lifts})
  (component $Outer
    (import \"inner\" (instance $inner {outer_imports}))
    {outer})
  (instance $inner (instantiate $Inner {passed} {later_passed}))
  (instance $outer (instantiate $Outer (with \"inner\" (instance $inner))))
  (export \"prepare\" (func $inner \"prepare\"))
  {exports})",
        later_import = later[0],
        later_passed = later[1],
    );
    text
}

/// Arguments: nothing, small numbers, which are handles if there are any, and the ends of all numbers.
const ARGUMENTS: [[u32; 3]; 10] = [
    [0, 0, 0],
    [1, 1, 1],
    [2, 1, 1],
    [3, 2, 0],
    [4, 64, 2],
    [6, 1, 3],
    [1, 2, 0x1000_0000],
    [u32::MAX, u32::MAX, u32::MAX],
    [4, 0xffff, 2],
    [0x8000_0000, 3, 0x7fff_ffff],
];

/// Calls everything in every way with one in so many of all arguments, and compares. Gives how often each trap was
/// seen.
fn everything(setting: &Setting, tasks: bool, one_in: usize) -> BTreeMap<String, usize> {
    let builtins: Vec<&Builtin> = SYNCHRONOUS.iter().chain(if tasks { TASKS } else { &[] }).collect();
    let text = component(&builtins, tasks);
    let engine: Engine = setting.engine();
    let compiled = setting.compile(&engine, &text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let ways = WAYS.iter().copied().chain(tasks.then_some("blocking"));
    for way in ways {
        for (n, builtin) in builtins.iter().enumerate() {
            let all = ARGUMENTS.iter().flat_map(|all| [(all, false), (all, true)]).enumerate();
            for (_, (arguments, prepared)) in all.filter(|(at, _)| (at + n) % one_in == 0) {
                let numbers = |count: usize| arguments[..count].iter().map(|n| Val::U32(*n)).collect::<Vec<_>>();
                let args = match way {
                    "raw" => numbers(builtin.params),
                    "leaving" => vec![Val::String("some text".into())],
                    "after" => Vec::new(),
                    _ => numbers(3),
                };
                if matches!(way, "leaving" | "after") && arguments[0] > 1 {
                    continue;
                }
                let mut outcomes = compiled.iter().map(|(_, component)| {
                    let fibers = way == "blocking";
                    let mut instance = Instantiated::with(&engine, component, fibers, |linker| {
                        let ty = wasmtime::component::ResourceType::host::<u8>();
                        linker.root().resource("host", ty, |_, _| Ok(()))
                    })
                    .unwrap();
                    if prepared {
                        assert!(instance.call("prepare", &[]).is(&[]));
                    }
                    let first = instance.call(&format!("{way}{n}"), &args);
                    // What it left behind: another call of the same, and whether the instance lives.
                    let second = instance.call(&format!("direct{n}"), &numbers(3));
                    (first, second)
                });
                let what = format!("{}: {way} {} {args:?} {prepared}", setting.name, builtin.definition);
                let theirs = outcomes.next().unwrap();
                for ours in outcomes {
                    assert!(ours == theirs, "{what}:\n{ours:#?}\nCranelift:\n{theirs:#?}");
                }
                let (first, second) = theirs;
                // One that waits for ever is given up, and may be entered again or not.
                if matches!(first, Outcome::Failed(..)) && first.trap() != Some(Trap::AsyncDeadlock) {
                    assert_eq!(second.trap(), Some(Trap::CannotEnterComponent), "{what}: {first:?} {second:?}");
                }
                if matches!(way, "leaving" | "after") && builtin.leaves {
                    assert_eq!(first.trap(), Some(Trap::CannotLeaveComponent), "{what}");
                } else {
                    assert!(way == "blocking" || first.trap() != Some(Trap::CannotLeaveComponent), "{what}");
                }
                let kind = match &first {
                    Outcome::Returned(_) => "returned".to_string(),
                    Outcome::Failed(Some(trap), ..) => format!("{trap:?}"),
                    Outcome::Failed(None, why, _) => {
                        why.split(|c: char| c.is_ascii_digit()).next().unwrap().to_string()
                    }
                };
                *seen.entry(kind).or_default() += 1;
            }
        }
    }
    seen
}

#[test]
fn all_builtins_in_all_ways() {
    let seen = everything(&settings()[0], true, 1);
    println!("{seen:#?}");
    for trap in [Trap::CannotLeaveComponent, Trap::CannotBlockSyncTask, Trap::AsyncDeadlock, Trap::StreamOpTooBig] {
        assert!(seen.contains_key(&format!("{trap:?}")), "{trap:?} was not seen");
    }
}

#[test]
fn all_builtins_without_signals() {
    everything(&settings()[1], true, 5);
}

#[test]
fn all_builtins_where_fuel_and_epochs_interrupt() {
    everything(&settings()[4], true, 5);
}

#[test]
fn builtins_without_tasks() {
    for setting in [settings()[0], settings()[3]] {
        let seen = everything(&setting, false, 1);
        assert!(seen.len() >= 4, "{seen:?}");
    }
}
