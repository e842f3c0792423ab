//! Guards against Spectre: which accesses have one and of what form, that they hold when the branch before them is
//! guessed wrongly, and that programs do the same with and without.
//!
//! What a processor does that guesses a branch not to be taken is what it does when the branch is not there. So the
//! tests take the branch away.

use iced_x86::{ConditionCode, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, Register, RflagsBits};
use lightbeam_tests::backend::Setup;
use lightbeam_tests::generate::{atomics, bulk, control, memory, programs};
use lightbeam_tests::observe::{Rule, difference, observe};
use wasmtime::{Engine, Instance, Module, Store, Val};

/// All accesses are compared with a length.
fn checked() -> Setup {
    Setup { reservation: Some(0), guard: Some(0), ..Setup::default() }
}

/// One access each of every kind that is compared with a length: functions of an index, and how many guards each has.
const ACCESSES: &[(&str, &str, usize)] = &[
    ("load", "(drop (i32.load (local.get 0)))", 1),
    ("load_narrow", "(drop (i64.load16_s offset=3 (local.get 0)))", 1),
    ("load_far", "(drop (i32.load offset=0xfffffff0 (local.get 0)))", 1),
    ("load_float", "(drop (f64.load (local.get 0)))", 1),
    ("load_vector", "(drop (v128.load (local.get 0)))", 1),
    ("load_lanes", "(drop (v128.load32x2_u (local.get 0)))", 1),
    ("load_lane", "(drop (v128.load8_lane 3 (local.get 0) (v128.const i64x2 0 0)))", 1),
    ("folded", "(drop (i32.add (local.get 0) (i32.load (local.get 0))))", 1),
    ("tested", "(if (i32.eqz (i32.load (local.get 0))) (then (call $nop)))", 1),
    ("store", "(i32.store (local.get 0) (local.get 0))", 1),
    ("store_constant", "(i64.store (local.get 0) (i64.const 5))", 1),
    ("store_lane", "(v128.store64_lane 1 (local.get 0) (v128.const i64x2 0 0))", 1),
    ("add_atomically", "(drop (i32.atomic.rmw.add (local.get 0) (i32.const 1)))", 1),
    ("or_atomically", "(drop (i64.atomic.rmw.or (local.get 0) (i64.const 1)))", 1),
    ("exchange", "(drop (i32.atomic.rmw.cmpxchg (local.get 0) (i32.const 1) (i32.const 2)))", 1),
    ("copy", "(memory.copy (local.get 0) (i32.const 64) (i32.const 30))", 2),
    ("fill", "(memory.fill (local.get 0) (i32.const 0) (i32.const 30))", 1),
    ("other_memory", "(drop (i32.load $other (local.get 0)))", 1),
    ("large_memory", "(drop (i32.load $large offset=8 (i64.extend_i32_u (local.get 0))))", 1),
    ("call", "(call_indirect $functions (local.get 0))", 1),
    ("call_typed", "(call_indirect $typed (local.get 0))", 1),
    ("tail_call", "(return_call_indirect $functions (local.get 0))", 1),
    ("get", "(drop (table.get $functions (local.get 0)))", 1),
    ("get_object", "(drop (table.get $objects (local.get 0)))", 1),
    ("get_large", "(drop (table.get $large_table (i64.extend_i32_u (local.get 0))))", 1),
    ("set", "(table.set $functions (local.get 0) (ref.func $nop))", 1),
    ("set_object", "(table.set $objects (local.get 0) (ref.i31 (i32.const 3)))", 1),
];

const HEAD: &str = r#"
  (type $f (func))
  (type $struct (struct (field (mut i32))))
  (type $array (array (mut i64)))
  (memory $m (export "m") 1)
  (memory $other 1 3)
  (memory $large i64 1)
  (table $functions (export "functions") 3 9 funcref)
  (table $typed 3 3 (ref null $f))
  (table $objects (export "objects") 3 i31ref)
  (table $large_table i64 3 anyref)
  (func $nop (export "nop"))
  (elem declare func $nop)"#;

fn accesses() -> String {
    let functions: String =
        ACCESSES.iter().map(|(name, body, _)| format!("(func (export \"{name}\") (param i32) {body})\n")).collect();
    format!("(module {HEAD}\n{functions})")
}

fn decode(text: &[u8], function: std::ops::Range<usize>) -> Vec<Instruction> {
    let ip = function.start as u64;
    Decoder::with_ip(64, &text[function], ip, DecoderOptions::NONE).into_iter().collect()
}

