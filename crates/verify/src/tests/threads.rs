//! Calls between components that are begun and ended in place, put together by hand.

use super::borders::{ENTRY_FRAME, ENTRY_HANDLER, ENTRY_STACK, border, with_borders};
use super::*;
use crate::facts::{Border, CallSite, Handler, Record, StackMap, Threads};

const SLOTS: [i32; 2] = [32, 36];
pub(super) const CURRENT: i32 = 40;
/// By imported function: where its instance is, and then its code.
const IMPORTS: [i32; 4] = [128, 144, 160, 176];
const CALLEE: usize = 0;
const EXIT: usize = 1;
const TRAP: usize = 2;
/// Takes ten integers, six of them on the stack.
const MANY: usize = 3;

pub(super) const RECORD: i32 = -32;
const ARGUMENTS: [i32; 3] = [8, 12, 16];
const SAVED: [i32; 2] = [20, 24];

/// A module like one of adapters: it imports a callee, what ends a call, what traps, and a callee with many arguments.
pub(super) fn adapters() -> Facts {
    let mut facts = facts(&[], &[]);
    let many = Signature { params: vec![I32; 10], results: Vec::new() };
    let types = [Signature::default(), many].map(|of| Type { kind: TypeKind::Function(of), supertype: None });
    facts.types = types.to_vec().into();
    let import = |ty| Function { ty, imported: true, escapes: false };
    facts.functions.splice(0..0, [import(0), import(0), import(0), import(1)]);
    facts.memories.clear();
    facts.tables.clear();
    facts.instance.truncate(1);
    for (n, at) in (0..).zip(IMPORTS) {
        let field = |at: i32, kind| Field { offset: at as u32, width: 8, kind };
        facts
            .instance
            .extend([field(at, InstanceField::FunctionInstance(n)), field(at + 8, InstanceField::FunctionCode(n))]);
    }
    let field = |at: i32, width, kind| Field { offset: at as u32, width, kind };
    facts.store.extend([
        field(SLOTS[0], 4, StoreField::TaskSlot(0)),
        field(SLOTS[1], 4, StoreField::TaskSlot(1)),
        field(CURRENT, 8, StoreField::CurrentThread),
    ]);
    facts.settings.forced_thread = Some(1);
    facts.threads = Some(Threads {
        enters: true,
        exit: Some(EXIT as u32),
        trap: Some(TRAP as u32),
        reads: [false; 2],
        writes: [false; 2],
        exceptions: false,
        record: Record {
            bytes: 32,
            parent: 0,
            arguments: ARGUMENTS.map(i32::cast_unsigned),
            saved: SAVED.map(i32::cast_unsigned),
        },
    });
    facts
}

type Step = fn(&mut CodeAssembler) -> Code;

fn call(a: &mut CodeAssembler, import: usize) -> Code {
    a.mov(rdi, qword_ptr(r15 + IMPORTS[import]))?;
    a.mov(rsi, r15)?;
    a.mov(rax, qword_ptr(r15 + (IMPORTS[import] + 8)))?;
    a.call(rax)
}

/// The beginning of a call, each step of which counts.
pub(super) const ENTER: [Step; 13] = [
    |a| a.mov(dword_ptr(rbp + (RECORD + ARGUMENTS[0])), 1),
    |a| a.mov(dword_ptr(rbp + (RECORD + ARGUMENTS[1])), 0),
    |a| a.mov(dword_ptr(rbp + (RECORD + ARGUMENTS[2])), 2),
    |a| a.mov(rax, qword_ptr(r11 + CURRENT)),
    |a| a.mov(qword_ptr(rbp + RECORD), rax),
    |a| a.mov(eax, dword_ptr(r11 + SLOTS[0])),
    |a| a.mov(dword_ptr(rbp + (RECORD + SAVED[0])), eax),
    |a| a.mov(dword_ptr(r11 + SLOTS[0]), 0),
    |a| a.mov(ecx, dword_ptr(r11 + SLOTS[1])),
    |a| a.mov(dword_ptr(rbp + (RECORD + SAVED[1])), ecx),
    |a| a.mov(dword_ptr(r11 + SLOTS[1]), 0),
    |a| a.lea(rdx, qword_ptr(rbp + RECORD)),
    |a| a.mov(qword_ptr(r11 + CURRENT), rdx),
];

