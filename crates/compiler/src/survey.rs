//! Sweep 1: validates a body and, in the same visit, takes the survey, the summary by which sweep 2 knows the future.
//!
//! The survey is of bounded size: a few words per touched local and per block. Declared locals that nothing touches cost
//! nothing, here as in every later step: entries are stamped with the function they belong to, never cleared.

use crate::error::{Error, ErrorKind};
use crate::ty::Ty;
use wasmparser::{
    AbstractHeapType, BinaryReader, BlockType, FrameKind, FrameStack, FuncValidator, FunctionBody, HeapType, RefType,
    ValType, ValidatorResources, VisitOperator,
};

/// What is known of one touched local.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalUse {
    /// Index of the local.
    pub(crate) local: u32,
    pub(crate) ty: Ty,
    /// Reads and writes, each weighted by the loops around it.
    pub(crate) weight: u32,
    /// Must it be zero at entry? Parameters never need it.
    pub(crate) zeroed: bool,
    /// The control frame whose straight line first wrote the local; all touches inside are after that write.
    owner: Frame,
    /// Touches in the loop that is being summed up; 0 between sums.
    in_loop: u32,
}

/// What is known of one `block`, `loop` or `if`, in the order in which they open.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockUse {
    /// Does any branch name its label?
    pub(crate) branched: bool,
    /// Is there a call that returns, or anything else that destroys registers, between its opening and its end?
    pub(crate) calls: bool,
    /// For a loop without calls: the locals that it touches most, by position, heaviest first.
    window: (u32, u32),
}

/// How many locals of a loop are named in its window.
const WINDOW: usize = 16;

/// Loops nested deeper than this are not summed up by themselves: each touch is looked at once per level.
const WINDOW_DEPTH: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    depth: u32,
    /// Number of the block, `u32::MAX` for the function's own frame.
    block: u32,
}

const FUNCTION: Frame = Frame { depth: 0, block: u32::MAX };

/// The survey of a function.
#[derive(Default)]
pub(crate) struct Survey {
    /// Touched locals, in the order of their first touch.
    pub(crate) locals: Vec<LocalUse>,
    /// By local index: stamp and position in `locals`.
    index: Vec<(u32, u32)>,
    stamp: u32,
    /// By number of the block.
    pub(crate) blocks: Vec<BlockUse>,
    /// Calls, weighted by the loops around them; those that never return are not counted.
    pub(crate) call_weight: u32,
    /// Is there any call at all?
    pub(crate) calls: bool,
    /// Number of parameters.
    params: u32,
    /// Open frames; for a loop, where its touches begin in `touches`.
    frames: Vec<(Frame, Option<u32>)>,
    /// Positions of the locals touched in the open loops, one entry a touch, with its weight.
    touches: Vec<(u32, u32)>,
    /// The locals of all windows.
    windows: Vec<u32>,
    /// Weights of the locals of the window that is being made.
    window_weights: Vec<u32>,
    loop_depth: u32,
    /// Touches looked at to sum up loops.
    pub(crate) steps: u64,
    /// Weight of the call that the operator before was, else 0, and whether its block had calls before it.
    last_call: u32,
    calls_before: bool,
    /// Offset of the first operator after the local declarations, in the body.
    pub(crate) code_start: usize,
}

/// Eight to the power of the loop depth, as everyone does, capped so that a deep nest leaves the sums in range.
fn weight(loop_depth: u32) -> u32 {
    1 << (3 * loop_depth.min(5))
}