/// Code of each exported function, private entry and all that follows.
fn functions(module: &Module) -> Vec<(String, Vec<Instruction>)> {
    let text = module.text();
    let exports: Vec<String> =
        module.exports().filter(|export| export.ty().func().is_some()).map(|export| export.name().into()).collect();
    // Every function is exported, in order.
    let functions: Vec<_> = module.functions().collect();
    assert_eq!(exports.len(), functions.len());
    let code = functions.iter().map(|f| decode(text, f.offset..f.offset + f.len));
    exports.into_iter().zip(code).collect()
}

/// A guard: its conditional move, with the branch and the compare that it repeats.
struct Guard {
    compare: Instruction,
    branch: Instruction,
    choice: Instruction,
}

/// The guards in a function's code. A conditional move of anything but a constant in the scratch register, or of an
/// index into it, is none.
fn guards(code: &[Instruction]) -> Vec<Guard> {
    let mut guards = Vec::new();
    for (at, pair) in code.windows(2).enumerate() {
        let [constant, choice] = pair else { unreachable!("two") };
        let makes_constant = constant.mnemonic() == Mnemonic::Mov
            && constant.op0_register() == Register::R11D
            && constant.op_count() == 2
            && constant.op1_kind() == iced_x86::OpKind::Immediate32;
        let chooses = choice.condition_code() != ConditionCode::None
            && choice.flow_control() == FlowControl::Next
            && choice.op_count() == 2;
        if !makes_constant || !chooses {
            continue;
        }
        assert!([choice.op0_register(), choice.op1_register()].contains(&Register::R11), "{choice}");
        let writes_flags = |i: &&Instruction| i.rflags_modified() != RflagsBits::NONE;
        let compare = *code[..at].iter().rev().find(writes_flags).expect("something sets the flags");
        let branch = |i: &&Instruction| i.flow_control() == FlowControl::ConditionalBranch;
        let branch = *code[..at].iter().rev().find(branch).expect("a branch");
        assert!(branch.ip() > compare.ip(), "the branch before {choice} tests the same flags");
        guards.push(Guard { compare, branch, choice: *choice });
    }
    guards
}

#[test]
fn each_checked_access_has_its_guard() {
    for setup in [checked(), Setup { signals: false, ..checked() }, Setup { lazy_tables: false, ..checked() }] {
        let engine = Engine::new(&setup.config()).unwrap();
        let module = setup.lightbeam(&engine).unwrap().module(accesses()).unwrap();
        let functions = functions(&module);
        for (name, _, expected) in ACCESSES {
            let (_, code) = functions.iter().find(|(export, _)| export == name).unwrap();
            let found = guards(code);
            assert_eq!(found.len(), *expected, "{name} {setup:?}");
            for Guard { compare, branch, choice } in found {
                let say = format!("{name}: {compare}; {branch}; {choice}");
                assert_eq!(compare.mnemonic(), Mnemonic::Cmp, "{say}");
                // Wider or narrower, it would let values through that the compare has not seen.
                assert_eq!((compare.op0_register().size(), choice.op0_register().size()), (8, 8), "{say}");
                // The scratch register is the choice where the branch is taken, the index where it is not.
                let takes_constant = choice.op1_register() == Register::R11;
                let expected = if takes_constant { branch.condition_code() } else { inverse(branch.condition_code()) };
                assert_eq!(choice.condition_code(), expected, "{say}");
                let index = if takes_constant { choice.op0_register() } else { choice.op1_register() };
                assert_eq!(compare.op0_register(), index, "{say}");
                // What is guarded is what the access uses, and nothing in between writes it.
                let after = &code[code.iter().position(|i| i.ip() == choice.ip()).unwrap() + 1..];
                let access = after.iter().find(|i| i.memory_index() == choice.op0_register());
                let access = access.unwrap_or_else(|| panic!("nothing uses what was guarded: {say}"));
                let between = after.iter().take_while(|i| i.ip() != access.ip());
                let written = between.filter(|i| i.op0_register().full_register() == choice.op0_register());
                assert_eq!(written.count(), 0, "{say}");
            }
        }
    }
}

fn inverse(condition: ConditionCode) -> ConditionCode {
    match condition {
        ConditionCode::a => ConditionCode::be,
        ConditionCode::ae => ConditionCode::b,
        ConditionCode::l => ConditionCode::ge,
        other => panic!("no guard is made by {other:?}"),
    }
}

#[test]
fn without_the_setting_there_is_no_guard() {
    let setup = Setup { spectre: false, ..checked() };
    let module = setup.lightbeam(&Engine::new(&setup.config()).unwrap()).unwrap().module(accesses()).unwrap();
    for (name, code) in functions(&module) {
        assert!(guards(&code).is_empty(), "{name}");
    }
}

