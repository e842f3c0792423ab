//! Exceptions: `try_table`, `throw`, and where those that are caught come in.
//!
//! As long as nothing is thrown, a `try_table` is a block. Each call inside of one that has handlers stands in a table
//! with them. Whoever throws makes an object of what the exception carries and hands it to the host, which walks the
//! frames, looks the calls up, and jumps to the *landing pad* of the handler that it finds: with the stack and frame
//! pointers as they were at the call, the exception in the first result register, and nothing else as it was. So
//!
//! - a function with handlers keeps its instance pointer in its frame, by which the host knows the tags, and all
//!   preserved registers of its caller;
//! - the homes of locals are stored before each such call. All other locals are in their slots anyway, and so are the
//!   entries below the label that the handler names, as that is branched to;
//! - a landing pad loads what is in registers by convention, brings what the exception carries to where the label wants
//!   it, and branches there. It brings no copies.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::edges::Block;
use crate::emit::handlers::{Catch, NONE, Scope};
use crate::emit::values::Values;
use crate::emit::values::value::Operand;
use crate::isa::{Alu, Cond, Isa, Load, Src, Store};
use crate::treaty::code::{CallSite, Handler, TrapCode};
use crate::treaty::facts::{Collector, ExceptionFacts, ObjectFact, Storage, TagFact};
use crate::treaty::fault::{Fault, proof, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegSet};

/// The type as which a value is kept; a function reference is a number by then.
fn kept_as(storage: Storage) -> Ty {
    match storage {
        Storage::Func(_) => Ty::I32,
        other => other.ty(),
    }
}

/// What the exceptions of a tag look like that is thrown or caught: validation has made sure that there can be some.
fn exception_object(tag: &TagFact) -> &ObjectFact {
    tag.object.as_ref().expect("what is thrown or caught can be an object")
}

/// Where the tables of handlers began before the function.
#[derive(Clone, Copy)]
pub(crate) struct FirstHandlers {
    sites: usize,
    handlers: usize,
}

