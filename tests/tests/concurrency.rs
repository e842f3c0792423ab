//! Several at once: threads that run on one shared memory while another grows it, and calls of asynchronous hosts that
//! are suspended, interleaved, and dropped. What is asserted holds however they are scheduled.

use lightbeam_tests::backend::{Pair, Setup, Without};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use wasmtime::{
    AsContextMut, CallHook, Caller, Collector, Engine, ExternRef, Instance, Linker, MemoryType, Module, Result, Rooted,
    SharedMemory, Store, Trap, TypedFunc,
};

// ---- threads

/// Every thread has eight bytes of each 64: what it writes there nobody else does, wherever it reaches. At 0 all count.
///
/// `work` gives how often something was not as it should be. It goes up to the end of the memory as it is at the time,
/// with plain and atomic accesses, and fills and copies ranges of its own page; `beyond` accesses what no memory has;
/// `grow` grows until it is refused and gives a number for each page that was its own, so that none is given twice.
const THREADS: &str = r#"(module
  (import "" "m" (memory 2 40 shared))
  (memory $own 1 2)
  (func $cell (param $random i32) (param $lane i32) (result i32)
    ;; Somewhere in the memory, which has at least this size; but not at the counters.
    (i32.add
      (i32.add (i32.const 64) (i32.shl (local.get $lane) (i32.const 3)))
      (i32.and
        (i32.rem_u (local.get $random) (i32.sub (i32.mul (memory.size 0) (i32.const 65536)) (i32.const 128)))
        (i32.const -64))))
  (func (export "work") (param $lane i32) (param $rounds i32) (result i32)
    (local $random i32) (local $at i32) (local $wrong i32) (local $size i32) (local $value i64)
    (local.set $random (i32.mul (i32.add (local.get $lane) (i32.const 7)) (i32.const 0x9e3779b1)))
    (loop $next
      (local.set $random (i32.add (i32.mul (local.get $random) (i32.const 1664525)) (i32.const 1013904223)))
      (local.set $at (call $cell (i32.shr_u (local.get $random) (i32.const 3)) (local.get $lane)))
      (local.set $value (i64.extend_i32_u (local.get $random)))
      ;; The size does not shrink.
      (local.set $wrong (i32.add (local.get $wrong) (i32.gt_u (local.get $size) (memory.size 0))))
      (local.set $size (memory.size 0))
      (i64.store (local.get $at) (local.get $value))
      (local.set $wrong (i32.add (local.get $wrong) (i64.ne (i64.load (local.get $at)) (local.get $value))))
      (drop (i64.atomic.rmw.add (local.get $at) (i64.const 3)))
      (local.set $wrong (i32.add (local.get $wrong)
        (i64.ne (i64.atomic.load (local.get $at)) (i64.add (local.get $value) (i64.const 3)))))
      ;; By way of the memory that is this instance's own, in the last cells that there are.
      (memory.fill $own (i32.const 100) (local.get $random) (i32.const 8))
      (memory.copy 0 $own (local.get $at) (i32.const 100) (i32.const 8))
      (memory.copy $own 0 (i32.const 200) (local.get $at) (i32.const 8))
      (local.set $wrong (i32.add (local.get $wrong)
        (i64.ne (i64.load $own (i32.const 200)) (i64.load $own (i32.const 100)))))
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (br_if $next (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $wrong))
  (func (export "count") (result i32) (i32.atomic.load (i32.const 0)))
  (func (export "read beyond") (result i32) (i32.load (i32.const 2621440)))
  (func (export "write across") (i64.store (i32.const 2621433) (i64.const 1)))
  (func (export "fill across") (memory.fill 0 (i32.const 2621430) (i32.const 1) (i32.const 20)))
  (func (export "copy across") (memory.copy 0 0 (i32.const 64) (i32.const 2621430) (i32.const 20)))
  (func (export "grow") (param $mask i64) (result i64)
    (local $before i32)
    (block $full
      (loop $next
        (local.set $before (memory.grow 0 (i32.const 1)))
        (br_if $full (i32.eq (local.get $before) (i32.const -1)))
        (local.set $mask (i64.or (local.get $mask) (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $before)))))
        ;; The page is there at once, and empty.
        (if (i64.ne (i64.load offset=65528 (i32.shl (local.get $before) (i32.const 16))) (i64.const 0))
          (then unreachable))
        (drop (memory.grow $own (i32.const 1)))
        (br $next)))
    (local.get $mask)))"#;

