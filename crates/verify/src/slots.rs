//! The words of a frame, at every leader of a function at once: a trie of blocks of words that states share. So to keep
//! a state costs nothing however large the frame is, and to join two costs as much as differs.

use crate::state::Types;
use crate::value::Value;

/// Words of a leaf and children of a node, as a logarithm.
pub(crate) const LEAF_LOG2: u32 = 4;
pub(crate) const NODE_LOG2: u32 = 4;
pub(crate) const LEAF: usize = 1 << LEAF_LOG2;
const NODE: usize = 1 << NODE_LOG2;

/// The words of one state. The root is a leaf if `height` is 0. Words that it does not reach are undefined, and so are
/// those from `end` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub(crate) root: u32,
    pub(crate) height: u32,
    pub(crate) end: u32,
}

impl Slots {
    pub(crate) const EMPTY: Slots = Slots { root: NONE, height: 0, end: 0 };
}

/// Where the last words lie that are not undefined makes no difference.
impl PartialEq for Slots {
    fn eq(&self, other: &Slots) -> bool {
        self.root == other.root && self.height == other.height
    }
}

impl Eq for Slots {}

/// What all states of a function share.
pub(crate) struct Frames {
    pub(crate) leaves: Vec<[Value; LEAF]>,
    pub(crate) nodes: Vec<[u32; NODE]>,
    /// Leaves and nodes from here on belong to the current state alone and may be written.
    own_leaves: u32,
    own_nodes: u32,
    /// How many leaves and nodes were made or joined: what they cost.
    pub(crate) work: u64,
}

/// So many words are forgotten one by one.
const FEW: u32 = 4;

/// Nothing of a leaf or node is defined.
pub(crate) const NONE: u32 = 0;

impl Frames {
    pub(crate) fn new() -> Frames {
        Frames { leaves: vec![[Value::UNDEF; LEAF]], nodes: vec![[NONE; NODE]], own_leaves: 1, own_nodes: 1, work: 0 }
    }

    /// Begins a function. Gives a frame in which nothing is defined.
    pub(crate) fn begin(&mut self) -> Slots {
        self.leaves.truncate(1);
        self.nodes.truncate(1);
        self.work = 0;
        self.share();
        Slots::EMPTY
    }

    /// The current state is kept: from now on it is shared.
    #[inline]
    pub(crate) fn share(&mut self) {
        self.own_leaves = self.leaves.len() as u32;
        self.own_nodes = self.nodes.len() as u32;
    }

    #[inline]
    pub(crate) fn get(&self, slots: Slots, word: u32) -> Value {
        if word >> LEAF_LOG2 >> (NODE_LOG2 * slots.height) != 0 {
            return Value::UNDEF;
        }
        let mut at = slots.root;
        for level in (0..slots.height).rev() {
            at = self.nodes[at as usize][(word >> LEAF_LOG2 >> (NODE_LOG2 * level)) as usize & (NODE - 1)];
        }
        self.leaves[at as usize][word as usize & (LEAF - 1)]
    }

    #[inline]
    pub(crate) fn set(&mut self, slots: &mut Slots, word: u32, value: Value) {
        while word >> LEAF_LOG2 >> (NODE_LOG2 * slots.height) != 0 {
            let mut node = [NONE; NODE];
            node[0] = slots.root;
            self.nodes.push(node);
            (slots.root, slots.height) = (self.nodes.len() as u32 - 1, slots.height + 1);
        }
        slots.end = slots.end.max(word + 1);
        if slots.height == 0 {
            slots.root = self.own_leaf(slots.root);
            self.leaves[slots.root as usize][word as usize & (LEAF - 1)] = value;
            return;
        }
        slots.root = self.own_node(slots.root);
        let mut at = slots.root as usize;
        for level in (1..slots.height).rev() {
            let child = (word >> LEAF_LOG2 >> (NODE_LOG2 * level)) as usize & (NODE - 1);
            let node = self.own_node(self.nodes[at][child]);
            self.nodes[at][child] = node;
            at = node as usize;
        }
        let child = (word >> LEAF_LOG2) as usize & (NODE - 1);
        let leaf = self.own_leaf(self.nodes[at][child]);
        self.nodes[at][child] = leaf;
        self.leaves[leaf as usize][word as usize & (LEAF - 1)] = value;
    }

