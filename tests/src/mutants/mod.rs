//! Mutants of emitted code, to see how strong the verifier is: code that it has proved, with one thing changed.
//!
//! Each mutant is of a kind that says what was done to it. Of the kinds that are [`demanded`](Kind::demanded) the
//! verifier must reject all. Of the others some are as good as the original, or wrong and harmless; whatever is
//! accepted is executed among canaries, see [`canary`], and must not touch anything outside of the sandbox.

pub mod canary;
mod change;
mod checks;
mod decode;
pub mod modules;

use crate::backend::Setup;
use crate::random::Random;
use decode::Decoded;
use lightbeam_verify::artifact::Artifact;
use lightbeam_verify::facts::{Facts, Range, Tables};
use lightbeam_verify::layout::Description;
use lightbeam_verify::{Failure, Prover, tables};
use std::collections::BTreeMap;
use std::fmt;
use wasmtime::Collector;

/// What a check keeps from happening, by the trap that it ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The stack pointer below the store's limit.
    Stack,
    /// An index that is no index of the table.
    Table,
    /// A callee of another type.
    Signature,
    /// A null function reference.
    Null,
    /// An access beyond a memory.
    Memory,
    /// An index that is no case of a jump table.
    JumpTable,
    /// A range beyond a segment or an array, an index beyond an array.
    Array,
    /// An object of another type.
    Cast,
    /// An access beyond the collector's heap.
    Heap,
    /// A new object where there is no room for it.
    Room,
    /// A division that faults, where faults may not be used.
    Division,
    /// What WebAssembly wants and the sandbox does not need: conversions, alignment, divisors where faults are traps.
    Other,
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A check is gone.
    Dropped(Check),
    /// A check looks at another condition, one under which something passes that did not.
    Weakened(Check),
    /// The constant that something was compared with is greater.
    Raised(Check),
    /// Base and index of a scaled address are exchanged.
    ExchangedRegisters,
    /// The base of an address outside of the frame is another register.
    OtherBase,
    /// The index of an address is another register.
    OtherIndex,
    /// The base of an address in the frame is another register.
    OtherFrameBase,
    /// A displacement leads outside of what the address is of.
    BeyondSpan,
    /// A displacement is a little off.
    OtherDisplacement,
    /// An index is scaled otherwise.
    OtherScale,
    /// A preserved register is not restored.
    DroppedRestore,
    /// The frame is not left.
    DroppedLeave,
    /// A value that becomes an address or an argument keeps what is in its upper half.
    DroppedExtensionUsed,
    /// Another value does.
    DroppedExtension,
    /// Sixty-four bits are computed instead of 32.
    Widened,
    /// A return pops too much or too little.
    OtherReturn,
    /// A jump or call goes to the byte before or after its target.
    OtherTarget,
    /// Something else is written to a pinned register or to the stack pointer.
    WritesPinned,
    /// The base of memory 0 is not read again after it may have moved.
    DroppedReload,
    /// Any other instruction is gone.
    DroppedInstruction,
    /// The result goes to another register.
    OtherDestination,
    /// A bit is flipped.
    FlippedBit,
    /// Anything in an entry, an exit or startup.
    InBorder,
    /// A record of a trap is gone.
    DroppedTrap,
    /// A record of a trap is of the next byte.
    ShiftedTrap,
    /// A handler begins a byte later, finds the instance elsewhere or nowhere, is of a tag that is none, or its call
    /// has another frame.
    OtherHandler,
    /// A stack map is of another frame, or names all slots.
    OtherMap,
    /// What is said of a call is said of where none returns to: nobody ever asks for it.
    MovedSite,
}

