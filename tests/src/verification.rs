//! Everything that there is to compile, compiled and proved under many settings, and not run: whether the verifier
//! takes offence at code that is right.

use crate::backend::{Setup, Without};
use crate::fuzz::FAMILIES;
use crate::generate::halves::{self, Halves};
use crate::generate::{
    Generated, aliases, atomics, bulk, constants, memory, narrow, simd, single, tails, traps, upper_halves,
};
use crate::random::Random;
use crate::stack_bombs::STACK_BOMBS;
use crate::{bombs, differential, shared};
use lightbeam::{Compiler, ErrorKind, Verified};
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{Collector, Engine, Result};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective};

/// Settings that change the code, each with a name.
#[must_use]
pub fn setups() -> Vec<(&'static str, Setup)> {
    let base = Setup::default();
    let moving = Setup { reservation: Some(0), guard: Some(0), ..base };
    let metered = Setup { fuel: true, epochs: true, ..base };
    vec![
        ("default", base),
        ("small-reservation", Setup { reservation: Some(1 << 20), guard: Some(1 << 16), may_move: false, ..base }),
        ("moving", moving),
        ("no-signals", Setup { signals: false, ..base }),
        ("no-signals-moving", Setup { signals: false, lazy_tables: false, copy_on_write: false, ..moving }),
        ("metered", metered),
        ("counting", Setup { collector: Collector::DeferredReferenceCounting, ..base }),
        ("no-collection", Setup { collector: Collector::Null, ..base }),
        ("floor", Setup { without: Without::ALL, deterministic: true, ..base }),
        ("garbage", Setup { poison: true, ..base }),
        ("no-signals-garbage", Setup { signals: false, poison: true, ..base }),
        ("floor-metered-moving", Setup { without: Without::ALL, lazy_tables: false, ..metered }.moving()),
    ]
}

impl Setup {
    fn moving(self) -> Setup {
        Setup { reservation: Some(0), guard: Some(1 << 16), ..self }
    }
}

/// A module, and what it is called in a complaint.
#[derive(Debug)]
pub struct Subject {
    /// Where it is from.
    pub name: String,
    /// Its bytes.
    pub wasm: Vec<u8>,
}

/// The modules of all scripts below a folder.
#[must_use]
pub fn of_scripts(folder: &Path) -> Vec<Subject> {
    shared::files(folder, "wast").iter().flat_map(|path| of_script(path, MODULE)).collect()
}

/// The components of all scripts below a folder.
#[must_use]
pub fn components_of_scripts(folder: &Path) -> Vec<Subject> {
    shared::files(folder, "wast").iter().flat_map(|path| of_script(path, COMPONENT)).collect()
}

/// Byte 6 of binaries: their layer.
const MODULE: u8 = 0;
const COMPONENT: u8 = 1;

fn of_script(path: &Path, layer: u8) -> Vec<Subject> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let mut lexer = wast::lexer::Lexer::new(&text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else { return Vec::new() };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else { return Vec::new() };
    let mut subjects = Vec::new();
    for directive in script.directives {
        let line = directive.span().linecol_in(&text).0 + 1;
        let wasm = match directive {
            WastDirective::Module(mut wat) | WastDirective::ModuleDefinition(mut wat) => encode(&mut wat),
            // The module of one is valid.
            WastDirective::AssertUnlinkable { mut module, .. } => module.encode().ok(),
            _ => None,
        };
        if let Some(wasm) = wasm.filter(|wasm| wasm.get(6) == Some(&layer)) {
            subjects.push(Subject { name: format!("{}:{line}", path.display()), wasm });
        }
    }
    subjects
}

fn encode(wat: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    wat.encode().ok()
}

/// The modules that are files below a folder.
#[must_use]
pub fn of_files(folder: &Path) -> Vec<Subject> {
    let subject = |path: PathBuf| {
        let wasm = std::fs::read(&path).ok()?;
        Some(Subject { name: path.display().to_string(), wasm })
    };
    shared::files(folder, "wasm").into_iter().filter_map(subject).collect()
}

/// Generated modules.
#[must_use]
pub fn generated(seeds: std::ops::Range<u64>) -> Vec<Subject> {
    let subject = |seed: u64| {
        let case = differential::case(seed, false)?;
        Some(Subject { name: format!("generated/{seed}"), wasm: case.wasm })
    };
    seeds.filter_map(subject).collect()
}

/// The names of the generators that aim at one class each and decide at random.
pub fn generators() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name).chain(["aliases", "upper_halves", "halves"])
}

/// Modules of the generator of this name.
#[must_use]
pub fn of_generator(name: &str, seeds: std::ops::Range<u64>) -> Vec<Subject> {
    let of_text = |wat: &str| wat::parse_str(wat).expect("the generator writes text");
    let modules = |seed: u64| {
        let mut random = Random::new(seed);
        match name {
            "aliases" => vec![aliases::module(random, 20).user.wasm()],
            "upper_halves" => vec![upper_halves::module(random, 24).user.wasm()],
            "halves" => {
                let Halves { callee, caller, .. } = halves::modules(random.bits());
                vec![of_text(&callee), of_text(&caller)]
            }
            _ => {
                let family = FAMILIES.iter().find(|family| family.name == name);
                vec![(family.expect("the name of a generator").make)(random).wasm()]
            }
        }
    };
    let subjects = |seed: u64| {
        let name = format!("{name}/{seed}");
        modules(seed).into_iter().map(move |wasm| Subject { name: name.clone(), wasm })
    };
    seeds.flat_map(subjects).collect()
}

