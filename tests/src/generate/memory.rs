//! The edges of memories: every access at every edge, judged by arithmetic and not only by another compiler, and
//! addresses whose computation wraps.

use super::Generated;
use crate::observe::{Event, Outcome, Type, Value};
use wasmtime::Trap;

/// An access: its name, the bytes it touches and the type of the value.
pub const LOADS: &[(&str, u64, Type)] = &[
    ("i32.load8_s", 1, Type::I32),
    ("i32.load8_u", 1, Type::I32),
    ("i32.load16_s", 2, Type::I32),
    ("i32.load16_u", 2, Type::I32),
    ("i32.load", 4, Type::I32),
    ("i64.load8_s", 1, Type::I64),
    ("i64.load8_u", 1, Type::I64),
    ("i64.load16_s", 2, Type::I64),
    ("i64.load16_u", 2, Type::I64),
    ("i64.load32_s", 4, Type::I64),
    ("i64.load32_u", 4, Type::I64),
    ("i64.load", 8, Type::I64),
    ("f32.load", 4, Type::F32),
    ("f64.load", 8, Type::F64),
];

/// Stores: name, bytes, type of the value.
pub const STORES: &[(&str, u64, Type)] = &[
    ("i32.store8", 1, Type::I32),
    ("i32.store16", 2, Type::I32),
    ("i32.store", 4, Type::I32),
    ("i64.store8", 1, Type::I64),
    ("i64.store16", 2, Type::I64),
    ("i64.store32", 4, Type::I64),
    ("i64.store", 8, Type::I64),
    ("f32.store", 4, Type::F32),
    ("f64.store", 8, Type::F64),
];

/// The memory that the accesses go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What it is called in reports.
    pub name: &'static str,
    /// Its definition, as memory `$m`, and others beside it.
    pub text: &'static str,
    /// Its length in bytes when the accesses come.
    pub bytes: u64,
    /// Has it 64-bit addresses?
    pub wide: bool,
    /// Pages to grow by first.
    pub grow: u64,
}

/// Memories of every kind.
pub const SHAPES: &[Shape] = &[
    Shape { name: "one page", text: "(memory $m (export \"m\") 1)", bytes: 1 << 16, wide: false, grow: 0 },
    Shape { name: "fixed", text: "(memory $m (export \"m\") 1 1)", bytes: 1 << 16, wide: false, grow: 0 },
    Shape { name: "empty", text: "(memory $m (export \"m\") 0)", bytes: 0, wide: false, grow: 0 },
    Shape { name: "grown", text: "(memory $m (export \"m\") 1 4)", bytes: 3 << 16, wide: false, grow: 2 },
    Shape { name: "imported", text: "(import \"host\" \"m\" (memory $m 1))", bytes: 1 << 16, wide: false, grow: 0 },
    Shape {
        name: "second",
        text: "(memory $first 2) (memory $m (export \"m\") 1)",
        bytes: 1 << 16,
        wide: false,
        grow: 0,
    },
    Shape { name: "64-bit", text: "(memory $m (export \"m\") i64 1)", bytes: 1 << 16, wide: true, grow: 0 },
    Shape { name: "64-bit fixed", text: "(memory $m (export \"m\") i64 1 1)", bytes: 1 << 16, wide: true, grow: 0 },
    Shape {
        name: "of bytes",
        text: "(memory $m (export \"m\") 100 200 (pagesize 1))",
        bytes: 117,
        wide: false,
        grow: 17,
    },
];

const OFFSETS: &[u64] =
    &[0, 1, 7, 0x7f, 0x80, 0xffff, 0x1_0000, (32 << 20) - 16, 32 << 20, (32 << 20) + 16, 1 << 31, 0xffff_ffff];

/// Offsets that only 64-bit memories have.
const WIDE_OFFSETS: &[u64] = &[1 << 32, (1 << 32) + 8, u64::MAX - 7, u64::MAX];

