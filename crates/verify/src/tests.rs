//! Rules on code put together by hand: each accepted as it should be, and refused in each weakened form.

mod arguments;
pub(crate) mod borders;
mod callees;
mod components;
mod crafted;
mod escapes;
mod threads;

use crate::facts::{
    Facts, Field, FuncType, Function, InstanceField, Layouts, Memory, Processor, Range, Settings, Signature,
    StoreField, Table, Tables, Type, TypeKind, ValueType,
};
use crate::prover::Prover;
use iced_x86::code_asm::*;

mod heap;
mod intrinsics;

pub(crate) const STORE: u32 = 8;
pub(crate) const TYPE_IDS: u32 = 40;
const LENGTH: i32 = 56;
const TABLE: i32 = 64;
pub(crate) const COUNT: i32 = 72;
pub(crate) const LIMIT: i32 = 24;

/// A module of one function of such a type, a memory, and a table of functions of any type.
pub(crate) fn facts(params: &[ValueType], results: &[ValueType]) -> Facts {
    let field = |offset: u32, kind| Field { offset, width: 8, kind };
    Facts {
        settings: Settings { hardware_traps: true, processor: Processor::ALL, ..Settings::default() },
        types: vec![Type {
            kind: TypeKind::Function(Signature { params: params.to_vec(), results: results.to_vec() }),
            supertype: None,
        }]
        .into(),
        functions: vec![Function { ty: 0, imported: false, escapes: false }],
        memories: vec![Memory {
            index64: false,
            page_size_log2: 16,
            base_may_move: false,
            minimum: 65536,
            fixed_length: None,
            unchecked_span: 0x1000_0001,
            mapped: 0x1_1000_0000,
            faults_are_traps: true,
            shared: false,
        }],
        tables: vec![Table {
            element: ValueType::Func(FuncType { ty: None, nullable: true }),
            index64: false,
            minimum: 0,
            fixed_length: None,
            lazy: false,
        }],
        instance: vec![
            field(STORE, InstanceField::Store),
            field(TYPE_IDS, InstanceField::TypeIds),
            field(48, InstanceField::MemoryBase(0)),
            field(LENGTH as u32, InstanceField::MemoryLength(0)),
            field(TABLE as u32, InstanceField::TableBase(0)),
            field(COUNT as u32, InstanceField::TableLength(0)),
        ],
        store: vec![Field { offset: LIMIT as u32, width: 8, kind: StoreField::StackLimit }],
        layouts: Layouts { func_ref_code: 8, func_ref_type: 16, func_ref_instance: 24, ..Layouts::default() },
        ..Facts::default()
    }
}

pub(crate) type Code = Result<(), iced_x86::IcedError>;

pub(crate) fn prove_with(facts: &Facts, body: impl FnOnce(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    let mut assembler = CodeAssembler::new(64).unwrap();
    body(&mut assembler).unwrap();
    let text = assembler.assemble(0).unwrap();
    let tables = Tables { functions: vec![Range { start: 0, end: text.len() as u32 }], ..Tables::default() };
    let prover = Prover::new(facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
}

/// Proves a body between an entry and a return.
pub(crate) fn prove(
    params: &[ValueType],
    results: &[ValueType],
    body: impl FnOnce(&mut CodeAssembler) -> Code,
) -> Result<(), &'static str> {
    prove_with(&facts(params, results), |a| {
        enter(a)?;
        body(a)?;
        a.leave()?;
        a.ret()
    })
}

pub(crate) fn enter(a: &mut CodeAssembler) -> Code {
    a.push(rbp)?;
    a.mov(rbp, rsp)?;
    a.sub(rsp, 32)
}

use ValueType::{I32, I64};

#[test]
fn an_index_of_a_linear_memory_has_a_zero_upper_half() {
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx + 16))).unwrap();
    prove(&[I64], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx + 16))).unwrap_err();
    prove(&[I64], &[I32], |a| {
        a.mov(edx, edx)?;
        a.mov(eax, dword_ptr(r14 + rdx + 16))
    })
    .unwrap();
    // Sixteen bits of a register leave the rest as it was.
    prove(&[I64], &[I32], |a| {
        a.mov(dx, 1)?;
        a.mov(eax, dword_ptr(r14 + rdx))
    })
    .unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx * 2))).unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx + 0x0fff_fffd))).unwrap();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx + 0x0fff_fffe))).unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx - 1))).unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(rdx + rdx))).unwrap_err();
}

