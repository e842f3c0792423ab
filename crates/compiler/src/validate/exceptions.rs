//! Exceptions in the fast sweep: tags and labels whose types it knows.

use super::control::{Frame, Kind};
use super::leb;
use super::operands::{EXNREF, Window, code};
use super::sweep::Sweep;
use crate::ty::Ty;
use wasmparser::{RefType, ValType, WasmModuleResources};

/// The code of a type that the fast sweep knows.
fn code_of(ty: ValType) -> Option<u8> {
    match ty {
        ValType::Ref(RefType::EXNREF) => Some(EXNREF),
        _ => Ty::of(ty).map(code),
    }
}

impl Sweep<'_> {
    /// The types of what the exceptions of a tag carry.
    fn tag(&self, index: u32) -> Option<&[ValType]> {
        let ty = self.resources.tag_at(index)?;
        ty.results().is_empty().then(|| ty.params())
    }

    /// `throw`: takes off what the exception carries.
    #[inline(never)]
    pub(super) fn throw(&mut self, bytes: &[u8], mut pos: usize, mut window: Window) -> Option<(usize, Window)> {
        let tag = number(bytes, &mut pos)?;
        for at in (0..self.tag(tag)?.len()).rev() {
            let code = code_of(self.tag(tag)?[at])?;
            window = self.spilled.pop(window, &[code])?;
        }
        self.survey.throw();
        Some((pos, self.dead()))
    }

    /// Reads the handlers of a `try_table`, whose frame is not open yet; gives where they end.
    #[inline(never)]
    pub(super) fn catches(&mut self, bytes: &[u8], mut pos: usize) -> Option<usize> {
        for _ in 0..number(bytes, &mut pos)? {
            let kind = *bytes.get(pos).filter(|kind| **kind < 4)?;
            pos += 1;
            let tag = if kind < 2 { Some(number(bytes, &mut pos)?) } else { None };
            let depth = number(bytes, &mut pos)?;
            let frame = self.frames.get(self.target(depth)?)?;
            let params = tag.map_or(Some(&[][..]), |tag| self.tag(tag))?;
            let reference = kind & 1 != 0;
            if self.label_arity(frame) != params.len() + usize::from(reference) {
                return None;
            }
            for (at, ty) in params.iter().enumerate() {
                if self.label_code(frame, at) != code_of(*ty)? {
                    return None;
                }
            }
            if reference && self.label_code(frame, params.len()) != EXNREF {
                return None;
            }
            self.survey.steps += params.len() as u64;
            self.survey.handlers = true;
            self.survey.catches_references |= reference;
            self.survey.branch(depth);
        }
        Some(pos)
    }

    /// The code of one of the values that a label takes.
    fn label_code(&self, frame: &Frame, at: usize) -> u8 {
        match frame.shape.single() {
            Some(code) => {
                debug_assert!(at == 0 && frame.kind != Kind::Loop, "it takes one");
                code
            }
            None => code(self.label_types(frame)[at]),
        }
    }
}

/// Reads an unsigned 32-bit number.
fn number(bytes: &[u8], pos: &mut usize) -> Option<u32> {
    let (value, len) = leb::u32(bytes, *pos);
    *pos += len as usize;
    (len > 0).then_some(value)
}
