//! From a row and its operands to bytes.
//!
//! ```text
//! legacy   prefix?  REX?  escape (0–2 bytes)  opcode │ modrm  SIB?  disp (0, 1, 4) │ imm (0, 1, 2, 4)
//! VEX      C5 or C4, 1 or 2 bytes             opcode │ modrm  SIB?  disp (0, 1, 4) │ imm (0, 1)
//! ```
//! The part before the first bar is at most 5 bytes long, that between the bars at most 6. With an address each is one
//! store of a word, an immediate of up to 16 bits belongs to the second, and one of 32 bits is a third. With a register
//! instead, all of it fits in one word: immediates of 32 bits have one-byte opcodes.

use super::rows::{Form, Imm, Map, Operand, Row};
use super::{Asm, Size};
use crate::{Addr, Const, Reg};

/// The bits of a REX prefix; VEX has the same, inverted.
const W: u8 = 8;
const R: u8 = 4;
const X: u8 = 2;
const B: u8 = 1;

/// Bytes in the lower part of a word.
#[derive(Clone, Copy)]
struct Bytes {
    bits: u64,
    len: u32,
}

impl Bytes {
    const NONE: Bytes = Bytes { bits: 0, len: 0 };

    /// Appends `len` bytes.
    #[inline(always)]
    const fn then(self, bits: u64, len: u32) -> Bytes {
        Bytes { bits: self.bits | bits << (8 * self.len), len: self.len + len }
    }

    /// Appends an immediate of this kind.
    #[inline(always)]
    const fn then_imm(self, kind: Imm, imm: i32) -> Bytes {
        match kind {
            Imm::None => self,
            Imm::I8 => self.then(imm as u8 as u64, 1),
            Imm::I16 => self.then(imm as u16 as u64, 2),
            Imm::I32 => self.then(imm as u32 as u64, 4),
        }
    }

    /// Sets the mode of the modrm byte, which comes first here.
    #[inline(always)]
    const fn mode(self, mode: u8) -> Bytes {
        Bytes { bits: self.bits | (mode as u64) << 6, ..self }
    }
}

/// An address as modrm byte, SIB byte and displacement, and the REX bits that belong to it.
#[derive(Clone, Copy)]
struct Encoded {
    rex: u8,
    bytes: Bytes,
}

/// `low` codes that mean something else in an address: 4 (rsp, r12) announces a SIB byte, 5 (rbp, r13) without
/// displacement means none or rip.
const SIB: u8 = 4;
const NO_BASE: u8 = 5;

/// The branches here go one way for nearly all uses of one base: frame slots have no index, linear memory has one.
#[inline(always)]
fn encode_addr(reg: u8, addr: Addr) -> Encoded {
    let base = addr.base_reg().code();
    let low = base & 7;
    let field = u32::from(reg & 7) << 3;
    let (rex, address, len) = match addr.index() {
        Some((index, scale)) => {
            let index = index.code();
            debug_assert!(index != 4 && scale < 4, "rsp is no index");
            let sib = scale << 6 | (index & 7) << 3 | low;
            (((index >> 3) * X) | (base >> 3), u32::from(SIB) | u32::from(sib) << 8, 2)
        }
        None if low == SIB => (base >> 3, u32::from(SIB) | u32::from(0x20 | low) << 8, 2),
        None => (base >> 3, u32::from(low), 1),
    };
    let start = Bytes { bits: (address | field).into(), len };
    let bytes = if addr.disp() != i32::from(addr.disp() as i8) {
        start.mode(2).then((addr.disp() as u32).into(), 4)
    } else if addr.disp() == 0 && low != NO_BASE {
        start
    } else {
        start.mode(1).then((addr.disp() as u8).into(), 1)
    };
    Encoded { rex, bytes }
}

#[inline(always)]
const fn rex_w(size: Size) -> u8 {
    match size {
        Size::S32 => 0,
        Size::S64 => W,
    }
}