const ROUNDS: i32 = 3000;

fn shared(engine: &Engine) -> SharedMemory {
    SharedMemory::new(engine, MemoryType::shared(2, 40)).unwrap()
}

fn start(engine: &Engine, module: &Module, memory: &SharedMemory) -> (Store<()>, Instance) {
    let mut store = Store::new(engine, ());
    if engine.get_epoch_interruption() {
        store.set_epoch_deadline(1 << 40);
    }
    if engine.get_consume_fuel() {
        store.set_fuel(1 << 40).unwrap();
    }
    let instance = Instance::new(&mut store, module, &[memory.clone().into()]).unwrap();
    (store, instance)
}

#[test]
fn threads_share_a_memory_that_another_grows() {
    let plain = Setup::default();
    let setups = [
        plain,
        Setup { without: Without::ALL, ..plain },
        // Bounds are compared with the length, which changes.
        Setup { reservation: Some(4 << 20), guard: Some(0), ..plain },
        Setup { reservation: Some(4 << 20), guard: Some(0), spectre: false, ..plain },
        Setup { signals: false, fuel: true, epochs: true, without: Without::ALL, ..plain },
    ];
    for setup in setups {
        let pair = setup.engine().unwrap();
        let module = pair.lightbeam.clone().verify(true).module(wat::parse_str(THREADS).unwrap()).unwrap();
        let memory = shared(&pair.engine);
        let workers = 3;
        std::thread::scope(|scope| {
            let (pair, module, memory) = (&pair, &module, &memory);
            let work: Vec<_> = (0..workers)
                .map(|lane| {
                    scope.spawn(move || {
                        let (mut store, instance) = start(&pair.engine, module, memory);
                        let work = instance.get_typed_func::<(i32, i32), i32>(&mut store, "work").unwrap();
                        let wrong = work.call(&mut store, (lane, ROUNDS)).unwrap();
                        for export in ["write across", "fill across", "copy across"] {
                            let beyond = instance.get_typed_func::<(), ()>(&mut store, export).unwrap();
                            let error = beyond.call(&mut store, ()).unwrap_err();
                            assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds), "{export}: {error:?}");
                        }
                        let beyond = instance.get_typed_func::<(), i32>(&mut store, "read beyond").unwrap();
                        let error = beyond.call(&mut store, ()).unwrap_err();
                        assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds), "{error:?}");
                        wrong
                    })
                })
                .collect();
            let grow: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(move || {
                        let (mut store, instance) = start(&pair.engine, module, memory);
                        let grow = instance.get_typed_func::<i64, i64>(&mut store, "grow").unwrap();
                        grow.call(&mut store, 0).unwrap()
                    })
                })
                .collect();
            let pages: Vec<i64> = grow.into_iter().map(|thread| thread.join().unwrap()).collect();
            assert_eq!(pages[0] & pages[1], 0, "a page was given twice: {setup:?}");
            assert_eq!(pages[0] | pages[1], (1 << 40) - 4, "all but the first two were given: {setup:?}");
            for thread in work {
                assert_eq!(thread.join().unwrap(), 0, "{setup:?}");
            }
        });
        assert_eq!(memory.size(), 40);
        let (mut store, instance) = start(&pair.engine, &module, &memory);
        let count = instance.get_typed_func::<(), i32>(&mut store, "count").unwrap().call(&mut store, ()).unwrap();
        assert_eq!(count, workers * ROUNDS, "{setup:?}");
    }
}

