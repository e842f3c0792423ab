//! Every row and every named method against an independent decoder, and labels against the targets it reads.

mod vex;

use super::rows::{self, Form, Imm, Operand, Row};
use super::{Alu, Asm, Cc, Round, Shift, Size};
use crate::{Addr, Assembler, Label, Reg};
use iced_x86::{Code, Decoder, DecoderOptions, Encoder, Instruction, Mnemonic, OpKind, Register};

const INTS: [Reg; 16] = {
    let mut regs = [Reg::int(0); 16];
    let mut i = 0;
    while i < 16 {
        regs[i] = Reg::int(i as u8);
        i += 1;
    }
    regs
};
const DISPS: [i32; 10] = [0, 1, -1, 127, 128, -128, -129, 0x1234_5678, i32::MAX, i32::MIN];
const SIZES: [Size; 2] = [Size::S32, Size::S64];

fn float_or_int(operand: Operand, n: u8) -> Reg {
    if operand.is_float() { Reg::float(n) } else { Reg::int(n) }
}

/// What the decoder calls a register as an operand of this kind.
fn register(operand: Operand, size: Size, reg: Reg) -> Register {
    let n = u32::from(reg.code());
    match operand {
        _ if operand.is_float() => Register::XMM0 + n,
        Operand::Int8 if n < 4 => Register::AL + n,
        Operand::Int8 => Register::SPL + (n - 4),
        Operand::Int16 => Register::AX + n,
        Operand::Int32 | Operand::Int32M8 | Operand::Int32M16 => Register::EAX + n,
        Operand::Int if size == Size::S32 => Register::EAX + n,
        Operand::Int | Operand::Int64 => Register::RAX + n,
        _ => unreachable!("{operand:?} is no register"),
    }
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    Reg(Register),
    Mem(Addr),
    Imm(i32),
}

/// Decodes the one instruction in `code`.
fn decode(code: &[u8]) -> (Instruction, iced_x86::ConstantOffsets) {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let instruction = decoder.decode();
    assert!(!instruction.is_invalid(), "{code:02x?}");
    assert_eq!(instruction.len(), code.len(), "{instruction}: {code:02x?}");
    (instruction, decoder.get_constant_offsets(&instruction))
}

fn check(code: &[u8], mnemonic: &str, operands: &[Expect]) {
    let (instruction, offsets) = decode(code);
    let found = format!("{:?}", instruction.mnemonic()).to_uppercase();
    assert_eq!(found, mnemonic, "{instruction}: {code:02x?}");
    assert_eq!(instruction.op_count() as usize, operands.len(), "{instruction}: {code:02x?}");
    for (i, expect) in operands.iter().enumerate() {
        let i = i as u32;
        let kind = instruction.op_kind(i);
        match *expect {
            Expect::Reg(reg) => {
                assert_eq!((kind, instruction.op_register(i)), (OpKind::Register, reg), "{instruction}: {code:02x?}");
            }
            Expect::Imm(imm) => {
                let bits = match kind {
                    OpKind::Immediate8 => 8,
                    OpKind::Immediate16 | OpKind::Immediate8to16 => 16,
                    OpKind::Immediate32 | OpKind::Immediate8to32 => 32,
                    OpKind::Immediate8to64 | OpKind::Immediate32to64 => 64,
                    _ => panic!("{instruction}: operand {i} is {kind:?}"),
                };
                let mask = u64::MAX >> (64 - bits);
                assert_eq!(instruction.immediate(i) & mask, imm as i64 as u64 & mask, "{instruction}: {code:02x?}");
            }
            Expect::Mem(addr) => {
                assert_eq!(kind, OpKind::Memory, "{instruction}");
                assert_eq!(
                    instruction.memory_base(),
                    Register::RAX + u32::from(addr.base_reg().code()),
                    "{instruction}"
                );
                let (index, scale) = match addr.index() {
                    Some((index, scale)) => (Register::RAX + u32::from(index.code()), 1 << scale),
                    None => (Register::None, 1),
                };
                assert_eq!((instruction.memory_index(), instruction.memory_index_scale()), (index, scale));
                assert_eq!(instruction.memory_displacement64() as i64, i64::from(addr.disp()), "{instruction}");
                let shortest = match addr.disp() {
                    0 if addr.base_reg().code() & 7 != 5 => 0,
                    -128..=127 => 1,
                    _ => 4,
                };
                assert_eq!(offsets.displacement_size(), shortest, "{instruction}: {code:02x?}");
            }
        }
    }
    // An encoder that knows no more than the operands comes to the same bytes, so no prefix is superfluous.
    let mut encoder = Encoder::new(64);
    encoder.encode(&instruction, 0).expect("what was decoded can be encoded");
    assert_eq!(encoder.take_buffer(), code, "{instruction}");
}

