//! Products of 128 bits: a body that stores one, and the body that says so.
//!
//! WebAssembly had no such product for long, so whoever multiplies numbers of 128 bits calls `__multi3` of its
//! compiler's runtime: `(p, a0, a1, b0, b1)`, which stores the lower half of `a * b` at `p`, made of products of
//! halves. Hashes, field arithmetic, random numbers and conversions of floats live on it. A valid body of that type is
//! evaluated over symbols. If what it stores is one of the known ways to write the two words of the product, up to the
//! order of operands and summands, it is replaced by one with `i64.mul_wide_u`. That is as long, and has the stores
//! where they were, so that traps are those of the same places.

use crate::operators::Op;
use crate::operators::reader::Reader;
use crate::treaty::sig::Sig;
use crate::treaty::ty::Ty;
use crate::validate::survey::Survey;
use std::ops::Range;

/// The longest body that is looked at; those known have 110 to 120 bytes.
const LONGEST: usize = 200;

const PARAMS: [Ty; 5] = [Ty::I32, Ty::I64, Ty::I64, Ty::I64, Ty::I64];
const P: u8 = 0;
const A0: u8 = 1;
const A1: u8 = 2;
const B0: u8 = 3;
const B1: u8 = 4;

/// Which parameters are heavy: not the word that is multiplied at once and need not be kept.
const TOUCHES: [u32; 5] = [5, 1, 4, 4, 4];

/// Leaves the upper word of the product in the local `B0` and the lower in `A0`.
#[rustfmt::skip]
const PRODUCT: [u8; 22] = {
    let (get, set) = (Op::LocalGet.byte(), Op::LocalSet.byte());
    let (add, mul, [misc, wide]) = (Op::I64Add.byte(), Op::I64Mul.byte(), Op::I64MulWideU.bytes_of_misc());
    [
        get, A0, get, B0, misc, wide,
        get, A0, get, B1, mul, add,
        get, A1, get, B0, mul, add,
        set, B0, set, A0,
    ]
};

/// A store of the product's upper or lower word at `P`.
struct Store {
    /// The node that it stores.
    value: u8,
    /// Where it is in the body.
    place: Range<usize>,
}

/// The body to compile in the place of a valid one, and its survey, if that is a product. What it costs is bounded.
#[inline]
pub(crate) fn product<'a>(sig: &Sig, survey: &mut Survey, body: &[u8], room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if sig.params.len() != PARAMS.len() || body.len() > LONGEST {
        return None;
    }
    rewrite(sig, survey, body, room)
}

#[inline(never)]
fn rewrite<'a>(sig: &Sig, survey: &mut Survey, body: &[u8], room: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if *sig.params != PARAMS || !sig.results.is_empty() {
        return None;
    }
    let start = survey.code_start;
    let mut graph = Graph { nodes: [Node::Param(0); MOST_NODES], len: 0 };
    let [first, second] = graph.stores_of(Reader::new(body, start))?;
    let halves = if graph.is_product(first.value, second.value)? {
        [A0, B0]
    } else if graph.is_product(second.value, first.value)? {
        [B0, A0]
    } else {
        return None;
    };

    room.clear();
    room.resize(body.len(), Op::Nop.byte());
    let new = &mut room[..];
    new[..start].copy_from_slice(&body[..start]);
    let get = Op::LocalGet.byte();
    let mut free = start;
    for (store, half, ahead) in [(&first, halves[0], &PRODUCT[..]), (&second, halves[1], &[])] {
        // The store's operands are right in front of it, and what computes them in front of these.
        let operands = store.place.start.checked_sub(4)?;
        let at = operands.checked_sub(ahead.len()).filter(|at| *at >= free)?;
        new[at..operands].copy_from_slice(ahead);
        new[operands..store.place.start].copy_from_slice(&[get, P, get, half]);
        new[store.place.clone()].copy_from_slice(&body[store.place.clone()]);
        free = store.place.end;
    }
    new[body.len() - 1] = Op::End.byte();

    survey.begin(PARAMS.len() as u32);
    survey.code_start = start;
    for (local, (ty, touches)) in (0..).zip(PARAMS.into_iter().zip(TOUCHES)) {
        survey.touch_first(local, false, ty);
        for _ in 1..touches {
            survey.touch_again(local, false);
        }
    }
    Some(new)
}

