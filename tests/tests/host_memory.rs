//! Memories and code that the host manages itself: `Config::with_host_memory`, with pages behind memories that fault
//! and with none, with bases that stay and that move at each growth; `Config::with_custom_code_memory`.

use lightbeam::Compiler;
use lightbeam_tests::backend::Setup;
use lightbeam_tests::generate::programs;
use lightbeam_tests::observe::{Rule, difference, observe};
use lightbeam_tests::{program, shared};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wasmtime::{
    Config, CustomCodeMemory, Engine, Instance, LinearMemory, MemoryCreator, MemoryType, Module, Store, Trap,
};

const PAGE: usize = 4096;

/// What has been asked of the host's own memories and code.
#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    grown: AtomicUsize,
    moved: AtomicUsize,
    gone: AtomicUsize,
    published: AtomicUsize,
    unpublished: AtomicUsize,
}

/// Address space of the process that cannot be accessed but for its beginning.
struct Mapping {
    base: *mut u8,
    bytes: usize,
}

impl Mapping {
    fn new(accessible: usize, bytes: usize) -> Mapping {
        let bytes = bytes.max(PAGE);
        // SAFETY: a new mapping is nobody else's.
        let base = unsafe {
            mmap_anonymous(std::ptr::null_mut(), bytes, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let mapping = Mapping { base: base.unwrap().cast(), bytes };
        mapping.allow(accessible);
        mapping
    }

    fn allow(&self, bytes: usize) {
        assert!(bytes <= self.bytes && bytes.is_multiple_of(PAGE));
        // SAFETY: the range is of this mapping, and only becomes more accessible.
        unsafe { mprotect(self.base.cast(), bytes, MprotectFlags::READ | MprotectFlags::WRITE) }.unwrap();
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: nobody has the address any more. Whoever kept it faults, as nothing is put there soon.
        unsafe { munmap(self.base.cast(), self.bytes) }.unwrap();
    }
}

// SAFETY: it is a range of addresses, which belongs to whoever has it.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared, it is only read.
unsafe impl Sync for Mapping {}

/// A memory in such a mapping: with as much reserved as was asked for, or all anew whenever it grows.
struct Memory {
    mapping: Mapping,
    bytes: usize,
    /// What is reserved.
    reserved: usize,
    guard: usize,
    counts: Arc<Counts>,
}

// SAFETY: bytes up to the size are accessible, none behind it up to the reservation and the guard is, and the base
// stays as long as the reservation is large enough.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.bytes
    }

    fn byte_capacity(&self) -> usize {
        self.reserved.max(self.bytes)
    }

    fn grow_to(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.counts.grown.fetch_add(1, Relaxed);
        if bytes <= self.reserved {
            self.mapping.allow(bytes.next_multiple_of(PAGE));
        } else {
            let new = Mapping::new(bytes.next_multiple_of(PAGE), bytes.next_multiple_of(PAGE) + self.guard);
            // SAFETY: both are accessible over that length, and apart.
            unsafe { std::ptr::copy_nonoverlapping(self.mapping.base, new.base, self.bytes) };
            assert!(new.base != self.mapping.base);
            self.counts.moved.fetch_add(1, Relaxed);
            self.mapping = new;
        }
        self.bytes = bytes;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.mapping.base
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.counts.gone.fetch_add(1, Relaxed);
    }
}

struct Memories(Arc<Counts>);

// SAFETY: memories are as `Memory` says.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        self.0.made.fetch_add(1, Relaxed);
        let reserved = reserved.unwrap_or(0);
        let accessible = minimum.next_multiple_of(PAGE);
        let mapping = Mapping::new(accessible, reserved.max(accessible) + guard);
        Ok(Box::new(Memory { mapping, bytes: minimum, reserved, guard, counts: self.0.clone() }))
    }
}

/// Bytes that are enough for any memory here.
const EVERYTHING: u64 = 4 << 30;

/// How memories are laid out: bytes reserved, bytes of the guard, signals.
const LAYOUTS: [(&str, u64, u64, bool); 5] = [
    ("4 GiB and guards", EVERYTHING, 32 << 20, true),
    ("guards alone", 0, 64 << 10, true),
    ("nothing", 0, 0, true),
    ("a little of both", 1 << 20, 64 << 10, true),
    ("nothing, no signals", 0, 0, false),
];

