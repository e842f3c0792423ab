//! What can be seen of a module from outside while a list of calls runs, in terms that are the same for every engine.

use crate::backend::Setup;
use crate::random::mix;
use std::fmt;
use wasmtime::{
    AsContextMut, Caller, Extern, ExternType, Func, FuncType, Global, Instance, Memory, Module, Ref, SharedMemory,
    Store, StoreContextMut, StoreLimits, StoreLimitsBuilder, Table, Trap, UpdateDeadline, Val, ValType,
};

/// A value, floats as bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value {
    /// `i32`
    I32(u32),
    /// `i64`
    I64(u64),
    /// `f32`
    F32(u32),
    /// `f64`
    F64(u64),
    /// `v128`
    V128(u128),
    /// A function reference: is it one, or null?
    Func(bool),
}

/// The type of a [`Value`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as the types")]
pub enum Type {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
}

impl Value {
    /// Its type.
    #[must_use]
    pub fn ty(self) -> Type {
        match self {
            Value::I32(_) => Type::I32,
            Value::I64(_) => Type::I64,
            Value::F32(_) => Type::F32,
            Value::F64(_) => Type::F64,
            Value::V128(_) => Type::V128,
            Value::Func(_) => Type::Func,
        }
    }

    /// The value of a type with these bits; of a vector they are both halves, references are null.
    #[must_use]
    pub fn from_bits(ty: Type, bits: u64) -> Value {
        match ty {
            Type::I32 => Value::I32(bits as u32),
            Type::I64 => Value::I64(bits),
            Type::F32 => Value::F32(bits as u32),
            Type::F64 => Value::F64(bits),
            Type::V128 => Value::V128(u128::from(bits) << 64 | u128::from(bits)),
            Type::Func => Value::Func(false),
        }
    }

    /// As Wasmtime has it; only null references can be made.
    #[must_use]
    pub fn to_val(self) -> Val {
        match self {
            Value::I32(v) => Val::I32(v as i32),
            Value::I64(v) => Val::I64(v as i64),
            Value::F32(v) => Val::F32(v),
            Value::F64(v) => Val::F64(v),
            Value::V128(v) => Val::V128(v.into()),
            Value::Func(_) => Val::FuncRef(None),
        }
    }

    /// From Wasmtime's, if it is of a type that can be compared.
    #[must_use]
    pub fn from_val(val: &Val) -> Option<Value> {
        Some(match val {
            Val::I32(v) => Value::I32(*v as u32),
            Val::I64(v) => Value::I64(*v as u64),
            Val::F32(v) => Value::F32(*v),
            Val::F64(v) => Value::F64(*v),
            Val::V128(v) => Value::V128(v.as_u128()),
            Val::FuncRef(f) => Value::Func(f.is_some()),
            _ => return None,
        })
    }

    /// Do both hold the same, if the payload and sign of a NaN do not count?
    #[must_use]
    pub fn same_but_nan(self, other: Value) -> bool {
        match (self, other) {
            (Value::F32(a), Value::F32(b)) => a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan(),
            (Value::F64(a), Value::F64(b)) => a == b || f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan(),
            (Value::V128(a), Value::V128(b)) => a == b || same_lanes(a, b, 32) || same_lanes(a, b, 64),
            _ => self == other,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(v) => write!(f, "i32 {v:#x}"),
            Value::I64(v) => write!(f, "i64 {v:#x}"),
            Value::F32(v) => write!(f, "f32 {v:#010x} ({})", f32::from_bits(*v)),
            Value::F64(v) => write!(f, "f64 {v:#018x} ({})", f64::from_bits(*v)),
            Value::V128(v) => write!(f, "v128 {v:#034x}"),
            Value::Func(true) => write!(f, "a function"),
            Value::Func(false) => write!(f, "null"),
        }
    }
}

impl Type {
    /// From Wasmtime's, if values of it can be compared.
    #[must_use]
    pub fn from_val_type(ty: &ValType) -> Option<Type> {
        Some(match ty {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::Ref(r) if r.heap_type().is_func() => Type::Func,
            _ => return None,
        })
    }
}

