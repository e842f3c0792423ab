//! Values that change places: arguments, results, block parameters and locals permuted at every kind of edge, few and
//! a thousand, of all types.

use super::{Generated, clause, literal};
use crate::observe::{Type, Value, interesting};
use crate::random::Random;
use std::fmt::Write as _;

const NUMBERS: [Type; 5] = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];

/// Functions that return their `n` parameters permuted, and callers of them of every kind.
#[must_use]
pub fn permuted(random: impl Into<Random>, n: usize) -> Generated {
    let mut random = random.into();
    let types: Vec<Type> = (0..n).map(|_| *random.pick(&NUMBERS)).collect();
    // Parameters may come out twice or not at all.
    let order: Vec<usize> = (0..n).map(|_| random.below(n)).collect();
    let results: Vec<Type> = order.iter().map(|i| types[*i]).collect();
    let gets = order.iter().map(|i| format!("local.get {i} ")).collect::<String>();
    let all = (0..n).map(|i| format!("local.get {i} ")).collect::<String>();
    let args: Vec<Vec<Value>> =
        (0..3).map(|_| types.iter().map(|ty| interesting(*ty, random.bits())).collect()).collect();
    let ty = format!("{} {}", clause("param", &types), clause("result", &results));
    let mut module = Generated::new(format!(
        "(type $t (func {ty})) (import \"host\" \"permute\" (func $outside (type $t))) (table funcref (elem $permute $outside))"
    ));
    let mut add = |name: &str, body: &str| module.func(name, &types, &results, body, args.clone());
    add("permute", &gets);
    add("call", &format!("{all} call $permute"));
    add("call-indirect", &format!("{all} i32.const 0 call_indirect (type $t)"));
    add("return_call", &format!("{all} return_call $permute"));
    add("return_call_indirect", &format!("{all} i32.const 0 return_call_indirect (type $t)"));
    add("host", &format!("{all} call $outside"));
    add("host-indirect", &format!("{all} i32.const 1 call_indirect (type $t)"));
    add("return_call-host", &format!("{all} return_call $outside"));
    add("return", &format!("i64.const 1 {gets} return"));
    add("block", &format!("{all} (block (type $t) {})", through_locals(&types, &order)));
    add("br", &format!("(block {ty_results} i64.const 9 {gets} br 0)", ty_results = clause("result", &results)));
    add("br_if", &format!("(block {} i64.const 9 {gets} i32.const 1 br_if 0 unreachable)", clause("result", &results)));
    add(
        "if",
        &format!("{all} i32.const 1 (if (type $t) (then {}) (else unreachable))", through_locals(&types, &order)),
    );
    let constants: String =
        results.iter().enumerate().map(|(i, ty)| format!("{} ", literal(interesting(*ty, i as u64)))).collect();
    add("constants", &constants);
    let halves: String = order
        .iter()
        .enumerate()
        .map(|(i, from)| {
            if i % 2 == 0 {
                format!("local.get {from} ")
            } else {
                format!("{} ", literal(interesting(types[*from], i as u64)))
            }
        })
        .collect();
    add("half-constants", &halves);
    module
}

/// Code that takes the values off the stack and puts them there in order, by way of the function's parameters.
fn through_locals(types: &[Type], order: &[usize]) -> String {
    let mut code = String::new();
    for i in (0..types.len()).rev() {
        write!(code, "local.set {i} ").expect("a string takes all");
    }
    for i in order {
        write!(code, "local.get {i} ").expect("a string takes all");
    }
    code
}

/// Loops whose back edge permutes locals and block parameters, as often as the argument says.
#[must_use]
pub fn rotations(random: impl Into<Random>) -> Generated {
    let mut random = random.into();
    let mut module = Generated::new("(memory (export \"memory\") 1)");
    for number in 0..40 {
        let n = 1 + random.below(14);
        let ty = if number % 3 == 0 { None } else { Some(*random.pick(&NUMBERS)) };
        let types: Vec<Type> = (0..n).map(|_| ty.unwrap_or_else(|| *random.pick(&NUMBERS))).collect();
        let order: Vec<usize> = (0..n).map(|i| same_type(&types, i, &mut random)).collect();
        let counts = [0u32, 1, 2, 5].map(Value::I32);
        let rows: Vec<Vec<Value>> = counts
            .iter()
            .map(|count| [*count].into_iter().chain(types.iter().map(|ty| interesting(*ty, random.bits()))).collect())
            .collect();
        let params: Vec<Type> = [Type::I32].into_iter().chain(types.iter().copied()).collect();
        let get = |i: &usize| format!("local.get {} ", i + 1);
        let set = |i: usize| format!("local.set {} ", i + 1);
        let count = "local.get 0 i32.const 1 i32.sub local.tee 0 i32.const 0 i32.gt_s";
        let gets: String = (0..n).map(|i| get(&i)).collect();
        let permuted: String = order.iter().map(get).collect();
        let sets: String = (0..n).rev().map(set).collect();
        let mut add = |what: &str, body: String| {
            module.func(&format!("{what}{number}"), &params, &types, &body, rows.clone());
        };
        add("locals", format!("(loop {permuted} {sets} {count} br_if 0) {gets}"));
        let header = format!("{} {}", clause("param", &types), clause("result", &types));
        add("stack", format!("{gets} (loop {header} {sets} {permuted} {count} br_if 0)"));
        // The locals are read again after: neither may be mistaken for the other.
        let kept = format!("{gets} (loop {header} {sets} {permuted} {count} br_if 0) {sets} {gets}");
        add("kept", kept);
        let arms = format!("(if {header} (then {sets} {permuted}) (else))");
        add("arms", format!("{gets} local.get 0 i32.const 1 i32.and {arms}"));
        // Latent reads of locals that are overwritten while they wait.
        let waiting = format!("{permuted} {} {}", constants(&types), sets);
        add("waiting", format!("{waiting} {}", drop_into_results(&types)));
    }
    module
}

fn constants(types: &[Type]) -> String {
    types.iter().enumerate().map(|(i, ty)| format!("{} ", literal(interesting(*ty, i as u64 + 77)))).collect()
}

/// The waiting reads are already the results; what is left is to disturb the registers.
fn drop_into_results(types: &[Type]) -> String {
    let one = |ty: &Type| literal(Value::from_bits(*ty, 1));
    types.iter().enumerate().map(|(i, ty)| format!("local.get {} drop {} drop ", i + 1, one(ty))).collect()
}

fn same_type(types: &[Type], i: usize, random: &mut Random) -> usize {
    let same: Vec<usize> = (0..types.len()).filter(|j| types[*j] == types[i]).collect();
    *random.pick(&same)
}
