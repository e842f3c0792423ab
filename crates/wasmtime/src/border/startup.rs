//! What a module does before its first call: global initialisers, element segments, data segments and the start
//! function, as one routine that Wasmtime calls when it has made an instance.

use crate::border::trampolines::{Entry, Stubs};
use crate::facts::constants;
use crate::facts::layout::offset;
use crate::facts::types::reference_type;
use crate::target::POINTER;
use lightbeam_asm::x64::{Alu, Cc, R12, R13, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, Size, XMM15, rows};
use lightbeam_asm::{Addr, Label, Reg};
use lightbeam_compiler::code::{Routine, Target, TrapCode, TrapSite};
use lightbeam_compiler::compare_with_heap;
use lightbeam_compiler::facts::{Callee, Collector, Facts, GlobalFact, MOST_UNITS, Where};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::libcall::Libcall;
use lightbeam_compiler::ty::{Ty, Width};
use std::ops::Range;
use wasmtime_environ::{
    ConstExpr, ConstOp, EntityRef, FUNCREF_INIT_BIT, FuncIndex, MemoryIndex, MemoryInit, MemorySegmentOffset,
    ModuleTranslation, PassiveElemIndex, RuntimeDataIndex, TableIndex, TableInitialValue, TableSegment,
    TableSegmentElements, VMOffsets,
};

const CTX: Reg = X64::CTX;

/// Bytes of an element of a passive element segment, a `ValRaw`.
const SEGMENT_ELEMENT: i32 = 16;

/// Stands for a null reference in a list of function indices.
const NULL: u32 = u32::MAX;

/// Where the routine keeps its count of fuel, which reaches the store only where somebody may look.
const FUEL: Addr = Addr::base(RBP, -32);

/// Up to this cost, an operation on many elements does not make the routine look at fuel and epoch.
const SMALL: u64 = 128;

/// The startup routine under construction.
///
/// Registers: `rbx` is where the next element goes, `r12` and `r13` what loops keep; none of them is destroyed by
/// libcalls. Constant expressions are computed into `rax`.
///
/// Fuel is charged as Wasmtime's own startup routines charge it, so that totals do not depend on the compiler.
struct Startup<'a> {
    stubs: &'a mut Stubs,
    translation: &'a ModuleTranslation<'a>,
    facts: &'a Facts,
    offsets: VMOffsets<u8>,
    /// Lists of function indices that go behind the code.
    lists: Vec<(Label, Vec<u32>)>,
    /// Where traps go, by reason.
    traps: Vec<(Label, TrapCode)>,
    /// Fuel used on the way here and not yet counted; like a function, the routine itself costs 1.
    cost: u64,
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
    /// Is nothing there yet?
    fresh: bool,
}

/// What a module's startup is made of, as ranges of the code.
pub(crate) struct Ranges {
    /// The entry of `Tail` convention, with the routine itself.
    pub(crate) wasm: Range<u32>,
    /// The entry for the host.
    pub(crate) array: Range<u32>,
}

/// Makes the startup routine of a module with both its entries.
pub(crate) fn emit(stubs: &mut Stubs, translation: &ModuleTranslation<'_>, facts: &Facts, concurrency: bool) -> Ranges {
    let sig = X64::sig(&[], &[]);
    let wasm = stubs.start();
    let routine = stubs.asm.label();
    stubs.thunk(facts, &sig, Entry::Local(routine));
    stubs.asm.align(16);
    stubs.asm.bind(routine);
    let offsets = VMOffsets::new(POINTER, &translation.module);
    Startup { stubs, translation, facts, offsets, lists: Vec::new(), traps: Vec::new(), cost: 1 }.emit();
    let wasm = wasm..stubs.asm.offset();
    stubs.asm.align(16);
    let array = stubs.asm.offset();
    stubs.array_to_wasm(facts, &sig, Entry::Local(routine), concurrency);
    Ranges { wasm, array: array..stubs.asm.offset() }
}

