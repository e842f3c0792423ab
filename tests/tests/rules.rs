//! Each rule of the verifier against the instruction itself: what the rule says of registers and of the frame
//! afterwards must be true when the machine runs the instruction, on random values of which is true what the rule was
//! told before.

use iced_x86::{Code, CpuidFeature, Encoder, Instruction, OpCodeOperandKind, OpKind, Register};
use lightbeam_tests::native::{INTS, Machine, Registers};
use lightbeam_tests::random::Random;
use lightbeam_verify::probe::{self, Claim, Known, MEMORY};
use std::collections::{BTreeMap, BTreeSet};

const RSP: usize = 4;
const RBP: usize = 5;
const R14: usize = 14;

/// The offset of the stack pointer; what is below may be written by nobody but `push`.
const TOP: i32 = -128;

/// What instructions may read and write.
#[repr(C, align(4096))]
struct World {
    memory: [u8; MEMORY as usize + 4096],
    stack: [u8; 1 << 16],
}

impl World {
    /// The address of the return address, which is 8 beyond a multiple of 16.
    fn entry(&self) -> u64 {
        self.stack.as_ptr().addr() as u64 + (1 << 15) + 8
    }

    fn word(&self, at: i32) -> u64 {
        let start = ((1 << 15) + 8 + at) as usize;
        u64::from_le_bytes(self.stack[start..start + 8].try_into().unwrap())
    }

    fn fill(&mut self, random: &mut Random) {
        for byte in self.stack[(1 << 15) - 512..(1 << 15) + 64].iter_mut() {
            *byte = random.bits() as u8;
        }
        for chunk in self.memory.chunks_mut(8).take(64) {
            for byte in chunk {
                *byte = random.bits() as u8;
            }
        }
    }
}

fn interesting(random: &mut Random) -> u64 {
    const EDGES: [u64; 12] = [
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_0000_0000,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
    ];
    match random.below(4) {
        0 => *random.pick(&EDGES),
        1 => random.pick(&EDGES).wrapping_neg(),
        2 => random.bits() >> random.below(64),
        _ => random.bits(),
    }
}

fn known(random: &mut Random, copies: bool) -> Known {
    match random.below(15) {
        0 | 1 => Known::Any,
        2 => Known::NotZero,
        3 | 4 => Known::U32,
        5 => Known::NotZero32,
        6 => Known::Below(1 + (interesting(random) as u32 >> random.below(32)).min(u32::MAX - 1)),
        7 | 8 => Known::Constant(interesting(random).cast_signed() >> 8),
        9 => Known::AtLeast(interesting(random) as u32 >> 8),
        10 => {
            let (a, b) = (interesting(random) as u32 & 0xff_ffff, interesting(random) as u32);
            Known::Between(a.min(b), a.max(b))
        }
        11 => {
            let bits = 33 + random.below(30) as u8;
            Known::Bits(bits, interesting(random) as u32 >> random.below(32))
        }
        12 if copies => Known::CopyOf(*random.pick(&[0, 1, 2, 3])),
        13 => {
            let at = TOP + 8 * random.below(8) as i32;
            if random.one_in(2) { Known::Slot32(at) } else { Known::Slot64(at) }
        }
        _ => Known::Nothing,
    }
}

/// A value of which is true what is known.
fn concrete(known: Known, before: &[u64; 16], world: &World, random: &mut Random) -> u64 {
    let any = interesting(random);
    match known {
        Known::Any | Known::Nothing => any,
        Known::NotZero => any.max(1),
        Known::U32 => any as u32 as u64,
        Known::NotZero32 => (any as u32).max(1) as u64,
        Known::Below(below) => match random.below(3) {
            0 => u64::from(below) - 1,
            _ => any % u64::from(below),
        },
        Known::Constant(constant) => constant.cast_unsigned(),
        Known::AtLeast(least) => {
            if random.one_in(3) {
                least.into()
            } else {
                any.max(least.into())
            }
        }
        Known::Between(least, most) => {
            let (least, most) = (u64::from(least), u64::from(most));
            match random.below(3) {
                0 => most,
                1 => least,
                _ => least + any % (most - least + 1),
            }
        }
        Known::Bits(bits, least) => {
            let limit = 1 << bits;
            match random.below(3) {
                0 => limit - 1,
                1 => least.into(),
                _ => (any % limit).max(least.into()),
            }
        }
        Known::CopyOf(reg) => before[usize::from(reg)],
        Known::Slot32(at) => world.word(at) as u32 as u64,
        Known::Slot64(at) => world.word(at),
        Known::Stack(at) => world.entry().wrapping_add_signed(at.into()),
        Known::Memory => world.memory.as_ptr().addr() as u64,
    }
}

