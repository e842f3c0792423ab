//! Compiles a component while its bytes arrive.
//!
//! Wasmtime translates a component as a whole, and never looks at function bodies. So it is given, at the end, a
//! *condensed* component: every byte as it came, but stand-ins for the bodies, and for data that is put in place as
//! it comes. Beside it, while the bytes arrive, a validator and a table of types of our own go the same way as the
//! translation will: they take the sections in the same order, so that each core module's types get the numbers that
//! they will have in the end, and its bodies can be compiled as soon as they are there.

use crate::error::Error;
use crate::facts;
use crate::input::bounds::Weigher;
use crate::input::component::{self, Images, Translated};
use crate::input::data::{self, DataImage};
use crate::input::translate::{self, MAGIC};
use crate::input::{kind, standins, unsupported};
use crate::output::artifact::Artifact;
use crate::output::place::Placer;
use crate::report::{Progress, Report};
use crate::settings::Settings;
use crate::stream::whole_component::{self, Compiling};
use crate::work::arriving::Arriving;
use crate::work::job::{Job, Terms};
use std::sync::Arc;
use std::time::Instant;
use wasmtime_environ::wasmparser::{CanonicalFunction, Chunk, Encoding, Parser, Payload, Validator, WasmFeatures};
use wasmtime_environ::{
    ModuleEnvironment, ModuleInternedTypeIndex, ModuleTypesBuilder, PrimaryMap, ScopeVec, StaticModuleIndex,
};

/// Bytes of the size of a section that is written when the section has come to its end.
const SIZE: usize = 5;

/// The numbers of sections that hold a core module, and a component.
const MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// A component under compilation while its bytes arrive. The result is the same for all ways to cut it into chunks, and
/// so is the error if there is one: the first in the order of the bytes. The bodies of each core module are compiled as
/// they come; adapters between components are made, and compiled, when all is there.
pub struct ComponentStream {
    settings: Arc<Settings>,
    /// What was received and is not taken yet, and where in the component it begins.
    bytes: Vec<u8>,
    at: usize,
    driver: Box<Driver>,
    /// The error that ended it, which every later call repeats.
    failed: Option<Error>,
    progress: Progress,
    report: Report,
}

impl ComponentStream {
    /// One of which no byte has come. `loads` says whether the artifact is to be loaded from a file in memory.
    pub fn new(settings: Arc<Settings>, loads: bool) -> ComponentStream {
        ComponentStream {
            driver: Box::new(Driver::new(&settings, loads)),
            settings,
            bytes: Vec::new(),
            at: 0,
            failed: None,
            progress: Progress::default(),
            report: Report::default(),
        }
    }

    /// Takes the next bytes of the component and has every function compiled that they complete: here, or for a module
    /// worth it by threads, for which this does not wait.
    ///
    /// # Errors
    ///
    /// If the component is invalid or unsupported as far as it has come. The stream is then at its end: further calls
    /// give the same error. An error in a function that threads compile may only show in a later call.
    pub fn push(&mut self, bytes: &[u8]) -> wasmtime_environ::error::Result<Progress> {
        self.bytes.extend_from_slice(bytes);
        self.progress.bytes += bytes.len();
        if self.at == 0
            && let Err(error) = translate::check_start(&self.settings, &self.bytes)
        {
            return Err(self.failed.get_or_insert(error).clone().into());
        }
        // Text is compiled when all of it is there.
        if self.is_binary() {
            self.advance(false)?;
        }
        Ok(self.progress)
    }

    /// Has a binary begun?
    fn is_binary(&self) -> bool {
        self.at != 0 || self.bytes.starts_with(MAGIC)
    }

    /// Ends the stream, links what it has compiled and hands on the artifact.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported component, and what `done` gives.
    pub fn conclude<T>(
        mut self,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
    ) -> wasmtime_environ::error::Result<T> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        if !self.is_binary() {
            return whole_component::whole(&self.settings, &self.bytes, true, done);
        }
        self.advance(true)?;
        // What follows the component is for the translation of the whole to complain about.
        self.driver.keep(&self.bytes, self.at);
        self.driver.conclude(&self.settings, self.progress.bytes, self.report, done)
    }

    fn advance(&mut self, end: bool) -> wasmtime_environ::error::Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        let start = Instant::now();
        let settings = &self.settings;
        let result = self.driver.advance(settings, &self.bytes, self.at, end).and_then(|taken| {
            self.at += taken;
            self.bytes.drain(..taken);
            self.progress.functions_compiled = self.driver.arriving.compiled()?;
            Ok(())
        });
        let result = result.map_err(|error| self.driver.first_error(settings, error));
        self.report.phases.compile += start.elapsed();
        result.inspect_err(|error| {
            let known = error.downcast_ref::<Error>().cloned();
            self.failed = Some(known.unwrap_or_else(|| Error::invalid(format!("{error:#}"), None)));
        })
    }
}