impl Kind {
    /// Must all of this kind be rejected?
    #[must_use]
    pub fn demanded(self) -> bool {
        match self {
            Kind::Dropped(check) | Kind::Weakened(check) | Kind::Raised(check) => {
                // Objects are not what the sandbox rests on: the collector's heap is not trusted.
                !matches!(check, Check::Array | Check::Cast | Check::Other)
            }
            Kind::ExchangedRegisters
            | Kind::BeyondSpan
            | Kind::DroppedRestore
            | Kind::DroppedLeave
            | Kind::DroppedExtensionUsed
            | Kind::OtherReturn
            | Kind::OtherHandler
            | Kind::OtherMap
            | Kind::WritesPinned => true,
            _ => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |check: &Check| match check {
            Check::Stack => "stack check",
            Check::Table => "table bound",
            Check::Signature => "signature",
            Check::Null => "null function reference",
            Check::Memory => "memory bound",
            Check::JumpTable => "jump table bound",
            Check::Array => "array or segment bound",
            Check::Cast => "cast",
            Check::Heap => "heap bound",
            Check::Room => "room for an object",
            Check::Division => "operand of a division",
            Check::Other => "other check",
        };
        let name = match self {
            Kind::Dropped(check) => return write!(f, "{}: dropped", of(check)),
            Kind::Weakened(check) => return write!(f, "{}: weaker condition", of(check)),
            Kind::Raised(check) => return write!(f, "{}: greater constant", of(check)),
            Kind::ExchangedRegisters => "address: base and index exchanged",
            Kind::OtherBase => "address: other base",
            Kind::OtherIndex => "address: other index",
            Kind::OtherFrameBase => "address: other base, in the frame",
            Kind::BeyondSpan => "address: displacement beyond the span",
            Kind::OtherDisplacement => "address: other displacement",
            Kind::OtherScale => "address: other scale",
            Kind::DroppedRestore => "restore of a preserved register dropped",
            Kind::DroppedLeave => "`leave` dropped",
            Kind::DroppedExtensionUsed => "zero extension of an address or argument dropped",
            Kind::DroppedExtension => "other zero extension dropped",
            Kind::Widened => "64 bits instead of 32",
            Kind::OtherReturn => "return that pops otherwise",
            Kind::OtherTarget => "jump or call, a byte off",
            Kind::WritesPinned => "write to r14, r15 or rsp",
            Kind::DroppedReload => "reload of r14 dropped",
            Kind::DroppedInstruction => "any other instruction dropped",
            Kind::OtherDestination => "other destination",
            Kind::FlippedBit => "random bit",
            Kind::InBorder => "anything in an entry, an exit or startup",
            Kind::DroppedTrap => "trap record dropped",
            Kind::ShiftedTrap => "trap record shifted",
            Kind::OtherHandler => "handler, pad or frame of an exception changed",
            Kind::OtherMap => "stack map changed",
            Kind::MovedSite => "handlers or stack map of no call",
        };
        f.write_str(name)
    }
}

/// A change of code or of its tables.
#[derive(Clone, Debug)]
pub enum Edit {
    /// These bytes from an offset in the text on.
    Text(u32, Vec<u8>),
    /// Another set of tables.
    Tables(Box<Tables>),
}

/// One change.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What was done.
    pub kind: Kind,
    /// In which of the defined functions; `None` if it is in other code.
    pub function: Option<u32>,
    /// At which offset in the text.
    pub at: u32,
    /// The change.
    pub edit: Edit,
}

/// An artifact, taken apart.
#[derive(Debug)]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// The file.
    pub artifact: Vec<u8>,
    text: Vec<u8>,
    text_at: usize,
    facts: Facts,
    tables: Tables,
    whole: Result<(), Failure>,
    proved: Vec<bool>,
}

impl Subject {
    /// Compiles a module, and takes what came of it apart.
    ///
    /// # Errors
    ///
    /// If it is not to be compiled. `spectre` says whether accesses behind checks are guarded: with that, most checks
    /// of bounds could be left out, and the guard would lead to the first element.
    pub fn new(name: String, compiler: &lightbeam::Compiler, spectre: bool, wasm: &[u8]) -> Result<Subject, String> {
        let artifact = compiler.clone().verify(false).spectre(spectre).precompile(wasm);
        let artifact = artifact.map_err(|error| format!("{name}: {error:?}"))?;
        let parsed = Artifact::parse(&artifact).expect("an artifact just made");
        let description = Description::parse(&parsed).expect("an artifact just made");
        let facts = description.facts(spectre).expect("an artifact just made");
        let tables = description.tables(&parsed).expect("an artifact just made");
        let text_at = parsed.text.as_ptr().addr() - artifact.as_ptr().addr();
        let text = parsed.text.to_vec();
        let mut subject = Subject { name, text, text_at, facts, tables, artifact, whole: Ok(()), proved: Vec::new() };
        subject.whole = subject.prove(&subject.text, &subject.tables);
        // What a routine is given is judged where the routine is.
        let proved = (0..subject.functions()).map(|function| {
            subject.prove_alone(&subject.text, function).is_ok()
                && (subject.whole.is_ok() || !subject.calls_routines(function))
        });
        subject.proved = proved.collect();
        Ok(subject)
    }

