//! Tail calls between functions with any numbers of arguments on the stack, from frames of any size: the callee's
//! arguments replace the caller's and parts of its frame, upwards or downwards.

use super::Generated;
use crate::observe::Type;
use std::fmt::Write as _;

/// How many parameters: none, few, just as many as there are registers, more, many.
const COUNTS: [usize; 9] = [0, 1, 5, 7, 9, 10, 17, 30, 60];

/// The type of a parameter, by position.
fn ty(at: usize) -> &'static str {
    ["i32", "i64", "f64", "i64", "v128", "f32", "i32"][at % 7]
}

fn types(count: usize) -> String {
    (0..count).map(ty).collect::<Vec<_>>().join(" ")
}

/// A hash of all parameters, which depends on their order.
fn hash(count: usize) -> String {
    let mut body = String::from("i64.const 7");
    for at in 0..count {
        let bits = match ty(at) {
            "i32" => "i64.extend_i32_s",
            "i64" => "",
            "f32" => "i64.trunc_sat_f32_s",
            "f64" => "i64.trunc_sat_f64_s",
            _ => "i64x2.extract_lane 1",
        };
        write!(body, " i64.const 31 i64.mul local.get {at} {bits} i64.add").expect("a string takes all");
    }
    body
}

/// The value for a position.
fn value(at: usize, from: usize) -> String {
    match ty(at) {
        "v128" => format!("v128.const i64x2 1 {} ", at + from),
        ty => format!("{ty}.const {} ", at * 3 + from),
    }
}

/// One module for each size of the caller's frame, in locals that live across a call, and number of results.
#[must_use]
pub fn modules() -> Vec<Generated> {
    [(0, 1), (2, 1), (9, 1), (40, 1), (0, 12), (9, 12)].map(|(locals, results)| module(locals, results)).into()
}

fn module(locals: usize, results: usize) -> Generated {
    let result = format!("(result {})", "i64 ".repeat(results));
    let mut head = String::from("(func $touch (param i64) (result i64) local.get 0)\n");
    let more: String = (1..results).map(|at| format!("i64.const {at} ")).collect();
    for count in COUNTS {
        writeln!(head, "(type $t{count} (func (param {}) {result}))", types(count)).expect("a string takes all");
        writeln!(head, "(func $hash{count} (type $t{count}) {} {})", hash(count), more).expect("a string takes all");
    }
    let hashes = COUNTS.map(|count| format!("$hash{count}")).join(" ");
    write!(head, "(table funcref (elem {hashes}))").expect("a string takes all");
    let mut module = Generated::new(head);
    for caller in COUNTS {
        for (element, callee) in COUNTS.into_iter().enumerate() {
            let calls = [
                ("direct", format!("return_call $hash{callee}")),
                ("indirect", format!("i32.const {element} return_call_indirect (type $t{callee})")),
                ("reference", format!("ref.func $hash{callee} return_call_ref $t{callee}")),
            ];
            for (kind, call) in calls {
                let name = format!("{kind}-{caller}-{callee}");
                let busy: String = (0..locals)
                    .map(|local| format!("(local.set {} (call $touch (i64.const {local})))\n", caller + local))
                    .collect();
                // The first arguments are the caller's own parameters.
                let shared = callee.min(caller) / 2;
                let own: String = (0..shared).map(|at| format!("local.get {at} ")).collect();
                let rest: String = (shared..callee).map(|at| value(at, 100)).collect();
                writeln!(
                    module.funcs,
                    "(func $from-{name} (param {}) {result} (local {})\n {busy} {own} {rest} {call})",
                    types(caller),
                    "i64 ".repeat(locals)
                )
                .expect("a string takes all");
                let sum = "i64.add ".repeat(results - 1);
                let body = format!(
                    "(local i64 i64) (local.set 0 (call $touch (i64.const 5))) (local.set 1 (call $touch (i64.const 6)))
                    {} call $from-{name} {sum} local.get 0 i64.xor local.get 1 i64.sub",
                    (0..caller).map(|at| value(at, 1)).collect::<String>()
                );
                module.func(&name, &[], &[Type::I64], &body, vec![vec![]]);
            }
        }
    }
    module
}
