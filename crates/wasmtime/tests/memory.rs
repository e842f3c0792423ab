//! Peak memory of compiling is at most twice the artifact, the module, a little for each function and export, and a
//! constant for each thread.

use lightbeam::{Compiler, ModuleStream};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wasmtime::Config;

/// The constant, for each thread: its buffers and tables of fixed size.
const PER_THREAD: usize = 2 << 20;

/// A thread's buffers grow by doubling, and hold the code and the tables of the body at hand.
const PER_BYTE_OF_THE_LARGEST_BODY: usize = 4;

/// What is known of a function beside its code, which matters where that is tiny.
const PER_FUNCTION: usize = 128;

/// What Wasmtime's translation, validation included, knows of an export.
const PER_EXPORT: usize = 1024;

/// Counts the bytes that are allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grown(bytes: usize) {
    let now = NOW.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: all memory is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Large blocks move by their page tables, and are never there twice.
        grown(size.saturating_sub(layout.size()));
        NOW.fetch_sub(layout.size().saturating_sub(size), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The most bytes that were allocated at a time beyond what is allocated now, and what `run` gives.
fn peak<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = run();
    (PEAK.load(Relaxed) - before, result)
}

/// Names, modules, their number of exports and of bytes in the largest body.
fn modules() -> Vec<(&'static str, Vec<u8>, usize, usize)> {
    let module = |fields: String| wat::parse_str(format!("(module (memory 800) {fields})")).unwrap();
    let body = |operators: usize| {
        let mut body = String::new();
        for i in 0..operators / 8 {
            write!(
                body,
                "local.get 0 i32.const {} i32.add local.tee 0 i32.load offset={i} local.get 1 i32.xor local.set 1 ",
                i * 77
            )
            .unwrap();
        }
        body
    };
    let function = |operators| format!("(func (param i32) (result i32) (local i32) {} local.get 1)", body(operators));
    let named =
        |i: usize| format!("(func $a_function_with_a_name_of_its_own_{i} (param i32) (result i32) local.get 0)");
    let constants: String =
        (0..20_000).map(|i| format!("local.get 0 v128.const i64x2 {i} 7{i} i32x4.add local.set 0 ")).collect();
    let constants = module(format!("(func (param v128) {constants})"));
    let bytes_of_constants = constants.len();
    let large = |body: usize| module(function(body)).len();
    vec![
        ("large data", module(format!("{} (data (i32.const 16) \"{}\")", function(100), "x".repeat(20 << 20))), 0, 0),
        ("many functions", module(function(400).repeat(1500)), 0, 0),
        ("many small functions", module("(func)".repeat(100_000)), 0, 0),
        (
            "many exported functions",
            module((0..20_000).map(|i| format!("(func (export \"f{i}\"))")).collect()),
            20_000,
            0,
        ),
        ("many names", module((0..30_000).map(named).collect()), 0, 0),
        ("one big body", module(function(100_000)), 0, large(100_000)),
        ("one body of vector constants", constants, 0, bytes_of_constants),
        ("a few big bodies", module(function(20_000).repeat(6)), 0, large(20_000)),
    ]
}

fn streamed(compiler: &Compiler, wasm: &[u8]) -> ModuleStream {
    let mut stream = compiler.module_stream();
    for chunk in wasm.chunks(10_000) {
        stream.push(chunk).unwrap();
    }
    stream
}

#[test]
fn peak_is_linear_in_input_and_output() {
    let _alone = ALONE.lock().unwrap();
    let mut over = Vec::new();
    for (name, wasm, exports, body) in modules() {
        let compiler = Compiler::new(&Config::new()).unwrap().verify(false);
        let (artifact, report) = compiler.precompile_timed(&wasm).unwrap();
        let (artifact, functions) = (artifact.len(), report.functions as usize);
        for threads in [1, 3] {
            let compiler = compiler.clone().threads(threads);
            let constant = threads * (PER_THREAD + body * PER_BYTE_OF_THE_LARGEST_BODY);
            let limit = 2 * artifact + wasm.len() + constant + functions * PER_FUNCTION + exports * PER_EXPORT;
            let peaks = [
                ("precompile", peak(|| drop(compiler.precompile(&wasm).unwrap())).0),
                ("load", peak(|| drop(compiler.module(&wasm).unwrap())).0),
                ("stream", peak(|| drop(streamed(&compiler, &wasm).finish_artifact().unwrap())).0),
                ("stream and load", peak(|| drop(streamed(&compiler, &wasm).finish().unwrap())).0),
            ];
            for (way, peak) in peaks {
                let line = format!(
                    "{name}, {way}, {threads} threads: {peak} of {limit}; artifact {artifact}, module {}",
                    wasm.len()
                );
                println!("{line}");
                if peak > limit {
                    over.push(line);
                }
            }
        }
    }
    assert!(over.is_empty(), "{over:#?}");
}

#[test]
fn a_module_keeps_nothing_of_its_compilation() {
    let _alone = ALONE.lock().unwrap();
    let (_, wasm, ..) = modules().swap_remove(1);
    let compiler = Compiler::new(&Config::new()).unwrap().verify(false);
    drop(compiler.module(&wasm).unwrap());
    let before = NOW.load(Relaxed);
    let module = compiler.module(&wasm).unwrap();
    let kept = NOW.load(Relaxed) - before;
    // The function table and the types of the module: its code is in a mapping.
    assert!(kept < 3000 * 40 + (64 << 10), "{kept} bytes beside the mapping");
    drop(module);
    assert!(NOW.load(Relaxed) <= before + 4096);
}
