//! The allow-list: which instructions may stand in code, and what sort of effect each has. It is closed; whatever is
//! not named here is refused. What an instruction writes is decided by its class alone, never asked of a library.

use crate::facts::Processor;
use iced_x86::{CpuidFeature, Instruction, MemorySize, Mnemonic, OpKind, Register};

/// What an instruction does, as far as the proof has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Not allowed.
    Refused,
    /// Does nothing.
    Nothing,
    Mov,
    Movzx,
    /// Also `movsxd`.
    Movsx,
    Lea,
    Add,
    Sub,
    And,
    Or,
    Xor,
    /// `adc`, `sbb`: reads both, writes the first and the flags.
    Carry,
    Cmp,
    Test,
    /// `inc`, `dec`.
    Step,
    /// `not`: writes no flags.
    Not,
    Neg,
    /// One, two or three operands.
    Imul,
    Mul,
    Div,
    /// `cdq`, `cqo`.
    Sign,
    Shl,
    Shr,
    /// Other shifts and rotations, `btc`: reads both, writes the first and the flags.
    Shift,
    /// `shlx` and the like, `rorx`: no flags.
    ShiftX,
    /// `andn`, `blsr`.
    Bits,
    /// `bsf`, `bsr`: the destination is as before if there is no bit.
    Scan,
    /// `lzcnt`, `tzcnt`, `popcnt`.
    Count,
    Cmov,
    Set,
    Xchg,
    Xadd,
    Cmpxchg,
    Push,
    Pop,
    Leave,
    Ret,
    Call,
    Jmp,
    Jcc,
    Ud2,
    /// A vector instruction that only writes its first operand.
    VectorMove,
    /// A vector instruction that reads its first operand, too, if it has no other of its own for that.
    Vector,
    /// A vector instruction that reads all operands and writes flags.
    VectorTest,
}

impl Class {
    /// Does control always go on behind it, and nowhere else?
    #[inline]
    pub(crate) fn goes_on(self) -> bool {
        !matches!(self, Class::Jmp | Class::Jcc | Class::Ret | Class::Ud2)
    }
}

const COUNT: usize = 2048;

static CLASSES: [Class; COUNT] = {
    let mut table = [Class::Refused; COUNT];
    let mut list = 0;
    while list < LISTS.len() {
        let (class, mnemonics) = LISTS[list];
        let mut i = 0;
        while i < mnemonics.len() {
            table[mnemonics[i] as usize] = class;
            i += 1;
        }
        list += 1;
    }
    table
};

