//! Calls and jumps to imported functions that name the code itself: two modules of one text, put together by hand.

use super::*;
use crate::TextProver;
use crate::facts::{Known, KnownMemory};
use iced_x86::code_asm::CodeAssembler;

const CODE: [i32; 3] = [128, 160, 192];
const INSTANCE: [i32; 3] = [136, 168, 200];

/// A module of two functions that can be called from outside, and one that imports them, the second by two names, and
/// knows of the first and the last whose code they are.
fn modules(known: [Option<Known>; 3]) -> [Facts; 2] {
    let mut callee = facts(&[I32], &[I32]);
    callee.types = [I32, I64]
        .map(|ty| Type {
            kind: TypeKind::Function(Signature { params: vec![ty], results: vec![I32] }),
            supertype: None,
        })
        .to_vec()
        .into();
    callee.functions = vec![Function { ty: 0, imported: false, escapes: true }; 2];
    let mut caller = Facts { types: callee.types.clone(), ..facts(&[I32], &[I32]) };
    caller.functions = vec![Function { ty: 0, imported: true, escapes: false }; 3];
    caller.functions.push(Function { ty: 0, imported: false, escapes: false });
    caller.known_imports = known.to_vec();
    for (import, (code, instance)) in (0..).zip(CODE.into_iter().zip(INSTANCE)) {
        let field = |offset: i32, kind| Field { offset: offset as u32, width: 8, kind };
        caller.instance.push(field(code, InstanceField::FunctionCode(import)));
        caller.instance.push(field(instance, InstanceField::FunctionInstance(import)));
    }
    [callee, caller]
}

/// The places of a text that code may name.
struct Places {
    thunks: [CodeLabel; 2],
    functions: [CodeLabel; 2],
    private: [CodeLabel; 2],
}

fn thunk(a: &mut CodeAssembler, private: CodeLabel) -> Code {
    a.push(rbp)?;
    a.mov(rbp, rsp)?;
    a.sub(rsp, 16)?;
    a.mov(qword_ptr(rbp - 8), r15)?;
    a.mov(qword_ptr(rbp - 16), r14)?;
    a.mov(r15, rdi)?;
    a.mov(r14, qword_ptr(r15 + 48))?;
    a.mov(edx, edx)?;
    a.call(private)?;
    a.mov(r15, qword_ptr(rbp - 8))?;
    a.mov(r14, qword_ptr(rbp - 16))?;
    a.leave()?;
    a.ret()
}

/// Proves a text whose caller does this in a frame, with a checked stack or not.
fn proved(
    known: [Option<Known>; 3],
    limited: bool,
    body: impl FnOnce(&mut CodeAssembler, Places) -> Code,
) -> Result<(), &'static str> {
    proved_by(&modules(known), limited, body)
}

fn proved_by(
    facts: &[Facts; 2],
    limited: bool,
    body: impl FnOnce(&mut CodeAssembler, Places) -> Code,
) -> Result<(), &'static str> {
    let (text, places) = assemble(|a| {
        let mut thunks = [a.create_label(), a.create_label()];
        let mut functions = [a.create_label(), a.create_label()];
        let mut private = [a.create_label(), a.create_label()];
        let (mut caller, mut overflow) = (a.create_label(), a.create_label());
        for n in 0..2 {
            a.set_label(&mut functions[n])?;
            // Five bytes, as the text has it.
            a.db(&[0xe9])?;
            a.db(&[0; 4])?;
            a.set_label(&mut private[n])?;
            a.lea(eax, qword_ptr(rdx + n))?;
            a.ret()?;
        }
        a.set_label(&mut caller)?;
        enter(a)?;
        if limited {
            limit(a, overflow)?;
        }
        body(a, Places { thunks, functions, private })?;
        a.set_label(&mut overflow)?;
        a.ud2()?;
        for n in 0..2 {
            a.set_label(&mut thunks[n])?;
            thunk(a, private[n])?;
        }
        Ok(vec![functions[0], functions[1], caller, thunks[0], thunks[1]])
    });
    let mut text = text;
    for (function, thunk) in [(places[0], places[3]), (places[1], places[4])] {
        let distance = thunk.wrapping_sub(function + 5).to_le_bytes();
        text[function as usize + 1..function as usize + 5].copy_from_slice(&distance);
    }
    let functions = places.windows(2).take(3).map(|pair| Range { start: pair[0], end: pair[1] }).collect();
    let tables = Tables { functions, ..Tables::default() };
    let prover = TextProver::new(facts, &text, &tables).map_err(|failure| failure.reason.0)?;
    let part = prover.functions(0..3).map_err(|failure| failure.reason.0)?;
    prover.finish(vec![part]).map(drop).map_err(|failure| failure.reason.0)
}

