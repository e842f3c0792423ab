//! An instruction set that gives the least that the seam asks of one, and holds the core to what the seam asks of it.
//!
//! It puts together code of x86-64, but says otherwise wherever an instruction set has a choice: no instruction reads
//! memory, hardly any has a constant, none demands a register or faults by itself, and whatever may be destroyed by a
//! primitive is. It looks at the operands of each: is what stands in a scratch register still what was put there, and
//! are those apart that have to be? So it shows that the core keeps its part of the contract, and goes the ways that
//! are not x86-64's. Its code is never run.

use crate::file::{File, Settings};
use crate::isa;
use lightbeam_compiler::asm::{Addr, Assembler, Label, Reg, RegClass, RegSet};
use lightbeam_compiler::facts::CpuFeatures;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::isa::*;
use lightbeam_compiler::ty::{Ty, Width};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

/// Code of x86-64, and what is known where it goes on.
#[derive(Default)]
pub(crate) struct Spare {
    x64: X64,
    /// The scratch registers that hold what was put there.
    known: RegSet,
    /// Does control run on to what comes next?
    reached: bool,
    /// What is known where others come to these labels from.
    labels: Vec<(Label, RegSet)>,
    /// How often the flags may have changed.
    flags: u32,
}

const SCRATCHES: RegSet = RegSet::of(&[X64::SCRATCH, X64::FLOAT_SCRATCH]);

/// What an argument of a primitive reads.
trait Reads {
    fn regs(&self) -> RegSet {
        RegSet::EMPTY
    }
}

impl Reads for Reg {
    fn regs(&self) -> RegSet {
        RegSet::one(*self)
    }
}

impl Reads for Addr {
    fn regs(&self) -> RegSet {
        Addr::regs(*self)
    }
}

impl Reads for Src {
    fn regs(&self) -> RegSet {
        match self {
            Src::Reg(reg) => RegSet::one(*reg),
            Src::Mem(addr) => addr.regs(),
            Src::Imm(_) => RegSet::EMPTY,
        }
    }
}

impl Reads for FloatSrc {
    fn regs(&self) -> RegSet {
        match self {
            FloatSrc::Reg(reg) => RegSet::one(*reg),
            FloatSrc::Mem(addr) => addr.regs(),
        }
    }
}

impl Reads for VectorSrc {
    fn regs(&self) -> RegSet {
        match self {
            VectorSrc::Reg(reg) => RegSet::one(*reg),
            VectorSrc::Mem(addr) => addr.regs(),
            VectorSrc::Const(_) => RegSet::EMPTY,
        }
    }
}

impl Reads for Amount {
    fn regs(&self) -> RegSet {
        match self {
            Amount::Reg(reg) => RegSet::one(*reg),
            Amount::Imm(_) => RegSet::EMPTY,
        }
    }
}

impl Reads for [Reg; 3] {
    fn regs(&self) -> RegSet {
        RegSet::of(self)
    }
}

macro_rules! read_nothing {
    ($($ty:ty)*) => { $(impl Reads for $ty {})* };
}

read_nothing! {
    bool u8 u32 i64 u64 u128 Width Alu Shift IntUnary Extend Cond FloatAlu FloatUnary FloatCmp Convert Trunc Load Store
    Rmw Label Lane Lanes VectorUnary VectorBinary VectorTernary VectorLoad VectorTest ShuffleFrom [u8; 16]
}

impl Spare {
    /// A primitive that reads these registers, those of the scratches that it may be given, and no others.
    fn read(&self, name: &str, regs: RegSet, may: RegSet) {
        let scratches = regs.and(SCRATCHES);
        assert!(scratches.minus(may).is_empty(), "`{name}` is given {scratches:?}, which it may destroy");
        assert!(scratches.minus(self.known).is_empty(), "`{name}` reads {scratches:?}, where anything may be");
    }

    /// A primitive that may change the flags and all scratch registers.
    fn destroy(&mut self) {
        self.known = RegSet::EMPTY;
        self.flags += 1;
    }

    /// Control may go to a label from here.
    fn go(&mut self, to: Label) {
        match self.labels.iter_mut().find(|(label, _)| *label == to) {
            Some((_, known)) => *known = known.and(self.known),
            None => self.labels.push((to, self.known)),
        }
    }

    /// Control does not run on.
    fn leave_here(&mut self) {
        self.known = RegSet::EMPTY;
        self.reached = false;
    }

