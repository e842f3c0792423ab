//! Modules that are being compiled. Wasmtime asks for one function after another, from several threads at once; the
//! first to ask has the whole module compiled, and the others wait for it.

use lightbeam_environ::stream::translated::Module;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use wasmtime_environ::ModuleTranslation;

/// A module as far as it is compiled: nothing of it, or all, or it is refused.
#[derive(Default)]
pub(crate) struct Slot(OnceLock<Option<Module>>);

impl Slot {
    /// The module, which `compile` makes for the first who asks; none if it is refused.
    pub(crate) fn module(&self, compile: impl FnOnce() -> Option<Module>) -> Option<&Module> {
        self.0.get_or_init(compile).as_ref()
    }

    /// The module that was compiled.
    pub(crate) fn compiled(&self) -> Option<&Module> {
        self.0.get()?.as_ref()
    }
}

/// The slots of translations that Wasmtime still asks for functions of. Whatever came of such a question keeps the slot
/// alive, also where the module is refused.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<Key, Weak<Slot>>>);

/// Which module it is: where its translation and its bytes are. They are in their places until all functions are
/// linked, or until one has failed.
type Key = (usize, usize);

fn key(translation: &ModuleTranslation<'_>) -> Key {
    (std::ptr::from_ref(translation).addr(), translation.wasm.as_ptr().addr())
}

impl Live {
    /// The slot of a module.
    pub(crate) fn slot(&self, translation: &ModuleTranslation<'_>) -> Arc<Slot> {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = live.entry(key(translation)).or_default();
        known.upgrade().unwrap_or_else(|| {
            let slot = Arc::new(Slot::default());
            *known = Arc::downgrade(&slot);
            slot
        })
    }

    /// These are in a text, and their translations will soon be gone, though the slots are not: another translation may
    /// come to be where one was. With them goes whatever nobody holds any more.
    pub(crate) fn close(&self, slots: impl Fn(&Arc<Slot>) -> bool) {
        let mut live = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|_, slot| slot.upgrade().is_some_and(|slot| !slots(&slot)));
    }
}
