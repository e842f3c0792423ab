//! Components of scripts: each instance has a store of its own, and imports from the host or from what components of
//! the script export under their names.

use super::{Modules, component_host, component_values};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, Instance, Linker, LinkerInstance, Val};
use wasmtime::{Result, Store, bail, format_err};
use wast::WastArg;

/// What components may import, and how they are instantiated.
pub(super) struct Components {
    linker: Linker<()>,
}

/// An instance of a component, in its store.
pub(super) struct Live {
    store: Store<()>,
    component: Component,
    instance: Instance,
}

impl Components {
    pub(super) fn new(compiler: &dyn Modules) -> Result<Components> {
        let mut linker = Linker::new(compiler.engine());
        linker.allow_shadowing(true);
        component_host::define(&mut linker, compiler)?;
        Ok(Components { linker })
    }

    pub(super) fn instantiate(&self, component: &Component) -> Result<Live> {
        let mut store = Store::new(self.linker.engine(), ());
        let instance = wait(self.linker.instantiate_async(&mut store, component))?;
        Ok(Live { store, component: component.clone(), instance })
    }

    /// Lets components import what an instance exports, under a name: its modules and its types of resources. A
    /// function cannot leave its store.
    pub(super) fn register(&mut self, name: &str, live: &mut Live) -> Result<()> {
        let engine = self.linker.engine().clone();
        let exports: Vec<_> = live.component.component_type().exports(&engine).map(named).collect();
        live.export(&mut self.linker.instance(name)?, None, exports)
    }
}

fn named((name, item): (&str, wasmtime::component::types::ComponentExtern)) -> (String, ComponentItem) {
    (name.to_string(), item.ty)
}

impl Live {
    fn export(
        &mut self,
        linker: &mut LinkerInstance<'_, ()>,
        within: Option<&ComponentExportIndex>,
        exports: Vec<(String, ComponentItem)>,
    ) -> Result<()> {
        for (name, item) in exports {
            let index = self.instance.get_export_index(&mut self.store, within, &name);
            let index = index.ok_or_else(|| format_err!("the instance has no `{name}`, which its type has"))?;
            match item {
                ComponentItem::Module(_) => {
                    let module = self.instance.get_module(&mut self.store, index);
                    linker.module(&name, &module.ok_or_else(|| format_err!("`{name}` is no module"))?)?;
                }
                ComponentItem::Resource(_) => {
                    let resource = self.instance.get_resource(&mut self.store, index);
                    let resource = resource.ok_or_else(|| format_err!("`{name}` is no resource"))?;
                    linker.resource(&name, resource, |_, _| Ok(()))?;
                }
                ComponentItem::ComponentInstance(ty) => {
                    let engine = self.store.engine().clone();
                    let exports = ty.exports(&engine).map(named).collect();
                    self.export(&mut linker.instance(&name)?, Some(&index), exports)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Calls an exported function. The outer error is about the script, the inner one what the guest's code came to.
    pub(super) fn call(&mut self, name: &str, arguments: &[WastArg<'_>]) -> Result<Result<Vec<Val>>> {
        let Some(function) = self.instance.get_func(&mut self.store, name) else {
            bail!("no exported function `{name}`")
        };
        let ty = function.ty(&self.store);
        if ty.params().len() != arguments.len() {
            bail!("`{name}` has {} parameters, but {} arguments are given", ty.params().len(), arguments.len());
        }
        let argument = |(argument, (_, ty)): (&WastArg<'_>, (&str, wasmtime::component::Type))| match argument {
            WastArg::Component(value) => component_values::argument(value, &ty),
            other => bail!("a component takes no such argument: {other:?}"),
        };
        let arguments: Vec<Val> = arguments.iter().zip(ty.params()).map(argument).collect::<Result<_>>()?;
        let mut results = vec![Val::Bool(false); ty.results().len()];
        Ok(wait(function.call_async(&mut self.store, &arguments, &mut results)).map(|()| results))
    }
}

/// Runs a future to its end. Nobody but the future itself can wake it: the host has no clock, and no input.
fn wait<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        if !woken.0.swap(false, Ordering::Relaxed) {
            bail!("waits for what never comes");
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Woken>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
