//! What each primitive reads, writes, clobbers and needs of the processor, over all combinations of registers.

use super::*;
use iced_x86::{ConditionCode, CpuidFeature, FlowControl, InstructionInfoFactory, Mnemonic, OpAccess, Register};
use std::fmt::Debug;

/// What one use of a primitive may do.
pub(super) struct Contract {
    reads: RegSet,
    writes: RegSet,
    keeps_flags: bool,
    /// It keeps the scratch registers.
    plain: bool,
    /// It reads the flags that stood before.
    reads_flags: bool,
    /// A register whose upper half is zero afterwards.
    narrow: Option<Reg>,
    cpu: CpuFeatures,
}

/// Integer registers in all roles that a source can have.
const INT_SOURCES: [Reg; 13] = [RAX, RCX, RDX, RBX, RSI, RDI, R8, R9, R10, R12, R13, R14, R15];
/// Addresses of all shapes.
fn addrs() -> Vec<Addr> {
    let mut addrs = Vec::new();
    for base in INT_SOURCES.into_iter().chain([RBP, RSP]) {
        addrs.extend([0, -8, 4096].map(|disp| Addr::base(base, disp)));
        addrs.extend([RAX, R8, R12, R13].map(|index| Addr::indexed(base, index, 2, 16)));
    }
    addrs
}

fn ints() -> RegSet {
    X64::ALLOCATABLE.class(lightbeam_asm::RegClass::Int)
}

fn floats() -> RegSet {
    X64::ALLOCATABLE.class(lightbeam_asm::RegClass::Float)
}

fn reg(register: Register) -> Option<Reg> {
    if register.is_gpr() {
        Some(Reg::int((register.full_register() as u32 - Register::RAX as u32) as u8))
    } else if register.is_vector_register() {
        Some(Reg::float((register.full_register() as u32 - Register::ZMM0 as u32) as u8))
    } else {
        assert!(register.is_segment_register() || register == Register::RIP, "{register:?}");
        None
    }
}

/// Zeroing and all-ones idioms read nothing, whatever their operands say.
fn is_idiom(i: &Instruction) -> bool {
    use Mnemonic::*;
    match i.mnemonic() {
        Xor | Xorps | Pxor | Pcmpeqd => i.op0_register() == i.op1_register(),
        Vpxor | Vpcmpeqd => i.op1_register() == i.op2_register(),
        _ => false,
    }
}

fn has(cpu: &CpuFeatures, feature: CpuidFeature) -> bool {
    use CpuidFeature::*;
    match feature {
        AVX => cpu.avx,
        AVX2 => cpu.avx2,
        BMI1 => cpu.bmi1,
        BMI2 => cpu.bmi2,
        LZCNT => cpu.lzcnt,
        FMA => cpu.fma,
        INTEL8086 | INTEL186 | INTEL286 | INTEL386 | INTEL486 | X64 | CMOV | SSE | SSE2 | SSE3 | SSSE3 | SSE4_1
        | SSE4_2 | POPCNT | MULTIBYTENOP => true,
        _ => false,
    }
}

impl Contract {
    pub(super) fn new(reads: &[Reg], writes: &[Reg]) -> Contract {
        Contract {
            reads: RegSet::of(reads),
            writes: RegSet::of(writes),
            keeps_flags: false,
            plain: false,
            reads_flags: false,
            narrow: None,
            cpu: NONE,
        }
    }

    pub(super) fn addr(mut self, addr: Addr) -> Contract {
        self.reads = self.reads.or(addr.regs());
        self
    }

    fn src(self, src: Src) -> Contract {
        match src {
            Src::Reg(r) => Contract { reads: self.reads.or(RegSet::one(r)), ..self },
            Src::Imm(_) => self,
            Src::Mem(addr) => self.addr(addr),
        }
    }

    /// As `new`, of a plain primitive.
    fn plain(reads: &[Reg], writes: &[Reg]) -> Contract {
        Contract { plain: true, ..Contract::new(reads, writes) }
    }

    fn keeps_flags(self) -> Contract {
        Contract { keeps_flags: true, ..self }
    }

    fn reads_flags(self) -> Contract {
        Contract { reads_flags: true, ..self }
    }

    /// At 32 bits the result's upper half is zero.
    fn result(self, width: Width, d: Reg) -> Contract {
        Contract { narrow: (width == Width::W32).then_some(d), ..self }
    }

    pub(super) fn cpu(self, cpu: CpuFeatures) -> Contract {
        Contract { cpu, ..self }
    }

    /// Runs the primitive and checks it. `what` is for messages.
    pub(super) fn check(&self, what: impl Debug, emit: impl FnOnce(&mut X64)) {
        self.check_at(what, |a| {
            emit(a);
            None
        });
    }

