//! Continuations: making, binding, resuming and suspending them, and what crosses between stacks.
//!
//! A reference to a continuation is 16 bytes, kept like a vector. What an operator of this file takes is written to the
//! lowest part of the frame, where arguments of calls go, too:
//!
//! ```text
//!   [stack]               the continuation that is used (not for `suspend`)
//!   [stack + 16 ...]      16 bytes for each value that is passed; for `suspend` they begin at [stack]
//!   behind them           for `resume`, 8 bytes for each tag that is handled, those that suspend first
//! ```
//!
//! and a routine (`routines/stacks.rs`), one per module, does the rest. To the function that calls it the routine is
//! like any other: it keeps the preserved registers, though nothing else, by saving them in its own frame before the
//! stacks change; a collector and whoever throws find the function's frame behind the routine's. So around it all is as
//! around a call.
//!
//! The lowest part of the frame is also where values come back to a function that has suspended itself or switched.
//! Where one has resumed another, the routine says which handler is asked for. It continues at a *clause* behind the
//! function's code, like that of an exception's handler: entries below the label that the handler names are in their
//! slots, no register holds a copy. Preserved registers are as they were.

use crate::emit::FuncGen;
use crate::emit::calling::{Arg, CallTo};
use crate::emit::comes::Comes;
use crate::emit::handlers::Clause;
use crate::emit::values::value::{Operand, OperandLoc};
use crate::isa::{Isa, Lane, Load, Src, Store};
use crate::treaty::code::{Routine, Target};
use crate::treaty::facts::{StackFacts, Where};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::StackCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label, Reg, RegClass, RegSet};

/// Bytes of a value that crosses between stacks.
const VALUE: i32 = 16;

/// Bytes of a tag in a list of handlers.
const TAG: i32 = 8;

/// The handlers of one operator.
#[derive(Clone, Copy)]
struct Handlers {
    /// How many there are.
    all: u32,
    /// How many of these do not switch.
    suspending: u32,
    /// The first clause.
    clauses: usize,
}

impl Handlers {
    /// How many there are, and how many of these do not switch, as arguments.
    pub(crate) fn counts(&self) -> [Input; 2] {
        [self.all, self.suspending].map(Input::Number)
    }
}

/// An argument of a routine.
#[derive(Clone, Copy)]
enum Input {
    Number(u32),
    /// The address of the host's definition of a tag.
    Tag(u32),
    /// A register, which is the first that results come in.
    Result,
    Operand(Operand),
}

impl<'a, I: Isa> FuncGen<'a, I> {
    fn stacks(&self) -> StackFacts {
        self.facts.stacks.expect("a module with continuations knows what stacks are")
    }

    /// A place on top of the machine's stack.
    fn passed(at: i32) -> Addr {
        Addr::base(I::STACK, at)
    }

    // ---- making and binding

    #[inline(never)]
    pub(crate) fn cont_new(&mut self) {
        let facts = self.facts;
        let sig = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        let mut func = self.pop();
        let reg = self.operand_reg(&mut func);
        self.check_null(Ty::FuncRef, reg);
        let counts = [sig.params.len(), sig.results.len()].map(|count| Arg::Imm(count as u64));
        self.libcall(Libcall::ContNew, &[Arg::Ctx, Arg::Operand(func), counts[0], counts[1]]);
        let pointer = self.take_result_of_call(Ty::I64);
        let d = self.take(RegClass::Float);
        let revision = Src::Mem(Addr::base(pointer, self.stacks().revision));
        self.w.bits(Width::W64, d, pointer);
        self.w.replace_lane(Lane::I64, d, d, revision, 1);
        self.release(pointer);
        self.push_reg(Ty::ContRef, d);
    }

    #[inline(never)]
    pub(crate) fn cont_bind(&mut self) {
        let facts = self.facts;
        let from = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        let to = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        let count = from.params.len() - to.params.len();
        self.pass_continuation();
        let wide = self.pass_values(count, VALUE);
        self.save_around();
        self.call_stacks(StackCall::Bind { wide, values: Input::Number(count as u32) });
        let d = self.take(RegClass::Float);
        self.w.load(Load::V128, d, Self::passed(0));
        self.restore_homes();
        self.push_reg(Ty::ContRef, d);
    }

    // ---- passing values