/// An exported function and the argument lists it is called with, one after the other.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Its name.
    pub func: String,
    /// One list of arguments a call.
    pub args: Vec<Vec<Value>>,
}

impl Calls {
    /// Calls of one function.
    pub fn new(func: impl Into<String>, args: Vec<Vec<Value>>) -> Calls {
        Calls { func: func.into(), args }
    }
}

/// How instantiation or a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It returned these.
    Values(Vec<Value>),
    /// Wasm trapped.
    Trap(Trap),
    /// The host function that it called failed.
    HostTrap,
    /// It could not start: the module does not link or its resources were refused.
    Refused,
    /// It ended in a way that may rightly differ between engines; nothing after it counts.
    Poison(String),
}

/// One thing seen.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// The instance was made, or not; with the fuel left after, as for calls.
    Start(Outcome, Option<u64>),
    /// Call number `call` to the export `func`.
    Call {
        /// Index into the list of calls.
        func: usize,
        /// Index into its argument lists.
        call: usize,
        /// How it ended.
        outcome: Outcome,
        /// Fuel left after, where it is counted and the call returned.
        fuel: Option<u64>,
    },
    /// The module called import `import` with these.
    Host {
        /// Index among the functions that the module imports.
        import: usize,
        /// What it got.
        args: Vec<Value>,
    },
    /// The value of an exported global at the end.
    Global(String, Value),
    /// An exported memory at the end.
    Memory(String, Vec<u8>),
    /// Which elements of an exported table are null at the end.
    Table(String, Vec<bool>),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Start(outcome, fuel) => write!(f, "start: {outcome:?}, fuel {fuel:?}"),
            Event::Call { func, call, outcome, fuel } => {
                write!(f, "call {call} of function {func}: {outcome:?}, fuel {fuel:?}")
            }
            Event::Host { import, args } => write!(f, "host import {import} got {args:?}"),
            Event::Global(name, value) => write!(f, "global {name:?}: {value:?}"),
            Event::Memory(name, bytes) => write!(f, "memory {name:?} of {} bytes", bytes.len()),
            Event::Table(name, nulls) => write!(f, "table {name:?} of {} elements", nulls.len()),
        }
    }
}

/// How strictly two observations must agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Rule {
    /// Bit for bit.
    #[default]
    Exact,
    /// Any NaN of a result equals any other; memories are not compared, since NaNs may have been stored there.
    AnyNan,
}

/// Where two engines first differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Index among the events.
    pub at: usize,
    /// In words.
    pub what: String,
}

/// The first difference between what two engines showed; `None` if there is none before one is poisoned.
#[must_use]
pub fn difference(expected: &[Event], actual: &[Event], rule: Rule) -> Option<Difference> {
    for (at, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        if poisoned(expected) || poisoned(actual) {
            return None;
        }
        if let Some(what) = differ(expected, actual, rule) {
            return Some(Difference { at, what });
        }
    }
    let at = expected.len().min(actual.len());
    (expected.len() != actual.len())
        .then(|| Difference { at, what: format!("expected {:?}, got {:?}", expected.get(at), actual.get(at)) })
}

/// Does nothing after this count?
#[must_use]
pub fn poisoned(event: &Event) -> bool {
    matches!(event, Event::Start(Outcome::Poison(_), _) | Event::Call { outcome: Outcome::Poison(_), .. })
}

