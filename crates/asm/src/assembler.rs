//! What is the same for the assemblers of all instruction sets: code that grows, with labels in it and constants
//! behind.

use crate::{Label, RegSet};
use std::ops::{DerefMut, Range};

/// Machine code under construction. Its instructions are each assembler's own.
pub trait Assembler {
    /// Bytes so far: where the next instruction starts.
    fn offset(&self) -> u32;
    /// Makes room ahead for at least so many bytes. Only a matter of speed.
    fn reserve(&mut self, bytes: usize);
    /// The offset up to which there is room.
    fn room_end(&self) -> u32;
    /// From here on an address that reads one of these registers is a mistake, which debug builds find.
    fn watch(&mut self, unowned: RegSet);

    /// A new label, not yet bound.
    fn label(&mut self) -> Label;
    /// The label is here. Bound once.
    fn bind(&mut self, label: Label);
    /// In debug builds, how often the flags may have changed so far: by instructions, by calls, and at labels, to which
    /// others come with flags of their own. In others nobody knows.
    fn flags(&self) -> u32;
    /// Forgets all labels. Those that were used are bound by now, and all constants have their place.
    fn reset_labels(&mut self);
    /// Appends the constants that the code refers to, which were made since the last time, and says where they start:
    /// without any at the end of the code. What refers to them is ahead of this place, which no code runs into;
    /// wherever the code is moved, the start stays aligned to 16 bytes.
    fn place_constants(&mut self) -> u32;

    /// Appends once more the code at these offsets, in which nothing shows where it stands.
    fn repeat(&mut self, code: Range<u32>);
    /// So many bytes that do nothing, each for itself, so that padding is the same from wherever it is begun.
    fn pad(&mut self, bytes: u32);
    /// Padding to a multiple of `align`, a power of two, with instructions that do nothing, as few as there can be.
    fn align(&mut self, align: u32);

    /// Takes back the code from `offset` on, in which no label is bound or used and no constant used.
    fn truncate(&mut self, offset: u32);
    /// Gives up the code from `offset` on, with all labels and constants.
    fn abandon(&mut self, offset: u32);
    /// The code.
    fn code(&self) -> &[u8];
    /// The code, to patch it.
    fn code_mut(&mut self) -> &mut [u8];
    /// Gives up all of the code and its room.
    fn take_code(&mut self) -> Vec<u8>;
}

/// Whatever is an assembler and more.
impl<T: DerefMut<Target: Assembler>> Assembler for T {
    #[inline(always)]
    fn offset(&self) -> u32 {
        (**self).offset()
    }

    #[inline(always)]
    fn reserve(&mut self, bytes: usize) {
        (**self).reserve(bytes)
    }

    #[inline]
    fn room_end(&self) -> u32 {
        (**self).room_end()
    }

    #[inline(always)]
    fn watch(&mut self, unowned: RegSet) {
        (**self).watch(unowned)
    }

    #[inline(always)]
    fn label(&mut self) -> Label {
        (**self).label()
    }

    #[inline(always)]
    fn bind(&mut self, label: Label) {
        (**self).bind(label)
    }

    #[inline(always)]
    fn flags(&self) -> u32 {
        (**self).flags()
    }

    #[inline]
    fn reset_labels(&mut self) {
        (**self).reset_labels()
    }

    #[inline]
    fn place_constants(&mut self) -> u32 {
        (**self).place_constants()
    }

    #[inline]
    fn repeat(&mut self, code: Range<u32>) {
        (**self).repeat(code)
    }

    #[inline]
    fn pad(&mut self, bytes: u32) {
        (**self).pad(bytes)
    }

    #[inline]
    fn align(&mut self, align: u32) {
        (**self).align(align)
    }

    #[inline]
    fn truncate(&mut self, offset: u32) {
        (**self).truncate(offset)
    }

    #[inline]
    fn abandon(&mut self, offset: u32) {
        (**self).abandon(offset)
    }

    #[inline]
    fn code(&self) -> &[u8] {
        (**self).code()
    }

    #[inline]
    fn code_mut(&mut self) -> &mut [u8] {
        (**self).code_mut()
    }

    #[inline]
    fn take_code(&mut self) -> Vec<u8> {
        (**self).take_code()
    }
}
