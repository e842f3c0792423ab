//! Traps that must happen, once and at their place: operators that trap whose result nobody uses, with a side effect
//! before and one after.

use super::{Generated, literal};
use crate::observe::{Type, Value, boundaries};

/// What the functions have around them: `$before` and `$after` tell how far a function came.
const HEAD: &str = r#"
(memory (export "memory") 1 1)
(table $t (export "table") 2 funcref)
(elem (i32.const 0) $id)
(elem $passive func $id)
(data $data "abcd")
(global $before (export "before") (mut i32) (i32.const 0))
(global $after (export "after") (mut i32) (i32.const 0))
(func $id (param i32) (result i32) local.get 0)
"#;

/// Trapping code with its result dropped, in terms of the parameters 0 and 1.
fn snippets() -> Vec<(String, Type, Type, String)> {
    let mut all = Vec::new();
    for ty in ["i32", "i64"] {
        let of = if ty == "i32" { Type::I32 } else { Type::I64 };
        for op in ["div_s", "div_u", "rem_s", "rem_u"] {
            let name = format!("{ty}.{op}");
            all.push((name.clone(), of, of, format!("local.get 0 local.get 1 {name} drop")));
            all.push((format!("{name}-zero"), of, of, format!("local.get 0 {ty}.const 0 {name} drop")));
            all.push((format!("{name}-minus-one"), of, of, format!("local.get 0 {ty}.const -1 {name} drop")));
            let both = literal(if ty == "i32" { Value::I32(1 << 31) } else { Value::I64(1 << 63) });
            all.push((format!("{name}-consts"), of, of, format!("{both} {ty}.const -1 {name} drop")));
        }
        for (from, param) in [("f32", Type::F32), ("f64", Type::F64)] {
            for sign in ["s", "u"] {
                let name = format!("{ty}.trunc_{from}_{sign}");
                all.push((name.clone(), param, param, format!("local.get 0 {name} drop")));
                all.push((format!("{name}-nan"), param, param, format!("{from}.const nan {name} drop")));
            }
        }
    }
    let i32s = |name: &str, body: &str| (name.to_string(), Type::I32, Type::I32, body.to_string());
    for load in ["i32.load", "i32.load8_s", "i32.load16_u", "i64.load", "i64.load32_u", "f32.load", "f64.load"] {
        all.push(i32s(load, &format!("local.get 0 {load} drop")));
        all.push(i32s(&format!("{load}-offset"), &format!("local.get 0 {load} offset=65530 drop")));
        all.push(i32s(&format!("{load}-const"), &format!("i32.const -1 {load} offset=4294967295 drop")));
        all.push(i32s(&format!("{load}-static"), &format!("i32.const 65536 {load} drop")));
    }
    all.extend([
        i32s("table.get", "local.get 0 table.get $t drop"),
        i32s("call_indirect", "i32.const 1 local.get 0 call_indirect (param i32) (result i32) drop"),
        i32s("call_indirect-type", "i64.const 1 local.get 0 call_indirect (param i64) (result i32) drop"),
        i32s("call_indirect-null", "i32.const 1 i32.const 1 call_indirect (param i32) (result i32) drop"),
        i32s("table.set", "local.get 0 ref.null func table.set $t"),
        i32s("memory.fill", "local.get 0 i32.const 1 local.get 1 memory.fill"),
        i32s("memory.copy", "local.get 0 i32.const 9 local.get 1 memory.copy"),
        i32s("memory.copy-from", "i32.const 9 local.get 0 local.get 1 memory.copy"),
        i32s("memory.init", "local.get 0 i32.const 0 local.get 1 memory.init $data"),
        i32s("table.init", "local.get 0 i32.const 0 local.get 1 table.init $t $passive"),
        i32s("table.copy", "local.get 0 i32.const 0 local.get 1 table.copy $t $t"),
        i32s("table.fill", "local.get 0 ref.null func local.get 1 table.fill $t"),
        i32s("unreachable", "unreachable"),
        i32s("store-whole", "local.get 0 i64.const -1 i64.store offset=1"),
        i32s("store-const", "i32.const 65533 local.get 1 i32.store"),
    ]);
    all
}

/// Every snippet, with its surroundings.
#[must_use]
pub fn module() -> Generated {
    let mut module = Generated::new(HEAD);
    for (name, first, second, snippet) in snippets() {
        let body = format!(
            "i32.const 32 i32.const 32 i32.load i32.const 1 i32.add i32.store
             global.get $before i32.const 1 i32.add global.set $before
             {snippet}
             global.get $after i32.const 1 i32.add global.set $after
             i32.const 40 i32.const 40 i32.load i32.const 1 i32.add i32.store
             global.get $after"
        );
        let rows = boundaries(first).into_iter().flat_map(|a| {
            let seconds = boundaries(second);
            (0..4).map(move |i| vec![a, seconds[(i * 5 + 1) % seconds.len()]])
        });
        let mut rows: Vec<_> = rows.collect();
        rows.extend([65528u32, 65529, 65532, 65533, 65535, 65536].map(|at| vec![from(first, at), from(second, 4)]));
        rows.extend([0u32, 1, 2].map(|at| vec![from(first, at), from(second, 1)]));
        module.func(&name, &[first, second], &[Type::I32], &body, rows);
    }
    module
}

fn from(ty: Type, value: u32) -> Value {
    match ty {
        Type::I32 => Value::I32(value),
        Type::I64 => Value::I64(value.into()),
        Type::F32 => Value::F32((value as f32).to_bits()),
        Type::F64 => Value::F64(f64::from(value).to_bits()),
        Type::V128 | Type::Func => Value::Func(false),
    }
}
