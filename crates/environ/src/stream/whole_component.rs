//! Compiles a component that is there as a whole: all of its core modules into one text, with one set of trampolines.

use crate::border::component::Functions;
use crate::error::Error;
use crate::facts::{self, known_imports};
use crate::input::component::{self, Translated};
use crate::input::kind::{self, Kind};
use crate::input::translate;
use crate::output::artifact::{Artifact, Source};
use crate::output::link::{self, Unit};
use crate::output::place::Placer;
use crate::report::{ComponentReport, Report};
use crate::settings::Settings;
use crate::stream::component_stream::ComponentStream;
use crate::stream::linked::Linked;
use crate::work::arriving::Arriving;
use crate::work::job::{Job, Terms};
use crate::work::queue::{self, Compiled};
use crate::work::worker::Totals;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use wasmtime_environ::wasmparser::{BinaryReader, FunctionBody};
use wasmtime_environ::{FuncIndex, ModuleTranslation, ModuleTypesBuilder, ScopeVec, StaticModuleIndex};

/// Compiles a component, binary or text, that is there as a whole, and hands on the artifact: to be loaded, or not.
///
/// # Errors
///
/// If it is invalid or unsupported, and what `done` gives.
pub fn whole<T>(
    settings: &Arc<Settings>,
    bytes: &[u8],
    loads: bool,
    done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
) -> wasmtime_environ::error::Result<T> {
    let start = Instant::now();
    let wasm = translate::binary(settings, bytes)?;
    if Kind::of(&wasm) == Some(Kind::Module) {
        return Err(kind::not_a_component().into());
    }
    translate::placed(whole_binary(settings, &wasm, loads, start, done), bytes, &wasm)
}

fn whole_binary<T>(
    settings: &Arc<Settings>,
    wasm: &[u8],
    loads: bool,
    start: Instant,
    done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
) -> wasmtime_environ::error::Result<T> {
    let scope = ScopeVec::new();
    let terms = Terms::new(settings);
    let translating = Instant::now();
    let translated = component::translate_whole(settings, wasm, &scope);
    let translate = translating.elapsed();
    let prepared =
        translated.and_then(|mut translated| Ok((jobs(settings, &terms, &mut translated, wasm)?, translated)));
    let Ok((jobs, translated)) = prepared else {
        // That complains of what is wrong around the function bodies. What is wrong first, the stream finds.
        let mut stream = ComponentStream::new(settings.clone(), loads);
        stream.push(wasm)?;
        return stream.conclude(done);
    };
    let mut report = Report::default();
    report.phases.decode = start.elapsed();
    report.phases.translate = translate;

    let start = Instant::now();
    let mut batches = VecDeque::new();
    for (job, translation) in jobs.iter().zip(translated.modules.values()) {
        if job.functions() != 0 {
            let (offset, entries) = entries(translation)?;
            batches.append(&mut job.batches(offset, entries)?);
        }
    }
    let functions = jobs.last().map_or(0, |job| job.first + job.functions());
    terms.control.expect(functions, wasm.len());
    let placer = Placer::new(settings, functions as usize, loads && settings.memory_files);
    let compiled = if batches.is_empty() {
        Compiled { functions: placer, totals: Totals::default() }
    } else {
        queue::compile(&terms, batches, placer, || ())?
    };
    terms.control.look()?;
    report.phases.compile = start.elapsed();
    let compiling = Compiling { settings, jobs: &jobs, wasm_bytes: wasm.len() };
    let (artifact, report) = compiling.conclude(translated, wasm, compiled, report)?;
    done(artifact, report)
}

/// What is to be compiled, module by module.
fn jobs(
    settings: &Settings,
    terms: &Arc<Terms>,
    translated: &mut Translated<'_>,
    wasm: &[u8],
) -> wasmtime_environ::error::Result<Vec<Arc<Job>>> {
    let mut jobs = Vec::with_capacity(translated.modules.len());
    let mut adapters = 0;
    for translation in translated.modules.values_mut() {
        let is_adapter = !wasm.as_ptr_range().contains(&translation.wasm.as_ptr());
        // Offsets in adapters begin anew.
        let of_others = if is_adapter { wasm.len() + adapters } else { 0 };
        adapters += if is_adapter { translation.wasm.len() } else { 0 };
        let features = if is_adapter { component::of_adapters(settings.features) } else { settings.features };
        let types = translated.types.module_types_builder();
        let job = job(settings, terms, types, translation, &jobs, of_others, is_adapter)?;
        jobs.push(Arc::new(Job { features, ..job }));
    }
    Ok(jobs)
}

