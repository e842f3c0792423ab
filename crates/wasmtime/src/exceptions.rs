//! What Wasmtime is told of exceptions: what those of a tag look like, and which call passes them to which handler.

use crate::facts::{POINTER, offset, value_type};
use crate::settings::Settings;
use lightbeam_compiler::code::{CallSite, Handler};
use lightbeam_compiler::facts::{ExceptionFacts, FieldFact, ObjectFact, Owner, Storage, TagFact};
use lightbeam_compiler::ty::Ty;
use std::fmt::Debug;
use wasmtime_environ::copying::{CopyingTypeLayouts, InlineTraceInfo};
use wasmtime_environ::drc::DrcTypeLayouts;
use wasmtime_environ::null::NullTypeLayouts;
use wasmtime_environ::packed_option::ReservedValue;
use wasmtime_environ::{
    Collector, GcTypeLayouts, Module, ModuleInternedTypeIndex, ModuleTypesBuilder, PtrSize, TagIndex, VMGcKind,
    VMOffsets, WasmCompositeInnerType, WasmExnType, WasmHeapType, WasmStorageType, WasmValType,
};

/// The layouts that a collector gives its objects.
fn layouts(collector: Collector) -> &'static dyn GcTypeLayouts {
    match collector {
        Collector::DeferredReferenceCounting => &DrcTypeLayouts,
        Collector::Null => &NullTypeLayouts,
        Collector::Copying => &CopyingTypeLayouts,
    }
}

/// What exceptions have in common, or the name of what is missing for them.
pub(crate) fn facts(settings: &Settings) -> Result<ExceptionFacts, &'static str> {
    let layouts = layouts(settings.collector.ok_or("exception handling without a collector is")?);
    Ok(ExceptionFacts {
        heap: offset(POINTER.vm_store_context().gc_heap_base()),
        instance: offset(layouts.exception_tag_instance_offset()),
        tag: offset(layouts.exception_tag_defined_offset()),
    })
}

/// Describes a tag. `sig` is that of its function type.
pub(crate) fn tag(
    settings: &Settings,
    module: &Module,
    types: &ModuleTypesBuilder,
    offsets: &VMOffsets<u8>,
    index: TagIndex,
    sig: u32,
) -> Result<TagFact, &'static str> {
    let ty = module.tags[index].exception.unwrap_module_type_index();
    let WasmCompositeInnerType::Exn(exception) = &types[ty].composite_type.inner else {
        unreachable!("the exceptions of a tag are of an exception type")
    };
    let owner = match module.defined_tag_index(index) {
        Some(defined) => Owner::Here(defined.as_u32()),
        None => Owner::Import {
            context: offset(offsets.vmctx_vmtag_import_vmctx(index)),
            index: offset(offsets.vmctx_vmtag_import_index(index)),
        },
    };
    Ok(TagFact {
        sig,
        owner,
        type_id: offset(ty.as_u32() * u32::from(POINTER.size_of_vmshared_type_index())),
        object: object(settings, exception)?,
    })
}

fn object(settings: &Settings, ty: &WasmExnType) -> Result<ObjectFact, &'static str> {
    let collector = settings.collector.ok_or("exception handling without a collector is")?;
    let layout = fits(layouts(collector).exn_layout(ty));
    let reserved = match collector {
        Collector::Copying => InlineTraceInfo::r#struct(&layout).encode(),
        Collector::DeferredReferenceCounting | Collector::Null => 0,
    };
    let fields =
        ty.fields.iter().zip(layout.fields.iter()).map(|(field, layout)| {
            Ok(FieldFact { storage: storage(&field.element_type)?, offset: offset(layout.offset) })
        });
    Ok(ObjectFact {
        size: layout.size,
        align: layout.align,
        kind: VMGcKind::ExnRef.as_u32() | reserved,
        fields: fields.collect::<Result<_, _>>()?,
    })
}

/// Layouts are as large as validation lets types be.
fn fits<T, E: Debug>(layout: Result<T, E>) -> T {
    layout.expect("a layout fits in memory")
}

fn storage(ty: &WasmStorageType) -> Result<Storage, &'static str> {
    let WasmStorageType::Val(ty) = ty else { unreachable!("parameters of a function are not packed") };
    Ok(match value_type(ty)? {
        Ty::FuncRef => Storage::Func(func_type(ty)),
        number => Storage::Number(number),
    })
}

/// The host's number of a static type of function references.
fn func_type(ty: &WasmValType) -> u32 {
    match ty {
        WasmValType::Ref(ty) if ty.heap_type == WasmHeapType::Func => {
            ModuleInternedTypeIndex::reserved_value().as_bits()
        }
        other => unreachable!("{other} is refused"),
    }
}

/// The section `.wasmtime.exceptions`: the numbers of calls and of handlers; by call where it returns to, how far the
/// frame pointer is, and where its handlers end; by handler its tag, where the frame keeps the instance, and where it is.
#[derive(Default)]
pub(crate) struct ExceptionTable {
    calls: [Vec<u32>; 3],
    handlers: [Vec<u32>; 3],
}

impl ExceptionTable {
    /// Adds the calls of a chunk whose offsets count from `base` of the text, behind all others.
    pub(crate) fn push(&mut self, base: u32, sites: &[CallSite], handlers: &[Handler]) {
        for site in sites {
            for handler in &handlers[site.handlers.0 as usize..site.handlers.1 as usize] {
                self.handlers[0].push(handler.tag.unwrap_or(u32::MAX));
                self.handlers[1].push(site.context);
                self.handlers[2].push(base + handler.at);
            }
            self.calls[0].push(base + site.at);
            self.calls[1].push(site.frame);
            self.calls[2].push(self.handlers[0].len() as u32);
        }
    }

    /// The section.
    pub(crate) fn finish(self) -> Vec<u8> {
        let counts = [self.calls[0].len() as u32, self.handlers[0].len() as u32];
        let arrays = self.calls.iter().chain(&self.handlers).flatten();
        counts.iter().chain(arrays).flat_map(|word| word.to_le_bytes()).collect()
    }
}
