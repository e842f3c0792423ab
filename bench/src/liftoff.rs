//! V8's baseline compiler, in a Node.js process that compiles one module again and again, whenever it is asked.

use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const SCRIPT: &str = include_str!("liftoff.js");

/// A process with the module in its memory.
pub(crate) struct Liftoff {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The script, which the process has read by the time of its first answer.
    _script: tempfile::TempPath,
}

impl Liftoff {
    /// The version of Node.js, if there is one on the path.
    pub(crate) fn version() -> Option<String> {
        let output = Command::new("node").arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn new(module: &Path) -> anyhow::Result<Liftoff> {
        let mut script = tempfile::Builder::new().suffix(".js").tempfile()?;
        script.write_all(SCRIPT.as_bytes())?;
        let script = script.into_temp_path();
        let mut process = Command::new("node")
            .args(["--liftoff-only", "--single-threaded", "--no-wasm-lazy-compilation", "--expose-gc"])
            .arg(&script)
            .arg(module)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = process.stdin.take().context("standard input is piped")?;
        let answers = BufReader::new(process.stdout.take().context("standard output is piped")?);
        Ok(Liftoff { process, ask, answers, _script: script })
    }

    /// Compiles the module once.
    pub(crate) fn compile(&mut self) -> anyhow::Result<Duration> {
        self.ask.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim().parse::<f64>() {
            Ok(milliseconds) => Ok(Duration::from_secs_f64(milliseconds / 1e3)),
            Err(_) => bail!("node: {}", answer.trim()),
        }
    }
}

impl Drop for Liftoff {
    fn drop(&mut self) {
        // It has nothing left to do; what it says of its end is of no interest.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
