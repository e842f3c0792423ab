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

    /// Appends an immediate of this kind, the last thing in a word: what is beyond its bytes does not count.
    #[inline(always)]
    const fn then_imm(self, kind: Imm, imm: i32) -> Bytes {
        self.then(imm as u32 as u64, kind as u32)
    }
}

/// `low` codes that mean something else in an address: 4 (rsp, r12) announces a SIB byte, 5 (rbp, r13) without
/// displacement means none or rip.
const SIB: u32 = 4;
const NO_BASE: u32 = 5;

/// What a register is in an instruction with an address, by its code: its bit of REX in the lowest byte, its bits of
/// modrm in the third and of SIB in the fourth.
struct Role([u32; 32]);

/// The register of the modrm byte.
static REG: Role = Role::new(R, 16 + 3, 0);
/// The base where there is an index, and before it `SIB`.
static BASE_OF_INDEX: Role = Role::new(B, 24, SIB << 16);
/// The index.
static INDEX: Role = Role::new(X, 24 + 3, 0);
/// The base where there is no index.
static BASE: Role = Role::new(B, 16, 0).with_sib(4).with_sib(12);

impl Role {
    /// The lower three bits of the code are to be there, what is above is this bit of REX, and the rest is the same for
    /// all.
    const fn new(bit: u8, at: u32, rest: u32) -> Role {
        let mut words = [0; 32];
        let mut code = 0;
        while code < 16 {
            words[code as usize] = rest | (code & 7) << at | (code >> 3) * bit as u32;
            code += 1;
        }
        Role(words)
    }

    /// This base needs a SIB byte: the one that says that there is no index.
    const fn with_sib(mut self, code: usize) -> Role {
        self.0[code] |= 0x24 << 24;
        self
    }

    #[inline(always)]
    fn of(&self, code: u8) -> u32 {
        self.0[code as usize & 31]
    }
}

/// An address with the register of its modrm byte.
struct Encoded {
    /// Bits of REX, nothing, modrm, and SIB if there is one.
    word: u32,
    /// Bytes of modrm and SIB.
    len: u32,
    /// Bytes of displacement.
    disp_len: u32,
}

/// How long a displacement is, nobody can tell from the one before, so there is no branch. Whether there is an index
/// goes by who asks: frame slots have none, linear memory has one.
#[inline(always)]
fn encode_addr(reg: u8, addr: Addr) -> Encoded {
    let (base, disp) = (addr.base_reg().code(), addr.disp());
    let low = u32::from(base) & 7;
    // 0, 1 and 2 for no, one and four bytes.
    let mode = u32::from((disp != 0) | (low == NO_BASE)) + u32::from(disp != i32::from(disp as i8));
    let word = REG.of(reg) | mode << 22;
    let (word, len) = match addr.index() {
        Some((index, scale)) => {
            debug_assert!(index.code() != 4 && scale < 4, "rsp is no index");
            (word | BASE_OF_INDEX.of(base) | INDEX.of(index.code()) | u32::from(scale) << 30, 2)
        }
        None if low == SIB => (word | BASE.of(base), 2),
        None => (word | BASE.of(base), 1),
    };
    Encoded { word, len, disp_len: mode + (mode & 2) }
}

impl Encoded {
    #[inline(always)]
    fn rex(&self) -> u8 {
        self.word as u8
    }

    /// What follows the opcode, of this address.
    #[inline(always)]
    fn bytes(&self, addr: Addr) -> Bytes {
        /// By length: what counts of a displacement.
        const KEPT: [u32; 8] = [0, 0xff, 0, 0, u32::MAX, 0, 0, 0];
        let disp = addr.disp() as u32 & KEPT[self.disp_len as usize & 7];
        Bytes { bits: u64::from(self.word >> 16), len: self.len }.then(disp.into(), self.disp_len)
    }
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
            return self.one_byte_mem(row.opcode << 8 | u32::from(0x40 | rex_w(size)), reg, addr);
        }
        self.any_legacy_mem(row, size, reg, addr, imm);
    }

    #[inline(never)]
    fn any_legacy_mem(&mut self, row: Row, size: Size, reg: u8, addr: Addr, imm: i32) {
        let encoded = encode_addr(reg, addr);
        let head = legacy_head(row, rex_w(size) | row.w | encoded.rex(), byte_reg(row.reg, reg));
        self.put_mem(row, head, encoded.bytes(addr), imm);
    }

    /// For plain rows, the most frequent form by far: 8 bytes at most and so one store. `head` is a REX prefix, which
    /// is left out if it stays empty, and the opcode.
    #[inline(never)]
    fn one_byte_mem(&mut self, head: u32, reg: u8, addr: Addr) {
        let Encoded { word, len, disp_len } = encode_addr(reg, addr);
        // What is beyond the displacement's bytes does not count.
        let disp = u64::from(addr.disp() as u32);
        let all = u64::from(head | word) | if len == 2 { disp << 32 } else { disp << 24 };
        let empty = all as u8 == 0x40;
        self.put(if empty { all >> 8 } else { all }, 2 + len + disp_len - u32::from(empty));
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
        let head = vex_head(row, rex_w(size) | row.w | encoded.rex(), v);
        self.put_mem(row, head, encoded.bytes(addr), imm);
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
        let all = head.then(u64::from(reg & 7) << 3 | u64::from(NO_BASE), 1);
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