impl<I: Isa> FuncGen<'_, I> {
    /// Begins a function.
    pub(crate) fn begin_handlers(&mut self) -> FirstHandlers {
        let exceptions = &mut self.lists.exceptions;
        exceptions.scopes.clear();
        exceptions.catches.clear();
        exceptions.innermost = None;
        exceptions.first = NONE;
        exceptions.stamp = exceptions.stamp.checked_add(1).unwrap_or_else(|| {
            exceptions.of_tag.clear();
            1
        });
        FirstHandlers { sites: self.w.sites.len(), handlers: self.w.handlers.len() }
    }

    // ---- scopes

    #[inline(never)]
    pub(crate) fn try_table(&mut self) {
        let types = self.block_type();
        let count = self.reader.u32();
        let depth = self.blocks.len() as u32;
        let first = self.lists.exceptions.catches.len() as u32;
        let mut closed = false;
        self.w.counters.steps += u64::from(count);
        let wasm = self.w.wasm;
        for _ in 0..count {
            let kind = self.reader.u8();
            let tag = (kind < 2).then(|| self.reader.u32());
            let target = depth - 1 - self.reader.u32();
            if !closed {
                let [hidden, previous, next] = [NONE; 3];
                let reference = kind & 1 != 0;
                let catch = Catch { tag, reference, target, block: None, pad: 0, wasm, hidden, previous, next };
                self.lists.exceptions.add(catch, first);
                closed = tag.is_none();
            }
        }
        self.open_block(types);
        let exceptions = &mut self.lists.exceptions;
        let catches = first..exceptions.catches.len() as u32;
        if !catches.is_empty() {
            let outer = exceptions.innermost;
            exceptions.innermost = Some(exceptions.scopes.len() as u32);
            let rest = exceptions.enlist(catches.clone(), closed);
            exceptions.scopes.push(Scope { outer, depth, catches, rest, handlers: None });
        }
    }

    /// A block has been closed: perhaps it was a scope.
    #[inline]
    pub(crate) fn close_handlers(&mut self) {
        let exceptions = &mut self.lists.exceptions;
        if let Some(innermost) = exceptions.innermost
            && exceptions.scopes[innermost as usize].depth as usize == self.blocks.len()
        {
            exceptions.innermost = exceptions.scopes[innermost as usize].outer;
            exceptions.strike(innermost as usize);
        }
    }

    /// Reads the handlers of a `try_table` that is not compiled.
    pub(crate) fn skip_catches(&mut self) {
        for _ in 0..self.reader.u32() {
            if self.reader.u8() < 2 {
                self.reader.u32();
            }
            self.reader.u32();
        }
    }

    // ---- calls

    /// Before a call that an exception may come from: stores the homes that the call itself would not have destroyed.
    #[inline]
    pub(crate) fn save_for_handlers(&mut self) {
        if self.lists.exceptions.innermost.is_some() && !without(Fault::SaveForHandlers) {
            self.save_preserved_homes();
        }
    }

    #[inline(never)]
    fn save_preserved_homes(&mut self) {
        for i in 0..self.lists.exceptions.homes.len() {
            let at = self.lists.exceptions.homes[i] as usize;
            let local = self.locals[at];
            let home = local.home.expect("it has one");
            if self.heap == Some(at) {
                continue;
            }
            if I::PRESERVED.contains(&home) {
                self.w.store(Store::of(local.ty), Addr::base(I::FRAME, local.slot), home);
                self.w.counters.home_saves += 1;
            }
        }
    }

    /// After a call that an exception may come from.
    #[inline]
    pub(crate) fn call_site(&mut self) {
        if let Some(scope) = self.lists.exceptions.innermost {
            self.add_site(scope);
        }
    }

    #[inline(never)]
    fn add_site(&mut self, scope: u32) {
        proof!(self.slots_are_right(), "a handler finds its locals in their slots");
        let handlers = match self.lists.exceptions.scopes[scope as usize].handlers {
            Some(known) => known,
            None => self.link_handlers(scope),
        };
        let site = CallSite { at: self.w.returns_to, handlers, frame: 0, context: 0 };
        self.w.counters.handlers += u64::from(handlers.1 - handlers.0);
        self.w.charge(site.bytes());
        self.w.sites.push(site);
    }

    /// Lists the handlers that an exception can come to from the innermost scope, in the order in which they are tried.
    fn link_handlers(&mut self, scope: u32) -> (u32, u32) {
        let first = self.w.handlers.len() as u32;
        let mut at = self.lists.exceptions.first;
        while at != NONE {
            // Nobody will see more than the budget allows.
            if self.w.exceeds_budget(12 * (self.w.handlers.len() as u32 - first)) {
                break;
            }
            let Catch { tag, target, next, block, .. } = self.lists.exceptions.catches[at as usize];
            self.w.counters.steps += 1;
            self.w.handlers.push(Handler { tag, at });
            if block.is_none() {
                let block = self.target_at(target as usize);
                self.lists.exceptions.catches[at as usize].block = Some(block);
                self.edge_without_copies(target as usize);
            }
            at = next;
        }
        let handlers = (first, self.w.handlers.len() as u32);
        self.lists.exceptions.scopes[scope as usize].handlers = Some(handlers);
        handlers
    }

    // ---- throwing

    #[inline(never)]
    pub(crate) fn throw(&mut self) {
        let facts = self.facts;
        let tag = &facts.tags[self.reader.u32() as usize];
        self.charge_fuel();
        self.flush_all();
        self.drop_copies();
        self.save_all_homes();
        let first = self.stack.len() - exception_object(tag).fields.len();
        self.make_exception(tag, first);
        let reference = Operand::borrowed(Ty::GcRef, I::EXCEPTION);
        self.throw_now(&reference);
    }

    /// Makes an exception of the values in the slots from position `first` on, in `Isa::EXCEPTION`. All
    /// entries are in their slots, and no copies are left.
    pub(crate) fn make_exception(&mut self, tag: &TagFact, first: usize) {
        let object = exception_object(tag);
        let exception = self.facts.exceptions.expect("there is a tag");
        // Behind all that is on the stack.
        let height = self.stack.len();
        let instance = self.slot(height, Ty::I32);
        self.libcall_raw(Libcall::InstanceId, &[Arg::Owner(tag.owner)]);
        self.w.store(Store::B32, instance, I::LIBCALL.int_results[0]);
        for (i, field) in object.fields.iter().enumerate() {
            if let Storage::Func(_) = field.storage {
                if self.w.check_budget() {
                    break;
                }
                let slot = self.slot(first + i, Ty::FuncRef);
                self.libcall_raw(Libcall::GcIntern, &[Arg::Ctx, Arg::Operand(Operand::memory(Ty::FuncRef, slot))]);
                self.w.store(Store::B32, slot, I::LIBCALL.int_results[0]);
            }
        }
        let args = [
            Arg::Ctx,
            Arg::Imm(u64::from(object.kind)),
            Arg::TypeId(tag.type_id),
            Arg::Imm(u64::from(object.size)),
            Arg::Imm(u64::from(object.align)),
        ];
        self.w.reserve_room();
        self.make_room(object.size, object.align);
        self.libcall_raw(Libcall::GcAlloc, &args);
        self.safepoint();
        self.narrow_result(Ty::GcRef);
        self.fill(tag, exception, first, instance);
    }

    /// Writes a new exception, which is in `Isa::EXCEPTION` and stays there: what it carries is in slots from
    /// position `first` on, the number of its tag's instance at `instance`.
    fn fill(&mut self, tag: &TagFact, exception: ExceptionFacts, first: usize, instance: Addr) {
        let [object, temp, base] = Self::TEMPS;
        self.object_address(object);
        if self.facts.counts() {
            self.heap_base(base);
        }
        for (i, field) in exception_object(tag).fields.iter().enumerate() {
            if i & 3 == 3 && self.w.check_budget() {
                return;
            }
            let to = Addr::base(object, field.offset);
            let ty = kept_as(field.storage);
            let slot = self.slot(first + i, ty);
            let temp = if ty.is_float() { I::FLOAT_SCRATCH } else { temp };
            self.w.load(Load::of(ty), temp, slot);
            self.count(field.storage, base, temp);
            self.w.store(Store::of(ty), to, temp);
        }
        self.w.load(Load::I32, temp, instance);
        self.w.store(Store::B32, Addr::base(object, exception.instance), temp);
        self.load_owner_index(temp, tag.owner);
        self.w.store(Store::B32, Addr::base(object, exception.tag), temp);
    }

    #[inline(never)]
    pub(crate) fn throw_ref(&mut self) {
        self.charge_fuel();
        // A handler of this function finds its locals in their slots.
        self.clean_copies();
        let reference = self.pop();
        self.save_all_homes();
        self.throw_now(&reference);
        self.done(&reference);
    }

    /// Hands an exception to the host. The homes are stored.
    fn throw_now(&mut self, reference: &Operand) {
        self.w.reserve_room();
        self.libcall_raw(Libcall::ThrowRef, &[Arg::Ctx, Arg::Operand(*reference)]);
        self.call_site();
        self.trap_now(TrapCode::Unreachable, self.w.wasm);
        self.become_dead();
    }

    fn save_all_homes(&mut self) {
        if self.lists.exceptions.innermost.is_some() {
            self.save_homes();
            self.save_preserved_homes();
        }
    }

    /// Registers that are free where nothing is in registers but an exception.
    const TEMPS: [Reg; 3] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];

    /// `d = ` the address of the exception in `Isa::EXCEPTION`.
    fn object_address(&mut self, d: Reg) {
        self.heap_base(d);
        self.w.alu(Alu::Add, Width::W64, d, d, Src::Reg(I::EXCEPTION));
    }

    // ---- landing

    /// Emits the landing pads, behind the function's last instruction.
    #[inline(never)]
    pub(crate) fn landing_pads(&mut self) {
        for i in 0..self.lists.exceptions.catches.len() {
            let Catch { tag, reference, block: Some(block), wasm, .. } = self.lists.exceptions.catches[i] else {
                continue;
            };
            if self.w.check_budget() {
                return;
            }
            self.w.wasm = wasm;
            self.lists.exceptions.catches[i].pad = self.w.offset();
            if self.facts.settings.poison {
                self.poison_all_but(RegSet::one(I::EXCEPTION));
            }
            let context = Addr::base(I::FRAME, self.lists.exceptions.context);
            if !without(Fault::InstanceAtPad) {
                self.w.load(Load::I64, I::CTX, context);
            }
            if !without(Fault::ReloadAtPad) {
                self.reload_memory_base();
            }
            self.unpack(tag, reference, &block);
            self.load_homes();
            self.w.jmp(block.label());
        }
    }

    /// Brings what the exception in `Isa::EXCEPTION` carries, and itself if that is asked for, to where the
    /// label of a block wants it.
    fn unpack(&mut self, tag: Option<u32>, reference: bool, block: &Block) {
        let facts = self.facts;
        let exception = I::EXCEPTION;
        let fields = tag.map_or(&[][..], |tag| &exception_object(&facts.tags[tag as usize]).fields);
        let in_register = fields.len() + usize::from(reference) == 1 && !block.takes_one_in_slot();
        if reference && !in_register {
            let slot = self.slot(block.height() + fields.len(), Ty::GcRef);
            self.w.store(Store::B32, slot, exception);
        }
        if fields.is_empty() {
            if reference && in_register {
                self.copy_reg(Ty::GcRef, Self::merge_reg(Ty::GcRef), exception);
            }
            return;
        }
        let [object, temp, _] = Self::TEMPS;
        // Some values are not what is in the exception: a call makes them of it, before which it goes where it is found
        // again. No collector runs before the label.
        let counts = facts.counts();
        let is_made = |storage: Storage| match storage {
            Storage::Func(_) => true,
            Storage::Gc { traced } => traced && counts,
            _ => false,
        };
        let kept = self.slot(block.height() + fields.len(), Ty::GcRef);
        if fields.iter().any(|field| is_made(field.storage)) {
            self.w.store(Store::B32, kept, exception);
        }
        let size = tag.map_or(0, |tag| exception_object(&facts.tags[tag as usize]).size);
        self.check_in_heap(exception, size);
        self.object_address(object);
        for (i, field) in fields.iter().enumerate() {
            if i & 3 == 3 && self.w.check_budget() {
                return;
            }
            let ty = field.storage.ty();
            let from = Addr::base(object, field.offset);
            let slot = self.slot(block.height() + i, ty);
            let d = match (in_register, ty.is_float()) {
                (true, _) => Self::merge_reg(ty),
                (false, true) => I::FLOAT_SCRATCH,
                (false, false) => temp,
            };
            if !is_made(field.storage) {
                self.w.load(Load::of(ty), d, from);
                if !in_register {
                    self.w.store(Store::of(ty), slot, d);
                }
                continue;
            }
            self.w.reserve_room();
            if let Storage::Func(ty) = field.storage {
                let number = Arg::Operand(Operand::memory(Ty::I32, from));
                self.libcall_raw(Libcall::GcInterned, &[Arg::Ctx, number, Arg::Imm(u64::from(ty))]);
                self.w.store(Store::B64, slot, I::LIBCALL.int_results[0]);
            } else {
                self.w.load(Load::I32, temp, from);
                self.w.store(Store::B32, slot, temp);
                self.list_reference(temp);
            }
            if in_register {
                self.w.load(Load::of(ty), d, slot);
            } else {
                self.w.load(Load::I32, exception, kept);
                self.check_in_heap(exception, size);
                self.object_address(object);
            }
        }
    }

    /// Tells a collector that counts references of the one in a register, which has come out of the heap.
    fn list_reference(&mut self, reference: Reg) {
        let gc = self.gc();
        let Collector::Counting(counting) = gc.collector else { unreachable!("only where references are counted") };
        let done = self.w.label();
        let [_, _, kind] = Self::TEMPS;
        self.w.branch_zero(Width::W32, reference, done);
        self.w.test(Width::W32, reference, Src::Imm(1)).branch(Cond::Ne, done);
        self.check_in_heap(reference, gc.kind.cast_unsigned() + 4);
        self.heap_base(kind);
        self.w.load(Load::I32, kind, Addr::indexed(kind, reference, 0, gc.kind));
        self.w.test(Width::W32, kind, Src::imm(counting.listed.cast_signed())).branch(Cond::Ne, done);
        self.call_routine(RoutineCall::List { reference: Operand::borrowed(Ty::GcRef, reference) });
        self.w.bind(done);
    }

    /// Loads every home from its slot.
    fn load_homes(&mut self) {
        self.w.reserve_room();
        for i in 0..self.lists.exceptions.homes.len() {
            let local = self.locals[self.lists.exceptions.homes[i] as usize];
            let home = local.home.expect("it has one");
            self.w.load(Load::of(local.ty), home, Addr::base(I::FRAME, local.slot));
            self.w.counters.home_saves += 1;
        }
    }

    /// What the tables of handlers wait for: where the landing pads are, and how large the frame is.
    pub(crate) fn finish_handlers(&mut self, first: FirstHandlers, frame: u32) {
        let FuncGen { values: Values { w, .. }, lists, .. } = self;
        let exceptions = &lists.exceptions;
        for handler in &mut w.handlers[first.handlers..] {
            handler.at = exceptions.catches[handler.at as usize].pad;
        }
        for site in &mut w.sites[first.sites..] {
            site.frame = frame;
            site.context = frame.wrapping_add_signed(exceptions.context);
        }
    }
}
