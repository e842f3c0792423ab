//! A read of a local waits, an operator of any kind gives a value, and the value becomes the local's, which lives in a
//! home: the result may be computed there, once the read has been made, into a register that nothing else is read from.

use super::{Generated, name};
use crate::observe::Type;
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $s (struct (field (mut i64)) (field (mut i32)) (field i8) (field (mut i16)) (field f32) (field f64) (field v128)))
(type $al (array (mut i64)))
(type $ai (array (mut i32)))
(type $ab (array i8))
(type $ad (array f64))
(type $af (array f32))
(type $av (array v128))
(memory (export "memory") 1)
(memory $m1 1)
(data (i32.const 0) "\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10\11\12\13\14\15\16\17\18")
(global $gi (mut i32) (i32.const 21))
(global $gl (mut i64) (i64.const 22))
(global $gd (mut f64) (f64.const 23))
(global $gf (mut f32) (f32.const 23))
(global $gv (mut v128) (v128.const i64x2 24 25))
(table $t 3 3 funcref)
(elem (table $t) (i32.const 0) func $i)
(func $s (result (ref $s))
  (struct.new $s (i64.const 42) (i32.const 43) (i32.const 144) (i32.const 0x8001) (f32.const 1.5) (f64.const 2.5) (v128.const i64x2 3 4)))
(func $al (result (ref $al)) (array.new $al (i64.const 46) (i32.const 3)))
(func $ai (result (ref $ai)) (array.new $ai (i32.const 47) (i32.const 4)))
(func $ab (result (ref $ab)) (array.new $ab (i32.const 200) (i32.const 5)))
(func $ad (result (ref $ad)) (array.new $ad (f64.const 4.5) (i32.const 3)))
(func $af (result (ref $af)) (array.new $af (f32.const 5.5) (i32.const 3)))
(func $av (result (ref $av)) (array.new $av (v128.const i64x2 5 6) (i32.const 3)))
(func $null (param i32) (result (ref null $s)) (if (result (ref null $s)) (local.get 0) (then (call $s)) (else (ref.null $s))))
(func $i (result i32) (i32.const 2))
(func $l (result i64) (i64.const 19))
(func $f (result f32) (f32.const 7.25))
(func $d (result f64) (f64.const 9.25))
(func $v (result v128) (v128.const i32x4 1 2 3 4))
"#;

