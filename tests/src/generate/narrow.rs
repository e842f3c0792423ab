//! Narrow producers against wide consumers: every way to make an `i32`, into every use that would notice bits left in
//! the upper half of its register or slot.

use super::Generated;
use crate::observe::{Type, Value};

/// Ways to make an `i32` out of an `i64` in local 0 and an `i32` in local 1.
const PRODUCERS: &[(&str, &str)] = &[
    ("param", "local.get 1"),
    ("wrap", "local.get 0 i32.wrap_i64"),
    ("wrap-shifted", "local.get 0 i64.const 1 i64.shl i32.wrap_i64"),
    ("const", "i32.const -1"),
    ("add", "local.get 1 i32.const -1 i32.add"),
    ("sub", "i32.const 0 local.get 1 i32.sub"),
    ("mul", "local.get 1 local.get 1 i32.mul"),
    ("shl", "local.get 1 i32.const 3 i32.shl"),
    ("shl-by", "local.get 1 local.get 1 i32.shl"),
    ("shr_s", "local.get 1 i32.const 1 i32.shr_s"),
    ("rotl", "local.get 1 i32.const 4 i32.rotl"),
    ("rotr-by", "local.get 1 local.get 1 i32.rotr"),
    ("div_s", "local.get 1 i32.const -3 i32.div_s"),
    ("rem_s", "local.get 1 i32.const 7 i32.rem_s"),
    ("not", "local.get 1 i32.const -1 i32.xor"),
    ("extend8_s", "local.get 1 i32.extend8_s"),
    ("extend16_s", "local.get 1 i32.extend16_s"),
    ("clz", "local.get 1 i32.clz"),
    ("compare", "local.get 0 i64.const 0 i64.lt_s"),
    ("load", "i32.const 64 local.get 0 i64.store i32.const 64 i32.load"),
    ("load8_s", "i32.const 64 local.get 0 i64.store i32.const 64 i32.load8_s"),
    ("load16_s", "i32.const 64 local.get 0 i64.store i32.const 64 i32.load16_s"),
    ("load16_u", "i32.const 64 local.get 0 i64.store i32.const 65 i32.load16_u"),
    ("global", "local.get 1 global.set $g global.get $g"),
    ("trunc_sat", "local.get 0 f64.convert_i64_s i32.trunc_sat_f64_s"),
    ("trunc_sat_u", "local.get 0 f64.convert_i64_s i32.trunc_sat_f64_u"),
    ("reinterpret", "local.get 1 f32.reinterpret_i32 i32.reinterpret_f32"),
    ("select", "local.get 1 i32.const -2 local.get 0 i32.wrap_i64 select"),
    ("if", "local.get 0 i64.eqz (if (result i32) (then i32.const -1) (else local.get 1))"),
    ("block", "(block (result i32) local.get 1 local.get 0 i64.eqz br_if 0 i32.extend8_s)"),
    (
        "loop",
        "local.get 1 (loop (param i32) (result i32) i32.const 1 i32.shr_u local.tee 2 local.get 2 i32.const 0x2000 i32.gt_u br_if 0)",
    ),
    ("call", "local.get 0 call $wrapping"),
    ("call_indirect", "local.get 0 i32.const 0 call_indirect (param i64) (result i32)"),
    ("host", "local.get 1 call $host"),
    ("tail-called", "local.get 0 call $tail_calling"),
    ("memory.size", "memory.size"),
    ("memory.grow", "i32.const 0 memory.grow"),
    ("memory.grow-failed", "i32.const 70000 memory.grow"),
    ("table.size", "table.size $t"),
    ("table.grow", "ref.null func i32.const 0 table.grow $t"),
    ("table.grow-failed", "ref.null func i32.const -1 table.grow $t"),
    ("is_null", "local.get 1 i32.const 3 i32.and table.get $t ref.is_null"),
    ("spilled", "local.get 0 i32.wrap_i64 call $nothing"),
    ("tee", "local.get 0 i32.wrap_i64 local.tee 2 drop local.get 2"),
];

