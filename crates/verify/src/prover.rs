//! What is the same for all code of a module, and the order in which it is proved: functions, in any order and on any
//! thread; then the border; then what these call that no entry of the function table covers. What belongs to no module
//! is proved as if it were one more, which has no functions; see `text`.

use crate::abi::{Abi, Shape};
use crate::conts::Functions;
use crate::decode::{Instruction, Reader};
use crate::facts::{
    Border, Builtin, Collector, Facts, Field, InstanceField, Operation, Range, Tables, Trampoline, TypeKind,
};
use crate::forms::Class;
use crate::proof::{Cause, Failure, Fault, Place, Proof, Reason};
use crate::relate::Region;
use crate::state::{RSP, Types};
use crate::switching::{self, Switching};
use crate::value::{OWNER_MEMORY, Tag, Value};
use crate::walk::{Proved, Role, Walk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What a call or jump may reach beside routines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The private entry of a defined function.
    Private(u32),
    /// The exit to a builtin.
    Builtin(Builtin),
    /// The component's own function with this index.
    Trampoline(u32),
    /// The unsafe intrinsic with this number among those that the component has.
    Intrinsic(u32),
}

/// What there is of types, which all modules of a text have in common.
#[derive(Clone)]
struct Kinds {
    types: Arc<Types>,
    /// By number.
    shapes: Arc<Vec<Option<Shape>>>,
}

impl Kinds {
    /// Of the types that all of these have in common.
    fn of(facts: &[Facts]) -> Kinds {
        let types = facts.first().map(|facts| facts.types.as_slice()).unwrap_or_default();
        let shape = |kind: &TypeKind| match kind {
            TypeKind::Function(signature) => Some(Shape::new(signature)),
            TypeKind::Continuation(_) | TypeKind::Object => None,
        };
        let functions = facts.iter().map(Functions::of).find(Functions::any).unwrap_or_default();
        Kinds {
            types: Arc::new(Types {
                supertypes: types.iter().map(|ty| ty.supertype.map_or(0, |ty| ty + 1)).collect(),
                functions,
            }),
            shapes: Arc::new(types.iter().map(|ty| shape(&ty.kind)).collect()),
        }
    }
}

/// What a module has of a text that others have a part of, too.
pub(crate) struct Share {
    /// The number of its first function among those of all modules.
    pub(crate) first: u32,
    /// Which of the borders are its own, or have to be proved with it: their numbers, in ascending order.
    pub(crate) borders: Vec<u32>,
}

/// A text and its tables, as all of its modules have them in common.
#[derive(Clone)]
pub(crate) struct Common<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) tables: &'a Tables,
    kinds: Kinds,
    /// All ranges that the function table covers, in ascending order.
    covered: Arc<Vec<Range>>,
    /// Where the exits to builtins are.
    exits: Arc<Vec<(u32, Entry)>>,
}

impl<'a> Common<'a> {
    /// Of modules with these facts.
    pub(crate) fn new(facts: &'a [Facts], text: &'a [u8], tables: &'a Tables) -> Result<Common<'a>, Failure> {
        let exit = |(border, range): &(Border, Range)| match *border {
            Border::WasmToBuiltin(builtin) => Some((range.start, Entry::Builtin(builtin))),
            _ => None,
        };
        Ok(Common {
            text,
            tables,
            kinds: Kinds::of(facts),
            covered: covered(text, tables)?,
            exits: Arc::new(tables.borders.iter().filter_map(exit).collect()),
        })
    }
}

/// A proof under way.
pub struct Prover<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) text: &'a [u8],
    pub(crate) tables: &'a Tables,
    pub(crate) types: Arc<Types>,
    /// By type number.
    shapes: Arc<Vec<Option<Shape>>>,
    share: Share,
    /// What is done before the first call.
    startup: Option<(Border, Range)>,
    /// By number among the component's intrinsics.
    intrinsics: Vec<Shape>,
    /// Function indices of defined functions, by index among these.
    defined: Vec<u32>,
    /// How many memories and tables the module itself defines.
    defined_memories: u32,
    defined_tables: u32,
    /// By offset in the instance in words of 4 bytes: 1 + the number of its field, or 0.
    fields: Vec<u32>,
    /// What may be called, by offset.
    entries: Vec<(u32, Entry)>,
    /// All ranges that the function table covers, in ascending order.
    covered: Arc<Vec<Range>>,
    /// Routines that switch stacks, as far as any is called.
    pub(crate) switching: Mutex<BTreeMap<u32, Proved<Switching>>>,
    /// Does any call have handlers?
    pub(crate) has_handlers: bool,
}