    /// Checks a primitive that may return where it can fault: the one instruction that touches memory.
    pub(super) fn check_at(&self, what: impl Debug, emit: impl FnOnce(&mut X64) -> Option<At>) {
        let mut a = X64::new(self.cpu);
        let at = emit(&mut a);
        // What debug builds prove of emitted code goes by what the assembler says.
        let changes = decode(a.code()).iter().any(|i| i.rflags_modified() != 0);
        assert!(!cfg!(debug_assertions) || !changes || a.flags() != 0, "{what:?} changes the flags");
        assert!(a.offset() as usize <= X64::MAX_PRIMITIVE, "{what:?} takes {} bytes", a.offset());
        self.check_code(what, a.code(), at);
    }

    fn check_code(&self, what: impl Debug, code: &[u8], at: Option<At>) {
        let instructions = decode(code);
        let say = || {
            let text: Vec<String> = instructions.iter().map(ToString::to_string).collect();
            format!("{what:?}: {}", text.join("; "))
        };
        let scratch = if self.plain { RegSet::EMPTY } else { RegSet::of(&[R11, XMM15]) };
        let mut written = RegSet::EMPTY;
        let (mut flags_written, mut touching) = (false, Vec::new());
        let mut factory = InstructionInfoFactory::new();
        for i in &instructions {
            for feature in i.cpuid_features() {
                assert!(has(&self.cpu, *feature), "{feature:?} in {}", say());
            }
            assert!(i.rflags_read() == 0 || flags_written || self.reads_flags, "flags are read in {}", say());
            let info = factory.info(i);
            for used in info.used_registers() {
                let Some(reg) = reg(used.register()) else { continue };
                let reads = matches!(
                    used.access(),
                    OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite
                );
                if reads && !is_idiom(i) {
                    assert!(self.reads.or(written).has(reg), "{reg:?} is read in {}", say());
                }
                let writes = matches!(
                    used.access(),
                    OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
                );
                if writes {
                    assert!(self.writes.or(scratch).has(reg), "{reg:?} is written in {}", say());
                    written.add(reg);
                }
            }
            flags_written |= i.rflags_modified() != 0;
            // Constants behind the code do not fault.
            let accesses = info.used_memory().iter().any(|memory| memory.access() != OpAccess::NoMemAccess);
            if accesses && !i.is_ip_rel_memory_operand() {
                touching.push(i.ip32());
            }
            if matches!(i.flow_control(), FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch) {
                let to = i.near_branch_target();
                let lands = to == code.len() as u64 || instructions.iter().any(|i| i.ip() == to);
                assert!(lands, "a jump to {to} in {}", say());
            }
        }
        assert!(!(self.keeps_flags && flags_written), "flags are lost in {}", say());
        if let Some(at) = at {
            assert_eq!(touching, [at], "{}", say());
        }
        if let Some(d) = self.narrow {
            // Written it must be, though it be by what it holds: nothing need have cleared the upper half before.
            let last = instructions.iter().rev().find(|i| reg_of_first(i) == Some(d));
            let last = last.unwrap_or_else(|| panic!("{d:?} is not written in {}", say()));
            assert_eq!(last.op0_register().size(), 4, "the upper half of {d:?} in {}", say());
        }
    }
}

/// The register that an instruction writes as its first operand.
fn reg_of_first(i: &Instruction) -> Option<Reg> {
    use Mnemonic::*;
    let register = i.op0_register();
    if register == Register::None || matches!(i.mnemonic(), Cmp | Test | Ucomiss | Ucomisd | Push | Jmp | Call) {
        return None;
    }
    reg(register)
}

const IMMS: [i64; 16] =
    [0, 1, 2, 3, 5, 8, 9, 127, 128, 255, 0xffff, 0x1234_5678, -1, -128, i32::MAX as i64, i32::MIN as i64];

/// All right operands that may go with these, `d` included in none that it must not be.
fn right_operands(d: Reg, l: Reg, commutes: bool) -> Vec<Src> {
    let mut operands: Vec<Src> = IMMS.map(Src::Imm).into();
    operands.extend(INT_SOURCES.into_iter().filter(|r| *r != d || d == l || commutes).map(Src::Reg));
    operands.extend(addrs().into_iter().filter(|addr| d == l || !addr.regs().has(d)).map(Src::Mem));
    operands
}

fn fault(src: Src, at: At) -> Option<At> {
    matches!(src, Src::Mem(_)).then_some(at)
}