fn differ(expected: &Event, actual: &Event, rule: Rule) -> Option<String> {
    let same = match (expected, actual) {
        (Event::Memory(_, a), Event::Memory(_, b)) if rule == Rule::AnyNan => a.len() == b.len(),
        (Event::Memory(name, a), Event::Memory(_, b)) if a != b => {
            let at = a.iter().zip(b).position(|(a, b)| a != b);
            let byte = |bytes: &[u8]| at.map_or(format!("{} bytes", bytes.len()), |at| format!("{:#04x}", bytes[at]));
            return Some(format!("memory {name:?} at {at:#x?}: expected {}, got {}", byte(a), byte(b)));
        }
        (Event::Global(_, a), Event::Global(_, b)) if rule == Rule::AnyNan => a.same_but_nan(*b),
        (Event::Host { import: i, args: a }, Event::Host { import: j, args: b }) if rule == Rule::AnyNan => {
            i == j && same_but_nan(a, b)
        }
        (Event::Start(a, x), Event::Start(b, y)) => a == b && (x == y || x.is_none() || y.is_none()),
        (
            Event::Call { func: f, call: c, outcome: Outcome::Values(a), fuel: x },
            Event::Call { func: g, call: d, outcome: Outcome::Values(b), fuel: y },
        ) => {
            // An engine that counts no fuel says nothing about it.
            let fuel = x == y || x.is_none() || y.is_none();
            (f, c) == (g, d) && fuel && if rule == Rule::AnyNan { same_but_nan(a, b) } else { a == b }
        }
        _ => expected == actual,
    };
    (!same).then(|| format!("expected {expected:?}, got {actual:?}"))
}

/// Are the lanes of so many bits the same but for NaNs?
fn same_lanes(a: u128, b: u128, bits: u32) -> bool {
    let lane = |vector: u128, i: u32| (vector >> (i * bits)) as u64 & u64::MAX >> (64 - bits);
    let ty = if bits == 32 { Type::F32 } else { Type::F64 };
    (0..128 / bits).all(|i| Value::from_bits(ty, lane(a, i)).same_but_nan(Value::from_bits(ty, lane(b, i))))
}

fn same_but_nan(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_but_nan(*b))
}

/// What the host answers to the `nth` call of the module's imports: values of interest, or now and then a failure.
#[must_use]
pub fn answer(import: usize, nth: u64, results: &[Type]) -> Option<Vec<Value>> {
    let seed = mix((import as u64) << 32 ^ nth);
    if seed.is_multiple_of(31) {
        return None;
    }
    Some((0..results.len()).map(|i| interesting(results[i], mix(seed ^ i as u64))).collect())
}

/// A value of a type chosen by `seed`, more often than not a boundary.
#[must_use]
pub fn interesting(ty: Type, seed: u64) -> Value {
    let bits = mix(seed);
    let boundary = |list: &[u64]| list[(bits >> 8) as usize % list.len()];
    Value::from_bits(
        ty,
        match (bits & 3, ty) {
            (0, Type::I32 | Type::I64) => bits >> 8 & 0xff,
            (0, _) => bits.rotate_left(17),
            (_, Type::I32) => boundary(&I32),
            (_, Type::I64) => boundary(&I64),
            (_, Type::F32) => boundary(&F32),
            (_, Type::F64) => boundary(&F64),
            (_, Type::V128) => return Value::V128(vector(bits)),
            (_, Type::Func) => 0,
        },
    )
}

/// A vector of lanes of one width, boundaries each.
fn vector(seed: u64) -> u128 {
    let (ty, bits) = [(Type::I32, 32), (Type::I64, 64), (Type::F32, 32), (Type::F64, 64)][seed as usize >> 40 & 3];
    (0..128 / bits).fold(0, |vector, lane: u64| {
        let value = match interesting(ty, seed ^ lane << 17) {
            Value::I32(v) | Value::F32(v) => u128::from(v),
            Value::I64(v) | Value::F64(v) => u128::from(v),
            Value::V128(_) | Value::Func(_) => unreachable!("a lane is a number"),
        };
        vector << bits | value
    })
}

