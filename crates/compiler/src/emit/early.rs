//! An exit ahead of the frame, for functions that often have nothing to do.
//!
//! A recursive function, or one that frees what may be null, looks at its parameters first and, one way or the other,
//! returns a constant or one of them. With a frame that is slow out of all proportion: each call stores the frame
//! pointer and loads it again, and as all do, one waits for the one before. So if the first condition of a body is one
//! of parameters and constants, and one of its ways leads to the end of the function through locals and constants
//! alone, then that condition is looked at ahead of the prologue, and that way is taken without a frame. The body
//! itself is compiled as if nothing had been: that it asks once more, and is always told the same, costs next to
//! nothing.
//!
//! Nothing on the way can trap, so nobody goes through the frames here. How far it looks is bounded.

use crate::emit::FuncGen;
use crate::isa::{Cond, ImmFor, Isa, Src};
use crate::operators::Op;
use crate::operators::reader::Reader;
use crate::treaty::facts::AddressMap;
use crate::treaty::sig::AbiLoc;
use crate::treaty::ty::Width;
use lightbeam_asm::{Label, Reg, RegClass};

/// So many operators are looked at on each way, and so many values are known at a time.
const STEPS: usize = 16;
const KNOWN: usize = 4;

/// What is known of a value at the entry.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    /// An integer, sign-extended. Also zero of whatever type a local is that was not written.
    Const(i64),
    /// What came in as this parameter.
    Param(u32),
}

/// `l cond r`
#[derive(Clone, Copy, Debug)]
struct Test {
    width: Width,
    cond: Cond,
    l: Known,
    r: Known,
}

/// Where the way without a frame begins, and what it returns, if it returns anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlyExit {
    label: Label,
    result: Option<Known>,
}

/// One way from the entry, as far as it has been followed.
#[derive(Clone, Copy)]
struct Walk<'a> {
    reader: Reader<'a>,
    params: u32,
    stack: [Known; KNOWN],
    height: usize,
    locals: [(u32, Known); KNOWN],
    written: usize,
    /// Blocks that are open.
    depth: u32,
    /// Where the first block of the function ends, and whether it leaves a value.
    first_end: usize,
    first_gives: bool,
    blocks: u32,
}

