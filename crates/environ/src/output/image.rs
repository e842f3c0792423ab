//! Linked code with all that describes it, while it grows.

use crate::border::host;
use crate::output::addresses::AddressTable;
use crate::output::handlers::ExceptionTable;
use crate::output::stack_maps::StackMaps;
use crate::output::text::Text;
use crate::output::traps::TrapTable;
use crate::settings::Settings;
use lightbeam_compiler::code::Record;
use wasmtime_environ::{CompiledFunctionsTableBuilder, FilePos, FuncKey, FunctionLoc};

/// Linked code and the tables that describe it. Everything goes in by ascending text offset, keys by ascending order.
pub(crate) struct Image {
    /// The machine code; a whole number of pages.
    pub(crate) text: Text,
    /// What lies where.
    pub(crate) functions: CompiledFunctionsTableBuilder,
    /// Does code or a constant expression make or look into objects of the collector's heap?
    pub(crate) objects: bool,
    /// Instructions that can trap.
    pub(crate) traps: TrapTable,
    /// Where references are while a collector may run.
    pub(crate) stack_maps: StackMaps,
    /// Code offset to wasm offset.
    pub(crate) addresses: Option<AddressTable>,
    /// Where exceptions go.
    pub(crate) exceptions: ExceptionTable,
}

impl Image {
    /// No code.
    pub(crate) fn new(settings: &Settings, loads: bool) -> Image {
        Image {
            text: Text::new(loads),
            functions: CompiledFunctionsTableBuilder::new(),
            objects: false,
            traps: TrapTable::default(),
            stack_maps: StackMaps::default(),
            addresses: settings.tunables.generate_address_map.then(AddressTable::default),
            exceptions: ExceptionTable::default(),
        }
    }

    /// Records what lies at `start..end` of the text.
    pub(crate) fn add_function(&mut self, key: FuncKey, start: u32, end: u32, wasm: FilePos) {
        self.functions.push_func(key, FunctionLoc { start, length: end - start }, wasm);
    }

    /// Records the traps and addresses of code whose offsets count from `base` of the text.
    pub(crate) fn record(&mut self, base: u32, records: &[Record]) {
        for record in records {
            let trap = record.trap.map_or(0, |code| code as usize);
            self.traps.push_if(record.trap.is_some(), base + record.at, host::TRAPS[trap]);
        }
        if let Some(table) = &mut self.addresses {
            for record in records.iter().filter(|record| record.wasm != Record::NO_OPERATOR) {
                table.push(base + record.at, record.wasm);
            }
        }
    }
}
