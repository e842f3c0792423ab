//! Memory operands: what an address is of, what is read there, and what may be written.

use crate::abi::bytes;
use crate::decode::Instruction;
use crate::facts::{Collector, InstanceField, StoreField, ValueType};
use crate::proof::Cause;
use crate::relate::{Key, Region};
use crate::state::NONE;
use crate::value::{ONLY_NULL, OWNER_MEMORY, OWNER_TABLE, OWNER_TAG, Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// What an address is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// The frame, or the arguments above it.
    Frame(i32),
    /// Bytes that are numbers, and may be read and written.
    Numbers,
    /// Bytes that are numbers, and may only be read.
    Constants,
    /// A field that is read as this, as a whole, and never written.
    Field(Value, u8),
    /// A field of the store.
    Store(StoreField, u8),
    /// The value of a global.
    Global(u32),
    /// An element of a table.
    Element(u32),
    /// A reference of 32 bits in a table, a global or the heap.
    Cell,
    /// Where the free space of a collector that moves objects begins, to be written.
    FreeStart,
    /// The length of a data segment.
    DataLength(u32),
    /// The result area of this function.
    ResultArea(u32),
    /// An element of a segment that is being filled, of such a type.
    Segment(ValueType),
    /// A reference to a continuation of functions of this type as values have it.
    Continuation(u32),
    /// Whether a task may block, in a component's context.
    MayBlock,
}

/// An address: a base that may be anything, an index that is a number, and a displacement.
struct Address {
    base: Value,
    base_reg: u8,
    index: Value,
    index_reg: u8,
    scale: u8,
    disp: i64,
}