/// Where arithmetic is said to leave in the flags whether its result is zero, its last instruction does.
#[test]
fn flags_of_arithmetic() {
    for op in Alu::ALL.iter().copied() {
        for width in WIDTHS {
            for r in right_operands(RAX, RAX, true).into_iter().filter(|r| X64::alu_sets_flags(op, *r)) {
                let mut a = X64::new(NONE);
                a.alu(op, width, RAX, RAX, r);
                let last = *decode(a.code()).last().expect("an instruction");
                let sets = (last.rflags_written() | last.rflags_set()) & iced_x86::RflagsBits::ZF != 0;
                assert!(sets && reg_of_first(&last) == Some(RAX), "{op:?} {width:?} {r:?}: {last}");
            }
        }
    }
}

#[test]
fn integer_arithmetic() {
    for width in WIDTHS {
        for d in ints() {
            for l in INT_SOURCES {
                for op in Alu::ALL.iter().copied() {
                    for r in right_operands(d, l, op.commutes()) {
                        Contract::new(&[l], &[d])
                            .src(r)
                            .result(width, d)
                            .check_at((op, width, d, l, r), |a| fault(r, X64::alu(a, op, width, d, l, r)));
                    }
                }
                for r in right_operands(d, l, true) {
                    Contract::new(&[l], &[d])
                        .src(r)
                        .result(width, d)
                        .check_at(("mul", width, d, l, r), |a| fault(r, X64::mul(a, width, d, l, r)));
                }
            }
        }
        for addr in addrs() {
            for op in Alu::ALL.iter().copied() {
                for r in INT_SOURCES.map(Src::Reg).into_iter().chain(IMMS.map(Src::Imm)) {
                    Contract::new(&[], &[])
                        .src(r)
                        .addr(addr)
                        .check_at((op, width, addr, r), |a| Some(X64::alu_mem(a, op, width, addr, r)));
                }
            }
        }
        for l in INT_SOURCES {
            for r in INT_SOURCES {
                Contract::new(&[l, r], &[]).check(("jump_if_overflow", width, l, r), |a| {
                    let to = a.label();
                    X64::jump_if_overflow(a, width, l, r, to);
                    a.bind(to);
                });
            }
        }
        for op in Div::ALL.iter().copied() {
            let fixed = X64::fixed_div(op, width);
            for rhs in INT_SOURCES.into_iter().filter(|r| !fixed.clobbers.has(*r)) {
                let mut contract = Contract::new(&[rhs, fixed.lhs.unwrap()], &[]);
                contract.writes = fixed.clobbers;
                for by_minus_one in [false, true] {
                    contract.check((op, width, rhs, by_minus_one), |a| {
                        let (l, d) = (fixed.lhs.unwrap(), fixed.out.unwrap());
                        let at = X64::div(a, op, width, d, l, rhs, by_minus_one);
                        let last = *decode(a.code()).last().unwrap();
                        assert_eq!(last.ip32(), at);
                        assert!(matches!(last.mnemonic(), Mnemonic::Div | Mnemonic::Idiv));
                    });
                }
            }
        }
    }
    for signed in [false, true] {
        let fixed = X64::fixed_mul_wide();
        for r in INT_SOURCES {
            let mut contract = Contract::new(&[r, fixed.lhs.unwrap()], &[]);
            contract.writes = fixed.clobbers;
            contract.check(("mul_wide", signed, r), |a| X64::mul_wide(a, signed, RAX, RDX, RAX, r));
        }
        for [lo, hi, r_lo, r_hi] in [[RAX, RCX, RDX, RBX], [R8, R9, R10, R10], [R12, R13, RSI, RDI]] {
            Contract::new(&[lo, hi, r_lo, r_hi], &[lo, hi])
                .check(("add_wide", lo), |a| X64::add_wide(a, signed, lo, hi, r_lo, r_hi));
        }
    }
}

