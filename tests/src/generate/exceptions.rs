//! Random nests of `try_table`s in functions that call each other, throw tags with values of every type, and fold their
//! locals into what they return: whoever catches, the locals must be those of the moment of the throw.

use super::{Generated, plain};
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(memory (export "memory") 1 8)
(tag $t0)
(tag $t1 (param i32))
(tag $t2 (param i64 f64))
(tag $t3 (param f32 i32 funcref i64))
(global $fuel (mut i32) (i32.const 3000))
(table 4 funcref)
(elem (i32.const 0) $maybe $deep $tail $maybe)
(type $step (func (param i32) (result i32)))
(func $maybe (param i32) (result i32)
  (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
  (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then unreachable))
  (if (i32.eq (i32.and (local.get 0) (i32.const 7)) (i32.const 0)) (then (throw $t0)))
  (if (i32.eq (i32.and (local.get 0) (i32.const 7)) (i32.const 1)) (then (throw $t1 (local.get 0))))
  (if (i32.eq (i32.and (local.get 0) (i32.const 7)) (i32.const 2))
    (then (throw $t2 (i64.extend_i32_s (local.get 0)) (f64.convert_i32_s (local.get 0)))))
  (if (i32.eq (i32.and (local.get 0) (i32.const 7)) (i32.const 3))
    (then (throw $t3 (f32.const 1.5) (local.get 0) (ref.func $maybe) (i64.const -3))))
  (if (i32.eq (i32.and (local.get 0) (i32.const 31)) (i32.const 4)) (then (drop (memory.grow (i32.const 1)))))
  (i32.add (local.get 0) (i32.const 1)))
(func $deep (param i32) (result i32)
  (if (result i32) (i32.and (local.get 0) (i32.const 0x70))
    (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 16)))))
    (else (call $maybe (local.get 0)))))
(func $tail (param i32) (result i32)
  (block $h
    (try_table (catch_all $h) (return_call $deep (local.get 0))))
  unreachable)
"#;

