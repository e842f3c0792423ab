//! LEB128 numbers of more than one byte, checked as wasmparser checks them: at most as many bytes as the type needs,
//! and no bits beyond it.

use crate::operators::reader::short_len;

/// An unsigned 32-bit number at `pos`: its value and length in bytes, the length 0 if it is malformed or cut off.
#[inline(never)]
pub(super) fn u32(bytes: &[u8], pos: usize) -> (u32, u32) {
    let rest = bytes.get(pos..).unwrap_or_default();
    if let Some(&[a, b, c, d, last]) = rest.first_chunk::<5>()
        && short_len([a, b, c, d]) > 4
    {
        // What linkers leave room for.
        let low = [a, b, c, d].into_iter().rev().fold(0, |value, byte| value << 7 | u32::from(byte & 0x7f));
        return if last < 0x10 { (low | u32::from(last) << 28, 5) } else { (0, 0) };
    }
    let (value, len) = unsigned(rest, 5, 4);
    (value as u32, len)
}

/// An unsigned 64-bit number at `pos`: as `u32`.
#[inline(never)]
pub(super) fn u64(bytes: &[u8], pos: usize) -> (u64, u32) {
    unsigned(bytes.get(pos..).unwrap_or_default(), 10, 1)
}

/// A number of at most `longest` bytes, of whose last byte `bits` bits count.
fn unsigned(bytes: &[u8], longest: u32, bits: u32) -> (u64, u32) {
    let mut value = 0;
    for (i, &byte) in (0..longest).zip(bytes) {
        if i + 1 == longest && byte >> bits != 0 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return (value, i + 1);
        }
    }
    (0, 0)
}

/// The length in bytes of a signed number at `pos` that may have `longest` bytes, 5 for 32 bits or 10 for 64; 0 if it
/// is malformed or cut off.
#[inline(never)]
pub(super) fn signed_len(bytes: &[u8], pos: usize, longest: u8) -> usize {
    let rest = bytes.get(pos..).unwrap_or_default();
    if let Some(&[a, b, c, d, last]) = rest.first_chunk::<5>()
        && longest == 5
        && short_len([a, b, c, d]) > 4
    {
        // The usual long one.
        return if matches!(last & 0xf8, 0x00 | 0x78) { 5 } else { 0 };
    }
    for (i, &byte) in (1..=longest).zip(rest) {
        if byte < 0x80 {
            // What is above the bits that count in the last byte repeats the sign.
            let sign = (byte << 1) as i8 >> if longest == 5 { 4 } else { 1 };
            return if i < longest || sign == 0 || sign == -1 { usize::from(i) } else { 0 };
        }
    }
    0
}

/// A type index in the 33-bit signed form of block types: as `u32`; negative numbers are malformed.
pub(super) fn type_index(bytes: &[u8], pos: usize) -> (u32, u32) {
    let rest = bytes.get(pos..).unwrap_or_default();
    let mut value = 0u64;
    for (i, &byte) in (0..5).zip(rest) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            // Not negative: the sign bit is clear, which in the fifth byte is bit 4, and the two above repeat it.
            let fits = if i == 4 { byte >> 4 == 0 } else { byte & 0x40 == 0 };
            return if fits { (value as u32, i + 1) } else { (0, 0) };
        }
    }
    (0, 0)
}

#[cfg(test)]
mod tests {
    use wasmparser::BinaryReader;

    /// Every length and every last byte, against wasmparser's reader.
    #[test]
    fn lengths_and_last_bytes() {
        let mut decided = [0; 2];
        for len in 0..12 {
            for last in 0..=255u8 {
                for fill in [0x80, 0xff, 0x95] {
                    let mut bytes = vec![fill; len];
                    bytes.push(last);
                    for end in 0..2 {
                        bytes.truncate(bytes.len() - end);
                        let reader = || BinaryReader::new(&bytes, 0);
                        let (value, n) = super::u32(&bytes, 0);
                        let mut r = reader();
                        let expected = r.read_var_u32().ok().map(|v| (v, r.current_position()));
                        assert_eq!((n > 0).then_some((value, n as usize)), expected, "{bytes:x?}");
                        let (value, n) = super::u64(&bytes, 0);
                        let mut r = reader();
                        let expected = r.read_var_u64().ok().map(|v| (v, r.current_position()));
                        assert_eq!((n > 0).then_some((value, n as usize)), expected, "{bytes:x?}");
                        let mut r = reader();
                        let expected = r.read_var_i32().ok().map(|_| r.current_position());
                        let n = super::signed_len(&bytes, 0, 5);
                        assert_eq!((n > 0).then_some(n), expected, "{bytes:x?}");
                        let mut r = reader();
                        let expected = r.read_var_i64().ok().map(|_| r.current_position());
                        let n = super::signed_len(&bytes, 0, 10);
                        assert_eq!((n > 0).then_some(n), expected, "{bytes:x?}");
                        decided[usize::from(expected.is_some())] += 1;
                        let mut r = reader();
                        let expected =
                            r.read_var_s33().ok().and_then(|v| Some((u32::try_from(v).ok()?, r.current_position())));
                        let (value, n) = super::type_index(&bytes, 0);
                        assert_eq!((n > 0).then_some((value, n as usize)), expected, "{bytes:x?}");
                    }
                }
            }
        }
        assert!(decided.iter().all(|n| *n > 500), "{decided:?}");
    }
}
