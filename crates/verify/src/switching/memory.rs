//! What a routine that switches stacks reads and writes: its frame, its caller's operands, fields of the store's
//! structure and of stacks, the words that stacks exchange, lists of handlers, and the memory that takes what is
//! passed.

use super::terms::{Atom, Term};
use super::{Executor, Path, Relation, Vector};
use crate::facts::StoreField;
use crate::walk::Proved;

/// From the stack pointer at the entry to the caller's operands, behind the return address.
pub(super) const OPERANDS: i64 = 8;

/// Bytes of a value that is passed.
pub(super) const VALUE: i64 = 16;

/// Bytes of the words that a stack exchanges, at the upper end of its memory: stack pointer, frame pointer, where it
/// goes on.
pub(super) const WORDS: i64 = 24;

/// A place of the host's records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    /// A field of the store's structure.
    Store(u32),
    /// A field of a stack, to which this points.
    Field(Term, u32),
    /// A word of a stack, from the upper end of its memory on.
    Word(Term, i64),
}

/// What is written to the memory of another stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// So many bytes of an operand, from an offset to the stack pointer at the entry on; `count` times, each with the
    /// value behind it, if there is a count.
    Value { to: Term, from: Term, bytes: u8, count: Option<Term> },
    /// A reference to a continuation.
    Reference { to: Term, pointer: Term, revision: Term },
    /// An exception.
    Exception { to: Term, value: Term },
}

impl Transfer {
    /// What was written in a loop was written in all of its iterations.
    pub(super) fn repeat(&mut self, iteration: &Atom, times: &Term) -> Proved<()> {
        let Transfer::Value { to, from, count, .. } = self else { return Err("values passed in another way") };
        if to.count(iteration) != VALUE || from.count(iteration) != VALUE || count.is_some() {
            return Err("values passed in another way");
        }
        (*to, *from, *count) = (to.without(iteration), from.without(iteration), Some(times.clone()));
        Ok(())
    }
}

/// The groups of stacks of which no two have one in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// Those that run: the one that does, and whoever waits for it.
    Running,
    /// The continuation that is used and those that it waits for.
    Used,
    /// The one from which control has come back.
    Back,
}

/// A stack that something points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stack {
    group: Group,
    /// Is it known to be a continuation's?
    continuation: bool,
    /// May all be done to it, or may only its revision be read?
    usable: bool,
}