#[test]
fn what_guard_pages_cover_has_no_guard() {
    let module = Setup::default().engine().unwrap().lightbeam.module(accesses()).unwrap();
    for (name, code) in functions(&module) {
        let with_guard = ["call", "call_typed", "tail_call", "large_memory"].contains(&name.as_str())
            || name.starts_with("get")
            || name.starts_with("set")
            || name == "load_far";
        assert_eq!(!guards(&code).is_empty(), with_guard, "{name}");
    }
}

#[test]
fn objects_are_guarded_where_the_heap_has_no_guard_pages() {
    let wat = format!(
        r#"(module {HEAD}
          (func (export "struct.get") (param (ref $struct)) (drop (struct.get $struct 0 (local.get 0))))
          (func (export "struct.set") (param (ref $struct)) (struct.set $struct 0 (local.get 0) (i32.const 1)))
          (func (export "array.len") (param (ref $array)) (drop (array.len (local.get 0))))
          (func (export "array.get") (param (ref $array)) (drop (array.get $array (local.get 0) (i32.const 1))))
          (func (export "cast") (param eqref) (drop (ref.cast (ref $struct) (local.get 0)))))"#
    );
    for (spectre, signals) in [(true, false), (true, true), (false, false)] {
        let setup = Setup { spectre, signals, ..Setup::default() };
        let module = setup.lightbeam(&Engine::new(&setup.config()).unwrap()).unwrap().module(&wat).unwrap();
        for (name, code) in functions(&module) {
            // An array's length is read before its element.
            let accesses = match name.as_str() {
                "nop" => 0,
                "array.get" => 2,
                _ => 1,
            };
            let found = guards(&code);
            assert_eq!(found.len(), if spectre && !signals { accesses } else { 0 }, "{name} {setup:?}");
            for Guard { compare, branch, choice } in found {
                let say = format!("{name}: {compare}; {branch}; {choice}");
                assert_eq!((compare.op0_register().size(), choice.op0_register().size()), (8, 8), "{say}");
                assert_eq!((compare.op0_register(), choice.op1_register()), (Register::R11, Register::R11), "{say}");
                assert_eq!(compare.op1_register(), choice.op0_register(), "{say}");
                assert_eq!(branch.condition_code(), ConditionCode::l, "{say}");
                assert_eq!(choice.condition_code(), ConditionCode::l, "{say}");
            }
        }
    }
}

/// The module with all branches taken away that a guard repeats, and how many these were.
fn guessed(setup: &Setup, wat: &str) -> (Engine, Module, usize) {
    let engine = Engine::new(&setup.config()).unwrap();
    let compiler = setup.lightbeam(&engine).unwrap();
    let mut artifact = compiler.precompile(wat).unwrap();
    let module = compiler.module(wat).unwrap();
    let text = module.text();
    let start = artifact.windows(text.len()).position(|window| window == text).expect("the text is in the artifact");
    let mut count = 0;
    for (_, code) in functions(&module) {
        for Guard { branch, .. } in guards(&code) {
            const NOP: u8 = 0x90;
            artifact[start + branch.ip() as usize..][..branch.len()].fill(NOP);
            count += 1;
        }
    }
    // SAFETY: the compiler has made the artifact, and the branches that are no more only keep indices away which the
    // guards replace: that they do is what the callers test.
    let module = unsafe { Module::deserialize(&engine, artifact) }.unwrap();
    (engine, module, count)
}

