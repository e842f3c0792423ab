//! Generators of modules that aim at one class of miscompilation each, and the comparison they all end in.

pub mod aliases;
pub mod atomics;
pub mod before_unreachable;
pub mod block_locals;
pub mod bulk;
pub mod constants;
pub mod continuations;
pub mod control;
pub mod crowded;
pub mod division;
pub mod exceptions;
pub mod floats;
pub mod fuel;
pub mod halves;
pub mod memory;
pub mod moves;
pub mod narrow;
pub mod null_tests;
pub mod objects;
pub mod pending_writes;
pub mod pressure;
pub mod programs;
pub mod simd;
pub mod single;
pub mod tails;
pub mod traps;
pub mod upper_halves;
pub mod waiting_reads;
pub mod windows;

use crate::backend::Pair;
use crate::observe::{Calls, Event, Rule, Type, Value, difference, observe, observe_linked};
use std::fmt::Write as _;
use wasmtime::Result;

/// A module as text, and what to call in it.
#[derive(Clone, Debug, Default)]
pub struct Generated {
    /// Everything before the functions: types, imports, memories, tables, globals.
    pub head: String,
    /// The functions.
    pub funcs: String,
    /// What to call.
    pub calls: Vec<Calls>,
}

impl Generated {
    /// A module with so far nothing but `head`.
    pub fn new(head: impl Into<String>) -> Generated {
        Generated { head: head.into(), ..Generated::default() }
    }

    /// Adds a function with numbered parameters under a name and exports it, to be called with each of the lists.
    pub fn func(&mut self, name: &str, params: &[Type], results: &[Type], body: &str, args: Vec<Vec<Value>>) {
        writeln!(
            self.funcs,
            "(func ${name} (export \"{name}\") {} {}\n  {body})",
            clause("param", params),
            clause("result", results)
        )
        .expect("a string takes all");
        if !args.is_empty() {
            self.calls.push(Calls::new(name, args));
        }
    }

    /// The whole text.
    #[must_use]
    pub fn wat(&self) -> String {
        format!("(module\n{}\n{})", self.head, self.funcs)
    }

    /// The module.
    ///
    /// # Panics
    ///
    /// If the generator wrote something that is no module.
    #[must_use]
    pub fn wasm(&self) -> Vec<u8> {
        wat::parse_str(self.wat()).unwrap_or_else(|error| panic!("the generator writes text: {error}"))
    }

    /// What Cranelift's code shows, and whether there is a difference to Lightbeam's.
    pub fn check(&self, pair: &Pair, rule: Rule) -> Result<()> {
        let wasm = self.wasm();
        let expected = observe(&pair.cranelift(&wasm)?, &pair.setup, &self.calls);
        self.check_against(&expected, pair, &wasm, rule)
    }

    /// Is there a difference between what Lightbeam's code shows and `expected`?
    pub fn check_against(&self, expected: &[Event], pair: &Pair, wasm: &[u8], rule: Rule) -> Result<()> {
        let actual = observe(&pair.lightbeam(wasm)?, &pair.setup, &self.calls);
        match difference(expected, &actual, rule) {
            None => Ok(()),
            Some(difference) => Err(wasmtime::Error::msg(self.explain(&difference.what, expected.get(difference.at)))),
        }
    }

    /// A difference with the function and arguments it came from.
    #[must_use]
    pub fn explain(&self, what: &str, event: Option<&Event>) -> String {
        let Some(Event::Call { func, call, .. }) = event else { return what.to_string() };
        let calls = &self.calls[*func];
        let text = self.funcs.split("(func ").find(|text| text.starts_with(&format!("${} ", calls.func)));
        format!("{what}\n{}{:?}\n(func {}", calls.func, calls.args[*call], text.unwrap_or_default())
    }
}

/// A module that imports what another exports, and what to call in it.
#[derive(Clone, Debug, Default)]
pub struct Linked {
    /// The text of the module that exports.
    pub owner: String,
    /// The module that imports from `owner`.
    pub user: Generated,
}

impl Linked {
    /// Does the code of Lightbeam show what Cranelift's does, whoever compiles the owner? Cranelift compiles it for
    /// what is expected.
    pub fn check(&self, pair: &Pair, rule: Rule) -> Result<()> {
        let owner = wat::parse_str(&self.owner)?;
        let user = self.user.wasm();
        let (foreign, own) = pair.both(&owner)?;
        let expected = observe_linked(&foreign, &pair.cranelift(&user)?, &pair.setup, &self.user.calls);
        let module = pair.lightbeam(&user)?;
        for (compiler, owner) in [("Cranelift", &foreign), ("Lightbeam", &own)] {
            let actual = observe_linked(owner, &module, &pair.setup, &self.user.calls);
            if let Some(difference) = difference(&expected, &actual, rule) {
                let what = self.user.explain(&difference.what, expected.get(difference.at));
                return Err(wasmtime::Error::msg(format!("with an owner by {compiler}: {what}")));
            }
        }
        Ok(())
    }
}

/// `(param i32 i64)` and the like; nothing for no types.
#[must_use]
pub fn clause(what: &str, types: &[Type]) -> String {
    if types.is_empty() {
        return String::new();
    }
    format!("({what} {})", types.iter().map(|ty| name(*ty)).collect::<Vec<_>>().join(" "))
}

/// The type's name.
#[must_use]
pub fn name(ty: Type) -> &'static str {
    match ty {
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::V128 => "v128",
        Type::Func => "funcref",
    }
}

/// The instruction that gives a value, NaNs bit for bit.
#[must_use]
pub fn literal(value: Value) -> String {
    match value {
        Value::I32(v) => format!("i32.const {v}"),
        Value::I64(v) => format!("i64.const {v}"),
        Value::F32(v) => {
            let f = f32::from_bits(v);
            let sign = if v >> 31 == 0 { "" } else { "-" };
            if f.is_nan() { format!("f32.const {sign}nan:{:#x}", v & 0x7f_ffff) } else { format!("f32.const {f:?}") }
        }
        Value::F64(v) => {
            let f = f64::from_bits(v);
            let sign = if v >> 63 == 0 { "" } else { "-" };
            let payload = v & 0xf_ffff_ffff_ffff;
            if f.is_nan() { format!("f64.const {sign}nan:{payload:#x}") } else { format!("f64.const {f:?}") }
        }
        Value::V128(v) => format!("v128.const i64x2 {:#x} {:#x}", v as u64, (v >> 64) as u64),
        Value::Func(_) => "ref.null func".into(),
    }
}

/// A statement on the locals `$a` to `$f` or the memory, by number below 6.
fn plain(choice: usize, n: i32) -> String {
    match choice {
        0 => format!("(local.set $a (i32.add (local.get $a) (i32.const {n})))"),
        1 => format!("(local.set $b (i64.add (i64.mul (local.get $b) (i64.const 3)) (i64.const {n})))"),
        2 => format!("(local.set $c (f64.add (local.get $c) (f64.const {n}.5)))"),
        3 => "(local.set $d (i32.rotl (local.get $d) (local.get $a)))".into(),
        4 => format!("(local.set $f (f32.add (local.get $f) (f32.const {n}.25)))"),
        _ => format!("(i32.store (i32.const 64) (i32.add (local.get $d) (i32.const {n})))"),
    }
}

/// Every list of one value from each of the columns.
#[must_use]
pub fn product(columns: &[Vec<Value>]) -> Vec<Vec<Value>> {
    columns.iter().fold(vec![Vec::new()], |rows, column| {
        rows.iter().flat_map(|row| column.iter().map(move |v| [row.as_slice(), &[*v]].concat())).collect()
    })
}
