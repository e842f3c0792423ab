//! The `lightbeam` command line: which subcommand was meant, and how its error is shown.

use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use lightbeam_cli::{
    CompileCommand, ConfigCommand, ObjdumpCommand, RunCommand, ServeCommand, SettingsCommand, VerifyCommand,
    WastCommand,
};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;
use wasmtime::{Result, format_err};

const EXAMPLES: &str = "\
Without a subcommand, `run` is meant.

Examples:
  lightbeam program.wasm one two         run a WASI program with two arguments
  lightbeam run --dir . program.wasm     let it see the current directory
  lightbeam run --invoke add f.wat 1 2   call an exported function
  lightbeam run --invoke 'add(1, 2)' c.wasm    … of a component
  lightbeam serve --addr 127.0.0.1:8080 handler.wasm
  curl -s $URL | lightbeam run -         compile while the bytes arrive
  lightbeam run --time program.wasm      show what compiling cost
  lightbeam compile program.wasm -o program.cwasm
  lightbeam verify program.cwasm --wasm program.wasm
  lightbeam objdump --func main program.wasm";

/// Runs WebAssembly programs on Wasmtime, compiled by Lightbeam.
#[derive(Parser)]
#[command(
    name = "lightbeam",
    version,
    after_help = EXAMPLES,
    // Parse once looking for a subcommand and, where there is none, as `run`.
    args_conflicts_with_subcommands = true
)]
struct Lightbeam {
    #[command(subcommand)]
    subcommand: Option<Subcommand>,
    #[command(flatten)]
    run: RunCommand,
}

#[derive(Parser)]
enum Subcommand {
    Run(RunCommand),
    Serve(ServeCommand),
    Compile(CompileCommand),
    Wast(WastCommand),
    Objdump(ObjdumpCommand),
    Verify(VerifyCommand),
    Config(ConfigCommand),
    Settings(SettingsCommand),
    Completion(CompletionCommand),
}

/// Commands of Wasmtime's that Lightbeam does not have, and what there is instead.
const WASMTIMES: [(&str, &str); 4] = [
    ("explore", "`lightbeam objdump` shows operators beside their code"),
    ("hot-blocks", "`perf` finds them in a run with `--profile=jitdump`"),
    ("wizer", "`wasmtime wizer` gives a module that Lightbeam compiles like any other"),
    ("replay", "recording and replaying is not supported by Lightbeam"),
];

/// The error of a command of Wasmtime's that Lightbeam does not have. A file of such a name is run by `lightbeam run`.
fn refusal(arguments: &[OsString]) -> Option<wasmtime::Error> {
    let given = arguments.get(1)?;
    let (name, instead) = WASMTIMES.iter().find(|(name, _)| given == name)?;
    Some(format_err!(
        "`{name}` is a command of Wasmtime's that Lightbeam does not have: {instead}\n\
         (`lightbeam run {name}` runs a file of that name)"
    ))
}

/// Prints what completes commands and flags in a shell.
///
/// For bash, for example: `lightbeam completion bash > ~/.local/share/bash-completion/completions/lightbeam`.
#[derive(Parser)]
struct CompletionCommand {
    /// For which shell.
    shell: clap_complete::Shell,
}

impl CompletionCommand {
    fn execute(&self) -> Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "lightbeam", &mut script);
        lightbeam_cli::print(&script).map(|()| ExitCode::SUCCESS)
    }
}

/// The groups of Wasmtime's options: the name that arguments have for it, and its letter.
const GROUPS: [(&str, char); 6] = [
    ("opts_raw", 'O'),
    ("codegen_raw", 'C'),
    ("debug_raw", 'D'),
    ("wasm_raw", 'W'),
    ("wasi_raw", 'S'),
    ("record_raw", 'R'),
];

/// The command line, with what is shown of Wasmtime's flags in words that are right here.
fn command() -> Command {
    let mut command = corrected(Lightbeam::command());
    for subcommand in command.get_subcommands_mut() {
        *subcommand = corrected(std::mem::take(subcommand));
    }
    command
}

fn corrected(command: Command) -> Command {
    let has = |name| command.get_arguments().any(|arg| arg.get_id() == name);
    let (target, record) = (has("target"), has("record_raw"));
    let command = if target { command.mut_arg("target", |arg| arg.help(TARGET)) } else { command };
    // An error whatever it asks for.
    if record { command.mut_arg("record_raw", |arg| arg.hide(true)) } else { command }
}

const TARGET: &str = "The machine to compile for, which can only be the one that it runs on";

/// Of which groups a list is asked for, by `-C help` and the like, in a command line that begins so. Wasmtime prints it
/// and ends the process as soon as it is come upon.
fn lists_asked_for(arguments: &[OsString]) -> Vec<char> {
    let as_text = |arg: Arg| {
        if GROUPS.iter().any(|(id, _)| arg.get_id() == id) {
            arg.value_parser(clap::value_parser!(OsString))
        } else {
            arg
        }
    };
    let mut command = command().mut_args(as_text);
    for subcommand in command.get_subcommands_mut() {
        *subcommand = std::mem::take(subcommand).mut_args(as_text);
    }
    let Ok(matches) = command.ignore_errors(true).try_get_matches_from(arguments) else { return Vec::new() };
    let of_subcommand = matches.subcommand().map(|(_, matches)| matches);
    let asks = |matches: &ArgMatches, id: &str| {
        let given = matches.try_get_raw(id).ok().flatten();
        given.into_iter().flatten().any(|value| value == "help" || value == "help-long")
    };
    let asked = |id: &str| [Some(&matches), of_subcommand].into_iter().flatten().any(|matches| asks(matches, id));
    GROUPS.iter().filter(|(id, _)| asked(id)).map(|(_, letter)| *letter).collect()
}

/// Ends the process with an error of the command line, or with what it asks to be shown.
fn end_with(error: &clap::Error) -> ! {
    // Wasmtime shows where in its own code it could not read an option.
    if let Some((said, _)) = error.to_string().split_once("\nStack backtrace:") {
        let _ = writeln!(io::stderr(), "{}", said.trim_end());
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(error) = refusal(&arguments) {
        lightbeam_cli::show_error(&error);
        return ExitCode::FAILURE;
    }
    if arguments.iter().any(|argument| argument.as_encoded_bytes().windows(4).any(|word| word == b"help")) {
        for group in lists_asked_for(&arguments) {
            lightbeam_cli::print_refused(group);
        }
    }
    let matches = lightbeam_cli::while_read(|| {
        command().try_get_matches_from(arguments).unwrap_or_else(|error| end_with(&error))
    });
    let Some(matches) = matches else { return ExitCode::SUCCESS };
    let arguments = Lightbeam::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command()).exit());
    let done: Result<ExitCode> = match arguments.subcommand.unwrap_or(Subcommand::Run(arguments.run)) {
        Subcommand::Run(command) => command.execute(),
        Subcommand::Serve(command) => command.execute(),
        Subcommand::Compile(command) => command.execute(),
        Subcommand::Wast(command) => command.execute(),
        Subcommand::Objdump(command) => command.execute(),
        Subcommand::Verify(command) => command.execute(),
        Subcommand::Config(command) => command.execute(),
        Subcommand::Settings(command) => command.execute(),
        Subcommand::Completion(command) => command.execute(),
    };
    done.unwrap_or_else(|error| {
        lightbeam_cli::show_error(&error);
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
