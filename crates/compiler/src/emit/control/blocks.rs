//! Structured control: blocks, branches, merges.
//!
//! The state at a label is fixed by convention, so that next to nothing is recorded: homes are where they always are; a
//! register holds a copy of a local if it does on every edge, and at a loop's label only if the loop has locked
//! that; entries below the block are in their slots; what the label carries is where its kind and count say:
//!
//! ```text
//!   label of                 carries      where
//!   block, if, function      0            -
//!                            1            the first result register of its class
//!                            n > 1        the slots of the block's height and up
//!   loop                     n            the slots of the block's height and up
//! ```

use crate::emit::flags::Condition;
use crate::emit::values::regs::Copies;
use crate::emit::values::value::{Loc, Value};
use crate::emit::{FuncGen, Unusual};
use crate::isa::{Isa, Load, Store};
use crate::operators::Op;
use crate::treaty::fault::{Fault, proof, without};
use crate::treaty::ty::Ty;
use lightbeam_asm::{Label, Reg, RegClass, RegSet};

/// An open block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    kind: Kind,
    /// Where branches to it go.
    label: Label,
    /// Where its `else` goes, for an `if` that has none so far.
    else_label: Option<Label>,
    /// How many blocks have opened with it; 0 for the function.
    number: u32,
    /// Stack height below its parameters.
    height: u32,
    types: BlockTypes,
    /// Does some branch go to `label`?
    branched: bool,
    /// Does this loop lock registers?
    locks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

impl Block {
    /// Where branches to it go.
    pub(crate) fn label(&self) -> Label {
        self.label
    }

    /// The height of the stack below what its label carries.
    pub(crate) fn height(&self) -> usize {
        self.height as usize
    }

    /// Does a single value that its label carries cross in a slot? (Else it crosses in a register.)
    pub(crate) fn takes_one_in_slot(&self) -> bool {
        self.kind == Kind::Loop
    }
}

/// What a block takes and gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BlockTypes {
    /// Takes nothing, gives nothing.
    Empty,
    /// Takes nothing, gives one value.
    One(Ty),
    /// As the function type with this index says.
    Type(u32),
    /// Takes nothing, gives what the function gives.
    Function,
}

