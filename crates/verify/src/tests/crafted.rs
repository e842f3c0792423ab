//! More ways out of the sandbox, found by reading the rules as whoever crafts an artifact would: what the host walks
//! when an instruction faults, words that two widths name, facts that survive where they hold on one way only, what is
//! left in r14.

use super::borders::{BUILTINS, ENTRY_FRAME, ENTRY_HANDLER, ENTRY_STACK, border, record, with_borders};
use super::*;
use crate::facts::{Border, Builtin, Collector, Gc};
use iced_x86::code_asm::CodeAssembler;

const GC_DATA: i32 = 80;
const F: ValueType = ValueType::Func(FuncType { ty: Some(0), nullable: true });

/// Proves a function that ends with a trap, between an entry with a checked frame of 64 bytes and a return; what it
/// calls is the exit to a builtin.
fn calling(
    facts: &Facts,
    builtin: Builtin,
    body: impl FnOnce(&mut CodeAssembler, CodeLabel, CodeLabel) -> Code,
) -> Result<(), &'static str> {
    let function = |a: &mut CodeAssembler, exit: CodeLabel| {
        let mut trap = a.create_label();
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        a.sub(rsp, 64)?;
        limit(a, trap)?;
        body(a, exit, trap)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()
    };
    prove_beside(facts, Some(Border::WasmToBuiltin(builtin)), function, |a| a.ret())
}

// ---- what faults

#[test]
fn where_an_instruction_may_fault_the_frame_pointer_leads_to_the_callers() {
    let fault = |before: fn(&mut CodeAssembler) -> Code, fault: fn(&mut CodeAssembler) -> Code| {
        prove(&[I64, I32], &[], |a| {
            a.mov(qword_ptr(rbp - 8), rbp)?;
            before(a)?;
            fault(a)?;
            a.mov(rbp, rsp)?;
            a.add(rbp, 32)
        })
    };
    let access = |a: &mut CodeAssembler| a.mov(eax, dword_ptr(r14 + rcx));
    let trap = |a: &mut CodeAssembler| a.ud2();
    let divide = |a: &mut CodeAssembler| a.xor(edx, edx).and_then(|()| a.mov(eax, ecx)).and_then(|()| a.div(ecx));
    for what in [access, trap, divide] {
        fault(|_| Ok(()), what).unwrap();
        fault(|a| a.mov(rbp, rdx), what).unwrap_err();
        fault(|a| a.xor(ebp, ebp), what).unwrap_err();
        fault(|a| a.mov(rbp, rsp), what).unwrap_err();
        fault(|a| a.mov(rbp, r14), what).unwrap_err();
        // The words that it leads by are others.
        fault(|a| a.mov(qword_ptr(rbp), rdx), what).unwrap_err();
        fault(|a| a.mov(qword_ptr(rbp + 8), rdx), what).unwrap_err();
    }
    // The frame of whoever called.
    prove_with(&facts(&[I64, I32], &[]), |a| a.mov(eax, dword_ptr(r14 + rcx)).and_then(|()| a.ret())).unwrap();
    prove_with(&facts(&[], &[]), |a| a.ud2()).unwrap();
}

#[test]
fn a_null_reference_is_one_of_a_function() {
    let read = |at: i32| prove(&[], &[], |a| a.xor(ecx, ecx).and_then(|()| a.mov(eax, dword_ptr(rcx + at))));
    read(8).unwrap();
    read(24).unwrap();
    read(25).unwrap_err();
    read(64).unwrap_err();
    read(4000).unwrap_err();
    read(-8).unwrap_err();
}

#[test]
fn what_lies_below_the_stack_is_not_even_read() {
    let read = |far: i32, read: fn(&mut CodeAssembler) -> Code| {
        prove(&[], &[], |a| {
            a.sub(rsp, far)?;
            read(a)?;
            a.add(rsp, far)
        })
    };
    for what in [
        |a: &mut CodeAssembler| a.mov(rax, qword_ptr(rsp)),
        |a: &mut CodeAssembler| a.movups(xmm0, xmmword_ptr(rsp)),
        |a: &mut CodeAssembler| a.pop(rax).and_then(|()| a.sub(rsp, 8)),
        |a: &mut CodeAssembler| a.lock().or(dword_ptr(rsp), 0),
    ] {
        read(64, what).unwrap();
        read(1 << 20, what).unwrap_err();
        read(1 << 28, what).unwrap_err();
    }
}

