//! The instructions of a function, found by following jumps from its entry, so that constants and jump tables are left
//! out.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use lightbeam_verify::facts::Range;
use std::collections::BTreeMap;

/// The instructions of a function, by offset.
pub(crate) struct Decoded {
    pub(crate) instructions: Vec<Instruction>,
    by_offset: BTreeMap<u32, usize>,
}

impl Decoded {
    pub(crate) fn new(text: &[u8], range: Range, entry: u32) -> Decoded {
        let mut found: BTreeMap<u32, Instruction> = BTreeMap::new();
        let mut open = vec![entry];
        while let Some(start) = open.pop() {
            let mut at = start;
            let mut before: Vec<Instruction> = Vec::new();
            while range.start <= at && at < range.end && !found.contains_key(&at) {
                let code = &text[at as usize..range.end as usize];
                let instruction = Decoder::with_ip(64, code, at.into(), DecoderOptions::NONE).decode();
                if instruction.is_invalid() {
                    break;
                }
                found.insert(at, instruction);
                at += instruction.len() as u32;
                match instruction.flow_control() {
                    FlowControl::ConditionalBranch => open.push(instruction.near_branch_target() as u32),
                    FlowControl::UnconditionalBranch => {
                        open.push(instruction.near_branch_target() as u32);
                        break;
                    }
                    FlowControl::IndirectBranch => {
                        open.extend(cases(text, range, &before));
                        break;
                    }
                    FlowControl::Return | FlowControl::Exception => break,
                    _ => {}
                }
                before.push(instruction);
            }
        }
        let by_offset = found.keys().enumerate().map(|(n, at)| (*at, n)).collect();
        Decoded { instructions: found.into_values().collect(), by_offset }
    }

    /// Which instruction begins at an offset.
    pub(crate) fn at(&self, offset: u32) -> Option<usize> {
        self.by_offset.get(&offset).copied()
    }

    /// The instruction `n` places behind another, without a gap.
    pub(crate) fn behind(&self, from: usize, n: usize) -> Option<&Instruction> {
        let slice = self.instructions.get(from..=from + n)?;
        slice.windows(2).all(|pair| pair[0].next_ip() == pair[1].ip()).then(|| &slice[n])
    }

    /// The instruction `n` places before another, without a gap.
    pub(crate) fn before(&self, from: usize, n: usize) -> Option<&Instruction> {
        let slice = self.instructions.get(from.checked_sub(n)?..=from)?;
        slice.windows(2).all(|pair| pair[0].next_ip() == pair[1].ip()).then(|| &slice[0])
    }
}

/// Where a jump by a table goes.
fn cases(text: &[u8], range: Range, before: &[Instruction]) -> Vec<u32> {
    let recent = before.iter().rev().take(10);
    let table = recent.clone().find(|i| i.mnemonic() == Mnemonic::Lea && i.is_ip_rel_memory_operand());
    let Some(table) = table.map(|lea| lea.ip_rel_memory_address() as u32) else { return Vec::new() };
    let constant = |i: &&Instruction| {
        matches!(i.mnemonic(), Mnemonic::Mov | Mnemonic::Cmp)
            && i.op0_kind() == OpKind::Register
            && i.op0_register() != Register::RSP
            && i.op1_kind() != OpKind::Register
            && i.op1_kind() != OpKind::Memory
    };
    let count = recent.clone().find(constant).map_or(1, |i| i.immediate(1).min(1 << 20) + 1);
    let entry = |n: u64| {
        let at = table as usize + 4 * n as usize;
        let offset = i32::from_le_bytes(text.get(at..at + 4)?.try_into().ok()?);
        let target = u32::try_from(i64::from(table) + i64::from(offset)).ok()?;
        (range.start <= target && target < range.end).then_some(target)
    };
    (0..count).map_while(entry).collect()
}
