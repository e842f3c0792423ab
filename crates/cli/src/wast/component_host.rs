//! What Wasmtime's scripts import into components: functions at the root, the instance `host` with resources and
//! functions that take their time, and the instance `wasmtime`.

use super::Modules;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType};
use wasmtime::{AsContextMut, Result, StoreContextMut, bail};

/// Two types of resources. What the host has of one is its number alone.
enum One {}
enum Two {}

/// Defines all of it.
pub(super) fn define(linker: &mut Linker<()>, compiler: &dyn Modules) -> Result<()> {
    let concurrent = compiler.engine().get_concurrency_support();
    let mut root = linker.root();
    if concurrent {
        root.func_wrap_concurrent("host-echo-u32", |_, (number,): (u32,)| Box::pin(async move { Ok((number,)) }))?;
    }
    root.func_wrap("host-return-two", |_, (): ()| Ok((2_u32,)))?;

    let mut host = linker.instance("host")?;
    host.func_wrap("return-three", |_, (): ()| Ok((3_u32,)))?;
    host.func_wrap("return-hi", |_, (): ()| Ok(("hi".to_string(),)))?;
    host.instance("nested")?.func_wrap("return-four", |_, (): ()| Ok((4_u32,)))?;
    let module = r#"(module (global (export "g") i32 i32.const 100) (func (export "f") (result i32) i32.const 101))"#;
    host.module("simple-module", &compiler.module(module.as_bytes())?)?;
    resources(&mut host)?;
    if concurrent {
        slow(&mut host)?;
    }

    let mut own = linker.instance("wasmtime")?;
    own.func_wrap("gc", |mut store: StoreContextMut<'_, ()>, (): ()| store.gc(None))?;
    own.func_wrap("set-max-table-capacity", |mut store: StoreContextMut<'_, ()>, (most,): (u32,)| {
        match store.as_context_mut().concurrent_resource_table() {
            Some(table) => {
                table.set_max_capacity(most as usize);
                Ok(())
            }
            None => bail!("the store has no table of concurrent resources"),
        }
    })
}

fn resources(host: &mut LinkerInstance<'_, ()>) -> Result<()> {
    let drops = Arc::new(AtomicU32::new(0));
    let last = Arc::new(AtomicU32::new(0));
    host.resource("resource1", ResourceType::host::<One>(), {
        let (drops, last) = (drops.clone(), last.clone());
        move |_, number| {
            drops.fetch_add(1, Ordering::SeqCst);
            last.store(number, Ordering::SeqCst);
            Ok(())
        }
    })?;
    host.resource("resource2", ResourceType::host::<Two>(), |_, _| Ok(()))?;
    // A second name of the first type, by whose destructor nothing is dropped.
    host.resource("resource1-again", ResourceType::host::<One>(), |_, _| bail!("dropped by its second name"))?;

    host.func_wrap("[constructor]resource1", |_, (number,): (u32,)| Ok((Resource::<One>::new_own(number),)))?;
    host.func_wrap("[static]resource1.assert", |_, (one, number): (Resource<One>, u32)| {
        is(one.rep() == number, "the resource has another number")
    })?;
    host.func_wrap("[static]resource1.last-drop", move |_, (): ()| Ok((last.load(Ordering::SeqCst),)))?;
    host.func_wrap("[static]resource1.drops", move |_, (): ()| Ok((drops.load(Ordering::SeqCst),)))?;
    host.func_wrap("[method]resource1.simple", |_, (one, number): (Resource<One>, u32)| {
        is(!one.owned() && one.rep() == number, "the resource is not borrowed, or has another number")
    })?;
    host.func_wrap("[method]resource1.take-borrow", |_, (a, b): (Resource<One>, Resource<One>)| {
        is(!a.owned() && !b.owned(), "both resources should be borrowed")
    })?;
    host.func_wrap("[method]resource1.take-own", |_, (a, b): (Resource<One>, Resource<One>)| {
        is(!a.owned() && b.owned(), "the first resource should be borrowed, and the second owned")
    })
}

fn is(true_of_it: bool, otherwise: &str) -> Result<()> {
    if true_of_it { Ok(()) } else { bail!("{otherwise}") }
}

/// Functions that do not return at once, or not at all.
fn slow(host: &mut LinkerInstance<'_, ()>) -> Result<()> {
    host.func_wrap_concurrent("never-return", |_, (): ()| Box::pin(pending::<Result<()>>()))?;
    host.func_wrap_concurrent("[method]resource1.never-return", |_, (_,): (Resource<One>,)| {
        Box::pin(pending::<Result<()>>())
    })?;
    host.func_wrap_concurrent("return-two-slowly", |_, (): ()| {
        Box::pin(async {
            next_turn().await;
            Ok((2_i32,))
        })
    })?;
    host.func_wrap_concurrent("echo-slowly", |_, (number,): (u32,)| {
        Box::pin(async move {
            next_turn().await;
            Ok((number,))
        })
    })
}

/// Is done when it is asked a second time.
async fn next_turn() {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
