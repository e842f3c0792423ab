//! What is known of sums: ranges that the host is given, and what guards against branches that were predicted wrongly.

use super::*;
use crate::facts::{Border, Builtin};
use crate::relate::{self, Key, Region, Sum, Term};

/// Proves a fill of the memory from the first argument on by as many bytes as the second says.
fn fill(
    check: fn(&mut CodeAssembler, CodeLabel) -> Code,
    pass: fn(&mut CodeAssembler) -> Code,
) -> Result<(), &'static str> {
    let function = |a: &mut CodeAssembler, exit: CodeLabel| {
        let mut trap = a.create_label();
        enter(a)?;
        limit(a, trap)?;
        check(a, trap)?;
        pass(a)?;
        a.mov(rdi, r15)?;
        a.xor(edx, edx)?;
        a.call(exit)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()
    };
    let facts = facts(&[I32, I32, I32], &[]);
    prove_beside(&facts, Some(Border::WasmToBuiltin(Builtin::MemoryFill)), function, |a| a.ret())
}

#[test]
fn ranges_for_the_host_are_compared_with_the_length() {
    fn sum(a: &mut CodeAssembler) -> Code {
        a.lea(rax, qword_ptr(rdx + rcx))
    }
    fn compare(a: &mut CodeAssembler) -> Code {
        sum(a).and_then(|()| a.cmp(rax, qword_ptr(r15 + LENGTH)))
    }
    let pointer = |a: &mut CodeAssembler| a.lea(rsi, qword_ptr(r14 + rdx));
    fill(|a, trap| compare(a).and_then(|()| a.ja(trap)), pointer).unwrap();
    fill(|a, trap| compare(a).and_then(|()| a.jb(trap)), pointer).unwrap_err();
    fill(|a, trap| compare(a).and_then(|()| a.jg(trap)), pointer).unwrap_err();
    fill(|a, trap| compare(a).and_then(|()| a.jne(trap)), pointer).unwrap_err();
    fill(|_, _| Ok(()), pointer).unwrap_err();
    // Another length, a sum that wraps, one that leaves out a part.
    fill(|a, trap| sum(a).and_then(|()| a.cmp(rax, qword_ptr(r15 + COUNT))).and_then(|()| a.ja(trap)), pointer)
        .unwrap_err();
    let wraps = |a: &mut CodeAssembler, trap: CodeLabel| {
        a.lea(eax, qword_ptr(rdx + rcx))?;
        a.cmp(rax, qword_ptr(r15 + LENGTH))?;
        a.ja(trap)
    };
    fill(wraps, pointer).unwrap_err();
    fill(|a, trap| a.cmp(rcx, qword_ptr(r15 + LENGTH)).and_then(|()| a.ja(trap)), pointer).unwrap_err();
    // Another count, another start, a byte further.
    let checked = |a: &mut CodeAssembler, trap: CodeLabel| compare(a).and_then(|()| a.ja(trap));
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + rdx)).and_then(|()| a.mov(ecx, r8d))).unwrap_err();
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + r8))).unwrap_err();
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + rdx + 1))).unwrap_err();
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + rdx - 1))).unwrap_err();
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + rdx * 2))).unwrap_err();
    fill(checked, |a| a.lea(rsi, qword_ptr(r14 + rdx)).and_then(|()| a.add(ecx, 1))).unwrap_err();
}

#[test]
fn whether_constants_carry_is_known() {
    let out_of_bounds = |left: i64, by: i32, jump: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        prove_with(&facts(&[], &[]), |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.mov(rax, left)?;
            a.add(rax, by)?;
            jump(a, trap)?;
            // No memory is below its base.
            a.mov(eax, dword_ptr(r14 - 8))?;
            a.set_label(&mut trap)?;
            a.leave()?;
            a.ret()
        })
    };
    out_of_bounds(-1, 2, |a, trap| a.jb(trap)).unwrap();
    out_of_bounds(-1, 0, |a, trap| a.jae(trap)).unwrap();
    out_of_bounds(1, 2, |a, trap| a.jae(trap)).unwrap();
    for (left, by) in [(-3, 2), (1, 2), (-1, 0), (i64::MAX, 2)] {
        out_of_bounds(left, by, |a, trap| a.jb(trap)).unwrap_err();
    }
    out_of_bounds(-1, 2, |a, trap| a.jae(trap)).unwrap_err();
    // What carries of a sum of a negative constant is not what wraps: that is not looked at.
    out_of_bounds(2, -1, |a, trap| a.jb(trap)).unwrap_err();
}

