//! Wasmtime's option groups are taken as they are; this says which of their options mean nothing without Cranelift, in
//! words of our own rather than "disabled at compile time".

use wasmtime::{Result, bail};
use wasmtime_cli_flags::CommonOptions;

/// Fails on an option that Lightbeam would have to ignore. The option groups must have been parsed already, which
/// `init_logging` does.
pub(crate) fn refuse_meaningless(common: &mut CommonOptions) -> Result<()> {
    let CommonOptions { opts, codegen, wasm, .. } = common;
    if codegen.compiler.is_some() {
        bail!("`-C compiler` makes no sense here: Lightbeam is the only compiler in this program");
    }
    if let Some((name, _)) = codegen.cranelift.first() {
        bail!("`-C cranelift-{name}` is a setting of Cranelift, which is not in this program");
    }
    if codegen.cranelift_debug_verifier.is_some() {
        bail!("`-C cranelift-debug-verifier` is a setting of Cranelift, which is not in this program");
    }
    if codegen.inlining.is_some() {
        bail!("`-C inlining` makes no sense here: Lightbeam does not inline functions");
    }
    if opts.opt_level.is_some() {
        bail!("`-O opt-level` makes no sense here: Lightbeam has one level of optimisation");
    }
    if opts.regalloc_algorithm.is_some() {
        bail!("`-O regalloc-algorithm` is a setting of Cranelift, which is not in this program");
    }
    if wasm.nan_canonicalization == Some(true) {
        bail!("`-W nan-canonicalization` is not supported by Lightbeam");
    }
    if codegen.cache == Some(true) || codegen.cache_config.is_some() {
        bail!("`-C cache` makes no sense here: use `lightbeam compile` to keep compiled code");
    }
    if common.target.is_some() {
        bail!("`--target` makes no sense here: Lightbeam compiles for the machine that it runs on");
    }
    // Wasmtime's own thread pool, which it uses for compiling only; Lightbeam's workers are not controlled by it.
    if codegen.parallel_compilation == Some(true) {
        codegen.parallel_compilation = None;
    }
    Ok(())
}
