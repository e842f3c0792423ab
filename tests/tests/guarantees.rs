//! What `docs/guarantees.md` promises: each limit is refused in the words that stand there, and nothing goes beyond.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_compiler::Budget;
use lightbeam_tests::bombs::{EXTREMES, bombs, out_of_proportion};
use wasmtime::Config;

const GUARANTEES: &str = include_str!("../../docs/guarantees.md");

/// Refuses a module for its size, in words that stand in the table with `…` for the numbers of the case.
#[track_caller]
fn check(wasm: &[u8], kind: ErrorKind, words: &str) {
    let compiler = Compiler::new(&Config::new()).unwrap();
    let error = compiler.precompile(wasm).unwrap_err();
    let error = error.downcast_ref::<lightbeam::Error>().unwrap_or_else(|| panic!("one of Lightbeam's: {error:?}"));
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.offset().is_some(), "{error}");
    let mut rest = error.message();
    for part in words.split('…') {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("no `{part}` in `{}`", error.message()));
        rest = after;
    }
    assert!(GUARANTEES.contains(&format!("`{words}`")), "the table does not have `{words}`");
}

fn family(name: &str, n: usize) -> Vec<u8> {
    let bomb = bombs().find(|bomb| bomb.name == name).unwrap();
    (bomb.make)(n)
}

#[test]
fn limits_are_refused_in_the_words_of_the_table() {
    check(
        &family("br_table-entries", 65_523),
        ErrorKind::TooLarge,
        "a br_table has … targets, at most 65520 are allowed",
    );
    check(&family("locals-and-blocks", 50_000), ErrorKind::Invalid, "too many locals: locals exceed maximum");
    let long = family("dead-code", 3_900_000);
    check(&long, ErrorKind::TooLarge, "function body exceeds the limit of 7654321 bytes");
    for bomb in out_of_proportion() {
        let words = match bomb.name.split(' ').next() {
            Some("calls") => "the module's first … bytes give more than … bytes of machine code",
            Some("values:") => "a function body of … bytes has more than … values on its stack",
            Some("400") => "the module's … bytes give more than … bytes of machine code in all",
            _ => "a function body of … bytes gives more than … bytes of machine code",
        };
        check(&(bomb.make)(bomb.n), ErrorKind::TooLarge, words);
    }
}

#[test]
fn constants_are_those_of_the_table() {
    for what in ["its body", "the module up to its end", "the module"] {
        let budget = format!("| {} bytes a byte of {what}, and {} KiB |", Budget::PER_BYTE, Budget::CONSTANT >> 10);
        assert!(GUARANTEES.contains(&budget), "the table does not have `{budget}`");
    }
}

#[test]
fn an_engine_that_compiles_on_one_thread_is_obeyed() {
    let mut config = Config::new();
    config.parallel_compilation(false);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let one = |compiler: &Compiler| format!("{compiler:?}").contains("threads: 1,");
    for compiler in [Compiler::new(&config).unwrap(), Compiler::for_engine(&engine).unwrap()] {
        assert!(one(&compiler), "{compiler:?}");
        assert!(!one(&compiler.threads(3)), "what is said of the compiler itself goes first");
    }
    let machine = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert_eq!(one(&Compiler::new(&Config::new()).unwrap()), machine == 1);
}

#[test]
fn no_bomb_exceeds_the_budget() {
    let compiler = Compiler::new(&Config::new()).unwrap();
    for bomb in bombs().chain(EXTREMES) {
        let (_, report) = compiler.precompile_timed((bomb.make)(bomb.n)).unwrap();
        let most = Budget::most(report.wasm_bytes);
        println!("{}: {}% of the budget", bomb.name, 100 * report.text_bytes / most);
        assert!(report.text_bytes <= most, "{}: {report:?}", bomb.name);
    }
}

/// Many small functions that all escape, of the types that programs have, under every setting that adds code: what is
/// densest of what is legitimate does not come near.
#[test]
fn small_functions_are_far_from_the_budget() {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true).signals_based_traps(false);
    config.memory_reservation(0).memory_guard_size(0);
    let compiler = Compiler::new(&config).unwrap();
    for params in [0, 1, 6, 12] {
        let function = format!("(func (param {}) local.get 0 i32.load drop)", "i32 ".repeat(params.max(1)));
        let elements = (0..5000).map(|i| i.to_string()).collect::<Vec<_>>().join(" ");
        let wat = format!("(module (memory 1) {} (elem declare func {elements}))", function.repeat(5000));
        let (_, report) = compiler.precompile_timed(wat).unwrap();
        assert!(report.text_bytes < Budget::most(report.wasm_bytes) / 2, "{params} parameters: {report:?}");
    }
}