// ---- sums

/// Fills from `rsi` on as many bytes as `rcx` says.
fn fills(body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code) -> Result<(), &'static str> {
    calling(&facts(&[I64, I32, I32], &[]), Builtin::MemoryFill, |a, exit, trap| {
        body(a, trap)?;
        a.mov(rdi, r15)?;
        a.xor(edx, edx)?;
        a.call(exit)
    })
}

#[test]
fn half_a_word_of_the_frame_is_not_the_whole() {
    let fill = |again: fn(&mut CodeAssembler) -> Code| {
        fills(|a, trap| {
            a.mov(qword_ptr(rbp - 16), rdx)?;
            a.mov(eax, dword_ptr(rbp - 16))?;
            a.lea(r10, qword_ptr(rax + rcx))?;
            a.cmp(r10, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            again(a)?;
            a.lea(rsi, qword_ptr(r14 + rax))
        })
    };
    fill(|_| Ok(())).unwrap();
    fill(|a| a.mov(eax, dword_ptr(rbp - 16))).unwrap();
    fill(|a| a.mov(rax, qword_ptr(rbp - 16))).unwrap_err();
    fill(|a| a.mov(eax, dword_ptr(rbp - 12))).unwrap_err();
}

#[test]
fn what_is_known_of_a_sum_on_one_way_only_is_not_known_where_ways_meet() {
    let fill = |known: bool| {
        fills(|a, trap| {
            let (mut other, mut both) = (a.create_label(), a.create_label());
            a.mov(eax, edx)?;
            a.test(ecx, ecx)?;
            a.je(trap)?;
            // Of a sum that nobody asks about, so that something is known on either way.
            a.lea(r10, qword_ptr(r8 + r8))?;
            a.cmp(r10, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            a.test(edx, edx)?;
            a.je(other)?;
            a.lea(r10, qword_ptr(rax + rcx))?;
            a.cmp(r10, qword_ptr(r15 + LENGTH))?;
            a.ja(trap)?;
            a.add(rcx, 1)?;
            a.jmp(both)?;
            a.set_label(&mut other)?;
            if known {
                a.lea(r10, qword_ptr(rax + rcx))?;
                a.cmp(r10, qword_ptr(r15 + LENGTH))?;
                a.ja(trap)?;
            }
            a.add(rcx, 1)?;
            a.set_label(&mut both)?;
            a.sub(rcx, 1)?;
            a.lea(rsi, qword_ptr(r14 + rax))
        })
    };
    fill(true).unwrap();
    fill(false).unwrap_err();
}

#[test]
fn a_sum_of_bytes_bounds_no_index() {
    let mut numbers = facts(&[I32, I32], &[I32]);
    numbers.tables[0].element = ValueType::Gc;
    let element = |double: bool, index: fn(&mut CodeAssembler) -> Code| {
        prove_with(&numbers, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.test(rcx, rcx)?;
            a.je(trap)?;
            a.lea(r10, qword_ptr(rdx + rcx))?;
            a.cmp(r10, qword_ptr(r15 + COUNT))?;
            a.ja(trap)?;
            if double {
                a.shl(rcx, 1)?;
            }
            index(a)?;
            a.mov(r11, qword_ptr(r15 + TABLE))?;
            a.lea(r11, qword_ptr(r11 + rdx * 4))?;
            a.mov(eax, dword_ptr(r11))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    element(false, |_| Ok(())).unwrap();
    element(true, |a| a.shl(rdx, 2)).unwrap_err();
    element(false, |a| a.shl(rdx, 2)).unwrap_err();
}

// ---- r14 where there is no memory

#[test]
fn no_register_keeps_what_a_call_ends() {
    let mut objects = facts(&[I32], &[]);
    objects.memories.clear();
    objects
        .instance
        .retain(|field| !matches!(field.kind, InstanceField::MemoryBase(_) | InstanceField::MemoryLength(_)));
    objects.instance.push(Field { offset: GC_DATA as u32, width: 8, kind: InstanceField::GcData });
    let data = [Some((0, true)), Some((4, false)), None, None];
    objects.gc = Some(Gc {
        unchecked_span: 0,
        heap_may_move: true,
        data,
        collector: Collector::Copying,
        kind_bits: 0,
        kinds: [0; 3],
    });
    let bump = |keep: AsmRegister64, calls: bool| {
        calling(&objects, Builtin::GcCollect, |a, exit, trap| {
            a.mov(qword_ptr(rbp - 8), rbx)?;
            a.mov(r11, qword_ptr(r15 + GC_DATA))?;
            a.mov(eax, dword_ptr(r11))?;
            a.mov(ecx, dword_ptr(r11 + 4))?;
            a.sub(rcx, rax)?;
            a.cmp(rcx, 16)?;
            a.jb(trap)?;
            a.lea(keep, qword_ptr(rax + 16))?;
            if calls {
                a.mov(rdi, r15)?;
                a.call(exit)?;
            }
            a.mov(r11, qword_ptr(r15 + GC_DATA))?;
            a.mov(dword_ptr(r11), if keep == r14 { r14d } else { ebx })?;
            a.mov(rbx, qword_ptr(rbp - 8))
        })
    };
    bump(rbx, false).unwrap();
    bump(rbx, true).unwrap_err();
    bump(r14, false).unwrap();
    bump(r14, true).unwrap_err();
}

/// A module with a segment of function references.
fn segments() -> Facts {
    let mut facts = facts(&[I32], &[F]);
    facts.elements = vec![F];
    facts.element_counts = vec![8];
    facts
}

#[test]
fn a_segment_is_as_long_as_it_was_only_until_others_run() {
    // Its length, something else, its base, and an element.
    let read = |between: u8, keep: AsmRegister64| {
        let mut facts = segments();
        if keep == r14 {
            facts.memories.clear();
        }
        let (text, places) = assemble(|a| {
            let (mut own, mut trap) = (a.create_label(), a.create_label());
            let mut exits = [a.create_label(), a.create_label(), a.create_label()];
            a.set_label(&mut own)?;
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 64)?;
            limit(a, trap)?;
            a.mov(qword_ptr(rbp - 8), rbx)?;
            a.mov(qword_ptr(rbp - 16), r12)?;
            a.mov(r12d, edx)?;
            a.mov(rdi, r15)?;
            a.xor(esi, esi)?;
            a.call(exits[0])?;
            a.mov(keep, rax)?;
            match between {
                0 => {}
                1 => a.mov(edx, r12d).and_then(|()| a.call(own))?,
                _ => {
                    a.mov(rdi, r15)?;
                    a.xor(esi, esi)?;
                    a.call(exits[2])?;
                }
            }
            a.mov(rdi, r15)?;
            a.xor(esi, esi)?;
            a.call(exits[1])?;
            a.mov(r8d, 1)?;
            a.lea(r10, qword_ptr(r12 + r8))?;
            a.cmp(r10, keep)?;
            a.ja(trap)?;
            a.mov(ecx, r12d)?;
            a.shl(rcx, 4)?;
            a.lea(rax, qword_ptr(rax + rcx))?;
            a.mov(rax, qword_ptr(rax))?;
            a.mov(rbx, qword_ptr(rbp - 8))?;
            a.mov(r12, qword_ptr(rbp - 16))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()?;
            for exit in &mut exits {
                a.set_label(exit)?;
                a.ud2()?;
            }
            Ok(exits.to_vec())
        });
        let builtins = [Builtin::ElemLength, Builtin::ElemBase, Builtin::ElemDrop];
        let borders = builtins
            .into_iter()
            .zip(&places)
            .map(|(builtin, &start)| (Border::WasmToBuiltin(builtin), Range { start, end: start + 2 }))
            .collect();
        let functions = vec![Range { start: 0, end: places[0] }];
        let tables = Tables { functions, borders, ..Tables::default() };
        let prover = Prover::new(&facts, &text, &tables).unwrap();
        prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
    };
    for keep in [rbx, r14] {
        read(0, keep).unwrap();
        read(1, keep).unwrap_err();
        read(2, keep).unwrap_err();
    }
}

// ---- routines

#[test]
fn a_loop_over_a_routine_without_a_frame_is_no_fill() {
    let call = |routine: fn(&mut CodeAssembler) -> Code| {
        let function = |a: &mut CodeAssembler, routine: CodeLabel| {
            let (mut trap, mut again) = (a.create_label(), a.create_label());
            enter(a)?;
            limit(a, trap)?;
            a.mov(r11, -8i64)?;
            a.set_label(&mut again)?;
            a.call(routine)?;
            a.add(r11, 4)?;
            a.test(r11, r11)?;
            a.jne(again)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        };
        prove_beside(&facts(&[I64], &[]), None, function, |a| routine(a).and_then(|()| a.ret()))
    };
    call(|a| a.xor(eax, eax)).unwrap();
    call(|a| a.mov(dword_ptr(rbp + r11 - 8), 7).and_then(|()| a.mov(r15, rdx))).unwrap_err();
    call(|a| a.mov(dword_ptr(rbp + r11 - 8), 7).and_then(|()| a.mov(rbx, rdx))).unwrap_err();
}

#[test]
fn a_routine_does_not_change_what_it_was_passed_on_the_stack() {
    let objects = || {
        let mut facts = facts(&[I32], &[I32]);
        facts.store.push(Field { offset: 32, width: 8, kind: StoreField::HeapBase });
        facts.store.push(Field { offset: 40, width: 8, kind: StoreField::HeapLength });
        facts.gc = Some(Gc {
            unchecked_span: 0,
            heap_may_move: true,
            data: [None; 4],
            collector: Collector::Counting,
            kind_bits: 0,
            kinds: [0; 3],
        });
        facts
    };
    let call = |body: fn(&mut CodeAssembler) -> Code| {
        let function = |a: &mut CodeAssembler, routine: CodeLabel| {
            let mut trap = a.create_label();
            enter(a)?;
            limit(a, trap)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(r11, qword_ptr(r11 + 40))?;
            a.sub(r11, 20)?;
            a.cmp(r11, rdx)?;
            a.jl(trap)?;
            a.mov(qword_ptr(rsp), rdx)?;
            a.mov(qword_ptr(rsp + 8), rdx)?;
            a.call(routine)?;
            a.mov(rdx, qword_ptr(rsp))?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(r11, qword_ptr(r11 + 32))?;
            a.mov(eax, dword_ptr(r11 + rdx + 4))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        };
        prove_beside(&objects(), None, function, |a| {
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            body(a)?;
            a.leave()?;
            a.ret()
        })
    };
    call(|a| a.mov(rax, qword_ptr(rbp + 16))).unwrap();
    call(|a| a.mov(rax, -1i64).and_then(|()| a.mov(qword_ptr(rbp + 16), rax))).unwrap_err();
}

#[test]
fn whether_a_type_is_a_subtype_is_said_in_32_bits() {
    let any = ValueType::Func(FuncType { ty: None, nullable: true });
    let call = |test: fn(&mut CodeAssembler) -> Code| {
        calling(&facts(&[any], &[]), Builtin::IsSubtype, |a, exit, trap| {
            a.mov(qword_ptr(rbp - 8), rbx)?;
            a.mov(rbx, rdx)?;
            a.mov(esi, dword_ptr(rbx + 16))?;
            a.mov(rcx, qword_ptr(r15 + TYPE_IDS))?;
            a.mov(edx, dword_ptr(rcx))?;
            a.mov(rdi, r15)?;
            a.call(exit)?;
            test(a)?;
            a.je(trap)?;
            a.mov(rdi, qword_ptr(rbx + 24))?;
            a.mov(rsi, r15)?;
            a.mov(rdx, rbx)?;
            a.mov(rax, qword_ptr(rbx + 8))?;
            a.call(rax)?;
            a.mov(rbx, qword_ptr(rbp - 8))
        })
    };
    call(|a| a.test(eax, eax)).unwrap();
    call(|a| a.cmp(eax, 0)).unwrap();
    call(|a| a.test(rax, rax)).unwrap_err();
    call(|a| a.cmp(rax, 0)).unwrap_err();
    call(|_| Ok(())).unwrap_err();
}

// ---- what a module learns of addresses

#[test]
fn addresses_are_compared_with_nothing_that_tells_where_they_are() {
    let compare = |body: fn(&mut CodeAssembler) -> Code| {
        prove(&[F], &[I32], |a| {
            a.xor(eax, eax)?;
            body(a)?;
            a.setb(al)
        })
    };
    compare(|a| a.test(rdx, rdx)).unwrap();
    compare(|a| a.cmp(rdx, 0)).unwrap();
    compare(|a| a.cmp(rdx, 0x7fff_0000)).unwrap_err();
    compare(|a| a.mov(rcx, 0x7fff_1234_5678u64).and_then(|()| a.cmp(rdx, rcx))).unwrap_err();
}

#[test]
fn half_of_an_address_does_not_become_a_number_with_the_other() {
    let read = |merge: fn(&mut CodeAssembler) -> Code| {
        prove(&[I64], &[I64], |a| {
            a.movq(xmm0, rdx)?;
            a.movq(xmm15, qword_ptr(rbp))?;
            merge(a)?;
            a.movq(rax, xmm15)
        })
    };
    read(|a| a.movaps(xmm15, xmm0)).unwrap();
    read(|a| a.movq(xmm15, xmm0)).unwrap();
    read(|_| Ok(())).unwrap_err();
    read(|a| a.movss(xmm15, xmm0)).unwrap_err();
    read(|a| a.cvtsd2ss(xmm15, xmm0)).unwrap_err();
    read(|a| a.sqrtss(xmm15, xmm0)).unwrap_err();
    read(|a| a.cvtsi2ss(xmm15, edx)).unwrap_err();
    read(|a| a.roundss(xmm15, xmm0, 0)).unwrap_err();
    // By way of another register.
    read(|a| a.movaps(xmm1, xmm15).and_then(|()| a.movss(xmm1, xmm0)).and_then(|()| a.movaps(xmm15, xmm1)))
        .unwrap_err();
    // Both words above the frame pointer, of which the second is the return address.
    let load = |load: fn(&mut CodeAssembler) -> Code| {
        prove(&[I64], &[I64], |a| {
            a.movq(xmm0, rdx)?;
            load(a)?;
            a.movss(xmm1, xmm0)?;
            a.pextrq(rax, xmm1, 1)
        })
    };
    load(|a| a.movaps(xmm1, xmm0)).unwrap();
    load(|a| a.movups(xmm1, xmmword_ptr(rbp))).unwrap_err();
    load(|a| a.mov(qword_ptr(rbp - 8), r15).and_then(|()| a.movups(xmm1, xmmword_ptr(rbp - 16)))).unwrap_err();
}

// ---- the border

#[test]
fn the_results_of_a_host_function_are_where_it_wrote_them() {
    let host = |after: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        border(&with_borders(&[I64], &[F]), Border::WasmToArray(0), |a, _| {
            let mut fail = a.create_label();
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 48)?;
            a.mov(r11, qword_ptr(rsi + STORE))?;
            record(a)?;
            a.mov(qword_ptr(rbp - 8), rsi)?;
            a.mov(qword_ptr(rbp - 16), rdi)?;
            a.mov(qword_ptr(rsp), rdx)?;
            a.mov(rdx, rsp)?;
            a.mov(ecx, 1)?;
            a.call(qword_ptr(rdi + 8))?;
            after(a, fail)?;
            a.mov(rax, qword_ptr(rsp))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut fail)?;
            a.mov(rdi, qword_ptr(rbp - 8))?;
            a.mov(rax, qword_ptr(rdi + BUILTINS as i32))?;
            a.call(qword_ptr(rax + 16))
        })
    };
    fn test(a: &mut CodeAssembler, fail: CodeLabel) -> Code {
        a.test(eax, 0xff)?;
        a.je(fail)
    }
    host(test).unwrap();
    host(|a, fail| a.mov(qword_ptr(rsp), 0x1234_5678).and_then(|()| test(a, fail))).unwrap_err();
    host(|a, fail| test(a, fail).and_then(|()| a.mov(qword_ptr(rsp), 0x1234_5678))).unwrap_err();
    // Called twice.
    host(|a, fail| {
        a.mov(rdi, qword_ptr(rbp - 16))?;
        a.mov(rsi, qword_ptr(rbp - 8))?;
        a.mov(qword_ptr(rsp), 1)?;
        a.mov(rdx, rsp)?;
        a.mov(ecx, 1)?;
        a.call(qword_ptr(rdi + 8))?;
        test(a, fail)
    })
    .unwrap_err();
}