/// What ends it where the thread is still that of the frame.
pub(super) const LEAVE: [Step; 6] = [
    |a| a.mov(rcx, qword_ptr(rbp + RECORD)),
    |a| a.mov(qword_ptr(r11 + CURRENT), rcx),
    |a| a.mov(ecx, dword_ptr(rbp + (RECORD + SAVED[0]))),
    |a| a.mov(dword_ptr(r11 + SLOTS[0]), ecx),
    |a| a.mov(ecx, dword_ptr(rbp + (RECORD + SAVED[1]))),
    |a| a.mov(dword_ptr(r11 + SLOTS[1]), ecx),
];

/// An adapter, in parts.
#[derive(Clone)]
struct Adapter {
    enter: Vec<Step>,
    during: Step,
    compare: Step,
    jump: fn(&mut CodeAssembler, CodeLabel) -> Code,
    leave: Vec<Step>,
    made: Step,
    behind: Step,
    facts: Facts,
}

fn adapter() -> Adapter {
    Adapter {
        enter: ENTER.to_vec(),
        during: |a| call(a, CALLEE),
        compare: |a| {
            a.lea(rcx, qword_ptr(rbp + RECORD))?;
            a.cmp(qword_ptr(r11 + CURRENT), rcx)
        },
        jump: |a, made| a.jne(made),
        leave: LEAVE.to_vec(),
        made: |a| call(a, EXIT),
        behind: |_| Ok(()),
        facts: adapters(),
    }
}

impl Adapter {
    fn prove(&self) -> Result<(), &'static str> {
        prove_with(&self.facts, |a| {
            let (mut trap, mut made, mut resume) = (a.create_label(), a.create_label(), a.create_label());
            a.push(rbp)?;
            a.mov(rbp, rsp)?;
            a.sub(rsp, 96)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
            a.jb(trap)?;
            self.enter.iter().try_for_each(|step| step(a))?;
            (self.during)(a)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            (self.compare)(a)?;
            (self.jump)(a, made)?;
            self.leave.iter().try_for_each(|step| step(a))?;
            a.set_label(&mut resume)?;
            (self.behind)(a)?;
            a.leave()?;
            a.ret()?;
            a.set_label(&mut made)?;
            (self.made)(a)?;
            a.jmp(resume)?;
            a.set_label(&mut trap)?;
            a.ud2()
        })
    }
}

