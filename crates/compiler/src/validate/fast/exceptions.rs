//! Exceptions in the fast sweep.

use super::Sweep;
use super::blocks::{Kind, OpenBlock};
use super::objects::number;
use super::operands::{Word, code};
use crate::operators::Op;
use crate::operators::effects;
use wasmparser::{RefType, ValType, ValidatorResources, WasmModuleResources};

/// The types of what the exceptions of a tag carry.
fn carried(resources: &ValidatorResources, tag: u32) -> Option<&[ValType]> {
    let ty = resources.tag_at(tag)?;
    ty.results().is_empty().then(|| ty.params())
}

impl Sweep<'_> {
    /// `throw`: takes off what the exception carries.
    #[inline(never)]
    pub(super) fn throw(&mut self, bytes: &[u8], mut pos: usize, mut word: Word) -> Option<(usize, Word)> {
        let tag = number(bytes, &mut pos)?;
        let types = carried(self.resources, tag)?;
        for ty in types.iter().rev() {
            let code = self.code_of(*ty)?;
            word = self.spilled.pop(word, &[code])?;
        }
        self.survey.steps += types.len() as u64;
        self.survey.note(effects::fixed(Op::Throw));
        Some((pos, self.dead()))
    }

    /// Reads the handlers of a `try_table`, whose block is not open yet; gives where they end.
    #[inline(never)]
    pub(super) fn catches(&mut self, bytes: &[u8], mut pos: usize) -> Option<usize> {
        for _ in 0..number(bytes, &mut pos)? {
            let kind = *bytes.get(pos).filter(|kind| **kind < 4)?;
            pos += 1;
            let tag = if kind < 2 { Some(number(bytes, &mut pos)?) } else { None };
            let depth = number(bytes, &mut pos)?;
            let block = *self.blocks.get(self.target(depth)?)?;
            let types = tag.map_or(Some(&[][..]), |tag| carried(self.resources, tag))?;
            let exception = (kind & 1 != 0).then_some(ValType::Ref(RefType::EXN));
            if self.label_arity(&block) != types.len() + usize::from(exception.is_some()) {
                return None;
            }
            for (at, ty) in types.iter().copied().chain(exception).enumerate() {
                let (found, expected) = (self.code_of(ty)?, self.label_code(&block, at));
                if found != expected && !self.spilled.types.is_subtype(found, expected) {
                    return None;
                }
            }
            self.survey.steps += types.len() as u64;
            self.survey.handlers = true;
            self.survey.catches_references |= exception.is_some();
            self.survey.branch(depth);
        }
        Some(pos)
    }

    /// The code of one of the values that a label takes.
    pub(super) fn label_code(&self, block: &OpenBlock, at: usize) -> u8 {
        match block.shape.single() {
            Some(code) => {
                debug_assert!(at == 0 && block.kind != Kind::Loop, "it takes one");
                code
            }
            None => code(self.label_types(block)[at]),
        }
    }
}
