//! Components, compiled by both compilers and in all of Lightbeam's ways, which have to behave alike.
//!
//! A test gives the text of a component and a closure that makes an instance and calls it. What the closure saw, traps
//! and backtraces included, is compared with what it sees of the component as Cranelift compiles it.

pub mod program;
pub mod types;

use crate::backend::Setup;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{Component, Func, Instance, Linker, Val};
use wasmtime::{AsContextMut, Config, Engine, Result, Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace};

/// Under what a component runs.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// What it is called in a complaint.
    pub name: &'static str,
    /// What modules may have different, too.
    pub setup: Setup,
    /// Does the host keep track of tasks?
    pub concurrency: bool,
    /// Do adapters check themselves?
    pub checked_adapters: bool,
}

/// What code there is around components depends on these.
#[must_use]
pub fn settings() -> [Setting; 6] {
    let setup = Setup::default();
    let base = Setting { name: "default", setup, concurrency: true, checked_adapters: false };
    [
        base,
        Setting { name: "no-signals", setup: Setup { signals: false, lazy_tables: false, ..setup }, ..base },
        Setting {
            name: "moving",
            setup: Setup { reservation: Some(0), guard: Some(0), copy_on_write: false, ..setup },
            ..base
        },
        Setting { name: "no-concurrency", concurrency: false, ..base },
        Setting { name: "metered", setup: Setup { fuel: true, epochs: true, ..setup }, ..base },
        Setting { name: "checked-adapters", checked_adapters: true, ..base },
    ]
}

impl Setting {
    /// An engine of these settings, on which components may have everything that there is.
    #[must_use]
    pub fn config(&self) -> Config {
        let mut config = self.setup.config();
        config
            .wasm_exceptions(true)
            .wasm_component_model_memory64(true)
            .wasm_component_model_map(true)
            .wasm_component_model_implements(true)
            .wasm_component_model_fixed_length_lists(true)
            .concurrency_support(self.concurrency)
            .debug_adapter_modules(self.checked_adapters)
            .wasm_backtrace_max_frames(std::num::NonZero::new(40));
        config
            .wasm_component_model_async(self.concurrency)
            .wasm_component_model_error_context(self.concurrency)
            .wasm_component_model_more_async_builtins(self.concurrency)
            .wasm_component_model_async_stackful(self.concurrency)
            .wasm_component_model_threading(self.concurrency);
        config
    }

    /// That engine.
    ///
    /// # Panics
    ///
    /// If there can be none.
    #[must_use]
    pub fn engine(&self) -> Engine {
        Engine::new(&self.config()).expect("the settings go together")
    }

    /// The component in all ways, Cranelift's first. That what streams and what does not become the same is checked.
    ///
    /// # Errors
    ///
    /// If neither compiles it.
    ///
    /// # Panics
    ///
    /// If one compiles what the other does not, or Lightbeam not always to the same.
    pub fn compile(&self, engine: &Engine, text: &str) -> Result<Vec<(&'static str, Component)>> {
        let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let lightbeam = self.setup.lightbeam(engine)?;
        let what = || format!("{}: {text}", self.name);
        let theirs = match Component::new(engine, &wasm) {
            Ok(component) => component,
            Err(error) => {
                assert!(lightbeam.component(&wasm).is_err(), "{error:?}, but Lightbeam compiles it: {}", what());
                return Err(error);
            }
        };
        let artifact = lightbeam.precompile_component(&wasm).unwrap_or_else(|error| panic!("{error:?}\n{}", what()));
        let mut stream = lightbeam.component_stream();
        for chunk in wasm.chunks(1 + wasm.len() % 97) {
            stream.push(chunk).unwrap_or_else(|error| panic!("{error:?}\n{}", what()));
        }
        let streamed = stream.finish_artifact().unwrap_or_else(|error| panic!("{error:?}\n{}", what()));
        assert!(streamed == artifact, "streamed, it is another: {}", what());
        // SAFETY: the artifact is as the compiler made it.
        let ours = unsafe { Component::deserialize(engine, &artifact)? };
        let garbage = lightbeam.poison(true).component(&wasm)?;
        Ok(vec![("cranelift", theirs), ("lightbeam", ours), ("garbage", garbage)])
    }

