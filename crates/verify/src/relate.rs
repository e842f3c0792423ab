//! What is known of sums of registers: that a range is in a region. A range is checked as a whole, then walked by
//! pointers and counters, or handed to the host; no single value tells that it is in bounds, but the sum of a few does.
//!
//! A fact says `terms + constant ≤ length of the region`, where a term is a register, shifted, or 32 or 64 bits of the
//! frame; if `pointer`, the region's base is in the sum, too. No such sum wraps. Moves double facts, additions change
//! constants, other writes end them.

use crate::value::{Tag, Value};

/// What a range is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    Memory(u32),
    /// In elements, or in bytes where a pointer is.
    Table(u32),
    Heap,
    Data(u32),
    /// In elements of 16 bytes, or in bytes where a pointer is.
    Elem(u32),
    /// Of this length, whatever it is.
    Const(u32),
    /// The code at hand from an offset on, to be read.
    Text(u32),
}

impl Region {
    /// The value of a pointer into the region.
    pub(crate) fn pack(self) -> Value {
        let (kind, index) = match self {
            Region::Memory(index) => (0, index),
            Region::Table(index) => (1, index),
            Region::Heap => (2, 0),
            Region::Data(index) => (3, index),
            Region::Elem(index) => (4, index),
            Region::Const(length) => (5, length),
            Region::Text(at) => (6, at),
        };
        Value::new(Tag::Into, kind, index)
    }

    /// The region that a pointer is into.
    pub(crate) fn unpack(value: Value) -> Region {
        match value.a() {
            0 => Region::Memory(value.b()),
            1 => Region::Table(value.b()),
            2 => Region::Heap,
            3 => Region::Data(value.b()),
            4 => Region::Elem(value.b()),
            5 => Region::Const(value.b()),
            _ => Region::Text(value.b()),
        }
    }
}

/// A term: a register by its number, or a place in the frame; shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) key: Key,
    pub(crate) shift: u8,
}

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Reg(u8),
    /// Eight bytes of the frame.
    Slot(i32),
    /// Four bytes of it, which are not those eight even if these begin there.
    Half(i32),
    None,
}

const NO_TERM: Term = Term { key: Key::None, shift: 0 };

/// A sum of terms and a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    terms: [Term; 3],
    constant: i64,
}

impl Sum {
    pub(crate) const ZERO: Sum = Sum { terms: [NO_TERM; 3], constant: 0 };

    /// Of which nothing is known.
    pub(crate) const NOTHING: Sum = Sum { terms: [Term { key: Key::None, shift: 1 }; 3], constant: 0 };

    /// Adds a term; `None` if there are too many.
    pub(crate) fn plus(mut self, mut term: Term) -> Option<Sum> {
        if self == Sum::NOTHING {
            return Some(self);
        }
        // Twice the same is once the double.
        while let Some(same) = self.terms.iter_mut().find(|old| **old == term) {
            *same = NO_TERM;
            term.shift += 1;
        }
        *self.terms.iter_mut().find(|old| old.key == Key::None)? = term;
        self.sorted()
    }

    pub(crate) fn plus_constant(self, constant: i64) -> Option<Sum> {
        Some(Sum { constant: self.constant.checked_add(constant)?, ..self })
    }

    pub(crate) fn plus_all(self, other: &Sum) -> Option<Sum> {
        if *other == Sum::NOTHING {
            return Some(*other);
        }
        let terms = other.terms.iter().filter(|term| term.key != Key::None);
        terms.copied().try_fold(self, Sum::plus)?.plus_constant(other.constant)
    }

    /// Is it the sum of this term and one other part, neither of them shifted?
    pub(crate) fn is_part(&self, term: Term) -> bool {
        let count = self.terms.iter().filter(|term| term.key != Key::None).count();
        let unshifted = self.terms.iter().all(|term| term.shift == 0);
        let positive = usize::from(self.constant > 0);
        !self.is_negative() && unshifted && count + positive == 2 && self.terms.contains(&term)
    }

    /// Is it the sum of this constant, which is not negative, and one term that is not shifted?
    pub(crate) fn is_constant_part(&self, constant: i64) -> bool {
        let mut terms = self.terms.iter().filter(|term| term.key != Key::None);
        let one = matches!((terms.next(), terms.next()), (Some(Term { shift: 0, .. }), None));
        one && constant >= 0 && self.constant == constant
    }

