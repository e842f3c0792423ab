//! Constants: how an entry of the stack holds one, and how it comes to a register or to memory.

use crate::emit::values::Values;
use crate::emit::values::value::Bits;
use crate::isa::{ImmFor, Isa, Store};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass};

/// Marks a constant that is a pattern.
pub(crate) const PATTERN: u64 = 1 << 63;

/// The constant 0 of a type, as an entry of the stack has it.
pub(crate) const fn zero_bits(ty: Ty) -> u64 {
    match ty {
        Ty::V128 | Ty::ContRef => PATTERN,
        _ => 0,
    }
}

impl<I: Isa> Values<'_, I> {
    /// The vector that a constant entry stands for.
    pub(crate) fn vector_bits(&self, entry: u64) -> u128 {
        if entry & PATTERN == 0 {
            let bytes = self.body[entry as usize..].first_chunk().expect("16 bytes of a constant");
            u128::from_le_bytes(*bytes)
        } else {
            u128::from(entry as u32) * (u128::MAX / u128::from(u32::MAX))
        }
    }

    /// Puts a constant in a register.
    pub(crate) fn load_const(&mut self, ty: Ty, to: Reg, bits: u64) {
        match ty.class() {
            RegClass::Int => self.w.iconst(ty.width(), to, bits as i64, true),
            RegClass::Float if ty.is_wide() => self.load_vector_const(to, bits),
            RegClass::Float => self.w.fconst(ty.width(), to, bits),
        }
    }

    /// Puts a constant vector in a register.
    pub(crate) fn load_vector_const(&mut self, to: Reg, entry: u64) {
        let bits = self.vector_bits(entry);
        self.w.vconst(to, bits);
    }

    /// The constant as part of an instruction that does this with it, if it is best there.
    #[inline]
    pub(crate) fn imm_of(&self, what: ImmFor, ty: Ty, bits: u64) -> Option<i64> {
        let value = match ty.width() {
            Width::W32 => i64::from(bits as i32),
            Width::W64 => bits as i64,
        };
        I::imm_ok(what, ty.width(), value).then_some(value)
    }

    /// Writes a constant to the slot of a position.
    pub(crate) fn store_const(&mut self, at: usize, ty: Ty, bits: Bits) {
        let slot = self.slot(at, ty);
        self.store_const_to(slot, ty, bits.get());
    }

    /// Writes a constant to memory that cannot fault.
    pub(crate) fn store_const_to(&mut self, slot: Addr, ty: Ty, bits: u64) {
        if ty.is_wide() {
            self.load_vector_const(I::FLOAT_SCRATCH, bits);
            self.w.store(Store::V128, slot, I::FLOAT_SCRATCH);
            return;
        }
        self.store_bits(Store::of(ty), slot, bits);
    }

    /// Writes a constant that is no vector to memory that cannot fault, or as much of it as the store does. Keeps the
    /// flags.
    pub(crate) fn store_bits(&mut self, op: Store, to: Addr, bits: u64) {
        let (op, int) = (op.of_bits(), if op.bytes() == 8 { Ty::I64 } else { Ty::I32 });
        match self.imm_of(ImmFor::Store, int, bits) {
            Some(imm) => {
                self.w.store_imm(op, to, imm);
            }
            None => {
                self.w.iconst(int.width(), I::SCRATCH, bits as i64, true);
                self.w.store(op, to, I::SCRATCH);
            }
        }
    }
}
