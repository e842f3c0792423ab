//! What a module does before its first call: global initialisers, element segments, data segments and the start
//! function, as one routine that Wasmtime calls when it has made an instance.

use crate::border::trampolines::{Border, Entry, slot};
use crate::facts::constant_expressions;
use crate::facts::layout::offset;
use crate::facts::types::reference_type;
use crate::target::POINTER;
use lightbeam_asm::{Addr, Label, Reg};
use lightbeam_compiler::code::{FUNC_ALIGN, Routine, Target, TrapCode};
use lightbeam_compiler::compare_with_heap;
use lightbeam_compiler::facts::{Callee, Collector, Facts, GlobalFact, MOST_UNITS, SMALL_AMOUNT, Where, Work};
use lightbeam_compiler::isa::{Alu, Cond, Isa, Load, Src, Store};
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::sig::Sig;
use lightbeam_compiler::ty::{Ty, Width};
use std::ops::Range;
use wasmtime_environ::{
    ConstExpr, ConstOp, EntityRef, FUNCREF_INIT_BIT, FuncIndex, MemoryIndex, MemoryInit, MemorySegmentOffset,
    ModuleTranslation, PassiveElemIndex, RuntimeDataIndex, TableIndex, TableInitialValue, TableSegment,
    TableSegmentElements, VMOffsets,
};

/// Bytes of an element of a passive element segment, a `ValRaw`.
const SEGMENT_ELEMENT: i32 = 16;

/// Stands for a null reference in a list of function indices.
const NULL: u32 = u32::MAX;

/// How many registers the routine saves, in the first words of its frame.
const SAVED: usize = 3;

/// The startup routine under construction.
///
/// Fuel is charged as Wasmtime's own startup routines charge it, so that totals do not depend on the compiler.
struct Startup<'a, 'b, I: Isa> {
    border: &'a mut Border<'b, I>,
    translation: &'a ModuleTranslation<'a>,
    facts: &'a Facts,
    offsets: VMOffsets<u8>,
    /// Lists of function indices that go behind the code.
    lists: Vec<(Label, Vec<u32>)>,
    /// Fuel used on the way here and not yet counted; like a function, the routine itself costs 1.
    cost: u64,
    /// Most words of the frame that wait for an operator, see `waiting`.
    deepest: usize,
}

/// How elements are written.
#[derive(Clone, Copy)]
struct Elements {
    /// Their type: `FuncRef`, `GcRef` or `ContRef`.
    ty: Ty,
    /// Bytes from one to the next.
    stride: i32,
    /// Bits that each has set.
    tag: i32,
    /// Where they are.
    at: Segment,
}

/// Where elements are written.
#[derive(Clone, Copy)]
enum Segment {
    /// In a passive segment, in which there is nothing yet.
    Passive(PassiveElemIndex),
    /// In a table, from the index in `KEPT` on.
    Active(TableIndex),
}

/// What a module's startup is made of, as ranges of the code.
pub(crate) struct Ranges {
    /// The entry of `Tail` convention, with the routine itself.
    pub(crate) wasm: Range<u32>,
    /// The entry for the host.
    pub(crate) array: Range<u32>,
}

/// Makes the startup routine of a module with both its entries.
pub(crate) fn emit<I: Isa>(
    border: &mut Border<'_, I>,
    translation: &ModuleTranslation<'_>,
    facts: &Facts,
    concurrency: bool,
) -> Ranges {
    let sig = I::sig(&[], &[]);
    let wasm = border.start();
    let routine = border.w.label();
    border.thunk(&sig, Entry::Local(routine));
    border.w.align(FUNC_ALIGN);
    border.w.begin_unwind(&border.settings);
    border.w.bind(routine);
    let offsets = VMOffsets::new(POINTER, &translation.module);
    Startup { border, translation, facts, offsets, lists: Vec::new(), cost: 1, deepest: 0 }.emit(&sig);
    let wasm = wasm..border.w.offset();
    border.w.align(FUNC_ALIGN);
    border.w.begin_unwind(&border.settings);
    let array = border.w.offset();
    border.array_to_wasm(&sig, Entry::Local(routine), concurrency);
    Ranges { wasm, array: array..border.w.offset() }
}