#[rustfmt::skip]
const LISTS: &[(Class, &[Mnemonic])] = {
    use Mnemonic::*;
    &[
        (Class::Nothing, &[Nop, Mfence, Lfence, Pause]),
        (Class::Mov, &[Mov]),
        (Class::Movzx, &[Movzx]),
        (Class::Movsx, &[Movsx, Movsxd]),
        (Class::Lea, &[Lea]),
        (Class::Add, &[Add]),
        (Class::Sub, &[Sub]),
        (Class::And, &[And]),
        (Class::Or, &[Or]),
        (Class::Xor, &[Xor]),
        (Class::Carry, &[Adc, Sbb]),
        (Class::Cmp, &[Cmp]),
        (Class::Test, &[Test]),
        (Class::Step, &[Inc, Dec]),
        (Class::Not, &[Not]),
        (Class::Neg, &[Neg]),
        (Class::Imul, &[Imul]),
        (Class::Mul, &[Mul]),
        (Class::Div, &[Div, Idiv]),
        (Class::Sign, &[Cdq, Cqo]),
        (Class::Shl, &[Shl, Sal]),
        (Class::Shr, &[Shr]),
        (Class::Shift, &[Sar, Rol, Ror, Btc, Bts, Btr]),
        (Class::ShiftX, &[Shlx, Shrx, Sarx, Rorx]),
        (Class::Bits, &[Andn, Blsr, Blsi, Blsmsk]),
        (Class::Scan, &[Bsf, Bsr]),
        (Class::Count, &[Lzcnt, Tzcnt, Popcnt]),
        (Class::Cmov, &[
            Cmova, Cmovae, Cmovb, Cmovbe, Cmove, Cmovg, Cmovge, Cmovl, Cmovle, Cmovne, Cmovno, Cmovnp, Cmovns, Cmovo, Cmovp,
            Cmovs,
        ]),
        (Class::Set, &[
            Seta, Setae, Setb, Setbe, Sete, Setg, Setge, Setl, Setle, Setne, Setno, Setnp, Setns, Seto, Setp, Sets,
        ]),
        (Class::Xchg, &[Xchg]),
        (Class::Xadd, &[Xadd]),
        (Class::Cmpxchg, &[Cmpxchg]),
        (Class::Push, &[Push]),
        (Class::Pop, &[Pop]),
        (Class::Leave, &[Leave]),
        (Class::Ret, &[Ret]),
        (Class::Call, &[Call]),
        (Class::Jmp, &[Jmp]),
        (Class::Jcc, &[Ja, Jae, Jb, Jbe, Je, Jg, Jge, Jl, Jle, Jne, Jno, Jnp, Jns, Jo, Jp, Js]),
        (Class::Ud2, &[Ud2]),
        (Class::VectorMove, &[
            Movaps, Movapd, Movups, Movupd, Movdqa, Movdqu, Movss, Movsd, Movd, Movq, Movddup, Movshdup, Movsldup, Movmskps,
            Movmskpd, Pmovmskb, Pextrb, Pextrw, Pextrd, Pextrq, Extractps, Cvtdq2pd, Cvtdq2ps, Cvtpd2dq, Cvtpd2ps, Cvtps2dq,
            Cvtps2pd, Cvtsd2ss, Cvtss2sd, Cvtsi2sd, Cvtsi2ss, Cvttpd2dq, Cvttps2dq, Cvttsd2si, Cvttss2si, Sqrtps, Sqrtpd,
            Sqrtss, Sqrtsd, Roundps, Roundpd, Roundss, Roundsd, Pabsb, Pabsw, Pabsd, Pshufd, Pshufhw, Pshuflw, Pmovsxbw,
            Pmovsxbd, Pmovsxbq, Pmovsxwd, Pmovsxwq, Pmovsxdq, Pmovzxbw, Pmovzxbd, Pmovzxbq, Pmovzxwd, Pmovzxwq, Pmovzxdq,
            Vmovaps, Vmovapd, Vmovups, Vmovupd, Vmovdqa, Vmovdqu, Vmovss, Vmovsd, Vmovd, Vmovq, Vmovddup, Vmovshdup,
            Vmovsldup, Vmovmskps, Vmovmskpd, Vpmovmskb, Vpextrb, Vpextrw, Vpextrd, Vpextrq, Vextractps, Vcvtdq2pd,
            Vcvtdq2ps, Vcvtpd2dq, Vcvtpd2ps, Vcvtps2dq, Vcvtps2pd, Vcvttpd2dq, Vcvttps2dq, Vcvttsd2si, Vcvttss2si, Vsqrtps,
            Vsqrtpd, Vroundps, Vroundpd, Vpabsb, Vpabsw, Vpabsd, Vpshufd, Vpshufhw, Vpshuflw, Vpmovsxbw, Vpmovsxbd,
            Vpmovsxbq, Vpmovsxwd, Vpmovsxwq, Vpmovsxdq, Vpmovzxbw, Vpmovzxbd, Vpmovzxbq, Vpmovzxwd, Vpmovzxwq, Vpmovzxdq,
            Vbroadcastss, Vpbroadcastb, Vpbroadcastw, Vpbroadcastd, Vpbroadcastq, Vpermilps, Vpermilpd,
        ]),
        (Class::Vector, &[
            Addps, Addpd, Addss, Addsd, Subps, Subpd, Subss, Subsd, Mulps, Mulpd, Mulss, Mulsd, Divps, Divpd, Divss, Divsd,
            Minps, Minpd, Minss, Minsd, Maxps, Maxpd, Maxss, Maxsd, Andps, Andpd, Andnps, Andnpd, Orps, Orpd, Xorps, Xorpd,
            Cmpps, Cmppd, Cmpss, Cmpsd, Shufps, Shufpd, Unpcklps, Unpcklpd, Unpckhps, Unpckhpd, Movhlps, Movlhps, Movlps,
            Movlpd, Movhps, Movhpd, Insertps, Haddps, Haddpd, Blendps, Blendpd, Blendvps, Blendvpd, Paddb, Paddw, Paddd,
            Paddq, Paddsb, Paddsw, Paddusb, Paddusw, Psubb, Psubw, Psubd, Psubq, Psubsb, Psubsw, Psubusb, Psubusw, Pmullw,
            Pmulld, Pmulhw, Pmulhuw, Pmulhrsw, Pmuludq, Pmuldq, Pmaddwd, Pmaddubsw, Pavgb, Pavgw, Pminsb, Pminsw, Pminsd,
            Pminub, Pminuw, Pminud, Pmaxsb, Pmaxsw, Pmaxsd, Pmaxub, Pmaxuw, Pmaxud, Pcmpeqb, Pcmpeqw, Pcmpeqd, Pcmpeqq,
            Pcmpgtb, Pcmpgtw, Pcmpgtd, Pcmpgtq, Pand, Pandn, Por, Pxor, Psllw, Pslld, Psllq, Pslldq, Psrlw, Psrld, Psrlq,
            Psrldq, Psraw, Psrad, Packsswb, Packssdw, Packuswb, Packusdw, Punpcklbw, Punpcklwd, Punpckldq, Punpcklqdq,
            Punpckhbw, Punpckhwd, Punpckhdq, Punpckhqdq, Palignr, Pshufb, Pinsrb, Pinsrw, Pinsrd, Pinsrq, Pblendvb, Pblendw,
            Psignb, Psignw, Psignd, Phaddw, Phaddd, Psadbw,
            Vaddps, Vaddpd, Vaddss, Vaddsd, Vsubps, Vsubpd, Vsubss, Vsubsd, Vmulps, Vmulpd, Vmulss, Vmulsd, Vdivps, Vdivpd,
            Vdivss, Vdivsd, Vminps, Vminpd, Vminss, Vminsd, Vmaxps, Vmaxpd, Vmaxss, Vmaxsd, Vandps, Vandpd, Vandnps, Vandnpd,
            Vorps, Vorpd, Vxorps, Vxorpd, Vcmpps, Vcmppd, Vcmpss, Vcmpsd, Vshufps, Vshufpd, Vunpcklps, Vunpcklpd, Vunpckhps,
            Vunpckhpd, Vmovhlps, Vmovlhps, Vmovlps, Vmovlpd, Vmovhps, Vmovhpd, Vinsertps, Vhaddps, Vhaddpd, Vblendps,
            Vblendpd, Vblendvps, Vblendvpd, Vpaddb, Vpaddw, Vpaddd, Vpaddq, Vpaddsb, Vpaddsw, Vpaddusb, Vpaddusw, Vpsubb,
            Vpsubw, Vpsubd, Vpsubq, Vpsubsb, Vpsubsw, Vpsubusb, Vpsubusw, Vpmullw, Vpmulld, Vpmulhw, Vpmulhuw, Vpmulhrsw,
            Vpmuludq, Vpmuldq, Vpmaddwd, Vpmaddubsw, Vpavgb, Vpavgw, Vpminsb, Vpminsw, Vpminsd, Vpminub, Vpminuw, Vpminud,
            Vpmaxsb, Vpmaxsw, Vpmaxsd, Vpmaxub, Vpmaxuw, Vpmaxud, Vpcmpeqb, Vpcmpeqw, Vpcmpeqd, Vpcmpeqq, Vpcmpgtb,
            Vpcmpgtw, Vpcmpgtd, Vpcmpgtq, Vpand, Vpandn, Vpor, Vpxor, Vpsllw, Vpslld, Vpsllq, Vpslldq, Vpsrlw, Vpsrld,
            Vpsrlq, Vpsrldq, Vpsraw, Vpsrad, Vpacksswb, Vpackssdw, Vpackuswb, Vpackusdw, Vpunpcklbw, Vpunpcklwd,
            Vpunpckldq, Vpunpcklqdq, Vpunpckhbw, Vpunpckhwd, Vpunpckhdq, Vpunpckhqdq, Vpalignr, Vpshufb, Vpinsrb, Vpinsrw,
            Vpinsrd, Vpinsrq, Vpblendvb, Vpblendw, Vpblendd, Vpsignb, Vpsignw, Vpsignd, Vphaddw, Vphaddd, Vpsadbw,
            Vsqrtss, Vsqrtsd, Vroundss, Vroundsd, Vcvtsd2ss, Vcvtss2sd, Vcvtsi2sd, Vcvtsi2ss, Vpsllvd, Vpsllvq, Vpsrlvd,
            Vpsrlvq, Vpsravd, Vfmadd132ps, Vfmadd213ps, Vfmadd231ps, Vfmadd132pd, Vfmadd213pd, Vfmadd231pd, Vfnmadd132ps,
            Vfnmadd213ps, Vfnmadd231ps, Vfnmadd132pd, Vfnmadd213pd, Vfnmadd231pd, Vfmadd132ss, Vfmadd213ss, Vfmadd231ss,
            Vfmadd132sd, Vfmadd213sd, Vfmadd231sd,
        ]),
        (Class::VectorTest, &[Ptest, Ucomiss, Ucomisd, Comiss, Comisd, Vptest, Vucomiss, Vucomisd]),
    ]
};

