//! What each of a component's own functions has to do, by what Wasmtime's translation says that it is for: which of the
//! host's functions it calls, with what, and whether it has to ask before.

use super::POINTER;
use super::component::ComponentInfo;
use crate::artifact::Malformed;
use crate::facts::{Argument, Callee, Context, Crossing, Drop, HostCall, Outcome, ValueType, Works};
use wasmtime_environ::component::{
    ComponentBuiltinFunctionIndex as Libcall, FixedEncoding, GlobalInitializer, InterfaceType, OptionsIndex,
    RuntimeComponentInstanceIndex, Trampoline, Transcode, TypeResourceTable, TypeResourceTableIndex,
    TypeStreamTableIndex,
};
use wasmtime_environ::fact::PREPARE_CALL_FIXED_PARAMS;
use wasmtime_environ::{EntityRef, PtrSize};

/// What a function with these parameters does, where the host keeps track of tasks or not.
pub(super) fn works(
    info: &ComponentInfo,
    context: &Context,
    trampoline: &Trampoline,
    params: &[ValueType],
    concurrency: bool,
) -> Result<Works, Malformed> {
    let works = Of { info, context, params: params.len() as u32, concurrency }.works(trampoline)?;
    match &works {
        Works::Calls(call) if !is_what_the_host_takes(call, params) => {
            Err(Malformed::new("a function of the component does not take what the host's function does"))
        }
        _ => Ok(works),
    }
}

macro_rules! libcalls {
    ($(
        $(#[$attr:meta])*
        $name:ident($vmctx:ident: vmctx $(, $param:ident: $ty:ident)* $(,)?) $(-> $result:ident)?;
    )*) => {
        /// By index: types of the parameters behind the context, and of the result.
        const LIBCALLS: &[(&[&str], &str)] = &[$((&[$(stringify!($ty)),*], concat!($(stringify!($result))?))),*];
    };
}
wasmtime_environ::foreach_builtin_component_function!(libcalls);

/// Are the arguments of a call, of a function with these parameters, and what is made of what it gives, as the types of
/// the host's function say?
fn is_what_the_host_takes(call: &HostCall, params: &[ValueType]) -> bool {
    let Callee::Libcall(at) = call.callee else { return true };
    let Some((wanted, gives)) = LIBCALLS.get((at / WORD) as usize) else { return false };
    let is_pointer = |ty: &str| ty == "ptr_u8" || ty == "ptr_u16";
    let fits = |argument: &Argument, ty: &str| match argument {
        Argument::Number(_) => ty == "u32" || ty == "u8",
        Argument::Null | Argument::Pointer(_) | Argument::Values(_) => ty == "ptr_u8",
        Argument::Parameter(n) => match params.get(*n as usize) {
            Some(ValueType::I32) => ty == "u32",
            Some(ValueType::Func(_)) => ty == "ptr_u8",
            _ => false,
        },
        Argument::InMemory(..) => is_pointer(ty),
        Argument::Size(_) | Argument::Count => ty == "size",
        Argument::Second => ty == "ptr_size",
    };
    let fits = |(argument, ty): (&Argument, &&str)| fits(argument, ty);
    let outcome = match call.outcome {
        Outcome::Flag | Outcome::Values => *gives == "bool",
        Outcome::Word => *gives == "u64" || *gives == "size",
        Outcome::Two => *gives == "size",
        Outcome::Narrow => *gives == "u32",
    };
    call.arguments.len() == wanted.len() && call.arguments.iter().zip(*wanted).all(fits) && outcome
}

struct Of<'a> {
    info: &'a ComponentInfo,
    context: &'a Context,
    params: u32,
    concurrency: bool,
}

fn libcall(libcall: Libcall) -> u32 {
    libcall.index() * u32::from(POINTER.size())
}

fn number(index: impl EntityRef) -> Argument {
    Argument::Number(index.index() as u32)
}

fn truth(value: bool) -> Argument {
    Argument::Number(value.into())
}

/// The offset of one of a list of the context's.
fn at(list: (u32, u32), index: impl EntityRef, bytes: u32) -> Result<u32, Malformed> {
    let index = u32::try_from(index.index()).ok().filter(|index| *index < list.1);
    index.map(|index| list.0 + index * bytes).ok_or_else(|| Malformed::new("the component's context has no such thing"))
}

const WORD: u32 = 8;

