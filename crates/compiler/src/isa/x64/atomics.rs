//! Atomic accesses. Aligned loads and stores are in one piece by themselves; loads are ordered among each other and
//! after exchanges, so a plain load is enough, and a store that must be seen before any later load is an exchange.

use super::int::imm32;
use crate::isa::{Alu, At, Load, Rmw, Src};
use lightbeam_asm::x64::{self, Asm, Cc, R11, RAX, RSP, Size, rows};
use lightbeam_asm::{Addr, Assembler, Reg};

const SCRATCH: Reg = R11;

/// The size of an operation on so many bytes of memory where the row does not say it.
const fn size(bytes: u32) -> Size {
    if bytes == 8 { Size::S64 } else { Size::S32 }
}

/// One of three rows, by how many bytes it works on.
const fn row(bytes: u32, rows: [rows::Row; 3]) -> rows::Row {
    match bytes {
        1 => rows[0],
        2 => rows[1],
        _ => rows[2],
    }
}

pub(super) fn alu(a: &mut Asm, op: Alu, bytes: u32, addr: Addr, r: Src) -> At {
    let at = a.lock();
    let family = super::int::family(op);
    match (r, bytes) {
        (Src::Reg(r), _) => {
            a.rm(row(bytes, [family.row_mr8(), family.row_mr16(), family.row_mr()]), size(bytes), r, addr);
        }
        (Src::Imm(imm), 1) => {
            a.mi(rows::ADD_M8I8.digit(family as u8), Size::S32, addr, (imm as i8).into());
        }
        (Src::Imm(imm), 2) => {
            let imm = i32::from(imm as i16);
            let row = if imm == i32::from(imm as i8) { rows::ADD_M16I8 } else { rows::ADD_M16I16 };
            a.mi(row.digit(family as u8), Size::S32, addr, imm);
        }
        (Src::Imm(imm), _) => a.alu_mi(family, size(bytes), addr, imm32(imm)),
        (Src::Mem(_), _) => unreachable!("one operand at most is memory"),
    }
    at
}

pub(super) fn exchange(a: &mut Asm, op: Rmw, bytes: u32, d: Reg, addr: Addr) -> At {
    if op == Rmw::Sub {
        a.r(rows::NEG, size(bytes), d);
    }
    let at = a.offset();
    match op {
        // With memory it locks by itself.
        Rmw::Xchg => a.rm(row(bytes, [rows::XCHG_MR8, rows::XCHG_MR16, rows::XCHG]), size(bytes), d, addr),
        Rmw::Add | Rmw::Sub => {
            a.lock();
            a.rm(row(bytes, [rows::XADD_MR8, rows::XADD_MR16, rows::XADD_MR]), size(bytes), d, addr);
        }
        Rmw::And | Rmw::Or | Rmw::Xor => unreachable!("takes a loop"),
    }
    at
}

pub(super) fn cmpxchg(a: &mut Asm, bytes: u32, addr: Addr, new: Reg) -> At {
    let at = a.lock();
    a.rm(row(bytes, [rows::CMPXCHG_MR8, rows::CMPXCHG_MR16, rows::CMPXCHG_MR]), size(bytes), new, addr);
    at
}

pub(super) fn until_alone(a: &mut Asm, op: Rmw, access: Load, addr: Addr, r: Src) -> [At; 2] {
    let size = size(access.bytes());
    let family = super::int::family(op.alu().expect("an exchange takes no loop"));
    // Zero-extended; where the exchange fails, it writes no more than was read.
    let first = super::load(a, access, RAX, addr);
    let again = a.label();
    a.bind(again);
    a.mov_rr(size, SCRATCH, RAX);
    match r {
        Src::Reg(r) => a.alu_rr(family, size, SCRATCH, r),
        Src::Imm(imm) => a.alu_ri(family, size, SCRATCH, imm32(imm)),
        Src::Mem(addr) => a.alu_rm(family, size, SCRATCH, addr),
    }
    let at = cmpxchg(a, access.bytes(), addr, SCRATCH);
    a.jcc(Cc::Ne, again);
    [first, at]
}

/// A locked instruction orders all that is before against all that is after, as `mfence` does, and is faster.
pub(super) fn fence(a: &mut Asm) {
    a.lock();
    a.mi(x64::Alu::Or.row_mi8(), Size::S32, Addr::base(RSP, 0), 0);
}
