//! V8's compilers, each in a Node.js process that has one module and does one thing with it again and again, whenever it
//! is asked.

use anyhow::{Context, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempPath;

/// Compiles the module, the only argument.
pub(crate) const COMPILE: &str = include_str!("node/compile.js");

/// Runs the module, the first argument, in the folder that is the second, printing to the file that is the third.
pub(crate) const RUN: &str = include_str!("node/run.js");

/// The baseline compiler.
pub(crate) const LIFTOFF: &[&str] = &["--liftoff-only"];

/// The optimising compiler.
pub(crate) const TURBOFAN: &[&str] = &["--no-liftoff", "--no-wasm-tier-up"];

/// A process.
pub(crate) struct Node {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The script; the process reads it at some time before its first answer.
    _script: TempPath,
}

impl Node {
    /// The version of Node.js, if there is one on the path.
    pub(crate) fn version() -> Option<String> {
        let output = Command::new("node").arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn new(compiler: &[&str], source: &str, args: &[&OsStr]) -> anyhow::Result<Node> {
        let mut script = tempfile::Builder::new().suffix(".js").tempfile()?;
        script.write_all(source.as_bytes())?;
        let script = script.into_temp_path();
        let mut process = Command::new("node")
            .args(["--single-threaded", "--no-wasm-lazy-compilation", "--expose-gc", "--no-warnings"])
            .args(compiler)
            .arg(&script)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = process.stdin.take().context("standard input is piped")?;
        let answers = BufReader::new(process.stdout.take().context("standard output is piped")?);
        Ok(Node { process, ask, answers, _script: script })
    }

    /// Has it done once; the answer is the time that it took.
    pub(crate) fn turn(&mut self) -> anyhow::Result<Duration> {
        self.ask.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim().parse::<f64>() {
            Ok(milliseconds) => Ok(Duration::from_secs_f64(milliseconds / 1e3)),
            Err(_) => bail!("node: {}", answer.trim()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It has nothing left to do; what it says of its end is of no interest.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
