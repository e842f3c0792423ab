//! What every call has in common: homes that it destroys, the instruction, and the calls of the host's routines and of
//! those that a module has once.
//!
//! Around a call no entry below the arguments owns a register: it is in its slot, a constant, or a read of a local that
//! is still to be made. Every copy is dropped, and homes in registers that calls destroy are stored before and loaded
//! after. So nothing of the state lives in a register but preserved homes, and the arguments can go to their registers
//! in one parallel move.

use crate::emit::comes::Comes;
use crate::emit::values::value::{Operand, OperandLoc};
use crate::emit::{FuncGen, Unusual};
use crate::isa::{Isa, Load, Store};
use crate::treaty::code::{Target, TrapCode};
use crate::treaty::facts::Owner;
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegSet};

/// An argument of a libcall.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg {
    /// The instance pointer of the function that calls.
    Ctx,
    /// The instance pointer of a memory's or table's owner.
    Owner(Owner),
    /// The index of a memory or table among its owner's.
    OwnerIndex(Owner),
    /// A value; an i32 arrives zero-extended.
    Operand(Operand),
    /// A number.
    Imm(u64),
    /// The engine-wide id of a type, which is at this offset among the ids.
    TypeId(i32),
}

/// What a call instruction names.
#[derive(Clone, Copy)]
pub(crate) enum CallTo {
    /// What a relocation names.
    Symbol(Target),
    /// What a relocation names, which leaves by `Isa::jump_back`.
    Unpaired(Target),
    /// The address in a register.
    Register(Reg),
    /// The function with this index, which is imported: the address is at this offset of the instance.
    Import(u32, i32),
    /// Such a function where private code may be entered: the callee's instance is at the second offset.
    Across(u32, i32, i32),
}

impl CallTo {
    /// May a collector run before it comes back?
    pub(crate) fn collects(self) -> bool {
        match self {
            CallTo::Register(_) | CallTo::Import(..) | CallTo::Across(..) => true,
            CallTo::Symbol(target) | CallTo::Unpaired(target) => target.collects(),
        }
    }
}

