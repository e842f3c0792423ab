//! The instructions of x86-64 that Lightbeam uses, one line each, as plain data.
//!
//! A row names one opcode with its operands. Names are the manual's; where one mnemonic has several opcodes, a suffix
//! tells the operands in order: `R` the register of the modrm byte, `M` its register or memory, `I` an immediate.
//! `Int` operands are as wide as the [`Size`](super::Size) given at emission.

/// One opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// `0x66`, `0xf2`, `0xf3`, or 0 for none.
    pub prefix: u8,
    /// Which opcode map.
    pub map: Map,
    /// The map's escape bytes and the opcode, as they stand in memory.
    pub opcode: u32,
    /// How many bytes that is.
    pub opcode_len: u8,
    /// What the `reg` field of the modrm byte is.
    pub reg: Operand,
    /// What a register in the `rm` field of the modrm byte is.
    pub rm: Operand,
    /// What comes after the address.
    pub imm: Imm,
    /// Which of the two encodings there are.
    pub form: Form,
    /// With an address: an opcode of one byte, no prefix but REX, which is never empty for want of it, no immediate.
    pub plain: bool,
}

/// An opcode map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Map {
    /// One byte.
    One = 0,
    /// `0f`.
    M0f = 1,
    /// `0f 38`.
    M0f38 = 2,
    /// `0f 3a`.
    M0f3a = 3,
}

/// What one field of the modrm byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// An integer register, as wide as the operation.
    Int,
    /// The lowest byte of an integer register; `sil` and its like need a REX prefix.
    Int8,
    /// The lowest 16 bits of an integer register.
    Int16,
    /// The lowest 32 bits of an integer register.
    Int32,
    /// A float register.
    Float,
    /// Memory only.
    Mem,
    /// A part of the opcode.
    Digit(u8),
}

/// An immediate operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imm {
    /// None.
    None,
    /// 8 bits, sign-extended where the operation is wider.
    I8,
    /// 16 bits.
    I16,
    /// 32 bits, sign-extended where the operation is wider.
    I32,
}

/// The encodings that an opcode has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Legacy only.
    L,
    /// Legacy, and VEX with the same operands.
    V2,
    /// Legacy, and VEX with an additional source between destination and last operand.
    V3,
    /// VEX only: `reg`, `rm`.
    X2,
    /// VEX only: `reg`, additional source, `rm`.
    X3,
    /// VEX only: `reg`, `rm`, additional source.
    X3Last,
    /// Legacy with `rm` the destination, and VEX with an additional destination in front.
    D3,
}

impl Row {
    const fn new(prefix: u8, map: Map, op: u8, reg: Operand, rm: Operand, imm: Imm, form: Form) -> Row {
        let (escape, escape_len) = match map {
            Map::One => (0, 0),
            Map::M0f => (0x0f, 1),
            Map::M0f38 => (0x380f, 2),
            Map::M0f3a => (0x3a0f, 2),
        };
        let opcode = escape | (op as u32) << (8 * escape_len);
        let plain = prefix == 0
            && matches!(map, Map::One)
            && matches!(imm, Imm::None)
            && !matches!(reg, Operand::Int8)
            && matches!(form, Form::L);
        Row { prefix, map, opcode, opcode_len: escape_len + 1, reg, rm, imm, form, plain }
    }

    /// The opcode within its map.
    #[must_use]
    pub const fn op(self) -> u8 {
        (self.opcode >> (8 * (self.opcode_len - 1))) as u8
    }

    /// The same instruction with another opcode of the same map, for families that number their members.
    #[must_use]
    pub const fn offset(self, by: u8) -> Row {
        Row { opcode: self.opcode + ((by as u32) << (8 * (self.opcode_len - 1))), ..self }
    }

    /// The same instruction with another digit.
    #[must_use]
    pub const fn digit(self, digit: u8) -> Row {
        Row { reg: Operand::Digit(digit), ..self }
    }
}

macro_rules! rows {
    ($($name:ident $prefix:literal $map:ident $op:literal $reg:ident $(/ $digit:literal)? $rm:ident $imm:ident $form:ident;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: Row =
                Row::new($prefix, Map::$map, $op, Operand::$reg $(($digit))?, Operand::$rm, Imm::$imm, Form::$form);
        )*
        /// All rows with their names, for tests.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, Row)] = &[$((stringify!($name), $name)),*];
    };
}

