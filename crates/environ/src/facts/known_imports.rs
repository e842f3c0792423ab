//! Imports of which Wasmtime's translation says what they are, and which the compiler does in place.
//!
//! That is known when all of a component is there. So it is asked for the modules that Wasmtime writes for adapters
//! alone, which come last: the code of all others is the same whether the component was there as a whole or arrived.

use super::layout::offset;
use crate::settings::Settings;
use crate::target::POINTER;
use lightbeam_compiler::facts::{Callee, Facts, Intrinsic, ThreadFacts};
use wasmtime_environ::component::UnsafeIntrinsic;
use wasmtime_environ::{Abi, FactInlineIntrinsic, FuncIndex, FuncKey, KnownFunc, ModuleTranslation, PtrSize};

/// Adds what is known of the imports of an adapter's module.
pub(crate) fn add(settings: &Settings, translation: &ModuleTranslation<'_>, facts: &mut Facts) {
    let known = &translation.known_imported_functions;
    for (index, func) in facts.funcs.iter_mut().enumerate().take(translation.module.num_imported_funcs) {
        let Callee::Imported { inline, .. } = &mut func.callee else { continue };
        *inline = known[FuncIndex::from_u32(index as u32)].as_ref().and_then(|known| intrinsic(settings, known));
        if inline.is_some() {
            facts.threads = Some(threads());
        }
    }
}

/// Does the translation of a module say that Wasmtime has written it for adapters?
pub(crate) fn is_adapter(translation: &ModuleTranslation<'_>) -> bool {
    let imports = (0..translation.module.num_imported_funcs).map(|index| FuncIndex::from_u32(index as u32));
    let known = &translation.known_imported_functions;
    imports.into_iter().any(|index| matches!(known[index], Some(KnownFunc::FactIntrinsic(_))))
}

fn intrinsic(settings: &Settings, known: &KnownFunc) -> Option<Intrinsic> {
    let context = |slot| offset(POINTER.vm_store_context().component_context_slot(slot));
    Some(match known {
        // Without concurrency there are no threads, and the host does less.
        KnownFunc::FactIntrinsic(_) if !settings.tunables.concurrency_support => return None,
        KnownFunc::FactIntrinsic(FactInlineIntrinsic::EnterSyncCall) => Intrinsic::EnterSyncCall,
        KnownFunc::FactIntrinsic(FactInlineIntrinsic::ExitSyncCall) => Intrinsic::ExitSyncCall,
        KnownFunc::FuncKey(FuncKey::UnsafeIntrinsic(Abi::Wasm, intrinsic)) => match intrinsic {
            UnsafeIntrinsic::ContextGetI32_0 => Intrinsic::ContextGet(context(0)),
            UnsafeIntrinsic::ContextGetI32_1 => Intrinsic::ContextGet(context(1)),
            UnsafeIntrinsic::ContextSetI32_0 => Intrinsic::ContextSet(context(0)),
            UnsafeIntrinsic::ContextSetI32_1 => Intrinsic::ContextSet(context(1)),
            _ => return None,
        },
        KnownFunc::FuncKey(_) => return None,
    })
}

fn threads() -> ThreadFacts {
    let (store, record) = (POINTER.vm_store_context(), POINTER.vm_deferred_thread());
    ThreadFacts {
        current: offset(store.current_thread()),
        context: [0, 1].map(|slot| offset(store.component_context_slot(slot))),
        record_bytes: offset(record.size()),
        parent: offset(record.parent()),
        arguments: [record.caller_instance(), record.callee_async(), record.callee_instance()].map(offset),
        saved_context: [0, 1].map(|slot| offset(record.saved_context_slot(slot))),
    }
}
