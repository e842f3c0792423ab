//! Upper halves of narrow values: whatever gives an `i32`, through any few operators with trivial operands, to
//! whatever reads it. Values come out of functions of another compiler, which leaves anything in the upper half.

use super::{Generated, Linked};
use crate::observe::{Type, Value};
use crate::random::Random;

const OWNER: &str = r#"(module
  (func (export "wrap") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
  (func (export "wraps") (param i64) (result i32 i32 i32)
    (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)))
  (func (export "many") (param i64) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0))
    (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0))
    (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)) (i32.wrap_i64 (local.get 0)))
  (func (export "take") (param i32) (result i64) (i64.extend_i32_u (local.get 0)))
  (func (export "take_ninth") (param i64 i64 i64 i64 i64 i64 i64 i64 i32) (result i64) (i64.extend_i32_u (local.get 8))))"#;

const HEAD: &str = r#"
(type $w (func (param i64) (result i32)))
(type $x (func (param i32) (result i64)))
(type $s (struct (field (mut i32)) (field (mut i8))))
(type $r (array (mut i32)))
(import "owner" "wrap" (func $wrap (type $w)))
(import "owner" "wraps" (func $wraps (param i64) (result i32 i32 i32)))
(import "owner" "many" (func $many (param i64) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "owner" "take" (func $take (type $x)))
(import "owner" "take_ninth" (func $take_ninth (param i64 i64 i64 i64 i64 i64 i64 i64 i32) (result i64)))
(memory (export "memory") 1 3)
(data (i32.const 0) "a few bytes that loads will find, and stores change: 0123456789")
(table $t 6 funcref)
(elem (table $t) (i32.const 0) func $wrap $own $tail $take $extend $own)
(global $g (mut i32) (i32.const 3))
(global $a (ref $r) (array.new_fixed $r 4 (i32.const 11) (i32.const 22) (i32.const 33) (i32.const 44)))
(tag $e (param i32))
(func $own (type $w) (i32.wrap_i64 (local.get 0)))
(func $tail (type $w) (return_call $wrap (local.get 0)))
(func $behind (param i64) (result i32) (call $tail (local.get 0)))
(func $extend (type $x) (i64.extend_i32_u (local.get 0)))
(func $tenth (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i32) (result i64) (i64.extend_i32_u (local.get 9)))
(elem declare func $wrap $own $tail $take $extend)
"#;

/// What gives an `i32`, `$x` being an `i64` of which the lower half is small.
const PRODUCERS: &[&str] = &[
    "(call $wrap (local.get $x))",
    "(call $wrap (local.get $x))",
    "(call $own (local.get $x))",
    "(call $tail (local.get $x))",
    "(call $behind (local.get $x))",
    "(call_indirect $t (type $w) (local.get $x) (i32.const 0))",
    "(call_indirect $t (type $w) (local.get $x) (i32.const 2))",
    "(call_ref $w (local.get $x) (ref.func $wrap))",
    "(call_ref $w (local.get $x) (ref.func $tail))",
    "(block (result i32) (call $wrap (local.get $x)))",
    "(block (result i32) (call $wraps (local.get $x)) (drop) (drop))",
    "(block (result i32) (call $wraps (local.get $x)) (i32.add) (drop))",
    "(block (result i32) (call $many (local.get $x)) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop))",
    "(if (result i32) (local.get $z) (then (i32.const 4)) (else (call $wrap (local.get $x))))",
    "(select (call $wrap (local.get $x)) (call $tail (local.get $x)) (local.get $z))",
    "(local.tee $t (call $wrap (local.get $x)))",
    "(block (result i32) (local.set $t (call $wrap (local.get $x))) (local.get $t))",
    "(block (result i32) (global.set $g (call $wrap (local.get $x))) (global.get $g))",
    "(block (result i32) (br_if 0 (call $wrap (local.get $x)) (i32.const 1)))",
    "(block $h (result i32) (try_table (catch $e $h) (throw $e (call $wrap (local.get $x)))) (unreachable))",
    "(struct.get $s 0 (struct.new $s (call $wrap (local.get $x)) (i32.const 1)))",
    "(struct.get_u $s 1 (struct.new $s (i32.const 1) (call $wrap (local.get $x))))",
    "(array.get $r (array.new $r (call $wrap (local.get $x)) (i32.const 2)) (i32.const 1))",
    "(array.len (array.new_default $r (call $wrap (local.get $x))))",
    "(i31.get_u (ref.i31 (call $wrap (local.get $x))))",
    "(i32.wrap_i64 (local.get $x))",
    "(i32.wrap_i64 (i64.add (local.get $x) (i64.const 1)))",
    "(i32.load8_u (i32.const 7))",
    "(i32.trunc_sat_f64_u (f64.convert_i64_u (local.get $x)))",
    "(i32.reinterpret_f32 (f32.reinterpret_i32 (call $wrap (local.get $x))))",
    "(i32x4.extract_lane 1 (i64x2.splat (local.get $x)))",
    "(i32x4.extract_lane 0 (i32x4.splat (call $wrap (local.get $x))))",
    "(memory.grow (i32.const 0))",
    "(memory.grow (call $wrap (local.get $x)))",
    "(table.grow $t (ref.null func) (i32.const 0))",
    "(table.size $t)",
    "(i32.atomic.rmw.xchg (i32.const 64) (call $wrap (local.get $x)))",
    "(i32.atomic.rmw8.cmpxchg_u (i32.const 64) (call $wrap (local.get $x)) (call $tail (local.get $x)))",
];

/// What reads an `i32`, in the place of `@`, and gives an `i64`.
const CONSUMERS: &[&str] = &[
    "(i64.extend_i32_u @)",
    "(i64.extend_i32_u @)",
    "(i64.load8_u @)",
    "(i64.load8_u offset=3 @)",
    "(i64.load32_u offset=70000 @)",
    "(block (result i64) (i32.store8 offset=9 @ (i32.const 77)) (i64.load (i32.const 24)))",
    "(block (result i64) (i32.store (i32.const 40) @) (i64.load32_u (i32.const 40)))",
    "(i64.extend_i32_u (call_indirect $t (type $w) (local.get $x) @))",
    "(call_indirect $t (type $x) @ (i32.const 3))",
    "(call_indirect $t (type $x) @ (i32.const 4))",
    "(call_ref $x @ (ref.func $take))",
    "(call_ref $x @ (ref.func $extend))",
    "(call $take @)",
    "(call $extend @)",
    "(call $take_ninth (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) @)",
    "(call $tenth (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) @)",
    "(block (result i64) (block (block (block (br_table 0 1 2 @)) (return (i64.const 10))) (return (i64.const 20))) (i64.const 30))",
    "(i64.extend_i32_u (ref.is_null (table.get $t @)))",
    "(i64.extend_i32_u (array.get $r (global.get $a) @))",
    "(block (result i64) (memory.fill (i32.const 8) (i32.const 1) @) (i64.load (i32.const 8)))",
    "(block (result i64) (memory.copy (i32.const 8) @ (i32.const 20)) (i64.load (i32.const 8)))",
    "(block (result i64) (table.fill $t @ (ref.null func) (i32.const 1)) (i64.const 5))",
    "(i64.trunc_sat_f64_u (f64.convert_i32_u @))",
    "(i64.trunc_sat_f32_u (f32.convert_i32_u @))",
    "(i64.add (i64.extend_i32_u @) (i64.shl (local.get $x) (i64.const 1)))",
    "(i64.shl (i64.const 1) (i64.extend_i32_u @))",
    "(i64.div_u (i64.const -1) (i64.or (i64.extend_i32_u @) (i64.const 1)))",
    "(if (result i64) (i64.eqz (i64.extend_i32_u @)) (then (i64.const 1)) (else (i64.const 2)))",
    "(i64x2.extract_lane 0 (i64x2.splat (i64.extend_i32_u @)))",
    "(block (result i64) (drop @) (i64.const 1))",
    "(block (result i64) (local.set $t @) (i64.extend_i32_u (local.get $t)))",
    "(i64.atomic.rmw8.add_u @ (i64.const 1))",
];

const BINARY: [&str; 11] = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "shr_s", "rotl", "div_u"];
const UNARY: [&str; 5] = ["clz", "ctz", "popcnt", "extend8_s", "extend16_s"];
const CONSTANTS: [i32; 9] = [0, 1, -1, 2, 3, 8, 32, 255, i32::MAX];

