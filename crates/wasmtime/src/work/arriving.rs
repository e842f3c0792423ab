//! Bodies that are compiled as they arrive: by whoever brings them, or by a pool of threads.

use crate::error::Error;
use crate::output::place::Placer;
use crate::work::job::{Batch, Job};
use crate::work::queue::{self, Compiled, Queue};
use crate::work::worker::{Totals, Worker};
use lightbeam_compiler::facts::Facts;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use wasmtime_environ::wasmparser::FunctionBody;

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
                    && let (Some(fragment), Some(placer)) = (worker.take(totals), placer)
                {
                    placer.place(fragment);
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
                worker.take(totals).into_iter().for_each(|fragment| open.place(fragment));
                open.within_budget()?;
                let functions = placer.take().expect(ONCE).complete();
                Ok(Compiled { functions, totals: *totals })
            }
            Arriving::Pool { pool, .. } => pool.join(),
        }
    }

    /// Waits for what has been handed over, when that was all.
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
            match queue::thread().spawn(move || shared.queue.work(&shared.job)) {
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
    use crate::input::translate;
    use crate::settings::Settings;
    use crate::{Compiler, facts};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// A job that goes wrong, at function 5, in a way that only a bug could.
    fn broken(settings: &Settings) -> (Job, VecDeque<Batch<'static>>, Box<Placer>) {
        let wasm = wat::parse_str(format!("(module {})", "(func)".repeat(8))).unwrap();
        let mut translated = translate::translate(settings, &wasm).unwrap();
        let facts = facts::of_module(settings, &wasm, &translated).unwrap();
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
                catch_unwind(AssertUnwindSafe(|| queue::compile(&job, batches, placer, || ()))).is_err(),
                "{threads} threads"
            );

            let (job, batches, placer) = broken(&settings);
            let Ok(mut pool) = Pool::new(Arc::new(job), threads, placer) else { panic!("no thread can be started") };
            batches.into_iter().for_each(|batch| pool.add(batch));
            assert!(catch_unwind(AssertUnwindSafe(|| pool.join())).is_err(), "{threads} threads that wait");
        }
    }
}
