//! Compiles function bodies, on one thread or several. Bodies are handed out in batches of neighbours; each thread
//! turns a batch into a chunk of code with tables. A chunk does not show where it begins and ends: the functions are
//! placed as if one thread had compiled them all in a row, by whichever thread has the next chunk.

use crate::budget::Meter;
use crate::place::Placer;
use crate::report::FunctionReport;
use crate::settings::Settings;
use crate::{Error, artifact};
use lightbeam_compiler::code::{
    AddressSite, CallSite, Counters, FuncCode, Handler, Reloc, Safepoint, Target, TrapSite,
};
use lightbeam_compiler::facts::{Callee, Facts, FuncFact};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::{Scratch, Writer};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wasmtime_environ::wasmparser::{BinaryReader, FuncToValidate, FunctionBody, ValidatorResources, WasmFeatures};

/// The longest function body, a limit that all engines share.
const MAX_BODY: usize = 7_654_321;

/// Bytes of bodies in a batch, but for its last body, which may exceed it: about a millisecond's work.
const BATCH: usize = 32 << 10;

/// Code of so many bytes is not copied out of the buffer in which it was made.
const LARGE: usize = 512 << 10;

/// Bytes of code after which a thread reports how much it has made.
const METERED: usize = 64 << 10;

/// What all threads need to know of a module.
pub(crate) struct Job {
    pub(crate) facts: Facts,
    meter: Meter,
    features: WasmFeatures,
    time_sweeps: bool,
    count_functions: bool,
    /// How many functions the module imports: where the defined ones begin.
    imported: u32,
    /// By index among the defined functions: type index.
    types: Vec<u32>,
    /// What bodies are validated against; none if the module defines no function.
    resources: Option<ValidatorResources>,
    batch: usize,
    threads: usize,
}

impl Job {
    /// Takes over the validators of all functions from a translation, which may have stand-ins for their bodies.
    pub(crate) fn new(settings: &Settings, facts: Facts, translated: &mut artifact::Translated<'_>) -> Job {
        let defined = |func: &FuncFact| matches!(func.callee, Callee::Defined { .. });
        let imported = facts.funcs.iter().position(defined).unwrap_or(facts.funcs.len()) as u32;
        let inputs = std::mem::take(&mut translated.0.function_body_inputs);
        Job {
            facts,
            meter: Meter::default(),
            features: settings.features,
            time_sweeps: settings.time_sweeps,
            count_functions: settings.count_functions,
            imported,
            types: inputs.values().map(|input| input.validator.ty).collect(),
            resources: inputs.into_iter().next().map(|(_, input)| input.validator.resources),
            batch: settings.batch.unwrap_or(BATCH),
            threads: settings.threads,
        }
    }

    /// How many functions the module defines.
    pub(crate) fn functions(&self) -> u32 {
        self.types.len() as u32
    }

    /// What remains of use when all is compiled.
    pub(crate) fn into_facts(self) -> Facts {
        self.facts
    }

    /// Cuts the entries of a code section, from byte `offset` of the module on, into batches.
    pub(crate) fn batches<'a>(&self, offset: usize, entries: &'a [u8]) -> Result<VecDeque<Batch<'a>>, Error> {
        let mut batches = VecDeque::new();
        let mut reader = BinaryReader::new_features(entries, offset, self.features);
        let (mut start, mut first) = (0, 0);
        for index in 0..self.functions() {
            let bytes = reader.read_var_u32().map_err(Error::from)? as usize;
            reader.read_bytes(bytes).map_err(Error::from)?;
            let end = reader.original_position() - offset;
            if end - start >= self.batch || index + 1 == self.functions() {
                batches.push_back(Batch {
                    first,
                    offset: offset + start,
                    entries: Cow::Borrowed(&entries[start..end]),
                });
                (start, first) = (end, index + 1);
            }
        }
        Ok(batches)
    }

    /// Compiles batches that are all there, and does something else beside it, on this thread.
    pub(crate) fn compile(
        &self,
        batches: VecDeque<Batch<'_>>,
        placer: Box<Placer>,
        beside: impl FnOnce(),
    ) -> Result<Compiled, Error> {
        // Starting a thread takes as long as compiling a small fraction of a batch.
        let helpers = self.threads.min(batches.len()).saturating_sub(1);
        let queue = Queue::new(batches, true, placer);
        thread::scope(|scope| {
            // Where no more threads can be started, those that were do the work, this one among them.
            let start = |_| thread().spawn_scoped(scope, || queue.work(self)).ok();
            let helpers: Vec<_> = (0..helpers).map_while(start).collect();
            beside();
            queue.work(self);
            helpers.into_iter().for_each(|helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        });
        queue.into_compiled()
    }
}

