//! The rules of sweep 1: what the op table says of operators of one byte, in the form in which the sweep wants it, and
//! which operators the features of a module leave.

use super::operands::code;
use crate::operators::{Class, Immediates, Op, Prefix, Proposal, Type, Types};
use wasmparser::WasmFeatures;

/// One operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) class: Class,
    /// The code of what it gives; of a store, of the value that it takes.
    pub(super) gives: u8,
    /// Of loads and stores: the logarithm of the natural alignment in bytes. Of constants: how many bytes they take, at
    /// most if they are numbers.
    pub(super) size: u8,
    /// How many bits of a word its operands take, if it is plain.
    pub(super) shift: u8,
    /// The codes of the operands of a plain operator, as in a word.
    pub(super) takes: u16,
    /// Which bits of a word to compare.
    pub(super) mask: u16,
}

const fn rule(class: Class) -> Rule {
    Rule { class, gives: 0, size: 0, shift: 0, takes: 0, mask: 0 }
}

/// The code of a type; 0, which is none, for addresses.
pub(super) const fn code_of(ty: Type) -> u8 {
    match ty.ty() {
        Some(ty) => code(ty),
        None => 0,
    }
}

/// What an operator of one byte is to the sweep.
const fn of(op: Op) -> Rule {
    let operator = op.operator();
    let (takes, gives) = match operator.types {
        Types::By(class) => return rule(class),
        Types::Fixed { takes, gives } => (takes, gives),
    };
    assert!(!operator.effects.demands || takes.len() == 2, "the sweep looks for it among those of two operands");
    match (operator.immediates, takes, gives) {
        (Immediates::None, [], []) => rule(Class::Nop),
        (Immediates::None, [ty], [result]) => {
            Rule { gives: code_of(*result), shift: 8, takes: code_of(*ty) as u16, mask: 0xff, ..rule(Class::Plain) }
        }
        (Immediates::None, [below, ty], [result]) => {
            let takes = u16::from_le_bytes([code_of(*ty), code_of(*below)]);
            let class = if operator.effects.demands { Class::Demanding } else { Class::Plain };
            Rule { gives: code_of(*result), shift: 16, takes, mask: 0xffff, ..rule(class) }
        }
        (Immediates::Memory(size), [Type::Address], [ty]) => Rule { gives: code_of(*ty), size, ..rule(Class::Load) },
        (Immediates::Memory(size), [Type::Address, ty], []) => Rule { gives: code_of(*ty), size, ..rule(Class::Store) },
        (Immediates::I32, [], [ty]) => Rule { gives: code_of(*ty), size: 5, ..rule(Class::Const) },
        (Immediates::I64, [], [ty]) => Rule { gives: code_of(*ty), size: 10, ..rule(Class::Const) },
        (Immediates::F32, [], [ty]) => Rule { gives: code_of(*ty), size: 4, ..rule(Class::FloatConst) },
        (Immediates::F64, [], [ty]) => Rule { gives: code_of(*ty), size: 8, ..rule(Class::FloatConst) },
        _ => panic!("the sweep has no class for this: the operator's line needs a class of its own"),
    }
}

/// By opcode, with all features that the compiler supports switched on.
const ALL: [Rule; 256] = {
    let mut rules = [rule(Class::Leave); 256];
    let mut opcode = 0;
    while opcode < rules.len() {
        rules[opcode] = of(Op::of_byte(opcode as u8));
        opcode += 1;
    }
    let mut i = 0;
    while i < Prefix::ALL.len() {
        let prefix = Prefix::ALL[i];
        rules[prefix.byte() as usize] = rule(match prefix {
            Prefix::Object => Class::Object,
            Prefix::Misc => Class::Misc,
            Prefix::Vector => Class::Vector,
            Prefix::Atomic => Class::Atomic,
        });
        i += 1;
    }
    rules
};

/// Are the features on without which an operator is not valid, or not always?
pub(super) fn enabled(features: WasmFeatures, op: Op) -> bool {
    let Some(proposal) = op.operator().proposal else { return false };
    match proposal {
        Proposal::Mvp => true,
        Proposal::SignExtension => features.sign_extension(),
        Proposal::SaturatingFloatToInt => features.saturating_float_to_int(),
        Proposal::BulkMemory if matches!(op, Op::MemoryCopy | Op::MemoryFill) => features.bulk_memory_opt(),
        Proposal::BulkMemory => features.bulk_memory(),
        Proposal::ReferenceTypes => features.reference_types(),
        Proposal::TailCall => features.tail_call(),
        Proposal::WideArithmetic => features.wide_arithmetic(),
        Proposal::FunctionReferences if op == Op::ReturnCallRef => {
            features.function_references() && features.tail_call()
        }
        Proposal::FunctionReferences => features.function_references(),
        Proposal::Gc => features.gc(),
        Proposal::Exceptions => features.exceptions(),
        Proposal::Threads => features.threads(),
        Proposal::Simd => features.simd(),
        Proposal::RelaxedSimd => features.simd() && features.relaxed_simd(),
        Proposal::StackSwitching => features.stack_switching(),
    }
}

/// What a set of features makes of the rules; computed once for all functions of a module.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) features: WasmFeatures,
    pub(super) by_opcode: [Rule; 256],
}

impl Rules {
    #[cold]
    #[inline(never)]
    pub(super) fn new(features: WasmFeatures) -> Rules {
        let mut by_opcode = ALL;
        for (opcode, of) in by_opcode.iter_mut().enumerate() {
            let opcode = opcode as u8;
            let on = match Prefix::of(opcode) {
                Some(Prefix::Object) => features.gc(),
                Some(Prefix::Vector) => features.simd(),
                Some(Prefix::Atomic) => features.threads(),
                // Of more than one proposal: each operator is looked at.
                Some(Prefix::Misc) => true,
                None => enabled(features, Op::of_byte(opcode)),
            };
            // Which of the operators are about floats is of no interest: nobody switches them off.
            if !on || !features.floats() {
                *of = rule(Class::Leave);
            }
        }
        Rules { features, by_opcode }
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::new(WasmFeatures::default())
    }
}
