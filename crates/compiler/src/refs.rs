//! References, to functions and objects alike: null checks, branches on null, tests and casts.
//!
//! A reference to an object is 0 for null, has bit 0 set if it is a small number, and else says where the object is.

use crate::code::TrapCode;
use crate::compile::FuncGen;
use crate::facts::GcFacts;
use crate::isa::{Alu, Amount, AsmBuffer, Cond, Isa, Load, Shift, Src};
use crate::meter::StubKind;
use crate::regs::Kept;
use crate::ty::{Ty, Width};
use crate::value::{Loc, Value};
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

impl<I: Isa> FuncGen<'_, I> {
    // ---- null

    /// Takes the top of the stack off, in a register that may be read, to be put back as it is by `put_back`.
    pub(crate) fn pop_kept(&mut self) -> Kept {
        let value = *self.stack.last().expect("validated");
        if let Loc::Local(_) | Loc::Reg(_) = value.loc {
            let (reg, _) = self.pop_reg();
            return Kept { value, reg };
        }
        let reg = self.pop_owned();
        Kept { value: Value::reg(value.ty, reg), reg }
    }

    /// Puts it back.
    pub(crate) fn put_back(&mut self, kept: Kept) {
        self.push(kept.value);
    }

    /// Lets the flags tell whether a register holds null.
    fn test_null(&mut self, ty: Ty, reg: Reg) {
        if ty == Ty::ContRef {
            return self.test_null_cont(reg);
        }
        I::test(&mut self.out.asm, ty.width(), reg, Src::Reg(reg));
    }

    /// Traps if a register holds null.
    pub(crate) fn check_null(&mut self, ty: Ty, reg: Reg) {
        let null = self.trap_label(TrapCode::NullReference);
        self.test_null(ty, reg);
        I::jcc(&mut self.out.asm, Cond::Eq, null);
    }

    pub(crate) fn ref_as_non_null(&mut self) {
        let kept = self.pop_kept();
        self.check_null(kept.value.ty, kept.reg);
        self.put_back(kept);
    }

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
        self.test_null(kept.value.ty, kept.reg);
        self.branch_if(Cond::Eq, depth);
        self.put_back(kept);
    }

    pub(crate) fn br_on_non_null(&mut self) {
        let depth = self.reader.u32();
        self.charge_fuel();
        let kept = self.pop_kept();
        self.test_null(kept.value.ty, kept.reg);
        self.put_back(kept);
        self.branch_if(Cond::Ne, depth);
        let value = self.pop_value();
        self.drop_value(value);
    }

    // ---- numbers

    pub(crate) fn ref_i31(&mut self) {
        let (reg, owned) = self.pop_reg();
        let d = if owned.has(reg) { reg } else { self.take(RegClass::Int) };
        I::lea(&mut self.out.asm, Width::W32, d, Addr::indexed(reg, reg, 0, NUMBER));
        self.push_reg(Ty::GcRef, d);
    }

    pub(crate) fn i31_get(&mut self, signed: bool) {
        let mut operand = self.pop();
        let reg = self.operand_reg(&mut operand);
        self.check_null(Ty::GcRef, reg);
        let d = if operand.is_own_reg() { reg } else { self.dest(Ty::I32, RegSet::EMPTY) };
        let cpu = self.facts.settings.cpu;
        let op = if signed { Shift::ShrS } else { Shift::ShrU };
        I::shift(&mut self.out.asm, &cpu, op, Width::W32, d, reg, Amount::Imm(1));
        self.push_reg(Ty::I32, d);
    }

    // ---- types

    /// The heap of the collector, of which there is one if there are objects whose types can be asked for.
    pub(crate) fn gc(&self) -> GcFacts {
        self.facts.gc.expect("a module that has to do with objects has a collector")
    }

    /// Goes to `yes` or to `no`, whether or not the reference in a register is of a heap type, or null if that is
    /// allowed. `yes` is bound by the caller right behind.
    fn test_type(&mut self, reg: Reg, ty: Ty, heap: i64, nullable: bool, yes: Label, no: Label) {
        let always = |a: &mut I::Asm, to: Label| I::jmp(a, to);
        match heap {
            heap::NO_EXN | heap::NO_FUNC | heap::NO_EXTERN | heap::NONE => {
                if nullable {
                    self.test_null(ty, reg);
                    I::jcc(&mut self.out.asm, Cond::Ne, no);
                } else {
                    always(&mut self.out.asm, no);
                }
                return;
            }
            heap::FUNC | heap::EXTERN | heap::ANY | heap::EXN => {
                if !nullable {
                    self.test_null(ty, reg);
                    I::jcc(&mut self.out.asm, Cond::Eq, no);
                }
                return;
            }
            _ => {}
        }
        // Before the first branch: what has to give way is stored on every path.
        let temp = self.take(RegClass::Int);
        self.test_null(ty, reg);
        I::jcc(&mut self.out.asm, Cond::Eq, if nullable { yes } else { no });
        if ty == Ty::GcRef {
            I::test(&mut self.out.asm, Width::W32, reg, Src::Imm(NUMBER));
            if heap == heap::I31 {
                I::jcc(&mut self.out.asm, Cond::Eq, no);
                return self.release(temp);
            }
            I::jcc(&mut self.out.asm, Cond::Ne, if heap == heap::EQ { yes } else { no });
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
                self.load_header(temp, reg, gc.kind);
                I::alu(&mut self.out.asm, Alu::And, Width::W32, temp, temp, Src::Imm(bits.cast_signed()));
                I::cmp(&mut self.out.asm, Width::W32, temp, Src::Imm(bits.cast_signed()));
                I::jcc(&mut self.out.asm, Cond::Ne, no);
            }
            Ok(index) => {
                let expected = self.facts.type_id_offsets[index];
                if ty == Ty::FuncRef {
                    let at = Addr::base(reg, self.facts.ctx.funcref_type);
                    I::load(&mut self.out.asm, Load::I32, temp, at);
                } else {
                    let gc = self.gc();
                    self.load_header(temp, reg, gc.type_id);
                }
                self.check_type_id(temp, expected, self.facts.final_types[index], no);
            }
        }
        self.release(temp);
    }

    /// A word of an object's header.
    fn load_header(&mut self, d: Reg, object: Reg, offset: i32) {
        self.check_in_heap(object, offset.cast_unsigned() + 4);
        let base = self.heap_or(I::SCRATCH);
        I::load(&mut self.out.asm, Load::I32, d, Addr::indexed(base, object, 0, offset));
    }

    /// Goes to `no` unless the type whose id is in a register, which is destroyed, is another or a subtype of it.
    pub(crate) fn check_type_id(&mut self, actual: Reg, expected: i32, is_final: bool, no: Label) {
        I::load(&mut self.out.asm, Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.type_ids));
        let id = Addr::base(I::SCRATCH, expected);
        I::cmp(&mut self.out.asm, Width::W32, actual, Src::Mem(id));
        if is_final {
            I::jcc(&mut self.out.asm, Cond::Ne, no);
            return;
        }
        let known = self.out.asm.label();
        I::jcc(&mut self.out.asm, Cond::Eq, known);
        // Some subtypes of this very module are tried before the host is asked.
        for subtype in self.facts.subtypes_of(expected) {
            I::load(&mut self.out.asm, Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.type_ids));
            let id = Addr::base(I::SCRATCH, subtype);
            I::cmp(&mut self.out.asm, Width::W32, actual, Src::Mem(id));
            I::jcc(&mut self.out.asm, Cond::Eq, known);
        }
        let ask = self.out.asm.label();
        let resume = self.out.asm.label();
        I::jmp(&mut self.out.asm, ask);
        self.out.asm.bind(resume);
        I::test(&mut self.out.asm, Width::W32, actual, Src::Reg(actual));
        I::jcc(&mut self.out.asm, Cond::Eq, no);
        self.out.asm.bind(known);
        self.add_stub_at(ask, resume, StubKind::IsSubtype { actual, expected });
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
        let [yes, no, done] = [(); 3].map(|()| self.out.asm.label());
        self.test_type(kept.reg, kept.value.ty, heap, nullable, yes, no);
        self.out.asm.bind(yes);
        I::iconst(&mut self.out.asm, Width::W32, d, 1, false);
        I::jmp(&mut self.out.asm, done);
        self.out.asm.bind(no);
        I::iconst(&mut self.out.asm, Width::W32, d, 0, false);
        self.out.asm.bind(done);
    }

    pub(crate) fn ref_cast(&mut self, nullable: bool) {
        let heap = self.reader.i64();
        let kept = self.pop_kept();
        let yes = self.out.asm.label();
        let no = self.trap_label(TrapCode::CastFailure);
        self.test_type(kept.reg, kept.value.ty, heap, nullable, yes, no);
        self.out.asm.bind(yes);
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
            let temp = self.take(RegClass::Int);
            self.load_header(temp, kept.reg, self.gc().type_id);
            I::load(&mut self.out.asm, Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.type_ids));
            let expected = Addr::base(I::SCRATCH, self.facts.type_id_offsets[index]);
            I::cmp(&mut self.out.asm, Width::W32, temp, Src::Mem(expected));
            self.release(temp);
            self.put_back(kept);
            return self.branch_if(if on_failure { Cond::Ne } else { Cond::Eq }, depth);
        }
        let d = self.take(RegClass::Int);
        self.type_to_bool(d, &kept, heap, flags & 2 != 0);
        self.put_back(kept);
        I::test(&mut self.out.asm, Width::W32, d, Src::Reg(d));
        self.release(d);
        self.branch_if(if on_failure { Cond::Eq } else { Cond::Ne }, depth);
    }
}
