//! Random programs as a compiler of another language would give them: assignments of nested expressions to locals,
//! arrays in memory walked by counted loops, conditions that compare, switches, early exits, calls. Every program ends,
//! most of its values reach what can be seen, and loops without calls, in which locals stay in registers, are as common
//! as those with.

use super::{Generated, clause, literal, name};
use crate::observe::{Type, Value, interesting};
use crate::random::Random;
use std::fmt::Write as _;

/// What the functions have around them.
const HEAD: &str = r#"
(import "host" "note" (func $note (param i32 f64) (result i32)))
(type $pair (struct (field (mut i32)) (field (mut i64)) (field (mut f64)) (field (mut i8)) (field (mut (ref null $pair)))))
(type $row (array (mut i64)))
(type $leaf (func (param i32 i64) (result i64)))
(memory (export "memory") 1 1)
(data (i32.const 0) "\03\9c\00\ff\80\7f\01\fe\12\34\56\78\9a\bc\de\f0 the quick brown fox jumps over the lazy dog")
(global $g0 (export "g0") (mut i32) (i32.const 5))
(global $g1 (export "g1") (mut i64) (i64.const -5))
(global $g3 (export "g3") (mut f64) (f64.const -0.25))
(table $t 4 funcref)
(elem (i32.const 0) $leaf0 $leaf1 $leaf2 $leaf0)
(func $leaf0 (type $leaf) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
(func $leaf1 (type $leaf) (i64.xor (i64.load offset=64 (i32.and (local.get 0) (i32.const 0xff8))) (local.get 1)))
(func $leaf2 (type $leaf)
  (if (i32.lt_u (i32.and (local.get 0) (i32.const 31)) (i32.const 3)) (then (return (local.get 1))))
  (return_call $leaf2 (i32.sub (i32.and (local.get 0) (i32.const 31)) (i32.const 2)) (i64.mul (local.get 1) (i64.const 7))))
(func $wide (param i32 i64 f64 i32 i32 i64 i32 i32 i32 f64 i64) (result i32 i64 f64)
  (i32.add (local.get 8) (local.get 3)) (i64.sub (local.get 10) (local.get 5)) (local.get 9))
(func $plain (param f64) (result f64) (select (local.get 0) (f64.const 0.5) (f64.eq (local.get 0) (local.get 0))))
"#;

/// The comparisons of integers.
const COMPARE: [&str; 10] = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];

