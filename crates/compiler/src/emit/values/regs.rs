//! The register file: who owns which register, how one is had, and what gives way.

use crate::emit::values::Values;
use crate::emit::values::moves::Step;
use crate::emit::values::value::{Loc, Value};
use crate::emit::writer::Stop;
use crate::isa::{Isa, Load};
use crate::treaty::fault::{Fault, proof, without};
use crate::treaty::ty::Width;
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// The state of all registers that the function may use for values, homes excluded. Every register of the pool is in
/// exactly one of: `free`; `cached` (a copy of a local, which gives way to whoever needs the register); owned by one
/// stack entry or one operator (in neither set).
pub(crate) struct Regs {
    /// Cached registers that were read or written lately. They give way after the others, which do in turn. (Not beside
    /// `pinned`: where what is written apart is read as one, the processor waits.)
    pub(crate) recent: RegSet,
    /// What may be handed out at all.
    pub(crate) pool: RegSet,
    pub(crate) free: RegSet,
    pub(crate) cached: RegSet,
    /// Cached registers that are ahead of their local's slot: stored before they give way, and at every edge.
    pub(crate) dirty: RegSet,
    /// Whose copy a cached register is: position of the local in the survey. (A function has at most 50,000.)
    pub(crate) copy_of: [u16; 64],
    /// Cached registers that keep their locals until the loop ends, see `Values::lock_locals`.
    pub(crate) locked: RegSet,
    /// Depth of that loop.
    pub(crate) locked_depth: u32,
    /// Not to be taken before the operator ends, though cached.
    pub(crate) pinned: Pins,
    clock: u32,
    /// Positions of the locals without homes whose slots are not what they hold.
    #[cfg(debug_assertions)]
    pub(crate) ahead: Vec<u32>,
    /// Around a call, from the moves of its arguments on, registers are what its convention says, whoever owns them.
    #[cfg(debug_assertions)]
    pub(crate) conventional: bool,
}

/// Cached registers that the operator at hand reads.
#[derive(Clone, Copy)]
pub(crate) struct Pins {
    set: RegSet,
    /// What `set` is where `Fault::Pinned` is not left out, for the proof.
    #[cfg(debug_assertions)]
    read: RegSet,
}

impl Pins {
    pub(crate) const NONE: Pins = Pins::of(RegSet::EMPTY);

    pub(crate) const fn of(set: RegSet) -> Pins {
        Pins {
            set,
            #[cfg(debug_assertions)]
            read: set,
        }
    }

    #[inline(always)]
    pub(crate) fn set(self) -> RegSet {
        self.set
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, set: RegSet) {
        if !without(Fault::Pinned) {
            self.set = self.set.or(set);
        }
        #[cfg(debug_assertions)]
        {
            self.read = self.read.or(set);
        }
    }

    /// A register is read no more.
    #[inline(always)]
    pub(crate) fn remove(&mut self, reg: Reg) {
        self.set.remove(reg);
        #[cfg(debug_assertions)]
        self.read.remove(reg);
    }

    /// Panics if a register that is about to be taken is read by the operator.
    #[inline(always)]
    fn prove_unread(self, reg: Reg, wasm: u32) {
        #[cfg(debug_assertions)]
        proof!(!self.read.has(reg), "{reg:?} is taken at {wasm:#x}, which reads it");
        let _ = (reg, wasm);
    }
}

/// An entry taken off the stack to be looked at and put back, see `FuncGen::pop_kept`.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) value: Value,
    /// The register to read it from.
    pub(crate) reg: Reg,
}

/// Which registers hold copies of which locals at a control edge, or at all edges into a label so far.
pub(crate) struct Copies<I: Isa> {
    /// Has any edge been seen?
    seen: bool,
    set: RegSet,
    /// By `Isa::dense`: the position of the local. Only those of `set` mean anything.
    of: I::Dense,
}

impl<I: Isa> Clone for Copies<I> {
    #[inline]
    fn clone(&self) -> Copies<I> {
        *self
    }
}

impl<I: Isa> Copy for Copies<I> {}

impl<I: Isa> Copies<I> {
    /// No edge so far.
    pub(crate) const NONE: Copies<I> = Copies { seen: false, set: RegSet::EMPTY, of: I::DENSE };

    /// Has any edge been seen?
    pub(crate) fn is_reached(&self) -> bool {
        self.seen
    }