/// Known bodies have some 25, and what they are compared with 40 more.
const MOST_NODES: usize = 96;

/// The most summands that are told apart.
const MOST_SUMMANDS: usize = 6;

/// No node.
const NONE: u8 = u8::MAX;

/// A value of 64 bits, of other nodes. What is the same number in any order has its operands in order.
#[derive(Clone, Copy, PartialEq)]
enum Node {
    Param(u8),
    /// What a local is that nobody has written.
    Zero,
    Constant(i64),
    /// The lower half.
    Lower(u8),
    /// The upper half, shifted down.
    Upper(u8),
    /// The lower half, shifted up.
    Raised(u8),
    Product(u8, u8),
    Or(u8, u8),
    /// 1 if the first is less than the second, unsigned, else 0.
    Less(u8, u8),
    /// The summands; behind them, `NONE`.
    Sum([u8; MOST_SUMMANDS]),
}

/// Nodes, none of them twice, so that the same number is the same value.
struct Graph {
    nodes: [Node; MOST_NODES],
    len: usize,
}

impl Graph {
    /// The number of a node. `None`: there are too many.
    fn node(&mut self, node: Node) -> Option<u8> {
        let at = self.nodes[..self.len].iter().position(|known| *known == node).unwrap_or(self.len);
        *self.nodes.get_mut(at)? = node;
        self.len = self.len.max(at + 1);
        Some(at as u8)
    }

    fn product(&mut self, l: u8, r: u8) -> Option<u8> {
        self.node(Node::Product(l.min(r), l.max(r)))
    }

    fn or(&mut self, l: u8, r: u8) -> Option<u8> {
        self.node(Node::Or(l.min(r), l.max(r)))
    }

    fn sum(&mut self, l: u8, r: u8) -> Option<u8> {
        let mut all = [NONE; 2 * MOST_SUMMANDS];
        for (part, node) in [(0, l), (MOST_SUMMANDS, r)] {
            match self.nodes[node as usize] {
                Node::Sum(summands) => all[part..part + MOST_SUMMANDS].copy_from_slice(&summands),
                _ => all[part] = node,
            }
        }
        all.sort_unstable();
        let (summands, rest) = all.split_at(MOST_SUMMANDS);
        if rest[0] != NONE {
            return None;
        }
        self.node(Node::Sum(summands.try_into().ok()?))
    }

    fn sum_of(&mut self, summands: &[u8]) -> Option<u8> {
        let (first, others) = summands.split_first()?;
        others.iter().try_fold(*first, |sum, next| self.sum(sum, *next))
    }

    /// Evaluates a body that stores two values at `P` and does nothing else.
    fn stores_of(&mut self, mut body: Reader<'_>) -> Option<[Store; 2]> {
        let mut locals = [NONE; 16];
        for (param, local) in locals.iter_mut().enumerate() {
            *local = self.node(if param < PARAMS.len() { Node::Param(param as u8) } else { Node::Zero })?;
        }
        let mut stack = [NONE; 8];
        let mut height = 0;
        let mut stores = [None, None];
        let mut stored = 0;
        loop {
            let at = body.pos();
            let op = body.op();
            // What it takes: valid code has that on the stack.
            let takes = match op {
                Op::LocalGet | Op::I64Const | Op::End => 0,
                Op::LocalSet | Op::LocalTee | Op::I64ExtendI32U => 1,
                _ => 2,
            };
            height = usize::checked_sub(height, takes)?;
            let [l, r] = [stack[height], if takes == 2 { stack[height + 1] } else { NONE }];
            let gives = match op {
                Op::LocalGet => *locals.get(body.u32() as usize)?,
                Op::LocalSet | Op::LocalTee => {
                    *locals.get_mut(body.u32() as usize)? = l;
                    if op == Op::LocalSet {
                        continue;
                    }
                    l
                }
                Op::I64Const => self.node(Node::Constant(body.i64()))?,
                Op::I64Add => self.sum(l, r)?,
                Op::I64Mul => self.product(l, r)?,
                Op::I64Or => self.or(l, r)?,
                Op::I64LtU => self.node(Node::Less(l, r))?,
                Op::I64GtU => self.node(Node::Less(r, l))?,
                // Of a comparison, as the address is extended nowhere in a product.
                Op::I64ExtendI32U => l,
                Op::I64And | Op::I64ShrU | Op::I64Shl => match (op, self.nodes[r as usize]) {
                    (Op::I64And, Node::Constant(0xffff_ffff)) => self.node(Node::Lower(l))?,
                    (Op::I64ShrU, Node::Constant(32)) => self.node(Node::Upper(l))?,
                    (Op::I64Shl, Node::Constant(32)) => self.node(Node::Raised(l))?,
                    _ => return None,
                },
                Op::I64Store => {
                    if self.nodes[l as usize] != Node::Param(P) {
                        return None;
                    }
                    body.memarg();
                    *stores.get_mut(stored)? = Some(Store { value: r, place: at..body.pos() });
                    stored += 1;
                    continue;
                }
                Op::End if body.at_end() => break,
                _ => return None,
            };
            *stack.get_mut(height)? = gives;
            height += 1;
        }
        let [first, second] = stores;
        Some([first?, second?])
    }

