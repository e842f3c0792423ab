//! Shuffles: what one instruction does is found out first; anything is possible with a constant for each operand.

use super::{X, copy};
use crate::isa::{Dest, ShuffleFrom, VectorForm};
use crate::treaty::facts::CpuFeatures;
use lightbeam_asm::Reg;
use lightbeam_asm::x64::Asm;
use lightbeam_asm::x64::rows::*;

/// How a shuffle is done.
#[derive(Clone, Copy)]
enum Plan {
    /// Nothing moves.
    Copy,
    /// A row of one operand, without and with an immediate.
    One(Row),
    OneImm(Row, i32),
    /// By so many bytes.
    Shift(Row, u8),
    /// The operand rotated by so many bytes.
    Rotate(i32),
    /// Any bytes of one operand.
    Bytes,
    /// A row of two operands, and whether it has them in the other order.
    Two(Row, bool),
    TwoImm(Row, i32, bool),
    /// Any bytes of both.
    Any,
}

/// What numbers of bytes a weave of the lower (0) or upper (8) halves takes, in lanes of so many bytes.
fn woven(lanes: &[u8; 16], width: usize, half: u8, first: u8, second: u8) -> bool {
    lanes.iter().enumerate().all(|(i, &lane)| {
        let (group, byte) = (i / width, i % width);
        let operand = if group % 2 == 0 { first } else { second };
        lane == operand + half + (group / 2 * width + byte) as u8
    })
}

/// The rows that weave lanes of 1, 2, 4 and 8 bytes, of lower and of upper halves.
const WEAVES: [(usize, [Row; 2]); 4] = [
    (1, [PUNPCKLBW, PUNPCKHBW]),
    (2, [PUNPCKLWD, PUNPCKHWD]),
    (4, [PUNPCKLDQ, PUNPCKHDQ]),
    (8, [PUNPCKLQDQ, PUNPCKHQDQ]),
];

/// The numbers of whole lanes of `W` bytes, if all bytes move in such.
fn whole<const N: usize>(lanes: &[u8; 16]) -> Option<[u8; N]> {
    let width = 16 / N;
    let aligned = lanes.chunks(width).all(|lane| {
        usize::from(lane[0]).is_multiple_of(width)
            && lane.iter().zip(lane[0]..).all(|(byte, expected)| *byte == expected)
    });
    aligned.then(|| std::array::from_fn(|i| lanes[width * i] / width as u8))
}

/// An immediate of two bits a lane.
fn immediate(lanes: &[u8]) -> i32 {
    lanes.iter().rev().fold(0, |imm, lane| imm << 2 | i32::from(lane & 3))
}

fn plan(cpu: &CpuFeatures, from: ShuffleFrom, lanes: &[u8; 16]) -> Plan {
    match from {
        ShuffleFrom::One => one(cpu, lanes),
        ShuffleFrom::Two => two(lanes),
    }
}

/// Numbers from 16 on mean zero.
fn one(cpu: &CpuFeatures, lanes: &[u8; 16]) -> Plan {
    if lanes.iter().any(|lane| *lane >= 16) {
        return with_zeros(lanes);
    }
    if lanes.iter().zip(0..).all(|(lane, i)| *lane == i) {
        return Plan::Copy;
    }
    if cpu.avx && cpu.avx2 {
        if *lanes == [0; 16] {
            return Plan::One(VPBROADCASTB);
        }
        if lanes.chunks(2).all(|lane| lane == [0, 1]) {
            return Plan::One(VPBROADCASTW);
        }
    }
    if let Some(doubles) = whole::<4>(lanes) {
        return Plan::OneImm(PSHUFD, immediate(&doubles));
    }
    if let Some([a, b, c, d, e, f, g, h]) = whole::<8>(lanes) {
        if [e, f, g, h] == [4, 5, 6, 7] && [a, b, c, d].iter().all(|word| *word < 4) {
            return Plan::OneImm(PSHUFLW, immediate(&[a, b, c, d]));
        }
        if [a, b, c, d] == [0, 1, 2, 3] && [e, f, g, h].iter().all(|word| *word >= 4) {
            return Plan::OneImm(PSHUFHW, immediate(&[e, f, g, h]));
        }
    }
    for (width, rows) in WEAVES {
        for (half, row) in [0, 8].into_iter().zip(rows) {
            if woven(lanes, width, half, 0, 0) {
                return Plan::Two(row, false);
            }
        }
    }
    if lanes.iter().zip(lanes[0]..).all(|(lane, n)| *lane == n & 15) {
        return Plan::Rotate(lanes[0].into());
    }
    Plan::Bytes
}

