//! Which call passes exceptions to which handler.

use lightbeam_compiler::code::{CallSite, Handler};

/// The section `.wasmtime.exceptions`: the numbers of calls and of handlers; by call where it returns to, how far the
/// frame pointer is, and where its handlers end; by handler its tag, where the frame keeps the instance, and where it
/// is.
#[derive(Default)]
pub(crate) struct ExceptionTable {
    calls: [Vec<u32>; 3],
    handlers: [Vec<u32>; 3],
}

impl ExceptionTable {
    /// Adds the calls of a fragment whose offsets count from `base` of the text, behind all others.
    pub(crate) fn push(&mut self, base: u32, sites: &[CallSite], handlers: &[Handler]) {
        for site in sites {
            for handler in &handlers[site.handlers.0 as usize..site.handlers.1 as usize] {
                self.handlers[0].push(handler.tag.unwrap_or(u32::MAX));
                self.handlers[1].push(site.context);
                self.handlers[2].push(base + handler.at);
            }
            self.calls[0].push(base + site.at);
            self.calls[1].push(site.frame);
            self.calls[2].push(self.handlers[0].len() as u32);
        }
    }

    /// Adds the table of a text that begins at `base` of this one.
    pub(crate) fn append(&mut self, base: u32, table: ExceptionTable) {
        let ExceptionTable { calls: [returns, frames, ends], handlers: [tags, contexts, places] } = table;
        let first = self.handlers[0].len() as u32;
        self.calls[0].extend(returns.iter().map(|at| base + at));
        self.calls[1].extend(frames);
        self.calls[2].extend(ends.iter().map(|end| first + end));
        self.handlers[0].extend(tags);
        self.handlers[1].extend(contexts);
        self.handlers[2].extend(places.iter().map(|at| base + at));
    }

    /// As [`append`](Self::append), of a table that is a section already.
    pub(crate) fn append_section(&mut self, base: u32, section: &[u8]) {
        let mut words = section.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("4 bytes")));
        let [calls, handlers] = [(); 2].map(|()| words.next().expect("the numbers of both come first") as usize);
        let mut array = |len: usize| words.by_ref().take(len).collect::<Vec<u32>>();
        let calls = [calls; 3].map(&mut array);
        let handlers = [handlers; 3].map(&mut array);
        self.append(base, ExceptionTable { calls, handlers });
    }

    /// Takes over the table of an artifact, all of it.
    pub(crate) fn restore(&mut self, table: &lightbeam_verify::artifact::Exceptions) {
        const NONE: u32 = u32::MAX;
        let calls = &table.calls;
        self.calls = [
            calls.iter().map(|call| call.returns_to).collect(),
            calls.iter().map(|call| call.frame).collect(),
            calls.iter().map(|call| call.handlers.1).collect(),
        ];
        let handlers = &table.handlers;
        self.handlers = [
            handlers.iter().map(|handler| handler.tag.unwrap_or(NONE)).collect(),
            handlers.iter().map(|handler| handler.context.unwrap_or(NONE)).collect(),
            handlers.iter().map(|handler| handler.pad).collect(),
        ];
    }

    /// The section.
    pub(crate) fn finish(self) -> Vec<u8> {
        let counts = [self.calls[0].len() as u32, self.handlers[0].len() as u32];
        let arrays = self.calls.iter().chain(&self.handlers).flatten();
        counts.iter().chain(arrays).flat_map(|word| word.to_le_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_one_behind_the_other_are_one_table() {
        let site = |at, handlers| CallSite { at, handlers, frame: 16 + at, context: 8 };
        let handler = |at, tag| Handler { tag, at };
        let (sites, handlers) = ([site(5, (0, 2)), site(9, (1, 2))], [handler(30, Some(7)), handler(40, None)]);
        let mut whole = ExceptionTable::default();
        [0, 100, 200].into_iter().for_each(|base| whole.push(base, &sites, &handlers));
        let part = || {
            let mut part = ExceptionTable::default();
            part.push(0, &sites, &handlers);
            part
        };
        let mut parts = part();
        parts.append(100, part());
        parts.append_section(200, &part().finish());
        assert_eq!(parts.finish(), whole.finish());
    }
}
