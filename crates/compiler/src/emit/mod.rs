//! Sweep 2 below the road: the writer, the state between operators (`values`), and the emitter around it, whose shapes
//! lower operators, by kind.

pub(crate) mod calling;
pub(crate) mod comes;
mod condition;
pub(crate) mod control;
mod dispatch;
pub(crate) mod early;
pub(crate) mod edges;
pub(crate) mod flags;
pub(crate) mod frame;
pub(crate) mod frozen;
pub(crate) mod handlers;
pub(crate) mod heap;
pub(crate) mod leaf;
pub(crate) mod memory;
pub(crate) mod meter;
pub(crate) mod objects;
pub mod poison;
pub(crate) mod results;
pub(crate) mod shapes;
pub(crate) mod split;
pub(crate) mod stub;
pub(crate) mod values;
pub(crate) mod writer;

use crate::emit::edges::Block;
use crate::emit::frame::Top;
use crate::emit::handlers::Exceptions;
use crate::emit::handlers::Resumptions;
use crate::emit::leaf::Leaf;
use crate::emit::stub::{KeptRef, Stub};
use crate::emit::values::Values;
use crate::emit::values::regs::Copies;
use crate::emit::values::value::Operand;
use crate::isa::Isa;
use crate::operators::effects::Calls;
use crate::operators::next::Next;
use crate::operators::reader::Reader;
use crate::treaty::code::Parts;
use crate::treaty::facts::{AddressMap, Facts};
use crate::treaty::fault::proving;
use crate::treaty::sig::Sig;
use crate::validate::survey::Survey;
use lightbeam_asm::{Label, Reg};
use std::ops::{Deref, DerefMut};

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
    pub(crate) lists: &'a mut Lists<I>,
    pub(crate) reader: Reader<'a>,
    /// Offset of the body in the module.
    pub(crate) base: u32,

    /// Which of the locals is the address of the collector's heap, if that is kept.
    pub(crate) heap: Option<usize>,
    pub(crate) blocks: Vec<Block>,
    /// What makes the next operator unusual. Nothing of it, most of the time.
    pub(crate) unusual: Unusual,
    pub(crate) leaf: Leaf,
    /// Is it emitted without a frame?
    pub(crate) bare: bool,
    /// May loops keep locals in `Isa::LOOP_HOMES`?
    pub(crate) generous: bool,
    pub(crate) dead_depth: u32,
    /// Loops that are open.
    pub(crate) loops: u32,
    /// How many blocks have opened, as the survey numbers them.
    pub(crate) block_number: usize,

    /// Frame offset of the caller's result area pointer.
    pub(crate) result_area_slot: i32,
    /// Frame offset of the record of a thread, if a call between components begins or ends here.
    pub(crate) thread_record: i32,
    pub(crate) return_label: Label,

    /// Does any branch leave the function?
    pub(crate) return_branched: bool,
    /// See `FuncGen::is_plain_caller`.
    pub(crate) calls_plainly: bool,
    /// Fuel of operators passed and not yet charged.
    pub(crate) fuel: u32,
    /// Offsets below this need no check in accesses of memory 0, see `FuncGen::plain_address`.
    pub(crate) plain_offsets: u64,
    /// What is looked at of the operator that comes next.
    pub(crate) looked_at: Next,
    /// Operators compiled so far.
    pub(crate) operators: u64,
    /// What the operator being compiled does to registers; known where the state is proven.
    pub(crate) expected: Calls,
    /// Has the survey counted it as one that looks into objects? As `expected`.
    pub(crate) expected_in_heap: bool,
    /// Has the last operator been compiled? What comes then is stubs, landing pads and clauses.
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
    /// Somebody may look at the locals.
    pub(crate) const SHOWN: u8 = 16;

    pub(crate) fn of(facts: &Facts) -> Unusual {
        let settings = &facts.settings;
        let mut unusual = Unusual::default();
        unusual.set(Unusual::FUEL, settings.fuel);
        unusual.set(Unusual::MAPPED, settings.address_map == AddressMap::Operators);
        unusual.set(Unusual::SHOWN, settings.debug);
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

/// What only some operators use, kept in one place so that a function need not move it about.
#[derive(Default)]
pub(crate) struct Lists<I: Isa> {
    /// For each open `if` in its first arm, the copies at the other.
    pub(crate) else_copies: Vec<Copies<I>>,
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
    /// By class the heaviest locals, while homes are given out.
    pub(crate) tops: [Top; 2],
    /// Preserved registers, and where their values for the caller are.
    pub(crate) saved: Vec<(Reg, i32)>,
    /// Positions of the locals whose homes calls destroy.
    pub(crate) volatile_homes: Vec<u32>,
    /// Arguments of a call that are in no register yet, with theirs.
    pub(crate) args: Vec<(Reg, Operand)>,
    pub(crate) exceptions: Exceptions,
    pub(crate) resumptions: Resumptions,
}
