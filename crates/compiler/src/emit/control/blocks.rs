//! Structured control: blocks open and close, and branches go to their labels.

use crate::emit::edges::{Block, BlockTypes, Kind};
use crate::emit::values::regs::{Copies, Pins};
use crate::emit::values::value::{Loc, Value};
use crate::emit::{FuncGen, Unusual};
use crate::isa::{Isa, Load};
use crate::operators::Op;
use crate::treaty::fault::{Fault, proof, without};
use crate::treaty::ty::Ty;
use lightbeam_asm::{Label, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    pub(crate) fn block_type(&mut self) -> BlockTypes {
        match self.reader.peek() {
            0x40 => {
                self.reader.u8();
                BlockTypes::Empty
            }
            0x41..=0x7f => BlockTypes::One(self.value_type()),
            _ => BlockTypes::Type(self.reader.i64() as u32),
        }
    }

    /// Reads a value type.
    pub(crate) fn value_type(&mut self) -> Ty {
        match self.reader.peek() {
            0x7b..=0x7f => {
                let byte = self.reader.u8();
                [Ty::V128, Ty::F64, Ty::F32, Ty::I64, Ty::I32][usize::from(byte - 0x7b)]
            }
            0x63 | 0x64 => {
                self.reader.u8();
                let heap = self.reader.i64();
                self.facts.reference_to(heap)
            }
            _ => {
                let heap = self.reader.i64();
                self.facts.reference_to(heap)
            }
        }
    }

    pub(crate) fn open_function(&mut self) {
        let label = self.return_label;
        self.push_block(Block {
            kind: Kind::Function,
            label,
            else_label: None,
            number: 0,
            height: 0,
            types: BlockTypes::Function,
            branched: false,
            locks: false,
        });
    }

    /// Opens a block, of whose label no edge is known.
    #[inline]
    fn push_block(&mut self, block: Block) {
        let depth = self.blocks.len();
        match self.copies.get_mut(depth) {
            Some(copies) => copies.forget(),
            None => self.copies.push(Copies::NONE),
        }
        self.blocks.push(block);
        self.depth += 1;
    }

    fn next_block_use(&mut self) -> crate::validate::survey::BlockUse {
        let uses = self.survey.blocks[self.block_number];
        self.block_number += 1;
        uses
    }

    // ---- opening

    pub(crate) fn block(&mut self) {
        let types = self.block_type();
        self.open_block(types);
    }

    pub(crate) fn open_block(&mut self, types: BlockTypes) {
        let uses = self.next_block_use();
        let height = self.stack.len() - self.params_of(types).len();
        if uses.branched {
            self.flush_below(height);
        }
        let label = self.w.label();
        self.push_block(Block {
            kind: Kind::Block,
            label,
            else_label: None,
            number: self.block_number as u32,
            height: height as u32,
            types,
            branched: uses.branched,
            locks: false,
        });
    }

    #[inline(never)]
    pub(crate) fn loop_(&mut self) {
        let types = self.block_type();
        let uses = self.next_block_use();
        self.forget_flags();
        self.charge_fuel();
        let height = self.stack.len() - self.params_of(types).len();
        let label = self.w.label();
        let mut locks = false;
        if uses.branched {
            self.flush_all();
            self.clean_copies();
            if self.regs.locked.is_empty() && !self.facts.settings.debug {
                let survey = self.survey;
                let block = self.block_number - 1;
                let crowded = uses.demands || !self.generous || !self.accesses_plainly();
                self.lock_locals(survey.loop_locals(block), crowded);
                locks = !self.regs.locked.is_empty();
            }
            self.drop_copies();
            self.w.align(I::LOOP_ALIGN);
            self.w.bind(label);
            let head = self.w.offset();
            self.stored.begin_loop(head);
            self.loops += 1;
            self.w.set_hot(true);
            self.loop_checks();
        }
        self.push_block(Block {
            kind: Kind::Loop,
            label,
            else_label: None,
            number: self.block_number as u32,
            height: height as u32,
            types,
            branched: uses.branched,
            locks,
        });
    }

    pub(crate) fn if_(&mut self) {
        let types = self.block_type();
        let uses = self.next_block_use();
        self.charge_fuel();
        let label = self.w.label();
        let else_label = self.w.label();
        if let Some(Value { loc: Loc::Const(bits), .. }) = self.stack.last().copied() {
            self.pop_value();
            let height = self.stack.len() - self.params_of(types).len();
            self.flush_all();
            self.clean_copies();
            self.push_if(label, else_label, height, types, uses.branched);
            if bits.get() == 0 {
                self.w.jmp(else_label);
                self.become_dead();
            }
            return;
        }
        let mut condition = self.pop_condition();
        condition.flush_all();
        condition.clean_copies();
        condition.branch_unless(else_label);
        let height = self.stack.len() - self.params_of(types).len();
        self.push_if(label, else_label, height, types, uses.branched);
    }

    fn push_if(&mut self, label: Label, else_label: Label, height: usize, types: BlockTypes, branched: bool) {
        // The edge of the condition is the only one into the second arm.
        let here = self.copies_here();
        self.lists.else_copies.push(here);
        self.push_block(Block {
            kind: Kind::If,
            label,
            else_label: Some(else_label),
            number: self.block_number as u32,
            height: height as u32,
            types,
            branched,
            locks: false,
        });
    }

    // ---- closing

    /// A label may be bound here, with no instruction before it: those who come by other ways bring other flags.
    fn forget_flags(&mut self) {
        if without(Fault::FlagsAtLabels) {
            return;
        }
        self.flags = None;
        self.lane_mask = None;
    }

    pub(crate) fn else_(&mut self) {
        self.forget_flags();
        self.charge_fuel();
        let mut block = *self.blocks.last().expect("validated");
        let else_label = block.else_label.take().expect("an if");
        let depth = self.blocks.len() - 1;
        if !self.is_dead() {
            self.merge_values(&block);
            self.edge_to(depth);
            self.w.jmp(block.label);
            block.branched = true;
        }
        self.truncate_stack(block.height as usize);
        self.w.bind(else_label);
        let copies = self.lists.else_copies.pop().expect("an if");
        self.adopt_copies(&copies);
        self.push_slots(self.facts, block.types, block.height);
        self.unusual.set(Unusual::DEAD, false);
        block.kind = Kind::Else;
        *self.blocks.last_mut().expect("open") = block;
    }

    /// Pushes a block's parameters as they are at the label of its second arm: in their slots.
    fn push_slots(&mut self, facts: &crate::treaty::facts::Facts, types: BlockTypes, height: u32) {
        proof!(self.stack.len() == height as usize);
        if let BlockTypes::Type(index) = types {
            for ty in &facts.sig_of_type(index).params {
                let at = self.stack.len();
                self.slot(at, *ty);
                self.stack.push(Value::slot(*ty));
            }
            self.all_in_slots();
        }
    }

    pub(crate) fn end(&mut self) {
        self.forget_flags();
        self.charge_fuel();
        let block = *self.blocks.last().expect("validated");
        self.end_block(block);
        let own = if block.locks { self.unlock_locals() } else { RegSet::EMPTY };
        if !self.is_dead() {
            self.regs.dirty = self.regs.dirty.or(own);
            self.close_reads(block.height as usize);
            self.regs.dirty = self.regs.dirty.minus(own);
        }
        #[cfg(debug_assertions)]
        if crate::treaty::fault::proving() {
            let is_reached = !self.is_dead();
            self.check_close(is_reached);
        }
        self.blocks.pop();
        self.depth -= 1;
        self.close_handlers();
    }

    fn end_block(&mut self, block: Block) {
        match block.kind {
            Kind::Loop => {
                if block.branched {
                    self.loops -= 1;
                    let hot = self.loops > 0;
                    self.w.set_hot(hot);
                }
                if self.is_dead() {
                    self.truncate_stack(block.height as usize);
                }
            }
            Kind::If => self.end_if_without_else(block),
            Kind::Function => self.end_function(block),
            Kind::Block | Kind::Else => self.end_merge(&block),
        }
    }

    fn end_merge(&mut self, block: &Block) {
        if !block.branched {
            if self.is_dead() {
                self.truncate_stack(block.height as usize);
            }
            return;
        }
        if !self.is_dead() {
            self.merge_values(block);
        } else if !self.copies[self.blocks.len() - 1].is_reached() {
            // All that names the label is unreachable itself, or a handler without calls.
            return self.truncate_stack(block.height as usize);
        }
        self.join(block);
    }

    /// Binds the label of a block that branches go to and takes up the state that they all leave.
    fn join(&mut self, block: &Block) {
        let depth = self.blocks.len() - 1;
        if !self.is_dead() {
            self.edge_to(depth);
        }
        self.truncate_stack(block.height as usize);
        self.w.bind(block.label);
        let copies = self.copies[depth];
        self.adopt_copies(&copies);
        self.unusual.set(Unusual::DEAD, false);
        let count = self.results_of(block.types);
        if count == 1 {
            let ty = self.result_type(block.types, 0);
            let reg = Self::merge_reg(ty);
            self.take_this(reg);
            self.push_reg(ty, reg);
        } else {
            self.w.counters.steps += count as u64;
            for i in 0..count {
                let ty = self.result_type(block.types, i);
                let at = self.stack.len();
                self.slot(at, ty);
                self.stack.push(Value::slot(ty));
            }
            if count > 0 {
                self.all_in_slots();
            }
        }
    }

    fn end_if_without_else(&mut self, mut block: Block) {
        let depth = self.blocks.len() - 1;
        let else_label = block.else_label.take().expect("no else came");
        let count = self.results_of(block.types);
        let at_condition = self.lists.else_copies.pop().expect("an if");
        if !self.is_dead() {
            self.merge_values(&block);
            self.edge_to(depth);
            if count == 1 {
                // The other edge has a value to load.
                self.w.jmp(block.label);
                block.branched = true;
            }
        }
        self.truncate_stack(block.height as usize);
        self.w.bind(else_label);
        self.adopt_copies(&at_condition);
        // Parameters pass through as results: they are in their slots at the condition's edge.
        if count == 1 {
            let ty = self.result_type(block.types, 0);
            let reg = Self::merge_reg(ty);
            self.take_this(reg);
            let slot = self.slot(block.height as usize, ty);
            self.w.load(Load::of(ty), reg, slot);
            self.release(reg);
        }
        self.unusual.set(Unusual::DEAD, false);
        if !block.branched {
            // Nothing has used the label yet; the edges are the arm's end and the condition's.
            block.label = self.w.label();
        }
        self.join(&block);
    }

    fn end_function(&mut self, block: Block) {
        let branched = self.return_branched;
        if !self.is_dead() {
            self.merge_values(&block);
            self.truncate_stack(0);
        }
        self.w.look_again();
        // No local is read again.
        self.regs.dirty = RegSet::EMPTY;
        if branched {
            self.truncate_stack(0);
            self.drop_copies();
            let label = self.return_label;
            self.w.bind(label);
            self.unusual.set(Unusual::DEAD, false);
        }
    }

    // ---- branching

    pub(crate) fn br(&mut self) {
        let depth = self.reader.u32();
        self.branch(depth);
    }

    pub(crate) fn return_(&mut self) {
        self.branch(self.blocks.len() as u32 - 1);
    }

    pub(crate) fn br_if(&mut self) {
        let depth = self.reader.u32();
        self.charge_fuel();
        if let Some(Value { loc: Loc::Const(bits), .. }) = self.stack.last().copied() {
            self.pop_value();
            if bits.get() != 0 {
                self.branch(depth);
            }
            return;
        }
        self.pop_condition().branch_out(depth);
    }

    #[inline(never)]
    pub(crate) fn br_table(&mut self) {
        let len = self.reader.u32();
        self.w.counters.steps += u64::from(len) + 1;
        self.charge_fuel();
        if let Some(index) = self.stack.last().expect("validated").as_const() {
            self.pop_value();
            let mut chosen = 0;
            for i in 0..=len {
                let depth = self.reader.u32();
                if i == len.min(index as u32) {
                    chosen = depth;
                }
            }
            return self.branch(chosen);
        }
        let mut ahead = self.reader;
        let first = ahead.u32();
        let arity = {
            let block = self.blocks[self.blocks.len() - 1 - first as usize];
            self.label_arity(&block)
        };
        // The index must not be in the register that a single value crosses in.
        let operand = self.pop();
        let reserved = RegSet::one(Self::merge_reg(Ty::I32));
        let allowed = RegSet::INTS.minus(if arity == 1 { reserved } else { RegSet::EMPTY });
        let index = self.take_from(allowed);
        self.load_operand(index, &operand);
        self.done(&operand);
        // There may be no register left but that of a copy that the index was read from.
        self.regs.pinned = Pins::NONE;
        if arity == 1 {
            // Loops take their single value in a slot, the others in a register: have it in both.
            let at = self.stack.len() - 1;
            self.merge_one();
            let value = self.stack[at];
            self.value_to_slot(value, at, at);
        } else {
            self.flush_all();
        }
        let temp = self.take_from(allowed);

        // One stub for each different depth at most, and none where the values are in place already.
        self.lists.seen_stamp = self.lists.seen_stamp.checked_add(1).unwrap_or_else(|| {
            self.lists.seen.clear();
            1
        });
        if self.lists.seen.len() < self.blocks.len() {
            self.lists.seen.resize(self.blocks.len(), (0, 0));
        }
        let mut stubs = std::mem::take(&mut self.lists.br_stubs);
        stubs.clear();
        self.lists.targets.clear();
        for _ in 0..=len {
            let depth = self.reader.u32();
            let (known, label) = self.lists.seen[depth as usize];
            let label = if known == self.lists.seen_stamp {
                self.lists.br_labels[label as usize]
            } else {
                let block = self.target(depth);
                self.edge_out(depth);
                let label = if self.merges_in_place(&block, arity) {
                    block.label
                } else {
                    let stub = self.w.label();
                    stubs.push((stub, depth));
                    stub
                };
                self.lists.seen[depth as usize] = (self.lists.seen_stamp, self.lists.br_labels.len() as u32);
                self.lists.br_labels.push(label);
                label
            };
            self.lists.targets.push(label);
        }
        self.lists.br_labels.clear();
        let targets = std::mem::take(&mut self.lists.targets);
        if let [default] = targets[..] {
            self.w.jmp(default);
        } else {
            self.w.reserve(4 * targets.len() + 4 * I::MAX_PRIMITIVE);
            self.w.jump_table(index, temp, &targets);
        }
        self.lists.targets = targets;
        self.release(index);
        self.release(temp);
        for (label, depth) in &stubs {
            self.w.bind(*label);
            let block = self.target(*depth);
            self.w.counters.steps += arity as u64;
            let values = self.stack.len() - arity;
            for i in 0..arity {
                if self.w.check_budget() {
                    break;
                }
                let value = self.stack[values + i];
                self.value_to_slot(value, values + i, block.height as usize + i);
            }
            self.w.jmp(block.label);
        }
        self.lists.br_stubs = stubs;
        self.become_dead();
    }

    pub(crate) fn unreachable_(&mut self) {
        self.charge_fuel();
        self.trap_now(crate::treaty::code::TrapCode::Unreachable, self.w.wasm);
        self.become_dead();
    }

    // ---- unreachable code

    /// Reads an operator in unreachable code and keeps count of the blocks.
    pub(crate) fn skip(&mut self) {
        let op = self.reader.operator();
        match op {
            Op::Block | Op::Loop | Op::If | Op::TryTable => {
                self.block_type();
                if op == Op::TryTable {
                    self.skip_catches();
                }
                self.block_number += 1;
                self.dead_depth += 1;
            }
            Op::Else => {
                if self.dead_depth == 0 {
                    self.w.reserve_room();
                    self.else_();
                }
            }
            Op::End => {
                if self.dead_depth > 0 {
                    self.dead_depth -= 1;
                } else {
                    self.w.reserve_room();
                    self.end();
                }
            }
            _ => self.reader.skip_immediates(op),
        }
    }
}