/// Whoever waits is woken by another thread, and the memory may have grown meanwhile.
#[test]
fn threads_wait_for_each_other() {
    const WAIT: &str = r#"(module
      (import "" "m" (memory 2 40 shared))
      (func (export "wait") (result i32)
        (local $page i32)
        (i32.atomic.store (i32.const 8) (i32.const 1))
        (loop $again
          (drop (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const 1000000)))
          (br_if $again (i32.eqz (i32.atomic.load (i32.const 16)))))
        ;; What the other has written to a page that was not there.
        (local.set $page (i32.atomic.load (i32.const 16)))
        (i32.load (i32.shl (local.get $page) (i32.const 16))))
      (func (export "wake") (result i32)
        (local $page i32)
        (loop $again (br_if $again (i32.eqz (i32.atomic.load (i32.const 8)))))
        (local.set $page (memory.grow (i32.const 5)))
        (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 0x600d))
        (i32.atomic.store (i32.const 16) (local.get $page))
        (memory.atomic.notify (i32.const 16) (i32.const 10))))"#;
    // Nobody waits for long: whoever was not there when it was woken looks again.
    for setup in [Setup::default(), Setup { signals: false, guard: Some(0), ..Setup::default() }] {
        let pair = setup.engine().unwrap();
        let module = pair.lightbeam.clone().verify(true).module(wat::parse_str(WAIT).unwrap()).unwrap();
        let memory = shared(&pair.engine);
        std::thread::scope(|scope| {
            let call = |export: &'static str| {
                let (pair, module, memory) = (&pair, &module, &memory);
                scope.spawn(move || {
                    let (mut store, instance) = start(&pair.engine, module, memory);
                    instance.get_typed_func::<(), i32>(&mut store, export).unwrap().call(&mut store, ()).unwrap()
                })
            };
            let (waits, wakes) = (call("wait"), call("wake"));
            assert!(wakes.join().unwrap() <= 1);
            assert_eq!(waits.join().unwrap(), 0x600d, "{setup:?}");
        });
    }
}

// ---- asynchronous hosts

/// Is not ready the first time.
async fn pause() {
    let mut first = true;
    std::future::poll_fn(move |_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// Polls so often at most.
fn poll<T>(future: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}

/// Goes `n` deep, each frame with values in registers and in the frame, an object and a reference of the host's; at the
/// bottom the host is called, which waits. There are handlers all the way, which must see nothing of a call that is
/// dropped.
const DEEP: &str = r#"(module
  (import "" "wait" (func $wait (param i32 externref) (result i32)))
  (type $box (struct (field (mut i32))))
  (tag $t (param i32))
  (global $inside (export "inside") (mut i32) (i32.const 0))
  (global $caught (export "caught") (mut i32) (i32.const 0))
  (table $objects 8 (ref null $box))
  (memory 1)
  (func $deep (export "deep") (param $n i32) (param $host externref) (result i32)
    (local $box (ref null $box)) (local $a i64) (local $f f64) (local $result i32)
    (local.set $box (struct.new $box (local.get $n)))
    (local.set $a (i64.extend_i32_u (local.get $n)))
    (local.set $f (f64.convert_i32_u (local.get $n)))
    (table.set $objects (i32.and (local.get $n) (i32.const 7)) (local.get $box))
    (global.set $inside (i32.add (global.get $inside) (i32.const 1)))
    (block $all
      (block $tag (result i32)
        (try_table (catch $t $tag) (catch_all $all)
          (local.set $result
            (if (result i32) (local.get $n)
              (then (call $deep (i32.sub (local.get $n) (i32.const 1)) (local.get $host)))
              (else (return_call $bottom (local.get $host))))))
        (global.set $inside (i32.sub (global.get $inside) (i32.const 1)))
        (if (i32.ne (struct.get $box 0 (local.get $box)) (local.get $n)) (then unreachable))
        (if (i64.ne (local.get $a) (i64.extend_i32_u (local.get $n))) (then unreachable))
        (if (f64.ne (local.get $f) (f64.convert_i32_u (local.get $n))) (then unreachable))
        (return (i32.add (local.get $result) (local.get $n))))
      (drop))
    (global.set $caught (i32.add (global.get $caught) (i32.const 1)))
    (i32.const -1))
  (func $bottom (param $host externref) (result i32)
    (global.set $inside (i32.sub (global.get $inside) (i32.const 1)))
    (drop (struct.new $box (i32.const 5)))
    (call $wait (i32.load (i32.const 0)) (local.get $host))))"#;

fn sum(n: i32) -> i32 {
    n * (n + 1) / 2
}

fn linker(engine: &Engine) -> Linker<AtomicU32> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap_async(
            "",
            "wait",
            |mut caller: Caller<'_, AtomicU32>, (n, host): (i32, Option<Rooted<ExternRef>>)| {
                Box::new(async move {
                    pause().await;
                    // Objects move, and what the host has is still what it was.
                    caller.as_context_mut().gc_async(None).await?;
                    let host = host.expect("a reference of the host's");
                    let data = *host.data(&caller)?.expect("it has data").downcast_ref::<i32>().expect("a number");
                    Ok::<i32, wasmtime::Error>(n + data)
                })
            },
        )
        .unwrap();
    linker
}

