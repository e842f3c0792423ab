//! `libwasmtime.so`, as a host in C has it.

use libloading::{Library, Symbol};
use std::ffi::{OsStr, c_void};
use std::ptr::{NonNull, null_mut};
use wasmtime::{Result, bail};

/// Something of the library's own.
type Opaque = NonNull<c_void>;

/// What is called of it, in the types of `wasm.h`, `wasmtime/config.h` and `wasmtime/module.h`.
type ConfigNew = unsafe extern "C" fn() -> Opaque;
type ConfigSet = unsafe extern "C" fn(Opaque, bool);
type EngineNew = unsafe extern "C" fn(Opaque) -> Opaque;
type ModuleNew = unsafe extern "C" fn(Opaque, *const u8, usize, *mut *mut c_void) -> Option<Opaque>;
type ModuleDelete = unsafe extern "C" fn(*mut c_void);

/// An engine of the library's.
pub(crate) struct Engine {
    engine: Opaque,
    library: Library,
}

impl Engine {
    /// Loads the library and makes an engine that compiles on several threads, or not.
    pub(crate) fn new(path: &OsStr, parallel: bool) -> Result<Engine> {
        // SAFETY: what it does when it is loaded is harmless.
        let library = unsafe { Library::new(path) }?;
        // SAFETY: these are their types.
        let engine = unsafe {
            let config_new: Symbol<'_, ConfigNew> = library.get(b"wasm_config_new\0")?;
            let set: Symbol<'_, ConfigSet> = library.get(b"wasmtime_config_parallel_compilation_set\0")?;
            let engine_new: Symbol<'_, EngineNew> = library.get(b"wasm_engine_new_with_config\0")?;
            let config = config_new();
            set(config, parallel);
            engine_new(config)
        };
        Ok(Engine { engine, library })
    }

    /// Compiles a module.
    pub(crate) fn module(&self, wasm: &[u8]) -> Result<Module<'_>> {
        let mut module = null_mut();
        // SAFETY: this is its type; the engine is there, and so are the bytes.
        let error = unsafe {
            let new: Symbol<'_, ModuleNew> = self.library.get(b"wasmtime_module_new\0")?;
            new(self.engine, wasm.as_ptr(), wasm.len(), &raw mut module)
        };
        if error.is_some() {
            bail!("the library refuses the module");
        }
        Ok(Module { module, engine: self })
    }
}

/// A module of the library's.
pub(crate) struct Module<'a> {
    module: *mut c_void,
    engine: &'a Engine,
}

impl Drop for Module<'_> {
    fn drop(&mut self) {
        // SAFETY: this is its type, and nobody else has the module.
        unsafe {
            if let Ok(delete) = self.engine.library.get::<ModuleDelete>(b"wasmtime_module_delete\0") {
                delete(self.module);
            }
        }
    }
}
