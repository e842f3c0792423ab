//! Open blocks of the fast sweep: what a block takes and gives, and what its label asks for.

use super::Sweep;
use super::operands::{ANYTHING, BASE, Cursor, Word, code};
use crate::treaty::ty::{Packed, Ty};
use crate::validate::MOST_VALUES;
use wasmparser::FuncType;

/// The type of a block in one number: 0 gives and takes nothing, the code of a type gives that type, and anything from
/// `Shape::SIG` on is a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape(u32);

impl Shape {
    pub(super) const EMPTY: Shape = Shape(0);
    const SIG: u32 = 0x100;

    /// A block without parameters that gives one value.
    pub(super) fn one(code: u8) -> Shape {
        Shape(u32::from(code))
    }

    /// The code of the one value that it gives, if it is such a block.
    pub(super) fn single(self) -> Option<u8> {
        (1..Shape::SIG).contains(&self.0).then_some(self.0 as u8)
    }

    pub(super) fn sig(sig: u32) -> Shape {
        Shape(sig + Shape::SIG)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Block,
    Loop,
    If,
    Else,
}

/// An open block, or the function itself.
#[derive(Clone, Copy)]
pub(super) struct OpenBlock {
    /// The word of the block around it, without the parameters of this block.
    outer: Word,
    /// The word at its end: its results and nothing else; 0 if they do not fit.
    end: Word,
    /// What a branch to its label takes.
    pub(super) label: Packed,
    /// How much had made room when it was opened.
    spilled: usize,
    pub(super) shape: Shape,
    pub(super) kind: Kind,
    /// How many locals without a default value had been written when it was opened.
    inits: u32,
    /// The last `br_table` that named its label.
    pub(super) named: u32,
}

const EMPTY_WORD: Word = BASE as Word;

impl Sweep<'_> {
    fn params(&self, shape: Shape) -> &[Ty] {
        match shape.0.checked_sub(Shape::SIG) {
            Some(sig) => &self.facts.sigs[sig as usize].params,
            None => &[],
        }
    }

    /// The results of a block that has a signature.
    fn results(&self, shape: Shape) -> &[Ty] {
        match shape.0.checked_sub(Shape::SIG) {
            Some(sig) => &self.facts.sigs[sig as usize].results,
            None => &[],
        }
    }

    /// What the label of a block takes, last on top; only of blocks that have a signature.
    pub(super) fn label_types(&self, block: &OpenBlock) -> &[Ty] {
        if block.kind == Kind::Loop { self.params(block.shape) } else { self.results(block.shape) }
    }

    /// How many values the label of a block takes.
    pub(super) fn label_arity(&self, block: &OpenBlock) -> usize {
        match block.shape.0 {
            0..Shape::SIG => (block.label.bits / 8) as usize,
            _ => self.label_types(block).len(),
        }
    }

    /// The place below the values that a label takes; `None` if they are not there.
    #[inline(never)]
    fn below_label(&mut self, block: &OpenBlock, word: Word) -> Option<Cursor> {
        let mut at = self.spilled.cursor(word);
        if block.shape.0 >= Shape::SIG {
            for ty in self.label_types(block).iter().rev() {
                self.spilled.expect(&mut at, code(*ty))?;
            }
            self.survey.steps += self.label_types(block).len() as u64;
        } else if block.label.bits > 0 {
            self.spilled.expect(&mut at, block.shape.0 as u8)?;
        }
        Some(at)
    }

    /// Opens the block of the function.
    pub(super) fn open_function(&mut self, sig: u32, ty: &FuncType) -> Option<Word> {
        let (shape, results) = match ty.results() {
            _ if self.sig.plain => (Shape::sig(sig), self.sig.packed_results),
            [] => (Shape::EMPTY, Packed::EMPTY),
            [result] => {
                let code = self.code_of(*result)?;
                (Shape::one(code), Packed::one(code))
            }
            _ => return None,
        };
        self.blocks.push(OpenBlock {
            outer: EMPTY_WORD,
            end: results.alone(),
            label: results,
            spilled: 0,
            shape,
            kind: Kind::Block,
            inits: 0,
            named: 0,
        });
        Some(EMPTY_WORD)
    }

    /// Opens a block and gives the word inside.
    #[inline(always)]
    pub(super) fn open(&mut self, kind: Kind, shape: Shape, word: Word) -> Option<Word> {
        if shape.0 >= Shape::SIG {
            return self.open_sig(kind, shape, word);
        }
        let results = if shape == Shape::EMPTY { Packed::EMPTY } else { Packed::one(shape.0 as u8) };
        self.blocks.push(OpenBlock {
            outer: word,
            end: results.alone(),
            label: if kind == Kind::Loop { Packed::EMPTY } else { results },
            spilled: self.spilled.len(),
            shape,
            kind,
            inits: self.inits.len(),
            named: 0,
        });
        self.survey.open(kind == Kind::Loop);
        Some(EMPTY_WORD)
    }

    #[inline(never)]
    fn open_sig(&mut self, kind: Kind, shape: Shape, word: Word) -> Option<Word> {
        let sig = &self.facts.sigs[(shape.0 - Shape::SIG) as usize];
        let outer = self.spilled.pop_types(word, &sig.params)?;
        self.blocks.push(OpenBlock {
            outer,
            end: sig.packed_results.alone(),
            label: if kind == Kind::Loop { sig.packed_params } else { sig.packed_results },
            spilled: self.spilled.len(),
            shape,
            kind,
            inits: self.inits.len(),
            named: 0,
        });
        self.survey.open(kind == Kind::Loop);
        self.push_types(EMPTY_WORD, &sig.params)
    }

