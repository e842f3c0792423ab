//! Routines that switch stacks. There are a few in a module, short and without calls that come back, so each is
//! executed along every path on values that are sums of what it found: in its registers, its caller's operands, and
//! what the host keeps of stacks. Whenever such a path leaves the routine, for another stack, for its caller or for a
//! trap, all that it has written must be what the operation is to write there and nothing else (`contracts`). What the
//! operations are is this crate's own description of them; that the host's records are in order before each is what is
//! given, and that they are after it is what is proved.
//!
//! A loop is executed once for all of its iterations: registers that only count are what they were plus as often as the
//! loop has come back, a link of the chain of stacks is some link, and of all others nothing is known. What is assumed
//! at the head of a loop is proved where control comes back to it.

mod contracts;
mod memory;
mod terms;

use crate::facts::{Builtin, Range, Stacks};
use crate::forms;
use crate::proof::{Call, Cause, Fault};
use crate::prover::{Entry, Prover};
use crate::state::{R15, RBP, RDI, RSI, RSP};
use crate::walk::Proved;
use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use memory::Transfer;
use std::collections::BTreeMap;
use terms::{Atom, Term};

/// What a routine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Gives a continuation some of its arguments.
    Bind,
    /// Resumes one with the rest of them.
    Resume,
    /// Resumes one with an exception.
    ResumeThrow,
    /// Suspends the running continuation.
    Suspend,
    /// Suspends it and resumes another in its place.
    Switch,
}

/// A routine that was proved.
#[derive(Clone, Debug)]
pub(crate) struct Switching {
    pub(crate) operation: Operation,
    /// Are all 16 bytes of each value passed? Else 8.
    pub(crate) wide: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) calls: Vec<Call>,
    pub(crate) instructions: u64,
    pub(crate) steps: u64,
}

/// How two values compare, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Unequal,
    Less,
    NotLess,
}

/// What a vector register holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Vector {
    Nothing,
    /// A pointer, and zero in the upper half.
    Pointer(Term),
    /// A pointer and a number.
    Pair(Term, Term),
    /// So many bytes of the caller's operands, from an offset to the stack pointer at the entry on.
    Operand(Term, u8),
}

/// A loop that is being executed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Loop {
    head: u32,
    end: u32,
    /// The atom for how often it has come back.
    iteration: Atom,
    /// What registers held at its head.
    regs: [Term; 16],
    /// How much is added to each in an iteration; `None` if something else happens to it.
    steps: [Option<i64>; 16],
    /// The registers that hold the kind and the pointer of a link.
    link: Option<(usize, usize)>,
    /// What was assumed to have no upper half.
    short: Vec<Term>,
    /// What is counted down, and from where: at least one iteration is left.
    count: Option<(usize, Term)>,
    /// How many transfers there were before it.
    transfers: usize,
}

/// What is known at a place of a path.
#[derive(Clone)]
struct Path {
    at: u32,
    regs: [Term; 16],
    vector: Vector,
    /// Words of the frame and what was written over the operands, by the offset to the stack pointer at the entry.
    frame: BTreeMap<i64, Term>,
    /// What was compared last, and how many bytes of it.
    flags: Option<(Term, Term, u8)>,
    /// What was written to the host's records since the routine was entered, or its stack entered again.
    host: BTreeMap<memory::Spot, Term>,
    /// What was written to other stacks.
    transfers: Vec<Transfer>,
    facts: Vec<(Term, Relation, Term, u8)>,
    short: Vec<Term>,
    epoch: u8,
    loops: Vec<Loop>,
    /// The links of loops over the chain of stacks that begin with the running one.
    links: Vec<u32>,
}

/// The proof of a routine.
struct Executor<'p> {
    p: &'p Prover<'p>,
    stacks: &'p Stacks,
    range: Range,
    code: BTreeMap<u32, Instruction>,
    /// By the head of a loop: where its last instruction is.
    loops: BTreeMap<u32, u32>,
    /// What an iteration of a loop passes, by the atom for how often it has come back.
    bodies: BTreeMap<Atom, Vec<Transfer>>,
    fresh: u32,
    operation: Option<Operation>,
    wide: Option<bool>,
    faults: Vec<Fault>,
    calls: Vec<Call>,
    steps: u64,
}