/// Everything before the modrm byte. `byte` demands a REX prefix although it may be empty.
#[inline(always)]
fn legacy_head(row: Row, rex: u8, byte: bool) -> Bytes {
    let without = rex == 0 && !byte;
    let bits = (u64::from(row.opcode) << 8 | u64::from(0x40 | rex)) >> (8 * u32::from(without));
    let len = u32::from(row.opcode_len) + 1 - u32::from(without);
    if row.prefix == 0 { Bytes { bits, len } } else { Bytes { bits: bits << 8 | u64::from(row.prefix), len: len + 1 } }
}

/// Everything before the modrm byte; `v` is the code of the additional register, 0 if there is none.
#[inline(always)]
fn vex_head(row: Row, rex: u8, v: u8) -> Bytes {
    let pp = match row.prefix {
        0x66 => 1,
        0xf3 => 2,
        0xf2 => 3,
        _ => 0,
    };
    let last = (!v & 15) << 3 | pp;
    let start = if rex & (W | X | B) == 0 && matches!(row.map, Map::M0f) {
        Bytes::NONE.then(0xc5, 1).then((last | (!rex & R) << 5).into(), 1)
    } else {
        let first = (!rex & (R | X | B)) << 5 | row.map as u8;
        Bytes::NONE.then(0xc4, 1).then(first.into(), 1).then((last | (rex & W) << 4).into(), 1)
    };
    start.then(row.op().into(), 1)
}

/// `spl`, `bpl`, `sil` and `dil` are told from `ah` and its like by a REX prefix.
#[inline(always)]
const fn byte_reg(operand: Operand, code: u8) -> bool {
    matches!(operand, Operand::Int8) && code >= 4
}

fn debug_check(operand: Operand, reg: Reg) {
    debug_assert!(operand.has_reg(), "not a register operand");
    debug_assert_eq!(operand.is_float(), reg.is_float(), "{reg:?} is of the wrong class");
}

/// The code of the `reg` field for rows whose field is part of the opcode.
#[inline(always)]
const fn digit(row: Row) -> u8 {
    match row.reg {
        Operand::Digit(digit) => digit,
        _ => panic!("the row takes a register"),
    }
}

/// Emission by row. Operands come in the order `reg`, additional source, `rm`, immediate, whichever of them is the
/// destination; rows with a digit have no `reg`. The methods for immediates serve rows that have one, the others
/// those that have none.
impl Asm {
    #[inline(always)]
    fn legacy_reg(&mut self, row: Row, size: Size, reg: u8, rm: Reg, imm: i32) {
        self.note_row(row);
        debug_check(row.rm, rm);
        let rm = rm.code();
        let rex = rex_w(size) | row.w | ((reg >> 3) * R) | rm >> 3;
        let head = legacy_head(row, rex, byte_reg(row.reg, reg) || byte_reg(row.rm, rm));
        let all = head.then((0xc0 | (reg & 7) << 3 | rm & 7).into(), 1).then_imm(row.imm, imm);
        self.put(all.bits, all.len);
    }

    #[inline(always)]
    fn legacy_mem(&mut self, row: Row, size: Size, reg: u8, addr: Addr, imm: i32) {
        self.note_row(row);
        self.watch_address(addr);
        if row.plain {
            return self.one_byte_mem(row.opcode, u32::from(rex_w(size)), reg, addr);
        }
        self.any_legacy_mem(row, size, reg, addr, imm);
    }

    #[inline(never)]
    fn any_legacy_mem(&mut self, row: Row, size: Size, reg: u8, addr: Addr, imm: i32) {
        let encoded = encode_addr(reg, addr);
        let rex = rex_w(size) | row.w | ((reg >> 3) * R) | encoded.rex;
        let head = legacy_head(row, rex, byte_reg(row.reg, reg));
        self.put_mem(row, head, encoded.bytes, imm);
    }

