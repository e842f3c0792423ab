//! Two modules, one of which calls the other with `i32`s whose registers and slots hold more than 32 bits, and gets
//! such results. Each result is used at once, or after operators that change nothing, where an upper half would show:
//! as an address, an index, a length, a selector, a condition, and widened.

use super::{clause, name};
use crate::observe::Type;
use crate::random::Random;

/// Two modules that know each other's signatures.
#[derive(Debug)]
pub struct Halves {
    /// The text of the one that is called; it exports all that the other imports.
    pub callee: String,
    /// The text of the one that calls, from functions `u0`, `u1`, … of three `i64`s to an `i64`.
    pub caller: String,
    /// How many of those there are.
    pub funcs: usize,
}

const TYPES: [Type; 8] = [Type::I32, Type::I64, Type::I32, Type::I64, Type::I32, Type::F32, Type::F64, Type::V128];

/// Operators on an `i32` that give it back, `{}` being the operand.
const IDENTITIES: &[&str] = &[
    "{}",
    "{}",
    "{}",
    "(i32.mul {} (i32.const 1))",
    "(i32.mul (i32.const 1) {})",
    "(i32.add {} (i32.const 0))",
    "(i32.add (i32.const 0) {})",
    "(i32.sub {} (i32.const 0))",
    "(i32.or (i32.const 0) {})",
    "(i32.or {} (i32.const 0))",
    "(i32.xor {} (i32.const 0))",
    "(i32.xor (i32.const 0) {})",
    "(i32.and {} (i32.const -1))",
    "(i32.and (i32.const -1) {})",
    "(i32.shl {} (i32.const 0))",
    "(i32.shr_u {} (i32.const 32))",
    "(i32.shr_s {} (i32.const 0))",
    "(i32.rotl {} (i32.const 32))",
    "(i32.rotr {} (i32.const 0))",
    "(i32.div_u {} (i32.const 1))",
    "(i32.div_s {} (i32.const 1))",
    "(i32.extend16_s {})",
    "(i32.extend8_s {})",
    "(block (result i32) {})",
    "(loop (result i32) {})",
    "(select {} (i32.const 3) (i32.const 1))",
    "(select (i32.const 3) {} (i32.const 0))",
    "(local.tee $t {})",
    "(block (result i32) (br 0 {}))",
    "(if (result i32) (i32.const 1) (then {}) (else (i32.const 1)))",
    "(i32.reinterpret_f32 (f32.reinterpret_i32 {}))",
    "(i32.wrap_i64 (i64.extend_i32_s {}))",
    "(call $own {})",
    "(block (result i32) (local.set $t {}) (local.get $t))",
    "(block (result i32) (global.set $g {}) (global.get $g))",
];

