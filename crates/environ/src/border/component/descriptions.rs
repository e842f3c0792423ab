//! What a component's trampolines do, as data: whom they call, with what, and what comes of it.

use crate::facts::layout::offset;
use crate::target::POINTER;
use wasmtime_environ::component::{
    CanonicalAbiInfo, Component, ComponentBuiltinFunctionIndex, ComponentTypesBuilder, FixedEncoding, InterfaceType,
    OptionsIndex, RuntimeComponentInstanceIndex, RuntimeMemoryIndex, Trampoline, Transcode, TypeStreamTableIndex,
    VMComponentOffsets,
};
use wasmtime_environ::fact::PREPARE_CALL_FIXED_PARAMS;
use wasmtime_environ::{EntityRef, PtrSize};

/// A trampoline that makes one call of the host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) callee: Callee,
    /// What the callee is given behind the component's context, in order.
    pub(super) arguments: Vec<Argument>,
    pub(super) outcome: Outcome,
    /// Where the context says whether the calling instance may leave, if that is to be asked.
    pub(super) may_leave: Option<i32>,
}

/// Whom a trampoline calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callee {
    /// One of the runtime's functions for components.
    Libcall(ComponentBuiltinFunctionIndex),
    /// A host function, whose address is here in the context.
    Host(i32),
}

/// Something that a host function is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// A number that the trampoline knows.
    Number(u32),
    /// A truth that the trampoline knows, as a byte.
    Byte(bool),
    /// No pointer.
    Null,
    /// The pointer that is here in the context.
    Field(i32),
    /// The trampoline's own argument with this number.
    Wasm(usize),
    /// As `Wasm`, as a pointer into the memory whose definition the context points to here.
    Pointer(usize, i32),
    /// As `Wasm`, zero-extended to a word.
    Length(usize),
    /// The address of an array of values: first the trampoline's arguments from this number on, later its results.
    Values(usize),
    /// How many there are in that array.
    Count,
    /// The address of a word for a second result.
    Second,
}

/// What the callee gives, and what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A byte: 0 for failure.
    Flag,
    /// A byte: 0 for failure; results are in the array of values.
    Values,
    /// A word, which is the result; -1 for failure.
    Word,
    /// 32 bits, which are the result; -1 for failure.
    Narrow,
    /// A word, which is a result, -1 for failure; a second one is where `Argument::Second` points.
    Two,
}