    /// Forgets all edges.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.seen = false;
        self.set = RegSet::EMPTY;
    }

    /// Keeps what another edge agrees with.
    pub(crate) fn meet(&mut self, set: RegSet, copy_of: &[u16; 64]) {
        if self.seen {
            self.set = self.set.and(set);
            for reg in self.set {
                if self.of[I::dense(reg)] != copy_of[reg.index()] {
                    self.set.remove(reg);
                }
            }
        } else {
            self.seen = true;
            self.set = set;
            for reg in set {
                self.of[I::dense(reg)] = copy_of[reg.index()];
            }
        }
    }
}

impl Regs {
    #[inline(always)]
    pub(crate) fn new(pool: RegSet) -> Regs {
        let none = RegSet::EMPTY;
        Regs {
            pool,
            free: pool,
            cached: none,
            dirty: none,
            copy_of: [0; 64],
            locked: none,
            locked_depth: 0,
            pinned: Pins::NONE,
            recent: none,
            clock: 0,
            #[cfg(debug_assertions)]
            ahead: Vec::new(),
            #[cfg(debug_assertions)]
            conventional: false,
        }
    }

    /// No more than these are handed out; none has been so far.
    pub(crate) fn restrict(&mut self, pool: RegSet) {
        debug_assert!(self.free == self.pool && pool.minus(self.pool).is_empty());
        (self.pool, self.free) = (pool, pool);
    }

    /// A local without a home has been written, to its slot as well if that is said.
    #[inline(always)]
    pub(crate) fn note_write(&mut self, at: usize, to_slot: bool) {
        #[cfg(debug_assertions)]
        {
            self.ahead.retain(|ahead| *ahead as usize != at);
            if !to_slot {
                self.ahead.push(at as u32);
            }
        }
        let _ = (at, to_slot);
    }

    /// All slots that may be read from here on are right, whatever came before.
    #[inline(always)]
    fn note_label(&mut self) {
        #[cfg(debug_assertions)]
        self.ahead.clear();
    }

    /// Which of these copies gives way, as far as is known without a look ahead.
    fn oldest(&mut self, cached: RegSet) -> Reg {
        let mut old = cached.minus(self.recent);
        if old.is_empty() {
            self.recent = RegSet::EMPTY;
            old = cached;
        }
        self.clock = self.clock.wrapping_add(1);
        let nth = self.clock % old.len();
        old.clone().nth(nth as usize).expect("counted")
    }

    /// May a register be owned by a value? Not if it is a home, pinned by the machine, or keeps a local in a loop.
    pub(crate) fn can_own(&self, reg: Reg) -> bool {
        self.pool.has(reg) && !self.locked.has(reg)
    }
}

