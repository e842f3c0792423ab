//! Where the values of a function are between two operators, and what may be done with them in the middle of one.
//!
//! [`Values`] is what changes from operator to operator and what the proofs are of. It appends instructions by its
//! writer, to spill, load and move, but decides nothing that depends on what comes next or on the host: it sees neither
//! the reader nor the survey nor the facts. `FuncGen` has one inside, and these.

mod check;
pub(crate) mod held;
mod literals;
mod local_state;
pub(crate) mod moves;
pub(crate) mod next_use;
pub(crate) mod ready;
pub(crate) mod regs;
mod remembered;
pub(crate) mod safepoints;
pub(crate) mod stack;
pub(crate) mod value;

pub(crate) use literals::{PATTERN, zero_bits};
pub(crate) use local_state::LocalState;
pub(crate) use remembered::Remembered;

use crate::emit::flags::Stamp;
use crate::emit::values::moves::Moves;
use crate::emit::values::next_use::NextUses;
use crate::emit::values::regs::{Copies, Regs};
use crate::emit::values::safepoints::Roots;
use crate::emit::values::value::{FlagsOf, Hot, Value};
use crate::emit::writer::Writer;
use crate::isa::Isa;
use lightbeam_asm::{Addr, Reg, RegSet};

/// Slots of the frame that were stored to, with where in the code that was: the last store of those that share an
/// entry.
pub(crate) struct Stored {
    entries: [(i32, u32); Stored::ENTRIES],
    /// What was stored before this is long done.
    since: u32,
    /// Where the last loop begins. What is read soon behind that may have been stored at its end.
    head: u32,
}

impl Stored {
    /// A loop begins here.
    pub(crate) fn begin_loop(&mut self, at: u32) {
        self.head = at;
    }

    const ENTRIES: usize = 16;
    /// None; no slot is at the frame pointer.
    pub(crate) const NONE: Stored = Stored { entries: [(0, 0); Stored::ENTRIES], since: 0, head: u32::MAX };
    /// Bytes of code that a processor goes through in about the time from a store to a load of the same place.
    const FRESH: u32 = 192;

    fn entry(slot: Addr) -> usize {
        (slot.disp() >> 3) as usize % Stored::ENTRIES
    }

    #[inline]
    fn note(&mut self, slot: Addr, at: u32) {
        self.entries[Stored::entry(slot)] = (slot.disp(), at);
    }

    fn has(&self, slot: Addr, at: u32) -> bool {
        if at >= self.head && at - self.head <= Stored::FRESH {
            return true;
        }
        let (stored, then) = self.entries[Stored::entry(slot)];
        stored == slot.disp() && then >= self.since.max(at.saturating_sub(Stored::FRESH))
    }
}

/// Where each value is.
pub(crate) struct Values<'a, I: Isa> {
    pub(crate) w: &'a mut Writer<I>,
    /// The body, from which constants of vectors are read.
    pub(crate) body: &'a [u8],
    pub(crate) stack: Vec<Value>,
    pub(crate) watermark: usize,
    pub(crate) hot: Option<Hot>,
    /// Wasm offset of the load that an operand of the current operator is, if one is.
    pub(crate) hot_wasm: u32,
    /// What the flags tell beside a pending condition.
    pub(crate) flags: Option<FlagsOf>,
    /// When the flags of a pending condition were set.
    pub(crate) pending: Stamp,
    /// A register each of whose lanes is all ones or all zeros, as long as no code is emitted behind this offset.
    pub(crate) lane_mask: Option<(Reg, u32)>,
    pub(crate) regs: Regs,
    /// The touched locals; behind them what else registers hold copies of.
    pub(crate) locals: Vec<LocalState>,
    pub(crate) remembered: Remembered,
    pub(crate) next_uses: &'a mut NextUses,
    /// Homes that calls destroy, of locals that are written again behind each call before they are read.
    pub(crate) passing: RegSet,
    /// Which slots were stored to lately.
    pub(crate) stored: Stored,
    /// How many blocks are open.
    pub(crate) depth: usize,
    /// By depth of an open block, the copies at its label; what is beyond the depth means nothing.
    pub(crate) copies: Vec<Copies<I>>,
    /// References in the frame.
    pub(crate) roots: &'a mut Roots,
    /// Moves between registers that are to be made at once.
    pub(crate) moves: &'a mut Moves,

    /// Offset of operand slot 0's upper end from the frame pointer.
    pub(crate) slots_base: i32,
    pub(crate) slots_used: u32,
    /// Logarithm of a slot's size: 8 bytes, 16 in functions that have vectors, twice that in those compiled deep.
    pub(crate) slot_log2: u32,
    /// Where in the slot of a position a reference to an object is: at its end, or in functions that are compiled deep
    /// in the upper half.
    pub(crate) reference_part: i32,
    /// Bytes below the operand slots: arguments and result areas of calls.
    pub(crate) outgoing: u32,
    /// Bytes for registers that stubs save.
    pub(crate) stub_saves: u32,
}
