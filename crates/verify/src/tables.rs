//! The tables that describe instructions, against the instructions: which may fault and why, which calls have handlers
//! and maps. The walk finds what there is; here it is compared with what the artifact says.

use crate::facts::{StackMap, Tables};
use crate::proof::{Call, Cause, Failure, Fault, Place, Proof, Reason};
use wasmtime_environ::{CompiledTrap, Trap};

/// Compares the tables of an artifact with what was found in its text.
///
/// # Errors
///
/// The first difference.
pub fn check(tables: &Tables, proof: &Proof) -> Result<(), Failure> {
    debug_assert!(proof.faults.is_sorted_by_key(|fault| fault.at));
    debug_assert!(proof.calls.is_sorted_by_key(|call| call.returns_to));
    let blame = |(offset, reason): (u32, &'static str)| Failure {
        place: place(tables, offset),
        offset,
        reason: Reason(reason),
    };
    traps(tables, &proof.faults).map_err(blame)?;
    handlers(tables, &proof.calls).map_err(blame)?;
    maps(tables, &proof.calls).map_err(blame)
}

/// What an offset is in.
fn place(tables: &Tables, offset: u32) -> Place {
    let function = tables.functions.partition_point(|range| range.end <= offset);
    if tables.functions.get(function).is_some_and(|range| range.start <= offset) {
        return Place::Function(function as u32);
    }
    let border = tables.borders.partition_point(|(_, range)| range.end <= offset);
    match tables.borders.get(border) {
        Some((border, range)) if range.start <= offset => Place::Border(*border),
        _ => Place::Text,
    }
}

/// An offset and what is wrong there.
type Wrong = (u32, &'static str);

/// The host takes a fault for a trap exactly where the table has one, so each instruction that may fault must be in it,
/// and nothing else: a fault that is no trap must not be taken for one. In routines, several of which lie between two
/// entries of the function table, there may be traps where no control comes.
fn traps(tables: &Tables, faults: &[Fault]) -> Result<(), Wrong> {
    let nothing = |at: u32| match place(tables, at) {
        Place::Function(_) => Err((at, "a trap where nothing can fault")),
        _ => Ok(()),
    };
    let mut traps = tables.traps.iter().copied().peekable();
    for fault in faults {
        while let Some((at, _)) = traps.next_if(|(at, _)| *at < fault.at) {
            nothing(at)?;
        }
        match traps.next_if(|(at, _)| *at == fault.at) {
            None if needs_trap(fault.cause) => return Err((fault.at, "this may fault, and is no trap")),
            Some((_, trap)) if !may_be(fault.cause, trap) => {
                return Err((fault.at, "a trap of another kind than the fault"));
            }
            _ => {}
        }
    }
    traps.try_for_each(|(at, _)| nothing(at))
}

/// A fault in the collector's heap shows that what the host keeps there is wrong. It is no trap: the process ends.
const fn needs_trap(cause: Cause) -> bool {
    match cause {
        Cause::Memory | Cause::NullFunction | Cause::Division | Cause::Always => true,
        Cause::MemoryInBounds | Cause::DivisionInBounds | Cause::NoNullFunction | Cause::Heap | Cause::Unreached => {
            false
        }
    }
}

/// May a fault be this trap, by the host's number?
fn may_be(cause: Cause, trap: u8) -> bool {
    let allowed: &[Trap] = match cause {
        Cause::Memory | Cause::MemoryInBounds => &[Trap::MemoryOutOfBounds],
        Cause::Unreached => return true,
        Cause::Heap => return trap == CompiledTrap::GcHeapCorrupt.as_u8(),
        Cause::NullFunction | Cause::NoNullFunction => &[Trap::IndirectCallToNull, Trap::NullReference],
        Cause::Division | Cause::DivisionInBounds => &[Trap::IntegerDivisionByZero, Trap::IntegerOverflow],
        Cause::Always => &[
            Trap::StackOverflow,
            Trap::MemoryOutOfBounds,
            Trap::HeapMisaligned,
            Trap::TableOutOfBounds,
            Trap::IndirectCallToNull,
            Trap::BadSignature,
            Trap::IntegerOverflow,
            Trap::IntegerDivisionByZero,
            Trap::BadConversionToInteger,
            Trap::UnreachableCodeReached,
            Trap::NullReference,
            Trap::ArrayOutOfBounds,
            Trap::AllocationTooLarge,
            Trap::CastFailure,
            Trap::ContinuationAlreadyConsumed,
            Trap::UnhandledTag,
        ],
    };
    allowed.iter().any(|allowed| CompiledTrap::Normal(*allowed).as_u8() == trap)
}

/// Goes through calls in the order of what is asked for.
struct Calls<'a>(&'a [Call]);

