//! Modules that run on several threads at once, on one shared memory: counters without and with a lock, waiting and
//! waking, and a module as compilers of C make them for POSIX threads, which imports its memory.

use lightbeam::Compiler;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use wasmtime::{Config, Engine, Instance, Linker, MemoryType, Module, SharedMemory, Store, Trap, TypedFunc};

const THREADS: u32 = 2;

/// Engines with guards and without, and without faults.
fn compilers() -> Vec<Compiler> {
    let mut configs = [Config::new(), Config::new(), Config::new()];
    configs[1].memory_guard_size(0).memory_reservation(1 << 20);
    configs[2].signals_based_traps(false).epoch_interruption(true);
    configs.iter_mut().map(|config| Compiler::new(config.shared_memory(true).wasm_memory64(true)).unwrap()).collect()
}

fn store(engine: &Engine) -> Store<()> {
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(1 << 40);
    store
}

/// Runs an exported function on every thread, in an instance of its own, at the same time.
fn on_every_thread(module: &Module, memory: &SharedMemory, function: &str, times: u32) {
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut store = store(module.engine());
                let instance = Instance::new(&mut store, module, &[memory.clone().into()]).unwrap();
                let run: TypedFunc<(u32, u32), ()> = instance.get_typed_func(&mut store, function).unwrap();
                barrier.wait();
                run.call(&mut store, (thread, times)).unwrap();
            });
        }
    });
}

fn word(memory: &SharedMemory, at: usize) -> u32 {
    // SAFETY: `at` is aligned and in bounds, and everybody who accesses these bytes meanwhile does so atomically.
    unsafe { AtomicU32::from_ptr(memory.data()[at..at + 4].as_ptr() as *mut u32) }.load(Ordering::SeqCst)
}

fn long(memory: &SharedMemory, at: usize) -> u64 {
    // SAFETY: as above.
    unsafe { AtomicU64::from_ptr(memory.data()[at..at + 8].as_ptr() as *mut u64) }.load(Ordering::SeqCst)
}