/// Plain primitives keep what is in the scratch registers, which may be any of their operands.
#[test]
fn plain_primitives() {
    let (regs, floats) = ([RAX, R11, R13], [XMM0, XMM15]);
    let addrs = regs.map(|base| {
        [Addr::base(base, 8), Addr::base(base, 4096), Addr::indexed(base, RCX, 1, 8), Addr::indexed(base, R11, 3, 0)]
    });
    let addrs = addrs.as_flattened();
    let simple: Vec<Src> = IMMS.map(Src::Imm).into_iter().chain(regs.map(Src::Reg)).collect();
    let all: Vec<Src> = simple.iter().copied().chain(addrs.iter().copied().map(Src::Mem)).collect();
    let conditions = || Cond::ALL.iter().copied().filter(|cond| !matches!(cond, Cond::FloatEq | Cond::FloatNe));
    for width in WIDTHS {
        for d in regs {
            for s in regs {
                Contract::plain(&[s], &[d]).check(("mov", width, d, s), |a| a.mov(width, d, s));
                for cond in conditions() {
                    let contract = Contract::plain(&[d, s], &[d]).reads_flags();
                    contract.check(("select", cond, d, s), |a| X64::select(a, cond, width.int(), d, s));
                }
                for (op, n) in Shift::ALL.iter().flat_map(|op| [0, 1, 7].map(|n| (*op, n))) {
                    let what = ("shift", op, width, d, s, n);
                    Contract::plain(&[s], &[d]).check(what, |a| a.shift(op, width, d, s, Amount::Imm(n)));
                }
                for (op, r) in Alu::ALL.iter().flat_map(|op| all.iter().map(|r| (*op, *r))) {
                    let allowed = match r {
                        Src::Reg(reg) => reg != d || op.commutes(),
                        Src::Imm(_) => true,
                        Src::Mem(addr) => !addr.regs().has(d),
                    };
                    if d == s || allowed {
                        let contract = Contract::plain(&[s], &[d]).src(r);
                        contract.check(("alu", op, width, d, s, r), |a| _ = a.alu(op, width, d, s, r));
                    }
                }
                for r in all.iter().copied().filter(|r| d == s || !matches!(r, Src::Mem(addr) if addr.regs().has(d))) {
                    let contract = Contract::plain(&[s], &[d]).src(r);
                    contract.check(("mul", width, d, s, r), |a| _ = a.mul(width, d, s, r));
                }
            }
            for addr in addrs.iter().copied() {
                let contract = Contract::plain(&[], &[d]).addr(addr);
                contract.check(("lea", width, d, addr), |a| a.lea(width, d, addr));
            }
            for value in [0, 1, -1, i64::MIN] {
                Contract::plain(&[], &[d]).check(("iconst", width, d), |a| a.iconst(width, d, value, false));
            }
            for f in floats {
                Contract::plain(&[d], &[f]).check(("bits", width, f, d), |a| a.bits(width, f, d));
                Contract::plain(&[f], &[d]).check(("bits", width, d, f), |a| a.bits(width, d, f));
            }
            for r in all.iter().copied() {
                Contract::plain(&[d], &[]).src(r).check(("cmp", width, d, r), |a| _ = a.cmp(width, d, r));
                Contract::plain(&[d], &[]).src(r).check(("test", width, d, r), |a| _ = a.test(width, d, r));
            }
            Contract::plain(&[d], &[]).check(("branch", width, d), |a| {
                let [zero, other] = [a.label(), a.label()];
                a.branch_zero(width, d, zero);
                a.branch_nonzero(width, d, other);
                a.bind(zero);
                a.bind(other);
            });
        }
        for (addr, r) in addrs.iter().flat_map(|addr| simple.iter().map(|r| (*addr, *r))) {
            let contract = || Contract::plain(&[], &[]).addr(addr).src(r);
            contract().check(("cmp_mem", width, addr, r), |a| _ = a.cmp_mem(width, addr, r));
            for op in Alu::ALL.iter().copied() {
                contract().check((op, width, addr, r), |a| _ = a.alu_mem(op, width, addr, r));
            }
        }
    }
    for (d, s) in floats.into_iter().flat_map(|d| floats.map(|s| (d, s))) {
        Contract::plain(&[s], &[d]).check(("fmov", d, s), |a| a.fmov(d, s));
        for r in regs.map(Src::Reg).into_iter().chain(addrs.iter().copied().map(Src::Mem)) {
            let contract = Contract::plain(&[s, d], &[d]).src(r);
            contract.check(("replace_lane", d, s, r), |a| _ = a.replace_lane(Lane::I64, d, s, r, 1));
        }
    }
    for addr in addrs.iter().copied() {
        for d in regs {
            Contract::plain(&[], &[d]).addr(addr).check(("load", d, addr), |a| _ = a.load(Load::I32U8, d, addr));
            Contract::plain(&[d], &[]).addr(addr).check(("store", d, addr), |a| _ = a.store(Store::B16, addr, d));
        }
        for d in floats {
            Contract::plain(&[], &[d]).addr(addr).check(("load", d, addr), |a| _ = a.load(Load::V128, d, addr));
            Contract::plain(&[d], &[]).addr(addr).check(("store", d, addr), |a| _ = a.store(Store::F64, addr, d));
        }
        Contract::plain(&[], &[]).addr(addr).check(("store", addr), |a| _ = a.store_imm(Store::B64, addr, -1));
    }
}

