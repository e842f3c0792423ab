//! Runs the guest once it is linked: what `lightbeam run` does between Wasmtime's store and the exit code. Wasmtime's
//! command has this part, too, but ends the process by itself, prints names as the module has them, and panics where
//! standard error cannot be written or a thread not be started.

use crate::machine::start_thread;
use crate::output;
use crate::show::say;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use wasmtime::error::Context as _;
use wasmtime::{
    Engine, Func, GuestProfiler, Linker, Module, Result, Store, Trap, UpdateDeadline, Val, ValType, WasmCoreDump, bail,
    format_err,
};
use wasmtime_cli::commands::{Host, RunCommand};

/// A module to be run, with the options that it is run by.
pub(crate) struct Guest<'a> {
    pub(crate) command: &'a RunCommand,
    pub(crate) engine: &'a Engine,
    pub(crate) module: &'a Module,
    /// Modules instantiated before, for it to import from.
    pub(crate) preloads: &'a [(String, Module)],
}

impl Guest<'_> {
    /// Instantiates the module and calls the function that the options name, or the one that makes it a program. Gives
    /// what there is to print.
    pub(crate) async fn run(&self, linker: &mut Linker<Host>, store: &mut Store<Host>) -> Result<String> {
        let wasm = &self.command.run.common.wasm;
        let profiler = self.watch(store)?;
        let run = async {
            let result = self.call(linker, store).await;
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

    async fn call(&self, linker: &mut Linker<Host>, store: &mut Store<Host>) -> Result<String> {
        let wasm = &self.command.run.common.wasm;
        if wasm.unknown_imports_trap == Some(true) {
            linker.define_unknown_imports_as_traps(self.module)?;
        }
        if wasm.unknown_imports_default == Some(true) {
            linker.define_unknown_imports_as_default_values(&mut *store, self.module)?;
        }
        let instance = match linker.instantiate_async(&mut *store, self.module).await {
            Ok(instance) => instance,
            Err(error) => return Err(self.dump(store, error).context("failed to instantiate the module")),
        };
        // Of a library that wants to be prepared.
        if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
            let initialize = initialize.typed::<(), ()>(&store)?;
            if let Err(error) = initialize.call_async(&mut *store, ()).await {
                return Err(self.dump(store, error));
            }
        }
        let invoked = self.command.invoke.as_deref();
        let names = invoked.map_or_else(|| vec!["", "_start"], |name| vec![name]);
        let Some(func) = names.into_iter().find_map(|name| instance.get_func(&mut *store, name)) else {
            return match invoked {
                Some(name) => Err(format_err!("no func export named `{name}` found")),
                None => Ok(String::new()),
            };
        };
        self.invoke(store, func).await
    }

    async fn invoke(&self, store: &mut Store<Host>, func: Func) -> Result<String> {
        let name = self.command.invoke.as_deref().unwrap_or("_start");
        let ty = func.ty(&*store);
        let mut words = self.command.module_and_args[1..].iter();
        let mut arguments = Vec::new();
        for ty in ty.params() {
            let Some(word) = words.next() else { bail!("not enough arguments for `{name}`") };
            let Some(word) = word.to_str() else { bail!("argument is not valid UTF-8: {word:?}") };
            arguments.push(argument(word, &ty)?);
        }
        let mut results = vec![Val::I32(0); ty.results().len()];
        if let Err(error) = func.call_async(&mut *store, &arguments, &mut results).await {
            let error = error.context(format!("failed to invoke `{name}`"));
            return Err(self.dump(store, error));
        }
        let mut shown = String::new();
        results.iter().try_for_each(|result| writeln!(shown, "{}", show(result)))?;
        Ok(shown)
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
    fn watch(&self, store: &mut Store<Host>) -> Result<Option<Profiler>> {
        let timeout = self.command.run.common.wasm.timeout;
        if let Some((path, interval)) = self.profile() {
            return Profiler::start(self, store, path, interval, timeout).map(Some);
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
        store: &mut Store<Host>,
        path: String,
        interval: Duration,
        timeout: Option<Duration>,
    ) -> Result<Profiler> {
        let modules = [(String::new(), guest.module.clone())].into_iter().chain(guest.preloads.iter().cloned());
        let name = guest.command.module_and_args[0].to_string_lossy();
        let profile = GuestProfiler::new(guest.engine, &name, interval, modules)?;
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

/// An argument as it is written on the command line: a number, of integers also the bits in hexadecimal.
fn argument(word: &str, ty: &ValType) -> Result<Val> {
    let integer = |bits: u32| -> Option<i64> {
        let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
        let value = match hexadecimal {
            Some(digits) => i128::from_str_radix(digits, 16),
            None => digits.parse::<i128>(),
        };
        let value = value.ok()?.checked_mul(if negative { -1 } else { 1 })?;
        // Signed or unsigned, as it is meant.
        (-(1 << (bits - 1))..1 << bits).contains(&value).then_some(value as i64)
    };
    let value = match ty {
        ValType::I32 => integer(32).map(|value| Val::I32(value as i32)),
        ValType::I64 => integer(64).map(Val::I64),
        ValType::F32 => word.parse::<f32>().ok().map(Val::from),
        ValType::F64 => word.parse::<f64>().ok().map(Val::from),
        other => bail!("an argument of type {other} cannot be given on the command line"),
    };
    value.ok_or_else(|| format_err!("`{word}` is no {ty}"))
}

fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => value.as_u128().to_string(),
        Val::FuncRef(reference) => reference_to("funcref", reference.is_none()),
        Val::ExternRef(reference) => reference_to("externref", reference.is_none()),
        Val::AnyRef(reference) => reference_to("anyref", reference.is_none()),
        Val::ExnRef(reference) => reference_to("exnref", reference.is_none()),
        Val::ContRef(reference) => reference_to("contref", reference.is_none()),
    }
}

fn reference_to(what: &str, null: bool) -> String {
    if null { format!("<null {what}>") } else { format!("<{what}>") }
}
