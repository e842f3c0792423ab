//! The survey: the summary of a body by which sweep 2 knows the future. Whoever validates the body takes it on the way.
//!
//! The survey is of bounded size: a few words per touched local and per block. Declared locals that nothing touches
//! cost nothing, here as in every later step: entries are stamped with the function they belong to, never cleared.

use crate::operators::effects::Calls;
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::Ty;
use std::mem::take;
use std::ops::{Deref, DerefMut};
use wasmparser::{AbstractHeapType, HeapType, UnpackedIndex, ValType};

/// What is known of one touched local.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LocalUse {
    /// Index of the local.
    pub(crate) local: u32,
    pub(crate) ty: Ty,
    /// Reads and writes, each weighted by the loops around it.
    pub(crate) weight: u32,
    /// The part of the weight that is within loops without calls.
    pub(crate) in_calm_loops: u32,
    /// Must it be zero at entry? Parameters never need it.
    pub(crate) zeroed: bool,
    /// May what it holds be read behind a call that it was written before, as far as is known?
    pub(crate) crosses_calls: bool,
    /// The straight line that wrote it, and how many stretches had begun by then: what it holds was written in that
    /// line as long as that is open, and by no call since as long as no other stretch has begun.
    written: (Line, u32),
    /// The straight line that first wrote the local; all touches in its block are after that write.
    owner: Line,
    /// Touches in the loop that is being summed up; 0 between sums.
    in_loop: u32,
}

impl LocalUse {
    /// The depth of the block that has all touches of the local, and the first of them, a write, in its straight line:
    /// wherever control is when it has left that block or begins it again, what the local holds is never read. 0 for
    /// the function as a whole.
    pub(crate) fn depth(&self) -> u32 {
        self.owner.depth
    }
}

/// What is known of one `block`, `loop` or `if`, in the order in which they open.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BlockUse {
    /// Does any branch name its label?
    pub(crate) branched: bool,
    /// Is there a call that returns, or anything else that destroys registers, between its opening and its end?
    pub(crate) calls: bool,
    /// Is there an operator between its opening and its end that needs more than three integer registers at once?
    pub(crate) demands: bool,
    /// For a loop without calls: the locals that it touches most, by position, heaviest first; a range of
    /// `Summary::loop_locals`.
    loop_locals: (u32, u32),
}

/// How many locals of a loop are named at most.
const LOOP_LOCALS: usize = 16;

/// Loops nested deeper than this are not summed up by themselves: each touch is looked at once per level.
const SUMMED_DEPTH: u32 = 4;

/// The straight line of an open block, or that of one of its arms: what it has done, all that comes in it may rely on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    /// How many blocks are open around it.
    depth: u32,
    /// 0 for the function's own; twice the number of a block, with 1 added in its first arm and 2 in its second.
    arm: u32,
}

impl Line {
    /// The function's own.
    const FUNCTION: Line = Line { depth: 0, arm: 0 };

    /// The first arm of a block, or all of one that has a single arm.
    fn of(block: usize, depth: u32) -> Line {
        Line { depth, arm: 2 * block as u32 + 1 }
    }

    /// The second arm of an `if` whose first arm this is.
    fn turned(self) -> Line {
        debug_assert!(self.arm % 2 == 1, "a block has two arms at most");
        Line { arm: self.arm + 1, ..self }
    }

    /// The number of its block, if it is not the function's own.
    fn block(self) -> Option<usize> {
        Some((self.arm.checked_sub(1)? / 2) as usize)
    }
}

