//! Divisions where no fault is a trap: whatever could make them fault has been looked for.

use super::*;
use crate::proof::Cause;

/// Proves a division of the first argument by the second, where faults may not be used, behind some checks. A register
/// that is none of theirs has 1.
fn divide(
    ty: ValueType,
    checks: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code,
    division: impl FnOnce(&mut CodeAssembler) -> Code,
) -> Result<(), &'static str> {
    let mut facts = facts(&[ty, ty], &[]);
    facts.settings.hardware_traps = false;
    let function = |a: &mut CodeAssembler, exit: CodeLabel| {
        let mut trap = a.create_label();
        enter(a)?;
        limit(a, trap)?;
        a.mov(rax, rdx)?;
        a.mov(r8d, 1)?;
        checks(a, trap)?;
        division(a)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.mov(rdi, r15)?;
        a.xor(esi, esi)?;
        a.call(exit)
    };
    let exit = crate::facts::Border::WasmToBuiltin(crate::facts::Builtin::Trap);
    prove_beside(&facts, Some(exit), function, |a| a.ret())
}

#[test]
fn a_divisor_is_not_zero() {
    fn unsigned(a: &mut CodeAssembler) -> Code {
        a.xor(edx, edx).and_then(|()| a.div(ecx))
    }
    fn unsigned64(a: &mut CodeAssembler) -> Code {
        a.xor(edx, edx).and_then(|()| a.div(rcx))
    }
    divide(I32, |a, trap| a.test(ecx, ecx).and_then(|()| a.je(trap)), unsigned).unwrap();
    divide(I64, |a, trap| a.test(ecx, ecx).and_then(|()| a.je(trap)), unsigned).unwrap();
    divide(I64, |a, trap| a.test(rcx, rcx).and_then(|()| a.je(trap)), unsigned64).unwrap();
    divide(I64, |a, trap| a.cmp(rcx, 0).and_then(|()| a.je(trap)), unsigned64).unwrap();
    divide(I32, |a, _| a.mov(ecx, 10), unsigned).unwrap();
    divide(I32, |_, _| Ok(()), unsigned).unwrap_err();
    divide(I32, |a, _| a.mov(ecx, 0), unsigned).unwrap_err();
    // The other arm, another register, half of it, another flag, written again, and one way of two.
    divide(I32, |a, trap| a.test(ecx, ecx).and_then(|()| a.jne(trap)), unsigned).unwrap_err();
    divide(I32, |a, trap| a.test(ecx, ecx).and_then(|()| a.js(trap)), unsigned).unwrap_err();
    divide(I32, |a, trap| a.test(eax, eax).and_then(|()| a.je(trap)), unsigned).unwrap_err();
    divide(I64, |a, trap| a.test(rcx, rcx).and_then(|()| a.je(trap)), unsigned).unwrap_err();
    divide(I32, |a, trap| a.test(cl, cl).and_then(|()| a.jne(trap)), unsigned).unwrap_err();
    divide(I64, |a, trap| a.test(ecx, ecx).and_then(|()| a.je(trap)).and_then(|()| a.add(ecx, 1)), unsigned)
        .unwrap_err();
    let other = |a: &mut CodeAssembler, trap: CodeLabel| {
        a.test(ecx, ecx)?;
        a.lea(ecx, qword_ptr(rcx + 1))?;
        a.je(trap)
    };
    divide(I64, other, unsigned).unwrap_err();
    divide(I64, |a, trap| a.add(ecx, 1).and_then(|()| a.je(trap)), unsigned).unwrap();
    let sometimes = |a: &mut CodeAssembler, trap: CodeLabel| {
        let mut skip = a.create_label();
        a.test(eax, eax)?;
        a.je(skip)?;
        a.test(ecx, ecx)?;
        a.je(trap)?;
        a.set_label(&mut skip)?;
        a.nop()
    };
    divide(I64, sometimes, unsigned).unwrap_err();
    // The upper half of the dividend makes the quotient too large.
    divide(I32, |a, trap| a.test(ecx, ecx).and_then(|()| a.je(trap)), |a| a.mov(edx, 1).and_then(|()| a.div(ecx)))
        .unwrap_err();
}