/// A component on its way.
struct Driver {
    /// Of the component that is open.
    parser: Parser,
    /// Those around it, and where in the condensed bytes the size of each one's open section goes.
    around: Vec<(Parser, usize)>,
    /// The core module that is open, and where the size of its section goes.
    module: Option<OpenModule>,
    module_size: Option<usize>,
    weigher: Weigher,
    validator: Validator,
    types: ModuleTypesBuilder,
    terms: Arc<Terms>,
    arriving: Arriving,
    /// What was compiled of each core module that has begun its code, or ended without.
    modules: Vec<Begun>,
    condensed: Vec<u8>,
    splices: Splices,
    /// How many functions have come, of all modules.
    functions: u32,
    ended: bool,
}

/// A core module that has begun.
struct OpenModule {
    parser: Parser,
    /// Where it begins in the component, and in the condensed bytes.
    start: usize,
    condensed: usize,
    /// Where its section ends in the component.
    end: usize,
    data_count: Option<u32>,
    /// Once its code section has begun: bodies to come, and the contents of memory 0, which can have it.
    code: Option<(u32, Option<DataImage>)>,
}

/// What is known of a core module from what stands ahead of its code.
struct Begun {
    job: Arc<Job>,
    /// The numbers of its types, in the order of the module.
    types: Vec<ModuleInternedTypeIndex>,
    /// Where it and its code section are in the component.
    start: usize,
    code: usize,
    /// The contents of its memory 0, if it is complete and a stand-in has the section's place.
    image: Option<DataImage>,
}

/// Where what is in the condensed bytes was in the component: pairs of offsets, each good until the next.
#[derive(Default)]
struct Splices(Vec<(usize, usize)>);

impl Splices {
    fn add(&mut self, condensed: usize, original: usize) {
        if self.0.last().is_none_or(|(at, was)| original.wrapping_sub(*was) != condensed - at) {
            self.0.push((condensed, original));
        }
    }

    /// Of an offset in the condensed bytes, that in the component.
    fn original(&self, condensed: usize) -> usize {
        let next = self.0.partition_point(|(at, _)| *at <= condensed);
        let Some((at, was)) = next.checked_sub(1).map(|last| self.0[last]) else { return condensed };
        // What stands in for something is where that began.
        let until = self.0.get(next).map_or(usize::MAX, |(_, was)| *was);
        (was + (condensed - at)).min(until.max(was))
    }
}

impl Driver {
    fn new(settings: &Settings, loads: bool) -> Driver {
        let mut parser = Parser::new(0);
        parser.set_features(settings.features);
        let validator = Validator::new_with_features(settings.features);
        let types = ModuleTypesBuilder::new(&validator);
        let terms = Terms::new(settings);
        let placer = Placer::new(settings, 0, loads && settings.memory_files);
        Driver {
            parser,
            around: Vec::new(),
            module: None,
            module_size: None,
            weigher: Weigher::new(settings.features),
            validator,
            types,
            arriving: Arriving::new(terms.clone(), placer),
            terms,
            modules: Vec::new(),
            condensed: Vec::new(),
            splices: Splices::default(),
            functions: 0,
            ended: false,
        }
    }

    /// Takes as many bytes as make whole pieces, the first of which is at byte `at` of the component, and says how many
    /// that were. `end` says that no more will come.
    fn advance(
        &mut self,
        settings: &Settings,
        bytes: &[u8],
        at: usize,
        end: bool,
    ) -> wasmtime_environ::error::Result<usize> {
        let mut taken = 0;
        while !self.ended {
            let rest = &bytes[taken..];
            let consumed = match self.module.take() {
                Some(module) => self.in_module(settings, module, rest, at + taken, end)?,
                None => self.in_component(settings, rest, at + taken, end)?,
            };
            match consumed {
                Some(consumed) => taken += consumed,
                None => break,
            }
        }
        Ok(taken)
    }

