//! The instructions of x86-64 that Lightbeam uses, one line each, as plain data.
//!
//! A row names one opcode with its operands. Names are the manual's; where one mnemonic has several opcodes, a suffix
//! tells the operands in order: `R` the register of the modrm byte, `M` its register or memory, `I` an immediate.
//! `Int` operands are as wide as the [`Size`](super::Size) given at emission. Here are the scalar rows, in `vector`
//! those that work on lanes.

mod vector;

pub use vector::*;

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
    /// The W bit of REX and VEX where it is a part of the opcode, else 0; what the size demands is added to it.
    pub w: u8,
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
    /// All 64 bits of an integer register.
    Int64,
    /// The lowest 32 bits of an integer register, or 8 bits of memory.
    Int32M8,
    /// The lowest 32 bits of an integer register, or 16 bits of memory.
    Int32M16,
    /// A float register. Never memory: with that the opcode is another instruction, or none.
    Float,
    /// A float register, or 8 bits of memory.
    F8,
    /// A float register, or 16 bits of memory.
    F16,
    /// A float register, or 32 bits of memory.
    F32,
    /// A float register, or 64 bits of memory.
    F64,
    /// A float register, or 128 bits of memory: aligned to as many in legacy encodings, anywhere in VEX.
    F128,
    /// A float register, or 128 bits of memory anywhere.
    F128U,
    /// Memory only, of any width.
    Mem,
    /// 32 bits of memory only.
    M32,
    /// 64 bits of memory only.
    M64,
    /// A part of the opcode.
    Digit(u8),
}

impl Operand {
    /// Is a register in this place a float register?
    #[must_use]
    pub const fn is_float(self) -> bool {
        use Operand::*;
        matches!(self, Float | F8 | F16 | F32 | F64 | F128 | F128U)
    }

    /// Can there be a register in this place?
    #[must_use]
    pub const fn has_reg(self) -> bool {
        !matches!(self, Operand::Mem | Operand::M32 | Operand::M64 | Operand::Digit(_))
    }

    /// Can there be memory in this place?
    #[must_use]
    pub const fn has_mem(self) -> bool {
        !matches!(self, Operand::Float | Operand::Digit(_))
    }
}

/// An immediate operand. The values are their sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Imm {
    /// None.
    None = 0,
    /// 8 bits, sign-extended where the operation is wider.
    I8 = 1,
    /// 16 bits.
    I16 = 2,
    /// 32 bits, sign-extended where the operation is wider.
    I32 = 4,
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
    /// VEX only: `reg`, additional source, `rm`, and another source whose code is in the immediate.
    X4,
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
        Row { prefix, map, opcode, opcode_len: escape_len + 1, reg, rm, imm, form, w: 0, plain }
    }

    const fn with_w(self, w: u8) -> Row {
        Row { w, plain: self.plain && w == 0, ..self }
    }

    /// The opcode within its map.
    #[must_use]
    pub const fn op(self) -> u8 {
        (self.opcode >> (8 * (self.opcode_len - 1))) as u8
    }

    /// The row of the instruction whose opcode is `by` more in the same map, for families that number their members.
    #[must_use]
    pub const fn offset(self, by: u8) -> Row {
        Row { opcode: self.opcode + ((by as u32) << (8 * (self.opcode_len - 1))), ..self }
    }

    /// Must memory be aligned to 16 bytes? Only in the legacy encoding, with VEX never.
    #[must_use]
    pub const fn wants_aligned(self) -> bool {
        matches!(self.rm, Operand::F128)
    }

    /// Does the instruction leave the flags as they are? A call does not, as whoever is called writes them.
    #[must_use]
    pub const fn keeps_flags(self) -> bool {
        let digit = if let Operand::Digit(digit) = self.reg { digit } else { 0 };
        match (self.map, self.op()) {
            // Those that test lanes or compare floats are the only ones of their kind.
            (Map::M0f, 0x2e | 0x2f) | (Map::M0f38, 0x17) => false,
            _ if self.reg.is_float() || self.rm.is_float() => true,
            // Moves, exchanges and addresses; `not`; jumps and what pushes.
            (Map::One, 0x63 | 0x86..=0x8b | 0x8d | 0x8f | 0xc6 | 0xc7) => true,
            (Map::One, 0xf7) => digit == 2,
            (Map::One, 0xff) => matches!(digit, 4 | 6),
            // `cmov` and `set`, extensions, shifts and rotations with three operands.
            (Map::M0f, 0x40..=0x4f | 0x90..=0x9f | 0xb6 | 0xb7 | 0xbe | 0xbf) => true,
            (Map::M0f38, 0xf7) | (Map::M0f3a, 0xf0) => true,
            _ => false,
        }
    }

    /// The row of the instruction with another digit.
    #[must_use]
    pub const fn digit(self, digit: u8) -> Row {
        Row { reg: Operand::Digit(digit), ..self }
    }
}

