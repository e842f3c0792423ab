//! Targets of the verifier: it takes no offence at what the compiler gives, it survives any file, and whatever else it
//! accepts stays in the sandbox.

use super::families::{FAMILIES, Family, family};
use super::{Verdict, pair, shown};
use crate::backend::{Pair, Setup};
use crate::differential::decided;
use crate::generate::Generated;
use crate::random::Random;
use lightbeam::{Compiler, ErrorKind};
use lightbeam_verify::artifact::Artifact;
use std::sync::LazyLock;
use wasmtime::{Engine, Instance, Linker, Module, Result, Store, StoreLimitsBuilder, Val};

pub(super) fn verify(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let setup = if random.one_in(4) { Setup::default() } else { Setup::random(&mut random) };
    let wasm = if random.one_in(2) {
        let Some(case) = decided(&mut random, false, |_| {}) else { return Verdict::Void };
        case.wasm
    } else {
        (random.pick(FAMILIES).make)(random).wasm()
    };
    let Ok(engine) = Engine::new(&setup.config()) else { return Verdict::Void };
    let compiler = setup.lightbeam(&engine).expect("these settings are supported").verify(true).threads(1);
    match compiler.precompile(&wasm) {
        Ok(_) => Verdict::Tested,
        Err(error) => {
            let kind = error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind);
            let refused = matches!(kind, Some(ErrorKind::Unsupported | ErrorKind::TooLarge));
            assert!(refused, "{error:?}\n{setup:?}\n{}", shown(&wasm));
            Verdict::Void
        }
    }
}

/// Modules whose artifacts the target `artifact` begins with: each kind of table, of section and of border.
const MODULES: [&str; 4] = [
    "(module (func (export \"f\") (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0))))",
    "(module (import \"a\" \"f\" (func $f (param i64))) (memory (export \"m\") 1) (data (i32.const 3) \"abc\")
       (table 4 funcref) (elem (i32.const 0) $f $g) (global (mut i32) (i32.const 1))
       (func $g (param i64) (call $f (local.get 0)) (call_indirect (param i64) (local.get 0) (i32.const 0)))
       (func (export \"h\") (param i32) (result i64) (memory.fill (local.get 0) (i32.const 1) (i32.const 100))
         (block (block (block (br_table 0 1 2 (local.get 0))) (drop (memory.grow (i32.const 1)))))
         (i64.load (local.get 0))))",
    "(module (type $s (struct (field (mut i32)) (field (mut anyref)))) (tag $t (param i32))
       (func $throw (param i32) (throw $t (local.get 0)))
       (func (export \"f\") (param i32) (result i32) (local $s (ref null $s))
         (local.set $s (struct.new $s (local.get 0) (ref.null any)))
         (block $h (result i32) (try_table (catch $t $h) (call $throw (i32.const 3))) (i32.const 1))
         (i32.add (struct.get $s 0 (local.get $s)))))",
    "(module (type $f (func (param i32) (result i32))) (type $c (cont $f)) (tag $t (param i32) (result i32))
       (func $g (type $f) (suspend $t (local.get 0))) (elem declare func $g)
       (func (export \"f\") (param i32) (result i32) (local $k (ref null $c))
         (block $h (result i32 (ref $c)) (return (resume $c (on $t $h) (local.get 0) (cont.new $c (ref.func $g)))))
         (local.set $k) (resume $c (local.get $k))))",
];

static PLAIN: LazyLock<Compiler> =
    LazyLock::new(|| Compiler::new(&Setup::default().config()).expect("these settings are supported").threads(1));

/// The artifacts of [`MODULES`], each behind a byte that says of which one it is.
pub(super) fn artifacts() -> Vec<Vec<u8>> {
    let artifact = |wat: &&str| PLAIN.precompile(wat).expect("a module of ours");
    MODULES.iter().enumerate().map(|(i, wat)| [&[i as u8], artifact(wat).as_slice()].concat()).collect()
}

