//! Linked code with all that describes it, while it grows.

use crate::border::host;
use crate::output::addresses::AddressTable;
use crate::output::debug::DebugParts;
use crate::output::handlers::ExceptionTable;
use crate::output::stack_maps::StackMaps;
use crate::output::symbols::{Name, Named, Symbol};
use crate::output::text::Text;
use crate::output::traps::TrapTable;
use crate::output::unwind::UnwindTable;
use crate::settings::Settings;
use lightbeam_compiler::code::{Record, Unwind};
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
    /// How to unwind.
    pub(crate) unwind: Option<UnwindTable>,
    /// What debuggers are told of.
    pub(crate) debug: Option<DebugParts>,
    /// What lies where, to be named.
    pub(crate) symbols: Named,
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
            // Debuggers want to know, too.
            unwind: (settings.unwind || settings.tunables.debug_native).then(UnwindTable::new),
            debug: settings.tunables.debug_native.then(DebugParts::default),
            symbols: if settings.tunables.debug_symbols { Named::Pieces(Vec::new()) } else { Named::Nothing },
        }
    }

    /// Records what lies at `start..end` of the text.
    pub(crate) fn add_function(&mut self, key: FuncKey, start: u32, end: u32, wasm: FilePos) {
        self.functions.push_func(key, FunctionLoc { start, length: end - start }, wasm);
        self.name(Name::Key(key), start, end);
    }

    /// Records what is to be called what lies at `start..end` of the text.
    pub(crate) fn name(&mut self, name: Name, start: u32, end: u32) {
        if let Named::Pieces(symbols) = &mut self.symbols {
            symbols.push(Symbol { name, start, end });
        }
    }

    /// Records how to unwind from code whose offsets count from `base` of the text.
    pub(crate) fn unwind(&mut self, base: u32, rows: &[Unwind]) {
        if let Some(table) = &mut self.unwind {
            table.push(base, rows);
        }
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
        if let Some(parts) = &mut self.debug {
            parts.rows(base, records);
        }
    }
}
