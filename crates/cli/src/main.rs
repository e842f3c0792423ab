//! The `lightbeam` command line: which subcommand was meant, and how its error is shown.

use clap::Parser;
use lightbeam_cli::{CompileCommand, ObjdumpCommand, RunCommand, ServeCommand, VerifyCommand, WastCommand};
use std::process::ExitCode;
use wasmtime::Result;

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
}

fn main() -> ExitCode {
    let arguments = Lightbeam::parse();
    let done: Result<ExitCode> = match arguments.subcommand.unwrap_or(Subcommand::Run(arguments.run)) {
        Subcommand::Run(command) => command.execute(),
        Subcommand::Serve(command) => command.execute(),
        Subcommand::Compile(command) => command.execute(),
        Subcommand::Wast(command) => command.execute(),
        Subcommand::Objdump(command) => command.execute(),
        Subcommand::Verify(command) => command.execute(),
    };
    done.unwrap_or_else(|error| {
        lightbeam_cli::show_error(&error);
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Lightbeam::command().debug_assert();
    }
}
