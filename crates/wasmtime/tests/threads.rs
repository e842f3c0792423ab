//! The number of threads, and how the functions are divided among them, shows nowhere: not in artifacts, not in errors.

mod common;

use common::{compiler, streamed};
use lightbeam::{Compiler, Error};
use std::fmt::Write;
use wasmtime::{Instance, Store};

/// Functions of all kinds that differ in what stands before them in the text and beside it in tables: some escape, some
/// trap, some call, some need a routine.
fn module(functions: u32, replaced: &[(u32, &str)]) -> String {
    let mut wat = String::from(
        r#"(module
            (import "host" "f" (func $host (param i32) (result i32)))
            (type $t (func (param i32) (result i32)))
            (table $table 8 funcref) (table $other 8 funcref)
            (memory (export "memory") 1)
            (global $g (mut i32) (i32.const 0))
            (elem (table $table) (i32.const 0) func $f0 $f1)
            (elem $passive func $f1)
            (data (i32.const 0) "some data")
            (data $dropped "more")"#,
    );
    for i in 0..functions {
        let (next, export) =
            ((i * 7 + 3) % functions, if i % 5 == 0 { format!("(export \"f{i}\")") } else { "".into() });
        let body = match replaced.iter().find(|(index, _)| *index == i) {
            Some((_, body)) => (*body).to_string(),
            None => match i % 9 {
                0 => format!("i32.const {i}"),
                1 => format!("local.get 0 i32.const {i} i32.add"),
                2 => format!("local.get 0 if (result i32) local.get 0 i32.const 1 i32.sub call $f{next} else i32.const 9 end"),
                3 => "local.get 0 i32.load offset=4 local.get 0 i32.load8_u i32.div_s".into(),
                4 => "local.get 0 call $host".into(),
                5 => "local.get 0 local.get 0 i32.const 7 i32.and call_indirect (type $t)".into(),
                6 => "i32.const 0 i32.const 1 i32.const 2 table.copy $table $other i32.const 0 ref.null func i32.const 1 \
                      table.fill $table global.get $g"
                    .into(),
                7 => "i32.const 0 i32.const 0 i32.const 1 memory.init $dropped data.drop $dropped \
                      i32.const 3 i32.const 0 i32.const 1 table.init $other $passive global.get $g"
                    .into(),
                _ => "(local i64 f64) local.get 0 i64.extend_i32_u local.tee 1 i64.const 3 i64.mul f64.convert_i64_s \
                      local.tee 2 f64.sqrt i32.trunc_f64_s loop (param i32) (result i32) local.get 0 br_if 0 end"
                    .into(),
            },
        };
        writeln!(wat, "(func $f{i} {export} (type $t) {body})").unwrap();
    }
    wat.push(')');
    wat
}

fn binary(functions: u32, replaced: &[(u32, &str)]) -> Vec<u8> {
    wat::parse_str(module(functions, replaced)).unwrap()
}

/// Every number of threads with every way to divide the functions.
fn variants() -> impl Iterator<Item = (String, Compiler)> {
    let batches = [Some(1), Some(50), Some(333), Some(5000), None];
    [1, 2, 3, 8].into_iter().flat_map(move |threads| {
        batches.into_iter().map(move |batch| {
            let compiler = compiler().threads(threads);
            (
                format!("{threads} threads, batches of {batch:?}"),
                match batch {
                    Some(bytes) => compiler.batch(bytes),
                    None => compiler,
                },
            )
        })
    })
}

/// The error of a module that must have one.
fn refused(result: wasmtime::Result<Vec<u8>>) -> Error {
    result.map(drop).expect_err("an invalid module").downcast::<Error>().unwrap()
}

