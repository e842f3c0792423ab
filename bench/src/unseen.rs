//! Programs that nobody has tuned the compiler for: the list in `bench/unseen/list.json`, chosen before anything of it
//! was measured. Some are WASI commands. The others are libraries: a script of a few lines calls what they export, and
//! in the end sums up what stands in their memory.
//!
//! A line of a script is `names = export arguments…`, or one of what `Step` has, which begins with a point. An argument
//! is a number (with an `n` behind it if it has 64 bits) or a name, perhaps with `+` and a number.

use crate::corpus::Wasm;
use crate::programs::{self, Work};
use crate::run::Host;
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::{Caller, Engine, Instance, Linker, Memory, Module, Ref, Store, Table, Val, ValType};
use wasmtime_wasi::p1;

/// How a library is driven. What its script puts into memory comes from its work's standard input.
pub(crate) struct Script {
    setup: Vec<Step>,
    /// What is timed, so many times in a row.
    work: Vec<Step>,
    times: u64,
    check: Vec<Step>,
    /// What some of its imports do; all others do nothing and give zeros.
    provide: HashMap<String, Helper>,
}

enum Step {
    /// Calls an export.
    Call { export: String, args: Vec<Arg>, names: Vec<String> },
    /// `.text TO LENGTH`, `.random TO LENGTH`, `.floats TO COUNT`, `.file TO NAME TIMES`, `.utf16 TO NAME TIMES`,
    /// `.hex TO DIGITS`: puts a part of the input into memory.
    Put { to: Arg, from: usize, length: usize },
    /// `NAME = .let ARG`, `NAME = .size FILE TIMES`.
    Let { name: String, arg: Arg },
    /// `NAME = .load ADDRESS`: 32 bits.
    Load { name: String, address: Arg },
    /// `.store ADDRESS ARG`: 32 bits.
    Store { address: Arg, arg: Arg },
    /// `NAME = .global EXPORT`.
    Global { name: String, export: String },
    /// `NAME = .grow PAGES`: where the new memory begins.
    Grow { name: String, pages: u32 },
    /// `.sum ADDRESS LENGTH`: into the checksum goes what is in memory.
    Sum { from: Arg, length: Arg },
    /// `.show ARG`: into the checksum go 32 bits of a number.
    Show { arg: Arg },
}