/// The modules of the generators that decide nothing.
#[must_use]
pub fn systematic() -> Vec<Subject> {
    let mut modules = vec![traps::module(), bulk::module(), narrow::module(), memory::folding()];
    modules.push(upper_halves::systematic().user);
    modules.extend(tails::modules());
    modules.extend(simd::modules());
    modules.extend(single::modules().into_iter().map(|(_, module)| module));
    modules.extend(memory::SHAPES.iter().map(|shape| memory::edges(shape).0));
    modules.extend(atomics::MEMORIES.iter().map(atomics::module));
    modules.extend(constants::bodies());
    let texts = constants::segments();
    let segments = texts.iter().map(|text| wat::parse_str(text).expect("the generator writes text"));
    let modules = modules.iter().map(Generated::wasm).chain(segments);
    modules.enumerate().map(|(n, wasm)| Subject { name: format!("systematic/{n}"), wasm }).collect()
}

/// Compile bombs, each at its size divided by this.
#[must_use]
pub fn of_bombs(divisor: usize) -> Vec<Subject> {
    let subject = |bomb: &bombs::Bomb| Subject {
        name: format!("bomb/{}", bomb.name),
        wasm: (bomb.make)((bomb.n / divisor).max(1)),
    };
    bombs::bombs().chain(STACK_BOMBS).map(subject).collect()
}

/// What came of it under one of the settings.
#[derive(Debug, Default)]
pub struct Summary {
    /// Modules that there were.
    pub modules: usize,
    /// Of these, those that were compiled; others need features that are off, or are invalid.
    pub compiled: usize,
    /// Functions of these.
    pub functions: u64,
    /// Instructions that were proved.
    pub instructions: u64,
    /// Modules whose code could not be proved.
    pub failures: Vec<Complaint>,
}

/// A module whose code could not be proved, or whose compilation ended in a panic.
#[derive(Debug)]
pub struct Complaint {
    /// Which module.
    pub name: String,
    /// What the verifier said.
    pub what: String,
    /// How large it is.
    pub bytes: usize,
    /// The module.
    pub wasm: Vec<u8>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { modules, compiled, functions, instructions, failures } = self;
        let failed = failures.len();
        write!(
            f,
            "{modules} modules, {compiled} compiled, {functions} functions, {instructions} instructions, {failed} failed"
        )?;
        for Complaint { name, what, bytes, .. } in failures {
            write!(f, "\n    {name} ({bytes} bytes): {what}")?;
        }
        Ok(())
    }
}

/// Compiles and proves modules, each that is the same as another once, on so many threads.
pub fn run(setup: &Setup, subjects: &[Subject], threads: usize) -> Result<Summary> {
    let mut config = setup.config();
    config.wasm_exceptions(true);
    // What components may have.
    config
        .wasm_component_model_async(true)
        .wasm_component_model_more_async_builtins(true)
        .wasm_component_model_async_stackful(true)
        .wasm_component_model_threading(true)
        .wasm_component_model_error_context(true)
        .wasm_component_model_memory64(true)
        .wasm_component_model_map(true)
        .wasm_component_model_implements(true)
        .wasm_component_model_fixed_length_lists(true);
    let engine = Engine::new(&config)?;
    let compiler = setup.lightbeam(&engine)?.verify(true).threads(1);
    let mut seen = HashSet::new();
    let subjects: Vec<&Subject> = subjects.iter().filter(|subject| seen.insert(&subject.wasm)).collect();
    let summary = Mutex::new(Summary { modules: subjects.len(), ..Summary::default() });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(subject) = subjects.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let proved = prove(&compiler, &subject.wasm);
                    let mut summary = summary.lock().expect("nobody panics with it");
                    match proved {
                        Ok(Proved::Not) => {}
                        Ok(Proved::All(verified)) => {
                            summary.compiled += 1;
                            summary.functions += u64::from(verified.functions);
                            summary.instructions += verified.instructions;
                        }
                        Err(what) => {
                            let (name, wasm) = (subject.name.clone(), subject.wasm.clone());
                            summary.compiled += 1;
                            summary.failures.push(Complaint { name, what, bytes: wasm.len(), wasm });
                        }
                    }
                }
            });
        }
    });
    let mut summary = summary.into_inner().expect("nobody panics with it");
    summary.failures.sort_by(|a, b| (a.bytes, &a.name).cmp(&(b.bytes, &b.name)));
    Ok(summary)
}

/// What of a module was proved.
enum Proved {
    All(Verified),
    /// Nothing, as it is not to be compiled.
    Not,
}

/// Proves one module.
fn prove(compiler: &Compiler, wasm: &[u8]) -> Result<Proved, String> {
    let compile = || match wasm.get(6) {
        Some(&COMPONENT) => {
            let (artifact, report) = compiler.precompile_component_timed(wasm)?;
            // Nothing of it is believed now.
            let again = compiler.verify_artifact(&artifact, wasm)?;
            assert_eq!(report.verified.as_ref().map(|verified| verified.instructions), Some(again.instructions));
            Ok((artifact, report))
        }
        _ => compiler.precompile_timed(wasm),
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(compile)) {
        Ok(Ok((_, report))) => Ok(Proved::All(report.verified.expect("it was to be proved"))),
        Ok(Err(error)) => match error.downcast_ref::<lightbeam::Error>() {
            Some(error) if error.kind() == ErrorKind::Verification => Err(error.to_string()),
            _ => Ok(Proved::Not),
        },
        Err(_) => Err("panic".into()),
    }
}