impl Survey {
    fn begin(&mut self, params: u32) {
        self.locals.clear();
        self.blocks.clear();
        self.frames.clear();
        self.frames.push((FUNCTION, None));
        self.touches.clear();
        self.windows.clear();
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            self.index.clear();
            1
        });
        self.call_weight = 0;
        self.calls = false;
        self.params = params;
        self.loop_depth = 0;
        self.steps = 0;
        self.last_call = 0;
    }

    /// The position in `locals` of a touched local.
    #[inline]
    pub(crate) fn position(&self, local: u32) -> usize {
        debug_assert_eq!(self.index[local as usize].0, self.stamp);
        self.index[local as usize].1 as usize
    }

    /// The position of a local, if it is touched.
    pub(crate) fn find(&self, local: u32) -> Option<usize> {
        self.index.get(local as usize).filter(|(stamp, _)| *stamp == self.stamp).map(|(_, at)| *at as usize)
    }

    /// The locals worth registers of their own in the loop with this number, heaviest first. Empty if it has calls.
    pub(crate) fn window(&self, block: usize) -> &[u32] {
        let (start, end) = self.blocks[block].window;
        &self.windows[start as usize..end as usize]
    }

    #[inline]
    fn touch(&mut self, local: u32, write: bool, ty: impl FnOnce() -> Option<ValType>) {
        self.last_call = 0;
        let i = local as usize;
        if self.index.len() <= i {
            self.index.resize(i + 1, (0, 0));
        }
        let (stamp, at) = self.index[i];
        if stamp == self.stamp {
            let weight = weight(self.loop_depth);
            let entry = &mut self.locals[at as usize];
            entry.weight = entry.weight.saturating_add(weight);
            // Outside of the frame that wrote it first, the local may not have been written.
            if entry.owner != FUNCTION && self.frames.get(entry.owner.depth as usize).is_none_or(|f| f.0 != entry.owner)
            {
                entry.zeroed = true;
                entry.owner = FUNCTION;
            }
            if self.loop_depth > 0 {
                self.touches.push((at, weight));
            }
        } else if let Some(ty) = ty().and_then(value_type) {
            self.index[i] = (self.stamp, self.locals.len() as u32);
            let here = self.frames.last().map_or(FUNCTION, |f| f.0);
            let param = local < self.params;
            let (zeroed, owner) = if param {
                (false, FUNCTION)
            } else if write {
                (false, here)
            } else {
                (true, FUNCTION)
            };
            if self.loop_depth > 0 {
                self.touches.push((self.locals.len() as u32, weight(self.loop_depth)));
            }
            let weight = weight(self.loop_depth);
            self.locals.push(LocalUse { local, ty, weight, zeroed, owner, in_loop: 0 });
        }
    }

    fn open(&mut self, is_loop: bool) {
        let block = self.blocks.len() as u32;
        self.blocks.push(BlockUse::default());
        let touches = is_loop.then_some(self.touches.len() as u32);
        self.frames.push((Frame { depth: self.frames.len() as u32, block }, touches));
        self.loop_depth += u32::from(is_loop);
        self.last_call = 0;
    }

    /// A straight line begins anew, in the same frame as far as branches are concerned: what the first arm wrote, the
    /// second has not.
    fn turn(&mut self) {
        let depth = self.frames.len() as u32 - 1;
        if let Some((frame, _)) = self.frames.last_mut() {
            // A frame number of its own: an `else` arm is numbered after all blocks opened so far, downwards from the
            // end, so that it equals no other.
            *frame = Frame { depth, block: frame.block | 1 << 31 };
        }
        self.last_call = 0;
    }

    fn close(&mut self) {
        if let Some((frame, touches)) = self.frames.pop() {
            let calls = frame.block != u32::MAX && self.blocks[(frame.block & !(1 << 31)) as usize].calls;
            if calls
                && let Some((outer, _)) = self.frames.last()
                && outer.block != u32::MAX
            {
                self.blocks[(outer.block & !(1 << 31)) as usize].calls = true;
            }
            if let Some(start) = touches {
                if !calls && self.loop_depth <= WINDOW_DEPTH {
                    self.sum_up(frame.block as usize, start as usize);
                }
                self.loop_depth -= 1;
                if self.loop_depth == 0 {
                    self.touches.clear();
                }
            }
        }
        self.last_call = 0;
    }

    /// Finds the locals that the loop which now ends has touched most.
    fn sum_up(&mut self, block: usize, start: usize) {
        self.steps += (self.touches.len() - start) as u64;
        let from = self.windows.len();
        for &(at, weight) in &self.touches[start..] {
            let entry = &mut self.locals[at as usize];
            entry.in_loop = entry.in_loop.saturating_add(weight);
        }
        for i in start..self.touches.len() {
            let at = self.touches[i].0;
            let weight = std::mem::take(&mut self.locals[at as usize].in_loop);
            if weight == 0 {
                continue;
            }
            // Among the heaviest so far, in order; the weight travels with the position until the end.
            let mut place = self.windows.len();
            while place > from && self.window_weights[place - 1 - from] < weight {
                place -= 1;
            }
            if place - from < WINDOW {
                self.windows.insert(place, at);
                self.window_weights.insert(place - from, weight);
                self.windows.truncate(from + WINDOW);
                self.window_weights.truncate(WINDOW);
            }
        }
        self.window_weights.clear();
        self.blocks[block].window = (from as u32, self.windows.len() as u32);
    }

    fn branch(&mut self, depth: u32) {
        let at = self.frames.len().checked_sub(1 + depth as usize);
        if let Some((frame, _)) = at.and_then(|at| self.frames.get(at))
            && frame.block != u32::MAX
        {
            self.blocks[(frame.block & !(1 << 31)) as usize].branched = true;
        }
        self.last_call = 0;
    }

    fn call(&mut self) {
        self.calls = true;
        self.last_call = weight(self.loop_depth);
        self.call_weight = self.call_weight.saturating_add(self.last_call);
        let before = self.innermost().is_some_and(|block| std::mem::replace(&mut block.calls, true));
        self.calls_before = before;
    }

    fn unreachable(&mut self) {
        // A call right before `unreachable` does not return: nothing need be kept across it.
        let weight = std::mem::take(&mut self.last_call);
        if weight == 0 {
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
        let (frame, _) = self.frames.last()?;
        self.blocks.get_mut((frame.block & !(1 << 31)) as usize).filter(|_| frame.block != u32::MAX)
    }
}

