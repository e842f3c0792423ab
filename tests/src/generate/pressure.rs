//! Functions with more locals than registers, whose operations read memory at addresses that are in locals, too. What
//! an operator holds while it takes another register, be it an address, a local that is there by chance or a result,
//! must not be what it takes.

use super::Generated;
use crate::observe::Type;
use crate::random::Random;
use std::fmt::Write as _;

/// How many locals hold addresses, and are written with nothing else.
const ADDRESSES: usize = 12;

/// Operators of two operands of the type that give such a value again. Floats are left at what cannot make a NaN.
const fn operators(ty: Type) -> &'static [&'static str] {
    match ty {
        Type::I32 => {
            &["i32.add", "i32.sub", "i32.mul", "i32.xor", "i32.lt_s", "i32.ge_u", "i32.eq", "i32.shl", "i32.rotr"]
        }
        Type::I64 => &["i64.add", "i64.sub", "i64.mul", "i64.or", "i64.shr_u"],
        Type::F32 => &["f32.add", "f32.sub", "f32.min", "f32.copysign"],
        Type::F64 => &["f64.add", "f64.sub", "f64.max", "f64.copysign"],
        _ => {
            &["i32x4.add", "i8x16.sub_sat_u", "v128.andnot", "i16x8.gt_u", "i64x2.mul", "i8x16.swizzle", "i32x4.min_s"]
        }
    }
}

const fn load(ty: Type) -> &'static str {
    match ty {
        Type::I32 => "i32.load",
        Type::I64 => "i64.load",
        Type::F32 => "f32.load",
        Type::F64 => "f64.load",
        _ => "v128.load",
    }
}

/// A module of one function of so many statements.
#[must_use]
pub fn module(random: impl Into<Random>, statements: usize) -> Generated {
    let random = &mut random.into();
    let mut types = vec![Type::I32, Type::I32, Type::I64, Type::F32, Type::F64];
    if random.one_in(2) {
        types.push(Type::V128);
    }
    let only = *random.pick(&types);
    let mixed = random.one_in(2);
    let locals: Vec<Type> =
        (0..ADDRESSES + random.below(24)).map(|i| if i < ADDRESSES { Type::I32 } else { only }).collect();
    let locals: Vec<Type> = locals
        .into_iter()
        .enumerate()
        .map(|(i, ty)| if i >= ADDRESSES && mixed { *random.pick(&types) } else { ty })
        .collect();
    let mut body = format!("(local {})\n", locals.iter().map(|ty| super::name(*ty)).collect::<Vec<_>>().join(" "));
    for i in 0..ADDRESSES {
        writeln!(body, "  (local.set {i} (i32.const {}))", 16 + 48 * i).expect("a string takes all");
    }
    let calls = random.one_in(2);
    // Some are one line from their start to their end.
    let straight = random.one_in(3);
    for _ in 0..statements {
        if straight {
            let calls = calls && random.one_in(8);
            simple(random, &locals, calls, false, &mut body);
        } else {
            statement(random, &locals, calls, 3, &mut body);
        }
    }
    // Everything ends in memory, where it is compared.
    for (i, ty) in locals.iter().enumerate() {
        let name = super::name(*ty);
        writeln!(body, "  ({name}.store offset={} (i32.const 4096) (local.get {i}))", 16 * i).expect("as above");
    }
    // Bytes that are small, finite numbers as floats of either width.
    let data: String = (0..160).map(|i| format!("\\{:02x}\\{:02x}\\80\\3f", i, i * 7 % 251)).collect();
    let head = format!(
        "(memory (export \"memory\") 1)\n(data (i32.const 0) \"{data}\")\n(func $nothing)\n(global $g (mut i32) (i32.const 0))\n(global $left (mut i32) (i32.const 40))"
    );
    let mut module = Generated::new(head);
    module.func("f", &[], &[], &body, vec![vec![]]);
    module
}

fn statement(random: &mut Random, locals: &[Type], calls: bool, depth: usize, body: &mut String) {
    if depth > 0 && random.one_in(12) {
        return nest(random, locals, calls, depth - 1, body);
    }
    simple(random, locals, calls, true, body);
}