#[test]
fn threads_do_not_show_in_the_artifact() {
    // The last one makes several batches of the usual size.
    for functions in [2, 9, 100, 6000] {
        let wasm = binary(functions, &[]);
        let expected = compiler().threads(1).precompile(&wasm).unwrap();
        for (variant, compiler) in variants() {
            if functions == 6000 && !variant.ends_with("None") {
                continue; // Takes long in a debug build, and 100 functions show it.
            }
            assert!(compiler.precompile(&wasm).unwrap() == expected, "{functions} functions, {variant}");
            for chunk in [97, 4096, wasm.len()] {
                assert!(
                    streamed(&compiler, &wasm, chunk).unwrap() == expected,
                    "{functions} functions, {variant}, streamed by {chunk}"
                );
            }
        }
    }
}

#[test]
fn a_module_of_many_batches_runs() {
    let wasm = binary(6000, &[]);
    let compiler = compiler().threads(4);
    for module in [compiler.module(&wasm).unwrap(), compiler.read(&wasm[..]).unwrap()] {
        let mut store = Store::new(compiler.engine(), ());
        let host = wasmtime::Func::wrap(&mut store, |i: i32| i * 2);
        let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
        for (index, argument, result) in [(0, 1, 0), (10, 5, 15), (40, 21, 42), (5400, 1, 5400)] {
            let f = instance.get_typed_func::<i32, i32>(&mut store, &format!("f{index}")).unwrap();
            assert_eq!(f.call(&mut store, argument).unwrap(), result, "f{index}");
        }
        // A trap in the last batch names its function and its place in the module.
        let f = instance.get_typed_func::<i32, i32>(&mut store, "f5970").unwrap();
        let error = f.call(&mut store, -16).unwrap_err();
        let frame = &error.downcast_ref::<wasmtime::WasmBacktrace>().unwrap().frames()[0];
        assert_eq!(frame.func_name(), Some("f5970"));
        assert!(frame.module_offset().is_some());
    }
}

#[test]
fn the_first_error_wins() {
    let invalid = |name: &str| format!("i64.const 1 (; {name} ;)");
    let simd = "v128.const i64x2 0 0 drop i32.const 0";
    let late = invalid("late");
    let cases: [&[(u32, &str)]; 5] = [
        &[(99, &late)],
        &[(0, simd), (1, &late), (99, &late)],
        &[(30, &late), (31, simd), (32, &late), (60, &late)],
        &[(50, simd), (51, &late)],
        &[(98, &late), (99, simd)],
    ];
    for (case, replaced) in cases.into_iter().enumerate() {
        let wasm = binary(100, replaced);
        let expected = refused(compiler().threads(1).precompile(&wasm));
        assert!(expected.offset().is_some());
        for (variant, compiler) in variants() {
            let whole = refused(compiler.precompile(&wasm));
            assert_eq!(whole, expected, "case {case}, {variant}");
            for chunk in [61, wasm.len()] {
                let error = refused(streamed(&compiler, &wasm, chunk));
                assert_eq!(error, expected, "case {case}, {variant}, streamed by {chunk}");
            }
        }
    }
}

#[test]
fn a_function_is_ahead_of_what_comes_after_it() {
    let good = binary(100, &[]);
    let bad = binary(100, &[(97, "i64.const 1")]);
    for (name, wasm) in [("good", good), ("bad", bad)] {
        // In the middle of the last functions, at the end of the code, in the data, and with a wrong section behind.
        let data = wasm.windows(9).rposition(|bytes| bytes == b"some data").unwrap();
        let mut appended = wasm.clone();
        appended.extend([1, 1, 0]);
        let mut corrupted = wasm.clone();
        corrupted[data - 4] = 0x42; // `i64.const`, as an offset into a 32-bit memory.
        let broken = [wasm[..data - 40].to_vec(), wasm[..data + 4].to_vec(), appended, corrupted];
        for (i, broken) in broken.iter().enumerate() {
            let expected = refused(streamed(&compiler().threads(1), broken, 7));
            for (variant, compiler) in variants() {
                let whole = refused(compiler.precompile(broken));
                assert_eq!(whole, expected, "{name} {i}, {variant}");
                for chunk in [61, broken.len()] {
                    let error = refused(streamed(&compiler, broken, chunk));
                    assert_eq!(error, expected, "{name} {i}, {variant}, streamed by {chunk}");
                }
            }
        }
    }
}

