//! Rules of the collector's heap where it has no guard pages: each access is within what was compared with its length,
//! or within what the collector has room for.

use super::{Code, LIMIT, STORE, enter, facts, prove_with};
use crate::facts::{Collector, Facts, Field, Gc, InstanceField, Range, StoreField, Tables, ValueType};
use iced_x86::BlockEncoderOptions;
use iced_x86::code_asm::*;

const GC_DATA: i32 = 80;
const BASE: i32 = 32;
const LENGTH: i32 = 40;

/// A module with objects, whose heap may move and has no guard pages.
fn objects(collector: Collector) -> Facts {
    let mut facts = facts(&[ValueType::I32, ValueType::I32], &[]);
    facts.instance.push(Field { offset: GC_DATA as u32, width: 8, kind: InstanceField::GcData });
    facts.store.extend([
        Field { offset: BASE as u32, width: 8, kind: StoreField::HeapBase },
        Field { offset: LENGTH as u32, width: 8, kind: StoreField::HeapLength },
    ]);
    let data = match collector {
        Collector::Copying => [Some((0, true)), Some((4, false)), None, None],
        _ => [Some((0, true)), None, None, None],
    };
    facts.gc = Some(Gc { unchecked_span: 0, heap_may_move: true, data, collector, kind_bits: 0, kinds: [0; 3] });
    facts
}

type Jump = fn(&mut CodeAssembler, CodeLabel) -> Code;

/// Proves a body that jumps to a trap if it must.
fn prove(facts: &Facts, body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code) -> Result<(), &'static str> {
    prove_with(facts, |a| {
        let mut trap = a.create_label();
        enter(a)?;
        body(a, trap)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()
    })
}

/// `to = ` where the heap begins.
fn heap(a: &mut CodeAssembler, to: AsmRegister64) -> Code {
    a.mov(to, qword_ptr(r15 + STORE))?;
    a.mov(to, qword_ptr(to + BASE))
}

#[test]
fn a_reference_is_compared_with_the_length_of_the_heap() {
    let field = |span: i32, jump: Jump, disp: i32, after: fn(&mut CodeAssembler) -> Code| {
        prove(&objects(Collector::Copying), |a, trap| {
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(r11, qword_ptr(r11 + LENGTH))?;
            a.sub(r11, span)?;
            a.cmp(r11, rdx)?;
            jump(a, trap)?;
            after(a)?;
            heap(a, r11)?;
            a.mov(eax, dword_ptr(r11 + rdx + disp))
        })
    };
    let nothing: fn(&mut CodeAssembler) -> Code = |_| Ok(());
    field(20, |a, trap| a.jl(trap), 16, nothing).unwrap();
    field(20, |a, trap| a.jle(trap), 16, nothing).unwrap();
    field(20, |a, trap| a.jl(trap), 17, nothing).unwrap_err();
    field(19, |a, trap| a.jl(trap), 16, nothing).unwrap_err();
    field(20, |a, trap| a.jl(trap), -1, nothing).unwrap_err();
    // The difference may be negative, which is a large number without sign.
    field(20, |a, trap| a.jb(trap), 16, nothing).unwrap_err();
    field(20, |a, trap| a.jg(trap), 16, nothing).unwrap_err();
    field(20, |a, trap| a.jne(trap), 16, nothing).unwrap_err();
    field(20, |_, _| Ok(()), 16, nothing).unwrap_err();
    field(-20, |a, trap| a.jl(trap), 16, nothing).unwrap_err();
    // Another number.
    field(20, |a, trap| a.jl(trap), 16, |a| a.add(edx, 4)).unwrap_err();
    field(20, |a, trap| a.jl(trap), 16, |a| a.mov(edx, ecx)).unwrap_err();
    // Of what waits in the frame nothing is known.
    field(
        20,
        |a, trap| a.jl(trap),
        16,
        |a| {
            a.mov(dword_ptr(rbp - 8), edx)?;
            a.mov(edx, dword_ptr(rbp - 8))
        },
    )
    .unwrap_err();
}

