//! Single operators: each with boundary operands in every form in which an operand can come, and each result in every
//! form in which it can be used.

use super::{Generated, literal, name, product};
use crate::observe::{Type, Value, boundaries};

/// An operator on the stack, by its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As the text format spells it.
    pub name: String,
    /// What it takes.
    pub params: Vec<Type>,
    /// What it gives.
    pub result: Type,
}

const INT_BINARY: &str = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const INT_COMPARE: &str = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT_BINARY: &str = "add sub mul div min max copysign";
const FLOAT_COMPARE: &str = "eq ne lt gt le ge";
const FLOAT_UNARY: &str = "abs neg ceil floor trunc nearest sqrt";

/// Every numeric operator with one result.
#[must_use]
pub fn operators() -> Vec<Operator> {
    use Type::{F32, F64, I32, I64};
    let mut all = Vec::new();
    let mut add = |ty: Type, names: &str, params: &[Type], result: Type| {
        for op in names.split_whitespace() {
            all.push(Operator { name: format!("{}.{op}", name(ty)), params: params.to_vec(), result });
        }
    };
    for ty in [I32, I64] {
        add(ty, INT_BINARY, &[ty, ty], ty);
        add(ty, INT_COMPARE, &[ty, ty], I32);
        add(ty, "clz ctz popcnt extend8_s extend16_s", &[ty], ty);
        add(ty, "eqz", &[ty], I32);
    }
    for ty in [F32, F64] {
        add(ty, FLOAT_BINARY, &[ty, ty], ty);
        add(ty, FLOAT_COMPARE, &[ty, ty], I32);
        add(ty, FLOAT_UNARY, &[ty], ty);
    }
    add(I64, "extend32_s", &[I64], I64);
    add(I64, "extend_i32_s extend_i32_u", &[I32], I64);
    add(I32, "wrap_i64", &[I64], I32);
    for to in [I32, I64] {
        add(to, "trunc_f32_s trunc_f32_u trunc_sat_f32_s trunc_sat_f32_u", &[F32], to);
        add(to, "trunc_f64_s trunc_f64_u trunc_sat_f64_s trunc_sat_f64_u", &[F64], to);
    }
    for to in [F32, F64] {
        add(to, "convert_i32_s convert_i32_u", &[I32], to);
        add(to, "convert_i64_s convert_i64_u", &[I64], to);
    }
    add(F32, "demote_f64", &[F64], F32);
    add(F64, "promote_f32", &[F32], F64);
    add(I32, "reinterpret_f32", &[F32], I32);
    add(I64, "reinterpret_f64", &[F64], I64);
    add(F32, "reinterpret_i32", &[I32], F32);
    add(F64, "reinterpret_i64", &[I64], F64);
    all
}

/// One module for each group of operators, so that a failure names few.
#[must_use]
pub fn modules() -> Vec<(String, Generated)> {
    let mut modules: Vec<(String, Generated)> = Vec::new();
    for op in operators() {
        let group = format!("{} of {:?}", op.name.split('.').next().expect("a type comes first"), op.params);
        if modules.last().is_none_or(|(last, _)| *last != group) {
            modules.push((group, Generated::new("(memory 1)")));
        }
        let (_, module) = modules.last_mut().expect("just added");
        match op.params.len() {
            1 => unary(module, &op),
            _ => binary(module, &op),
        }
        results(module, &op);
    }
    modules.push(("wide arithmetic".into(), wide()));
    modules
}

/// The address of the memory operand with this number. Unaligned, since nothing promises alignment.
fn slot(index: usize) -> usize {
    3 + 16 * index
}

fn load(ty: Type, index: usize) -> String {
    format!("(i32.const {}) ({}.load)", slot(index), name(ty))
}

fn store(ty: Type, index: usize) -> String {
    format!("(i32.const {}) (local.get {index}) ({}.store)", slot(index), name(ty))
}

