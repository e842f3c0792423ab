//! Reads of locals that wait on the stack while the local is written, with every kind of operator between: the value
//! must be that of the moment of the read. They also wait over the ends of the blocks, loops and handlers that alone
//! touch the local, where nobody but the waiting read needs it any more.

use super::{Generated, name, single};
use crate::observe::{Type, interesting};
use crate::random::Random;
use std::fmt::Write as _;

const HEAD: &str = r#"
(import "host" "collect" (func $collect))
(import "host" "note" (func $note (param i32) (result i32)))
(type $pair (struct (field (mut i32)) (field (mut anyref))))
(type $row (array (mut i32)))
(memory (export "memory") 1 40)
(memory $far 1 40)
(data (i32.const 0) "\03\9c\00\ff\80\7f\01\fe\12\34\56\78\9a\bc\de\f0 the quick brown fox jumps over the lazy dog")
(data $d "0123456789abcdef")
(table $t 20 200 funcref)
(table $x 20 200 externref)
(elem (table $t) (i32.const 0) func $id $add $id $add)
(elem $e func $id $add)
(tag $thrown (param i32))
(global $g (export "g") (mut i32) (i32.const 77))
(global $h (export "h") (mut i64) (i64.const 78))
(global $pair (mut (ref null $pair)) (ref.null $pair))
(global $row (ref $row) (array.new $row (i32.const 5) (i32.const 16)))
(type $unary (func (param i32) (result i32)))
(func $id (type $unary) (local.get 0))
(func $add (type $unary) (global.set $g (i32.add (global.get $g) (local.get 0))) (global.get $g))
(func $clobber (param i32 i64 f32 f64 v128) (result i32 i64 f32 f64 v128)
  (i32.add (local.get 0) (i32.const 1)) (i64.mul (local.get 1) (i64.const 3)) (f32.neg (local.get 2))
  (f64.abs (local.get 3)) (i32x4.add (local.get 4) (v128.const i32x4 1 2 3 4)))
(func $throw (param i32) (if (i32.and (local.get 0) (i32.const 1)) (then (throw $thrown (local.get 0)))))
(elem declare func $id $add)
"#;

const TYPES: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];

/// What leaves the stack as it was: everything that is no plain operator. `@a` and `@b` stand for numbers below 64,
/// `@i` for an `i32` and `@l` for an `i64` that may be anything.
const BETWEEN: &[&str] = &[
    "(drop (i32.load8_s offset=3 (i32.and @i (i32.const 0xff))))",
    "(i64.store (i32.const 512) @l)",
    "(i32.store8 (i32.and @i (i32.const 0xff)) @i)",
    "(v128.store offset=800 (i32.const @a) (i32x4.splat @i))",
    "(i32.store $far (i32.const @a) @i)",
    "(drop (memory.grow (i32.and @i (i32.const 1))))",
    "(drop (memory.grow $far (i32.const 1)))",
    "(global.set $g (memory.size))",
    "(memory.fill (i32.const 600) @i (i32.const @a))",
    "(memory.copy (i32.const 700) (i32.const @a) (i32.const @b))",
    "(memory.init $d (i32.const 600) (i32.const 3) (i32.const 8))",
    "(memory.copy $far 0 (i32.const @a) (i32.const @b) (i32.and @i (i32.const 15)))",
    "(table.set $t (i32.const 7) (ref.func $add))",
    "(drop (table.get $t (i32.and @i (i32.const 15))))",
    "(drop (table.grow $t (ref.null func) (i32.const 1)))",
    "(drop (table.grow $x (ref.null extern) (i32.and @i (i32.const 3))))",
    "(table.fill $t (i32.const 8) (ref.func $id) (i32.const 4))",
    "(table.copy $t $t (i32.const 9) (i32.const 0) (i32.const 4))",
    "(table.init $t $e (i32.const 5) (i32.const 0) (i32.const 2))",
    "(global.set $g (table.size $t))",
    "(global.set $g @i)",
    "(global.set $h (i64.add (global.get $h) @l))",
    "(call $collect)",
    "(drop (call $note @i))",
    "(drop (call $id @i))",
    "(drop (call $add @i))",
    "(drop (call_indirect $t (type $unary) @i (i32.and @i (i32.const 3))))",
    "(drop (call_ref $unary @i (ref.func $add)))",
    "(global.set $pair (struct.new $pair @i (global.get $pair)))",
    "(drop (struct.new_default $pair))",
    "(if (ref.is_null (global.get $pair)) (then (global.set $pair (struct.new $pair @i (ref.null any)))))",
    "(block (struct.set $pair 0 (br_on_null 0 (global.get $pair)) @i))",
    "(drop (ref.test (ref $pair) (global.get $pair)))",
    "(array.set $row (global.get $row) (i32.and @i (i32.const 15)) @i)",
    "(array.fill $row (global.get $row) (i32.const 2) @i (i32.const 5))",
    "(array.copy $row $row (global.get $row) (i32.const 0) (global.get $row) (i32.const 4) (i32.const 9))",
    "(drop (array.new_fixed $row 3 @i @i @i))",
    "(drop (array.new_default $row (i32.const @a)))",
    "(drop (ref.i31 @i))",
    "(drop (i32.atomic.rmw.add (i32.const 64) @i))",
    "(drop (i64.atomic.rmw32.cmpxchg_u (i32.const 72) @l @l))",
    "(atomic.fence)",
    "(drop (select @i @i @i))",
    "(i64.mul_wide_u @l @l) (drop) (drop)",
    "(nop)",
    "(block (br_if 0 @i) (global.set $g @i))",
    "(loop (global.set $g (i32.add (global.get $g) (i32.const 1))) (br_if 0 (i32.and (global.get $g) (i32.const 3))))",
    "(if @i (then (global.set $g @i)) (else (global.set $h @l)))",
    "(block (block (block (br_table 0 1 2 @i)) (global.set $g @i)) (global.set $h @l))",
    "(drop (block (result i32) (br_if 0 @i @i)))",
    "(drop (block (result i32) (try_table (catch $thrown 0) (call $throw @i)) (i32.const 4)))",
    "(block (try_table (catch_all 0) (call $throw @i) (global.set $g @i)))",
    "(block (try_table (catch_all 0) (throw $thrown @i)))",
    "(call $clobber @i @l (f32.const 1) (f64.const 2) (v128.const i64x2 1 2)) (drop) (drop) (drop) (drop) (drop)",
];

