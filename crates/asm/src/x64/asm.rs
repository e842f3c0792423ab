//! The assembler: a buffer, its labels, and the instructions by name.

use super::{Size, rows};
use crate::pool::Pool;
use crate::{Addr, Assembler, Buffer, Const, Label, Labels, Reg, RegSet};
use std::ops::Range;

/// Machine code of x86-64 under construction.
#[derive(Clone, Debug, Default)]
pub struct Asm {
    buffer: Buffer,
    labels: Labels,
    pool: Pool,
    /// Do branches keep within pieces, see `keep_whole`?
    keeps_whole: bool,
    /// Where the last compare of registers and constants starts and ends: with a branch right behind it is one step.
    compare: (u32, u32),
    #[cfg(debug_assertions)]
    unowned: RegSet,
    /// How often the flags may have changed.
    #[cfg(debug_assertions)]
    flags: u32,
}

/// By length, from 1 on: an instruction of so many bytes that does nothing.
#[rustfmt::skip]
pub const NOPS: [u64; 8] = [
    0x90, 0x9066, 0x00_1f_0f, 0x00_40_1f_0f, 0x00_00_44_1f_0f, 0x00_00_44_1f_0f_66,
    0x00_00_00_00_80_1f_0f, 0x00_00_00_00_00_84_1f_0f,
];

/// The family of two-operand integer operations; the value is the digit of their opcodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[rustfmt::skip]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Alu { Add = 0, Or = 1, Adc = 2, Sbb = 3, And = 4, Sub = 5, Xor = 6, Cmp = 7 }

impl Alu {
    /// All of them.
    #[rustfmt::skip]
    pub const ALL: [Alu; 8] = [Alu::Add, Alu::Or, Alu::Adc, Alu::Sbb, Alu::And, Alu::Sub, Alu::Xor, Alu::Cmp];

    /// Register with register or memory.
    #[must_use]
    pub const fn row_rm(self) -> rows::Row {
        rows::ADD_RM.offset(8 * self as u8)
    }

    /// Memory with register.
    #[must_use]
    pub const fn row_mr(self) -> rows::Row {
        rows::ADD_MR.offset(8 * self as u8)
    }

    /// 8 bits of memory with register.
    #[must_use]
    pub const fn row_mr8(self) -> rows::Row {
        rows::ADD_MR8.offset(8 * self as u8)
    }

    /// 16 bits of memory with register.
    #[must_use]
    pub const fn row_mr16(self) -> rows::Row {
        rows::ADD_MR16.offset(8 * self as u8)
    }

    /// Register or memory with a constant that fits in a signed byte.
    #[must_use]
    pub const fn row_mi8(self) -> rows::Row {
        rows::ADD_MI8.digit(self as u8)
    }

    /// Register or memory with any constant.
    #[must_use]
    pub const fn row_mi(self) -> rows::Row {
        rows::ADD_MI.digit(self as u8)
    }
}

/// The family of shifts; the value is the digit of their opcodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[rustfmt::skip]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Shift { Rol = 0, Ror = 1, Shl = 4, Shr = 5, Sar = 7 }

/// A condition on the flags; the value is what the opcodes hold. Even and odd are each other's opposite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[rustfmt::skip]
#[expect(missing_docs, reason = "the manual's names")]
pub enum Cc {
    O = 0, No = 1, B = 2, Ae = 3, E = 4, Ne = 5, Be = 6, A = 7, S = 8, Ns = 9, P = 10, Np = 11, L = 12, Ge = 13, Le = 14, G = 15,
}

impl Cc {
    /// All of them, by number.
    #[rustfmt::skip]
    pub const ALL: [Cc; 16] = [
        Cc::O, Cc::No, Cc::B, Cc::Ae, Cc::E, Cc::Ne, Cc::Be, Cc::A,
        Cc::S, Cc::Ns, Cc::P, Cc::Np, Cc::L, Cc::Ge, Cc::Le, Cc::G,
    ];

    /// The opposite.
    #[must_use]
    pub const fn invert(self) -> Cc {
        Cc::ALL[self as usize ^ 1]
    }
}

/// `invert` finds the opposite beside it.
const _: () = {
    let mut i = 0;
    while i < Cc::ALL.len() {
        assert!(Cc::ALL[i] as usize == i);
        i += 1;
    }
};

/// A jump with an 8-bit distance to a place a few instructions further on, not yet reached.
#[derive(Debug)]
#[must_use = "a jump that goes nowhere"]
pub struct Short(u32);

