//! A component's own functions, put together by hand: each accepted as it should be, and refused in each weakened form.

use super::borders::{BUILTINS, ENTRY_FRAME, ENTRY_HANDLER, ENTRY_STACK, record, with_borders};
use super::*;
use crate::facts::{
    Argument, Border, Builtin, CallSite, Callee, Component, Context, Crossing, Drop, Handler, HostCall, Outcome,
    Trampoline, Works,
};
use crate::{TextProver, tables};
use iced_x86::code_asm::CodeAssembler;

const LIBCALLS: i32 = 8;
const CONTEXT_STORE: u32 = 16;
const LEAVES: i32 = 32;
const HOLDER_LEAVES: i32 = 48;
const MAY_BLOCK: i32 = 64;
const LOWERING: i32 = 128;
const MEMORY: [i32; 2] = [144, 152];
const DESTRUCTOR: i32 = 176;
const RAISE: i32 = 16;
const TRAP: i32 = 24;
pub(super) const SLOT: i32 = 128;
const TRAP_CODE: i32 = 5;

fn component_of(signature: Signature, works: Works) -> Facts {
    let mut facts = with_borders(&signature.params, &signature.results);
    facts.functions.clear();
    facts.memories.clear();
    facts.tables.clear();
    facts.instance.retain(|field| matches!(field.kind, InstanceField::Store | InstanceField::Builtins));
    facts.builtins.push((Builtin::Trap, TRAP as u32));
    facts.trap_codes = vec![TRAP_CODE as u8];
    facts.store.extend([
        Field { offset: SLOT as u32, width: 4, kind: StoreField::TaskSlot(0) },
        Field { offset: SLOT as u32 + 4, width: 4, kind: StoreField::TaskSlot(1) },
    ]);
    let context = Context {
        libcalls: LIBCALLS as u32,
        store: CONTEXT_STORE,
        may_leave: (LEAVES as u32, 2),
        may_block: MAY_BLOCK as u32,
        lowerings: (LOWERING as u32, 1),
        memories: (MEMORY[0] as u32, 2),
        callbacks: (160, 1),
        post_returns: (168, 1),
        destructors: (DESTRUCTOR as u32, 1),
    };
    let trampolines = vec![Trampoline { ty: 0, works }];
    facts.component = Some(Box::new(Component { context, libcalls: 64, trampolines, intrinsics: Vec::new() }));
    facts
}

pub(super) fn calls(params: &[ValueType], results: &[ValueType], call: HostCall) -> Facts {
    component_of(Signature { params: params.to_vec(), results: results.to_vec() }, Works::Calls(call))
}

pub(super) type Part = fn(&mut CodeAssembler) -> Code;

pub(super) const NOTHING: Part = |_| Ok(());

/// Proves code that belongs to no module. Labels of what it says are where it begins, and where handlers are.
pub(super) fn proved(
    facts: &Facts,
    border: Border,
    sites: &[(usize, u32)],
    body: impl FnOnce(&mut CodeAssembler) -> Result<Vec<CodeLabel>, iced_x86::IcedError>,
) -> Result<(), &'static str> {
    let (text, places) = assemble(body);
    let end = text.len() as u32;
    let mut tables = Tables { borders: vec![(border, Range { start: 0, end })], ..Tables::default() };
    for (n, (site, frame)) in sites.iter().enumerate() {
        let handlers = (n as u32, n as u32 + 1);
        tables.calls.push(CallSite { returns_to: places[*site], frame: *frame, handlers });
        tables.handlers.push(Handler { tag: None, context: None, pad: places[*site + 1] });
    }
    let all = std::slice::from_ref(facts);
    let prover = TextProver::new(all, &text, &tables).map_err(|failure| failure.reason.0)?;
    let proof = prover.finish(Vec::new()).map_err(|failure| failure.reason.0)?;
    tables::check(&tables, &proof).map_err(|failure| failure.reason.0)
}

pub(super) fn begin(a: &mut CodeAssembler, bytes: i32) -> Code {
    a.push(rbp)?;
    a.mov(rbp, rsp)?;
    a.sub(rsp, bytes)
}

pub(super) fn leave_wasm(a: &mut CodeAssembler) -> Code {
    a.mov(r11, qword_ptr(rsi + STORE))?;
    record(a)
}

fn keep_instances(a: &mut CodeAssembler) -> Code {
    a.mov(qword_ptr(rbp - 8), rsi)?;
    a.mov(qword_ptr(rbp - 16), rdi)
}

