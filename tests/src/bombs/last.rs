//! Modules of `n` plain functions and a last one that is special.

use super::END;
use wasm_encoder::{CodeSection, Function, FunctionSection, ImportSection, Module, TypeSection, ValType};

/// The module of a last function of type `ty`, after `n` of type 0.
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