/// What is wrong with a claim, if anything is.
fn refute(claim: &Claim, value: u64, after: &[u64; 16], world: &World) -> Option<String> {
    let wrong = claim.upper_zero && value >> 32 != 0
        || claim.below.is_some_and(|below| value >= below)
        || value < claim.least
        || claim.constant.is_some_and(|constant| constant.cast_unsigned() != value)
        || claim
            .copy_of
            .is_some_and(|reg| after[usize::from(reg)] != value && after[usize::from(reg)] as u32 as u64 != value)
        || claim.slot.is_some_and(|(at, bytes)| {
            let low = at.rem_euclid(8);
            let word = world.word(at - low) >> (8 * low);
            value != if bytes == 4 { word as u32 as u64 } else { word }
        })
        || claim.stack.is_some_and(|at| world.entry().wrapping_add_signed(at.into()) != value)
        || claim.memory && world.memory.as_ptr().addr() as u64 != value;
    wrong.then(|| format!("{value:#x} is not {claim:?}"))
}

/// An instruction of a form, with random operands.
fn instruction(code: Code, random: &mut Random) -> Option<Instruction> {
    let mut instruction = Instruction::default();
    instruction.set_code(code);
    let info = code.op_code();
    for n in 0..info.op_count() {
        operand(&mut instruction, n, info.op_kind(n), random)?;
    }
    Some(instruction)
}

fn int(random: &mut Random, size: u32) -> Register {
    // Some more often than others, so that operands are the same now and then.
    let number = if random.one_in(2) { random.below(4) } else { random.below(16) } as u32;
    match size {
        8 => INTS[number as usize],
        4 => Register::EAX + number,
        2 => Register::AX + number,
        _ if number < 4 => Register::AL + number,
        _ => Register::SPL + (number - 4),
    }
}

fn operand(instruction: &mut Instruction, n: u32, kind: OpCodeOperandKind, random: &mut Random) -> Option<()> {
    use OpCodeOperandKind as K;
    let register = |instruction: &mut Instruction, register: Register| {
        instruction.set_op_kind(n, OpKind::Register);
        instruction.set_op_register(n, register);
    };
    let immediate = |instruction: &mut Instruction, kind: OpKind, value: u64| {
        instruction.set_op_kind(n, kind);
        match kind {
            OpKind::Immediate64 => instruction.set_immediate64(value),
            OpKind::Immediate32 | OpKind::Immediate32to64 => instruction.set_immediate32(value as u32),
            OpKind::Immediate16 => instruction.set_immediate16(value as u16),
            _ => instruction.set_immediate8(value as u8),
        }
    };
    let value = interesting(random);
    match kind {
        K::r8_or_mem | K::r16_or_mem | K::r32_or_mem | K::r64_or_mem | K::xmm_or_mem if random.one_in(2) => {
            memory(instruction, n, random);
        }
        K::mem => memory(instruction, n, random),
        K::r8_reg | K::r8_opcode | K::r8_or_mem => register(instruction, int(random, 1)),
        K::r16_reg | K::r16_rm | K::r16_opcode | K::r16_or_mem => register(instruction, int(random, 2)),
        K::r32_reg | K::r32_rm | K::r32_opcode | K::r32_vvvv | K::r32_or_mem => register(instruction, int(random, 4)),
        K::r64_reg | K::r64_rm | K::r64_opcode | K::r64_vvvv | K::r64_or_mem => register(instruction, int(random, 8)),
        K::xmm_reg | K::xmm_rm | K::xmm_vvvv | K::xmm_or_mem | K::xmm_is4 => {
            register(instruction, Register::XMM0 + random.below(16) as u32);
        }
        K::al => register(instruction, Register::AL),
        K::cl => register(instruction, Register::CL),
        K::ax => register(instruction, Register::AX),
        K::eax => register(instruction, Register::EAX),
        K::rax => register(instruction, Register::RAX),
        K::imm8 => immediate(instruction, OpKind::Immediate8, value),
        K::imm8_const_1 => immediate(instruction, OpKind::Immediate8, 1),
        K::imm8sex16 => immediate(instruction, OpKind::Immediate8to16, value),
        K::imm8sex32 => immediate(instruction, OpKind::Immediate8to32, value),
        K::imm8sex64 => immediate(instruction, OpKind::Immediate8to64, value),
        K::imm16 => immediate(instruction, OpKind::Immediate16, value),
        K::imm32 => immediate(instruction, OpKind::Immediate32, value),
        K::imm32sex64 => immediate(instruction, OpKind::Immediate32to64, value),
        K::imm64 => immediate(instruction, OpKind::Immediate64, value),
        _ => return None,
    }
    Some(())
}

