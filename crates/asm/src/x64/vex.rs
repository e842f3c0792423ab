//! Rows in the encoding that the processor has: VEX with three operands, or legacy with two and a move.
//!
//! These methods take rows whose operands are the same in both encodings, and with AVX those that have VEX only. Each
//! appends the instruction, in the legacy encoding behind a move where the destination is not the left operand, and
//! returns the instruction's own offset, which is where a fault in it is recorded. Legacy encodings want 16 bytes of
//! memory aligned ([`Row::wants_aligned`]), which no address of a guest is: the caller loads them first, by
//! `MOVUPS_RM`. Constants of the pool are aligned, and so is what a frame has at multiples of 16.

use super::rows::{self, Form, Imm, Row};
use super::{Asm, RBP, Size};
use crate::{Addr, Assembler, Const, Reg};

/// What stands in the `rm` field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rm {
    /// A register.
    Reg(Reg),
    /// Memory.
    Mem(Addr),
    /// A constant behind the code.
    Const(Const),
}

impl From<Reg> for Rm {
    fn from(reg: Reg) -> Rm {
        Rm::Reg(reg)
    }
}

impl From<Addr> for Rm {
    fn from(addr: Addr) -> Rm {
        Rm::Mem(addr)
    }
}

impl From<Const> for Rm {
    fn from(constant: Const) -> Rm {
        Rm::Const(constant)
    }
}

/// What `cmpps` and its like ask. All but `Unord` and the negated ones are false for NaNs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Predicate {
    Eq = 0,
    Lt = 1,
    Le = 2,
    Unord = 3,
    /// Unequal or unordered.
    Neq = 4,
    /// Not less: greater, equal or unordered.
    Nlt = 5,
    /// Not less or equal: greater or unordered.
    Nle = 6,
    Ord = 7,
}

/// The immediate of `pshufd` and its like: for each of four lanes, from the lowest, which one it takes.
#[must_use]
pub const fn lanes4(from: [u8; 4]) -> i32 {
    (from[0] | from[1] << 2 | from[2] << 4 | from[3] << 6) as i32
}

/// The rows here take their width from the row alone.
const NO_SIZE: Size = Size::S32;

impl Asm {
    /// `d = op s`
    pub fn op2(&mut self, avx: bool, row: Row, d: Reg, s: impl Into<Rm>) -> u32 {
        debug_assert!(matches!(row.form, Form::V2) || avx && matches!(row.form, Form::X2));
        debug_assert!(matches!(row.imm, Imm::None));
        let (at, s) = (self.offset(), s.into());
        debug_aligned(avx, row, s);
        match (avx, s) {
            (true, Rm::Reg(s)) => self.vrr(row, NO_SIZE, d, s),
            (true, Rm::Mem(s)) => self.vrm(row, NO_SIZE, d, s),
            (true, Rm::Const(s)) => self.vrc(row, NO_SIZE, d, s),
            (false, Rm::Reg(s)) => self.rr(row, NO_SIZE, d, s),
            (false, Rm::Mem(s)) => self.rm(row, NO_SIZE, d, s),
            (false, Rm::Const(s)) => self.rc(row, NO_SIZE, d, s),
        }
        at
    }

    /// `d = op (s, imm)`. Rows that write `rm` have that as `s` and their source as `d`.
    pub fn op2i(&mut self, avx: bool, row: Row, d: Reg, s: impl Into<Rm>, imm: i32) -> u32 {
        debug_assert!(matches!(row.form, Form::V2) || avx && matches!(row.form, Form::X2));
        debug_assert!(matches!(row.imm, Imm::I8));
        let (at, s) = (self.offset(), s.into());
        debug_aligned(avx, row, s);
        match (avx, s) {
            (true, Rm::Reg(s)) => self.vrri(row, NO_SIZE, d, s, imm),
            (true, Rm::Mem(s)) => self.vrmi(row, NO_SIZE, d, s, imm),
            (true, Rm::Const(s)) => self.vrci(row, NO_SIZE, d, s, imm),
            (false, Rm::Reg(s)) => self.rri(row, NO_SIZE, d, s, imm),
            (false, Rm::Mem(s)) => self.rmi(row, NO_SIZE, d, s, imm),
            (false, Rm::Const(s)) => self.rci(row, NO_SIZE, d, s, imm),
        }
        at
    }

