//! Instructions in one form for all rules, from their bytes. The common forms are read here, all others by iced; builds
//! with debug assertions read every instruction both ways and compare, and a test does so for all forms.

use crate::facts::Processor;
use crate::forms::{self, Class};
use crate::state::NONE;
use crate::walk::Proved;
use iced_x86::{Decoder, DecoderOptions, Instruction as Iced, Mnemonic, OpKind, Register};

/// An operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operand {
    /// A register, with how many bytes of it.
    Int(usize, u32),
    Vector(usize),
    Memory,
    Immediate(i64),
}

/// The common forms of moves, by registers and how many bytes of them.
#[derive(Clone, Copy)]
pub(crate) enum Move {
    /// To the first from the second, all 8 bytes.
    Whole(usize, usize),
    /// To the first from the second, 4 bytes.
    Half(usize, usize),
    Load(usize, u32),
    Store(usize, u32),
    /// Of an immediate, or in another form.
    Other,
}

/// What sort of operand: so many bytes of an integer register, or one of these.
mod kind {
    pub(super) const ABSENT: u8 = 0;
    pub(super) const VECTOR: u8 = 16;
    pub(super) const MEMORY: u8 = 17;
    pub(super) const IMMEDIATE: u8 = 18;
    pub(super) const TARGET: u8 = 19;
    pub(super) const REGISTER: u8 = 20;
    pub(super) const OTHER: u8 = 21;
}

/// An operand's sort and register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Op {
    kind: u8,
    reg: u8,
}

const ABSENT: Op = Op { kind: kind::ABSENT, reg: 0 };
const MEMORY: Op = Op { kind: kind::MEMORY, reg: 0 };
const IMMEDIATE: Op = Op { kind: kind::IMMEDIATE, reg: 0 };
const TARGET: Op = Op { kind: kind::TARGET, reg: 0 };

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Of the memory operand: the displacement, or the address if it is relative to the instruction pointer.
    pub(crate) disp: i64,
    /// The immediate operand, or the target of a jump.
    immediate: i64,
    ops: [Op; 4],
    /// Only of those classes whose rules ask for it.
    mnemonic: Mnemonic,
    pub(crate) class: Class,
    pub(crate) len: u8,
    /// Registers of the memory operand by number, or `NONE`.
    pub(crate) base: u8,
    pub(crate) index: u8,
    /// The logarithm of what the index is multiplied by.
    pub(crate) scale: u8,
    /// Bytes of the memory operand; 0 if that is none that anybody knows.
    width: u8,
    /// The number of the condition, as in encodings; `NONE` if there is none.
    condition: u8,
    pub(crate) ip_relative: bool,
    /// Does the address have a register that is not of 64 bits?
    pub(crate) narrow_address: bool,
    pub(crate) vex: bool,
    /// Why nobody may write it so, whatever it is called.
    pub(crate) strange: Option<Strange>,
}

/// What is strange about the encoding of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strange {
    Prefix,
    Form,
    JumpPrefix,
    Processor,
}

impl Strange {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Strange::Prefix => "instruction with a prefix that none may have",
            Strange::Form => "instruction in a form that is not on the list",
            Strange::JumpPrefix => "jump with a prefix",
            Strange::Processor => "instruction that the artifact does not say it needs a processor with",
        }
    }
}

impl Instruction {
    pub(crate) const NONE: Instruction = Instruction {
        disp: 0,
        immediate: 0,
        ops: [ABSENT; 4],
        mnemonic: Mnemonic::INVALID,
        class: Class::Refused,
        len: 0,
        base: NONE,
        index: NONE,
        scale: 0,
        width: 0,
        condition: NONE,
        ip_relative: false,
        narrow_address: false,
        vex: false,
        strange: None,
    };

    #[inline]
    pub(crate) fn operand(&self, n: u32) -> Proved<Operand> {
        let op = self.ops[n as usize & 3];
        match op.kind {
            bytes @ (1 | 2 | 4 | 8) => Ok(Operand::Int(op.reg.into(), bytes.into())),
            kind::MEMORY => Ok(Operand::Memory),
            kind::IMMEDIATE => Ok(Operand::Immediate(self.immediate)),
            kind::VECTOR => Ok(Operand::Vector(op.reg.into())),
            kind::REGISTER => Err("register that nobody uses"),
            _ => Err("operand of another kind"),
        }
    }

