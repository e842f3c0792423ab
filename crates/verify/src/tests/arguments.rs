//! Arguments of builtins that the host asserts: each as it should be, and refused where it may be another.

use super::{COUNT, Code, LIMIT, STORE, TYPE_IDS, enter, facts};
use crate::facts::ValueType::{I32, I64};
use crate::facts::{
    Border, Builtin, Collector, Facts, Field, FuncType, Gc, InstanceField, Memory, Range, Table, Tables, Type,
    TypeKind, ValueType,
};
use crate::prover::Prover;
use iced_x86::code_asm::*;

/// Proves a function that calls a builtin with such arguments, the instance among them if nothing else is said.
fn call(facts: &Facts, builtin: Builtin, arguments: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code) -> bool {
    let body = |a: &mut CodeAssembler| {
        let (mut trap, mut exit) = (a.create_label(), a.create_label());
        enter(a)?;
        a.mov(r11, qword_ptr(r15 + STORE))?;
        a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
        a.jb(trap)?;
        a.mov(rdi, r15)?;
        arguments(a, trap)?;
        a.call(exit)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        // The exit, which is looked at elsewhere.
        a.set_label(&mut exit)?;
        a.ud2()
    };
    let mut assembler = CodeAssembler::new(64).unwrap();
    body(&mut assembler).unwrap();
    let text = assembler.assemble(0).unwrap();
    let end = text.len() as u32;
    let exit = Range { start: end - 2, end };
    let tables = Tables {
        functions: vec![Range { start: 0, end: exit.start }],
        borders: vec![(Border::WasmToBuiltin(builtin), exit)],
        ..Tables::default()
    };
    Prover::new(facts, &text, &tables).unwrap().functions(0..1).is_ok()
}

#[test]
fn an_element_that_is_to_be_filled_in_is_one_of_the_table() {
    let get = |table: u32, compare: fn(&mut CodeAssembler) -> Code, jump: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        call(&facts(&[I32], &[]), Builtin::TableGet, |a, trap| {
            compare(a)?;
            jump(a, trap)?;
            a.mov(esi, table)
        })
    };
    assert!(get(0, |a| a.cmp(rdx, qword_ptr(r15 + COUNT)), |a, trap| a.jae(trap)));
    assert!(!get(0, |a| a.cmp(rdx, qword_ptr(r15 + COUNT)), |a, trap| a.ja(trap)));
    assert!(!get(0, |a| a.cmp(rdx, qword_ptr(r15 + COUNT)), |a, trap| a.jb(trap)));
    assert!(!get(0, |a| a.cmp(edx, dword_ptr(r15 + LIMIT)), |a, trap| a.jae(trap)));
    assert!(!get(0, |_| Ok(()), |_, _| Ok(())));
    assert!(!get(1, |a| a.cmp(rdx, qword_ptr(r15 + COUNT)), |a, trap| a.jae(trap)));
    // Elements of other tables are filled in from the beginning.
    let mut numbers = facts(&[I32], &[]);
    numbers.tables[0].element = ValueType::Gc;
    assert!(!call(&numbers, Builtin::TableGet, |a, trap| {
        a.cmp(rdx, qword_ptr(r15 + COUNT))?;
        a.jae(trap)?;
        a.mov(esi, 0)
    }));
}

/// A module whose memory and table 0 are imports and 1 its own.
fn imports() -> Facts {
    let mut facts = facts(&[I64], &[]);
    let (memory, table): (Memory, Table) = (facts.memories[0], facts.tables[0]);
    facts.memories.push(memory);
    facts.tables.push(table);
    let mut add = |offset: u32, width: u8, kind| facts.instance.push(Field { offset, width, kind });
    add(96, 8, InstanceField::MemoryOwner(0));
    add(104, 4, InstanceField::MemoryIndex(0));
    add(112, 8, InstanceField::TableOwner(0));
    add(120, 4, InstanceField::TableIndex(0));
    facts
}

#[test]
fn a_memory_that_grows_is_one_of_its_owner() {
    let own = |index: u32| {
        let growing = |a: &mut CodeAssembler, _: CodeLabel| a.mov(rsi, rdx).and_then(|()| a.mov(edx, index));
        (call(&facts(&[I64], &[]), Builtin::MemoryGrow, growing), call(&imports(), Builtin::MemoryGrow, growing))
    };
    assert_eq!(own(0), (true, true));
    assert_eq!(own(1), (false, false));
    // The number of pages for the index.
    assert!(!call(&facts(&[I64], &[]), Builtin::MemoryGrow, |a, _| a.mov(rsi, rdx)));
    let imported = |owner: i32, index: i32| {
        call(&imports(), Builtin::MemoryGrow, |a, _| {
            a.mov(rsi, rdx)?;
            a.mov(rdi, qword_ptr(r15 + owner))?;
            a.mov(edx, dword_ptr(r15 + index))
        })
    };
    assert!(imported(96, 104));
    assert!(!imported(96, 120));
    assert!(!imported(112, 104));
    assert!(!call(&imports(), Builtin::MemoryGrow, |a, _| {
        a.mov(rsi, rdx)?;
        a.mov(rdi, qword_ptr(r15 + 96))?;
        a.mov(edx, 0)
    }));
}

