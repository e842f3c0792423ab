//! Control frames of the fast sweep: what a block takes and gives, and what its label asks for.

use super::Sweep;
use super::operands::{ANYTHING, BASE, Cursor, Window, code};
use crate::treaty::ty::{Packed, Ty};
use crate::validate::MOST_VALUES;
use wasmparser::FuncType;

/// The type of a block in one number: 0 gives and takes nothing, the code of a type gives that type, and anything from
/// `Shape::SIG` on is a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape(u32);

impl Shape {
    pub(super) const EMPTY: Shape = Shape(0);
    const SIG: u32 = 0x100;

    /// A block without parameters that gives one value.
    pub(super) fn one(code: u8) -> Shape {
        Shape(u32::from(code))
    }

    /// The code of the one value that it gives, if it is such a block.
    pub(super) fn single(self) -> Option<u8> {
        (1..Shape::SIG).contains(&self.0).then_some(self.0 as u8)
    }

    pub(super) fn sig(sig: u32) -> Shape {
        Shape(sig + Shape::SIG)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Block,
    Loop,
    If,
    Else,
}

/// An open block, or the function itself.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// The window of the frame around it, without the parameters of this block.
    outer: Window,
    /// The window at its end: its results and nothing else; 0 if they do not fit.
    end: Window,
    /// What a branch to its label takes.
    pub(super) label: Packed,
    /// How much had made room when it was opened.
    spilled: usize,
    pub(super) shape: Shape,
    pub(super) kind: Kind,
    /// How many locals without a default value had been written when it was opened.
    inits: u32,
    /// The last `br_table` that named its label.
    pub(super) named: u32,
}

const EMPTY_WINDOW: Window = BASE as Window;

