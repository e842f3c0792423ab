//! Generated modules under random settings: Lightbeam against Cranelift on one engine, and against an interpreter.

use crate::backend::Setup;
use crate::observe::{Calls, Event, Outcome, Rule, Type, difference, interesting, observe, poisoned};
use crate::random::Random;
use crate::wasmi;
use arbitrary::Unstructured;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use wasm_encoder::reencode::{self, Reencode};
use wasm_smith::{Config, MemoryOffsetChoices};
use wasmparser::{Operator, Parser, Payload};
use wasmtime::{ExternType, Module};

/// What a run of generated modules came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Modules that ran on both engines.
    pub executed: u64,
    /// Of those, modules that the interpreter ran too.
    pub interpreted: u64,
    /// Calls compared.
    pub calls: u64,
    /// Of those, how many ended in a trap.
    pub traps: u64,
    /// Modules whose comparison ended early, by a stack overflow or for lack of fuel.
    pub poisoned: u64,
    /// Modules that differed in nothing but NaNs, which may differ.
    pub nans: u64,
    /// Modules on which the interpreter stood alone against both compilers: bugs of its own, so far.
    pub disputed: u64,
    /// What differed.
    pub mismatches: Vec<Mismatch>,
    /// How often each operator stood in the modules.
    pub operators: BTreeMap<&'static str, u64>,
}

/// A module that behaved differently.
#[derive(Debug)]
pub struct Mismatch {
    /// The seed that makes it again: `run(seed, 1)`.
    pub seed: u64,
    /// Which engines differed, in what.
    pub what: String,
    /// Where the module is.
    pub path: PathBuf,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} modules executed ({} by the interpreter too), {} calls, {} traps, {} poisoned, {} with NaNs, {} disputed, {} mismatches",
            self.executed,
            self.interpreted,
            self.calls,
            self.traps,
            self.poisoned,
            self.nans,
            self.disputed,
            self.mismatches.len()
        )?;
        for mismatch in &self.mismatches {
            writeln!(f, "seed {}: {} [{}]", mismatch.seed, mismatch.what, mismatch.path.display())?;
        }
        let mut operators: Vec<_> = self.operators.iter().collect();
        operators.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
        let list = operators.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>();
        write!(f, "{} operators: {}", operators.len(), list.join(", "))
    }
}

/// Generates `count` modules from the seeds `seed`, `seed + 1`, … and compares the engines on each.
#[must_use]
pub fn run(seed: u64, count: u64) -> Summary {
    let mut summary = Summary::default();
    for seed in seed..seed + count {
        one(seed, &mut summary);
    }
    summary
}

/// A generated module and the calls to make.
#[derive(Debug)]
pub struct Case {
    /// The settings of the engine.
    pub setup: Setup,
    /// The module.
    pub wasm: Vec<u8>,
    /// Are all NaNs canonical by the module's own code?
    pub canonical: bool,
    /// What the arguments of calls are made from.
    pub arguments: u64,
}

/// The module of a seed; `canonical` makes the same one with all NaNs canonical.
#[must_use]
pub fn case(seed: u64, canonical: bool) -> Option<Case> {
    Some(Case { arguments: seed, ..decided(&mut Random::new(seed), canonical, |_| {})? })
}

/// The module that these decisions give; `adjust` has the last word on what may be in it.
#[must_use]
pub fn decided(random: &mut Random, canonical: bool, adjust: impl FnOnce(&mut Config)) -> Option<Case> {
    let setup = Setup::random(random);
    let mut config = config(random);
    adjust(&mut config);
    config.canonicalize_nans |= canonical;
    let canonical = config.canonicalize_nans;
    let most = 2048 + random.clone().below(6144);
    let dna = random.rest(most);
    let mut module = wasm_smith::Module::new(config, &mut Unstructured::new(&dna)).ok()?;
    module.ensure_termination(300).ok()?;
    Some(Case { setup, wasm: without_waiting(&module.to_bytes())?, canonical, arguments: dna.len() as u64 })
}

