//! Arrays: elements in line, and routines for all that is long.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::objects::gc::load_of;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Operand, OperandLoc};
use crate::emit::values::zero_bits;
use crate::isa::{Cond, Isa, Load, Src};
use crate::treaty::code::TrapCode;
use crate::treaty::facts::{Storage, Work};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, RegClass, RegSet};

/// Whether whoever asks for an address has a use of his own for the scratch register before he has used the address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scratch {
    IsFree,
    IsWanted,
}

impl<I: Isa> FuncGen<'_, I> {
    /// Pops an index and an array, checks both, and gives the address of the element and what goes free after use.
    fn element_address(&mut self, ty: u32, scratch: Scratch) -> (Addr, Held) {
        let gc = self.gc();
        let field = self.object(ty).fields[0];
        let mut index = self.pop();
        let mut array = self.pop();
        let at = self.operand_reg(&mut index);
        let reg = self.operand_reg(&mut array);
        self.check_null(Ty::GcRef, reg);
        let element = if array.is_own_reg() { reg } else { self.take(RegClass::Int) };
        self.check_in_heap(reg, gc.array_length.cast_unsigned() + 4);
        let kept = self.heap_in_register();
        let heap = kept.unwrap_or(I::SCRATCH);
        if kept.is_none() {
            self.heap_base(heap);
        }
        let trap = self.w.trap_label(TrapCode::ArrayOutOfBounds);
        self.w.cmp(Width::W32, at, Src::Mem(Addr::indexed(heap, reg, 0, gc.array_length))).branch(Cond::GeU, trap);
        // In 32 bits: whatever the heap has for a length, the element is in the heap.
        match field.storage.log2() {
            4 => {
                // No address has such a scale.
                self.w.lea(Width::W32, element, Addr::indexed(reg, at, 3, 0));
                self.w.lea(Width::W32, element, Addr::indexed(element, at, 3, field.offset));
            }
            log2 => self.w.lea(Width::W32, element, Addr::indexed(reg, at, log2, field.offset)),
        }
        let held = Held::of(RegSet::one(element).or(index.owned()));
        let is_lost = self.check_in_heap(element, 1 << field.storage.log2());
        let address = Addr::indexed(heap, element, 0, 0);
        if kept.is_some() {
            return (address, held);
        }
        if is_lost {
            self.heap_base(heap);
        }
        match scratch {
            Scratch::IsFree => (address, held),
            Scratch::IsWanted => {
                self.w.lea(Width::W64, element, address);
                (Addr::base(element, 0), held)
            }
        }
    }

    pub(crate) fn array_get(&mut self, signed: bool) {
        let ty = self.reader.u32();
        let storage = self.object(ty).fields[0].storage;
        let (from, held) = self.element_address(ty, Scratch::IsFree);
        let (d, held) = self.dest_of(storage, held);
        self.w.load(load_of(storage, signed), d, from);
        self.give(held);
        self.push_loaded(storage, d);
    }

    pub(crate) fn array_set(&mut self) {
        let ty = self.reader.u32();
        let storage = self.object(ty).fields[0].storage;
        if let Storage::Func(_) = storage {
            self.intern_top();
        }
        let value = self.pop();
        // A value that is in no register goes by way of the scratch register.
        let scratch = if value.as_reg().is_some() { Scratch::IsFree } else { Scratch::IsWanted };
        let (to, held) = self.element_address(ty, scratch);
        self.write_field(storage, to, &value, held);
    }

    pub(crate) fn array_len(&mut self) {
        let mut array = self.pop();
        let reg = self.operand_reg(&mut array);
        self.check_null(Ty::GcRef, reg);
        self.check_in_heap(reg, self.gc().array_length.cast_unsigned() + 4);
        let base = self.heap_or(I::SCRATCH);
        let (d, held) = self.dest_over(Ty::I32, Held::of(array.owned()));
        let length = self.gc().array_length;
        self.w.load(Load::I32, d, Addr::indexed(base, reg, 0, length));
        self.give(held);
        self.push_reg(Ty::I32, d);
    }

    pub(crate) fn array_new_fixed(&mut self) {
        let ty = self.reader.u32();
        let count = self.reader.u32();
        let object = self.object(ty);
        let (field, base) = (object.fields[0], object.size);
        let size = base + (count << field.storage.log2());
        self.object_of_top(ty, size, count as usize, |i| {
            (field.storage, field.offset + ((i as i32) << field.storage.log2()))
        });
    }

    /// Calls a routine over arrays; a collector may run meanwhile if it makes one.
    fn array_routine(&mut self, call: RoutineCall<Operand>) {
        self.vacate_registers(RegSet::EMPTY);
        self.save_homes();
        self.call_routine(call);
        let (routine, operands) = call.parts();
        if routine.collects() {
            self.safepoint();
        }
        for operand in operands.as_slice() {
            self.done(operand);
        }
        self.drop_copies();
        self.restore_homes();
    }

    /// Makes an array of the length that an operand is, without its elements, and pushes it.
    fn push_new_array(&mut self, ty: u32, length: Operand) {
        self.array_routine(RoutineCall::ArrayNew { ty, length });
        self.push_libcall_result(Ty::GcRef);
    }

    /// The entry of the stack at a position, which is in its slot, as a routine takes it: bits, or the address of a
    /// vector.
    fn bits_at(&mut self, at: usize) -> Operand {
        let ty = self.stack[at].ty;
        let slot = self.slot(at, ty);
        if ty == Ty::V128 {
            let address = self.take(RegClass::Int);
            self.w.lea(Width::W64, address, slot);
            return Operand::own(Ty::I64, address);
        }
        let int = match ty.width() {
            Width::W32 => Ty::I32,
            Width::W64 => Ty::I64,
        };
        Operand::memory(int, slot)
    }

    /// Takes a new array from the top and puts it in the place of the `below` entries under it.
    fn leave_array(&mut self, below: usize) {
        let array = self.pop_owned();
        self.drop_top(below);
        self.push_reg(Ty::GcRef, array);
    }

    pub(crate) fn array_new(&mut self) {
        let ty = self.reader.u32();
        let length = self.pop();
        self.charge_units(Work::ArrayNew, &length);
        self.push_new_array(ty, length);
        self.fill_new(ty);
        self.leave_array(1);
    }

    /// Fills the new array on top with the value below it.
    fn fill_new(&mut self, ty: u32) {
        self.flush_all();
        let at = self.stack.len() - 1;
        let mut bits = self.bits_at(at - 1);
        if let Storage::Func(_) = self.object(ty).fields[0].storage {
            self.libcall(Libcall::GcIntern, &[Arg::Ctx, Arg::Operand(bits)]);
            self.push_libcall_result(Ty::I32);
            bits = self.pop();
        }
        let array = self.bits_at(at);
        self.array_routine(RoutineCall::ArrayInit { ty, array, bits });
    }

    pub(crate) fn array_new_default(&mut self) {
        let ty = self.reader.u32();
        let length = self.pop();
        self.charge_units(Work::ArrayNewDefault, &length);
        let storage = self.object(ty).fields[0].storage;
        self.push_const(storage.ty(), zero_bits(storage.ty()));
        self.push_new_array(ty, length);
        self.fill_new(ty);
        self.leave_array(1);
    }

    pub(crate) fn array_new_data(&mut self) {
        let ty = self.reader.u32();
        let segment = self.reader.u32();
        self.array_from_segment(ty, Segment::Data(segment));
    }

    pub(crate) fn array_new_elem(&mut self) {
        let ty = self.reader.u32();
        let segment = self.reader.u32();
        self.array_from_segment(ty, Segment::Elem(segment));
    }

    /// Makes an array of a part of a segment: position and length are on top.
    fn array_from_segment(&mut self, ty: u32, segment: Segment) {
        if self.meters() {
            let length = self.pop();
            self.charge_units(segment.new_work(), &length);
            self.push_operand(&length);
        }
        self.flush_all();
        let at = self.stack.len() - 2;
        let (position, length) = (self.bits_at(at), self.bits_at(at + 1));
        self.array_routine(match segment {
            Segment::Data(segment) => RoutineCall::ArrayCheckData { ty, segment, position, length },
            Segment::Elem(segment) => RoutineCall::ArrayCheckElem { segment, position, length },
        });
        self.push_new_array(ty, length);
        self.flush_all();
        let array = self.bits_at(at + 2);
        let zero = Operand::constant(Ty::I32, 0);
        if let Segment::Elem(_) = segment {
            // Elements are overwritten, which reads what was there.
            self.array_routine(RoutineCall::ArrayInit { ty, array, bits: zero });
        }
        self.array_routine(segment.init(ty, [array, zero], position, length));
        self.leave_array(2);
    }

    pub(crate) fn array_fill(&mut self) {
        let ty = self.reader.u32();
        let length = self.pop();
        self.charge_units(Work::ArrayFill, &length);
        let storage = self.object(ty).fields[0].storage;
        if let Storage::Number(Ty::V128) = storage {
            self.push_operand(&length);
            self.flush_all();
            let address = self.bits_at(self.stack.len() - 2);
            let length = self.pop();
            self.pop_value();
            return self.fill_with(ty, address, length);
        }
        if let Storage::Func(_) = storage {
            // The length waits on the stack while the host is asked.
            self.push_operand(&length);
            self.flush_all();
            let bits = self.bits_at(self.stack.len() - 2);
            self.libcall(Libcall::GcIntern, &[Arg::Ctx, Arg::Operand(Operand::memory(Ty::FuncRef, address_of(&bits)))]);
            self.push_libcall_result(Ty::I32);
            let number = self.pop();
            let length = self.pop();
            self.pop_value();
            return self.fill_with(ty, number, length);
        }
        let bits = self.pop_bits();
        self.fill_with(ty, bits, length);
    }

    fn fill_with(&mut self, ty: u32, bits: Operand, length: Operand) {
        let index = self.pop();
        let array = self.pop();
        self.array_routine(RoutineCall::ArrayFill { ty, array, index, bits, length });
    }

    /// Pops a value as bits in an integer register, in memory, or as a constant.
    fn pop_bits(&mut self) -> Operand {
        let operand = self.pop();
        let ty = operand.ty();
        if !ty.is_float() {
            return operand;
        }
        let int = if ty == Ty::F32 { Ty::I32 } else { Ty::I64 };
        match operand.loc() {
            OperandLoc::Const(bits) => Operand::constant(int, bits),
            OperandLoc::Mem(addr) if operand.owned().is_empty() && !operand.faults() => Operand::memory(int, addr),
            _ => {
                let mut operand = operand;
                let from = self.operand_reg(&mut operand);
                let reg = self.take(RegClass::Int);
                self.w.bits(ty.width(), reg, from);
                self.done(&operand);
                Operand::own(int, reg)
            }
        }
    }

    pub(crate) fn array_copy(&mut self) {
        let ty = self.reader.u32();
        let _from = self.reader.u32();
        let length = self.pop();
        self.charge_units(Work::ArrayCopy, &length);
        let [source_index, source, index, array] = [(); 4].map(|()| self.pop());
        self.array_routine(RoutineCall::ArrayCopy { ty, array, index, source, source_index, length });
    }

    pub(crate) fn array_init_data(&mut self) {
        let ty = self.reader.u32();
        let segment = self.reader.u32();
        self.init_from_segment(ty, Segment::Data(segment));
    }

    pub(crate) fn array_init_elem(&mut self) {
        let ty = self.reader.u32();
        let segment = self.reader.u32();
        self.init_from_segment(ty, Segment::Elem(segment));
    }

    fn init_from_segment(&mut self, ty: u32, segment: Segment) {
        let length = self.pop();
        self.charge_units(segment.init_work(), &length);
        let [position, index, array] = [(); 3].map(|()| self.pop());
        self.array_routine(segment.init(ty, [array, index], position, length));
    }
}

/// What the elements of an array come from.
#[derive(Clone, Copy)]
enum Segment {
    Data(u32),
    Elem(u32),
}

impl Segment {
    /// Making an array of it, and writing it to one that is there.
    fn new_work(self) -> Work {
        match self {
            Segment::Data(_) => Work::ArrayNewData,
            Segment::Elem(_) => Work::ArrayNewElem,
        }
    }

    fn init_work(self) -> Work {
        match self {
            Segment::Data(_) => Work::ArrayInitData,
            Segment::Elem(_) => Work::ArrayInitElem,
        }
    }

    /// Writes so many elements from a position of the segment on to an array, from an index on.
    fn init<T>(self, ty: u32, [array, index]: [T; 2], position: T, length: T) -> RoutineCall<T> {
        match self {
            Segment::Data(segment) => RoutineCall::ArrayInitData { ty, segment, array, index, position, length },
            Segment::Elem(segment) => RoutineCall::ArrayInitElem { ty, segment, array, index, position, length },
        }
    }
}

/// Where an operand in memory is.
fn address_of(operand: &Operand) -> Addr {
    match operand.loc() {
        OperandLoc::Mem(addr) => addr,
        _ => unreachable!("it is in its slot"),
    }
}
