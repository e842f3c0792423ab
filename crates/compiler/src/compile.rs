//! The road of one body: survey, plan, prologue, operators, epilogue, stubs. Read this file first.

use crate::emit::control::blocks::Block;
use crate::emit::control::continuations::Resumptions;
use crate::emit::control::exceptions::Exceptions;
use crate::emit::control::meter::{KeptRef, Stub};
use crate::emit::values::moves::Moves;
use crate::emit::values::regs::{Copies, Regs};
use crate::emit::values::safepoints::Roots;
use crate::emit::values::value::{Operand, Value};
use crate::emit::values::{LocalState, Values};
use crate::emit::writer::{Stop, Writer};
use crate::isa::Isa;
use crate::operators::effects::Calls;
use crate::operators::reader::Reader;
use crate::routines;
use crate::treaty::code::{FuncCode, Parts, Routine, TAIL_ENTRY_BYTES, Target, TrapCode};
use crate::treaty::error::{Error, ErrorKind};
use crate::treaty::facts::{AddressMap, Callee, Facts};
use crate::treaty::fault::proving;
use crate::treaty::sig::Sig;
use crate::treaty::ty::{Ty, Width};
use crate::validate::survey::Survey;
use crate::validate::{Buffers, survey};
use lightbeam_asm::{Label, Reg};
use std::ops::{Deref, DerefMut};
use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources};

/// What a worker keeps from function to function, so that none allocates for itself.
#[derive(Default)]
pub struct Scratch {
    /// If there is one, the times of both sweeps are added up by it. It counts in any unit, from any start.
    pub clock: Option<fn() -> u64>,
    /// Time in sweep 1: validation and survey.
    pub survey_time: u64,
    /// Time in sweep 2: emission.
    pub emit_time: u64,
    validation: Buffers,
    survey: Survey,
    state: State,
}

/// The vectors of a [`FuncGen`] from function to function.
#[derive(Default)]
struct State {
    stack: Vec<Value>,
    blocks: Vec<Block>,
    copies: Vec<Copies>,
    locals: Vec<LocalState>,
    roots: Roots,
    moves: Moves,
    lists: Lists,
}

/// What only some operators use, kept in one place so that a function need not move it about.
#[derive(Default)]
pub(crate) struct Lists {
    /// For each open `if` in its first arm, the copies at the other.
    pub(crate) else_copies: Vec<Copies>,
    pub(crate) stubs: Vec<Stub>,
    /// References that stubs keep in memory, see `Stub::refs`.
    pub(crate) stub_refs: Vec<KeptRef>,
    /// Where a frame is filled with garbage, and where to go then, see `Settings::poison`.
    pub(crate) poison: Option<(Label, Label)>,
    pub(crate) targets: Vec<Label>,
    /// By depth: the table that named it last, and where its label is in `br_labels`.
    pub(crate) seen: Vec<(u32, u32)>,
    pub(crate) seen_stamp: u32,
    pub(crate) br_labels: Vec<Label>,
    /// Of a `br_table`: for each depth to whose label values have to be moved, where that is done.
    pub(crate) br_stubs: Vec<(Label, u32)>,
    /// Preserved registers, and where their values for the caller are.
    pub(crate) saved: Vec<(Reg, i32)>,
    /// Positions of the locals whose homes calls destroy.
    pub(crate) volatile_homes: Vec<u32>,
    /// Arguments of a call that are in no register yet, with theirs.
    pub(crate) args: Vec<(Reg, Operand)>,
    pub(crate) exceptions: Exceptions,
    pub(crate) resumptions: Resumptions,
}

/// The guarantee on output: at most `PER_BYTE` bytes of code for each byte of wasm, plus `CONSTANT`. It holds for each
/// function, seen to here; a host can hold a module of many functions to it as a whole.
pub struct Budget;

impl Budget {
    /// Code bytes for a byte of wasm.
    pub const PER_BYTE: usize = 160;
    /// Code bytes on top, once.
    pub const CONSTANT: usize = 256 * 1024;

    /// Most code bytes for so many bytes of wasm.
    #[must_use]
    pub const fn most(bytes: usize) -> usize {
        bytes.saturating_mul(Budget::PER_BYTE).saturating_add(Budget::CONSTANT)
    }
}

