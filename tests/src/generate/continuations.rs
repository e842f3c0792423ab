//! Random nests of continuations: functions that suspend, resume each other with random handlers, keep what was
//! suspended for later, bind, switch, throw out of stacks and into them, and fold their locals into what they return.
//! Whatever happens to the stacks, the locals must be those of the function that goes on.

use super::{Generated, plain};
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(type $ft (func (param i32) (result i32)))
(type $ct (cont $ft))
(type $fb (func (param i64 f32) (result i32)))
(type $cb (cont $fb))
(type $f1 (func (param f32) (result i32)))
(type $c1 (cont $f1))
(rec (type $fs (func (param i32 (ref null $cs)) (result i32))) (type $cs (cont $fs)))
(memory (export "memory") 1 8)
(tag $a (param i32) (result i32))
(tag $b (param i64 f64 v128) (result i32))
(tag $c (result i64 f32))
(tag $w (result i32))
(tag $e (param i32))
(global $fuel (mut i32) (i32.const 1200))
(table $kept 4 (ref null $ct))
(table $switched 4 (ref null $cs))
(table $fns funcref (elem $maybe $sw $f0 $f1))
(func $tick
  (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
  (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then unreachable)))
(func $maybe (type $ft)
  (call $tick)
  (if (i32.eq (i32.and (local.get 0) (i32.const 31)) (i32.const 4)) (then (drop (memory.grow (i32.const 1)))))
  (if (i32.and (local.get 0) (i32.const 1)) (then (return (suspend $a (local.get 0)))))
  (if (i32.and (local.get 0) (i32.const 2)) (then (throw $e (local.get 0))))
  (i32.add (local.get 0) (i32.const 1)))
(func $sw (type $fs)
  (call $tick)
  (if (i32.and (local.get 0) (i32.const 4)) (then (return (i32.const 5))))
  (if (i32.and (local.get 0) (i32.const 8)) (then (drop (suspend $a (local.get 0)))))
  (if (ref.is_null (local.get 1)) (then (return (i32.const 6))))
  (switch $cs $w (i32.add (local.get 0) (i32.const 1)) (local.get 1))
  (drop))
(func $keep (param i32 i32 (ref null $cs)) (result i32)
  (table.set $switched (local.get 0) (local.get 2))
  (local.get 1))
(func $drive (param $v i32) (param $k (ref null $ct)) (result i32) (local $kb (ref null $cb)) (local $sum i32)
  (loop $again
    (call $tick)
    (block $hc (result (ref $cb))
      (block $hb (result i64 f64 v128 (ref $ct))
        (block $ha (result i32 (ref $ct))
          (return (i32.add (local.get $sum)
            (resume $ct (on $a $ha) (on $b $hb) (on $c $hc) (on $w switch) (local.get $v) (local.get $k)))))
        (local.set $k) (local.tee $v) (i32.mul (local.get $sum) (i32.const 7)) (i32.add) (local.set $sum)
        (br $again))
      (local.set $k) (i64x2.extract_lane 1) (i32.wrap_i64) (local.set $sum) (drop) (drop)
      (br $again))
    (local.set $kb))
  (resume $cb (on $w switch) (i64.const 9) (f32.const 0.5) (local.get $kb)))
