//! Wasmtime's C API as a library, `libwasmtime.so` and `libwasmtime.a`, in which Lightbeam compiles and Cranelift what
//! Lightbeam refuses. Headers, names and types are Wasmtime's.
//!
//! Nearly all of it is `wasmtime-c-api-impl`, without its own compilers. What that leaves out where it has none is
//! here:
//! `modules.rs` and `components.rs` compile, `config.rs` sets what the two compilers of Wasmtime can be told.

#![allow(non_camel_case_types, reason = "the names are those of C")]

mod compilers;
mod components;
mod config;
mod modules;

pub use wasmtime_c_api::*;

use wasmtime::Engine;

/// The engine of the C API's own.
fn engine(engine: &wasm_engine_t) -> &Engine {
    // SAFETY: `wasm_engine_t` is `repr(C)` and has an engine, and nothing else.
    unsafe { &*std::ptr::from_ref(engine).cast::<Engine>() }
}

/// An error, or none and what was wanted.
fn result<T>(result: wasmtime::Result<T>, done: impl FnOnce(T)) -> Option<Box<wasmtime_error_t>> {
    match result {
        Ok(value) => {
            done(value);
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

/// The bytes that C has.
///
/// # Safety
///
/// There must be so many, unless there are none, and nobody may change them meanwhile.
unsafe fn bytes<'a>(start: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: the caller's.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(start, len) } }
}
