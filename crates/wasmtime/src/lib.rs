//! Lightbeam compiles WebAssembly for [Wasmtime](https://docs.rs/wasmtime): in one pass over each function body, while
//! the module's bytes arrive, and into code that runs as fast as an optimising compiler's.
//!
//! It takes the place of Wasmtime's own compilers and of nothing else. Engines, stores, linkers and instances are
//! Wasmtime's, and what a [`Compiler`] gives is a [`wasmtime::Module`]:
//!
//! ```
//! use wasmtime::{Config, Instance, Store};
//!
//! # fn main() -> wasmtime::Result<()> {
//! let compiler = lightbeam::Compiler::new(&Config::new())?;
//! // Instead of `Module::new(&engine, …)`:
//! let module = compiler.module(
//!     r#"(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#,
//! )?;
//! let mut store = Store::new(compiler.engine(), ());
//! let instance = Instance::new(&mut store, &module, &[])?;
//! let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
//! assert_eq!(add.call(&mut store, (40, 2))?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # What it compiles
//!
//! WebAssembly 3.0, and of what is beside it: wide arithmetic, custom page sizes, and threads: shared memories, atomic
//! operators, `wait` and `notify`. Which of these a module may use is for the engine's [`Config`] to say. Modules that
//! use something else are refused with an [`Error`] that names it and where it is.
//!
//! Components are compiled as well, with all of their model but objects of the collector.
//!
//! # Platform
//!
//! x86-64 on Linux, with SSE4.2 and POPCNT; other machines do not build. The version of Wasmtime is 48; code follows
//! the layouts of the exact release that this crate is built with, and artifacts name it (see [`ArtifactOrigin`]).
//!
//! # What blocks, and what it takes
//!
//! Compiling runs on the calling thread and, for modules of 64 KiB of code and more, on threads beside it
//! ([`Compiler::threads`], [`Compiler::spawner`]); a call returns when all is done. It takes some 20 ns for each byte
//! of code, and never waits for anything but those threads and the machine. A stream's `push` compiles what fits a
//! small module itself and else hands it on without waiting; `finish` waits, links and loads. In asynchronous programs
//! that belongs on a thread for blocking work. [`Compiler::cancel_token`], [`Compiler::deadline`] and
//! [`Compiler::time_limit`] end it early.
//!
//! Time, memory and output are linear in the size of the module, whatever the module: at most 160 bytes of code for
//! each byte of a function, 2 GiB in all; what exceeds a limit is refused with [`ErrorKind::TooLarge`]. The project's
//! page of guarantees has all bounds.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `wat` | yes | modules and components in the text format |
//! | `cache` | yes | [`Cache`], artifacts kept in a directory |
//! | `gc-copying`, `gc-drc`, `gc-null` | yes | Wasmtime's collectors; without any, modules with objects are refused |
//! | `futures` | no | compiling while a `Stream` or an `AsyncRead` of the crate `futures` gives bytes |
//! | `tokio` | no | the same for Tokio's `AsyncRead` |
//!
//! A host that takes binaries alone, without collectors: `default-features = false`.

mod artifacts;
#[cfg(any(feature = "futures", feature = "tokio"))]
mod asynchronous;
#[cfg(feature = "cache")]
mod cache;
mod controlled;
mod load;
mod probe;
mod settings;
mod stream;
mod told;
mod weak;

#[cfg(feature = "cache")]
pub use cache::{Cache, CacheStatistics};
pub use lightbeam_compiler::code::Counters;
pub use lightbeam_compiler::facts::{AddressMap, CpuFeatures};
pub use lightbeam_environ::control::Work;
#[cfg(feature = "wat")]
pub use lightbeam_environ::input::translate::text_to_binary;
pub use lightbeam_environ::{
    ArtifactOrigin, CancelToken, ComponentReport, Error, ErrorKind, FunctionPlace, FunctionReport, Phases, Progress,
    Report, Verified,
};
pub use stream::ModuleStream;
pub use stream::any::{Compiled, Stream};
pub use stream::component_stream::ComponentStream;
pub use weak::WeakCompiler;

use lightbeam_environ::artifact::Artifact;
use lightbeam_environ::input::translate;
use lightbeam_environ::settings::Settings;
use lightbeam_environ::verify;
use load::Loaded;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, Module};

/// Does an engine of this process write a map of its code for `perf`? None tells, but Wasmtime opens the file with the
/// first engine that does, and keeps it open. One that only is there may be of a process that had the same number.
fn is_mapped_for_perf() -> bool {
    let map = std::path::PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
    let opened = || std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    map.exists() && opened().any(|file| std::fs::read_link(file.path()).is_ok_and(|path| path == map))
}

