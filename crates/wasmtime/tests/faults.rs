//! Faults of the machine: limits on what a process may have are set, in a process of its own for each, and modules must
//! be compiled and loaded all the same, with nothing left behind.

use lightbeam::Compiler;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::File;
use std::process::Command;
use wasmtime::{Config, Instance, Module, Store};

/// In a process of its own for the test that calls this: true. Otherwise starts such a process, by a command that
/// `prepare` may still change, waits for it, and expects that the test passes there.
fn alone(test: &str, prepare: impl FnOnce(Command) -> Command) -> bool {
    const MARK: &str = "LIGHTBEAM_FAULT";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    // Without the descriptors that whoever runs the tests may have left open.
    let close =
        "for fd in /proc/self/fd/*; do n=${fd##*/}; [ $n -lt 3 ] || eval \"exec $n>&-\"; done; exec \"$0\" \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", close]).arg(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, test);
    let output = prepare(command).output().unwrap();
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{:?}\n{text}", output.status);
    false
}

fn limit(resource: Resource, most: u64) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    setrlimit(resource, Rlimit { current: Some(most), maximum }).unwrap();
}

/// A module whose code takes about so many bytes and whose data as many, and whose export `f` looks at both.
fn module(bytes: usize) -> Vec<u8> {
    let body = "i64.const 0x123456789abcdef i64.xor ".repeat(63);
    let function = format!("(func (param i64) (result i64) local.get 0 {body})");
    let functions = function.repeat(bytes / (63 * 13));
    let data = "x".repeat(bytes);
    wat::parse_str(format!(
        r#"(module (memory 200) (data (i32.const 16) "{data}") {functions}
            (func (export "f") (result i64)
                (i64.add (i64.extend_i32_u (i32.load8_u (i32.const {}))) (call 0 (i64.const 0)))))"#,
        bytes
    ))
    .unwrap()
}

/// Does the module do what it should?
fn works(compiler: &Compiler, module: &Module) {
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let f = instance.get_typed_func::<(), i64>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 0x123456789abcdef + i64::from(b'x'));
}

fn compiler(threads: usize) -> Compiler {
    Compiler::new(&Config::new()).unwrap().threads(threads)
}

fn stream(compiler: &Compiler, wasm: &[u8]) -> Module {
    let mut stream = compiler.module_stream();
    for chunk in wasm.chunks(100_000) {
        stream.push(chunk).unwrap();
    }
    stream.finish().unwrap()
}

/// Both ways to load, and to compile only.
fn all_ways(compiler: &Compiler, wasm: &[u8]) -> Vec<u8> {
    works(compiler, &compiler.module(wasm).unwrap());
    works(compiler, &stream(compiler, wasm));
    compiler.precompile(wasm).unwrap()
}

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Bytes of addresses that this process has.
fn addresses() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn no_thread_can_be_started() {
    // Each would need a stack of more than there are addresses.
    if !alone("no_thread_can_be_started", |mut command| {
        command.env("RUST_MIN_STACK", (1u64 << 60).to_string());
        command
    }) {
        return;
    }
    assert!(std::thread::Builder::new().spawn(|| ()).is_err(), "the fault is not there");
    let wasm = module(1 << 20);
    assert!(all_ways(&compiler(8), &wasm) == all_ways(&compiler(1), &wasm));
}

#[test]
fn some_threads_cannot_be_started() {
    const STACK: u64 = 1 << 30;
    if !alone("some_threads_cannot_be_started", |mut command| {
        command.env("RUST_MIN_STACK", STACK.to_string());
        command
    }) {
        return;
    }
    let wasm = module(1 << 20);
    let expected = compiler(1).precompile(&wasm).unwrap();
    limit(Resource::As, addresses() + 2 * STACK + STACK / 2);
    let before = threads();
    let compiler = compiler(8);
    let mut stream = compiler.module_stream();
    stream.push(&wasm[..wasm.len() - 1]).unwrap();
    assert_eq!(threads() - before, 2, "of those that were wanted, as many as can be");
    stream.push(&wasm[wasm.len() - 1..]).unwrap();
    assert!(stream.finish_artifact().unwrap() == expected);
    assert!(compiler.precompile(&wasm).unwrap() == expected);
}

