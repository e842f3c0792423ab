//! Handlers that are in force: of exceptions, in scopes, as a list that each call names; of continuations, as clauses.
//!
//! Of nested handlers of one tag only the innermost can get an exception, and none beyond one that takes everything.
//! The others are off the list of handlers as long as those are on it. The table cannot share lists, so a call within n
//! handlers of different tags takes n entries; they count against the budget of the function like code.

use crate::emit::FuncGen;
use crate::emit::edges::Block;
use crate::isa::Isa;
use lightbeam_asm::Label;
use std::ops::Range;

/// What is known of the handlers of a function.
#[derive(Default)]
pub(crate) struct Exceptions {
    pub(crate) scopes: Vec<Scope>,
    pub(crate) catches: Vec<Catch>,
    /// The innermost open scope.
    pub(crate) innermost: Option<u32>,
    /// The handlers that an exception can come to here, as a list by `Catch::next`, innermost first: for each tag
    /// one, since no exception gets past it to another of the same tag; none beyond one that takes everything.
    pub(crate) first: u32,
    /// By tag index: stamp and the handler of the tag in that list.
    pub(crate) of_tag: Vec<(u32, u32)>,
    pub(crate) stamp: u32,
    /// Frame offset of the instance pointer; only in functions with handlers, as the next.
    pub(crate) context: i32,
    /// Positions of the locals that have homes.
    pub(crate) homes: Vec<u32>,
}

/// A `try_table` that has handlers.
pub(crate) struct Scope {
    /// The one around it.
    pub(crate) outer: Option<u32>,
    /// How many blocks were open around it.
    pub(crate) depth: u32,
    /// Its handlers among `Exceptions::catches`.
    pub(crate) catches: Range<u32>,
    /// What is left of the list of handlers around it.
    pub(crate) rest: u32,
    /// What its calls name, once there was one.
    pub(crate) handlers: Option<(u32, u32)>,
}

/// A handler.
pub(crate) struct Catch {
    /// The tag of what it takes; `None` for everything.
    pub(crate) tag: Option<u32>,
    /// Does it give the exception itself, too?
    pub(crate) reference: bool,
    /// The block whose label it names, by depth from the outermost.
    pub(crate) target: u32,
    /// That block, once a call has named the handler.
    pub(crate) block: Option<Block>,
    /// Offset of its landing pad.
    pub(crate) pad: u32,
    /// Wasm offset of the `try_table`.
    pub(crate) wasm: u32,
    /// The handler of the same tag around it, which is off the list as long as this one is on it.
    pub(crate) hidden: u32,
    /// Its neighbours in the list.
    pub(crate) previous: u32,
    pub(crate) next: u32,
}

/// No handler.
pub(crate) const NONE: u32 = u32::MAX;

impl Exceptions {
    /// Adds a handler of the `try_table` whose handlers begin at `first`, unless one of them takes its exceptions.
    pub(crate) fn add(&mut self, mut catch: Catch, first: u32) {
        let at = self.catches.len() as u32;
        if let Some(tag) = catch.tag {
            let tag = tag as usize;
            if self.of_tag.len() <= tag {
                self.of_tag.resize(tag + 1, (0, NONE));
            }
            let known = &mut self.of_tag[tag];
            if known.0 == self.stamp && known.1 != NONE {
                if known.1 >= first {
                    return;
                }
                catch.hidden = known.1;
            }
            *known = (self.stamp, at);
            if catch.hidden != NONE {
                self.unlink(catch.hidden);
            }
        }
        self.catches.push(catch);
    }

    /// Takes a handler off the list.
    pub(crate) fn unlink(&mut self, at: u32) {
        let Catch { previous, next, .. } = self.catches[at as usize];
        if self.first == at {
            self.first = next;
        } else if previous != NONE {
            self.catches[previous as usize].next = next;
        }
        if next != NONE {
            self.catches[next as usize].previous = previous;
        }
    }

    /// Puts these handlers in front of the list, or in its place if they are `closed`. Gives what was in the list.
    pub(crate) fn enlist(&mut self, catches: Range<u32>, closed: bool) -> u32 {
        let rest = self.first;
        let mut next = if closed { NONE } else { rest };
        for at in catches.rev() {
            self.catches[at as usize].next = next;
            if next != NONE {
                self.catches[next as usize].previous = at;
            }
            next = at;
        }
        self.catches[next as usize].previous = NONE;
        self.first = next;
        rest
    }

    /// A scope ends: the list is as it was before, undone step by step from the last.
    pub(crate) fn strike(&mut self, scope: usize) {
        let Scope { ref catches, rest, .. } = self.scopes[scope];
        self.first = rest;
        if rest != NONE {
            self.catches[rest as usize].previous = NONE;
        }
        for at in catches.clone().rev() {
            let Catch { tag, hidden, .. } = self.catches[at as usize];
            if let Some(tag) = tag {
                self.of_tag[tag as usize].1 = hidden;
            }
            if hidden == NONE {
                continue;
            }
            let Catch { previous, next, .. } = self.catches[hidden as usize];
            if next != NONE {
                self.catches[next as usize].previous = hidden;
            }
            if previous != NONE {
                self.catches[previous as usize].next = hidden;
            } else if self.first == next {
                self.first = hidden;
            }
        }
    }
}

/// Where the handlers of `resume` continue.
#[derive(Default)]
pub(crate) struct Resumptions {
    pub(crate) clauses: Vec<Clause>,
    /// Operators with more than one handler: where they choose among which of the clauses.
    pub(crate) choices: Vec<(Label, u32, u32)>,
}

/// A handler of a `resume`.
#[derive(Clone, Copy)]
pub(crate) struct Clause {
    pub(crate) label: Label,
    /// The block whose label it names.
    pub(crate) block: Block,
    /// Its tag.
    pub(crate) tag: u32,
    /// Wasm offset of the operator.
    pub(crate) wasm: u32,
}

impl Resumptions {
    pub(crate) fn clear(&mut self) {
        self.clauses.clear();
        self.choices.clear();
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// May an exception come from here to a handler of this function?
    pub(crate) fn is_handled(&self) -> bool {
        self.lists.exceptions.innermost.is_some()
    }
}