/// Every kind of update, in all widths, the result used or not, with neighbours that must not be touched.
const COUNTERS: &str = r#"(module
  (memory (import "" "memory") 1 2 shared)
  (func (export "count") (param $thread i32) (param $times i32)
    (local $bit i32)
    (local.set $bit (i32.shl (i32.const 1) (local.get $thread)))
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (drop (i64.atomic.rmw.sub (i32.const 8) (i64.const 1)))
      (drop (i32.atomic.rmw16.add_u (i32.const 16) (i32.const 1)))
      (drop (i32.atomic.rmw16.add_u (i32.const 18) (i32.const 3)))
      (drop (i32.atomic.rmw8.sub_u (i32.const 20) (i32.const 1)))
      ;; The old value is used: the sum of all that are seen is that of 0 to the last.
      (drop (i64.atomic.rmw.add (i32.const 32) (i64.extend_i32_u (i32.atomic.rmw.add (i32.const 24) (i32.const 1)))))
      ;; Each thread sets a bit of its own that is clear, and clears it again; xor twice leaves no trace.
      (if (i32.and (i32.atomic.rmw.or (i32.const 40) (local.get $bit)) (local.get $bit)) (then unreachable))
      (if (i32.eqz (i32.and (i32.atomic.rmw8.and_u (i32.const 40) (i32.xor (local.get $bit) (i32.const 255)))
          (local.get $bit))) (then unreachable))
      (drop (i64.atomic.rmw.xor (i32.const 48) (i64.const -1)))
      ;; What the other thread does in between is all or nothing.
      (if (i64.gt_u (i64.add (i64.atomic.rmw.xor (i32.const 48) (i64.const -1)) (i64.const 1)) (i64.const 1))
        (then unreachable))
      ;; A loop around compare and exchange.
      (loop $retry (result i32)
        (i32.atomic.load (i32.const 64))
        (local.set $bit)
        (br_if $retry (i32.ne (local.get $bit)
          (i32.atomic.rmw.cmpxchg (i32.const 64) (local.get $bit) (i32.add (local.get $bit) (i32.const 7)))))
        (i32.const 0))
      (drop)
      (local.set $bit (i32.shl (i32.const 1) (local.get $thread)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))"#;

#[test]
fn no_update_is_lost() {
    const TIMES: u32 = 100_000;
    for compiler in compilers() {
        let memory = SharedMemory::new(compiler.engine(), MemoryType::shared(1, 2)).unwrap();
        let module = compiler.module(COUNTERS).unwrap();
        on_every_thread(&module, &memory, "count", TIMES);
        let all = THREADS * TIMES;
        assert_eq!(word(&memory, 0), all);
        assert_eq!(long(&memory, 8), 0u64.wrapping_sub(all.into()));
        assert_eq!(word(&memory, 16), (all & 0xffff) | (3 * all) << 16);
        assert_eq!(word(&memory, 20), u32::from(0u8.wrapping_sub(all as u8)));
        assert_eq!(word(&memory, 24), all);
        assert_eq!(long(&memory, 32), u64::from(all) * u64::from(all - 1) / 2);
        assert_eq!(word(&memory, 40), 0);
        assert_eq!(long(&memory, 48), 0);
        assert_eq!(word(&memory, 64), 7 * all);
    }
}

/// The textbook's mutex of three states, and a counter that is not atomic under it.
const MUTEX: &str = r#"(module
  (memory (import "" "memory") 1 2 shared)
  (func $lock (local $state i32)
    (if (local.tee $state (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1)))
      (then
        (if (i32.ne (local.get $state) (i32.const 2))
          (then (local.set $state (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))))
        (block $locked
          (loop $wait
            (br_if $locked (i32.eqz (local.get $state)))
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 2) (i64.const -1)))
            (local.set $state (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))
            (br $wait))))))
  (func $unlock
    (if (i32.ne (i32.atomic.rmw.sub (i32.const 0) (i32.const 1)) (i32.const 1))
      (then
        (i32.atomic.store (i32.const 0) (i32.const 0))
        (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))))
  (func (export "count") (param $thread i32) (param $times i32)
    (loop $again
      (call $lock)
      (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
      (memory.copy (i32.const 100) (i32.const 8) (i32.const 8))
      (if (i64.ne (i64.load (i32.const 100)) (i64.load (i32.const 8))) (then unreachable))
      (call $unlock)
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  ;; Two threads in turns: each waits until it is its turn.
  (func (export "turns") (param $thread i32) (param $times i32) (local $turn i32)
    (loop $again
      (block $mine
        (loop $wait
          (br_if $mine (i32.eq (i32.and (local.tee $turn (i32.atomic.load (i32.const 16))) (i32.const 1)) (local.get $thread)))
          (drop (memory.atomic.wait32 (i32.const 16) (local.get $turn) (i64.const -1)))
          (br $wait)))
      (i32.store (i32.const 24) (i32.add (i32.load (i32.const 24)) (i32.const 1)))
      (i32.atomic.store (i32.const 16) (i32.add (local.get $turn) (i32.const 1)))
      (drop (memory.atomic.notify (i32.const 16) (i32.const -1)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  ;; What a processor may not do with sequentially consistent stores and loads: see neither.
  (func (export "store-load") (param $thread i32) (param $times i32) (local $mine i32) (local $other i32) (local $seen i32)
    (local.set $mine (i32.mul (local.get $thread) (i32.const 128)))
    (local.set $other (i32.sub (i32.const 128) (local.get $mine)))
    (loop $again
      ;; Both begin a round together.
      (drop (i32.atomic.rmw.add (i32.const 1024) (i32.const 1)))
      (loop $meet (br_if $meet (i32.lt_u (i32.atomic.load (i32.const 1024)) (i32.shl (local.get $times) (i32.const 1)))))
      (i32.atomic.store offset=512 (local.get $mine) (local.get $times))
      (local.set $seen (i32.atomic.load offset=512 (local.get $other)))
      (i32.store offset=2048 (local.get $mine) (i32.eq (local.get $seen) (local.get $times)))
      (drop (i32.atomic.rmw.add (i32.const 1028) (i32.const 1)))
      (loop $meet (br_if $meet (i32.lt_u (i32.atomic.load (i32.const 1028)) (i32.shl (local.get $times) (i32.const 1)))))
      (if (i32.eqz (i32.or (i32.load (i32.const 2048)) (i32.load (i32.const 2176)))) (then unreachable))
      (drop (i32.atomic.rmw.add (i32.const 1032) (i32.const 1)))
      (loop $meet (br_if $meet (i32.lt_u (i32.atomic.load (i32.const 1032)) (i32.shl (local.get $times) (i32.const 1)))))
      (br_if $again (i32.le_u (local.tee $times (i32.add (local.get $times) (i32.const 1))) (i32.const 2000))))))"#;

#[test]
fn a_lock_that_waits_lets_one_in() {
    const TIMES: u32 = 20_000;
    for compiler in compilers() {
        let memory = SharedMemory::new(compiler.engine(), MemoryType::shared(1, 2)).unwrap();
        let module = compiler.module(MUTEX).unwrap();
        on_every_thread(&module, &memory, "count", TIMES);
        assert_eq!(long(&memory, 8), u64::from(THREADS * TIMES));
        assert_eq!(word(&memory, 0), 0);
        on_every_thread(&module, &memory, "turns", 1000);
        assert_eq!((word(&memory, 16), word(&memory, 24)), (2000, 2000));
    }
}

#[test]
fn stores_are_not_passed_by_later_loads() {
    let compiler = &compilers()[0];
    let memory = SharedMemory::new(compiler.engine(), MemoryType::shared(1, 2)).unwrap();
    on_every_thread(&compiler.module(MUTEX).unwrap(), &memory, "store-load", 1);
}

/// As a linker makes it for POSIX threads: the memory is imported and its data passive, one thread puts it in place and
/// the others wait for that; each thread has a stack and a place for its own variables; the heap grows on demand.
const PTHREADS: &str = r#"(module
  (import "env" "memory" (memory 2 64 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (global $stack (mut i32) (i32.const 65536))
  (global $tls (mut i32) (i32.const 0))
  (data $tls_image "\2a\00\00\00\07")
  (data $rodata "the text that every thread reads")
  (start $init)
  (func $init
    (block $done
      (block $wait
        (block $mine
          (br_table $mine $wait $done (i32.atomic.rmw.cmpxchg (i32.const 1024) (i32.const 0) (i32.const 1))))
        (memory.init $rodata (i32.const 2048) (i32.const 0) (i32.const 32))
        (memory.fill (i32.const 4096) (i32.const 0) (i32.const 4096))
        (i32.atomic.store (i32.const 1024) (i32.const 2))
        (drop (memory.atomic.notify (i32.const 1024) (i32.const -1)))
        (br $done))
      (drop (memory.atomic.wait32 (i32.const 1024) (i32.const 1) (i64.const -1))))
    (data.drop $rodata))
  (func $tls_init (param $at i32)
    (global.set $tls (local.get $at))
    (memory.init $tls_image (local.get $at) (i32.const 0) (i32.const 5)))
  ;; A bump allocator that grows the memory; 0 when there is no more.
  (func $malloc (param $bytes i32) (result i32) (local $at i32)
    (local.set $at (i32.atomic.rmw.add (i32.const 1028) (local.get $bytes)))
    (loop $grow
      (if (i32.gt_u (i32.add (local.get $at) (local.get $bytes)) (i32.mul (memory.size) (i32.const 65536)))
        (then
          (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (i32.const 0))))
          (br $grow))))
    (local.get $at))
  (func (export "main") (param $threads i32) (result i64) (local $i i32)
    (i32.atomic.store (i32.const 1028) (i32.const 131072))
    (call $tls_init (i32.const 3072))
    (loop $more
      (if (i32.lt_s (call $spawn (local.get $i)) (i32.const 0)) (then unreachable))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $threads))))
    (block $joined
      (loop $join
        (br_if $joined (i32.ge_u (local.tee $i (i32.atomic.load (i32.const 1032))) (local.get $threads)))
        (drop (memory.atomic.wait32 (i32.const 1032) (local.get $i) (i64.const 1000000000)))
        (br $join)))
    (i64.atomic.load (i32.const 1040)))
  ;; Sums its own array of squares, checks what it was given, and adds its sum to the common one.
  (func (export "wasi_thread_start") (param $id i32) (param $arg i32)
    (local $array i32) (local $i i32) (local $sum i64)
    (call $tls_init (i32.add (i32.const 3080) (i32.mul (local.get $arg) (i32.const 8))))
    (if (i32.ne (i32.load (global.get $tls)) (i32.const 42)) (then unreachable))
    (if (i32.ne (i32.load8_u offset=4 (global.get $tls)) (i32.const 7)) (then unreachable))
    (if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 0x74)) (then unreachable))
    (local.set $array (call $malloc (i32.const 400000)))
    (if (i32.eqz (local.get $array)) (then unreachable))
    (loop $fill
      (i64.store (i32.add (local.get $array) (i32.shl (local.get $i) (i32.const 3)))
        (i64.mul (i64.extend_i32_u (local.get $i)) (i64.extend_i32_u (local.get $i))))
      (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50000))))
    (loop $add
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $sum (i64.add (local.get $sum)
        (i64.load (i32.add (local.get $array) (i32.shl (local.get $i) (i32.const 3))))))
      (br_if $add (local.get $i)))
    (drop (i64.atomic.rmw.add (i32.const 1040) (local.get $sum)))
    (drop (i32.atomic.rmw.add (i32.const 1032) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 1032) (i32.const 1)))))"#;

