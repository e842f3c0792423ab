//! What an artifact says of its component, and the facts of what belongs to no module.

use super::{Description, POINTER, Trampolines, module, trampolines};
use crate::artifact::{Artifact, Malformed, Piece};
use crate::facts::{self, Context, Intrinsic, Operation, Signature, ValueType};
use serde::Deserialize;
use wasmtime_environ::component::{
    CompiledComponentInfo, Component, ComponentBuiltinFunctionIndex, RuntimeComponentInstanceIndex, TypeComponent,
    TypeComponentIndex, TypeComponentInstance, TypeComponentInstanceIndex, TypeComponentLocalErrorContextTableIndex,
    TypeEnum, TypeEnumIndex, TypeErrorContextTable, TypeFixedLengthList, TypeFixedLengthListIndex, TypeFlags,
    TypeFlagsIndex, TypeFunc, TypeFuncIndex, TypeFuture, TypeFutureIndex, TypeFutureTable, TypeFutureTableIndex,
    TypeList, TypeListIndex, TypeMap, TypeMapIndex, TypeModule, TypeModuleIndex, TypeOption, TypeOptionIndex,
    TypeRecord, TypeRecordIndex, TypeResourceTable, TypeResourceTableIndex, TypeResult, TypeResultIndex, TypeStream,
    TypeStreamIndex, TypeStreamTable, TypeStreamTableIndex, TypeTuple, TypeTupleIndex, TypeVariant, TypeVariantIndex,
    UnsafeIntrinsic, VMComponentOffsets,
};
use wasmtime_environ::{CompiledModuleInfo, Module, ModuleTypes, PrimaryMap, PtrSize, StaticModuleIndex, WasmChecksum};

/// The host's `ComponentTypes`, field by field, as that type panics where there are no types of modules.
#[derive(Deserialize)]
#[expect(dead_code, reason = "nobody asks for the other types")]
pub(super) struct Types {
    modules: PrimaryMap<TypeModuleIndex, TypeModule>,
    components: PrimaryMap<TypeComponentIndex, TypeComponent>,
    component_instances: PrimaryMap<TypeComponentInstanceIndex, TypeComponentInstance>,
    functions: PrimaryMap<TypeFuncIndex, TypeFunc>,
    lists: PrimaryMap<TypeListIndex, TypeList>,
    maps: PrimaryMap<TypeMapIndex, TypeMap>,
    records: PrimaryMap<TypeRecordIndex, TypeRecord>,
    variants: PrimaryMap<TypeVariantIndex, TypeVariant>,
    tuples: PrimaryMap<TypeTupleIndex, TypeTuple>,
    enums: PrimaryMap<TypeEnumIndex, TypeEnum>,
    flags: PrimaryMap<TypeFlagsIndex, TypeFlags>,
    options: PrimaryMap<TypeOptionIndex, TypeOption>,
    results: PrimaryMap<TypeResultIndex, TypeResult>,
    pub(super) resource_tables: PrimaryMap<TypeResourceTableIndex, TypeResourceTable>,
    module_types: Option<ModuleTypes>,
    futures: PrimaryMap<TypeFutureIndex, TypeFuture>,
    future_tables: PrimaryMap<TypeFutureTableIndex, TypeFutureTable>,
    pub(super) streams: PrimaryMap<TypeStreamIndex, TypeStream>,
    pub(super) stream_tables: PrimaryMap<TypeStreamTableIndex, TypeStreamTable>,
    error_context_tables: PrimaryMap<TypeComponentLocalErrorContextTableIndex, TypeErrorContextTable>,
    fixed_length_lists: PrimaryMap<TypeFixedLengthListIndex, TypeFixedLengthList>,
}

/// What an artifact says of its component.
pub(super) struct ComponentInfo {
    pub(super) component: Component,
    pub(super) types: Types,
}

/// The description of a component, taken apart.
pub(super) struct Parsed {
    pub(super) modules: Vec<Module>,
    pub(super) info: ComponentInfo,
    pub(super) types: ModuleTypes,
    pub(super) pieces: Vec<Piece>,
    /// Where the function table begins.
    pub(super) table: usize,
}

/// Reads the host's `ComponentArtifacts`, field by field: the function table in the midst of it is read here as that of
/// a module is.
pub(super) fn parse(artifact: &Artifact<'_>) -> Result<Parsed, Malformed> {
    let none = |_| Malformed::new("the component's description is none");
    type Head = (TypeComponentIndex, CompiledComponentInfo);
    type Tail = (Types, PrimaryMap<StaticModuleIndex, CompiledModuleInfo>, WasmChecksum);
    let ((_, CompiledComponentInfo { component }), rest) =
        postcard::take_from_bytes::<Head>(artifact.info).map_err(none)?;
    let table = artifact.info.len() - rest.len();
    let (pieces, end) = artifact.pieces(table)?;
    let ((mut types, modules, _), rest) = postcard::take_from_bytes::<Tail>(&artifact.info[end..]).map_err(none)?;
    if !rest.is_empty() {
        return Err(Malformed::new("the component's description is longer than it says"));
    }
    // So that no offset is beyond 32 bits.
    const MOST: u32 = 1 << 22;
    let counts = [
        component.num_lowerings,
        component.num_runtime_memories,
        component.num_runtime_tables,
        component.num_runtime_reallocs,
        component.num_runtime_callbacks,
        component.num_runtime_post_returns,
        component.num_runtime_component_instances,
        component.num_resources,
        component.trampolines.len() as u32,
    ];
    if counts.iter().any(|count| *count > MOST) {
        return Err(Malformed::new("the component's context is too large"));
    }
    let module_types = types.module_types.take().ok_or_else(|| Malformed::new("the component has no types"))?;
    let modules = modules.into_iter().map(|(_, info)| info.module).collect();
    Ok(Parsed { modules, info: ComponentInfo { component, types }, types: module_types, pieces, table })
}

