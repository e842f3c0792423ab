//! The stack of operand types: a window of eight bytes that holds what is on top, and what had to make room for it.
//!
//! A window belongs to one control frame. Its lowest byte is the top of the stack; below the frame's operands lies one
//! marker, and above the marker all bytes are zero. As no marker equals a type, one comparison of the lowest bytes
//! tells that operands are there, in this frame, and of the right types. Everything else is for the slow path to find
//! out.

use super::named::Named;
use crate::treaty::ty::{Packed, Ty};

/// The top of a frame's operand types.
pub(super) type Window = u64;

/// The code of a type: never 0, and less than any marker.
pub(super) const fn code(ty: Ty) -> u8 {
    ty.code()
}

/// The type of a code.
pub(super) fn ty_of(code: u8) -> Option<Ty> {
    if code == EXNREF {
        return Some(Ty::GcRef);
    }
    [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::V128, Ty::FuncRef, Ty::GcRef].into_iter().find(|ty| ty.code() == code)
}

pub(super) const I32: u8 = code(Ty::I32);
pub(super) const I64: u8 = code(Ty::I64);
pub(super) const F32: u8 = code(Ty::F32);
pub(super) const F64: u8 = code(Ty::F64);
pub(super) const V128: u8 = code(Ty::V128);
pub(super) const FUNCREF: u8 = code(Ty::FuncRef);
pub(super) const EXTERNREF: u8 = code(Ty::GcRef);
pub(super) const EXNREF: u8 = code(Ty::ContRef) + 1;

/// Is it the code of some type of references?
pub(super) const fn is_reference(code: u8) -> bool {
    code >= FUNCREF && code < BOTTOM
}

/// An operand of unreachable code that matches every type.
pub(super) const BOTTOM: u8 = 0x7f;

/// Nothing is below, in this frame. All markers have their highest bit set.
pub(super) const BASE: u8 = 0xff;
/// The place is unreachable: below is whatever is asked for.
pub(super) const ANYTHING: u8 = 0xfe;
/// More operands of this frame are among those that made room.
const SPILLED: u8 = 0xfd;

/// Packed types are what is compared with the lowest bytes of a window.
impl Packed {
    /// Are these on top?
    #[inline(always)]
    pub(super) fn is_on(&self, window: Window) -> bool {
        window & self.mask == self.types
    }

    /// The window of a frame with these operands and nothing else; 0, which no window is, if they do not fit.
    #[inline]
    pub(super) fn alone(&self) -> Window {
        if *self == Packed::LONG { 0 } else { u64::from(BASE) << self.bits | self.types }
    }
}

/// Is there no room for another operand? The marker is in the highest byte then, and has its highest bit set.
#[inline(always)]
pub(super) fn is_full(window: Window) -> bool {
    window.cast_signed() < 0
}

/// What had to make room in the windows of all open frames: each entry is the lower end of a window, marker included,
/// shifted down to bit 0.
#[derive(Default)]
pub(super) struct Spilled {
    made: Vec<Window>,
    /// The types of references that the function has named.
    pub(super) types: Named,
}

/// A place in the stack, to look down from without taking anything off.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) window: Window,
    pub(super) spilled: usize,
}

impl Spilled {
    pub(super) fn clear(&mut self) {
        self.made.clear();
        self.types.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.made.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.made.truncate(len);
    }

    /// Makes room in a full window for four operands.
    #[cold]
    #[inline(never)]
    pub(super) fn spill(&mut self, window: Window) -> Window {
        self.made.push(window >> 24);
        u64::from(SPILLED) << 24 | window & 0xff_ffff
    }

    pub(super) fn cursor(&self, window: Window) -> Cursor {
        Cursor { window, spilled: self.made.len() }
    }

    /// Goes below the operand under the cursor and gives its code, or `BOTTOM`; `None` if the frame has no more.
    pub(super) fn next(&self, at: &mut Cursor) -> Option<u8> {
        if at.window == u64::from(SPILLED) {
            at.spilled -= 1;
            at.window = self.made[at.spilled];
        }
        match at.window as u8 {
            ANYTHING => Some(BOTTOM),
            BASE => None,
            code => {
                at.window >>= 8;
                Some(code)
            }
        }
    }

    /// Goes below an operand of this type; `None` if it is not there.
    pub(super) fn expect(&self, at: &mut Cursor, code: u8) -> Option<()> {
        let found = self.next(at)?;
        (found == code || found == BOTTOM || self.types.is_subtype(found, code)).then_some(())
    }

    /// Takes off what the cursor has passed.
    pub(super) fn cut(&mut self, at: Cursor) -> Window {
        self.made.truncate(at.spilled);
        at.window
    }

    /// Takes operands of these types off, the first given from the top.
    #[cold]
    #[inline(never)]
    pub(super) fn pop(&mut self, window: Window, codes: &[u8]) -> Option<Window> {
        let mut at = self.cursor(window);
        for code in codes {
            self.expect(&mut at, *code)?;
        }
        Some(self.cut(at))
    }

    /// Takes operands off, the last given from the top.
    #[cold]
    #[inline(never)]
    pub(super) fn pop_types(&mut self, window: Window, types: &[Ty]) -> Option<Window> {
        let at = self.below(window, types)?;
        Some(self.cut(at))
    }

    /// The place below operands of these types, the last given on top; `None` if they are not there.
    pub(super) fn below(&self, window: Window, types: &[Ty]) -> Option<Cursor> {
        let mut at = self.cursor(window);
        for ty in types.iter().rev() {
            self.expect(&mut at, code(*ty))?;
        }
        Some(at)
    }

    #[inline(always)]
    pub(super) fn push(&mut self, mut window: Window, code: u8) -> Window {
        if is_full(window) {
            window = self.spill(window);
        }
        window << 8 | u64::from(code)
    }

    pub(super) fn push_types(&mut self, window: Window, types: &[Ty]) -> Window {
        types.iter().fold(window, |window, ty| self.push(window, code(*ty)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_room_comes_back_in_order() {
        let mut spilled = Spilled::default();
        let types: Vec<Ty> = (0..1000).map(|i| [Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::FuncRef][i * i % 5]).collect();
        let mut window = u64::from(BASE);
        for ty in &types {
            window = spilled.push(window, code(*ty));
        }
        assert!(spilled.below(window, &types).is_some());
        assert!(spilled.below(window, &types[1..]).is_some());
        assert!(spilled.below(window, &types[..999]).is_none());
        for ty in types.iter().rev() {
            window = spilled.pop(window, &[code(*ty)]).unwrap();
        }
        assert_eq!((window, spilled.len()), (u64::from(BASE), 0));
        assert!(spilled.pop(window, &[I32]).is_none());
    }

    #[test]
    fn words_are_what_pushing_gives() {
        for n in 0..10 {
            let types = [Ty::I32, Ty::F64, Ty::I64, Ty::FuncRef, Ty::F32, Ty::I32, Ty::I32, Ty::F64, Ty::I64];
            let types = &types[..n.min(9)];
            let mut spilled = Spilled::default();
            let window = spilled.push_types(u64::from(BASE), types);
            let word = Packed::new(types);
            assert_eq!(word.alone() == window, types.len() <= 7);
            assert_eq!(word.is_on(window), types.len() <= 7);
        }
    }
}