/// All accesses at all edges of a memory, and whether each must trap.
#[must_use]
pub fn edges(shape: &Shape) -> (Generated, Vec<Vec<bool>>) {
    let mut module = Generated::new(shape.text);
    let mut traps = Vec::new();
    let address = if shape.wide { Type::I64 } else { Type::I32 };
    let grow = format!("local.get 0 memory.grow $m{}", if shape.wide { " i32.wrap_i64" } else { "" });
    module.func("grow", &[address], &[Type::I32], &grow, vec![vec![Value::from_bits(address, shape.grow)]]);
    traps.push(vec![false]);
    let mut offsets = OFFSETS.to_vec();
    if shape.wide {
        offsets.extend(WIDE_OFFSETS);
    }
    for offset in offsets {
        for (op, size, ty) in LOADS {
            let addresses = addresses(shape, offset, *size);
            let traps_at = |at: u64| out_of_bounds(shape, at, offset, *size);
            traps.push(addresses.iter().map(|at| traps_at(*at)).collect());
            let args = addresses.iter().map(|at| vec![Value::from_bits(address, *at)]).collect();
            let body = format!("local.get 0 {op} $m offset={offset}");
            module.func(&format!("{op}-{offset:x}"), &[address], &[*ty], &body, args);
        }
        for (op, size, ty) in STORES {
            let addresses = addresses(shape, offset, *size);
            traps.push(addresses.iter().map(|at| out_of_bounds(shape, *at, offset, *size)).collect());
            let value = |at: &u64| Value::from_bits(*ty, 0x0102_0304_0506_0708 ^ at.rotate_left(9));
            let args = addresses.iter().map(|at| vec![Value::from_bits(address, *at), value(at)]).collect();
            let body = format!("local.get 0 local.get 1 {op} $m offset={offset}");
            module.func(&format!("{op}-{offset:x}"), &[address, *ty], &[], &body, args);
        }
    }
    (module, traps)
}

fn out_of_bounds(shape: &Shape, at: u64, offset: u64, size: u64) -> bool {
    u128::from(at) + u128::from(offset) + u128::from(size) > u128::from(shape.bytes)
}

