//! Fuel: what operators cost whose work is as large as an operand, in loops, behind calls and branches, whether they
//! succeed, fail or trap. Two compilers must come to the same totals, and stop at the same point if there is too
//! little.

use super::Generated;
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $r (array (mut i32)))
(type $b (array (mut i8)))
(type $f (func (result i32)))
(memory (export "memory") 1 4)
(memory $wide (export "wide") i64 1 4)
(table $t (export "t") 4 400 funcref)
(table $x (export "x") i64 4 400 funcref)
(table $n (export "n") 2 400 (ref $f) (ref.func $one))
(global $g (mut i32) (i32.const 7))
(global $a (mut (ref $r)) (array.new_default $r (i32.const 300)))
(global $c (mut (ref $b)) (array.new_default $b (i32.const 300)))
(data $d "0123456789012345678901234567890123456789")
(elem $e func $one $one $one $one $one $one)
(func $one (type $f) (i32.const 1))
(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))
(func $walk (param i32) (result i32)
  (if (result i32) (i32.lt_s (local.get 0) (i32.const 1)) (then (i32.const 0))
    (else (i32.add (i32.const 2) (call $walk (i32.sub (local.get 0) (i32.const 1)))))))
(elem declare func $one)
(func (export "state") (result i32 i64 i32 i32 i32)
  (table.size $t) (table.size $x) (table.size $n) (memory.size) (i32.wrap_i64 (memory.size $wide)))
(func (export "sum") (result i32) (local $i i32) (local $s i32)
  (loop $l
    (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (array.get $r (global.get $a) (local.get $i))))
    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300))))
  (local.get $s))
(func (export "null") (param i32) (result i32) (call_ref $f (table.get $n (local.get 0))))
"#;

/// A module of a few functions of about `budget` steps.
#[must_use]
pub fn module(random: impl Into<Random>, budget: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..3 {
        let mut body = Body { random: &mut random, text: String::new(), labels: 0, loops: 0, budget };
        body.steps(0);
        let text = format!(
            "(local $a i32) (local $n i64) (local $l0 i32) (local $l1 i32)
  (local.set $a (local.get 0)) (local.set $n (i64.extend_i32_u (local.get 0))) {} (local.get $a)",
            body.text
        );
        let rows = (0..3).map(|_| vec![Value::I32(*random.pick(&[0, 1, 2, 5, 30, 128, 129, 200, 1000]))]).collect();
        module.func(&format!("f{number}"), &[Type::I32], &[Type::I32], &text, rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    text: String,
    labels: usize,
    loops: usize,
    budget: usize,
}

impl Body<'_> {
    fn put(&mut self, text: &str) {
        writeln!(self.text, "  {text}").expect("a string takes all");
    }

    fn steps(&mut self, depth: usize) {
        for _ in 0..2 + self.random.below(5) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.step(depth);
        }
    }

    /// A length: constant around what counts as small, in a local, or far too large.
    fn length(&mut self) -> String {
        match self.random.below(8) {
            0 => "(local.get $a)".into(),
            1 => "(i32.and (local.get $a) (i32.const 255))".into(),
            2 if self.random.one_in(6) => "(i32.const -1)".into(),
            _ => format!("(i32.const {})", self.random.pick(&[0, 1, 3, 16, 64, 127, 128, 129, 130, 250])),
        }
    }

    fn wide_length(&mut self) -> String {
        match self.random.below(8) {
            0 => "(local.get $n)".into(),
            // More than there is memory. (With still more Cranelift's counter wraps if it has run out before.)
            1 if self.random.one_in(6) => "(i64.const 0x10000000000)".into(),
            2 if self.random.one_in(6) => "(i64.add (local.get $n) (i64.const 0x100000000000))".into(),
            _ => format!("(i64.const {})", self.random.pick(&[0, 1, 16, 64, 128, 129, 250])),
        }
    }

    fn fold(&mut self, value: &str) {
        self.put(&format!("(local.set $a (i32.and (i32.add (local.get $a) {value}) (i32.const 1023)))"));
    }

    fn step(&mut self, depth: usize) {
        let n = self.random.below(40);
        let (length, wide) = (self.length(), self.wide_length());
        let count = *self.random.pick(&[0, 1, 2, 4, 6, 9]);
        match self.random.below(if depth < 3 { 24 } else { 20 }) {
            0 => self.put(&format!("(memory.fill (i32.const {n}) (i32.const 0) {length})")),
            1 => self.put(&format!("(memory.fill (i32.const {n}) (i32.const 5) {length})")),
            2 => self.put(&format!("(memory.copy (i32.const {n}) (i32.const 8) {length})")),
            3 => self.put(&format!("(memory.fill $wide (i64.const {n}) (i32.const 5) {wide})")),
            4 => self.put(&format!("(memory.copy $wide 0 (i64.const {n}) (i32.const 8) {length})")),
            5 => self.put(&format!("(memory.init $d (i32.const {n}) (i32.const 0) (i32.const {n}))")),
            6 => self.put(&format!("(table.fill $t (i32.const 0) (ref.func $one) (i32.const {count}))")),
            7 => self.put(&format!("(table.copy $t $t (i32.const 1) (i32.const 0) (i32.const {}))", count / 2)),
            8 => self.put(&format!("(table.init $t $e (i32.const 0) (i32.const 1) (i32.const {}))", count / 2)),
            9 | 10 => self.fold(&format!("(table.grow $t (ref.null func) {length})")),
            11 => self.fold(&format!("(i32.wrap_i64 (table.grow $x (ref.func $one) {wide}))")),
            12 => self.fold(&format!("(table.grow $n (ref.func $one) {length})")),
            13 => self.fold(&format!("(memory.grow (i32.const {}))", n % 3)),
            14 => self.put(&format!("(array.fill $r (global.get $a) (i32.const {n}) (local.get $a) {length})")),
            15 => self.put(&format!(
                "(array.copy $r $r (global.get $a) (i32.const 3) (global.get $a) (i32.const {n}) {length})"
            )),
            16 => self.fold(&format!(
                "(array.len (array.new $r (i32.const 2) {}))",
                if n > 30 { "(i32.const 99)" } else { "(i32.const 200)" }
            )),
            17 => self
                .put(&format!("(array.init_data $b $d (global.get $c) (i32.const 0) (i32.const 1) (i32.const {n}))")),
            18 => self.fold("(call $leaf (local.get $a))"),
            19 => self.fold(&format!("(call $walk (i32.const {n}))")),
            20 => {
                self.put("(if (i32.and (local.get $a) (i32.const 1)) (then");
                self.steps(depth + 1);
                self.put(") (else");
                self.steps(depth + 1);
                self.put("))");
            }
            21 if self.loops < 2 => {
                let counter = self.loops;
                self.loops += 1;
                self.labels += 1;
                let label = self.labels;
                self.put(&format!("(local.set $l{counter} (i32.const {})) (loop $x{label}", 1 + n % 4));
                self.steps(depth + 1);
                self.put(&format!(
                    "(br_if $x{label} (local.tee $l{counter} (i32.sub (local.get $l{counter}) (i32.const 1)))))"
                ));
                self.loops -= 1;
            }
            _ => {
                self.labels += 1;
                let label = self.labels;
                self.put(&format!("(block $x{label} (br_if $x{label} (i32.and (local.get $a) (i32.const 2)))"));
                self.steps(depth + 1);
                self.put(")");
            }
        }
    }
}