#[test]
fn a_wrong_guess_leads_to_the_first_byte_or_element() {
    let wat = r#"(module
      (type $f (func (result i32)))
      (memory $m (export "m") 1)
      (memory $other 1)
      (memory $large i64 1)
      (table $functions (export "functions") 3 9 funcref)
      (table $objects 3 9 i31ref)
      (data (memory $m) (i32.const 0) "\11\22\33\44\55\66\77\88\99\aa\bb\cc\dd\ee\ff\10")
      (data (memory $other) (i32.const 0) "\21\22\23\24")
      (data (memory $large) (i64.const 0) "\31\32\33\34")
      (elem (table $functions) (i32.const 0) func $seven $eight)
      (elem (table $objects) (i32.const 0) i31ref (item (ref.i31 (i32.const 77))) (item (ref.i31 (i32.const 78))))
      (func $seven (export "seven") (result i32) (i32.const 7))
      (func $eight (export "eight") (result i32) (i32.const 8))
      (func (export "load8") (param i32) (result i64) (i64.load8_u (local.get 0)))
      (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
      (func (export "load_at") (param i32) (result i64) (i64.load32_u offset=0x8000 (local.get 0)))
      (func (export "load_far") (param i32) (result i64) (i64.load32_u offset=0xfffffff0 (local.get 0)))
      (func (export "vector") (param i32) (result i64) (i64x2.extract_lane 1 (v128.load (local.get 0))))
      (func (export "atomic") (param i32) (result i64) (i64.atomic.load (local.get 0)))
      (func (export "other") (param i32) (result i64) (i64.load32_u $other (local.get 0)))
      (func (export "large") (param i32) (result i64)
        (i64.load32_u $large offset=32 (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 20))))
      (func (export "store") (param i32) (result i64)
        (i32.store offset=4 (local.get 0) (i32.const 1)) (i64.load (i32.const 0)))
      (func (export "rmw") (param i32) (result i64)
        (drop (i32.atomic.rmw.add (local.get 0) (i32.const 1))) (i64.load (i32.const 0)))
      (func (export "copy") (param i32) (result i64)
        (memory.copy (i32.const 100) (local.get 0) (i32.const 20)) (i64.load (i32.const 108)))
      (func (export "call") (param i32) (result i64)
        (i64.extend_i32_u (call_indirect $functions (type $f) (local.get 0))))
      (func (export "tail_call") (param i32) (result i32) (return_call_indirect $functions (type $f) (local.get 0)))
      (func (export "get") (param i32) (result i64)
        (i64.extend_i32_u (i31.get_u (table.get $objects (local.get 0)))))
      (func (export "set") (param i32) (result i64)
        (table.set $functions (local.get 0) (ref.func $eight))
        (i64.extend_i32_u (call_indirect $functions (type $f) (i32.const 0)))))"#;
    let first = 0x8877_6655_4433_2211_u64;
    let expected: &[(&str, u64)] = &[
        ("load8", 0x11),
        ("load", first),
        ("load_at", first & 0xffff_ffff),
        ("load_far", first & 0xffff_ffff),
        ("vector", 0x10ff_eedd_ccbb_aa99),
        ("atomic", first),
        ("other", 0x2423_2221),
        ("large", 0x3433_3231),
        ("store", 0x8877_6655_0000_0001),
        ("rmw", first + 1),
        ("copy", 0x10ff_eedd_ccbb_aa99),
        ("call", 7),
        ("tail_call", 7),
        ("get", 77),
        ("set", 8),
    ];
    for lazy_tables in [true, false] {
        for signals in [true, false] {
            let setup = Setup { lazy_tables, signals, ..checked() };
            let (engine, module, removed) = guessed(&setup, wat);
            assert!(removed >= expected.len(), "{removed} branches are gone");
            for (name, expected) in expected {
                // Inside, all is as it should be; outside, it is as at the start.
                for index in [0, 1 << 16, 0x7fff_fff8, 0x8000_0000, 0xffff_fff8_u32] {
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    let function = instance.get_func(&mut store, name).unwrap();
                    if index == 0 && matches!(*name, "load_at" | "load_far" | "store" | "large") {
                        continue;
                    }
                    // Once the first element is filled in, no index goes to the host, which has a check of its own.
                    let fill = instance.get_func(&mut store, "call").unwrap();
                    fill.call(&mut store, &[Val::I32(0)], &mut [Val::I64(0)]).unwrap();
                    let mut results = [Val::I64(0)];
                    function.call(&mut store, &[Val::I32(index.cast_signed())], &mut results).unwrap();
                    let result = match results[0] {
                        Val::I32(value) => u64::from(value.cast_unsigned()),
                        Val::I64(value) => value.cast_unsigned(),
                        ref other => panic!("{other:?}"),
                    };
                    assert_eq!(result, *expected, "{name}({index:#x}) {setup:?}");
                }
            }
        }
    }
}

#[test]
fn programs_do_the_same_with_and_without() {
    let mut modules: Vec<_> = (0..24).map(|seed| programs::module(seed, 1 + seed as usize % 4)).collect();
    modules.extend((0..12).map(|seed| control::module(seed, 20 + seed as usize % 5 * 30)));
    modules.extend(memory::SHAPES.iter().step_by(3).map(|shape| memory::edges(shape).0));
    modules.extend(atomics::MEMORIES.iter().step_by(3).map(atomics::module));
    modules.push(bulk::module());
    for base in [Setup::default(), checked()] {
        let [on, off] = [true, false].map(|spectre| Setup { spectre, ..base });
        let engine = Engine::new(&base.config()).unwrap();
        let compilers = [on, off].map(|setup| setup.lightbeam(&engine).unwrap());
        for module in &modules {
            let wasm = module.wasm();
            let [with, without] = [0, 1].map(|i| observe(&compilers[i].module(&wasm).unwrap(), &base, &module.calls));
            if let Some(difference) = difference(&without, &with, Rule::AnyNan) {
                panic!("{base:?}: {}", module.explain(&difference.what, without.get(difference.at)));
            }
        }
    }
}