/// The instructions that a row stands for, by the decoder's names: one, or the members of a family.
fn family(name: &'static str, row: Row) -> Vec<(String, Row)> {
    let stem = name.split('_').next().unwrap();
    match stem {
        "ADD" => Alu::ALL
            .iter()
            .map(|op| {
                let n = *op as u8;
                let member = if matches!(row.reg, Operand::Digit(_)) { row.digit(n) } else { row.offset(8 * n) };
                (format!("{op:?}").to_uppercase(), member)
            })
            .collect(),
        "ROL" => [Shift::Rol, Shift::Ror, Shift::Shl, Shift::Shr, Shift::Sar]
            .iter()
            .map(|op| (format!("{op:?}").to_uppercase(), row.digit(*op as u8)))
            .collect(),
        "SETO" | "CMOVO" => Cc::ALL
            .iter()
            .map(|cc| (format!("{}{cc:?}", &stem[..stem.len() - 1]).to_uppercase(), row.offset(*cc as u8)))
            .collect(),
        _ => vec![(stem.to_string(), row)],
    }
}

/// A row with everything that a test of it needs to know.
struct Case {
    name: &'static str,
    mnemonic: String,
    row: Row,
    size: Size,
    vex: bool,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for &(name, row) in rows::TABLES.into_iter().flatten() {
            // Their operand has 64 bits whatever the size.
            let fixed = matches!(name, "CALL_M" | "JMP_M" | "PUSH_M" | "POP_M");
            let sized = !fixed && (row.reg == Operand::Int || row.rm == Operand::Int);
            for (mnemonic, row) in family(name, row) {
                for &size in if sized { &SIZES[..] } else { &SIZES[..1] } {
                    let mnemonic = match (&*mnemonic, size) {
                        ("MOVD", Size::S64) => "MOVQ".to_string(),
                        _ => mnemonic.clone(),
                    };
                    let legacy = !matches!(row.form, Form::X2 | Form::X3 | Form::X3Last | Form::X4);
                    if legacy {
                        cases.push(Case { name, mnemonic: mnemonic.clone(), row, size, vex: false });
                    }
                    if row.form != Form::L {
                        let mnemonic = if legacy { format!("V{mnemonic}") } else { mnemonic };
                        cases.push(Case { name, mnemonic, row, size, vex: true });
                    }
                }
            }
        }
        cases
    }

    fn has_mem(&self) -> bool {
        self.row.rm.has_mem()
    }

    fn has_reg(&self) -> bool {
        self.row.rm.has_reg()
    }

    fn has_v(&self) -> bool {
        self.vex && !matches!(self.row.form, Form::V2 | Form::X2)
    }

    fn imms(&self) -> &'static [i32] {
        match self.row.imm {
            // The fourth register.
            _ if self.row.form == Form::X4 => &[0, 1, 7, 8, 15],
            Imm::None => &[0],
            Imm::I8 => &[0, 1, -1, 127, -128],
            Imm::I16 => &[0, 1, -1, i16::MAX as i32, i16::MIN as i32],
            Imm::I32 => &[0, 1, -1, 127, -128, 0x1234_5678, i32::MAX, i32::MIN],
        }
    }

    /// Emits it with these operands and checks what the decoder reads.
    fn run(&self, a: &mut Asm, reg: u8, v: u8, rm: Result<u8, Addr>, imm: i32) {
        let (row, size) = (self.row, self.size);
        let digit = matches!(row.reg, Operand::Digit(_));
        let has_imm = row.imm != Imm::None;
        let reg = float_or_int(row.reg, reg);
        let v = float_or_int(if row.rm.is_float() || row.reg.is_float() { Operand::Float } else { row.rm }, v);
        a.truncate(0);
        let before = a.flags();
        match rm {
            Ok(rm) => {
                let rm = float_or_int(row.rm, rm);
                match (self.vex, self.has_v(), digit, has_imm) {
                    _ if row.form == Form::X4 => a.vrvrr(row, size, reg, v, rm, Reg::float(imm as u8)),
                    (false, _, true, false) => a.r(row, size, rm),
                    (false, _, true, true) => a.ri(row, size, rm, imm),
                    (false, _, false, false) => a.rr(row, size, reg, rm),
                    (false, _, false, true) => a.rri(row, size, reg, rm, imm),
                    (true, true, true, _) => a.vvri(row, size, v, rm, imm),
                    (true, true, false, false) => a.vrvr(row, size, reg, v, rm),
                    (true, true, false, true) => a.vrvri(row, size, reg, v, rm, imm),
                    (true, false, _, false) => a.vrr(row, size, reg, rm),
                    (true, false, _, true) => a.vrri(row, size, reg, rm, imm),
                }
            }
            Err(addr) => match (self.vex, self.has_v(), digit, has_imm) {
                _ if row.form == Form::X4 => a.vrvmr(row, size, reg, v, addr, Reg::float(imm as u8)),
                (false, _, true, false) => a.m(row, size, addr),
                (false, _, true, true) => a.mi(row, size, addr, imm),
                (false, _, false, false) => a.rm(row, size, reg, addr),
                (false, _, false, true) => a.rmi(row, size, reg, addr, imm),
                (true, true, _, false) => a.vrvm(row, size, reg, v, addr),
                (true, true, _, true) => a.vrvmi(row, size, reg, v, addr, imm),
                (true, false, _, false) => a.vrm(row, size, reg, addr),
                (true, false, _, true) => a.vrmi(row, size, reg, addr, imm),
            },
        }

        let wide = matches!(self.name, "CALL_M" | "JMP_M" | "PUSH_M" | "POP_M");
        let size = if wide { Size::S64 } else { size };
        let rm = match rm {
            Ok(rm) => Expect::Reg(register(row.rm, size, float_or_int(row.rm, rm))),
            Err(addr) => Expect::Mem(addr),
        };
        let v_kind = if v.is_float() { Operand::Float } else { Operand::Int };
        let v = Expect::Reg(register(v_kind, size, v));
        let mut expect = Vec::new();
        if digit {
            if self.has_v() {
                expect.push(v);
            }
            expect.push(rm);
        } else {
            let reg = Expect::Reg(register(row.reg, size, reg));
            expect.push(reg);
            if self.has_v() && row.form != Form::X3Last {
                expect.push(v);
            }
            expect.push(rm);
            if self.has_v() && row.form == Form::X3Last {
                expect.push(v);
            }
            if self.name.contains("_MR") || self.name == "XCHG" {
                expect.swap(0, 1);
            }
        }
        if row.form == Form::X4 {
            expect.push(Expect::Reg(Register::XMM0 + imm as u32));
        } else if has_imm {
            expect.push(Expect::Imm(imm));
        }
        match self.name {
            "ROL_M1" => expect.push(Expect::Imm(1)),
            "ROL_MC" => expect.push(Expect::Reg(Register::CL)),
            _ => {}
        }
        check(a.code(), &self.mnemonic, &expect);
        // The decoder looks at the call itself, not at who is called; and at the count of a shift, which no row has.
        let may_write = matches!(self.name, "CALL_M" | "ROL_MI");
        let writes_flags = decode(a.code()).0.rflags_modified() != 0 || may_write;
        assert_eq!(row.keeps_flags(), !writes_flags, "the flags of {}", self.mnemonic);
        assert_eq!(a.flags() != before, writes_flags && cfg!(debug_assertions), "the flags of {}", self.mnemonic);
        if let (Expect::Mem(_), Some(bytes)) = (rm, operand_bytes(row.rm, size)) {
            assert_eq!(decode(a.code()).0.memory_size().size(), bytes, "{}", self.name);
        }
    }
}