/// Addresses on both sides of the last one that is in bounds, and at the ends of the index type.
fn addresses(shape: &Shape, offset: u64, size: u64) -> Vec<u64> {
    let end = shape.bytes.wrapping_sub(offset);
    let mut all = vec![0, 1, shape.bytes, shape.bytes.wrapping_sub(1), 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    all.extend([0, 1, size - 1, size, size + 1, 8, 16].map(|k| end.wrapping_sub(k)));
    all.extend([1u64, 8].map(|k| end.wrapping_add(k)));
    if shape.wide {
        all.extend([1 << 32, (1 << 32) - offset % (1 << 32), u64::MAX, u64::MAX - offset, 0u64.wrapping_sub(offset)]);
    } else {
        all.iter_mut().for_each(|at| *at &= 0xffff_ffff);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Did exactly the calls trap that had to?
pub fn judge(module: &Generated, traps: &[Vec<bool>], events: &[Event]) -> Result<(), String> {
    let mut judged = 0;
    for event in events {
        let Event::Call { func, call, outcome, .. } = event else { continue };
        judged += 1;
        let trapped = *outcome == Outcome::Trap(Trap::MemoryOutOfBounds);
        if trapped != traps[*func][*call] || !trapped && !matches!(outcome, Outcome::Values(_)) {
            let what = format!("must trap: {}, was {outcome:?}", traps[*func][*call]);
            return Err(module.explain(&what, Some(event)));
        }
    }
    let expected: usize = traps.iter().map(Vec::len).sum();
    if judged == expected { Ok(()) } else { Err(format!("{judged} of {expected} calls were made")) }
}

/// Addresses that are computed, so that a compiler may fold the computation into the access: each must wrap at 32 bits
/// before the base is added.
#[must_use]
pub fn folding() -> Generated {
    let mut module =
        Generated::new("(memory (export \"memory\") 2) (data (i32.const 0) \"\\01\\82\\03\\84\\05\\86\\07\\88\\09\")");
    let mut addresses: Vec<String> = vec![
        "local.get 0 local.get 1 i32.add".into(),
        "local.get 0 local.get 1 i32.sub".into(),
        "local.get 0 local.get 1 i32.const 3 i32.shl i32.add".into(),
        "local.get 0 local.get 1 i32.const 2 i32.shl i32.add i32.const -16 i32.add".into(),
        "local.get 0 i32.const 8 i32.mul local.get 1 i32.add".into(),
        "local.get 0 local.get 1 i32.mul".into(),
        "local.get 0 local.get 1 i32.shl".into(),
        "local.get 0 i32.const 5 i32.mul".into(),
        "local.get 0 i32.const 9 i32.mul i32.const -9 i32.add".into(),
        "local.get 0 i32.const 16 i32.add i32.const -16 i32.add".into(),
        "local.get 0 i32.const 0x7fffffff i32.add i32.const 0x7fffffff i32.add".into(),
        "i32.const 8 local.get 0 i32.sub".into(),
        "local.get 0 local.get 1 i32.or".into(),
        "local.get 0 i64.extend_i32_u i64.const 2 i64.shl i32.wrap_i64".into(),
        "local.get 0 i32.const 1 i32.shr_u".into(),
        "local.get 0 i32.const 2 i32.shr_s".into(),
        "local.get 0 i32.const 0xffff i32.and".into(),
    ];
    for shift in [0, 1, 2, 3, 4, 29, 31, 32, 33, 35] {
        addresses.push(format!("local.get 0 i32.const {shift} i32.shl"));
        addresses.push(format!("local.get 0 i32.const {shift} i32.shl i32.const 24 i32.add"));
        addresses.push(format!("local.get 0 i32.const 1 i32.add i32.const {shift} i32.shl"));
    }
    for constant in [1i64, -1, 8, 0x7fff_ffff, -0x8000_0000, 65_536, -65_536] {
        addresses.push(format!("local.get 0 i32.const {constant} i32.add"));
        addresses.push(format!("local.get 0 i32.const {constant} i32.sub"));
    }
    let xs = [
        0u32,
        1,
        4,
        0x1fff_ffff,
        0x2000_0000,
        0x2000_0001,
        0x4000_0000,
        0x4000_0002,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_fff0,
        0xffff_fff8,
        0xffff_ffff,
        65_528,
        131_064,
        131_072,
    ];
    let rows: Vec<_> =
        xs.iter().flat_map(|x| [1u32, 0xffff_fff8, 0x2000_0000].map(|y| vec![Value::I32(*x), Value::I32(y)])).collect();
    for (i, address) in addresses.iter().enumerate() {
        for offset in [0u32, 8, 65_536, 0x7fff_ffff, 0xffff_fff8] {
            let mut add = |what: &str, result: Type, body: String| {
                module.func(&format!("{what}-{i}-{offset:x}"), &[Type::I32; 2], &[result], &body, rows.clone());
            };
            add("load8", Type::I32, format!("{address} i32.load8_u offset={offset}"));
            add("load", Type::I64, format!("{address} i64.load offset={offset}"));
            add("folded", Type::I32, format!("local.get 1 {address} i32.load offset={offset} i32.add"));
            add("float", Type::F64, format!("f64.const 1 {address} f64.load offset={offset} f64.min"));
            let store = format!("{address} local.get 0 i32.store8 offset={offset} i32.const 0 i32.load");
            add("store", Type::I32, store);
            let update = format!(
                "{address} {address} i32.load offset={offset} i32.const 3 i32.xor i32.store offset={offset} i32.const 8 i32.load"
            );
            add("update", Type::I32, update);
        }
    }
    module
}