    /// What it moves, as an instruction of class `Mov`.
    #[inline(always)]
    pub(crate) fn moved(&self) -> Move {
        let [to, from, ..] = self.ops;
        let (reg, other) = (to.reg.into(), from.reg.into());
        match (to.kind, from.kind) {
            (8, 8) => Move::Whole(reg, other),
            (4, 4) => Move::Half(reg, other),
            (bytes @ (1 | 2 | 4 | 8), kind::MEMORY) => Move::Load(reg, bytes.into()),
            (kind::MEMORY, bytes @ (1 | 2 | 4 | 8)) => Move::Store(other, bytes.into()),
            _ => Move::Other,
        }
    }

    #[inline]
    pub(crate) fn op_count(&self) -> u32 {
        self.ops.iter().take_while(|op| op.kind != kind::ABSENT).count() as u32
    }

    /// Are two operands the same register?
    pub(crate) fn same_register(&self, a: u32, b: u32) -> bool {
        self.ops[a as usize] == self.ops[b as usize]
    }

    /// Is an integer register an operand, or a part of the address?
    pub(crate) fn uses(&self, reg: usize) -> bool {
        let named = |op: &Op| matches!(op.kind, 1 | 2 | 4 | 8) && usize::from(op.reg) == reg;
        self.ops.iter().any(named) || usize::from(self.base) == reg || usize::from(self.index) == reg
    }

    /// Is it a store of an immediate at a scaled index or one that is not, which may be of a loop that fills the frame?
    pub(crate) fn may_fill(&self) -> bool {
        self.class == Class::Mov && self.index != NONE && self.ops[1] == IMMEDIATE
    }

    /// The immediate that operand `n` is.
    #[inline]
    pub(crate) fn immediate(&self, n: u32) -> Option<i64> {
        (self.ops[n as usize & 3].kind == kind::IMMEDIATE).then_some(self.immediate)
    }

    /// The target, of a direct jump or call.
    #[inline]
    pub(crate) fn target(&self) -> Option<u64> {
        (self.ops[0].kind == kind::TARGET).then_some(self.immediate.cast_unsigned())
    }

    /// How many bytes of memory it accesses.
    #[inline]
    pub(crate) fn width(&self) -> Option<u32> {
        if self.width == 0 { None } else { Some(self.width.into()) }
    }

    /// The number of its condition. The lowest bit negates it.
    #[inline]
    pub(crate) fn condition(&self) -> Option<u8> {
        if self.condition == NONE { None } else { Some(self.condition) }
    }

    /// Of divisions, extensions of signs and vector instructions.
    #[inline]
    pub(crate) fn mnemonic(&self) -> Mnemonic {
        self.mnemonic
    }
}

/// Do rules ask for more than the class?
fn is_named(class: Class) -> bool {
    matches!(class, Class::Div | Class::Sign | Class::VectorMove | Class::Vector | Class::VectorTest)
}

/// Reads the instructions of a text.
pub(crate) struct Reader<'a> {
    text: &'a [u8],
    iced: Decoder<'a>,
    buffer: Iced,
    processor: Processor,
}