fn unary(module: &mut Generated, op: &Operator) {
    let (ty, spelled) = (op.params[0], &op.name);
    let all = product(&[boundaries(ty)]);
    let mut add = |form: &str, params: &[Type], body: String, args: Vec<Vec<Value>>| {
        module.func(&format!("{spelled}-{form}"), params, &[op.result], &body, args);
    };
    add("local", &op.params, format!("local.get 0 {spelled}"), all.clone());
    add("memory", &op.params, format!("{} {} {spelled}", store(ty, 0), load(ty, 0)), all.clone());
    // The operand comes out of another instruction, so it is in a register of nobody's, free for the result.
    let doubled = match ty {
        Type::I32 | Type::I64 => format!("local.get 0 {0}.const 0 {0}.xor {spelled}", name(ty)),
        _ => format!("local.get 0 {0}.neg {0}.neg {spelled}", name(ty)),
    };
    add("register", &op.params, doubled, all);
    for (i, value) in boundaries(ty).into_iter().enumerate() {
        add(&format!("const{i}"), &[], format!("{} {spelled}", literal(value)), vec![vec![]]);
    }
}

fn binary(module: &mut Generated, op: &Operator) {
    let (l, r) = (op.params[0], op.params[1]);
    let (spelled, result) = (&op.name, op.result);
    let all = product(&[boundaries(l), boundaries(r)]);
    let mut add = |form: &str, params: &[Type], body: String, args: Vec<Vec<Value>>| {
        module.func(&format!("{spelled}-{form}"), params, &[result], &body, args);
    };
    let both = op.params.as_slice();
    let stores = format!("{} {}", store(l, 0), store(r, 1));
    add("local-local", both, format!("local.get 0 local.get 1 {spelled}"), all.clone());
    add("swapped", both, format!("local.get 1 local.get 0 {spelled}"), all.clone());
    add("local-memory", both, format!("{stores} local.get 0 {} {spelled}", load(r, 1)), all.clone());
    add("memory-local", both, format!("{stores} {} local.get 1 {spelled}", load(l, 0)), all.clone());
    add("memory-memory", both, format!("{stores} {} {} {spelled}", load(l, 0), load(r, 1)), all.clone());
    add("same", &[l], format!("local.get 0 local.get 0 {spelled}"), product(&[boundaries(l)]));
    // Both operands are still needed after, so neither register may be taken for the result.
    let again = format!("local.get 0 local.get 1 {spelled} local.get 0 local.get 1 {spelled} drop");
    add("again", both, again, all);
    for (i, value) in boundaries(r).into_iter().enumerate() {
        let body = format!("local.get 0 {} {spelled}", literal(value));
        add(&format!("local-const{i}"), &[l], body, product(&[boundaries(l)]));
        let body = format!("{} {} {} {spelled}", store(l, 0), load(l, 0), literal(value));
        add(&format!("memory-const{i}"), &[l], body, product(&[boundaries(l)]));
    }
    for (i, value) in boundaries(l).into_iter().enumerate() {
        let body = format!("{} local.get 0 {spelled}", literal(value));
        add(&format!("const{i}-local"), &[r], body, product(&[boundaries(r)]));
        let other = boundaries(r)[i * 7 % boundaries(r).len()];
        add(&format!("const{i}-const"), &[], format!("{} {} {spelled}", literal(value), literal(other)), vec![vec![]]);
    }
    if l == result {
        add("set-left", both, format!("local.get 0 local.get 1 {spelled} local.set 0 local.get 0"), all_of(l, r));
        add("set-right", both, format!("local.get 0 local.get 1 {spelled} local.set 1 local.get 1"), all_of(l, r));
        add("tee", both, format!("local.get 0 local.get 1 {spelled} local.tee 0 local.get 0 {spelled}"), all_of(l, r));
        let update =
            format!("{stores} i32.const {0} {1} local.get 1 {spelled} {2}.store {1}", slot(0), load(l, 0), name(l));
        add("update", both, update, all_of(l, r));
    }
}

fn all_of(l: Type, r: Type) -> Vec<Vec<Value>> {
    product(&[boundaries(l), boundaries(r)])
}

