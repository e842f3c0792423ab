//! Code that is linked but for its place, for those who put the code of several compilers into one text.

use crate::output::image::Image;
use crate::target::Machine;
use lightbeam_asm::Assembler;
use lightbeam_compiler::Writer;
use lightbeam_compiler::code::{CallSite, Handler, Record, Safepoint, Target, Unwind};
use std::ops::Range;
use wasmtime_environ::FuncKey;

/// What a module's functions have become. All that they call is in the image; the host's entries and startup are apart,
/// as their keys are behind those of all functions of all modules.
pub(crate) struct Detached {
    pub(crate) image: Image,
    /// Code that calls what is in the image, and what of it is under which key.
    pub(crate) others: Vec<(Relocatable, Vec<(FuncKey, Range<u32>)>)>,
}

/// Code with its tables, and what it calls in a module's image.
#[derive(Default)]
pub(crate) struct Relocatable {
    pub(crate) code: Vec<u8>,
    /// Fields to resolve: where they are in the code, and what they lead to in the image; in ascending order.
    pub(crate) fields: Vec<(u32, u32)>,
    pub(crate) records: Vec<Record>,
    pub(crate) sites: Vec<CallSite>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) safepoints: Vec<Safepoint>,
    pub(crate) maps: Vec<u32>,
    pub(crate) unwind: Vec<Unwind>,
}

impl Relocatable {
    /// What a writer has. `place` says where in the image something is.
    pub(crate) fn of_writer(w: &Writer<Machine>, place: impl Fn(Target) -> u32) -> Relocatable {
        Relocatable {
            code: w.code().to_vec(),
            fields: w.relocs.iter().map(|reloc| (reloc.at, place(reloc.target))).collect(),
            records: w.records.clone(),
            sites: w.sites.clone(),
            handlers: w.handlers.clone(),
            safepoints: w.safepoints.clone(),
            maps: w.maps.clone(),
            unwind: w.unwind.clone(),
        }
    }
}

/// Those of some entries in ascending order that are in a range of the code.
pub(crate) fn within<'a, T>(entries: &'a [T], range: &Range<u32>, at: impl Fn(&T) -> u32) -> &'a [T] {
    let first = entries.partition_point(|entry| at(entry) < range.start);
    let last = entries.partition_point(|entry| at(entry) < range.end);
    &entries[first..last]
}
