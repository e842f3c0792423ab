//! Values as a routine that switches stacks computes them: sums of what it found somewhere, exactly, modulo 2⁶⁴.

/// Something whose value is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// What a register held at the entry.
    Entry(u8),
    /// The stack pointer at the entry.
    Stack,
    /// The return address.
    Return,
    /// Bytes of the caller's operands, `at` bytes from the first on, before the switch (0) or after it (1).
    Operand {
        at: i64,
        bytes: u8,
        epoch: u8,
    },
    /// Pointer to the store's structure.
    Store,
    /// A field of the store's structure, as it was when the routine was entered or a stack entered again.
    StoreField {
        at: u32,
        epoch: u8,
    },
    /// A field of a stack, likewise.
    Field {
        of: Box<Term>,
        at: u32,
        bytes: u8,
        epoch: u8,
    },
    /// A word that a stack exchanges, so many bytes from the upper end of its memory, likewise.
    Word {
        of: Box<Term>,
        at: i64,
        epoch: u8,
    },
    /// The tag in a stack's list of handlers.
    Handler {
        of: Box<Term>,
        index: Box<Term>,
    },
    /// The lower half of a number.
    Low(Box<Term>),
    /// The upper half of one, shifted down.
    High(Box<Term>),
    /// How often a loop has come back to its head.
    Iteration(u32),
    /// The kind and the pointer of some link of the chain of stacks from the running one on.
    LinkKind(u32),
    LinkPointer(u32),
    /// What the other stack tells.
    Message,
    /// An offset in the text.
    Text(u32),
    /// Nothing is known of it.
    Unknown(u32),
}

/// A sum of multiples of atoms, in order, and a constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) constant: i64,
    pub(super) parts: Vec<(Atom, i64)>,
}

impl Term {
    pub(super) fn constant(constant: i64) -> Term {
        Term { constant, parts: Vec::new() }
    }

    pub(super) fn atom(atom: Atom) -> Term {
        Term { constant: 0, parts: vec![(atom, 1)] }
    }

    pub(super) fn stack(offset: i64) -> Term {
        Term::atom(Atom::Stack).plus_constant(offset)
    }

    pub(super) fn plus_constant(&self, constant: i64) -> Term {
        Term { constant: self.constant.wrapping_add(constant), parts: self.parts.clone() }
    }

    pub(super) fn plus(&self, other: &Term) -> Term {
        let mut sum = self.plus_constant(other.constant);
        for (atom, times) in &other.parts {
            sum.add(atom.clone(), *times);
        }
        sum
    }

    fn add(&mut self, atom: Atom, times: i64) {
        match self.parts.binary_search_by(|(old, _)| old.cmp(&atom)) {
            Ok(at) => {
                self.parts[at].1 = self.parts[at].1.wrapping_add(times);
                if self.parts[at].1 == 0 {
                    self.parts.remove(at);
                }
            }
            Err(at) if times != 0 => self.parts.insert(at, (atom, times)),
            Err(_) => {}
        }
    }

    pub(super) fn times(&self, by: i64) -> Term {
        let mut product = Term::constant(self.constant.wrapping_mul(by));
        for (atom, times) in &self.parts {
            product.add(atom.clone(), times.wrapping_mul(by));
        }
        product
    }

    pub(super) fn minus(&self, other: &Term) -> Term {
        self.plus(&other.times(-1))
    }

    pub(super) fn as_constant(&self) -> Option<i64> {
        self.parts.is_empty().then_some(self.constant)
    }

    /// The atom, if it is nothing else.
    pub(super) fn single(&self) -> Option<&Atom> {
        match &self.parts[..] {
            [(atom, 1)] if self.constant == 0 => Some(atom),
            _ => None,
        }
    }

    /// How often an atom is in the sum.
    pub(super) fn count(&self, atom: &Atom) -> i64 {
        self.parts.iter().find(|(old, _)| old == atom).map_or(0, |(_, times)| *times)
    }

    /// The sum without the multiples of an atom.
    pub(super) fn without(&self, atom: &Atom) -> Term {
        Term { constant: self.constant, parts: self.parts.iter().filter(|(old, _)| old != atom).cloned().collect() }
    }

    /// A term with something in the place of an atom.
    pub(super) fn replaced(&self, atom: &Atom, by: &Term) -> Term {
        self.without(atom).plus(&by.times(self.count(atom)))
    }

    /// The lower half. What is a lower half within the sum may be the whole: that changes the upper half only.
    pub(super) fn low(&self) -> Term {
        let mut whole = Term::constant(self.constant);
        for (atom, times) in &self.parts {
            match atom {
                Atom::Low(inner) => whole = whole.plus(&inner.times(*times)),
                other => whole.add(other.clone(), *times),
            }
        }
        whole.constant &= 0xffff_ffff;
        match whole.single() {
            _ if whole.parts.is_empty() => whole,
            Some(Atom::High(_) | Atom::Operand { bytes: 4, .. } | Atom::Field { bytes: 4, .. }) => whole,
            _ => Term::atom(Atom::Low(Box::new(whole))),
        }
    }

    /// Is the upper half zero, whatever the atoms are?
    pub(super) fn is_short(&self) -> bool {
        match (self.as_constant(), self.single()) {
            (Some(constant), _) => (0..1 << 32).contains(&constant),
            (_, Some(Atom::Low(_) | Atom::High(_) | Atom::Operand { bytes: 4, .. } | Atom::Field { bytes: 4, .. })) => {
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_equal_however_they_come_about() {
        let (a, b) = (Term::atom(Atom::Entry(1)), Term::atom(Atom::Entry(2)));
        assert_eq!(a.plus(&b).plus_constant(3).minus(&a), b.plus_constant(3));
        assert_eq!(a.plus(&a), a.times(2));
        assert_eq!(a.minus(&a).as_constant(), Some(0));
        assert_eq!(a.low().plus(&b).low(), a.plus(&b.low()).low());
        assert_ne!(a.low(), a);
        assert!(a.low().is_short() && !a.is_short());
        assert_eq!(Term::constant(-1).low().as_constant(), Some(0xffff_ffff));
        let twice = a.times(16).plus_constant(8);
        assert_eq!(twice.replaced(&Atom::Entry(1), &b.plus_constant(-1)), b.times(16).plus_constant(-8));
    }
}
