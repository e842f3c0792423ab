//! Facts of a module: its types and what it has of each kind.

use super::{Description, HOST_PAGE_LOG2, POINTER, builtins, failures, fields};
use crate::artifact::Malformed;
use crate::facts::{
    Collector, Effects, Facts, FuncType, Function, Gc, Global, Layouts, Memory, Settings, Signature, Stacks, Table,
    Tag, Type, TypeKind, ValueType,
};
use std::sync::Arc;
use wasmtime_environ as environ;
use wasmtime_environ::wasmparser::WasmFeatures;
use wasmtime_environ::{
    EngineOrModuleTypeIndex, IndexType, MemoryKind, MemoryTunables, Module, PtrSize, Tunables, VMGcKind, VMOffsets,
    WasmCompositeInnerType, WasmHeapTopType, WasmHeapType, WasmRefType, WasmSubType, WasmValType,
};

/// All types.
pub(super) fn types(description: &Description) -> Result<Vec<Type>, Malformed> {
    description.types.wasm_types().map(|(_, ty)| definition(description, ty)).collect()
}

/// What is the same for all modules, as if it were one that has nothing.
pub(super) fn common(description: &Description, types: &Arc<Vec<Type>>, spectre: bool) -> Facts {
    let tunables = &description.tunables;
    let stacks = description.features.contains(WasmFeatures::STACK_SWITCHING);
    Facts {
        settings: Settings {
            fuel: tunables.consume_fuel,
            epochs: tunables.epoch_interruption,
            hardware_traps: tunables.signals_based_traps,
            spectre,
            forced_thread: tunables.concurrency_support.then_some(environ::VM_LAZY_THREAD_FORCED),
            processor: description.processor,
        },
        types: types.clone(),
        instance: fields::common(),
        store: fields::store(),
        layouts: layouts(),
        stacks: stacks.then(self::stacks),
        builtins: builtins().map(|(builtin, index)| (builtin, index * u32::from(POINTER.size()))).collect(),
        failures: failures().collect(),
        trap_codes: (0..=u8::MAX).filter(|code| environ::CompiledTrap::from_u8(*code).is_some()).collect(),
        ..Facts::default()
    }
}

/// The facts of a module.
pub(super) fn facts(
    description: &Description,
    module: &Module,
    types: &Arc<Vec<Type>>,
    spectre: bool,
) -> Result<Facts, Malformed> {
    let tunables = &description.tunables;
    let offsets = VMOffsets::new(POINTER, module);
    let number = |ty: EngineOrModuleTypeIndex| number(description, ty);
    Ok(Facts {
        functions: module
            .functions
            .iter()
            .map(|(index, function)| {
                let imported = module.defined_func_index(index).is_none();
                let escapes = function.is_escaping() && !imported;
                Ok(Function { ty: number(function.signature)?, imported, escapes })
            })
            .collect::<Result<_, Malformed>>()?,
        memories: module.memories.values().map(|memory| self::memory(memory, tunables)).collect(),
        tables: module.tables.values().map(|table| self::table(description, table)).collect::<Result<_, _>>()?,
        globals: module
            .globals
            .values()
            .map(|global| Ok(Global { ty: value(description, &global.wasm_ty)?, mutable: global.mutability }))
            .collect::<Result<_, Malformed>>()?,
        tags: module
            .tags
            .values()
            .map(|tag| Ok(Tag { ty: number(tag.signature)?, exception: number(tag.exception).ok() }))
            .collect::<Result<_, Malformed>>()?,
        elements: module
            .passive_elements
            .iter()
            .map(|(_, (ty, _))| reference(description, ty))
            .collect::<Result<_, Malformed>>()?,
        element_counts: module.passive_elements.iter().map(|(_, (_, count))| *count).collect(),
        instance: fields::instance(module, &offsets),
        // What touches no object is loaded by engines with any collector, or none.
        gc: tunables.collector.filter(|_| module.needs_gc_heap).map(|collector| gc(tunables, collector)),
        ..common(description, types, spectre)
    })
}

/// The module's number of a type.
pub(super) fn number(description: &Description, ty: EngineOrModuleTypeIndex) -> Result<u32, Malformed> {
    match ty {
        EngineOrModuleTypeIndex::Module(index) => description.ty(index).map(|_| index.as_u32()),
        _ => Err(Malformed::new("a type is not the module's own")),
    }
}

