//! One thread at work: turns a batch of bodies into a fragment of code with tables.

use crate::error::Error;
use crate::kept::Tools;
use crate::output::fragment::{Fragment, FragmentFunc};
use crate::report::FunctionReport;
use crate::target::Machine;
use crate::work::job::{Batch, Job, Terms};
use lightbeam_asm::Assembler;
use lightbeam_compiler::Writer;
use lightbeam_compiler::code::{Counters, FuncCode, Target};
use std::ops::AddAssign;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use wasmtime_environ::wasmparser::{BinaryReader, FuncToValidate, FunctionBody};

/// The longest function body, a limit that all engines share.
const MAX_BODY: usize = 7_654_321;

/// Code of so many bytes is not copied out of the buffer in which it was made.
const LARGE: usize = 512 << 10;

/// Bytes of code after which a thread reports how much it has made.
const METERED: usize = 64 << 10;

/// Totals over functions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) body_bytes: usize,
    pub(crate) code_bytes: usize,
    pub(crate) counters: Counters,
    /// Time that threads spent, and of that in either sweep.
    pub(crate) busy: Duration,
    pub(crate) survey: Duration,
    pub(crate) emit: Duration,
    /// Of both sweeps, the time for adapters.
    pub(crate) adapters: Duration,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.body_bytes += other.body_bytes;
        self.code_bytes += other.code_bytes;
        self.counters.add(&other.counters);
        self.busy += other.busy;
        self.survey += other.survey;
        self.emit += other.emit;
        self.adapters += other.adapters;
    }
}

/// A function that was not compiled.
pub(super) struct Failure {
    /// Its number among the defined functions of all modules.
    pub(super) number: u32,
    pub(super) error: Error,
}

/// One thread's tools, which it reuses from function to function.
pub(crate) struct Worker {
    tools: Box<Tools>,
    /// Most bytes of bodies that were in the output at a time.
    most: usize,
    /// Index among the defined functions of its module of the first function in the output.
    first: u32,
    /// Bytes of the bodies in the output.
    body_bytes: usize,
    /// Bytes of code of the functions in the output, without padding, and of their part of the exception table.
    func_bytes: usize,
    /// Bytes of code that the meter has not counted yet.
    unmetered: usize,
    /// Was code dropped, as the module exceeds its budget?
    dropped: bool,
    /// Of the functions in the output, if that is asked for.
    reports: Vec<FunctionReport>,
}

/// Nanoseconds since the first call.
fn nanoseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

impl Worker {
    pub(crate) fn new(terms: &Terms) -> Worker {
        let mut tools = terms.shelf.take(terms.cpu);
        tools.workspace.clock = terms.time_sweeps.then_some(nanoseconds);
        Worker {
            tools,
            most: 0,
            first: 0,
            body_bytes: 0,
            func_bytes: 0,
            unmetered: 0,
            dropped: false,
            reports: Vec::new(),
        }
    }

    /// Puts the tools away. What was compiled is taken, and nothing went wrong.
    pub(super) fn retire(self, terms: &Terms) {
        terms.shelf.give(self.tools, self.most);
    }

    /// Compiles a function behind those in the output, which are of the same module, with the next index if there are
    /// any.
    pub(crate) fn function(&mut self, job: &Job, index: u32, body: FunctionBody<'_>) -> Result<(), Error> {
        job.terms.control.look()?;
        let place = |error: Error| error.in_function(job.module.as_u32(), job.imported + index);
        self.compile(job, index, body).map_err(place)
    }

    fn compile(&mut self, job: &Job, index: u32, body: FunctionBody<'_>) -> Result<(), Error> {
        let range = body.range();
        if range.len() > MAX_BODY {
            return Err(Error::too_large("function body exceeds the limit of 7654321 bytes", Some(range.start)));
        }
        if self.tools.output.funcs.is_empty() {
            self.first = index;
        }
        self.body_bytes += range.len();
        self.most = self.most.max(self.body_bytes);
        let validator = FuncToValidate {
            resources: job.resources.clone().expect("a module with functions has what validates them"),
            index: job.imported + index,
            ty: job.types[index as usize],
            features: job.features,
        };
        let Tools { workspace, output } = &mut *self.tools;
        let before = if job.terms.count_functions { Some(output.counters) } else { None };
        lightbeam_compiler::compile::<Machine>(&job.facts, index, validator, body, workspace, output)
            .map_err(Error::from)?;
        if let Some(func) = self.tools.output.funcs.last() {
            let code_bytes = (func.end - func.start) as usize;
            let bytes = code_bytes + func.exception_bytes as usize;
            self.func_bytes += bytes;
            self.unmetered += bytes;
            if let Some(before) = &before {
                let (index, counters) = (job.imported + index, self.tools.output.counters.since(before));
                let (module, body_bytes) = (job.module.as_u32(), range.len());
                self.reports.push(FunctionReport { module, index, name: None, body_bytes, code_bytes, counters });
            }
        }
        if self.unmetered >= METERED {
            job.terms.meter.count(std::mem::take(&mut self.unmetered), job.ahead + range.end);
            if job.terms.meter.exceeded() {
                // Nobody will link this; only how large it is still matters.
                self.dropped = true;
                self.tools.output.drop_code();
            }
        }
        Ok(())
    }

