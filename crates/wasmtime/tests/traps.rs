//! Traps with their codes, and backtraces with the names and offsets of the functions they went through.

use lightbeam::{AddressMap, Compiler};
use wasmtime::{Config, Func, Instance, Store, Trap, WasmBacktrace};

/// The offset in a module of the first occurrence of a byte sequence.
fn find(wasm: &[u8], bytes: &[u8]) -> usize {
    wasm.windows(bytes.len()).position(|window| window == bytes).unwrap()
}

const NESTED: &str = r#"(module $m
    (import "host" "f" (func $host))
    (func $inner i32.const 77 drop unreachable)
    (func $middle (param i32) call $inner)
    (func $outer (export "outer") i32.const 78 call $middle)
    (func (export "through host") i32.const 79 drop call $host))"#;

#[test]
fn backtraces_name_functions_and_offsets() {
    for signals in [true, false] {
        let mut config = Config::new();
        config.signals_based_traps(signals);
        let compiler = Compiler::new(&config).unwrap();
        let wasm = wat::parse_str(NESTED).unwrap();
        let module = compiler.module(&wasm).unwrap();
        let mut store = Store::new(compiler.engine(), None::<Instance>);
        let host = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, Option<Instance>>| {
            let instance = caller.data().unwrap();
            instance.get_typed_func::<(), ()>(&mut caller, "outer")?.call(&mut caller, ())
        });
        let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
        *store.data_mut() = Some(instance);

        // `i32.const 77 drop unreachable`, `call 1`, `i32.const 78 call 2`, `i32.const 79 drop call 0`
        let unreachable = find(&wasm, &[0x41, 0xcd, 0x00, 0x1a, 0x00]) + 4;
        let in_middle = find(&wasm, &[0x10, 0x01, 0x0b]);
        let in_outer = find(&wasm, &[0x41, 0xce, 0x00, 0x10]) + 3;
        let in_through = find(&wasm, &[0x41, 0xcf, 0x00, 0x1a, 0x10]) + 4;
        let outer = [("inner", unreachable), ("middle", in_middle), ("outer", in_outer)];
        for (name, expected) in
            [("outer", outer.to_vec()), ("through host", [&outer[..], &[("", in_through)]].concat())]
        {
            let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
            let error = func.call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::UnreachableCodeReached));
            let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
            let got: Vec<_> = trace
                .frames()
                .iter()
                .map(|frame| (frame.func_name().unwrap_or(""), frame.module_offset().unwrap()))
                .collect();
            assert_eq!(got, expected, "{name}, signals {signals}");
            assert_eq!(trace.frames()[0].module().name(), Some("m"));
        }
    }
}

#[test]
fn frames_of_callers_in_other_modules_are_seen_through_thunks() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let callee = compiler.module("(module (func $deep (export \"f\") (param i32 i32 i32 i32 i32 i32) unreachable))");
    let caller = compiler.module(
        "(module (import \"\" \"f\" (func $f (param i32 i32 i32 i32 i32 i32)))
           (func $top (export \"g\") i32.const 1 i32.const 2 i32.const 3 i32.const 4 i32.const 5 i32.const 6 call $f))",
    );
    let mut store = Store::new(compiler.engine(), ());
    let deep = Instance::new(&mut store, &callee.unwrap(), &[]).unwrap().get_func(&mut store, "f").unwrap();
    let instance = Instance::new(&mut store, &caller.unwrap(), &[deep.into()]).unwrap();
    let error = instance.get_typed_func::<(), ()>(&mut store, "g").unwrap().call(&mut store, ()).unwrap_err();
    let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name().unwrap()).collect();
    assert_eq!(names, ["deep", "top"]);
}

#[test]
fn without_an_address_map_frames_have_no_offsets() {
    let compiler = Compiler::new(&Config::new()).unwrap().address_map(AddressMap::None);
    let module = compiler.module("(module (func $f (export \"f\") unreachable))").unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let error = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
    let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
    assert_eq!(trace.frames()[0].func_name(), Some("f"));
    assert_eq!(trace.frames()[0].module_offset(), None);
}

#[test]
fn endless_recursion_is_a_stack_overflow() {
    for parameters in [0, 1, 40, 1000] {
        let compiler = Compiler::new(&Config::new()).unwrap();
        let ty = "(param i64)".repeat(parameters);
        let get: String = (0..parameters).map(|i| format!("local.get {i} ")).collect();
        let zero = "i64.const 0 ".repeat(parameters);
        let wat = format!("(module (func $f {ty} {get} call $f) (func (export \"f\") {zero} call $f))");
        let module = compiler.module(wat).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let func = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        for _ in 0..2 {
            let error = func.call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow), "{parameters} parameters");
        }
    }
}

/// Nothing is written below a stack whose limit a frame exceeds, however large it is: not by the call that raises the
/// trap, either.
#[test]
fn a_frame_that_is_larger_than_the_stack_overflows_it() {
    let calls = 350_000;
    let body = format!("{}{}", "(call $one)".repeat(calls), "(i32.add)".repeat(calls - 1));
    let wat = format!(r#"(module (func $one (result i32) (i32.const 1)) (func (export "f") (result i32) {body}))"#);
    let wasm = wat::parse_str(wat).unwrap();
    for signals in [true, false] {
        let mut config = Config::new();
        config.signals_based_traps(signals);
        let compiler = Compiler::new(&config).unwrap();
        let module = compiler.module(&wasm).unwrap();
        // A stack of the thread's own, with a guard and no room behind it for such a frame.
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
            let mut store = Store::new(compiler.engine(), ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let error = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow), "signals {signals}");
        });
        thread.unwrap().join().unwrap();
    }
}