const FIRST: Option<Known> = Some(Known { number: 0, ty: 0, memory: KnownMemory::At(48) });
const SECOND: Option<Known> = Some(Known { number: 1, ty: 0, memory: KnownMemory::At(48) });
const KNOWN: [Option<Known>; 3] = [FIRST, None, SECOND];

const OTHER: &str = "call of another function than the import is";
const UNKNOWN: &str = "call past an import that may be any function";

/// A call that passes the instance which is here, and goes where this says.
fn call(known: [Option<Known>; 3], instance: i32, to: fn(&Places) -> CodeLabel) -> Result<(), &'static str> {
    proved(known, true, |a, places| {
        a.mov(rdi, qword_ptr(r15 + instance))?;
        a.mov(rsi, r15)?;
        a.call(to(&places))?;
        a.leave()?;
        a.ret()
    })
}

/// A jump that does, in place of a return.
fn jump(known: [Option<Known>; 3], instance: i32, to: fn(&Places) -> CodeLabel) -> Result<(), &'static str> {
    proved(known, true, |a, places| {
        a.mov(rdi, qword_ptr(r15 + instance))?;
        a.mov(rsi, r15)?;
        a.leave()?;
        a.jmp(to(&places))
    })
}

#[test]
fn a_known_import_is_called_by_the_code_that_enters_it() {
    for go in [call, jump] {
        assert_eq!(go(KNOWN, INSTANCE[0], |places| places.thunks[0]), Ok(()));
        assert_eq!(go(KNOWN, INSTANCE[2], |places| places.thunks[1]), Ok(()));
        // Another function, and another import's instance.
        assert_eq!(go(KNOWN, INSTANCE[0], |places| places.thunks[1]), Err(OTHER));
        assert_eq!(go(KNOWN, INSTANCE[2], |places| places.thunks[0]), Err(OTHER));
        // An import that is not known, whatever it may be here.
        assert_eq!(go(KNOWN, INSTANCE[1], |places| places.thunks[1]), Err(UNKNOWN));
        assert_eq!(go(KNOWN, INSTANCE[1], |places| places.thunks[0]), Err(UNKNOWN));
        assert_eq!(go([None; 3], INSTANCE[0], |places| places.thunks[0]), Err(UNKNOWN));
        // Its other entries are no thunk: the first byte, as there is one right way, and what expects its own instance.
        assert_eq!(go(KNOWN, INSTANCE[0], |places| places.functions[0]), Err(OTHER));
        // What the facts say is looked at, too: there is such a function, and it is of the import's type.
        let odd = |number: u32, ty: u32| [Some(Known { number, ty, memory: KnownMemory::Elsewhere }), None, None];
        assert_eq!(go(odd(0, 0), INSTANCE[0], |places| places.thunks[0]), Ok(()));
        assert!(go(odd(0, 1), INSTANCE[0], |places| places.thunks[0]).is_err());
        assert!(go(odd(2, 0), INSTANCE[0], |places| places.thunks[0]).is_err());
        assert!(go(odd(3, 0), INSTANCE[0], |places| places.thunks[0]).is_err());
        // The code's address is no instance, nor is the caller's own.
        assert!(go(KNOWN, CODE[0], |places| places.thunks[0]).is_err());
        assert!(go(KNOWN, 48, |places| places.thunks[0]).is_err());
    }
}

/// A call of private code of another module, in parts: what is loaded ahead of it, where it goes, and what the own
/// registers hold again.
struct Across {
    instance: i32,
    memory: Option<i32>,
    to: fn(&Places) -> CodeLabel,
    save: fn(&mut CodeAssembler) -> Code,
    back: fn(&mut CodeAssembler) -> Code,
}

