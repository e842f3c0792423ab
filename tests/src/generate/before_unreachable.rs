//! Operators that call, right before `unreachable`: what an operator still has to do after a call of its own has to
//! be done, and where control goes on at a handler, all locals are what they were. In and out of loops and handlers,
//! with so many locals that every kind of register has some.

use super::Generated;
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $s (struct (field (mut funcref)) (field (mut i32)) (field (mut (ref null $s))) (field (mut externref))))
(type $fs (array (mut funcref)))
(type $is (array (mut i32)))
(type $rs (array (mut (ref null $s))))
(type $n (func))
(type $ft (func (result i32)))
(type $ct (cont $ft))
(memory (export "memory") 1 6)
(table $t (export "t") 4 60 funcref)
(table $o 4 60 (ref null $s))
(global $s (mut (ref null $s)) (ref.null $s))
(global $fs (mut (ref null $fs)) (ref.null $fs))
(global $is (mut (ref null $is)) (ref.null $is))
(global $rs (mut (ref null $rs)) (ref.null $rs))
(global $k (mut (ref null $ct)) (ref.null $ct))
(global $i (export "i") (mut i32) (i32.const 0))
(tag $e (param i32))
(tag $ask (param i32))
(data $d "bytes to be copied before it ends")
(elem $el func $x $y $x)
(elem declare func $x $y $gen $throws $returns)
(func $x) (func $y)
(func $note (param i32) (global.set $i (i32.add (i32.mul (global.get $i) (i32.const 31)) (local.get 0))))
(func $throws (param i32) (call $note (local.get 0)) (throw $e (local.get 0)))
(func $returns (param i32) (result i32) (call $note (local.get 0)) (local.get 0))
(func $sink (param i64 i64 i64 i64 i64 i64 f64 f64 f64 f64 f64 f64 f64 f64))
(func $fill_registers
  (call $sink (i64.const 0x41414141) (i64.const 0x42424242) (i64.const 0x43434343) (i64.const 0x44444444)
    (i64.const 0x45454545) (i64.const 0x46464646) (f64.const 1.25) (f64.const 2.25) (f64.const 3.25) (f64.const 4.25)
    (f64.const 5.25) (f64.const 6.25) (f64.const 7.25) (f64.const 8.25)))
(func $gen (type $ft) (local $j i32)
  (loop $l
    (call $fill_registers)
    (suspend $ask (local.tee $j (i32.add (local.get $j) (i32.const 1))))
    (br_if $l (i32.lt_u (local.get $j) (i32.const 40))))
  (i32.const 7))
(func (export "begin")
  (global.set $s (struct.new $s (ref.null func) (i32.const 9) (ref.null $s) (ref.null extern)))
  (global.set $fs (array.new_default $fs (i32.const 6)))
  (global.set $is (array.new_default $is (i32.const 6)))
  (global.set $rs (array.new_default $rs (i32.const 6)))
  (global.set $k (cont.new $ct (ref.func $gen)))
  (global.set $i (i32.const 0)))
(func (export "see") (result i32 i32 i32 i32 i32 i32 i32 i32 i32)
  (ref.is_null (struct.get $s 0 (global.get $s))) (struct.get $s 1 (global.get $s))
  (ref.is_null (struct.get $s 2 (global.get $s)))
  (ref.is_null (array.get $fs (global.get $fs) (i32.const 2))) (array.get $is (global.get $is) (i32.const 2))
  (ref.is_null (array.get $rs (global.get $rs) (i32.const 2)))
  (table.size $t) (memory.size) (ref.is_null (table.get $o (i32.const 1))))
"#;

