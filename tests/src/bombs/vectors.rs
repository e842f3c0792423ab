//! Bombs of vectors: constants behind the code, locals and values of 16 bytes, sequences of many instructions.

use super::{Bomb, Parts, last, uleb};
use wasm_encoder::{FieldType, Function, ImportSection, StorageType, TypeSection, ValType};

/// Against what vectors add to the compiler.
pub(super) const BOMBS: &[Bomb] = &[
    Bomb { name: "vector-constants", make: constants, n: 10_000 },
    Bomb { name: "vector-constants-that-wait", make: waiting, n: 5_000 },
    Bomb { name: "vector-locals", make: locals, n: 10_000 },
    Bomb { name: "vectors-without-bodies", make: |n| super::last::locals_of(ValType::V128, 50_000, n), n: 10_000 },
    Bomb { name: "vectors-around-calls", make: around_calls, n: 1_000 },
    Bomb { name: "vectors-in-objects", make: in_objects, n: 10_000 },
    Bomb { name: "vectors-in-arrays", make: in_arrays, n: 5_000 },
    Bomb { name: "shuffles", make: shuffles, n: 5_000 },
    Bomb { name: "popcnts", make: |n| single(&GET_1, &[0xfd, 0x62], n), n: 10_000 },
    Bomb { name: "truncations", make: |n| single(&GET_1, &[0xfd, 0xf9, 0x01], n), n: 10_000 },
    Bomb { name: "splats-of-parts", make: |n| single(&[], &[0x20, 0, 0xfd, 0x07, 0, 0, 0x1a], n), n: 10_000 },
];

const GET_1: [u8; 2] = [0x20, 1];

/// One function `[i32] -> []` with one local that is a vector.
fn single(before: &[u8], unit: &[u8], n: usize) -> Vec<u8> {
    let drop: &[u8] = if before.is_empty() { &[] } else { &[0x1a] };
    function(1, &[before, &unit.repeat(n), drop].concat())
}

fn function(vectors: u32, code: &[u8]) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::I32], &[]);
    parts.func(ty, &[(vectors, ValType::V128)], code);
    parts.finish(0)
}

/// `v128.const`, no two alike.
fn constant(i: usize, code: &mut Vec<u8>) {
    code.extend([0xfd, 0x0c]);
    code.extend((i as u128 * 0x0123_4567_89ab_cdef_0123_4567 + 1).to_le_bytes());
}

/// Each added to a local.
pub(super) fn constants(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for i in 0..n {
        code.extend(GET_1);
        constant(i, &mut code);
        code.extend([0xfd, 0xae, 0x01, 0x21, 1]);
    }
    function(1, &code)
}

/// All on the stack at once.
fn waiting(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    (0..=n).for_each(|i| constant(i, &mut code));
    code.extend([0xfd, 0xae, 0x01].repeat(n));
    code.push(0x1a);
    function(1, &code)
}

/// Each read, so that each is zero at entry.
pub(super) fn locals(n: usize) -> Vec<u8> {
    let mut code = Vec::new();
    for local in 1..=n {
        code.push(0x20);
        uleb(local, &mut code);
        code.extend([0xfd, 0x53, 0x1a]);
    }
    function(n as u32, &code)
}

/// Values in slots and homes that calls destroy.
fn around_calls(n: usize) -> Vec<u8> {
    let mut parts = Parts::new();
    let ty = parts.ty(&[ValType::V128], &[ValType::V128]);
    let unit = [0x20, 0, 0x20, 1, 0x10, 0, 0xfd, 0x51, 0x21, 1];
    parts.func(ty, &[(1, ValType::V128)], &[&unit.repeat(n)[..], &GET_1].concat());
    parts.finish(0)
}

/// Two constants each, no two alike.
fn shuffles(n: usize) -> Vec<u8> {
    let mut code = GET_1.to_vec();
    for i in 0..n {
        code.extend([0x20, 1, 0xfd, 0x0d]);
        code.extend((0..16).map(|byte| ((i >> (byte % 13)) * 7 + byte * 5) as u8 & 31));
    }
    code.push(0x1a);
    function(1, &code)
}

/// After many plain functions, one that makes structures of vectors.
fn in_objects(n: usize) -> Vec<u8> {
    let field = FieldType { element_type: StorageType::Val(ValType::V128), mutable: true };
    let mut types = last::plain();
    types.ty().struct_([field, field]);
    objects(types, n, &[0xfb, 1, 1, 0x1a].repeat(n))
}

/// One that makes an array of many vectors, and many arrays of one.
fn in_arrays(n: usize) -> Vec<u8> {
    let mut types = last::plain();
    types.ty().array(&StorageType::Val(ValType::V128), true);
    let one = [0x41, 1, 0xfd, 0x0f];
    let mut code = one.repeat(n.min(10_000));
    let fixed = |n: usize, code: &mut Vec<u8>| {
        code.extend([0xfb, 8, 1]);
        uleb(n, code);
        code.push(0x1a);
    };
    fixed(n.min(10_000), &mut code);
    for _ in 0..n {
        code.extend(one);
        fixed(1, &mut code);
    }
    objects(types, n, &code)
}

fn objects(types: TypeSection, n: usize, code: &[u8]) -> Vec<u8> {
    let mut last = Function::new([]);
    last.raw([code, &[0x0b]].concat());
    last::finish(&types, &ImportSection::new(), 0, n, &last)
}