/// Nothing waits for another thread, since there is none: each timeout becomes 0.
fn without_waiting(wasm: &[u8]) -> Option<Vec<u8>> {
    struct Timeouts;
    impl Reencode for Timeouts {
        type Error = std::convert::Infallible;
        fn parse_function_body(
            &mut self,
            code: &mut wasm_encoder::CodeSection,
            body: wasmparser::FunctionBody<'_>,
        ) -> Result<(), reencode::Error<Self::Error>> {
            use wasm_encoder::Instruction::{Drop, I64Const, MemoryAtomicWait32, MemoryAtomicWait64};
            let mut function = self.new_function_with_parsed_locals(&body)?;
            let mut reader = body.get_operators_reader()?;
            while !reader.eof() {
                let instruction = self.parse_instruction(&mut reader)?;
                if let MemoryAtomicWait32(_) | MemoryAtomicWait64(_) = instruction {
                    function.instruction(&Drop).instruction(&I64Const(0));
                }
                function.instruction(&instruction);
            }
            code.function(&function);
            Ok(())
        }
    }
    let mut module = wasm_encoder::Module::new();
    Timeouts.parse_core_module(&mut module, Parser::new(0), wasm).ok()?;
    Some(module.finish())
}

fn config(random: &mut Random) -> Config {
    let vectors = random.one_in(2);
    let mut config = Config {
        bulk_memory_enabled: true,
        reference_types_enabled: !random.one_in(4),
        multi_value_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        extended_const_enabled: true,
        tail_call_enabled: random.one_in(2),
        wide_arithmetic_enabled: random.one_in(2),
        custom_page_sizes_enabled: random.one_in(3),
        memory64_enabled: random.one_in(3),
        simd_enabled: vectors,
        relaxed_simd_enabled: vectors && random.one_in(2),
        gc_enabled: random.one_in(3),
        exceptions_enabled: random.one_in(3),
        threads_enabled: random.one_in(3),
        shared_everything_threads_enabled: false,
        custom_descriptors_enabled: false,
        allow_floats: !random.one_in(4),
        canonicalize_nans: !random.one_in(3),
        disallow_traps: random.one_in(2),
        export_everything: true,
        allow_start_export: random.one_in(3),
        allow_invalid_funcs: false,
        max_imports: 1 + random.below(12),
        max_memories: 1 + random.below(3),
        min_memories: u32::from(!random.one_in(8)),
        max_memory32_bytes: 16 << 16,
        max_memory64_bytes: 16 << 16,
        max_tables: 1 + random.below(3),
        max_table_elements: 200,
        max_elements: 20,
        max_element_segments: 6,
        max_data_segments: 6,
        max_globals: 16,
        max_types: 16,
        min_funcs: 1,
        max_funcs: 4 + random.below(12),
        max_instructions: *random.pick(&[40, 100, 100, 300]),
        max_type_size: 1000,
        min_uleb_size: *random.pick(&[1, 1, 1, 5]),
        // wasm-smith's own mix is (90, 9, 1): most offsets small. Checks are needed for the others.
        memory_offset_choices: {
            let (small, medium, large) = *random.pick(&[(90, 9, 1), (60, 30, 10), (34, 33, 33)]);
            MemoryOffsetChoices(small, medium, large)
        },
        ..Config::default()
    };
    // The maximum must fit a memory of the page size 1 as well, which the generator draws after this.
    config.memory_max_size_required = random.one_in(4);
    config.table_max_size_required = random.one_in(4);
    config.reference_types_enabled |= config.gc_enabled;
    config
}

fn one(seed: u64, summary: &mut Summary) {
    let Some(case) = case(seed, false) else { return };
    match compare(&case, summary) {
        Ok(()) => {}
        Err(_) if !(case.canonical || case.setup.one_nan()) && agrees_when_canonical(seed) => summary.nans += 1,
        Err(what) => {
            let path = std::env::temp_dir().join(format!("lightbeam-{seed}.wasm"));
            std::fs::write(&path, &case.wasm).expect("the temporary folder can be written");
            eprintln!("seed {seed}: {what}\n  module: {}\n  settings: {:?}", path.display(), case.setup);
            summary.mismatches.push(Mismatch { seed, what, path });
        }
    }
}

