//! What each primitive of vectors reads, writes and needs of the processor, over what its form allows.

use super::contract::Contract;
use super::*;

const AVX: CpuFeatures = CpuFeatures { avx: true, ..NONE };
const AVX2: CpuFeatures = CpuFeatures { avx2: true, ..AVX };
const CPUS: [CpuFeatures; 4] = [NONE, AVX, AVX2, ALL];
const T: Reg = XMM7;
/// Sources that are alike and that are not, low and high.
const PAIRS: [[Reg; 2]; 5] = [[XMM1, XMM1], [XMM1, XMM2], [XMM2, XMM9], [XMM9, XMM2], [XMM10, XMM11]];
const ADDRS: [Addr; 3] = [Addr::base(RBP, -32), Addr::indexed(R14, R13, 0, 4096), Addr::base(R12, 0)];
const LANES: [Lane; 6] = [Lane::I8, Lane::I16, Lane::I32, Lane::I64, Lane::F32, Lane::F64];

/// Destinations that a form allows for these sources.
fn dests(form: &VectorForm, sources: &[Reg]) -> Vec<Reg> {
    let mut dests = vec![XMM0, XMM12];
    match form.dest {
        Dest::Any => dests.extend(sources),
        Dest::First if !sources[1..].contains(&sources[0]) || sources.len() == 2 => dests.push(sources[0]),
        Dest::First | Dest::Fresh => {}
    }
    dests
}

fn writes(form: &VectorForm, d: Reg) -> Vec<Reg> {
    if form.temp { vec![d, T] } else { vec![d] }
}

#[test]
fn one_operand() {
    for cpu in CPUS {
        for &op in VectorUnary::ALL {
            let form = X64::new(cpu).vector_unary_form(op);
            for s in [XMM1, XMM9] {
                for d in dests(&form, &[s]) {
                    Contract::new(&[s], &writes(&form, d)).cpu(cpu).check((op, cpu), |a| {
                        X64::vector_unary(a, op, d, VectorSrc::Reg(s), T);
                    });
                }
            }
            for addr in ADDRS.iter().filter(|_| form.memory && cpu.avx) {
                Contract::new(&[], &[XMM3])
                    .addr(*addr)
                    .cpu(cpu)
                    .check_at((op, cpu), |a| Some(X64::vector_unary(a, op, XMM3, VectorSrc::Mem(*addr), T)));
            }
        }
    }
}

#[test]
fn two_operands() {
    for cpu in CPUS {
        for &op in VectorBinary::ALL {
            let form = X64::new(cpu).vector_binary_form(op);
            for sources in PAIRS {
                for d in dests(&form, &sources) {
                    Contract::new(&sources, &writes(&form, d)).cpu(cpu).check((op, cpu, sources, d), |a| {
                        X64::vector_binary(a, op, d, sources[0], VectorSrc::Reg(sources[1]), T);
                    });
                }
            }
            for addr in ADDRS.iter().filter(|_| form.memory && cpu.avx) {
                Contract::new(&[XMM1], &[XMM3])
                    .addr(*addr)
                    .cpu(cpu)
                    .check_at((op, cpu), |a| Some(X64::vector_binary(a, op, XMM3, XMM1, VectorSrc::Mem(*addr), T)));
            }
        }
    }
}

#[test]
fn three_operands() {
    use VectorTernary::*;
    let ops = [
        Bitselect,
        LaneselectB,
        LaneselectD,
        LaneselectQ,
        F32x4Madd,
        F32x4Nmadd,
        F64x2Madd,
        F64x2Nmadd,
        RelaxedDotAdd,
        DotAdd,
    ];
    for cpu in CPUS {
        for op in ops {
            let form = X64::new(cpu).vector_ternary_form(op);
            for sources in [[XMM1, XMM2, XMM3], [XMM1, XMM1, XMM9], [XMM9, XMM10, XMM9], [XMM1, XMM1, XMM1]] {
                for d in dests(&form, &sources) {
                    Contract::new(&sources, &writes(&form, d)).cpu(cpu).check((op, cpu, sources, d), |a| {
                        X64::vector_ternary(a, op, d, sources, T);
                    });
                }
            }
        }
    }
}

