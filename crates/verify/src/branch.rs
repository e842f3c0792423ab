//! Flags: what comparisons tell, on which arm of a branch and in conditional moves; and jump tables.

use crate::decode::Instruction;
use crate::relate::{Fact, Region};
use crate::state::{Flags, Kind, NONE, RSP};
use crate::transfer::Operand;
use crate::value::{MAYBE, MOST_A, Tag, Value};
use crate::walk::{Proved, Walk};

/// What is true of two values that were compared, without sign or with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    SignedLess,
    SignedLessOrEqual,
    SignedGreater,
    SignedGreaterOrEqual,
}

impl Relation {
    /// By the number of a condition.
    fn of(condition: u8) -> Option<Relation> {
        Some(match condition {
            2 => Relation::Less,
            3 => Relation::GreaterOrEqual,
            4 => Relation::Equal,
            5 => Relation::Unequal,
            6 => Relation::LessOrEqual,
            7 => Relation::Greater,
            12 => Relation::SignedLess,
            13 => Relation::SignedGreaterOrEqual,
            14 => Relation::SignedLessOrEqual,
            15 => Relation::SignedGreater,
            _ => return None,
        })
    }

    /// Does it hold of two numbers of so many bytes?
    fn holds(self, a: i64, b: i64, bytes: u8) -> bool {
        let (low, high) = (a.cast_unsigned(), b.cast_unsigned());
        let extend = |value: i64| value << (64 - 8 * u32::from(bytes)) >> (64 - 8 * u32::from(bytes));
        let (signed, than) = (extend(a), extend(b));
        match self {
            Relation::Equal => a == b,
            Relation::Unequal => a != b,
            Relation::Less => low < high,
            Relation::LessOrEqual => low <= high,
            Relation::Greater => low > high,
            Relation::GreaterOrEqual => low >= high,
            Relation::SignedLess => signed < than,
            Relation::SignedLessOrEqual => signed <= than,
            Relation::SignedGreater => signed > than,
            Relation::SignedGreaterOrEqual => signed >= than,
        }
    }

    /// Does it say that the first is no less than the second (`Some(true)`), or no more, without sign?
    fn of_sizes(self) -> Option<bool> {
        match self {
            Relation::GreaterOrEqual => Some(true),
            Relation::LessOrEqual => Some(false),
            _ => None,
        }
    }

    fn negated(self) -> Relation {
        match self {
            Relation::Equal => Relation::Unequal,
            Relation::Unequal => Relation::Equal,
            Relation::Less => Relation::GreaterOrEqual,
            Relation::LessOrEqual => Relation::Greater,
            Relation::Greater => Relation::LessOrEqual,
            Relation::GreaterOrEqual => Relation::Less,
            Relation::SignedLess => Relation::SignedGreaterOrEqual,
            Relation::SignedLessOrEqual => Relation::SignedGreater,
            Relation::SignedGreater => Relation::SignedLessOrEqual,
            Relation::SignedGreaterOrEqual => Relation::SignedLess,
        }
    }

    /// What it is with the values exchanged.
    fn mirrored(self) -> Relation {
        match self {
            Relation::Less => Relation::Greater,
            Relation::LessOrEqual => Relation::GreaterOrEqual,
            Relation::Greater => Relation::Less,
            Relation::GreaterOrEqual => Relation::LessOrEqual,
            Relation::SignedLess => Relation::SignedGreater,
            Relation::SignedLessOrEqual => Relation::SignedGreaterOrEqual,
            Relation::SignedGreater => Relation::SignedLess,
            Relation::SignedGreaterOrEqual => Relation::SignedLessOrEqual,
            same => same,
        }
    }
}

/// No memory and no table is as long as this: programs have 2^47 bytes of addresses, and where there are more, they are
/// had by asking for one of them, which nobody does.
const NO_LENGTH: u64 = 1 << 55;

/// The number of the condition that a result is negative.
const SIGN: u8 = 8;

