//! What arithmetic, exchanges and the stack's own instructions do to what is known.

use crate::decode::Instruction;
use crate::forms::Class;
use crate::relate::{self, Pending, Sum};
use crate::state::{Flags, Kind, R15, RAX, RBP, RDX, RSP};
use crate::transfer::Operand;
use crate::value::{LOW_BYTE, MAYBE, Tag, Value};
use crate::walk::{Proved, Walk};

impl Walk<'_> {
    // ---- arithmetic

    #[inline(never)]
    pub(crate) fn arithmetic(&mut self, instruction: &Instruction, class: Class) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        let from = self.operand(instruction, 1)?;
        if let (Operand::Int(a, 4 | 8), Operand::Int(b, _)) = (to, from)
            && a == b
            && matches!(class, Class::Xor | Class::Sub)
        {
            // Zero, whatever was there.
            self.put(a, Value::NULL)?;
            self.st.flags = Flags::UNKNOWN;
            return Ok(());
        }
        let Operand::Int(reg, 8) = to else { return self.narrow_arithmetic(instruction, class, to, from, bytes) };
        let right = self.read_operand(instruction, from, 8)?;
        let left = self.st.regs[reg];
        let from_reg = if let Operand::Int(from, _) = from { Some(from) } else { None };
        let zero_only = Flags { kind: Kind::Result, bytes: 8, left: reg as u8, ..Flags::UNKNOWN };
        match class {
            Class::Add => self.add(reg, left, right, from_reg)?,
            Class::Sub => self.subtract(reg, left, right)?,
            Class::And if left.is(Tag::LazyFunc) && right.as_constant() == Some(!FILLED) => {
                if left.a() == 0 {
                    return Err("element of a table that may not have been filled in");
                }
                self.put(reg, Value::new(Tag::Func, crate::value::NULLABLE, left.b()))?;
            }
            Class::Or if left.is(Tag::Func) && right.as_constant() == Some(FILLED) => {
                self.put(reg, Value::new(Tag::LazyFunc, 1, left.b()))?;
            }
            // Garbage in an upper half.
            Class::Or if left.is(Tag::Given) && right == Value::new(Tag::Huge, 1, 0) => {
                self.put(reg, Value::new(Tag::Given, left.a(), 1))?;
            }
            Class::Or if left == Value::NULL && right.as_constant() == Some(FILLED) => {
                self.put(reg, Value::constant(FILLED))?;
            }
            _ => {
                let value = Self::logic(class, Self::number(left)?, Self::number(right)?);
                self.put(reg, value)?;
            }
        }
        // Adding what is negative carries where nothing wraps.
        let adds = class == Class::Add && right.as_constant().is_none_or(|by| by >= 0);
        let kind = if adds { Kind::Sum } else { Kind::Result };
        let mut flags = Flags { kind, ..zero_only };
        let constants = [left, right].map(Value::as_constant);
        let largest = constants[0].is_some_and(|by| by < 0) && right.is_number();
        if adds && (largest || constants.iter().all(Option::is_some)) {
            flags.values = [left, right];
        }
        self.st.flags = flags;
        Ok(())
    }

    fn logic(class: Class, left: Value, right: Value) -> Value {
        match class {
            // Down to a multiple.
            Class::And
                if left.least() > 0
                    && right.as_constant().is_some_and(|mask| mask < 0 && mask.unsigned_abs().is_power_of_two()) =>
            {
                let least = left.least() & right.as_constant().unwrap_or(0).cast_unsigned();
                left.limit().map_or(Value::at_least(least), |limit| Value::range(least, limit - 1))
            }
            Class::And => match (left.below(), right.below()) {
                (Some(a), Some(b)) => Value::less_than(a.min(b)),
                (Some(a), None) | (None, Some(a)) => Value::less_than(a),
                (None, None) => Value::ANY,
            },
            Class::Or | Class::Xor if left.is_u32() && right.is_u32() => Value::U32,
            _ => Value::ANY,
        }
    }

    fn add(&mut self, reg: usize, left: Value, right: Value, from: Option<usize>) -> Proved<()> {
        // A constant that is added to what may be large is a part of the sum, which may be compared with it.
        let large = from.is_some() && left.is_number() && left.below().is_none();
        // 128 less is -128 more, which is a byte.
        if let (true, Some(by)) = (left.is(Tag::HeapLen), right.as_constant().and_then(i64::checked_neg)) {
            return self.put(reg, Self::less_of_heap(left, by));
        }
        if let Some(by) = right.as_constant().filter(|_| !large) {
            return if left.is_number() { self.sum(reg, Some(reg), None, by) } else { self.move_pointer(reg, reg, by) };
        }
        match (left.is_number(), right.is_number(), from) {
            (true, true, Some(from)) => self.add_numbers(reg, left, right, from),
            (true, true, None) => self.put(reg, Value::ANY),
            (true, false, Some(_)) if matches!(left.tag(), Tag::Entry | Tag::AskedEntry) => {
                self.target_of_table(reg, right, left)
            }
            (true, false, Some(from)) => self.pointer_and_number(reg, from, (reg, 0), 0),
            (false, true, Some(_)) if left.is(Tag::Text) => self.target_of_table(reg, left, right),
            (false, true, Some(from)) => self.pointer_and_number(reg, reg, (from, 0), 0),
            _ if matches!(left.tag(), Tag::Entry | Tag::AskedEntry) => Err("entry of a jump table without the table"),
            _ => Err("sum of pointers"),
        }
    }

    fn add_numbers(&mut self, reg: usize, left: Value, right: Value, from: usize) -> Proved<()> {
        if [left, right].iter().any(|value| matches!(value.tag(), Tag::Entry | Tag::AskedEntry)) {
            return Err("entry of a jump table without the table");
        }
        let known = [left, right].map(|value| self.resolved(value));
        let (least, other) = (known[0].least().max(known[1].least()), from as u8);
        let most = known[0].limit().zip(known[1].limit()).map(|(a, b)| a - 1 + (b - 1));
        let exact = most.is_some();
        let pending = self.sums().pending;
        let sum = match (relate::old_term(reg as u8, left, 0), self.term(from, right, 0)) {
            // A register that is overwritten names nothing.
            (Ok(relate::Term { key: relate::Key::Reg(named), .. }), _) if usize::from(named) == reg => match pending {
                Some(pending) if usize::from(pending.reg) == reg && pending.exact => {
                    match relate::term(other, right, 0) {
                        Ok(term) => pending.sum.plus(term),
                        Err(constant) => pending.sum.plus_constant(constant),
                    }
                }
                _ => None,
            },
            (Ok(a), Ok(b)) => Sum::ZERO.plus(a).and_then(|sum| sum.plus(b)),
            (Err(constant), Ok(term)) => Sum::ZERO.plus(term).and_then(|sum| sum.plus_constant(constant)),
            (_, Err(_)) => None,
        };
        let value = match most {
            Some(most) if most < 1 << 62 => Value::range(least, most),
            Some(_) => Value::at_least(least),
            None => Value::ANY,
        };
        self.put(reg, value)?;
        let sum = sum.unwrap_or(Sum::NOTHING);
        self.relate(|sums| {
            sums.pending = Some(Pending { reg: reg as u8, sum, least, exact, small: false, part: other })
        });
        Ok(())
    }

    /// The length of the heap less so much more.
    fn less_of_heap(length: Value, by: i64) -> Value {
        let less = u32::try_from(by).ok().and_then(|by| length.b().checked_add(by));
        less.map_or(Value::ANY, |less| Value::of(Tag::HeapLen, less))
    }

    fn subtract(&mut self, reg: usize, left: Value, right: Value) -> Proved<()> {
        if let Some(by) = right.as_constant() {
            if left.is(Tag::HeapLen) {
                return self.put(reg, Self::less_of_heap(left, by));
            }
            let Some(by) = by.checked_neg() else { return Err("difference that is too large") };
            return if left.is_number() { self.sum(reg, Some(reg), None, by) } else { self.move_pointer(reg, reg, by) };
        }
        if left.is(Tag::FreeEnd) && right.is(Tag::FreeStart) {
            return self.put(reg, Value::of(Tag::FreeRoom, 0));
        }
        Self::number(left)?;
        Self::number(right)?;
        self.put(reg, Value::ANY)
    }

    /// Of less than 64 bits, or in memory.
    fn narrow_arithmetic(
        &mut self,
        instruction: &Instruction,
        class: Class,
        to: Operand,
        from: Operand,
        bytes: u32,
    ) -> Proved<()> {
        if let (Operand::Int(a, 4), Operand::Int(b, 4)) = (to, from)
            && [a, b].iter().any(|reg| self.st.regs[*reg] == Value::of(Tag::Undef, LOW_BYTE))
            && matches!(class, Class::And | Class::Or)
        {
            // Two conditions: the lowest bytes are what they are, whatever the rest is.
            self.low(a, 1)?;
            self.low(b, 1)?;
            self.st.flags = Flags::UNKNOWN;
            return self.put(a, Value::of(Tag::Undef, LOW_BYTE));
        }
        let right = Self::number(self.read_operand(instruction, from, bytes)?)?;
        if let Operand::Memory = to {
            // A fence: nothing is changed, wherever in the frame that is.
            if class == Class::Or
                && right == Value::NULL
                && matches!(self.spot(instruction, bytes, false)?, crate::operand::Spot::Frame(_))
            {
                self.st.flags = Flags::UNKNOWN;
                return Ok(());
            }
            let spot = self.spot(instruction, bytes, true)?;
            Self::number(self.read(spot, bytes)?)?;
            self.write(spot, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })?;
            self.st.flags = Flags::UNKNOWN;
            return Ok(());
        }
        let Operand::Int(reg, _) = to else { return Err("first operand of another kind") };
        let left = Self::number(self.low(reg, bytes)?)?;
        let value = match class {
            Class::Sub if left.as_constant().is_some() && right.as_constant().is_some() && bytes == 4 => {
                let value = left.as_constant().unwrap_or(0).wrapping_sub(right.as_constant().unwrap_or(0));
                Value::constant(value & 0xffff_ffff)
            }
            Class::Sub if left.is(Tag::FreeEnd) && right.is(Tag::FreeStart) => Value::of(Tag::FreeRoom, 0),
            Class::Sub => match (right.as_constant(), left.below()) {
                (Some(by), Some(below)) if by > 0 && left.least() >= by.cast_unsigned() => {
                    Value::less_than(below - by.cast_unsigned())
                }
                _ => Value::U32,
            },
            Class::Add => match (right.as_constant(), left.below()) {
                (Some(by), Some(below)) if below + by.cast_unsigned() <= 1 << 32 => {
                    Value::less_than(below + by.cast_unsigned())
                }
                _ => Value::U32,
            },
            _ => Self::logic(class, left, right),
        };
        // Counting down in 32 bits what is known in 64.
        if let (Class::Sub, Some(by), 4) = (class, right.as_constant(), bytes)
            && left.is_u32()
            && left.least() >= by.cast_unsigned()
            && self.st.sums != 0
        {
            self.relate(|sums| sums.added(reg as u8, -by));
            self.assign(reg, if value.is_u32() { value } else { Value::U32 })?;
        } else {
            self.put_low(reg, bytes, value)?;
        }
        self.st.flags = if bytes == 4 {
            Flags { kind: Kind::Result, bytes: 8, left: reg as u8, ..Flags::UNKNOWN }
        } else {
            Flags::UNKNOWN
        };
        Ok(())
    }

    /// What reads both operands, writes the first, and gives a number of which nothing more is known.
    #[inline(never)]
    pub(crate) fn opaque(&mut self, instruction: &Instruction, flags: bool) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        for n in 1..instruction.op_count() {
            let operand = self.operand(instruction, n)?;
            if let Operand::Memory = operand {
                let width = Self::width(instruction)?;
                Self::number(self.load(instruction, width)?)?;
            } else {
                Self::number(self.read_operand(instruction, operand, bytes)?)?;
            }
        }
        let Operand::Int(reg, _) = to else { return Err("first operand of another kind") };
        Self::number(self.low(reg, bytes)?)?;
        self.put_low(reg, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })?;
        if flags {
            self.st.flags = Flags::UNKNOWN;
        }
        Ok(())
    }

    /// What reads all operands but the first, and writes that.
    #[inline(never)]
    pub(crate) fn fresh(&mut self, instruction: &Instruction, flags: bool) -> Proved<()> {
        let Operand::Int(to, bytes) = self.operand(instruction, 0)? else {
            return Err("first operand of another kind");
        };
        for n in 1..instruction.op_count() {
            match self.operand(instruction, n)? {
                Operand::Int(reg, bytes) => drop(Self::number(self.low(reg, bytes)?)?),
                Operand::Memory => {
                    let width = Self::width(instruction)?;
                    Self::number(self.load(instruction, width)?)?;
                }
                Operand::Immediate(_) => {}
                Operand::Vector(_) => return Err("vector among integers"),
            }
        }
        self.put_low(to, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })?;
        if flags {
            self.st.flags = Flags::UNKNOWN;
        }
        Ok(())
    }

    /// `not`, `neg`, `inc`, `dec`: one operand, in a register or, for the last two, in memory.
    #[inline(never)]
    pub(crate) fn unary(&mut self, instruction: &Instruction, flags: bool) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        if flags {
            self.st.flags = Flags::UNKNOWN;
        }
        match to {
            Operand::Memory => {
                let spot = self.spot(instruction, bytes, true)?;
                Self::number(self.read(spot, bytes)?)?;
                self.write(spot, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })
            }
            Operand::Int(reg, _) => {
                Self::number(self.low(reg, bytes)?)?;
                self.put_low(reg, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })
            }
            _ => Err("first operand of another kind"),
        }
    }

    /// `shl`, `shr` and other shifts and rotations by a constant or `cl`.
    #[inline(never)]
    pub(crate) fn shift(&mut self, instruction: &Instruction, class: Class) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        let Operand::Int(reg, _) = to else { return Err("shift in memory") };
        let by = match self.operand(instruction, 1)? {
            Operand::Immediate(by) => Some(by as u32 & if bytes == 8 { 63 } else { 31 }),
            Operand::Int(count, 1) => {
                Self::number(self.low(count, 1)?)?;
                None
            }
            _ => return Err("shift by something else"),
        };
        if self.st.regs[reg].is(Tag::Given) && class == Class::Shr && bytes == 8 && by == Some(1) && self.drops() {
            let value = self.dropped(self.st.regs[reg]);
            self.st.flags = Flags::UNKNOWN;
            return self.put(reg, value);
        }
        let value = Self::number(self.low(reg, bytes)?)?;
        // What loses nothing is as many times as large.
        let limit = self.resolved(value).limit();
        let shifted = |by: u32| match limit {
            Some(limit) if by < 62 && limit <= 1 << (62 - by) => Value::range(value.least() << by, limit - 1 << by),
            _ => Value::ANY,
        };
        let result = match (class, by, bytes) {
            (Class::Shr, Some(by), 4 | 8) => {
                let bits = if value.is_u32() { 32 } else { 64 };
                let most = self.most(value) >> by;
                if by > 0 || bits == 32 {
                    if most <= u64::from(u32::MAX) { Value::less_than(most + 1) } else { Value::ANY }
                } else {
                    Value::ANY
                }
            }
            (Class::Shl, Some(by), 8) if self.st.sums != 0 => {
                let below = value.below();
                let keeps = below.is_some_and(|below| below <= 1 << (62 - by.min(62)));
                let small = |pending: Pending| pending.reg == reg as u8 && pending.small && by <= 4;
                // What is no larger than a length is less than 2⁵⁵.
                let has = self.sums().is_term(reg as u8) && by <= 8 || self.sums().pending.is_some_and(small);
                self.relate(
                    |sums| if keeps || has { sums.shifted(reg as u8, by as u8) } else { sums.written(reg as u8) },
                );
                let small = value.as_constant().filter(|value| (0..1 << 32).contains(value) && by < 24);
                let result = small.map_or(shifted(by), |value| Value::constant(value << by));
                self.assign(reg, if value.least() > 0 && keeps { result.not_zero() } else { result })?;
                self.st.flags = Flags::UNKNOWN;
                return Ok(());
            }
            (Class::Shl, Some(by), 8) => {
                let small = value.as_constant().filter(|value| (0..1 << 32).contains(value) && by < 24);
                small.map_or(shifted(by), |value| Value::constant(value << by))
            }
            (_, _, 8) => Value::ANY,
            _ => Value::U32,
        };
        self.put_low(reg, bytes, result)?;
        self.st.flags = Flags::UNKNOWN;
        Ok(())
    }

    /// The most that a number can be.
    fn most(&self, value: Value) -> u64 {
        match value.tag() {
            Tag::MemoryLen if !self.p.facts.memories[value.b() as usize].index64 => 1 << 32,
            _ => value.below().map_or(u64::MAX, |below| below - 1),
        }
    }

    /// `bsf`, `bsr`: the whole register is as before, or of the given width.
    #[inline(never)]
    pub(crate) fn scan(&mut self, instruction: &Instruction) -> Proved<()> {
        let Operand::Int(to, bytes) = self.operand(instruction, 0)? else {
            return Err("first operand of another kind");
        };
        let from = self.operand(instruction, 1)?;
        let width = if let Operand::Memory = from { Self::width(instruction)? } else { bytes };
        Self::number(self.read_operand(instruction, from, width)?)?;
        let old = self.st.regs[to];
        // If nothing is found, processors differ in what they leave.
        let value = match old {
            _ if old.is_u32() => Value::U32,
            _ if old.is_number() => Value::ANY,
            _ => Value::of(Tag::Undef, MAYBE),
        };
        self.put(to, value)?;
        self.st.flags = Flags { kind: Kind::Scan, left: to as u8, ..Flags::UNKNOWN };
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn imul(&mut self, instruction: &Instruction) -> Proved<()> {
        match instruction.op_count() {
            1 => self.multiply(instruction, true),
            2 => self.opaque(instruction, true),
            _ => self.fresh(instruction, true),
        }
    }

    /// `mul`, `imul` of one operand: `rdx:rax`.
    #[inline(never)]
    pub(crate) fn multiply(&mut self, instruction: &Instruction, signed: bool) -> Proved<()> {
        let (operand, bytes) = self.destination(instruction)?;
        let left = Self::number(self.read_operand(instruction, operand, bytes)?)?;
        let right = Self::number(self.low(RAX, bytes)?)?;
        self.pair(bytes)?;
        // 32 bits by 64 give 96, all of which are above or at zero.
        if !signed && (left.is_u32() || right.is_u32()) {
            self.put(RDX, Value::U32)?;
        }
        Ok(())
    }

    pub(crate) fn pair(&mut self, bytes: u32) -> Proved<()> {
        let value = match bytes {
            8 => Value::ANY,
            4 => Value::U32,
            _ => return Err("product of an odd width"),
        };
        self.put(RAX, value)?;
        self.put(RDX, value)?;
        self.st.flags = Flags::UNKNOWN;
        Ok(())
    }

    // ---- exchanges

    #[inline(never)]
    pub(crate) fn exchange(&mut self, instruction: &Instruction, adds: bool) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        let from = self.operand(instruction, 1)?;
        if adds {
            self.st.flags = Flags::UNKNOWN;
        }
        match (to, from) {
            (Operand::Int(a, 8), Operand::Int(b, 8)) if !adds => {
                let (left, right) = (self.st.regs[a], self.st.regs[b]);
                self.put(a, right)?;
                self.put(b, left)
            }
            (Operand::Memory, Operand::Int(reg, _)) | (Operand::Int(reg, _), Operand::Memory) => {
                Self::number(self.low(reg, bytes)?)?;
                let spot = self.spot(instruction, bytes, true)?;
                Self::number(self.read(spot, bytes)?)?;
                self.write(spot, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })?;
                self.put_low(reg, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })
            }
            _ => Err("exchange of something else"),
        }
    }

    #[inline(never)]
    pub(crate) fn compare_exchange(&mut self, instruction: &Instruction) -> Proved<()> {
        let (to, bytes) = self.destination(instruction)?;
        let (Operand::Memory, Operand::Int(reg, _)) = (to, self.operand(instruction, 1)?) else {
            return Err("exchange of something else");
        };
        Self::number(self.low(reg, bytes)?)?;
        let old = Self::number(self.low(RAX, bytes)?)?;
        let spot = self.spot(instruction, bytes, true)?;
        Self::number(self.read(spot, bytes)?)?;
        self.write(spot, bytes, if bytes == 8 { Value::ANY } else { Value::U32 })?;
        // Where the exchange succeeds, nothing is written to it, not even its upper half.
        let value = match bytes {
            4 if !self.st.regs[RAX].is_u32() => Value::ANY,
            4 => Value::U32,
            8 => Value::ANY,
            _ if self.st.regs[RAX].is_u32() => Value::U32,
            _ => Value::ANY,
        };
        let _ = old;
        self.put(RAX, value)?;
        self.st.flags = Flags::UNKNOWN;
        Ok(())
    }

    // ---- the stack

    #[inline(never)]
    pub(crate) fn push(&mut self, instruction: &Instruction) -> Proved<()> {
        let value = match self.operand(instruction, 0)? {
            Operand::Int(reg, 8) => self.st.regs[reg],
            Operand::Immediate(value) => Value::constant(value),
            _ => return Err("push of something else"),
        };
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("push without a stack pointer") };
        self.assign(RSP, Value::stack(top - 8))?;
        self.write_stack(top - 8, value)
    }

    fn write_stack(&mut self, at: i32, value: Value) -> Proved<()> {
        // Where the return address is, another is looked for when it is used.
        if at > -8 || !self.has_room(at) {
            return Err("push outside of the frame");
        }
        self.check_record(at.into(), i64::from(at) + 8)?;
        self.write(crate::operand::Spot::Frame(at), 8, value)
    }

    #[inline(never)]
    pub(crate) fn pop_to(&mut self, instruction: &Instruction) -> Proved<()> {
        let Operand::Int(reg, 8) = self.operand(instruction, 0)? else { return Err("pop of something else") };
        let value = self.pop_value()?;
        self.put(reg, value)
    }

    fn pop_value(&mut self) -> Proved<Value> {
        let Some(top) = self.st.regs[RSP].as_stack() else { return Err("pop without a stack pointer") };
        if top >= 0 {
            return Err("pop of what is not the frame's");
        }
        if !self.has_room(top) {
            return Err("read before the stack is compared with its limit");
        }
        let value = self.read(crate::operand::Spot::Frame(top), 8)?;
        self.assign(RSP, Value::stack(top + 8))?;
        Ok(match value.tag() {
            Tag::Slot64 => Value::ANY,
            _ => value,
        })
    }

    #[inline(never)]
    pub(crate) fn leave(&mut self) -> Proved<()> {
        let frame = self.st.regs[RBP];
        if !frame.is(Tag::Stack) {
            return Err("`leave` without a frame");
        }
        self.assign(RSP, frame)?;
        let value = self.pop_value()?;
        self.put(RBP, value)
    }

    /// The instance pointer is pinned.
    pub(crate) fn has_instance(&self) -> bool {
        self.st.regs[R15] == Value::CTX
    }
}

/// The bit that elements of lazy tables have set.
const FILLED: i64 = 1;
