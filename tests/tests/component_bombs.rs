//! Bombs of components: doubling the input about doubles the output, the memory and what is done, whole and streamed,
//! with and without proof; and what asks for more than is in proportion to its bytes is refused by name.

use lightbeam::{AddressMap, Compiler, Error, ErrorKind, Report};
use lightbeam_tests::allocator::{Counting, peak, taken};
use lightbeam_tests::bombs::{Bomb, COMPONENTS, COMPONENTS_OUT_OF_PROPORTION, allowed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime::{Config, Result};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Whoever holds it is the only test that allocates.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What twice the input may cost: in bytes of output or of memory, and in steps. What is done with memory is counted in
/// the bytes that are taken for it.
const MAX_BYTES: f64 = 2.1;
const MAX_STEPS: f64 = 2.3;

/// What every component has: less is not worth a comparison.
const CODE: usize = 32 << 10;
const ARTIFACT: usize = 64 << 10;
const MEMORY: usize = 256 << 10;
const STEPS: usize = 1000;

/// What a refusal may take: the constant that every component is allowed, and so much a byte.
const REFUSAL: usize = 48 << 20;
const REFUSAL_PER_BYTE: usize = 1 << 10;
const COPIES: usize = 192 << 20;

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config
}

const GUARANTEES: &str = include_str!("../../docs/guarantees.md");

/// One thread, so that what is counted is the same in every run.
fn compilers() -> [Compiler; 2] {
    let mut elaborate = config();
    elaborate.consume_fuel(true).epoch_interruption(true).signals_based_traps(false);
    elaborate.memory_reservation(0).memory_guard_size(0);
    [
        Compiler::new(&config()).unwrap().verify(false).threads(1),
        Compiler::new(&elaborate).unwrap().verify(false).threads(1).address_map(AddressMap::Operators),
    ]
}

fn streamed(compiler: &Compiler, wasm: &[u8], chunk: usize) -> Result<(Vec<u8>, Report)> {
    let mut stream = compiler.component_stream();
    for chunk in wasm.chunks(chunk) {
        stream.push(chunk)?;
    }
    stream.finish_artifact_timed()
}

struct Costs {
    report: Report,
    /// The most bytes of memory in use, and all that were taken.
    peak: usize,
    taken: usize,
}

/// What a component costs, whole or in chunks, and its artifact.
fn costs(name: &str, compiler: &Compiler, wasm: &[u8], chunk: Option<usize>) -> (Costs, Vec<u8>) {
    let (peak, result) = peak(|| match chunk {
        Some(chunk) => streamed(compiler, wasm, chunk),
        None => compiler.precompile_component_timed(wasm),
    });
    let taken = taken();
    let (artifact, report) = result.unwrap_or_else(|error| panic!("{name}: {error}"));
    (Costs { report, peak, taken }, artifact)
}