impl Walk<'_> {
    #[inline(never)]
    pub(crate) fn compare(&mut self, instruction: &Instruction) -> Proved<()> {
        let mut registers = [NONE; 2];
        let mut values = [Value::UNDEF; 2];
        let mut bytes = 0;
        for n in 0..2 {
            let operand = self.operand(instruction, n)?;
            values[n as usize] = match operand {
                Operand::Int(reg, width) => {
                    bytes = width;
                    registers[n as usize] = reg as u8;
                    self.low(reg, width)?
                }
                Operand::Memory => {
                    bytes = Self::width(instruction)?;
                    self.load(instruction, bytes)?
                }
                Operand::Immediate(value) if bytes < 8 => Value::constant(value & ((1 << (8 * bytes)) - 1)),
                Operand::Immediate(value) => Value::constant(value),
                Operand::Vector(_) => return Err("vector among integers"),
            };
        }
        self.compared(values)?;
        let asked = self.asked(registers[0], bytes, values[1]);
        // Where less than a register is compared, it tells of the register only if the rest is known to be zero.
        for (register, _) in registers.iter_mut().zip(values) {
            if *register != NONE && bytes < 8 && !(bytes == 4 && self.st.regs[usize::from(*register)].is_u32()) {
                *register = NONE;
            }
        }
        let kind = Kind::Compare;
        self.st.flags =
            Flags { kind, bytes: bytes as u8, left: registers[0], right: registers[1], values, known: None, asked };
        Ok(())
    }

    /// May these two be compared? Numbers may; and of pointers those where it tells the module nothing.
    fn compared(&self, values: [Value; 2]) -> Proved<()> {
        let [left, right] = values;
        let fine = match (left.tag(), right.tag()) {
            _ if left.is_number() && right.is_number() => true,
            (Tag::Stack, Tag::Host) | (Tag::Host, Tag::Host) => true,
            (Tag::Host | Tag::TagIdentity, Tag::Host | Tag::TagIdentity) => true,
            // Whether there is anything is no secret; where it is, is.
            (Tag::Func | Tag::LazyFunc | Tag::Data | Tag::Cont, Tag::Const) => right == Value::NULL,
            // Of what kind a stack is.
            (Tag::Host, Tag::Const) => right.below().is_some_and(|below| below <= 1 << 8),
            (Tag::Given, Tag::Const) => true,
            (Tag::FuncInstance, Tag::Ctx) | (Tag::Ctx, Tag::FuncInstance) => true,
            (Tag::Into, Tag::Into) => true,
            _ => Self::may_compare_threads(left, right),
        };
        if fine { Ok(()) } else { Err("comparison of what is no number") }
    }

    #[inline(never)]
    pub(crate) fn test(&mut self, instruction: &Instruction) -> Proved<()> {
        let (left, right) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
        if let (Operand::Int(a, bytes), Operand::Int(b, _)) = (left, right)
            && a == b
        {
            // A register tested with itself is compared with 0.
            let value = self.low(a, bytes)?;
            self.compared([value, Value::NULL])?;
            let whole = bytes == 8 || bytes == 4 && self.st.regs[a].is_u32();
            self.st.flags = Flags {
                kind: Kind::Compare,
                bytes: bytes as u8,
                left: if whole { a as u8 } else { NONE },
                right: NONE,
                values: [value, Value::NULL],
                known: None,
                asked: self.asked(a as u8, bytes, Value::NULL),
            };
            return Ok(());
        }
        if let (Operand::Int(reg, _), Operand::Immediate(0xff)) = (left, right)
            && self.st.regs[reg].is(Tag::Given)
        {
            // The lowest byte of what the host gave is compared with 0.
            let values = [self.st.regs[reg], Value::NULL];
            self.st.flags = Flags { kind: Kind::Compare, bytes: 1, values, ..Flags::UNKNOWN };
            return Ok(());
        }
        let mut bytes = 8;
        for operand in [left, right] {
            match operand {
                Operand::Int(reg, width) => {
                    bytes = width;
                    Self::number(self.low(reg, width)?)?;
                }
                Operand::Memory => {
                    bytes = Self::width(instruction)?;
                    Self::number(self.load(instruction, bytes)?)?;
                }
                Operand::Immediate(_) => {}
                Operand::Vector(_) => return Err("vector among integers"),
            }
        }
        let _ = bytes;
        self.st.flags = Flags::UNKNOWN;
        Ok(())
    }

    fn condition(instruction: &Instruction) -> Proved<u8> {
        instruction.condition().ok_or("condition that is none")
    }

    /// `jcc`: what is known where it is taken goes there, what is known where it is not stays.
    #[inline(never)]
    pub(crate) fn branch(&mut self, instruction: &Instruction) -> Proved<()> {
        let target = self.target(instruction)?;
        let condition = Self::condition(instruction)?;
        let relation = Relation::of(condition);
        let flags = self.st.flags;
        self.keep_sums();
        let before = self.st;
        let other = condition ^ 1;
        let Some(relation) = relation.filter(|_| flags.kind != Kind::Unknown) else {
            let of_given = condition == SIGN && flags.values[0].is(Tag::Given) && flags.values[1] == Value::NULL;
            if of_given && flags.bytes == 8 {
                self.given_is_negative(flags.values[0]);
            }
            self.flow_to(target)?;
            self.back_to(&before);
            self.st.flags.known = Some(other);
            if condition == SIGN && flags.values[0].is(Tag::Given) && flags.values[1] == Value::NULL && flags.bytes == 8
            {
                self.given_is_positive(flags.values[0]);
            }
            return Ok(());
        };
        if self.refine(relation) {
            self.flow_to(target)?;
        }
        self.back_to(&before);
        if !self.refine(relation.negated()) {
            // The branch is always taken, so what comes next is not reached by this way.
            self.ends = true;
        }
        self.st.flags.known = Some(other);
        Ok(())
    }

    /// Learns that a relation holds of what the flags are of. False if that cannot be.
    fn refine(&mut self, relation: Relation) -> bool {
        let flags = self.st.flags;
        match flags.kind {
            Kind::Unknown | Kind::Scan => {}
            // Whether constants carry is known.
            Kind::Sum
                if matches!(relation, Relation::Less | Relation::GreaterOrEqual)
                    && let [Some(a), Some(b)] = flags.values.map(Value::as_constant) =>
            {
                let carries = a.cast_unsigned().checked_add(b.cast_unsigned()).is_none();
                return carries == (relation == Relation::Less);
            }
            Kind::Sum if relation == Relation::GreaterOrEqual => {
                // No carry.
                if let Some(pending) = self.sums().pending
                    && pending.reg == flags.left
                {
                    self.is_exact(&pending);
                }
                // Then it is no less than what was added to, which is a constant near the end of all addresses.
                if flags.left != NONE && flags.values[0].as_constant().is_some_and(|constant| constant < 0) {
                    self.learned(usize::from(flags.left), Value::at_least(NO_LENGTH));
                }
            }
            Kind::Result | Kind::Sum if flags.left != NONE => {
                let value = self.st.regs[usize::from(flags.left)].as_constant();
                match relation {
                    Relation::Unequal if value == Some(0) => return false,
                    Relation::Equal if value.is_some_and(|value| value != 0) => return false,
                    _ => {}
                }
                if relation == Relation::Unequal {
                    let value = self.st.regs[usize::from(flags.left)];
                    self.st.regs[usize::from(flags.left)] = value.not_zero();
                }
            }
            Kind::Result | Kind::Sum => {}
            Kind::Compare => {
                let [left, right] = flags.values;
                if let (Some(a), Some(b)) = (left.as_constant(), right.as_constant())
                    && !relation.holds(a, b, flags.bytes)
                {
                    return false;
                }
                if left.least() >= NO_LENGTH
                    && (right.is(Tag::MemoryLen) || right.is(Tag::TableLen))
                    && matches!(relation, Relation::Less | Relation::LessOrEqual | Relation::Equal)
                {
                    return false;
                }
                if relation == Relation::Less && right == Value::NULL {
                    return false;
                }
                if let (Some(most), Relation::Less | Relation::LessOrEqual) = (right.as_constant(), relation)
                    && most >= 0
                    && left.least() > most.cast_unsigned()
                    && flags.bytes == 8
                {
                    return false;
                }
                self.learn(relation, flags.left, left, right, flags);
                self.learn(relation.mirrored(), flags.right, right, left, flags);
                self.learn_of_references(relation, left, right);
                if matches!(relation, Relation::Equal | Relation::Unequal) && flags.bytes == 8 {
                    self.learn_of_thread(relation == Relation::Equal, [left, right]);
                }
                if matches!(relation, Relation::Equal | Relation::Unequal) {
                    self.learn_of_division(relation == Relation::Equal);
                }
                if let (Relation::Unequal, true, Some(constant)) = (relation, left.is(Tag::Given), right.as_constant())
                {
                    self.given_is_not(left, constant, flags.bytes);
                }
                if let (Relation::Equal, true, Some(constant)) = (relation, left.is(Tag::Given), right.as_constant()) {
                    self.given_is(left, constant, flags.bytes);
                }
                if left.is(Tag::MayLeave) && right == Value::NULL && relation == Relation::Unequal {
                    self.instance_may_leave(left.b());
                }
                if left.is(Tag::Given) && right == Value::NULL && flags.bytes == 8 {
                    match relation {
                        Relation::SignedLess => self.given_is_negative(left),
                        Relation::SignedGreaterOrEqual => self.given_is_positive(left),
                        _ => {}
                    }
                }
            }
        }
        true
    }

    /// Learns of one of the values, `left`, which is in a register if `reg` is one.
    fn learn(&mut self, relation: Relation, reg: u8, left: Value, right: Value, flags: Flags) {
        if left.is(Tag::Stack)
            && right == Value::of(Tag::Host, crate::stacks::STACK_LIMIT)
            && relation == Relation::GreaterOrEqual
            && flags.left == RSP as u8
        {
            self.st.checked = left.as_stack().unwrap_or(crate::state::UNCHECKED);
            return;
        }
        if left.is(Tag::Asked) && right == Value::NULL {
            self.learn_asked(left, relation == Relation::Equal, relation == Relation::Unequal);
        }
        // Only a register of which all that counts was compared.
        if reg == NONE {
            return;
        }
        let at = usize::from(reg);
        let now = self.st.regs[at];
        if self.role.is_of_component() && self.learn_of_parameter(relation.of_sizes(), at, right) {
            return;
        }
        match relation {
            Relation::Less if right.is(Tag::TableLen) => {
                let short = now.is_u32() || right.a() != 0;
                self.learned(at, Value::new(Tag::BelowLen, short.into(), right.b()));
            }
            Relation::Less | Relation::LessOrEqual => {
                let including = relation == Relation::LessOrEqual;
                self.learn_sum(reg, right, including);
                // Where ranges are gone over, sums are made of constants as such.
                let stays = self.copies && now.as_constant().is_some();
                if let Some(most) = right.as_constant().filter(|most| (0..=1 << 32).contains(most) && !stays) {
                    let most = most.cast_unsigned() + u64::from(including);
                    let known = now.below().unwrap_or(u64::MAX);
                    if now.least() > 0 && including && most - 1 <= u64::from(u32::MAX) {
                        let least = now.least().min(MOST_A.into()) as u32;
                        self.learned(at, Value::new(Tag::EndConst, least, (most - 1) as u32));
                    } else if most < known && now.is_number() {
                        self.learned(at, Value::less_than(most));
                    }
                } else if right.is(Tag::MemoryLen) && including {
                    let least = now.least().min(MOST_A.into()) as u32;
                    self.learned(at, Value::new(Tag::End, least, right.b()));
                } else if right == Value::of(Tag::HeapLen, 0)
                    && !including
                    && self.p.never_collects()
                    && now.is_range()
                    && !now.is_u32()
                {
                    // So the next object may begin there.
                    self.learned(at, Value::range(now.least(), u32::MAX.into()));
                }
            }
            Relation::SignedLess | Relation::SignedLessOrEqual if right.is(Tag::HeapLen) && now.is_u32() => {
                if now.in_heap().is_none_or(|known| known < right.b()) {
                    self.learned(at, now.known_in_heap(false, right.b()));
                }
            }
            Relation::GreaterOrEqual | Relation::Greater => {
                // The sum is not less than one of its parts, so it has not wrapped.
                if let Some(pending) = self.sums().pending
                    && pending.reg == reg
                    && !pending.exact
                    && self.is_part(&pending, right, flags, reg)
                {
                    self.is_exact(&pending);
                }
                if now.is(Tag::FreeRoom) {
                    self.learn_room(if flags.left == reg { flags.right } else { flags.left }, right);
                }
                if now.is_range() && right.least() >= NO_LENGTH.max(now.least() + 1) {
                    self.learned(at, Value::at_least(right.least()));
                }
            }
            Relation::Equal if flags.bytes == 8 && right.is_u32() && now.is_number() && !now.is_u32() => {
                self.learned(at, Value::U32);
            }
            Relation::Unequal if right == Value::NULL => self.learned(at, now.not_zero()),
            Relation::Unequal if now.is(Tag::Listed) && right.as_constant() == Some(u32::MAX.into()) => {
                self.learned(at, Value::of(Tag::Listed, now.b()));
            }
            Relation::Equal if right == Value::NULL && now.is(Tag::Func) => self.learned(at, Value::NULL),
            // No constant: it may be another number where the branch was predicted wrongly.
            Relation::Equal if right == Value::NULL && now.is_number() && now.as_constant().is_none() => {
                self.learned(at, Value::less_than(1));
            }
            _ => {}
        }
    }

    /// There is room for so many bytes as a value says, which may be in a register.
    fn learn_room(&mut self, size: u8, value: Value) {
        let value = self.resolved(value);
        // More than 32 bits say is no room.
        let least = u32::try_from(value.least()).unwrap_or(u32::MAX);
        if least == 0 {
            return;
        }
        for reg in &mut self.st.regs {
            if reg.is(Tag::FreeStart) || reg.is(Tag::FreeHeap) && reg.b() < least {
                *reg = Value::of(Tag::FreeHeap, least);
            }
        }
        if size != NONE && value.as_constant().is_none() {
            self.learned(usize::from(size), Value::of(Tag::FreeSize, least));
        }
    }

    /// A sum has not wrapped.
    fn is_exact(&mut self, pending: &crate::relate::Pending) {
        // Of what is less than nothing the opposite is known; but neither of two numbers that were added is more than
        // their sum.
        if pending.sum.is_negative() {
            if pending.part != NONE && pending.least > 0 {
                self.learned(usize::from(pending.reg), Value::at_least(pending.least));
            }
            return;
        }
        self.relate(|sums| {
            if let Some(pending) = &mut sums.pending {
                pending.exact = true;
            }
        });
        if pending.least > 0 && !pending.exact {
            self.learned(usize::from(pending.reg), Value::at_least(pending.least));
        }
    }

    fn is_part(&self, pending: &crate::relate::Pending, right: Value, flags: Flags, reg: u8) -> bool {
        let other = if flags.left == reg { flags.right } else { flags.left };
        // Whatever else is in the sum is not negative.
        other != NONE
            && (pending.part == other
                || match self.term(other.into(), right, 0) {
                    Ok(term) => pending.sum.is_part(term),
                    Err(constant) => pending.sum.is_constant_part(constant),
                })
    }

    #[inline]
    fn learned(&mut self, reg: usize, value: Value) {
        self.st.regs[reg] = value;
    }

    /// A sum is at most the length of a region, or less than it.
    fn learn_sum(&mut self, reg: u8, right: Value, including: bool) {
        let mut known =
            self.sums().pending.filter(|pending| pending.reg == reg && pending.exact).map(|pending| pending.sum);
        if known.is_none()
            && self.copies
            && let Some(value) = self.st.regs[usize::from(reg)].as_constant()
        {
            known = crate::relate::Sum::ZERO.plus_constant(value).filter(|_| value >= 0);
        }
        let Some(known) = known else { return };
        let (region, unit) = match right.tag() {
            Tag::MemoryLen => (Region::Memory(right.b()), 0),
            Tag::TableLen => (Region::Table(right.b()), self.element_bytes(right.b()).trailing_zeros() as u8),
            Tag::DataLen => (Region::Data(right.b()), 0),
            Tag::ElemLen => (Region::Elem(right.b()), 4),
            Tag::HeapLen if right.b() == 0 => (Region::Heap, 0),
            Tag::Const => match right.as_constant().and_then(|most| u32::try_from(most).ok()) {
                Some(most) => (Region::Const(most), 0),
                None => return,
            },
            _ => return,
        };
        let Some(sum) = known.plus_constant(i64::from(!including)) else { return };
        if sum == crate::relate::Sum::NOTHING {
            return;
        }
        if region == Region::Heap {
            self.learn_offsets(&sum);
            if !self.copies {
                // Functions keep offsets, and go over no ranges.
                return;
            }
        }
        let regs = self.st.regs;
        let copies = self.copies;
        self.relate(|sums| {
            sums.add(Fact { sum, region, unit, pointer: None });
            if copies {
                for (reg, value) in regs.iter().enumerate().filter(|(_, value)| value.is(Tag::CopyOf)) {
                    sums.copied(reg as u8, value.b() as u8);
                }
            }
        });
    }

    /// A sum is in the heap, which is no larger than 32 bits can say: so is each of its parts, as far as the others are
    /// large.
    fn learn_offsets(&mut self, sum: &crate::relate::Sum) {
        let least = |reg: u8| self.st.regs[usize::from(reg)].least();
        let offsets = sum.offsets(least);
        // No module chooses where the next object is that is never collected.
        let certain = self.p.never_collects();
        for (reg, bytes) in offsets.into_iter().flatten() {
            let known = self.st.regs[usize::from(reg)];
            let bytes = bytes.min(u32::MAX.into()) as u32;
            if known.in_heap().is_none_or(|known| known < bytes) && known.is_number() && !known.is(Tag::Const) {
                self.learned(usize::from(reg), known.known_in_heap(certain, bytes));
            }
        }
    }

    fn learn_of_references(&mut self, relation: Relation, left: Value, right: Value) {
        let (of, id) = match (left.tag(), right.tag()) {
            (Tag::TypeOf, Tag::TypeId) => (left, right),
            (Tag::TypeId, Tag::TypeOf) => (right, left),
            // The host says whether it is a subtype.
            (Tag::IsSubtype, Tag::Const)
                // In the upper half there may be anything.
                if right == Value::NULL && relation == Relation::Unequal && left.is_u32() =>
            {
                return self.learn_type(left.a() & crate::value::IDENTITY, left.b());
            }
            _ => return,
        };
        if relation == Relation::Equal {
            self.learn_type(of.a(), id.b());
        }
    }

    fn learn_type(&mut self, identity: u32, ty: u32) {
        for reg in 0..16 {
            let value = self.st.regs[reg];
            if value.is(Tag::Func) && value.has_identity(identity) && identity != 0 {
                // What was known may be more than that.
                if value.b() == 0 || !self.p.types.is_subtype(value.b() - 1, ty) {
                    self.st.regs[reg] = Value::new(Tag::Func, value.a(), ty + 1);
                }
            }
        }
    }

    // ---- conditional moves

    #[inline(never)]
    pub(crate) fn conditional_move(&mut self, instruction: &Instruction) -> Proved<()> {
        let Operand::Int(to, bytes @ (4 | 8)) = self.operand(instruction, 0)? else {
            return Err("first operand of another kind");
        };
        let from = self.operand(instruction, 1)?;
        let condition = Self::condition(instruction)?;
        let relation = Relation::of(condition);
        let flags = self.st.flags;
        if let Operand::Int(from, _) = from
            && let Some(value) = self.guarded(to, from, relation, flags)
        {
            return self.put_low(to, bytes, value);
        }
        // A condition that a branch has decided decides here, too.
        if let Some(known) = flags.known
            && bytes == 8
        {
            // Unless the branch was predicted wrongly, where that matters: then what is chosen is the other.
            let guess = self.p.facts.settings.spectre && self.role.is_body();
            if let (true, Operand::Int(from, 8)) = (known == condition ^ 1, from) {
                let (old, other) = (self.st.regs[to], self.st.regs[from]);
                if !guess || other == Value::NULL && !old.is_certain() {
                    if relation == Some(Relation::SignedLess) {
                        self.guard_reference(to, from, flags);
                    }
                    return Ok(());
                }
            }
            if let (true, Operand::Int(from, 8)) = (known == condition, from) {
                let value = self.st.regs[from];
                return self.put(to, if guess && value.is_number() { value.widened() } else { value });
            }
        }
        let moved = match from {
            Operand::Int(from, bytes) => self.low(from, bytes)?,
            Operand::Memory => self.load(instruction, bytes)?,
            _ => return Err("operand of another kind"),
        };
        let old = self.st.regs[to];
        if bytes == 4 {
            // A bit that was looked for, or what stands for none.
            let replaced = relation == Some(Relation::Equal) && flags.kind == Kind::Scan && flags.left == to as u8;
            if !(replaced && old == Value::of(Tag::Undef, MAYBE)) {
                Self::number(self.low(to, 4)?)?;
            }
            Self::number(moved)?;
            let value = if old.is_u32() { self.p.types.join(old, moved) } else { Value::U32 };
            return self.put_low(to, 4, value);
        }
        if let (Some(relation), Kind::Compare) = (relation, flags.kind)
            && old.is(Tag::FuncCode)
            && moved.is(Tag::FuncCodeBehind)
            && relation == Relation::Equal
            && old.a() == moved.a()
            && old.b() == moved.b()
        {
            let instance = Value::new(Tag::FuncInstance, old.a(), 0);
            let own = flags.values == [instance, Value::CTX] || flags.values == [Value::CTX, instance];
            if own && flags.bytes == 8 {
                return self.put(to, Value::new(Tag::FuncCodeEither, old.a(), old.b()));
            }
        }
        let value = self.p.types.join(old, moved);
        if value.is(Tag::Undef) {
            return Err("choice between values of different kinds");
        }
        self.put(to, value)
    }

    /// An index that is in bounds even if the check before was predicted wrongly: chosen by the comparison itself.
    fn guarded(&self, to: usize, from: usize, relation: Option<Relation>, flags: Flags) -> Option<Value> {
        if flags.kind != Kind::Compare {
            return None;
        }
        let (old, new) = (self.st.regs[to], self.st.regs[from]);
        let [_, right] = flags.values;
        match relation? {
            // `to = 0; if index < length { to = index }`
            Relation::Less if flags.left == from as u8 && old == Value::NULL => match new.tag() {
                Tag::BelowLen if right.is(Tag::TableLen) && right.b() == new.b() => {
                    Some(Value::new(Tag::SafeBelowLen, new.a(), new.b()))
                }
                _ => right
                    .as_constant()
                    .filter(|most| (1..=1 << 32).contains(most) && new.is_u32())
                    .map(|most| Value::of(Tag::SafeBelow, most.min(u32::MAX.into()) as u32)),
            },
            // `if end > length { end = bytes }`
            Relation::Greater if flags.left == to as u8 => {
                let bytes = new.as_constant().filter(|bytes| (1..=i64::from(MOST_A)).contains(bytes))? as u32;
                match old.tag() {
                    Tag::Asked
                        if old.a() == crate::value::ASKED_NUMBER
                            && self.answers[old.b() as usize].handlers.len() as u32 == bytes + 1
                            && right.as_constant() == Some(bytes.into()) =>
                    {
                        Some(Value::new(Tag::Asked, crate::value::ASKED_SAFE, old.b()))
                    }
                    Tag::End if right == Value::of(Tag::MemoryLen, old.b()) => {
                        Some(Value::new(Tag::SafeEnd, old.a().min(bytes), old.b()))
                    }
                    Tag::EndConst if right.as_constant() == Some(old.b().into()) => {
                        Some(Value::new(Tag::SafeEndConst, old.a().min(bytes), old.b().max(bytes)))
                    }
                    // `if index > last { index = last }`
                    _ if right.as_constant() == Some(bytes.into()) && old.is_u32() => {
                        Some(Value::of(Tag::SafeBelow, bytes + 1))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `if length < reference { reference = 0 }`, where the branch before has decided that it is not.
    fn guard_reference(&mut self, reference: usize, zero: usize, flags: Flags) {
        let value = self.st.regs[reference];
        let length = flags.values[0];
        if flags.kind == Kind::Compare
            && flags.bytes == 8
            && usize::from(flags.right) == reference
            && length.is(Tag::HeapLen)
            && self.st.regs[zero] == Value::NULL
            && value.is(Tag::InHeap)
            && !value.is_in_heap_for_certain()
        {
            self.st.regs[reference] = value.known_in_heap(true, value.b().min(length.b()));
        }
    }

    /// A condition becomes a number: 0 or 1 in the lowest byte of a register.
    #[inline(never)]
    pub(crate) fn set_condition(&mut self, instruction: &Instruction) -> Proved<()> {
        match self.operand(instruction, 0)? {
            Operand::Int(reg, 1) => self.put_low(reg, 1, Value::less_than(2)),
            _ => Err("condition to something else"),
        }
    }

    // ---- jump tables

    /// Reads an entry of a jump table: an index below the number of entries makes the table known.
    pub(crate) fn entry_of_table(
        &mut self,
        at: u32,
        index: Value,
        scale: u8,
        disp: i64,
        width: u32,
    ) -> Proved<crate::operand::Spot> {
        if disp < 0 || !self.contains(at) {
            return Err("read of the text");
        }
        if index.is(Tag::Asked) && index.a() == crate::value::ASKED_SAFE && width == 4 && scale == 2 && disp == 0 {
            let count = self.answers[index.b() as usize].handlers.len() as u64;
            if u64::from(at) + 4 * count > u64::from(self.end) {
                return Err("read of the text that is not known to be in bounds");
            }
            return Ok(crate::operand::Spot::Field(Value::new(Tag::AskedEntry, index.b(), at), 4));
        }
        let Some(count) = index.below() else { return Err("index into the text that is not known to be in bounds") };
        if self.p.facts.settings.spectre
            && !index.is(Tag::SafeBelow)
            && !index.is(Tag::Const)
            && scale == 2
            && self.role.is_body()
        {
            return Err("index of a jump table that is not in bounds for certain");
        }
        let from = u64::from(at) + disp.cast_unsigned();
        let end = from.saturating_add((count - 1) << scale).saturating_add(width.into());
        if count == 0 || end > u64::from(self.end) || count > u64::from(MOST_A) {
            return Err("read of the text that is not known to be in bounds");
        }
        if width == 4 && scale == 2 && disp == 0 {
            return Ok(crate::operand::Spot::Field(Value::new(Tag::Entry, count as u32, at), 4));
        }
        self.data(from as u32, (end - from) as u32)?;
        let bytes = &self.p.text[from as usize..end as usize];
        if width == 1 && bytes.iter().all(|code| self.p.facts.trap_codes.binary_search(code).is_ok()) {
            return Ok(crate::operand::Spot::Field(Value::of(Tag::TrapCode, 0), 1));
        }
        Ok(crate::operand::Spot::Constants)
    }

    /// `reg = table + entry of it`.
    pub(crate) fn target_of_table(&mut self, reg: usize, table: Value, entry: Value) -> Proved<()> {
        if !matches!(entry.tag(), Tag::Entry | Tag::AskedEntry) || entry.b() != table.b() {
            return Err("address in the text and a number");
        }
        if entry.is(Tag::AskedEntry) {
            return self.put(reg, Value::new(Tag::AskedTarget, entry.a(), entry.b()));
        }
        self.put(reg, Value::new(Tag::Target, entry.a(), entry.b()))
    }

    /// Where an entry of a jump table leads.
    pub(crate) fn target_of_entry(&self, at: u32, n: u32) -> Proved<u32> {
        let from = (at + 4 * n) as usize;
        let Some(bytes) = self.p.text.get(from..from + 4) else { return Err("jump table outside of the text") };
        let offset = i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let target = i64::from(at) + i64::from(offset);
        u32::try_from(target).map_err(|_| "jump out of the text")
    }

    /// Goes to every entry of a jump table.
    pub(crate) fn jump_by_table(&mut self, table: Value) -> Proved<()> {
        let (count, at) = (table.a(), table.b());
        self.data(at, 4 * count)?;
        let mut last = None;
        for n in 0..count {
            let target = self.target_of_entry(at, n)?;
            // Neighbours often go to the same place.
            if last != Some(target) {
                self.jump_to(target)?;
            }
            last = Some(target);
        }
        Ok(())
    }

    /// The target of a direct jump.
    pub(crate) fn target(&self, instruction: &Instruction) -> Proved<u32> {
        instruction.target().and_then(|target| u32::try_from(target).ok()).ok_or("jump out of the text")
    }

    /// What is known of the state at the target of a branch goes there.
    pub(crate) fn flow_to(&mut self, target: u32) -> Proved<()> {
        self.jump_to(target)
    }

    /// Is a register an index of an element of a table?
    pub(crate) fn is_element(&self, table: u32, index: usize) -> bool {
        let value = self.st.regs[index];
        let facts = &self.p.facts.tables[table as usize];
        let spectre = self.guards_elements();
        match value.tag() {
            Tag::BelowLen => value.b() == table && !spectre,
            Tag::SafeBelowLen => value.b() == table,
            Tag::Below | Tag::Const | Tag::SafeBelow => {
                let certain = !value.is(Tag::Below) || !spectre;
                let count = facts.fixed_length.unwrap_or(0).max(facts.minimum);
                certain && value.below().is_some_and(|below| below <= count)
            }
            _ => {
                let not_zero = |reg: u8| self.st.regs[usize::from(reg)].least() > 0;
                !spectre && self.sums().reach_of_index(index as u8, Region::Table(table), not_zero) >= 1
            }
        }
    }
}