/// Rounding mode of `roundss` and its like, with the inexact exception suppressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Round {
    /// To nearest, ties to even.
    Nearest = 8,
    /// Towards minus infinity.
    Down = 9,
    /// Towards plus infinity.
    Up = 10,
    /// Towards zero.
    Zero = 11,
}

impl Assembler for Asm {
    #[inline]
    fn offset(&self) -> u32 {
        self.buffer.len()
    }

    #[inline]
    fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve(bytes);
    }

    fn room_end(&self) -> u32 {
        self.buffer.room_end()
    }

    #[inline(always)]
    fn watch(&mut self, unowned: RegSet) {
        #[cfg(debug_assertions)]
        {
            self.unowned = unowned;
        }
        let _ = unowned;
    }

    #[inline]
    fn label(&mut self) -> Label {
        self.labels.label()
    }

    #[inline]
    fn bind(&mut self, label: Label) {
        self.labels.bind(label, &mut self.buffer);
        self.note_flags();
    }

    #[inline(always)]
    fn flags(&self) -> u32 {
        #[cfg(debug_assertions)]
        return self.flags;
        #[cfg(not(debug_assertions))]
        0
    }

    fn reset_labels(&mut self) {
        self.pool.reset();
        self.labels.reset();
    }

    fn place_constants(&mut self) -> u32 {
        if self.pool.is_empty() {
            return self.offset();
        }
        self.buffer.reserve(self.pool.max_bytes());
        self.align(Pool::ALIGN);
        let start = self.offset();
        self.pool.place(&mut self.buffer);
        start
    }

    fn repeat(&mut self, code: Range<u32>) {
        self.note_flags();
        self.buffer.repeat(code);
    }

    fn pad(&mut self, bytes: u32) {
        let mut left = bytes;
        while left != 0 {
            let len = left.min(8);
            self.put(0x9090_9090_9090_9090, len);
            left -= len;
        }
    }

    fn align(&mut self, align: u32) {
        debug_assert!(align.is_power_of_two());
        self.nop(self.offset().wrapping_neg() & (align - 1));
    }

    fn truncate(&mut self, offset: u32) {
        self.compare = (0, 0);
        self.buffer.truncate(offset);
    }

    fn abandon(&mut self, offset: u32) {
        self.pool.abandon();
        self.labels.abandon();
        self.truncate(offset);
    }

    fn code(&self) -> &[u8] {
        self.buffer.code()
    }

    fn code_mut(&mut self) -> &mut [u8] {
        self.buffer.code_mut()
    }

    fn take_code(&mut self) -> Vec<u8> {
        std::mem::take(self).buffer.into_code()
    }
}

/// The code as a whole.
impl Asm {
    /// No code yet.
    #[must_use]
    pub fn new() -> Asm {
        Asm::default()
    }

    /// Panics in debug builds if an address reads what it must not.
    #[inline(always)]
    pub(super) fn watch_address(&self, addr: Addr) {
        #[cfg(debug_assertions)]
        assert!(addr.regs().and(self.unowned).is_empty(), "{addr:?} reads a register that nobody owns");
        let _ = addr;
    }

    /// Overwrites the 32-bit field at an offset.
    pub fn set_field(&mut self, at: u32, value: u32) {
        self.buffer.set_field(at, value);
    }

    /// Appends the lowest `len` bytes of `bits`, `len <= 8`.
    #[inline(always)]
    pub fn put(&mut self, bits: u64, len: u32) {
        self.buffer.put(bits, len);
    }

    /// Appends two pieces in one step, `first_len < 8`.
    #[inline(always)]
    pub(super) fn put_two(&mut self, first: u64, first_len: u32, second: u64, second_len: u32) {
        self.buffer.put_two(first, first_len, second, second_len);
    }

    /// The flags may have changed.
    #[inline(always)]
    fn note_flags(&mut self) {
        #[cfg(debug_assertions)]
        {
            self.flags += 1;
        }
    }

    /// An instruction is appended.
    #[inline(always)]
    pub(super) fn note_row(&mut self, row: rows::Row) {
        #[cfg(debug_assertions)]
        if !row.keeps_flags() {
            self.note_flags();
        }
        let _ = row;
    }

    /// The constant with these bits, to be had as an operand until `place_constants`.
    #[must_use]
    pub fn constant(&mut self, bits: u128) -> Const {
        self.pool.constant(bits)
    }

