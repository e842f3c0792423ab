//! Ways out of the sandbox that the rules must not leave open, each as somebody would write it who is after one: by the
//! stack, by what was true before a call, by pointers into a region, by sums that wrap.

use super::*;
use crate::facts::{CallSite, Handler};
use iced_x86::code_asm::CodeAssembler;

const F: ValueType = ValueType::Func(FuncType { ty: Some(0), nullable: true });

/// Proves the second of two functions. Both are of the type; the first, which is called, takes 16 bytes.
fn prove_caller(
    facts: &Facts,
    change: impl FnOnce(&mut Tables, &[u32]),
    body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code,
    marks: impl FnOnce(&[u8]) -> Vec<u32>,
) -> Result<(), &'static str> {
    let mut facts = facts.clone();
    facts.functions = vec![facts.functions[0]; 2];
    let mut a = CodeAssembler::new(64).unwrap();
    let mut callee = a.create_label();
    a.set_label(&mut callee).unwrap();
    for _ in 0..16 {
        a.nop().unwrap();
    }
    body(&mut a, callee).unwrap();
    let text = a.assemble(0).unwrap();
    let functions = vec![Range { start: 0, end: 16 }, Range { start: 16, end: text.len() as u32 }];
    let mut tables = Tables { functions, ..Tables::default() };
    let marks = marks(&text);
    change(&mut tables, &marks);
    let prover = Prover::new(&facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    prover.functions(1..2).map(drop).map_err(|failure| failure.reason.0)
}

/// A frame of so many bytes, compared with the limit.
fn enter_checked(a: &mut CodeAssembler, frame: i32, trap: CodeLabel) -> Code {
    a.push(rbp)?;
    a.mov(rbp, rsp)?;
    a.sub(rsp, frame)?;
    a.mov(r11, qword_ptr(r15 + STORE))?;
    a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
    a.jb(trap)
}

fn no_change(_: &mut Tables, _: &[u32]) {}

fn no_marks(_: &[u8]) -> Vec<u32> {
    Vec::new()
}

/// Where each call of the text returns to.
fn returns(text: &[u8]) -> Vec<u32> {
    let decoder = iced_x86::Decoder::with_ip(64, text, 0, iced_x86::DecoderOptions::NONE);
    decoder.into_iter().filter(|i| i.is_call_near()).map(|i| i.next_ip() as u32).collect()
}

// ---- the stack

#[test]
fn a_push_is_a_store() {
    let push = |by: i32, back: i32| {
        prove(&[I64], &[], |a| {
            a.lea(rsp, qword_ptr(rsp + by))?;
            a.push(rdx)?;
            a.lea(rsp, qword_ptr(rsp + back))
        })
    };
    push(-8, 16).unwrap();
    // Into the caller's frame, or over the return address.
    push(32 + 16 + 64, -64 - 40).unwrap_err();
    push(32 + 16, -40).unwrap_err();
    // Far below the stack.
    prove(&[I64], &[], |a| (0..400).try_for_each(|_| a.push(rdx))).unwrap_err();
    prove(&[I64], &[], |a| (0..100).try_for_each(|_| a.push(rdx))).unwrap();
}

#[test]
fn a_comparison_with_the_limit_is_good_for_what_was_compared() {
    let store = |lower: i32| {
        prove(&[I64], &[], |a| {
            let mut trap = a.create_label();
            let mut done = a.create_label();
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
            a.jb(trap)?;
            a.lea(rsp, qword_ptr(rsp - lower))?;
            a.mov(qword_ptr(rsp), rdx)?;
            a.jmp(done)?;
            a.set_label(&mut trap)?;
            a.ud2()?;
            a.set_label(&mut done)?;
            a.nop()
        })
    };
    store(1024).unwrap();
    store(1 << 20).unwrap_err();
    store(0x7000_0000).unwrap_err();
}

#[test]
fn what_is_below_the_stack_pointer_is_forgotten() {
    let read = |between: fn(&mut CodeAssembler) -> Code| {
        prove(&[I64], &[I64], |a| {
            a.mov(qword_ptr(rsp), rdx)?;
            between(a)?;
            a.mov(rax, qword_ptr(rsp))
        })
    };
    read(|_| Ok(())).unwrap();
    read(|a| a.sub(rsp, 16).and_then(|()| a.add(rsp, 16))).unwrap();
    read(|a| a.add(rsp, 16).and_then(|()| a.sub(rsp, 16))).unwrap_err();
    read(|a| a.pop(rcx).and_then(|()| a.sub(rsp, 8))).unwrap_err();
    read(|a| a.add(rsp, 4096).and_then(|()| a.sub(rsp, 4096))).unwrap_err();
}

