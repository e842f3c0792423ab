//! Reading a body that has been validated: no check is left to make, so nothing here returns an error.

use crate::operators::{Immediates, Op, Prefix};

/// Begin the type of a value; a heap type is behind.
pub(crate) const REF: u8 = 0x64;
pub(crate) const REF_NULL: u8 = 0x63;

/// The length of a number that begins with these bytes, more than 4 if it goes on behind them; without a branch.
#[inline(always)]
pub(crate) fn short_len(bytes: [u8; 4]) -> usize {
    (!u32::from_le_bytes(bytes) & 0x8080_8080).trailing_zeros() as usize / 8 + 1
}

/// A position in the operators of a validated body.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], pos: usize) -> Reader<'a> {
        Reader { bytes, pos }
    }

    /// Another position in the same body.
    pub(crate) fn at(self, pos: usize) -> Reader<'a> {
        Reader { pos, ..self }
    }

    /// Bytes read so far.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Goes on at a position.
    pub(crate) fn go_to(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// Bytes of the whole body.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Is there nothing left?
    pub(crate) fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// The next byte without reading it; 0x00 (`unreachable`) after the last.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    /// The next operator, without reading it, if it is one of a byte: see `Op::of_byte`.
    #[inline]
    pub(crate) fn peek_op(&self) -> Op {
        Op::of_byte(self.peek())
    }

    /// The operator of a byte that begins `n` bytes further.
    #[inline]
    pub(crate) fn peek_op_at(&self, n: usize) -> Op {
        Op::of_byte(self.bytes.get(self.pos + n).copied().unwrap_or(0))
    }

    /// Reads the next operator if it is one of a byte: see `Op::of_byte`.
    #[inline]
    pub(crate) fn op(&mut self) -> Op {
        Op::of_byte(self.u8())
    }

    /// Reads the next operator, with what is behind a prefix, up to its immediates.
    pub(crate) fn operator(&mut self) -> Op {
        let byte = self.u8();
        match Prefix::of(byte) {
            Some(prefix) => prefix.operator(self.u32()).expect("an operator that passed the survey"),
            None => Op::of_byte(byte),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> u8 {
        let byte = self.peek();
        self.pos += 1;
        byte
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> u32 {
        let byte = self.u8();
        if byte < 0x80 {
            return u32::from(byte);
        }
        let next = self.peek();
        if next < 0x80 {
            self.pos += 1;
            return u32::from(byte & 0x7f) | u32::from(next) << 7;
        }
        self.u64_rest(byte) as u32
    }

    pub(crate) fn u64(&mut self) -> u64 {
        let byte = self.u8();
        if byte < 0x80 { u64::from(byte) } else { self.u64_rest(byte) }
    }

    fn u64_rest(&mut self, first: u8) -> u64 {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.u8();
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift > 63 {
                return value;
            }
        }
    }

    #[inline(never)]
    pub(crate) fn i64(&mut self) -> i64 {
        if let Some(value) = self.short_signed() {
            return value.into();
        }
        let mut value = 0i64;
        let mut shift = 0;
        loop {
            let byte = self.u8();
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return if shift < 64 { value << (64 - shift) >> (64 - shift) } else { value };
            }
            if shift > 63 {
                return value;
            }
        }
    }

    #[inline]
    pub(crate) fn i32(&mut self) -> i32 {
        self.short_signed().unwrap_or_else(|| self.i64() as i32)
    }

    /// Reads a signed number of at most four bytes, without a branch by how many they are; not at the end of the body.
    #[inline(always)]
    fn short_signed(&mut self) -> Option<i32> {
        let bytes = *self.bytes.get(self.pos..)?.first_chunk::<4>()?;
        let len = short_len(bytes);
        if len > 4 {
            return None;
        }
        let word = u32::from_le_bytes(bytes);
        let low = word & 0x7f | word >> 1 & 0x3f80 | word >> 2 & 0x1f_c000 | word >> 3 & 0xfe0_0000;
        self.pos += len;
        let unused = 32 - 7 * len as u32;
        Some((low << unused) as i32 >> unused)
    }

    pub(crate) fn bits32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.bytes[self.pos..self.pos + 4]);
        self.pos += 4;
        u32::from_le_bytes(bytes)
    }

    pub(crate) fn bits64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes[self.pos..self.pos + 8]);
        self.pos += 8;
        u64::from_le_bytes(bytes)
    }

    /// The position of the 16 bytes that come next, which are passed over; `bits128_at` reads them.
    pub(crate) fn skip128(&mut self) -> usize {
        self.pos += 16;
        self.pos - 16
    }

    /// The 16 bytes at a position, as a number.
    pub(crate) fn bits128_at(&self, pos: usize) -> u128 {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.bytes[pos..pos + 16]);
        u128::from_le_bytes(bytes)
    }

    /// Alignment is a hint and dropped; gives (memory, offset).
    #[inline]
    pub(crate) fn memarg(&mut self) -> (u32, u64) {
        if let Some(&[flags, offset]) = self.bytes.get(self.pos..self.pos + 2)
            && flags < 0x40
            && offset < 0x80
        {
            self.pos += 2;
            return (0, offset.into());
        }
        self.long_memarg()
    }

    #[inline(never)]
    fn long_memarg(&mut self) -> (u32, u64) {
        let flags = self.u32();
        let memory = if flags & 0x40 != 0 { self.u32() } else { 0 };
        (memory, self.u64())
    }

    /// Reads the immediates of an operator that is not compiled, all but those of blocks.
    pub(crate) fn skip_immediates(&mut self, op: Op) {
        match op.operator().immediates {
            Immediates::None => {}
            Immediates::Local | Immediates::Label | Immediates::Index => {
                self.u32();
            }
            Immediates::Indices => {
                self.u32();
                self.u32();
            }
            Immediates::Labels => {
                for _ in 0..=self.u32() {
                    self.u32();
                }
            }
            Immediates::Block | Immediates::Catches => unreachable!("{op:?} opens a block"),
            Immediates::Types => {
                for _ in 0..self.u32() {
                    self.skip_value_type();
                }
            }
            Immediates::HeapType | Immediates::I32 | Immediates::I64 => {
                self.i64();
            }
            Immediates::Cast => {
                self.u8();
                self.u32();
                self.i64();
                self.i64();
            }
            Immediates::Handlers => {
                self.u32();
                self.skip_handlers();
            }
            Immediates::TagHandlers => {
                self.u32();
                self.u32();
                self.skip_handlers();
            }
            Immediates::F32 => {
                self.bits32();
            }
            Immediates::F64 => {
                self.bits64();
            }
            Immediates::Memory(_) | Immediates::Aligned(_) => {
                self.memarg();
            }
            Immediates::MemoryLane(_) => {
                self.memarg();
                self.u8();
            }
            Immediates::Lane(_) | Immediates::Zero => {
                self.u8();
            }
            Immediates::Bytes | Immediates::Shuffle => {
                self.skip128();
            }
        }
    }

    fn skip_value_type(&mut self) {
        if matches!(self.peek(), REF | REF_NULL) {
            self.u8();
        }
        self.i64();
    }

    /// Reads handlers of operators that resume.
    fn skip_handlers(&mut self) {
        for _ in 0..self.u32() {
            let switches = self.u8() != 0;
            self.u32();
            if !switches {
                self.u32();
            }
        }
    }

    /// Does a `local.set` or `local.tee` come next?
    #[inline(always)]
    pub(crate) fn at_local_write(&self) -> bool {
        matches!(self.peek_op(), Op::LocalSet | Op::LocalTee)
    }

    /// If a `local.set` or `local.tee` comes next: the local.
    #[inline]
    pub(crate) fn peek_local_write(&self) -> Option<u32> {
        self.at_local_write().then(|| Reader { bytes: self.bytes, pos: self.pos + 1 }.u32())
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::operators::Op;

    #[test]
    fn signed_numbers_of_every_length() {
        for shift in 0..64 {
            let power = 1i64 << shift;
            for value in [power, power.wrapping_neg(), power.wrapping_sub(1), i64::MIN, i64::MAX, 0, -1] {
                let mut bytes = vec![];
                let mut rest = value;
                loop {
                    let byte = rest as u8 & 0x7f;
                    rest >>= 7;
                    if (rest == 0 && byte & 0x40 == 0) || (rest == -1 && byte & 0x40 != 0) {
                        bytes.push(byte);
                        break;
                    }
                    bytes.push(byte | 0x80);
                }
                let mut reader = Reader::new(&bytes, 0);
                assert_eq!(reader.i64(), value);
                assert!(reader.at_end());
            }
        }
    }

    #[test]
    fn unsigned_numbers_padded_to_the_full_length() {
        let mut reader = Reader::new(&[0x85, 0x80, 0x80, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f], 0);
        assert_eq!(reader.u32(), 5);
        assert_eq!(reader.u32(), u32::MAX);
    }

    #[test]
    fn a_local_write_ahead_is_seen() {
        let ahead = |op: Op, rest: &[u8]| {
            let bytes = [&[op.index() as u8], rest].concat();
            Reader::new(&bytes, 0).peek_local_write()
        };
        assert_eq!(ahead(Op::LocalSet, &[0x85, 0x01]), Some(133));
        assert_eq!(ahead(Op::LocalTee, &[2]), Some(2));
        assert_eq!(ahead(Op::LocalGet, &[2]), None);
        assert_eq!(ahead(Op::GlobalGet, &[2]), None);
    }
}
