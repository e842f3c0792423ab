//! Random control flow over a typed stack: nested blocks, loops and conditionals that take and leave values, branches
//! of every kind out of them, dead code after, calls between, many locals.

use super::{Generated, clause, literal, name};
use crate::observe::{Type, Value, interesting};
use crate::random::Random;
use std::fmt::Write as _;

const NUMBERS: [Type; 4] = [Type::I32, Type::I64, Type::F32, Type::F64];

/// What the functions have around them. `$fuel` bounds all loops and calls of one instance.
const HEAD: &str = r#"
(import "host" "note" (func $note (param i32 f64) (result i32)))
(memory (export "memory") 1 3)
(global $fuel (mut i32) (i32.const 20000))
(global $g0 (export "g0") (mut i32) (i32.const 5))
(global $g1 (export "g1") (mut i64) (i64.const -5))
(global $g2 (export "g2") (mut f32) (f32.const 1.5))
(global $g3 (export "g3") (mut f64) (f64.const -0.25))
(table $t 6 funcref)
(elem (i32.const 0) $mix $many $swap $grow)
(type $mix_type (func (param i32 i64) (result i64)))
(func $burn
  (if (i32.le_s (global.get $fuel) (i32.const 0)) (then unreachable))
  (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))))
(func $mix (type $mix_type)
  (global.set $g0 (i32.add (global.get $g0) (local.get 0)))
  (i64.add (i64.extend_i32_u (local.get 0)) (local.get 1)))
(func $many (param f64 i32 i64 f32 i32 i32 i32 i32 i32 i64) (result i32 f64 i64 f32 i32 i64)
  local.get 5 local.get 0 local.get 9 local.get 3 local.get 8 local.get 2)
(func $swap (param f32 f64) (result f64 f32) local.get 1 local.get 0)
(func $grow (param i32) (result i32) local.get 0 i32.const 1 i32.and memory.grow)
(func $chase (param i32 i64) (result i64)
  (if (result i64) (i32.lt_s (local.get 0) (i32.const 1))
    (then local.get 1)
    (else (return_call $chase (i32.sub (local.get 0) (i32.const 1)) (i64.mul (local.get 1) (i64.const 3))))))
"#;

/// A module of a few random functions of up to about `budget` steps each.
#[must_use]
pub fn module(random: impl Into<Random>, budget: usize) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new(HEAD);
    for number in 0..4 {
        let many = [3, 8, 20][number % 3];
        let params: Vec<Type> = (0..random.below(5)).map(|_| *random.pick(&NUMBERS)).collect();
        let results: Vec<Type> = (0..random.below(5)).map(|_| *random.pick(&NUMBERS)).collect();
        let locals: Vec<Type> = (0..random.below(many)).map(|_| *random.pick(&NUMBERS)).collect();
        let rows = (0..4).map(|_| params.iter().map(|ty| interesting(*ty, random.bits())).collect()).collect();
        let all = [params.as_slice(), &locals].concat();
        let mut body = Body {
            random: &mut random,
            code: String::new(),
            locals: all,
            stack: Vec::new(),
            labels: Vec::new(),
            budget,
        };
        body.block(&results, &[]);
        let text = format!("{} {}", clause("local", &locals), body.code);
        module.func(&format!("f{number}"), &params, &results, &text, rows);
    }
    module
}

struct Body<'a> {
    random: &'a mut Random,
    code: String,
    locals: Vec<Type>,
    /// Types on the operand stack above the innermost block's height.
    stack: Vec<Type>,
    /// What a branch to each enclosing label carries, outermost first.
    labels: Vec<Vec<Type>>,
    budget: usize,
}