impl Of<'_> {
    fn may_leave(&self, instance: RuntimeComponentInstanceIndex) -> Result<u32, Malformed> {
        at(self.context.may_leave, instance, 16)
    }

    /// A call that is given numbers of its own and then all parameters.
    fn plain(
        &self,
        callee: Libcall,
        own: &[Argument],
        outcome: Outcome,
        asks: Option<RuntimeComponentInstanceIndex>,
    ) -> Result<Works, Malformed> {
        let arguments = own.iter().copied().chain((0..self.params).map(Argument::Parameter)).collect();
        self.call(Callee::Libcall(libcall(callee)), arguments, outcome, asks)
    }

    fn call(
        &self,
        callee: Callee,
        arguments: Vec<Argument>,
        outcome: Outcome,
        asks: Option<RuntimeComponentInstanceIndex>,
    ) -> Result<Works, Malformed> {
        let may_leave = asks.map(|instance| self.may_leave(instance)).transpose()?;
        Ok(Works::Calls(HostCall { callee, arguments, outcome, may_leave }))
    }

    /// A reference that the context may have, or null.
    fn optional(list: (u32, u32), index: Option<impl EntityRef>) -> Result<Argument, Malformed> {
        index.map_or(Ok(Argument::Null), |index| at(list, index, WORD).map(Argument::Pointer))
    }

    fn options(&self, index: OptionsIndex) -> Result<RuntimeComponentInstanceIndex, Malformed> {
        let options = self.info.component.options.get(index);
        options.map(|options| options.instance).ok_or_else(|| Malformed::new("the component has no such options"))
    }

    fn works(&self, trampoline: &Trampoline) -> Result<Works, Malformed> {
        use Outcome::{Flag, Narrow, Values, Word};
        use Trampoline as T;
        match *trampoline {
            T::LowerImport { index, lower_ty, options } => {
                let callee = at(self.context.lowerings, index, 2 * WORD)?;
                let data = Argument::Pointer(callee + WORD);
                let arguments = vec![data, number(lower_ty), number(options), Argument::Values(0), Argument::Count];
                self.call(Callee::Lowering(callee), arguments, Values, Some(self.options(options)?))
            }
            T::Transcoder { op, from, to, .. } => {
                let memory = |index| at(self.context.memories, index, WORD);
                self.transcoder(op, memory(from)?, memory(to)?)
            }
            T::ResourceNew { instance, ty } => {
                self.plain(Libcall::resource_new32(), &[number(instance), number(ty)], Word, Some(instance))
            }
            T::ResourceRep { instance, ty } => {
                self.plain(Libcall::resource_rep32(), &[number(instance), number(ty)], Word, None)
            }
            T::ResourceDrop { instance, ty } => self.drop(instance, ty),
            T::BackpressureInc { instance } => {
                self.plain(Libcall::backpressure_modify(), &[number(instance), truth(true)], Flag, None)
            }
            T::BackpressureDec { instance } => {
                self.plain(Libcall::backpressure_modify(), &[number(instance), truth(false)], Flag, None)
            }
            T::TaskReturn { instance, results, options } => {
                let own = [number(instance), number(results), number(options)];
                let arguments = own.into_iter().chain([Argument::Values(0), Argument::Count]).collect();
                self.call(Callee::Libcall(libcall(Libcall::task_return())), arguments, Flag, Some(instance))
            }
            T::TaskCancel { instance } => self.plain(Libcall::task_cancel(), &[number(instance)], Flag, Some(instance)),
            T::WaitableSetNew { instance } => {
                self.plain(Libcall::waitable_set_new(), &[number(instance)], Word, Some(instance))
            }
            T::WaitableSetWait { instance, options } => {
                let own = [number(instance), number(options)];
                self.plain(Libcall::waitable_set_wait(), &own, Word, Some(instance))
            }
            T::WaitableSetPoll { instance, options } => {
                let own = [number(instance), number(options)];
                self.plain(Libcall::waitable_set_poll(), &own, Word, Some(instance))
            }
            T::WaitableSetDrop { instance } => {
                self.plain(Libcall::waitable_set_drop(), &[number(instance)], Flag, Some(instance))
            }
            T::WaitableJoin { instance } => {
                self.plain(Libcall::waitable_join(), &[number(instance)], Flag, Some(instance))
            }
            T::SubtaskDrop { instance } => {
                self.plain(Libcall::subtask_drop(), &[number(instance)], Flag, Some(instance))
            }
            T::SubtaskCancel { instance, async_ } => {
                self.plain(Libcall::subtask_cancel(), &[number(instance), truth(async_)], Word, Some(instance))
            }
            T::StreamNew { instance, ty } => {
                self.plain(Libcall::stream_new(), &[number(instance), number(ty)], Word, Some(instance))
            }
            T::StreamRead { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.stream([Libcall::stream_read(), Libcall::flat_stream_read()], own, ty, instance)
            }
            T::StreamWrite { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.stream([Libcall::stream_write(), Libcall::flat_stream_write()], own, ty, instance)
            }
            T::StreamCancelRead { instance, ty, async_ } => {
                let own = [number(instance), number(ty), truth(async_)];
                self.plain(Libcall::stream_cancel_read(), &own, Word, Some(instance))
            }
            T::StreamCancelWrite { instance, ty, async_ } => {
                let own = [number(instance), number(ty), truth(async_)];
                self.plain(Libcall::stream_cancel_write(), &own, Word, Some(instance))
            }
            T::StreamDropReadable { instance, ty } => {
                self.plain(Libcall::stream_drop_readable(), &[number(instance), number(ty)], Flag, Some(instance))
            }
            T::StreamDropWritable { instance, ty } => {
                self.plain(Libcall::stream_drop_writable(), &[number(instance), number(ty)], Flag, Some(instance))
            }
            T::FutureNew { instance, ty } => {
                self.plain(Libcall::future_new(), &[number(instance), number(ty)], Word, Some(instance))
            }
            T::FutureRead { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.plain(Libcall::future_read(), &own, Word, Some(instance))
            }
            T::FutureWrite { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.plain(Libcall::future_write(), &own, Word, Some(instance))
            }
            T::FutureCancelRead { instance, ty, async_ } => {
                let own = [number(instance), number(ty), truth(async_)];
                self.plain(Libcall::future_cancel_read(), &own, Word, Some(instance))
            }
            T::FutureCancelWrite { instance, ty, async_ } => {
                let own = [number(instance), number(ty), truth(async_)];
                self.plain(Libcall::future_cancel_write(), &own, Word, Some(instance))
            }
            T::FutureDropReadable { instance, ty } => {
                self.plain(Libcall::future_drop_readable(), &[number(instance), number(ty)], Flag, Some(instance))
            }
            T::FutureDropWritable { instance, ty } => {
                self.plain(Libcall::future_drop_writable(), &[number(instance), number(ty)], Flag, Some(instance))
            }
            T::ErrorContextNew { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.plain(Libcall::error_context_new(), &own, Word, Some(instance))
            }
            T::ErrorContextDebugMessage { instance, ty, options } => {
                let own = [number(instance), number(ty), number(options)];
                self.plain(Libcall::error_context_debug_message(), &own, Flag, Some(instance))
            }
            T::ErrorContextDrop { instance, ty } => {
                self.plain(Libcall::error_context_drop(), &[number(instance), number(ty)], Flag, Some(instance))
            }
            T::ResourceTransferOwn => self.plain(Libcall::resource_transfer_own(), &[], Word, None),
            T::ResourceTransferBorrow => self.plain(Libcall::resource_transfer_borrow(), &[], Word, None),
            T::FutureTransfer => self.plain(Libcall::future_transfer(), &[], Word, None),
            T::StreamTransfer => self.plain(Libcall::stream_transfer(), &[], Word, None),
            T::ErrorContextTransfer => self.plain(Libcall::error_context_transfer(), &[], Word, None),
            T::Trap => self.plain(Libcall::trap(), &[], Flag, None),
            T::EnterSyncCall => self.plain(Libcall::enter_sync_call(), &[], Flag, None),
            T::ExitSyncCall => self.plain(Libcall::exit_sync_call(), &[], Flag, None),
            T::PrepareCall { memory } => {
                let memory = Self::optional(self.context.memories, memory)?;
                // The host's own: where to begin, where to end, caller, callee and so on.
                let own = PREPARE_CALL_FIXED_PARAMS.len() as u32;
                let fixed = (0..own).map(Argument::Parameter);
                let rest = [Argument::Values(own), Argument::Count];
                let arguments = [memory].into_iter().chain(fixed).chain(rest).collect();
                self.call(Callee::Libcall(libcall(Libcall::prepare_call())), arguments, Flag, None)
            }
            T::SyncStartCall { callback } => {
                let callback = Self::optional(self.context.callbacks, callback)?;
                // The array is for results alone.
                let own = [callback, Argument::Values(self.params), Argument::Count];
                self.plain(Libcall::sync_start(), &own, Values, None)
            }
            T::AsyncStartCall { callback, post_return } => {
                let callback = Self::optional(self.context.callbacks, callback)?;
                let behind = Self::optional(self.context.post_returns, post_return)?;
                self.plain(Libcall::async_start(), &[callback, behind], Word, None)
            }
            T::ThreadIndex { instance } => self.plain(Libcall::thread_index(), &[], Word, Some(instance)),
            T::ThreadNewIndirect { instance, start_func_ty_idx, start_func_table_idx } => {
                let own = [number(instance), number(start_func_ty_idx), number(start_func_table_idx)];
                self.plain(Libcall::thread_new_indirect(), &own, Word, Some(instance))
            }
            T::ThreadResumeLater { instance } => {
                self.plain(Libcall::thread_resume_later(), &[number(instance)], Flag, Some(instance))
            }
            T::ThreadSuspend { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_suspend(), &own, Narrow, Some(instance))
            }
            T::ThreadYield { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_yield(), &own, Narrow, Some(instance))
            }
            T::ThreadSuspendThenResume { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_suspend_then_resume(), &own, Narrow, Some(instance))
            }
            T::ThreadYieldThenResume { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_yield_then_resume(), &own, Narrow, Some(instance))
            }
            T::ThreadSuspendThenPromote { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_suspend_then_promote(), &own, Narrow, Some(instance))
            }
            T::ThreadYieldThenPromote { instance, cancellable } => {
                let own = [number(instance), truth(cancellable)];
                self.plain(Libcall::thread_yield_then_promote(), &own, Narrow, Some(instance))
            }
        }
    }

    /// Reads or writes of a stream: what it passes may be copied as it is if it is nothing, or numbers of which any is
    /// valid.
    fn stream(
        &self,
        [general, flat]: [Libcall; 2],
        own: [Argument; 3],
        ty: TypeStreamTableIndex,
        instance: RuntimeComponentInstanceIndex,
    ) -> Result<Works, Malformed> {
        let types = &self.info.types;
        let stream = types.stream_tables.get(ty).and_then(|table| types.streams.get(table.ty));
        let stream = stream.ok_or_else(|| Malformed::new("the component has no such stream"))?;
        let [size, align] = match stream.payload {
            None => [0, 1],
            Some(InterfaceType::S8 | InterfaceType::U8) => [1, 1],
            Some(InterfaceType::S16 | InterfaceType::U16) => [2, 2],
            Some(InterfaceType::S32 | InterfaceType::U32 | InterfaceType::Float32) => [4, 4],
            Some(InterfaceType::S64 | InterfaceType::U64 | InterfaceType::Float64) => [8, 8],
            Some(_) => return self.plain(general, &own, Outcome::Word, Some(instance)),
        };
        let [first, second, third] = own;
        let own = [first, second, third, Argument::Number(size), Argument::Number(align)];
        self.plain(flat, &own, Outcome::Word, Some(instance))
    }

    /// From one memory to another, by where the context points to their definitions.
    fn transcoder(&self, op: Transcode, from: u32, to: u32) -> Result<Works, Malformed> {
        use Argument::{InMemory, Parameter, Second, Size};
        let (callee, rest, outcome): (_, &[Argument], _) = match op {
            Transcode::Copy(FixedEncoding::Utf8) => (Libcall::utf8_to_utf8(), &[], Outcome::Flag),
            Transcode::Copy(FixedEncoding::Utf16) => (Libcall::utf16_to_utf16(), &[], Outcome::Flag),
            Transcode::Copy(FixedEncoding::Latin1) => (Libcall::latin1_to_latin1(), &[], Outcome::Flag),
            Transcode::Latin1ToUtf16 => (Libcall::latin1_to_utf16(), &[], Outcome::Flag),
            Transcode::Utf8ToUtf16 => (Libcall::utf8_to_utf16(), &[], Outcome::Word),
            Transcode::Utf16ToCompactProbablyUtf16 => (Libcall::utf16_to_compact_probably_utf16(), &[], Outcome::Word),
            Transcode::Utf8ToLatin1 => (Libcall::utf8_to_latin1(), &[Second], Outcome::Two),
            Transcode::Utf16ToLatin1 => (Libcall::utf16_to_latin1(), &[Second], Outcome::Two),
            Transcode::Utf16ToUtf8 => (Libcall::utf16_to_utf8(), &[Size(3), Parameter(4), Second], Outcome::Two),
            Transcode::Latin1ToUtf8 => (Libcall::latin1_to_utf8(), &[Size(3), Parameter(4), Second], Outcome::Two),
            Transcode::Utf8ToCompactUtf16 => (Libcall::utf8_to_compact_utf16(), &[Size(3), Size(4)], Outcome::Word),
            Transcode::Utf16ToCompactUtf16 => (Libcall::utf16_to_compact_utf16(), &[Size(3), Size(4)], Outcome::Word),
        };
        let places = [InMemory(0, from), Size(1), InMemory(2, to)];
        let arguments = places.into_iter().chain(rest.iter().copied()).collect();
        self.call(Callee::Libcall(libcall(callee)), arguments, outcome, None)
    }

    fn drop(&self, instance: RuntimeComponentInstanceIndex, ty: TypeResourceTableIndex) -> Result<Works, Malformed> {
        let component = &self.info.component;
        let Some(TypeResourceTable::Concrete { ty: resource, instance: holder }) =
            self.info.types.resource_tables.get(ty)
        else {
            return Err(Malformed::new("the component has no such table of resources"));
        };
        let defined = component.defined_resource_index(*resource).map(|index| {
            let mut resources = component.initializers.iter().filter_map(|initializer| match initializer {
                GlobalInitializer::Resource(resource) if resource.index == index => Some(resource),
                _ => None,
            });
            resources.next().ok_or_else(|| Malformed::new("a resource of the component is defined nowhere"))
        });
        let defined = defined.transpose()?;
        // An imported one may always have a destructor.
        let has_destructor = defined.is_none_or(|resource| resource.dtor.is_some());
        let destructor = at(self.context.destructors, *resource, WORD)?;
        let calls = (libcall(Libcall::enter_sync_call()), libcall(Libcall::exit_sync_call()));
        let task =
            |definer: RuntimeComponentInstanceIndex| self.concurrency.then_some((calls.0, calls.1, definer.as_u32()));
        let crossing = defined
            .filter(|resource| resource.instance != *holder)
            .map(|resource| Ok(Crossing { may_leave: self.may_leave(*holder)?, task: task(resource.instance) }));
        Ok(Works::Drops(Drop {
            libcall: libcall(Libcall::resource_drop()),
            numbers: [instance.as_u32(), ty.as_u32()],
            may_leave: self.may_leave(instance)?,
            destructor: has_destructor.then_some(destructor),
            crossing: crossing.transpose()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_held_against_the_types_of_the_hosts_functions() {
        let call = |callee: Libcall, arguments: &[Argument], outcome| HostCall {
            callee: Callee::Libcall(libcall(callee)),
            arguments: arguments.to_vec(),
            outcome,
            may_leave: None,
        };
        let [number, parameter] = [Argument::Number(1), Argument::Parameter(0)];
        let i32s = &[ValueType::I32];
        let new = |arguments: &[Argument], outcome| {
            is_what_the_host_takes(&call(Libcall::resource_new32(), arguments, outcome), i32s)
        };
        assert!(new(&[number, number, parameter], Outcome::Word));
        assert!(!new(&[number, parameter], Outcome::Word));
        assert!(!new(&[number, number, parameter, parameter], Outcome::Word));
        assert!(!new(&[number, Argument::Null, parameter], Outcome::Word));
        assert!(!new(&[number, Argument::Size(0), parameter], Outcome::Word));
        assert!(!new(&[number, number, Argument::Parameter(1)], Outcome::Word));
        assert!(!new(&[number, number, parameter], Outcome::Flag));
        assert!(!new(&[number, number, parameter], Outcome::Narrow));
        let rest = [Argument::Size(1), Argument::InMemory(2, 8)];
        let transcode = |first| call(Libcall::utf8_to_utf8(), &[first, rest[0], rest[1]], Outcome::Flag);
        assert!(is_what_the_host_takes(&transcode(Argument::InMemory(0, 0)), i32s));
        assert!(!is_what_the_host_takes(&transcode(number), i32s));
    }
}
