//! Compile bombs: doubling the input about doubles the output, the memory and the steps, whatever the input, valid or
//! not; and modules at the limits compile.

use lightbeam::{AddressMap, Compiler, ErrorKind, Report};
use lightbeam_compiler::Budget;
use lightbeam_tests::allocator::{Counting, peak};
use lightbeam_tests::bombs::{Bomb, EXTREMES, allowed, bombs, invalid, out_of_proportion};
use lightbeam_tests::stack_bombs::{STACK_BOMBS, STACK_BOMBS_OUT_OF_PROPORTION};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime::Config;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Whoever holds it is the only test that allocates.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What twice the input may cost: in bytes of output or of memory, and in steps.
const MAX_BYTES: f64 = 2.1;
const MAX_STEPS: f64 = 2.3;
const MAX_PROOF_STEPS: f64 = 2.1;

/// What every module has, in bytes: less is not worth a comparison.
const CODE: usize = 32 << 10;
const ARTIFACT: usize = 64 << 10;
const MEMORY: usize = 128 << 10;
const STEPS: usize = 1000;

/// All families, those that need a feature that is off by default included.
fn families() -> impl Iterator<Item = &'static Bomb> {
    bombs().chain(STACK_BOMBS)
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_stack_switching(true);
    config
}

/// What is measured is compiling, so nothing is proved unless a test asks for it.
fn compiler() -> Compiler {
    Compiler::new(&config()).unwrap().verify(false)
}

/// Everything that adds code and tables: fuel, epochs, checks instead of faults, an address map of every operator.
fn elaborate_compiler() -> Compiler {
    let mut config = config();
    config.consume_fuel(true).epoch_interruption(true).signals_based_traps(false);
    config.memory_reservation(0).memory_guard_size(0);
    Compiler::new(&config).unwrap().verify(false).address_map(AddressMap::Operators)
}

fn compile(compiler: &Compiler, name: &str, wasm: &[u8]) -> Report {
    let (_, report) = compiler.precompile_timed(wasm).unwrap_or_else(|error| panic!("{name}: {error}"));
    report
}

/// Compares what a family costs at a size and at twice that.
fn double(
    complaints: &mut Vec<String>,
    name: &str,
    wasm: [usize; 2],
    of: &str,
    costs: [usize; 2],
    least: usize,
    max: f64,
) {
    let [once, twice] = costs;
    if twice as f64 > allowed(max, wasm[0], wasm[1]) * once.max(least) as f64 {
        complaints.push(format!("{name}: {} bytes cost {once} {of}, {} bytes cost {twice}", wasm[0], wasm[1]));
    }
}

