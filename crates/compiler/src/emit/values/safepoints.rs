//! Stack maps: where in the frame references to objects are while a collector may run.
//!
//! A collector may run during every call but those of routines that promise it does not. It reads the references in the
//! frame and may change them, so none is in a register then: locals of such types have no homes in functions that call,
//! entries of the stack go to their slots as before any call, and copies are dropped.
//!
//! The slots of reference locals hold nothing but references from the function's entry on, so all maps of a function
//! name all of them. What changes is on the stack. Entries below the watermark stay where they are, so each is looked
//! at once when it has come below; above it there are few. A map is made only if it differs from the one before.
//!
//! Where thousands of references live across thousands of calls, and others at each, such maps together grow with the
//! square of the function. So a function whose maps become large beside its body is compiled once more, *deep*: each
//! slot of the stack is twice as large then, references have one half and all else has the other, and all halves for
//! references are null from the entry on. One map serves the whole function. It names references, too, that nobody
//! needs any more; they are kept up to date like any other, as those in locals are.

use crate::emit::values::Values;
use crate::emit::values::value::Loc;
use crate::emit::writer::Budget;
use crate::emit::writer::Stop;
use crate::isa::{Alu, Isa, Src, Store};
use crate::treaty::code::Safepoint;
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label};

/// What is known of the references in the frame.
#[derive(Default)]
pub(crate) struct Roots {
    /// Can there be any?
    pub(crate) any: bool,
    /// The slots of reference locals, as offsets from the frame pointer.
    pub(crate) locals: Vec<i32>,
    /// Positions of references among the first `known` entries of the stack, which were below the watermark.
    below: Vec<u32>,
    pub(crate) known: usize,
    /// Has `below` changed since the last map?
    changed: bool,
    /// The last map, and what it says of entries above the watermark: where that was, and a bit for each entry.
    last: Option<u32>,
    last_window: (usize, u32),
    /// Where the function's maps begin.
    first: usize,
    /// Is it compiled deep?
    deep: bool,
    /// Deep: where the halves are cleared, and where to go then.
    clear: Option<(Label, Label)>,
    /// Has a call been emitted during which a collector may run, and its map not yet been looked for?
    #[cfg(debug_assertions)]
    owed: bool,
}

impl Roots {
    /// Begins a function.
    pub(crate) fn begin(&mut self, any: bool, first: usize, deep: bool) {
        self.any = any;
        self.locals.clear();
        self.below.clear();
        self.known = 0;
        self.changed = false;
        self.last = None;
        self.first = first;
        self.deep = deep;
        self.clear = None;
        #[cfg(debug_assertions)]
        {
            self.owed = false;
        }
    }
}

