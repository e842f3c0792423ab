//! `resource.drop`: takes a handle out of its table, and runs the destructor of the resource if that was the one that
//! owned it.

use super::host_calls::{CALLER, CONTEXT, frame_bytes};
use crate::border::trampolines::{Border, slot};
use crate::facts::layout::offset;
use crate::target::POINTER;
use lightbeam_asm::Addr;
use lightbeam_compiler::code::{CallSite, Handler};
use lightbeam_compiler::isa::{Amount, Cond, Isa, Load, Shift, Src, Store};
use lightbeam_compiler::sig::{AbiLoc, Sig};
use lightbeam_compiler::ty::Width;
use wasmtime_environ::component::{
    Component, ComponentBuiltinFunctionIndex, ComponentTypesBuilder, GlobalInitializer, RuntimeComponentInstanceIndex,
    TypeResourceTableIndex, VMComponentOffsets,
};
use wasmtime_environ::{PtrSize, Trap};

/// What is known of a resource where a handle to it is dropped.
pub(super) struct Drop {
    /// The instance that drops, and the table of handles.
    pub(super) instance: u32,
    pub(super) table: u32,
    /// Where the context says whether the instance that drops may leave.
    may_leave: i32,
    /// Where the context has the destructor, if there can be one.
    destructor: Option<i32>,
    /// What else is to be done where the destructor is another instance's.
    crossing: Option<Crossing>,
}

/// The way into the instance that defines a resource.
#[derive(Clone, Copy)]
struct Crossing {
    /// Where the context says whether the instance whose table it is may leave.
    may_leave: i32,
    /// The instance that defines the resource, and where the context says whether a task may block, if the host keeps
    /// track of tasks.
    task: Option<(u32, i32)>,
}

impl Drop {
    pub(super) fn new(
        component: &Component,
        types: &ComponentTypesBuilder,
        (instance, table): (RuntimeComponentInstanceIndex, TypeResourceTableIndex),
        concurrency: bool,
    ) -> Drop {
        let offsets = VMComponentOffsets::new(POINTER, component);
        let resource = types[table].unwrap_concrete_ty();
        let holder = types[table].unwrap_concrete_instance();
        let defined = component.defined_resource_index(resource).map(|index| {
            let mut resources = component.initializers.iter().filter_map(|initializer| match initializer {
                GlobalInitializer::Resource(resource) if resource.index == index => Some(resource),
                _ => None,
            });
            resources.next().expect("a resource that the component defines is initialised")
        });
        // Of others nobody knows before they are imported.
        let has_destructor = defined.is_none_or(|resource| resource.dtor.is_some());
        let crossing = defined.filter(|resource| resource.instance != holder).map(|resource| Crossing {
            may_leave: offset(offsets.may_leave(holder)),
            task: concurrency.then(|| (resource.instance.as_u32(), offset(offsets.task_may_block()))),
        });
        Drop {
            instance: instance.as_u32(),
            table: table.as_u32(),
            may_leave: offset(offsets.may_leave(instance)),
            destructor: has_destructor.then(|| offset(offsets.resource_destructor(resource))),
            crossing,
        }
    }
}

/// Words of the frame beside those of all trampolines: what the host said of the handle, and whether the task might
/// block.
const DROPPED: usize = 2;
const MAY_BLOCK: usize = 3;

/// Of a handler for every exception: it need not be compared with a tag of any instance.
const NO_CONTEXT: u32 = u32::MAX;

