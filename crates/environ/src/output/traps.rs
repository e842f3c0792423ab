//! Which instruction traps, and why.

use crate::output::encoding::{BLOCK, Blocks, Body};

/// Which instruction traps, and why.
pub(crate) struct TrapTable {
    blocks: Blocks,
    body: Body,
    /// The block under construction: offsets in the text.
    places: [u32; BLOCK],
    /// Wasmtime's numbers of the traps.
    traps: [u8; BLOCK],
    /// Entries in it.
    len: usize,
    /// The trap that the block before named most often.
    usual: u8,
}

impl Default for TrapTable {
    fn default() -> TrapTable {
        TrapTable {
            blocks: Blocks::default(),
            body: Body::EMPTY,
            places: [0; BLOCK],
            traps: [0; BLOCK],
            len: 0,
            usual: 0,
        }
    }
}

impl TrapTable {
    /// Adds the instruction at `at` of the text, behind all others.
    #[inline]
    pub(crate) fn push(&mut self, at: u32, trap: u8) {
        self.push_if(true, at, trap);
    }

    /// Adds it if it traps at all: without a branch, as nobody can tell which of many do.
    #[inline]
    pub(crate) fn push_if(&mut self, traps: bool, at: u32, trap: u8) {
        let next = self.len % BLOCK;
        (self.places[next], self.traps[next]) = (at, trap);
        self.len = next + usize::from(traps);
        if self.len == BLOCK {
            self.seal();
        }
    }

    #[inline(never)]
    fn seal(&mut self) {
        let TrapTable { blocks, body, places, traps, len, usual } = self;
        let (places, traps) = (&places[..*len], &traps[..*len]);
        let Some(&first) = places.first() else { return };
        blocks.begin(first);
        *usual = most_common(traps, *usual);
        let usual = *usual;
        body.byte(usual);
        let mut last = first;
        for (&at, &trap) in places.iter().zip(traps) {
            let differs = trap != usual;
            let step = at - last;
            if step < 0x40 {
                body.bytes([(step << 1) as u8 | u8::from(differs), trap], differs);
            } else {
                body.unsigned(u64::from(step) << 1 | u64::from(differs));
                if differs {
                    body.byte(trap);
                }
            }
            last = at;
        }
        body.flush(blocks);
        *len = 0;
    }

    /// Bytes of the section but for the block under construction.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let last = self.len;
        self.seal();
        self.blocks.finish(last)
    }
}

/// The trap that a block names most often; of several, the one that came to that number first. `guess` most likely.
fn most_common(traps: &[u8], guess: u8) -> u8 {
    let guessed = traps.iter().fold(0, |count: u8, trap| count + u8::from(*trap == guess));
    if usize::from(guessed) > traps.len() / 2 {
        return guess;
    }
    let mut counts = [0u8; 256];
    let mut best = traps[0];
    for &trap in traps {
        counts[usize::from(trap)] += 1;
        if counts[usize::from(trap)] > counts[usize::from(best)] {
            best = trap;
        }
    }
    best
}