#[test]
fn a_checked_end_is_compared_with_the_length_of_the_same_memory() {
    let checked = |span: i32, jump: fn(&mut CodeAssembler, CodeLabel) -> Code, disp: i32| {
        let mut facts = facts(&[I32], &[I32]);
        facts.memories[0].unchecked_span = 0;
        facts.memories[0].mapped = 0;
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.lea(rcx, qword_ptr(rdx + span))?;
            a.cmp(rcx, qword_ptr(r15 + LENGTH))?;
            jump(a, trap)?;
            a.mov(eax, dword_ptr(r14 + rcx + disp))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    checked(8, |a, trap| a.ja(trap), -4).unwrap();
    checked(8, |a, trap| a.ja(trap), -8).unwrap();
    checked(8, |a, trap| a.ja(trap), -9).unwrap_err();
    checked(8, |a, trap| a.ja(trap), -3).unwrap_err();
    checked(8, |a, trap| a.jg(trap), -4).unwrap_err();
    checked(8, |a, trap| a.jb(trap), -4).unwrap_err();
    checked(8, |a, trap| a.jne(trap), -4).unwrap_err();
    checked(2, |a, trap| a.ja(trap), -4).unwrap_err();
}

#[test]
fn an_element_is_below_the_length_of_its_table_and_of_its_size() {
    let element = |jump: fn(&mut CodeAssembler, CodeLabel) -> Code, place: AsmMemoryOperand, compared: i32| {
        prove_with(&facts(&[I32], &[]), |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.cmp(rdx, qword_ptr(r15 + compared))?;
            jump(a, trap)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            a.mov(rax, place)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    element(|a, trap| a.jae(trap), qword_ptr(rax + rdx * 8), COUNT).unwrap();
    element(|a, trap| a.ja(trap), qword_ptr(rax + rdx * 8), COUNT).unwrap_err();
    element(|a, trap| a.jae(trap), qword_ptr(rax + rdx * 4), COUNT).unwrap_err();
    element(|a, trap| a.jae(trap), qword_ptr(rax + rdx * 8 + 8), COUNT).unwrap_err();
    element(|a, trap| a.jae(trap), qword_ptr(rax + rdx * 8), LENGTH).unwrap_err();
    element(|a, trap| a.jae(trap), qword_ptr(rax + rcx * 8), COUNT).unwrap_err();
}

#[test]
fn what_the_caller_wants_back_is_given_back() {
    prove(&[], &[], |a| a.mov(qword_ptr(rbp - 8), rbx).and_then(|()| a.mov(rbx, qword_ptr(rbp - 8)))).unwrap();
    prove(&[], &[], |a| a.xor(ebx, ebx)).unwrap_err();
    prove(&[], &[], |a| a.mov(r15, r14)).unwrap_err();
    prove_with(&facts(&[], &[]), |a| enter(a).and_then(|()| a.ret())).unwrap_err();
    prove_with(&facts(&[], &[]), |a| {
        enter(a)?;
        a.leave()?;
        a.ret_1(16)
    })
    .unwrap_err();
    prove(&[], &[], |a| a.mov(qword_ptr(rbp + 8), r15)).unwrap_err();
    prove(&[], &[], |a| a.mov(qword_ptr(rsp - 8), r15)).unwrap_err();
}

#[test]
fn what_nothing_wrote_is_not_used() {
    prove(&[I32], &[I32], |a| a.mov(dword_ptr(rbp - 8), edx).and_then(|()| a.mov(eax, dword_ptr(rbp - 8)))).unwrap();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(rbp - 8))).unwrap_err();
    prove(&[I32], &[I64], |a| a.mov(dword_ptr(rbp - 8), edx).and_then(|()| a.mov(rax, qword_ptr(rbp - 8))))
        .unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, ecx)).unwrap_err();
    // Written on one way only.
    prove(&[I32], &[I32], |a| {
        let mut skip = a.create_label();
        a.test(edx, edx)?;
        a.je(skip)?;
        a.mov(dword_ptr(rbp - 8), edx)?;
        a.set_label(&mut skip)?;
        a.mov(eax, dword_ptr(rbp - 8))
    })
    .unwrap_err();
}