    /// Does the block's word hold its results and nothing else? Nothing is left of it in `spilled` then.
    #[inline(always)]
    fn is_at_end(&mut self, block: &OpenBlock, word: Word) -> bool {
        word == block.end || self.is_at_end_slowly(block, word)
    }

    #[cold]
    #[inline(never)]
    fn is_at_end_slowly(&mut self, block: &OpenBlock, word: Word) -> bool {
        let mut at = self.spilled.cursor(word);
        let found = if block.shape.0 >= Shape::SIG {
            let results = &self.facts.sigs[(block.shape.0 - Shape::SIG) as usize].results;
            results.iter().rev().all(|ty| self.spilled.expect(&mut at, code(*ty)).is_some())
        } else {
            block.shape == Shape::EMPTY || self.spilled.expect(&mut at, block.shape.0 as u8).is_some()
        };
        // The block's marker is all that may be left: an operand that had made room would show another.
        let rest = self.spilled.cut(at);
        found && (rest == EMPTY_WORD || rest == Word::from(ANYTHING))
    }

    /// `else`: gives the word at its begin.
    #[inline(always)]
    pub(super) fn turn(&mut self, word: Word) -> Option<Word> {
        let block = *self.blocks.last()?;
        if block.kind != Kind::If || !self.is_at_end(&block, word) {
            return None;
        }
        if self.inits.len() != block.inits {
            self.forget_writes(block.inits);
        }
        self.blocks.last_mut()?.kind = Kind::Else;
        self.survey.turn();
        if block.shape.0 < Shape::SIG {
            return Some(EMPTY_WORD);
        }
        let params = &self.facts.sigs[(block.shape.0 - Shape::SIG) as usize].params;
        self.push_types(EMPTY_WORD, params)
    }

    /// `end`: closes the innermost block and gives the word outside, with its results.
    #[inline(always)]
    pub(super) fn close(&mut self, word: Word, behind: usize) -> Option<Word> {
        let block = *self.blocks.last()?;
        if !self.is_at_end(&block, word) {
            return None;
        }
        // Without an `else`, the parameters are the results.
        if block.kind == Kind::If
            && block.shape != Shape::EMPTY
            && (block.shape.0 < Shape::SIG || self.params(block.shape) != self.results(block.shape))
        {
            return None;
        }
        if self.inits.len() != block.inits {
            self.forget_writes(block.inits);
        }
        self.blocks.pop();
        self.survey.close(behind);
        if block.shape == Shape::EMPTY {
            Some(block.outer)
        } else if block.shape.0 < Shape::SIG {
            Some(self.spilled.push(block.outer, block.shape.0 as u8))
        } else {
            let results = &self.facts.sigs[(block.shape.0 - Shape::SIG) as usize].results;
            self.push_types(block.outer, results)
        }
    }

    /// Gives the values that a label takes the types that it states.
    #[inline(never)]
    pub(super) fn exchange(&mut self, target: usize, word: Word) -> Option<Word> {
        let block = *self.blocks.get(target)?;
        let at = self.below_label(&block, word)?;
        let word = self.spilled.cut(at);
        if block.shape.0 < Shape::SIG {
            return Some(if block.label == Packed::EMPTY {
                word
            } else {
                self.spilled.push(word, block.shape.0 as u8)
            });
        }
        let sig = &self.facts.sigs[(block.shape.0 - Shape::SIG) as usize];
        self.push_types(word, if block.kind == Kind::Loop { &sig.params } else { &sig.results })
    }

    /// Pushes operands, of which there may be more than there are bytes that say so; `None` if it is for the judge
    /// to decide whether they are too many.
    #[inline]
    pub(super) fn push_types(&mut self, word: Word, types: &[Ty]) -> Option<Word> {
        let word = self.spilled.push_types(word, types);
        (types.len() <= 2 || self.is_low()).then_some(word)
    }

    /// Are there no more than `MOST_VALUES` on the stack for certain? What has made room is four operands each time,
    /// and the word of each block has at most seven. Operators of which nobody asks this push no more than they have
    /// bytes.
    pub(super) fn is_low(&self) -> bool {
        4 * self.spilled.len() + 7 * (self.blocks.len() + 1) <= MOST_VALUES
    }

    /// The word behind an operator that nothing comes out of.
    #[inline(always)]
    pub(super) fn dead(&mut self) -> Word {
        if let Some(block) = self.blocks.last() {
            self.spilled.truncate(block.spilled);
        }
        Word::from(ANYTHING)
    }

    /// The position of the block that a label names.
    #[inline(always)]
    pub(super) fn target(&self, depth: u32) -> Option<usize> {
        self.blocks.len().checked_sub(1 + depth as usize)
    }

    /// Are the values that the label of a block takes on top?
    #[inline(always)]
    pub(super) fn has_label_values(&mut self, target: usize, word: Word) -> Option<()> {
        let block = self.blocks.get(target)?;
        if block.label.is_on(word) {
            return Some(());
        }
        let block = *block;
        self.below_label(&block, word)?;
        Some(())
    }
}
