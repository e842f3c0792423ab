//! Targets whose inputs are modules or bodies as they come: what must hold whether they are valid or not.

use super::Verdict;
use crate::bodies::{Bodies, again, body};
use crate::random::{Random, mix};
use lightbeam::{Compiler, ErrorKind};
use lightbeam_compiler::{BothWays, Budget};
use std::cell::RefCell;
use std::sync::LazyLock;
use wasmparser::{FuncToValidate, ValidatorResources, WasmFeatures};
use wasmtime::Config;

/// With all features that change which modules there are.
static COMPILER: LazyLock<Compiler> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_wide_arithmetic(true).wasm_custom_page_sizes(true).wasm_multi_memory(true).wasm_memory64(true);
    config.wasm_stack_switching(true).wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
    config.wasm_threads(true).shared_memory(true);
    Compiler::new(&config).expect("Lightbeam serves these settings")
});

/// The kind of an error, which must be one of Lightbeam's about the input.
fn kind(error: &wasmtime::Error) -> ErrorKind {
    let kind = error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind);
    match kind {
        Some(kind @ (ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::TooLarge)) => kind,
        _ => panic!("not an error about the input: {error:?}"),
    }
}

/// Is the input in the binary format, or perhaps text?
fn is_binary(data: &[u8]) -> bool {
    data.starts_with(b"\0asm")
}

pub(super) fn compile(data: &[u8]) -> Verdict {
    let valid = is_binary(data).then(|| wasmtime::Module::validate(COMPILER.engine(), data));
    match COMPILER.module_timed(data) {
        Ok((_, report)) => {
            if let Some(Err(error)) = valid {
                panic!("accepted though {error:?}");
            }
            let most = Budget::most(report.wasm_bytes);
            assert!(report.text_bytes <= most, "{} bytes of code, {most} are allowed", report.text_bytes);
        }
        Err(error) => {
            let kind = kind(&error);
            assert!(kind != ErrorKind::Invalid || !matches!(valid, Some(Ok(()))), "valid, but refused: {error:?}");
        }
    }
    if is_binary(data) { Verdict::Tested } else { Verdict::Void }
}

pub(super) fn stream(data: &[u8]) -> Verdict {
    let whole = COMPILER.precompile(data).map_err(|error| kind(&error));
    // As text it would have to be there as a whole.
    if !is_binary(data) {
        return Verdict::Void;
    }
    let mut random =
        Random::new(data.iter().rev().take(9).fold(data.len() as u64, |seed, byte| mix(seed ^ u64::from(*byte))));
    for most in [1, 40, data.len()] {
        if most == 1 && data.len() > 2000 {
            continue;
        }
        let small = COMPILER.clone().threads(1 + random.below(4)).batch(1 + random.below(300));
        let mut stream = small.module_stream();
        let mut rest = data;
        let mut pushed = Ok(());
        while pushed.is_ok() && !rest.is_empty() {
            let (chunk, other) = rest.split_at((1 + random.below(most)).min(rest.len()));
            pushed = stream.push(chunk).map(drop);
            rest = other;
        }
        let result = pushed.and_then(|()| stream.finish_artifact()).map_err(|error| kind(&error));
        match (&whole, &result) {
            (Ok(whole), Ok(result)) => assert!(whole == result, "chunks of up to {most} bytes: another artifact"),
            (Err(_), Err(_)) => {}
            _ => panic!(
                "whole: {:?}, in chunks of up to {most} bytes: {:?}",
                whole.as_ref().map(Vec::len),
                result.as_ref().map(Vec::len)
            ),
        }
    }
    Verdict::Tested
}

/// All features of Wasmtime's that do not change which modules are supported at all.
#[must_use]
pub fn features() -> WasmFeatures {
    WasmFeatures::default() | WasmFeatures::WIDE_ARITHMETIC | WasmFeatures::CUSTOM_PAGE_SIZES
}

/// Sets of features: each one that makes a difference to bodies switched off by itself, and all of them.
#[must_use]
pub fn without() -> Vec<WasmFeatures> {
    let off = [
        WasmFeatures::SIGN_EXTENSION,
        WasmFeatures::SATURATING_FLOAT_TO_INT,
        WasmFeatures::BULK_MEMORY,
        WasmFeatures::BULK_MEMORY | WasmFeatures::BULK_MEMORY_OPT,
        WasmFeatures::REFERENCE_TYPES.difference(WasmFeatures::CALL_INDIRECT_OVERLONG),
        WasmFeatures::REFERENCE_TYPES,
        WasmFeatures::MULTI_VALUE,
        WasmFeatures::TAIL_CALL,
        WasmFeatures::MULTI_MEMORY,
        WasmFeatures::MEMORY64,
        WasmFeatures::WIDE_ARITHMETIC,
        WasmFeatures::THREADS,
        WasmFeatures::EXCEPTIONS,
        WasmFeatures::RELAXED_SIMD,
        WasmFeatures::SIMD | WasmFeatures::RELAXED_SIMD,
        WasmFeatures::GC | WasmFeatures::FUNCTION_REFERENCES,
    ];
    let all = off.iter().fold(WasmFeatures::empty(), |all, one| all | *one);
    off.iter().chain([&all]).map(|off| features().difference(*off)).collect()
}