impl<I: Isa> Startup<'_, '_, I> {
    /// Where the next element goes. Of these three none is destroyed by calls.
    const NEXT: Reg = I::PRESERVED[0];
    /// What a loop or a segment keeps: where it is in a list, or where the segment begins.
    const KEPT: Reg = I::PRESERVED[1];
    /// What a loop counts.
    const COUNT: Reg = I::PRESERVED[2];
    /// Where constant expressions are computed into.
    const VALUE: Reg = I::UNPASSED;
    /// Temporaries.
    const T: Reg = I::PRIVATE.int_args[1];
    const U: Reg = I::PRIVATE.int_args[0];
    /// Where the routine keeps its count of fuel, which reaches the store only where somebody may look.
    const FUEL: Addr = slot::<I>(SAVED);

    /// A word of the frame where an operand waits for its operator.
    fn waiting(&mut self, number: usize) -> Addr {
        self.deepest = self.deepest.max(number + 1);
        slot::<I>(SAVED + 1 + number)
    }

    fn emit(mut self, sig: &Sig) {
        let saved = [Self::NEXT, Self::KEPT, Self::COUNT];
        let enter = self.border.w.enter();
        // Of constant expressions as many operands wait as the module says.
        self.border.w.check_stack(&self.facts.ctx);
        for (n, reg) in saved.into_iter().enumerate() {
            self.border.w.store(Store::B64, slot::<I>(n), reg);
            self.border.w.saved(reg, slot::<I>(n).disp());
        }
        self.load_fuel();
        self.meter();
        let translation = self.translation;
        for (index, expr) in &translation.global_initializers {
            self.global(self.facts.globals[translation.module.global_index(*index).index()], expr);
        }
        for (index, elements) in translation.passive_elements.iter() {
            self.passive_elements(index, elements);
        }
        for (index, value) in translation.table_initialization.initial_values.iter() {
            if let TableInitialValue::Expr(expr) = value {
                self.table_fill(translation.module.table_index(index), expr);
            }
        }
        for segment in translation.table_initialization.segments.iter() {
            self.active_elements(segment);
        }
        let MemoryInit::Processed(segments) = &translation.memory_init else {
            unreachable!("`translate` has finalised memory initialisation");
        };
        for (memory, offset, data) in segments {
            self.active_data(*memory, offset, *data);
        }
        if let Some(index) = translation.start_func {
            self.cost += 1;
            self.count_fuel();
            self.store_fuel();
            self.call(index, sig);
            self.load_fuel();
        }
        self.store_fuel();
        for (n, reg) in saved.into_iter().enumerate() {
            self.border.w.load(Load::I64, reg, slot::<I>(n));
        }
        self.border.w.leave();
        // Nothing of the host's is left where a result is.
        self.border.w.iconst(Width::W32, Self::VALUE, 0, false);
        self.border.w.ret(0);
        let words = u32::try_from(SAVED + 1 + self.deepest).expect("a text is shorter than 2 GiB");
        self.border.w.patch_frame(enter, (words * u32::from(POINTER)).next_multiple_of(16));
        self.margins();
    }

    /// Trap sequences and lists, which no control runs into.
    fn margins(&mut self) {
        self.border.w.place_traps();
        for (label, list) in std::mem::take(&mut self.lists) {
            self.border.w.align(4);
            self.border.w.bind(label);
            for index in list {
                self.border.w.data(&index.to_le_bytes());
            }
        }
    }

    /// `d = ` the address of the store's structure.
    fn store_context(&mut self, d: Reg) {
        self.border.w.load(Load::I64, d, Addr::base(I::CTX, self.facts.ctx.store));
    }

    fn load_fuel(&mut self) {
        if self.facts.settings.fuel {
            self.store_context(Self::T);
            self.border.w.load(Load::I64, Self::T, Addr::base(Self::T, self.facts.ctx.fuel));
            self.border.w.store(Store::B64, Self::FUEL, Self::T);
        }
    }

