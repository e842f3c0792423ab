//! Wasmtime's option groups are taken as they are; this says which of their options mean nothing without Cranelift, in
//! words of our own rather than "disabled at compile time".

use clap::{Arg, ArgAction};
use lightbeam::Compiler;
use std::num::NonZero;
use wasmtime::{Engine, Result, bail};
use wasmtime_cli_flags::CommonOptions;

/// What this command's own options say of compiling.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Compiling {
    /// How many threads may compile [default: as many as the machine runs at once].
    #[arg(long, value_name = "N")]
    compile_threads: Option<NonZero<usize>>,

    /// Whether checked accesses are guarded against Spectre, too: `y` or `n` [default: y].
    #[arg(long, value_name = "y|n", num_args = 0..=1, require_equals = true, default_missing_value = "y",
          value_parser = switch)]
    spectre: Option<bool>,
}

/// The flag `--time`.
pub(crate) fn time(help: &'static str) -> Arg {
    Arg::new("time").long("time").action(ArgAction::SetTrue).help(help)
}

/// The flag `--verify` of commands that run what they compile.
pub(crate) fn verify() -> Arg {
    let help = "Prove that code stays in the sandbox before it is run, unless it was compiled earlier";
    Arg::new("verify").long("verify").action(ArgAction::SetTrue).help(help)
}

/// Wasmtime's flag `--allow-precompiled` in words that are right here.
pub(crate) fn allow_precompiled(arg: Arg) -> Arg {
    arg.help("Allow running what was compiled earlier, by `lightbeam compile` or Wasmtime").long_help(
        "Allow running what was compiled earlier, by `lightbeam compile` or Wasmtime.\n\n\
         Such a file holds machine code that is run as it is, so only pass this for files that you trust.",
    )
}

/// `y` or `n`, in the words that Wasmtime's options have for them.
fn switch(word: &str) -> Result<bool, &'static str> {
    match word {
        "y" | "yes" | "true" => Ok(true),
        "n" | "no" | "false" => Ok(false),
        _ => Err("`y` or `n` was expected"),
    }
}

/// Fails on an option that Lightbeam would have to ignore. The option groups must have been parsed already, which
/// `init_logging` does.
pub(crate) fn refuse_meaningless(common: &mut CommonOptions) -> Result<()> {
    let CommonOptions { opts, codegen, debug, wasm, record, .. } = common;
    if codegen.compiler.is_some() {
        bail!("`-C compiler` makes no sense here: Lightbeam is the only compiler in this program");
    }
    if let Some((name, _)) = codegen.cranelift.first() {
        let instead = if name.ends_with("_spectre_mitigation") { "; here it is `--spectre`" } else { "" };
        bail!("`-C cranelift-{name}` is a setting of Cranelift, which is not in this program{instead}");
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
    if wasm.wmemcheck == Some(true) {
        bail!("`-W wmemcheck` is not supported by Lightbeam");
    }
    // Wasmtime without this knows not even that it can be off.
    if debug.guest_debug.take() == Some(true) {
        bail!("`-D guest-debug` is not supported by Lightbeam; `-D debug-info` is for gdb and lldb");
    }
    if debug.debugger.is_some() {
        bail!("`-D debugger` is not supported by Lightbeam");
    }
    if record.path.is_some() || record.validation_metadata.is_some() || record.event_window_size.is_some() {
        bail!("`-R`, recording and replaying, is not supported by Lightbeam");
    }
    if codegen.cache == Some(true) || codegen.cache_config.is_some() {
        bail!("`-C cache` makes no sense here: use `lightbeam compile` to keep compiled code");
    }
    if common.target.is_some() {
        bail!("`--target` makes no sense here: Lightbeam compiles for the machine that it runs on");
    }
    Ok(())
}

/// Fails on an option that is of core modules alone, when a component is to be run, and on such as do not go together.
pub(crate) fn refuse_of_modules(common: &CommonOptions) -> Result<()> {
    let CommonOptions { wasm, wasi, .. } = common;
    if wasm.component_model == Some(false) {
        bail!("this is a component, and `-W component-model=n` switches components off");
    }
    let given = [
        ("-W unknown-exports-allow", wasm.unknown_exports_allow.is_some()),
        ("-W unknown-imports-default", wasm.unknown_imports_default == Some(true)),
        ("-S listenfd", wasi.listenfd == Some(true)),
        ("-S tcplisten", !wasi.tcplisten.is_empty()),
        ("-S threads", wasi.threads == Some(true)),
    ];
    if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
        bail!("`{name}` cannot be used with components");
    }
    let interfaces = wasi.cli != Some(false) || wasi.http == Some(true) || wasi.tls == Some(true);
    if wasm.concurrency_support == Some(false) && wasi.p3 != Some(false) && interfaces {
        bail!("`-W concurrency-support=n` needs `-S p3=n`, too, as interfaces of WASI 0.3 do several things at a time");
    }
    Ok(())
}

