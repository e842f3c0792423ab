//! The rows of sweep 1: to which class each operator belongs. A class says what an operator takes and gives, and of what
//! form its immediates are; most name nothing but types.

use wasmparser::WasmFeatures;

/// What the sweep does with an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Class {
    /// Not known, or of a feature that is switched off: the reference judges.
    Leave,
    Unreachable,
    Nop,
    Block,
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
    /// Behind 0xfc.
    Prefix,
    // By result: an address and a memory argument.
    LoadI32,
    LoadI64,
    LoadF32,
    LoadF64,
    // By operand: an address, a value and a memory argument.
    StoreI32,
    StoreI64,
    StoreF32,
    StoreF64,
    ConstI32,
    ConstI64,
    ConstF32,
    ConstF64,
    // Operand and result.
    I32ToI32,
    I64ToI32,
    F32ToI32,
    F64ToI32,
    I32ToI64,
    I64ToI64,
    F32ToI64,
    F64ToI64,
    I32ToF32,
    I64ToF32,
    F32ToF32,
    F64ToF32,
    I32ToF64,
    I64ToF64,
    F32ToF64,
    F64ToF64,
    // Two operands of one type, and a result of the same type or an `i32`.
    TwoI32,
    TwoI64,
    TwoF32,
    TwoF64,
    CompareI64,
    CompareF32,
    CompareF64,
}

/// Classes of the operators of one byte, from the first opcode to the last.
#[rustfmt::skip]
const ROWS: &[(u8, u8, Class)] = &[
    (0x00, 0x00, Class::Unreachable),
    (0x01, 0x01, Class::Nop),
    (0x02, 0x02, Class::Block),
    (0x03, 0x03, Class::Loop),
    (0x04, 0x04, Class::If),
    (0x05, 0x05, Class::Else),
    (0x0b, 0x0b, Class::End),
    (0x0c, 0x0c, Class::Br),
    (0x0d, 0x0d, Class::BrIf),
    (0x0e, 0x0e, Class::BrTable),
    (0x0f, 0x0f, Class::Return),
    (0x10, 0x10, Class::Call),
    (0x11, 0x11, Class::CallIndirect),
    (0x12, 0x12, Class::ReturnCall),
    (0x13, 0x13, Class::ReturnCallIndirect),
    (0x1a, 0x1a, Class::Drop),
    (0x1b, 0x1b, Class::Select),
    (0x1c, 0x1c, Class::TypedSelect),
    (0x20, 0x20, Class::LocalGet),
    (0x21, 0x21, Class::LocalSet),
    (0x22, 0x22, Class::LocalTee),
    (0x23, 0x23, Class::GlobalGet),
    (0x24, 0x24, Class::GlobalSet),
    (0x25, 0x25, Class::TableGet),
    (0x26, 0x26, Class::TableSet),
    (0x28, 0x28, Class::LoadI32),
    (0x29, 0x29, Class::LoadI64),
    (0x2a, 0x2a, Class::LoadF32),
    (0x2b, 0x2b, Class::LoadF64),
    (0x2c, 0x2f, Class::LoadI32),       // 8 and 16 bits
    (0x30, 0x35, Class::LoadI64),       // 8, 16 and 32 bits
    (0x36, 0x36, Class::StoreI32),
    (0x37, 0x37, Class::StoreI64),
    (0x38, 0x38, Class::StoreF32),
    (0x39, 0x39, Class::StoreF64),
    (0x3a, 0x3b, Class::StoreI32),      // 8 and 16 bits
    (0x3c, 0x3e, Class::StoreI64),      // 8, 16 and 32 bits
    (0x3f, 0x3f, Class::MemorySize),
    (0x40, 0x40, Class::MemoryGrow),
    (0x41, 0x41, Class::ConstI32),
    (0x42, 0x42, Class::ConstI64),
    (0x43, 0x43, Class::ConstF32),
    (0x44, 0x44, Class::ConstF64),
    (0x45, 0x45, Class::I32ToI32),      // eqz
    (0x46, 0x4f, Class::TwoI32),        // comparisons
    (0x50, 0x50, Class::I64ToI32),      // eqz
    (0x51, 0x5a, Class::CompareI64),
    (0x5b, 0x60, Class::CompareF32),
    (0x61, 0x66, Class::CompareF64),
    (0x67, 0x69, Class::I32ToI32),      // clz, ctz, popcnt
    (0x6a, 0x78, Class::TwoI32),        // add .. rotr
    (0x79, 0x7b, Class::I64ToI64),      // clz, ctz, popcnt
    (0x7c, 0x8a, Class::TwoI64),        // add .. rotr
    (0x8b, 0x91, Class::F32ToF32),      // abs .. sqrt
    (0x92, 0x98, Class::TwoF32),        // add .. copysign
    (0x99, 0x9f, Class::F64ToF64),      // abs .. sqrt
    (0xa0, 0xa6, Class::TwoF64),        // add .. copysign
    (0xa7, 0xa7, Class::I64ToI32),      // wrap
    (0xa8, 0xa9, Class::F32ToI32),      // trunc
    (0xaa, 0xab, Class::F64ToI32),      // trunc
    (0xac, 0xad, Class::I32ToI64),      // extend
    (0xae, 0xaf, Class::F32ToI64),      // trunc
    (0xb0, 0xb1, Class::F64ToI64),      // trunc
    (0xb2, 0xb3, Class::I32ToF32),      // convert
    (0xb4, 0xb5, Class::I64ToF32),      // convert
    (0xb6, 0xb6, Class::F64ToF32),      // demote
    (0xb7, 0xb8, Class::I32ToF64),      // convert
    (0xb9, 0xba, Class::I64ToF64),      // convert
    (0xbb, 0xbb, Class::F32ToF64),      // promote
    (0xbc, 0xbc, Class::F32ToI32),      // reinterpret
    (0xbd, 0xbd, Class::F64ToI64),      // reinterpret
    (0xbe, 0xbe, Class::I32ToF32),      // reinterpret
    (0xbf, 0xbf, Class::I64ToF64),      // reinterpret
    (0xc0, 0xc1, Class::I32ToI32),      // extend 8 and 16 bits
    (0xc2, 0xc4, Class::I64ToI64),      // extend 8, 16 and 32 bits
    (0xd0, 0xd0, Class::RefNull),
    (0xd1, 0xd1, Class::RefIsNull),
    (0xd2, 0xd2, Class::RefFunc),
    (0xfc, 0xfc, Class::Prefix),
];

