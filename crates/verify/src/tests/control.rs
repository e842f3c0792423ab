//! Control that leaves a function otherwise than by a call that comes back: tail calls, routines without frames, and
//! landing pads of exceptions.

use super::*;
use crate::facts::{CallSite, Handler, Tag};

/// Two functions of a type, of which the first is proved.
fn two(facts: &mut Facts, ty: Signature) {
    std::sync::Arc::make_mut(&mut facts.types).push(Type { kind: TypeKind::Function(ty), supertype: None });
    facts.functions.push(Function { ty: 1, imported: false, escapes: false });
}

/// Proves the first of two functions, which goes on to the second.
fn jump_of(facts: &Facts, leave: impl FnOnce(&mut CodeAssembler) -> Code) -> Result<(), &'static str> {
    let (text, places) = assemble(|a| {
        let (mut next, mut trap) = (a.create_label(), a.create_label());
        enter(a)?;
        limit(a, trap)?;
        leave(a)?;
        a.jmp(next)?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        a.set_label(&mut next)?;
        a.ret()?;
        Ok(vec![next])
    });
    let range = |start, end| Range { start, end };
    let functions = vec![range(0, places[0]), range(places[0], text.len() as u32)];
    let tables = Tables { functions, ..Tables::default() };
    Prover::new(facts, &text, &tables).unwrap().functions(0..1).map(drop).map_err(|failure| failure.reason.0)
}

#[test]
fn tail_calls_leave_everything_as_the_callee_wants_it() {
    let jump = |leave: fn(&mut CodeAssembler) -> Code, params: &[ValueType], results: &[ValueType]| {
        let mut facts = facts(&[I64], &[I32]);
        two(&mut facts, Signature { params: params.to_vec(), results: results.to_vec() });
        jump_of(&facts, leave)
    };
    let leave = |a: &mut CodeAssembler| a.leave();
    jump(leave, &[], &[I32]).unwrap();
    jump(leave, &[I64], &[I32]).unwrap();
    jump(|a| a.mov(edx, edx).and_then(|()| a.leave()), &[I32], &[I32]).unwrap();
    // The upper half of an argument, an argument that nothing wrote, a vector likewise.
    jump(leave, &[I32], &[I32]).unwrap_err();
    jump(leave, &[I64, I64], &[I32]).unwrap_err();
    jump(leave, &[ValueType::F64], &[I32]).unwrap_err();
    // The upper half of a product of 128 bits, by 32 bits: the quotient by a constant.
    let product = |narrow: bool, multiply: fn(&mut CodeAssembler) -> Code| {
        let (mut facts, callee) = (facts(&[I64], &[I32]), Signature { params: vec![I32], results: vec![I32] });
        two(&mut facts, callee);
        jump_of(&facts, |a| {
            if narrow {
                a.mov(edx, edx)?;
            }
            a.mov(rax, 0x2492_4924_9249_2493_u64)?;
            multiply(a)?;
            a.leave()
        })
    };
    product(true, |a| a.mul(rdx)).unwrap();
    product(true, |a| a.imul(rdx)).unwrap_err();
    product(false, |a| a.mul(rdx)).unwrap_err();
    // A number moved down by 32 bits, which is just enough.
    jump(|a| a.shr(rdx, 32).and_then(|()| a.leave()), &[I32], &[I32]).unwrap();
    jump(|a| a.shr(rdx, 31).and_then(|()| a.leave()), &[I32], &[I32]).unwrap_err();
    jump(|a| a.sar(rdx, 32).and_then(|()| a.leave()), &[I32], &[I32]).unwrap_err();
    // A number for a reference; other results.
    jump(leave, &[ValueType::Func(FuncType { ty: None, nullable: true })], &[I32]).unwrap_err();
    jump(leave, &[], &[]).unwrap_err();
    jump(leave, &[], &[ValueType::F32]).unwrap_err();
    jump(leave, &[], &[I32, I32]).unwrap_err();
    // The frame, preserved registers, the instance, arguments on the stack for which there is no room.
    jump(|_| Ok(()), &[], &[I32]).unwrap_err();
    jump(|a| a.leave().and_then(|()| a.push(rdx)), &[], &[I32]).unwrap_err();
    jump(|a| a.xor(ebx, ebx).and_then(|()| a.leave()), &[], &[I32]).unwrap_err();
    jump(|a| a.mov(r15, r14).and_then(|()| a.leave()), &[], &[I32]).unwrap_err();
    jump(leave, &[I64; 7], &[I32]).unwrap_err();
}