#[test]
fn a_table_that_grows_is_one_of_its_owner() {
    let imported = |owner: i32, index: i32| {
        call(&imports(), Builtin::TableGrow, |a, _| {
            a.mov(rdi, qword_ptr(r15 + owner))?;
            a.mov(esi, dword_ptr(r15 + index))
        })
    };
    assert!(imported(112, 120));
    assert!(!imported(96, 104));
    assert!(!imported(112, 104));
    assert!(call(&imports(), Builtin::TableGrow, |a, _| a.mov(esi, 0)));
    assert!(!call(&imports(), Builtin::TableGrow, |a, _| a.mov(esi, 1)));
    assert!(!call(&imports(), Builtin::TableGrow, |a, _| a.mov(esi, edx)));
}

/// A call of this function itself behind that of the builtin, which wants the base of memory 0.
fn called_after(facts: &Facts, builtin: Builtin, own: bool, index: u32) -> bool {
    let mut facts = facts.clone();
    facts.memories.iter_mut().for_each(|memory| memory.base_may_move = true);
    let (owner, place) = if builtin == Builtin::MemoryGrow { (96, 104) } else { (112, 120) };
    let body = |a: &mut CodeAssembler| {
        let (mut start, mut trap, mut exit) = (a.create_label(), a.create_label(), a.create_label());
        a.set_label(&mut start)?;
        enter(a)?;
        a.mov(r11, qword_ptr(r15 + STORE))?;
        a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
        a.jb(trap)?;
        a.mov(qword_ptr(rbp - 8), rdx)?;
        a.mov(rdi, r15)?;
        if !own {
            a.mov(rdi, qword_ptr(r15 + owner))?;
        }
        let register = if builtin == Builtin::MemoryGrow { edx } else { esi };
        a.mov(if builtin == Builtin::MemoryGrow { rsi } else { rdx }, qword_ptr(rbp - 8))?;
        if own {
            a.mov(register, index)?;
        } else {
            a.mov(register, dword_ptr(r15 + place))?;
        }
        a.call(exit)?;
        a.mov(rdx, qword_ptr(rbp - 8))?;
        a.call(start)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        a.set_label(&mut exit)?;
        a.ud2()
    };
    let mut assembler = CodeAssembler::new(64).unwrap();
    body(&mut assembler).unwrap();
    let text = assembler.assemble(0).unwrap();
    let end = text.len() as u32;
    let tables = Tables {
        functions: vec![Range { start: 0, end: end - 2 }],
        borders: vec![(Border::WasmToBuiltin(builtin), Range { start: end - 2, end })],
        ..Tables::default()
    };
    Prover::new(&facts, &text, &tables).unwrap().functions(0..1).is_ok()
}

#[test]
fn what_grows_moves_and_nothing_else() {
    // Memory 0 is an import; the module's own memory is none.
    assert!(called_after(&imports(), Builtin::MemoryGrow, true, 0));
    assert!(!called_after(&imports(), Builtin::MemoryGrow, false, 0));
    assert!(called_after(&imports(), Builtin::TableGrow, true, 0));
    assert!(called_after(&imports(), Builtin::TableGrow, false, 0));
    // Of two imports either may be the other, unless they differ in what all names of a memory agree in.
    let mut two = imports();
    let (first, second) = (two.memories[0], two.memories[1]);
    two.memories = vec![first, first, second];
    two.instance.push(Field { offset: 128, width: 8, kind: InstanceField::MemoryOwner(1) });
    two.instance.iter_mut().for_each(|field| match &mut field.kind {
        InstanceField::MemoryOwner(memory @ 0) if field.offset == 96 => *memory = 1,
        InstanceField::MemoryIndex(memory) => *memory = 1,
        InstanceField::MemoryOwner(memory) => *memory = 0,
        _ => {}
    });
    assert!(!called_after(&two, Builtin::MemoryGrow, false, 0));
    two.memories[1].index64 = true;
    assert!(called_after(&two, Builtin::MemoryGrow, false, 0));
}

