//! The road of one body: survey, plan, prologue, operators, epilogue, stubs. Read this file first.

use crate::emit::edges::Block;
use crate::emit::flags::Stamp;
use crate::emit::leaf::Leaf;
use crate::emit::values::moves::Moves;
use crate::emit::values::next_use::NextUses;
use crate::emit::values::regs::{Copies, Regs};
use crate::emit::values::safepoints::Roots;
use crate::emit::values::value::Value;
use crate::emit::values::{LocalState, Remembered, Stored, Values};
use crate::emit::writer::Budget;
use crate::emit::writer::{Stop, Writer};
use crate::emit::{FuncGen, Lists, Unusual};
use crate::isa::Isa;
use crate::operators::effects::Calls;
use crate::operators::next::Next;
use crate::operators::reader::Reader;
use crate::routines;
use crate::treaty::code::{FuncCode, Parts, Routine, Target, TrapCode};
use crate::treaty::error::{Error, ErrorKind};
use crate::treaty::facts::{Callee, Facts};
use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;
use crate::validate::survey::Survey;
use crate::validate::{Buffers, product, survey};
use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources};

/// What a worker keeps from function to function, so that none allocates for itself.
#[derive(Default)]
pub struct Workspace<I: Isa> {
    /// If there is one, the times of both sweeps are added up by it. It counts in any unit, from any start.
    pub clock: Option<fn() -> u64>,
    /// Time in sweep 1: validation and survey.
    pub survey_time: u64,
    /// Time in sweep 2: emission.
    pub emit_time: u64,
    validation: Buffers,
    survey: Survey,
    /// A body in the place of one that is a product.
    product: Vec<u8>,
    state: State<I>,
}

/// The vectors of a [`FuncGen`] from function to function.
#[derive(Default)]
struct State<I: Isa> {
    stack: Vec<Value>,
    blocks: Vec<Block>,
    copies: Vec<Copies<I>>,
    locals: Vec<LocalState>,
    roots: Roots,
    moves: Moves,
    next_uses: NextUses,
    lists: Lists<I>,
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
    workspace: &mut Workspace<I>,
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

    debug_assert_eq!(facts.settings.fuses, I::fuses(&facts.settings.cpu), "the processor's features are the settings'");

    let now = |clock: Option<fn() -> u64>| clock.map_or(0, |clock| clock());
    let started = now(workspace.clock);
    let decided = survey(&mut workspace.survey, &mut workspace.validation, facts, sig, validator, &body)?;
    w.counters.left_to_judge += u64::from(!decided);
    let surveyed = now(workspace.clock);
    workspace.survey_time += surveyed - started;

    // Fuel is what the operators cost that are there, and debuggers show them.
    let product = match facts.settings.fuel || facts.settings.debug {
        true => None,
        false => product::product(sig, &mut workspace.survey, body.as_bytes(), &mut workspace.product),
    };
    let bytes = product.unwrap_or(body.as_bytes());
    let wasm = body.range().start as u32;
    let (relocs, records, sites) = (w.relocs.len(), w.records.len(), w.sites.len());
    w.reset_labels();
    w.reserve(4 * I::MAX_PRIMITIVE);
    let start = begin(facts, w, escapes, index);

    let result = emit_either(facts, &workspace.survey, sig, bytes, wasm, &mut workspace.state, w);
    workspace.emit_time += now(workspace.clock) - surveyed;
    let parts = result?;