/// Operators by the type that they give, with the operands they take: `I`, `L`, `F`, `D` and `V` stand for numbers.
const I32: &[&str] = &[
    "struct.get $s 1 (call $s)",
    "struct.get_s $s 2 (call $s)",
    "struct.get_u $s 3 (call $s)",
    "array.len (call $ai)",
    "array.get $ai (call $ai) J",
    "array.get_s $ab (call $ab) J",
    "array.get_u $ab (call $ab) J",
    "i31.get_s (ref.i31 I)",
    "i31.get_u (ref.i31 I)",
    "ref.test (ref $s) (call $null I)",
    "ref.is_null (call $null I)",
    "ref.eq (call $s) (call $null I)",
    "ref.is_null (table.get $t J)",
    "i32.load J",
    "i32.load8_s offset=3 J",
    "i32.load16_u $m1 J",
    "i32.atomic.load K",
    "i32.atomic.rmw.add K I",
    "i32.atomic.rmw.or K I",
    "i32.atomic.rmw8.cmpxchg_u K I I",
    "i32.add I I",
    "i32.sub I I",
    "i32.mul I I",
    "i32.div_s I P",
    "i32.rem_u I P",
    "i32.shl I I",
    "i32.rotr I I",
    "i32.and I I",
    "i32.lt_s I I",
    "i32.eqz I",
    "i32.clz I",
    "i32.popcnt I",
    "i32.extend8_s I",
    "i32.wrap_i64 L",
    "i64.lt_u L L",
    "i64.eqz L",
    "f32.lt F F",
    "f64.ge D D",
    "i32.trunc_sat_f32_s F",
    "i32.trunc_f64_u D",
    "i32.reinterpret_f32 F",
    "select I I I",
    "memory.size",
    "memory.grow $m1 (i32.const 0)",
    "table.size $t",
    "global.get $gi",
    "call $i",
    "i32x4.extract_lane 2 V",
    "i8x16.extract_lane_s 5 V",
    "i8x16.bitmask V",
    "v128.any_true V",
    "i32x4.all_true V",
];
const I64: &[&str] = &[
    "struct.get $s 0 (call $s)",
    "array.get $al (call $al) J",
    "i64.load J",
    "i64.load32_s $m1 offset=4 J",
    "i64.atomic.load N",
    "i64.atomic.rmw.sub N L",
    "i64.atomic.rmw.xor N L",
    "i64.atomic.rmw.cmpxchg N L L",
    "i64.add L L",
    "i64.mul L L",
    "i64.div_u L Q",
    "i64.rem_s L Q",
    "i64.shr_s L L",
    "i64.rotl L L",
    "i64.or L L",
    "i64.ctz L",
    "i64.extend16_s L",
    "i64.extend_i32_s I",
    "i64.extend_i32_u I",
    "i64.trunc_sat_f64_u D",
    "i64.trunc_f32_s F",
    "i64.reinterpret_f64 D",
    "select L L I",
    "global.get $gl",
    "call $l",
    "i64x2.extract_lane 1 V",
];
const F32: &[&str] = &[
    "struct.get $s 4 (call $s)",
    "array.get $af (call $af) J",
    "f32.load offset=4 J",
    "f32.add F F",
    "f32.min F F",
    "f32.copysign F F",
    "f32.sqrt F",
    "f32.nearest F",
    "f32.demote_f64 D",
    "f32.convert_i64_u L",
    "f32.convert_i32_s I",
    "select F F I",
    "global.get $gf",
    "call $f",
    "f32x4.extract_lane 1 (f32x4.splat F)",
];
const F64: &[&str] = &[
    "struct.get $s 5 (call $s)",
    "array.get $ad (call $ad) J",
    "f64.load J",
    "f64.sub D D",
    "f64.max D D",
    "f64.copysign D D",
    "f64.abs D",
    "f64.ceil D",
    "f64.promote_f32 F",
    "f64.convert_i32_u I",
    "f64.convert_i64_s L",
    "select D D I",
    "global.get $gd",
    "call $d",
    "f64x2.extract_lane 1 (f64x2.splat D)",
];
const V128: &[&str] = &[
    "struct.get $s 6 (call $s)",
    "array.get $av (call $av) J",
    "v128.load J",
    "v128.load8x8_u J",
    "v128.load32_splat J",
    "v128.load8_lane 3 J V",
    "i32x4.add V V",
    "i8x16.swizzle V V",
    "i64x2.mul V V",
    "v128.bitselect V V V",
    "i32x4.shl V I",
    "i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31 V V",
    "i32x4.splat I",
    "i64x2.splat L",
    "i16x8.replace_lane 3 V I",
    "i8x16.popcnt V",
    "v128.not V",
    "i16x8.gt_u V V",
    "select V V I",
    "global.get $gv",
    "call $v",
];

const TYPES: [(Type, &[&str]); 5] =
    [(Type::I32, I32), (Type::I64, I64), (Type::F32, F32), (Type::F64, F64), (Type::V128, V128)];