/// Bytes of the longest instruction, and one.
const WINDOW: usize = 16;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Reader<'a> {
        Reader::with(text, Processor::ALL)
    }

    /// For code that may need what such a processor has. The common forms need nothing.
    pub(crate) fn with(text: &'a [u8], processor: Processor) -> Reader<'a> {
        let iced = Decoder::with_ip(64, text, 0, DecoderOptions::NONE);
        Reader { text, iced, buffer: Iced::default(), processor }
    }

    /// Reads the instruction at an offset; `None` if there is none.
    #[inline(never)]
    pub(crate) fn read(&mut self, at: u32, to: &mut Instruction) -> Option<()> {
        *to = Instruction::NONE;
        self.read_into(at, to)
    }

    /// Reads the instruction at an offset into what is `Instruction::NONE`.
    #[inline(always)]
    pub(crate) fn read_into(&mut self, at: u32, to: &mut Instruction) -> Option<()> {
        let window = self.text.get(at as usize..).and_then(|bytes| bytes.first_chunk::<WINDOW>());
        if let Some(window) = window
            && quick(window, at, to).is_some()
        {
            debug_assert_eq!(Some(*to), self.by_iced(at));
            return Some(());
        }
        *to = self.by_iced(at)?;
        Some(())
    }

    #[cold]
    #[inline(never)]
    fn by_iced(&mut self, at: u32) -> Option<Instruction> {
        self.iced.set_position(at as usize).ok()?;
        self.iced.set_ip(at.into());
        self.iced.decode_out(&mut self.buffer);
        let mut instruction = from_iced(&self.buffer, *self.text.get(at as usize)?)?;
        if instruction.strange.is_none() && !self.processor.has(forms::needs(&self.buffer)) {
            instruction.strange = Some(Strange::Processor);
        }
        Some(instruction)
    }
}

/// An instruction that iced has read, which begins with this byte.
fn from_iced(iced: &Iced, first: u8) -> Option<Instruction> {
    if iced.is_invalid() {
        return None;
    }
    let class = forms::class(iced.mnemonic());
    let mut to = Instruction { class, len: iced.len() as u8, ..Instruction::NONE };
    if iced.op_count() > 4 {
        to.strange = Some(Strange::Form);
        return Some(to);
    }
    for n in 0..iced.op_count() {
        to.ops[n as usize] = match iced.op_kind(n) {
            OpKind::Register => match (forms::int(iced.op_register(n)), forms::vector(iced.op_register(n))) {
                (Some((reg, bytes)), _) => Op { kind: bytes as u8, reg: reg as u8 },
                (_, Some(reg)) => Op { kind: kind::VECTOR, reg: reg as u8 },
                _ => Op { kind: kind::REGISTER, reg: 0 },
            },
            OpKind::Memory => MEMORY,
            OpKind::NearBranch64 => {
                to.immediate = iced.near_branch_target().cast_signed();
                TARGET
            }
            _ => match forms::immediate(iced, n) {
                Some(immediate) => {
                    to.immediate = immediate;
                    IMMEDIATE
                }
                None => Op { kind: kind::OTHER, reg: 0 },
            },
        };
    }
    if to.ops.contains(&MEMORY) {
        let mut register = |register: Register| match forms::int(register) {
            Some((reg, 8)) => reg as u8,
            _ if matches!(register, Register::None | Register::RIP) => NONE,
            _ => {
                to.narrow_address = true;
                NONE
            }
        };
        (to.base, to.index) = (register(iced.memory_base()), register(iced.memory_index()));
        to.ip_relative = iced.memory_base() == Register::RIP;
        to.disp = iced.memory_displacement64().cast_signed();
        if to.index != NONE {
            to.scale = iced.memory_index_scale().trailing_zeros() as u8;
        }
        if class != Class::Lea {
            to.width = forms::width(iced.memory_size()).unwrap_or(0) as u8;
        }
    }
    if is_named(class) {
        to.mnemonic = iced.mnemonic();
    }
    to.condition = forms::condition(iced.mnemonic()).unwrap_or(NONE);
    to.vex = iced.encoding() == iced_x86::EncodingKind::VEX;
    to.strange = if forms::has_strange_prefix(iced) || iced.has_lock_prefix() && !forms::may_lock(class) {
        Some(Strange::Prefix)
    } else if forms::has_strange_encoding(iced, class) || is_far(iced, class) {
        Some(Strange::Form)
    } else if matches!(class, Class::Call | Class::Jmp | Class::Jcc | Class::Ret) && forms::is_prefix(first) {
        Some(Strange::JumpPrefix)
    } else {
        None
    };
    Some(to)
}

/// Does a call or jump change the segment of code, too?
fn is_far(iced: &Iced, class: Class) -> bool {
    match class {
        Class::Call => !iced.is_call_near() && !iced.is_call_near_indirect(),
        Class::Jmp => !iced.is_jmp_short_or_near() && !iced.is_jmp_near_indirect(),
        _ => false,
    }
}

