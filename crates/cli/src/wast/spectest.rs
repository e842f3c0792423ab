//! The `spectest` module that the specification's scripts import from, and the `wasmtime` module of Wasmtime's.

use wasmtime::{
    Caller, Engine, Func, FuncType, Global, GlobalType, Linker, Memory, MemoryType, Mutability, Ref, RefType, Result,
    SharedMemory, Store, Table, TableType, Val, ValType, WasmFeatures,
};

/// Defines both modules in the linker. Their functions print nothing: the report is what should be read.
pub(super) fn define(linker: &mut Linker<()>, store: &mut Store<()>, engine: &Engine) -> Result<()> {
    const MODULE: &str = "spectest";
    let mut define = |name: &str, item: wasmtime::Extern, store: &mut Store<()>| {
        linker.define(&mut *store, MODULE, name, item).map(|_| ())
    };

    use ValType::{F32, F64, I32, I64};
    let functions: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    for (name, params) in functions {
        let ty = FuncType::new(engine, params.iter().cloned(), []);
        let function = Func::new(&mut *store, ty, |_, _, _| Ok(()));
        define(name, function.into(), store)?;
    }

    for (name, value) in [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6_f32.to_bits())),
        ("global_f64", Val::F64(666.6_f64.to_bits())),
    ] {
        let ty = GlobalType::new(value.ty(&*store)?, Mutability::Const);
        let global = Global::new(&mut *store, ty, value)?;
        define(name, global.into(), store)?;
    }

    let table = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 10, Some(20)), Ref::Func(None))?;
    define("table", table.into(), store)?;
    let table = Table::new(&mut *store, TableType::new64(RefType::FUNCREF, 10, Some(20)), Ref::Func(None))?;
    define("table64", table.into(), store)?;

    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    define("memory", memory.into(), store)?;
    if engine.get_wasm_features().contains(WasmFeatures::THREADS) {
        let memory = SharedMemory::new(engine, MemoryType::shared(1, 2))?;
        define("shared_memory", memory.into(), store)?;
    }
    linker.func_wrap("wasmtime", "gc", |mut caller: Caller<'_, ()>| caller.gc(None))?;
    Ok(())
}