#[test]
fn the_smallest_number_is_not_divided_by_minus_one() {
    type Check = fn(&mut CodeAssembler, CodeLabel) -> Code;
    fn signed(a: &mut CodeAssembler) -> Code {
        a.cdq().and_then(|()| a.idiv(ecx))
    }
    fn signed64(a: &mut CodeAssembler) -> Code {
        a.cqo().and_then(|()| a.idiv(rcx))
    }
    let narrow = |divisor: i32, not_equal: bool, smallest: i32, equal: Check| {
        let checks = |a: &mut CodeAssembler, trap: CodeLabel| {
            let mut fits = a.create_label();
            a.test(ecx, ecx)?;
            a.je(trap)?;
            a.cmp(ecx, divisor)?;
            if not_equal {
                a.jne(fits)?;
            }
            a.mov(r11d, smallest)?;
            a.cmp(eax, r11d)?;
            equal(a, trap)?;
            a.set_label(&mut fits)?;
            a.nop()
        };
        divide(I64, checks, signed)
    };
    narrow(-1, true, i32::MIN, |a, trap| a.je(trap)).unwrap();
    narrow(-1, true, i32::MIN, |_, _| Ok(())).unwrap_err();
    narrow(-1, true, i32::MIN, |a, trap| a.jne(trap)).unwrap_err();
    narrow(-1, true, i32::MIN + 1, |a, trap| a.je(trap)).unwrap_err();
    narrow(1, true, i32::MIN, |a, trap| a.je(trap)).unwrap_err();
    // Whatever the divisor is, if the dividend is not the smallest.
    narrow(-1, false, i32::MIN, |a, trap| a.je(trap)).unwrap();
    let wide = |smallest: i64, half: bool| {
        let checks = |a: &mut CodeAssembler, trap: CodeLabel| {
            let mut fits = a.create_label();
            a.test(rcx, rcx)?;
            a.je(trap)?;
            a.cmp(rcx, -1)?;
            a.jne(fits)?;
            a.mov(r11, smallest)?;
            if half {
                a.cmp(eax, r11d)?;
            } else {
                a.cmp(rax, r11)?;
            }
            a.je(trap)?;
            a.set_label(&mut fits)?;
            a.nop()
        };
        divide(I64, checks, signed64)
    };
    wide(i64::MIN, false).unwrap();
    wide(i64::MIN + (1 << 32), false).unwrap_err();
    wide(i64::MAX, false).unwrap_err();
    wide(0x8000_0000, false).unwrap_err();
    wide(0x8000_0000, true).unwrap_err();
    // -1 divides nothing; then it makes no difference what is divided, unless that changes or is not what is compared.
    let never = |a: &mut CodeAssembler, trap: CodeLabel| {
        a.test(ecx, ecx)?;
        a.je(trap)?;
        a.cmp(ecx, -1)?;
        a.je(trap)
    };
    divide(I64, never, signed).unwrap();
    divide(I64, never, |a| a.mov(ecx, dword_ptr(rbp - 8)).and_then(|()| signed(a))).unwrap_err();
    divide(I64, never, |a| a.add(ecx, 1).and_then(|()| signed(a))).unwrap_err();
    divide(I64, never, |a| a.cqo().and_then(|()| a.idiv(rcx))).unwrap_err();
    divide(I64, never, |a| a.cqo().and_then(|()| a.idiv(ecx))).unwrap_err();
    divide(I64, never, |a| a.xor(edx, edx).and_then(|()| a.idiv(ecx))).unwrap_err();
    divide(I64, never, |a| a.cdq().and_then(|()| a.add(eax, r8d)).and_then(|()| a.idiv(ecx))).unwrap_err();
    // Constants.
    divide(I32, |a, _| a.mov(ecx, 7), signed).unwrap();
    divide(I32, |a, _| a.mov(ecx, -7), signed).unwrap();
    divide(I32, |a, _| a.mov(ecx, -1), signed).unwrap_err();
    divide(I64, |a, _| a.mov(rcx, -1i64), signed64).unwrap_err();
    divide(I64, |a, _| a.mov(rcx, i64::MIN), signed64).unwrap();
    let smallest = |a: &mut CodeAssembler, trap: CodeLabel| {
        a.mov(ecx, -1)?;
        a.cmp(ecx, -1)?;
        a.jne(trap)?;
        a.cmp(eax, i32::MIN)?;
        a.je(trap)
    };
    divide(I32, smallest, signed).unwrap();
}

/// Where faults are traps, a division that may fault needs one, and one that may not needs none.
#[test]
fn a_division_that_is_known_not_to_fault_needs_no_trap() {
    let cause = |check: bool| {
        let (text, _) = assemble(|a| {
            enter(a)?;
            let mut out = a.create_label();
            a.mov(eax, edx)?;
            if check {
                a.test(ecx, ecx)?;
                a.je(out)?;
            }
            a.xor(edx, edx)?;
            a.div(ecx)?;
            a.set_label(&mut out)?;
            a.leave()?;
            a.ret()?;
            Ok(Vec::new())
        });
        let facts = facts(&[I32, I32], &[]);
        let tables = Tables { functions: vec![Range { start: 0, end: text.len() as u32 }], ..Tables::default() };
        let part = Prover::new(&facts, &text, &tables).unwrap().functions(0..1).unwrap();
        part.faults.iter().map(|fault| fault.cause).collect::<Vec<_>>()
    };
    assert_eq!(cause(false), [Cause::Division]);
    assert_eq!(cause(true), [Cause::DivisionInBounds]);
}