impl ComponentInfo {
    /// How many functions of its own the component has.
    pub(super) fn trampolines(&self) -> u32 {
        self.component.trampolines.len() as u32
    }

    pub(super) fn has_resources(&self) -> bool {
        self.component.num_resources > 0
    }

    /// The unsafe intrinsics that it has, by the host's numbers.
    pub(super) fn intrinsics(&self) -> impl Iterator<Item = u32> {
        let all = (0..).zip(&self.component.unsafe_intrinsics);
        all.filter(|(_, ty)| ty.is_some()).map(|(index, _)| index)
    }

    /// The facts, where its own functions do these things.
    pub(super) fn facts(
        &self,
        description: &Description,
        trampolines: &Trampolines,
    ) -> Result<facts::Component, Malformed> {
        let context = self.context();
        let concurrency = description.tunables.concurrency_support;
        let all = self.component.trampolines.iter().map(|(index, ty)| {
            let none = || Malformed::new("nobody says what a function of the component does");
            let trampoline = trampolines.get(index).ok_or_else(none)?;
            let ty_of = description.ty(*ty)?.as_func();
            let ty_of =
                ty_of.ok_or_else(|| Malformed::new("a function of the component is of no type of functions"))?;
            let params: Vec<ValueType> =
                ty_of.params().iter().map(|ty| module::value(description, ty)).collect::<Result<_, _>>()?;
            let works = trampolines::works(self, &context, trampoline, &params, concurrency)?;
            Ok(facts::Trampoline { ty: ty.as_u32(), works })
        });
        let intrinsic = |number: u32| {
            let intrinsic = UnsafeIntrinsic::from_u32(number);
            let values = |types: &[wasmtime_environ::WasmValType]| {
                types.iter().map(|ty| module::value(description, ty)).collect::<Result<Vec<_>, _>>()
            };
            let (params, results) = (values(intrinsic.core_params())?, values(intrinsic.core_results())?);
            Ok(Intrinsic { number, signature: Signature { params, results }, operation: operation(intrinsic) })
        };
        Ok(facts::Component {
            context,
            libcalls: ComponentBuiltinFunctionIndex::len() * u32::from(POINTER.size()),
            trampolines: all.collect::<Result<_, Malformed>>()?,
            intrinsics: self.intrinsics().map(intrinsic).collect::<Result<_, Malformed>>()?,
        })
    }

    fn context(&self) -> Context {
        let component = &self.component;
        let offsets = VMComponentOffsets::new(POINTER, component);
        // Each list begins where the one before ends, whether or not there is anything in it.
        let first_instance = RuntimeComponentInstanceIndex::from_u32(0);
        let instances = component.num_runtime_component_instances;
        let pointers = |count: u32| count * u32::from(POINTER.size());
        let end = offsets.size_of_vmctx();
        let destructors = end - pointers(component.num_resources);
        let post_returns = destructors - pointers(component.num_runtime_post_returns);
        let callbacks = post_returns - pointers(component.num_runtime_callbacks);
        Context {
            libcalls: offsets.builtins(),
            store: offsets.vm_store_context(),
            may_leave: (if instances == 0 { 0 } else { offsets.may_leave(first_instance) }, instances),
            may_block: offsets.task_may_block(),
            lowerings: (offsets.lowerings(), component.num_lowerings),
            memories: (offsets.runtime_memories(), component.num_runtime_memories),
            callbacks: (callbacks, component.num_runtime_callbacks),
            post_returns: (post_returns, component.num_runtime_post_returns),
            destructors: (destructors, component.num_resources),
        }
    }
}

fn operation(intrinsic: UnsafeIntrinsic) -> Operation {
    use UnsafeIntrinsic as U;
    let (bytes, writes, checked) = match intrinsic {
        U::StoreDataAddress => return Operation::StoreData,
        U::ContextGetI32_0 => return Operation::Slot { slot: 0, writes: false },
        U::ContextGetI32_1 => return Operation::Slot { slot: 1, writes: false },
        U::ContextSetI32_0 => return Operation::Slot { slot: 0, writes: true },
        U::ContextSetI32_1 => return Operation::Slot { slot: 1, writes: true },
        U::U8NativeLoad => (1, false, false),
        U::U16NativeLoad => (2, false, false),
        U::U32NativeLoad => (4, false, false),
        U::U64NativeLoad => (8, false, false),
        U::U8NativeStore => (1, true, false),
        U::U16NativeStore => (2, true, false),
        U::U32NativeStore => (4, true, false),
        U::U64NativeStore => (8, true, false),
        U::U8CheckedNativeLoad => (1, false, true),
        U::U16CheckedNativeLoad => (2, false, true),
        U::U32CheckedNativeLoad => (4, false, true),
        U::U64CheckedNativeLoad => (8, false, true),
        U::U8CheckedNativeStore => (1, true, true),
        U::U16CheckedNativeStore => (2, true, true),
        U::U32CheckedNativeStore => (4, true, true),
        U::U64CheckedNativeStore => (8, true, true),
    };
    Operation::Native { bytes, writes, checked }
}