impl Startup<'_> {
    fn emit(mut self) {
        const SAVED: [Reg; 3] = [RBX, R12, R13];
        self.stubs.enter();
        for reg in SAVED {
            self.stubs.asm.push(reg);
        }
        // The slot of `FUEL`, which also aligns the stack.
        self.stubs.asm.push(RAX);
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
            self.call(index);
            self.load_fuel();
        }
        self.store_fuel();
        self.stubs.asm.lea_rm(Size::S64, RSP, Addr::base(RBP, -8 * SAVED.len() as i32));
        for reg in SAVED.into_iter().rev() {
            self.stubs.asm.pop(reg);
        }
        self.stubs.asm.pop(RBP);
        // Nothing of the host's is left where a result is.
        self.stubs.asm.zero(RAX);
        self.stubs.asm.ret();
        self.margins();
    }

    /// Trap sequences and lists, which no control runs into.
    fn margins(&mut self) {
        for (label, code) in std::mem::take(&mut self.traps) {
            self.stubs.asm.bind(label);
            if !self.facts.settings.hardware_traps {
                self.stubs.asm.mov_ri(Size::S32, RSI, code as i64);
                self.libcall(Libcall::Trap);
            }
            let at = self.stubs.asm.ud2();
            self.stubs.traps.push(TrapSite { at, code });
        }
        for (label, list) in std::mem::take(&mut self.lists) {
            self.stubs.asm.align(4);
            self.stubs.asm.bind(label);
            for index in list {
                self.stubs.asm.put(index.into(), 4);
            }
        }
    }

    fn trap(&mut self, cc: Cc, code: TrapCode) {
        let label = self.trap_label(code);
        self.stubs.asm.jcc(cc, label);
    }

    fn trap_label(&mut self, code: TrapCode) -> Label {
        if let Some((label, _)) = self.traps.iter().find(|(_, known)| *known == code) {
            return *label;
        }
        let label = self.stubs.asm.label();
        self.traps.push((label, code));
        label
    }

    /// Puts the address of the store's structure into `rcx`.
    fn store_context(&mut self) {
        self.stubs.asm.mov_rm(Size::S64, RCX, Addr::base(CTX, self.facts.ctx.store));
    }

    fn load_fuel(&mut self) {
        if self.facts.settings.fuel {
            self.store_context();
            self.stubs.asm.mov_rm(Size::S64, RCX, Addr::base(RCX, self.facts.ctx.fuel));
            self.stubs.asm.mov_mr(Size::S64, FUEL, RCX);
        }
    }

    fn store_fuel(&mut self) {
        if self.facts.settings.fuel {
            self.store_context();
            self.stubs.asm.mov_rm(Size::S64, RDX, FUEL);
            self.stubs.asm.mov_mr(Size::S64, Addr::base(RCX, self.facts.ctx.fuel), RDX);
        }
    }

    /// Adds what has been used since the last time.
    fn count_fuel(&mut self) {
        let cost = i64::try_from(std::mem::take(&mut self.cost)).unwrap_or(i64::MAX).min(MOST_UNITS);
        if self.facts.settings.fuel && cost != 0 {
            self.stubs.asm.mov_ri(Size::S64, RCX, cost);
            self.stubs.asm.alu_mr(Alu::Add, Size::S64, FUEL, RCX);
        }
    }

    /// Lets the host in if fuel has run out or the epoch has ended. Destroys what C functions may.
    fn meter(&mut self) {
        if self.facts.settings.fuel {
            self.count_fuel();
            let left = self.stubs.asm.label();
            self.stubs.asm.alu_mi(Alu::Cmp, Size::S64, FUEL, 0);
            self.stubs.asm.jcc(Cc::L, left);
            self.store_fuel();
            self.let_in(Libcall::OutOfGas);
            self.load_fuel();
            self.stubs.asm.bind(left);
        }
        if self.facts.settings.epochs {
            let current = self.stubs.asm.label();
            self.store_context();
            self.stubs.asm.mov_rm(Size::S64, RDX, Addr::base(CTX, self.facts.ctx.epoch));
            self.stubs.asm.mov_rm(Size::S64, RDX, Addr::base(RDX, 0));
            self.stubs.asm.alu_rm(Alu::Cmp, Size::S64, RDX, Addr::base(RCX, self.facts.ctx.epoch_deadline));
            self.stubs.asm.jcc(Cc::B, current);
            self.let_in(Libcall::NewEpoch);
            self.stubs.asm.bind(current);
        }
    }

    /// Calls a builtin that lets the host do anything: it may move memory 0, whose base is what every routine and the
    /// start function find in a register.
    fn let_in(&mut self, libcall: Libcall) {
        self.libcall(libcall);
        self.stubs.load_pinned(self.facts);
    }

    /// Charges for an operation on so many elements.
    fn charge(&mut self, elements: u64) {
        self.cost = self.cost.saturating_add(elements);
        if elements > SMALL {
            self.meter();
        }
    }

    /// Charges for as many bytes as the 32 bits at this offset of the instance say.
    fn charge_bytes(&mut self, length: i32) {
        if self.facts.settings.fuel {
            self.count_fuel();
            self.stubs.asm.mov_rm(Size::S32, RCX, Addr::base(CTX, length));
            self.stubs.asm.alu_mr(Alu::Add, Size::S64, FUEL, RCX);
        }
        self.meter();
    }

    /// Calls a builtin with the arguments after the instance in place. Destroys what C functions may.
    fn libcall(&mut self, libcall: Libcall) {
        self.stubs.asm.mov_rr(Size::S64, RDI, CTX);
        self.stubs.call(Target::Libcall(libcall));
    }

    /// `rax = ` the value, as bits; of a 32-bit type with the upper half zero. Charges for it.
    fn value(&mut self, expr: &ConstExpr) {
        self.charge_for(expr);
        self.compute(expr);
    }

    /// Charges for the operators of an expression, and for the elements of arrays that it makes. Is that so much that
    /// it should be looked at? Destroys `rax` and `rcx`.
    fn charge_for(&mut self, expr: &ConstExpr) -> bool {
        let ops = expr.ops();
        self.cost += ops.len() as u64;
        let mut large = false;
        for length in ops.iter().enumerate().filter_map(|(at, _)| constants::array_length(&ops[..=at])) {
            match *length {
                [ConstOp::I32Const(length)] => {
                    self.cost += u64::from(length.cast_unsigned());
                    large |= u64::from(length.cast_unsigned()) > SMALL;
                }
                ref length => {
                    large = true;
                    if self.facts.settings.fuel {
                        self.numbers(length);
                        self.stubs.asm.alu_mr(Alu::Add, Size::S64, FUEL, RAX);
                    }
                }
            }
        }
        large
    }

    /// As `value`, without the charge.
    fn compute(&mut self, expr: &ConstExpr) {
        if constants::makes_objects(expr) {
            let index = self.facts.constants.binary_search(&constants::encode(expr)).expect("a fact of the module");
            return self.stubs.call(Target::Routine(Routine::Constant { index: index as u32 }));
        }
        self.numbers(expr.ops());
    }

    /// Computes an expression of operators that make no objects.
    fn numbers(&mut self, ops: &[ConstOp]) {
        let mut depth = 0;
        for op in ops {
            match *op {
                ConstOp::I32Add | ConstOp::I64Add | ConstOp::I32Sub | ConstOp::I64Sub => {
                    let (alu, size) = match op {
                        ConstOp::I32Add => (Alu::Add, Size::S32),
                        ConstOp::I64Add => (Alu::Add, Size::S64),
                        ConstOp::I32Sub => (Alu::Sub, Size::S32),
                        _ => (Alu::Sub, Size::S64),
                    };
                    self.stubs.asm.mov_rr(Size::S64, RCX, RAX);
                    self.stubs.asm.pop(RAX);
                    self.stubs.asm.alu_rr(alu, size, RAX, RCX);
                    depth -= 1;
                    continue;
                }
                ConstOp::I32Mul | ConstOp::I64Mul => {
                    let size = if *op == ConstOp::I32Mul { Size::S32 } else { Size::S64 };
                    self.stubs.asm.pop(RCX);
                    self.stubs.asm.rr(rows::IMUL_RM, size, RAX, RCX);
                    depth -= 1;
                    continue;
                }
                _ => {}
            }
            if depth > 0 {
                self.stubs.asm.push(RAX);
            }
            depth += 1;
            match *op {
                ConstOp::I32Const(value) => self.stubs.asm.mov_ri(Size::S32, RAX, value.into()),
                ConstOp::I64Const(value) => self.stubs.asm.mov_ri(Size::S64, RAX, value),
                ConstOp::F32Const(bits) => self.stubs.asm.mov_ri(Size::S32, RAX, bits.into()),
                ConstOp::F64Const(bits) => self.stubs.asm.mov_ri(Size::S64, RAX, bits.cast_signed()),
                ConstOp::RefNull(_) => self.stubs.asm.zero(RAX),
                ConstOp::GlobalGet(index) => {
                    let global = self.facts.globals[index.index()];
                    self.stubs.load_place(bits_type(global.ty), RAX, global.place);
                }
                ConstOp::RefFunc(index) => {
                    // A reference is no operand of anything, so nothing is pushed and the stack is aligned.
                    debug_assert_eq!(depth, 1);
                    self.stubs.asm.mov_ri(Size::S32, RSI, index.as_u32().into());
                    self.libcall(Libcall::RefFunc);
                }
                ref other => unreachable!("{other:?} needs a type that has been refused"),
            }
        }
    }

    fn global(&mut self, global: GlobalFact, expr: &ConstExpr) {
        let Where::Ctx(disp) = global.place else { unreachable!("only a module's own globals have initialisers") };
        if global.ty == Ty::V128 {
            return self.vector_global(disp, expr);
        }
        if global.ty == Ty::ContRef {
            self.continuation(expr);
            return self.stubs.asm.movups_mr(Addr::base(CTX, disp), XMM15);
        }
        if self.charge_for(expr) {
            self.meter();
        }
        self.compute(expr);
        self.count(global.ty, 1);
        self.stubs.asm.mov_mr(bits_size(global.ty), Addr::base(CTX, disp), RAX);
    }

    /// Where references are counted: the one in `rax`, if it is of this type, is about to be written to so many places
    /// that held none before. Destroys `rcx` and `rdx`.
    fn count(&mut self, ty: Ty, places: u64) {
        let (Ty::GcRef, Some(gc)) = (ty, self.facts.gc) else { return };
        let Collector::Counting(counting) = gc.collector else { return };
        let done = self.stubs.asm.label();
        self.stubs.asm.test_rr(Size::S32, RAX, RAX);
        self.stubs.asm.jcc(Cc::E, done);
        self.stubs.asm.test_ri(Size::S32, RAX, 1);
        self.stubs.asm.jcc(Cc::Ne, done);
        self.stubs.asm.mov_rr(Size::S32, RAX, RAX);
        let span = counting.count.cast_unsigned() + 8;
        if u64::from(span) > gc.unchecked_span {
            let trap = self.trap_label(TrapCode::MemoryOutOfBounds);
            let mut isa = X64::around(std::mem::take(&mut self.stubs.asm), self.facts.settings.cpu);
            compare_with_heap(&mut isa, self.facts, RAX, span, trap);
            self.stubs.asm = isa.asm;
        }
        self.store_context();
        self.stubs.asm.mov_rm(Size::S64, RCX, Addr::base(RCX, gc.heap));
        self.stubs.asm.mov_ri(Size::S64, RDX, places.cast_signed());
        self.stubs.asm.alu_mr(Alu::Add, Size::S64, Addr::indexed(RCX, RAX, 0, counting.count), RDX);
        self.stubs.asm.bind(done);
    }

    /// Of a vector there is only ever one operator.
    fn vector_global(&mut self, disp: i32, expr: &ConstExpr) {
        self.cost += 1;
        match *expr.ops() {
            [ConstOp::V128Const(bits)] => {
                for (word, at) in [(bits as i64, disp), ((bits >> 64) as i64, disp + 8)] {
                    self.stubs.asm.mov_ri(Size::S64, RAX, word);
                    self.stubs.asm.mov_mr(Size::S64, Addr::base(CTX, at), RAX);
                }
            }
            [ConstOp::GlobalGet(index)] => {
                self.stubs.load_place(Ty::V128, XMM15, self.facts.globals[index.index()].place);
                self.stubs.asm.movups_mr(Addr::base(CTX, disp), XMM15);
            }
            ref other => unreachable!("{other:?} gives a vector"),
        }
    }

    /// `xmm15 = ` the value, a reference to a continuation. Of such there is only ever one operator, too.
    fn continuation(&mut self, expr: &ConstExpr) {
        self.cost += 1;
        match *expr.ops() {
            [ConstOp::RefNull(_)] => self.stubs.asm.rr(rows::XORPS, Size::S32, XMM15, XMM15),
            [ConstOp::GlobalGet(index)] => {
                self.stubs.load_place(Ty::ContRef, XMM15, self.facts.globals[index.index()].place);
            }
            ref other => unreachable!("{other:?} gives a continuation"),
        }
    }

    fn passive_elements(&mut self, index: PassiveElemIndex, elements: &TableSegmentElements) {
        if elements.len() == 0 {
            return;
        }
        self.stubs.asm.mov_ri(Size::S32, RSI, index.as_u32().into());
        self.libcall(Libcall::ElemBase);
        self.stubs.asm.mov_rr(Size::S64, RBX, RAX);
        let ty = match elements {
            TableSegmentElements::Expressions { ty, .. } => reference_type(ty).expect("not refused"),
            TableSegmentElements::Functions(_) => Ty::FuncRef,
        };
        self.elements(elements, Elements { ty, stride: SEGMENT_ELEMENT, tag: 0, fresh: true });
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
        if self.charge_for(expr) {
            self.meter();
        }
        self.charge(elements);
        self.compute(expr);
        if elements == 0 {
            return;
        }
        self.mark(self.tag(index));
        let table = self.facts.tables[index.index()];
        self.count(table.elem, elements);
        self.stubs.asm.mov_ri(Size::S64, RCX, elements.cast_signed());
        self.stubs.load_place(Ty::I64, RBX, table.base);
        let next = self.stubs.asm.label();
        self.stubs.asm.bind(next);
        let last = -(table.elem.bytes() as i32);
        self.stubs.asm.mov_mr(bits_size(table.elem), Addr::indexed(RBX, RCX, table.elem_log2(), last), RAX);
        self.stubs.asm.alu_ri(Alu::Sub, Size::S64, RCX, 1);
        self.stubs.asm.jcc(Cc::Ne, next);
    }

    /// `table_fill` with a continuation.
    fn table_fill_continuation(&mut self, index: TableIndex, expr: &ConstExpr, elements: u64) {
        self.continuation(expr);
        // Where nothing is changed by whoever is let in.
        self.stubs.asm.alu_ri(Alu::Sub, Size::S64, RSP, SEGMENT_ELEMENT);
        self.stubs.asm.movups_mr(Addr::base(RSP, 0), XMM15);
        self.charge(elements);
        self.stubs.asm.movups_rm(XMM15, Addr::base(RSP, 0));
        self.stubs.asm.alu_ri(Alu::Add, Size::S64, RSP, SEGMENT_ELEMENT);
        if elements == 0 {
            return;
        }
        self.stubs.asm.mov_ri(Size::S64, RCX, elements.cast_signed());
        self.stubs.load_place(Ty::I64, RBX, self.facts.tables[index.index()].base);
        let next = self.stubs.asm.label();
        self.stubs.asm.bind(next);
        // From the last on. No address counts in more than 8 bytes.
        self.stubs.asm.lea_rm(Size::S64, RDX, Addr::indexed(RBX, RCX, 3, 0));
        self.stubs.asm.movups_mr(Addr::indexed(RDX, RCX, 3, -SEGMENT_ELEMENT), XMM15);
        self.stubs.asm.alu_ri(Alu::Sub, Size::S64, RCX, 1);
        self.stubs.asm.jcc(Cc::Ne, next);
    }

    fn active_elements(&mut self, segment: &TableSegment) {
        let table = self.facts.tables[segment.table_index.index()];
        self.value(&segment.offset);
        // All of it is checked before any of it is written. A segment is shorter than 2^31.
        self.stubs.asm.mov_rr(Size::S64, RCX, RAX);
        self.stubs.asm.alu_ri(Alu::Add, Size::S64, RCX, segment.elements.len() as i32);
        self.trap(Cc::B, TrapCode::TableOutOfBounds);
        self.stubs.load_place(Ty::I64, RDX, table.length);
        self.stubs.asm.alu_rr(Alu::Cmp, Size::S64, RCX, RDX);
        self.trap(Cc::A, TrapCode::TableOutOfBounds);
        self.stubs.asm.mov_rr(Size::S64, R12, RAX);
        self.charge(segment.elements.len());
        if segment.elements.len() == 0 {
            return;
        }
        self.stubs.load_place(Ty::I64, RBX, table.base);
        if table.elem.is_wide() {
            let half = Addr::indexed(RBX, R12, table.elem_log2() - 1, 0);
            self.stubs.asm.lea_rm(Size::S64, RBX, half);
            self.stubs.asm.lea_rm(Size::S64, RBX, half);
        } else {
            self.stubs.asm.lea_rm(Size::S64, RBX, Addr::indexed(RBX, R12, table.elem_log2(), 0));
        }
        let stride = table.elem.bytes() as i32;
        let tag = self.tag(segment.table_index);
        self.elements(&segment.elements, Elements { ty: table.elem, stride, tag, fresh: false });
    }

    /// Writes the elements to `rbx` and on.
    fn elements(&mut self, elements: &TableSegmentElements, how: Elements) {
        if how.ty == Ty::FuncRef
            && let Some(list) = function_list(elements)
        {
            if matches!(elements, TableSegmentElements::Expressions { .. }) {
                self.cost += list.len() as u64;
            }
            return self.list(list, how);
        }
        let TableSegmentElements::Expressions { exprs, .. } = elements else {
            unreachable!("functions are a list");
        };
        for expr in exprs {
            if how.ty == Ty::ContRef {
                self.continuation(expr);
                self.stubs.asm.movups_mr(Addr::base(RBX, 0), XMM15);
                self.stubs.asm.alu_ri(Alu::Add, Size::S64, RBX, how.stride);
                continue;
            }
            self.value(expr);
            self.element(how);
        }
    }

    /// Writes the element that is in `rax`.
    fn element(&mut self, how: Elements) {
        self.mark(how.tag);
        if how.ty == Ty::GcRef && !how.fresh && self.facts.counts() {
            let [address, reference] = [X64::PRIVATE.int_args[0], X64::PRIVATE.int_args[1]];
            self.stubs.asm.mov_rr(Size::S32, reference, RAX);
            self.stubs.asm.mov_rr(Size::S64, address, RBX);
            self.stubs.call(Target::Routine(Routine::SetReference));
        } else {
            self.count(how.ty, 1);
            self.stubs.asm.mov_mr(bits_size(how.ty), Addr::base(RBX, 0), RAX);
        }
        self.stubs.asm.alu_ri(Alu::Add, Size::S64, RBX, how.stride);
    }

    fn mark(&mut self, tag: i32) {
        if tag != 0 {
            self.stubs.asm.alu_ri(Alu::Or, Size::S64, RAX, tag);
        }
    }

    fn list(&mut self, list: Vec<u32>, how: Elements) {
        let [indices, next, null, write] = [(); 4].map(|()| self.stubs.asm.label());
        self.stubs.asm.lea_label(R12, indices);
        self.stubs.asm.mov_ri(Size::S32, R13, list.len() as i64);
        self.stubs.asm.bind(next);
        self.stubs.asm.mov_rm(Size::S32, RSI, Addr::base(R12, 0));
        self.stubs.asm.alu_ri(Alu::Cmp, Size::S32, RSI, NULL.cast_signed());
        self.stubs.asm.jcc(Cc::E, null);
        self.libcall(Libcall::RefFunc);
        self.stubs.asm.jmp(write);
        self.stubs.asm.bind(null);
        self.stubs.asm.zero(RAX);
        self.stubs.asm.bind(write);
        self.element(how);
        self.stubs.asm.alu_ri(Alu::Add, Size::S64, R12, 4);
        self.stubs.asm.alu_ri(Alu::Sub, Size::S32, R13, 1);
        self.stubs.asm.jcc(Cc::Ne, next);
        self.lists.push((indices, list));
    }

    fn active_data(&mut self, memory: MemoryIndex, place: &MemorySegmentOffset, data: RuntimeDataIndex) {
        let memory = self.facts.memories[memory.index()];
        let base = offset(self.offsets.vmctx_runtime_data_base(data));
        let length = offset(self.offsets.vmctx_runtime_data_length(data));
        let done = self.stubs.asm.label();
        match place {
            MemorySegmentOffset::Static(start) => {
                // No base: the memory came with its initial image.
                self.stubs.asm.alu_mi(Alu::Cmp, Size::S64, Addr::base(CTX, base), 0);
                self.stubs.asm.jcc(Cc::E, done);
                self.stubs.asm.mov_ri(Size::S64, RAX, start.cast_signed());
            }
            MemorySegmentOffset::Expr(expr) => self.value(expr),
        }
        self.stubs.asm.mov_rr(Size::S64, R12, RAX);
        self.charge_bytes(length);
        self.stubs.asm.mov_rr(Size::S64, RAX, R12);
        self.stubs.asm.mov_rr(Size::S64, RSI, R12);
        self.stubs.asm.mov_rm(Size::S32, RCX, Addr::base(CTX, length));
        self.stubs.asm.alu_rr(Alu::Add, Size::S64, RAX, RCX);
        self.trap(Cc::B, TrapCode::MemoryOutOfBounds);
        self.stubs.load_place(Ty::I64, RDX, memory.length);
        self.stubs.asm.alu_rr(Alu::Cmp, Size::S64, RAX, RDX);
        self.trap(Cc::A, TrapCode::MemoryOutOfBounds);
        self.stubs.load_place(Ty::I64, RDX, memory.base);
        self.stubs.asm.alu_rr(Alu::Add, Size::S64, RSI, RDX);
        self.stubs.asm.mov_rm(Size::S64, RDX, Addr::base(CTX, base));
        self.libcall(Libcall::MemoryCopy);
        self.stubs.asm.bind(done);
    }

    fn call(&mut self, index: FuncIndex) {
        match self.facts.funcs[index.index()].callee {
            Callee::Defined { index, .. } => self.stubs.call(Target::Func(index)),
            Callee::Imported { code, context } => {
                self.stubs.asm.mov_rm(Size::S64, RDI, Addr::base(CTX, context));
                self.stubs.asm.mov_rr(Size::S64, RSI, CTX);
                self.stubs.asm.call_m(Addr::base(CTX, code));
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

/// The size of a value of a type.
fn bits_size(ty: Ty) -> Size {
    match ty.width() {
        Width::W32 => Size::S32,
        Width::W64 => Size::S64,
    }
}

/// The integer type as wide as `ty`, to handle a value as bits.
fn bits_type(ty: Ty) -> Ty {
    match ty.width() {
        Width::W32 => Ty::I32,
        Width::W64 => Ty::I64,
    }
}
