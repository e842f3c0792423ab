//! `lightbeam run`: Wasmtime's own flags, engine and WASI, with the code made by Lightbeam.

use crate::guest::{Guest, Program};
use crate::{flags, input, machine, output, report, show_error};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::time::Instant;
use wasmtime::error::Context as _;
use wasmtime::{Result, Trap, bail};
use wasmtime_cli::commands::{CliLinker, Preloads};
use wasmtime_wasi::I32Exit;

/// The exit code of a guest that trapped: what a shell says of a program that called `abort`.
const TRAPPED: i32 = 128 + 6;

/// Runs a WebAssembly program: a module or a component.
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
            .mut_arg("allow_precompiled", flags::allow_precompiled)
            .mut_arg("profile", flags::profile)
            .mut_arg("invoke", |arg| {
                arg.help("The function to call; of a component with its arguments, as in 'add(1, 2)'").long_help(
                    "The function to call instead of the one that makes it a program.\n\n\
                         Of a module this is the name of an exported function, whose arguments follow the file.\n\n\
                         Of a component it is a call with arguments in WAVE, such as 'add(1, 2)' or \
                         'local:demo/greeter.greet(\"you\")'. A name without an interface is looked for in all \
                         exported instances.",
                )
            })
            .mut_arg("module_and_args", |arg| {
                arg.value_name("FILE")
                    .help("The program to run, binary or text, and arguments to pass to it; `-` is standard input")
                    .long_help(
                        "The program to run, a module or a component, binary or text, and arguments to pass to it. \
                         `-` compiles standard input while it arrives.\n\n\
                         With `--invoke` of a module the arguments are those of the function called.",
                    )
            })
            .arg(flags::time("Print to standard error how long each phase of compiling took, and the run"))
            .arg(flags::verify());
        // Each group of flags says what it is, the last of them of the whole.
        let about = "Runs a WebAssembly program, a module or a component";
        flags::Compiling::augment_args(command).about(about).long_about(None)
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
        let chosen = self.compiling.choose(&mut command.run.common);
        // What is compiled already may have been made for another setting.
        if machine::limits_files() && !command.run.allow_precompiled {
            command.run.common.opts.memory_init_cow.get_or_insert(false);
        }
        let engine = command.new_engine()?;
        let compiler = chosen.compiler(&engine)?.time_sweeps(self.time).verify(self.verify);

        // What we hand on is always an artifact; whether one from elsewhere may be run was asked of us.
        let trusted = mem::replace(&mut command.run.allow_precompiled, true);
        let path = Path::new(&command.module_and_args[0]);
        if command.argv0.is_none() && path.to_str().is_none() {
            // Programs are given UTF-8.
            command.argv0 = path.file_name().map(|name| name.to_string_lossy().into_owned());
        }
        let artifact = input::compile(&compiler, path)?;
        artifact.ensure_trusted(path, trusted)?;
        input::ensure_directories(&command.run.dirs)?;
        if artifact.is_component() {
            flags::refuse_of_modules(&command.run.common)?;
            if !self.preloads.is_empty() {
                bail!("`--preload` cannot be used with components");
            }
        } else {
            flags::refuse_of_components(&command.run.common)?;
        }
        let started = Instant::now();
        let load = |path: &Path, bytes: &[u8]| {
            let loaded = command.run.load_module(&engine, path, Some(bytes));
            loaded.with_context(|| format!("failed to load `{}`", path.display()))
        };
        let main = load(path, &artifact.bytes)?;
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
            artifact.ensure_trusted(path, trusted)?;
            if artifact.is_component() {
                bail!("`{}` is a component, which cannot be preloaded", path.display());
            }
            let module = load(path, &artifact.bytes)?.unwrap_core().clone();
            preloads.push((name.clone(), module));
        }

        let mut started = Instant::now();
        let result = machine::block_on(async {
            let (mut store, linker) = command.new_store_and_linker(&engine, &main)?;
            let mut program = match linker {
                CliLinker::Core(mut linker) => {
                    for (name, module) in &preloads {
                        linker
                            .module_async(&mut store, name, module)
                            .await
                            .with_context(|| format!("failed to instantiate the preload `{name}`"))?;
                    }
                    Program::Module(main.unwrap_core().clone(), linker)
                }
                CliLinker::Component(linker) => Program::Component(main.unwrap_component().clone(), linker),
            };
            started = Instant::now();
            Guest { command, engine: &engine, preloads: &preloads }.run(&mut program, &mut store).await
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
