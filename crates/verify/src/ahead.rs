//! The instructions of a piece of code, each read once, ahead of the walk. Nothing is believed of what is read ahead:
//! it is what the walk would read where it comes, and what it never comes to does not count.
//!
//! Reading ahead shows which targets are jumped to from behind, mostly heads of loops, before anybody comes there.

use crate::decode::{Instruction, Reader};
use crate::facts::{Processor, Range};
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
    /// Where it is jumped to from behind, or one of [`NO_TARGET`] and [`FORWARDS`].
    from: u32,
}

/// An offset that is not jumped to, as far as was read.
const NO_TARGET: u32 = u32::MAX;
/// An offset that is jumped to, but not from behind.
const FORWARDS: u32 = u32::MAX - 1;

impl Read {
    /// Is it jumped to?
    #[inline]
    pub(crate) fn is_target(&self) -> bool {
        self.from != NO_TARGET
    }

    /// Where it is jumped to from behind, if it is.
    pub(crate) fn from_behind(&self) -> Option<u32> {
        (self.from < FORWARDS).then_some(self.from)
    }
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
    pub(crate) fn new(text: &'p [u8], processor: Processor) -> Ahead<'p> {
        Ahead {
            reader: Reader::with(text, processor),
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
        for read in &self.code {
            self.numbers[(read.at - self.range.start) as usize] = 0;
        }
        self.code.clear();
    }

    /// The instruction with this number, if it is the one at this offset.
    #[inline(always)]
    pub(crate) fn get(&self, number: usize, at: u32) -> Option<&Read> {
        match self.code.get(number) {
            Some(read) if read.at == at => Some(read),
            _ => None,
        }
    }

    /// The number of the instruction at an offset, and that instruction.
    #[inline(never)]
    pub(crate) fn find(&mut self, at: u32) -> Option<(usize, &Read)> {
        let byte = (at - self.range.start) as usize;
        if *self.numbers.get(byte)? == 0 {
            if self.code.len() >= MOST {
                self.clear();
                self.is_long = true;
            }
            let most = if !self.is_long || at >= self.from { self.at_once } else { 1 };
            self.read_ahead(at, MOST.min(self.code.len() + most));
        }
        let number = (self.numbers[byte] as usize).checked_sub(1)?;
        Some((number, &self.code[number]))
    }

    /// Reads from an offset on, along jumps, what was not read yet, until so many instructions are kept.
    fn read_ahead(&mut self, from: u32, most: usize) {
        let Range { start, end } = self.range;
        // What was forgotten again is read one by one.
        let follows = most > self.code.len() + 1;
        // So many targets are not gone to yet, none of them before this word.
        let (mut open, mut word) = (0, usize::MAX);
        let (mut at, mut jumped) = (from, NO_TARGET);
        loop {
            while at < end && self.code.len() < most {
                let number = &mut self.numbers[(at - start) as usize];
                if *number != 0 {
                    break;
                }
                self.code.push(Read { instruction: Instruction::NONE, at, from: jumped });
                jumped = NO_TARGET;
                *number = self.code.len() as u32;
                let Some(Read { instruction, .. }) = self.code.last_mut() else { break };
                let read = self.reader.read_into(at, instruction);
                let next = at + u32::from(instruction.len);
                if read.is_none() || next > end {
                    self.code.pop();
                    *number = 0;
                    break;
                }
                let class = instruction.class;
                if class.goes_on() {
                    at = next;
                    continue;
                }
                if let (Class::Jmp | Class::Jcc, Some(target)) = (class, instruction.target())
                    && (u64::from(start)..u64::from(end)).contains(&target)
                    && follows
                {
                    let byte = target as usize - start as usize;
                    match self.numbers[byte] {
                        0 => {
                            open += usize::from(self.targets[byte / 64] >> (byte % 64) & 1 == 0);
                            self.targets[byte / 64] |= 1 << (byte % 64);
                            word = word.min(byte / 64);
                        }
                        number => {
                            let read = &mut self.code[number as usize - 1];
                            if read.at <= at {
                                read.from = at;
                            } else if read.from == NO_TARGET {
                                read.from = FORWARDS;
                            }
                        }
                    }
                }
                at = if class == Class::Jcc { next } else { end };
                self.from = self.from.max(next);
            }
            self.from = self.from.max(at.min(end));
            // On with the next target.
            if open == 0 {
                return;
            }
            while self.targets[word] == 0 {
                word += 1;
            }
            open -= 1;
            let byte = 64 * word + self.targets[word].trailing_zeros() as usize;
            self.targets[word] &= self.targets[word] - 1;
            // If it was read already, the next does not run.
            at = start + byte as u32;
            jumped = FORWARDS;
            if let Some(read) = (self.numbers[byte] as usize).checked_sub(1).map(|number| &mut self.code[number])
                && read.from == NO_TARGET
            {
                read.from = FORWARDS;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of thousands of routines is not read once for each.
    #[test]
    fn of_a_part_little_more_is_read_than_what_is_gone_over() {
        let text = [0x90; 5000];
        let mut ahead = Ahead::new(&text, Processor::ALL);
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