#[test]
fn whoever_goes_on_to_another_module_has_looked_at_the_limit() {
    const CODE: i32 = 80;
    const INSTANCE: i32 = 88;
    let jump = |looks: bool| {
        let mut facts = facts(&[I64], &[I64]);
        facts.functions.insert(0, Function { ty: 0, imported: true, escapes: false });
        let field = |offset: i32, kind| Field { offset: offset as u32, width: 8, kind };
        facts.instance.push(field(CODE, InstanceField::FunctionCode(0)));
        facts.instance.push(field(INSTANCE, InstanceField::FunctionInstance(0)));
        prove_with(&facts, |a| {
            let mut trap = a.create_label();
            enter(a)?;
            if looks {
                limit(a, trap)?;
            }
            a.mov(rdi, qword_ptr(r15 + INSTANCE))?;
            a.mov(rsi, r15)?;
            a.mov(rax, qword_ptr(r15 + CODE))?;
            a.leave()?;
            a.jmp(rax)?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    };
    jump(true).unwrap();
    assert!(jump(false).unwrap_err().starts_with("tail call out of the module"));
}

#[test]
fn routines_without_frames_know_nothing_of_the_stack() {
    let call = |routine: fn(&mut CodeAssembler) -> Code| {
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
        prove_beside(&facts(&[I32], &[I64]), None, function, |a| routine(a).and_then(|()| a.ret()))
    };
    call(|a| a.mov(rax, qword_ptr(r15 + LENGTH))).unwrap();
    call(|a| a.mov(eax, 5).and_then(|()| a.xor(ecx, ecx))).unwrap();
    // There its own return address is on top.
    call(|a| a.mov(qword_ptr(rsp), rdx).and_then(|()| a.xor(eax, eax))).unwrap_err();
    call(|a| a.mov(rax, qword_ptr(rsp))).unwrap_err();
    call(|a| a.mov(rax, qword_ptr(rsp + 8))).unwrap_err();
    call(|a| a.mov(rsp, rbp).and_then(|()| a.xor(eax, eax))).unwrap_err();
    call(|a| a.mov(qword_ptr(rbp - 48), rdx).and_then(|()| a.xor(eax, eax))).unwrap_err();
    // The trap table knows the call, and not what it calls.
    call(|a| a.mov(eax, dword_ptr(r14 + rdx))).unwrap_err();
    call(|a| a.mov(r15, r14).and_then(|()| a.xor(eax, eax))).unwrap_err();
    call(|a| a.mov(qword_ptr(r15 + LENGTH), rdx)).unwrap_err();
}

/// What a pad has to give back, and where the frame keeps it.
const PRESERVED: [(AsmRegister64, i32); 3] = [(rbx, 40), (r12, 48), (r13, 56)];

/// Proves a function that calls itself, with a handler of tag 0 whose pad gives what `pad` computes.
fn handle(
    keep: fn(&mut CodeAssembler) -> Code,
    pad: fn(&mut CodeAssembler) -> Code,
    change: fn(&mut CallSite, &mut Handler),
) -> Result<(), &'static str> {
    let mut facts = facts(&[I32], &[I32]);
    facts.tags.push(Tag { ty: 0, exception: None });
    let (text, places) = assemble(|a| {
        let (mut trap, mut back, mut handler, mut own) =
            (a.create_label(), a.create_label(), a.create_label(), a.create_label());
        a.set_label(&mut own)?;
        enter(a)?;
        a.sub(rsp, 32)?;
        limit(a, trap)?;
        for (reg, at) in PRESERVED {
            a.mov(qword_ptr(rbp - at), reg)?;
        }
        keep(a)?;
        a.call(own)?;
        a.set_label(&mut back)?;
        a.mov(eax, eax)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut handler)?;
        pad(a)?;
        for (reg, at) in PRESERVED {
            a.mov(reg, qword_ptr(rbp - at))?;
        }
        a.leave()?;
        a.ret()?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        Ok(vec![back, handler])
    });
    let mut site = CallSite { returns_to: places[0], frame: 64, handlers: (0, 1) };
    let mut handler = Handler { tag: Some(0), context: Some(48), pad: places[1] };
    change(&mut site, &mut handler);
    let functions = vec![Range { start: 0, end: text.len() as u32 }];
    let tables = Tables { functions, calls: vec![site], handlers: vec![handler], ..Tables::default() };
    let prover = Prover::new(&facts, &text, &tables).unwrap();
    prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
}