    fn store_fuel(&mut self) {
        if self.facts.settings.fuel {
            self.store_context(Self::T);
            self.border.w.load(Load::I64, Self::U, Self::FUEL);
            self.border.w.store(Store::B64, Addr::base(Self::T, self.facts.ctx.fuel), Self::U);
        }
    }

    /// Adds what has been used since the last time.
    fn count_fuel(&mut self) {
        let cost = i64::try_from(std::mem::take(&mut self.cost)).unwrap_or(i64::MAX).min(MOST_UNITS);
        if self.facts.settings.fuel && cost != 0 {
            self.border.w.iconst(Width::W64, Self::T, cost, false);
            self.border.w.alu_mem(Alu::Add, Width::W64, Self::FUEL, Src::Reg(Self::T));
        }
    }

    /// Lets the host in if fuel has run out or the epoch has ended. Destroys what C functions may.
    fn meter(&mut self) {
        if self.facts.settings.fuel {
            self.count_fuel();
            let left = self.border.w.label();
            self.border.w.fuel_is_out(Self::FUEL, 0).branch_unless(left);
            self.store_fuel();
            self.let_in(Libcall::OutOfGas);
            self.load_fuel();
            self.border.w.bind(left);
        }
        if self.facts.settings.epochs {
            let current = self.border.w.label();
            self.border.w.epoch_has_come(&self.facts.ctx, Self::U).branch_unless(current);
            self.let_in(Libcall::NewEpoch);
            self.border.w.bind(current);
        }
    }

    /// Calls a builtin that lets the host do anything: it may move memory 0, whose base is what every routine and the
    /// start function find in a register.
    fn let_in(&mut self, libcall: Libcall) {
        self.border.w.libcall(libcall);
        self.border.load_pinned();
    }

    /// Charges for an operation on so many elements.
    fn charge(&mut self, work: Work, elements: u64) {
        let cost = elements.saturating_mul(self.facts.cost_of(work));
        self.cost = self.cost.saturating_add(cost);
        if cost > SMALL_AMOUNT {
            self.meter();
        }
    }

    /// Adds so many elements, a number of 32 bits in a register that this destroys, to what has been used.
    fn count_elements(&mut self, work: Work, elements: Reg) {
        let cost = self.facts.cost_of(work).cast_signed();
        if cost == 0 {
            return;
        }
        if cost > 1 {
            self.border.w.mul(Width::W64, elements, elements, Src::imm(cost));
        }
        self.border.w.alu_mem(Alu::Add, Width::W64, Self::FUEL, Src::Reg(elements));
    }

    /// Charges for as many bytes as the 32 bits at this offset of the instance say.
    fn charge_bytes(&mut self, length: i32) {
        if self.facts.settings.fuel {
            self.count_fuel();
            self.border.w.load(Load::I32, Self::T, Addr::base(I::CTX, length));
            self.count_elements(Work::MemoryInit, Self::T);
        }
        self.meter();
    }

    /// `VALUE = ` the reference to a function whose index is the builtin's argument.
    fn ref_func(&mut self) {
        self.border.w.libcall(Libcall::RefFunc);
        self.border.w.mov(Width::W64, Self::VALUE, I::LIBCALL.int_results[0]);
    }

    /// `VALUE = ` the value, as bits; of a 32-bit type with the upper half zero. Charges for it.
    fn value(&mut self, expr: &ConstExpr) {
        self.charge_for(expr);
        self.compute(expr);
    }