    /// Makes room for so many bytes on top of the machine's stack.
    fn pass_room(&mut self, bytes: i32) {
        self.outgoing = self.outgoing.max(bytes as u32);
    }

    /// Pops the continuation that is used.
    fn pass_continuation(&mut self) {
        let cont = self.pop();
        self.pass_room(VALUE);
        self.push_arg(Self::passed(0), &cont);
        self.done(&cont);
    }

    /// Pops values and writes them `at` bytes above the stack pointer and on. Does any take more than 8 bytes?
    fn pass_values(&mut self, count: usize, at: i32) -> bool {
        let mut wide = false;
        self.pass_room(at + VALUE * count as i32);
        self.w.counters.steps += count as u64;
        for i in (0..count).rev() {
            let value = self.pop();
            if i & 7 != 7 || !self.w.check_budget() {
                wide |= value.ty().is_wide();
                self.pass_value(Self::passed(at + VALUE * i as i32), &value);
            }
            self.done(&value);
        }
        self.w.reserve_room();
        wide
    }

    /// Writes a value that is passed: 8 bytes at least, for that is what will be read of it at once.
    fn pass_value(&mut self, to: Addr, value: &Operand) {
        let (ty, scratch) = match value.ty() {
            ty if ty.is_wide() => return self.push_arg(to, value),
            ty if ty.is_float() => (Ty::F64, I::FLOAT_SCRATCH),
            _ => (Ty::I64, I::SCRATCH),
        };
        let from = match value.loc() {
            OperandLoc::Const(bits) => return self.store_const_to(to, ty, bits),
            OperandLoc::Reg(reg) => reg,
            OperandLoc::Mem(_) => {
                self.load_operand(scratch, value);
                scratch
            }
        };
        self.w.store(Store::of(ty), to, from);
    }

    /// Nothing but preserved homes is in registers any more, and they are where a handler finds them.
    fn save_around(&mut self) {
        self.vacate_registers(RegSet::EMPTY);
        self.w.reserve_room();
        self.save_homes();
        self.save_for_handlers();
        self.drop_copies();
    }

    /// Calls a routine.
    fn call_stacks(&mut self, call: StackCall<Input>) {
        let (routine, inputs) = call.parts();
        self.w.reserve_room();
        for (input, to) in inputs.as_slice().iter().zip(I::PRIVATE.int_args) {
            match *input {
                Input::Number(number) => self.w.iconst(Width::W32, *to, i64::from(number), false),
                Input::Tag(tag) => self.tag_address(*to, tag),
                Input::Result => self.w.mov(Width::W64, *to, I::LIBCALL.int_results[0]),
                Input::Operand(operand) => self.load_operand(*to, &operand),
            }
        }
        let results = RegSet::of(&I::ROUTINE_RESULTS);
        self.emit_call(CallTo::Unpaired(Target::Routine(Routine::Stacks(routine))), Comes::Back, results);
        self.call_site();
        self.safepoint();
        self.reload_moved_base();
    }

    /// `d = ` the address by which the host tells a tag from others.
    fn tag_address(&mut self, d: Reg, tag: u32) {
        match self.facts.tags[tag as usize].identity {
            Where::Ctx(offset) => self.w.lea(Width::W64, d, Addr::base(I::CTX, offset)),
            Where::Through { pointer, .. } => {
                self.w.load(Load::I64, d, Addr::base(I::CTX, pointer));
            }
        }
    }

    /// Pushes values that have come from another stack and begin at the address in a register.
    fn take_values(&mut self, types: &[Ty], base: Reg) {
        let from = |i: usize| Addr::base(base, VALUE * i as i32);
        match types {
            [] => self.restore_homes(),
            [ty] => {
                let held = self.hold_this(base);
                let (d, held) = self.take_over(ty.class(), held);
                self.w.load(Load::of(*ty), d, from(0));
                self.give(held);
                self.restore_homes();
                self.push_reg(*ty, d);
            }
            _ => {
                let held = self.hold_this(base);
                self.w.counters.steps += types.len() as u64;
                for (i, ty) in types.iter().enumerate() {
                    if i & 7 == 7 && self.w.check_budget() {
                        break;
                    }
                    let position = self.stack.len() + i;
                    let slot = self.slot(position, *ty);
                    self.copy_memory(*ty, slot, from(i));
                }
                self.give(held);
                self.w.reserve_room();
                self.restore_homes();
                self.push_in_slots(types);
            }
        }
    }

