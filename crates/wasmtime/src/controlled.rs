//! What a host has to say while something is compiled, and where it is kept when it is done.

use crate::Compiler;
#[cfg(feature = "cache")]
use crate::cache::Cache;
use lightbeam_environ::control::{Control, Work};
use lightbeam_environ::{CancelToken, Progress};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Compiler {
    fn controlled(mut self, change: impl FnOnce(&mut Control)) -> Compiler {
        self.settings = Arc::new(self.settings.controlled(change));
        self
    }

    /// Gives the compiler a token by which what it compiles can be cancelled, from any thread. It is looked at between
    /// functions and before linking; compiling then ends with an error of the kind
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), and so does whatever the compiler is given afterwards. To
    /// cancel one module alone give a clone of the compiler a token of its own, which is cheap.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// use lightbeam::{CancelToken, Compiler, Error, ErrorKind};
    ///
    /// let compiler = Compiler::new(&wasmtime::Config::new())?;
    /// let token = CancelToken::default();
    /// token.cancel(); // by another thread, some time later
    /// let error = compiler.clone().cancel_token(&token).module("(module (func))").unwrap_err();
    /// assert_eq!(error.downcast_ref::<Error>().unwrap().kind(), ErrorKind::Cancelled);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancel_token(self, token: &CancelToken) -> Compiler {
        self.controlled(|control| control.cancel = Some(token.clone()))
    }

    /// Sets when all that this compiler compiles must be done. What is not compiled by then is an error of the kind
    /// [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded); the clock is looked at between functions
    /// and before linking.
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Compiler {
        self.controlled(|control| control.deadline = Some(deadline))
    }

    /// Sets how long compiling one module or component may take, loading apart; the time of a stream begins with its
    /// first code. What takes longer is an error as after a [`deadline`](Self::deadline).
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Compiler {
        self.controlled(|control| control.time_limit = Some(limit))
    }

    /// Has a function called each time some more functions are compiled, with how far it is: about once a millisecond
    /// of each thread's work, from any of the threads that compile, which wait for it. Numbers of several threads may
    /// come out of order.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?.progress(|progress| {
    ///     if let Some(total) = progress.functions_total {
    ///         println!("{} of {total} functions", progress.functions_compiled);
    ///     }
    /// });
    /// # compiler.module("(module (func))")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn progress(self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Compiler {
        self.controlled(|control| control.listener = Some(Arc::new(listener)))
    }

    /// Has work done by threads of the host's, rather than by threads that are started for each module: the function is
    /// given pieces of work and runs each on some thread, now or later. Of one module there are never more than
    /// [`threads`](Self::threads) less one, beside the calling thread, which compiles too, and all that no other has
    /// begun. So a piece may also be dropped; and as it never waits for anything, no pool is too small.
    ///
    /// Proofs ([`verify`](Self::verify)) stay on the calling thread then.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// // With rayon: `.spawner(rayon::spawn)`; with Tokio: `.spawner(|work| drop(tokio::task::spawn_blocking(work)))`.
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?
    ///     .threads(4)
    ///     .spawner(|work| drop(std::thread::spawn(work)));
    /// # compiler.module("(module (func))")?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn spawner(self, spawner: impl Fn(Work) + Send + Sync + 'static) -> Compiler {
        self.controlled(|control| control.spawner = Some(Arc::new(spawner)))
    }

    /// Keeps artifacts in this cache, and finds them there instead of compiling again: of all ways in that take a
    /// module or a component as a whole, which are those without `stream` and `read` in their names. A stream does not
    /// ask it: which module it is shows with the last byte, and by then all of it is compiled. Nor does it keep what it
    /// made: the key is a digest of the bytes, which it lets go as it has used them. With
    /// [`verify`](Self::verify), what is found is proved against the module, as
    /// [`verify_artifact`](Self::verify_artifact) does it; what is not proved is removed and compiled again.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache(mut self, cache: &Cache) -> Compiler {
        self.cache = Some(cache.clone());
        self
    }

    /// The cache, if there is one.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn get_cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }
}
