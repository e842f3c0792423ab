//! Compiles a module while its bytes arrive, and a module that is there at once by the same parts.
//!
//! Function bodies need what the sections ahead of them say. When the code section begins, those sections are
//! translated with stand-ins for what has not come yet: an empty body per function, an empty segment per data segment.
//! Each function is then compiled when its last byte is there, and its bytes are not kept. Data segments are put in
//! place as they come. What depends on the rest of the module (names, data, startup) is made by the linker from a
//! translation of the whole.

pub mod component_stream;
mod linked;
pub mod translated;
pub mod whole_component;

use crate::error::Error;
use crate::facts;
use crate::input::data::{self, DataImage};
use crate::input::kind;
use crate::input::standins;
use crate::input::translate::{self, MAGIC, Translated};
use crate::output::artifact::{Artifact, Source};
use crate::output::link::{self, Unit};
use crate::output::place::Placer;
use crate::report::{Progress, Report};
use crate::settings::Settings;
use crate::stream::linked::Linked;
use crate::work::arriving::Arriving;
use crate::work::job::{Job, Terms};
use crate::work::queue::{self, Compiled};
use crate::work::worker::Totals;
use lightbeam_compiler::facts::Facts;
use std::sync::Arc;
use std::time::Instant;
use wasmtime_environ::FuncIndex;
use wasmtime_environ::wasmparser::{BinaryReader, Chunk, Encoding, Parser, Payload};

/// A module under compilation while its bytes arrive. The result is the same for all ways to cut it into chunks, and so
/// is the error if there is one: the first in the order of the bytes.
pub struct ModuleStream {
    settings: Arc<Settings>,
    parser: Parser,
    /// What was received, but for function bodies that have been handed on: stand-ins take their place.
    bytes: Vec<u8>,
    /// How much of `bytes` has been parsed.
    parsed: usize,
    state: State,
    /// The error that ended it, which every later call repeats.
    failed: Option<Error>,
    progress: Progress,
    report: Report,
}

enum State {
    /// Ahead of the code section; what a data count section has said.
    Ahead { data_count: Option<u32> },
    /// The code section has begun.
    Code(Box<Code>),
    /// The parser has seen the end of a module without code.
    NoCode,
}

/// The code section and what comes after it.
struct Code {
    arriving: Arriving,
    job: Arc<Job>,
    /// Byte offset of the code section's content in the module.
    start: usize,
    /// Function bodies to come.
    bodies: u32,
    /// What the data section says of memory 0, which can have it.
    data: Option<DataImage>,
    /// Where in the module the next function body begins, or what follows the last stand-in.
    next: usize,
    /// Where `bytes` goes on behind the stand-ins.
    resume: usize,
    /// Has the parser seen the end of the module?
    ended: bool,
}

impl ModuleStream {
    /// One of which no byte has come.
    pub fn new(settings: Arc<Settings>) -> ModuleStream {
        let mut parser = Parser::new(0);
        parser.set_features(settings.features);
        ModuleStream {
            settings,
            parser,
            bytes: Vec::new(),
            parsed: 0,
            state: State::Ahead { data_count: None },
            failed: None,
            progress: Progress::default(),
            report: Report::default(),
        }
    }

