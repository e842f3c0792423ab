//! The tables that tell a process's unwinder how to go through frames. They are for those who look at a stack, and no
//! code depends on them; but whoever reads them would follow a pointer or evaluate an expression that they name. So
//! they may say what frames of Lightbeam's need, and nothing else: where in a frame or above the stack pointer a
//! register is. Whether that is right, tests show, instruction by instruction.

use crate::artifact::{Malformed, ensure};

/// The one entry that all others refer to (LSB 5.0, 10.6.1.1): version 1, places as distances in 32 bits, code by
/// bytes and words downwards; and at a call the return address is on top of the stack.
const COMMON: [u8; 24] = [20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0];

/// Registers by DWARF's numbers: those of a frame that calls preserve, and the frame pointer.
const PRESERVED: [u8; 5] = [3, 12, 13, 14, 15];
const FRAME: u8 = 6;
const ADDRESS: u8 = 16;
/// Where a return address may be that was taken from the stack.
const SCRATCH: u8 = 11;

/// Reads the tables of a text of so many bytes, in whose file they follow it.
pub(super) fn check(bytes: &[u8], text: usize) -> Result<(), Malformed> {
    let entries = bytes.strip_suffix(&[0; 4]).and_then(|entries| entries.strip_prefix(&COMMON));
    let mut rest = entries.ok_or_else(|| Malformed::new("what unwinders read does not begin and end as it must"))?;
    let mut at = COMMON.len();
    let mut covered = 0_u64;
    while !rest.is_empty() {
        let words: &[u8; 16] = rest.first_chunk().ok_or_else(cut)?;
        let word = |n: usize| u32::from_le_bytes(words[4 * n..4 * n + 4].try_into().expect("4 bytes"));
        let end = 4 + word(0) as usize;
        ensure(end >= 24 && end % 8 == 0 && end <= rest.len(), "an entry for unwinders has a wrong length")?;
        ensure(word(1) as usize == at + 4, "an entry for unwinders refers to another than the first")?;
        let distance = i64::from(word(2).cast_signed());
        let start = text as i64 + at as i64 + 8 + distance;
        let range = u64::try_from(start).ok().map(|start| start..start + u64::from(word(3)));
        let range = range.filter(|range| range.start >= covered && range.end <= text as u64);
        let range = range.ok_or_else(|| Malformed::new("entries for unwinders are out of order or of no text"))?;
        covered = range.end;
        ensure(rest[16] == 0, "an entry for unwinders says more than it may")?;
        operations(&rest[17..end], range.end - range.start)?;
        (at, rest) = (at + end, &rest[end..]);
    }
    Ok(())
}

fn cut() -> Malformed {
    Malformed::new("what unwinders read is cut off")
}

/// Reads the operations of one entry, for so many bytes of code.
fn operations(bytes: &[u8], code: u64) -> Result<(), Malformed> {
    let mut rest = bytes.iter().copied();
    let mut at = 0_u64;
    let mut remembered = false;
    while let Some(operation) = rest.next() {
        let mut byte = || rest.next().ok_or_else(cut);
        let known = match operation {
            0x00 => true,
            0x40..0x80 => {
                at += u64::from(operation & 0x3f);
                true
            }
            0x02..=0x04 => {
                let mut by = 0;
                for n in 0..1 << (operation - 2) {
                    by |= u64::from(byte()?) << (8 * n);
                }
                at += by;
                true
            }
            // Where the frame of whoever called begins: by the stack pointer, or by the frame pointer.
            0x0c => (byte()?, byte()?) == (7, 8),
            0x0d => byte()? == FRAME,
            0x0e => matches!(byte()?, 0 | 16),
            0x07 => byte()? == ADDRESS,
            0x09 => (byte()?, byte()?) == (ADDRESS, SCRATCH),
            0x0a => !std::mem::replace(&mut remembered, true),
            0x0b => std::mem::replace(&mut remembered, false),
            0x80..0xc0 => {
                let register = operation & 0x3f;
                let mut words = 0_u64;
                for n in 0..5 {
                    let byte = byte()?;
                    words |= u64::from(byte & 0x7f) << (7 * n);
                    if byte < 0x80 {
                        break;
                    }
                }
                match register {
                    FRAME => words == 2,
                    ADDRESS => words == 1,
                    _ => PRESERVED.contains(&register) && words > 2,
                }
            }
            0xc0.. => {
                let register = operation & 0x3f;
                register == FRAME || PRESERVED.contains(&register)
            }
            _ => false,
        };
        ensure(known, "an entry for unwinders says more than it may")?;
        ensure(at <= code, "an entry for unwinders goes on behind its code")?;
    }
    Ok(())
}
