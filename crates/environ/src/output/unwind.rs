//! How to unwind from each instruction: `.eh_frame`, which the process's own unwinder reads.
//!
//! The format is the Linux Standard Base's: one entry that is common to all (CIE), then one for each function or
//! routine (FDE), with what changes at which offset. The section lies right behind the text, whose places it names by
//! their distance, so nothing need be done to it when it is loaded. Entries are written as the text grows, a few bytes
//! a function; tests read them back with `gimli`, and hold them against the code, instruction by instruction.

use crate::target::Machine;
use lightbeam_compiler::code::{Unwind, UnwindStep};
use lightbeam_compiler::isa::Isa;

/// The section's name.
pub(crate) const NAME: &str = ".eh_frame";

// DWARF's operations, by name.
const ADVANCE: u8 = 0x40;
const ADVANCE_1: u8 = 0x02;
const ADVANCE_2: u8 = 0x03;
const ADVANCE_4: u8 = 0x04;
const OFFSET: u8 = 0x80;
const RESTORE: u8 = 0xc0;
const UNDEFINED: u8 = 0x07;
const REGISTER: u8 = 0x09;
const REMEMBER: u8 = 0x0a;
const RECALL: u8 = 0x0b;
const DEFINE_CFA: u8 = 0x0c;
const DEFINE_CFA_REGISTER: u8 = 0x0d;
const DEFINE_CFA_OFFSET: u8 = 0x0e;
/// Places are distances from where they stand, as 32-bit integers: `DW_EH_PE_pcrel | DW_EH_PE_sdata4`.
const DISTANCE: u8 = 0x1b;

/// Bytes of a word of the stack, in which registers and addresses lie.
const WORD: i32 = 8;

/// What stands at the end: unwinders look for an entry of no length.
pub(crate) const END: [u8; 4] = [0; 4];

/// The section under construction. It names places by their distance from the end of the text, which is known last, as
/// if the text were empty.
pub(crate) struct UnwindTable {
    bytes: Vec<u8>,
    /// Of the entry under construction, where it begins, if there is one.
    entry: Option<usize>,
    /// Where its function begins in the text, and the offset that its operations have come to.
    start: u32,
    at: u32,
    /// Is what has been remembered still to be recalled?
    remembered: bool,
    /// The caller's registers that are in the frame, a bit each.
    saved: u32,
    /// The section, if it is not to be made.
    complete: Option<Vec<u8>>,
}