    /// For plain rows, the most frequent form by far: 8 bytes at most and so one store. `rex` has W.
    #[inline(never)]
    fn one_byte_mem(&mut self, opcode: u32, rex: u32, reg: u8, addr: Addr) {
        let (reg, base) = (u32::from(reg), u32::from(addr.base_reg().code()));
        let low = base & 7;
        let mut rex = rex | (reg >> 3) << 2 | base >> 3;
        let mut modrm = (reg & 7) << 3;
        let (mut rest, mut len) = (0u64, 0);
        match addr.index() {
            Some((index, scale)) => {
                let index = u32::from(index.code());
                rex |= index >> 3 << 1;
                modrm |= u32::from(SIB);
                rest = (u32::from(scale) << 6 | (index & 7) << 3 | low).into();
                len = 8;
            }
            None if low == u32::from(SIB) => {
                modrm |= u32::from(SIB);
                rest = 0x24;
                len = 8;
            }
            None => modrm |= low,
        }
        let disp = addr.disp();
        if disp != i32::from(disp as i8) {
            modrm |= 0x80;
            rest |= u64::from(disp as u32) << len;
            len += 32;
        } else if disp != 0 || low == u32::from(NO_BASE) {
            modrm |= 0x40;
            rest |= u64::from(disp as u8) << len;
            len += 8;
        }
        let bits = rest << 16 | u64::from(modrm << 8 | opcode);
        if rex == 0 {
            self.put(bits, 2 + len / 8);
        } else {
            self.put(bits << 8 | u64::from(rex | 0x40), 3 + len / 8);
        }
    }

    #[inline(always)]
    fn vex_reg(&mut self, row: Row, size: Size, reg: u8, v: u8, rm: Reg, imm: i32) {
        self.note_row(row);
        debug_assert!(!matches!(row.form, Form::L), "the row has no VEX encoding");
        debug_check(row.rm, rm);
        let rm = rm.code();
        let rex = rex_w(size) | row.w | ((reg >> 3) * R) | rm >> 3;
        let head = vex_head(row, rex, v);
        let all = head.then((0xc0 | (reg & 7) << 3 | rm & 7).into(), 1).then_imm(row.imm, imm);
        self.put(all.bits, all.len);
    }

    #[inline(always)]
    fn vex_mem(&mut self, row: Row, size: Size, reg: u8, v: u8, addr: Addr, imm: i32) {
        self.note_row(row);
        debug_assert!(!matches!(row.form, Form::L), "the row has no VEX encoding");
        self.watch_address(addr);
        let encoded = encode_addr(reg, addr);
        let head = vex_head(row, rex_w(size) | row.w | ((reg >> 3) * R) | encoded.rex, v);
        self.put_mem(row, head, encoded.bytes, imm);
    }

    /// With a constant behind the code in the place of memory: without base, the displacement counts from the end of
    /// the instruction.
    #[inline(never)]
    fn legacy_const(&mut self, row: Row, size: Size, reg: u8, constant: Const, imm: i32) {
        let head = legacy_head(row, rex_w(size) | row.w | ((reg >> 3) * R), byte_reg(row.reg, reg));
        self.put_head_const(row, head, reg, constant, imm);
    }

    #[inline(never)]
    fn vex_const(&mut self, row: Row, size: Size, reg: u8, v: u8, constant: Const, imm: i32) {
        debug_assert!(!matches!(row.form, Form::L), "the row has no VEX encoding");
        let head = vex_head(row, rex_w(size) | row.w | ((reg >> 3) * R), v);
        self.put_head_const(row, head, reg, constant, imm);
    }

    fn put_head_const(&mut self, row: Row, head: Bytes, reg: u8, constant: Const, imm: i32) {
        self.note_row(row);
        debug_assert!(row.rm.has_mem() && matches!(row.imm, Imm::None | Imm::I8));
        let all = head.then(((reg & 7) << 3 | NO_BASE).into(), 1);
        self.put(all.bits, all.len);
        let tail = Bytes::NONE.then_imm(row.imm, imm);
        self.put_const(constant, tail.len == 1);
        self.put(tail.bits, tail.len);
    }

