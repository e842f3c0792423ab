//! `lightbeam compile`: writes the artifact to a file, for `run --allow-precompiled` here or in Wasmtime.

use crate::{flags, input, output, report};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasmtime::{Engine, Result, bail};
use wasmtime_cli_flags::CommonOptions;

/// Compiles a module or a component to a file that `run --allow-precompiled` loads without compiling.
///
/// The file is good for this release of Lightbeam and of Wasmtime: `lightbeam` refuses one of another. `wasmtime`
/// compares no more than its major version, and the code follows the layouts of one exact release, which the file
/// names: run it with that release alone (`readelf -p .debug_lightbeam FILE.cwasm` shows it).
#[derive(clap::Parser)]
pub struct CompileCommand {
    #[command(flatten)]
    common: CommonOptions,

    /// Where to write what is compiled; `-` is standard output [default: the program's name ending in `.cwasm`].
    #[arg(short, long, value_name = "FILE.cwasm")]
    output: Option<PathBuf>,

    /// Print to standard error how long each phase of compiling took.
    #[arg(long)]
    time: bool,

    #[command(flatten)]
    compiling: flags::Compiling,

    /// Prove that the code stays in the sandbox before it is written.
    #[arg(long)]
    verify: bool,

    /// Print to standard error how large everything is and what the compiler did how often, of a component for each of
    /// its core modules; with `=functions` for each function, too.
    #[arg(long, value_name = "OF", num_args = 0..=1, require_equals = true, default_missing_value = "module")]
    counters: Option<Counted>,

    /// The module or component, binary or text; `-` compiles standard input while it arrives.
    #[arg(value_name = "FILE")]
    module: PathBuf,
}

/// Of what to print counters.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Counted {
    /// The program as a whole, and each core module of a component.
    Module,
    /// Each function, too.
    Functions,
}

impl CompileCommand {
    /// Executes the command.
    pub fn execute(mut self) -> Result<ExitCode> {
        self.common.init_logging()?;
        flags::refuse_meaningless(&mut self.common)?;
        let chosen = self.compiling.choose(&mut self.common);
        let engine = Engine::new(&self.common.config(None)?)?;
        let chosen = if self.counters.is_some() { chosen.without_cache() } else { chosen };
        let compiler = chosen
            .compiler(&engine)?
            .time_sweeps(self.time)
            .verify(self.verify)
            .count_functions(self.counters.is_some());
        let output = match self.output {
            Some(output) => output,
            None => default_output(&self.module)?,
        };
        if is_same_file(&self.module, &output) && !input::is_artifact(&input::read(&self.module)?) {
            bail!(
                "`{}` is the program itself, which is not overwritten; name another file with `-o`",
                output.display()
            );
        }
        let artifact = input::compile(&compiler, &self.module)?;
        let Some(report) = artifact.report else { bail!("`{}` is compiled already", self.module.display()) };
        output::write(&output, &artifact.bytes)?;
        if self.time {
            report::print(&report);
        }
        if let Some(counted) = self.counters {
            report::print_counters(&report, counted == Counted::Functions);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Do both paths lead to one file that is there?
fn is_same_file(one: &Path, other: &Path) -> bool {
    let number =
        |path: &Path| std::fs::metadata(path).ok().filter(|file| file.is_file()).map(|file| (file.dev(), file.ino()));
    number(one).is_some_and(|file| number(other) == Some(file))
}

fn default_output(module: &Path) -> Result<PathBuf> {
    if module == Path::new("-") {
        bail!("`-o` is needed to compile standard input");
    }
    let Some(stem) = module.file_stem() else { bail!("`{}` is not the name of a file", module.display()) };
    let mut name = OsString::from(stem);
    name.push(".cwasm");
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_goes_to_the_current_directory() {
        assert_eq!(default_output(Path::new("/a/b.wat")).unwrap(), Path::new("b.cwasm"));
        assert!(default_output(Path::new("-")).is_err());
        assert!(default_output(Path::new("..")).is_err());
    }
}