/// A thread that compiles, to be started.
fn thread() -> thread::Builder {
    thread::Builder::new().name("lightbeam".into())
}

/// Neighbouring entries of a code section: bodies, each behind its length.
pub(crate) struct Batch<'a> {
    /// Index of the first among the defined functions.
    pub(crate) first: u32,
    /// Byte offset in the module.
    pub(crate) offset: usize,
    pub(crate) entries: Cow<'a, [u8]>,
}

/// Compiled functions that follow each other.
pub(crate) struct Chunk {
    /// Index of the first among the defined functions.
    pub(crate) first: u32,
    /// Their code, with padding between them.
    pub(crate) code: Vec<u8>,
    pub(crate) funcs: Vec<ChunkFunc>,
    /// Bytes of code of all of them, without padding, and of their part of the exception table.
    pub(crate) func_bytes: usize,
    /// Calls of functions of the module: offset of the field, index among the defined functions.
    pub(crate) calls: Vec<(u32, u32)>,
    /// All other relocations.
    pub(crate) relocs: Vec<Reloc>,
    pub(crate) traps: Vec<TrapSite>,
    pub(crate) addresses: Vec<AddressSite>,
    pub(crate) safepoints: Vec<Safepoint>,
    pub(crate) maps: Vec<u32>,
    pub(crate) sites: Vec<CallSite>,
    /// What the sites name.
    pub(crate) handlers: Vec<Handler>,
    /// One for each function, if that is asked for, without their names.
    pub(crate) reports: Vec<FunctionReport>,
    /// Was the code dropped, as the module exceeds its budget? What is left says how much there was.
    pub(crate) dropped: bool,
}

/// One function of a chunk. Offsets are in bytes from the start of its code.
#[derive(Clone, Copy)]
pub(crate) struct ChunkFunc {
    /// First byte: of the `Tail` entry if there is one.
    pub(crate) start: u32,
    /// Private entry.
    pub(crate) body: u32,
    /// After the last byte.
    pub(crate) end: u32,
    /// Byte offset of the body in the module.
    pub(crate) wasm: u32,
    /// Bytes of the body.
    pub(crate) wasm_bytes: u32,
    /// Bytes of its part of the exception table.
    pub(crate) exception_bytes: u32,
}

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
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.body_bytes += other.body_bytes;
        self.code_bytes += other.code_bytes;
        self.counters.add(&other.counters);
        self.busy += other.busy;
        self.survey += other.survey;
        self.emit += other.emit;
    }
}

/// What compiling gives.
pub(crate) struct Compiled {
    pub(crate) functions: Box<Placer>,
    pub(crate) totals: Totals,
}

/// A function that was not compiled.
struct Failure {
    index: u32,
    error: Error,
}

/// One thread's tools, which it reuses from function to function.
pub(crate) struct Worker {
    scratch: Scratch,
    output: Writer<X64>,
    /// Index of the first function in the output.
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
    pub(crate) fn new(job: &Job) -> Worker {
        let mut scratch = Scratch::default();
        scratch.clock = job.time_sweeps.then_some(nanoseconds);
        Worker {
            scratch,
            output: Writer::new(job.facts.settings.cpu),
            first: 0,
            body_bytes: 0,
            func_bytes: 0,
            unmetered: 0,
            dropped: false,
            reports: Vec::new(),
        }
    }

