//! What vectors and atomics brought: constants behind the code, the choice between encodings, `lock`.

use super::*;
use crate::Const;
use crate::x64::{Predicate, Rm, lanes4};
use iced_x86::OpAccess;

/// Bits that are told apart by their first byte and by their last.
fn bits(n: u32) -> u128 {
    u128::from(n) | u128::from(n) << 96 | 0xabcd << 64
}

/// The instruction at an offset, and that an encoder which knows no more than its operands comes to the same bytes.
fn instruction_at(a: &Asm, at: u32) -> Instruction {
    let mut decoder = Decoder::with_ip(64, &a.code()[at as usize..], at.into(), DecoderOptions::NONE);
    let instruction = decoder.decode();
    assert!(!instruction.is_invalid());
    let mut encoder = Encoder::new(64);
    encoder.encode(&instruction, at.into()).expect("what was decoded can be encoded");
    let end = at as usize + instruction.len();
    assert_eq!(encoder.take_buffer(), a.code()[at as usize..end], "{instruction}");
    instruction
}

/// The 16 bytes that an instruction's operand refers to.
fn constant_of(a: &Asm, instruction: &Instruction) -> u128 {
    assert_eq!(instruction.memory_base(), Register::RIP, "{instruction}");
    let at = instruction.ip_rel_memory_address() as usize;
    assert_eq!(at % 16, 0, "{instruction}");
    u128::from_le_bytes(a.code()[at..at + 16].try_into().unwrap())
}

impl Case {
    fn emit_const(&self, a: &mut Asm, reg: u8, v: u8, constant: Const, imm: i32) {
        let (row, size) = (self.row, self.size);
        let reg = float_or_int(row.reg, reg);
        let v = if row.rm.is_float() || row.reg.is_float() { Reg::float(v) } else { Reg::int(v) };
        match (self.vex, self.has_v(), row.imm) {
            _ if row.form == Form::X4 => a.vrvcr(row, size, reg, v, constant, Reg::float(imm as u8)),
            (false, _, Imm::None) => a.rc(row, size, reg, constant),
            (false, _, _) => a.rci(row, size, reg, constant, imm),
            (true, false, Imm::None) => a.vrc(row, size, reg, constant),
            (true, false, _) => a.vrci(row, size, reg, constant, imm),
            (true, true, Imm::None) => a.vrvc(row, size, reg, v, constant),
            (true, true, _) => a.vrvci(row, size, reg, v, constant, imm),
        }
    }
}

#[test]
fn every_row_with_a_constant() {
    let fits = |case: &&Case| {
        case.has_mem()
            && !matches!(case.row.reg, Operand::Digit(_))
            && matches!(case.row.imm, Imm::None | Imm::I8)
            && !case.name.contains("_MR")
    };
    let cases = Case::all();
    let mut a = Asm::new();
    for case in cases.iter().filter(fits) {
        a.truncate(0);
        let mut uses = Vec::new();
        for reg in 0..16 {
            for (v, imm) in [(0, 0), (7, 1), (8, 15)] {
                let n = u32::from(reg) % 5;
                let constant = a.constant(bits(n));
                uses.push((a.offset(), reg, n, imm));
                case.emit_const(&mut a, reg, v, constant, imm);
                a.nop(u32::from(reg % 3));
            }
        }
        let pool = a.place_constants();
        assert!(pool.is_multiple_of(16));
        assert_eq!(a.offset(), pool + 5 * 16, "equal constants share a place");
        for (at, reg, n, imm) in uses {
            let instruction = instruction_at(&a, at);
            let found = format!("{:?}", instruction.mnemonic()).to_uppercase();
            assert_eq!(found, case.mnemonic);
            // The two whose operands are listed the other way round.
            let reg_operand = u32::from(matches!(case.name, "XCHG" | "TEST_MR"));
            let expected = register(case.row.reg, case.size, float_or_int(case.row.reg, reg));
            assert_eq!(instruction.op_register(reg_operand), expected, "{instruction}");
            assert_eq!(constant_of(&a, &instruction), bits(n), "{instruction}");
            let last = instruction.op_count() - 1;
            match (case.row.form, case.row.imm) {
                (Form::X4, _) => assert_eq!(instruction.op_register(last), Register::XMM0 + imm as u32),
                (_, Imm::I8) => assert_eq!(instruction.immediate(last) as u8, imm as u8),
                _ => {}
            }
        }
    }
}

