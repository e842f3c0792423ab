//! The target of scripts: both compilers run one side by side, and each directive must end alike. What the script
//! itself expects does not count, so that it can be changed at will.

use super::Verdict;
use crate::backend::{Pair, Setup};
use crate::observe::Value;
use std::sync::LazyLock;
use wasmtime::{
    Extern, Func, Global, GlobalType, Instance, Linker, Memory, MemoryType, Mutability, Ref, RefType, Result, Store,
    Table, TableType, Trap, Val, ValType,
};
use wast::core::{AbstractHeapType, HeapType, V128Const, WastArgCore};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke};

/// With epochs, because changed scripts may go on for ever.
static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let pair = Setup { epochs: true, ..Setup::default() }.engine().expect("these settings are supported");
    let engine = pair.engine.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(std::time::Duration::from_millis(100));
            engine.increment_epoch();
        }
    });
    pair
});

/// How many tenths of a second a directive may take, and how many instances a script may have.
const TICKS: u64 = 10;
const LIMIT: usize = 64;

/// One compiler's side of the script.
struct Side {
    lightbeam: bool,
    store: Store<wasmtime::StoreLimits>,
    linker: Linker<wasmtime::StoreLimits>,
    current: Option<Instance>,
    named: Vec<(String, Instance)>,
}

/// How a directive ended.
#[derive(Debug, PartialEq)]
enum End {
    Done,
    Values(Vec<String>),
    Trap(String),
    Exception,
    /// The module was refused.
    Invalid,
    Unlinkable,
    /// The directive names what is not there.
    Missing,
    /// Nothing after it can be compared: out of time or stack, or a limit.
    Over,
}

impl Side {
    fn new(lightbeam: bool) -> Result<Side> {
        let limits =
            wasmtime::StoreLimitsBuilder::new().memory_size(8 << 20).table_elements(100_000).instances(LIMIT).build();
        let mut store = Store::new(&PAIR.engine, limits);
        store.limiter(|limits| limits);
        store.set_epoch_deadline(TICKS);
        let mut linker = Linker::new(&PAIR.engine);
        linker.allow_shadowing(true);
        spectest(&mut linker, &mut store)?;
        Ok(Side { lightbeam, store, linker, current: None, named: Vec::new() })
    }

    fn instance(&self, name: Option<wast::token::Id<'_>>) -> Option<Instance> {
        match name {
            None => self.current,
            Some(id) => self.named.iter().rev().find(|(name, _)| name == id.name()).map(|(_, instance)| *instance),
        }
    }

    fn failed(error: &wasmtime::Error, otherwise: End) -> End {
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow | Trap::Interrupt | Trap::AllocationTooLarge) => End::Over,
            Some(trap) => End::Trap(trap.to_string()),
            None if error.is::<wasmtime::ThrownException>() => End::Exception,
            None => otherwise,
        }
    }

    fn module(&mut self, name: Option<&str>, wasm: &[u8]) -> End {
        let compiled = if self.lightbeam { PAIR.lightbeam(wasm) } else { cranelift(wasm) };
        let module = match compiled {
            Ok(module) => module,
            Err(error) if error.is::<Panicked>() => return End::Over,
            Err(error) => {
                let kind = error.downcast_ref::<lightbeam::Error>().map(lightbeam::Error::kind);
                let clear = matches!(
                    kind,
                    Some(
                        lightbeam::ErrorKind::Invalid
                            | lightbeam::ErrorKind::Unsupported
                            | lightbeam::ErrorKind::TooLarge
                    )
                );
                assert!(!self.lightbeam || clear, "not an error about the module: {error:?}");
                return if kind == Some(lightbeam::ErrorKind::Invalid) || kind.is_none() {
                    End::Invalid
                } else {
                    End::Over
                };
            }
        };
        self.current = None;
        self.store.set_epoch_deadline(TICKS);
        match self.linker.instantiate(&mut self.store, &module) {
            Ok(instance) => {
                self.current = Some(instance);
                if let Some(name) = name {
                    self.named.push((name.to_string(), instance));
                }
                End::Done
            }
            Err(error) => Side::failed(&error, End::Unlinkable),
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> End {
        let Some(instance) = self.instance(invoke.module) else { return End::Missing };
        let Some(func) = instance.get_func(&mut self.store, invoke.name) else { return End::Missing };
        let Some(args) = invoke.args.iter().map(argument).collect::<Option<Vec<Val>>>() else { return End::Missing };
        let ty = func.ty(&self.store);
        let mut results = vec![Val::I32(0); ty.results().len()];
        self.store.set_epoch_deadline(TICKS);
        let fits = ty.params().len() == args.len()
            && ty.params().zip(&args).all(|(ty, arg)| arg.matches_ty(&self.store, &ty).unwrap_or(false));
        if !fits {
            return End::Missing;
        }
        match func.call(&mut self.store, &args, &mut results) {
            Ok(()) => End::Values(results.iter().map(show).collect()),
            Err(error) => Side::failed(&error, End::Over),
        }
    }

    fn execute(&mut self, execute: &mut WastExecute<'_>) -> End {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Get { module, global, .. } => {
                let global = self.instance(*module).and_then(|i| i.get_global(&mut self.store, global));
                global.map_or(End::Missing, |global| End::Values(vec![show(&global.get(&mut self.store))]))
            }
            WastExecute::Wat(_) => End::Missing,
        }
    }
}