    /// Constants that lie one behind the other in this order, 16 bytes each; the first of them.
    #[must_use]
    pub fn constant_table(&mut self, table: &[u128]) -> Const {
        self.pool.table(table)
    }

    /// Bytes that `place_constants` would append, at most.
    #[inline]
    #[must_use]
    pub fn constant_bytes(&self) -> usize {
        self.pool.max_bytes()
    }

    /// Appends the field of an operand in memory that is a constant.
    #[inline]
    pub(super) fn put_const(&mut self, constant: Const, byte_follows: bool) {
        self.pool.put_rel32(constant, byte_follows, &mut self.buffer);
    }

    /// So many bytes that do nothing, in as few instructions as the manual recommends.
    pub fn nop(&mut self, bytes: u32) {
        let mut left = bytes;
        while left != 0 {
            let len = left.min(8);
            self.put(NOPS[len as usize - 1], len);
            left -= len;
        }
    }
}

/// Moves.
impl Asm {
    /// `d = s`
    #[inline]
    pub fn mov_rr(&mut self, size: Size, d: Reg, s: Reg) {
        self.rr(rows::MOV_RM, size, d, s);
    }

    /// `d = [addr]`
    #[inline]
    pub fn mov_rm(&mut self, size: Size, d: Reg, addr: Addr) {
        self.rm(rows::MOV_RM, size, d, addr);
    }

    /// `[addr] = s`
    #[inline]
    pub fn mov_mr(&mut self, size: Size, addr: Addr, s: Reg) {
        self.rm(rows::MOV_MR, size, s, addr);
    }

    /// `[addr] = imm`, sign-extended to 64 bits if that is the size.
    #[inline]
    pub fn mov_mi(&mut self, size: Size, addr: Addr, imm: i32) {
        self.mi(rows::MOV_MI, size, addr, imm);
    }

    /// `d = imm` in the shortest form that keeps the flags; at 32 bits the upper half of `imm` does not count.
    #[inline]
    pub fn mov_ri(&mut self, size: Size, d: Reg, imm: i64) {
        let bits = match size {
            Size::S32 => imm as u32 as u64,
            Size::S64 => imm as u64,
        };
        let (rex_b, low) = (d.code() >> 3, d.code() & 7);
        if bits == bits as u32 as u64 {
            let without = u32::from(rex_b ^ 1);
            self.put((0x41 | u64::from(0xb8 | low) << 8 | bits << 16) >> (8 * without), 6 - without);
        } else if bits as i64 == bits as i32 as i64 {
            self.ri(rows::MOV_MI, Size::S64, d, bits as i32);
        } else {
            self.put(u64::from(0x48 | rex_b) | u64::from(0xb8 | low) << 8, 2);
            self.put(bits, 8);
        }
    }

    /// `d = 0` by `xor`, which sets the flags.
    #[inline]
    pub fn zero(&mut self, d: Reg) {
        self.rr(Alu::Xor.row_rm(), Size::S32, d, d);
    }

    /// `d = addr` itself
    #[inline]
    pub fn lea_rm(&mut self, size: Size, d: Reg, addr: Addr) {
        self.rm(rows::LEA, size, d, addr);
    }

    /// `d = the address of the label`
    pub fn lea_label(&mut self, d: Reg, label: Label) {
        let rex = 0x48 | (d.code() >> 3) << 2;
        let modrm = (d.code() & 7) << 3 | 5;
        self.put_rel32(u64::from(rex) | 0x8d << 8 | u64::from(modrm) << 16, 3, label);
    }

    /// `d = the address of something that a relocation names later`; returns the offset of the 32-bit field.
    pub fn lea_sym(&mut self, d: Reg) -> u32 {
        let rex = 0x48 | (d.code() >> 3) << 2;
        let modrm = (d.code() & 7) << 3 | 5;
        self.put(u64::from(rex) | 0x8d << 8 | u64::from(modrm) << 16, 7);
        self.offset() - 4
    }

    /// Pushes a register.
    #[inline]
    pub fn push(&mut self, r: Reg) {
        self.push_pop(0x50, r);
    }

    /// Pops a register.
    #[inline]
    pub fn pop(&mut self, r: Reg) {
        self.push_pop(0x58, r);
    }

    #[inline(always)]
    fn push_pop(&mut self, op: u8, r: Reg) {
        debug_assert!(!r.is_float());
        let op = u64::from(op | r.code() & 7);
        if r.code() < 8 { self.put(op, 1) } else { self.put(0x41 | op << 8, 2) }
    }