#[test]
fn landing_pads_know_the_frame_and_nothing_else() {
    fn keep(a: &mut CodeAssembler) -> Code {
        a.mov(qword_ptr(rbp - 16), r15)?;
        a.mov(dword_ptr(rbp - 32), edx)
    }
    fn pad(a: &mut CodeAssembler) -> Code {
        a.mov(r15, qword_ptr(rbp - 16))?;
        a.mov(r14, qword_ptr(r15 + 48))
    }
    fn same(_: &mut CallSite, _: &mut Handler) {}
    handle(keep, pad, same).unwrap();
    // The exception, and what is in the frame.
    handle(keep, |a| pad(a).and_then(|()| a.mov(eax, eax)), same).unwrap();
    handle(keep, |a| pad(a).and_then(|()| a.mov(eax, dword_ptr(rbp - 32))), same).unwrap();
    // What nothing wrote, and registers.
    handle(keep, |a| pad(a).and_then(|()| a.mov(eax, dword_ptr(rbp - 24))), same).unwrap_err();
    handle(keep, |a| pad(a).and_then(|()| a.mov(eax, edx)), same).unwrap_err();
    handle(keep, |a| pad(a).and_then(|()| a.mov(eax, ebx)), same).unwrap_err();
    handle(keep, |_| Ok(()), same).unwrap_err();
    handle(keep, |a| a.mov(r15, qword_ptr(rbp - 16)), same).unwrap_err();
}

#[test]
fn handlers_are_where_and_what_the_table_says() {
    fn keep(a: &mut CodeAssembler) -> Code {
        a.mov(qword_ptr(rbp - 16), r15)
    }
    fn pad(a: &mut CodeAssembler) -> Code {
        a.mov(r15, qword_ptr(rbp - 16))?;
        a.mov(r14, qword_ptr(r15 + 48))
    }
    handle(keep, pad, |_, _| ()).unwrap();
    handle(keep, pad, |_, handler| (handler.tag, handler.context) = (None, None)).unwrap();
    handle(keep, pad, |site, _| site.frame += 16).unwrap_err();
    handle(keep, pad, |site, _| site.frame -= 16).unwrap_err();
    handle(keep, pad, |_, handler| handler.context = Some(56)).unwrap_err();
    handle(keep, pad, |_, handler| handler.context = Some(32)).unwrap_err();
    handle(keep, pad, |_, handler| handler.context = Some(72)).unwrap_err();
    handle(keep, pad, |_, handler| handler.context = None).unwrap_err();
    handle(keep, pad, |_, handler| handler.tag = Some(1)).unwrap_err();
    handle(keep, pad, |_, handler| handler.pad += 1).unwrap_err();
    handle(keep, pad, |_, handler| handler.pad = 0).unwrap_err();
    handle(keep, pad, |_, handler| handler.pad = 0x1000).unwrap_err();
    handle(keep, pad, |site, _| site.handlers = (0, 2)).unwrap_err();
    // Nobody keeps the instance.
    handle(|_| Ok(()), pad, |_, _| ()).unwrap_err();
    handle(|a| a.mov(qword_ptr(rbp - 16), rdx), pad, |_, _| ()).unwrap_err();
}
