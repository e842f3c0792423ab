//! Calls across the module's border, with values in registers and on the stack, in every direction: host to wasm, wasm
//! to host, one module to another, and all of them nested.

use lightbeam::Compiler;
use wasmtime::{Config, Engine, Func, FuncType, Instance, Module, Store, Val, ValType};

const COUNTS: [usize; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 33, 100, 1000];

fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap()
}

/// Types of `count` values, in a pattern that fills integer and float registers at different speeds.
fn types(count: usize, pattern: usize) -> Vec<ValType> {
    (0..count)
        .map(|i| match (i * (pattern + 1) + i / 3 * pattern) % 4 {
            _ if pattern == 0 => ValType::I32,
            0 => ValType::I32,
            1 => ValType::F64,
            2 => ValType::I64,
            _ => ValType::F32,
        })
        .collect()
}

fn value(ty: &ValType, i: usize) -> Val {
    let bits = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        // Clear of NaNs, whose payloads hosts may change.
        ValType::F32 => Val::F32((bits as u32 & 0x3fff_ffff) | 0x1000_0000),
        ValType::F64 => Val::F64((bits & 0x3fff_ffff_ffff_ffff) | 0x1000_0000_0000_0000),
        other => panic!("{other} is not tested"),
    }
}

fn bits(values: &[Val]) -> Vec<u64> {
    values
        .iter()
        .map(|value| match value {
            Val::I32(v) => u64::from(*v as u32),
            Val::I64(v) => *v as u64,
            Val::F32(v) => u64::from(*v),
            Val::F64(v) => *v,
            other => panic!("{other:?} is not tested"),
        })
        .collect()
}

fn list(keyword: &str, types: &[ValType]) -> String {
    types.iter().map(|ty| format!("({keyword} {ty})")).collect()
}

fn locals(count: usize) -> String {
    (0..count).map(|i| format!("local.get {i} ")).collect()
}

