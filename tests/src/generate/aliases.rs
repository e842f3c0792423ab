//! One memory, table, global and tag under several names: imported twice, changed by its owner, by the host and by
//! this very module, under any of the names. Whatever is done under one name must be seen under all others at once.

use super::{Generated, Linked};
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

/// A module and its owner. Memories are of 32-bit or 64-bit addresses; memory 0 is one of the names, or another memory.
#[must_use]
pub fn module(random: impl Into<Random>, budget: usize) -> Linked {
    let mut random = random.into();
    let ty = if random.one_in(2) { "i64" } else { "i32" };
    let limit = if random.one_in(4) { "40" } else { "" };
    let index = if ty == "i64" { "i64" } else { "" };
    let owner = format!(
        r#"(module
  (memory $m (export "m") {index} 1 {limit}) (memory (export "other") {index} 1 {limit})
  (table $t (export "t") 4 60 funcref) (global $g (export "g") (mut i32) (i32.const 5))
  (tag (export "e") (param i32))
  (func (export "grow") (param {ty}) (result {ty}) (memory.grow $m (local.get 0)))
  (func (export "write") (param {ty} i32) (i32.store8 $m (local.get 0) (local.get 1)))
  (func (export "set") (param i32) (global.set $g (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))"#
    );
    // Which memory comes under which index.
    let mut memories = vec!["m", "m"];
    for extra in ["m", "other"] {
        if random.one_in(2) {
            let at = random.below(memories.len() + 1);
            memories.insert(at, extra);
        }
    }
    let mut head = String::new();
    for (index_of, name) in memories.iter().enumerate() {
        writeln!(head, r#"(import "owner" "{name}" (memory $m{index_of} {index} 1 {limit}))"#)
            .expect("a string takes all");
    }
    head += r#"(import "owner" "t" (table $t0 4 60 funcref)) (import "owner" "t" (table $t1 4 60 funcref))
(import "owner" "g" (global $g0 (mut i32))) (import "owner" "g" (global $g1 (mut i32)))
(import "owner" "e" (tag $e0 (param i32))) (import "owner" "e" (tag $e1 (param i32)))
(import "owner" "set" (func $set (param i32)))
(import "owner" "grow_table" (func $grow_table (param i32) (result i32)))
"#;
    write!(
        head,
        r#"(import "owner" "grow" (func $grow (param {ty}) (result {ty})))
(import "owner" "write" (func $write (param {ty} i32)))
(import "host" "grow_memory" (func $host_grow (param {ty}) (result {ty})))
(memory $own {index} 1 20) (export "m" (memory $m0)) (export "own" (memory $own)) (export "t" (table $t1))
(export "g" (global $g1))
(type $step (func (param i32) (result i32)))
(func $one (type $step) (i32.add (local.get 0) (i32.const 1)))
(func $two (type $step) (i32.mul (local.get 0) (i32.const 3)))
(elem $refs func $one $two $one) (data $bytes "aliases of one thing")"#
    )
    .expect("a string takes all");
    let mut user = Generated::new(head);
    for number in 0..3 {
        let mut body =
            Body { random: &mut random, ty, memories: memories.len(), text: String::new(), labels: 0, budget };
        body.steps(0);
        let text = format!(
            "(local $a i32) (local $b i32) (local $n i32) (local.set $a (local.get 0)) {} (local.get $a)",
            body.text
        );
        let rows = (0..3).map(|_| vec![Value::I32(random.bits() as u32 & 0x3f)]).collect();
        user.func(&format!("f{number}"), &[Type::I32], &[Type::I32], &text, rows);
    }
    Linked { owner, user }
}

struct Body<'a> {
    random: &'a mut Random,
    /// The type of addresses.
    ty: &'static str,
    memories: usize,
    text: String,
    labels: usize,
    budget: usize,
}

impl Body<'_> {
    fn put(&mut self, text: &str) {
        writeln!(self.text, "  {text}").expect("a string takes all");
    }

    fn steps(&mut self, depth: usize) {
        for _ in 0..4 + self.random.below(8) {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            self.step(depth);
        }
    }

    /// A name of a memory: one of those imported, or the module's own.
    fn memory(&mut self) -> String {
        match self.random.below(self.memories + 1) {
            at if at < self.memories => format!("$m{at}"),
            _ => "$own".into(),
        }
    }

    /// An address: constant, in a local, or just below what was the end before a growth.
    fn address(&mut self) -> String {
        let ty = self.ty;
        match self.random.below(4) {
            0 => format!("({ty}.const {})", self.random.below(65_000)),
            1 => format!("({ty}.const {})", 65_536 * self.random.below(4) + 65_500),
            _ if ty == "i64" => "(i64.extend_i32_u (i32.and (local.get $b) (i32.const 0xfff8)))".into(),
            _ => "(i32.and (local.get $b) (i32.const 0xfff8))".into(),
        }
    }

    /// An `i32` made of an index.
    fn narrow(&self, value: &str) -> String {
        if self.ty == "i64" { format!("(i32.wrap_i64 {value})") } else { value.into() }
    }

    fn fold(&mut self, value: &str) {
        self.put(&format!("(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 31)) {value}))"));
    }

    fn step(&mut self, depth: usize) {
        let ty = self.ty;
        let n = self.random.below(200);
        let (memory, address) = (self.memory(), self.address());
        let table = *self.random.pick(&["$t0", "$t1"]);
        let (global, other) = (*self.random.pick(&["$g0", "$g1"]), *self.random.pick(&["$g0", "$g1"]));
        match self.random.below(if depth < 2 { 20 } else { 17 }) {
            0 | 1 => self.put(&format!("(i32.store {memory} {address} (i32.add (local.get $a) (i32.const {n})))")),
            2..=4 => self.fold(&format!("(i32.load {memory} {address})")),
            5 | 6 => {
                let pages = self.random.below(3);
                let grown = self.narrow(&format!("(memory.grow {memory} ({ty}.const {pages}))"));
                self.fold(&grown);
            }
            7 => {
                let who = *self.random.pick(&["$grow", "$host_grow"]);
                let grown = self.narrow(&format!("(call {who} ({ty}.const 1))"));
                self.fold(&grown);
            }
            8 => {
                let size = self.narrow(&format!("(memory.size {memory})"));
                self.fold(&size);
            }
            9 => {
                let (from, at) = (self.memory(), self.address());
                let length = *self.random.pick(&[3, 16, 40, 200]);
                self.put(&format!("(memory.copy {memory} {from} {address} {at} ({ty}.const {length}))"));
            }
            10 => self.put(&format!(
                "(memory.init {memory} $bytes {address} (i32.const {}) (i32.const {}))",
                n % 8,
                n % 12
            )),
            11 => self.put(&format!("(call $write {address} (i32.const {n})) (i32.store8 {memory} {address} (local.get $b))")),
            12 => self.put(&match n % 5 {
                0 => format!("(table.set {table} (i32.const {}) (ref.func $two))", n % 4),
                1 => format!("(table.copy $t0 $t1 (i32.const {}) (i32.const {}) (i32.const 2))", n % 3, n / 3 % 3),
                2 => format!("(table.init {table} $refs (i32.const {}) (i32.const 0) (i32.const {}))", n % 2, n % 4),
                3 => format!("(table.fill {table} (i32.const {}) (ref.func $one) (i32.const 2))", n % 3),
                _ => format!("(table.set {table} (i32.const {}) (table.get $t1 (i32.const {})))", n % 4, n / 4 % 4),
            }),
            13 => {
                let grown = match n % 3 {
                    0 => format!("(table.grow {table} (ref.func $one) (i32.const {}))", n % 5),
                    1 => "(call $grow_table (i32.const 2))".into(),
                    _ => format!("(table.size {table})"),
                };
                self.fold(&grown);
            }
            // A null element traps, which ends the call: not too often.
            14 => {
                let at = n % 4;
                self.fold(&format!(
                    "(if (result i32) (ref.is_null (table.get {table} (i32.const {at}))) (then (i32.const 9))
    (else (call_indirect $t0 (type $step) (local.get $a) (i32.const {at}))))"
                ));
            }
            // The first value waits while the same global is set under another name.
            15 => self.fold(&format!(
                "(i32.sub (global.get {global}) (block (result i32) (global.set {other} (i32.const {n})) (global.get {global})))"
            )),
            16 => {
                self.put(&format!("(global.set {global} (i32.add (global.get {other}) (local.get $a)))"));
                self.put(&format!("(call $set (i32.const {n}))"));
                self.fold(&format!("(global.get {global})"));
            }
            17 => {
                let (thrown, caught) = (*self.random.pick(&["$e0", "$e1"]), *self.random.pick(&["$e0", "$e1"]));
                self.labels += 1;
                let label = self.labels;
                self.put(&format!("(block $h{label} (result i32) (try_table (catch {caught} $h{label})"));
                self.steps(depth + 1);
                self.put(&format!("(throw {thrown} (local.get $a))) (unreachable)) (local.set $b)"));
            }
            _ => {
                self.labels += 1;
                let label = self.labels;
                if depth == 0 {
                    self.put("(local.set $n (i32.const 3))");
                    self.put(&format!("(loop $l{label} (local.set $b (i32.add (local.get $b) (i32.const 12)))"));
                    self.steps(depth + 1);
                    self.put(&format!("(br_if $l{label} (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"));
                } else {
                    self.put("(if (i32.and (local.get $a) (i32.const 1)) (then");
                    self.steps(depth + 1);
                    self.put("))");
                }
            }
        }
    }
}
