//! Bombs of features that are not compiled: to refuse them must be as cheap as anything else.

use super::{Bomb, END};
use wasm_encoder::{CodeSection, Function, FunctionSection, ImportSection, Module, TypeSection, ValType};

/// Each needs a feature that Lightbeam refuses by name, at its first operator, declaration or type.
pub const REFUSED: &[Bomb] =
    &[Bomb { name: "vectors-without-bodies", make: |n| locals_of(ValType::V128, 50_000, n), n: 10_000 }];

/// What is refused comes in the last function, after `n` that are not.
pub(super) fn finish(types: &TypeSection, imports: &ImportSection, ty: u32, n: usize, last: &Function) -> Vec<u8> {
    let mut funcs = FunctionSection::new();
    let mut code = CodeSection::new();
    for _ in 0..n {
        funcs.function(0);
        let mut function = Function::new([(3, ValType::I32)]);
        function.raw([0x20, 0, 0x21, 1, END]);
        code.function(&function);
    }
    funcs.function(ty);
    code.function(last);
    let mut module = Module::new();
    module.section(types).section(imports).section(&funcs).section(&code);
    module.finish()
}

pub(super) fn plain() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

fn locals_of(ty: ValType, count: u32, n: usize) -> Vec<u8> {
    let mut last = Function::new([(count, ty)]);
    last.raw([END]);
    finish(&plain(), &ImportSection::new(), 0, n, &last)
}
