//! The code that belongs to a component and to none of its core modules: one trampoline for each of its own functions,
//! for callers of `Tail` convention and for the host.

mod descriptions;
mod drops;
mod entries;
mod host_calls;
mod intrinsics;

use self::drops::Drop;
use crate::border::trampolines::Border;
use crate::facts::layout::offset;
use crate::facts::types::signature;
use crate::target::POINTER;
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::sig::Sig;
use std::ops::Range;
use wasmtime_environ::component::{
    ComponentTranslation, ComponentTypesBuilder, Trampoline, TrampolineIndex, UnsafeIntrinsic, VMComponentOffsets,
};
use wasmtime_environ::{Abi, FuncKey, PanicOnOom, WasmFuncType};

/// A component's own functions, as they are to be compiled.
pub(crate) struct Functions<'a> {
    pub(crate) component: &'a ComponentTranslation,
    pub(crate) types: &'a ComponentTypesBuilder,
    /// Does the host keep track of tasks?
    pub(crate) concurrency: bool,
}

impl Functions<'_> {
    /// Makes them all in the order of their keys, and gives for each where it is. Stops early where `more` says that
    /// there is enough, which is asked after each.
    pub(crate) fn emit<I: Isa>(
        &self,
        border: &mut Border<'_, I>,
        mut done: impl FnMut(&Border<'_, I>, FuncKey, Range<u32>) -> bool,
    ) -> bool {
        let component = &self.component.component;
        let mut entries = Vec::with_capacity(self.component.trampolines.len());
        for index in self.component.trampolines.keys() {
            let start = border.start();
            let sig = self.trampoline(border, index);
            let key = FuncKey::ComponentTrampoline(Abi::Wasm, index);
            if !done(border, key, start..border.w.offset()) {
                return false;
            }
            entries.push((index, sig, start));
        }
        for (index, sig, entry) in &entries {
            let range = self.entry(border, sig, *entry);
            let key = FuncKey::ComponentTrampoline(Abi::Array, *index);
            if !done(border, key, range) {
                return false;
            }
        }
        // How a resource of the host is dropped: an exit as for any other host function, under another key.
        if component.num_resources > 0
            && let Some(ty) = self.types.module_types_builder().find_resource_drop_signature()
        {
            let sig = self.sig(self.types[ty].unwrap_func());
            let start = border.start();
            border.wasm_to_array(&sig);
            if !done(border, FuncKey::ResourceDropTrampoline, start..border.w.offset()) {
                return false;
            }
        }
        let used = |(index, ty): (usize, &_)| {
            let _: &wasmtime_environ::packed_option::PackedOption<_> = ty;
            ty.is_some().then(|| UnsafeIntrinsic::from_u32(index as u32))
        };
        let intrinsics: Vec<_> = component.unsafe_intrinsics.iter().enumerate().filter_map(used).collect();
        let mut entries = Vec::with_capacity(intrinsics.len());
        for intrinsic in intrinsics {
            let start = border.start();
            let sig = self.intrinsic(border, intrinsic);
            if !done(border, FuncKey::UnsafeIntrinsic(Abi::Wasm, intrinsic), start..border.w.offset()) {
                return false;
            }
            entries.push((intrinsic, sig, start));
        }
        for (intrinsic, sig, entry) in &entries {
            let range = self.entry(border, sig, *entry);
            if !done(border, FuncKey::UnsafeIntrinsic(Abi::Array, *intrinsic), range) {
                return false;
            }
        }
        true
    }

    /// Makes one of those that the component's translation lists, and says where it is; none if it has no such key.
    /// What stands ahead of it is its own.
    pub(crate) fn emit_one<I: Isa>(&self, border: &mut Border<'_, I>, key: FuncKey) -> Option<Range<u32>> {
        let start = border.start();
        let (abi, sig) = match key {
            FuncKey::ComponentTrampoline(abi, index) => (abi, self.trampoline(border, index)),
            FuncKey::UnsafeIntrinsic(abi, intrinsic) => (abi, self.intrinsic(border, intrinsic)),
            _ => return None,
        };
        match abi {
            Abi::Wasm => Some(start..border.w.offset()),
            Abi::Array => Some(self.entry(border, &sig, start)),
            Abi::Patchable => None,
        }
    }

    /// What a trampoline of the component does, for callers of `Tail` convention.
    fn trampoline<I: Isa>(&self, border: &mut Border<'_, I>, index: TrampolineIndex) -> Sig {
        let component = &self.component.component;
        let trampoline = &self.component.trampolines[index];
        let sig = self.sig(self.types[component.trampolines[index]].unwrap_func());
        match *trampoline {
            Trampoline::ResourceDrop { instance, ty } => {
                let drop = Drop::new(component, self.types, (instance, ty), self.concurrency);
                border.resource_drop(&sig, &drop, component);
            }
            _ => {
                let row = descriptions::row(trampoline, sig.params.len(), component, self.types);
                border.host_call(&sig, &row.expect("all others have one"), component);
            }
        }
        sig
    }

    /// What an intrinsic does, for callers of `Tail` convention.
    fn intrinsic<I: Isa>(&self, border: &mut Border<'_, I>, intrinsic: UnsafeIntrinsic) -> Sig {
        let (params, results) = (intrinsic.core_params(), intrinsic.core_results());
        let ty = WasmFuncType::new(params.iter().copied(), results.iter().copied());
        let sig = self.sig(&ty.panic_on_oom());
        border.intrinsic(&sig, intrinsic);
        sig
    }

    /// The host's entry of what is at offset `entry` of the code.
    fn entry<I: Isa>(&self, border: &mut Border<'_, I>, sig: &Sig, entry: u32) -> Range<u32> {
        let store = offset(VMComponentOffsets::new(POINTER, &self.component.component).vm_store_context());
        let start = border.start();
        border.array_to_tail(sig, entry, store, self.concurrency);
        start..border.w.offset()
    }

    fn sig(&self, ty: &WasmFuncType) -> Sig {
        signature(ty).expect("a component's functions pass numbers")
    }
}