/// Compiles the modules that were made for adapters, which follow those of `jobs`, and adds theirs.
pub(crate) fn adapters(
    settings: &Settings,
    wasm_bytes: usize,
    translated: &mut Translated<'_>,
    terms: &Arc<Terms>,
    jobs: &mut Vec<Arc<Job>>,
    arriving: &mut Arriving,
) -> wasmtime_environ::error::Result<()> {
    let mut ahead = wasm_bytes;
    let types = translated.types.module_types_builder();
    let features = component::of_adapters(settings.features);
    for translation in translated.modules.values_mut().skip(jobs.len()) {
        let job = job(settings, terms, types, translation, jobs, ahead, true)?;
        let job = Arc::new(Job { features, ..job });
        ahead += translation.wasm.len();
        jobs.push(job.clone());
        if job.functions() == 0 {
            continue;
        }
        let (offset, bytes) = entries(translation)?;
        arriving.begin(job.clone(), bytes.len());
        let mut reader = BinaryReader::new_features(bytes, offset, features);
        for _ in 0..job.functions() {
            let start = reader.original_position();
            let length = reader.read_var_u32().map_err(Error::from)? as usize;
            let at = reader.original_position();
            let body = reader.read_bytes(length).map_err(Error::from)?;
            let entry = &bytes[start - offset..reader.original_position() - offset];
            arriving.push(start, entry, FunctionBody::new(BinaryReader::new_features(body, at, features)))?;
        }
    }
    Ok(())
}

/// What is to be compiled of the module that follows those of `jobs`. So many bytes of others count as ahead of it.
fn job(
    settings: &Settings,
    terms: &Arc<Terms>,
    types: &ModuleTypesBuilder,
    translation: &mut ModuleTranslation<'_>,
    jobs: &[Arc<Job>],
    ahead: usize,
    adapter: bool,
) -> wasmtime_environ::error::Result<Job> {
    let mut facts = facts::in_component(settings, translation.wasm, translation, types)?;
    if adapter {
        known_imports::add(settings, translation, &mut facts);
    }
    let first = jobs.last().map_or(0, |job| job.first + job.functions());
    Ok(Job { adapter, ..Job::new(terms.clone(), facts, translation, (first, ahead)) })
}

/// The entries of a module's code section, and at which byte of what the module came in they begin.
pub(super) fn entries<'a>(translation: &ModuleTranslation<'a>) -> Result<(usize, &'a [u8]), Error> {
    let section = translation.debuginfo.wasm_file.code_section_offset as usize;
    let within = section - translation.wasm_module_offset as usize;
    let mut entries = BinaryReader::new(&translation.wasm[within..], section);
    entries.read_var_u32()?;
    let offset = entries.original_position();
    Ok((offset, &translation.wasm[within + offset - section..]))
}

/// A component whose functions are compiled.
pub(crate) struct Compiling<'j> {
    pub(crate) settings: &'j Settings,
    pub(crate) jobs: &'j [Arc<Job>],
    pub(crate) wasm_bytes: usize,
}

impl Compiling<'_> {
    /// Links, and writes the artifact.
    pub(crate) fn conclude<'a>(
        self,
        mut translated: Translated<'a>,
        wasm: &'a [u8],
        Compiled { mut functions, totals }: Compiled,
        mut report: Report,
    ) -> wasmtime_environ::error::Result<(Artifact<'a>, Report)> {
        let Compiling { settings, jobs, wasm_bytes } = self;
        let start = Instant::now();
        report.per_function = std::mem::take(&mut functions.reports);
        for function in &mut report.per_function {
            let module = &translated.modules[StaticModuleIndex::from_u32(function.module)];
            let names = &module.debuginfo.name_section.func_names;
            function.name = names.get(&FuncIndex::from_u32(function.index)).map(|name| (*name).to_owned());
        }
        let unit = |(job, translation)| {
            let job: &Arc<Job> = job;
            Unit { facts: &job.facts, translation, first: job.first }
        };
        let units: Vec<Unit<'_>> = jobs.iter().zip(translated.modules.values()).map(unit).collect();
        let of_component = Functions {
            component: &translated.component,
            types: &translated.types,
            concurrency: settings.tunables.concurrency_support,
        };
        let types = translated.types.module_types_builder();
        let image = link::link(settings, &units, types, Some(&of_component), wasm_bytes, functions)?;
        report.functions = jobs.iter().map(|job| job.functions()).sum();
        let adapters = jobs.iter().filter(|job| job.adapter).count() as u32;
        report.component = Some(ComponentReport { modules: jobs.len() as u32 - adapters, adapters });
        let trampolines = std::mem::take(&mut translated.component.trampolines);
        let source = Source::Component(translated, wasm);
        let linked = Linked { image, source, trampolines: Some(trampolines), wasm_bytes, start };
        linked.conclude(settings, &totals, report)
    }
}
