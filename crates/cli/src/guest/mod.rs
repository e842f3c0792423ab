//! Runs the guest once it is linked: what `lightbeam run` does between Wasmtime's store and the exit code. Wasmtime's
//! command has this part, too, but ends the process by itself, prints names as the module has them, and panics where
//! standard error cannot be written or a thread not be started.

mod component;
mod module;

use crate::machine::start_thread;
use crate::output;
use crate::show::say;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use wasmtime::component::{self as components, Component};
use wasmtime::error::Context as _;
use wasmtime::{Engine, GuestProfiler, Linker, Module, Result, Store, Trap, UpdateDeadline, WasmCoreDump};
use wasmtime_cli::commands::{Host, RunCommand};

/// What is to be run, and what it is linked with.
pub(crate) enum Program {
    Module(Module, Linker<Host>),
    Component(Component, components::Linker<Host>),
}

/// The options that a program is run by.
pub(crate) struct Guest<'a> {
    pub(crate) command: &'a RunCommand,
    pub(crate) engine: &'a Engine,
    /// Modules instantiated before, for it to import from.
    pub(crate) preloads: &'a [(String, Module)],
}

impl Guest<'_> {
    /// Instantiates the program and calls the function that the options name, or the one that makes it a program. Gives
    /// what there is to print.
    pub(crate) async fn run(&self, program: &mut Program, store: &mut Store<Host>) -> Result<String> {
        let wasm = &self.command.run.common.wasm;
        let profiler = self.watch(program, store)?;
        let run = async {
            let result = match program {
                Program::Module(module, linker) => self.call_module(module, linker, store).await,
                Program::Component(component, linker) => self.call_component(component, linker, store).await,
            };
            let name = self.command.module_and_args[0].to_string_lossy();
            result.with_context(|| format!("failed to run main module `{name}`"))
        };
        // A guest that waits for its input does not see that its time is over.
        let result = match wasm.timeout {
            Some(timeout) => match tokio::time::timeout(timeout, run).await {
                Ok(result) => result,
                Err(_) => Err(Trap::Interrupt.into()),
            },
            None => run.await,
        };
        if let Some(profiler) = profiler {
            profiler.finish();
        }
        result
    }

    /// Writes down the state in which the guest trapped, if that is asked for.
    fn dump(&self, store: &mut Store<Host>, error: wasmtime::Error) -> wasmtime::Error {
        let Some(path) = &self.command.run.common.debug.coredump else { return error };
        let Some(dump) = error.downcast_ref::<WasmCoreDump>() else { return error };
        let name = self.command.module_and_args[0].to_string_lossy();
        let bytes = dump.serialize(store, &name);
        match output::write(Path::new(path), &bytes) {
            Ok(()) => error.context(format!("core dumped at {path}")),
            Err(failed) => {
                say(format!("warning: no core dump: {failed:#}"));
                error
            }
        }
    }

    /// Has the guest interrupted when its time is over, and its stack looked at until then, as far as that is asked
    /// for.
    fn watch(&self, program: &Program, store: &mut Store<Host>) -> Result<Option<Profiler>> {
        let timeout = self.command.run.common.wasm.timeout;
        if let Some((path, interval)) = self.profile() {
            return Profiler::start(self, program, store, path, interval, timeout).map(Some);
        }
        if let Some(timeout) = timeout {
            store.set_epoch_deadline(1);
            let engine = self.engine.clone();
            start_thread("the timeout", move || {
                thread::sleep(timeout);
                engine.increment_epoch();
            })?;
        }
        Ok(None)
    }

    /// Where the profile of the guest's stack is wanted, if it is, and how often to look. Wasmtime's type for it is its
    /// own; it tells by printing itself.
    fn profile(&self) -> Option<(String, Duration)> {
        let profile = self.command.run.profile.as_ref()?.to_string();
        let (path, interval) = profile.strip_prefix("guest,")?.rsplit_once(',')?;
        Some((path.into(), Duration::from_millis(interval.parse().ok()?)))
    }
}

/// Looks at the guest's stack again and again.
struct Profiler {
    /// None when it is over.
    profile: Arc<Mutex<Option<GuestProfiler>>>,
    path: String,
}

impl Profiler {
    fn start(
        guest: &Guest<'_>,
        program: &Program,
        store: &mut Store<Host>,
        path: String,
        interval: Duration,
        timeout: Option<Duration>,
    ) -> Result<Profiler> {
        let name = guest.command.module_and_args[0].to_string_lossy();
        let preloads = guest.preloads.iter().cloned();
        let profile = match program {
            Program::Module(module, _) => {
                let modules = [(String::new(), module.clone())].into_iter().chain(preloads);
                GuestProfiler::new(guest.engine, &name, interval, modules)?
            }
            Program::Component(component, _) => {
                GuestProfiler::new_component(guest.engine, &name, interval, component.clone(), preloads)?
            }
        };
        let profile = Arc::new(Mutex::new(Some(profile)));
        let hooked = profile.clone();
        store.call_hook(move |store, kind| {
            with(&hooked, |profile| profile.call_hook(store, kind));
            Ok(())
        });
        let mut ticks = timeout.map(|timeout| (timeout.as_secs_f64() / interval.as_secs_f64()).ceil() as u64);
        let sampled = profile.clone();
        store.epoch_deadline_callback(move |store| {
            with(&sampled, |profile| profile.sample(store, Duration::ZERO));
            match &mut ticks {
                Some(0 | 1) => Err(Trap::Interrupt.into()),
                Some(left) => {
                    *left -= 1;
                    Ok(UpdateDeadline::Continue(1))
                }
                None => Ok(UpdateDeadline::Continue(1)),
            }
        });
        store.set_epoch_deadline(1);
        let (engine, watched) = (guest.engine.clone(), profile.clone());
        start_thread("the profiler", move || {
            while lock(&watched).is_some() {
                thread::sleep(interval);
                engine.increment_epoch();
            }
        })?;
        Ok(Profiler { profile, path })
    }

    /// Writes the profile.
    fn finish(self) {
        let Some(profile) = lock(&self.profile).take() else { return };
        let mut bytes = Vec::new();
        match profile.finish(&mut bytes).and_then(|()| output::write(Path::new(&self.path), &bytes)) {
            Ok(()) => {
                say(format!("\nProfile written to: {}\nView this profile at https://profiler.firefox.com/.", self.path))
            }
            Err(error) => say(format!("warning: no profile: {error:#}")),
        }
    }
}

fn lock(profile: &Mutex<Option<GuestProfiler>>) -> MutexGuard<'_, Option<GuestProfiler>> {
    profile.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with(profile: &Mutex<Option<GuestProfiler>>, look: impl FnOnce(&mut GuestProfiler)) {
    if let Some(profile) = &mut *lock(profile) {
        look(profile);
    }
}
