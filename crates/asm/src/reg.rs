//! Machine registers and sets of them, without the name of any instruction set.
//!
//! Numbers 0–31 are integer registers and 32–63 float and vector registers, whatever the machine; what a number is
//! called is for the instruction set's own module to say (`x64::reg`).

use std::fmt;

/// One machine register: 0–31 integer, 32–63 float or vector.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(u8);

/// The class that decides which registers can hold a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegClass {
    /// Integers, addresses, references.
    Int,
    /// Floats and vectors.
    Float,
}

impl Reg {
    /// Integer register number `n` of the machine, `n < 32`.
    #[inline]
    #[must_use]
    pub const fn int(n: u8) -> Reg {
        assert!(n < 32);
        Reg(n)
    }

    /// Float register number `n` of the machine, `n < 32`.
    #[inline]
    #[must_use]
    pub const fn float(n: u8) -> Reg {
        assert!(n < 32);
        Reg(32 + n)
    }

    /// The number that goes into an encoding: 0–31 within the class.
    #[inline]
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0 & 31
    }

    /// The index over both classes, 0–63.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The register with this index over both classes, 0–63.
    #[inline]
    #[must_use]
    pub const fn from_index(index: usize) -> Reg {
        assert!(index < 64);
        Reg(index as u8)
    }

    /// Which class the register is of.
    #[inline]
    #[must_use]
    pub const fn class(self) -> RegClass {
        if self.0 < 32 { RegClass::Int } else { RegClass::Float }
    }

    /// Is it a float or vector register?
    #[inline]
    #[must_use]
    pub const fn is_float(self) -> bool {
        self.0 >= 32
    }
}

impl fmt::Debug for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_float() { "f" } else { "r" }, self.code())
    }
}

/// A set of registers of both classes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RegSet(u64);

impl RegSet {
    /// No register.
    pub const EMPTY: RegSet = RegSet(0);
    /// Every integer register number.
    pub const INTS: RegSet = RegSet(0xffff_ffff);
    /// Every float register number.
    pub const FLOATS: RegSet = RegSet(0xffff_ffff << 32);

    /// The set of the registers listed.
    #[inline]
    #[must_use]
    pub const fn of(regs: &[Reg]) -> RegSet {
        let mut bits = 0;
        let mut i = 0;
        while i < regs.len() {
            bits |= 1 << regs[i].0;
            i += 1;
        }
        RegSet(bits)
    }

    /// The set of one register.
    #[inline]
    #[must_use]
    pub const fn one(reg: Reg) -> RegSet {
        RegSet(1 << reg.0)
    }

    /// Is `reg` in the set?
    #[inline]
    #[must_use]
    pub const fn has(self, reg: Reg) -> bool {
        self.0 >> reg.0 & 1 != 0
    }

    /// Puts `reg` in.
    #[inline]
    pub const fn add(&mut self, reg: Reg) {
        self.0 |= 1 << reg.0;
    }

    /// Takes `reg` out.
    #[inline]
    pub const fn remove(&mut self, reg: Reg) {
        self.0 &= !(1 << reg.0);
    }

    /// Registers in either set.
    #[inline]
    #[must_use]
    pub const fn or(self, other: RegSet) -> RegSet {
        RegSet(self.0 | other.0)
    }

    /// Registers in both sets.
    #[inline]
    #[must_use]
    pub const fn and(self, other: RegSet) -> RegSet {
        RegSet(self.0 & other.0)
    }

    /// Registers in this set and not in the other.
    #[inline]
    #[must_use]
    pub const fn minus(self, other: RegSet) -> RegSet {
        RegSet(self.0 & !other.0)
    }

    /// Is there none?
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    #[inline]
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The one with the lowest number.
    #[inline]
    #[must_use]
    pub const fn first(self) -> Option<Reg> {
        if self.0 == 0 { None } else { Some(Reg(self.0.trailing_zeros() as u8)) }
    }

    /// The subset of one class.
    #[inline]
    #[must_use]
    pub const fn class(self, class: RegClass) -> RegSet {
        match class {
            RegClass::Int => self.and(RegSet::INTS),
            RegClass::Float => self.and(RegSet::FLOATS),
        }
    }
}

impl Iterator for RegSet {
    type Item = Reg;

    #[inline]
    fn next(&mut self) -> Option<Reg> {
        let reg = self.first()?;
        self.0 &= self.0 - 1;
        Some(reg)
    }
}

impl fmt::Debug for RegSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(*self).finish()
    }
}

/// A machine address, `base + (index << scale) + disp`, each part read as 64 bits.
///
/// One word, so that it is made, passed and taken apart in registers: `disp` in bits 0–31, the base's index from bit
/// 32, the index's from bit 40 with `NO_INDEX` if there is none, the scale from bit 48.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Addr(u64);

/// In the place of an index: more than any register's number.
const NO_INDEX: u64 = 0x80;

impl Addr {
    /// `base + disp`.
    #[inline]
    #[must_use]
    pub const fn base(base: Reg, disp: i32) -> Addr {
        Addr(disp as u32 as u64 | (base.0 as u64) << 32 | NO_INDEX << 40)
    }

    /// `base + (index << scale) + disp`.
    #[inline]
    #[must_use]
    pub const fn indexed(base: Reg, index: Reg, scale: u8, disp: i32) -> Addr {
        Addr(disp as u32 as u64 | (base.0 as u64) << 32 | (index.0 as u64) << 40 | (scale as u64) << 48)
    }

    /// The register that is always there.
    #[inline]
    #[must_use]
    pub const fn base_reg(self) -> Reg {
        Reg((self.0 >> 32) as u8)
    }

    /// A second register, shifted left by 0–3.
    #[inline]
    #[must_use]
    pub const fn index(self) -> Option<(Reg, u8)> {
        if self.0 & NO_INDEX << 40 != 0 { None } else { Some((Reg((self.0 >> 40) as u8), (self.0 >> 48) as u8)) }
    }

    /// A signed constant in bytes.
    #[inline]
    #[must_use]
    pub const fn disp(self) -> i32 {
        self.0 as u32 as i32
    }

    /// The address `by` bytes further on.
    #[inline]
    #[must_use]
    pub const fn plus(self, by: i32) -> Addr {
        Addr(self.0 & !0xffff_ffff | (self.disp() + by) as u32 as u64)
    }

    /// All of it in one word.
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The address that `to_bits` gave this for.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Addr {
        Addr(bits)
    }

    /// The registers it reads.
    #[inline]
    #[must_use]
    pub const fn regs(self) -> RegSet {
        match self.index() {
            Some((index, _)) => RegSet::of(&[self.base_reg(), index]),
            None => RegSet::one(self.base_reg()),
        }
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:?}", self.base_reg())?;
        if let Some((index, scale)) = self.index() {
            write!(f, " + {index:?} << {scale}")?;
        }
        write!(f, " + {:#x}]", self.disp())
    }
}