    /// Charges for the operators of an expression, and for the elements of arrays that it makes. Where those are so
    /// many that it should be looked at, it is, as soon as the array is charged: then whoever was let in may have
    /// changed anything, and the answer is yes. Destroys `VALUE` and what C functions may.
    fn charge_for(&mut self, expr: &ConstExpr) -> bool {
        let ops = expr.ops();
        let lengths = || {
            (0..ops.len()).filter_map(|at| {
                let (work, length) = constant_expressions::array_length(&ops[..=at])?;
                Some((at, work, length))
            })
        };
        // Computed, unless it is a constant.
        let constant = |length: &[ConstOp]| match *length {
            [ConstOp::I32Const(length)] => Some(u64::from(length.cast_unsigned())),
            _ => None,
        };
        // Of 32 bits, so no product is too large.
        let facts = self.facts;
        let cost = |work: Work, length: u64| length * facts.cost_of(work);
        let is_large =
            |work, length: &[ConstOp]| constant(length).is_none_or(|length| cost(work, length) > SMALL_AMOUNT);
        let last = lengths().filter(|(_, work, length)| is_large(*work, length)).last().map(|(at, ..)| at);
        let mut charged = 0;
        for (at, work, length) in lengths() {
            match constant(length) {
                Some(length) => self.cost = self.cost.saturating_add(cost(work, length)),
                None if self.facts.settings.fuel => {
                    self.numbers(length);
                    self.count_elements(work, Self::VALUE);
                }
                None => {}
            }
            if last == Some(at) {
                charged = at + 1;
                self.cost += charged as u64;
                self.meter();
            }
        }
        self.cost += (ops.len() - charged) as u64;
        last.is_some()
    }

    /// Computes a constant expression, as `value` does, without the charge.
    fn compute(&mut self, expr: &ConstExpr) {
        if constant_expressions::makes_objects(expr) {
            let index =
                self.facts.constants.binary_search(&constant_expressions::encode(expr)).expect("a fact of the module");
            return self.border.w.call(Target::Routine(Routine::Constant { index: index as u32 }));
        }
        self.numbers(expr.ops());
    }

    /// Computes an expression of operators that make no objects. The last operand is in `VALUE`, those before it wait.
    fn numbers(&mut self, ops: &[ConstOp]) {
        let mut depth = 0;
        for op in ops {
            let (width, alu) = match *op {
                ConstOp::I32Add => (Width::W32, Some(Alu::Add)),
                ConstOp::I64Add => (Width::W64, Some(Alu::Add)),
                ConstOp::I32Sub => (Width::W32, Some(Alu::Sub)),
                ConstOp::I64Sub => (Width::W64, Some(Alu::Sub)),
                ConstOp::I32Mul => (Width::W32, None),
                ConstOp::I64Mul => (Width::W64, None),
                ref operand => {
                    if depth > 0 {
                        let waiting = self.waiting(depth - 1);
                        self.border.w.store(Store::B64, waiting, Self::VALUE);
                    }
                    depth += 1;
                    self.operand(operand, depth);
                    continue;
                }
            };
            depth -= 1;
            let left = self.waiting(depth - 1);
            self.border.w.load(Load::I64, Self::T, left);
            match alu {
                Some(alu) => {
                    self.border.w.alu(alu, width, Self::T, Self::T, Src::Reg(Self::VALUE));
                    self.border.w.mov(Width::W64, Self::VALUE, Self::T);
                }
                None => _ = self.border.w.mul(width, Self::VALUE, Self::VALUE, Src::Reg(Self::T)),
            }
        }
    }

    /// `VALUE = ` an operand, of which with this one there are so many.
    fn operand(&mut self, op: &ConstOp, depth: usize) {
        let w = &mut self.border.w;
        match *op {
            ConstOp::I32Const(value) => w.iconst(Width::W32, Self::VALUE, value.into(), false),
            ConstOp::I64Const(value) => w.iconst(Width::W64, Self::VALUE, value, false),
            ConstOp::F32Const(bits) => w.iconst(Width::W32, Self::VALUE, bits.into(), false),
            ConstOp::F64Const(bits) => w.iconst(Width::W64, Self::VALUE, bits.cast_signed(), false),
            ConstOp::RefNull(_) => w.iconst(Width::W32, Self::VALUE, 0, false),
            ConstOp::GlobalGet(index) => {
                let global = self.facts.globals[index.index()];
                self.border.load_from(bits_type(global.ty), Self::VALUE, global.at);
            }
            ConstOp::RefFunc(index) => {
                // A reference is no operand of anything, so nothing waits.
                debug_assert_eq!(depth, 1);
                w.iconst(Width::W32, I::LIBCALL.int_args[1], index.as_u32().into(), false);
                self.ref_func();
            }
            ref other => unreachable!("{other:?} needs a type that has been refused"),
        }
    }