/// `same` gives back its parameters; the others call it in all the ways there are.
fn identity(types: &[ValType]) -> String {
    let ty = list("param", types) + &list("result", types);
    let get = locals(types.len());
    format!(
        "(module
           (type $t (func {ty}))
           (import \"host\" \"same\" (func $host (type $t)))
           (table funcref (elem $same $host))
           (func $same (export \"same\") (type $t) {get})
           (func $inner (type $t) {get} call $same)
           (func (export \"private\") (type $t) {get} call $inner)
           (func (export \"host\") (type $t) {get} call $host)
           (func (export \"both\") (type $t) {get} call $host call $inner call $host)
           (export \"host itself\" (func $host)))"
    )
}

#[test]
fn values_survive_every_kind_of_call() {
    let compiler = compiler();
    for count in COUNTS {
        for pattern in 0..4 {
            let types = types(count, pattern);
            let module = compiler.module(identity(&types)).unwrap();
            let mut store = Store::new(compiler.engine(), 0);
            let ty = FuncType::new(compiler.engine(), types.clone(), types.clone());
            let host = Func::new(&mut store, ty, |mut caller, params, results| {
                *caller.data_mut() += 1;
                results.clone_from_slice(params);
                Ok(())
            });
            // The second instance imports from the first, so a call goes on through two modules to the host.
            let mut import = host;
            let sent: Vec<Val> = types.iter().enumerate().map(|(i, ty)| value(ty, i)).collect();
            for depth in 1..=2 {
                let instance = Instance::new(&mut store, &module, &[import.into()]).unwrap();
                for (name, hops) in [("same", 0), ("private", 0), ("host", 1), ("both", 2), ("host itself", 1)] {
                    let func = instance.get_func(&mut store, name).unwrap();
                    let mut got = vec![Val::I32(-1); types.len()];
                    *store.data_mut() = 0;
                    func.call(&mut store, &sent, &mut got).unwrap();
                    assert_eq!(bits(&got), bits(&sent), "{name}, {count} values, pattern {pattern}, depth {depth}");
                    let expected = if depth == 1 { hops } else { 2 * hops };
                    assert_eq!(*store.data(), expected, "{name} at depth {depth} came to the host");
                }
                import = instance.get_func(&mut store, "both").unwrap();
            }
        }
    }
}

/// More parameters than results and the other way round, so that no place can be mistaken for another.
#[test]
fn parameters_and_results_may_differ() {
    let compiler = compiler();
    for params in [0, 1, 5, 9, 40] {
        for results in [0, 1, 8, 9, 10, 40] {
            let (from, to) = (types(params, 1), types(results, 2));
            let constant = |ty: &ValType, i: usize| match value(ty, i) {
                Val::I32(v) => format!("i32.const {v} "),
                Val::I64(v) => format!("i64.const {v} "),
                Val::F32(v) => format!("f32.const {:?} ", f32::from_bits(v)),
                Val::F64(v) => format!("f64.const {:?} ", f64::from_bits(v)),
                other => panic!("{other:?} is not tested"),
            };
            let made: String = to.iter().enumerate().map(|(i, ty)| constant(ty, i)).collect();
            let (ty, get) = (list("param", &from) + &list("result", &to), locals(params));
            let drops = "drop ".repeat(results);
            let module = compiler
                .module(format!(
                    "(module
                       (func $make {ty} {made})
                       (func (export \"twice\") {ty} {get} call $make {drops} {get} call $make))"
                ))
                .unwrap();
            let mut store = Store::new(compiler.engine(), ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let func = instance.get_func(&mut store, "twice").unwrap();
            let sent: Vec<Val> = from.iter().enumerate().map(|(i, ty)| value(ty, i)).collect();
            let expected: Vec<Val> = to.iter().enumerate().map(|(i, ty)| value(ty, i)).collect();
            let mut got = vec![Val::I32(-1); results];
            func.call(&mut store, &sent, &mut got).unwrap();
            assert_eq!(bits(&got), bits(&expected), "{params} parameters, {results} results");
        }
    }
}

#[test]
fn a_host_function_may_fail_and_call_back() {
    let compiler = compiler();
    let module = compiler
        .module(
            r#"(module
                 (import "host" "f" (func $f (param i32) (result i32)))
                 (func (export "down") (param i32) (result i32) local.get 0 call $f)
                 (func (export "one") (result i32) i32.const 1))"#,
        )
        .unwrap();
    let mut store = Store::new(compiler.engine(), None::<Instance>);
    let f = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, Option<Instance>>, n: i32| {
        if n == 0 {
            return Err(wasmtime::Error::msg("at the bottom"));
        }
        let instance = caller.data().unwrap();
        let one = instance.get_typed_func::<(), i32>(&mut caller, "one")?.call(&mut caller, ())?;
        instance.get_typed_func::<i32, i32>(&mut caller, "down")?.call(&mut caller, n - one)
    });
    let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
    *store.data_mut() = Some(instance);
    let down = instance.get_typed_func::<i32, i32>(&mut store, "down").unwrap();
    for n in [0, 1, 2, 10] {
        let error = down.call(&mut store, n).unwrap_err();
        assert!(format!("{error:?}").contains("at the bottom"), "{error:?}");
        let frames = error.downcast_ref::<wasmtime::WasmBacktrace>().unwrap().frames().len();
        assert_eq!(frames, n as usize + 1, "one wasm frame a level");
    }
}

/// The upper half of a 32-bit argument is undefined where modules meet; an address made of it must not be.
#[test]
fn upper_halves_do_not_become_addresses() {
    let compiler = compiler();
    let module = compiler
        .module(
            r#"(module
                 (memory (export "memory") 1)
                 (data (i32.const 8) "\2a\00\00\00")
                 (func (export "load") (param i64 i32 i32 i32 i32 i32 i32) (result i32) local.get 6 i32.load offset=4))"#,
        )
        .unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let load = instance.get_typed_func::<(i64, i32, i32, i32, i32, i32, i32), i32>(&mut store, "load").unwrap();
    assert_eq!(load.call(&mut store, (-1, -1, -1, -1, -1, -1, 4)).unwrap(), 42);
}

#[test]
fn modules_of_one_engine_load_into_any_store() {
    let engine = Engine::default();
    let (a, b) = (Compiler::for_engine(&engine).unwrap(), Compiler::for_engine(&engine).unwrap());
    let module: Module = a.module("(module (func (export \"f\") (result i32) i32.const 7))").unwrap();
    assert!(Engine::same(module.engine(), b.engine()));
    for _ in 0..3 {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 7);
    }
}