fn operand_bytes(operand: Operand, size: Size) -> Option<usize> {
    match operand {
        Operand::Int8 | Operand::Int32M8 | Operand::F8 => Some(1),
        Operand::Int16 | Operand::Int32M16 | Operand::F16 => Some(2),
        Operand::Int32 | Operand::F32 | Operand::M32 => Some(4),
        Operand::Int if size == Size::S32 => Some(4),
        Operand::Int | Operand::Int64 | Operand::F64 | Operand::M64 => Some(8),
        Operand::F128 | Operand::F128U => Some(16),
        Operand::Float | Operand::Mem | Operand::Digit(_) => None,
    }
}

fn addrs() -> Vec<Addr> {
    let mut addrs = Vec::new();
    for base in INTS {
        for disp in DISPS {
            addrs.push(Addr::base(base, disp));
            for index in INTS.into_iter().filter(|index| index.code() != 4) {
                addrs.extend((0..4).map(|scale| Addr::indexed(base, index, scale, disp)));
            }
        }
    }
    addrs
}

#[test]
fn rows_with_registers() {
    let mut a = Asm::new();
    for case in Case::all().iter().filter(|case| case.has_reg()) {
        for reg in 0..16 {
            for rm in 0..16 {
                for v in if case.has_v() { 0..16 } else { 0..1 } {
                    for imm in case.imms() {
                        case.run(&mut a, reg, v, Ok(rm), *imm);
                    }
                }
            }
        }
    }
}