impl Walk<'_> {
    fn parts(&self, instruction: &Instruction) -> Proved<Address> {
        if instruction.narrow_address {
            return Err("address with a register that is not of 64 bits");
        }
        let Instruction { base: mut base_reg, index: mut index_reg, scale, disp, .. } = *instruction;
        // What there is none of counts as 0.
        let part = |reg: u8| self.st.regs.get(usize::from(reg)).copied().unwrap_or(Value::NULL);
        let (mut base, mut index) = (part(base_reg), part(index_reg));
        // Either of the two may be the pointer if none is scaled.
        if scale == 0 && base.is_number() && (!index.is_number() || base.is(Tag::WithinParam)) {
            (base, index) = (index, base);
            (base_reg, index_reg) = (index_reg, base_reg);
        }
        Ok(Address { base, base_reg, index, index_reg, scale, disp })
    }

    /// What the memory operand of an instruction is of, if that many bytes of it may be accessed.
    pub(crate) fn spot(&mut self, instruction: &Instruction, width: u32, writes: bool) -> Proved<Spot> {
        if instruction.ip_relative {
            if writes {
                return Err("store to the text");
            }
            return self.constant_in_text(instruction.disp.cast_unsigned(), width);
        }
        let address = self.parts(instruction)?;
        let Address { base, base_reg, index, index_reg, scale, disp } = address;
        if !index.is_number() {
            return Err("index that is not a number");
        }
        let plain = index_reg == NONE;
        let facts = self.p.facts;
        match base.tag() {
            Tag::Stack if plain => {
                let at = i64::from(base.b().cast_signed()) + disp;
                self.check_frame(at, width, writes)?;
                Ok(Spot::Frame(at as i32))
            }
            Tag::Memory => {
                // Where the register of memory 0 has none, it has something else.
                let Some(memory) = facts.memories.get(base.b() as usize) else { return Err("no such memory") };
                if !self.reaches_memory(base.b(), index, index_reg, scale, disp, width) {
                    return Err("access to a linear memory that is not known to be in bounds");
                }
                let at = if plain { Some(disp) } else { index.as_constant().filter(|_| scale == 0) };
                let at = at.map(|at| if plain { at } else { at.saturating_add(disp) });
                let certain = at.is_some_and(|at| at >= 0 && at.saturating_add(width.into()) as u64 <= memory.minimum);
                self.fault(if certain { Cause::MemoryInBounds } else { Cause::Memory })?;
                Ok(Spot::Numbers)
            }
            Tag::Ctx if plain => self.instance_field(disp, width),
            Tag::ImportInstance if plain => self.field_of_import(base.b(), disp, width),
            Tag::Store if plain => {
                let Ok(at) = u32::try_from(disp) else { return Err("store's structure below its start") };
                let found = facts.store.binary_search_by_key(&at, |field| field.offset);
                let Ok(found) = found else { return Err("not a field of the store's structure") };
                let field = facts.store[found];
                if u32::from(field.width) != width {
                    return Err("not a whole field of the store's structure");
                }
                if matches!(field.kind, StoreField::TaskSlot(_) | StoreField::StoreData) {
                    self.check_task_field(field.kind, writes)?;
                }
                Ok(Spot::Store(field.kind, field.width))
            }
            Tag::Builtins if plain => {
                let known = facts.builtins.iter().position(|(_, at)| i64::from(*at) == disp && width == 8);
                match known {
                    Some(at) => Ok(Spot::Field(Value::of(Tag::BuiltinCode, at as u32), 8)),
                    None => Err("not a builtin"),
                }
            }
            Tag::Epoch if plain && disp == 0 && width == 8 && !writes => Ok(Spot::Constants),
            Tag::TypeIds if plain => match u32::try_from(disp) {
                Ok(at) if at % 4 == 0 && width == 4 && (at / 4) < facts.types.len() as u32 => {
                    Ok(Spot::Field(Value::of(Tag::TypeId, at / 4), 4))
                }
                _ => Err("not a type id"),
            },
            Tag::GcData if plain => self.collector_field(disp, width, writes),
            Tag::MemoryDef if plain => {
                let layout = &facts.layouts;
                if disp == i64::from(layout.memory_base) && width == 8 {
                    Ok(Spot::Field(Value::of(Tag::Memory, base.b()), 8))
                } else if disp == i64::from(layout.memory_length) && width <= 8 {
                    Ok(Spot::Field(Value::of(Tag::MemoryLen, base.b()), 8))
                } else {
                    Err("not a field of a memory's definition")
                }
            }
            Tag::TableDef if plain => {
                let layout = &facts.layouts;
                if disp == i64::from(layout.table_base) && width == 8 {
                    Ok(Spot::Field(Value::of(Tag::Table, base.b()), 8))
                } else if disp == i64::from(layout.table_length) && width <= 8 {
                    Ok(Spot::Field(self.table_length(base.b()), 8))
                } else {
                    Err("not a field of a table's definition")
                }
            }
            Tag::Global if plain && disp >= 0 && disp as u64 + u64::from(width) <= 16 => {
                let ty = facts.globals[base.b() as usize].ty;
                if disp as u64 + u64::from(width) > bytes(ty).into() || disp > 0 && bytes(ty) < 16 {
                    return Err("beyond the value of a global");
                }
                Ok(Spot::Global(base.b()))
            }
            Tag::Table => {
                let element = self.element_bytes(base.b());
                if !self.reaches_element(base.b(), index, index_reg, 1 << scale, disp, width) || element == 16 {
                    return Err("access to a table that is not known to be in bounds");
                }
                if width != element {
                    return Err("not a whole element of a table");
                }
                Ok(Spot::Element(base.b()))
            }
            Tag::TableHalf => {
                // The register must be the one that has led half way, and hold what it did.
                let same = u32::from(index_reg) == base.a() && self.half_way == self.at;
                if index_reg == NONE || !same || scale != 3 || width != 16 {
                    return Err("not a whole element of a table");
                }
                if !self.reaches_element(base.b(), index, index_reg, 16, disp, 16) {
                    return Err("access to a table that is not known to be in bounds");
                }
                Ok(Spot::Element(base.b()))
            }
            Tag::Heap if scale == 0 => {
                let Some(gc) = &facts.gc else { return Err("access to a heap of which nothing is known") };
                let end = disp + i64::from(width);
                let guarded = index.is_u32() && disp >= 0 && end as u64 <= gc.unchecked_span;
                let checked = disp >= 0 && end as u64 <= self.checked_in_heap(index);
                if !guarded && !checked {
                    return Err("access to the heap that is not known to be in bounds");
                }
                self.fault(Cause::Heap)?;
                Ok(Spot::Numbers)
            }
            Tag::HeapAt if plain => {
                if disp < 0 || disp as u64 + u64::from(width) > base.b().into() {
                    return Err("access to the heap that is not known to be in bounds");
                }
                self.fault(Cause::Heap)?;
                Ok(Spot::Numbers)
            }
            Tag::Func if plain => {
                let layout = &facts.layouts;
                let identity = self.identify(base_reg);
                let base = self.st.regs[usize::from(base_reg)];
                let nullable = base.a() & crate::value::NULLABLE != 0;
                let field = if disp == i64::from(layout.func_ref_type) && width == 4 {
                    Value::new(Tag::TypeOf, identity, 0)
                } else if disp == i64::from(layout.func_ref_instance) && width == 8 {
                    Value::new(Tag::FuncInstance, identity, 0)
                } else if disp == i64::from(layout.func_ref_code) && width == 8 {
                    if base.b() == 0 {
                        return Err("code of a function whose type is not known");
                    }
                    Value::new(Tag::FuncCode, identity, base.b())
                } else {
                    return Err("not a field of a function reference");
                };
                self.fault(if nullable { Cause::NullFunction } else { Cause::NoNullFunction })?;
                // Who has read through it knows that it is not null.
                self.st.regs[usize::from(base_reg)] = base.not_zero();
                Ok(Spot::Field(field, width as u8))
            }
            Tag::Text => self.entry_of_table(base.b(), index, scale, disp, width),
            Tag::Const if base == Value::NULL && plain && !writes && facts.layouts.is_in_func_ref(disp) => {
                // A null reference: nothing comes of it. Other addresses the host takes for no reference's.
                self.fault(Cause::NullFunction)?;
                self.ends = true;
                Ok(Spot::Constants)
            }
            Tag::Into if plain => {
                let reg = base_reg;
                let sums = self.sums();
                let not_zero = |reg: u8| self.st.regs[usize::from(reg)].least() > 0;
                if disp < 0 || sums.reach(reg, None, not_zero) < disp.saturating_add(width.into()) {
                    return Err("access by a pointer that is not known to be in its region");
                }
                self.region_spot(base, width, writes)
            }
            Tag::Into if index.least() > 0 => {
                let term = crate::relate::Term { key: Key::Reg(index_reg), shift: scale };
                if !self.sums().counted_down(base_reg, term, disp, width.into()) {
                    return Err("access by a pointer that is not known to be in its region");
                }
                self.region_spot(base, width, writes)
            }
            Tag::Cell if plain && disp == 0 && width == 4 => Ok(Spot::Cell),
            Tag::Vector if plain && !writes && disp >= 0 && disp + i64::from(width) <= 16 => Ok(Spot::Constants),
            Tag::ResultArea if plain => {
                let at = i64::from(base.b()) + disp;
                if !writes || at < 0 || at + i64::from(width) > i64::from(self.abi.stack_results) {
                    return Err("not in the result area");
                }
                Ok(Spot::ResultArea(at as u32))
            }
            Tag::Values if plain => {
                let at = i64::from(base.b()) + disp;
                if at < 0 || at + i64::from(width) > 16 * i64::from(self.values) {
                    return Err("not among the values of the host");
                }
                Ok(Spot::Frame(self.values_at() + at as i32))
            }
            Tag::Callee if plain && matches!(self.role, Role::HostExit(_)) => {
                if disp == i64::from(facts.layouts.host_function) && width == 8 && !writes {
                    return Ok(Spot::Field(Value::of(Tag::HostCode, 0), 8));
                }
                Err("not the host's function")
            }
            Tag::Caller | Tag::Callee if plain && !writes => self.foreign_field(disp, width),
            Tag::Answer if plain && !writes => self.passed_value(base, disp, width),
            Tag::Component if plain => self.context_field(disp, width),
            Tag::ContextPointer if plain && !writes => self.behind_context(base.b(), disp, width),
            Tag::Libcalls if plain && !writes => self.libcall(disp, width),
            Tag::Param if matches!(self.role, Role::Intrinsic(_)) => {
                self.native_memory(base, (index_reg != NONE).then_some((index, scale)), disp, width, writes)
            }
            _ => Err("address without a known base"),
        }
    }

    fn reaches_memory(&self, memory: u32, index: Value, index_reg: u8, scale: u8, disp: i64, width: u32) -> bool {
        let facts = &self.p.facts.memories[memory as usize];
        let width = i64::from(width);
        // An index that is always the same is part of the displacement.
        let constant = if index_reg == NONE { Some(0) } else { index.as_constant() };
        let place = constant.and_then(|constant| constant.checked_mul(1 << scale)?.checked_add(disp));
        if let Some(disp) = place {
            let end = disp.saturating_add(width);
            return disp >= 0
                && (end as u64 <= facts.unchecked_span || end as u64 <= facts.mapped || end as u64 <= facts.minimum);
        }
        if scale != 0 {
            return false;
        }
        let end = disp.saturating_add(width);
        let spectre = self.p.facts.settings.spectre;
        match index.tag() {
            Tag::End | Tag::SafeEnd if index.b() == memory => {
                (index.is(Tag::SafeEnd) || !spectre) && disp < 0 && -i64::from(index.a()) <= disp && width <= -disp
            }
            Tag::EndConst | Tag::SafeEndConst if disp < 0 => {
                (index.is(Tag::SafeEndConst) || !spectre)
                    && -i64::from(index.a()) <= disp
                    && width <= -disp
                    && u64::from(index.b()) <= facts.fixed_length.unwrap_or(0).max(facts.minimum)
            }
            _ => {
                let below = index.below().map(|below| below - 1);
                // Not by how small an index is known to be: that may have been predicted.
                index.is_u32()
                    && disp >= 0
                    && (end as u64 <= facts.unchecked_span
                        || below.is_some_and(|most| {
                            let end = end as u64 + most;
                            (end <= facts.mapped || end <= facts.minimum) && !spectre
                        }))
            }
        }
    }

    /// How many bytes from an offset in the heap on may be accessed, as far as it was checked.
    pub(crate) fn checked_in_heap(&self, offset: Value) -> u64 {
        let guarded = offset.is_in_heap_for_certain() || !self.p.facts.settings.spectre || !self.role.is_body();
        offset.in_heap().filter(|_| guarded).map_or(0, u64::from)
    }

    /// Must an index be one of an element even if checks were predicted wrongly? Startup runs once, and by what the
    /// module says.
    pub(crate) fn guards_elements(&self) -> bool {
        self.p.facts.settings.spectre && matches!(self.role, Role::Body(_) | Role::Routine)
    }

    pub(crate) fn element_bytes(&self, table: u32) -> u32 {
        bytes(self.p.facts.tables[table as usize].element)
    }

    fn reaches_element(&self, table: u32, index: Value, index_reg: u8, stride: u32, disp: i64, width: u32) -> bool {
        let facts = &self.p.facts.tables[table as usize];
        // A guest chooses where routines begin, too.
        let spectre = self.guards_elements();
        if index_reg == NONE {
            let count = facts.fixed_length.unwrap_or(0).max(facts.minimum);
            return disp >= 0 && disp % i64::from(width) == 0 && (disp as u64 / u64::from(width)) < count;
        }
        if stride != bytes(facts.element) {
            return false;
        }
        if let Some(before) = disp.checked_neg()
            && before == i64::from(stride)
            && matches!(self.role, Role::StartupRoutine)
        {
            // Counted down from a number of elements.
            let count = facts.fixed_length.unwrap_or(0).max(facts.minimum);
            return index.least() > 0 && index.below().is_some_and(|below| below - 1 <= count);
        }
        if disp != 0 {
            return false;
        }
        match index.tag() {
            Tag::BelowLen if index.b() == table => !spectre,
            Tag::SafeBelowLen if index.b() == table => true,
            Tag::SafeBelow => u64::from(index.b()) <= facts.fixed_length.unwrap_or(0).max(facts.minimum),
            Tag::Below | Tag::Const => {
                let certain = index.is(Tag::Const) || !spectre;
                certain
                    && index.below().is_some_and(|below| below <= facts.fixed_length.unwrap_or(0).max(facts.minimum))
            }
            _ => {
                let not_zero = |reg: u8| self.st.regs[usize::from(reg)].least() > 0;
                !spectre && self.sums().reach_of_index(index_reg, Region::Table(table), not_zero) >= 1
            }
        }
    }

    fn instance_field(&mut self, disp: i64, width: u32) -> Proved<Spot> {
        let Ok(at) = u32::try_from(disp) else { return Err("instance below its start") };
        let Some(field) = self.p.instance_field(at) else { return Err("not a field of the instance") };
        let inside = at - field.offset;
        let whole = inside == 0 && u32::from(field.width) == width;
        let value = |tag: Tag, b: u32| Ok(Spot::Field(Value::of(tag, b), 8));
        let number = |value: Value| Ok(Spot::Field(value, 4));
        match field.kind {
            InstanceField::GlobalValue(global) => {
                let ty = self.p.facts.globals[global as usize].ty;
                let size = bytes(ty);
                if inside + width > size || inside > 0 && size < 16 {
                    return Err("beyond the value of a global");
                }
                return Ok(Spot::Global(global));
            }
            // The lower half is enough of what is less than 2³².
            InstanceField::MemoryLength(memory) if inside == 0 && width <= 8 => return value(Tag::MemoryLen, memory),
            InstanceField::TableLength(table) if inside == 0 && width <= 8 => {
                return Ok(Spot::Field(self.table_length(table), 8));
            }
            _ => {}
        }
        if !whole {
            return Err("not a whole field of the instance");
        }
        match field.kind {
            InstanceField::Store => value(Tag::Store, 0),
            InstanceField::Builtins if self.role.is_exit() => value(Tag::Builtins, 0),
            InstanceField::Builtins => Err("builtins are for exits"),
            InstanceField::Epoch => value(Tag::Epoch, 0),
            InstanceField::GcData => value(Tag::GcData, 0),
            InstanceField::TypeIds => value(Tag::TypeIds, 0),
            InstanceField::MemoryBase(memory) => value(Tag::Memory, memory),
            InstanceField::MemoryDefinition(memory) => value(Tag::MemoryDef, memory),
            InstanceField::TableBase(table) => value(Tag::Table, table),
            InstanceField::TableDefinition(table) => value(Tag::TableDef, table),
            InstanceField::MemoryOwner(memory) => Ok(Spot::Field(Value::new(Tag::Owner, OWNER_MEMORY, memory), 8)),
            InstanceField::TableOwner(table) => Ok(Spot::Field(Value::new(Tag::Owner, OWNER_TABLE, table), 8)),
            InstanceField::TagOwner(tag) => Ok(Spot::Field(Value::new(Tag::Owner, OWNER_TAG, tag), 8)),
            InstanceField::MemoryIndex(memory) => number(Value::new(Tag::OwnerIndex, OWNER_MEMORY, memory)),
            InstanceField::TableIndex(table) => number(Value::new(Tag::OwnerIndex, OWNER_TABLE, table)),
            InstanceField::TagIndex(_) => number(Value::U32),
            InstanceField::FunctionCode(func) => value(Tag::ImportCode, func),
            InstanceField::FunctionInstance(func) => value(Tag::ImportInstance, func),
            InstanceField::GlobalDefinition(global) => value(Tag::Global, global),
            InstanceField::TagDefinition(tag) => value(Tag::TagIdentity, tag),
            InstanceField::DataBase(data) => value(Tag::Data, data),
            InstanceField::DataLength(data) => Ok(Spot::DataLength(data)),
            InstanceField::TagValue(_)
            | InstanceField::GlobalValue(_)
            | InstanceField::MemoryLength(_)
            | InstanceField::TableLength(_) => Err("not a whole field of the instance"),
        }
    }

    fn table_length(&self, table: u32) -> Value {
        let short = !self.p.facts.tables[table as usize].index64;
        Value::new(Tag::TableLen, short.into(), table)
    }

    /// Of an instance of another module only what is at the same place in all is known.
    fn foreign_field(&mut self, disp: i64, width: u32) -> Proved<Spot> {
        let Some(field) = u32::try_from(disp).ok().and_then(|at| self.p.instance_field(at)) else {
            return Err("not a field of an instance");
        };
        let whole = i64::from(field.offset) == disp && width == 8;
        match field.kind {
            InstanceField::Store if whole => Ok(Spot::Field(Value::of(Tag::Store, 0), 8)),
            InstanceField::Builtins if whole && self.role.is_exit() => Ok(Spot::Field(Value::of(Tag::Builtins, 0), 8)),
            _ => Err("not a field that all instances have"),
        }
    }

    fn collector_field(&mut self, disp: i64, width: u32, writes: bool) -> Proved<Spot> {
        let p = self.p;
        let Some(gc) = &p.facts.gc else { return Err("data of a collector of which nothing is known") };
        for (place, field) in gc.data.iter().enumerate() {
            if let Some((at, writable)) = field
                && disp == i64::from(*at)
                && width == 4
                && (*writable || !writes)
            {
                return Ok(match (gc.collector, place) {
                    (Collector::Copying | Collector::None, _) if writes => Spot::FreeStart,
                    (Collector::Copying, 0) => {
                        self.forget_free_start();
                        Spot::Field(Value::of(Tag::FreeStart, 0), 4)
                    }
                    (Collector::Copying, _) => Spot::Field(Value::of(Tag::FreeEnd, 0), 4),
                    _ => Spot::Numbers,
                });
            }
        }
        Err("not a field of the collector's data")
    }

    fn region_spot(&mut self, base: Value, width: u32, writes: bool) -> Proved<Spot> {
        match Region::unpack(base) {
            Region::Table(table) => {
                if width != self.element_bytes(table) {
                    return Err("not a whole element of a table");
                }
                if self.guards_elements() {
                    return Err("element by a pointer that may be elsewhere if a check was predicted wrongly");
                }
                Ok(Spot::Element(table))
            }
            Region::Heap => {
                self.fault(Cause::Heap)?;
                Ok(Spot::Numbers)
            }
            Region::Text(list) if width == 4 && !writes => Ok(Spot::Field(self.listed(list), 4)),
            Region::Data(_) if !writes => Ok(Spot::Constants),
            Region::Elem(segment) if !writes => {
                let ty = self.p.facts.elements.get(segment as usize).copied();
                match (ty, width) {
                    (Some(ValueType::Func(func)), 8) => Ok(Spot::Field(Value::of_type(func), 8)),
                    (Some(ValueType::Gc), 4) => Ok(Spot::Field(Value::U32, 4)),
                    (Some(ValueType::Cont { ty }), 16) => Ok(Spot::Continuation(self.p.types.functions.of_cont(ty))),
                    _ => Err("not an element of a segment"),
                }
            }
            // Startup fills segments by the pointer that the host gives.
            Region::Elem(segment) if matches!(self.role, Role::StartupRoutine) => {
                match self.p.facts.elements.get(segment as usize) {
                    Some(ty) if width == bytes(*ty) => Ok(Spot::Segment(*ty)),
                    _ => Err("not an element of a segment"),
                }
            }
            Region::Memory(_) | Region::Data(_) | Region::Elem(_) | Region::Const(_) | Region::Text(_) => {
                Err("pointer that is for the host alone")
            }
        }
    }

    // ---- reading and writing

    /// Reads a memory operand: what is there, if all of it fills a register; else a number of so many bytes.
    pub(crate) fn load(&mut self, instruction: &Instruction, width: u32) -> Proved<Value> {
        if let Some(at) = self.place_in_frame(instruction) {
            self.check_frame(at, width, false)?;
            return self.load_frame(at as i32, width);
        }
        if self.is_guarded(instruction, width) {
            self.fault(Cause::Memory)?;
            return Ok(if width < 8 { Value::less_than(1 << (8 * width)) } else { Value::ANY });
        }
        let spot = self.spot(instruction, width, false)?;
        self.read(spot, width)
    }

    /// Is a memory operand in a linear memory at an index that cannot reach beyond its guard pages? What `spot` says of
    /// it in general is the same.
    #[inline]
    fn is_guarded(&self, instruction: &Instruction, width: u32) -> bool {
        let reg = |reg: u8| self.st.regs.get(usize::from(reg)).copied().unwrap_or(Value::UNDEF);
        let (base, index) = (reg(instruction.base), reg(instruction.index));
        let end = instruction.disp.wrapping_add(width.into());
        base.is(Tag::Memory)
            && matches!(index.tag(), Tag::U32 | Tag::Below | Tag::Slot32)
            && instruction.scale == 0
            && !instruction.narrow_address
            && instruction.disp >= 0
            && self.p.facts.memories.get(base.b() as usize).is_some_and(|memory| end as u64 <= memory.unchecked_span)
    }

    /// Where in the frame a memory operand is, if it is an offset from a register that points there: most are.
    #[inline]
    fn place_in_frame(&self, instruction: &Instruction) -> Option<i64> {
        let base = self.st.regs.get(usize::from(instruction.base))?;
        let plain = instruction.index == NONE && !instruction.narrow_address && base.is(Tag::Stack);
        plain.then(|| i64::from(base.b().cast_signed()) + instruction.disp)
    }

    pub(crate) fn read(&mut self, spot: Spot, width: u32) -> Proved<Value> {
        let number = if width < 8 { Value::less_than(1 << (8 * width)) } else { Value::ANY };
        match spot {
            Spot::Frame(at) => self.load_frame(at, width),
            Spot::Numbers | Spot::Constants | Spot::Cell | Spot::FreeStart => Ok(number),
            Spot::Field(value, _) if value.is(Tag::TrapCode) => Ok(value),
            Spot::Field(value, _)
                if width == 8
                    || (value.is_u32() || value.is(Tag::Entry) || value.is(Tag::AskedEntry)) && width == 4 =>
            {
                Ok(value)
            }
            Spot::Field(value, _) if value.is_number() => Ok(number),
            Spot::Field(..) => Err("part of a pointer"),
            Spot::DataLength(data) => Ok(Value::of(Tag::DataLen, data)),
            Spot::MayBlock => Ok(self.may_block()),
            Spot::Global(global) => {
                let global = &self.p.facts.globals[global as usize];
                match global.ty {
                    ValueType::Func(func) if width == 8 => Ok(Value::of_type(func)),
                    ValueType::Func(_) | ValueType::Cont { .. } => Err("part of a pointer"),
                    _ => Ok(number),
                }
            }
            Spot::Element(table) => {
                let table = &self.p.facts.tables[table as usize];
                match table.element {
                    ValueType::Func(func) => {
                        let value = Value::func(func.ty, true);
                        let ty = if value == Value::NULL { ONLY_NULL } else { value.b() };
                        Ok(if table.lazy { Value::of(Tag::LazyFunc, ty) } else { value })
                    }
                    ValueType::Cont { .. } => Err("part of a pointer"),
                    _ => Ok(number),
                }
            }
            Spot::Store(field, _) => Ok(self.store_field(field)),
            Spot::ResultArea(_) | Spot::Segment(_) => Err("read of what is only written"),
            Spot::Continuation(_) => Err("part of a reference"),
        }
    }

    fn store_field(&self, field: StoreField) -> Value {
        match field {
            StoreField::HeapBase => Value::of(Tag::Heap, 0),
            StoreField::HeapLength => Value::of(Tag::HeapLen, 0),
            StoreField::Fuel | StoreField::EpochDeadline | StoreField::StoreData => Value::ANY,
            StoreField::TaskSlot(slot) => self.slot_of_task(slot),
            // Anything else is only compared, or moved to where it belongs.
            other => {
                let thread = self.current_thread().filter(|_| other == StoreField::CurrentThread);
                thread.unwrap_or(Value::of(Tag::Host, crate::stacks::word_of(other)))
            }
        }
    }

    /// Writes a memory operand.
    pub(crate) fn store(&mut self, instruction: &Instruction, width: u32, value: Value) -> Proved<()> {
        if let Some(at) = self.place_in_frame(instruction) {
            self.check_frame(at, width, true)?;
            return self.store_frame(at as i32, width, value);
        }
        if self.is_guarded(instruction, width) && value.is_number() {
            return self.fault(Cause::Memory);
        }
        let spot = self.spot(instruction, width, true)?;
        self.write(spot, width, value)
    }

    pub(crate) fn write(&mut self, spot: Spot, width: u32, value: Value) -> Proved<()> {
        let number = value.is_number();
        if matches!(spot, Spot::Cell | Spot::Element(_)) {
            self.let_others_in();
        }
        match spot {
            Spot::Frame(at) => self.store_frame(at, width, value),
            Spot::Numbers | Spot::Cell if number => Ok(()),
            Spot::FreeStart if value.is(Tag::FreeNext) => Ok(()),
            // The host keeps it as a number that is never 0, and compares it with the length itself.
            Spot::FreeStart if self.p.never_collects() && value.is_u32() && value.least() > 0 => Ok(()),
            Spot::FreeStart => Err("free space that may begin where there is none"),
            Spot::Global(global) => {
                let startup = matches!(self.role, Role::StartupRoutine);
                if startup && self.p.is_imported_global(global) {
                    self.let_others_in();
                }
                let global = &self.p.facts.globals[global as usize];
                if !global.mutable && !startup {
                    return Err("store to a global that never changes");
                }
                let (ty, size) = (global.ty, bytes(global.ty));
                match ty {
                    // Startup writes both halves of a vector one after the other.
                    ValueType::Cont { .. } => Err("store of what is no continuation"),
                    _ if width != size && !(startup && width == 8 && size == 16) => {
                        Err("not a whole value of a global")
                    }
                    ValueType::Func(func) => self.check_function(value, func),
                    _ if number => Ok(()),
                    _ => Err("store of a pointer to a global"),
                }
            }
            Spot::Element(table) => {
                let table = &self.p.facts.tables[table as usize];
                match table.element {
                    ValueType::Func(func) if table.lazy => {
                        let null = value.as_constant().is_some_and(|value| value == 0 || value == 1);
                        let typed = value.is(Tag::LazyFunc) && self.has_type(value.b(), func.ty);
                        if null || typed { Ok(()) } else { Err("store to a table of what is no element of it") }
                    }
                    ValueType::Func(func) => self.check_function(value, func),
                    ValueType::Cont { .. } => Err("store of what is no continuation"),
                    _ if number => Ok(()),
                    _ => Err("store of a pointer to a table"),
                }
            }
            Spot::Segment(ValueType::Func(func)) => self.check_function(value, func),
            Spot::Segment(ValueType::Cont { .. }) => Err("store of what is no continuation"),
            Spot::Segment(_) if number => Ok(()),
            Spot::Store(field, _) => self.write_store_field(field, value),
            Spot::DataLength(_) if value == Value::NULL => Ok(()),
            Spot::MayBlock => self.set_may_block(value),
            Spot::DataLength(_) => Err("data segment made longer"),
            Spot::ResultArea(at) if number || matches!(value.tag(), Tag::Func | Tag::Cont | Tag::Revision) => {
                self.store_frame(self.area() + at.cast_signed(), width, value)
            }
            Spot::Numbers | Spot::Cell | Spot::ResultArea(_) | Spot::Segment(_) => Err("store of what is no number"),
            Spot::Constants | Spot::Field(..) | Spot::Continuation(_) => Err("store to what is only read"),
        }
    }

    fn write_store_field(&mut self, field: StoreField, value: Value) -> Proved<()> {
        match field {
            StoreField::Fuel if self.p.facts.settings.fuel && value.is_number() => Ok(()),
            // Whether this code may was asked where the operand was looked at.
            StoreField::TaskSlot(slot) => self.set_slot(slot, value),
            _ => self.write_border_field(field, value),
        }
    }
}