impl<'a> Calls<'a> {
    /// The call that returns to an offset; these ascend from one time to the next.
    fn find(&mut self, returns_to: u32) -> Option<&'a Call> {
        while let Some((call, rest)) = self.0.split_first() {
            if call.returns_to >= returns_to {
                return Some(call).filter(|call| call.returns_to == returns_to);
            }
            self.0 = rest;
        }
        None
    }
}

/// What is said of calls with handlers must be of the frame that they have. What the handlers are is for the walk,
/// which goes through them. The host asks for return addresses that it finds on a stack, so what is said of no call, or
/// of one that nothing leads to, is never found.
fn handlers(tables: &Tables, calls: &[Call]) -> Result<(), Wrong> {
    let mut calls = Calls(calls);
    for site in &tables.calls {
        let Some(call) = calls.find(site.returns_to) else { continue };
        if call.frame != Some(site.frame) {
            return Err((site.returns_to, "handlers of a call with another frame"));
        }
    }
    Ok(())
}

/// A map must be of a call, with the frame that it has, and name slots that are the function's own.
fn maps(tables: &Tables, calls: &[Call]) -> Result<(), Wrong> {
    let mut calls = Calls(calls);
    for map in &tables.maps {
        let Some(call) = calls.find(map.returns_to) else { continue };
        // A map counts from the frame pointer and may leave out what is lowest.
        if call.frame.is_none_or(|frame| map.frame > frame) {
            return Err((map.returns_to, "a stack map of a call with another frame"));
        }
        let room = if call.mapped { map.frame } else { 0 };
        if reach(tables, map).is_none_or(|end| end > u64::from(room)) {
            return Err((map.returns_to, "a stack map that reaches beyond what is the function's own"));
        }
    }
    Ok(())
}