    /// Is there enough in the output for a fragment?
    pub(crate) fn is_full(&self, job: &Job) -> bool {
        self.body_bytes >= job.terms.batch
    }

    /// Takes the functions out of the output, whose buffers stay, and adds up the totals.
    pub(crate) fn take(&mut self, job: &Job, totals: &mut Totals) -> Option<Fragment> {
        if self.tools.output.funcs.is_empty() {
            return None;
        }
        // Room for the padding to the next fragment, as it is put there in place.
        const ROOM: usize = lightbeam_compiler::code::FUNC_ALIGN as usize;
        let large = self.tools.output.code().len() > LARGE;
        let code = if large {
            let mut code = self.tools.output.take_code();
            code.shrink_to(code.len() + ROOM);
            code
        } else {
            let mut code = Vec::with_capacity(self.tools.output.code().len() + ROOM);
            code.extend_from_slice(self.tools.output.code());
            self.tools.output.truncate(0);
            code
        };
        let Writer { funcs, relocs, records, sites, handlers, safepoints, maps, unwind, locals, counters, .. } =
            &mut self.tools.output;
        let [mut calls, mut imports, mut across] = [const { Vec::new() }; 3];
        let mut others = Vec::new();
        calls.reserve(relocs.len());
        for reloc in relocs.iter() {
            match reloc.target {
                Target::Func(index) => calls.push((reloc.at, job.first + index)),
                Target::Import(index) => imports.push((reloc.at, index)),
                Target::Across(index) => across.push((reloc.at, index)),
                _ => others.push(*reloc),
            }
        }
        relocs.clear();
        let fragment = Fragment {
            module: job.module,
            module_first: job.first,
            ahead: job.ahead,
            first: job.first + self.first,
            code,
            funcs: funcs
                .drain(..)
                .map(|FuncCode { start, body, end, wasm, wasm_bytes, exception_bytes, .. }| FragmentFunc {
                    start,
                    body,
                    end,
                    wasm,
                    wasm_bytes,
                    exception_bytes,
                })
                .collect(),
            calls,
            imports,
            across,
            relocs: others,
            records: take(records, large),
            safepoints: take(safepoints, large),
            maps: take(maps, large),
            sites: take(sites, large),
            handlers: take(handlers, large),
            unwind: take(unwind, large),
            locals: take(locals, large),
            func_bytes: std::mem::take(&mut self.func_bytes),
            reports: std::mem::take(&mut self.reports),
            dropped: std::mem::take(&mut self.dropped),
        };
        let survey = Duration::from_nanos(std::mem::take(&mut self.tools.workspace.survey_time));
        let emit = Duration::from_nanos(std::mem::take(&mut self.tools.workspace.emit_time));
        *totals += Totals {
            body_bytes: std::mem::take(&mut self.body_bytes),
            // None if it was dropped.
            code_bytes: fragment.code.len().saturating_sub(fragment.funcs[0].start as usize),
            counters: std::mem::take(counters),
            busy: Duration::ZERO,
            survey,
            emit,
            adapters: if job.adapter { survey + emit } else { Duration::ZERO },
        };
        Some(fragment)
    }

    pub(super) fn batch(&mut self, batch: &Batch<'_>) -> Result<u32, Failure> {
        let job = &*batch.job;
        let features = job.features;
        let mut reader = BinaryReader::new_features(&batch.entries, batch.offset, features);
        let mut index = batch.first;
        while !reader.eof() {
            let mut body = || -> Result<FunctionBody<'_>, Error> {
                let bytes = reader.read_var_u32()? as usize;
                let offset = reader.original_position();
                let body = reader.read_bytes(bytes)?;
                Ok(FunctionBody::new(BinaryReader::new_features(body, offset, features)))
            };
            let number = job.first + index;
            body().and_then(|body| self.function(job, index, body)).map_err(|error| Failure { number, error })?;
            index += 1;
        }
        Ok(index - batch.first)
    }
}

/// What a buffer holds, in no more memory than it needs. A large buffer is handed on, any other copied and used again.
fn take<T: Clone>(buffer: &mut Vec<T>, large: bool) -> Vec<T> {
    if large {
        buffer.shrink_to_fit();
        return std::mem::take(buffer);
    }
    let taken = buffer.clone();
    buffer.clear();
    taken
}