fn asynchronous() -> [Setup; 5] {
    let plain = Setup::default();
    [
        plain,
        Setup { collector: Collector::DeferredReferenceCounting, ..plain },
        Setup { poison: true, without: Without::ALL, ..plain },
        Setup { signals: false, ..plain },
        Setup { reservation: Some(0), guard: Some(0), fuel: true, epochs: true, ..plain },
    ]
}

fn module(pair: &Pair, wat: &str) -> Module {
    let proves = !pair.setup.poison;
    pair.lightbeam.clone().verify(proves).module(wat::parse_str(wat).unwrap()).unwrap()
}

fn store(pair: &Pair) -> Store<AtomicU32> {
    let mut store = Store::new(&pair.engine, AtomicU32::new(0));
    if pair.setup.fuel {
        store.set_fuel(1 << 40).unwrap();
    }
    if pair.setup.epochs {
        store.set_epoch_deadline(1 << 40);
    }
    store
}

type Deep = TypedFunc<(i32, Option<Rooted<ExternRef>>), i32>;

async fn call(store: &mut Store<AtomicU32>, deep: &Deep, n: i32) -> Result<i32> {
    let host = ExternRef::new(&mut *store, 1000 + n)?;
    deep.call_async(&mut *store, (n, Some(host))).await
}

#[test]
fn calls_that_are_suspended_are_dropped() {
    for setup in asynchronous() {
        let pair = setup.engine().unwrap();
        let module = module(&pair, DEEP);
        let linker = linker(&pair.engine);
        let mut store = store(&pair);
        // Into the host and out of it again: as often.
        store.call_hook(|store, hook| {
            let depth = store.data();
            match hook {
                CallHook::CallingWasm | CallHook::CallingHost => depth.fetch_add(1, Ordering::Relaxed),
                CallHook::ReturningFromWasm | CallHook::ReturningFromHost => depth.fetch_sub(1, Ordering::Relaxed),
            };
            Ok(())
        });
        let instance = poll(linker.instantiate_async(&mut store, &module), 100).unwrap().unwrap();
        let deep: Deep = instance.get_typed_func(&mut store, "deep").unwrap();
        let global = |store: &mut Store<AtomicU32>, name| {
            instance.get_global(&mut *store, name).unwrap().get(store).unwrap_i32()
        };
        for n in 0..200 {
            let depth = n % 40;
            let before = global(&mut store, "inside");
            // Suspended in the host, and dropped there.
            assert!(poll(call(&mut store, &deep, depth), 1).is_none(), "{setup:?}");
            assert_eq!(global(&mut store, "inside"), before + depth, "frames that are gone without notice: {setup:?}");
            assert_eq!(global(&mut store, "caught"), 0, "{setup:?}");
            // The store is as good as before.
            let result = poll(call(&mut store, &deep, depth), 100).unwrap().unwrap();
            assert_eq!(result, 1000 + depth + sum(depth), "{setup:?}");
            assert_eq!(global(&mut store, "inside"), before + depth, "{setup:?}");
        }
        assert_eq!(global(&mut store, "caught"), 0, "{setup:?}");
        assert_eq!(store.data().load(Ordering::Relaxed), 0, "{setup:?}");
        // And so is one that is dropped with all that it has, in the middle of a call.
        assert!(poll(async move { call(&mut store, &deep, 30).await }, 1).is_none());
    }
}

