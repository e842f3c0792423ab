//! The entries of a module's DWARF, converted one by one.

use crate::expressions::{self, Base};
use crate::places::{Code, Function, in_text};
use crate::{Error, Module, lines, sections};
use gimli::write::{
    Address, AttributeValue, ConvertUnit, ConvertUnitEntry, Dwarf, Expression, Location, LocationList, Range,
    RangeList, UnitEntryId,
};
use gimli::{Encoding, Reader, Register, UnitOffset, UnitRef, read};
use std::collections::HashSet;

/// How many types are looked through for the name of what a pointer points to.
const DEEPEST: usize = 8;

/// The function that entries are of, by its number.
#[derive(Clone, Copy)]
struct Scope {
    /// How deep its entry is.
    depth: isize,
    function: usize,
    base: Base,
}

/// Converts all units of a module. Gives the functions, by their numbers, that the units say something of.
pub(crate) fn convert(module: &Module<'_>, made: &mut Dwarf) -> Result<HashSet<usize>, Error> {
    let mut told = HashSet::new();
    let mut units = made.convert(&module.dwarf)?;
    while let Some((mut unit, root)) = units.read_unit()? {
        let encoding = Encoding { address_size: 8, ..unit.read_unit.encoding() };
        unit.unit.set_encoding(encoding);
        lines::convert(&mut unit, &module.code, encoding)?;
        Converter { code: &module.code, scope: None, skipped: None, functions: Vec::new() }
            .unit(&mut unit, root, &mut told)?;
    }
    Ok(told)
}

struct Converter<'a> {
    code: &'a Code,
    scope: Option<Scope>,
    /// How deep the entry is whose children are left out.
    skipped: Option<isize>,
    /// The functions of the unit, where they are in the text.
    functions: Vec<std::ops::Range<u32>>,
}

