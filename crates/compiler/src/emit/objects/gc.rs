//! Objects of the collector's heap: how they are made, structures, and the barriers of a collector that counts
//! references.
//!
//! An object is made with the values of its fields still on the stack, where a collector finds the references among
//! them; then they are taken off and stored. While an operator holds a reference in a register, nothing may collect.

use crate::emit::FuncGen;
use crate::emit::calling::Arg;
use crate::emit::stub::StubKind;
use crate::emit::values::held::Held;
use crate::emit::values::value::{Operand, OperandLoc};
use crate::emit::values::zero_bits;
use crate::isa::{Alu, Cond, Isa, Load, Src, Store};
use crate::operators::policy::MANY_FIELDS;
use crate::treaty::facts::{Collector, ObjectFact, Storage};
use crate::treaty::fault::{Fault, without};
use crate::treaty::libcall::Libcall;
use crate::treaty::routine::RoutineCall;
use crate::treaty::ty::{Ty, Width};
use lightbeam_asm::{Addr, Reg, RegClass, RegSet};

/// The store of a value that is kept like this. A function reference is a number by then.
pub(crate) const fn store_of(storage: Storage) -> Store {
    match storage {
        Storage::I8 => Store::B8,
        Storage::I16 => Store::B16,
        Storage::Number(ty) => Store::of(ty),
        Storage::Gc { .. } | Storage::Func(_) => Store::B32,
    }
}

/// The load of a value that is kept like this, likewise.
pub(crate) const fn load_of(storage: Storage, signed: bool) -> Load {
    match (storage, signed) {
        (Storage::I8, false) => Load::I32U8,
        (Storage::I8, true) => Load::I32S8,
        (Storage::I16, false) => Load::I32U16,
        (Storage::I16, true) => Load::I32S16,
        (Storage::Number(ty), _) => Load::of(ty),
        (Storage::Gc { .. } | Storage::Func(_), _) => Load::I32,
    }
}

