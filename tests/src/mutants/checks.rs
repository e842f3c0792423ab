//! Finds the checks in code: conditional jumps to traps, and what bounds the index of a jump table.

use super::Check;
use super::decode::Decoded;
use iced_x86::{ConditionCode, Instruction, Mnemonic, OpKind, Register};
use wasmtime::Trap;

/// A check: which instruction decides, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The conditional jump or move.
    pub(crate) decides: usize,
    pub(crate) check: Check,
}

/// All checks of a routine.
pub(crate) fn find_in_routine(code: &Decoded, traps: &[(u32, u8)], mapped: u64, signals: bool) -> Vec<Found> {
    let mut found = find(code, traps, mapped, signals);
    let of_element = |found: &Found| {
        found.check == Check::Table && code.instructions[found.decides].condition_code() == ConditionCode::ae
    };
    if found.iter().any(of_element) {
        // Copies look at each index again, so it is no way out if nothing looks at the whole range.
        for found in &mut found {
            let of_range = code.instructions[found.decides].condition_code() == ConditionCode::a;
            if found.check == Check::Table && of_range {
                found.check = Check::Other;
            }
        }
    }
    found
}

/// All checks of a function. As many bytes of memory 0 are always there, or fault; `signals` says whether faults may be
/// traps.
pub(crate) fn find(code: &Decoded, traps: &[(u32, u8)], mapped: u64, signals: bool) -> Vec<Found> {
    let mut found = Vec::new();
    for (n, instruction) in code.instructions.iter().enumerate() {
        let check = if instruction.is_jcc_short_or_near() {
            if guards_jump_table(code, n) {
                Some(Check::JumpTable)
            } else {
                // The heap's length is compared with sign: it is less what the access needs. Ranges of arrays are not
                // to end above it.
                let of = |trap| match (check(trap), instruction.condition_code()) {
                    (Check::Memory, ConditionCode::l) | (Check::Array, ConditionCode::a) => Check::Heap,
                    // Where faults may be traps, a null reference faults where it is read through.
                    (Check::Null | Check::Cast, _) if looks_for_null(code, n) && signals => Check::Other,
                    (Check::Null | Check::Cast, _) if looks_for_null(code, n) => Check::Null,
                    (Check::Division, _) if signals || !asks_of_operand(code, n) => Check::Other,
                    _ if is_wrapped(code, n) => Check::Other,
                    (check, _) => check,
                };
                let of = |trap| match of(trap) {
                    Check::Memory if ends_within(code, n, mapped) => Check::Other,
                    Check::Heap if is_asked_again(code, n) => Check::Other,
                    check => check,
                };
                let target = code.at(instruction.near_branch_target() as u32);
                let check = target.and_then(|target| trap(code, target, traps)).map(of);
                check.or_else(|| makes_object(code, n).then_some(Check::Room))
            }
        } else if is_cmov(instruction) && guards_jump_table(code, n) {
            Some(Check::JumpTable)
        } else {
            None
        };
        found.extend(check.map(|check| Found { decides: n, check }));
    }
    found
}

/// Is a register compared with itself, or `rax` with another, as before divisions? Conversions overflow, too.
fn asks_of_operand(code: &Decoded, n: usize) -> bool {
    code.before(n, 1).is_some_and(|compare| match compare.mnemonic() {
        Mnemonic::Test => compare.op0_register() == compare.op1_register(),
        Mnemonic::Cmp => {
            compare.op0_register().full_register() == Register::RAX && compare.op1_kind() == OpKind::Register
        }
        _ => false,
    })
}

/// Is it asked whether a sum has wrapped? What is of 32 bits does not.
fn is_wrapped(code: &Decoded, n: usize) -> bool {
    let (Some(compare), Some(sum)) = (code.before(n, 1), code.before(n, 2)) else { return false };
    let part = compare.op1_register();
    code.instructions[n].condition_code() == ConditionCode::b
        && compare.mnemonic() == Mnemonic::Cmp
        && compare.op1_kind() == OpKind::Register
        && sum.mnemonic() == Mnemonic::Lea
        && sum.op0_register() == compare.op0_register()
        && (sum.memory_base() == part || sum.memory_index() == part)
}