/// Boundaries of 32-bit integers.
pub const I32: [u64; 14] =
    [0, 1, 2, 31, 32, 33, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/// Boundaries of 64-bit integers.
pub const I64: [u64; 16] = [
    0,
    1,
    2,
    63,
    64,
    0x80,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0xffff_ffff_8000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0x8000_0000_0000_0001,
    0xffff_ffff_ffff_ffff,
];
/// Boundaries of 32-bit floats: zeros, ones, halves, integer limits, subnormals, infinities, NaNs.
pub const F32: [u64; 22] = [
    0,
    0x8000_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x3fc0_0000,
    0x4020_0000,
    0x4f00_0000,
    0xcf00_0000,
    0x4f80_0000,
    0x5f00_0000,
    0xdf00_0000,
    0x5f80_0000,
    1,
    0x0080_0000,
    0x7f7f_ffff,
    0x4b7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_0000,
    0x7fa0_0001,
];
/// Boundaries of 64-bit floats, likewise.
pub const F64: [u64; 24] = [
    0,
    1 << 63,
    0x3ff0 << 48,
    0xbff0 << 48,
    0x3fe0 << 48,
    0xbfe0 << 48,
    0x3ff8 << 48,
    0x4004 << 48,
    0x41df_ffff_ffc0_0000,
    0x41e0 << 48,
    0xc1e0 << 48,
    0xc1e0_0000_0020_0000,
    0x41f0 << 48,
    0x43e0 << 48,
    0xc3e0 << 48,
    0x43f0 << 48,
    1,
    0x0010 << 48,
    0x7fef_ffff_ffff_ffff,
    0x432f_ffff_ffff_ffff,
    0x7ff0 << 48,
    0xfff0 << 48,
    0x7ff8 << 48,
    0x7ff4_0000_0000_0001,
];

/// The boundaries of a type; of references, null.
#[must_use]
pub fn boundaries(ty: Type) -> Vec<Value> {
    let bits: &[u64] = match ty {
        Type::I32 => &I32,
        Type::I64 => &I64,
        Type::F32 => &F32,
        Type::F64 => &F64,
        Type::V128 => return (0..24).map(|seed| Value::V128(vector(mix(seed)))).collect(),
        Type::Func => &[0],
    };
    bits.iter().map(|bits| Value::from_bits(ty, *bits)).collect()
}

/// The failure of a host function.
#[derive(Debug)]
pub struct HostTrap;

impl fmt::Display for HostTrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host function failed")
    }
}

impl std::error::Error for HostTrap {}

/// Fuel that a run starts with, where it is counted.
pub const FUEL: u64 = 1 << 20;

struct State {
    limits: StoreLimits,
    events: Vec<Event>,
    host_calls: u64,
    /// What can be grown by whoever is let in, and how often it has been.
    growing: Vec<Extern>,
    meddled: u32,
}

/// Instantiates the module, makes the calls, and says what was seen.
#[must_use]
pub fn observe(module: &Module, setup: &Setup, calls: &[Calls]) -> Vec<Event> {
    observe_in(None, module, setup, calls, FUEL)
}

/// As [`observe`], with so much fuel at the start and after each trap, where it is counted.
#[must_use]
pub fn observe_with(module: &Module, setup: &Setup, calls: &[Calls], units: u64) -> Vec<Event> {
    observe_in(None, module, setup, calls, units)
}

/// As [`observe`], with imports from `owner` taken from an instance of that module, and from `host` a function
/// `grow_memory` that grows its memory `m`.
#[must_use]
pub fn observe_linked(owner: &Module, module: &Module, setup: &Setup, calls: &[Calls]) -> Vec<Event> {
    observe_in(Some(owner), module, setup, calls, FUEL)
}

