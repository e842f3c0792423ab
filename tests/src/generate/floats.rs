//! Programs of nothing but floats, scalar and in lanes, full of NaNs of all kinds: signalling, with signs and payloads.
//! Where NaNs that are computed must be canonical, every bit is the same with every compiler; elsewhere hardly any
//! program gives the same twice.

use super::Generated;
use crate::observe::{Type, Value};
use crate::random::Random;
use std::fmt::Write as _;

const TYPES: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];

/// Bits of floats, half of them NaNs.
const F32: [u32; 20] = [
    0x7fc0_0000,
    0xffc0_0000,
    0x7f80_0001,
    0xff80_0001,
    0x7fa0_0000,
    0xffbf_ffff,
    0x7fc1_2345,
    0xffff_ffff,
    0x7fff_ffff,
    0x7fe0_0001,
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7f7f_ffff,
    1,
    0x4f00_0000,
    0x3f00_0000,
];
const F64: [u64; 20] = [
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
    0x7ff0_0000_0000_0001,
    0xfff0_0000_0000_0001,
    0x7ff4_0000_0000_0000,
    0xfff7_ffff_ffff_ffff,
    0x7ff8_1234_5678_9abc,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x7ffc_0000_0000_0001,
    0,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7fef_ffff_ffff_ffff,
    1,
    0x41e0_0000_0000_0000,
    0x3fe0_0000_0000_0000,
];

const UNARY: [&str; 7] = ["neg", "abs", "sqrt", "ceil", "floor", "trunc", "nearest"];
const LANEWISE: [&str; 12] =
    ["add", "sub", "mul", "div", "min", "max", "pmin", "pmax", "relaxed_min", "relaxed_max", "lt", "ne"];

/// Operators that give a value of a type, with what they take.
type Operators = &'static [(&'static str, &'static [Type])];

const TO_F32: Operators = &[
    ("f32.demote_f64", &[Type::F64]),
    ("f32.convert_i32_u", &[Type::I32]),
    ("f32.convert_i64_s", &[Type::I64]),
    ("f32.reinterpret_i32", &[Type::I32]),
    ("f32x4.extract_lane 0", &[Type::V128]),
    ("f32x4.extract_lane 3", &[Type::V128]),
];
const TO_F64: Operators = &[
    ("f64.promote_f32", &[Type::F32]),
    ("f64.convert_i32_s", &[Type::I32]),
    ("f64.convert_i64_u", &[Type::I64]),
    ("f64.reinterpret_i64", &[Type::I64]),
    ("f64x2.extract_lane 0", &[Type::V128]),
    ("f64x2.extract_lane 1", &[Type::V128]),
];
const TO_I32: Operators = &[
    ("i32.reinterpret_f32", &[Type::F32]),
    ("i32.trunc_sat_f32_s", &[Type::F32]),
    ("i32.trunc_sat_f64_u", &[Type::F64]),
    ("f32.lt", &[Type::F32, Type::F32]),
    ("f64.ne", &[Type::F64, Type::F64]),
    ("f32.eq", &[Type::F32, Type::F32]),
    ("i32.add", &[Type::I32, Type::I32]),
    ("i32x4.extract_lane 2", &[Type::V128]),
    ("v128.any_true", &[Type::V128]),
    ("i32x4.bitmask", &[Type::V128]),
];
const TO_I64: Operators = &[
    ("i64.reinterpret_f64", &[Type::F64]),
    ("i64.trunc_sat_f32_u", &[Type::F32]),
    ("i64.trunc_sat_f64_s", &[Type::F64]),
    ("i64.extend_i32_u", &[Type::I32]),
    ("i64.xor", &[Type::I64, Type::I64]),
    ("i64x2.extract_lane 1", &[Type::V128]),
];
const TO_V128: Operators = &[
    ("f32x4.splat", &[Type::F32]),
    ("f64x2.splat", &[Type::F64]),
    ("f32x4.replace_lane 1", &[Type::V128, Type::F32]),
    ("f64x2.replace_lane 0", &[Type::V128, Type::F64]),
    ("f32x4.demote_f64x2_zero", &[Type::V128]),
    ("f64x2.promote_low_f32x4", &[Type::V128]),
    ("f32x4.convert_i32x4_u", &[Type::V128]),
    ("f64x2.convert_low_i32x4_s", &[Type::V128]),
    ("i32x4.trunc_sat_f32x4_s", &[Type::V128]),
    ("i32x4.trunc_sat_f64x2_u_zero", &[Type::V128]),
    ("v128.bitselect", &[Type::V128, Type::V128, Type::V128]),
    ("v128.xor", &[Type::V128, Type::V128]),
    ("i64x2.splat", &[Type::I64]),
    ("i8x16.shuffle 4 5 6 7 16 17 18 19 0 1 2 3 28 29 30 31", &[Type::V128, Type::V128]),
];

/// A module of one function of so many statements, which is called with a few arguments.
#[must_use]
pub fn module(random: impl Into<Random>, statements: usize) -> Generated {
    let random = &mut random.into();
    let locals: Vec<Type> = (0..4 + random.below(14)).map(|_| *random.pick(&TYPES[2..])).collect();
    let names: Vec<&str> = locals.iter().map(|ty| super::name(*ty)).collect();
    let mut body =
        Body { random, locals: [&[Type::F32, Type::F64][..], &locals].concat(), text: String::new(), loops: 0 };
    writeln!(body.text, "(local {}) (local $n0 i32) (local $n1 i32)", names.join(" ")).expect("a string takes all");
    for _ in 0..statements {
        body.statement(2);
    }
    // Everything ends in memory, where it is compared.
    for (i, ty) in body.locals.clone().into_iter().enumerate() {
        let name = super::name(ty);
        writeln!(body.text, "  ({name}.store offset={} (i32.const 1024) (local.get {i}))", 16 * i).expect("as above");
    }
    let result = body.expression(Type::V128, 3);
    let text = format!("{} {result}", body.text);
    let rows = (0..4).map(|_| vec![Value::F32(*random.pick(&F32)), Value::F64(*random.pick(&F64))]).collect();
    let data: String =
        (0..256).map(|_| format!("\\{:02x}", random.pick(&[0, 0x7f, 0x80, 0xc0, 0xff, 0x3f, 0xf0, 0xf8]))).collect();
    let mut module = Generated::new(format!("(memory (export \"memory\") 1)\n(data (i32.const 0) \"{data}\")"));
    module.func("f", &[Type::F32, Type::F64], &[Type::V128], &text, rows);
    module
}

