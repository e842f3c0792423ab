//! Loops that call nothing and have more locals worth a register than there are, so that no more than three integer
//! registers are left for values: whatever an operator needs at once has to be found among these.

use super::{Generated, name, single};
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

/// How many locals are touched so often that they keep their registers.
const HOT: usize = 9;

/// How many of each type are touched seldom.
const COLD: usize = 3;

/// By their types: `i32` and `i64` twice, so that they are used most.
const TYPES: [Type; 4] = [Type::I32, Type::I64, Type::F32, Type::F64];

/// A module of one function with so many statements in its loop.
#[must_use]
pub fn module(random: impl Into<Random>, statements: usize) -> Generated {
    let random = &mut random.into();
    // What demands more registers by itself keeps the loop from giving as many away.
    let demanding = random.one_in(5);
    let operators: Vec<single::Operator> = single::operators()
        .into_iter()
        .filter(|op| {
            let has = |words: &[&str]| words.iter().any(|word| op.name.contains(word));
            // Neither what traps nor what can make a NaN, whose bits are nobody's to say.
            match op.result {
                Type::I32 | Type::I64 => !has(&["trunc_f"]) && (demanding || !has(&["div", "rem"])),
                _ => !has(&["add", "sub", "mul", "div", "sqrt", "reinterpret"]),
            }
        })
        .collect();
    let mut loops = Loops { random, operators, demanding, body: String::new() };
    loops.write(statements);
    let body = loops.body;
    let data: String = (0..128).map(|i| format!("\\{:02x}", i * 37 % 251)).collect();
    let mut module = Generated::new(format!("(memory (export \"memory\") 1)\n(data (i32.const 0) \"{data}\")"));
    let args = vec![vec![Value::I32(3), Value::I64(7)], vec![Value::I32(u32::MAX), Value::I64(1 << 40)]];
    module.func("f", &[Type::I32, Type::I64], &[], &body, args);
    module
}

struct Loops<'a> {
    random: &'a mut Random,
    operators: Vec<single::Operator>,
    demanding: bool,
    body: String,
}

/// The local of a type that is touched seldom, with this number.
fn cold(ty: Type, i: usize) -> String {
    format!("$c{}{i}", name(ty))
}