impl<I: Isa> FuncGen<'_, I> {
    fn params_of(&self, types: BlockTypes) -> &[Ty] {
        match types {
            BlockTypes::Type(index) => &self.facts.sig_of_type(index).params,
            _ => &[],
        }
    }

    fn results_of(&self, types: BlockTypes) -> usize {
        match types {
            BlockTypes::Empty => 0,
            BlockTypes::One(_) => 1,
            BlockTypes::Type(index) => self.facts.sig_of_type(index).results.len(),
            BlockTypes::Function => self.result_types().len(),
        }
    }

    fn result_type(&self, types: BlockTypes, i: usize) -> Ty {
        match types {
            BlockTypes::Empty => unreachable!("it gives nothing"),
            BlockTypes::One(ty) => ty,
            BlockTypes::Type(index) => self.facts.sig_of_type(index).results[i],
            BlockTypes::Function => self.result_types()[i],
        }
    }

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

    /// The register in which a single value crosses a label: that in which it is returned, as the function's end is a
    /// label.
    pub(crate) fn merge_reg(ty: Ty) -> Reg {
        match ty.class() {
            RegClass::Int => I::PRIVATE.int_results[0],
            RegClass::Float => I::PRIVATE.float_results[0],
        }
    }

    /// How many values a branch to a block carries.
    fn label_arity(&self, block: &Block) -> usize {
        match block.kind {
            Kind::Loop => self.params_of(block.types).len(),
            _ => self.results_of(block.types),
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

    /// Has the survey noted a call in the innermost open block?
    pub(crate) fn survey_knows_of_call(&self) -> bool {
        let number = self.blocks.last().map_or(0, |block| block.number);
        number == 0 || self.survey.blocks[number as usize - 1].calls
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
            if self.regs.locked.is_empty() {
                let survey = self.survey;
                let block = self.block_number - 1;
                self.lock_locals(survey.loop_locals(block));
                locks = !self.regs.locked.is_empty();
            }
            self.drop_copies();
            self.w.align(I::LOOP_ALIGN);
            self.w.bind(label);
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

    /// Brings the values that a branch to `block` carries to where its label wants them. They are on top of the stack
    /// and stay there; for more than one, the stack below them may be overwritten.
    #[inline]
    pub(crate) fn merge_values(&mut self, block: &Block) {
        match self.label_arity(block) {
            0 => {}
            1 if block.kind != Kind::Loop => self.merge_one(),
            count => self.merge_several(block, count),
        }
    }

    fn merge_several(&mut self, block: &Block, count: usize) {
        let from = self.stack.len() - count;
        let to = block.height as usize;
        if from == to {
            self.flush_all();
            return;
        }
        self.w.counters.steps += count as u64;
        // Downwards, lowest first: a slot is read before the move that overwrites it.
        for i in 0..count {
            if i & 3 == 3 && self.w.check_budget() {
                return;
            }
            let value = self.stack[from + i];
            self.value_to_slot(value, from + i, to + i);
        }
    }

    /// Brings the top of the stack to the merge register of its class.
    fn merge_one(&mut self) {
        let at = self.stack.len() - 1;
        let ty = self.stack[at].ty;
        let reg = Self::merge_reg(ty);
        if self.stack[at].loc == Loc::Reg(reg) {
            return;
        }
        let mut value = self.stack[at];
        if value.loc == Loc::Slot {
            let slot = self.slot(at, ty);
            self.take_this(reg);
            self.w.load(Load::of(ty), reg, slot);
            self.w.counters.reloads += 1;
        } else {
            // The copy that the value may be read from must outlive the taking.
            if let Loc::Local(local) = value.loc
                && self.locals[local as usize].home.is_none()
                && self.locals[local as usize].copy == Some(reg)
            {
                self.drop_copy(reg);
                self.regs.free.remove(reg);
                self.watch();
                value.loc = Loc::Reg(reg);
                self.stack[at] = value;
                return;
            }
            self.take_this(reg);
            value = self.stack[at];
            match value.loc {
                Loc::Reg(from) => {
                    self.copy_reg(ty, reg, from);
                    self.release(from);
                    self.w.counters.merge_moves += 1;
                }
                Loc::Const(bits) => self.load_const(ty, reg, bits.get()),
                Loc::Local(local) => self.load_local(ty, reg, local as usize),
                Loc::Slot | Loc::Flags(_) | Loc::Hot => unreachable!("seen above, or taken before"),
            }
        }
        self.stack[at] = Value::reg(ty, reg);
        self.watermark = self.watermark.min(at);
    }

    /// Writes a value to the slot of another position, leaving its entry alone.
    pub(crate) fn value_to_slot(&mut self, value: Value, position: usize, to: usize) {
        let ty = value.ty;
        let target = self.slot(to, ty);
        let scratch = I::scratch(ty.class());
        let from = match value.loc {
            Loc::Const(bits) => return self.store_const_to(target, ty, bits.get()),
            Loc::Reg(reg) => reg,
            Loc::Slot => {
                let slot = self.slot(position, ty);
                self.w.load(Load::of(ty), scratch, slot);
                scratch
            }
            Loc::Local(local) => self.local_or_scratch(ty, local as usize),
            Loc::Flags(_) | Loc::Hot => unreachable!("taken by the next operator"),
        };
        self.w.store(Store::of(ty), target, from);
        self.w.counters.merge_moves += 1;
    }

    // ---- branching

    pub(crate) fn target(&mut self, depth: u32) -> Block {
        self.target_at(self.blocks.len() - 1 - depth as usize)
    }

    /// The block at a depth from the outermost, to whose label a branch goes.
    pub(crate) fn target_at(&mut self, at: usize) -> Block {
        if at == 0 {
            self.return_branched = true;
        }
        self.blocks[at]
    }

    /// Is this place unreachable?
    pub(crate) fn is_dead(&self) -> bool {
        self.unusual.has(Unusual::DEAD)
    }

    /// Nothing after this place is reached.
    pub(crate) fn become_dead(&mut self) {
        let height = self.blocks.last().map_or(0, |b| b.height);
        self.truncate_stack(height as usize);
        self.regs.dirty = RegSet::EMPTY;
        self.unusual.set(Unusual::DEAD, true);
        self.dead_depth = 0;
    }

    pub(crate) fn br(&mut self) {
        let depth = self.reader.u32();
        self.branch(depth);
    }

    pub(crate) fn return_(&mut self) {
        self.branch(self.blocks.len() as u32 - 1);
    }

    fn branch(&mut self, depth: u32) {
        self.charge_fuel();
        let block = self.target(depth);
        self.merge_values(&block);
        self.edge_out(depth);
        self.w.jmp(block.label);
        self.become_dead();
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

    /// Do the values that a branch to `block` carries end up in places that are right if it is not taken, too?
    fn merges_in_place(&self, block: &Block, count: usize) -> bool {
        match (count, block.kind) {
            (0, _) => true,
            (1, Kind::Block | Kind::If | Kind::Else | Kind::Function) => true,
            _ => self.stack.len() - count == block.height as usize,
        }
    }

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
        self.lists.seen_stamp += 1;
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

impl<I: Isa> Condition<&mut FuncGen<'_, I>> {
    /// Branches if the condition holds. What the label carries is on top of the stack and stays there.
    pub(crate) fn branch_out(mut self, depth: u32) {
        let block = self.target(depth);
        let count = self.label_arity(&block);
        if self.merges_in_place(&block, count) {
            self.merge_values(&block);
            self.edge_out(depth);
            return self.branch(block.label);
        }
        self.edge_out(depth);
        let (values, to) = (self.stack.len() - count, block.height as usize);
        self.use_slots(to + count);
        let mut paths = self.freeze();
        let skip = paths.label();
        paths.branch_unless(skip);
        let mut frozen = paths.begin();
        frozen.w().counters.steps += count as u64;
        for i in 0..count {
            if i & 3 == 3 && frozen.w().check_budget() {
                break;
            }
            frozen.value_to_slot(values + i, to + i);
        }
        frozen.jump(block.label);
        frozen.meet(skip);
    }
}
