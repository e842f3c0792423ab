//! Bombs of references: many that live across many calls, and objects by the thousand.

use super::last::{finish, plain};
use super::{Bomb, END, uleb};
use wasm_encoder::{
    AbstractHeapType, EntityType, FieldType, Function, HeapType, ImportSection, RefType, StorageType, TypeSection,
    ValType,
};

/// Against what stack maps and objects cost.
pub(super) const BOMBS: &[Bomb] = &[
    Bomb { name: "references-one-more-at-each-call", make: external_references, n: 20_000 },
    Bomb { name: "objects-one-more-at-each-allocation", make: elements, n: 5_000 },
    Bomb { name: "live-references-and-calls", make: live_references, n: 20_000 },
    Bomb { name: "live-reference-locals-and-calls", make: live_locals, n: 20_000 },
    Bomb { name: "references-never-null", make: never_null, n: 20_000 },
    Bomb { name: "structures", make: structures, n: 5_000 },
    Bomb { name: "defaults-of-a-large-structure", make: defaults, n: 5_000 },
];

fn imports(types: &mut TypeSection) -> ImportSection {
    types.ty().function([], [ValType::EXTERNREF]);
    types.ty().function([ValType::EXTERNREF], []);
    let mut imports = ImportSection::new();
    imports.import("", "make", EntityType::Function(1));
    imports.import("", "nothing", EntityType::Function(0));
    imports.import("", "take", EntityType::Function(2));
    imports
}

/// A different set of references lives across each call: there is no map that two of them could share.
fn external_references(n: usize) -> Vec<u8> {
    let mut types = plain();
    let imports = imports(&mut types);
    let mut last = Function::new([]);
    last.raw([[0x10, 0].repeat(n), [0x10, 1].repeat(n), [0x10, 2].repeat(n), vec![END]].concat());
    finish(&types, &imports, 0, n, &last)
}

/// References that live across all calls.
fn live_references(n: usize) -> Vec<u8> {
    let mut types = plain();
    let imports = imports(&mut types);
    let mut last = Function::new([]);
    last.raw([[0x20, 0].repeat(n), [0x10, 1].repeat(n), vec![0x1a; n], vec![END]].concat());
    finish(&types, &imports, 2, n, &last)
}

fn live_locals(n: usize) -> Vec<u8> {
    let mut types = plain();
    let imports = imports(&mut types);
    let mut last = Function::new([(n as u32, ValType::EXTERNREF)]);
    for local in 0..n {
        let mut code = vec![0x10, 0, 0x21];
        uleb(local, &mut code);
        last.raw(code);
    }
    last.raw([END]);
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
    last.raw([[0xfb, 1, 1, 0x1a].repeat(n), vec![END]].concat());
    finish(&types, &ImportSection::new(), 0, n, &last)
}

/// An array of new objects, all of which live until the last is made.
fn elements(n: usize) -> Vec<u8> {
    let mut types = plain();
    let field = FieldType { element_type: StorageType::Val(ValType::I32), mutable: true };
    types.ty().struct_([field, field]);
    let object = RefType { nullable: true, heap_type: HeapType::Concrete(1) };
    types.ty().array(&StorageType::Val(ValType::Ref(object)), true);
    let mut last = Function::new([]);
    let mut make = vec![0xfb, 8, 2];
    uleb(n, &mut make);
    last.raw([[0xfb, 1, 1].repeat(n), make, vec![0x1a, END]].concat());
    finish(&types, &ImportSection::new(), 0, n, &last)
}

/// A structure of many fields, made many times in few bytes.
fn defaults(n: usize) -> Vec<u8> {
    let mut types = plain();
    types.ty().struct_(vec![FieldType { element_type: StorageType::Val(ValType::I64), mutable: true }; n]);
    let mut last = Function::new([]);
    last.raw([[0xfb, 1, 1, 0x1a].repeat(n), vec![END]].concat());
    finish(&types, &ImportSection::new(), 0, n, &last)
}