impl<I: Isa> FuncGen<'_, I> {
    // ---- homes

    fn is_volatile_home(&self, at: usize) -> bool {
        self.locals[at].home.is_some_and(|reg| !I::PRESERVED.contains(&reg))
    }

    /// Stores the homes that a call destroys. Few functions have any.
    #[inline]
    pub(crate) fn save_homes(&mut self) {
        if !self.lists.volatile_homes.is_empty() {
            self.save_volatile_homes();
        }
    }

    fn save_volatile_homes(&mut self) {
        for i in 0..self.lists.volatile_homes.len() {
            let at = self.lists.volatile_homes[i] as usize;
            debug_assert!(self.is_volatile_home(at));
            if self.heap == Some(at) || without(Fault::SaveHomes) {
                continue;
            }
            let local = self.locals[at];
            let home = local.home.expect("it has one");
            self.w.store(Store::of(local.ty), Addr::base(I::FRAME, local.slot), home);
            self.w.counters.home_saves += 1;
        }
    }

    /// Loads them again.
    #[inline]
    pub(crate) fn restore_homes(&mut self) {
        if !self.lists.volatile_homes.is_empty() {
            self.restore_volatile_homes();
        }
    }

    fn restore_volatile_homes(&mut self) {
        if without(Fault::RestoreHomes) || without(Fault::RestoreBeforeUnreachable) && !self.comes_back() {
            return;
        }
        for i in 0..self.lists.volatile_homes.len() {
            let local = self.locals[self.lists.volatile_homes[i] as usize];
            let home = local.home.expect("it has one");
            self.w.load(Load::of(local.ty), home, Addr::base(I::FRAME, local.slot));
            self.w.counters.home_saves += 1;
        }
    }

    // ---- the instruction

    /// Emits a call: all of operators, stubs, clauses and landing pads go through here, but for those that destroy no
    /// more than they give (`Target::DataSegment`, `Target::DataDrop`). `results` are the registers that hold something
    /// afterwards.
    pub(crate) fn emit_call(&mut self, to: CallTo, comes: Comes, results: RegSet) {
        if self.unusual.has(Unusual::CHECKED) {
            self.prove_call(comes);
        }
        let mut start = self.w.offset();
        match to {
            CallTo::Symbol(target) => self.w.call(target),
            CallTo::Unpaired(target) => {
                let at = self.w.call_unpaired();
                self.w.reloc(at, target);
            }
            CallTo::Register(reg) => self.w.call_reg(reg),
            CallTo::Across(func, code, context) => {
                let [code, context] = [code, context].map(|offset| Addr::base(I::CTX, offset));
                let [at, call] = self.w.call_across(context, code);
                self.w.reloc(at, Target::Across(func));
                start = call;
            }
            CallTo::Import(func, code) => {
                let [at, call] = self.w.call_through(Addr::base(I::CTX, code));
                self.may_be_direct(at, func);
                start = call;
            }
        }
        self.w.map_here(start);
        self.w.returns_to = self.w.offset();
        self.owe_map(comes != Comes::Never && to.collects());
        if self.facts.settings.poison && comes != Comes::Never {
            self.poison_all_but(results.or(RegSet::of(I::PRESERVED)));
        }
    }

    /// What goes to an imported function is at `at`.
    pub(crate) fn may_be_direct(&mut self, at: u32, func: u32) {
        if self.facts.links_imports {
            self.w.reloc(at, Target::Import(func));
        }
    }

    /// Where control comes back to from a call that is made here.
    pub(crate) fn comes(&self) -> Comes {
        if self.in_margin { Comes::ToMargin } else { Comes::Back }
    }

    /// Writes an argument to the stack of the machine.
    pub(crate) fn push_arg(&mut self, to: Addr, operand: &Operand) {
        let from = match operand.loc() {
            OperandLoc::Const(bits) => return self.store_const_to(to, operand.ty(), bits),
            OperandLoc::Reg(reg) => reg,
            OperandLoc::Mem(_) => {
                let scratch = I::scratch(operand.ty().class());
                self.load_operand(scratch, operand);
                scratch
            }
        };
        self.w.store(Store::of(operand.ty()), to, from);
    }

    // ---- routines of the host

    /// Calls a routine of the host; every operand among the arguments is released. The result, if there is one, is in
    /// the first result register and not yet taken.
    pub(crate) fn libcall(&mut self, libcall: Libcall, args: &[Arg]) {
        self.vacate_registers(RegSet::EMPTY);
        self.save_homes();
        self.libcall_raw(libcall, args);
        if libcall.collects() {
            self.safepoint();
        }
        for arg in args {
            if let Arg::Operand(operand) = arg {
                self.done(operand);
            }
        }
        self.drop_copies();
        self.restore_homes();
    }

    /// The bare call: arguments, call, nothing saved.
    pub(crate) fn libcall_raw(&mut self, libcall: Libcall, args: &[Arg]) {
        self.moves.clear();
        for (arg, to) in Self::libcall_places(args) {
            if let Arg::Operand(operand) = arg
                && let Some(from) = operand.as_reg()
            {
                self.moves.add(to, from);
            }
        }
        self.emit_moves();
        for (arg, to) in Self::libcall_places(args) {
            match *arg {
                Arg::Operand(operand) if operand.as_reg().is_some() => {}
                Arg::Operand(operand) => self.load_operand(to, &operand),
                Arg::TypeId(offset) => {
                    let ids = self.facts.ctx.type_ids;
                    self.w.load(Load::I64, to, Addr::base(I::CTX, ids));
                    self.w.load(Load::I32, to, Addr::base(to, offset));
                }
                Arg::Imm(value) => self.w.iconst(Width::W64, to, value as i64, false),
                Arg::Ctx | Arg::Owner(Owner::Here(_)) => self.w.mov(Width::W64, to, I::CTX),
                Arg::Owner(Owner::Import { context, .. }) => {
                    self.w.load(Load::I64, to, Addr::base(I::CTX, context));
                }
                Arg::OwnerIndex(owner) => self.load_owner_index(to, owner),
            }
        }
        let comes = match libcall {
            Libcall::Trap | Libcall::ThrowRef | Libcall::Raise => Comes::Never,
            _ => self.comes(),
        };
        let results = RegSet::of(&[I::LIBCALL.int_results[0], I::LIBCALL.float_results[0]]);
        self.emit_call(CallTo::Symbol(Target::Libcall(libcall)), comes, results);
    }

    /// The arguments of a libcall with their registers; none is on the stack of the machine.
    fn libcall_places(args: &[Arg]) -> impl Iterator<Item = (&Arg, Reg)> {
        let (mut ints, mut floats) = (I::LIBCALL.int_args.iter(), I::LIBCALL.float_args.iter());
        args.iter().map(move |arg| {
            let regs = match arg {
                Arg::Operand(operand) if operand.ty().is_float() => &mut floats,
                _ => &mut ints,
            };
            (arg, *regs.next().expect("a libcall has few arguments"))
        })
    }

    /// `d = ` the index of something among its owner's.
    pub(crate) fn load_owner_index(&mut self, d: Reg, owner: Owner) {
        match owner {
            Owner::Here(index) => self.w.iconst(Width::W32, d, i64::from(index), false),
            Owner::Import { index, .. } => {
                self.w.load(Load::I32, d, Addr::base(I::CTX, index));
            }
        }
    }

    /// The register in which a libcall or a routine has just given a result of a type. Its upper half is undefined
    /// where the type is of 32 bits, as the platform's convention has it: it becomes zero here, and whoever wants the
    /// result as a value has it from here. (Where it is stored, 32 bits are.)
    pub(crate) fn narrow_result(&mut self, ty: Ty) -> Reg {
        let reg = I::LIBCALL.int_results[0];
        if ty.width() == Width::W32 && !without(Fault::NarrowHostResult) {
            self.w.mov(Width::W32, reg, reg);
        }
        reg
    }

    /// Takes the first result register as the result of a libcall or routine, of a type.
    pub(crate) fn take_result_of_call(&mut self, ty: Ty) -> Reg {
        self.take_this(I::LIBCALL.int_results[0]);
        self.narrow_result(ty)
    }

    /// Pushes the result of a libcall, of a type.
    pub(crate) fn push_libcall_result(&mut self, ty: Ty) {
        let reg = self.take_result_of_call(ty);
        self.push_reg(ty, reg);
    }

    /// Raises a trap through the host, where faults may not be used.
    pub(crate) fn raise(&mut self, code: TrapCode, wasm: u32) {
        let outer = std::mem::replace(&mut self.w.wasm, wasm);
        self.libcall_raw(Libcall::Trap, &[Arg::Ctx, Arg::Imm(code as u64)]);
        self.w.wasm = outer;
    }

    /// Traps here and now.
    pub(crate) fn trap_now(&mut self, code: TrapCode, wasm: u32) {
        if self.facts.settings.hardware_traps {
            self.w.trap_here(code, wasm);
        } else {
            self.raise(code, wasm);
        }
    }

    // ---- routines of the module

    /// An operand as a routine takes it: what is as wide as a vector goes to the stack of the machine, and nothing in
    /// its stead.
    pub(crate) fn routine_value(&mut self, operand: &Operand) -> Operand {
        if !operand.ty().is_wide() {
            return *operand;
        }
        self.outgoing = self.outgoing.max(operand.ty().bytes());
        self.push_arg(Addr::base(I::STACK, 0), operand);
        Operand::constant(Ty::I32, 0)
    }

    /// Calls a routine: its operands go where the first integer arguments go.
    pub(crate) fn call_routine(&mut self, call: RoutineCall<Operand>) {
        let (routine, arguments) = call.parts();
        let operands = arguments.as_slice();
        self.moves.clear();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if let OperandLoc::Reg(from) = operand.loc() {
                self.moves.add(*to, from);
            }
        }
        self.emit_moves();
        for (operand, to) in operands.iter().zip(I::PRIVATE.int_args) {
            if !matches!(operand.loc(), OperandLoc::Reg(_)) {
                self.load_operand(*to, operand);
            }
        }
        let results = RegSet::one(I::ROUTINE_RESULTS[0]);
        self.emit_call(CallTo::Symbol(Target::Routine(routine)), self.comes(), results);
    }
}