/// What sweep 2 sees of a survey. Both ways through sweep 1 must come to equal ones, so all that sweep 2 may read is
/// here.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Summary {
    /// Touched locals, in the order of their first touch.
    pub(crate) locals: Vec<LocalUse>,
    /// By number of the block.
    pub(crate) blocks: Vec<BlockUse>,
    /// Blocks, weighted by the loops around them.
    pub(crate) block_weight: u32,
    /// Calls, weighted by the loops around them; those that never return are not counted.
    pub(crate) call_weight: u32,
    /// Is there any call at all?
    pub(crate) calls: bool,
    /// Is there a tail call that may leave the module (`Calls::Onward`)?
    pub(crate) onward: bool,
    /// Does it begin or end a call between components in place?
    pub(crate) sync_call: bool,
    /// Can any entry of the stack or any local be a vector, or as wide as one?
    pub(crate) vectors: bool,
    /// Is any local read before it is written, as far as is known?
    pub(crate) zeroed: bool,
    /// Is there a `try_table` with handlers?
    pub(crate) handlers: bool,
    /// Does one of them give the exception itself?
    pub(crate) catches_references: bool,
    /// Offset of the first operator after the local declarations, in the body.
    pub(crate) code_start: usize,
    /// Offset behind the `end` of the first block, 0 if there is none.
    pub(crate) first_end: usize,
    /// Where in `locals` the address of the collector's heap is, which is kept like a local where it pays.
    heap: Option<u32>,
    /// Number of parameters.
    params: u32,
    /// What the entries of `blocks` name.
    loop_locals: Vec<u32>,
}

/// The survey of a function.
#[derive(Default)]
pub(crate) struct Survey {
    summary: Summary,
    /// By local index: stamp and position in `locals`.
    index: Vec<(u32, u32)>,
    stamp: u32,
    /// The lines of the function and of all open blocks; for a loop, where its touches begin in `touches`.
    lines: Vec<(Line, Option<u32>)>,
    /// Positions of the locals touched in the open loops, one entry a touch, with its weight.
    touches: Vec<(u32, u32)>,
    loop_depth: u32,
    /// Weight of a touch here.
    weight: u32,
    /// Touches looked at to sum up loops.
    pub(crate) steps: u64,
    /// How many stretches without calls have begun, each at a call or with a loop.
    stretch: u32,
    /// Weight of the operator before if control need not come back from it (`Calls::Last`), else 0, and whether its
    /// block had calls before it.
    last_call: u32,
    calls_before: bool,
}

impl Deref for Survey {
    type Target = Summary;

    #[inline(always)]
    fn deref(&self) -> &Summary {
        &self.summary
    }
}

impl DerefMut for Survey {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Summary {
        &mut self.summary
    }
}

/// Eight to the power of the loop depth, as everyone does, capped so that a deep nest leaves the sums in range.
fn weight(loop_depth: u32) -> u32 {
    WEIGHT << (3 * loop_depth.min(5))
}

/// Weight of a touch outside of all loops; inside, it is more.
const WEIGHT: u32 = 1;

/// Marks a touch that a loop without calls has counted. (A function has at most 50,000 locals.)
const COUNTED: u32 = 1 << 31;