/// By opcode of a load or store: the logarithm of its natural alignment in bytes.
pub(super) const ALIGN: [u8; 256] = {
    let natural = [2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2];
    let mut align = [0; 256];
    let mut i = 0;
    while i < natural.len() {
        align[0x28 + i] = natural[i];
        i += 1;
    }
    align
};

/// By opcode, with all features that the compiler supports switched on.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Leave; 256];
    let mut i = 0;
    while i < ROWS.len() {
        let (mut opcode, last, class) = ROWS[i];
        loop {
            assert!(matches!(classes[opcode as usize], Class::Leave), "two rows for one opcode");
            classes[opcode as usize] = class;
            if opcode == last {
                break;
            }
            opcode += 1;
        }
        i += 1;
    }
    classes
};

/// What a set of features makes of the rows; computed once for all functions of a module.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) features: WasmFeatures,
    pub(super) classes: [Class; 256],
}

impl Rules {
    pub(super) fn new(features: WasmFeatures) -> Rules {
        let mut classes = CLASSES;
        let mut needs = |on: bool, opcodes: &[u8]| {
            for opcode in opcodes.iter().filter(|_| !on) {
                classes[*opcode as usize] = Class::Leave;
            }
        };
        needs(features.sign_extension(), &[0xc0, 0xc1, 0xc2, 0xc3, 0xc4]);
        needs(features.tail_call(), &[0x12, 0x13]);
        needs(features.reference_types(), &[0x1c, 0x25, 0x26, 0xd0, 0xd1, 0xd2]);
        // Which of the operators are about floats is of no interest: nobody switches them off.
        needs(features.floats(), &std::array::from_fn::<u8, 256, _>(|opcode| opcode as u8));
        Rules { features, classes }
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::new(WasmFeatures::default())
    }
}