/// An address in the frame or in memory, aligned for all that wants it; or, for `lea`, of anything.
fn memory(instruction: &mut Instruction, n: u32, random: &mut Random) {
    instruction.set_op_kind(n, OpKind::Memory);
    let lea = matches!(instruction.code(), Code::Lea_r16_m | Code::Lea_r32_m | Code::Lea_r64_m);
    if lea {
        let size = if random.one_in(6) { 4 } else { 8 };
        instruction.set_memory_base(int(random, size));
        if random.one_in(2) {
            instruction.set_memory_index(int(random, size));
            instruction.set_memory_index_scale(*random.pick(&[1, 2, 4, 8]));
        }
        instruction.set_memory_displ_size(size);
        let displacement = i64::from(interesting(random) as i32) >> random.below(32);
        let displacement =
            if size == 4 { displacement.cast_unsigned() & 0xffff_ffff } else { displacement.cast_unsigned() };
        instruction.set_memory_displacement64(displacement);
        return;
    }
    instruction.set_memory_displ_size(8);
    // The frame is 8 beyond a multiple of 16.
    let at = TOP + 8 + 16 * random.below(6) as i32 + if random.one_in(3) { 8 } else { 0 };
    let displacement: i64 = match random.below(4) {
        0 => {
            instruction.set_memory_base(Register::RBP);
            i64::from(at) + 16
        }
        1 => {
            instruction.set_memory_base(Register::RSP);
            i64::from(at - TOP)
        }
        2 => {
            instruction.set_memory_base(Register::R14);
            16 * random.below(16) as i64
        }
        _ => {
            instruction.set_memory_base(Register::R14);
            instruction.set_memory_index(Register::RSI);
            16 * random.below(16) as i64
        }
    };
    instruction.set_memory_displacement64(displacement.cast_unsigned());
}

fn supported() -> BTreeSet<CpuidFeature> {
    use CpuidFeature::*;
    let mut features = BTreeSet::from([
        INTEL8086,
        INTEL186,
        INTEL286,
        INTEL386,
        INTEL486,
        X64,
        CMOV,
        SSE,
        SSE2,
        MULTIBYTENOP,
        PAUSE,
        FXSR,
        CPUID,
    ]);
    let mut add = |has: bool, feature| has.then(|| features.insert(feature));
    add(is_x86_feature_detected!("sse3"), SSE3);
    add(is_x86_feature_detected!("ssse3"), SSSE3);
    add(is_x86_feature_detected!("sse4.1"), SSE4_1);
    add(is_x86_feature_detected!("sse4.2"), SSE4_2);
    add(is_x86_feature_detected!("popcnt"), POPCNT);
    add(is_x86_feature_detected!("avx"), AVX);
    add(is_x86_feature_detected!("avx2"), AVX2);
    add(is_x86_feature_detected!("bmi1"), BMI1);
    add(is_x86_feature_detected!("bmi2"), BMI2);
    add(is_x86_feature_detected!("lzcnt"), LZCNT);
    add(is_x86_feature_detected!("fma"), FMA);
    features
}

/// A division faults where the quotient does not fit.
fn may_fault(instruction: &Instruction) -> bool {
    matches!(instruction.mnemonic(), iced_x86::Mnemonic::Div | iced_x86::Mnemonic::Idiv)
}

/// Conditional jumps tell of what was compared.
fn sets_flags(instruction: &Instruction) -> bool {
    instruction.rflags_modified() != 0
}

struct Summary {
    forms: BTreeMap<String, (u64, u64)>,
    wrong: Vec<String>,
}

fn try_forms(seed: u64, tries: usize) -> Summary {
    let mut random = Random::new(seed);
    let mut machine = Machine::new().unwrap();
    let mut world = Box::new(World { memory: [0; MEMORY as usize + 4096], stack: [0; 1 << 16] });
    let features = supported();
    let mut summary = Summary { forms: BTreeMap::new(), wrong: Vec::new() };
    for code in Code::values() {
        let info = code.op_code();
        let runs = info.mode64() && code.cpuid_features().iter().all(|feature| features.contains(feature));
        let special = code.is_jcc_short_or_near() || code.is_jmp_short_or_near();
        if !runs || special || info.is_privileged() {
            continue;
        }
        for _ in 0..tries {
            one(code, &mut random, &mut machine, &mut world, &mut summary);
        }
    }
    summary
}

