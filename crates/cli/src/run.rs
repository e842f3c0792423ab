//! `lightbeam run`: Wasmtime's own flags, engine and WASI, with the code made by Lightbeam.

use crate::guest::Guest;
use crate::input::{self, Artifact};
use crate::{flags, machine, output, report, show_error};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::Instant;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Precompiled, Result, Trap, bail};
use wasmtime_cli::commands::{CliLinker, Preloads};
use wasmtime_wasi::I32Exit;

/// The exit code of a guest that trapped: what a shell says of a program that called `abort`.
const TRAPPED: i32 = 128 + 6;

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
    /// Executes the command. Ends the process itself if the guest exits or traps, whatever of it may still wait for
    /// input.
    pub fn execute(mut self) -> Result<ExitCode> {
        let command = &mut self.wasmtime;
        command.run.common.init_logging()?;
        flags::refuse_meaningless(&mut command.run.common)?;
        let threads = flags::take_threads(&mut command.run.common, &self.compiling);
        // What is compiled already may have been made for another setting.
        if machine::limits_files() && !command.run.allow_precompiled {
            command.run.common.opts.memory_init_cow.get_or_insert(false);
        }
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
            let module = command.run.load_module(&engine, path, Some(&artifact.bytes))?.unwrap_core().clone();
            preloads.push((name.clone(), module));
        }

        let mut started = Instant::now();
        let result = machine::block_on(async {
            let (mut store, mut linker) = command.new_store_and_linker(&engine, &main)?;
            let linker = match &mut linker {
                CliLinker::Core(linker) => linker,
                CliLinker::Component(_) if !preloads.is_empty() => {
                    bail!("`--preload` cannot be used with components")
                }
                // Made by another compiler, and Wasmtime's alone.
                CliLinker::Component(_) => {
                    command.instantiate_and_run(&engine, &mut linker, &main, &mut store).await?;
                    return Ok(String::new());
                }
            };
            for (name, module) in &preloads {
                linker
                    .module_async(&mut store, name, module)
                    .await
                    .with_context(|| format!("failed to instantiate the preload `{name}`"))?;
            }
            started = Instant::now();
            let guest = Guest { command, engine: &engine, module: main.unwrap_core(), preloads: &preloads };
            guest.run(linker, &mut store).await
        });
        if self.time {
            report::print_phase("run", started.elapsed());
        }
        match result {
            Ok(results) if results.is_empty() => Ok(ExitCode::SUCCESS),
            Ok(results) => output::write(Path::new("-"), results.as_bytes()).map(|()| ExitCode::SUCCESS),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => process::exit(exit.0),
                None if error.is::<Trap>() => {
                    show_error(&error);
                    process::exit(TRAPPED)
                }
                None => Err(error),
            },
        }
    }
}

fn ensure_trusted(artifact: &Artifact, trusted: bool) -> Result<()> {
    if artifact.report.is_none() && !trusted {
        bail!("running a precompiled module requires the `--allow-precompiled` flag");
    }
    Ok(())
}
