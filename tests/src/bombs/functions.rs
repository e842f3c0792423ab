//! Bombs of one function or a few: loops, locals, values that wait, moves, merges, tables beside the code.

use super::{Bomb, END, GET_0, Parts, RETURN, repeat, uleb};
use wasm_encoder::ValType;

const I32: ValType = ValType::I32;

/// Against what this compiler notes of a function and keeps while it emits.
pub(super) const BOMBS: &[Bomb] = &[
    // The survey: touches, windows, frames.
    Bomb { name: "touches-in-a-loop-nest", make: touches_in_a_nest, n: 20_000 },
    Bomb { name: "loops-in-three-loops", make: loops_in_three_loops, n: 10_000 },
    Bomb { name: "deep-loops-with-touches", make: deep_loops, n: 10_000 },
    Bomb { name: "locals-in-a-loop", make: |n| locals_in_a_loop(n, |_| 1), n: 20_000 },
    Bomb { name: "rising-weights-in-a-loop", make: |n| locals_in_a_loop(n, |i| 1 + i % 24), n: 4_000 },
    Bomb { name: "loops-of-many-locals", make: loops_of_many_locals, n: 1_000 },
    Bomb { name: "loops-around-calls", make: loops_around_calls, n: 10_000 },
    Bomb {
        name: "writes-in-arms",
        make: |n| with_locals(2, &[0x20, 0, 4, 0x40, 0x20, 0, 0x21, 1, 5, 0x20, 0, 0x21, 2, END], n),
        n: 10_000,
    },
    Bomb {
        name: "calls-that-never-return",
        make: |n| repeat(&[], &[0x20, 0, 4, 0x40, 0x20, 0, 0x10, 0, 0, END], n, &[]),
        n: 10_000,
    },
    // Homes.
    Bomb { name: "functions-of-many-locals", make: functions_of_many_locals, n: 300 },
    Bomb { name: "homes-around-calls", make: homes_around_calls, n: 500 },
    Bomb { name: "deep-blocks-in-functions", make: deep_blocks_in_functions, n: 20_000 },
    // Values that wait: loads, addresses, conditions, copies.
    Bomb {
        name: "loads-to-stores",
        make: |n| {
            let unit = [0x20, 0, 0x20, 0, 0x28, 2, 0, 0x20, 0, 0x28, 2, 4, 0x6a, 0x36, 2, 8];
            repeat(&[], &unit, n, &[])
        },
        n: 5_000,
    },
    Bomb {
        name: "scaled-addresses",
        make: |n| repeat(&[], &[0x20, 0, 0x20, 0, 0x41, 2, 0x74, 0x6a, 0x28, 2, 0, 0x1a], n, &[]),
        n: 5_000,
    },
    Bomb {
        name: "flags-of-arithmetic",
        make: |n| repeat(&[], &[0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 4, 0x40, END], n, &[]),
        n: 10_000,
    },
    Bomb {
        name: "selects",
        make: |n| repeat(&[], &[0x20, 0, 0x41, 3, 0x20, 0, 0x41, 9, 0x48, 0x1b, 0x1a], n, &[]),
        n: 10_000,
    },
    Bomb { name: "copies-at-many-labels", make: copies_at_many_labels, n: 5_000 },
    Bomb { name: "copies-at-arms", make: copies_at_arms, n: 5_000 },
    // Moves.
    Bomb { name: "rotated-arguments", make: rotated_arguments, n: 5_000 },
    Bomb { name: "wide-recursion", make: wide_recursion, n: 200 },
    Bomb { name: "wide-results", make: wide_results, n: 200 },
    Bomb { name: "wide-tail-calls", make: wide_tail_calls, n: 300 },
    Bomb { name: "loops-with-parameters", make: |n| carrying(0x03, 8, n), n: 3_000 },
    Bomb { name: "blocks-with-parameters", make: |n| carrying(0x02, 100, n), n: 1_000 },
    // Branch tables.
    Bomb { name: "br_table-to-all-depths", make: table_to_all_depths, n: 5_000 },
    Bomb { name: "br_tables-that-carry-one", make: |n| tables_that_carry(1, n), n: 4_000 },
    Bomb { name: "br_tables-that-shift-ten", make: |n| tables_that_carry(10, n), n: 500 },
    Bomb { name: "br_table-of-a-constant", make: table_of_a_constant, n: 25_000 },
    // Tables beside the code.
    Bomb { name: "memory-grows", make: |n| repeat(&[], &[0x41, 0, 0x40, 0, 0x1a], n, &[]), n: 5_000 },
    Bomb {
        name: "copies-of-memory",
        make: |n| repeat(&[], &[0x20, 0, 0x41, 0, 0x41, 0x80, 0x80, 8, 0xfc, 0x0a, 0, 0], n, &[]),
        n: 5_000,
    },
    Bomb { name: "checked-conversions", make: |n| float(&[0x20, 0, 0xa8, 0x1a], n), n: 5_000 },
    Bomb { name: "remainders-by-a-local", make: remainders_by_a_local, n: 10_000 },
    // Code that is never reached.
    Bomb { name: "dead-blocks", make: |n| repeat(&[0], &[2, 0x40].repeat(n), 1, &vec![END; n]), n: 50_000 },
    Bomb { name: "dead-tables", make: |n| repeat(&[0], &[0x0e, 3, 0, 0, 0, 0], n, &[]), n: 20_000 },
    Bomb { name: "returns-in-arms", make: |n| repeat(&[], &[0x20, 0, 4, 0x40, RETURN, END], n, &[]), n: 10_000 },
];

