//! The functions of `wasmtime/config.h` that are about Wasmtime's own compilers: they go to the same configuration,
//! where Lightbeam obeys what it can and leaves an engine that asks for anything else to them.

use std::ffi::{CStr, c_char};
use wasmtime::{Config, OptLevel, RegallocAlgorithm, Strategy};
use wasmtime_c_api::{wasm_config_t, wasmtime_opt_level_t, wasmtime_regalloc_algorithm_t, wasmtime_strategy_t};

/// The configuration of the C API's own.
fn inner(config: &mut wasm_config_t) -> &mut Config {
    // SAFETY: `wasm_config_t` is `repr(C)` and has a configuration, and nothing else.
    unsafe { &mut *std::ptr::from_mut(config).cast::<Config>() }
}

/// Which of Wasmtime's compilers stands behind Lightbeam. Winch's code is called differently, so for an engine with it
/// Winch compiles everything.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_strategy_set(c: &mut wasm_config_t, strategy: wasmtime_strategy_t) {
    inner(c).strategy(match strategy {
        wasmtime_strategy_t::WASMTIME_STRATEGY_AUTO => Strategy::Auto,
        wasmtime_strategy_t::WASMTIME_STRATEGY_CRANELIFT => Strategy::Cranelift,
        wasmtime_strategy_t::WASMTIME_STRATEGY_WINCH => Strategy::Winch,
    });
}

/// Has Cranelift check itself.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_cranelift_debug_verifier_set(c: &mut wasm_config_t, enable: bool) {
    inner(c).cranelift_debug_verifier(enable);
}

/// Makes every NaN that is computed the canonical one.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_cranelift_nan_canonicalization_set(c: &mut wasm_config_t, enable: bool) {
    inner(c).cranelift_nan_canonicalization(enable);
}

/// How much Cranelift optimises.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_cranelift_opt_level_set(c: &mut wasm_config_t, opt_level: wasmtime_opt_level_t) {
    inner(c).cranelift_opt_level(match opt_level {
        wasmtime_opt_level_t::WASMTIME_OPT_LEVEL_NONE => OptLevel::None,
        wasmtime_opt_level_t::WASMTIME_OPT_LEVEL_SPEED => OptLevel::Speed,
        wasmtime_opt_level_t::WASMTIME_OPT_LEVEL_SPEED_AND_SIZE => OptLevel::SpeedAndSize,
    });
}

/// How Cranelift allocates registers.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_cranelift_regalloc_algorithm_set(
    c: &mut wasm_config_t,
    algo: wasmtime_regalloc_algorithm_t,
) {
    inner(c).cranelift_regalloc_algorithm(match algo {
        wasmtime_regalloc_algorithm_t::WASMTIME_REGALLOC_BACKTRACKING => RegallocAlgorithm::Backtracking,
        wasmtime_regalloc_algorithm_t::WASMTIME_REGALLOC_SINGLE_PASS => RegallocAlgorithm::SinglePass,
    });
}

/// A string of the caller's, which must be UTF-8, as it must for Wasmtime.
///
/// # Safety
///
/// It must be one.
unsafe fn string<'a>(string: *const c_char) -> &'a str {
    // SAFETY: the caller's.
    unsafe { CStr::from_ptr(string) }.to_str().expect("not valid utf-8")
}

/// Switches a flag of Cranelift's on.
///
/// # Safety
///
/// As `wasmtime/config.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_config_cranelift_flag_enable(c: &mut wasm_config_t, flag: *const c_char) {
    // SAFETY: the caller's.
    let flag = unsafe { string(flag) };
    // SAFETY: as for `wasmtime_config_cranelift_flag_enable` of Wasmtime's: whoever calls it says that the flag is
    // right.
    unsafe { inner(c).cranelift_flag_enable(flag) };
}

/// Sets a flag of Cranelift's.
///
/// # Safety
///
/// As `wasmtime/config.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_config_cranelift_flag_set(
    c: &mut wasm_config_t,
    flag: *const c_char,
    value: *const c_char,
) {
    // SAFETY: the caller's.
    let (flag, value) = unsafe { (string(flag), string(value)) };
    // SAFETY: as for `wasmtime_config_cranelift_flag_set` of Wasmtime's: whoever calls it says that the flag is right.
    unsafe { inner(c).cranelift_flag_set(flag, value) };
}