#[derive(Clone)]
enum Arg {
    Number { text: String, value: f64 },
    Wide(i64),
    Name { name: String, plus: i64 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Helper {
    /// `memcpy`, of which its result is taken or not.
    Copy,
    /// Grows the memory to so many bytes.
    Grow,
    /// Calls an entry of the table, with the other arguments.
    Invoke,
    /// Does nothing, where WASI would.
    Nothing,
}

/// The list.
fn list() -> anyhow::Result<Vec<Value>> {
    let list: Value = serde_json::from_slice(&std::fs::read(here().join("list.json"))?)?;
    Ok(list.as_array().context("the list is an array")?.clone())
}

/// Does the list have a program of this name?
pub(crate) fn has(name: &str) -> bool {
    list().is_ok_and(|list| list.iter().any(|entry| entry["name"] == name))
}

fn module(entry: &Value) -> anyhow::Result<Wasm> {
    let name = entry["name"].as_str().context("a program has a name")?;
    let path = programs::folder().join("unseen").join(name).with_extension("wasm");
    ensure!(path.exists(), "{} is absent; `bench/fetch` gets it", path.display());
    Wasm::read(&path)
}

/// All of the list, compiled and run or compiled only.
pub(crate) fn modules() -> anyhow::Result<Vec<Wasm>> {
    list()?.iter().map(module).collect()
}

/// Those of the list that are run and, if any names are asked for, have one of them.
pub(crate) fn works(names: &[String]) -> anyhow::Result<Vec<Work>> {
    let asked = |entry: &Value| names.is_empty() || names.iter().any(|name| entry["name"] == **name);
    let is_run = |entry: &&Value| entry.get("args").is_some() || entry.get("work").is_some();
    list()?.iter().filter(|entry| asked(entry)).filter(is_run).map(work).collect()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("unseen")
}

fn work(entry: &Value) -> anyhow::Result<Work> {
    let wasm = module(entry)?;
    let args = entry["args"].as_array().into_iter().flatten();
    let mut stdin = match entry["stdin"].as_str() {
        Some(file) => std::fs::read(here().join(file))?,
        None => Vec::new(),
    };
    let script = match entry.get("work") {
        Some(_) => Some(Script::parse(entry, &mut stdin).with_context(|| wasm.name.clone())?),
        None => None,
    };
    Ok(Work {
        wasm,
        args: args.map(|arg| arg.as_str().unwrap_or_default().to_owned()).collect(),
        stdin,
        folders: if script.is_none() { vec![(here(), "/unseen")] } else { Vec::new() },
        scratch: None,
        output: None,
        expected: None,
        brackets: false,
        script,
    })
}

impl Script {
    fn parse(entry: &Value, input: &mut Vec<u8>) -> anyhow::Result<Script> {
        let mut steps = |key: &str| {
            let lines = entry[key].as_array().into_iter().flatten();
            lines.map(|line| Step::parse(line.as_str().unwrap_or_default(), input)).collect::<anyhow::Result<Vec<_>>>()
        };
        let (setup, work, check) = (steps("setup")?, steps("work")?, steps("check")?);
        let mut provide = HashMap::new();
        for (import, helper) in entry["provide"].as_object().into_iter().flatten() {
            let helper = match helper.as_str() {
                Some("copy") => Helper::Copy,
                Some("grow") => Helper::Grow,
                Some("invoke") => Helper::Invoke,
                Some("nothing") => Helper::Nothing,
                _ => bail!("{helper} is no helper"),
            };
            provide.insert(import.clone(), helper);
        }
        Ok(Script { setup, work, times: entry["times"].as_u64().unwrap_or(1), check, provide })
    }

    /// What Node.js is told: the script, and what the module imports.
    pub(crate) fn task(&self, wasm: &[u8]) -> anyhow::Result<Value> {
        let steps = |steps: &[Step]| steps.iter().map(Step::json).collect::<Value>();
        let module = Module::new(&Engine::default(), wasm)?;
        let mut imports = Vec::new();
        for import in module.imports() {
            let key = format!("{}.{}", import.module(), import.name());
            let helper = match self.provide.get(&key) {
                None => "none",
                Some(Helper::Copy) => "copy",
                Some(Helper::Grow) => "grow",
                Some(Helper::Invoke) => "invoke",
                Some(Helper::Nothing) => "nothing",
            };
            let of = match import.ty() {
                wasmtime::ExternType::Func(ty) => {
                    let results = ty.results().map(|ty| ty.to_string()).collect::<Vec<_>>();
                    json!({ "kind": "function", "results": results, "helper": helper })
                }
                wasmtime::ExternType::Memory(ty) => {
                    json!({ "kind": "memory", "minimum": ty.minimum(), "maximum": ty.maximum(), "shared": ty.is_shared() })
                }
                wasmtime::ExternType::Table(ty) => json!({ "kind": "table", "minimum": ty.minimum() }),
                wasmtime::ExternType::Global(ty) => json!({ "kind": "global", "type": ty.content().to_string() }),
                wasmtime::ExternType::Tag(_) => bail!("{key} is a tag"),
            };
            imports.push(json!([import.module(), import.name(), of]));
        }
        Ok(json!({
            "setup": steps(&self.setup),
            "work": steps(&self.work),
            "times": self.times,
            "check": steps(&self.check),
            "imports": imports,
        }))
    }
}

impl Step {
    /// What a line says. If it puts bytes into memory, they are added to the input.
    fn parse(line: &str, input: &mut Vec<u8>) -> anyhow::Result<Step> {
        let (names, call) = line.split_once('=').unwrap_or(("", line));
        let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        let words: Vec<&str> = call.split_whitespace().collect();
        let word = |index: usize| words.get(index).copied().with_context(|| format!("{line}: too short"));
        let arg = |index: usize| word(index).and_then(Arg::parse);
        let number = |index: usize| word(index)?.parse::<usize>().with_context(|| line.to_owned());
        let name = || names.first().cloned().with_context(|| format!("{line}: no name"));
        let mut put = |bytes: Vec<u8>| {
            let from = input.len();
            input.extend(&bytes);
            anyhow::Ok(Step::Put { to: arg(1)?, from, length: bytes.len() })
        };
        Ok(match word(0)? {
            ".text" => put(text(number(2)?))?,
            ".random" => put(random(number(2)?))?,
            ".floats" => put(floats(number(2)?))?,
            ".file" => put(std::fs::read(here().join(word(2)?))?.repeat(number(3)?))?,
            ".utf16" => {
                let file = std::fs::read_to_string(here().join(word(2)?))?.repeat(number(3)?);
                put(file.encode_utf16().flat_map(u16::to_le_bytes).collect())?
            }
            ".hex" => put(hex(word(2)?)?)?,
            ".let" => Step::Let { name: name()?, arg: arg(1)? },
            ".size" => {
                let size = std::fs::metadata(here().join(word(1)?))?.len() * number(2)? as u64;
                Step::Let { name: name()?, arg: Arg::parse(&size.to_string())? }
            }
            ".load" => Step::Load { name: name()?, address: arg(1)? },
            ".store" => Step::Store { address: arg(1)?, arg: arg(2)? },
            ".global" => Step::Global { name: name()?, export: word(1)?.to_owned() },
            ".grow" => Step::Grow { name: name()?, pages: u32::try_from(number(1)?)? },
            ".sum" => Step::Sum { from: arg(1)?, length: arg(2)? },
            ".show" => Step::Show { arg: arg(1)? },
            unknown if unknown.starts_with('.') => bail!("{unknown} is no step"),
            export => {
                let args = words[1..].iter().map(|word| Arg::parse(word)).collect::<Result<_, _>>()?;
                Step::Call { export: export.to_owned(), args, names }
            }
        })
    }

    fn json(&self) -> Value {
        match self {
            Step::Call { export, args, names } => {
                json!(["call", export, args.iter().map(Arg::json).collect::<Value>(), names])
            }
            Step::Put { to, from, length } => json!(["put", to.json(), from, length]),
            Step::Let { name, arg } => json!(["let", name, arg.json()]),
            Step::Load { name, address } => json!(["load", name, address.json()]),
            Step::Store { address, arg } => json!(["store", address.json(), arg.json()]),
            Step::Global { name, export } => json!(["global", name, export]),
            Step::Grow { name, pages } => json!(["grow", name, pages]),
            Step::Sum { from, length } => json!(["sum", from.json(), length.json()]),
            Step::Show { arg } => json!(["show", arg.json()]),
        }
    }
}

impl Arg {
    fn parse(word: &str) -> anyhow::Result<Arg> {
        if let Some(Ok(wide)) = word.strip_suffix('n').map(str::parse) {
            return Ok(Arg::Wide(wide));
        }
        if let Ok(value) = word.parse() {
            return Ok(Arg::Number { text: word.to_owned(), value });
        }
        let (name, plus) = word.split_once('+').unwrap_or((word, "0"));
        Ok(Arg::Name { name: name.to_owned(), plus: plus.parse().with_context(|| word.to_owned())? })
    }

    fn json(&self) -> Value {
        match self {
            Arg::Number { text, .. } => json!(["number", text]),
            Arg::Wide(wide) => json!(["wide", wide.to_string()]),
            Arg::Name { name, plus } => json!(["name", name, plus]),
        }
    }

    fn value(&self, ty: &ValType, names: &HashMap<String, Val>) -> anyhow::Result<Val> {
        let (float, int) = match self {
            Arg::Number { value, .. } => (*value, *value as i64),
            Arg::Wide(wide) => (*wide as f64, *wide),
            Arg::Name { name, plus } => match names.get(name).with_context(|| format!("nothing is called {name}"))? {
                Val::I32(value) => (f64::from(*value), i64::from(*value) + plus),
                Val::I64(value) => (*value as f64, value + plus),
                other => return Ok(*other),
            },
        };
        Ok(match ty {
            ValType::I32 => Val::I32(int as i32),
            ValType::I64 => Val::I64(int),
            ValType::F32 => Val::F32((float as f32).to_bits()),
            ValType::F64 => Val::F64(float.to_bits()),
            ty => bail!("no argument is of type {ty}"),
        })
    }

    fn int(&self, names: &HashMap<String, Val>) -> anyhow::Result<usize> {
        let value = self.value(&ValType::I32, names)?;
        Ok(value.i32().context("it is a number")? as u32 as usize)
    }
}

/// What helpers need of an instance.
#[derive(Clone, Copy, Default)]
pub(crate) struct Library {
    memory: Option<Memory>,
    table: Option<Table>,
}

/// An instance that a script drives.
struct Driven<'a> {
    store: &'a mut Store<Host>,
    instance: Instance,
    memory: Memory,
    input: &'a [u8],
    names: HashMap<String, Val>,
    sum: Sum,
}

impl Driven<'_> {
    fn steps(&mut self, steps: &[Step]) -> anyhow::Result<()> {
        for step in steps {
            self.step(step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::Call { export, args, names } => {
                let func = self.instance.get_func(&mut *self.store, export);
                let func = func.with_context(|| format!("no function {export}"))?;
                let ty = func.ty(&*self.store);
                ensure!(ty.params().len() == args.len(), "{export} takes {} arguments", ty.params().len());
                let args = args.iter().zip(ty.params()).map(|(arg, ty)| arg.value(&ty, &self.names));
                let args = args.collect::<Result<Vec<_>, _>>()?;
                let mut results = vec![Val::I32(0); ty.results().len()];
                let called = func.call(&mut *self.store, &args, &mut results);
                called.map_err(anyhow::Error::from).with_context(|| export.clone())?;
                for (name, result) in names.iter().zip(results) {
                    self.names.insert(name.clone(), result);
                }
            }
            Step::Put { to, from, length } => {
                let to = to.int(&self.names)?;
                self.memory.write(&mut *self.store, to, &self.input[*from..][..*length])?;
            }
            Step::Let { name, arg } => {
                let value = arg.value(&ValType::I32, &self.names)?;
                self.names.insert(name.clone(), value);
            }
            Step::Load { name, address } => {
                let mut bytes = [0; 4];
                self.memory.read(&*self.store, address.int(&self.names)?, &mut bytes)?;
                self.names.insert(name.clone(), Val::I32(i32::from_le_bytes(bytes)));
            }
            Step::Store { address, arg } => {
                let (address, value) = (address.int(&self.names)?, arg.int(&self.names)? as u32);
                self.memory.write(&mut *self.store, address, &value.to_le_bytes())?;
            }
            Step::Global { name, export } => {
                let global = self.instance.get_global(&mut *self.store, export).context("no such global")?;
                let value = global.get(&mut *self.store);
                self.names.insert(name.clone(), value);
            }
            Step::Grow { name, pages } => {
                let before = self.memory.grow(&mut *self.store, u64::from(*pages))?;
                self.names.insert(name.clone(), Val::I32((before << 16) as i32));
            }
            Step::Sum { from, length } => {
                let (from, length) = (from.int(&self.names)?, length.int(&self.names)?);
                let data = self.memory.data(&*self.store);
                self.sum.add(data.get(from..).and_then(|data| data.get(..length)).context("behind the memory's end")?);
            }
            Step::Show { arg } => {
                let value = arg.int(&self.names)? as u32;
                self.sum.add(&value.to_le_bytes());
            }
        }
        Ok(())
    }
}

/// One run in an instance of its own: the time of the script's work, and the checksum.
pub(crate) fn run(module: &Module, work: &Work, script: &Script, host: Host) -> anyhow::Result<(Duration, Vec<u8>)> {
    let engine = module.engine();
    let mut linker: Linker<Host> = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
    linker.allow_shadowing(true);
    for import in module.imports() {
        if let (Some(helper), Some(ty)) =
            (script.provide.get(&format!("{}.{}", import.module(), import.name())), import.ty().func())
        {
            let helper = *helper;
            linker.func_new(import.module(), import.name(), ty.clone(), move |mut caller, args, results| {
                help(&mut caller, helper, args, results).map_err(wasmtime::Error::from_anyhow)
            })?;
        }
    }
    let mut store = Store::new(engine, host);
    linker.define_unknown_imports_as_default_values(&mut store, module)?;
    let instance = linker.instantiate(&mut store, module)?;
    let exported = instance.exports(&mut store).find_map(|export| export.into_memory());
    let imported = || {
        let mut imports = module.imports().filter(|import| import.ty().memory().is_some());
        imports.next().map(|import| (import.module().to_owned(), import.name().to_owned()))
    };
    let memory = match (exported, imported()) {
        (Some(memory), _) => memory,
        (None, Some((from, name))) => linker.get(&mut store, &from, &name)?.into_memory().context("it is a memory")?,
        (None, None) => bail!("no memory to be seen"),
    };
    let table = instance.exports(&mut store).find_map(|export| export.into_table());
    store.data_mut().library = Library { memory: Some(memory), table };
    let (names, sum) = (HashMap::new(), Sum(0x811c_9dc5));
    let mut driven = Driven { store: &mut store, instance, memory, input: &work.stdin, names, sum };
    driven.steps(&script.setup)?;
    let before = crate::run::now();
    for _ in 0..script.times {
        driven.steps(&script.work)?;
    }
    let time = crate::run::now() - before;
    driven.steps(&script.check)?;
    Ok((time, format!("{:08x}", driven.sum.0).into_bytes()))
}

fn help(caller: &mut Caller<'_, Host>, helper: Helper, args: &[Val], results: &mut [Val]) -> anyhow::Result<()> {
    let int = |index: usize| args.get(index).and_then(Val::i32).map_or(0, |value| value as u32 as usize);
    if helper == Helper::Nothing {
        return Ok(());
    }
    if helper == Helper::Invoke {
        let table = caller.data().library.table.context("no table")?;
        let func = match table.get(&mut *caller, int(0) as u64) {
            Some(Ref::Func(Some(func))) => func,
            _ => bail!("no function in the table"),
        };
        func.call(&mut *caller, &args[1..], results)?;
        return Ok(());
    }
    let memory = caller.data().library.memory.context("no memory")?;
    if helper == Helper::Copy {
        let (to, from, length) = (int(0), int(1), int(2));
        memory.data_mut(&mut *caller).copy_within(from..from + length, to);
        results.iter_mut().for_each(|result| *result = args[0]);
    } else {
        let missing = int(0).saturating_sub(memory.data_size(&*caller)).div_ceil(1 << 16);
        let grown = memory.grow(&mut *caller, missing as u64).is_ok();
        results.iter_mut().for_each(|result| *result = Val::I32(i32::from(grown)));
    }
    Ok(())
}

/// FNV-1a of 32 bits.
struct Sum(u32);

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}

