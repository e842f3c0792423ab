//! Components: commands of either version of WASI, and single functions with their arguments in WAVE, the text format
//! of the component model's values.

use super::Guest;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::wasm_wave::wasm::{DisplayFuncResults, DisplayType};
use wasmtime::component::wit_parser::ItemName;
use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, Linker, Val};
use wasmtime::error::Context as _;
use wasmtime::{Error, Result, Store, bail};
use wasmtime_cli::commands::Host;
use wasmtime_wasi::{I32Exit, p2, p3};

impl Guest<'_> {
    /// Instantiates a component and calls its function.
    pub(super) async fn call_component(
        &self,
        component: &Component,
        linker: &mut Linker<Host>,
        store: &mut Store<Host>,
    ) -> Result<String> {
        if self.command.run.common.wasm.unknown_imports_trap == Some(true) {
            linker.define_unknown_imports_as_traps(component)?;
        }
        let called = match &self.command.invoke {
            Some(call) => self.invoke_export(call, component, linker, store).await,
            None => self.run_command(component, linker, store).await.map(|()| String::new()),
        };
        called.map_err(|error| self.dump(store, error))
    }

    async fn run_command(&self, component: &Component, linker: &Linker<Host>, store: &mut Store<Host>) -> Result<()> {
        let wasi = &self.command.run.common.wasi;
        let exports = |interface: &str| {
            let ty = component.component_type();
            ty.exports(component.engine())
                .any(|(name, _)| name.strip_prefix(interface).is_some_and(|v| v.starts_with('@')))
        };
        if !exports("wasi:cli/run") && (exports("wasi:http/incoming-handler") || exports("wasi:http/handler")) {
            bail!("this component handles requests of HTTP: it is `lightbeam serve` that serves with it");
        }
        let instance = instantiate(component, linker, store).await?;
        // Wasmtime has the newer version on unless it is switched off.
        let newer = if wasi.p3 == Some(false) { None } else { p3::bindings::Command::new(&mut *store, &instance).ok() };
        let ran = match newer {
            Some(command) => store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await?,
            None => {
                let command = p2::bindings::Command::new(&mut *store, &instance).context(
                    "this component is no command, as it does not export `wasi:cli/run`; \
                     `--invoke` calls another function",
                )?;
                command.wasi_cli_run().call_run(&mut *store).await
            }
        };
        match ran.context("failed to invoke `run` function")? {
            Ok(()) => Ok(()),
            Err(()) => Err(I32Exit(1).into()),
        }
    }

    async fn invoke_export(
        &self,
        call: &str,
        component: &Component,
        linker: &Linker<Host>,
        store: &mut Store<Host>,
    ) -> Result<String> {
        let parsed = UntypedFuncCall::parse(call).with_context(|| {
            format!(
                "`{call}` is no call of a component's function, which is written with its arguments in WAVE, such as \
                 `--invoke 'add(1, 2)'` or `--invoke 'greet(\"you\")'`"
            )
        })?;
        let name = match parsed.item_name() {
            Ok(name) => name,
            // A function's name can be a word that says something else in a path.
            Err(_) if !parsed.name().contains([':', '/', '.', '@']) => {
                ItemName { package: None, interface: None, name: parsed.name().to_owned() }
            }
            Err(error) => {
                let explain = format!("`{}` is no name of a function", parsed.name());
                return Err(Error::from_anyhow(error).context(explain));
            }
        };
        let (ty, export) = find(component, &name)?;
        let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
        let arguments: Vec<Val> = parsed
            .to_wasm_params(&types)
            .with_context(|| format!("the arguments of `{call}` are not those of `{}`", signature(&ty)))?;
        let instance = instantiate(component, linker, store).await?;
        let Some(func) = instance.get_func(&mut *store, export) else { bail!("`{name}` is no function") };
        let mut results = vec![Val::Bool(false); ty.results().len()];
        let invoked = self.call(func, &arguments, &mut results, store).await;
        invoked.with_context(|| format!("failed to invoke `{name}`"))?;
        Ok(format!("{}\n", DisplayFuncResults(&results)))
    }

    async fn call(&self, func: Func, arguments: &[Val], results: &mut [Val], store: &mut Store<Host>) -> Result<()> {
        if !self.engine.get_concurrency_support() {
            return func.call_async(&mut *store, arguments, results).await;
        }
        // So that what the function has begun is gone on with.
        store.run_concurrent(async |store| func.call_concurrent(store, arguments, results).await).await?
    }
}

