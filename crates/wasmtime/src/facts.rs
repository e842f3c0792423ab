//! What Wasmtime's translation of a module says, turned into the plain data that the compiler works from. Every offset
//! comes from `VMOffsets` and `PtrSize`; none is written down here.

use crate::error::Error;
use crate::exceptions;
use crate::settings::Settings;
use lightbeam_compiler::facts::{Callee, CtxFacts, Facts, FuncFact, GlobalFact, MemoryFact, Owner, TableFact, Where};
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::sig::Sig;
use lightbeam_compiler::ty::Ty;
use wasmtime_environ::{
    DefinedGlobalIndex, EntityRef, FuncIndex, GlobalConstValue, GlobalIndex, IndexType, Memory, MemoryIndex,
    MemoryKind, MemoryTunables, ModuleInternedTypeIndex, ModuleTranslation, ModuleTypesBuilder, PtrSize, SecondaryMap,
    Table, TableIndex, VMOffsets, WasmCompositeInnerType, WasmFuncType, WasmHeapType, WasmRefType, WasmSubType,
    WasmValType,
};

/// Bytes of a pointer on the machines that Lightbeam compiles for; `PtrSize` derives all layouts from it.
pub(crate) const POINTER: u8 = 8;

/// Logarithm of the host's page size.
pub(crate) const HOST_PAGE_LOG2: u8 = 12;

/// An offset that Wasmtime gives unsigned. Instances are far smaller than 2 GiB: validation limits their parts.
pub(crate) fn offset(bytes: impl Into<u32>) -> i32 {
    i32::try_from(bytes.into()).expect("an instance is smaller than 2 GiB")
}

/// The type of a value, or the name of the proposal that it needs.
pub(crate) fn value_type(ty: &WasmValType) -> Result<Ty, &'static str> {
    match ty {
        WasmValType::I32 => Ok(Ty::I32),
        WasmValType::I64 => Ok(Ty::I64),
        WasmValType::F32 => Ok(Ty::F32),
        WasmValType::F64 => Ok(Ty::F64),
        WasmValType::V128 => Err("SIMD is"),
        WasmValType::Ref(ty) => reference_type(ty),
    }
}

/// As `value_type`, for references.
pub(crate) fn reference_type(ty: &WasmRefType) -> Result<Ty, &'static str> {
    match ty.heap_type {
        WasmHeapType::Func if ty.nullable => Ok(Ty::FuncRef),
        WasmHeapType::Func | WasmHeapType::ConcreteFunc(_) | WasmHeapType::NoFunc => {
            Err("typed function references are")
        }
        WasmHeapType::Extern => Err("externref is"),
        WasmHeapType::Exn | WasmHeapType::ConcreteExn(_) | WasmHeapType::NoExn => Err("exception handling is"),
        WasmHeapType::Cont | WasmHeapType::ConcreteCont(_) | WasmHeapType::NoCont => Err("stack switching is"),
        _ => Err("garbage collection is"),
    }
}

/// The function type in a type definition, or the name of the proposal that the definition needs.
pub(crate) fn function_type(ty: &WasmSubType) -> Result<&WasmFuncType, &'static str> {
    if !ty.is_final || ty.supertype.is_some() {
        return Err("garbage collection is");
    }
    match &ty.composite_type.inner {
        WasmCompositeInnerType::Func(func) => Ok(func),
        WasmCompositeInnerType::Array(_) | WasmCompositeInnerType::Struct(_) => Err("garbage collection is"),
        WasmCompositeInnerType::Cont(_) => Err("stack switching is"),
        WasmCompositeInnerType::Exn(_) => Err("exception handling is"),
    }
}

/// The machine form of a function type, or the name of the proposal that it needs.
pub(crate) fn signature(ty: &WasmFuncType) -> Result<Sig, &'static str> {
    let types = |types: &[WasmValType]| types.iter().map(value_type).collect::<Result<Vec<Ty>, _>>();
    Ok(Sig::new::<X64>(&types(ty.params())?, &types(ty.results())?))
}

