//! Every operator on vectors, with operands in registers, memory, frame slots and constants, and destinations that are
//! operands and that are not. What a processor without AVX does differs most in these.

use super::Generated;
use crate::observe::{Type, Value, boundaries, interesting};
use crate::random::mix;

const UNARY: &str = "\
    v128.not f32x4.demote_f64x2_zero f64x2.promote_low_f32x4 i8x16.abs i8x16.neg i8x16.popcnt f32x4.ceil \
    f32x4.floor f32x4.trunc f32x4.nearest f64x2.ceil f64x2.floor f64x2.trunc i16x8.extadd_pairwise_i8x16_s \
    i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u i16x8.abs \
    i16x8.neg i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u \
    i16x8.extend_high_i8x16_u f64x2.nearest i32x4.abs i32x4.neg i32x4.extend_low_i16x8_s \
    i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i64x2.abs i64x2.neg \
    i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u \
    f32x4.abs f32x4.neg f32x4.sqrt f64x2.abs f64x2.neg f64x2.sqrt i32x4.trunc_sat_f32x4_s \
    i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u i32x4.trunc_sat_f64x2_s_zero \
    i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u \
    i32x4.relaxed_trunc_f32x4_u i32x4.relaxed_trunc_f64x2_u_zero i32x4.relaxed_trunc_f32x4_s \
    i32x4.relaxed_trunc_f64x2_s_zero";
const BINARY: &str = "\
    i8x16.swizzle i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u \
    i8x16.ge_s i8x16.ge_u i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u \
    i16x8.ge_s i16x8.ge_u i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u \
    i32x4.ge_s i32x4.ge_u f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge f64x2.eq f64x2.ne f64x2.lt \
    f64x2.gt f64x2.le f64x2.ge v128.and v128.andnot v128.or v128.xor i8x16.narrow_i16x8_s \
    i8x16.narrow_i16x8_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub i8x16.sub_sat_s i8x16.sub_sat_u \
    i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u i8x16.avgr_u i16x8.q15mulr_sat_s i16x8.narrow_i32x4_s \
    i16x8.narrow_i32x4_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub i16x8.sub_sat_s i16x8.sub_sat_u \
    i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i16x8.extmul_low_i8x16_s \
    i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u i32x4.add i32x4.sub \
    i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s i32x4.extmul_low_i16x8_s \
    i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u i64x2.add i64x2.sub \
    i64x2.mul i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s \
    i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u f32x4.add f32x4.sub \
    f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin f32x4.pmax f64x2.add f64x2.sub f64x2.mul f64x2.div \
    f64x2.min f64x2.max f64x2.pmin f64x2.pmax i8x16.relaxed_swizzle f32x4.relaxed_min f32x4.relaxed_max \
    f64x2.relaxed_min f64x2.relaxed_max i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s";
const TERNARY: &str = "\
    v128.bitselect i8x16.relaxed_laneselect i16x8.relaxed_laneselect i32x4.relaxed_laneselect \
    i64x2.relaxed_laneselect i32x4.relaxed_dot_i8x16_i7x16_add_s";
const MADD: &str = "f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd";
const SHIFTS: &str = "\
    i8x16.shl i8x16.shr_s i8x16.shr_u i16x8.shl i16x8.shr_s i16x8.shr_u i32x4.shl i32x4.shr_s i32x4.shr_u \
    i64x2.shl i64x2.shr_s i64x2.shr_u";
const TESTS: &str = "\
    v128.any_true i8x16.all_true i16x8.all_true i32x4.all_true i64x2.all_true i8x16.bitmask i16x8.bitmask \
    i32x4.bitmask i64x2.bitmask";

/// One page for operands and results.
const HEAD: &str = "(memory (export \"m\") 1)";

/// Lists of `n` vectors, boundaries all of them.
fn vectors(n: usize, count: u64) -> Vec<Vec<Value>> {
    let all = boundaries(Type::V128);
    (0..count).map(|i| (0..n).map(|k| all[mix(i << 8 | k as u64) as usize % all.len()]).collect()).collect()
}

