//! Compiles a module while its bytes arrive, and a module that is there at once by the same parts.
//!
//! Function bodies need what the sections ahead of them say. When the code section begins, those sections are translated
//! with stand-ins for what has not come yet: an empty body per function, an empty segment per data segment. Each
//! function is then compiled when its last byte is there. What depends on the rest of the module (names, data, startup)
//! is made by the linker from a translation of the whole.

use crate::artifact::{self, Translated};
use crate::report::{Progress, Report};
use crate::settings::Settings;
use crate::{Compiler, Error, facts, link, unsupported};
use lightbeam_compiler::Scratch;
use lightbeam_compiler::code::{Counters, Output};
use lightbeam_compiler::facts::{Callee, Facts, FuncFact};
use lightbeam_compiler::isa::x64::X64;
use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use wasmtime::Module;
use wasmtime_environ::wasmparser::{
    Chunk, Encoding, FuncToValidate, FunctionBody, Parser, Payload, ValidatorResources,
};

/// What begins every binary module; anything else is taken for the text format.
const MAGIC: &[u8] = b"\0asm";

/// The longest function body, a limit that all engines share.
const MAX_BODY: usize = 7_654_321;

/// A module under compilation while its bytes arrive.
///
/// Chunks may be of any size and end anywhere. The result is the same for all of them, and so is the error if there is
/// one: the first in the order of the bytes.
///
/// ```
/// # fn main() -> wasmtime::Result<()> {
/// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
/// let mut stream = compiler.stream();
/// for chunk in b"\0asm\x01\0\0\0".chunks(3) {
///     stream.push(chunk)?;
/// }
/// let module = stream.finish()?;
/// # assert_eq!(module.exports().len(), 0);
/// # Ok(())
/// # }
/// ```
pub struct ModuleStream<'c> {
    compiler: &'c Compiler,
    parser: Parser,
    /// Everything received.
    bytes: Vec<u8>,
    /// How much of it has been parsed.
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

/// What compiling bodies needs and gives.
struct Code {
    facts: Facts,
    validators: std::vec::IntoIter<FuncToValidate<ValidatorResources>>,
    worker: Worker,
    /// Has the parser seen the end of the module?
    ended: bool,
}

/// One thread's share of compiling. Where each function goes in the text is the linker's business, so workers need
/// nothing of each other.
struct Worker {
    /// How many functions the module imports: where the defined ones begin.
    imported: u32,
    scratch: Scratch,
    output: Output<X64>,
    body_bytes: usize,
}

/// Nanoseconds since the first call.
fn nanoseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

impl Worker {
    fn new(settings: &Settings, facts: &Facts) -> Worker {
        let defined = |func: &FuncFact| matches!(func.callee, Callee::Defined { .. });
        let imported = facts.funcs.iter().position(defined).unwrap_or(facts.funcs.len()) as u32;
        let mut scratch = Scratch::default();
        scratch.clock = settings.time_sweeps.then_some(nanoseconds);
        Worker { imported, scratch, output: Output::default(), body_bytes: 0 }
    }

    /// Adds what it took to a report.
    fn note_times(&self, report: &mut Report) {
        report.phases.survey = Duration::from_nanos(self.scratch.survey_time);
        report.phases.emit = Duration::from_nanos(self.scratch.emit_time);
    }

    fn compile(
        &mut self,
        facts: &Facts,
        validator: FuncToValidate<ValidatorResources>,
        body: FunctionBody<'_>,
    ) -> Result<(), Error> {
        let range = body.range();
        if range.len() > MAX_BODY {
            return Err(Error::too_large("function body exceeds the limit of 7654321 bytes", Some(range.start)));
        }
        self.body_bytes += range.len();
        let index = validator.index - self.imported;
        lightbeam_compiler::compile::<X64>(facts, index, validator, body, &mut self.scratch, &mut self.output)
            .map_err(Error::from)
    }
}

