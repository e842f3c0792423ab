//! A component's own functions, which are of none of its core modules. Lightbeam makes them.

use crate::compiler::{Code, Compiler};
use lightbeam_environ::stream::translated;
use wasmtime_environ::component::{ComponentCompiler, ComponentTranslation, ComponentTypesBuilder, UnsafeIntrinsic};
use wasmtime_environ::error::Result;
use wasmtime_environ::{Abi, CompiledFunctionBody, FuncKey, Tunables};

impl ComponentCompiler for Compiler {
    fn compile_component_trampoline(
        &self,
        component: &ComponentTranslation,
        types: &ComponentTypesBuilder,
        key: FuncKey,
        abi: Abi,
        tunables: &Tunables,
        symbol: &str,
    ) -> Result<CompiledFunctionBody> {
        if let Some(function) = translated::component_function(&self.any_settings(), component, types, key) {
            return Ok(Code::Apart(function).body(false));
        }
        let original = self.original.component_compiler();
        let body = original.compile_component_trampoline(component, types, key, abi, tunables, symbol)?;
        Ok(self.finish(body, None, symbol, None)?)
    }

    fn compile_intrinsic(
        &self,
        tunables: &Tunables,
        component: &ComponentTranslation,
        types: &ComponentTypesBuilder,
        intrinsic: UnsafeIntrinsic,
        abi: Abi,
        symbol: &str,
    ) -> Result<CompiledFunctionBody> {
        let key = FuncKey::UnsafeIntrinsic(abi, intrinsic);
        if let Some(function) = translated::component_function(&self.any_settings(), component, types, key) {
            return Ok(Code::Apart(function).body(false));
        }
        let original = self.original.component_compiler();
        let body = original.compile_intrinsic(tunables, component, types, intrinsic, abi, symbol)?;
        Ok(self.finish(body, None, symbol, None)?)
    }
}