/// Opcodes one a line. `W` at the end of a line sets that bit.
macro_rules! rows {
    (
        $all:ident:
        $($name:ident $prefix:literal $map:ident $op:literal $reg:ident $(/ $digit:literal)? $rm:ident $imm:ident
        $form:ident $($w:ident)?;)*
    ) => {
        $(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: Row =
                Row::new($prefix, Map::$map, $op, Operand::$reg $(($digit))?, Operand::$rm, Imm::$imm, Form::$form)
                $(.with_w($w))?;
        )*
        /// All rows of this table with their names, for tests.
        #[cfg(test)]
        pub(crate) const $all: &[(&str, Row)] = &[$((stringify!($name), $name)),*];
    };
}
use rows;

/// The bit as REX has it.
const W: u8 = 8;

/// The tables, for tests.
#[cfg(test)]
pub(crate) const TABLES: [&[(&str, Row)]; 2] = [SCALAR, VECTOR];

#[rustfmt::skip]
rows! {
    SCALAR:
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
    // With memory the first three are atomic by themselves, those after them behind `Asm::lock`.
    XCHG          0x00   One   0x87  Int      Int    None L;
    XCHG_MR8      0x00   One   0x86  Int8     Int8   None L;
    XCHG_MR16     0x66   One   0x87  Int16    Int16  None L;
    XADD_MR       0x00   M0f   0xc1  Int      Int    None L;
    XADD_MR8      0x00   M0f   0xc0  Int8     Int8   None L;
    XADD_MR16     0x66   M0f   0xc1  Int16    Int16  None L;
    CMPXCHG_MR    0x00   M0f   0xb1  Int      Int    None L;
    CMPXCHG_MR8   0x00   M0f   0xb0  Int8     Int8   None L;
    CMPXCHG_MR16  0x66   M0f   0xb1  Int16    Int16  None L;

    // The eight of this family differ by 8 in the opcode, resp. in the digit: `Alu::row_rm` and its like.
    ADD_RM        0x00   One   0x03  Int      Int    None L;
    ADD_MR        0x00   One   0x01  Int      Int    None L;
    ADD_MR8       0x00   One   0x00  Int8     Int8   None L;
    ADD_MR16      0x66   One   0x01  Int16    Int16  None L;
    ADD_M8I8      0x00   One   0x80  Digit/0  Int8   I8   L;
    ADD_M16I8     0x66   One   0x83  Digit/0  Int16  I8   L;
    ADD_M16I16    0x66   One   0x81  Digit/0  Int16  I16  L;
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

    MOVSS_RM      0xf3   M0f   0x10  Float    M32    None V2;
    MOVSS_MR      0xf3   M0f   0x11  Float    M32    None V2;
    MOVSD_RM      0xf2   M0f   0x10  Float    M64    None V2;
    MOVSD_MR      0xf2   M0f   0x11  Float    M64    None V2;
    MOVD_RM       0x66   M0f   0x6e  Float    Int    None V2;
    MOVD_MR       0x66   M0f   0x7e  Float    Int    None V2;

    ADDSS         0xf3   M0f   0x58  Float    F32    None V3;
    ADDSD         0xf2   M0f   0x58  Float    F64    None V3;
    MULSS         0xf3   M0f   0x59  Float    F32    None V3;
    MULSD         0xf2   M0f   0x59  Float    F64    None V3;
    SUBSS         0xf3   M0f   0x5c  Float    F32    None V3;
    SUBSD         0xf2   M0f   0x5c  Float    F64    None V3;
    MINSS         0xf3   M0f   0x5d  Float    F32    None V3;
    MINSD         0xf2   M0f   0x5d  Float    F64    None V3;
    DIVSS         0xf3   M0f   0x5e  Float    F32    None V3;
    DIVSD         0xf2   M0f   0x5e  Float    F64    None V3;
    MAXSS         0xf3   M0f   0x5f  Float    F32    None V3;
    MAXSD         0xf2   M0f   0x5f  Float    F64    None V3;
    SQRTSS        0xf3   M0f   0x51  Float    F32    None V3;
    SQRTSD        0xf2   M0f   0x51  Float    F64    None V3;
    ROUNDSS       0x66   M0f3a 0x0a  Float    F32    I8   V3;
    ROUNDSD       0x66   M0f3a 0x0b  Float    F64    I8   V3;
    UCOMISS       0x00   M0f   0x2e  Float    F32    None V2;
    UCOMISD       0x66   M0f   0x2e  Float    F64    None V2;
    CMPSS         0xf3   M0f   0xc2  Float    F32    I8   V3;
    CMPSD         0xf2   M0f   0xc2  Float    F64    I8   V3;
    CVTSS2SD      0xf3   M0f   0x5a  Float    F32    None V3;
    CVTSD2SS      0xf2   M0f   0x5a  Float    F64    None V3;
    CVTSI2SS      0xf3   M0f   0x2a  Float    Int    None V3;
    CVTSI2SD      0xf2   M0f   0x2a  Float    Int    None V3;
    CVTTSS2SI     0xf3   M0f   0x2c  Int      F32    None V2;
    CVTTSD2SI     0xf2   M0f   0x2c  Int      F64    None V2;
}