#[test]
fn a_builtin_is_called_once() {
    let exit = |again: bool| {
        border(&with_borders(&[], &[]), Border::WasmToBuiltin(Builtin::MemoryGrow), |a, _| {
            let mut fail = a.create_label();
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 48)?;
            a.mov(qword_ptr(rbp - 8), rdi)?;
            for (reg, at) in [(rsi, 16), (rdx, 24), (rcx, 32), (r8, 40), (r9, 48)] {
                a.mov(qword_ptr(rbp - at), reg)?;
            }
            a.mov(r11, qword_ptr(rdi + STORE))?;
            record(a)?;
            for _ in 0..1 + usize::from(again) {
                a.mov(rdi, qword_ptr(rbp - 8))?;
                for (reg, at) in [(rsi, 16), (rdx, 24), (rcx, 32), (r8, 40), (r9, 48)] {
                    a.mov(reg, qword_ptr(rbp - at))?;
                }
                a.mov(rax, qword_ptr(rdi + BUILTINS as i32))?;
                a.call(qword_ptr(rax + 8))?;
            }
            a.cmp(rax, -2)?;
            a.je(fail)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut fail)?;
            a.mov(rdi, qword_ptr(rbp - 8))?;
            a.mov(rax, qword_ptr(rdi + BUILTINS as i32))?;
            a.call(qword_ptr(rax + 16))
        })
    };
    exit(false).unwrap();
    exit(true).unwrap_err();
}