fn observe_in(owner: Option<&Module>, module: &Module, setup: &Setup, calls: &[Calls], units: u64) -> Vec<Event> {
    let limits = StoreLimitsBuilder::new().memory_size(32 << 20).table_elements(200_000).build();
    let mut store = Store::new(
        module.engine(),
        State { limits, events: Vec::new(), host_calls: 0, growing: Vec::new(), meddled: 0 },
    );
    store.limiter(|state| &mut state.limits);
    if setup.fuel {
        store.set_fuel(units).expect("fuel is on");
    }
    if setup.epochs {
        store.set_epoch_deadline(if setup.meddles { 0 } else { 1 << 40 });
        store.epoch_deadline_callback(meddle);
    }
    let owner = owner.map(|owner| Instance::new(&mut store, owner, &[]).expect("it imports nothing"));
    let instance = imports(&mut store, module, owner).and_then(|imports| {
        // What the owner exports is among these, as far as the module can see it.
        store.data_mut().growing.clone_from(&imports);
        Instance::new(&mut store, module, &imports)
    });
    let instance = match instance {
        Ok(instance) => {
            let fuel = if setup.fuel { store.get_fuel().ok() } else { None };
            let exports: Vec<Extern> = instance.exports(&mut store).map(wasmtime::Export::into_extern).collect();
            store.data_mut().growing.extend(exports);
            store.data_mut().events.push(Event::Start(Outcome::Values(Vec::new()), fuel));
            instance
        }
        Err(error) => {
            let outcome = failure(&error, Outcome::Refused);
            store.data_mut().events.push(Event::Start(outcome, None));
            return std::mem::take(&mut store.data_mut().events);
        }
    };
    for (func, calls) in calls.iter().enumerate() {
        let target = instance.get_func(&mut store, &calls.func);
        let target = target.unwrap_or_else(|| panic!("the module exports a function {:?}", calls.func));
        let mut results = vec![Val::I32(0); target.ty(&store).results().len()];
        for (call, args) in calls.args.iter().enumerate() {
            let args: Vec<Val> = args.iter().map(|v| v.to_val()).collect();
            let outcome = match target.call(&mut store, &args, &mut results) {
                Ok(()) => Outcome::Values(results.iter().map(known).collect()),
                Err(error) => failure(&error, Outcome::Poison(format!("{error:?}"))),
            };
            let returned = matches!(outcome, Outcome::Values(_));
            // What a trap leaves of the fuel is not defined to the last unit: it depends on when counts are stored.
            if setup.fuel && !returned {
                store.set_fuel(units).expect("fuel is on");
            }
            let fuel = if returned && setup.fuel { store.get_fuel().ok() } else { None };
            let event = Event::Call { func, call, outcome, fuel };
            let stop = poisoned(&event);
            store.data_mut().events.push(event);
            if stop {
                return std::mem::take(&mut store.data_mut().events);
            }
        }
    }
    let mut events = std::mem::take(&mut store.data_mut().events);
    events.extend(finale(&mut store, instance));
    events
}

/// Collects, and lets all memories and tables be elsewhere, at the end of an epoch that ends at once again.
fn meddle(mut store: StoreContextMut<'_, State>) -> wasmtime::Result<UpdateDeadline> {
    /// How often everything grows: no program may find its limits.
    const MOST: u32 = 40;
    store.gc(None)?;
    store.data_mut().meddled += 1;
    if store.data().meddled <= MOST {
        for one in store.data().growing.clone() {
            // What cannot be grown stays as it is.
            match one {
                Extern::Memory(memory) => drop(memory.grow(&mut store, 1)),
                Extern::Table(table) => {
                    let null = Ref::null(table.ty(&store).element().heap_type());
                    drop(table.grow(&mut store, 1, null));
                }
                _ => {}
            }
        }
    }
    Ok(UpdateDeadline::Continue(0))
}

fn known(val: &Val) -> Value {
    Value::from_val(val).expect("a value of a type that can be compared")
}

fn failure(error: &wasmtime::Error, otherwise: Outcome) -> Outcome {
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow | Trap::OutOfFuel | Trap::Interrupt) => Outcome::Poison(format!("{error}")),
        Some(trap) => Outcome::Trap(*trap),
        None if error.is::<HostTrap>() => Outcome::HostTrap,
        None => otherwise,
    }
}

fn finale(store: &mut Store<State>, instance: Instance) -> Vec<Event> {
    let mut exports: Vec<(String, Extern)> =
        instance.exports(&mut *store).map(|e| (e.name().to_string(), e.into_extern())).collect();
    // Engines list exports in orders of their own.
    exports.sort_by(|(a, _), (b, _)| a.cmp(b));
    exports
        .into_iter()
        .filter_map(|(name, export)| match export {
            Extern::Global(global) => Some(Event::Global(name, Value::from_val(&global.get(&mut *store))?)),
            Extern::Memory(memory) => Some(Event::Memory(name, memory.data(&*store).to_vec())),
            Extern::SharedMemory(memory) => {
                // SAFETY: all threads that the module could run on have come to their end.
                let bytes = memory.data().iter().map(|byte| unsafe { *byte.get() });
                Some(Event::Memory(name, bytes.collect()))
            }
            Extern::Table(table) => {
                let nulls = (0..table.size(&*store)).map(|i| table.get(&mut *store, i).is_none_or(|r| r.is_null()));
                Some(Event::Table(name, nulls.collect()))
            }
            _ => None,
        })
        .collect()
}

