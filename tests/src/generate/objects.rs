//! Random programs on objects: structures of three types below one another, arrays of references and numbers, small
//! integers, nulls. They are kept in locals, globals, tables and each other, tested, cast and compared, while
//! collections happen at calls between. Most programs end without a trap, and what they return depends on all that they
//! kept.

use super::Generated;
use crate::observe::{Type, interesting};
use crate::random::Random;

const HEAD: &str = r#"
(rec
  (type $node (sub (struct (field (mut i32)) (field (mut (ref null $node))))))
  (type $wide (sub $node (struct (field (mut i32)) (field (mut (ref null $node)))
    (field (mut i64)) (field (mut i8)) (field (mut i16)) (field (mut v128)) (field (mut anyref))
    (field (mut funcref)))))
  (type $last (sub final $wide (struct (field (mut i32)) (field (mut (ref null $node)))
    (field (mut i64)) (field (mut i8)) (field (mut i16)) (field (mut v128)) (field (mut anyref)) (field (mut funcref))
    (field (mut externref)) (field f64)))))
(type $refs (array (mut anyref)))
(type $bytes (array (mut i8)))
(type $longs (array (mut i64)))
(type $leaf (func (param (ref null $node) i32) (result (ref null $node))))
(import "host" "collect" (func $collect))
(memory (export "memory") 1)
(global $kept (mut anyref) (ref.null any))
(global $same (mut (ref null $node)) (ref.null $node))
(table $t 8 8 anyref)
(table $f funcref (elem $push $drop $push $same_as))
(data $d "\01\80\ff\7f\00\fe\55\aa\03\9c\10\20\30\40\50\60")
(elem $e anyref (ref.null any) (ref.i31 (i32.const 5)) (ref.i31 (i32.const -1)) (ref.null any))
(func $push (type $leaf)
  (global.set $kept (local.get 0))
  (struct.new $node (local.get 1) (local.get 0)))
(func $drop (type $leaf)
  (drop (struct.new $node (local.get 1) (local.get 0)))
  (if (i32.and (local.get 1) (i32.const 1)) (then (call $collect)))
  (local.get 0))
(func $same_as (type $leaf)
  (global.set $same (local.get 0))
  (return_call $drop (local.get 0) (local.get 1)))
(func $sum (param $x anyref) (param $depth i32) (result i32) (local $n (ref null $node)) (local $w (ref null $wide))
  (if (i32.eqz (local.get $depth)) (then (return (ref.is_null (local.get $x)))))
  (if (ref.test (ref i31) (local.get $x)) (then (return (i31.get_s (ref.cast (ref i31) (local.get $x))))))
  (block $other (result anyref)
    (local.set $n (br_on_cast_fail $other anyref (ref $node) (local.get $x)))
    (local.set $w (block $wide (result (ref null $wide))
      (drop (br_on_cast $wide (ref null $node) (ref $wide) (local.get $n))) (ref.null $wide)))
    (if (ref.is_null (local.get $w)) (then
      (return (i32.add (struct.get $node 0 (local.get $n)) (i32.mul (i32.const 3)
        (call $sum (struct.get $node 1 (local.get $n)) (i32.sub (local.get $depth) (i32.const 1))))))))
    (return (i32.add
      (i32.xor (i32.wrap_i64 (struct.get $wide 2 (local.get $w))) (struct.get_s $wide 3 (local.get $w)))
      (i32.add
        (i32.add (struct.get_u $wide 4 (local.get $w)) (i32x4.extract_lane 1 (struct.get $wide 5 (local.get $w))))
        (i32.add (ref.is_null (struct.get $wide 7 (local.get $w)))
          (call $sum (struct.get $wide 6 (local.get $w)) (i32.sub (local.get $depth) (i32.const 1))))))))
  (if (ref.test (ref $refs) (local.get $x)) (then
    (if (i32.eqz (array.len (ref.cast (ref $refs) (local.get $x)))) (then (return (i32.const 11))))
    (return (call $sum (array.get $refs (ref.cast (ref $refs) (local.get $x)) (i32.const 0))
      (i32.sub (local.get $depth) (i32.const 1))))))
  (if (ref.test arrayref (local.get $x)) (then (return (array.len (ref.cast arrayref (local.get $x))))))
  (drop)
  (i32.const 7))