/// The compiler's type for one of wasm's, if it has it.
pub(crate) fn value_type(ty: ValType) -> Option<Ty> {
    match ty {
        ValType::I32 => Some(Ty::I32),
        ValType::I64 => Some(Ty::I64),
        ValType::F32 => Some(Ty::F32),
        ValType::F64 => Some(Ty::F64),
        ValType::Ref(RefType::FUNCREF) => Some(Ty::FuncRef),
        ValType::V128 | ValType::Ref(_) => None,
    }
}

/// What users call a type that is not supported.
pub(crate) fn type_feature(ty: ValType) -> &'static str {
    match ty {
        ValType::V128 => "SIMD (v128)",
        ValType::Ref(RefType::EXTERNREF) => "externref",
        ValType::Ref(r) if is_exception(r.heap_type()) => "exception handling (exnref)",
        ValType::Ref(r) if r.is_func_ref() || !r.is_nullable() => "typed function references",
        _ => "garbage collection (GC reference types)",
    }
}

fn is_exception(ty: HeapType) -> bool {
    matches!(ty, HeapType::Abstract { ty: AbstractHeapType::Exn | AbstractHeapType::NoExn, .. })
}

/// Validates a body and takes its survey.
pub(crate) fn survey(
    survey: &mut Survey,
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    params: u32,
) -> Result<(), Error> {
    survey.begin(params);
    let mut reader = body.get_binary_reader();
    let start = reader.original_position();
    let count = reader.read_var_u32()?;
    for _ in 0..count {
        let offset = reader.original_position();
        let n = reader.read_var_u32()?;
        let ty: ValType = reader.read()?;
        validator.define_locals(offset, n, ty)?;
        if n > 0 && value_type(ty).is_none() {
            // Validation must still be the judge of an invalid body, so the type is checked first.
            return Err(Error { offset, kind: ErrorKind::Unsupported(type_feature(ty).into()) });
        }
    }
    survey.code_start = reader.original_position() - start;
    reader.set_features(*validator.features());
    while !reader.eof() {
        let offset = reader.original_position();
        let mut visitor = Sweep { validator, survey, offset };
        reader.visit_operator(&mut visitor)??;
    }
    finish(&reader, validator)?;
    Ok(())
}

fn finish(reader: &BinaryReader<'_>, validator: &mut FuncValidator<ValidatorResources>) -> Result<(), Error> {
    Ok(reader.finish_expression(&validator.visitor(reader.original_position()))?)
}

struct Sweep<'a> {
    validator: &'a mut FuncValidator<ValidatorResources>,
    survey: &'a mut Survey,
    offset: usize,
}

impl FrameStack for Sweep<'_> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.validator.get_control_frame(0).map(|frame| frame.kind)
    }
}

impl Sweep<'_> {
    fn unsupported(&self, what: &str) -> Result<(), Error> {
        Err(Error { offset: self.offset, kind: ErrorKind::Unsupported(what.into()) })
    }

    /// A block type must have nothing but types that the compiler has. (Function types were looked at as such.)
    fn block_type(&self, ty: BlockType) -> Result<(), Error> {
        match ty {
            BlockType::Type(ty) if value_type(ty).is_none() => self.unsupported(type_feature(ty)),
            _ => Ok(()),
        }
    }
}

