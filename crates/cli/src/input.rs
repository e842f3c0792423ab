//! From a path or standard input to an artifact: what the bytes are, and clear words when they are nothing we know.

use lightbeam::{Compiler, Report};
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
    pub(crate) fn ensure_trusted(&self, trusted: bool) -> Result<()> {
        if self.report.is_none() && !trusted {
            bail!("running what was compiled earlier requires the `--allow-precompiled` flag");
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

/// Reads a program, from standard input if the path is `-`, and compiles it unless it is compiled.
pub(crate) fn compile(compiler: &Compiler, path: &Path) -> Result<Artifact> {
    if path == Path::new("-") {
        return compile_stream(compiler, &mut std::io::stdin().lock()).context("failed to compile standard input");
    }
    compile_bytes(compiler, path, read(path)?).with_context(|| format!("failed to compile `{}`", path.display()))
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
    if is_artifact(&bytes) {
        return precompiled(bytes);
    }
    let bytes = binary(path, bytes)?;
    compiled(match Kind::of(&bytes) {
        Kind::Component => {
            ensure_components(compiler)?;
            compiler.precompile_component_timed(bytes)?
        }
        _ => compiler.precompile_timed(bytes)?,
    })
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
    match Engine::detect_precompiled(&bytes) {
        Some(Precompiled::Module | Precompiled::Component) => Ok(Artifact { bytes, report: None }),
        None => bail!("this is an ELF file, but not a module compiled for Wasmtime"),
    }
}

fn from_text(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.is_empty() {
        bail!("it is empty");
    }
    if !bytes.iter().all(|b| matches!(b, b'\t' | b'\n' | b'\r' | b' '..)) || std::str::from_utf8(bytes).is_err() {
        bail!("this is neither a WebAssembly binary, which starts with `\\0asm`, nor WebAssembly text");
    }
    Ok(wat::Parser::new().parse_bytes(Some(path), bytes).map_err(wasmtime::Error::new)?.into_owned())
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
