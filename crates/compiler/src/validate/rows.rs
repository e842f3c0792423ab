//! The rows of sweep 1: what each operator takes and gives, and of what form its immediates are.
//!
//! The classes are few and the rest is data, so that the sweep's one indirect jump is easy to predict.

use super::operands::{F32, F64, I32, I64};
use wasmparser::WasmFeatures;

/// What the sweep does with an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Class {
    /// Not known, or of a feature that is switched off: the reference judges.
    Leave,
    /// No immediates; the row says the rest.
    Plain,
    /// A memory argument; takes an address.
    Load,
    /// A memory argument; takes an address and a value of the row's type.
    Store,
    /// A signed number.
    Const,
    /// The bytes of a float.
    FloatConst,
    Unreachable,
    Nop,
    Block,
    TryTable,
    Throw,
    ThrowRef,
    Loop,
    If,
    Else,
    End,
    Br,
    BrIf,
    BrTable,
    Return,
    Call,
    CallIndirect,
    ReturnCall,
    ReturnCallIndirect,
    CallRef,
    ReturnCallRef,
    Drop,
    Select,
    TypedSelect,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    GlobalSet,
    TableGet,
    TableSet,
    MemorySize,
    MemoryGrow,
    RefNull,
    RefIsNull,
    RefFunc,
    RefEq,
    RefAsNonNull,
    BrOnNull,
    BrOnNonNull,
    /// Behind 0xfb.
    Object,
    /// Behind 0xfc.
    Prefix,
    /// Behind 0xfe.
    Atomic,
    /// Behind 0xfd.
    Vector,
}

/// One operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) class: Class,
    /// The code of what it gives; of a store, of the value that it takes.
    pub(super) gives: u8,
    /// Of loads and stores: the logarithm of the natural alignment in bytes. Of constants: how many bytes they take, at
    /// most if they are numbers.
    pub(super) size: u8,
    /// How many bits of a window its operands take, if it is plain.
    pub(super) shift: u8,
    /// The codes of the operands of a plain operator, as in a window.
    pub(super) takes: u16,
    /// Which bits of a window to compare.
    pub(super) mask: u16,
}

const fn row(class: Class) -> Row {
    Row { class, gives: 0, size: 0, shift: 0, takes: 0, mask: 0 }
}

/// Takes one operand.
const fn unary(takes: u8, gives: u8) -> Row {
    Row { gives, shift: 8, takes: takes as u16, mask: 0xff, ..row(Class::Plain) }
}

/// Takes two operands of one type.
const fn binary(takes: u8, gives: u8) -> Row {
    Row { gives, shift: 16, takes: u16::from_le_bytes([takes, takes]), mask: 0xffff, ..row(Class::Plain) }
}

const fn load(gives: u8, size: u8) -> Row {
    Row { gives, size, ..row(Class::Load) }
}

const fn store(takes: u8, size: u8) -> Row {
    Row { gives: takes, size, ..row(Class::Store) }
}

const fn constant(class: Class, gives: u8, size: u8) -> Row {
    Row { gives, size, ..row(class) }
}

