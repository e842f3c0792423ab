//! V8's compilers, each in a Node.js process that has one module and does one thing with it again and again, whenever
//! it is asked.

use crate::programs;
use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempPath;

/// Compiles the module.
pub(crate) const COMPILE: &str = include_str!("node/compile.js");

/// Runs the module, a WASI command, as its task says.
pub(crate) const RUN: &str = include_str!("node/run.js");

/// Drives the module, a library, as the script in its task says.
pub(crate) const DRIVE: &str = include_str!("node/drive.js");

/// Calls a function that the module exports, as its task says.
pub(crate) const CALL: &str = include_str!("node/call.js");

/// The baseline compiler.
pub(crate) const LIFTOFF: &[&str] = &["--liftoff-only"];

/// The optimising compiler.
pub(crate) const TURBOFAN: &[&str] = &["--no-liftoff", "--no-wasm-tier-up"];

/// Node.js itself: what `LIGHTBEAM_NODE` names, or what `bench/fetch` got, or the one on the path.
fn program() -> PathBuf {
    let fetched = programs::folder().join("node");
    match std::env::var_os("LIGHTBEAM_NODE") {
        Some(named) => named.into(),
        None if fetched.exists() => fetched,
        None => "node".into(),
    }
}

/// A process.
pub(crate) struct Node {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The script and the module; the process reads them at some time before its first answer.
    _files: [TempPath; 2],
}

impl Node {
    /// Which Node.js and which V8 it is, if there is one.
    pub(crate) fn version() -> Option<String> {
        const SCRIPT: &str = "`Node.js ${process.versions.node} (V8 ${process.versions.v8})`";
        let output = Command::new(program()).args(["--print", SCRIPT]).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Has a script deal with a module, which is in the binary format. The script's arguments are the module's path and
    /// the task.
    pub(crate) fn new(compiler: &[&str], source: &str, wasm: &[u8], task: &Value) -> anyhow::Result<Node> {
        let file = |suffix, bytes: &[u8]| {
            let mut file = tempfile::Builder::new().suffix(suffix).tempfile()?;
            file.write_all(bytes)?;
            anyhow::Ok(file.into_temp_path())
        };
        let (script, module) = (file(".js", source.as_bytes())?, file(".wasm", wasm)?);
        let mut process = Command::new(program())
            .args(["--single-threaded", "--no-wasm-lazy-compilation", "--expose-gc", "--no-warnings"])
            .args(compiler)
            .arg(&script)
            .arg(&module)
            .arg(task.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = process.stdin.take().context("standard input is piped")?;
        let answers = BufReader::new(process.stdout.take().context("standard output is piped")?);
        Ok(Node { process, ask, answers, _files: [script, module] })
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