#[test]
fn elements_are_guarded_against_wrong_predictions() {
    let element = |guard: fn(&mut CodeAssembler) -> Code, index: AsmRegister64| {
        let mut facts = facts(&[I32], &[]);
        facts.settings.spectre = true;
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.cmp(rdx, qword_ptr(r15 + COUNT))?;
            a.jae(trap)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            guard(a)?;
            a.mov(rax, qword_ptr(rax + index * 8))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    fn zero(a: &mut CodeAssembler) -> Code {
        a.mov(r11d, 0)
    }
    element(|a| zero(a).and_then(|()| a.cmovb(r11, rdx)), r11).unwrap();
    element(|_| Ok(()), rdx).unwrap_err();
    element(|a| zero(a).and_then(|()| a.cmovb(r11, rdx)), rdx).unwrap_err();
    element(|a| zero(a).and_then(|()| a.cmovae(r11, rdx)), r11).unwrap_err();
    element(|a| zero(a).and_then(|()| a.cmovbe(r11, rdx)), r11).unwrap_err();
    element(|a| a.mov(r11d, 1).and_then(|()| a.cmovb(r11, rdx)), r11).unwrap_err();
    // Other flags by then.
    element(|a| a.xor(r11d, r11d).and_then(|()| a.cmovb(r11, rdx)), r11).unwrap_err();
    element(|a| zero(a).and_then(|()| a.cmp(rdx, rdx)).and_then(|()| a.cmovb(r11, rdx)), r11).unwrap_err();
}

#[test]
fn ends_are_guarded_against_wrong_predictions() {
    let load = |guard: fn(&mut CodeAssembler) -> Code, disp: i32| {
        let mut facts = facts(&[I32], &[I32]);
        facts.settings.spectre = true;
        (facts.memories[0].unchecked_span, facts.memories[0].mapped) = (0, 0);
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.lea(rcx, qword_ptr(rdx + 8))?;
            a.cmp(rcx, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            guard(a)?;
            a.mov(eax, dword_ptr(r14 + rcx + disp))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    load(|a| a.mov(r11d, 8).and_then(|()| a.cmova(rcx, r11)), -8).unwrap();
    load(|_| Ok(()), -8).unwrap_err();
    load(|a| a.mov(r11d, 4).and_then(|()| a.cmova(rcx, r11)), -8).unwrap_err();
    load(|a| a.mov(r11d, 4).and_then(|()| a.cmova(rcx, r11)), -4).unwrap();
    load(|a| a.mov(r11d, 8).and_then(|()| a.cmovbe(rcx, r11)), -8).unwrap_err();
    load(|a| a.mov(r11d, 8).and_then(|()| a.cmovb(rcx, r11)), -8).unwrap_err();
    load(|a| a.mov(r11d, 0).and_then(|()| a.cmova(rcx, r11)), -8).unwrap_err();
}

/// Where ways meet that do not go round, as much is known as on the one that knows least.
#[test]
fn an_index_is_below_the_greatest_of_its_bounds_where_ways_meet() {
    let element = |bounds: [u32; 3], last: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        let mut facts = facts(&[I32, I32], &[]);
        (facts.tables[0].minimum, facts.tables[0].fixed_length) = (100, Some(100));
        prove_with(&facts, |a| {
            let (mut trap, mut meet, mut second, mut third) =
                (a.create_label(), a.create_label(), a.create_label(), a.create_label());
            enter(a)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            a.cmp(edx, bounds[0])?;
            a.jae(second)?;
            a.jmp(meet)?;
            a.set_label(&mut second)?;
            a.cmp(edx, bounds[1])?;
            a.jae(third)?;
            a.jmp(meet)?;
            a.set_label(&mut third)?;
            a.cmp(edx, bounds[2])?;
            a.jae(trap)?;
            a.set_label(&mut meet)?;
            a.mov(rcx, qword_ptr(rax + rdx * 8))?;
            last(a, meet)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    element([50, 80, 100], |_, _| Ok(())).unwrap();
    element([50, 101, 90], |_, _| Ok(())).unwrap_err();
    element([50, 80, 101], |_, _| Ok(())).unwrap_err();
    // What goes round grows without end.
    let counts = |a: &mut CodeAssembler, meet: CodeLabel| {
        a.add(edx, 1)?;
        a.dec(r8d)?;
        a.jne(meet)
    };
    element([50, 80, 90], counts).unwrap_err();
}

/// No carry and no wrap say of a sum that it is no less than what was added, whatever that is.
#[test]
fn a_sum_of_a_length_and_a_constant_near_the_end_of_all_addresses_is_beyond_it() {
    let load = |constant: i64, with: AsmRegister64, jump: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        let mut facts = facts(&[I64], &[I32]);
        facts.memories[0] = Memory { index64: true, unchecked_span: 0, mapped: 0, minimum: 100, ..facts.memories[0] };
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.mov(rax, qword_ptr(r15 + LENGTH))?;
            a.mov(rcx, constant)?;
            a.add(rcx, rax)?;
            a.cmp(rcx, with)?;
            jump(a, trap)?;
            a.cmp(rcx, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            a.movzx(eax, word_ptr(r14 + rcx - 2))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    load(-0x56_f5d3_a66c_9f08, rax, |a, trap| a.jb(trap)).unwrap();
    load(-1, rax, |a, trap| a.jb(trap)).unwrap();
    load(-1, rdx, |a, trap| a.jb(trap)).unwrap_err();
    load(-1, rax, |a, trap| a.jae(trap)).unwrap_err();
    load(-1, rax, |a, trap| a.jl(trap)).unwrap_err();
    load(-1, rax, |_, _| Ok(())).unwrap_err();
    load(2, rax, |a, trap| a.jb(trap)).unwrap();
    load(1, rax, |a, trap| a.jb(trap)).unwrap_err();
}

/// What a routine goes over begins where a guest says.
#[test]
fn elements_in_routines_are_guarded_against_wrong_predictions() {
    let element = |spectre: bool, guard: fn(&mut CodeAssembler) -> Code, index: AsmRegister64| {
        let mut facts = facts(&[I32], &[]);
        facts.settings.spectre = spectre;
        let function = |a: &mut CodeAssembler, routine: CodeLabel| {
            let mut trap = a.create_label();
            enter(a)?;
            limit(a, trap)?;
            a.call(routine)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        };
        let routine = |a: &mut CodeAssembler| {
            let mut trap = a.create_label();
            enter(a)?;
            a.cmp(rdx, qword_ptr(r15 + COUNT))?;
            a.jae(trap)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            guard(a)?;
            a.mov(rax, qword_ptr(rax + index * 8))?;
            a.xor(eax, eax)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        };
        prove_beside(&facts, None, function, routine)
    };
    fn zero(a: &mut CodeAssembler) -> Code {
        a.mov(r11d, 0)
    }
    element(true, |a| zero(a).and_then(|()| a.cmovb(r11, rdx)), r11).unwrap();
    element(true, |_| Ok(()), rdx).unwrap_err();
    element(true, |a| zero(a).and_then(|()| a.cmovb(r11, rdx)), rdx).unwrap_err();
    element(true, |a| zero(a).and_then(|()| a.cmovae(r11, rdx)), r11).unwrap_err();
    element(true, |a| zero(a).and_then(|()| a.cmovbe(r11, rdx)), r11).unwrap_err();
    element(false, |_| Ok(()), rdx).unwrap();
}

/// What is known of a register is known of its copy, too, however much else is known.
#[test]
fn copies_are_followed_though_there_is_no_room_for_more() {
    let [count, from, to, copy, elsewhere] = [2u8, 6, 7, 1, 3];
    let sum = |keys: [Key; 2]| {
        keys.into_iter().try_fold(Sum::ZERO, |sum, key| sum.plus(Term { key, shift: 0 })).expect("two terms")
    };
    for others in 0..40 {
        let mut facts = relate::Facts::NONE;
        for other in 0..others {
            let sum = sum([Key::Reg(elsewhere), Key::Slot(8 * other)]);
            facts.add(relate::Fact { sum, region: Region::Memory(0), unit: 0, pointer: None });
        }
        for pointer in [from, to] {
            let sum = sum([Key::Reg(pointer), Key::Reg(count)]);
            facts.add(relate::Fact { sum, region: Region::Memory(0), unit: 0, pointer: Some(pointer) });
        }
        facts.moved(copy, count);
        facts.moved(count, from);
        facts.moved(from, to);
        for pointer in [count, from] {
            assert!(facts.has_range(pointer, Key::Reg(copy), |_| true), "{others} others");
        }
        assert!(!facts.has_range(to, Key::Reg(elsewhere), |_| true));
    }
}
