//! The bytes under construction. An instruction is packed into a word and stored in one go, whatever its length.

use std::ops::Range;

/// Growable machine code.
///
/// `bytes` is always initialised further than the code reaches, so that [`Buffer::put`] can store a whole word and
/// then advance by the bytes that count; what it stored beyond is overwritten by the next instruction. Room is made
/// ahead of time by [`Buffer::reserve`]; where that was too little, `put` makes it itself, on a path marked cold.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Where the next instruction goes. 32 bits, so that `len + 8` provably does not wrap and one bounds check is left.
    len: u32,
}

/// Bytes that one `put` stores.
const WORD: usize = 8;
/// Bytes that a store may touch beyond the code.
const SLACK: usize = 2 * WORD;

impl Buffer {
    /// Bytes of code so far.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Is there no code yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes room for at least so many more bytes.
    #[inline]
    pub fn reserve(&mut self, bytes: usize) {
        if self.bytes.len() - (self.len as usize) < bytes + SLACK {
            self.grow(bytes);
        }
    }

    /// The offset up to which there is room.
    #[must_use]
    pub fn room_end(&self) -> u32 {
        (self.bytes.len().saturating_sub(SLACK)) as u32
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        const FIRST: usize = 4096;
        let needed = self.len as usize + bytes + SLACK;
        assert!(needed < 1 << 31, "distances inside the code fit in 32 bits");
        self.bytes.resize(needed.max(2 * self.bytes.len()).max(FIRST), 0);
    }

    /// Appends the lowest `len` bytes of `bits`, `len <= 8`.
    #[inline(always)]
    pub fn put(&mut self, bits: u64, len: u32) {
        debug_assert!(len as usize <= WORD);
        let at = self.len as usize;
        match self.bytes.get_mut(at..at + WORD) {
            Some(word) => {
                word.copy_from_slice(&bits.to_le_bytes());
                self.len += len;
            }
            None => self.put_growing(bits, len),
        }
    }

    /// Appends two pieces, `first_len < 8`. One step where two `put`s would wait for each other's length.
    #[inline(always)]
    pub fn put_two(&mut self, first: u64, first_len: u32, second: u64, second_len: u32) {
        debug_assert!((first_len as usize) < WORD && second_len as usize <= WORD);
        let at = self.len as usize;
        // The mask tells the optimiser what the assertion says, and saves a check.
        let middle = first_len as usize & (WORD - 1);
        match self.bytes.get_mut(at..at + 2 * WORD) {
            Some(words) => {
                words[..WORD].copy_from_slice(&first.to_le_bytes());
                words[middle..middle + WORD].copy_from_slice(&second.to_le_bytes());
                self.len += first_len + second_len;
            }
            None => {
                self.put_growing(first, first_len);
                self.put_growing(second, second_len);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn put_growing(&mut self, bits: u64, len: u32) {
        self.grow(WORD);
        self.put(bits, len);
    }

    /// Appends once more what stands at these offsets.
    pub fn repeat(&mut self, code: Range<u32>) {
        assert!(code.start <= code.end && code.end <= self.len, "there is no code at {code:?}");
        let len = code.end - code.start;
        self.reserve(len as usize);
        self.bytes.copy_within(code.start as usize..code.end as usize, self.len as usize);
        self.len += len;
    }

    /// Forgets the code from `len` on.
    pub fn truncate(&mut self, len: u32) {
        debug_assert!(len <= self.len);
        self.len = len;
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// The code, to patch it.
    #[must_use]
    pub fn code_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len as usize]
    }

    /// The code, by itself.
    #[must_use]
    pub fn into_code(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len as usize);
        self.bytes
    }

    /// Reads the 32-bit field at an offset.
    #[must_use]
    pub fn field(&self, at: u32) -> u32 {
        let at = at as usize;
        u32::from_le_bytes(self.code()[at..at + 4].try_into().expect("four bytes"))
    }

    /// Overwrites the 32-bit field at an offset.
    pub fn set_field(&mut self, at: u32, value: u32) {
        let at = at as usize;
        self.code_mut()[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_appends_only_the_bytes_that_count() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for i in 0..10_000u64 {
            let (bits, len) = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15), (i % 9) as u32);
            buffer.put(bits, len);
            expected.extend_from_slice(&bits.to_le_bytes()[..len as usize]);
        }
        assert_eq!(buffer.code(), expected);
        buffer.truncate(17);
        assert_eq!(buffer.code(), &expected[..17]);
        assert_eq!(buffer.into_code(), &expected[..17]);
    }

    #[test]
    fn two_pieces_are_two_puts() {
        let (mut one, mut two) = (Buffer::default(), Buffer::default());
        for i in 0..10_000u64 {
            let (first, second) = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15), i.wrapping_mul(0xc2b2_ae3d_27d4_eb4f));
            let (first_len, second_len) = ((i % 8) as u32, (i / 8 % 9) as u32);
            one.put_two(first, first_len, second, second_len);
            two.put(first, first_len);
            two.put(second, second_len);
        }
        assert_eq!(one.code(), two.code());
    }

    #[test]
    fn what_is_repeated_stands_once_more() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for byte in 0..200 {
            buffer.put(byte, 1);
            expected.push(byte as u8);
        }
        // Far beyond what there is room for at first.
        for (from, to) in [(0, 200), (7, 7), (3, 190), (0, 387)].into_iter().cycle().take(100) {
            buffer.repeat(from..to);
            expected.extend_from_within(from as usize..to as usize);
            buffer.put(0xab, 1);
            expected.push(0xab);
        }
        assert_eq!(buffer.code(), expected);
    }

    #[test]
    fn reserve_is_enough_for_what_it_says() {
        for n in [0, 1, 7, 8, 4095, 4096, 100_000] {
            let mut buffer = Buffer::default();
            buffer.put(0x11, 1);
            buffer.reserve(n);
            let room = buffer.bytes.len();
            for _ in 0..n / 2 {
                buffer.put_two(0xff, 1, 0xff, 1);
            }
            for _ in 0..n % 2 {
                buffer.put(0xff, 1);
            }
            assert_eq!(buffer.bytes.len(), room, "{n} bytes were reserved");
            assert_eq!(buffer.len() as usize, n + 1);
        }
    }

    #[test]
    fn fields_are_little_endian() {
        let mut buffer = Buffer::default();
        buffer.put(0x0807_0605_0403_0201, 8);
        assert_eq!(buffer.field(2), 0x0605_0403);
        buffer.set_field(3, 0xaabb_ccdd);
        assert_eq!(buffer.code(), [1, 2, 3, 0xdd, 0xcc, 0xbb, 0xaa, 8]);
    }
}