/// The module as Cranelift compiles it. Now and then it panics at what Lightbeam compiles, which is no failure of the
/// target, though a fuzzer has every panic end the process.
fn cranelift(wasm: &[u8]) -> Result<wasmtime::Module> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let compiled = std::panic::catch_unwind(|| PAIR.cranelift(wasm));
    std::panic::set_hook(hook);
    compiled.unwrap_or_else(|_| Err(Panicked.into()))
}

/// Cranelift did.
#[derive(Debug)]
struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cranelift panicked")
    }
}

impl std::error::Error for Panicked {}

/// A value as far as it must agree: a NaN is any other, a reference null or not.
fn show(val: &Val) -> String {
    match Value::from_val(val) {
        Some(Value::F32(bits)) if f32::from_bits(bits).is_nan() => "a NaN".into(),
        Some(Value::F64(bits)) if f64::from_bits(bits).is_nan() => "a NaN".into(),
        // Lanes of a vector may be NaNs of any width.
        Some(Value::V128(_)) => "a vector".into(),
        Some(value) => format!("{value:?}"),
        None => format!("null: {}", matches!(val, Val::AnyRef(None) | Val::ExternRef(None) | Val::ExnRef(None))),
    }
}

fn argument(arg: &WastArg<'_>) -> Option<Val> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(v) => Val::I32(*v),
        WastArgCore::I64(v) => Val::I64(*v),
        WastArgCore::F32(v) => Val::F32(v.bits),
        WastArgCore::F64(v) => Val::F64(v.bits),
        WastArgCore::V128(V128Const::I64x2([a, b])) => {
            Val::V128((u128::from(*b as u64) << 64 | u128::from(*a as u64)).into())
        }
        WastArgCore::V128(v) => Val::V128(u128::from_le_bytes(v.to_le_bytes()).into()),
        WastArgCore::RefNull(HeapType::Abstract { ty, .. }) => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => Val::FuncRef(None),
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => Val::ExternRef(None),
            AbstractHeapType::Exn | AbstractHeapType::NoExn => Val::ExnRef(None),
            _ => Val::AnyRef(None),
        },
        _ => return None,
    })
}

