//! Primitives, read back by an independent decoder: `contract` proves for all registers what each may read and write,
//! `sequences` says for some what exactly is emitted.

mod contract;
mod operators;
mod sequences;
mod vectors;

use super::*;
use iced_x86::{Decoder, DecoderOptions, Instruction};

const NONE: CpuFeatures = CpuFeatures { avx: false, avx2: false, bmi1: false, bmi2: false, lzcnt: false, fma: false };
const ALL: CpuFeatures = CpuFeatures { avx: true, avx2: true, bmi1: true, bmi2: true, lzcnt: true, fma: true };
const WIDTHS: [Width; 2] = [Width::W32, Width::W64];

/// The instructions of some code, all of it.
fn decode(code: &[u8]) -> Vec<Instruction> {
    let instructions: Vec<_> = Decoder::with_ip(64, code, 0, DecoderOptions::NONE).iter().collect();
    for instruction in &instructions {
        assert!(!instruction.is_invalid(), "{code:02x?}");
    }
    instructions
}