    /// Compiles a function behind those in the output, with the next index if there are any.
    pub(crate) fn function(&mut self, job: &Job, index: u32, body: FunctionBody<'_>) -> Result<(), Error> {
        let range = body.range();
        if range.len() > MAX_BODY {
            return Err(Error::too_large("function body exceeds the limit of 7654321 bytes", Some(range.start)));
        }
        if self.output.funcs.is_empty() {
            self.first = index;
        }
        self.body_bytes += range.len();
        let validator = FuncToValidate {
            resources: job.resources.clone().expect("a module with functions has what validates them"),
            index: job.imported + index,
            ty: job.types[index as usize],
            features: job.features,
        };
        let before = if job.count_functions { Some(self.output.counters) } else { None };
        lightbeam_compiler::compile::<X64>(&job.facts, index, validator, body, &mut self.scratch, &mut self.output)
            .map_err(Error::from)?;
        if let Some(func) = self.output.funcs.last() {
            let code_bytes = (func.end - func.start) as usize;
            let bytes = code_bytes + func.exception_bytes as usize;
            self.func_bytes += bytes;
            self.unmetered += bytes;
            if let Some(before) = &before {
                let (index, counters) = (job.imported + index, self.output.counters.since(before));
                self.reports.push(FunctionReport { index, name: None, body_bytes: range.len(), code_bytes, counters });
            }
        }
        if self.unmetered >= METERED {
            job.meter.count(std::mem::take(&mut self.unmetered), range.end);
            if job.meter.exceeded() {
                // Nobody will link this; only how large it is still matters.
                self.dropped = true;
                self.output.drop_code();
            }
        }
        Ok(())
    }

    /// Is there enough in the output for a chunk?
    pub(crate) fn is_full(&self, job: &Job) -> bool {
        self.body_bytes >= job.batch
    }

    /// Takes the functions out of the output, whose buffers stay, and adds up the totals.
    pub(crate) fn take(&mut self, totals: &mut Totals) -> Option<Chunk> {
        if self.output.funcs.is_empty() {
            return None;
        }
        // Room for the padding to the next chunk, as it is put there in place.
        const ROOM: usize = lightbeam_compiler::code::FUNC_ALIGN as usize;
        let large = self.output.code().len() > LARGE;
        let code = if large {
            let mut code = self.output.take_code();
            code.shrink_to(code.len() + ROOM);
            code
        } else {
            let mut code = Vec::with_capacity(self.output.code().len() + ROOM);
            code.extend_from_slice(self.output.code());
            self.output.truncate(0);
            code
        };
        let Writer { funcs, relocs, traps, addresses, sites, handlers, safepoints, maps, counters, .. } =
            &mut self.output;
        let mut calls = Vec::with_capacity(relocs.iter().filter(|reloc| call(reloc).is_some()).count());
        calls.extend(relocs.iter().filter_map(call));
        let others = relocs.iter().filter(|reloc| call(reloc).is_none()).copied().collect();
        relocs.clear();
        let chunk = Chunk {
            first: self.first,
            code,
            funcs: funcs
                .drain(..)
                .map(|FuncCode { start, body, end, wasm, wasm_bytes, exception_bytes, .. }| ChunkFunc {
                    start,
                    body,
                    end,
                    wasm,
                    wasm_bytes,
                    exception_bytes,
                })
                .collect(),
            calls,
            relocs: others,
            traps: take(traps, large),
            addresses: take(addresses, large),
            safepoints: take(safepoints, large),
            maps: take(maps, large),
            sites: take(sites, large),
            handlers: take(handlers, large),
            func_bytes: std::mem::take(&mut self.func_bytes),
            reports: std::mem::take(&mut self.reports),
            dropped: std::mem::take(&mut self.dropped),
        };
        *totals += Totals {
            body_bytes: std::mem::take(&mut self.body_bytes),
            // None if it was dropped.
            code_bytes: chunk.code.len().saturating_sub(chunk.funcs[0].start as usize),
            counters: std::mem::take(counters),
            busy: Duration::ZERO,
            survey: Duration::from_nanos(std::mem::take(&mut self.scratch.survey_time)),
            emit: Duration::from_nanos(std::mem::take(&mut self.scratch.emit_time)),
        };
        Some(chunk)
    }