impl Walk<'_> {
    fn push(&mut self, known: Known) -> Option<()> {
        *self.stack.get_mut(self.height)? = known;
        self.height += 1;
        Some(())
    }

    fn pop(&mut self) -> Option<Known> {
        self.height = self.height.checked_sub(1)?;
        Some(self.stack[self.height])
    }

    /// Does what an operator does, if it has to do with locals and constants alone.
    fn plain(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Nop => {}
            Op::I32Const => {
                let value = self.reader.i32();
                self.push(Known::Const(value.into()))?;
            }
            Op::I64Const => {
                let value = self.reader.i64();
                self.push(Known::Const(value))?;
            }
            Op::LocalGet => {
                let local = self.reader.u32();
                let unwritten = if local < self.params { Known::Param(local) } else { Known::Const(0) };
                let written = self.locals[..self.written].iter().rev().find(|(at, _)| *at == local);
                self.push(written.map_or(unwritten, |(_, known)| *known))?;
            }
            Op::LocalSet | Op::LocalTee => {
                let local = self.reader.u32();
                let known = self.pop()?;
                *self.locals.get_mut(self.written)? = (local, known);
                self.written += 1;
                if op == Op::LocalTee {
                    self.push(known)?;
                }
            }
            Op::Drop => _ = self.pop()?,
            _ => return None,
        }
        Some(())
    }

    /// Opens a block, on an empty stack.
    fn open(&mut self) -> Option<()> {
        let gives = match self.reader.u8() {
            0x40 => false,
            0x7e | 0x7f => true,
            _ => return None,
        };
        if self.height > 0 {
            return None;
        }
        if self.blocks == 0 {
            self.first_gives = gives;
        }
        self.blocks += 1;
        self.depth += 1;
        Some(())
    }

    /// Follows the way up to the first condition, which is the test and what comes behind it: a `br_if` with its label,
    /// or an `if`.
    fn first_test(&mut self) -> Option<(Test, Option<u32>)> {
        for _ in 0..STEPS {
            let op = self.reader.op();
            if op == Op::Block {
                self.open()?;
                continue;
            }
            let mut test = if let Some((width, cond)) = comparison(op) {
                let (r, l) = (self.pop()?, self.pop()?);
                Test { width, cond, l, r }
            } else if matches!(op, Op::I32Eqz | Op::I64Eqz) {
                let width = if op == Op::I32Eqz { Width::W32 } else { Width::W64 };
                Test { width, cond: Cond::Eq, l: self.pop()?, r: Known::Const(0) }
            } else if matches!(op, Op::BrIf | Op::If) {
                let test = Test { width: Width::W32, cond: Cond::Ne, l: self.pop()?, r: Known::Const(0) };
                return self.behind(test, op);
            } else {
                self.plain(op)?;
                continue;
            };
            let mut op = self.reader.op();
            while op == Op::I32Eqz {
                test.cond = test.cond.invert();
                op = self.reader.op();
            }
            return self.behind(test, op);
        }
        None
    }

    fn behind(&mut self, test: Test, op: Op) -> Option<(Test, Option<u32>)> {
        match op {
            Op::BrIf => Some((test, Some(self.reader.u32()))),
            Op::If => {
                self.open()?;
                Some((test, None))
            }
            _ => None,
        }
    }

    /// Goes on to a label; `None` if it is not known where that is, else whether it is the function's end.
    fn branch(&mut self, depth: u32) -> Option<bool> {
        if depth == self.depth {
            return Some(true);
        }
        if depth + 1 != self.depth || self.first_end == 0 {
            return None;
        }
        self.depth = 0;
        self.reader = self.reader.at(self.first_end);
        if self.first_gives {
            self.stack[0] = self.pop()?;
        }
        self.height = usize::from(self.first_gives);
        Some(false)
    }

    /// Follows the way to the end of the function, if nothing else is on it.
    fn to_end(mut self, results: usize) -> Option<Option<Known>> {
        for _ in 0..STEPS {
            let op = self.reader.op();
            let ended = match op {
                Op::Return => true,
                Op::End if self.depth == 0 => true,
                Op::End => {
                    self.depth -= 1;
                    false
                }
                Op::Else => self.branch(0)?,
                Op::Br => {
                    let depth = self.reader.u32();
                    self.branch(depth)?
                }
                _ => {
                    self.plain(op)?;
                    false
                }
            };
            if ended {
                return self.returns(results);
            }
        }
        None
    }

    fn returns(mut self, results: usize) -> Option<Option<Known>> {
        if results == 0 { Some(None) } else { self.pop().map(Some) }
    }
}

/// What a comparison of integers compares, and for what.
#[rustfmt::skip]
fn comparison(op: Op) -> Option<(Width, Cond)> {
    use Width::{W32, W64};
    Some(match op {
        Op::I32Eq  => (W32, Cond::Eq),  Op::I64Eq  => (W64, Cond::Eq),
        Op::I32Ne  => (W32, Cond::Ne),  Op::I64Ne  => (W64, Cond::Ne),
        Op::I32LtS => (W32, Cond::LtS), Op::I64LtS => (W64, Cond::LtS),
        Op::I32LtU => (W32, Cond::LtU), Op::I64LtU => (W64, Cond::LtU),
        Op::I32GtS => (W32, Cond::GtS), Op::I64GtS => (W64, Cond::GtS),
        Op::I32GtU => (W32, Cond::GtU), Op::I64GtU => (W64, Cond::GtU),
        Op::I32LeS => (W32, Cond::LeS), Op::I64LeS => (W64, Cond::LeS),
        Op::I32LeU => (W32, Cond::LeU), Op::I64LeU => (W64, Cond::LeU),
        Op::I32GeS => (W32, Cond::GeS), Op::I64GeS => (W64, Cond::GeS),
        Op::I32GeU => (W32, Cond::GeU), Op::I64GeU => (W64, Cond::GeU),
        _ => return None,
    })
}