    fn global(&mut self, global: GlobalFact, expr: &ConstExpr) {
        let Where::Ctx(disp) = global.at else { unreachable!("only a module's own globals have initialisers") };
        let place = Addr::base(I::CTX, disp);
        if global.ty == Ty::V128 {
            return self.vector_global(disp, expr);
        }
        if global.ty == Ty::ContRef {
            self.continuation(expr);
            return self.border.store(Ty::ContRef, place, I::FLOAT_SCRATCH);
        }
        self.charge_for(expr);
        self.compute(expr);
        self.count(global.ty, 1);
        self.border.store(bits_type(global.ty), place, Self::VALUE);
    }

    /// Where references are counted: the one in `VALUE`, if it is of this type, is about to be written to so many
    /// places that held none before. Destroys `T` and `U`.
    fn count(&mut self, ty: Ty, places: u64) {
        let (Ty::GcRef, Some(gc)) = (ty, self.facts.gc) else { return };
        let Collector::Counting(counting) = gc.collector else { return };
        let w = &mut self.border.w;
        let done = w.label();
        w.branch_zero(Width::W32, Self::VALUE, done);
        w.test(Width::W32, Self::VALUE, Src::Imm(1)).branch(Cond::Ne, done);
        w.mov(Width::W32, Self::VALUE, Self::VALUE);
        let span = counting.count.cast_unsigned() + 8;
        if u64::from(span) > gc.unchecked_span {
            let trap = w.trap_label(TrapCode::MemoryOutOfBounds);
            compare_with_heap::<I>(w, self.facts, Self::VALUE, span, trap);
        }
        self.store_context(Self::T);
        let w = &mut self.border.w;
        w.load(Load::I64, Self::T, Addr::base(Self::T, gc.heap));
        w.iconst(Width::W64, Self::U, places.cast_signed(), false);
        let count = Addr::indexed(Self::T, Self::VALUE, 0, counting.count);
        w.alu_mem(Alu::Add, Width::W64, count, Src::Reg(Self::U));
        w.bind(done);
    }

    /// Of a vector there is only ever one operator.
    fn vector_global(&mut self, disp: i32, expr: &ConstExpr) {
        self.cost += 1;
        match *expr.ops() {
            [ConstOp::V128Const(bits)] => {
                for (word, at) in [(bits as i64, disp), ((bits >> 64) as i64, disp + 8)] {
                    self.border.w.iconst(Width::W64, Self::VALUE, word, false);
                    self.border.w.store(Store::B64, Addr::base(I::CTX, at), Self::VALUE);
                }
            }
            [ConstOp::GlobalGet(index)] => {
                self.border.load_from(Ty::V128, I::FLOAT_SCRATCH, self.facts.globals[index.index()].at);
                self.border.store(Ty::V128, Addr::base(I::CTX, disp), I::FLOAT_SCRATCH);
            }
            ref other => unreachable!("{other:?} gives a vector"),
        }
    }

    /// `FLOAT_SCRATCH = ` the value, a reference to a continuation. Of such there is only ever one operator, too.
    fn continuation(&mut self, expr: &ConstExpr) {
        self.cost += 1;
        match *expr.ops() {
            [ConstOp::RefNull(_)] => self.border.w.vconst(I::FLOAT_SCRATCH, 0),
            [ConstOp::GlobalGet(index)] => {
                self.border.load_from(Ty::ContRef, I::FLOAT_SCRATCH, self.facts.globals[index.index()].at);
            }
            ref other => unreachable!("{other:?} gives a continuation"),
        }
    }

