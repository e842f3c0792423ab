//! What Wasmtime's translation of a module says, turned into the plain data that the compiler works from. Every offset
//! comes from `VMOffsets` and `PtrSize`; none is written down here.

pub(crate) mod constant_expressions;
mod continuations;
mod gc;
pub(crate) mod known_imports;
pub(crate) mod layout;
mod tags;
pub(crate) mod types;

use self::layout::{offset, type_id};
use self::types::{function_type, is_plain, reference_type, signature, value_type};
use crate::error::{Error, Unsupported};
use crate::input::unsupported;
use crate::settings::Settings;
use crate::target::{PAGE_LOG2, POINTER};
use lightbeam_compiler::facts::{Callee, CtxFacts, Facts, FuncFact, GlobalFact, MemoryFact, Owner, TableFact, Where};
use lightbeam_compiler::sig::Sig;
use lightbeam_compiler::ty::Ty;
use std::collections::BTreeMap;
use wasmtime_environ::{
    DefinedGlobalIndex, EngineOrModuleTypeIndex, EntityRef, FuncIndex, GlobalConstValue, GlobalIndex, IndexType,
    Memory, MemoryIndex, MemoryKind, MemoryTunables, Module, ModuleInternedTypeIndex, ModuleTranslation,
    ModuleTypesBuilder, PtrSize, SecondaryMap, Table, TableIndex, VMOffsets, WasmHeapType, WasmValType,
};

/// Describes a translated module to the compiler. A module with something that Lightbeam does not compile is refused
/// with what it is; of its bytes at least those ahead of its code are given, to find out where.
pub(crate) fn of_module(
    settings: &Settings,
    wasm: &[u8],
    translation: &ModuleTranslation<'_>,
    types: &ModuleTypesBuilder,
) -> Result<Facts, Error> {
    facts(settings, translation, types).map_err(|refusal| unsupported::locate(wasm, refusal))
}

/// Describes a core module of a component, likewise: imports may be functions of other modules.
pub(crate) fn in_component(
    settings: &Settings,
    wasm: &[u8],
    translation: &ModuleTranslation<'_>,
    types: &ModuleTypesBuilder,
) -> Result<Facts, Error> {
    let facts = of_module(settings, wasm, translation, types)?;
    Ok(Facts { links_imports: true, ..facts })
}

#[inline(never)] // Profiles tell the phases apart by their functions.
fn facts(
    settings: &Settings,
    translation: &ModuleTranslation<'_>,
    types: &ModuleTypesBuilder,
) -> Result<Facts, Unsupported> {
    let module = &translation.module;
    let offsets = VMOffsets::new(POINTER, module);
    let mut facts = Facts { ctx: ctx(), settings: settings.of_code(), costs: settings.costs(), ..Facts::default() };

    let mut sigs: SecondaryMap<ModuleInternedTypeIndex, Option<u32>> = SecondaryMap::new();
    for (_, ty) in module.types.iter() {
        let ty = ty.unwrap_module_type_index();
        let definition = &types[ty];
        let sig = match (sigs[ty], function_type(definition)?) {
            (_, None) => None,
            (Some(known), _) => Some(known),
            (None, Some(func)) => {
                facts.sigs.push(signature(func)?);
                sigs[ty] = Some(facts.sigs.len() as u32 - 1);
                sigs[ty]
            }
        };
        facts.types.push(sig);
        facts.objects.push(gc::object(settings, definition)?);
        facts.final_types.push(definition.is_final);
        facts.type_id_offsets.push(type_id(ty));
    }
    facts.subtypes = subtypes(module, types);
    let sig_of = |ty: ModuleInternedTypeIndex| sigs[ty].expect("a function has one of the module's types");
    facts.conts = continuations::types(module, types, sig_of);
    if settings.features.stack_switching() {
        facts.stacks = Some(continuations::stacks());
    }

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
            ty: value_type(&global.wasm_ty)?,
            mutable: global.mutability,
            plain: is_plain(&global.wasm_ty),
            at: global_place(&offsets, index, defined),
            constant: defined.filter(|_| !global.mutability).and_then(|defined| constants[defined.index()]),
        });
    }
    for (index, memory) in module.memories.iter() {
        facts.memories.push(memory_fact(translation, &offsets, settings, index, memory));
    }
    for (index, table) in module.tables.iter() {
        let elem = reference_type(&table.ref_type)?;
        facts.tables.push(table_fact(translation, &offsets, settings, index, table, elem));
    }
    let mut objects_in_segments = false;
    for (_, (ty, _)) in module.passive_elements.iter() {
        objects_in_segments |= reference_type(ty)? == Ty::GcRef;
    }
    // What the code for any of these does is what one collector wants, even if all that there ever is are numbers.
    let has_objects = objects_in_segments
        || facts.objects.iter().any(Option::is_some)
        || facts.globals.iter().any(|global| global.ty == Ty::GcRef)
        || facts.tables.iter().any(|table| table.elem == Ty::GcRef)
        || !module.tags.is_empty();
    if settings.collector.is_some() {
        facts.gc = Some(gc::facts(settings, &offsets)?);
    }
    facts.constants = constant_expressions::of_module(translation);
    let mentioned = |sig: &Sig| sig.params.iter().chain(&sig.results).any(|ty| *ty == Ty::GcRef);
    facts.references = has_objects || facts.sigs.iter().any(mentioned);
    if !module.tags.is_empty() {
        facts.exceptions = Some(tags::facts(settings)?);
    }
    for (index, _) in module.tags.iter() {
        let sig = sig_of(module.tags[index].signature.unwrap_module_type_index());
        facts.tags.push(tags::tag(settings, module, types, &offsets, index, sig)?);
    }
    facts.elems = translation.passive_elem_map.values().map(|passive| passive.map(|index| index.as_u32())).collect();
    Ok(facts)
}

