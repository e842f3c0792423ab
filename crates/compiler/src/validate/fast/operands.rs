//! The stack of operand types: a word of eight bytes that holds what is on top, and what had to make room for it.
//!
//! A word belongs to one open block. Its lowest byte is the top of the stack; below the block's operands lies one
//! marker, and above the marker all bytes are zero. As no marker equals a type, one comparison of the lowest bytes
//! tells that operands are there, in this block, and of the right types. Everything else is for the slow path to find
//! out.

use super::named::Named;
use crate::treaty::ty::{Packed, Ty};

/// The top of a block's operand types.
pub(super) type Word = u64;

/// The code of a type: never 0, and less than any marker.
pub(super) const fn code(ty: Ty) -> u8 {
    ty.code()
}

/// The type of a code.
pub(super) fn ty_of(code: u8) -> Option<Ty> {
    if code == EXNREF {
        return Some(Ty::GcRef);
    }
    [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::V128, Ty::FuncRef, Ty::GcRef].into_iter().find(|ty| ty.code() == code)
}

pub(super) const I32: u8 = code(Ty::I32);
pub(super) const I64: u8 = code(Ty::I64);
pub(super) const F32: u8 = code(Ty::F32);
pub(super) const F64: u8 = code(Ty::F64);
pub(super) const V128: u8 = code(Ty::V128);
pub(super) const FUNCREF: u8 = code(Ty::FuncRef);
pub(super) const EXTERNREF: u8 = code(Ty::GcRef);
pub(super) const EXNREF: u8 = code(Ty::ContRef) + 1;

/// Is it the code of some type of references?
pub(super) const fn is_reference(code: u8) -> bool {
    code >= FUNCREF && code < BOTTOM
}

/// An operand of unreachable code that matches every type.
pub(super) const BOTTOM: u8 = 0x7f;

/// Nothing is below, in this block. All markers have their highest bit set.
pub(super) const BASE: u8 = 0xff;
/// The place is unreachable: below is whatever is asked for.
pub(super) const ANYTHING: u8 = 0xfe;
/// More operands of this block are among those that made room.
const SPILLED: u8 = 0xfd;

/// Packed types are what is compared with the lowest bytes of a word.
impl Packed {
    /// Are these on top?
    #[inline(always)]
    pub(super) fn is_on(&self, word: Word) -> bool {
        word & self.mask == self.types
    }

    /// The word of a block with these operands and nothing else; 0, which no word is, if they do not fit.
    #[inline]
    pub(super) fn alone(&self) -> Word {
        if *self == Packed::LONG { 0 } else { u64::from(BASE) << self.bits | self.types }
    }
}

/// Is there no room for another operand? The marker is in the highest byte then, and has its highest bit set.
#[inline(always)]
pub(super) fn is_full(word: Word) -> bool {
    word.cast_signed() < 0
}

/// What had to make room in the words of all open blocks: each entry is the lower end of a word, marker included,
/// shifted down to bit 0.
#[derive(Default)]
pub(super) struct Spilled {
    made: Vec<Word>,
    /// The types of references that the function has named.
    pub(super) types: Named,
}

/// A place in the stack, to look down from without taking anything off.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) word: Word,
    pub(super) spilled: usize,
}

impl Spilled {
    pub(super) fn clear(&mut self) {
        self.made.clear();
        self.types.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.made.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.made.truncate(len);
    }

    /// Makes room in a full word for four operands.
    #[cold]
    #[inline(never)]
    pub(super) fn spill(&mut self, word: Word) -> Word {
        self.made.push(word >> 24);
        u64::from(SPILLED) << 24 | word & 0xff_ffff
    }

    pub(super) fn cursor(&self, word: Word) -> Cursor {
        Cursor { word, spilled: self.made.len() }
    }

    /// Goes below the operand under the cursor and gives its code, or `BOTTOM`; `None` if the block has no more.
    pub(super) fn next(&self, at: &mut Cursor) -> Option<u8> {
        if at.word == u64::from(SPILLED) {
            at.spilled -= 1;
            at.word = self.made[at.spilled];
        }
        match at.word as u8 {
            ANYTHING => Some(BOTTOM),
            BASE => None,
            code => {
                at.word >>= 8;
                Some(code)
            }
        }
    }

    /// Goes below an operand of this type; `None` if it is not there.
    pub(super) fn expect(&self, at: &mut Cursor, code: u8) -> Option<()> {
        let found = self.next(at)?;
        (found == code || found == BOTTOM || self.types.is_subtype(found, code)).then_some(())
    }

    /// Takes off what the cursor has passed.
    pub(super) fn cut(&mut self, at: Cursor) -> Word {
        self.made.truncate(at.spilled);
        at.word
    }

    /// Takes operands of these types off, the first given from the top.
    #[cold]
    #[inline(never)]
    pub(super) fn pop(&mut self, word: Word, codes: &[u8]) -> Option<Word> {
        let mut at = self.cursor(word);
        for code in codes {
            self.expect(&mut at, *code)?;
        }
        Some(self.cut(at))
    }

    /// Takes operands off, the last given from the top.
    #[cold]
    #[inline(never)]
    pub(super) fn pop_types(&mut self, word: Word, types: &[Ty]) -> Option<Word> {
        let at = self.below(word, types)?;
        Some(self.cut(at))
    }

    /// The place below operands of these types, the last given on top; `None` if they are not there.
    pub(super) fn below(&self, word: Word, types: &[Ty]) -> Option<Cursor> {
        let mut at = self.cursor(word);
        for ty in types.iter().rev() {
            self.expect(&mut at, code(*ty))?;
        }
        Some(at)
    }

    #[inline(always)]
    pub(super) fn push(&mut self, mut word: Word, code: u8) -> Word {
        if is_full(word) {
            word = self.spill(word);
        }
        word << 8 | u64::from(code)
    }

    pub(super) fn push_types(&mut self, word: Word, types: &[Ty]) -> Word {
        types.iter().fold(word, |word, ty| self.push(word, code(*ty)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_room_comes_back_in_order() {
        let mut spilled = Spilled::default();
        let types: Vec<Ty> = (0..1000).map(|i| [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::FuncRef][i * i % 5]).collect();
        let mut word = u64::from(BASE);
        for ty in &types {
            word = spilled.push(word, code(*ty));
        }
        assert!(spilled.below(word, &types).is_some());
        assert!(spilled.below(word, &types[1..]).is_some());
        assert!(spilled.below(word, &types[..999]).is_none());
        for ty in types.iter().rev() {
            word = spilled.pop(word, &[code(*ty)]).unwrap();
        }
        assert_eq!((word, spilled.len()), (u64::from(BASE), 0));
        assert!(spilled.pop(word, &[I32]).is_none());
    }

    #[test]
    fn words_are_what_pushing_gives() {
        for n in 0..10 {
            let types = [Ty::I32, Ty::F64, Ty::I64, Ty::FuncRef, Ty::F32, Ty::I32, Ty::I32, Ty::F64, Ty::I64];
            let types = &types[..n.min(9)];
            let mut spilled = Spilled::default();
            let word = spilled.push_types(u64::from(BASE), types);
            let packed = Packed::new(types);
            assert_eq!(packed.alone() == word, types.len() <= 7);
            assert_eq!(packed.is_on(word), types.len() <= 7);
        }
    }
}
