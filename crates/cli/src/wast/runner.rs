//! The state of one thread of a script, its instances and definitions by name, and what each kind of directive demands.

use super::components::{Components, Live};
use super::{Directives, FileReport, Modules, component_values, custom, spectest, traps, values};
use lightbeam::ErrorKind;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::thread::{self, Scope, ScopedJoinHandle};
use wasmparser::Parser;
use wasmtime::component::{self, Component};
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
    /// What components import; made for the first of them.
    components: Option<Components>,
    /// `(module instance)` without a name means the latest definition, kept under `None`.
    definitions: HashMap<Option<String>, Definition>,
    instances: HashMap<String, Made>,
    /// What a directive without a module's name means: the latest instance, if it could be made.
    current: Option<Made>,
}

/// What can be instantiated.
#[derive(Clone)]
enum Definition {
    Module(Module),
    Component(Component),
}

/// An instance. One of a component goes when no directive can mean it any more.
#[derive(Clone)]
enum Made {
    Module(Instance),
    Component(Rc<RefCell<Live>>),
}

/// What guest code came to: results, or the trap, exception or link error that it ended with.
pub(super) type Outcome = Result<Results>;

/// What a module's or a component's function has returned.
pub(super) enum Results {
    Core(Vec<Val>),
    Component(Vec<component::Val>),
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = match self {
            Results::Core(values) => values.iter().map(values::show).collect(),
            Results::Component(values) => values.iter().map(component_values::show).collect(),
        };
        write!(f, "[{}]", shown.join(", "))
    }
}