    /// One piece of the component that is open. None if it is not all there.
    fn in_component(
        &mut self,
        settings: &Settings,
        rest: &[u8],
        at: usize,
        end: bool,
    ) -> wasmtime_environ::error::Result<Option<usize>> {
        // A parser that asks for more may have counted what it was looking at, and would count it again.
        let mut parser = self.parser.clone();
        let (consumed, payload) = match parser.parse(rest, end).map_err(Error::from)? {
            Chunk::NeedMoreData(_) => return Ok(None),
            Chunk::Parsed { consumed, payload } => (consumed, payload),
        };
        self.parser = parser;
        self.weigher.section(&payload, &rest[..consumed])?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if self.around.is_empty() => {
                return Err(kind::not_a_component().into());
            }
            Payload::ModuleSection { mut parser, unchecked_range } => {
                self.validator.module_section(&unchecked_range).map_err(Error::from)?;
                parser.set_features(settings.features);
                self.module_size = Some(self.open(MODULE, at));
                let condensed = self.condensed.len();
                let (start, end) = (unchecked_range.start, unchecked_range.end);
                self.module = Some(OpenModule { parser, start, condensed, end, data_count: None, code: None });
                return Ok(Some(consumed));
            }
            Payload::ComponentSection { parser, unchecked_range } => {
                self.validator.component_section(&unchecked_range).map_err(Error::from)?;
                let size = self.open(COMPONENT, at);
                self.around.push((std::mem::replace(&mut self.parser, parser), size));
                return Ok(Some(consumed));
            }
            Payload::ComponentCanonicalSection(section) => {
                // As Wasmtime's translation does: types are interned in the order in which functions name them.
                let mut next = self.validator.types(0).map_or(0, |types| types.function_count());
                self.validator.component_canonical_section(&section).map_err(Error::from)?;
                let types = self.validator.types(0).expect("a component is open");
                for function in section {
                    let index = match function.map_err(Error::from)? {
                        CanonicalFunction::Lift { core_func_index, .. } => core_func_index,
                        _ => {
                            next += 1;
                            next - 1
                        }
                    };
                    let interned = self.types.intern_type(types, types.core_function_at(index));
                    interned.map_err(|error| crate::error::from_translation(error.into()))?;
                }
            }
            Payload::End(offset) => {
                self.validator.end(offset).map_err(Error::from)?;
                match self.around.pop() {
                    Some((parser, size)) => {
                        self.close(size);
                        self.parser = parser;
                    }
                    None => self.ended = true,
                }
            }
            other => drop(self.validator.payload(&other).map_err(Error::from)?),
        }
        // Validated it is, so it could be weighed, and so will what follows.
        self.weigher.check_valid()?;
        self.keep(&rest[..consumed], at);
        Ok(Some(consumed))
    }

    /// One piece of a core module. None if it is not all there.
    fn in_module(
        &mut self,
        settings: &Settings,
        mut module: OpenModule,
        rest: &[u8],
        at: usize,
        end: bool,
    ) -> wasmtime_environ::error::Result<Option<usize>> {
        // The parser gives the data section when all of it is there.
        if let Some((0, Some(image))) = &mut module.code
            && rest.first() == Some(&data::SECTION)
        {
            image.advance(rest);
        }
        let mut parser = module.parser.clone();
        let (consumed, payload) = match parser.parse(rest, end).map_err(Error::from)? {
            Chunk::NeedMoreData(_) => {
                self.module = Some(module);
                return Ok(None);
            }
            Chunk::Parsed { consumed, payload } => (consumed, payload),
        };
        module.parser = parser;
        let piece = &rest[..consumed];
        if !matches!(payload, Payload::CodeSectionEntry(_)) {
            self.weigher.section(&payload, piece)?;
        }
        match payload {
            Payload::DataCountSection { count, .. } => {
                module.data_count = Some(count);
                self.keep(piece, at);
            }
            Payload::CodeSectionStart { count, range, .. } => {
                if module.code.is_some() {
                    return Err(Error::invalid("section out of order", Some(at)).into());
                }
                let image = self.begin(settings, &module, count, range.start, range.len())?;
                module.code = Some((count, image));
                self.splices.add(self.condensed.len(), at);
                standins::code(&mut self.condensed, count);
            }
            Payload::CodeSectionEntry(body) => {
                self.arriving.push(at, piece, body)?;
                self.functions += 1;
                if let Some((bodies, _)) = &mut module.code {
                    *bodies -= 1;
                }
            }
            Payload::DataSection(_) => {
                let complete = module.code.as_ref().and_then(|(_, image)| image.as_ref()?.complete());
                match complete {
                    Some(segments) => {
                        self.splices.add(self.condensed.len(), at);
                        standins::data(&mut self.condensed, segments);
                        let image = module.code.as_mut().and_then(|(_, image)| image.take());
                        self.modules.last_mut().expect("its code has begun").image = image;
                    }
                    None => self.keep(piece, at),
                }
            }
            Payload::CustomSection(custom) if standins::is_unread(settings, custom.name()) => {
                self.splices.add(self.condensed.len(), at);
                standins::custom(&mut self.condensed, custom.name());
            }
            Payload::End(_) => {
                // Between two sections the end of all bytes looks to the parser like the module's own.
                if at < module.end {
                    return Err(Error::invalid("unexpected end-of-file", Some(at)).into());
                }
                if module.code.is_none() {
                    self.begin(settings, &module, 0, 0, 0)?;
                }
                self.module_size.take().into_iter().for_each(|size| self.close(size));
                return Ok(Some(consumed));
            }
            _ => self.keep(piece, at),
        }
        self.module = Some(module);
        Ok(Some(consumed))
    }

    /// Translates what stands ahead of a module's code section, with stand-ins for the rest, and makes a job of it.
    fn begin(
        &mut self,
        settings: &Settings,
        module: &OpenModule,
        functions: u32,
        code: usize,
        section_bytes: usize,
    ) -> wasmtime_environ::error::Result<Option<DataImage>> {
        let ahead = self.condensed.len();
        let located = |error: Error| error.moved(0, module.start);
        if settings.features.contains(WasmFeatures::SHARED_EVERYTHING_THREADS)
            && let Some(refusal) = unsupported::first(&self.condensed[module.condensed..])
        {
            return Err(located(refusal).into());
        }
        if functions != 0 {
            standins::code(&mut self.condensed, functions);
            if let Some(count @ 1..) = module.data_count {
                standins::data(&mut self.condensed, count);
            }
        }
        let index = StaticModuleIndex::from_u32(self.modules.len() as u32);
        let mut parser = Parser::new(module.start as u64);
        parser.set_features(settings.features);
        let bytes = &self.condensed[module.condensed..];
        let tunables = settings.of_translation();
        let mut translation = ModuleEnvironment::new(&tunables, &mut self.validator, &mut self.types, index)
            .translate(parser, bytes)
            .map_err(crate::error::from_translation)?;
        let facts = facts::in_component(settings, bytes, &translation, &self.types).map_err(located)?;
        let image = DataImage::new(settings, &translation.module).filter(|_| functions != 0);
        let job = Arc::new(Job::new(self.terms.clone(), facts, &mut translation, (self.functions, 0)));
        let types = translation.module.types.values().map(|ty| ty.unwrap_module_type_index()).collect();
        drop(translation);
        self.condensed.truncate(ahead);
        self.arriving.begin(job.clone(), section_bytes);
        self.modules.push(Begun { job, types, start: module.start, code, image: None });
        Ok(image)
    }

    /// Begins a section whose size is not known yet, and says where that goes.
    fn open(&mut self, number: u8, at: usize) -> usize {
        self.splices.add(self.condensed.len(), at);
        self.condensed.push(number);
        self.condensed.extend([0; SIZE]);
        self.condensed.len() - SIZE
    }

    /// Ends a section: fills in its size.
    fn close(&mut self, size: usize) {
        let bytes = u32::try_from(self.condensed.len() - size - SIZE).expect("a component is smaller than 4 GiB");
        for (i, byte) in self.condensed[size..size + SIZE].iter_mut().enumerate() {
            let more = if i + 1 < SIZE { 0x80 } else { 0 };
            *byte = (bytes >> (7 * i)) as u8 & 0x7f | more;
        }
    }

    fn keep(&mut self, piece: &[u8], at: usize) {
        self.splices.add(self.condensed.len(), at);
        self.condensed.extend_from_slice(piece);
    }

    /// Of `error`, and those that only a validation of whole modules finds or that threads have found meanwhile, the
    /// first in the order of the bytes.
    fn first_error(
        &mut self,
        settings: &Settings,
        error: wasmtime_environ::error::Error,
    ) -> wasmtime_environ::error::Error {
        let function = self.arriving.settle().err().map(wasmtime_environ::error::Error::from);
        // What is open ends here.
        self.module_size.take().into_iter().for_each(|size| self.close(size));
        while let Some((_, size)) = self.around.pop() {
            self.close(size);
        }
        let valid = component::validate(&self.condensed, settings.features);
        let offset = |error: &wasmtime_environ::error::Error| error.downcast_ref::<Error>().and_then(Error::offset);
        // At the end of what was kept it complains only of what has not come.
        let inside =
            |error: &wasmtime_environ::error::Error| offset(error).is_some_and(|offset| offset < self.condensed.len());
        let whole = valid.err().map(|error| Error::from(&error).into()).filter(inside).map(|error| self.located(error));
        // What has no offset is of the whole, and comes last. A function may end where something else begins.
        let all = [function, Some(error), whole];
        let first = all.into_iter().flatten().min_by_key(|error| offset(error).unwrap_or(usize::MAX));
        first.expect("there is one")
    }

    /// An error of the translation of the condensed bytes, with its offset in the component.
    fn located(&self, error: wasmtime_environ::error::Error) -> wasmtime_environ::error::Error {
        match error.downcast::<Error>() {
            Ok(error) => error.mapped(|offset| self.splices.original(offset)).into(),
            Err(error) => error,
        }
    }

    /// Ends the component and links it.
    fn conclude<T>(
        mut self,
        settings: &Settings,
        wasm_bytes: usize,
        mut report: Report,
        done: impl FnOnce(Artifact<'_>, Report) -> wasmtime_environ::error::Result<T>,
    ) -> wasmtime_environ::error::Result<T> {
        self.arriving.flush();
        let start = Instant::now();
        let scope = ScopeVec::new();
        let condensed = std::mem::take(&mut self.condensed);
        let modules = &mut self.modules;
        let mut images: Images<'_> =
            &mut |index: StaticModuleIndex| modules.get_mut(index.as_u32() as usize)?.image.take();
        let translated = component::translate(settings, &condensed, &self.weigher, wasm_bytes, &scope, &mut images);
        report.phases.translate = start.elapsed();
        report.phases.decode += report.phases.translate;
        let mut translated = match translated {
            Ok(translated) => translated,
            Err(error) => {
                let error = self.located(error);
                self.condensed = condensed;
                return Err(self.first_error(settings, error));
            }
        };
        self.check(settings, &mut translated)?;
        let start = Instant::now();
        let mut jobs: Vec<Arc<Job>> = self.modules.iter().map(|begun| begun.job.clone()).collect();
        whole_component::adapters(settings, wasm_bytes, &mut translated, &self.terms, &mut jobs, &mut self.arriving)?;
        let compiled = self.arriving.settle()?;
        report.phases.compile += start.elapsed();
        let compiling = Compiling { settings, jobs: &jobs, wasm_bytes };
        let (artifact, report) = compiling.conclude(translated, &condensed, compiled, report)?;
        done(artifact, report)
    }

    /// Sees to it that the translation of the whole says of each module what was taken for granted when it was
    /// compiled, and puts offsets back to what they are in the component.
    fn check(&self, settings: &Settings, translated: &mut Translated<'_>) -> wasmtime_environ::error::Result<()> {
        let modules: &mut PrimaryMap<StaticModuleIndex, _> = &mut translated.modules;
        for (begun, translation) in self.modules.iter().zip(modules.values_mut()) {
            let types = translation.module.types.values().map(|ty| ty.unwrap_module_type_index());
            if !types.eq(begun.types.iter().copied()) {
                // Going on would confuse types.
                wasmtime_environ::error::bail!("internal error: types have other numbers than when they were compiled");
            }
            if cfg!(debug_assertions) {
                let bytes = translation.wasm;
                let types = translated.types.module_types_builder();
                let facts = facts::in_component(settings, bytes, translation, types)?;
                assert_eq!(format!("{facts:?}"), format!("{:?}", begun.job.facts), "a module is not what was compiled");
            }
            translation.wasm_module_offset = begun.start as u64;
            translation.debuginfo.wasm_file.code_section_offset = begun.code as u64;
        }
        Ok(())
    }
}