/// The number of the condition that a `jcc`, `cmovcc` or `setcc` has, as in its encoding. The lowest bit negates it.
pub(crate) fn condition(mnemonic: Mnemonic) -> Option<u8> {
    use Mnemonic::*;
    Some(match mnemonic {
        Jo | Cmovo | Seto => 0,
        Jno | Cmovno | Setno => 1,
        Jb | Cmovb | Setb => 2,
        Jae | Cmovae | Setae => 3,
        Je | Cmove | Sete => 4,
        Jne | Cmovne | Setne => 5,
        Jbe | Cmovbe | Setbe => 6,
        Ja | Cmova | Seta => 7,
        Js | Cmovs | Sets => 8,
        Jns | Cmovns | Setns => 9,
        Jp | Cmovp | Setp => 10,
        Jnp | Cmovnp | Setnp => 11,
        Jl | Cmovl | Setl => 12,
        Jge | Cmovge | Setge => 13,
        Jle | Cmovle | Setle => 14,
        Jg | Cmovg | Setg => 15,
        _ => return None,
    })
}

/// The class of an instruction.
#[inline]
pub(crate) fn class(mnemonic: Mnemonic) -> Class {
    CLASSES[mnemonic as usize]
}

/// Does the instruction have a prefix that none here may have? `lock` only where it is asked about, `rep` never.
#[inline]
pub(crate) fn has_strange_prefix(instruction: &Instruction) -> bool {
    instruction.segment_prefix() != Register::None || instruction.has_rep_prefix() || instruction.has_repne_prefix()
}