/// What was proved of a part of a text.
#[derive(Default)]
pub struct Part {
    pub(crate) faults: Vec<crate::proof::Fault>,
    pub(crate) calls: Vec<crate::proof::Call>,
    /// Routines that are called, with what is known of their arguments wherever they are.
    pub(crate) routines: BTreeMap<u32, Called>,
    /// Routines of which it is taken for granted that no more than a collector runs while they do.
    pub(crate) collecting: BTreeSet<u32>,
    /// May more run while this does, apart from routines that it calls: may memories and tables grow, or others be let
    /// in?
    pub(crate) lets_in: bool,
    /// Routines that were proved where they are called.
    pub(crate) leaves: Vec<u32>,
    pub(crate) instructions: u64,
    pub(crate) steps: u64,
    pub(crate) visits: u64,
    pub(crate) blocks: u64,
}

/// What is known of a routine's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) args: [Value; 6],
    /// What is on top of the caller's stack: a number of 16 bytes, a reference to a continuation (`Cont`), nothing
    /// (`UNDEF`).
    pub(crate) wide: Value,
}

impl Called {
    /// What may be taken for true instead, as less is known: that zeros are numbers of 32 bits, that all are but one,
    /// which is the null reference, and what was said. Six arguments, so there are no more than eight of these.
    fn readings(self) -> impl Iterator<Item = Called> {
        let is_null = move |n: usize| self.args[n] == Value::NULL;
        let but = move |null: Option<usize>| {
            let reading = |n: usize| if is_null(n) && Some(n) != null { Value::U32 } else { self.args[n] };
            Called { args: std::array::from_fn(reading), ..self }
        };
        let nulls = (0..self.args.len()).filter(move |&n| is_null(n));
        std::iter::once(but(None)).chain(nulls.map(move |n| but(Some(n)))).chain(std::iter::once(self))
    }
}

impl Part {
    fn add(&mut self, mut other: Part, types: &Types) {
        for (target, called) in std::mem::take(&mut other.routines) {
            self.call(target, called, types);
        }
        self.add_proved(other);
    }

    /// Adds what others have proved, whose routines were proved with it.
    pub(crate) fn add_proved(&mut self, other: Part) {
        self.faults.extend(other.faults);
        self.calls.extend(other.calls);
        self.leaves.extend(other.leaves);
        self.instructions += other.instructions;
        self.steps += other.steps;
        self.visits += other.visits;
        self.blocks += other.blocks;
    }

    /// Notes a call of a routine.
    pub(crate) fn call(&mut self, target: u32, called: Called, types: &Types) {
        let known = self.routines.entry(target).or_insert(called);
        for (to, from) in known.args.iter_mut().zip(called.args) {
            *to = types.join(*to, from);
        }
        known.wide = types.join(known.wide, called.wide);
    }
}