    /// What a closure sees of a component, which is the same in all ways.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn same<T: PartialEq + fmt::Debug>(&self, text: &str, mut run: impl FnMut(&Engine, &Component) -> T) -> T {
        let engine = self.engine();
        let compiled = self.compile(&engine, text).unwrap_or_else(|error| panic!("{}: {error:?}\n{text}", self.name));
        let mut seen = compiled.iter().map(|(how, component)| (how, run(&engine, component)));
        let (_, theirs) = seen.next().expect("Cranelift's is the first");
        for (how, ours) in seen {
            assert!(ours == theirs, "{}, {how}:\n{ours:#?}\nCranelift:\n{theirs:#?}\n{text}", self.name);
        }
        theirs
    }
}

/// How a call ended: what it gave and what else was to be seen, or why it failed and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Returned(Vec<String>),
    /// It failed: the trap if it was one, what the last of its causes says, and the frames that it went through.
    Failed(Option<Trap>, String, Vec<String>),
}

impl Outcome {
    /// The trap, if it was one.
    #[must_use]
    pub fn trap(&self) -> Option<Trap> {
        match self {
            Outcome::Returned(_) => None,
            Outcome::Failed(trap, ..) => *trap,
        }
    }

    /// Is it a return of just this?
    #[must_use]
    pub fn is(&self, results: &[&str]) -> bool {
        matches!(self, Outcome::Returned(all) if all == results)
    }
}

/// The outcome of a call.
#[must_use]
pub fn outcome_of(done: Result<Vec<String>>) -> Outcome {
    match done {
        Ok(results) => Outcome::Returned(results),
        Err(error) => {
            let mut frames = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
            let trap = error.downcast_ref::<Trap>().copied();
            // A condition and the `unreachable` that it guards are one trap to Cranelift, which is where the condition
            // is.
            if let (Some(Trap::UnreachableCodeReached), Some(frame)) = (trap, frames.first_mut()) {
                frame.truncate(frame.find(" Some(").unwrap_or(frame.len()));
            }
            Outcome::Failed(trap, error.root_cause().to_string(), frames)
        }
    }
}

/// The frames of a backtrace.
#[must_use]
pub fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let describe = |frame: &wasmtime::FrameInfo| {
        let module = frame.module().name().unwrap_or("?").to_string();
        let (index, name) = (frame.func_index(), frame.func_name().unwrap_or("?").to_string());
        format!("{module} {index} {name} {:?}", frame.module_offset())
    };
    backtrace.frames().iter().map(describe).collect()
}

/// Runs a future to its end, as far as it comes by itself.
///
/// # Panics
///
/// If it never ends.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("it does not end");
}

/// Is done when it is asked a second time.
pub async fn next_turn() {
    let mut asked = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Gives a store fuel, and has it interrupted as often as can be, where its engine has that.
pub fn limits<T: 'static>(store: &mut Store<T>) {
    // An engine without either says so.
    if store.set_fuel(50_000_000).is_ok() {
        store.fuel_async_yield_interval(Some(1)).expect("1 is an interval");
    }
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(0)));
    store.set_epoch_deadline(0);
}

/// What the host has of a store of [`Instantiated`].
#[derive(Debug, Default)]
pub struct State {
    /// What it was told.
    pub log: Vec<String>,
    /// The function that `again` calls.
    pub again: Option<Func>,
}

/// An instance of a component, whose imports are those of [`imports`].
#[derive(Debug)]
pub struct Instantiated {
    /// Its store.
    pub store: Store<State>,
    /// The instance.
    pub instance: Instance,
    /// Are calls made on stacks of their own?
    pub fibers: bool,
}

impl Instantiated {
    /// Makes an instance, or gives why there is none.
    pub fn new(engine: &Engine, component: &Component) -> Result<Instantiated, Outcome> {
        Instantiated::with(engine, component, false, |_| Ok(()))
    }