#[test]
fn rows_with_memory() {
    let mut a = Asm::new();
    let addrs = addrs();
    for case in Case::all().iter().filter(|case| case.has_mem()) {
        // All addresses, each with some register; then all registers with the bases that have a form of their own.
        for (i, addr) in addrs.iter().enumerate() {
            let imms = case.imms();
            case.run(&mut a, (i % 16) as u8, (i / 16 % 16) as u8, Err(*addr), imms[i % imms.len()]);
        }
        for reg in 0..16 {
            for v in if case.has_v() { 0..16 } else { 0..1 } {
                for (base, index) in [(0, 1), (4, 12), (5, 8), (12, 0), (13, 15), (15, 13)] {
                    for imm in case.imms() {
                        let (base, index) = (Reg::int(base), Reg::int(index));
                        case.run(&mut a, reg, v, Err(Addr::base(base, 0)), *imm);
                        case.run(&mut a, reg, v, Err(Addr::indexed(base, index, 3, -8)), *imm);
                    }
                }
            }
        }
    }
}

/// The named methods that are no mere row with its operands.
#[test]
fn named_methods() {
    type Method = fn(&mut Asm, Reg);
    #[rustfmt::skip]
    let cases: &[(Method, &str)] = &[
        (|a, r| a.push(r),                                            "push {q}"),
        (|a, r| a.pop(r),                                             "pop {q}"),
        (|a, r| a.push_m(Addr::base(r, 1)),                           "push qword ptr [{q}+1]"),
        (|a, r| a.call_r(r),                                          "call {q}"),
        (|a, r| a.call_m(Addr::base(r, 1)),                           "call qword ptr [{q}+1]"),
        (|a, r| a.jmp_r(r),                                           "jmp {q}"),
        (|a, r| a.jmp_m(Addr::base(r, 1)),                            "jmp qword ptr [{q}+1]"),
        (|a, r| a.zero(r),                                            "xor {d},{d}"),
        (|a, r| a.mov_rr(Size::S64, r, Reg::int(3)),                  "mov {q},rbx"),
        (|a, r| a.mov_mr(Size::S32, Addr::base(Reg::int(3), 1), r),   "mov [rbx+1],{d}"),
        (|a, r| a.mov8_mr(Addr::base(Reg::int(3), 1), r),             "mov [rbx+1],{b}"),
        (|a, r| a.mov_mi(Size::S64, Addr::base(r, 1), -1),            "mov qword ptr [{q}+1],0FFFFFFFFFFFFFFFFh"),
        (|a, r| a.movzx8_rr(r, r),                                    "movzx {d},{b}"),
        (|a, r| a.movzx8_rm(r, Addr::base(r, 1)),                     "movzx {d},byte ptr [{q}+1]"),
        (|a, r| a.movzx16_rm(r, Addr::base(r, 1)),                    "movzx {d},word ptr [{q}+1]"),
        (|a, r| a.lea_rm(Size::S64, r, Addr::base(r, 1)),             "lea {q},[{q}+1]"),
        (|a, r| a.xchg_rr(Size::S64, Reg::int(3), r),                 "xchg rbx,{q}"),
        (|a, r| a.movd_to_float(Size::S64, Reg::float(3), r),         "movq xmm3,{q}"),
        (|a, r| a.movd_to_int(Size::S32, r, Reg::float(3)),           "movd {d},xmm3"),
        (|a, _| a.movaps_rr(Reg::float(3), Reg::float(14)), "movaps xmm3,xmm14"),
        (|a, r| a.movss_rm(Reg::float(3), Addr::base(r, 1)),          "movss xmm3,dword ptr [{q}+1]"),
        (|a, r| a.movss_mr(Addr::base(r, 1), Reg::float(3)),          "movss dword ptr [{q}+1],xmm3"),
        (|a, r| a.movsd_rm(Reg::float(3), Addr::base(r, 1)),          "movsd xmm3,qword ptr [{q}+1]"),
        (|a, r| a.movsd_mr(Addr::base(r, 1), Reg::float(3)),          "movsd qword ptr [{q}+1],xmm3"),
        (|a, r| a.movaps_rm(Reg::float(3), Addr::base(r, 1)),         "movaps xmm3,[{q}+1]"),
        (|a, r| a.movaps_mr(Addr::base(r, 1), Reg::float(3)),         "movaps [{q}+1],xmm3"),
        (|a, r| a.movups_rm(Reg::float(3), Addr::base(r, 1)),         "movups xmm3,[{q}+1]"),
        (|a, r| a.movups_mr(Addr::base(r, 1), Reg::float(3)),         "movups [{q}+1],xmm3"),
        (|a, r| a.alu_rr(Alu::Sub, Size::S64, r, Reg::int(3)),        "sub {q},rbx"),
        (|a, r| a.alu_rm(Alu::Cmp, Size::S32, r, Addr::base(r, 1)),   "cmp {d},[{q}+1]"),
        (|a, r| a.alu_mr(Alu::Cmp, Size::S64, Addr::base(r, 1), r),   "cmp [{q}+1],{q}"),
        (|a, r| a.alu_ri(Alu::And, Size::S32, r, 7),                  "and {d},7"),
        (|a, r| a.alu_mi(Alu::Xor, Size::S32, Addr::base(r, 1), 7),   "xor dword ptr [{q}+1],7"),
        (|a, r| a.test_rr(Size::S64, r, Reg::int(3)),                 "test {q},rbx"),
        (|a, r| a.test_ri(Size::S32, r, 7),                           "test {d},7"),
        (|a, r| a.shift_ri(Shift::Shr, Size::S64, r, 1),              "shr {q},1"),
        (|a, r| a.shift_ri(Shift::Sar, Size::S32, r, 31),             "sar {d},1Fh"),
        (|a, r| a.shift_rc(Shift::Rol, Size::S32, r),                 "rol {d},cl"),
        (|a, r| a.setcc(Cc::Ae, r),                                   "setae {b}"),
        (|a, r| a.cmov_rr(Cc::L, Size::S64, r, Reg::int(3)),          "cmovl {q},rbx"),
        (|a, _| a.cdq(Size::S32),                                     "cdq"),
        (|a, _| a.cdq(Size::S64),                                     "cqo"),
        (|a, _| a.leave(),                                            "leave"),
        (|a, _| a.ret(),                                              "ret"),
        (|a, _| a.ret_pop(0),                                         "ret"),
        (|a, _| a.ret_pop(0xfff0),                                    "ret 0FFF0h"),
        (|a, _| a.mfence(),                                           "mfence"),
        (|a, _| a.pause(),                                            "pause"),
        (|a, _| assert_eq!(a.ud2(), 0),                               "ud2"),
    ];
    for r in INTS {
        for (method, expected) in cases {
            let mut a = Asm::new();
            method(&mut a, r);
            let name = |operand| format!("{:?}", register(operand, Size::S64, r)).to_lowercase();
            // The decoder's text says r8b where its enumeration says R8L.
            let byte = if r.code() < 8 { name(Operand::Int8) } else { name(Operand::Int8).replace('l', "b") };
            let expected = expected
                .replace("{q}", &name(Operand::Int))
                .replace("{d}", &name(Operand::Int32))
                .replace("{b}", &byte);
            assert_eq!(decode(a.code()).0.to_string(), expected);
        }
    }
}