/// Instructions of a routine, and what all its paths execute, at most.
const MOST: usize = 1000;
const MOST_STEPS: u64 = 20_000;

/// Bytes of the frame at most: nobody compares the stack pointer with its limit.
const MOST_FRAME: i64 = 256;

/// Proves the routine at an offset.
pub(crate) fn prove(p: &Prover<'_>, range: Range, entry: u32) -> Proved<Switching> {
    let Some(stacks) = &p.facts.stacks else { return Err("jump to what is no entry") };
    let mut executor = Executor {
        p,
        stacks,
        range,
        code: BTreeMap::new(),
        loops: BTreeMap::new(),
        bodies: BTreeMap::new(),
        fresh: 0,
        operation: None,
        wide: None,
        faults: Vec::new(),
        calls: Vec::new(),
        steps: 0,
    };
    executor.discover(entry)?;
    let mut regs: [Term; 16] = std::array::from_fn(|reg| Term::atom(Atom::Entry(reg as u8)));
    regs[RSP] = Term::stack(0);
    let mut paths = vec![Path {
        at: entry,
        regs,
        vector: Vector::Nothing,
        frame: BTreeMap::from([(0, Term::atom(Atom::Return))]),
        flags: None,
        host: BTreeMap::new(),
        transfers: Vec::new(),
        facts: Vec::new(),
        short: Vec::new(),
        epoch: 0,
        loops: Vec::new(),
        links: Vec::new(),
    }];
    while let Some(path) = paths.pop() {
        executor.follow(path, &mut paths)?;
    }
    let Some(operation) = executor.operation else { return Err("routine that does nothing") };
    executor.faults.sort_unstable_by_key(|fault| fault.at);
    executor.faults.dedup();
    executor.calls.sort_unstable_by_key(|call| call.returns_to);
    executor.calls.dedup();
    Ok(Switching {
        operation,
        wide: executor.wide.unwrap_or(true),
        faults: executor.faults,
        calls: executor.calls,
        instructions: executor.code.len() as u64,
        steps: executor.steps,
    })
}

/// The integer register of an operand and how many bytes of it are meant.
fn register(instruction: &Instruction, n: u32) -> Option<(usize, u8)> {
    (instruction.op_kind(n) == OpKind::Register)
        .then(|| forms::int(instruction.op_register(n)))
        .flatten()
        .map(|(reg, bytes)| (reg, bytes as u8))
}