#[test]
fn nothing_faults_in_an_entry_from_the_host() {
    let saved = [rbx, r12, r13, r14, r15];
    let entry = |body: fn(&mut CodeAssembler) -> Code| {
        border(&with_borders(&[I64], &[I64]), Border::ArrayToWasm(0), |a, function| {
            let (mut handler, mut out) = (a.create_label(), a.create_label());
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            for reg in saved {
                a.push(reg)?;
            }
            a.sub(rsp, 24)?;
            a.mov(qword_ptr(rbp - 48), rdx)?;
            a.mov(r15, rdi)?;
            a.mov(rax, qword_ptr(r15 + STORE))?;
            a.lea(rcx, qword_ptr(handler))?;
            a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
            a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
            a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)?;
            a.mov(rdx, qword_ptr(rdx))?;
            a.mov(r14, qword_ptr(r15 + 48))?;
            a.call(function)?;
            a.mov(r11, qword_ptr(rbp - 48))?;
            a.mov(qword_ptr(r11), rax)?;
            body(a)?;
            a.mov(eax, 1)?;
            a.set_label(&mut out)?;
            a.lea(rsp, qword_ptr(rbp - 40))?;
            for reg in saved.into_iter().rev() {
                a.pop(reg)?;
            }
            a.pop(rbp)?;
            a.ret()?;
            a.set_label(&mut handler)?;
            a.xor(eax, eax)?;
            a.jmp(out)
        })
    };
    entry(|_| Ok(())).unwrap();
    // What the handler takes for the caller's register is another by then.
    entry(|a| {
        a.mov(rcx, qword_ptr(rbp - 40))?;
        a.mov(qword_ptr(rbp - 40), rax)?;
        a.mov(eax, dword_ptr(r14 + 0x1000_0000))?;
        a.mov(qword_ptr(rbp - 40), rcx)
    })
    .unwrap_err();
}

