//! A text whose functions come from several compilers, with its tables, while it grows: for the crate that stands where
//! Wasmtime has its own compiler, and is asked for function after function.

use crate::output::addresses::AddressTable;
use crate::output::detached::{Relocatable, within};
use crate::output::image::Image;
use crate::output::place::aligned;
use crate::output::unwind;
use crate::settings::Settings;
use crate::target::{Machine, PAGE};
use lightbeam_compiler::code::{CallSite, Handler, Record, Safepoint, Unwind, UnwindStep};
use lightbeam_compiler::isa::Isa;
use std::ops::Range;
use wasmtime_environ::{iterate_address_map, iterate_traps};

/// The text so far. Everything goes in by ascending offset.
pub struct Assembly {
    text: Vec<u8>,
    tables: Image,
}

/// A finished text and the sections that go with it.
pub struct Sections {
    /// Whole pages of code.
    pub text: Vec<u8>,
    /// Which instruction traps, and why.
    pub traps: Vec<u8>,
    /// Which code belongs to which byte of the module, if the engine wants to know.
    pub addresses: Option<Vec<u8>>,
    /// Where references are while a collector may run, if there are any.
    pub stack_maps: Option<Vec<u8>>,
    /// Where exceptions go.
    pub exceptions: Vec<u8>,
    /// How to unwind from Lightbeam's code, if the engine wants to know: entries of `.eh_frame`, which is to lie right
    /// behind the text. What there is of foreign code follows, and then [`UNWIND_END`].
    pub unwind: Option<Vec<u8>>,
}

/// The end of `.eh_frame`.
pub const UNWIND_END: [u8; 4] = unwind::END;

/// Offset of the operator that an entry of the address map has where the code is of none.
const NO_OPERATOR: u32 = u32::MAX;

impl Assembly {
    /// No code.
    #[must_use]
    pub fn new(settings: &Settings) -> Assembly {
        Assembly { text: Vec::new(), tables: Image::new(settings, false) }
    }

    /// Where the next piece of code will be.
    fn next(&mut self, align: u32) -> u32 {
        let at = (self.text.len() as u32).next_multiple_of(align);
        self.text.resize(at as usize, Machine::FILLER);
        at
    }

    /// Appends a module's functions with all that they call, and says where.
    pub(crate) fn image(&mut self, image: Image) -> u32 {
        // What is told to debuggers and profilers is for whoever puts the text together to say.
        let Image { text, traps, stack_maps, addresses, exceptions, unwind, .. } = image;
        let base = self.next(FIRST);
        let (file, pieces) = text.into_parts();
        assert!(file.is_none(), "a text that is not to be loaded is in no file");
        self.text.reserve(pieces.iter().map(|piece| piece.bytes().len()).sum());
        pieces.iter().for_each(|piece| self.text.extend_from_slice(piece.bytes()));
        if let (Some(all), Some(unwind)) = (&mut self.tables.unwind, unwind) {
            all.append(base, self.text.len() as u32 - base, unwind);
        }
        if base == 0 {
            // What is nearly always so: nothing needs to be read again.
            let tables = &mut self.tables;
            (tables.traps, tables.stack_maps, tables.addresses) = (traps, stack_maps, addresses);
            tables.exceptions = exceptions;
            return 0;
        }
        const OWN: &str = "a table of our own making";
        for (at, trap) in iterate_traps(&traps.finish()).expect(OWN) {
            self.tables.traps.push(base + at, trap.as_u8());
        }
        if let (Some(all), Some(addresses)) = (&mut self.tables.addresses, addresses) {
            for (at, wasm) in iterate_address_map(&addresses.finish()).expect(OWN) {
                all.push(base + at, wasm.file_offset().unwrap_or(NO_OPERATOR));
            }
        }
        self.tables.stack_maps.append(base, stack_maps);
        self.tables.exceptions.append(base, exceptions);
        base
    }

