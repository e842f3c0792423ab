//! `lightbeam verify`: proves that an artifact is one of a module or a component, and that its code stays in the
//! sandbox.

use crate::{flags, input, output};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, bail};
use wasmtime_cli_flags::CommonOptions;

/// Proves that a compiled module or component is one of its source, and that its code stays in the sandbox.
///
/// Nothing of what was compiled is believed: the source is validated again, everything that does not depend on the
/// machine code is made anew and must be the same, byte for byte, and the code and its tables are proved against that.
/// The options must be those that it was compiled with.
// `-W` has a long form, too, which means something else here.
#[derive(clap::Parser)]
#[command(mut_arg("wasm_raw", |group| group.long(None::<&str>)))]
pub struct VerifyCommand {
    #[command(flatten)]
    common: CommonOptions,

    /// The module or component that it was compiled from, binary or text.
    #[arg(long, value_name = "FILE.wasm")]
    wasm: Option<PathBuf>,

    #[command(flatten)]
    compiling: flags::Compiling,

    /// The compiled module or component; `-` is standard input.
    #[arg(value_name = "FILE.cwasm")]
    artifact: PathBuf,
}

impl VerifyCommand {
    /// Executes the command.
    pub fn execute(mut self) -> Result<ExitCode> {
        self.common.init_logging()?;
        flags::refuse_meaningless(&mut self.common)?;
        let chosen = self.compiling.choose(&mut self.common);
        chosen.refuse_cache()?;
        let Some(wasm) = &self.wasm else {
            bail!(
                "`--wasm` is needed: what a compiled module says of itself, such as its types, the sizes of its \
                 memories and where its functions are, can only be proved against the module that it was compiled from"
            );
        };
        if wasm == Path::new("-") && self.artifact == Path::new("-") {
            bail!("the module and the compiled module cannot both be standard input");
        }
        let engine = Engine::new(&self.common.config(None)?)?;
        let compiler = chosen.compiler(&engine)?;
        let artifact = input::read(&self.artifact)?;
        let name = self.artifact.display();
        if !input::is_artifact(&artifact) {
            bail!("`{name}` is not a compiled module");
        }
        let module = input::binary(wasm, input::read(wasm)?);
        let module = module.with_context(|| format!("failed to read `{}`", wasm.display()))?;
        let start = Instant::now();
        let verified =
            compiler.verify_artifact(&artifact, &module).with_context(|| format!("`{name}` is not proved"))?;
        let proved = format!(
            "proved: functions {}, instructions {}, in {:.3} ms\n",
            verified.functions,
            verified.instructions,
            start.elapsed().as_secs_f64() * 1e3
        );
        output::write(Path::new("-"), proved.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