(elem declare func $push $drop)
"#;

const LOCALS: &str = "(local $a i32) (local $b i64) (local $n (ref null $node)) (local $w (ref null $wide))
  (local $l (ref null $last)) (local $x anyref) (local $y anyref) (local $q eqref) (local $i i31ref)
  (local $r (ref null $refs)) (local $s (ref null $bytes)) (local $v (ref null $longs)) (local $h externref)
  (local $z funcref) (local $v128 v128)";

/// What is kept at the end, in one number.
const END: &str = "(i32.xor (i32.xor
    (i32.add (local.get $a) (i32.wrap_i64 (local.get $b)))
    (i32.add (i32.mul (i32.const 5) (call $sum (local.get $n) (i32.const 6))) (call $sum (local.get $w) (i32.const 5))))
  (i32.xor
    (i32.add (call $sum (local.get $x) (i32.const 6)) (i32.mul (i32.const 9) (call $sum (local.get $q) (i32.const 3))))
    (i32.add (i32.add (call $sum (local.get $r) (i32.const 4)) (call $sum (local.get $y) (i32.const 6)))
      (i32.add (call $sum (global.get $kept) (i32.const 4)) (call $sum (table.get $t (i32.const 3)) (i32.const 4))))))";

/// A module of a few functions of about `budget` statements each.
#[must_use]
pub fn module(random: impl Into<Random>, budget: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..3 {
        let mut body = Body { random: &mut random, budget, labels: 0, counters: 0, number };
        let mut code = String::new();
        while body.budget > 0 {
            code += &body.statement(3);
        }
        let counters: String = (0..body.counters).map(|i| format!("(local $c{i} i32) ")).collect();
        let rows = (0..4).map(|_| vec![interesting(Type::I32, random.bits()), interesting(Type::I64, random.bits())]);
        let text =
            format!("{LOCALS} {counters}\n(local.set $a (local.get 0)) (local.set $b (local.get 1))\n{code}\n{END}");
        let rows = rows.collect();
        module.func(&format!("f{number}"), &[Type::I32, Type::I64], &[Type::I32], &text, rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    budget: usize,
    labels: usize,
    counters: usize,
    number: usize,
}

impl Body<'_> {
    fn label(&mut self) -> String {
        self.labels += 1;
        format!("$x{}", self.labels)
    }

    fn statements(&mut self, depth: usize) -> String {
        (0..1 + self.random.below(4)).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: usize) -> String {
        if self.budget == 0 {
            return String::new();
        }
        self.budget -= 1;
        let mut text = match self.random.below(if depth > 0 { 27 } else { 21 }) {
            0 | 1 => format!("(local.set $a {})", self.int(2)),
            2 => format!("(local.set $b {})", self.long(2)),
            3 | 4 => format!("(local.set $n {})", self.node(2)),
            5 => format!("(local.set $w {})", self.wide(2)),
            6 => {
                let local = *self.random.pick(&["$x", "$y"]);
                format!("(local.set {local} {})", self.any(2))
            }
            7 => format!("(local.set $q {})", self.eq(2)),
            8 => {
                let (local, value) = match self.random.below(4) {
                    0 => ("$r", self.refs(2)),
                    1 => ("$s", self.byte_array()),
                    2 => ("$v", self.long_array()),
                    _ => ("$i", format!("(ref.i31 {})", self.int(1))),
                };
                format!("(local.set {local} {value})")
            }
            9 => format!("(global.set $kept {})", self.any(2)),
            10 => format!("(table.set $t (i32.and {} (i32.const 7)) {})", self.int(1), self.any(1)),
            11 | 12 => self.store(),
            13 => "(call $collect)".into(),
            14 | 15 => self.cast(),
            16 => match self.random.below(3) {
                0 => format!("(local.set $h (extern.convert_any {}))", self.any(1)),
                1 => "(local.set $x (any.convert_extern (local.get $h)))".into(),
                _ => format!("(local.set $z {})", self.func()),
            },
            17 => self.bulk(),
            18 => self.call(),
            19 => format!("(if (ref.is_null {}) (then (local.set $a {})))", self.any(2), self.int(1)),
            // It may trap, but mostly where the rest of the function is not worth much.
            20 if self.random.one_in(3) => self.unguarded(),
            20 => format!("(local.set $a (i32.add (local.get $a) {}))", self.int(2)),
            21 | 22 => {
                let condition = self.int(2);
                let (then, other) = (self.statements(depth - 1), self.statements(depth - 1));
                format!("(if {condition} (then\n{then}) (else\n{other}))")
            }
            23 | 24 => {
                let counter = format!("$c{}", self.counters);
                self.counters += 1;
                let times = 1 + self.random.below(4);
                let (label, inner) = (self.label(), self.statements(depth - 1));
                format!(
                    "(local.set {counter} (i32.const {times}))
                    (loop {label}\n{inner}
                    (br_if {label} (local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))))"
                )
            }
            25 => {
                // A block whose result is a reference that may come from a branch.
                let (label, condition, first) = (self.label(), self.int(1), self.node(1));
                let (inner, last) = (self.statements(depth - 1), self.node(1));
                format!(
                    "(local.set $n (block {label} (result (ref null $node))
                    (drop (br_if {label} {first} {condition}))\n{inner} {last}))"
                )
            }
            _ => {
                let (label, inner) = (self.label(), self.statements(depth - 1));
                let exit = match self.random.below(3) {
                    0 => format!("(drop (br_on_null {label} {}))", self.any(1)),
                    1 => format!("(br_if {label} (ref.test (ref null $wide) {}))", self.any(1)),
                    _ => format!("(br_if {label} {})", self.int(1)),
                };
                format!("(block {label} {exit}\n{inner})")
            }
        };
        text.push('\n');
        text
    }

    /// Writes into an object, if there is one.
    fn store(&mut self) -> String {
        let label = self.label();
        let node = self.node(1);
        let inner = match self.random.below(9) {
            0 => format!("(struct.set $node 0 (br_on_null {label} {node}) {})", self.int(2)),
            1 | 2 => format!("(struct.set $node 1 (br_on_null {label} {node}) {})", self.node(1)),
            3 => {
                let field = self.random.below(3) + 2;
                let value = if field == 2 { self.long(1) } else { self.int(1) };
                format!("(struct.set $wide {field} (br_on_null {label} {}) {value})", self.wide(1))
            }
            4 => format!("(struct.set $wide 5 (br_on_null {label} {}) (i32x4.splat {}))", self.wide(1), self.int(1)),
            5 => format!("(struct.set $wide 6 (br_on_null {label} {}) {})", self.wide(1), self.any(1)),
            6 => format!("(struct.set $wide 7 (br_on_null {label} {}) {})", self.wide(1), self.func()),
            7 => {
                let index = self.random.below(4);
                format!(
                    "(if (i32.lt_u (i32.const {index}) (array.len (br_on_null {label} (local.get $r)))) (then
                    (array.set $refs (local.get $r) (i32.const {index}) {})))",
                    self.any(1)
                )
            }
            _ => format!(
                "(if (array.len (br_on_null {label} (local.get $v))) (then
                (array.set $longs (local.get $v) (i32.rem_u {} (array.len (local.get $v))) {})))",
                self.int(1),
                self.long(1)
            ),
        };
        format!("(block {label} {inner})")
    }

    /// Tests a reference's type by a branch.
    fn cast(&mut self) -> String {
        let (label, any) = (self.label(), self.any(2));
        let (local, ty) = *self.random.pick(&[
            ("$n", "$node"),
            ("$w", "$wide"),
            ("$l", "$last"),
            ("$i", "i31"),
            ("$r", "$refs"),
            ("$q", "eq"),
            ("$s", "$bytes"),
        ]);
        let null = if self.random.one_in(2) { "null " } else { "" };
        if self.random.one_in(2) {
            format!(
                "(local.set {local} (block {label} (result (ref null {ty}))
                (local.set $y (br_on_cast {label} anyref (ref {null}{ty}) {any})) (local.get {local})))"
            )
        } else {
            format!(
                "(local.set $x (block {label} (result anyref)
                (local.set {local} (br_on_cast_fail {label} anyref (ref {null}{ty}) {any})) (local.get $y)))"
            )
        }
    }

    fn bulk(&mut self) -> String {
        let label = self.label();
        match self.random.below(6) {
            0 => format!("(table.fill $t (i32.const {}) {} (i32.const 2))", self.random.below(7), self.any(1)),
            1 => "(table.copy $t $t (i32.const 0) (i32.const 3) (i32.const 4))".into(),
            2 => format!("(table.init $t $e (i32.const {}) (i32.const 1) (i32.const 2))", self.random.below(6)),
            3 => format!(
                "(block {label} (array.fill $refs (br_on_null {label} (local.get $r)) (i32.const 0) {}
                (i32.shr_u (array.len (local.get $r)) (i32.const 1))))",
                self.any(1)
            ),
            4 => format!(
                "(block {label} (array.copy $refs $refs (br_on_null {label} (local.get $r)) (i32.const 0) (local.get $r)
                (i32.shr_u (array.len (local.get $r)) (i32.const 1))
                (i32.shr_u (array.len (local.get $r)) (i32.const 1))))"
            ),
            _ => "(local.set $s (array.new_data $bytes $d (i32.const 2) (i32.const 9)))
                (array.init_data $bytes $d (local.get $s) (i32.const 1) (i32.const 3) (i32.const 5))"
                .into(),
        }
    }

    fn call(&mut self) -> String {
        match self.random.below(4) {
            0 if self.number > 0 => {
                let callee = self.random.below(self.number);
                // Each call of a function from the next is as long as itself, so one seldom calls another.
                format!(
                    "(if (i32.eq (local.get $a) {}) (then (local.set $a (call $f{callee} {} {}))))",
                    self.int(1),
                    self.int(1),
                    self.long(1)
                )
            }
            1 => format!(
                "(local.set $n (call_indirect $f (type $leaf) {} {} (i32.and {} (i32.const 3))))",
                self.node(1),
                self.int(1),
                self.int(1)
            ),
            2 => format!(
                "(local.set $n (call_ref $leaf {} {} (ref.func {})))",
                self.node(2),
                self.int(1),
                self.random.pick(&["$push", "$drop"])
            ),
            _ => format!("(local.set $n (call $same_as {} {}))", self.node(2), self.int(1)),
        }
    }

    fn unguarded(&mut self) -> String {
        match self.random.below(8) {
            0 => format!("(local.set $a (struct.get $node 0 {}))", self.node(1)),
            1 => format!("(local.set $w (ref.cast (ref null $wide) {}))", self.any(1)),
            2 => format!("(local.set $y (array.get $refs {} {}))", self.refs(1), self.int(1)),
            3 => format!("(local.set $a (i31.get_u (ref.cast (ref i31) {})))", self.any(1)),
            4 => format!("(array.set $refs {} {} {})", self.refs(1), self.int(1), self.any(1)),
            5 => format!("(local.set $b (struct.get $wide 2 (ref.as_non_null {})))", self.wide(1)),
            6 => format!("(drop (array.new_data $bytes $d {} (i32.const 3)))", self.int(1)),
            _ => format!("(array.fill $longs {} {} {} (i32.const 1))", self.long_array(), self.int(1), self.long(1)),
        }
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.random.below(3) {
                0 => "(local.get $a)".into(),
                _ => format!("(i32.const {})", self.random.below(70) as i32 - 6),
            };
        }
        match self.random.below(13) {
            0 => format!("(ref.is_null {})", self.any(depth - 1)),
            1 | 2 => {
                let ty = *self.random.pick(&[
                    "(ref $node)",
                    "(ref null $node)",
                    "(ref $wide)",
                    "(ref null $last)",
                    "(ref i31)",
                    "(ref null i31)",
                    "(ref eq)",
                    "(ref null none)",
                    "(ref $refs)",
                    "(ref array)",
                    "(ref null struct)",
                ]);
                format!("(ref.test {ty} {})", self.any(depth - 1))
            }
            3 => format!("(ref.eq {} {})", self.eq(depth - 1), self.eq(depth - 1)),
            4 | 5 => {
                // A field, or what there is instead of one.
                let label = self.label();
                let (end, outer) = (self.int(0), self.label());
                let get = match self.random.below(4) {
                    0 => format!("(struct.get_s $wide 3 (br_on_null {label} {}))", self.wide(depth - 1)),
                    1 => format!("(struct.get_u $wide 4 (br_on_null {label} {}))", self.wide(depth - 1)),
                    2 => format!("(array.len (br_on_null {label} {}))", self.refs(depth - 1)),
                    _ => format!("(struct.get $node 0 (br_on_null {label} {}))", self.node(depth - 1)),
                };
                format!("(block {outer} (result i32) (block {label} (br {outer} {get})) {end})")
            }
            6 => format!("(i32.wrap_i64 {})", self.long(depth - 1)),
            7 => {
                let label = self.label();
                let outer = self.label();
                format!(
                    "(block {outer} (result i32) (block {label} (br {outer}
                    (i31.get_{} (br_on_null {label} (local.get $i))))) (i32.const 4))",
                    self.random.pick(&["s", "u"])
                )
            }
            8 => format!("(call $sum {} (i32.const 2))", self.any(depth - 1)),
            _ => {
                let op = *self.random.pick(&["add", "sub", "mul", "xor", "and", "shl", "lt_s", "ne"]);
                format!("(i32.{op} {} {})", self.int(depth - 1), self.int(depth - 1))
            }
        }
    }

    fn long(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 2 } else { 5 }) {
            0 => "(local.get $b)".into(),
            1 => format!("(i64.const {})", self.random.below(5000) as i64 * -0x0123_4567_89ab),
            2 => format!("(i64.extend_i32_u {})", self.int(depth - 1)),
            3 => {
                let (label, outer) = (self.label(), self.label());
                format!(
                    "(block {outer} (result i64) (block {label} (br {outer}
                    (struct.get $wide 2 (br_on_null {label} {})))) (i64.const -7))",
                    self.wide(depth - 1)
                )
            }
            _ => format!("(i64.add {} {})", self.long(depth - 1), self.long(depth - 1)),
        }
    }

    fn node(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 4 } else { 11 }) {
            0 => "(local.get $w)".into(),
            1 => "(ref.null $node)".into(),
            2 | 3 => "(local.get $n)".into(),
            4 => "(global.get $same)".into(),
            5 => self.wide(depth - 1),
            6 => {
                let (a, b, c) = (self.node(depth - 1), self.node(depth - 1), self.int(depth - 1));
                format!("(select (result (ref null $node)) {a} {b} {c})")
            }
            7 => format!("(local.tee $n {})", self.node(depth - 1)),
            8 => format!("(call $push {} {})", self.node(depth - 1), self.int(0)),
            _ => format!("(struct.new $node {} {})", self.int(depth - 1), self.node(depth - 1)),
        }
    }

    fn wide(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 3 } else { 7 }) {
            0 => "(local.get $w)".into(),
            1 => "(local.get $l)".into(),
            2 => "(ref.null $wide)".into(),
            3 => "(struct.new_default $wide)".into(),
            4 => "(struct.new_default $last)".into(),
            _ => {
                let (int, node, long) = (self.int(depth - 1), self.node(depth - 1), self.long(depth - 1));
                let (byte, short) = (self.int(0), self.int(depth - 1));
                let (any, func) = (self.any(depth - 1), self.func());
                let fields = format!("{int} {node} {long} {byte} {short} (i32x4.splat (local.get $a)) {any} {func}");
                if self.random.one_in(2) {
                    format!("(struct.new $wide {fields})")
                } else {
                    format!("(struct.new $last {fields} (local.get $h) (f64.const 0.5))")
                }
            }
        }
    }

    fn eq(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 4 } else { 7 }) {
            0 => "(local.get $q)".into(),
            1 => "(local.get $i)".into(),
            2 => "(ref.null eq)".into(),
            3 | 4 => self.node(depth),
            5 => self.refs(depth),
            _ => format!("(ref.i31 {})", self.int(depth - 1)),
        }
    }

    fn any(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 5 } else { 10 }) {
            0 => "(local.get $x)".into(),
            1 => "(local.get $y)".into(),
            2 => "(ref.null any)".into(),
            3 => "(global.get $kept)".into(),
            4 => self.eq(depth),
            5 => format!("(table.get $t (i32.const {}))", self.random.below(8)),
            6 => format!("(ref.i31 {})", self.int(depth - 1)),
            7 => {
                let (a, b, c) = (self.any(depth - 1), self.any(depth - 1), self.int(depth - 1));
                format!("(select (result anyref) {a} {b} {c})")
            }
            8 => {
                // An element, or what there is instead.
                let (outer, label, index) = (self.label(), self.label(), self.random.below(4));
                format!(
                    "(block {outer} (result anyref) (block {label}
                    (br_if {label} (i32.le_u (array.len (br_on_null {label} (local.get $r))) (i32.const {index})))
                    (br {outer} (array.get $refs (local.get $r) (i32.const {index})))) (local.get $x))"
                )
            }
            _ => self.eq(depth - 1),
        }
    }

    fn refs(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 2 } else { 6 }) {
            0 | 1 => "(local.get $r)".into(),
            2 => format!("(array.new_default $refs (i32.const {}))", self.random.below(9)),
            3 => format!("(array.new $refs {} (i32.const {}))", self.any(depth - 1), self.random.below(40)),
            4 => "(array.new_elem $refs $e (i32.const 0) (i32.const 4))".into(),
            _ => {
                // Sometimes more operands than there are registers, all of them references.
                let many = *self.random.pick(&[1, 2, 3, 5, 30]);
                let items: String = (0..many).map(|_| self.any(0) + " ").collect();
                format!("(array.new_fixed $refs {many} {items})")
            }
        }
    }

    fn byte_array(&mut self) -> String {
        match self.random.below(3) {
            0 => "(local.get $s)".into(),
            1 => format!("(array.new $bytes {} (i32.const {}))", self.int(1), self.random.below(20)),
            _ => "(array.new_data $bytes $d (i32.const 1) (i32.const 8))".into(),
        }
    }

    fn long_array(&mut self) -> String {
        match self.random.below(3) {
            0 => "(local.get $v)".into(),
            1 => format!("(array.new $longs {} (i32.const {}))", self.long(1), self.random.below(12)),
            _ => format!("(array.new_fixed $longs 2 {} {})", self.long(1), self.long(1)),
        }
    }

    fn func(&mut self) -> String {
        (*self.random.pick(&["(local.get $z)", "(ref.null func)", "(ref.func $push)", "(table.get $f (i32.const 1))"]))
            .into()
    }
}