    /// The registers in it that are not shifted, each with how much all else in the sum is at least, if that is more
    /// than one; one is enough if all else is a constant.
    pub(crate) fn offsets(&self, least: impl Fn(u8) -> u64) -> [Option<(u8, u64)>; 3] {
        let part = |term: &Term| match term.key {
            Key::Reg(reg) => least(reg).checked_shl(term.shift.into()).unwrap_or(0),
            _ => 0,
        };
        let alone = self.terms[1].key == Key::None;
        std::array::from_fn(|at| match self.terms[at] {
            Term { key: Key::Reg(reg), shift: 0 } => {
                let others = self.terms.iter().enumerate().filter(|(other, _)| *other != at);
                let rest = others.map(|(_, term)| part(term)).fold(0, u64::saturating_add);
                let rest = i64::try_from(rest).ok()?.checked_add(self.constant)?;
                u64::try_from(rest).ok().filter(|rest| *rest > 1 || alone && *rest == 1).map(|rest| (reg, rest))
            }
            _ => None,
        })
    }

    /// Is it less than its terms?
    pub(crate) fn is_negative(&self) -> bool {
        self.constant < 0
    }

    pub(crate) fn names_reg(&self, reg: u8) -> bool {
        self.has(Key::Reg(reg))
    }

    fn shifted(self, by: u8) -> Option<Sum> {
        let terms = self.terms.map(|term| match term.key {
            Key::None => term,
            _ => Term { shift: term.shift + by, ..term },
        });
        if terms.iter().any(|term| term.shift > 32) {
            return None;
        }
        Some(Sum { terms, constant: self.constant.checked_mul(1 << by)? })
    }

    fn sorted(mut self) -> Option<Sum> {
        self.terms.sort_unstable_by_key(|term| match term.key {
            Key::Reg(reg) => (0, i32::from(reg), term.shift),
            Key::Slot(at) => (1, at, term.shift),
            Key::Half(at) => (2, at, term.shift),
            Key::None => (3, 0, 0),
        });
        Some(self)
    }

    fn has(&self, key: Key) -> bool {
        self.terms.iter().any(|term| term.key == key)
    }

    fn shift_of(&self, key: Key) -> Option<u8> {
        self.terms.iter().find(|term| term.key == key).map(|term| term.shift)
    }

    fn renamed(&self, from: Key, to: Key) -> Sum {
        let terms = self.terms.map(|term| if term.key == from { Term { key: to, ..term } } else { term });
        Sum { terms, ..*self }.sorted().unwrap_or(*self)
    }

    fn without(&self, term: Term) -> Option<Sum> {
        let mut rest = *self;
        *rest.terms.iter_mut().find(|old| **old == term)? = NO_TERM;
        rest.sorted()
    }

    fn names(&self, of: impl Fn(Key) -> bool) -> bool {
        self.terms.iter().any(|term| of(term.key))
    }
}

/// What is known of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) sum: Sum,
    pub(crate) region: Region,
    /// The logarithm of the bytes that the region's length counts in.
    pub(crate) unit: u8,
    /// Is the region's base in the sum, in a register that is not shifted?
    pub(crate) pointer: Option<u8>,
}

/// What a register holds that a sum was just computed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) reg: u8,
    pub(crate) sum: Sum,
    /// The sum is at least so much, if it has not wrapped.
    pub(crate) least: u64,
    /// Is it known not to have wrapped?
    pub(crate) exact: bool,
    /// Are all parts of 32 bits?
    pub(crate) small: bool,
    /// The register that was added last, if it is unchanged.
    pub(crate) part: u8,
}

/// How many facts are kept at most.
const MOST: usize = 12;

/// All that is known at some place.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    len: usize,
    /// Those from `len` on mean nothing.
    facts: [Fact; MOST],
    pub(crate) pending: Option<Pending>,
    /// A bit for each register that is named, and `SLOTS` if a place in the frame is: see `note_names`.
    named: u32,
}

/// In `named`: some place in the frame.
const SLOTS: u32 = 1 << 16;

const NO_FACT: Fact = Fact { sum: Sum::ZERO, region: Region::Heap, unit: 0, pointer: None };