/// Functions that each give some 27 KB of code, and what stands in for some of them.
fn dense(functions: u32, replaced: &[(u32, &str)]) -> Vec<u8> {
    let mut wat = format!("(module (type $t (func (result {})))", "i32 ".repeat(1000));
    for i in 0..functions {
        let body = replaced.iter().find(|(index, _)| *index == i).map_or("call 0", |(_, body)| *body);
        write!(wat, "(func (type $t) {body})").unwrap();
    }
    wat.push(')');
    wat::parse_str(wat).unwrap()
}

#[test]
fn so_does_the_budget_of_the_module() {
    let within = compiler().precompile_timed(dense(15, &[])).unwrap().1;
    let ample = "nop ".repeat(20_000) + "unreachable";
    let cases: [(&[(u32, &str)], &str); 6] = [
        (&[], "machine code"),
        // Ahead of it, and behind; what comes late is of no help to what was too much before.
        (&[(3, "i64.const 1")], "type mismatch"),
        (&[(60, "i64.const 1"), (99, "v128.const i64x2 0 0 drop unreachable")], "machine code"),
        (&[(60, &ample)], "machine code"),
        (&[(15, &ample), (99, &ample)], ""),
        (&[(15, &ample), (98, "i64.const 1"), (99, &ample)], "type mismatch"),
    ];
    println!("{} bytes of code within", within.code_bytes);
    for (case, (replaced, words)) in cases.into_iter().enumerate() {
        let wasm = dense(100, replaced);
        let one = compiler().threads(1).precompile(&wasm);
        if words.is_empty() {
            let one = one.unwrap();
            for (variant, compiler) in variants() {
                assert!(compiler.precompile(&wasm).unwrap() == one, "case {case}, {variant}");
                assert!(streamed(&compiler, &wasm, 97).unwrap() == one, "case {case}, {variant}, streamed");
            }
            continue;
        }
        let expected = refused(one);
        assert!(expected.message().contains(words) && expected.offset().is_some(), "case {case}: {expected}");
        for (variant, compiler) in variants() {
            let whole = refused(compiler.precompile(&wasm));
            assert_eq!(whole, expected, "case {case}, {variant}");
            for chunk in [7, 997, wasm.len()] {
                let error = refused(streamed(&compiler, &wasm, chunk));
                assert_eq!(error, expected, "case {case}, {variant}, streamed by {chunk}");
            }
        }
    }
}

#[test]
fn a_failed_stream_repeats_its_error_and_a_dropped_one_stops() {
    let wasm = binary(300, &[(3, "i64.const 1")]);
    let compiler = compiler().threads(3).batch(20);
    let mut stream = compiler.module_stream();
    let mut first = None;
    for chunk in wasm.chunks(100) {
        match (stream.push(chunk), &first) {
            (Ok(progress), None) => assert!(progress.functions_compiled <= 300),
            (Err(error), None) => first = Some(error.downcast::<Error>().unwrap()),
            (result, Some(first)) => assert_eq!(result.unwrap_err().downcast_ref::<Error>(), Some(first)),
        }
    }
    let last = stream.finish().unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(*first.get_or_insert(last.clone()), last);

    for end in [10, 1000, 3000, wasm.len()] {
        let mut stream = compiler.module_stream();
        let _ = stream.push(&binary(300, &[])[..end.min(wasm.len())]).unwrap();
        drop(stream);
    }
}

#[test]
fn reports_add_up_over_threads() {
    let wasm = binary(2000, &[]);
    let report = |threads| compiler().threads(threads).batch(500).time_sweeps(true).precompile_timed(&wasm).unwrap().1;
    let one = report(1);
    for threads in [2, 4] {
        let many = report(threads);
        assert_eq!(
            (many.functions, many.body_bytes, many.code_bytes, many.text_bytes, many.artifact_bytes, many.counters),
            (one.functions, one.body_bytes, one.code_bytes, one.text_bytes, one.artifact_bytes, one.counters)
        );
        assert!(many.phases.survey + many.phases.emit <= many.phases.compile);
    }
}