/// From an `i32` below 64 to an `i64`, by way of something that an upper half would change.
const USES: &[&str] = &[
    "(i64.load8_u {})",
    "(i64.load {})",
    "(i64.load offset=40000000 {})",
    "(i64.load offset=5 (i32.add {} (i32.const 3)))",
    "(i64.load $n {})",
    "(i64.extend_i32_u (i32.load8_s {}))",
    "(i64.extend_i32_u {})",
    "(i64.extend_i32_s {})",
    "(i64.extend_i32_u (i32.eqz {}))",
    "(i64.extend_i32_u (i32.lt_u {} (i32.const 40)))",
    "(i64.extend_i32_u (i32.lt_s {} (local.get $t)))",
    "(i64.extend_i32_u (i32.clz {}))",
    "(i64.extend_i32_u (i32.ctz {}))",
    "(i64.extend_i32_u (i32.div_u {} (i32.const 7)))",
    "(i64.extend_i32_u (i32.shr_u {} (i32.const 2)))",
    "(i64.shl (i64.const 3) (i64.extend_i32_u {}))",
    "(call_indirect $own (result i64) (i32.and {} (i32.const 3)))",
    "(block (result i64) (table.set $own (i32.const 5) (table.get $own {})) (i64.const 9))",
    "(block (result i64) (if (result i64) {} (then (i64.const 4)) (else (i64.const 5))))",
    "(block $d (result i64) (block $c (block $b (block $a (br_table $a $b $c {})) (br $d (i64.const 11)))
        (br $d (i64.const 12))) (i64.const 13))",
    "(block (result i64) (memory.fill {} (i32.const 7) (i32.const 2)) (i64.const 6))",
    "(block (result i64) (memory.fill (i32.const 80) (i32.const 9) {}) (i64.const 7))",
    "(block (result i64) (memory.copy {} (i32.const 4) (i32.const 8)) (i64.const 8))",
    "(block (result i64) (i32.store8 {} (i32.const 77)) (i64.const 10))",
    "(block (result i64) (i64.store offset=200 {} (i64.const -3)) (i64.const 14))",
    "(i64.extend_i32_u (i32.atomic.rmw8.add_u {} (i32.const 1)))",
    "(i64.reinterpret_f64 (f64.convert_i32_u {}))",
    "(i64x2.extract_lane 0 (i32x4.splat {}))",
    "(i64.extend_i32_s (memory.grow $n (i32.and {} (i32.const 1))))",
    "(i64.extend_i32_u (array.get_u $row (global.get $row) {}))",
    "(i64.extend_i32_u (i31.get_u (ref.i31 {})))",
];