fn definition(description: &Description, ty: &WasmSubType) -> Result<Type, Malformed> {
    let values = |types: &[WasmValType]| types.iter().map(|ty| value(description, ty)).collect::<Result<Vec<_>, _>>();
    if ty.composite_type.shared {
        return Err(Malformed::new("a type is shared"));
    }
    Ok(Type {
        kind: match &ty.composite_type.inner {
            WasmCompositeInnerType::Func(function) => TypeKind::Function(Signature {
                params: values(function.params())?,
                results: values(function.results())?,
            }),
            WasmCompositeInnerType::Cont(cont) => {
                let function = EngineOrModuleTypeIndex::Module(cont.unwrap_module_type_index());
                TypeKind::Continuation(number(description, function)?)
            }
            WasmCompositeInnerType::Array(_) | WasmCompositeInnerType::Struct(_) | WasmCompositeInnerType::Exn(_) => {
                TypeKind::Object
            }
        },
        supertype: ty.supertype.map(|ty| number(description, ty)).transpose()?,
    })
}

pub(super) fn value(description: &Description, ty: &WasmValType) -> Result<ValueType, Malformed> {
    Ok(match ty {
        WasmValType::I32 => ValueType::I32,
        WasmValType::I64 => ValueType::I64,
        WasmValType::F32 => ValueType::F32,
        WasmValType::F64 => ValueType::F64,
        WasmValType::V128 => ValueType::V128,
        WasmValType::Ref(ty) => reference(description, ty)?,
    })
}

fn reference(description: &Description, ty: &WasmRefType) -> Result<ValueType, Malformed> {
    Ok(match ty.heap_type.top() {
        WasmHeapTopType::Func => ValueType::Func(FuncType {
            ty: match ty.heap_type {
                WasmHeapType::ConcreteFunc(ty) => Some(number(description, ty)?),
                WasmHeapType::NoFunc => Some(crate::facts::NO_FUNCTION),
                _ => None,
            },
            nullable: ty.nullable,
        }),
        WasmHeapTopType::Any | WasmHeapTopType::Extern | WasmHeapTopType::Exn => ValueType::Gc,
        WasmHeapTopType::Cont => ValueType::Cont {
            ty: match ty.heap_type {
                WasmHeapType::ConcreteCont(ty) => Some(number(description, ty)?),
                _ => None,
            },
        },
    })
}

/// Bytes from a base plus any 32-bit number that belong to a memory or its guard, if the host says that they may be
/// touched without a check.
fn unchecked_span(memory: &environ::Memory, tunables: &MemoryTunables<'_>) -> u64 {
    if !memory.can_elide_bounds_check(tunables, HOST_PAGE_LOG2) {
        return 0;
    }
    mapped(tunables).saturating_sub(u64::from(u32::MAX))
}

/// Bytes of addresses that belong to each memory.
fn mapped(tunables: &MemoryTunables<'_>) -> u64 {
    tunables.reservation().saturating_add(tunables.guard_size())
}

fn memory(memory: &environ::Memory, tunables: &Tunables) -> Memory {
    let of_linear = MemoryTunables::new(tunables, MemoryKind::LinearMemory);
    let faults_are_traps = memory.can_use_virtual_memory(tunables, HOST_PAGE_LOG2);
    let fixed_length = memory.static_heap_size();
    Memory {
        index64: memory.idx_type == IndexType::I64,
        page_size_log2: memory.page_size_log2,
        base_may_move: memory.memory_may_move(&of_linear),
        // One that overflows is never instantiated.
        minimum: memory.minimum_byte_size().unwrap_or(0),
        fixed_length,
        unchecked_span: unchecked_span(memory, &of_linear),
        mapped: if faults_are_traps { mapped(&of_linear) } else { fixed_length.unwrap_or(0) },
        faults_are_traps,
        shared: memory.shared,
    }
}

fn table(description: &Description, table: &environ::Table) -> Result<Table, Malformed> {
    let element = reference(description, &table.ref_type)?;
    Ok(Table {
        element,
        index64: table.idx_type == IndexType::I64,
        minimum: table.limits.min,
        fixed_length: Some(table.limits.min).filter(|min| table.limits.max == Some(*min)),
        lazy: description.tunables.table_lazy_init && matches!(element, ValueType::Func(_)),
    })
}

fn layouts() -> Layouts {
    let (memory, table, reference) =
        (POINTER.vm_memory_definition(), POINTER.vm_table_definition(), POINTER.vm_func_ref());
    Layouts {
        memory_base: memory.base().into(),
        memory_length: memory.current_length().into(),
        table_base: table.base().into(),
        table_length: table.current_elements().into(),
        func_ref_code: reference.wasm_call().into(),
        func_ref_instance: reference.vmctx().into(),
        func_ref_type: reference.type_index().into(),
        host_function: (POINTER.vmarray_call_host_func_context_func_ref() + reference.array_call()).into(),
    }
}

