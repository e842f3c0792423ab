//! The state of one thread of a script, its instances and definitions by name, and what each kind of directive demands.

use super::{Directives, FileReport, Modules, custom, spectest, values};
use lightbeam::ErrorKind;
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, Scope, ScopedJoinHandle};
use wasmtime::{
    Error, Instance, Linker, Module, Result, SharedMemory, Store, ThrownException, Trap, Val, bail, format_err,
};
use wast::token::Id;
use wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, WastThread, Wat};

/// The name of a module, and those of its exports that threads can share.
pub(super) type SharedItems = (String, Vec<(String, SharedMemory)>);

/// Runs directives in order.
pub(super) struct Runner<'scope, 'env> {
    directives: Directives<'env>,
    compiler: &'env dyn Modules,
    scope: &'scope Scope<'scope, 'env>,
    /// Instances of the thread that started this one.
    shared: Vec<SharedItems>,
    /// Threads that this one has started, by name.
    running: HashMap<String, ScopedJoinHandle<'scope, FileReport>>,
    /// What came of those that have been waited for.
    ended: Vec<FileReport>,
    store: Store<()>,
    linker: Linker<()>,
    /// `(module instance)` without a name means the latest definition, kept under `None`.
    definitions: HashMap<Option<String>, Module>,
    instances: HashMap<String, Instance>,
    /// What a directive without a module's name means: the latest instance, if it could be made.
    current: Option<Instance>,
}

/// What guest code came to: results, or the trap, exception or link error that it ended with.
type Outcome = Result<Vec<Val>>;

impl<'scope, 'env> Runner<'scope, 'env> {
    /// A runner with nothing but `spectest` to import from, and perhaps shared items to register.
    pub(super) fn new(
        directives: Directives<'env>,
        shared: Vec<SharedItems>,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Result<Runner<'scope, 'env>> {
        let compiler = directives.compiler;
        let engine = compiler.engine();
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.allow_shadowing(true);
        spectest::define(&mut linker, &mut store, engine)?;
        let (definitions, instances, running) = Default::default();
        let (ended, current) = (Vec::new(), None);
        Ok(Runner {
            directives,
            compiler,
            scope,
            shared,
            running,
            ended,
            store,
            linker,
            definitions,
            instances,
            current,
        })
    }

    /// Waits for all threads that still run; gives what came of all.
    pub(super) fn threads(mut self) -> Vec<FileReport> {
        for (_, thread) in self.running {
            self.ended.push(thread.join().expect("panics are caught"));
        }
        self.ended
    }

    /// Runs one directive. A panic on the way is the directive's failure, not the end of the run.
    pub(super) fn run(&mut self, directive: WastDirective<'env>) -> Result<()> {
        match panic::catch_unwind(AssertUnwindSafe(|| self.directive(directive))) {
            Ok(done) => done,
            Err(payload) => {
                let message = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| payload.downcast_ref::<&str>().copied())
                    .unwrap_or("no message");
                bail!("panicked: {message}")
            }
        }
    }