/// Numbers that look random, always the same.
fn numbers() -> impl Iterator<Item = u32> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    })
}

fn random(length: usize) -> Vec<u8> {
    numbers().map(|number| (number >> 11) as u8).take(length).collect()
}

/// Numbers between 0 and 1, of 32 bits.
fn floats(count: usize) -> Vec<u8> {
    let floats = numbers().take(count).map(|number| (number >> 8) as f32 / (1 << 24) as f32);
    floats.flat_map(f32::to_le_bytes).collect()
}

/// Words, some more frequent than others, in sentences.
fn text(length: usize) -> Vec<u8> {
    const WORDS: [&str; 24] = [
        "the",
        "of",
        "and",
        "a",
        "to",
        "in",
        "river",
        "mountain",
        "is",
        "that",
        "quickly",
        "for",
        "with",
        "house",
        "as",
        "garden",
        "was",
        "number",
        "on",
        "light",
        "between",
        "they",
        "evening",
        "compilation",
    ];
    let mut text = Vec::new();
    for number in numbers() {
        if text.len() >= length {
            break;
        }
        let (first, second) = (number as usize % WORDS.len(), (number >> 8) as usize % WORDS.len());
        text.extend_from_slice(WORDS[first.min(second)].as_bytes());
        text.extend_from_slice(if number >> 28 == 0 { b".\n" } else { b" " });
    }
    text.truncate(length);
    text
}

fn hex(digits: &str) -> anyhow::Result<Vec<u8>> {
    let byte = |at: usize| Ok(u8::from_str_radix(digits.get(at..at + 2).context("an odd number of digits")?, 16)?);
    (0..digits.len()).step_by(2).map(byte).collect()
}
