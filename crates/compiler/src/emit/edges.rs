//! Edges of control: what a branch brings to the label of a block, and what holds there.
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
use crate::emit::values::value::{Loc, Value};
use crate::emit::{FuncGen, Unusual};
use crate::isa::{Isa, Load, Store};
use crate::treaty::ty::Ty;
use lightbeam_asm::{Label, Reg, RegClass, RegSet};

/// An open block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) kind: Kind,
    /// Where branches to it go.
    pub(crate) label: Label,
    /// Where its `else` goes, for an `if` that has none so far.
    pub(crate) else_label: Option<Label>,
    /// How many blocks have opened with it; 0 for the function.
    pub(crate) number: u32,
    /// Stack height below its parameters.
    pub(crate) height: u32,
    pub(crate) types: BlockTypes,
    /// Does some branch go to `label`?
    pub(crate) branched: bool,
    /// Does this loop lock registers?
    pub(crate) locks: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
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
    // ---- what a label carries

    pub(crate) fn params_of(&self, types: BlockTypes) -> &[Ty] {
        match types {
            BlockTypes::Type(index) => &self.facts.sig_of_type(index).params,
            _ => &[],
        }
    }

    pub(crate) fn results_of(&self, types: BlockTypes) -> usize {
        match types {
            BlockTypes::Empty => 0,
            BlockTypes::One(_) => 1,
            BlockTypes::Type(index) => self.facts.sig_of_type(index).results.len(),
            BlockTypes::Function => self.result_types().len(),
        }
    }

    pub(crate) fn result_type(&self, types: BlockTypes, i: usize) -> Ty {
        match types {
            BlockTypes::Empty => unreachable!("it gives nothing"),
            BlockTypes::One(ty) => ty,
            BlockTypes::Type(index) => self.facts.sig_of_type(index).results[i],
            BlockTypes::Function => self.result_types()[i],
        }
    }

    /// How many values a branch to a block carries.
    pub(crate) fn label_arity(&self, block: &Block) -> usize {
        match block.kind {
            Kind::Loop => self.params_of(block.types).len(),
            _ => self.results_of(block.types),
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

    // ---- bringing it there

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
    pub(crate) fn merge_one(&mut self) {
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

    /// Do the values that a branch to `block` carries end up in places that are right if it is not taken, too?
    pub(crate) fn merges_in_place(&self, block: &Block, count: usize) -> bool {
        match (count, block.kind) {
            (0, _) => true,
            (1, Kind::Block | Kind::If | Kind::Else | Kind::Function) => true,
            _ => self.stack.len() - count == block.height as usize,
        }
    }

    // ---- going there

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

    pub(crate) fn branch(&mut self, depth: u32) {
        self.charge_fuel();
        let block = self.target(depth);
        self.merge_values(&block);
        self.edge_out(depth);
        self.w.jmp(block.label);
        self.become_dead();
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
        self.w.look_again();
        self.dead_depth = 0;
    }

    // ---- proofs

    /// Has the survey noted a call in the innermost open block?
    pub(crate) fn survey_knows_of_call(&self) -> bool {
        let number = self.blocks.last().map_or(0, |block| block.number);
        number == 0 || self.survey.blocks[number as usize - 1].calls
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