    fn batch(&mut self, job: &Job, batch: &Batch<'_>) -> Result<u32, Failure> {
        let mut reader = BinaryReader::new_features(&batch.entries, batch.offset, job.features);
        let mut index = batch.first;
        while !reader.eof() {
            let mut body = || -> Result<FunctionBody<'_>, Error> {
                let bytes = reader.read_var_u32()? as usize;
                let offset = reader.original_position();
                let body = reader.read_bytes(bytes)?;
                Ok(FunctionBody::new(BinaryReader::new_features(body, offset, job.features)))
            };
            body().and_then(|body| self.function(job, index, body)).map_err(|error| Failure { index, error })?;
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

fn call(reloc: &Reloc) -> Option<(u32, u32)> {
    match reloc.target {
        Target::Func(index) => Some((reloc.at, index)),
        _ => None,
    }
}

/// Batches to compile, in order, and what became of those that were.
struct Queue<'a> {
    state: Mutex<State<'a>>,
    /// Told when there is something to do, or nothing any more.
    changed: Condvar,
}

struct State<'a> {
    batches: VecDeque<Batch<'a>>,
    /// Will no more be added?
    closed: bool,
    /// Functions compiled.
    compiled: u32,
    /// Chunks that wait for an earlier one, by index of the first function.
    waiting: BTreeMap<u32, Chunk>,
    /// None while a thread places something. It looks for more when it is done.
    placer: Option<Box<Placer>>,
    totals: Totals,
    /// Of the functions that failed, the first.
    failure: Option<Failure>,
}

impl<'a> Queue<'a> {
    fn new(batches: VecDeque<Batch<'a>>, closed: bool, placer: Box<Placer>) -> Queue<'a> {
        let state = State {
            batches,
            closed,
            compiled: 0,
            waiting: BTreeMap::new(),
            placer: Some(placer),
            totals: Totals::default(),
            failure: None,
        };
        Queue { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        // A thread that panicked is noticed when it is joined.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compiles batches until there are no more to come.
    fn work(&self, job: &Job) {
        let mut worker = Worker::new(job);
        while let Some(batch) = self.next() {
            let start = Instant::now();
            let result = worker.batch(job, &batch);
            let mut totals = Totals::default();
            let chunk = worker.take(&mut totals);
            drop(batch);
            totals.busy = start.elapsed();
            let mut state = self.lock();
            state.totals += totals;
            // Of a batch that failed, what stands ahead of the failure: it may exceed the budget.
            state.waiting.extend(chunk.map(|chunk| (chunk.first, chunk)));
            match result {
                Ok(functions) => state.compiled += functions,
                // What has not begun comes later in the module and cannot hold an earlier error.
                Err(failure) => {
                    state.batches.clear();
                    if state.failure.as_ref().is_none_or(|known| failure.index < known.index) {
                        state.failure = Some(failure);
                    }
                }
            }
            if job.meter.exceeded() {
                state.batches.clear();
            }
            self.place(state);
        }
    }

    /// Places what can be placed, unless another thread is at it.
    fn place<'q>(&'q self, mut state: MutexGuard<'q, State<'a>>) {
        while let Some(mut placer) = state.placer.take() {
            let chunk = state.waiting.remove(&placer.next());
            if let Some(chunk) = chunk {
                drop(state);
                placer.place(chunk);
                state = self.lock();
                state.placer = Some(placer);
            } else {
                state.placer = Some(placer);
                return;
            }
        }
    }

    /// Waits for a batch; none if no more will come.
    fn next(&self) -> Option<Batch<'a>> {
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
                return Some(batch);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn into_compiled(self) -> Result<Compiled, Error> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).result()
    }
}

impl State<'_> {
    /// When all threads have come to their end.
    fn result(&mut self) -> Result<Compiled, Error> {
        const ONCE: &str = "compiled functions are asked for once";
        // What was placed stands ahead of a function that failed, so of two errors this is the first.
        self.placer.as_ref().expect(ONCE).within_budget()?;
        match self.failure.take() {
            Some(failure) => Err(failure.error),
            None => Ok(Compiled { functions: self.placer.take().expect(ONCE).complete(), totals: self.totals }),
        }
    }
}