/// All ranges that the function table covers, in ascending order.
fn covered(text: &[u8], tables: &Tables) -> Result<Arc<Vec<Range>>, Failure> {
    let functions = (0..).zip(&tables.functions).map(|(number, range)| (Place::Function(number), *range));
    let borders = tables.borders.iter().map(|(border, range)| (Place::Border(*border), *range));
    let mut covered = Vec::with_capacity(tables.functions.len() + tables.borders.len());
    for (place, range) in functions.chain(borders) {
        if range.start >= range.end || range.end as usize > text.len() {
            return Err(Failure { place, offset: range.start, reason: Reason("code outside of the text") });
        }
        covered.push(range);
    }
    covered.sort_unstable_by_key(|range| range.start);
    if let Some(pair) = covered.windows(2).find(|pair| pair[0].end > pair[1].start) {
        let reason = Reason("parts of the text that overlap");
        return Err(Failure { place: Place::Text, offset: pair[1].start, reason });
    }
    Ok(Arc::new(covered))
}

impl<'a> Prover<'a> {
    /// Begins to prove a text of one module.
    ///
    /// # Errors
    /// If the tables contradict themselves or the module.
    pub fn new(facts: &'a Facts, text: &'a [u8], tables: &'a Tables) -> Result<Prover<'a>, Failure> {
        let common = Common::new(std::slice::from_ref(facts), text, tables)?;
        let share = Share { first: 0, borders: (0..tables.borders.len() as u32).collect() };
        let prover = Prover::of_share(facts, &common, share)?;
        if prover.defined.len() != tables.functions.len() {
            let reason = Reason("as many functions as the module does not have");
            return Err(Failure { place: Place::Text, offset: 0, reason });
        }
        Ok(prover)
    }

    /// Begins to prove what a module has of a text.
    pub(crate) fn of_share(facts: &'a Facts, common: &Common<'a>, share: Share) -> Result<Prover<'a>, Failure> {
        let Common { text, tables, kinds: Kinds { types, shapes }, covered, exits } = common.clone();
        let failure = |reason| Failure { place: Place::Text, offset: 0, reason: Reason(reason) };
        let defined: Vec<u32> =
            (0..facts.functions.len() as u32).filter(|index| !facts.functions[*index as usize].imported).collect();
        if tables.functions.len() < share.first as usize + defined.len() {
            return Err(failure("as many functions as the module does not have"));
        }
        for function in &facts.functions {
            if shapes.get(function.ty as usize).is_none_or(Option::is_none) {
                return Err(failure("function whose type is none of functions"));
            }
        }
        let imported = |of: fn(InstanceField) -> bool| facts.instance.iter().filter(|field| of(field.kind)).count();
        let intrinsics = facts.component.iter().flat_map(|component| &component.intrinsics);
        let mut prover = Prover {
            facts,
            text,
            tables,
            types,
            shapes,
            startup: None,
            share,
            intrinsics: intrinsics.map(|intrinsic| Shape::new(&intrinsic.signature)).collect(),
            defined,
            defined_memories: (facts.memories.len() - imported(|kind| matches!(kind, InstanceField::MemoryOwner(_))))
                as u32,
            defined_tables: (facts.tables.len() - imported(|kind| matches!(kind, InstanceField::TableOwner(_)))) as u32,
            fields: Vec::new(),
            entries: Vec::new(),
            covered,
            switching: Mutex::new(BTreeMap::new()),
            has_handlers: !tables.calls.is_empty(),
        };
        prover.note_fields().map_err(failure)?;
        for index in 0..prover.defined.len() as u32 {
            let entry = prover.private_entry(index);
            prover.entries.push((entry, Entry::Private(index)));
        }
        prover.entries.extend(exits.iter());
        for (border, range) in prover.borders() {
            let entry = match border {
                Border::StartupWasm(_) => {
                    prover.startup = Some((border, range));
                    continue;
                }
                Border::Trampoline(index) => Entry::Trampoline(index),
                Border::Intrinsic(number) => Entry::Intrinsic(number),
                _ => continue,
            };
            prover.entries.push((range.start, entry));
        }
        prover.entries.sort_unstable_by_key(|(at, _)| *at);
        Ok(prover)
    }