fn raise(a: &mut CodeAssembler) -> Code {
    a.mov(rdi, qword_ptr(rbp - 8))?;
    a.mov(rax, qword_ptr(rdi + BUILTINS))?;
    a.call(qword_ptr(rax + RAISE))
}

pub(super) fn record_trap(a: &mut CodeAssembler) -> Code {
    a.mov(rdi, qword_ptr(rbp - 8))?;
    a.mov(esi, TRAP_CODE)?;
    a.mov(rax, qword_ptr(rdi + BUILTINS))?;
    a.call(qword_ptr(rax + TRAP))
}

pub(super) fn trap(a: &mut CodeAssembler) -> Code {
    record_trap(a)?;
    raise(a)
}

/// A call of the host with two numbers and a parameter, in parts.
struct Call {
    record: Part,
    ask: fn(&mut CodeAssembler, CodeLabel) -> Code,
    pass: Part,
    call: Part,
    compare: fn(&mut CodeAssembler, CodeLabel) -> Code,
    after: Part,
    fail: Part,
}

const CALL: Call = Call {
    record: leave_wasm,
    ask: |a, may_not| a.cmp(dword_ptr(rdi + LEAVES), 0).and_then(|()| a.je(may_not)),
    pass: |a| a.mov(ecx, edx).and_then(|()| a.mov(esi, 3)).and_then(|()| a.mov(edx, 5)),
    call: |a| a.mov(rax, qword_ptr(rdi + LIBCALLS)).and_then(|()| a.call(qword_ptr(rax + 8))),
    compare: |a, fail| a.cmp(rax, -1).and_then(|()| a.je(fail)),
    after: NOTHING,
    fail: raise,
};

fn call(parts: &Call) -> bool {
    let row = HostCall {
        callee: Callee::Libcall(8),
        arguments: vec![Argument::Number(3), Argument::Number(5), Argument::Parameter(0)],
        outcome: Outcome::Word,
        may_leave: Some(LEAVES as u32),
    };
    let result = proved(&calls(&[I32], &[I32], row), Border::Trampoline(0), &[], |a| {
        let (mut fail, mut may_not) = (a.create_label(), a.create_label());
        begin(a, 32)?;
        (parts.record)(a)?;
        keep_instances(a)?;
        (parts.ask)(a, may_not)?;
        (parts.pass)(a)?;
        (parts.call)(a)?;
        (parts.compare)(a, fail)?;
        (parts.after)(a)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut fail)?;
        (parts.fail)(a)?;
        a.set_label(&mut may_not)?;
        trap(a)?;
        Ok(Vec::new())
    });
    result.is_ok()
}

#[test]
fn the_host_is_called_with_what_a_function_is_for() {
    assert!(call(&CALL));
    // Other numbers, no parameter, no context, another function, and what is not in the array.
    let pass = |pass: Part| call(&Call { pass, ..CALL });
    assert!(!pass(|a| a.mov(ecx, edx).and_then(|()| a.mov(esi, 4)).and_then(|()| a.mov(edx, 5))));
    assert!(!pass(|a| a.mov(ecx, edx).and_then(|()| a.mov(esi, 3)).and_then(|()| a.mov(edx, 6))));
    assert!(!pass(|a| a.mov(esi, 3).and_then(|()| a.mov(edx, 5)).and_then(|()| a.mov(ecx, 7))));
    assert!(!pass(|a| a.mov(ecx, edx).and_then(|()| a.mov(esi, edx)).and_then(|()| a.mov(edx, 5))));
    assert!(!pass(|a| {
        (CALL.pass)(a)?;
        a.mov(rdi, qword_ptr(rbp - 8))
    }));
    let other = |call_: Part| call(&Call { call: call_, ..CALL });
    assert!(!other(|a| a.mov(rax, qword_ptr(rdi + LIBCALLS)).and_then(|()| a.call(qword_ptr(rax)))));
    assert!(!other(|a| a.mov(rax, qword_ptr(rdi + LIBCALLS)).and_then(|()| a.call(qword_ptr(rax + 64)))));
    assert!(!other(|a| a.mov(rax, qword_ptr(rdi + LIBCALLS)).and_then(|()| a.call(qword_ptr(rax + 12)))));
    assert!(!other(|a| a.call(qword_ptr(rdi + LOWERING))));
    assert!(!other(|a| a.mov(rax, qword_ptr(rdi + LIBCALLS + 8)).and_then(|()| a.call(qword_ptr(rax + 8)))));
    // The host's memory is not for it.
    assert!(!call(&Call { after: |a| a.mov(edx, edx).and_then(|()| a.mov(eax, dword_ptr(rdx))), ..CALL }));
    // Twice, or not at all.
    assert!(!call(&Call { after: |a| a.mov(rdi, qword_ptr(rbp - 16)).and_then(|()| (CALL.call)(a)), ..CALL }));
    assert!(!call(&Call { call: |a| a.xor(eax, eax), ..CALL }));
}