#[test]
fn shifts_and_bit_counts() {
    for cpu in [NONE, ALL, CpuFeatures { bmi2: true, ..NONE }, CpuFeatures { lzcnt: true, ..NONE }] {
        for width in WIDTHS {
            for d in ints() {
                for l in INT_SOURCES {
                    for op in Shift::ALL.iter().copied() {
                        let fixed = X64::new(cpu).fixed_shift(op);
                        assert!(fixed.lhs.is_none() && fixed.out.is_none() && fixed.clobbers.is_empty());
                        let counts = ints().filter(|c| *c != d && fixed.rhs.is_none_or(|fixed| fixed == *c));
                        let constants = (0..width.bits()).map(|n| Amount::Imm(n as u8));
                        for count in counts.map(Amount::Reg).chain(constants) {
                            let mut contract = Contract::new(&[l], &[d]).cpu(cpu).result(width, d);
                            if let Amount::Reg(count) = count {
                                contract.reads.add(count);
                            }
                            contract.check((op, width, d, l, count), |a| X64::shift(a, op, width, d, l, count));
                        }
                    }
                    for op in IntUnary::ALL.iter().copied() {
                        Contract::new(&[l], &[d])
                            .cpu(cpu)
                            .result(width, d)
                            .check((op, width, d, l), |a| X64::unary(a, op, width, d, l));
                    }
                }
            }
        }
    }
}

#[test]
fn moves() {
    let constants = [0, 1, -1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, i64::MIN, 0x1234_5678_9abc_def0];
    for d in ints().chain([R11, R14, R15]) {
        for width in WIDTHS {
            for s in INT_SOURCES {
                let contract = Contract::new(&[s], &[d]).keeps_flags().result(width, d);
                contract.check(("mov", width, d, s), |a| X64::mov(a, width, d, s));
            }
            for addr in addrs().into_iter().chain([Addr::indexed(R9, R11, 3, 0)]) {
                Contract::new(&[], &[d])
                    .addr(addr)
                    .keeps_flags()
                    .result(width, d)
                    .check(("lea", width, d, addr), |a| X64::lea(a, width, d, addr));
            }
            for value in constants {
                let contract = Contract::new(&[], &[d]).result(width, d);
                // The shortest form of a 64-bit constant is often the 32-bit move.
                let contract = Contract { narrow: contract.narrow, ..contract };
                contract.check(("iconst", width, d, value), |a| X64::iconst(a, width, d, value, false));
                contract
                    .keeps_flags()
                    .check(("iconst, keep", width, d, value), |a| X64::iconst(a, width, d, value, true));
            }
        }
        use crate::isa::Extend::*;
        for op in crate::isa::Extend::ALL.iter().copied() {
            let width = if matches!(op, S8To32 | S16To32 | U32To64) { Width::W32 } else { Width::W64 };
            let operands = INT_SOURCES.map(Src::Reg).into_iter().chain(IMMS.map(Src::Imm));
            for s in operands.chain(addrs().into_iter().map(Src::Mem)) {
                Contract::new(&[], &[d])
                    .src(s)
                    .result(width, d)
                    .check_at((op, d, s), |a| fault(s, X64::extend(a, op, d, s)));
            }
        }
    }
    for f in floats().chain([XMM15]) {
        for s in floats() {
            Contract::new(&[s], &[f]).keeps_flags().check(("fmov", f, s), |a| X64::fmov(a, f, s));
        }
        for width in WIDTHS {
            for r in INT_SOURCES {
                Contract::new(&[r], &[f]).check(("to float", f, r), |a| X64::bits(a, width, f, r));
                let contract = Contract::new(&[f], &[r]).result(width, r);
                contract.check(("to int", f, r), |a| X64::bits(a, width, r, f));
            }
            for bits in [0, 1, 1 << 31, 1 << 63, 0x3f80_0000, 0x3ff0_0000_0000_0000] {
                let bits = if width == Width::W32 { bits & 0xffff_ffff } else { bits };
                let contract = Contract::new(&[], &[f]).keeps_flags();
                contract.check(("fconst", f, bits), |a| X64::fconst(a, width, f, bits));
            }
        }
    }
}

#[test]
fn memory() {
    use Load::*;
    let loads = [I32, I64, F32, F64, I32S8, I32U8, I32S16, I32U16, I64S8, I64U8, I64S16, I64U16, I64S32, I64U32];
    let stores = [Store::B8, Store::B16, Store::B32, Store::B64, Store::F32, Store::F64];
    let with_scratch = [Addr::base(R11, 8), Addr::indexed(R11, R9, 3, 0), Addr::indexed(R9, R11, 3, 0)];
    for addr in addrs().into_iter().chain(with_scratch) {
        for op in loads {
            let width = if op.ty() == Ty::I32 { Width::W32 } else { Width::W64 };
            let regs = if op.ty().is_float() { floats() } else { ints() };
            for d in regs.chain([if op.ty().is_float() { XMM15 } else { R11 }]) {
                Contract::new(&[], &[d]).addr(addr).keeps_flags().result(width, d).check_at((op, d, addr), |a| {
                    let at = X64::load(a, op, d, addr);
                    assert_eq!(decode(a.code())[0].memory_size().size() as u32, op.bytes());
                    Some(at)
                });
            }
        }
        for op in stores {
            let float = matches!(op, Store::F32 | Store::F64);
            let regs = if float { floats() } else { ints() };
            for s in regs.chain([if float { XMM15 } else { R11 }]) {
                Contract::new(&[s], &[]).addr(addr).keeps_flags().check_at((op, s, addr), |a| {
                    let at = X64::store(a, op, addr, s);
                    assert_eq!(decode(a.code())[0].memory_size().size() as u32, op.bytes());
                    Some(at)
                });
            }
            for imm in IMMS {
                Contract::new(&[], &[]).addr(addr).keeps_flags().check_at((op, imm, addr), |a| {
                    let at = X64::store_imm(a, op, addr, imm);
                    let store = decode(a.code())[0];
                    assert_eq!(store.memory_size().size() as u32, op.bytes());
                    let mask = u64::MAX >> (64 - 8 * op.bytes());
                    assert_eq!(store.immediate(1) & mask, imm as u64 & mask);
                    Some(at)
                });
            }
        }
    }
}