(elem declare func $maybe $sw $f0 $f1 $f2 $f3)
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
            "(local $a i32) (local $b i64) (local $c f64) (local $d i32) (local $e i32) (local $f f32) (local $g v128)
  (local $k (ref null $ct)) (local $kb (ref null $cb)) (local $l0 i32) (local $l1 i32) (local $l2 i32)
  (call $tick)
  (local.set $a (local.get 0))
  {}
  (i32.xor
    (i32.xor (i32.mul (local.get $a) (i32.const 31)) (i32.wrap_i64 (local.get $b)))
    (i32.xor (i32.xor (i32.trunc_sat_f64_s (local.get $c)) (i32.mul (local.get $d) (i32.const 7)))
      (i32.add (i32.add (local.get $e) (i32x4.extract_lane 2 (local.get $g)))
        (i32.add (i32.trunc_sat_f32_s (local.get $f)) (i32.load (i32.const 64))))))",
            body.text
        );
        module.func(&format!("f{number}"), &[Type::I32], &[Type::I32], &text, Vec::new());
        let rows = (0..6).map(|_| vec![Value::I32(random.bits() as u32 & 0xff)]).collect();
        let driven = format!(
            "(block $h
    (try_table (catch_all $h) (return (call $drive (local.get 0) (cont.new $ct (ref.func $f{number}))))))
  (i32.const -77)"
        );
        module.func(&format!("run{number}"), &[Type::I32], &[Type::I32], &driven, rows);
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

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("$x{}", self.labels)
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
        match self.random.below(if depth < 5 { 22 } else { 14 }) {
            choice @ 0..=5 => self.put(&plain(choice, n)),
            6 => self.put("(local.set $g (i32x4.add (local.get $g) (i32x4.splat (local.get $d))))"),
            7 => self.put(&format!("(local.set $d (call $maybe (i32.add (local.get $a) (i32.const {n}))))")),
            8 if self.number > 0 => {
                let callee = self.random.below(self.number);
                self.put(&format!("(local.set $e (i32.add (local.get $e) (call $f{callee} (local.get $d))))"));
            }
            // Below what waits on the stack.
            8 | 9 => self.put(&format!(
                "(local.set $d (i32.sub (i32.add (local.get $a) (local.get $d)) (suspend $a (i32.const {n}))))"
            )),
            10 => self.put("(local.set $e (suspend $b (local.get $b) (local.get $c) (local.get $g)))"),
            11 => self.put("(suspend $c) (local.set $f) (local.set $b)"),
            12 => {
                let bit = 1 << self.random.below(4);
                self.put(&format!("(if (i32.and (local.get $a) (i32.const {bit})) (then (throw $e (local.get $d))))"));
            }
            13 => self.switch(),
            14 if self.loops < 3 => {
                let count = self.loops;
                self.loops += 1;
                let label = self.label();
                let times = 1 + self.random.below(4);
                self.put(&format!("(local.set $l{count} (i32.const {times}))"));
                self.put(&format!("(loop {label} (call $tick)"));
                self.steps(depth + 1);
                self.put(&format!(
                    "(br_if {label} (local.tee $l{count} (i32.sub (local.get $l{count}) (i32.const 1)))))"
                ));
                self.loops -= 1;
            }
            15 => {
                self.put("(if (i32.and (local.get $a) (i32.const 2)) (then");
                self.steps(depth + 1);
                self.put(") (else");
                self.steps(depth + 1);
                self.put("))");
            }
            16 | 17 => {
                let (after, caught) = (self.label(), self.label());
                self.put(&format!("(block {after} (block {caught} (result i32) (try_table (catch $e {caught})"));
                self.steps(depth + 1);
                self.put(&format!(") (br {after})) (local.set $e))"));
            }
            18 => {
                let kept = self.random.below(4);
                self.put(&format!("(if (i32.eqz (ref.is_null (table.get $kept (i32.const {kept})))) (then"));
                self.resume(depth + 1, &format!("(table.get $kept (i32.const {kept}))"));
                self.put("))");
            }
            _ => {
                // Functions resume such as come before them, so that not every nest uses up its fuel.
                let callee = self.random.below(self.number + 1);
                let func = if callee == self.number { "$maybe".to_string() } else { format!("$f{callee}") };
                self.resume(depth, &format!("(cont.new $ct (ref.func {func}))"));
            }
        }
    }

    fn switch(&mut self) {
        let kept = self.random.below(4);
        let other = if self.random.one_in(2) {
            "(cont.new $cs (ref.func $sw))".to_string()
        } else {
            format!("(table.get $switched (i32.const {kept}))")
        };
        let guard = self.label();
        self.put(&format!("(block {guard} (br_if {guard} (i32.and (local.get $d) (i32.const 1)))"));
        self.put(&format!("(br_on_null {guard} {other}) (drop)"));
        self.put(&format!("(i32.const {kept}) (local.get $d) {other} (switch $cs $w)"));
        // [index, value, continuation]: both are kept.
        self.put("(call $keep) (local.set $e))");
    }

    /// Resumes a continuation of `$ct` with some handlers, whose results end up in `$e`.
    fn resume(&mut self, depth: usize, cont: &str) {
        let [after, on_a, on_b, on_c] = [(); 4].map(|()| self.label());
        let with = [(); 4].map(|()| !self.random.one_in(4));
        let mut handlers = [
            (with[0], format!("(on $a {on_a})")),
            (with[1], format!("(on $b {on_b})")),
            (with[2], format!("(on $c {on_c})")),
            (with[3], "(on $w switch)".to_string()),
        ];
        let turn = self.random.below(4);
        handlers.rotate_left(turn);
        let list: Vec<&str> = handlers.iter().filter(|(with, _)| *with).map(|(_, text)| text.as_str()).collect();
        let list = list.join(" ");
        let below = self.random.one_in(2);
        if below {
            self.put("(i32.add (local.get $a) (local.get $d)) (local.get $b) (local.get $g)");
        }
        self.put(&format!("(block {after} (result i32)"));
        self.put(&format!("(block {on_c} (result (ref $cb))"));
        self.put(&format!("(block {on_b} (result i64 f64 v128 (ref $ct))"));
        self.put(&format!("(block {on_a} (result i32 (ref $ct))"));
        let throws = self.random.one_in(6);
        if throws {
            self.put(&format!("(resume_throw $ct $e {list} (local.get $d) {cont})"));
        } else {
            self.put(&format!("(resume $ct {list} (local.get $d) {cont})"));
        }
        self.put(&format!("(br {after}))"));
        self.put("(local.set $k) (local.set $e)");
        self.again(depth);
        self.put(&format!("(br {after} (local.get $e)))"));
        self.put("(local.set $k) (local.set $g) (local.set $c) (local.set $b)");
        self.again(depth);
        self.put(&format!("(br {after} (local.get $d)))"));
        self.put("(local.set $kb)");
        self.steps(depth + 1);
        match self.random.below(3) {
            0 => self.put("(resume $cb (on $w switch) (local.get $b) (local.get $f) (local.get $kb))"),
            1 => self.put("(resume $c1 (local.get $f) (cont.bind $cb $c1 (local.get $b) (local.get $kb)))"),
            _ => self.put("(i32.const 3)"),
        }
        self.put(")");
        self.put("(local.set $e)");
        if below {
            self.put("(local.set $g) (local.set $b) (local.set $a)");
        }
    }

    /// What a handler does with the continuation in `$k`, after some steps that may overwrite it.
    fn again(&mut self, depth: usize) {
        let kept = self.random.below(4);
        match self.random.below(5) {
            0 => {}
            1 => self.put(&format!("(table.set $kept (i32.const {kept}) (local.get $k))")),
            2 => self.put("(local.set $e (call $drive (local.get $d) (local.get $k)))"),
            _ if depth < 5 && self.budget > 0 => {
                self.budget -= 1;
                self.resume(depth + 1, "(local.get $k)");
            }
            _ => self.put("(local.set $e (resume $ct (on $w switch) (local.get $a) (local.get $k)))"),
        }
        self.steps(depth + 2);
    }
}
