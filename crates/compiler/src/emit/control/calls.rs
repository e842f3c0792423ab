//! Calls of functions: within the module, through references, of imports, and tail calls.

use crate::emit::calling::CallTo;
use crate::emit::comes::Comes;
use crate::emit::values::value::Value;
use crate::emit::{FuncGen, Unusual};
use crate::isa::{Cond, Isa, Load, Src, Store};
use crate::operators::Op;
use crate::operators::effects::inline;
use crate::treaty::code::{Target, TrapCode};
use crate::treaty::facts::Callee;
use crate::treaty::fault::{Fault, without};
use crate::treaty::sig::{Abi, AbiLoc, Sig};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegSet};

/// Whom a call reaches.
#[derive(Clone, Copy)]
enum To {
    /// The private entry of a function of this module.
    Defined(u32),
    /// The imported function with this index, whose code address and instance pointer are at these offsets.
    Import { func: u32, code: i32, context: i32 },
    /// The function reference in this register. Is it known not to be null?
    Reference(Reg, bool),
}

impl<I: Isa> FuncGen<'_, I> {
    // ---- calls

    pub(crate) fn call(&mut self) {
        let func = self.reader.u32();
        self.charge_fuel();
        if self.calls_plainly
            && let Callee::Defined { index, .. } = self.facts.funcs[func as usize].callee
            && let sig = self.facts.sig_of_func(func)
            && sig.simple
        {
            return self.plain_call(index, sig);
        }
        match inline(self.facts, func) {
            Some(intrinsic) => self.call_inline(intrinsic, func),
            None => self.to_func(func, Self::call_to),
        }
    }

    /// `call_to` where `calls_plainly`, of a function of this module whose values are all in registers.
    fn plain_call(&mut self, index: u32, sig: &Sig) {
        let abi = &sig.private;
        let owned = self.pop_args(abi.params.len(), abi, 0);
        self.vacate_registers(owned);
        self.place_args(None);
        self.give_back(owned);
        self.drop_copies();
        if self.unusual.has(Unusual::CHECKED) {
            self.prove_call(Comes::Back);
        }
        let at = self.w.offset();
        self.w.call(Target::Func(index));
        self.w.map_here(at);
        if let ([ty], [AbiLoc::Reg(reg)]) = (&*sig.results, &*abi.results) {
            self.take_only_result(*ty, *reg);
            self.push_reg(*ty, *reg);
        }
    }

    #[inline(never)]
    pub(crate) fn call_indirect(&mut self) {
        self.to_element(Self::call_to);
    }

    #[inline(never)]
    pub(crate) fn call_ref(&mut self) {
        self.to_reference(Self::call_to);
    }

    /// Goes to a function by a call or a tail call.
    fn to_func(&mut self, func: u32, go: impl FnOnce(&mut Self, To, &Sig, &Abi)) {
        let sig = self.facts.sig_of_func(func);
        match self.facts.funcs[func as usize].callee {
            Callee::Defined { index, .. } => go(self, To::Defined(index), sig, &sig.private),
            Callee::Imported { code, context, .. } => go(self, To::Import { func, code, context }, sig, &sig.tail),
        }
    }

    /// Goes where the element of a table says.
    fn to_element(&mut self, go: impl FnOnce(&mut Self, To, &Sig, &Abi)) {
        let ty = self.reader.u32();
        let table = self.reader.u32();
        self.charge_fuel();
        let sig = self.facts.sig_of_type(ty);
        let reference = self.checked_reference(ty, table);
        go(self, To::Reference(reference, true), sig, &sig.tail);
    }

    /// Goes where a reference on the stack says.
    fn to_reference(&mut self, go: impl FnOnce(&mut Self, To, &Sig, &Abi)) {
        let ty = self.reader.u32();
        self.charge_fuel();
        let sig = self.facts.sig_of_type(ty);
        let reference = self.pop_callee();
        go(self, To::Reference(reference, false), sig, &sig.tail);
    }

    /// Takes the arguments off the stack. Those that go on the stack of the machine are written at `base` bytes above
    /// the stack pointer at once; the others wait for `place_args`. Gives the registers that go free then.
    fn pop_args(&mut self, count: usize, abi: &Abi, base: i32) -> RegSet {
        self.moves.clear();
        self.lists.args.clear();
        self.w.counters.steps += count as u64;
        let mut owned = RegSet::EMPTY;
        for (i, loc) in abi.params[..count].iter().enumerate().rev() {
            let operand = self.pop();
            owned = owned.or(operand.owned());
            match (*loc, operand.as_reg()) {
                (AbiLoc::Reg(to), Some(from)) => self.moves.add(to, from),
                (AbiLoc::Reg(to), None) => self.lists.args.push((to, operand)),
                (AbiLoc::Stack(offset), _) => {
                    if i & 7 == 7 && self.w.check_budget() {
                        continue;
                    }
                    self.push_arg(Addr::base(I::STACK, base + offset as i32), &operand);
                }
            }
        }
        owned
    }

    /// Makes two integers of each continuation among the arguments, if the callee takes them so.
    #[inline(never)]
    fn split_args(&mut self, to: To, sig: &Sig) {
        if !matches!(to, To::Defined(_)) {
            self.split_values(&sig.params, sig.tail_params());
        }
    }

    /// Brings the arguments that `pop_args` left to their registers, and `extra` with them.
    fn place_args(&mut self, extra: Option<(Reg, Reg)>) {
        if let Some((to, from)) = extra {
            self.moves.add(to, from);
        }
        self.emit_moves();
        while let Some((to, operand)) = self.lists.args.pop() {
            self.load_operand(to, &operand);
        }
    }

    /// The register in which a callee's address is when everything else has its place.
    const CALLEE: Reg = I::UNPASSED;

    fn call_to(&mut self, to: To, sig: &Sig, abi: &Abi) {
        if sig.splits() {
            self.split_args(to, sig);
        }
        let owned = self.pop_args(abi.params.len(), abi, 0);
        if abi.results.len() > 1 {
            // The results are pushed as entries below the watermark.
            self.flush_all();
        }
        self.vacate_registers(owned);
        self.w.reserve_room();
        self.save_homes();
        self.save_for_handlers();
        self.outgoing = self.outgoing.max(abi.stack_args + abi.stack_results);
        let extra = match to {
            To::Reference(reg, _) => Some((Self::CALLEE, reg)),
            _ => None,
        };
        self.place_args(extra);
        self.give_back(owned);
        if let To::Reference(reg, _) = to {
            self.release(reg);
        }
        self.drop_copies();
        if let Some(area) = abi.result_area {
            self.w.lea(Width::W64, area, Addr::base(I::STACK, abi.stack_args as i32));
        }
        self.w.reserve_room();
        let context = self.context_across(to, sig);
        self.enter_callee(to, sig, abi, context.is_some());
        self.call_site();
        self.safepoint();
        if let Some(context) = context {
            self.w.load(Load::I64, I::CTX, context);
            self.reload_memory_base();
        }
        if abi.stack_args > 0 && !without(Fault::PoppedArguments) {
            // The callee has popped its arguments: back to where the frame ends.
            self.w.lea(Width::W64, I::STACK, Addr::base(I::STACK, -(abi.stack_args as i32)));
        }
        if context.is_none() && self.comes_back() {
            self.reload_moved_base();
        }
        self.take_results(sig, abi);
    }

    /// If the linker may make a call enter private code of another instance: where in the frame the own instance
    /// pointer is meanwhile.
    fn context_across(&mut self, to: To, sig: &Sig) -> Option<Addr> {
        let open = self.facts.links_imports && sig.shares_registers() && !self.facts.settings.poison;
        if !open || !matches!(to, To::Import { .. }) {
            return None;
        }
        if self.survey.handlers {
            return Some(Addr::base(I::FRAME, self.lists.exceptions.context));
        }
        // The arguments are where they go, and the results come later.
        let position = self.stack.len();
        let slot = self.slot(position, Ty::I64);
        self.w.store(Store::B64, slot, I::CTX);
        Some(slot)
    }

    fn enter_callee(&mut self, to: To, sig: &Sig, abi: &Abi, across: bool) {
        let to = match to {
            To::Defined(index) => CallTo::Symbol(Target::Func(index)),
            To::Import { func, code, context } if across => CallTo::Across(func, code, context),
            To::Import { func, code, context } => {
                self.pass_contexts(abi, Addr::base(I::CTX, context));
                self.poison_arguments(sig, abi);
                CallTo::Import(func, code)
            }
            To::Reference(_, checked) => {
                let ctx = self.facts.ctx;
                let at = self.pass_contexts(abi, Addr::base(Self::CALLEE, ctx.funcref_context));
                if !checked {
                    self.null_faults_at(at);
                }
                self.w.load(Load::I64, Self::CALLEE, Addr::base(Self::CALLEE, ctx.funcref_code));
                if !sig.shares_registers() {
                    self.poison_arguments(sig, abi);
                }
                self.prefer_private(sig, abi);
                CallTo::Register(Self::CALLEE)
            }
        };
        self.emit_call(to, Comes::Back, abi.result_registers());
        self.poison_results(sig, abi);
    }

    /// Puts both instance pointers in their registers; the callee's is at `callee`, where the first instruction reads
    /// it.
    pub(crate) fn pass_contexts(&mut self, abi: &Abi, callee: Addr) -> u32 {
        let (callee_reg, caller_reg) = abi.contexts.expect("a convention that crosses instances");
        let at = self.w.load(Load::I64, callee_reg, callee);
        self.w.mov(Width::W64, caller_reg, I::CTX);
        at
    }

    /// The instruction at `at` faults if the function reference that it reads through is null.
    fn null_faults_at(&mut self, at: u32) {
        if self.facts.settings.hardware_traps {
            self.w.trap_at(at, TrapCode::NullReference);
        }
    }

    /// Pops a function reference to call into a register of its own. Where faults may not be used it is not null then.
    fn pop_callee(&mut self) -> Reg {
        let reference = self.pop_owned();
        if !self.facts.settings.hardware_traps {
            let null = self.w.trap_label(TrapCode::NullReference);
            self.w.branch_zero(Width::W64, reference, null);
        }
        reference
    }

    /// If the callee turns out to be of this instance, enters it behind its `Tail` entry. Without a branch: which it is
    /// often depends on nothing that a predictor knows, and the call itself is predicted anyway.
    fn prefer_private(&mut self, sig: &Sig, abi: &Abi) {
        if !sig.shares_registers() {
            return;
        }
        let (callee_reg, _) = abi.contexts.expect("a convention that crosses instances");
        let behind = Addr::base(Self::CALLEE, I::JUMP_BYTES as i32);
        self.w.lea(Width::W64, I::SCRATCH, behind);
        let own = if without(Fault::PrivateEntry) { Cond::Ne } else { Cond::Eq };
        self.w.cmp(Width::W64, callee_reg, Src::Reg(I::CTX)).select(own, Ty::I64, Self::CALLEE, I::SCRATCH);
    }

    /// Results are pushed: a single one in its register, more than one in their slots.
    fn take_results(&mut self, sig: &Sig, abi: &Abi) {
        match (sig.passed_results(), abi.results.as_ref()) {
            ([], _) => self.restore_after_last(),
            ([ty], [AbiLoc::Reg(reg)]) => {
                self.take_only_result(*ty, *reg);
                self.restore_after_last();
                self.push_reg(*ty, *reg);
            }
            (types, _) => {
                for pass in [RegSet::INTS, RegSet::EMPTY] {
                    let registers = pass == RegSet::INTS;
                    for (i, loc) in abi.results.iter().enumerate() {
                        let ty = types[i];
                        if i & 7 == 7 && self.w.check_budget() {
                            break;
                        }
                        let at = self.stack.len() + i;
                        let slot = self.slot(at, ty);
                        match *loc {
                            AbiLoc::Reg(reg) if registers => {
                                self.w.store(Store::of(ty), slot, reg);
                            }
                            AbiLoc::Stack(offset) if !registers => {
                                let scratch = I::scratch(ty.class());
                                let from = Addr::base(I::STACK, (abi.stack_args + offset) as i32);
                                self.w.load(Load::of(ty), scratch, from);
                                self.w.store(Store::of(ty), slot, scratch);
                            }
                            _ => {}
                        }
                    }
                }
                self.restore_after_last();
                for ty in types {
                    self.stack.push(Value::slot(*ty));
                }
                self.all_in_slots();
                if sig.splits() {
                    self.join_results(&sig.results, types.len());
                }
            }
        }
    }

    /// Takes the register of a single result.
    fn take_only_result(&mut self, ty: Ty, reg: Reg) {
        self.take_this(reg);
        // Code beyond our own may leave anything in the upper half, and a tail call may have led there.
        let narrows = ty == Ty::I32 && !self.next_ignores_upper_half() || ty == Ty::GcRef;
        if narrows && !without(Fault::NarrowResult) {
            self.w.mov(Width::W32, reg, reg);
        }
    }

    /// Loads the homes that the last call of an operator has destroyed, if control comes back from it.
    fn restore_after_last(&mut self) {
        if self.comes_back() {
            self.restore_homes();
        }
    }

    /// Does the next operator read only the lower half of the i32 on top, and drop or narrow it?
    fn next_ignores_upper_half(&self) -> bool {
        match self.reader.peek_op() {
            Op::Drop => true,
            // local.set of a local in a register moves 32 bits, one in a slot stores 32; the copy kept of the latter
            // would be wrong, so only the former.
            Op::LocalSet => self.reader.peek_local_write().is_some_and(|local| {
                self.fixed_reg(self.survey.position(local)).is_some() || without(Fault::NarrowIntoSlot)
            }),
            // A local as the other operand.
            Op::LocalGet => {
                let mut ahead = self.reader;
                ahead.u8();
                ahead.u32();
                ahead.peek_op().effects().narrows
            }
            op => op.effects().narrows,
        }
    }

    // ---- tail calls

    #[inline(never)]
    pub(crate) fn return_call(&mut self) {
        let func = self.reader.u32();
        self.charge_fuel();
        self.to_func(func, Self::tail_call_to);
    }

    #[inline(never)]
    pub(crate) fn return_call_indirect(&mut self) {
        self.to_element(Self::tail_call_to);
    }

    #[inline(never)]
    pub(crate) fn return_call_ref(&mut self) {
        self.to_reference(Self::tail_call_to);
    }

    fn tail_call_to(&mut self, to: To, sig: &Sig, abi: &Abi) {
        let incoming = self.sig.private.stack_args as i32;
        let outgoing = abi.stack_args as i32;
        let rebuild = incoming != 0 || outgoing != 0;
        if sig.splits() {
            self.split_args(to, sig);
        }
        let owned = self.pop_args(abi.params.len(), abi, I::LINK_BYTES as i32);
        self.w.reserve_room();
        let extra = match to {
            To::Reference(reg, _) => Some((Self::CALLEE, reg)),
            _ => None,
        };
        if rebuild {
            self.outgoing = self.outgoing.max(I::LINK_BYTES + outgoing as u32);
        }
        self.place_args(extra);
        self.give_back(owned);
        if let To::Reference(reg, _) = to {
            self.release(reg);
        }
        self.w.reserve_room();
        if let Some(area) = abi.result_area {
            let slot = Addr::base(I::FRAME, self.result_area_slot);
            self.w.load(Load::I64, area, slot);
        }
        match to {
            To::Defined(_) => {}
            To::Import { code, context, .. } => {
                self.pass_contexts(abi, Addr::base(I::CTX, context));
                self.poison_arguments(sig, abi);
                if !self.facts.links_imports {
                    self.w.load(Load::I64, Self::CALLEE, Addr::base(I::CTX, code));
                }
            }
            To::Reference(_, checked) => {
                let ctx = self.facts.ctx;
                let at = self.pass_contexts(abi, Addr::base(Self::CALLEE, ctx.funcref_context));
                if !checked {
                    self.null_faults_at(at);
                }
                self.w.load(Load::I64, Self::CALLEE, Addr::base(Self::CALLEE, ctx.funcref_code));
                self.prefer_private(sig, abi);
            }
        }
        self.restore_saved();
        if rebuild {
            self.rebuild_arguments(incoming, outgoing);
        } else {
            self.w.leave();
        }
        match to {
            To::Defined(index) => {
                let at = self.w.jmp_sym();
                self.w.reloc(at, Target::Func(index));
            }
            To::Import { func, code, .. } if self.facts.links_imports => {
                // In one piece, so that it can be made direct.
                let at = self.w.jump_through(Addr::base(I::CTX, code));
                self.may_be_direct(at, func);
            }
            _ => self.w.jmp_reg(Self::CALLEE),
        }
        self.w.gone();
        self.become_dead();
    }

    /// Replaces this function's frame and stack arguments by the callee's, which stand at the stack pointer, behind the
    /// return address if that is in memory at an entry. The upper ends of both argument areas coincide, since the
    /// callee pops its own.
    ///
    /// ```text
    ///   before                                      after
    ///   [frame + 16 .. + incoming]  arguments       [.. frame + 16 + incoming]  new arguments
    ///   [frame + 8]  return address                 below them: return address, if it is in memory,
    ///   [frame]      caller's frame pointer                     and there is the stack pointer
    ///   ...                                         frame = caller's
    ///   [stack + link .. + outgoing] new arguments
    /// ```
    fn rebuild_arguments(&mut self, incoming: i32, outgoing: i32) {
        // The new arguments may overwrite both words of the frame, and any that is above what they come from.
        self.w.lift_frame();
        let bytes = outgoing + I::LINK_BYTES as i32;
        let to = 16 + incoming - bytes;
        let mut word = bytes - 8;
        // Upwards in memory, so from the top.
        while word >= 0 {
            if word & 0x38 == 0 && self.w.check_budget() {
                return;
            }
            self.w.load(Load::I64, I::SCRATCH, Addr::base(I::STACK, word));
            self.w.store(Store::B64, Addr::base(I::FRAME, to + word), I::SCRATCH);
            word -= 8;
        }
        self.w.replace_frame(to);
    }
}