/// Describes a translated module to the compiler. A module with something that Lightbeam does not compile is refused
/// with the name of it; where in the bytes it is, `features::locate` finds out.
#[inline(never)] // Profiles tell the phases apart by their functions.
pub(crate) fn facts(
    translation: &ModuleTranslation<'_>,
    types: &ModuleTypesBuilder,
    settings: &Settings,
) -> Result<Facts, Error> {
    let module = &translation.module;
    let refuse = |what: &'static str| Error::unsupported(what, None);
    let offsets = VMOffsets::new(POINTER, module);
    let mut facts = Facts { ctx: ctx(), settings: settings.of_code(), ..Facts::default() };

    let mut sigs: SecondaryMap<ModuleInternedTypeIndex, Option<u32>> = SecondaryMap::new();
    for (_, ty) in module.types.iter() {
        let ty = ty.unwrap_module_type_index();
        let sig = match sigs[ty] {
            Some(known) => known,
            None => {
                let sig = signature(function_type(&types[ty]).map_err(refuse)?).map_err(refuse)?;
                facts.sigs.push(sig);
                *sigs[ty].insert(facts.sigs.len() as u32 - 1)
            }
        };
        facts.types.push(Some(sig));
        facts.type_id_offsets.push(offset(ty.as_u32() * u32::from(POINTER.size_of_vmshared_type_index())));
    }
    let sig_of = |ty: ModuleInternedTypeIndex| sigs[ty].expect("a function has one of the module's types");

    facts.funcs = module
        .functions
        .iter()
        .map(|(index, func)| FuncFact {
            sig: sig_of(func.signature.unwrap_module_type_index()),
            callee: callee(translation, &offsets, index, func.is_escaping()),
        })
        .collect();

    let mut constants = vec![None; module.num_defined_globals()];
    for (index, value) in module.global_initializers.iter() {
        constants[index.index()] = constant(value);
    }
    for (index, global) in module.globals.iter() {
        let defined = module.defined_global_index(index);
        facts.globals.push(GlobalFact {
            ty: value_type(&global.wasm_ty).map_err(refuse)?,
            mutable: global.mutability,
            place: global_place(&offsets, index, defined),
            constant: defined.filter(|_| !global.mutability).and_then(|defined| constants[defined.index()]),
        });
    }
    for (index, memory) in module.memories.iter() {
        if memory.shared {
            return Err(refuse("threads are"));
        }
        facts.memories.push(memory_fact(translation, &offsets, settings, index, memory));
    }
    for (index, table) in module.tables.iter() {
        let element = reference_type(&table.ref_type).map_err(refuse)?;
        facts.tables.push(table_fact(translation, &offsets, settings, index, table, element));
    }
    for (_, (ty, _)) in module.passive_elements.iter() {
        reference_type(ty).map_err(refuse)?;
    }
    if !module.tags.is_empty() {
        facts.exceptions = Some(exceptions::facts(settings).map_err(refuse)?);
    }
    for (index, tag) in module.tags.iter() {
        let sig = sig_of(tag.signature.unwrap_module_type_index());
        facts.tags.push(exceptions::tag(settings, module, types, &offsets, index, sig).map_err(refuse)?);
    }
    facts.elems = translation.passive_elem_map.values().map(|passive| passive.map(|index| index.as_u32())).collect();
    Ok(facts)
}

fn ctx() -> CtxFacts {
    let store = POINTER.vm_store_context();
    let func_ref = POINTER.vm_func_ref();
    CtxFacts {
        store: offset(POINTER.vmctx_store_context()),
        epoch: offset(POINTER.vmctx_epoch_ptr()),
        type_ids: offset(POINTER.vmctx_type_ids_array()),
        stack_limit: offset(store.stack_limit()),
        fuel: offset(store.fuel_consumed()),
        epoch_deadline: offset(store.epoch_deadline()),
        funcref_code: offset(func_ref.wasm_call()),
        funcref_context: offset(func_ref.vmctx()),
        funcref_type: offset(func_ref.type_index()),
    }
}

fn callee(translation: &ModuleTranslation<'_>, offsets: &VMOffsets<u8>, index: FuncIndex, escapes: bool) -> Callee {
    match translation.module.defined_func_index(index) {
        Some(defined) => Callee::Defined { index: defined.as_u32(), escapes },
        None => Callee::Imported {
            code: offset(offsets.vmctx_vmfunction_import_wasm_call(index)),
            context: offset(offsets.vmctx_vmfunction_import_vmctx(index)),
        },
    }
}

