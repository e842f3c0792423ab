//! The fast sweep's part on atomic operators.

use super::Sweep;
use super::leb;
use super::operands::Word;
use crate::operators::effects;
use crate::operators::{Immediates, Prefix};

/// The bit of a memory argument's flags that says that the memory is named.
const NAMES_MEMORY: u32 = 0x40;

impl Sweep<'_> {
    /// An operator behind the prefix of atomics: where it ends, and the word behind it.
    #[inline(never)]
    pub(super) fn atomic(&mut self, bytes: &[u8], pos: usize, word: Word) -> Option<(usize, Word)> {
        let (code, len) = leb::u32(bytes, pos);
        if len == 0 {
            return None;
        }
        let pos = pos + len as usize;
        let op = Prefix::Atomic.operator(code)?;
        let (address, pos) = match op.operator().immediates {
            Immediates::Zero => (0, (*bytes.get(pos)? == 0).then_some(pos + 1)?),
            Immediates::Aligned(align) => {
                // If the bit does not name a memory, it is found to be too much alignment below.
                let (flags, _) = leb::u32(bytes, pos);
                if flags & !NAMES_MEMORY != u32::from(align) {
                    return None;
                }
                self.memory_argument(bytes, pos, align)?
            }
            _ => return None,
        };
        let word = self.fixed(op, address, word)?;
        self.survey.demand();
        self.survey.note(effects::of(self.facts, op, [0; 2], [None; 2]));
        Some((pos, word))
    }
}
