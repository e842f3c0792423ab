//! Which bytes of its vector operands an instruction makes which bytes of its result of. Instructions for single
//! numbers leave what is above them in a register as it was, and that may be anybody's; so of each register it is known
//! how many of its lowest bytes the module may know.

use crate::decode::Instruction;
use iced_x86::Mnemonic;

/// How many of the lowest bytes of each vector register are numbers that the module may know: 16, 8, 4 or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vectors {
    /// A bit for each register, by whether at least 4, 8 or 16 are.
    four: u16,
    eight: u16,
    all: u16,
}

impl Vectors {
    pub(crate) const NONE: Vectors = Vectors { four: 0, eight: 0, all: 0 };
    pub(crate) const ALL: Vectors = Vectors { four: u16::MAX, eight: u16::MAX, all: u16::MAX };

    #[inline]
    pub(crate) fn known(self, reg: usize) -> u32 {
        let bit = |set: u16| u32::from(set >> (reg & 15) & 1);
        4 * bit(self.four) + 4 * bit(self.eight) + 8 * bit(self.all)
    }

    #[inline]
    pub(crate) fn set(&mut self, reg: usize, bytes: u32) {
        let bit = 1u16 << (reg & 15);
        for (set, least) in [(&mut self.four, 4), (&mut self.eight, 8), (&mut self.all, 16)] {
            *set = if bytes >= least { *set | bit } else { *set & !bit };
        }
    }

    /// What is known where one of the two holds.
    #[inline]
    pub(crate) fn join(self, other: Vectors) -> Vectors {
        Vectors { four: self.four & other.four, eight: self.eight & other.eight, all: self.all & other.all }
    }
}

/// What a result is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// All of it of all of the operands.
    Whole,
    /// All of it of so many of the lowest bytes of each.
    Low(u32),
    /// Each so many bytes of it of those at the same place.
    Each(u32),
    /// The lowest `written` bytes of the lowest `read`, and the rest as it was: in the first operand, or in the second
    /// where there are three and that is not `fused`. The lowest bytes of that operand count only if it is one of
    /// `both`.
    Scalar { read: u32, written: u32, both: bool, fused: bool },
    /// The lowest 8 bytes as they were, and those of the other operand behind them.
    Pair,
    /// Only what is in memory, to the lowest 8 bytes.
    LowLoad,
    /// All of it, but of the last vector only the lowest 4 bytes.
    Insert,
}

/// What the result of an instruction is made of.
pub(crate) fn lanes(instruction: &Instruction) -> Lanes {
    use Mnemonic::*;
    let scalar = |bytes: u32| Lanes::Scalar { read: bytes, written: bytes, both: true, fused: false };
    let alone = |read: u32, written: u32| Lanes::Scalar { read, written, both: false, fused: false };
    let last = instruction.op_count().saturating_sub(1);
    let immediate = instruction.immediate(last);
    // Which of four lanes are read, by two bits each.
    let chosen = |lanes: Option<i64>| match lanes {
        Some(lanes) if lanes & 0xff == 0 => Lanes::Low(4),
        Some(lanes) if lanes & 0xaa == 0 => Lanes::Low(8),
        _ => Lanes::Whole,
    };
    match instruction.mnemonic() {
        Addss | Subss | Mulss | Divss | Minss | Maxss | Cmpss | Vaddss | Vsubss | Vmulss | Vdivss | Vminss | Vmaxss
        | Vcmpss => scalar(4),
        Addsd | Subsd | Mulsd | Divsd | Minsd | Maxsd | Cmpsd | Vaddsd | Vsubsd | Vmulsd | Vdivsd | Vminsd | Vmaxsd
        | Vcmpsd => scalar(8),
        Vfmadd132ss | Vfmadd213ss | Vfmadd231ss => Lanes::Scalar { read: 4, written: 4, both: true, fused: true },
        Vfmadd132sd | Vfmadd213sd | Vfmadd231sd => Lanes::Scalar { read: 8, written: 8, both: true, fused: true },
        Sqrtss | Roundss | Vsqrtss | Vroundss => alone(4, 4),
        Sqrtsd | Roundsd | Vsqrtsd | Vroundsd => alone(8, 8),
        Cvtsd2ss | Vcvtsd2ss => alone(8, 4),
        Cvtss2sd | Vcvtss2sd => alone(4, 8),
        Cvtsi2ss | Vcvtsi2ss => alone(0, 4),
        Cvtsi2sd | Vcvtsi2sd => alone(0, 8),
        Movlps | Movlpd | Vmovlps | Vmovlpd => Lanes::LowLoad,
        Movhps | Movhpd | Vmovhps | Vmovhpd | Movlhps | Vmovlhps | Unpcklpd | Vunpcklpd | Punpcklqdq | Vpunpcklqdq => {
            Lanes::Pair
        }
        Ucomiss | Comiss | Vucomiss | Cvttss2si | Vcvttss2si | Vbroadcastss | Vpbroadcastb | Vpbroadcastw
        | Vpbroadcastd | Pmovsxbd | Pmovsxbq | Pmovsxwq | Pmovzxbd | Pmovzxbq | Pmovzxwq | Vpmovsxbd | Vpmovsxbq
        | Vpmovsxwq | Vpmovzxbd | Vpmovzxbq | Vpmovzxwq => Lanes::Low(4),
        Ucomisd | Comisd | Vucomisd | Cvttsd2si | Vcvttsd2si | Movddup | Vmovddup | Vpbroadcastq | Cvtps2pd
        | Vcvtps2pd | Cvtdq2pd | Vcvtdq2pd | Pmovsxbw | Pmovsxwd | Pmovsxdq | Pmovzxbw | Pmovzxwd | Pmovzxdq
        | Vpmovsxbw | Vpmovsxwd | Vpmovsxdq | Vpmovzxbw | Vpmovzxwd | Vpmovzxdq | Unpcklps | Vunpcklps | Punpcklbw
        | Punpcklwd | Punpckldq | Vpunpcklbw | Vpunpcklwd | Vpunpckldq => Lanes::Low(8),
        Insertps | Vinsertps if immediate.is_some_and(|lanes| lanes & 0xc0 == 0) => Lanes::Insert,
        Pshufd | Vpshufd | Shufps | Vshufps | Vpermilps => chosen(immediate),
        Andps | Andpd | Andnps | Andnpd | Orps | Orpd | Xorps | Xorpd | Pand | Pandn | Por | Pxor | Vandps | Vandpd
        | Vandnps | Vandnpd | Vorps | Vorpd | Vxorps | Vxorpd | Vpand | Vpandn | Vpor | Vpxor => Lanes::Each(4),
        Pslld | Psrld | Psrad | Vpslld | Vpsrld | Vpsrad if immediate.is_some() => Lanes::Each(4),
        Psllq | Psrlq | Vpsllq | Vpsrlq if immediate.is_some() => Lanes::Each(8),
        _ => Lanes::Whole,
    }
}
