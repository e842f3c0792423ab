//! What a host has to say while something is compiled: cancelled, too late, how far, and on whose threads.

mod common;

use lightbeam::{CancelToken, Compiler, Error, ErrorKind, Progress};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Many functions, as text.
fn functions(functions: usize) -> String {
    let function =
        |n: usize| format!("(func (param i32) (result i32) local.get 0 {})", "i32.const 7 i32.add ".repeat(n % 40));
    (0..functions).map(function).collect()
}

/// A module and a component with so many functions, in the binary format.
fn many(count: usize) -> Vec<u8> {
    wat::parse_str(format!("(module {})", functions(count))).unwrap()
}

fn component(count: usize) -> Vec<u8> {
    let wat = format!("(component (core module {}) (core module (func unreachable)))", functions(count));
    wat::parse_str(wat).unwrap()
}

fn kind<T>(result: wasmtime::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.downcast_ref::<Error>().unwrap().kind())
}

/// Compiles in each way that there is.
fn each_way(compiler: &Compiler, wasm: &[u8], component: &[u8]) -> [Option<ErrorKind>; 6] {
    let stream = |wasm: &[u8]| {
        let mut stream = compiler.stream();
        wasm.chunks(1000).try_for_each(|chunk| stream.push(chunk).map(drop))?;
        stream.finish_artifact()
    };
    [
        kind(compiler.module(wasm)),
        kind(compiler.precompile(wasm)),
        kind(stream(wasm)),
        kind(compiler.component(component)),
        kind(compiler.precompile_component(component)),
        kind(stream(component)),
    ]
}

#[test]
fn what_was_cancelled_ends_in_every_way() {
    let (wasm, component) = (many(3000), component(3000));
    for threads in [1, 3] {
        let compiler = common::compiler().threads(threads).verify(false);
        let token = CancelToken::default();
        let cancelled = compiler.clone().cancel_token(&token);
        assert_eq!(each_way(&cancelled, &wasm, &component), [None; 6]);
        token.cancel();
        assert!(token.is_cancelled());
        assert_eq!(each_way(&cancelled, &wasm, &component), [Some(ErrorKind::Cancelled); 6], "{threads} threads");
        assert_eq!(each_way(&compiler, &wasm, &component), [None; 6], "the others go on");
    }
}

#[test]
fn cancelling_ends_what_has_begun() {
    let wasm = many(20_000);
    for threads in [1, 2] {
        let (token, told) = (CancelToken::default(), Arc::new(AtomicUsize::new(0)));
        let (of_listener, count) = (token.clone(), told.clone());
        let compiler = common::compiler().threads(threads).cancel_token(&token).progress(move |progress| {
            count.fetch_max(progress.functions_compiled as usize, Ordering::Relaxed);
            of_listener.cancel();
        });
        assert_eq!(kind(compiler.module(&wasm)), Some(ErrorKind::Cancelled));
        let told = told.load(Ordering::Relaxed);
        assert!(told > 0 && told < 20_000, "{told}");
    }
}

#[test]
fn what_takes_too_long_is_an_error() {
    let (wasm, component) = (many(3000), component(3000));
    let compiler = common::compiler().verify(false);
    let too_late = [Some(ErrorKind::DeadlineExceeded); 6];
    assert_eq!(each_way(&compiler.clone().deadline(Instant::now()), &wasm, &component), too_late);
    assert_eq!(each_way(&compiler.clone().time_limit(Duration::ZERO), &wasm, &component), too_late);
    assert_eq!(each_way(&compiler.clone().time_limit(Duration::MAX), &wasm, &component), [None; 6]);
    let hour = Duration::from_secs(3600);
    assert_eq!(each_way(&compiler.deadline(Instant::now() + hour).time_limit(hour), &wasm, &component), [None; 6]);
}