impl<'c> ModuleStream<'c> {
    pub(crate) fn new(compiler: &'c Compiler) -> ModuleStream<'c> {
        let mut parser = Parser::new(0);
        parser.set_features(compiler.settings.features);
        ModuleStream {
            compiler,
            parser,
            bytes: Vec::new(),
            parsed: 0,
            state: State::Ahead { data_count: None },
            failed: None,
            progress: Progress::default(),
            report: Report::default(),
        }
    }

    /// Takes the next bytes of the module and compiles every function that they complete.
    ///
    /// # Errors
    ///
    /// If the module is invalid or unsupported as far as it has come. The stream is then at its end: further calls
    /// give the same error.
    pub fn push(&mut self, bytes: &[u8]) -> wasmtime::Result<Progress> {
        self.bytes.extend_from_slice(bytes);
        self.progress.bytes += bytes.len();
        // Whether it is text shows in the first bytes. Text is compiled when all of it is there.
        let binary = self.bytes.starts_with(MAGIC);
        if binary {
            self.advance(false)?;
        }
        Ok(self.progress)
    }

    /// Ends the stream, links what it has compiled and loads it.
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module, or if Wasmtime refuses to load it.
    pub fn finish(self) -> wasmtime::Result<Module> {
        self.finish_timed().map(|(module, _)| module)
    }

    /// As [`finish`](Self::finish), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish`.
    pub fn finish_timed(self) -> wasmtime::Result<(Module, Report)> {
        let compiler = self.compiler;
        let (artifact, report) = self.finish_artifact_timed()?;
        compiler.load(&artifact, report)
    }

    /// Ends the stream and links what it has compiled into an artifact for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// If the bytes do not make a complete, valid and supported module.
    pub fn finish_artifact(self) -> wasmtime::Result<Vec<u8>> {
        self.finish_artifact_timed().map(|(artifact, _)| artifact)
    }

    /// As [`finish_artifact`](Self::finish_artifact), with the costs.
    ///
    /// # Errors
    ///
    /// As `finish_artifact`.
    pub fn finish_artifact_timed(mut self) -> wasmtime::Result<(Vec<u8>, Report)> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        if !self.bytes.starts_with(MAGIC) {
            return whole(self.compiler, &self.bytes);
        }
        self.advance(true)?;
        let settings = &self.compiler.settings;
        let start = Instant::now();
        let translated = artifact::translate(settings, &self.bytes)?;
        let (facts, worker) = match self.state {
            State::Code(code) => (code.facts, code.worker),
            State::Ahead { .. } | State::NoCode => {
                let facts = describe(settings, &self.bytes, &translated)?;
                let worker = Worker::new(settings, &facts);
                (facts, worker)
            }
        };
        self.report.phases.decode += start.elapsed();
        worker.note_times(&mut self.report);
        conclude(settings, &facts, translated, &[worker.output], worker.body_bytes, self.report)
    }

    fn advance(&mut self, end: bool) -> wasmtime::Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        let start = Instant::now();
        let decoding = self.report.phases.decode;
        let result = self.parse(end);
        let decoded = self.report.phases.decode - decoding;
        self.report.phases.compile += start.elapsed().saturating_sub(decoded);
        result.inspect_err(|error| {
            let known = error.downcast_ref::<Error>().cloned();
            self.failed = Some(known.unwrap_or_else(|| Error::invalid(format!("{error:#}"), None)));
        })
    }

    /// Parses and compiles as far as the bytes reach; all of them, if this is the end.
    fn parse(&mut self, end: bool) -> wasmtime::Result<()> {
        let settings = &self.compiler.settings;
        loop {
            if matches!(self.state, State::NoCode) || matches!(&self.state, State::Code(code) if code.ended) {
                // What follows a module is for the translation of the whole to complain about.
                return Ok(());
            }
            let here = self.parsed;
            let chunk = self.parser.parse(&self.bytes[here..], end).map_err(Error::from)?;
            let (consumed, payload) = match chunk {
                Chunk::NeedMoreData(_) => return Ok(()),
                Chunk::Parsed { consumed, payload } => (consumed, payload),
            };
            match payload {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    let message = "expected a WebAssembly module but was given a WebAssembly component";
                    return Err(Error::invalid(message, Some(0)).into());
                }
                Payload::DataCountSection { count, .. } => {
                    if let State::Ahead { data_count } = &mut self.state {
                        *data_count = Some(count);
                    }
                }
                Payload::CodeSectionStart { count, .. } => {
                    let State::Ahead { data_count } = self.state else {
                        return Err(Error::invalid("section out of order", Some(here)).into());
                    };
                    let start = Instant::now();
                    let code = begin(settings, &self.bytes[..here], count, data_count)?;
                    self.state = State::Code(Box::new(code));
                    self.progress.functions_total = Some(count);
                    self.report.phases.decode += start.elapsed();
                }
                Payload::CodeSectionEntry(body) => {
                    let State::Code(code) = &mut self.state else { unreachable!("its section has begun") };
                    let validator = code.validators.next().expect("as many validators as the section has entries");
                    code.worker.compile(&code.facts, validator, body)?;
                    self.progress.functions_compiled += 1;
                }
                Payload::End(_) => match &mut self.state {
                    State::Code(code) => code.ended = true,
                    state => *state = State::NoCode,
                },
                _ => {}
            }
            self.parsed += consumed;
        }
    }
}

