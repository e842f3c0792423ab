//! The seam between the compiler and an instruction set: constants, and primitives that append a few instructions each.
//!
//! An instruction set is a value: an assembler, with the code that it has put together so far and the processor that
//! the code is for. Everything is dispatched statically. Primitives know machine registers and addresses, never the
//! value stack; what an operator means for the stack is written once, in the shapes.
//!
//! Contract of every primitive:
//! - `d` is written after all sources are read, or the primitive copes: `d` may equal any source register unless the
//!   comment says otherwise.
//! - A right operand is taken in each of its forms, whatever the machine's own instruction can read: what it cannot,
//!   the primitive brings to a temporary. What the machine would rather have, it says (`imm_ok`, `MEM_OPERANDS`), and
//!   who has a choice asks; nobody has to.
//! - No value lives in `SCRATCH` and `FLOAT_SCRATCH`; they are the shapes', for a few primitives on end. The *plain*
//!   primitives take them as any of their operands, and change them as `d` alone: `mov`, `fmov`, `bits`, `iconst`,
//!   `load`, `store`, `store_imm`, `lea`, `lea_label`, `alu`, `alu_mem`, `mul`, `shift` by a constant, `cmp`,
//!   `cmp_mem`, `test`, `branch_zero`, `branch_nonzero`, `select` of integers, `replace_lane`, `jmp`, `jcc`,
//!   `call_reg` and `jmp_reg`. A temporary that one of these needs is a register that nobody else knows of. All others
//!   may destroy both, and take them as operands only where they say so.
//! - A 32-bit integer result has its upper half zeroed.
//! - The flags are undefined after any primitive but the compares, which set them, and those that keep them: `mov`,
//!   `fmov`, `load`, `store`, `store_imm`, `iconst` with `keep_flags`, `fconst`, `vconst`, `lea`, and all that read
//!   them but `set`. Those that read them take the instruction set as an argument, so that no method calls them: code
//!   gets at them by a witness that the flags are what it takes them for (`emit/flags.rs`).
//! - Those that can fault return the code offset of the one instruction that can.

#[cfg(test)]
mod registers;
pub mod x64;

mod vector;

#[doc(hidden)]
pub use crate::operators::Op;
pub use crate::operators::operations::*;
pub use crate::operators::vector_operations::*;
pub use crate::treaty::sig::Convention;
pub use vector::*;

use crate::treaty::facts::CpuFeatures;
use crate::treaty::sig::Sig;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Assembler, Label, Reg, RegClass, RegSet};
use std::ops::IndexMut;

/// Registers that an instruction demands.
#[derive(Clone, Copy, Debug)]
pub struct Fixed {
    /// Where the left operand must be, if it must.
    pub lhs: Option<Reg>,
    /// Where the right operand must be, if it must.
    pub rhs: Option<Reg>,
    /// Where the (first) result comes, if it is given.
    pub out: Option<Reg>,
    /// Where a second result comes.
    pub out2: Option<Reg>,
    /// Registers written besides; includes `lhs` if it is destroyed, and the results.
    pub clobbers: RegSet,
}

impl Fixed {
    /// No demands.
    pub const NONE: Fixed = Fixed { lhs: None, rhs: None, out: None, out2: None, clobbers: RegSet::EMPTY };
}

impl Fixed {
    /// The registers that operands must be in, and those that are written.
    #[must_use]
    pub fn demanded(&self) -> RegSet {
        [self.lhs, self.rhs].into_iter().flatten().fold(self.clobbers, |set, reg| set.or(RegSet::one(reg)))
    }
}

/// How a call is made to enter another instance's function, see `Isa::make_across`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entering {
    /// By its thunk.
    Thunk,
    /// By its private entry: `CTX` becomes its instance, and `MEMORY_BASE`, if that has a memory 0, what is there at
    /// this offset.
    Private(Option<i32>),
}

/// Right operand of an integer instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Src {
    /// A register.
    Reg(Reg),
    /// A constant, sign-extended from the width of the operation: any of 32 bits, and all others for which
    /// `Isa::imm_ok` holds.
    Imm(i64),
    /// Memory, exactly as wide as the operation.
    Mem(Addr),
}