#[test]
fn a_record_is_written_as_a_whole_before_the_store_points_to_it() {
    adapter().prove().unwrap();
    for left_out in 0..ENTER.len() {
        let mut weak = adapter();
        weak.enter.remove(left_out);
        assert!(weak.prove().is_err(), "without step {left_out}");
    }
    let changed = |at: usize, step: Step| {
        let mut other = adapter();
        other.enter[at] = step;
        other.prove()
    };
    // What says which call it is may be any number, and is not what nobody wrote.
    changed(0, |a| a.mov(eax, 7).and_then(|()| a.mov(dword_ptr(rbp + (RECORD + ARGUMENTS[0])), eax))).unwrap();
    changed(0, |a| a.mov(dword_ptr(rbp + (RECORD + ARGUMENTS[0])), ebx)).unwrap_err();
    // Another thread before.
    changed(3, |a| a.mov(eax, 1)).unwrap_err();
    changed(3, |a| a.lea(rax, qword_ptr(rbp + RECORD))).unwrap_err();
    changed(3, |a| a.mov(rax, qword_ptr(r11 + LIMIT))).unwrap_err();
    // What the other slot was, or neither.
    changed(5, |a| a.mov(eax, dword_ptr(r11 + SLOTS[1]))).unwrap_err();
    changed(5, |a| a.mov(eax, 3)).unwrap_err();
    changed(7, |a| a.mov(dword_ptr(r11 + SLOTS[0]), 1)).unwrap_err();
    changed(10, |a| a.mov(dword_ptr(r11 + SLOTS[0]), 0)).unwrap_err();
    // Written again behind that.
    changed(7, |a| {
        a.mov(dword_ptr(r11 + SLOTS[0]), 0)?;
        a.mov(dword_ptr(rbp + (RECORD + SAVED[0])), 5)
    })
    .unwrap_err();
    // Elsewhere, and what is nowhere.
    changed(11, |a| a.lea(rdx, qword_ptr(rbp + (RECORD - 32)))).unwrap_err();
    changed(11, |a| a.lea(rdx, qword_ptr(rbp + (RECORD + 8)))).unwrap_err();
    changed(11, |a| a.xor(edx, edx)).unwrap_err();
    changed(11, |a| a.mov(edx, 2)).unwrap_err();
    changed(11, |a| a.mov(rdx, r15)).unwrap_err();
    changed(12, |a| a.mov(dword_ptr(r11 + CURRENT), 2)).unwrap_err();
    // A call in between: the thread, and what the slots are, may be others.
    for at in [4, 5, 6, 7, 8, 9, 10, 11, 12] {
        let mut other = adapter();
        other.enter.insert(at, |a| {
            a.mov(rbx, rax)?;
            call(a, CALLEE)?;
            a.mov(rax, rbx)?;
            a.xor(ecx, ecx)?;
            a.lea(rdx, qword_ptr(rbp + RECORD))?;
            a.mov(r11, qword_ptr(r15 + STORE))
        });
        assert!(other.prove().is_err(), "with a call before step {at}");
    }
    // A frame has one record, and it is there once.
    let mut twice = adapter();
    twice.enter.extend(ENTER);
    twice.prove().unwrap_err();
    let mut two = adapter();
    two.enter.insert(5, |a| a.mov(qword_ptr(rbp - 72), rax));
    two.prove().unwrap_err();
}

#[test]
fn a_record_stays_as_it_is_while_it_may_be_read() {
    let during = |during: Step| Adapter { during, ..adapter() }.prove();
    during(|_| Ok(())).unwrap();
    during(|a| a.mov(qword_ptr(rbp - 72), 0)).unwrap();
    during(|a| a.mov(qword_ptr(rbp + RECORD), 0)).unwrap_err();
    during(|a| a.mov(dword_ptr(rbp + (RECORD + 8)), 0)).unwrap_err();
    during(|a| a.mov(dword_ptr(rbp + (RECORD + SAVED[1])), 0)).unwrap_err();
    during(|a| a.xorps(xmm0, xmm0).and_then(|()| a.movups(xmmword_ptr(rbp + (RECORD - 8)), xmm0))).unwrap_err();
    during(|a| {
        a.lea(rsp, qword_ptr(rbp + (RECORD + 16)))?;
        a.push(0)
    })
    .unwrap_err();
    // It is where a callee writes.
    during(|a| a.lea(rsp, qword_ptr(rbp - 16)).and_then(|()| call(a, CALLEE))).unwrap_err();
    let many = |rsp_at: i32| {
        let mut other = adapter();
        other.during = if rsp_at == -96 { |a| passing(a, -96) } else { |a| passing(a, -64) };
        other.prove()
    };
    many(-96).unwrap();
    many(-64).unwrap_err();
    // Slots of the task may be written: they are the callee's.
    during(|a| a.mov(r11, qword_ptr(r15 + STORE)).and_then(|()| a.mov(dword_ptr(r11 + SLOTS[0]), 9))).unwrap();
}

/// A call with arguments on the stack, from that offset on.
fn passing(a: &mut CodeAssembler, at: i32) -> Code {
    a.lea(rsp, qword_ptr(rbp + at))?;
    for n in (0..6).filter(|n| at + 8 * n < RECORD) {
        a.mov(qword_ptr(rsp + 8 * n), 0)?;
    }
    for reg in [edx, ecx, r8d, r9d] {
        a.xor(reg, reg)?;
    }
    call(a, MANY)?;
    a.lea(rsp, qword_ptr(rbp - 96))
}