/// What `Facts::subtypes` says of a module's types.
fn subtypes(module: &Module, types: &ModuleTypesBuilder) -> Vec<(i32, [Option<i32>; 3])> {
    let mut known: BTreeMap<i32, [Option<i32>; 3]> = BTreeMap::new();
    for (_, ty) in module.types.iter() {
        let ty = ty.unwrap_module_type_index();
        let Some(supertype) = types[ty].supertype else { continue };
        let of = known.entry(type_id(supertype.unwrap_module_type_index())).or_default();
        let id = Some(type_id(ty));
        if !of.contains(&id)
            && let Some(free) = of.iter_mut().find(|known| known.is_none())
        {
            *free = id;
        }
    }
    known.into_iter().collect()
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
            inline: None,
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
    let fields = POINTER.vm_memory_definition();
    let through = |pointer: i32, field: u8| Where::Through { pointer, disp: offset(field) };
    let (base, length, owner) = match module.defined_memory_index(index) {
        // Others may have it longer than this instance lives. No lock is needed to read the length: it only grows.
        Some(defined) if memory.shared => {
            let pointer = offset(offsets.vmctx_vmmemory_pointer(defined));
            (through(pointer, fields.base()), through(pointer, fields.current_length()), Owner::Here(defined.as_u32()))
        }
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
            let of_import = POINTER.vm_memory_import();
            let pointer = import + offset(of_import.from());
            (
                through(pointer, fields.base()),
                through(pointer, fields.current_length()),
                Owner::Import {
                    context: import + offset(of_import.vmctx()),
                    index: import + offset(of_import.index()),
                },
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
        unchecked_span: if memory.can_elide_bounds_check(&tunables, PAGE_LOG2) {
            reserved.saturating_sub(u64::from(u32::MAX))
        } else {
            0
        },
        faults_are_traps: memory.can_use_virtual_memory(&settings.tunables, PAGE_LOG2),
    }
}

fn table_fact(
    translation: &ModuleTranslation<'_>,
    offsets: &VMOffsets<u8>,
    settings: &Settings,
    index: TableIndex,
    table: &Table,
    elem: Ty,
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
        elem,
        plain: is_plain(&WasmValType::Ref(table.ref_type)),
        type_id: match table.ref_type.heap_type {
            WasmHeapType::ConcreteFunc(EngineOrModuleTypeIndex::Module(ty)) => Some(type_id(ty)),
            _ => None,
        },
        index: index_type(table.idx_type),
        base,
        length,
        owner,
        fixed_length: (table.limits.max == Some(table.limits.min)).then_some(table.limits.min),
        lazy: settings.tunables.table_lazy_init && elem == Ty::FuncRef,
    }
}