    /// How many functions there are.
    #[must_use]
    pub fn functions(&self) -> u32 {
        self.tables.functions.len() as u32
    }

    /// Those of the functions that are proved.
    pub fn proved(&self) -> impl Iterator<Item = u32> + use<'_> {
        (0..self.functions()).filter(|function| self.proved[*function as usize])
    }

    /// Why the artifact as a whole is not proved, if it is not.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.whole.as_ref().err().map(|failure| format!("{}: {failure}", self.name))
    }

    fn prove(&self, text: &[u8], own: &Tables) -> Result<(), Failure> {
        lightbeam_verify::verify(&self.facts, text, own).and_then(|proof| tables::check(own, &proof))
    }

    fn prove_alone(&self, text: &[u8], function: u32) -> Result<(), Failure> {
        let prover = Prover::new(&self.facts, text, &self.tables)?;
        prover.functions(function..function + 1).map(drop)
    }

    /// Is everything proved that is proved of a subject which was made of the same module?
    ///
    /// # Errors
    ///
    /// What is not.
    pub fn keeps_proofs_of(&self, other: &Subject) -> Result<(), String> {
        for function in other.proved().filter(|function| *function < self.functions()) {
            self.prove_alone(&self.text, function).map_err(|failure| failure.to_string())?;
        }
        match (&other.whole, &self.whole) {
            (Ok(()), Err(failure)) => Err(failure.to_string()),
            _ => Ok(()),
        }
    }

    /// All mutants of a function.
    #[must_use]
    pub fn mutants(&self, function: u32, random: &mut Random) -> Vec<Mutant> {
        let code = self.decoded(function);
        let mut mutants = change::Changes::new(self, &code, Some(function), random).all();
        // What changes nothing is none.
        mutants.retain(|mutant| match &mutant.edit {
            Edit::Text(at, bytes) => self.text[*at as usize..*at as usize + bytes.len()] != bytes[..],
            // Of tables only a proof of all tells.
            Edit::Tables(_) => self.whole.is_ok(),
        });
        // Nor of what is called, nor of what may fault.
        mutants.retain(|mutant| self.whole.is_ok() || !self.is_call(mutant.at) && mutant.kind != Kind::WritesPinned);
        mutants
    }

    /// All mutants of entries, exits and startup.
    #[must_use]
    pub fn mutants_of_borders(&self, random: &mut Random) -> Vec<Mutant> {
        let mut mutants = Vec::new();
        if self.whole.is_err() {
            return mutants;
        }
        for (_, range) in &self.tables.borders {
            let code = Decoded::new(&self.text, *range, range.start);
            mutants.extend(change::Changes::new(self, &code, None, random).beside(Kind::InBorder));
        }
        mutants.retain(|mutant| match &mutant.edit {
            Edit::Text(at, bytes) => self.text[*at as usize..*at as usize + bytes.len()] != bytes[..],
            Edit::Tables(_) => false,
        });
        mutants
    }

    /// All mutants of the code that functions call and that is none.
    #[must_use]
    pub fn mutants_of_routines(&self, random: &mut Random) -> Vec<Mutant> {
        let mut mutants = Vec::new();
        if self.whole.is_err() {
            return mutants;
        }
        for code in self.routines() {
            mutants.extend(change::Changes::new(self, &code, None, random).all());
        }
        mutants.retain(|mutant| match &mutant.edit {
            Edit::Text(at, bytes) => self.text[*at as usize..*at as usize + bytes.len()] != bytes[..],
            Edit::Tables(_) => false,
        });
        mutants
    }

    /// Mutants of a function in which one register of an address is another one: all that there are.
    #[must_use]
    pub fn register_mutants(&self, function: u32, random: &mut Random) -> Vec<Mutant> {
        change::Changes::new(self, &self.decoded(function), Some(function), random).registers()
    }

    /// Mutants of routines in which one register of an address is another one.
    #[must_use]
    pub fn register_mutants_of_routines(&self, random: &mut Random) -> Vec<Mutant> {
        let routines = if self.whole.is_ok() { self.routines() } else { Vec::new() };
        routines.iter().flat_map(|code| change::Changes::new(self, code, None, random).registers()).collect()
    }

    /// So many instructions ahead of a mutant, in the order of addresses.
    #[must_use]
    pub fn ahead(&self, mutant: &Mutant, count: usize) -> Vec<String> {
        let routines = || self.routines().into_iter().find(|code| code.at(mutant.at).is_some());
        let code = mutant.function.map(|function| self.decoded(function)).or_else(routines);
        let Some(code) = code else { return Vec::new() };
        let at = code.at(mutant.at).unwrap_or(0);
        code.instructions[at.saturating_sub(count)..at].iter().map(ToString::to_string).collect()
    }

    /// The routines, found by the calls of them.
    fn routines(&self) -> Vec<Decoded> {
        let covered = self.covered();
        let callees = |code: &Decoded| -> Vec<u32> {
            let calls = code.instructions.iter().filter(|instruction| instruction.is_call_near());
            calls.map(|call| call.near_branch_target() as u32).collect()
        };
        let mut open: Vec<u32> = (0..self.functions()).flat_map(|function| callees(&self.decoded(function))).collect();
        let mut found = BTreeMap::new();
        while let Some(at) = open.pop() {
            if found.contains_key(&at) || covered.iter().any(|range| range.start <= at && at < range.end) {
                continue;
            }
            let end = covered.iter().map(|range| range.start).filter(|start| *start > at).min();
            let range = Range { start: at, end: end.unwrap_or(self.text.len() as u32) };
            let code = Decoded::new(&self.text, range, at);
            open.extend(callees(&code));
            found.insert(at, code);
        }
        found.into_values().collect()
    }

    /// The parts of the text that are in the function table.
    fn covered(&self) -> Vec<Range> {
        let borders = self.tables.borders.iter().map(|(_, range)| range);
        self.tables.functions.iter().chain(borders).copied().collect()
    }

    fn decoded(&self, function: u32) -> Decoded {
        let range = self.tables.functions[function as usize];
        let index = self.facts.functions.iter().filter(|function| function.imported).count() + function as usize;
        let skip = if self.facts.functions[index].escapes { 5 } else { 0 };
        Decoded::new(&self.text, range, range.start + skip)
    }

    /// Does a function call code that neither a function nor an exit is?
    fn calls_routines(&self, function: u32) -> bool {
        let covered = self.covered();
        self.decoded(function).instructions.iter().any(|instruction| {
            let target = instruction.near_branch_target() as u32;
            instruction.is_call_near() && !covered.iter().any(|range| range.start <= target && target < range.end)
        })
    }

    fn is_call(&self, at: u32) -> bool {
        let code = &self.text[at as usize..];
        iced_x86::Decoder::with_ip(64, code, at.into(), 0).decode().flow_control() == iced_x86::FlowControl::Call
    }

    /// Does the verifier accept a mutant?
    #[must_use]
    pub fn accepts(&self, mutant: &Mutant) -> bool {
        match &mutant.edit {
            Edit::Text(at, bytes) => {
                let mut text = self.text.clone();
                text[*at as usize..*at as usize + bytes.len()].copy_from_slice(bytes);
                // The function alone is proved faster, and mostly that is enough.
                mutant.function.is_none_or(|function| self.prove_alone(&text, function).is_ok())
                    && (self.whole.is_err() || self.prove(&text, &self.tables).is_ok())
            }
            Edit::Tables(tables) => self.prove(&self.text, tables).is_ok(),
        }
    }

    /// The instruction that a mutant changes, and what it becomes.
    #[must_use]
    pub fn describe(&self, mutant: &Mutant) -> String {
        let show = |text: &[u8]| {
            let mut decoder = iced_x86::Decoder::with_ip(64, text, mutant.at.into(), 0);
            decoder.decode().to_string()
        };
        let Edit::Text(at, bytes) = &mutant.edit else { return format!("{}: {:#x}", mutant.kind, mutant.at) };
        let mut text = self.text.clone();
        text[*at as usize..*at as usize + bytes.len()].copy_from_slice(bytes);
        let (old, new) = (show(&self.text[mutant.at as usize..]), show(&text[mutant.at as usize..]));
        let place = mutant.function.map_or("other code".to_string(), |function| format!("function {function}"));
        format!("{}, {place}, {:#x}: `{old}` to `{new}`", mutant.kind, mutant.at)
    }
}

