//! The interpreter wasmi as a third opinion: it shares neither runtime nor compiler with the engines under test.

use crate::observe::{Calls, Event, HostTrap, Outcome, Type, Value, answer, interesting, poisoned};
use wasmi::{
    Config, Engine, Error, Extern, ExternType, F32, F64, Func, FuncType, Global, Instance, Memory, Module, Nullable,
    Ref, Store, StoreLimits, StoreLimitsBuilder, Table, TrapCode, Val, ValType,
};
use wasmtime::Trap;

impl wasmi::errors::HostError for HostTrap {}

struct State {
    limits: StoreLimits,
    events: Vec<Event>,
    host_calls: u64,
}

/// What the interpreter shows of the module, or `None` if it does not know all that the module uses.
#[must_use]
pub fn observe(wasm: &[u8], calls: &[Calls]) -> Option<Vec<Event>> {
    let mut config = Config::default();
    config.wasm_multi_memory(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).ok()?;
    let limits = StoreLimitsBuilder::new().memory_size(32 << 20).table_elements(200_000).build();
    let mut store = Store::new(&engine, State { limits, events: Vec::new(), host_calls: 0 });
    store.limiter(|state| &mut state.limits);
    let imports = imports(&mut store, &module)?;
    let instance = match Instance::new(&mut store, &module, &imports) {
        Ok(instance) => {
            store.data_mut().events.push(Event::Start(Outcome::Values(Vec::new()), None));
            instance
        }
        Err(error) => {
            // Segments out of bounds are errors of linking here and traps there.
            let outcome = match failure(&error) {
                Outcome::Poison(_) if error.as_trap_code().is_none() => return None,
                outcome => outcome,
            };
            store.data_mut().events.push(Event::Start(outcome, None));
            return Some(std::mem::take(&mut store.data_mut().events));
        }
    };
    for (func, calls) in calls.iter().enumerate() {
        let target = instance.get_func(&store, &calls.func)?;
        let results = target.ty(&store).results().len();
        for (call, args) in calls.args.iter().enumerate() {
            let args: Vec<Val> = args.iter().map(|v| to_val(*v)).collect();
            let mut results = vec![Val::I32(0); results];
            let outcome = match target.call(&mut store, &args, &mut results) {
                Ok(()) => Outcome::Values(results.iter().map(from_val).collect::<Option<_>>()?),
                Err(error) => failure(&error),
            };
            let event = Event::Call { func, call, outcome, fuel: None };
            let stop = poisoned(&event);
            store.data_mut().events.push(event);
            if stop {
                return Some(std::mem::take(&mut store.data_mut().events));
            }
        }
    }
    let mut events = std::mem::take(&mut store.data_mut().events);
    let mut names: Vec<String> = module.exports().map(|export| export.name().to_string()).collect();
    names.sort();
    for name in names {
        match instance.get_export(&store, &name)? {
            Extern::Global(global) => events.push(Event::Global(name, from_val(&global.get(&store))?)),
            Extern::Memory(memory) => events.push(Event::Memory(name, memory.data(&store).to_vec())),
            Extern::Table(table) => {
                let nulls = (0..table.size(&store)).map(|i| match table.get(&store, i) {
                    Some(Ref::Func(f)) => f.is_null(),
                    _ => true,
                });
                events.push(Event::Table(name, nulls.collect()));
            }
            Extern::Func(_) => {}
        }
    }
    Some(events)
}

fn imports(store: &mut Store<State>, module: &Module) -> Option<Vec<Extern>> {
    let mut externs: Vec<Extern> = Vec::new();
    let (mut funcs, mut globals) = (0.., 0..);
    for import in module.imports() {
        externs.push(match import.ty() {
            ExternType::Func(ty) => host_func(store, funcs.next()?, ty.clone())?.into(),
            ExternType::Global(ty) => {
                let value = to_val(interesting(known_type(ty.content())?, globals.next()?));
                Global::new(&mut *store, value, ty.mutability()).into()
            }
            ExternType::Memory(ty) => Memory::new(&mut *store, *ty).ok()?.into(),
            ExternType::Table(ty) => Table::new(&mut *store, *ty, Ref::Func(Nullable::Null)).ok()?.into(),
        });
    }
    Some(externs)
}

fn host_func(store: &mut Store<State>, import: usize, ty: FuncType) -> Option<Func> {
    let results: Vec<Type> = ty.results().iter().map(|ty| known_type(*ty)).collect::<Option<_>>()?;
    ty.params().iter().map(|ty| known_type(*ty)).collect::<Option<Vec<Type>>>()?;
    Some(Func::new(store, ty, move |mut caller, args, out| {
        let state = caller.data_mut();
        let args = args.iter().filter_map(from_val).collect();
        state.events.push(Event::Host { import, args });
        state.host_calls += 1;
        let values = answer(import, state.host_calls, &results).ok_or_else(|| Error::host(HostTrap))?;
        for (out, value) in out.iter_mut().zip(values) {
            *out = to_val(value);
        }
        Ok(())
    }))
}

fn known_type(ty: ValType) -> Option<Type> {
    Some(match ty {
        ValType::I32 => Type::I32,
        ValType::I64 => Type::I64,
        ValType::F32 => Type::F32,
        ValType::F64 => Type::F64,
        ValType::FuncRef => Type::Func,
        ValType::ExternRef | ValType::V128 => return None,
    })
}

fn to_val(value: Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(v as i32),
        Value::I64(v) => Val::I64(v as i64),
        Value::F32(v) => Val::F32(F32::from_bits(v)),
        Value::F64(v) => Val::F64(F64::from_bits(v)),
        Value::V128(_) => unreachable!("it has no vectors"),
        Value::Func(_) => Val::FuncRef(Nullable::Null),
    }
}

fn from_val(val: &Val) -> Option<Value> {
    Some(match val {
        Val::I32(v) => Value::I32(*v as u32),
        Val::I64(v) => Value::I64(*v as u64),
        Val::F32(v) => Value::F32(v.to_bits()),
        Val::F64(v) => Value::F64(v.to_bits()),
        Val::FuncRef(f) => Value::Func(!f.is_null()),
        Val::ExternRef(_) | Val::V128(_) => return None,
    })
}

fn failure(error: &Error) -> Outcome {
    if error.downcast_ref::<HostTrap>().is_some() {
        return Outcome::HostTrap;
    }
    Outcome::Trap(match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::UnreachableCodeReached,
        Some(TrapCode::MemoryOutOfBounds) => Trap::MemoryOutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Trap::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Trap::IndirectCallToNull,
        Some(TrapCode::IntegerDivisionByZero) => Trap::IntegerDivisionByZero,
        Some(TrapCode::IntegerOverflow) => Trap::IntegerOverflow,
        Some(TrapCode::BadConversionToInteger) => Trap::BadConversionToInteger,
        Some(TrapCode::BadSignature) => Trap::BadSignature,
        _ => return Outcome::Poison(format!("{error}")),
    })
}