impl<I: Isa> FuncGen<'_, I> {
    /// Traps unless the heap reaches beyond a field, where guard pages do not see to that.
    fn check_field(&mut self, reference: Reg, offset: i32, storage: Storage) {
        self.check_in_heap(reference, offset.cast_unsigned() + (1 << storage.log2()));
    }

    // ---- barriers

    /// Pushes a reference that came out of memory, in a register that the caller owns.
    pub(crate) fn push_exposed(&mut self, reg: Reg) {
        let gc = self.gc();
        let Collector::Counting(counting) = gc.collector else { return self.push_reg(Ty::GcRef, reg) };
        let temp = self.take(RegClass::Int);
        // The result has its place on the stack before anything branches: a full window gives an entry way for it.
        let late = without(Fault::PushBehindStub);
        if !late {
            self.push_reg(Ty::GcRef, reg);
        }
        let mut frozen = self.freeze();
        let [insert, done] = frozen.labels();
        frozen.w().branch_zero(Width::W32, reg, done);
        frozen.w().test(Width::W32, reg, Src::Imm(1)).branch(Cond::Ne, done);
        frozen.check_in_heap(reg, gc.kind.cast_unsigned() + 4);
        frozen.heap_base(temp);
        frozen.w().load(Load::I32, temp, Addr::indexed(temp, reg, 0, gc.kind));
        frozen.w().test(Width::W32, temp, Src::imm(counting.listed.cast_signed())).branch(Cond::Eq, insert);
        if late {
            frozen.bind(done);
            frozen.push_by_fault(Ty::GcRef, reg);
            let behind = frozen.label();
            frozen.stub(insert, done, StubKind::Expose { reference: reg }, RegSet::one(temp));
            frozen.meet(behind);
        } else {
            frozen.stub(insert, done, StubKind::Expose { reference: reg }, RegSet::one(temp));
            frozen.meet(done);
        }
        self.release(temp);
    }

    /// Overwrites the reference at an address, which is in a register that the caller owns, where references are
    /// counted. What is held goes back with it.
    pub(crate) fn set_reference(&mut self, address: Reg, value: &Operand, held: Held) {
        self.vacate_registers(RegSet::EMPTY);
        self.save_homes();
        let address_of_old = Operand::own(Ty::I64, address);
        self.call_routine(RoutineCall::SetReference { address: address_of_old, reference: *value });
        self.release(address);
        self.give(held);
        self.drop_copies();
        self.restore_homes();
    }

    /// Counts a reference that is about to be written to a new object.
    pub(crate) fn count(&mut self, storage: Storage, base: Reg, reference: Reg) {
        let (Storage::Gc { traced: true }, Collector::Counting(counting)) = (storage, self.gc().collector) else {
            return;
        };
        if without(Fault::CountedReferences) {
            return;
        }
        let mut frozen = self.freeze();
        let done = frozen.label();
        frozen.w().branch_zero(Width::W32, reference, done);
        frozen.w().test(Width::W32, reference, Src::Imm(1)).branch(Cond::Ne, done);
        frozen.check_in_heap(reference, counting.count.cast_unsigned() + 8);
        let count = Addr::indexed(base, reference, 0, counting.count);
        frozen.w().alu_mem(Alu::Add, Width::W64, count, Src::Imm(1));
        frozen.meet(done);
    }

    // ---- values in memory

    /// Stores an operand, whose type may be wider than what is stored.
    fn store_operand(&mut self, op: Store, to: Addr, operand: &Operand) {
        let reg = match operand.loc() {
            OperandLoc::Reg(reg) => reg,
            OperandLoc::Const(bits) if op != Store::V128 => return self.store_bits(op, to, bits),
            OperandLoc::Const(_) | OperandLoc::Mem(_) => {
                let scratch = I::scratch(operand.ty().class());
                self.load_operand(scratch, operand);
                scratch
            }
        };
        self.w.store(op, to, reg);
    }

    /// Pops a value into a field of a new object.
    fn init_field(&mut self, storage: Storage, base: Reg, to: Addr) {
        let mut operand = self.pop();
        if let Storage::Gc { traced: true } = storage
            && self.facts.counts()
            && operand.as_const().is_none()
        {
            let reg = self.operand_reg(&mut operand);
            self.count(storage, base, reg);
        }
        self.store_operand(store_of(storage), to, &operand);
        self.done(&operand);
    }

    /// Replaces the function reference on top by the number that the heap has for it.
    pub(crate) fn intern_top(&mut self) {
        let reference = self.pop();
        self.libcall(Libcall::GcIntern, &[Arg::Ctx, Arg::Operand(reference)]);
        self.push_libcall_result(Ty::I32);
    }

    /// Pushes what a load of a field has given: a value, or a number for a function reference.
    pub(crate) fn push_loaded(&mut self, storage: Storage, reg: Reg) {
        match storage {
            Storage::Gc { traced: true } => self.push_exposed(reg),
            Storage::Func(ty) => {
                let number = Arg::Operand(Operand::own(Ty::I32, reg));
                self.libcall(Libcall::GcInterned, &[Arg::Ctx, number, Arg::Imm(u64::from(ty))]);
                self.push_libcall_result(Ty::FuncRef);
            }
            other => self.push_reg(other.ty(), reg),
        }
    }

    /// The register for a field, loaded by the instruction that is the last to read what is held.
    pub(crate) fn dest_of(&mut self, storage: Storage, held: Held) -> (Reg, Held) {
        if without(Fault::ReleasedBeforeRead) {
            self.give(held);
            return self.dest_over(
                if matches!(storage, Storage::Gc { .. } | Storage::Func(_)) { Ty::I32 } else { storage.ty() },
                Held::NONE,
            );
        }
        match storage {
            Storage::Gc { .. } | Storage::Func(_) => self.take_over(RegClass::Int, held),
            other => self.dest_over(other.ty(), held),
        }
    }

    // ---- making objects

    /// Arguments to have an object made of so many bytes.
    pub(crate) fn alloc_args(&self, ty: u32, size: Arg) -> [Arg; 5] {
        let object = self.object(ty);
        let id = self.facts.type_id_offsets[ty as usize];
        [Arg::Ctx, Arg::Imm(u64::from(object.kind)), Arg::TypeId(id), size, Arg::Imm(u64::from(object.align))]
    }

    /// Before the host is asked for an object, where nothing is in a register: in a heap that is never collected, there
    /// has to be room for it.
    pub(crate) fn make_room(&mut self, size: u32, align: u32) {
        if let Collector::None { .. } = self.gc().collector {
            let [bytes, alignment] = [size, align - 1].map(|bits| Operand::constant(Ty::I32, u64::from(bits)));
            self.call_routine(RoutineCall::MakeRoom { bytes, alignment });
        }
    }

    pub(crate) fn object(&self, ty: u32) -> &ObjectFact {
        self.facts.objects[ty as usize].as_ref().expect("validated as a type of objects")
    }

    /// Makes an object of so many bytes, its header written; gives the reference, in a register that the caller owns,
    /// and where the heap begins, as `heap_kept` does.
    fn new_object(&mut self, ty: u32, size: u32) -> (Reg, Reg, Held) {
        if self.facts.counts() {
            let args = self.alloc_args(ty, Arg::Imm(u64::from(size)));
            self.libcall(Libcall::GcAlloc, &args);
            let object = self.take_result_of_call(Ty::GcRef);
            let (base, held) = self.heap_kept();
            return (object, base, held);
        }
        let gc = self.gc();
        let id = self.facts.type_id_offsets[ty as usize];
        let [data, object, temp] = [(); 3].map(|()| self.take(RegClass::Int));
        let kept = self.heap_in_register();
        let ObjectFact { mut kind, align: object_align, .. } = *self.object(ty);
        let ctx = self.facts.ctx;
        let mut frozen = self.freeze();
        let [slow, resume] = frozen.labels();
        frozen.w().load(Load::I64, data, Addr::base(I::CTX, gc.data));
        let (free, size, size_at) = match gc.collector {
            Collector::Copying { free, end, size: size_at, align } => {
                let size = size.next_multiple_of(align);
                frozen.w().load(Load::I32, object, Addr::base(data, free));
                frozen.w().load(Load::I32, temp, Addr::base(data, end));
                // Free space never ends before it begins.
                frozen.w().alu(Alu::Sub, Width::W32, temp, temp, Src::Reg(object));
                frozen.w().cmp(Width::W32, temp, Src::imm(size.cast_signed())).branch(Cond::LtU, slow);
                frozen.w().lea(Width::W32, temp, Addr::base(object, size.cast_signed()));
                (free, size, Some(size_at))
            }
            Collector::None { free, kind_bits } => {
                debug_assert_eq!(size & kind_bits, 0, "so many fields or operands are refused before");
                kind |= size;
                frozen.w().load(Load::I32, object, Addr::base(data, free));
                // In 64 bits nothing wraps.
                frozen.w().alu(Alu::Add, Width::W64, object, object, Src::imm(object_align.cast_signed() - 1));
                frozen.w().alu(Alu::And, Width::W64, object, object, Src::imm(-object_align.cast_signed()));
                frozen.w().lea(Width::W64, temp, Addr::base(object, size.cast_signed()));
                frozen.w().load(Load::I64, I::SCRATCH, Addr::base(I::CTX, ctx.store));
                let length = Src::Mem(Addr::base(I::SCRATCH, gc.heap_length));
                // The host sees to what ends with the heap: there, free space may begin at 2^32, which is no `u32`.
                frozen.w().cmp(Width::W64, temp, length).branch(Cond::GeU, slow);
                (free, size, None)
            }
            Collector::Counting(_) => unreachable!("the host makes these"),
        };
        frozen.w().store(Store::B32, Addr::base(data, free), temp);
        let base = kept.unwrap_or_else(|| {
            frozen.heap_base(data);
            data
        });
        frozen.w().store_imm(Store::B32, Addr::indexed(base, object, 0, gc.kind), i64::from(kind.cast_signed()));
        frozen.w().load(Load::I64, temp, Addr::base(I::CTX, ctx.type_ids));
        frozen.w().load(Load::I32, temp, Addr::base(temp, id));
        frozen.w().store(Store::B32, Addr::indexed(base, object, 0, gc.type_id), temp);
        if let Some(size_at) = size_at {
            frozen.w().store_imm(Store::B32, Addr::indexed(base, object, 0, size_at), i64::from(size.cast_signed()));
        }
        let mut done = RegSet::one(temp);
        if kept.is_some() {
            done.add(data);
        }
        let base_out = if kept.is_none() { Some(data) } else { None };
        frozen.stub(slow, resume, StubKind::NewObject { ty, size, out: object, base: base_out }, done);
        frozen.meet(resume);
        self.give_back(done);
        (object, base, if kept.is_none() { Held::of(RegSet::one(data)) } else { Held::NONE })
    }

    pub(crate) fn struct_new(&mut self) {
        let ty = self.reader.u32();
        self.struct_of_top(ty);
    }

    /// Makes a structure of the values on top.
    fn struct_of_top(&mut self, ty: u32) {
        let facts = self.facts;
        let object = facts.objects[ty as usize].as_ref().expect("validated as a structure type");
        self.object_of_top(ty, object.size, object.fields.len(), |i| {
            let field = object.fields[i];
            (field.storage, field.offset)
        });
    }

    /// Makes an object of so many values on top, each of which is kept as `field` says.
    pub(crate) fn object_of_top(&mut self, ty: u32, size: u32, count: usize, field: impl Fn(usize) -> (Storage, i32)) {
        self.w.counters.steps += count as u64;
        if self.object(ty).functions {
            return self.object_of_functions(ty, size, count, field);
        }
        let (object, base, held) = self.new_object(ty, size);
        self.write_length(ty, count, object, base);
        for i in (0..count).rev() {
            if i & 7 == 7 && self.w.check_budget() {
                // The values need not be there any more, nor anything else.
                self.drop_top(i + 1);
                break;
            }
            let (storage, offset) = field(i);
            self.init_field(storage, base, Addr::indexed(base, object, 0, offset));
        }
        self.give(held);
        self.push_reg(Ty::GcRef, object);
    }

    /// The length of an array is part of its header.
    fn write_length(&mut self, ty: u32, length: usize, object: Reg, base: Reg) {
        if self.object(ty).array {
            let at = Addr::indexed(base, object, 0, self.gc().array_length);
            self.w.store_imm(Store::B32, at, length as i64);
        }
    }

    /// As `object_of_top` where the host is asked about each function reference: everything is in slots meanwhile.
    fn object_of_functions(&mut self, ty: u32, size: u32, count: usize, field: impl Fn(usize) -> (Storage, i32)) {
        self.flush_all();
        let first = self.stack.len() - count;
        let (object, base, held) = self.new_object(ty, size);
        self.write_length(ty, count, object, base);
        self.give(held);
        self.push_reg(Ty::GcRef, object);
        for i in 0..count {
            if self.w.check_budget() {
                break;
            }
            let (storage, offset) = field(i);
            let slot = self.slot(first + i, storage.ty());
            let mut value = Operand::memory(storage.ty(), slot);
            if let Storage::Func(_) = storage {
                self.libcall(Libcall::GcIntern, &[Arg::Ctx, Arg::Operand(value)]);
                self.push_libcall_result(Ty::I32);
                value = self.pop();
            }
            let object = self.pop_kept();
            // The object was in a slot while the host was asked.
            self.check_field(object.reg, offset, storage);
            let (base, held) = self.heap_kept();
            if let Storage::Gc { traced: true } = storage {
                let reg = self.operand_reg(&mut value);
                self.count(storage, base, reg);
            }
            self.store_operand(store_of(storage), Addr::indexed(base, object.reg, 0, offset), &value);
            self.done(&value);
            self.give(held);
            self.put_back(object);
        }
        let object = self.pop_owned();
        self.truncate_stack(first);
        self.push_reg(Ty::GcRef, object);
    }

    pub(crate) fn struct_new_default(&mut self) {
        let ty = self.reader.u32();
        let facts = self.facts;
        let object = facts.objects[ty as usize].as_ref().expect("validated as a structure type");
        if object.functions || object.fields.len() <= MANY_FIELDS {
            for field in &object.fields {
                let ty = field.storage.ty();
                self.push_const(ty, zero_bits(ty));
            }
            return self.struct_of_top(ty);
        }
        let (reference, base, held) = self.new_object(ty, object.size);
        let first = object.fields[0].offset;
        let (pointer, held) = self.take_over(RegClass::Int, held);
        self.w.lea(Width::W64, pointer, Addr::indexed(base, reference, 0, first));
        self.give(held);
        self.push_reg(Ty::GcRef, reference);
        let pointer = Arg::Operand(Operand::own(Ty::I64, pointer));
        let bytes = u64::from(object.size - first as u32);
        self.libcall(Libcall::MemoryFill, &[Arg::Ctx, pointer, Arg::Imm(0), Arg::Imm(bytes)]);
    }

    // ---- fields

    pub(crate) fn struct_get(&mut self, signed: bool) {
        let ty = self.reader.u32();
        let field = self.reader.u32();
        let field = self.object(ty).fields[field as usize];
        let mut object = self.pop();
        let reg = self.operand_reg(&mut object);
        self.check_null(Ty::GcRef, reg);
        self.check_field(reg, field.offset, field.storage);
        let base = self.heap_or(I::SCRATCH);
        let (d, held) = self.dest_of(field.storage, Held::of(object.owned()));
        let from = Addr::indexed(base, reg, 0, field.offset);
        self.w.load(load_of(field.storage, signed), d, from);
        self.give(held);
        self.push_loaded(field.storage, d);
    }

    pub(crate) fn struct_set(&mut self) {
        let ty = self.reader.u32();
        let field = self.reader.u32();
        let field = self.object(ty).fields[field as usize];
        if let Storage::Func(_) = field.storage {
            self.intern_top();
        }
        let value = self.pop();
        let mut object = self.pop();
        let reg = self.operand_reg(&mut object);
        self.check_null(Ty::GcRef, reg);
        self.check_field(reg, field.offset, field.storage);
        let (base, held) = self.heap_kept();
        let held = held.and(Held::of(object.owned()));
        self.write_field(field.storage, Addr::indexed(base, reg, 0, field.offset), &value, held);
    }

    /// Overwrites a field at an address, which is read with what is held.
    pub(crate) fn write_field(&mut self, storage: Storage, to: Addr, value: &Operand, held: Held) {
        if let Storage::Gc { traced: true } = storage
            && self.facts.counts()
        {
            let address = held.regs().and(to.regs()).first().unwrap_or_else(|| self.take(RegClass::Int));
            let held = held.but(address).and(Held::of(value.owned()));
            self.w.lea(Width::W64, address, to);
            return self.set_reference(address, value, held);
        }
        self.store_operand(store_of(storage), to, value);
        self.give(held);
        self.done(value);
    }
}
