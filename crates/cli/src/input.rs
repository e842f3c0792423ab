//! From a path or standard input to an artifact: what the bytes are, and clear words when they are nothing we know.

use crate::caret::pointed;
use crate::progress;
use crate::show::say;
use lightbeam::{ArtifactOrigin, Compiler, Report, text_to_binary};
use std::io::{ErrorKind, Read};
use std::path::Path;
use wasmtime::error::Context as _;
use wasmtime::{Engine, Precompiled, Result, WasmFeatures, bail};

/// Bytes asked of standard input at once. Small enough that compiling starts early, large enough that calls are few.
const CHUNK: usize = 64 << 10;

/// A program ready to be loaded.
pub(crate) struct Artifact {
    /// What `Module::deserialize` or `Component::deserialize` takes.
    pub(crate) bytes: Vec<u8>,
    /// What compiling cost, if that was done just now.
    pub(crate) report: Option<Report>,
}

impl Artifact {
    /// Is it one of a component?
    pub(crate) fn is_component(&self) -> bool {
        Engine::detect_precompiled(&self.bytes) == Some(Precompiled::Component)
    }

    /// Fails if it was compiled earlier and what was is not trusted.
    pub(crate) fn ensure_trusted(&self, path: &Path, trusted: bool) -> Result<()> {
        if self.report.is_none() && !trusted {
            bail!(
                "`{}` was compiled earlier, and running that requires the `--allow-precompiled` flag",
                path.display()
            );
        }
        Ok(())
    }
}

/// What the first bytes of a program say that it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Module,
    Component,
    Artifact,
    Text,
}

impl Kind {
    /// `start` is at least the first eight bytes, unless there are fewer.
    fn of(start: &[u8]) -> Kind {
        match start {
            // A component says so in the upper half of the version field.
            [0, b'a', b's', b'm', _, _, layer, _, ..] if *layer != 0 => Kind::Component,
            [0, b'a', b's', b'm', ..] => Kind::Module,
            // Cut off too early to say more; the compiler will tell.
            [0, ..] if b"\0asm".starts_with(start) => Kind::Module,
            [0x7f, b'E', b'L', b'F', ..] => Kind::Artifact,
            _ => Kind::Text,
        }
    }
}

/// Fails on a directory that a program is given and that cannot be opened, with its name.
pub(crate) fn ensure_directories(dirs: &[(String, String)]) -> Result<()> {
    for (directory, _) in dirs {
        std::fs::read_dir(directory).with_context(|| format!("failed to open the directory `{directory}`"))?;
    }
    Ok(())
}

/// Reads a program, from standard input if the path is `-`, and compiles it unless it is compiled.
pub(crate) fn compile(compiler: &Compiler, path: &Path) -> Result<Artifact> {
    if path == Path::new("-") {
        return compile_stream(compiler, &mut std::io::stdin().lock()).context("failed to compile standard input");
    }
    let bytes = read(path)?;
    let what = if is_artifact(&bytes) { "load" } else { "compile" };
    let compiled =
        compile_bytes(compiler, path, bytes).with_context(|| format!("failed to {what} `{}`", path.display()));
    let failure = compiler.get_cache().and_then(|cache| cache.statistics().last_failure);
    if let Some(failure) = failure {
        say(format!("warning: the cache is of no use: {failure}"));
    }
    compiled
}

/// The bytes of a program, from standard input if the path is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("failed to read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))
}

/// The binary form of a program given in either form. An artifact is not a program any more.
pub(crate) fn binary(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    match Kind::of(&bytes) {
        Kind::Text => from_text(path, &bytes),
        Kind::Artifact => bail!("the module is compiled already"),
        Kind::Module | Kind::Component => Ok(bytes),
    }
}

/// Is it a component in its binary form?
pub(crate) fn is_component(bytes: &[u8]) -> bool {
    Kind::of(bytes) == Kind::Component
}

/// Is it an artifact for Wasmtime, of whatever compiler?
pub(crate) fn is_artifact(bytes: &[u8]) -> bool {
    Kind::of(bytes) == Kind::Artifact
}