/// Compiles modules for one [`Engine`].
///
/// Cheap to clone, and like `Engine` it can be used from several threads at once.
#[derive(Clone, Debug)]
pub struct Compiler {
    engine: Engine,
    settings: Arc<Settings>,
    #[cfg(feature = "cache")]
    cache: Option<Cache>,
}

impl Compiler {
    /// Makes an engine of this configuration, and a compiler for it.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let mut config = wasmtime::Config::new();
    /// config.consume_fuel(true);
    /// let compiler = lightbeam::Compiler::new(&config)?;
    /// assert!(compiler.engine().get_consume_fuel());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If Wasmtime refuses the configuration, or if Lightbeam cannot serve it.
    pub fn new(config: &Config) -> wasmtime::Result<Compiler> {
        Compiler::for_engine(&Engine::new(config)?)
    }

    /// Makes a compiler for an existing engine, whose modules can then be mixed with those that the engine got
    /// otherwise.
    ///
    /// # Errors
    ///
    /// If the engine asks for code that Lightbeam does not make; [`ErrorKind::Settings`] says which setting it is.
    pub fn for_engine(engine: &Engine) -> wasmtime::Result<Compiler> {
        Compiler::with(engine, settings::of_engine(engine)?)
    }

    fn with(engine: &Engine, settings: Settings) -> wasmtime::Result<Compiler> {
        let mut settings = probe::complete(engine, settings)?;
        settings.change().memory_files = !is_mapped_for_perf();
        Ok(Compiler {
            engine: engine.clone(),
            settings: Arc::new(settings),
            #[cfg(feature = "cache")]
            cache: None,
        })
    }

    /// As [`for_engine`](Self::for_engine), for an engine that names a version of its own for artifacts
    /// ([`ModuleVersionStrategy::Custom`](wasmtime::ModuleVersionStrategy::Custom)), which nobody can ask an engine
    /// for.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// use wasmtime::{Config, Engine, ModuleVersionStrategy};
    ///
    /// let mut config = Config::new();
    /// config.module_version(ModuleVersionStrategy::Custom("my-host-7".into()))?;
    /// let engine = Engine::new(&config)?;
    /// assert!(lightbeam::Compiler::for_engine(&engine).is_err());
    /// let compiler = lightbeam::Compiler::for_engine_of_version(&engine, "my-host-7")?;
    /// # compiler.module("(module)")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the engine names another, and as `for_engine`.
    pub fn for_engine_of_version(engine: &Engine, version: &str) -> wasmtime::Result<Compiler> {
        if version.len() > usize::from(u8::MAX) {
            return Err(Error::settings("a version (`Config::module_version`) has at most 255 bytes").into());
        }
        let mut settings = settings::of_engine(engine)?;
        settings.change().module_version = version.to_owned();
        Compiler::with(engine, settings)
    }

    /// The settings, to be changed for this compiler alone.
    fn set(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings).change()
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sets which processor features the code may use. Without this it may use all that the host has; with features
    /// that the host lacks, artifacts are for other hosts, and loading them on this one is an error.
    #[must_use]
    pub fn cpu_features(mut self, cpu: CpuFeatures) -> Compiler {
        self.set().cpu = cpu;
        self
    }

    /// Sets which code offsets the address map records, from which backtraces get their offsets into the module.
    /// Without this it is [`AddressMap::Traps`], or none if the engine generates none.
    #[must_use]
    pub fn address_map(mut self, map: AddressMap) -> Compiler {
        self.set().address_map = map;
        self.set().tunables.generate_address_map = map != AddressMap::None;
        self
    }

