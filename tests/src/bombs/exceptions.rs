//! Bombs of exceptions: handlers by the number, and calls within all of them.

use super::{Bomb, END, uleb};
use wasm_encoder::{
    CodeSection, Function, FunctionSection, Module, TagKind, TagSection, TagType, TypeSection, ValType,
};

pub(super) const BOMBS: &[Bomb] = &[
    Bomb { name: "handlers-around-one-call", make: |n| nested(n, 1), n: 10_000 },
    Bomb { name: "handlers-without-calls", make: |n| nested(n, 0), n: 20_000 },
    Bomb { name: "handlers-in-a-row", make: in_a_row, n: 10_000 },
    Bomb { name: "handlers-in-one-table", make: in_one_table, n: 4_000 },
    Bomb { name: "calls-in-one-handler", make: |n| nested(1, n), n: 20_000 },
    Bomb { name: "throws", make: |n| throws(3, n), n: 4_000 },
];

/// Each of the calls has all handlers around it, and the table no way to share them.
pub(super) const OUT_OF_PROPORTION: &[Bomb] = &[
    Bomb { name: "2,000 calls within 2,000 handlers", make: |n| nested(n, n), n: 2_000 },
    Bomb { name: "1,000 handlers of what carries 1,000 values", make: wide_handlers, n: 1_000 },
];

/// A module of `[] -> []` and one more type, with a tag for each of `tags`.
fn finish(params: &[ValType], tags: impl Iterator<Item = u32>, code: Vec<u8>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function(params.iter().copied(), []);
    types.ty().function([], params.iter().copied());
    let mut funcs = FunctionSection::new();
    funcs.function(0).function(0);
    let mut section = TagSection::new();
    for ty in tags {
        section.tag(TagType { kind: TagKind::Exception, func_type_idx: ty });
    }
    let mut empty = Function::new([]);
    empty.raw([END]);
    let mut last = Function::new([]);
    last.raw(code);
    let mut bodies = CodeSection::new();
    bodies.function(&empty).function(&last);
    let mut module = Module::new();
    module.section(&types).section(&funcs).section(&section).section(&bodies);
    module.finish()
}

/// `n` handlers of different tags inside each other, and calls in the innermost.
fn nested(n: usize, calls: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for tag in 0..n {
        code.extend([0x1f, 0x40, 1, 0]);
        uleb(tag, &mut code);
        code.push(0);
    }
    code.extend([0x10, 0].repeat(calls));
    code.extend(vec![END; n + 1]);
    finish(&[], (0..n).map(|_| 0), code)
}

/// `n` times a handler around a call.
fn in_a_row(n: usize) -> Vec<u8> {
    let piece = [0x1f, 0x40, 1, 0, 0, 0, 0x10, 0, END];
    finish(&[], [0].into_iter(), [piece.repeat(n), vec![END]].concat())
}

/// Many handlers of one `try_table`.
fn in_one_table(n: usize) -> Vec<u8> {
    let mut code = vec![0x1f, 0x40];
    uleb(n, &mut code);
    code.extend([0, 0, 0].repeat(n));
    code.extend([0x10, 0, END, END]);
    finish(&[], [0].into_iter(), code)
}

/// `n` times an exception that carries `count` values and is not caught.
fn throws(count: usize, n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..n {
        code.extend([0x02, 0x40]);
        code.extend([0x41, 0].repeat(count));
        code.extend([0x08, 0, END]);
    }
    code.push(END);
    finish(&vec![ValType::I32; count], [1].into_iter(), code)
}

/// Handlers that give `n` values each, for as many calls.
fn wide_handlers(n: usize) -> Vec<u8> {
    let mut code = vec![0x02, 2];
    for _ in 0..n {
        code.extend([0x1f, 0x40, 1, 0, 0, 0, 0x10, 0, END]);
    }
    code.extend([0x00, END]);
    code.extend(vec![0x1a; n]);
    code.push(END);
    finish(&vec![ValType::I32; n], [1].into_iter(), code)
}
