//! Makes the mutants of a function.

use super::checks::{self, Found};
use super::decode::Decoded;
use super::{Check, Edit, Kind, Mutant, Subject};
use crate::native::INTS;
use crate::random::Random;
use iced_x86::{Encoder, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

/// What one byte of `nop` is.
const NOP: u8 = 0x90;

/// Registers of integer arguments inside of a module.
const ARGUMENTS: [Register; 6] =
    [Register::RDX, Register::RCX, Register::R8, Register::R9, Register::RDI, Register::RSI];

pub(crate) struct Changes<'a> {
    subject: &'a Subject,
    code: &'a Decoded,
    function: Option<u32>,
    random: &'a mut Random,
    info: InstructionInfoFactory,
    mutants: Vec<Mutant>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(
        subject: &'a Subject,
        code: &'a Decoded,
        function: Option<u32>,
        random: &'a mut Random,
    ) -> Changes<'a> {
        Changes { subject, code, function, random, info: InstructionInfoFactory::new(), mutants: Vec::new() }
    }

    pub(crate) fn all(mut self) -> Vec<Mutant> {
        let find = if self.function.is_some() { checks::find } else { checks::find_in_routine };
        let mapped = self.subject.facts.memories.first().map_or(0, |memory| memory.minimum.max(memory.mapped));
        let signals = self.subject.facts.settings.hardware_traps;
        let checks = find(self.code, &self.subject.tables.traps, mapped, signals);
        for found in &checks {
            self.check(*found);
        }
        for n in 0..self.code.instructions.len() {
            self.address(n);
            self.restore(n);
            self.extension(n);
            self.width(n);
            self.jump(n);
            self.destination(n);
            if !checks.iter().any(|found| found.decides == n) {
                self.dropped(n);
            }
            if self.random.one_in(2) {
                self.flip(n);
            }
        }
        if let Some(function) = self.function {
            self.tables(function);
        }
        self.mutants
    }

    /// All changes of code that is no function of the module, as of one kind.
    pub(crate) fn beside(mut self, kind: Kind) -> Vec<Mutant> {
        for n in 0..self.code.instructions.len() {
            self.address(n);
            self.restore(n);
            self.width(n);
            self.jump(n);
            self.destination(n);
            self.dropped(n);
            self.flip(n);
        }
        for mutant in &mut self.mutants {
            mutant.kind = kind;
        }
        self.mutants
    }

    /// Each register of each address exchanged for each other one.
    pub(crate) fn registers(mut self) -> Vec<Mutant> {
        for n in 0..self.code.instructions.len() {
            let instruction = self.instruction(n);
            let has_address = instruction.op_kinds().any(|kind| kind == OpKind::Memory);
            let is_none = matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Lea);
            if has_address && !is_none && !instruction.is_ip_rel_memory_operand() {
                self.other_registers(&instruction, &INTS);
            }
        }
        self.mutants
    }

    fn instruction(&self, n: usize) -> Instruction {
        self.code.instructions[n]
    }

    fn bytes(&self, instruction: &Instruction) -> Vec<u8> {
        self.subject.text[instruction.ip() as usize..instruction.next_ip() as usize].to_vec()
    }

    fn push(&mut self, kind: Kind, instruction: &Instruction, bytes: Vec<u8>) {
        let at = instruction.ip() as u32;
        self.mutants.push(Mutant { kind, function: self.function, at, edit: Edit::Text(at, bytes) });
    }

    fn nops(&mut self, kind: Kind, instruction: &Instruction) {
        self.push(kind, instruction, vec![NOP; instruction.len()]);
    }

    /// Another instruction in the same place, if it is no longer.
    fn replaced(&mut self, kind: Kind, old: &Instruction, new: &Instruction) {
        let mut encoder = Encoder::new(64);
        if encoder.encode(new, old.ip()).is_err() {
            return;
        }
        let mut bytes = encoder.take_buffer();
        if bytes.len() <= old.len() {
            bytes.resize(old.len(), NOP);
            self.push(kind, old, bytes);
        }
    }

    // ---- checks

    fn check(&mut self, Found { decides, check }: Found) {
        let instruction = self.instruction(decides);
        self.nops(Kind::Dropped(check), &instruction);
        let bytes = self.bytes(&instruction);
        // The condition is in the lowest bits of the opcode: behind `0f`, or the first byte of a short jump.
        let opcode = match bytes.iter().position(|byte| *byte == 0x0f) {
            Some(escape) => escape + 1,
            None => 0,
        };
        for condition in checks::weaker(check, bytes[opcode] & 15) {
            let mut weaker = bytes.clone();
            weaker[opcode] = weaker[opcode] & 0xf0 | condition;
            self.push(Kind::Weakened(check), &instruction, weaker);
        }
        // What was compared is greater if the constant is on the right.
        let raises = matches!(bytes[opcode] & 15, 2 | 3 | 6 | 7) && check != Check::Room;
        for back in 1..=3 {
            let Some(compare) = self.code.before(decides, back).copied() else { break };
            let constant = compare.op_count() > 1 && is_immediate(compare.op1_kind());
            if compare.mnemonic() == Mnemonic::Cmp && constant && raises {
                self.raise(Kind::Raised(check), &compare);
                break;
            }
            if check == Check::JumpTable && compare.mnemonic() == Mnemonic::Mov && constant {
                self.raise(Kind::Raised(check), &compare);
                break;
            }
        }
    }

    fn raise(&mut self, kind: Kind, compare: &Instruction) {
        for by in [1, 0x10] {
            let mut greater = *compare;
            let value = compare.immediate(1).wrapping_add(by);
            match compare.op1_kind() {
                OpKind::Immediate8to32 | OpKind::Immediate8to64 if (value as i64) < 128 => {
                    greater.set_immediate8(value as u8);
                }
                OpKind::Immediate32 | OpKind::Immediate32to64 => greater.set_immediate32(value as u32),
                _ => continue,
            }
            self.replaced(kind, compare, &greater);
        }
    }

    // ---- addresses

    fn address(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let has_address = instruction.op_kinds().any(|kind| kind == OpKind::Memory);
        if !has_address || instruction.is_ip_rel_memory_operand() || instruction.mnemonic() == Mnemonic::Nop {
            return;
        }
        // What `lea` computes need be no address.
        let computes = instruction.mnemonic() == Mnemonic::Lea;
        let (base, index) = (instruction.memory_base(), instruction.memory_index());
        if index != Register::None && base != Register::None && instruction.memory_index_scale() > 1 && !computes {
            let mut exchanged = instruction;
            exchanged.set_memory_base(index);
            exchanged.set_memory_index(base);
            self.replaced(Kind::ExchangedRegisters, &instruction, &exchanged);
        }
        if !computes {
            let others = [(); 3].map(|()| *self.random.pick(&INTS));
            self.other_registers(&instruction, &others);
        }
        if index != Register::None {
            let other = *self.random.pick(&[1, 2, 4, 8]);
            let mut changed = instruction;
            changed.set_memory_index_scale(other);
            let kind = if computes { Kind::DroppedInstruction } else { Kind::OtherScale };
            if other != instruction.memory_index_scale() && kind == Kind::OtherScale {
                self.replaced(kind, &instruction, &changed);
            }
        }
        if !computes {
            self.displacement(&instruction);
        }
    }

    /// Other registers than the base and the index of an address.
    fn other_registers(&mut self, instruction: &Instruction, others: &[Register]) {
        let (base, index) = (instruction.memory_base(), instruction.memory_index());
        let in_frame = matches!(base, Register::RBP | Register::RSP);
        for other in others.iter().copied() {
            if base != Register::None && other != base {
                let mut changed = *instruction;
                changed.set_memory_base(other);
                let kind = if in_frame { Kind::OtherFrameBase } else { Kind::OtherBase };
                self.replaced(kind, instruction, &changed);
            }
            if index != Register::None && other != index && other != Register::RSP {
                let mut changed = *instruction;
                changed.set_memory_index(other);
                self.replaced(Kind::OtherIndex, instruction, &changed);
            }
        }
    }

    fn displacement(&mut self, instruction: &Instruction) {
        let old = instruction.memory_displacement64().cast_signed();
        let size = instruction.memory_displ_size();
        let wide = size > 1;
        let (base, index) = (instruction.memory_base(), instruction.memory_index());
        let width = instruction.memory_size().size() as i64;
        let mut beyond: Vec<i64> = Vec::new();
        match base {
            Register::RBP | Register::RSP => beyond.extend([0x7fff_fff0, -0x7fff_fff0]),
            Register::R14 => {
                beyond.push(-0x7fff_fff0);
                let memory = self.subject.facts.memories.first();
                let mapped = memory.map_or(0, |memory| memory.mapped.max(memory.unchecked_span));
                if mapped < 0x7fff_fff0 {
                    beyond.push(0x7fff_fff0);
                }
                let span = self.subject.facts.memories.first().map_or(0, |memory| memory.unchecked_span.cast_signed());
                if index != Register::None && span > 0 && old >= 0 {
                    beyond.extend([-1, -width, span - width + 1]);
                }
                if index != Register::None && old < 0 {
                    // Behind a check: not a byte further up.
                    beyond.push(old + 1);
                }
            }
            Register::R15 => beyond.extend([0x7fff_fff0, -8]),
            _ => beyond.extend([0x7fff_fff0, -0x7fff_fff0]),
        }
        for new in beyond {
            self.displaced(Kind::BeyondSpan, instruction, new, wide);
        }
        for by in [1, -1, 8, -8, 64] {
            self.displaced(Kind::OtherDisplacement, instruction, old + by, wide);
        }
    }

    fn displaced(&mut self, kind: Kind, instruction: &Instruction, new: i64, wide: bool) {
        let Ok(new) = i32::try_from(new) else { return };
        if instruction.memory_displ_size() == 0 || !wide && i8::try_from(new).is_err() {
            return;
        }
        let mut changed = *instruction;
        changed.set_memory_displacement64(i64::from(new).cast_unsigned());
        self.replaced(kind, instruction, &changed);
    }

    // ---- what is kept and restored

    fn restore(&mut self, n: usize) {
        let instruction = self.instruction(n);
        match instruction.mnemonic() {
            Mnemonic::Leave => self.nops(Kind::DroppedLeave, &instruction),
            Mnemonic::Ret if instruction.op_count() > 0 => {
                for pops in [instruction.immediate16() + 8, instruction.immediate16().wrapping_sub(8)] {
                    let mut changed = instruction;
                    changed.set_immediate16(pops);
                    self.replaced(Kind::OtherReturn, &instruction, &changed);
                }
            }
            Mnemonic::Mov if self.is_restore(n) => self.nops(Kind::DroppedRestore, &instruction),
            Mnemonic::Mov
                if instruction.op0_kind() == OpKind::Register
                    && instruction.op0_register() == Register::R14
                    && instruction.op1_kind() == OpKind::Memory =>
            {
                self.nops(Kind::DroppedReload, &instruction);
            }
            _ => {}
        }
    }

    /// Loads from the frame right before `leave`, of registers that are preserved.
    fn is_restore(&self, n: usize) -> bool {
        let loads = |i: &Instruction| {
            i.mnemonic() == Mnemonic::Mov
                && i.op1_kind() == OpKind::Memory
                && i.memory_base() == Register::RBP
                && matches!(i.op0_register(), Register::RBX | Register::R12 | Register::R13)
        };
        loads(&self.instruction(n))
            && (1..=4)
                .map_while(|ahead| self.code.behind(n, ahead))
                .find(|i| !loads(i))
                .is_some_and(|i| i.mnemonic() == Mnemonic::Leave)
    }

    // ---- widths

    fn extension(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let register = instruction.op0_register();
        let extends = instruction.mnemonic() == Mnemonic::Mov
            && instruction.op0_kind() == OpKind::Register
            && instruction.op1_kind() == OpKind::Register
            && register == instruction.op1_register()
            && register.size() == 4;
        if extends {
            // What routines are passed is known to be of 32 bits where they are called.
            let kind = if self.function.is_some() && self.is_used(n, register.full_register()) {
                Kind::DroppedExtensionUsed
            } else {
                Kind::DroppedExtension
            };
            self.nops(kind, &instruction);
        }
    }

    /// Is all of a register part of an address, or an argument of a call, before anything is written to it? Only what
    /// follows without a jump is looked at.
    fn is_used(&mut self, n: usize, register: Register) -> bool {
        for ahead in 1..64 {
            let Some(next) = self.code.behind(n, ahead).copied() else { return false };
            if next.mnemonic() != Mnemonic::Lea
                && next.op_kinds().any(|kind| kind == OpKind::Memory)
                && (next.memory_base() == register || next.memory_index() == register)
            {
                return true;
            }
            if next.flow_control() == FlowControl::Call {
                let target = next.near_branch_target() as u32;
                return self.is_argument(target, register);
            }
            if next.flow_control() != FlowControl::Next {
                return false;
            }
            let info = self.info.info(&next);
            let writes = |access| matches!(access, OpAccess::Write | OpAccess::ReadWrite | OpAccess::CondWrite);
            let written = info
                .used_registers()
                .iter()
                .any(|used| used.register().full_register() == register && writes(used.access()));
            if written {
                return false;
            }
        }
        false
    }

    /// Is a register an argument of 32 bits of a function of the module?
    fn is_argument(&self, target: u32, register: Register) -> bool {
        use lightbeam_verify::facts::{TypeKind, ValueType};
        let facts = &self.subject.facts;
        let defined = facts.functions.iter().filter(|function| !function.imported);
        let found = self.subject.tables.functions.iter().zip(defined).find(|(range, function)| {
            let entry = range.start + if function.escapes { 5 } else { 0 };
            entry == target
        });
        let Some((_, function)) = found else { return false };
        let TypeKind::Function(signature) = &facts.types[function.ty as usize].kind else { return false };
        let floats =
            |ty: &ValueType| matches!(ty, ValueType::F32 | ValueType::F64 | ValueType::V128 | ValueType::Cont { .. });
        let mut ints = signature.params.iter().filter(|ty| !floats(ty));
        ARGUMENTS.iter().any(|argument| {
            let ty = ints.next();
            *argument == register && matches!(ty, Some(ValueType::I32 | ValueType::Gc))
        })
    }

    fn width(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let mut bytes = self.bytes(&instruction);
        let computes = instruction.op0_kind() == OpKind::Register && instruction.op0_register().is_gpr32();
        if computes && bytes[0] & 0xf8 == 0x40 {
            bytes[0] |= 8;
            self.push(Kind::Widened, &instruction, bytes);
        }
    }

    // ---- jumps

    fn jump(&mut self, n: usize) {
        let instruction = self.instruction(n);
        if instruction.op_count() == 0 || instruction.op0_kind() != OpKind::NearBranch64 {
            return;
        }
        let mut bytes = self.bytes(&instruction);
        // The lowest byte of the distance is where the short form has its only one.
        let at = if instruction.len() > 2 { bytes.len() - 4 } else { bytes.len() - 1 };
        for by in [1u8, 0xff] {
            let old = bytes[at];
            if let Some(new) = old.checked_add_signed(by.cast_signed()) {
                bytes[at] = new;
                self.push(Kind::OtherTarget, &instruction, bytes.clone());
                bytes[at] = old;
            }
        }
    }

    fn destination(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let writes = instruction.op_count() > 0
            && instruction.op0_kind() == OpKind::Register
            && instruction.op0_register().is_gpr()
            && instruction.op0_register() != Register::RSP
            && !matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push)
            && instruction.flow_control() == FlowControl::Next;
        if !writes {
            return;
        }
        let width = instruction.op0_register().size();
        let of_width = |register: Register| {
            let number = register.number();
            match width {
                8 => Some(register),
                4 => Some(Register::EAX + number as u32),
                2 => Some(Register::AX + number as u32),
                _ => None,
            }
        };
        // Where memory 0 may move, or there is none, nobody wants the register of its base back.
        let pinned = self.subject.facts.memories.first().is_some_and(|memory| !memory.base_may_move);
        let registers =
            if pinned { &[Register::R14, Register::R15, Register::RSP][..] } else { &[Register::R15, Register::RSP] };
        for &register in registers {
            if let Some(register) = of_width(register).filter(|other| *other != instruction.op0_register()) {
                let mut changed = instruction;
                changed.set_op0_register(register);
                // What is only exchanged or added to may still be the same.
                self.replaced(Kind::WritesPinned, &instruction, &changed);
            }
        }
        let other = of_width(*self.random.pick(&INTS));
        let pinned = [Register::R14, Register::R15, Register::RSP];
        if let Some(other) = other.filter(|other| !pinned.contains(&other.full_register())) {
            let mut changed = instruction;
            changed.set_op0_register(other);
            self.replaced(Kind::OtherDestination, &instruction, &changed);
        }
    }

    // ---- the rest

    fn dropped(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let known = matches!(instruction.mnemonic(), Mnemonic::Leave | Mnemonic::Nop)
            || self.is_restore(n)
            || instruction.op_count() == 2
                && instruction.op0_register() == instruction.op1_register()
                && instruction.mnemonic() == Mnemonic::Mov;
        if !known {
            self.nops(Kind::DroppedInstruction, &instruction);
        }
    }

    fn flip(&mut self, n: usize) {
        let instruction = self.instruction(n);
        let mut bytes = self.bytes(&instruction);
        let bit = self.random.below(8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.push(Kind::FlippedBit, &instruction, bytes);
    }

    // ---- tables

    fn tables(&mut self, function: u32) {
        let own = &self.subject.tables;
        let range = own.functions[function as usize];
        let inside = |at: u32| range.start <= at && at < range.end;
        let mut changed = Vec::new();
        for (n, (at, _)) in own.traps.iter().enumerate().filter(|(_, (at, _))| inside(*at)) {
            let mut tables = own.clone();
            tables.traps.remove(n);
            changed.push((Kind::DroppedTrap, *at, tables));
            let mut tables = own.clone();
            tables.traps[n].0 += 1;
            changed.push((Kind::ShiftedTrap, *at, tables));
        }
        for (n, site) in own.calls.iter().enumerate().filter(|(_, site)| inside(site.returns_to)) {
            let mut tables = own.clone();
            tables.calls[n].frame += 16;
            changed.push((Kind::OtherHandler, site.returns_to, tables));
            let mut tables = own.clone();
            tables.calls[n].returns_to += 1;
            changed.push((Kind::MovedSite, site.returns_to, tables));
            for handler in site.handlers.0..site.handlers.1 {
                let mut tables = own.clone();
                tables.handlers[handler as usize].pad += 1;
                changed.push((Kind::OtherHandler, site.returns_to, tables));
                let mut tables = own.clone();
                if let Some(context) = &mut tables.handlers[handler as usize].context {
                    *context += 8;
                    changed.push((Kind::OtherHandler, site.returns_to, tables));
                    let mut tables = own.clone();
                    tables.handlers[handler as usize].context = None;
                    changed.push((Kind::OtherHandler, site.returns_to, tables));
                    let mut tables = own.clone();
                    tables.handlers[handler as usize].tag = Some(self.subject.facts.tags.len() as u32);
                    changed.push((Kind::OtherHandler, site.returns_to, tables));
                }
            }
        }
        for (n, map) in own.maps.iter().enumerate().filter(|(_, map)| inside(map.returns_to)) {
            let mut tables = own.clone();
            // A frame larger than that of the call; a smaller one only moves what is named.
            tables.maps[n].frame += 1 << 20;
            changed.push((Kind::OtherMap, map.returns_to, tables));
            let mut tables = own.clone();
            tables.maps[n].returns_to += 1;
            changed.push((Kind::MovedSite, map.returns_to, tables));
            // All that the frame has.
            let mut tables = own.clone();
            let from = tables.map_bits.len() as u32;
            tables.map_bits.extend(vec![u32::MAX; (map.frame / 4).div_ceil(32) as usize]);
            tables.maps[n].bits = (from, tables.map_bits.len() as u32);
            changed.push((Kind::OtherMap, map.returns_to, tables));
        }
        for (kind, at, tables) in changed {
            let edit = Edit::Tables(Box::new(tables));
            self.mutants.push(Mutant { kind, function: self.function, at, edit });
        }
    }
}

fn is_immediate(kind: OpKind) -> bool {
    matches!(
        kind,
        OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32
            | OpKind::Immediate32to64
            | OpKind::Immediate8
    )
}
