//! Threads, descriptors and files that running a program needs beside its own. Those who start threads, tokio and
//! Wasmtime's WASI, panic where there are none: here that becomes fewer threads, or an error.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, getrlimit};
use rustix::thread::gettid;
use std::any::Any;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZero;
use std::os::fd::AsRawFd as _;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail};

/// Pipes, of two descriptors each, of which tokio and what else runs a program make as many descriptors.
const PIPES: usize = 4;

/// Pipes that have as many descriptors as a server before it serves anybody (six), and one more for who comes.
const SERVER_PIPES: usize = 7;

/// Most threads that wait for the input and output of one program.
const WORKERS: usize = 4;

/// Is there a limit on the size of files? It holds for files in memory, too, from which Wasmtime fills memories of
/// guests if it may, and the kernel would answer with a signal.
pub(crate) fn limits_files() -> bool {
    getrlimit(Resource::Fsize).current.is_some()
}

/// Starts a thread that is never waited for.
pub(crate) fn start_thread(what: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = thread::Builder::new().name(what.into()).spawn(work);
    started.map(drop).with_context(|| format!("failed to start the thread for {what}"))
}

/// Runs a future to its end: beside threads that wait for its input and output, or without them if they cannot be
/// started.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime()?;
    let done = without_panic(|| runtime.block_on(future)).and_then(|done| done);
    // Whoever still waits for a file that says nothing is not waited for.
    runtime.shutdown_background();
    done
}

/// Fails if there are not the threads and descriptors that a server needs, which is Wasmtime's to run.
pub(crate) fn ensure_server() -> Result<()> {
    ensure_pipes(SERVER_PIPES, "to serve")?;
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    if !can_start(workers + 1) {
        bail!("to serve takes {} more threads", workers + 1);
    }
    Ok(())
}

fn ensure_pipes(most: usize, what: &str) -> Result<()> {
    let pipes: io::Result<Vec<_>> = (0..most).map(|_| io::pipe()).collect();
    pipes.map(drop).with_context(|| format!("{what} takes {} more file descriptors", 2 * most))
}

fn runtime() -> Result<Runtime> {
    ensure_pipes(PIPES, "to run a program")?;
    // Of its threads tokio may find out too late that it cannot have them, and then waits for itself.
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(WORKERS);
    if can_start(workers + 1) {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        return runtime.context("failed to prepare for running the program");
    }
    Builder::new_current_thread().enable_all().build().context("failed to prepare for running the program")
}

/// Can so many threads run side by side?
fn can_start(threads: usize) -> bool {
    let gate = Mutex::new(());
    let closed = gate.lock();
    let started: Vec<_> = thread::scope(|scope| {
        let pass = || {
            drop(gate.lock());
            gettid()
        };
        let started: Vec<_> =
            (0..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, pass).ok()).collect();
        drop(closed);
        started.into_iter().map_while(|thread| thread.join().ok()).collect()
    });
    started.iter().for_each(|thread| await_end(*thread));
    started.len() == threads
}

/// Waits until a thread that was joined no longer counts. The kernel lets whoever joins it go on a moment before, and
/// on a busy machine that moment is long enough to start no other thread in its place.
fn await_end(thread: Pid) {
    let path = format!("/proc/self/task/{}", thread.as_raw_nonzero());
    let deadline = Instant::now() + Duration::from_secs(1);
    while fs::exists(&path).unwrap_or(false) && Instant::now() < deadline {
        thread::sleep(Duration::from_micros(50));
    }
}

/// A file in memory that nobody can change, under a path that is of this process alone.
pub(crate) struct Sealed(File);

impl Sealed {
    pub(crate) fn new(bytes: &[u8]) -> Result<Sealed> {
        // The kernel would answer with a signal.
        if let Some(most) = getrlimit(Resource::Fsize).current.filter(|most| bytes.len() as u64 > *most) {
            bail!("it takes a file of {} bytes, and none may have more than {most} (RLIMIT_FSIZE)", bytes.len());
        }
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // A file that can never be executed by its name is all that some machines allow; older kernels know no such
        // flag.
        let file = match memfd_create("lightbeam", flags | MemfdFlags::NOEXEC_SEAL) {
            Err(Errno::INVAL) => memfd_create("lightbeam", flags),
            made => made,
        };
        let mut file = File::from(file.context("failed to make a file in memory")?);
        file.write_all(bytes).context("failed to write to a file in memory")?;
        let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
        fcntl_add_seals(&file, seals).context("failed to seal a file in memory")?;
        Ok(Sealed(file))
    }

    /// Leads to the file as long as this lives.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// What can be read once through a pipe, and so not be mapped, under a path that is of this process alone.
pub(crate) struct Piped(io::PipeReader);

impl Piped {
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Piped> {
        let (reader, mut writer) = io::pipe().context("failed to make a pipe")?;
        start_thread("a pipe", move || {
            // Whoever reads it says what is wrong with it.
            let _ = writer.write_all(&bytes);
        })?;
        Ok(Piped(reader))
    }

    /// Leads to the pipe as long as this lives.
    pub(crate) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

/// Does something; a panic over what the machine does not give is an error, and any other goes on.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            if not_given(info.payload()).is_none() {
                loud(info);
            }
        }));
    });
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Ok(done),
        Err(panic) => match not_given(&*panic) {
            Some(message) => bail!("{message}"),
            None => resume_unwind(panic),
        },
    }
}

/// What is to be said of a panic that is because a thread could not be started, or something not be printed.
fn not_given(payload: &(dyn Any + Send)) -> Option<String> {
    let message =
        payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())?;
    // Of `std::thread::spawn`, and of tokio.
    let starts = ["failed to spawn thread", "OS can't spawn worker thread"];
    if starts.iter().any(|start| message.starts_with(start)) {
        return Some(format!("the program needs one more thread: {message}"));
    }
    let printing = ["failed printing to stderr", "failed printing to stdout"];
    printing.iter().any(|start| message.starts_with(start)).then(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_over_the_machine_is_an_error_and_another_stays_one() {
        let error = without_panic(|| panic!("failed to spawn thread: {}", 11)).unwrap_err();
        assert!(error.to_string().contains("needs one more thread: failed to spawn thread: 11"), "{error:#}");
        assert!(catch_unwind(|| without_panic(|| panic!("something else"))).is_err());
        let error = without_panic(|| panic!("failed printing to stderr: {}", 28)).unwrap_err();
        assert!(error.to_string().contains("to stderr: 28"), "{error:#}");
        assert_eq!(without_panic(|| 7).unwrap(), 7);
    }

    #[test]
    fn threads_that_were_tried_no_longer_count() {
        for _ in 0..200 {
            let tried = thread::scope(|scope| scope.spawn(gettid).join().unwrap());
            await_end(tried);
            assert!(!fs::exists(format!("/proc/self/task/{}", tried.as_raw_nonzero())).unwrap());
        }
        assert!(can_start(3));
    }
}
