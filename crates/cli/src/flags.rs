//! Wasmtime's option groups are taken as they are; this says which of their options mean nothing without Cranelift, in
//! words of our own rather than "disabled at compile time".

use crate::config;
use clap::{Arg, ArgAction};
use lightbeam::Compiler;
use std::num::NonZero;
use wasmtime::{Engine, Inlining, Result, bail};
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

/// Wasmtime's flag `--profile` in words that are right here.
pub(crate) fn profile(arg: Arg) -> Arg {
    arg.help("Have a profiler find the code: `perfmap`, `jitdump`, `vtune` or `guest`").long_help(
        "Have a profiler find the code: `perfmap` and `jitdump` are for `perf`, `vtune` for VTune.\n\n\
         `guest` looks at the program's stack by itself, and writes a profile that https://profiler.firefox.com shows: \
         `--profile guest[,PATH[,INTERVAL]]`, which are `wasmtime-guest-profile.json` and `10ms` if nothing else is said.",
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

/// An option of Wasmtime's that is an error when it asks for something.
struct Refused {
    /// Its group's letter, or `-` of an option that is in none.
    group: char,
    name: &'static str,
    /// What is said of it, behind its name.
    why: &'static str,
    asked: fn(&CommonOptions) -> bool,
}

const OF_CRANELIFT: &str = "is a setting of Cranelift, which is not in this program";
const UNSUPPORTED: &str = "is not supported by Lightbeam";
const RECORDS: &str = "asks for recording and replaying, which is not supported by Lightbeam";
const OF_DEBUGGER: &str = "makes no sense here: it is for what `-D debugger` runs";
const DEBUGGER: &str = "is for debuggers that are components, which need `-D guest-debug` and are not supported by Lightbeam; \
                        `-D debug-info` is for gdb and lldb";

/// Options that are refused, in the order in which they are looked at.
const REFUSED: [Refused; 19] = [
    Refused {
        group: 'C',
        name: "compiler",
        why: "makes no sense here: Lightbeam is the only compiler in this program",
        asked: |common| common.codegen.compiler.is_some(),
    },
    Refused {
        group: 'C',
        name: "cranelift-enable_heap_access_spectre_mitigation",
        why: "is a setting of Cranelift, which is not in this program; here it is `--spectre`",
        asked: |common| is_cranelift(common, "enable_heap_access_spectre_mitigation"),
    },
    Refused {
        group: 'C',
        name: "cranelift-enable_table_access_spectre_mitigation",
        why: "is a setting of Cranelift, which is not in this program; here it is `--spectre`",
        asked: |common| is_cranelift(common, "enable_table_access_spectre_mitigation"),
    },
    Refused {
        group: 'C',
        name: "cranelift-debug-verifier",
        why: OF_CRANELIFT,
        asked: |common| common.codegen.cranelift_debug_verifier == Some(true),
    },
    Refused {
        group: 'C',
        name: "cranelift-<KEY>",
        why: OF_CRANELIFT,
        asked: |common| !common.codegen.cranelift.is_empty(),
    },
    Refused {
        group: 'C',
        name: "inlining",
        why: "makes no sense here: Lightbeam does not inline functions",
        asked: |common| common.codegen.inlining.is_some_and(|inlining| inlining != Inlining::No),
    },
    Refused {
        group: 'O',
        name: "opt-level",
        why: "makes no sense here: Lightbeam has one level of optimisation",
        asked: |common| common.opts.opt_level.is_some(),
    },
    Refused {
        group: 'O',
        name: "regalloc-algorithm",
        why: OF_CRANELIFT,
        asked: |common| common.opts.regalloc_algorithm.is_some(),
    },
    Refused { group: 'W', name: "wmemcheck", why: UNSUPPORTED, asked: |common| common.wasm.wmemcheck == Some(true) },
    Refused {
        group: 'D',
        name: "guest-debug",
        why: "is not supported by Lightbeam; `-D debug-info` is for gdb and lldb",
        asked: |common| common.debug.guest_debug == Some(true),
    },
    Refused { group: 'D', name: "debugger", why: DEBUGGER, asked: |common| common.debug.debugger.is_some() },
    Refused { group: 'D', name: "arg", why: OF_DEBUGGER, asked: |common| !common.debug.arg.is_empty() },
    Refused {
        group: 'D',
        name: "inherit-stdin",
        why: OF_DEBUGGER,
        asked: |common| common.debug.inherit_stdin == Some(true),
    },
    Refused {
        group: 'D',
        name: "inherit-stdout",
        why: OF_DEBUGGER,
        asked: |common| common.debug.inherit_stdout == Some(true),
    },
    Refused {
        group: 'D',
        name: "inherit-stderr",
        why: OF_DEBUGGER,
        asked: |common| common.debug.inherit_stderr == Some(true),
    },
    Refused { group: 'R', name: "path", why: RECORDS, asked: |common| common.record.path.is_some() },
    Refused {
        group: 'R',
        name: "validation-metadata",
        why: RECORDS,
        asked: |common| common.record.validation_metadata.is_some(),
    },
    Refused {
        group: 'R',
        name: "event-window-size",
        why: RECORDS,
        asked: |common| common.record.event_window_size.is_some(),
    },
    Refused {
        group: '-',
        name: "target",
        why: "makes no sense here: Lightbeam compiles for the machine that it runs on",
        asked: |common| common.target.as_ref().is_some_and(|target| !is_host(target)),
    },
];

impl Refused {
    /// The option as it is written.
    fn written(&self) -> String {
        if self.group == '-' { format!("--{}", self.name) } else { format!("-{} {}", self.group, self.name) }
    }
}

fn is_cranelift(common: &CommonOptions, name: &str) -> bool {
    common.codegen.cranelift.iter().any(|(given, _)| given.replace('-', "_") == name)
}

/// Is it a name of this machine? Vendors and C libraries make no difference to code.
fn is_host(target: &str) -> bool {
    let mut parts = target.split('-');
    parts.next() == Some(std::env::consts::ARCH) && parts.any(|part| part == std::env::consts::OS)
}

/// Fails on an option that Lightbeam would have to ignore, and takes those out that ask for nothing but which Wasmtime
/// without a compiler does not know. The option groups must have been parsed already, which `init_logging` does.
pub(crate) fn refuse_meaningless(common: &mut CommonOptions) -> Result<()> {
    if let Some(refused) = REFUSED.iter().find(|refused| (refused.asked)(common)) {
        let key = common.codegen.cranelift.first().map_or("…", |(name, _)| name);
        bail!("`{}` {}", refused.written().replace("<KEY>", key), refused.why);
    }
    let CommonOptions { codegen, debug, wasm, target, .. } = common;
    (codegen.inlining, codegen.cranelift_debug_verifier, debug.guest_debug, wasm.wmemcheck) = (None, None, None, None);
    (debug.inherit_stdin, debug.inherit_stdout, debug.inherit_stderr) = (None, None, None);
    *target = None;
    Ok(())
}

/// Which options of a group are refused, to be said ahead of Wasmtime's list of the group; none if all of them work.
pub(crate) fn refused_of(group: char) -> Option<String> {
    let lines: Vec<String> = REFUSED
        .iter()
        .filter(|refused| refused.group == group)
        .map(|refused| format!("  {} {}\n", refused.written(), refused.why))
        .collect();
    let heading = "Of the options below, these are errors here if they ask for something:\n\n";
    if lines.is_empty() { None } else { Some(format!("{heading}{}\n", lines.concat())) }
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// Is what is compiled kept, and if so, as which file says?
    cache: Option<Option<String>>,
    /// On how many threads to compile, if that is said.
    threads: Option<NonZero<usize>>,
    spectre: bool,
    nan_canonicalization: bool,
    native_unwind_info: bool,
}

impl Compiling {
    /// What these and the common options choose: as many threads as `--compile-threads` says, or one with
    /// `-C parallel-compilation=n`; canonical NaNs with `-W nan-canonicalization`; a cache with `-C cache`. Takes it
    /// out of the common options, from which an engine can be made then: Wasmtime without a compiler knows no such
    /// settings.
    pub(crate) fn choose(&self, common: &mut CommonOptions) -> Chosen {
        let parallel = common.codegen.parallel_compilation.take();
        let one = if parallel == Some(false) { NonZero::new(1) } else { None };
        let (cache, file) = (common.codegen.cache.take(), common.codegen.cache_config.take());
        Chosen {
            cache: if cache.unwrap_or(file.is_some()) { Some(file) } else { None },
            threads: self.compile_threads.or(one),
            spectre: self.spectre.unwrap_or(true),
            nan_canonicalization: common.wasm.nan_canonicalization.take().unwrap_or(false),
            // Which an engine without a compiler of Wasmtime's own does not tell.
            native_unwind_info: common.codegen.native_unwind_info.unwrap_or(true),
        }
    }
}

impl Chosen {
    /// Has everything compiled anew.
    pub(crate) fn without_cache(self) -> Chosen {
        Chosen { cache: None, ..self }
    }

    /// Fails if a cache is asked for where nothing is compiled.
    pub(crate) fn refuse_cache(&self) -> Result<()> {
        if self.cache.is_some() {
            bail!("`-C cache` makes no sense here: nothing is compiled");
        }
        Ok(())
    }

    /// The compiler for an engine.
    pub(crate) fn compiler(&self, engine: &Engine) -> Result<Compiler> {
        let mut compiler =
            Compiler::for_engine(engine)?.spectre(self.spectre).nan_canonicalization(self.nan_canonicalization);
        compiler = compiler.native_unwind_info(self.native_unwind_info);
        if let Some(file) = &self.cache {
            compiler = compiler.cache(&config::cache(file.as_deref())?);
        }
        Ok(match self.threads {
            Some(threads) => compiler.threads(threads.get()),
            None => compiler,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_this_machine_are_known() {
        for host in ["x86_64-unknown-linux-gnu", "x86_64-linux", "x86_64-unknown-linux-musl"] {
            assert!(is_host(host), "{host}");
        }
        for other in ["aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "x86_64", "", "pulley64"] {
            assert!(!is_host(other), "{other}");
        }
    }

    #[test]
    fn lists_say_what_is_refused() {
        assert!(refused_of('S').is_none());
        let of_debug = refused_of('D').unwrap();
        assert!(of_debug.contains("  -D guest-debug is not supported by Lightbeam;"), "{of_debug}");
        assert!(refused_of('R').is_some() && refused_of('W').is_some());
    }

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
    fn a_cache_is_asked_for_in_wasmtimes_words() {
        let cache = |cache: Option<bool>, file: Option<&str>| {
            let chosen = chosen(|common, _| {
                common.codegen.cache = cache;
                common.codegen.cache_config = file.map(str::to_owned);
            });
            chosen.cache
        };
        assert_eq!([cache(None, None), cache(Some(false), None), cache(Some(false), Some("x"))], [None, None, None]);
        assert_eq!(cache(Some(true), None), Some(None));
        assert_eq!(cache(None, Some("x")), Some(Some("x".into())));
    }

    #[test]
    fn nans_are_canonical_if_that_is_asked_for() {
        let canonical = |on| chosen(|common, _| common.wasm.nan_canonicalization = on).nan_canonicalization;
        assert_eq!([None, Some(false), Some(true)].map(canonical), [false, false, true]);
    }
}
