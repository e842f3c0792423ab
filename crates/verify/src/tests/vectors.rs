//! What is above a single number in a vector register is what was there, which is nobody's to read unless the module
//! wrote it.

use super::*;
use ValueType::{F32, F64, V128};

type Body = fn(&mut CodeAssembler) -> Code;

/// Proves a function that takes an integer, two floats, a double and a vector in xmm0 and on, and whose frame has room.
fn takes(body: Body) -> Result<(), &'static str> {
    prove(&[I32, F32, F64, V128], &[], body)
}

/// Proves the same for one that gives what is in xmm0 as such a value.
fn gives(ty: ValueType, body: Body) -> Result<(), &'static str> {
    prove(&[I32, F32, F64, V128], &[ty], body)
}

#[test]
fn an_argument_is_as_wide_as_its_type() {
    takes(|a| a.movss(dword_ptr(r14 + rdx), xmm0)).unwrap();
    takes(|a| a.movsd_2(qword_ptr(r14 + rdx), xmm0)).unwrap_err();
    takes(|a| a.movsd_2(qword_ptr(r14 + rdx), xmm1)).unwrap();
    takes(|a| a.movups(xmmword_ptr(r14 + rdx), xmm1)).unwrap_err();
    takes(|a| a.movups(xmmword_ptr(r14 + rdx), xmm2)).unwrap();
    takes(|a| a.movups(xmmword_ptr(r14 + rdx), xmm3)).unwrap_err();
    gives(F32, |_| Ok(())).unwrap();
    gives(F64, |_| Ok(())).unwrap_err();
    gives(F64, |a| a.movaps(xmm0, xmm1)).unwrap();
    gives(V128, |a| a.movaps(xmm0, xmm1)).unwrap_err();
    gives(V128, |a| a.movaps(xmm0, xmm2)).unwrap();
}

#[test]
fn instructions_for_single_numbers_leave_the_rest() {
    // Of a register of which nothing is known.
    for single in [
        (|a| a.cvtsi2sd(xmm0, rdx)) as Body,
        |a| a.cvtss2sd(xmm0, xmm0),
        |a| a.sqrtsd(xmm0, xmm1),
        |a| a.roundsd(xmm0, xmm1, 3),
        |a| a.movsd_2(xmm0, xmm1),
        |a| a.vcvtsi2sd(xmm0, xmm3, rdx),
        |a| a.vsqrtsd(xmm0, xmm3, xmm1),
        |a| a.vaddsd(xmm0, xmm1, xmm1),
        |a| a.vmovsd_3(xmm0, xmm1, xmm1),
    ] {
        gives(F64, single).unwrap();
        gives(V128, single).unwrap_err();
    }
    for single in [(|a| a.cvtsi2ss(xmm3, edx).and_then(|()| a.movaps(xmm0, xmm3))) as Body, |a| a.cvtsd2ss(xmm0, xmm1)]
    {
        gives(F32, single).unwrap();
        gives(F64, single).unwrap_err();
    }
    // Of one of which all is known.
    for single in [
        (|a| a.movaps(xmm0, xmm2).and_then(|()| a.cvtsi2sd(xmm0, rdx))) as Body,
        |a| a.movaps(xmm0, xmm2).and_then(|()| a.addsd(xmm0, xmm1)),
        |a| a.movaps(xmm0, xmm2).and_then(|()| a.movss(xmm0, xmm0)),
        |a| a.vcvtsi2sd(xmm0, xmm2, rdx),
        |a| a.vaddsd(xmm0, xmm2, xmm1),
        |a| a.vsqrtsd(xmm0, xmm2, xmm1),
    ] {
        gives(V128, single).unwrap();
    }
    // What is read is known.
    gives(F64, |a| a.addsd(xmm0, xmm1)).unwrap_err();
    gives(F64, |a| a.sqrtsd(xmm0, xmm3)).unwrap_err();
    gives(F64, |a| a.vaddsd(xmm0, xmm3, xmm1)).unwrap_err();
    takes(|a| a.cvttsd2si(rax, xmm0)).unwrap_err();
    takes(|a| a.ucomisd(xmm1, xmm0)).unwrap_err();
    takes(|a| a.movq(rax, xmm0)).unwrap_err();
    takes(|a| a.movd(eax, xmm0)).unwrap();
}

#[test]
fn the_rest_is_made_known_by_what_writes_it() {
    for whole in [
        (|a| a.movddup(xmm0, xmm1)) as Body,
        |a| a.shufps(xmm0, xmm0, 0),
        |a| a.pshufd(xmm0, xmm1, 0x44),
        |a| a.movaps(xmm0, xmm1).and_then(|()| a.movlhps(xmm0, xmm1)),
        |a| a.movq(xmm0, xmm1),
        |a| a.movd(xmm0, edx),
        |a| a.vbroadcastss(xmm0, xmm0),
        |a| a.movaps(xmm0, xmm2).and_then(|()| a.insertps(xmm0, xmm1, 0x10)),
        |a| a.xorps(xmm0, xmm0),
    ] {
        gives(V128, whole).unwrap();
    }
    for part in [
        (|a| a.shufps(xmm0, xmm0, 1)) as Body,
        |a| a.pshufd(xmm0, xmm1, 2),
        |a| a.movddup(xmm0, xmm0),
        |a| a.movlhps(xmm0, xmm1),
        |a| a.movq(xmm0, xmm0),
        |a| a.paddd(xmm0, xmm2),
        |a| a.andps(xmm0, xmm2),
        |a| a.insertps(xmm0, xmm1, 0x10),
        |a| a.movaps(xmm0, xmm2).and_then(|()| a.insertps(xmm0, xmm1, 0x50)),
        |a| a.movaps(xmm0, xmm2).and_then(|()| a.movhps(qword_ptr(r14 + rdx), xmm1)),
    ] {
        gives(V128, part).unwrap_err();
    }
    gives(F32, |a| a.andps(xmm0, xmm2)).unwrap();
}

#[test]
fn the_frame_keeps_as_much_as_is_known() {
    let through = |ty: ValueType, store: Body| {
        prove(&[I32, F32, F64, V128], &[ty], |a| {
            store(a)?;
            a.movups(xmm0, xmmword_ptr(rbp - 16))
        })
    };
    through(F64, |a| a.movups(xmmword_ptr(rbp - 16), xmm1)).unwrap();
    through(V128, |a| a.movups(xmmword_ptr(rbp - 16), xmm1)).unwrap_err();
    through(F32, |a| a.movups(xmmword_ptr(rbp - 16), xmm0)).unwrap();
    through(F64, |a| a.movups(xmmword_ptr(rbp - 16), xmm0)).unwrap_err();
    through(V128, |a| a.movups(xmmword_ptr(rbp - 16), xmm2)).unwrap();
}
