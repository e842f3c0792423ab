//! Which imports of a module are always the same of a component's own functions, and what that lets its code do to
//! threads in place.

use super::component::ComponentInfo;
use super::{Description, POINTER, Trampolines};
use crate::facts::{Record, Threads};
use wasmtime_environ::component::{CoreDef, Export, GlobalInitializer, InstantiateModule, Trampoline, UnsafeIntrinsic};
use wasmtime_environ::wasmparser::WasmFeatures;
use wasmtime_environ::{EntityType, Module, PtrSize};

/// What an imported function is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Enter,
    Exit,
    Trap,
    /// Reads this slot of the task, or writes it.
    Slot(u8, bool),
}

/// By module: what each imported function is, if it is the same in all instances that there can be.
pub(super) fn known(info: &ComponentInfo, modules: &[Module], trampolines: &Trampolines) -> Vec<Vec<Option<Known>>> {
    let mut known: Vec<Option<Vec<Option<Known>>>> = vec![None; modules.len()];
    for initializer in &info.component.initializers {
        let GlobalInitializer::InstantiateModule(InstantiateModule::Static(index, arguments), _) = initializer else {
            continue;
        };
        let number = index.as_u32() as usize;
        let Some(module) = modules.get(number) else { continue };
        let functions = module.imports().zip(arguments).filter(|((_, _, ty), _)| matches!(ty, EntityType::Function(_)));
        let own: Vec<Option<Known>> = functions.map(|(_, argument)| what(argument, trampolines)).collect();
        match &mut known[number] {
            None => known[number] = Some(own),
            // Of other instances it may be something else.
            Some(all) => {
                all.iter_mut().zip(own).for_each(|(known, own)| *known = known.filter(|known| own == Some(*known)))
            }
        }
    }
    // Whoever gets a module chooses what it imports.
    for export in info.component.export_items.values() {
        if let Export::ModuleStatic { index, .. } = export
            && let Some(known) = known.get_mut(index.as_u32() as usize)
        {
            *known = None;
        }
    }
    known.into_iter().map(Option::unwrap_or_default).collect()
}

fn what(argument: &CoreDef, trampolines: &Trampolines) -> Option<Known> {
    match argument {
        CoreDef::Trampoline(index) => match trampolines.get(*index)? {
            Trampoline::EnterSyncCall => Some(Known::Enter),
            Trampoline::ExitSyncCall => Some(Known::Exit),
            Trampoline::Trap => Some(Known::Trap),
            _ => None,
        },
        CoreDef::UnsafeIntrinsic(UnsafeIntrinsic::ContextGetI32_0) => Some(Known::Slot(0, false)),
        CoreDef::UnsafeIntrinsic(UnsafeIntrinsic::ContextGetI32_1) => Some(Known::Slot(1, false)),
        CoreDef::UnsafeIntrinsic(UnsafeIntrinsic::ContextSetI32_0) => Some(Known::Slot(0, true)),
        CoreDef::UnsafeIntrinsic(UnsafeIntrinsic::ContextSetI32_1) => Some(Known::Slot(1, true)),
        _ => None,
    }
}

/// What the code of a module with such imports may do.
pub(super) fn of_module(description: &Description, known: &[Option<Known>]) -> Option<Threads> {
    let is = |wanted: Known| known.contains(&Some(wanted));
    let find = |wanted: Known| (0..).zip(known).find(|(_, known)| **known == Some(wanted)).map(|(index, _)| index);
    let record = POINTER.vm_deferred_thread();
    let exit = find(Known::Exit);
    let threads = Threads {
        enters: description.tunables.concurrency_support && exit.is_some() && is(Known::Enter),
        exit,
        trap: find(Known::Trap),
        reads: [0, 1].map(|slot| is(Known::Slot(slot, false))),
        writes: [0, 1].map(|slot| is(Known::Slot(slot, true))),
        exceptions: description.features.contains(WasmFeatures::EXCEPTIONS),
        record: Record {
            bytes: record.size().into(),
            parent: record.parent().into(),
            arguments: [record.caller_instance(), record.callee_async(), record.callee_instance()].map(u32::from),
            saved: [0, 1].map(|slot| record.saved_context_slot(slot).into()),
        },
    };
    known.iter().any(Option::is_some).then_some(threads)
}