#[test]
fn constants_take_the_shortest_move() {
    let cases: &[(Size, i64, u64, usize)] = &[
        (Size::S32, 0, 0, 5),
        (Size::S32, 1, 1, 5),
        (Size::S32, -1, 0xffff_ffff, 5),
        (Size::S32, i64::MIN | 7, 7, 5),
        (Size::S64, 0, 0, 5),
        (Size::S64, 0x7fff_ffff, 0x7fff_ffff, 5),
        (Size::S64, 0xffff_ffff, 0xffff_ffff, 5),
        (Size::S64, -1, u64::MAX, 7),
        (Size::S64, i32::MIN as i64, i32::MIN as i64 as u64, 7),
        (Size::S64, i32::MIN as i64 - 1, (i32::MIN as i64 - 1) as u64, 10),
        (Size::S64, 1 << 32, 1 << 32, 10),
        (Size::S64, i64::MIN, i64::MIN as u64, 10),
        (Size::S64, 0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef, 10),
    ];
    for r in INTS {
        for &(size, value, bits, len) in cases {
            let mut a = Asm::new();
            a.mov_ri(size, r, value);
            let (instruction, _) = decode(a.code());
            assert_eq!(instruction.mnemonic(), Mnemonic::Mov);
            assert_eq!(instruction.op0_register().full_register(), Register::RAX + u32::from(r.code()));
            assert_eq!(instruction.immediate(1), bits, "{instruction}");
            let rex = usize::from(len == 5 && r.code() >= 8);
            assert_eq!(instruction.len(), len + rex, "{instruction}");
        }
    }
}

