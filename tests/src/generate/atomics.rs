//! Every atomic operator with its operands in registers, in slots, constant and computed; its result used, dropped and
//! written to a local; at aligned and other addresses, inside a memory, at its end and outside.

use super::Generated;
use super::name;
use crate::observe::{Type, Value};

/// A memory to work on.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Its definition, of one page at first, as memory `$m`, and others beside it.
    pub text: &'static str,
    /// Has it 64-bit addresses?
    pub wide: bool,
}

/// Memories of every kind.
pub const MEMORIES: &[Memory] = &[
    Memory { text: "(memory $m (export \"m\") 1 2 shared)", wide: false },
    Memory { text: "(memory $m (export \"m\") 1)", wide: false },
    Memory { text: "(import \"host\" \"m\" (memory $m 1 2 shared)) (export \"m\" (memory $m))", wide: false },
    Memory { text: "(memory $first 2) (memory $m (export \"m\") 1 1 shared)", wide: false },
    Memory { text: "(memory $m (export \"m\") i64 1 2 shared)", wide: true },
    Memory { text: "(memory $first 1) (memory $m (export \"m\") i64 1)", wide: true },
];

/// What comes before the operands: more locals than there are homes, all of them in use, and as many values on the
/// stack as there are registers.
const CROWD: &str = "(local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)";

/// How many locals the crowd has.
const CROWDED: usize = 12;

struct Operator {
    name: String,
    ty: Type,
    bytes: u64,
    /// Operands above the address.
    operands: usize,
    result: bool,
}

fn operators() -> Vec<Operator> {
    const WIDTHS: [(Type, &str, u64); 7] = [
        (Type::I32, "", 4),
        (Type::I64, "", 8),
        (Type::I32, "8", 1),
        (Type::I32, "16", 2),
        (Type::I64, "8", 1),
        (Type::I64, "16", 2),
        (Type::I64, "32", 4),
    ];
    let mut operators = Vec::new();
    for (ty, width, bytes) in WIDTHS {
        let unsigned = if width.is_empty() { "" } else { "_u" };
        let mut add = |name: String, operands, result| {
            operators.push(Operator {
                name: format!("{}.atomic.{name}", super::name(ty)),
                ty,
                bytes,
                operands,
                result,
            });
        };
        add(format!("load{width}{unsigned}"), 0, true);
        add(format!("store{width}"), 1, false);
        for op in ["add", "sub", "and", "or", "xor", "xchg"] {
            add(format!("rmw{width}.{op}{unsigned}"), 1, true);
        }
        add(format!("rmw{width}.cmpxchg{unsigned}"), 2, true);
    }
    operators
}

/// All of them on a memory.
#[must_use]
pub fn module(memory: &Memory) -> Generated {
    let address = if memory.wide { Type::I64 } else { Type::I32 };
    let pattern: String = (0..64u32).map(|i| format!("\\{:02x}", (i * 167 + 13) & 0xff)).collect();
    let at = name(address);
    let data = |start: u32| format!("(data (memory $m) ({at}.const {start}) \"{pattern}\")\n");
    let mut module = Generated::new(format!("{}\n{}{}", memory.text, data(0), data(65_536 - 64)));
    for operator in operators() {
        of_operator(&mut module, &operator, address);
    }
    waiting(&mut module, address);
    module
}