fn compile_bytes(compiler: &Compiler, path: &Path, bytes: Vec<u8>) -> Result<Artifact> {
    let (compiler, _shown) = progress::shown(compiler, path);
    match Kind::of(&bytes) {
        Kind::Artifact => precompiled(bytes),
        Kind::Text => {
            let wasm = from_text(path, &bytes)?;
            // What is wrong, and where in the text, is found out from the text itself.
            compile_binary(&compiler, &wasm).or_else(|_| compile_text(&compiler, path, &bytes, &wasm))
        }
        Kind::Module | Kind::Component => compile_binary(&compiler, &bytes),
    }
}

fn compile_binary(compiler: &Compiler, wasm: &[u8]) -> Result<Artifact> {
    if is_component(wasm) {
        ensure_components(compiler)?;
        return compiled(compiler.precompile_component_timed(wasm)?);
    }
    compiled(compiler.precompile_timed(wasm)?)
}

fn compile_text(compiler: &Compiler, path: &Path, text: &[u8], wasm: &[u8]) -> Result<Artifact> {
    let done = if is_component(wasm) {
        ensure_components(compiler)?;
        compiler.precompile_component_timed(text)
    } else {
        compiler.precompile_timed(text)
    };
    done.map_err(|error| pointed(error, path, text)).and_then(compiled)
}

/// Fails if components are switched off, which the compiler would say in the words of a program.
pub(crate) fn ensure_components(compiler: &Compiler) -> Result<()> {
    if !compiler.engine().get_wasm_features().contains(WasmFeatures::COMPONENT_MODEL) {
        bail!("this is a component, and `-W component-model=n` switches components off");
    }
    Ok(())
}

fn compile_stream(compiler: &Compiler, source: &mut impl Read) -> Result<Artifact> {
    let mut chunk = vec![0; CHUNK];
    let mut filled = 0;
    while filled < 8 {
        match read_some(source, &mut chunk[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    if let Kind::Artifact | Kind::Text = Kind::of(&chunk[..filled]) {
        chunk.truncate(filled);
        source.read_to_end(&mut chunk).context("failed to read")?;
        return compile_bytes(compiler, Path::new("<stdin>"), chunk);
    }
    if Kind::of(&chunk[..filled]) == Kind::Component {
        ensure_components(compiler)?;
    }
    let mut stream = compiler.stream();
    while filled != 0 {
        stream.push(&chunk[..filled])?;
        filled = read_some(source, &mut chunk)?;
    }
    compiled(stream.finish_artifact_timed()?)
}

fn compiled((bytes, report): (Vec<u8>, Report)) -> Result<Artifact> {
    Ok(Artifact { bytes, report: Some(report) })
}

fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done.context("failed to read"),
        }
    }
}

fn precompiled(bytes: Vec<u8>) -> Result<Artifact> {
    ArtifactOrigin::check(&bytes)?;
    match Engine::detect_precompiled(&bytes) {
        Some(Precompiled::Module | Precompiled::Component) => Ok(Artifact { bytes, report: None }),
        None => bail!("this is an ELF file, but not a module compiled for Wasmtime"),
    }
}

fn from_text(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.trim_ascii().is_empty() {
        bail!("it is empty");
    }
    if !bytes.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | b' '..)) || std::str::from_utf8(bytes).is_err() {
        bail!("this is neither a WebAssembly binary, which starts with `\\0asm`, nor WebAssembly text");
    }
    text_to_binary(bytes).map_err(|error| pointed(error.into(), path, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_kind() {
        assert_eq!(Kind::of(b"\0asm\x01\0\0\0\x01"), Kind::Module);
        assert_eq!(Kind::of(b"\0asm\x0d\0\x01\0"), Kind::Component);
        assert_eq!(Kind::of(b"\0asm\x01"), Kind::Module, "truncated, for the compiler to say");
        assert_eq!(Kind::of(b"\0as"), Kind::Module, "truncated as well");
        assert_eq!(Kind::of(b"\x7fELF\x02\x01"), Kind::Artifact);
        assert_eq!(Kind::of(b"(module)"), Kind::Text);
        assert_eq!(Kind::of(b""), Kind::Text);
    }

    #[test]
    fn what_is_no_module_is_named() {
        let message = |bytes: &[u8]| binary(Path::new("x"), bytes.into()).unwrap_err().to_string();
        assert!(message(b"").contains("empty"));
        assert!(message(b"\xff\xfe\0\0").contains("neither a WebAssembly binary"));
        assert!(message(b"\x7fELF").contains("compiled already"));
        assert!(message(b"(module (func").contains("x:1:"));
    }
}