    fn write(&mut self, regs: RegSet) {
        self.known = self.known.or(regs.and(SCRATCHES));
    }

    /// A constant that is taken has 32 bits, unless it is asked about first.
    fn constant(what: ImmFor, width: Width, r: Src) -> Src {
        match r {
            Src::Imm(value) => {
                assert!(
                    value == i64::from(value as i32) || Spare::imm_ok(what, width, value),
                    "{value:#x} at {width:?}"
                );
                Src::Imm(i64::from(value as i32))
            }
            other => other,
        }
    }

    /// `d` may be in the right operand only if it is the left one too, or the operands are exchanged.
    fn apart(commutes: bool, d: Reg, l: Reg, r: impl Reads, whole: Option<Reg>) {
        assert!(d == l || !r.regs().has(d) || commutes && whole == Some(d), "{d:?} is read behind its being written");
    }
}

/// `d` is what a primitive writes, `t` a temporary, or anything; it reads all others.
fn read_by(name: &str, argument: &impl Reads) -> RegSet {
    if matches!(name, "d" | "t") { RegSet::EMPTY } else { argument.regs() }
}

fn written_by(name: &str, argument: &impl Reads) -> RegSet {
    if name == "d" { argument.regs() } else { RegSet::EMPTY }
}

/// Primitives of which the names of their arguments say it all.
macro_rules! primitives {
    ($($kind:ident fn $name:ident(&mut self $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)?;)*) => {
        $(primitives! { @one $kind $name ($($arg: $ty),*) ($($ret)?) })*
    };
    (@one $kind:ident $name:ident ($($arg:ident: $ty:ty),*) ($($ret:ty)?)) => {
        fn $name(&mut self $(, $arg: $ty)*) $(-> $ret)? {
            let read = RegSet::EMPTY$(.or(read_by(stringify!($arg), &$arg)))*;
            let written = RegSet::EMPTY$(.or(written_by(stringify!($arg), &$arg)))*;
            primitives! { @before $kind self $name read written }
            let given = self.x64.$name($($arg),*);
            self.write(written);
            given
        }
    };
    // Keeps the flags and the scratch registers, and takes these as operands.
    (@before plain $self:ident $name:ident $read:ident $written:ident) => {
        $self.read(stringify!($name), $read, SCRATCHES);
    };
    // Destroys them, and takes them as no operand but its result.
    (@before other $self:ident $name:ident $read:ident $written:ident) => {
        $self.read(stringify!($name), $read, RegSet::EMPTY);
        $self.destroy();
    };
    // Keeps the flags alone.
    (@before flags $self:ident $name:ident $read:ident $written:ident) => {
        $self.read(stringify!($name), $read, RegSet::EMPTY);
        $self.known = RegSet::EMPTY;
    };
    // Keeps the scratch registers alone, and takes them as operands.
    (@before scratch $self:ident $name:ident $read:ident $written:ident) => {
        $self.read(stringify!($name), $read, SCRATCHES);
        $self.flags += 1;
    };
    // Is no code, or does not come back.
    (@before bare $self:ident $name:ident $read:ident $written:ident) => {
        let _ = ($read, $written);
    };
}

macro_rules! constants {
    ($($name:ident: $ty:ty;)*) => { $(const $name: $ty = X64::$name;)* };
}

impl Assembler for Spare {
    fn offset(&self) -> u32 {
        self.x64.offset()
    }

    fn reserve(&mut self, bytes: usize) {
        self.x64.reserve(bytes);
    }

    fn room_end(&self) -> u32 {
        self.x64.room_end()
    }

    fn watch(&mut self, unowned: RegSet) {
        self.x64.watch(unowned);
    }

    fn label(&mut self) -> Label {
        self.x64.label()
    }

    fn bind(&mut self, label: Label) {
        let others = self.labels.iter().find(|(known, _)| *known == label).map(|(_, known)| *known);
        self.known = match (others, self.reached) {
            (Some(others), true) => others.and(self.known),
            (Some(others), false) => others,
            (None, _) => self.known,
        };
        self.reached = true;
        self.flags += 1;
        self.x64.bind(label);
    }

    fn flags(&self) -> u32 {
        self.flags
    }

    fn reset_labels(&mut self) {
        self.labels.clear();
        self.x64.reset_labels();
    }

    fn place_constants(&mut self) -> u32 {
        self.x64.place_constants()
    }

    fn repeat(&mut self, code: Range<u32>) {
        self.destroy();
        self.reached = true;
        self.x64.repeat(code);
    }