impl Loops<'_> {
    fn line(&mut self, line: &str) {
        writeln!(self.body, "  {line}").expect("a string takes all");
    }

    fn write(&mut self, statements: usize) {
        self.line("(local $n i32)");
        for i in 0..HOT {
            let ty = if i % 3 == 2 { "i64" } else { "i32" };
            self.line(&format!("(local $h{i} {ty})"));
        }
        for ty in TYPES {
            for i in 0..COLD {
                self.line(&format!("(local {} {})", cold(ty, i), name(ty)));
            }
        }
        for i in 0..COLD {
            self.line(&format!("(local.set {} (i32.add (local.get 0) (i32.const {})))", cold(Type::I32, i), i * 77));
            self.line(&format!("(local.set {} (i64.xor (local.get 1) (i64.const {})))", cold(Type::I64, i), i * 99));
        }
        self.line("(local.set $n (i32.const 3))");
        self.line("(loop $again");
        for _ in 0..statements {
            self.hot();
            self.statement(2);
        }
        self.hot();
        self.line("(local.set $n (i32.sub (local.get $n) (i32.const 1)))");
        self.line("(br_if $again (local.get $n)))");
        // Everything ends in memory, where it is compared.
        for i in 0..HOT {
            let ty = if i % 3 == 2 { "i64" } else { "i32" };
            self.line(&format!("({ty}.store offset={} (i32.const 4096) (local.get $h{i}))", 16 * i));
        }
        for (at, ty) in TYPES.into_iter().enumerate() {
            for i in 0..COLD {
                let offset = 1024 + 64 * at + 16 * i;
                let local = cold(ty, i);
                self.line(&format!("({}.store offset={offset} (i32.const 4096) (local.get {local}))", name(ty)));
            }
        }
    }

    /// Touches the locals that keep their registers.
    fn hot(&mut self) {
        for _ in 0..2 {
            for i in 0..HOT {
                let (ty, from) =
                    if i % 3 == 2 { ("i64", (i + 3) % HOT) } else { ("i32", (i + 9 - i % 3 * 3 + 4) % HOT) };
                let from = if (from % 3 == 2) == (ty == "i64") { from } else { i };
                self.line(&format!("(local.set $h{i} ({ty}.add (local.get $h{i}) (local.get $h{from})))"));
            }
        }
    }

    fn statement(&mut self, depth: usize) {
        // Copies of what is touched seldom take the registers that are left.
        for _ in 0..self.random.below(4) {
            let i = self.random.below(COLD);
            let ty = TYPES[self.random.below(2)];
            let at = 512 + 8 * self.random.below(9);
            self.line(&format!("({}.store (i32.const {at}) (local.get {}))", name(ty), cold(ty, i)));
        }
        let ty = *self.random.pick(&[Type::I32, Type::I32, Type::I64, Type::I64, Type::F32, Type::F64]);
        let to = self.random.below(COLD);
        match self.random.below(10) {
            0 => {
                let (address, value) = (self.address(), self.value(ty, 2));
                self.line(&format!("({}.store offset=2048 {address} {value})", name(ty)));
            }
            1 if depth > 0 => {
                let condition = self.value(Type::I32, 2);
                self.line(&format!("(if {condition} (then"));
                self.statement(depth - 1);
                if self.random.one_in(2) {
                    self.line(") (else");
                    self.statement(depth - 1);
                }
                self.line("))");
            }
            2 if depth > 0 => {
                let index = self.value(Type::I32, 1);
                let value = self.value(ty, 1);
                let (local, ty) = (cold(ty, to), name(ty));
                let carried =
                    if self.random.one_in(2) { format!("(local.set {local} {value})") } else { String::new() };
                self.line(&format!("(block $a (block $b (br_table $a $b $a {index}))"));
                self.line(&format!("{carried})"));
                self.line(&format!("(local.set {local} (block $c (result {ty})"));
                let index = self.value(Type::I32, 0);
                self.line(&format!("(br_table $c $c {value} {index})))"));
            }
            3 => {
                let condition = self.value(Type::I32, 1);
                self.line(&format!("(block $out (br_if $out {condition})"));
                self.statement(depth.saturating_sub(1));
                self.line(")");
            }
            4 if self.demanding => {
                let (to, from, bytes) = (self.address(), self.address(), 1 + self.random.below(64));
                self.line(&format!("(memory.copy {to} {from} (i32.const {bytes}))"));
            }
            5 => {
                // A local that keeps its register is written.
                let i = self.random.below(HOT);
                let ty = if i % 3 == 2 { Type::I64 } else { Type::I32 };
                let value = self.value(ty, 3);
                self.line(&format!("(local.set $h{i} {value})"));
            }
            _ => {
                let value = self.value(ty, 3);
                self.line(&format!("(local.set {} {value})", cold(ty, to)));
            }
        }
    }

    /// An address below 1024.
    fn address(&mut self) -> String {
        let i = self.random.below(COLD);
        match self.random.below(3) {
            0 => format!("(i32.const {})", self.random.below(256)),
            1 => format!("(i32.and (local.get $h{}) (i32.const 255))", self.random.below(2)),
            _ => format!("(i32.and (local.get {}) (i32.const 255))", cold(Type::I32, i)),
        }
    }

    fn value(&mut self, ty: Type, depth: usize) -> String {
        let i = self.random.below(COLD);
        let spelled = name(ty);
        let float = matches!(ty, Type::F32 | Type::F64);
        match self.random.below(if depth == 0 { 4 } else { 12 }) {
            0 if !float => format!("({spelled}.const {})", self.random.bits() as i32),
            1 if !float => format!("({spelled}.load offset=512 {})", self.address()),
            0..=3 => format!("(local.get {})", cold(ty, i)),
            4 => {
                let (a, b, c) =
                    (self.value(ty, depth - 1), self.value(ty, depth - 1), self.value(Type::I32, depth - 1));
                format!("(select {a} {b} {c})")
            }
            5 => {
                let value = self.value(ty, depth - 1);
                format!("(local.tee {} {value})", cold(ty, i))
            }
            6 => {
                let (a, b, c) =
                    (self.value(ty, depth - 1), self.value(ty, depth - 1), self.value(Type::I32, depth - 1));
                format!("(if (result {spelled}) {c} (then {a}) (else {b}))")
            }
            _ => {
                let fitting: Vec<usize> =
                    (0..self.operators.len()).filter(|at| self.operators[*at].result == ty).collect();
                let op = self.operators[*self.random.pick(&fitting)].clone();
                let operands: Vec<String> = op.params.iter().map(|ty| self.value(*ty, depth - 1)).collect();
                format!("({} {})", op.name, operands.join(" "))
            }
        }
    }
}