    /// Takes the next bytes of the module and has every function compiled that they complete: here, or for a module
    /// worth it by threads, for which this does not wait.
    ///
    /// # Errors
    ///
    /// If the module is invalid or unsupported as far as it has come. The stream is then at its end: further calls
    /// give the same error. An error in a function that threads compile may only show in a later call.
    pub fn push(&mut self, bytes: &[u8]) -> wasmtime_environ::error::Result<Progress> {
        // By a quarter at a time, for doubling would hold up to twice the module.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            self.bytes.reserve_exact(bytes.len().max(self.bytes.len() / 4));
        }
        self.bytes.extend_from_slice(bytes);
        self.progress.bytes += bytes.len();
        if let Err(error) = translate::check_start(&self.settings, &self.bytes) {
            return Err(self.failed.get_or_insert(error).clone().into());
        }
        // Whether it is text shows in the first bytes. Text is compiled when all of it is there.
        let binary = self.bytes.starts_with(MAGIC);
        if binary {
            self.advance(false)?;
        }
        Ok(self.progress)
    }

    /// Ends the stream, links what it has compiled and hands on the artifact.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module, and what `done` gives.
    pub fn conclude<T>(
        mut self,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
    ) -> wasmtime_environ::error::Result<T> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        if !self.bytes.starts_with(MAGIC) {
            return whole(&self.settings, &self.bytes, true, done);
        }
        self.advance(true)?;
        self.bytes.shrink_to_fit();
        let settings = &self.settings;
        let (wasm_bytes, mut report) = (self.progress.bytes, self.report);
        let State::Code(mut code) = self.state else {
            let start = Instant::now();
            let translated = translate::translate(settings, &self.bytes)?;
            let facts = facts::of_module(settings, &self.bytes, &translated.0, &translated.1)?;
            report.phases.decode += start.elapsed();
            let compiled =
                Compiled { functions: Placer::new(settings, 0, settings.memory_files), totals: Totals::default() };
            let (artifact, report) = conclude(settings, &facts, translated, wasm_bytes, compiled, report)?;
            return done(artifact, report);
        };
        // While threads are still busy with the last functions. An error in one of those comes first all the same.
        code.arriving.flush();
        let start = Instant::now();
        let image = code.data.take().filter(|image| image.complete().is_some());
        let translated = translate::translate_with(settings, &self.bytes, image);
        report.phases.decode += start.elapsed();
        let start = Instant::now();
        let compiled = code.arriving.settle()?;
        let facts = &code.job.facts;
        report.phases.compile += start.elapsed();
        // Behind the stand-ins offsets differ from those in the module.
        let mut translated = translated.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => error.moved(code.resume, code.next).into(),
            Err(error) => error,
        })?;
        translated.0.debuginfo.wasm_file.code_section_offset = code.start as u64;
        let (artifact, report) = conclude(settings, &facts, translated, wasm_bytes, compiled, report)?;
        done(artifact, report)
    }

    fn advance(&mut self, end: bool) -> wasmtime_environ::error::Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        let start = Instant::now();
        let decoding = self.report.phases.decode;
        let result = self.parse(end).or_else(|error| self.first_error(error));
        let decoded = self.report.phases.decode - decoding;
        self.report.phases.compile += start.elapsed().saturating_sub(decoded);
        result.inspect_err(|error| {
            let known = error.downcast_ref::<Error>().cloned();
            self.failed = Some(known.unwrap_or_else(|| Error::invalid(format!("{error:#}"), None)));
        })
    }

    /// The first error in the order of the bytes, when parsing has come to `error`: functions ahead of it may still be
    /// being compiled.
    fn first_error(&mut self, error: wasmtime_environ::error::Error) -> wasmtime_environ::error::Result<()> {
        if let State::Code(code) = &mut self.state {
            code.arriving.settle()?;
        }
        Err(error)
    }

    /// Parses as far as the bytes reach; all of them, if this is the end.
    fn parse(&mut self, end: bool) -> wasmtime_environ::error::Result<()> {
        let settings = &self.settings;
        // Function bodies that have been handed on: a range of `bytes` that goes when all has been parsed.
        let mut handed = None;
        loop {
            if matches!(self.state, State::NoCode) || matches!(&self.state, State::Code(code) if code.ended) {
                // What follows a module is for the translation of the whole to complain about.
                break;
            }
            let here = self.parsed;
            // The parser gives the data section when all of it is there.
            if let State::Code(code) = &mut self.state
                && let Code { bodies: 0, data: Some(image), arriving, .. } = &mut **code
                && self.bytes.get(here) == Some(&data::SECTION)
            {
                image.advance(&self.bytes[here..]);
                arriving.prepare(image.len());
            }
            let chunk = self.parser.parse(&self.bytes[here..], end).map_err(Error::from)?;
            let (consumed, payload) = match chunk {
                Chunk::NeedMoreData(_) => break,
                Chunk::Parsed { consumed, payload } => (consumed, payload),
            };
            self.parsed += consumed;
            match payload {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    return Err(kind::not_a_module().into());
                }
                Payload::DataCountSection { count, .. } => {
                    if let State::Ahead { data_count } = &mut self.state {
                        *data_count = Some(count);
                    }
                }
                Payload::CodeSectionStart { count, range, .. } => {
                    let State::Ahead { data_count } = self.state else {
                        return Err(Error::invalid("section out of order", Some(here)).into());
                    };
                    let start = Instant::now();
                    let next = here + consumed;
                    // The section's beginning goes, the stand-ins are put in its place.
                    let mut tail = self.bytes.split_off(next);
                    self.bytes.truncate(here);
                    let (arriving, job, data) = begin(settings, &mut self.bytes, range.len(), count, data_count)?;
                    let resume = self.bytes.len();
                    self.parsed = resume;
                    self.bytes.append(&mut tail);
                    let code =
                        Code { arriving, job, start: range.start, bodies: count, data, next, resume, ended: false };
                    self.state = State::Code(Box::new(code));
                    self.progress.functions_total = Some(count);
                    self.report.phases.decode += start.elapsed();
                }
                Payload::CodeSectionEntry(body) => {
                    let State::Code(code) = &mut self.state else { unreachable!("its section has begun") };
                    code.arriving.push(code.next, &self.bytes[here..self.parsed], body)?;
                    code.next += consumed;
                    code.bodies -= 1;
                    handed = Some(self.parsed);
                }
                Payload::DataSection(_) => {
                    if let State::Code(code) = &mut self.state
                        && let Some(segments) = code.data.as_ref().and_then(DataImage::complete)
                    {
                        // The section goes, as the bodies ahead of it must first, and its stand-in is put in its place.
                        let handed = handed.take().unwrap_or(code.resume);
                        let mut tail = self.bytes.split_off(self.parsed);
                        self.bytes.truncate(here);
                        self.bytes.drain(code.resume..handed);
                        code.next += here - handed + consumed;
                        standins::data(&mut self.bytes, segments);
                        code.resume = self.bytes.len();
                        self.parsed = code.resume;
                        self.bytes.append(&mut tail);
                    }
                }
                Payload::End(_) => match &mut self.state {
                    State::Code(code) => code.ended = true,
                    state => *state = State::NoCode,
                },
                _ => {}
            }
        }
        if let State::Code(code) = &mut self.state {
            if let Some(handed) = handed {
                self.bytes.drain(code.resume..handed);
                self.parsed -= handed - code.resume;
                self.bytes.shrink_to(2 * self.bytes.len() + (1 << 20));
            }
            self.progress.functions_compiled = code.arriving.compiled()?;
        }
        Ok(())
    }
}

