//! Calls of imports that are known, done in place: what begins and ends a call between components, and what a thread
//! keeps for itself.
//!
//! Such a call has a thread of its own, deferred until anybody asks for it: a record in this frame, to which the store
//! points while the call lasts. Whoever asks finds there which call it is, and the thread before. At the end the store
//! still points there, as a rule, and all is put back; otherwise the host has made the thread, and takes it back. A
//! frame that is left by a trap leaves the store pointing to nothing: the host's entry sees to that.

use crate::emit::FuncGen;
use crate::emit::calling::CallTo;
use crate::emit::stub::StubKind;
use crate::isa::{Cond, ImmFor, Isa, Load, Src, Store};
use crate::treaty::facts::{Callee, Intrinsic, ThreadFacts};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, RegClass, RegSet};

impl<I: Isa> FuncGen<'_, I> {
    fn threads(&self) -> ThreadFacts {
        self.facts.threads.expect("a module that has to do with threads knows where they are")
    }

    /// A field of this function's record, by its offset.
    fn record(&self) -> impl Fn(i32) -> Addr + use<I> {
        let record = self.thread_record;
        move |field| Addr::base(I::FRAME, record + field)
    }

    /// Has the store's structure in the scratch register.
    fn reach_store(&mut self) {
        let store = self.facts.ctx.store;
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, store));
    }

    /// A call of an import that is this.
    pub(crate) fn call_inline(&mut self, intrinsic: Intrinsic, func: u32) {
        match intrinsic {
            Intrinsic::EnterSyncCall => self.enter_sync_call(),
            Intrinsic::ExitSyncCall => self.exit_sync_call(func),
            Intrinsic::ContextGet(at) => self.context_get(at),
            Intrinsic::ContextSet(at) => self.context_set(at),
        }
    }

    fn enter_sync_call(&mut self) {
        let (threads, record) = (self.threads(), self.record());
        for at in threads.arguments.into_iter().rev() {
            let operand = self.pop();
            self.push_arg(record(at), &operand);
            self.done(&operand);
        }
        self.w.reserve_room();
        let moved = self.take(RegClass::Int);
        self.reach_store();
        let current = Addr::base(I::SCRATCH, threads.current);
        self.w.load(Load::I64, moved, current);
        self.w.store(Store::B64, record(threads.parent), moved);
        for (kept, saved) in threads.context.into_iter().zip(threads.saved_context) {
            let kept = Addr::base(I::SCRATCH, kept);
            self.w.load(Load::I32, moved, kept);
            self.w.store(Store::B32, record(saved), moved);
            self.w.store_imm(Store::B32, kept, 0);
        }
        self.w.lea(Width::W64, moved, record(0));
        self.w.store(Store::B64, current, moved);
        self.release(moved);
    }

    fn exit_sync_call(&mut self, func: u32) {
        let (threads, record) = (self.threads(), self.record());
        let moved = self.take(RegClass::Int);
        self.reach_store();
        self.w.lea(Width::W64, moved, record(0));
        let current = Addr::base(I::SCRATCH, threads.current);
        let mut is_made = self.condition(|w| w.cmp_mem(Width::W64, current, Src::Reg(moved)).when(Cond::Ne)).freeze();
        let [made, resume] = is_made.labels();
        is_made.branch(made);
        let mut frozen = is_made.begin();
        frozen.w().load(Load::I64, moved, record(threads.parent));
        frozen.w().store(Store::B64, current, moved);
        for (kept, saved) in threads.context.into_iter().zip(threads.saved_context) {
            frozen.w().load(Load::I32, moved, record(saved));
            frozen.w().store(Store::B32, Addr::base(I::SCRATCH, kept), moved);
        }
        frozen.stub(made, resume, StubKind::ExitSyncCall { func }, RegSet::one(moved));
        frozen.meet(resume);
        self.release(moved);
    }

    /// The call of the import, for a stub.
    pub(crate) fn call_of_exit(&mut self, func: u32) {
        let Callee::Imported { code, context, .. } = self.facts.funcs[func as usize].callee else {
            unreachable!("what is done in place is an import")
        };
        let facts = self.facts;
        self.pass_contexts(&facts.sig_of_func(func).tail, Addr::base(I::CTX, context));
        self.emit_call(CallTo::Import(func, code), self.comes(), RegSet::EMPTY);
    }

    fn context_get(&mut self, at: i32) {
        let d = self.dest(Ty::I32, RegSet::EMPTY);
        self.reach_store();
        self.w.load(Load::I32, d, Addr::base(I::SCRATCH, at));
        self.push_reg(Ty::I32, d);
    }

    fn context_set(&mut self, at: i32) {
        let mut value = self.pop();
        let kept = Addr::base(I::SCRATCH, at);
        if let Some(bits) = value.as_const()
            && self.imm_of(ImmFor::Store, Ty::I32, bits).is_some()
        {
            self.reach_store();
            return self.store_const_to(kept, Ty::I32, bits);
        }
        let reg = self.operand_reg(&mut value);
        self.reach_store();
        self.w.store(Store::B32, kept, reg);
        self.done(&value);
    }
}