const ACROSS: Across = Across {
    instance: INSTANCE[0],
    memory: Some(48),
    to: |places| places.private[0],
    save: |a| a.mov(qword_ptr(rbp - 8), r15),
    back: |a| a.mov(r15, qword_ptr(rbp - 8)).and_then(|()| a.mov(r14, qword_ptr(r15 + 48))),
};

fn across(known: [Option<Known>; 3], parts: &Across) -> Result<(), &'static str> {
    proved(known, true, |a, places| {
        (parts.save)(a)?;
        a.mov(r15, qword_ptr(r15 + parts.instance))?;
        if let Some(memory) = parts.memory {
            a.mov(r14, qword_ptr(r15 + memory))?;
        }
        a.call((parts.to)(&places))?;
        (parts.back)(a)?;
        a.leave()?;
        a.ret()
    })
}

#[test]
fn private_code_of_another_module_is_called_with_its_own_registers() {
    assert_eq!(across(KNOWN, &ACROSS), Ok(()));
    let second: fn(&Places) -> CodeLabel = |places| places.private[1];
    assert_eq!(across(KNOWN, &Across { instance: INSTANCE[2], to: second, ..ACROSS }), Ok(()));
    // Another function, another import's instance, an import that is not known, another way in.
    assert_eq!(across(KNOWN, &Across { to: second, ..ACROSS }), Err(OTHER));
    assert_eq!(across(KNOWN, &Across { instance: INSTANCE[2], ..ACROSS }), Err(OTHER));
    assert_eq!(across(KNOWN, &Across { instance: INSTANCE[1], ..ACROSS }), Err(UNKNOWN));
    assert_eq!(across(KNOWN, &Across { to: |places| places.thunks[0], ..ACROSS }), Err(OTHER));
    assert_eq!(across(KNOWN, &Across { to: |places| places.functions[0], ..ACROSS }), Err(OTHER));
    // The caller's own memory, something else for it, none; and none is wanted where there is none.
    assert!(across(KNOWN, &Across { memory: None, ..ACROSS }).is_err());
    assert!(across(KNOWN, &Across { memory: Some(STORE as i32), ..ACROSS }).is_err());
    assert!(across(KNOWN, &Across { memory: Some(56), ..ACROSS }).is_err());
    let with = |memory| [Some(Known { number: 0, ty: 0, memory }), None, None];
    assert_eq!(across(with(KnownMemory::None), &Across { memory: None, ..ACROSS }), Ok(()));
    assert!(across(with(KnownMemory::Elsewhere), &ACROSS).is_err());
    assert!(across(with(KnownMemory::Elsewhere), &Across { memory: None, ..ACROSS }).is_err());
    assert!(across(with(KnownMemory::At(56)), &ACROSS).is_err());
    // Whoever has called has its own registers again, and nothing works without.
    assert!(across(KNOWN, &Across { back: |_| Ok(()), ..ACROSS }).is_err());
    assert!(across(KNOWN, &Across { back: |a| a.mov(r15, qword_ptr(rbp - 8)), ..ACROSS }).is_err());
    assert!(across(KNOWN, &Across { save: |_| Ok(()), ..ACROSS }).is_err());
    let of_callee: fn(&mut CodeAssembler) -> Code = |a| a.mov(r14, qword_ptr(r15 + 48));
    assert!(across(KNOWN, &Across { back: of_callee, ..ACROSS }).is_err());
    // The base of the callee's memory is good for that call alone.
    let kept = |use_it: fn(&mut CodeAssembler) -> Code| {
        proved(KNOWN, true, |a, places| {
            a.mov(rax, qword_ptr(r15 + INSTANCE[0]))?;
            a.mov(rcx, qword_ptr(rax + 48))?;
            use_it(a)?;
            a.mov(qword_ptr(rbp - 8), r15)?;
            a.mov(r15, rax)?;
            a.mov(r14, rcx)?;
            a.call(places.private[0])?;
            (ACROSS.back)(a)?;
            a.leave()?;
            a.ret()
        })
    };
    assert_eq!(kept(|_| Ok(())), Ok(()));
    assert!(kept(|a| a.mov(r8d, dword_ptr(rcx))).is_err());
    assert!(kept(|a| a.mov(dword_ptr(rax + 48), edx)).is_err());
    assert!(kept(|a| a.mov(r8d, dword_ptr(rax + 48))).is_err());
    assert!(kept(|a| a.mov(r8, qword_ptr(rax + 56))).is_err());
    assert!(kept(|a| a.mov(qword_ptr(rbp - 16), rcx).and_then(|()| a.mov(rcx, qword_ptr(rbp - 16)))).is_err());
}