    fn passive_elements(&mut self, index: PassiveElemIndex, elements: &TableSegmentElements) {
        if elements.len() == 0 {
            return;
        }
        let ty = match elements {
            TableSegmentElements::Expressions { ty, .. } => reference_type(ty).expect("not refused"),
            TableSegmentElements::Functions(_) => Ty::FuncRef,
        };
        self.elements(elements, Elements { ty, stride: SEGMENT_ELEMENT, tag: 0, at: Segment::Passive(index) });
    }

    /// The bit that marks an element of this table as filled in.
    fn tag(&self, table: TableIndex) -> i32 {
        if self.facts.tables[table.index()].lazy { FUNCREF_INIT_BIT as i32 } else { 0 }
    }

    fn table_fill(&mut self, index: TableIndex, expr: &ConstExpr) {
        let elements = self.translation.module.tables[index].limits.min;
        if self.facts.tables[index.index()].elem == Ty::ContRef {
            return self.table_fill_continuation(index, expr, elements);
        }
        // Before there is a value: whoever is let in may collect, and no collector knows of what is in a register.
        self.charge_for(expr);
        self.charge(Work::TableFill, elements);
        self.compute(expr);
        if elements == 0 {
            return;
        }
        self.mark(self.tag(index));
        let table = self.facts.tables[index.index()];
        self.count(table.elem, elements);
        self.border.w.iconst(Width::W64, Self::T, elements.cast_signed(), false);
        self.border.load_from(Ty::I64, Self::NEXT, table.base);
        let next = self.border.w.label();
        self.border.w.bind(next);
        let last = Addr::indexed(Self::NEXT, Self::T, table.elem_log2(), -(table.elem.bytes() as i32));
        self.border.store(bits_type(table.elem), last, Self::VALUE);
        self.count_down(Width::W64, Self::T, next);
    }

    /// `table_fill` with a continuation.
    fn table_fill_continuation(&mut self, index: TableIndex, expr: &ConstExpr, elements: u64) {
        self.continuation(expr);
        // The value waits in the frame, where nothing is changed by whoever is let in.
        self.waiting(0);
        let waiting = self.waiting(1);
        self.border.store(Ty::ContRef, waiting, I::FLOAT_SCRATCH);
        self.charge(Work::TableFill, elements);
        self.border.load(Ty::ContRef, I::FLOAT_SCRATCH, waiting);
        if elements == 0 {
            return;
        }
        self.border.w.iconst(Width::W64, Self::T, elements.cast_signed(), false);
        self.border.load_from(Ty::I64, Self::NEXT, self.facts.tables[index.index()].base);
        let next = self.border.w.label();
        self.border.w.bind(next);
        // From the last on. No address counts in more than 8 bytes.
        self.border.w.lea(Width::W64, Self::U, Addr::indexed(Self::NEXT, Self::T, 3, 0));
        let last = Addr::indexed(Self::U, Self::T, 3, -SEGMENT_ELEMENT);
        self.border.store(Ty::ContRef, last, I::FLOAT_SCRATCH);
        self.count_down(Width::W64, Self::T, next);
    }

    /// `counter -= 1`, and back to `next` unless it is 0.
    fn count_down(&mut self, width: Width, counter: Reg, next: Label) {
        self.border.w.alu_zero(Alu::Sub, width, counter, Src::Imm(1)).branch(Cond::Ne, next);
    }

    /// The next element is so many bytes further on.
    fn advance(&mut self, stride: i32) {
        self.border.w.alu(Alu::Add, Width::W64, Self::NEXT, Self::NEXT, Src::imm(stride));
    }

    fn active_elements(&mut self, segment: &TableSegment) {
        let table = self.facts.tables[segment.table_index.index()];
        self.value(&segment.offset);
        // All of it is checked before any of it is written. A segment is shorter than 2^31.
        let w = &mut self.border.w;
        w.lea(Width::W64, Self::T, Addr::base(Self::VALUE, segment.elements.len() as i32));
        w.cmp(Width::W64, Self::T, Src::Reg(Self::VALUE)).trap(Cond::LtU, TrapCode::TableOutOfBounds);
        self.border.load_from(Ty::I64, Self::U, table.length);
        let w = &mut self.border.w;
        w.cmp(Width::W64, Self::T, Src::Reg(Self::U)).trap(Cond::GtU, TrapCode::TableOutOfBounds);
        w.mov(Width::W64, Self::KEPT, Self::VALUE);
        self.charge(Work::TableInit, segment.elements.len());
        if segment.elements.len() == 0 {
            return;
        }
        let stride = table.elem.bytes() as i32;
        let tag = self.tag(segment.table_index);
        let at = Segment::Active(segment.table_index);
        self.elements(&segment.elements, Elements { ty: table.elem, stride, tag, at });
    }