impl Survey {
    pub(crate) fn begin(&mut self, params: u32) {
        let Summary { locals, blocks, loop_locals, .. } = &mut self.summary;
        let (mut locals, mut blocks, mut loop_locals) = (take(locals), take(blocks), take(loop_locals));
        locals.clear();
        blocks.clear();
        loop_locals.clear();
        self.summary = Summary { locals, blocks, loop_locals, params, ..Summary::default() };
        self.lines.clear();
        self.lines.push((Line::FUNCTION, None));
        self.touches.clear();
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            self.index.clear();
            1
        });
        self.loop_depth = 0;
        self.stretch = 0;
        self.weight = weight(0);
        self.steps = 0;
        self.last_call = 0;
    }

    /// All that sweep 2 can see of it.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The local that no index names: the address of the collector's heap.
    pub(crate) const HEAP: u32 = u32::MAX;

    /// Fewer weighted accesses than this to objects are not worth keeping the address of the heap.
    const WORTH_KEEPING: u32 = 3;

    /// Notes an access to an object.
    pub(crate) fn touch_heap(&mut self) {
        let at = match self.heap {
            Some(at) => at,
            None => {
                let at = self.locals.len() as u32;
                self.heap = Some(at);
                let use_ = LocalUse {
                    local: Self::HEAP,
                    ty: Ty::I64,
                    weight: 0,
                    in_calm_loops: 0,
                    zeroed: false,
                    crosses_calls: true,
                    written: (Line::FUNCTION, 0),
                    owner: Line::FUNCTION,
                    in_loop: 0,
                };
                self.locals.push(use_);
                at
            }
        };
        let weight = self.weight;
        let entry = &mut self.locals[at as usize];
        entry.weight = entry.weight.saturating_add(weight);
        if weight > WEIGHT {
            self.touches.push((at, weight));
        }
    }

    /// Where in `locals` the address of the collector's heap is, if it is worth keeping.
    pub(crate) fn heap(&self) -> Option<usize> {
        let at = self.heap? as usize;
        (self.locals[at].weight >= Self::WORTH_KEEPING).then_some(at)
    }

    /// The place of the address of a heap which is not kept.
    pub(crate) fn idle_heap(&self) -> Option<usize> {
        self.heap.map(|at| at as usize).filter(|_| self.heap().is_none())
    }

    /// The position in `locals` of a touched local.
    #[inline]
    pub(crate) fn position(&self, local: u32) -> usize {
        debug_assert_eq!(self.index[local as usize].0, self.stamp);
        self.index[local as usize].1 as usize
    }

    /// The position of a local, if it is touched.
    #[inline]
    pub(crate) fn find(&self, local: u32) -> Option<usize> {
        self.index.get(local as usize).filter(|(stamp, _)| *stamp == self.stamp).map(|(_, at)| *at as usize)
    }

    /// The locals worth registers of their own in the loop with this number, heaviest first. Empty if it has calls.
    pub(crate) fn loop_locals(&self, block: usize) -> &[u32] {
        let (start, end) = self.blocks[block].loop_locals;
        &self.loop_locals[start as usize..end as usize]
    }

    /// Is there a loop without calls that has locals to keep in registers?
    pub(crate) fn keeps_in_loops(&self) -> bool {
        !self.loop_locals.is_empty()
    }

    /// Notes a touch of a local that was touched before and gives its type; `None`, and no note, if it was not.
    #[inline(always)]
    pub(crate) fn touch_again(&mut self, local: u32, write: bool) -> Option<Ty> {
        let (stamp, at) = *self.index.get(local as usize)?;
        if stamp != self.stamp {
            return None;
        }
        let weight = self.weight;
        let entry = self.summary.locals.get_mut(at as usize)?;
        entry.weight = entry.weight.saturating_add(weight);
        // Outside of the line that wrote it first, the local may not have been written. The function's own is open for
        // as long as locals are touched.
        if self.lines.get(entry.owner.depth as usize).is_none_or(|(line, _)| line.arm != entry.owner.arm) {
            entry.zeroed = true;
            entry.owner = Line::FUNCTION;
            self.summary.zeroed = true;
        }
        if !entry.crosses_calls {
            let (line, stretch) = entry.written;
            let is_open = self.lines.get(line.depth as usize).is_some_and(|(open, _)| *open == line);
            if stretch == self.stretch && is_open {
                // What was written is what is read, or what was written before is written again.
            } else if write {
                entry.written = (self.lines.last().map_or(Line::FUNCTION, |(line, _)| *line), self.stretch);
            } else {
                entry.crosses_calls = true;
            }
        }
        if weight > WEIGHT {
            self.touches.push((at, weight));
        }
        Some(entry.ty)
    }

    /// Notes the first touch of a local.
    #[inline]
    pub(crate) fn touch_first(&mut self, local: u32, write: bool, ty: Ty) {
        let i = local as usize;
        if self.index.len() <= i {
            self.index.resize(i + 1, (0, 0));
        }
        let at = self.locals.len() as u32;
        self.index[i] = (self.stamp, at);
        self.vectors |= ty.is_wide();
        let here = self.lines.last().map_or(Line::FUNCTION, |(line, _)| *line);
        let (zeroed, owner) = match (local < self.params, write) {
            (true, _) => (false, Line::FUNCTION),
            (false, true) => (false, here),
            (false, false) => (true, Line::FUNCTION),
        };
        if self.weight > WEIGHT {
            self.touches.push((at, self.weight));
        }
        self.zeroed |= zeroed;
        let weight = self.weight;
        // A parameter was written before anything else.
        let crosses_calls = !write && (local >= self.params || self.stretch > 0);
        let written = if write { (here, self.stretch) } else { (Line::FUNCTION, 0) };
        self.locals.push(LocalUse {
            local,
            ty,
            weight,
            in_calm_loops: 0,
            zeroed,
            crosses_calls,
            written,
            owner,
            in_loop: 0,
        });
    }

    pub(crate) fn open(&mut self, is_loop: bool) {
        let block = self.blocks.len();
        self.blocks.push(BlockUse::default());
        let touches = is_loop.then_some(self.touches.len() as u32);
        self.lines.push((Line::of(block, self.lines.len() as u32), touches));
        if is_loop {
            // What was written before a loop is read in it behind all that comes later in it.
            self.stretch += 1;
            self.loop_depth += 1;
            self.weight = weight(self.loop_depth);
        }
        self.block_weight = self.block_weight.saturating_add(self.weight);
    }

    /// An `else`: what the first arm wrote, the second has not.
    pub(crate) fn turn(&mut self) {
        if let Some((line, _)) = self.lines.last_mut() {
            *line = line.turned();
        }
    }

    /// An `end`; what comes behind it is at this offset in the body.
    pub(crate) fn close(&mut self, behind: usize) {
        if let Some((line, touches)) = self.lines.pop() {
            let block = line.block();
            if block == Some(0) {
                self.first_end = behind;
            }
            let BlockUse { calls, demands, .. } = block.map_or(BlockUse::default(), |block| self.blocks[block]);
            if (calls || demands)
                && let Some(outer) = self.innermost()
            {
                outer.calls |= calls;
                outer.demands |= demands;
            }
            if let Some(start) = touches {
                if let Some(block) = block
                    && !calls
                    && self.loop_depth <= SUMMED_DEPTH
                {
                    self.sum_up(block, start as usize);
                }
                self.loop_depth -= 1;
                self.weight = weight(self.loop_depth);
                if self.loop_depth == 0 {
                    self.touches.clear();
                }
            }
        }
    }

    /// Finds the locals that the loop which now ends has touched most.
    fn sum_up(&mut self, block: usize, start: usize) {
        self.steps += (self.touches.len() - start) as u64;
        let Survey { summary: Summary { locals, loop_locals, .. }, touches, .. } = self;
        let touches = &mut touches[start..];
        for (at, weight) in &mut *touches {
            let entry = &mut locals[(*at & !COUNTED) as usize];
            entry.in_loop = entry.in_loop.saturating_add(*weight);
            // Not again for a loop around this one.
            if *at & COUNTED == 0 {
                entry.in_calm_loops = entry.in_calm_loops.saturating_add(*weight);
                *at |= COUNTED;
            }
        }
        // The heaviest so far, heaviest first, among equals the one touched first.
        let mut heaviest = [(0, 0); LOOP_LOCALS];
        let mut count = 0;
        for &mut (at, _) in touches {
            let at = at & !COUNTED;
            let weight = take(&mut locals[at as usize].in_loop);
            if weight <= heaviest[LOOP_LOCALS - 1].0 {
                // Summed up before, or too light for a full list.
                continue;
            }
            count = (count + 1).min(LOOP_LOCALS);
            let mut rank = count - 1;
            while rank > 0 && heaviest[rank - 1].0 < weight {
                heaviest[rank] = heaviest[rank - 1];
                rank -= 1;
            }
            heaviest[rank] = (weight, at);
        }
        let from = loop_locals.len();
        loop_locals.extend(heaviest[..count].iter().map(|(_, at)| at));
        self.blocks[block].loop_locals = (from as u32, loop_locals.len() as u32);
    }

    pub(crate) fn branch(&mut self, depth: u32) {
        let at = self.lines.len().checked_sub(1 + depth as usize);
        if let Some(block) = at.and_then(|at| self.lines[at].0.block()) {
            self.blocks[block].branched = true;
        }
    }

    /// Notes what an operator does to registers.
    #[inline]
    pub(crate) fn note(&mut self, calls: Calls) {
        match calls {
            Calls::No => {}
            Calls::Detour => self.calls = true,
            Calls::Onward => self.onward = true,
            Calls::Returns if !without(Fault::RestoreBeforeUnreachable) => {
                self.call();
            }
            Calls::Last | Calls::Returns => {
                self.calls_before = self.call();
                self.last_call = self.weight;
            }
            Calls::Leaves => self.leave(),
        }
    }

    /// Notes an operator that needs more than three integer registers at once.
    pub(crate) fn demand(&mut self) {
        if let Some(block) = self.innermost() {
            block.demands = true;
        }
    }

    /// A call that control comes back from, as far as is known. Had the block calls before it?
    fn call(&mut self) -> bool {
        self.calls = true;
        self.stretch += 1;
        self.last_call = 0;
        self.call_weight = self.call_weight.saturating_add(self.weight);
        self.innermost().is_some_and(|block| std::mem::replace(&mut block.calls, true))
    }

    /// The operator that comes is not right behind a call.
    pub(crate) fn forget_call(&mut self) {
        self.last_call = 0;
    }

    /// Control does not come back. A handler of this function may be where it goes; then the loop around both must
    /// not keep anything in registers that calls destroy.
    fn leave(&mut self) {
        self.calls = true;
        if self.handlers
            && let Some(block) = self.innermost()
        {
            block.calls = true;
        }
    }

    /// An `unreachable`. Control does not come back from a call right before it if that is the last that its operator
    /// does: nothing need be kept across it.
    pub(crate) fn unreachable(&mut self) {
        let weight = take(&mut self.last_call);
        // A handler of this function may be where the call goes instead.
        if (weight == 0 || self.handlers) && !without(Fault::ResumeBeforeUnreachable) {
            return;
        }
        self.call_weight -= weight.min(self.call_weight);
        let calls = self.calls_before;
        if let Some(block) = self.innermost() {
            block.calls = calls;
        }
    }

    /// The innermost open block, if there is one.
    fn innermost(&mut self) -> Option<&mut BlockUse> {
        let block = self.lines.last()?.0.block()?;
        Some(&mut self.blocks[block])
    }
}

