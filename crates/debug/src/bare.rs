//! Functions that a module's DWARF says nothing of, for most modules have none: a unit in which each has its name, its
//! locals by their indices, and as its lines the offsets of its operators in the module. What is beside functions,
//! trampolines for example, is in a unit of its own and has names alone.

use crate::convert::{extent, producer};
use crate::lines;
use crate::places::{Local, in_text};
use crate::{Module, Piece, sections};
use gimli::write::{AttributeValue, Dwarf, Expression, LineProgram, LineString, Range, RangeList, Unit, UnitEntryId};
use gimli::{Encoding, Format, LineEncoding, Register};
use std::collections::{HashMap, HashSet};

/// Adds a unit for the functions of a module whose numbers are not among those `told` of.
pub(crate) fn add(module: &Module<'_>, told: &HashSet<usize>, made: &mut Dwarf) {
    let functions = module.code.functions.iter().enumerate();
    let functions: Vec<_> = functions.filter(|(at, _)| !told.contains(at)).map(|(_, function)| function).collect();
    if functions.is_empty() {
        return;
    }
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
    let string = |text: &str| LineString::String(text.as_bytes().to_vec());
    let mut program =
        LineProgram::new(encoding, LineEncoding::default(), string("."), None, string(&module.name), None);
    let directory = program.default_directory();
    let file = program.add_file(string(&module.name), directory, None);
    for function in &functions {
        lines::by_offset(&mut program, file, function);
    }
    let mut unit = Unit::new(encoding, program);
    let root = unit.root();
    describe(&mut unit, &module.name, functions.iter().map(|function| &function.text));
    unit.get_mut(root).set(gimli::DW_AT_stmt_list, AttributeValue::LineProgramRef);
    let mut types = HashMap::new();
    for function in functions {
        let id = unit.add(root, gimli::DW_TAG_subprogram);
        let mut frame = Expression::new();
        frame.op_reg(Register(module.code.frame));
        let entry = unit.get_mut(id);
        entry.set(gimli::DW_AT_name, text(&function.name));
        entry.set(gimli::DW_AT_frame_base, AttributeValue::Exprloc(frame));
        extent(entry, &function.text);
        for local in &function.locals {
            let ty = number(&mut unit, &mut types, local);
            let tag = if local.parameter { gimli::DW_TAG_formal_parameter } else { gimli::DW_TAG_variable };
            let id = unit.add(id, tag);
            let mut place = Expression::new();
            place.op_fbreg(local.slot.into());
            let entry = unit.get_mut(id);
            entry.set(gimli::DW_AT_name, text(&format!("local{}", local.index)));
            entry.set(gimli::DW_AT_type, AttributeValue::UnitRef(ty));
            entry.set(gimli::DW_AT_location, AttributeValue::Exprloc(place));
        }
    }
    made.units.add(unit);
}

/// Adds a unit for what is beside functions, if there is anything.
pub(crate) fn add_others(others: &[Piece], made: &mut Dwarf) {
    if others.is_empty() {
        return;
    }
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
    let mut unit = Unit::new(encoding, LineProgram::none());
    describe(&mut unit, "lightbeam", others.iter().map(|piece| &piece.text));
    for piece in others {
        let id = unit.add(unit.root(), gimli::DW_TAG_subprogram);
        let entry = unit.get_mut(id);
        entry.set(gimli::DW_AT_name, text(&piece.name));
        entry.set(gimli::DW_AT_artificial, AttributeValue::Flag(true));
        extent(entry, &piece.text);
    }
    made.units.add(unit);
}

/// Says what a unit is called, and where what it describes is in the text.
fn describe<'a>(unit: &mut Unit, name: &str, ranges: impl Iterator<Item = &'a std::ops::Range<u32>>) {
    let ranges = ranges.map(|range| Range::StartEnd { begin: in_text(range.start), end: in_text(range.end) });
    let ranges = unit.ranges.add(RangeList(ranges.collect()));
    let entry = unit.get_mut(unit.root());
    entry.set(gimli::DW_AT_producer, producer());
    entry.set(gimli::DW_AT_language, AttributeValue::Language(sections::LANGUAGE));
    entry.set(gimli::DW_AT_name, text(name));
    entry.set(gimli::DW_AT_comp_dir, text("."));
    entry.set(gimli::DW_AT_low_pc, AttributeValue::Address(gimli::write::Address::Constant(0)));
    entry.set(gimli::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::String(text.as_bytes().to_vec())
}

/// The type of a local.
fn number(unit: &mut Unit, types: &mut HashMap<(u8, u8), UnitEntryId>, local: &Local) -> UnitEntryId {
    *types.entry((local.bytes, local.encoding.0)).or_insert_with(|| {
        let root = unit.root();
        let id = unit.add(root, gimli::DW_TAG_base_type);
        let name = match (local.encoding, local.bytes) {
            (gimli::DW_ATE_float, bytes) => format!("f{}", 8 * u32::from(bytes)),
            (gimli::DW_ATE_address, _) => "ref".into(),
            (_, 16) => "v128".into(),
            (_, bytes) => format!("i{}", 8 * u32::from(bytes)),
        };
        let entry = unit.get_mut(id);
        entry.set(gimli::DW_AT_name, AttributeValue::String(name.into_bytes()));
        entry.set(gimli::DW_AT_byte_size, AttributeValue::Udata(local.bytes.into()));
        entry.set(gimli::DW_AT_encoding, AttributeValue::Encoding(local.encoding));
        id
    })
}
