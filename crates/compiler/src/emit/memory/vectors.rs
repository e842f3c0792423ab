//! The shapes of vectors in linear memory: whole ones, parts that are extended or repeated, single lanes.

use crate::emit::FuncGen;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Hot, Loc, Value};
use crate::isa::{Isa, Lane, Load, Src, VectorLoad};
use crate::treaty::ty::Ty;
use lightbeam_asm::RegSet;

impl<I: Isa> FuncGen<'_, I> {
    /// Will the very next operator take a vector in memory as its last operand, reading all of it unconditionally?
    pub(crate) fn folds_vector(&self) -> bool {
        if !self.w.unaligned_vectors() || self.reader.at_end() {
            return false;
        }
        let mut ahead = self.reader;
        I::folds(ahead.operator()) == Some(Load::V128)
    }

    pub(crate) fn v_load(&mut self) {
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.plain_address(memory, offset, 16);
        if I::MEM_OPERANDS && self.folds_vector() {
            self.hot = Some(Hot { addr, owned: held.into_entry(), wasm: Some(self.w.wasm) });
            return self.push(Value { ty: Ty::V128, loc: Loc::Hot });
        }
        let d = self.dest(Ty::V128, RegSet::EMPTY);
        let at = self.w.load(Load::V128, d, addr);
        self.w.memory_trap_at(at);
        self.finish_vector(d, held.into_entry());
    }

    pub(crate) fn v_load_as(&mut self, op: VectorLoad) {
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.plain_address(memory, offset, op.bytes());
        let d = self.dest(Ty::V128, RegSet::EMPTY);
        let at = self.w.vector_load(op, d, addr);
        self.w.memory_trap_at(at);
        self.finish_vector(d, held.into_entry());
    }

    pub(crate) fn v_load_lane(&mut self, lane: Lane) {
        let (memory, offset) = self.reader.memarg();
        let i = self.reader.u8();
        let mut l = self.pop();
        let left = self.operand_reg(&mut l);
        let (addr, held) = self.plain_address(memory, offset, lane.bytes());
        let d = self.dest_reusing(Ty::V128, l.owned());
        let at = self.w.replace_lane(lane, d, left, Src::Mem(addr), i);
        self.w.memory_trap_at(at);
        self.finish_vector(d, l.owned().or(held.into_entry()));
    }

    pub(crate) fn v_store_lane(&mut self, lane: Lane) {
        let (memory, offset) = self.reader.memarg();
        let i = self.reader.u8();
        let mut value = self.pop();
        let s = self.operand_reg(&mut value);
        let (addr, held) = self.plain_address(memory, offset, lane.bytes());
        let at = self.w.store_lane(lane, addr, s, i);
        self.w.memory_trap_at(at);
        self.give(held.and(Held::of(value.owned())));
    }
}