/// What scripts import.
fn spectest(linker: &mut Linker<wasmtime::StoreLimits>, store: &mut Store<wasmtime::StoreLimits>) -> Result<()> {
    let mut define = |name: &str, item: Extern, store: &mut Store<wasmtime::StoreLimits>| {
        linker.define(&mut *store, "spectest", name, item).map(drop)
    };
    let prints: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[ValType::I32]),
        ("print_i64", &[ValType::I64]),
        ("print_f32", &[ValType::F32]),
        ("print_f64", &[ValType::F64]),
        ("print_i32_f32", &[ValType::I32, ValType::F32]),
        ("print_f64_f64", &[ValType::F64, ValType::F64]),
    ];
    for (name, params) in prints {
        let ty = wasmtime::FuncType::new(&PAIR.engine, params.iter().cloned(), []);
        let func = Func::new(&mut *store, ty, |_, _, _| Ok(()));
        define(name, func.into(), store)?;
    }
    let globals = [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::F32(666.6f32.to_bits())),
        ("global_f64", ValType::F64, Val::F64(666.6f64.to_bits())),
    ];
    for (name, ty, value) in globals {
        let global = Global::new(&mut *store, GlobalType::new(ty, Mutability::Const), value)?;
        define(name, global.into(), store)?;
    }
    let table = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 10, Some(20)), Ref::Func(None))?;
    define("table", table.into(), store)?;
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    define("memory", memory.into(), store)
}

pub(super) fn wast(data: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(data) else { return Verdict::Void };
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else { return Verdict::Void };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else { return Verdict::Void };
    let sides = Side::new(false).and_then(|cranelift| Ok([cranelift, Side::new(true)?]));
    let mut sides = sides.expect("the stores can be made");
    let mut verdict = Verdict::Void;
    for directive in script.directives {
        let span = directive.span();
        let Some(ends) = step(&mut sides, directive) else { continue };
        if ends.contains(&End::Over) {
            break;
        }
        let line = text[..span.offset().min(text.len())].lines().count();
        assert!(ends[0] == ends[1], "line {line}: expected {:?}, got {:?}\n{text}", ends[0], ends[1]);
        if matches!(ends[0], End::Values(_) | End::Trap(_) | End::Exception | End::Done | End::Invalid) {
            verdict = Verdict::Tested;
        }
    }
    verdict
}

/// Both ends of a directive, Cranelift's first; `None` if it is of no interest.
fn step(sides: &mut [Side; 2], directive: WastDirective<'_>) -> Option<[End; 2]> {
    let mut both = |act: &mut dyn FnMut(&mut Side) -> End| {
        let [cranelift, lightbeam] = sides;
        Some([act(cranelift), act(lightbeam)])
    };
    match directive {
        WastDirective::Module(mut module) => {
            let name = module.name().map(|id| id.name().to_string());
            let wasm = core(&mut module)?;
            both(&mut |side| side.module(name.as_deref(), &wasm))
        }
        WastDirective::AssertInvalid { mut module, .. } | WastDirective::AssertMalformed { mut module, .. } => {
            let wasm = core(&mut module)?;
            both(&mut |side| side.module(None, &wasm))
        }
        WastDirective::Register { name, module, .. } => both(&mut |side| {
            let Some(instance) = side.instance(module) else { return End::Missing };
            match side.linker.instance(&mut side.store, name, instance) {
                Ok(_) => End::Done,
                Err(_) => End::Unlinkable,
            }
        }),
        WastDirective::Invoke(invoke) => both(&mut |side| side.invoke(&invoke)),
        WastDirective::AssertExhaustion { call, .. } => both(&mut |side| side.invoke(&call)),
        WastDirective::AssertUnlinkable { module: mut wat, .. } => {
            let wasm = wat.encode().ok()?;
            both(&mut |side| side.module(None, &wasm))
        }
        WastDirective::AssertTrap { mut exec, .. }
        | WastDirective::AssertReturn { mut exec, .. }
        | WastDirective::AssertException { mut exec, .. } => {
            if let WastExecute::Wat(wat) = &mut exec {
                let wasm = wat.encode().ok()?;
                return both(&mut |side| side.module(None, &wasm));
            }
            both(&mut |side| side.execute(&mut exec))
        }
        _ => None,
    }
}

/// The binary of a module, if it is one and no component.
fn core(module: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    let wasm = module.encode().ok()?;
    (wasmparser::Parser::is_core_wasm(&wasm) || !wasmparser::Parser::is_component(&wasm)).then_some(wasm)
}