fn doubling(compiler: &Compiler, sizes: impl Fn(&Bomb) -> [usize; 2]) {
    let mut complaints = Vec::new();
    for bomb in families() {
        let modules = sizes(bomb).map(bomb.make);
        let wasm = [0, 1].map(|i| modules[i].len());
        let reports = [0, 1].map(|i| compile(compiler, bomb.name, &modules[i]));
        let mut check = |of, least, max, cost: fn(&Report) -> usize| {
            double(&mut complaints, bomb.name, wasm, of, [cost(&reports[0]), cost(&reports[1])], least, max);
        };
        check("bytes of code", CODE, MAX_BYTES, |report| report.text_bytes);
        check("bytes of artifact", ARTIFACT, MAX_BYTES, |report| report.artifact_bytes);
        check("steps", STEPS, MAX_STEPS, |report| report.counters.steps as usize);
        check("spills", STEPS, MAX_STEPS, |report| report.counters.spills as usize);
        check("reloads", STEPS, MAX_STEPS, |report| report.counters.reloads as usize);
        check("moves", STEPS, MAX_STEPS, |report| report.counters.merge_moves as usize);
        check("saved homes", STEPS, MAX_STEPS, |report| report.counters.home_saves as usize);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn doubling_a_bomb_about_doubles_the_output_and_the_steps() {
    let _alone = alone();
    doubling(&compiler(), |bomb| [bomb.n / 2, bomb.n]);
}

#[test]
fn so_it_does_with_everything_metered_checked_and_mapped() {
    let _alone = alone();
    // Twice the code for the same input reaches the budget earlier.
    doubling(&elaborate_compiler(), |bomb| [bomb.n / 4, bomb.n / 2]);
}

/// The verifier's steps are a count: instructions looked at, again where paths meet, and parts of frames that were
/// joined.
#[test]
fn twice_the_input_takes_about_twice_the_steps_to_prove() {
    let _alone = alone();
    let mut complaints = Vec::new();
    for compiler in [compiler(), elaborate_compiler()] {
        let compiler = compiler.verify(true);
        let prove = |name: &str, module: &[u8]| {
            compile(&compiler, name, module).verified.expect("it was to be proved").steps as usize
        };
        for bomb in families() {
            let doubling = |sizes: [usize; 2]| {
                let mut complaints = Vec::new();
                let modules = sizes.map(bomb.make);
                let wasm = [0, 1].map(|i| modules[i].len());
                let steps = modules.map(|module| prove(bomb.name, &module));
                double(&mut complaints, bomb.name, wasm, "steps of proof", steps, STEPS, MAX_PROOF_STEPS);
                complaints
            };
            let first = doubling([bomb.n / 8, bomb.n / 4]);
            // The tree of a frame's words becomes one level higher now and then: that shows at one doubling, and not at
            // the next.
            if !first.is_empty() {
                let second = doubling([bomb.n / 4, bomb.n / 2]);
                if !second.is_empty() {
                    complaints.extend(first.into_iter().chain(second));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Over two doublings: vectors and hash tables grow by powers of two, which shows as less in the one and more in the
/// other.
#[test]
fn doubling_a_bomb_about_doubles_the_memory() {
    let _alone = alone();
    // A new compiler for each: one keeps buffers from module to module, as large as they have become. On one thread:
    // the smaller ones are too small for a second, whose buffers of a megabyte or so the larger ones would have.
    let compiler = || compiler().threads(1);
    let mut complaints = Vec::new();
    for bomb in families() {
        let sizes = [bomb.n / 4, bomb.n];
        let valid = sizes.map(|n| {
            let wasm = (bomb.make)(n);
            let compiler = compiler();
            let (bytes, result) = peak(|| compiler.precompile(&wasm));
            assert!(result.is_ok(), "{}", bomb.name);
            (wasm.len(), bytes)
        });
        let broken = sizes.map(|n| {
            let wasm = invalid((bomb.make)(n));
            let compiler = compiler();
            let (bytes, result) = peak(|| compiler.precompile(&wasm));
            assert!(result.is_err(), "{} is invalid", bomb.name);
            (wasm.len(), bytes)
        });
        for (name, [small, large]) in [("valid", valid), ("invalid", broken)] {
            let growth = (large.0 as f64 / small.0 as f64 / 4.0).max(1.0);
            if large.1 as f64 > MAX_BYTES * MAX_BYTES * growth * small.1.max(MEMORY) as f64 {
                complaints.push(format!("{}, {name}: {small:?} and {large:?} (bytes of wasm, of memory)", bomb.name));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What a second thread has of its own is no more than what the first has.
#[test]
fn a_second_thread_takes_no_more_memory_than_the_first() {
    let _alone = alone();
    let mut complaints = Vec::new();
    for bomb in families() {
        let wasm = (bomb.make)(bomb.n);
        let [one, two] = [1, 2].map(|threads| {
            let compiler = compiler().threads(threads);
            let (bytes, result) = peak(|| compiler.precompile(&wasm));
            assert!(result.is_ok(), "{}", bomb.name);
            bytes
        });
        if two > 2 * one.max(MEMORY) {
            complaints.push(format!("{}: {one} bytes by one thread, {two} by two", bomb.name));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn bombs_are_valid_modules() {
    let _alone = alone();
    let engine = wasmtime::Engine::new(&config()).unwrap();
    let refused = out_of_proportion().chain(STACK_BOMBS_OUT_OF_PROPORTION);
    for bomb in families().chain(EXTREMES).chain(refused) {
        wasmtime::Module::validate(&engine, &(bomb.make)(bomb.n))
            .unwrap_or_else(|error| panic!("{}: {error}", bomb.name));
        assert!(wasmtime::Module::validate(&engine, &invalid((bomb.make)(bomb.n / 4))).is_err(), "{}", bomb.name);
    }
}

/// On a small stack: nothing recurs over the nesting of the input.
#[test]
fn modules_at_the_limits_compile_on_a_small_stack() {
    let _alone = alone();
    for bomb in EXTREMES {
        let worker = std::thread::Builder::new().stack_size(512 << 10);
        let make = || compile(&compiler(), bomb.name, &(bomb.make)(bomb.n));
        let report = worker.spawn(make).unwrap().join().unwrap();
        let Report { body_bytes, code_bytes, artifact_bytes, .. } = report;
        println!("{}: {body_bytes} bytes of bodies give {code_bytes} of code, {artifact_bytes} in all", bomb.name);
    }
}

#[test]
fn what_exceeds_a_limit_is_refused_by_name() {
    let _alone = alone();
    let compiler = compiler();
    let family = |name: &str| bombs().find(|bomb| bomb.name == name).unwrap();
    // One more local than the limit of all engines, and a table of branches beyond it.
    let locals = (family("locals-and-blocks").make)(50_000);
    let table = (family("br_table-entries").make)(70_000);
    for (wasm, word) in [(locals, "local"), (table, "br_table")] {
        let error = compiler.module(&wasm).unwrap_err();
        let error = error.downcast_ref::<lightbeam::Error>().unwrap_or_else(|| panic!("one of Lightbeam's: {error:?}"));
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::TooLarge), "{error}");
        assert!(error.message().contains(word) && error.offset().is_some(), "{error}");
    }
}

#[test]
fn code_out_of_all_proportion_is_refused() {
    let _alone = alone();
    let compiler = compiler();
    for bomb in out_of_proportion().chain(STACK_BOMBS_OUT_OF_PROPORTION) {
        let wasm = (bomb.make)(bomb.n);
        let (bytes, result) = peak(|| compiler.precompile(&wasm));
        // The code that is allowed, where it grows by doubling, and what else a module has.
        let most = 3 * Budget::most(wasm.len()) + 16 * wasm.len() + (8 << 20);
        assert!(bytes <= most, "{}: {bytes} bytes of memory for {} of wasm", bomb.name, wasm.len());
        let error = result.unwrap_err();
        let error = error.downcast_ref::<lightbeam::Error>().unwrap_or_else(|| panic!("{}: {error:?}", bomb.name));
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{}: {error}", bomb.name);
    }
}