/// Is the instruction encoded in another way than those that are on the list, whatever it is called? Addresses of 32
/// bits wrap; what moves the stack pointer moves it by 2 in the form of 16 bits; and masks take parts of what was there
/// before.
#[inline]
pub(crate) fn has_strange_encoding(instruction: &Instruction, class: Class) -> bool {
    match class {
        Class::Lea => {
            let narrow = |part: Register| part.is_gpr32() || part == Register::EIP;
            narrow(instruction.memory_base()) || narrow(instruction.memory_index())
        }
        Class::Push => {
            use iced_x86::Code::{Push_r64, Pushq_imm8, Pushq_imm32};
            !matches!(instruction.code(), Push_r64 | Pushq_imm8 | Pushq_imm32)
        }
        Class::Leave => instruction.code() != iced_x86::Code::Leaveq,
        Class::VectorMove | Class::Vector | Class::VectorTest => {
            !matches!(instruction.encoding(), iced_x86::EncodingKind::Legacy | iced_x86::EncodingKind::VEX)
        }
        _ => false,
    }
}

/// Is a byte one that may stand before an instruction? Of those before jumps, processors think differently.
#[inline]
pub(crate) fn is_prefix(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 | 0x66 | 0x67 | 0xf0 | 0xf2 | 0xf3)
}

/// What an instruction needs that not every processor has. Some are taken for others where that is not there: `lzcnt`
/// for `bsr`, which may leave what was in the register before.
pub(crate) fn needs(instruction: &Instruction) -> Processor {
    use CpuidFeature::*;
    let bit = |feature: &CpuidFeature| match feature {
        SSE3 => 1,
        SSSE3 => 1 << 1,
        SSE4_1 => 1 << 2,
        SSE4_2 => 1 << 3,
        POPCNT => 1 << 4,
        AVX => 1 << 5,
        AVX2 => 1 << 6,
        BMI1 => 1 << 7,
        BMI2 => 1 << 8,
        LZCNT => 1 << 9,
        FMA => 1 << 10,
        INTEL8086 | INTEL186 | INTEL286 | INTEL386 | INTEL486 | X64 | CMOV | CX8 | MULTIBYTENOP | PAUSE | FPU | SSE
        | SSE2 => 0,
        _ => Processor::UNKNOWN.0,
    };
    Processor(instruction.cpuid_features().iter().map(bit).fold(0, |all, bit| all | bit))
}

