//! What instructions over integer registers do to what is known.

pub(crate) use crate::decode::Operand;
use crate::decode::{Instruction, Move, Reader};
use crate::forms::Class;
use crate::relate::{self, Pending, Region, Sum};
use crate::state::{NONE, RSP};
use crate::value::{LOW_BYTE, Tag, Value};
use crate::walk::{Proved, Walk};

impl Walk<'_> {
    #[inline]
    pub(crate) fn operand(&self, instruction: &Instruction, n: u32) -> Proved<Operand> {
        instruction.operand(n)
    }

    /// How many bytes the memory operand of an instruction has.
    #[inline]
    pub(crate) fn width(instruction: &Instruction) -> Proved<u32> {
        instruction.width().ok_or("access of an unknown width")
    }

    /// The first operand and how many bytes it has, which are 4 or 8, or 1 or 2 where that is allowed.
    pub(crate) fn destination(&self, instruction: &Instruction) -> Proved<(Operand, u32)> {
        let operand = self.operand(instruction, 0)?;
        match operand {
            Operand::Int(_, bytes) => Ok((operand, bytes)),
            Operand::Memory => Ok((operand, Self::width(instruction)?)),
            _ => Err("first operand of another kind"),
        }
    }

    /// A number that an instruction computes with.
    pub(crate) fn number(value: Value) -> Proved<Value> {
        if value.is_number() { Ok(value) } else { Err("use of what is no number") }
    }

    /// The lowest bytes of a register.
    pub(crate) fn low(&self, reg: usize, bytes: u32) -> Proved<Value> {
        let value = self.st.regs[reg];
        match bytes {
            8 => Ok(value),
            // For comparisons, which are all that may be done with it.
            _ if value.is(Tag::Given) => Ok(value),
            4 if value.is_u32() => Ok(value),
            4 if matches!(value.tag(), Tag::Param | Tag::Dropped) => Ok(Value::new(value.tag(), 1, value.b())),
            4 if value.is(Tag::Allocated) => Ok(Value::in_heap_for_certain(value.b())),
            4 if value.is(Tag::IsSubtype) => {
                Ok(Value::new(Tag::IsSubtype, value.a() & crate::value::IDENTITY, value.b()))
            }
            4 if value.is_number() => Ok(match value.as_constant() {
                Some(value) => Value::constant(value & 0xffff_ffff),
                None => Value::U32,
            }),
            1 if value.is(Tag::Undef) && value.b() == LOW_BYTE => Ok(Value::less_than(256)),
            _ if value.is_number() => Ok(match value.below() {
                Some(below) if below <= 1 << (8 * bytes) => value,
                _ => Value::less_than(1 << (8 * bytes)),
            }),
            _ => Err("use of a part of what is no number"),
        }
    }

    pub(crate) fn read_operand(&mut self, instruction: &Instruction, operand: Operand, bytes: u32) -> Proved<Value> {
        match operand {
            Operand::Int(reg, bytes) => self.low(reg, bytes),
            Operand::Memory => self.load(instruction, bytes),
            Operand::Immediate(value) => Ok(Value::constant(match bytes {
                8 => value,
                _ => value & ((1 << (8 * bytes)) - 1),
            })),
            Operand::Vector(_) => Err("vector among integers"),
        }
    }

    /// Writes a register of 64 bits.
    #[inline]
    pub(crate) fn put(&mut self, reg: usize, value: Value) -> Proved<()> {
        if self.st.sums != 0 && self.sums().names_reg(reg) {
            self.relate(|sums| sums.written(reg as u8));
        }
        self.assign(reg, value)
    }

    /// Writes a register of which what is known of sums has been seen to.
    #[inline]
    pub(crate) fn assign(&mut self, reg: usize, value: Value) -> Proved<()> {
        if reg == RSP || self.watches {
            return self.assign_watched(reg, value);
        }
        self.st.set(reg, value);
        Ok(())
    }

    /// Writes a register on which more depends than its value.
    #[inline(never)]
    fn assign_watched(&mut self, reg: usize, value: Value) -> Proved<()> {
        if reg == RSP {
            let Some(top) = value.as_stack() else { return Err("stack pointer that points elsewhere") };
            if self.st.regs[RSP].as_stack().is_none_or(|old| top > old) {
                self.forget_below(top.into());
            }
        }
        if self.has_wide_tables {
            // The register no longer tells how far a pointer is on its way to an element.
            for value in &mut self.st.regs {
                if value.is(Tag::TableHalf) && value.a() == reg as u32 {
                    *value = Value::UNDEF;
                }
            }
        }
        if self.copies {
            self.end_copies(reg);
        }
        self.st.set(reg, value);
        Ok(())
    }

    /// A register is written: what was copied from it is only what it is.
    fn end_copies(&mut self, reg: usize) {
        let old = self.st.regs[reg];
        for value in &mut self.st.regs {
            if value.is(Tag::CopyOf) && value.b() == reg as u32 {
                *value = match value.least() {
                    _ if !old.is_range() => value.widened(),
                    0 => old,
                    _ => old.not_zero(),
                };
            }
        }
    }

    /// Writes the lowest bytes of a register; 4 clear the rest.
    pub(crate) fn put_low(&mut self, reg: usize, bytes: u32, value: Value) -> Proved<()> {
        match bytes {
            8 => self.put(reg, value),
            4 => self.put(reg, if value.is_u32() { value } else { Value::U32 }),
            _ => {
                let old = self.st.regs[reg];
                let new = match old.tag() {
                    _ if old.is_u32() => Value::U32,
                    _ if old.is_number() => Value::ANY,
                    _ if bytes == 1 => Value::of(Tag::Undef, LOW_BYTE),
                    _ => Value::UNDEF,
                };
                self.put(reg, new)
            }
        }
    }

    pub(crate) fn write_operand(
        &mut self,
        instruction: &Instruction,
        operand: Operand,
        bytes: u32,
        value: Value,
    ) -> Proved<()> {
        match operand {
            Operand::Int(reg, bytes) => self.put_low(reg, bytes, value),
            Operand::Memory => self.store(instruction, bytes, value),
            _ => Err("first operand of another kind"),
        }
    }

    // ---- moves

    #[inline(never)]
    pub(crate) fn mov(&mut self, instruction: &Instruction) -> Proved<()> {
        match instruction.moved() {
            Move::Whole(to, from) => {
                let value = self.st.regs[from];
                if to == RSP && !value.is(Tag::Stack) {
                    return Err("stack pointer that points elsewhere");
                }
                if to == from {
                    return Ok(());
                }
                if self.st.sums != 0 {
                    self.relate(|sums| sums.moved(to as u8, from as u8));
                }
                if self.copies {
                    self.end_copies(to);
                    let plain = value.is_range() || value.is(Tag::CopyOf);
                    let value = if plain { Value::new(Tag::CopyOf, value.copied_bits(), from as u32) } else { value };
                    return self.assign(to, value);
                }
                self.assign(to, value)
            }
            Move::Half(to, from) => {
                let value = self.st.regs[from];
                if !value.is_number() {
                    return self.put(to, Value::UNDEF);
                }
                if !value.is_u32() {
                    let value = self.low(from, 4)?;
                    return self.put(to, value);
                }
                if to == from {
                    return Ok(());
                }
                if self.st.sums != 0 {
                    self.relate(|sums| sums.moved(to as u8, from as u8));
                }
                self.assign(to, value)
            }
            Move::Load(to, 8) => {
                let value = self.load(instruction, 8)?;
                self.put(to, value)
            }
            Move::Load(to, bytes) => {
                let value = self.load(instruction, bytes)?;
                if value.is(Tag::Undef) && bytes == 4 {
                    return self.put(to, Value::UNDEF);
                }
                self.put_low(to, bytes, Self::number(value)?)
            }
            Move::Store(from, 8) => {
                let value = self.st.regs[from];
                self.store(instruction, 8, value)
            }
            Move::Store(from, 4) if !self.st.regs[from].is_number() => {
                // Homes are kept over calls whether or not they hold anything.
                let crate::operand::Spot::Frame(at) = self.spot(instruction, 4, true)? else {
                    return Err("store of an undefined register");
                };
                self.write(crate::operand::Spot::Frame(at), 4, Value::UNDEF)
            }
            Move::Store(from, bytes) => {
                let value = self.low(from, bytes)?;
                self.store(instruction, bytes, Self::number(value)?)
            }
            Move::Other => self.other_move(instruction),
        }
    }

    /// `mov` of an immediate, or of a part of a register to one.
    fn other_move(&mut self, instruction: &Instruction) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        let from = self.operand(instruction, 1)?;
        match (to, from) {
            (Operand::Memory, Operand::Immediate(_)) if instruction.index != NONE && self.fill_loop(instruction)? => {
                Ok(())
            }
            (to, Operand::Immediate(_)) => {
                let value = self.read_operand(instruction, from, bytes)?;
                self.write_operand(instruction, to, bytes, value)?;
                if let (Operand::Int(reg, 4 | 8), Some(count), true) = (to, value.as_constant(), self.copies)
                    && self.st.sums != 0
                {
                    let p = self.p;
                    self.relate(|sums| sums.counts(reg as u8, count, |region| p.stride(region)));
                }
                Ok(())
            }
            _ => self.narrow_move(instruction, to, from, bytes),
        }
    }

    fn narrow_move(&mut self, instruction: &Instruction, to: Operand, from: Operand, bytes: u32) -> Proved<()> {
        let value = self.read_operand(instruction, from, bytes)?;
        self.write_operand(instruction, to, bytes, Self::number(value)?)
    }

    /// `movzx`, `movsx`.
    #[inline(never)]
    pub(crate) fn extend(&mut self, instruction: &Instruction, signed: bool) -> Proved<()> {
        let Operand::Int(to, bytes) = self.operand(instruction, 0)? else {
            return Err("first operand of another kind");
        };
        let from = self.operand(instruction, 1)?;
        let width = match from {
            Operand::Int(_, bytes) => bytes,
            Operand::Memory => Self::width(instruction)?,
            _ => return Err("operand of another kind"),
        };
        if let Operand::Memory = from
            && signed
            && bytes == 8
            && width == 4
        {
            // Perhaps an entry of a jump table.
            let value = self.load(instruction, 4)?;
            let value = if matches!(value.tag(), Tag::Entry | Tag::AskedEntry) {
                value
            } else {
                Self::number(value).map(|_| Value::ANY)?
            };
            return self.put(to, value);
        }
        let value = Self::number(self.read_operand(instruction, from, width)?)?;
        let value = match (signed, bytes) {
            (false, _) if value.is(Tag::TrapCode) => value,
            (false, _) => {
                let most = 1 << (8 * width);
                if value.below().is_some_and(|below| below <= most) { value.plain() } else { Value::less_than(most) }
            }
            (true, 4) => Value::U32,
            (true, _) => Value::ANY,
        };
        self.put_low(to, bytes, value)
    }

    #[inline(never)]
    pub(crate) fn lea(&mut self, instruction: &Instruction) -> Proved<()> {
        let Operand::Int(to, bytes) = self.operand(instruction, 0)? else {
            return Err("first operand of another kind");
        };
        if instruction.ip_relative {
            let Ok(at) = u32::try_from(instruction.disp) else { return Err("address outside of the text") };
            if bytes != 8 || !self.contains(at) {
                return Err("address of other code");
            }
            if self.role == crate::walk::Role::StartupRoutine {
                return self.name_list(to, at);
            }
            return self.put(to, Value::of(Tag::Text, at));
        }
        let Instruction { scale, disp, .. } = *instruction;
        let part = |reg: u8| (reg != NONE).then_some(usize::from(reg));
        let (mut base, mut index) = (part(instruction.base), part(instruction.index));
        if bytes == 4 {
            // The sum of two addresses is nobody's business, not even the lower half of it.
            for reg in [base, index].into_iter().flatten() {
                Self::number(self.st.regs[reg])?;
            }
            let value = match (base, index) {
                (Some(base), None) if self.is_free_up_to(base, disp) => Value::of(Tag::FreeNext, 0),
                (Some(base), None) => {
                    let below = self.st.regs[base].below().map(|below| below.cast_signed().saturating_add(disp));
                    match below {
                        Some(below) if disp >= 0 && below <= 1 << 32 => Value::less_than(below.cast_unsigned()),
                        _ => Value::U32,
                    }
                }
                _ => Value::U32,
            };
            return self.put(to, value);
        }
        if bytes != 8 {
            return Err("address of an odd width");
        }
        if scale == 0
            && let (Some(left), Some(right)) = (base, index)
            && self.st.regs[left].is_number()
            && !self.st.regs[right].is_number()
        {
            (base, index) = (index, base);
        }
        let value = base.map_or(Value::NULL, |base| self.st.regs[base]);
        if let Some(index) = index {
            let number = self.st.regs[index];
            Self::number(number)?;
            return match base {
                _ if value.is_number() => self.sum(to, base, Some((index, scale)), disp),
                Some(base) => self.pointer_and_number(to, base, (index, scale), disp),
                None => Err("address without a base"),
            };
        }
        let Some(base) = base else { return Err("address without a base") };
        if value.is(Tag::Asked) && value.a() == crate::value::ASKED_ONE && disp == -1 {
            return self.put(to, Value::new(Tag::Asked, crate::value::ASKED_NUMBER, value.b()));
        }
        if value.is(Tag::LongParam) && disp == -i64::from(value.a()) {
            return self.put(to, Value::new(Tag::ShortenedParam, value.a(), value.b()));
        }
        if value.is_number() {
            return self.sum(to, Some(base), None, disp);
        }
        self.move_pointer(to, base, disp)
    }

    /// `to = ` a list of functions in the code at hand. How long it is, the next instruction says, which is to count
    /// it.
    fn name_list(&mut self, to: usize, at: u32) -> Proved<()> {
        let mut next = Instruction::NONE;
        let read = Reader::new(&self.p.text[..self.end as usize]).read(self.next, &mut next);
        let is_count = read.is_some() && next.class == Class::Mov && matches!(next.operand(0), Ok(Operand::Int(_, 4)));
        let count = next.immediate(1).and_then(|count| u32::try_from(count).ok()).filter(|_| is_count);
        let count = count.filter(|count| *count <= (self.end - at) / 4);
        let Some(count) = count else { return Err("list of which it is not known how long it is") };
        if self.list_counts.insert(at, count).is_some_and(|known| known != count) {
            return Err("list of two lengths");
        }
        self.put(to, Region::Text(at).pack())?;
        self.whole(to, Region::Text(at), 4 * u64::from(count));
        Ok(())
    }

    /// What a list of functions has: indices of functions whose types are known together.
    pub(crate) fn listed(&self, list: u32) -> Value {
        let Some(count) = self.list_counts.get(&list) else { return Value::U32 };
        let from = list as usize;
        let Some(bytes) = self.p.text.get(from..from + 4 * *count as usize) else { return Value::U32 };
        let mut common = None;
        let mut none = 0;
        for word in bytes.chunks_exact(4) {
            let index = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            let Some(function) = self.p.facts.functions.get(index as usize) else {
                if index == u32::MAX {
                    none = 1;
                    continue;
                }
                return Value::U32;
            };
            if !function.imported && !function.escapes {
                return Value::U32;
            }
            let ty = function.ty + 1;
            common = Some(common.map_or(ty, |common| self.p.types.common(common, ty)));
        }
        common.map_or(Value::constant(u32::MAX.into()), |common| Value::new(Tag::Listed, none, common))
    }

    /// Gives a function reference in a register an identity, if it has none.
    pub(crate) fn identify(&mut self, reg: u8) -> u32 {
        let value = self.st.regs[usize::from(reg)];
        let known = value.a() & crate::value::IDENTITY;
        if known != 0 {
            return known;
        }
        let identity = self.new_identity();
        let value = Value::new(Tag::Func, value.a() | identity, value.b());
        self.st.regs[usize::from(reg)] = value;
        identity
    }

    /// An identity that nobody else has, the same each time for the same instruction.
    pub(crate) fn new_identity(&mut self) -> u32 {
        let identity = 1 + (self.at - self.start) % (crate::value::IDENTITY - 1);
        self.st.retire(identity, &mut self.frames);
        identity
    }

    /// `to = base + disp`, a pointer.
    pub(crate) fn move_pointer(&mut self, to: usize, base: usize, disp: i64) -> Proved<()> {
        let value = self.st.regs[base];
        let moved = |most: i64| {
            let at = i64::from(value.b().cast_signed()) + disp;
            if (0..=most).contains(&at) {
                Ok(Value::new(value.tag(), value.a(), at as u32))
            } else {
                Err("pointer moved too far")
            }
        };
        let value = match value.tag() {
            _ if disp == 0 => value,
            Tag::Stack => {
                let at = i64::from(value.b().cast_signed()) + disp;
                Value::stack(i32::try_from(at).map_err(|_| "stack pointer moved too far")?)
            }
            Tag::FuncCode if disp == PRIVATE_ENTRY => Value::new(Tag::FuncCodeBehind, value.a(), value.b()),
            Tag::ResultArea => moved(self.abi.stack_results.into())?,
            Tag::Values => moved(16 * i64::from(self.values))?,
            Tag::HeapAt if disp > 0 && disp < value.b().into() => Value::of(Tag::HeapAt, value.b() - disp as u32),
            Tag::Into => {
                self.advance(to, base, None, disp, 0);
                self.assign(to, value)?;
                return Ok(());
            }
            Tag::Ctx => self.address_in_instance(disp)?,
            _ => return Err("pointer moved"),
        };
        if to == base && disp == 0 {
            return Ok(());
        }
        self.put(to, value)
    }

    fn address_in_instance(&self, disp: i64) -> Proved<Value> {
        use crate::facts::InstanceField;
        let field =
            u32::try_from(disp).ok().and_then(|at| self.p.instance_field(at).filter(|field| field.offset == at));
        match field.map(|field| field.kind) {
            Some(InstanceField::GlobalValue(global)) => Ok(Value::of(Tag::Global, global)),
            Some(InstanceField::TagValue(tag)) => Ok(Value::of(Tag::TagIdentity, tag)),
            _ => Err("address of a field"),
        }
    }

    /// `to = base + (index << scale) + disp`, a pointer.
    pub(crate) fn pointer_and_number(
        &mut self,
        to: usize,
        base: usize,
        (index, scale): (usize, u8),
        disp: i64,
    ) -> Proved<()> {
        let (pointer, number) = (self.st.regs[base], self.st.regs[index]);
        match pointer.tag() {
            Tag::ContextMemory if scale == 0 && disp == 0 => {
                let value = self.in_context_memory(pointer, number)?;
                self.put(to, value)
            }
            Tag::Heap if scale == 0 && self.sums().knows(index as u8, Region::Heap) => {
                let term = self.term(index, number, 0);
                self.into_region(to, term, disp, Region::Heap, number.least())
            }
            Tag::Heap if scale == 0 => {
                let value = self.heap_address(number, disp)?;
                self.put(to, value)
            }
            Tag::HeapAt | Tag::Stack | Tag::Cell => Err("pointer moved by a number"),
            Tag::Table => {
                let table = pointer.b();
                let size = self.element_bytes(table);
                let element = self.is_element(table, index);
                if disp == 0 && size == 16 && scale == 3 {
                    self.half_way = self.next;
                    return self.put(to, Value::new(Tag::TableHalf, index as u32, table));
                }
                let cell = element && disp == 0 && size == 4 && scale == 2;
                if cell && (!self.copies || self.guards_elements()) {
                    return self.put(to, Value::of(Tag::Cell, 0));
                }
                let term = self.term(index, number, scale);
                let least = number.least().checked_shl(scale.into()).unwrap_or(0);
                self.into_region(to, term, disp, Region::Table(table), least)?;
                // Where routines go over a range, they go on from there.
                if cell && self.sums().reach(to as u8, None, |_| false) == i64::MIN {
                    return self.put(to, Value::of(Tag::Cell, 0));
                }
                Ok(())
            }
            Tag::TableHalf => {
                let table = pointer.b();
                if index as u32 != pointer.a() || self.half_way != self.at || scale != 3 || disp != 0 {
                    return Err("pointer into a table moved");
                }
                let term = self.term(index, number, 4);
                self.into_region(to, term, disp, Region::Table(table), 0)
            }
            Tag::Into
                if number.least() > 0
                    && disp == -4
                    && scale == 2
                    && self.counts_down(base, index)
                    && Region::unpack(pointer) == Region::Heap =>
            {
                self.put(to, Value::of(Tag::Cell, 0))
            }
            Tag::Into => {
                let Ok(term) = self.term(index, number, scale) else {
                    return self.move_pointer(to, base, disp + (number.as_constant().unwrap_or(0) << scale));
                };
                let least = number.least().checked_shl(scale.into()).unwrap_or(0);
                self.advance(to, base, Some(term), disp, least);
                self.assign(to, pointer)?;
                Ok(())
            }
            Tag::Memory | Tag::Data | Tag::Elem if scale == 0 => {
                let region = match pointer.tag() {
                    Tag::Memory => Region::Memory(pointer.b()),
                    Tag::Data => Region::Data(pointer.b()),
                    _ => Region::Elem(pointer.b()),
                };
                let term = self.term(index, number, 0);
                self.into_region(to, term, disp, region, number.least())
            }
            _ => Err("pointer moved by a number"),
        }
    }

    /// `to = pointer + index + disp`, where the index is at least so much. Of what may be below where the pointer was
    /// nothing is known, for that may be below the region.
    fn advance(&mut self, to: usize, pointer: usize, index: Option<relate::Term>, disp: i64, least: u64) {
        let forwards = disp >= 0 || least >= disp.unsigned_abs();
        self.relate(|sums| {
            if forwards {
                sums.advanced(to as u8, pointer as u8, index, disp);
            } else {
                sums.written(to as u8);
            }
        });
    }

    /// Is the last of as many words as a counter says, from a pointer on, in the pointer's region?
    fn counts_down(&self, pointer: usize, counter: usize) -> bool {
        let term = relate::Term { key: relate::Key::Reg(counter as u8), shift: 2 };
        self.sums().counted_down(pointer as u8, term, -4, 4)
    }

    /// An address in the collector's heap: how many bytes from there on are in it.
    fn heap_address(&self, number: Value, disp: i64) -> Proved<Value> {
        let Some(gc) = &self.p.facts.gc else { return Err("a heap of which nothing is known") };
        if disp < 0 {
            return Err("address before the start of an object");
        }
        let guarded = if number.is_u32() { gc.unchecked_span.saturating_sub(disp as u64) } else { 0 };
        let checked = self.checked_in_heap(number).saturating_sub(disp as u64);
        let bytes = guarded.max(checked).min(u32::MAX.into());
        Ok(Value::of(Tag::HeapAt, bytes as u32))
    }

    /// `to = ` a pointer into a region, of which is known what sums say: `term` beyond its start, which is at least so
    /// much, and `disp`.
    fn into_region(
        &mut self,
        to: usize,
        term: Result<relate::Term, i64>,
        disp: i64,
        region: Region,
        least: u64,
    ) -> Proved<()> {
        let (term, constant) = match term {
            Ok(term) => (Some(term), disp),
            Err(constant) => (None, constant.saturating_add(disp)),
        };
        if constant < 0 && (term.is_none() || least < constant.unsigned_abs()) {
            return Err("pointer before the start of its region");
        }
        let p = self.p;
        let own = term.is_some_and(|term| term.key == relate::Key::Reg(to as u8) && term.shift == 0) && constant == 0;
        self.relate(|sums| {
            let fits = |of: Region| p.is_in(of, region);
            if own {
                sums.based(to as u8, region, fits);
            } else {
                sums.pointer_from(to as u8, term, constant, region, fits);
            }
        });
        self.assign(to, region.pack())?;
        Ok(())
    }

    /// The key of a number in a register. What a routine is passed is a variable, even if it is the same each time.
    pub(crate) fn term(&self, reg: usize, value: Value, shift: u8) -> Result<relate::Term, i64> {
        if self.role == crate::walk::Role::Routine {
            return Ok(relate::Term { key: relate::Key::Reg(reg as u8), shift });
        }
        relate::term(reg as u8, value, shift)
    }

    /// `to = base + (index << scale) + disp`, all numbers.
    pub(crate) fn sum(&mut self, to: usize, base: Option<usize>, index: Option<(usize, u8)>, disp: i64) -> Proved<()> {
        let value = |reg: usize| self.st.regs[reg];
        if let (Some(base), None) = (base, index)
            && let Some(value) = self.st.regs[base].as_constant()
        {
            self.relate_if(|sums| sums.written(to as u8));
            return self.put(to, Value::constant(value.wrapping_add(disp)));
        }
        if self.is_next_free(base, index, disp) {
            return self.put(to, Value::of(Tag::FreeNext, 0));
        }
        let parts = [base.map(|base| (base, 0)), index];
        let (mut sum, mut most, mut exact) = (Sum::ZERO.plus_constant(disp), 0u128, disp >= 0);
        let mut least = disp.max(0).cast_unsigned();
        let pending = self.sums().pending;
        for (reg, scale) in parts.into_iter().flatten() {
            let part = value(reg);
            match pending {
                // Of what stays in its register more is said by that.
                Some(pending)
                    if usize::from(pending.reg) == reg && scale == 0 && pending.exact && (reg == to || self.copies) =>
                {
                    sum = sum.and_then(|sum| sum.plus_all(&pending.sum));
                    // The part has not wrapped itself, but may be anything.
                    most += u128::from(part.limit().map_or(u64::MAX, |limit| limit - 1));
                    exact &= part.limit().is_some();
                    least = least.saturating_add(part.least());
                    continue;
                }
                _ => {}
            }
            let part = self.resolved(part);
            most += u128::from(part.limit().map_or(u64::MAX, |limit| limit - 1)) << scale;
            exact &= part.limit().is_some();
            least = least.saturating_add(part.least() << scale);
            let part = value(reg);
            let term = if reg == to { relate::old_term(reg as u8, part, scale) } else { self.term(reg, part, scale) };
            sum = sum.and_then(|sum| match term {
                Ok(term) => sum.plus(term),
                Err(constant) => sum.plus_constant(constant),
            });
        }
        most += u128::from(disp.max(0).cast_unsigned());
        exact &= most < 1 << 63;
        let result = match u64::try_from(most) {
            Ok(most) if exact && most < 1 << 62 => Value::range(least, most),
            _ if exact => Value::at_least(least),
            _ => self.difference(parts, disp),
        };
        // The sum is of what the registers held before.
        let own = sum.is_some_and(|sum| sum.names_reg(to as u8));
        // What is known of a register that is counted stays, if that cannot wrap.
        if let ([Some((from, 0)), None], true) = (parts, to == parts[0].map_or(usize::MAX, |part| part.0)) {
            self.count(from, disp);
        } else {
            self.relate_if(|sums| sums.written(to as u8));
        }
        self.assign(to, result)?;
        if to == RSP {
            return Err("stack pointer that points elsewhere");
        }
        if let Some(sum) = sum
            && !own
            && (index.is_some()
                || self.copies
                || self.p.facts.gc.is_some() && disp > 0
                || pending.is_some_and(|pending| Some(usize::from(pending.reg)) == base))
        {
            self.relate(|sums| {
                sums.pending = Some(Pending { reg: to as u8, sum, least, exact, small: exact, part: NONE })
            });
        }
        Ok(())
    }

    fn difference(&self, parts: [Option<(usize, u8)>; 2], disp: i64) -> Value {
        // One less than a number that is not 0 and of 32 bits.
        if let [Some((reg, 0)), None] = parts
            && disp < 0
            && let value = self.st.regs[reg]
            && value.least() >= disp.unsigned_abs()
            && let Some(limit) = value.limit()
        {
            let by = disp.unsigned_abs();
            return Value::range(value.least() - by, limit - 1 - by);
        }
        // Constants of which one is negative.
        let add = |sum: i64, part: Option<(usize, u8)>| match part {
            Some((reg, scale)) => Some(sum.wrapping_add(self.st.regs[reg].as_constant()?.wrapping_shl(scale.into()))),
            None => Some(sum),
        };
        if let Some(sum) = parts.into_iter().try_fold(disp, add) {
            return Value::constant(sum);
        }
        Value::ANY
    }

    /// A value, or that of which it is a copy: as much is known of the one as of the other.
    pub(crate) fn resolved(&self, value: Value) -> Value {
        let source = self.st.regs[value.b() as usize % 16];
        if value.is(Tag::CopyOf) && source.is_number() && !source.is(Tag::CopyOf) { source } else { value }
    }

    // ---- free space of the collector's heap

    /// Is there room for so many bytes from the start of free space in a register on?
    fn is_free_up_to(&self, start: usize, disp: i64) -> bool {
        let start = self.st.regs[start];
        start.is(Tag::FreeHeap) && (0..=start.b().into()).contains(&disp)
    }

    /// Is a sum where free space may begin from now on?
    fn is_next_free(&self, base: Option<usize>, index: Option<(usize, u8)>, disp: i64) -> bool {
        match (base, index) {
            (Some(base), None) => self.is_free_up_to(base, disp),
            (Some(base), Some((index, 0))) => {
                let tags = [base, index].map(|reg| self.st.regs[reg].tag());
                disp == 0 && matches!(tags, [Tag::FreeHeap, Tag::FreeSize] | [Tag::FreeSize, Tag::FreeHeap])
            }
            _ => false,
        }
    }

    /// Where free space begins is read anew: what was known of it is no longer of the same.
    pub(crate) fn forget_free_start(&mut self) {
        for value in &mut self.st.regs {
            *value = value.without_free_start();
        }
    }

    /// A register is counted up or down: sums that it is in change with it, if that cannot wrap.
    fn count(&mut self, reg: usize, by: i64) {
        if self.st.sums == 0 {
            return;
        }
        let sound = by >= 0 || self.st.regs[reg].least() >= by.unsigned_abs();
        self.relate(|sums| if sound { sums.added(reg as u8, by) } else { sums.written(reg as u8) });
    }
}

/// From a function's first byte to its private entry.
pub(crate) const PRIVATE_ENTRY: i64 = 5;
