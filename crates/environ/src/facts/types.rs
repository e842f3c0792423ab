//! Types of Wasmtime's translation in the compiler's terms.

use crate::error::Unsupported;
use crate::target::Machine;
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::sig::Sig;
use lightbeam_compiler::ty::Ty;
use wasmtime_environ::{
    WasmCompositeInnerType, WasmFuncType, WasmHeapTopType, WasmHeapType, WasmRefType, WasmSubType, WasmValType,
};

/// The type of a value, or what it needs that is not supported.
pub(crate) fn value_type(ty: &WasmValType) -> Result<Ty, Unsupported> {
    match ty {
        WasmValType::I32 => Ok(Ty::I32),
        WasmValType::I64 => Ok(Ty::I64),
        WasmValType::F32 => Ok(Ty::F32),
        WasmValType::F64 => Ok(Ty::F64),
        WasmValType::V128 => Ok(Ty::V128),
        WasmValType::Ref(ty) => reference_type(ty),
    }
}

/// The compiler's type for references, if it has it.
pub(crate) fn reference_type(ty: &WasmRefType) -> Result<Ty, Unsupported> {
    match ty.heap_type.top() {
        WasmHeapTopType::Func => Ok(Ty::FuncRef),
        WasmHeapTopType::Any | WasmHeapTopType::Extern | WasmHeapTopType::Exn => Ok(Ty::GcRef),
        WasmHeapTopType::Cont => Ok(Ty::ContRef),
    }
}

/// Does the machine's type tell all of this one? See `Sig::plain`.
pub(super) fn is_plain(ty: &WasmValType) -> bool {
    match ty {
        WasmValType::Ref(ty) => ty.nullable && matches!(ty.heap_type, WasmHeapType::Func | WasmHeapType::Extern),
        _ => true,
    }
}

/// The function type in a type definition, if it is one, or what the definition needs that is not
/// supported.
pub(crate) fn function_type(ty: &WasmSubType) -> Result<Option<&WasmFuncType>, Unsupported> {
    if ty.composite_type.shared {
        return Err(Unsupported::SharedTypes);
    }
    match &ty.composite_type.inner {
        WasmCompositeInnerType::Func(func) => Ok(Some(func)),
        WasmCompositeInnerType::Array(_) | WasmCompositeInnerType::Struct(_) | WasmCompositeInnerType::Cont(_) => {
            Ok(None)
        }
        WasmCompositeInnerType::Exn(_) => Err(Unsupported::ExceptionTypes),
    }
}

/// The machine form of a function type, or what it needs that is not supported.
pub(crate) fn signature(ty: &WasmFuncType) -> Result<Sig, Unsupported> {
    let types = |types: &[WasmValType]| types.iter().map(value_type).collect::<Result<Vec<Ty>, _>>();
    let mut sig = Machine::sig(&types(ty.params())?, &types(ty.results())?);
    sig.plain = ty.params().iter().chain(ty.results()).all(is_plain);
    Ok(sig)
}
