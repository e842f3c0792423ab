//! What x86-64 makes of operators, one at a time: does the machine do more at once than the tables say, or less?
//!
//! Each operator is compiled twice, with its last operand in a register and with it right behind the operator that
//! makes it. The first shows what the instruction could have read or tested itself, the second what became of it.

use super::{ALL, NONE, decode};
use crate::compile::{Workspace, compile};
use crate::emit::writer::Writer;
use crate::isa::x64::X64;
use crate::isa::{Isa, Load};
use crate::operators::tests::{immediates, opcode};
use crate::operators::{Class, Flags, LINES, Op, Shape, Type, Types};
use crate::treaty::facts::{AddressMap, Callee, CpuFeatures, Facts, FuncFact, MemoryFact, Owner, Settings, Where};
use crate::treaty::ty::Ty;
use iced_x86::{
    Code, ConditionCode, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpCodeOperandKind, OpKind, Register,
};
use lightbeam_asm::Assembler;
use std::collections::BTreeSet;
use wasmparser::{Parser, ValidPayload, Validator, WasmFeatures};

/// A function of one memory: parameters, results, and the body without the last `end`.
struct Function {
    params: Vec<Type>,
    results: Vec<Type>,
    body: Vec<u8>,
}

fn type_byte(ty: Type) -> u8 {
    match ty {
        Type::I32 | Type::Address => 0x7f,
        Type::I64 => 0x7e,
        Type::F32 => 0x7d,
        Type::F64 => 0x7c,
        Type::V128 => 0x7b,
    }
}

fn machine(types: &[Type]) -> Vec<Ty> {
    types.iter().map(|ty| ty.ty().unwrap_or(Ty::I32)).collect()
}

/// Its code behind what makes the frame, and how many loads became part of another instruction.
fn code(function: &Function, cpu: CpuFeatures) -> (Vec<Instruction>, u64) {
    let Function { params, results, body } = function;
    let mut ty = vec![1, 0x60, params.len() as u8];
    ty.extend(params.iter().map(|ty| type_byte(*ty)));
    ty.push(results.len() as u8);
    ty.extend(results.iter().map(|ty| type_byte(*ty)));
    let mut entry = vec![0];
    entry.extend(body);
    entry.extend(opcode(Op::End));
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    let bodies = [&[1, entry.len() as u8], &entry[..]].concat();
    for (id, section) in [(1, &ty[..]), (3, &[1, 0]), (5, &[1, 0, 1]), (10, &bodies)] {
        wasm.extend([id, section.len() as u8]);
        wasm.extend(section);
    }

    let place = |at| Where::Ctx(at);
    let facts = Facts {
        sigs: vec![X64::sig(&machine(params), &machine(results))],
        types: vec![Some(0)],
        type_id_offsets: vec![0],
        final_types: vec![true],
        objects: vec![None],
        funcs: vec![FuncFact { sig: 0, callee: Callee::Defined { index: 0, escapes: false } }],
        memories: vec![MemoryFact {
            index: Ty::I32,
            page_size_log2: 16,
            base: place(0x40),
            length: place(0x48),
            owner: Owner::Here(0),
            fixed_length: None,
            base_may_move: false,
            unchecked_span: 1 << 20,
            faults_are_traps: true,
        }],
        settings: Settings {
            hardware_traps: true,
            address_map: AddressMap::Traps,
            cpu,
            fuses: X64::fuses(&cpu),
            check: true,
            ..Settings::default()
        },
        ..Facts::default()
    };
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut workspace, mut out) = (Workspace::default(), Writer::<X64>::new(cpu));
    for payload in Parser::new(0).parse_all(&wasm) {
        let payload = payload.expect("well formed");
        if let ValidPayload::Func(validator, body) = validator.payload(&payload).expect("valid") {
            compile(&facts, 0, validator, body, &mut workspace, &mut out).expect("it is supported");
        }
    }
    let parts = &out.funcs[0].parts;
    let mut code = decode(&out.code()[..parts.constants as usize]);
    code.retain(|i| i.ip() >= u64::from(parts.framed) && !parts.epilogue.contains(&(i.ip() as u32)));
    (code, out.counters.folded_loads)
}

fn local(index: usize) -> Vec<u8> {
    [opcode(Op::LocalGet), vec![index as u8]].concat()
}

