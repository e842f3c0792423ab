//! As many entries of the stack as may be elsewhere than in their slots, and one more, which is a reference out of
//! memory: of such a one a collector that counts references is told by a detour.

use super::Generated;
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $b (struct (field (mut i32))))
(type $h (struct (field (mut (ref null $b)))))
(type $l (array (mut (ref null $b))))
(type $a (array (mut i64)))
(type $give (func (result i32)))
(memory (export "memory") 1)
(global $g (mut (ref null $b)) (struct.new $b (i32.const 7)))
(global $in (mut (ref null $h)) (struct.new $h (struct.new $b (i32.const 8))))
(global $list (mut (ref null $l)) (array.new $l (struct.new $b (i32.const 9)) (i32.const 2)))
(table $t 1 1 (ref null $b) (struct.new $b (i32.const 10)))
(table $f 1 1 (ref null $give) (ref.func $answer))
(func $answer (result i32) (i32.const 55))
(func $churn (export "churn") (local i32)
  (local.set 0 (i32.const 12))
  (loop $again
    (drop (array.new $a (i64.const 1) (i32.const 60000)))
    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
"#;

/// What reads a reference from memory.
const READS: [&str; 4] = [
    "(global.get $g)",
    "(table.get $t (i32.and (local.get 0) (i32.const 0)))",
    "(struct.get $h 0 (global.get $in))",
    "(array.get $l (global.get $list) (i32.and (local.get 1) (i32.const 1)))",
];

/// A module of functions, each of which reads references with a window that is full or nearly.
#[must_use]
pub fn module(random: impl Into<Random>) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..4 {
        let text = body(&mut random);
        let text = format!(
            "(local $y (ref null $b)) (local $o i32) (local $s i32) (local $h1 i32) (local $h2 i32)\n  (call $churn)\n{text}"
        );
        let rows = vec![vec![Value::I32(1000), Value::I32(7)], vec![Value::I32(random.bits() as u32), Value::I32(3)]];
        module.func(&format!("f{number}"), &[Type::I32, Type::I32], &[Type::I32], &text, rows);
    }
    module
}

fn body(random: &mut Random) -> String {
    let mut text = String::new();
    let mut put = |line: &str| writeln!(text, "  {line}").expect("a string takes all");
    if random.one_in(2) {
        // Locals that are worth homes.
        put(
            "(local.set $h1 (i32.const 3)) (loop $l (local.set $h2 (i32.add (local.get $h2) (local.get $h1))) (call $churn) (br_if $l (local.tee $h1 (i32.sub (local.get $h1) (i32.const 1)))))",
        );
    }
    let below = random.below(4);
    for _ in 0..below {
        put("(i32.mul (local.get 0) (i32.const 3))");
    }
    // The oldest of the window, and what is done with it at last.
    let oldest = random.below(4);
    put(match oldest {
        0 => "(i32.rem_u (local.get 0) (local.get 1))",
        1 => "(struct.new $b (i32.const 77))",
        2 => "(table.get $f (i32.and (local.get 0) (i32.const 0)))",
        _ => "(i32.mul (local.get 1) (i32.const 5))",
    });
    let count = 20 + random.below(5);
    for i in 0..count {
        let register = random.one_in(8);
        if register {
            put(&format!("(i32.mul (local.get 0) (i32.const {}))", 3 + i));
        } else {
            put(&format!("(i32.const {})", 100 + i));
        }
    }
    let read = *random.pick(&READS);
    if random.one_in(2) {
        put(read);
        put("(local.set $y)");
    } else {
        put(&format!("(local.set $o (struct.get $b 0 {read}))"));
    }
    for _ in 0..count {
        put("(local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31))))");
    }
    if random.one_in(3) && oldest != 2 {
        put("(call $churn)");
    }
    put(match oldest {
        1 => "(struct.get $b 0)",
        2 => "(call_ref $give)",
        _ => "",
    });
    for _ in 0..below {
        put("(i32.sub)");
    }
    put("(i32.add (local.get $s)) (i32.add (local.get $o)) (i32.add (local.get $h2))");
    put(
        "(if (param i32) (result i32) (ref.is_null (local.get $y)) (then) (else (i32.add (struct.get $b 0 (local.get $y)))))",
    );
    text
}
