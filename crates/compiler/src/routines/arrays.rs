//! Routines over objects, made once per module like those over tables: making, filling and copying arrays, and the
//! barriers of a collector that counts references.

use crate::emit::objects::gc::store_of;
use crate::isa::{Alu, Amount, Cond, Isa, Load, Shift, Src, Store};
use crate::routines::{RoutineGen, SEGMENT_ELEMENT_LOG2};
use crate::treaty::code::{Routine, TrapCode};
use crate::treaty::facts::{Collector, FieldFact, GcFacts, ObjectFact, Storage};
use crate::treaty::libcall::Libcall;
use crate::treaty::ty::Width;
use lightbeam_asm::{Addr, Label, Reg};

/// A collector that counts references runs when so many were read, or twice as many as were left the last time.
const MANY_LISTED: i32 = 1024;

impl<I: Isa> RoutineGen<'_, I> {
    const RESULT: Reg = I::ROUTINE_RESULTS[0];

    fn gc(&self) -> GcFacts {
        self.facts.gc.expect("a module with objects has a collector")
    }

    fn array(&self, ty: u32) -> (&ObjectFact, FieldFact) {
        let object = self.facts.objects[ty as usize].as_ref().expect("validated as an array type");
        (object, object.fields[0])
    }

    fn heap_base(&mut self, d: Reg) {
        let heap = self.gc().heap;
        self.w.load(Load::I64, d, Addr::base(I::CTX, self.facts.ctx.store));
        self.w.load(Load::I64, d, Addr::base(d, heap));
    }

    /// Traps unless the heap reaches so far beyond a reference, where guard pages do not see to that.
    fn check_in_heap(&mut self, reference: Reg, span: u32) {
        if u64::from(span) > self.gc().unchecked_span {
            let trap = self.w.trap_label(TrapCode::MemoryOutOfBounds);
            crate::emit::heap::compare_with_heap::<I>(self.w, self.facts, reference, span, trap);
        }
    }

    fn shift_left(&mut self, reg: Reg, by: u8) {
        if by > 0 {
            self.w.shift(Shift::Shl, Width::W64, reg, reg, Amount::Imm(by));
        }
    }

    /// `d = base + (index << log2) + offset`.
    fn element(&mut self, d: Reg, base: Reg, index: Reg, log2: u8, offset: i32) {
        if log2 == 4 {
            // No address has such a scale.
            self.w.lea(Width::W64, d, Addr::indexed(base, index, 3, 0));
            return self.w.lea(Width::W64, d, Addr::indexed(d, index, 3, offset));
        }
        self.w.lea(Width::W64, d, Addr::indexed(base, index, log2, offset));
    }

    fn argument(&mut self, n: usize, from: Reg) {
        self.w.mov(Width::W64, I::LIBCALL.int_args[n], from);
    }

    /// Goes to `label` if a reference is null or a number.
    fn jump_if_no_object(&mut self, reference: Reg, label: Label) {
        self.w.branch_zero(Width::W32, reference, label);
        self.w.test(Width::W32, reference, Src::Imm(1)).branch(Cond::Ne, label);
    }

    // ---- barriers

    pub(crate) fn expose(&mut self, reference: Reg, collects: bool) {
        let gc = self.gc();
        let Collector::Counting(counting) = gc.collector else { unreachable!("only where references are counted") };
        let [base, data, temp] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];
        let done = self.w.label();
        let highest = gc.kind.max(counting.next).max(counting.count + 4);
        self.check_in_heap(reference, highest.cast_unsigned() + 4);
        self.heap_base(base);
        let field = |offset| Addr::indexed(base, reference, 0, offset);
        self.w.load(Load::I64, data, Addr::base(I::CTX, gc.data));
        self.w.load(Load::I32, temp, Addr::base(data, counting.list));
        self.w.store(Store::B32, field(counting.next), temp);
        self.w.load(Load::I32, temp, field(gc.kind));
        self.w.alu_mem(Alu::Add, Width::W64, field(counting.count), Src::Imm(1));
        self.w.alu(Alu::Or, Width::W32, temp, temp, Src::imm(counting.listed.cast_signed()));
        self.w.store(Store::B32, field(gc.kind), temp);
        self.w.store(Store::B32, Addr::base(data, counting.list), reference);
        self.w.load(Load::I32, temp, Addr::base(data, counting.length));
        self.w.alu(Alu::Add, Width::W32, temp, temp, Src::Imm(1));
        self.w.store(Store::B32, Addr::base(data, counting.length), temp);
        if !collects {
            return self.w.bind(done);
        }
        self.w.cmp(Width::W32, temp, Src::imm(MANY_LISTED)).branch(Cond::LtU, done);
        self.w.load(Load::I32, base, Addr::base(data, counting.length_after));
        self.w.lea(Width::W64, base, Addr::indexed(base, base, 0, 0));
        self.w.cmp(Width::W64, temp, Src::Reg(base)).branch(Cond::LtU, done);
        self.w.libcall(Libcall::GcCollect);
        self.w.bind(done);
    }

    /// Overwrites the reference at `address` by `new`.
    pub(crate) fn set_reference(&mut self, address: Reg, new: Reg) {
        let [_, _, old] = Self::KEPT;
        let Collector::Counting(counting) = self.gc().collector else {
            unreachable!("only where references are counted")
        };
        let [base, temp] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1]];
        let [counted, drop, done] = self.w.labels();
        self.heap_base(base);
        self.w.load(Load::I32, old, Addr::base(address, 0));
        self.jump_if_no_object(new, counted);
        self.check_in_heap(new, counting.count.cast_unsigned() + 8);
        let count = Addr::indexed(base, new, 0, counting.count);
        self.w.alu_mem(Alu::Add, Width::W64, count, Src::Imm(1));
        self.w.bind(counted);
        self.w.store(Store::B32, Addr::base(address, 0), new);
        self.jump_if_no_object(old, done);
        self.check_in_heap(old, counting.count.cast_unsigned() + 8);
        let count = Addr::indexed(base, old, 0, counting.count);
        self.w.load(Load::I64, temp, count);
        self.add(temp, -1);
        self.w.branch_zero(Width::W64, temp, drop);
        self.w.store(Store::B64, count, temp);
        self.w.jmp(done);
        self.w.bind(drop);
        self.argument(1, old);
        self.w.libcall(Libcall::GcDrop);
        self.w.bind(done);
    }

    /// Overwrites the reference at an address by the one in `value`, which is not the first register of arguments.
    pub(crate) fn overwrite(&mut self, address: Addr, value: Reg) {
        let [to, new] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1]];
        debug_assert_ne!(value, to);
        self.w.lea(Width::W64, to, address);
        self.w.mov(Width::W64, new, value);
        self.call(Routine::SetReference);
    }

    // ---- making arrays

    /// The size may be of 64 bits, but for the highest. The mask is the alignment less one.
    pub(crate) fn make_room(&mut self, size: Reg, mask: Reg) {
        let [_, _, end] = Self::KEPT;
        let gc = self.gc();
        let Collector::None { free, kind_bits } = gc.collector else { unreachable!("only where nothing is collected") };
        let [data, temp] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1]];
        let too_large = self.w.trap_label(TrapCode::AllocationTooLarge);
        let done = self.w.label();
        self.w.test(Width::W32, size, Src::imm(kind_bits.cast_signed())).branch(Cond::Ne, too_large);
        self.w.load(Load::I64, data, Addr::base(I::CTX, gc.data));
        self.w.load(Load::I32, end, Addr::base(data, free));
        self.w.alu(Alu::Add, Width::W64, end, end, Src::Reg(mask));
        self.w.alu(Alu::Xor, Width::W64, mask, mask, Src::Imm(-1));
        self.w.alu(Alu::And, Width::W64, end, end, Src::Reg(mask));
        self.w.alu(Alu::Add, Width::W64, end, end, Src::Reg(size));
        self.w.shift(Shift::ShrU, Width::W64, temp, end, Amount::Imm(32));
        self.w.branch_nonzero(Width::W64, temp, too_large);
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.store));
        self.w.load(Load::I64, temp, Addr::base(I::SCRATCH, gc.heap_length));
        self.w.alu(Alu::Sub, Width::W64, end, end, Src::Reg(temp));
        self.w.test(Width::W64, end, Src::Reg(end)).branch(Cond::LeS, done);
        self.argument(1, end);
        self.w.libcall(Libcall::GcGrow);
        self.w.bind(done);
    }

    pub(crate) fn array_new(&mut self, ty: u32, length: Reg) {
        let [_, size, temp] = Self::KEPT;
        let gc = self.gc();
        let (object, field) = self.array(ty);
        let (header, kind, align) = (object.size, object.kind, object.align);
        let id = self.facts.type_id_offsets[ty as usize];
        let [data, base, end] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1], I::PRIVATE.int_args[2]];
        let [slow, made] = self.w.labels();
        let too_large = self.w.trap_label(TrapCode::AllocationTooLarge);
        // There is no array whose size takes more than 32 bits.
        let longest = (u32::MAX - header) >> field.storage.log2();
        self.w.mov(Width::W32, length, length);
        self.w.cmp(Width::W32, length, Src::imm(longest.cast_signed())).branch(Cond::GtU, too_large);
        self.w.mov(Width::W64, size, length);
        self.shift_left(size, field.storage.log2());
        self.add(size, header.cast_signed());
        let in_line = match gc.collector {
            Collector::Copying { free, end: end_at, size: size_at, align } => {
                self.w.lea(Width::W64, temp, Addr::base(size, align.cast_signed() - 1));
                self.w.alu(Alu::And, Width::W64, temp, temp, Src::imm(-align.cast_signed()));
                self.w.load(Load::I64, data, Addr::base(I::CTX, gc.data));
                self.w.load(Load::I32, Self::RESULT, Addr::base(data, free));
                self.w.load(Load::I32, end, Addr::base(data, end_at));
                self.w.alu(Alu::Sub, Width::W64, end, end, Src::Reg(Self::RESULT));
                self.w.cmp(Width::W64, end, Src::Reg(temp)).branch(Cond::LtU, slow);
                self.w.lea(Width::W64, end, Addr::indexed(Self::RESULT, temp, 0, 0));
                self.w.store(Store::B32, Addr::base(data, free), end);
                self.heap_base(base);
                let at = |offset| Addr::indexed(base, Self::RESULT, 0, offset);
                self.w.store_imm(Store::B32, at(gc.kind), i64::from(kind.cast_signed()));
                self.w.store(Store::B32, at(size_at), temp);
                true
            }
            Collector::None { free, kind_bits } => {
                self.w.test(Width::W32, size, Src::imm(kind_bits.cast_signed())).branch(Cond::Ne, too_large);
                self.w.load(Load::I64, data, Addr::base(I::CTX, gc.data));
                self.w.load(Load::I32, Self::RESULT, Addr::base(data, free));
                let result = Self::RESULT;
                self.w.alu(Alu::Add, Width::W64, result, result, Src::imm(align.cast_signed() - 1));
                self.w.alu(Alu::And, Width::W64, result, result, Src::imm(-align.cast_signed()));
                self.w.lea(Width::W64, end, Addr::indexed(result, size, 0, 0));
                self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.store));
                let length = Src::Mem(Addr::base(I::SCRATCH, gc.heap_length));
                // See `FuncGen::new_object`: free space never begins at 2^32.
                self.w.cmp(Width::W64, end, length).branch(Cond::GeU, slow);
                self.w.store(Store::B32, Addr::base(data, free), end);
                self.heap_base(base);
                self.w.alu(Alu::Or, Width::W32, temp, size, Src::imm(kind.cast_signed()));
                self.w.store(Store::B32, Addr::indexed(base, Self::RESULT, 0, gc.kind), temp);
                true
            }
            Collector::Counting(_) => false,
        };
        if in_line {
            self.w.load(Load::I64, data, Addr::base(I::CTX, self.facts.ctx.type_ids));
            self.w.load(Load::I32, data, Addr::base(data, id));
            self.w.store(Store::B32, Addr::indexed(base, Self::RESULT, 0, gc.type_id), data);
            self.w.jmp(made);
        }
        self.w.bind(slow);
        if let Collector::None { .. } = gc.collector {
            self.w.mov(Width::W64, I::PRIVATE.int_args[0], size);
            self.w.iconst(Width::W32, I::PRIVATE.int_args[1], i64::from(align) - 1, false);
            self.call(Routine::MakeRoom);
        }
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.type_ids));
        self.w.load(Load::I32, I::LIBCALL.int_args[2], Addr::base(I::SCRATCH, id));
        self.argument(3, size);
        self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(kind), false);
        self.w.iconst(Width::W32, I::LIBCALL.int_args[4], i64::from(align), false);
        self.w.libcall(Libcall::GcAlloc);
        self.w.mov(Width::W32, Self::RESULT, I::LIBCALL.int_results[0]);
        self.heap_base(base);
        self.w.bind(made);
        let at = Addr::indexed(base, Self::RESULT, 0, gc.array_length);
        self.w.store(Store::B32, at, length);
    }

    // ---- ranges

    /// Traps unless `index + length` is at most the length of an array, both 32-bit, and the elements are in the heap,
    /// whatever it has for a length; makes `array` a pointer to the element. Destroys `temp`; none of the others is
    /// `temp` or the same.
    fn array_range(&mut self, ty: u32, array: Reg, index: Reg, length: Reg, temp: Reg) {
        let gc = self.gc();
        let (_, field) = self.array(ty);
        let null = self.w.trap_label(TrapCode::NullReference);
        let out = self.w.trap_label(TrapCode::ArrayOutOfBounds);
        self.w.branch_zero(Width::W32, array, null);
        self.check_in_heap(array, gc.array_length.cast_unsigned() + 4);
        self.heap_base(temp);
        self.w.load(Load::I32, temp, Addr::indexed(temp, array, 0, gc.array_length));
        self.w.alu(Alu::Sub, Width::W64, temp, temp, Src::Reg(index));
        self.w.cmp(Width::W64, temp, Src::Reg(length)).branch(Cond::LtS, out);
        self.w.lea(Width::W64, temp, Addr::indexed(index, length, 0, 0));
        self.shift_left(temp, field.storage.log2());
        self.w.lea(Width::W64, temp, Addr::indexed(temp, array, 0, field.offset));
        self.check_end(temp);
        self.heap_base(temp);
        self.w.alu(Alu::Add, Width::W64, array, array, Src::Reg(temp));
        self.element(array, array, index, field.storage.log2(), field.offset);
    }

    /// Traps if an offset is beyond the end of the heap.
    fn check_end(&mut self, end: Reg) {
        let out = self.w.trap_label(TrapCode::ArrayOutOfBounds);
        let length = self.gc().heap_length;
        self.w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, self.facts.ctx.store));
        self.w.cmp(Width::W64, end, Src::Mem(Addr::base(I::SCRATCH, length))).branch(Cond::GtU, out);
    }

    /// `memset` of `bytes` bytes.
    fn set_bytes(&mut self, pointer: Reg, byte: Reg, bytes: Reg) {
        self.argument(1, pointer);
        self.argument(2, byte);
        self.argument(3, bytes);
        self.w.libcall(Libcall::MemoryFill);
    }

    /// The arguments are as 32 bits each, but for those that are bits.
    fn narrow(&mut self, regs: &[Reg]) {
        for reg in regs {
            self.w.mov(Width::W32, *reg, *reg);
        }
    }

    pub(crate) fn array_init(&mut self, ty: u32, array: Reg, bits: Reg, done: Label) {
        let [_, _, n] = Self::KEPT;
        let gc = self.gc();
        let (_, field) = self.array(ty);
        let base = I::PRIVATE.int_args[0];
        self.narrow(&[array]);
        self.heap_base(base);
        self.check_in_heap(array, gc.array_length.cast_unsigned() + 4);
        self.w.load(Load::I32, n, Addr::indexed(base, array, 0, gc.array_length));
        // Whatever the heap has for a length.
        let end = I::PRIVATE.int_args[1];
        self.element(end, array, n, field.storage.log2(), field.offset);
        self.check_end(end);
        self.w.lea(Width::W64, array, Addr::indexed(base, array, 0, field.offset));
        if let (Storage::Gc { traced: true }, Collector::Counting(counting)) = (field.storage, gc.collector) {
            let counted = self.w.label();
            self.jump_if_no_object(bits, counted);
            self.check_in_heap(bits, counting.count.cast_unsigned() + 8);
            let count = Addr::indexed(base, bits, 0, counting.count);
            self.w.alu_mem(Alu::Add, Width::W64, count, Src::Reg(n));
            self.w.bind(counted);
        }
        self.fill_elements(field.storage, array, bits, n, done);
    }

    /// Stores bits, or the vector at that address, to so many elements, whatever they were.
    fn fill_elements(&mut self, storage: Storage, pointer: Reg, bits: Reg, n: Reg, done: Label) {
        if storage.log2() == 0 {
            return self.set_bytes(pointer, bits, n);
        }
        let [loop_, again] = self.w.labels();
        if storage.log2() == 4 {
            let half = I::PRIVATE.int_args[0];
            self.w.load(Load::V128, I::FLOAT_SCRATCH, Addr::base(bits, 0));
            self.w.load(Load::I64, half, Addr::base(bits, 0));
            self.w.load(Load::I64, bits, Addr::base(bits, 8));
            self.w.alu(Alu::Or, Width::W64, bits, bits, Src::Reg(half));
        }
        self.w.branch_nonzero(Width::W64, bits, loop_);
        self.shift_left(n, storage.log2());
        self.set_bytes(pointer, bits, n);
        self.w.jmp(done);
        self.w.bind(loop_);
        self.done_if_zero(n, done);
        self.w.bind(again);
        let op = store_of(storage).of_bits();
        let value = if op == Store::V128 { I::FLOAT_SCRATCH } else { bits };
        self.w.store(op, Addr::base(pointer, 0), value);
        self.add(pointer, 1 << storage.log2());
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
    }

    pub(crate) fn array_fill(&mut self, ty: u32, array: Reg, index: Reg, bits: Reg, length: Reg, done: Label) {
        let (_, field) = self.array(ty);
        let [_, _, n] = Self::KEPT;
        self.w.mov(Width::W32, n, length);
        self.narrow(&[array, index]);
        self.array_range(ty, array, index, n, I::PRIVATE.int_args[0]);
        // The index has served: the bits take its place.
        self.w.mov(Width::W64, index, bits);
        let bits = index;
        if field.storage == (Storage::Gc { traced: true }) && self.facts.counts() {
            self.done_if_zero(n, done);
            let again = self.w.label();
            self.w.bind(again);
            self.overwrite(Addr::base(array, 0), bits);
            self.add(array, 4);
            self.add(n, -1);
            return self.w.branch_nonzero(Width::W64, n, again);
        }
        self.fill_elements(field.storage, array, bits, n, done);
    }

    pub(crate) fn array_copy(
        &mut self,
        ty: u32,
        [array, index]: [Reg; 2],
        [source, source_index]: [Reg; 2],
        length: Reg,
        done: Label,
    ) {
        let (_, field) = self.array(ty);
        let [_, _, n] = Self::KEPT;
        let temp = I::PRIVATE.int_args[0];
        self.w.mov(Width::W32, n, length);
        self.narrow(&[array, index, source, source_index]);
        // Both arrays are looked at before any bound.
        let null = self.w.trap_label(TrapCode::NullReference);
        for reg in [array, source] {
            self.w.branch_zero(Width::W32, reg, null);
        }
        self.array_range(ty, array, index, n, temp);
        self.array_range(ty, source, source_index, n, temp);
        // The index has served: the pointer to the source takes its place.
        self.w.mov(Width::W64, index, source);
        let source = index;
        if field.storage != (Storage::Gc { traced: true }) || !self.facts.counts() {
            self.shift_left(n, field.storage.log2());
            for (i, reg) in [array, source, n].into_iter().enumerate() {
                self.argument(i + 1, reg);
            }
            return self.w.libcall(Libcall::MemoryCopy);
        }
        self.done_if_zero(n, done);
        let [forward, again, next] = self.w.labels();
        let value = I::PRIVATE.int_args[2];
        self.w.cmp(Width::W64, array, Src::Reg(source)).branch(Cond::LeU, forward);
        // Downwards, the last first.
        self.w.bind(again);
        self.w.load(Load::I32, value, Addr::indexed(source, n, 2, -4));
        self.overwrite(Addr::indexed(array, n, 2, -4), value);
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
        self.w.jmp(done);
        self.w.bind(forward);
        self.w.bind(next);
        self.w.load(Load::I32, value, Addr::base(source, 0));
        self.overwrite(Addr::base(array, 0), value);
        self.add(array, 4);
        self.add(source, 4);
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, next);
    }

    // ---- segments

    /// Traps unless `position` and so many elements are in a data segment; makes `position` a pointer.
    pub(crate) fn data_range(&mut self, ty: u32, segment: u32, position: Reg, n: Reg) {
        let (_, field) = self.array(ty);
        let [pointer, bytes] = I::ROUTINE_RESULTS;
        let out = self.w.trap_label(TrapCode::MemoryOutOfBounds);
        self.narrow(&[position, n]);
        self.data_segment(segment);
        let end = I::PRIVATE.int_args[0];
        self.element(end, position, n, field.storage.log2(), 0);
        self.w.cmp(Width::W64, bytes, Src::Reg(end)).branch(Cond::LtU, out);
        self.w.alu(Alu::Add, Width::W64, position, position, Src::Reg(pointer));
    }

    pub(crate) fn array_init_data(&mut self, ty: u32, segment: u32, [array, index]: [Reg; 2], position: Reg, n: Reg) {
        let (_, field) = self.array(ty);
        self.narrow(&[array, index, n]);
        self.array_range(ty, array, index, n, I::PRIVATE.int_args[0]);
        self.data_range(ty, segment, position, n);
        self.shift_left(n, field.storage.log2());
        self.argument(3, n);
        self.argument(1, array);
        self.argument(2, position);
        self.w.libcall(Libcall::MemoryCopy);
    }

    /// Traps unless `position` and so many elements are in an element segment.
    pub(crate) fn elem_range(&mut self, segment: u32, position: Reg, n: Reg) {
        let out = self.w.trap_label(TrapCode::TableOutOfBounds);
        let end = I::PRIVATE.int_args[0];
        self.narrow(&[position, n]);
        match self.facts.elems[segment as usize] {
            Some(index) => {
                self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(index), false);
                self.w.libcall(Libcall::ElemLength);
                self.w.lea(Width::W64, end, Addr::indexed(position, n, 0, 0));
                self.w.cmp(Width::W64, end, Src::Reg(I::LIBCALL.int_results[0])).branch(Cond::GtU, out);
            }
            None => {
                // The segment is empty by now.
                self.w.lea(Width::W64, end, Addr::indexed(position, n, 0, 0));
                self.w.branch_nonzero(Width::W64, end, out);
            }
        }
    }

    pub(crate) fn array_init_elem(
        &mut self,
        ty: u32,
        segment: u32,
        [array, index]: [Reg; 2],
        position: Reg,
        length: Reg,
        done: Label,
    ) {
        let (_, field) = self.array(ty);
        self.narrow(&[array, index, length]);
        self.array_range(ty, array, index, length, I::PRIVATE.int_args[0]);
        // The index has served: the length takes its place.
        let n = index;
        self.w.mov(Width::W64, n, length);
        self.elem_range(segment, position, n);
        let Some(index) = self.facts.elems[segment as usize] else { return };
        self.done_if_zero(n, done);
        self.w.iconst(Width::W32, I::LIBCALL.int_args[1], i64::from(index), false);
        self.w.libcall(Libcall::ElemBase);
        self.shift_left(position, SEGMENT_ELEMENT_LOG2);
        let base = I::LIBCALL.int_results[0];
        self.w.alu(Alu::Add, Width::W64, position, position, Src::Reg(base));
        let again = self.w.label();
        self.w.bind(again);
        match field.storage {
            Storage::Func(_) => {
                self.w.load(Load::I64, I::LIBCALL.int_args[1], Addr::base(position, 0));
                self.w.libcall(Libcall::GcIntern);
                self.w.store(Store::B32, Addr::base(array, 0), I::LIBCALL.int_results[0]);
            }
            Storage::Gc { traced: true } if self.facts.counts() => {
                let value = I::PRIVATE.int_args[2];
                self.w.load(Load::I32, value, Addr::base(position, 0));
                self.overwrite(Addr::base(array, 0), value);
            }
            _ => {
                self.w.load(Load::I32, I::SCRATCH, Addr::base(position, 0));
                self.w.store(Store::B32, Addr::base(array, 0), I::SCRATCH);
            }
        }
        self.add(array, 4);
        self.add(position, 1 << SEGMENT_ELEMENT_LOG2);
        self.add(n, -1);
        self.w.branch_nonzero(Width::W64, n, again);
    }
}