#[test]
fn a_trap_that_is_recorded_is_raised() {
    let after = |after| call(&Call { after, ..CALL });
    assert!(!after(|a| record_trap(a).and_then(|()| a.xor(eax, eax))));
    assert!(after(|a| trap(a)));
}

#[test]
fn whether_the_instance_may_leave_is_asked_of_the_right_one() {
    let ask = |ask| call(&Call { ask, ..CALL });
    assert!(ask(|a, may_not| {
        a.mov(eax, dword_ptr(rdi + LEAVES))?;
        a.test(eax, eax)?;
        a.je(may_not)
    }));
    assert!(!ask(|_, _| Ok(())));
    assert!(!ask(|a, may_not| a.cmp(dword_ptr(rdi + HOLDER_LEAVES), 0).and_then(|()| a.je(may_not))));
    assert!(!ask(|a, may_not| a.cmp(dword_ptr(rdi + LEAVES), 0).and_then(|()| a.jne(may_not))));
    assert!(!ask(|a, may_not| a.cmp(dword_ptr(rdi + LEAVES), 1).and_then(|()| a.je(may_not))));
    assert!(!ask(|a, may_not| a.cmp(byte_ptr(rdi + LEAVES), 0).and_then(|()| a.je(may_not))));
    assert!(!ask(|a, may_not| a.cmp(dword_ptr(rdi + MAY_BLOCK), 0).and_then(|()| a.je(may_not))));
}

#[test]
fn leaving_is_recorded_in_the_store_of_the_caller() {
    assert!(!call(&Call { record: NOTHING, ..CALL }));
    assert!(!call(&Call { record: |a| a.mov(r11, qword_ptr(rdi + STORE)).and_then(|()| record(a)), ..CALL }));
    // The component's context has the same store.
    let of_context: Part = |a| a.mov(r11, qword_ptr(rdi + CONTEXT_STORE)).and_then(|()| record(a));
    assert!(call(&Call { record: of_context, ..CALL }));
}

#[test]
fn what_the_host_gives_is_compared_as_a_whole_with_what_says_that_it_failed() {
    let compare = |compare| call(&Call { compare, ..CALL });
    assert!(!compare(|_, _| Ok(())));
    assert!(!compare(|a, fail| a.cmp(eax, -1).and_then(|()| a.je(fail))));
    assert!(!compare(|a, fail| a.cmp(rax, -1).and_then(|()| a.jne(fail))));
    assert!(!compare(|a, fail| a.cmp(rax, -2).and_then(|()| a.je(fail))));
    assert!(!compare(|a, fail| a.test(rax, rax).and_then(|()| a.je(fail))));
    assert!(!compare(|a, fail| a.test(eax, 0xff).and_then(|()| a.je(fail))));
    // It is the result, and nothing else is.
    assert!(!call(&Call { after: |a| a.add(rax, 1), ..CALL }));
    assert!(call(&Call { after: |a| a.xor(eax, eax), ..CALL }));
    assert!(!call(&Call { after: |a| a.mov(rax, qword_ptr(rbp - 16)), ..CALL }));
    // Failures are raised through the caller, and are failures.
    assert!(!call(&Call { fail: |a| a.leave().and_then(|()| a.ret()), ..CALL }));
    assert!(!call(&Call { compare: |a, fail| a.cmp(rax, -1).and_then(|()| a.jne(fail)), after: raise, ..CALL }));
    let of_context: Part = |a| {
        a.mov(rdi, qword_ptr(rbp - 16))?;
        a.mov(rax, qword_ptr(rdi + BUILTINS))?;
        a.call(qword_ptr(rax + RAISE))
    };
    assert!(!call(&Call { fail: of_context, ..CALL }));
}

/// The lowering of a function that takes an `i32` and an `i64` and gives an `i64`, in parts.
struct Lower {
    fill: Part,
    array: Part,
    count: i32,
    data: i32,
    result: Part,
}

