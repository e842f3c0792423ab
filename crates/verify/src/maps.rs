//! What a collector changes in a frame while a call lasts: the words that the call's map names. They hold references
//! before, as far as is known numbers, and other ones after. So what a map names is written on every way to the call,
//! and keeps nothing that code believes in.
//!
//! Thousands of calls may share a map that names thousands of words. Only what differs from what the frame was behind
//! the call before, with the same map, is looked at again.

use crate::relate::Key;
use crate::slots::{Frames, LEAF_LOG2, NODE_LOG2, NONE, Slots};
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};

/// A map, as bits for words of the frame.
#[derive(Clone, Copy)]
struct Named<'a> {
    bits: &'a [u32],
    /// The word of the frame that the first two bits are for; those that follow are for lower and lower words.
    first: u32,
}

impl Named<'_> {
    /// Which halves of a word it names.
    #[inline]
    fn halves(self, word: u32) -> u32 {
        let Some(back) = self.first.checked_sub(word) else { return 0 };
        self.bits.get((back / 16) as usize).map_or(0, |bits| bits >> (back % 16 * 2) & 3)
    }

    /// The halves of sixteen words, of which this is the highest, two bits each.
    fn sixteen(self, word: u32) -> u32 {
        let Some(back) = self.first.checked_sub(word) else {
            let bits = self.bits.first().copied().unwrap_or(0);
            return bits.checked_shl(2 * (word - self.first).min(16)).unwrap_or(0);
        };
        let [low, high] =
            [back / 16, back / 16 + 1].map(|at| u64::from(self.bits.get(at as usize).copied().unwrap_or(0)));
        ((high << 32 | low) >> (back % 16 * 2)) as u32
    }

    /// Does another map name the same of the words from `from` on up to but without `to`?
    fn same(self, other: Named<'_>, from: u32, to: u32) -> bool {
        let mut to = to.min(self.first.max(other.first) + 1);
        while from < to {
            let count = (to - from).min(16);
            let differing = self.sixteen(to - 1) ^ other.sixteen(to - 1);
            if differing & u32::MAX >> (32 - 2 * count) != 0 {
                return false;
            }
            to -= count;
        }
        true
    }

    /// Does it name anything of the words from `from` on up to but without `to`?
    fn any(self, from: u32, to: u32) -> bool {
        if from > self.first || from >= to {
            return false;
        }
        // In the order of the bits, which is that of the words from the last on.
        let (begin, end) = (self.first.saturating_sub(to - 1), self.first - from);
        let (begin, end) = (begin as usize, end as usize);
        (begin / 16..=end / 16).map_while(|at| self.bits.get(at).map(|bits| (at, *bits))).any(|(at, mut bits)| {
            if at == begin / 16 {
                bits &= u32::MAX << (begin % 16 * 2);
            }
            if at == end / 16 {
                bits &= u32::MAX >> (30 - end % 16 * 2);
            }
            bits != 0
        })
    }
}

/// A frame at a call with a map, and behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Collected {
    bits: (u32, u32),
    first: u32,
    slots: Slots,
    behind: Slots,
}

const POINTER: &str = "a stack map that names what is no value";
const UNWRITTEN: &str = "a stack map that names what not every path has written";

impl Walk<'_> {
    /// The collector may run during the call at hand.
    pub(crate) fn collect(&mut self) -> Proved<()> {
        let p = self.p;
        if p.tables.maps.is_empty() {
            return Ok(());
        }
        let Ok(found) = p.tables.maps.binary_search_by_key(&self.next, |map| map.returns_to) else { return Ok(()) };
        let map = p.tables.maps[found];
        let frame = i32::try_from(map.frame).ok().filter(|frame| frame % 8 == 0 && *frame < 1 << 30);
        let Some(frame) = frame else { return Err("a stack map of an odd frame") };
        let named = Named { bits: p.tables.bits_of(&map), first: self.word(-8 - frame) };
        for reg in 0..16 {
            let value = self.st.regs[reg];
            if matches!(value.tag(), Tag::Slot32 | Tag::Slot64) && named.halves(self.word(value.b().cast_signed())) != 0
            {
                self.st.regs[reg] = value.widened();
            }
        }
        if self.st.sums != 0 {
            let top = self.word(0);
            let word = |at: i32| top.wrapping_add_signed(-at.div_euclid(8));
            self.relate(|sums| {
                sums.forget(|key| matches!(key, Key::Slot(from) | Key::Half(from) if named.halves(word(from)) != 0));
            });
        }
        let before = self.collected.map(|last| {
            let bits = &p.tables.map_bits[last.bits.0 as usize..last.bits.1 as usize];
            (last, Named { bits, first: last.first })
        });
        let slots = self.st.slots;
        let behind = self.frames.collect(slots, before, named)?;
        // What is kept is not written any more.
        self.frames.share();
        self.st.slots = behind;
        self.collected = Some(Collected { bits: map.bits, first: named.first, slots, behind });
        Ok(())
    }
}

