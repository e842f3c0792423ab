//! Constant expressions that make objects. They are given to the compiler as bodies of routines, so that there is one
//! place that knows how objects are made. All others the startup routine computes itself.

use lightbeam_compiler::facts::Work;
use std::collections::BTreeSet;
use wasmtime_environ::{
    ConstExpr, ConstOp, ModuleTranslation, TableInitialValue, TableSegmentElements, WasmHeapTopType,
};

/// Does it take an operator of the heap?
pub(crate) fn makes_objects(expr: &ConstExpr) -> bool {
    expr.ops().iter().any(|op| {
        matches!(
            op,
            ConstOp::RefI31
                | ConstOp::StructNew { .. }
                | ConstOp::StructNewDefault { .. }
                | ConstOp::ArrayNew { .. }
                | ConstOp::ArrayNewDefault { .. }
                | ConstOp::ArrayNewFixed { .. }
                | ConstOp::ExternConvertAny
                | ConstOp::AnyConvertExtern
        )
    })
}

/// If the last of these operators makes an array of a length on the stack: what work that is, and the operators that
/// compute the length.
pub(crate) fn array_length(ops: &[ConstOp]) -> Option<(Work, &[ConstOp])> {
    let (last, before) = ops.split_last()?;
    let work = match last {
        ConstOp::ArrayNew { .. } => Work::ArrayNew,
        ConstOp::ArrayNewDefault { .. } => Work::ArrayNewDefault,
        _ => return None,
    };
    let mut wanted = 1;
    for (at, op) in before.iter().enumerate().rev() {
        match op {
            // Takes two and gives one.
            ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul => wanted += 1,
            _ => wanted -= 1,
        }
        if wanted == 0 {
            return Some((work, &before[at..]));
        }
    }
    unreachable!("validated as an expression")
}

/// The constant expressions of a module that make objects, each once, in ascending order.
pub(crate) fn of_module(translation: &ModuleTranslation<'_>) -> Vec<Vec<u8>> {
    let mut known = BTreeSet::new();
    let mut add = |expr: &ConstExpr| {
        if makes_objects(expr) {
            known.insert(encode(expr));
        }
    };
    translation.global_initializers.iter().for_each(|(_, expr)| add(expr));
    for (_, value) in translation.table_initialization.initial_values.iter() {
        if let TableInitialValue::Expr(expr) = value {
            add(expr);
        }
    }
    let mut elements = |elements: &TableSegmentElements| {
        if let TableSegmentElements::Expressions { exprs, .. } = elements {
            exprs.iter().for_each(&mut add);
        }
    };
    translation.passive_elements.iter().for_each(|(_, segment)| elements(segment));
    translation.table_initialization.segments.iter().for_each(|segment| elements(&segment.elements));
    known.into_iter().collect()
}

/// The expression in the binary format, with its `end`.
pub(crate) fn encode(expr: &ConstExpr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * expr.ops().len());
    for op in expr.ops() {
        match *op {
            ConstOp::I32Const(value) => signed(&mut bytes, 0x41, value.into()),
            ConstOp::I64Const(value) => signed(&mut bytes, 0x42, value),
            ConstOp::F32Const(bits) => {
                bytes.push(0x43);
                bytes.extend(bits.to_le_bytes());
            }
            ConstOp::F64Const(bits) => {
                bytes.push(0x44);
                bytes.extend(bits.to_le_bytes());
            }
            ConstOp::GlobalGet(index) => unsigned(&mut bytes, &[0x23], &[index.as_u32()]),
            // Of which type the null is matters to nobody any more.
            ConstOp::RefNull(ty) => {
                let code = match ty.top() {
                    WasmHeapTopType::Func => 0x70,
                    WasmHeapTopType::Cont => 0x68,
                    _ => 0x6e,
                };
                bytes.extend([0xd0, code]);
            }
            ConstOp::RefFunc(index) => unsigned(&mut bytes, &[0xd2], &[index.as_u32()]),
            ConstOp::I32Add => bytes.push(0x6a),
            ConstOp::I32Sub => bytes.push(0x6b),
            ConstOp::I32Mul => bytes.push(0x6c),
            ConstOp::I64Add => bytes.push(0x7c),
            ConstOp::I64Sub => bytes.push(0x7d),
            ConstOp::I64Mul => bytes.push(0x7e),
            ConstOp::StructNew { struct_type_index: ty } => unsigned(&mut bytes, &[0xfb, 0], &[ty.as_u32()]),
            ConstOp::StructNewDefault { struct_type_index: ty } => unsigned(&mut bytes, &[0xfb, 1], &[ty.as_u32()]),
            ConstOp::ArrayNew { array_type_index: ty } => unsigned(&mut bytes, &[0xfb, 6], &[ty.as_u32()]),
            ConstOp::ArrayNewDefault { array_type_index: ty } => unsigned(&mut bytes, &[0xfb, 7], &[ty.as_u32()]),
            ConstOp::ArrayNewFixed { array_type_index: ty, array_size } => {
                unsigned(&mut bytes, &[0xfb, 8], &[ty.as_u32(), array_size]);
            }
            ConstOp::AnyConvertExtern => bytes.extend([0xfb, 26]),
            ConstOp::ExternConvertAny => bytes.extend([0xfb, 27]),
            ConstOp::RefI31 => bytes.extend([0xfb, 28]),
            ConstOp::V128Const(bits) => {
                bytes.extend([0xfd, 12]);
                bytes.extend(bits.to_le_bytes());
            }
        }
    }
    bytes.push(0x0b);
    bytes
}

fn unsigned(bytes: &mut Vec<u8>, opcode: &[u8], immediates: &[u32]) {
    bytes.extend(opcode);
    for &immediate in immediates {
        let mut rest = immediate;
        while rest > 0x7f {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
}

fn signed(bytes: &mut Vec<u8>, opcode: u8, mut value: i64) {
    bytes.push(opcode);
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        if (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0) {
            return bytes.push(byte);
        }
        bytes.push(byte | 0x80);
    }
}