#[test]
fn a_loop_fills_the_words_that_it_fills_beside_a_result_area_too() {
    let read = |at: i32| {
        prove(&[], &[I64; 9], |a| {
            let mut again = a.create_label();
            a.xor(eax, eax)?;
            a.mov(qword_ptr(r10), rax)?;
            a.mov(r11, -16i64)?;
            a.set_label(&mut again)?;
            a.mov(dword_ptr(rbp + r11 - 16), 7)?;
            a.add(r11, 4)?;
            a.test(r11, r11)?;
            a.jne(again)?;
            for reg in [rcx, rdx, rsi, rdi, r8, r9, r10] {
                a.mov(reg, rax)?;
            }
            a.mov(rax, qword_ptr(rbp + at))
        })
    };
    read(-32).unwrap();
    read(-24).unwrap();
    read(-16).unwrap_err();
    read(-8).unwrap_err();
}

#[test]
fn a_call_leaves_nothing_of_what_was_passed_or_lay_below() {
    let facts = facts(&[I64, I64, I64, I64, I64, I64, F], &[I64]);
    let call = |read: fn(&mut CodeAssembler) -> Code| {
        prove_caller(
            &facts,
            no_change,
            |a, callee| {
                let trap = a.create_label();
                enter_checked(a, 64, trap)?;
                a.mov(rax, qword_ptr(rbp + 16))?;
                a.mov(qword_ptr(rsp), rax)?;
                a.mov(qword_ptr(rsp + 16), rax)?;
                a.mov(rcx, rdx)?;
                for reg in [r8, r9, rdi, rsi] {
                    a.mov(reg, rdx)?;
                }
                a.call(callee)?;
                a.sub(rsp, 16)?;
                read(a)?;
                a.leave()?;
                a.ret_1(16)?;
                let mut trap = trap;
                a.set_label(&mut trap)?;
                a.ud2()
            },
            no_marks,
        )
    };
    call(|a| a.mov(rdx, qword_ptr(rsp + 16)).and_then(|()| a.mov(edx, dword_ptr(rdx + 16)))).unwrap();
    call(|a| a.mov(rdx, qword_ptr(rsp)).and_then(|()| a.mov(edx, dword_ptr(rdx + 16)))).unwrap_err();
    call(|a| {
        // What is kept below while another is called.
        a.mov(rdx, qword_ptr(rsp + 16))?;
        a.mov(qword_ptr(rsp), rdx)?;
        a.add(rsp, 16)?;
        a.sub(rsp, 16)?;
        a.mov(rdx, qword_ptr(rsp))?;
        a.mov(edx, dword_ptr(rdx + 16))
    })
    .unwrap_err();
}

#[test]
fn a_pad_finds_neither_what_was_passed_nor_results() {
    // Six in registers, one on the stack; or eight results in registers and one in the area.
    let pad = |params: &[ValueType], results: &[ValueType], at: i32, area: Option<i32>| {
        let stack_args = if params.len() > 6 { 16 } else { 0 };
        prove_caller(
            &facts(params, results),
            |tables, marks| {
                let pad = marks[1] - 1;
                tables.calls = vec![CallSite { returns_to: marks[0], frame: 64, handlers: (0, 1) }];
                tables.handlers = vec![Handler { tag: None, context: Some(56), pad }];
            },
            |a, callee| {
                let mut trap = a.create_label();
                enter_checked(a, 64, trap)?;
                a.mov(qword_ptr(rbp - 8), r15)?;
                a.mov(qword_ptr(rsp + 32), rdx)?;
                if stack_args > 0 {
                    a.mov(rax, qword_ptr(rbp + 16))?;
                    a.mov(qword_ptr(rsp), rax)?;
                    a.mov(rcx, rdx)?;
                    for reg in [r8, r9, rdi, rsi] {
                        a.mov(reg, rdx)?;
                    }
                }
                if let Some(area) = area {
                    a.lea(r10, qword_ptr(rsp + area))?;
                }
                a.call(callee)?;
                a.set_label(&mut trap)?;
                a.ud2()?;
                // The pad, behind one byte that marks it for the test.
                a.nop()?;
                a.mov(rdx, qword_ptr(rsp + at))?;
                a.mov(edx, dword_ptr(rdx + 16))?;
                a.ud2()
            },
            |text| {
                let mut marks = returns(text);
                let nop = text.iter().rposition(|byte| *byte == 0x90).unwrap() as u32;
                marks.push(nop + 1);
                marks
            },
        )
    };
    // What the frame keeps is there: a reference that was stored before the call.
    pad(&[F], &[], 32, None).unwrap();
    pad(&[I64, I64, I64, I64, I64, I64, F], &[], 0, None).unwrap_err();
    pad(&[I64, I64, I64, I64, I64, I64, F], &[], 32, None).unwrap_err();
    pad(&[F], &[F; 9], 0, Some(0)).unwrap_err();
    pad(&[F], &[F; 9], 32, Some(32)).unwrap_err();
    pad(&[F], &[F; 9], 32, Some(0)).unwrap();
}