/// A module of a few functions of about `budget` steps each.
#[must_use]
pub fn module(random: impl Into<Random>, budget: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..4 {
        let mut body = Body { random: &mut random, text: String::new(), labels: 0, loops: 0, budget, number };
        body.steps(0);
        let text = format!(
            "(local $a i32) (local $b i64) (local $c f64) (local $d i32) (local $e i32) (local $f f32) (local $g funcref)
  (local $l0 i32) (local $l1 i32) (local $l2 i32) (local $x exnref)
  (local.set $a (local.get 0))
  {}
  (i32.xor
    (i32.xor (i32.mul (local.get $a) (i32.const 31)) (i32.wrap_i64 (local.get $b)))
    (i32.xor (i32.xor (i32.trunc_sat_f64_s (local.get $c)) (i32.mul (local.get $d) (i32.const 7)))
      (i32.add (i32.add (local.get $e) (ref.is_null (local.get $g)))
        (i32.add (i32.trunc_sat_f32_s (local.get $f)) (i32.load (i32.const 64))))))",
            body.text
        );
        // Nothing but traps leaves it.
        module.func(&format!("f{number}"), &[Type::I32], &[Type::I32], &text, Vec::new());
        let rows = (0..6).map(|_| vec![Value::I32(random.bits() as u32 & 0xff)]).collect();
        let caught = format!(
            "(local $r i32) (block $h (try_table (catch_all $h) (return (call $f{number} (local.get 0))))) (i32.const -77)"
        );
        module.func(&format!("run{number}"), &[Type::I32], &[Type::I32], &caught, rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    text: String,
    labels: usize,
    loops: usize,
    budget: usize,
    number: usize,
}

impl Body<'_> {
    fn put(&mut self, text: &str) {
        writeln!(self.text, "  {text}").expect("a string takes all");
    }

    fn steps(&mut self, depth: usize) {
        for _ in 0..1 + self.random.below(5) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.step(depth);
        }
    }

    fn step(&mut self, depth: usize) {
        let n = self.random.below(200) as i32 - 50;
        match self.random.below(if depth < 5 { 16 } else { 11 }) {
            choice @ 0..=5 => self.put(&plain(choice, n)),
            6 | 7 => {
                let callee = *self.random.pick(&["$maybe", "$deep", "$tail"]);
                self.put(&format!(
                    "(local.set $d (i32.add (local.get $d) (call {callee} (i32.add (local.get $a) (i32.const {n})))))"
                ));
            }
            8 => {
                let entry = self.random.below(4);
                self.put(&format!("(local.set $e (call_indirect (type $step) (local.get $d) (i32.const {entry})))"));
            }
            9 => {
                let throw = *self.random.pick(&[
                    "(throw $t0)",
                    "(throw $t1 (local.get $d))",
                    "(throw $t2 (local.get $b) (local.get $c))",
                    "(throw $t3 (local.get $f) (local.get $a) (local.get $g) (local.get $b))",
                ]);
                let bit = 1 << self.random.below(4);
                self.put(&format!("(if (i32.and (local.get $a) (i32.const {bit})) (then {throw}))"));
            }
            10 if self.number > 0 => {
                let callee = self.random.below(self.number);
                self.put(&format!("(local.set $e (i32.add (local.get $e) (call $f{callee} (local.get $d))))"));
            }
            10 if self.random.one_in(3) => self.put("(local.set $e (i32.sub (local.get $e) (local.get $d)))"),
            // Thrown twice, with locals written right before each and read by the handler's side.
            10 => {
                let thrown = if self.random.one_in(2) { "(throw $t0)" } else { "(throw $t1 (local.get $d))" };
                let label = self.label();
                self.put(&format!(
                    "(block {label} (result exnref) (try_table (catch_all_ref {label})
    (local.set $b (i64.add (local.get $b) (i64.const {n}))) {thrown}) (unreachable)) (local.set $x)"
                ));
                let label = self.label();
                self.put(&format!(
                    "(block {label} (try_table (catch_all {label})
    (local.set $e (i32.sub (local.get $e) (local.get $d))) (local.set $c (f64.neg (local.get $c)))
    (local.set $f (f32.add (local.get $f) (f32.const 1))) (throw_ref (local.get $x))))"
                ));
            }
            11 if self.loops < 3 => {
                let count = self.loops;
                self.loops += 1;
                let label = self.label();
                let times = 1 + self.random.below(4);
                self.put(&format!("(local.set $l{count} (i32.const {times}))"));
                self.put(&format!("(loop {label}"));
                self.steps(depth + 1);
                self.put(&format!(
                    "(br_if {label} (local.tee $l{count} (i32.sub (local.get $l{count}) (i32.const 1)))))"
                ));
                self.loops -= 1;
            }
            12 => {
                self.put("(if (i32.and (local.get $a) (i32.const 2)) (then");
                self.steps(depth + 1);
                self.put(") (else");
                self.steps(depth + 1);
                self.put("))");
            }
            _ => self.try_table(depth),
        }
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("$x{}", self.labels)
    }

    /// Blocks for some of the tags, from the outermost inwards, and a `try_table` that names them.
    fn try_table(&mut self, depth: usize) {
        const BLOCKS: [(&str, &str, &str); 5] = [
            ("", "", "(catch $t0 "),
            ("(result i32)", "local.set $e", "(catch $t1 "),
            ("(result i64 f64)", "local.set $c local.set $b", "(catch $t2 "),
            ("(result f32 i32 funcref i64)", "local.set $b local.set $g local.set $d local.set $f", "(catch $t3 "),
            ("", "", "(catch_all "),
        ];
        let after = self.label();
        self.put(&format!("(block {after}"));
        let mut open = Vec::new();
        for (types, sets, catch) in BLOCKS {
            if self.random.one_in(2) {
                let label = self.label();
                let operand = self.random.one_in(3);
                if operand {
                    self.put("local.get $d local.get $a i32.add");
                }
                self.put(&format!("(block {label} {types}"));
                open.push((sets, format!("{catch}{label})"), operand));
            }
        }
        let mut catches: Vec<&str> = open.iter().map(|(_, catch, _)| catch.as_str()).collect();
        let turn = self.random.below(catches.len().max(1));
        catches.rotate_left(turn);
        self.put(&format!("(try_table {}", catches.join(" ")));
        self.steps(depth + 1);
        self.put(&format!(") (br {after})"));
        for (sets, _, operand) in open.iter().rev() {
            self.put(&format!(") {sets}"));
            if *operand {
                self.put("local.set $d");
            }
            self.steps(depth + 2);
            self.put(&format!("(br {after})"));
        }
        self.put(")");
    }
}