/// Uses of the `i32` on the stack, with the type of what they leave.
const CONSUMERS: &[(&str, &str, Type)] = &[
    ("address", "i64.load8_u", Type::I64),
    ("address-offset", "i64.load32_s offset=65000", Type::I64),
    ("address-scaled", "i32.const 3 i32.shl i32.load offset=16", Type::I32),
    ("address-added", "i32.const 8 i32.add f64.load", Type::F64),
    ("address-store", "i32.const 7 i32.store8 i32.const 0 i32.load", Type::I32),
    ("extend_u", "i64.extend_i32_u", Type::I64),
    ("extend_s", "i64.extend_i32_s", Type::I64),
    ("extend_u-add", "i64.extend_i32_u i64.const 1 i64.add", Type::I64),
    ("wide-address", "i64.extend_i32_u i64.load8_u $wide", Type::I64),
    ("table.get", "table.get $t ref.is_null", Type::I32),
    ("call_indirect-index", "local.set 2 i64.const 5 local.get 2 call_indirect (param i64) (result i32)", Type::I32),
    (
        "br_table",
        "local.set 2 (block (block (block local.get 2 br_table 0 1 0 1 2) i64.const 1 return) i64.const 2 return) i64.const 3",
        Type::I64,
    ),
    ("argument", "call $extending", Type::I64),
    ("argument-indirect", "i32.const 1 call_indirect (param i32) (result i64)", Type::I64),
    ("host-argument", "call $host", Type::I32),
    (
        "stack-argument",
        "local.set 2 i32.const 1 i32.const 2 i32.const 3 i32.const 4 i32.const 5 i32.const 6 local.get 2 local.get 2 call $eight",
        Type::I64,
    ),
    ("convert_u", "f64.convert_i32_u", Type::F64),
    ("convert_s", "f32.convert_i32_s", Type::F32),
    ("returned", "", Type::I32),
    ("global", "global.set $g global.get $g i64.extend_i32_u", Type::I64),
    ("fill", "local.set 2 i32.const 8 i32.const 1 local.get 2 memory.fill i32.const 65535 i32.load8_u", Type::I32),
    ("copy", "i32.const 0 i32.const 4 memory.copy i32.const 0 i32.load", Type::I32),
    ("init", "i32.const 0 i32.const 2 memory.init $d i32.const 0 i32.load", Type::I32),
    ("grow", "i32.const 15 i32.shr_u memory.grow $small", Type::I32),
    ("divisor", "local.set 2 i32.const 1000 local.get 2 i32.div_u i64.extend_i32_u", Type::I64),
    ("compare", "i64.extend_i32_u i64.const 0xffffffff i64.le_u", Type::I32),
    ("condition", "(if (result i64) (then i64.const 1) (else i64.const 2))", Type::I64),
    (
        "merged",
        "local.set 2 (block (result i32) local.get 2 local.get 0 i64.eqz br_if 0 drop local.get 2) i64.extend_i32_u",
        Type::I64,
    ),
];

/// What the functions have around them.
const HEAD: &str = r#"
(import "host" "call" (func $host (param i32) (result i32)))
(memory $m (export "memory") 1 2)
(memory $wide i64 1 1)
(memory $small 0 1)
(table $t (export "table") 4 8 funcref)
(elem (i32.const 0) $wrapping $extending)
(global $g (export "global") (mut i32) (i32.const 0))
(data (i32.const 0) "\01\82\03\84\05\86\07\88")
(data $d "\11\12\13\14")
(func $wrapping (param i64) (result i32) local.get 0 i32.wrap_i64)
(func $extending (param i32) (result i64) local.get 0 i64.extend_i32_u)
(func $tail_calling (param i64) (result i32) local.get 0 return_call $wrapping)
(func $eight (param i32 i32 i32 i32 i32 i32 i32 i32) (result i64)
  local.get 6 i64.extend_i32_u local.get 7 i64.extend_i32_u i64.add)
(func $nothing (param i32) (result i32) local.get 0)
"#;

/// Every producer with every consumer; each again with the value kept across a call under register pressure.
#[must_use]
pub fn module() -> Generated {
    let mut module = Generated::new(HEAD);
    for (producer, produce) in PRODUCERS {
        for (consumer, consume, result) in CONSUMERS {
            // The consumers that move the value use local 2.
            let body = format!("(local i32) {produce} {consume}");
            module.func(&format!("{producer}-into-{consumer}"), &[Type::I64, Type::I32], &[*result], &body, args());
            let body = format!("(local i32) {produce} (block i64.const 1 call $wrapping drop) {consume}");
            module.func(&format!("{producer}-across-{consumer}"), &[Type::I64, Type::I32], &[*result], &body, args());
        }
        let body = format!(
            "{} {produce} {} i64.extend_i32_u {}",
            "local.get 0 ".repeat(20),
            "i64.const 3 call $wrapping drop",
            "i64.xor ".repeat(20)
        );
        let body = format!("(local i32) {body}");
        module.func(&format!("{producer}-under-pressure"), &[Type::I64, Type::I32], &[Type::I64], &body, args());
    }
    module
}

fn args() -> Vec<Vec<Value>> {
    [
        (0, 0),
        (0xffff_ffff_0000_0000, 1),
        (0x1_0000_0004, 0xffff_ffff),
        (0xffff_ffff_ffff_ffff, 0x8000_0000),
        (0x8000_0000, 3),
        (0x7fff_ffff_8000_0002, 0x4000_0000),
    ]
    .into_iter()
    .map(|(wide, narrow)| vec![Value::I64(wide), Value::I32(narrow)])
    .collect()
}
