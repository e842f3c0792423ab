//! Bombs of features that are not compiled: to refuse them must be as cheap as anything else.

use super::{Bomb, END};
use wasm_encoder::{
    CodeSection, FieldType, Function, FunctionSection, ImportSection, Module, StorageType, TypeSection, ValType,
};

/// Each needs a feature that Lightbeam refuses by name, at its first operator, declaration or type.
pub const REFUSED: &[Bomb] = &[Bomb { name: "vectors-in-objects", make: vectors_in_objects, n: 10_000 }];

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

pub(super) fn locals_of(ty: ValType, count: u32, n: usize) -> Vec<u8> {
    let mut last = Function::new([(count, ty)]);
    last.raw([END]);
    finish(&plain(), &ImportSection::new(), 0, n, &last)
}

fn vectors_in_objects(n: usize) -> Vec<u8> {
    let mut types = plain();
    let field = FieldType { element_type: StorageType::Val(ValType::V128), mutable: true };
    types.ty().struct_([field, field]);
    let mut last = Function::new([]);
    last.raw([[0xfb, 1, 1, 0x1a].repeat(n), vec![END]].concat());
    finish(&types, &ImportSection::new(), 0, n, &last)
}