#[test]
fn conditions() {
    for width in WIDTHS {
        for l in INT_SOURCES {
            // There is no destination to keep apart, so every operand will do.
            for r in right_operands(l, l, true) {
                let contract = || Contract::new(&[l], &[]).src(r);
                contract().check_at(("cmp", width, l, r), |a| fault(r, X64::cmp(a, width, l, r)));
                contract().check_at(("test", width, l, r), |a| fault(r, X64::test(a, width, l, r)));
                if !matches!(r, Src::Mem(_)) {
                    for addr in addrs() {
                        Contract::new(&[], &[])
                            .src(r)
                            .addr(addr)
                            .check_at(("cmp_mem", width, addr, r), |a| Some(X64::cmp_mem(a, width, addr, r)));
                    }
                }
            }
        }
        for l in floats() {
            for r in floats() {
                use FloatCmp::*;
                for op in [Eq, Ne, Lt, Gt, Le, Ge] {
                    Contract::new(&[l, r], &[]).check((op, width, l, r), |a| _ = X64::fcmp(a, op, width, l, r));
                }
            }
        }
    }
    for cond in Cond::ALL.iter().copied() {
        for d in ints() {
            let contract = Contract::new(&[], &[d]).reads_flags().result(Width::W32, d);
            contract.check(("set", cond, d), |a| X64::set(a, cond, d));
            for s in INT_SOURCES {
                for ty in [Ty::I32, Ty::I64].into_iter().filter(|ty| X64::selects(cond, *ty)) {
                    Contract::new(&[d, s], &[d])
                        .reads_flags()
                        .keeps_flags()
                        .result(ty.width(), d)
                        .check(("select", cond, ty, d, s), |a| X64::select(a, cond, ty, d, s));
                }
            }
        }
        for behind in [false, true] {
            Contract::new(&[], &[])
                .reads_flags()
                .keeps_flags()
                .check(("jcc", cond, behind), |a| to_label(a, behind, |a, to| X64::jcc(a, cond, to)));
        }
    }
}

/// Emits what goes to a label that stands before or behind it.
fn to_label(a: &mut X64, behind: bool, emit: impl FnOnce(&mut X64, Label)) {
    let to = a.label();
    if behind {
        a.bind(to);
    }
    emit(a, to);
    if !behind {
        a.bind(to);
    }
}

#[test]
fn branches_by_zero() {
    for r in ints() {
        for width in WIDTHS {
            for behind in [false, true] {
                for (name, emit, code) in [
                    ("branch_zero", X64::branch_zero as fn(&mut X64, Width, Reg, Label), ConditionCode::e),
                    ("branch_nonzero", X64::branch_nonzero, ConditionCode::ne),
                ] {
                    Contract::new(&[r], &[]).check((name, width, r), |a| {
                        to_label(a, behind, |a, to| emit(a, width, r, to));
                        let [test, branch] = decode(a.code())[..] else { panic!("two instructions") };
                        assert_eq!(test.op0_register(), test.op1_register());
                        assert_eq!(test.op0_register().size() * 8, width.bits() as usize);
                        assert_eq!(branch.condition_code(), code);
                    });
                }
            }
        }
    }
}