impl<I: Isa> Values<'_, I> {
    /// A register of a class, owned by the caller until `release`d or pushed.
    #[inline]
    pub(crate) fn take(&mut self, class: RegClass) -> Reg {
        match self.regs.free.class(class).first() {
            Some(reg) => self.take_free(reg),
            None => self.take_from(RegSet::INTS.or(RegSet::FLOATS).class(class)),
        }
    }

    /// A register that is free.
    #[inline(always)]
    fn take_free(&mut self, reg: Reg) -> Reg {
        self.set_conventional(false);
        self.regs.free.remove(reg);
        self.watch();
        reg
    }

    /// A register of a set.
    pub(crate) fn take_from(&mut self, allowed: RegSet) -> Reg {
        if let Some(reg) = self.regs.free.and(allowed).first() {
            return self.take_free(reg);
        }
        self.set_conventional(false);
        let cached = self.regs.cached.and(allowed).minus(self.regs.pinned.set().or(self.regs.locked));
        if !cached.is_empty() {
            let reg = self.latest(cached).unwrap_or_else(|| self.regs.oldest(cached));
            self.regs.pinned.prove_unread(reg, self.w.wasm);
            self.drop_copy(reg);
            self.regs.free.remove(reg);
            self.watch();
            return reg;
        }
        // The oldest entry in a register goes to its slot.
        for at in self.watermark..self.stack.len() {
            if let Loc::Reg(reg) = self.stack[at].loc
                && allowed.has(reg)
                && self.regs.can_own(reg)
            {
                self.spill(at);
                self.regs.free.remove(reg);
                self.watch();
                return reg;
            }
        }
        // What the loop keeps in one register more is given up, and the function is emitted once more without that.
        if let Some(reg) = self.regs.locked.and(RegSet::of(I::LOOP_HOMES)).and(allowed).first() {
            self.w.stop(Stop::NoRegister);
            self.regs.locked.remove(reg);
            self.regs.note_write(self.regs.copy_of[reg.index()] as usize, true);
            self.drop_copy(reg);
            self.regs.free.remove(reg);
            self.watch();
            return reg;
        }
        unreachable!("an operator holds every register of a class: {:?} of {:?}", self.regs.free, self.regs.pool)
    }

    /// A certain register, whatever is in it: a stack entry there moves elsewhere. Not one that an operator holds.
    pub(crate) fn take_this(&mut self, reg: Reg) {
        proof!(self.regs.pool.has(reg), "{reg:?} is not in the pool");
        self.set_conventional(false);
        if self.regs.free.has(reg) {
            self.regs.free.remove(reg);
            return self.watch();
        }
        if self.regs.cached.has(reg) {
            self.drop_copy(reg);
            self.regs.free.remove(reg);
            return self.watch();
        }
        let at = (self.watermark..self.stack.len())
            .rev()
            .find(|at| self.stack[*at].loc == Loc::Reg(reg))
            .unwrap_or_else(|| unreachable!("{reg:?} is held by an operator"));
        let others = RegSet::INTS.or(RegSet::FLOATS).class(reg.class());
        if let Some(to) = self.regs.free.and(others).first() {
            self.regs.free.remove(to);
            self.copy_reg(self.stack[at].ty, to, reg);
            self.stack[at].loc = Loc::Reg(to);
            self.w.counters.merge_moves += 1;
        } else {
            self.spill(at);
            self.regs.free.remove(reg);
        }
        self.watch();
    }

    /// Lets the assembler of debug builds refuse addresses that read what is free.
    #[inline(always)]
    pub(crate) fn watch(&mut self) {
        #[cfg(debug_assertions)]
        self.w.watch(if self.regs.conventional || !crate::treaty::fault::proving() {
            RegSet::EMPTY
        } else {
            self.regs.free
        });
    }

    /// Sets whether registers are what the convention of a call says.
    #[inline(always)]
    pub(crate) fn set_conventional(&mut self, on: bool) {
        #[cfg(debug_assertions)]
        {
            self.regs.conventional = on;
            self.watch();
        }
        let _ = on;
    }

    /// Gives a register back. Homes and pinned registers of the machine are left alone.
    #[inline]
    pub(crate) fn release(&mut self, reg: Reg) {
        if self.regs.can_own(reg) {
            proof!(!self.regs.free.has(reg) && !self.regs.cached.has(reg), "{reg:?} released twice");
            self.regs.free.add(reg);
            self.watch();
        }
    }

    /// Gives registers back.
    #[inline]
    pub(crate) fn release_all(&mut self, set: RegSet) {
        for reg in set {
            self.release(reg);
        }
    }

    /// Gives back what operands own: registers of the pool, none of which keeps a local.
    #[inline(always)]
    pub(crate) fn give_back(&mut self, set: RegSet) {
        proof!(set.minus(self.regs.pool.minus(self.regs.locked)).is_empty(), "{set:?} cannot be owned");
        proof!(set.and(self.regs.free.or(self.regs.cached)).is_empty(), "{set:?} released twice");
        self.regs.free = self.regs.free.or(set);
        self.watch();
    }

    /// A register that the caller owns now holds a copy of a local, as its slot does, and may be dropped at any time.
    pub(crate) fn make_copy_of(&mut self, reg: Reg, at: usize) {
        proof!(self.regs.pool.has(reg) && !self.regs.free.has(reg) && !self.regs.cached.has(reg));
        self.forget_copy_of(at);
        self.regs.cached.add(reg);
        self.regs.recent.add(reg);
        self.regs.copy_of[reg.index()] = at as u16;
        self.locals[at].copy = Some(reg);
    }

    /// The register is free again, but not overwritten yet; the local is in its slot only.
    pub(crate) fn drop_copy(&mut self, reg: Reg) {
        proof!(self.regs.cached.has(reg) && !self.regs.locked.has(reg));
        if self.regs.dirty.has(reg) {
            self.clean_for(RegSet::one(reg), self.depth);
            self.regs.dirty.remove(reg);
        }
        self.regs.cached.remove(reg);
        self.regs.free.add(reg);
        self.watch();
        self.locals[self.regs.copy_of[reg.index()] as usize].copy = None;
    }

    /// What the copy of a local holds is no longer its value.
    pub(crate) fn forget_copy_of(&mut self, at: usize) {
        if let Some(reg) = self.locals[at].copy {
            self.regs.dirty.remove(reg);
            self.drop_copy(reg);
        }
    }

    /// Stores a copy that is ahead of its local's slot.
    #[inline(never)]
    pub(crate) fn clean(&mut self, reg: Reg) {
        self.regs.dirty.remove(reg);
        let at = self.regs.copy_of[reg.index()] as usize;
        let local = self.locals[at];
        self.regs.note_write(at, true);
        self.store_to_slot(local.ty, Addr::base(I::FRAME, local.slot), reg);
    }

    /// Stores all copies that are ahead of their locals' slots, as before a call or the opening of a block: all that
    /// may be read from here on.
    #[inline]
    pub(crate) fn clean_copies(&mut self) {
        if !self.regs.dirty.is_empty() && !without(Fault::CleanBeforeCall) {
            self.clean_for(self.regs.dirty, self.depth);
        }
    }

    /// Are the slots of all locals right that may be read from here on?
    pub(crate) fn slots_are_right(&self) -> bool {
        let depth = |reg: Reg| self.locals[self.regs.copy_of[reg.index()] as usize].depth;
        self.regs.dirty.into_iter().all(|reg| depth(reg) as usize >= self.depth)
    }

    /// Stores those of these copies that may be read at the label of the block at a depth.
    #[inline(never)]
    fn clean_for(&mut self, copies: RegSet, depth: usize) {
        for reg in copies {
            // What belongs to a block that the label is not inside of is written there before it is read.
            if (self.locals[self.regs.copy_of[reg.index()] as usize].depth as usize) < depth {
                self.clean(reg);
            }
        }
        self.w.reserve_room();
    }

    /// Drops all copies but those that a loop keeps.
    pub(crate) fn drop_copies(&mut self) {
        self.stored.since = self.w.offset();
        if !without(Fault::CleanBeforeCall) {
            self.clean_copies();
        }
        self.regs.dirty = RegSet::EMPTY;
        let dropped = self.regs.cached.minus(self.regs.locked);
        for reg in dropped {
            self.locals[self.regs.copy_of[reg.index()] as usize].copy = None;
        }
        self.regs.free = self.regs.free.or(dropped);
        self.regs.cached = self.regs.cached.minus(dropped);
        self.watch();
    }

    /// Before a loop without calls: the locals that it touches most and that have no home get a register each for as
    /// long as it lasts. Writes go to the register and, unless the local is the loop's own, to the slot, so that no
    /// edge out of the loop has anything to do; reads come from the register. The loop's label then has these copies on
    /// all its edges. `crowded` is a loop in which some operator needs many registers at once.
    pub(crate) fn lock_locals(&mut self, locals: &[u32], crowded: bool) {
        proof!(self.regs.locked.is_empty());
        self.regs.locked_depth = self.depth as u32;
        let mut ints = self.lockable(I::VOLATILE_HOMES);
        if !crowded {
            ints = ints.or(self.lockable(I::LOOP_HOMES));
        }
        let mut floats = self.lockable(I::FLOAT_HOMES);
        for &at in locals {
            let local = self.locals[at as usize];
            let from = match local.ty.class() {
                RegClass::Int => &mut ints,
                RegClass::Float => &mut floats,
            };
            if local.home.is_some() || from.is_empty() {
                continue;
            }
            let reg = match local.copy {
                Some(reg) if from.has(reg) => reg,
                _ => {
                    let reg = from.first().expect("not empty");
                    self.take_this(reg);
                    match local.copy.filter(|copy| self.locals[at as usize].copy == Some(*copy)) {
                        Some(copy) => self.copy_reg(local.ty, reg, copy),
                        None => {
                            let slot = self.slot_of_local(at as usize);
                            self.w.load(Load::of(local.ty), reg, slot);
                            self.w.counters.reloads += 1;
                        }
                    }
                    self.make_copy_of(reg, at as usize);
                    reg
                }
            };
            match local.ty.class() {
                RegClass::Int => ints.remove(reg),
                RegClass::Float => floats.remove(reg),
            }
            self.regs.locked.add(reg);
            self.regs.dirty.remove(reg);
            self.w.counters.locked_locals += 1;
        }
    }

    /// Are there no more than three integer registers for values?
    pub(crate) fn is_crowded(&self) -> bool {
        self.regs.pool.minus(self.regs.locked).class(RegClass::Int).len() <= 3
    }

    /// Which of these may keep a local, so that enough are left for values.
    fn lockable(&self, candidates: &[Reg]) -> RegSet {
        RegSet::of(candidates).and(self.regs.pool)
    }

    /// After the loop: its registers are copies like any other. Gives those that are ahead of their locals' slots, as
    /// nothing reads these locals any more but what waits on the stack.
    pub(crate) fn unlock_locals(&mut self) -> RegSet {
        let mut own = RegSet::EMPTY;
        for reg in std::mem::replace(&mut self.regs.locked, RegSet::EMPTY) {
            if !self.stores_writes(&self.locals[self.regs.copy_of[reg.index()] as usize]) {
                own.add(reg);
            }
        }
        own
    }

    /// A branch leaves from here for the label of the block at `depth` from the outermost: what the label knows so far
    /// is cut to what holds here.
    ///
    /// To be called before the branch is emitted.
    pub(crate) fn edge_to(&mut self, depth: usize) {
        if !self.regs.dirty.is_empty() && !without(Fault::CleanBeforeBranch) {
            self.clean_for(self.regs.dirty, depth);
        }
        self.copies[depth].meet(self.regs.cached, &self.regs.copy_of);
    }

    /// As `edge_to`, for the label of the block at a depth from the innermost.
    pub(crate) fn edge_out(&mut self, depth: u32) {
        self.edge_to(self.depth - 1 - depth as usize);
    }

    /// An edge to a label on which no register holds a copy.
    pub(crate) fn edge_without_copies(&mut self, depth: usize) {
        self.copies[depth].meet(RegSet::EMPTY, &self.regs.copy_of);
    }

    /// The copies that hold here.
    pub(crate) fn copies_here(&self) -> Copies<I> {
        let mut copies = Copies::NONE;
        copies.meet(self.regs.cached, &self.regs.copy_of);
        copies
    }

    /// At a label, with every register of the pool free or cached: takes up the copies that all its edges agree on.
    pub(crate) fn adopt_copies(&mut self, label: &Copies<I>) {
        proof!(self.regs.locked.minus(label.set).is_empty(), "a loop's register is lost on an edge");
        for reg in self.regs.cached {
            self.locals[self.regs.copy_of[reg.index()] as usize].copy = None;
        }
        proof!(self.regs.free.or(self.regs.cached) == self.regs.pool);
        for reg in label.set {
            let at = label.of[I::dense(reg)];
            self.regs.copy_of[reg.index()] = at;
            self.locals[at as usize].copy = Some(reg);
        }
        self.regs.dirty = RegSet::EMPTY;
        self.regs.note_label();
        self.regs.cached = label.set;
        self.regs.free = self.regs.pool.minus(label.set);
        self.watch();
    }

    /// Keeps a cached register from being taken until the operator ends.
    #[inline]
    pub(crate) fn pin(&mut self, set: RegSet) {
        self.regs.pinned.add(set);
    }

    /// Emits the pending parallel moves, whole registers.
    #[inline]
    pub(crate) fn emit_moves(&mut self) {
        self.set_conventional(true);
        if !self.moves.is_empty() {
            self.resolve_moves();
        }
    }

    fn resolve_moves(&mut self) {
        self.emit_moves_of(Width::W64);
    }

    /// Emits the pending parallel moves, so much of integers.
    #[inline(always)]
    pub(crate) fn emit_moves_of(&mut self, width: Width) {
        let Values { moves, w, .. } = self;
        let mut count = 0;
        moves.resolve(|step| {
            let (to, from) = match step {
                Step::Move(to, from) => (to, from),
                Step::Save(from) if from.is_float() => (I::FLOAT_SCRATCH, from),
                Step::Save(from) => (I::SCRATCH, from),
                Step::Restore(to) if to.is_float() => (to, I::FLOAT_SCRATCH),
                Step::Restore(to) => (to, I::SCRATCH),
            };
            count += 1;
            if to.is_float() {
                w.fmov(to, from);
            } else {
                w.mov(width, to, from);
            }
        });
        w.counters.merge_moves += count;
    }
}