/// How many there are of a kind, and how many of them were rejected.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// Mutants.
    pub made: u64,
    /// Rejected ones.
    pub rejected: u64,
    /// Some that were not.
    pub examples: Vec<String>,
}

/// By kind, how strong the verifier is.
#[derive(Clone, Debug, Default)]
pub struct Tally(pub BTreeMap<Kind, Count>);

impl Tally {
    /// Judges mutants of a subject; gives those that are accepted.
    pub fn judge(&mut self, subject: &Subject, mutants: Vec<Mutant>) -> Vec<Mutant> {
        let mut accepted = Vec::new();
        for mutant in mutants {
            let count = self.0.entry(mutant.kind).or_default();
            count.made += 1;
            if subject.accepts(&mutant) {
                if count.examples.len() < 12 {
                    count.examples.push(format!("{}: {}", subject.name, subject.describe(&mutant)));
                }
                accepted.push(mutant);
            } else {
                count.rejected += 1;
            }
        }
        accepted
    }

    /// Adds another one.
    pub fn add(&mut self, other: Tally) {
        for (kind, other) in other.0 {
            let count = self.0.entry(kind).or_default();
            count.made += other.made;
            count.rejected += other.rejected;
            count.examples.extend(other.examples);
            count.examples.truncate(12);
        }
    }