impl<I: Isa> Border<'_, I> {
    /// A trampoline of `Tail` convention that drops a handle.
    pub(super) fn resource_drop(&mut self, sig: &Sig, drop: &Drop, component: &Component) {
        let failures = self.leave_component(sig, Some(drop.may_leave));
        let args = I::LIBCALL.int_args;
        let given = I::LIBCALL.int_results[0];
        let done = self.w.label();
        let AbiLoc::Reg(handle) = sig.tail.params[0] else { unreachable!("the first argument is in a register") };
        self.w.mov(Width::W32, args[3], handle);
        self.w.iconst(Width::W32, args[1], drop.instance.into(), false);
        self.w.iconst(Width::W32, args[2], drop.table.into(), false);
        self.w.load(Load::I64, args[0], slot::<I>(CONTEXT));
        self.call_libcall(component, ComponentBuiltinFunctionIndex::resource_drop());
        self.w.cmp(Width::W64, given, Src::Imm(-1)).branch(Cond::Eq, failures.raise);
        // Nothing is owned: the handle was a borrow.
        self.w.test(Width::W64, given, Src::Reg(given)).branch(Cond::Eq, done);
        self.w.store(Store::B64, slot::<I>(DROPPED), given);

        if let Some(crossing) = drop.crossing {
            self.w.load(Load::I64, args[0], slot::<I>(CONTEXT));
            self.w
                .cmp_mem(Width::W32, Addr::base(args[0], crossing.may_leave), Src::Imm(0))
                .branch(Cond::Eq, failures.may_not_leave);
            if let Some((definer, may_block)) = crossing.task {
                self.w.load(Load::I32, given, Addr::base(args[0], may_block));
                self.w.store(Store::B64, slot::<I>(MAY_BLOCK), given);
                self.w.store_imm(Store::B32, Addr::base(args[0], may_block), 0);
                self.w.iconst(Width::W32, args[1], drop.instance.into(), false);
                self.w.iconst(Width::W32, args[2], 0, false);
                self.w.iconst(Width::W32, args[3], definer.into(), false);
                self.call_libcall(component, ComponentBuiltinFunctionIndex::enter_sync_call());
                self.w.test(Width::W32, given, Src::Imm(0xff)).branch(Cond::Eq, failures.raise);
            }
        }
        if let Some(destructor) = drop.destructor {
            let (callee, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
            let AbiLoc::Reg(rep) = sig.tail.params[0] else { unreachable!("the first argument is in a register") };
            self.w.load(Load::I64, rep, slot::<I>(DROPPED));
            self.w.shift(Shift::ShrU, Width::W64, rep, rep, Amount::Imm(1));
            self.w.mov(Width::W32, rep, rep);
            self.w.load(Load::I64, caller, slot::<I>(CALLER));
            self.w.load(Load::I64, I::SCRATCH, slot::<I>(CONTEXT));
            self.w.load(Load::I64, I::UNPASSED, Addr::base(I::SCRATCH, destructor));
            let reference = POINTER.vm_func_ref();
            self.w.load(Load::I64, callee, Addr::base(I::UNPASSED, offset(reference.vmctx())));
            self.w.load(Load::I64, I::SCRATCH, Addr::base(I::UNPASSED, offset(reference.wasm_call())));
            self.w.call_reg(I::SCRATCH);
            // An exception must not get from one component into another: whatever it is, it is a trap.
            let first = self.w.handlers.len() as u32;
            let handlers = (first, first + 1);
            self.w.sites.push(CallSite { at: self.w.offset(), handlers, frame: frame_bytes(sig), context: NO_CONTEXT });
            // Where it is shows when it is made.
            self.w.handlers.push(Handler { tag: None, at: self.w.offset() });
            // What the destructor has called left records of frames that are gone.
            self.w.load(Load::I64, args[0], slot::<I>(CALLER));
            self.exit_wasm(args[0]);
        }
        if let Some(Crossing { task: Some((_, may_block)), .. }) = drop.crossing {
            self.w.load(Load::I64, args[0], slot::<I>(CONTEXT));
            self.call_libcall(component, ComponentBuiltinFunctionIndex::exit_sync_call());
            self.w.test(Width::W32, given, Src::Imm(0xff)).branch(Cond::Eq, failures.raise);
            self.w.load(Load::I64, args[0], slot::<I>(CONTEXT));
            self.w.load(Load::I32, given, slot::<I>(MAY_BLOCK));
            self.w.store(Store::B32, Addr::base(args[0], may_block), given);
        }
        self.w.bind(done);
        self.w.leave();
        self.w.ret(sig.tail.stack_args);
        self.failures(failures);
        if drop.destructor.is_some() {
            // Wasmtime comes here with the stack and frame pointers of the call, and nothing else.
            let at = self.w.offset();
            self.w.handlers.last_mut().expect("its call is the last that has one").at = at;
            self.w.load(Load::I64, I::LIBCALL.int_args[0], slot::<I>(CALLER));
            self.exit_wasm(I::LIBCALL.int_args[0]);
            let trap = self.w.label();
            self.trap(trap, Trap::UncaughtException);
        }
    }
}
