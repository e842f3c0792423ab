//! Who notices when a side condition of the compiler is left out (`lightbeam_compiler::fault`): the proofs of debug
//! builds, the verifier, or the difference to another compiler.

use crate::aimed;
use crate::backend::{Pair, Setup};
use crate::generate::{
    Generated, Linked, aliases, before_unreachable, block_locals, bulk, continuations, control, exceptions, fuel,
    null_tests, pending_writes, pressure, programs, tails, traps, upper_halves, windows,
};
use crate::mutants::{self, Subject, modules};
use crate::observe::{Event, Rule, difference, observe, poisoned};
use lightbeam_compiler::fault::{Fault, leave_out, prove};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wasmtime::{Collector, Result};

/// The variable that makes a process one that runs modules with faults.
pub const CHILD: &str = "LIGHTBEAM_FAULTS_CHILD";

/// What such a process says on its standard output, behind this word.
const WORD: &str = "fault:";

const ENDLESS: i32 = 99;

/// What is compiled.
#[derive(Debug)]
enum What {
    Module(Box<Generated>),
    Linked(Box<Linked>),
    Text(String),
}

/// A module, and the number of the settings that it is compiled under.
#[derive(Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    setup: usize,
    what: What,
}

impl Case {
    /// The module that Lightbeam compiles.
    #[must_use]
    pub fn wasm(&self) -> Vec<u8> {
        match &self.what {
            What::Module(module) => module.wasm(),
            What::Linked(linked) => linked.user.wasm(),
            What::Text(wat) => wat::parse_str(wat).expect("the text is a module"),
        }
    }
}

/// Settings under which side conditions matter.
#[must_use]
pub fn setups() -> Vec<Setup> {
    let base = Setup::default();
    let moving = Setup { reservation: Some(0), guard: Some(0), ..base };
    let mut setups: Vec<Setup> = mutants::setups().into_iter().map(|(_, setup)| setup).collect();
    setups.extend([
        Setup { poison: true, ..base },
        Setup { poison: true, epochs: true, ..moving },
        Setup { collector: Collector::Null, signals: false, ..moving },
        Setup { collector: Collector::DeferredReferenceCounting, fuel: true, poison: true, ..moving },
    ]);
    let aimed = aimed::escapes().into_iter().map(|escape| escape.setup);
    for setup in aimed.chain(aimed::conditions().into_iter().map(|(_, setup, _)| setup)) {
        if !setups.contains(&setup) {
            setups.push(setup);
        }
    }
    setups
}

/// Modules that are made for one side condition; some with a bit of everything under all settings; and modules from
/// every generator that aims at a class, each under another of the settings.
#[must_use]
pub fn cases(seeds: std::ops::Range<u64>) -> Vec<Case> {
    let setups = setups();
    let all = setups.len();
    let number = |setup: Setup| setups.iter().position(|known| *known == setup).expect("they are all there");
    let mut cases = Vec::new();
    for escape in aimed::escapes() {
        let what = What::Text(escape.wat);
        cases.push(Case { name: format!("escape/{:?}", escape.fault), setup: number(escape.setup), what });
    }
    for (fault, setup, module) in aimed::conditions() {
        let what = What::Module(Box::new(module));
        cases.push(Case { name: format!("aimed/{fault:?}"), setup: number(setup), what });
    }
    for setup in 0..all {
        for (name, wat) in [("plain", modules::PLAIN), ("wide", modules::WIDE), ("objects", modules::OBJECTS)] {
            cases.push(Case { name: name.to_string(), setup, what: What::Text(wat.to_string()) });
        }
    }
    for seed in seeds {
        let size = 8 + seed as usize % 4 * 6;
        let generated: Vec<(&str, Generated)> = vec![
            ("before_unreachable", before_unreachable::module(seed, 16)),
            ("block_locals", block_locals::module(seed, 1 + seed as usize % 6)),
            ("null_tests", null_tests::module(seed, size)),
            ("pending_writes", pending_writes::module(seed, size)),
            ("windows", windows::module(seed)),
            ("fuel", fuel::module(seed, size)),
            ("control", control::module(seed, 40)),
            ("pressure", pressure::module(seed, 30)),
            ("programs", programs::module(seed, 2)),
            ("exceptions", exceptions::module(seed, 30)),
            ("continuations", continuations::module(seed, 30)),
        ];
        let linked = vec![("aliases", aliases::module(seed, 20)), ("upper_halves", upper_halves::module(seed, 24))];
        let generated = generated.into_iter().map(|(name, module)| (name, What::Module(Box::new(module))));
        let linked = linked.into_iter().map(|(name, linked)| (name, What::Linked(Box::new(linked))));
        for (n, (name, what)) in generated.chain(linked).enumerate() {
            let setup = (seed as usize * 3 + n) % all;
            cases.push(Case { name: format!("{name}/{seed}"), setup, what });
        }
        let (tails, others) = (tails::modules(), [traps::module(), bulk::module()]);
        let others = tails.into_iter().chain(others);
        if let Some((n, module)) = others.enumerate().nth(seed as usize) {
            let setup = seed as usize % all;
            cases.push(Case { name: format!("other/{n}"), setup, what: What::Module(Box::new(module)) });
        }
    }
    cases
}

