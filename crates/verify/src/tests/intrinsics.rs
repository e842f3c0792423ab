//! Unsafe intrinsics, put together by hand: each accepted as it should be, and refused in each weakened form.

use super::components::{NOTHING, Part, SLOT, begin, calls, leave_wasm, proved, record_trap, trap};
use super::*;
use crate::facts::{Border, Callee, HostCall, Intrinsic, Operation, Outcome};
use iced_x86::code_asm::CodeAssembler;

/// An intrinsic with a signature and an operation.
fn intrinsic(
    params: &[ValueType],
    results: &[ValueType],
    operation: Operation,
    body: impl Fn(&mut CodeAssembler) -> Code,
) -> bool {
    let none = HostCall { callee: Callee::Libcall(0), arguments: Vec::new(), outcome: Outcome::Flag, may_leave: None };
    let mut facts = calls(&[], &[], none);
    let signature = Signature { params: params.to_vec(), results: results.to_vec() };
    if let Some(component) = &mut facts.component {
        component.intrinsics = vec![Intrinsic { number: 0, signature, operation }];
    }
    proved(&facts, Border::Intrinsic(0), &[], |a| body(a).map(|()| Vec::new())).is_ok()
}

#[test]
fn intrinsics_reach_what_they_are_for_and_nothing_else() {
    let read = |slot| Operation::Slot { slot, writes: false };
    let get: Part = |a| {
        a.mov(rax, qword_ptr(rsi + STORE))?;
        a.mov(eax, dword_ptr(rax + SLOT))?;
        a.ret()
    };
    assert!(intrinsic(&[], &[I32], read(0), get));
    assert!(!intrinsic(&[], &[I32], read(1), get));
    assert!(!intrinsic(&[], &[I32], Operation::Slot { slot: 0, writes: true }, get));
    assert!(!intrinsic(&[], &[I32], Operation::StoreData, get));
    let set: Part = |a| {
        a.mov(rax, qword_ptr(rsi + STORE))?;
        a.mov(dword_ptr(rax + SLOT + 4), edx)?;
        a.ret()
    };
    assert!(intrinsic(&[I32], &[], Operation::Slot { slot: 1, writes: true }, set));
    assert!(!intrinsic(&[I32], &[], Operation::Slot { slot: 0, writes: true }, set));
    assert!(!intrinsic(&[I32], &[], read(1), set));
    // Nobody else's field.
    let limit: Part = |a| {
        a.mov(rax, qword_ptr(rsi + STORE))?;
        a.mov(qword_ptr(rax + LIMIT), rdx)?;
        a.ret()
    };
    assert!(!intrinsic(&[I64], &[], Operation::Slot { slot: 1, writes: true }, limit));
}

#[test]
fn the_hosts_memory_is_for_intrinsics_of_that_width_alone() {
    let native = |bytes, writes| Operation::Native { bytes, writes, checked: false };
    let load: Part = |a| a.mov(eax, dword_ptr(rdx)).and_then(|()| a.ret());
    assert!(intrinsic(&[I64], &[I32], native(4, false), load));
    assert!(!intrinsic(&[I64], &[I32], native(2, false), load));
    assert!(!intrinsic(&[I64], &[I32], native(4, true), load));
    assert!(!intrinsic(&[I64], &[I32], Operation::Native { bytes: 4, writes: false, checked: true }, load));
    assert!(!intrinsic(&[I64], &[I32], Operation::StoreData, load));
    assert!(!intrinsic(&[I64], &[I32], native(4, false), |a| a.mov(eax, dword_ptr(rdx + 4)).and_then(|()| a.ret())));
    assert!(!intrinsic(&[I64], &[I32], native(4, false), |a| a.mov(eax, dword_ptr(rsi)).and_then(|()| a.ret())));
    assert!(intrinsic(&[I64, I32], &[], native(1, true), |a| a.mov(byte_ptr(rdx), cl).and_then(|()| a.ret())));
}

#[test]
fn an_intrinsic_does_not_go_on_behind_a_trap() {
    let with = |trap: Part| {
        intrinsic(&[I64], &[I32], Operation::Native { bytes: 4, writes: false, checked: false }, |a| {
            begin(a, 16)?;
            leave_wasm(a)?;
            a.mov(qword_ptr(rbp - 8), rsi)?;
            trap(a)?;
            a.xor(eax, eax)?;
            a.leave()?;
            a.ret()
        })
    };
    assert!(with(NOTHING));
    assert!(with(trap));
    assert!(!with(record_trap));
}

fn checked(least: fn(&mut CodeAssembler, CodeLabel) -> Code, most: fn(&mut CodeAssembler, CodeLabel) -> Code) -> bool {
    let none = HostCall { callee: Callee::Libcall(0), arguments: Vec::new(), outcome: Outcome::Flag, may_leave: None };
    let mut facts = calls(&[], &[], none);
    let signature = Signature { params: vec![I64; 3], results: vec![I32] };
    let operation = Operation::Native { bytes: 4, writes: false, checked: true };
    if let Some(component) = &mut facts.component {
        component.intrinsics = vec![Intrinsic { number: 0, signature, operation }];
    }
    let result = proved(&facts, Border::Intrinsic(0), &[], |a| {
        let mut outside = a.create_label();
        begin(a, 16)?;
        leave_wasm(a)?;
        a.mov(qword_ptr(rbp - 8), rsi)?;
        least(a, outside)?;
        most(a, outside)?;
        a.mov(eax, dword_ptr(rdx + rcx))?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut outside)?;
        trap(a)?;
        Ok(Vec::new())
    });
    result.is_ok()
}

#[test]
fn a_checked_access_is_within_the_length_that_it_is_given() {
    let least: fn(&mut CodeAssembler, CodeLabel) -> Code = |a, outside| a.cmp(r8, 4).and_then(|()| a.jb(outside));
    let most: fn(&mut CodeAssembler, CodeLabel) -> Code = |a, outside| {
        a.lea(r8, qword_ptr(r8 - 4))?;
        a.cmp(rcx, r8)?;
        a.ja(outside)
    };
    assert!(checked(least, most));
    assert!(!checked(|_, _| Ok(()), most));
    assert!(!checked(least, |_, _| Ok(())));
    assert!(!checked(|a, outside| a.cmp(r8, 3).and_then(|()| a.jb(outside)), most));
    assert!(!checked(|a, outside| a.cmp(r8, 4).and_then(|()| a.ja(outside)), most));
    assert!(!checked(least, |a, outside| a.cmp(rcx, r8).and_then(|()| a.ja(outside))));
    assert!(!checked(least, |a, outside| {
        a.lea(r8, qword_ptr(r8 - 3))?;
        a.cmp(rcx, r8)?;
        a.ja(outside)
    }));
    assert!(!checked(least, |a, outside| {
        a.lea(r8, qword_ptr(r8 - 4))?;
        a.cmp(rcx, r8)?;
        a.jg(outside)
    }));
}