/// The artifact in one piece.
///
/// # Errors
///
/// If what is in a file in memory cannot be read.
pub fn into_bytes(artifact: Artifact<'_>, mut report: Report) -> wasmtime_environ::error::Result<(Vec<u8>, Report)> {
    let start = Instant::now();
    let bytes = artifact.into_bytes()?;
    report.phases.link += start.elapsed();
    Ok((bytes, report))
}

/// Translates what stands ahead of the code section, with stand-ins for the rest. Those for the code section stay.
fn begin(
    settings: &Settings,
    bytes: &mut Vec<u8>,
    section_bytes: usize,
    functions: u32,
    data_count: Option<u32>,
) -> wasmtime_environ::error::Result<(Arriving, Arc<Job>, Option<DataImage>)> {
    let ahead = bytes.len();
    standins::code(bytes, functions);
    let resume = bytes.len();
    if let Some(count @ 1..) = data_count {
        standins::data(bytes, count);
    }
    let mut translated = translate::translate(settings, bytes)?;
    let facts = facts::of_module(settings, &bytes[..ahead], &translated.0, &translated.1)?;
    let image = DataImage::new(settings, &translated.0.module);
    let terms = Terms::new(settings);
    terms.control.expect(functions, ahead + section_bytes);
    let job = Arc::new(Job::new(terms.clone(), facts, &mut translated.0, (0, 0)));
    drop(translated);
    bytes.truncate(resume);
    let mut arriving = Arriving::new(terms, Placer::new(settings, functions as usize, settings.memory_files));
    arriving.begin(job.clone(), section_bytes);
    Ok((arriving, job, image))
}