#[test]
fn small_constants_take_the_short_form() {
    for op in Alu::ALL {
        for (imm, len) in [(127, 3), (-128, 3), (128, 6), (-129, 6)] {
            let mut a = Asm::new();
            a.alu_ri(op, Size::S32, Reg::int(1), imm);
            assert_eq!(a.code().len(), len);
            let size = a.offset();
            a.alu_mi(op, Size::S64, Addr::base(Reg::int(1), 0), imm);
            assert_eq!((a.offset() - size) as usize, len + 1);
        }
    }
}

#[test]
fn padding_is_no_operations() {
    for bytes in 0..64 {
        let mut a = Asm::new();
        a.nop(bytes);
        assert_eq!(a.offset(), bytes);
        let nops: Vec<Instruction> = Decoder::new(64, a.code(), 0).iter().collect();
        assert!(nops.iter().all(|nop| nop.mnemonic() == Mnemonic::Nop), "{:02x?}", a.code());
        assert_eq!(nops.len() as u32, bytes.div_ceil(8));
    }
    for align in [1, 2, 4, 16, 64] {
        for start in 0..64 {
            let mut a = Asm::new();
            a.nop(start);
            a.align(align);
            assert_eq!(a.offset(), start.next_multiple_of(align));
        }
    }
}

#[test]
fn rounding_modes_are_the_manuals() {
    // Bits 0–1 the direction, bit 3 silences the inexact exception, bit 2 would use the current mode.
    assert_eq!([Round::Nearest, Round::Down, Round::Up, Round::Zero].map(|mode| mode as u8), [8, 9, 10, 11]);
    for cc in Cc::ALL {
        assert_eq!(cc.invert().invert(), cc);
        assert_ne!(cc.invert(), cc);
    }
}