/// One engine for each of the settings.
pub fn pairs() -> Result<Vec<Pair>> {
    setups()
        .into_iter()
        .map(|setup| {
            let (engine, lightbeam) = mutants::engine(&setup)?;
            Ok(Pair { engine, lightbeam: lightbeam.threads(1).verify(false), setup })
        })
        .collect()
}

/// Who may notice a fault before anything runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The proofs of debug builds.
    Proofs,
    /// The verifier, with those turned off.
    Verifier,
}

/// That a fault was noticed: by the how many-th module, and what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// How many modules it took.
    pub modules: usize,
    /// The module and the words.
    pub what: String,
}

/// Compiles modules with a side condition left out until a witness notices.
#[must_use]
pub fn compile(fault: Fault, witness: Witness, cases: &[Compiled], pairs: &[Pair]) -> Option<Noticed> {
    prove(witness == Witness::Proofs);
    let noticed = cases.iter().enumerate().find_map(|(n, case)| {
        let wasm = case.wasm.as_slice();
        let compiler = &pairs[case.setup].lightbeam;
        leave_out(Some(fault));
        let compiled = catch_unwind(AssertUnwindSafe(|| match (witness, &case.proved) {
            (Witness::Proofs, _) => {
                drop(compiler.precompile(wasm));
                None
            }
            (Witness::Verifier, Some(proved)) => {
                Subject::new(case.name.clone(), compiler, true, wasm).ok()?.keeps_proofs_of(proved).err()
            }
            (Witness::Verifier, None) => None,
        }));
        leave_out(None);
        let what = match (witness, compiled) {
            (Witness::Proofs, Err(panic)) => {
                let what = panic.downcast_ref::<String>().cloned();
                Some(what.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
            }
            // What ends otherwise than by a proof is not the verifier's.
            (Witness::Verifier, Err(_)) => None,
            (_, Ok(what)) => what,
        };
        what.map(|what| Noticed { modules: n + 1, what: format!("{}: {what}", case.name) })
    });
    prove(true);
    noticed
}

/// A module, and what of it is proved as it is.
#[derive(Debug)]
pub struct Compiled {
    name: String,
    setup: usize,
    wasm: Vec<u8>,
    proved: Option<Subject>,
}

impl Compiled {
    /// Is all of it proved?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.proved.as_ref().is_some_and(|subject| subject.failure().is_none())
    }
}

/// Compiles modules as they are.
#[must_use]
pub fn compiled(cases: &[Case], pairs: &[Pair]) -> Vec<Compiled> {
    let one = |case: &Case| {
        let wasm = case.wasm();
        let proved = Subject::new(case.name.clone(), &pairs[case.setup].lightbeam, true, &wasm).ok();
        Compiled { name: case.name.clone(), setup: case.setup, wasm, proved }
    };
    cases.iter().map(one).collect()
}

/// By fault, after how many modules what they show differs from what another compiler's code shows, and what it was.
pub type Differences = BTreeMap<Fault, (usize, String)>;