#[test]
fn the_area_of_results_is_the_callees_between_results_too() {
    let mut results = vec![I64; 8];
    results.extend([I64, ValueType::F32, ValueType::F32, ValueType::F32, ValueType::F32]);
    results.extend([ValueType::V128; 5]);
    let facts = facts(&[F], &results);
    let area = facts.types.len();
    assert_eq!(area, 1);
    // The area is a word, a word that is none, and a vector.
    let call = |at: i32| {
        prove_caller(
            &facts,
            no_change,
            |a, callee| {
                let mut trap = a.create_label();
                enter_checked(a, 64, trap)?;
                for at in [0, 8, 16, 24, 32] {
                    a.mov(qword_ptr(rsp + at), rdx)?;
                }
                a.mov(r10, rsp)?;
                a.call(callee)?;
                a.mov(rdx, qword_ptr(rsp + at))?;
                a.mov(edx, dword_ptr(rdx + 16))?;
                a.set_label(&mut trap)?;
                a.ud2()
            },
            no_marks,
        )
    };
    call(32).unwrap();
    for at in [0, 8, 16, 24] {
        call(at).unwrap_err();
    }
}

#[test]
fn a_bound_on_a_word_of_the_frame_ends_where_results_are_written() {
    let mut facts = facts(&[I32, I32], &[I64; 9]);
    facts.memories[0].unchecked_span = 0;
    facts.builtins = vec![(crate::facts::Builtin::MemoryFill, 0)];
    let fill = |slot: i32| {
        let mut exit = 0;
        prove_caller(
            &facts,
            |tables, marks| {
                tables.borders = vec![(
                    crate::facts::Border::WasmToBuiltin(crate::facts::Builtin::MemoryFill),
                    Range { start: marks[2], end: marks[2] + 1 },
                )];
                tables.functions[1].end = marks[2];
            },
            |a, callee| {
                let mut trap = a.create_label();
                let mut builtin = a.create_label();
                enter_checked(a, 96, trap)?;
                a.mov(qword_ptr(rbp - 8), rbx)?;
                a.mov(ebx, ecx)?;
                a.mov(dword_ptr(rsp + slot), edx)?;
                a.mov(eax, dword_ptr(rsp + slot))?;
                a.lea(rcx, qword_ptr(rax + rbx))?;
                a.cmp(rcx, qword_ptr(r15 + LENGTH))?;
                a.ja(trap)?;
                a.mov(r10, rsp)?;
                a.mov(ecx, ebx)?;
                a.call(callee)?;
                a.mov(eax, dword_ptr(rsp + slot))?;
                a.lea(rsi, qword_ptr(r14 + rax))?;
                a.mov(edx, 0)?;
                a.mov(rcx, rbx)?;
                a.mov(rdi, r15)?;
                a.call(builtin)?;
                a.set_label(&mut trap)?;
                a.ud2()?;
                a.set_label(&mut builtin)?;
                a.nop()
            },
            |text| {
                let mut marks = returns(text);
                exit = text.len() as u32 - 1;
                marks.push(exit);
                marks
            },
        )
    };
    fill(64).unwrap();
    fill(0).unwrap_err();
}

// ---- pointers and sums