/// Compiles bodies as they arrive.
pub(crate) enum Arriving {
    /// On the thread that pushes them.
    Here { job: Arc<Job>, worker: Box<Worker>, placer: Option<Box<Placer>>, totals: Totals, functions: u32 },
    /// On threads of its own.
    Pool { pool: Pool, collected: Batch<'static>, functions: u32 },
}

impl Arriving {
    /// Prepares for a code section of so many bytes.
    pub(crate) fn new(job: Job, section_bytes: usize, placer: Box<Placer>) -> Arriving {
        let threads = job.threads.min(section_bytes / job.batch);
        let job = Arc::new(job);
        let placer = if threads < 2 { Err(placer) } else { Pool::new(job.clone(), threads, placer) };
        match placer {
            Ok(pool) => Arriving::Pool { pool, collected: Batch::none(0), functions: 0 },
            Err(placer) => {
                let worker = Box::new(Worker::new(&job));
                Arriving::Here { job, worker, placer: Some(placer), totals: Totals::default(), functions: 0 }
            }
        }
    }

    /// Takes the next entry of the code section, which is at byte `offset` of the module and holds `body`.
    pub(crate) fn push(&mut self, offset: usize, entry: &[u8], body: FunctionBody<'_>) -> Result<(), Error> {
        match self {
            Arriving::Here { job, worker, placer, totals, functions } => {
                let start = Instant::now();
                worker.function(job, *functions, body)?;
                *functions += 1;
                totals.busy += start.elapsed();
                if worker.is_full(job)
                    && let (Some(chunk), Some(placer)) = (worker.take(totals), placer)
                {
                    placer.place(chunk);
                }
                // What was counted tells only that there is too much; the placer, which function has it.
                if job.meter.exceeded() {
                    self.settle()?;
                }
            }
            Arriving::Pool { pool, collected, functions } => {
                let Cow::Owned(entries) = &mut collected.entries else { unreachable!("collected bytes are owned") };
                if entries.is_empty() {
                    collected.offset = offset;
                }
                entries.extend_from_slice(entry);
                *functions += 1;
                if entries.len() >= pool.shared.job.batch {
                    self.flush();
                }
            }
        }
        Ok(())
    }

    /// Prepares for so many bytes of data behind the text, unless there is still something to compile.
    pub(crate) fn prepare(&mut self, data: usize) {
        self.flush();
        match self {
            Arriving::Here { placer: Some(placer), .. } => placer.prepare(data),
            Arriving::Here { .. } => {}
            Arriving::Pool { pool, functions, .. } => {
                let queue = &pool.shared.queue;
                let mut state = queue.lock();
                if state.placer.as_ref().is_some_and(|placer| placer.next() == *functions)
                    && let Some(mut placer) = state.placer.take()
                {
                    drop(state);
                    placer.prepare(data);
                    queue.lock().placer = Some(placer);
                }
            }
        }
    }

    /// How many functions are compiled, or the first error among them if there is one by now.
    pub(crate) fn compiled(&mut self) -> Result<u32, Error> {
        match self {
            Arriving::Here { functions, .. } => Ok(*functions),
            Arriving::Pool { pool, .. } => {
                let state = pool.shared.queue.lock();
                let (compiled, failed) = (state.compiled, state.failure.is_some());
                drop(state);
                // Another thread may still be at an earlier function.
                if failed || pool.shared.job.meter.exceeded() { pool.join().map(|_| compiled) } else { Ok(compiled) }
            }
        }
    }

    /// Hands on what was collected for the next batch.
    pub(crate) fn flush(&mut self) {
        if let Arriving::Pool { pool, collected, functions } = self {
            pool.add(std::mem::replace(collected, Batch::none(*functions)));
        }
    }

    /// Waits for what has arrived. Nothing may be pushed any more, and this not be asked for again.
    ///
    /// # Errors
    ///
    /// The first in the order of the functions.
    pub(crate) fn settle(&mut self) -> Result<Compiled, Error> {
        self.flush();
        match self {
            Arriving::Here { worker, placer, totals, .. } => {
                const ONCE: &str = "compiled functions are asked for once";
                let open = placer.as_mut().expect(ONCE);
                worker.take(totals).into_iter().for_each(|chunk| open.place(chunk));
                open.within_budget()?;
                let functions = placer.take().expect(ONCE).complete();
                Ok(Compiled { functions, totals: *totals })
            }
            Arriving::Pool { pool, .. } => pool.join(),
        }
    }