    fn pad(&mut self, bytes: u32) {
        self.x64.pad(bytes);
    }

    fn align(&mut self, align: u32) {
        self.x64.align(align);
    }

    fn truncate(&mut self, offset: u32) {
        self.x64.truncate(offset);
    }

    fn abandon(&mut self, offset: u32) {
        self.x64.abandon(offset);
    }

    fn code(&self) -> &[u8] {
        self.x64.code()
    }

    fn code_mut(&mut self) -> &mut [u8] {
        self.x64.code_mut()
    }

    fn take_code(&mut self) -> Vec<u8> {
        self.x64.take_code()
    }
}

impl Isa for Spare {
    const NAME: &'static str = "spare";
    type Dense = <X64 as Isa>::Dense;
    const DENSE: <X64 as Isa>::Dense = X64::DENSE;
    const MEM_OPERANDS: bool = false;
    const DIVISION_FAULTS: bool = false;
    constants! {
        ALLOCATABLE: RegSet;
        PRESERVED: &'static [Reg];
        VOLATILE_HOMES: &'static [Reg];
        LOOP_HOMES: &'static [Reg];
        FLOAT_HOMES: &'static [Reg];
        CTX: Reg;
        MEMORY_BASE: Reg;
        FRAME: Reg;
        STACK: Reg;
        SCRATCH: Reg;
        FLOAT_SCRATCH: Reg;
        PRIVATE: Convention;
        TAIL: Convention;
        LIBCALL: Convention;
        ENTRY_SAVED: &'static [Reg];
        FLOOR: &'static [&'static str];
        ENTERING: [u32; 2];
        JUMPING_BACK: u32;
        DEBUG_RETURN: u8;
        STACK_MESSAGE: Reg;
        EXPECTED: Reg;
        UNPASSED: Reg;
        ROUTINE_RESULTS: [Reg; 2];
        EXCEPTION: Reg;
        TEMPS: [Reg; 7];
        LINK_BYTES: u32;
        JUMP_BYTES: u32;
        LOOP_ALIGN: u32;
        FILLER: u8;
        REACH: u32;
        PLATFORM: Platform;
        MAX_PRIMITIVE: usize;
    }

    fn host_features() -> CpuFeatures {
        X64::host_features()
    }

    fn fuses(cpu: &CpuFeatures) -> bool {
        X64::fuses(cpu)
    }

    fn debug_number(reg: Reg) -> u8 {
        X64::debug_number(reg)
    }

    fn dense(reg: Reg) -> usize {
        X64::dense(reg)
    }

    fn resolve(code: &mut [u8], at: u32, from: u32, to: u32) {
        X64::resolve(code, at, from, to);
    }

    fn make_direct(code: &mut [u8], at: u32, from: u32, to: u32) {
        X64::make_direct(code, at, from, to);
    }

    fn make_across(code: &mut [u8], at: u32, from: u32, to: u32, into: Entering) {
        X64::make_across(code, at, from, to, into);
    }

    fn new(cpu: CpuFeatures) -> Spare {
        Spare { x64: X64::new(cpu), known: RegSet::EMPTY, reached: true, labels: Vec::new(), flags: 0 }
    }

    fn cpu(&self) -> CpuFeatures {
        self.x64.cpu()
    }

    fn data(&mut self, bytes: &[u8]) {
        self.x64.data(bytes);
    }

    // ---- what operands may be

    fn imm_ok(what: ImmFor, width: Width, value: i64) -> bool {
        match what {
            ImmFor::Alu(Alu::Add | Alu::Sub) | ImmFor::Compare => (-4095..=4095).contains(&value),
            // A run of ones, of any width.
            ImmFor::Alu(_) | ImmFor::Test => {
                let bits = if width == Width::W32 { u64::from(value as u32) } else { value as u64 };
                bits != 0 && (bits >> bits.trailing_zeros()).wrapping_add(1).is_power_of_two()
            }
            ImmFor::Store => value == 0,
            ImmFor::Mul | ImmFor::Atomic => false,
        }
    }

    fn fixed_div(_: Div, _: Width) -> Fixed {
        Fixed::NONE
    }

    fn fixed_shift(&self, _: Shift) -> Fixed {
        Fixed::NONE
    }

    fn fixed_mul_wide() -> Fixed {
        Fixed::NONE
    }

    fn folds(_: Op) -> Option<Load> {
        None
    }

    fn unaligned_vectors(&self) -> bool {
        self.x64.unaligned_vectors()
    }

    fn selects_by_top_bit(&self) -> bool {
        self.x64.selects_by_top_bit()
    }

    fn vector_unary_form(&self, op: VectorUnary) -> VectorForm {
        VectorForm { memory: false, ..self.x64.vector_unary_form(op) }
    }

    fn vector_binary_form(&self, op: VectorBinary) -> VectorForm {
        VectorForm { memory: false, ..self.x64.vector_binary_form(op) }
    }

    fn vector_ternary_form(&self, op: VectorTernary) -> VectorForm {
        VectorForm { memory: false, ..self.x64.vector_ternary_form(op) }
    }

    fn vector_shift_temp(op: Shift, lanes: Lanes) -> bool {
        X64::vector_shift_temp(op, lanes)
    }

    fn shuffle_form(&self, from: ShuffleFrom, lanes: &[u8; 16]) -> VectorForm {
        VectorForm { memory: false, ..self.x64.shuffle_form(from, lanes) }
    }

    fn shuffle(&mut self, from: ShuffleFrom, lanes: &[u8; 16], d: Reg, l: Reg, r: Reg) {
        self.read("shuffle", RegSet::of(&[l, r]), RegSet::EMPTY);
        self.destroy();
        self.x64.shuffle(from, lanes, d, l, r);
    }

    fn alu_sets_flags(op: Alu, r: Src) -> bool {
        X64::alu_sets_flags(op, r)
    }

    fn exchanges(&self, op: Rmw) -> bool {
        op == Rmw::Xchg
    }

    // ---- primitives that need a closer look

    fn alu(&mut self, op: Alu, width: Width, d: Reg, l: Reg, r: Src) -> At {
        assert!(!matches!(r, Src::Mem(_)), "{r:?} is best loaded first");
        self.read("alu", r.regs().or(RegSet::one(l)), SCRATCHES);
        self.flags += 1;
        Spare::apart(op.commutes(), d, l, r, whole(r));
        let at = self.x64.alu(op, width, d, l, Spare::constant(ImmFor::Alu(op), width, r));
        self.write(RegSet::one(d));
        at
    }

    fn alu_mem(&mut self, op: Alu, width: Width, addr: Addr, r: Src) -> At {
        assert!(!matches!(r, Src::Mem(_)));
        self.read("alu_mem", r.regs().or(addr.regs()), SCRATCHES);
        self.flags += 1;
        self.x64.alu_mem(op, width, addr, Spare::constant(ImmFor::Alu(op), width, r))
    }

    fn mul(&mut self, width: Width, d: Reg, l: Reg, r: Src) -> At {
        assert!(!matches!(r, Src::Mem(_)), "{r:?} is best loaded first");
        self.read("mul", r.regs().or(RegSet::one(l)), SCRATCHES);
        self.flags += 1;
        Spare::apart(true, d, l, r, whole(r));
        let at = self.x64.mul(width, d, l, Spare::constant(ImmFor::Mul, width, r));
        self.write(RegSet::one(d));
        at
    }

    fn jump_if_overflow(&mut self, width: Width, l: Reg, r: Reg, to: Label) {
        self.read("jump_if_overflow", RegSet::of(&[l, r]), RegSet::EMPTY);
        self.destroy();
        self.go(to);
        self.x64.jump_if_overflow(width, l, r, to);
    }

    fn div(&mut self, _: Div, width: Width, d: Reg, l: Reg, r: Reg, _: bool) -> At {
        self.read("div", RegSet::of(&[l, r]), RegSet::EMPTY);
        self.destroy();
        self.x64.mul(width, d, l, if d == l || d != r { Src::Reg(r) } else { Src::Reg(d) })
    }

    fn mul_wide(&mut self, _: bool, lo: Reg, hi: Reg, l: Reg, r: Reg) {
        self.read("mul_wide", RegSet::of(&[l, r]), RegSet::EMPTY);
        assert!(lo != hi && lo != l && lo != r, "`mul_wide` writes {lo:?} first");
        self.destroy();
        self.x64.mul(Width::W64, lo, l, Src::Reg(r));
        self.x64.mov(Width::W64, hi, lo);
    }

    fn add_wide(&mut self, subtract: bool, lo: Reg, hi: Reg, r_lo: Reg, r_hi: Reg) {
        let distinct = RegSet::of(&[lo, hi, r_lo, r_hi]).len() == if r_lo == r_hi { 3 } else { 4 };
        assert!(distinct, "{lo:?} {hi:?} {r_lo:?} {r_hi:?}");
        self.read("add_wide", RegSet::of(&[lo, hi, r_lo, r_hi]), RegSet::EMPTY);
        self.destroy();
        self.x64.add_wide(subtract, lo, hi, r_lo, r_hi);
    }

    fn shift(&mut self, op: Shift, width: Width, d: Reg, l: Reg, count: Amount) {
        match count {
            Amount::Imm(_) => self.read("shift", RegSet::one(l), SCRATCHES),
            Amount::Reg(count) => {
                assert!(d != count, "{d:?} is the count");
                self.read("shift", RegSet::of(&[l, count]), RegSet::EMPTY);
                self.known = RegSet::EMPTY;
            }
        }
        self.flags += 1;
        // The machine's own would want the count in a certain register.
        self.x64.shift(op, width, d, l, if let Amount::Imm(_) = count { count } else { Amount::Imm(1) });
        self.write(RegSet::one(d));
    }

    fn cmp(&mut self, width: Width, l: Reg, r: Src) -> At {
        self.read("cmp", r.regs().or(RegSet::one(l)), SCRATCHES);
        self.flags += 1;
        self.x64.cmp(width, l, Spare::constant(ImmFor::Compare, width, r))
    }

    fn cmp_mem(&mut self, width: Width, l: Addr, r: Src) -> At {
        assert!(!matches!(r, Src::Mem(_)));
        self.read("cmp_mem", r.regs().or(l.regs()), SCRATCHES);
        self.flags += 1;
        self.x64.cmp_mem(width, l, Spare::constant(ImmFor::Compare, width, r))
    }

    fn test(&mut self, width: Width, l: Reg, r: Src) -> At {
        self.read("test", r.regs().or(RegSet::one(l)), SCRATCHES);
        self.flags += 1;
        self.x64.test(width, l, Spare::constant(ImmFor::Test, width, r))
    }

    fn iconst(&mut self, width: Width, d: Reg, value: i64, keep_flags: bool) {
        self.flags += u32::from(!keep_flags);
        self.x64.iconst(width, d, value, keep_flags);
        self.write(RegSet::one(d));
    }

    fn branch_zero(&mut self, width: Width, r: Reg, to: Label) {
        self.read("branch_zero", RegSet::one(r), SCRATCHES);
        self.flags += 1;
        self.go(to);
        self.x64.branch_zero(width, r, to);
    }

    fn branch_nonzero(&mut self, width: Width, r: Reg, to: Label) {
        self.read("branch_nonzero", RegSet::one(r), SCRATCHES);
        self.flags += 1;
        self.go(to);
        self.x64.branch_nonzero(width, r, to);
    }

    fn jcc(isa: &mut Spare, cond: Cond, to: Label) {
        isa.go(to);
        X64::jcc(&mut isa.x64, cond, to);
    }

    fn set(isa: &mut Spare, cond: Cond, d: Reg) {
        isa.destroy();
        X64::set(&mut isa.x64, cond, d);
    }

    fn selects(cond: Cond, ty: Ty) -> bool {
        X64::selects(cond, ty)
    }

    fn select(isa: &mut Spare, cond: Cond, ty: Ty, d: Reg, s: Reg) {
        assert!(Spare::selects(cond, ty));
        isa.read("select", RegSet::of(&[d, s]), if ty.is_float() { RegSet::EMPTY } else { SCRATCHES });
        X64::select(&mut isa.x64, cond, ty, d, s);
    }

    fn guard(isa: &mut Spare, cond: Cond, d: Reg, s: Reg, value: u32) {
        assert!(d == s || d == Spare::SCRATCH);
        isa.read("guard", RegSet::one(s), RegSet::EMPTY);
        isa.known = RegSet::EMPTY;
        X64::guard(&mut isa.x64, cond, d, s, value);
        isa.write(RegSet::one(d));
    }

    fn falu(&mut self, op: FloatAlu, width: Width, d: Reg, l: Reg, r: FloatSrc) -> At {
        assert!(!matches!(r, FloatSrc::Mem(_)), "{r:?} is best loaded first");
        self.read("falu", r.regs().or(RegSet::one(l)), RegSet::EMPTY);
        let whole = if let FloatSrc::Reg(reg) = r { Some(reg) } else { None };
        Spare::apart(matches!(op, FloatAlu::Add | FloatAlu::Mul), d, l, r, whole);
        self.destroy();
        self.x64.falu(op, width, d, l, r)
    }

    fn fminmax(&mut self, max: bool, width: Width, d: Reg, l: Reg, r: Reg) {
        assert!(d != l && d != r);
        self.read("fminmax", RegSet::of(&[l, r]), RegSet::EMPTY);
        self.destroy();
        self.x64.fminmax(max, width, d, l, r);
    }

    fn canonical_nan(&mut self, width: Width, d: Reg) {
        self.read("canonical_nan", RegSet::one(d), RegSet::EMPTY);
        self.destroy();
        self.x64.canonical_nan(width, d);
    }

    fn canonical_nans(&mut self, width: Width, d: Reg) {
        self.read("canonical_nans", RegSet::one(d), RegSet::EMPTY);
        self.destroy();
        self.x64.canonical_nans(width, d);
    }

    fn copysign(&mut self, width: Width, d: Reg, l: Reg, r: Reg) {
        assert!(d != r);
        self.read("copysign", RegSet::of(&[l, r]), RegSet::EMPTY);
        self.destroy();
        self.x64.copysign(width, d, l, r);
    }

    fn convert(&mut self, op: Convert, d: Reg, s: Reg, t: Reg) {
        assert!(t != s && t != d && t.class() == s.class());
        self.read("convert", RegSet::one(s), RegSet::EMPTY);
        self.destroy();
        self.x64.convert(op, d, s, t);
    }

    fn trunc(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg, invalid: Label, overflow: Label) {
        assert!(t != s && t.class() == RegClass::Float);
        self.read("trunc", RegSet::one(s), RegSet::EMPTY);
        self.destroy();
        self.go(invalid);
        self.go(overflow);
        self.x64.trunc(op, d, s, t, invalid, overflow);
    }

    fn trunc_sat(&mut self, op: Trunc, d: Reg, s: Reg, t: Reg) {
        assert!(t != s && t.class() == RegClass::Float);
        self.read("trunc_sat", RegSet::one(s), RegSet::EMPTY);
        self.destroy();
        self.x64.trunc_sat(op, d, s, t);
    }

    fn atomic_store(&mut self, bytes: u32, addr: Addr, s: Reg) -> At {
        assert!(!addr.regs().has(s));
        self.read("atomic_store", RegSet::one(s), SCRATCHES);
        self.destroy();
        self.x64.atomic_store(bytes, addr, s)
    }

    fn atomic_exchange(&mut self, op: Rmw, bytes: u32, d: Reg, addr: Addr) -> At {
        assert!(!addr.regs().has(d) && self.exchanges(op));
        self.read("atomic_exchange", RegSet::one(d), SCRATCHES);
        self.destroy();
        let at = self.x64.atomic_exchange(op, bytes, d, addr);
        self.write(RegSet::one(d));
        at
    }

    fn atomic_alu(&mut self, op: Alu, bytes: u32, addr: Addr, r: Src) -> At {
        assert!(matches!(r, Src::Reg(_)), "{r:?} is asked about first");
        self.read("atomic_alu", r.regs().or(addr.regs()), RegSet::EMPTY);
        self.destroy();
        self.x64.atomic_alu(op, bytes, addr, r)
    }

    fn atomic_loop(&mut self, op: Rmw, access: Load, addr: Addr, r: Src) -> [At; 2] {
        assert!(!self.exchanges(op));
        assert!(matches!(r, Src::Reg(_)), "{r:?} is asked about first");
        let read = r.regs().or(addr.regs());
        assert!(!read.has(Spare::EXPECTED));
        self.read("atomic_loop", read, RegSet::EMPTY);
        self.destroy();
        self.x64.atomic_loop(op, access, addr, r)
    }

    fn replace_lane(&mut self, lane: Lane, d: Reg, l: Reg, r: Src, i: u8) -> At {
        assert!(!matches!(r, Src::Reg(reg) if reg == d));
        self.read("replace_lane", r.regs().or(RegSet::one(l)), SCRATCHES);
        self.flags += 1;
        let at = self.x64.replace_lane(lane, d, l, r, i);
        self.write(RegSet::one(d));
        at
    }

    fn jump_table(&mut self, index: Reg, t: Reg, table: &[Label]) {
        assert!(index != t);
        self.read("jump_table", RegSet::one(index), RegSet::EMPTY);
        self.destroy();
        for to in table {
            self.go(*to);
        }
        self.x64.jump_table(index, t, table);
        self.leave_here();
    }

    fn jmp(&mut self, to: Label) {
        self.go(to);
        self.x64.jmp(to);
        self.leave_here();
    }

    fn jmp_reg(&mut self, r: Reg) {
        self.read("jmp_reg", RegSet::one(r), SCRATCHES);
        self.x64.jmp_reg(r);
        self.leave_here();
    }

    fn jmp_sym(&mut self) -> At {
        self.leave_here();
        self.x64.jmp_sym()
    }

    fn jump_back(&mut self) {
        self.leave_here();
        self.x64.jump_back();
    }

    fn ret(&mut self, pop: u32) {
        self.leave_here();
        self.x64.ret(pop);
    }

    fn jump_through(&mut self, code: Addr) -> At {
        self.read("jump_through", code.regs(), RegSet::EMPTY);
        let at = self.x64.jump_through(code);
        self.leave_here();
        at
    }

    fn trap(&mut self) -> At {
        self.leave_here();
        self.x64.trap()
    }

    fn switch_stack(&mut self, save: Reg, enter: Reg, t: Reg) {
        assert!(!RegSet::of(&[save, enter, t]).has(Spare::STACK_MESSAGE) && t != save && t != enter);
        self.read("switch_stack", RegSet::of(&[save, enter]), RegSet::EMPTY);
        self.destroy();
        self.x64.switch_stack(save, enter, t);
    }

    // ---- all others

    primitives! {
        plain fn mov(&mut self, width: Width, d: Reg, s: Reg);
        plain fn fmov(&mut self, d: Reg, s: Reg);
        scratch fn bits(&mut self, width: Width, d: Reg, s: Reg);
        flags fn fconst(&mut self, width: Width, d: Reg, bits: u64);
        plain fn load(&mut self, op: Load, d: Reg, addr: Addr) -> At;
        plain fn store(&mut self, op: Store, addr: Addr, s: Reg) -> At;
        plain fn store_imm(&mut self, op: Store, addr: Addr, value: i64) -> At;
        plain fn lea_label(&mut self, d: Reg, label: Label);
        plain fn lea(&mut self, width: Width, d: Reg, addr: Addr);
        other fn unary(&mut self, op: IntUnary, width: Width, d: Reg, s: Reg);
        other fn extend(&mut self, op: Extend, d: Reg, s: Src) -> At;
        other fn cmp_mem_zero(&mut self, bytes: u32, l: Addr) -> At;
        other fn fcmp(&mut self, op: FloatCmp, width: Width, l: Reg, r: Reg) -> Cond;
        other fn funary(&mut self, op: FloatUnary, width: Width, d: Reg, s: Reg);
        other fn atomic_load(&mut self, op: Load, d: Reg, addr: Addr) -> At;
        other fn atomic_cmpxchg(&mut self, bytes: u32, addr: Addr, new: Reg) -> At;
        other fn fence(&mut self);
        flags fn vconst(&mut self, d: Reg, bits: u128);
        other fn vector_unary(&mut self, op: VectorUnary, d: Reg, s: VectorSrc, t: Reg) -> At;
        other fn vector_binary(&mut self, op: VectorBinary, d: Reg, l: Reg, r: VectorSrc, t: Reg) -> At;
        other fn vector_ternary(&mut self, op: VectorTernary, d: Reg, s: [Reg; 3], t: Reg);
        other fn vector_shift(&mut self, op: Shift, lanes: Lanes, d: Reg, l: Reg, n: Amount, t: Reg);
        other fn splat(&mut self, lane: Lane, d: Reg, s: Reg);
        other fn extract_lane(&mut self, lane: Lane, signed: bool, d: Reg, s: Reg, i: u8);
        other fn store_lane(&mut self, lane: Lane, addr: Addr, s: Reg, i: u8) -> At;
        other fn vector_load(&mut self, op: VectorLoad, d: Reg, addr: Addr) -> At;
        other fn vector_test(&mut self, op: VectorTest, s: Reg) -> Cond;
        other fn bitmask(&mut self, lanes: Lanes, d: Reg, s: Reg);
        other fn call_label(&mut self, to: Label);
        other fn call_sym(&mut self) -> At;
        other fn call_unpaired(&mut self) -> At;
        other fn call_through(&mut self, code: Addr) -> [At; 2];
        other fn call_across(&mut self, context: Addr, code: Addr) -> [At; 2];
        bare fn patch_frame(&mut self, enter: At, bytes: u32);
        flags fn cut_frame(&mut self);
        scratch fn leave(&mut self);
    }

    fn enter(&mut self) -> At {
        self.destroy();
        self.reached = true;
        self.x64.enter()
    }

    fn stack_check(&mut self, limit: Addr, overflow: Label) {
        self.read("stack_check", limit.regs(), SCRATCHES);
        self.destroy();
        self.go(overflow);
        self.x64.stack_check(limit, overflow);
    }

    fn lift_frame(&mut self) {
        self.destroy();
        self.x64.lift_frame();
        self.write(RegSet::one(Spare::FLOAT_SCRATCH));
    }

    fn replace_frame(&mut self, to: i32) {
        self.read("replace_frame", RegSet::one(Spare::FLOAT_SCRATCH), SCRATCHES);
        self.destroy();
        self.x64.replace_frame(to);
    }

    fn call_reg(&mut self, r: Reg) {
        self.read("call_reg", RegSet::one(r), SCRATCHES);
        self.destroy();
        self.x64.call_reg(r);
    }
}