#[test]
fn segments_that_are_dropped_are_there() {
    let drop = |count: usize, index: fn(&mut CodeAssembler) -> Code| {
        let mut facts = facts(&[I32], &[]);
        facts.elements = vec![ValueType::Gc; count];
        call(&facts, Builtin::ElemDrop, |a, _| index(a))
    };
    assert!(drop(2, |a| a.mov(esi, 1)));
    assert!(!drop(1, |a| a.mov(esi, 1)));
    assert!(!drop(2, |a| a.mov(esi, edx)));
}

#[test]
fn references_are_made_of_functions_that_escape() {
    let made = |escapes: bool, imported: bool, index: fn(&mut CodeAssembler) -> Code| {
        let mut facts = facts(&[I32], &[]);
        let mut other = facts.functions[0];
        (other.escapes, other.imported) = (escapes, imported);
        // The function at hand comes last, as imports come first.
        facts.functions.insert(0, other);
        if !imported {
            facts.functions.remove(1);
            facts.functions[0].escapes = false;
        }
        call(&facts, Builtin::RefFunc, |a, _| index(a))
    };
    assert!(made(false, true, |a| a.mov(esi, 0)));
    assert!(!made(false, true, |a| a.mov(esi, 1)));
    assert!(!made(false, true, |a| a.mov(esi, 2)));
    assert!(!made(false, true, |a| a.mov(esi, -1)));
    assert!(!made(false, true, |a| a.mov(esi, edx)));
    assert!(!made(false, false, |a| a.mov(esi, 0)));
}

#[test]
fn objects_are_of_a_kind_a_type_and_an_alignment() {
    let mut facts = facts(&[I32], &[]);
    std::sync::Arc::make_mut(&mut facts.types).push(Type { kind: TypeKind::Object, supertype: None });
    facts.gc = Some(Gc {
        unchecked_span: 0,
        heap_may_move: false,
        data: [None; 4],
        collector: Collector::Counting,
        kinds: [1 << 26, 2 << 26, 4 << 26],
        kind_bits: 63 << 26,
    });
    let made = |kind: u32, id: fn(&mut CodeAssembler) -> Code, align: u32| {
        call(&facts, Builtin::GcAlloc, |a, _| {
            id(a)?;
            a.mov(esi, kind)?;
            a.mov(ecx, 16)?;
            a.mov(r8d, align)
        })
    };
    let id = |a: &mut CodeAssembler| {
        a.mov(rdx, qword_ptr(r15 + TYPE_IDS))?;
        a.mov(edx, dword_ptr(rdx + 4))
    };
    assert!(made(2 << 26, id, 8));
    // What is not of the kind is the collector's own.
    assert!(made(2 << 26 | 6, id, 8));
    assert!(!made(3 << 26, id, 8));
    assert!(!made(0, id, 8));
    assert!(!made(2 << 26, id, 12));
    assert!(!made(2 << 26, id, 0));
    assert!(!made(2 << 26, |_| Ok(()), 8));
    assert!(!made(2 << 26, |a| a.mov(edx, 1), 8));
}

#[test]
fn casts_ask_for_a_type_of_the_module() {
    let mut module = facts(&[I32], &[]);
    std::sync::Arc::make_mut(&mut module.types).push(Type { kind: TypeKind::Object, supertype: None });
    let asked = |id: fn(&mut CodeAssembler) -> Code| {
        call(&module, Builtin::IsSubtype, |a, _| a.mov(esi, edx).and_then(|()| id(a)))
    };
    assert!(asked(|a| a.mov(rdx, qword_ptr(r15 + TYPE_IDS)).and_then(|()| a.mov(edx, dword_ptr(rdx + 4)))));
    assert!(!asked(|a| a.mov(rdx, qword_ptr(r15 + TYPE_IDS)).and_then(|()| a.mov(edx, dword_ptr(rdx + 8)))));
    assert!(!asked(|a| a.mov(edx, 4)));
    let nothing = FuncType { ty: None, nullable: true };
    assert!(!call(&facts(&[ValueType::Func(nothing)], &[]), Builtin::IsSubtype, |a, _| a.mov(rsi, rdx)));
}

#[test]
fn only_what_has_failed_is_raised() {
    assert!(call(&facts(&[], &[]), Builtin::Trap, |a, _| a.mov(esi, 3)));
    assert!(!call(&facts(&[], &[]), Builtin::Trap, |a, _| a.mov(esi, 16)));
    assert!(!call(&facts(&[], &[]), Builtin::Raise, |a, _| a.mov(esi, 3)));
}
