//! The functions of `wasmtime/component/component.h` that compile and serialise components.

use crate::{bytes, compilers, engine, result};
use wasmtime::component::Component;
use wasmtime_c_api::{wasm_byte_vec_t, wasm_engine_t, wasmtime_component_t, wasmtime_error_t};

/// Compiles a component.
///
/// # Safety
///
/// As `wasmtime/component/component.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_component_new(
    engine: &wasm_engine_t,
    buf: *const u8,
    len: usize,
    component_out: &mut *mut wasmtime_component_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: the caller's.
    let bytes = unsafe { bytes(buf, len) };
    // `wasmtime_component_t` is `repr(transparent)` and has a component.
    result(compilers::component(self::engine(engine), bytes), |component| {
        *component_out = Box::into_raw(Box::new(component)).cast();
    })
}

/// Gives the bytes of a compiled component.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_component_serialize(
    component: &wasmtime_component_t,
    ret: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: `wasmtime_component_t` is `repr(transparent)` and has a component.
    let component = unsafe { &*std::ptr::from_ref(component).cast::<Component>() };
    result(component.serialize(), |serialized| ret.set_buffer(serialized))
}