/// What the survey notes of each operator that interests it, after validation has accepted it.
macro_rules! note {
    ($s:ident visit_local_get $i:ident) => {
        $s.survey.touch($i, false, || $s.validator.get_local_type($i))
    };
    ($s:ident visit_local_set $i:ident) => {
        $s.survey.touch($i, true, || $s.validator.get_local_type($i))
    };
    ($s:ident visit_local_tee $i:ident) => {
        $s.survey.touch($i, true, || $s.validator.get_local_type($i))
    };
    ($s:ident visit_block $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(false)
    }};
    ($s:ident visit_loop $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(true)
    }};
    ($s:ident visit_if $ty:ident) => {{
        $s.block_type($ty)?;
        $s.survey.open(false)
    }};
    ($s:ident visit_else) => {
        $s.survey.turn()
    };
    ($s:ident visit_end) => {
        $s.survey.close()
    };
    ($s:ident visit_br $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_br_if $d:ident) => {
        $s.survey.branch($d)
    };
    ($s:ident visit_br_table $t:ident) => {{
        if $t.len() > 65_520 {
            let what = format!("a br_table has {} targets, at most 65520 are allowed", $t.len());
            return Err(Error { offset: $s.offset, kind: ErrorKind::Limit(what) });
        }
        for target in $t.targets() {
            $s.survey.branch(target?);
        }
        $s.survey.branch($t.default());
    }};
    ($s:ident visit_unreachable) => {
        $s.survey.unreachable()
    };
    ($s:ident visit_call $f:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_call_indirect $ty:ident $t:ident) => {
        $s.survey.call()
    };
    // It may have to fill in the table's element first, and the arguments live across that.
    ($s:ident visit_return_call_indirect $ty:ident $t:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_memory_grow $m:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_memory_copy $a:ident $b:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_memory_fill $m:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_memory_init $d:ident $m:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_data_drop $d:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_table_get $t:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_table_grow $t:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_table_fill $t:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_table_copy $a:ident $b:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_table_init $a:ident $b:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_elem_drop $a:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_ref_func $f:ident) => {
        $s.survey.call()
    };
    ($s:ident visit_ref_null $t:ident) => {
        if $t != HeapType::FUNC {
            return $s.unsupported(if $t == HeapType::EXTERN { "externref" } else { "typed references" });
        }
    };
    ($s:ident visit_typed_select $t:ident) => {
        if value_type($t).is_none() {
            return $s.unsupported(type_feature($t));
        }
    };
    ($s:ident $visit:ident $($arg:ident)*) => {{
        $(let _ = $arg;)*
        $s.survey.last_call = 0;
    }};
}

macro_rules! support {
    (mvp $s:ident) => {};
    (sign_extension $s:ident) => {};
    (saturating_float_to_int $s:ident) => {};
    (bulk_memory $s:ident) => {};
    (reference_types $s:ident) => {};
    (tail_call $s:ident) => {};
    (wide_arithmetic $s:ident) => {};
    (gc $s:ident) => {
        return $s.unsupported("garbage collection")
    };
    (custom_descriptors $s:ident) => {
        return $s.unsupported("custom descriptors")
    };
    (memory_control $s:ident) => {
        return $s.unsupported("memory control")
    };
    (exceptions $s:ident) => {
        return $s.unsupported("exception handling")
    };
    (legacy_exceptions $s:ident) => {
        return $s.unsupported("legacy exception handling")
    };
    (threads $s:ident) => {
        return $s.unsupported("threads (atomic operators)")
    };
    (shared_everything_threads $s:ident) => {
        return $s.unsupported("shared-everything threads")
    };
    (function_references $s:ident) => {
        return $s.unsupported("typed function references")
    };
    (stack_switching $s:ident) => {
        return $s.unsupported("stack switching")
    };
    (simd $s:ident) => {
        return $s.unsupported("SIMD")
    };
    (relaxed_simd $s:ident) => {
        return $s.unsupported("relaxed SIMD")
    };
}

macro_rules! visit {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            #[inline]
            #[allow(unreachable_code, reason = "refused proposals return before the note")]
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
                visit!(@validate $visit self $($($arg)*)?);
                support!($proposal self);
                note!(self $visit $($($arg)*)?);
                Ok(())
            }
        )*
    };
    (@validate visit_br_table $s:ident $t:ident) => { $s.validator.visitor($s.offset).visit_br_table($t.clone())? };
    (@validate visit_try_table $s:ident $t:ident) => { $s.validator.visitor($s.offset).visit_try_table($t.clone())? };
    (@validate visit_resume $s:ident $a:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume($a, $t.clone())?
    };
    (@validate visit_resume_throw $s:ident $a:ident $b:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume_throw($a, $b, $t.clone())?
    };
    (@validate visit_resume_throw_ref $s:ident $a:ident $t:ident) => {
        $s.validator.visitor($s.offset).visit_resume_throw_ref($a, $t.clone())?
    };
    (@validate $visit:ident $s:ident $($arg:ident)*) => { $s.validator.visitor($s.offset).$visit($($arg),*)? };
}

macro_rules! visit_simd {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            #[allow(unreachable_code, reason = "refused proposals return")]
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Self::Output {
                self.validator.simd_visitor(self.offset).$visit($($($arg),*)?)?;
                support!($proposal self);
                Ok(())
            }
        )*
    };
}

impl<'a> VisitOperator<'a> for Sweep<'_> {
    type Output = Result<(), Error>;

    fn simd_visitor(&mut self) -> Option<&mut dyn wasmparser::VisitSimdOperator<'a, Output = Self::Output>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit);
}

impl<'a> wasmparser::VisitSimdOperator<'a> for Sweep<'_> {
    wasmparser::for_each_visit_simd_operator!(visit_simd);
}