    w.counters.relocations += (w.relocs.len() - relocs) as u64;
    w.counters.records += (w.records.len() - records) as u64;
    w.funcs.push(FuncCode {
        index,
        start: start.0,
        body: start.1,
        end: w.offset(),
        wasm,
        wasm_bytes: bytes.len() as u32,
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
    workspace: &mut Workspace<I>,
    w: &mut Writer<I>,
) -> Result<u32, Error> {
    match routine {
        Routine::Constant { index } => constant(facts, index, workspace, w),
        routine => Ok(routines::emit(facts, routine, w)),
    }
}

/// Compiles a constant expression as a function without parameters, and says where it begins.
fn constant<I: Isa>(facts: &Facts, index: u32, workspace: &mut Workspace<I>, w: &mut Writer<I>) -> Result<u32, Error> {
    let body = &facts.constants[index as usize];
    let sig = I::sig(&[], &[Ty::GcRef]);
    let survey = &mut workspace.survey;
    survey.begin(0);
    survey.code_start = 0;
    survey.note(Calls::Returns);
    // The expression may have some, and runs once.
    survey.vectors = true;
    w.reset_labels();
    w.reserve(4 * I::MAX_PRIMITIVE);
    let (start, _) = begin(facts, w, false, u32::MAX);
    emit_either(facts, survey, &sig, body, 0, &mut workspace.state, w)?;
    Ok(start)
}

/// Pads to the alignment of private entries and puts the `Tail` entry before it, if there is one.
fn begin<I: Isa>(facts: &Facts, w: &mut Writer<I>, escapes: bool, index: u32) -> (u32, u32) {
    let entry = if escapes { I::JUMP_BYTES } else { 0 };
    w.pad_to_entry(entry);
    let start = w.offset();
    w.begin_unwind(&facts.settings);
    if escapes {
        let at = w.jmp_sym();
        w.reloc(at, Target::Thunk(index));
        debug_assert_eq!(w.offset(), start + I::JUMP_BYTES);
    }
    (start, w.offset())
}

/// Sweep 2, and once more if there are too many references, see `safepoints`, or if its loops keep so much in registers
/// that an operator finds none.
fn emit_either<I: Isa>(
    facts: &Facts,
    survey: &Survey,
    sig: &Sig,
    body: &[u8],
    base: u32,
    state: &mut State<I>,
    w: &mut Writer<I>,
) -> Result<Parts, Error> {
    let leaf = Leaf::of::<I>(facts, survey, sig, body);
    if leaf.harmless {
        let mark = w.mark();
        match emit(facts, survey, sig, body, base, state, w, Mode::Bare, leaf, true) {
            Err(Stop::NeedsFrame) => w.take_back(&mark),
            Ok(parts) => return Ok(parts),
            Err(_) => unreachable!("a small function without calls is within its budget"),
        }
    }
    let mark = (facts.references || survey.catches_references || survey.keeps_in_loops()).then(|| w.mark());
    let (mut mode, mut generous) = (Mode::Plain, true);
    let result = loop {
        let result = emit(facts, survey, sig, body, base, state, w, mode, leaf, generous);
        // Each of them is the last of its kind.
        match result {
            Err(Stop::TooManyReferences) if mode == Mode::Plain => mode = Mode::Deep,
            Err(Stop::NoRegister) if generous => generous = false,
            result => break result,
        }
        w.take_back(mark.as_ref().expect("there are references, or loops that keep locals"));
    };
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
    /// Without a frame, see `leaf`.
    Bare,
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
    state: &mut State<I>,
    w: &mut Writer<I>,
    mode: Mode,
    leaf: Leaf,
    generous: bool,
) -> Result<Parts, Stop> {
    let slot_log2 = if survey.vectors { 4 } else { 3 };
    let deep = mode == Mode::Deep;
    w.begin_function(&facts.settings, Budget::most(body.len()));
    w.set_hot(false);
    w.wasm = base + survey.code_start as u32;
    let return_label = w.label();
    let pending = Stamp::of(w);
    let mut cg = FuncGen::<I> {
        values: Values {
            w,
            body,
            stack: std::mem::take(&mut state.stack),
            watermark: 0,
            hot: None,
            hot_wasm: 0,
            flags: None,
            pending,
            lane_mask: None,
            stored: Stored::NONE,
            passing: lightbeam_asm::RegSet::EMPTY,
            regs: Regs::new(I::ALLOCATABLE),
            locals: std::mem::take(&mut state.locals),
            remembered: Remembered::NONE,
            next_uses: &mut state.next_uses,
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
        leaf,
        bare: mode == Mode::Bare,
        generous,
        dead_depth: 0,
        loops: 0,
        block_number: 0,
        result_area_slot: 0,
        thread_record: 0,
        return_label,
        return_branched: false,
        calls_plainly: false,
        fuel: 0,
        plain_offsets: FuncGen::<I>::plain_offsets(facts),
        looked_at: Next::looked_at(facts.settings.fuel),
        operators: 0,
        expected: Calls::No,
        expected_in_heap: false,
        in_margin: false,
        parts: Parts::default(),
    };
    cg.next_uses.begin();
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

    let early = cg.early_exit();
    let enter = cg.prologue();
    cg.set_conventional(false);
    cg.open_function();
    cg.operators();
    cg.epilogue();
    cg.in_margin = true;
    if let Some(exit) = early {
        cg.place_early_exit(exit);
    }
    if !cg.lists.exceptions.catches.is_empty() {
        cg.landing_pads();
    }
    if !cg.lists.resumptions.clauses.is_empty() {
        cg.handler_clauses();
    }
    if !cg.lists.stubs.is_empty() {
        cg.stubs();
    }
    cg.trap_stubs();
    cg.prove_no_map_is_owed();
    if deep {
        cg.finish_deep();
    }
    if facts.settings.poison {
        cg.finish_poison();
    }
    cg.w.watch(lightbeam_asm::RegSet::EMPTY);
    cg.parts.constants = cg.w.place_constants();
    cg.w.counters.operators += cg.operators;
    cg.w.counters.steps += survey.steps;
    let frame = cg.frame_size();
    match enter {
        Some(enter) => cg.w.patch_frame(enter, frame),
        None if frame > 0 => cg.w.stop(Stop::NeedsFrame),
        None => {}
    }
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
    fn trap_stubs(&mut self) {
        while let Some(trap) = self.w.next_trap() {
            let early = trap.code == TrapCode::StackOverflow;
            if early {
                self.w.unsaved();
            }
            if trap.code == TrapCode::StackOverflow && !self.facts.settings.hardware_traps {
                // The frame that does not fit must not be there when the host is called: below it may be anything.
                self.w.cut_frame();
            }
            self.trap_now(trap.code, trap.wasm);
            if early {
                self.w.gone();
            }
        }
    }
}