const LOWER: Lower = Lower {
    fill: |a| a.mov(dword_ptr(rsp), edx).and_then(|()| a.mov(qword_ptr(rsp + 16), rcx)),
    array: |a| a.mov(r8, rsp),
    count: 2,
    data: LOWERING + 8,
    result: |a| a.mov(rax, qword_ptr(rsp)),
};

fn lower(parts: &Lower) -> bool {
    let row = HostCall {
        callee: Callee::Lowering(LOWERING as u32),
        arguments: vec![
            Argument::Pointer(LOWERING as u32 + 8),
            Argument::Number(1),
            Argument::Number(2),
            Argument::Values(0),
            Argument::Count,
        ],
        outcome: Outcome::Values,
        may_leave: None,
    };
    let result = proved(&calls(&[I32, I64], &[I64], row), Border::Trampoline(0), &[], |a| {
        let mut fail = a.create_label();
        begin(a, 64)?;
        leave_wasm(a)?;
        keep_instances(a)?;
        (parts.fill)(a)?;
        (parts.array)(a)?;
        a.mov(rsi, qword_ptr(rdi + parts.data))?;
        a.mov(edx, 1)?;
        a.mov(ecx, 2)?;
        a.mov(r9d, parts.count)?;
        a.call(qword_ptr(rdi + LOWERING))?;
        a.test(eax, 0xff)?;
        a.je(fail)?;
        (parts.result)(a)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut fail)?;
        raise(a)?;
        Ok(Vec::new())
    });
    result.is_ok()
}

#[test]
fn an_array_of_values_is_as_long_as_the_host_is_told_and_in_the_frame() {
    assert!(lower(&LOWER));
    assert!(!lower(&Lower { count: 3, ..LOWER }));
    assert!(!lower(&Lower { count: 1, ..LOWER }));
    assert!(!lower(&Lower { data: LOWERING, ..LOWER }));
    assert!(!lower(&Lower { data: MEMORY[0], ..LOWER }));
    // Not all of it is there, or is the frame's own.
    assert!(!lower(&Lower { fill: |a| a.mov(dword_ptr(rsp), edx), ..LOWER }));
    assert!(!lower(&Lower { fill: |a| a.mov(qword_ptr(rsp + 16), rcx), ..LOWER }));
    assert!(!lower(&Lower { array: |a| a.lea(r8, qword_ptr(rsp + 32)), ..LOWER }));
    assert!(!lower(&Lower { array: |a| a.lea(r8, qword_ptr(rsp - 16)), ..LOWER }));
    assert!(!lower(&Lower { array: |a| a.mov(r8, rdx), ..LOWER }));
    // A pointer among the values.
    assert!(!lower(&Lower {
        fill: |a| a.mov(qword_ptr(rsp), rdi).and_then(|()| a.mov(qword_ptr(rsp + 16), rcx)),
        ..LOWER
    }));
    assert!(!lower(&Lower { result: |a| a.mov(rax, qword_ptr(rsp + 16)), ..LOWER }));
    assert!(!lower(&Lower { result: |a| a.mov(rax, rsp), ..LOWER }));
}

/// A transcoder with a second result, in parts.
struct Transcode {
    source: Part,
    length: Part,
    target: Part,
    second: Part,
    results: Part,
}

const TRANSCODE: Transcode = Transcode {
    source: |a| {
        a.mov(esi, dword_ptr(rbp - 24))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.add(rsi, rax)
    },
    length: |a| a.mov(edx, dword_ptr(rbp - 32)),
    target: |a| {
        a.mov(ecx, dword_ptr(rbp - 40))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[1]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.lea(rcx, qword_ptr(rcx + rax))
    },
    second: |a| a.lea(r8, qword_ptr(rbp - 48)),
    results: |a| a.mov(rcx, qword_ptr(rbp - 48)),
};

fn transcode(parts: &Transcode) -> bool {
    let row = HostCall {
        callee: Callee::Libcall(8),
        arguments: vec![
            Argument::InMemory(0, MEMORY[0] as u32),
            Argument::Size(1),
            Argument::InMemory(2, MEMORY[1] as u32),
            Argument::Second,
        ],
        outcome: Outcome::Two,
        may_leave: None,
    };
    let result = proved(&calls(&[I32, I32, I32], &[I32, I32], row), Border::Trampoline(0), &[], |a| {
        let mut fail = a.create_label();
        begin(a, 64)?;
        leave_wasm(a)?;
        keep_instances(a)?;
        a.mov(dword_ptr(rbp - 24), edx)?;
        a.mov(dword_ptr(rbp - 32), ecx)?;
        a.mov(dword_ptr(rbp - 40), r8d)?;
        (parts.source)(a)?;
        (parts.length)(a)?;
        (parts.target)(a)?;
        (parts.second)(a)?;
        a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
        a.call(qword_ptr(rax + 8))?;
        a.cmp(rax, -1)?;
        a.je(fail)?;
        (parts.results)(a)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut fail)?;
        raise(a)?;
        Ok(Vec::new())
    });
    result.is_ok()
}