impl Src {
    /// The registers that reading it reads.
    #[inline(always)]
    pub(crate) const fn regs(self) -> RegSet {
        match self {
            Src::Reg(reg) => RegSet::one(reg),
            Src::Imm(_) => RegSet::EMPTY,
            Src::Mem(addr) => addr.regs(),
        }
    }

    /// A constant of 32 bits.
    pub fn imm(value: impl Into<i64>) -> Src {
        Src::Imm(value.into())
    }
}

/// What an instruction does with a constant: by that a machine says which constants are part of its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImmFor {
    /// Arithmetic on registers or memory.
    Alu(Alu),
    /// A multiplication.
    Mul,
    /// A compare.
    Compare,
    /// A test of bits.
    Test,
    /// A store.
    Store,
    /// Arithmetic on memory in one step.
    Atomic,
}

/// Right operand of a float instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatSrc {
    /// A register.
    Reg(Reg),
    /// Memory, exactly as wide as the operation.
    Mem(Addr),
}

/// A shift's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A constant, already modulo the width.
    Imm(u8),
    /// A register; `Isa::fixed_shift` may demand which.
    Reg(Reg),
}

/// What of the machine and its system shows in what is made for it.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its name, as `target_lexicon` and others know it.
    pub triple: &'static str,
    /// Bytes of a pointer.
    pub pointer: u8,
    /// Logarithm of the size of pages.
    pub page_log2: u8,
}

/// Where a patched field is, and what a jump or call needs to be finished later.
pub type At = u32;