    /// `NEXT = ` where element number `n` goes.
    fn locate(&mut self, how: Elements, n: usize) {
        match how.at {
            Segment::Passive(index) => {
                self.border.w.iconst(Width::W32, I::LIBCALL.int_args[1], index.as_u32().into(), false);
                self.border.w.libcall(Libcall::ElemBase);
                self.border.w.mov(Width::W64, Self::NEXT, I::LIBCALL.int_results[0]);
            }
            Segment::Active(index) => {
                let table = self.facts.tables[index.index()];
                self.border.load_from(Ty::I64, Self::NEXT, table.base);
                // No address counts in more than 8 bytes.
                let steps = if table.elem.is_wide() { 2 } else { 1 };
                let part = Addr::indexed(Self::NEXT, Self::KEPT, table.elem_log2() - (steps - 1), 0);
                for _ in 0..steps {
                    self.border.w.lea(Width::W64, Self::NEXT, part);
                }
            }
        }
        if n != 0 {
            // Each element before this one has taken more bytes of code than of the segment.
            self.advance(how.stride * n as i32);
        }
    }

    /// Writes the elements.
    fn elements(&mut self, elements: &TableSegmentElements, how: Elements) {
        if how.ty == Ty::FuncRef
            && let Some(list) = function_list(elements)
        {
            if matches!(elements, TableSegmentElements::Expressions { .. }) {
                self.cost += list.len() as u64;
            }
            self.locate(how, 0);
            return self.list(list, how);
        }
        let TableSegmentElements::Expressions { exprs, .. } = elements else {
            unreachable!("functions are a list");
        };
        self.locate(how, 0);
        for (n, expr) in exprs.iter().enumerate() {
            if how.ty == Ty::ContRef {
                self.continuation(expr);
                self.border.store(Ty::ContRef, Addr::base(Self::NEXT, 0), I::FLOAT_SCRATCH);
                self.advance(how.stride);
                continue;
            }
            if self.charge_for(expr) {
                // The table may have grown, and be elsewhere.
                self.locate(how, n);
            }
            self.compute(expr);
            self.element(how);
        }
    }

    /// Writes the element that is in `VALUE`.
    fn element(&mut self, how: Elements) {
        self.mark(how.tag);
        if how.ty == Ty::GcRef && matches!(how.at, Segment::Active(_)) && self.facts.counts() {
            let [address, reference] = [I::PRIVATE.int_args[0], I::PRIVATE.int_args[1]];
            self.border.w.mov(Width::W32, reference, Self::VALUE);
            self.border.w.mov(Width::W64, address, Self::NEXT);
            self.border.w.call(Target::Routine(Routine::SetReference));
        } else {
            self.count(how.ty, 1);
            self.border.store(bits_type(how.ty), Addr::base(Self::NEXT, 0), Self::VALUE);
        }
        self.advance(how.stride);
    }

    fn mark(&mut self, tag: i32) {
        if tag != 0 {
            self.border.w.alu(Alu::Or, Width::W64, Self::VALUE, Self::VALUE, Src::imm(tag));
        }
    }