/// The compiler's type for one of wasm's, if it has it. What references to a type with an index are, `concrete` knows.
pub(crate) fn value_type(ty: ValType, concrete: impl Fn(UnpackedIndex) -> Ty) -> Option<Ty> {
    match ty {
        ValType::I32 => Some(Ty::I32),
        ValType::I64 => Some(Ty::I64),
        ValType::F32 => Some(Ty::F32),
        ValType::F64 => Some(Ty::F64),
        ValType::V128 => Some(Ty::V128),
        ValType::Ref(ty) => heap_type(ty.heap_type(), concrete),
    }
}

/// The compiler's type for references to one of wasm's heap types, if it has it.
pub(crate) fn heap_type(ty: HeapType, concrete: impl Fn(UnpackedIndex) -> Ty) -> Option<Ty> {
    use AbstractHeapType::{Cont, Func, NoCont, NoFunc};
    match ty {
        HeapType::Abstract { shared: true, .. } | HeapType::Exact(_) => None,
        HeapType::Abstract { ty: Func | NoFunc, .. } => Some(Ty::FuncRef),
        HeapType::Abstract { ty: Cont | NoCont, .. } => Some(Ty::ContRef),
        HeapType::Abstract { .. } => Some(Ty::GcRef),
        HeapType::Concrete(index) => Some(concrete(index)),
    }
}

/// What users call a type that is not supported.
pub(crate) fn type_feature(ty: ValType) -> &'static str {
    match ty {
        ValType::Ref(r) => heap_feature(r.heap_type()),
        _ => unreachable!("a number or vector is supported"),
    }
}

/// What users call a heap type that is not supported.
pub(crate) fn heap_feature(ty: HeapType) -> &'static str {
    match ty {
        HeapType::Abstract { shared: true, .. } => "shared-everything threads",
        _ => "custom descriptors",
    }
}
