//! Entries of the virtual stack: what is known of a wasm value and where it is.

use crate::emit::flags::Stamp;
use crate::isa::Cond;
use crate::treaty::ty::{Ty, Width};
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
    /// In a register that it alone owns; or, between an operator and the `local.set` that follows, in that local's
    /// home.
    Reg(Reg),
    /// A constant; 32-bit ones zero-extended.
    Const(Bits),
    /// What a local holds at this moment: whoever sets the local materialises the entry first.
    Local(u32),
    /// A condition of the flags. Only on top, and only if the very next operator takes it.
    Flags(Cond),
    /// A load that was not made yet, see `Values::hot`. Only on top, and only if the very next operator takes it.
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

/// An operand that an operator has taken off the stack. Two words, so that it travels in registers.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    /// The constant, the register's index, or the address.
    payload: u64,
    /// `REG`, `CONST` or `MEM`, `OWNS` and so on, and from bit 8 on the type.
    meta: u32,
}

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OperandLoc {
    /// In a register: its own, a local's home or a local's cached copy.
    Reg(Reg),
    /// A constant.
    Const(u64),
    /// In memory, as wide as its type.
    Mem(Addr),
}

impl Operand {
    const REG: u32 = 0;
    const CONST: u32 = 1;
    const MEM: u32 = 2;
    /// The bits for these.
    const LOC: u32 = 3;
    /// The register, or the base of the address, goes free when the operator is done with the operand.
    const OWNS: u32 = 4;
    /// The index of the address goes free with it.
    const OWNS_INDEX: u32 = 8;
    /// Reading it can fault: the record is for the wasm offset in `Values::hot_wasm`.
    const FAULTS: u32 = 16;

    #[inline(always)]
    const fn new(ty: Ty, payload: u64, what: u32) -> Operand {
        Operand { payload, meta: what | (ty as u32) << 8 }
    }

    /// In a register that stays somebody else's.
    #[inline(always)]
    pub(crate) const fn borrowed(ty: Ty, reg: Reg) -> Operand {
        Operand::new(ty, reg.index() as u64, Operand::REG)
    }

    /// In a register that goes free with it.
    #[inline(always)]
    pub(crate) const fn own(ty: Ty, reg: Reg) -> Operand {
        Operand::new(ty, reg.index() as u64, Operand::REG | Operand::OWNS)
    }

    /// A constant.
    #[inline(always)]
    pub(crate) const fn constant(ty: Ty, bits: u64) -> Operand {
        Operand::new(ty, bits, Operand::CONST)
    }

    /// In memory that can be read without a fault.
    #[inline(always)]
    pub(crate) const fn memory(ty: Ty, addr: Addr) -> Operand {
        Operand::new(ty, addr.to_bits(), Operand::MEM)
    }

    /// A load that was not made yet.
    pub(crate) fn hot(ty: Ty, hot: &Hot) -> Operand {
        let mut what = Operand::MEM | if hot.wasm.is_some() { Operand::FAULTS } else { 0 };
        if hot.owned.has(hot.addr.base_reg()) {
            what |= Operand::OWNS;
        }
        if hot.addr.index().is_some_and(|(index, _)| hot.owned.has(index)) {
            what |= Operand::OWNS_INDEX;
        }
        Operand::new(ty, hot.addr.to_bits(), what)
    }

    #[inline(always)]
    pub(crate) const fn ty(self) -> Ty {
        Ty::from_number((self.meta >> 8) as u8)
    }

    #[inline(always)]
    pub(crate) const fn loc(self) -> OperandLoc {
        match self.meta & Operand::LOC {
            Operand::REG => OperandLoc::Reg(Reg::from_index(self.payload as usize & 63)),
            Operand::CONST => OperandLoc::Const(self.payload),
            _ => OperandLoc::Mem(Addr::from_bits(self.payload)),
        }
    }

    /// Its register, if it is in one.
    #[inline(always)]
    pub(crate) const fn as_reg(self) -> Option<Reg> {
        match self.loc() {
            OperandLoc::Reg(reg) => Some(reg),
            _ => None,
        }
    }

    /// Registers that go free when the operator is done with it.
    #[inline(always)]
    pub(crate) fn owned(self) -> RegSet {
        if self.meta & (Operand::OWNS | Operand::OWNS_INDEX) == 0 {
            RegSet::EMPTY
        } else if self.meta & Operand::LOC == Operand::REG {
            RegSet::one(Reg::from_index(self.payload as usize & 63))
        } else {
            self.owned_of_address()
        }
    }

    #[inline(never)]
    fn owned_of_address(self) -> RegSet {
        let addr = Addr::from_bits(self.payload);
        let mut owned = RegSet::EMPTY;
        if self.meta & Operand::OWNS != 0 {
            owned.add(addr.base_reg());
        }
        if let Some((index, _)) = addr.index()
            && self.meta & Operand::OWNS_INDEX != 0
        {
            owned.add(index);
        }
        owned
    }

    /// Is it in a register of its own?
    #[inline(always)]
    pub(crate) const fn is_own_reg(self) -> bool {
        self.meta & (Operand::OWNS | Operand::LOC) == Operand::OWNS | Operand::REG
    }

    /// Is it in memory?
    #[inline(always)]
    pub(crate) const fn in_memory(self) -> bool {
        self.meta & Operand::LOC == Operand::MEM
    }

    /// Can reading it fault?
    #[inline(always)]
    pub(crate) const fn faults(self) -> bool {
        self.meta & Operand::FAULTS != 0
    }

    /// The registers that reading it reads.
    #[inline]
    pub(crate) fn regs(self) -> RegSet {
        match self.loc() {
            OperandLoc::Reg(reg) => RegSet::one(reg),
            OperandLoc::Const(_) => RegSet::EMPTY,
            OperandLoc::Mem(addr) => addr.regs(),
        }
    }

    /// Its constant, if it is one.
    #[inline(always)]
    pub(crate) const fn as_const(self) -> Option<u64> {
        if self.meta & Operand::LOC == Operand::CONST { Some(self.payload) } else { None }
    }
}

impl std::fmt::Debug for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} owning {:?}", self.ty(), self.loc(), self.owned())
    }
}

/// Whether a register is zero stands in the flags, as long as no code has been emitted since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlagsOf {
    pub(crate) reg: Reg,
    pub(crate) width: Width,
    /// Offset after the last instruction that kept the flags.
    pub(crate) at: u32,
    /// When they were set.
    pub(crate) stamp: Stamp,
}