fn get(local: usize, code: &mut Vec<u8>) {
    code.push(0x20);
    uleb(local, code);
}

fn set(local: usize, code: &mut Vec<u8>) {
    code.push(0x21);
    uleb(local, code);
}

/// One function `[i32] -> []` with more locals of type i32.
fn with_locals(more: u32, unit: &[u8], n: usize) -> Vec<u8> {
    super::single(&[(more, I32)], &unit.repeat(n))
}

/// One function `[f32] -> []`.
fn float(unit: &[u8], n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::F32], &[]);
    parts.func(ty, &[], &unit.repeat(n));
    parts.finish(0)
}

/// What ends a loop that goes on: a branch back and its end.
const AGAIN: [u8; 5] = [0x20, 0, 0x0d, 0, END];

fn touches_in_a_nest(n: usize) -> Vec<u8> {
    let code = [[3, 0x40].repeat(4), [0x20, 0, 0x21, 1].repeat(n), AGAIN.repeat(4)].concat();
    super::single(&[(1, I32)], &code)
}

fn loops_in_three_loops(n: usize) -> Vec<u8> {
    let inner = [&[3, 0x40, 0x20, 0, 0x21, 1][..], &AGAIN].concat();
    let code = [[3, 0x40].repeat(3), inner.repeat(n), AGAIN.repeat(3)].concat();
    super::single(&[(1, I32)], &code)
}

fn deep_loops(n: usize) -> Vec<u8> {
    super::single(&[(1, I32)], &[[3, 0x40, 0x20, 0, 0x21, 1].repeat(n), AGAIN.repeat(n)].concat())
}

fn locals_in_a_loop(n: usize, times: fn(usize) -> usize) -> Vec<u8> {
    let mut code = vec![3, 0x40];
    for local in 0..n {
        for _ in 0..times(local) {
            get(0, &mut code);
            set(local + 1, &mut code);
        }
    }
    code.extend(AGAIN);
    super::single(&[(n as u32, I32)], &code)
}

/// Each loop touches sixteen locals of its own.
fn loops_of_many_locals(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for i in 0..n {
        code.extend([3, 0x40]);
        for local in 16 * i..16 * i + 16 {
            get(0, &mut code);
            set(local + 1, &mut code);
        }
        code.extend(AGAIN);
    }
    super::single(&[(16 * n as u32, I32)], &code)
}

fn loops_around_calls(n: usize) -> Vec<u8> {
    let code = [[3, 0x40].repeat(n), [0x20, 0, 0x10, 0].repeat(n), AGAIN.repeat(n)].concat();
    super::single(&[], &code)
}

fn functions_of_many_locals(n: usize) -> Vec<u8> {
    let mut code = vec![3, 0x40];
    for local in 0..40 {
        get(local, &mut code);
        set(local + 1, &mut code);
    }
    code.extend(AGAIN);
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32], &[]);
    (0..n).for_each(|_| parts.func(ty, &[(40, I32)], &code));
    parts.finish(0)
}

/// Functions whose locals weigh more than their calls, so that they are stored and loaded around each.
fn homes_around_calls(n: usize) -> Vec<u8> {
    let mut code = [0x20, 0, 0x10, 0].repeat(20);
    code.extend([3, 0x40, 3, 0x40, 3, 0x40]);
    for local in 0..12 {
        get(local, &mut code);
        set(local + 1, &mut code);
    }
    code.extend(AGAIN.repeat(3));
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32], &[]);
    (0..n).for_each(|_| parts.func(ty, &[(12, I32)], &code));
    parts.finish(0)
}

/// A hundred functions that share `n` blocks.
fn deep_blocks_in_functions(n: usize) -> Vec<u8> {
    let depth = n.div_ceil(100);
    let mut code = [0x02, 0x40].repeat(depth);
    code.extend([0x20, 0, 0x0d]);
    uleb(depth - 1, &mut code);
    code.extend(vec![END; depth]);
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32], &[]);
    (0..100).for_each(|_| parts.func(ty, &[], &code));
    parts.finish(0)
}

/// `n` open labels and `n` branches to them, each with other copies of locals in registers.
fn copies_at_many_labels(n: usize) -> Vec<u8> {
    let mut code = [0x02, 0x40].repeat(n);
    for i in 0..n {
        get(1 + i % 40, &mut code);
        get(1 + i * 7 % 40, &mut code);
        code.extend([0x6a, 0x1a, 0x20, 0, 0x0d]);
        uleb(i * 7919 % n, &mut code);
    }
    for i in 0..n {
        code.push(END);
        get(1 + i % 40, &mut code);
        code.extend([0x45, 0x1a]);
    }
    super::single(&[(40, I32)], &code)
}