#[test]
fn a_function_is_not_left_while_the_store_may_point_to_its_frame() {
    for left_out in 0..LEAVE.len() {
        let mut weak = adapter();
        weak.leave.remove(left_out);
        assert!(weak.prove().is_err(), "without step {left_out}");
    }
    // Compared with something else, or not.
    let compare = |compare: Step| Adapter { compare, ..adapter() }.prove();
    compare(|a| {
        a.mov(rax, qword_ptr(r11 + CURRENT))?;
        a.lea(rcx, qword_ptr(rbp + RECORD))?;
        a.cmp(rax, rcx)
    })
    .unwrap();
    compare(|a| a.lea(rcx, qword_ptr(rbp + RECORD)).and_then(|()| a.cmp(rcx, qword_ptr(r11 + CURRENT)))).unwrap();
    compare(|a| a.lea(rcx, qword_ptr(rbp + (RECORD + 8))).and_then(|()| a.cmp(qword_ptr(r11 + CURRENT), rcx)))
        .unwrap_err();
    compare(|a| a.lea(rcx, qword_ptr(rbp + RECORD)).and_then(|()| a.cmp(qword_ptr(r11 + LIMIT), rcx))).unwrap_err();
    compare(|a| a.lea(rcx, qword_ptr(rbp + RECORD)).and_then(|()| a.cmp(dword_ptr(r11 + CURRENT), ecx))).unwrap_err();
    compare(|a| a.xor(eax, eax).and_then(|()| a.test(eax, eax))).unwrap_err();
    let jump = |jump| Adapter { jump, ..adapter() }.prove();
    jump(|_, _| Ok(())).unwrap_err();
    jump(|a, made| a.je(made)).unwrap_err();
    jump(|a, made| a.jae(made)).unwrap_err();
    jump(|a, made| a.jmp(made)).unwrap_err();
    // What was compared before a call.
    Adapter {
        during: |a| {
            a.mov(r11, qword_ptr(r15 + STORE))?;
            a.mov(rbx, qword_ptr(r11 + CURRENT))?;
            call(a, CALLEE)
        },
        compare: |a| a.lea(rcx, qword_ptr(rbp + RECORD)).and_then(|()| a.cmp(rbx, rcx)),
        ..adapter()
    }
    .prove()
    .unwrap_err();
    // What the flags said before the store pointed there again.
    let mut again = adapter();
    again.leave.extend(ENTER);
    again.leave.push(|a| {
        let mut out = a.create_label();
        a.jne(out)?;
        a.ud2()?;
        a.set_label(&mut out)?;
        a.nop()
    });
    again.prove().unwrap_err();
    // Where the host has made the thread it is the host that ends it.
    let made = |made: Step| Adapter { made, ..adapter() }.prove();
    made(|_| Ok(())).unwrap_err();
    made(|a| call(a, CALLEE)).unwrap_err();
    made(|a| {
        a.mov(rcx, qword_ptr(rbp + RECORD))?;
        a.mov(qword_ptr(r11 + CURRENT), rcx)?;
        call(a, EXIT)
    })
    .unwrap_err();
    // By a tail call.
    let tail: Step = |a| {
        a.mov(rdi, qword_ptr(r15 + IMPORTS[CALLEE]))?;
        a.mov(rsi, r15)?;
        a.mov(rax, qword_ptr(r15 + (IMPORTS[CALLEE] + 8)))?;
        a.leave()?;
        a.jmp(rax)
    };
    Adapter { behind: tail, ..adapter() }.prove().unwrap();
    Adapter { during: tail, ..adapter() }.prove().unwrap_err();
    Adapter { during: |a| a.leave().and_then(|()| a.ret()), ..adapter() }.prove().unwrap_err();
    // A loop that begins a call each time, and ends each.
    let mut once_more = adapter();
    once_more.leave.extend(ENTER);
    once_more.leave.push(|a| {
        let mut made = a.create_label();
        let mut on = a.create_label();
        a.lea(rcx, qword_ptr(rbp + RECORD))?;
        a.cmp(qword_ptr(r11 + CURRENT), rcx)?;
        a.jne(made)?;
        LEAVE.iter().try_for_each(|step| step(a))?;
        a.jmp(on)?;
        a.set_label(&mut made)?;
        call(a, EXIT)?;
        a.set_label(&mut on)?;
        a.nop()
    });
    once_more.prove().unwrap();
}

