//! Entries of the virtual stack: what is known of a wasm value and where it is.

use crate::isa::Cond;
use crate::ty::Ty;
use lightbeam_asm::{Addr, Reg, RegSet};

/// An entry of the virtual stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) ty: Ty,
    pub(crate) loc: Loc,
}

/// Where a value is, or what it will be computed from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loc {
    /// In the frame slot that belongs to its position on the stack.
    Slot,
    /// In a register that it alone owns; or, between an operator and the `local.set` that follows, in that local's home.
    Reg(Reg),
    /// A constant; 32-bit ones zero-extended.
    Const(Bits),
    /// What a local holds at this moment: whoever sets the local materialises the entry first.
    Local(u32),
    /// A condition of the flags. Only on top, and only if the very next operator takes it.
    Flags(Cond),
    /// A load that was not made yet, see `FuncGen::hot`. Only on top, and only if the very next operator takes it.
    Hot,
}

/// 64 bits with the alignment of 32, to keep entries small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bits([u32; 2]);

impl Bits {
    pub(crate) const fn new(value: u64) -> Bits {
        Bits([value as u32, (value >> 32) as u32])
    }

    pub(crate) const fn get(self) -> u64 {
        self.0[0] as u64 | (self.0[1] as u64) << 32
    }
}

const _: () = assert!(std::mem::size_of::<Value>() == 16);

impl Value {
    pub(crate) const fn reg(ty: Ty, reg: Reg) -> Value {
        Value { ty, loc: Loc::Reg(reg) }
    }

    pub(crate) const fn slot(ty: Ty) -> Value {
        Value { ty, loc: Loc::Slot }
    }

    pub(crate) const fn constant(ty: Ty, bits: u64) -> Value {
        Value { ty, loc: Loc::Const(Bits::new(bits)) }
    }

    /// The constant's bits, if it is one.
    pub(crate) const fn as_const(self) -> Option<u64> {
        match self.loc {
            Loc::Const(bits) => Some(bits.get()),
            _ => None,
        }
    }
}

/// What a `Loc::Hot` entry will read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hot {
    /// From where.
    pub(crate) addr: Addr,
    /// Registers of the address that go free with the load.
    pub(crate) owned: RegSet,
    /// Wasm offset of the load, for its trap record; `None` if it cannot fault.
    pub(crate) wasm: Option<u32>,
}

/// An operand that an operator has taken off the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    pub(crate) ty: Ty,
    pub(crate) place: OperandPlace,
    /// Registers that go free when the operator is done with it.
    pub(crate) owned: RegSet,
    /// See `Hot::wasm`.
    pub(crate) wasm: Option<u32>,
}

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OperandPlace {
    /// In a register: its own, a local's home or a local's cached copy.
    Reg(Reg),
    /// A constant.
    Const(u64),
    /// In memory, as wide as its type.
    Mem(Addr),
}

impl Operand {
    /// The registers that reading it reads.
    pub(crate) fn regs(&self) -> RegSet {
        match self.place {
            OperandPlace::Reg(reg) => RegSet::one(reg),
            OperandPlace::Const(_) => RegSet::EMPTY,
            OperandPlace::Mem(addr) => addr.regs(),
        }
    }

    /// Its constant, if it is one.
    pub(crate) fn as_const(&self) -> Option<u64> {
        match self.place {
            OperandPlace::Const(bits) => Some(bits),
            _ => None,
        }
    }
}