impl<'scope, 'env> Runner<'scope, 'env> {
    /// A runner with nothing but the host to import from, and perhaps shared items to register.
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
            components: None,
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
                let Some(definition) = self.definitions.get(&key).cloned() else { bail!("no definition {key:?}") };
                self.instantiate_as(instance, &definition)
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
                let made = self.made(module)?;
                self.register(name, &made)
            }
            WastDirective::Invoke(invoke) => self.invoke(&invoke)?.map(|_| ()),
            WastDirective::AssertReturn { exec, results, .. } => {
                let outcome = self.execute(exec)?;
                self.assert_return(outcome, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let outcome = self.execute(exec)?;
                traps::assert_trap(&outcome, message, self.directives.quotes)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                let outcome = self.invoke(&call)?;
                traps::assert_trap(&outcome, message, self.directives.quotes)
            }
            WastDirective::AssertException { exec, .. } => {
                let outcome = self.execute(exec)?;
                self.assert_exception(outcome)
            }
            WastDirective::AssertSuspension { exec, .. } => traps::assert_suspension(&self.execute(exec)?),
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
            let Made::Module(instance) = self.made(Some(id))? else { bail!("components cannot be shared") };
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
        let definition = self.compile(&encode(&mut wat)?)?;
        self.instantiate_as(name, &definition)
    }

    fn definition(&mut self, mut wat: QuoteWat<'_>) -> Result<()> {
        let name = wat.name().map(|id| id.name().to_string());
        self.definitions.remove(&None);
        let definition = self.compile(&encode(&mut wat)?)?;
        self.definitions.insert(None, definition.clone());
        self.definitions.insert(name, definition);
        Ok(())
    }

    fn instantiate_as(&mut self, name: Option<Id<'_>>, definition: &Definition) -> Result<()> {
        self.current = None;
        if let Some(name) = name {
            self.instances.remove(name.name());
        }
        let made = self.instantiate(definition)?;
        if let Some(name) = name {
            self.instances.insert(name.name().to_string(), made.clone());
            // The specification asks for `register`; Wasmtime's runner does without.
            self.register(name.name(), &made)?;
        }
        self.current = Some(made);
        Ok(())
    }

    fn instantiate(&mut self, definition: &Definition) -> Result<Made> {
        Ok(match definition {
            Definition::Module(module) => Made::Module(self.linker.instantiate(&mut self.store, module)?),
            Definition::Component(component) => {
                let live = self.components()?.instantiate(component)?;
                Made::Component(Rc::new(RefCell::new(live)))
            }
        })
    }

    fn register(&mut self, name: &str, made: &Made) -> Result<()> {
        match made {
            Made::Module(instance) => self.linker.instance(&mut self.store, name, *instance).map(|_| ()),
            Made::Component(live) => self.components()?.register(name, &mut live.borrow_mut()),
        }
    }

    fn components(&mut self) -> Result<&mut Components> {
        if self.components.is_none() {
            self.components = Some(Components::new(self.compiler)?);
        }
        Ok(self.components.as_mut().expect("made just now"))
    }

    fn compile(&self, wasm: &[u8]) -> Result<Definition> {
        if Parser::is_component(wasm) {
            return self.compiler.component(wasm).map(Definition::Component);
        }
        self.compiler.module(wasm).map(Definition::Module)
    }

    fn made(&self, name: Option<Id<'_>>) -> Result<Made> {
        match name {
            None => self.current.clone().ok_or_else(|| format_err!("the module before could not be instantiated")),
            Some(id) => {
                let made = self.instances.get(id.name()).cloned();
                made.ok_or_else(|| format_err!("no instance named `${}`", id.name()))
            }
        }
    }

    /// The outer error is about the script or the runner, the inner one is what the guest's code came to.
    fn execute(&mut self, execute: WastExecute<'_>) -> Result<Outcome> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(mut wat) => {
                let definition = self.compile(&wat.encode().map_err(text_error)?)?;
                Ok(self.instantiate(&definition).map(|_| Results::Core(Vec::new())))
            }
            WastExecute::Get { module, global, .. } => match self.made(module)? {
                Made::Module(instance) => match instance.get_global(&mut self.store, global) {
                    Some(global) => Ok(Ok(Results::Core(vec![global.get(&mut self.store)]))),
                    None => bail!("no exported global `{global}`"),
                },
                Made::Component(_) => bail!("components export no globals"),
            },
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome> {
        let instance = match self.made(invoke.module)? {
            Made::Module(instance) => instance,
            Made::Component(live) => {
                return Ok(live.borrow_mut().call(invoke.name, &invoke.args)?.map(Results::Component));
            }
        };
        let Some(function) = instance.get_func(&mut self.store, invoke.name) else {
            bail!("no exported function `{}`", invoke.name)
        };
        let mut arguments = Vec::with_capacity(invoke.args.len());
        for argument in &invoke.args {
            match argument {
                WastArg::Core(argument) => arguments.push(values::argument(&mut self.store, argument)?),
                other => bail!("a module takes no such argument: {other:?}"),
            }
        }
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        Ok(function.call(&mut self.store, &arguments, &mut results).map(|()| Results::Core(results)))
    }

    fn assert_return(&mut self, outcome: Outcome, expected: &[WastRet<'_>]) -> Result<()> {
        let results = outcome?;
        let count = match &results {
            Results::Core(values) => values.len(),
            Results::Component(values) => values.len(),
        };
        if count != expected.len() {
            bail!("expected {} results, got {count}", expected.len());
        }
        for (index, expected) in expected.iter().enumerate() {
            let (same, actual) = match (&results, expected) {
                (Results::Core(values), WastRet::Core(expected)) => {
                    (values::matches(&mut self.store, &values[index], expected)?, values::show(&values[index]))
                }
                (Results::Component(values), WastRet::Component(expected)) => {
                    (component_values::matches(&values[index], expected), component_values::show(&values[index]))
                }
                (Results::Core(values), _) => (false, values::show(&values[index])),
                (Results::Component(values), _) => (false, component_values::show(&values[index])),
            };
            if !same {
                bail!("result {index}: expected {}, got {actual}", show_expected(expected));
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
        let wasm = match wat.encode() {
            Ok(wasm) => wasm,
            Err(error) => return self.assert_says(&text_error(error), expected),
        };
        let Err(error) = self.compile(&wasm) else { bail!("expected rejection ({expected}), but it compiled") };
        match error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind) {
            // A script that quotes the refusal means it.
            Some(ErrorKind::Invalid | ErrorKind::Unsupported) if self.directives.quotes => {
                self.assert_says(&error, expected)
            }
            Some(ErrorKind::Invalid) => Ok(()),
            _ => bail!("expected rejection ({expected}), got: {}", one_line(&error)),
        }
    }

    /// Of scripts that quote errors, does the error say what is expected?
    fn assert_says(&self, error: &Error, expected: &str) -> Result<()> {
        let said = format!("{error:#}");
        let ours = REFUSALS.iter().find(|(theirs, _)| *theirs == expected).map(|(_, ours)| *ours);
        if self.directives.quotes && !said.contains(expected) && !ours.is_some_and(|ours| said.contains(ours)) {
            bail!("expected an error that says ({expected}), got: {}", one_line(error));
        }
        Ok(())
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
        let definition = self.compile(&wat.encode().map_err(text_error)?)?;
        match self.instantiate(&definition) {
            Ok(_) => bail!("expected a link error ({expected}), but it was instantiated"),
            // Segments that a memory or table has no room for are an error of linking to Wasmtime's scripts.
            Err(error) if error.is::<ThrownException>() || (error.is::<Trap>() && !self.directives.quotes) => {
                bail!("expected a link error ({expected}), got: {}", one_line(&error))
            }
            Err(error) => self.assert_says(&error, expected),
        }
    }
}

/// How Wasmtime refuses what it does not support, and how Lightbeam refuses the same.
const REFUSALS: [(&str, &str); 1] =
    [("Stack switching feature not compatible with GC", "continuations in objects are not supported")];

fn show_expected(expected: &WastRet<'_>) -> String {
    match expected {
        WastRet::Core(expected) => values::show_pattern(expected),
        WastRet::Component(expected) => component_values::show_expected(expected),
        other => format!("{other:?}"),
    }
}

fn encode(wat: &mut QuoteWat<'_>) -> Result<Vec<u8>> {
    wat.encode().map_err(text_error)
}

fn text_error(error: wast::Error) -> Error {
    format_err!("in the text: {}", error.message())
}

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