/// An operator in all forms of its operands.
fn forms(module: &mut Generated, op: &str, operands: usize, result: Type) {
    use Type::V128;
    let name = |form: &str| format!("{op}:{form}");
    let gets = |from: usize| (from..from + operands).map(|i| format!("local.get {i}")).collect::<Vec<_>>();
    let params = vec![V128; operands];
    let args = vectors(operands, 40);
    let list = gets(0);
    // Parameters, which the operator may not destroy.
    let all = list.join(" ");
    module.func(&name("params"), &params, &[result], &format!("{all} {op}"), args.clone());
    // The result in the place of each operand in turn, and operands that are alike.
    for (i, _) in list.iter().enumerate().filter(|_| result == V128) {
        let body = format!("{all} {op} local.set {i} {all} {op}");
        module.func(&name(&format!("in-place-{i}")), &params, &[result], &body, args.clone());
    }
    let alike = vec!["local.get 0"; operands].join(" ");
    module.func(&name("alike"), &params, &[result], &format!("{alike} {op}"), args.clone());
    // Each operand from memory, of its own, or constant.
    for i in 0..operands {
        let with = |text: String| {
            let mut list = list.clone();
            list[i] = text;
            list.join(" ")
        };
        let load = with("i32.const 5 v128.load offset=30".into());
        let store = format!("i32.const 0 local.get {i} v128.store offset=35");
        module.func(&name(&format!("loaded-{i}")), &params, &[result], &format!("{store} {load} {op}"), args.clone());
        let own = with(format!("local.get {i} v128.not v128.not"));
        module.func(&name(&format!("own-{i}")), &params, &[result], &format!("{own} {op}"), args.clone());
        for (k, constant) in ["0 0", "-1 -1", "0x8000000000000001 0x7f80ff017fff0003"].into_iter().enumerate() {
            let constant = with(format!("v128.const i64x2 {constant}"));
            module.func(
                &name(&format!("const-{i}-{k}")),
                &params,
                &[result],
                &format!("{constant} {op}"),
                args[..12].to_vec(),
            );
        }
    }
    // Operands that wait in slots, across a call.
    let body = format!("{all} call $nothing {op}");
    module.func(&name("slots"), &params, &[result], &body, args);
}

/// All operators that take nothing but vectors, and shifts.
#[must_use]
pub fn modules() -> Vec<Generated> {
    let mut modules = Vec::new();
    let mut module = |list: &str, operands: usize, result: Type| {
        for ops in list.split_whitespace().collect::<Vec<_>>().chunks(24) {
            let mut module = Generated::new(format!("{HEAD} (func $nothing)"));
            for op in ops {
                forms(&mut module, op, operands, result);
            }
            modules.push(module);
        }
    };
    module(UNARY, 1, Type::V128);
    module(BINARY, 2, Type::V128);
    module(TERNARY, 3, Type::V128);
    module(MADD, 3, Type::V128);
    module(TESTS, 1, Type::I32);
    modules.push(shifts());
    modules.push(lanes());
    modules.push(shuffles());
    modules
}

fn shifts() -> Generated {
    use Type::{I32, V128};
    let mut module = Generated::new(HEAD);
    for op in SHIFTS.split_whitespace() {
        let args = |i: u64| vec![vectors(1, 40)[i as usize % 40][0], Value::I32(i as u32 * 7 % 300)];
        let body = format!("local.get 0 local.get 1 {op}");
        module.func(&format!("{op}:count"), &[V128, I32], &[V128], &body, (0..130).map(args).collect());
        let body = format!("local.get 0 v128.not local.get 1 {op}");
        module.func(&format!("{op}:own"), &[V128, I32], &[V128], &body, (0..70).map(args).collect());
        for n in 0..66 {
            let body = format!("local.get 0 i32.const {n} {op}");
            module.func(&format!("{op}:{n}"), &[V128], &[V128], &body, vectors(1, 8));
        }
    }
    module
}