    #[inline(always)]
    fn put_mem(&mut self, row: Row, head: Bytes, addr: Bytes, imm: i32) {
        if matches!(row.imm, Imm::I32) {
            self.put_two(head.bits, head.len, addr.bits, addr.len);
            self.put((imm as u32).into(), 4);
        } else {
            let tail = addr.then_imm(row.imm, imm);
            self.put_two(head.bits, head.len, tail.bits, tail.len);
        }
    }

    /// Two registers.
    #[inline]
    pub fn rr(&mut self, row: Row, size: Size, reg: Reg, rm: Reg) {
        debug_assert!(matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_reg(row, size, reg.code(), rm, 0);
    }

    /// Register and memory.
    #[inline]
    pub fn rm(&mut self, row: Row, size: Size, reg: Reg, addr: Addr) {
        debug_assert!(matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_mem(row, size, reg.code(), addr, 0);
    }

    /// Two registers and a constant.
    #[inline]
    pub fn rri(&mut self, row: Row, size: Size, reg: Reg, rm: Reg, imm: i32) {
        debug_assert!(!matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_reg(row, size, reg.code(), rm, imm);
    }

    /// Register, memory and a constant.
    #[inline]
    pub fn rmi(&mut self, row: Row, size: Size, reg: Reg, addr: Addr, imm: i32) {
        debug_assert!(!matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_mem(row, size, reg.code(), addr, imm);
    }

    /// Register and a constant in memory.
    pub fn rc(&mut self, row: Row, size: Size, reg: Reg, constant: Const) {
        debug_assert!(matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_const(row, size, reg.code(), constant, 0);
    }

    /// Register, a constant in memory and one in the instruction.
    pub fn rci(&mut self, row: Row, size: Size, reg: Reg, constant: Const, imm: i32) {
        debug_assert!(!matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.legacy_const(row, size, reg.code(), constant, imm);
    }

    /// One register.
    #[inline]
    pub fn r(&mut self, row: Row, size: Size, rm: Reg) {
        debug_assert!(matches!(row.imm, Imm::None));
        self.legacy_reg(row, size, digit(row), rm, 0);
    }

    /// Memory.
    #[inline]
    pub fn m(&mut self, row: Row, size: Size, addr: Addr) {
        debug_assert!(matches!(row.imm, Imm::None));
        self.legacy_mem(row, size, digit(row), addr, 0);
    }

    /// One register and a constant.
    #[inline]
    pub fn ri(&mut self, row: Row, size: Size, rm: Reg, imm: i32) {
        debug_assert!(!matches!(row.imm, Imm::None));
        self.legacy_reg(row, size, digit(row), rm, imm);
    }

    /// Memory and a constant.
    #[inline]
    pub fn mi(&mut self, row: Row, size: Size, addr: Addr, imm: i32) {
        debug_assert!(!matches!(row.imm, Imm::None));
        self.legacy_mem(row, size, digit(row), addr, imm);
    }

    /// VEX, two registers.
    #[inline]
    pub fn vrr(&mut self, row: Row, size: Size, reg: Reg, rm: Reg) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_reg(row, size, reg.code(), 0, rm, 0);
    }

    /// VEX, register and memory.
    #[inline]
    pub fn vrm(&mut self, row: Row, size: Size, reg: Reg, addr: Addr) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_mem(row, size, reg.code(), 0, addr, 0);
    }

    /// VEX, two registers and a constant.
    #[inline]
    pub fn vrri(&mut self, row: Row, size: Size, reg: Reg, rm: Reg, imm: i32) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_reg(row, size, reg.code(), 0, rm, imm);
    }

    /// VEX, register, memory and a constant.
    #[inline]
    pub fn vrmi(&mut self, row: Row, size: Size, reg: Reg, addr: Addr, imm: i32) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_mem(row, size, reg.code(), 0, addr, imm);
    }

    /// VEX, register and a constant in memory.
    pub fn vrc(&mut self, row: Row, size: Size, reg: Reg, constant: Const) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_const(row, size, reg.code(), 0, constant, 0);
    }

    /// VEX, register, a constant in memory and one in the instruction.
    pub fn vrci(&mut self, row: Row, size: Size, reg: Reg, constant: Const, imm: i32) {
        debug_assert!(matches!(row.form, Form::V2 | Form::X2) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_const(row, size, reg.code(), 0, constant, imm);
    }

    /// VEX, three registers.
    #[inline]
    pub fn vrvr(&mut self, row: Row, size: Size, reg: Reg, v: Reg, rm: Reg) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3 | Form::X3Last) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_reg(row, size, reg.code(), v.code(), rm, 0);
    }