impl Frames {
    /// A frame behind a call; of what it has in common with a frame at a call before, or behind that, where the maps
    /// are the same, it is known what becomes of it.
    fn collect(&mut self, slots: Slots, before: Option<(Collected, Named<'_>)>, named: Named<'_>) -> Proved<Slots> {
        let before = before.filter(|(before, _)| before.slots.height == slots.height);
        let (before, last) =
            before.map_or(([NONE; 2], named), |(before, last)| ([before.slots.root, before.behind.root], last));
        let reached = 1u32 << (LEAF_LOG2 + NODE_LOG2 * slots.height).min(31);
        if named.any(reached, u32::MAX) {
            return Err(UNWRITTEN);
        }
        let root = self.collect_at((slots.root, before), slots.height, 0, (named, last))?;
        Ok(Slots { root, ..slots })
    }

    /// A part of a frame behind a call, which begins with word `from`: see `collect`.
    fn collect_at(
        &mut self,
        (at, before): (u32, [u32; 2]),
        height: u32,
        from: u32,
        (named, last): (Named<'_>, Named<'_>),
    ) -> Proved<u32> {
        let words = 1u32 << (LEAF_LOG2 + NODE_LOG2 * height).min(31);
        if before.contains(&at) && at != NONE && named.same(last, from, from.saturating_add(words)) {
            return Ok(before[1]);
        }
        self.work += 1;
        if !named.any(from, from.saturating_add(words)) {
            return Ok(at);
        }
        if at == NONE {
            return Err(UNWRITTEN);
        }
        if height == 0 {
            let old = self.leaves[at as usize];
            let mut new = old;
            for (value, word) in new.iter_mut().zip(from..) {
                *value = collected(*value, named.halves(word))?;
            }
            if new == old {
                return Ok(at);
            }
            self.leaves.push(new);
            return Ok(self.leaves.len() as u32 - 1);
        }
        let old = self.nodes[at as usize];
        let befores = before.map(|before| self.nodes[before as usize]);
        let mut new = old;
        for (nth, child) in new.iter_mut().enumerate() {
            let before = befores.map(|before| before[nth]);
            let from = from + nth as u32 * (words >> NODE_LOG2);
            *child = self.collect_at((*child, before), height - 1, from, (named, last))?;
        }
        if new == old {
            return Ok(at);
        }
        self.nodes.push(new);
        Ok(self.nodes.len() as u32 - 1)
    }
}

/// A word of which these halves are references, behind a call.
fn collected(value: Value, named: u32) -> Proved<Value> {
    if named == 0 {
        return Ok(value);
    }
    if value.halves() & named != named {
        return Err(if value.is(Tag::Undef) { UNWRITTEN } else { POINTER });
    }
    Ok(match value.tag() {
        Tag::Undef => value,
        _ if named == 1 && (value.is_u32() || value == Value::NULL) => Value::U32,
        _ => Value::ANY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u32 = 600;

    /// A map of the halves of words.
    fn bits(words: &[(u32, u32)]) -> Vec<u32> {
        let mut bits = vec![0; FIRST as usize / 16 + 1];
        for (word, halves) in words {
            let back = FIRST - word;
            bits[back as usize / 16] |= halves << (back % 16 * 2);
        }
        bits
    }

    #[test]
    fn what_a_map_names_is_known_by_word_and_by_range() {
        let bits = bits(&[(600, 1), (585, 2), (584, 3), (40, 1), (0, 3)]);
        let named = Named { bits: &bits, first: FIRST };
        for (word, halves) in [(600, 1), (599, 0), (585, 2), (584, 3), (583, 0), (40, 1), (0, 3), (601, 0), (9000, 0)] {
            assert_eq!(named.halves(word), halves, "{word}");
        }
        let others = super::tests::bits(&[(585, 2), (584, 1), (40, 1), (16, 2)]);
        // Of the same words, from another word on.
        let shifted: Vec<u32> = (0..others.len() - 1).map(|at| others[at] >> 8 | others[at + 1] << 24).collect();
        let other = Named { bits: &shifted, first: FIRST - 4 };
        for from in 0..620 {
            for to in from..(from + 40).min(640) {
                assert_eq!(named.any(from, to), (from..to).any(|word| named.halves(word) != 0), "{from}..{to}");
                let same = (from..to).all(|word| named.halves(word) == other.halves(word));
                assert_eq!(named.same(other, from, to), same, "{from}..{to}");
            }
        }
    }

    #[test]
    fn words_that_a_map_names_are_numbers_before_and_after() {
        let mut frames = Frames::new();
        let mut slots = frames.begin();
        let known = Value::of(Tag::InHeap, 64);
        for word in [3, 300, 584, 600] {
            frames.set(&mut slots, word, known);
        }
        frames.set(&mut slots, 301, Value::CTX);
        frames.set(&mut slots, 4, Value::of(Tag::Undef, 1));
        frames.share();
        let collect = |frames: &mut Frames, slots, before: Option<Collected>, words: &[(u32, u32)]| {
            let bits = bits(words);
            let named = Named { bits: &bits, first: FIRST };
            frames.collect(slots, before.map(|before| (before, named)), named)
        };
        let after = collect(&mut frames, slots, None, &[(3, 1), (584, 3), (4, 1)]).unwrap();
        for (word, value) in [(3, Value::U32), (300, known), (584, Value::ANY), (600, known), (301, Value::CTX)] {
            assert_eq!(frames.get(after, word), value, "{word}");
        }
        assert_eq!(collect(&mut frames, slots, None, &[(301, 1)]), Err(POINTER));
        assert_eq!(collect(&mut frames, slots, None, &[(4, 2)]), Err(UNWRITTEN));
        assert_eq!(collect(&mut frames, slots, None, &[(5, 1)]), Err(UNWRITTEN));
        assert_eq!(collect(&mut frames, slots, None, &[(100, 1)]), Err(UNWRITTEN));

        // A map like the one before: only what has changed is looked at.
        frames.share();
        let mut changed = after;
        frames.set(&mut changed, 3, known);
        frames.share();
        let work = frames.work;
        let before = Collected { bits: (0, 0), first: FIRST, slots, behind: after };
        let again = collect(&mut frames, changed, Some(before), &[(3, 1), (584, 3), (4, 1)]).unwrap();
        assert_eq!(frames.get(again, 3), Value::U32);
        assert!(frames.work - work < 40, "{}", frames.work - work);
    }
}