/// Runs modules with each of these faults, in processes that `command` makes and that call [`child`], until each has
/// made a difference or there are no modules left.
///
/// # Errors
///
/// If processes cannot be started.
pub fn run(
    seeds: std::ops::Range<u64>,
    faults: &[Fault],
    command: &dyn Fn() -> Command,
) -> std::io::Result<Differences> {
    let mut found = Differences::new();
    // A module, and a fault.
    let mut next = (0, 0);
    loop {
        let is_open = |fault: &Fault| faults.contains(fault) && !found.contains_key(fault);
        let open: Vec<String> =
            (0..Fault::ALL.len()).filter(|n| is_open(&Fault::ALL[*n])).map(|n| n.to_string()).collect();
        if open.is_empty() {
            return Ok(found);
        }
        let mut child = command()
            .env(CHILD, format!("{} {} {} {} {}", seeds.start, seeds.end, next.0, next.1, open.join(",")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = child.stdout.take().expect("it is piped");
        let mut begun = None;
        let mut over = false;
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            let Some((_, line)) = line.split_once(WORD) else { continue };
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let number = |n: usize| words.get(n).and_then(|word| word.parse::<usize>().ok());
            match (words[0], number(1), number(2)) {
                ("begun", Some(case), Some(fault)) => begun = Some((case, fault)),
                ("differs", Some(case), Some(fault)) => {
                    let what = words.get(3).unwrap_or(&"").to_string();
                    found.entry(Fault::ALL[fault]).or_insert((case + 1, what));
                }
                ("over", ..) => over = true,
                _ => {}
            }
        }
        let status = child.wait()?;
        if over {
            return Ok(found);
        }
        let Some((case, fault)) = begun else {
            return Err(std::io::Error::other(format!("a process that runs modules with faults ended: {status}")));
        };
        let what = if status.code() == Some(ENDLESS) { "no end".to_string() } else { status.to_string() };
        found.entry(Fault::ALL[fault]).or_insert((case + 1, what));
        next = (case, fault + 1);
    }
}

/// Does what [`run`] asks of a process. Says whether this is such a process at all.
///
/// # Panics
///
/// If no engine can be made.
#[must_use]
pub fn child() -> bool {
    let Ok(asked) = std::env::var(CHILD) else { return false };
    let mut words = asked.split(' ');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    let (seeds, first) = (number()..number(), (number() as usize, number() as usize));
    let open: Vec<usize> = words.next().unwrap_or("").split(',').filter_map(|word| word.parse().ok()).collect();
    std::panic::set_hook(Box::new(|_| {}));
    prove(false);
    let pairs = pairs().expect("engines");
    let clock = Instant::now();
    let deadline = Arc::new(AtomicU64::new(u64::MAX));
    let watched = deadline.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(100));
            if clock.elapsed().as_millis() as u64 > watched.load(Ordering::Relaxed) {
                std::process::exit(ENDLESS);
            }
        }
    });
    let mut closed = vec![false; Fault::ALL.len()];
    for (n, case) in cases(seeds).iter().enumerate().skip(first.0) {
        let pair = &pairs[case.setup];
        let Some(expected) = expected(case, pair) else { continue };
        if differs(None, case, pair, &expected).is_some() {
            // Where the compilers do not agree anyway, a difference tells nothing.
            continue;
        }
        for &fault in &open {
            if closed[fault] || n == first.0 && fault < first.1 {
                continue;
            }
            println!("\n{WORD}begun {n} {fault}");
            std::io::stdout().flush().expect("somebody listens");
            deadline.store(clock.elapsed().as_millis() as u64 + 20_000, Ordering::Relaxed);
            let difference = differs(Some(Fault::ALL[fault]), case, pair, &expected);
            deadline.store(u64::MAX, Ordering::Relaxed);
            if let Some(what) = difference {
                closed[fault] = true;
                println!("\n{WORD}differs {n} {fault} {}", what.lines().next().unwrap_or(""));
            }
        }
    }
    println!("\n{WORD}over");
    true
}

/// What Cranelift's code shows; nothing of linked modules, which are looked at as a whole.
fn expected(case: &Case, pair: &Pair) -> Option<Vec<Event>> {
    match &case.what {
        What::Module(module) => Some(observe(&pair.cranelift(&module.wasm()).ok()?, &pair.setup, &module.calls)),
        What::Linked(_) => Some(Vec::new()),
        What::Text(_) => None,
    }
}

/// Does one run out of fuel where the other does not? They count alike.
fn difference_in_fuel(expected: &[Event], actual: &[Event]) -> Option<String> {
    let ends = |event: &Event| poisoned(event) && format!("{event:?}").contains("fuel consumed");
    let pair = expected.iter().zip(actual).find(|(a, b)| poisoned(a) || poisoned(b));
    pair.filter(|(a, b)| ends(a) != ends(b)).map(|(a, b)| format!("expected {a:?}, got {b:?}"))
}

fn differs(fault: Option<Fault>, case: &Case, pair: &Pair, expected: &[Event]) -> Option<String> {
    leave_out(fault);
    let compared = catch_unwind(AssertUnwindSafe(|| match &case.what {
        What::Module(module) => {
            let compiled = pair.lightbeam(&module.wasm()).ok()?;
            let actual = observe(&compiled, &pair.setup, &module.calls);
            difference(expected, &actual, Rule::AnyNan)
                .map(|difference| difference.what)
                .or_else(|| difference_in_fuel(expected, &actual))
        }
        What::Linked(linked) => linked.check(pair, Rule::Exact).err().map(|error| error.to_string()),
        What::Text(_) => None,
    }));
    leave_out(None);
    // Whether it can be compiled at all is not for this column.
    let difference = compared.ok()??;
    Some(format!("{}: {difference}", case.name))
}