    fn directive(&mut self, directive: WastDirective<'env>) -> Result<()> {
        match directive {
            WastDirective::Module(wat) => self.module(wat),
            WastDirective::ModuleDefinition(wat) => self.definition(wat),
            WastDirective::ModuleInstance { instance, module, .. } => {
                let key = module.map(|id| id.name().to_string());
                let Some(module) = self.definitions.get(&key).cloned() else { bail!("no module definition {key:?}") };
                self.instantiate_as(instance, &module)
            }
            WastDirective::Register { name, module: Some(module), .. }
                if let Some((_, items)) = self.shared.iter().find(|(shared, _)| shared == module.name()) =>
            {
                for (item, memory) in items {
                    self.linker.define(&mut self.store, name, item, memory.clone())?;
                }
                Ok(())
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?;
                self.linker.instance(&mut self.store, name, instance)?;
                Ok(())
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke)?.map(|_| ()),
            WastDirective::AssertReturn { exec, results, .. } => {
                let outcome = self.execute(exec)?;
                self.assert_return(outcome, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => assert_trap(&self.execute(exec)?, message),
            WastDirective::AssertExhaustion { call, message, .. } => assert_trap(&self.invoke(&call)?, message),
            WastDirective::AssertException { exec, .. } => {
                let outcome = self.execute(exec)?;
                self.assert_exception(outcome)
            }
            WastDirective::AssertSuspension { exec, .. } => {
                assert_trap_is(&self.execute(exec)?, &[Trap::UnhandledTag], "suspension")
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. } => self.assert_rejected(module, message),
            WastDirective::AssertInvalidCustom { module, message, .. }
            | WastDirective::AssertMalformedCustom { module, message, .. } => self.assert_custom(module, message),
            WastDirective::AssertUnlinkable { module, message, .. } => self.assert_unlinkable(module, message),
            WastDirective::Thread(thread) => self.start(thread),
            WastDirective::Wait { thread, .. } => match self.running.remove(thread.name()) {
                Some(running) => {
                    self.ended.push(running.join().expect("panics are caught"));
                    Ok(())
                }
                None => bail!("no thread named `${}`", thread.name()),
            },
        }
    }

    /// Starts a thread with a store of its own. Its directives count when it has ended.
    fn start(&mut self, thread: WastThread<'env>) -> Result<()> {
        let mut shared = Vec::new();
        if let Some(id) = thread.shared_module {
            let instance = self.instance(Some(id))?;
            let exports = instance.exports(&mut self.store).filter_map(|export| {
                let name = export.name().to_string();
                Some((name, export.into_shared_memory()?))
            });
            shared.push((id.name().to_string(), exports.collect()));
        }
        let (directives, scope) = (self.directives, self.scope);
        let started = thread::Builder::new().spawn_scoped(scope, move || {
            let mut report = FileReport { path: directives.path.into(), passed: 0, failures: Vec::new() };
            directives.run(thread.directives, shared, scope, &mut report);
            report
        });
        let Ok(running) = started else { bail!("failed to start the thread `${}`", thread.name.name()) };
        if self.running.insert(thread.name.name().to_string(), running).is_some() {
            bail!("two threads named `${}` at one time", thread.name.name());
        }
        Ok(())
    }

    fn module(&mut self, mut wat: QuoteWat<'_>) -> Result<()> {
        // If this fails, what follows must not run against the module before.
        self.current = None;
        let name = wat.name();
        let module = self.compile(&encode(&mut wat)?)?;
        self.instantiate_as(name, &module)
    }

    fn definition(&mut self, mut wat: QuoteWat<'_>) -> Result<()> {
        let name = wat.name().map(|id| id.name().to_string());
        self.definitions.remove(&None);
        let module = self.compile(&encode(&mut wat)?)?;
        self.definitions.insert(None, module.clone());
        self.definitions.insert(name, module);
        Ok(())
    }

    fn instantiate_as(&mut self, name: Option<Id<'_>>, module: &Module) -> Result<()> {
        self.current = None;
        if let Some(name) = name {
            self.instances.remove(name.name());
        }
        let instance = self.linker.instantiate(&mut self.store, module)?;
        if let Some(name) = name {
            self.instances.insert(name.name().to_string(), instance);
            // The specification asks for `register`; Wasmtime's runner does without.
            self.linker.instance(&mut self.store, name.name(), instance)?;
        }
        self.current = Some(instance);
        Ok(())
    }

    fn compile(&self, wasm: &[u8]) -> Result<Module> {
        self.compiler.module(wasm)
    }

    fn instance(&self, name: Option<Id<'_>>) -> Result<Instance> {
        match name {
            None => self.current.ok_or_else(|| format_err!("the module before could not be instantiated")),
            Some(id) => {
                let instance = self.instances.get(id.name()).copied();
                instance.ok_or_else(|| format_err!("no instance named `${}`", id.name()))
            }
        }
    }

    /// The outer error is about the script or the runner, the inner one is what the guest's code came to.
    fn execute(&mut self, execute: WastExecute<'_>) -> Result<Outcome> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(mut wat) => {
                let module = self.compile(&wat.encode().map_err(text_error)?)?;
                Ok(self.linker.instantiate(&mut self.store, &module).map(|_| Vec::new()))
            }
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                match instance.get_global(&mut self.store, global) {
                    Some(global) => Ok(Ok(vec![global.get(&mut self.store)])),
                    None => bail!("no exported global `{global}`"),
                }
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome> {
        let instance = self.instance(invoke.module)?;
        let Some(function) = instance.get_func(&mut self.store, invoke.name) else {
            bail!("no exported function `{}`", invoke.name)
        };
        let mut arguments = Vec::with_capacity(invoke.args.len());
        for argument in &invoke.args {
            match argument {
                WastArg::Core(argument) => arguments.push(values::argument(&mut self.store, argument)?),
                other => bail!("unknown kind of argument: {other:?}"),
            }
        }
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        Ok(function.call(&mut self.store, &arguments, &mut results).map(|()| results))
    }

    fn assert_return(&mut self, outcome: Outcome, expected: &[WastRet<'_>]) -> Result<()> {
        let actual = outcome?;
        if actual.len() != expected.len() {
            bail!("expected {} results, got {}", expected.len(), actual.len());
        }
        for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let WastRet::Core(expected) = expected else { bail!("unknown kind of result: {expected:?}") };
            if !values::matches(&mut self.store, actual, expected)? {
                bail!("result {index}: expected {}, got {}", values::show_pattern(expected), values::show(actual));
            }
        }
        Ok(())
    }

    fn assert_exception(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Ok(_) => bail!("expected an exception, but it returned"),
            Err(error) if error.is::<ThrownException>() => {
                if self.store.take_pending_exception().is_none() {
                    bail!("an exception was reported but none is pending");
                }
                Ok(())
            }
            Err(error) => bail!("expected an exception, got: {}", one_line(&error)),
        }
    }

    /// For malformed and for invalid modules alike: it is not always clear in which of the two stages a module is
    /// found out, but it must be for what it is, and not because a feature or a file is missing.
    fn assert_rejected(&mut self, mut wat: QuoteWat<'_>, expected: &str) -> Result<()> {
        let Ok(wasm) = wat.encode() else { return Ok(()) };
        let Err(error) = self.compile(&wasm) else { bail!("expected rejection ({expected}), but it compiled") };
        match error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind) {
            Some(ErrorKind::Invalid) => Ok(()),
            _ => bail!("expected rejection ({expected}), got: {}", one_line(&error)),
        }
    }