#[test]
fn only_who_imports_what_begins_calls_does_so_in_place() {
    for threads in [None, Some(Threads { enters: false, ..adapters().threads.unwrap() })] {
        let facts = Facts { threads, ..adapters() };
        Adapter { facts, ..adapter() }.prove().unwrap_err();
    }
    // Slots are for whoever imports what reads and writes them.
    let slot = |step: Step, reads: bool, writes: bool| {
        let threads =
            Threads { enters: false, reads: [reads, false], writes: [writes, false], ..adapters().threads.unwrap() };
        let facts = Facts { threads: Some(threads), ..adapters() };
        prove_with(&facts, |a| {
            enter(a)?;
            a.mov(r11, qword_ptr(r15 + STORE))?;
            step(a)?;
            a.leave()?;
            a.ret()
        })
    };
    let [read, write]: [Step; 2] = [|a| a.mov(eax, dword_ptr(r11 + SLOTS[0])), |a| a.mov(dword_ptr(r11 + SLOTS[0]), 5)];
    slot(read, true, false).unwrap();
    slot(read, false, true).unwrap_err();
    slot(write, false, true).unwrap();
    slot(write, true, false).unwrap_err();
    slot(|a| a.mov(eax, dword_ptr(r11 + SLOTS[1])), true, true).unwrap_err();
    slot(|a| a.mov(rax, qword_ptr(r11 + SLOTS[0])), true, true).unwrap_err();
    slot(|a| a.mov(qword_ptr(r11 + SLOTS[0]), rax), true, true).unwrap_err();
    slot(|a| a.mov(dword_ptr(r11 + SLOTS[0]), ebx), true, true).unwrap_err();
}

/// An adapter whose call has a handler of every exception, of one tag, or none; or a stack map.
fn with_tables(exceptions: bool, during: usize, change: fn(&mut Tables)) -> Result<(), &'static str> {
    let mut facts = adapters();
    facts.tags.push(crate::facts::Tag { ty: 0, exception: None });
    facts.threads.as_mut().unwrap().exceptions = exceptions;
    let (text, places) = assemble(|a| {
        let (mut trap, mut back, mut pad, mut made) =
            (a.create_label(), a.create_label(), a.create_label(), a.create_label());
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        a.sub(rsp, 96)?;
        a.mov(r11, qword_ptr(r15 + STORE))?;
        a.cmp(rsp, qword_ptr(r11 + LIMIT))?;
        a.jb(trap)?;
        a.mov(qword_ptr(rbp - 40), r15)?;
        for (reg, at) in [(rbx, 48), (r12, 56), (r13, 64)] {
            a.mov(qword_ptr(rbp - at), reg)?;
        }
        ENTER.iter().try_for_each(|step| step(a))?;
        call(a, during)?;
        a.set_label(&mut back)?;
        a.mov(r11, qword_ptr(r15 + STORE))?;
        a.lea(rcx, qword_ptr(rbp + RECORD))?;
        a.cmp(qword_ptr(r11 + CURRENT), rcx)?;
        a.jne(made)?;
        LEAVE.iter().try_for_each(|step| step(a))?;
        a.leave()?;
        a.ret()?;
        a.set_label(&mut made)?;
        call(a, EXIT)?;
        a.leave()?;
        a.ret()?;
        // As adapters do: what traps is called outside of all handlers.
        a.set_label(&mut pad)?;
        a.mov(r15, qword_ptr(rbp - 40))?;
        call(a, TRAP)?;
        a.ud2()?;
        a.set_label(&mut trap)?;
        a.ud2()?;
        Ok(vec![back, pad])
    });
    let site = CallSite { returns_to: places[0], frame: 96, handlers: (0, 1) };
    let handler = Handler { tag: None, context: Some(56), pad: places[1] };
    let functions = vec![Range { start: 0, end: text.len() as u32 }];
    let mut tables = Tables { functions, calls: vec![site], handlers: vec![handler], ..Tables::default() };
    change(&mut tables);
    let prover = Prover::new(&facts, &text, &tables).unwrap();
    prover.functions(0..1).map(drop).map_err(|failure| failure.reason.0)
}

