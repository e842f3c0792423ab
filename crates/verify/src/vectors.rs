//! What vector instructions do: they move and compute numbers. Which registers hold numbers that the module may know is
//! all that is kept of them.

use crate::conts::NULL_REFERENCE;
use crate::decode::Instruction;
use crate::forms::Class;
use crate::lanes::{Lanes, lanes};
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
            self.st.vectors.set(to, 16);
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
        if class == Class::VectorMove
            && let Some(width) = move_width(instruction.mnemonic())
        {
            return self.move_vector(instruction, first, width);
        }
        let lanes = lanes(instruction);
        let first_known = if let Operand::Vector(reg) = first { self.st.vectors.known(reg) } else { 16 };
        // How much is known of those bytes of operands that are read, and of the operand that the rest comes from.
        let (mut least, mut rest) = (if reads_first { self.source(instruction, first)? } else { 16 }, None);
        let takes_rest = matches!(lanes, Lanes::Scalar { .. } | Lanes::LowLoad);
        let three = count > 2 && matches!(self.operand(instruction, 2)?, Operand::Vector(_) | Operand::Memory);
        let three = three || count > 2 && instruction.vex && matches!(self.operand(instruction, 2)?, Operand::Int(..));
        if takes_rest {
            let of_second = three && !matches!(lanes, Lanes::Scalar { fused: true, .. });
            let from = if of_second { self.operand(instruction, 1)? } else { first };
            if let Operand::Vector(reg) = from {
                rest = Some((self.st.vectors.known(reg), of_second));
            }
        }
        let both = matches!(lanes, Lanes::Scalar { both: true, .. });
        if takes_rest && !both {
            least = 16;
        }
        for n in 1..count {
            let skips = rest.is_some_and(|(_, of_second)| of_second) && takes_rest && !both && n == 1;
            let operand = self.operand(instruction, n)?;
            let known = if skips { 16 } else { self.source(instruction, operand)? };
            let inserts = lanes == Lanes::Insert && n + 2 == count && known >= 4;
            least = least.min(if inserts { 16 } else { known });
        }
        let known = match lanes {
            Lanes::Whole | Lanes::Insert => (least == 16).then_some(16),
            // What is stored is what was behind.
            Lanes::Pair if matches!(first, Operand::Memory) => (least == 16).then_some(16),
            Lanes::Low(bytes) => (least >= bytes).then_some(16),
            Lanes::Each(bytes) => (least >= bytes).then_some(least / bytes * bytes),
            Lanes::Pair => (least >= 8).then_some(16),
            Lanes::LowLoad if matches!(first, Operand::Memory) => (least >= 8).then_some(16),
            Lanes::LowLoad => Some(rest.map_or(8, |(rest, _)| rest.max(8))),
            Lanes::Scalar { read, written, .. } => {
                let rest = rest.map_or(first_known, |(rest, _)| rest);
                (least >= read).then_some(rest.max(written))
            }
        };
        let Some(known) = known else { return Err("use of an undefined vector register") };
        if class == Class::VectorTest {
            self.st.flags = Flags::UNKNOWN;
        }
        if written {
            self.write_first(instruction, first, known)?;
        }
        Ok(())
    }

    /// A move of all of a vector, or of its lowest bytes, which may be anything.
    fn move_vector(&mut self, instruction: &Instruction, first: Operand, width: u32) -> Proved<()> {
        let second = self.operand(instruction, 1)?;
        match (first, second) {
            // The destination gets as many bytes, and the rest out of the register itself or out of the other of two.
            (Operand::Vector(to), Operand::Vector(from)) if width < 16 && !is_quad(instruction.mnemonic()) => {
                let (rest, from) = match self.operand(instruction, 2) {
                    Ok(Operand::Vector(last)) => (from, last),
                    _ => (to, from),
                };
                let (rest, known) = (self.st.vectors.known(rest), self.st.vectors.known(from).min(width));
                self.write_first(instruction, first, if known == width { rest.max(width) } else { known })
            }
            (Operand::Vector(_), Operand::Vector(from)) => {
                let known = self.st.vectors.known(from);
                let known = if width < 16 && known >= width { 16 } else { known };
                self.write_first(instruction, first, known)
            }
            (Operand::Vector(_), Operand::Memory) => {
                let known = self.load_vector(instruction)?;
                self.write_first(instruction, first, known)
            }
            (Operand::Memory, Operand::Vector(from)) => {
                let known = self.st.vectors.known(from);
                if known >= Self::width(instruction)? {
                    return self.write_first(instruction, first, known);
                }
                self.keep_unknown(instruction, known)
            }
            (Operand::Int(_, bytes), Operand::Vector(from)) => {
                if self.st.vectors.known(from) < bytes {
                    return Err("use of an undefined vector register");
                }
                self.write_first(instruction, first, 16)
            }
            (_, Operand::Int(reg, bytes)) => {
                Self::number(self.low(reg, bytes)?)?;
                self.write_first(instruction, first, 16)
            }
            _ => Err("first operand of another kind"),
        }
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
                        self.st.vectors.set(SCRATCH, 0);
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
        // Some leave the rest of the register as it was.
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

    /// How many of the lowest bytes of an operand are known, 16 if that is all of it.
    fn source(&mut self, instruction: &Instruction, operand: Operand) -> Proved<u32> {
        match operand {
            Operand::Int(reg, bytes) => Self::number(self.low(reg, bytes)?).map(|_| 16),
            Operand::Vector(reg) => Ok(self.st.vectors.known(reg)),
            // What is only written is looked at where it is written.
            Operand::Memory => self.load_vector(instruction),
            Operand::Immediate(_) => Ok(16),
        }
    }

    /// Reads a vector; says how many of its lowest bytes are known to be numbers, 16 if that is all of it.
    fn load_vector(&mut self, instruction: &Instruction) -> Proved<u32> {
        let width = Self::width(instruction)?;
        let spot = self.spot(instruction, width, false)?;
        self.align(instruction, spot)?;
        match spot {
            Spot::Frame(at) if self.frame_has_addresses(at, width) => Err("pointer as a vector"),
            Spot::Frame(at) => {
                let known = [4, 8].into_iter().rev().find(|bytes| *bytes < width && self.frame_has_numbers(at, *bytes));
                Ok(if self.frame_has_numbers(at, width) { 16 } else { known.unwrap_or(0) })
            }
            Spot::Global(global) => match self.p.facts.globals[global as usize].ty {
                crate::facts::ValueType::Func(_) => Err("function reference as a vector"),
                crate::facts::ValueType::Cont { .. } => Err("use of a reference"),
                _ => Ok(16),
            },
            Spot::Element(table) => match self.p.facts.tables[table as usize].element {
                crate::facts::ValueType::Func(_) => Err("function reference as a vector"),
                crate::facts::ValueType::Cont { .. } => Err("use of a reference"),
                _ => Ok(16),
            },
            Spot::Field(value, _) if !value.is_number() => Err("pointer as a vector"),
            Spot::Continuation(_) => Err("use of a reference"),
            Spot::Store(..) | Spot::ResultArea(_) | Spot::Segment(_) => Err("read of what is no vector"),
            _ => Ok(16),
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

    /// Stores a vector register of which not enough is known: in the frame that leaves what was there undefined.
    fn keep_unknown(&mut self, instruction: &Instruction, known: u32) -> Proved<()> {
        let width = Self::width(instruction)?;
        let Spot::Frame(at) = self.spot(instruction, width, true)? else { return Err("store of an undefined vector") };
        for from in (at..at + width.cast_signed()).step_by(8) {
            self.write(Spot::Frame(from), 8, Value::UNDEF)?;
        }
        match known {
            8 => self.write(Spot::Frame(at), 8, Value::ANY),
            4 => self.write(Spot::Frame(at), 4, Value::U32),
            _ => Ok(()),
        }
    }

    fn write_first(&mut self, instruction: &Instruction, first: Operand, known: u32) -> Proved<()> {
        match first {
            Operand::Vector(to) => {
                self.set_kind(to, 0);
                self.st.vectors.set(to, known);
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

/// How many bytes a move moves as they are, if it is one.
fn move_width(mnemonic: Mnemonic) -> Option<u32> {
    use Mnemonic::*;
    Some(match mnemonic {
        Movaps | Movapd | Movups | Movupd | Movdqa | Movdqu | Vmovaps | Vmovapd | Vmovups | Vmovupd | Vmovdqa
        | Vmovdqu => 16,
        Movss | Vmovss | Movd | Vmovd => 4,
        Movsd | Vmovsd | Movq | Vmovq => 8,
        _ => return None,
    })
}

/// Does a move between registers clear what is above?
fn is_quad(mnemonic: Mnemonic) -> bool {
    matches!(mnemonic, Mnemonic::Movq | Mnemonic::Vmovq)
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
