//! The instructions that work on lanes. All that have a VEX encoding have it with 128 bits.
//!
//! What the level v2 of the psABI has (SSE4.2 and below) has a legacy encoding; the rows that begin with `V` need AVX,
//! and some of them more, as said there.

use super::{Form, Imm, Map, Operand, Row, W, rows};

#[rustfmt::skip]
rows! {
    VECTOR:
    // name        prefix map   op    reg      rm        imm  form
    // Moves. MOVUPS and MOVDQU differ in nothing but the unit that the processor would forward the value to.
    MOVAPS_RM      0x00   M0f   0x28  Float    F128      None V2;
    MOVAPS_MR      0x00   M0f   0x29  Float    F128      None V2;
    MOVUPS_RM      0x00   M0f   0x10  Float    F128U     None V2;
    MOVUPS_MR      0x00   M0f   0x11  Float    F128U     None V2;
    MOVDQA_RM      0x66   M0f   0x6f  Float    F128      None V2;
    MOVDQA_MR      0x66   M0f   0x7f  Float    F128      None V2;
    MOVDQU_RM      0xf3   M0f   0x6f  Float    F128U     None V2;
    MOVDQU_MR      0xf3   M0f   0x7f  Float    F128U     None V2;
    // The lower 64 bits, the upper ones zeroed.
    MOVQ_RM        0xf3   M0f   0x7e  Float    F64       None V2;
    MOVQ_MR        0x66   M0f   0xd6  Float    F64       None V2;
    // One lane, the others kept (legacy) or from the additional source (VEX).
    MOVSS_RR       0xf3   M0f   0x10  Float    Float     None V3;
    MOVSD_RR       0xf2   M0f   0x10  Float    Float     None V3;
    MOVLPS_RM      0x00   M0f   0x12  Float    M64       None V3;
    MOVLPS_MR      0x00   M0f   0x13  Float    M64       None V2;
    MOVHPS_RM      0x00   M0f   0x16  Float    M64       None V3;
    MOVHPS_MR      0x00   M0f   0x17  Float    M64       None V2;
    MOVHLPS        0x00   M0f   0x12  Float    Float     None V3;
    MOVLHPS        0x00   M0f   0x16  Float    Float     None V3;
    PINSRB         0x66   M0f3a 0x20  Float    Int32M8   I8   V3;
    PINSRW         0x66   M0f   0xc4  Float    Int32M16  I8   V3;
    PINSRD         0x66   M0f3a 0x22  Float    Int32     I8   V3;
    PINSRQ         0x66   M0f3a 0x22  Float    Int64     I8   V3 W;
    INSERTPS       0x66   M0f3a 0x21  Float    F32       I8   V3;
    PEXTRB_MR      0x66   M0f3a 0x14  Float    Int32M8   I8   V2;
    PEXTRW_MR      0x66   M0f3a 0x15  Float    Int32M16  I8   V2;
    PEXTRD_MR      0x66   M0f3a 0x16  Float    Int32     I8   V2;
    PEXTRQ_MR      0x66   M0f3a 0x16  Float    Int64     I8   V2 W;
    EXTRACTPS_MR   0x66   M0f3a 0x17  Float    Int32     I8   V2;
    // To a register a byte shorter than the one above.
    PEXTRW         0x66   M0f   0xc5  Int32    Float     I8   V2;

    // Lanes to other places. AVX2: `VPBROADCAST*`, `VPBLENDD`, and `VBROADCASTSS` from a register; that from memory
    // is AVX.
    VPBROADCASTB   0x66   M0f38 0x78  Float    F8        None X2;
    VPBROADCASTW   0x66   M0f38 0x79  Float    F16       None X2;
    VPBROADCASTD   0x66   M0f38 0x58  Float    F32       None X2;
    VPBROADCASTQ   0x66   M0f38 0x59  Float    F64       None X2;
    VBROADCASTSS   0x66   M0f38 0x18  Float    F32       None X2;
    MOVDDUP        0xf2   M0f   0x12  Float    F64       None V2;
    MOVSLDUP       0xf3   M0f   0x12  Float    F128      None V2;
    MOVSHDUP       0xf3   M0f   0x16  Float    F128      None V2;
    PSHUFB         0x66   M0f38 0x00  Float    F128      None V3;
    PSHUFD         0x66   M0f   0x70  Float    F128      I8   V2;
    PSHUFHW        0xf3   M0f   0x70  Float    F128      I8   V2;
    PSHUFLW        0xf2   M0f   0x70  Float    F128      I8   V2;
    SHUFPS         0x00   M0f   0xc6  Float    F128      I8   V3;
    SHUFPD         0x66   M0f   0xc6  Float    F128      I8   V3;
    PALIGNR        0x66   M0f3a 0x0f  Float    F128      I8   V3;
    PUNPCKLBW      0x66   M0f   0x60  Float    F128      None V3;
    PUNPCKLWD      0x66   M0f   0x61  Float    F128      None V3;
    PUNPCKLDQ      0x66   M0f   0x62  Float    F128      None V3;
    PUNPCKLQDQ     0x66   M0f   0x6c  Float    F128      None V3;
    PUNPCKHBW      0x66   M0f   0x68  Float    F128      None V3;
    PUNPCKHWD      0x66   M0f   0x69  Float    F128      None V3;
    PUNPCKHDQ      0x66   M0f   0x6a  Float    F128      None V3;
    PUNPCKHQDQ     0x66   M0f   0x6d  Float    F128      None V3;
    UNPCKLPS       0x00   M0f   0x14  Float    F128      None V3;
    UNPCKHPS       0x00   M0f   0x15  Float    F128      None V3;
    UNPCKLPD       0x66   M0f   0x14  Float    F128      None V3;
    UNPCKHPD       0x66   M0f   0x15  Float    F128      None V3;
    PBLENDW        0x66   M0f3a 0x0e  Float    F128      I8   V3;
    BLENDPS        0x66   M0f3a 0x0c  Float    F128      I8   V3;
    BLENDPD        0x66   M0f3a 0x0d  Float    F128      I8   V3;
    VPBLENDD       0x66   M0f3a 0x02  Float    F128      I8   X3;
    // The sign bits of a mask choose `rm`. Legacy has the mask in xmm0.
    PBLENDVB       0x66   M0f38 0x10  Float    F128      None L;
    BLENDVPS       0x66   M0f38 0x14  Float    F128      None L;
    BLENDVPD       0x66   M0f38 0x15  Float    F128      None L;
    VPBLENDVB      0x66   M0f3a 0x4c  Float    F128      I8   X4;
    VBLENDVPS      0x66   M0f3a 0x4a  Float    F128      I8   X4;
    VBLENDVPD      0x66   M0f3a 0x4b  Float    F128      I8   X4;

    // Lanes of another width.
    PMOVSXBW       0x66   M0f38 0x20  Float    F64       None V2;
    PMOVSXWD       0x66   M0f38 0x23  Float    F64       None V2;
    PMOVSXDQ       0x66   M0f38 0x25  Float    F64       None V2;
    PMOVZXBW       0x66   M0f38 0x30  Float    F64       None V2;
    PMOVZXWD       0x66   M0f38 0x33  Float    F64       None V2;
    PMOVZXDQ       0x66   M0f38 0x35  Float    F64       None V2;
    PACKSSWB       0x66   M0f   0x63  Float    F128      None V3;
    PACKSSDW       0x66   M0f   0x6b  Float    F128      None V3;
    PACKUSWB       0x66   M0f   0x67  Float    F128      None V3;
    PACKUSDW       0x66   M0f38 0x2b  Float    F128      None V3;

    // Bits.
    PAND           0x66   M0f   0xdb  Float    F128      None V3;
    PANDN          0x66   M0f   0xdf  Float    F128      None V3;
    POR            0x66   M0f   0xeb  Float    F128      None V3;
    PXOR           0x66   M0f   0xef  Float    F128      None V3;
    ANDPS          0x00   M0f   0x54  Float    F128      None V3;
    ANDNPS         0x00   M0f   0x55  Float    F128      None V3;
    ORPS           0x00   M0f   0x56  Float    F128      None V3;
    XORPS          0x00   M0f   0x57  Float    F128      None V3;
    ANDPD          0x66   M0f   0x54  Float    F128      None V3;
    ANDNPD         0x66   M0f   0x55  Float    F128      None V3;
    ORPD           0x66   M0f   0x56  Float    F128      None V3;
    XORPD          0x66   M0f   0x57  Float    F128      None V3;
    PTEST          0x66   M0f38 0x17  Float    F128      None V2;
    PMOVMSKB       0x66   M0f   0xd7  Int32    Float     None V2;
    MOVMSKPS       0x00   M0f   0x50  Int32    Float     None V2;
    MOVMSKPD       0x66   M0f   0x50  Int32    Float     None V2;

    // Shifts by a constant; counts of the width and more shift everything out. `DQ` counts bytes.
    PSLLW          0x66   M0f   0x71  Digit/6  Float     I8   D3;
    PSLLD          0x66   M0f   0x72  Digit/6  Float     I8   D3;
    PSLLQ          0x66   M0f   0x73  Digit/6  Float     I8   D3;
    PSRLW          0x66   M0f   0x71  Digit/2  Float     I8   D3;
    PSRLD          0x66   M0f   0x72  Digit/2  Float     I8   D3;
    PSRLQ          0x66   M0f   0x73  Digit/2  Float     I8   D3;
    PSRAW          0x66   M0f   0x71  Digit/4  Float     I8   D3;
    PSRAD          0x66   M0f   0x72  Digit/4  Float     I8   D3;
    PSLLDQ         0x66   M0f   0x73  Digit/7  Float     I8   D3;
    PSRLDQ         0x66   M0f   0x73  Digit/3  Float     I8   D3;
    // By the lower 64 bits of `rm`, the same count for all lanes; memory has 128 all the same.
    PSLLW_RM       0x66   M0f   0xf1  Float    F128      None V3;
    PSLLD_RM       0x66   M0f   0xf2  Float    F128      None V3;
    PSLLQ_RM       0x66   M0f   0xf3  Float    F128      None V3;
    PSRLW_RM       0x66   M0f   0xd1  Float    F128      None V3;
    PSRLD_RM       0x66   M0f   0xd2  Float    F128      None V3;
    PSRLQ_RM       0x66   M0f   0xd3  Float    F128      None V3;
    PSRAW_RM       0x66   M0f   0xe1  Float    F128      None V3;
    PSRAD_RM       0x66   M0f   0xe2  Float    F128      None V3;

    // Integer arithmetic.
    PADDB          0x66   M0f   0xfc  Float    F128      None V3;
    PADDW          0x66   M0f   0xfd  Float    F128      None V3;
    PADDD          0x66   M0f   0xfe  Float    F128      None V3;
    PADDQ          0x66   M0f   0xd4  Float    F128      None V3;
    PADDSB         0x66   M0f   0xec  Float    F128      None V3;
    PADDSW         0x66   M0f   0xed  Float    F128      None V3;
    PADDUSB        0x66   M0f   0xdc  Float    F128      None V3;
    PADDUSW        0x66   M0f   0xdd  Float    F128      None V3;
    PSUBB          0x66   M0f   0xf8  Float    F128      None V3;
    PSUBW          0x66   M0f   0xf9  Float    F128      None V3;
    PSUBD          0x66   M0f   0xfa  Float    F128      None V3;
    PSUBQ          0x66   M0f   0xfb  Float    F128      None V3;
    PSUBSB         0x66   M0f   0xe8  Float    F128      None V3;
    PSUBSW         0x66   M0f   0xe9  Float    F128      None V3;
    PSUBUSB        0x66   M0f   0xd8  Float    F128      None V3;
    PSUBUSW        0x66   M0f   0xd9  Float    F128      None V3;
    PAVGB          0x66   M0f   0xe0  Float    F128      None V3;
    PAVGW          0x66   M0f   0xe3  Float    F128      None V3;
    PABSB          0x66   M0f38 0x1c  Float    F128      None V2;
    PABSW          0x66   M0f38 0x1d  Float    F128      None V2;
    PABSD          0x66   M0f38 0x1e  Float    F128      None V2;
    PMULLW         0x66   M0f   0xd5  Float    F128      None V3;
    PMULHW         0x66   M0f   0xe5  Float    F128      None V3;
    PMULHUW        0x66   M0f   0xe4  Float    F128      None V3;
    PMULHRSW       0x66   M0f38 0x0b  Float    F128      None V3;
    PMULLD         0x66   M0f38 0x40  Float    F128      None V3;
    PMULDQ         0x66   M0f38 0x28  Float    F128      None V3;
    PMULUDQ        0x66   M0f   0xf4  Float    F128      None V3;
    PMADDWD        0x66   M0f   0xf5  Float    F128      None V3;
    PMADDUBSW      0x66   M0f38 0x04  Float    F128      None V3;
    PMINSB         0x66   M0f38 0x38  Float    F128      None V3;
    PMINSW         0x66   M0f   0xea  Float    F128      None V3;
    PMINSD         0x66   M0f38 0x39  Float    F128      None V3;
    PMINUB         0x66   M0f   0xda  Float    F128      None V3;
    PMINUW         0x66   M0f38 0x3a  Float    F128      None V3;
    PMINUD         0x66   M0f38 0x3b  Float    F128      None V3;
    PMAXSB         0x66   M0f38 0x3c  Float    F128      None V3;
    PMAXSW         0x66   M0f   0xee  Float    F128      None V3;
    PMAXSD         0x66   M0f38 0x3d  Float    F128      None V3;
    PMAXUB         0x66   M0f   0xde  Float    F128      None V3;
    PMAXUW         0x66   M0f38 0x3e  Float    F128      None V3;
    PMAXUD         0x66   M0f38 0x3f  Float    F128      None V3;
    PCMPEQB        0x66   M0f   0x74  Float    F128      None V3;
    PCMPEQW        0x66   M0f   0x75  Float    F128      None V3;
    PCMPEQD        0x66   M0f   0x76  Float    F128      None V3;
    PCMPEQQ        0x66   M0f38 0x29  Float    F128      None V3;
    PCMPGTB        0x66   M0f   0x64  Float    F128      None V3;
    PCMPGTW        0x66   M0f   0x65  Float    F128      None V3;
    PCMPGTD        0x66   M0f   0x66  Float    F128      None V3;
    PCMPGTQ        0x66   M0f38 0x37  Float    F128      None V3;

    // Float arithmetic.
    ADDPS          0x00   M0f   0x58  Float    F128      None V3;
    ADDPD          0x66   M0f   0x58  Float    F128      None V3;
    MULPS          0x00   M0f   0x59  Float    F128      None V3;
    MULPD          0x66   M0f   0x59  Float    F128      None V3;
    SUBPS          0x00   M0f   0x5c  Float    F128      None V3;
    SUBPD          0x66   M0f   0x5c  Float    F128      None V3;
    MINPS          0x00   M0f   0x5d  Float    F128      None V3;
    MINPD          0x66   M0f   0x5d  Float    F128      None V3;
    DIVPS          0x00   M0f   0x5e  Float    F128      None V3;
    DIVPD          0x66   M0f   0x5e  Float    F128      None V3;
    MAXPS          0x00   M0f   0x5f  Float    F128      None V3;
    MAXPD          0x66   M0f   0x5f  Float    F128      None V3;
    SQRTPS         0x00   M0f   0x51  Float    F128      None V2;
    SQRTPD         0x66   M0f   0x51  Float    F128      None V2;
    ROUNDPS        0x66   M0f3a 0x08  Float    F128      I8   V2;
    ROUNDPD        0x66   M0f3a 0x09  Float    F128      I8   V2;
    // The immediate is a `Predicate`.
    CMPPS          0x00   M0f   0xc2  Float    F128      I8   V3;
    CMPPD          0x66   M0f   0xc2  Float    F128      I8   V3;
    CVTDQ2PS       0x00   M0f   0x5b  Float    F128      None V2;
    CVTDQ2PD       0xf3   M0f   0xe6  Float    F64       None V2;
    CVTTPS2DQ      0xf3   M0f   0x5b  Float    F128      None V2;
    CVTTPD2DQ      0x66   M0f   0xe6  Float    F128      None V2;
    CVTPS2PD       0x00   M0f   0x5a  Float    F64       None V2;
    CVTPD2PS       0x66   M0f   0x5a  Float    F128      None V2;

    // FMA: fused, `N` with the product negated. The digits say which operands are multiplied and which is added,
    // counted from the destination: `132` is `reg * rm + v`, `213` is `v * reg + rm`, `231` is `v * rm + reg`.
    VFMADD132PS    0x66   M0f38 0x98  Float    F128      None X3;
    VFMADD132PD    0x66   M0f38 0x98  Float    F128      None X3 W;
    VFMADD213PS    0x66   M0f38 0xa8  Float    F128      None X3;
    VFMADD213PD    0x66   M0f38 0xa8  Float    F128      None X3 W;
    VFMADD231PS    0x66   M0f38 0xb8  Float    F128      None X3;
    VFMADD231PD    0x66   M0f38 0xb8  Float    F128      None X3 W;
    VFNMADD132PS   0x66   M0f38 0x9c  Float    F128      None X3;
    VFNMADD132PD   0x66   M0f38 0x9c  Float    F128      None X3 W;
    VFNMADD213PS   0x66   M0f38 0xac  Float    F128      None X3;
    VFNMADD213PD   0x66   M0f38 0xac  Float    F128      None X3 W;
    VFNMADD231PS   0x66   M0f38 0xbc  Float    F128      None X3;
    VFNMADD231PD   0x66   M0f38 0xbc  Float    F128      None X3 W;
}