#[test]
fn a_module_with_posix_threads() {
    for compiler in compilers() {
        let engine = compiler.engine();
        // What cannot be reserved in advance cannot grow: this memory never moves.
        if engine.get_memory_reservation() < 64 << 16 {
            continue;
        }
        let module = compiler.module(PTHREADS).unwrap();
        let memory = SharedMemory::new(engine, MemoryType::shared(2, 64)).unwrap();
        std::thread::scope(|scope| {
            let (module, memory) = (&module, &memory);
            let mut linker = Linker::new(engine);
            let mut main = store(engine);
            linker.define(&main, "env", "memory", memory.clone()).unwrap();
            let (spawned, spawns) = std::sync::mpsc::channel::<u32>();
            linker
                .func_wrap("wasi", "thread-spawn", move |arg: u32| -> i32 { spawned.send(arg).map_or(-1, |()| 1) })
                .unwrap();
            scope.spawn(move || {
                for arg in spawns {
                    scope.spawn(move || {
                        let mut linker = Linker::new(module.engine());
                        let mut store = store(module.engine());
                        linker.define(&store, "env", "memory", memory.clone()).unwrap();
                        linker.func_wrap("wasi", "thread-spawn", |_: u32| -> i32 { -1 }).unwrap();
                        let instance = linker.instantiate(&mut store, module).unwrap();
                        let start: TypedFunc<(u32, u32), ()> =
                            instance.get_typed_func(&mut store, "wasi_thread_start").unwrap();
                        start.call(&mut store, (arg + 1, arg)).unwrap();
                    });
                }
            });
            let instance = linker.instantiate(&mut main, module).unwrap();
            let run: TypedFunc<u32, u64> = instance.get_typed_func(&mut main, "main").unwrap();
            let of_one: u64 = (0..50_000u64).map(|i| i * i).sum();
            assert_eq!(run.call(&mut main, 4).unwrap(), 4 * of_one);
            assert!(memory.size() > 20, "it has grown to {} pages", memory.size());
        });
    }
}