impl Sweep<'_> {
    fn params(&self, shape: Shape) -> &[Ty] {
        match shape.0.checked_sub(Shape::SIG) {
            Some(sig) => &self.facts.sigs[sig as usize].params,
            None => &[],
        }
    }

    /// The results of a block that has a signature.
    fn results(&self, shape: Shape) -> &[Ty] {
        match shape.0.checked_sub(Shape::SIG) {
            Some(sig) => &self.facts.sigs[sig as usize].results,
            None => &[],
        }
    }

    /// What the label of a frame takes, last on top; only of frames that have a signature.
    pub(super) fn label_types(&self, frame: &Frame) -> &[Ty] {
        if frame.kind == Kind::Loop { self.params(frame.shape) } else { self.results(frame.shape) }
    }

    /// How many values the label of a frame takes.
    pub(super) fn label_arity(&self, frame: &Frame) -> usize {
        match frame.shape.0 {
            0..Shape::SIG => (frame.label.bits / 8) as usize,
            _ => self.label_types(frame).len(),
        }
    }

    /// The place below the values that a label takes; `None` if they are not there.
    #[inline(never)]
    fn below_label(&mut self, frame: &Frame, window: Window) -> Option<Cursor> {
        let mut at = self.spilled.cursor(window);
        if frame.shape.0 >= Shape::SIG {
            for ty in self.label_types(frame).iter().rev() {
                self.spilled.expect(&mut at, code(*ty))?;
            }
            self.survey.steps += self.label_types(frame).len() as u64;
        } else if frame.label.bits > 0 {
            self.spilled.expect(&mut at, frame.shape.0 as u8)?;
        }
        Some(at)
    }

    /// Opens the frame of the function.
    pub(super) fn open_function(&mut self, sig: u32, ty: &FuncType) -> Option<Window> {
        let (shape, results) = match ty.results() {
            _ if self.sig.plain => (Shape::sig(sig), self.sig.packed_results),
            [] => (Shape::EMPTY, Packed::EMPTY),
            [result] => {
                let code = self.code_of(*result)?;
                (Shape::one(code), Packed::one(code))
            }
            _ => return None,
        };
        self.frames.push(Frame {
            outer: EMPTY_WINDOW,
            end: results.alone(),
            label: results,
            spilled: 0,
            shape,
            kind: Kind::Block,
            inits: 0,
            named: 0,
        });
        Some(EMPTY_WINDOW)
    }

    /// Opens a block and gives the window inside.
    #[inline(always)]
    pub(super) fn open(&mut self, kind: Kind, shape: Shape, window: Window) -> Option<Window> {
        if shape.0 >= Shape::SIG {
            return self.open_sig(kind, shape, window);
        }
        let results = if shape == Shape::EMPTY { Packed::EMPTY } else { Packed::one(shape.0 as u8) };
        self.frames.push(Frame {
            outer: window,
            end: results.alone(),
            label: if kind == Kind::Loop { Packed::EMPTY } else { results },
            spilled: self.spilled.len(),
            shape,
            kind,
            inits: self.inits.len(),
            named: 0,
        });
        self.survey.open(kind == Kind::Loop);
        Some(EMPTY_WINDOW)
    }

    #[inline(never)]
    fn open_sig(&mut self, kind: Kind, shape: Shape, window: Window) -> Option<Window> {
        let sig = &self.facts.sigs[(shape.0 - Shape::SIG) as usize];
        let outer = self.spilled.pop_types(window, &sig.params)?;
        self.frames.push(Frame {
            outer,
            end: sig.packed_results.alone(),
            label: if kind == Kind::Loop { sig.packed_params } else { sig.packed_results },
            spilled: self.spilled.len(),
            shape,
            kind,
            inits: self.inits.len(),
            named: 0,
        });
        self.survey.open(kind == Kind::Loop);
        self.push_types(EMPTY_WINDOW, &sig.params)
    }

    /// Does the frame's window hold its results and nothing else? Nothing is left of it in `spilled` then.
    #[inline(always)]
    fn is_at_end(&mut self, frame: &Frame, window: Window) -> bool {
        window == frame.end || self.is_at_end_slowly(frame, window)
    }

    #[cold]
    #[inline(never)]
    fn is_at_end_slowly(&mut self, frame: &Frame, window: Window) -> bool {
        let mut at = self.spilled.cursor(window);
        let found = if frame.shape.0 >= Shape::SIG {
            let results = &self.facts.sigs[(frame.shape.0 - Shape::SIG) as usize].results;
            results.iter().rev().all(|ty| self.spilled.expect(&mut at, code(*ty)).is_some())
        } else {
            frame.shape == Shape::EMPTY || self.spilled.expect(&mut at, frame.shape.0 as u8).is_some()
        };
        // The frame's marker is all that may be left: an operand that had made room would show another.
        let rest = self.spilled.cut(at);
        found && (rest == EMPTY_WINDOW || rest == Window::from(ANYTHING))
    }

    /// `else`: gives the window at its begin.
    #[inline(always)]
    pub(super) fn turn(&mut self, window: Window) -> Option<Window> {
        let frame = *self.frames.last()?;
        if frame.kind != Kind::If || !self.is_at_end(&frame, window) {
            return None;
        }
        if self.inits.len() != frame.inits {
            self.forget_writes(frame.inits);
        }
        self.frames.last_mut()?.kind = Kind::Else;
        self.survey.turn();
        if frame.shape.0 < Shape::SIG {
            return Some(EMPTY_WINDOW);
        }
        let params = &self.facts.sigs[(frame.shape.0 - Shape::SIG) as usize].params;
        self.push_types(EMPTY_WINDOW, params)
    }

    /// `end`: closes the innermost frame and gives the window outside, with its results.
    #[inline(always)]
    pub(super) fn close(&mut self, window: Window) -> Option<Window> {
        let frame = *self.frames.last()?;
        if !self.is_at_end(&frame, window) {
            return None;
        }
        // Without an `else`, the parameters are the results.
        if frame.kind == Kind::If
            && frame.shape != Shape::EMPTY
            && (frame.shape.0 < Shape::SIG || self.params(frame.shape) != self.results(frame.shape))
        {
            return None;
        }
        if self.inits.len() != frame.inits {
            self.forget_writes(frame.inits);
        }
        self.frames.pop();
        self.survey.close();
        if frame.shape == Shape::EMPTY {
            Some(frame.outer)
        } else if frame.shape.0 < Shape::SIG {
            Some(self.spilled.push(frame.outer, frame.shape.0 as u8))
        } else {
            let results = &self.facts.sigs[(frame.shape.0 - Shape::SIG) as usize].results;
            self.push_types(frame.outer, results)
        }
    }

    /// Gives the values that a label takes the types that it states.
    #[inline(never)]
    pub(super) fn exchange(&mut self, target: usize, window: Window) -> Option<Window> {
        let frame = *self.frames.get(target)?;
        let at = self.below_label(&frame, window)?;
        let window = self.spilled.cut(at);
        if frame.shape.0 < Shape::SIG {
            return Some(if frame.label == Packed::EMPTY {
                window
            } else {
                self.spilled.push(window, frame.shape.0 as u8)
            });
        }
        let sig = &self.facts.sigs[(frame.shape.0 - Shape::SIG) as usize];
        self.push_types(window, if frame.kind == Kind::Loop { &sig.params } else { &sig.results })
    }

    /// Pushes operands, of which there may be more than there are bytes that say so; `None` if it is for the reference
    /// to judge whether they are too many.
    #[inline]
    pub(super) fn push_types(&mut self, window: Window, types: &[Ty]) -> Option<Window> {
        let window = self.spilled.push_types(window, types);
        (types.len() <= 2 || self.is_low()).then_some(window)
    }

    /// Are there no more than `MOST_VALUES` on the stack for certain? What has made room is four operands each time,
    /// and the window of each frame has at most seven. Operators of which nobody asks this push no more than they have
    /// bytes.
    pub(super) fn is_low(&self) -> bool {
        4 * self.spilled.len() + 7 * (self.frames.len() + 1) <= MOST_VALUES
    }

    /// The window behind an operator that nothing comes out of.
    #[inline(always)]
    pub(super) fn dead(&mut self) -> Window {
        if let Some(frame) = self.frames.last() {
            self.spilled.truncate(frame.spilled);
        }
        Window::from(ANYTHING)
    }

    /// The position of the frame that a label names.
    #[inline(always)]
    pub(super) fn target(&self, depth: u32) -> Option<usize> {
        self.frames.len().checked_sub(1 + depth as usize)
    }

    /// Are the values that the label of a frame takes on top?
    #[inline(always)]
    pub(super) fn has_label_values(&mut self, target: usize, window: Window) -> Option<()> {
        let frame = self.frames.get(target)?;
        if frame.label.is_on(window) {
            return Some(());
        }
        let frame = *frame;
        self.below_label(&frame, window)?;
        Some(())
    }
}