/// A module of a few functions of so many such reads.
#[must_use]
pub fn module(random: impl Into<Random>, units: usize) -> Generated {
    let mut random = random.into();
    let operators = single::operators();
    let mut module = Generated::new(HEAD);
    for number in 0..3 {
        let many = *random.pick(&[1, 2, 6]);
        let mut body = Body { random: &mut random, operators: &operators, many, own: Vec::new(), text: String::new() };
        for _ in 0..units {
            body.unit();
        }
        let Body { own, text, .. } = body;
        let shared: String =
            TYPES.iter().flat_map(|ty| (0..many).map(move |i| format!("(local ${0}{i} {0}) ", name(*ty)))).collect();
        let own: String = own.iter().enumerate().map(|(i, ty)| format!("(local $own{i} {}) ", name(*ty))).collect();
        // Only some of the locals begin as something else than zero.
        let text = format!(
            "{shared} {own} (local $s i32) (local $u i64) (local $v v128)
             (local.set $i320 (local.get 0)) (local.set $i640 (local.get 1))
             (local.set $f640 (f64.convert_i32_s (local.get 0)))
             (local.set $v1280 (i32x4.splat (local.get 0)))\n{text}
             (i64.add (local.get $u) (i64.extend_i32_u (local.get $s)))"
        );
        let rows = (0..3).map(|_| vec![interesting(Type::I32, random.bits()), interesting(Type::I64, random.bits())]);
        let rows = rows.collect();
        module.func(&format!("f{number}"), &[Type::I32, Type::I64], &[Type::I64], &text, rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    operators: &'a [single::Operator],
    /// How many locals of each type all units share: few live in registers, many do not.
    many: usize,
    /// The types of locals that only one unit touches.
    own: Vec<Type>,
    text: String,
}

impl Body<'_> {
    fn put(&mut self, text: &str) {
        writeln!(self.text, "  {text}").expect("a string takes all");
    }

    /// A local of a type, now and then one of the unit's own.
    fn local(&mut self, ty: Type) -> String {
        if self.random.one_in(3) {
            self.own.push(ty);
            return format!("$own{}", self.own.len() - 1);
        }
        format!("${}{}", name(ty), self.random.below(self.many))
    }

    fn value(&mut self, ty: Type) -> String {
        match (ty, self.random.below(4)) {
            (_, 0) => format!("(local.get ${}{})", name(ty), self.random.below(self.many)),
            (Type::I32, 1) => "(local.get 0)".into(),
            (Type::I64, 1) => "(local.get 1)".into(),
            (Type::I32, 2) => format!("(i32.add (local.get $s) (i32.const {}))", self.random.below(99)),
            (Type::I64, 2) => format!("(i64.xor (local.get $u) (i64.const {}))", self.random.below(99)),
            (Type::V128, _) => format!("(i64x2.splat (i64.const {}))", self.random.below(1000)),
            _ => format!("({}.const {})", name(ty), self.random.below(1000)),
        }
    }

    /// Operators that leave nothing.
    fn between(&mut self) {
        if self.random.one_in(3) {
            let op = self.random.pick(self.operators).clone();
            // Conversions that trap would end most functions early, and so would divisions by zero.
            if op.name.contains("trunc_f") {
                return;
            }
            let mut operands: Vec<String> = op.params.iter().map(|ty| self.value(*ty)).collect();
            if op.name.contains("div_") || op.name.contains("rem_") {
                operands[1] = format!("({}.const {})", name(op.params[1]), 1 + self.random.below(9));
            }
            let text = format!("({} {})", op.name, operands.join(" "));
            match (op.result, self.random.below(3)) {
                (Type::I32, 0) => self.put(&format!("(local.set $s (i32.xor (local.get $s) {text}))")),
                (Type::I32, 1) => self.put(&format!("(if {text} (then (global.set $g (local.get $s))))")),
                _ => self.put(&format!("(drop {text})")),
            }
            return;
        }
        let mut text = (*self.random.pick(BETWEEN)).to_string();
        for what in ["@a", "@b", "@i", "@l"] {
            while let Some(at) = text.find(what) {
                let by = match what {
                    "@i" => self.value(Type::I32),
                    "@l" => self.value(Type::I64),
                    _ => self.random.below(64).to_string(),
                };
                text.replace_range(at..at + 2, &by);
            }
        }
        self.put(&text);
    }

    fn betweens(&mut self) {
        for _ in 0..self.random.below(3) {
            self.between();
        }
    }

    /// A write of the local.
    fn write(&mut self, ty: Type, local: &str) {
        let (value, condition) = (self.value(ty), self.value(Type::I32));
        let text = match self.random.below(8) {
            0 => format!("(drop (local.tee {local} {value}))"),
            1 => format!("(if {condition} (then (local.set {local} {value})))"),
            2 => format!("(block (br_if 0 {condition}) (local.set {local} {value}))"),
            3 => format!("(block (try_table (catch_all 0) (local.set {local} {value}) (call $throw {condition})))"),
            4 => format!("(loop (local.set {local} {value}))"),
            _ => format!("(local.set {local} {value})"),
        };
        self.put(&text);
    }

    /// One to three reads that wait, operators, writes, and then the use of what was read.
    fn unit(&mut self) {
        let first = *self.random.pick(&TYPES);
        let local = self.local(first);
        if self.random.one_in(2) {
            self.write(first, &local);
        }
        // How many waits are in the same block, and how they get out of it.
        let many = if self.random.one_in(2) { 1 } else { 1 + self.random.below(3) };
        let result = name(first);
        let frame = *self.random.pick(&["", "", "block", "loop", "if", "try_table", "br", "br_if"]);
        match frame {
            "" => {}
            "if" => {
                let condition = self.value(Type::I32);
                let other = self.value(first);
                // The other arm comes first, so that the waiting read is the last thing in its arm.
                self.put(&format!("{condition} (if (result {result}) (then {other}) (else"));
            }
            "br" | "br_if" => self.put(&format!("(block (result {result})")),
            frame => self.put(&format!("({frame} (result {result})")),
        }
        let mut waiting = Vec::new();
        if frame.is_empty() {
            for _ in 1..many {
                let ty = *self.random.pick(&TYPES);
                let other = if ty == first { local.clone() } else { self.local(ty) };
                self.put(&format!("(local.get {other})"));
                waiting.push(ty);
            }
        } else {
            self.write(first, &local);
            self.betweens();
        }
        if self.random.one_in(4) {
            let value = self.value(first);
            self.put(&format!("(local.tee {local} {value})"));
        } else {
            self.put(&format!("(local.get {local})"));
        }
        waiting.push(first);
        self.betweens();
        if frame.is_empty() || self.random.one_in(2) {
            self.write(first, &local);
        }
        match frame {
            "" => {}
            "if" => self.put("))"),
            "br" => self.put("(br 0))"),
            "br_if" => {
                let (condition, value) = (self.value(Type::I32), self.value(first));
                self.put(&format!("{condition} (br_if 0) (drop) {value})"));
            }
            _ => self.put(")"),
        }
        self.betweens();
        for ty in waiting.into_iter().rev() {
            self.put(match ty {
                Type::I32 => "(i32.xor (local.get $s)) (i32.rotl (i32.const 5)) (local.set $s)",
                Type::I64 => "(i64.xor (local.get $u)) (i64.rotl (i64.const 7)) (local.set $u)",
                Type::F32 => "(i32.reinterpret_f32) (i32.add (local.get $s)) (local.set $s)",
                Type::F64 => "(i64.reinterpret_f64) (i64.add (local.get $u)) (local.set $u)",
                _ => {
                    "(local.tee $v) (i64x2.extract_lane 0) (i64.add (i64x2.extract_lane 1 (local.get $v)))
                     (i64.xor (local.get $u)) (local.set $u)"
                }
            });
        }
    }
}
