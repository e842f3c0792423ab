//! Which code belongs to which byte of the module.

use crate::output::encoding::{BLOCK, Blocks, Body};

/// Which code belongs to which byte of the module.
pub(crate) struct AddressTable {
    blocks: Blocks,
    body: Body,
    /// Entries in the block under construction.
    len: usize,
    /// The entry before: offset in the text, offset in the module.
    last: (u32, u32),
}

impl Default for AddressTable {
    fn default() -> AddressTable {
        AddressTable { blocks: Blocks::default(), body: Body::EMPTY, len: 0, last: (0, u32::MAX) }
    }
}

impl AddressTable {
    /// Says that the code from `at` of the text on, behind all so far, belongs to byte `wasm` of the module.
    #[inline(always)]
    pub(crate) fn push(&mut self, at: u32, wasm: u32) {
        if wasm == self.last.1 {
            return;
        }
        let (step, shift) = (at.wrapping_sub(self.last.0), i64::from(wasm) - i64::from(self.last.1));
        self.last = (at, wasm);
        if self.len != 0 && step < 0x40 && (-0x40..0x40).contains(&shift) {
            // A byte each, as nearly all are.
            self.body.bytes([(step << 1) as u8, shift as u8 & 0x7f], true);
        } else {
            self.push_far(step, shift);
        }
        self.len = (self.len + 1) % BLOCK;
    }

    /// The first of a block, or one that is far from the entry before.
    #[inline(never)]
    fn push_far(&mut self, step: u32, shift: i64) {
        if self.len == 0 {
            self.body.flush(&mut self.blocks);
            self.blocks.begin(self.last.0);
            self.body.unsigned(0);
            self.body.unsigned(self.last.1.into());
        } else {
            self.body.unsigned(u64::from(step) << 1);
            self.body.signed(shift);
        }
    }

    /// Bytes of the section but for the block under construction.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The section.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.body.flush(&mut self.blocks);
        self.blocks.finish(self.len)
    }
}
