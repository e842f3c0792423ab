//! Reads machine code of x86-64.

use crate::compile::Code;
use crate::isa::{Item, LABEL, Names};
use iced_x86::{
    Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, Mnemonic, OpKind, Register, SymbolResolver,
    SymbolResult,
};
use std::ops::Range;

/// Where the instance pointer is.
const INSTANCE: Register = Register::R15;

/// Registers from which nothing of the host's is reached: the base of memory 0, the frame, the stack.
const OTHERS: [Register; 3] = [Register::R14, Register::RBP, Register::RSP];

/// What operands in memory are called: the name for the displacement of the instruction at hand, if it has one.
struct Resolver(Option<String>);

impl SymbolResolver for Resolver {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        operand: u32,
        _: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let in_memory = instruction.op_kind(operand) == OpKind::Memory;
        self.0.as_deref().filter(|_| in_memory).map(|name| SymbolResult::with_str(address, name))
    }
}

pub(crate) fn read(code: &Code, range: Range<u32>, names: &Names<'_>) -> Result<Vec<Item>, String> {
    let mut items: Vec<Item> = Vec::new();
    let mut decoder = decoder(code, range.clone());
    let mut instruction = Instruction::default();
    // How many entries the next jump table has: one more than the last constant in a register, the greatest index.
    let mut entries = 0;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let (at, end) = (instruction.ip() as u32, instruction.next_ip() as u32);
        if instruction.is_invalid() {
            return Err(format!("no instruction at {at:#x}"));
        }
        let (text, labels) = show(code, &range, &instruction, names)?;
        items.push(Item { at, end, text, labels });
        if instruction.mnemonic() == Mnemonic::Mov && instruction.op1_kind() == OpKind::Immediate32 {
            entries = instruction.immediate32().wrapping_add(1);
        }
        // A table stands behind the jump that goes by it, which adds a distance from the table to its address.
        let is_jump = instruction.mnemonic() == Mnemonic::Jmp && instruction.op0_kind() == OpKind::Register;
        if is_jump && items.iter().rev().nth(2).is_some_and(|item| item.text.starts_with("movsxd ")) {
            let table = end + 4 * entries;
            let bytes = code.bytes.get(end as usize..table as usize).ok_or("a jump table ends with the code")?;
            let distances = bytes.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes));
            let labels: Vec<u32> = distances.map(|distance| end.wrapping_add_signed(distance)).collect();
            let text = vec![LABEL.to_string(); labels.len()].join(", ");
            items.push(Item { at: end, end: table, text, labels });
            decoder = self::decoder(code, table..range.end);
        }
    }
    Ok(items)
}

fn decoder(code: &Code, range: Range<u32>) -> Decoder<'_> {
    let bytes = &code.bytes[range.start as usize..range.end as usize];
    Decoder::with_ip(64, bytes, u64::from(range.start), DecoderOptions::NONE)
}

/// An instruction as text, with the places that it names.
fn show(
    code: &Code,
    range: &Range<u32>,
    instruction: &Instruction,
    names: &Names<'_>,
) -> Result<(String, Vec<u32>), String> {
    let mnemonic = || format!("{:?}", instruction.mnemonic()).to_lowercase();
    if instruction.mnemonic() == Mnemonic::Nop {
        return Ok((String::new(), Vec::new()));
    }
    let target = names.target(instruction.ip() as u32, instruction.next_ip() as u32);
    if instruction.op_count() == 1 && instruction.op0_kind() == OpKind::NearBranch64 {
        return match target {
            Some(target) => Ok((format!("{} {target}", mnemonic()), Vec::new())),
            None => Ok((format!("{} {LABEL}", mnemonic()), vec![instruction.near_branch64() as u32])),
        };
    }
    if !instruction.is_ip_rel_memory_operand() {
        let base = instruction.memory_base();
        let disp = instruction.memory_displacement64() as i32;
        let in_memory = (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
        let name = match base {
            _ if !in_memory || base == Register::None || OTHERS.contains(&base) => None,
            INSTANCE => Some(names.module.layout.in_instance(disp)?),
            _ => names.module.layout.field(disp),
        };
        let mut text = format(instruction, name);
        if base == INSTANCE && in_memory {
            text = text.replace("[r15+", "[");
        }
        return Ok((text, Vec::new()));
    }
    let address = instruction.ip_rel_memory_address() as u32;
    let (text, labels) = match target {
        Some(target) => (target.to_string(), Vec::new()),
        None if range.contains(&address) => (LABEL.to_string(), vec![address]),
        // A constant: what it is says more than where.
        None => {
            let bytes = code.bytes.get(address as usize..).unwrap_or_default();
            let bytes = bytes.get(..instruction.memory_size().size().min(16)).ok_or("a constant behind the code")?;
            let digits: String = bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect();
            (format!("0x{digits}"), Vec::new())
        }
    };
    let line = format(instruction, None);
    let (head, rest) = line.split_once('[').ok_or("an operand in memory is in brackets")?;
    let (_, rest) = rest.split_once(']').ok_or("an operand in memory is in brackets")?;
    Ok((format!("{head}[{text}]{rest}"), labels))
}

fn format(instruction: &Instruction, name: Option<String>) -> String {
    let mut formatter = IntelFormatter::with_options(Some(Box::new(Resolver(name))), None);
    let options = formatter.options_mut();
    options.set_space_after_operand_separator(true);
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_small_hex_numbers_in_decimal(true);
    options.set_branch_leading_zeros(false);
    let mut text = String::new();
    formatter.format(instruction, &mut text);
    text
}
