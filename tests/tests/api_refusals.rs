//! The part of `docs/refusals.md` on the library: each row of its table is tried, and must say what stands there.

use lightbeam::{Cache, CancelToken, Compiler, Error};
use std::io;
use std::time::Duration;
use wasmtime::{Config, Engine, Inlining, Module, ModuleVersionStrategy, Result};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/refusals.md");

type Tried = fn(&Compiler) -> Result<()>;

/// What the rows have in their first cell, and what that is. `compiler` is one of `Config::new()`.
const SITUATIONS: [(&str, Tried); 28] = [
    ("`Compiler::new(config.compiler_inlining(Inlining::Yes))`", |_| {
        with(|config| {
            config.compiler_inlining(Inlining::Yes);
            Ok(())
        })
    }),
    ("`Compiler::new(config.module_version(Custom(\"mine\"))?)`", |_| {
        with(|config| config.module_version(ModuleVersionStrategy::Custom("mine".into())).map(drop))
    }),
    ("`Compiler::for_engine_of_version(&engine, \"other\")`, whose engine has `Custom(\"mine\")`", |_| {
        let mut config = Config::new();
        config.module_version(ModuleVersionStrategy::Custom("mine".into()))?;
        Compiler::for_engine_of_version(&Engine::new(&config)?, "other").map(drop)
    }),
    ("`compiler.module(\"\")`", |compiler| compiler.module("").map(drop)),
    ("`compiler.module(\"hello\")`", |compiler| compiler.module("hello").map(drop)),
    ("`compiler.module(b\"\\x89PNG\")`", |compiler| compiler.module(b"\x89PNG").map(drop)),
    ("`compiler.module(b\"\\0asm\\x01\\0\\0\\0\\x01\")`", |compiler| compiler.module(b"\0asm\x01\0\0\0\x01").map(drop)),
    ("`compiler.module(\"(module (func $f (result i32)))\")`", |compiler| {
        compiler.module("(module (func $f (result i32)))").map(drop)
    }),
    ("`compiler.module(\"(module (memory 1) (export \\\"m\\\" (memory 1)))\")`", |compiler| {
        compiler.module("(module (memory 1) (export \"m\" (memory 1)))").map(drop)
    }),
    ("`compiler.module(\"(component)\")`", |compiler| compiler.module("(component)").map(drop)),
    ("`compiler.component(\"(module)\")`", |compiler| compiler.component("(module)").map(drop)),
    ("`compiler.text(false).module(\"(module)\")`", |compiler| {
        compiler.clone().text(false).module("(module)").map(drop)
    }),
    ("`compiler.module_from_binary(b\"(module)\")`", |compiler| compiler.module_from_binary(b"(module)").map(drop)),
    ("`compiler.module_stream().push(b\"\\0asm\\x0d\\0\\x01\\0\")`", |compiler| {
        compiler.module_stream().push(b"\0asm\x0d\0\x01\0").map(drop)
    }),
    ("`compiler.component_stream().push(b\"\\0asm\\x01\\0\\0\\0\")`", |compiler| {
        compiler.component_stream().push(b"\0asm\x01\0\0\0").map(drop)
    }),
    ("`compiler.module_stream().finish()`", |compiler| compiler.module_stream().finish().map(drop)),
    ("`compiler.stream().finish()`", |compiler| compiler.stream().finish().map(drop)),
    ("`compiler.read(source)`, whose source fails", |compiler| compiler.read(Failing).map(drop)),
    ("`compiler.cancel_token(&token).module(\"(module)\")`, after `token.cancel()`", |compiler| {
        let token = CancelToken::default();
        token.cancel();
        compiler.clone().cancel_token(&token).module("(module)").map(drop)
    }),
    ("`compiler.time_limit(Duration::ZERO).module(\"(module)\")`", |compiler| {
        compiler.clone().time_limit(Duration::ZERO).module("(module)").map(drop)
    }),
    ("`compiler.deserialize(b\"\\0asm\\x01\\0\\0\\0\")`", |compiler| load(compiler, b"\0asm\x01\0\0\0")),
    ("`compiler.deserialize(&artifact[..1000])`", |compiler| load(compiler, &compiler.precompile("(module)")?[..1000])),
    ("`compiler.deserialize(&artifact)` of a component", |compiler| {
        load(compiler, &compiler.precompile_component("(component)")?)
    }),
    ("`compiler.deserialize(&artifact)` of Wasmtime 48.0.x", |compiler| {
        let mut artifact = compiler.precompile("(module)")?;
        let name = b"wasmtime 48.0.";
        let at = artifact.windows(name.len()).position(|bytes| bytes == name).expect("it names its release");
        artifact[at + name.len()] = b'x';
        load(compiler, &artifact)
    }),
    ("`compiler.deserialize(&artifact)` of an engine with fuel", |compiler| {
        let fuel = Compiler::new(Config::new().consume_fuel(true))?;
        load(compiler, &fuel.precompile("(module)")?)
    }),
    ("`compiler.deserialize_file(\"nosuch.cwasm\")`", |compiler| {
        // SAFETY: there is no such file.
        unsafe { compiler.deserialize_file("nosuch.cwasm") }.map(drop)
    }),
    ("`compiler.verify_artifact(&artifact, \"(module (memory 1))\")` of another module", |compiler| {
        compiler.verify_artifact(&compiler.precompile("(module)")?, "(module (memory 1))").map(drop)
    }),
    ("`Cache::new(\"/dev/null\")`", |_| Cache::new("/dev/null").map(drop)),
];