#[test]
fn memories_of_the_modules_own_and_what_they_are_made_with() {
    const OWN: &str = r#"(module
        (memory $plain 1) (memory $own (export "own") 1 3 shared) (memory $last 1 1)
        (data (memory $own) (i32.const 8) "\11\22\33\44") (data (memory $last) (i32.const 0) "\05")
        (func (export "read") (param i32) (result i32) (i32.load $own (local.get 0)))
        (func (export "last") (result i32) (i32.load $last (i32.const 0)))
        (func (export "size") (result i32) (memory.size $own))
        (func (export "grow") (param i32) (result i32) (memory.grow $own (local.get 0)))
        (func (export "misaligned") (param i32) (result i64) (i64.atomic.load $own (local.get 0)))
        (func (export "copy") (param i32 i32 i32) (memory.copy $own $own (local.get 0) (local.get 1) (local.get 2))))"#;
    for compiler in compilers() {
        let module = compiler.module(OWN).unwrap();
        let mut store = store(compiler.engine());
        let Ok(instance) = Instance::new(&mut store, &module, &[]) else { panic!("{:?}", compiler) };
        let mut call = |name: &str, args: &[u32]| {
            let function = instance.get_func(&mut store, name).unwrap();
            let args: Vec<_> = args.iter().map(|arg| wasmtime::Val::I32(arg.cast_signed())).collect();
            let mut results = vec![wasmtime::Val::I32(0); function.ty(&store).results().len()];
            function.call(&mut store, &args, &mut results).map(|()| results.first().and_then(|result| result.i32()))
        };
        assert_eq!(call("read", &[8]).unwrap(), Some(0x4433_2211));
        assert_eq!(call("last", &[]).unwrap(), Some(5));
        assert_eq!(call("size", &[]).unwrap(), Some(1));
        assert_eq!(call("grow", &[2]).unwrap(), Some(1));
        assert_eq!(call("size", &[]).unwrap(), Some(3));
        assert_eq!(call("read", &[3 * 65536 - 4]).unwrap(), Some(0));
        call("copy", &[100_000, 8, 70]).unwrap();
        assert_eq!(call("read", &[100_000]).unwrap(), Some(0x4433_2211));
        assert_eq!(
            call("copy", &[3 * 65536 - 69, 8, 70]).unwrap_err().downcast::<Trap>().unwrap(),
            Trap::MemoryOutOfBounds
        );
        assert_eq!(call("read", &[3 * 65536]).unwrap_err().downcast::<Trap>().unwrap(), Trap::MemoryOutOfBounds);
        assert_eq!(call("misaligned", &[4]).unwrap_err().downcast::<Trap>().unwrap(), Trap::HeapMisaligned);
    }
}
