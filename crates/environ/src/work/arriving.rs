//! Bodies that are compiled as they arrive: by whoever brings them, or by a pool of threads.

use crate::error::Error;
use crate::output::place::Placer;
use crate::work::hosts::Hosts;
use crate::work::job::{Batch, Job, Terms};
use crate::work::queue::{self, Compiled, Queue};
use crate::work::worker::{Totals, Worker};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use wasmtime_environ::wasmparser::FunctionBody;

/// Compiles bodies as they arrive, of one module after the other.
pub(crate) struct Arriving {
    terms: Arc<Terms>,
    /// The module whose bodies arrive.
    job: Option<Arc<Job>>,
    /// How many have come, of all modules.
    functions: u32,
    by: By,
}

/// Who compiles.
enum By {
    /// The thread that pushes.
    Caller { worker: Option<Worker>, placer: Option<Box<Placer>>, totals: Totals },
    /// Threads, which are given what was collected.
    Threads { threads: Threads, collected: Option<Batch<'static>> },
}

impl Arriving {
    pub(crate) fn new(terms: Arc<Terms>, placer: Box<Placer>) -> Arriving {
        let by = By::Caller { worker: None, placer: Some(placer), totals: Totals::default() };
        Arriving { terms, job: None, functions: 0, by }
    }

    /// Begins a module with a code section of so many bytes; all bodies of those before it have come.
    pub(crate) fn begin(&mut self, job: Arc<Job>, section_bytes: usize) {
        debug_assert_eq!(job.first, self.functions);
        self.flush();
        if let By::Caller { placer, .. } = &mut self.by {
            let threads = self.terms.threads.min(section_bytes / self.terms.batch);
            if threads >= 2 {
                let open = placer.take().expect(ONCE);
                match Threads::new(&self.terms, threads, open) {
                    Ok(threads) => self.by = By::Threads { threads, collected: None },
                    Err(open) => *placer = Some(open),
                }
            }
        }
        self.job = Some(job);
    }

    /// Takes the next entry of the code section, which is at byte `offset` of the module and holds `body`.
    pub(crate) fn push(&mut self, offset: usize, entry: &[u8], body: FunctionBody<'_>) -> Result<(), Error> {
        let job = self.job.as_ref().expect("a module has begun");
        let index = self.functions - job.first;
        self.functions += 1;
        match &mut self.by {
            By::Caller { worker, placer, totals } => {
                let start = Instant::now();
                let worker = worker.get_or_insert_with(|| Worker::new(&self.terms));
                worker.function(job, index, body)?;
                totals.busy += start.elapsed();
                if worker.is_full(job)
                    && let (Some(fragment), Some(placer)) = (worker.take(job, totals), placer)
                {
                    placer.place(fragment);
                    self.terms.control.tell(self.functions);
                }
                // What was counted tells only that there is too much; the placer, which function has it.
                if self.terms.meter.exceeded() {
                    self.settle()?;
                }
            }
            By::Threads { collected, .. } => {
                let batch = collected.get_or_insert_with(|| Batch::none(job.clone(), index, offset));
                let Cow::Owned(entries) = &mut batch.entries else { unreachable!("collected bytes are owned") };
                entries.extend_from_slice(entry);
                if entries.len() >= self.terms.batch {
                    self.flush();
                }
            }
        }
        Ok(())
    }