struct Failing;

impl io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the line is dead"))
    }
}

fn with(change: impl FnOnce(&mut Config) -> Result<()>) -> Result<()> {
    let mut config = Config::new();
    change(&mut config)?;
    Compiler::new(&config).map(drop)
}

fn load(compiler: &Compiler, bytes: &[u8]) -> Result<()> {
    // SAFETY: nothing of it is run, and what is not refused comes from the compiler.
    let loaded: Result<Module> = unsafe { compiler.deserialize(bytes) };
    loaded.map(drop)
}

/// A row of the table.
fn row(name: &str, tried: Tried, compiler: &Compiler) -> String {
    let Err(error) = tried(compiler) else { return format!("| {name} | is no error |") };
    // Whoever tells errors apart does not parse them.
    let Some(of) = error.downcast_ref::<Error>() else { panic!("{name}: no error of Lightbeam's: {error:?}") };
    let said: Vec<_> = error.chain().map(|cause| cause.to_string().replace('\n', " ").replace('|', "\\|")).collect();
    format!("| {name} | `{:?}` | {} |", of.kind(), said.join(": "))
}

/// Is the row what stands on the page, where `[..]` stands for anything?
fn fits(expected: &str, row: &str) -> bool {
    let mut left = row;
    let parts: Vec<_> = expected.split("[..]").collect();
    for (n, part) in parts.iter().enumerate() {
        let Some(at) = left.find(part) else { return false };
        if n == 0 && at != 0 {
            return false;
        }
        left = &left[at + part.len()..];
    }
    left.is_empty() || expected.ends_with("[..]")
}

/// With `LIGHTBEAM_BLESS=1` it prints the table as it is now.
#[test]
fn the_table_is_what_is_said() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, page) = page.split_once("## The library").expect("the page has a part on the library");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let compiler = Compiler::new(&Config::new()).unwrap();
    let now: Vec<_> = SITUATIONS.iter().map(|(name, tried)| row(name, *tried, &compiler)).collect();
    if std::env::var_os("LIGHTBEAM_BLESS").is_some() {
        now.iter().for_each(|row| println!("{row}"));
        return;
    }
    let wrong: Vec<_> =
        now.iter().enumerate().filter(|(n, now)| rows.get(*n).is_none_or(|row| !fits(row, now))).collect();
    assert!(wrong.is_empty() && rows.len() == now.len(), "{} rows, not as they are now: {wrong:#?}", rows.len());
}