pub(super) fn artifact(data: &[u8]) -> Verdict {
    let [which, bytes @ ..] = data else { return Verdict::Void };
    match PLAIN.verify_artifact(bytes, MODULES[usize::from(*which) % MODULES.len()]) {
        Ok(_) => Verdict::Tested,
        Err(error) => {
            let kind = error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind);
            assert_eq!(kind, Some(ErrorKind::Verification), "another error than that it is not proved: {error:?}");
            if Artifact::parse(bytes).is_ok() { Verdict::Tested } else { Verdict::Void }
        }
    }
}

/// Changes one to three places of the machine code. Says whether anything is different now.
fn mutate(random: &mut Random, artifact: &mut [u8]) -> bool {
    let Ok(parsed) = Artifact::parse(artifact) else { unreachable!("it was just made") };
    let start = parsed.text.as_ptr() as usize - artifact.as_ptr() as usize;
    let length = parsed.text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let before = parsed.text.to_vec();
    for _ in 0..1 + random.below(3) {
        let byte = &mut artifact[start + random.below(length.max(1))];
        *byte = match random.below(4) {
            0 | 1 => *byte ^ 1 << random.below(8),
            2 => byte.wrapping_add(*random.pick(&[1, 8, 16, 0x80, 0xff, 0xf8])),
            _ => random.below(256) as u8,
        };
    }
    artifact[start..start + before.len()] != before[..]
}

/// Generators of modules for mutants. Objects are left out: the verifier does not say that references to them are such,
/// and the host stops where it finds others.
const PLAIN_FAMILIES: [&str; 5] = ["control", "pressure", "block_locals", "permuted", "rotations"];

pub(super) fn verify_mutant(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let Family { make, .. } = family(*random.pick(&PLAIN_FAMILIES));
    let plain = Setup::default();
    let setup = match random.below(3) {
        0 => Setup { reservation: Some(0), guard: Some(0), ..plain },
        1 => Setup { signals: false, ..plain },
        _ => plain,
    };
    // The module's own decisions come first, so that changes of the mutations leave it as it is.
    let split = data.len() / 2;
    let mut mutations = Random::from_bytes(&data[split..]);
    let module = make(Random::from_bytes(&data[..split]));
    let wasm = module.wasm();
    let pair = pair(setup).expect("these settings are supported");
    let artifact = pair.lightbeam.precompile(&wasm).unwrap_or_else(|error| panic!("{error:?}\n{}", shown(&wasm)));
    let mut verdict = Verdict::Void;
    // Where the verifier takes offence at what is right, which is for the target `verify` to say, it accepts no mutant.
    if pair.lightbeam.verify_artifact(&artifact, &wasm).is_err() {
        return verdict;
    }
    for _ in 0..8 {
        let mut mutant = artifact.clone();
        if !mutate(&mut mutations, &mut mutant) {
            continue;
        }
        verdict = Verdict::Tested;
        if pair.lightbeam.verify_artifact(&mutant, &wasm).is_ok() {
            let end = in_a_child(|| stays_inside(&pair, &mutant, &module));
            assert!(
                end.is_inside(),
                "accepted, and {end}: {}\nmutant: {}",
                shown(&wasm),
                differences(&artifact, &mutant)
            );
        }
    }
    verdict
}

fn differences(a: &[u8], b: &[u8]) -> String {
    let pairs = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b);
    pairs.map(|(at, (a, b))| format!("file offset {at:#x}: {a:02x} is now {b:02x}; ")).collect()
}

/// What nobody but itself may change.
const CANARY: &str = "(module (memory (export \"m\") 2 4) (memory 1) (global $a (mut i64) (i64.const 0x5ca1ab1e))
  (global $b (mut funcref) (ref.null func)) (table 8 funcref) (elem (i32.const 2) $f $f)
  (func $f (result i32) (i32.const 77))
  (func (export \"fill\") (memory.fill (i32.const 0) (i32.const 0xa5) (i32.const 131072))
    (memory.fill 1 (i32.const 0) (i32.const 0x5a) (i32.const 65536)))
  (func (export \"check\") (result i64) (local $at i32) (local $sum i64)
    (loop
      (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (i64.load (local.get $at))))
      (local.set $sum (i64.add (local.get $sum) (i64.load 1 (i32.and (local.get $at) (i32.const 0xfff8)))))
      (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 131072))))
    (i64.add (i64.add (local.get $sum) (global.get $a)) (i64.add
      (i64.extend_i32_u (i32.add (table.size) (ref.is_null (global.get $b))))
      (i64.extend_i32_u (call_indirect (result i32) (i32.const 3)))))))";

