//! Loops that fill a part of the frame: where deep functions clear their slots for references, and where tests put
//! garbage into fresh frames.
//!
//! ```text
//! again: mov dword [base + counter + disp], number
//!        add counter, step
//!        test counter, counter
//!        jne again
//! ```
//!
//! From a counter that is known to be -n * step, control goes through it exactly n times and leaves it below, with a
//! counter of 0. So the loop is taken as one instruction where control comes to its first with such a counter. That
//! says nothing of whoever comes to another of its instructions, or with another counter: these are gone over one by
//! one.

use crate::decode::{Instruction, Operand, Reader};
use crate::forms::Class;
use crate::slots::{Frames, LEAF, LEAF_LOG2, NODE_LOG2, NONE, Slots};
use crate::state::{Flags, NONE as NO_REG};
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};

/// The number of the condition of `jne`.
const NOT_EQUAL: u8 = 5;

/// Bytes from one that is filled to the next at most: slots of vectors, twice as large.
const LONGEST_STEP: i64 = 32;

/// What a loop fills: every `step` bytes from `low` on, up to without `end`, four bytes.
#[derive(Clone, Copy)]
struct Fill {
    low: i64,
    end: i64,
    step: i64,
    /// Where the first of all words begins, see `Walk::word`.
    top: i64,
}

impl Fill {
    /// Which halves of a word are filled, as bits.
    fn halves(&self, word: u32) -> u32 {
        let half = |from: i64| u32::from(self.low <= from && from < self.end && (from - self.low) % self.step == 0);
        let from = self.from(word);
        half(from) | half(from + 4) << 1
    }

    /// Where a word begins.
    fn from(&self, word: u32) -> i64 {
        self.top - 8 * i64::from(word)
    }

    /// Are these words in it from their first byte to their last?
    fn has_all(&self, first: u32, words: i64) -> bool {
        self.low <= self.from(first) - 8 * (words - 1) && self.from(first) + 8 <= self.end
    }

    fn has_any(&self, first: u32, words: i64) -> bool {
        self.low < self.from(first) + 8 && self.from(first) - 8 * (words - 1) < self.end
    }
}

impl Walk<'_> {
    /// Takes such a loop, if the instruction at hand is its first. Says whether it is.
    pub(crate) fn fill_loop(&mut self, store: &Instruction) -> Proved<bool> {
        if store.base == NO_REG || store.index == NO_REG {
            return Ok(false);
        }
        let (base, counter) = (usize::from(store.base), usize::from(store.index));
        let (Some(at), Some(start)) = (self.st.regs[base].as_stack(), self.st.regs[counter].as_constant()) else {
            return Ok(false);
        };
        let frames = -(1 << 31)..0;
        if store.width() != Some(4) || store.scale != 0 || !frames.contains(&start) {
            return Ok(false);
        }
        let Some(step) = self.rest_of_fill(store)? else { return Ok(false) };
        let low = i64::from(at) + store.disp.clamp(-(1 << 32), 1 << 32) + start;
        if start % step != 0 || low % 4 != 0 {
            return Ok(false);
        }
        let last = low - start - step;
        let Ok(width) = u32::try_from(last + 4 - low) else { return Err("outside of the frame") };
        self.check_frame(low, width, true)?;
        self.overwritten(low as i32, width);
        let fill = Fill { low, end: low - start, step, top: self.top().into() };
        let words = (self.word(last as i32), self.word(low as i32));
        self.frames.fill(&mut self.st.slots, words, fill);
        self.put(counter, Value::NULL)?;
        self.st.flags = Flags::UNKNOWN;
        let next = self.next;
        self.jump_to(next)?;
        self.ends = true;
        Ok(true)
    }

    /// What the counter is raised by, if the instructions behind the store are those of such a loop; then these are
    /// code, and the next instruction is the one behind them.
    fn rest_of_fill(&mut self, store: &Instruction) -> Proved<Option<i64>> {
        let (first, behind) = (self.at, self.next);
        let counter = usize::from(store.index);
        let mut reader = Reader::new(&self.p.text[..self.end as usize]);
        let mut rest = [Instruction::NONE; 3];
        let mut at = behind;
        for instruction in &mut rest {
            if reader.read(at, instruction).is_none() || instruction.strange.is_some() {
                return Ok(None);
            }
            at += u32::from(instruction.len);
        }
        let [add, test, jump] = &rest;
        let is_counter =
            |instruction: &Instruction, n| matches!(instruction.operand(n), Ok(Operand::Int(reg, 8)) if reg == counter);
        let adds = add.class == Class::Add && is_counter(add, 0);
        let step = add.immediate(1).filter(|step| adds && matches!(*step, 4 | 8 | 16 | LONGEST_STEP));
        let tests = test.class == Class::Test && is_counter(test, 0) && is_counter(test, 1);
        let jumps = jump.condition() == Some(NOT_EQUAL) && jump.target() == Some(first.into());
        let Some(step) = step.filter(|_| tests && jumps && store.base != store.index) else { return Ok(None) };
        for instruction in rest {
            self.at = self.next;
            self.next = self.at + u32::from(instruction.len);
            self.mark_code(instruction.len)?;
        }
        self.at = first;
        Ok(Some(step))
    }
}