fn copies_at_arms(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for i in 0..n {
        get(1 + i % 40, &mut code);
        code.extend([0x45, 4, 0x40]);
        get(1 + i * 3 % 40, &mut code);
        code.extend([0x45, 0x1a, 5]);
        get(1 + i * 7 % 40, &mut code);
        code.extend([0x45, 0x1a, END]);
    }
    super::single(&[(40, I32)], &code)
}

/// Six arguments, each time one place further.
fn rotated_arguments(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for i in 0..n {
        for local in 0..6 {
            get((local + i) % 6, &mut code);
        }
        code.extend([0x10, 0]);
    }
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32; 6], &[]);
    parts.func(ty, &[], &code);
    parts.finish(0)
}

/// A function that hands its forty arguments to itself.
fn wide_recursion(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let all = [I32; 40];
    let ty = parts.ty(&all, &all);
    let mut code = Vec::new();
    (0..40).for_each(|local| get(local, &mut code));
    code.extend([0x10, 0].repeat(n));
    parts.func(ty, &[], &code);
    parts.finish(0)
}

/// Results that come in memory.
fn wide_results(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let give = parts.ty(&[], &[I32; 40]);
    let plain = parts.ty(&[], &[]);
    parts.func(give, &[], &[0x41, 1].repeat(40));
    parts.func(plain, &[], &[vec![0x10, 0], vec![0x1a; 40]].concat().repeat(n));
    parts.finish(1)
}

/// Functions of a few bytes that pass on a thousand results.
pub(super) fn calls_for_wide_results(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[], &[I32; 1000]);
    (0..n).for_each(|_| parts.func(ty, &[], &[0x10, 0]));
    parts.finish(0)
}

/// Calls of two bytes that push a thousand values each, which nobody takes.
fn stacked(n: usize, before: &[u8]) -> Vec<u8> {
    let mut parts = Parts::new();
    let give = parts.ty(&[], &[I32; 1000]);
    let plain = parts.ty(&[], &[]);
    parts.func(give, &[], &[0]);
    parts.func(plain, &[], &[before, &[0x10, 0].repeat(n), &[0]].concat());
    parts.finish(1)
}

pub(super) fn stacked_results(n: usize) -> Vec<u8> {
    stacked(n, &[])
}

pub(super) fn stacked_dead_results(n: usize) -> Vec<u8> {
    stacked(n, &[0])
}

/// Exported functions of a few bytes that take and give a thousand values, and so are large to enter.
pub(super) fn wide_exports(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32; 1000], &[I32; 1000]);
    (0..n).for_each(|_| parts.func(ty, &[], &[0]));
    parts.finish_exporting(n as u32)
}

fn wide_tail_calls(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32; 30], &[]);
    let mut unit = vec![0x20, 0, 4, 0x40];
    (0..30).rev().for_each(|local| get(local, &mut unit));
    unit.extend([0x12, 0, END]);
    parts.func(ty, &[], &unit.repeat(n));
    parts.finish(0)
}

/// `n` blocks or loops, one after another, that pass `count` values through.
fn carrying(block: u8, count: usize, n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let all = vec![I32; count];
    let ty = parts.ty(&all, &all);
    let mut code = Vec::new();
    (0..count).for_each(|local| get(local, &mut code));
    for _ in 0..n {
        code.push(block);
        uleb(ty as usize, &mut code);
        code.extend([0x20, 0, 0x0d, 0, END]);
    }
    parts.func(ty, &[], &code);
    parts.finish(0)
}

fn table_to_all_depths(n: usize) -> Vec<u8> {
    let mut code = [0x02, 0x40].repeat(n);
    code.extend([0x20, 0, 0x0e]);
    uleb(n, &mut code);
    (0..=n).for_each(|i| uleb(i * 7919 % n, &mut code));
    for _ in 0..n {
        code.push(END);
        code.extend(GET_0);
        code.push(0x1a);
    }
    super::single(&[], &code)
}

/// `n` small tables whose edges carry values; for more than one, to a label that wants them elsewhere.
fn tables_that_carry(count: usize, n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[I32], &[]);
    let block = parts.ty(&[], &vec![I32; count]);
    let mut unit = Vec::new();
    for _ in 0..2 {
        unit.push(0x02);
        uleb(block as usize, &mut unit);
        unit.extend([0x41, 7]);
    }
    unit.extend([0x41, 1].repeat(count));
    unit.extend([0x20, 0, 0x0e, 3, 0, 1, 0, 1, END, RETURN, END]);
    unit.extend(vec![0x1a; count]);
    parts.func(ty, &[], &unit.repeat(n));
    parts.finish(0)
}

fn table_of_a_constant(n: usize) -> Vec<u8> {
    let mut code = vec![0x02, 0x40, 0x41, 5, 0x0e];
    uleb(n, &mut code);
    code.extend(vec![0; n + 1]);
    code.push(END);
    super::single(&[], &code)
}

fn remainders_by_a_local(n: usize) -> Vec<u8> {
    super::single(&[(1, ValType::I64)], &[vec![0x20, 1], [0x20, 1, 0x81].repeat(n), vec![0x1a]].concat())
}