    /// As `new`, with more imports, and with calls on stacks of their own.
    pub fn with(
        engine: &Engine,
        component: &Component,
        fibers: bool,
        more: impl FnOnce(&mut Linker<State>) -> Result<()>,
    ) -> Result<Instantiated, Outcome> {
        let mut store = Store::new(engine, State::default());
        let fuel = store.set_fuel(50_000_000).is_ok();
        // Where the host may take its time, nothing else is allowed.
        let waits = component.component_type().imports(engine).any(|(name, _)| name == "later");
        let fibers = fibers || fuel || waits;
        if fibers {
            limits(&mut store);
        } else {
            store.set_epoch_deadline(1 << 40);
        }
        let mut linker = Linker::new(engine);
        let instantiate = || {
            imports(&mut linker, waits)?;
            more(&mut linker)?;
            if fibers {
                block_on(linker.instantiate_async(&mut store, component))
            } else {
                linker.instantiate(&mut store, component)
            }
        };
        match instantiate() {
            Ok(instance) => Ok(Instantiated { store, instance, fibers }),
            Err(error) => Err(outcome_of(Err(error))),
        }
    }

    /// A function that it exports.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn func(&mut self, name: &str) -> Func {
        self.instance.get_func(&mut self.store, name).unwrap_or_else(|| panic!("there is no `{name}`"))
    }

    /// Calls a function, and gives what it returned and what the host was told meanwhile.
    pub fn call(&mut self, name: &str, args: &[Val]) -> Outcome {
        let func = self.func(name);
        self.call_func(func, args)
    }

    /// As `call`.
    pub fn call_func(&mut self, func: Func, args: &[Val]) -> Outcome {
        let mut results = vec![Val::Bool(false); func.ty(&self.store).results().len()];
        let done = if self.fibers {
            block_on(func.call_async(&mut self.store, args, &mut results))
        } else {
            func.call(&mut self.store, args, &mut results)
        };
        let log = std::mem::take(&mut self.store.data_mut().log);
        match outcome_of(done.map(|()| results.iter().map(|result| format!("{result:?}")).chain(log.clone()).collect()))
        {
            Outcome::Failed(trap, why, frames) => Outcome::Failed(trap, why, frames.into_iter().chain(log).collect()),
            returned @ Outcome::Returned(_) => returned,
        }
    }
}

/// What components may import: `log` writes a number down, `text` a string, `trace` the frames, `gc` collects, `fail`
/// fails, `throw` throws, `again` calls back, `echo` gives its number back, and so does `later`, when it is
/// asked a second time.
pub fn imports(linker: &mut Linker<State>, waits: bool) -> Result<()> {
    let mut root = linker.root();
    if waits {
        root.func_wrap_concurrent("later", |_, (number,): (u32,)| {
            Box::pin(async move {
                next_turn().await;
                Ok((number,))
            })
        })?;
    }
    root.func_wrap("log", |mut store: StoreContextMut<'_, State>, (number,): (u32,)| {
        store.data_mut().log.push(number.to_string());
        Ok(())
    })?;
    root.func_wrap("text", |mut store: StoreContextMut<'_, State>, (text,): (String,)| {
        store.data_mut().log.push(text);
        Ok(())
    })?;
    root.func_wrap("trace", |mut store: StoreContextMut<'_, State>, (): ()| {
        let seen = frames(&WasmBacktrace::force_capture(&store));
        store.data_mut().log.extend(seen);
        Ok(())
    })?;
    root.func_wrap("gc", |mut store: StoreContextMut<'_, State>, (): ()| store.gc(None))?;
    root.func_wrap("fail", |_, (): ()| -> Result<()> { Err(wasmtime::Error::msg("the host fails")) })?;
    root.func_wrap("echo", |_, (number,): (u32,)| Ok((number,)))?;
    root.func_wrap("again", |mut store: StoreContextMut<'_, State>, (number,): (u32,)| {
        let Some(func) = store.data().again else { return Err(wasmtime::Error::msg("there is nothing to call")) };
        func.call(store.as_context_mut(), &[Val::U32(number)], &mut [])
    })
}
