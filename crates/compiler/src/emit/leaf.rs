//! Small functions that call nothing: what their operators leave alone.
//!
//! Where nothing can trap or call, nobody goes through the frames, so a function without slots goes without a frame:
//! its caller's frame pointer stays where it is. With a frame, a call of such a function costs several times what it
//! does, as the frame pointer goes through memory. Whether there are slots is known at the end; so the function is
//! emitted as if there were none, and once more if there are. Where nothing demands certain registers, parameters stay
//! in those that they came in.

use crate::isa::Isa;
use crate::operators::reader::Reader;
use crate::operators::{Immediates, Op, Types};
use crate::treaty::facts::Facts;
use crate::treaty::sig::Sig;
use crate::validate::survey::Survey;

/// Bytes of the longest body that is looked at, so that looking, and perhaps emitting twice, costs little.
const LONGEST: usize = 96;

/// What the operators of a function leave alone. Nothing, as far as is known, if it is not small.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Leaf {
    /// None of them traps.
    pub(crate) harmless: bool,
    /// None of them demands certain registers, so that arguments can stay where they are.
    pub(crate) undemanding: bool,
}

impl Leaf {
    pub(crate) fn of<I: Isa>(facts: &Facts, survey: &Survey, sig: &Sig, body: &[u8]) -> Leaf {
        let settings = &facts.settings;
        let leaves = !survey.calls && !survey.onward && !survey.vectors && body.len() <= LONGEST;
        let metered = settings.fuel || settings.epochs || settings.poison || settings.debug;
        if !leaves || metered || sig.private.stack_args > 0 || sig.private.result_area.is_some() {
            return Leaf::default();
        }
        let mut leaf = Leaf { harmless: true, undemanding: true };
        let mut reader = Reader::new(body, survey.code_start);
        let mut after_constant = false;
        while !reader.at_end() {
            let op = reader.operator();
            let operator = op.operator();
            match operator.immediates {
                Immediates::Block
                    if matches!(op, Op::Block | Op::If) && matches!(reader.peek(), 0x40 | 0x7c..=0x7f) =>
                {
                    reader.u8();
                }
                Immediates::Label if matches!(op, Op::Br | Op::BrIf) => {
                    reader.u32();
                }
                Immediates::Memory(_) if is_plain_access(op) => {
                    leaf.harmless = false;
                    reader.memarg();
                }
                Immediates::Local | Immediates::I32 | Immediates::I64 | Immediates::F32 | Immediates::F64 => {
                    reader.skip_immediates(op);
                }
                Immediates::None => match op {
                    Op::Nop | Op::Else | Op::End | Op::Return | Op::Drop | Op::Select => {}
                    _ if shifts(op) => leaf.undemanding &= after_constant,
                    _ if matches!(operator.types, Types::Fixed { .. }) && is_total(op) => {}
                    _ => return Leaf::default(),
                },
                _ => return Leaf::default(),
            }
            after_constant = matches!(op, Op::I32Const | Op::I64Const);
        }
        leaf
    }
}

/// Does it shift or rotate an integer?
#[rustfmt::skip]
fn shifts(op: Op) -> bool {
    matches!(
        op,
        Op::I32Shl | Op::I32ShrS | Op::I32ShrU | Op::I32Rotl | Op::I32Rotr
            | Op::I64Shl | Op::I64ShrS | Op::I64ShrU | Op::I64Rotl | Op::I64Rotr
    )
}

/// Of one that computes what it gives from what it takes: does it do so for all operands, by instructions that take any
/// registers?
#[rustfmt::skip]
fn is_total(op: Op) -> bool {
    !matches!(
        op,
        Op::Unreachable
            | Op::I32DivS | Op::I32DivU | Op::I32RemS | Op::I32RemU
            | Op::I64DivS | Op::I64DivU | Op::I64RemS | Op::I64RemU
            | Op::I32TruncF32S | Op::I32TruncF32U | Op::I32TruncF64S | Op::I32TruncF64U
            | Op::I64TruncF32S | Op::I64TruncF32U | Op::I64TruncF64S | Op::I64TruncF64U
            | Op::I64Add128 | Op::I64Sub128 | Op::I64MulWideS | Op::I64MulWideU
    )
}

/// Does it load a number from a memory or store it, and nothing more?
fn is_plain_access(op: Op) -> bool {
    (Op::I32Load.index()..=Op::I64Store32.index()).contains(&op.index())
}
