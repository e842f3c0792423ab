//! The instructions of a piece of code, each read once, ahead of the walk. Nothing is believed of what is read ahead: it
//! is what the walk would read where it comes, and what it never comes to does not count.
//!
//! Reading ahead shows which targets are jumped to from behind, mostly heads of loops, before anybody comes there.

use crate::decode::{Instruction, Reader};
use crate::facts::Range;
use crate::forms::Class;

/// So many instructions are kept at once.
const MOST: usize = 1 << 19;

/// So many are read at once at most in pieces of which only a part is gone over: behind a call that never returns, what
/// is read is another routine, and behind that the next.
const FEW: usize = 128;

/// An instruction and where it is.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    pub(crate) instruction: Instruction,
    pub(crate) at: u32,
    /// Is it jumped to?
    pub(crate) is_target: bool,
    /// Where it is jumped to from behind, if it is: 0 if not.
    pub(crate) from: u32,
}

pub(crate) struct Ahead<'p> {
    reader: Reader<'p>,
    range: Range,
    code: Vec<Read>,
    /// By byte of the piece: 1 + the number of the instruction that begins there.
    numbers: Vec<u32>,
    /// By byte, a bit: a target that was not read yet.
    targets: Vec<u64>,
    /// Was anything forgotten again? Then only what is behind all that was read is read ahead, or nothing that is
    /// forgotten might be read again and again.
    is_long: bool,
    from: u32,
    /// How many are read at once at most.
    at_once: usize,
}

impl<'p> Ahead<'p> {
    pub(crate) fn new(text: &'p [u8]) -> Ahead<'p> {
        Ahead {
            reader: Reader::new(text),
            range: Range { start: 0, end: 0 },
            code: Vec::new(),
            numbers: Vec::new(),
            targets: Vec::new(),
            is_long: false,
            from: 0,
            at_once: MOST,
        }
    }

    /// Begins a piece of code.
    pub(crate) fn begin(&mut self, range: Range) {
        self.clear();
        self.at_once = MOST;
        self.range = range;
        (self.is_long, self.from) = (false, range.start);
        let len = (range.end - range.start) as usize;
        if self.numbers.len() < len {
            self.numbers.resize(len, 0);
            self.targets.resize(len / 64 + 1, 0);
        }
    }

    /// Only a part of the piece that has begun is gone over.
    pub(crate) fn read_few(&mut self) {
        self.at_once = FEW;
    }

    fn clear(&mut self) {
        for read in self.code.drain(..) {
            self.numbers[(read.at - self.range.start) as usize] = 0;
        }
    }

    /// The instruction with this number, if it is the one at this offset.
    #[inline]
    pub(crate) fn get(&self, number: usize, at: u32) -> Option<&Read> {
        self.code.get(number).filter(|read| read.at == at)
    }

    /// The number of the instruction at an offset, and that instruction.
    pub(crate) fn find(&mut self, at: u32) -> Option<(usize, &Read)> {
        let byte = (at - self.range.start) as usize;
        if self.numbers[byte] == 0 {
            if self.code.len() >= MOST {
                self.clear();
                self.is_long = true;
            }
            if !self.is_long || at >= self.from {
                self.read_ahead(at);
            } else {
                self.read(at, false);
            }
        }
        let number = (self.numbers[byte] as usize).checked_sub(1)?;
        Some((number, &self.code[number]))
    }

    #[inline]
    fn read(&mut self, at: u32, is_target: bool) -> Option<&Instruction> {
        self.code.push(Read { instruction: Instruction::NONE, at, is_target, from: 0 });
        let number = self.code.len();
        let read = &mut self.code[number - 1];
        if self.reader.read_into(at, &mut read.instruction).is_none() {
            self.code.pop();
            return None;
        }
        self.numbers[(at - self.range.start) as usize] = number as u32;
        Some(&self.code[number - 1].instruction)
    }

    /// Reads from an offset on, along jumps, what was not read yet.
    fn read_ahead(&mut self, from: u32) {
        let Range { start, end } = self.range;
        let words = (end - start) as usize / 64 + 1;
        let (mut at, mut is_target) = (from, false);
        // No target is before this word.
        let mut word = words;
        let most = MOST.min(self.code.len() + self.at_once);
        while self.code.len() < most {
            let byte = (at - start) as usize;
            let read = if at >= end || self.numbers[byte] != 0 {
                None
            } else {
                self.read(at, is_target || self.targets[byte / 64] >> (byte % 64) & 1 != 0)
            };
            let read = read.map(|instruction| (instruction.class, instruction.len, instruction.target()));
            let Some((class, len, target)) = read else {
                // On with the next target.
                while word < words && self.targets[word] == 0 {
                    word += 1;
                }
                if word == words {
                    return;
                }
                let byte = 64 * word + self.targets[word].trailing_zeros() as usize;
                self.targets[word] &= self.targets[word] - 1;
                (at, is_target) = (start + byte as u32, true);
                continue;
            };
            is_target = false;
            self.from = self.from.max(at + 1);
            if let (Class::Jmp | Class::Jcc, Some(target)) = (class, target)
                && (u64::from(start)..u64::from(end)).contains(&target)
            {
                let byte = target as usize - start as usize;
                match self.numbers[byte] {
                    0 => {
                        self.targets[byte / 64] |= 1 << (byte % 64);
                        word = word.min(byte / 64);
                    }
                    number => {
                        let read = &mut self.code[number as usize - 1];
                        read.is_target = true;
                        if read.at <= at {
                            read.from = at;
                        }
                    }
                }
            }
            at = if matches!(class, Class::Jmp | Class::Ret | Class::Ud2) { end } else { at + u32::from(len) };
        }
        self.targets[word..words].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of thousands of routines is not read once for each.
    #[test]
    fn of_a_part_little_more_is_read_than_what_is_gone_over() {
        let text = [0x90; 5000];
        let mut ahead = Ahead::new(&text);
        let range = Range { start: 0, end: 5000 };
        ahead.begin(range);
        assert!(ahead.find(0).is_some());
        assert_eq!(ahead.code.len(), 5000);
        ahead.begin(range);
        ahead.read_few();
        for at in [4000, 4000 + FEW as u32 - 1, 4000 + FEW as u32, 7, 0] {
            assert_eq!(ahead.find(at).map(|(_, read)| read.at), Some(at));
        }
        assert_eq!(ahead.code.len(), 3 * FEW + 7);
    }
}
