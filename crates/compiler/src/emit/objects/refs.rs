//! References, to functions and objects alike: null checks, branches on null, tests and casts.
//!
//! A reference to an object is 0 for null, has bit 0 set if it is a small number, and else says where the object is.

use crate::emit::FuncGen;
use crate::emit::flags::Condition;
use crate::emit::frozen::Frozen;
use crate::emit::stub::StubKind;
use crate::emit::values::held::Held;
use crate::emit::values::regs::Kept;
use crate::emit::values::value::OperandLoc;
use crate::emit::values::value::{Loc, Value};
use crate::emit::writer::Writer;
use crate::isa::{Alu, Amount, Cond, Isa, Load, Shift, Src};
use crate::treaty::code::TrapCode;
use crate::treaty::fault::{Fault, without};
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Label, Reg, RegClass, RegSet};

/// The bit of a reference that is a number.
const NUMBER: i32 = 1;

/// Heap types as the binary format writes them.
mod heap {
    pub(super) const NO_EXN: i64 = -0x0c;
    pub(super) const NO_FUNC: i64 = -0x0d;
    pub(super) const NO_EXTERN: i64 = -0x0e;
    pub(super) const NONE: i64 = -0x0f;
    pub(super) const FUNC: i64 = -0x10;
    pub(super) const EXTERN: i64 = -0x11;
    pub(super) const ANY: i64 = -0x12;
    pub(super) const EQ: i64 = -0x13;
    pub(super) const I31: i64 = -0x14;
    pub(super) const STRUCT: i64 = -0x15;
    pub(super) const ARRAY: i64 = -0x16;
    pub(super) const EXN: i64 = -0x17;
}

impl<'a, I: Isa> FuncGen<'a, I> {
    // ---- null