#[test]
fn threads_of_a_stream_end_with_it() {
    if !alone("threads_of_a_stream_end_with_it", |command| command) {
        return;
    }
    let wasm = module(1 << 20);
    let compiler = compiler(4);
    let before = threads();
    for _ in 0..10 {
        let mut stream = compiler.module_stream();
        stream.push(&wasm[..wasm.len() / 4]).unwrap();
        assert_eq!(threads() - before, 4);
        drop(stream);
        assert_eq!(threads(), before, "dropped");

        let mut stream = compiler.module_stream();
        stream.push(&wasm[..wasm.len() / 4]).unwrap();
        assert!(stream.push(&[0xff; 4000]).is_err());
        assert_eq!(threads(), before, "at its end by an error");
        assert!(stream.finish().is_err());
    }
}

#[test]
fn files_may_not_be_as_large() {
    if !alone("files_may_not_be_as_large", |command| command) {
        return;
    }
    let wasm = module(3 << 20);
    // With it Wasmtime writes to files in memory, too, and meets the signal.
    let mut config = Config::new();
    config.memory_init_cow(false);
    let compiler = Compiler::new(&config).unwrap().threads(2);
    let expected = all_ways(&compiler, &wasm);
    // None at all; ended while the text grows; by the text, but not the data.
    for most in [0, 600 << 10, 1 << 20, (2 << 20) + 1, 5 << 20, 1 << 30] {
        limit(Resource::Fsize, most);
        assert!(all_ways(&compiler, &wasm) == expected, "{most}");
    }
}

#[test]
fn addresses_are_scarce() {
    if !alone("addresses_are_scarce", |command| command) {
        return;
    }
    let wasm = module(1 << 20);
    let mut config = Config::new();
    config.memory_reservation(1 << 20).memory_guard_size(1 << 16).memory_reservation_for_growth(1 << 20);
    let compiler = Compiler::new(&config).unwrap().threads(1);
    let expected = all_ways(&compiler, &wasm);
    limit(Resource::As, addresses() + (1 << 30));
    assert!(all_ways(&compiler, &wasm) == expected);
}

#[test]
fn descriptors_are_scarce() {
    if !alone("descriptors_are_scarce", |command| command) {
        return;
    }
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let wasm = module(600 << 10);
    let compiler = compiler(1);
    limit(Resource::Nofile, 64);
    let modules: Vec<_> = (0..80).map(|_| compiler.module(&wasm).unwrap()).collect();
    assert!((20..=34).contains(&descriptors()), "{} descriptors", descriptors());
    // The host has the other half.
    let files: Vec<_> = (0..28).map(|_| File::open("/dev/null").unwrap()).collect();
    modules.iter().step_by(16).for_each(|module| works(&compiler, module));
    drop((modules, files));
    assert!(descriptors() < 10, "{} descriptors", descriptors());

    limit(Resource::Nofile, 3);
    assert!(File::open("/dev/null").is_err(), "the fault is not there");
    compiler.module(&wasm).unwrap();
    stream(&compiler, &wasm);
    limit(Resource::Nofile, 64);

    let without = compiler.clone().memory_files(false);
    let before = descriptors();
    let modules = [without.module(&wasm).unwrap(), stream(&without, &wasm)];
    assert_eq!(descriptors(), before, "none where none is wanted");
    modules.iter().for_each(|module| works(&without, module));
}

#[test]
fn files_may_not_be_executable() {
    let tried = || {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "sh", "-c", "echo 2 >/proc/sys/vm/memfd_noexec"]);
        command.output().is_ok_and(|output| output.status.success())
    };
    if !tried() {
        eprintln!("SKIPPED: vm.memfd_noexec cannot be set: no kernel for it, not the superuser, or no `unshare`");
        return;
    }
    if !alone("files_may_not_be_executable", |inner| {
        let mut command = Command::new("unshare");
        let script = "echo 2 >/proc/sys/vm/memfd_noexec && exec \"$0\" \"$@\"";
        command.args(["--pid", "--fork", "sh", "-c", script]).arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }) {
        return;
    }
    let executable = rustix::fs::memfd_create("executable", rustix::fs::MemfdFlags::EXEC);
    assert!(executable.is_err(), "the fault is not there");
    let before = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let compiler = compiler(1);
    let module = compiler.module(module(1 << 20)).unwrap();
    assert_eq!(
        std::fs::read_dir("/proc/self/fd").unwrap().count(),
        before + 1,
        "a file that cannot be executed will do"
    );
    works(&compiler, &module);
}
