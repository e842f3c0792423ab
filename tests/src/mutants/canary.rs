//! Executes mutants that the verifier accepts, in a process of its own, among canaries: what they must not touch.
//!
//! A mutant may compute anything, trap, or run on without end. It must not change what other instances have, what the
//! host has, or end the process: a fault of the machine that the host does not know as a trap is an access outside of
//! the sandbox.

use super::{Edit, Mutant, Subject, setups};
use crate::observe::{Type, interesting};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wasmtime::{Engine, ExternType, Instance, Linker, Module, Ref, Store, StoreLimits, StoreLimitsBuilder, Val};

/// The variable that says where what is to be executed lies.
pub const FOLDER: &str = "LIGHTBEAM_CANARY";

/// What a process says on its standard output, behind this word.
const WORD: &str = "canary:";

/// How long a mutant may run.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The exit code of a process in which one ran longer.
const ENDLESS: i32 = 99;

/// What came of executing mutants.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many were executed.
    pub executed: u64,
    /// Of these, those that ran without end.
    pub endless: u64,
    /// Of these, those that were not even loaded or instantiated.
    pub refused: u64,
    /// Those that touched what they must not, each with what it was.
    pub escapes: Vec<String>,
}

impl Outcome {
    /// Adds another one.
    pub fn add(&mut self, other: Outcome) {
        self.executed += other.executed;
        self.endless += other.endless;
        self.refused += other.refused;
        self.escapes.extend(other.escapes);
    }
}

/// Executes mutants of a subject under the settings with this number, in processes that `command` makes and that call
/// [`child`].
///
/// # Errors
///
/// If files cannot be written or processes not be started.
pub fn execute(
    subject: &Subject,
    setup: usize,
    mutants: &[Mutant],
    command: &dyn Fn() -> Command,
) -> std::io::Result<Outcome> {
    let folder = std::env::temp_dir().join(format!("lightbeam-canary-{}-{}", std::process::id(), unique()));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("artifact"), &subject.artifact)?;
    let mut edits = String::new();
    for mutant in mutants {
        let Edit::Text(at, bytes) = &mutant.edit else { continue };
        let bytes: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        edits += &format!("{} {bytes}\n", subject.text_at + *at as usize);
    }
    std::fs::write(folder.join("edits"), &edits)?;
    let mutants: Vec<&Mutant> = mutants.iter().filter(|mutant| matches!(mutant.edit, Edit::Text(..))).collect();
    let mut outcome = Outcome::default();
    let mut first = 0;
    while first < mutants.len() {
        let mut child = command()
            .env(FOLDER, &folder)
            .env("LIGHTBEAM_CANARY_FIRST", first.to_string())
            .env("LIGHTBEAM_CANARY_SETUP", setup.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().expect("it is piped");
        let mut answers: BTreeMap<usize, String> = BTreeMap::new();
        let errors = child.stderr.take().expect("it is piped");
        let errors = std::thread::spawn(move || {
            let lines: Vec<String> = BufReader::new(errors).lines().map_while(Result::ok).collect();
            lines[lines.len().saturating_sub(3)..].join("; ")
        });
        let mut begun = None;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // A test says what it is before.
            let Some((_, line)) = line.split_once(WORD) else { continue };
            let (number, answer) = line.split_once(' ').unwrap_or((line, ""));
            let Ok(number) = number.parse() else { continue };
            if answer == "begun" {
                begun = Some(number);
            } else {
                begun = None;
                answers.insert(number, answer.to_string());
            }
        }
        let status = child.wait()?;
        let errors = errors.join().unwrap_or_default();
        let last = answers.keys().last().copied();
        for (number, answer) in answers {
            outcome.executed += 1;
            match answer.as_str() {
                "fine" => {}
                "refused" => outcome.refused += 1,
                other => {
                    outcome.escapes.push(format!("{}: {}: {other}", subject.name, subject.describe(mutants[number])));
                }
            }
        }
        match begun {
            Some(number) => {
                outcome.executed += 1;
                if status.code() == Some(ENDLESS) {
                    outcome.endless += 1;
                } else {
                    let what = subject.describe(mutants[number]);
                    outcome.escapes.push(format!("{}: {what}: {status} {errors}", subject.name));
                }
                first = number + 1;
            }
            None if last == Some(mutants.len() - 1) => break,
            None => {
                return Err(std::io::Error::other(format!("a process that executes mutants ended: {status} {errors}")));
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(outcome)
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Does what [`execute`] asks of a process. Says whether this is such a process at all.
#[must_use]
pub fn child() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(0);
    let (first, setup) = (number("LIGHTBEAM_CANARY_FIRST"), number("LIGHTBEAM_CANARY_SETUP"));
    run(Path::new(&folder), first, setup);
    true
}

fn run(folder: &Path, first: usize, setup: usize) {
    let artifact = std::fs::read(folder.join("artifact")).expect("the artifact is there");
    let edits = std::fs::read_to_string(folder.join("edits")).expect("the edits are there");
    let (_, setup) = setups()[setup];
    let (engine, _) = super::engine(&setup).expect("the engine was made before");
    let world = World::new(&engine, &artifact);
    std::panic::set_hook(Box::new(|_| {}));
    let clock = Instant::now();
    let deadline = std::sync::Arc::new(AtomicU64::new(u64::MAX));
    let watched = deadline.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            if clock.elapsed().as_millis() as u64 > watched.load(Ordering::Relaxed) {
                std::process::exit(ENDLESS);
            }
        }
    });
    for (number, line) in edits.lines().enumerate().skip(first) {
        say(number, "begun");
        deadline.store((clock.elapsed() + PATIENCE).as_millis() as u64, Ordering::Relaxed);
        let answer = match line.split_once(' ') {
            Some((at, bytes)) => {
                let mut mutant = artifact.clone();
                let at: usize = at.parse().expect("a number");
                for (n, byte) in mutant[at..at + bytes.len() / 2].iter_mut().enumerate() {
                    *byte = u8::from_str_radix(&bytes[2 * n..2 * n + 2], 16).expect("a byte");
                }
                world.try_out(&engine, &artifact, &mutant, setup.fuel)
            }
            None => "no edit".to_string(),
        };
        deadline.store(u64::MAX, Ordering::Relaxed);
        say(number, &answer);
    }
}