/// Fails on an option that is of components alone, when a core module is to be run.
pub(crate) fn refuse_of_components(common: &CommonOptions) -> Result<()> {
    let wasi = &common.wasi;
    let given =
        [("-S config", wasi.config), ("-S keyvalue", wasi.keyvalue), ("-S http", wasi.http), ("-S tls", wasi.tls)];
    match given.iter().find(|(_, given)| *given == Some(true)) {
        Some((name, _)) => bail!("`{name}` is for components, and this is a core module"),
        None => Ok(()),
    }
}

/// What options ask of the compiler alone, and no engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// On how many threads to compile, if that is said.
    threads: Option<NonZero<usize>>,
    spectre: bool,
    nan_canonicalization: bool,
}

impl Compiling {
    /// What these and the common options choose: as many threads as `--compile-threads` says, or one with
    /// `-C parallel-compilation=n`; canonical NaNs with `-W nan-canonicalization`. Takes it out of the common options,
    /// from which an engine can be made then: Wasmtime without a compiler knows no such settings.
    pub(crate) fn choose(&self, common: &mut CommonOptions) -> Chosen {
        let parallel = common.codegen.parallel_compilation.take();
        let one = if parallel == Some(false) { NonZero::new(1) } else { None };
        Chosen {
            threads: self.compile_threads.or(one),
            spectre: self.spectre.unwrap_or(true),
            nan_canonicalization: common.wasm.nan_canonicalization.take().unwrap_or(false),
        }
    }
}

impl Chosen {
    /// The compiler for an engine.
    pub(crate) fn compiler(self, engine: &Engine) -> Result<Compiler> {
        let compiler =
            Compiler::for_engine(engine)?.spectre(self.spectre).nan_canonicalization(self.nan_canonicalization);
        Ok(match self.threads {
            Some(threads) => compiler.threads(threads.get()),
            None => compiler,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(change: impl FnOnce(&mut CommonOptions, &mut Compiling)) -> Chosen {
        let (mut common, mut compiling) = (CommonOptions::new(), Compiling { compile_threads: None, spectre: None });
        change(&mut common, &mut compiling);
        let chosen = compiling.choose(&mut common);
        assert_eq!((common.codegen.parallel_compilation, common.wasm.nan_canonicalization), (None, None));
        chosen
    }

    #[test]
    fn threads_are_asked_for_in_two_ways() {
        let threads = |parallel, threads| {
            let chosen = chosen(|common, compiling| {
                common.codegen.parallel_compilation = parallel;
                compiling.compile_threads = NonZero::new(threads);
            });
            chosen.threads.map(NonZero::get)
        };
        assert_eq!(threads(None, 0), None);
        assert_eq!(threads(Some(true), 0), None);
        assert_eq!(threads(Some(false), 0), Some(1));
        assert_eq!(threads(Some(true), 3), Some(3));
        assert_eq!(threads(None, 3), Some(3));
    }

    #[test]
    fn nans_are_canonical_if_that_is_asked_for() {
        let canonical = |on| chosen(|common, _| common.wasm.nan_canonicalization = on).nan_canonicalization;
        assert_eq!([None, Some(false), Some(true)].map(canonical), [false, false, true]);
    }
}
