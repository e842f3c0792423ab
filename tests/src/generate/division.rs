//! Division by constants, which compilers make without dividing: divisors of every form, dividends at the ends of each
//! quotient's range, in and out of the registers that a multiplication demands.

use super::Generated;
use crate::observe::{Type, Value};

/// How the dividend gets to the division, and what else is in registers then; `OP` is the division with its constant,
/// and `T` the type. Each takes the dividend in local 0.
const PLACES: &[(&str, &str)] = &[
    ("param", "local.get 0 OP"),
    ("read-again", "local.get 0 OP local.get 0 T.xor"),
    ("in-place", "local.get 0 OP local.set 0 local.get 0"),
    ("in-place-read-before", "local.get 0 local.get 0 OP local.set 0 local.get 0 T.sub"),
    ("loaded", "i32.const 64 local.get 0 T.store i32.const 64 T.load OP"),
    ("computed", "local.get 0 T.const 1 T.add T.const 1 T.sub OP"),
    ("of-a-product", "local.get 0 i64.WIDE i64.const 1 i64.mul_wide_u drop WRAP OP"),
    (
        "of-an-upper-half",
        "i64.const 0x100000000 local.get 0 i64.WIDE i64.const 32 i64.shl i64.mul_wide_u i64.xor WRAP OP",
    ),
    ("twice", "local.get 0 OP local.get 0 T.const 1 T.sub OP T.sub"),
    ("of-a-quotient", "local.get 0 T.const 3 T.div_u OP"),
    ("argument", "local.get 0 OP call $T"),
    (
        "under-many",
        "local.get 0 T.const 1 T.add local.get 0 T.const 2 T.add local.get 0 T.const 3 T.add local.get 0 T.const 4 T.add \
         local.get 0 T.const 5 T.add local.get 0 T.const 6 T.add local.get 0 T.const 7 T.add local.get 0 T.const 8 T.add \
         local.get 0 OP T.xor T.add T.xor T.add T.xor T.add T.xor T.add",
    ),
    (
        "in-a-loop",
        "(loop local.get 1 T.const 31 T.mul local.get 0 OP T.add local.set 1 local.get 0 T.const 10 T.div_u local.tee 0 \
         T.const 0 T.ne br_if 0) local.get 1",
    ),
];

const OPERATORS: [&str; 4] = ["div_u", "div_s", "rem_u", "rem_s"];

fn divisors(bits: u32) -> Vec<u64> {
    let all = u64::MAX >> (64 - bits);
    let mut divisors: Vec<u64> = (0..=20).chain([24, 25, 28, 60, 100, 125, 274_177, 641, 1000, 10_000]).collect();
    for bit in [8, 15, 16, 24, 30, 31, 32, 33, 47, 62, 63] {
        if bit < bits {
            divisors.extend([(1 << bit) - 1, 1 << bit, (1 << bit) + 1, 3 << (bit - 1)]);
        }
    }
    divisors.extend([0x5555_5555, 0x92c8_c1d3, 1_000_000_007, 6_700_417 * 3, 10_000_000_000_000_000_000]);
    let negative: Vec<u64> = divisors.iter().map(|divisor| divisor.wrapping_neg()).collect();
    divisors.extend(negative);
    for divisor in &mut divisors {
        *divisor &= all;
    }
    divisors.sort_unstable();
    divisors.dedup();
    divisors
}

/// Numbers around multiples of the divisor, and at the ends of both ranges.
fn dividends(bits: u32, divisor: u64) -> Vec<u64> {
    let all = u64::MAX >> (64 - bits);
    let most = all.checked_div(divisor).unwrap_or(0).wrapping_mul(divisor);
    let signed = (all >> 1).checked_div(divisor).unwrap_or(0).wrapping_mul(divisor);
    let mut numbers = vec![0x1234_5678_9abc_def0 & all];
    for near in [0, divisor, divisor.wrapping_mul(7), most, signed, signed.wrapping_neg(), all >> 1, (all >> 1) + 1] {
        numbers.extend([near.wrapping_sub(1) & all, near & all, near.wrapping_add(1) & all]);
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// One module for each place of the dividend, with its name.
pub fn modules() -> Vec<(&'static str, Generated)> {
    let places = PLACES.iter().map(|&(place, body)| {
        let mut module = Generated::new(
            "(memory 1)\n(func $i32 (param i32) (result i32) local.get 0 i32.const 5 i32.add)\n\
             (func $i64 (param i64) (result i64) local.get 0 i64.const 5 i64.add)",
        );
        for (ty, bits, wide, wrap) in [("i32", 32, "extend_i32_u", "i32.wrap_i64"), ("i64", 64, "const 0 i64.or", "")] {
            for operator in OPERATORS {
                for divisor in divisors(bits) {
                    let op = format!("{ty}.const {divisor} {ty}.{operator}");
                    let body = body.replace("OP", &op).replace("WIDE", wide).replace("WRAP", wrap).replace('T', ty);
                    let args = dividends(bits, divisor).into_iter();
                    let (ty_of, value): (_, fn(u64) -> Value) = match bits {
                        32 => (Type::I32, |bits| Value::I32(bits as u32)),
                        _ => (Type::I64, Value::I64),
                    };
                    let name = format!("{ty}.{operator}-{divisor:#x}");
                    let body = format!("(local {ty}) {body}");
                    module.func(&name, &[ty_of], &[ty_of], &body, args.map(|bits| vec![value(bits)]).collect());
                }
            }
        }
        (place, module)
    });
    places.collect()
}