/// One instruction that refers to a label.
#[derive(Clone, Copy, Debug)]
enum Use {
    Jmp,
    Jcc(Cc),
    Call,
    Lea(Reg),
}

impl Use {
    const ALL: [Use; 5] = [Use::Jmp, Use::Jcc(Cc::E), Use::Jcc(Cc::G), Use::Call, Use::Lea(Reg::int(9))];

    fn emit(self, a: &mut Asm, to: Label) {
        match self {
            Use::Jmp => a.jmp(to),
            Use::Jcc(cc) => a.jcc(cc, to),
            Use::Call => a.call(to),
            Use::Lea(r) => a.lea_label(r, to),
        }
    }
}

/// Where the instruction at an offset goes, and its length.
fn target(a: &Asm, at: u32) -> (u32, usize) {
    let mut decoder = Decoder::with_ip(64, &a.code()[at as usize..], at.into(), DecoderOptions::NONE);
    let instruction = decoder.decode();
    let target = if instruction.mnemonic() == Mnemonic::Lea {
        instruction.ip_rel_memory_address()
    } else {
        instruction.near_branch_target()
    };
    (target as u32, instruction.len())
}

#[test]
fn labels_behind_and_ahead_at_the_limits() {
    for way in Use::ALL {
        for distance in [0, 1, 100, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 200, 5000] {
            let mut a = Asm::new();
            let label = a.label();
            a.nop(3);
            a.bind(label);
            a.nop(distance);
            let at = a.offset();
            way.emit(&mut a, label);
            let (to, len) = target(&a, at);
            assert_eq!(to, 3, "{way:?} back over {distance}");
            let short = matches!(way, Use::Jmp | Use::Jcc(_)) && distance + 2 <= 128;
            assert_eq!(len == 2, short, "{way:?} back over {distance}");

            let mut a = Asm::new();
            let label = a.label();
            way.emit(&mut a, label);
            a.nop(distance);
            a.bind(label);
            let here = a.offset();
            a.nop(5);
            assert_eq!(target(&a, 0).0, here, "{way:?} ahead over {distance}");
        }
    }
}

#[test]
fn one_label_many_uses() {
    const USES: u32 = 20_000;
    let mut a = Asm::new();
    let labels = [a.label(), a.label()];
    let mut uses = Vec::new();
    for i in 0..USES {
        let way = Use::ALL[i as usize % Use::ALL.len()];
        uses.push((a.offset(), labels[i as usize % 2]));
        way.emit(&mut a, labels[i as usize % 2]);
    }
    a.bind(labels[0]);
    let first = a.offset();
    a.nop(40);
    a.bind(labels[1]);
    let second = a.offset();
    for (at, label) in uses {
        assert_eq!(target(&a, at).0, if label == labels[0] { first } else { second });
    }
}