#[test]
fn more_constants_than_are_remembered() {
    const N: u32 = 10_000;
    let mut a = Asm::new();
    for round in 0..2 {
        a.truncate(0);
        a.nop(round);
        assert_eq!((a.place_constants(), a.constant_bytes()), (round, 0), "nothing to place");
        let mut uses = Vec::new();
        for i in 0..N {
            // Each a second time soon after, and once more when it is long forgotten.
            for n in [i, i.saturating_sub(2), i / 2] {
                let constant = a.constant(bits(n));
                uses.push((a.offset(), n));
                a.rc(rows::PADDD, Size::S32, Reg::float(n as u8 % 16), constant);
            }
        }
        let (code, at_most) = (a.offset(), a.constant_bytes());
        let pool = a.place_constants();
        assert!(pool >= code && pool < code + 16);
        let placed = (a.offset() - pool) / 16;
        assert!((N..5 * N / 2).contains(&placed), "{placed} constants for {N}");
        assert!((a.offset() - code) as usize <= at_most);
        for (at, n) in uses {
            assert_eq!(constant_of(&a, &instruction_at(&a, at)), bits(n));
        }
        a.reset_labels();
    }
}

#[test]
fn constants_in_tables_keep_their_order() {
    let mut a = Asm::new();
    let single = a.constant(bits(3));
    let table: Vec<u128> = (0..8).map(bits).collect();
    let first = a.constant_table(&table);
    a.rc(rows::MOVAPS_RM, Size::S32, Reg::float(0), single);
    let lea = a.offset();
    a.rc(rows::LEA, Size::S64, Reg::int(11), first);
    a.place_constants();
    let instruction = instruction_at(&a, lea);
    assert_eq!(instruction.to_string(), format!("lea r11,[{:X}h]", instruction.ip_rel_memory_address()));
    let at = instruction.ip_rel_memory_address() as usize;
    let found: Vec<u128> =
        a.code()[at..at + 8 * 16].chunks(16).map(|bytes| u128::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(found, table);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "made and never placed")]
fn a_constant_without_a_place_is_a_bug() {
    let mut a = Asm::new();
    let constant = a.constant(7);
    a.rc(rows::PADDD, Size::S32, Reg::float(1), constant);
    a.reset_labels();
}

/// What the decoder reads from the start, each instruction with its offset.
fn listing(a: &Asm) -> Vec<(u32, String)> {
    let mut decoder = Decoder::with_ip(64, a.code(), 0, DecoderOptions::NONE);
    decoder.iter().map(|instruction| (instruction.ip() as u32, instruction.to_string())).collect()
}

