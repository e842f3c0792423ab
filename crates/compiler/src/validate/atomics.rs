//! The fast sweep's part on the operators behind 0xfe.

use super::leb;
use super::operands::{I32, I64, Window};
use super::sweep::Sweep;
use crate::effects;

/// From 0x10 on the operators come in groups of seven, one group after another for each kind of access: the type of the
/// values and the logarithm of the alignment, which must be the natural one.
const WIDTHS: [(u8, u8); 7] = [(I32, 2), (I64, 3), (I32, 0), (I32, 1), (I64, 0), (I64, 1), (I64, 2)];

impl Sweep<'_> {
    /// An operator behind 0xfe: where it ends, and the window behind it.
    #[inline(never)]
    pub(super) fn atomic(&mut self, bytes: &[u8], pos: usize, window: Window) -> Option<(usize, Window)> {
        let (opcode, len) = leb::u32(bytes, pos);
        if len == 0 {
            return None;
        }
        let pos = pos + len as usize;
        // What is above the address, from the top; the result; the alignment.
        let (pops, pushes, align): (&[u8], &[u8], u8) = match opcode {
            0x00 => (&[I32], &[I32], 2),
            0x01 => (&[I64, I32], &[I32], 2),
            0x02 => (&[I64, I64], &[I32], 3),
            // fence
            0x03 => return (*bytes.get(pos)? == 0).then_some((pos + 1, window)),
            0x10..=0x4e => {
                let at = opcode as usize - 0x10;
                let (ty, align) = WIDTHS[at % 7];
                match at / 7 {
                    // load
                    0 => (&[], &[ty], align),
                    // store
                    1 => (&[ty], &[], align),
                    // cmpxchg
                    8 => (&[ty, ty], &[ty], align),
                    // The other read-modify-writes.
                    _ => (&[ty], &[ty], align),
                }
            }
            _ => return None,
        };
        // The alignment is no hint here. If bit 6 does not name a memory, it is found to be too much alignment below.
        let (flags, _) = leb::u32(bytes, pos);
        if flags & !0x40 != u32::from(align) {
            return None;
        }
        let (address, pos) = self.memory_argument(bytes, pos, align)?;
        let window = self.spilled.pop(window, pops)?;
        let mut window = self.spilled.pop(window, &[address])?;
        for code in pushes {
            window = self.spilled.push(window, *code);
        }
        self.survey.note(effects::atomic(opcode));
        Some((pos, window))
    }
}