    #[inline]
    fn own_leaf(&mut self, leaf: u32) -> u32 {
        if leaf >= self.own_leaves {
            return leaf;
        }
        self.work += 1;
        let copy = self.leaves[leaf as usize];
        self.leaves.push(copy);
        self.leaves.len() as u32 - 1
    }

    #[inline]
    fn own_node(&mut self, node: u32) -> u32 {
        if node >= self.own_nodes {
            return node;
        }
        self.work += 1;
        let copy = self.nodes[node as usize];
        self.nodes.push(copy);
        self.nodes.len() as u32 - 1
    }

    /// What is known where one of the two holds; the same as `a` if nothing of it is lost. Nothing of the result is the
    /// current state's own.
    pub(crate) fn join(&mut self, a: Slots, b: Slots, types: &Types) -> Slots {
        if a == b {
            return a;
        }
        let (mut low, mut high, swapped) = if a.height <= b.height { (a, b, false) } else { (b, a, true) };
        // What only the higher one reaches is undefined in the other.
        while high.height > low.height {
            high = Slots { root: self.nodes[high.root as usize][0], height: high.height - 1, ..high };
        }
        if swapped {
            std::mem::swap(&mut low, &mut high);
        }
        let root = self.join_at(low.root, high.root, low.height, types);
        // What is undefined in one of them is so in the result.
        if root == low.root && low.height == a.height { a } else { Slots { root, height: low.height, end: a.end } }
    }

    fn join_at(&mut self, a: u32, b: u32, height: u32, types: &Types) -> u32 {
        if a == b || a == NONE {
            return a;
        }
        if b == NONE {
            return NONE;
        }
        self.work += 1;
        if height == 0 {
            let (left, right) = (&self.leaves[a as usize], &self.leaves[b as usize]);
            let mut joined = None;
            for n in 0..LEAF {
                // Nothing is less than nothing.
                if left[n] == right[n] || left[n] == Value::UNDEF {
                    continue;
                }
                let word = types.join_word(left[n], right[n]);
                if word != left[n] {
                    joined.get_or_insert(*left)[n] = word;
                }
            }
            let Some(joined) = joined else { return a };
            if joined == *right {
                return b;
            }
            self.leaves.push(joined);
            return self.leaves.len() as u32 - 1;
        }
        let (left, right) = (self.nodes[a as usize], self.nodes[b as usize]);
        let mut joined = left;
        for (to, from) in joined.iter_mut().zip(&right) {
            *to = self.join_at(*to, *from, height - 1, types);
        }
        if joined == left {
            return a;
        }
        if joined == right {
            return b;
        }
        self.nodes.push(joined);
        self.nodes.len() as u32 - 1
    }

    /// Words of a range are undefined.
    pub(crate) fn forget(&mut self, slots: &mut Slots, words: std::ops::Range<u32>) {
        // Most often there is nothing.
        if words.start >= slots.end {
            return;
        }
        if words.end >= slots.end && slots.end - words.start <= FEW {
            for word in words.start..slots.end {
                if self.get(*slots, word) != Value::UNDEF {
                    self.set(slots, word, Value::UNDEF);
                }
            }
        } else if words.start >> LEAF_LOG2 >> (NODE_LOG2 * slots.height) == 0 {
            slots.root = self.forget_at(slots.root, slots.height, 0, &words);
        }
        if words.end >= slots.end {
            slots.end = words.start;
        }
    }

