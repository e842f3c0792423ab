//! The compilers that Wasmtime can run the code of, each with an engine of its own.

use anyhow::Context;
use cpu_time::ProcessTime;
use object::{Object, ObjectSection};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Duration;
use wasmparser::Parser;
use wasmtime::component::Component;
use wasmtime::{Collector, Config, Engine, Module, Strategy};

/// A compiler whose code Wasmtime runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Lightbeam,
    Winch,
    Cranelift,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Lightbeam, Kind::Winch, Kind::Cranelift];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Lightbeam => "Lightbeam",
            Kind::Winch => "Winch",
            Kind::Cranelift => "Cranelift",
        }
    }

    /// The word for it on the command line.
    pub(crate) fn word(self) -> String {
        self.name().to_lowercase()
    }
}

/// A compiler, ready to compile.
pub(crate) struct Backend {
    pub(crate) kind: Kind,
    /// Only if it is Lightbeam.
    lightbeam: Option<lightbeam::Compiler>,
    engine: Engine,
}

/// What compiling took and gave.
pub(crate) struct Compiled {
    pub(crate) time: Duration,
    pub(crate) artifact: Vec<u8>,
}

impl Backend {
    /// A compiler with Wasmtime's default settings, but for how many threads it may use.
    pub(crate) fn new(kind: Kind, parallel: bool) -> anyhow::Result<Backend> {
        let mut config = Config::new();
        config.parallel_compilation(parallel);
        Self::of(kind, parallel, config)
    }

    /// One on one thread, for modules with objects and exceptions, which this collector collects.
    pub(crate) fn with_collector(kind: Kind, collector: Collector) -> anyhow::Result<Backend> {
        let mut config = Config::new();
        config.parallel_compilation(false).collector(collector);
        config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
        Self::of(kind, false, config)
    }

    /// Lightbeam on one thread, with or without guards against Spectre, for memories with guard pages or without.
    pub(crate) fn with_guards(spectre: bool, pages: bool) -> anyhow::Result<Backend> {
        let mut config = Config::new();
        config.parallel_compilation(false);
        if !pages {
            config.memory_reservation(0).memory_guard_size(0);
        }
        let mut backend = Self::of(Kind::Lightbeam, false, config)?;
        backend.lightbeam = backend.lightbeam.map(|compiler| compiler.spectre(spectre));
        Ok(backend)
    }

    /// Lightbeam on one thread, with canonical NaNs or without.
    pub(crate) fn with_nans(canonical: bool) -> anyhow::Result<Backend> {
        let mut config = Config::new();
        config.parallel_compilation(false).cranelift_nan_canonicalization(canonical);
        Self::of(Kind::Lightbeam, false, config)
    }

    /// A backend that proves all that it compiles if it is Lightbeam.
    pub(crate) fn proving(self) -> Backend {
        Backend { lightbeam: self.lightbeam.map(|compiler| compiler.verify(true)), ..self }
    }

    fn of(kind: Kind, parallel: bool, mut config: Config) -> anyhow::Result<Backend> {
        match kind {
            Kind::Lightbeam => {}
            Kind::Winch => drop(config.strategy(Strategy::Winch)),
            Kind::Cranelift => drop(config.strategy(Strategy::Cranelift)),
        }
        let engine = Engine::new(&config)?;
        let lightbeam = match kind {
            Kind::Lightbeam => {
                let compiler = lightbeam::Compiler::for_engine(&engine)?;
                Some(if parallel { compiler } else { compiler.threads(1) })
            }
            Kind::Winch | Kind::Cranelift => None,
        };
        Ok(Backend { kind, lightbeam, engine })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// From the bytes of a module or a component to the bytes of an artifact.
    pub(crate) fn compile(&self, bytes: &[u8]) -> anyhow::Result<Compiled> {
        let start = ProcessTime::now();
        let artifact = match (&self.lightbeam, Parser::is_component(bytes)) {
            (Some(lightbeam), false) => lightbeam.precompile(bytes)?,
            (Some(lightbeam), true) => lightbeam.precompile_component(bytes)?,
            (None, false) => self.engine.precompile_module(bytes)?,
            (None, true) => self.engine.precompile_component(bytes)?,
        };
        Ok(Compiled { time: start.elapsed(), artifact })
    }

    /// What Lightbeam, if it is Lightbeam, says of its own work. To measure that costs a little itself, so `compile`
    /// does without.
    pub(crate) fn report(&self, bytes: &[u8]) -> anyhow::Result<Option<lightbeam::Report>> {
        let Some(lightbeam) = &self.lightbeam else { return Ok(None) };
        let lightbeam = lightbeam.clone().time_sweeps(true);
        let (_, report) = match Parser::is_component(bytes) {
            true => lightbeam.precompile_component_timed(bytes)?,
            false => lightbeam.precompile_timed(bytes)?,
        };
        Ok(Some(report))
    }

    /// A module to run, whose code has been proved if it is Lightbeam's. Not for what is timed.
    pub(crate) fn proved(&self, bytes: &[u8]) -> anyhow::Result<Module> {
        match &self.lightbeam {
            Some(lightbeam) => Ok(lightbeam.clone().verify(true).module(bytes)?),
            None => self.module(bytes),
        }
    }

    /// From the bytes of a module to a module, the way an embedder would.
    pub(crate) fn module(&self, bytes: &[u8]) -> anyhow::Result<Module> {
        Ok(match &self.lightbeam {
            Some(lightbeam) => lightbeam.module(bytes)?,
            None => Module::from_binary(&self.engine, bytes)?,
        })
    }
}

impl Backend {
    /// From the bytes of a component to a component, the way an embedder would.
    pub(crate) fn component(&self, bytes: &[u8]) -> anyhow::Result<Component> {
        Ok(match &self.lightbeam {
            Some(lightbeam) => lightbeam.component(bytes)?,
            None => Component::from_binary(&self.engine, bytes)?,
        })
    }

    /// A component to run, whose code has been proved if it is Lightbeam's. Not for what is timed.
    pub(crate) fn proved_component(&self, bytes: &[u8]) -> anyhow::Result<Component> {
        match &self.lightbeam {
            Some(lightbeam) => Ok(lightbeam.clone().verify(true).component(bytes)?),
            None => self.component(bytes),
        }
    }
}

/// Bytes of machine code in an artifact, functions and trampolines alike: its text section, without what fills up the
/// last page.
pub(crate) fn text_bytes(artifact: &[u8]) -> anyhow::Result<u64> {
    let file = object::File::parse(artifact)?;
    let text = file.section_by_name(".text").context("the artifact has no text")?.data()?;
    let fill = text.last().copied().unwrap_or_default();
    Ok(text.iter().rposition(|&byte| byte != fill).map_or(0, |last| last as u64 + 1))
}

/// What `perf report` reads to name functions.
pub(crate) fn write_perf_map(module: &Module) -> anyhow::Result<()> {
    let mut map = BufWriter::new(File::create(format!("/tmp/perf-{}.map", std::process::id()))?);
    let text = module.text().as_ptr().addr();
    for func in module.functions() {
        let (index, name) = (func.index.as_u32(), func.name.as_deref().unwrap_or(""));
        writeln!(map, "{:x} {:x} f{index} {name}", text + func.offset, func.len)?;
    }
    Ok(map.flush()?)
}