/// Splats, lanes to and from numbers and memory, and loads of parts.
fn lanes() -> Generated {
    use Type::{F32, F64, I32, I64, V128};
    let mut module = Generated::new(format!("{HEAD} (func $nothing)"));
    for (shape, ty, count, extracts) in [
        ("i8x16", I32, 16, &["_s", "_u"][..]),
        ("i16x8", I32, 8, &["_s", "_u"]),
        ("i32x4", I32, 4, &[""]),
        ("i64x2", I64, 2, &[""]),
        ("f32x4", F32, 4, &[""]),
        ("f64x2", F64, 2, &[""]),
    ] {
        let values = boundaries(ty);
        let singles = values.iter().map(|v| vec![*v]).collect();
        module.func(&format!("{shape}:splat"), &[ty], &[V128], &format!("local.get 0 {shape}.splat"), singles);
        for (i, value) in values.iter().enumerate() {
            let body = format!("{} {shape}.splat", super::literal(*value));
            module.func(&format!("{shape}:splat-{i}"), &[], &[V128], &body, vec![vec![]]);
        }
        for lane in 0..count {
            for sign in extracts {
                let op = format!("{shape}.extract_lane{sign} {lane}");
                let (own, slot) = ("local.get 0 v128.not", "local.get 0 call $nothing");
                for (form, operand) in [("param", "local.get 0"), ("own", own), ("slot", slot)] {
                    let name = format!("{shape}:extract{sign}-{lane}-{form}");
                    module.func(&name, &[V128], &[ty], &format!("{operand} {op}"), vectors(1, 12));
                }
            }
            let args: Vec<Vec<Value>> = (0..12).map(|i| vec![interesting(V128, i), interesting(ty, i * 3)]).collect();
            for (form, operand) in [("param", "local.get 0"), ("own", "local.get 0 v128.not")] {
                let body = format!("{operand} local.get 1 {shape}.replace_lane {lane}");
                module.func(&format!("{shape}:replace-{lane}-{form}"), &[V128, ty], &[V128], &body, args.clone());
            }
        }
    }
    for (bits, count) in [(8, 16), (16, 8), (32, 4), (64, 2)] {
        for lane in 0..count {
            let body = format!(
                "i32.const 3 local.get 0 v128.store  i32.const 5 local.get 1 v128.load{bits}_lane offset=1 {lane}"
            );
            module.func(&format!("load{bits}-{lane}"), &[V128, V128], &[V128], &body, vectors(2, 12));
            let body = format!(
                "i32.const 3 local.get 0 v128.store  i32.const 5 local.get 1 v128.store{bits}_lane offset=1 {lane} i32.const 3 v128.load"
            );
            module.func(&format!("store{bits}-{lane}"), &[V128, V128], &[V128], &body, vectors(2, 12));
        }
    }
    for load in [
        "8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u", "8_splat", "16_splat", "32_splat", "64_splat",
        "32_zero", "64_zero",
    ] {
        let body = format!("i32.const 3 local.get 0 v128.store  i32.const 5 v128.load{load} offset=1");
        module.func(&format!("load{load}"), &[V128], &[V128], &body, vectors(1, 20));
    }
    module
}

/// Shuffles that single instructions do, and others.
fn shuffles() -> Generated {
    use Type::V128;
    let mut module = Generated::new(HEAD);
    let mut add = |name: String, lanes: [u8; 16]| {
        let text = lanes.map(|lane| lane.to_string()).join(" ");
        let op = format!("i8x16.shuffle {text}");
        let zero = "v128.const i64x2 0 0";
        for (form, operands) in [
            ("params", "local.get 0 local.get 1".to_string()),
            ("own", "local.get 0 v128.not local.get 1 v128.not".into()),
            ("right", "local.get 0 local.get 1 v128.not".into()),
            ("alike", "local.get 0 local.get 0".into()),
            ("zero", format!("local.get 0 {zero}")),
            ("of-zero", format!("{zero} local.get 1")),
        ] {
            module.func(&format!("{name}-{form}"), &[V128, V128], &[V128], &format!("{operands} {op}"), vectors(2, 3));
        }
    };
    for first in 0..32 {
        add(format!("run-{first}"), std::array::from_fn(|i| (first + i as u8) & 31));
    }
    for width in [1usize, 2, 4, 8] {
        for (half, swap) in [(0, 0), (8, 0), (0, 16), (8, 16)] {
            let lanes = std::array::from_fn(|i| {
                let operand = if i / width % 2 == 0 { swap } else { 16 - swap };
                (operand + half + i / width / 2 * width + i % width) as u8
            });
            add(format!("weave-{width}-{half}-{swap}"), lanes);
        }
    }
    for round in 0..120u64 {
        let width = 1usize << (round % 4);
        let lanes = std::array::from_fn(|i| {
            let lane = mix(round << 8 | (i / width) as u64) as u8 & 31;
            (lane & !(width as u8 - 1)) + (i % width) as u8
        });
        add(format!("lanes-{round}"), lanes);
        add(format!("one-{round}"), lanes.map(|lane| lane & 15));
        let blend = std::array::from_fn(|i| i as u8 + 16 * (mix(round << 16 | (i / width.max(2)) as u64) as u8 & 1));
        add(format!("blend-{round}"), blend);
    }
    module
}
