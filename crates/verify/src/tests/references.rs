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
