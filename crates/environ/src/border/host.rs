//! The host's names of what code calls and of why it traps.

use lightbeam_compiler::code::TrapCode;
use lightbeam_compiler::libcall::Libcall;
use wasmtime_environ::{BuiltinFunctionIndex, Trap};

/// The builtin behind a libcall.
pub(crate) fn builtin(libcall: Libcall) -> BuiltinFunctionIndex {
    type B = BuiltinFunctionIndex;
    match libcall {
        Libcall::MemoryGrow => B::memory_grow(),
        Libcall::MemoryCopy => B::memory_copy(),
        Libcall::MemoryFill => B::memory_fill(),
        Libcall::ElemLength => B::passive_elem_segment_len(),
        Libcall::ElemBase => B::passive_elem_segment_base(),
        Libcall::ElemDrop => B::passive_elem_segment_drop(),
        Libcall::RefFunc => B::ref_func(),
        Libcall::TableGetLazy => B::table_get_lazy_init_func_ref(),
        Libcall::TableGrow => B::table_grow(),
        Libcall::AtomicNotify => B::memory_atomic_notify(),
        Libcall::AtomicWait32 => B::memory_atomic_wait32(),
        Libcall::AtomicWait64 => B::memory_atomic_wait64(),
        Libcall::FmaF32x4 => B::fma_f32x4(),
        Libcall::FmaF64x2 => B::fma_f64x2(),
        Libcall::OutOfGas => B::out_of_gas(),
        Libcall::NewEpoch => B::new_epoch(),
        Libcall::GcAlloc => B::gc_alloc_raw(),
        Libcall::GcGrow => B::grow_gc_heap(),
        Libcall::GcCollect => B::force_gc(),
        Libcall::GcDrop => B::drop_gc_ref(),
        Libcall::GcIntern => B::intern_func_ref_for_gc_heap(),
        Libcall::GcInterned => B::get_interned_func_ref(),
        Libcall::InstanceId => B::get_instance_id(),
        Libcall::ThrowRef => B::throw_ref(),
        Libcall::IsSubtype => B::is_subtype(),
        Libcall::ContNew => B::cont_new(),
        Libcall::Raise => B::raise(),
        Libcall::Trap => B::trap(),
    }
}

/// The host's name of a reason to trap.
pub(crate) const fn trap(code: TrapCode) -> Trap {
    match code {
        TrapCode::StackOverflow => Trap::StackOverflow,
        TrapCode::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => Trap::TableOutOfBounds,
        TrapCode::IndirectCallToNull => Trap::IndirectCallToNull,
        TrapCode::BadSignature => Trap::BadSignature,
        TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        TrapCode::IntegerDivisionByZero => Trap::IntegerDivisionByZero,
        TrapCode::BadConversionToInteger => Trap::BadConversionToInteger,
        TrapCode::Unreachable => Trap::UnreachableCodeReached,
        TrapCode::HeapMisaligned => Trap::HeapMisaligned,
        TrapCode::NullReference => Trap::NullReference,
        TrapCode::ArrayOutOfBounds => Trap::ArrayOutOfBounds,
        TrapCode::AllocationTooLarge => Trap::AllocationTooLarge,
        TrapCode::CastFailure => Trap::CastFailure,
        TrapCode::ContinuationConsumed => Trap::ContinuationAlreadyConsumed,
        TrapCode::UnhandledTag => Trap::UnhandledTag,
    }
}

/// All reasons to trap, by number.
#[rustfmt::skip]
const TRAP_CODES: [TrapCode; 16] = [
    TrapCode::StackOverflow, TrapCode::MemoryOutOfBounds, TrapCode::TableOutOfBounds, TrapCode::IndirectCallToNull,
    TrapCode::BadSignature, TrapCode::IntegerOverflow, TrapCode::IntegerDivisionByZero,
    TrapCode::BadConversionToInteger, TrapCode::Unreachable, TrapCode::HeapMisaligned, TrapCode::NullReference,
    TrapCode::ArrayOutOfBounds, TrapCode::AllocationTooLarge, TrapCode::CastFailure, TrapCode::ContinuationConsumed,
    TrapCode::UnhandledTag,
];

/// By number of a reason to trap: the host's.
pub(crate) const TRAPS: [u8; TRAP_CODES.len()] = {
    let mut numbers = [0; TRAP_CODES.len()];
    let mut number = 0;
    while number < TRAP_CODES.len() {
        assert!(TRAP_CODES[number] as usize == number);
        numbers[number] = trap(TRAP_CODES[number]) as u8;
        number += 1;
    }
    numbers
};
