//! Where values are: from expressions over locals and linear memory to expressions over the frame.

use crate::places::{Code, Function};
use gimli::write::Expression;
use gimli::{Encoding, Operation, Reader, Register};

/// What a function's places are relative to, as its module says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The value of a local, an address in linear memory.
    Local(u32),
    /// Something that cannot be expressed here.
    Other,
}

/// What a function's `DW_AT_frame_base` says.
pub(crate) fn base<R: Reader>(expression: gimli::Expression<R>, encoding: Encoding) -> Base {
    let mut operations = expression.operations(encoding);
    match operations.next() {
        Ok(Some(Operation::WasmLocal { index })) => match operations.next() {
            Ok(None | Some(Operation::StackValue)) => Base::Local(index),
            _ => Base::Other,
        },
        _ => Base::Other,
    }
}

/// Is what was computed so far an address in linear memory, or a value?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    Nothing,
    /// A number, which as a place is one in linear memory.
    Number,
    /// The value of a local alone: of what is said to be a value it is one, and else an address.
    Local(u32),
}

/// Converts an expression for a place in a function, or for one that is the same everywhere. `None` if there is no way
/// to say the same of the machine.
pub(crate) fn convert<R: Reader>(
    expression: gimli::Expression<R>,
    encoding: Encoding,
    code: &Code,
    function: Option<(&Function, Base)>,
) -> Option<Expression> {
    let frame = Register(code.frame);
    let mut made = Expression::new();
    let mut operations = expression.operations(encoding);
    let mut top = Top::Nothing;
    let mut value = false;
    // The value of a local, as a number on the stack.
    let push_local = |made: &mut Expression, index: u32| -> Option<()> {
        let local = function?.0.local(index)?;
        made.op_breg(frame, local.slot.into());
        made.op_deref_size(local.bytes.min(8));
        Some(())
    };
    while let Some(operation) = operations.next().ok()? {
        if value {
            return None;
        }
        if let Top::Local(index) = top
            && !matches!(operation, Operation::StackValue)
        {
            push_local(&mut made, index)?;
            top = Top::Number;
        }
        match operation {
            Operation::WasmLocal { index } if top == Top::Nothing => {
                top = Top::Local(index);
                continue;
            }
            Operation::WasmLocal { index } => push_local(&mut made, index)?,
            Operation::FrameOffset { offset } => {
                let Some((_, Base::Local(index))) = function else { return None };
                push_local(&mut made, index)?;
                made.op_consts(offset);
                made.op(gimli::DW_OP_plus);
            }
            Operation::Address { address } => made.op_constu(address),
            Operation::UnsignedConstant { value } => made.op_constu(value),
            Operation::SignedConstant { value } => made.op_consts(value),
            Operation::PlusConstant { value } => made.op_plus_uconst(value),
            Operation::Plus => made.op(gimli::DW_OP_plus),
            Operation::Minus => made.op(gimli::DW_OP_minus),
            Operation::Mul => made.op(gimli::DW_OP_mul),
            Operation::And => made.op(gimli::DW_OP_and),
            Operation::Or => made.op(gimli::DW_OP_or),
            Operation::Xor => made.op(gimli::DW_OP_xor),
            Operation::Shl => made.op(gimli::DW_OP_shl),
            Operation::Shr => made.op(gimli::DW_OP_shr),
            Operation::Shra => made.op(gimli::DW_OP_shra),
            Operation::Neg => made.op(gimli::DW_OP_neg),
            Operation::Not => made.op(gimli::DW_OP_not),
            Operation::Swap => made.op(gimli::DW_OP_swap),
            Operation::Drop => made.op(gimli::DW_OP_drop),
            Operation::Pick { index } => made.op_pick(index),
            Operation::Deref { size, space: false, .. } => {
                in_memory(&mut made, code, encoding)?;
                made.op_deref_size(size);
            }
            Operation::StackValue => {
                value = true;
                continue;
            }
            _ => return None,
        }
        top = Top::Number;
    }
    match (top, value) {
        (Top::Nothing, _) => return None,
        // The value of a local is what is in its slot, and may be changed there.
        (Top::Local(index), true) => {
            let local = function?.0.local(index)?;
            made.op_breg(frame, local.slot.into());
        }
        // Otherwise it is where the value is: so are structures that are arguments.
        (Top::Local(index), false) => {
            push_local(&mut made, index)?;
            in_memory(&mut made, code, encoding)?;
        }
        (Top::Number, false) => in_memory(&mut made, code, encoding)?,
        (Top::Number, true) => made.op(gimli::DW_OP_stack_value),
    }
    Some(made)
}

/// What is on the stack of an expression is an address in linear memory: makes it one of the process.
fn in_memory(made: &mut Expression, code: &Code, encoding: Encoding) -> Option<()> {
    let base = Register(code.memory_base?);
    if encoding.address_size < 8 {
        made.op_constu((1 << (8 * u32::from(encoding.address_size))) - 1);
        made.op(gimli::DW_OP_and);
    }
    made.op_breg(base, 0);
    made.op(gimli::DW_OP_plus);
    Some(())
}
