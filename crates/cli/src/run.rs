//! `lightbeam run`: Wasmtime's own run command, flags and all, with the code made by Lightbeam.

use crate::input::{self, Artifact};
use crate::{flags, report};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Linker, Precompiled, Result, Store, bail};
use wasmtime_cli::commands::{CliLinker, Preloads};
use wasmtime_wasi::I32Exit;

/// Runs a WebAssembly module.
///
/// The flags are those of Wasmtime's command, which does the running; `--time`, `--verify` and
/// `--compile-threads` are added.
pub struct RunCommand {
    wasmtime: wasmtime_cli::commands::RunCommand,
    /// Wasmtime keeps its list of these private, and cannot load them without a compiler of its own.
    preloads: Vec<(String, PathBuf)>,
    time: bool,
    verify: bool,
    compiling: flags::Compiling,
}

impl FromArgMatches for RunCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<RunCommand, clap::Error> {
        RunCommand::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<RunCommand, clap::Error> {
        let preloads = matches.get_many::<(String, PathBuf)>("modules").unwrap_or_default().cloned().collect();
        let time = matches.get_flag("time");
        let verify = matches.get_flag("verify");
        let compiling = flags::Compiling::from_arg_matches_mut(matches)?;
        let mut wasmtime = wasmtime_cli::commands::RunCommand::from_arg_matches_mut(matches)?;
        wasmtime.preloads = Preloads::default();
        Ok(RunCommand { wasmtime, preloads, time, verify, compiling })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = RunCommand::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RunCommand {
    fn augment_args(command: Command) -> Command {
        let command = wasmtime_cli::commands::RunCommand::augment_args(command)
            .about("Runs a WebAssembly module")
            .mut_arg("allow_precompiled", |arg| {
                arg.help("Allow running modules compiled earlier, by `lightbeam compile` or Wasmtime").long_help(
                    "Allow running modules compiled earlier, by `lightbeam compile` or Wasmtime.\n\n\
                         Such a file holds machine code that is run as it is, so only pass this for files \
                         that you trust.",
                )
            })
            .mut_arg("module_and_args", |arg| {
                arg.help("The module to run, binary or text, and arguments to pass to it; `-` is standard input")
                    .long_help(
                        "The module to run, binary or text, and arguments to pass to it. `-` compiles standard \
                         input while it arrives.\n\n\
                         With `--invoke` the arguments are those of the function called.",
                    )
            })
            .arg(
                Arg::new("time")
                    .long("time")
                    .action(ArgAction::SetTrue)
                    .help("Print to standard error how long each phase of compiling took, and the run"),
            )
            .arg(
                Arg::new("verify")
                    .long("verify")
                    .action(ArgAction::SetTrue)
                    .help("Prove that code stays in the sandbox before it is run, unless it was compiled earlier"),
            );
        flags::Compiling::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        RunCommand::augment_args(command)
    }
}

impl RunCommand {
    /// Executes the command. Like Wasmtime's it ends the process itself if the guest exits or traps.
    pub fn execute(mut self) -> Result<ExitCode> {
        let command = &mut self.wasmtime;
        command.run.common.init_logging()?;
        flags::refuse_meaningless(&mut command.run.common)?;
        let threads = flags::take_threads(&mut command.run.common, &self.compiling);
        let engine = command.new_engine()?;
        let compiler = flags::compiler(&engine, threads, &self.compiling)?.time_sweeps(self.time).verify(self.verify);

        // What we hand on is always an artifact; whether one from elsewhere may be run was asked of us.
        let trusted = mem::replace(&mut command.run.allow_precompiled, true);
        let path = Path::new(&command.module_and_args[0]);
        let artifact = input::compile(&compiler, path)?;
        ensure_trusted(&artifact, trusted)?;
        let started = Instant::now();
        let main = command.run.load_module(&engine, path, Some(&artifact.bytes))?;
        if self.time {
            if let Some(report) = &artifact.report {
                report::print(report);
            }
            report::print_phase("load", started.elapsed());
        }
        drop(artifact);

        let mut preloads = Vec::new();
        for (name, path) in &self.preloads {
            let artifact = input::compile(&compiler, path)?;
            ensure_trusted(&artifact, trusted)?;
            if Engine::detect_precompiled(&artifact.bytes) != Some(Precompiled::Module) {
                bail!("`{}` is a component, which cannot be preloaded", path.display());
            }
            preloads.push((name, command.run.load_module(&engine, path, Some(&artifact.bytes))?.unwrap_core().clone()));
        }

        // As Wasmtime's command does it from here on, only that it finds no preloads of its own to compile.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let (mut store, mut linker) = command.new_store_and_linker(&engine, &main)?;
            for (name, module) in preloads {
                match &mut linker {
                    CliLinker::Core(linker) => linker
                        .module_async(&mut store, name, &module)
                        .await
                        .with_context(|| format!("failed to instantiate the preload `{name}`"))?,
                    CliLinker::Component(_) => bail!("`--preload` cannot be used with components"),
                };
            }
            let started = Instant::now();
            if self.time
                && let CliLinker::Core(linker) = &mut linker
            {
                time_exit(linker, &mut store, started)?;
            }
            command.instantiate_and_run(&engine, &mut linker, &main, &mut store).await?;
            if self.time {
                report::print_phase("run", started.elapsed());
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn ensure_trusted(artifact: &Artifact, trusted: bool) -> Result<()> {
    if artifact.report.is_none() && !trusted {
        bail!("running a precompiled module requires the `--allow-precompiled` flag");
    }
    Ok(())
}

/// Prints the time of the run when the guest exits, for Wasmtime's command ends the process then.
fn time_exit<T: 'static>(linker: &mut Linker<T>, store: &mut Store<T>, started: Instant) -> Result<()> {
    linker.allow_shadowing(true);
    for wasi in ["wasi_snapshot_preview1", "wasi_unstable"] {
        if linker.get(&mut *store, wasi, "proc_exit").is_err() {
            continue;
        }
        // The original cannot be called from here, since it wants its caller's memory; it does no more than this.
        linker.func_wrap(wasi, "proc_exit", move |code: u32| -> Result<()> {
            report::print_phase("run", started.elapsed());
            match code {
                0..126 => Err(I32Exit(code.cast_signed()).into()),
                _ => bail!("exit with invalid exit status outside of [0..126)"),
            }
        })?;
    }
    linker.allow_shadowing(false);
    Ok(())
}