    /// Are these the lower and the upper word of the product?
    fn is_product(&mut self, lower: u8, upper: u8) -> Option<bool> {
        let [a0, a1, b0, b1] = [A0, A1, B0, B1].map(|param| self.node(Node::Param(param)));
        let (a0, a1, b0, b1) = (a0?, a1?, b0?, b1?);
        let outer = [self.product(a0, b1)?, self.product(a1, b0)?];
        for (a, b) in [(a0, b0), (b0, a0)] {
            if [self.by_halves(a, b, outer)?, self.by_carries(a, b, outer)?].contains(&(lower, upper)) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The halves of two words and what they give: the products of the lower and of the upper halves, and the mixed.
    fn products(&mut self, a: u8, b: u8) -> Option<[u8; 4]> {
        let [al, bl] = [self.node(Node::Lower(a))?, self.node(Node::Lower(b))?];
        let [ah, bh] = [self.node(Node::Upper(a))?, self.node(Node::Upper(b))?];
        Some([self.product(al, bl)?, self.product(al, bh)?, self.product(ah, bl)?, self.product(ah, bh)?])
    }

    /// As a runtime in C has it: no sum on the way is of more than 64 bits.
    ///
    /// ```text
    /// t = (al * bl >> 32) + al * bh       lower = (u << 32) | (al * bl & 0xffff_ffff)
    /// u = (t & 0xffff_ffff) + ah * bl     upper = ah * bh + (t >> 32) + (u >> 32) + outer
    /// ```
    fn by_halves(&mut self, a: u8, b: u8, outer: [u8; 2]) -> Option<(u8, u8)> {
        let [ll, lh, hl, hh] = self.products(a, b)?;
        let carried = self.node(Node::Upper(ll))?;
        let t = self.sum(carried, lh)?;
        let rest = self.node(Node::Lower(t))?;
        let u = self.sum(rest, hl)?;
        let [raised, lowest] = [self.node(Node::Raised(u))?, self.node(Node::Lower(ll))?];
        let [t, u] = [self.node(Node::Upper(t))?, self.node(Node::Upper(u))?];
        Some((self.or(raised, lowest)?, self.sum_of(&[hh, t, u, outer[0], outer[1]])?))
    }

    /// As one in Rust has it: sums wrap, and what they lose is found by comparing.
    ///
    /// ```text
    /// m = al * bh + ah * bl, less than al * bh if it has wrapped
    /// lower = al * bl + (m << 32), less than al * bl if it has wrapped
    /// upper = ah * bh + (m >> 32 | wrapped << 32) + wrapped + outer
    /// ```
    fn by_carries(&mut self, a: u8, b: u8, outer: [u8; 2]) -> Option<(u8, u8)> {
        let [ll, lh, hl, hh] = self.products(a, b)?;
        let m = self.sum(lh, hl)?;
        let raised = self.node(Node::Raised(m))?;
        let lower = self.sum(ll, raised)?;
        let wrapped = self.node(Node::Less(m, lh))?;
        let [wrapped, m] = [self.node(Node::Raised(wrapped))?, self.node(Node::Upper(m))?];
        let m = self.or(wrapped, m)?;
        let carry = self.node(Node::Less(lower, ll))?;
        Some((lower, self.sum_of(&[hh, m, carry, outer[0], outer[1]])?))
    }
}