impl Facts {
    pub(crate) const NONE: Facts = Facts { len: 0, facts: [NO_FACT; MOST], pending: None, named: 0 };

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0 && self.pending.is_none()
    }

    pub(crate) fn list(&self) -> &[Fact] {
        &self.facts[..self.len]
    }

    /// Does anything that is known name this register? What names none need not be told that it is written.
    #[inline]
    pub(crate) fn names_reg(&self, reg: usize) -> bool {
        self.named >> reg & 1 != 0
    }

    /// Does anything that is known name a place in the frame?
    #[inline]
    pub(crate) fn names_slots(&self) -> bool {
        self.named & SLOTS != 0
    }

    /// Finds out what is named, behind each change.
    pub(crate) fn note_names(&mut self) {
        let bit = |key: Key| match key {
            Key::Reg(reg) => 1u32.checked_shl(reg.into()).unwrap_or(0),
            Key::Slot(_) | Key::Half(_) => SLOTS,
            Key::None => 0,
        };
        let of = |sum: &Sum| sum.terms.iter().fold(0, |bits, term| bits | bit(term.key));
        self.named = self.list().iter().fold(0, |bits, fact| bits | of(&fact.sum));
        if let Some(pending) = &self.pending {
            self.named |= of(&pending.sum) | bit(Key::Reg(pending.reg)) | bit(Key::Reg(pending.part));
        }
    }

    /// Says whether the oldest had to go for it.
    pub(crate) fn add(&mut self, fact: Fact) -> bool {
        // Of two that differ in the constant one tells all.
        let like = |old: &Fact| Fact { sum: Sum { constant: fact.sum.constant, ..old.sum }, ..*old } == fact;
        if let Some(old) = self.facts[..self.len].iter_mut().find(|old| like(old)) {
            old.sum.constant = old.sum.constant.max(fact.sum.constant);
            return false;
        }
        let is_full = self.len == MOST;
        if is_full {
            self.facts.copy_within(1.., 0);
            self.len -= 1;
        }
        self.facts[self.len] = fact;
        self.len += 1;
        is_full
    }

    /// Adds what follows from each of the facts that there are.
    fn add_of_each(&mut self, follows: impl Fn(&Fact) -> Option<Fact>) {
        let (mut at, mut end) = (0, self.len);
        while at < end {
            match follows(&self.facts[at]).map(|fact| self.add(fact)) {
                // The others are all one place further down.
                Some(true) => end -= 1,
                _ => at += 1,
            }
        }
    }

    fn retain(&mut self, keep: impl Fn(&Fact) -> bool) {
        let mut len = 0;
        for at in 0..self.len {
            if keep(&self.facts[at]) {
                self.facts[len] = self.facts[at];
                len += 1;
            }
        }
        self.len = len;
    }

    /// Forgets what names such keys.
    pub(crate) fn forget(&mut self, of: impl Fn(Key) -> bool + Copy) {
        self.retain(|fact| !fact.sum.names(of));
        if let Some(pending) = &self.pending
            && (of(Key::Reg(pending.reg)) || pending.sum.names(of))
        {
            self.pending = None;
        }
        if let Some(pending) = &mut self.pending
            && of(Key::Reg(pending.part))
        {
            pending.part = crate::state::NONE;
        }
    }

    pub(crate) fn written(&mut self, reg: u8) {
        self.forget(|key| key == Key::Reg(reg));
    }

    /// Forgets pointers, but for those into such regions.
    pub(crate) fn forget_pointers(&mut self, but: impl Fn(Region) -> bool) {
        self.retain(|fact| fact.pointer.is_none() || but(fact.region));
    }

    /// Forgets what is in such regions.
    pub(crate) fn forget_regions(&mut self, of: impl Fn(Region) -> bool) {
        self.retain(|fact| !of(fact.region));
    }

    /// `to = from`, all 64 bits.
    pub(crate) fn moved(&mut self, to: u8, from: u8) {
        if to == from {
            return;
        }
        // A move of the sum itself ends it: nobody compares the copy.
        self.written(to);
        self.add_of_each(|fact| {
            let pointer = fact.pointer.map(|reg| if reg == from { to } else { reg });
            let sum = fact.sum.renamed(Key::Reg(from), Key::Reg(to));
            fact.sum.has(Key::Reg(from)).then_some(Fact { sum, pointer, ..*fact })
        });
    }

    /// A register is a counter that begins with so many: where a pointer has as much room, it has as much as is
    /// counted.
    pub(crate) fn counts(&mut self, reg: u8, count: i64, size: impl Fn(Region) -> u8) {
        self.add_of_each(|fact| {
            let shift = size(fact.region);
            let room = count.checked_mul(1 << shift).and_then(|room| fact.sum.plus_constant(-room));
            let room = room.filter(|sum| sum.constant >= 0 && fact.pointer.is_some());
            Some(Fact { sum: room?.plus(Term { key: Key::Reg(reg), shift })?, ..*fact })
        });
    }

    /// A register holds what another does.
    pub(crate) fn copied(&mut self, copy: u8, of: u8) {
        self.add_of_each(|fact| {
            let sum = fact.sum.renamed(Key::Reg(of), Key::Reg(copy));
            let names = fact.sum.has(Key::Reg(of)) && !fact.sum.has(Key::Reg(copy));
            names.then_some(Fact { sum, ..*fact })
        });
    }

    /// A register holds what the frame has somewhere, and will when something else is written there.
    pub(crate) fn taken_from_frame(&mut self, reg: u8, from: Key) {
        self.add_of_each(|fact| {
            let sum = fact.sum.renamed(from, Key::Reg(reg));
            fact.sum.has(from).then_some(Fact { sum, ..*fact })
        });
    }

    /// `reg += by`, which does not wrap.
    pub(crate) fn added(&mut self, reg: u8, by: i64) {
        self.forget_pending(reg);
        for at in 0..self.len {
            let fact = &mut self.facts[at];
            if !fact.sum.has(Key::Reg(reg)) {
                continue;
            }
            // The register may be in the sum more than once.
            let terms = fact.sum.terms.into_iter().filter(|term| term.key == Key::Reg(reg));
            let changed = terms
                .map(|term| by.checked_mul(-1 << term.shift))
                .try_fold(fact.sum, |sum, by| by.and_then(|by| sum.plus_constant(by)));
            match changed {
                Some(sum) => fact.sum = sum,
                None => return self.written(reg),
            }
        }
    }

    /// `reg <<= by`, which loses nothing.
    pub(crate) fn shifted(&mut self, reg: u8, by: u8) {
        match self.pending {
            Some(pending) if pending.reg == reg && pending.exact => {
                self.pending = pending.sum.shifted(by).map(|sum| Pending { sum, least: 0, small: false, ..pending });
            }
            _ => self.forget_pending(reg),
        }
        for at in 0..self.len {
            let fact = &mut self.facts[at];
            let Some(shift) = fact.sum.shift_of(Key::Reg(reg)) else { continue };
            if shift < by
                && let Some(sum) = fact.sum.shifted(fact.unit)
            {
                (fact.sum, fact.unit) = (sum, 0);
            }
            for term in &mut fact.sum.terms {
                if term.key == Key::Reg(reg) {
                    term.shift = term.shift.wrapping_sub(by);
                }
            }
        }
        self.retain(|fact| fact.sum.terms.iter().all(|term| term.shift <= 32));
    }

    /// Is anything known of a register as an offset in a region?
    pub(crate) fn knows(&self, reg: u8, region: Region) -> bool {
        let of = |fact: &Fact| fact.region == region && fact.pointer.is_none() && fact.sum.has(Key::Reg(reg));
        self.list().iter().any(of)
    }

    /// Is a register a term of some fact, so that it is no larger than a length?
    pub(crate) fn is_term(&self, reg: u8) -> bool {
        self.list().iter().any(|fact| fact.sum.has(Key::Reg(reg)))
    }

    fn forget_pending(&mut self, reg: u8) {
        self.pending = self.pending.filter(|pending| pending.reg != reg && !pending.sum.has(Key::Reg(reg)));
    }

    /// `reg` was an offset and becomes a pointer: the base of a region was added to it.
    pub(crate) fn based(&mut self, reg: u8, region: Region, is_region: impl Fn(Region) -> bool) {
        self.forget_pending(reg);
        for at in 0..self.len {
            let fact = &mut self.facts[at];
            if fact.sum.has(Key::Reg(reg)) {
                let sound = fact.sum.shift_of(Key::Reg(reg)) == Some(0)
                    && fact.pointer.is_none()
                    && fact.unit == 0
                    && is_region(fact.region);
                if sound {
                    fact.pointer = Some(reg);
                    fact.region = region;
                } else {
                    *fact = NO_FACT;
                }
            }
        }
        self.retain(|fact| *fact != NO_FACT);
    }

    /// `to = base of the region + what a key is, shifted, + constant`, where the key is not `to`.
    pub(crate) fn pointer_from(
        &mut self,
        to: u8,
        term: Option<Term>,
        constant: i64,
        region: Region,
        is_region: impl Fn(Region) -> bool,
    ) {
        let sources = self.facts;
        let len = self.len;
        self.written(to);
        for fact in &sources[..len] {
            if fact.pointer.is_some() || !is_region(fact.region) {
                continue;
            }
            let Some(sum) = fact.sum.shifted(fact.unit) else { continue };
            let rest = match term {
                Some(term) => sum.without(term),
                // Of a constant only facts tell that have it in them.
                None => Some(sum).filter(|sum| sum.constant >= constant),
            };
            let Some(rest) = rest.and_then(|sum| sum.plus_constant(-constant)) else { continue };
            if rest.has(Key::Reg(to)) {
                continue;
            }
            if let Some(sum) = rest.plus(Term { key: Key::Reg(to), shift: 0 }) {
                self.add(Fact { sum, region, unit: 0, pointer: Some(to) });
            }
        }
    }

    /// `to = pointer + (index << shift) + constant`, where `to` may be the pointer's register.
    pub(crate) fn advanced(&mut self, to: u8, pointer: u8, index: Option<Term>, constant: i64) {
        let sources = self.facts;
        let len = self.len;
        self.written(to);
        for fact in &sources[..len] {
            if fact.pointer != Some(pointer) {
                continue;
            }
            let rest = match index {
                // Half of what is doubled is left.
                Some(term) => fact.sum.without(term).or_else(|| {
                    fact.sum.without(Term { shift: term.shift + 1, ..term }).and_then(|sum| sum.plus(term))
                }),
                None => Some(fact.sum),
            };
            let Some(rest) = rest.and_then(|sum| sum.plus_constant(-constant)) else { continue };
            let Some(rest) = rest.without(Term { key: Key::Reg(pointer), shift: 0 }) else { continue };
            if rest.has(Key::Reg(to)) {
                continue;
            }
            if let Some(sum) = rest.plus(Term { key: Key::Reg(to), shift: 0 }) {
                self.add(Fact { sum, pointer: Some(to), ..*fact });
            }
        }
    }

    /// How many bytes from the pointer in a register on are in its region: `not_zero` tells of which registers it is
    /// known that they are not 0.
    pub(crate) fn reach(&self, pointer: u8, region: Option<Region>, not_zero: impl Fn(u8) -> bool) -> i64 {
        let mut most = i64::MIN;
        for fact in self.list() {
            if fact.pointer == Some(pointer) && region.is_none_or(|region| region == fact.region) {
                most = most.max(least(&fact.sum, Key::Reg(pointer), &not_zero));
            }
        }
        most
    }

    /// May as many bytes be accessed at the pointer, plus a counter, shifted, that is not 0, less a constant?
    pub(crate) fn counted_down(&self, pointer: u8, index: Term, disp: i64, width: i64) -> bool {
        let step = 1 << index.shift.min(8);
        self.list().iter().any(|fact| {
            fact.pointer == Some(pointer)
                && fact.sum.constant >= 0
                && disp >= -step
                && disp.saturating_add(width) <= 0
                && fact.sum.without(index).is_some()
        })
    }

    /// At least how many elements of a region there are from an index on.
    pub(crate) fn reach_of_index(&self, index: u8, region: Region, not_zero: impl Fn(u8) -> bool) -> i64 {
        let mut most = i64::MIN;
        for fact in self.list() {
            // A sum that was multiplied by the size of an element counts bytes.
            let counts = fact.pointer.is_none() && fact.unit != 0;
            if counts && fact.region == region && fact.sum.shift_of(Key::Reg(index)) == Some(0) {
                most = most.max(least(&fact.sum, Key::Reg(index), &not_zero));
            }
        }
        most
    }

    /// The region in which as many bytes as another register says are, from the pointer in a register on.
    pub(crate) fn has_range(&self, pointer: u8, count: Key, is_region: impl Fn(Region) -> bool) -> bool {
        self.list().iter().any(|fact| {
            fact.pointer == Some(pointer)
                && is_region(fact.region)
                && fact.sum.constant >= 0
                && fact.sum.shift_of(count) == Some(0)
                && fact.sum.shift_of(Key::Reg(pointer)) == Some(0)
        })
    }

    /// Is what a key names 0 for certain?
    pub(crate) fn is_zero(&self, key: Key) -> bool {
        self.list().iter().any(|fact| fact.region == Region::Const(0) && fact.sum.constant >= 0 && fact.sum.has(key))
    }

    /// Are so many bytes, from the pointer in a register on, in a region that is asked for?
    pub(crate) fn reaches(&self, pointer: u8, bytes: i64, is_region: impl Fn(Region) -> bool) -> bool {
        self.list().iter().any(|fact| {
            fact.pointer == Some(pointer)
                && is_region(fact.region)
                && least(&fact.sum, Key::Reg(pointer), &|_| false) >= bytes
        })
    }

    /// Keeps what others know as well, and if it `widens` less of what differs. Says whether anything was lost.
    fn join(&mut self, others: &[Fact], pending: Option<Pending>, widens: bool) -> bool {
        let before = self.len;
        let mut lost = false;
        let least = |fact: &Fact| {
            let same = |old: &&Fact| Fact { sum: Sum { constant: fact.sum.constant, ..old.sum }, ..**old } == *fact;
            others.iter().find(same).map(|old| old.sum.constant)
        };
        for fact in &mut self.facts[..before] {
            // What becomes less each time would for ever, so it does so once, to what is known of none.
            if let Some(other) = least(fact).filter(|other| (0..fact.sum.constant).contains(other)) {
                fact.sum.constant = if widens { 0 } else { other };
                lost = true;
            }
        }
        self.retain(|fact| least(fact).is_some_and(|other| other >= fact.sum.constant));
        lost |= self.len != before;
        if self.pending.is_some() && self.pending != pending {
            self.pending = None;
            lost = true;
        }
        lost
    }
}

