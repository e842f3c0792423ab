//! Parallel moves: many registers change places at once.

use lightbeam_asm::{Reg, RegSet};

/// One step of a sequence that does what a parallel move says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Copy the second register to the first.
    Move(Reg, Reg),
    /// Copy the register to the scratch register of its class.
    Save(Reg),
    /// Copy the scratch register of its class to the register.
    Restore(Reg),
}

/// A set of moves `(to, from)` with distinct destinations, all to be done at once.
pub(crate) struct Moves {
    /// The destinations.
    to: RegSet,
    /// By index of a destination: the source.
    from: [Reg; 64],
}

impl Default for Moves {
    fn default() -> Moves {
        Moves { to: RegSet::EMPTY, from: [Reg::int(0); 64] }
    }
}

impl Moves {
    pub(crate) fn clear(&mut self) {
        self.to = RegSet::EMPTY;
    }

    #[inline]
    pub(crate) fn add(&mut self, to: Reg, from: Reg) {
        debug_assert!(!self.to.has(to), "two moves to {to:?}");
        debug_assert_eq!(to.class(), from.class());
        if to != from {
            self.to.add(to);
            self.from[to.index()] = from;
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.to.is_empty()
    }

    /// Orders the moves, breaking each cycle through the scratch register of its class, which is neither a source nor
    /// a destination. Empties the set.
    pub(crate) fn resolve(&mut self, mut emit: impl FnMut(Step)) {
        while !self.to.is_empty() {
            let sources = self.to.fold(RegSet::EMPTY, |set, to| set.or(RegSet::one(self.from[to.index()])));
            // Destinations that no pending move reads may be written now, in any order.
            let ready = self.to.minus(sources);
            for to in ready {
                emit(Step::Move(to, self.from[to.index()]));
            }
            self.to = self.to.minus(ready);
            if ready.is_empty()
                && let Some(first) = self.to.first()
            {
                // Only cycles are left: take one apart.
                emit(Step::Save(first));
                let (mut to, mut from) = (first, self.from[first.index()]);
                while from != first {
                    emit(Step::Move(to, from));
                    self.to.remove(to);
                    (to, from) = (from, self.from[from.index()]);
                }
                emit(Step::Restore(to));
                self.to.remove(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the steps on numbered registers and compares with what "all at once" means.
    pub(crate) fn check(moves: &[(u8, u8)]) {
        let mut set = Moves::default();
        let mut want: Vec<u8> = (0..16).collect();
        for &(to, from) in moves {
            set.add(Reg::int(to), Reg::int(from));
            want[to as usize] = from;
        }
        let mut regs: Vec<u8> = (0..16).collect();
        let mut scratch = 0xff;
        set.resolve(|step| match step {
            Step::Move(to, from) => regs[to.index()] = regs[from.index()],
            Step::Save(r) => scratch = regs[r.index()],
            Step::Restore(r) => regs[r.index()] = scratch,
        });
        assert_eq!(regs, want, "{moves:?}");
    }

    #[test]
    fn chains_cycles_and_fans() {
        check(&[(0, 1), (1, 2), (2, 3)]);
        check(&[(0, 1), (1, 0)]);
        check(&[(0, 1), (1, 2), (2, 0)]);
        check(&[(0, 1), (2, 1), (3, 1), (1, 0)]);
        check(&[(0, 1), (1, 0), (2, 3), (3, 2), (4, 0)]);
    }

    #[test]
    fn random_maps() {
        let mut state = 0x1234_5678_9abc_def1u64;
        let mut random = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % n
        };
        for _ in 0..20_000 {
            let mut moves = vec![];
            for to in 0..8 {
                if random(4) != 0 {
                    moves.push((to, random(8) as u8));
                }
            }
            check(&moves);
        }
    }
}