#[test]
fn an_error_ahead_of_the_end_stays_the_error() {
    let wasm = wat::parse_str(r#"(module (func (result i32)))"#).unwrap();
    let token = CancelToken::default();
    assert_eq!(kind(common::compiler().cancel_token(&token).module(&wasm)), Some(ErrorKind::Invalid));
}

#[test]
fn progress_comes_to_the_end() {
    let wasm = many(3000);
    for threads in [1, 3] {
        let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
        let listener = told.clone();
        let compiler =
            common::compiler().threads(threads).progress(move |progress| listener.lock().unwrap().push(progress));
        compiler.module(&wasm).unwrap();
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert!(told.len() > 2, "{told:?}");
        assert!(told.iter().all(|progress| progress.functions_total == Some(3000) && progress.bytes == wasm.len()));
        assert_eq!(told.iter().map(|progress| progress.functions_compiled).max(), Some(3000));
    }
}

/// Ways in which a host may run the work that it is given.
fn hosts() -> Vec<(&'static str, Compiler, Arc<AtomicUsize>)> {
    let given = || Arc::new(AtomicUsize::new(0));
    let counted = |count: &Arc<AtomicUsize>| {
        let count = count.clone();
        move || count.fetch_add(1, Ordering::Relaxed)
    };
    let compiler = || common::compiler().threads(4).verify(false);
    let counts = [given(), given(), given(), given()];
    let [threads, at_once, never, late] = counts.clone();
    let (count_threads, count_at_once, count_never, count_late) =
        (counted(&threads), counted(&at_once), counted(&never), counted(&late));
    let kept: Arc<Mutex<Vec<lightbeam::Work>>> = Arc::default();
    vec![
        (
            "threads",
            compiler().spawner(move |work| {
                count_threads();
                std::thread::spawn(work);
            }),
            threads,
        ),
        (
            "at once",
            compiler().spawner(move |work| {
                count_at_once();
                work();
            }),
            at_once,
        ),
        (
            "never",
            compiler().spawner(move |_| {
                count_never();
            }),
            never,
        ),
        (
            "late",
            compiler().spawner(move |work| {
                count_late();
                // What is run now was given for another module, or is dropped with the compiler.
                let mut kept = kept.lock().unwrap();
                kept.push(work);
                if kept.len() > 5 {
                    kept.remove(0)();
                }
            }),
            late,
        ),
    ]
}

#[test]
fn threads_of_the_host_give_the_same() {
    let (wasm, component) = (many(3000), component(3000));
    let alone = common::compiler().threads(1).verify(false);
    let expected = (alone.precompile(&wasm).unwrap(), alone.precompile_component(&component).unwrap());
    for (name, compiler, count) in hosts() {
        for _ in 0..3 {
            let artifacts = (compiler.precompile(&wasm).unwrap(), compiler.precompile_component(&component).unwrap());
            assert!(artifacts == expected, "{name}");
            assert!(common::streamed(&compiler, &wasm, 5000).unwrap() == expected.0, "{name}");
        }
        assert!(count.load(Ordering::Relaxed) >= 3, "{name}");
        assert_eq!(each_way(&compiler, &wasm, &component), [None; 6], "{name}");
    }
}

#[test]
fn errors_on_threads_of_the_host_are_the_first() {
    let mut wat: Vec<String> =
        (0..3000).map(|n| format!("(func (drop (i32.const {n})) {})", "nop ".repeat(30))).collect();
    wat[2000] = "(func (drop (i32.add (i32.const 1) (i64.const 2))))".into();
    wat[1500] = "(func (result i32))".into();
    let wasm = wat::parse_str(format!("(module {})", wat.concat())).unwrap();
    let error = |compiler: &Compiler| compiler.precompile(&wasm).unwrap_err().downcast::<Error>().unwrap();
    let expected = error(&common::compiler().threads(1));
    assert_eq!(expected.function().unwrap().index, 1500);
    for (name, compiler, _) in hosts() {
        assert_eq!(error(&compiler), expected, "{name}");
    }
}

#[test]
fn a_host_is_given_no_more_than_threads_may_do() {
    let most = Arc::new(AtomicUsize::new(0));
    let (wasm, count) = (many(20_000), most.clone());
    let compiler = common::compiler().threads(3).verify(false).spawner(move |work| {
        count.fetch_add(1, Ordering::Relaxed);
        // Kept for good, so it stays given.
        std::mem::forget(work);
    });
    compiler.precompile(&wasm).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 2);
}