impl Body<'_> {
    fn put(&mut self, text: &str) {
        self.code.push_str(text);
        self.code.push(' ');
    }

    /// The inside of a block with these results, whose label carries `label`.
    fn block(&mut self, results: &[Type], label: &[Type]) {
        self.labels.push(if self.labels.is_empty() { results.to_vec() } else { label.to_vec() });
        let steps = 2 + self.random.below(9);
        for _ in 0..steps {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            if self.step() {
                self.dead(results);
                self.labels.pop();
                return;
            }
        }
        self.settle(results);
        self.labels.pop();
    }

    /// Makes the stack exactly `results`: what is there already where the types fit, the rest dropped and made anew.
    fn settle(&mut self, results: &[Type]) {
        let keep = self.stack.iter().zip(results).take_while(|(a, b)| a == b).count();
        while self.stack.len() > keep {
            self.stack.pop();
            self.put("drop");
        }
        for ty in &results[keep..] {
            self.value(*ty);
        }
    }

    /// After an unconditional branch: dead code of no consequence, then values or none, since the stack gives any.
    fn dead(&mut self, results: &[Type]) {
        self.stack.clear();
        match self.random.below(6) {
            0 => self.put("drop i32.add drop"),
            1 => self.put("(block (result i32) i32.const 3 br 0) drop"),
            2 => self.put("select drop (loop br 0)"),
            3 => self.put("i64.eqz (if (then nop) (else unreachable))"),
            _ => {}
        }
        // What a dead `if` or block left behind is nothing: it stays unreachable.
        if self.random.one_in(2) {
            self.settle(results);
        } else {
            self.put("unreachable");
        }
    }

    /// Pushes a value of this type.
    fn value(&mut self, ty: Type) {
        let locals: Vec<usize> = (0..self.locals.len()).filter(|i| self.locals[*i] == ty).collect();
        let number = NUMBERS.iter().position(|n| *n == ty).expect("a number");
        let text = match self.random.below(8) {
            0..=3 if !locals.is_empty() => format!("local.get {}", self.random.pick(&locals)),
            4 => format!("global.get $g{number}"),
            5 => format!("i32.const {} {}.load", self.random.below(64), name(ty)),
            _ => literal(canonical(interesting(ty, self.random.bits()))),
        };
        self.put(&text);
        self.stack.push(ty);
    }

    fn pop(&mut self, ty: Type) {
        if self.stack.last() == Some(&ty) {
            self.stack.pop();
        } else {
            self.value(ty);
            self.stack.pop();
        }
    }

    /// One or a few instructions; true if what follows is dead.
    fn step(&mut self) -> bool {
        let ty = *self.random.pick(&NUMBERS);
        match self.random.below(26) {
            0..=2 => self.value(ty),
            3..=6 => self.arithmetic(ty),
            7 | 8 => self.local_write(),
            9 => {
                let number = NUMBERS.iter().position(|n| *n == ty).expect("a number");
                self.pop(ty);
                self.put(&format!("global.set $g{number}"));
            }
            10 => {
                let address = self.random.below(60);
                self.put(&format!("i32.const {address}"));
                self.value(ty);
                self.stack.pop();
                let store = *self.random.pick(&["store", "store offset=3"]);
                self.put(&format!("{}.{store}", name(ty)));
            }
            11 => {
                if self.stack.pop().is_some() {
                    self.put("drop");
                }
            }
            12..=17 => self.nested(),
            18..=20 => self.branch_if(),
            21 => return self.branch(),
            22 => return self.branch_table(),
            23 | 24 => self.call(),
            _ => {
                self.value(ty);
                self.value(ty);
                self.value(Type::I32);
                self.stack.truncate(self.stack.len() - 3);
                let select = *self.random.pick(&["i32.eqz select", "select"]);
                self.put(select);
                self.stack.push(ty);
            }
        }
        false
    }

    fn arithmetic(&mut self, ty: Type) {
        let (params, op, result): (Vec<Type>, String, Type) = match (self.random.below(6), is_int(ty)) {
            (0, true) => {
                (vec![ty, ty], format!("{}.{}", name(ty), self.random.pick(&["lt_s", "ge_u", "eq", "ne"])), Type::I32)
            }
            (0, false) => {
                (vec![ty, ty], format!("{}.{}", name(ty), self.random.pick(&["lt", "ge", "eq", "ne"])), Type::I32)
            }
            (1, true) => (vec![ty], format!("{}.{}", name(ty), self.random.pick(&["clz", "popcnt", "extend8_s"])), ty),
            (1, false) => (vec![ty], format!("{}.{}", name(ty), self.random.pick(&["neg", "abs"])), ty),
            (2, _) if ty == Type::I32 => (vec![Type::I64], "i32.wrap_i64".into(), ty),
            (2, _) if ty == Type::I64 => (vec![Type::I32], "i64.extend_i32_u".into(), ty),
            (2, _) if ty == Type::F64 => (vec![Type::I32], "f64.convert_i32_u".into(), ty),
            (2, _) => (vec![Type::I32], "f32.convert_i32_s".into(), ty),
            (3, true) => (
                vec![ty, ty],
                format!("{}.{}", name(ty), self.random.pick(&["shl", "shr_u", "rotl", "rem_u", "div_s"])),
                ty,
            ),
            (_, true) => {
                (vec![ty, ty], format!("{}.{}", name(ty), self.random.pick(&["add", "sub", "xor", "mul", "and"])), ty)
            }
            // Only what gives the same bits on every machine for numbers: sums and products of NaNs may differ.
            (_, false) => (vec![ty, ty], format!("{}.copysign", name(ty)), ty),
        };
        let fits = self.stack.ends_with(&params);
        if !fits {
            for param in &params {
                self.value(*param);
            }
        }
        self.stack.truncate(self.stack.len() - params.len());
        self.put(&op);
        self.stack.push(result);
    }

    fn local_write(&mut self) {
        if self.locals.is_empty() {
            return;
        }
        let local = self.random.below(self.locals.len());
        let ty = self.locals[local];
        self.pop(ty);
        if self.random.one_in(2) {
            self.put(&format!("local.set {local}"));
        } else {
            self.put(&format!("local.tee {local}"));
            self.stack.push(ty);
        }
    }

    fn nested(&mut self) {
        let takes = self.random.below(3).min(self.stack.len());
        let params = self.stack.split_off(self.stack.len() - takes);
        let results: Vec<Type> = (0..self.random.below(5)).map(|_| *self.random.pick(&NUMBERS)).collect();
        let header = format!("{} {}", clause("param", &params), clause("result", &results));
        let outer = std::mem::take(&mut self.stack);
        let kind = self.random.below(4);
        match kind {
            0 => {
                self.stack.clone_from(&params);
                self.put(&format!("(loop {header} call $burn"));
                self.block(&results, &params);
                self.put(")");
            }
            1 | 2 => {
                self.stack.clone_from(&params);
                self.put(&format!("(block {header}"));
                self.block(&results, &results);
                self.put(")");
            }
            _ => {
                self.value(Type::I32);
                self.stack.clear();
                self.put(&format!("(if {header} (then"));
                self.stack.clone_from(&params);
                self.block(&results, &results);
                self.put(")");
                if params != results || self.random.one_in(2) {
                    self.put("(else");
                    self.stack.clone_from(&params);
                    self.block(&results, &results);
                    self.put(")");
                }
                self.put(")");
            }
        }
        self.stack = outer;
        self.stack.extend(results);
    }

    /// The depth of a label and what it carries.
    fn label(&mut self) -> (usize, Vec<Type>) {
        let depth = self.random.below(self.labels.len());
        (depth, self.labels[self.labels.len() - 1 - depth].clone())
    }

    /// Makes the top of the stack `types`, above whatever else there is.
    fn carry(&mut self, types: &[Type]) {
        if !self.stack.ends_with(types) {
            for ty in types {
                self.value(*ty);
            }
        }
    }

    fn branch_if(&mut self) {
        let (depth, types) = self.label();
        self.carry(&types);
        self.value(Type::I32);
        self.stack.pop();
        let negated = if self.random.one_in(3) { "i32.eqz" } else { "" };
        self.put(&format!("{negated} br_if {depth}"));
    }

    fn branch(&mut self) -> bool {
        let (depth, types) = self.label();
        self.carry(&types);
        let returns = depth + 1 == self.labels.len() && self.random.one_in(2);
        self.put(&if returns { "return".into() } else { format!("br {depth}") });
        true
    }

    fn branch_table(&mut self) -> bool {
        let (depth, types) = self.label();
        let count = self.labels.len();
        let same: Vec<usize> = (0..count).filter(|d| self.labels[count - 1 - d] == types).collect();
        self.carry(&types);
        self.value(Type::I32);
        self.stack.pop();
        let mut text = "i32.const 7 i32.and br_table".to_string();
        for _ in 0..self.random.below(6) {
            write!(text, " {}", self.random.pick(&same)).expect("a string takes all");
        }
        self.put(&format!("{text} {depth}"));
        true
    }

    fn call(&mut self) {
        use Type::{F32, F64, I32, I64};
        let (params, text, results): (&[Type], &str, &[Type]) = *self.random.pick(&[
            (&[I32, I64] as &[Type], "call $mix", &[I64] as &[Type]),
            (&[F64, I32, I64, F32, I32, I32, I32, I32, I32, I64], "call $many", &[I32, F64, I64, F32, I32, I64]),
            (&[F32, F64], "call $swap", &[F64, F32]),
            (&[I32], "call $grow", &[I32]),
            (&[I32, F64], "call $note", &[I32]),
            (&[I32, I64], "i32.const 0 call_indirect $t (type $mix_type)", &[I64]),
            (&[F32, F64], "i32.const 2 call_indirect $t (param f32 f64) (result f64 f32)", &[F64, F32]),
        ]);
        self.carry(params);
        self.stack.truncate(self.stack.len() - params.len());
        self.put(text);
        self.stack.extend(results);
        if self.random.one_in(3) {
            let count = self.random.below(30);
            self.put(&format!("i32.const {count}"));
            self.value(I64);
            self.stack.pop();
            self.put("call $chase");
            self.stack.push(I64);
        }
    }
}

fn is_int(ty: Type) -> bool {
    matches!(ty, Type::I32 | Type::I64)
}

/// Signalling NaNs would tell conversions apart; quiet ones with a payload too.
fn canonical(value: Value) -> Value {
    match value {
        Value::F32(v) if f32::from_bits(v).is_nan() => Value::F32(0x7fc0_0000),
        Value::F64(v) if f64::from_bits(v).is_nan() => Value::F64(0x7ff8_0000_0000_0000),
        other => other,
    }
}
