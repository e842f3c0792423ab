//! Which instruction traps, and why.

use crate::output::encoding::{BLOCK, Blocks, Body};

/// Which instruction traps, and why.
pub(crate) struct TrapTable {
    blocks: Blocks,
    /// The block under construction: offsets in the text.
    places: [u32; BLOCK],
    /// Wasmtime's numbers of the traps.
    traps: [u8; BLOCK],
    /// Entries in it.
    len: usize,
}

impl Default for TrapTable {
    fn default() -> TrapTable {
        TrapTable { blocks: Blocks::default(), places: [0; BLOCK], traps: [0; BLOCK], len: 0 }
    }
}

impl TrapTable {
    /// Adds the instruction at `at` of the text, behind all others.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, trap: u8) {
        (self.places[self.len], self.traps[self.len]) = (at, trap);
        self.len += 1;
        if self.len == BLOCK {
            self.seal();
        }
    }

    fn seal(&mut self) {
        let (places, traps) = (&self.places[..self.len], &self.traps[..self.len]);
        let Some(&first) = places.first() else { return };
        self.blocks.begin(first);
        self.blocks.entries += self.len as u32;
        let mut body = Body::EMPTY;
        let usual = most_common(traps);
        body.byte(usual);
        let mut last = first;
        for (&at, &trap) in places.iter().zip(traps) {
            let differs = trap != usual;
            body.unsigned(u64::from(at - last) << 1 | u64::from(differs));
            if differs {
                body.byte(trap);
            }
            last = at;
        }
        body.flush(&mut self.blocks);
        self.len = 0;
    }

    /// Bytes of the section but for the block under construction.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.seal();
        self.blocks.finish()
    }
}

/// The trap that a block names most often; of several, the one that came to that number first.
fn most_common(traps: &[u8]) -> u8 {
    let first = traps[0];
    if traps.iter().fold(0, |differ, trap| differ | (trap ^ first)) == 0 {
        return first;
    }
    let mut counts = [0u8; 256];
    let mut best = first;
    for &trap in traps {
        counts[usize::from(trap)] += 1;
        if counts[usize::from(trap)] > counts[usize::from(best)] {
            best = trap;
        }
    }
    best
}