/// How the operands of an opcode are encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Not among the common ones.
    Rare,
    /// Register or memory, register.
    RmReg,
    /// Register or memory, register, of one byte.
    RmReg8,
    /// Register, register or memory.
    RegRm,
    /// Register, register or memory of one byte.
    RegRm8,
    /// Register, register or memory of two bytes.
    RegRm16,
    /// Register of 64 bits, register or memory of four bytes.
    RegRm32,
    /// Register, address.
    Lea,
    /// Register or memory, immediate of one byte: the class is one of eight.
    Group8,
    /// Register or memory, immediate of four bytes: the class is one of eight.
    Group32,
    /// Register or memory of one byte, immediate of one byte: the class is one of eight.
    GroupByte,
    /// Register or memory, count: the class is one of eight.
    Shift,
    /// Register or memory, by `cl`: the class is one of eight.
    ShiftCl,
    /// Register or memory, immediate of four bytes.
    RmImm32,
    /// Register or memory and immediate, of one byte.
    RmImm8,
    /// Register in the opcode, immediate of four bytes.
    RegImm,
    /// Register in the opcode, of 64 bits.
    Reg,
    /// Target at a distance of one byte.
    Short,
    /// Target at a distance of four bytes.
    Near,
    /// Register or memory of one byte, by a condition.
    Set,
    /// `call` or `jmp` to what a register holds.
    Indirect,
    /// No operands.
    Plain,
}

#[derive(Clone, Copy)]
struct Form {
    shape: Shape,
    class: Class,
}

/// By opcode, with 256 more for those behind 0x0f.
static FORMS: [Form; 512] = {
    let mut forms = [Form { shape: Shape::Rare, class: Class::Refused }; 512];
    let list: &[(usize, Shape, Class)] = &[
        (0x01, Shape::RmReg, Class::Add),
        (0x03, Shape::RegRm, Class::Add),
        (0x09, Shape::RmReg, Class::Or),
        (0x0b, Shape::RegRm, Class::Or),
        (0x21, Shape::RmReg, Class::And),
        (0x23, Shape::RegRm, Class::And),
        (0x29, Shape::RmReg, Class::Sub),
        (0x2b, Shape::RegRm, Class::Sub),
        (0x31, Shape::RmReg, Class::Xor),
        (0x33, Shape::RegRm, Class::Xor),
        (0x39, Shape::RmReg, Class::Cmp),
        (0x3b, Shape::RegRm, Class::Cmp),
        (0x63, Shape::RegRm32, Class::Movsx),
        (0x80, Shape::GroupByte, Class::Refused),
        (0x81, Shape::Group32, Class::Refused),
        (0x83, Shape::Group8, Class::Refused),
        (0x84, Shape::RmReg8, Class::Test),
        (0x85, Shape::RmReg, Class::Test),
        (0x88, Shape::RmReg8, Class::Mov),
        (0x89, Shape::RmReg, Class::Mov),
        (0x8b, Shape::RegRm, Class::Mov),
        (0x8d, Shape::Lea, Class::Lea),
        (0xc1, Shape::Shift, Class::Refused),
        (0xc3, Shape::Plain, Class::Ret),
        (0xc6, Shape::RmImm8, Class::Mov),
        (0xc7, Shape::RmImm32, Class::Mov),
        (0xc9, Shape::Plain, Class::Leave),
        (0xd3, Shape::ShiftCl, Class::Refused),
        (0xe8, Shape::Near, Class::Call),
        (0xe9, Shape::Near, Class::Jmp),
        (0xeb, Shape::Short, Class::Jmp),
        (0xff, Shape::Indirect, Class::Refused),
        (0x10b, Shape::Plain, Class::Ud2),
        (0x1af, Shape::RegRm, Class::Imul),
        (0x1b6, Shape::RegRm8, Class::Movzx),
        (0x1b7, Shape::RegRm16, Class::Movzx),
        (0x1be, Shape::RegRm8, Class::Movsx),
        (0x1bf, Shape::RegRm16, Class::Movsx),
    ];
    let mut n = 0;
    while n < list.len() {
        let (opcode, shape, class) = list[n];
        forms[opcode] = Form { shape, class };
        n += 1;
    }
    let mut low = 0;
    while low < 16 {
        forms[0x70 + low] = Form { shape: Shape::Short, class: Class::Jcc };
        forms[0x180 + low] = Form { shape: Shape::Near, class: Class::Jcc };
        forms[0x140 + low] = Form { shape: Shape::RegRm, class: Class::Cmov };
        forms[0x190 + low] = Form { shape: Shape::Set, class: Class::Set };
        if low < 8 {
            forms[0x50 + low] = Form { shape: Shape::Reg, class: Class::Push };
            forms[0x58 + low] = Form { shape: Shape::Reg, class: Class::Pop };
            forms[0xb8 + low] = Form { shape: Shape::RegImm, class: Class::Mov };
        }
        low += 1;
    }
    forms
};