    fn list(&mut self, list: Vec<u32>, how: Elements) {
        let index = I::LIBCALL.int_args[1];
        let w = &mut self.border.w;
        let [indices, next, null, write] = w.labels();
        w.lea_label(Self::KEPT, indices);
        w.iconst(Width::W32, Self::COUNT, list.len() as i64, false);
        w.bind(next);
        w.load(Load::I32, index, Addr::base(Self::KEPT, 0));
        w.cmp(Width::W32, index, Src::imm(NULL.cast_signed())).branch(Cond::Eq, null);
        self.ref_func();
        let w = &mut self.border.w;
        w.jmp(write);
        w.bind(null);
        w.iconst(Width::W32, Self::VALUE, 0, false);
        w.bind(write);
        self.element(how);
        self.border.w.alu(Alu::Add, Width::W64, Self::KEPT, Self::KEPT, Src::Imm(size_of::<u32>() as i64));
        self.count_down(Width::W32, Self::COUNT, next);
        self.lists.push((indices, list));
    }

    fn active_data(&mut self, memory: MemoryIndex, place: &MemorySegmentOffset, data: RuntimeDataIndex) {
        let memory = self.facts.memories[memory.index()];
        let base = Addr::base(I::CTX, offset(self.offsets.vmctx_runtime_data_base(data)));
        let length = offset(self.offsets.vmctx_runtime_data_length(data));
        let done = self.border.w.label();
        match place {
            MemorySegmentOffset::Static(start) => {
                // No base: the memory came with its initial image.
                self.border.w.cmp_mem(Width::W64, base, Src::Imm(0)).branch(Cond::Eq, done);
                self.border.w.iconst(Width::W64, Self::VALUE, start.cast_signed(), false);
            }
            MemorySegmentOffset::Expr(expr) => self.value(expr),
        }
        self.border.w.mov(Width::W64, Self::KEPT, Self::VALUE);
        self.charge_bytes(length);
        let [_, to, from, bytes, ..] = *I::LIBCALL.int_args else { unreachable!("a convention has four arguments") };
        let end = Self::VALUE;
        let w = &mut self.border.w;
        w.load(Load::I32, bytes, Addr::base(I::CTX, length));
        w.lea(Width::W64, end, Addr::indexed(Self::KEPT, bytes, 0, 0));
        w.cmp(Width::W64, end, Src::Reg(Self::KEPT)).trap(Cond::LtU, TrapCode::MemoryOutOfBounds);
        self.border.load_from(Ty::I64, to, memory.length);
        let w = &mut self.border.w;
        w.cmp(Width::W64, end, Src::Reg(to)).trap(Cond::GtU, TrapCode::MemoryOutOfBounds);
        w.mov(Width::W64, to, Self::KEPT);
        self.border.load_from(Ty::I64, from, memory.base);
        let w = &mut self.border.w;
        w.alu(Alu::Add, Width::W64, to, to, Src::Reg(from));
        w.load(Load::I64, from, base);
        w.libcall(Libcall::MemoryCopy);
        w.bind(done);
    }

    fn call(&mut self, index: FuncIndex, sig: &Sig) {
        match self.facts.funcs[index.index()].callee {
            Callee::Defined { index, .. } => self.border.w.call(Target::Func(index)),
            Callee::Imported { code, context, .. } => {
                let (callee, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
                let w = &mut self.border.w;
                w.load(Load::I64, callee, Addr::base(I::CTX, context));
                w.mov(Width::W64, caller, I::CTX);
                w.load(Load::I64, I::SCRATCH, Addr::base(I::CTX, code));
                w.call_reg(I::SCRATCH);
            }
        }
    }
}

/// The elements as function indices, if they are nothing but functions and nulls.
fn function_list(elements: &TableSegmentElements) -> Option<Vec<u32>> {
    match elements {
        TableSegmentElements::Functions(indices) => Some(indices.iter().map(|index| index.as_u32()).collect()),
        TableSegmentElements::Expressions { exprs, .. } => exprs
            .iter()
            .map(|expr| match expr.ops() {
                [ConstOp::RefFunc(index)] => Some(index.as_u32()),
                [ConstOp::RefNull(_)] => Some(NULL),
                _ => None,
            })
            .collect(),
    }
}

/// The integer type as wide as `ty`, to handle a value as bits.
fn bits_type(ty: Ty) -> Ty {
    match ty.width() {
        Width::W32 => Ty::I32,
        Width::W64 => Ty::I64,
    }
}