impl<I: Isa> FuncGen<'_, I> {
    /// Ahead of the prologue: goes to the way without a frame, if there is one.
    pub(crate) fn early_exit(&mut self) -> Option<EarlyExit> {
        let results = &self.sig.results;
        let simple = results.len() <= 1 && results.iter().all(|ty| ty.class() == RegClass::Int && !ty.is_wide());
        // Who calls nothing has not much of a frame.
        let looked_at = self.facts.settings.debug || self.facts.settings.address_map == AddressMap::Operators;
        if !simple || !self.survey.calls || self.meters() || looked_at {
            return None;
        }
        let (test, result, taken) = self.find_exit()?;
        let Test { width, mut cond, mut l, mut r } = test;
        if matches!(l, Known::Const(_)) {
            std::mem::swap(&mut l, &mut r);
            cond = cond.swap();
        }
        let left = self.came_in(l)?;
        let right = match r {
            Known::Const(value) if I::imm_ok(ImmFor::Compare, width, value) => Src::Imm(value),
            _ => Src::Reg(self.came_in(r)?),
        };
        if let Some(known @ Known::Param(_)) = result {
            self.came_in(known)?;
        }
        let label = self.w.label();
        let mut flags = match right {
            Src::Imm(0) if matches!(cond, Cond::Eq | Cond::Ne) => self.w.test(width, left, Src::Reg(left)),
            _ => self.w.cmp(width, left, right),
        };
        flags.branch(if taken { cond } else { cond.invert() }, label);
        Some(EarlyExit { label, result })
    }

    /// The first condition, what is returned if the body need not be entered, and whether that is so if it holds.
    fn find_exit(&self) -> Option<(Test, Option<Known>, bool)> {
        let results = self.sig.results.len();
        let mut walk = Walk {
            reader: self.reader,
            params: self.sig.params.len() as u32,
            stack: [Known::Const(0); KNOWN],
            height: 0,
            locals: [(0, Known::Const(0)); KNOWN],
            written: 0,
            depth: 0,
            first_end: self.survey.first_end,
            first_gives: false,
            blocks: 0,
        };
        let (test, label) = walk.first_test()?;
        let Some(depth) = label else { return Some((test, walk.to_end(results)?, true)) };
        if let Some(result) = walk.to_end(results) {
            return Some((test, result, false));
        }
        let result = if walk.branch(depth)? { walk.returns(results)? } else { walk.to_end(results)? };
        Some((test, result, true))
    }

    /// The register in which a parameter came in.
    fn came_in(&self, known: Known) -> Option<Reg> {
        match known {
            Known::Param(param) => match self.sig.private.params[param as usize] {
                AbiLoc::Reg(reg) => Some(reg),
                AbiLoc::Stack(_) => None,
            },
            Known::Const(_) => None,
        }
    }

    /// The way without a frame.
    pub(crate) fn place_early_exit(&mut self, exit: EarlyExit) {
        self.w.reserve_room();
        self.w.bind(exit.label);
        self.w.unframed();
        if let Some(known) = exit.result
            && let Some(AbiLoc::Reg(result)) = self.sig.private.results.first().copied()
        {
            let width = self.sig.results[0].width();
            match (known, self.came_in(known)) {
                (Known::Const(value), _) => self.w.iconst(width, result, value, false),
                (_, Some(reg)) => self.w.mov(width, result, reg),
                (_, None) => unreachable!("a parameter that is returned came in a register"),
            }
        }
        let bytes = self.sig.private.stack_args;
        self.w.ret(bytes);
    }
}
