//! What the host does while it is let in, at the head of a loop, at the entry of a function or in the midst of an
//! operator: it collects, and grows everything, so that nothing is where it was.

use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::generate::{
    Generated, aliases, block_locals, exceptions, fuel, pending_writes, programs, windows,
};
use lightbeam_tests::observe::Rule;
use wasmtime::{Collector, Instance, Memory, MemoryType, Store, UpdateDeadline};

/// How many of something to run: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scaled(n: u64) -> u64 {
    std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).map_or(n, |scale| n * scale)
}

fn setups() -> Vec<Setup> {
    let moving = Setup { reservation: Some(0), epochs: true, meddles: true, ..Setup::default() };
    let counting = Setup { collector: Collector::DeferredReferenceCounting, ..moving };
    vec![
        moving,
        Setup { poison: true, without: Without::ALL, ..moving },
        counting,
        Setup { poison: true, fuel: true, ..counting },
        Setup { reservation: None, ..moving },
        Setup { signals: false, lazy_tables: false, ..counting },
    ]
}

/// Compares both compilers on so many modules, each under one of the settings.
fn compare(count: u64, rule: Rule, module: impl Fn(u64) -> Generated) {
    let pairs: Vec<_> = setups().iter().map(|setup| setup.engine().unwrap()).collect();
    for seed in 0..count {
        let module = module(seed);
        let result = module.check(&pairs[seed as usize % pairs.len()], rule);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}", module.wat()));
    }
}

#[test]
fn programs_go_on_where_everything_has_moved() {
    compare(scaled(12), Rule::AnyNan, |seed| programs::module(seed, 3));
}

#[test]
fn reads_that_wait_and_locals_of_blocks() {
    compare(scaled(12), Rule::AnyNan, |seed| pending_writes::module(seed, 4 + seed as usize % 4 * 6));
    compare(scaled(12), Rule::Exact, |seed| block_locals::module(seed, 1 + seed as usize % 6));
}

#[test]
fn exceptions_and_full_windows() {
    compare(scaled(12), Rule::Exact, |seed| exceptions::module(seed, 30));
    compare(scaled(6), Rule::Exact, windows::module);
    compare(scaled(12), Rule::Exact, |seed| fuel::module(seed, 30));
}

#[test]
fn memories_of_several_names() {
    let pairs: Vec<_> = setups().iter().map(|setup| setup.engine().unwrap()).collect();
    for seed in 0..scaled(12) {
        let module = aliases::module(seed, 30);
        let result = module.check(&pairs[seed as usize % pairs.len()], Rule::Exact);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{}\n{}", module.owner, module.user.wat()));
    }
}

/// Startup lets the host in before it calls the start function, which has to find memory 0 where it is by then: once,
/// so that the function itself does not look for it again.
#[test]
fn the_start_function_finds_a_memory_that_has_moved() {
    let wat = r#"(module
        (import "" "m" (memory 1 1000))
        (func $start (i32.store (i32.const 8) (i32.const 1234)))
        (func (export "get") (result i32) (i32.load (i32.const 8)))
        (start $start))"#;
    for setup in setups() {
        let pair = Setup { fuel: false, ..setup }.engine().unwrap();
        let (cranelift, lightbeam) = pair.both(&wat::parse_str(wat).unwrap()).unwrap();
        for module in [cranelift, lightbeam] {
            let mut store = Store::new(&pair.engine, ());
            let memory = Memory::new(&mut store, MemoryType::new(1, Some(1000))).unwrap();
            store.set_epoch_deadline(0);
            store.epoch_deadline_callback(move |mut store| {
                memory.grow(&mut store, 500)?;
                Ok(UpdateDeadline::Continue(1 << 40))
            });
            let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
            assert_eq!(memory.size(&store), 501, "{setup:?}");
            let get = instance.get_typed_func::<(), i32>(&mut store, "get").unwrap();
            assert_eq!(get.call(&mut store, ()).unwrap(), 1234, "{setup:?}");
        }
    }
}