/// Each operator of two operands with each trivial one on either side, on what calls give, to be extended and to be
/// an address.
#[must_use]
pub fn systematic() -> Linked {
    let mut user = Generated::new(HEAD);
    for call in ["(call $wrap (local.get 0))", "(call $behind (local.get 0))"] {
        for op in BINARY {
            for constant in CONSTANTS {
                let left = format!("(i32.{op} (i32.const {constant}) {call})");
                let right = format!("(i32.{op} {call} (i32.const {constant}))");
                for value in [left, right] {
                    let name = format!("f{}", user.calls.len());
                    let body = format!("(i64.xor (i64.extend_i32_u {value}) (i64.load8_u {value}))");
                    let rows = [5, 0xdead_beef_0000_0003].map(|bits: u64| vec![Value::I64(bits)]).into();
                    user.func(&name, &[Type::I64], &[Type::I64], &body, rows);
                }
            }
        }
    }
    Linked { owner: OWNER.into(), user }
}

/// A module of so many functions.
#[must_use]
pub fn module(random: impl Into<Random>, count: usize) -> Linked {
    let mut random = random.into();
    let mut user = Generated::new(HEAD);
    for number in 0..count {
        let mut value = random.pick(PRODUCERS).to_string();
        for _ in 0..random.below(3) {
            value = through(&mut random, &value);
        }
        let body = random.pick(CONSUMERS).replace('@', &value);
        let rows = [5, 0xdead_beef_0000_0003, 0xffff_ffff_0000_0010, 0x8000_0000_0000_0001, 0x7fff_ffff_0000_0000];
        let rows = rows.map(|bits: u64| vec![Value::I64(bits)]).into();
        let body = format!(
            "(local $x i64) (local $z i32) (local $t i32) (local.set $t (local.get $z)) (local.set $x (local.get 0)) {body}"
        );
        user.func(&format!("f{number}"), &[Type::I64], &[Type::I64], &body, rows);
    }
    Linked { owner: OWNER.into(), user }
}

/// An operator on a value, with another operand that is trivial.
fn through(random: &mut Random, value: &str) -> String {
    let op = random.pick(&BINARY);
    let constant = random.pick(&CONSTANTS);
    match random.below(6) {
        0 | 1 => format!("(i32.{op} (i32.const {constant}) {value})"),
        2 => format!("(i32.{op} {value} (i32.const {constant}))"),
        3 => format!("(i32.{op} {value} (local.get $z))"),
        4 => format!("(i32.{op} (local.get $z) {value})"),
        _ => format!("(i32.{} {value})", random.pick(&UNARY)),
    }
}