fn engine(layout: (&str, u64, u64, bool), counts: &Arc<Counts>) -> Compiler {
    let (_, reservation, guard, signals) = layout;
    let mut config = Config::new();
    config
        .with_host_memory(Arc::new(Memories(counts.clone())))
        .memory_reservation(reservation)
        .memory_guard_size(guard)
        .guard_before_linear_memory(false)
        // An image would need a mapping of Wasmtime's own: it panics otherwise, whoever has compiled.
        .memory_init_cow(false)
        .signals_based_traps(signals);
    Compiler::new(&config).unwrap()
}

#[test]
fn programs_run_in_memories_of_the_host() {
    let Some(corpus) = shared::folder("corpus/run") else { return };
    for layout in LAYOUTS {
        for name in ["rust-json", "regex", "pulldown-cmark", "bz2", "richards", "blake3-simd"] {
            let counts = Arc::new(Counts::default());
            let compiler = engine(layout, &counts);
            let folder = corpus.join(name);
            let module = compiler.module(std::fs::read(folder.join("benchmark.wasm")).unwrap()).unwrap();
            let result = program::prints_what_it_must(&compiler, &module, &folder);
            result.unwrap_or_else(|error| panic!("{name}, {}: {error}", layout.0));
            let [made, grown, moved, gone] =
                [&counts.made, &counts.grown, &counts.moved, &counts.gone].map(|count| count.load(Relaxed));
            println!("{name}, {}: {made} made, {grown} grown, {moved} moved, {gone} gone", layout.0);
            assert!(made > 0 && gone == made, "{name}, {}: {made} made, {gone} gone", layout.0);
            // A memory that does not fit what is reserved goes elsewhere whenever it grows.
            match layout.1 {
                0 => assert_eq!(moved, grown, "{name}, {}", layout.0),
                EVERYTHING => assert_eq!(moved, 0, "{name}, {}", layout.0),
                _ => assert!(moved <= grown),
            }
        }
    }
}

/// In one function with values in registers, over calls, in a loop; of the 32-bit and the 64-bit kind; through another
/// instance.
const GROWING: &str = r#"(module
    (memory $m (export "m") 1 40) (memory $w (export "w") i64 1 40)
    (func $grow (param i32) (result i32) (memory.grow $m (local.get 0)))
    (func (export "fill") (param $pages i32) (result i64) (local $i i32) (local $sum i64)
      (loop $l
        (i32.store $m (i32.const 8) (i32.add (i32.load $m (i32.const 8)) (i32.const 3)))
        (i64.store $w (i64.const 16) (i64.add (i64.load $w (i64.const 16)) (i64.const 5)))
        (if (i32.and (local.get $i) (i32.const 1))
          (then (drop (call $grow (i32.const 1))))
          (else (drop (memory.grow $m (i32.const 1))) (drop (memory.grow $w (i64.const 1)))))
        (i64.store $m (i32.sub (i32.mul (memory.size $m) (i32.const 65536)) (i32.const 8)) (i64.const 7))
        (local.set $sum (i64.add (local.get $sum)
          (i64.load $m (i32.sub (i32.mul (memory.size $m) (i32.const 65536)) (i32.const 8)))))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $pages))))
      (i64.add (local.get $sum)
        (i64.add (i64.extend_i32_u (i32.load $m (i32.const 8))) (i64.load $w (i64.const 16)))))
    (func (export "last") (result i32)
      (i32.load8_u $m (i32.sub (i32.mul (memory.size $m) (i32.const 65536)) (i32.const 1))))
    (func (export "past") (result i32) (i32.load8_u $m (i32.mul (memory.size $m) (i32.const 65536))))
    (func (export "far") (result i32) (i32.load8_u $m offset=0xffff0000 (i32.const 0xffff)))
    (func (export "wide") (result i32) (i32.load8_u $w (i64.mul (memory.size $w) (i64.const 65536)))))"#;

#[test]
fn bases_that_move_are_found_again() {
    for layout in LAYOUTS {
        let counts = Arc::new(Counts::default());
        let compiler = engine(layout, &counts);
        let module = compiler.module(GROWING).unwrap();
        let mut store = Store::new(compiler.engine(), ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let fill = instance.get_typed_func::<i32, i64>(&mut store, "fill").unwrap();
        assert_eq!(fill.call(&mut store, 20).unwrap(), 20 * (7 + 3 + 5), "{}", layout.0);
        // From outside, between two calls.
        let memory = instance.get_memory(&mut store, "m").unwrap();
        memory.grow(&mut store, 2).unwrap();
        assert_eq!(fill.call(&mut store, 3).unwrap(), 3 * 7 + 23 * (3 + 5), "{}", layout.0);
        let grown = counts.grown.load(Relaxed);
        let moved = counts.moved.load(Relaxed);
        assert!(grown >= 30, "{}", layout.0);
        match layout.1 {
            0 => assert_eq!(moved, grown, "{}", layout.0),
            EVERYTHING => assert_eq!(moved, 0, "{}", layout.0),
            // From 1 MiB on, which has 16 pages.
            _ => assert!(0 < moved && moved < grown, "{}", layout.0),
        }
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "last").unwrap().call(&mut store, ()).unwrap(), 0);
        for past in ["past", "far", "wide"] {
            let error = instance.get_typed_func::<(), i32>(&mut store, past).unwrap().call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds), "{past}, {}: {error:?}", layout.0);
        }
        drop(store);
        assert_eq!(counts.gone.load(Relaxed), counts.made.load(Relaxed));
    }
}