/// The operators of one byte, from the first opcode to the last.
#[rustfmt::skip]
const ROWS: &[(u8, u8, Row)] = &[
    (0x00, 0x00, row(Class::Unreachable)),
    (0x01, 0x01, row(Class::Nop)),
    (0x02, 0x02, row(Class::Block)),
    (0x03, 0x03, row(Class::Loop)),
    (0x04, 0x04, row(Class::If)),
    (0x05, 0x05, row(Class::Else)),
    (0x08, 0x08, row(Class::Throw)),
    (0x0a, 0x0a, row(Class::ThrowRef)),
    (0x0b, 0x0b, row(Class::End)),
    (0x0c, 0x0c, row(Class::Br)),
    (0x0d, 0x0d, row(Class::BrIf)),
    (0x0e, 0x0e, row(Class::BrTable)),
    (0x0f, 0x0f, row(Class::Return)),
    (0x10, 0x10, row(Class::Call)),
    (0x11, 0x11, row(Class::CallIndirect)),
    (0x12, 0x12, row(Class::ReturnCall)),
    (0x13, 0x13, row(Class::ReturnCallIndirect)),
    (0x14, 0x14, row(Class::CallRef)),
    (0x15, 0x15, row(Class::ReturnCallRef)),
    (0x1a, 0x1a, row(Class::Drop)),
    (0x1b, 0x1b, row(Class::Select)),
    (0x1c, 0x1c, row(Class::TypedSelect)),
    (0x1f, 0x1f, row(Class::TryTable)),
    (0x20, 0x20, row(Class::LocalGet)),
    (0x21, 0x21, row(Class::LocalSet)),
    (0x22, 0x22, row(Class::LocalTee)),
    (0x23, 0x23, row(Class::GlobalGet)),
    (0x24, 0x24, row(Class::GlobalSet)),
    (0x25, 0x25, row(Class::TableGet)),
    (0x26, 0x26, row(Class::TableSet)),
    (0x28, 0x28, load(I32, 2)),
    (0x29, 0x29, load(I64, 3)),
    (0x2a, 0x2a, load(F32, 2)),
    (0x2b, 0x2b, load(F64, 3)),
    (0x2c, 0x2d, load(I32, 0)),                 // 8 bits, both signs
    (0x2e, 0x2f, load(I32, 1)),                 // 16
    (0x30, 0x31, load(I64, 0)),                 // 8
    (0x32, 0x33, load(I64, 1)),                 // 16
    (0x34, 0x35, load(I64, 2)),                 // 32
    (0x36, 0x36, store(I32, 2)),
    (0x37, 0x37, store(I64, 3)),
    (0x38, 0x38, store(F32, 2)),
    (0x39, 0x39, store(F64, 3)),
    (0x3a, 0x3a, store(I32, 0)),                // 8 bits
    (0x3b, 0x3b, store(I32, 1)),                // 16
    (0x3c, 0x3c, store(I64, 0)),                // 8
    (0x3d, 0x3d, store(I64, 1)),                // 16
    (0x3e, 0x3e, store(I64, 2)),                // 32
    (0x3f, 0x3f, row(Class::MemorySize)),
    (0x40, 0x40, row(Class::MemoryGrow)),
    (0x41, 0x41, constant(Class::Const, I32, 5)),
    (0x42, 0x42, constant(Class::Const, I64, 10)),
    (0x43, 0x43, constant(Class::FloatConst, F32, 4)),
    (0x44, 0x44, constant(Class::FloatConst, F64, 8)),
    (0x45, 0x45, unary(I32, I32)),              // eqz
    (0x46, 0x4f, binary(I32, I32)),             // comparisons
    (0x50, 0x50, unary(I64, I32)),              // eqz
    (0x51, 0x5a, binary(I64, I32)),
    (0x5b, 0x60, binary(F32, I32)),
    (0x61, 0x66, binary(F64, I32)),
    (0x67, 0x69, unary(I32, I32)),              // clz, ctz, popcnt
    (0x6a, 0x78, binary(I32, I32)),             // add .. rotr
    (0x79, 0x7b, unary(I64, I64)),              // clz, ctz, popcnt
    (0x7c, 0x8a, binary(I64, I64)),             // add .. rotr
    (0x8b, 0x91, unary(F32, F32)),              // abs .. sqrt
    (0x92, 0x98, binary(F32, F32)),             // add .. copysign
    (0x99, 0x9f, unary(F64, F64)),              // abs .. sqrt
    (0xa0, 0xa6, binary(F64, F64)),             // add .. copysign
    (0xa7, 0xa7, unary(I64, I32)),              // wrap
    (0xa8, 0xa9, unary(F32, I32)),              // trunc
    (0xaa, 0xab, unary(F64, I32)),              // trunc
    (0xac, 0xad, unary(I32, I64)),              // extend
    (0xae, 0xaf, unary(F32, I64)),              // trunc
    (0xb0, 0xb1, unary(F64, I64)),              // trunc
    (0xb2, 0xb3, unary(I32, F32)),              // convert
    (0xb4, 0xb5, unary(I64, F32)),              // convert
    (0xb6, 0xb6, unary(F64, F32)),              // demote
    (0xb7, 0xb8, unary(I32, F64)),              // convert
    (0xb9, 0xba, unary(I64, F64)),              // convert
    (0xbb, 0xbb, unary(F32, F64)),              // promote
    (0xbc, 0xbc, unary(F32, I32)),              // reinterpret
    (0xbd, 0xbd, unary(F64, I64)),              // reinterpret
    (0xbe, 0xbe, unary(I32, F32)),              // reinterpret
    (0xbf, 0xbf, unary(I64, F64)),              // reinterpret
    (0xc0, 0xc1, unary(I32, I32)),              // extend 8 and 16 bits
    (0xc2, 0xc4, unary(I64, I64)),              // extend 8, 16 and 32 bits
    (0xd0, 0xd0, row(Class::RefNull)),
    (0xd1, 0xd1, row(Class::RefIsNull)),
    (0xd2, 0xd2, row(Class::RefFunc)),
    (0xd3, 0xd3, row(Class::RefEq)),
    (0xd4, 0xd4, row(Class::RefAsNonNull)),
    (0xd5, 0xd5, row(Class::BrOnNull)),
    (0xd6, 0xd6, row(Class::BrOnNonNull)),
    (0xfb, 0xfb, row(Class::Object)),
    (0xfc, 0xfc, row(Class::Prefix)),
    (0xfe, 0xfe, row(Class::Atomic)),
    (0xfd, 0xfd, row(Class::Vector)),
];