#[test]
fn either_encoding_by_one_method() {
    use rows::*;
    type Emit = fn(&mut Asm, bool) -> u32;
    #[rustfmt::skip]
    let cases: &[(Emit, &[&str], &[&str])] = &[
        (|a, avx| a.op3(avx, PADDD, Reg::float(1), Reg::float(1), Reg::float(9)),
            &["vpaddd xmm1,xmm1,xmm9"], &["paddd xmm1,xmm9"]),
        (|a, avx| a.op3(avx, PADDD, Reg::float(1), Reg::float(2), Reg::float(9)),
            &["vpaddd xmm1,xmm2,xmm9"], &["movaps xmm1,xmm2", "paddd xmm1,xmm9"]),
        (|a, avx| a.op3(avx, PXOR, Reg::float(1), Reg::float(1), Reg::float(1)),
            &["vpxor xmm1,xmm1,xmm1"], &["pxor xmm1,xmm1"]),
        (|a, avx| a.op3(avx, ADDSD, Reg::float(1), Reg::float(2), Addr::base(Reg::int(3), 8)),
            &["vaddsd xmm1,xmm2,qword ptr [rbx+8]"], &["movaps xmm1,xmm2", "addsd xmm1,qword ptr [rbx+8]"]),
        (|a, avx| a.op3(avx, MOVHPS_RM, Reg::float(1), Reg::float(1), Addr::base(Reg::int(3), 8)),
            &["vmovhps xmm1,xmm1,qword ptr [rbx+8]"], &["movhps xmm1,qword ptr [rbx+8]"]),
        (|a, avx| a.op3i(avx, PALIGNR, Reg::float(1), Reg::float(2), Reg::float(3), 5),
            &["vpalignr xmm1,xmm2,xmm3,5"], &["movaps xmm1,xmm2", "palignr xmm1,xmm3,5"]),
        (|a, avx| a.op3i(avx, PINSRB, Reg::float(1), Reg::float(1), Addr::base(Reg::int(3), 8), 5),
            &["vpinsrb xmm1,xmm1,byte ptr [rbx+8],5"], &["pinsrb xmm1,byte ptr [rbx+8],5"]),
        (|a, avx| a.op3i(avx, PINSRQ, Reg::float(1), Reg::float(2), Reg::int(9), 1),
            &["vpinsrq xmm1,xmm2,r9,1"], &["movaps xmm1,xmm2", "pinsrq xmm1,r9,1"]),
        (|a, avx| a.op3i(avx, CMPPS, Reg::float(1), Reg::float(1), Reg::float(2), Predicate::Unord as i32),
            &["vcmpunordps xmm1,xmm1,xmm2"], &["cmpunordps xmm1,xmm2"]),
        (|a, avx| a.op2(avx, PMOVSXBW, Reg::float(1), Addr::base(Reg::int(3), 8)),
            &["vpmovsxbw xmm1,qword ptr [rbx+8]"], &["pmovsxbw xmm1,[rbx+8]"]),
        (|a, avx| a.op2(avx, PABSB, Reg::float(1), Reg::float(2)),
            &["vpabsb xmm1,xmm2"], &["pabsb xmm1,xmm2"]),
        (|a, avx| a.op2(avx, PMOVMSKB, Reg::int(9), Reg::float(2)),
            &["vpmovmskb r9d,xmm2"], &["pmovmskb r9d,xmm2"]),
        (|a, avx| a.op2(avx, MOVUPS_RM, Reg::float(1), Addr::base(Reg::int(3), 8)),
            &["vmovups xmm1,[rbx+8]"], &["movups xmm1,[rbx+8]"]),
        (|a, avx| a.op2i(avx, PSHUFD, Reg::float(1), Reg::float(2), lanes4([3, 2, 1, 0])),
            &["vpshufd xmm1,xmm2,1Bh"], &["pshufd xmm1,xmm2,1Bh"]),
        (|a, avx| a.op2i(avx, PEXTRW_MR, Reg::float(1), Addr::base(Reg::int(3), 8), 3),
            &["vpextrw word ptr [rbx+8],xmm1,3"], &["pextrw word ptr [rbx+8],xmm1,3"]),
        (|a, avx| a.shift3(avx, PSRAD, Reg::float(1), Reg::float(2), 31),
            &["vpsrad xmm1,xmm2,1Fh"], &["movaps xmm1,xmm2", "psrad xmm1,1Fh"]),
        (|a, avx| a.shift3(avx, PSLLDQ, Reg::float(1), Reg::float(1), 4),
            &["vpslldq xmm1,xmm1,4"], &["pslldq xmm1,4"]),
    ];
    for (emit, vex, legacy) in cases {
        for avx in [true, false] {
            let mut a = Asm::new();
            let at = emit(&mut a, avx);
            let found = listing(&a);
            let expected = if avx { vex } else { legacy };
            assert_eq!(found.iter().map(|(_, text)| &**text).collect::<Vec<_>>(), *expected);
            assert_eq!(at, found.last().unwrap().0, "{expected:?}");
        }
    }
    let mut a = Asm::new();
    a.op2(true, VPBROADCASTW, Reg::float(1), Addr::base(Reg::int(3), 8));
    a.op3i(true, VPBLENDD, Reg::float(1), Reg::float(2), Reg::float(3), 6);
    a.op3(true, VFNMADD231PD, Reg::float(1), Reg::float(2), Reg::float(3));
    a.vrvrr(VPBLENDVB, Size::S32, Reg::float(1), Reg::float(2), Reg::float(3), Reg::float(9));
    let expected = [
        "vpbroadcastw xmm1,word ptr [rbx+8]",
        "vpblendd xmm1,xmm2,xmm3,6",
        "vfnmadd231pd xmm1,xmm2,xmm3",
        "vpblendvb xmm1,xmm2,xmm3,xmm9",
    ];
    assert_eq!(listing(&a).iter().map(|(_, text)| &**text).collect::<Vec<_>>(), expected);
}

#[test]
fn constants_in_either_encoding_by_one_method() {
    for avx in [true, false] {
        let mut a = Asm::new();
        let (x1, x2) = (Reg::float(1), Reg::float(2));
        let mut uses = Vec::new();
        for n in 0..4 {
            let constant = a.constant(bits(n));
            uses.push(match n {
                0 => a.op2(avx, rows::CVTDQ2PS, x1, constant),
                1 => a.op2i(avx, rows::ROUNDPD, x1, constant, Round::Down as i32),
                2 => a.op3(avx, rows::PAND, x1, x2, Rm::Const(constant)),
                _ => a.op3i(avx, rows::PBLENDW, x1, x2, constant, 0x55),
            });
        }
        a.place_constants();
        for (at, n) in uses.into_iter().zip(0..) {
            let instruction = instruction_at(&a, at);
            assert_eq!(constant_of(&a, &instruction), bits(n), "{instruction}");
            assert_eq!(format!("{:?}", instruction.mnemonic()).starts_with('V'), avx);
        }
    }
}