    /// Whether a register holds null.
    fn is_null(&mut self, ty: Ty, reg: Reg) -> Condition<&mut FuncGen<'a, I>> {
        if ty == Ty::ContRef {
            return self.is_null_cont(reg);
        }
        self.condition(|w| w.test(ty.width(), reg, Src::Reg(reg)).when(Cond::Eq))
    }

    /// Traps if a register holds null.
    pub(crate) fn check_null(&mut self, ty: Ty, reg: Reg) {
        match ty {
            Ty::ContRef => self.is_null_cont(reg).trap(TrapCode::NullReference),
            _ => self.w.trap_if_zero(ty.width(), reg, TrapCode::NullReference),
        }
    }

    /// Whether a register holds null.
    #[inline(never)]
    pub(crate) fn is_null_cont(&mut self, reg: Reg) -> Condition<&mut FuncGen<'a, I>> {
        let pointer = self.take(RegClass::Int);
        self.w.bits(Width::W64, pointer, reg);
        let mut is_null = self.condition(|w| w.test(Width::W64, pointer, Src::Reg(pointer)).when(Cond::Eq));
        is_null.release(pointer);
        is_null
    }

    #[inline(never)]
    pub(crate) fn cont_is_null(&mut self) {
        let mut operand = self.pop();
        if let OperandLoc::Mem(addr) = operand.loc() {
            return self.condition(|w| w.cmp_mem(Width::W64, addr, Src::Imm(0)).when(Cond::Eq)).push();
        }
        let reg = self.operand_reg(&mut operand);
        let mut is_null = self.is_null_cont(reg);
        is_null.done(&operand);
        is_null.push();
    }

    #[inline(never)]
    pub(crate) fn ref_is_null(&mut self) {
        match self.stack.last().expect("validated").ty {
            Ty::ContRef => self.cont_is_null(),
            ty => self.eqz(ty.width()),
        }
    }

    #[inline(never)]
    pub(crate) fn ref_as_non_null(&mut self) {
        let kept = self.pop_kept();
        self.check_null(kept.value.ty, kept.reg);
        self.put_back(kept);
    }

    #[inline(never)]
    pub(crate) fn br_on_null(&mut self) {
        let depth = self.reader.u32();
        self.charge_fuel();
        let mut kept = self.pop_kept();
        // What the label carries may go through the first result register.
        let crossing = Self::merge_reg(kept.value.ty);
        if kept.value.loc == Loc::Reg(crossing) {
            let class = RegSet::INTS.or(RegSet::FLOATS).class(crossing.class());
            let to = self.take_from(class.minus(RegSet::one(crossing)));
            self.copy_reg(kept.value.ty, to, crossing);
            self.release(crossing);
            kept = Kept { value: Value::reg(kept.value.ty, to), reg: to };
        }
        self.is_null(kept.value.ty, kept.reg).branch_out(depth);
        self.put_back(kept);
    }

    #[inline(never)]
    pub(crate) fn br_on_non_null(&mut self) {
        let depth = self.reader.u32();
        self.charge_fuel();
        let kept = self.pop_kept();
        let mut is_null = self.is_null(kept.value.ty, kept.reg);
        is_null.put_back(kept);
        is_null.invert().branch_out(depth);
        let value = self.pop_value();
        self.drop_value(value);
    }

    // ---- numbers

    pub(crate) fn ref_i31(&mut self) {
        let (reg, owned) = self.pop_reg();
        let d = if owned.has(reg) { reg } else { self.take(RegClass::Int) };
        self.w.lea(Width::W32, d, Addr::indexed(reg, reg, 0, NUMBER));
        self.push_reg(Ty::GcRef, d);
    }

    pub(crate) fn i31_get(&mut self, signed: bool) {
        let mut operand = self.pop();
        let reg = self.operand_reg(&mut operand);
        self.check_null(Ty::GcRef, reg);
        let d = if operand.is_own_reg() { reg } else { self.dest(Ty::I32, RegSet::EMPTY) };
        let op = if signed { Shift::ShrS } else { Shift::ShrU };
        self.w.shift(op, Width::W32, d, reg, Amount::Imm(1));
        self.push_reg(Ty::I32, d);
    }

    // ---- types

    /// Goes to `no` unless the reference in a register is of a heap type, or null if that is allowed. Whatever that
    /// takes is had before the first branch, since all paths meet again.
    fn test_type(&mut self, reg: Reg, ty: Ty, heap: i64, nullable: bool, no: Option<Label>) -> Tested<'_, 'a, I> {
        let simple = match heap {
            heap::NO_EXN | heap::NO_FUNC | heap::NO_EXTERN | heap::NONE => Some(nullable),
            heap::FUNC | heap::EXTERN | heap::ANY | heap::EXN => Some(!nullable),
            _ => None,
        };
        let (temp, held) = match simple {
            Some(_) => (None, Held::NONE),
            None => {
                let (temp, held) = self.hold(RegClass::Int);
                (Some(temp), held)
            }
        };
        let late = without(Fault::HeapBaseBehindBranch);
        let looks = ty == Ty::GcRef && temp.is_some() && heap != heap::I31;
        let mut base = if looks && !late { self.heap_in_register() } else { None };
        let is_bottom = matches!(heap, heap::NO_EXN | heap::NO_FUNC | heap::NO_EXTERN | heap::NONE);
        if simple == Some(false) {
            // Nothing is of a type without values but null, and what is of a type's hierarchy is of its top.
            let mut frozen = self.freeze();
            let yes = frozen.label();
            let no = no.unwrap_or_else(|| frozen.label());
            if is_bottom {
                frozen.jump(no);
            }
            return Tested { frozen, yes, no, held };
        }
        let mut is_null = self.is_null(ty, reg).freeze();
        let yes = is_null.label();
        let no = no.unwrap_or_else(|| is_null.label());
        match temp {
            Some(_) => is_null.branch(if nullable { yes } else { no }),
            None if is_bottom => is_null.branch_unless(no),
            None => is_null.branch(no),
        }
        let mut frozen = is_null.begin();
        if let Some(temp) = temp {
            if looks && late {
                base = frozen.heap_in_register_by_fault();
            }
            frozen.test_object(reg, ty, heap, temp, base, yes, no);
        }
        Tested { frozen, yes, no, held }
    }

    /// A word of an object's header.
    fn load_header(&mut self, d: Reg, object: Reg, offset: i32) {
        self.check_in_heap(object, offset.cast_unsigned() + 4);
        let base = self.heap_or(I::SCRATCH);
        self.w.load(Load::I32, d, Addr::indexed(base, object, 0, offset));
    }

    pub(crate) fn ref_test(&mut self, nullable: bool) {
        let heap = self.reader.i64();
        let kept = self.pop_kept();
        let d = self.take(RegClass::Int);
        self.type_to_bool(d, &kept, heap, nullable);
        self.drop_value(kept.value);
        self.push_reg(Ty::I32, d);
    }

    /// `d = ` 1 if a reference is of a type, else 0.
    fn type_to_bool(&mut self, d: Reg, kept: &Kept, heap: i64, nullable: bool) {
        let Tested { mut frozen, yes, no, held } = self.test_type(kept.reg, kept.value.ty, heap, nullable, None);
        let done = frozen.label();
        frozen.bind(yes);
        frozen.w().iconst(Width::W32, d, 1, false);
        frozen.jump(done);
        frozen.bind(no);
        frozen.w().iconst(Width::W32, d, 0, false);
        frozen.meet(done);
        self.give(held);
    }

    pub(crate) fn ref_cast(&mut self, nullable: bool) {
        let heap = self.reader.i64();
        let kept = self.pop_kept();
        let no = self.w.trap_label(TrapCode::CastFailure);
        let Tested { frozen, yes, held, .. } = self.test_type(kept.reg, kept.value.ty, heap, nullable, Some(no));
        frozen.meet(yes);
        self.give(held);
        self.put_back(kept);
    }

    pub(crate) fn br_on_cast(&mut self, on_failure: bool) {
        let flags = self.reader.u8();
        let depth = self.reader.u32();
        let from = self.reader.i64();
        let heap = self.reader.i64();
        self.charge_fuel();
        let kept = self.pop_kept();
        let is_object = flags & 1 == 0
            && match usize::try_from(from) {
                Ok(index) => self.facts.objects[index].is_some(),
                Err(_) => matches!(from, heap::STRUCT | heap::ARRAY),
            };
        if let Ok(index) = usize::try_from(heap)
            && is_object
            && self.facts.final_types[index]
        {
            // One comparison tells.
            let (temp, held) = self.hold(RegClass::Int);
            self.load_header(temp, kept.reg, self.gc().type_id);
            let facts = self.facts;
            self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, facts.ctx.type_ids));
            let expected = Addr::base(I::SCRATCH, facts.type_id_offsets[index]);
            let wanted = if on_failure { Cond::Ne } else { Cond::Eq };
            let mut condition = self.condition(|w| w.cmp(Width::W32, temp, Src::Mem(expected)).when(wanted));
            condition.give(held);
            condition.put_back(kept);
            return condition.branch_out(depth);
        }
        let d = self.take(RegClass::Int);
        self.type_to_bool(d, &kept, heap, flags & 2 != 0);
        self.put_back(kept);
        let wanted = if on_failure { Cond::Eq } else { Cond::Ne };
        let mut condition = self.condition(|w| w.test(Width::W32, d, Src::Reg(d)).when(wanted));
        condition.release(d);
        condition.branch_out(depth);
    }
}

