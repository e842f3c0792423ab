//! Calls between components, which adapters begin and end in place: what a thread keeps for itself is its own however
//! the call ends, and whoever asks for the thread meanwhile. All of it beside Wasmtime's own compiler.

use lightbeam::Compiler;
use lightbeam_verify::artifact::Artifact;
use lightbeam_verify::facts::StoreField;
use lightbeam_verify::layout::Description;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Config, Engine, Result, Store, StoreContextMut, UpdateDeadline};

/// What a leaf does between the beginning of the last call and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    /// Nothing that anybody could see.
    Computes,
    /// Calls the host, which makes the threads.
    CallsHost,
    /// Asks the host for what belongs to the thread.
    AsksForThread,
    /// Goes round a loop, where fuel and epochs are looked at.
    Loops,
    Traps,
    /// Is ended by an error of the host's.
    HostFails,
    Throws,
}

const ALL: [Leaf; 7] =
    [Leaf::Computes, Leaf::CallsHost, Leaf::AsksForThread, Leaf::Loops, Leaf::Traps, Leaf::HostFails, Leaf::Throws];

/// Components that call each other `depth` deep, at the end of it a leaf. Each is given slots of zeros, fills them with
/// numbers of its own, and traps if these are not as they were when the call comes back. `main` gives its argument plus
/// the depth and 40.
fn chain(depth: u32, leaf: Leaf) -> String {
    const SLOTS: &str = r#"
        (core func $get0 (canon context.get i32 0)) (core func $set0 (canon context.set i32 0))
        (core func $get1 (canon context.get i32 1)) (core func $set1 (canon context.set i32 1))"#;
    const IMPORTS: &str = r#"
        (import "" "get0" (func $get0 (result i32))) (import "" "set0" (func $set0 (param i32)))
        (import "" "get1" (func $get1 (result i32))) (import "" "set1" (func $set1 (param i32)))"#;
    const GIVEN: &str = r#"
        (export "get0" (func $get0)) (export "set0" (func $set0))
        (export "get1" (func $get1)) (export "set1" (func $set1))"#;
    const FRESH: &str = "(if (i32.or (call $get0) (call $get1)) (then unreachable))";
    let own = |first: &str, second: &str| {
        let set = format!("(call $set0 {first}) (call $set1 {second})");
        let check =
            format!("(if (i32.or (i32.ne (call $get0) {first}) (i32.ne (call $get1) {second})) (then unreachable))");
        (set, check)
    };
    let (set, check) = own("(i32.const 0x1234)", "(i32.xor (local.get 0) (i32.const -1))");
    let does = match leaf {
        Leaf::Computes => "",
        Leaf::CallsHost => "(call $poke (i32.const 0))",
        Leaf::AsksForThread => "(call $inc) (call $dec)",
        Leaf::Loops => {
            "(local.set 1 (i32.const 9))
             (loop (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))"
        }
        Leaf::Traps => "(unreachable)",
        Leaf::HostFails => "(call $poke (i32.const 1))",
        Leaf::Throws => "(throw $tag)",
    };
    let (middle_set, middle_check) = own("(i32.add (local.get 0) (i32.const 7))", "(i32.const -9)");
    let levels: String = (1..=depth)
        .map(|n| {
            let below = n - 1;
            format!(r#"(instance $i{n} (instantiate $middle (with "f" (func $i{below} "f"))))"#)
        })
        .collect();
    format!(
        r#"(component
      (import "poke" (func $poke (param "fails" u32)))
      (component $leaf
        (import "poke" (func $poke (param "fails" u32)))
        (core func $poke (canon lower (func $poke)))
        (core func $inc (canon backpressure.inc)) (core func $dec (canon backpressure.dec)) {SLOTS}
        (core module $m
          (import "" "poke" (func $poke (param i32)))
          (import "" "inc" (func $inc)) (import "" "dec" (func $dec)) {IMPORTS}
          (tag $tag)
          (func (export "f") (param i32) (result i32) (local i32)
            {FRESH} {set} {does} {check}
            (i32.add (local.get 0) (i32.const 40))))
        (core instance $m (instantiate $m (with "" (instance
          (export "poke" (func $poke)) (export "inc" (func $inc)) (export "dec" (func $dec)) {GIVEN}))))
        (func (export "f") (param "x" u32) (result u32) (canon lift (core func $m "f"))))
      (component $middle
        (import "f" (func $f (param "x" u32) (result u32)))
        (core func $f (canon lower (func $f))) {SLOTS}
        (core module $m
          (import "" "f" (func $f (param i32) (result i32))) {IMPORTS}
          (func (export "f") (param i32) (result i32) (local i32)
            {FRESH} {middle_set}
            (local.set 1 (call $f (local.get 0)))
            {middle_check}
            (i32.add (local.get 1) (i32.const 1))))
        (core instance $m (instantiate $m (with "" (instance (export "f" (func $f)) {GIVEN}))))
        (func (export "f") (param "x" u32) (result u32) (canon lift (core func $m "f"))))
      (instance $i0 (instantiate $leaf (with "poke" (func $poke))))
      {levels}
      (export "main" (func $i{depth} "f")))"#
    )
}

