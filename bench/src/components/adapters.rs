//! Calls from one component to another, through the adapter that Wasmtime puts between them.

use crate::engines::Kind;
use crate::stats::{Effort, Samples, interleave};
use crate::table::{number, print};
use anyhow::ensure;
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use wasmtime::Store;
use wasmtime::component::{Linker, TypedFunc};

/// Who is compared.
const KINDS: [Kind; 2] = [Kind::Lightbeam, Kind::Cranelift];

/// How strings can be encoded.
const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// A pair of components: `$b` has functions, and `$a` calls them in loops.
fn pair(from: &str, to: &str) -> String {
    // The letter a, in units of one byte or of two.
    let text = if from == "utf16" { "a\\00" } else { "a" }.repeat(2048);
    let types = r#"(export "add" (func (param "a" u32) (param "b" u32) (result u32)))
                   (export "length" (func (param "s" string) (result u32)))"#;
    format!(
        r#"(component
            (component $B
                (core module $m
                    (memory (export "memory") 2)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                        (select (local.get 0) (i32.const 65536) (local.get 0)))
                    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
                    (func (export "length") (param i32 i32) (result i32) (local.get 1)))
                (core instance $i (instantiate $m))
                (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
                (func (export "length") (param "s" string) (result u32)
                    (canon lift (core func $i "length") string-encoding={to}
                        (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
            (component $A
                (import "b" (instance $b {types}))
                (core module $libc (memory (export "memory") 1) (data (i32.const 1024) "{text}"))
                (core instance $libc (instantiate $libc))
                (core func $add (canon lower (func $b "add")))
                (core func $length (canon lower (func $b "length") string-encoding={from}
                    (memory (core memory $libc "memory"))))
                (core module $m
                    (import "" "add" (func $add (param i32 i32) (result i32)))
                    (import "" "length" (func $length (param i32 i32) (result i32)))
                    (func (export "adds") (param $n i32) (param $d i32) (result i32) (local $sum i32)
                        (loop $again
                            (local.set $sum (call $add (local.get $sum) (local.get $d)))
                            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                        (local.get $sum))
                    (func (export "lengths") (param $n i32) (param $units i32) (result i32) (local $sum i32)
                        (loop $again
                            (local.set $sum (i32.add (local.get $sum)
                                (call $length (i32.const 1024) (local.get $units))))
                            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                        (local.get $sum)))
                (core instance $i (instantiate $m
                    (with "" (instance (export "add" (func $add)) (export "length" (func $length))))))
                (func (export "adds") (param "n" u32) (param "d" u32) (result u32) (canon lift (core func $i "adds")))
                (func (export "lengths") (param "n" u32) (param "units" u32) (result u32)
                    (canon lift (core func $i "lengths"))))
            (instance $b (instantiate $B))
            (instance $a (instantiate $A (with "b" (instance $b))))
            (export "adds" (func $a "adds"))
            (export "lengths" (func $a "lengths")))"#
    )
}

/// A loop of calls.
struct Loop {
    store: Store<()>,
    func: TypedFunc<(u32, u32), (u32,)>,
    calls: u32,
    argument: u32,
}

pub(super) fn measure(effort: Effort) -> anyhow::Result<Value> {
    let mut json = Vec::new();
    let mut measured = |name: String, samples: Vec<Samples>, calls: u32| {
        let ns = |ms: f64| ms * 1e6 / f64::from(calls);
        let [ours, theirs] = [&samples[0], &samples[1]].map(|samples| [ns(samples.median()), ns(samples.min())]);
        json.push(json!({ "call": name, "ns": { "Lightbeam": ours, "Cranelift": theirs } }));
        [ours[0], theirs[0], ours[0] / theirs[0], ours[1] / theirs[1]].map(|value| number(Some(value)))
    };
    let calls = 2_000_000;
    let samples = turns(&pair("utf8", "utf8"), "adds", calls, 3, effort)?;
    let [ours, theirs, ratio, of_minima] = measured("(u32, u32) -> u32".to_owned(), samples, calls);
    println!("A call from one component to another, ns of processor time with the loop around it, medians:");
    println!("`(u32, u32) -> u32` {ours}, Cranelift {theirs}, ratio {ratio}, of minima {of_minima}. Strings, with the");
    println!("ratio to Cranelift:\n");
    let mut lines = Vec::new();
    for (units, calls) in [(16, 400_000), (1024, 50_000)] {
        for from in ENCODINGS {
            let mut line = vec![format!("{units} letters of {from}")];
            for to in ENCODINGS {
                let samples = turns(&pair(from, to), "lengths", calls, units, effort)?;
                let [ours, _, ratio, of_minima] = measured(format!("{units}, {from} to {to}"), samples, calls);
                line.extend([ours, format!("{ratio} ({of_minima})")]);
            }
            lines.push(line);
        }
    }
    print(&["string", "to utf8", "/ C.", "to utf16", "/ C.", "to latin1+utf16", "/ C."], &lines);
    Ok(json.into())
}

/// Samples of each of [`KINDS`].
fn turns(text: &str, export: &str, calls: u32, argument: u32, effort: Effort) -> anyhow::Result<Vec<Samples>> {
    let mut loops = Vec::new();
    for (_, engine, component) in super::proved(text, &KINDS)? {
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
        let func = instance.get_typed_func(&mut store, export)?;
        loops.push(Loop { store, func, calls, argument });
    }
    let samples = interleave(loops.len(), effort, |index| {
        let Loop { store, func, calls, argument } = &mut loops[index];
        let start = ThreadTime::now();
        let (result,) = func.call(&mut *store, (*calls, *argument))?;
        let time = start.elapsed();
        let expected = calls.wrapping_mul(*argument);
        ensure!(result == expected, "the calls give {result}, not {expected}");
        Ok(time)
    })?;
    samples.into_iter().collect::<Result<_, _>>().map_err(anyhow::Error::msg)
}