/// Of opcodes with eight classes, by the number in their second byte.
const GROUP: [Class; 8] =
    [Class::Add, Class::Or, Class::Carry, Class::Carry, Class::And, Class::Sub, Class::Xor, Class::Cmp];
const SHIFTS: [Class; 8] =
    [Class::Shift, Class::Shift, Class::Refused, Class::Refused, Class::Shl, Class::Shr, Class::Shl, Class::Shift];

/// Reads the second byte and what belongs to it.
struct Modrm {
    /// The number in it that is a register or says more of the opcode.
    reg: u8,
    rm: Op,
    /// How many bytes it has with what belongs to it.
    len: usize,
}

#[inline(always)]
fn byte(window: &[u8; WINDOW], at: usize) -> u8 {
    window[at & (WINDOW - 1)]
}

/// Four bytes, with sign. Common instructions have no more than 12.
#[inline(always)]
fn word(window: &[u8; WINDOW], at: usize) -> i64 {
    let at = at.min(WINDOW - 4);
    i64::from(i32::from_le_bytes([window[at], window[at + 1], window[at + 2], window[at + 3]]))
}

/// The operand of `bytes` bytes in a register or memory, of which the second byte of an opcode is at `at`.
#[inline(always)]
fn modrm(window: &[u8; WINDOW], at: usize, rex: u8, bytes: u8, to: &mut Instruction) -> Option<Modrm> {
    let modrm = byte(window, at);
    let reg = modrm >> 3 & 7 | (rex & 4) << 1;
    let low = modrm & 7;
    if modrm >= 0xc0 {
        return Some(Modrm { reg, rm: Op { kind: bytes, reg: low | (rex & 1) << 3 }, len: 1 });
    }
    to.width = bytes;
    let mut len = 1;
    let mut base = low | (rex & 1) << 3;
    if low == 4 {
        let sib = byte(window, at + 1);
        len = 2;
        base = sib & 7 | (rex & 1) << 3;
        let index = sib >> 3 & 7 | (rex & 2) << 2;
        if index != 4 {
            to.index = index;
            to.scale = sib >> 6;
        }
        if modrm < 0x40 && sib & 7 == 5 {
            return None;
        }
    } else if modrm < 0x40 && low == 5 {
        // Relative to what comes next: the address is completed where the length is known.
        to.ip_relative = true;
        to.disp = word(window, at + 1);
        return Some(Modrm { reg, rm: MEMORY, len: 5 });
    }
    to.base = base;
    if modrm >= 0x80 {
        to.disp = word(window, at + len);
        len += 4;
    } else if modrm >= 0x40 {
        to.disp = i64::from(byte(window, at + len).cast_signed());
        len += 1;
    }
    Some(Modrm { reg, rm: MEMORY, len })
}