/// The description of a trampoline with so many parameters, or none if it makes more than one call.
pub(super) fn row(
    trampoline: &Trampoline,
    parameters: usize,
    component: &Component,
    types: &ComponentTypesBuilder,
) -> Option<Row> {
    let offsets = VMComponentOffsets::new(POINTER, component);
    let make = |callee, arguments: Vec<Argument>, outcome, may_leave: Option<RuntimeComponentInstanceIndex>| {
        let may_leave = may_leave.map(|instance| offset(offsets.may_leave(instance)));
        Some(Row { callee, arguments, outcome, may_leave })
    };
    // Numbers of the trampoline's own, then all that it is given.
    let plain = |name: ComponentBuiltinFunctionIndex, own: &[Argument], outcome, may_leave| {
        let arguments = own.iter().copied().chain((0..parameters).map(Argument::Wasm)).collect();
        make(Callee::Libcall(name), arguments, outcome, may_leave)
    };
    let memory = |index: RuntimeMemoryIndex| offset(offsets.runtime_memory(index));
    type Libcall = ComponentBuiltinFunctionIndex;
    use Argument::{Byte, Count, Field, Null, Number, Values, Wasm};
    use Outcome::{Flag, Narrow, Word};
    use Trampoline as T;
    match *trampoline {
        T::LowerImport { index, lower_ty, options } => make(
            Callee::Host(offset(offsets.lowering_callee(index))),
            vec![Field(offset(offsets.lowering_data(index))), number(lower_ty), number(options), Values(0), Count],
            Outcome::Values,
            Some(instance_of(component, options)),
        ),
        T::Transcoder { op, from, to, from64: _, to64: _ } => {
            let (name, second, arguments, outcome) = transcode(op);
            let pointer = |argument, index| Argument::Pointer(argument, memory(index));
            let mut all = vec![pointer(0, from), Argument::Length(1), pointer(2, to)];
            all.extend_from_slice(arguments);
            all.extend(second.then_some(Argument::Second));
            make(Callee::Libcall(name), all, outcome, None)
        }
        T::ResourceNew { instance, ty } => {
            plain(Libcall::resource_new32(), &[number(instance), number(ty)], Word, Some(instance))
        }
        T::ResourceRep { instance, ty } => {
            plain(Libcall::resource_rep32(), &[number(instance), number(ty)], Word, None)
        }
        // With the destructor.
        T::ResourceDrop { .. } => None,
        T::BackpressureInc { instance } => {
            plain(Libcall::backpressure_modify(), &[number(instance), Byte(true)], Flag, None)
        }
        T::BackpressureDec { instance } => {
            plain(Libcall::backpressure_modify(), &[number(instance), Byte(false)], Flag, None)
        }
        T::TaskReturn { instance, results, options } => make(
            Callee::Libcall(Libcall::task_return()),
            vec![number(instance), number(results), number(options), Values(0), Count],
            Flag,
            Some(instance),
        ),
        T::TaskCancel { instance } => plain(Libcall::task_cancel(), &[number(instance)], Flag, Some(instance)),
        T::WaitableSetNew { instance } => plain(Libcall::waitable_set_new(), &[number(instance)], Word, Some(instance)),
        T::WaitableSetWait { instance, options } => {
            plain(Libcall::waitable_set_wait(), &[number(instance), number(options)], Word, Some(instance))
        }
        T::WaitableSetPoll { instance, options } => {
            plain(Libcall::waitable_set_poll(), &[number(instance), number(options)], Word, Some(instance))
        }
        T::WaitableSetDrop { instance } => {
            plain(Libcall::waitable_set_drop(), &[number(instance)], Flag, Some(instance))
        }
        T::WaitableJoin { instance } => plain(Libcall::waitable_join(), &[number(instance)], Flag, Some(instance)),
        T::SubtaskDrop { instance } => plain(Libcall::subtask_drop(), &[number(instance)], Flag, Some(instance)),
        T::SubtaskCancel { instance, async_ } => {
            plain(Libcall::subtask_cancel(), &[number(instance), Byte(async_)], Word, Some(instance))
        }
        T::StreamNew { instance, ty } => {
            plain(Libcall::stream_new(), &[number(instance), number(ty)], Word, Some(instance))
        }
        T::StreamRead { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            match flat(types, ty) {
                Some([size, align]) => {
                    let own = [own[0], own[1], own[2], Number(size), Number(align)];
                    plain(Libcall::flat_stream_read(), &own, Word, Some(instance))
                }
                None => plain(Libcall::stream_read(), &own, Word, Some(instance)),
            }
        }
        T::StreamWrite { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            match flat(types, ty) {
                Some([size, align]) => {
                    let own = [own[0], own[1], own[2], Number(size), Number(align)];
                    plain(Libcall::flat_stream_write(), &own, Word, Some(instance))
                }
                None => plain(Libcall::stream_write(), &own, Word, Some(instance)),
            }
        }
        T::StreamCancelRead { instance, ty, async_ } => {
            let own = [number(instance), number(ty), Byte(async_)];
            plain(Libcall::stream_cancel_read(), &own, Word, Some(instance))
        }
        T::StreamCancelWrite { instance, ty, async_ } => {
            let own = [number(instance), number(ty), Byte(async_)];
            plain(Libcall::stream_cancel_write(), &own, Word, Some(instance))
        }
        T::StreamDropReadable { instance, ty } => {
            plain(Libcall::stream_drop_readable(), &[number(instance), number(ty)], Flag, Some(instance))
        }
        T::StreamDropWritable { instance, ty } => {
            plain(Libcall::stream_drop_writable(), &[number(instance), number(ty)], Flag, Some(instance))
        }
        T::FutureNew { instance, ty } => {
            plain(Libcall::future_new(), &[number(instance), number(ty)], Word, Some(instance))
        }
        T::FutureRead { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            plain(Libcall::future_read(), &own, Word, Some(instance))
        }
        T::FutureWrite { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            plain(Libcall::future_write(), &own, Word, Some(instance))
        }
        T::FutureCancelRead { instance, ty, async_ } => {
            let own = [number(instance), number(ty), Byte(async_)];
            plain(Libcall::future_cancel_read(), &own, Word, Some(instance))
        }
        T::FutureCancelWrite { instance, ty, async_ } => {
            let own = [number(instance), number(ty), Byte(async_)];
            plain(Libcall::future_cancel_write(), &own, Word, Some(instance))
        }
        T::FutureDropReadable { instance, ty } => {
            plain(Libcall::future_drop_readable(), &[number(instance), number(ty)], Flag, Some(instance))
        }
        T::FutureDropWritable { instance, ty } => {
            plain(Libcall::future_drop_writable(), &[number(instance), number(ty)], Flag, Some(instance))
        }
        T::ErrorContextNew { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            plain(Libcall::error_context_new(), &own, Word, Some(instance))
        }
        T::ErrorContextDebugMessage { instance, ty, options } => {
            let own = [number(instance), number(ty), number(options)];
            plain(Libcall::error_context_debug_message(), &own, Flag, Some(instance))
        }
        T::ErrorContextDrop { instance, ty } => {
            plain(Libcall::error_context_drop(), &[number(instance), number(ty)], Flag, Some(instance))
        }
        T::ResourceTransferOwn => plain(Libcall::resource_transfer_own(), &[], Word, None),
        T::ResourceTransferBorrow => plain(Libcall::resource_transfer_borrow(), &[], Word, None),
        T::FutureTransfer => plain(Libcall::future_transfer(), &[], Word, None),
        T::StreamTransfer => plain(Libcall::stream_transfer(), &[], Word, None),
        T::ErrorContextTransfer => plain(Libcall::error_context_transfer(), &[], Word, None),
        T::Trap => plain(Libcall::trap(), &[], Flag, None),
        T::EnterSyncCall => plain(Libcall::enter_sync_call(), &[], Flag, None),
        T::ExitSyncCall => plain(Libcall::exit_sync_call(), &[], Flag, None),
        T::PrepareCall { memory: index } => {
            // What all calls have in common; the parameters of the one that is prepared follow.
            let common = PREPARE_CALL_FIXED_PARAMS.len();
            let own = index.map_or(Null, |index| Field(memory(index)));
            let fixed = (0..common).map(Wasm);
            let arguments = [own].into_iter().chain(fixed).chain([Values(common), Count]).collect();
            make(Callee::Libcall(Libcall::prepare_call()), arguments, Flag, None)
        }
        T::SyncStartCall { callback } => {
            let callback = callback.map_or(Null, |index| Field(offset(offsets.runtime_callback(index))));
            // The array is for results alone.
            let arguments = [callback, Values(parameters), Count].into_iter().chain((0..parameters).map(Wasm));
            make(Callee::Libcall(Libcall::sync_start()), arguments.collect(), Outcome::Values, None)
        }
        T::AsyncStartCall { callback, post_return } => {
            let callback = callback.map_or(Null, |index| Field(offset(offsets.runtime_callback(index))));
            let after = post_return.map_or(Null, |index| Field(offset(offsets.runtime_post_return(index))));
            plain(Libcall::async_start(), &[callback, after], Word, None)
        }
        T::ThreadIndex { instance } => plain(Libcall::thread_index(), &[], Word, Some(instance)),
        T::ThreadNewIndirect { instance, start_func_ty_idx, start_func_table_idx } => {
            let own = [number(instance), number(start_func_ty_idx), number(start_func_table_idx)];
            plain(Libcall::thread_new_indirect(), &own, Word, Some(instance))
        }
        T::ThreadResumeLater { instance } => {
            plain(Libcall::thread_resume_later(), &[number(instance)], Flag, Some(instance))
        }
        T::ThreadSuspend { instance, cancellable } => {
            plain(Libcall::thread_suspend(), &[number(instance), Byte(cancellable)], Narrow, Some(instance))
        }
        T::ThreadYield { instance, cancellable } => {
            plain(Libcall::thread_yield(), &[number(instance), Byte(cancellable)], Narrow, Some(instance))
        }
        T::ThreadSuspendThenResume { instance, cancellable } => {
            plain(Libcall::thread_suspend_then_resume(), &[number(instance), Byte(cancellable)], Narrow, Some(instance))
        }
        T::ThreadYieldThenResume { instance, cancellable } => {
            plain(Libcall::thread_yield_then_resume(), &[number(instance), Byte(cancellable)], Narrow, Some(instance))
        }
        T::ThreadSuspendThenPromote { instance, cancellable } => {
            let own = [number(instance), Byte(cancellable)];
            plain(Libcall::thread_suspend_then_promote(), &own, Narrow, Some(instance))
        }
        T::ThreadYieldThenPromote { instance, cancellable } => {
            let own = [number(instance), Byte(cancellable)];
            plain(Libcall::thread_yield_then_promote(), &own, Narrow, Some(instance))
        }
    }
}