#[test]
fn pointers_for_transcoders_are_the_named_memory_and_the_extended_argument() {
    assert!(transcode(&TRANSCODE));
    let source = |source: Part| transcode(&Transcode { source, ..TRANSCODE });
    // Another memory, its length for its base, another argument, with something added, the base alone.
    assert!(!source(|a| {
        a.mov(esi, dword_ptr(rbp - 24))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[1]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.add(rsi, rax)
    }));
    assert!(!source(|a| {
        a.mov(esi, dword_ptr(rbp - 24))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax + 8))?;
        a.add(rsi, rax)
    }));
    assert!(!source(|a| {
        a.mov(esi, dword_ptr(rbp - 32))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.add(rsi, rax)
    }));
    assert!(!source(|a| {
        a.mov(esi, dword_ptr(rbp - 24))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.lea(rsi, qword_ptr(rsi + rax + 8))
    }));
    assert!(!source(|a| {
        a.mov(esi, dword_ptr(rbp - 24))?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.lea(rsi, qword_ptr(rax + rsi * 2))
    }));
    assert!(!source(|a| a.mov(rax, qword_ptr(rdi + MEMORY[0])).and_then(|()| a.mov(rsi, qword_ptr(rax)))));
    // The upper half of an argument may be anything.
    let dirty = |a: &mut CodeAssembler| {
        a.mov(rsi, rdx)?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.add(rsi, rax)
    };
    assert!(!source(dirty));
    let clean: Part = |a| {
        a.mov(esi, edx)?;
        a.mov(rax, qword_ptr(rdi + MEMORY[0]))?;
        a.mov(rax, qword_ptr(rax))?;
        a.add(rsi, rax)
    };
    assert!(source(clean));
    let length = |length: Part| transcode(&Transcode { length, ..TRANSCODE });
    assert!(!length(|a| a.mov(edx, dword_ptr(rbp - 40))));
    assert!(!length(|a| a.mov(edx, 4)));
    assert!(!length(|a| a.mov(rdx, rcx)));
    assert!(length(|a| a.mov(edx, ecx)));
    assert!(!length(|a| a.mov(edx, ecx).and_then(|()| a.add(rdx, 1))));
    // The second result is where the host was told to put it, and not at all if it failed.
    assert!(!transcode(&Transcode { second: |a| a.lea(r8, qword_ptr(rbp - 4)), ..TRANSCODE }));
    assert!(!transcode(&Transcode { second: |a| a.lea(r8, qword_ptr(rbp)), ..TRANSCODE }));
    assert!(!transcode(&Transcode { second: |a| a.lea(r8, qword_ptr(rbp - 8)), ..TRANSCODE }));
    assert!(!transcode(&Transcode { second: |a| a.mov(r8, rdx), ..TRANSCODE }));
    assert!(!transcode(&Transcode { results: |a| a.mov(rcx, qword_ptr(rbp - 56)), ..TRANSCODE }));
}

const DROP: Drop = Drop {
    libcall: 0,
    numbers: [1, 2],
    may_leave: LEAVES as u32,
    destructor: Some(DESTRUCTOR as u32),
    crossing: Some(Crossing { may_leave: HOLDER_LEAVES as u32, task: Some((8, 16, 4)) }),
};

/// The drop of a resource of another instance, in parts.
struct Dropping {
    before: Part,
    owned: fn(&mut CodeAssembler, CodeLabel) -> Code,
    ask: fn(&mut CodeAssembler, CodeLabel) -> Code,
    block: Part,
    begin: Part,
    rep: Part,
    destroy: Part,
    record: Part,
    end: Part,
    restore: Part,
    sites: &'static [(usize, u32)],
}