fn with_zeros(lanes: &[u8; 16]) -> Plan {
    // Numbers from 16 on are all one.
    let lanes = &lanes.map(|lane| lane.min(16));
    let n = lanes.iter().take_while(|lane| **lane == 16).count();
    if n < 16 && lanes[n..].iter().zip(0..).all(|(lane, i)| *lane == i) {
        return Plan::Shift(PSLLDQ, n as u8);
    }
    if lanes.iter().zip(lanes[0]..).all(|(lane, n)| *lane == n.min(16)) && lanes[0] < 16 {
        return Plan::Shift(PSRLDQ, lanes[0]);
    }
    for (width, row) in [(1, PMOVZXBW), (2, PMOVZXWD), (4, PMOVZXDQ)] {
        let extends = lanes.iter().enumerate().all(|(i, &lane)| {
            let (group, byte) = (i / width, i % width);
            usize::from(lane) == if group % 2 == 0 { group / 2 * width + byte } else { 16 }
        });
        if extends {
            return Plan::One(row);
        }
    }
    Plan::Bytes
}

fn two(lanes: &[u8; 16]) -> Plan {
    for (width, rows) in WEAVES {
        for (half, row) in [0, 8].into_iter().zip(rows) {
            if woven(lanes, width, half, 0, 16) {
                return Plan::Two(row, false);
            }
            if woven(lanes, width, half, 16, 0) {
                return Plan::Two(row, true);
            }
        }
    }
    if lanes.iter().zip(lanes[0]..).all(|(lane, n)| *lane == n & 31) {
        // The row has what follows first.
        return Plan::TwoImm(PALIGNR, i32::from(lanes[0] & 15), lanes[0] < 16);
    }
    if let Some(words) = whole::<8>(lanes)
        && words.iter().zip(0..).all(|(word, i)| *word & 7 == i)
    {
        let imm = words.iter().rev().fold(0, |imm, word| imm << 1 | i32::from(word >> 3));
        return Plan::TwoImm(PBLENDW, imm, false);
    }
    if let Some(doubles) = whole::<4>(lanes) {
        let operands = doubles.map(|lane| lane >> 2);
        if operands == [0, 0, 1, 1] || operands == [1, 1, 0, 0] {
            return Plan::TwoImm(SHUFPS, immediate(&doubles), operands[0] == 1);
        }
    }
    Plan::Any
}

pub(in super::super) fn shuffle_form(cpu: &CpuFeatures, from: ShuffleFrom, lanes: &[u8; 16]) -> VectorForm {
    let (swap, row) = match plan(cpu, from, lanes) {
        Plan::Two(_, swap) | Plan::TwoImm(_, _, swap) => (swap, from == ShuffleFrom::Two),
        _ => (false, false),
    };
    let dest = if row { super::dest_of_row(cpu) } else { Dest::Any };
    VectorForm { swap, commutes: false, memory: false, dest, temp: false }
}

pub(in super::super) fn shuffle(
    a: &mut Asm,
    cpu: &CpuFeatures,
    from: ShuffleFrom,
    lanes: &[u8; 16],
    d: Reg,
    l: Reg,
    r: Reg,
) {
    let avx = cpu.avx;
    // Numbers with the highest bit set give zero.
    let mask = |take: fn(u8) -> Option<u8>| u128::from_le_bytes(lanes.map(|lane| take(lane).unwrap_or(0x80)));
    match plan(cpu, from, lanes) {
        Plan::Copy => copy(a, d, l),
        Plan::One(row) => {
            a.op2(avx, row, d, l);
        }
        Plan::OneImm(row, imm) => {
            a.op2i(avx, row, d, l, imm);
        }
        Plan::Shift(row, n) => {
            a.shift3(avx, row, d, l, n);
        }
        Plan::Rotate(n) => {
            a.op3i(avx, PALIGNR, d, l, l, n);
        }
        Plan::Bytes => {
            let mask = a.constant(mask(|lane| (lane < 16).then_some(lane)));
            a.op3(avx, PSHUFB, d, l, mask);
        }
        Plan::Two(row, _) => {
            a.op3(avx, row, d, l, r);
        }
        Plan::TwoImm(row, imm, _) => {
            a.op3i(avx, row, d, l, r, imm);
        }
        Plan::Any => {
            let of_l = a.constant(mask(|lane| (lane < 16).then_some(lane)));
            let of_r = a.constant(mask(|lane| lane.checked_sub(16)));
            a.op3(avx, PSHUFB, X, r, of_r);
            a.op3(avx, PSHUFB, d, l, of_l);
            a.op3(avx, POR, d, d, X);
        }
    }
}