#[test]
fn no_exception_leaves_the_frame_that_the_store_points_to() {
    with_tables(true, CALLEE, |_| ()).unwrap();
    with_tables(true, CALLEE, |tables| tables.handlers[0].tag = Some(0)).unwrap_err();
    with_tables(true, CALLEE, |tables| tables.calls.clear()).unwrap_err();
    // There are none, or the callee does nothing but trap.
    with_tables(false, CALLEE, |tables| tables.calls.clear()).unwrap();
    with_tables(true, TRAP, |tables| tables.calls.clear()).unwrap();
    // A collector writes where maps say.
    let map = |tables: &mut Tables| {
        tables.maps = vec![StackMap { returns_to: tables.calls[0].returns_to, frame: 96, bits: (0, 1) }];
        tables.map_bits = vec![1 << ((96 + RECORD + 8) / 4)];
    };
    with_tables(true, CALLEE, map).unwrap_err();
}

/// The host's entry of a function, with what it does to the current thread: at its beginning, and where it is unwound.
fn entry(forced: Option<u64>, begin: Step, unwound: Step) -> Result<(), &'static str> {
    let mut facts = with_borders(&[], &[]);
    facts.settings.forced_thread = forced;
    facts.store.push(Field { offset: 72, width: 8, kind: StoreField::CurrentThread });
    border(&facts, Border::ArrayToWasm(0), |a, function| {
        let saved = [rbx, r12, r13, r14, r15];
        let (mut handler, mut out) = (a.create_label(), a.create_label());
        a.push(rbp)?;
        a.mov(rbp, rsp)?;
        for reg in saved {
            a.push(reg)?;
        }
        a.sub(rsp, 24)?;
        a.mov(r15, rdi)?;
        a.mov(rax, qword_ptr(r15 + STORE))?;
        a.mov(qword_ptr(rbp - 48), rax)?;
        a.lea(rcx, qword_ptr(handler))?;
        a.mov(qword_ptr(rax + ENTRY_FRAME), rbp)?;
        a.mov(qword_ptr(rax + ENTRY_STACK), rsp)?;
        a.mov(qword_ptr(rax + ENTRY_HANDLER), rcx)?;
        begin(a)?;
        a.mov(r14, qword_ptr(r15 + 48))?;
        a.call(function)?;
        a.mov(eax, 1)?;
        a.set_label(&mut out)?;
        a.lea(rsp, qword_ptr(rbp - 40))?;
        for reg in saved.into_iter().rev() {
            a.pop(reg)?;
        }
        a.pop(rbp)?;
        a.ret()?;
        a.set_label(&mut handler)?;
        a.mov(rax, qword_ptr(rbp - 48))?;
        unwound(a)?;
        a.mov(eax, 0)?;
        a.jmp(out)
    })
}

#[test]
fn an_entry_that_is_unwound_leaves_no_thread_of_a_frame_that_is_gone() {
    let forced: Step = |a| a.mov(qword_ptr(rax + 72), 1);
    entry(Some(1), |_| Ok(()), forced).unwrap();
    entry(None, |_| Ok(()), |_| Ok(())).unwrap();
    entry(Some(1), |_| Ok(()), |_| Ok(())).unwrap_err();
    entry(Some(1), forced, |_| Ok(())).unwrap_err();
    entry(Some(1), |_| Ok(()), |a| a.mov(qword_ptr(rax + 72), 2)).unwrap_err();
    entry(Some(1), |_| Ok(()), |a| a.mov(qword_ptr(rax + 72), rbp)).unwrap_err();
    entry(None, |_| Ok(()), forced).unwrap_err();
}