    /// VEX, two registers and memory.
    #[inline]
    pub fn vrvm(&mut self, row: Row, size: Size, reg: Reg, v: Reg, addr: Addr) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3 | Form::X3Last) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_mem(row, size, reg.code(), v.code(), addr, 0);
    }

    /// VEX, three registers and a constant.
    #[inline]
    pub fn vrvri(&mut self, row: Row, size: Size, reg: Reg, v: Reg, rm: Reg, imm: i32) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_reg(row, size, reg.code(), v.code(), rm, imm);
    }

    /// VEX, two registers, memory and a constant.
    #[inline]
    pub fn vrvmi(&mut self, row: Row, size: Size, reg: Reg, v: Reg, addr: Addr, imm: i32) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_mem(row, size, reg.code(), v.code(), addr, imm);
    }

    /// VEX, two registers and a constant in memory.
    pub fn vrvc(&mut self, row: Row, size: Size, reg: Reg, v: Reg, constant: Const) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3 | Form::X3Last) && matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_const(row, size, reg.code(), v.code(), constant, 0);
    }

    /// VEX, two registers, a constant in memory and one in the instruction.
    pub fn vrvci(&mut self, row: Row, size: Size, reg: Reg, v: Reg, constant: Const, imm: i32) {
        debug_assert!(matches!(row.form, Form::V3 | Form::X3) && !matches!(row.imm, Imm::None));
        debug_check(row.reg, reg);
        self.vex_const(row, size, reg.code(), v.code(), constant, imm);
    }

    /// VEX, four registers.
    #[inline]
    pub fn vrvrr(&mut self, row: Row, size: Size, reg: Reg, v: Reg, rm: Reg, last: Reg) {
        debug_assert!(matches!(row.form, Form::X4));
        debug_check(row.reg, reg);
        self.vex_reg(row, size, reg.code(), v.code(), rm, i32::from(last.code()) << 4);
    }

    /// VEX, two registers, memory and a register.
    #[inline]
    pub fn vrvmr(&mut self, row: Row, size: Size, reg: Reg, v: Reg, addr: Addr, last: Reg) {
        debug_assert!(matches!(row.form, Form::X4));
        debug_check(row.reg, reg);
        self.vex_mem(row, size, reg.code(), v.code(), addr, i32::from(last.code()) << 4);
    }

    /// VEX, two registers, a constant in memory and a register.
    pub fn vrvcr(&mut self, row: Row, size: Size, reg: Reg, v: Reg, constant: Const, last: Reg) {
        debug_assert!(matches!(row.form, Form::X4));
        debug_check(row.reg, reg);
        self.vex_const(row, size, reg.code(), v.code(), constant, i32::from(last.code()) << 4);
    }

    /// VEX with a digit: additional destination, register source, constant.
    #[inline]
    pub fn vvri(&mut self, row: Row, size: Size, v: Reg, rm: Reg, imm: i32) {
        debug_assert!(matches!(row.form, Form::D3));
        self.vex_reg(row, size, digit(row), v.code(), rm, imm);
    }
}
