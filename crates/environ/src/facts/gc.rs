//! What the engine's collector asks of code: the layout of objects, and where its own data is. All of it comes from
//! `wasmtime_environ`.

use crate::error::Unsupported;
use crate::facts::layout::offset;
use crate::facts::types::value_type;
use crate::settings::Settings;
use crate::target::{PAGE_LOG2, POINTER};
use lightbeam_compiler::facts::{Collector, Counting, FieldFact, GcFacts, Kinds, ObjectFact, Storage};
use lightbeam_compiler::ty::Ty;
use wasmtime_environ::copying::{self, CopyingTypeLayouts, InlineTraceInfo};
use wasmtime_environ::drc::{self, DrcTypeLayouts};
use wasmtime_environ::null::NullTypeLayouts;
use wasmtime_environ::packed_option::ReservedValue;
use wasmtime_environ::{
    Collector as Chosen, EngineOrModuleTypeIndex, GcLayout, GcTypeLayouts, MemoryKind, MemoryTunables,
    ModuleInternedTypeIndex, PtrSize, VMGcKind, VMOffsets, WasmCompositeInnerType, WasmFieldType, WasmHeapTopType,
    WasmHeapType, WasmStorageType, WasmSubType, WasmValType,
};

pub(crate) fn layouts(settings: &Settings) -> Result<&'static dyn GcTypeLayouts, Unsupported> {
    match settings.collector.ok_or(Unsupported::NoCollector)? {
        Chosen::DeferredReferenceCounting => Ok(&DrcTypeLayouts),
        Chosen::Null => Ok(&NullTypeLayouts),
        Chosen::Copying => Ok(&CopyingTypeLayouts),
    }
}

/// What the collector asks of the code of a module.
pub(crate) fn facts(settings: &Settings, offsets: &VMOffsets<u8>) -> Result<GcFacts, Unsupported> {
    let collector = match settings.collector.ok_or(Unsupported::NoCollector)? {
        Chosen::Null => Collector::None {
            // The data of this collector is one number.
            free: 0,
            kind_bits: VMGcKind::MASK,
        },
        Chosen::Copying => Collector::Copying {
            free: offset(POINTER.vmcopying_heap_data_bump_ptr()),
            end: offset(POINTER.vmcopying_heap_data_active_space_end()),
            // Right behind the header that all collectors share.
            size: offset(wasmtime_environ::VM_GC_HEADER_SIZE),
            align: copying::ALIGN,
        },
        Chosen::DeferredReferenceCounting => Collector::Counting(Counting {
            count: offset(offsets.vm_drc_header_ref_count()),
            next: offset(offsets.vm_drc_header_next_over_approximated_stack_root()),
            listed: drc::HEADER_IN_OVER_APPROX_LIST_BIT,
            list: offset(POINTER.vmdrc_heap_data_over_approximated_stack_roots()),
            length: offset(POINTER.vmdrc_heap_data_current_over_approximated_stack_roots_len()),
            length_after: offset(POINTER.vmdrc_heap_data_over_approximated_stack_roots_len_after_last_gc()),
        }),
    };
    let tunables = MemoryTunables::new(&settings.tunables, MemoryKind::GcHeap);
    let heap = settings.tunables.gc_heap_memory_type();
    let guarded = heap.can_elide_bounds_check(&tunables, PAGE_LOG2) && settings.tunables.signals_based_traps;
    Ok(GcFacts {
        data: offset(POINTER.vmctx_gc_heap_data()),
        heap: offset(POINTER.vm_store_context().gc_heap_base()),
        heap_length: offset(POINTER.vm_store_context().gc_heap_current_length()),
        unchecked_span: if guarded {
            tunables.reservation().saturating_add(tunables.guard_size()).saturating_sub(u64::from(u32::MAX))
        } else {
            0
        },
        heap_may_move: heap.memory_may_move(&tunables),
        kind: offset(wasmtime_environ::VM_GC_HEADER_KIND_OFFSET),
        type_id: offset(wasmtime_environ::VM_GC_HEADER_TYPE_INDEX_OFFSET),
        array_length: offset(layouts(settings)?.array_length_field_offset()),
        kinds: Kinds {
            eq: VMGcKind::EqRef.as_u32(),
            structure: VMGcKind::StructRef.as_u32(),
            array: VMGcKind::ArrayRef.as_u32(),
        },
        collector,
    })
}

/// What objects of a type look like, if it is one of objects; or what of a field is not supported.
pub(crate) fn object(settings: &Settings, ty: &WasmSubType) -> Result<Option<ObjectFact>, Unsupported> {
    let fields: &[WasmFieldType] = match &ty.composite_type.inner {
        WasmCompositeInnerType::Array(ty) => std::slice::from_ref(&ty.0),
        WasmCompositeInnerType::Struct(ty) => &ty.fields,
        WasmCompositeInnerType::Exn(ty) => &ty.fields,
        _ => return Ok(None),
    };
    let storages = fields.iter().map(|field| storage(&field.element_type)).collect::<Result<Vec<_>, _>>()?;
    let functions = storages.iter().any(|storage| matches!(storage, Storage::Func(_)));
    let vectors = storages.contains(&Storage::Number(Ty::V128));
    let has_default = fields
        .iter()
        .all(|field| !matches!(field.element_type, WasmStorageType::Val(WasmValType::Ref(ty)) if !ty.nullable));
    let layout = layouts(settings)?.gc_layout(&ty.composite_type).ok().flatten().expect("a type of objects has one");
    let beside = match settings.collector {
        Some(Chosen::Copying) => InlineTraceInfo::new(&layout).encode(),
        _ => 0,
    };
    let field = |storage: Storage, at: u32| FieldFact { storage, offset: offset(at) };
    Ok(Some(match layout {
        GcLayout::Array(layout) => ObjectFact {
            size: layout.base_size,
            align: layout.align,
            kind: VMGcKind::ArrayRef.as_u32() | beside,
            array: true,
            fields: storages.into_iter().map(|storage| field(storage, layout.base_size)).collect(),
            functions,
            vectors,
            has_default,
        },
        GcLayout::Struct(layout) => ObjectFact {
            size: layout.size,
            align: layout.align,
            kind: if layout.is_exception { VMGcKind::ExnRef } else { VMGcKind::StructRef }.as_u32() | beside,
            array: false,
            fields: storages.into_iter().zip(&*layout.fields).map(|(storage, at)| field(storage, at.offset)).collect(),
            functions,
            vectors,
            has_default,
        },
    }))
}

fn storage(ty: &WasmStorageType) -> Result<Storage, Unsupported> {
    Ok(match ty {
        WasmStorageType::I8 => Storage::I8,
        WasmStorageType::I16 => Storage::I16,
        WasmStorageType::Val(WasmValType::Ref(ty)) => match ty.heap_type.top() {
            WasmHeapTopType::Func => Storage::Func(match ty.heap_type {
                WasmHeapType::ConcreteFunc(EngineOrModuleTypeIndex::Module(ty)) => ty.as_u32(),
                _ => ModuleInternedTypeIndex::reserved_value().as_u32(),
            }),
            WasmHeapTopType::Cont => return Err(Unsupported::ContinuationsKept),
            _ => {
                value_type(&WasmValType::Ref(*ty))?;
                Storage::Gc { traced: !matches!(ty.heap_type, WasmHeapType::I31 | WasmHeapType::None) }
            }
        },
        WasmStorageType::Val(ty) => Storage::Number(value_type(ty)?),
    })
}