fn one(code: Code, random: &mut Random, machine: &mut Machine, world: &mut World, summary: &mut Summary) {
    let Some(mut instruction) = instruction(code, random) else { return };
    if instruction.flow_control() != iced_x86::FlowControl::Next {
        return;
    }
    if code.op_code().can_use_lock_prefix() && random.one_in(8) && instruction.op0_kind() == OpKind::Memory {
        instruction.set_has_lock_prefix(true);
    }
    let mut encoder = Encoder::new(64);
    if encoder.encode(&instruction, 0).is_err() {
        return;
    }
    let bytes = encoder.take_buffer();
    let copies = random.one_in(2);
    let mut before = [Known::Any; 16];
    for known in &mut before {
        *known = self::known(random, copies);
    }
    before[RSP] = Known::Stack(TOP);
    before[RBP] = Known::Stack(-16);
    before[R14] = Known::Memory;
    // An index that stays in the memory.
    before[6] = Known::Below(0x1000);
    for (n, known) in before.iter_mut().enumerate() {
        if *known == Known::CopyOf(n as u8) {
            *known = Known::Any;
        }
    }
    let copied: Vec<u8> =
        before.iter().filter_map(|known| if let Known::CopyOf(reg) = known { Some(*reg) } else { None }).collect();
    for reg in copied {
        // What is copied is known as no more than a number.
        before[usize::from(reg)] = Known::Any;
    }
    let condition = (sets_flags(&instruction) && random.one_in(2)).then(|| random.below(16) as u8);
    let mut text = bytes.clone();
    if let Some(condition) = condition {
        text.extend([0x70 | condition, 1, 0x90, 0x90]);
    }
    let result = probe::apply(&text, &before, copies);
    let count = summary.forms.entry(format!("{code:?}")).or_default();
    count.0 += 1;
    let Ok(after) = result else { return };
    count.1 += 1;
    world.fill(random);
    let mut registers = Registers::default();
    for n in 0..16 {
        registers.ints[n] = concrete(before[n], &registers.ints, world, random);
    }
    for n in 0..16 {
        if let Known::CopyOf(reg) = before[n] {
            registers.ints[n] = registers.ints[usize::from(reg)];
        }
    }
    registers.ints[6] &= !15;
    for vector in &mut registers.vectors {
        *vector = u128::from(interesting(random)) << 64 | u128::from(interesting(random));
    }
    // All but the direction and those of the system.
    registers.flags = 2 | random.bits() & 0x8d5;
    if may_fault(&instruction) {
        registers.ints[2] = 0;
        let divisor = match instruction.op0_kind() {
            OpKind::Register => {
                let reg = instruction.op0_register();
                let value = registers.ints[reg.full_register().number()];
                match reg.size() {
                    8 => value,
                    4 => value as u32 as u64,
                    _ => 0,
                }
            }
            _ => 0,
        };
        let fits =
            divisor != 0 && (registers.ints[0] as u32).cast_signed() >= 0 && registers.ints[0].cast_signed() >= 0;
        // Only where the rule was told nothing that is no longer so.
        if !fits || !matches!(before[2], Known::Any | Known::U32 | Known::Nothing) {
            return;
        }
    }
    if std::env::var_os("LIGHTBEAM_RULES_SHOW").is_some() {
        eprintln!("{instruction}");
    }
    let found = machine.run(&bytes, condition, &registers);
    let here = after.iter().filter(|after| match condition {
        Some(_) => (after.at as usize == text.len() - 1) == (found.taken == 1),
        None => true,
    });
    let mut any = false;
    let mut complain = |what: String| {
        let shown = instruction.to_string();
        summary.wrong.push(format!(
            "{code:?} `{shown}` {bytes:02x?} condition {condition:?}: {what}\n    before {before:?}\n    {:x?}\n    after {:x?}",
            registers.ints, found.ints
        ));
    };
    for after in here {
        any = true;
        for (n, claim) in after.registers.iter().enumerate() {
            if let Some(wrong) = refute(claim, found.ints[n], &found.ints, world) {
                complain(format!("{:?}: {wrong}", INTS[n]));
            }
        }
        for (at, claim) in &after.words {
            if let Some(wrong) = refute(claim, world.word(*at), &found.ints, world) {
                complain(format!("word {at}: {wrong}"));
            }
        }
    }
    if !any {
        complain("the way that it went is said not to be".to_string());
    }
}

fn check(summary: &Summary) {
    let accepted = summary.forms.values().filter(|(_, accepted)| *accepted > 0).count();
    let runs: u64 = summary.forms.values().map(|(_, accepted)| accepted).sum();
    println!("{accepted} forms, {runs} runs");
    let some: Vec<&String> = summary.wrong.iter().take(20).collect();
    assert!(some.is_empty(), "{} times a rule says what is not so:\n{some:#?}", summary.wrong.len());
    assert!(accepted > 400, "only {accepted} forms are known to the verifier");
}

#[test]
fn rules_say_what_instructions_do() {
    let tries = std::env::var("LIGHTBEAM_RULES").ok().and_then(|tries| tries.parse().ok()).unwrap_or(60);
    check(&try_forms(1, tries));
}