/// The uses of a result: conditions of every kind for what gives an `i32`, bits for what gives a float exactly.
fn results(module: &mut Generated, op: &Operator) {
    let gets = (0..op.params.len()).map(|i| format!("local.get {i} ")).collect::<String>();
    let value = format!("{gets}{}", op.name);
    let all = product(&op.params.iter().map(|ty| boundaries(*ty)).collect::<Vec<_>>());
    let mut add = |form: &str, body: String, result: Type| {
        module.func(&format!("{}-{form}", op.name), &op.params, &[result], &body, all.clone());
    };
    let exact = ["abs", "neg", "copysign"].iter().any(|exact| op.name.ends_with(exact));
    match op.result {
        Type::I32 => {
            let arms = "(then i32.const 11) (else i32.const 22)";
            add("if", format!("{value} (if (result i32) {arms})"), Type::I32);
            add("if-not", format!("{value} i32.eqz (if (result i32) {arms})"), Type::I32);
            add("if-not-not", format!("{value} i32.eqz i32.eqz (if (result i32) {arms})"), Type::I32);
            add("br_if", format!("(block i32.const 7 {value} br_if 1 drop) i32.const 8"), Type::I32);
            add("not", format!("{value} i32.eqz"), Type::I32);
            add("select", format!("i64.const 5 i64.const 6 {value} select"), Type::I64);
            add("select-not", format!("f64.const 5 f64.const 6 {value} i32.eqz select"), Type::F64);
            add("unused", format!("{value} drop i32.const 1"), Type::I32);
            add("extended", format!("{value} i64.extend_i32_u"), Type::I64);
            add("twice", format!("{value} {value} i32.sub"), Type::I32);
        }
        Type::F32 if exact => add("bits", format!("{value} i32.reinterpret_f32"), Type::I32),
        Type::F64 if exact => add("bits", format!("{value} i64.reinterpret_f64"), Type::I64),
        _ => add("unused", format!("{value} drop i32.const 1"), Type::I32),
    }
}

/// Operators of the wide-arithmetic proposal: two results.
fn wide() -> Generated {
    let mut module = Generated::new("(memory 1)");
    let few: Vec<Value> = boundaries(Type::I64).into_iter().step_by(2).collect();
    let four = product(&[few.clone(), few[..3].to_vec(), few.clone(), few[4..].to_vec()]);
    let two = product(&[boundaries(Type::I64), boundaries(Type::I64)]);
    let results = [Type::I64, Type::I64];
    for op in ["i64.add128", "i64.sub128"] {
        let gets = "local.get 0 local.get 1 local.get 2 local.get 3";
        module.func(op, &[Type::I64; 4], &results, &format!("{gets} {op}"), four.clone());
        let crossed = format!(
            "local.get 1 local.get 0 local.get 3 local.get 2 {op} local.set 0 local.set 1 local.get 1 local.get 0"
        );
        module.func(&format!("{op}-crossed"), &[Type::I64; 4], &results, &crossed, four.clone());
        let same = format!("local.get 0 local.get 1 local.get 0 local.get 1 {op}");
        module.func(&format!("{op}-same"), &[Type::I64; 2], &results, &same, two.clone());
        let constant = format!("local.get 0 local.get 1 i64.const -1 i64.const 3 {op}");
        module.func(&format!("{op}-const"), &[Type::I64; 2], &results, &constant, two.clone());
    }
    for op in ["i64.mul_wide_s", "i64.mul_wide_u"] {
        module.func(op, &[Type::I64; 2], &results, &format!("local.get 0 local.get 1 {op}"), two.clone());
        let kept =
            format!("local.get 0 local.get 1 {op} local.get 0 i64.add local.set 0 local.get 1 i64.add local.get 0");
        module.func(&format!("{op}-kept"), &[Type::I64; 2], &results, &kept, two.clone());
        let constant = format!("i64.const -7 local.get 0 {op}");
        module.func(&format!("{op}-const"), &[Type::I64], &results, &constant, product(&[boundaries(Type::I64)]));
    }
    module
}
