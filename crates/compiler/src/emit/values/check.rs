//! Proves the emitter's state after every operator, in debug builds and wherever `Settings::check` asks.
//!
//! What is proven is the invariant book of the design: each register has one owner; entries below the watermark are in
//! their slots; nothing is pending that the next operator does not take; copies and locals agree on who copies whom.

use crate::emit::values::Values;
use crate::emit::values::stack::WINDOW;
use crate::emit::values::value::Loc;
use crate::isa::Isa;
use lightbeam_asm::RegSet;

impl<I: Isa> Values<'_, I> {
    /// Panics if an invariant does not hold. May the top be in a home, as a local is written next?
    pub(crate) fn check_values(&self, is_written: bool) {
        let at = self.w.wasm;
        assert!(self.watermark <= self.stack.len(), "watermark above the stack at {at:#x}");
        assert!(self.stack.len() - self.watermark <= WINDOW, "window too large at {at:#x}");
        let mut owned = RegSet::EMPTY;
        let last = self.stack.len().wrapping_sub(1);
        for (i, value) in self.stack.iter().enumerate().skip(self.watermark) {
            match value.loc {
                Loc::Reg(reg) => {
                    assert_eq!(reg.class(), value.ty.class(), "{value:?} in the wrong class at {at:#x}");
                    if self.regs.can_own(reg) {
                        assert!(!owned.has(reg), "{reg:?} has two owners at {at:#x}");
                        owned.add(reg);
                    } else {
                        // A result computed straight into a home, for the next operator to note.
                        assert!(i == last && is_written, "{value:?} at {at:#x}");
                    }
                }
                Loc::Flags(_) | Loc::Hot => assert_eq!(i, last, "{value:?} is not on top at {at:#x}"),
                Loc::Local(local) => {
                    assert_eq!(self.locals[local as usize].ty.class(), value.ty.class(), "{value:?} at {at:#x}");
                    self.check_read(local, at);
                }
                Loc::Const(_) | Loc::Slot => {}
            }
        }
        if let Some(hot) = &self.hot {
            assert_eq!(self.stack.last().map(|v| v.loc), Some(Loc::Hot), "a load is pending off the top at {at:#x}");
            owned = owned.or(hot.owned);
        }
        let regs = &self.regs;
        assert!(regs.free.and(regs.cached).is_empty(), "free and cached at {at:#x}");
        assert!(owned.and(regs.free.or(regs.cached)).is_empty(), "owned, and free or cached at {at:#x}");
        assert_eq!(
            regs.free.or(regs.cached).or(owned),
            regs.pool,
            "registers lost at {at:#x}: free {:?} cached {:?} owned {owned:?}",
            regs.free,
            regs.cached
        );
        assert!(regs.dirty.minus(regs.cached.minus(regs.locked)).is_empty(), "a store is owed to nobody at {at:#x}");
        assert!(regs.locked.minus(regs.cached).is_empty(), "a loop's register is lost at {at:#x}");
        for reg in regs.cached {
            let local = &self.locals[regs.copy_of[reg.index()] as usize];
            assert_eq!(local.copy, Some(reg), "a copy of {local:?} at {at:#x}");
            assert_eq!(local.home, None, "a copy of a local that has a home at {at:#x}");
        }
    }

    /// Panics if what a local holds is not where a read would find it.
    fn check_read(&self, local: u32, at: u32) {
        let state = &self.locals[local as usize];
        if let Some(copy) = state.copy {
            let of = self.regs.copy_of[copy.index()];
            assert!(
                self.regs.cached.has(copy) && u32::from(of) == local,
                "{state:?} has no copy in {copy:?} at {at:#x}"
            );
        }
        #[cfg(debug_assertions)]
        if state.home.is_none() && state.copy.is_none() {
            assert!(!self.regs.ahead.contains(&local), "{state:?} is waited for and nowhere at {at:#x}");
        }
    }

    /// The innermost block closes: panics if an entry waits to read a local of its own that only a copy has, since
    /// nobody sees to the slots of such locals any more. Is the block's end reached from before it?
    #[cfg(debug_assertions)]
    pub(crate) fn check_close(&mut self, is_reached: bool) {
        let depth = self.depth as u32 - 1;
        if is_reached {
            for value in &self.stack[self.watermark..] {
                if let Loc::Local(local) = value.loc
                    && self.locals[local as usize].depth >= depth
                    && self.regs.ahead.contains(&local)
                {
                    let copy = self.locals[local as usize].copy;
                    let kept = copy.is_some_and(|copy| self.regs.locked.has(copy));
                    assert!(kept, "{value:?} outlives its block at {:#x}", self.w.wasm);
                }
            }
        }
        // What a loop keeps in registers has its slots seen to at the loop's end.
        let (regs, locals) = (&mut self.regs, &self.locals);
        let locked = regs.locked;
        regs.ahead.retain(|at| {
            let local = &locals[*at as usize];
            local.depth < depth || local.copy.is_some_and(|copy| locked.has(copy))
        });
    }
}
