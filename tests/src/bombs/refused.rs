//! Bombs of features that are not compiled: to refuse them must be as cheap as anything else.

use super::{Bomb, END, uleb};
use wasm_encoder::{
    AbstractHeapType, CodeSection, EntityType, FieldType, Function, FunctionSection, HeapType, ImportSection, Module,
    RefType, StorageType, TypeSection, ValType,
};

/// Each needs a feature that Lightbeam refuses by name, at its first operator, declaration or type.
pub const REFUSED: &[Bomb] = &[
    Bomb { name: "external-references-and-calls", make: external_references, n: 20_000 },
    Bomb { name: "references-never-null", make: never_null, n: 20_000 },
    Bomb { name: "structures", make: structures, n: 5_000 },
];

/// What is refused comes in the last function, after `n` that are not.
fn finish(types: &TypeSection, imports: &ImportSection, ty: u32, n: usize, last: &Function) -> Vec<u8> {
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

fn plain() -> TypeSection {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types
}

pub(super) fn locals_of(ty: ValType, count: u32, n: usize) -> Vec<u8> {
    let mut last = Function::new([(count, ty)]);
    last.raw([END]);
    finish(&plain(), &ImportSection::new(), 0, n, &last)
}

fn external_references(n: usize) -> Vec<u8> {
    let mut types = plain();
    types.ty().function([], [ValType::EXTERNREF]);
    types.ty().function([ValType::EXTERNREF], []);
    let mut imports = ImportSection::new();
    imports.import("", "make", EntityType::Function(1));
    imports.import("", "nothing", EntityType::Function(0));
    imports.import("", "take", EntityType::Function(2));
    let mut last = Function::new([]);
    last.raw([[0x10, 0].repeat(n), [0x10, 1].repeat(n), [0x10, 2].repeat(n), vec![END]].concat());
    finish(&types, &imports, 0, n, &last)
}

/// Locals that must be set before they are read, and blocks that forget that they were.
fn never_null(n: usize) -> Vec<u8> {
    let mut types = plain();
    let reference = ValType::Ref(RefType { nullable: false, heap_type: HeapType::Concrete(0) });
    types.ty().function([reference], []);
    let mut last = Function::new([(n as u32, reference)]);
    for local in 0..n {
        let mut code = vec![0x02, 0x40, 0x20, 0, 0x21];
        uleb(local + 1, &mut code);
        code.push(END);
        last.raw(code);
    }
    last.raw([END]);
    finish(&types, &ImportSection::new(), 1, n, &last)
}

fn structures(n: usize) -> Vec<u8> {
    let mut types = plain();
    let field = FieldType { element_type: StorageType::Val(ValType::I32), mutable: true };
    types.ty().struct_([field, field]);
    let mut last = Function::new([(
        1,
        ValType::Ref(RefType {
            nullable: true,
            heap_type: HeapType::Abstract { shared: false, ty: AbstractHeapType::Eq },
        }),
    )]);
    last.raw([[0xfb, 1, 1].repeat(n), vec![0x1a; n], vec![END]].concat());
    finish(&types, &ImportSection::new(), 0, n, &last)
}