/// The load of a whole value of a type, from the address in a local.
fn load(ty: Type, index: usize) -> Option<(Vec<u8>, Load)> {
    let (op, align, load) = match ty {
        Type::I32 => (Op::I32Load, 2, Load::I32),
        Type::I64 => (Op::I64Load, 3, Load::I64),
        Type::F32 => (Op::F32Load, 2, Load::F32),
        Type::F64 => (Op::F64Load, 3, Load::F64),
        Type::V128 => (Op::V128Load, 4, Load::V128),
        Type::Address => return None,
    };
    Some(([local(index), opcode(op), vec![align, 0]].concat(), load))
}

/// Operators with fixed types that take and give values, with their immediates.
fn computing() -> impl Iterator<Item = (Op, &'static [Type], &'static [Type], Vec<u8>)> {
    LINES.iter().filter_map(|(op, line)| match line.types {
        Types::Fixed { takes, gives } if !takes.is_empty() && !takes.contains(&Type::Address) => {
            Some((*op, takes, gives, immediates(line.immediates)?))
        }
        _ => None,
    })
}

/// Does it only bring a value to a register?
fn copies(i: &Instruction) -> bool {
    use Mnemonic::*;
    matches!(
        i.mnemonic(),
        Mov | Movaps | Movups | Movss | Movsd | Movd | Movq | Vmovaps | Vmovups | Vmovss | Vmovsd | Vmovd | Vmovq
    )
}

fn reads(i: &Instruction, reg: Register) -> bool {
    let mut infos = InstructionInfoFactory::new();
    let used = infos.info(i).used_registers().to_vec();
    used.iter().any(|used| {
        used.register().full_register() == reg
            && matches!(
                used.access(),
                OpAccess::Read | OpAccess::ReadWrite | OpAccess::CondRead | OpAccess::ReadCondWrite
            )
    })
}

/// If the instruction could read the register's value from memory instead: how many bytes it would read.
fn bytes_from_memory(i: &Instruction, reg: Register) -> Option<usize> {
    use OpCodeOperandKind::*;
    let at =
        (0..i.op_count()).find(|at| i.op_kind(*at) == OpKind::Register && i.op_register(*at).full_register() == reg)?;
    let twice = (0..i.op_count())
        .filter(|at| i.op_kind(*at) == OpKind::Register && i.op_register(*at).full_register() == reg)
        .count()
        > 1;
    let info = Code::op_code(i.code());
    let kind = info.op_kind(at);
    let or_mem = matches!(
        kind,
        r8_or_mem | r16_or_mem | r32_or_mem | r64_or_mem | xmm_or_mem | r32_or_mem_mpx | r64_or_mem_mpx | mm_or_mem
    );
    let written =
        at == 0 && !matches!(i.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Ucomiss | Mnemonic::Ucomisd);
    (or_mem && !twice && !written).then(|| info.memory_size().size())
}

/// Where the parameter of a number is kept: where the first copy from its register leads to.
fn home(code: &[Instruction], params: &[Type], at: usize) -> Register {
    let sig = X64::sig(&machine(params), &[]);
    let crate::treaty::sig::AbiLoc::Reg(arg) = sig.private.params[at] else {
        panic!("few parameters are all in registers")
    };
    let arg = register(arg);
    let copy =
        code.iter().find(|i| copies(i) && i.op1_kind() == OpKind::Register && i.op1_register().full_register() == arg);
    copy.map_or(arg, |i| i.op0_register().full_register())
}

/// A register as the decoder has it.
fn register(reg: lightbeam_asm::Reg) -> Register {
    let first = if reg.is_float() { Register::ZMM0 } else { Register::RAX };
    first + u32::from(reg.code() & 15)
}