/// A component that makes calls in the store of another: whoever asks there for the current thread must find none of
/// frames that are gone.
const OTHER: &str = r#"(component
    (component $a
      (core module $m (func (export "f") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1))))
      (core instance $m (instantiate $m))
      (func (export "f") (param "x" u32) (param "y" u32) (result u32) (canon lift (core func $m "f"))))
    (component $b
      (import "f" (func $f (param "x" u32) (param "y" u32) (result u32)))
      (core func $f (canon lower (func $f)))
      (core module $m
        (import "" "f" (func $f (param i32 i32) (result i32)))
        (func (export "f") (param i32) (result i32) (call $f (local.get 0) (i32.const 3))))
      (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
      (func (export "main") (param "x" u32) (result u32) (canon lift (core func $m "f"))))
    (instance $a (instantiate $a))
    (instance $b (instantiate $b (with "f" (func $a "f"))))
    (export "main" (func $b "main")))"#;

/// What the engine is asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    concurrency: bool,
    fuel: bool,
    epochs: bool,
    exceptions: bool,
}

const PLAIN: Asked = Asked { concurrency: true, fuel: false, epochs: false, exceptions: true };

impl Asked {
    fn config(self) -> Config {
        let mut config = Config::new();
        config.concurrency_support(self.concurrency).consume_fuel(self.fuel).epoch_interruption(self.epochs);
        config.wasm_exceptions(self.exceptions);
        if self.concurrency {
            config.wasm_component_model_async(true).wasm_component_model_threading(true);
        }
        config
    }

    /// Compilers of one engine, each of which makes components of text.
    fn compilers(self) -> (Engine, Compiler) {
        let engine = Engine::new(&self.config()).unwrap();
        let compiler = Compiler::for_engine(&engine).unwrap().verify(true);
        (engine, compiler)
    }
}

/// A store with what components of the chain import, and how often the host was called.
struct Host {
    store: Store<u32>,
    linker: Linker<u32>,
}

impl Host {
    fn new(engine: &Engine, asked: Asked) -> Host {
        let mut store = Store::new(engine, 0);
        if asked.fuel {
            store.set_fuel(1 << 40).unwrap();
            store.fuel_async_yield_interval(Some(1)).unwrap();
        }
        if asked.epochs {
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(|context| {
                context.engine().increment_epoch();
                Ok(UpdateDeadline::Yield(1))
            });
            engine.increment_epoch();
        }
        let mut linker = Linker::new(engine);
        let poke = |mut context: StoreContextMut<'_, u32>, (fails,): (u32,)| {
            *context.data_mut() += 1;
            if fails == 0 { Ok(()) } else { Err(wasmtime::Error::msg("the host fails")) }
        };
        linker.root().func_wrap("poke", poke).unwrap();
        Host { store, linker }
    }

    fn main(&mut self, component: &Component) -> TypedFunc<(u32,), (u32,)> {
        let Host { store, linker } = self;
        let instance = finish(linker.instantiate_async(&mut *store, component)).unwrap();
        instance.get_typed_func(store, "main").unwrap()
    }

    fn call(&mut self, main: TypedFunc<(u32,), (u32,)>, x: u32) -> Result<u32, String> {
        let called = finish(main.call_async(&mut self.store, (x,)));
        called.map(|(result,)| result).map_err(|error| error.root_cause().to_string())
    }
}