/// How many bytes from the stack pointer on a map may name; `None` if it ends with bits for nothing. So its last word
/// says it, and a map that many calls share costs each of them no more than that.
fn reach(tables: &Tables, map: &StackMap) -> Option<u64> {
    let bits = tables.bits_of(map);
    let Some(last) = bits.last() else { return Some(0) };
    let last_bit = last.checked_ilog2()?;
    Some(4 * (32 * (bits.len() as u64 - 1) + u64::from(last_bit) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{CallSite, Range};

    const OUT: u8 = Trap::MemoryOutOfBounds as u8;

    fn proof(faults: &[(u32, Cause)], calls: &[(u32, u32, bool)]) -> Proof {
        Proof {
            faults: faults.iter().map(|&(at, cause)| Fault { at, cause }).collect(),
            calls: calls
                .iter()
                .map(|&(returns_to, frame, mapped)| Call { returns_to, frame: Some(frame), mapped })
                .collect(),
            ..Proof::default()
        }
    }

    fn reason(tables: &Tables, proof: &Proof) -> (u32, &'static str) {
        let failure = check(tables, proof).unwrap_err();
        (failure.offset, failure.reason.0)
    }

    #[test]
    fn traps_are_what_may_fault_and_nothing_else() {
        let faults = [(4, Cause::Memory), (9, Cause::MemoryInBounds), (12, Cause::Division), (20, Cause::Heap)];
        let proof = proof(&faults, &[]);
        let with = |traps: &[(u32, u8)]| {
            let functions = vec![Range { start: 0, end: 30 }];
            Tables { traps: traps.to_vec(), functions, ..Tables::default() }
        };
        let zero = Trap::IntegerDivisionByZero as u8;
        check(&with(&[(4, OUT), (12, zero)]), &proof).unwrap();
        check(&with(&[(4, OUT), (9, OUT), (12, zero)]), &proof).unwrap();
        assert_eq!(reason(&with(&[(12, zero)]), &proof), (4, "this may fault, and is no trap"));
        assert_eq!(reason(&with(&[(4, OUT)]), &proof), (12, "this may fault, and is no trap"));
        for at in [0, 5, 13, 21] {
            let mut traps = vec![(4, OUT), (12, zero), (at, OUT)];
            traps.sort_unstable();
            assert_eq!(reason(&with(&traps), &proof), (at, "a trap where nothing can fault"));
        }
        check(&with(&[(4, OUT), (12, zero), (35, OUT)]), &proof).unwrap();
        let other = "a trap of another kind than the fault";
        assert_eq!(reason(&with(&[(4, zero), (12, zero)]), &proof), (4, other));
        assert_eq!(reason(&with(&[(4, OUT), (12, OUT)]), &proof), (12, other));
        assert_eq!(reason(&with(&[(4, OUT), (12, zero), (20, OUT)]), &proof), (20, other));
    }

    #[test]
    fn no_trap_is_one_that_only_the_host_raises() {
        for trap in [Trap::Interrupt, Trap::OutOfFuel, Trap::CannotLeaveComponent] {
            let tables = Tables { traps: vec![(3, trap as u8)], ..Tables::default() };
            let proof = proof(&[(3, Cause::Always)], &[]);
            assert_eq!(reason(&tables, &proof), (3, "a trap of another kind than the fault"), "{trap}");
        }
    }

    #[test]
    fn handlers_are_of_calls_with_their_frames() {
        let proof = proof(&[], &[(8, 64, true), (16, 80, true)]);
        let with = |returns_to: u32, frame: u32| {
            let calls = vec![CallSite { returns_to, frame, handlers: (0, 0) }];
            Tables { calls, functions: vec![Range { start: 0, end: 32 }], ..Tables::default() }
        };
        check(&with(8, 64), &proof).unwrap();
        check(&with(16, 80), &proof).unwrap();
        assert_eq!(reason(&with(8, 80), &proof), (8, "handlers of a call with another frame"));
        assert_eq!(reason(&with(16, 64), &proof), (16, "handlers of a call with another frame"));
        assert_eq!(check(&with(16, 64), &proof).unwrap_err().place, Place::Function(0));
        check(&with(9, 8), &proof).unwrap();
    }

    #[test]
    fn maps_name_no_more_than_the_function_has() {
        let proof = proof(&[], &[(8, 64, true), (16, 64, false)]);
        let with = |returns_to: u32, frame: u32, bits: &[u32]| {
            let maps = vec![StackMap { returns_to, frame, bits: (1, 1 + bits.len() as u32) }];
            Tables { maps, map_bits: [&[7], bits].concat(), ..Tables::default() }
        };
        // All is the function's own at the first call, nothing at the second.
        check(&with(8, 64, &[]), &proof).unwrap();
        check(&with(8, 64, &[1 << 15 | 1]), &proof).unwrap();
        check(&with(8, 56, &[1 << 13]), &proof).unwrap();
        check(&with(16, 64, &[]), &proof).unwrap();
        let beyond = "a stack map that reaches beyond what is the function's own";
        assert_eq!(reason(&with(8, 64, &[1 << 16]), &proof), (8, beyond));
        assert_eq!(reason(&with(8, 56, &[1 << 14]), &proof), (8, beyond));
        assert_eq!(reason(&with(16, 64, &[1]), &proof), (16, beyond));
        assert_eq!(reason(&with(8, 64, &[1, 1]), &proof), (8, beyond));
        assert_eq!(reason(&with(8, 64, &[0]), &proof), (8, beyond), "a word for nothing");
        assert_eq!(reason(&with(8, 72, &[1]), &proof), (8, "a stack map of a call with another frame"));
        check(&with(12, 64, &[1]), &proof).unwrap();
    }
}
