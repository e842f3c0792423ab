//! A stream of what its first bytes say that it is: a core module or a component.

use crate::Compiler;
use crate::stream::ModuleStream;
use crate::stream::component_stream::ComponentStream;
use lightbeam_environ::artifact::Artifact;
use lightbeam_environ::input::kind::{HEADER, Kind};
use lightbeam_environ::input::translate::{self, MAGIC};
use lightbeam_environ::stream::{into_bytes, whole, whole_component};
use lightbeam_environ::{Error, Progress, Report};
use wasmtime::Module;
use wasmtime::component::Component;

/// What [`Stream::finish`] gives: what was compiled, loaded.
#[derive(Clone, Debug)]
pub enum Compiled {
    /// A core module.
    Module(Module),
    /// A component.
    Component(Component),
}

impl Compiled {
    /// The core module, if it is one.
    #[must_use]
    pub fn module(self) -> Option<Module> {
        match self {
            Compiled::Module(module) => Some(module),
            Compiled::Component(_) => None,
        }
    }

    /// The component, if it is one.
    #[must_use]
    pub fn component(self) -> Option<Component> {
        match self {
            Compiled::Component(component) => Some(component),
            Compiled::Module(_) => None,
        }
    }
}

/// A module or a component under compilation while its bytes arrive: which of the two it is, they say themselves.
///
/// As [`ModuleStream`] and [`ComponentStream`] otherwise. What takes but one of the two should use the stream of that
/// one, which refuses the other when its first bytes are there.
///
/// ```
/// use lightbeam::{Compiled, Compiler};
///
/// # fn main() -> wasmtime::Result<()> {
/// let compiler = Compiler::new(&wasmtime::Config::new())?;
/// let mut stream = compiler.stream();
/// for chunk in b"\0asm\x0d\0\x01\0".chunks(3) {
///     stream.push(chunk)?;
/// }
/// match stream.finish()? {
///     Compiled::Component(component) => drop(component),
///     Compiled::Module(_) => unreachable!("the seventh byte says that it is a component"),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Stream {
    compiler: Compiler,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "one per stream, and moved about little")]
enum State {
    /// What has come so far does not tell: it is too little, or text, of which all must be there.
    Unknown(Vec<u8>),
    Module(ModuleStream),
    Component(ComponentStream),
}

impl Stream {
    pub(crate) fn new(compiler: Compiler) -> Stream {
        Stream { compiler, state: State::Unknown(Vec::new()) }
    }

    /// Takes the next bytes and has every function compiled that they complete: here, or for a module worth it by
    /// threads, for which this does not wait.
    ///
    /// # Errors
    ///
    /// If what has come so far is invalid or unsupported. The stream is then at its end: further calls give the same
    /// error. An error in a function that threads compile may only show in a later call.
    pub fn push(&mut self, bytes: &[u8]) -> wasmtime::Result<Progress> {
        let begun = match &mut self.state {
            State::Module(stream) => return stream.push(bytes),
            State::Component(stream) => return stream.push(bytes),
            State::Unknown(begun) => begun,
        };
        begun.extend_from_slice(bytes);
        translate::check_start(&self.compiler.settings, begun)?;
        let begun = match Kind::of(begun) {
            Some(kind) => {
                let bytes = std::mem::take(begun);
                self.begin(kind);
                return self.push(&bytes);
            }
            None => begun,
        };
        let mut progress = Progress::default();
        progress.bytes = begun.len();
        Ok(progress)
    }

    fn begin(&mut self, kind: Kind) {
        self.state = match kind {
            Kind::Module => State::Module(self.compiler.module_stream()),
            Kind::Component => State::Component(self.compiler.component_stream()),
        };
    }

    /// Ends the stream, links what it has compiled and loads it.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module or component, or if Wasmtime refuses to load it.
    pub fn finish(self) -> wasmtime::Result<Compiled> {
        self.finish_timed().map(|(compiled, _)| compiled)
    }

    /// As [`finish`](Self::finish), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish`.
    pub fn finish_timed(self) -> wasmtime::Result<(Compiled, Report)> {
        let compiler = self.compiler.clone();
        self.conclude(|kind, artifact, report| match kind {
            Kind::Module => compiler.load(artifact, report).map(|(module, report)| (Compiled::Module(module), report)),
            Kind::Component => {
                compiler.load(artifact, report).map(|(component, report)| (Compiled::Component(component), report))
            }
        })
    }

    /// Ends the stream and links what it has compiled into an artifact for [`Module::deserialize`] or
    /// [`Component::deserialize`]; [`wasmtime::Engine::detect_precompiled`] says for which.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module or component.
    pub fn finish_artifact(self) -> wasmtime::Result<Vec<u8>> {
        self.finish_artifact_timed().map(|(artifact, _)| artifact)
    }

    /// As [`finish_artifact`](Self::finish_artifact), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish_artifact`.
    pub fn finish_artifact_timed(self) -> wasmtime::Result<(Vec<u8>, Report)> {
        self.conclude(|_, artifact, report| into_bytes(artifact, report))
    }

    fn conclude<T>(self, done: impl FnOnce(Kind, Artifact<'_>, Report) -> wasmtime::Result<T>) -> wasmtime::Result<T> {
        let bytes = match self.state {
            State::Module(stream) => return stream.conclude(|artifact, report| done(Kind::Module, artifact, report)),
            State::Component(stream) => {
                return stream.conclude(|artifact, report| done(Kind::Component, artifact, report));
            }
            State::Unknown(bytes) => bytes,
        };
        if bytes.starts_with(MAGIC) {
            let message = format!("unexpected end: the first {HEADER} bytes say what a binary is");
            return Err(Error::invalid(message, Some(bytes.len())).into());
        }
        let wasm = translate::binary(&self.compiler.settings, &bytes)?;
        let settings = &self.compiler.settings;
        let done = match Kind::of(&wasm) {
            Some(Kind::Component) => whole_component::whole(settings, &wasm, true, |artifact, report| {
                done(Kind::Component, artifact, report)
            }),
            _ => whole(settings, &wasm, true, |artifact, report| done(Kind::Module, artifact, report)),
        };
        translate::placed(done, &bytes, &wasm)
    }
}
