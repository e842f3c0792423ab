//! What a host has to say while something is compiled: that it is not wanted any more, how long it may take, who is to
//! hear how far it is, and whose threads do it. Nothing of this changes what comes of it.

use crate::error::Error;
use crate::report::Progress;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Cancels whatever is being compiled by compilers that have been given it, or clones of it. Once cancelled it stays
/// so.
///
/// ```
/// let token = lightbeam_environ::CancelToken::default();
/// std::thread::spawn({
///     let token = token.clone();
///     move || token.cancel()
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Has compiling end with an error of the kind [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), as soon as
    /// each thread is done with the function that it is at.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Was it cancelled?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A piece of work for a thread of the host's. It never waits for others, and where nothing is left to do it does
/// nothing; so it may be run at any time, late, or not at all, if it is dropped.
pub type Work = Box<dyn FnOnce() + Send + 'static>;

/// Whoever is told how far compiling has come.
pub type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Whoever runs work on threads.
pub type Spawner = Arc<dyn Fn(Work) + Send + Sync>;

/// What a host has said.
#[derive(Clone, Default)]
pub struct Control {
    /// Cancels what is being compiled.
    pub cancel: Option<CancelToken>,
    /// When everything must be done.
    pub deadline: Option<Instant>,
    /// How long one module or component may take.
    pub time_limit: Option<Duration>,
    /// Is told how far it has come.
    pub listener: Option<Listener>,
    /// Runs work in place of threads that are started.
    pub spawner: Option<Spawner>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancel", &self.cancel)
            .field("deadline", &self.deadline)
            .field("time_limit", &self.time_limit)
            .field("listener", &self.listener.is_some())
            .field("spawner", &self.spawner.is_some())
            .finish()
    }
}

/// What was said, as far as it concerns one module or component, from when it begins.
pub(crate) struct Watch {
    cancel: Option<CancelToken>,
    deadline: Option<Instant>,
    listener: Option<Listener>,
    pub(crate) spawner: Option<Spawner>,
    /// Functions that there are to compile, 0 if that is not known; and bytes that have come.
    total: AtomicU32,
    bytes: AtomicUsize,
}

impl Watch {
    pub(crate) fn new(control: &Control) -> Watch {
        let limit = control.time_limit.and_then(|limit| Instant::now().checked_add(limit));
        Watch {
            cancel: control.cancel.clone(),
            deadline: control.deadline.into_iter().chain(limit).min(),
            listener: control.listener.clone(),
            spawner: control.spawner.clone(),
            total: AtomicU32::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Fails if it is over.
    pub(crate) fn look(&self) -> Result<(), Error> {
        if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(Error::cancelled());
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::deadline_exceeded());
        }
        Ok(())
    }

    /// Says how many functions there are in all, and how many bytes have come.
    pub(crate) fn expect(&self, functions: u32, bytes: usize) {
        self.total.store(functions, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Tells that so many functions are compiled.
    pub(crate) fn tell(&self, compiled: u32) {
        if let Some(listener) = &self.listener {
            let total = self.total.load(Ordering::Relaxed);
            listener(Progress {
                functions_compiled: compiled,
                functions_total: (total != 0).then_some(total),
                bytes: self.bytes.load(Ordering::Relaxed),
            });
        }
    }
}