#[test]
fn guards() {
    use Cond::*;
    for cond in [Eq, Ne, LtS, GeS, GtS, LeS, LtU, GeU, GtU, LeU] {
        for s in INT_SOURCES {
            for d in [s, R11] {
                for value in [0, 1, 64, u32::MAX] {
                    let what = ("guard", cond, d, s, value);
                    Contract::new(&[s], &[d]).reads_flags().keeps_flags().check(what, |a| {
                        X64::guard(a, cond, d, s, value);
                        // Never a branch, and all of the register.
                        let [constant, choice] = decode(a.code())[..] else { panic!("two instructions") };
                        assert_eq!((constant.op0_register(), constant.immediate(1)), (Register::R11D, value.into()));
                        let taken = if d == s { cond.invert() } else { cond };
                        assert_eq!(choice.condition_code(), condition(taken), "{what:?}: {choice}");
                        assert_eq!(choice.flow_control(), FlowControl::Next);
                        assert_eq!((choice.op_count(), choice.op0_register().size()), (2, 8));
                        assert_eq!(reg(choice.op0_register()), Some(d), "{choice}");
                        assert_eq!(reg(choice.op1_register()), Some(if d == s { R11 } else { s }), "{choice}");
                    });
                }
            }
        }
    }
}

/// What a disassembler calls the condition.
fn condition(cond: Cond) -> ConditionCode {
    match cond {
        Cond::Eq => ConditionCode::e,
        Cond::Ne => ConditionCode::ne,
        Cond::LtS => ConditionCode::l,
        Cond::GeS => ConditionCode::ge,
        Cond::GtS => ConditionCode::g,
        Cond::LeS => ConditionCode::le,
        Cond::LtU => ConditionCode::b,
        Cond::GeU => ConditionCode::ae,
        Cond::GtU => ConditionCode::a,
        Cond::LeU => ConditionCode::be,
        Cond::FloatEq | Cond::FloatNe => unreachable!("more than one flag"),
    }
}