    /// Pushes 8 bytes of memory.
    pub fn push_m(&mut self, addr: Addr) {
        self.m(rows::PUSH_M, Size::S32, addr);
    }

    /// Exchanges two registers.
    #[inline]
    pub fn xchg_rr(&mut self, size: Size, a: Reg, b: Reg) {
        self.rr(rows::XCHG, size, a, b);
    }

    /// `d = zero-extended byte`
    #[inline]
    pub fn movzx8_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVZX_8, Size::S32, d, addr);
    }

    /// `d = zero-extended 16 bits`
    #[inline]
    pub fn movzx16_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVZX_16, Size::S32, d, addr);
    }

    /// `d = zero-extended lowest byte of s`
    #[inline]
    pub fn movzx8_rr(&mut self, d: Reg, s: Reg) {
        self.rr(rows::MOVZX_8, Size::S32, d, s);
    }

    /// `[addr] = the lowest byte of s`
    #[inline]
    pub fn mov8_mr(&mut self, addr: Addr, s: Reg) {
        self.rm(rows::MOV_MR8, Size::S32, s, addr);
    }

    /// `d = s`, all bits of float registers.
    #[inline]
    pub fn movaps_rr(&mut self, d: Reg, s: Reg) {
        self.rr(rows::MOVAPS_RM, Size::S32, d, s);
    }

    /// `d = 16 bytes of memory`, aligned.
    #[inline]
    pub fn movaps_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVAPS_RM, Size::S32, d, addr);
    }

    /// `16 bytes of memory = s`, aligned.
    #[inline]
    pub fn movaps_mr(&mut self, addr: Addr, s: Reg) {
        self.rm(rows::MOVAPS_MR, Size::S32, s, addr);
    }

    /// `d = 16 bytes of memory`
    #[inline]
    pub fn movups_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVUPS_RM, Size::S32, d, addr);
    }

    /// `16 bytes of memory = s`
    #[inline]
    pub fn movups_mr(&mut self, addr: Addr, s: Reg) {
        self.rm(rows::MOVUPS_MR, Size::S32, s, addr);
    }

    /// `d = 32-bit float in memory`
    #[inline]
    pub fn movss_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVSS_RM, Size::S32, d, addr);
    }

    /// `32-bit float in memory = s`
    #[inline]
    pub fn movss_mr(&mut self, addr: Addr, s: Reg) {
        self.rm(rows::MOVSS_MR, Size::S32, s, addr);
    }

    /// `d = 64-bit float in memory`
    #[inline]
    pub fn movsd_rm(&mut self, d: Reg, addr: Addr) {
        self.rm(rows::MOVSD_RM, Size::S32, d, addr);
    }

    /// `64-bit float in memory = s`
    #[inline]
    pub fn movsd_mr(&mut self, addr: Addr, s: Reg) {
        self.rm(rows::MOVSD_MR, Size::S32, s, addr);
    }

    /// Bits from an integer register `s` to a float register `d`.
    #[inline]
    pub fn movd_to_float(&mut self, size: Size, d: Reg, s: Reg) {
        self.rr(rows::MOVD_RM, size, d, s);
    }

    /// Bits from a float register `s` to an integer register `d`.
    #[inline]
    pub fn movd_to_int(&mut self, size: Size, d: Reg, s: Reg) {
        self.rr(rows::MOVD_MR, size, s, d);
    }
}

/// Arithmetic and comparison.
impl Asm {
    /// `d = d op s`
    #[inline]
    pub fn alu_rr(&mut self, op: Alu, size: Size, d: Reg, s: Reg) {
        self.rr(op.row_rm(), size, d, s);
    }

    /// `d = d op [addr]`
    #[inline]
    pub fn alu_rm(&mut self, op: Alu, size: Size, d: Reg, addr: Addr) {
        self.rm(op.row_rm(), size, d, addr);
    }

    /// `[addr] = [addr] op s`
    #[inline]
    pub fn alu_mr(&mut self, op: Alu, size: Size, addr: Addr, s: Reg) {
        self.rm(op.row_mr(), size, s, addr);
    }

    /// `d = d op imm`
    #[inline]
    pub fn alu_ri(&mut self, op: Alu, size: Size, d: Reg, imm: i32) {
        let row = if imm == i32::from(imm as i8) { op.row_mi8() } else { op.row_mi() };
        self.ri(row, size, d, imm);
    }