    /// What is wrong is in a custom section, and the module is as good as without it.
    fn assert_custom(&mut self, mut wat: QuoteWat<'_>, expected: &str) -> Result<()> {
        let Ok(wasm) = wat.encode() else { return Ok(()) };
        self.compile(&wasm)?;
        match custom::check(&wasm) {
            Ok(()) => bail!("expected a custom section to be rejected ({expected}), but it was not"),
            Err(_) => Ok(()),
        }
    }

    fn assert_unlinkable(&mut self, mut wat: Wat<'_>, expected: &str) -> Result<()> {
        let module = self.compile(&wat.encode().map_err(text_error)?)?;
        match self.linker.instantiate(&mut self.store, &module) {
            Ok(_) => bail!("expected a link error ({expected}), but it was instantiated"),
            Err(error) if error.is::<Trap>() || error.is::<ThrownException>() => {
                bail!("expected a link error ({expected}), got: {}", one_line(&error))
            }
            Err(_) => Ok(()),
        }
    }
}

fn encode(wat: &mut QuoteWat<'_>) -> Result<Vec<u8>> {
    wat.encode().map_err(text_error)
}

fn text_error(error: wast::Error) -> Error {
    format_err!("in the text: {}", error.message())
}

fn assert_trap(outcome: &Outcome, expected: &str) -> Result<()> {
    let traps = traps_named(expected);
    if traps.is_empty() {
        bail!("unknown name of a trap: {expected}");
    }
    assert_trap_is(outcome, &traps, expected)
}

fn assert_trap_is(outcome: &Outcome, traps: &[Trap], expected: &str) -> Result<()> {
    match outcome {
        Ok(results) => {
            let results = results.iter().map(values::show).collect::<Vec<_>>().join(", ");
            bail!("expected a trap ({expected}), got [{results}]")
        }
        Err(error) => match error.downcast_ref::<Trap>() {
            Some(trap) if traps.contains(trap) => Ok(()),
            _ => bail!("expected a trap ({expected}), got: {}", one_line(error)),
        },
    }
}

/// The traps of Wasmtime that a script may mean by a message: those whose name in the specification's scripts begins
/// so. An empty one means any.
fn traps_named(message: &str) -> Vec<Trap> {
    // One script adds which element is uninitialized.
    let message = if message.starts_with("uninitialized element") { "uninitialized element" } else { message };
    NAMES.iter().filter(|(name, _)| name.starts_with(message)).flat_map(|(_, traps)| *traps).copied().collect()
}

const NAMES: [(&str, &[Trap]); 27] = [
    ("unreachable executed", &[Trap::UnreachableCodeReached]),
    ("integer divide by zero", &[Trap::IntegerDivisionByZero]),
    ("integer overflow", &[Trap::IntegerOverflow]),
    ("invalid conversion to integer", &[Trap::BadConversionToInteger]),
    ("out of bounds memory access", &[Trap::MemoryOutOfBounds]),
    ("out of bounds table access", &[Trap::TableOutOfBounds]),
    ("out of bounds array access", &[Trap::ArrayOutOfBounds]),
    ("undefined element", &[Trap::TableOutOfBounds]),
    ("uninitialized element", &[Trap::IndirectCallToNull]),
    ("indirect call type mismatch", &[Trap::BadSignature]),
    ("call stack exhausted", &[Trap::StackOverflow]),
    ("null function reference", &[Trap::IndirectCallToNull, Trap::NullReference]),
    ("null reference", &[Trap::NullReference]),
    ("null structure reference", &[Trap::NullReference]),
    ("null array reference", &[Trap::NullReference]),
    ("null i31 reference", &[Trap::NullReference]),
    ("null exception reference", &[Trap::NullReference]),
    ("null descriptor reference", &[Trap::NullReference]),
    ("null continuation reference", &[Trap::NullReference]),
    ("cast failure", &[Trap::CastFailure]),
    ("descriptor cast failure", &[Trap::CastFailure]),
    ("unhandled tag", &[Trap::UnhandledTag]),
    ("continuation already consumed", &[Trap::ContinuationAlreadyConsumed]),
    ("allocation size too large", &[Trap::AllocationTooLarge]),
    ("unaligned atomic", &[Trap::HeapMisaligned]),
    ("expected shared memory", &[Trap::AtomicWaitNonSharedMemory]),
    ("all fuel consumed", &[Trap::OutOfFuel]),
];

/// An error with its causes in one line; of a trap only which one, for the backtrace takes many.
pub(super) fn one_line(error: &Error) -> String {
    let text = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => format!("{error:#}"),
    };
    let text = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    match error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind) {
        Some(ErrorKind::Unsupported) => format!("unsupported: {text}"),
        _ => text,
    }
}