/// Into the table, with a bound on two numbers together; then whatever is to be tried, with a pointer in `rsi`.
fn with_range(try_: impl FnOnce(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    prove(&[I32, I32], &[], |a| {
        let mut trap = a.create_label();
        let mut done = a.create_label();
        a.lea(rax, qword_ptr(rdx + rcx))?;
        a.cmp(rax, qword_ptr(r15 + COUNT))?;
        a.ja(trap)?;
        a.test(rcx, rcx)?;
        a.je(trap)?;
        a.mov(r8, qword_ptr(r15 + TABLE))?;
        try_(a)?;
        a.mov(rax, qword_ptr(rsi))?;
        a.jmp(done)?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        a.set_label(&mut done)?;
        a.nop()
    })
}

#[test]
fn a_pointer_is_not_before_its_region() {
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8))).unwrap();
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8 - 8))).unwrap_err();
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8 + 8))).unwrap_err();
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8)).and_then(|()| a.sub(rsi, 8))).unwrap_err();
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8)).and_then(|()| a.add(rsi, -8))).unwrap_err();
    with_range(|a| a.lea(rsi, qword_ptr(r8 + rdx * 8)).and_then(|()| a.lea(rsi, qword_ptr(rsi + rcx * 8 - 16))))
        .unwrap_err();
}

#[test]
fn a_register_that_is_twice_in_a_sum_counts_twice() {
    let fill = |by: i32| {
        with_range(|a| {
            let mut trap = a.create_label();
            let mut done = a.create_label();
            a.lea(rax, qword_ptr(rdx + rdx * 2))?;
            a.cmp(rax, qword_ptr(r15 + COUNT))?;
            a.jae(trap)?;
            // Twice three less are nine less, not three.
            a.add(rdx, by)?;
            a.lea(rsi, qword_ptr(r8 + rdx * 8))?;
            a.jmp(done)?;
            a.set_label(&mut trap)?;
            a.ud2()?;
            a.set_label(&mut done)?;
            a.nop()
        })
    };
    fill(0).unwrap();
    fill(1).unwrap_err();
}