/// A module of functions, each with so many operators between reads and writes of one local.
#[must_use]
pub fn module(random: impl Into<Random>, operators: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for (ty, table) in TYPES {
        let mut text = String::new();
        // The local earns its home.
        let touches = random.below(12);
        let (ty_name, add) =
            (name(ty), if ty == Type::V128 { "i32x4.add".into() } else { format!("{}.add", name(ty)) });
        for _ in 0..touches {
            writeln!(text, "  (local.set $x ({add} (local.get $x) (local.get $x)))").expect("a string takes all");
            writeln!(text, "  (local.set $x (local.get $first))").expect("as above");
        }
        for _ in 0..operators {
            let operator = random.pick(table);
            let value = format!("({})", operands(&mut random, operator, ty));
            // Reads that wait, some of them below others.
            let waiting = 1 + random.below(3);
            let reads: String = (0..waiting).map(|_| "(local.get $x) ").collect();
            let sums = format!("({add}) ").repeat(waiting);
            let write = if random.one_in(3) {
                format!("(local.set $x {value}) (local.get $x)")
            } else {
                format!("(local.tee $x {value})")
            };
            writeln!(
                text,
                "  (local.set $sum ({add} (local.get $sum) (block (result {ty_name}) {reads} {write} {sums})))"
            )
            .expect("as above");
        }
        let body = format!(
            "(local $x {ty_name}) (local $first {ty_name}) (local $sum {ty_name}) (local $i i32) (local $l i64) (local $f f32) (local $d f64) (local $v v128)
  (local.set $i (i32.const 5)) (local.set $l (i64.const 6)) (local.set $f (f32.const 7.5)) (local.set $d (f64.const 8.5))
  (local.set $v (v128.const i32x4 9 10 11 12))
{text}  (local.get $sum)"
        );
        module.func(&format!("f_{ty_name}"), &[], &[ty], &body, vec![vec![]]);
    }
    module
}

/// An operator with operands: constants, locals, what is in a register, the local that is about to be written.
fn operands(random: &mut Random, operator: &str, of: Type) -> String {
    let mut text = String::new();
    for word in operator.split_inclusive([' ', ')']) {
        let (word, end) = word.split_at(word.len() - word.ends_with([' ', ')']) as usize);
        let operand = match word {
            "I" => number(random, Type::I32, of),
            "L" => number(random, Type::I64, of),
            "F" => number(random, Type::F32, of),
            "D" => number(random, Type::F64, of),
            "V" => number(random, Type::V128, of),
            // An element of any array, a place in memory, one that is aligned, divisors.
            "J" => pick(random, &["(i32.const 1)", "(call $i)", "(i32.and (local.get $i) (i32.const 1))"]),
            "K" => pick(random, &["(i32.const 4)", "(i32.shl (call $i) (i32.const 2))"]),
            "N" => pick(random, &["(i32.const 8)", "(i32.shl (call $i) (i32.const 3))"]),
            "P" => pick(random, &["(i32.const 3)", "(call $i)", "(i32.or (local.get $i) (i32.const 1))"]),
            "Q" => pick(random, &["(i64.const 3)", "(call $l)", "(i64.or (local.get $l) (i64.const 1))"]),
            other => other.to_string(),
        };
        text.push_str(&operand);
        text.push_str(end);
    }
    text
}

fn pick(random: &mut Random, from: &[&str]) -> String {
    (*random.pick(from)).to_string()
}

fn number(random: &mut Random, ty: Type, of: Type) -> String {
    if ty == of && random.one_in(3) {
        return "(local.get $x)".into();
    }
    pick(
        random,
        match ty {
            Type::I32 => &[
                "(local.get $i)",
                "(call $i)",
                "(i32.const 77)",
                "(i32.mul (local.get $i) (i32.const 3))",
                "(i32.load (i32.const 8))",
            ],
            Type::I64 => {
                &["(local.get $l)", "(call $l)", "(i64.const 0x123456789ab)", "(i64.mul (local.get $l) (i64.const 3))"]
            }
            Type::F32 => &["(local.get $f)", "(call $f)", "(f32.const 2.75)", "(f32.add (local.get $f) (f32.const 1))"],
            Type::F64 => &["(local.get $d)", "(call $d)", "(f64.const 2.75)", "(f64.add (local.get $d) (f64.const 1))"],
            _ => &[
                "(local.get $v)",
                "(call $v)",
                "(v128.const i32x4 5 6 7 8)",
                "(i32x4.add (local.get $v) (local.get $v))",
            ],
        },
    )
}