impl UnwindTable {
    pub(crate) fn new() -> UnwindTable {
        let [stack, address] = [number(Machine::STACK), Machine::DEBUG_RETURN];
        let mut table = UnwindTable {
            bytes: Vec::new(),
            entry: None,
            start: 0,
            at: 0,
            remembered: false,
            saved: 0,
            complete: None,
        };
        // Length; no CIE; version; augmentation: places are as `DISTANCE` says. Code and data are counted by bytes and
        // by words, downwards.
        table.bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, address, 1, DISTANCE]);
        // At a call the return address is on top of the stack.
        table.bytes.extend([DEFINE_CFA, stack, WORD as u8, OFFSET | address, 1]);
        table.close(0);
        table
    }

    /// What a section says already that is complete.
    pub(crate) fn restored(section: Vec<u8>) -> UnwindTable {
        UnwindTable { complete: Some(section), ..UnwindTable::new() }
    }

    /// Fills up the entry that begins at `start`, and writes its length.
    fn close(&mut self, start: usize) {
        // Operations that do nothing.
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let len = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Adds what is known of code that begins at `base` of the text, behind all so far.
    pub(crate) fn push(&mut self, base: u32, rows: &[Unwind]) {
        for Unwind { at, step } in rows {
            let at = base + at;
            if *step == UnwindStep::Begin {
                self.end(at);
                self.begin(at);
            } else {
                debug_assert!(self.entry.is_some(), "how to unwind is said from where code begins on");
                self.advance(at);
                self.step(*step);
            }
        }
    }

    /// Adds what another table says of code of so many bytes that begins at `base` of the text, behind all so far.
    pub(crate) fn append(&mut self, base: u32, len: u32, mut other: UnwindTable) {
        self.end(base);
        other.end(len);
        let word = |at: usize| u32::from_le_bytes(other.bytes[at..at + 4].try_into().expect("4 bytes"));
        let next = |at: usize| at + 4 + word(at) as usize;
        // What is common to all is here already.
        let mut at = next(0);
        self.bytes.reserve(other.bytes.len() - at);
        while at < other.bytes.len() {
            let start = self.bytes.len();
            let place = base.wrapping_add(word(at + 8)).wrapping_add(at as u32).wrapping_sub(start as u32);
            self.bytes.extend_from_slice(&other.bytes[at..at + 4]);
            self.bytes.extend((start as u32 + 4).to_le_bytes());
            self.bytes.extend(place.to_le_bytes());
            self.bytes.extend_from_slice(&other.bytes[at + 12..next(at)]);
            at = next(at);
        }
    }

    /// Ends the code of the last entry so far at `at` of the text: what follows is in none.
    pub(crate) fn interrupt(&mut self, at: u32) {
        self.end(at);
    }

    fn begin(&mut self, at: u32) {
        let start = self.bytes.len();
        self.entry = Some(start);
        (self.start, self.at, self.remembered, self.saved) = (at, at, false, 0);
        // Length, the distance of the common entry, the function's place and length, no more augmentation.
        let place = at.wrapping_sub(start as u32 + 8);
        for word in [0, start as u32 + 4, place, 0] {
            self.bytes.extend(word.to_le_bytes());
        }
        self.bytes.push(0);
    }

    /// The code of the entry under construction ends at `at` of the text.
    fn end(&mut self, at: u32) {
        if let Some(start) = self.entry.take() {
            self.bytes[start + 12..start + 16].copy_from_slice(&(at - self.start).to_le_bytes());
            self.close(start);
        }
    }

    fn advance(&mut self, at: u32) {
        let by = at - self.at;
        self.at = at;
        match by {
            0 => {}
            1..0x40 => self.bytes.push(ADVANCE | by as u8),
            0x40..0x100 => self.bytes.extend([ADVANCE_1, by as u8]),
            0x100..0x1_0000 => {
                self.bytes.push(ADVANCE_2);
                self.bytes.extend((by as u16).to_le_bytes());
            }
            _ => {
                self.bytes.push(ADVANCE_4);
                self.bytes.extend(by.to_le_bytes());
            }
        }
    }

    fn step(&mut self, step: UnwindStep) {
        let [stack, frame, address] = [number(Machine::STACK), number(Machine::FRAME), Machine::DEBUG_RETURN];
        match step {
            UnwindStep::Begin => unreachable!("an entry of its own"),
            UnwindStep::Pushed => self.bytes.extend([DEFINE_CFA_OFFSET, 2 * WORD as u8, OFFSET | frame, 2]),
            UnwindStep::Framed if self.remembered => {
                self.remembered = false;
                self.bytes.push(RECALL);
            }
            // The first frame; and what follows code that has left, but comes from where it was.
            UnwindStep::Framed => self.bytes.extend([DEFINE_CFA_REGISTER, frame]),
            UnwindStep::Saved(reg, offset) => {
                debug_assert_eq!(offset % WORD, 0, "words of the frame are aligned");
                self.saved |= 1 << number(reg);
                self.bytes.push(OFFSET | number(reg));
                unsigned(&mut self.bytes, (2 - offset / WORD).unsigned_abs());
            }
            UnwindStep::Unframed => {
                self.remember();
                self.bytes.extend([DEFINE_CFA, stack, WORD as u8, OFFSET | address, 1, RESTORE | frame]);
                self.restore();
            }
            UnwindStep::Unsaved => {
                self.remember();
                self.restore();
            }
            UnwindStep::Popped => {
                self.remember();
                self.bytes.extend([DEFINE_CFA_OFFSET, 0, REGISTER, address, number(Machine::SCRATCH)]);
            }
            UnwindStep::Lost => {
                self.remember();
                self.bytes.extend([UNDEFINED, address]);
            }
        }
    }

    /// The caller has what was saved.
    fn restore(&mut self) {
        let mut saved = self.saved;
        while saved != 0 {
            self.bytes.push(RESTORE | saved.trailing_zeros() as u8);
            saved &= saved - 1;
        }
    }

    /// What holds now will hold again.
    fn remember(&mut self) {
        if !self.remembered {
            self.remembered = true;
            self.bytes.push(REMEMBER);
        }
    }

    /// What debuggers read, `.debug_frame`: places wait for the address of the text. Gives them with it.
    pub(crate) fn for_debuggers(&self, text: usize) -> lightbeam_debug::Section {
        let mut bytes = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 4);
        let mut relocations = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let word = |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("4 bytes"));
            let next = if self.entry == Some(at) { self.bytes.len() } else { at + 4 + word(at) as usize };
            let start = bytes.len();
            if at == 0 {
                // Version 1, no augmentation, and what follows it in the other section.
                bytes.extend([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0]);
                bytes.extend(&self.bytes[12..15]);
                bytes.extend(&self.bytes[17..next]);
            } else {
                let place = word(at + 8).wrapping_add(at as u32 + 8);
                let len = if self.entry == Some(at) { text as u32 - place } else { word(at + 12) };
                bytes.extend([0; 8]);
                relocations.push(lightbeam_debug::Relocation { at: bytes.len() as u64, addend: place.into() });
                bytes.extend([0; 8]);
                bytes.extend(u64::from(len).to_le_bytes());
                bytes.extend(&self.bytes[at + 17..next]);
            }
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            let len = (bytes.len() - start - 4) as u32;
            bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
            at = next;
        }
        lightbeam_debug::Section { name: ".debug_frame", bytes, relocations }
    }

    /// The section, for a text of so many bytes; empty if nothing is in it.
    pub(crate) fn finish(mut self, text: usize) -> Vec<u8> {
        if let Some(complete) = self.complete.take() {
            return complete;
        }
        let mut section = self.entries(text);
        if !section.is_empty() {
            section.extend(END);
        }
        section
    }

    /// The section without its end, so that others can follow.
    pub(crate) fn entries(mut self, text: usize) -> Vec<u8> {
        self.end(text as u32);
        let mut at = 0;
        let mut entries = 0;
        while at < self.bytes.len() {
            let word = |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("4 bytes"));
            let next = at + 4 + word(at) as usize;
            if at > 0 {
                let place = word(at + 8).wrapping_sub(text as u32);
                self.bytes[at + 8..at + 12].copy_from_slice(&place.to_le_bytes());
                entries += 1;
            }
            at = next;
        }
        if entries == 0 {
            return Vec::new();
        }
        self.bytes
    }
}

/// A register's number in DWARF.
fn number(reg: lightbeam_asm::Reg) -> u8 {
    Machine::debug_number(reg)
}

fn unsigned(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