    /// Those words of a range are undefined that are in the part of the frame which begins with word `first`.
    fn forget_at(&mut self, at: u32, height: u32, first: u32, words: &std::ops::Range<u32>) -> u32 {
        let log2 = LEAF_LOG2 + NODE_LOG2 * height;
        let end = if log2 < 32 { first.saturating_add(1 << log2) } else { u32::MAX };
        if at == NONE || words.end <= first || end <= words.start {
            return at;
        }
        if words.start <= first && end <= words.end {
            return NONE;
        }
        let from = words.start.saturating_sub(first);
        let last = words.end - 1 - first;
        if height == 0 {
            let range = from as usize..=(last as usize).min(LEAF - 1);
            if self.leaves[at as usize][range.clone()].iter().all(|value| *value == Value::UNDEF) {
                return at;
            }
            let leaf = self.own_leaf(at);
            self.leaves[leaf as usize][range].fill(Value::UNDEF);
            return leaf;
        }
        let log2 = log2 - NODE_LOG2;
        let mut node = at;
        for nth in from >> log2..=(last >> log2).min(NODE as u32 - 1) {
            let child = self.nodes[node as usize][nth as usize];
            if child == NONE {
                continue;
            }
            let new = self.forget_at(child, height - 1, first + (nth << log2), words);
            if new != child {
                node = self.own_node(node);
                self.nodes[node as usize][nth as usize] = new;
            }
        }
        node
    }

    /// Changes every word that is not undefined.
    pub(crate) fn map(&mut self, slots: Slots, change: &mut dyn FnMut(Value) -> Value) -> Slots {
        Slots { root: self.map_at(slots.root, slots.height, change), ..slots }
    }

    fn map_at(&mut self, at: u32, height: u32, change: &mut dyn FnMut(Value) -> Value) -> u32 {
        if at == NONE {
            return at;
        }
        self.work += 1;
        if height == 0 {
            let old = self.leaves[at as usize];
            let new = old.map(&mut *change);
            if new == old {
                return at;
            }
            self.leaves.push(new);
            return self.leaves.len() as u32 - 1;
        }
        let old = self.nodes[at as usize];
        let new = old.map(|child| self.map_at(child, height - 1, change));
        if new == old {
            return at;
        }
        self.nodes.push(new);
        self.nodes.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Tag;

    #[test]
    fn words_are_where_they_were_put_and_states_do_not_share_writes() {
        let mut frames = Frames::new();
        let mut a = frames.begin();
        for word in [0, 1, 15, 16, 255, 256, 4095, 70_000] {
            frames.set(&mut a, word, Value::of(Tag::Saved, word));
        }
        frames.share();
        let kept = a;
        frames.set(&mut a, 16, Value::U32);
        assert_eq!(frames.get(kept, 16), Value::of(Tag::Saved, 16));
        assert_eq!(frames.get(a, 16), Value::U32);
        assert_eq!(frames.get(a, 70_000), Value::of(Tag::Saved, 70_000));
        assert_eq!(frames.get(a, 2), Value::UNDEF);
        assert_eq!(frames.get(a, 9_000_000), Value::UNDEF);
    }

    #[test]
    fn words_of_a_range_are_forgotten() {
        let words = [0, 1, 15, 16, 255, 256, 4095, 70_000];
        for from in (0..300).chain([4094, 4095, 4096, 69_999, 70_000, 70_001]) {
            let mut frames = Frames::new();
            let mut a = frames.begin();
            for word in words {
                frames.set(&mut a, word, Value::of(Tag::Saved, word));
            }
            frames.share();
            let kept = a;
            frames.forget(&mut a, from..5000);
            for word in words {
                let known = if word < from || word >= 5000 { Value::of(Tag::Saved, word) } else { Value::UNDEF };
                assert_eq!(frames.get(a, word), known, "{word} of {from}");
                assert_eq!(frames.get(kept, word), Value::of(Tag::Saved, word));
            }
        }
    }

    #[test]
    fn a_join_keeps_what_both_have_and_is_the_first_if_nothing_is_lost() {
        let mut frames = Frames::new();
        let mut a = frames.begin();
        frames.set(&mut a, 3, Value::CTX);
        frames.share();
        let base = a;
        frames.set(&mut a, 400, Value::U32);
        frames.share();
        let mut b = base;
        frames.set(&mut b, 5, Value::ANY);
        frames.share();
        assert_eq!(frames.join(base, a, &Types::default()), base);
        assert_eq!(frames.join(base, b, &Types::default()), base);
        let joined = frames.join(a, b, &Types::default());
        assert_eq!(frames.get(joined, 3), Value::CTX);
        assert_eq!(frames.get(joined, 5), Value::UNDEF);
        assert_eq!(frames.get(joined, 400), Value::UNDEF);
    }
}