/// An instruction set: an assembler for a processor. By default it is empty, and the processor has no features.
pub trait Isa: Assembler + Default + Send + 'static {
    /// Its name, as users know it.
    const NAME: &'static str;
    /// An array with a number for each register of `ALLOCATABLE`, by `dense`. There is one for each open block, so it
    /// is as short as the registers allow.
    type Dense: Copy + Send + IndexMut<usize, Output = u16>;
    /// All zeros.
    const DENSE: Self::Dense;
    /// Registers that values may be kept in, pinned ones and scratches excluded.
    const ALLOCATABLE: RegSet;
    /// Of those, the integer registers that calls of either convention preserve, in order of preference for homes.
    const PRESERVED: &'static [Reg];
    /// Integer registers for homes that calls destroy, in order of preference.
    const VOLATILE_HOMES: &'static [Reg];
    /// Of the integer registers that calls destroy, those that keep locals in loops as well where no operator needs
    /// more than three registers at once. Three are left beside them and all homes.
    const LOOP_HOMES: &'static [Reg];
    /// Float registers for homes, in order of preference; calls destroy them.
    const FLOAT_HOMES: &'static [Reg];
    /// The instance pointer, in code behind a private entry.
    const CTX: Reg;
    /// The base of memory 0, in code behind a private entry, if the module has memory 0; else allocatable is not this.
    const MEMORY_BASE: Reg;
    /// The frame pointer.
    const FRAME: Reg;
    /// The stack pointer. It is the base of addresses and the `d` of `lea`, and an operand of nothing else.
    const STACK: Reg;
    /// The integer scratch of primitives.
    const SCRATCH: Reg;
    /// The float scratch of primitives.
    const FLOAT_SCRATCH: Reg;
    /// Inside a module.
    const PRIVATE: Convention;
    /// Across instances: Wasmtime's `Tail`.
    const TAIL: Convention;
    /// For libcalls: the platform's C convention. It preserves at least `PRESERVED`, `CTX` and `MEMORY_BASE`.
    const LIBCALL: Convention;
    /// What the platform's C convention preserves beside `FRAME` and `STACK`. Code that the host enters saves these, as
    /// nothing else gives them back after a trap.
    const ENTRY_SAVED: &'static [Reg];
    /// Bytes of `enter` behind which the caller's frame pointer is pushed, and behind which the frame is made.
    const ENTERING: [u32; 2];
    /// Bytes of `jump_back` behind which the return address is in `SCRATCH` alone.
    const JUMPING_BACK: u32;
    /// The number that DWARF has for the return address.
    const DEBUG_RETURN: u8;
    /// In which register a stack tells another what it wants, see `switch_stack`.
    const STACK_MESSAGE: Reg;
    /// Where a compare-and-exchange has the value it expects and gives the one that was there. Never a home.
    const EXPECTED: Reg;
    /// An integer register in which no convention passes anything: no argument, no instance, not where a result area
    /// is. Calls destroy it. Where a callee's address waits while all else goes to its place; what code on the border
    /// computes in.
    const UNPASSED: Reg;
    /// Where a routine of the compiler's gives up to two results, allocatable. The first is where a libcall gives its
    /// own.
    const ROUTINE_RESULTS: [Reg; 2];
    /// Where the host leaves the exception for a landing pad: where a libcall gives its result, as does the one that
    /// makes an exception.
    const EXCEPTION: Reg;
    /// What routines that change stacks compute in: registers that calls destroy, all different, and none of them
    /// `STACK_MESSAGE`. From the third on none is of `ROUTINE_RESULTS`.
    const TEMPS: [Reg; 7];
    /// Where the code runs.
    const PLATFORM: Platform;
    /// Do integer and float operations read their right operand from memory by themselves? Then a value in memory is
    /// best left there until it is read; otherwise it is best loaded first.
    const MEM_OPERANDS: bool;
    /// Does a division by zero fault by itself?
    const DIVISION_FAULTS: bool;
    /// Upper bound on the code bytes that one primitive appends.
    const MAX_PRIMITIVE: usize;
    /// Bytes of the return address on the stack at a function's entry, below the arguments there; 0 where a call leaves
    /// it in a register.
    const LINK_BYTES: u32;
    /// Bytes of `jmp_sym`, which is what a `Tail` entry is.
    const JUMP_BYTES: u32;
    /// Alignment of the first instruction of a loop.
    const LOOP_ALIGN: u32;
    /// What fills gaps in a text: whoever runs into it traps.
    const FILLER: u8;
    /// What a text must be shorter than, so that `resolve` reaches from everywhere in it to everywhere.
    const REACH: u32;

    /// The machine form of a signature.
    #[must_use]
    fn sig(params: &[Ty], results: &[Ty]) -> Sig {
        Sig::new(&Self::PRIVATE, &Self::TAIL, params, results)
    }

    /// Where a register of `ALLOCATABLE` has its number in a `Dense`, different for each.
    fn dense(reg: Reg) -> usize;

    /// The features of `CpuFeatures`' kind that every processor has on which the code is to run, by name.
    const FLOOR: &'static [&'static str];

    /// Which processor features this machine has.
    fn host_features() -> CpuFeatures;
    /// Does a processor multiply and add with one rounding?
    fn fuses(cpu: &CpuFeatures) -> bool;
    /// The number that DWARF has for a register.
    fn debug_number(reg: Reg) -> u8;

    // ---- the code under construction

    /// No code yet, for a processor.
    fn new(cpu: CpuFeatures) -> Self;
    /// The processor that the code is for.
    fn cpu(&self) -> CpuFeatures;
    /// Finishes what `call_sym` or `jmp_sym` has left at `at` of some code, at `from` of the text: it goes to `to` of
    /// the text.
    fn resolve(code: &mut [u8], at: u32, from: u32, to: u32);
    /// Makes what `call_through` or `jump_through` has left at `at` of some code, at `from` of the text, go to `to` of
    /// the text, whatever is in memory. It has as many bytes as before, and what is called returns to the same place.
    fn make_direct(code: &mut [u8], at: u32, from: u32, to: u32);
    /// Does the same to what `call_across` has left, where `to` is entered as `into` says.
    fn make_across(code: &mut [u8], at: u32, from: u32, to: u32, into: Entering);

    /// The scratch register of a class.
    #[must_use]
    fn scratch(class: RegClass) -> Reg {
        match class {
            RegClass::Int => Self::SCRATCH,
            RegClass::Float => Self::FLOAT_SCRATCH,
        }
    }

    /// From here on, or not, the code is run often: branches get the places that the processor wants for them.
    fn set_hot(&mut self, hot: bool) {
        let _ = hot;
    }

    // ---- what operands may be

    /// Can this constant, sign-extended from this width, be part of an instruction? It is best in a register otherwise.
    fn imm_ok(what: ImmFor, width: Width, value: i64) -> bool;
    /// What a division demands.
    fn fixed_div(op: Div, width: Width) -> Fixed;
    /// What a shift by a register demands.
    fn fixed_shift(&self, op: Shift) -> Fixed;
    /// What a 64 by 64 to 128 bit multiplication demands; `out` is the lower half, `out2` the upper.
    fn fixed_mul_wide() -> Fixed;

    // ---- moves

    /// `d = s`, integer registers.
    fn mov(&mut self, width: Width, d: Reg, s: Reg);
    /// `d = s`, float registers, all bits.
    fn fmov(&mut self, d: Reg, s: Reg);
    /// Bits from an integer to a float register or back.
    fn bits(&mut self, width: Width, d: Reg, s: Reg);
    /// `d = value`; 32-bit constants come zero-extended.
    fn iconst(&mut self, width: Width, d: Reg, value: i64, keep_flags: bool);
    /// `d = the float with these bits`. `d` may be `FLOAT_SCRATCH`.
    fn fconst(&mut self, width: Width, d: Reg, bits: u64);
    /// `d = [addr]`, at any alignment.
    fn load(&mut self, op: Load, d: Reg, addr: Addr) -> At;
    /// `[addr] = s`, at any alignment.
    fn store(&mut self, op: Store, addr: Addr, s: Reg) -> At;
    /// `[addr] = value`, no vector. Of constants, those that are taken as `Src::Imm`.
    fn store_imm(&mut self, op: Store, addr: Addr, value: i64) -> At;
    /// `d = ` where the label is.
    fn lea_label(&mut self, d: Reg, label: Label);
    /// `d = addr` itself, at this width.
    fn lea(&mut self, width: Width, d: Reg, addr: Addr);

    // ---- integers

    /// `d = l op r`. `d` must not be a register of `r` unless it is also `l` or `op` commutes and `r` is that register
    /// itself.
    fn alu(&mut self, op: Alu, width: Width, d: Reg, l: Reg, r: Src) -> At;
    /// After `alu` with `d == l` and this right operand, do `Cond::Eq` and `Cond::Ne` tell whether the result is zero?
    fn alu_sets_flags(op: Alu, r: Src) -> bool;
    /// `[addr] = [addr] op r`, `r` not memory. Leaves flags by which `Cond::LtS`/`GeS` test the result's sign (no
    /// overflow assumed).
    fn alu_mem(&mut self, op: Alu, width: Width, addr: Addr, r: Src) -> At;
    /// `d = l * r`, same rule for `d` as `alu`.
    fn mul(&mut self, width: Width, d: Reg, l: Reg, r: Src) -> At;
    /// Goes to the label if `l / r` is the one signed quotient that is out of range: of the least number by -1.
    fn jump_if_overflow(&mut self, width: Width, l: Reg, r: Reg, to: Label);
    /// `d = l op r`, with operands as `fixed_div` demands, `r` none that is written. A quotient in range, by a divisor
    /// that is not 0, or by 0 where `DIVISION_FAULTS`. `by_minus_one`: may a signed divisor be -1? The remainder is 0
    /// then.
    fn div(&mut self, op: Div, width: Width, d: Reg, l: Reg, r: Reg, by_minus_one: bool) -> At;
    /// `d = l shifted`. With a register count, `fixed_shift` holds; `d` is then not the count's register.
    fn shift(&mut self, op: Shift, width: Width, d: Reg, l: Reg, count: Amount);
    /// One-operand operation.
    fn unary(&mut self, op: IntUnary, width: Width, d: Reg, s: Reg);
    /// `d = extend(s)`; memory is as wide as what is extended.
    fn extend(&mut self, op: Extend, d: Reg, s: Src) -> At;
    /// `lo` and `hi` = the halves of `l * r`, as `fixed_mul_wide` demands. If it demands nothing, `lo` is neither `l`
    /// nor `r`.
    fn mul_wide(&mut self, signed: bool, lo: Reg, hi: Reg, l: Reg, r: Reg);
    /// `lo += r_lo; hi += r_hi` with carry, or `-` with borrow. All four distinct, but for `r_lo == r_hi`.
    fn add_wide(&mut self, subtract: bool, lo: Reg, hi: Reg, r_lo: Reg, r_hi: Reg);

    // ---- conditions

    /// Compares integers.
    fn cmp(&mut self, width: Width, l: Reg, r: Src) -> At;
    /// Compares memory with a register or constant.
    fn cmp_mem(&mut self, width: Width, l: Addr, r: Src) -> At;
    /// Compares so many bytes of memory, at most 8, with 0: good for `Eq` and `Ne`.
    fn cmp_mem_zero(&mut self, bytes: u32, l: Addr) -> At;
    /// Compares `l & r` with 0: good for `Eq`, `Ne` and the signed conditions against 0.
    fn test(&mut self, width: Width, l: Reg, r: Src) -> At;
    /// Compares floats and says which condition to test.
    fn fcmp(&mut self, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Cond;
    /// Goes to the label if a register is zero, at this width.
    fn branch_zero(&mut self, width: Width, r: Reg, to: Label);
    /// Goes to the label if a register is not zero, at this width.
    fn branch_nonzero(&mut self, width: Width, r: Reg, to: Label);

    // ---- what reads the flags

    /// Goes to the label if the condition holds.
    fn jcc(isa: &mut Self, cond: Cond, to: Label);
    /// `d = cond ? 1 : 0`.
    fn set(isa: &mut Self, cond: Cond, d: Reg);
    /// Does `select` choose by this condition between values of this type?
    fn selects(cond: Cond, ty: Ty) -> bool;
    /// `if cond { d = s }`; otherwise `d` keeps its value. Where `selects` says so.
    fn select(isa: &mut Self, cond: Cond, ty: Ty, d: Reg, s: Reg);
    /// `d = if cond { s } else { value }` for a 64-bit compare of integers, where `d` is `SCRATCH` or `s` itself: the
    /// Spectre guard. It waits for the compare, as no branch does, so `d` is right also where the processor goes on by
    /// a wrong guess.
    fn guard(isa: &mut Self, cond: Cond, d: Reg, s: Reg, value: u32);

    // ---- floats

    /// `d = l op r`. `d` must not be the register `r` unless it is also `l` or `op` is `Add` or `Mul`.
    fn falu(&mut self, op: FloatAlu, width: Width, d: Reg, l: Reg, r: FloatSrc) -> At;
    /// One-operand operation.
    fn funary(&mut self, op: FloatUnary, width: Width, d: Reg, s: Reg);
    /// Wasm's minimum or maximum; `d` is neither `l` nor `r`.
    fn fminmax(&mut self, max: bool, width: Width, d: Reg, l: Reg, r: Reg);
    /// `d = l` with the sign of `r`; `d` is not `r`.
    fn copysign(&mut self, width: Width, d: Reg, l: Reg, r: Reg);
    /// A NaN in `d` becomes the canonical one; what is none stays.
    fn canonical_nan(&mut self, width: Width, d: Reg);
    /// Conversion to a float. `t` is a temporary of the class of `s` that is neither `s` nor `d`.
    fn convert(&mut self, op: Convert, d: Reg, s: Reg, t: Reg);
    /// Truncation that jumps to a label if `s` is a NaN or out of range. `t` is a float temporary, neither `s`.
    fn trunc(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg, invalid: Label, overflow: Label);
    /// Saturating truncation; NaN gives 0.
    fn trunc_sat(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg);

    // ---- atomics: sequentially consistent, of 1, 2, 4 or 8 bytes, at addresses that are aligned

    /// `d = [addr]`
    fn atomic_load(&mut self, op: Load, d: Reg, addr: Addr) -> At;
    /// `[addr] = s`. `s` may be `SCRATCH`, is no part of the address, and is destroyed.
    fn atomic_store(&mut self, bytes: u32, addr: Addr, s: Reg) -> At;
    /// `[addr] = [addr] op r`, `r` not memory.
    fn atomic_alu(&mut self, op: Alu, bytes: u32, addr: Addr, r: Src) -> At;
    /// Does `atomic_exchange` do this? Otherwise `atomic_loop` does.
    fn exchanges(&self, op: Rmw) -> bool;
    /// `d, [addr] = [addr], [addr] op d` if it `exchanges`, as `Xchg` always does. `d` is no part of the address and
    /// may be `SCRATCH`; what is of fewer than 4 bytes leaves the rest of `d` undefined.
    fn atomic_exchange(&mut self, op: Rmw, bytes: u32, d: Reg, addr: Addr) -> At;
    /// If `[addr]` is `EXPECTED`, `[addr] = new`. Either way `EXPECTED` is what was there, as many bytes of it; the
    /// rest is as before or zero.
    fn atomic_cmpxchg(&mut self, bytes: u32, addr: Addr, new: Reg) -> At;
    /// `EXPECTED, [addr] = [addr], [addr] op r`, zero-extended. Memory as `r` is as wide as the access at least. Reads
    /// first and writes second, and either can fault.
    fn atomic_loop(&mut self, op: Rmw, access: Load, addr: Addr, r: Src) -> [At; 2];
    /// All accesses before come before all that are after.
    fn fence(&mut self);

    /// The load that an operator can do itself, of its last operand and unconditionally. It must be safe that the load
    /// happens with the operator and not before; of vectors this is asked where `unaligned_vectors`.
    fn folds(op: Op) -> Option<Load>;

    // ---- vectors

    /// May memory operands of vectors be at any address? Otherwise they are at multiples of 16.
    fn unaligned_vectors(&self) -> bool;
    /// Is a choice by the highest bit of each byte cheaper than one by every bit?
    fn selects_by_top_bit(&self) -> bool;
    /// `d = bits`. `d` may be `FLOAT_SCRATCH`.
    fn vconst(&mut self, d: Reg, bits: u128);
    /// Each lane of `d` that is a NaN becomes the canonical one; the others stay.
    fn canonical_nans(&mut self, width: Width, d: Reg);
    /// How an operation wants its operand.
    fn vector_unary_form(&self, op: VectorUnary) -> VectorForm;
    /// `d = op s`. `t` is the temporary, if the form has one, here and below.
    fn vector_unary(&mut self, op: VectorUnary, d: Reg, s: VectorSrc, t: Reg) -> At;
    /// How an operation wants its operands.
    fn vector_binary_form(&self, op: VectorBinary) -> VectorForm;
    /// `d = l op r`, exchanged if the form says so.
    fn vector_binary(&mut self, op: VectorBinary, d: Reg, l: Reg, r: VectorSrc, t: Reg) -> At;
    /// How an operation wants its operands, all of them in registers.
    fn vector_ternary_form(&self, op: VectorTernary) -> VectorForm;
    /// `d = op (s[0], s[1], s[2])`.
    fn vector_ternary(&mut self, op: VectorTernary, d: Reg, s: [Reg; 3], t: Reg);
    /// Does a shift by a register need a temporary?
    fn vector_shift_temp(op: Shift, lanes: Lanes) -> bool;
    /// `d =` each lane of `l` shifted, by a constant below the width or a register modulo the width.
    #[expect(clippy::too_many_arguments, reason = "operands and what says how")]
    fn vector_shift(&mut self, op: Shift, lanes: Lanes, d: Reg, l: Reg, n: Amount, t: Reg);
    /// How a shuffle wants its operands.
    fn shuffle_form(&self, from: ShuffleFrom, lanes: &[u8; 16]) -> VectorForm;
    /// `d = bytes of l and r`, or of `l` alone, which is `r` then.
    fn shuffle(&mut self, from: ShuffleFrom, lanes: &[u8; 16], d: Reg, l: Reg, r: Reg);
    /// `d = s in each lane`.
    fn splat(&mut self, lane: Lane, d: Reg, s: Reg);
    /// `d = lane i of s`; integers of less than 32 bits are extended to that.
    fn extract_lane(&mut self, lane: Lane, signed: bool, d: Reg, s: Reg, i: u8);
    /// `d = l` with lane `i` from a register or memory; `d` is not the register.
    fn replace_lane(&mut self, lane: Lane, d: Reg, l: Reg, r: Src, i: u8) -> At;
    /// `[addr] = lane i of s`, no float.
    fn store_lane(&mut self, lane: Lane, addr: Addr, s: Reg, i: u8) -> At;
    /// `d =` a vector from less than 16 bytes of memory.
    fn vector_load(&mut self, op: VectorLoad, d: Reg, addr: Addr) -> At;
    /// Asks and says which condition to test.
    fn vector_test(&mut self, op: VectorTest, s: Reg) -> Cond;
    /// `d = the highest bit of each lane`.
    fn bitmask(&mut self, lanes: Lanes, d: Reg, s: Reg);

    // ---- control

    /// Goes to the label.
    fn jmp(&mut self, to: Label);
    /// Goes to `table[index]`, or to the last entry if there is no such; no guess of the processor leads elsewhere.
    /// `index` is zero-extended to 64 bits, `t` a temporary that is not `index`; both are destroyed.
    fn jump_table(&mut self, index: Reg, t: Reg, table: &[Label]);
    /// Calls the label.
    fn call_label(&mut self, to: Label);
    /// Calls something that a relocation names later; returns what `resolve` wants to know of it.
    fn call_sym(&mut self) -> At;
    /// Jumps to something that a relocation names later, in `JUMP_BYTES`; returns what `resolve` wants to know of it.
    fn jmp_sym(&mut self) -> At;
    /// As `call_sym`, for something that leaves by `jump_back`: perhaps when others have called and not returned, so
    /// that the processor must not count on the order.
    fn call_unpaired(&mut self) -> At;
    /// Returns to where `call_unpaired` has come from, with nothing to pop.
    fn jump_back(&mut self);
    /// Calls the address in a register.
    fn call_reg(&mut self, r: Reg);
    /// Jumps to the address in a register.
    fn jmp_reg(&mut self, r: Reg);
    /// Calls the address that is in the instance, at `code`; returns what `make_direct` wants to know of it, and where
    /// the call itself begins.
    fn call_through(&mut self, code: Addr) -> [At; 2];
    /// Passes both instances as `TAIL` has them, the callee's being in the instance at `context`, and calls the address
    /// that is there at `code`; returns what `make_across` wants to know of it, and where the call itself begins.
    /// `CTX` and `MEMORY_BASE` may be anything afterwards.
    fn call_across(&mut self, context: Addr, code: Addr) -> [At; 2];
    /// Jumps to the address that is in the instance, at `code`; returns what `make_direct` wants to know of it.
    fn jump_through(&mut self, code: Addr) -> At;
    /// Leaves this stack for another: writes the stack and frame pointers and where it goes on, in the order of the
    /// host's records, to memory at `save`, after it has read those of the other from `enter`, which may be the same.
    /// This stack goes on behind the primitive, with its stack and frame pointers, the other's `STACK_MESSAGE`, and no
    /// other register as it was. `t` is a temporary; it and both addresses are distinct from `STACK_MESSAGE`.
    fn switch_stack(&mut self, save: Reg, enter: Reg, t: Reg);
    /// An instruction that traps; returns its own offset.
    fn trap(&mut self) -> At;
    /// Pushes the caller's frame pointer, makes the frame, whose size in bytes comes later through `patch_frame`.
    fn enter(&mut self) -> At;
    /// Fills in the frame size of an `enter`.
    fn patch_frame(&mut self, enter: At, bytes: u32);
    /// Goes to the label if the stack pointer is below the word at `limit`, whose base may be `SCRATCH`.
    fn stack_check(&mut self, limit: Addr, overflow: Label);
    /// Nothing is left of the frame but the two words that `enter` has made of it. Keeps the flags.
    fn cut_frame(&mut self);
    /// Undoes `enter`, whatever the stack pointer.
    fn leave(&mut self);
    /// A tail call begins to write its arguments over the frame, so what is in it and outlasts it goes elsewhere: the
    /// return address to where a callee finds it, which is `[STACK]` if it is in memory there, and the caller's frame
    /// pointer to `FLOAT_SCRATCH`. From here to `replace_frame` there are loads and stores only.
    fn lift_frame(&mut self);
    /// After `lift_frame`: the stack pointer is `FRAME + to`, and the frame pointer the caller's.
    fn replace_frame(&mut self, to: i32);
    /// Returns and pops so many bytes of arguments.
    fn ret(&mut self, pop: u32);
    /// Appends bytes that are no instructions.
    fn data(&mut self, bytes: &[u8]);
}