#[test]
fn float_arithmetic() {
    for cpu in [NONE, ALL] {
        for width in WIDTHS {
            for d in floats() {
                for l in floats() {
                    for op in [FloatAlu::Add, FloatAlu::Sub, FloatAlu::Mul, FloatAlu::Div] {
                        let commutes = matches!(op, FloatAlu::Add | FloatAlu::Mul);
                        for r in floats().filter(|r| *r != d || d == l || commutes) {
                            Contract::new(&[l, r], &[d]).cpu(cpu).check((op, width, d, l, r), |a| {
                                X64::falu(a, op, width, d, l, FloatSrc::Reg(r));
                            });
                        }
                        // All addresses with two pairs, all pairs with one address: they share no register.
                        let all = (d, l) == (XMM0, XMM9) || (d, l) == (XMM9, XMM9);
                        for addr in addrs().into_iter().filter(|addr| all || *addr == Addr::base(RBP, -8)) {
                            Contract::new(&[l], &[d]).addr(addr).cpu(cpu).check_at((op, width, d, l, addr), |a| {
                                Some(X64::falu(a, op, width, d, l, FloatSrc::Mem(addr)))
                            });
                        }
                    }
                    use FloatUnary::*;
                    for op in [Abs, Neg, Sqrt, Ceil, Floor, Trunc, Nearest] {
                        Contract::new(&[l], &[d])
                            .cpu(cpu)
                            .check((op, width, d, l), |a| X64::funary(a, op, width, d, l));
                    }
                    for r in floats().filter(|r| *r != d) {
                        let contract = Contract::new(&[l, r], &[d]);
                        contract.check(("copysign", width, d, l, r), |a| X64::copysign(a, width, d, l, r));
                        if l != d {
                            for max in [false, true] {
                                contract.check((max, width, d, l, r), |a| X64::fminmax(a, max, width, d, l, r));
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn conversions() {
    use Convert::*;
    for cpu in [NONE, ALL] {
        for d in floats() {
            for op in
                [F32FromI32S, F32FromI32U, F32FromI64S, F32FromI64U, F64FromI32S, F64FromI32U, F64FromI64S, F64FromI64U]
            {
                for s in ints() {
                    for t in ints().filter(|t| *t != s) {
                        Contract::new(&[s], &[d, t]).cpu(cpu).check((op, d, s, t), |a| X64::convert(a, op, d, s, t));
                    }
                }
            }
            for op in [F32FromF64, F64FromF32] {
                for s in floats() {
                    for t in floats().filter(|t| *t != s && *t != d) {
                        Contract::new(&[s], &[d]).cpu(cpu).check((op, d, s), |a| X64::convert(a, op, d, s, t));
                    }
                }
            }
        }
    }
    for (from, to, signed) in
        WIDTHS.into_iter().flat_map(|from| WIDTHS.into_iter().flat_map(move |to| [(from, to, false), (from, to, true)]))
    {
        let op = crate::isa::Trunc { from, to, signed };
        for d in ints() {
            for s in floats() {
                for t in floats().filter(|t| *t != s) {
                    let mut contract = Contract::new(&[s], &[d, t]);
                    if signed {
                        contract = contract.result(to, d);
                    }
                    contract.check((op, d, s, t), |a| {
                        let (invalid, overflow) = (a.label(), a.label());
                        X64::trunc(a, op, d, s, t, invalid, overflow);
                        a.bind(invalid);
                        a.bind(overflow);
                    });
                    contract.check((op, "sat", d, s, t), |a| X64::trunc_sat(a, op, d, s, t));
                }
            }
        }
    }
}

#[test]
fn control() {
    for index in ints() {
        for t in ints().filter(|t| *t != index) {
            let mut a = X64::new(NONE);
            let labels: Vec<Label> = (0..5).map(|_| a.label()).collect();
            X64::jump_table(&mut a, index, t, &[labels[3], labels[0], labels[4], labels[1]]);
            let table = a.code().len() - 16;
            Contract::new(&[index], &[index, t]).check_code(("jump_table", index, t), &a.code()[..table], None);
            // The index that is looked up is the lesser of it and of the last entry's, by no branch but the last.
            let [last, compare, choice, _, _, _, jump] = decode(&a.code()[..table])[..] else { panic!("seven") };
            assert_eq!((last.op0_register(), last.immediate(1)), (compare.op1_register(), 3));
            assert_eq!((compare.mnemonic(), choice.condition_code()), (Mnemonic::Cmp, ConditionCode::a));
            for i in [compare, choice] {
                assert_eq!((reg(i.op0_register()), reg(i.op1_register())), (Some(index), Some(t)), "{i}");
                assert_eq!(i.op0_register().size(), 4, "{i}");
            }
            assert_eq!(jump.flow_control(), FlowControl::IndirectBranch);
            for label in &labels {
                X64::trap(&mut a);
                a.bind(*label);
            }
            let entries: Vec<i32> = a.code()[table..table + 16]
                .chunks(4)
                .map(|entry| i32::from_le_bytes(entry.try_into().unwrap()))
                .collect();
            // 16 bytes of table, then a trap of two bytes before each label.
            assert_eq!(entries, [16 + 8, 16 + 2, 16 + 10, 16 + 4]);
        }
    }
    for behind in [false, true] {
        for d in ints().chain([R11]) {
            Contract::new(&[], &[d]).keeps_flags().check(("lea_label", d, behind), |a| {
                let label = a.label();
                if behind {
                    a.bind(label);
                }
                a.lea_label(d, label);
                if !behind {
                    a.bind(label);
                }
                let [i] = decode(a.code())[..] else { panic!("one instruction") };
                assert_eq!(i.ip_rel_memory_address(), if behind { 0 } else { a.offset().into() });
            });
        }
        let mut a = X64::new(NONE);
        let label = a.label();
        if behind {
            a.bind(label);
        }
        a.call_label(label);
        if !behind {
            a.bind(label);
        }
        let [i] = decode(a.code())[..] else { panic!("one instruction") };
        assert_eq!(i.flow_control(), FlowControl::Call);
        assert_eq!(i.near_branch_target(), if behind { 0 } else { a.offset().into() });
    }
    for len in 0..20u8 {
        let bytes: Vec<u8> = (1..=len).collect();
        let mut a = X64::new(NONE);
        a.data(&bytes);
        assert_eq!(a.code(), bytes);
        a.repeat(0..len.into());
        assert_eq!(a.code(), bytes.repeat(2));
    }
    for r in ints().chain([R11]) {
        for (emit, mnemonic) in [(X64::call_reg as fn(&mut X64, Reg), Mnemonic::Call), (X64::jmp_reg, Mnemonic::Jmp)] {
            let mut a = X64::new(NONE);
            emit(&mut a, r);
            let [i] = decode(a.code())[..] else { panic!("one instruction") };
            assert_eq!((i.mnemonic(), reg(i.op0_register())), (mnemonic, Some(r)));
        }
    }
}

#[test]
fn register_sets_are_consistent() {
    crate::isa::registers::are_consistent::<X64>();
    // All that the machine has.
    let pinned = RegSet::of(&[X64::CTX, X64::MEMORY_BASE, X64::FRAME, X64::STACK, X64::SCRATCH, X64::FLOAT_SCRATCH]);
    assert_eq!(X64::ALLOCATABLE.or(pinned).len(), 32);
    // Four integer arguments are in the same registers inside a module and across.
    assert_eq!(X64::PRIVATE.int_args[..4], X64::TAIL.int_args[2..]);
}

/// Whatever is done with it, a constant of 32 bits is part of the instruction, and no other is.
#[test]
fn immediates() {
    for what in [ImmFor::Alu(Alu::Add), ImmFor::Mul, ImmFor::Compare, ImmFor::Test, ImmFor::Store, ImmFor::Atomic] {
        assert!(X64::imm_ok(what, Width::W32, -1) && X64::imm_ok(what, Width::W64, -1), "{what:?}");
        assert!(!X64::imm_ok(what, Width::W64, 0x8000_0000) && X64::imm_ok(what, Width::W64, i32::MIN.into()));
    }
}
