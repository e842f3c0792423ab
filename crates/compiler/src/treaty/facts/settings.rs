//! What the host asks of the code, and the processor that it is for.

#[cfg(doc)]
use crate::treaty::libcall::Libcall;

/// What the host asks of the code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Count fuel and call [`Libcall::OutOfGas`] when it runs out.
    pub fuel: bool,
    /// Look at the epoch at entries and loop headers and call [`Libcall::NewEpoch`].
    pub epochs: bool,
    /// Traps may be hardware faults; otherwise every one is checked for and raised by [`Libcall::Trap`].
    pub hardware_traps: bool,
    /// Which code offsets the address map records.
    pub address_map: AddressMap,
    /// Must operators of relaxed SIMD give the same everywhere?
    pub deterministic: bool,
    /// Must every NaN that an operator computes be the canonical one?
    pub nan_canonicalization: bool,
    /// Must accesses that are checked be harmless also where the processor has guessed that a check passes?
    pub spectre: bool,
    /// Processor features that the code may use beyond the floor of the instruction set, which alone reads them.
    pub cpu: CpuFeatures,
    /// Does that processor multiply and add with one rounding? As `Isa::fuses` says.
    pub fuses: bool,
    /// For debuggers: between operators each local that is ever touched is in its slot, of which a table tells.
    pub debug: bool,
    /// Record how to unwind from each instruction?
    pub unwind: bool,
    /// Prove the compiler's state after every operator, as debug builds always do.
    pub check: bool,
    /// For tests: fill every fresh frame with garbage, and all else that a convention leaves undefined.
    pub poison: bool,
}

impl Settings {
    /// Does the host multiply and add, because the result must be rounded once and the processor cannot?
    pub(crate) fn calls_for_fma(&self) -> bool {
        self.deterministic && !self.fuses
    }
}

/// Which code offsets the address map records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressMap {
    /// None.
    None,
    /// Those a backtrace can show: calls and instructions that can trap.
    #[default]
    Traps,
    /// The first instruction of every operator.
    Operators,
}

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// Processor features beyond the floor of an instruction set, of all instruction sets side by side; each can be
        /// switched off by itself.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct CpuFeatures { $($(#[$doc])* pub $name: bool,)* }

        impl CpuFeatures {
            /// Their names, which are the manuals'.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Each with its name, in the order of `NAMES`.
            pub fn by_name(&mut self) -> impl Iterator<Item = (&'static str, &mut bool)> {
                [$((stringify!($name), &mut self.$name)),*].into_iter()
            }
        }
    };
}

features! {
    /// Three-operand float and vector forms.
    avx
    /// 256-bit integer vector forms.
    avx2
    /// `andn`, `blsr`, `tzcnt`.
    bmi1
    /// `shlx`, `shrx`, `sarx`, `rorx`, `mulx`.
    bmi2
    /// `lzcnt`.
    lzcnt
    /// Fused multiply and add.
    fma
}

/// Constant amounts of work that cost up to this are charged, and no reason to look at fuel and epoch, as the host sees
/// it.
pub const SMALL_AMOUNT: u64 = 128;

/// More units than this are charged as this many, so that no sum wraps: when it was last looked at, the counter was
/// below 0. What is added between two looks is bounded, by the cost of the operators of one function for each frame
/// of the stack: at most 255 for each byte of a body, which is less than 2^31, and 2^26 frames of 16 bytes in 1 GiB of
/// stack. It is still more than any host can have granted and mean.
pub const MOST_UNITS: i64 = i64::MAX - (1 << 57);
