//! What the operator that comes next means to the one at hand, in one byte: looked up once, by the opcode.

use crate::operators::{Flags, LINES, Op, Shape};

/// Of an operator that comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next(u8);

impl Next {
    /// It writes the result to a local.
    pub(crate) const WRITES: Next = Next(1);
    /// It takes a condition from the flags, whatever comes behind it.
    pub(crate) const TAKES_FLAGS: Next = Next(2);
    /// It asks whether the result is zero: by a branch, or for another operator that asks the same.
    pub(crate) const TESTS_ZERO: Next = Next(4);
    /// It may have an instruction that does a load itself.
    pub(crate) const MAY_FOLD: Next = Next(8);
    /// It calls with the result as its last argument.
    pub(crate) const CALLS: Next = Next(16);
    /// It pushes what costs nothing: what is behind may be a call.
    pub(crate) const LATENT: Next = Next(32);

    const NONE: Next = Next(0);

    /// What is looked at: all, or where operators cost fuel, all but what would make one of two.
    pub(crate) const fn looked_at(fuel: bool) -> Next {
        Next(if fuel { !(Next::TAKES_FLAGS.0 | Next::TESTS_ZERO.0) } else { !0 })
    }

    #[inline(always)]
    pub(crate) const fn and(self, other: Next) -> Next {
        Next(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Next) -> Next {
        Next(self.0 | other.0)
    }

    /// Is it any of these?
    #[inline(always)]
    pub(crate) const fn is(self, any: Next) -> bool {
        self.0 & any.0 != 0
    }

    /// The operator of a byte, if one does not ask for more than the byte.
    #[inline(always)]
    pub(crate) const fn of(byte: u8) -> Next {
        NEXT[byte as usize]
    }

    const fn of_line(op: Op, flags: Flags, shape: Shape) -> Next {
        let flags = match flags {
            Flags::None => Next::NONE,
            Flags::Branches => Next::TAKES_FLAGS.or(Next::TESTS_ZERO),
            Flags::Selects => Next::TAKES_FLAGS,
            Flags::AsksZero => Next::TESTS_ZERO,
        };
        let shape = if matches!(shape, Shape::Own) { Next::NONE } else { Next::MAY_FOLD };
        let role = match op {
            Op::LocalSet | Op::LocalTee => Next::WRITES,
            Op::Call => Next::CALLS,
            Op::LocalGet | Op::I32Const => Next::LATENT,
            _ => Next::NONE,
        };
        flags.or(shape).or(role)
    }
}

static NEXT: [Next; 256] = {
    // A prefix may be followed by anything.
    let mut next = [Next::NONE; 256];
    let mut i = 0;
    while i < LINES.len() {
        let (op, line) = LINES[i];
        if op.index() < next.len() {
            next[op.index()] = Next::of_line(op, line.effects.flags, line.shape);
        }
        i += 1;
    }
    next
};

#[cfg(test)]
mod tests {
    use super::Next;
    use crate::operators::{Op, Prefix};

    #[test]
    fn what_comes_next_is_what_the_table_says() {
        let is = |op: Op, any: Next| Next::of(op.index() as u8).is(any);
        assert!(is(Op::LocalSet, Next::WRITES) && is(Op::LocalTee, Next::WRITES) && !is(Op::LocalGet, Next::WRITES));
        assert!(is(Op::BrIf, Next::TAKES_FLAGS) && is(Op::BrIf, Next::TESTS_ZERO));
        assert!(is(Op::Select, Next::TAKES_FLAGS) && !is(Op::Select, Next::TESTS_ZERO));
        assert!(is(Op::I64Eqz, Next::TESTS_ZERO) && !is(Op::I64Eqz, Next::TAKES_FLAGS));
        assert!(is(Op::I32Add, Next::MAY_FOLD) && !is(Op::I32Shl, Next::MAY_FOLD));
        assert!(is(Op::Call, Next::CALLS) && is(Op::I32Const, Next::LATENT));
        for prefix in Prefix::ALL {
            assert!(Next::of(prefix.byte()) == Next::NONE);
        }
        assert!(Next::of(Op::BrIf.index() as u8).and(Next::looked_at(true)) == Next::NONE);
        assert!(Next::of(Op::BrIf.index() as u8).and(Next::looked_at(false)) != Next::NONE);
    }
}
