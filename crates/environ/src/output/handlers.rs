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
