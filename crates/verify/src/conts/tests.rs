//! References to continuations on code put together by hand: what may be done with them, and what would forge one.

use crate::facts::{
    Effects, Facts, Field, FuncType, Function, Global, InstanceField, Memory, Range, Settings, Signature, Stacks,
    Table, Tables, Type, TypeKind, ValueType,
};
use crate::prover::Prover;
use iced_x86::code_asm::*;

const NARROW: ValueType = ValueType::Cont { ty: Some(1) };
const OTHER: ValueType = ValueType::Cont { ty: Some(3) };

/// Where the instance has a global with a reference of either type.
const GLOBAL: i32 = 64;
const OTHER_GLOBAL: i32 = 80;
const TABLE: i32 = 96;
const COUNT: i32 = 104;
const REVISION: i32 = 88;

fn facts(params: &[ValueType], results: &[ValueType]) -> Facts {
    let function = |params: &[ValueType], results: &[ValueType]| Type {
        kind: TypeKind::Function(Signature { params: params.to_vec(), results: results.to_vec() }),
        supertype: None,
    };
    let continuation = |ty| Type { kind: TypeKind::Continuation(ty), supertype: None };
    let func = ValueType::Func(FuncType { ty: Some(0), nullable: true });
    Facts {
        settings: Settings { hardware_traps: true, processor: crate::facts::Processor::ALL, ..Settings::default() },
        types: vec![
            function(&[ValueType::I32], &[ValueType::I32]),
            continuation(0),
            function(&[func], &[ValueType::I32]),
            continuation(2),
            function(params, results),
        ]
        .into(),
        functions: vec![Function { ty: 4, imported: false, escapes: false }],
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
        tables: vec![Table { element: NARROW, index64: false, minimum: 8, fixed_length: None, lazy: false }],
        globals: vec![Global { ty: NARROW, mutable: true }, Global { ty: OTHER, mutable: true }],
        instance: vec![
            Field { offset: 48, width: 8, kind: InstanceField::MemoryBase(0) },
            Field { offset: GLOBAL as u32, width: 16, kind: InstanceField::GlobalValue(0) },
            Field { offset: OTHER_GLOBAL as u32, width: 16, kind: InstanceField::GlobalValue(1) },
            Field { offset: TABLE as u32, width: 8, kind: InstanceField::TableBase(0) },
            Field { offset: COUNT as u32, width: 8, kind: InstanceField::TableLength(0) },
        ],
        stacks: Some(Stacks {
            limits: [0, 8, 16, 24],
            state: 32,
            handlers: 40,
            first_switch: 56,
            parent: 64,
            last_ancestor: 80,
            revision: REVISION as u32,
            top: 96,
            args: 104,
            values: 120,
            list_length: 0,
            list_capacity: 4,
            list_data: 8,
            kinds: [0, 1, 2],
            states: [0, 1, 2, 3, 4, 5],
            effects: Effects { resume: 1, resume_throw: 5, suspend: 2, switch: 3, trap: 4 },
        }),
        ..Facts::default()
    }
}

type Code = Result<(), iced_x86::IcedError>;

/// Proves a body between an entry, with a frame of 64 bytes, and a return.
fn prove(
    params: &[ValueType],
    results: &[ValueType],
    body: impl FnOnce(&mut CodeAssembler) -> Code,
) -> Result<(), &'static str> {
    let mut assembler = CodeAssembler::new(64).unwrap();
    let a = &mut assembler;
    let code = |a: &mut CodeAssembler| {
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        a.sub(rsp, 64)?;
        body(a)?;
        a.leave()?;
        a.ret()
    };
    code(a).unwrap();
    let text = assembler.assemble(0).unwrap();
    let facts = facts(params, results);
    let tables = Tables { functions: vec![Range { start: 0, end: text.len() as u32 }], ..Tables::default() };
    let prover = Prover::new(&facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
}