/// The instruction that begins with these bytes, if it is of a common form; else what was none holds anything.
#[inline(always)]
fn quick(window: &[u8; WINDOW], ip: u32, to: &mut Instruction) -> Option<()> {
    let mut at = 1;
    let (mut rex, mut opcode) = (0, window[0]);
    if opcode & 0xf0 == 0x40 {
        (rex, opcode, at) = (opcode, window[1], 2);
    }
    let mut number = usize::from(opcode);
    if opcode == 0x0f {
        opcode = byte(window, at);
        number = 256 + usize::from(opcode);
        at += 1;
    }
    let Form { shape, class } = FORMS[number];
    to.class = class;
    let bytes = if rex & 8 != 0 { 8 } else { 4 };
    // Without another prefix these are the second bytes of the first four registers, which nobody uses.
    let is_high = |op: Op| op.kind == 1 && rex == 0 && op.reg >= 4;
    match shape {
        Shape::Rare => return None,
        Shape::RmReg => {
            let Modrm { reg, rm, len } = modrm(window, at, rex, bytes, to)?;
            (to.ops[0], to.ops[1]) = (rm, Op { kind: bytes, reg });
            at += len;
        }
        Shape::RmReg8 => {
            let Modrm { reg, rm, len } = modrm(window, at, rex, 1, to)?;
            (to.ops[0], to.ops[1]) = (rm, Op { kind: 1, reg });
            if is_high(to.ops[0]) || is_high(to.ops[1]) {
                return None;
            }
            at += len;
        }
        Shape::RegRm | Shape::RegRm8 | Shape::RegRm16 | Shape::RegRm32 | Shape::Lea => {
            let from = match shape {
                Shape::RegRm8 => 1,
                Shape::RegRm16 => 2,
                Shape::RegRm32 if bytes != 8 => return None,
                Shape::RegRm32 => 4,
                _ => bytes,
            };
            let Modrm { reg, rm, len } = modrm(window, at, rex, from, to)?;
            (to.ops[0], to.ops[1]) = (Op { kind: bytes, reg }, rm);
            match class {
                Class::Lea if rm != MEMORY => return None,
                Class::Lea => to.width = 0,
                Class::Cmov => to.condition = opcode & 15,
                _ if is_high(rm) => return None,
                _ => {}
            }
            at += len;
        }
        Shape::Group8 | Shape::Group32 | Shape::GroupByte | Shape::Shift | Shape::ShiftCl => {
            let narrow = shape == Shape::GroupByte;
            let Modrm { reg, rm, len } = modrm(window, at, rex, if narrow { 1 } else { bytes }, to)?;
            if is_high(rm) {
                return None;
            }
            (to.ops[0], to.ops[1]) = (rm, IMMEDIATE);
            at += len;
            let shift = matches!(shape, Shape::Shift | Shape::ShiftCl);
            to.class = if shift { SHIFTS[usize::from(reg & 7)] } else { GROUP[usize::from(reg & 7)] };
            match shape {
                Shape::Group32 => {
                    to.immediate = word(window, at);
                    if bytes == 4 {
                        to.immediate &= 0xffff_ffff;
                    }
                    at += 4;
                }
                Shape::Group8 => {
                    to.immediate = byte(window, at).cast_signed().into();
                    at += 1;
                }
                Shape::ShiftCl => to.ops[1] = Op { kind: 1, reg: 1 },
                _ => {
                    to.immediate = byte(window, at).into();
                    at += 1;
                }
            }
            if to.class == Class::Refused {
                return None;
            }
        }
        Shape::RmImm32 | Shape::RmImm8 => {
            let narrow = shape == Shape::RmImm8;
            let Modrm { reg, rm, len } = modrm(window, at, rex, if narrow { 1 } else { bytes }, to)?;
            if reg & 7 != 0 || is_high(rm) {
                return None;
            }
            (to.ops[0], to.ops[1]) = (rm, IMMEDIATE);
            at += len;
            if narrow {
                to.immediate = byte(window, at).into();
                at += 1;
            } else {
                to.immediate = word(window, at);
                if bytes == 4 {
                    to.immediate &= 0xffff_ffff;
                }
                at += 4;
            }
        }
        Shape::RegImm => {
            if bytes == 8 {
                return None;
            }
            (to.ops[0], to.ops[1]) = (Op { kind: 4, reg: opcode & 7 | (rex & 1) << 3 }, IMMEDIATE);
            to.immediate = word(window, at) & 0xffff_ffff;
            at += 4;
        }
        Shape::Reg => to.ops[0] = Op { kind: 8, reg: opcode & 7 | (rex & 1) << 3 },
        Shape::Short | Shape::Near => {
            // What another prefix means before a jump is left to the other reader.
            if rex != 0 {
                return None;
            }
            let distance = if shape == Shape::Near { word(window, at) } else { byte(window, at).cast_signed().into() };
            at += if shape == Shape::Near { 4 } else { 1 };
            to.ops[0] = TARGET;
            to.immediate = i64::from(ip) + at as i64 + distance;
            if class == Class::Jcc {
                to.condition = opcode & 15;
            }
        }
        Shape::Set => {
            let Modrm { rm, len, .. } = modrm(window, at, rex, 1, to)?;
            if is_high(rm) {
                return None;
            }
            to.ops[0] = rm;
            to.condition = opcode & 15;
            at += len;
        }
        Shape::Indirect => {
            let Modrm { reg, rm, len } = modrm(window, at, rex, 8, to)?;
            if rm == MEMORY || rex & 8 != 0 {
                return None;
            }
            to.ops[0] = rm;
            to.class = match reg & 7 {
                2 => Class::Call,
                4 => Class::Jmp,
                _ => return None,
            };
            at += len;
        }
        Shape::Plain => {
            if rex != 0 {
                return None;
            }
        }
    }
    if to.ip_relative {
        to.disp += i64::from(ip) + at as i64;
    }
    to.len = at as u8;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every opcode with every second byte, each with all prefixes of one sort, and bytes behind that are
    /// displacements, immediates and scaled indices of all sorts.
    #[test]
    fn both_readers_read_the_same() {
        let tails: [[u8; 12]; 4] = [
            [0x00, 0x80, 0x7f, 0xff, 0x01, 0xfe, 0x90, 0x12, 0xc3, 0x80, 0x00, 0xff],
            [0xa5, 0x10, 0x20, 0x30, 0x84, 0x11, 0x22, 0x33, 0x94, 0x01, 0x02, 0x03],
            [0x64, 0xf0, 0xff, 0xff, 0xff, 0x08, 0xff, 0xff, 0x7f, 0x00, 0x00, 0x80],
            [0x25, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 0x01, 0x80, 0x7f],
        ];
        let (mut text, mut read) = ([0u8; 32], 0);
        for prefix in (0x40..0x50).map(Some).chain([None]) {
            for opcode in 0..512 {
                for second in 0..=255 {
                    for tail in &tails {
                        let mut bytes = Vec::with_capacity(16);
                        bytes.extend(prefix);
                        bytes.extend((opcode >= 256).then_some(0x0f));
                        bytes.extend([opcode as u8, second]);
                        bytes.extend(tail);
                        bytes.resize(16, 0x90);
                        text[8..24].copy_from_slice(&bytes);
                        let window = text[8..].first_chunk().unwrap();
                        let mut quickly = Instruction::NONE;
                        if quick(window, 8, &mut quickly).is_some() {
                            let slowly = Reader::new(&text).by_iced(8);
                            assert_eq!(Some(quickly), slowly, "{bytes:02x?}");
                            read += 1;
                        }
                    }
                }
            }
        }
        assert!(read > 1 << 20, "{read}");
    }

    #[test]
    fn common_instructions_are_read_quickly() {
        let common: &[&[u8]] = &[
            &[0x8b, 0x45, 0xf8],                               // mov eax, [rbp-8]
            &[0x41, 0x8b, 0x44, 0x0e, 0x10],                   // mov eax, [r14+rcx+0x10]
            &[0x48, 0x8d, 0x05, 0x10, 0, 0, 0],                // lea rax, [rip+0x10]
            &[0x41, 0xc7, 0x84, 0x16, 0, 1, 0, 0, 1, 2, 3, 4], // mov dword [r14+rdx+0x100], 0x04030201
            &[0x0f, 0x84, 1, 0, 0, 0],                         // je
        ];
        for bytes in common {
            let mut window = [0x90; WINDOW];
            window[..bytes.len()].copy_from_slice(bytes);
            let mut instruction = Instruction::NONE;
            assert!(quick(&window, 0, &mut instruction).is_some(), "{bytes:02x?}");
            assert_eq!(usize::from(instruction.len), bytes.len());
        }
    }
}