/// The modules of these decisions.
#[must_use]
pub fn modules(random: impl Into<Random>) -> Halves {
    let mut random = random.into();
    let mut callee = String::from(
        "(global $dirty i64 (i64.const 0x5eadbeef_00000021)) (memory 1)
         (data (i32.const 8) \"\\11\\00\\00\\00\\ff\\ee\\dd\\cc\")",
    );
    let mut imports = String::new();
    let mut funcs = String::new();
    let mut sigs = Vec::new();
    for number in 0..1 + random.below(4) {
        let types = |random: &mut Random, most| -> Vec<Type> {
            (0..random.below(most)).map(|_| *random.pick(&TYPES)).collect()
        };
        let most = *random.pick(&[4, 8, 20]);
        let params = types(&mut random, most);
        let most = *random.pick(&[2, 3, 12]);
        let mut results = types(&mut random, most);
        results.insert(0, Type::I32);
        let sig = format!("{} {}", clause("param", &params), clause("result", &results));
        callee += &format!("(func $c{number} (export \"c{number}\") {sig} {})\n", body(&mut random, &params, &results));
        imports += &format!("(import \"callee\" \"c{number}\" (func $c{number} {sig}))\n");
        sigs.push((params, results));
    }
    callee += &format!(
        "(table (export \"table\") {0} funcref) (elem (i32.const 0) {1})",
        sigs.len(),
        (0..sigs.len()).map(|i| format!("$c{i} ")).collect::<String>()
    );
    let count = 1 + random.below(4);
    for number in 0..count {
        let mut code = String::new();
        for _ in 0..1 + random.below(5) {
            code += &call(&mut random, &sigs);
        }
        funcs += &format!(
            "(func (export \"u{number}\") (param i64 i64 i64) (result i64) (local $t i32) (local $s i64)
               (local $i0 i32) (local $i1 i32) (local $l i64)\n{code}(local.get $s))\n"
        );
    }
    let caller = format!(
        "(module {imports} (import \"callee\" \"table\" (table $far {} funcref))
           (type $row (array i8)) (global $row (ref $row) (array.new $row (i32.const 3) (i32.const 64)))
           (memory (export \"memory\") 700) (memory $n 1 40)
           (data (i32.const 0) \"the quick brown fox jumps over the lazy dog, THE QUICK BROWN FOX JUMPS\")
           (table $own 64 funcref) (elem (table $own) (i32.const 0) func $a $b $a $b)
           (global $g (mut i32) (i32.const 0))
           (func $a (result i64) (i64.const 101)) (func $b (result i64) (i64.const 102))
           (func $own (param i32) (result i32) (local.get 0))
           {funcs})",
        sigs.len()
    );
    Halves { callee: format!("(module {callee})"), caller, funcs: count }
}

/// Results made of parameters, of which each `i32` comes from something wider where it can.
fn body(random: &mut Random, params: &[Type], results: &[Type]) -> String {
    let mut text = String::new();
    for ty in results {
        let same: Vec<usize> = (0..params.len()).filter(|i| params[*i] == *ty).collect();
        let wide: Vec<usize> = (0..params.len()).filter(|i| params[*i] == Type::I64).collect();
        let narrow: Vec<usize> = (0..params.len()).filter(|i| params[*i] == Type::I32).collect();
        text += &match (ty, random.below(6)) {
            (Type::I32, 0..=2) if !wide.is_empty() => format!("(i32.wrap_i64 (local.get {})) ", random.pick(&wide)),
            (Type::I32, 3) => "(i32.wrap_i64 (global.get $dirty)) ".into(),
            (Type::I32, 4) => "(i32.wrap_i64 (i64.load (i32.const 8))) ".into(),
            (Type::I32, 5) if !narrow.is_empty() => {
                format!("(i32.load8_u offset=8 (i32.and (i32.const 63) (local.get {}))) ", random.pick(&narrow))
            }
            (Type::I64, 0..=3) if !narrow.is_empty() => {
                format!("(i64.extend_i32_u (local.get {})) ", random.pick(&narrow))
            }
            (_, 0..=4) if !same.is_empty() => format!("(local.get {}) ", random.pick(&same)),
            (Type::V128, _) => "(v128.const i64x2 5 6) ".into(),
            (Type::I64, _) => "(global.get $dirty) ".into(),
            (ty, _) => format!("({}.const 12) ", name(*ty)),
        };
    }
    text
}

/// One call and the use of all its results.
fn call(random: &mut Random, sigs: &[(Vec<Type>, Vec<Type>)]) -> String {
    let number = random.below(sigs.len());
    let (params, results) = &sigs[number];
    let mut args = String::new();
    for ty in params {
        let wide = random.below(3);
        args += &match ty {
            Type::I32 => format!("(i32.wrap_i64 (local.get {wide})) "),
            Type::I64 => format!("(local.get {wide}) "),
            Type::V128 => format!("(i64x2.splat (local.get {wide})) "),
            ty => format!("({}.const {wide}) ", name(*ty)),
        };
    }
    let call = match random.below(3) {
        0 => format!("(call $c{number} {args})"),
        1 => format!(
            "(call_indirect $far {} {} {args} (i32.const {number}))",
            clause("param", params),
            clause("result", results)
        ),
        _ => format!("{args} (call $c{number})"),
    };
    let mut text = String::new();
    // The first result is used where it lies if it is the only one; otherwise the last is, and the others follow.
    for (i, ty) in results.iter().enumerate().rev() {
        let producer = if i + 1 == results.len() { call.clone() } else { String::new() };
        if i > 0 || *ty != Type::I32 {
            let keep = match ty {
                Type::I32 => "(local.set $i0) (local.set $l (i64.extend_i32_u (local.get $i0)))",
                Type::I64 => "(local.set $l)",
                _ => "(drop)",
            };
            text += &format!(
                "{producer} {keep} (local.set $s (i64.add (i64.rotl (local.get $s) (i64.const 3)) (local.get $l)))\n"
            );
            continue;
        }
        // A use wants its operand at its place: what came before is in the way only if there were other results.
        let operand = if results.len() == 1 { producer } else { "(local.get $i1)".into() };
        let operand = random.pick(IDENTITIES).replace("{}", &operand);
        let operand = random.pick(IDENTITIES).replace("{}", &operand);
        let used = random.pick(USES).replace("{}", &operand);
        let before = if results.len() == 1 { "" } else { "(local.set $i1)" };
        text += &format!("{before} (local.set $s (i64.add (i64.rotl (local.get $s) (i64.const 7)) {used}))\n");
    }
    text
}