const DROPPING: Dropping = Dropping {
    before: NOTHING,
    owned: |a, done| a.test(rax, rax).and_then(|()| a.je(done)),
    ask: |a, may_not| {
        a.mov(rdi, qword_ptr(rbp - 16))?;
        a.cmp(dword_ptr(rdi + HOLDER_LEAVES), 0)?;
        a.je(may_not)
    },
    block: |a| {
        a.mov(eax, dword_ptr(rdi + MAY_BLOCK))?;
        a.mov(qword_ptr(rbp - 32), rax)?;
        a.mov(dword_ptr(rdi + MAY_BLOCK), 0)
    },
    begin: |a| {
        a.mov(esi, 1)?;
        a.mov(edx, 0)?;
        a.mov(ecx, 4)?;
        a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
        a.call(qword_ptr(rax + 8))
    },
    rep: |a| {
        a.mov(rdx, qword_ptr(rbp - 24))?;
        a.shr(rdx, 1)?;
        a.mov(edx, edx)
    },
    destroy: |a| {
        a.mov(rsi, qword_ptr(rbp - 8))?;
        a.mov(rax, qword_ptr(rbp - 16))?;
        a.mov(rax, qword_ptr(rax + DESTRUCTOR))?;
        a.mov(rdi, qword_ptr(rax + 24))?;
        a.mov(rax, qword_ptr(rax + 8))?;
        a.call(rax)
    },
    record: |a| {
        a.mov(rsi, qword_ptr(rbp - 8))?;
        leave_wasm(a)
    },
    end: |a| {
        a.mov(rdi, qword_ptr(rbp - 16))?;
        a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
        a.call(qword_ptr(rax + 16))
    },
    restore: |a| {
        a.mov(rdi, qword_ptr(rbp - 16))?;
        a.mov(eax, dword_ptr(rbp - 32))?;
        a.mov(dword_ptr(rdi + MAY_BLOCK), eax)
    },
    sites: &[(0, 48)],
};

fn drops(parts: &Dropping) -> Result<(), &'static str> {
    let signature = Signature { params: vec![I32], results: Vec::new() };
    proved(&component_of(signature, Works::Drops(DROP)), Border::Trampoline(0), parts.sites, |a| {
        let (mut fail, mut may_not, mut done) = (a.create_label(), a.create_label(), a.create_label());
        let (mut back, mut pad) = (a.create_label(), a.create_label());
        begin(a, 48)?;
        leave_wasm(a)?;
        keep_instances(a)?;
        a.cmp(dword_ptr(rdi + LEAVES), 0)?;
        a.je(may_not)?;
        (parts.before)(a)?;
        a.mov(ecx, edx)?;
        a.mov(esi, 1)?;
        a.mov(edx, 2)?;
        a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
        a.call(qword_ptr(rax))?;
        a.cmp(rax, -1)?;
        a.je(fail)?;
        (parts.owned)(a, done)?;
        a.mov(qword_ptr(rbp - 24), rax)?;
        (parts.ask)(a, may_not)?;
        (parts.block)(a)?;
        (parts.begin)(a)?;
        a.test(eax, 0xff)?;
        a.je(fail)?;
        (parts.rep)(a)?;
        (parts.destroy)(a)?;
        a.set_label(&mut back)?;
        (parts.record)(a)?;
        (parts.end)(a)?;
        a.test(eax, 0xff)?;
        a.je(fail)?;
        (parts.restore)(a)?;
        a.set_label(&mut done)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut fail)?;
        raise(a)?;
        a.set_label(&mut may_not)?;
        trap(a)?;
        a.set_label(&mut pad)?;
        a.mov(rsi, qword_ptr(rbp - 8))?;
        leave_wasm(a)?;
        trap(a)?;
        Ok(vec![back, pad])
    })
}

