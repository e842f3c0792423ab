//! Real programs as components: each command of the corpus and of the repository is made a component by the tools that
//! everybody uses, and must then do what it does as a module.
//!
//! The programs call `bench.start` and `bench.end` around their work. As components they import these as an interface
//! of a world, which the host answers; all else they ask of WASI goes through the published adapter.

use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam::Compiler;
use lightbeam_tests::shared;
use std::path::{Path, PathBuf};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, FrameInfo, Module, Store, Trap, WasmBacktrace};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wit_component::{ComponentEncoder, StringEncoding};

/// The world that a program is of beside that of commands.
const WORLD: &str = "package lightbeam:corpus;
    world program {
        import bench: interface {
            start: func();
            end: func();
        }
    }";

/// The programs that write into the memory that the adapter took for itself, which traps because it notices. So they
/// do with Cranelift. They print times, so digits are not compared.
const TRAPS_IN_ADAPTER: &[&str] = &["sqlite3"];

fn main() {
    let arguments = Arguments::from_args();
    let mut programs: Vec<PathBuf> = Vec::new();
    if let Some(folder) = shared::folder("corpus/run") {
        programs.extend(shared::files(&folder, "wasm"));
    }
    // Those of the repository are there always.
    let own = shared::files(&shared::repository().join("bench/simd"), "wasm");
    assert!(!own.is_empty(), "the programs of bench/simd are gone");
    programs.extend(own);
    let trials = programs.into_iter().map(|path| {
        let named = if path.ends_with("benchmark.wasm") { path.parent().expect("it has a folder") } else { &path };
        let name = named.file_stem().expect("it has a name").to_string_lossy().into_owned();
        Trial::test(format!("corpus/{name}"), move || does_as_a_component_what_it_must(&name, &path))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn does_as_a_component_what_it_must(name: &str, path: &Path) -> Result<(), Failed> {
    let wasm = std::fs::read(path)?;
    let folder = path.parent().expect("it has a folder");
    let compiler = Compiler::new(&Config::new()).map_err(failed)?;
    let binary = as_component(&wasm).map_err(|error| format!("no component comes of it: {error:?}"))?;

    let whole = compiler.precompile_component(&binary).map_err(failed)?;
    let mut stream = compiler.component_stream();
    // Chunks that no section ends with.
    for chunk in binary.chunks(4093) {
        stream.push(chunk).map_err(failed)?;
    }
    let streamed = stream.finish_artifact().map_err(failed)?;
    if whole != streamed {
        return Err("compiled while it arrives, the artifact is another".into());
    }
    // SAFETY: the artifact comes from the compiler and nobody has changed it.
    let component = unsafe { Component::deserialize(compiler.engine(), &whole) }.map_err(failed)?;
    let as_component = Outcome::of_component(&component, folder).map_err(failed)?;
    let expected = if TRAPS_IN_ADAPTER.contains(&name) {
        let engine = Engine::new(&Config::new()).map_err(failed)?;
        let by_cranelift = Component::from_binary(&engine, &binary).map_err(failed)?;
        let outcome = Outcome::of_component(&by_cranelift, folder).map_err(failed)?;
        if !outcome.trap.as_ref().is_some_and(|trap| trap.contains("assert_fail")) {
            return Err(format!("with Cranelift it does not trap in the adapter: {outcome:?}").into());
        }
        outcome
    } else {
        let module = compiler.module(&wasm).map_err(failed)?;
        Outcome::of_module(&compiler, &module, folder).map_err(failed)?
    };
    if as_component == expected {
        return Ok(());
    }
    Err(format!("expected {expected:?}, but as a component it gives {as_component:?}").into())
}

fn failed(error: wasmtime::Error) -> Failed {
    format!("{error:?}").into()
}

/// A component of a module that is a command of WASI's first preview.
fn as_component(wasm: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("corpus.wit", WORLD)?;
    let world = resolve.select_world(&[package], Some("program"))?;
    let mut wasm = wasm.to_vec();
    wit_component::embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .module(&wasm)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)?
        .validate(true)
        .encode()
}

/// What a program does that can be seen from outside.
#[derive(PartialEq, Eq)]
struct Outcome {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How often it said that its work begins, and that it ends.
    brackets: [u32; 2],
    /// Which trap it ended with, and where.
    trap: Option<String>,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [stdout, stderr] = [&self.stdout, &self.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        write!(f, "{:?}, {:?}, {stdout:?}, {stderr:?}", self.brackets, self.trap)
    }
}

/// What the host keeps for a component.
struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    brackets: [u32; 2],
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// What a program finds around it, and where it writes to.
fn surroundings(folder: &Path) -> wasmtime::Result<(WasiCtxBuilder, [MemoryOutputPipe; 2])> {
    let pipes = [(); 2].map(|()| MemoryOutputPipe::new(64 << 20));
    let mut wasi = WasiCtxBuilder::new();
    wasi.arg("benchmark.wasm").stdout(pipes[0].clone()).stderr(pipes[1].clone());
    wasi.preopened_dir(folder, ".", FsPerms::ReadOnly)?;
    Ok((wasi, pipes))
}

impl Outcome {
    /// What a program has written when it ended like this.
    fn of(ended: wasmtime::Result<()>, pipes: &[MemoryOutputPipe; 2], brackets: [u32; 2]) -> wasmtime::Result<Outcome> {
        let [mut stdout, stderr] = pipes.each_ref().map(|pipe| pipe.contents().to_vec());
        let trap = match ended {
            Ok(()) => None,
            // Leaving without complaint is an end like any other.
            Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => None,
            Err(error) => match (error.downcast_ref::<Trap>(), error.downcast_ref::<WasmBacktrace>()) {
                (Some(trap), Some(backtrace)) => {
                    stdout.iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'0');
                    let frame = |frame: &FrameInfo| format!("{:?} {:?}", frame.func_name(), frame.module_offset());
                    let frames: Vec<String> = backtrace.frames().iter().map(frame).collect();
                    Some(format!("{trap} at {}", frames.join(", ")))
                }
                _ => return Err(error),
            },
        };
        Ok(Outcome { stdout, stderr, brackets, trap })
    }

    fn of_component(component: &Component, folder: &Path) -> wasmtime::Result<Outcome> {
        let (mut wasi, pipes) = surroundings(folder)?;
        let host = Host { wasi: wasi.build(), table: ResourceTable::new(), brackets: [0; 2] };
        let mut store = Store::new(component.engine(), host);
        let mut linker: Linker<Host> = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        let mut bench = linker.instance("bench")?;
        for (at, name) in ["start", "end"].into_iter().enumerate() {
            bench.func_wrap(name, move |mut caller, (): ()| {
                let host: &mut Host = caller.data_mut();
                host.brackets[at] += 1;
                Ok(())
            })?;
        }
        let command = Command::instantiate(&mut store, component, &linker)?;
        let ended = command.wasi_cli_run().call_run(&mut store);
        let ended = ended.and_then(|said| said.map_err(|()| wasmtime::format_err!("it says that it failed")));
        Outcome::of(ended, &pipes, store.data().brackets)
    }

    fn of_module(compiler: &Compiler, module: &Module, folder: &Path) -> wasmtime::Result<Outcome> {
        let (mut wasi, pipes) = surroundings(folder)?;
        let mut store = Store::new(compiler.engine(), (wasi.build_p1(), [0; 2]));
        let mut linker: wasmtime::Linker<(WasiP1Ctx, [u32; 2])> = wasmtime::Linker::new(compiler.engine());
        p1::add_to_linker_sync(&mut linker, |(wasi, _)| wasi)?;
        for (at, name) in ["start", "end"].into_iter().enumerate() {
            linker.func_wrap("bench", name, move |mut caller: wasmtime::Caller<'_, (WasiP1Ctx, [u32; 2])>| {
                caller.data_mut().1[at] += 1;
            })?;
        }
        let instance = linker.instantiate(&mut store, module)?;
        let ended = instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ());
        Outcome::of(ended, &pipes, store.data().1)
    }
}