    /// `d = l op r`. Without AVX `d` is not `r`, unless it is `l` as well.
    pub fn op3(&mut self, avx: bool, row: Row, d: Reg, l: Reg, r: impl Into<Rm>) -> u32 {
        debug_assert!(matches!(row.form, Form::V3) || avx && matches!(row.form, Form::X3));
        debug_assert!(matches!(row.imm, Imm::None));
        let r = r.into();
        debug_aligned(avx, row, r);
        if !avx {
            self.left(d, l, r);
        }
        let at = self.offset();
        match (avx, r) {
            (true, Rm::Reg(r)) => self.vrvr(row, NO_SIZE, d, l, r),
            (true, Rm::Mem(r)) => self.vrvm(row, NO_SIZE, d, l, r),
            (true, Rm::Const(r)) => self.vrvc(row, NO_SIZE, d, l, r),
            (false, Rm::Reg(r)) => self.rr(row, NO_SIZE, d, r),
            (false, Rm::Mem(r)) => self.rm(row, NO_SIZE, d, r),
            (false, Rm::Const(r)) => self.rc(row, NO_SIZE, d, r),
        }
        at
    }

    /// `d = op (l, r, imm)`. Without AVX `d` is not `r`, unless it is `l` as well.
    pub fn op3i(&mut self, avx: bool, row: Row, d: Reg, l: Reg, r: impl Into<Rm>, imm: i32) -> u32 {
        debug_assert!(matches!(row.form, Form::V3) || avx && matches!(row.form, Form::X3));
        debug_assert!(matches!(row.imm, Imm::I8));
        let r = r.into();
        debug_aligned(avx, row, r);
        if !avx {
            self.left(d, l, r);
        }
        let at = self.offset();
        match (avx, r) {
            (true, Rm::Reg(r)) => self.vrvri(row, NO_SIZE, d, l, r, imm),
            (true, Rm::Mem(r)) => self.vrvmi(row, NO_SIZE, d, l, r, imm),
            (true, Rm::Const(r)) => self.vrvci(row, NO_SIZE, d, l, r, imm),
            (false, Rm::Reg(r)) => self.rri(row, NO_SIZE, d, r, imm),
            (false, Rm::Mem(r)) => self.rmi(row, NO_SIZE, d, r, imm),
            (false, Rm::Const(r)) => self.rci(row, NO_SIZE, d, r, imm),
        }
        at
    }

    /// `d = l shifted by imm`, for the rows with a digit.
    pub fn shift3(&mut self, avx: bool, row: Row, d: Reg, l: Reg, imm: u8) -> u32 {
        debug_assert!(matches!(row.form, Form::D3));
        if !avx {
            self.left(d, l, Rm::Reg(l));
        }
        let at = self.offset();
        if avx {
            self.vvri(row, NO_SIZE, d, l, imm.into());
        } else {
            self.ri(row, NO_SIZE, d, imm.into());
        }
        at
    }

    /// Brings the left operand of a legacy encoding to the destination.
    #[inline]
    fn left(&mut self, d: Reg, l: Reg, r: Rm) {
        debug_assert!(d == l || r != Rm::Reg(d), "{d:?} is the right operand");
        if d != l {
            self.rr(rows::MOVAPS_RM, NO_SIZE, d, l);
        }
    }
}

/// Frames are aligned to 16 bytes, so what is in one at such a distance is as well. Of other memory nothing is known.
fn debug_aligned(avx: bool, row: Row, operand: Rm) {
    let in_frame = |addr: Addr| addr.base_reg() == RBP && addr.index().is_none() && addr.disp() % 16 == 0;
    debug_assert!(
        avx || !row.wants_aligned() || !matches!(operand, Rm::Mem(addr) if !in_frame(addr)),
        "memory that may not be aligned"
    );
}
