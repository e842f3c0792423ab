//! A host for plugins that nobody vouches for: programs of WASI, modules of its first preview and components of 0.2.
//! Each has so much memory and so much time, all share one thread, and instances come out of a pool.
//!
//! ```text
//! cargo run --bin plugin-host -- examples/fib.wat examples/plugins/*.wat
//! ```

use lightbeam::{Compiled, Compiler};
use std::time::{Duration, Instant};
use wasmtime::component::{self, ResourceTable};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, Result, Store, StoreLimits,
    StoreLimitsBuilder, UpdateDeadline, bail,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// Bytes that a plugin's memories may have in all.
const MEMORY: usize = 16 << 20;
/// How long a plugin may run.
const TIME: Duration = Duration::from_millis(300);
/// How long it may run until the others have a turn.
const TURN: Duration = Duration::from_millis(10);
/// Bytes that it may write.
const OUTPUT: usize = 64 << 10;

/// What the host knows of a plugin, `W` being what WASI does.
struct Plugin<W> {
    wasi: W,
    limits: StoreLimits,
}

/// WASI as components see it.
struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Plugin<Wasi> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi.ctx, table: &mut self.wasi.table }
    }
}

fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(40).total_component_instances(20).total_memories(40).total_tables(40).total_stacks(20);
    pool.max_memory_size(MEMORY);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).epoch_interruption(true);
    config
}

/// A store in which a plugin can use no more than it may.
fn store<W: 'static>(engine: &Engine, wasi: W) -> Store<Plugin<W>> {
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY).instances(8).memories(8).build();
    let mut store = Store::new(engine, Plugin { wasi, limits });
    store.limiter(|plugin| &mut plugin.limits);
    store.set_epoch_deadline(1);
    let begun = Instant::now();
    store.epoch_deadline_callback(move |_| {
        if begun.elapsed() > TIME {
            bail!("it took more than {} ms", TIME.as_millis());
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Runs a plugin and gives what it wrote.
async fn run(compiler: Compiler, plugin: Compiled) -> Result<String> {
    let engine = compiler.engine();
    let output = MemoryOutputPipe::new(OUTPUT);
    let mut wasi = WasiCtxBuilder::new();
    wasi.stdout(output.clone());
    match plugin {
        Compiled::Module(module) => {
            let mut linker: Linker<Plugin<WasiP1Ctx>> = Linker::new(engine);
            p1::add_to_linker_async(&mut linker, |plugin| &mut plugin.wasi)?;
            let mut store = store(engine, wasi.build_p1());
            let instance = linker.instantiate_async(&mut store, &module).await?;
            instance.get_typed_func::<(), ()>(&mut store, "_start")?.call_async(&mut store, ()).await?;
        }
        Compiled::Component(component) => {
            let mut linker: component::Linker<Plugin<Wasi>> = component::Linker::new(engine);
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            let mut store = store(engine, Wasi { ctx: wasi.build(), table: ResourceTable::new() });
            let command = Command::instantiate_async(&mut store, &component, &linker).await?;
            if command.wasi_cli_run().call_run(&mut store).await?.is_err() {
                bail!("it says that it failed");
            }
        }
    }
    Ok(String::from_utf8_lossy(&output.contents()).into_owned())
}

fn main() -> Result<()> {
    let compiler = Compiler::new(&config())?;
    let engine = compiler.engine().weak();
    std::thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TURN);
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        let mut running = Vec::new();
        for path in std::env::args_os().skip(1) {
            // Whatever the bytes are, they give a module, a component or an error.
            let mut stream = compiler.stream();
            let compiled = stream.push(&std::fs::read(&path)?).and_then(|_| stream.finish());
            let compiler = compiler.clone();
            running.push((path, local.spawn_local(async move { run(compiler, compiled?).await })));
        }
        local
            .run_until(async {
                for (path, plugin) in running {
                    match plugin.await.expect("nothing panics") {
                        Ok(output) => println!("{}: {}", path.display(), output.trim_end()),
                        Err(error) => println!("{}: failed: {}", path.display(), error.root_cause()),
                    }
                }
            })
            .await;
        Ok(())
    })
}