/// Runs a mutant's functions beside a canary, and says whether the canary lives.
fn stays_inside(pair: &Pair, mutant: &[u8], module: &Generated) -> Result<bool> {
    let limits = StoreLimitsBuilder::new().memory_size(32 << 20).table_elements(200_000).build();
    let mut store = Store::new(&pair.engine, limits);
    store.limiter(|limits| limits);
    let heap = vec![0x5a_u8; 1 << 18];
    let canary = Instance::new(&mut store, &Module::new(&pair.engine, CANARY)?, &[])?;
    canary.get_typed_func::<(), ()>(&mut store, "fill")?.call(&mut store, ())?;
    let check = canary.get_typed_func::<(), i64>(&mut store, "check")?;
    let before = check.call(&mut store, ())?;
    // SAFETY: none but that the verifier accepts it, which is what is put to the test, in a process of its own.
    let mutant = unsafe { Module::deserialize(&pair.engine, mutant)? };
    let mut linker = Linker::new(&pair.engine);
    linker.define_unknown_imports_as_default_values(&mut store, &mutant)?;
    if let Ok(instance) = linker.instantiate(&mut store, &mutant) {
        for calls in &module.calls {
            let Some(func) = instance.get_func(&mut store, &calls.func) else { continue };
            let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
            for args in &calls.args {
                let args: Vec<Val> = args.iter().map(|value| value.to_val()).collect();
                // Whatever it gives, or if it traps, is its own business.
                let _ = func.call(&mut store, &args, &mut results);
            }
        }
    }
    let after = check.call(&mut store, ())?;
    Ok(after == before && heap.iter().all(|byte| *byte == 0x5a))
}

/// How the process ended in which something ran.
#[derive(Debug)]
enum End {
    /// All is as it was.
    Alive,
    /// It did not end in time: changed code may go on for ever.
    Endless,
    /// The canary is dead, or could not be asked.
    Changed,
    /// A signal that nobody expected ended the process.
    Signal(i32),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Alive => write!(f, "all is as it was"),
            End::Endless => write!(f, "it does not end"),
            End::Changed => write!(f, "the canary is dead"),
            End::Signal(signal) => write!(f, "it ends by signal {signal}"),
        }
    }
}

impl End {
    fn is_inside(&self) -> bool {
        matches!(self, End::Alive | End::Endless)
    }
}

/// Does the work in a process of its own, which has two seconds.
fn in_a_child(work: impl FnOnce() -> Result<bool>) -> End {
    // SAFETY: the child does not return, and needs no lock but the allocator's, which is handed over.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "another process can be started");
    if child == 0 {
        // SAFETY: plain calls of the system.
        unsafe {
            // Wasmtime's handlers of faults stay: they pass on what is no trap.
            libc::signal(libc::SIGABRT, libc::SIG_DFL);
            libc::signal(libc::SIGALRM, libc::SIG_DFL);
            libc::alarm(2);
        }
        let alive = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let code = i32::from(!matches!(alive, Ok(Ok(true))));
        // SAFETY: ends the process, and nothing of the parent's is flushed twice.
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    // A fuzzer's own alarm interrupts the wait.
    // SAFETY: waits for the child just made.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } != child {
        let error = std::io::Error::last_os_error();
        assert_eq!(error.kind(), std::io::ErrorKind::Interrupted, "the child can be waited for: {error}");
    }
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        return if signal == libc::SIGALRM { End::Endless } else { End::Signal(signal) };
    }
    match libc::WEXITSTATUS(status) {
        0 => End::Alive,
        1 => End::Changed,
        // A handler of the parent's reported a signal and left.
        code => End::Signal(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_sandbox_is_noticed() {
        assert!(matches!(in_a_child(|| Ok(true)), End::Alive));
        assert!(!in_a_child(|| Ok(false)).is_inside());
        // SAFETY: only the child dies of it.
        let end = in_a_child(|| unsafe { libc::abort() });
        assert!(matches!(end, End::Signal(libc::SIGABRT)), "{end:?}");
    }
}
