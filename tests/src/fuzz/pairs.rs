//! The target of modules of both compilers in one store: whoever compiled which, the same must be seen.

use super::{Verdict, pair};
use crate::backend::{Pair, Setup, Without};
use crate::generate::{aliases, halves, upper_halves};
use crate::observe::Rule;
use crate::random::Random;
use wasmtime::{Linker, Module, Result, Store, Trap, Val};

/// Who compiles the callee and the caller; `true` is Lightbeam. Cranelift does both first.
const SIDES: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

/// What is seen of the calling module with these two compilers: results or traps, and the start of its memory.
fn see(pair: &Pair, sides: (bool, bool), modules: [&[u8]; 2], calls: &[(String, [Val; 3])]) -> Result<Vec<String>> {
    let compile = |lightbeam: bool, wasm: &[u8]| -> Result<Module> {
        if lightbeam { pair.lightbeam(wasm) } else { pair.cranelift(wasm) }
    };
    let mut store = Store::new(&pair.engine, ());
    if pair.setup.fuel {
        store.set_fuel(1 << 24)?;
    }
    if pair.setup.epochs {
        store.set_epoch_deadline(1 << 40);
    }
    let mut linker = Linker::new(&pair.engine);
    let callee = linker.instantiate(&mut store, &compile(sides.0, modules[0])?)?;
    linker.instance(&mut store, "callee", callee)?;
    let caller = linker.instantiate(&mut store, &compile(sides.1, modules[1])?)?;
    let mut seen = Vec::new();
    for (name, args) in calls {
        let func = caller.get_func(&mut store, name).expect("the generator exports it");
        let mut results = [Val::I64(0)];
        seen.push(match func.call(&mut store, args, &mut results) {
            Ok(()) => format!("{name} {args:?}: {:?}", results[0]),
            Err(error) => match error.downcast_ref::<Trap>() {
                Some(trap) => format!("{name} {args:?}: {trap}"),
                None => return Err(error),
            },
        });
    }
    let memory = caller.get_memory(&mut store, "memory").expect("the generator exports it");
    seen.push(format!("{:02x?}", &memory.data(&store)[..512]));
    Ok(seen)
}

pub(super) fn alias(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let plain = Setup::default();
    // Memories that move whenever they grow, with and without guards; and such as stay.
    let moving = Setup { reservation: Some(0), ..plain };
    let setup = *random.pick(&[
        moving,
        plain,
        Setup { guard: Some(0), signals: false, ..moving },
        Setup { epochs: true, poison: true, ..moving },
        Setup { fuel: true, without: Without::ALL, ..moving },
    ]);
    let pair = pair(setup).expect("these settings are supported");
    let size = random.below(60);
    let module = match random.below(3) {
        0 => upper_halves::module(random, 1 + size / 2),
        _ => aliases::module(random, 5 + size),
    };
    let result = module.check(&pair, Rule::Exact);
    result.unwrap_or_else(|error| panic!("{setup:?}: {error:?}\n{}\n{}", module.owner, module.user.wat()));
    Verdict::Tested
}

pub(super) fn mixed(data: &[u8]) -> Verdict {
    let mut random = Random::from_bytes(data);
    let plain = Setup::default();
    let setup = match random.below(4) {
        0 => Setup { signals: false, ..plain },
        1 => Setup { reservation: Some(0), guard: Some(0), fuel: random.one_in(2), ..plain },
        _ => plain,
    };
    let pair = pair(setup).expect("these settings are supported");
    let mut upper = || u64::from(*random.pick(&[0xdead_beefu32, 1, u32::MAX, 0x8000_0000, 0])) << 32;
    let uppers: Vec<u64> = (0..3).map(|_| upper()).collect();
    let modules = halves::modules(random.clone());
    let calls: Vec<(String, [Val; 3])> = (0..modules.funcs)
        .flat_map(|func| (0..3).map(move |round| (func, round)))
        .map(|(func, round)| {
            let arg =
                |i: usize| Val::I64((uppers[(round + i) % 3] | ((func * 19 + round * 7 + i * 11) % 64) as u64) as i64);
            (format!("u{func}"), [arg(0), arg(1), arg(2)])
        })
        .collect();
    let text =
        |wat: &str| wat::parse_str(wat).unwrap_or_else(|error| panic!("the generator writes text: {error}\n{wat}"));
    let (callee, caller) = (text(&modules.callee), text(&modules.caller));
    let mut expected = None;
    for sides in SIDES {
        let seen = see(&pair, sides, [&callee, &caller], &calls);
        let seen = seen.unwrap_or_else(|error| panic!("{sides:?}: {error:?}\n{}\n{}", modules.callee, modules.caller));
        let expected = expected.get_or_insert_with(|| seen.clone());
        if let Some((expected, seen)) = expected.iter().zip(&seen).find(|(expected, seen)| expected != seen) {
            panic!(
                "Lightbeam as (callee, caller) {sides:?}, {setup:?}: expected {expected}, got {seen}\n{}\n{}",
                modules.callee, modules.caller
            );
        }
    }
    Verdict::Tested
}
