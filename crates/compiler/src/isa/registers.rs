//! What the registers that an instruction set names must be to each other, so that no code above it, which knows them
//! by what they are for, has two things in one of them.

use super::Isa;
use lightbeam_asm::{Reg, RegClass, RegSet};

/// A set of registers, none of which is listed twice.
fn distinct(regs: &[Reg]) -> RegSet {
    let set = RegSet::of(regs);
    assert_eq!(set.len() as usize, regs.len(), "{regs:?}");
    set
}

/// Panics if they are not as the trait says.
pub(super) fn are_consistent<I: Isa>() {
    let apart = |a: RegSet, b: RegSet| assert!(a.and(b).is_empty(), "{a:?} and {b:?}");
    let within = |a: RegSet, b: RegSet| assert!(a.minus(b).is_empty(), "{a:?} in {b:?}");
    apart(I::ALLOCATABLE, distinct(&[I::CTX, I::MEMORY_BASE, I::FRAME, I::STACK, I::SCRATCH, I::FLOAT_SCRATCH]));

    // Each has a number of its own in what open blocks know.
    let mut dense: Vec<usize> = I::ALLOCATABLE.into_iter().map(I::dense).collect();
    dense.sort_unstable();
    dense.dedup();
    assert_eq!(dense.len(), I::ALLOCATABLE.len() as usize);
    let mut numbers = I::DENSE;
    for at in dense {
        numbers[at] = 1;
    }

    // Homes. Routines keep three operands in preserved registers.
    let preserved = distinct(I::PRESERVED);
    assert!(I::PRESERVED.len() >= 3);
    let homes = distinct(&[I::PRESERVED, I::VOLATILE_HOMES, I::LOOP_HOMES, I::FLOAT_HOMES].concat());
    within(homes, I::ALLOCATABLE);
    // Operators that do not demand more find three registers of either class.
    assert!(I::ALLOCATABLE.minus(homes).class(RegClass::Int).len() >= 3);
    assert!(!homes.has(I::EXPECTED));
    let saved = distinct(I::ENTRY_SAVED);
    within(preserved.or(RegSet::of(&[I::CTX, I::MEMORY_BASE])), saved);

    // Conventions.
    for convention in [&I::PRIVATE, &I::TAIL, &I::LIBCALL] {
        for regs in [convention.int_args, convention.float_args, convention.int_results, convention.float_results] {
            let regs = distinct(regs);
            within(regs, I::ALLOCATABLE);
            apart(regs, preserved);
        }
        assert!(convention.result_area.is_none_or(|reg| !convention.int_args.contains(&reg)));
        assert!(!convention.int_args.contains(&I::UNPASSED) && convention.result_area != Some(I::UNPASSED));
    }
    assert!(I::ALLOCATABLE.has(I::UNPASSED) && !preserved.has(I::UNPASSED));

    // What routines and landing pads have at the same time.
    let results = distinct(&I::ROUTINE_RESULTS);
    within(results, I::ALLOCATABLE);
    assert_eq!(I::ROUTINE_RESULTS[0], I::LIBCALL.int_results[0]);
    assert_eq!(I::EXCEPTION, I::LIBCALL.int_results[0]);
    assert!(!I::PRIVATE.int_args[..3].contains(&I::EXCEPTION), "these are temporaries beside it");
    let temps = distinct(&I::TEMPS);
    within(temps, I::ALLOCATABLE);
    apart(temps.or(results), preserved.or(RegSet::one(I::STACK_MESSAGE)));
    apart(RegSet::of(&I::TEMPS[2..]), results);
}
