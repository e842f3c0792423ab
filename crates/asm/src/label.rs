//! Places in the code of one function, and the fields that wait for them.
//!
//! Fields that refer to a label not yet bound form a chain: each holds the offset of the one before, the label knows
//! the last. Binding walks the chain once. So a use costs no allocation and a label may have any number of them.

use crate::buffer::Buffer;

/// A place in the code of the function under construction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(u32);

/// The labels of one function.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    states: Vec<State>,
    /// Where the jump tables of this function start, ascending. Fields inside them count from there.
    tables: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Not yet bound; the last field that waits for it.
    Open(Link),
    /// Bound to this offset.
    Bound(u32),
}

/// One link of a chain: a field's offset, and in the top bit whether it is an entry of a jump table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Link(u32);

impl Link {
    const END: Link = Link(u32::MAX);
    const TABLE: u32 = 1 << 31;
}

impl Labels {
    /// Forgets all labels.
    pub fn reset(&mut self) {
        debug_assert!(
            self.states.iter().all(|state| !matches!(state, State::Open(link) if *link != Link::END)),
            "a label was used and never bound"
        );
        self.abandon();
    }

    /// Forgets all labels, with code that is given up.
    pub fn abandon(&mut self) {
        self.states.clear();
        self.tables.clear();
    }

    /// A new label, not yet bound.
    #[inline]
    #[must_use]
    pub fn label(&mut self) -> Label {
        self.states.push(State::Open(Link::END));
        Label(self.states.len() as u32 - 1)
    }

    /// Where the label is, if it is bound.
    #[inline]
    #[must_use]
    pub fn offset(&self, label: Label) -> Option<u32> {
        match self.states[label.0 as usize] {
            State::Bound(offset) => Some(offset),
            State::Open(_) => None,
        }
    }

    /// Binds the label to the end of the code and fills in the fields that waited for it.
    pub fn bind(&mut self, label: Label, buffer: &mut Buffer) {
        let here = buffer.len();
        let State::Open(mut link) = std::mem::replace(&mut self.states[label.0 as usize], State::Bound(here)) else {
            panic!("a label is bound once");
        };
        while link != Link::END {
            let at = link.0 & !Link::TABLE;
            let origin = if link.0 & Link::TABLE == 0 { at + 4 } else { self.table_of(at) };
            link = Link(buffer.field(at));
            buffer.set_field(at, here.wrapping_sub(origin));
        }
    }

    /// What is to be in a 32-bit field at an offset, for the distance from its own end to the label.
    #[inline]
    #[must_use]
    pub fn rel32(&mut self, label: Label, at: u32) -> u32 {
        self.field(label, at, at + 4)
    }

    /// Appends a jump table: for each label 32 bits with the distance from the table's start to it.
    pub fn put_table(&mut self, labels: &[Label], buffer: &mut Buffer) {
        let start = buffer.len();
        self.tables.push(start);
        buffer.reserve(4 * labels.len());
        for label in labels {
            let field = self.field(*label, buffer.len() | Link::TABLE, start);
            buffer.put(field.into(), 4);
        }
    }

    #[inline]
    fn field(&mut self, label: Label, link: u32, origin: u32) -> u32 {
        match &mut self.states[label.0 as usize] {
            State::Bound(target) => target.wrapping_sub(origin),
            State::Open(last) => std::mem::replace(last, Link(link)).0,
        }
    }

    fn table_of(&self, at: u32) -> u32 {
        self.tables[self.tables.partition_point(|start| *start <= at) - 1]
    }
}
