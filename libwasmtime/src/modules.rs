//! The functions of `wasm.h` and `wasmtime/module.h` that compile, validate and serialise modules.

use crate::{bytes, compilers, engine, result};
use wasmtime::{Engine, Module};
use wasmtime_c_api::{
    WasmStoreRef, wasm_byte_vec_t, wasm_engine_t, wasm_module_t, wasm_store_t, wasmtime_error_t, wasmtime_module_t,
};

// A module of the C API's has one of Wasmtime's and nothing else. It cannot be said that this is how they lie in
// memory, but where both are as large and as aligned there is no other way.
const _: () = assert!(size_of::<wasm_module_t>() == size_of::<Module>());
const _: () = assert!(align_of::<wasm_module_t>() == align_of::<Module>());
const _: () = assert!(size_of::<wasmtime_module_t>() == size_of::<Module>());
const _: () = assert!(align_of::<wasmtime_module_t>() == align_of::<Module>());

/// The engine of a store of `wasm.h`.
///
/// # Safety
///
/// Nobody may use the store meanwhile.
unsafe fn engine_of(store: &wasm_store_t) -> Engine {
    // SAFETY: `wasm_store_t` is `repr(C)` and has a reference to a store, and nothing else.
    let store = unsafe { &*std::ptr::from_ref(store).cast::<WasmStoreRef>() };
    // SAFETY: the caller's.
    unsafe { store.context() }.engine().clone()
}

/// Compiles a module; null if that fails.
///
/// # Safety
///
/// As `wasm.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_new(
    store: &mut wasm_store_t,
    binary: &wasm_byte_vec_t,
) -> Option<Box<wasm_module_t>> {
    // SAFETY: the caller's.
    let engine = unsafe { engine_of(store) };
    let module = compilers::module(&engine, binary.as_slice()).ok()?;
    // SAFETY: it is a module and nothing else, as is proved above.
    Some(unsafe { Box::from_raw(Box::into_raw(Box::new(module)).cast()) })
}

/// Is a module valid?
///
/// # Safety
///
/// As `wasm.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_validate(store: &mut wasm_store_t, binary: &wasm_byte_vec_t) -> bool {
    // SAFETY: the caller's.
    Module::validate(&unsafe { engine_of(store) }, binary.as_slice()).is_ok()
}

/// Gives the bytes of a compiled module; none if that fails.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_serialize(module: &wasm_module_t, ret: &mut wasm_byte_vec_t) {
    // SAFETY: it is a module and nothing else, as is proved above.
    let module = unsafe { &*std::ptr::from_ref(module).cast::<Module>() };
    if let Ok(serialized) = module.serialize() {
        ret.set_buffer(serialized);
    }
}

/// Compiles a module.
///
/// # Safety
///
/// As `wasmtime/module.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_new(
    engine: &wasm_engine_t,
    wasm: *const u8,
    len: usize,
    out: &mut *mut wasmtime_module_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: the caller's.
    let binary = unsafe { bytes(wasm, len) };
    // What is behind the pointer is a module and nothing else, as is proved above.
    result(compilers::module(self::engine(engine), binary), |module| *out = Box::into_raw(Box::new(module)).cast())
}

/// Says what is wrong with a module, if anything is.
///
/// # Safety
///
/// As `wasmtime/module.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_validate(
    engine: &wasm_engine_t,
    wasm: *const u8,
    len: usize,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: the caller's.
    result(Module::validate(self::engine(engine), unsafe { bytes(wasm, len) }), |()| ())
}

/// Gives the bytes of a compiled module.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_serialize(
    module: &wasmtime_module_t,
    ret: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: it is a module and nothing else, as is proved above.
    let module = unsafe { &*std::ptr::from_ref(module).cast::<Module>() };
    result(module.serialize(), |serialized| ret.set_buffer(serialized))
}
