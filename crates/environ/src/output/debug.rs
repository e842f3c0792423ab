//! What native debuggers are told: the DWARF sections, which `lightbeam-debug` makes of the modules' own DWARF and of
//! what is known of the code.

use crate::error::Error;
use crate::input::component;
use crate::output::artifact::Source;
use crate::output::fragment::FragmentFunc;
use crate::output::symbols::{Names, Symbols};
use crate::target::Machine;
use lightbeam_compiler::code::{LocalPlace, Record};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::ty::Ty;
use lightbeam_debug::{Code, Function, Local, Module, Piece, Row};
use std::ops::Range;
use wasmtime_environ::{DefinedFuncIndex, EntityRef, ModuleTranslation, StaticModuleIndex};

/// A function, and where it is.
struct Place {
    module: StaticModuleIndex,
    defined: DefinedFuncIndex,
    /// In the text, from the private entry on.
    text: Range<u32>,
    /// In the bytes of what the module came in.
    wasm: Range<u32>,
}

/// What is known of the code of functions, in the order of the text.
#[derive(Default)]
pub(crate) struct DebugParts {
    functions: Vec<Place>,
    rows: Vec<Row>,
    locals: Vec<LocalPlace>,
}

impl DebugParts {
    pub(crate) fn function(
        &mut self,
        module: StaticModuleIndex,
        defined: DefinedFuncIndex,
        base: u32,
        func: &FragmentFunc,
    ) {
        let text = base + func.body..base + func.end;
        self.functions.push(Place { module, defined, text, wasm: func.wasm..func.wasm + func.wasm_bytes });
    }

    pub(crate) fn rows(&mut self, base: u32, records: &[Record]) {
        let of_operators = records.iter().filter(|record| record.wasm != Record::NO_OPERATOR);
        self.rows.extend(of_operators.map(|record| Row { text: base + record.at, wasm: record.wasm }));
    }

    pub(crate) fn locals(&mut self, base: u32, places: &[LocalPlace]) {
        self.locals.extend(places.iter().map(|place| LocalPlace { body: base + place.body, ..*place }));
    }

    /// The sections, with what else is named in the text.
    pub(crate) fn sections(
        &self,
        source: &Source<'_>,
        symbols: Option<&Symbols>,
    ) -> Result<Vec<lightbeam_debug::Section>, Error> {
        let others: Vec<Piece> = symbols.map(|symbols| self.others(symbols)).unwrap_or_default();
        let made = match source {
            Source::Module((translation, _)) => vec![self.module(translation, source)],
            Source::Component(component::Translated { modules, .. }, _) => {
                modules.values().map(|translation| self.module(translation, source)).collect()
            }
        };
        lightbeam_debug::sections(&made, &others)
            .map_err(|error| Error::invalid(format!("the debug information of the module is malformed: {error}"), None))
    }

    /// What symbols name beside functions.
    fn others(&self, symbols: &Symbols) -> Vec<Piece> {
        let is_function = |text: &Range<u32>| {
            let behind = self.functions.partition_point(|function| function.text.start < text.end);
            behind.checked_sub(1).is_some_and(|at| self.functions[at].text.end > text.start)
        };
        let pieces = symbols.entries.iter().map(|[name, start, len]| (*name, *start..start + len));
        let others = pieces.filter(|(_, text)| !is_function(text));
        others.map(|(name, text)| Piece { name: symbols.name(name), text }).collect()
    }

    fn module<'a>(&self, translation: &ModuleTranslation<'a>, names: &dyn Names) -> Module<'a> {
        let module = translation.module_index();
        let info = &translation.debuginfo;
        let functions = self.functions.iter().filter(|place| place.module == module).map(|place| {
            let Range { start, end } = place.text;
            let rows = &self.rows[self.rows.partition_point(|row| row.text < start)..];
            let rows = &rows[..rows.partition_point(|row| row.text < end)];
            let locals = &self.locals[self.locals.partition_point(|local| local.body < start)..];
            let locals = locals.iter().take_while(|local| local.body == start);
            let (index, name) = names.function(module, place.defined);
            let signature = translation.module.functions[index].signature.unwrap_module_type_index();
            let parameters = names.parameters(signature);
            let mut locals: Vec<Local> = locals.map(|local| described(local, parameters)).collect();
            locals.sort_by_key(|local| local.index);
            let numbered = || format!("wasm[{}]::function[{}]", module.as_u32(), index.as_u32());
            let name = name.map_or_else(numbered, str::to_owned);
            Function { name, text: start..end, body: place.wasm.clone(), rows: rows.to_vec(), locals }
        });
        let memory_base = (!translation.module.memories.is_empty()).then_some(Machine::MEMORY_BASE);
        let code = Code {
            section: info.wasm_file.code_section_offset,
            functions: functions.collect(),
            memory_base: memory_base.map(|reg| Machine::debug_number(reg).into()),
            frame: Machine::debug_number(Machine::FRAME).into(),
        };
        let mut dwarf = gimli::Dwarf {
            debug_abbrev: info.dwarf.debug_abbrev,
            debug_addr: info.dwarf.debug_addr,
            debug_info: info.dwarf.debug_info,
            debug_line: info.dwarf.debug_line,
            debug_line_str: info.dwarf.debug_line_str,
            debug_str: info.dwarf.debug_str,
            debug_str_offsets: info.dwarf.debug_str_offsets,
            debug_types: info.dwarf.debug_types,
            ranges: gimli::RangeLists::new(info.debug_ranges, info.debug_rnglists),
            locations: gimli::LocationLists::new(info.debug_loc, info.debug_loclists),
            ..gimli::Dwarf::default()
        };
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        let strings = &translation.module.strings;
        let called = translation.module.name.map(|name| strings[name].to_owned());
        let called = called.unwrap_or_else(|| format!("wasm[{}]", module.index()));
        Module { name: called, code, dwarf }
    }
}

fn described(local: &LocalPlace, parameters: u32) -> Local {
    let (bytes, encoding) = match local.ty {
        Ty::I32 => (4, gimli::DW_ATE_signed),
        Ty::I64 => (8, gimli::DW_ATE_signed),
        Ty::F32 => (4, gimli::DW_ATE_float),
        Ty::F64 => (8, gimli::DW_ATE_float),
        Ty::V128 | Ty::ContRef => (16, gimli::DW_ATE_unsigned),
        Ty::FuncRef => (8, gimli::DW_ATE_address),
        Ty::GcRef => (4, gimli::DW_ATE_address),
    };
    Local { index: local.local, slot: local.slot, bytes, encoding, parameter: local.local < parameters }
}
