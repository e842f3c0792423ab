//! Every example does what it says at its top.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What a command writes, which has to succeed.
fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn plugins_get_what_they_may_have() {
    let plugins = ["fib.wat", "plugins/hello.wat", "plugins/endless.wat", "plugins/greedy.wat", "plugins/contract.wat"];
    let said = output(Command::new(env!("CARGO_BIN_EXE_plugin-host")).args(plugins.map(file)).arg("Cargo.toml"));
    let said = said.replace(&format!("{}/", env!("CARGO_MANIFEST_DIR")), "");
    let lines: Vec<&str> = said.lines().collect();
    let [fib, hello, endless, greedy, contract, toml, ..] = lines[..] else { panic!("{said}") };
    assert_eq!(fib, "fib.wat: fib(30) = 832040");
    assert_eq!(hello, "plugins/hello.wat: Hello from a component!");
    assert_eq!(endless, "plugins/endless.wat: failed: it took more than 300 ms");
    assert_eq!(greedy, "plugins/greedy.wat: ");
    assert!(contract.starts_with("plugins/contract.wat: failed: ") && contract.contains("_start"), "{contract}");
    assert!(toml.starts_with("Cargo.toml: failed: "), "{toml}");
}

#[test]
fn contracts_cost_the_same_everywhere() {
    let run = |input: &str| {
        output(Command::new(env!("CARGO_BIN_EXE_contract-host")).arg(file("plugins/contract.wat")).arg(input))
    };
    // 0 + 1 + √2 + √3 + 2 + √5: 1 for the call, 3 ahead of the loop, 14 for each
    // time around, 1 behind it; blocks and their ends cost nothing.
    let sum: f64 = (0..6).rev().map(|n: i32| f64::from(n).sqrt()).sum();
    assert_eq!(run("6"), format!("{:#018x} for 89 units of fuel\n", sum.to_bits()));
    assert!(run("0").starts_with("0x7ff8000000000000 for "));
    assert_eq!(run("18446744073709551615"), "more than 1000000 units of fuel\n");
}

#[test]
fn modules_are_compiled_while_they_come() {
    let module = wat::parse_file(file("fib-bare.wat")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(&connection);
            while !request.ends_with("\r\n\r\n") {
                assert_ne!(lines.read_line(&mut request).unwrap(), 0, "{request}");
            }
            if !request.starts_with("GET /fib.wasm HTTP/1.1\r\n") {
                connection.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
                continue;
            }
            write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", module.len()).unwrap();
            for piece in module.chunks(7) {
                connection.write_all(piece).unwrap();
                connection.flush().unwrap();
            }
        }
    });
    let fetch = |path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streaming-http"));
        command.arg(format!("http://{address}/{path}")).arg("fib");
        command
    };
    assert_eq!(output(&mut fetch("fib.wasm")), "fib(20) = 10946\n");
    let refused = fetch("other.wasm").output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("404 Not Found"), "{refused:?}");
    server.join().unwrap();
}

#[test]
fn what_was_compiled_once_is_found() {
    let cache = std::env::temp_dir().join(format!("lightbeam-cached-start-{}", std::process::id()));
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cached-start"));
        output(command.arg(file("fib-bare.wat")).args(["fib", "20"]).arg(&cache))
    };
    let (first, second) = (run(), run());
    assert!(first.starts_with("compiled ") && first.ends_with(" bytes\n10946\n"), "{first}");
    assert_eq!(second, first.replace("compiled", "found"));
    std::fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_changed_file_is_taken_anew() {
    let folder = std::env::temp_dir().join(format!("lightbeam-hot-reload-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("plugin.wat");
    let version = |body: &str| {
        std::fs::write(&path, format!("(module (func (export \"f\") (param i32) (result i32) {body}))")).unwrap();
    };
    let mut host = Command::new(env!("CARGO_BIN_EXE_hot-reload"))
        .arg(&path)
        .arg("f")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut calls, mut answers) = (host.stdin.take().unwrap(), BufReader::new(host.stdout.take().unwrap()));
    let mut answer = || {
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        answer
    };
    writeln!(calls, "1").unwrap();
    assert!(answer().contains("No such file"));
    assert_eq!(answer(), "nothing to call\n");
    let mut call = |argument: &str| {
        writeln!(calls, "{argument}").unwrap();
        answer()
    };
    version("(i32.add (local.get 0) (i32.const 1))");
    assert_eq!(call("41"), "f(41) = 42\n");
    version("(i32.mul (local.get 0) (i32.const 2))");
    assert_eq!(call("41"), "f(41) = 82\n");
    // What does not compile is said once, and the old version goes on.
    version("(i64.const 0)");
    assert!(call("41").contains("type mismatch"));
    drop(call);
    drop(calls);
    let mut rest = String::new();
    answers.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "f(41) = 82\n");
    assert!(host.wait().unwrap().success());
    std::fs::remove_dir_all(&folder).unwrap();
}