impl Executor<'_> {
    /// Finds all instructions, and the loops among them.
    fn discover(&mut self, entry: u32) -> Proved<()> {
        let mut decoder = Decoder::with_ip(64, self.p.text, 0, DecoderOptions::NONE);
        let mut leaders = vec![entry];
        let mut back = Vec::new();
        while let Some(mut at) = leaders.pop() {
            while !self.code.contains_key(&at) {
                if at < self.range.start || at >= self.range.end || self.code.len() == MOST {
                    return Err("routine that does not end");
                }
                decoder.set_position(at as usize).map_err(|_| "jump out of the text")?;
                decoder.set_ip(at.into());
                let instruction = decoder.decode();
                let next = at + instruction.len() as u32;
                let first = self.p.text.get(at as usize).copied().unwrap_or(0xf3);
                let jumps = instruction.is_jcc_short_or_near()
                    || matches!(instruction.mnemonic(), Mnemonic::Jmp | Mnemonic::Call);
                if instruction.is_invalid()
                    || next > self.range.end
                    || forms::has_strange_prefix(&instruction)
                    || forms::has_strange_encoding(&instruction, forms::class(instruction.mnemonic()))
                    || instruction.has_lock_prefix()
                    || !self.p.facts.settings.processor.has(forms::needs(&instruction))
                    || jumps && forms::is_prefix(first)
                {
                    return Err("no instruction of a routine that switches stacks");
                }
                if instruction.is_jcc_short_or_near() || instruction.is_jmp_short_or_near() {
                    let target = u32::try_from(instruction.near_branch_target()).map_err(|_| "jump out of the text")?;
                    leaders.push(target);
                    if target <= at {
                        back.push((target, at));
                    }
                } else if instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand() {
                    leaders.push(u32::try_from(instruction.ip_rel_memory_address()).map_err(|_| "address")?);
                }
                // What is called does not come back.
                let ends = matches!(instruction.mnemonic(), Mnemonic::Jmp | Mnemonic::Ud2 | Mnemonic::Call);
                self.code.insert(at, instruction);
                if ends {
                    break;
                }
                at = next;
            }
        }
        let mut end = 0;
        for (at, instruction) in &self.code {
            if *at < end {
                return Err("instructions that overlap, or data among them");
            }
            end = at + instruction.len() as u32;
        }
        for (head, at) in back {
            let end = self.loops.entry(head).or_insert(at);
            *end = (*end).max(at);
        }
        Ok(())
    }

    fn fresh(&mut self) -> u32 {
        self.fresh += 1;
        self.fresh
    }

    fn unknown(&mut self) -> Term {
        Term::atom(Atom::Unknown(self.fresh()))
    }

    /// Follows a path to its end; where it forks the other way waits.
    fn follow(&mut self, mut path: Path, paths: &mut Vec<Path>) -> Proved<()> {
        loop {
            while path.loops.last().is_some_and(|of| path.at < of.head || path.at > of.end) {
                self.leave_loop(&mut path)?;
            }
            if let Some(end) = self.loops.get(&path.at).copied() {
                if path.loops.iter().any(|of| of.head == path.at) {
                    return self.close_loop(&mut path);
                }
                self.enter_loop(&mut path, end)?;
            }
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err("code that is too intricate to be proved");
            }
            let Some(instruction) = self.code.get(&path.at).copied() else { return Err("jump to no instruction") };
            let next = path.at + instruction.len() as u32;
            if instruction.is_jcc_short_or_near() {
                let target = instruction.near_branch_target() as u32;
                let mut taken = path.clone();
                let relation = Self::relation(instruction.mnemonic())?;
                if Self::learn(&mut taken, relation) {
                    taken.at = target;
                    paths.push(taken);
                }
                let inverse = match relation {
                    Relation::Equal => Relation::Unequal,
                    Relation::Unequal => Relation::Equal,
                    Relation::Less => Relation::NotLess,
                    Relation::NotLess => Relation::Less,
                };
                if !Self::learn(&mut path, inverse) {
                    return Ok(());
                }
                path.at = next;
                continue;
            }
            let direct = instruction.is_jmp_short_or_near();
            let leaves = matches!(instruction.mnemonic(), Mnemonic::Jmp | Mnemonic::Call | Mnemonic::Ud2) && !direct;
            if leaves {
                Self::is_passed_on(&path)?;
                if !path.loops.is_empty() {
                    return Err("way out of a loop that is none");
                }
            }
            match instruction.mnemonic() {
                Mnemonic::Jmp if direct => {
                    path.at = instruction.near_branch_target() as u32;
                    continue;
                }
                Mnemonic::Jmp => {
                    let Some((reg, 8)) = register(&instruction, 0) else { return Err("jump to something else") };
                    let target = path.regs[reg].clone();
                    if target.single() == Some(&Atom::Return) {
                        return self.go_back(&path);
                    }
                    path.at = self.switch(&mut path, &target)?;
                    continue;
                }
                Mnemonic::Call => return self.call(&path, &instruction, next),
                Mnemonic::Ud2 => {
                    if !self.p.facts.settings.hardware_traps {
                        return Err("this may fault where no fault is a trap");
                    }
                    // The host goes through the frames from there.
                    if !Self::has_frame(&path) && path.regs[RBP].single() != Some(&Atom::Entry(RBP as u8)) {
                        return Err("this may fault where the frame pointer does not lead to the caller's");
                    }
                    self.faults.push(Fault { at: path.at, cause: Cause::Always });
                    return self.trap(&path);
                }
                _ => self.execute(&mut path, &instruction)?,
            }
            path.at = next;
        }
    }

    fn relation(mnemonic: Mnemonic) -> Proved<Relation> {
        match mnemonic {
            Mnemonic::Je => Ok(Relation::Equal),
            Mnemonic::Jne => Ok(Relation::Unequal),
            Mnemonic::Jb => Ok(Relation::Less),
            Mnemonic::Jae => Ok(Relation::NotLess),
            _ => Err("condition of another kind"),
        }
    }

    /// Learns that what was compared compares so. False if it cannot.
    fn learn(path: &mut Path, relation: Relation) -> bool {
        let Some((left, right, bytes)) = path.flags.clone() else { return true };
        if let (Some(a), Some(b)) = (left.as_constant(), right.as_constant()) {
            let (a, b) = (a.cast_unsigned(), b.cast_unsigned());
            return match relation {
                Relation::Equal => a == b,
                Relation::Unequal => a != b,
                Relation::Less => a < b,
                Relation::NotLess => a >= b,
            };
        }
        path.facts.push((left, relation, right, bytes));
        true
    }

    // ---- loops

    /// The registers that a part of the code writes, each with what it adds, if that is all that it does to it.
    fn written(&self, head: u32, end: u32) -> Proved<[Option<Option<i64>>; 16]> {
        let mut written = [None; 16];
        for instruction in self.code.range(head..=end).map(|(_, instruction)| instruction) {
            let writes = match instruction.mnemonic() {
                Mnemonic::Mov | Mnemonic::Lea | Mnemonic::Xor | Mnemonic::Shl | Mnemonic::Shr | Mnemonic::Or => {
                    register(instruction, 0).map(|(reg, _)| (reg, None))
                }
                Mnemonic::Add | Mnemonic::Sub => register(instruction, 0).map(|(reg, bytes)| {
                    let by = forms::immediate(instruction, 1).filter(|_| bytes == 8);
                    let sub = instruction.mnemonic() == Mnemonic::Sub;
                    (reg, by.map(|by| if sub { by.wrapping_neg() } else { by }))
                }),
                Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Jmp | Mnemonic::Ud2 => None,
                _ if instruction.is_jcc_short_or_near() || Self::is_vector(instruction) => None,
                _ => return Err("instruction in a loop that is not on the list"),
            };
            if let Some((reg, by)) = writes {
                written[reg] = Some(if written[reg].is_none() { by } else { None });
            }
        }
        if written[RSP].is_some() || written[RBP].is_some() {
            return Err("stack pointer that is moved in a loop");
        }
        Ok(written)
    }

    fn is_vector(instruction: &Instruction) -> bool {
        (0..instruction.op_count())
            .any(|n| instruction.op_kind(n) == OpKind::Register && forms::vector(instruction.op_register(n)).is_some())
    }

    /// Control comes to the head of a loop from before it: what is known from there on is of any iteration.
    fn enter_loop(&mut self, path: &mut Path, end: u32) -> Proved<()> {
        Self::is_passed_on(path)?;
        let written = self.written(path.at, end)?;
        let iteration = Atom::Iteration(self.fresh());
        let mut of = Loop {
            head: path.at,
            end,
            iteration: iteration.clone(),
            regs: path.regs.clone(),
            steps: [Some(0); 16],
            link: None,
            short: Vec::new(),
            count: None,
            transfers: path.transfers.len(),
        };
        let others: Vec<usize> = (0..16).filter(|reg| written[*reg] == Some(None)).collect();
        for &kind in &others {
            let found = others.iter().find(|pointer| self.is_link(path, &path.regs[kind], &path.regs[**pointer]));
            if let Some(&pointer) = found {
                of.link = Some((kind, pointer));
            }
        }
        for reg in 0..16 {
            let Some(step) = written[reg] else { continue };
            of.steps[reg] = step;
            let start = path.regs[reg].clone();
            path.regs[reg] = match step {
                Some(step) => start.plus(&Term::atom(iteration.clone()).times(step)),
                None => self.unknown(),
            };
            if step == Some(1) && Self::is_short(path, &start) {
                of.short.push(path.regs[reg].clone());
            }
            let zero = Term::constant(0);
            let begins = path.facts.iter().any(|fact| *fact == (start.clone(), Relation::Unequal, zero.clone(), 4));
            if step == Some(-1) && start.is_short() && begins {
                of.count = Some((reg, start));
            }
        }
        if let Some((kind, pointer)) = of.link {
            let link = self.fresh();
            if of.regs[pointer] == Self::stored(self.chain() + 8, 0) {
                path.links.push(link);
            }
            path.regs[kind] = Term::atom(Atom::LinkKind(link));
            path.regs[pointer] = Term::atom(Atom::LinkPointer(link));
        }
        of.regs = path.regs.clone();
        path.short.extend(of.short.iter().cloned());
        path.vector = Vector::Nothing;
        path.flags = None;
        path.loops.push(of);
        Ok(())
    }

    /// Control comes back to the head of a loop: what was assumed there holds again.
    fn close_loop(&mut self, path: &mut Path) -> Proved<()> {
        while path.loops.last().is_some_and(|of| of.head != path.at) {
            self.leave_loop(path)?;
        }
        let Some(of) = path.loops.last().cloned() else { return Err("jump into a loop") };
        for reg in 0..16 {
            let fits = match (of.link, of.steps[reg]) {
                (Some((kind, pointer)), _) if reg == kind || reg == pointer => {
                    self.is_link(path, &path.regs[kind], &path.regs[pointer])
                }
                (_, Some(step)) => path.regs[reg] == of.regs[reg].plus_constant(step),
                (_, None) => true,
            };
            if !fits {
                return Err("loop that does not do the same each time");
            }
        }
        // A number that is less than another of 32 bits is not the greatest of these.
        for short in &of.short {
            let bounded = |fact: &(Term, Relation, Term, u8)| {
                fact.0 == *short && fact.1 == Relation::Less && (fact.3 == 4 || Self::is_short(path, &fact.2))
            };
            if !path.facts.iter().any(bounded) {
                return Err("counter without a bound");
            }
        }
        self.end_iteration(path, &of)?;
        if let Some((reg, _)) = &of.count {
            let left = (path.regs[*reg].low(), Relation::Unequal, Term::constant(0), 4);
            if !path.facts.contains(&left) {
                return Err("loop that goes on when nothing is left");
            }
        }
        Ok(())
    }

    /// Control has left a loop: where something was counted down to 0, it is known how often it has come back.
    fn leave_loop(&mut self, path: &mut Path) -> Proved<()> {
        let Some(of) = path.loops.pop() else { return Ok(()) };
        self.end_iteration(path, &of)?;
        let Some((reg, start)) = &of.count else { return Ok(()) };
        let done = (path.regs[*reg].low(), Relation::Equal, Term::constant(0), 4);
        if !path.facts.contains(&done) || path.regs[*reg] != of.regs[*reg].plus_constant(-1) {
            return Err("loop that is left while something is");
        }
        let last = start.plus_constant(-1);
        for reg in &mut path.regs {
            *reg = reg.replaced(&of.iteration, &last);
        }
        for transfer in &mut path.transfers[of.transfers..] {
            transfer.repeat(&of.iteration, start)?;
        }
        path.vector = Vector::Nothing;
        path.flags = None;
        Ok(())
    }

    /// An iteration ends, which has passed what every other one passes, and that only where they are counted.
    fn end_iteration(&mut self, path: &Path, of: &Loop) -> Proved<()> {
        let passed = path.transfers[of.transfers..].to_vec();
        if !passed.is_empty() && of.count.is_none() {
            return Err("values passed in a loop without a count");
        }
        Self::is_passed_on(path)?;
        let known = self.bodies.entry(of.iteration.clone()).or_insert_with(|| passed.clone());
        if *known == passed { Ok(()) } else { Err("loop that does not do the same each time") }
    }

    /// What was read of the operands was passed on: only what is passed is known to be there.
    fn is_passed_on(path: &Path) -> Proved<()> {
        if matches!(path.vector, Vector::Operand(..)) { Err("read of what is not passed on") } else { Ok(()) }
    }

    /// Is the upper half of a value known to be zero?
    fn is_short(path: &Path, value: &Term) -> bool {
        value.is_short() || path.short.contains(value)
    }

    // ---- instructions

    fn read(&mut self, path: &Path, instruction: &Instruction, n: u32, bytes: u8) -> Proved<Term> {
        match instruction.op_kind(n) {
            OpKind::Register => match register(instruction, n) {
                Some((reg, 8)) => Ok(path.regs[reg].clone()),
                Some((reg, 4)) if Self::is_short(path, &path.regs[reg]) => Ok(path.regs[reg].clone()),
                Some((reg, 4)) => Ok(path.regs[reg].low()),
                _ => Err("register of another width"),
            },
            OpKind::Memory => {
                let address = Self::address(path, instruction)?;
                self.load(path, &address, bytes)
            }
            _ => {
                let value = forms::immediate(instruction, n).ok_or("operand of another kind")?;
                Ok(Term::constant(if bytes == 4 { value & 0xffff_ffff } else { value }))
            }
        }
    }

    fn address(path: &Path, instruction: &Instruction) -> Proved<Term> {
        if instruction.is_ip_rel_memory_operand() {
            return Err("access to the text");
        }
        let mut address = Term::constant(instruction.memory_displacement64().cast_signed());
        let parts =
            [(instruction.memory_base(), 1), (instruction.memory_index(), i64::from(instruction.memory_index_scale()))];
        for (register, scale) in parts {
            match forms::int(register) {
                Some((reg, 8)) => address = address.plus(&path.regs[reg].times(scale)),
                _ if register == Register::None => {}
                _ => return Err("address with a register that is not of 64 bits"),
            }
        }
        Ok(address)
    }

    fn set(path: &mut Path, (reg, bytes): (usize, u8), value: Term) -> Proved<()> {
        path.regs[reg] = match bytes {
            8 => value,
            4 if Self::is_short(path, &value) => value,
            4 => value.low(),
            _ => return Err("register of another width"),
        };
        Ok(())
    }

    fn execute(&mut self, path: &mut Path, instruction: &Instruction) -> Proved<()> {
        if Self::is_vector(instruction) {
            return self.vector(path, instruction);
        }
        let to = register(instruction, 0);
        let width = match (to, instruction.op_count()) {
            (Some((_, bytes)), _) => bytes,
            (None, 1..) if instruction.op_kind(0) == OpKind::Memory => {
                forms::width(instruction.memory_size()).ok_or("access of an unknown width")? as u8
            }
            _ => 8,
        };
        match instruction.mnemonic() {
            Mnemonic::Nop => {}
            Mnemonic::Mov => {
                let value = self.read(path, instruction, 1, width)?;
                match to {
                    Some(to) => Self::set(path, to, value)?,
                    None => {
                        let address = Self::address(path, instruction)?;
                        self.store(path, &address, width, value)?;
                    }
                }
            }
            Mnemonic::Lea => {
                let Some((reg, 8)) = to else { return Err("address of an odd width") };
                path.regs[reg] = if instruction.is_ip_rel_memory_operand() {
                    Term::atom(Atom::Text(instruction.ip_rel_memory_address() as u32))
                } else {
                    Self::address(path, instruction)?
                };
            }
            Mnemonic::Add | Mnemonic::Sub | Mnemonic::Or | Mnemonic::Xor | Mnemonic::Shl | Mnemonic::Shr => {
                let Some(to) = to else { return Err("arithmetic in memory") };
                let left = self.read(path, instruction, 0, width)?;
                let right = self.read(path, instruction, 1, width)?;
                let same = register(instruction, 1) == Some(to);
                let value = match (instruction.mnemonic(), right.as_constant()) {
                    (Mnemonic::Add, _) => left.plus(&right),
                    (Mnemonic::Sub, _) => left.minus(&right),
                    (Mnemonic::Xor, _) if same => Term::constant(0),
                    (Mnemonic::Shl, Some(by @ 0..=31)) if width == 8 => left.times(1 << by),
                    (Mnemonic::Shr, Some(32)) if width == 8 => match left.as_constant() {
                        Some(value) => Term::constant((value.cast_unsigned() >> 32).cast_signed()),
                        None => Term::atom(Atom::High(Box::new(left))),
                    },
                    // Nothing is in the lower half of one, nothing in the upper half of the other.
                    (Mnemonic::Or, _)
                        if width == 8
                            && left.as_constant().is_some_and(|value| value & 0xffff_ffff == 0)
                            && Self::is_short(path, &right) =>
                    {
                        left.plus(&right)
                    }
                    _ => return Err("arithmetic that is not on the list"),
                };
                Self::set(path, to, value)?;
                path.flags = None;
            }
            Mnemonic::Cmp => {
                let left = self.read(path, instruction, 0, width)?;
                let right = self.read(path, instruction, 1, width)?;
                path.flags = Some((left, right, width));
            }
            Mnemonic::Test => {
                let same = to.is_some() && to == register(instruction, 1);
                let left = self.read(path, instruction, 0, width)?;
                path.flags = same.then(|| (left, Term::constant(0), width));
            }
            Mnemonic::Push => {
                let Some((_, 8)) = to else { return Err("push of something else") };
                let value = self.read(path, instruction, 0, 8)?;
                let top = path.regs[RSP].plus_constant(-8);
                path.regs[RSP] = top.clone();
                self.store(path, &top, 8, value)?;
            }
            Mnemonic::Pop => {
                let Some((reg, 8)) = to else { return Err("pop of something else") };
                self.pop(path, reg)?;
            }
            Mnemonic::Leave if instruction.code() == Code::Leaveq => {
                path.regs[RSP] = path.regs[RBP].clone();
                self.pop(path, RBP)?;
            }
            _ => return Err("instruction that is not on the list of routines that switch stacks"),
        }
        if to.is_some_and(|(reg, _)| reg == RSP) || instruction.mnemonic() == Mnemonic::Leave {
            let top = Self::top(path);
            let entered = matches!(path.regs[RSP].single(), Some(Atom::Word { .. }));
            if top.is_none_or(|top| !(-MOST_FRAME..=8).contains(&top)) && !entered {
                return Err("stack pointer that points elsewhere");
            }
        }
        Ok(())
    }

    /// The stack pointer, as an offset to what it was at the entry.
    fn top(path: &Path) -> Option<i64> {
        path.regs[RSP].minus(&Term::stack(0)).as_constant()
    }

    fn pop(&mut self, path: &mut Path, reg: usize) -> Proved<()> {
        let top = path.regs[RSP].clone();
        let value = self.load(path, &top, 8)?;
        path.regs[RSP] = top.plus_constant(8);
        if reg == RSP {
            return Err("stack pointer that points elsewhere");
        }
        path.regs[reg] = value;
        Ok(())
    }

    /// Moves of 8 or 16 bytes: a value that is passed, or a reference that is put together.
    fn vector(&mut self, path: &mut Path, instruction: &Instruction) -> Proved<()> {
        const SCRATCH: usize = 15;
        use Mnemonic::{Movhps, Movq, Movsd, Movups, Vmovhps, Vmovq, Vmovsd, Vmovups};
        let vector = |n: u32| {
            (instruction.op_kind(n) == OpKind::Register).then(|| forms::vector(instruction.op_register(n))).flatten()
        };
        let own = (0..instruction.op_count()).all(|n| vector(n).is_none_or(|reg| reg == SCRATCH));
        let bytes = match instruction.mnemonic() {
            Movups | Vmovups => 16,
            Movsd | Vmovsd | Movq | Vmovq | Movhps | Vmovhps => 8,
            _ => return Err("instruction that is not on the list of routines that switch stacks"),
        };
        let memory = (0..instruction.op_count()).find(|n| instruction.op_kind(*n) == OpKind::Memory);
        if !own || memory.is_some() && forms::width(instruction.memory_size()) != Some(bytes) {
            return Err("vector of another kind");
        }
        if memory != Some(0) {
            Self::is_passed_on(path)?;
        }
        match (instruction.mnemonic(), memory) {
            (Movq | Vmovq, None) => {
                let (Some(_), Some((reg, 8))) = (vector(0), register(instruction, 1)) else {
                    return Err("vector of another kind");
                };
                path.vector = Vector::Pointer(path.regs[reg].clone());
            }
            (Movhps | Vmovhps, Some(1 | 2)) => {
                let Vector::Pointer(pointer) = path.vector.clone() else { return Err("half of a reference") };
                let address = Self::address(path, instruction)?;
                let revision = self.load(path, &address, 8)?;
                path.vector = Vector::Pair(pointer, revision);
            }
            (Movups | Vmovups | Movsd | Vmovsd, Some(1)) => {
                let address = Self::address(path, instruction)?;
                path.vector = Vector::Operand(self.operand(path, &address)?, bytes as u8);
            }
            (Movups | Vmovups | Movsd | Vmovsd, Some(0)) => {
                let address = Self::address(path, instruction)?;
                let value = std::mem::replace(&mut path.vector, Vector::Nothing);
                self.store_vector(path, &address, bytes as u8, value)?;
            }
            _ => return Err("vector of another kind"),
        }
        Ok(())
    }

    // ---- where a path ends

    /// Everything that a caller wants back is there.
    fn go_back(&mut self, path: &Path) -> Proved<()> {
        if path.regs[RSP] != Term::stack(8) {
            return Err("return with a stack pointer that is off");
        }
        for (reg, _) in crate::calls::PRESERVED {
            if path.regs[reg].single() != Some(&Atom::Entry(reg as u8)) {
                return Err("preserved register that is not restored");
            }
        }
        self.returned(path)
    }

    /// Does the frame pointer lead to the caller's by way of the frame?
    fn has_frame(path: &Path) -> bool {
        path.frame.get(&-8).and_then(Term::single) == Some(&Atom::Entry(RBP as u8))
            && path.frame.get(&0).and_then(Term::single) == Some(&Atom::Return)
            && path.regs[RBP] == Term::stack(-8)
    }

    /// A call of the host that does not come back.
    fn call(&mut self, path: &Path, instruction: &Instruction, next: u32) -> Proved<()> {
        let target = u32::try_from(instruction.near_branch_target()).map_err(|_| "call out of the text")?;
        let Some(Entry::Builtin(builtin)) = self.p.entry(target).filter(|_| instruction.is_call_near()) else {
            return Err("call of something else");
        };
        let top = Self::top(path);
        let framed = Self::has_frame(path);
        let Some(top) = top.filter(|top| framed && (top - 8) % 16 == 0 && *top < 0) else {
            return Err("call without a frame");
        };
        if path.regs[RDI].single() != Some(&Atom::Entry(R15 as u8)) {
            return Err("call of a builtin without the instance");
        }
        let named = |at: u32| at == next;
        let tables = self.p.tables;
        if tables.calls.iter().any(|call| named(call.returns_to)) || tables.maps.iter().any(|map| named(map.returns_to))
        {
            return Err("handlers or references in a routine that switches stacks");
        }
        let frame = u32::try_from(-8 - top).unwrap_or(0);
        self.calls.push(Call { returns_to: next, frame: Some(frame), mapped: false });
        match builtin {
            Builtin::Trap => {
                let code = path.regs[RSI].as_constant();
                if code.is_none_or(|code| !(0..i64::from(crate::calls::TRAP_CODES)).contains(&code)) {
                    return Err("builtin with other arguments than it takes");
                }
                self.trap(path)
            }
            Builtin::ThrowRef => self.throws(path),
            Builtin::Raise => self.raises(path),
            _ => Err("call of something else"),
        }
    }
}