    /// More than one value that comes is pushed as entries below the watermark.
    fn flush_for(&mut self, types: &[Ty]) {
        if types.len() > 1 {
            self.flush_all();
        }
    }

    // ---- resuming

    #[inline(never)]
    pub(crate) fn resume(&mut self) {
        let facts = self.facts;
        let sig = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        self.charge_fuel();
        let count = sig.params.len();
        self.pass_continuation();
        let wide = self.pass_values(count, VALUE);
        self.flush_for(&sig.results);
        self.save_around();
        let handlers = self.pass_handlers(VALUE * (1 + count as i32));
        let [all, suspending] = handlers.counts();
        let values = Input::Number(count as u32);
        let call = StackCall::Resume { wide, values, handlers: all, suspending };
        self.resume_with(call, &sig.results, handlers);
    }

    #[inline(never)]
    pub(crate) fn resume_throw(&mut self) {
        let facts = self.facts;
        let sig = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        let tag = &facts.tags[self.reader.u32() as usize];
        let count = facts.sigs[tag.sig as usize].params.len();
        self.charge_fuel();
        self.flush_all();
        self.save_around();
        let first = self.stack.len() - 1 - count;
        self.make_exception(tag, first);
        self.w.reserve_room();
        // The exception waits in its register: what follows uses scratch registers alone.
        self.pass_continuation();
        self.truncate_stack(first);
        let handlers = self.pass_handlers(VALUE);
        self.resume_by_throwing(Input::Result, &sig.results, handlers);
    }

    #[inline(never)]
    pub(crate) fn resume_throw_ref(&mut self) {
        let facts = self.facts;
        let sig = &facts.sigs[facts.cont(self.reader.u32()).sig as usize];
        self.charge_fuel();
        self.pass_continuation();
        // Where the routine leaves it alone until it is wanted.
        self.flush_all();
        self.save_around();
        let exception = self.pop();
        let handlers = self.pass_handlers(VALUE);
        self.resume_by_throwing(Input::Operand(exception), &sig.results, handlers);
    }

    fn resume_by_throwing(&mut self, exception: Input, results: &[Ty], handlers: Handlers) {
        let [all, suspending] = handlers.counts();
        self.resume_with(StackCall::ResumeThrow { exception, handlers: all, suspending }, results, handlers);
    }

    /// Reads the handlers of an operator and lists their tags `at` bytes above the stack pointer. No register holds a
    /// copy.
    fn pass_handlers(&mut self, at: i32) -> Handlers {
        let mut ahead = self.reader;
        let all = self.reader.u32();
        self.w.counters.steps += 2 * u64::from(all);
        self.pass_room(at + TAG * all as i32);
        let mut suspending = 0;
        ahead.u32();
        for _ in 0..all {
            let switches = ahead.u8() != 0;
            ahead.u32();
            if !switches {
                ahead.u32();
                suspending += 1;
            }
        }
        let clauses = self.lists.resumptions.clauses.len();
        let (mut next, mut next_switch) = (0, suspending);
        for i in 0..all {
            let switches = self.reader.u8() != 0;
            let tag = self.reader.u32();
            let place = if switches { &mut next_switch } else { &mut next };
            let to = Self::passed(at + TAG * *place as i32);
            *place += 1;
            if !switches {
                let depth = self.blocks.len() - 1 - self.reader.u32() as usize;
                let block = self.target_at(depth);
                self.edge_without_copies(depth);
                let label = self.w.label();
                self.lists.resumptions.clauses.push(Clause { label, block, tag, wasm: self.w.wasm });
            }
            if i & 7 != 7 || !self.w.check_budget() {
                self.tag_address(I::SCRATCH, tag);
                self.w.store(Store::B64, to, I::SCRATCH);
            }
        }
        self.w.reserve_room();
        Handlers { all, suspending, clauses }
    }

    /// Resumes, with everything in its place, and goes to the clause of a handler if one is asked for.
    fn resume_with(&mut self, call: StackCall<Input>, results: &[Ty], handlers: Handlers) {
        self.call_stacks(call);
        let [asked, values] = I::ROUTINE_RESULTS;
        // Where there is no handler nobody can ask for one.
        if handlers.suspending > 0 {
            let label = if handlers.suspending == 1 {
                self.lists.resumptions.clauses[handlers.clauses].label
            } else {
                let choice = self.w.label();
                let first = handlers.clauses as u32;
                self.lists.resumptions.choices.push((choice, first, first + handlers.suspending));
                choice
            };
            self.w.branch_nonzero(Width::W32, asked, label);
        }
        self.take_values(results, values);
    }