fn gc(tunables: &Tunables, collector: environ::Collector) -> Gc {
    let of_heap = MemoryTunables::new(tunables, MemoryKind::GcHeap);
    let heap = tunables.gc_heap_memory_type();
    let read = |offset: u8| Some((u32::from(offset), false));
    let written = |offset: u8| Some((u32::from(offset), true));
    let (collector, data) = match collector {
        environ::Collector::Copying => {
            let (free, end) = (POINTER.vmcopying_heap_data_bump_ptr(), POINTER.vmcopying_heap_data_active_space_end());
            (Collector::Copying, [written(free), read(end), None, None])
        }
        environ::Collector::DeferredReferenceCounting => {
            let list = POINTER.vmdrc_heap_data_over_approximated_stack_roots();
            let length = POINTER.vmdrc_heap_data_current_over_approximated_stack_roots_len();
            let after = POINTER.vmdrc_heap_data_over_approximated_stack_roots_len_after_last_gc();
            (Collector::Counting, [written(list), written(length), read(after), None])
        }
        // The collector that never collects has one number, of where the next object may begin.
        environ::Collector::Null => (Collector::None, [written(0), None, None, None]),
    };
    Gc {
        unchecked_span: unchecked_span(&heap, &of_heap),
        heap_may_move: heap.memory_may_move(&of_heap),
        data,
        collector,
        kinds: [VMGcKind::StructRef, VMGcKind::ArrayRef, VMGcKind::ExnRef].map(VMGcKind::as_u32),
        kind_bits: VMGcKind::MASK,
    }
}

fn stacks() -> Stacks {
    let limits = POINTER.vmcommon_stack_information_limits();
    let of_stack = |offset: u8| u32::from(POINTER.vmcontref_common_stack_information() + offset);
    Stacks {
        limits: [
            POINTER.vmstack_limits_stack_limit(),
            POINTER.vmstack_limits_last_wasm_entry_fp(),
            POINTER.vmstack_limits_last_wasm_entry_sp(),
            POINTER.vmstack_limits_last_wasm_entry_trap_handler(),
        ]
        .map(|limit| of_stack(limits + limit)),
        state: of_stack(POINTER.vmcommon_stack_information_state()),
        handlers: of_stack(POINTER.vmcommon_stack_information_handlers()),
        first_switch: of_stack(POINTER.vmcommon_stack_information_first_switch_handler_index()),
        parent: POINTER.vmcontref_parent_chain().into(),
        last_ancestor: POINTER.vmcontref_last_ancestor().into(),
        revision: POINTER.vmcontref_revision().into(),
        top: POINTER.vmcontref_stack().into(),
        args: POINTER.vmcontref_args().into(),
        values: POINTER.vmcontref_values().into(),
        list_length: POINTER.vmhostarray_length().into(),
        list_capacity: POINTER.vmhostarray_capacity().into(),
        list_data: POINTER.vmhostarray_data().into(),
        kinds: [
            environ::STACK_CHAIN_ABSENT_DISCRIMINANT,
            environ::STACK_CHAIN_INITIAL_STACK_DISCRIMINANT,
            environ::STACK_CHAIN_CONTINUATION_DISCRIMINANT,
        ]
        .map(|kind| kind as u64),
        states: [
            environ::STACK_STATE_FRESH_DISCRIMINANT,
            environ::STACK_STATE_RUNNING_DISCRIMINANT,
            environ::STACK_STATE_PARENT_DISCRIMINANT,
            environ::STACK_STATE_SUSPENDED_DISCRIMINANT,
            environ::STACK_STATE_RETURNED_DISCRIMINANT,
            environ::STACK_STATE_TRAPPED_DISCRIMINANT,
        ],
        effects: Effects {
            resume: environ::CONTROL_EFFECT_RESUME_DISCRIMINANT,
            resume_throw: environ::CONTROL_EFFECT_RESUME_THROW_DISCRIMINANT,
            suspend: environ::CONTROL_EFFECT_SUSPEND_DISCRIMINANT,
            switch: environ::CONTROL_EFFECT_SWITCH_DISCRIMINANT,
            trap: environ::CONTROL_EFFECT_TRAP_DISCRIMINANT,
        },
    }
}