    /// Sets whether every NaN that arithmetic gives is the canonical one, positive and with the highest bit of its
    /// payload alone, whatever NaNs went in: then a program computes the same bits on every machine. Operators that
    /// only move bits (`neg`, `abs`, `copysign`, loads, `select`, `reinterpret`) move those of NaNs, too. Without this
    /// it is as the engine's `Config::cranelift_nan_canonicalization`, which is for hosts that have Wasmtime's own
    /// compiler as well. [`Config::relaxed_simd_deterministic`](wasmtime::Config::relaxed_simd_deterministic) is what
    /// relaxed SIMD needs besides.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let contracts = lightbeam::Compiler::new(&wasmtime::Config::new())?.nan_canonicalization(true);
    /// # contracts.module("(module)")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn nan_canonicalization(mut self, on: bool) -> Compiler {
        self.set().nan_canonicalization = on;
        self
    }

    /// Sets whether artifacts say how to unwind from each instruction (`.eh_frame`), so that whoever goes through a
    /// host's frames, `std::backtrace` for example, finds those above WebAssembly. Wasmtime's own backtraces need none
    /// of it. Without this it is as `Config::native_unwind_info`, which an engine tells if it has a compiler of
    /// Wasmtime's own; else it is what that setting is by default, on.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let with = compiler.precompile("(module (func))")?;
    /// let without = compiler.native_unwind_info(false).precompile("(module (func))")?;
    /// assert!(without.len() < with.len());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn native_unwind_info(mut self, on: bool) -> Compiler {
        self.set().unwind = on;
        self
    }

    /// Sets whether the code is hardened against Spectre's first variant, a check that the processor guesses to pass.
    /// Then an access that is compared with the length of a memory, a table or the collector's heap cannot leave it
    /// on the way that was guessed, either. It is on without this, as it is in Wasmtime's own compiler, whose settings
    /// `enable_heap_access_spectre_mitigation` and `enable_table_access_spectre_mitigation` an [`Engine`] does not
    /// tell; unlike there it may be on without signals, too. Accesses that guard pages cover need and have nothing;
    /// the index of a `br_table` is always safe. The results of a program are the same either way.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let trusted = lightbeam::Compiler::new(&wasmtime::Config::new())?.spectre(false);
    /// # trusted.module("(module)")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn spectre(mut self, on: bool) -> Compiler {
        self.set().spectre = on;
        self
    }

    /// Sets whether [`Phases::survey`] and [`Phases::emit`] are measured, which takes a tenth of a microsecond for each
    /// function. Without this they are zero.
    #[must_use]
    pub fn time_sweeps(mut self, on: bool) -> Compiler {
        self.set().time_sweeps = on;
        self
    }

    /// Sets whether [`Report::per_function`] is filled in. Without this it is empty.
    #[must_use]
    pub fn count_functions(mut self, on: bool) -> Compiler {
        self.set().count_functions = on;
        self
    }

    /// Sets whether finished code is proved before it is loaded or given to anyone: a verifier, which knows nothing
    /// of the compiler, reads the machine code and shows that it cannot leave the sandbox.
    /// What it proves and what it leaves to trust is in `docs/verification.md`.
    ///
    /// On by default in builds with debug assertions, off in others.
    ///
    /// Code that cannot be proved is an error of the kind [`ErrorKind::Verification`], whatever way the module or the
    /// component was to be compiled, and a bug of Lightbeam's. The whole artifact is in memory once more while it is
    /// proved.
    ///
    /// ```no_run
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?.verify(true);
    /// let (_, report) = compiler.module_timed("(module (func (export \"f\")))")?;
    /// assert_eq!(report.verified.unwrap().functions, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn verify(mut self, on: bool) -> Compiler {
        self.set().verify = on;
        self
    }

    /// Proves that an artifact, whoever made it, is one of this module or component, in the binary or the text
    /// format, for this engine: all that does not depend on the code is made anew from the module and must be the
    /// same, byte for byte, and the code and its tables are proved as [`verify`](Self::verify) does it. Nothing of
    /// the artifact is believed.
    ///
    /// ```no_run
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let artifact = compiler.precompile("(module)")?;
    /// compiler.verify_artifact(&artifact, "(module)")?;
    /// assert!(compiler.verify_artifact(&artifact, "(module (memory 1))").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the module is invalid or unsupported; and with the kind [`ErrorKind::Verification`] if the artifact is not
    /// one of this module for this engine, or if its code cannot be proved.
    pub fn verify_artifact(&self, artifact: &[u8], module: impl AsRef<[u8]>) -> wasmtime::Result<Verified> {
        verify::foreign(&self.settings, artifact, &translate::binary(&self.settings, module.as_ref())?)
    }

    /// Sets how many threads may compile the functions of one module, at least one. Without this it is as many as the
    /// process may run at once, or one if the engine's `Config::parallel_compilation` is off. A small module is
    /// compiled on the calling thread alone, and so is any with one thread. Where fewer threads can be started, fewer
    /// compile; the calling thread always can. The number changes nothing about the result, be it an artifact or an
    /// error.
    #[must_use]
    pub fn threads(mut self, most: usize) -> Compiler {
        self.set().threads = most.max(1);
        self
    }

    /// Sets whether a module whose artifact is of half a megabyte or more may be loaded from an anonymous file in
    /// memory (`memfd_create`), which saves copying it. Without this it may, unless an engine of the process has
    /// [`ProfilingStrategy::PerfMap`](wasmtime::ProfilingStrategy::PerfMap): `perf` looks up no code in its map that
    /// comes from a file. Such a module keeps one descriptor for its life. It is copied instead where the machine
    /// refuses the file or memory for it, where the process's limit on the size of files (`RLIMIT_FSIZE`) is smaller,
    /// and where half of the descriptors that the process may have (`RLIMIT_NOFILE`) are in use. Switch it off where
    /// the system calls themselves are forbidden.
    #[must_use]
    pub fn memory_files(mut self, on: bool) -> Compiler {
        self.set().memory_files = on;
        self
    }

    /// Sets whether modules and components may be in the text format. Without this they may, where the feature `wat` is
    /// on; with `false` every way in takes the binary format alone, and refuses everything else by its first bytes.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?.text(false);
    /// assert!(compiler.precompile("(module)").is_err());
    /// assert!(compiler.module_stream().push(b"(").is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn text(mut self, taken: bool) -> Compiler {
        self.set().text = taken;
        self
    }

    /// Sets which import of a component is an instance of Wasmtime's unsafe intrinsics, as
    /// `CodeBuilder::expose_unsafe_intrinsics` does; no component has one without this. A component's compile-time
    /// builtins (`CodeBuilder::compile_time_builtins_binary`) are linked before compiling: what is compiled here is the
    /// component that comes of it. Of modules it means nothing.
    ///
    /// # Safety
    ///
    /// The intrinsics read and write any memory of the process, so every component that is compiled by this compiler
    /// and has such an import must be trusted as the host is.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let text = r#"(component (import "intrinsics" (instance
    ///     (export "u8-native-load" (func (param "pointer" u64) (result u8))))))"#;
    /// // SAFETY: it calls none of them.
    /// let component = unsafe { compiler.expose_unsafe_intrinsics("intrinsics") }.component(text)?;
    /// # drop(component);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    // SAFETY: what is asked of the caller stands above.
    pub unsafe fn expose_unsafe_intrinsics(mut self, import: impl Into<String>) -> Compiler {
        self.set().unsafe_intrinsics = Some(import.into());
        self
    }

    /// Sets how many bytes of function bodies a thread takes at once, for tests and measurements.
    #[doc(hidden)]
    #[must_use]
    pub fn batch(mut self, bytes: usize) -> Compiler {
        self.set().batch = Some(bytes.max(1));
        self
    }

    /// Sets whether code leaves garbage wherever nothing may be read, for tests: in every frame on entry, and in
    /// whatever registers and halves of registers a convention leaves undefined. Without this it does not.
    #[doc(hidden)]
    #[must_use]
    pub fn poison(mut self, on: bool) -> Compiler {
        self.set().poison = on;
        self
    }

    /// Compiles and loads a module, in the binary or the text format.
    ///
    /// # Errors
    ///
    /// If it is invalid or unsupported, or if Wasmtime refuses to load it.
    pub fn module(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<Module> {
        self.module_timed(bytes).map(|(module, _)| module)
    }

    /// Compiles and loads a module in the binary format alone.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// assert!(compiler.module_from_binary(b"\0asm\x01\0\0\0").is_ok());
    /// assert!(compiler.module_from_binary(b"(module)").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is text, and as [`module`](Self::module).
    pub fn module_from_binary(&self, binary: &[u8]) -> wasmtime::Result<Module> {
        translate::check_binary(binary, "Compiler::module")?;
        self.module(binary)
    }

    /// As [`module`](Self::module), with the costs.
    ///
    /// # Errors
    ///
    /// As `module`.
    pub fn module_timed(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Module, Report)> {
        self.obtain(bytes.as_ref())
    }

    /// Compiles a module, in the binary or the text format, to an artifact for [`deserialize`](Self::deserialize) or
    /// [`Module::deserialize`].
    ///
    /// Code in an artifact follows the layouts of the exact release of Wasmtime that this crate is built with, and so
    /// does only what that release expects. Wasmtime compares no more than its major version; `deserialize` of this
    /// crate compares all of it, and Lightbeam's version too: see [`ArtifactOrigin`].
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let artifact = compiler.precompile("(module)")?;
    /// // SAFETY: the artifact comes from the compiler and nobody has changed it.
    /// let module = unsafe { wasmtime::Module::deserialize(compiler.engine(), &artifact)? };
    /// # assert_eq!(module.exports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is invalid or unsupported.
    pub fn precompile(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<Vec<u8>> {
        self.precompile_timed(bytes).map(|(artifact, _)| artifact)
    }

    /// As [`precompile`](Self::precompile), with the costs.
    ///
    /// # Errors
    ///
    /// As `precompile`.
    pub fn precompile_timed(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Vec<u8>, Report)> {
        self.obtain_artifact::<Module>(bytes.as_ref())
    }

    /// Compiles and loads a component, in the binary or the text format.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let component = compiler.component("(component)")?;
    /// # assert_eq!(component.component_type().exports(compiler.engine()).count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is invalid or unsupported, or if Wasmtime refuses to load it.
    pub fn component(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<Component> {
        self.component_timed(bytes).map(|(component, _)| component)
    }

    /// Compiles and loads a component in the binary format alone.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// assert!(compiler.component_from_binary(b"\0asm\x0d\0\x01\0").is_ok());
    /// assert!(compiler.component_from_binary(b"(component)").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If it is text, and as [`component`](Self::component).
    pub fn component_from_binary(&self, binary: &[u8]) -> wasmtime::Result<Component> {
        translate::check_binary(binary, "Compiler::component")?;
        self.component(binary)
    }

    /// As [`component`](Self::component), with the costs.
    ///
    /// # Errors
    ///
    /// As `component`.
    pub fn component_timed(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Component, Report)> {
        self.obtain(bytes.as_ref())
    }

    /// Compiles a component, in the binary or the text format, to an artifact for
    /// [`deserialize_component`](Self::deserialize_component) or [`Component::deserialize`]. It is good for one release
    /// alone, as those of [`precompile`](Self::precompile).
    ///
    /// # Errors
    ///
    /// If it is invalid or unsupported.
    pub fn precompile_component(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<Vec<u8>> {
        self.precompile_component_timed(bytes).map(|(artifact, _)| artifact)
    }

    /// As [`precompile_component`](Self::precompile_component), with the costs.
    ///
    /// # Errors
    ///
    /// As `precompile_component`.
    pub fn precompile_component_timed(&self, bytes: impl AsRef<[u8]>) -> wasmtime::Result<(Vec<u8>, Report)> {
        self.obtain_artifact::<Component>(bytes.as_ref())
    }

    /// Compiles a module while it is read, and loads it.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let module = compiler.read(&b"\0asm\x01\0\0\0"[..])?; // or a file, or a socket
    /// # assert_eq!(module.exports().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If reading fails, and as [`module`](Self::module).
    pub fn read(&self, source: impl Read) -> wasmtime::Result<Module> {
        let mut stream = self.module_stream();
        each_chunk(source, |chunk| stream.push(chunk).map(drop))?;
        stream.finish()
    }

    /// Compiles a component while it is read, and loads it.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let component = compiler.read_component(&b"\0asm\x0d\0\x01\0"[..])?;
    /// # assert_eq!(component.component_type().exports(compiler.engine()).count(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If reading fails, and as [`component`](Self::component).
    pub fn read_component(&self, source: impl Read) -> wasmtime::Result<Component> {
        let mut stream = self.component_stream();
        each_chunk(source, |chunk| stream.push(chunk).map(drop))?;
        stream.finish()
    }

    /// Begins a module or a component whose bytes are still to come: the first of them tell which it is. A stream asks
    /// no cache, and its errors have functions by index alone: a module's names are behind its code.
    #[must_use]
    pub fn stream(&self) -> Stream {
        Stream::new(self.clone())
    }

    /// Begins a module whose bytes are still to come, as [`stream`](Self::stream).
    #[must_use]
    pub fn module_stream(&self) -> ModuleStream {
        ModuleStream::new(self.clone())
    }

    /// Begins a component whose bytes are still to come, as [`stream`](Self::stream).
    #[must_use]
    pub fn component_stream(&self) -> ComponentStream {
        ComponentStream::new(self.clone())
    }

    // Never inlined, so that profiles can tell what is Wasmtime's.
    #[inline(never)]
    fn load<L: Loaded>(&self, artifact: Artifact<'_>, mut report: Report) -> wasmtime::Result<(L, Report)> {
        let start = Instant::now();
        let loaded = load::load(&self.engine, artifact, self.settings.memory_files);
        let loaded = loaded.map_err(|error| artifacts::not_loaded(error, "what was compiled"))?;
        report.phases.load = start.elapsed();
        Ok((loaded, report))
    }
}

/// Reads all of a source, a chunk at a time.
fn each_chunk(mut source: impl Read, mut take: impl FnMut(&[u8]) -> wasmtime::Result<()>) -> wasmtime::Result<()> {
    let mut chunk = vec![0; 64 << 10];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(bytes) => take(&chunk[..bytes])?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("module", &error).into()),
        }
    }
}
