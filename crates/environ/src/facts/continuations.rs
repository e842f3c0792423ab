//! What Wasmtime keeps of stacks and continuations, and what the words of it mean. All of it comes from
//! `wasmtime_environ` but for the words that stacks exchange, of which there is no public description:
//! `VMContinuationStack` has three of them, of a pointer each, at the upper end of a stack's memory.

use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_compiler::facts::{ContFact, Effects, StackFacts, StackKinds, StackStates};
use wasmtime_environ as environ;
use wasmtime_environ::{
    EngineOrModuleTypeIndex, Module, ModuleInternedTypeIndex, ModuleTypesBuilder, PtrSize, WasmCompositeInnerType,
    WasmFuncType, WasmHeapType, WasmValType,
};

/// Words that stacks exchange: the stack pointer, the frame pointer, and where to go on.
const EXCHANGED: i32 = 3;

/// What `Facts::conts` says of a module's types.
pub(crate) fn types(
    module: &Module,
    types: &ModuleTypesBuilder,
    sig_of: impl Fn(ModuleInternedTypeIndex) -> u32,
) -> Vec<Option<ContFact>> {
    let function = |cont: ModuleInternedTypeIndex| match &types[cont].composite_type.inner {
        WasmCompositeInnerType::Cont(cont) => Some(cont.unwrap_module_type_index()),
        _ => None,
    };
    let fact = |ty: ModuleInternedTypeIndex| {
        let params = params(types, ty);
        let bindable = params.iter().take_while(|ty| !ty.is_vmgcref_type_and_not_i31()).count();
        let last = match params.last() {
            Some(WasmValType::Ref(last)) => match last.heap_type {
                WasmHeapType::ConcreteCont(EngineOrModuleTypeIndex::Module(cont)) => function(cont).map(&sig_of),
                _ => None,
            },
            _ => None,
        };
        ContFact { sig: sig_of(ty), last, bindable: bindable as u32 }
    };
    let all = || module.types.iter().map(|(_, ty)| function(ty.unwrap_module_type_index()));
    if all().all(|function| function.is_none()) { Vec::new() } else { all().map(|ty| ty.map(fact)).collect() }
}

fn params(types: &ModuleTypesBuilder, ty: ModuleInternedTypeIndex) -> &[WasmValType] {
    types[ty].composite_type.inner.as_func().map_or(&[], WasmFuncType::params)
}

/// What is the same for all modules.
pub(crate) fn stacks() -> StackFacts {
    let store = POINTER.vm_store_context();
    let limits = POINTER.vmcommon_stack_information_limits();
    let stack = POINTER.vmcontref_common_stack_information();
    assert_eq!(stack, 0, "a continuation begins with what is known of its stack");
    let kind = |discriminant: usize| i32::try_from(discriminant).expect("a small constant");
    let state = |discriminant: u32| discriminant.cast_signed();
    StackFacts {
        chain: offset(store.stack_chain()),
        kinds: StackKinds {
            absent: kind(environ::STACK_CHAIN_ABSENT_DISCRIMINANT),
            initial: kind(environ::STACK_CHAIN_INITIAL_STACK_DISCRIMINANT),
            continuation: kind(environ::STACK_CHAIN_CONTINUATION_DISCRIMINANT),
        },
        live: [
            offset(store.stack_limit()),
            offset(store.last_wasm_entry_fp()),
            offset(store.last_wasm_entry_sp()),
            offset(store.last_wasm_entry_trap_handler()),
        ],
        saved: [
            offset(limits + POINTER.vmstack_limits_stack_limit()),
            offset(limits + POINTER.vmstack_limits_last_wasm_entry_fp()),
            offset(limits + POINTER.vmstack_limits_last_wasm_entry_sp()),
            offset(limits + POINTER.vmstack_limits_last_wasm_entry_trap_handler()),
        ],
        state: offset(POINTER.vmcommon_stack_information_state()),
        handlers: offset(POINTER.vmcommon_stack_information_handlers()),
        suspending: offset(POINTER.vmcommon_stack_information_first_switch_handler_index()),
        states: StackStates {
            fresh: state(environ::STACK_STATE_FRESH_DISCRIMINANT),
            running: state(environ::STACK_STATE_RUNNING_DISCRIMINANT),
            parent: state(environ::STACK_STATE_PARENT_DISCRIMINANT),
            suspended: state(environ::STACK_STATE_SUSPENDED_DISCRIMINANT),
            returned: state(environ::STACK_STATE_RETURNED_DISCRIMINANT),
            trapped: state(environ::STACK_STATE_TRAPPED_DISCRIMINANT),
        },
        parent: offset(POINTER.vmcontref_parent_chain()),
        last_ancestor: offset(POINTER.vmcontref_last_ancestor()),
        revision: offset(POINTER.vmcontref_revision()),
        top: offset(POINTER.vmcontref_stack()),
        exchange: -EXCHANGED * i32::from(POINTER.size()),
        args: offset(POINTER.vmcontref_args()),
        values: offset(POINTER.vmcontref_values()),
        length: offset(POINTER.vmhostarray_length()),
        capacity: offset(POINTER.vmhostarray_capacity()),
        data: offset(POINTER.vmhostarray_data()),
        effects: Effects {
            resume: environ::CONTROL_EFFECT_RESUME_DISCRIMINANT,
            suspend: environ::CONTROL_EFFECT_SUSPEND_DISCRIMINANT,
            switch: environ::CONTROL_EFFECT_SWITCH_DISCRIMINANT,
            trap: environ::CONTROL_EFFECT_TRAP_DISCRIMINANT,
            resume_throw: environ::CONTROL_EFFECT_RESUME_THROW_DISCRIMINANT,
        },
    }
}