    /// `[addr] = [addr] op imm`
    #[inline]
    pub fn alu_mi(&mut self, op: Alu, size: Size, addr: Addr, imm: i32) {
        let row = if imm == i32::from(imm as i8) { op.row_mi8() } else { op.row_mi() };
        self.mi(row, size, addr, imm);
    }

    /// Flags of `l & r`
    #[inline]
    pub fn test_rr(&mut self, size: Size, l: Reg, r: Reg) {
        self.rr(rows::TEST_MR, size, r, l);
    }

    /// Flags of `l & imm`
    #[inline]
    pub fn test_ri(&mut self, size: Size, l: Reg, imm: i32) {
        self.ri(rows::TEST_MI, size, l, imm);
    }

    /// `d = d shifted by imm`
    #[inline]
    pub fn shift_ri(&mut self, op: Shift, size: Size, d: Reg, imm: u8) {
        if imm == 1 {
            self.r(rows::ROL_M1.digit(op as u8), size, d);
        } else {
            self.ri(rows::ROL_MI.digit(op as u8), size, d, imm.into());
        }
    }

    /// `d = d shifted by cl`
    #[inline]
    pub fn shift_rc(&mut self, op: Shift, size: Size, d: Reg) {
        self.r(rows::ROL_MC.digit(op as u8), size, d);
    }

    /// The lowest byte of `d` becomes 0 or 1.
    #[inline]
    pub fn setcc(&mut self, cc: Cc, d: Reg) {
        self.r(rows::SETO.offset(cc as u8), Size::S32, d);
    }

    /// `if cc { d = s }`; at 32 bits the upper half of `d` is zeroed either way.
    #[inline]
    pub fn cmov_rr(&mut self, cc: Cc, size: Size, d: Reg, s: Reg) {
        self.rr(rows::CMOVO.offset(cc as u8), size, d, s);
    }

    /// Sign of `eax` into `edx`, resp. of `rax` into `rdx`.
    #[inline]
    pub fn cdq(&mut self, size: Size) {
        match size {
            Size::S32 => self.put(0x99, 1),
            Size::S64 => self.put(0x9948, 2),
        }
    }
}

/// Control.
impl Asm {
    /// Goes to the label.
    #[inline]
    pub fn jmp(&mut self, to: Label) {
        if self.keeps_whole {
            let len = if self.short(to).is_some() { 2 } else { 5 };
            self.make_whole(self.offset(), len);
        }
        if let Some(back) = self.short(to) {
            self.put(0xeb | back << 8, 2);
        } else {
            self.put_rel32(0xe9, 1, to);
        }
    }

    /// Goes to the label if the condition holds.
    #[inline]
    pub fn jcc(&mut self, cc: Cc, to: Label) {
        if self.keeps_whole {
            let len = if self.short(to).is_some() { 2 } else { 6 };
            let start = if self.compare.1 == self.offset() { self.compare.0 } else { self.offset() };
            self.make_whole(start, len);
        }
        if let Some(back) = self.short(to) {
            self.put(u64::from(0x70 | cc as u8) | back << 8, 2);
        } else {
            self.put_rel32(0x0f | u64::from(0x80 | cc as u8) << 8, 2, to);
        }
    }

    /// Appends `len` bytes, at most 4, and the distance to a label behind them.
    #[inline]
    fn put_rel32(&mut self, bits: u64, len: u32, to: Label) {
        let field = self.labels.rel32(to, self.offset() + len);
        self.put(bits | u64::from(field) << (8 * len), len + 4);
    }

    /// From here on, or not: branches that go to labels and calls neither cross nor end at a multiple of 32 bytes.
    /// Processors from Skylake to Cascade Lake do not keep those that do in their cache of decoded instructions.
    #[inline]
    pub fn keep_whole(&mut self, on: bool) {
        self.keeps_whole = on;
    }

    /// What was appended since `start` compares registers or constants.
    #[inline]
    pub fn note_compare(&mut self, start: u32) {
        self.compare = (start, self.offset());
    }