    /// The numbers of the module's functions among those of all modules.
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        self.share.first..self.share.first + self.defined.len() as u32
    }

    /// The borders that are the module's own, or are to be proved with it.
    fn borders(&self) -> Vec<(Border, Range)> {
        self.share.borders.iter().map(|number| self.tables.borders[*number as usize]).collect()
    }

    fn range_of(&self, index: u32) -> Range {
        self.tables.functions[(self.share.first + index) as usize]
    }

    fn note_fields(&mut self) -> Proved<()> {
        const FAR: u32 = 1 << 28;
        for (number, field) in self.facts.instance.iter().enumerate() {
            let (start, end) = (field.offset, field.offset.saturating_add(field.width.into()));
            if end > FAR || start % 4 != 0 || end % 4 != 0 {
                return Err("field of the instance at an odd place");
            }
            let end = (end / 4) as usize;
            if self.fields.len() < end {
                self.fields.resize(end, 0);
            }
            let words = &mut self.fields[(start / 4) as usize..end];
            if words.iter().any(|word| *word != 0) {
                return Err("fields of the instance that overlap");
            }
            words.fill(number as u32 + 1);
        }
        Ok(())
    }

    /// The field of an instance in which an offset is.
    #[inline]
    pub(crate) fn instance_field(&self, at: u32) -> Option<Field<InstanceField>> {
        match self.fields.get((at / 4) as usize) {
            None | Some(0) => None,
            Some(number) => Some(self.facts.instance[*number as usize - 1]),
        }
    }

    /// What is at an offset, if it may be called.
    pub(crate) fn entry(&self, at: u32) -> Option<Entry> {
        let found = self.entries.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(self.entries[found].1)
    }

    fn escapes(&self, index: u32) -> bool {
        self.facts.functions[self.defined[index as usize] as usize].escapes
    }

    fn private_entry(&self, index: u32) -> u32 {
        let skip = if self.escapes(index) { crate::transfer::PRIVATE_ENTRY as u32 } else { 0 };
        self.range_of(index).start + skip
    }

    pub(crate) fn shape(&self, ty: u32) -> Proved<&Shape> {
        self.shapes.get(ty as usize).and_then(Option::as_ref).ok_or("type that is none of functions")
    }

    /// The shape of a defined function.
    pub(crate) fn shape_of_defined(&self, index: u32) -> &Shape {
        let ty = self.facts.functions[self.defined[index as usize] as usize].ty;
        self.shapes[ty as usize].as_ref().unwrap_or(&NO_SHAPE)
    }

    /// One of the component's own functions.
    pub(crate) fn trampoline(&self, index: u32) -> Proved<&'a Trampoline> {
        let component = self.facts.component.as_ref();
        component.and_then(|component| component.trampolines.get(index as usize)).ok_or("function of no component")
    }

    /// One of the unsafe intrinsics, and its shape.
    pub(crate) fn intrinsic(&self, number: u32) -> Proved<(Operation, &Shape)> {
        let component = self.facts.component.as_ref();
        let intrinsic = component.and_then(|component| component.intrinsics.get(number as usize));
        let shape = self.intrinsics.get(number as usize);
        let both = intrinsic.map(|intrinsic| intrinsic.operation).zip(shape);
        both.ok_or("intrinsic of no component")
    }

    /// How many memories or tables the module itself defines (`OWNER_MEMORY`, `OWNER_TABLE`).
    pub(crate) fn defined_of(&self, kind: u32) -> u32 {
        if kind == OWNER_MEMORY { self.defined_memories } else { self.defined_tables }
    }

    /// May two indices be of one memory? An import may have several, but what a module defines is none of its imports.
    pub(crate) fn may_be_memory(&self, a: u32, b: u32) -> bool {
        let memories = &self.facts.memories;
        let imported = memories.len() as u32 - self.defined_memories;
        let same = |a: &crate::facts::Memory, b: &crate::facts::Memory| {
            a.index64 == b.index64 && a.page_size_log2 == b.page_size_log2
        };
        match (memories.get(a as usize), memories.get(b as usize)) {
            (Some(first), Some(second)) => a == b || a < imported && b < imported && same(first, second),
            _ => true,
        }
    }

    /// Is it another instance's?
    pub(crate) fn is_imported_global(&self, global: u32) -> bool {
        self.facts.instance.iter().any(|field| field.kind == InstanceField::GlobalDefinition(global))
    }

    /// Is the heap of a collector that collects nothing?
    pub(crate) fn never_collects(&self) -> bool {
        self.facts.gc.as_ref().is_some_and(|gc| gc.collector == Collector::None)
    }

    /// May it be elsewhere, or no longer be good, when other code has run?
    pub(crate) fn moves(&self, value: Value) -> bool {
        match value.tag() {
            Tag::Memory => self.facts.memories.get(value.b() as usize).is_none_or(|memory| memory.base_may_move),
            Tag::Heap | Tag::HeapAt => self.facts.gc.as_ref().is_none_or(|gc| gc.heap_may_move),
            Tag::Table | Tag::TableHalf | Tag::Cell | Tag::Into | Tag::Elem | Tag::Answer | Tag::ImportMemory => true,
            _ => false,
        }
    }

    /// The logarithm of the bytes of what is one behind the other in a region.
    pub(crate) fn stride(&self, region: Region) -> u8 {
        match region {
            Region::Elem(_) => 4,
            Region::Table(table) => {
                let table = self.facts.tables.get(table as usize);
                table.map_or(0, |table| crate::abi::bytes(table.element).trailing_zeros() as u8)
            }
            _ => 2,
        }
    }

    /// Is a range of one region one of another?
    pub(crate) fn is_in(&self, of: Region, region: Region) -> bool {
        match (of, region) {
            (Region::Const(length), Region::Memory(memory)) => self
                .facts
                .memories
                .get(memory as usize)
                .is_some_and(|memory| u64::from(length) <= memory.fixed_length.unwrap_or(0).max(memory.minimum)),
            _ => of == region,
        }
    }

    /// The routine at an offset, if it is one that switches stacks, and whether it passes values whole.
    pub(crate) fn switching(&self, target: u32) -> Proved<(switching::Operation, bool)> {
        let mut known = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        let routine = known.entry(target).or_insert_with(|| {
            let range = self.gap(target).ok_or("jump to what is no entry")?;
            switching::prove(self, range, target)
        });
        routine.as_ref().map(|routine| (routine.operation, routine.wide)).map_err(|reason| *reason)
    }

    // ---- the parts of a text

    /// Proves some of the defined functions, by their indices among these.
    ///
    /// # Errors
    /// The first thing that could not be proved.
    pub fn functions(&self, indices: std::ops::Range<u32>) -> Result<Part, Failure> {
        let mut walk = Walk::new(self);
        for index in indices {
            self.function(&mut walk, index)?;
        }
        Ok(walk.finish())
    }

    fn place_of(&self, index: u32) -> Place {
        Place::Function(self.share.first + index)
    }

    fn function(&self, walk: &mut Walk<'_>, index: u32) -> Result<(), Failure> {
        let (range, place) = (self.range_of(index), self.place_of(index));
        if self.escapes(index) {
            self.thunk_of(index).map_err(|reason| Failure { place, offset: range.start, reason: Reason(reason) })?;
        }
        walk.prove(range, self.private_entry(index), Role::Body(index), place)
    }

    /// Where the jump at the `Tail` entry of a function goes.
    fn thunk_of(&self, index: u32) -> Proved<u32> {
        self.thunk_at(self.range_of(index))
    }

    /// Where the jump at the `Tail` entry of a function with this range goes, which may be another module's.
    pub(crate) fn thunk_at(&self, range: Range) -> Proved<u32> {
        let jump = self.text.get(range.start as usize..range.start as usize + 5);
        let Some([0xe9, a, b, c, d]) = jump else { return Err("function that escapes without a jump at its entry") };
        let distance = i64::from(i32::from_le_bytes([*a, *b, *c, *d]));
        let target = i64::from(range.start) + 5 + distance;
        let target = u32::try_from(target).ok().filter(|target| (*target as usize) < self.text.len());
        target.filter(|target| self.gap(*target).is_some()).ok_or("entry that does not lead to a thunk")
    }

    /// The part of the text around an offset that no entry of the function table covers.
    fn gap(&self, at: u32) -> Option<Range> {
        let next = self.covered.partition_point(|range| range.start <= at);
        let start = if next == 0 { 0 } else { self.covered[next - 1].end };
        let end = self.covered.get(next).map_or(self.text.len() as u32, |range| range.start);
        (start <= at && at < end).then_some(Range { start, end })
    }

    /// Proves all that is left, and puts the parts together.
    ///
    /// # Errors
    /// The first thing that could not be proved.
    pub fn finish(&self, parts: Vec<Part>) -> Result<Proof, Failure> {
        Ok(proof(Some(self), self.conclude(parts)?))
    }

    /// Proves all that is left of the module, and leaves what is for all parts of the text together.
    pub(crate) fn conclude(&self, parts: Vec<Part>) -> Result<Part, Failure> {
        let result = self.assemble(parts);
        let Err(failure @ Failure { place: Place::Routine, .. }) = result else { return result };
        // Perhaps what is said of its arguments was forgotten where functions have loops.
        let mut walk = Walk::new(self);
        walk.widens_loops = false;
        for index in 0..self.defined.len() as u32 {
            if self.function(&mut walk, index).is_err() {
                return Err(failure);
            }
        }
        self.assemble(vec![walk.finish()]).map_err(|_| failure)
    }

    fn assemble(&self, parts: Vec<Part>) -> Result<Part, Failure> {
        let mut all = Part::default();
        for part in parts {
            all.add(part, &self.types);
        }
        let mut walk = Walk::new(self);
        for index in 0..self.defined.len() as u32 {
            if !self.escapes(index) {
                continue;
            }
            let place = Place::Thunk(self.share.first + index);
            let fail = |reason| Failure { place, offset: self.range_of(index).start, reason: Reason(reason) };
            let target = self.thunk_of(index).map_err(fail)?;
            let range = self.gap(target).ok_or_else(|| fail("entry that does not lead to a thunk"))?;
            walk.prove(range, target, Role::Thunk(index), place)?;
        }
        let own = self.numbers();
        for (border, range) in self.borders() {
            let role = match border {
                Border::ArrayToWasm(number) if own.contains(&number) => Role::ArrayEntry(number - own.start),
                Border::ArrayToWasm(_) => {
                    let reason = Reason("entry of no function");
                    return Err(Failure { place: Place::Border(border), offset: range.start, reason });
                }
                Border::WasmToArray(ty) | Border::DropExit(ty) => Role::HostExit(ty),
                Border::WasmToBuiltin(builtin) => Role::BuiltinExit(builtin),
                Border::Trampoline(index) => Role::Trampoline(index),
                Border::TrampolineEntry(index) => Role::TrampolineEntry(index),
                Border::Intrinsic(number) => Role::Intrinsic(number),
                Border::IntrinsicEntry(number) => Role::IntrinsicEntry(number),
                Border::StartupWasm(_) => Role::StartupWasm,
                Border::StartupArray(_) => Role::StartupArray,
            };
            walk.prove(range, range.start, role, Place::Border(border))?;
        }
        all.add(walk.finish(), &self.types);
        self.routines(&mut all)?;
        let switching = self.switching.lock().unwrap_or_else(PoisonError::into_inner);
        for routine in switching.values().flatten() {
            all.faults.extend(&routine.faults);
            all.calls.extend(&routine.calls);
            all.instructions += routine.instructions;
            all.steps += routine.steps;
        }
        drop(switching);
        Ok(all)
    }

    /// What is done before the first call, if an offset is in it.
    fn startup(&self, at: u32) -> Option<(Border, Range)> {
        self.startup.filter(|(_, range)| range.start <= at && at < range.end)
    }

    /// Is the routine at an offset part of what is done before the first call?
    pub(crate) fn is_startup(&self, at: u32) -> bool {
        self.startup(at).is_some()
    }

    /// Proves routines from what is known of their arguments wherever they are called, until nothing new is.
    fn routines(&self, all: &mut Part) -> Result<(), Failure> {
        let mut proved: BTreeMap<u32, Called> = BTreeMap::new();
        let mut parts: BTreeMap<u32, Part> = BTreeMap::new();
        let mut walk = Walk::new(self);
        // From where on to look for the next, so that nobody goes over all that are proved for each that is not.
        let mut from = 0;
        loop {
            let mut next = all.routines.range(from..).chain(all.routines.range(..from));
            let next = next.find(|(target, called)| proved.get(target) != Some(called));
            let Some((&target, &called)) = next else { break };
            from = target;
            let startup = self.startup(target);
            let (role, place) = match startup {
                Some((border, _)) => (Role::StartupRoutine, Place::Border(border)),
                None => (Role::Routine, Place::Routine),
            };
            let range = startup.map(|(_, range)| range).or_else(|| self.gap(target));
            let Some(range) = range else {
                return Err(Failure { place, offset: target, reason: Reason("call of what is no entry") });
            };
            let mut prove = |called: &Called| {
                walk.part = Part::default();
                walk.prove_routine(range, target, role, place, called).map(|()| std::mem::take(&mut walk.part))
            };
            // An argument that is 0 wherever the routine is called is a number or null, which nobody says.
            let mut part = None;
            for reading in called.readings() {
                match (prove(&reading), &part) {
                    (Err(failure), None) => part = Some(Err(failure)),
                    // The first failure says most.
                    (Err(_), Some(_)) => {}
                    (proved, _) => {
                        part = Some(proved);
                        break;
                    }
                }
            }
            let part = part.expect("there is a reading")?;
            for (target, called) in &part.routines {
                all.call(*target, *called, &self.types);
            }
            proved.insert(target, called);
            parts.insert(target, part);
        }
        Self::nesting(&parts)?;
        Self::collecting(&parts)?;
        for (_, mut part) in parts {
            part.routines.clear();
            all.add(part, &self.types);
        }
        Ok(())
    }

    /// What startup calls lets nobody in while that has pointers in registers.
    fn collecting(parts: &BTreeMap<u32, Part>) -> Result<(), Failure> {
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        let mut next: Vec<u32> = parts.values().flat_map(|part| part.collecting.iter().copied()).collect();
        while let Some(target) = next.pop() {
            let Some(part) = parts.get(&target).filter(|_| seen.insert(target)) else { continue };
            if part.lets_in {
                let reason = Reason("routine that startup calls and that lets others in");
                return Err(Failure { place: Place::Routine, offset: target, reason });
            }
            next.extend(part.routines.keys());
        }
        Ok(())
    }

    /// Routines do not look at the stack's limit, so they must not call each other without end.
    fn nesting(parts: &BTreeMap<u32, Part>) -> Result<(), Failure> {
        const MOST: u32 = 16;
        let mut depths: BTreeMap<u32, u32> = BTreeMap::new();
        loop {
            let mut changed = false;
            for (target, part) in parts {
                let depth =
                    part.routines.keys().filter_map(|target| depths.get(target)).max().map_or(1, |depth| depth + 1);
                if depth > MOST {
                    let reason = Reason("routines that call each other without end");
                    return Err(Failure { place: Place::Routine, offset: *target, reason });
                }
                changed |= depths.insert(*target, depth) != Some(depth);
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// Is the code at an offset a routine of which it can be seen at once that it moves nothing: a short one, which
    /// calls no code but builtins of that sort?
    pub(crate) fn is_quiet(&self, target: u32) -> bool {
        const MOST: u32 = 512;
        let Some(gap) = self.gap(target) else { return false };
        let mut reader = Reader::new(self.text);
        let mut instruction = Instruction::NONE;
        let mut seen = [0u64; (MOST / 64) as usize];
        let mut begins = vec![target];
        while let Some(begin) = begins.pop() {
            let mut at = begin;
            loop {
                let far = at.wrapping_sub(target);
                if far >= MOST || at >= gap.end {
                    return false;
                }
                if seen[(far / 64) as usize] >> (far % 64) & 1 != 0 {
                    break;
                }
                seen[(far / 64) as usize] |= 1 << (far % 64);
                if reader.read(at, &mut instruction).is_none() {
                    return false;
                }
                let target = instruction.target();
                let to = target.and_then(|to| u32::try_from(to).ok()).unwrap_or(u32::MAX);
                match instruction.class {
                    Class::Refused => return false,
                    Class::Call => match self.entry(to) {
                        Some(Entry::Builtin(Builtin::Raise | Builtin::Trap)) if target.is_some() => break,
                        Some(Entry::Builtin(builtin)) if target.is_some() && builtin.is_quiet() => {}
                        _ => return false,
                    },
                    Class::Jcc => begins.push(to),
                    Class::Jmp if target.is_some() => {
                        begins.push(to);
                        break;
                    }
                    Class::Jmp => return false,
                    Class::Ret | Class::Ud2 => break,
                    _ => {}
                }
                at += u32::from(instruction.len);
            }
        }
        true
    }

    /// The instructions of a routine that only moves between the instance and registers, without its return.
    pub(crate) fn leaf(&self, target: u32) -> Option<Vec<Instruction>> {
        const MOST: usize = 3;
        let gap = self.gap(target)?;
        let mut reader = Reader::new(&self.text[..gap.end as usize]);
        let mut instructions = Vec::new();
        let mut at = target;
        loop {
            let mut instruction = Instruction::NONE;
            reader.read(at, &mut instruction)?;
            at += u32::from(instruction.len);
            match instruction.class {
                Class::Ret if instruction.len == 1 => return Some(instructions),
                // The stack pointer is not the caller's there.
                _ if instruction.uses(RSP) => return None,
                Class::Mov | Class::Xor if instruction.strange.is_none() && instructions.len() < MOST => {
                    instructions.push(instruction);
                }
                _ => return None,
            }
        }
    }
}

/// Puts together what was proved of all parts of a text.
pub(crate) fn proof(any: Option<&Prover<'_>>, mut part: Part) -> Proof {
    // Most are in order.
    part.faults.sort_by_key(|fault| fault.at);
    part.faults.dedup();
    if let Some(prover) = any {
        // Routines share what is between the parts that the function table covers; nobody comes to other traps there.
        let borders = &prover.tables.borders;
        let startups: Vec<Range> = borders
            .iter()
            .filter(|(border, _)| matches!(border, Border::StartupWasm(_)))
            .map(|(_, range)| *range)
            .collect();
        let in_startup = |at: u32| {
            let next = startups.partition_point(|range| range.start <= at);
            next != 0 && at < startups[next - 1].end
        };
        let mut unreached = Vec::new();
        let mut faults = part.faults.iter().map(|fault| fault.at).peekable();
        for &(at, _) in &prover.tables.traps {
            while faults.next_if(|fault| *fault < at).is_some() {}
            if faults.peek() != Some(&at) && (prover.gap(at).is_some() || in_startup(at)) {
                unreached.push(Fault { at, cause: Cause::Unreached });
            }
        }
        part.faults.extend(unreached);
    }
    part.faults.sort_by_key(|fault| fault.at);
    part.calls.sort_by_key(|call| call.returns_to);
    part.calls.dedup();
    Proof {
        faults: part.faults,
        calls: part.calls,
        instructions: part.instructions,
        steps: part.steps,
        visits: part.visits,
        blocks: part.blocks,
    }
}

static NO_SHAPE: Shape = Shape {
    private: Abi::NONE,
    tail: Abi::NONE,
    same: false,
    values: 0,
    signature: crate::facts::Signature { params: Vec::new(), results: Vec::new() },
};