    /// As `settle`, when that was all.
    pub(crate) fn finish(mut self) -> Result<(Facts, Compiled), Error> {
        let compiled = self.settle()?;
        let job = match self {
            Arriving::Here { job, .. } => job,
            Arriving::Pool { pool, .. } => pool.shared.job.clone(),
        };
        let job = Arc::into_inner(job).expect("the threads have come to their end");
        Ok((job.into_facts(), compiled))
    }
}

impl Batch<'static> {
    /// No entries yet; the next function has index `first`.
    fn none(first: u32) -> Batch<'static> {
        Batch { first, offset: 0, entries: Cow::Owned(Vec::new()) }
    }
}

/// Threads that compile what is added until they are joined. Dropped, they stop at their next batch.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    job: Arc<Job>,
    queue: Queue<'static>,
}

impl Pool {
    /// Starts threads, as many as can be started; gives the placer back if none can.
    fn new(job: Arc<Job>, threads: usize, placer: Box<Placer>) -> Result<Pool, Box<Placer>> {
        let shared = Arc::new(Shared { job, queue: Queue::new(VecDeque::new(), false, placer) });
        // From here on whatever goes wrong drops the pool, which stops those that were started.
        let mut pool = Pool { shared, threads: Vec::with_capacity(threads) };
        for _ in 0..threads {
            let shared = pool.shared.clone();
            match thread().spawn(move || shared.queue.work(&shared.job)) {
                Ok(thread) => pool.threads.push(thread),
                Err(_) => break,
            }
        }
        if pool.threads.is_empty() {
            let placer = pool.shared.queue.lock().placer.take();
            return Err(placer.expect("nobody has taken it"));
        }
        Ok(pool)
    }

    fn add(&self, batch: Batch<'static>) {
        let mut state = self.shared.queue.lock();
        if state.failure.is_none() && !self.shared.job.meter.exceeded() && !batch.entries.is_empty() {
            state.batches.push_back(batch);
            self.shared.queue.changed.notify_one();
        }
    }

    /// Lets the threads come to their end, and waits for them.
    fn join(&mut self) -> Result<Compiled, Error> {
        self.close();
        // Of several panics the first goes on, when no thread is left.
        let ended: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        ended.into_iter().for_each(|ended| ended.unwrap_or_else(|panic| resume_unwind(panic)));
        self.shared.queue.lock().result()
    }

    fn close(&self) {
        self.shared.queue.lock().closed = true;
        self.shared.queue.changed.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.lock().batches.clear();
        self.close();
        // A panic there has nobody left to go to.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compiler, facts};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// A job that goes wrong, at function 5, in a way that only a bug could.
    fn broken(settings: &Settings) -> (Job, VecDeque<Batch<'static>>, Box<Placer>) {
        let wasm = wat::parse_str(format!("(module {})", "(func)".repeat(8))).unwrap();
        let mut translated = artifact::translate(settings, &wasm).unwrap();
        let facts = facts::facts(&translated.0, &translated.1, settings).unwrap();
        let mut job = Job::new(settings, facts, &mut translated);
        let batch = |first| Batch { first, offset: 0, entries: Cow::Owned(vec![2, 0, 0x0b]) };
        job.types.truncate(5);
        (job, (0..8).map(batch).collect(), Placer::new(settings, 8, true))
    }

    #[test]
    fn a_panic_in_a_thread_comes_through() {
        let engine = Compiler::new(&wasmtime::Config::new()).unwrap().settings;
        for threads in [1, 2, 8] {
            let settings = Settings { threads, batch: Some(1), ..engine.clone() };
            let (job, batches, placer) = broken(&settings);
            assert!(
                catch_unwind(AssertUnwindSafe(|| job.compile(batches, placer, || ()))).is_err(),
                "{threads} threads"
            );

            let (job, batches, placer) = broken(&settings);
            let Ok(mut pool) = Pool::new(Arc::new(job), threads, placer) else { panic!("no thread can be started") };
            batches.into_iter().for_each(|batch| pool.add(batch));
            assert!(catch_unwind(AssertUnwindSafe(|| pool.join())).is_err(), "{threads} threads that wait");
        }
    }
}