#[test]
fn suspended_calls_of_several_stores_take_turns() {
    for setup in asynchronous() {
        let pair = setup.engine().unwrap();
        let module = module(&pair, DEEP);
        let linker = linker(&pair.engine);
        let mut futures: Vec<_> = (0..12)
            .map(|n| {
                let (pair, module, linker) = (&pair, &module, &linker);
                Box::pin(async move {
                    let mut store = store(pair);
                    let instance = linker.instantiate_async(&mut store, module).await.unwrap();
                    let deep: Deep = instance.get_typed_func(&mut store, "deep").unwrap();
                    let mut results = Vec::new();
                    for round in 0..5 {
                        results.push(call(&mut store, &deep, n * 3 + round).await.unwrap());
                    }
                    (n, results)
                })
            })
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        let mut done = 0;
        while done < futures.len() {
            // From either end, so that neither is a stack.
            for at in (done..futures.len()).rev() {
                if let Poll::Ready((n, results)) = futures[at].as_mut().poll(&mut context) {
                    let expected: Vec<i32> = (n * 3..n * 3 + 5).map(|depth| 1000 + depth + sum(depth)).collect();
                    assert_eq!(results, expected, "{setup:?}");
                    futures.swap(at, done);
                    done += 1;
                    break;
                }
            }
        }
    }
}

/// A loop, calls, objects and exceptions, interrupted wherever code looks at fuel or at the epoch, come to the same.
#[test]
fn calls_yield_wherever_fuel_or_an_epoch_ends() {
    const WORK: &str = r#"(module
      (type $box (struct (field (mut i64))))
      (tag $t (param i64))
      (memory 1)
      (func $step (param $n i32) (param $box (ref $box)) (result i64)
        (if (i32.eqz (i32.rem_u (local.get $n) (i32.const 7)))
          (then (throw $t (struct.get $box 0 (local.get $box)))))
        (i64.add (struct.get $box 0 (local.get $box)) (i64.extend_i32_u (local.get $n))))
      (func (export "work") (param $n i32) (result i64)
        (local $sum i64) (local $box (ref null $box)) (local $f f64)
        (loop $next
          (local.set $box (struct.new $box (i64.add (local.get $sum) (i64.const 3))))
          (local.set $f (f64.add (local.get $f) (f64.const 0.25)))
          (local.set $sum
            (i64.add (local.get $sum)
              (block $caught (result i64)
                (try_table (result i64) (catch $t $caught)
                  (call $step (local.get $n) (ref.as_non_null (local.get $box)))))))
          (i64.store (i32.and (local.get $n) (i32.const 0xfff8)) (local.get $sum))
          (local.set $sum (i64.rotl (local.get $sum) (i64.const 1)))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i64.xor (local.get $sum) (i64.trunc_f64_s (local.get $f)))))"#;
    let plain = Setup::default();
    let setups = [
        Setup { fuel: true, ..plain },
        Setup { epochs: true, ..plain },
        Setup { epochs: true, fuel: true, poison: true, without: Without::ALL, ..plain },
        Setup { epochs: true, reservation: Some(0), guard: Some(0), ..plain },
        Setup { epochs: true, signals: false, collector: Collector::DeferredReferenceCounting, ..plain },
    ];
    for setup in setups {
        let pair = setup.engine().unwrap();
        let module = module(&pair, WORK);
        let start = || {
            let mut store = store(&pair);
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let work = instance.get_typed_func::<i32, i64>(&mut store, "work").unwrap();
            (store, work)
        };
        let (mut undisturbed, work) = start();
        let expected = work.call(&mut undisturbed, 300).unwrap();
        let (mut store, work) = start();
        if setup.fuel {
            store.fuel_async_yield_interval(Some(50)).unwrap();
        }
        if setup.epochs {
            store.set_epoch_deadline(0);
            store.epoch_deadline_async_yield_and_update(0);
        }
        let mut turns = 0u32;
        let mut context = Context::from_waker(Waker::noop());
        for drops in [0, 1, 2, 17, 100] {
            let mut future = pin!(work.call_async(&mut store, 300));
            // Dropped where it yields for so many a time, then begun again.
            for _ in 0..drops {
                assert!(future.as_mut().poll(&mut context).is_pending(), "{setup:?}");
            }
        }
        let mut future = pin!(work.call_async(&mut store, 300));
        let result = loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(result) => break result.unwrap(),
                Poll::Pending => turns += 1,
            }
        };
        assert_eq!(result, expected, "{setup:?}");
        assert!(turns >= 100, "{turns} turns: {setup:?}");
    }
}