#[test]
fn less_of_the_heap_s_length_may_be_a_negative_more() {
    let field = |add: i32, disp: i32| {
        prove(&objects(Collector::Copying), |a, trap| {
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(r11, qword_ptr(r11 + LENGTH))?;
            a.add(r11, add)?;
            a.cmp(r11, rdx)?;
            a.jl(trap)?;
            heap(a, r11)?;
            a.mov(eax, dword_ptr(r11 + rdx + disp))
        })
    };
    field(-128, 124).unwrap();
    field(-128, 125).unwrap_err();
    field(128, 0).unwrap_err();
    field(0, 0).unwrap_err();
}

#[test]
fn a_reference_that_was_checked_is_guarded_against_wrong_predictions() {
    let guarded = |guard: fn(&mut CodeAssembler) -> Code, disp: i32| {
        let mut facts = objects(Collector::Copying);
        facts.settings.spectre = true;
        prove(&facts, |a, trap| {
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(r11, qword_ptr(r11 + LENGTH))?;
            a.sub(r11, 20)?;
            a.cmp(r11, rdx)?;
            a.jl(trap)?;
            guard(a)?;
            heap(a, r11)?;
            a.mov(eax, dword_ptr(r11 + rdx + disp))
        })
    };
    fn zero(a: &mut CodeAssembler) -> Code {
        a.mov(r11d, 0)
    }
    guarded(|a| zero(a).and_then(|()| a.cmovl(rdx, r11)), 16).unwrap();
    guarded(|a| zero(a).and_then(|()| a.cmovl(rdx, r11)), 17).unwrap_err();
    guarded(|_| Ok(()), 16).unwrap_err();
    guarded(zero, 16).unwrap_err();
    guarded(|a| zero(a).and_then(|()| a.cmovge(rdx, rdx)), 16).unwrap_err();
    guarded(|a| zero(a).and_then(|()| a.cmovb(rdx, r11)), 16).unwrap_err();
    guarded(|a| zero(a).and_then(|()| a.cmovl(rcx, r11)), 16).unwrap_err();
    guarded(|a| zero(a).and_then(|()| a.cmovl(edx, r11d)), 16).unwrap_err();
    guarded(|a| a.mov(r11d, 8).and_then(|()| a.cmovl(rdx, r11)), 16).unwrap_err();
    guarded(|a| a.cmovl(rdx, rcx), 16).unwrap_err();
    guarded(|a| a.xor(r11d, r11d).and_then(|()| a.cmovl(rdx, r11)), 16).unwrap_err();
    // Through the frame it stays what it is.
    guarded(
        |a| {
            a.mov(dword_ptr(rbp - 8), edx)?;
            zero(a)?;
            a.cmovl(rdx, r11)?;
            a.mov(edx, dword_ptr(rbp - 8))
        },
        16,
    )
    .unwrap_err();
}

/// One way to make an object where nothing is collected.
struct Making {
    mask: fn(&mut CodeAssembler) -> Code,
    end: fn(&mut CodeAssembler) -> Code,
    compare: fn(&mut CodeAssembler) -> Code,
    jump: Jump,
    disp: i32,
}

/// Objects of 16 bytes.
const MAKING: Making = Making {
    mask: |a| a.and(rax, -8),
    end: |a| a.lea(rcx, qword_ptr(rax + 16)),
    compare: |a| a.cmp(rcx, qword_ptr(r11 + LENGTH)),
    jump: |a, slow| a.jae(slow),
    disp: 12,
};

fn make(making: &Making) -> Result<(), &'static str> {
    prove(&objects(Collector::None), |a, slow| {
        a.mov(rdx, qword_ptr(r15 + GC_DATA))?;
        a.mov(eax, dword_ptr(rdx))?;
        a.add(rax, 7)?;
        (making.mask)(a)?;
        (making.end)(a)?;
        a.mov(r11, qword_ptr(r15 + STORE))?;
        (making.compare)(a)?;
        (making.jump)(a, slow)?;
        a.mov(dword_ptr(rdx), ecx)?;
        heap(a, rdx)?;
        a.mov(dword_ptr(rdx + rax), 7)?;
        a.mov(dword_ptr(rdx + rax + making.disp), 9)
    })
}

