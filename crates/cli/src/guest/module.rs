//! Core modules: instances, numbers as arguments, results.

use super::Guest;
use std::fmt::Write as _;
use wasmtime::{Func, Linker, Module, Result, Store, Val, ValType, bail, format_err};
use wasmtime_cli::commands::Host;

impl Guest<'_> {
    /// Instantiates a core module and calls its function.
    pub(super) async fn call_module(
        &self,
        module: &Module,
        linker: &mut Linker<Host>,
        store: &mut Store<Host>,
    ) -> Result<String> {
        let wasm = &self.command.run.common.wasm;
        if wasm.unknown_imports_trap == Some(true) {
            linker.define_unknown_imports_as_traps(module)?;
        }
        if wasm.unknown_imports_default == Some(true) {
            linker.define_unknown_imports_as_default_values(&mut *store, module)?;
        }
        let instance = match linker.instantiate_async(&mut *store, module).await {
            Ok(instance) => instance,
            Err(error) => return Err(self.dump(store, error).context("failed to instantiate the module")),
        };
        // Of a library that wants to be prepared.
        if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
            let initialize = initialize.typed::<(), ()>(&store)?;
            if let Err(error) = initialize.call_async(&mut *store, ()).await {
                return Err(self.dump(store, error));
            }
        }
        let invoked = self.command.invoke.as_deref();
        let names = invoked.map_or_else(|| vec!["", "_start"], |name| vec![name]);
        let Some(func) = names.into_iter().find_map(|name| instance.get_func(&mut *store, name)) else {
            return match invoked {
                Some(name) if name.ends_with(')') => Err(format_err!(
                    "no func export named `{name}` found; this is a core module, whose functions are called by their \
                     name alone, with the arguments behind the file"
                )),
                Some(name) => Err(format_err!("no func export named `{name}` found")),
                None => Ok(String::new()),
            };
        };
        self.invoke(store, func).await
    }

    async fn invoke(&self, store: &mut Store<Host>, func: Func) -> Result<String> {
        let name = self.command.invoke.as_deref().unwrap_or("_start");
        let ty = func.ty(&*store);
        let mut words = self.command.module_and_args[1..].iter();
        let mut arguments = Vec::new();
        let params = ty.params().len();
        for ty in ty.params() {
            let Some(word) = words.next() else {
                bail!("not enough arguments for `{name}`: it takes {params}, and there are {}", arguments.len())
            };
            let Some(word) = word.to_str() else { bail!("argument is not valid UTF-8: {word:?}") };
            arguments.push(argument(word, &ty)?);
        }
        let mut results = vec![Val::I32(0); ty.results().len()];
        if let Err(error) = func.call_async(&mut *store, &arguments, &mut results).await {
            let error = error.context(format!("failed to invoke `{name}`"));
            return Err(self.dump(store, error));
        }
        let mut shown = String::new();
        results.iter().try_for_each(|result| writeln!(shown, "{}", show(result)))?;
        Ok(shown)
    }
}

/// An argument as it is written on the command line: a number, of integers also the bits in hexadecimal.
fn argument(word: &str, ty: &ValType) -> Result<Val> {
    let integer = |bits: u32| -> Option<i64> {
        let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
        let value = match hexadecimal {
            Some(digits) => i128::from_str_radix(digits, 16),
            None => digits.parse::<i128>(),
        };
        let value = value.ok()?.checked_mul(if negative { -1 } else { 1 })?;
        // Signed or unsigned, as it is meant.
        (-(1 << (bits - 1))..1 << bits).contains(&value).then_some(value as i64)
    };
    let value = match ty {
        ValType::I32 => integer(32).map(|value| Val::I32(value as i32)),
        ValType::I64 => integer(64).map(Val::I64),
        ValType::F32 => word.parse::<f32>().ok().map(Val::from),
        ValType::F64 => word.parse::<f64>().ok().map(Val::from),
        other => bail!("an argument of type {other} cannot be given on the command line"),
    };
    value.ok_or_else(|| format_err!("`{word}` is no {ty}"))
}

fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => value.as_u128().to_string(),
        Val::FuncRef(reference) => reference_to("funcref", reference.is_none()),
        Val::ExternRef(reference) => reference_to("externref", reference.is_none()),
        Val::AnyRef(reference) => reference_to("anyref", reference.is_none()),
        Val::ExnRef(reference) => reference_to("exnref", reference.is_none()),
        Val::ContRef(reference) => reference_to("contref", reference.is_none()),
    }
}

fn reference_to(what: &str, null: bool) -> String {
    if null { format!("<null {what}>") } else { format!("<{what}>") }
}
