//! Whether control comes back from calls, and the proofs that every call and every look into objects was announced.

use crate::emit::FuncGen;
use crate::isa::Isa;
use crate::operators::effects::{Calls, of_next};
use crate::operators::{MayCall, Op};
use crate::treaty::fault::proof;

/// What a call that sweep 2 emits is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comes {
    /// Control comes back, to this operator or behind it.
    Back,
    /// Control comes back to a stub, which has saved all registers, or to code behind the function's last operator.
    ToMargin,
    /// Control does not come back.
    Never,
}

impl<I: Isa> FuncGen<'_, I> {
    /// Notes what the next operator does, to prove that it does no more.
    pub(crate) fn expect_effects(&mut self) {
        let constant = |below: usize| {
            let at = self.stack.len().checked_sub(1 + below)?;
            self.stack[at].as_const()
        };
        self.expected = of_next(self.facts, self.reader, [constant(1), constant(0)]);
        let mut ahead = self.reader;
        let effects = ahead.operator().effects();
        // Whether a test looks into objects goes by its type.
        self.expected_in_heap = effects.heap || effects.calls == MayCall::Tests;
    }

    /// The address of the heap is asked for where it may be kept like a local: proves that the survey has counted the
    /// operator, or that local would not be worth a register.
    pub(crate) fn prove_in_heap(&self) {
        proof!(
            self.expected_in_heap,
            "the operator at {:#x} looks into objects, and its line does not say so",
            self.w.wasm
        );
    }

    /// Does control come back from the operator, whose last call has been made? Only to be asked there, of operators
    /// that make no more than that one (`Calls::Last`).
    pub(crate) fn comes_back(&self) -> bool {
        self.reader.at_end() || self.reader.peek_op() != Op::Unreachable
    }

    /// Registers that calls destroy are about to be destroyed: proves that the survey has said so.
    pub(crate) fn prove_call(&self, comes: Comes) {
        if comes != Comes::Back {
            return;
        }
        let at = self.w.wasm;
        assert!(self.survey_may_call(), "a call at {at:#x} in a function that has none");
        let back = match self.expected {
            Calls::Returns => true,
            // Control comes back, or goes to a handler of this function, with what calls preserve.
            Calls::Last => self.comes_back() || self.is_handled(),
            Calls::Leaves => self.is_handled(),
            Calls::No | Calls::Detour | Calls::Onward => panic!("a call at {at:#x} of an operator that makes none"),
        };
        if back {
            assert!(self.regs.locked.is_empty(), "a call at {at:#x} in a loop that keeps locals in registers");
            assert!(self.survey_knows_of_call(), "a call at {at:#x} in a block that has none");
        }
    }
}