/// By opcode, with all features that the compiler supports switched on.
const ALL: [Row; 256] = {
    let mut rows = [row(Class::Leave); 256];
    let mut i = 0;
    while i < ROWS.len() {
        let (mut opcode, last, row) = ROWS[i];
        loop {
            assert!(matches!(rows[opcode as usize].class, Class::Leave), "two rows for one opcode");
            rows[opcode as usize] = row;
            if opcode == last {
                break;
            }
            opcode += 1;
        }
        i += 1;
    }
    rows
};

/// What a set of features makes of the rows; computed once for all functions of a module.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) features: WasmFeatures,
    pub(super) rows: [Row; 256],
}

impl Rules {
    #[cold]
    #[inline(never)]
    pub(super) fn new(features: WasmFeatures) -> Rules {
        let mut rows = ALL;
        let mut needs = |on: bool, opcodes: &[u8]| {
            for opcode in opcodes.iter().filter(|_| !on) {
                rows[*opcode as usize] = row(Class::Leave);
            }
        };
        needs(features.sign_extension(), &[0xc0, 0xc1, 0xc2, 0xc3, 0xc4]);
        needs(features.tail_call(), &[0x12, 0x13, 0x15]);
        needs(features.function_references(), &[0x14, 0x15, 0xd4, 0xd5, 0xd6]);
        needs(features.gc(), &[0xd3, 0xfb]);
        needs(features.threads(), &[0xfe]);
        needs(features.reference_types(), &[0x1c, 0x25, 0x26, 0xd0, 0xd1, 0xd2]);
        needs(features.simd(), &[0xfd]);
        needs(features.exceptions(), &[0x08, 0x0a, 0x1f]);
        // Which of the operators are about floats is of no interest: nobody switches them off.
        needs(features.floats(), &std::array::from_fn::<u8, 256, _>(|opcode| opcode as u8));
        Rules { features, rows }
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::new(WasmFeatures::default())
    }
}
