//! Copies and fills of constant lengths, short and a little longer, where they overlap and where they end.

use super::Generated;
use crate::observe::{Type, Value};

/// Bytes of the memory.
const END: i64 = 1 << 16;

/// A memory with a pattern at its start and at its end, and for each length a copy, a fill with zero and with another
/// byte, and both in a loop, between uses of many locals.
#[must_use]
pub fn module() -> Generated {
    let pattern: String = (0..=255u32).map(|i| format!("\\{:02x}", (i * 167 + 13) & 0xff)).collect();
    let mut module = Generated::new(format!(
        "(memory (export \"memory\") 1 1)\n(data (i32.const 0) \"{pattern}\")\n(data (i32.const {}) \"{pattern}\")",
        END - 256
    ));
    let i32s = [Type::I32, Type::I32];
    for n in 0..=68i64 {
        let args = |pairs: &[(i64, i64)]| -> Vec<Vec<Value>> {
            pairs.iter().map(|&(a, b)| vec![Value::I32(a as u32), Value::I32(b as u32)]).collect()
        };
        let overlaps = [(100, 100), (100, 101), (101, 100), (100, 107), (116, 100), (100, 116), (200, 8)];
        let edges =
            [(0, END - n), (END - n, 0), (END - n + 1, 0), (0, END - n + 1), (END - 1, 3), (3, END), (-1, 0), (0, -1)];
        let all = args(&[&overlaps[..], &edges[..]].concat());
        let copy = format!("local.get 0 local.get 1 i32.const {n} memory.copy");
        module.func(&format!("copy{n}"), &i32s, &[], &copy, all.clone());
        for byte in [0, 0x100, 0xa5] {
            let fill = format!("local.get 0 i32.const {byte} i32.const {n} memory.fill");
            let places = args(&[(7, 0), (END - n, 0), (END - n + 1, 0), (END, 0), (-1, 0)]);
            module.func(&format!("fill{n}-{byte}"), &i32s, &[], &fill, places);
        }
        // The addresses constant, and the value folded from two constants.
        module.func(
            &format!("fixed{n}"),
            &[],
            &[],
            &format!("i32.const 300 i32.const 20 i32.const {n} memory.copy"),
            vec![vec![]],
        );
        let sum = format!("local.get 0 local.get 1 i32.const {} i32.const {} i32.add memory.copy", n / 2, n - n / 2);
        module.func(&format!("folded{n}"), &i32s, &[], &sum, args(&overlaps[..3]));
        // What is in registers before is there after.
        let around = format!(
            "(local i32 i32 i32 i32 i32 i32 i32 i64 f64 f64)
             (local.set 2 (i32.add (local.get 0) (i32.const 1))) (local.set 3 (i32.mul (local.get 1) (i32.const 3)))
             (local.set 9 (i64.const 0x123456789)) (local.set 10 (f64.const 1.5)) (local.set 11 (f64.const -2.25))
             (loop $again
               (local.set 4 (i32.add (local.get 4) (i32.add (local.get 2) (local.get 3))))
               (f64.mul (local.get 10) (local.get 11))
               (i32.xor (local.get 4) (local.get 2))
               (memory.copy (i32.add (local.get 0) (local.get 5)) (local.get 1) (i32.const {n}))
               (memory.fill (i32.add (local.get 1) (local.get 5)) (i32.const 0) (i32.const {n}))
               (local.set 6 (i32.add (local.get 6)))
               (local.set 11 (f64.add (local.get 11)))
               (local.set 9 (i64.rotl (i64.add (local.get 9) (i64.extend_i32_u (local.get 4))) (i64.const 5)))
               (br_if $again (i32.lt_u (local.tee 5 (i32.add (local.get 5) (i32.const 1))) (i32.const 5))))
             (i64.add (i64.add (local.get 9) (i64.extend_i32_u (local.get 6)))
               (i64.add (i64.reinterpret_f64 (local.get 11)) (i64.extend_i32_u (i32.add (local.get 3) (local.get 4)))))"
        );
        module.func(
            &format!("around{n}"),
            &i32s,
            &[Type::I64],
            &around,
            args(&[(100, 40), (10, END - n - 4), (END - n - 3, 0)]),
        );
    }
    module
}