/// Translates what stands ahead of the code section, with stand-ins for the rest.
fn begin(settings: &Settings, ahead: &[u8], functions: u32, data_count: Option<u32>) -> wasmtime::Result<Code> {
    let data_count = data_count.unwrap_or(0);
    let mut wasm = Vec::with_capacity(ahead.len() + functions as usize + 2 * data_count as usize + 32);
    wasm.extend_from_slice(ahead);
    // A body of no bytes: never read, as it is compiled from its real bytes.
    section(&mut wasm, 10, functions, &[0]);
    if data_count > 0 {
        // A passive segment of no bytes.
        section(&mut wasm, 11, data_count, &[1, 0]);
    }
    let mut translated = artifact::translate(settings, &wasm)?;
    let facts = describe(settings, ahead, &translated)?;
    let inputs = std::mem::take(&mut translated.0.function_body_inputs);
    let validators: Vec<_> = inputs.into_iter().map(|(_, input)| input.validator).collect();
    let worker = Worker::new(settings, &facts);
    Ok(Code { facts, validators: validators.into_iter(), worker, ended: false })
}

/// Appends a section of `count` equal entries.
fn section(wasm: &mut Vec<u8>, id: u8, count: u32, entry: &[u8]) {
    let number = leb128(count);
    let size = number.len() + count as usize * entry.len();
    wasm.push(id);
    wasm.extend(leb128(u32::try_from(size).expect("a section of stand-ins is short")));
    wasm.extend(number);
    for _ in 0..count {
        wasm.extend_from_slice(entry);
    }
}

fn leb128(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The facts of a module whose bytes, at least those ahead of its code, are given to locate what is refused.
fn describe(settings: &Settings, wasm: &[u8], (translation, types): &Translated<'_>) -> Result<Facts, Error> {
    facts::facts(translation, types, settings).map_err(|refusal| unsupported::locate(wasm, refusal))
}

/// Compiles a module, binary or text, that is there as a whole.
pub(crate) fn whole(compiler: &Compiler, bytes: &[u8]) -> wasmtime::Result<(Vec<u8>, Report)> {
    let start = Instant::now();
    let wasm = if bytes.starts_with(MAGIC) {
        Cow::Borrowed(bytes)
    } else {
        wat::parse_bytes(bytes).map_err(|error| Error::invalid(error.to_string(), None))?
    };
    let settings = &compiler.settings;
    let Ok(mut translated) = artifact::translate(settings, &wasm) else {
        // Translation complains of what is wrong around the function bodies. What is wrong first, the stream finds.
        let mut stream = compiler.stream();
        stream.push(&wasm)?;
        return stream.finish_artifact_timed();
    };
    let facts = describe(settings, &wasm, &translated)?;
    let inputs = std::mem::take(&mut translated.0.function_body_inputs);
    let mut report = Report::default();
    report.phases.decode = start.elapsed();

    let start = Instant::now();
    let mut worker = Worker::new(settings, &facts);
    for (_, input) in inputs {
        worker.compile(&facts, input.validator, input.body)?;
    }
    report.phases.compile = start.elapsed();
    worker.note_times(&mut report);
    conclude(settings, &facts, translated, &[worker.output], worker.body_bytes, report)
}

/// Links and writes the artifact.
fn conclude(
    settings: &Settings,
    facts: &Facts,
    translated: Translated<'_>,
    outputs: &[Output<X64>],
    body_bytes: usize,
    mut report: Report,
) -> wasmtime::Result<(Vec<u8>, Report)> {
    let start = Instant::now();
    let image = link::link(settings, facts, &translated, outputs)?;
    report.functions = translated.0.module.num_defined_funcs() as u32;
    report.wasm_bytes = translated.0.wasm.len();
    report.body_bytes = body_bytes;
    report.text_bytes = image.text.len();
    for output in outputs {
        report.code_bytes += output.asm.code().len();
        Counters::add(&mut report.counters, &output.counters);
    }
    let artifact = artifact::write(settings, translated, image)?;
    report.artifact_bytes = artifact.len();
    report.phases.link = start.elapsed();
    report.phases.load = Duration::ZERO;
    Ok((artifact, report))
}