/// Proves a startup routine that fills a segment of eight functions by the pointer that the host gives.
fn startup(
    before: impl FnOnce(&mut CodeAssembler, CodeLabel, CodeLabel) -> Code,
    calls: u8,
) -> Result<(), &'static str> {
    let mut facts = with_borders(&[I32], &[]);
    facts.elements = vec![F];
    facts.element_counts = vec![8];
    facts.tables[0].minimum = 8;
    let (text, places) = assemble(|a| {
        let (mut function, mut begin, mut routine) = (a.create_label(), a.create_label(), a.create_label());
        let (mut base, mut drop) = (a.create_label(), a.create_label());
        a.set_label(&mut function)?;
        a.ud2()?;
        a.set_label(&mut begin)?;
        enter(a)?;
        a.mov(qword_ptr(rbp - 8), r15)?;
        a.mov(qword_ptr(rbp - 16), r14)?;
        a.mov(r15, rdi)?;
        a.mov(r14, qword_ptr(r15 + 48))?;
        for _ in 0..calls {
            a.call(routine)?;
        }
        a.mov(r15, qword_ptr(rbp - 8))?;
        a.mov(r14, qword_ptr(rbp - 16))?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut routine)?;
        enter(a)?;
        a.mov(qword_ptr(rbp - 8), rbx)?;
        before(a, function, drop)?;
        a.mov(rdi, r15)?;
        a.xor(esi, esi)?;
        a.call(base)?;
        a.xor(ecx, ecx)?;
        a.mov(qword_ptr(rax), rcx)?;
        a.mov(rbx, qword_ptr(rbp - 8))?;
        a.xor(eax, eax)?;
        a.leave()?;
        a.ret()?;
        for (exit, place) in [(&mut base, 24), (&mut drop, 32)] {
            a.set_label(exit)?;
            enter(a)?;
            a.mov(r11, qword_ptr(rdi + STORE))?;
            record(a)?;
            a.mov(rax, qword_ptr(rdi + BUILTINS as i32))?;
            a.call(qword_ptr(rax + place))?;
            a.leave()?;
            a.ret()?;
        }
        Ok(vec![begin, base, drop])
    });
    facts.builtins.extend([(Builtin::ElemBase, 24), (Builtin::ElemDrop, 32)]);
    let end = text.len() as u32;
    let range = |from: usize| Range { start: places[from], end: places.get(from + 1).copied().unwrap_or(end) };
    let tables = Tables {
        functions: vec![Range { start: 0, end: places[0] }],
        borders: vec![
            (Border::StartupWasm(0), range(0)),
            (Border::WasmToBuiltin(Builtin::ElemBase), range(1)),
            (Border::WasmToBuiltin(Builtin::ElemDrop), range(2)),
        ],
        ..Tables::default()
    };
    crate::verify(&facts, &text, &tables).map(drop).map_err(|failure| failure.reason.0)
}