/// The emitter of one function: where its values are, and all that decides what is made of them.
///
/// It derefs to its [`Values`], and these hold the writer: an operator is written in terms of all three, and saying at
/// each of a thousand places whose the stack is would hide what the place does. What counts is the other direction,
/// which the compiler sees to: no method of `Values` can reach the survey, the reader or the facts.
pub(crate) struct FuncGen<'a, I: Isa> {
    pub(crate) values: Values<'a, I>,
    pub(crate) facts: &'a Facts,
    pub(crate) survey: &'a Survey,
    pub(crate) sig: &'a Sig,
    pub(crate) lists: &'a mut Lists,
    pub(crate) reader: Reader<'a>,
    /// Offset of the body in the module.
    base: u32,

    /// Which of the locals is the address of the collector's heap, if that is kept.
    pub(crate) heap: Option<usize>,
    pub(crate) blocks: Vec<Block>,
    /// What makes the next operator unusual. Nothing of it, most of the time.
    pub(crate) unusual: Unusual,
    pub(crate) dead_depth: u32,
    /// How many blocks have opened, as the survey numbers them.
    pub(crate) block_number: usize,

    /// Frame offset of the caller's result area pointer.
    pub(crate) result_area_slot: i32,
    pub(crate) return_label: Label,

    /// Does any branch leave the function?
    pub(crate) return_branched: bool,
    /// Fuel of operators passed and not yet charged.
    pub(crate) fuel: u32,
    /// Offsets below this need no check in accesses of memory 0, see `FuncGen::plain_address`.
    pub(crate) plain_offsets: u64,
    /// Operators compiled so far.
    pub(crate) operators: u64,
    /// What the operator being compiled does to registers; known where the state is proven.
    pub(crate) expected: Calls,
    /// Has the survey counted it as one that looks into objects? As `expected`.
    pub(crate) expected_in_heap: bool,
    /// Has the last operator been compiled? What comes then is stubs and pads.
    pub(crate) in_margin: bool,
    pub(crate) parts: Parts,
}

impl<'a, I: Isa> Deref for FuncGen<'a, I> {
    type Target = Values<'a, I>;

    #[inline(always)]
    fn deref(&self) -> &Values<'a, I> {
        &self.values
    }
}

impl<'a, I: Isa> DerefMut for FuncGen<'a, I> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Values<'a, I> {
        &mut self.values
    }
}

/// Reasons not to go straight to the next operator, in one byte so that all are looked at in one step.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Unusual(u8);

impl Unusual {
    /// The place is unreachable: nothing is emitted, and blocks are counted, not opened.
    pub(crate) const DEAD: u8 = 1;
    /// Operators cost fuel.
    pub(crate) const FUEL: u8 = 2;
    /// The address map records every operator.
    pub(crate) const MAPPED: u8 = 4;
    /// The state is proven before every operator.
    pub(crate) const CHECKED: u8 = 8;

    fn of(facts: &Facts) -> Unusual {
        let settings = &facts.settings;
        let mut unusual = Unusual::default();
        unusual.set(Unusual::FUEL, settings.fuel);
        unusual.set(Unusual::MAPPED, settings.address_map == AddressMap::Operators);
        unusual.set(Unusual::CHECKED, (cfg!(debug_assertions) || settings.check) && proving());
        unusual
    }

    #[inline]
    pub(crate) fn any(self) -> bool {
        self.0 != 0
    }

    #[inline]
    pub(crate) fn has(self, what: u8) -> bool {
        self.0 & what != 0
    }

    #[inline]
    pub(crate) fn set(&mut self, what: u8, on: bool) {
        self.0 = if on { self.0 | what } else { self.0 & !what };
    }
}

/// Compiles one function of a module and appends it to `w`. Validates the body as well.
///
/// # Errors
///
/// If the body is invalid, uses what is not supported, or exceeds a limit. `w` may then hold the beginning of the
/// function and is not to be used.
pub fn compile<I: Isa>(
    facts: &Facts,
    index: u32,
    validator: FuncToValidate<ValidatorResources>,
    body: FunctionBody<'_>,
    scratch: &mut Scratch,
    w: &mut Writer<I>,
) -> Result<(), Error> {
    let function = validator.index;
    let fact = &facts.funcs[function as usize];
    let sig = &facts.sigs[fact.sig as usize];
    let escapes = match fact.callee {
        Callee::Defined { index: defined, escapes } => {
            debug_assert_eq!(defined, index);
            escapes
        }
        Callee::Imported { .. } => unreachable!("a body belongs to a defined function"),
    };

    let now = |clock: Option<fn() -> u64>| clock.map_or(0, |clock| clock());
    let started = now(scratch.clock);
    let decided = survey(&mut scratch.survey, &mut scratch.validation, facts, sig, validator, &body)?;
    w.counters.left_to_reference += u64::from(!decided);
    let surveyed = now(scratch.clock);
    scratch.survey_time += surveyed - started;

    let bytes = body.as_bytes();
    let wasm = body.range().start as u32;
    let (relocs, traps, addresses) = (w.relocs.len() as u32, w.traps.len() as u32, w.addresses.len() as u32);
    w.reset_labels();
    w.reserve(4 * I::MAX_PRIMITIVE);
    let start = begin(w, escapes, index);
    let sites = w.sites.len();

    let result = emit_either(facts, &scratch.survey, sig, bytes, wasm, &mut scratch.state, w);
    scratch.emit_time += now(scratch.clock) - surveyed;
    let parts = result?;

    w.counters.relocations += w.relocs.len() as u64 - u64::from(relocs);
    w.counters.traps += w.traps.len() as u64 - u64::from(traps);
    w.counters.addresses += w.addresses.len() as u64 - u64::from(addresses);
    w.funcs.push(FuncCode {
        index,
        start: start.0,
        body: start.1,
        end: w.offset(),
        wasm,
        wasm_bytes: bytes.len() as u32,
        relocs: relocs..w.relocs.len() as u32,
        traps: traps..w.traps.len() as u32,
        addresses: addresses..w.addresses.len() as u32,
        exception_bytes: w.sites[sites..].iter().map(|site| site.bytes()).sum(),
        parts,
    });
    Ok(())
}