/// Grows the memory `m` of an instance from outside.
fn grow_memory(store: &mut Store<State>, owner: Instance, ty: FuncType) -> wasmtime::Result<Extern> {
    let memory = owner.get_memory(&mut *store, "m").ok_or_else(|| wasmtime::Error::msg("no memory to grow"))?;
    let grow = move |mut caller: wasmtime::Caller<'_, State>, args: &[Val], results: &mut [Val]| {
        let wide = args[0].i64();
        let pages = wide.map_or_else(|| u64::from(args[0].unwrap_i32().cast_unsigned()), i64::cast_unsigned);
        let before = memory.grow(&mut caller, pages).map_or(-1, u64::cast_signed);
        results[0] = if wide.is_some() { Val::I64(before) } else { Val::I32(before as i32) };
        Ok(())
    };
    Ok(Func::new(&mut *store, ty, grow).into())
}

/// One value for each import, the same on every engine.
fn imports(store: &mut Store<State>, module: &Module, owner: Option<Instance>) -> wasmtime::Result<Vec<Extern>> {
    let mut externs = Vec::new();
    // Engines list imports in orders of their own, but each kind in the order of the module.
    let (mut funcs, mut globals) = (0.., 0..);
    for import in module.imports() {
        if let Some(owner) = owner {
            match (import.module(), import.ty()) {
                ("owner", _) => {
                    let export = owner.get_export(&mut *store, import.name());
                    externs.push(export.ok_or_else(|| wasmtime::Error::msg("the owner has no such export"))?);
                    continue;
                }
                ("host", ExternType::Func(ty)) if import.name() == "grow_memory" => {
                    externs.push(grow_memory(store, owner, ty)?);
                    continue;
                }
                _ => {}
            }
        }
        externs.push(match import.ty() {
            // Collects what the module no longer reaches; it is no event.
            ExternType::Func(ty) if import.name() == "collect" && ty.params().len() + ty.results().len() == 0 => {
                Func::wrap(&mut *store, |mut caller: Caller<'_, State>| caller.as_context_mut().gc(None)).into()
            }
            ExternType::Func(ty) => host_func(store, funcs.next().expect("endless"), ty).into(),
            ExternType::Global(ty) => {
                let seed = globals.next().expect("endless");
                let value = Type::from_val_type(ty.content()).map(|content| interesting(content, seed));
                let value = value.ok_or_else(|| wasmtime::Error::msg("a global of another type"))?;
                Global::new(&mut *store, ty, value.to_val())?.into()
            }
            ExternType::Memory(ty) if ty.is_shared() => SharedMemory::new(module.engine(), ty)?.into(),
            ExternType::Memory(ty) => Memory::new(&mut *store, ty)?.into(),
            ExternType::Table(ty) => Table::new(&mut *store, ty, Ref::Func(None))?.into(),
            other => return Err(wasmtime::Error::msg(format!("an import of type {other:?}"))),
        });
    }
    Ok(externs)
}

fn host_func(store: &mut Store<State>, import: usize, ty: FuncType) -> Func {
    let results: Vec<Option<Type>> = ty.results().map(|ty| Type::from_val_type(&ty)).collect();
    Func::new(store, ty, move |mut caller, args, out| {
        let results = results.iter().copied().collect::<Option<Vec<Type>>>();
        let results = results.ok_or_else(|| wasmtime::Error::msg("a result of another type"))?;
        let state = caller.data_mut();
        state.events.push(Event::Host { import, args: args.iter().map(known).collect() });
        state.host_calls += 1;
        let values = answer(import, state.host_calls, &results).ok_or(HostTrap)?;
        for (out, value) in out.iter_mut().zip(values) {
            *out = value.to_val();
        }
        Ok(())
    })
}