    /// What should have been rejected and was not.
    #[must_use]
    pub fn weaknesses(&self) -> Vec<String> {
        let weak = self.0.iter().filter(|(kind, count)| kind.demanded() && count.rejected < count.made);
        weak.flat_map(|(_, count)| count.examples.clone()).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| mutants | rejected | of |\n|---|---|---|")?;
        for (kind, count) in &self.0 {
            let name = kind.to_string();
            let name = if kind.demanded() { format!("**{name}**") } else { name };
            writeln!(f, "| {name} | {} | {} |", count.rejected, count.made)?;
        }
        Ok(())
    }
}

/// The settings under which mutants are made, each with a name.
#[must_use]
pub fn setups() -> Vec<(&'static str, Setup)> {
    let base = Setup::default();
    vec![
        ("default", base),
        ("moving", Setup { reservation: Some(0), guard: Some(0), ..base }),
        ("small", Setup { reservation: Some(1 << 20), guard: Some(1 << 16), may_move: false, ..base }),
        ("no-signals", Setup { signals: false, lazy_tables: false, ..base }),
        ("metered", Setup { fuel: true, epochs: true, ..base }),
        ("counting", Setup { collector: Collector::DeferredReferenceCounting, ..base }),
        ("no-collection", Setup { collector: Collector::Null, ..base }),
        ("no-collection-moving", Setup { collector: Collector::Null, reservation: Some(0), guard: Some(0), ..base }),
    ]
}

/// An engine with such settings, and Lightbeam for it.
pub fn engine(setup: &Setup) -> wasmtime::Result<(wasmtime::Engine, lightbeam::Compiler)> {
    let mut config = setup.config();
    config.wasm_exceptions(true);
    let engine = wasmtime::Engine::new(&config)?;
    let compiler = setup.lightbeam(&engine)?;
    Ok((engine, compiler))
}