#[test]
fn generated_programs_do_in_them_what_they_do_elsewhere() {
    let plain = Setup::default().engine().unwrap();
    for (reservation, guard) in [(0, 0), (0, 64 << 10), (4 << 30, 32 << 20)] {
        let setup =
            Setup { reservation: Some(reservation), guard: Some(guard), copy_on_write: false, ..Setup::default() };
        let counts = Arc::new(Counts::default());
        let mut config = setup.config();
        config.with_host_memory(Arc::new(Memories(counts.clone()))).guard_before_linear_memory(false);
        let compiler = Compiler::for_engine(&Engine::new(&config).unwrap()).unwrap();
        for seed in 0..30 {
            let module = programs::module(seed, 1 + seed as usize % 5);
            let wasm = module.wasm();
            let expected = observe(&plain.cranelift(&wasm).unwrap(), &plain.setup, &module.calls);
            let actual = observe(&compiler.module(&wasm).unwrap(), &setup, &module.calls);
            if let Some(difference) = difference(&expected, &actual, Rule::Exact) {
                panic!("seed {seed}, {setup:?}: {}", module.explain(&difference.what, expected.get(difference.at)));
            }
        }
        assert!(counts.made.load(Relaxed) > 0);
    }
}

struct Code(Arc<Counts>);

impl CustomCodeMemory for Code {
    fn required_alignment(&self) -> usize {
        PAGE
    }

    fn publish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        self.0.published.fetch_add(1, Relaxed);
        let pages = bytes.next_multiple_of(PAGE);
        // SAFETY: Wasmtime hands over whole pages of its own, in which there is nothing else that is written.
        unsafe { mprotect(at.cast_mut().cast(), pages, MprotectFlags::READ | MprotectFlags::EXEC) }.unwrap();
        Ok(())
    }

    fn unpublish_executable(&self, at: *const u8, bytes: usize) -> wasmtime::Result<()> {
        self.0.unpublished.fetch_add(1, Relaxed);
        let pages = bytes.next_multiple_of(PAGE);
        // SAFETY: as above.
        unsafe { mprotect(at.cast_mut().cast(), pages, MprotectFlags::READ | MprotectFlags::WRITE) }.unwrap();
        Ok(())
    }
}

#[test]
fn code_is_where_the_host_allows_it() {
    let counts = Arc::new(Counts::default());
    let mut config = Config::new();
    config.with_custom_code_memory(Some(Arc::new(Code(counts.clone()))));
    let compiler = Compiler::new(&config).unwrap();
    let run = |module: &Module, folder: Option<&Path>| {
        let before = counts.published.load(Relaxed);
        assert!(before > 0);
        match folder {
            Some(folder) => program::prints_what_it_must(&compiler, module, folder).unwrap(),
            None => {
                let mut store = Store::new(compiler.engine(), ());
                let instance = Instance::new(&mut store, module, &[]).unwrap();
                let fill = instance.get_typed_func::<i32, i64>(&mut store, "fill").unwrap();
                assert_eq!(fill.call(&mut store, 2).unwrap(), 2 * (7 + 3 + 5));
            }
        }
    };
    run(&compiler.module(GROWING).unwrap(), None);
    if let Some(corpus) = shared::folder("corpus/run") {
        // The last has half a megabyte of code, as much as is mapped from a file in memory otherwise.
        for name in ["richards", "rust-json", "sqlite3"] {
            let folder = corpus.join(name);
            run(&compiler.module(std::fs::read(folder.join("benchmark.wasm")).unwrap()).unwrap(), Some(&folder));
        }
    }
    // What the probing of the engine has loaded has no code. The rest is given back.
    drop(compiler);
    let [published, unpublished] = [&counts.published, &counts.unpublished].map(|count| count.load(Relaxed));
    println!("{published} published, {unpublished} unpublished");
    assert!(published > 0);
    assert_eq!(published, unpublished);
}