/// Compiles a module, binary or text, that is there as a whole, and hands on the artifact: to be loaded, or not.
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
    translate::placed(whole_binary(settings, &wasm, loads, start, done), bytes, &wasm)
}

fn whole_binary<T>(
    settings: &Arc<Settings>,
    wasm: &[u8],
    loads: bool,
    start: Instant,
    done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
) -> wasmtime_environ::error::Result<T> {
    let condensed = standins::condense(settings, wasm);
    let early = condensed.as_ref().and_then(|condensed| {
        let (translated, image) = translate::translate_condensed(settings, condensed)?;
        Some((translated, Some((image, &wasm[condensed.data.clone()]))))
    });
    let early = early.map_or_else(|| translate::translate(settings, wasm).map(|translated| (translated, None)), Ok);
    let Ok((mut translated, mut data)) = early else {
        // Translation complains of what is wrong around the function bodies. What is wrong first, the stream finds.
        let mut stream = ModuleStream::new(settings.clone());
        stream.push(wasm)?;
        return stream.conclude(done);
    };
    let facts = facts::of_module(settings, wasm, &translated.0, &translated.1)?;
    let terms = Terms::new(settings);
    let job = Arc::new(Job::new(terms.clone(), facts, &mut translated.0, (0, 0)));
    terms.control.expect(job.functions(), wasm.len());
    let mut report = Report::default();
    report.phases.decode = start.elapsed();

    let start = Instant::now();
    let functions = Placer::new(settings, job.functions() as usize, loads && settings.memory_files);
    let mut compiled = Compiled { functions, totals: Totals::default() };
    let mut make_image = || data.iter_mut().for_each(|(image, section)| image.advance(section));
    if job.functions() == 0 {
        make_image();
    } else {
        let section = translated.0.debuginfo.wasm_file.code_section_offset as usize;
        let mut entries = BinaryReader::new(&wasm[section..], section);
        entries.read_var_u32().map_err(Error::from)?;
        let offset = entries.original_position();
        compiled = queue::compile(&terms, job.batches(offset, &wasm[offset..])?, compiled.functions, make_image)?;
    }
    match data {
        Some((image, _)) if image.complete().is_some() => {
            let (translation, types) = &mut translated;
            translate::initialise(settings, translation, types, Some(image));
        }
        Some(_) => translated = translate::translate(settings, wasm)?,
        None => {}
    }
    terms.control.look()?;
    report.phases.compile = start.elapsed();
    let (artifact, report) = conclude(settings, &job.facts, translated, wasm.len(), compiled, report)?;
    done(artifact, report)
}

/// Links, and proves what was linked if that is asked for.
fn conclude<'a>(
    settings: &Settings,
    facts: &Facts,
    translated: Translated<'a>,
    wasm_bytes: usize,
    Compiled { mut functions, totals }: Compiled,
    mut report: Report,
) -> wasmtime_environ::error::Result<(Artifact<'a>, Report)> {
    let start = Instant::now();
    report.per_function = std::mem::take(&mut functions.reports);
    for function in &mut report.per_function {
        let names = &translated.0.debuginfo.name_section.func_names;
        function.name = names.get(&FuncIndex::from_u32(function.index)).map(|name| (*name).to_owned());
    }
    let units = [Unit { facts, translation: &translated.0, first: 0 }];
    let image = link::link(settings, &units, &translated.1, None, wasm_bytes, functions)?;
    report.functions = translated.0.module.num_defined_funcs() as u32;
    let source = Source::Module(translated);
    Linked { image, source, trampolines: None, wasm_bytes, start }.conclude(settings, &totals, report)
}