#[test]
fn an_object_ends_within_a_heap_that_is_never_collected() {
    make(&MAKING).unwrap();
    make(&Making { disp: 13, ..MAKING }).unwrap();
    make(&Making { disp: 14, ..MAKING }).unwrap_err();
    // The end may be 2³², where the next would begin at 0.
    let weaker: [Jump; 8] = [
        |a, slow| a.ja(slow),
        |a, slow| a.jb(slow),
        |a, slow| a.jbe(slow),
        |a, slow| a.jne(slow),
        |a, slow| a.je(slow),
        |a, slow| a.jge(slow),
        |a, slow| a.js(slow),
        |_, _| Ok(()),
    ];
    for jump in weaker {
        make(&Making { jump, ..MAKING }).unwrap_err();
    }
    make(&Making { end: |a| a.lea(rcx, qword_ptr(rax + 8)), ..MAKING }).unwrap_err();
    make(&Making { end: |a| a.lea(rcx, qword_ptr(rax - 16)), ..MAKING }).unwrap_err();
    make(&Making { end: |a| a.lea(rcx, qword_ptr(rdi + 16)), ..MAKING }).unwrap_err();
    // In 32 bits it may have wrapped.
    make(&Making { end: |a| a.lea(ecx, qword_ptr(rax + 16)), ..MAKING }).unwrap_err();
    make(&Making { compare: |a| a.cmp(ecx, dword_ptr(r11 + LENGTH)), ..MAKING }).unwrap_err();
    make(&Making { compare: |a| a.cmp(rcx, qword_ptr(r11 + BASE)), ..MAKING }).unwrap_err();
    make(&Making { compare: |a| a.cmp(rax, qword_ptr(r11 + LENGTH)), ..MAKING }).unwrap_err();
    make(&Making { compare: |a| a.cmp(qword_ptr(r11 + LENGTH), rcx), ..MAKING }).unwrap_err();
    // What was compared is no longer there.
    let then = |a: &mut CodeAssembler| {
        a.lea(rcx, qword_ptr(rax + 16))?;
        a.add(rax, 8)
    };
    make(&Making { end: then, ..MAKING }).unwrap_err();
    make(&Making { mask: |a| a.neg(rax), ..MAKING }).unwrap_err();
    make(&Making { mask: |a| a.mov(eax, eax), ..MAKING }).unwrap();
}

/// The host takes it that the next object never begins at 0.
#[test]
fn the_next_object_begins_somewhere() {
    let next = |body: fn(&mut CodeAssembler) -> Code| {
        prove(&objects(Collector::None), |a, _| {
            a.mov(rax, qword_ptr(r15 + GC_DATA))?;
            body(a)
        })
    };
    next(|a| a.mov(dword_ptr(rax), 8)).unwrap();
    next(|a| a.mov(dword_ptr(rax), 0)).unwrap_err();
    next(|a| a.mov(dword_ptr(rax), edx)).unwrap_err();
    next(|a| a.or(edx, 1).and_then(|()| a.add(dword_ptr(rax), edx))).unwrap_err();
    next(|a| a.inc(dword_ptr(rax))).unwrap_err();
    next(|a| a.xchg(dword_ptr(rax), edx)).unwrap_err();
}

/// One way to make an object where they move.
struct Bumping {
    size: i32,
    before: fn(&mut CodeAssembler) -> Code,
    jump: Jump,
    next: i32,
    disp: i32,
}

/// Objects of 32 bytes.
const BUMPING: Bumping = Bumping { size: 32, before: |_| Ok(()), jump: |a, slow| a.jb(slow), next: 32, disp: 28 };

fn bump(bumping: &Bumping) -> Result<(), &'static str> {
    prove(&objects(Collector::Copying), |a, slow| {
        a.mov(rax, qword_ptr(r15 + GC_DATA))?;
        a.mov(ecx, dword_ptr(rax))?;
        a.mov(edx, dword_ptr(rax + 4))?;
        a.sub(edx, ecx)?;
        (bumping.before)(a)?;
        a.cmp(edx, bumping.size)?;
        (bumping.jump)(a, slow)?;
        a.lea(edx, qword_ptr(rcx + bumping.next))?;
        a.mov(dword_ptr(rax), edx)?;
        heap(a, rax)?;
        a.mov(dword_ptr(rax + rcx), 7)?;
        a.mov(dword_ptr(rax + rcx + bumping.disp), 9)
    })
}