/// Emits a routine of the module at the end of `w` and says where it begins.
///
/// # Errors
///
/// If a constant expression gives more code than it may.
pub fn compile_routine<I: Isa>(
    facts: &Facts,
    routine: Routine,
    scratch: &mut Scratch,
    w: &mut Writer<I>,
) -> Result<u32, Error> {
    match routine {
        Routine::Constant { index } => constant(facts, index, scratch, w),
        routine => Ok(routines::emit(facts, routine, w)),
    }
}

/// Compiles a constant expression as a function without parameters, and says where it begins.
fn constant<I: Isa>(facts: &Facts, index: u32, scratch: &mut Scratch, w: &mut Writer<I>) -> Result<u32, Error> {
    let body = &facts.constants[index as usize];
    let sig = I::sig(&[], &[Ty::GcRef]);
    let survey = &mut scratch.survey;
    survey.begin(0);
    survey.code_start = 0;
    survey.note(Calls::Returns);
    // It may have some, and runs once.
    survey.vectors = true;
    w.reset_labels();
    w.reserve(4 * I::MAX_PRIMITIVE);
    let (start, _) = begin(w, false, u32::MAX);
    emit_either(facts, survey, &sig, body, 0, &mut scratch.state, w)?;
    Ok(start)
}

/// Pads to the alignment of private entries and puts the `Tail` entry before it, if there is one.
fn begin<I: Isa>(w: &mut Writer<I>, escapes: bool, index: u32) -> (u32, u32) {
    let entry = if escapes { TAIL_ENTRY_BYTES } else { 0 };
    w.pad_to_entry(entry);
    let start = w.offset();
    if escapes {
        let at = w.jmp_sym();
        w.reloc(at, Target::Thunk(index));
        debug_assert_eq!(w.offset(), start + TAIL_ENTRY_BYTES);
    }
    (start, w.offset())
}

/// Sweep 2, and once more if there are too many references, see `safepoints`.
fn emit_either<I: Isa>(
    facts: &Facts,
    survey: &Survey,
    sig: &Sig,
    body: &[u8],
    base: u32,
    state: &mut State,
    w: &mut Writer<I>,
) -> Result<Parts, Error> {
    let mark = (facts.references || survey.catches_references).then(|| w.mark());
    let mut result = emit(facts, survey, sig, body, base, state, w, Mode::Plain);
    if let (Err(Stop::TooManyReferences), Some(mark)) = (&result, mark) {
        w.take_back(&mark);
        result = emit(facts, survey, sig, body, base, state, w, Mode::Deep);
    }
    result.map_err(|_| {
        let (bytes, most) = (body.len(), Budget::most(body.len()));
        let what = format!("a function body of {bytes} bytes gives more than {most} bytes of machine code");
        Error { offset: base as usize, kind: ErrorKind::Limit(what) }
    })
}

/// How a function is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    /// With twice as large slots, see `safepoints`.
    Deep,
}