#[test]
fn no_carry_of_what_is_negative_is_no_bound() {
    let access = |add: i32, jump: fn(&mut CodeAssembler, CodeLabel) -> Code, back: i32| {
        let mut facts = facts(&[I32, I32], &[I32]);
        facts.memories[0].unchecked_span = 0;
        facts.memories[0].mapped = 0;
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.lea(rax, qword_ptr(rdx + rcx))?;
            a.add(rax, add)?;
            jump(a, trap)?;
            a.lea(rax, qword_ptr(rax + back))?;
            a.cmp(rax, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            a.mov(eax, dword_ptr(r14 + rax - back))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    access(16, |a, trap| a.jb(trap), 64).unwrap();
    access(-4096, |a, trap| a.jb(trap), 4096).unwrap_err();
    access(-4096, |a, trap| a.jae(trap), 4096).unwrap_err();
}

// ---- others' registers, other calls

#[test]
fn the_caller_s_frame_pointer_goes_through_a_vector_register_as_it_is() {
    let through = |load: fn(&mut CodeAssembler) -> Code| {
        prove_with(&facts(&[I64], &[]), |a| {
            enter(a)?;
            a.movq(xmm15, rdx)?;
            load(a)?;
            a.mov(rsp, rbp)?;
            a.movq(rbp, xmm15)?;
            a.add(rsp, 8)?;
            a.ret()
        })
    };
    through(|a| a.movsd_2(xmm15, qword_ptr(rbp))).unwrap();
    through(|a| a.movq(xmm15, qword_ptr(rbp))).unwrap();
    // The lower half stays what it was, or becomes another number.
    through(|a| a.movhps(xmm15, qword_ptr(rbp))).unwrap_err();
    through(|a| a.sqrtsd(xmm15, qword_ptr(rbp))).unwrap_err();
    through(|a| a.cvtps2pd(xmm15, qword_ptr(rbp))).unwrap_err();
    through(|a| a.addsd(xmm15, qword_ptr(rbp))).unwrap_err();
    through(|a| a.movq(xmm15, qword_ptr(rbp)).and_then(|()| a.movq(xmm15, rdx))).unwrap_err();
}

#[test]
fn the_base_of_another_module_s_memory_is_given_back() {
    let mut facts = facts(&[], &[]);
    facts.memories.clear();
    facts.instance.retain(|field| !matches!(field.kind, InstanceField::MemoryBase(_) | InstanceField::MemoryLength(_)));
    facts.functions[0].escapes = true;
    // The entry by `Tail`, the body, and the thunk.
    let thunk = |keeps: bool| {
        let mut a = CodeAssembler::new(64).unwrap();
        let (mut entry, mut thunk) = (a.create_label(), a.create_label());
        // The long form of the jump.
        a.db(&[0xe9, 11, 0, 0, 0]).unwrap();
        a.set_label(&mut entry).unwrap();
        a.push(rbp).unwrap();
        a.mov(rbp, rsp).unwrap();
        a.xor(r14d, r14d).unwrap();
        a.leave().unwrap();
        a.ret().unwrap();
        a.nop().unwrap();
        a.nop().unwrap();
        a.set_label(&mut thunk).unwrap();
        a.push(rbp).unwrap();
        a.mov(rbp, rsp).unwrap();
        a.push(r15).unwrap();
        a.push(r14).unwrap();
        a.mov(r15, rdi).unwrap();
        a.call(entry).unwrap();
        if keeps {
            a.pop(r14).unwrap();
        } else {
            a.lea(rsp, qword_ptr(rsp + 8)).unwrap();
        }
        a.pop(r15).unwrap();
        a.pop(rbp).unwrap();
        a.ret().unwrap();
        let text = a.assemble(0).unwrap();
        let tables = Tables { functions: vec![Range { start: 0, end: 16 }], ..Tables::default() };
        crate::verify(&facts, &text, &tables).map(drop).map_err(|failure| failure.to_string())
    };
    thunk(true).unwrap();
    thunk(false).unwrap_err();
}

#[test]
fn a_call_by_memory_is_near() {
    let call = |far: bool| {
        prove_with(&facts(&[F], &[]), |a| {
            let mut trap = a.create_label();
            enter_checked(a, 32, trap)?;
            a.mov(rax, rdx)?;
            a.mov(rdi, qword_ptr(rax + 24))?;
            a.mov(rsi, r15)?;
            // `call [rax+8]`, and the same of an address and a segment.
            a.db(if far { &[0x48, 0xff, 0x58, 0x08] } else { &[0xff, 0x50, 0x08, 0x90] })?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    call(false).unwrap();
    call(true).unwrap_err();
}

// ---- what nothing wrote, and what may fault

#[test]
fn the_rest_of_a_register_is_not_used() {
    prove(&[I32], &[I32], |a| a.test(edx, edx).and_then(|()| a.sete(al)).and_then(|()| a.movzx(eax, al))).unwrap();
    prove(&[I32], &[I32], |a| {
        a.test(edx, edx)?;
        a.sete(al)?;
        a.cmovne(eax, edx)
    })
    .unwrap_err();
    let scan = |choose: fn(&mut CodeAssembler) -> Code| {
        prove(&[I32], &[I32], |a| {
            a.mov(ecx, 32)?;
            a.bsr(eax, edx)?;
            choose(a)
        })
    };
    scan(|a| a.cmove(eax, ecx)).unwrap();
    scan(|a| a.cmovne(eax, ecx)).unwrap_err();
    scan(|a| a.test(ecx, ecx).and_then(|()| a.cmove(eax, ecx))).unwrap_err();
    // Half of a word is read as a whole, and a part of it is chosen.
    prove(&[I32], &[I32], |a| {
        a.mov(dword_ptr(rbp - 4), edx)?;
        a.mov(rax, qword_ptr(rbp - 8))?;
        a.cmove(eax, edx)
    })
    .unwrap_err();
}

#[test]
fn a_division_that_needs_no_trap_cannot_fault() {
    use crate::proof::Cause;
    let divide = |body: fn(&mut CodeAssembler) -> Code| {
        let facts = facts(&[I32], &[I32]);
        let mut a = CodeAssembler::new(64).unwrap();
        enter(&mut a).unwrap();
        a.mov(eax, edx).unwrap();
        body(&mut a).unwrap();
        a.leave().unwrap();
        a.ret().unwrap();
        let text = a.assemble(0).unwrap();
        let tables = Tables { functions: vec![Range { start: 0, end: text.len() as u32 }], ..Tables::default() };
        let prover = Prover::new(&facts, &text, &tables).unwrap();
        let proof = prover.finish(vec![prover.functions(0..1).unwrap()]).unwrap();
        proof.faults[0].cause
    };
    let harmless = Cause::DivisionInBounds;
    assert_eq!(divide(|a| a.mov(ecx, 7).and_then(|()| a.cdq()).and_then(|()| a.idiv(ecx))), harmless);
    assert_eq!(divide(|a| a.mov(ecx, 7).and_then(|()| a.xor(edx, edx)).and_then(|()| a.div(ecx))), harmless);
    let fault = Cause::Division;
    assert_eq!(divide(|a| a.mov(ecx, 0).and_then(|()| a.cdq()).and_then(|()| a.idiv(ecx))), fault);
    assert_eq!(divide(|a| a.mov(ecx, -1).and_then(|()| a.cdq()).and_then(|()| a.idiv(ecx))), fault);
    assert_eq!(divide(|a| a.mov(ecx, 7).and_then(|()| a.idiv(ecx))), fault);
    assert_eq!(divide(|a| a.mov(ecx, 7).and_then(|()| a.div(ecx))), fault);
    let changed = |a: &mut CodeAssembler| {
        a.mov(ecx, 7)?;
        a.cdq()?;
        a.mov(eax, ecx)?;
        a.idiv(ecx)
    };
    assert_eq!(divide(changed), fault);
}

#[test]
fn an_operand_that_must_be_aligned_is() {
    let facts = |a: fn(&mut CodeAssembler) -> Code| prove(&[I32], &[], a);
    facts(|a| a.movups(xmm0, xmmword_ptr(r14 + rdx + 4))).unwrap();
    facts(|a| a.movaps(xmm0, xmmword_ptr(r14 + rdx + 4))).unwrap_err();
    facts(|a| a.vmovdqa(xmm0, xmmword_ptr(r14 + rdx))).unwrap_err();
    facts(|a| a.pxor(xmm0, xmm0).and_then(|()| a.paddd(xmm0, xmmword_ptr(r14 + rdx)))).unwrap_err();
    facts(|a| a.vpxor(xmm0, xmm0, xmm0).and_then(|()| a.vpaddd(xmm0, xmm0, xmmword_ptr(r14 + rdx)))).unwrap();
}

#[test]
fn routines_do_not_call_themselves() {
    let facts = facts(&[], &[]);
    let call = |again: bool| {
        let mut a = CodeAssembler::new(64).unwrap();
        let mut routine = a.create_label();
        let mut trap = a.create_label();
        enter_checked(&mut a, 32, trap).unwrap();
        a.call(routine).unwrap();
        a.leave().unwrap();
        a.ret().unwrap();
        a.set_label(&mut trap).unwrap();
        a.ud2().unwrap();
        a.set_label(&mut routine).unwrap();
        a.push(rbp).unwrap();
        a.mov(rbp, rsp).unwrap();
        if again {
            a.call(routine).unwrap();
        }
        a.xor(eax, eax).unwrap();
        a.pop(rbp).unwrap();
        a.ret().unwrap();
        let text = a.assemble(0).unwrap();
        let end = text.len() as u32 - if again { 13 } else { 8 };
        let tables = Tables { functions: vec![Range { start: 0, end }], ..Tables::default() };
        crate::verify(&facts, &text, &tables).map(drop).map_err(|failure| failure.reason.0)
    };
    call(false).unwrap();
    assert_eq!(call(true), Err("routines that call each other without end"));
}

#[test]
fn an_exit_is_recorded_on_every_path() {
    use crate::facts::Border;
    const FRAME: i32 = 64;
    const BACK: i32 = 72;
    let mut facts = facts(&[I64], &[]);
    facts.layouts.host_function = 40;
    for (offset, kind) in [(FRAME, StoreField::ExitFramePointer), (BACK, StoreField::ExitReturnAddress)] {
        facts.store.push(Field { offset: offset as u32, width: 8, kind });
    }
    let exit = |skip: [bool; 2]| {
        let mut a = CodeAssembler::new(64).unwrap();
        a.ud2().unwrap();
        enter(&mut a).unwrap();
        a.mov(r11, qword_ptr(rsi + STORE)).unwrap();
        a.mov(rax, qword_ptr(rbp + 8)).unwrap();
        for (skip, field, what) in [(skip[0], FRAME, rbp), (skip[1], BACK, rax)] {
            let mut over = a.create_label();
            if skip {
                a.test(rdx, rdx).unwrap();
                a.je(over).unwrap();
            }
            a.mov(qword_ptr(r11 + field), what).unwrap();
            a.set_label(&mut over).unwrap();
            a.nop().unwrap();
        }
        a.mov(qword_ptr(rsp), rdx).unwrap();
        a.mov(rdx, rsp).unwrap();
        a.mov(ecx, 1).unwrap();
        a.call(qword_ptr(rdi + 40)).unwrap();
        a.ud2().unwrap();
        let text = a.assemble(0).unwrap();
        let tables = Tables {
            functions: vec![Range { start: 0, end: 2 }],
            borders: vec![(Border::WasmToArray(0), Range { start: 2, end: text.len() as u32 })],
            ..Tables::default()
        };
        crate::verify(&facts, &text, &tables).map(drop).map_err(|failure| failure.reason.0)
    };
    exit([false, false]).unwrap();
    exit([true, false]).unwrap_err();
    exit([false, true]).unwrap_err();
}