impl Converter<'_> {
    fn unit<'u, R: Reader<Offset = usize>>(
        mut self,
        unit: &mut ConvertUnit<'u, R>,
        root: ConvertUnitEntry<'u, R>,
        told: &mut HashSet<usize>,
    ) -> Result<(), Error> {
        let root_id = unit.unit.root();
        self.attributes(unit, root_id, &root);
        let mut entry = root;
        while let Some(id) = unit.read_entry(&mut entry)? {
            let depth = entry.depth;
            if self.skipped.is_some_and(|skipped| depth > skipped) {
                continue;
            }
            self.skipped = None;
            if self.scope.is_some_and(|scope| depth <= scope.depth) {
                self.scope = None;
            }
            match entry.tag {
                // Where calls come from is not known to the byte, and what they pass is not where it was.
                gimli::DW_TAG_call_site | gimli::DW_TAG_GNU_call_site => {
                    self.skipped = Some(depth);
                    continue;
                }
                gimli::DW_TAG_pointer_type | gimli::DW_TAG_reference_type | gimli::DW_TAG_rvalue_reference_type => {
                    self.pointer(unit, id, &entry);
                    continue;
                }
                _ => {}
            }
            let id = unit.add_entry(id, &entry);
            if entry.tag == gimli::DW_TAG_subprogram {
                self.subprogram(unit, id, &entry, told);
            } else {
                self.extent(unit, id, &entry);
            }
            self.attributes(unit, id, &entry);
        }
        let ranges =
            self.functions.iter().map(|text| Range::StartEnd { begin: in_text(text.start), end: in_text(text.end) });
        let ranges = RangeList(ranges.collect());
        let has_code = !ranges.0.is_empty();
        let ranges = unit.unit.ranges.add(ranges);
        let root = unit.unit.get_mut(root_id);
        if has_code {
            root.set(gimli::DW_AT_low_pc, AttributeValue::Address(Address::Constant(0)));
            root.set(gimli::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
        }
        Ok(())
    }

    /// All attributes that say nothing of places, and those that say where a value is.
    fn attributes<R: Reader<Offset = usize>>(
        &self,
        unit: &mut ConvertUnit<'_, R>,
        id: UnitEntryId,
        entry: &ConvertUnitEntry<'_, R>,
    ) {
        for attribute in &entry.attrs {
            let value = match attribute.name() {
                gimli::DW_AT_low_pc
                | gimli::DW_AT_high_pc
                | gimli::DW_AT_ranges
                | gimli::DW_AT_entry_pc
                | gimli::DW_AT_frame_base
                | gimli::DW_AT_GNU_locviews
                | gimli::DW_AT_addr_base => None,
                gimli::DW_AT_location => self.location(unit, entry.read_unit, attribute),
                // What cannot be said of the machine is left out.
                _ => unit.convert_attribute_value(entry.read_unit, attribute, &|_| None).ok(),
            };
            if let Some(value) = value {
                unit.unit.get_mut(id).set(attribute.name(), value);
            }
        }
    }

    fn function(&self) -> Option<(&Function, Base)> {
        let scope = self.scope?;
        Some((&self.code.functions[scope.function], scope.base))
    }

    fn location<R: Reader<Offset = usize>>(
        &self,
        unit: &mut ConvertUnit<'_, R>,
        read_unit: UnitRef<'_, R>,
        attribute: &read::Attribute<R>,
    ) -> Option<AttributeValue> {
        let encoding = read_unit.encoding();
        let of = |expression| expressions::convert(expression, encoding, self.code, self.function());
        if let Some(expression) = attribute.exprloc_value() {
            return of(expression).map(AttributeValue::Exprloc);
        }
        let (function, _) = self.function()?;
        let mut locations = read_unit.attr_locations(attribute.value()).ok()??;
        let mut list = Vec::new();
        while let Some(location) = locations.next().ok()? {
            let Some(data) = of(location.data) else { continue };
            for piece in function.pieces(self.code, location.range.begin..location.range.end) {
                list.push(Location::StartEnd {
                    begin: in_text(piece.start),
                    end: in_text(piece.end),
                    data: data.clone(),
                });
            }
        }
        (!list.is_empty()).then(|| AttributeValue::LocationListRef(unit.unit.locations.add(LocationList(list))))
    }

    /// Says where the code of a function is, and what its places are relative to.
    fn subprogram<R: Reader<Offset = usize>>(
        &mut self,
        unit: &mut ConvertUnit<'_, R>,
        id: UnitEntryId,
        entry: &ConvertUnitEntry<'_, R>,
        told: &mut HashSet<usize>,
    ) {
        let Some(range) = ranges(entry).into_iter().next() else { return };
        let Some(at) = self.code.function(range.start) else { return };
        let function = &self.code.functions[at];
        // The places of functions that were left out when the module was linked may be anything.
        if range.end != self.code.address(function.body.end) || !told.insert(at) {
            return;
        }
        let base = entry.attrs.iter().find(|attribute| attribute.name() == gimli::DW_AT_frame_base);
        let base = base.and_then(read::Attribute::exprloc_value);
        let base = base.map_or(Base::Other, |base| expressions::base(base, entry.read_unit.encoding()));
        self.scope = Some(Scope { depth: entry.depth, function: at, base });
        self.functions.push(function.text.clone());
        extent(unit.unit.get_mut(id), &function.text);
        let mut frame = Expression::new();
        frame.op_reg(Register(self.code.frame));
        unit.unit.get_mut(id).set(gimli::DW_AT_frame_base, AttributeValue::Exprloc(frame));
    }

    /// Says where the code of a scope in a function is.
    fn extent<R: Reader<Offset = usize>>(
        &self,
        unit: &mut ConvertUnit<'_, R>,
        id: UnitEntryId,
        entry: &ConvertUnitEntry<'_, R>,
    ) {
        let Some((function, _)) = self.function() else { return };
        if entry.tag == gimli::DW_TAG_label {
            let address = entry.attrs.iter().find(|attribute| attribute.name() == gimli::DW_AT_low_pc);
            let address = address.and_then(|address| entry.read_unit.attr_address(address.value()).ok()?);
            if let Some(place) = address.and_then(|address| function.place(self.code, address)) {
                unit.unit.get_mut(id).set(gimli::DW_AT_low_pc, AttributeValue::Address(in_text(place)));
            }
            return;
        }
        let pieces: Vec<_> = ranges(entry).into_iter().flat_map(|range| function.pieces(self.code, range)).collect();
        match &pieces[..] {
            [] => {}
            [piece] => extent(unit.unit.get_mut(id), piece),
            _ => {
                let pieces =
                    pieces.iter().map(|piece| Range::StartEnd { begin: in_text(piece.start), end: in_text(piece.end) });
                let ranges = unit.unit.ranges.add(RangeList(pieces.collect()));
                unit.unit.get_mut(id).set(gimli::DW_AT_ranges, AttributeValue::RangeListRef(ranges));
            }
        }
    }

    /// A pointer is a number, of the size that it has in WebAssembly.
    fn pointer<R: Reader<Offset = usize>>(
        &self,
        unit: &mut ConvertUnit<'_, R>,
        id: Option<UnitEntryId>,
        entry: &ConvertUnitEntry<'_, R>,
    ) {
        let mark = if entry.tag == gimli::DW_TAG_pointer_type { "*" } else { "&" };
        let of = type_of(&entry.read_entry).map(|of| name(entry.read_unit, of, DEEPEST));
        let name = format!("{} {mark}", of.unwrap_or_else(|| "void".into()));
        let size = entry.read_unit.encoding().address_size;
        let parent = entry.parent.unwrap_or(unit.unit.root());
        let id = match id {
            Some(id) => {
                unit.unit.add_reserved(id, parent, gimli::DW_TAG_base_type);
                id
            }
            None => unit.unit.add(parent, gimli::DW_TAG_base_type),
        };
        let pointer = unit.unit.get_mut(id);
        pointer.set(gimli::DW_AT_name, AttributeValue::String(name.into_bytes()));
        pointer.set(gimli::DW_AT_byte_size, AttributeValue::Udata(size.into()));
        pointer.set(gimli::DW_AT_encoding, AttributeValue::Encoding(gimli::DW_ATE_unsigned));
    }
}

