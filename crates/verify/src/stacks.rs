//! Words of the host's about stacks and continuations.

use crate::facts::StoreField;
use crate::operand::Spot;
use crate::value::Value;
use crate::walk::{Proved, Walk};

/// The lowest address that the stack pointer may have.
pub(crate) const STACK_LIMIT: u32 = 0;
/// A continuation.
pub(crate) const CONTINUATION: u32 = 1;
/// Another word of the store, which code only moves.
const OTHER: u32 = 2;

/// Which word of the host's a field of the store is.
pub(crate) fn word_of(field: StoreField) -> u32 {
    if field == StoreField::StackLimit { STACK_LIMIT } else { OTHER }
}

impl Walk<'_> {
    /// A field of something of the host's.
    pub(crate) fn host_field(&mut self, base: Value, disp: i64, width: u32) -> Proved<Spot> {
        let Some(stacks) = &self.p.facts.stacks else { return Err("access to what is the host's") };
        let revision = disp == i64::from(stacks.revision) && width == 8;
        if base.b() == CONTINUATION && revision {
            return Ok(Spot::Constants);
        }
        Err("access to what is the host's")
    }

    pub(crate) fn host_address(&self, _: Value, _: i64) -> Proved<Value> {
        Err("address of what is the host's")
    }

    pub(crate) fn read_host(&mut self, _: u32, _: u32, _: u32) -> Proved<Value> {
        Err("read of what is the host's")
    }

    pub(crate) fn write_host(&mut self, _: u32, _: u32, _: u32, _: Value) -> Proved<()> {
        Err("store to what is the host's")
    }
}
