//! Ranges and places that are nothing but constants, from the first to the last that there are. What is known to be out
//! of bounds before it runs is not proved by comparing it with a length, but by never coming to it.

use super::Generated;

/// Those of 32 bits.
const NARROW: [&str; 7] = ["0", "1", "3", "0x7fffffff", "0x80000000", "-64", "-1"];

/// Those of 64 bits.
const WIDE: [&str; 11] = [
    "0",
    "1",
    "3",
    "0xffffffff",
    "0x100000000",
    "0x7fffffffffff",
    "0x7fffffffffffffff",
    "0x8000000000000000",
    "0xff00000000000000",
    "-64",
    "-1",
];

/// Types of an index, with their constants.
const INDICES: [(&str, &[&str]); 2] = [("i32", &NARROW), ("i64", &WIDE)];

/// What works on places and ranges, in a memory, a table or a segment whose indices have the type `T`, with the
/// constants `A` and `B` of that type and `C` of 32 bits.
const OPERATORS: [&str; 14] = [
    "(drop (i64.load (T.const A)))",
    "(drop (i32.load8_u offset=7 (T.const A)))",
    "(i32.store (T.const A) (i32.const C))",
    "(memory.fill (T.const A) (i32.const 7) (T.const B))",
    "(memory.copy (T.const A) (T.const B) (T.const B))",
    "(memory.copy (T.const A) (T.const 1) (T.const B))",
    "(memory.init $d (T.const A) (i32.const C) (i32.const 2))",
    "(memory.init $d (T.const A) (i32.const 0) (i32.const C))",
    "(drop (ref.is_null (table.get $f (T.const A))))",
    "(table.set $e (T.const A) (ref.null extern))",
    "(table.fill $f (T.const A) (ref.func $g) (T.const B))",
    "(table.copy $f $f (T.const A) (T.const B) (T.const B))",
    "(table.init $e $n (T.const A) (i32.const C) (i32.const 1))",
    "(table.init $f $s (T.const A) (i32.const 0) (i32.const C))",
];

/// Operators on arrays, whose indices have 32 bits: `A` and `C`.
const ARRAYS: [&str; 5] = [
    "(drop (array.get $i (global.get $ai) (i32.const A)))",
    "(array.fill $i (global.get $ai) (i32.const A) (i32.const 5) (i32.const C))",
    "(array.copy $i $i (global.get $ai) (i32.const A) (global.get $ai) (i32.const C) (i32.const C))",
    "(array.init_data $i $d (global.get $ai) (i32.const A) (i32.const C) (i32.const 1))",
    "(array.init_elem $r $n (global.get $ar) (i32.const 0) (i32.const A) (i32.const C))",
];

/// Modules for each type of an index, of functions to be called: with a memory whose length is known, and with one that
/// might grow.
#[must_use]
pub fn bodies() -> Vec<Generated> {
    let module = |(ty, constants): (&str, &[&str]), most: u32| {
        let mut module = Generated::new(format!(
            "(type $i (array (mut i32))) (type $r (array (mut externref)))
             (memory (export \"memory\") {ty} 1 {most}) (table $f {ty} 4 9 funcref) (table $e {ty} 4 externref)
             (global $ai (ref $i) (array.new $i (i32.const 1) (i32.const 4)))
             (global $ar (ref $r) (array.new_default $r (i32.const 4)))
             (data $d \"some data\") (elem $s func $g $g $g) (elem $n externref (ref.null extern) (ref.null extern))
             (func $g)\n"
        ));
        let mut number = 0;
        let mut add = |text: String| {
            // Some are the same.
            module.func(&format!("f{number}"), &[], &[], &text, vec![vec![]]);
            number += 1;
        };
        for operator in OPERATORS {
            for a in constants {
                let of = |b: &str, c: &str| operator.replace('T', ty).replace('A', a).replace('B', b).replace('C', c);
                match (operator.contains('B'), operator.contains('C')) {
                    (true, _) => constants.iter().for_each(|b| add(of(b, ""))),
                    (_, true) => NARROW.iter().for_each(|c| add(of("", c))),
                    _ => add(of("", "")),
                }
            }
        }
        for operator in ARRAYS {
            for a in NARROW {
                NARROW.iter().for_each(|c| add(operator.replace('A', a).replace('C', c)));
            }
        }
        module
    };
    INDICES.into_iter().flat_map(|index| [module(index, 1), module(index, 2)]).collect()
}

/// Modules, as text, with one segment each that is written by startup, if it is in bounds.
#[must_use]
pub fn segments() -> Vec<String> {
    let mut modules = Vec::new();
    for (ty, constants) in INDICES {
        let offsets = constants.iter().map(|place| format!("({ty}.const {place})"));
        // Which the module does not know.
        for offset in offsets.chain([format!("(global.get $o)")]) {
            for place in ["(import \"m\" \"t\" (table $t T 4 E))", "(table $t T 4 E)", "(table $t T 0 0 E)"] {
                for (element, list) in [
                    ("funcref", "func"),
                    ("funcref", "func $g $g"),
                    ("funcref", "funcref (ref.null func) (ref.func $g)"),
                    ("externref", "externref (ref.null extern)"),
                    ("i31ref", "i31ref (ref.i31 (i32.const 5)) (ref.null i31)"),
                ] {
                    let table = place.replace('T', ty).replace('E', element);
                    modules.push(format!(
                        "(module (import \"m\" \"o\" (global $o {ty})) {table} (func $g) (elem (table $t) {offset} {list}))"
                    ));
                }
            }
            for place in ["(import \"m\" \"m\" (memory T 1))", "(memory T 1)", "(memory T 0 0)"] {
                let memory = place.replace('T', ty);
                for data in ["", "a", "some data"] {
                    modules.push(format!(
                        "(module (import \"m\" \"o\" (global $o {ty})) {memory} (data {offset} \"{data}\"))"
                    ));
                }
            }
        }
    }
    modules
}