/// A module of a few random functions, of statements nested `depth` deep.
#[must_use]
pub fn module(random: impl Into<Random>, depth: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..3 {
        let kinds = [Type::I32, Type::I64, Type::I32, Type::F64, Type::I32, Type::V128, Type::F32];
        let kinds = &kinds[..*random.pick(&[1, 2, 4, 5, 6, 7])];
        let calls = random.one_in(2);
        let objects = random.one_in(3);
        let params: Vec<Type> = (0..1 + random.below(6)).map(|_| *random.pick(kinds)).collect();
        let locals: Vec<Type> =
            (0..random.below(*random.clone().pick(&[4, 9, 24]))).map(|_| *random.pick(kinds)).collect();
        let rows = (0..3).map(|_| params.iter().map(|ty| interesting(*ty, random.bits())).collect()).collect();
        let all = [params.as_slice(), &locals].concat();
        let results: Vec<Type> = (0..1 + random.below(3)).map(|_| *random.pick(&all)).collect();
        let mut body = Body {
            random: &mut random,
            locals: all,
            results,
            counters: Vec::new(),
            made: 0,
            calls,
            objects,
            budget: 400,
        };
        let mut code = String::new();
        for _ in 0..3 + depth {
            code.push_str(&body.statement(depth, &mut Vec::new()));
        }
        let end = body.end();
        let Body { results, made, .. } = body;
        let extra = format!(
            "{} (local $sum f64) {} (local $p (ref null $pair)) (local $r (ref null $row))",
            clause("local", &locals),
            (0..made).map(|i| format!("(local $c{i} i32)")).collect::<Vec<_>>().join(" ")
        );
        let start = if objects { "(local.set $r (array.new_default $row (i32.const 16)))" } else { "" };
        module.func(&format!("f{number}"), &params, &results, &format!("{extra}\n{start}\n{code}\n{end}"), rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    locals: Vec<Type>,
    results: Vec<Type>,
    /// The loops that are open.
    counters: Vec<usize>,
    /// How many loops there have been.
    made: usize,
    calls: bool,
    objects: bool,
    budget: usize,
}

impl Body<'_> {
    /// Everything to memory, then the results.
    fn end(&mut self) -> String {
        let mut text = String::new();
        for (i, ty) in self.locals.clone().into_iter().enumerate() {
            writeln!(text, "({}.store offset={} (i32.const 0) (local.get {i}))", name(ty), 4096 + 16 * i)
                .expect("a string takes all");
        }
        if self.objects {
            text.push_str(
                "(if (ref.is_null (local.get $p)) (then) (else (i64.store offset=4080 (i32.const 0)
                (struct.get $pair 1 (local.get $p)))))\n
                (i64.store offset=4072 (i32.const 0) (array.get $row (local.get $r) (i32.const 3)))\n",
            );
        }
        text + &self.values()
    }

    /// The results of the function.
    fn values(&mut self) -> String {
        self.results.clone().into_iter().map(|ty| self.expr(ty, 1) + " ").collect()
    }

    fn local(&mut self, ty: Type) -> Option<usize> {
        let of_type: Vec<usize> = (0..self.locals.len()).filter(|i| self.locals[*i] == ty).collect();
        (!of_type.is_empty()).then(|| *self.random.pick(&of_type))
    }

    fn statements(&mut self, depth: usize, exits: &mut Vec<String>) -> String {
        (0..1 + self.random.below(5)).map(|_| self.statement(depth, exits)).collect()
    }

    /// A statement. `exits` are the labels that it may leave to.
    fn statement(&mut self, depth: usize, exits: &mut Vec<String>) -> String {
        if self.budget == 0 {
            return String::new();
        }
        self.budget -= 1;
        let choice = if depth == 0 { self.random.below(8) } else { self.random.below(17) };
        match choice {
            0..=3 => {
                let at = self.random.below(self.locals.len());
                let ty = self.locals[at];
                let value = self.expr(ty, 3);
                format!("(local.set {at} {value})\n")
            }
            4 => {
                let (ty, op, mask) = *self.random.pick(&[
                    (Type::I32, "i32.store", 0xffc),
                    (Type::I32, "i32.store8", 0xfff),
                    (Type::I32, "i32.store16", 0xfff),
                    (Type::I64, "i64.store", 0xfff),
                    (Type::I64, "i64.store32", 0xffc),
                    (Type::I64, "i64.store8", 0xfff),
                    (Type::F64, "f64.store", 0xff8),
                ]);
                let address = self.address(mask);
                let value = self.expr(ty, 2);
                format!("({op} {address} {value})\n")
            }
            5 => {
                let (global, ty) = *self.random.pick(&[("$g0", Type::I32), ("$g1", Type::I64), ("$g3", Type::F64)]);
                let value = self.expr(ty, 2);
                format!("(global.set {global} {value})\n")
            }
            6 if self.calls => self.call(),
            6 | 7 if self.objects => self.object(),
            6 | 7 => match exits.last() {
                Some(_) => {
                    let exit = self.random.pick(exits).clone();
                    let condition = self.condition();
                    format!("(br_if {exit} {condition})\n")
                }
                None => String::new(),
            },
            8 | 9 => {
                let condition = self.condition();
                let then = self.statements(depth - 1, exits);
                if self.random.one_in(2) {
                    return format!("(if {condition} (then\n{then}))\n");
                }
                let other = self.statements(depth - 1, exits);
                format!("(if {condition} (then\n{then}) (else\n{other}))\n")
            }
            10..=12 => self.counted(depth, exits),
            13 => {
                let label = format!("$b{}", self.budget);
                exits.push(label.clone());
                let inner = self.statements(depth - 1, exits);
                exits.pop();
                format!("(block {label}\n{inner})\n")
            }
            14 => self.switch(depth, exits),
            15 => {
                let condition = self.condition();
                let values = self.values();
                format!("(if {condition} (then (return {values})))\n")
            }
            _ => {
                let (to, from) = (self.address(0xfff), self.address(0xfff));
                let bytes = *self.random.pick(&[0, 1, 3, 8, 16, 24, 31, 64, 100]);
                if self.random.one_in(2) {
                    format!("(memory.copy {to} {from} (i32.const {bytes}))\n")
                } else {
                    let byte = self.expr(Type::I32, 1);
                    format!("(memory.fill {to} {byte} (i32.const {bytes}))\n")
                }
            }
        }
    }

    /// A loop that runs at most a few times, tested at its start or at its end.
    fn counted(&mut self, depth: usize, exits: &mut Vec<String>) -> String {
        let number = self.made;
        self.made += 1;
        let times = *self.random.pick(&[1, 3, 7, 15]);
        let start = self.expr(Type::I32, 1);
        let (out, again) = (format!("$out{number}"), format!("$again{number}"));
        exits.push(out.clone());
        let at_start = self.random.one_in(2);
        if at_start {
            exits.push(again.clone());
        }
        self.counters.push(number);
        let body = self.statements(depth - 1, exits);
        self.counters.pop();
        exits.truncate(exits.len() - 1 - usize::from(at_start));
        let counter = format!("$c{number}");
        let less = format!("(i32.sub (local.get {counter}) (i32.const 1))");
        let set = format!("(local.set {counter} (i32.and {start} (i32.const {times})))");
        if at_start {
            format!(
                "{set}\n(block {out} (loop {again} (br_if {out} (i32.eqz (local.get {counter})))
                (local.set {counter} {less})\n{body}(br {again})))\n"
            )
        } else if self.random.one_in(2) {
            format!(
                "{set}\n(block {out} (loop {again}\n{body}(br_if {again} (i32.gt_s (local.tee {counter} {less}) (i32.const 0)))))\n"
            )
        } else {
            format!(
                "{set}\n(block {out} (loop {again}\n{body}(local.set {counter} {less}) (br_if {again} (i32.ge_s (local.get {counter}) (i32.const 1)))))\n"
            )
        }
    }

    fn switch(&mut self, depth: usize, exits: &mut Vec<String>) -> String {
        let cases = 1 + self.random.below(4);
        let id = self.budget;
        let selector = self.expr(Type::I32, 2);
        let labels: String = (0..=cases).map(|case| format!(" $s{id}_{case}")).collect();
        let mut text = format!("(br_table{labels} (i32.and {selector} (i32.const 7)))");
        for case in 0..cases {
            let body = self.statements(depth - 1, exits);
            let leave = if self.random.one_in(3) { String::new() } else { format!("(br $s{id}_{cases})") };
            text = format!("(block $s{id}_{case}\n{text})\n{body}{leave}\n");
        }
        format!("(block $s{id}_{cases}\n{text})\n")
    }

    fn call(&mut self) -> String {
        match self.random.below(3) {
            0 => {
                let types = [
                    Type::I32,
                    Type::I64,
                    Type::F64,
                    Type::I32,
                    Type::I32,
                    Type::I64,
                    Type::I32,
                    Type::I32,
                    Type::I32,
                    Type::F64,
                    Type::I64,
                ];
                let args: String = types.into_iter().map(|ty| self.expr(ty, 1) + " ").collect();
                let mut text = format!("(call $wide {args})\n");
                for ty in [Type::F64, Type::I64, Type::I32] {
                    match self.local(ty) {
                        Some(local) => write!(text, "(local.set {local}) ").expect("a string takes all"),
                        None => text.push_str("(drop) "),
                    }
                }
                text + "\n"
            }
            1 => {
                let (what, value) = (self.expr(Type::I32, 1), self.expr(Type::F64, 1));
                format!("(global.set $g0 (call $note {what} {value}))\n")
            }
            _ => {
                let (a, b) = (self.expr(Type::I32, 1), self.expr(Type::I64, 1));
                let callee = self.expr(Type::I32, 1);
                format!("(global.set $g1 (call_indirect (type $leaf) {a} {b} (i32.and {callee} (i32.const 3))))\n")
            }
        }
    }

    fn object(&mut self) -> String {
        match self.random.below(5) {
            0 => {
                let (a, b, c, d) = (
                    self.expr(Type::I32, 2),
                    self.expr(Type::I64, 2),
                    self.expr(Type::F64, 1),
                    self.expr(Type::I32, 1),
                );
                format!("(local.set $p (struct.new $pair {a} {b} {c} {d} (local.get $p)))\n")
            }
            1 => {
                let value = self.expr(Type::I64, 2);
                format!("(if (ref.is_null (local.get $p)) (then) (else (struct.set $pair 1 (local.get $p) {value})))\n")
            }
            2 => {
                let inner = self.expr(Type::I32, 1);
                format!(
                    "(block $null (struct.set $pair 0 (br_on_null $null (local.get $p)) {inner})
                    (local.set $p (struct.get $pair 4 (local.get $p))))\n"
                )
            }
            3 => {
                let (index, value) = (self.expr(Type::I32, 2), self.expr(Type::I64, 2));
                format!("(array.set $row (local.get $r) (i32.and {index} (i32.const 15)) {value})\n")
            }
            _ => {
                let value = self.expr(Type::I64, 2);
                format!("(local.set $r (array.new $row {value} (i32.const 16)))\n")
            }
        }
    }

    /// An address of the array at the start of memory, with what stays in bounds added as an offset.
    fn address(&mut self, mask: u32) -> String {
        let scale = self.random.below(4);
        match (self.random.below(4), self.counters.last().copied()) {
            (0, _) => format!("(i32.const {})", self.random.below(mask as usize)),
            (1, Some(counter)) => format!("(i32.shl (local.get $c{counter}) (i32.const {scale}))"),
            (2, Some(counter)) => {
                let base = self.expr(Type::I32, 1);
                format!(
                    "(i32.add (i32.and {base} (i32.const {})) (i32.shl (local.get $c{counter}) (i32.const {scale})))",
                    mask / 2
                )
            }
            _ => {
                let base = self.expr(Type::I32, 2);
                format!("(i32.and {base} (i32.const {mask}))")
            }
        }
    }

    fn condition(&mut self) -> String {
        match self.random.below(6) {
            0 => {
                let (a, b) = (self.expr(Type::I64, 2), self.expr(Type::I64, 1));
                format!("(i64.{} {a} {b})", self.random.pick(&COMPARE))
            }
            1 => {
                let (a, b) = (self.expr(Type::F64, 2), self.expr(Type::F64, 1));
                format!("(f64.{} {a} {b})", self.random.pick(&["lt", "gt", "le", "ge", "eq", "ne"]))
            }
            2 => {
                let a = self.expr(Type::I32, 2);
                format!("(i32.eqz {a})")
            }
            3 => {
                let (a, b) = (self.expr(Type::I32, 2), self.expr(Type::I32, 1));
                format!("(i32.and {a} {b})")
            }
            _ => {
                let (a, b) = (self.expr(Type::I32, 2), self.expr(Type::I32, 1));
                format!("(i32.{} {a} {b})", self.random.pick(&COMPARE))
            }
        }
    }

    fn expr(&mut self, ty: Type, depth: usize) -> String {
        if depth == 0 || self.random.one_in(4) {
            return self.simple(ty);
        }
        match self.random.below(14) {
            0 => {
                let (a, b, c) = (self.expr(ty, depth - 1), self.expr(ty, depth - 1), self.condition_of(depth));
                let typed = if ty == Type::V128 { "(result v128) " } else { "" };
                return format!("(select {typed}{a} {b} {c})");
            }
            1 => {
                let (c, a, b) = (self.condition_of(depth), self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                return format!("(if (result {}) {c} (then {a}) (else {b}))", name(ty));
            }
            2 => {
                if let Some(local) = self.local(ty) {
                    let value = self.expr(ty, depth - 1);
                    return format!("(local.tee {local} {value})");
                }
            }
            3 => {
                let (a, c, b) = (self.expr(ty, depth - 1), self.condition_of(depth), self.expr(ty, depth - 1));
                return format!("(block (result {}) (drop (br_if 0 {a} {c})) {b})", name(ty));
            }
            _ => {}
        }
        match ty {
            Type::I32 => self.int32(depth),
            Type::I64 => self.int64(depth),
            Type::F64 => self.float64(depth),
            Type::F32 => {
                let (a, b) = (self.expr(Type::F32, depth - 1), self.expr(Type::F32, depth - 1));
                match self.random.below(3) {
                    0 => format!("(f32.copysign {a} {b})"),
                    1 => format!("(f32.convert_i32_s {})", self.expr(Type::I32, depth - 1)),
                    _ => format!("(f32.neg {a})"),
                }
            }
            _ => self.vector(depth),
        }
    }

    fn condition_of(&mut self, depth: usize) -> String {
        if depth > 1 && self.random.one_in(2) { self.condition() } else { self.expr(Type::I32, depth - 1) }
    }

    fn simple(&mut self, ty: Type) -> String {
        if ty == Type::I32
            && self.random.one_in(4)
            && let Some(counter) = self.counters.last()
        {
            return format!("(local.get $c{counter})");
        }
        match (self.random.below(5), self.local(ty), ty) {
            (0..=2, Some(local), _) => format!("(local.get {local})"),
            (3, _, Type::I32) => "(global.get $g0)".into(),
            (3, _, Type::I64) => "(global.get $g1)".into(),
            (3, _, Type::F64) => "(global.get $g3)".into(),
            (4, _, Type::I32 | Type::I64) => format!("({}.const {})", name(ty), self.random.below(40) as i32 - 8),
            _ => format!("({})", literal(quiet(interesting(ty, self.random.bits())))),
        }
    }

    fn int32(&mut self, depth: usize) -> String {
        let a = self.expr(Type::I32, depth - 1);
        match self.random.below(13) {
            0 => format!("(i32.{} {a})", self.random.pick(&["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"])),
            1 => format!("(i32.wrap_i64 {})", self.expr(Type::I64, depth - 1)),
            2 => format!("(i32.trunc_sat_f64_s {})", self.expr(Type::F64, depth - 1)),
            3 | 4 => {
                let (op, mask) =
                    *self.random.pick(&[("load8_u", 0xfff), ("load8_s", 0xfff), ("load16_u", 0xffe), ("load", 0xffc)]);
                let offset = *self.random.pick(&["", "offset=3", "offset=60"]);
                format!("(i32.{op} {offset} {})", self.address(mask))
            }
            5 => {
                let b = self.expr(Type::I32, depth - 1);
                format!("(i32.{} {a} {b})", self.random.pick(&COMPARE))
            }
            6 => {
                let b = self.expr(Type::I32, depth - 1);
                format!("(i32.{} {a} (i32.or {b} (i32.const 1)))", self.random.pick(&["div_u", "rem_u", "rem_s"]))
            }
            7 => {
                let by = *self.random.pick(&["2", "3", "7", "10", "16", "-2", "-5", "100", "0x7fffffff"]);
                format!("(i32.{} {a} (i32.const {by}))", self.random.pick(&["div_u", "rem_u", "rem_s", "div_s", "mul"]))
            }
            8 if self.objects => format!("(i32.wrap_i64 (array.get $row (local.get $r) (i32.and {a} (i32.const 15))))"),
            8 if self.locals.contains(&Type::V128) => {
                format!(
                    "({} {})",
                    self.random.pick(&[
                        "i8x16.extract_lane_u 3",
                        "i32x4.extract_lane 2",
                        "i16x8.bitmask",
                        "i8x16.all_true",
                        "v128.any_true"
                    ]),
                    self.expr(Type::V128, depth - 1)
                )
            }
            _ => {
                let b = self.expr(Type::I32, depth - 1);
                let op = self.random.pick(&[
                    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "add", "sub",
                ]);
                format!("(i32.{op} {a} {b})")
            }
        }
    }

    fn int64(&mut self, depth: usize) -> String {
        let a = self.expr(Type::I64, depth - 1);
        match self.random.below(11) {
            0 => format!("(i64.{} {a})", self.random.pick(&["clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s"])),
            1 | 2 => format!("(i64.extend_i32_{} {})", self.random.pick(&["s", "u"]), self.expr(Type::I32, depth - 1)),
            3 => format!("(i64.trunc_sat_f64_u {})", self.expr(Type::F64, depth - 1)),
            4 => {
                let (op, mask) = *self.random.pick(&[("load8_u", 0xfff), ("load32_s", 0xffc), ("load16_s", 0xffe), ("load", 0xff8)]);
                format!("(i64.{op} {})", self.address(mask))
            }
            5 => {
                let b = self.expr(Type::I64, depth - 1);
                format!("(i64.{} {a} (i64.or {b} (i64.const 1)))", self.random.pick(&["div_u", "rem_u", "rem_s"]))
            }
            6 if self.calls => {
                let b = self.expr(Type::I32, depth - 1);
                format!("(call $leaf{} {b} {a})", self.random.below(3))
            }
            7 if self.objects => "(if (result i64) (ref.is_null (local.get $p)) (then (i64.const 3)) (else (struct.get $pair 1 (local.get $p))))".into(),
            _ => {
                let b = self.expr(Type::I64, depth - 1);
                let op = self.random.pick(&["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr"]);
                format!("(i64.{op} {a} {b})")
            }
        }
    }

    /// What gives a NaN is replaced, as the bits of those may differ.
    fn float64(&mut self, depth: usize) -> String {
        let a = self.expr(Type::F64, depth - 1);
        let value = match self.random.below(6) {
            0 => {
                return format!(
                    "(f64.convert_i32_{} {})",
                    self.random.pick(&["s", "u"]),
                    self.expr(Type::I32, depth - 1)
                );
            }
            1 => {
                return format!(
                    "(f64.convert_i64_{} {})",
                    self.random.pick(&["s", "u"]),
                    self.expr(Type::I64, depth - 1)
                );
            }
            2 => return format!("(f64.{} {a})", self.random.pick(&["abs", "neg"])),
            3 => format!("(f64.{} {a})", self.random.pick(&["sqrt", "floor", "nearest", "trunc"])),
            _ => {
                let b = self.expr(Type::F64, depth - 1);
                format!("(f64.{} {a} {b})", self.random.pick(&["add", "sub", "mul", "div", "min", "max"]))
            }
        };
        if self.calls && self.random.one_in(2) {
            return format!("(call $plain {value})");
        }
        format!("(select (local.tee $sum {value}) (f64.const 0.5) (f64.eq (local.get $sum) (local.get $sum)))")
    }

    fn vector(&mut self, depth: usize) -> String {
        let a = self.expr(Type::V128, depth - 1);
        match self.random.below(8) {
            0 => format!("(i32x4.splat {})", self.expr(Type::I32, depth - 1)),
            1 => format!("(v128.load {})", self.address(0xff0)),
            2 => {
                let b = self.expr(Type::I64, depth - 1);
                format!("(i64x2.replace_lane 1 {a} {b})")
            }
            3 => {
                let b = self.expr(Type::I32, depth - 1);
                format!("({} {a} {b})", self.random.pick(&["i32x4.shl", "i16x8.shr_s", "i8x16.shr_u", "i64x2.shl"]))
            }
            4 => {
                let (b, c) = (self.expr(Type::V128, depth - 1), self.expr(Type::V128, depth - 1));
                format!("(v128.bitselect {a} {b} {c})")
            }
            5 => {
                let b = self.expr(Type::V128, depth - 1);
                let lanes: String = (0..16).map(|_| format!("{} ", self.random.below(32))).collect();
                format!("(i8x16.shuffle {lanes} {a} {b})")
            }
            _ => {
                let b = self.expr(Type::V128, depth - 1);
                let op = self.random.pick(&[
                    "i8x16.add",
                    "i16x8.mul",
                    "i32x4.sub",
                    "i64x2.add",
                    "v128.and",
                    "v128.xor",
                    "v128.andnot",
                    "i8x16.lt_s",
                    "i16x8.gt_u",
                    "i32x4.eq",
                    "i8x16.narrow_i16x8_s",
                    "i32x4.dot_i16x8_s",
                    "i8x16.swizzle",
                    "i8x16.add_sat_s",
                    "i32x4.mul",
                ]);
                format!("({op} {a} {b})")
            }
        }
    }
}

/// Without the payload of a NaN.
fn quiet(value: Value) -> Value {
    match value {
        Value::F32(v) if f32::from_bits(v).is_nan() => Value::F32(0x3f80_0000),
        Value::F64(v) if f64::from_bits(v).is_nan() => Value::F64(0x3ff0_0000_0000_0000),
        other => other,
    }
}