async fn instantiate(component: &Component, linker: &Linker<Host>, store: &mut Store<Host>) -> Result<Instance> {
    let instance = linker.instantiate_async(&mut *store, component).await;
    instance.context("failed to instantiate the component")
}

/// The function of a name that a component exports: by itself, or in the one instance that has such a function.
fn find(component: &Component, name: &ItemName) -> Result<(ComponentFunc, ComponentExportIndex)> {
    if let Some((ComponentItem::ComponentFunc(ty), export)) = component.get_export(None, name.clone()) {
        return Ok((ty, export));
    }
    let engine = component.engine();
    let mut found = Vec::new();
    // Who says where it is means that place alone.
    if name.interface.is_none() && name.package.is_none() {
        let function = name.to_string();
        for (instance, item) in component.component_type().exports(engine) {
            let Some(index) = component.get_export_index(None, instance) else { continue };
            if !matches!(item.ty, ComponentItem::ComponentInstance(_)) {
                continue;
            }
            if let Some((ComponentItem::ComponentFunc(ty), export)) =
                component.get_export(Some(&index), function.as_str())
            {
                found.push((instance.to_owned(), ty, export));
            }
        }
    }
    match found.len() {
        0 => {
            let functions = functions(component);
            let has = if functions.is_empty() { "none".into() } else { format!("`{}`", functions.join("`, `")) };
            bail!("no exported function named `{name}`; the component has {has}")
        }
        1 => Ok(found.pop().map(|(_, ty, export)| (ty, export)).expect("one")),
        _ => {
            let places: Vec<_> = found.iter().map(|(instance, ..)| within(instance, &name.name)).collect();
            bail!("several instances have a function named `{name}`; say which: `{}`", places.join("`, `"))
        }
    }
}

/// A function's type as it is written in WIT.
fn signature(ty: &ComponentFunc) -> String {
    let parameters: Vec<_> = ty.params().map(|(name, ty)| format!("{name}: {}", DisplayType(&ty))).collect();
    let result: String = ty.results().map(|ty| format!(" -> {}", DisplayType(&ty))).collect();
    format!("func({}){result}", parameters.join(", "))
}

/// Functions that can be called, by the names that `--invoke` takes; of many only the first.
fn functions(component: &Component) -> Vec<String> {
    const MOST: usize = 20;
    let engine = component.engine();
    let mut names = Vec::new();
    for (name, item) in component.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(_) => names.push(name.to_owned()),
            ComponentItem::ComponentInstance(instance) => {
                let exports = instance.exports(engine);
                let functions = exports.filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
                names.extend(functions.map(|(function, _)| within(name, function)));
            }
            _ => {}
        }
    }
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more != 0 {
        names.push(format!("… ({more} more)"));
    }
    names
}

/// The name of a function in an instance: the version comes last.
fn within(instance: &str, function: &str) -> String {
    match instance.split_once('@') {
        Some((instance, version)) => format!("{instance}.{function}@{version}"),
        None => format!("{instance}.{function}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_are_those_that_can_be_called() {
        for (instance, name) in [
            ("wasi:cli/run@0.2.0", "wasi:cli/run.run@0.2.0"),
            ("local:pack/things", "local:pack/things.run"),
            ("things", "things.run"),
        ] {
            assert_eq!(within(instance, "run"), name);
            assert!(name.parse::<ItemName>().is_ok_and(|name| name.name == "run"), "{name}");
        }
    }
}