#[test]
fn calls_by_reference_are_checked_by_type_and_pass_the_right_instance() {
    let call = |typed: bool, own: bool, jump: fn(&mut CodeAssembler, CodeLabel) -> Code| {
        prove_with(&facts(&[I32], &[]), |a| {
            let mut trap = a.create_label();
            enter(a)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
            a.jb(trap)?;
            a.cmp(rdx, qword_ptr(r15 + COUNT))?;
            a.jae(trap)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            a.mov(rax, qword_ptr(rax + rdx * 8))?;
            if typed {
                a.mov(rcx, qword_ptr(r15 + TYPE_IDS))?;
                a.mov(ecx, dword_ptr(rcx))?;
                a.cmp(ecx, dword_ptr(rax + 16))?;
                jump(a, trap)?;
            }
            if own {
                a.mov(rdi, r15)?
            } else {
                a.mov(rdi, qword_ptr(rax + 24))?
            }
            a.mov(rsi, r15)?;
            a.mov(rax, qword_ptr(rax + 8))?;
            a.call(rax)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    call(true, false, |a, trap| a.jne(trap)).unwrap();
    call(false, false, |a, trap| a.jne(trap)).unwrap_err();
    call(true, true, |a, trap| a.jne(trap)).unwrap_err();
    call(true, false, |a, trap| a.je(trap)).unwrap_err();
}

#[test]
fn instructions_that_are_not_listed_are_refused() {
    prove(&[], &[], |a| a.nop()).unwrap();
    prove(&[], &[], |a| a.syscall()).unwrap_err();
    prove(&[], &[], |a| a.int(3)).unwrap_err();
    prove(&[], &[], |a| a.cpuid()).unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(r14 + rdx).fs())).unwrap_err();
    prove(&[I32], &[I32], |a| a.mov(eax, dword_ptr(edx))).unwrap_err();
    prove(&[], &[], |a| a.jmp(0x1000)).unwrap_err();
    prove(&[I32], &[], |a| a.add(rsp, 64).and_then(|()| a.mov(qword_ptr(rsp), rdx))).unwrap_err();
}

/// What the artifact does not say that the processor has is not used.
#[test]
fn instructions_are_of_the_processor_that_the_code_is_for() {
    type Check = fn(&mut CodeAssembler) -> Code;
    let each: [(&str, Check); 11] = [
        ("has_sse3", |a| a.movddup(xmm0, xmm1)),
        ("has_ssse3", |a| a.pshufb(xmm0, xmm1)),
        ("has_sse41", |a| a.ptest(xmm0, xmm1)),
        ("has_sse42", |a| a.pcmpgtq(xmm0, xmm1)),
        ("has_popcnt", |a| a.popcnt(eax, edx)),
        ("has_avx", |a| a.vaddps(xmm0, xmm1, xmm0)),
        ("has_avx2", |a| a.vpbroadcastd(xmm0, xmm1)),
        ("has_bmi1", |a| a.tzcnt(eax, edx)),
        ("has_bmi2", |a| a.shlx(eax, edx, edx)),
        ("has_lzcnt", |a| a.lzcnt(eax, edx)),
        ("has_fma", |a| a.vfmadd213ps(xmm0, xmm1, xmm0)),
    ];
    let prove = |processor, body: Check| {
        let mut facts = facts(&[I32, ValueType::F64, ValueType::F64], &[]);
        facts.settings.processor = processor;
        prove_with(&facts, |a| {
            enter(a)?;
            a.xorps(xmm0, xmm0)?;
            a.xorps(xmm1, xmm1)?;
            body(a)?;
            a.leave()?;
            a.ret()
        })
    };
    for (name, body) in each {
        let only = Processor::named(&[name]);
        let all = Processor(Processor::ALL.0 & !only.0);
        assert_eq!(prove(only, body), Ok(()), "{name}");
        prove(all, body).unwrap_err();
    }
    prove(Processor::default(), |a| a.addsd(xmm0, xmm1)).unwrap();
    prove(Processor::ALL, |a| a.vpaddd(ymm0, ymm1, ymm0)).unwrap_err();
    prove(Processor::ALL, |a| a.gf2p8mulb(xmm0, xmm1)).unwrap_err();
}

mod control;
mod division;
mod references;
mod relations;
mod vectors;

/// A text of several parts, and where these labels are in it.
fn assemble(
    parts: impl FnOnce(&mut CodeAssembler) -> Result<Vec<CodeLabel>, iced_x86::IcedError>,
) -> (Vec<u8>, Vec<u32>) {
    let mut assembler = CodeAssembler::new(64).unwrap();
    let labels = parts(&mut assembler).unwrap();
    let options = iced_x86::BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS;
    let result = assembler.assemble_options(0, options).unwrap();
    let places = labels.iter().map(|label| result.label_ip(label).unwrap() as u32).collect();
    (result.inner.code_buffer, places)
}

/// Compares the stack pointer with its limit.
fn limit(a: &mut CodeAssembler, overflow: CodeLabel) -> Code {
    a.mov(r11, qword_ptr(r15 + STORE))?;
    a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
    a.jb(overflow)
}

/// Proves a function that ends where the second label is; what follows it ends with the text and is what `rest` says.
fn prove_beside(
    facts: &Facts,
    rest: Option<crate::facts::Border>,
    parts: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Code,
    callee: impl FnOnce(&mut CodeAssembler) -> Code,
) -> Result<(), &'static str> {
    let (text, places) = assemble(|a| {
        let mut next = a.create_label();
        parts(a, next)?;
        a.set_label(&mut next)?;
        callee(a)?;
        Ok(vec![next])
    });
    let end = text.len() as u32;
    let mut tables = Tables { functions: vec![Range { start: 0, end: places[0] }], ..Tables::default() };
    tables.borders.extend(rest.map(|border| (border, Range { start: places[0], end })));
    let prover = Prover::new(facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    let part = prover.functions(0..1).map_err(|failure| failure.reason.0)?;
    match rest {
        // A body of an exit is put there for its place alone.
        Some(_) => Ok(()),
        None => prover.finish(vec![part]).map(drop).map_err(|failure| failure.reason.0),
    }
}