/// What comes before `unreachable`. Of locals there are `$n`, small and not 0, `$q`, a structure, `$p`, a function.
const OPERATORS: &[&str] = &[
    "(struct.set $s 0 (local.get $q) (local.get $p))",
    "(struct.set $s 0 (global.get $s) (ref.func $x))",
    "(struct.set $s 1 (local.get $q) (local.get $n))",
    "(struct.set $s 2 (local.get $q) (global.get $s))",
    "(array.set $fs (global.get $fs) (i32.const 2) (local.get $p))",
    "(array.set $rs (global.get $rs) (i32.const 2) (local.get $q))",
    "(array.fill $fs (global.get $fs) (i32.const 1) (local.get $p) (i32.const 3))",
    "(array.fill $is (global.get $is) (i32.const 1) (local.get $n) (i32.const 3))",
    "(array.copy $fs $fs (global.get $fs) (i32.const 0) (global.get $fs) (i32.const 1) (i32.const 3))",
    "(array.init_data $is $d (global.get $is) (i32.const 1) (i32.const 2) (i32.const 3))",
    "(array.init_elem $fs $el (global.get $fs) (i32.const 1) (i32.const 0) (i32.const 3))",
    "(struct.new $s (local.get $p) (local.get $n) (local.get $q) (ref.null extern))",
    "(struct.new_default $s)",
    "(array.new $fs (local.get $p) (local.get $n))",
    "(array.new_fixed $fs 2 (local.get $p) (ref.func $x))",
    "(array.new_default $is (local.get $n))",
    "(array.new_data $is $d (i32.const 0) (local.get $n))",
    "(array.new_elem $fs $el (i32.const 0) (i32.const 2))",
    "(struct.get $s 0 (local.get $q))",
    "(array.get $fs (global.get $fs) (i32.const 2))",
    "(global.set $s (local.get $q))",
    "(table.get $t (i32.const 1))",
    "(table.set $t (i32.const 1) (local.get $p))",
    "(table.set $o (i32.const 1) (local.get $q))",
    "(table.grow $t (local.get $p) (local.get $n))",
    "(table.grow $o (local.get $q) (local.get $n))",
    "(table.fill $t (i32.const 1) (local.get $p) (i32.const 2))",
    "(table.fill $o (i32.const 1) (local.get $q) (i32.const 2))",
    "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 2))",
    "(table.init $t $el (i32.const 1) (i32.const 0) (i32.const 2))",
    "(elem.drop $el)",
    "(data.drop $d)",
    "(memory.grow (local.get $n))",
    "(memory.fill (i32.const 100) (local.get $n) (i32.const 200))",
    "(memory.copy (i32.const 300) (i32.const 90) (i32.const 100))",
    "(memory.init $d (i32.const 500) (local.get $n) (i32.const 9))",
    "(memory.atomic.notify (i32.const 8) (local.get $n))",
    "(ref.func $y)",
    "(call $note (local.get $n))",
    "(call $returns (local.get $n))",
    "(call_indirect $t (type $n) (i32.const 3))",
    "(call_ref $n (ref.func $x))",
    "(call $throws (local.get $n))",
    "(throw $e (local.get $n))",
    "(cont.new $ct (ref.func $gen))",
    "(resume $ct (global.get $k))",
    "(suspend $ask (local.get $n))",
    "(ref.cast (ref $s) (local.get $q))",
];

/// What goes on at a handler that is named `$h` and gives an `i32`, after the block in which it stands.
const HANDLED: &[&str] = &[
    "(try_table (catch $e $h) (call $throws (local.get $n)) (unreachable)) (unreachable)",
    "(try_table (catch $e $h) (throw $e (local.get $n)) (unreachable)) (unreachable)",
    "(try_table (catch $e $h) (drop (call $returns (local.get $n))) (call $throws (local.get $n)) (unreachable)) (unreachable)",
    "(block $r (result i32 (ref $ct)) (resume $ct (on $ask $r) (global.get $k)) (unreachable)) (global.set $k)",
    "(block $r (result i32 (ref $ct)) (resume $ct (on $ask $r) (global.get $k)) (unreachable)) (global.set $k)",
    "(block $r (result i32 (ref $ct)) (try_table (catch $e $h) (resume $ct (on $ask $r) (global.get $k)) (unreachable)) (unreachable)) (global.set $k)",
];