/// What is known at the leaders of a function, by numbers; 0 is nothing.
pub(crate) struct Kept {
    entries: Vec<Entry>,
    facts: Vec<Fact>,
}

/// What is known at some leader.
struct Entry {
    /// Of the facts, from here on so many.
    from: u32,
    len: u32,
    pending: Option<Pending>,
}

impl Kept {
    pub(crate) fn new() -> Kept {
        Kept { entries: vec![Entry { from: 0, len: 0, pending: None }], facts: Vec::new() }
    }

    /// Forgets all but that 0 is nothing.
    pub(crate) fn clear(&mut self) {
        self.entries.truncate(1);
        self.facts.clear();
    }

    fn list(&self, entry: &Entry) -> &[Fact] {
        &self.facts[entry.from as usize..][..entry.len as usize]
    }

    pub(crate) fn keep(&mut self, facts: &Facts) -> u32 {
        if facts.is_empty() {
            return 0;
        }
        if let Some(last) = self.entries.last()
            && last.pending == facts.pending
            && self.list(last) == facts.list()
        {
            return self.entries.len() as u32 - 1;
        }
        let (from, len) = (self.facts.len() as u32, facts.len as u32);
        self.facts.extend_from_slice(facts.list());
        self.entries.push(Entry { from, len, pending: facts.pending });
        self.entries.len() as u32 - 1
    }

