//! The shapes of vectors in linear memory: whole ones, parts that are extended or repeated, single lanes.

use crate::compile::FuncGen;
use crate::held::Held;
use crate::isa::{Isa, Lane, Load, Src, VectorLoad};
use crate::ty::Ty;
use crate::value::{Hot, Loc, Value};
use lightbeam_asm::RegSet;

/// The operators behind 0xfd that take 16 bytes of memory as their last operand, first and last of each group.
#[rustfmt::skip]
const FOLDS: &[(u32, u32)] = &[
    (0x23, 0x24), (0x26, 0x2e), (0x30, 0x38), (0x3a, 0x43), (0x45, 0x45), (0x47, 0x49), (0x4b, 0x4b), (0x4e, 0x4e),
    (0x50, 0x51), (0x5e, 0x5e), (0x60, 0x60), (0x65, 0x6a), (0x6e, 0x7b), (0x80, 0x80), (0x85, 0x86), (0x8e, 0x95),
    (0x96, 0x99), (0x9b, 0x9b), (0xa0, 0xa0), (0xae, 0xae), (0xb1, 0xb1), (0xb5, 0xba), (0xce, 0xce), (0xd1, 0xd1),
    (0xd6, 0xd7), (0xd9, 0xda), (0xe3, 0xe7), (0xef, 0xf3), (0xfa, 0xfa),
];

/// By opcode, a bit each.
static FOLDING: [u64; 4] = {
    let mut bits = [0; 4];
    let mut i = 0;
    while i < FOLDS.len() {
        let (mut opcode, last) = FOLDS[i];
        while opcode <= last {
            bits[opcode as usize / 64] |= 1 << (opcode % 64);
            opcode += 1;
        }
        i += 1;
    }
    bits
};

impl<I: Isa> FuncGen<'_, I> {
    /// Will the very next operator take a vector in memory as its last operand, reading all of it unconditionally?
    pub(crate) fn folds_vector(&self) -> bool {
        if self.reader.peek() != 0xfd || !I::unaligned_vectors(&self.facts.settings.cpu) {
            return false;
        }
        let mut ahead = self.reader;
        ahead.u8();
        let opcode = ahead.u32() as usize;
        FOLDING.get(opcode / 64).is_some_and(|bits| bits >> (opcode % 64) & 1 != 0)
    }

    pub(crate) fn v_load(&mut self) {
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.plain_address(memory, offset, 16);
        if I::MEM_OPERANDS && self.folds_vector() {
            self.hot = Some(Hot { addr, owned: held.into_entry(), wasm: Some(self.wasm) });
            return self.push(Value { ty: Ty::V128, loc: Loc::Hot });
        }
        let d = self.dest(Ty::V128, RegSet::EMPTY);
        let at = I::load(&mut self.out.asm, Load::V128, d, addr);
        self.memory_trap_at(at, self.wasm);
        self.finish_vector(d, held.into_entry());
    }

    pub(crate) fn v_load_as(&mut self, op: VectorLoad) {
        let cpu = self.facts.settings.cpu;
        let (memory, offset) = self.reader.memarg();
        let (addr, held) = self.plain_address(memory, offset, op.bytes());
        let d = self.dest(Ty::V128, RegSet::EMPTY);
        let at = I::vector_load(&mut self.out.asm, &cpu, op, d, addr);
        self.memory_trap_at(at, self.wasm);
        self.finish_vector(d, held.into_entry());
    }

    pub(crate) fn v_load_lane(&mut self, lane: Lane) {
        let cpu = self.facts.settings.cpu;
        let (memory, offset) = self.reader.memarg();
        let i = self.reader.u8();
        let mut l = self.pop();
        let left = self.operand_reg(&mut l);
        let (addr, held) = self.plain_address(memory, offset, lane.bytes());
        let d = self.dest_reusing(Ty::V128, l.owned());
        let at = I::replace_lane(&mut self.out.asm, &cpu, lane, d, left, Src::Mem(addr), i);
        self.memory_trap_at(at, self.wasm);
        self.finish_vector(d, l.owned().or(held.into_entry()));
    }

    pub(crate) fn v_store_lane(&mut self, lane: Lane) {
        let cpu = self.facts.settings.cpu;
        let (memory, offset) = self.reader.memarg();
        let i = self.reader.u8();
        let mut value = self.pop();
        let s = self.operand_reg(&mut value);
        let (addr, held) = self.plain_address(memory, offset, lane.bytes());
        let at = I::store_lane(&mut self.out.asm, &cpu, lane, addr, s, i);
        self.memory_trap_at(at, self.wasm);
        self.give(held.and(Held::of(value.owned())));
    }
}