#[rustfmt::skip]
rows! {
    // name       prefix map   op    reg      rm     imm  form
    MOV_RM        0x00   One   0x8b  Int      Int    None L;
    MOV_MR        0x00   One   0x89  Int      Int    None L;
    MOV_MR8       0x00   One   0x88  Int8     Int8   None L;
    MOV_MR16      0x66   One   0x89  Int16    Int16  None L;
    MOV_MI        0x00   One   0xc7  Digit/0  Int    I32  L;
    MOV_MI8       0x00   One   0xc6  Digit/0  Int8   I8   L;
    MOV_MI16      0x66   One   0xc7  Digit/0  Int16  I16  L;
    MOVZX_8       0x00   M0f   0xb6  Int      Int8   None L;
    MOVZX_16      0x00   M0f   0xb7  Int      Int16  None L;
    MOVSX_8       0x00   M0f   0xbe  Int      Int8   None L;
    MOVSX_16      0x00   M0f   0xbf  Int      Int16  None L;
    MOVSXD        0x00   One   0x63  Int      Int32  None L;
    LEA           0x00   One   0x8d  Int      Mem    None L;
    XCHG          0x00   One   0x87  Int      Int    None L;

    // The eight of this family differ by 8 in the opcode, resp. in the digit: `Alu::row_rm` and its like.
    ADD_RM        0x00   One   0x03  Int      Int    None L;
    ADD_MR        0x00   One   0x01  Int      Int    None L;
    ADD_MI8       0x00   One   0x83  Digit/0  Int    I8   L;
    ADD_MI        0x00   One   0x81  Digit/0  Int    I32  L;
    CMP_M8I8      0x00   One   0x80  Digit/7  Int8   I8   L;
    CMP_M16I8     0x66   One   0x83  Digit/7  Int16  I8   L;
    TEST_MR       0x00   One   0x85  Int      Int    None L;
    TEST_MI8      0x00   One   0xf6  Digit/0  Int8   I8   L;
    TEST_MI       0x00   One   0xf7  Digit/0  Int    I32  L;
    INC           0x00   One   0xff  Digit/0  Int    None L;
    DEC           0x00   One   0xff  Digit/1  Int    None L;
    NOT           0x00   One   0xf7  Digit/2  Int    None L;
    NEG           0x00   One   0xf7  Digit/3  Int    None L;
    MUL           0x00   One   0xf7  Digit/4  Int    None L;
    IMUL_M        0x00   One   0xf7  Digit/5  Int    None L;
    DIV           0x00   One   0xf7  Digit/6  Int    None L;
    IDIV          0x00   One   0xf7  Digit/7  Int    None L;
    IMUL_RM       0x00   M0f   0xaf  Int      Int    None L;
    IMUL_RMI8     0x00   One   0x6b  Int      Int    I8   L;
    IMUL_RMI      0x00   One   0x69  Int      Int    I32  L;

    // The members of this family differ in the digit: `Shift`.
    ROL_MI        0x00   One   0xc1  Digit/0  Int    I8   L;
    ROL_M1        0x00   One   0xd1  Digit/0  Int    None L;
    ROL_MC        0x00   One   0xd3  Digit/0  Int    None L;
    BTC           0x00   M0f   0xba  Digit/7  Int    I8   L;
    SHLX          0x66   M0f38 0xf7  Int      Int    None X3Last;
    SHRX          0xf2   M0f38 0xf7  Int      Int    None X3Last;
    SARX          0xf3   M0f38 0xf7  Int      Int    None X3Last;
    RORX          0xf2   M0f3a 0xf0  Int      Int    I8   X2;
    ANDN          0x00   M0f38 0xf2  Int      Int    None X3;
    BSF           0x00   M0f   0xbc  Int      Int    None L;
    BSR           0x00   M0f   0xbd  Int      Int    None L;
    TZCNT         0xf3   M0f   0xbc  Int      Int    None L;
    LZCNT         0xf3   M0f   0xbd  Int      Int    None L;
    POPCNT        0xf3   M0f   0xb8  Int      Int    None L;

    // The sixteen of each of these two families differ by the condition in the opcode: `Cc`.
    SETO          0x00   M0f   0x90  Digit/0  Int8   None L;
    CMOVO         0x00   M0f   0x40  Int      Int    None L;
    CALL_M        0x00   One   0xff  Digit/2  Int    None L;
    JMP_M         0x00   One   0xff  Digit/4  Int    None L;
    PUSH_M        0x00   One   0xff  Digit/6  Int    None L;
    POP_M         0x00   One   0x8f  Digit/0  Int    None L;

    MOVSS_RM      0xf3   M0f   0x10  Float    Mem    None V2;
    MOVSS_MR      0xf3   M0f   0x11  Float    Mem    None V2;
    MOVSD_RM      0xf2   M0f   0x10  Float    Mem    None V2;
    MOVSD_MR      0xf2   M0f   0x11  Float    Mem    None V2;
    MOVAPS_RM     0x00   M0f   0x28  Float    Float  None V2;
    MOVAPS_MR     0x00   M0f   0x29  Float    Mem    None V2;
    MOVUPS_RM     0x00   M0f   0x10  Float    Float  None V2;
    MOVUPS_MR     0x00   M0f   0x11  Float    Mem    None V2;
    MOVD_RM       0x66   M0f   0x6e  Float    Int    None V2;
    MOVD_MR       0x66   M0f   0x7e  Float    Int    None V2;

    ADDSS         0xf3   M0f   0x58  Float    Float  None V3;
    ADDSD         0xf2   M0f   0x58  Float    Float  None V3;
    MULSS         0xf3   M0f   0x59  Float    Float  None V3;
    MULSD         0xf2   M0f   0x59  Float    Float  None V3;
    SUBSS         0xf3   M0f   0x5c  Float    Float  None V3;
    SUBSD         0xf2   M0f   0x5c  Float    Float  None V3;
    MINSS         0xf3   M0f   0x5d  Float    Float  None V3;
    MINSD         0xf2   M0f   0x5d  Float    Float  None V3;
    DIVSS         0xf3   M0f   0x5e  Float    Float  None V3;
    DIVSD         0xf2   M0f   0x5e  Float    Float  None V3;
    MAXSS         0xf3   M0f   0x5f  Float    Float  None V3;
    MAXSD         0xf2   M0f   0x5f  Float    Float  None V3;
    SQRTSS        0xf3   M0f   0x51  Float    Float  None V3;
    SQRTSD        0xf2   M0f   0x51  Float    Float  None V3;
    ROUNDSS       0x66   M0f3a 0x0a  Float    Float  I8   V3;
    ROUNDSD       0x66   M0f3a 0x0b  Float    Float  I8   V3;
    UCOMISS       0x00   M0f   0x2e  Float    Float  None V2;
    UCOMISD       0x66   M0f   0x2e  Float    Float  None V2;
    CMPSS         0xf3   M0f   0xc2  Float    Float  I8   V3;
    CMPSD         0xf2   M0f   0xc2  Float    Float  I8   V3;
    CVTSS2SD      0xf3   M0f   0x5a  Float    Float  None V3;
    CVTSD2SS      0xf2   M0f   0x5a  Float    Float  None V3;
    CVTSI2SS      0xf3   M0f   0x2a  Float    Int    None V3;
    CVTSI2SD      0xf2   M0f   0x2a  Float    Int    None V3;
    CVTTSS2SI     0xf3   M0f   0x2c  Int      Float  None V2;
    CVTTSD2SI     0xf2   M0f   0x2c  Int      Float  None V2;
    ANDPS         0x00   M0f   0x54  Float    Float  None V3;
    ANDNPS        0x00   M0f   0x55  Float    Float  None V3;
    ORPS          0x00   M0f   0x56  Float    Float  None V3;
    XORPS         0x00   M0f   0x57  Float    Float  None V3;
    PCMPEQD       0x66   M0f   0x76  Float    Float  None V3;
    PSRLD         0x66   M0f   0x72  Digit/2  Float  I8   D3;
    PSLLD         0x66   M0f   0x72  Digit/6  Float  I8   D3;
    PSRLQ         0x66   M0f   0x73  Digit/2  Float  I8   D3;
    PSLLQ         0x66   M0f   0x73  Digit/6  Float  I8   D3;
}