/// Says that the code of an entry is this.
pub(crate) fn extent(entry: &mut gimli::write::DebuggingInformationEntry, text: &std::ops::Range<u32>) {
    entry.set(gimli::DW_AT_low_pc, AttributeValue::Address(in_text(text.start)));
    entry.set(gimli::DW_AT_high_pc, AttributeValue::Udata((text.end - text.start).into()));
}

/// Which addresses an entry is of.
fn ranges<R: Reader<Offset = usize>>(entry: &ConvertUnitEntry<'_, R>) -> Vec<std::ops::Range<u64>> {
    let Ok(mut ranges) = entry.read_unit.die_ranges(&entry.read_entry) else { return Vec::new() };
    let mut all = Vec::new();
    while let Ok(Some(range)) = ranges.next() {
        all.push(range.begin..range.end);
    }
    all
}

fn type_of<R: Reader<Offset = usize>>(entry: &read::DebuggingInformationEntry<R>) -> Option<UnitOffset> {
    match entry.attr_value(gimli::DW_AT_type)? {
        read::AttributeValue::UnitRef(of) => Some(of),
        _ => None,
    }
}

/// What a type is called.
fn name<R: Reader<Offset = usize>>(unit: UnitRef<'_, R>, of: UnitOffset, deepest: usize) -> String {
    let unknown = || "?".to_string();
    let Ok(entry) = unit.entry(of) else { return unknown() };
    if let Some(name) = entry.attr_value(gimli::DW_AT_name)
        && let Ok(name) = unit.attr_string(name)
        && let Ok(name) = name.to_string_lossy()
    {
        return name.into_owned();
    }
    let Some(deeper) = deepest.checked_sub(1) else { return unknown() };
    let inner = || type_of(&entry).map_or_else(|| "void".into(), |of| name(unit, of, deeper));
    match entry.tag() {
        gimli::DW_TAG_const_type => format!("const {}", inner()),
        gimli::DW_TAG_volatile_type => format!("volatile {}", inner()),
        gimli::DW_TAG_restrict_type | gimli::DW_TAG_atomic_type => inner(),
        gimli::DW_TAG_pointer_type => format!("{} *", inner()),
        gimli::DW_TAG_reference_type | gimli::DW_TAG_rvalue_reference_type => format!("{} &", inner()),
        gimli::DW_TAG_array_type => format!("{} []", inner()),
        gimli::DW_TAG_subroutine_type => "function".into(),
        _ => unknown(),
    }
}

/// Who made a unit that is made here.
pub(crate) fn producer() -> AttributeValue {
    AttributeValue::String(sections::PRODUCER.into())
}