fn addresses(address: Type, offset: u64) -> Vec<u64> {
    let end = 65_536u64.wrapping_sub(offset);
    let mut all = vec![0, 1, 2, 3, 4, 6, 8, 24, end, 0xffff_fff8, 0xffff_ffff, 0u64.wrapping_sub(offset)];
    all.extend([1, 2, 4, 7, 8].map(|k| end.wrapping_sub(k)));
    if address == Type::I32 {
        all.iter_mut().for_each(|at| *at &= 0xffff_ffff);
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn of_operator(module: &mut Generated, operator: &Operator, address: Type) {
    let Operator { name: op, ty, bytes, operands, result } = operator;
    let (at, val) = (name(address), name(*ty));
    let params: Vec<Type> = std::iter::once(address).chain(std::iter::repeat_n(*ty, *operands)).collect();
    let results: &[Type] = if *result { &[*ty] } else { &[] };
    let values: [u64; 4] = [0, 0x0102_0304_0506_0708, 0xffff_ffff_ffff_ff80, 0x1234_5678_ffff_fff3];
    // What is in memory at first, as the operand that decides an exchange.
    let rows = |addresses: &[u64]| -> Vec<Vec<Value>> {
        let row = |(i, at): (usize, &u64)| {
            let first = Value::from_bits(address, *at);
            let rest = (0..*operands).map(|n| Value::from_bits(*ty, values[(i + n) % 4]));
            std::iter::once(first).chain(rest).collect()
        };
        addresses.iter().enumerate().map(row).collect()
    };
    let locals: String = (1..=*operands).map(|i| format!("local.get {i} ")).collect();
    let none = "$m";
    for offset in [8u64, 65_528, 0xffff_fff8, 1, 0] {
        let some = addresses(address, offset);
        let memarg = format!("{none} offset={offset}");
        let mut add = |what: &str, results: &[Type], body: String| {
            module.func(&format!("{op}-{what}-{offset:x}"), &params, results, &body, rows(&some));
        };
        add("locals", results, format!("local.get 0 {locals}{op} {memarg}"));
        if *result {
            add("dropped", &[], format!("local.get 0 {locals}{op} {memarg} drop"));
            // Into the home of a local that stays in use, of an operand, and into one of the address's type.
            let set = format!("(local {val}) local.get 0 {locals}{op} {memarg} local.set {}", operands + 1);
            add("set", &[*ty, address], format!("{set} local.get {} local.get 0", operands + 1));
            if *operands > 0 {
                let body = format!("local.get 0 {locals}{op} {memarg} local.set 1 local.get 1 local.get 0");
                add("operand", &[*ty, address], body);
            }
            if *ty == address {
                add("address", &[*ty], format!("local.get 0 {locals}{op} {memarg} local.set 0 local.get 0"));
                let same = "local.get 0 ".repeat(*operands);
                add("same", &[*ty], format!("local.get 0 {same}{op} {memarg}"));
            }
        }
        let computed: String = (1..=*operands).map(|i| format!("local.get {i} {val}.const {i} {val}.add ")).collect();
        let body = format!("local.get 0 {at}.const 8 {at}.xor {computed}{op} {memarg}");
        add("computed", results, body);
        if offset > 1 {
            continue;
        }
        for constant in ["1", "-1", "0x1234", "0x7f", "-200", "0x12345678"] {
            let constants = format!("{val}.const {constant} ").repeat(*operands);
            add(&format!("constant{constant}"), results, format!("local.get 0 {constants}{op} {memarg}"));
            if *result && *operands > 0 {
                add(&format!("constant{constant}-dropped"), &[], format!("local.get 0 {constants}{op} {memarg} drop"));
            }
        }
        crowded(operator, address, &params, &memarg, &locals, &mut add);
    }
    let wide = format!("{val}.const 0x123456789abcdef0 ").repeat(*operands);
    for constant in [0, 1, 8, 12, 24, 65_536 - bytes, 65_536, 0xffff_fff0u64] {
        let shown = if address == Type::I32 { i64::from(constant as u32 as i32) } else { constant as i64 };
        for offset in [0, 6, 8] {
            let body = format!("{at}.const {shown} {locals}{op} {none} offset={offset}");
            module.func(&format!("{op}-at-{constant:x}-{offset}"), &params, results, &body, rows(&[0, 0]));
        }
    }
    if *ty == Type::I64 && *operands > 0 {
        let body = format!("local.get 0 {wide}{op} {none}");
        module.func(&format!("{op}-wide"), &params, results, &body, rows(&[0, 8, 16]));
    }
    // An exchange that succeeds: what is expected is what is there.
    if *operands == 2 {
        let load = format!("{val}.atomic.load{}", op.split("rmw").nth(1).expect("one").replace(".cmpxchg", ""));
        for (what, after) in [("succeeds", ""), ("succeeds-dropped", " drop")] {
            let body = format!("local.get 0 local.get 0 {load} {none} local.get 2 {op} {none}{after}");
            let results = if after.is_empty() { results } else { &[] };
            module.func(&format!("{op}-{what}"), &params, results, &body, rows(&[0, 8, 16, 24, 32]));
        }
    }
}

/// Between uses of so many locals and values that no register is free.
fn crowded(
    operator: &Operator,
    address: Type,
    params: &[Type],
    memarg: &str,
    locals: &str,
    add: &mut impl FnMut(&str, &[Type], String),
) {
    let Operator { name: op, ty, result, .. } = operator;
    let first = params.len();
    let widen = |ty: Type| if ty == Type::I32 { "i64.extend_i32_u " } else { "" };
    let mut body = CROWD.to_string();
    for i in 0..CROWDED {
        body += &format!(" local.get 0 {}i64.const {} i64.mul local.set {}", widen(address), i + 3, first + i);
    }
    body += " loop";
    for i in 0..CROWDED {
        body += &format!(" local.get {} i64.const 1 i64.add local.set {}", first + i, first + i);
    }
    // Values in registers below the operands.
    for i in 0..10 {
        body += &format!(" local.get {} local.get {} i64.xor", first + i, first + i + 1);
    }
    body += &format!(" local.get 0 {locals}{op} {memarg}");
    if *result {
        body += &format!(" {}i64.add", widen(*ty));
    }
    body += &" i64.add".repeat(9);
    body += &format!(" local.set {first} end local.get {first}");
    add("crowded", &[Type::I64], body);
}

/// `wait` that does not wait and `notify` that wakes nobody, and a fence in between.
fn waiting(module: &mut Generated, address: Type) {
    let value = |bits: u64| Value::from_bits(address, bits);
    for offset in [0u64, 4, 8, 65_528, 0xffff_fff8] {
        let all = addresses(address, offset);
        let of = |more: &[Value]| -> Vec<Vec<Value>> { all.iter().map(|at| [&[value(*at)], more].concat()).collect() };
        for (what, ty, expected) in [("32", Type::I32, 0x5a_b40d), ("64", Type::I64, 7)] {
            let op = format!("memory.atomic.wait{what} $m offset={offset}");
            let params = [address, ty, Type::I64];
            let args = of(&[Value::from_bits(ty, expected), Value::I64(0)]);
            let body = format!("local.get 0 local.get 1 local.get 2 {op}");
            module.func(&format!("wait{what}-{offset:x}"), &params, &[Type::I32], &body, args);
            let load = name(ty);
            let body = format!("local.get 0 local.get 0 {load}.load $m offset={offset} i64.const 1 {op}");
            module.func(&format!("timeout{what}-{offset:x}"), &[address], &[Type::I32], &body, of(&[]));
            // More values than registers, and the operands computed.
            let body = format!(
                "local.get 1 i64.const 1 i64.add local.get 1 i64.const 2 i64.mul local.get 1 i64.const 5 i64.xor
                 local.get 0 {load}.const {expected} local.get 1 i64.const 0 i64.and {op} atomic.fence
                 i64.extend_i32_u i64.add i64.add i64.add"
            );
            let args = of(&[Value::I64(77)]);
            module.func(&format!("crowd{what}-{offset:x}"), &[address, Type::I64], &[Type::I64], &body, args);
        }
        let body = format!("local.get 0 i32.const -1 memory.atomic.notify $m offset={offset}");
        module.func(&format!("notify-{offset:x}"), &[address], &[Type::I32], &body, of(&[]));
        let at = name(address);
        for constant in [0i64, 4, 6, -8, -4] {
            let body = format!("{at}.const {constant} local.get 0 memory.atomic.notify $m offset={offset}");
            let args = vec![vec![Value::I32(3)]];
            module.func(&format!("notify-{constant}-{offset:x}"), &[Type::I32], &[Type::I32], &body, args);
        }
    }
}