fn constant(value: &GlobalConstValue) -> Option<u64> {
    match *value {
        GlobalConstValue::I32(value) => Some(u64::from(value.cast_unsigned())),
        GlobalConstValue::I64(value) => Some(value.cast_unsigned()),
        GlobalConstValue::F32(bits) => Some(u64::from(bits)),
        GlobalConstValue::F64(bits) => Some(bits),
        GlobalConstValue::V128(_) => None,
    }
}

fn global_place(offsets: &VMOffsets<u8>, index: GlobalIndex, defined: Option<DefinedGlobalIndex>) -> Where {
    match defined {
        Some(defined) => Where::Ctx(offset(offsets.vmctx_vmglobal_definition(defined))),
        None => Where::Through { pointer: offset(offsets.vmctx_vmglobal_import_from(index)), disp: 0 },
    }
}

fn index_type(ty: IndexType) -> Ty {
    match ty {
        IndexType::I32 => Ty::I32,
        IndexType::I64 => Ty::I64,
    }
}

fn memory_fact(
    translation: &ModuleTranslation<'_>,
    offsets: &VMOffsets<u8>,
    settings: &Settings,
    index: MemoryIndex,
    memory: &Memory,
) -> MemoryFact {
    let module = &translation.module;
    let tunables = MemoryTunables::new(&settings.tunables, MemoryKind::LinearMemory);
    let (base, length, owner) = match module.defined_memory_index(index) {
        Some(defined) => {
            let owned = module.owned_memory_index(defined);
            (
                Where::Ctx(offset(offsets.vmctx_vmmemory_definition_base(owned))),
                Where::Ctx(offset(offsets.vmctx_vmmemory_definition_current_length(owned))),
                Owner::Here(defined.as_u32()),
            )
        }
        None => {
            let import = offset(offsets.vmctx_vmmemory_import(index));
            let fields = POINTER.vm_memory_import();
            let definition = POINTER.vm_memory_definition();
            let through = |disp: u8| Where::Through { pointer: import + offset(fields.from()), disp: offset(disp) };
            (
                through(definition.base()),
                through(definition.current_length()),
                Owner::Import { context: import + offset(fields.vmctx()), index: import + offset(fields.index()) },
            )
        }
    };
    let reserved = tunables.reservation().saturating_add(tunables.guard_size());
    MemoryFact {
        index: index_type(memory.idx_type),
        page_size_log2: memory.page_size_log2,
        base,
        length,
        owner,
        fixed_length: memory.static_heap_size(),
        base_may_move: memory.memory_may_move(&tunables),
        unchecked_span: if memory.can_elide_bounds_check(&tunables, HOST_PAGE_LOG2) {
            reserved.saturating_sub(u64::from(u32::MAX))
        } else {
            0
        },
        faults_are_traps: memory.can_use_virtual_memory(&settings.tunables, HOST_PAGE_LOG2),
    }
}

fn table_fact(
    translation: &ModuleTranslation<'_>,
    offsets: &VMOffsets<u8>,
    settings: &Settings,
    index: TableIndex,
    table: &Table,
    element: Ty,
) -> TableFact {
    let (base, length, owner) = match translation.module.defined_table_index(index) {
        Some(defined) => (
            Where::Ctx(offset(offsets.vmctx_vmtable_definition_base(defined))),
            Where::Ctx(offset(offsets.vmctx_vmtable_definition_current_elements(defined))),
            Owner::Here(defined.as_u32()),
        ),
        None => {
            let import = offset(offsets.vmctx_vmtable_import(index));
            let fields = POINTER.vm_table_import();
            let definition = POINTER.vm_table_definition();
            let through = |disp: u8| Where::Through { pointer: import + offset(fields.from()), disp: offset(disp) };
            (
                through(definition.base()),
                through(definition.current_elements()),
                Owner::Import { context: import + offset(fields.vmctx()), index: import + offset(fields.index()) },
            )
        }
    };
    TableFact {
        element,
        index: index_type(table.idx_type),
        base,
        length,
        owner,
        fixed_length: (table.limits.max == Some(table.limits.min)).then_some(table.limits.min),
        lazy: settings.tunables.table_lazy_init,
    }
}
