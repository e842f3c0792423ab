//! Offsets as Wasmtime gives them, as the compiler takes them.

use crate::target::POINTER;
use wasmtime_environ::{ModuleInternedTypeIndex, PtrSize};

/// An offset that Wasmtime gives unsigned. Instances are far smaller than 2 GiB: validation limits their parts.
pub(crate) fn offset(bytes: impl Into<u32>) -> i32 {
    i32::try_from(bytes.into()).expect("an instance is smaller than 2 GiB")
}

/// Where among the type ids that of a type is.
pub(crate) fn type_id(ty: ModuleInternedTypeIndex) -> i32 {
    offset(ty.as_u32() * u32::from(POINTER.size_of_vmshared_type_index()))
}
