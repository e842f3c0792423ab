//! The table against wasmparser.

use super::{Immediates, LINES, Op, Operator, Prefix, Type, Types};
use crate::operators::reader::Reader;
use wasmparser::{BinaryReader, OperatorsReader, Validator, WasmFeatures};

/// The opcode, with the prefix if there is one.
pub(crate) fn opcode(op: Op) -> Vec<u8> {
    for prefix in Prefix::ALL {
        let (first, count) = prefix.numbers();
        if (first..first + count).contains(&op.0) {
            let code = op.0 - first;
            return vec![prefix.byte(), code as u8 & 0x7f | 0x80, (code >> 7) as u8];
        }
    }
    vec![op.0 as u8]
}

/// Immediates of a kind, for reading; `None` for blocks. Numbers are such that take two bytes.
pub(crate) fn immediates(kind: Immediates) -> Option<Vec<u8>> {
    const INDEX: [u8; 2] = [0x85, 0x01];
    const FUNC: u8 = 0x70;
    const EXTERN: u8 = 0x6f;
    let handlers = [&[2, 0][..], &INDEX, &INDEX, &[1], &INDEX].concat();
    Some(match kind {
        Immediates::Block | Immediates::Catches => return None,
        Immediates::None => vec![],
        Immediates::Local | Immediates::Label | Immediates::Index => INDEX.to_vec(),
        Immediates::Indices => INDEX.repeat(2),
        Immediates::Labels => [&[2][..], &INDEX.repeat(3)].concat(),
        Immediates::Types => vec![1, crate::operators::reader::REF_NULL, EXTERN],
        Immediates::HeapType => vec![FUNC],
        Immediates::Cast => [&[3][..], &INDEX, &[FUNC, EXTERN]].concat(),
        Immediates::Handlers => [&INDEX[..], &handlers].concat(),
        Immediates::TagHandlers => [&INDEX[..], &INDEX, &handlers].concat(),
        Immediates::I32 | Immediates::I64 => vec![0xff, 0x80, 0x7f],
        Immediates::F32 => vec![0; 4],
        Immediates::F64 => vec![0; 8],
        Immediates::Memory(align) | Immediates::Aligned(align) => vec![align, 0x80, 0x01],
        Immediates::MemoryLane(align) => vec![align, 0x80, 0x01, 0],
        Immediates::Lane(lanes) => vec![lanes - 1],
        Immediates::Bytes => vec![0; 16],
        Immediates::Shuffle => vec![31; 16],
        Immediates::Zero => vec![0],
    })
}

/// Immediates that are just not valid.
fn wrong(kind: Immediates) -> Option<Vec<u8>> {
    match kind {
        Immediates::Memory(align) | Immediates::Aligned(align) => Some(vec![align + 1, 0]),
        Immediates::MemoryLane(align) => Some(vec![align, 0, 16 >> align]),
        Immediates::Lane(lanes) => Some(vec![lanes]),
        Immediates::Shuffle => Some(vec![32; 16]),
        _ => None,
    }
}

/// A line's name and opcode are wasmparser's, and its immediates are as long as wasmparser reads them, and as the
/// compiler passes over them.
#[test]
fn opcodes_and_immediates() {
    for (op, line) in LINES {
        // Without an `if`, `else` is not even read.
        let Some(immediates) = immediates(line.immediates).filter(|_| *op != Op::Else) else { continue };
        let bytes = [opcode(*op), immediates].concat();
        let mut reader = OperatorsReader::new(BinaryReader::new_features(&bytes, 0, WasmFeatures::all()));
        let read = reader.read().unwrap_or_else(|error| panic!("{op:?}: {error}"));
        assert_eq!(format!("{read:?}").split(' ').next(), Some(line.name), "the opcode of {op:?} is another's");
        assert!(reader.eof(), "wasmparser reads less of {op:?}");

        let mut reader = Reader::new(&bytes, 0);
        assert_eq!(reader.operator(), *op);
        reader.skip_immediates(*op);
        assert_eq!(reader.pos(), bytes.len(), "what is passed over of {op:?}");
    }
}

/// A module with a memory and one function: it pushes what the operator takes, and pops what it gives into locals.
fn module(op: Op, line: &Operator, immediates: &[u8]) -> Option<Vec<u8>> {
    let Types::Fixed { takes, gives } = line.types else { return None };
    // The types of the locals, and the operators that push constants, by type.
    let locals = [Type::I32, Type::I64, Type::F32, Type::F64, Type::V128];
    let pushing = [Op::I32Const, Op::I64Const, Op::F32Const, Op::F64Const, Op::V128Const];
    let mut body = vec![5, 1, 0x7f, 1, 0x7e, 1, 0x7d, 1, 0x7c, 1, 0x7b];
    for ty in takes {
        let at = locals.iter().position(|local| local == ty).unwrap_or(0);
        body.extend(opcode(pushing[at]));
        body.extend([&[0][..], &[0], &[0; 4], &[0; 8], &[0; 16]][at]);
    }
    body.extend(opcode(op));
    body.extend(immediates);
    for ty in gives.iter().rev() {
        body.extend(opcode(Op::LocalSet));
        body.push(locals.iter().position(|local| local == ty)? as u8);
    }
    body.extend(opcode(Op::End));
    let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\x0a".to_vec();
    module.extend([body.len() as u8 + 2, 1, body.len() as u8]);
    module.extend(body);
    Some(module)
}

/// Operators whose types are fixed take and give what the line says, and their immediates have the bounds that it says.
#[test]
fn types_and_bounds() {
    let validate = |module: &[u8]| Validator::new_with_features(WasmFeatures::all()).validate_all(module);
    let mut fixed = 0;
    for (op, line) in LINES {
        let immediates = match line.immediates {
            Immediates::I32 | Immediates::I64 => Some(vec![0]),
            kind => immediates(kind),
        };
        let Some(module_) = immediates.and_then(|immediates| module(*op, line, &immediates)) else { continue };
        fixed += 1;
        if let Err(error) = validate(&module_) {
            panic!("{op:?}: {error}");
        }
        if let Some(wrong) = wrong(line.immediates) {
            let module = module(*op, line, &wrong).expect("as before");
            assert!(validate(&module).is_err(), "the bound of an immediate of {op:?} is too low");
        }
    }
    assert!(fixed > 400, "few operators have fixed types: {fixed}");
}

/// Behind a prefix, in a body that is not yet known to be valid, may be any number.
#[test]
fn numbers_of_no_operator() {
    for prefix in Prefix::ALL {
        let (_, count) = prefix.numbers();
        for code in [u32::from(count), 0xffff, 0x1_0000, u32::MAX] {
            assert_eq!(prefix.operator(code), None);
        }
    }
}
