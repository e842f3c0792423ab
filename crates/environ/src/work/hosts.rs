//! Bodies that are compiled on threads of the host's.
//!
//! A host's thread is never kept waiting: work that it is given compiles what there is to compile at the time, and
//! ends. Whoever waits for all of it compiles what nobody has begun, so nothing depends on the host's running any of
//! it.

use crate::control::Spawner;
use crate::error::Error;
use crate::output::place::Placer;
use crate::work::job::{Batch, Terms};
use crate::work::queue::{Compiled, Queue};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Compiles what is added on threads of the host's, until it is joined. Dropped, it leaves what nobody has begun.
pub(crate) struct Hosts {
    shared: Arc<Shared>,
    spawner: Spawner,
}

struct Shared {
    terms: Arc<Terms>,
    queue: Queue<'static>,
    at_work: Mutex<AtWork>,
    /// Told when a piece of work has ended.
    ended: Condvar,
}

#[derive(Default)]
struct AtWork {
    /// Pieces of work that the host was given, and those of them that have begun.
    given: usize,
    begun: usize,
    panic: Option<Box<dyn Any + Send>>,
}

impl Shared {
    fn at_work(&self) -> MutexGuard<'_, AtWork> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compiles what there is to compile now.
    fn work(&self) {
        self.queue.work_on(&self.terms, || self.queue.lock().batches.pop_front());
    }
}

/// Work that the host was given, and whether it has begun; counted as over when it ends, or is dropped.
struct Piece(Arc<Shared>, bool);

impl Piece {
    fn run(mut self) {
        self.1 = true;
        self.0.at_work().begun += 1;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.0.work())) {
            self.0.queue.lock().batches.clear();
            self.0.at_work().panic.get_or_insert(panic);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut at_work = self.0.at_work();
        at_work.given -= 1;
        if self.1 {
            at_work.begun -= 1;
        }
        drop(at_work);
        self.0.ended.notify_all();
    }
}

impl Hosts {
    pub(crate) fn new(terms: Arc<Terms>, spawner: Spawner, placer: Box<Placer>) -> Hosts {
        let queue = Queue::new(VecDeque::new(), false, placer);
        Hosts { shared: Arc::new(Shared { terms, queue, at_work: Mutex::default(), ended: Condvar::new() }), spawner }
    }

    pub(super) fn queue(&self) -> &Queue<'static> {
        &self.shared.queue
    }

    pub(crate) fn add(&mut self, batch: Batch<'static>) {
        let Shared { terms, queue, .. } = &*self.shared;
        let mut state = queue.lock();
        if state.failure.is_some() || terms.meter.exceeded() || batch.entries.is_empty() {
            return;
        }
        state.batches.push_back(batch);
        drop(state);
        let mut at_work = self.shared.at_work();
        // The calling thread is the last of those that may compile.
        if at_work.given + 1 < terms.threads {
            at_work.given += 1;
            drop(at_work);
            let piece = Piece(self.shared.clone(), false);
            (self.spawner)(Box::new(move || piece.run()));
        }
    }

    /// Compiles what nobody has begun, and waits for what others have.
    pub(crate) fn join(&mut self) -> Result<Compiled, Error> {
        let shared = &self.shared;
        shared.work();
        let at_work = shared.ended.wait_while(shared.at_work(), |at_work| at_work.begun != 0);
        let mut at_work = at_work.unwrap_or_else(PoisonError::into_inner);
        let panic = at_work.panic.take();
        drop(at_work);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        let result = shared.queue.lock().result();
        result
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.shared.queue.lock().batches.clear();
    }
}
