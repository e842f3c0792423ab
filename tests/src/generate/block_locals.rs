//! Locals that one frame alone touches, be it a block, a loop, an arm or a `try_table`, and that its result reads last,
//! with calls and more values than registers behind it. Generators that fold every local into what they return never
//! see such a local out of its frame.

use super::{Generated, clause, name};
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(memory (export "memory") 1)
(global $left (mut i32) (i32.const 0))
(table $t 2 2 funcref)
(elem (i32.const 0) $id_i32 $id_i64)
(func $id_i32 (param i32) (result i32) (local.get 0))
(func $id_i64 (param i64) (result i64) (local.get 0))
(func $id_f32 (param f32) (result f32) (local.get 0))
(func $id_f64 (param f64) (result f64) (local.get 0))
(func $id_v128 (param v128) (result v128) (local.get 0))
"#;

const TYPES: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];

/// A module of a few functions, each of so many statements.
#[must_use]
pub fn module(random: impl Into<Random>, statements: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..3 {
        let mut body = Body { random: &mut random, locals: Vec::new(), labels: 0 };
        let mut text = String::new();
        for _ in 0..statements {
            writeln!(text, "  {}", body.statement()).expect("a string takes all");
        }
        let own = body
            .locals
            .iter()
            .fold(String::new(), |all, (local, ty)| all + &format!("(local ${local} {}) ", name(*ty)));
        // What all statements write, and a result of it.
        let sums = TYPES.map(|ty| format!("(local $sum_{} {})", name(ty), name(ty))).join(" ");
        let text = format!(
            "{sums} {own}
  (global.set $left (i32.const 9))
{text}  (i64.store (i32.const 8) (local.get $sum_i64))
  (f32.store (i32.const 16) (local.get $sum_f32))
  (f64.store (i32.const 24) (local.get $sum_f64))
  (v128.store (i32.const 32) (local.get $sum_v128))
  (local.get $sum_i32)"
        );
        let rows = (0..3).map(|_| vec![Value::I32(random.bits() as u32 & 0xffff), Value::I64(random.bits() >> 20)]);
        module.func(&format!("f{number}"), &[Type::I32, Type::I64], &[Type::I32], &text, rows.collect());
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    locals: Vec<(String, Type)>,
    labels: usize,
}

/// The sum of two values of a type.
fn add(ty: Type, a: &str, b: &str) -> String {
    match ty {
        Type::V128 => format!("(i32x4.add {a} {b})"),
        ty => format!("({}.add {a} {b})", name(ty)),
    }
}

impl Body<'_> {
    fn label(&mut self) -> String {
        self.labels += 1;
        format!("$l{}", self.labels)
    }

    /// A local that nothing else touches.
    fn local(&mut self, ty: Type) -> String {
        let local = format!("x{}", self.locals.len());
        self.locals.push((local.clone(), ty));
        format!("${local}")
    }

    /// A value that takes an instruction.
    fn simple(&mut self, ty: Type) -> String {
        let n = 1 + self.random.below(60);
        match ty {
            Type::I32 => format!("(i32.mul (local.get 0) (i32.const {n}))"),
            Type::I64 => format!("(i64.mul (local.get 1) (i64.const {n}))"),
            Type::F32 => format!("(f32.convert_i32_s (i32.and (local.get 0) (i32.const {n})))"),
            Type::F64 => format!("(f64.convert_i32_s (i32.and (local.get 0) (i32.const {n})))"),
            _ => format!("(i32x4.splat (i32.mul (local.get 0) (i32.const {n})))"),
        }
    }

    fn condition(&mut self) -> String {
        format!("(i32.and (local.get 0) (i32.const {}))", 1 << self.random.below(6))
    }

    /// What comes while a value waits: a call, or so many values at once that there is a register for none other.
    fn pressure(&mut self, ty: Type) -> String {
        match self.random.below(4) {
            0 => self.simple(ty),
            1 | 2 => {
                let argument = self.simple(ty);
                format!("(call $id_{} {argument})", name(ty))
            }
            _ => {
                let count = 8 + self.random.below(14);
                let first = self.simple(ty);
                (0..count).fold(first, |all, _| {
                    let one = self.simple(ty);
                    add(ty, &one, &all)
                })
            }
        }
    }

    fn statement(&mut self) -> String {
        let ty = *self.random.pick(&TYPES);
        let sum = format!("$sum_{}", name(ty));
        if self.random.one_in(5) {
            let value = self.pressure(ty);
            return format!("(local.set {sum} {})", add(ty, &format!("(local.get {sum})"), &value));
        }
        let out = self.label();
        let value = self.sum(ty, &out, 2);
        format!("(block {out} (local.set {sum} {}))", add(ty, &value, &format!("(local.get {sum})")))
    }

    /// Frames and what comes behind each; `out` is a label without values around all of it.
    fn sum(&mut self, ty: Type, out: &str, depth: usize) -> String {
        let frame = self.frame(ty, out, depth);
        let behind = self.pressure(ty);
        match self.random.below(3) {
            0 => add(ty, &frame, &add(ty, &self.sum_or_simple(ty, out, depth), &behind)),
            _ => add(ty, &frame, &behind),
        }
    }

    fn sum_or_simple(&mut self, ty: Type, out: &str, depth: usize) -> String {
        if depth == 0 { self.simple(ty) } else { self.sum(ty, out, depth - 1) }
    }

    /// A frame of some kind that gives a value of a local of its own.
    fn frame(&mut self, ty: Type, out: &str, depth: usize) -> String {
        let result = clause("result", &[ty]);
        let x = self.local(ty);
        let first = self.simple(ty);
        let mut inside = format!("(local.set {x} {first})");
        if depth > 0 && self.random.one_in(3) {
            let value = self.sum(ty, out, depth - 1);
            write!(inside, " (local.set {x} {})", add(ty, &value, &format!("(local.get {x})")))
                .expect("a string takes all");
        }
        let get = format!("(local.get {x})");
        let last = match self.random.below(4) {
            0 => get.clone(),
            1 => format!("(local.tee {x} {})", self.simple(ty)),
            _ => format!("(local.tee {x} {})", add(ty, &get, &self.simple(ty))),
        };
        match self.random.below(9) {
            0 | 1 => format!("(block {result} {inside} {last})"),
            2 => format!("(block {result} (block {result} {inside} {last}))"),
            3 => format!("(loop {result} {inside} {last})"),
            4 | 5 => {
                let again = self.label();
                format!(
                    "(loop {again} {result} {inside}
    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
    (br_if {again} (i32.gt_s (global.get $left) (i32.const 0))) {last})"
                )
            }
            6 => {
                let condition = self.condition();
                format!("(if {result} {condition} (then (br {out})) (else {inside} {last}))")
            }
            7 => format!("(try_table {result} (catch_all {out}) {inside} {last})"),
            // Two that read it.
            _ => {
                let both = clause("result", &[ty, ty]);
                let sum = if ty == Type::V128 { "i32x4.add".to_string() } else { format!("{}.add", name(ty)) };
                let behind = self.pressure(ty);
                format!("(block {result} (block {both} {inside} {last} {get}) {behind} {sum} {sum})")
            }
        }
    }
}
