//! What vector instructions do: they move and compute numbers. Which registers hold numbers that the module may know is all
//! that is kept of them.

use crate::conts::NULL_REFERENCE;
use crate::decode::Instruction;
use crate::forms::Class;
use crate::operand::Spot;
use crate::state::{Flags, RBP};
use crate::transfer::Operand;
use crate::value::{Tag, Value};
use crate::walk::{Proved, Walk};
use iced_x86::Mnemonic;

/// Through which a caller's frame pointer goes while a frame is rebuilt.
const SCRATCH: usize = 15;

impl Walk<'_> {
    #[inline(never)]
    pub(crate) fn vector(&mut self, instruction: &Instruction, class: Class) -> Proved<()> {
        let count = instruction.op_count();
        let first = self.operand(instruction, 0)?;
        let written = class != Class::VectorTest;
        // Three operands of which the last is an immediate are two.
        let sources = (1..count).filter(|n| instruction.immediate(*n).is_none()).count();
        let reads_first = match class {
            Class::VectorMove => false,
            Class::VectorTest => true,
            _ => !instruction.vex || is_fused(instruction.mnemonic()),
        };
        if self.clears(instruction, sources) {
            let Operand::Vector(to) = first else { return Err("first operand of another kind") };
            self.st.vectors |= 1 << to;
            self.set_kind(to, if is_zero(instruction.mnemonic()) { NULL_REFERENCE } else { 0 });
            if to == SCRATCH {
                self.st.xmm15 = Value::UNDEF;
            }
            return Ok(());
        }
        if let Some(done) = self.moves_frame_pointer(instruction, first)? {
            return Ok(done);
        }
        if self.moves_reference(instruction, first)? {
            return Ok(());
        }
        self.check_parts(instruction, first)?;
        if reads_first {
            self.read_source(instruction, first)?;
        }
        for n in 1..count {
            let operand = self.operand(instruction, n)?;
            if let (Operand::Vector(from), Operand::Vector(_), Class::VectorMove) = (operand, first, class)
                && self.st.vectors >> from & 1 == 0
            {
                // A move of what nobody knows leaves it so.
                return self.write_first(instruction, first, false);
            }
            if let (Operand::Vector(from), Operand::Memory, Class::VectorMove) = (operand, first, class)
                && self.st.vectors >> from & 1 == 0
            {
                return self.keep_unknown(instruction);
            }
            if let (Operand::Memory, Operand::Vector(_), Class::VectorMove) = (operand, first, class) {
                let known = self.load_vector(instruction)?;
                return self.write_first(instruction, first, known);
            }
            self.read_source(instruction, operand)?;
        }
        if class == Class::VectorTest {
            self.st.flags = Flags::UNKNOWN;
        }
        if written {
            self.write_first(instruction, first, true)?;
        }
        Ok(())
    }

    /// Is the result the same whatever was there?
    fn clears(&self, instruction: &Instruction, sources: usize) -> bool {
        use Mnemonic::*;
        let last = instruction.op_count() - 1;
        let same = instruction.same_register(last, last - 1) && sources == last as usize;
        let idempotent = matches!(
            instruction.mnemonic(),
            Pxor | Xorps
                | Xorpd
                | Vpxor
                | Vxorps
                | Vxorpd
                | Pcmpeqb
                | Pcmpeqw
                | Pcmpeqd
                | Pcmpeqq
                | Vpcmpeqb
                | Vpcmpeqw
                | Vpcmpeqd
                | Vpcmpeqq
                | Pandn
                | Vpandn
                | Psubb
                | Psubd
                | Psubq
                | Psubw
        );
        idempotent && same && matches!(self.operand(instruction, last), Ok(Operand::Vector(_)))
    }

    /// The caller's frame pointer waits in a vector register while arguments are put where it was.
    fn moves_frame_pointer(&mut self, instruction: &Instruction, first: Operand) -> Proved<Option<()>> {
        match (first, self.operand(instruction, 1)?) {
            // All of the register's lower half, as it is, and not what is made of it.
            (Operand::Vector(SCRATCH), Operand::Memory)
                if matches!(
                    instruction.mnemonic(),
                    Mnemonic::Movq | Mnemonic::Vmovq | Mnemonic::Movsd | Mnemonic::Vmovsd
                ) =>
            {
                let spot = self.spot(instruction, 8, false)?;
                if let Spot::Frame(at) = spot {
                    let value = self.frames.get(self.st.slots, self.word(at));
                    if value == Value::of(Tag::Saved, RBP as u32) && at % 8 == 0 {
                        self.st.xmm15 = value;
                        self.st.vectors &= !(1 << SCRATCH);
                        self.set_kind(SCRATCH, 0);
                        return Ok(Some(()));
                    }
                }
                Ok(None)
            }
            (Operand::Int(to, 8), Operand::Vector(SCRATCH)) if self.st.xmm15 != Value::UNDEF => {
                let moves = matches!(
                    instruction.mnemonic(),
                    Mnemonic::Movq | Mnemonic::Vmovq | Mnemonic::Movd | Mnemonic::Vmovd
                );
                if !moves {
                    return Err("use of what is no number");
                }
                let value = self.st.xmm15;
                self.put(to, value).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Where a register holds an address for certain, no part of it becomes part of another value.
    fn check_parts(&self, instruction: &Instruction, first: Operand) -> Proved<()> {
        use Mnemonic::*;
        let is_address =
            |reg: usize| self.kind(reg) > NULL_REFERENCE || reg == SCRATCH && self.st.xmm15 != Value::UNDEF;
        for n in 1..instruction.op_count() {
            if matches!(self.operand(instruction, n)?, Operand::Vector(from) if is_address(from)) {
                return Err("use of a part of what is no number");
            }
        }
        // These leave the rest of the register as it was.
        let merges = match instruction.mnemonic() {
            Movss | Movsd => matches!(self.operand(instruction, 1)?, Operand::Vector(_)),
            Cvtsd2ss | Cvtss2sd | Cvtsi2sd | Cvtsi2ss | Sqrtss | Sqrtsd | Roundss | Roundsd => true,
            _ => false,
        };
        if merges && matches!(first, Operand::Vector(to) if is_address(to)) {
            return Err("use of a part of what is no number");
        }
        Ok(())
    }

    /// Does the frame keep an address in any of these bytes?
    fn frame_has_addresses(&self, at: i32, width: u32) -> bool {
        let words = (at.div_euclid(8) * 8..at + width.cast_signed()).step_by(8);
        words.into_iter().any(|at| {
            let word = self.frames.get(self.st.slots, self.word(at));
            !word.is_number() && !word.is(Tag::Undef)
        })
    }

    fn read_source(&mut self, instruction: &Instruction, operand: Operand) -> Proved<()> {
        match operand {
            Operand::Int(reg, bytes) => Self::number(self.low(reg, bytes)?).map(drop),
            Operand::Vector(reg) if self.st.vectors >> reg & 1 != 0 => Ok(()),
            Operand::Vector(_) => Err("use of an undefined vector register"),
            Operand::Memory => {
                if self.load_vector(instruction)? {
                    Ok(())
                } else {
                    Err("use of an undefined vector")
                }
            }
            Operand::Immediate(_) => Ok(()),
        }
    }

    /// Reads a vector; says whether all of it is known to be numbers.
    fn load_vector(&mut self, instruction: &Instruction) -> Proved<bool> {
        let width = Self::width(instruction)?;
        let spot = self.spot(instruction, width, false)?;
        self.align(instruction, spot)?;
        match spot {
            Spot::Frame(at) if self.frame_has_addresses(at, width) => Err("pointer as a vector"),
            Spot::Frame(at) => Ok(self.frame_has_numbers(at, width)),
            Spot::Global(global) => match self.p.facts.globals[global as usize].ty {
                crate::facts::ValueType::Func(_) => Err("function reference as a vector"),
                crate::facts::ValueType::Cont { .. } => Err("use of a reference"),
                _ => Ok(true),
            },
            Spot::Element(table) => match self.p.facts.tables[table as usize].element {
                crate::facts::ValueType::Func(_) => Err("function reference as a vector"),
                crate::facts::ValueType::Cont { .. } => Err("use of a reference"),
                _ => Ok(true),
            },
            Spot::Field(value, _) if !value.is_number() => Err("pointer as a vector"),
            Spot::Continuation(_) => Err("use of a reference"),
            Spot::Store(..) | Spot::ResultArea(_) | Spot::Segment(_) => Err("read of what is no vector"),
            _ => Ok(true),
        }
    }

    /// Are all these bytes of the frame numbers?
    pub(crate) fn frame_has_numbers(&self, at: i32, width: u32) -> bool {
        let end = at + width.cast_signed();
        let mut from = at;
        while from < end {
            let halves = self.frames.get(self.st.slots, self.word(from)).halves();
            if halves >> (from.rem_euclid(8) / 4) & 1 == 0 {
                return false;
            }
            from = (from.div_euclid(4) + 1) * 4;
        }
        true
    }

    /// Instructions whose operand must be aligned, as they fault if it is not.
    pub(crate) fn align(&self, instruction: &Instruction, spot: Spot) -> Proved<()> {
        use Mnemonic::*;
        let relaxed = matches!(
            instruction.mnemonic(),
            Movups | Movupd | Movdqu | Movss | Movsd | Movd | Movq | Vmovups | Vmovupd | Vmovdqu
        );
        if relaxed || Self::width(instruction)? != 16 || is_vex(instruction) {
            return Ok(());
        }
        let aligned = match spot {
            // The stack pointer is 8 beyond a multiple of 16 at the entry.
            Spot::Frame(at) => (at - 8) % 16 == 0,
            Spot::Global(_) => true,
            // The text is whole pages.
            Spot::Constants if instruction.ip_relative => instruction.disp.cast_unsigned().is_multiple_of(16),
            _ => false,
        };
        if aligned { Ok(()) } else { Err("operand that is not aligned") }
    }

    /// Stores a vector register of which nothing is known: in the frame that leaves what was there undefined.
    fn keep_unknown(&mut self, instruction: &Instruction) -> Proved<()> {
        let width = Self::width(instruction)?;
        let Spot::Frame(at) = self.spot(instruction, width, true)? else { return Err("store of an undefined vector") };
        for from in (at..at + width.cast_signed()).step_by(8) {
            self.write(Spot::Frame(from), 8, Value::UNDEF)?;
        }
        Ok(())
    }

    fn write_first(&mut self, instruction: &Instruction, first: Operand, known: bool) -> Proved<()> {
        match first {
            Operand::Vector(to) => {
                self.set_kind(to, 0);
                if known {
                    self.st.vectors |= 1 << to;
                } else {
                    self.st.vectors &= !(1 << to);
                }
                if to == SCRATCH {
                    self.st.xmm15 = Value::UNDEF;
                }
                Ok(())
            }
            Operand::Int(to, bytes @ (4 | 8)) => {
                self.put_low(to, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })
            }
            Operand::Memory => {
                let width = Self::width(instruction)?;
                let spot = self.spot(instruction, width, true)?;
                self.align(instruction, spot)?;
                if width == 16 && matches!(spot, Spot::Frame(at) if at % 8 != 0) {
                    return Err("vector across words of the frame");
                }
                self.write(spot, width, Value::ANY)
            }
            _ => Err("first operand of another kind"),
        }
    }
}

/// Is the exclusive or of a register with itself 0?
fn is_zero(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    matches!(mnemonic, Pxor | Xorps | Xorpd | Vpxor | Vxorps | Vxorpd)
}

/// Does the instruction read its first operand beside two others?
fn is_fused(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    matches!(
        mnemonic,
        Vfmadd132ps
            | Vfmadd213ps
            | Vfmadd231ps
            | Vfmadd132pd
            | Vfmadd213pd
            | Vfmadd231pd
            | Vfnmadd132ps
            | Vfnmadd213ps
            | Vfnmadd231ps
            | Vfnmadd132pd
            | Vfnmadd213pd
            | Vfnmadd231pd
            | Vfmadd132ss
            | Vfmadd213ss
            | Vfmadd231ss
            | Vfmadd132sd
            | Vfmadd213sd
            | Vfmadd231sd
    )
}

/// Operands of such may be anywhere.
fn is_vex(instruction: &Instruction) -> bool {
    !matches!(instruction.mnemonic(), Mnemonic::Vmovaps | Mnemonic::Vmovapd | Mnemonic::Vmovdqa) && instruction.vex
}
