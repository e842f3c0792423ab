//! What the host does with a component beside calling it: memories from pools, each with its own image; limits; dumps
//! of what a trap left; profiles; core modules that a component exports; what it counts before it makes an instance.

use lightbeam::{Error, ErrorKind};
use lightbeam_tests::components::{Instantiated, Setting, State, block_on, imports, limits, settings};
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{
    Engine, GuestProfiler, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut, Trap,
    WasmCoreDump,
};

/// Modules with memories of different sizes and images: none, some bytes in the middle of a page, pages, at the end,
/// and one that begins in one page and ends in another. Each has a function that sums its memory up, and one that
/// spoils it.
fn images() -> (String, Vec<u32>) {
    let segments: [&[(usize, usize)]; 8] = [
        &[],
        &[(5, 3)],
        &[(0, 4096)],
        &[(4096, 4096), (20000, 1)],
        &[(65530, 6)],
        &[(4000, 200), (4200, 9000)],
        &[(65536, 60000)],
        &[(1, 1), (131_070, 2)],
    ];
    let (mut text, mut sums) = ("(component ".to_string(), Vec::new());
    for (n, segments) in segments.iter().enumerate() {
        let pages = 1 + n % 3 + 1;
        let mut memory = vec![0_u8; pages << 16];
        let mut data = String::new();
        for (at, length) in *segments {
            let bytes: Vec<u8> = (0..*length).map(|i| (i * 7 + n * 31 + 1) as u8).collect();
            memory[*at..*at + length].copy_from_slice(&bytes);
            let escaped = bytes.iter().fold(String::new(), |mut all, byte| {
                let _ = write!(all, "\\{byte:02x}");
                all
            });
            let _ = write!(data, "(data (i32.const {at}) \"{escaped}\")");
        }
        let sum = memory.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        sums.push(sum);
        let _ = write!(
            text,
            "(core module $m{n} (memory {pages}) {data} (global $g (mut i32) (i32.const {n}))
               (func (export \"sum\") (result i32) (local $at i32) (local $sum i32)
                 (loop
                   (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
                   (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const {bytes}))))
                 (local.get $sum))
               (func (export \"spoil\")
                 (global.set $g (i32.const 99)) (drop (memory.grow (i32.const 1)))
                 (memory.fill (i32.const 0) (i32.const 0xaa) (i32.shl (memory.size) (i32.const 16)))))
             (core instance $i{n} (instantiate $m{n}))
             (func (export \"sum{n}\") (result u32) (canon lift (core func $i{n} \"sum\")))
             (func (export \"spoil{n}\") (canon lift (core func $i{n} \"spoil\")))",
            bytes = pages << 16
        );
    }
    (text + ")", sums)
}

/// One pool at a time: they reserve much.
static POOL: Mutex<()> = Mutex::new(());

fn pools() -> PoolingAllocationConfig {
    let mut pools = PoolingAllocationConfig::default();
    pools
        .total_memories(40)
        .total_tables(40)
        .total_core_instances(40)
        .total_component_instances(4)
        .max_memory_size(1 << 20);
    pools
}

#[test]
fn memories_have_their_own_images_however_often_their_places_are_used() {
    let _alone = POOL.lock();
    let (text, sums) = images();
    for pooled in [false, true] {
        for copy_on_write in [false, true] {
            let setting = settings()[0];
            let mut config = setting.config();
            config.memory_init_cow(copy_on_write);
            if pooled {
                config.allocation_strategy(InstanceAllocationStrategy::Pooling(pools()));
            }
            let engine = Engine::new(&config).unwrap();
            for (how, component) in setting.compile(&engine, &text).unwrap() {
                for round in 0..4 {
                    let mut instances: Vec<Instantiated> =
                        (0..2).map(|_| Instantiated::new(&engine, &component).unwrap()).collect();
                    for instance in &mut instances {
                        for (n, sum) in sums.iter().enumerate() {
                            let seen = instance.call(&format!("sum{n}"), &[]);
                            assert!(
                                seen.is(&[&format!("U32({sum})")]),
                                "{how} {pooled} {copy_on_write} {round} {n}: {seen:?}"
                            );
                            if (n + round) % 2 == 0 {
                                assert!(instance.call(&format!("spoil{n}"), &[]).is(&[]));
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn pools_refuse_the_same_components() {
    let _alone = POOL.lock();
    let (text, _) = images();
    type Limit = fn(&mut PoolingAllocationConfig) -> &mut PoolingAllocationConfig;
    let smaller: [Limit; 4] = [
        |pools| pools.max_core_instances_per_component(7),
        |pools| pools.max_memories_per_component(7),
        |pools| pools.max_component_instance_size(1),
        |pools| pools.max_memory_size(1 << 17),
    ];
    for limit in smaller {
        let mut config = settings()[0].config();
        let mut pools = pools();
        limit(&mut pools);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pools));
        let engine = Engine::new(&config).unwrap();
        let ours = settings()[0].setup.lightbeam(&engine).unwrap().component(&text).unwrap_err();
        let theirs = Component::new(&engine, wat::parse_str(&text).unwrap()).unwrap_err();
        assert_eq!(ours.downcast_ref::<Error>().unwrap().kind(), ErrorKind::Load);
        assert_eq!(format!("{ours:#}"), format!("Wasmtime did not load what was compiled: {theirs:#}"));
    }
}

/// Two components with memories and globals that a call goes through before it traps.
const TRAPS: &str = "(component
  (import \"log\" (func $log (param \"n\" u32)))
  (component $Inner (import \"log\" (func $log (param \"n\" u32)))
    (core func $log (canon lower (func $log)))
    (core module $inner (import \"\" \"log\" (func $log (param i32)))
      (memory (export \"memory\") 1) (data (i32.const 3) \"inner\") (global $g (mut i32) (i32.const 7))
      (func $fails (param i32) (result i32) (call $log (local.get 0)) (i32.div_u (i32.const 1) (local.get 0)))
      (func $f (export \"f\") (param i32) (result i32)
        (global.set $g (local.get 0)) (i32.store (i32.const 100) (i32.const 0x01020304)) (call $fails (local.get 0))))
    (core instance $i (instantiate $inner (with \"\" (instance (export \"log\" (func $log))))))
    (func (export \"f\") (param \"n\" u32) (result u32) (canon lift (core func $i \"f\"))))
  (component $Outer (import \"f\" (func $f (param \"n\" u32) (result u32)))
    (core func $f (canon lower (func $f)))
    (core module $outer (import \"\" \"f\" (func $f (param i32) (result i32)))
      (memory 2) (data (i32.const 65536) \"outer\") (global $g (mut i64) (i64.const -5))
      (func $g (export \"g\") (param i32) (result i32) (call $f (local.get 0))))
    (core instance $o (instantiate $outer (with \"\" (instance (export \"f\" (func $f))))))
    (func (export \"g\") (param \"n\" u32) (result u32) (canon lift (core func $o \"g\"))))
  (instance $inner (instantiate $Inner (with \"log\" (func $log))))
  (instance $outer (instantiate $Outer (with \"f\" (func $inner \"f\"))))
  (export \"g\" (func $outer \"g\")))";

/// As `TRAPS`, without components inside.
const TRAPS_ALONE: &str = "(component
  (import \"log\" (func $log (param \"n\" u32)))
  (core func $log (canon lower (func $log)))
  (core module $inner (import \"\" \"log\" (func $log (param i32)))
    (memory (export \"memory\") 1) (data (i32.const 3) \"inner\") (global $g (mut i32) (i32.const 7))
    (func $fails (param i32) (result i32) (call $log (local.get 0)) (i32.div_u (i32.const 1) (local.get 0)))
    (func $f (export \"f\") (param i32) (result i32)
      (global.set $g (local.get 0)) (i32.store (i32.const 100) (i32.const 0x01020304)) (call $fails (local.get 0))))
  (core instance $i (instantiate $inner (with \"\" (instance (export \"log\" (func $log))))))
  (core module $outer (import \"\" \"f\" (func $f (param i32) (result i32)))
    (memory 2) (data (i32.const 65536) \"outer\") (global $g (mut i64) (i64.const -5))
    (func $g (export \"g\") (param i32) (result i32) (call $f (local.get 0))))
  (core instance $o (instantiate $outer (with \"\" (instance $i))))
  (func (export \"g\") (param \"n\" u32) (result u32) (canon lift (core func $o \"g\"))))";

#[test]
fn dumps_show_what_a_trap_left() {
    let setting: Setting = settings()[0];
    let mut config = setting.config();
    config.coredump_on_trap(true);
    let engine = Engine::new(&config).unwrap();
    for (text, depth) in [(TRAPS, 4), (TRAPS_ALONE, 3)] {
        let mut dumps = Vec::new();
        for (_, component) in setting.compile(&engine, text).unwrap() {
            let mut instance = Instantiated::new(&engine, &component).unwrap();
            let func = instance.func("g");
            let error = func.call(&mut instance.store, &[Val::U32(0)], &mut [Val::Bool(false)]).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::IntegerDivisionByZero));
            let dump = error.downcast_ref::<WasmCoreDump>().expect("it was asked for");
            let frames: Vec<_> = dump
                .frames()
                .iter()
                .map(|frame| (frame.module().name().map(str::to_string), frame.func_index(), frame.module_offset()))
                .collect();
            let counts = [dump.modules().len(), dump.instances().len(), dump.globals().len(), dump.memories().len()];
            // All of it as bytes, memories and globals included. As of 48.0.8 that fails where there are adapters,
            // whose globals are a component's own.
            let bytes = if text == TRAPS { Vec::new() } else { dump.serialize(&mut instance.store, "dump") };
            dumps.push((frames, counts, bytes));
        }
        assert_eq!(dumps[0].0.len(), depth, "{:?}", dumps[0].0);
        let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        for (frames, counts, bytes) in &dumps {
            assert_eq!((frames, counts), (&dumps[0].0, &dumps[0].1));
            assert_eq!(bytes.len(), dumps[0].2.len());
            for part in [&b"inner"[..], b"outer", &[4, 3, 2, 1]] {
                assert!(text == TRAPS || contains(bytes, part), "{part:x?}");
            }
        }
    }
}

/// A store whose host function takes a sample.
struct Profiled {
    profiler: Option<GuestProfiler>,
}

#[test]
fn profiles_name_the_functions_of_all_modules() {
    let setting = settings()[0];
    let engine = setting.engine();
    let mut profiles = Vec::new();
    for (_, component) in setting.compile(&engine, TRAPS).unwrap() {
        let interval = Duration::from_millis(1);
        let profiler = GuestProfiler::new_component(&engine, "profile", interval, component.clone(), []).unwrap();
        let mut store = Store::new(&engine, Profiled { profiler: Some(profiler) });
        let mut linker = Linker::new(&engine);
        let sample = |mut store: StoreContextMut<'_, Profiled>, (_,): (u32,)| {
            let mut profiler = store.data_mut().profiler.take().expect("it is put back");
            profiler.sample(&store, Duration::ZERO);
            store.data_mut().profiler = Some(profiler);
            Ok(())
        };
        linker.root().func_wrap("log", sample).unwrap();
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let func = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "g").unwrap();
        for n in 1..4 {
            func.call(&mut store, (n,)).unwrap();
        }
        let mut profile = Vec::new();
        store.data_mut().profiler.take().unwrap().finish(&mut profile).unwrap();
        let profile: serde_json::Value = serde_json::from_slice(&profile).unwrap();
        let thread = &profile["threads"][0];
        let strings = &thread["stringArray"];
        let samples = thread["samples"]["length"].as_u64();
        profiles.push((strings.to_string(), samples, thread["stackTable"]["length"].as_u64()));
    }
    assert_eq!(profiles[0].1, Some(3), "{profiles:?}");
    for name in ["fails", "inner", "outer"] {
        assert!(profiles[0].0.contains(name), "{profiles:?}");
    }
    assert!(profiles.iter().all(|profile| *profile == profiles[0]), "{profiles:#?}");
}

#[test]
fn exported_core_modules_are_modules() {
    let text = "(component
      (core module (export \"a\") (memory (export \"m\") 1) (data (i32.const 70) \"a\")
        (func (export \"f\") (param i32) (result i32) (i32.add (i32.load8_u (i32.const 70)) (local.get 0))))
      (core module $b (import \"h\" \"h\" (func $h (param i64 i64 i64 i64 i64 i64 i64) (result i64)))
        (func (export \"f\") (param i32) (result i32)
          (i32.wrap_i64 (call $h (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)
            (i64.extend_i32_u (local.get 0))))))
      (export \"b\" (core module $b)))";
    for setting in settings() {
        let seen = setting.same(text, |engine, component| {
            let mut store = Store::new(engine, ());
            limits(&mut store);
            let mut linker = wasmtime::Linker::new(engine);
            linker.func_wrap("h", "h", |a: i64, _: i64, _: i64, _: i64, _: i64, _: i64, g: i64| a + g * 10).unwrap();
            let indices = ["a", "b"].map(|name| component.get_export_index(None, name).unwrap());
            let counted =
                component.resources_required().map(|r| (r.num_memories, r.max_initial_memory_size, r.num_tables));
            let host = Linker::<()>::new(engine);
            let pre = host.instantiate_pre(component).unwrap();
            let instance = block_on(pre.instantiate_async(&mut store)).unwrap();
            let results = indices.map(|index| {
                let module = instance.get_module(&mut store, &index).unwrap();
                let done = async {
                    let instance = linker.instantiate_async(&mut store, &module).await.unwrap();
                    let func = instance.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
                    func.call_async(&mut store, 4).await.unwrap()
                };
                block_on(done)
            });
            (results, counted)
        });
        assert_eq!(seen.0, [101, 41], "{}", setting.name);
    }
}

#[test]
fn what_is_cut_off_is_refused_whole_and_in_chunks() {
    let setting = settings()[0];
    let engine = setting.engine();
    let compiler = setting.setup.lightbeam(&engine).unwrap().threads(1);
    let wasm = wat::parse_str(TRAPS).unwrap();
    for end in 8..wasm.len() {
        let whole = compiler.precompile_component(&wasm[..end]).map(drop);
        let mut stream = compiler.component_stream();
        let pushed = wasm[..end].chunks(1 + end % 13).try_for_each(|chunk| stream.push(chunk).map(drop));
        let streamed = pushed.and_then(|()| stream.finish_artifact().map(drop));
        // Where a section ends that is in no core module, Wasmtime takes it for whole.
        let theirs = Component::new(&engine, &wasm[..end]).map(drop);
        assert_eq!(whole.is_ok(), theirs.is_ok(), "{end}: {whole:?} {theirs:?} {:x?}", &wasm[..end]);
        let said = |result: Result<(), wasmtime::Error>| result.map_err(|error| error.to_string());
        assert_eq!(said(whole), said(streamed), "{end}");
    }
}

/// Artifacts are of their engine and kind: nothing else loads them.
#[test]
fn artifacts_are_loaded_by_their_kind_and_engine_alone() {
    let [plain, checked] = [settings()[0], settings()[1]];
    let engine = plain.engine();
    let compiler = plain.setup.lightbeam(&engine).unwrap();
    let component = compiler.precompile_component(TRAPS).unwrap();
    let module = compiler.precompile("(module (func (export \"f\")))").unwrap();
    // SAFETY: the artifacts are as the compiler made them.
    unsafe {
        assert!(Component::deserialize(&engine, &component).is_ok());
        assert!(Component::deserialize(&engine, &module).is_err());
        assert!(wasmtime::Module::deserialize(&engine, &component).is_err());
        assert!(Component::deserialize(&checked.engine(), &component).is_err());
        let again = Component::deserialize(&engine, &component).unwrap().serialize().unwrap();
        assert!(again == component);
    }
    // What they import is what is to be given.
    let loaded = compiler.component(TRAPS).unwrap();
    let mut linker = Linker::<State>::new(&engine);
    let mut store = Store::new(&engine, State::default());
    store.set_epoch_deadline(1 << 40);
    assert!(linker.instantiate(&mut store, &loaded).is_err());
    imports(&mut linker, false).unwrap();
    let instance = linker.instantiate(&mut store, &loaded).unwrap();
    let func = instance.get_func(&mut store, "g").unwrap();
    let mut results = [Val::Bool(false)];
    func.call(&mut store, &[Val::U32(1)], &mut results).unwrap();
    assert_eq!(results, [Val::U32(1)]);
}