/// A statement without others in it, which may be an `if`.
fn simple(random: &mut Random, locals: &[Type], calls: bool, ifs: bool, body: &mut String) {
    let offset = 4 * random.below(12);
    let address = random.below(ADDRESSES);
    let to = random.below(locals.len());
    let ty = locals[to];
    let of_type: Vec<usize> = (0..locals.len()).filter(|i| locals[*i] == ty).collect();
    let from = *random.pick(&of_type);
    let operator = random.pick(operators(ty));
    let load = load(ty);
    let compared =
        format!("(i32.lt_s (local.get {address}) (i32.load offset={offset} (local.get {})))", random.below(ADDRESSES));
    match random.below(16) {
        0 if calls => writeln!(body, "  (call $nothing)"),
        1 if to >= ADDRESSES && ifs => {
            writeln!(body, "  (if {compared} (then (local.set {to} (local.get {from}))))")
        }
        2 if to >= ADDRESSES && ty != Type::V128 => {
            writeln!(body, "  (local.set {to} (select (local.get {from}) ({load} (local.get {address})) {compared}))")
        }
        4 if to >= ADDRESSES => writeln!(body, "  (local.set {to} (local.get {from}))"),
        5 if to >= ADDRESSES => {
            let again = *random.pick(&of_type);
            let again = if again < ADDRESSES { to } else { again };
            writeln!(body, "  (local.set {to} (local.tee {again} ({load} offset={offset} (local.get {address}))))")
        }
        // What a local holds is read, then written, then used. Sums of floats would not stay finite for long.
        6 | 7 if to >= ADDRESSES && !matches!(ty, Type::F32 | Type::F64) => writeln!(
            body,
            "  (local.set {to} ({operator} (local.get {to}) ({operator} (local.tee {to} ({operator} (local.get {from}) \
             (local.get {to}))) ({load} (local.get {address})))))"
        ),
        // What is loaded is never written, so that no float becomes a NaN.
        3 => writeln!(
            body,
            "  ({}.store offset={} (local.get {address}) (local.get {from}))",
            super::name(ty),
            offset + 700
        ),
        _ if to >= ADDRESSES => writeln!(
            body,
            "  (local.set {to} ({operator} (local.get {from}) ({load} offset={offset} (local.get {address}))))"
        ),
        // An address stays one: others of them are compared and added up.
        _ => writeln!(body, "  (global.set $g (i32.add (global.get $g) {compared}))"),
    }
    .expect("a string takes all");
}

/// A block, a loop or two arms, with statements in them and ways out.
fn nest(random: &mut Random, locals: &[Type], calls: bool, depth: usize, body: &mut String) {
    let kind = random.below(4);
    let leave = |random: &mut Random| {
        let outwards = *random.pick(if depth < 2 { &[0, 1, 3][..] } else { &[0, 1] });
        let address = random.below(ADDRESSES);
        format!("  (br_if {outwards} (i32.lt_s (i32.load (local.get {address})) (global.get $g)))\n")
    };
    // From a loop the ways lead out of it only, or they would lead back more than once.
    body.push_str(match kind {
        0 => "  (block (loop\n",
        1 | 2 => "  (block (block\n",
        _ => "  (block (if (i32.and (global.get $g) (i32.const 1)) (then\n",
    });
    for i in 0..3 + random.below(12) {
        statement(random, locals, calls, depth, body);
        if i % 4 == 3 && kind != 0 {
            body.push_str(&leave(random));
        } else if i % 4 == 3 {
            body.push_str("  (br_if 1 (i32.and (global.get $g) (i32.const 4)))\n");
        }
        if kind == 3 && i == 4 {
            body.push_str("  ) (else\n");
        }
    }
    body.push_str(match kind {
        0 => {
            "  (global.set $left (i32.sub (global.get $left) (i32.const 1)))\n  (br_if 0 (i32.gt_s (global.get $left) (i32.const 0)))))\n"
        }
        1 | 2 => "  ))\n",
        _ => "  )))\n",
    });
}