impl Executor<'_> {
    fn store_offset(&self, wanted: StoreField) -> u32 {
        self.p.facts.store.iter().find(|field| field.kind == wanted).map_or(u32::MAX, |field| field.offset)
    }

    /// Where the store's structure says which stack runs: its kind and, behind that, the pointer.
    pub(super) fn chain(&self) -> u32 {
        self.store_offset(StoreField::StackChainKind)
    }

    /// Where it has what changes with the stack.
    pub(super) fn live(&self) -> [u32; 4] {
        [
            StoreField::StackLimit,
            StoreField::EntryFramePointer,
            StoreField::EntryStackPointer,
            StoreField::EntryTrapHandler,
        ]
        .map(|field| self.store_offset(field))
    }

    pub(super) fn knows(path: &Path, left: &Term, relation: Relation, right: &Term, bytes: u8) -> bool {
        path.facts.iter().any(|fact| fact.1 == relation && fact.3 == bytes && fact.0 == *left && fact.2 == *right)
    }

    pub(super) fn field(&self, of: &Term, at: u32, epoch: u8) -> Term {
        let bytes = self.width(at).unwrap_or(8);
        Term::atom(Atom::Field { of: Box::new(of.clone()), at, bytes, epoch })
    }

    pub(super) fn stored(at: u32, epoch: u8) -> Term {
        Term::atom(Atom::StoreField { at, epoch })
    }

    pub(super) fn word(of: &Term, at: i64, epoch: u8) -> Term {
        Term::atom(Atom::Word { of: Box::new(of.clone()), at, epoch })
    }

    /// What the caller has at an offset of its operands.
    pub(super) fn operand_at(at: i64, bytes: u8, epoch: u8) -> Term {
        Term::atom(Atom::Operand { at, bytes, epoch })
    }

    /// The continuation that is used.
    pub(super) fn used() -> Term {
        Self::operand_at(0, 8, 0)
    }

    /// How many bytes the field of a stack at an offset has.
    fn width(&self, at: u32) -> Option<u8> {
        let s = self.stacks;
        let lists = [s.handlers, s.args, s.values];
        let short = [s.state, s.first_switch];
        let long = [s.parent, s.parent + 8, s.last_ancestor, s.revision, s.top];
        if short.contains(&at) || lists.iter().any(|list| [list + s.list_length, list + s.list_capacity].contains(&at))
        {
            Some(4)
        } else if long.contains(&at) || s.limits.contains(&at) || lists.iter().any(|list| list + s.list_data == at) {
            Some(8)
        } else {
            None
        }
    }

    /// Has every stack the field at an offset, that on which the host entered wasm included?
    fn is_common(&self, at: u32) -> bool {
        let s = self.stacks;
        let list = [s.list_length, s.list_capacity, s.list_data].map(|part| s.handlers + part);
        s.limits.contains(&at) || list.contains(&at) || [s.state, s.first_switch].contains(&at)
    }

    /// What a value points to, if it is one of the host's stacks.
    fn stack(&self, path: &Path, pointer: &Term) -> Option<Stack> {
        let s = self.stacks;
        let chain = self.chain();
        let initial = Term::constant(s.kinds[1].cast_signed());
        let begun_by_host = |kind: &Term| !Self::knows(path, kind, Relation::Unequal, &initial, 8);
        let stack = |group, continuation| Some(Stack { group, continuation, usable: true });
        match pointer.single()? {
            Atom::Operand { at: 0, bytes: 8, epoch: 0 } => {
                if !Self::knows(path, pointer, Relation::Unequal, &Term::constant(0), 8) {
                    return None;
                }
                let revision = self.field(pointer, s.revision, 0);
                let usable = Self::knows(path, &revision, Relation::Equal, &Self::operand_at(8, 8, 0), 8);
                Some(Stack { group: Group::Used, continuation: true, usable })
            }
            Atom::StoreField { at, epoch: 0 } if *at == chain + 8 => {
                stack(Group::Running, self.runs_continuation(path))
            }
            Atom::StoreField { at, epoch: 1 } if *at == chain + 8 && self.is_parent() => stack(Group::Back, true),
            Atom::LinkPointer(link) => stack(Group::Running, !begun_by_host(&Term::atom(Atom::LinkKind(*link)))),
            Atom::Field { of, at, epoch: 0, .. } if *at == s.last_ancestor => {
                let of = self.stack(path, of)?;
                (of.group == Group::Used && of.usable).then_some(of)
            }
            Atom::Field { of, at, epoch: 0, .. } if *at == s.parent + 8 => {
                let child = self.stack(path, of)?;
                let running = child.group == Group::Running && child.continuation;
                running.then_some(Stack {
                    group: Group::Running,
                    continuation: !begun_by_host(&self.field(of, s.parent, 0)),
                    usable: true,
                })
            }
            _ => None,
        }
    }

    /// Is the stack that runs a continuation's? The first link of the chain is that stack, and who comes to any link
    /// has asked of all before it.
    pub(super) fn runs_continuation(&self, path: &Path) -> bool {
        let initial = Term::constant(self.stacks.kinds[1].cast_signed());
        let kinds = path.links.iter().map(|link| Term::atom(Atom::LinkKind(*link)));
        kinds
            .chain([Self::stored(self.chain(), 0)])
            .any(|kind| Self::knows(path, &kind, Relation::Unequal, &initial, 8))
    }

    /// Are these the kind and the pointer of a link of the chain of stacks that run?
    pub(super) fn is_link(&self, path: &Path, kind: &Term, pointer: &Term) -> bool {
        let s = self.stacks;
        match (kind.single(), pointer.single()) {
            (Some(Atom::StoreField { at: kind, epoch: 0 }), Some(Atom::StoreField { at: pointer, epoch: 0 })) => {
                *kind == self.chain() && *pointer == self.chain() + 8
            }
            (
                Some(Atom::Field { of, at: kind, epoch: 0, .. }),
                Some(Atom::Field { of: same, at: pointer, epoch: 0, .. }),
            ) => {
                let child = self.stack(path, of);
                of == same
                    && *kind == s.parent
                    && *pointer == s.parent + 8
                    && child.is_some_and(|child| child.group == Group::Running && child.continuation)
            }
            (Some(Atom::LinkKind(a)), Some(Atom::LinkPointer(b))) => a == b,
            _ => false,
        }
    }

    /// The place of the host's records at an address, if so many bytes are all of it.
    fn spot(&self, path: &Path, address: &Term, bytes: u8, writes: bool) -> Proved<Spot> {
        let s = self.stacks;
        let [(atom, 1)] = &address.parts[..] else { return Err("access to nothing that is known") };
        let at = address.constant;
        let offset = u32::try_from(at).ok();
        if *atom == Atom::Store {
            let chain = self.chain();
            let fields = self.live().into_iter().chain([chain, chain + 8]);
            return match fields.into_iter().find(|field| Some(*field) == offset && bytes == 8) {
                Some(field) => Ok(Spot::Store(field)),
                None => Err("not a field of the store's structure that goes with stacks"),
            };
        }
        if let Atom::Field { of, at: field, epoch: 0, .. } = atom
            && *field == s.top
        {
            let word = [-WORDS, -WORDS + 8, -WORDS + 16].contains(&at) && bytes == 8;
            if !word || !self.stack(path, of).is_some_and(|stack| stack.continuation && stack.usable) {
                return Err("not a word that stacks exchange");
            }
            return Ok(Spot::Word((**of).clone(), at));
        }
        let pointer = Term::atom(atom.clone());
        let Some(stack) = self.stack(path, &pointer) else { return Err("access to what is no stack") };
        let Some(offset) = offset.filter(|offset| self.width(*offset) == Some(bytes)) else {
            return Err("not a whole field of a stack");
        };
        if !stack.continuation && !self.is_common(offset) {
            return Err("field of a continuation, where none is known to be");
        }
        if !stack.usable && (writes || offset != s.revision) {
            return Err("use of a continuation that may have been used");
        }
        if writes && offset == s.top {
            return Err("store to what is only read");
        }
        Ok(Spot::Field(pointer, offset))
    }

    /// May two of the host's records be the same, though they have different names?
    fn may_be(&self, path: &Path, a: &Spot, b: &Spot) -> bool {
        let (a, b) = match (a, b) {
            (Spot::Field(a, at), Spot::Field(b, other)) if at == other => (a, b),
            (Spot::Word(a, at), Spot::Word(b, other)) if at == other => (a, b),
            _ => return false,
        };
        a != b && self.stack(path, a).map(|stack| stack.group) == self.stack(path, b).map(|stack| stack.group)
    }

    /// Reads so many bytes.
    pub(super) fn load(&mut self, path: &Path, address: &Term, bytes: u8) -> Proved<Term> {
        if let [(Atom::Stack, 1)] = address.parts[..] {
            return self.load_frame(path, address.constant, bytes);
        }
        if let [(Atom::Entry(15), 1)] = address.parts[..] {
            let store = self.p.facts.instance.iter().find(|field| field.kind == crate::facts::InstanceField::Store);
            let whole = store.is_some_and(|field| i64::from(field.offset) == address.constant) && bytes == 8;
            return if whole { Ok(Term::atom(Atom::Store)) } else { Err("not the store's structure") };
        }
        if let Some(tag) = self.handler(path, address, bytes)? {
            return Ok(tag);
        }
        let spot = self.spot(path, address, bytes, false)?;
        if let Some(value) = path.host.get(&spot) {
            return Ok(value.clone());
        }
        if path.host.keys().any(|written| self.may_be(path, written, &spot)) {
            return Err("read of what may have been written under another name");
        }
        Ok(match spot {
            Spot::Store(at) => Self::stored(at, path.epoch),
            Spot::Field(of, at) => self.field(&of, at, path.epoch),
            Spot::Word(of, at) => Self::word(&of, at, path.epoch),
        })
    }

    /// An element of the list of handlers of a stack that waits for those that run.
    fn handler(&self, path: &Path, address: &Term, bytes: u8) -> Proved<Option<Term>> {
        let s = self.stacks;
        let list = address.parts.iter().find_map(|(atom, times)| match atom {
            Atom::Field { of, at, epoch: 0, .. } if *at == s.handlers + s.list_data && *times == 1 => Some((atom, of)),
            _ => None,
        });
        let Some((list, of)) = list else { return Ok(None) };
        let offset = address.without(list);
        let index = Term {
            constant: offset.constant / 8,
            parts: offset.parts.iter().map(|(atom, times)| (atom.clone(), times / 8)).collect(),
        };
        let waits = matches!(of.single(), Some(Atom::Field { at, .. }) if *at == s.parent + 8)
            && self.stack(path, of).is_some_and(|stack| stack.group == Group::Running);
        // Those that suspend are the first of all.
        let bounded = [s.first_switch, s.handlers + s.list_length]
            .iter()
            .any(|end| Self::knows(path, &index, Relation::Less, &self.field(of, *end, 0), 4));
        if bytes != 8 || index.times(8) != offset || !waits || !bounded || !Self::is_short(path, &index) {
            return Err("access to a list of handlers that is not known to be in bounds");
        }
        Ok(Some(Term::atom(Atom::Handler { of: of.clone(), index: Box::new(index) })))
    }

    fn load_frame(&self, path: &Path, at: i64, bytes: u8) -> Proved<Term> {
        if Self::top(path).is_some_and(|top| at < top) {
            return Err("outside of the frame");
        }
        if let Some(value) = path.frame.get(&at) {
            return if bytes == 8 { Ok(value.clone()) } else { Err("part of a word of the frame") };
        }
        let operand = at - OPERANDS;
        if !(0..VALUE).contains(&operand) || operand % 8 != 0 || bytes > 8 {
            return Err("read of what nothing has written");
        }
        Ok(Self::operand_at(operand, bytes, path.epoch))
    }

    /// The offset of a value among the caller's operands, to the stack pointer at the entry.
    pub(super) fn operand(&self, path: &Path, address: &Term) -> Proved<Term> {
        // How far it reaches is asked where it is known how many values are passed.
        if address.count(&Atom::Stack) != 1 || path.epoch != 0 {
            return Err("value that is no operand");
        }
        Ok(address.without(&Atom::Stack))
    }

    /// Writes so many bytes.
    pub(super) fn store(&mut self, path: &mut Path, address: &Term, bytes: u8, value: Term) -> Proved<()> {
        if let [(Atom::Stack, 1)] = address.parts[..] {
            let at = address.constant;
            let inside = Self::top(path).is_some_and(|top| top <= at) && at < 0 && at % 8 == 0;
            if !inside || bytes != 8 || !path.loops.is_empty() {
                return Err("store outside of the frame");
            }
            path.frame.insert(at, value);
            return Ok(());
        }
        let value = if bytes == 4 && !Self::is_short(path, &value) { value.low() } else { value };
        if let Some(Atom::Field { of, at, .. }) = address.single()
            && *at == self.stacks.values + self.stacks.list_data
            && bytes == 4
        {
            if !path.loops.is_empty() || !self.stack(path, of).is_some_and(|stack| stack.usable) {
                return Err("store to what is no stack");
            }
            path.transfers.push(Transfer::Exception { to: address.clone(), value });
            return Ok(());
        }
        let spot = self.spot(path, address, bytes, true)?;
        if !path.loops.is_empty() {
            return Err("store to a record of the host's in a loop");
        }
        if path.host.keys().any(|written| self.may_be(path, written, &spot)) {
            return Err("store to what may have been written under another name");
        }
        path.host.insert(spot, value);
        Ok(())
    }

    /// Writes a vector: a value that is passed, or a reference.
    pub(super) fn store_vector(&mut self, path: &mut Path, address: &Term, bytes: u8, value: Vector) -> Proved<()> {
        if let [(Atom::Stack, 1)] = address.parts[..] {
            let Vector::Pair(pointer, revision) = value else { return Err("store of what is no reference") };
            if address.constant != OPERANDS || bytes != 16 || !path.loops.is_empty() {
                return Err("reference that goes where none is asked for");
            }
            path.frame.insert(OPERANDS, pointer);
            path.frame.insert(OPERANDS + 8, revision);
            return Ok(());
        }
        let transfer = match value {
            Vector::Operand(from, width) if width == bytes => {
                Transfer::Value { to: address.clone(), from, bytes, count: None }
            }
            Vector::Pair(pointer, revision) if bytes == 16 && path.loops.is_empty() => {
                Transfer::Reference { to: address.clone(), pointer, revision }
            }
            _ => return Err("store of another vector"),
        };
        path.transfers.push(transfer);
        Ok(())
    }
}