fn say(number: usize, what: &str) {
    println!("\n{WORD}{number} {what}");
    std::io::stdout().flush().expect("somebody listens");
}

/// What must stay as it is: parts of the host's memory, and an instance of the unchanged artifact in another store.
struct World {
    blocks: Vec<Vec<u8>>,
}

impl World {
    fn new(_: &Engine, artifact: &[u8]) -> World {
        let block = |n: usize| vec![0xa5 ^ n as u8; 64 << (n % 8)];
        let mut blocks: Vec<Vec<u8>> = (0..256).map(block).collect();
        blocks.push(artifact.to_vec());
        World { blocks }
    }

    fn is_whole(&self, artifact: &[u8]) -> bool {
        let (last, blocks) = self.blocks.split_last().expect("there are some");
        last == artifact && blocks.iter().enumerate().all(|(n, block)| block.iter().all(|byte| *byte == 0xa5 ^ n as u8))
    }

    fn try_out(&self, engine: &Engine, artifact: &[u8], mutant: &[u8], fuel: bool) -> String {
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // SAFETY: that is the question. The process is here for nothing else.
            let module = unsafe { Module::deserialize(engine, mutant) };
            let Ok(module) = module else { return "refused" };
            // SAFETY: this one was made by the compiler.
            let sibling = unsafe { Module::deserialize(engine, artifact) };
            let Ok(sibling) = sibling else { return "refused" };
            let limits = StoreLimitsBuilder::new().memory_size(8 << 20).table_elements(10_000).build();
            let mut store = Store::new(engine, limits);
            store.limiter(|limits| limits);
            if fuel {
                store.set_fuel(100_000).expect("fuel is on");
            }
            store.set_epoch_deadline(1 << 40);
            let Some(before) = instantiate(&mut store, &sibling) else { return "refused" };
            let Some(instance) = instantiate(&mut store, &module) else { return "refused" };
            let Some(behind) = instantiate(&mut store, &sibling) else { return "refused" };
            let pictures = [picture(&mut store, before), picture(&mut store, behind)];
            for seed in 0..3 {
                if fuel {
                    store.set_fuel(100_000).expect("fuel is on");
                }
                call_all(&mut store, &module, instance, seed);
            }
            if pictures != [picture(&mut store, before), picture(&mut store, behind)] {
                return "another instance was changed";
            }
            "fine"
        }));
        match tried {
            Ok("fine") if !self.is_whole(artifact) => "the host's memory was changed".to_string(),
            Ok(answer) => answer.to_string(),
            Err(panic) => {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                format!("the host panicked: {}", what.unwrap_or_default().replace('\n', " "))
            }
        }
    }
}

fn instantiate(store: &mut Store<StoreLimits>, module: &Module) -> Option<Instance> {
    let mut linker = Linker::new(module.engine());
    linker.define_unknown_imports_as_default_values(&mut *store, module).ok()?;
    linker.instantiate(&mut *store, module).ok()
}

/// All that an instance shows.
fn picture(store: &mut Store<StoreLimits>, instance: Instance) -> Vec<Vec<u8>> {
    let exports: Vec<_> = instance.exports(&mut *store).map(wasmtime::Export::into_extern).collect();
    let mut picture = Vec::new();
    for export in exports {
        match export {
            wasmtime::Extern::Memory(memory) => picture.push(memory.data(&*store).to_vec()),
            wasmtime::Extern::Global(global) => picture.push(format!("{:?}", global.get(&mut *store)).into_bytes()),
            wasmtime::Extern::Table(table) => {
                let nulls = (0..table.size(&*store)).map(|i| u8::from(is_null(table.get(&mut *store, i))));
                picture.push(nulls.collect());
            }
            _ => {}
        }
    }
    picture
}

fn is_null(reference: Option<Ref>) -> bool {
    reference.is_none_or(|reference| reference.is_null())
}

/// Calls all that a module exports, with numbers that are boundaries more often than not.
fn call_all(store: &mut Store<StoreLimits>, module: &Module, instance: Instance, seed: u64) {
    for export in module.exports() {
        let ExternType::Func(ty) = export.ty() else { continue };
        let args: Option<Vec<Val>> = ty
            .params()
            .enumerate()
            .map(|(n, ty)| match Type::from_val_type(&ty) {
                // Small numbers first: they go where something is.
                Some(ty) if seed == 0 => Some(crate::observe::Value::from_bits(ty, 1 + n as u64).to_val()),
                Some(ty) => Some(interesting(ty, seed * 31 + n as u64).to_val()),
                None => Val::default_for_ty(&ty),
            })
            .collect();
        let (Some(args), Some(func)) = (args, instance.get_func(&mut *store, export.name())) else { continue };
        let mut results = vec![Val::I32(0); ty.results().len()];
        // Whatever comes of it.
        drop(func.call(&mut *store, &args, &mut results));
    }
}