struct Body<'a> {
    random: &'a mut Random,
    locals: Vec<Type>,
    text: String,
    loops: usize,
}

impl Body<'_> {
    fn statement(&mut self, depth: usize) {
        let to = self.random.below(self.locals.len());
        let ty = self.locals[to];
        match self.random.below(if depth > 0 { 12 } else { 10 }) {
            0 => {
                let ty = *self.random.pick(&TYPES);
                let value = self.expression(ty, 4);
                let at = 8 * self.random.below(60);
                writeln!(self.text, "  ({}.store (i32.const {at}) {value})", super::name(ty)).expect("as above");
            }
            10 => {
                let condition = self.expression(Type::I32, 3);
                writeln!(self.text, "  (if {condition} (then").expect("as above");
                self.statement(depth - 1);
                self.text.push_str("  ) (else\n");
                self.statement(depth - 1);
                self.text.push_str("  ))\n");
            }
            11 if self.loops < 2 => {
                let counter = self.loops;
                self.loops += 1;
                let times = 1 + self.random.below(4);
                writeln!(self.text, "  (local.set $n{counter} (i32.const {times})) (loop $l{counter}")
                    .expect("as above");
                for _ in 0..1 + self.random.below(3) {
                    self.statement(depth - 1);
                }
                writeln!(
                    self.text,
                    "  (br_if $l{counter} (local.tee $n{counter} (i32.sub (local.get $n{counter}) (i32.const 1)))))"
                )
                .expect("as above");
                self.loops -= 1;
            }
            _ => {
                let value = self.expression(ty, 4);
                writeln!(self.text, "  (local.set {to} {value})").expect("as above");
            }
        }
    }

    fn constant(&mut self, ty: Type) -> String {
        let (narrow, wide) = (*self.random.pick(&F32), *self.random.pick(&F64));
        match ty {
            Type::I32 => format!("(i32.const {narrow})"),
            Type::I64 => format!("(i64.const {wide})"),
            Type::F32 => format!("(f32.reinterpret_i32 (i32.const {narrow}))"),
            Type::F64 => format!("(f64.reinterpret_i64 (i64.const {wide}))"),
            _ if self.random.one_in(2) => format!("(v128.const i64x2 {wide} {})", self.random.pick(&F64)),
            _ => {
                let lanes: Vec<String> = (0..4).map(|_| self.random.pick(&F32).to_string()).collect();
                format!("(v128.const i32x4 {})", lanes.join(" "))
            }
        }
    }

    fn leaf(&mut self, ty: Type) -> String {
        let known: Vec<usize> = (0..self.locals.len()).filter(|i| self.locals[*i] == ty).collect();
        match self.random.below(4) {
            0 => self.constant(ty),
            1 => format!("({}.load (i32.const {}))", super::name(ty), 8 * self.random.below(60)),
            _ if !known.is_empty() => format!("(local.get {})", self.random.pick(&known)),
            _ => self.constant(ty),
        }
    }

    fn expression(&mut self, ty: Type, depth: usize) -> String {
        if depth == 0 || self.random.one_in(8) {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        if self.random.one_in(12) {
            let [a, b] = [(); 2].map(|()| self.expression(ty, depth));
            let condition = self.expression(Type::I32, depth);
            return format!("(select (result {}) {a} {b} {condition})", super::name(ty));
        }
        let others = match ty {
            Type::F32 | Type::F64 if self.random.one_in(2) => {
                let (operators, count) = if self.random.one_in(3) {
                    (&UNARY[..], 1)
                } else {
                    (&["add", "sub", "mul", "div", "min", "max", "copysign"][..], 2)
                };
                return self.operator(super::name(ty), operators, &[ty; 2][..count], depth);
            }
            Type::V128 if !self.random.one_in(4) => {
                let (operators, count): (&[&str], _) = match self.random.below(8) {
                    0 | 1 => (&UNARY, 1),
                    2 => (&["relaxed_madd", "relaxed_nmadd"], 3),
                    _ => (&LANEWISE, 2),
                };
                let shape = *self.random.pick(&["f32x4", "f64x2"]);
                return self.operator(shape, operators, &[ty; 3][..count], depth);
            }
            Type::F32 => TO_F32,
            Type::F64 => TO_F64,
            Type::I32 => TO_I32,
            Type::I64 => TO_I64,
            _ => TO_V128,
        };
        let (operator, operands) = *self.random.pick(others);
        self.applied(operator, operands, depth)
    }

    /// One of these operators of a shape.
    fn operator(&mut self, shape: &str, operators: &[&str], operands: &[Type], depth: usize) -> String {
        let operator = *self.random.pick(operators);
        self.applied(&format!("{shape}.{operator}"), operands, depth)
    }

    fn applied(&mut self, operator: &str, operands: &[Type], depth: usize) -> String {
        let operands: Vec<String> = operands.iter().map(|ty| self.expression(*ty, depth)).collect();
        format!("({operator} {})", operands.join(" "))
    }
}