/// Sweep 2. Never inlined, so that profiles can tell it from sweep 1.
#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "all of it is the function's")]
fn emit<I: Isa>(
    facts: &Facts,
    survey: &Survey,
    sig: &Sig,
    body: &[u8],
    base: u32,
    state: &mut State,
    w: &mut Writer<I>,
    mode: Mode,
) -> Result<Parts, Stop> {
    let slot_log2 = if survey.vectors { 4 } else { 3 };
    let deep = mode == Mode::Deep;
    w.begin_function(&facts.settings, Budget::most(body.len()));
    w.wasm = base + survey.code_start as u32;
    let return_label = w.label();
    let mut cg = FuncGen::<I> {
        values: Values {
            w,
            body,
            stack: std::mem::take(&mut state.stack),
            watermark: 0,
            hot: None,
            hot_wasm: 0,
            flags: None,
            lane_mask: None,
            regs: Regs::new(I::ALLOCATABLE),
            locals: std::mem::take(&mut state.locals),
            depth: 0,
            copies: std::mem::take(&mut state.copies),
            roots: &mut state.roots,
            moves: &mut state.moves,
            slots_base: 0,
            slots_used: 0,
            slot_log2: slot_log2 + u32::from(deep),
            reference_part: if deep { 1 << slot_log2 } else { 0 },
            outgoing: 0,
            stub_saves: 0,
        },
        facts,
        survey,
        sig,
        lists: &mut state.lists,
        reader: Reader::new(body, survey.code_start),
        base,
        heap: survey.heap(),
        blocks: std::mem::take(&mut state.blocks),
        unusual: Unusual::of(facts),
        dead_depth: 0,
        block_number: 0,
        result_area_slot: 0,
        return_label,
        return_branched: false,
        fuel: 0,
        plain_offsets: FuncGen::<I>::plain_offsets(facts),
        operators: 0,
        expected: Calls::No,
        expected_in_heap: false,
        in_margin: false,
        parts: Parts::default(),
    };
    cg.stack.clear();
    cg.blocks.clear();
    cg.lists.else_copies.clear();
    cg.lists.stubs.clear();
    let first_handlers = cg.begin_handlers();
    cg.lists.resumptions.clear();
    cg.lists.poison = None;
    cg.lists.stub_refs.clear();
    let maps = cg.w.maps.len();
    cg.roots.begin(facts.references || survey.catches_references, maps, deep);

    let enter = cg.prologue();
    cg.set_conventional(false);
    cg.open_function();
    cg.operators();
    cg.epilogue();
    cg.in_margin = true;
    cg.landing_pads();
    cg.resumption_pads();
    cg.stubs();
    cg.trap_stubs();
    cg.prove_no_map_is_owed();
    cg.finish_deep();
    cg.finish_poison();
    cg.w.watch(lightbeam_asm::RegSet::EMPTY);
    cg.parts.constants = cg.w.place_constants();
    cg.w.counters.operators += cg.operators;
    cg.w.counters.steps += survey.steps;
    let frame = cg.frame_size();
    cg.w.patch_frame(enter, frame);
    cg.finish_handlers(first_handlers, frame);
    let stopped = cg.w.stopped();

    let FuncGen { values: Values { stack, locals, copies, .. }, blocks, parts, .. } = cg;
    state.stack = stack;
    state.locals = locals;
    state.blocks = blocks;
    state.copies = copies;
    match stopped {
        Some(stop) => Err(stop),
        None => Ok(parts),
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// Looks after what makes the next operator unusual: an end of the room or of the budget, unreachable code, fuel,
    /// maps, proofs. Is there an operator to compile now?
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare(&mut self) -> bool {
        if self.unusual.has(Unusual::CHECKED) {
            self.check();
        }
        while self.unusual.has(Unusual::DEAD) {
            if self.reader.at_end() {
                return false;
            }
            self.w.wasm = self.base + self.reader.pos() as u32;
            self.skip();
        }
        if self.w.check_budget() || self.reader.at_end() {
            return false;
        }
        self.w.look_ahead();
        if self.unusual.has(Unusual::FUEL) {
            self.fuel += u32::from(!self.reader.peek_op().effects().free);
        }
        if self.unusual.has(Unusual::CHECKED) {
            self.expect_effects();
        }
        if self.unusual.has(Unusual::MAPPED) {
            let (at, wasm) = (self.w.offset(), self.base + self.reader.pos() as u32);
            self.w.map_address(at, wasm);
        }
        true
    }

    /// Starts on the next operator and gives its opcode.
    #[inline(always)]
    pub(crate) fn next_operator(&mut self) -> u8 {
        self.w.wasm = self.base + self.reader.pos() as u32;
        self.regs.pinned = crate::emit::values::regs::Pins::NONE;
        self.set_conventional(false);
        self.operators += 1;
        self.reader.u8()
    }

    /// Traps here and now.
    pub(crate) fn trap_now(&mut self, code: TrapCode, wasm: u32) {
        if self.facts.settings.hardware_traps {
            self.w.trap_here(code, wasm);
        } else {
            self.raise(code, wasm);
        }
    }

    fn trap_stubs(&mut self) {
        while let Some(trap) = self.w.next_trap() {
            if trap.code == TrapCode::StackOverflow && !self.facts.settings.hardware_traps {
                // The frame that does not fit must not be there when the host is called: below it may be anything.
                self.w.mov(Width::W64, I::STACK, I::FRAME);
            }
            self.trap_now(trap.code, trap.wasm);
        }
    }
}