    /// Prepares for so many bytes of data behind the text, unless there is still something to compile.
    pub(crate) fn prepare(&mut self, data: usize) {
        self.flush();
        match &mut self.by {
            By::Caller { placer: Some(placer), .. } => placer.prepare(data),
            By::Caller { .. } => {}
            By::Threads { threads, .. } => {
                let queue = threads.queue();
                let mut state = queue.lock();
                if state.placer.as_ref().is_some_and(|placer| placer.next() == self.functions)
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
        match &mut self.by {
            By::Caller { .. } => Ok(self.functions),
            By::Threads { threads, .. } => {
                let state = threads.queue().lock();
                let (compiled, failed) = (state.compiled, state.failure.is_some());
                drop(state);
                // Another thread may still be at an earlier function.
                if failed || self.terms.meter.exceeded() { threads.join().map(|_| compiled) } else { Ok(compiled) }
            }
        }
    }

    /// Hands on what was collected, and what stands in the output.
    pub(crate) fn flush(&mut self) {
        match &mut self.by {
            By::Caller { worker, placer: Some(placer), totals } => {
                let fragment =
                    self.job.as_ref().zip(worker.as_mut()).and_then(|(job, worker)| worker.take(job, totals));
                fragment.into_iter().for_each(|fragment| placer.place(fragment));
            }
            By::Caller { .. } => {}
            By::Threads { threads, collected } => {
                collected.take().into_iter().for_each(|batch| threads.add(batch));
            }
        }
    }

    /// Waits for what has arrived. Nothing may be pushed any more, and what was compiled is given once.
    ///
    /// # Errors
    ///
    /// The first in the order of the functions, however often it is asked for.
    pub(crate) fn settle(&mut self) -> Result<Compiled, Error> {
        self.flush();
        match &mut self.by {
            By::Caller { worker, placer, totals } => {
                placer.as_ref().expect(ONCE).within_budget()?;
                worker.take().into_iter().for_each(|worker| worker.retire(&self.terms));
                let functions = placer.take().expect(ONCE).complete();
                Ok(Compiled { functions, totals: *totals })
            }
            By::Threads { threads, .. } => threads.join(),
        }
    }
}

/// Why there is a placer.
const ONCE: &str = "compiled functions are asked for once";

/// Who compiles what is added until they are joined.
enum Threads {
    Own(Pool),
    OfHost(Hosts),
}

impl Threads {
    /// As many as these, if any can be had; else the placer comes back.
    fn new(terms: &Arc<Terms>, threads: usize, placer: Box<Placer>) -> Result<Threads, Box<Placer>> {
        match &terms.control.spawner {
            Some(spawner) => Ok(Threads::OfHost(Hosts::new(terms.clone(), spawner.clone(), placer))),
            None => Pool::new(terms.clone(), threads, placer).map(Threads::Own),
        }
    }

    fn queue(&self) -> &Queue<'static> {
        match self {
            Threads::Own(pool) => &pool.shared.queue,
            Threads::OfHost(hosts) => hosts.queue(),
        }
    }

    fn add(&mut self, batch: Batch<'static>) {
        match self {
            Threads::Own(pool) => pool.add(batch),
            Threads::OfHost(hosts) => hosts.add(batch),
        }
    }

    fn join(&mut self) -> Result<Compiled, Error> {
        match self {
            Threads::Own(pool) => pool.join(),
            Threads::OfHost(hosts) => hosts.join(),
        }
    }
}

/// Threads that compile what is added until they are joined. Dropped, they stop at their next batch.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    terms: Arc<Terms>,
    queue: Queue<'static>,
}

impl Pool {
    /// Starts threads, as many as can be started; gives the placer back if none can.
    fn new(terms: Arc<Terms>, threads: usize, placer: Box<Placer>) -> Result<Pool, Box<Placer>> {
        let shared = Arc::new(Shared { terms, queue: Queue::new(VecDeque::new(), false, placer) });
        // From here on whatever goes wrong drops the pool, which stops those that were started.
        let mut pool = Pool { shared, threads: Vec::with_capacity(threads) };
        for _ in 0..threads {
            let shared = pool.shared.clone();
            match queue::thread().spawn(move || shared.queue.work(&shared.terms)) {
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
        if state.failure.is_none() && !self.shared.terms.meter.exceeded() && !batch.entries.is_empty() {
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
    use crate::facts;
    use crate::input::translate;
    use crate::settings::Settings;
    use crate::work::worker::Failure;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// A job that goes wrong, at function 5, in a way that only a bug could.
    fn broken(settings: &Settings) -> (Arc<Terms>, VecDeque<Batch<'static>>, Box<Placer>) {
        let wasm = wat::parse_str(format!("(module {})", "(func)".repeat(8))).unwrap();
        let mut translated = translate::translate(settings, &wasm).unwrap();
        let facts = facts::of_module(settings, &wasm, &translated.0, &translated.1).unwrap();
        let terms = Terms::new(settings);
        let mut job = Job::new(terms.clone(), facts, &mut translated.0, (0, 0));
        job.types.truncate(5);
        let job = Arc::new(job);
        let batch = |first| Batch { job: job.clone(), first, offset: 0, entries: Cow::Owned(vec![2, 0, 0x0b]) };
        (terms, (0..8).map(batch).collect(), Placer::new(settings, 8, true))
    }

    #[test]
    fn a_panic_in_a_thread_comes_through() {
        for threads in [1, 2, 8] {
            let settings = Settings { threads, batch: Some(1), ..Settings::usual() };
            let (terms, batches, placer) = broken(&settings);
            assert!(
                catch_unwind(AssertUnwindSafe(|| queue::compile(&terms, batches, placer, || ()))).is_err(),
                "{threads} threads"
            );

            let (terms, batches, placer) = broken(&settings);
            let Ok(mut pool) = Pool::new(terms, threads, placer) else { panic!("no thread can be started") };
            batches.into_iter().for_each(|batch| pool.add(batch));
            assert!(catch_unwind(AssertUnwindSafe(|| pool.join())).is_err(), "{threads} threads that wait");
        }
    }

    #[test]
    fn a_failure_stays_one_though_code_was_dropped_ahead_of_it() {
        let settings = Settings { threads: 1, batch: Some(1), ..Settings::usual() };
        let (terms, batches, mut placer) = broken(&settings);
        // Another thread was ahead of those that came to an end: what it made was too much, and so the rest was
        // dropped.
        let mut worker = Worker::new(&terms);
        assert!(worker.batch(&batches[0]).is_ok_and(|functions| functions == 1));
        let mut fragment = worker.take(&batches[0].job, &mut Totals::default()).unwrap();
        fragment.dropped = true;
        placer.place(fragment);
        let Ok(mut pool) = Pool::new(terms, 1, placer) else { panic!("no thread can be started") };
        pool.shared.queue.lock().failure = Some(Failure { number: 1, error: Error::invalid("wrong", Some(9)) });
        for _ in 0..2 {
            assert_eq!(pool.join().map(|_| ()), Err(Error::invalid("wrong", Some(9))));
        }
    }
}
