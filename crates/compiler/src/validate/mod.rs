//! Sweep 1: validates a body and takes its survey in the same visit.
//!
//! There are two ways through it. The *fast sweep* (`fast/`) reads the bytes itself and decides nearly every body. That
//! knows valid bodies of what the compiler supports, and nothing else: at anything unknown, switched off or wrong it
//! gives the body up. The *judge* (`judge.rs`) is wasmparser's validator, which then judges the body from its start. So
//! a wrong verdict of the fast sweep could only be to take an invalid body for valid; in debug builds each of its
//! verdicts and surveys is compared with the judge's.

mod fast;
mod judge;
mod notes;
pub(crate) mod product;
pub(crate) mod survey;

use crate::treaty::error::Error;
use crate::treaty::facts::Facts;
use crate::treaty::sig::Sig;
use crate::validate::survey::Survey;
use wasmparser::{FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};

/// So many values may be on the stack of a function, and one more for each byte of its body. An operator of two bytes
/// can push a thousand, also where nothing is emitted that could become too much; both sweeps keep a few bytes for
/// each, and a frame has a slot for each.
pub(crate) const MOST_VALUES: usize = 1 << 16;

/// What sweep 1 keeps from function to function, so that none allocates for itself.
#[derive(Default)]
pub(crate) struct Buffers {
    fast: fast::Buffers,
    judge: FuncValidatorAllocations,
}

/// Validates a body and takes its survey. True if the fast sweep did it, false if the judge had to.
///
/// # Errors
///
/// If the body is invalid, uses what is not supported, or exceeds a limit.
// Never inlined, so that profiles can tell it from sweep 2.
#[inline(never)]
pub(crate) fn survey(
    survey: &mut Survey,
    buffers: &mut Buffers,
    facts: &Facts,
    sig: &Sig,
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<bool, Error> {
    let decided = fast::survey(survey, &mut buffers.fast, facts, sig, &func, body.as_bytes()).is_some();
    if !decided {
        by_judge(survey, buffers, facts, sig, func, body)?;
    } else if cfg!(debug_assertions) && crate::treaty::fault::proving() {
        let mut expected = Survey::default();
        let verdict = by_judge(&mut expected, buffers, facts, sig, func, body);
        assert!(verdict.is_ok(), "the fast sweep takes for valid what is not: {verdict:?}");
        assert_same(survey, &expected);
    }
    Ok(decided)
}

fn by_judge(
    survey: &mut Survey,
    buffers: &mut Buffers,
    facts: &Facts,
    sig: &Sig,
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<(), Error> {
    let mut validator = func.into_validator(std::mem::take(&mut buffers.judge));
    let verdict = judge::survey(survey, &mut validator, body, facts, sig);
    buffers.judge = validator.into_allocations();
    verdict
}

fn assert_same(fast: &Survey, judge: &Survey) {
    let (fast, judge) = (fast.summary(), judge.summary());
    assert!(fast == judge, "the surveys differ:\n{fast:?}\n{judge:?}");
}

/// Both ways of sweep 1 side by side, for tests and measurements. No part of the compiler's interface.
#[doc(hidden)]
#[derive(Default)]
pub struct BothWays {
    buffers: Buffers,
    fast: Survey,
    judge: Survey,
}

impl BothWays {
    /// Does the fast sweep take the body for valid? `facts` are those of the function's module.
    pub fn fast(&mut self, facts: &Facts, func: &FuncToValidate<ValidatorResources>, body: &FunctionBody<'_>) -> bool {
        let sig = facts.sig_of_func(func.index);
        fast::survey(&mut self.fast, &mut self.buffers.fast, facts, sig, func, body.as_bytes()).is_some()
    }

    /// The judge's verdict.
    ///
    /// # Errors
    ///
    /// If the body is invalid, uses what is not supported, or exceeds a limit.
    pub fn judge(
        &mut self,
        facts: &Facts,
        func: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), Error> {
        let sig = facts.sig_of_func(func.index);
        by_judge(&mut self.judge, &mut self.buffers, facts, sig, func, body)
    }

    /// After both have taken one body for valid.
    ///
    /// # Panics
    ///
    /// If their surveys differ.
    pub fn assert_same_survey(&self) {
        assert_same(&self.fast, &self.judge);
    }
}