const TYPES: [&str; 5] = ["i32", "i64", "i32", "f64", "f32"];

/// A module of so many functions.
#[must_use]
pub fn module(random: impl Into<Random>, count: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..count {
        let body = function(&mut random);
        let name = format!("f{number}");
        let again = crate::observe::Calls::new("begin", vec![vec![]]);
        module.calls.push(again);
        module.func(&name, &[Type::I32], &[Type::I32], &body, vec![vec![Value::I32(1 + random.below(5) as u32)]]);
        module.calls.push(crate::observe::Calls::new("see", vec![vec![]]));
    }
    module
}

/// `op` of two values of a type of `TYPES`.
fn sum(ty: &str, a: &str, b: &str) -> String {
    format!("({ty}.add {a} {b})")
}

fn function(random: &mut Random) -> String {
    let locals = random.below(16);
    let ty = |at: usize| TYPES[at % TYPES.len()];
    let mut text =
        String::from("(local $n i32) (local $a i32) (local $p funcref) (local $q (ref null $s)) (local $c0 i32)");
    for at in 0..locals {
        write!(text, " (local $o{at} {})", ty(at)).expect("a string takes all");
    }
    text += "\n (local.set $n (local.get 0)) (local.set $p (ref.func $y)) (local.set $q (global.get $s))\n";
    if random.one_in(2) {
        // Calls in a nest of loops, which leave the registers that calls preserve to its own locals.
        text += " (local.set $c0 (i32.const 2))
  (loop $c (call $x) (call $x) (call $x) (local.set $a (i32.add (local.get $a) (local.get $n)))
    (br_if $c (local.tee $c0 (i32.sub (local.get $c0) (i32.const 1)))))\n";
    }
    let handled = random.one_in(3);
    let operator = *random.pick(if handled { HANDLED } else { OPERATORS });
    // Cranelift cannot have references to objects live where stacks change.
    let object = random.one_in(2) && !operator.contains("resume") && !operator.contains("suspend");
    if object {
        text += &" (drop (struct.get $s 1 (local.get $q)))\n".repeat(3);
    }
    let looped = !random.one_in(4);
    if looped {
        text += " (loop $l\n";
    }
    for at in 0..locals {
        let from = match ty(at) {
            "i32" => "(local.get $n)".to_string(),
            "i64" => "(i64.extend_i32_u (local.get $n))".into(),
            ty => format!("({ty}.convert_i32_u (local.get $n))"),
        };
        let value = sum(ty(at), &from, &format!("({}.const {})", ty(at), at + 3));
        writeln!(text, "  (local.set $o{at} {value})").expect("a string takes all");
    }
    if handled {
        writeln!(text, "  (local.set $a (i32.add (local.get $a) (block $h (result i32) {operator})))")
            .expect("a string");
    } else {
        let when = *random.pick(&[
            "(i32.eq (local.get $n) (i32.const 1))",
            "(i32.const 1)",
            "(i32.and (local.get $n) (i32.const 2))",
        ]);
        let within = random.one_in(3);
        let (open, close) = if within { ("(block $h (try_table (catch_all $h)", "))") } else { ("", "") };
        writeln!(text, "  {open} (if {when} (then {operator} (unreachable))) {close}").expect("a string takes all");
    }
    if object {
        text += "  (local.set $a (i32.add (local.get $a) (struct.get $s 1 (local.get $q))))\n";
    }
    for at in 0..locals {
        let bits = match ty(at) {
            "i32" => format!("(local.get $o{at})"),
            "i64" => format!("(i32.wrap_i64 (local.get $o{at}))"),
            ty => format!("(i32.trunc_sat_{ty}_s (local.get $o{at}))"),
        };
        writeln!(text, "  (local.set $a (i32.add (i32.mul (local.get $a) (i32.const 31)) {bits}))")
            .expect("a string takes all");
    }
    if looped {
        text += "  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n";
    }
    text + " (call $note (local.get $a)) (local.get $a)"
}
