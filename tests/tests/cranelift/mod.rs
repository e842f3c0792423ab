//! Wasmtime's own compiler, as scripts see it.

use lightbeam_cli::wast::Modules;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Result};

/// Modules and components of an engine, made by Cranelift.
pub(crate) struct Cranelift(pub(crate) Engine);

impl Modules for Cranelift {
    fn engine(&self) -> &Engine {
        &self.0
    }

    fn module(&self, wasm: &[u8]) -> Result<Module> {
        Module::new(&self.0, wasm)
    }

    fn component(&self, wasm: &[u8]) -> Result<Component> {
        Component::new(&self.0, wasm)
    }
}