#[test]
fn startup_fills_segments_before_anybody_can_have_dropped_them() {
    startup(|_, _, _| Ok(()), 1).unwrap();
    startup(|_, _, _| Ok(()), 2).unwrap_err();
    startup(|a, _, exit| a.mov(rdi, r15).and_then(|()| a.xor(esi, esi)).and_then(|()| a.call(exit)), 1).unwrap_err();
    startup(|a, function, _| a.xor(edx, edx).and_then(|()| a.call(function)), 1).unwrap_err();
    // Where others may find it.
    startup(|a, _, _| a.mov(rax, qword_ptr(r15 + TABLE)).and_then(|()| a.mov(qword_ptr(rax), 0)), 1).unwrap_err();
}

#[test]
fn nobody_keeps_anything_below_the_stack_pointer() {
    let startup = |body: fn(&mut CodeAssembler) -> Code| {
        border(&with_borders(&[], &[]), Border::StartupWasm(0), |a, _| {
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 16)?;
            body(a)?;
            a.leave()?;
            a.ret()
        })
    };
    startup(|a| a.mov(qword_ptr(rsp), rdi)).unwrap();
    startup(|a| a.mov(qword_ptr(rsp - 8), rdi)).unwrap_err();
    startup(|a| a.mov(rax, qword_ptr(rsp - 16))).unwrap_err();
    prove(&[I64], &[], |a| a.mov(qword_ptr(rsp - 8), rdx)).unwrap_err();
}