    pub(crate) fn load(&self, number: u32, to: &mut Facts) {
        let entry = &self.entries[number as usize];
        to.len = entry.len as usize;
        to.facts[..to.len].copy_from_slice(self.list(entry));
        to.pending = entry.pending;
        to.note_names();
    }

    /// What both know: the first number, if nothing of that is lost.
    pub(crate) fn join(&mut self, known: u32, other: u32, widens: bool) -> u32 {
        if known == other || known == 0 || other == 0 {
            return known.min(other);
        }
        let mut joined = Facts::NONE;
        self.load(known, &mut joined);
        let entry = &self.entries[other as usize];
        if joined.join(self.list(entry), entry.pending, widens) { self.keep(&joined) } else { known }
    }
}

/// The least that a sum is without one of its terms, each of which is at least 0.
fn least(sum: &Sum, but: Key, not_zero: &impl Fn(u8) -> bool) -> i64 {
    let mut least = sum.constant;
    for term in sum.terms {
        if let Key::Reg(reg) = term.key
            && term.key != but
            && not_zero(reg)
        {
            least = least.saturating_add(1 << term.shift.min(32));
        }
    }
    least
}

/// The term of a register that is about to be overwritten: of another one, if that holds the same.
pub(crate) fn old_term(reg: u8, value: Value, shift: u8) -> Result<Term, i64> {
    match value.tag() {
        Tag::CopyOf => Ok(Term { key: Key::Reg(value.b() as u8), shift }),
        _ => term(reg, value, shift),
    }
}

/// The key of a value in a register: the register, unless it is known where else the same value is.
pub(crate) fn term(reg: u8, value: Value, shift: u8) -> Result<Term, i64> {
    match value.tag() {
        Tag::Const => Err(value.as_constant().unwrap_or(0) << shift),
        Tag::Slot64 => Ok(Term { key: Key::Slot(value.b().cast_signed()), shift }),
        Tag::Slot32 => Ok(Term { key: Key::Half(value.b().cast_signed()), shift }),
        _ => Ok(Term { key: Key::Reg(reg), shift }),
    }
}