#[test]
fn shifts() {
    for cpu in CPUS {
        for op in [Shift::Shl, Shift::ShrS, Shift::ShrU] {
            for lanes in [Lanes::B, Lanes::W, Lanes::D, Lanes::Q] {
                for (d, l) in [(XMM0, XMM1), (XMM1, XMM1), (XMM12, XMM9)] {
                    for n in 0..lanes.bits() as u8 {
                        Contract::new(&[l], &[d]).cpu(cpu).check((op, lanes, n), |a| {
                            X64::vector_shift(a, op, lanes, d, l, Amount::Imm(n), FLOATS[7]);
                        });
                    }
                    for n in [RAX, R9] {
                        let temp = X64::vector_shift_temp(op, lanes).then_some(T);
                        let writes: Vec<Reg> = [d].into_iter().chain(temp).collect();
                        Contract::new(&[l, n], &writes).cpu(cpu).check((op, lanes, n), |a| {
                            X64::vector_shift(a, op, lanes, d, l, Amount::Reg(n), T);
                        });
                    }
                }
            }
        }
    }
}

#[test]
fn lanes() {
    for cpu in CPUS {
        for lane in LANES {
            let value = if lane.is_float() { XMM2 } else { RSI };
            for d in [XMM0, XMM12, XMM2] {
                Contract::new(&[value], &[d]).cpu(cpu).check(lane, |a| X64::splat(a, lane, d, value));
            }
            for i in 0..(16 / lane.bytes()) as u8 {
                for s in [XMM1, XMM9] {
                    for signed in [false, true] {
                        let d = if lane.is_float() { XMM3 } else { R10 };
                        Contract::new(&[s], &[d]).cpu(cpu).check((lane, i), |a| {
                            X64::extract_lane(a, lane, signed, d, s, i);
                        });
                    }
                    for d in [XMM0, s] {
                        Contract::new(&[s, value], &[d]).cpu(cpu).check((lane, i), |a| {
                            X64::replace_lane(a, lane, d, s, Src::Reg(value), i);
                        });
                        for addr in ADDRS {
                            Contract::new(&[s], &[d])
                                .addr(addr)
                                .cpu(cpu)
                                .check_at((lane, i), |a| Some(X64::replace_lane(a, lane, d, s, Src::Mem(addr), i)));
                        }
                    }
                    for addr in ADDRS {
                        Contract::new(&[s], &[])
                            .addr(addr)
                            .cpu(cpu)
                            .check_at((lane, i), |a| Some(X64::store_lane(a, lane, addr, s, i)));
                    }
                }
            }
        }
        for lanes in [Lanes::B, Lanes::W, Lanes::D, Lanes::Q] {
            Contract::new(&[XMM9], &[R9]).cpu(cpu).check(lanes, |a| X64::bitmask(a, lanes, R9, XMM9));
            for op in [VectorTest::AnyTrue, VectorTest::AllTrue(lanes)] {
                Contract::new(&[XMM9], &[]).cpu(cpu).check(op, |a| {
                    X64::vector_test(a, op, XMM9);
                });
            }
        }
    }
}

#[test]
fn loads() {
    use VectorLoad::*;
    for cpu in CPUS {
        for op in [S8x8, U8x8, S16x4, U16x4, S32x2, U32x2, Splat8, Splat16, Splat32, Splat64, Zero32, Zero64] {
            for addr in ADDRS {
                for d in [XMM0, XMM12] {
                    Contract::new(&[], &[d])
                        .addr(addr)
                        .cpu(cpu)
                        .check_at(op, |a| Some(X64::vector_load(a, op, d, addr)));
                }
            }
        }
    }
}

/// Shuffles of all kinds, each by what it does to bytes that say where they are from.
#[test]
fn shuffles() {
    let mut random = 1u64;
    for round in 0..4_000 {
        let mut lanes = std::array::from_fn(|_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 59) as u8
        });
        if round % 3 > 0 {
            // Whole lanes, or a run.
            let (width, first) = (1 << (round % 4 + 1), lanes[0]);
            for i in 0..16usize {
                lanes[i] = if round % 3 == 1 {
                    lanes[i - i % width] & !(width as u8 - 1) | (i % width) as u8
                } else {
                    (first + i as u8) & 31
                };
            }
        }
        for cpu in CPUS {
            for from in [ShuffleFrom::One, ShuffleFrom::Two] {
                let form = X64::new(cpu).shuffle_form(from, &lanes);
                for sources in PAIRS {
                    let sources = if from == ShuffleFrom::One { vec![sources[0]] } else { sources.to_vec() };
                    for d in dests(&form, &sources) {
                        Contract::new(&sources, &[d]).cpu(cpu).check((from, lanes), |a| {
                            X64::shuffle(a, from, &lanes, d, sources[0], sources[sources.len() - 1]);
                        });
                    }
                }
            }
        }
    }
}