fn number(index: impl EntityRef) -> Argument {
    Argument::Number(u32::try_from(index.index()).expect("indices have 32 bits"))
}

fn instance_of(component: &Component, options: OptionsIndex) -> RuntimeComponentInstanceIndex {
    component.options[options].instance
}

/// Whom a transcoder calls, whether it has a second result, its arguments behind source, length and destination, and
/// its outcome.
fn transcode(op: Transcode) -> (ComponentBuiltinFunctionIndex, bool, &'static [Argument], Outcome) {
    use Argument::{Length, Wasm};
    use Outcome::{Flag, Two, Word};
    type Libcall = ComponentBuiltinFunctionIndex;
    match op {
        Transcode::Copy(FixedEncoding::Utf8) => (Libcall::utf8_to_utf8(), false, &[], Flag),
        Transcode::Copy(FixedEncoding::Utf16) => (Libcall::utf16_to_utf16(), false, &[], Flag),
        Transcode::Copy(FixedEncoding::Latin1) => (Libcall::latin1_to_latin1(), false, &[], Flag),
        Transcode::Latin1ToUtf16 => (Libcall::latin1_to_utf16(), false, &[], Flag),
        Transcode::Utf8ToUtf16 => (Libcall::utf8_to_utf16(), false, &[], Word),
        Transcode::Utf16ToCompactProbablyUtf16 => (Libcall::utf16_to_compact_probably_utf16(), false, &[], Word),
        Transcode::Utf8ToLatin1 => (Libcall::utf8_to_latin1(), true, &[], Two),
        Transcode::Utf16ToLatin1 => (Libcall::utf16_to_latin1(), true, &[], Two),
        Transcode::Utf16ToUtf8 => (Libcall::utf16_to_utf8(), true, &[Length(3), Wasm(4)], Two),
        Transcode::Latin1ToUtf8 => (Libcall::latin1_to_utf8(), true, &[Length(3), Wasm(4)], Two),
        Transcode::Utf8ToCompactUtf16 => (Libcall::utf8_to_compact_utf16(), false, &[Length(3), Length(4)], Word),
        Transcode::Utf16ToCompactUtf16 => (Libcall::utf16_to_compact_utf16(), false, &[Length(3), Length(4)], Word),
    }
}