impl<I: Isa> Values<'_, I> {
    /// Entries up to here are in their slots now.
    #[inline]
    pub(crate) fn raise_watermark(&mut self, to: usize) {
        if to > self.watermark {
            let roots = &mut *self.roots;
            roots.known = roots.known.min(self.watermark);
            self.watermark = to;
        }
    }

    /// All entries are in their slots now.
    #[inline]
    pub(crate) fn all_in_slots(&mut self) {
        self.raise_watermark(self.stack.len());
    }

    /// A call that has just been emitted is one during which a collector may run.
    #[inline]
    pub(crate) fn safepoint(&mut self) {
        if self.roots.any && !without(Fault::Safepoints) {
            let map = self.map_here(false);
            self.safepoint_with(map);
        }
    }

    /// A collector may run during the call that has just been emitted, whose map was made before.
    pub(crate) fn safepoint_with(&mut self, map: Option<u32>) {
        #[cfg(debug_assertions)]
        {
            self.roots.owed = false;
        }
        if let Some(map) = map {
            let at = self.w.returns_to;
            self.w.safepoints.push(Safepoint { at, map });
            self.w.counters.safepoints += 1;
        }
    }

    /// The map of this place; `None` if there are no references. With `registers`, entries that are in registers have
    /// been stored to their slots beside that.
    #[inline(never)]
    pub(crate) fn map_here(&mut self, registers: bool) -> Option<u32> {
        let map = self.find_map(registers);
        #[cfg(debug_assertions)]
        if crate::treaty::fault::proving() {
            self.prove_map(map, registers);
        }
        map
    }

    fn find_map(&mut self, registers: bool) -> Option<u32> {
        let roots = &mut *self.roots;
        if !roots.any {
            return None;
        }
        if roots.deep {
            return Some(roots.first as u32);
        }
        roots.known = roots.known.min(self.watermark);
        while roots.below.last().is_some_and(|at| *at as usize >= roots.known) {
            roots.below.pop();
            roots.changed = true;
        }
        self.w.counters.steps += (self.stack.len() - roots.known) as u64;
        for at in roots.known..self.watermark {
            if self.stack[at].ty == Ty::GcRef {
                roots.below.push(at as u32);
                roots.changed = true;
            }
        }
        roots.known = self.watermark;
        let mut window = 0u32;
        for (bit, value) in self.stack[self.watermark..].iter().enumerate() {
            let here = matches!(value.loc, Loc::Slot) || (registers && matches!(value.loc, Loc::Reg(_)));
            window |= u32::from(here && value.ty == Ty::GcRef) << bit;
        }
        if window == 0 && roots.below.is_empty() && roots.locals.is_empty() {
            return None;
        }
        let key = (if window == 0 { 0 } else { self.watermark }, window);
        if roots.last.is_some() && !roots.changed && roots.last_window == key {
            return roots.last;
        }
        roots.changed = false;
        roots.last_window = key;
        let map = self.make_map(window);
        self.roots.last = Some(map);
        Some(map)
    }

    fn make_map(&mut self, window: u32) -> u32 {
        let roots = &*self.roots;
        let top = match window {
            0 => roots.below.last().map_or(0, |at| *at as usize + 1),
            _ => self.watermark + (32 - window.leading_zeros()) as usize,
        };
        self.slots_used = self.slots_used.max(top as u32);
        let covered = ((top as i32) << self.slot_log2) - self.slots_base;
        let maps = &mut self.w.maps;
        let map = maps.len();
        maps.extend([covered as u32, 0]);
        let mut set = |frame_offset: i32| {
            let bit = ((frame_offset + covered) / 4) as usize;
            let word = map + 2 + bit / 32;
            if maps.len() <= word {
                maps.resize(word + 1, 0);
            }
            maps[word] |= 1 << (bit % 32);
        };
        let (base, log2) = (self.slots_base, self.slot_log2);
        let slot = |at: usize| base - ((at as i32 + 1) << log2);
        for at in roots.below.iter().filter(|_| !without(Fault::EntriesInMaps)) {
            set(slot(*at as usize));
        }
        for bit in 0..32 {
            if window >> bit & 1 != 0 && !without(Fault::EntriesInMaps) {
                set(slot(self.watermark + bit));
            }
        }
        for offset in roots.locals.iter().filter(|_| !without(Fault::LocalsInMaps)) {
            set(*offset);
        }
        let words = maps.len() - map - 2;
        maps[map + 1] = words as u32;
        if 4 * (maps.len() - roots.first) > Budget::most(self.body.len()) / 4 {
            self.w.stop(Stop::TooManyReferences);
        }
        map as u32
    }

    // ---- proofs

    /// A call has been emitted: whether a collector may run during it.
    #[inline(always)]
    pub(crate) fn owe_map(&mut self, collects: bool) {
        #[cfg(debug_assertions)]
        {
            self.prove_no_map_is_owed();
            self.roots.owed = collects && self.roots.any;
        }
        let _ = collects;
    }

    /// Panics if the last call has no map and should have one.
    #[inline(always)]
    pub(crate) fn prove_no_map_is_owed(&self) {
        #[cfg(debug_assertions)]
        crate::treaty::fault::proof!(
            !self.roots.owed,
            "a call before {:#x} during which a collector may run has no map",
            self.w.wasm
        );
    }

    /// Panics if a map is not of the references that are in the frame here, by the stack and the locals themselves.
    #[cfg(debug_assertions)]
    fn prove_map(&self, map: Option<u32>, registers: bool) {
        /// So many entries and locals are looked at, so that a call costs no more than that.
        const MOST: usize = 256;
        if !self.roots.any || self.roots.deep {
            return;
        }
        let at = self.w.wasm;
        let (covered, words) = match map.map(|map| map as usize) {
            Some(map) => {
                let maps = &self.w.maps;
                (maps[map] as i32, &maps[map + 2..map + 2 + maps[map + 1] as usize])
            }
            None => (0, &[][..]),
        };
        let named = |offset: i32| {
            let bit = (offset + covered) / 4;
            bit >= 0 && words.get(bit as usize / 32).is_some_and(|word| word >> (bit % 32) & 1 != 0)
        };
        let mut count = 0;
        for (position, value) in self.stack.iter().enumerate().rev().take(MOST) {
            if value.ty != Ty::GcRef {
                continue;
            }
            match value.loc {
                Loc::Slot => {}
                Loc::Reg(_) if registers => {}
                // A null reference, a number, or what the local has.
                Loc::Const(_) | Loc::Local(_) => continue,
                _ => panic!("{value:?} is in no slot while a collector may run at {at:#x}"),
            }
            assert!(named(self.slot_offset(position, Ty::GcRef)), "{value:?} is in no map at {at:#x}");
            count += 1;
        }
        for local in self.locals.iter().filter(|local| local.ty == Ty::GcRef).take(MOST) {
            assert!(local.home.is_none() && named(local.slot), "{local:?} is in no map at {at:#x}");
            count += 1;
        }
        if self.stack.len().max(self.locals.len()) <= MOST {
            let named: u32 = words.iter().map(|word| word.count_ones()).sum();
            assert_eq!(named, count, "the map at {at:#x} names what is no reference");
        }
    }

    // ---- deep functions

    /// At the entry: the halves of slots that are for references are cleared where it is known how many there are.
    pub(crate) fn begin_deep(&mut self) {
        if self.roots.deep {
            let [clear, entered] = self.w.labels();
            self.w.jmp(clear);
            self.w.bind(entered);
            self.roots.clear = Some((clear, entered));
        }
    }

    /// Behind the last instruction: clears them, and makes the one map.
    #[inline(never)]
    pub(crate) fn finish_deep(&mut self) {
        let Some((clear, entered)) = self.roots.clear else { return };
        self.w.reserve_room();
        self.w.bind(clear);
        let size = 1 << self.slot_log2;
        let used = self.slots_used as i32;
        if used > 0 {
            let again = self.w.label();
            self.w.iconst(Width::W64, I::SCRATCH, i64::from(-used * size), false);
            self.w.bind(again);
            let half = Addr::indexed(I::FRAME, I::SCRATCH, 0, self.slots_base + self.reference_part);
            self.w.store_imm(Store::B32, half, 0);
            self.w.alu(Alu::Add, Width::W64, I::SCRATCH, I::SCRATCH, Src::imm(size));
            self.w.branch_nonzero(Width::W64, I::SCRATCH, again);
        }
        self.w.jmp(entered);

        let covered = used * size - self.slots_base;
        let mut map = vec![0; (covered as usize / 4).div_ceil(32)];
        let halves = (0..self.slots_used as usize).map(|at| self.slot_offset(at, Ty::GcRef));
        for offset in halves.chain(self.roots.locals.iter().copied()) {
            let bit = ((offset + covered) / 4) as usize;
            map[bit / 32] |= 1 << (bit % 32);
        }
        // Where the frame keeps something else from the last reference to the frame pointer, there is nothing to say of
        // it.
        map.truncate(map.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1));
        debug_assert_eq!(self.w.maps.len(), self.roots.first);
        self.w.maps.extend([covered as u32, map.len() as u32]);
        self.w.maps.extend(map);
    }
}