    /// Appends a range of some code that calls what is in the image at `base`, and says where.
    pub(crate) fn relocatable(&mut self, of: &Relocatable, range: &Range<u32>, base: u32) -> Range<u32> {
        let start = aligned(self.text.len() as u32, 0);
        self.text.resize(start as usize, Machine::FILLER);
        self.text.extend_from_slice(&of.code[range.start as usize..range.end as usize]);
        for &(at, to) in within(&of.fields, range, |(at, _)| *at) {
            let at = start + at - range.start;
            Machine::resolve(&mut self.text, at, at, base + to);
        }
        let records = within(&of.records, range, |record| record.at);
        let moved = |record: &Record| Record { at: record.at - range.start, ..*record };
        let records: Vec<Record> = records.iter().map(moved).collect();
        self.tables.record(start, &records);
        // A call at the end of the range returns to where that ends.
        let returns = range.start + 1..range.end + 1;
        let sites = within(&of.sites, &returns, |site| site.at);
        let sites: Vec<CallSite> = sites.iter().map(|site| CallSite { at: site.at - range.start, ..*site }).collect();
        // Those that no call of the range names are not looked at.
        let moved = |handler: &Handler| Handler { at: handler.at.wrapping_sub(range.start), ..*handler };
        let handlers: Vec<Handler> = of.handlers.iter().map(moved).collect();
        self.tables.exceptions.push(start, &sites, &handlers);
        let points = within(&of.safepoints, &returns, |point| point.at);
        let moved = |point: &Safepoint| Safepoint { at: point.at - range.start, ..*point };
        let points: Vec<Safepoint> = points.iter().map(moved).collect();
        if !points.is_empty() {
            self.tables.stack_maps.extend(start, &points, &of.maps);
        }
        let end = start + (range.end - range.start);
        if let Some(table) = &mut self.tables.unwind {
            // What ends where the range begins has its last row there, ahead of the first of the range.
            let rows = within(&of.unwind, range, |row| row.at).iter();
            let rows = rows.skip_while(|row| row.step != UnwindStep::Begin);
            let rows: Vec<Unwind> = rows.map(|row| Unwind { at: row.at - range.start, ..*row }).collect();
            table.push(start, &rows);
            table.interrupt(end);
        }
        start..end
    }

    /// Appends code of another compiler, and says where. Its tables follow, each in ascending order.
    pub fn foreign(&mut self, code: &[u8], align: u32) -> u32 {
        let start = self.next(align.max(1));
        self.text.extend_from_slice(code);
        start
    }

    /// Says that the instruction at `at` of the text traps, by Wasmtime's number of the reason.
    pub fn trap(&mut self, at: u32, trap: u8) {
        self.tables.traps.push(at, trap);
    }

    /// Says to which byte of the module the code from `at` of the text on belongs, if to any.
    pub fn address(&mut self, at: u32, wasm: Option<u32>) {
        if let Some(addresses) = &mut self.tables.addresses {
            addresses.push(at, wasm.unwrap_or(NO_OPERATOR));
        }
    }

    /// Says where references are in the frame of a call that returns to `at`; so many bytes of it are below the frame
    /// pointer.
    pub fn stack_map(&mut self, at: u32, frame_bytes: u32, offsets: impl Iterator<Item = u32>) {
        self.tables.stack_maps.push(at, frame_bytes, offsets);
    }

    /// Takes over an exception table as Wasmtime's builder makes it, whose offsets count from `base` of the text.
    pub fn exceptions(&mut self, base: u32, table: &[u8]) {
        self.tables.exceptions.append_section(base, table);
    }

    /// The text, to be changed in place.
    pub fn text(&mut self) -> &mut [u8] {
        &mut self.text
    }

    /// The end.
    #[must_use]
    pub fn finish(mut self) -> Sections {
        // Whole pages, so that nothing but code becomes executable.
        self.next(PAGE as u32);
        let Image { traps, stack_maps, addresses, exceptions, unwind, .. } = self.tables;
        Sections {
            unwind: unwind.map(|table| table.entries(self.text.len())),
            text: self.text,
            traps: traps.finish(),
            addresses: addresses.map(AddressTable::finish),
            stack_maps: stack_maps.finish(),
            exceptions: exceptions.finish(),
        }
    }
}

/// How a module's first function is aligned.
const FIRST: u32 = 64;