#[test]
fn an_object_and_the_free_space_behind_it_are_where_there_was_room() {
    bump(&BUMPING).unwrap();
    bump(&Bumping { disp: 29, ..BUMPING }).unwrap_err();
    bump(&Bumping { disp: -4, ..BUMPING }).unwrap_err();
    bump(&Bumping { next: 16, ..BUMPING }).unwrap();
    bump(&Bumping { next: 33, ..BUMPING }).unwrap_err();
    bump(&Bumping { next: -1, ..BUMPING }).unwrap_err();
    bump(&Bumping { size: 31, ..BUMPING }).unwrap_err();
    bump(&Bumping { jump: |a, slow| a.jbe(slow), ..BUMPING }).unwrap();
    let weaker: [Jump; 6] = [
        |a, slow| a.jae(slow),
        |a, slow| a.ja(slow),
        |a, slow| a.jl(slow),
        |a, slow| a.jne(slow),
        |a, slow| a.js(slow),
        |_, _| Ok(()),
    ];
    for jump in weaker {
        bump(&Bumping { jump, ..BUMPING }).unwrap_err();
    }
    // Another start, and one that is read anew: there may be less room from there on.
    bump(&Bumping { before: |a| a.add(ecx, 8), ..BUMPING }).unwrap_err();
    bump(&Bumping { before: |a| a.mov(ecx, dword_ptr(rax)), ..BUMPING }).unwrap_err();
    bump(&Bumping { before: |a| a.mov(ecx, dword_ptr(rax + 4)), ..BUMPING }).unwrap_err();
    bump(&Bumping { before: |a| a.mov(edx, ecx), ..BUMPING }).unwrap_err();
    bump(&Bumping { before: |a| a.sub(ecx, edx), ..BUMPING }).unwrap_err();
    // A number from anywhere.
    prove(&objects(Collector::Copying), |a, _| {
        a.mov(rax, qword_ptr(r15 + GC_DATA))?;
        a.mov(dword_ptr(rax), edx)
    })
    .unwrap_err();
    prove(&objects(Collector::Copying), |a, _| {
        a.mov(rax, qword_ptr(r15 + GC_DATA))?;
        a.add(dword_ptr(rax), 16)
    })
    .unwrap_err();
    prove(&objects(Collector::Copying), |a, _| {
        a.mov(rax, qword_ptr(r15 + GC_DATA))?;
        a.mov(ecx, dword_ptr(rax))?;
        a.mov(dword_ptr(rax + 4), ecx)
    })
    .unwrap_err();
}

/// One way to make an array of as many bytes as a parameter says.
struct Array {
    collector: Collector,
    longest: u32,
    limit: Jump,
    header: i32,
    log2: u32,
    jump: Jump,
    next: fn(&mut CodeAssembler) -> Code,
}

const ARRAY: Array = Array {
    collector: Collector::Copying,
    longest: (u32::MAX - 20) >> 2,
    limit: |a, trap| a.ja(trap),
    header: 20,
    log2: 2,
    jump: |a, slow| a.jb(slow),
    next: |a| a.lea(r8, qword_ptr(rax + rsi)),
};