    /// Pads so that the branch of so many bytes that comes now is in one piece with the compare at `start`, right
    /// before it. That nothing refers to, so it can be moved.
    #[inline(never)]
    fn make_whole(&mut self, start: u32, len: u32) {
        const PIECE: u32 = 32;
        let size = self.offset() - start;
        let padding = start.wrapping_neg() % PIECE;
        if padding == 0 || padding > size + len {
            return;
        }
        let mut compare = [0; 16];
        let compare = &mut compare[..size as usize];
        compare.copy_from_slice(&self.code()[start as usize..]);
        self.truncate(start);
        self.nop(padding);
        for byte in compare {
            self.put(u64::from(*byte), 1);
        }
    }

    /// The 8-bit distance to a label behind us, from the end of a two-byte jump, where it fits.
    #[inline]
    fn short(&self, to: Label) -> Option<u64> {
        let distance = i64::from(self.labels.offset(to)?) - i64::from(self.offset() + 2);
        (distance >= -128).then_some(distance as u8 as u64)
    }

    /// Goes a few instructions further on, to where `bind_short` says.
    #[inline]
    pub fn jmp_short(&mut self) -> Short {
        self.put(0xeb, 2);
        Short(self.offset())
    }

    /// Goes a few instructions further on, to where `bind_short` says, if the condition holds.
    #[inline]
    pub fn jcc_short(&mut self, cc: Cc) -> Short {
        self.put(u64::from(0x70 | cc as u8), 2);
        Short(self.offset())
    }

    /// The jump comes here, at most 127 bytes after its end.
    #[inline]
    pub fn bind_short(&mut self, jump: Short) {
        let distance = self.offset() - jump.0;
        debug_assert!(distance < 128);
        self.code_mut()[jump.0 as usize - 1] = distance as u8;
    }

    /// Calls the label.
    pub fn call(&mut self, to: Label) {
        self.note_flags();
        self.put_rel32(0xe8, 1, to);
    }

    /// Calls something that a relocation names later; returns the offset of the 32-bit field, whose end is what the
    /// distance counts from.
    #[inline]
    pub fn call_sym(&mut self) -> u32 {
        if self.keeps_whole {
            self.make_whole(self.offset(), 5);
        }
        self.note_flags();
        self.put(0xe8, 5);
        self.offset() - 4
    }

    /// Jumps to something that a relocation names later; returns the offset of the 32-bit field, whose end is what
    /// the distance counts from.
    #[inline]
    pub fn jmp_sym(&mut self) -> u32 {
        self.put(0xe9, 5);
        self.offset() - 4
    }

    /// Calls the address in a register.
    #[inline]
    pub fn call_r(&mut self, r: Reg) {
        self.r(rows::CALL_M, Size::S32, r);
    }

    /// Calls the address in memory.
    #[inline]
    pub fn call_m(&mut self, addr: Addr) {
        self.m(rows::CALL_M, Size::S32, addr);
    }

    /// Jumps to the address in a register.
    #[inline]
    pub fn jmp_r(&mut self, r: Reg) {
        self.r(rows::JMP_M, Size::S32, r);
    }

    /// Jumps to the address in memory.
    #[inline]
    pub fn jmp_m(&mut self, addr: Addr) {
        self.m(rows::JMP_M, Size::S32, addr);
    }

    /// Appends a table of 32-bit distances from its own start to the labels.
    pub fn table(&mut self, labels: &[Label]) {
        self.labels.put_table(labels, &mut self.buffer);
    }

    /// Returns.
    #[inline]
    pub fn ret(&mut self) {
        self.put(0xc3, 1);
    }

    /// Returns and pops so many bytes of arguments.
    pub fn ret_pop(&mut self, bytes: u16) {
        if bytes == 0 { self.ret() } else { self.put(0xc2 | u64::from(bytes) << 8, 3) }
    }

    /// `rsp = rbp; pop rbp`
    #[inline]
    pub fn leave(&mut self) {
        self.put(0xc9, 1);
    }

    /// Makes the next instruction, which reads and writes memory, do both in one step that all processors see as one.
    /// Returns its own offset, which is where the instruction starts and what a fault in it is recorded for.
    #[inline]
    pub fn lock(&mut self) -> u32 {
        self.put(0xf0, 1);
        self.offset() - 1
    }

    /// All that was loaded and stored before comes before all that is after.
    pub fn mfence(&mut self) {
        self.put(0xf0_ae_0f, 3);
    }

    /// A hint that this loop waits for another processor.
    pub fn pause(&mut self) {
        self.put(0x90f3, 2);
    }

    /// Traps; returns its own offset.
    #[inline]
    pub fn ud2(&mut self) -> u32 {
        self.put(0x0b0f, 2);
        self.offset() - 2
    }
}