#[test]
fn a_destructor_runs_once_of_what_was_dropped_and_throws_no_further() {
    drops(&DROPPING).unwrap();
    let refused = |parts: Dropping| assert!(drops(&parts).is_err());
    refused(Dropping { owned: |_, _| Ok(()), ..DROPPING });
    refused(Dropping { owned: |a, done| a.test(eax, eax).and_then(|()| a.je(done)), ..DROPPING });
    refused(Dropping { owned: |a, done| a.test(rax, rax).and_then(|()| a.jne(done)), ..DROPPING });
    refused(Dropping { ask: |a, _| a.mov(rdi, qword_ptr(rbp - 16)), ..DROPPING });
    refused(Dropping {
        ask: |a, may_not| {
            a.mov(rdi, qword_ptr(rbp - 16))?;
            a.cmp(dword_ptr(rdi + LEAVES), 0)?;
            a.je(may_not)
        },
        ..DROPPING
    });
    // What was read before the host was called may no longer be so.
    refused(Dropping {
        before: |a| a.mov(eax, dword_ptr(rdi + HOLDER_LEAVES)).and_then(|()| a.mov(qword_ptr(rbp - 40), rax)),
        ask: |a, may_not| {
            a.mov(rdi, qword_ptr(rbp - 16))?;
            a.cmp(dword_ptr(rbp - 40), 0)?;
            a.je(may_not)
        },
        ..DROPPING
    });
    refused(Dropping { block: NOTHING, ..DROPPING });
    refused(Dropping {
        block: |a| {
            a.mov(dword_ptr(rdi + MAY_BLOCK), 0)?;
            a.mov(eax, dword_ptr(rdi + MAY_BLOCK))?;
            a.mov(qword_ptr(rbp - 32), rax)
        },
        ..DROPPING
    });
    refused(Dropping {
        block: |a| (DROPPING.block)(a).and_then(|()| a.mov(dword_ptr(rdi + MAY_BLOCK), 1)),
        ..DROPPING
    });
    refused(Dropping { block: |a| (DROPPING.block)(a).and_then(|()| a.mov(dword_ptr(rdi + LEAVES), 1)), ..DROPPING });
    refused(Dropping { begin: |a| a.mov(eax, 1), ..DROPPING });
    refused(Dropping {
        begin: |a| {
            a.mov(esi, 1)?;
            a.mov(edx, 0)?;
            a.mov(ecx, 1)?;
            a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
            a.call(qword_ptr(rax + 8))
        },
        ..DROPPING
    });
    refused(Dropping { rep: |a| a.mov(edx, 7), ..DROPPING });
    refused(Dropping { rep: |a| a.mov(rdx, qword_ptr(rbp - 24)), ..DROPPING });
    refused(Dropping { rep: |a| (DROPPING.rep)(a).and_then(|()| a.add(edx, 1)), ..DROPPING });
    refused(Dropping { destroy: |a| a.mov(eax, 1), ..DROPPING });
    refused(Dropping {
        destroy: |a| {
            (DROPPING.rep)(a).and_then(|()| (DROPPING.destroy)(a)).and_then(|()| {
                (DROPPING.rep)(a)?;
                (DROPPING.destroy)(a)
            })
        },
        ..DROPPING
    });
    refused(Dropping {
        destroy: |a| {
            a.mov(rdi, qword_ptr(rbp - 16))?;
            a.mov(rax, qword_ptr(rdi + DESTRUCTOR))?;
            a.mov(rsi, qword_ptr(rbp - 8))?;
            a.mov(rax, qword_ptr(rax + 8))?;
            a.call(rax)
        },
        ..DROPPING
    });
    // Without a handler, or with one of another frame.
    refused(Dropping { sites: &[], ..DROPPING });
    refused(Dropping { sites: &[(0, 64)], ..DROPPING });
    // What the destructor called has left other records.
    refused(Dropping { record: NOTHING, ..DROPPING });
    refused(Dropping { end: |a| a.mov(eax, 1), ..DROPPING });
    refused(Dropping { end: |a| (DROPPING.end)(a).and_then(|()| (DROPPING.end)(a)), ..DROPPING });
    refused(Dropping { restore: NOTHING, ..DROPPING });
    refused(Dropping {
        restore: |a| a.mov(rdi, qword_ptr(rbp - 16)).and_then(|()| a.mov(dword_ptr(rdi + MAY_BLOCK), 0)),
        ..DROPPING
    });
}

/// The host's entry of a function of the component's that takes and gives an `i32`, which is behind the entry.
fn entry(store: u32, callee: Part, take: Part) -> bool {
    let row = HostCall {
        callee: Callee::Libcall(8),
        arguments: vec![Argument::Parameter(0)],
        outcome: Outcome::Word,
        may_leave: None,
    };
    let facts = calls(&[I32], &[I32], row);
    let saved = [rbx, r12, r13, r14, r15];
    let (text, places) = assemble(|a| {
        let (mut handler, mut out) = (a.create_label(), a.create_label());
        let (mut trampoline, mut fail) = (a.create_label(), a.create_label());
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        for reg in saved {
            a.push(reg)?;
        }
        a.sub(rsp, 24)?;
        a.mov(rbx, rdx)?;
        a.mov(rax, qword_ptr(rdi + store))?;
        a.lea(rcx, qword_ptr(handler))?;
        a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
        a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
        a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)?;
        callee(a)?;
        take(a)?;
        a.call(trampoline)?;
        a.mov(dword_ptr(rbx), eax)?;
        a.mov(eax, 1)?;
        a.set_label(&mut out)?;
        a.lea(rsp, qword_ptr(rbp - 40))?;
        for reg in saved.into_iter().rev() {
            a.pop(reg)?;
        }
        a.pop(rbp)?;
        a.ret()?;
        a.set_label(&mut handler)?;
        a.mov(eax, 0)?;
        a.jmp(out)?;
        a.set_label(&mut trampoline)?;
        begin(a, 32)?;
        leave_wasm(a)?;
        keep_instances(a)?;
        a.mov(esi, edx)?;
        a.mov(rax, qword_ptr(rdi + LIBCALLS))?;
        a.call(qword_ptr(rax + 8))?;
        a.cmp(rax, -1)?;
        a.je(fail)?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut fail)?;
        raise(a)?;
        Ok(vec![trampoline])
    });
    let end = text.len() as u32;
    let borders = vec![
        (Border::TrampolineEntry(0), Range { start: 0, end: places[0] }),
        (Border::Trampoline(0), Range { start: places[0], end }),
    ];
    crate::verify(&facts, &text, &Tables { borders, ..Tables::default() }).is_ok()
}