/// The register that is all of a right operand.
fn whole(r: Src) -> Option<Reg> {
    if let Src::Reg(reg) = r { Some(reg) } else { None }
}

/// Compiles every module of the file tests, for each processor that it has code of, with all routines.
pub(crate) fn check(files: &[PathBuf]) -> Result<(), String> {
    for path in files {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let file = File::parse(&text).map_err(|problem| format!("{name}: {problem:?}"))?.with_all_sets();
        let wasm = wat::parse_str(file.wat).map_err(|error| format!("{name}: {error}"))?;
        let settings = Settings { routines: true, ..file.settings };
        for expected in &file.expected {
            isa::compile::<Spare>(&wasm, &settings, expected.cpu).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(())
}

/// Uses that the seam forbids: each is seen.
pub(crate) fn check_itself() -> Result<(), String> {
    const SCRATCH: Reg = X64::SCRATCH;
    let [a, b] = [X64::PRIVATE.int_args[0], X64::PRIVATE.int_args[1]];
    let slot = Addr::base(X64::FRAME, -8);
    let forbidden: [(&str, fn(&mut Spare, Reg, Reg, Addr)); 10] = [
        ("a scratch register that nobody wrote", |m, _, _, slot| _ = m.store(Store::B64, slot, SCRATCH)),
        ("one that may have been destroyed", |m, a, b, slot| {
            m.mov(Width::W64, SCRATCH, a);
            m.unary(IntUnary::Clz, Width::W64, a, b);
            m.store(Store::B64, slot, SCRATCH);
        }),
        ("one that a path destroys", |m, a, _, slot| {
            let to = m.label();
            m.mov(Width::W64, SCRATCH, a);
            m.branch_zero(Width::W64, a, to);
            m.call_sym();
            m.bind(to);
            m.store(Store::B64, slot, SCRATCH);
        }),
        ("one as an operand of what destroys it", |m, a, b, _| {
            m.mov(Width::W64, SCRATCH, a);
            m.extend(Extend::U32To64, b, Src::Reg(SCRATCH));
        }),
        ("a result in the way of an operand", |m, a, b, _| _ = m.alu(Alu::Sub, Width::W64, a, b, Src::Reg(a))),
        ("a count in the way of a result", |m, a, b, _| m.shift(Shift::Shl, Width::W64, a, b, Amount::Reg(a))),
        ("memory that is best loaded", |m, a, _, slot| _ = m.alu(Alu::Add, Width::W64, a, a, Src::Mem(slot))),
        ("a constant that is too wide", |m, a, _, _| _ = m.cmp(Width::W64, a, Src::Imm(1 << 40))),
        ("halves that are one", |m, a, b, _| m.mul_wide(false, a, a, b, b)),
        ("a temporary that is read", |m, a, _, _| m.jump_table(a, a, &[])),
    ];
    // What panics here is not to be heard of.
    let (here, hook) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != here {
            hook(info);
        }
    }));
    for (what, emit) in forbidden {
        let mut machine = Spare::new(CpuFeatures::default());
        machine.reserve(4096);
        if std::panic::catch_unwind(AssertUnwindSafe(|| emit(&mut machine, a, b, slot))).is_ok() {
            return Err(format!("{what}: nothing is seen"));
        }
    }
    Ok(())
}