/// A reference whose type has been asked for: the path of those that are of it goes on here, or comes to `yes`.
struct Tested<'c, 'a, I: Isa> {
    frozen: Frozen<'c, 'a, I>,
    yes: Label,
    no: Label,
    /// To be given back when the paths have met.
    held: Held,
}

impl<I: Isa> Frozen<'_, '_, I> {
    /// Goes to `yes` or on, or to `no`: whether a reference in a register that is not null is of a heap type that takes
    /// a look at what it refers to. `temp` is destroyed; `base` is where the heap begins, if that is in a register.
    #[expect(clippy::too_many_arguments, reason = "all that it needs is had before")]
    fn test_object(&mut self, reg: Reg, ty: Ty, heap: i64, temp: Reg, base: Option<Reg>, yes: Label, no: Label) {
        if ty == Ty::GcRef {
            let mut bit = self.w().test(Width::W32, reg, Src::imm(NUMBER));
            if heap == heap::I31 {
                return bit.branch(Cond::Eq, no);
            }
            bit.branch(Cond::Ne, if heap == heap::EQ { yes } else { no });
        }
        match usize::try_from(heap) {
            Err(_) => {
                let gc = self.gc();
                let bits = match heap {
                    heap::EQ => gc.kinds.eq,
                    heap::STRUCT => gc.kinds.structure,
                    heap::ARRAY => gc.kinds.array,
                    other => unreachable!("heap type {other}"),
                };
                self.load_header(temp, reg, gc.kind, base);
                self.w().alu(Alu::And, Width::W32, temp, temp, Src::imm(bits.cast_signed()));
                self.w().cmp(Width::W32, temp, Src::imm(bits.cast_signed())).branch(Cond::Ne, no);
            }
            Ok(index) => {
                let facts = self.facts();
                if ty == Ty::FuncRef {
                    self.w().load(Load::I32, temp, Addr::base(reg, facts.ctx.funcref_type));
                } else {
                    let gc = self.gc();
                    self.load_header(temp, reg, gc.type_id, base);
                }
                self.check_type_id(temp, facts.type_id_offsets[index], facts.final_types[index], yes, no);
            }
        }
    }

    /// A word of an object's header.
    fn load_header(&mut self, d: Reg, object: Reg, offset: i32, base: Option<Reg>) {
        self.check_in_heap(object, offset.cast_unsigned() + 4);
        let base = base.unwrap_or_else(|| {
            self.heap_base(I::SCRATCH);
            I::SCRATCH
        });
        self.w().load(Load::I32, d, Addr::indexed(base, object, 0, offset));
    }

    /// Goes to `no` unless the type whose id is in a register, which is destroyed, is another or a subtype of it; goes
    /// to `yes`, or on, if it is.
    pub(crate) fn check_type_id(&mut self, actual: Reg, expected: i32, is_final: bool, yes: Label, no: Label) {
        let facts = self.facts();
        let compare = |w: &mut Writer<I>, expected: i32, cond: Cond, to: Label| {
            w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, facts.ctx.type_ids));
            w.cmp(Width::W32, actual, Src::Mem(Addr::base(I::SCRATCH, expected))).branch(cond, to);
        };
        if is_final {
            return compare(self.w(), expected, Cond::Ne, no);
        }
        compare(self.w(), expected, Cond::Eq, yes);
        // Some subtypes of this very module are tried before the host is asked.
        for subtype in facts.subtypes_of(expected) {
            compare(self.w(), subtype, Cond::Eq, yes);
        }
        let [ask, answered] = self.labels();
        self.jump(ask);
        self.bind(answered);
        self.w().branch_zero(Width::W32, actual, no);
        self.stub(ask, answered, StubKind::IsSubtype { actual, expected }, RegSet::EMPTY);
    }
}