#[test]
fn doubling_a_component_about_doubles_what_it_costs() {
    let _alone = alone();
    let mut complaints = Vec::new();
    for (compiler, which) in compilers().into_iter().zip(["plain", "elaborate"]) {
        for bomb in COMPONENTS {
            // What grows by powers of two shows at one doubling, and not at the next.
            let first = doubling(&compiler, which, bomb, [bomb.n / 2, bomb.n]);
            if !first.is_empty() {
                let second = doubling(&compiler, which, bomb, [bomb.n / 4, bomb.n / 2]);
                if !second.is_empty() {
                    complaints.extend(first.into_iter().chain(second));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn doubling(compiler: &Compiler, which: &str, bomb: &Bomb, sizes: [usize; 2]) -> Vec<String> {
    let mut complaints = Vec::new();
    let wasm = sizes.map(bomb.make);
    let length = [wasm[0].len(), wasm[1].len()];
    let mut artifacts = [Vec::new(), Vec::new()];
    for (way, chunk, proof) in [("whole", None, false), ("streamed", Some(61), false), ("proved", None, true)] {
        let compiler = compiler.clone().verify(proof);
        let both = [0, 1].map(|i| {
            let (costs, artifact) = costs(bomb.name, &compiler, &wasm[i], chunk);
            if artifacts[i].is_empty() {
                artifacts[i] = artifact;
            } else {
                assert!(artifacts[i] == artifact, "{}, {way}: another artifact", bomb.name);
            }
            costs
        });
        let mut check = |of: &str, least: usize, max: f64, cost: &dyn Fn(&Costs) -> usize| {
            let [once, twice] = [cost(&both[0]), cost(&both[1])];
            if twice as f64 > allowed(max, length[0], length[1]) * once.max(least) as f64 {
                let [a, b] = length;
                let name = bomb.name;
                complaints.push(format!("{name}, {which}, {way}: {a} bytes cost {once} {of}, {b} bytes {twice}"));
            }
        };
        check("bytes of memory", MEMORY, MAX_BYTES, &|costs| costs.peak);
        check("bytes taken", 4 * MEMORY, MAX_STEPS, &|costs| costs.taken);
        if proof {
            check("steps of proof", STEPS, MAX_STEPS, &|costs| costs.report.verified.unwrap().steps as usize);
        } else {
            check("bytes of code", CODE, MAX_BYTES, &|costs| costs.report.text_bytes);
            check("bytes of artifact", ARTIFACT, MAX_BYTES, &|costs| costs.report.artifact_bytes);
            check("steps", STEPS, MAX_STEPS, &|costs| costs.report.counters.steps as usize);
        }
    }
    complaints
}

#[test]
fn components_out_of_proportion_are_refused_by_name() {
    let _alone = alone();
    let [compiler, _] = compilers();
    let mut complaints = Vec::new();
    for bomb in COMPONENTS_OUT_OF_PROPORTION {
        let wasm = (bomb.make)(bomb.n);
        // Words of the table, with `…` for the numbers of the case.
        let words = match bomb.name.split(&[' ', ':']).next().unwrap() {
            "instances" | "closures" => "the component's … bytes instantiate more than … things",
            "parts" => "the component's first … bytes come to more than … parts of types",
            "declarations" => "declarations of types are nested more than 100 levels deep",
            "levels" => "types have others on more than 120 levels",
            "definitions" => "limit exceeded: a component of more than 1000 modules and components",
            "closing" => "components close over components more than 100 levels deep",
            "memories" => "adapters between … memories, more than 100, are in one component",
            "chained" => "… adapters of functions that are adapters, more than 100",
            "adapters" => "the component's … bytes need … bytes of adapters, more than …",
            other => panic!("what refuses {other}?"),
        };
        assert!(GUARANTEES.contains(&format!("`{words}`")), "the table does not have `{words}`");
        let (whole_peak, whole) = peak(|| compiler.precompile_component(&wasm).map(drop));
        let (stream_peak, stream) = peak(|| streamed(&compiler, &wasm, 1 << 10).map(drop));
        let [whole, stream] = [whole, stream].map(|result| match result {
            Ok(()) => panic!("{} is compiled", bomb.name),
            Err(error) => error.downcast::<Error>().unwrap_or_else(|error| panic!("{}: {error:?}", bomb.name)),
        });
        assert_eq!(whole, stream, "{}", bomb.name);
        let mut rest = whole.message();
        let said = words.split('…').all(|part| rest.split_once(part).map(|(_, after)| rest = after).is_some());
        if whole.kind() != ErrorKind::TooLarge || !said {
            complaints.push(format!("{}: not `{words}`, but {whole}", bomb.name));
        }
        // What the validator copies for each of 1,000 modules.
        let copies = if words.contains("modules and components") { COPIES } else { 0 };
        for peak in [whole_peak, stream_peak] {
            if peak > REFUSAL + copies + REFUSAL_PER_BYTE * wasm.len() {
                complaints.push(format!("{}: {peak} bytes of memory for {} of wasm", bomb.name, wasm.len()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
