//! Puts what Lightbeam and the original have made of an artifact's functions into one text, in the order that Wasmtime
//! has them in, with one of each table.

use crate::compiler::Code;
use crate::live::Slot;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::isa::unwind::systemv::UnwindInfo;
use gimli::LittleEndian;
use gimli::write::{Address, CommonInformationEntry, EhFrame, EndianVec, FrameTable, Writer as _};
use lightbeam_environ::assembly::{Assembly, Sections, UNWIND_END};
use lightbeam_environ::settings::Settings;
use lightbeam_environ::{ArtifactOrigin, origin};
use object::write::{Object, SectionId, StandardSegment, Symbol, SymbolId, SymbolSection};
use object::{SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use original::CompiledFunction;
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime_environ::error::{Result, bail};
use wasmtime_environ::{FuncKey, FunctionLoc, Tunables, obj};
use wasmtime_internal_unwinder::ExceptionTableBuilder;

/// How a text is aligned: to pages, so that it can be mapped executable.
const TEXT_ALIGN: u64 = 0x1000;

/// A distance in the original's code that is to be filled in.
struct Distance {
    at: u32,
    addend: i64,
    /// Which of the functions it leads to.
    to: usize,
}

/// Appends all functions to an object, and says of each where it is. `cie` is what is common to all that the original
/// says of unwinding.
pub(crate) fn append(
    settings: &Settings,
    tunables: &Tunables,
    obj: &mut Object<'static>,
    funcs: &[(String, FuncKey, Box<dyn Any + Send + Sync>)],
    resolve: &dyn Fn(usize, FuncKey) -> usize,
    cie: impl FnOnce() -> Option<CommonInformationEntry>,
) -> Result<Vec<(Option<SymbolId>, FunctionLoc)>> {
    let mut assembly = Assembly::new(settings);
    // Where the modules of Lightbeam's are.
    let mut bases: HashMap<*const Slot, u32> = HashMap::new();
    let mut distances = Vec::new();
    // What the original says of unwinding, and of which place in the text.
    let mut unwinds: Vec<(u32, &UnwindInfo)> = Vec::new();
    let mut locations = Vec::with_capacity(funcs.len());
    for (number, (symbol, key, code)) in funcs.iter().enumerate() {
        let Some(code) = code.downcast_ref::<Code>() else {
            bail!("internal error: {symbol} was not made by this compiler");
        };
        let of_lightbeam = match code {
            Code::Lightbeam(slot) | Code::Original { of: Some(slot), .. } => {
                slot.compiled().map(|module| (Arc::as_ptr(slot), module))
            }
            Code::Apart(_) | Code::Original { of: None, .. } => None,
        };
        locations.push(match (of_lightbeam, code) {
            (Some((slot, module)), _) => {
                let base = *bases.entry(slot).or_insert_with(|| assembly.module(module));
                assembly.of_module(module, *key, base)
            }
            (None, Code::Apart(apart)) => assembly.apart(apart),
            (None, Code::Original { function, .. }) => {
                let Some(function) = function.downcast_ref::<CompiledFunction>() else {
                    bail!("internal error: {symbol} is not what the original compiler makes");
                };
                let location = original(&mut assembly, tunables, function, &mut distances, |key| resolve(number, key))?;
                match function.unwind_info() {
                    Some(cranelift_codegen::isa::unwind::UnwindInfo::SystemV(info)) => {
                        unwinds.push((location.start, info));
                    }
                    Some(other) => bail!("internal error: {symbol} is unwound by {other:?}"),
                    None => {}
                }
                location
            }
            (None, Code::Lightbeam(_)) => bail!("internal error: {symbol} was not compiled"),
        });
    }
    let text = assembly.text();
    for Distance { at, addend, to } in distances {
        let distance = i64::from(locations[to].start) + addend - i64::from(at);
        let Ok(distance) = i32::try_from(distance) else {
            bail!("the machine code is too large: calls reach no further than 2 GiB");
        };
        text[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
    }

    let Sections { text, traps, addresses, stack_maps, exceptions, unwind } = assembly.finish();
    let unwind = unwind.map(|entries| unwinding(entries, text.len(), cie, &unwinds)).transpose()?;
    let segment = obj.segment_name(StandardSegment::Text).to_vec();
    let section = obj.add_section(segment, b".text".to_vec(), SectionKind::Text);
    obj.section_mut(section).set_data(text, TEXT_ALIGN);
    // It names places by their distance, so there is nothing between the two.
    if let Some(section) = unwind.filter(|section| !section.is_empty()) {
        append_table(obj, ".eh_frame", section);
    }
    addresses.into_iter().for_each(|table| append_table(obj, obj::ELF_WASMTIME_ADDRMAP, table));
    stack_maps.into_iter().for_each(|table| append_table(obj, obj::ELF_WASMTIME_STACK_MAP, table));
    append_table(obj, obj::ELF_WASMTIME_TRAPS, traps);
    append_table(obj, obj::ELF_WASMTIME_EXCEPTIONS, exceptions);
    let segment = obj.segment_name(StandardSegment::Debug).to_vec();
    let whose = obj.add_section(segment, origin::SECTION.as_bytes().to_vec(), SectionKind::Debug);
    obj.section_mut(whose).set_data(ArtifactOrigin::current().content(), 1);
    let symbols = funcs
        .iter()
        .zip(&locations)
        .map(|((name, ..), location)| tunables.debug_symbols.then(|| append_symbol(obj, section, name, location)));
    let symbols: Vec<_> = symbols.collect();
    Ok(symbols.into_iter().zip(locations).collect())
}

/// Appends a function of the original's with its tables.
fn original(
    assembly: &mut Assembly,
    tunables: &Tunables,
    function: &CompiledFunction,
    distances: &mut Vec<Distance>,
    resolve: impl Fn(FuncKey) -> usize,
) -> Result<FunctionLoc> {
    let code = function.buffer.data();
    let start = assembly.foreign(code, function.alignment);
    for relocation in function.relocations() {
        if relocation.reloc != Reloc::X86CallPCRel4 {
            bail!("internal error: the original compiler has a relocation {:?}", relocation.reloc);
        }
        let (at, to) = (start + relocation.offset, resolve(relocation.reloc_target));
        distances.push(Distance { at, addend: relocation.addend, to });
    }
    for entry in &function.address_map().instructions {
        assembly.address(start + entry.code_offset, entry.srcloc.file_offset());
    }
    for (at, frame_bytes, map) in function.buffer.user_stack_maps() {
        assembly.stack_map(start + at, *frame_bytes, map.entries().map(|(_, offset)| offset));
    }
    for trap in function.traps(tunables) {
        assembly.trap(start + trap.code_offset, trap.trap_code.as_u8());
    }
    let mut exceptions = ExceptionTableBuilder::default();
    exceptions.add_func(0, function.buffer.call_sites())?;
    let mut table = Vec::new();
    exceptions.serialize(|bytes| table.extend_from_slice(bytes));
    assembly.exceptions(start, &table);
    Ok(FunctionLoc { start, length: code.len() as u32 })
}

/// What the process's own unwinder reads: Lightbeam's entries, then those of the original's functions, with what is
/// common to these ahead of them.
fn unwinding(
    entries: Vec<u8>,
    text: usize,
    cie: impl FnOnce() -> Option<CommonInformationEntry>,
    of_original: &[(u32, &UnwindInfo)],
) -> Result<Vec<u8>> {
    let mut section = entries;
    if !of_original.is_empty() {
        let Some(mut cie) = cie() else { bail!("internal error: the original compiler does not say how to unwind") };
        cie.fde_address_encoding = gimli::DW_EH_PE_pcrel;
        let mut table = FrameTable::default();
        let cie = table.add_cie(cie);
        for (start, info) in of_original {
            // Places of the text count from the beginning of this section, which is its end.
            let place = i64::from(*start) - text as i64;
            table.add_fde(cie, info.to_fde(Address::Constant(place.cast_unsigned())));
        }
        let mut writer = EhFrame(EndianVec::new(LittleEndian));
        writer.write(&section)?;
        table.write_eh_frame(&mut writer)?;
        section = writer.0.into_vec();
    }
    if !section.is_empty() {
        section.extend(UNWIND_END);
    }
    Ok(section)
}

fn append_table(obj: &mut Object<'static>, name: &str, table: Vec<u8>) {
    let segment = obj.segment_name(StandardSegment::Data).to_vec();
    let section = obj.add_section(segment, name.as_bytes().to_vec(), SectionKind::ReadOnlyData);
    obj.section_mut(section).set_data(table, 1);
}

fn append_symbol(obj: &mut Object<'static>, text: SectionId, name: &str, location: &FunctionLoc) -> SymbolId {
    obj.add_symbol(Symbol {
        name: name.as_bytes().to_vec(),
        value: location.start.into(),
        size: location.length.into(),
        kind: SymbolKind::Text,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    })
}