/// May the instruction be locked?
pub(crate) fn may_lock(class: Class) -> bool {
    matches!(
        class,
        Class::Add
            | Class::Sub
            | Class::And
            | Class::Or
            | Class::Xor
            | Class::Step
            | Class::Xadd
            | Class::Cmpxchg
            | Class::Xchg
    )
}

/// How many bytes of memory an instruction accesses.
pub(crate) fn width(size: MemorySize) -> Option<u32> {
    use MemorySize::*;
    Some(match size {
        UInt8 | Int8 => 1,
        UInt16 | Int16 => 2,
        UInt32 | Int32 | Float32 | DwordOffset | Packed32_UInt8 | Packed32_Int8 | Packed32_UInt16 | Packed32_Int16 => 4,
        Packed16_UInt8 | Packed16_Int8 => 2,
        UInt64 | Int64 | Float64 | QwordOffset | Packed64_UInt8 | Packed64_Int8 | Packed64_UInt16 | Packed64_Int16
        | Packed64_UInt32 | Packed64_Int32 | Packed64_Float32 => 8,
        UInt128 | Int128 | Packed128_UInt8 | Packed128_Int8 | Packed128_UInt16 | Packed128_Int16 | Packed128_UInt32
        | Packed128_Int32 | Packed128_UInt52 | Packed128_UInt64 | Packed128_Int64 | Packed128_Float32
        | Packed128_Float64 => 16,
        _ => return None,
    })
}

/// The number of an integer register and how many bytes of it are meant.
#[inline]
pub(crate) fn int(register: Register) -> Option<(usize, u32)> {
    let number = register as u32;
    const BYTE: u32 = Register::AL as u32;
    const LOW: u32 = Register::SPL as u32;
    const WORD: u32 = Register::AX as u32;
    const DOUBLE: u32 = Register::EAX as u32;
    const QUAD: u32 = Register::RAX as u32;
    Some(match number {
        QUAD.. if number < QUAD + 16 => ((number - QUAD) as usize, 8),
        DOUBLE.. if number < DOUBLE + 16 => ((number - DOUBLE) as usize, 4),
        WORD.. if number < WORD + 16 => ((number - WORD) as usize, 2),
        // The second bytes of registers come between, which nobody uses.
        LOW.. if number < LOW + 12 => ((number - LOW) as usize + 4, 1),
        BYTE.. if number < BYTE + 4 => ((number - BYTE) as usize, 1),
        _ => return None,
    })
}

/// The number of a vector register of 128 bits.
#[inline]
pub(crate) fn vector(register: Register) -> Option<usize> {
    let number = (register as usize).wrapping_sub(Register::XMM0 as usize);
    if number < 16 { Some(number) } else { None }
}

/// The immediate that operand `n` is.
#[inline]
pub(crate) fn immediate(instruction: &Instruction, n: u32) -> Option<i64> {
    match instruction.op_kind(n) {
        OpKind::Immediate8
        | OpKind::Immediate16
        | OpKind::Immediate32
        | OpKind::Immediate64
        | OpKind::Immediate8to16
        | OpKind::Immediate8to32
        | OpKind::Immediate8to64
        | OpKind::Immediate32to64 => Some(instruction.immediate(n).cast_signed()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_have_numbers() {
        for (register, number, bytes) in [
            (Register::RAX, 0, 8),
            (Register::R15, 15, 8),
            (Register::ECX, 1, 4),
            (Register::R11D, 11, 4),
            (Register::DX, 2, 2),
            (Register::BL, 3, 1),
            (Register::SPL, 4, 1),
            (Register::DIL, 7, 1),
            (Register::R8L, 8, 1),
            (Register::R15L, 15, 1),
        ] {
            assert_eq!(int(register), Some((number, bytes)), "{register:?}");
        }
        for register in [Register::AH, Register::BH, Register::XMM0, Register::CR0, Register::RIP, Register::FS] {
            assert_eq!(int(register), None, "{register:?}");
        }
        assert_eq!(vector(Register::XMM15), Some(15));
        for register in [Register::YMM0, Register::XMM16, Register::MM0, Register::K1] {
            assert_eq!(vector(register), None, "{register:?}");
        }
    }
}