/// Proves a routine, called from a function with two numbers.
fn prove_routine(facts: &Facts, body: impl FnOnce(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    let mut a = CodeAssembler::new(64).unwrap();
    let (mut routine, mut trap, mut end) = (a.create_label(), a.create_label(), a.create_label());
    enter(&mut a).unwrap();
    a.mov(r11, qword_ptr(r15 + STORE)).unwrap();
    a.cmp(rsp, qword_ptr(r11 + LIMIT)).unwrap();
    a.jb(trap).unwrap();
    a.call(routine).unwrap();
    a.leave().unwrap();
    a.ret().unwrap();
    a.set_label(&mut trap).unwrap();
    a.ud2().unwrap();
    a.set_label(&mut routine).unwrap();
    enter(&mut a).unwrap();
    body(&mut a).unwrap();
    a.leave().unwrap();
    a.ret().unwrap();
    a.set_label(&mut end).unwrap();
    a.nop().unwrap();
    let code = a.assemble_options(0, BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS).unwrap();
    let start = code.label_ip(&routine).unwrap() as u32;
    let text = code.inner.code_buffer;
    let tables = Tables { functions: vec![Range { start: 0, end: start }], ..Tables::default() };
    crate::verify(facts, &text, &tables).map(drop).map_err(|failure| failure.reason.0)
}

fn array(array: &Array) -> Result<(), &'static str> {
    prove_routine(&objects(array.collector), |a| {
        let (mut slow, mut trap, mut done) = (a.create_label(), a.create_label(), a.create_label());
        a.mov(edx, edx)?;
        a.cmp(edx, array.longest.cast_signed())?;
        (array.limit)(a, trap)?;
        a.mov(rdi, rdx)?;
        a.shl(rdi, array.log2)?;
        a.add(rdi, array.header)?;
        a.lea(rsi, qword_ptr(rdi + 15))?;
        a.and(rsi, -16)?;
        a.mov(r9, qword_ptr(r15 + GC_DATA))?;
        a.mov(eax, dword_ptr(r9))?;
        match array.collector {
            Collector::Copying => {
                a.mov(r8d, dword_ptr(r9 + 4))?;
                a.sub(r8, rax)?;
                a.cmp(r8, rsi)?;
                (array.jump)(a, slow)?;
                (array.next)(a)?;
            }
            _ => {
                (array.next)(a)?;
                a.mov(r11, qword_ptr(r15 + STORE))?;
                a.cmp(r8, qword_ptr(r11 + LENGTH))?;
                (array.jump)(a, slow)?;
            }
        }
        a.mov(dword_ptr(r9), r8d)?;
        a.jmp(done)?;
        a.set_label(&mut slow)?;
        a.ud2()?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        a.set_label(&mut done)?;
        heap(a, rcx)?;
        // The length, the last of the header.
        a.mov(dword_ptr(rcx + rax + 16), edx)
    })
}

#[test]
fn an_array_of_any_length_is_where_there_was_room() {
    array(&ARRAY).unwrap();
    array(&Array { header: 16, ..ARRAY }).unwrap_err();
    array(&Array { jump: |a, slow| a.jae(slow), ..ARRAY }).unwrap_err();
    array(&Array { jump: |a, slow| a.jl(slow), ..ARRAY }).unwrap_err();
    array(&Array { jump: |_, _| Ok(()), ..ARRAY }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rax + rsi + 1)), ..ARRAY }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rax + rsi * 2)), ..ARRAY }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rax + rdi)), ..ARRAY }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rcx + rsi)), ..ARRAY }).unwrap_err();

    let null = Array { collector: Collector::None, jump: |a, slow| a.jae(slow), ..ARRAY };
    array(&null).unwrap();
    array(&Array { header: 3, ..null }).unwrap_err();
    array(&Array { jump: |a, slow| a.jb(slow), ..null }).unwrap_err();
    array(&Array { jump: |a, slow| a.jg(slow), ..null }).unwrap_err();
    array(&Array { jump: |_, _| Ok(()), ..null }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rax + rdx)), ..null }).unwrap_err();
    array(&Array { next: |a| a.lea(r8, qword_ptr(rsi)), ..null }).unwrap_err();
}

#[test]
fn a_pointer_outlives_the_call_of_a_routine_that_moves_nothing() {
    let held = |disp: i32, callee: fn(&mut CodeAssembler) -> Code| {
        prove_routine(&objects(Collector::Copying), |a| {
            let (mut trap, mut other) = (a.create_label(), a.create_label());
            a.mov(qword_ptr(rbp - 8), rbx)?;
            a.mov(ebx, edx)?;
            a.lea(rcx, qword_ptr(rbx + 8))?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.cmp(rcx, qword_ptr(r11 + LENGTH))?;
            a.ja(trap)?;
            heap(a, rdx)?;
            a.add(rbx, rdx)?;
            a.mov(edx, 0)?;
            a.mov(ecx, 0)?;
            a.call(other)?;
            a.mov(dword_ptr(rbx + disp), 7)?;
            a.mov(rbx, qword_ptr(rbp - 8))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()?;
            a.set_label(&mut other)?;
            enter(a)?;
            callee(a)?;
            a.xor(eax, eax)
        })
    };
    held(4, |a| a.mov(qword_ptr(rbp - 8), 0)).unwrap();
    held(5, |a| a.mov(qword_ptr(rbp - 8), 0)).unwrap_err();
    held(-4, |a| a.mov(qword_ptr(rbp - 8), 0)).unwrap_err();
    // Any function may let the host in, and so may whoever calls one.
    held(4, |a| a.call(0)).unwrap_err();
    held(4, |a| a.mov(rbx, qword_ptr(rbp - 8))).unwrap_err();
}