/// Memory of a guest is not aligned; that a legacy encoding would fault there is found where it is emitted.
#[test]
fn rows_that_want_aligned_memory() {
    for &(name, row) in rows::TABLES.into_iter().flatten() {
        let anywhere = matches!(name, "MOVUPS_RM" | "MOVUPS_MR" | "MOVDQU_RM" | "MOVDQU_MR");
        let wide = row.rm.has_mem() && operand_bytes(row.rm, Size::S32) == Some(16);
        // Those without a legacy encoding never do; to ask is for the caller of the legacy encoding.
        let only_vex = matches!(row.form, Form::X2 | Form::X3 | Form::X4);
        if !only_vex {
            assert_eq!(row.wants_aligned(), wide && !anywhere, "{name}");
        }
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "may not be aligned")]
fn memory_that_may_not_be_aligned_is_a_bug() {
    Asm::new().op3(false, rows::PADDD, Reg::float(1), Reg::float(1), Addr::base(Reg::int(3), 0));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "is the right operand")]
fn a_destination_that_is_the_right_operand_is_a_bug() {
    Asm::new().op3(false, rows::PSUBD, Reg::float(1), Reg::float(2), Reg::float(1));
}

#[test]
fn locked_instructions() {
    let alu = |op: Alu| format!("{op:?}").to_lowercase();
    let mut a = Asm::new();
    let mut check = |row: Row, size: Size, imm: bool, name: &str, bytes: usize| {
        for reg in 0..16 {
            for base in INTS {
                for addr in [Addr::base(base, 0), Addr::indexed(base, Reg::int(12), 1, 300)] {
                    a.truncate(0);
                    a.nop(5);
                    let at = a.lock();
                    assert_eq!(at, 5);
                    if imm {
                        a.mi(row, size, addr, -3)
                    } else {
                        a.rm(row, size, Reg::int(reg), addr)
                    }
                    let instruction = instruction_at(&a, at);
                    assert_eq!(at as usize + instruction.len(), a.code().len(), "{instruction}");
                    assert!(instruction.has_lock_prefix(), "{instruction}");
                    assert_eq!(format!("{:?}", instruction.mnemonic()).to_lowercase(), name);
                    assert_eq!(instruction.op0_kind(), OpKind::Memory, "{instruction}");
                    assert_eq!(instruction.memory_size().size(), bytes, "{instruction}");
                    if !imm {
                        let expected = register(row.reg, size, Reg::int(reg));
                        assert_eq!(instruction.op1_register(), expected, "{instruction}");
                    }
                    let mut info = iced_x86::InstructionInfoFactory::new();
                    let access = info.info(&instruction).op0_access();
                    assert!(matches!(access, OpAccess::ReadWrite | OpAccess::ReadCondWrite), "{instruction}");
                }
            }
        }
    };
    for op in [Alu::Add, Alu::Or, Alu::And, Alu::Sub, Alu::Xor] {
        let name = alu(op);
        check(op.row_mr8(), Size::S32, false, &name, 1);
        check(op.row_mr16(), Size::S32, false, &name, 2);
        check(op.row_mr(), Size::S32, false, &name, 4);
        check(op.row_mr(), Size::S64, false, &name, 8);
        check(rows::ADD_M8I8.digit(op as u8), Size::S32, true, &name, 1);
        check(rows::ADD_M16I8.digit(op as u8), Size::S32, true, &name, 2);
        check(rows::ADD_M16I16.digit(op as u8), Size::S32, true, &name, 2);
        check(op.row_mi8(), Size::S32, true, &name, 4);
        check(op.row_mi(), Size::S64, true, &name, 8);
    }
    for (name, row8, row16, row) in [
        ("xadd", rows::XADD_MR8, rows::XADD_MR16, rows::XADD_MR),
        ("cmpxchg", rows::CMPXCHG_MR8, rows::CMPXCHG_MR16, rows::CMPXCHG_MR),
        ("xchg", rows::XCHG_MR8, rows::XCHG_MR16, rows::XCHG),
    ] {
        check(row8, Size::S32, false, name, 1);
        check(row16, Size::S32, false, name, 2);
        check(row, Size::S32, false, name, 4);
        check(row, Size::S64, false, name, 8);
    }
}