    /// Emits the clauses, behind the function's last instruction.
    #[inline(never)]
    pub(crate) fn handler_clauses(&mut self) {
        let ([asked, _], temp) = (I::ROUTINE_RESULTS, I::TEMPS[2]);
        for i in 0..self.lists.resumptions.choices.len() {
            let (label, first, end) = self.lists.resumptions.choices[i];
            if self.w.check_budget() {
                return;
            }
            let clauses = &self.lists.resumptions.clauses[first as usize..end as usize];
            let targets: Vec<Label> = clauses.iter().map(|clause| clause.label).collect();
            self.w.reserve(4 * targets.len() + 4 * I::MAX_PRIMITIVE);
            self.w.bind(label);
            self.w.lea(Width::W64, asked, Addr::base(asked, -1));
            self.w.jump_table(asked, temp, &targets);
        }
        for i in 0..self.lists.resumptions.clauses.len() {
            let clause = self.lists.resumptions.clauses[i];
            if self.w.check_budget() {
                return;
            }
            self.w.wasm = clause.wasm;
            self.w.bind(clause.label);
            self.hand_over(&clause);
            self.restore_homes();
            self.w.jmp(clause.block.label());
        }
    }

    /// Brings what a suspended stack has sent, and its continuation, to where the label of a handler wants them.
    fn hand_over(&mut self, clause: &Clause) {
        let facts = self.facts;
        let types = &facts.sigs[facts.tags[clause.tag as usize].sig as usize].params;
        let [_, values] = I::ROUTINE_RESULTS;
        self.w.counters.steps += types.len() as u64;
        for (i, ty) in types.iter().enumerate() {
            if i & 7 == 7 && self.w.check_budget() {
                return;
            }
            let slot = self.slot(clause.block.height() + i, *ty);
            self.copy_memory(*ty, slot, Addr::base(values, VALUE * i as i32));
        }
        self.w.reserve_room();
        if types.is_empty() && !clause.block.takes_one_in_slot() {
            self.w.load(Load::V128, Self::merge_reg(Ty::ContRef), Self::passed(0));
        } else {
            let slot = self.slot(clause.block.height() + types.len(), Ty::ContRef);
            self.copy_memory(Ty::ContRef, slot, Self::passed(0));
        }
    }

    // ---- suspending and switching

    #[inline(never)]
    pub(crate) fn suspend(&mut self) {
        let facts = self.facts;
        let tag = self.reader.u32();
        let sig = &facts.sigs[facts.tags[tag as usize].sig as usize];
        self.charge_fuel();
        let count = sig.params.len();
        self.pass_values(count, 0);
        let capacity = self.room_to_come_back(count.max(sig.results.len()));
        self.flush_for(&sig.results);
        self.save_around();
        self.call_stacks(StackCall::Suspend { tag: Input::Tag(tag), values: Input::Number(count as u32), capacity });
        self.take_values(&sig.results, I::STACK);
    }

    #[inline(never)]
    pub(crate) fn switch(&mut self) {
        let facts = self.facts;
        let cont = facts.cont(self.reader.u32());
        let tag = self.reader.u32();
        let sig = &facts.sigs[cont.sig as usize];
        let back = &facts.sigs[cont.last.expect("validated as taking a continuation last") as usize].params;
        self.charge_fuel();
        // The last is the continuation of this very stack, which the routine makes.
        let count = sig.params.len() - 1;
        self.pass_continuation();
        let wide = self.pass_values(count, VALUE);
        let capacity = self.room_to_come_back(back.len());
        self.flush_for(back);
        self.save_around();
        let [tag, values] = [Input::Tag(tag), Input::Number(count as u32)];
        self.call_stacks(StackCall::Switch { wide, tag, values, capacity });
        self.take_values(back, I::STACK);
    }

    /// Room for the values that come when the function goes on, or for an exception.
    fn room_to_come_back(&mut self, values: usize) -> Input {
        let capacity = values.max(1);
        self.pass_room(VALUE * capacity as i32);
        Input::Number(capacity as u32)
    }
}
