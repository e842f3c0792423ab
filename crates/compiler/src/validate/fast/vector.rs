//! The fast sweep's part for vectors, and for all operators behind a prefix whose types are fixed.

use super::Sweep;
use super::leb;
use super::operands::Word;
use super::rules::{code_of, enabled};
use crate::operators::effects;
use crate::operators::{Immediates, Op, Prefix, Type, Types};

/// The bytes of a vector.
const BYTES: u8 = 16;

impl Sweep<'_> {
    /// An operator behind the prefix of vectors: where it ends, and the word behind it.
    #[inline(never)]
    pub(super) fn vector(&mut self, bytes: &[u8], pos: usize, word: Word) -> Option<(usize, Word)> {
        let (code, len) = leb::u32(bytes, pos);
        if len == 0 {
            return None;
        }
        let mut pos = pos + len as usize;
        let op = Prefix::Vector.operator(code)?;
        if !enabled(self.rules.features, op) {
            return None;
        }
        self.survey.vectors = true;
        let operator = op.operator();
        // The address comes with the memory; the lane is below their number.
        let mut address = 0;
        let lanes = match operator.immediates {
            Immediates::None => 0,
            Immediates::Memory(align) => {
                (address, pos) = self.memory_argument(bytes, pos, align)?;
                0
            }
            Immediates::MemoryLane(align) => {
                (address, pos) = self.memory_argument(bytes, pos, align)?;
                BYTES >> align
            }
            Immediates::Lane(lanes) => lanes,
            Immediates::Bytes => {
                pos += usize::from(BYTES);
                bytes.get(..pos)?;
                0
            }
            Immediates::Shuffle => {
                let end = pos + usize::from(BYTES);
                if bytes.get(pos..end)?.iter().any(|lane| *lane >= 2 * BYTES) {
                    return None;
                }
                pos = end;
                0
            }
            _ => return None,
        };
        if lanes > 0 {
            if *bytes.get(pos)? >= lanes {
                return None;
            }
            pos += 1;
        }
        let word = self.fixed(op, address, word)?;
        self.survey.note(effects::of(self.facts, op, [0; 2], [None; 2]));
        Some((pos, word))
    }

    /// Takes and gives what an operator with fixed types does, addresses of the memory at hand having this code.
    pub(super) fn fixed(&mut self, op: Op, address: u8, mut word: Word) -> Option<Word> {
        let Types::Fixed { takes, gives } = op.operator().types else { return None };
        let code = |ty: Type| if ty == Type::Address { address } else { code_of(ty) };
        for ty in takes.iter().rev() {
            let code = code(*ty);
            word = if word as u8 == code { word >> 8 } else { self.spilled.pop(word, &[code])? };
        }
        for ty in gives {
            word = self.spilled.push(word, code(*ty));
        }
        Some(word)
    }
}
