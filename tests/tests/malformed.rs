//! Input that is cut off or damaged gives an error or a module, never a panic, whole or in chunks.

use lightbeam::{Compiler, ErrorKind};
use lightbeam_tests::generate::{continuations, control, moves, narrow, traps};
use lightbeam_tests::random::Random;
use lightbeam_tests::{bombs, differential};
use wasmtime::Config;

fn compiler() -> Compiler {
    let mut config = Config::new();
    config.wasm_wide_arithmetic(true).wasm_custom_page_sizes(true).wasm_multi_memory(true).wasm_memory64(true);
    config.wasm_stack_switching(true);
    Compiler::new(&config).unwrap()
}

fn modules() -> Vec<Vec<u8>> {
    let generated = [
        narrow::module(),
        traps::module(),
        control::module(3, 60),
        moves::permuted(5, 20),
        continuations::module(3, 40),
    ];
    let mut modules: Vec<Vec<u8>> = generated.iter().map(|module| module.wasm()).collect();
    modules.extend((100..112).filter_map(|seed| Some(differential::case(seed, true)?.wasm)));
    modules.extend(bombs::bombs().map(|bomb| (bomb.make)(12)));
    modules
}

/// An error that the caller can tell apart: one of Lightbeam's with its kind, not a bare message.
fn is_clear(error: &wasmtime::Error) -> bool {
    error
        .downcast_ref::<lightbeam::Error>()
        .is_some_and(|error| matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported | ErrorKind::TooLarge))
}

#[test]
fn every_prefix_of_a_module_is_an_error() {
    let compiler = compiler();
    for wasm in modules() {
        let step = wasm.len() / 300 + 1;
        for end in (0..wasm.len()).step_by(step) {
            match compiler.precompile(&wasm[..end]) {
                Err(error) => assert!(is_clear(&error), "cut at {end}: {error:?}"),
                // Where the last section ends or begins the module is whole, if what is lacking is not demanded.
                Ok(_) => assert!(wasmtime::Module::validate(compiler.engine(), &wasm[..end]).is_ok(), "cut at {end}"),
            }
        }
    }
}

#[test]
fn a_cut_stream_is_an_error() {
    let compiler = compiler();
    let wasm = narrow::module().wasm();
    for end in (1..wasm.len()).step_by(wasm.len() / 60) {
        let mut stream = compiler.module_stream();
        let pushed = wasm[..end].chunks(97).try_for_each(|chunk| stream.push(chunk).map(drop));
        let result = pushed.and_then(|()| stream.finish_artifact());
        assert!(is_clear(&result.err().unwrap()), "cut at {end}");
    }
}

#[test]
fn damaged_modules_are_refused_exactly_if_they_are_invalid() {
    let compiler = compiler();
    let mut random = Random::new(7);
    let (mut refused, mut accepted) = (0, 0);
    for wasm in modules() {
        if wasm.len() > 100_000 {
            continue;
        }
        for _ in 0..60 {
            let mut damaged = wasm.clone();
            for _ in 0..1 + random.below(3) {
                let at = 8 + random.below(damaged.len() - 8);
                match random.below(4) {
                    0 => damaged[at] ^= 1 << random.below(8),
                    1 => damaged[at] = random.bits() as u8,
                    2 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, random.bits() as u8),
                }
            }
            let valid = wasmtime::Module::validate(compiler.engine(), &damaged);
            match (compiler.precompile(&damaged), valid) {
                (Ok(_), Ok(())) => accepted += 1,
                (Ok(_), Err(error)) => panic!("accepted though {error}"),
                (Err(error), valid) => {
                    assert!(is_clear(&error), "{error:?}");
                    let kind = error.downcast_ref::<lightbeam::Error>().unwrap().kind();
                    assert!(valid.is_err() || kind != ErrorKind::Invalid, "valid, but refused: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 500 && accepted > 50, "{refused} refused, {accepted} accepted");
}

/// Equal bytes give equal artifacts, however they arrive.
#[test]
fn chunks_make_no_difference() {
    let compiler = compiler();
    let mut random = Random::new(1);
    for wasm in modules() {
        let Ok(whole) = compiler.precompile(&wasm) else { continue };
        let mut stream = compiler.module_stream();
        let mut rest = wasm.as_slice();
        while !rest.is_empty() {
            let chunk = (1 + random.below(40)).min(rest.len());
            stream.push(&rest[..chunk]).unwrap();
            rest = &rest[chunk..];
        }
        assert!(stream.finish_artifact().unwrap() == whole);
    }
}