/// A call that has begun in place is ended by no exception, from wherever: none comes where there are none.
#[test]
fn no_exception_comes_from_another_module_past_the_frame_of_the_current_thread() {
    let call = |exceptions: bool| {
        let mut facts = modules(KNOWN);
        let adapters = super::threads::adapters();
        facts[1].store = adapters.store.clone();
        facts[1].settings.forced_thread = adapters.settings.forced_thread;
        facts[1].threads = adapters.threads.map(|threads| crate::facts::Threads { exceptions, ..threads });
        proved_by(&facts, true, |a, places| {
            let mut made = a.create_label();
            a.sub(rsp, 64)?;
            a.mov(qword_ptr(rbp - 40), r15)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            super::threads::ENTER.iter().try_for_each(|step| step(a))?;
            a.xor(edx, edx)?;
            a.mov(r15, qword_ptr(r15 + INSTANCE[0]))?;
            a.mov(r14, qword_ptr(r15 + 48))?;
            a.call(places.private[0])?;
            a.mov(r15, qword_ptr(rbp - 40))?;
            a.mov(r14, qword_ptr(r15 + 48))?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.lea(rcx, qword_ptr(rbp + super::threads::RECORD))?;
            a.cmp(qword_ptr(r11 + super::threads::CURRENT), rcx)?;
            a.jne(made)?;
            super::threads::LEAVE.iter().try_for_each(|step| step(a))?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut made)?;
            a.ud2()
        })
    };
    assert_eq!(call(false), Ok(()));
    assert_eq!(call(true), Err("call from which an exception may leave the frame of the current thread"));
}

#[test]
fn a_direct_call_passes_what_any_call_does() {
    let with = |pass: fn(&mut CodeAssembler) -> Code| {
        proved(KNOWN, true, |a, places| {
            pass(a)?;
            a.call(places.thunks[0])?;
            a.leave()?;
            a.ret()
        })
    };
    let instances = |a: &mut CodeAssembler| a.mov(rdi, qword_ptr(r15 + INSTANCE[0])).and_then(|()| a.mov(rsi, r15));
    with(|a| a.mov(rdi, qword_ptr(r15 + INSTANCE[0])).and_then(|()| a.mov(rsi, r15))).unwrap();
    // No caller's instance, the callee's as the caller's, one's own as both, none at all.
    with(|a| a.mov(rdi, qword_ptr(r15 + INSTANCE[0]))).unwrap_err();
    with(|a| a.mov(rdi, qword_ptr(r15 + INSTANCE[0])).and_then(|()| a.mov(rsi, rdi))).unwrap_err();
    with(|a| a.mov(rdi, r15).and_then(|()| a.mov(rsi, r15))).unwrap_err();
    with(|_| Ok(())).unwrap_err();
    // An argument that is no number, a stack that is not aligned.
    with(|a| a.mov(rdi, qword_ptr(r15 + INSTANCE[0])).and_then(|()| a.mov(rsi, r15)).and_then(|()| a.mov(rdx, r15)))
        .unwrap_err();
    with(|a| a.sub(rsp, 8).and_then(|()| a.mov(rdi, qword_ptr(r15 + INSTANCE[0]))).and_then(|()| a.mov(rsi, r15)))
        .unwrap_err();
    // Not before the stack is compared with its limit: what is jumped to makes a frame.
    for (limited, jumps) in [(true, false), (true, true), (false, false), (false, true)] {
        let result = proved(KNOWN, limited, |a, places| {
            instances(a)?;
            if jumps {
                a.leave()?;
                return a.jmp(places.thunks[0]);
            }
            a.call(places.thunks[0])?;
            a.leave()?;
            a.ret()
        });
        assert_eq!(result.is_ok(), limited);
    }
    // What is known of registers ends with it.
    proved(KNOWN, true, |a, places| {
        instances(a)?;
        a.call(places.thunks[0])?;
        a.mov(eax, edx)?;
        a.leave()?;
        a.ret()
    })
    .unwrap_err();
}
