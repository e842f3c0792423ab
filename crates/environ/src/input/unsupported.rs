//! Finds where in a module's bytes the first thing is that Lightbeam does not compile. Only walked once a module is
//! known to be refused, so that the modules which are not pay nothing for it.

use crate::error::{Error, Unsupported};
use wasmtime_environ::wasmparser::{
    AbstractHeapType, CompositeInnerType, ElementItems, FieldType, FuncType, GlobalType, HeapType, Parser, Payload,
    RefType, Result, StorageType, SubType, TableType, TypeRef, UnpackedIndex, ValType,
};

/// The refusal of a valid module, with the offset of what it is refused for if that is in a section ahead of the code.
pub(crate) fn locate(wasm: &[u8], refusal: Unsupported) -> Error {
    match search(wasm) {
        Ok(Some((what, offset))) => what.at(Some(offset)),
        // The sections ahead of the code were valid, so nothing can fail before the search is done.
        Ok(None) | Err(_) => refusal.at(None),
    }
}

/// The refusal of the first thing ahead of the code that Lightbeam does not compile, if the module is well-formed up to
/// there.
pub(crate) fn first(wasm: &[u8]) -> Option<Error> {
    let (what, offset) = search(wasm).ok()??;
    Some(what.at(Some(offset)))
}

type Found = Option<(Unsupported, usize)>;

fn search(wasm: &[u8]) -> Result<Found> {
    // By index of the type: is it one of continuations?
    let mut conts = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let found = match payload? {
            Payload::TypeSection(types) => {
                for group in types.clone() {
                    let is_cont = |ty: &SubType| matches!(ty.composite_type.inner, CompositeInnerType::Cont(_));
                    conts.extend(group?.types().map(is_cont));
                }
                let conts = &conts;
                first_of(types.into_iter_with_offsets(), |group| group.types().find_map(|ty| sub_type(ty, conts)))?
            }
            Payload::ImportSection(imports) => {
                first_of(imports.into_imports_with_offsets(), |import| match &import.ty {
                    TypeRef::Func(_) => None,
                    TypeRef::FuncExact(_) => Some(Unsupported::CustomDescriptors),
                    TypeRef::Table(ty) => table(ty),
                    TypeRef::Memory(_) | TypeRef::Tag(_) => None,
                    TypeRef::Global(ty) => global(ty),
                })?
            }
            Payload::TableSection(tables) => first_of(tables.into_iter_with_offsets(), |entry| table(&entry.ty))?,
            Payload::GlobalSection(globals) => first_of(globals.into_iter_with_offsets(), |entry| global(&entry.ty))?,
            Payload::ElementSection(segments) => {
                first_of(segments.into_iter_with_offsets(), |segment| match &segment.items {
                    ElementItems::Functions(_) => None,
                    ElementItems::Expressions(ty, _) => reference(*ty),
                })?
            }
            Payload::CodeSectionStart { .. } => return Ok(None),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn first_of<T>(
    entries: impl Iterator<Item = Result<(usize, T)>>,
    refused: impl Fn(&T) -> Option<Unsupported>,
) -> Result<Found> {
    for entry in entries {
        let (offset, entry) = entry?;
        if let Some(what) = refused(&entry) {
            return Ok(Some((what, offset)));
        }
    }
    Ok(None)
}

fn sub_type(ty: &SubType, conts: &[bool]) -> Option<Unsupported> {
    if ty.composite_type.shared {
        return Some(Unsupported::SharedTypes);
    }
    match &ty.composite_type.inner {
        CompositeInnerType::Func(ty) => func(ty),
        CompositeInnerType::Array(ty) => field(&ty.0, conts),
        CompositeInnerType::Struct(ty) => ty.fields.iter().find_map(|ty| field(ty, conts)),
        CompositeInnerType::Cont(_) => None,
    }
}

fn is_cont(ty: ValType, conts: &[bool]) -> bool {
    use AbstractHeapType::{Cont, NoCont};
    let ValType::Ref(ty) = ty else { return false };
    match ty.heap_type() {
        HeapType::Abstract { ty, .. } => matches!(ty, Cont | NoCont),
        HeapType::Concrete(UnpackedIndex::Module(index)) => conts.get(index as usize) == Some(&true),
        _ => false,
    }
}

fn field(ty: &FieldType, conts: &[bool]) -> Option<Unsupported> {
    match ty.element_type {
        StorageType::I8 | StorageType::I16 => None,
        StorageType::Val(ty) if is_cont(ty, conts) => Some(Unsupported::ContinuationsInObjects),
        StorageType::Val(ty) => value(ty),
    }
}

fn func(ty: &FuncType) -> Option<Unsupported> {
    ty.params().iter().chain(ty.results()).find_map(|ty| value(*ty))
}

fn global(ty: &GlobalType) -> Option<Unsupported> {
    value(ty.content_type)
}

fn table(ty: &TableType) -> Option<Unsupported> {
    reference(ty.element_type)
}

fn value(ty: ValType) -> Option<Unsupported> {
    match ty {
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => None,
        ValType::Ref(ty) => reference(ty),
    }
}

fn reference(ty: RefType) -> Option<Unsupported> {
    match ty.heap_type() {
        HeapType::Abstract { shared: true, .. } => Some(Unsupported::SharedTypes),
        HeapType::Exact(_) => Some(Unsupported::CustomDescriptors),
        HeapType::Abstract { .. } | HeapType::Concrete(_) => None,
    }
}