/// Does the end of an access that is checked come out of a constant, or of a number that was just masked, so that it is
/// no larger?
fn ends_within(code: &Decoded, n: usize, mapped: u64) -> bool {
    let (Some(compare), Some(sum)) = (code.before(n, 1), code.before(n, 2)) else { return false };
    if sum.mnemonic() != Mnemonic::Lea
        || sum.op0_register() != compare.op0_register()
        || sum.memory_index() != Register::None
    {
        return false;
    }
    let writes = |i: &&Instruction| {
        i.op_count() > 1
            && i.op0_kind() == OpKind::Register
            && i.op0_register().full_register() == sum.memory_base()
            && !matches!(i.mnemonic(), Mnemonic::Cmp | Mnemonic::Test)
    };
    let last = (3..16).map_while(|back| code.before(n, back)).find(writes);
    last.is_some_and(|i| {
        matches!(i.mnemonic(), Mnemonic::Mov | Mnemonic::And)
            && i.op0_register().is_gpr32()
            && !matches!(i.op1_kind(), OpKind::Register | OpKind::Memory)
            && (i.immediate(1) as u32 as u64).saturating_add(sum.memory_displacement64()) <= mapped
    })
}

/// Was the same register compared with as little of the heap's length before, and not written since?
fn is_asked_again(code: &Decoded, n: usize) -> bool {
    let asked = |n: usize| -> Option<(Register, u64)> {
        let (compare, length) = (code.before(n, 1)?, code.before(n, 2)?);
        let compares = compare.mnemonic() == Mnemonic::Cmp && compare.op1_kind() == OpKind::Register;
        let less = length.mnemonic() == Mnemonic::Sub && length.op0_register() == compare.op0_register();
        (compares && less).then(|| (compare.op1_register(), length.immediate(1)))
    };
    let Some((reference, span)) = asked(n) else { return false };
    for back in 1..24 {
        let Some(earlier) = code.before(n, back) else { return false };
        if earlier.is_jcc_short_or_near()
            && earlier.condition_code() == ConditionCode::l
            && asked(n - back).is_some_and(|(other, before)| other == reference && before >= span)
        {
            return true;
        }
        let writes = earlier.op_count() > 0
            && earlier.op0_kind() == OpKind::Register
            && earlier.op0_register().full_register() == reference
            && !matches!(earlier.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
        if writes || earlier.is_call_near() || earlier.is_call_near_indirect() {
            return false;
        }
    }
    false
}

/// Is a comparison followed by a store of where the collector's free space begins from then on?
fn makes_object(code: &Decoded, n: usize) -> bool {
    let stores = |i: &Instruction| {
        i.mnemonic() == Mnemonic::Mov
            && i.op0_kind() == OpKind::Memory
            && i.op1_kind() == OpKind::Register
            && i.op1_register().is_gpr32()
            && i.memory_index() == Register::None
            && !matches!(i.memory_base(), Register::RBP | Register::RSP | Register::R14 | Register::R15)
    };
    let bounds = matches!(code.instructions[n].condition_code(), ConditionCode::b | ConditionCode::ae);
    bounds
        && code.before(n, 1).is_some_and(|i| i.mnemonic() == Mnemonic::Cmp)
        && match code.behind(n, 1) {
            Some(i) if i.mnemonic() == Mnemonic::Lea => code.behind(n, 2).is_some_and(stores),
            next => next.is_some_and(stores),
        }
}

/// Is it a reference to a function that is looked at, which is read through behind it?
fn looks_for_null(code: &Decoded, n: usize) -> bool {
    let Some(test) = code.before(n, 1).filter(|before| before.mnemonic() == Mnemonic::Test) else { return false };
    if !test.op0_register().is_gpr64() || test.op1_kind() != OpKind::Register {
        return false;
    }
    let mut held = vec![test.op0_register()];
    for ahead in 1..40 {
        let Some(next) = code.behind(n, ahead) else { return false };
        if held.contains(&next.memory_base()) && next.mnemonic() != Mnemonic::Lea {
            return true;
        }
        let copies = next.mnemonic() == Mnemonic::Mov
            && next.op1_kind() == OpKind::Register
            && next.op0_kind() == OpKind::Register
            && held.contains(&next.op1_register());
        if copies {
            held.push(next.op0_register());
        } else if next.op0_kind() == OpKind::Register {
            held.retain(|register| *register != next.op0_register().full_register());
        }
    }
    false
}

pub(crate) fn is_cmov(instruction: &Instruction) -> bool {
    let condition = instruction.condition_code() != ConditionCode::None;
    condition && !instruction.is_jcc_short_or_near() && instruction.op0_kind() == OpKind::Register && {
        instruction.op0_register().size() >= 4
    }
}

/// Does an entry of a jump table follow, read by an index?
fn guards_jump_table(code: &Decoded, n: usize) -> bool {
    let reads = |i: &Instruction| i.mnemonic() == Mnemonic::Movsxd && i.memory_index_scale() == 4;
    let mut read = None;
    for ahead in 1..=4 {
        let Some(next) = code.behind(n, ahead) else { return false };
        if reads(next) {
            read = Some(ahead);
            break;
        }
    }
    let Some(read) = read else { return false };
    (1..=3).any(|more| code.behind(n, read + more).is_some_and(|i| i.mnemonic() == Mnemonic::Jmp))
}

/// The trap that code at a place ends in, whether by itself or through the host.
fn trap(code: &Decoded, target: usize, traps: &[(u32, u8)]) -> Option<Trap> {
    let first = &code.instructions[target];
    if first.mnemonic() == Mnemonic::Ud2 {
        let at = traps.binary_search_by_key(&(first.ip() as u32), |(at, _)| *at).ok()?;
        return Trap::from_u8(traps[at].1);
    }
    // The number of the trap is the only constant that is moved before the call from which nothing comes back.
    let mut number = None;
    for n in 0..4 {
        let instruction = code.behind(target, n)?;
        match instruction.mnemonic() {
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Immediate32 => number = Some(instruction.immediate32()),
            Mnemonic::Mov => {}
            Mnemonic::Call => {
                let ends = code.behind(target, n + 1).is_none_or(|i| i.mnemonic() == Mnemonic::Ud2);
                return number.filter(|_| ends).and_then(|number| Trap::from_u8(u8::try_from(number).ok()?));
            }
            _ => return None,
        }
    }
    None
}

fn check(trap: Trap) -> Check {
    match trap {
        Trap::StackOverflow => Check::Stack,
        Trap::TableOutOfBounds => Check::Table,
        Trap::BadSignature => Check::Signature,
        Trap::IndirectCallToNull => Check::Null,
        Trap::MemoryOutOfBounds => Check::Memory,
        Trap::ArrayOutOfBounds => Check::Array,
        Trap::IntegerDivisionByZero | Trap::IntegerOverflow => Check::Division,
        Trap::CastFailure | Trap::NullReference => Check::Cast,
        // The host is told of 32 bits, whatever is above: what comes of it is judged where it is used.
        Trap::AllocationTooLarge => Check::Other,
        _ => Check::Other,
    }
}

/// Conditions, by number, under which a check with a given one passes what it did not. Left out are those under which
/// it only fails more often: after a comparison `ne` is whatever `a`, `b`, `l` or `g` is, and of equal values `e` is
/// much else.
pub(crate) fn weaker(check: Check, condition: u8) -> Vec<u8> {
    let same_or_stronger: &[u8] = match condition {
        2 => &[2, 5, 6],
        // An object may end where the heap ends.
        3 if check == Check::Room => &[3, 7],
        4 => &[1, 3, 4, 6, 9, 10, 13, 14],
        7 => &[3, 5, 7],
        12 => &[5, 12, 14],
        15 => &[5, 13, 15],
        other => &[other],
    };
    (0..16).filter(|other| !same_or_stronger.contains(other)).collect()
}