/// Bits of NaNs can reach integers and memories, and rightly differ. Then the same module with canonical NaNs shows
/// no difference.
fn agrees_when_canonical(seed: u64) -> bool {
    case(seed, true).is_some_and(|case| compare(&case, &mut Summary::default()).is_ok())
}

/// Runs a case on all engines; what differs is an error.
pub fn compare(case: &Case, summary: &mut Summary) -> Result<(), String> {
    let setup = &case.setup;
    let pair = setup.engine().map_err(|error| format!("no compiler for {setup:?}: {error:?}"))?;
    let Ok(cranelift) = pair.cranelift(&case.wasm) else { return Ok(()) };
    let lightbeam = pair.lightbeam(&case.wasm).map_err(|error| format!("does not compile: {error:?}"))?;
    let calls = calls(&cranelift, case.arguments);
    let rule = if case.canonical || setup.one_nan() { Rule::Exact } else { Rule::AnyNan };
    let expected = observe(&cranelift, setup, &calls);
    let actual = observe(&lightbeam, setup, &calls);
    summary.executed += 1;
    for event in &expected {
        match event {
            Event::Call { outcome, .. } => {
                summary.calls += 1;
                summary.traps += u64::from(matches!(outcome, Outcome::Trap(_)));
            }
            _ => continue,
        }
    }
    summary.poisoned += u64::from(expected.last().is_some_and(poisoned) || actual.last().is_some_and(poisoned));
    let mut operators = BTreeMap::new();
    count_operators(&case.wasm, &mut operators);
    operators.iter().for_each(|(name, count)| *summary.operators.entry(name).or_default() += count);
    if let Some(difference) = difference(&expected, &actual, rule) {
        return Err(format!("against Cranelift: {}", difference.what));
    }
    let Some(third) = wasmi::observe(&case.wasm, &calls) else { return Ok(()) };
    summary.interpreted += 1;
    // The generator's canonical NaNs leave out these two, and an interpreter has no reason to give the machine's bits.
    let leaky = ["F32DemoteF64", "F64PromoteF32"].iter().any(|name| operators.contains_key(name));
    match difference(&third, &actual, rule) {
        None => Ok(()),
        Some(_) if leaky || !case.canonical => {
            summary.nans += 1;
            Ok(())
        }
        Some(difference) => {
            // Whoever is right, the compilers share no code generator, and one bug in two is unlikely. Each is worth a
            // look all the same.
            eprintln!("arguments of {}: the interpreter against both compilers: {}", case.arguments, difference.what);
            summary.disputed += 1;
            Ok(())
        }
    }
}

/// Several calls of each exported function, with arguments that are boundaries more often than not.
fn calls(module: &Module, seed: u64) -> Vec<Calls> {
    let mut random = Random::new(seed ^ 0xca11);
    let mut calls = Vec::new();
    for export in module.exports() {
        let ExternType::Func(ty) = export.ty() else { continue };
        let params: Option<Vec<Type>> = ty.params().map(|ty| Type::from_val_type(&ty)).collect();
        let (Some(params), true) = (params, ty.results().all(|ty| Type::from_val_type(&ty).is_some())) else {
            continue;
        };
        let args = (0..3).map(|_| params.iter().map(|ty| interesting(*ty, random.bits())).collect()).collect();
        calls.push(Calls::new(export.name(), args));
    }
    calls
}

macro_rules! operator_names {
    ($(@$proposal:ident $op:ident $({ $($payload:tt)* })? => $visit:ident ($($ann:tt)*))*) => {
        /// What an operator is called.
        #[must_use]
        pub fn operator_name(op: &Operator<'_>) -> &'static str {
            match op {
                $(Operator::$op { .. } => stringify!($op),)*
                _ => "other",
            }
        }
    };
}
wasmparser::for_each_operator!(operator_names);

/// Adds the operators of a module to a histogram.
pub fn count_operators(wasm: &[u8], histogram: &mut BTreeMap<&'static str, u64>) {
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
        let Ok(mut reader) = body.get_operators_reader() else { continue };
        while let Ok(op) = reader.read() {
            *histogram.entry(operator_name(&op)).or_default() += 1;
            if reader.eof() {
                break;
            }
        }
    }
}
