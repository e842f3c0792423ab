//! What compiling a batch of functions gives: code that is still to be placed.

use crate::report::FunctionReport;
use lightbeam_compiler::code::{CallSite, Handler, LocalPlace, Record, Reloc, Safepoint, Unwind};
use wasmtime_environ::StaticModuleIndex;

/// Compiled functions of one core module that follow each other.
pub(crate) struct Fragment {
    pub(crate) module: StaticModuleIndex,
    /// Where the functions of the module begin among those of all modules.
    pub(crate) module_first: u32,
    /// Bytes of other modules that count as ahead of the module.
    pub(crate) ahead: usize,
    /// Number of the first among the defined functions of all modules.
    pub(crate) first: u32,
    /// Their code, with padding between them.
    pub(crate) code: Vec<u8>,
    pub(crate) funcs: Vec<FragmentFunc>,
    /// Bytes of code of all of them, without padding, and of their part of the exception table.
    pub(crate) func_bytes: usize,
    /// Calls of functions of the module: offset of the field, number among the defined functions of all modules.
    pub(crate) calls: Vec<(u32, u32)>,
    /// Where imported functions are called or jumped to, with the function's index in the module.
    pub(crate) imports: Vec<(u32, u32)>,
    /// Where they are called so that private code may be entered, likewise.
    pub(crate) across: Vec<(u32, u32)>,
    /// All other relocations.
    pub(crate) relocs: Vec<Reloc>,
    pub(crate) records: Vec<Record>,
    pub(crate) safepoints: Vec<Safepoint>,
    pub(crate) maps: Vec<u32>,
    pub(crate) sites: Vec<CallSite>,
    /// What the sites name.
    pub(crate) handlers: Vec<Handler>,
    pub(crate) unwind: Vec<Unwind>,
    /// Where locals are, if that is asked for.
    pub(crate) locals: Vec<LocalPlace>,
    /// One for each function, if that is asked for, without their names.
    pub(crate) reports: Vec<FunctionReport>,
    /// Was the code dropped, as the module exceeds its budget? What is left says how much there was.
    pub(crate) dropped: bool,
}

/// One function of a fragment. Offsets are in bytes from the start of its code.
#[derive(Clone, Copy)]
pub(crate) struct FragmentFunc {
    /// First byte: of the `Tail` entry if there is one.
    pub(crate) start: u32,
    /// Private entry.
    pub(crate) body: u32,
    /// After the last byte.
    pub(crate) end: u32,
    /// Byte offset of the body in the module.
    pub(crate) wasm: u32,
    /// Bytes of the body.
    pub(crate) wasm_bytes: u32,
    /// Bytes of its part of the exception table.
    pub(crate) exception_bytes: u32,
}