/// Pseudo-random programs: every use, whatever else it is mixed with, reaches its label.
#[test]
fn mixed_uses_of_mixed_labels() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let mut a = Asm::new();
    for _ in 0..200 {
        a.reset_labels();
        a.truncate(0);
        let labels: Vec<Label> = (0..1 + random(40)).map(|_| a.label()).collect();
        let mut unbound: Vec<usize> = (0..labels.len()).collect();
        let mut places = vec![u32::MAX; labels.len()];
        let (mut uses, mut tables) = (Vec::new(), Vec::new());
        for _ in 0..300 {
            match random(8) {
                0 if !unbound.is_empty() => {
                    let i = unbound.swap_remove(random(unbound.len() as u64) as usize);
                    a.bind(labels[i]);
                    places[i] = a.offset();
                }
                1 => {
                    let entries: Vec<usize> = (0..random(20)).map(|_| random(labels.len() as u64) as usize).collect();
                    tables.push((a.offset(), entries.clone()));
                    a.table(&entries.iter().map(|i| labels[*i]).collect::<Vec<_>>());
                }
                2 => a.nop(random(60) as u32),
                _ => {
                    let i = random(labels.len() as u64) as usize;
                    uses.push((a.offset(), i));
                    Use::ALL[random(5) as usize].emit(&mut a, labels[i]);
                }
            }
        }
        for i in unbound {
            a.bind(labels[i]);
            places[i] = a.offset();
        }
        for (at, i) in uses {
            assert_eq!(target(&a, at).0, places[i]);
        }
        for (start, entries) in tables {
            for (n, i) in entries.iter().enumerate() {
                let at = start as usize + 4 * n;
                let entry = i32::from_le_bytes(a.code()[at..at + 4].try_into().unwrap());
                assert_eq!((start as i32 + entry) as u32, places[*i]);
            }
        }
    }
}

#[test]
fn short_jumps() {
    for over in [0, 1, 50, 127] {
        let mut a = Asm::new();
        let jump = a.jmp_short();
        a.nop(over);
        a.bind_short(jump);
        assert_eq!(target(&a, 0), (2 + over, 2));
        let at = a.offset();
        let jump = a.jcc_short(Cc::Np);
        a.nop(over);
        a.bind_short(jump);
        assert_eq!(target(&a, at), (at + 2 + over, 2));
        assert_eq!(decode(&a.code()[at as usize..at as usize + 2]).0.code(), Code::Jnp_rel8_64);
    }
}

#[test]
fn symbols_are_fields_at_the_end() {
    for emit in [Asm::call_sym, Asm::jmp_sym, |a: &mut Asm| a.lea_sym(Reg::int(12))] {
        let mut a = Asm::new();
        a.nop(7);
        let field = emit(&mut a);
        assert_eq!(field + 4, a.offset());
        a.set_field(field, 0x100);
        let end = a.offset();
        a.nop(1);
        assert_eq!(target(&a, 7), (end + 0x100, end as usize - 7));
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "used and never bound")]
fn a_label_without_a_place_is_a_bug() {
    let mut a = Asm::new();
    let label = a.label();
    a.jmp(label);
    a.reset_labels();
}

#[test]
#[should_panic(expected = "bound once")]
fn a_label_has_one_place() {
    let mut a = Asm::new();
    let label = a.label();
    a.bind(label);
    a.bind(label);
}

#[test]
fn branches_keep_within_pieces() {
    for before in 0..64 {
        for (near, conditional) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut a = Asm::new();
            a.keep_whole(true);
            let to = a.label();
            if near {
                a.bind(to);
            }
            a.nop(before);
            let compare = a.offset();
            a.alu_ri(Alu::Cmp, Size::S64, Reg::int(9), 1000);
            a.note_compare(compare);
            let len = match (near, conditional) {
                (true, _) => 2,
                (false, false) => 5,
                (false, true) => 6,
            };
            let bytes = a.code()[compare as usize..].to_vec();
            if conditional {
                a.jcc(Cc::E, to);
            } else {
                a.jmp(to);
            }
            let end = a.offset();
            // What was compared is right before the branch on it, in the same piece, and nowhere else.
            let start = if conditional { end - len - bytes.len() as u32 } else { end - len };
            assert_eq!(start / 32, end / 32, "{start:#x} to {end:#x}");
            assert!(start >= compare && start < compare + 40);
            if conditional {
                assert_eq!(a.code()[start as usize..][..bytes.len()], bytes);
            }
            a.call_sym();
            let end = a.offset();
            assert_eq!((end - 5) / 32, end / 32);
            if !near {
                a.bind(to);
            }
        }
    }
}