/// Keeps the reference in a register in the frame, does something there, and puts what is there then in a global.
fn kept(body: impl FnOnce(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    prove(&[NARROW, NARROW, ValueType::I32], &[], |a| {
        a.movups(xmmword_ptr(rbp - 16), xmm0)?;
        a.movups(xmmword_ptr(rbp - 32), xmm1)?;
        body(a)?;
        a.movups(xmm2, xmmword_ptr(rbp - 16))?;
        a.movups(xmmword_ptr(r15 + GLOBAL), xmm2)
    })
}

#[test]
fn references_go_where_their_type_is_asked_for() {
    kept(|_| Ok(())).unwrap();
    let global = |ty, at| prove(&[ty], &[], |a| a.movups(xmmword_ptr(r15 + at), xmm0));
    global(NARROW, GLOBAL).unwrap();
    global(OTHER, OTHER_GLOBAL).unwrap();
    global(OTHER, GLOBAL).unwrap_err();
    global(NARROW, OTHER_GLOBAL).unwrap_err();
    global(ValueType::V128, GLOBAL).unwrap_err();
    // From a global of one type to one of the other.
    let between = |from, to| {
        prove(&[], &[], |a| {
            a.movups(xmm3, xmmword_ptr(r15 + from))?;
            a.movaps(xmm4, xmm3)?;
            a.movups(xmmword_ptr(r15 + to), xmm4)
        })
    };
    between(GLOBAL, GLOBAL).unwrap();
    between(GLOBAL, OTHER_GLOBAL).unwrap_err();
    // Null is of every type.
    prove(&[], &[], |a| {
        a.xorps(xmm0, xmm0)?;
        a.movups(xmmword_ptr(r15 + OTHER_GLOBAL), xmm0)
    })
    .unwrap();
    prove(&[], &[], |a| {
        a.pcmpeqd(xmm0, xmm0)?;
        a.movups(xmmword_ptr(r15 + OTHER_GLOBAL), xmm0)
    })
    .unwrap_err();
}

#[test]
fn halves_of_references_belong_together() {
    // Both words of the other one, in either order.
    kept(|a| {
        a.mov(rax, qword_ptr(rbp - 32))?;
        a.mov(rcx, qword_ptr(rbp - 24))?;
        a.mov(qword_ptr(rbp - 8), rcx)?;
        a.mov(qword_ptr(rbp - 16), rax)
    })
    .unwrap();
    // One of them.
    kept(|a| {
        a.mov(rcx, qword_ptr(rbp - 24))?;
        a.mov(qword_ptr(rbp - 8), rcx)
    })
    .unwrap_err();
    let two = |first: i32, second: i32| {
        prove(&[NARROW, NARROW], &[], |a| {
            a.movups(xmmword_ptr(rbp - 32), xmm0)?;
            a.movups(xmmword_ptr(rbp - 48), xmm1)?;
            a.mov(rax, qword_ptr(rbp + first))?;
            a.mov(rcx, qword_ptr(rbp + second))?;
            a.mov(qword_ptr(rbp - 64), rax)?;
            a.mov(qword_ptr(rbp - 56), rcx)?;
            a.movups(xmm2, xmmword_ptr(rbp - 64))?;
            a.movups(xmmword_ptr(r15 + GLOBAL), xmm2)
        })
    };
    two(-32, -24).unwrap();
    two(-48, -40).unwrap();
    two(-32, -40).unwrap_err();
    two(-48, -24).unwrap_err();
    two(-24, -32).unwrap_err();
    two(-32, -32).unwrap_err();
}

#[test]
fn words_that_are_overwritten_take_the_reference_with_them() {
    let on_one_way = |pointer: bool, revision: bool| {
        prove(&[NARROW, ValueType::I32], &[], |a| {
            let mut after = a.create_label();
            a.movups(xmmword_ptr(rbp - 32), xmm0)?;
            a.test(edx, edx)?;
            a.je(after)?;
            if pointer {
                a.mov(qword_ptr(rbp - 32), 0)?;
            }
            if revision {
                a.mov(qword_ptr(rbp - 24), 0)?;
            }
            a.set_label(&mut after)?;
            a.movups(xmm2, xmmword_ptr(rbp - 32))?;
            a.movups(xmmword_ptr(r15 + GLOBAL), xmm2)
        })
    };
    on_one_way(false, false).unwrap();
    on_one_way(true, true).unwrap();
    on_one_way(false, true).unwrap_err();
    on_one_way(true, false).unwrap_err();
}

#[test]
fn references_are_no_numbers_and_numbers_none() {
    prove(&[NARROW, ValueType::I32], &[], |a| a.movups(xmmword_ptr(r14 + rdx), xmm0)).unwrap_err();
    prove(&[NARROW, ValueType::I32], &[], |a| a.movsd_2(qword_ptr(r14 + rdx), xmm0)).unwrap_err();
    prove(&[NARROW], &[], |a| a.paddq(xmm0, xmm0)).unwrap_err();
    prove(&[NARROW], &[ValueType::I64], |a| a.movq(rax, xmm0)).unwrap_err();
    // Whether it is null may be asked.
    prove(&[NARROW], &[ValueType::I32], |a| {
        a.movq(rax, xmm0)?;
        a.test(rax, rax)?;
        a.mov(eax, 0)
    })
    .unwrap();
    // A second reference to what a reference is to, with whatever revision it has by now.
    prove(&[NARROW], &[], |a| {
        a.movq(rax, xmm0)?;
        a.movq(xmm1, rax)?;
        a.movhps(xmm1, qword_ptr(rax + REVISION))?;
        a.movups(xmmword_ptr(r15 + GLOBAL), xmm1)
    })
    .unwrap_err();
    prove(&[NARROW], &[], |a| a.mov(rax, qword_ptr(r15 + GLOBAL))).unwrap_err();
    prove(&[NARROW, ValueType::I32], &[], |a| a.mov(qword_ptr(r15 + GLOBAL + 8), rdx)).unwrap_err();
}

#[test]
fn references_are_given_back_as_two() {
    let result = |first: i32, second: i32| {
        prove(&[NARROW, NARROW], &[NARROW], |a| {
            a.movups(xmmword_ptr(rbp - 32), xmm0)?;
            a.movups(xmmword_ptr(rbp - 48), xmm1)?;
            a.mov(rax, qword_ptr(rbp + first))?;
            a.mov(rcx, qword_ptr(rbp + second))
        })
    };
    result(-32, -24).unwrap();
    result(-48, -40).unwrap();
    result(-32, -40).unwrap_err();
    result(-24, -32).unwrap_err();
    prove(&[], &[NARROW], |a| {
        a.xor(eax, eax)?;
        a.xor(ecx, ecx)
    })
    .unwrap();
    prove(&[], &[NARROW], |a| {
        a.mov(eax, 1)?;
        a.xor(ecx, ecx)
    })
    .unwrap_err();
    prove(&[OTHER], &[NARROW], |a| {
        a.movups(xmmword_ptr(rbp - 32), xmm0)?;
        a.mov(rax, qword_ptr(rbp - 32))?;
        a.mov(rcx, qword_ptr(rbp - 24))
    })
    .unwrap_err();
}

/// No address counts in 16 bytes, so two instructions lead to an element: by the same index.
#[test]
fn elements_of_tables_are_read_as_a_whole() {
    let element = |between: fn(&mut CodeAssembler) -> Code, at: i32| {
        prove(&[ValueType::I32, ValueType::I32], &[], |a| {
            let mut out = a.create_label();
            a.cmp(rdx, qword_ptr(r15 + COUNT))?;
            a.jae(out)?;
            a.cmp(rcx, qword_ptr(r15 + COUNT))?;
            a.jae(out)?;
            a.mov(rax, qword_ptr(r15 + TABLE))?;
            a.lea(rax, qword_ptr(rax + rdx * 8))?;
            between(a)?;
            a.movups(xmm0, xmmword_ptr(rax + rdx * 8 + at))?;
            a.movups(xmmword_ptr(r15 + GLOBAL), xmm0)?;
            a.set_label(&mut out)?;
            a.nop()
        })
    };
    element(|_| Ok(()), 0).unwrap();
    element(|_| Ok(()), 8).unwrap_err();
    element(|_| Ok(()), -16).unwrap_err();
    // Half of one element and half of another.
    element(|a| a.mov(rdx, rcx), 0).unwrap_err();
    element(|a| a.mov(rax, rax), 0).unwrap_err();
}

/// What a branch tells on one of its arms of the operands of a call is not so on the other.
#[test]
fn a_handler_that_is_asked_for_finds_a_reference_where_nobody_else_does() {
    use crate::stacks::Answer;
    use crate::state::{RAX, RCX, State};
    use crate::value::{ANSWER_HANDLERS, ANSWER_OPEN, ANSWER_RESULTS, ASKED, Tag, Value};
    use crate::walk::{Role, Walk};

    const TOP: i32 = -64;
    let mut assembler = CodeAssembler::new(64).unwrap();
    let mut pad = assembler.create_label();
    assembler.test(eax, eax).unwrap();
    assembler.jne(pad).unwrap();
    assembler.nop().unwrap();
    assembler.set_label(&mut pad).unwrap();
    assembler.ud2().unwrap();
    let text = assembler.assemble(0).unwrap();
    let facts = facts(&[], &[]);
    let tables = Tables { functions: vec![Range { start: 0, end: text.len() as u32 }], ..Tables::default() };
    let prover = Prover::new(&facts, &text, &tables).unwrap();
    let mut walk = Walk::new(&prover);
    walk.begin(Range { start: 0, end: text.len() as u32 });
    walk.role = Role::Body(0);
    walk.answers.push(Answer { of: 1, handlers: vec![(0, 1)], top: TOP });
    let slots = walk.frames.begin();
    walk.st = State::new(slots);
    walk.st.regs[RAX] = Value::new(Tag::Asked, ASKED, 0);
    walk.st.regs[RCX] = Value::new(Tag::Answer, ANSWER_OPEN, 0);
    for at in [TOP, TOP + 8] {
        walk.put_word(at, Value::new(Tag::Answer, ANSWER_OPEN, 0));
    }
    let mut reader = crate::decode::Reader::new(&text);
    let mut instruction = crate::decode::Instruction::NONE;
    for _ in 0..2 {
        walk.at = walk.next;
        reader.read(walk.at, &mut instruction).unwrap();
        walk.next += u32::from(instruction.len);
        walk.transfer(&instruction).unwrap();
    }
    let target = walk.target(&instruction).unwrap();
    assert_eq!(walk.st.regs[RCX], Value::new(Tag::Answer, ANSWER_RESULTS, 0));
    assert_eq!(walk.reference_at(TOP), None);
    walk.st = *walk.state_at(target).unwrap();
    assert_eq!(walk.st.regs[RCX], Value::new(Tag::Answer, ANSWER_HANDLERS, 0));
    assert!(walk.reference_at(TOP).is_some());
}

/// Proves a routine that throws an exception for a continuation that has not begun, and traps where there is none.
fn throws(hardware_traps: bool, before: fn(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    use crate::facts::{Border, Builtin, StoreField};
    let mut a = CodeAssembler::new(64).unwrap();
    let text = |a: &mut CodeAssembler| {
        let (mut trap, mut exit) = (a.create_label(), a.create_label());
        a.ud2()?;
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        a.mov(rax, qword_ptr(rbp + 16))?;
        a.test(rax, rax)?;
        a.je(trap)?;
        a.mov(rcx, qword_ptr(rax + REVISION))?;
        a.cmp(rcx, qword_ptr(rbp + 24))?;
        a.jne(trap)?;
        a.mov(esi, dword_ptr(rax + 32))?;
        a.cmp(esi, 0)?;
        a.jne(trap)?;
        a.add(rcx, 1)?;
        a.mov(qword_ptr(rax + REVISION), rcx)?;
        a.mov(dword_ptr(rax + 32), 5)?;
        for list in [104, 120] {
            a.mov(dword_ptr(rax + list), 0)?;
            a.mov(dword_ptr(rax + list + 4), 0)?;
            a.mov(qword_ptr(rax + list + 8), 0)?;
        }
        a.mov(esi, edx)?;
        a.mov(rdi, r15)?;
        a.call(exit)?;
        a.set_label(&mut trap)?;
        before(a)?;
        a.ud2()?;
        a.set_label(&mut exit)?;
        a.ud2()
    };
    text(&mut a).unwrap();
    let text = a.assemble(0).unwrap();
    let end = text.len() as u32;
    let mut facts = facts(&[], &[]);
    facts.settings.hardware_traps = hardware_traps;
    facts.instance.insert(0, Field { offset: 8, width: 8, kind: InstanceField::Store });
    let field = |offset: u32, kind| Field { offset, width: 8, kind };
    facts.store = vec![field(0, StoreField::StackLimit), field(8, StoreField::StackChainKind)];
    let tables = Tables {
        functions: vec![Range { start: 0, end: 2 }],
        borders: vec![(Border::WasmToBuiltin(Builtin::ThrowRef), Range { start: end - 2, end })],
        ..Tables::default()
    };
    let prover = Prover::new(&facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    prover.switching(2).map(drop)
}

#[test]
fn where_a_routine_traps_the_frame_pointer_leads_to_the_callers() {
    throws(true, |_| Ok(())).unwrap();
    throws(true, |a| a.leave()).unwrap();
    throws(true, |a| a.mov(rbp, rdx)).unwrap_err();
    throws(true, |a| a.mov(rbp, rax)).unwrap_err();
    // Without signals it is no trap.
    throws(false, |_| Ok(())).unwrap_err();
}