/// Size and alignment of what a stream passes, if it can be copied as it is: nothing, or numbers any of whose bits are
/// valid.
fn flat(types: &ComponentTypesBuilder, stream: TypeStreamTableIndex) -> Option<[u32; 2]> {
    use InterfaceType::{Float32, Float64, S8, S16, S32, S64, U8, U16, U32, U64};
    let info: &CanonicalAbiInfo = match types[types[stream].ty].payload {
        None => &CanonicalAbiInfo::ZERO,
        Some(payload @ (S8 | U8 | S16 | U16 | S32 | U32 | S64 | U64 | Float32 | Float64)) => {
            types.canonical_abi(&payload)
        }
        Some(_) => return None,
    };
    Some([info.size32, info.align32])
}

/// Where the context has the pointer to the runtime's functions, and where among them one is.
pub(super) fn libcall(component: &Component, libcall: ComponentBuiltinFunctionIndex) -> (i32, i32) {
    let offsets = VMComponentOffsets::new(POINTER, component);
    (offset(offsets.builtins()), offset(libcall.index() * u32::from(PtrSize::size(&POINTER))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime_environ::component::{
        CanonicalOptions, CanonicalOptionsDataModel, ComponentTypeIndex, LinearMemoryOptions, LoweredIndex,
        RuntimeCallbackIndex, RuntimePostReturnIndex, RuntimeTableIndex, StringEncoding,
        TypeComponentLocalErrorContextTableIndex, TypeFuncIndex, TypeFutureTableIndex, TypeResourceTableIndex,
        TypeStream, TypeStreamTable, TypeTupleIndex,
    };
    use wasmtime_environ::wasmparser::Validator;
    use wasmtime_environ::{ModuleInternedTypeIndex, foreach_builtin_component_function};

    macro_rules! libcalls {
        ($($(#[$attr:meta])* $name:ident($($param:ident: $ty:ident),* $(,)?) $(-> $result:ident)?;)*) => {
            /// By index: name, types of the parameters behind the context, type of the result.
            fn libcalls() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
                vec![$((stringify!($name), [$(stringify!($ty)),*][1..].to_vec(), concat!($(stringify!($result))?))),*]
            }
        };
    }
    foreach_builtin_component_function!(libcalls);

    fn check(trampoline: &Trampoline, parameters: &[&str], component: &Component, types: &ComponentTypesBuilder) {
        let row = row(trampoline, parameters.len(), component, types).unwrap();
        let Callee::Libcall(index) = row.callee else { return };
        let (name, wanted, gives) = &libcalls()[index.index() as usize];
        let what = format!("{name}: {:?}", row.arguments);
        assert_eq!(row.arguments.len(), wanted.len(), "{what}");
        for (argument, wanted) in row.arguments.iter().zip(wanted) {
            let fits: &[&str] = match argument {
                Argument::Number(_) => &["u32"],
                Argument::Byte(_) => &["u8"],
                Argument::Null | Argument::Field(_) | Argument::Values(_) => &["ptr_u8"],
                Argument::Wasm(index) => match parameters[*index] {
                    "i32" => &["u32"],
                    "pointer" => &["ptr_u8"],
                    other => panic!("{other}"),
                },
                Argument::Pointer(..) => &["ptr_u8", "ptr_u16"],
                Argument::Length(_) | Argument::Count => &["size"],
                Argument::Second => &["ptr_size"],
            };
            assert!(fits.contains(wanted), "{what}: {argument:?} for {wanted}");
        }
        let fits: &[&str] = match row.outcome {
            Outcome::Flag | Outcome::Values => &["bool"],
            Outcome::Word => &["u64", "size"],
            Outcome::Two => &["size"],
            Outcome::Narrow => &["u32"],
        };
        assert!(fits.contains(gives), "{what} gives {gives}");
    }

    /// Every variant, with the types of its parameters.
    fn all(stream: TypeStreamTableIndex, flat: TypeStreamTableIndex) -> Vec<(Trampoline, Vec<&'static str>)> {
        use Trampoline as T;
        let instance = RuntimeComponentInstanceIndex::from_u32(3);
        let options = OptionsIndex::from_u32(0);
        let memory = RuntimeMemoryIndex::from_u32(0);
        let (ty, future) = (TypeResourceTableIndex::from_u32(5), TypeFutureTableIndex::from_u32(6));
        let context = TypeComponentLocalErrorContextTableIndex::from_u32(7);
        let callback = Some(RuntimeCallbackIndex::from_u32(0));
        let post_return = Some(RuntimePostReturnIndex::from_u32(0));
        let (async_, cancellable) = (true, false);
        let i32s = |count: usize| vec!["i32"; count];
        let with = |fixed: &[&'static str], count: usize| [fixed, &vec!["i32"; count]].concat();
        let mut all = vec![
            (
                T::LowerImport { index: LoweredIndex::from_u32(0), lower_ty: TypeFuncIndex::from_u32(9), options },
                i32s(17),
            ),
            (T::ResourceNew { instance, ty }, i32s(1)),
            (T::ResourceRep { instance, ty }, i32s(1)),
            (T::BackpressureInc { instance }, i32s(0)),
            (T::BackpressureDec { instance }, i32s(0)),
            (T::TaskReturn { instance, results: TypeTupleIndex::from_u32(8), options }, i32s(16)),
            (T::TaskCancel { instance }, i32s(0)),
            (T::WaitableSetNew { instance }, i32s(0)),
            (T::WaitableSetWait { instance, options }, i32s(2)),
            (T::WaitableSetPoll { instance, options }, i32s(2)),
            (T::WaitableSetDrop { instance }, i32s(1)),
            (T::WaitableJoin { instance }, i32s(2)),
            (T::SubtaskDrop { instance }, i32s(1)),
            (T::SubtaskCancel { instance, async_ }, i32s(1)),
            (T::StreamNew { instance, ty: stream }, i32s(0)),
            (T::StreamRead { instance, ty: stream, options }, i32s(3)),
            (T::StreamWrite { instance, ty: stream, options }, i32s(3)),
            (T::StreamRead { instance, ty: flat, options }, i32s(3)),
            (T::StreamWrite { instance, ty: flat, options }, i32s(3)),
            (T::StreamCancelRead { instance, ty: stream, async_ }, i32s(1)),
            (T::StreamCancelWrite { instance, ty: stream, async_ }, i32s(1)),
            (T::StreamDropReadable { instance, ty: stream }, i32s(1)),
            (T::StreamDropWritable { instance, ty: stream }, i32s(1)),
            (T::FutureNew { instance, ty: future }, i32s(0)),
            (T::FutureRead { instance, ty: future, options }, i32s(2)),
            (T::FutureWrite { instance, ty: future, options }, i32s(2)),
            (T::FutureCancelRead { instance, ty: future, async_ }, i32s(1)),
            (T::FutureCancelWrite { instance, ty: future, async_ }, i32s(1)),
            (T::FutureDropReadable { instance, ty: future }, i32s(1)),
            (T::FutureDropWritable { instance, ty: future }, i32s(1)),
            (T::ErrorContextNew { instance, ty: context, options }, i32s(2)),
            (T::ErrorContextDebugMessage { instance, ty: context, options }, i32s(2)),
            (T::ErrorContextDrop { instance, ty: context }, i32s(1)),
            (T::ResourceTransferOwn, i32s(3)),
            (T::ResourceTransferBorrow, i32s(3)),
            (T::PrepareCall { memory: Some(memory) }, with(&["pointer", "pointer"], 6 + 9)),
            (T::PrepareCall { memory: None }, with(&["pointer", "pointer"], 6)),
            (T::SyncStartCall { callback }, with(&["pointer"], 1)),
            (T::AsyncStartCall { callback, post_return }, with(&["pointer"], 3)),
            (T::AsyncStartCall { callback: None, post_return: None }, with(&["pointer"], 3)),
            (T::FutureTransfer, i32s(3)),
            (T::StreamTransfer, i32s(3)),
            (T::ErrorContextTransfer, i32s(3)),
            (T::Trap, i32s(1)),
            (T::EnterSyncCall, i32s(3)),
            (T::ExitSyncCall, i32s(0)),
            (T::ThreadIndex { instance }, i32s(0)),
            (
                T::ThreadNewIndirect {
                    instance,
                    start_func_ty_idx: ComponentTypeIndex::from_u32(1),
                    start_func_table_idx: RuntimeTableIndex::from_u32(2),
                },
                i32s(2),
            ),
            (T::ThreadResumeLater { instance }, i32s(1)),
            (T::ThreadSuspend { instance, cancellable }, i32s(0)),
            (T::ThreadYield { instance, cancellable }, i32s(0)),
            (T::ThreadSuspendThenResume { instance, cancellable }, i32s(1)),
            (T::ThreadYieldThenResume { instance, cancellable }, i32s(1)),
            (T::ThreadSuspendThenPromote { instance, cancellable }, i32s(1)),
            (T::ThreadYieldThenPromote { instance, cancellable }, i32s(1)),
        ];
        for (op, parameters) in [
            (Transcode::Copy(FixedEncoding::Utf8), 3),
            (Transcode::Copy(FixedEncoding::Utf16), 3),
            (Transcode::Copy(FixedEncoding::Latin1), 3),
            (Transcode::Latin1ToUtf16, 3),
            (Transcode::Latin1ToUtf8, 5),
            (Transcode::Utf16ToCompactProbablyUtf16, 3),
            (Transcode::Utf16ToCompactUtf16, 5),
            (Transcode::Utf16ToLatin1, 3),
            (Transcode::Utf16ToUtf8, 5),
            (Transcode::Utf8ToCompactUtf16, 5),
            (Transcode::Utf8ToLatin1, 3),
            (Transcode::Utf8ToUtf16, 3),
        ] {
            all.push((T::Transcoder { op, from: memory, from64: false, to: memory, to64: false }, i32s(parameters)));
        }
        all
    }

    #[test]
    fn every_row_is_what_its_function_takes() {
        let mut types = ComponentTypesBuilder::new(&Validator::new());
        let instance = RuntimeComponentInstanceIndex::from_u32(0);
        let mut table = |payload| {
            let ty = types.add_stream_type(TypeStream { payload });
            types.add_stream_table_type(TypeStreamTable { ty, instance })
        };
        let (stream, flat) = (table(Some(InterfaceType::Char)), table(Some(InterfaceType::U16)));
        assert_eq!((super::flat(&types, stream), super::flat(&types, flat)), (None, Some([2, 2])));
        let mut component = Component {
            num_runtime_component_instances: 4,
            num_runtime_memories: 1,
            num_runtime_tables: 3,
            num_runtime_callbacks: 1,
            num_runtime_post_returns: 1,
            num_lowerings: 1,
            ..Component::default()
        };
        component.options.push(CanonicalOptions {
            instance,
            string_encoding: StringEncoding::Utf8,
            callback: None,
            post_return: None,
            async_: false,
            cancellable: false,
            core_type: ModuleInternedTypeIndex::from_u32(0),
            data_model: CanonicalOptionsDataModel::LinearMemory(LinearMemoryOptions { memory: None, realloc: None }),
        });
        for (trampoline, parameters) in all(stream, flat) {
            check(&trampoline, &parameters, &component, &types);
        }
    }
}