/// Operators of which an instruction could read the last operand from memory, and none does. They are not frequent;
/// whoever finds that one is, takes it from here.
#[rustfmt::skip]
const LEFT_OUT: &[&[Op]] = &[
    // Their primitives take registers alone.
    &[
        Op::F32Eq, Op::F32Ne, Op::F32Gt, Op::F32Ge, Op::F64Eq, Op::F64Ne, Op::F64Gt, Op::F64Ge,
        Op::I32Clz, Op::I32Ctz, Op::I32Popcnt, Op::I64Clz, Op::I64Ctz, Op::I64Popcnt,
        Op::F32Ceil, Op::F32Floor, Op::F32Trunc, Op::F32Nearest, Op::F32Sqrt,
        Op::F64Ceil, Op::F64Floor, Op::F64Trunc, Op::F64Nearest, Op::F64Sqrt,
        Op::F32ConvertI32S, Op::F32ConvertI64S, Op::F64ConvertI32S, Op::F64ConvertI64S,
        Op::F32DemoteF64, Op::F64PromoteF32, Op::I64Add128, Op::I64Sub128,
        Op::F64x2Splat, Op::F32x4ExtractLane, Op::F64x2ExtractLane,
        Op::F32x4ReplaceLane, Op::I32x4ReplaceLane, Op::I64x2ReplaceLane,
        Op::V128Bitselect, Op::I8x16AllTrue, Op::I16x8AllTrue, Op::I32x4AllTrue, Op::I64x2AllTrue,
        Op::F32x4RelaxedMadd, Op::F32x4RelaxedNmadd, Op::F64x2RelaxedMadd, Op::F64x2RelaxedNmadd,
        Op::I16x8RelaxedLaneselect, Op::I32x4RelaxedDotI8x16I7x16AddS,
    ],
    // Sequences, of which one instruction reads the operand.
    &[
        Op::I8x16Neg, Op::I16x8Neg, Op::I32x4Neg, Op::I64x2Neg,
        Op::I16x8ExtAddPairwiseI8x16S, Op::I16x8Q15MulrSatS,
        Op::I16x8ExtendHighI8x16S, Op::I32x4ExtendHighI16x8S, Op::I64x2ExtendHighI32x4S,
        Op::I16x8ExtMulHighI8x16S, Op::I16x8ExtMulHighI8x16U,
        Op::I64x2ExtMulLowI32x4S, Op::I64x2ExtMulHighI32x4S, Op::I64x2ExtMulLowI32x4U, Op::I64x2ExtMulHighI32x4U,
    ],
    // Which operation they are, a setting says.
    &[
        Op::I8x16RelaxedSwizzle, Op::I16x8RelaxedQ15mulrS,
        Op::I32x4RelaxedTruncF32x4S, Op::I32x4RelaxedTruncF64x2SZero,
    ],
];

