//! The generators of modules, each behind one function from decisions to a module.

use crate::generate::{
    Generated, before_unreachable, block_locals, continuations, control, crowded, exceptions, fuel, moves, null_tests,
    objects, pending_writes, pressure, programs, waiting_reads, windows,
};
use crate::observe::Rule;
use crate::random::Random;
use std::ops::Range;

/// A generator.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What it is called.
    pub name: &'static str,
    /// How strictly its modules' results must agree.
    pub rule: Rule,
    /// The module of these decisions.
    pub make: fn(Random) -> Generated,
}

/// All generators that decide at random.
pub const FAMILIES: &[Family] = &[
    exact("programs", |r| sized(r, 1..4, programs::module)),
    exact("control", |r| sized(r, 10..110, control::module)),
    Family { rule: Rule::AnyNan, ..exact("pressure", |r| sized(r, 5..65, pressure::module)) },
    exact("crowded", |r| sized(r, 1..40, crowded::module)),
    exact("block_locals", |r| sized(r, 1..7, block_locals::module)),
    exact("waiting_reads", |r| sized(r, 3..30, waiting_reads::module)),
    Family { rule: Rule::AnyNan, ..exact("pending_writes", |r| sized(r, 4..24, pending_writes::module)) },
    exact("before_unreachable", |r| sized(r, 2..20, before_unreachable::module)),
    exact("objects", |r| sized(r, 10..100, objects::module)),
    exact("null_tests", |r| sized(r, 5..40, null_tests::module)),
    exact("windows", windows::module),
    exact("exceptions", |r| sized(r, 5..85, exceptions::module)),
    exact("continuations", |r| sized(r, 5..65, continuations::module)),
    exact("fuel", |r| sized(r, 5..60, fuel::module)),
    exact("permuted", |r| sized(r, 1..20, moves::permuted)),
    exact("rotations", moves::rotations),
];

const fn exact(name: &'static str, make: fn(Random) -> Generated) -> Family {
    Family { name, rule: Rule::Exact, make }
}

/// A module of a size that is decided first.
fn sized(mut random: Random, sizes: Range<usize>, make: fn(Random, usize) -> Generated) -> Generated {
    let size = sizes.start + random.below(sizes.len());
    make(random, size)
}

/// The generator of this name.
pub(super) fn family(name: &str) -> Family {
    *FAMILIES.iter().find(|family| family.name == name).expect("the name of a family")
}
