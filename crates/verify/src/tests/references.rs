//! References to functions: where they come from, and that whoever reads through one has looked whether it is null.

use super::*;
use crate::facts::{Border, Builtin};

/// A function of type 0, which takes a reference to a function of type 0.
fn takes_reference() -> Facts {
    facts(&[ValueType::Func(FuncType { ty: Some(0), nullable: false })], &[])
}

fn call_it(a: &mut CodeAssembler) -> Code {
    a.mov(rax, rdx)?;
    a.mov(rdi, qword_ptr(rax + 24))?;
    a.mov(rsi, r15)?;
    a.mov(rax, qword_ptr(rax + 8))?;
    a.call(rax)
}

#[test]
fn where_faults_are_no_traps_null_is_looked_for() {
    let call = |signals: bool, look: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        let mut facts = takes_reference();
        facts.settings.hardware_traps = signals;
        let function = |a: &mut CodeAssembler, exit: CodeLabel| {
            let mut trap = a.create_label();
            enter(a)?;
            limit(a, trap)?;
            look(a, trap)?;
            call_it(a)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.mov(rdi, r15)?;
            a.mov(esi, 1)?;
            a.call(exit)
        };
        prove_beside(&facts, Some(Border::WasmToBuiltin(Builtin::Trap)), function, |a| a.ret())
    };
    call(true, |_, _| Ok(())).unwrap();
    call(false, |_, _| Ok(())).unwrap_err();
    call(false, |a, trap| a.test(rdx, rdx).and_then(|()| a.je(trap))).unwrap();
    call(false, |a, trap| a.test(rdx, rdx).and_then(|()| a.jne(trap))).unwrap_err();
    call(false, |a, trap| a.test(edx, edx).and_then(|()| a.je(trap))).unwrap_err();
}

#[test]
fn without_signals_no_instruction_is_a_trap() {
    let mut facts = facts(&[], &[]);
    let body = |a: &mut CodeAssembler| enter(a).and_then(|()| a.ud2());
    prove_with(&facts, body).unwrap();
    facts.settings.hardware_traps = false;
    prove_with(&facts, body).unwrap_err();
}

#[test]
fn elements_of_lazy_tables_have_been_filled_in() {
    let call = |look: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        let mut facts = facts(&[I32], &[]);
        facts.tables[0].lazy = true;
        facts.tables[0].element = ValueType::Func(FuncType { ty: Some(0), nullable: true });
        facts.tables[0].minimum = 1;
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            limit(a, trap)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            a.mov(rax, qword_ptr(rax))?;
            look(a, trap)?;
            a.mov(rdi, qword_ptr(rax + 24))?;
            a.mov(rsi, r15)?;
            a.mov(rax, qword_ptr(rax + 8))?;
            a.call(rax)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    fn test(a: &mut CodeAssembler) -> Code {
        a.test(rax, rax)
    }
    call(|a, trap| test(a).and_then(|()| a.je(trap)).and_then(|()| a.and(rax, -2))).unwrap();
    call(|a, _| a.and(rax, -2)).unwrap_err();
    call(|a, trap| test(a).and_then(|()| a.jne(trap)).and_then(|()| a.and(rax, -2))).unwrap_err();
    call(|a, trap| test(a).and_then(|()| a.je(trap))).unwrap_err();
    call(|a, trap| test(a).and_then(|()| a.je(trap)).and_then(|()| a.and(rax, -4))).unwrap_err();
}

#[test]
fn results_in_the_result_area_are_written_and_of_their_types() {
    let mut results = vec![I64; 8];
    results.push(ValueType::Func(FuncType { ty: Some(0), nullable: true }));
    results.push(I32);
    let params = [
        ValueType::Func(FuncType { ty: Some(0), nullable: true }),
        ValueType::Func(FuncType { ty: None, nullable: true }),
    ];
    let give = |stores: fn(&mut CodeAssembler) -> Code| {
        prove(&params, &results, |a| {
            stores(a)?;
            for reg in [eax, ecx, edx, esi, edi, r8d, r9d, r10d] {
                a.xor(reg, reg)?;
            }
            Ok(())
        })
    };
    fn number(a: &mut CodeAssembler) -> Code {
        a.mov(dword_ptr(r10 + 8), 7)
    }
    give(|a| a.mov(qword_ptr(r10), rdx).and_then(|()| number(a))).unwrap();
    give(number).unwrap_err();
    give(|a| a.mov(qword_ptr(r10), rdx)).unwrap_err();
    // A number, a function of whatever type, half a reference, the wrong places.
    give(|a| a.mov(rax, r14).and_then(|()| a.mov(qword_ptr(r10), rax)).and_then(|()| number(a))).unwrap_err();
    give(|a| a.mov(qword_ptr(r10), 64).and_then(|()| number(a))).unwrap_err();
    give(|a| a.mov(qword_ptr(r10), 0).and_then(|()| number(a))).unwrap();
    give(|a| a.mov(qword_ptr(r10), rcx).and_then(|()| number(a))).unwrap_err();
    give(|a| a.mov(dword_ptr(r10), edx).and_then(|()| number(a))).unwrap_err();
    give(|a| a.mov(qword_ptr(r10 + 8), rdx).and_then(|()| a.mov(dword_ptr(r10), 7))).unwrap_err();
    give(|a| a.mov(qword_ptr(r10), rdx).and_then(|()| a.mov(dword_ptr(r10 + 16), 7))).unwrap_err();
    // One way does not write.
    give(|a| {
        let mut skip = a.create_label();
        number(a)?;
        a.test(rdx, rdx)?;
        a.je(skip)?;
        a.mov(qword_ptr(r10), rdx)?;
        a.set_label(&mut skip)
    })
    .unwrap_err();
}

/// A stack map names what a collector may change, so nothing that code believes to be as it was.
#[test]
fn a_stack_map_names_nothing_that_the_frame_keeps() {
    let with_map = |bits: u32, write: bool| {
        let (text, places) = assemble(|a| {
            let (mut trap, mut entry, mut behind) = (a.create_label(), a.create_label(), a.create_label());
            a.set_label(&mut entry)?;
            enter(a)?;
            limit(a, trap)?;
            a.mov(qword_ptr(rbp - 8), rbx)?;
            a.mov(qword_ptr(rbp - 16), r15)?;
            if write {
                a.mov(qword_ptr(rbp - 24), 0)?;
            }
            a.call(entry)?;
            a.set_label(&mut behind)?;
            a.mov(rbx, qword_ptr(rbp - 8))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()?;
            Ok(vec![behind])
        });
        let tables = Tables {
            functions: vec![Range { start: 0, end: text.len() as u32 }],
            maps: vec![crate::facts::StackMap { returns_to: places[0], frame: 32, bits: (0, 1) }],
            map_bits: vec![bits],
            ..Tables::default()
        };
        let facts = facts(&[], &[]);
        let prover = Prover::new(&facts, &text, &tables).map_err(|failure| failure.reason.0)?;
        prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
    };
    // By halves of words, from the stack pointer on: what was written; not what was not; neither a saved register nor
    // the instance, nor the caller's frame pointer and the return address.
    with_map(0b0100, true).unwrap();
    with_map(0b1100, true).unwrap();
    with_map(0b0100, false).unwrap_err();
    with_map(0b0001, true).unwrap_err();
    for word in 2..6 {
        with_map(1 << (2 * word), true).unwrap_err();
        with_map(2 << (2 * word), true).unwrap_err();
    }
}
