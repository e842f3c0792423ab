//! Where an instance and its store keep what code may have to do with.

use super::POINTER;
use crate::facts::{Field, InstanceField, StoreField};
use wasmtime_environ::{EntityRef, Module, PtrSize, RuntimeDataIndex, VMOffsets};

/// Bytes of a pointer or a length.
const WORD: u8 = 8;

/// Bytes of an index.
const INDEX: u8 = 4;

fn sorted<Kind>(mut fields: Vec<Field<Kind>>) -> Vec<Field<Kind>> {
    fields.sort_unstable_by_key(|field| field.offset);
    debug_assert!(fields.is_sorted_by(|a, b| a.offset + u32::from(a.width) <= b.offset));
    fields
}

/// The fields that all instances have, in order.
pub(super) fn common() -> Vec<Field<InstanceField>> {
    let fixed = [
        (POINTER.vmctx_store_context(), InstanceField::Store),
        (POINTER.vmctx_builtin_functions(), InstanceField::Builtins),
        (POINTER.vmctx_epoch_ptr(), InstanceField::Epoch),
        (POINTER.vmctx_gc_heap_data(), InstanceField::GcData),
        (POINTER.vmctx_type_ids_array(), InstanceField::TypeIds),
    ];
    sorted(fixed.map(|(offset, kind)| Field { offset: offset.into(), width: WORD, kind }).into())
}

/// The fields of an instance, in order.
pub(super) fn instance(module: &Module, offsets: &VMOffsets<u8>) -> Vec<Field<InstanceField>> {
    let mut fields = common();
    let mut add = |offset: u32, width: u8, kind: InstanceField| fields.push(Field { offset, width, kind });
    for (index, memory) in module.memories.iter() {
        let number = index.as_u32();
        match module.defined_memory_index(index) {
            None => {
                let (import, of_import) = (offsets.vmctx_vmmemory_import(index), POINTER.vm_memory_import());
                add(import + u32::from(of_import.from()), WORD, InstanceField::MemoryDefinition(number));
                add(import + u32::from(of_import.vmctx()), WORD, InstanceField::MemoryOwner(number));
                add(import + u32::from(of_import.index()), INDEX, InstanceField::MemoryIndex(number));
            }
            Some(defined) if memory.shared => {
                add(offsets.vmctx_vmmemory_pointer(defined), WORD, InstanceField::MemoryDefinition(number));
            }
            Some(defined) => {
                let owned = module.owned_memory_index(defined);
                add(offsets.vmctx_vmmemory_definition_base(owned), WORD, InstanceField::MemoryBase(number));
                let length = offsets.vmctx_vmmemory_definition_current_length(owned);
                add(length, WORD, InstanceField::MemoryLength(number));
            }
        }
    }
    for index in module.functions.keys().take(module.num_imported_funcs) {
        let number = index.as_u32();
        add(offsets.vmctx_vmfunction_import_wasm_call(index), WORD, InstanceField::FunctionCode(number));
        add(offsets.vmctx_vmfunction_import_vmctx(index), WORD, InstanceField::FunctionInstance(number));
    }
    for index in module.tables.keys() {
        let number = index.as_u32();
        match module.defined_table_index(index) {
            None => {
                let (import, of_import) = (offsets.vmctx_vmtable_import(index), POINTER.vm_table_import());
                add(import + u32::from(of_import.from()), WORD, InstanceField::TableDefinition(number));
                add(import + u32::from(of_import.vmctx()), WORD, InstanceField::TableOwner(number));
                add(import + u32::from(of_import.index()), INDEX, InstanceField::TableIndex(number));
            }
            Some(defined) => {
                add(offsets.vmctx_vmtable_definition_base(defined), WORD, InstanceField::TableBase(number));
                let length = offsets.vmctx_vmtable_definition_current_elements(defined);
                add(length, WORD, InstanceField::TableLength(number));
            }
        }
    }
    for index in module.globals.keys() {
        let number = index.as_u32();
        match module.defined_global_index(index) {
            None => add(offsets.vmctx_vmglobal_import_from(index), WORD, InstanceField::GlobalDefinition(number)),
            Some(defined) => {
                let width = POINTER.vm_global_definition().size();
                add(offsets.vmctx_vmglobal_definition(defined), width, InstanceField::GlobalValue(number));
            }
        }
    }
    for index in module.tags.keys() {
        let number = index.as_u32();
        match module.defined_tag_index(index) {
            None => {
                add(offsets.vmctx_vmtag_import_from(index), WORD, InstanceField::TagDefinition(number));
                add(offsets.vmctx_vmtag_import_vmctx(index), WORD, InstanceField::TagOwner(number));
                add(offsets.vmctx_vmtag_import_index(index), INDEX, InstanceField::TagIndex(number));
            }
            Some(defined) => {
                let width = POINTER.vm_tag_definition().size();
                add(offsets.vmctx_vmtag_definition(defined), width, InstanceField::TagValue(number));
            }
        }
    }
    for number in 0..module.runtime_data.len() {
        let index = RuntimeDataIndex::new(number);
        add(offsets.vmctx_runtime_data_base(index), WORD, InstanceField::DataBase(number as u32));
        add(offsets.vmctx_runtime_data_length(index), INDEX, InstanceField::DataLength(number as u32));
    }
    sorted(fields)
}

/// The fields of a store, in order.
pub(super) fn store() -> Vec<Field<StoreField>> {
    let store = POINTER.vm_store_context();
    let fields = [
        (store.fuel_consumed(), StoreField::Fuel),
        (store.epoch_deadline(), StoreField::EpochDeadline),
        (store.stack_limit(), StoreField::StackLimit),
        (store.gc_heap_base(), StoreField::HeapBase),
        (store.gc_heap_current_length(), StoreField::HeapLength),
        (store.last_wasm_exit_trampoline_fp(), StoreField::ExitFramePointer),
        (store.last_wasm_exit_pc(), StoreField::ExitReturnAddress),
        (store.last_wasm_entry_sp(), StoreField::EntryStackPointer),
        (store.last_wasm_entry_fp(), StoreField::EntryFramePointer),
        (store.last_wasm_entry_trap_handler(), StoreField::EntryTrapHandler),
        (store.stack_chain(), StoreField::StackChainKind),
        (store.stack_chain() + POINTER.size(), StoreField::StackChainPointer),
        (store.current_thread(), StoreField::CurrentThread),
        (store.store_data(), StoreField::StoreData),
    ];
    let field = |(offset, kind): (u8, StoreField)| Field { offset: offset.into(), width: WORD, kind };
    let slot = |slot: u8| Field {
        offset: store.component_context_slot(slot).into(),
        width: INDEX,
        kind: StoreField::TaskSlot(slot),
    };
    sorted(fields.into_iter().map(field).chain((0..2).map(slot)).collect())
}