/// How often a future is asked at most.
const LONGEST: u32 = 1_000_000;

/// Asks a future so often; gives what it has come to if it has.
fn poll<T>(future: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

fn finish<T>(future: impl Future<Output = T>) -> T {
    poll(future, LONGEST).expect("it comes to an end")
}

/// What comes of a chain: results of calls, perhaps one that traps, and of others in the same store behind it.
fn outcome(engine: &Engine, asked: Asked, component: &Component, other: &Component) -> Vec<Result<u32, String>> {
    let mut host = Host::new(engine, asked);
    let main = host.main(component);
    let mut outcomes: Vec<_> = [7, 0x8000_0000].into_iter().map(|x| host.call(main, x)).collect();
    // A trap is the end of a store's components, but others are instantiated in it.
    let instance = finish(host.linker.instantiate_async(&mut host.store, other));
    outcomes.push(instance.map_err(|error| error.to_string()).and_then(|instance| {
        let main = instance.get_typed_func(&mut host.store, "main").unwrap();
        host.call(main, 10)
    }));
    outcomes.push(Ok(*host.store.data()));
    outcomes
}

fn same_as_cranelift(asked: Asked, depth: u32, leaves: &[Leaf]) {
    let (engine, compiler) = asked.compilers();
    let (other, their_other) = (compiler.component(OTHER).unwrap(), Component::new(&engine, OTHER).unwrap());
    for &leaf in leaves {
        let text = chain(depth, leaf);
        let component = compiler.component(&text).unwrap();
        let own = outcome(&engine, asked, &component, &other);
        let theirs = outcome(&engine, asked, &Component::new(&engine, &text).unwrap(), &their_other);
        assert_eq!(own, theirs, "{leaf:?}, {depth} deep, {asked:?}");
        let succeeds = !matches!(leaf, Leaf::Traps | Leaf::HostFails | Leaf::Throws);
        assert_eq!(own[0].is_ok(), succeeds, "{leaf:?}: {own:?}");
        if succeeds {
            assert_eq!(own[..2], [Ok(47 + depth), Ok(0x8000_0028 + depth)], "{leaf:?}");
        }
        // Nothing of one compiler is what the other counts on.
        assert_eq!(outcome(&engine, asked, &component, &their_other), own, "{leaf:?}");
    }
}

#[test]
fn each_thread_keeps_its_own_however_its_call_ends() {
    for depth in [0, 1, 3] {
        same_as_cranelift(PLAIN, depth, &ALL);
    }
}

#[test]
fn without_exceptions_there_is_no_barrier() {
    let without: Vec<Leaf> = ALL.into_iter().filter(|leaf| *leaf != Leaf::Throws).collect();
    // No leaf has a tag then.
    let asked = Asked { exceptions: false, ..PLAIN };
    let (engine, compiler) = asked.compilers();
    for leaf in without {
        let text = chain(2, leaf).replace("(tag $tag)", "");
        let component = compiler.component(&text).unwrap();
        let own = outcome(&engine, asked, &component, &compiler.component(OTHER).unwrap());
        let theirs = Component::new(&engine, &text).unwrap();
        assert_eq!(own, outcome(&engine, asked, &theirs, &Component::new(&engine, OTHER).unwrap()), "{leaf:?}");
    }
}

#[test]
fn fuel_and_epochs_may_yield_between() {
    let leaves = [Leaf::Computes, Leaf::CallsHost, Leaf::AsksForThread, Leaf::Loops, Leaf::Traps];
    for (fuel, epochs) in [(true, false), (false, true), (true, true)] {
        same_as_cranelift(Asked { fuel, epochs, ..PLAIN }, 2, &leaves);
    }
}

#[test]
fn without_concurrency_adapters_call_the_host() {
    let asked = Asked { concurrency: false, ..PLAIN };
    let (engine, compiler) = asked.compilers();
    let component = compiler.component(OTHER).unwrap();
    let theirs = Component::new(&engine, OTHER).unwrap();
    for component in [&component, &theirs] {
        let mut host = Host::new(&engine, asked);
        let main = host.main(component);
        assert_eq!(host.call(main, 10), Ok(7));
    }
    assert_eq!(touches_of_current_thread(&compiler.precompile_component(OTHER).unwrap()), 0);
}

#[test]
fn calls_nest_deep() {
    // There may be a thousand instances.
    const DEPTH: u32 = 990;
    let (engine, compiler) = PLAIN.compilers();
    let other = compiler.component(OTHER).unwrap();
    for leaf in [Leaf::Computes, Leaf::CallsHost, Leaf::Traps] {
        let component = compiler.component(chain(DEPTH, leaf)).unwrap();
        let outcome = outcome(&engine, PLAIN, &component, &other);
        match leaf {
            Leaf::Traps => assert!(outcome[0].is_err(), "{outcome:?}"),
            _ => assert_eq!(outcome[..3], [Ok(47 + DEPTH), Ok(0x8000_0028 + DEPTH), Ok(7)]),
        }
    }
}

/// A call that is given up in its midst, at each place where it can be, leaves nothing in the store that points to its
/// stack, which is gone.
#[test]
fn calls_that_are_given_up_leave_no_thread_behind() {
    for leaf in [Leaf::Loops, Leaf::CallsHost] {
        let asked = Asked { fuel: true, ..PLAIN };
        let (engine, compiler) = asked.compilers();
        let text = chain(2, leaf);
        let all = [
            (compiler.component(&text).unwrap(), compiler.component(OTHER).unwrap()),
            (Component::new(&engine, &text).unwrap(), Component::new(&engine, OTHER).unwrap()),
        ];
        for times in 1.. {
            let mut ended = [false; 2];
            let mut behind = Vec::new();
            for ((component, other), ended) in all.iter().zip(&mut ended) {
                let mut host = Host::new(&engine, asked);
                let main = host.main(component);
                *ended = poll(main.call_async(&mut host.store, (7,)), times).is_some();
                let again = host.call(main, 8);
                let instance = finish(host.linker.instantiate_async(&mut host.store, other));
                behind.push((again, instance.map(drop).map_err(|error| error.to_string())));
            }
            assert_eq!(ended[0], ended[1], "{leaf:?}, after {times}");
            assert_eq!(behind[0], behind[1], "{leaf:?}, after {times}");
            if ended[0] {
                assert!(times > 3, "the call has yielded {times} times");
                break;
            }
        }
    }
}

/// How many instructions of the functions of an artifact read or write the store's current thread.
fn touches_of_current_thread(artifact: &[u8]) -> usize {
    use iced_x86::{Decoder, DecoderOptions, OpKind, Register};
    let parsed = Artifact::parse(artifact).unwrap();
    let description = Description::parse(&parsed).unwrap();
    let tables = description.tables(&parsed).unwrap();
    // Where it is in the store, the description of any module says.
    let module = Compiler::new(&Config::new()).unwrap().precompile("(module)").unwrap();
    let module = Description::parse(&Artifact::parse(&module).unwrap()).unwrap();
    let store = module.facts(true).unwrap().store;
    let at = store.iter().find(|field| field.kind == StoreField::CurrentThread).unwrap().offset;
    let mut touches = 0;
    for range in &tables.functions {
        let code = &parsed.text[range.start as usize..range.end as usize];
        for instruction in Decoder::with_ip(64, code, u64::from(range.start), DecoderOptions::NONE) {
            let memory = (0..instruction.op_count()).any(|n| instruction.op_kind(n) == OpKind::Memory);
            let based = !matches!(instruction.memory_base(), Register::RBP | Register::RSP | Register::R15);
            touches += usize::from(memory && based && instruction.memory_displacement64() == u64::from(at));
        }
    }
    touches
}

/// The adapter reads the current thread when a call begins and sets it, and at its end compares it and sets it back; it
/// does so in a component that was there as a whole as in one that arrived.
#[test]
fn adapters_begin_and_end_calls_in_place() {
    let compiler = Compiler::new(&PLAIN.config()).unwrap();
    let wasm = wat::parse_str(OTHER).unwrap();
    let whole = compiler.precompile_component(&wasm).unwrap();
    assert_eq!(touches_of_current_thread(&whole), 4);
    let mut stream = compiler.component_stream();
    for chunk in wasm.chunks(7) {
        stream.push(chunk).unwrap();
    }
    assert!(stream.finish_artifact().unwrap() == whole);
}