/// Where bodies of the target `validate` stand: everything that a body can name, several of each.
const SURROUNDINGS: [&str; 3] = [
    "(module
       (type (func)) (type (func (param i32 i64) (result i32))) (type (func (param f32) (result f64 i32)))
       (type (func (param v128 funcref externref) (result v128)))
       (import \"a\" \"f\" (func (type 0))) (import \"a\" \"g\" (func (type 1))) (import \"a\" \"h\" (func (type 2)))
       (import \"a\" \"m\" (memory 1)) (memory i64 1) (memory 1 (pagesize 1))
       (table 3 funcref) (table i64 2 funcref) (table 2 externref)
       (global (mut i32) (i32.const 0)) (global i64 (i64.const 1)) (global (mut f64) (f64.const 1))
       (global (mut v128) (v128.const i64x2 0 0)) (global (mut funcref) (ref.null func))
       (elem (i32.const 0) func 0 1) (elem declare func 2 3) (elem externref (ref.null extern))
       (func (type 0)) (func (type 1) unreachable) (func (type 2) unreachable) (func (type 3) unreachable)
       (func (param i32 i32 i64 i64 f32 f32 f64 f64)) (func (result i32 i64 f32 f64 v128 funcref) unreachable)
       (data \"a\") (data \"b\"))",
    "(module (memory 1 1) (global (mut i32) (i32.const 0)) (func (param i32 i32) (result i32) unreachable)
       (func (param i64 f64) (result f64) unreachable) (func)
       (func (result i32 i32 i32 i32 i32 i32 i32 i32 i32) unreachable))",
    "(module (type (func (param i32) (result i32))) (func (type 0) unreachable)
       (func (param i64 i64) (result i64 i64) unreachable)
       (func (param v128) (result v128) unreachable) (func (param funcref) (result funcref) unreachable))",
];

/// The fast sweep's verdict on a body against the judge's.
pub fn judge(
    ways: &mut BothWays,
    bodies: &Bodies,
    func: &FuncToValidate<ValidatorResources>,
    bytes: &[u8],
    features: WasmFeatures,
) -> Judged {
    let mut func = again(func);
    func.features = features;
    let fast = ways.fast(&bodies.facts, &func, &body(bytes));
    let mut plain = again(&func);
    let verdict = ways.judge(&bodies.facts, func, &body(bytes));
    if !fast && verdict.is_ok() {
        // Typed references, objects and exceptions are for the judge alone.
        plain.features =
            features.difference(WasmFeatures::GC | WasmFeatures::FUNCTION_REFERENCES | WasmFeatures::EXCEPTIONS);
        if ways.judge(&bodies.facts, plain, &body(bytes)).is_err() {
            return Judged::Left;
        }
    }
    assert_eq!(fast, verdict.is_ok(), "the judge says {verdict:?} of {bytes:02x?}, {features:?}");
    if !fast {
        return Judged::Refused;
    }
    ways.assert_same_survey();
    Judged::Valid
}

/// What both say of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// Both took it for valid.
    Valid,
    /// Neither did.
    Refused,
    /// It is valid, and left to the judge.
    Left,
}

pub(super) fn validate(data: &[u8]) -> Verdict {
    thread_local! {
        static STATE: RefCell<(BothWays, Vec<Bodies>, Vec<WasmFeatures>)> = RefCell::new({
            let parse = |wat: &&str| wat::parse_str(wat).expect("text of ours");
            let bodies = |wat: &&str| Bodies::of(&parse(wat), features()).expect("supported");
            let mut sets = without();
            sets.push(features());
            (BothWays::default(), SURROUNDINGS.iter().map(bodies).collect(), sets)
        });
    }
    let [place, set, func, bytes @ ..] = data else { return Verdict::Void };
    STATE.with_borrow_mut(|(ways, surroundings, sets)| {
        let bodies = &surroundings[usize::from(*place) % surroundings.len()];
        // Half of all inputs have every feature on.
        let set = sets[usize::from(*set).min(sets.len() * 2 - 1).min(sets.len() - 1)];
        let (func, _) = &bodies.funcs[usize::from(*func) % bodies.funcs.len()];
        judge(ways, bodies, func, bytes, set);
    });
    Verdict::Tested
}