/// An operator whose last operand is what a load gives: the load is part of the operator's own instruction exactly
/// where the instruction set says so, and it says so wherever the instruction could.
#[test]
fn loads_that_are_folded() {
    let (mut wrong, mut left_out) = (BTreeSet::new(), Vec::new());
    for cpu in [NONE, ALL] {
        for (op, takes, gives, immediates) in computing() {
            let (last, address) = (takes.len() - 1, takes.len());
            let Some((loaded, load)) = load(takes[last], address) else { continue };
            // All operands but the last are in registers of their own, not in homes, which must stay as they are.
            let others: Vec<u8> =
                takes[..last].iter().filter_map(|ty| self::load(*ty, address)).flat_map(|(body, _)| body).collect();
            let params = [takes, &[Type::I32]].concat();
            let function = |operand: &[u8]| Function {
                params: params.clone(),
                results: gives.to_vec(),
                body: [&others, operand, &opcode(op), &immediates].concat(),
            };
            let (plain, folded_before) = code(&function(&local(last)), cpu);
            let (with_load, folded) = code(&function(&loaded), cpu);

            let reg = home(&plain, &params, last);
            let readers: Vec<&Instruction> = plain.iter().filter(|i| reads(i, reg)).collect();
            let could = matches!(readers[..], [reader]
                if !copies(reader) && bytes_from_memory(reader, reg) == Some(load.bytes() as usize));
            let asked = takes[last] != Type::V128 || X64::new(cpu).unaligned_vectors();
            let says = asked && X64::folds(op) == Some(load);
            if could && asked && !says {
                left_out.push(op);
                if !LEFT_OUT.concat().contains(&op) {
                    let reader = readers[0];
                    wrong.insert(format!(
                        "`{reader}` of {op:?} could read its operand from memory: say so in folds.rs, or in LEFT_OUT"
                    ));
                }
            }
            if says {
                let access = with_load.iter().rfind(|i| i.memory_base() == Register::R14).expect("a load");
                let extends = matches!(Op::SHAPES[op.index()], Shape::Extend(_));
                if folded == folded_before && !extends || copies(access) && !extends {
                    wrong.insert(format!("folds.rs says that {op:?} folds a load, and there is `{access}`"));
                }
            }
        }
    }
    for op in LEFT_OUT.concat().iter().filter(|op| !left_out.contains(op)) {
        wrong.insert(format!("{op:?} is in LEFT_OUT and need not be"));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// What stands around an operator that is not of fixed types but takes a number on top: what it takes below that, what
/// comes behind it with its immediates, and what the function gives. `None` if it takes none, or hands it on.
fn around(class: Class) -> Option<(Vec<u8>, Vec<u8>, Vec<Type>)> {
    let ends = |bytes: &[u8]| [bytes, &opcode(Op::End)].concat();
    let block = |op: Op| [&opcode(op)[..], &[0x40]].concat();
    let one = [opcode(Op::I32Const), vec![1]].concat();
    let two = [&one[..], &one].concat();
    Some(match class {
        Class::If => (vec![], ends(&[&[0x7f], &one[..], &opcode(Op::Else), &one].concat()), vec![Type::I32]),
        Class::BrIf => (block(Op::Loop), ends(&[0]), vec![]),
        Class::BrTable => (block(Op::Block), ends(&[1, 0, 0]), vec![]),
        Class::Select => (two, vec![], vec![Type::I32]),
        Class::TypedSelect => (two, vec![1, 0x7f], vec![Type::I32]),
        Class::Leave
        | Class::Plain
        | Class::Demanding
        | Class::Load
        | Class::Store
        | Class::Const
        | Class::FloatConst
        | Class::Unreachable
        | Class::Nop
        | Class::Block
        | Class::TryTable
        | Class::Throw
        | Class::ThrowRef
        | Class::Loop
        | Class::Else
        | Class::End
        | Class::Br
        | Class::Return
        | Class::Call
        | Class::CallIndirect
        | Class::ReturnCall
        | Class::ReturnCallIndirect
        | Class::CallRef
        | Class::ReturnCallRef
        | Class::Drop
        | Class::LocalGet
        | Class::LocalSet
        | Class::LocalTee
        | Class::GlobalGet
        | Class::GlobalSet
        | Class::TableGet
        | Class::TableSet
        | Class::MemorySize
        | Class::MemoryGrow
        | Class::RefNull
        | Class::RefIsNull
        | Class::RefFunc
        | Class::RefEq
        | Class::RefAsNonNull
        | Class::BrOnNull
        | Class::BrOnNonNull
        | Class::Object
        | Class::Misc
        | Class::Vector
        | Class::Atomic => return None,
    })
}

/// Does the code ask whether a register is zero, and go by that?
fn asks_for_zero(code: &[Instruction], reg: Register) -> bool {
    code.windows(2).any(|pair| {
        let [asks, goes] = pair else { return false };
        let of = |at| asks.op_kind(at) == OpKind::Register && asks.op_register(at).full_register() == reg;
        let asks = asks.mnemonic() == Mnemonic::Test && of(0) && of(1);
        asks && matches!(goes.condition_code(), ConditionCode::e | ConditionCode::ne)
    })
}

/// An operator that goes by whether a number is zero takes it as a condition in the flags, where a compare has left it,
/// exactly if its line says so.
#[test]
fn conditions_that_are_taken() {
    let mut wrong = Vec::new();
    let mut taken = 0;
    for (op, line) in LINES {
        let (below, behind, results, top) = match line.types {
            Types::By(class) => match around(class) {
                Some((below, behind, results)) => (below, behind, results, Type::I32),
                None => continue,
            },
            Types::Fixed { takes, gives } => match (takes, immediates(line.immediates)) {
                ([below @ .., top @ (Type::I32 | Type::I64)], Some(immediates)) if !takes.contains(&Type::Address) => {
                    let below = below.iter().filter_map(|ty| load(*ty, 0)).flat_map(|(body, _)| body).collect();
                    (below, immediates, gives.to_vec(), *top)
                }
                _ => continue,
            },
        };
        let params = vec![Type::I32, top];
        let function = |condition: &[u8]| Function {
            params: params.clone(),
            results: results.clone(),
            body: [&below, condition, &opcode(*op), &behind].concat(),
        };
        let (plain, _) = code(&function(&local(1)), ALL);
        let asks = asks_for_zero(&plain, home(&plain, &params, 1));
        let flags = line.effects.flags;
        if asks && flags == Flags::None {
            wrong.push(format!("{op:?} goes by whether its operand is zero; its line does not say so, see `Flags`"));
        }
        if top == Type::I32 && matches!(flags, Flags::Branches | Flags::Selects) {
            taken += 1;
            let compare = [local(0), local(1), opcode(Op::I32LtS)].concat();
            let (fused, _) = code(&function(&compare), ALL);
            if !asks || fused.iter().any(|i| format!("{:?}", i.mnemonic()).starts_with("Set")) {
                wrong.push(format!("{op:?} says that it takes conditions, and does not"));
            }
        }
    }
    assert!(taken > 2, "few operators take conditions: {taken}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
