//! The tables that describe instructions, in the host's formats. Each is taken only in the one form in which the host's
//! builders write it, so that what is read here and what the host finds in it are the same.

use super::{Malformed, Reader, ensure};
use crate::facts::{CallSite, Handler, StackMap};

/// Entries of a block of the trap table or the address map.
const BLOCK: usize = 128;

/// Reads a table of blocks: gives `entry` the reader of the block's body, where its first entry is, and how many
/// entries it has.
fn blocks<'a>(
    section: &'a [u8],
    mut block: impl FnMut(&mut Reader<'a>, u32, usize) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut head = Reader(section);
    let (entries, count) = (head.word()? as usize, head.word()? as usize);
    ensure(count == entries.div_ceil(BLOCK), "a table has not as many blocks as entries need")?;
    let index = head.words(count.checked_mul(2).ok_or_else(|| Malformed::new("a table is too long"))?)?;
    let bodies = head.0;
    let mut body = Reader(bodies);
    for (nth, entry) in index.as_chunks().0.iter().enumerate() {
        let [first, at] = *entry;
        ensure(at as usize == bodies.len() - body.0.len(), "a table's blocks do not follow each other")?;
        block(&mut body, first, BLOCK.min(entries - nth * BLOCK))?;
    }
    ensure(body.0.is_empty(), "a table is longer than it says")
}

/// Reads the trap table: offsets in ascending order, with the host's number of why.
pub(super) fn traps(section: &[u8]) -> Result<Vec<(u32, u8)>, Malformed> {
    let mut traps: Vec<(u32, u8)> = Vec::new();
    blocks(section, |body, first, entries| {
        let usual = body.byte()?;
        let mut at = first;
        for nth in 0..entries {
            let entry = body.unsigned()?;
            let next = u32::try_from(entry >> 1).ok().and_then(|more| at.checked_add(more));
            at = next.ok_or_else(|| Malformed::new("a trap is out of the text"))?;
            ensure(nth != 0 || at == first, "a block of traps does not begin with its first")?;
            ensure(traps.last().is_none_or(|(last, _)| *last < at), "traps are not in order")?;
            let trap = if entry & 1 == 0 { usual } else { body.byte()? };
            traps.push((at, trap));
        }
        Ok(())
    })?;
    Ok(traps)
}

/// The address map: offsets in the text in ascending order, each with the byte of the module that the code from there
/// on belongs to, if any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses(pub Vec<(u32, Option<u32>)>);

impl Addresses {
    /// Reads the section of an artifact that has them.
    ///
    /// # Errors
    ///
    /// If it is not of the form that the host writes and reads.
    pub fn parse(section: &[u8]) -> Result<Addresses, Malformed> {
        let mut addresses: Vec<(u32, Option<u32>)> = Vec::new();
        blocks(section, |body, first, entries| {
            let mut at = first;
            let mut wasm: Option<u32> = None;
            for nth in 0..entries {
                let entry = body.unsigned()?;
                let next = u32::try_from(entry >> 1).ok().and_then(|more| at.checked_add(more));
                at = next.ok_or_else(|| Malformed::new("an address is out of the text"))?;
                ensure(nth != 0 || at == first, "a block of addresses does not begin with its first")?;
                ensure(addresses.last().is_none_or(|(last, _)| *last <= at), "addresses are not in order")?;
                if entry & 1 != 0 {
                    addresses.push((at, None));
                    continue;
                }
                let next = match wasm {
                    None => u32::try_from(body.unsigned()?).ok(),
                    Some(last) => i32::try_from(body.signed()?).ok().and_then(|more| last.checked_add_signed(more)),
                };
                ensure(next.is_some_and(|next| next != u32::MAX), "an address is out of the module")?;
                wasm = next;
                addresses.push((at, wasm));
            }
            Ok(())
        })?;
        Ok(Addresses(addresses))
    }
}

/// The exception table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// Calls, by ascending return address.
    pub calls: Vec<CallSite>,
    /// What they name, in their order.
    pub handlers: Vec<Handler>,
}

/// A word that says of none.
const NONE: u32 = u32::MAX;

impl Exceptions {
    pub(super) fn parse(section: &[u8]) -> Result<Exceptions, Malformed> {
        let mut words = Reader(section);
        let (calls, handlers) = (words.word()? as usize, words.word()? as usize);
        let [at, frames, ends] = [words.words(calls)?, words.words(calls)?, words.words(calls)?];
        let [tags, contexts, pads] = [words.words(handlers)?, words.words(handlers)?, words.words(handlers)?];
        ensure(words.0.is_empty(), "the exception table is longer than it says")?;
        ensure(at.is_sorted_by(|a, b| a < b), "calls with handlers are not in order")?;
        let mut from = 0;
        let mut sites = Vec::with_capacity(calls);
        for ((returns_to, frame), end) in at.into_iter().zip(frames).zip(ends) {
            ensure((from..=handlers as u32).contains(&end), "a call's handlers are not in the exception table")?;
            ensure(frame != NONE, "a call with handlers has no frame")?;
            sites.push(CallSite { returns_to, frame, handlers: (from, end) });
            from = end;
        }
        ensure(from as usize == handlers, "a handler belongs to no call")?;
        let known = |word: u32| Some(word).filter(|word| *word != NONE);
        let handler = |((tag, context), pad)| Handler { tag: known(tag), context: known(context), pad };
        let handlers = tags.into_iter().zip(contexts).zip(pads).map(handler).collect();
        Ok(Exceptions { calls: sites, handlers })
    }
}

/// Stack maps. Several calls may share one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackMaps {
    /// Calls, by ascending return address.
    pub calls: Vec<StackMap>,
    /// What the maps are made of.
    pub words: Vec<u32>,
}

impl StackMaps {
    pub(super) fn parse(section: &[u8]) -> Result<StackMaps, Malformed> {
        let mut words = Reader(section);
        let count = words.word()? as usize;
        let (at, maps) = (words.words(count)?, words.words(count)?);
        let all = words.words(words.0.len() / 4)?;
        ensure(words.0.is_empty(), "the stack maps are no whole number of words")?;
        ensure(at.is_sorted_by(|a, b| a < b), "stack maps are not in order")?;
        let find = |(returns_to, map): (u32, u32)| {
            let head = all.get(map as usize..)?.first_chunk::<2>()?;
            let begin = map.checked_add(2)?;
            let end = begin.checked_add(head[1]).filter(|end| *end as usize <= all.len())?;
            Some(StackMap { returns_to, frame: head[0], bits: (begin, end) })
        };
        let calls = at.into_iter().zip(maps).map(find).collect::<Option<_>>();
        let calls = calls.ok_or_else(|| Malformed::new("a stack map is outside of the section"))?;
        Ok(StackMaps { calls, words: all })
    }
}
