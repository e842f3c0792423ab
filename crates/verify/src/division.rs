//! Divisions, and what is known of their operands: `rax` is divided by a register. It faults if that is 0, and if the
//! quotient is too large. Of two numbers of the same width that is only the smallest by -1, so it is not if either was
//! compared with that. The latter cannot be said of one value alone, so what comparisons tell is kept for one register
//! and one width.

use crate::decode::Instruction;
use crate::proof::Cause;
use crate::state::{NONE, RAX, RDX};
use crate::transfer::Operand;
use crate::value::Value;
use crate::walk::{Proved, Walk};

/// What is known of a division by the lowest bytes of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Divisor {
    reg: u8,
    bytes: u8,
    /// The bytes are not 0.
    not_zero: bool,
    /// The bytes are not -1, or as many bytes of `rax` are not the smallest number.
    fits: bool,
}

impl Divisor {
    pub(crate) const UNKNOWN: Divisor = Divisor { reg: NONE, bytes: 0, not_zero: false, fits: false };

    /// Is anything known?
    #[inline]
    pub(crate) fn is_known(self) -> bool {
        self.reg != NONE
    }

    /// What is still known once a register is written.
    pub(crate) fn without(self, reg: u8) -> Divisor {
        match reg {
            _ if reg == self.reg => Divisor::UNKNOWN,
            0 => Divisor { fits: false, ..self },
            _ => self,
        }
    }

    /// What is known where one of the two holds.
    pub(crate) fn join(self, other: Divisor) -> Divisor {
        if (self.reg, self.bytes) != (other.reg, other.bytes) {
            return Divisor::UNKNOWN;
        }
        Divisor { not_zero: self.not_zero && other.not_zero, fits: self.fits && other.fits, ..self }
    }

    /// What is known of these bytes.
    fn of(self, reg: u8, bytes: u8) -> Divisor {
        if (self.reg, self.bytes) == (reg, bytes) { self } else { Divisor { reg, bytes, ..Divisor::UNKNOWN } }
    }
}

/// What flags tell of a division by whether two values that were compared are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// Whether this register is 0.
    Zero(u8),
    /// Whether it is -1.
    MinusOne(u8),
    /// Whether `rax` is the smallest number.
    Smallest,
}

impl Asked {
    /// The lowest bytes of a register are compared with a value.
    fn of(reg: u8, bytes: u32, with: Value) -> Asked {
        match (bytes, with.as_constant()) {
            (4 | 8, Some(0)) => Asked::Zero(reg),
            (4, Some(0xffff_ffff)) | (8, Some(-1)) => Asked::MinusOne(reg),
            (4, Some(0x8000_0000)) if usize::from(reg) == RAX => Asked::Smallest,
            (8, None) if with == Value::SMALLEST && usize::from(reg) == RAX => Asked::Smallest,
            _ => Asked::Nothing,
        }
    }

    /// What was asked, if that still holds once a register is written.
    pub(crate) fn without(self, reg: u8) -> Asked {
        match self {
            Asked::Zero(of) | Asked::MinusOne(of) if of == reg => Asked::Nothing,
            Asked::Smallest if usize::from(reg) == RAX => Asked::Nothing,
            same => same,
        }
    }
}

impl Walk<'_> {
    /// What is asked where the lowest bytes of a register are compared with a value. Where faults are traps nobody
    /// needs it.
    #[inline]
    pub(crate) fn asked(&self, reg: u8, bytes: u32, with: Value) -> Asked {
        if self.p.facts.settings.hardware_traps { Asked::Nothing } else { Asked::of(reg, bytes, with) }
    }

    /// Learns that what was compared is equal, or that it is not.
    pub(crate) fn learn_of_division(&mut self, equal: bool) {
        let (asked, bytes) = (self.st.flags.asked, self.st.flags.bytes);
        let known = &mut self.st.divisor;
        match asked {
            Asked::Nothing => {}
            Asked::Zero(_) if equal => {}
            Asked::Zero(reg) => *known = Divisor { not_zero: true, ..known.of(reg, bytes) },
            Asked::MinusOne(reg) => {
                let divisor = known.of(reg, bytes);
                *known = Divisor { fits: divisor.fits || !equal, ..divisor };
            }
            Asked::Smallest => known.fits |= !equal && known.bytes == bytes,
        }
    }

    /// `div`, `idiv`.
    #[inline(never)]
    pub(crate) fn divide(&mut self, instruction: &Instruction) -> Proved<()> {
        let (operand, bytes) = self.destination(instruction)?;
        let divisor = Self::number(self.read_operand(instruction, operand, bytes)?)?;
        Self::number(self.low(RAX, bytes)?)?;
        Self::number(self.low(RDX, bytes)?)?;
        let known = match operand {
            Operand::Int(reg, _) => self.st.divisor.of(reg as u8, bytes as u8),
            _ => Divisor::UNKNOWN,
        };
        let signed = instruction.mnemonic() == iced_x86::Mnemonic::Idiv;
        let minus_one = if bytes == 8 { -1 } else { (1 << (8 * bytes)) - 1 };
        let other = divisor.is(crate::value::Tag::Huge) || divisor.as_constant().is_some_and(|by| by != minus_one);
        // The dividend is twice as long as the quotient, unless the upper half is nothing but the sign of the lower, or
        // 0.
        let fits = match signed {
            true => u32::from(self.st.sign) == bytes && (known.fits || other),
            false => self.st.regs[RDX] == Value::NULL,
        };
        let harmless = fits && (known.not_zero || divisor.least() > 0);
        self.fault(if harmless { Cause::DivisionInBounds } else { Cause::Division })?;
        self.pair(bytes)
    }

    /// `cdq`, `cqo`.
    #[inline(never)]
    pub(crate) fn sign(&mut self, instruction: &Instruction) -> Proved<()> {
        let bytes: u8 = if instruction.mnemonic() == iced_x86::Mnemonic::Cqo { 8 } else { 4 };
        Self::number(self.low(RAX, bytes.into())?)?;
        self.put(RDX, if bytes == 8 { Value::ANY } else { Value::U32 })?;
        self.st.sign = bytes;
        Ok(())
    }
}
