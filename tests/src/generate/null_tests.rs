//! Tests and casts of references that are null, numbers, structures or arrays, in functions where the address of the
//! collector's heap has no home, every register has been left full of what is no address, and copies of locals are
//! ahead of their slots.

use super::Generated;
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $b (sub (struct (field (mut i32)))))
(type $s (sub $b (struct (field (mut i32)) (field i32))))
(type $e (sub final $b (struct (field (mut i32)) (field i64))))
(type $a (array (mut i32)))
(memory (export "memory") 1)
(global $g (mut anyref) (ref.null any))
(func $leave (param i64 i64 i64 i64 i64 i64))
(func $floats (param f64 f64 f64 f64 f64 f64 f64 f64))
(func $trash
  (call $leave (i64.const 0x717171710000) (i64.const 0x717171710000) (i64.const 0x717171710000)
    (i64.const 0x717171710000) (i64.const 0x717171710000) (i64.const 0x717171710000)))
(func $make (param i32) (result anyref)
  (block $null (block $number (block $base (block $sub (block $final (block $array
    (br_table $null $number $base $sub $final $array (local.get 0)))
    (return (array.new $a (i32.const 7) (i32.const 3))))
    (return (struct.new $e (i32.const 5) (i64.const 6))))
    (return (struct.new $s (i32.const 8) (i32.const 9))))
    (return (struct.new $b (i32.const 10))))
    (return (ref.i31 (local.get 0))))
  (ref.null any))
"#;

/// How many locals are written between tests.
const NUMBERS: usize = 10;

/// A module of two functions of so many statements.
#[must_use]
pub fn module(random: impl Into<Random>, statements: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..2 {
        let mut text = String::new();
        // The parameter and the counters have the homes.
        for _ in 0..random.below(4) {
            text.push_str("  (drop (struct.get $b 0 (local.get $q)))\n");
        }
        if random.one_in(2) {
            text.push_str(
                "  (loop $l (local.set $i (i32.add (local.get $i) (local.get $j)))
    (local.set $j (i32.add (local.get $j) (local.get $k))) (call $trash)
    (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))\n",
            );
        }
        for _ in 0..statements {
            writeln!(text, "  {}", statement(&mut random)).expect("a string takes all");
        }
        let numbers: String = (0..NUMBERS).map(|i| format!("(local $n{i} i32) ")).collect();
        let sum = (0..NUMBERS).fold("(local.get $i)".to_string(), |sum, i| {
            format!("(i32.add (i32.mul {sum} (i32.const 31)) (local.get $n{i}))")
        });
        writeln!(
            module.head,
            "(func $g{number} (param $p anyref) (param $q (ref null $b)) (param $i i32) (param $j i32) (param $k i32) (result i32) {numbers}
{text}  {sum})"
        )
        .expect("a string takes all");
        let body = format!(
            "(call $g{number} (call $make (local.get 0)) (struct.new $s (i32.const 1000) (i32.const 4)) (i32.const 1) (i32.const 2) (i32.const 3))"
        );
        let rows = (0..6).map(|kind| vec![Value::I32(kind)]).collect();
        module.func(&format!("f{number}"), &[Type::I32], &[Type::I32], &body, rows);
    }
    module
}

fn statement(random: &mut Random) -> String {
    let to = random.below(NUMBERS);
    let set = |value: &str| format!("(local.set $n{to} (i32.add (local.get $n{to}) {value}))");
    let n = 3 + 2 * random.below(20);
    match random.below(20) {
        0..=5 => format!("(local.set $n{to} (i32.mul (local.get $i) (i32.const {n})))"),
        6 => format!("(local.set $n{to} (i32.add (local.get $n{}) (i32.const {n})))", random.below(NUMBERS)),
        7 => "(call $trash)".into(),
        8 | 9 => set("(struct.get $b 0 (local.get $q))"),
        10 => format!("(struct.set $b 0 (local.get $q) (i32.add (local.get $j) (i32.const {n})))"),
        11 => "(global.set $g (local.get $p))".into(),
        12 => set("(ref.eq (ref.cast (ref null eq) (local.get $p)) (local.get $q))"),
        _ => {
            let of = *random.pick(&[
                "(local.get $p)",
                "(local.get $p)",
                "(local.get $p)",
                "(global.get $g)",
                "(local.get $q)",
            ]);
            set(&tested(random, of))
        }
    }
}

/// What a test of a reference says, as a number.
fn tested(random: &mut Random, of: &str) -> String {
    let heap = *random.pick(&["$s", "$b", "$e", "$a", "i31", "eq", "struct", "array", "any", "none"]);
    let null = *random.pick(&["", "null "]);
    let ty = format!("(ref {null}{heap})");
    match random.below(7) {
        0..=2 => format!("(ref.test {ty} {of})"),
        3 => format!(
            "(block $no (result i32) (drop (block $yes (result anyref) (br_on_cast $yes anyref {ty} {of}) (drop) (br $no (i32.const 5)))) (i32.const 3))"
        ),
        4 => format!(
            "(block $no (result i32) (drop (block $yes (result anyref) (br_on_cast_fail $yes anyref {ty} {of}) (drop) (br $no (i32.const 5)))) (i32.const 3))"
        ),
        5 => format!(
            "(block $no (result i32) (block $yes (drop (br_on_null $yes {of})) (br $no (i32.const 5))) (i32.const 3))"
        ),
        _ => format!(
            "(if (result i32) (ref.test {ty} {of}) (then (ref.is_null (ref.cast {ty} {of}))) (else (i32.const 3)))"
        ),
    }
}