impl Frames {
    /// Fills words, the first of which is that at the highest address.
    fn fill(&mut self, slots: &mut Slots, (first, last): (u32, u32), fill: Fill) {
        // A word that is there makes the frame as high as it has to be.
        for word in [first, last] {
            let value = self.get(*slots, word);
            self.set(slots, word, value);
        }
        self.share();
        let mut whole = [NONE; 8];
        slots.root = self.fill_at(slots.root, slots.height, 0, fill, &mut whole);
        self.share();
    }

    /// Fills what is in the part of the frame that begins with word `from`. Parts of which nothing was known before and
    /// all of which is filled are the same wherever they are, since steps divide the bytes of a leaf.
    fn fill_at(&mut self, at: u32, height: u32, from: u32, fill: Fill, whole: &mut [u32; 8]) -> u32 {
        const { assert!((8 * LEAF).is_multiple_of(LONGEST_STEP as usize)) };
        let log2 = LEAF_LOG2 + NODE_LOG2 * height;
        let words = 1i64 << log2;
        if !fill.has_any(from, words) {
            return at;
        }
        let fresh = at == NONE && fill.has_all(from, words);
        if fresh && whole[height as usize] != NONE {
            return whole[height as usize];
        }
        self.work += 1;
        let new = if height == 0 {
            let mut leaf = self.leaves[at as usize];
            for (value, word) in leaf.iter_mut().zip(from..) {
                let filled = fill.halves(word);
                if filled != 0 {
                    let halves = value.halves() | filled;
                    *value = if halves == 3 { Value::ANY } else { Value::of(Tag::Undef, halves) };
                }
            }
            self.leaves.push(leaf);
            self.leaves.len() as u32 - 1
        } else {
            let mut node = self.nodes[at as usize];
            for (child, n) in node.iter_mut().zip(0..) {
                *child = self.fill_at(*child, height - 1, from + (n << (log2 - NODE_LOG2)), fill, whole);
            }
            self.nodes.push(node);
            self.nodes.len() as u32 - 1
        };
        if fresh {
            whole[height as usize] = new;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ValueType::I64;
    use crate::tests::{Code as Assembled, prove};
    use iced_x86::code_asm::*;

    /// A frame of 32 bytes that such a loop has filled, of which a word is given back.
    fn filled(begin: i64, at: i32, body: impl FnOnce(&mut CodeAssembler, CodeLabel) -> Assembled, read: i32) -> bool {
        let proved = prove(&[I64], &[I64], |a| {
            let mut again = a.create_label();
            a.mov(r11, begin)?;
            a.set_label(&mut again)?;
            a.mov(dword_ptr(rbp + r11 + at), 0x7e7e_7e7e)?;
            body(a, again)?;
            a.mov(rax, qword_ptr(rbp + read))
        });
        proved.is_ok()
    }

    fn by(step: i32) -> impl Fn(&mut CodeAssembler, CodeLabel) -> Assembled {
        move |a, again| {
            a.add(r11, step)?;
            a.test(r11, r11)?;
            a.jne(again)
        }
    }

    #[test]
    fn a_frame_that_a_loop_fills_is_written() {
        for read in [-32, -16, -8] {
            assert!(filled(-32, 0, by(4), read), "{read}");
        }
        // From further down, or to beyond the frame.
        assert!(!filled(-36, 0, by(4), -8));
        assert!(!filled(-32, 4, by(4), -8));
        assert!(!filled(-32, 16, by(4), -8));
        // What is above or below of what is filled.
        assert!(!filled(-16, 0, by(4), -32));
        assert!(!filled(-16, -16, by(4), -8));
        assert!(filled(-16, -16, by(4), -32));
        // One half of each word, and every other word, and every fourth.
        assert!(!filled(-32, 0, by(8), -8));
        assert!(!filled(-32, 0, by(16), -8));
        assert!(!filled(-32, 0, by(32), -32));
        // No multiple of the step, which wraps around.
        assert!(!filled(-30, 0, by(4), -8));
        assert!(!filled(-28, 0, by(8), -8));
        assert!(!filled(32, 0, by(4), -8));
        assert!(!filled(-32, 0, by(-4), -8));
        assert!(!filled(-32, 0, by(0), -8));
        // Another condition, another register, another place.
        assert!(!filled(
            -32,
            0,
            |a, again| a.add(r11, 4).and_then(|()| a.test(r11, r11)).and_then(|()| a.je(again)),
            -8
        ));
        assert!(!filled(
            -32,
            0,
            |a, again| a.add(r11, 4).and_then(|()| a.test(r10, r10)).and_then(|()| a.jne(again)),
            -8
        ));
        assert!(!filled(
            -32,
            0,
            |a, again| a.add(r11, 4).and_then(|()| a.test(r11, rdx)).and_then(|()| a.jne(again)),
            -8
        ));
        assert!(!filled(
            -32,
            0,
            |a, again| a.add(r11d, 4).and_then(|()| a.test(r11, r11)).and_then(|()| a.jne(again)),
            -8
        ));
        assert!(!filled(
            -32,
            0,
            |a, again| a.add(rdx, 4).and_then(|()| a.test(r11, r11)).and_then(|()| a.jne(again)),
            -8
        ));
        let elsewhere = |a: &mut CodeAssembler, _: CodeLabel| {
            let mut end = a.create_label();
            a.add(r11, 4)?;
            a.test(r11, r11)?;
            a.jne(end)?;
            a.set_label(&mut end)?;
            a.nop()
        };
        assert!(!filled(-32, 0, elsewhere, -8));
    }

    /// Results that are passed in memory have words of their own, which are not meant.
    #[test]
    fn a_frame_beside_a_result_area_is_filled_where_it_is() {
        let proved = |first: i64| {
            prove(&[], &[I64; 9], |a| {
                let mut again = a.create_label();
                a.mov(r11, first)?;
                a.set_label(&mut again)?;
                a.mov(dword_ptr(rbp + r11), 7)?;
                by(4)(a, again)?;
                for (result, place) in [rax, rcx, rdx, rsi, rdi, r8, r9].into_iter().zip(0..) {
                    a.mov(result, qword_ptr(rbp - 8 - 8 * (place % 4)))?;
                }
                a.mov(r11, qword_ptr(rbp - 32))?;
                a.mov(qword_ptr(r10), r11)?;
                a.mov(r10, r11)
            })
        };
        proved(-32).unwrap();
        proved(-24).unwrap_err();
        proved(-40).unwrap_err();
    }

    #[test]
    fn a_counter_that_is_not_known_fills_nothing() {
        prove(&[I64], &[], |a| {
            let mut again = a.create_label();
            a.set_label(&mut again)?;
            a.mov(dword_ptr(rbp + rdx), 0)?;
            a.add(rdx, 4)?;
            a.test(rdx, rdx)?;
            a.jne(again)
        })
        .unwrap_err();
        // Nor one that comes to the loop's middle.
        prove(&[I64], &[], |a| {
            let (mut again, mut middle) = (a.create_label(), a.create_label());
            a.mov(r11, -32i64)?;
            a.test(rdx, rdx)?;
            a.jne(middle)?;
            a.set_label(&mut again)?;
            a.mov(dword_ptr(rbp + r11), 0)?;
            a.set_label(&mut middle)?;
            a.add(r11, 4)?;
            a.test(r11, r11)?;
            a.jne(again)
        })
        .unwrap_err();
    }

    #[test]
    fn fills_what_it_says_and_nothing_else() {
        const FILLS: [(i64, i64, i64); 7] = [
            (-4096, 0, 4),
            (-4092, -8, 4),
            (-20_000, -4000, 8),
            (-20_004, -4004, 16),
            (-20_032, -4000, 32),
            (-20_020, -4020, 32),
            (-8, 0, 8),
        ];
        for (low, end, step) in FILLS {
            let mut frames = Frames::new();
            let mut slots = frames.begin();
            frames.set(&mut slots, 40, Value::CTX);
            frames.set(&mut slots, 300, Value::of(Tag::Undef, 2));
            let before = slots;
            let fill = Fill { low, end, step, top: 16 };
            let word = |at: i64| (16 - at.div_euclid(8) * 8) as u32 / 8;
            frames.fill(&mut slots, (word(end - step), word(low)), fill);
            for word in 0..4000 {
                let old = frames.get(before, word);
                let at = 16 - 8 * i64::from(word);
                let is = |from: i64| low <= from && from < end && (from - low) % step == 0;
                let expected = match (is(at), is(at + 4)) {
                    (false, false) => old,
                    (low, high) => match old.halves() | u32::from(low) | u32::from(high) << 1 {
                        3 => Value::ANY,
                        halves => Value::of(Tag::Undef, halves),
                    },
                };
                assert_eq!(frames.get(slots, word), expected, "{low}..{end} by {step}, word {word}");
            }
            assert_eq!(frames.get(before, 40), Value::CTX);
            // What is shared is not written.
            let filled = slots;
            frames.set(&mut slots, word(low), Value::CTX);
            frames.set(&mut slots, word(end - step), Value::CTX);
            assert_ne!(frames.get(filled, word(low)), Value::CTX);
        }
    }
}