#[test]
fn the_host_enters_a_components_own_functions_with_its_context() {
    let take: Part = |a| a.mov(edx, dword_ptr(rbx));
    assert!(entry(CONTEXT_STORE, NOTHING, take));
    // The context is no instance of a module.
    assert!(!entry(STORE, NOTHING, take));
    assert!(!entry(CONTEXT_STORE, |a| a.mov(rdi, rsi), take));
    assert!(!entry(CONTEXT_STORE, |a| a.mov(rsi, rdi), take));
    assert!(!entry(CONTEXT_STORE, NOTHING, |a| a.mov(rdx, rsi)));
    assert!(!entry(CONTEXT_STORE, NOTHING, NOTHING));
}

/// Two modules of one function each, which calls what is at this distance from its own function's start.
fn two_modules(calls: [usize; 2]) -> Result<(), &'static str> {
    let one = facts(&[], &[]);
    let two = Facts { types: one.types.clone(), ..facts(&[], &[]) };
    let all = [one, two];
    let (text, places) = assemble(|a| {
        let mut functions = [a.create_label(), a.create_label()];
        let order = functions;
        for (function, callee) in functions.iter_mut().zip(calls) {
            let mut overflow = a.create_label();
            a.set_label(function)?;
            enter(a)?;
            limit(a, overflow)?;
            a.call(order[callee])?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut overflow)?;
            a.ud2()?;
        }
        Ok(functions.to_vec())
    });
    let end = text.len() as u32;
    let functions = vec![Range { start: 0, end: places[1] }, Range { start: places[1], end }];
    let tables = Tables { functions, ..Tables::default() };
    let prover = TextProver::new(&all, &text, &tables).map_err(|failure| failure.reason.0)?;
    let part = prover.functions(0..2).map_err(|failure| failure.reason.0)?;
    prover.finish(vec![part]).map(drop).map_err(|failure| failure.reason.0)
}

#[test]
fn modules_of_one_text_are_proved_each_by_its_own_facts() {
    two_modules([0, 1]).unwrap();
    // A private entry of another module expects another instance.
    two_modules([1, 1]).unwrap_err();
    two_modules([0, 0]).unwrap_err();
}

#[test]
fn a_text_of_several_modules_has_their_functions_and_types() {
    let (one, other) = (facts(&[], &[]), facts(&[], &[]));
    let text = [0x0f, 0x0b, 0x0f, 0x0b];
    let range = |n: u32| Range { start: 2 * n, end: 2 * n + 2 };
    let new = |all: &[Facts], functions: Vec<Range>, borders: Vec<(Border, Range)>| {
        TextProver::new(all, &text, &Tables { functions, borders, ..Tables::default() }).is_ok()
    };
    let two = [one.clone(), Facts { types: one.types.clone(), ..one.clone() }];
    assert!(new(&two, vec![range(0), range(1)], Vec::new()));
    assert!(!new(&two, vec![range(0)], Vec::new()));
    assert!(!new(&[one.clone()], vec![range(0), range(1)], Vec::new()));
    assert!(!new(&[one.clone(), other], vec![range(0), range(1)], Vec::new()));
    assert!(new(&[one.clone()], vec![range(0)], vec![(Border::StartupWasm(0), range(1))]));
    assert!(!new(&[one.clone()], vec![range(0)], vec![(Border::StartupWasm(1), range(1))]));
    assert!(!new(&[one], vec![range(0)], vec![(Border::ArrayToWasm(1), range(1))]));
}
