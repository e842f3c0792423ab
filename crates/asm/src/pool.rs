//! Constants of 16 bytes that lie behind the code of one function, and the fields that wait for their place.
//!
//! As with labels, the fields that refer to a constant form a chain: each holds the offset of the one before, the
//! constant knows the last. So a use costs no allocation. Constants with the same bits share a place as long as a small
//! table of those met last knows; a constant that was forgotten costs its 16 bytes again and nothing else, so that time
//! and output stay linear in the number of constants.

use crate::buffer::Buffer;

/// A constant of the function under construction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Const(u32);

/// The constants of one function.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    entries: Vec<Entry>,
    /// By hash of the bits the number of the constant that had it last. May be out of date.
    met: [u32; MET],
}

impl Default for Pool {
    fn default() -> Pool {
        Pool { entries: Vec::new(), met: [0; MET] }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bits: u128,
    last: Link,
}

/// How many constants are remembered, a power of two.
const MET: usize = 64;

/// One link of a chain: a field's offset, and in the top bit whether a byte of immediate follows the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Link(u32);

impl Link {
    const END: Link = Link(u32::MAX);
    const BYTE_FOLLOWS: u32 = 1 << 31;
}

impl Pool {
    /// The alignment of constants; the buffer's start must have it where the code is to run.
    pub(crate) const ALIGN: u32 = 16;

    /// Forgets all constants.
    #[inline]
    pub(crate) fn reset(&mut self) {
        debug_assert!(self.is_empty(), "a constant was made and never placed");
        self.abandon();
    }

    /// Forgets all constants, with code that is given up.
    pub(crate) fn abandon(&mut self) {
        self.entries.clear();
    }

    /// Is there no constant that waits for its place?
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes that the constants take at most, padding included.
    #[inline]
    pub(crate) fn max_bytes(&self) -> usize {
        if self.is_empty() { 0 } else { 16 * (self.entries.len() + 1) }
    }

    /// The constant with these bits.
    pub(crate) fn constant(&mut self, bits: u128) -> Const {
        let folded = (bits as u64 ^ (bits >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let met = &mut self.met[(folded >> 32) as usize % MET];
        // Whatever number stands there: the bits decide.
        if self.entries.get(*met as usize).is_none_or(|entry| entry.bits != bits) {
            *met = self.entries.len() as u32;
            self.entries.push(Entry { bits, last: Link::END });
        }
        Const(*met)
    }

    /// Constants that lie one behind the other in this order, shared with none; the first of them.
    pub(crate) fn table(&mut self, table: &[u128]) -> Const {
        let first = Const(self.entries.len() as u32);
        self.entries.extend(table.iter().map(|bits| Entry { bits: *bits, last: Link::END }));
        first
    }

    /// Appends a 32-bit field with the distance to the constant from the end of the instruction, which is the end of
    /// the field or, if a byte of immediate follows, one further on.
    pub(crate) fn put_rel32(&mut self, constant: Const, byte_follows: bool, buffer: &mut Buffer) {
        let link = Link(buffer.len() | if byte_follows { Link::BYTE_FOLLOWS } else { 0 });
        let before = std::mem::replace(&mut self.entries[constant.0 as usize].last, link);
        buffer.put(before.0.into(), 4);
    }

    /// Appends the constants, aligned, and fills in the fields that waited for them.
    pub(crate) fn place(&mut self, buffer: &mut Buffer) {
        debug_assert!(buffer.len().is_multiple_of(Self::ALIGN));
        for entry in self.entries.drain(..) {
            let here = buffer.len();
            let mut link = entry.last;
            while link != Link::END {
                let at = link.0 & !Link::BYTE_FOLLOWS;
                let end = at + 4 + u32::from(link.0 & Link::BYTE_FOLLOWS != 0);
                link = Link(buffer.field(at));
                buffer.set_field(at, here.wrapping_sub(end));
            }
            buffer.put(entry.bits as u64, 8);
            buffer.put((entry.bits >> 64) as u64, 8);
        }
    }
}
