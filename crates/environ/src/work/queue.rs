//! Several threads at work: each takes the next batch, and whichever has the next fragment places it. A fragment does
//! not show where it begins and ends: the functions are placed as if one thread had compiled them all in a row.

use crate::error::Error;
use crate::output::fragment::Fragment;
use crate::output::place::Placer;
use crate::work::hosts::Hosts;
use crate::work::job::{Batch, Terms};
use crate::work::worker::{Failure, Totals, Worker};
use std::collections::{BTreeMap, VecDeque};
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// What compiling gives.
pub(crate) struct Compiled {
    pub(crate) functions: Box<Placer>,
    pub(crate) totals: Totals,
}

/// Compiles batches that are all there, and does something else beside it, on this thread.
pub(crate) fn compile(
    terms: &Arc<Terms>,
    batches: VecDeque<Batch<'_>>,
    placer: Box<Placer>,
    beside: impl FnOnce(),
) -> Result<Compiled, Error> {
    if let Some(spawner) = &terms.control.spawner
        && terms.threads > 1
        && batches.len() > 1
    {
        // Work of the host's may begin when this is long over, and so owns what it needs.
        let mut hosts = Hosts::new(terms.clone(), spawner.clone(), placer);
        batches.into_iter().for_each(|batch| hosts.add(batch.owned()));
        beside();
        return hosts.join();
    }
    // Starting a thread takes as long as compiling a small fraction of a batch.
    let helpers = terms.threads.min(batches.len()).saturating_sub(1);
    let queue = Queue::new(batches, true, placer);
    thread::scope(|scope| {
        // Where no more threads can be started, those that were do the work, this one among them.
        let start = |_| thread().spawn_scoped(scope, || queue.work(terms)).ok();
        let helpers: Vec<_> = (0..helpers).map_while(start).collect();
        beside();
        queue.work(terms);
        helpers.into_iter().for_each(|helper| helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
    });
    queue.into_compiled()
}

/// A thread that compiles, to be started.
pub(super) fn thread() -> thread::Builder {
    thread::Builder::new().name("lightbeam".into())
}

/// Batches to compile, in order, and what became of those that were.
pub(super) struct Queue<'a> {
    state: Mutex<State<'a>>,
    /// Told when there is something to do, or nothing any more.
    pub(super) changed: Condvar,
}

pub(super) struct State<'a> {
    pub(super) batches: VecDeque<Batch<'a>>,
    /// Will no more be added?
    pub(super) closed: bool,
    /// Functions compiled.
    pub(super) compiled: u32,
    /// Chunks that wait for an earlier one, by number of the first function.
    pub(super) waiting: BTreeMap<u32, Fragment>,
    /// None while a thread places something. It looks for more when it is done.
    pub(super) placer: Option<Box<Placer>>,
    pub(super) totals: Totals,
    /// Of the functions that failed, the first.
    pub(super) failure: Option<Failure>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(batches: VecDeque<Batch<'a>>, closed: bool, placer: Box<Placer>) -> Queue<'a> {
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

    pub(super) fn lock(&self) -> MutexGuard<'_, State<'a>> {
        // A thread that panicked is noticed when it is joined.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compiles batches until there are no more to come.
    pub(super) fn work(&self, terms: &Terms) {
        self.work_on(terms, || self.next());
    }

    /// Compiles the batches that `next` gives.
    pub(super) fn work_on(&self, terms: &Terms, next: impl Fn() -> Option<Batch<'a>>) {
        let mut worker = Worker::new(terms);
        let mut failed = false;
        while let Some(batch) = next() {
            let start = Instant::now();
            let result = worker.batch(&batch);
            let mut totals = Totals::default();
            let fragment = worker.take(&batch.job, &mut totals);
            drop(batch);
            totals.busy = start.elapsed();
            let mut state = self.lock();
            state.totals += totals;
            // Of a batch that failed, what stands ahead of the failure: it may exceed the budget.
            state.waiting.extend(fragment.map(|fragment| (fragment.first, fragment)));
            match result {
                Ok(functions) => state.compiled += functions,
                // What has not begun comes later and cannot hold an earlier error.
                Err(failure) => {
                    failed = true;
                    state.batches.clear();
                    if state.failure.as_ref().is_none_or(|known| failure.number < known.number) {
                        state.failure = Some(failure);
                    }
                }
            }
            if terms.meter.exceeded() {
                state.batches.clear();
            }
            let compiled = state.compiled;
            self.place(state);
            terms.control.tell(compiled);
        }
        if !failed {
            worker.retire(terms);
        }
    }

    /// Places what can be placed, unless another thread is at it.
    fn place<'q>(&'q self, mut state: MutexGuard<'q, State<'a>>) {
        while let Some(mut placer) = state.placer.take() {
            let fragment = state.waiting.remove(&placer.next());
            if let Some(fragment) = fragment {
                drop(state);
                placer.place(fragment);
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
    /// When all threads have come to their end. An error is the same however often it is asked for.
    pub(super) fn result(&mut self) -> Result<Compiled, Error> {
        const ONCE: &str = "compiled functions are asked for once";
        // What was placed stands ahead of a function that failed, so of two errors this is the first.
        self.placer.as_ref().expect(ONCE).within_budget()?;
        match &self.failure {
            Some(failure) => Err(failure.error.clone()),
            None => Ok(Compiled { functions: self.placer.take().expect(ONCE).complete(), totals: self.totals }),
        }
    }
}
